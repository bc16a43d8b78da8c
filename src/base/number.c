/* number.c: sorting. */
#include "number.h"

#include <stdlib.h>

static int by_f64(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_i64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void gan__sort_f64(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_f64);
}

void gan__sort_i64(int64_t *x, size_t n)
{
    qsort(x, n, sizeof *x, by_i64);
}
