/* sliced.c: random directions and sorted projections: what sliced distances are made of. */
#include "sliced.h"

#include "base/number.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>

static double project(const float *x, int64_t size, const double *direction)
{
    double sum = 0;
    for (int64_t k = 0; k < size; k++) {
        sum += direction[k] * (double)x[k];
    }
    return sum;
}

void gan__sliced_project(const float *x, int64_t n, int64_t size, const double *direction,
                         double *out)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = project(x + i * size, size, direction);
    }
    gan__sort_f64(out, (size_t)n);
}

static int by_rank(const void *x, const void *y)
{
    const struct gan__sliced_point *a = x, *b = y;
    int order = (a->v > b->v) - (a->v < b->v);
    return order != 0 ? order : (a->row > b->row) - (a->row < b->row);
}

void gan__sliced_rank(const float *x, int64_t n, int64_t size, const double *direction,
                      struct gan__sliced_point *out)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = (struct gan__sliced_point){project(x + i * size, size, direction), i};
    }
    qsort(out, (size_t)n, sizeof *out, by_rank);
}

void gan__sliced_direction(uint64_t seed, int64_t d, int64_t size, double *direction)
{
    struct gan__rng rng;
    double norm = 0;
    gan__rng_init(&rng, gan__stream_key(seed, (uint64_t)d, 0, gan__hash_text("sliced")));
    for (int64_t k = 0; k < size; k++) {
        direction[k] = gan__rng_normal(&rng);
        norm += direction[k] * direction[k];
    }
    for (int64_t k = 0; k < size; k++) {
        direction[k] /= sqrt(norm);
    }
}
