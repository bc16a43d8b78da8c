/* number.h: numbers in order, the smaller of two, and numbers that are divisible. */
#ifndef GAN_BASE_NUMBER_H
#define GAN_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Ascending. */
void gan__sort_f64(double *x, size_t n);
void gan__sort_i64(int64_t *x, size_t n);

static inline int64_t gan__smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The least multiple of m > 0 that is not below v >= 0. */
static inline int64_t gan__raise(int64_t v, int64_t m)
{
    return (v + m - 1) / m * m;
}

#endif
