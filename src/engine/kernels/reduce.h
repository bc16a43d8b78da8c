/* reduce.h: sums over sets of axes (reduction.h says how they are cut). Sums are in f64 and blocks
 * are added in their order: the same bits for any number of threads. */
#ifndef GAN_ENGINE_KERNELS_REDUCE_H
#define GAN_ENGINE_KERNELS_REDUCE_H

#include "engine/tensor/reduction.h"

/* What is summed: x; x-s and (x-s)^2 with s = the first element; x and x*y. */
enum gan__reduce_kind { GAN_REDUCE_SUM, GAN_REDUCE_MOMENTS, GAN_REDUCE_PAIR };

/* f64 numbers of scratch that gan__reduce_run needs. */
size_t gan__reduce_scratch(const struct gan__reduce *r);

/* x, y: f32, or bf16 where r says so.
 * sums: k0*k1 of the first sum, then k0*k1 of the second (none with SUM). */
void gan__reduce_run(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                     const void *y, double *scratch, double *sums);

/* Element i of x. */
float gan__reduce_element(const struct gan__reduce *r, const void *x, int64_t i);

/* The parts from which reductions elsewhere get the same bits: GAN_SUM_LANES sums of one vector
 * (lanes.h: sum_lanes) become one;
 * y[k1] = the sum over the blocks of one k0, `step` numbers apart, the first of which is changed. */
double gan__reduce_join(double *lane);
void gan__reduce_blocks(const struct gan__reduce *r, double *first, int64_t step, float *y);

/* Element of x that belongs to (k0, k1) first: the shift of GAN_REDUCE_MOMENTS. */
static inline float gan__reduce_first(const struct gan__reduce *r, const void *x, int64_t k0,
                                      int64_t k1)
{
    return gan__reduce_element(r, x, k0 * r->r0 * r->k1 * r->r1 + k1 * r->r1);
}

/* dst[i] = per_channel[k1 of element i of a row], i < len. */
void gan__reduce_spread(const struct gan__reduce *r, const float *per_channel, float *dst);

#endif
