/* cpu_strided.h: what the directions of 4x4 convolutions of stride 2 share: sizes, phases, tiles. */
#ifndef GAN_ENGINE_EXECUTE_CPU_STRIDED_H
#define GAN_ENGINE_EXECUTE_CPU_STRIDED_H

#include "engine/graph/attr.h"
#include "engine/kernels/strided.h"
#include "kernel.h"

enum { GAN_STRIDED_PHASES = 4 };

enum gan__strided_direction { GAN_STRIDED_FORWARD, GAN_STRIDED_DATA, GAN_STRIDED_WEIGHTS };

/* x [n,h,w,i] is the wide image, y [n,oh,ow,o] the narrow one. */
struct gan__strided_sizes {
    enum gan__strided_direction direction;
    const struct gan__strided *loops; /* with the size of the tiles */
    int64_t n, h, w, i, oh, ow, o;
    int64_t pad_h, pad_w;
    int64_t tiles_h, tiles_w, tiles; /* of one phase of the results; of all images */
    float *zeros;                    /* one place outside an image, never written */
    int threads;
};

/* Serves the loops this convolution, and are they faster? */
bool gan__strided_worth(const gan_shape *x, const gan_shape *w, const gan_shape *y,
                        const struct gan_conv *c);

/* Sizes of the step that p prepares; the tile is chosen. */
gan_status gan__strided_measure(struct gan__prepare *p, enum gan__strided_direction direction,
                                const struct gan_conv *c, struct gan__strided_sizes *k,
                                gan_err *err);

/* Floats of the transformed weights of all phases, and how many are kept whole at most. */
int64_t gan__strided_weights(const struct gan__strided_sizes *k);
enum { GAN_STRIDED_SMALL_WEIGHTS = 7 << 19 };

/* A tile of all images: image, row and column of its first result. */
struct gan__strided_at {
    int64_t n, row, column;
};

struct gan__strided_at gan__strided_place(const struct gan__strided_sizes *k, int64_t tile);

struct gan__strided_image {
    float *data;
    int64_t h, w, c;
};

struct gan__strided_image gan__strided_wide(const struct gan__strided_sizes *k,
                                            const gan_tensor *t);
struct gan__strided_image gan__strided_narrow(const struct gan__strided_sizes *k,
                                              const gan_tensor *t);

/* size x size pixels of image n, `step` apart, from a place on; `none` outside. */
void gan__strided_window(const struct gan__strided_image *m, struct gan__strided_at from,
                         int64_t step, int size, float *none, float **pixel);

/* The pixels of phase q of the wide image that the tile of results at t reads. */
void gan__strided_phase(const struct gan__strided_sizes *k, const struct gan__strided_image *x,
                        struct gan__strided_at t, int64_t q, float **pixel);

#endif
