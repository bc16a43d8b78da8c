/* latent.h: paths and sums of latent vectors, and what a generator makes of them.
 *
 *     float ends[2 * 100], path[10 * 100];
 *     gan_sampler_latents(s, 1, 0, 2, ends);
 *     for (int k = 0; k < 10; k++)
 *         gan_latent_between(GAN_BETWEEN_SLERP, ends, ends + 100, 100, k / 9.0, path + k * 100);
 *     gan_sampler_draw(s, &(struct gan_drawing){.z = path, .rows = 1, .columns = 10}, "path.png", &err);
 */
#ifndef GAN_LATENT_H
#define GAN_LATENT_H

#include <gan/sample.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to go from one latent to another. */
typedef enum gan_between {
    GAN_BETWEEN_LINEAR, /* (1-t) a + t b: for latents of a cube */
    GAN_BETWEEN_SLERP   /* along the great circle, lengths in proportion: for normal ones, which lie
                           near the sphere of radius sqrt z */
} gan_between;

/**
 * A point between two latents.
 *
 * in:   a, b  f32 [z]; t in 0..1: 0 gives a, 1 gives b
 * out:  dst   f32 [z]. Spherical is linear where the angle is (almost) 0 or pi, or a latent is 0
 * ref:  White 2016, arXiv:1609.04468
 */
GAN_API void gan_latent_between(gan_between how, const float *a, const float *b, int64_t z,
                                double t, float *dst);

/**
 * A point of the closed smooth curve through n latents: a periodic Catmull-Rom spline.
 *
 * in:   keys    f32 [n,z], n >= 1
 *       t       0 gives key 0, 1/n key 1, ..., 1 key 0 again
 *       length  keep the lengths between those of the neighbours, for normal latents; otherwise
 *               elements stay between -sqrt 3 and sqrt 3, the cube of uniform ones
 * out:  dst     f32 [z]
 */
GAN_API void gan_latent_walk(const float *keys, int64_t n, int64_t z, double t, bool length,
                             float *dst);

/**
 * Neighbours of a latent: every element moved by U(-amount, amount) from the stream of (seed, i).
 *
 * in:   z0   f32 [z]
 * out:  dst  f32 [n,z]
 */
GAN_API void gan_latent_neighbours(const float *z0, int64_t z, double amount, uint64_t seed,
                                   int64_t n, float *dst);

/** Most sets of an expression, and room for the name of one. */
enum { GAN_LATENT_SETS = 12, GAN_LATENT_NAME = 16 };

/** A sum of means of sets of latents, with factors. */
struct gan_latent_sum {
    int n;
    struct {
        char name[GAN_LATENT_NAME];
        double factor;
    } set[GAN_LATENT_SETS];
};

/**
 * Reads "mean(A) - mean(B) + .5*(mean(C) + mean(D))": sums, differences, products with and
 * quotients by numbers, parentheses; a name alone is its mean too.
 *
 * out:    sets in the order in which they first stand
 * errors: GAN_E_ARG: what is wrong and at which character, from 1
 * ref:    Radford, Metz, Chintala 2016, arXiv:1511.06434, section 6.3.2
 */
GAN_API gan_status gan_latent_parse(const char *text, struct gan_latent_sum *out, gan_err *err);

/** What to draw. Zero-initialise. */
struct gan_drawing {
    const float *z; /* [rows,columns,latent] */
    const int32_t
        *labels;       /* [rows,columns] classes; NULL: none, or row r has class r mod classes */
    const bool *blank; /* [rows,columns] places that stay empty; NULL: none */
    int64_t rows, columns;
    bool animate;     /* a column at a time is one frame; otherwise all are one grid */
    int delay_ms;     /* of a frame [66] */
    const char *what; /* text chunk "latents" of the file; NULL: none */
};

/**
 * Makes the images of latents and writes them: a PNG, animated or a grid, when the path ends in
 * ".png"; the exact numbers [rows*columns,H,W,C] when it ends in ".npy"; else a directory of PNGs
 * "00000.png", ..., one a frame, or one an image.
 *
 * errors: GAN_E_RANGE (rows, columns, a label), GAN_E_ARG (labels of a generator without classes),
 *         GAN_E_UNSUPPORTED (points; models of images; a build without PNG or zlib), GAN_E_IO,
 *         GAN_E_NOMEM
 */
GAN_API gan_status gan_sampler_draw(gan_sampler *s, const struct gan_drawing *what,
                                    const char *path, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
