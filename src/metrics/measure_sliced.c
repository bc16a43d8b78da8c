/* measure_sliced.c: the sliced Wasserstein-1 distance: in one dimension the optimal transport of two
 * sets of equal size sorts both.
 *
 * Ref: Rabin et al. 2012, "Wasserstein barycenter and its application to texture mixing". */
#include <gan/measure.h>

#include "sliced.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <stdbool.h>

/* Distance along one direction; work: 2 n + size numbers. */
static double along(const float *x, const float *y, int64_t n, int64_t size, double *work)
{
    double *a = work, *b = work + n, *direction = work + 2 * n, sum = 0;
    gan__sliced_project(x, n, size, direction, a);
    gan__sliced_project(y, n, size, direction, b);
    for (int64_t i = 0; i < n; i++) {
        sum += fabs(a[i] - b[i]);
    }
    return sum / (double)n;
}

double gan_sliced_wasserstein(const float *x, const float *y, int64_t n, int64_t size,
                              int64_t directions, uint64_t seed, gan_err *err)
{
    if (n < 1 || size < 1 || directions < 1) {
        gan__fail(err, GAN_E_RANGE,
                  "sliced distance of %lld samples of %lld numbers over %lld directions, each must "
                  "be at least 1",
                  (long long)n, (long long)size, (long long)directions);
        return (double)NAN;
    }
    double *distance = gan__alloc_array((size_t)directions, sizeof *distance), total = 0;
    bool short_of_memory = distance == NULL;
    if (!short_of_memory) {
#pragma omp parallel reduction(|| : short_of_memory)
        {
            double *work = gan__alloc_array((size_t)(2 * n + size), sizeof *work);
            short_of_memory = work == NULL;
#pragma omp for schedule(dynamic)
            for (int64_t d = 0; d < directions; d++) {
                if (work != NULL) {
                    gan__sliced_direction(seed, d, size, work + 2 * n);
                    distance[d] = along(x, y, n, size, work);
                }
            }
            gan__free(work);
        }
    }
    for (int64_t d = 0; d < directions && !short_of_memory; d++) {
        total += distance[d] / (double)directions;
    }
    gan__free(distance);
    if (short_of_memory) {
        gan__fail_nomem(err, (size_t)(2 * n + size) * sizeof *distance, "projections");
        return (double)NAN;
    }
    return total;
}
