/* sliced.h: random directions and sorted projections: what sliced distances are made of. */
#ifndef GAN_METRICS_SLICED_H
#define GAN_METRICS_SLICED_H

#include <stdint.h>

/* Direction d of a seed, uniform on the sphere: `size` numbers. */
void gan__sliced_direction(uint64_t seed, int64_t d, int64_t size, double *direction);

/* Projections of x [n,size] on a direction, ascending. */
void gan__sliced_project(const float *x, int64_t n, int64_t size, const double *direction,
                         double *out);

/* A projection and the row it is of. */
struct gan__sliced_point {
    double v;
    int64_t row;
};

/* The same with rows; equal projections in the order of their rows. */
void gan__sliced_rank(const float *x, int64_t n, int64_t size, const double *direction,
                      struct gan__sliced_point *out);

#endif
