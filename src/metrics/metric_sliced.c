/* metric_sliced.c: sliced Wasserstein distances: the mean over random directions of the transport cost
 * between the projections, which in one dimension sorting solves.
 *
 * Ref: Rabin et al. 2012, "Wasserstein barycenter and its application to texture mixing". */
#include "interval.h"
#include "metrics.h"
#include "sliced.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>

enum { DIRECTIONS = 512 };

/* Costs |a - b| and (a - b)^2 between quantile functions of a [n] and b [m]: both are steps, so the
 * common refinement of their jumps is walked. */
static void transport(const double *a, int64_t n, const double *b, int64_t m, double cost[2])
{
    int64_t i = 0, j = 0;
    double at = 0;
    cost[0] = cost[1] = 0;
    while (i < n && j < m) {
        double end_a = (double)(i + 1) / (double)n, end_b = (double)(j + 1) / (double)m;
        double end = end_a < end_b ? end_a : end_b, d = a[i] - b[j];
        bool next_a = (i + 1) * m <= (j + 1) * n, next_b = (j + 1) * n <= (i + 1) * m;
        cost[0] += (end - at) * fabs(d);
        cost[1] += (end - at) * d * d;
        at = end;
        i += next_a;
        j += next_b;
    }
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *x = &in->real, *y = &in->fake;
    if (x->features == NULL || y->features == NULL) {
        return gan__fail(err, GAN_E_ARG, "sliced needs features, not their mean and covariance");
    }
    size_t each = (size_t)(x->n + y->n + y->size), threads = (size_t)in->threads;
    double *work = gan__alloc_array(each * threads, sizeof *work), sum[2] = {0, 0};
    double(*cost)[2] = gan__alloc_array(DIRECTIONS, sizeof *cost);
    if (work == NULL || cost == NULL) {
        gan__free(work);
        gan__free(cost);
        return gan__fail_nomem(err, each * threads * sizeof *work, "projections");
    }
#pragma omp parallel for schedule(dynamic) num_threads(in->threads)
    for (int64_t d = 0; d < DIRECTIONS; d++) {
        double *a = work + each * (size_t)omp_get_thread_num(), *b = a + x->n, *way = b + y->n;
        gan__sliced_direction(in->seed, d, y->size, way);
        gan__sliced_project(x->features, x->n, x->size, way, a);
        gan__sliced_project(y->features, y->n, y->size, way, b);
        transport(a, x->n, b, y->n, cost[d]);
    }
    for (int d = 0; d < DIRECTIONS; d++) {
        sum[0] += cost[d][0] / DIRECTIONS;
        sum[1] += cost[d][1] / DIRECTIONS;
    }
    gan__free(work);
    gan__free(cost);
    (void)gan__metric_value(out, "sliced-w1", sum[0], "");
    (void)gan__metric_value(out, "sliced-w2", sqrt(sum[1]), "");
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%d directions of the seed; w2 is the root of the mean square",
                      (int)DIRECTIONS);
    return GAN_OK;
}

GAN_METRIC(sliced) = {
    .name = "sliced",
    .help = "sliced Wasserstein-1 and -2 distances of the features",
    .ref = "Rabin et al. 2012",
    .needs = GAN_NEED_FEATURES,
    .least = 2,
    .lower = true,
    .run = run,
};
