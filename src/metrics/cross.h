/* cross.h: all pairs of two sets of rows without holding all pairs: blocks of squared distances or
 * inner products by matrix products. */
#ifndef GAN_METRICS_CROSS_H
#define GAN_METRICS_CROSS_H

#include <gan/status.h>

#include <stdint.h>

/* A block: rows first_x .. +n_x-1 of x against rows first_y .. +n_y-1 of y. */
struct gan__cross_block {
    int64_t first_x, n_x, first_y, n_y;
    const float *v; /* [n_x, n_y] */
};

/* Called for one block after the other; may use threads itself. */
typedef void gan__cross_fn(void *ctx, const struct gan__cross_block *b);

struct gan__cross {
    const float *x, *y; /* [n_x,size], [n_y,size] */
    int64_t n_x, n_y, size;
    int threads;
};

/* Inner products. */
gan_status gan__cross_products(const struct gan__cross *c, gan__cross_fn *fn, void *ctx,
                               gan_err *err);

/* Squared Euclidean distances: |x|^2 + |y|^2 - 2 x.y, and from differences where that cancels, so
 * that equal rows are at distance 0. errors: GAN_E_NOMEM, GAN_E_FORMAT (one is beyond f32) */
gan_status gan__cross_distances(const struct gan__cross *c, gan__cross_fn *fn, void *ctx,
                                gan_err *err);

#endif
