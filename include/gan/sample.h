/* sample.h: images from a trained generator; the checkpoint says everything else.
 *
 *     #include <gan/sample.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         gan_sampler *s = NULL;
 *         if (gan_sampler_open("run", NULL, &s, &err) == GAN_OK) {
 *             gan_sampler_write(s, &(struct gan_sample_request){.n = 64, .seed = 1}, "grid.png", &err);
 *         }
 *         gan_sampler_close(s);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * Image i of a seed is the same whatever n is. Of a generator that knows classes it has class
 * i mod classes, unless one class is asked for. */
#ifndef GAN_SAMPLE_H
#define GAN_SAMPLE_H

#include <gan/data.h>
#include <gan/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A generator ready to run. One thread uses it. */
typedef struct gan_sampler gan_sampler;

/** How to run it; zero-initialise for the defaults. */
struct gan_sampler_opts {
    bool bn_batch; /* normalise by the statistics of the batch instead of the running ones */
    int threads;   /* compute threads, 0 = 1 */
    int64_t batch; /* images at a time [64] */
};

/** What a sampler makes. Texts live as long as the sampler. */
struct gan_sampler_info {
    const char *file;  /* checkpoint it was read from */
    const char *model; /* "dcgan" */
    const char *hash;  /* digest of the checkpoint's data, hexadecimal: names the weights */
    int64_t height, width, channels;
    int64_t latent;                 /* length of a latent vector */
    bool uniform;                   /* latents are uniform on +-sqrt 3 instead of N(0,1) */
    gan_range range;                /* of the pixels */
    bool resize;                    /* its data were scaled to this size, not padded */
    bool points;                    /* samples are points, not images: [n,1,1,channels] */
    int64_t classes;                /* that can be asked for; 0: the generator knows none */
    const char *const *class_names; /* `classes` names, or NULL */
    int64_t step;                   /* iterations of training */
    uint64_t seed;                  /* of training */
};

/**
 * Opens the newest checkpoint of a run directory, or a checkpoint file.
 *
 * in:     opts  may be NULL
 * out:    NULL on failure
 * owns:   the caller closes it with gan_sampler_close
 * errors: GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (no checkpoint of libgan, or a damaged one),
 *         GAN_E_ARG (a model this build does not have), GAN_E_NOMEM
 */
GAN_API gan_status gan_sampler_open(const char *path, const struct gan_sampler_opts *opts,
                                    gan_sampler **out, gan_err *err);

/** Closes it; NULL is fine. */
GAN_API void gan_sampler_close(gan_sampler *s);

/** What it makes. owns: the sampler. */
GAN_API const struct gan_sampler_info *gan_sampler_about(const gan_sampler *s);

/** Latent vectors first .. first+n-1 of a seed: z [n,latent], as the model draws them: N(0,1), or
 * uniform of variance 1. */
GAN_API void gan_sampler_latents(const gan_sampler *s, uint64_t seed, int64_t first, int64_t n,
                                 float *z);

/**
 * Images first .. first+n-1 of a seed.
 *
 * out:    hwc  f32 [n,height,width,channels] in the model's range
 * errors: GAN_E_RANGE (first or n negative), those of gan_plan_run
 */
GAN_API gan_status gan_sampler_images(gan_sampler *s, uint64_t seed, int64_t first, int64_t n,
                                      float *hwc, gan_err *err);

/**
 * Images of given latent vectors.
 *
 * in:     z    f32 [n,latent]
 * out:    hwc  f32 [n,height,width,channels] in the model's range
 * errors: as gan_sampler_images
 */
GAN_API gan_status gan_sampler_decode(gan_sampler *s, const float *z, int64_t n, float *hwc,
                                      gan_err *err);

/**
 * Images of given latent vectors and classes.
 *
 * in:     z       f32 [n,latent]
 *         labels  [n] classes, 0 .. classes-1
 * out:    hwc     f32 [n,height,width,channels] in the model's range
 * errors: GAN_E_ARG (a generator that knows no classes), GAN_E_RANGE (a label, n), those of
 *         gan_plan_run
 */
GAN_API gan_status gan_sampler_decode_classes(gan_sampler *s, const float *z, const int32_t *labels,
                                              int64_t n, float *hwc, gan_err *err);

/**
 * Class by name or by number.
 *
 * in:     text  "Sneaker", in letters of either case, or "7"
 * out:    its number
 * errors: GAN_E_ARG (a generator that knows no classes; no class of this name), GAN_E_RANGE
 */
GAN_API gan_status gan_sampler_class(const gan_sampler *s, const char *text, int64_t *out,
                                     gan_err *err);

/** What to write. Zero-initialise. */
struct gan_sample_request {
    int64_t n;           /* images [64, 8 of each class; what `latents` give] */
    int64_t first;       /* number of the first */
    uint64_t seed;       /* of the latents */
    const char *latents; /* .npy file of (N,Z) instead of a seed; NULL */
    int64_t columns;     /* of a grid; 0 makes it nearly square, or a column for each class */
    bool one_class;      /* all images are of class `class_index` */
    int64_t class_index; /* number of a class */
};

/**
 * Writes images: to one grid when the path ends in ".png" (points: a scatter plot), to an exact
 * array (N,H,W,C) in the model's range when it ends in ".npy", else to a directory of PNGs
 * "00000.png", ... Text chunks of a PNG hold the seed and the model's hash. In a grid of a
 * generator that knows classes, 100 at most, row r has the latent r in each class, unless one class
 * or a number of columns is asked for; latents of a file are shown in each class wherever they go.
 *
 * errors: GAN_E_RANGE (n, a class), GAN_E_ARG (a class of a generator that knows none), GAN_E_IO, GAN_E_FORMAT (the latents: a malformed .npy, or another
 *         length than the model's), GAN_E_UNSUPPORTED (a build without PNG)
 */
GAN_API gan_status gan_sampler_write(gan_sampler *s, const struct gan_sample_request *what,
                                     const char *path, gan_err *err);

/**
 * Reads a .npy file of real numbers (f4 or f8, little-endian, C order) as f32.
 *
 * out:    shape; data  owned by the caller, gan_array_free; NULL on failure
 * errors: GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (names what is wrong), GAN_E_NOMEM
 */
GAN_API gan_status gan_npy_read(const char *path, gan_shape *shape, float **data, gan_err *err);

/** Frees what gan_npy_read gave; NULL is fine. */
GAN_API void gan_array_free(float *data);

/**
 * Writes an f32 array as .npy, atomically.
 *
 * errors: GAN_E_IO, GAN_E_SHAPE
 */
GAN_API gan_status gan_npy_write(const char *path, const gan_shape *shape, const float *data,
                                 gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
