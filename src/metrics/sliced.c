/* sliced.c: random directions and sorted projections: what sliced distances are made of. */
#include "sliced.h"

#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

void gan__sliced_project(const float *x, int64_t n, int64_t size, const double *direction,
                         double *out)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < size; k++) {
            sum += direction[k] * (double)x[i * size + k];
        }
        out[i] = sum;
    }
    qsort(out, (size_t)n, sizeof *out, by_value);
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
