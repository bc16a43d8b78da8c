/* metric_sliced.c: sliced Wasserstein distances: the mean over random directions of the transport cost
 * between the projections, which in one dimension sorting solves.
 *
 * A sample's influence is the Kantorovich potential at its projection, the mean over the directions: the
 * slope of the cost in the sample's mass. In one dimension it is the integral of the slope of the cost
 * of moving x to its image T(x), and T is constant between two neighbours.
 *
 * Ref: Rabin et al. 2012, "Wasserstein barycenter and its application to texture mixing"; Peyre, Cuturi
 * 2019, "Computational optimal transport", sections 2.6 and 9.1. */
#include "interval.h"
#include "metrics.h"
#include "sliced.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>

/* Blocks of directions are summed one after the other, so any number of threads gives equal bits. */
enum { DIRECTIONS = 512, BLOCKS = 32, EACH = DIRECTIONS / BLOCKS };

/* Costs |a - b| and (a - b)^2 between quantile functions of a [n] and b [m]: both are steps, so the
 * common refinement of their jumps is walked. */
static void transport(const struct gan__sliced_point *a, int64_t n,
                      const struct gan__sliced_point *b, int64_t m, double cost[2])
{
    int64_t i = 0, j = 0;
    double at = 0;
    while (i < n && j < m) {
        double end_a = (double)(i + 1) / (double)n, end_b = (double)(j + 1) / (double)m;
        double end = end_a < end_b ? end_a : end_b, d = a[i].v - b[j].v;
        bool next_a = (i + 1) * m <= (j + 1) * n, next_b = (j + 1) * n <= (i + 1) * m;
        cost[0] += (end - at) * fabs(d) / DIRECTIONS;
        cost[1] += (end - at) * d * d / DIRECTIONS;
        at = end;
        i += next_a;
        j += next_b;
    }
}

/* Adds the potentials of both costs at the points of a, zero at the first. Between a[i-1] and a[i] the
 * level is i / n, and the image the quantile of b there: the middle where b jumps just there. */
static void add_potentials(const struct gan__sliced_point *a, int64_t n,
                           const struct gan__sliced_point *b, int64_t m, double *of_w1,
                           double *of_w2)
{
    double p1 = 0, p2 = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) {
            int64_t j = i * m / n;
            double to = i * m % n == 0 ? (b[j - 1].v + b[j].v) / 2 : b[j].v;
            double before = a[i - 1].v - to, after = a[i].v - to;
            p1 += fabs(after) - fabs(before);
            p2 += after * after - before * before;
        }
        of_w1[a[i].row] += p1 / DIRECTIONS;
        of_w2[a[i].row] += p2 / DIRECTIONS;
    }
}

/* What a block of directions adds, and the room of its thread. */
struct block {
    double cost[2];
    double *w1, *w2; /* [n + m] influences: of the reals, then of the fakes */
};

static void run_block(const struct gan_metric_input *in, int64_t k, struct block *b, double *way,
                      struct gan__sliced_point *rank)
{
    const struct gan_side *x = &in->real, *y = &in->fake;
    struct gan__sliced_point *other = rank + x->n;
    for (int64_t d = k * EACH; d < (k + 1) * EACH; d++) {
        gan__sliced_direction(in->seed, d, y->size, way);
        gan__sliced_rank(x->features, x->n, x->size, way, rank);
        gan__sliced_rank(y->features, y->n, y->size, way, other);
        transport(rank, x->n, other, y->n, b->cost);
        add_potentials(rank, x->n, other, y->n, b->w1, b->w2);
        add_potentials(other, y->n, rank, x->n, b->w1 + x->n, b->w2 + x->n);
    }
}

static gan_status report(const struct gan_metric_input *in, struct block *b,
                         struct gan_metric_result *out, gan_err *err)
{
    int64_t n = in->real.n, m = in->fake.n;
    for (int k = 1; k < BLOCKS; k++) {
        b[0].cost[0] += b[k].cost[0];
        b[0].cost[1] += b[k].cost[1];
        for (int64_t i = 0; i < n + m; i++) {
            b[0].w1[i] += b[k].w1[i];
            b[0].w2[i] += b[k].w2[i];
        }
    }
    double w2 = sqrt(b[0].cost[1]);
    for (int64_t i = 0; i < n + m && w2 > 0; i++) { /* of the root */
        b[0].w2[i] /= 2 * w2;
    }
    struct gan__influence x1 = {b[0].w1, n}, y1 = {b[0].w1 + n, m};
    struct gan__influence x2 = {b[0].w2, n}, y2 = {b[0].w2 + n, m};
    GAN_TRY(gan__interval(in, x1, y1, gan__metric_value(out, "sliced-w1", b[0].cost[0], ""), err));
    GAN_TRY(gan__interval(in, x2, y2, gan__metric_value(out, "sliced-w2", w2, ""), err));
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%d directions of the seed; w2 is the root of the mean square",
                      (int)DIRECTIONS);
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *x = &in->real, *y = &in->fake;
    if (x->features == NULL || y->features == NULL) {
        return gan__fail(err, GAN_E_ARG, "sliced needs features, not their mean and covariance");
    }
    size_t rows = (size_t)(x->n + y->n), threads = (size_t)in->threads, size = (size_t)y->size;
    double *sums = gan__alloc_array(2 * rows * BLOCKS + threads * size, sizeof *sums);
    struct gan__sliced_point *ranks = gan__alloc_array(rows * threads, sizeof *ranks);
    gan_status status = GAN_OK;
    struct block block[BLOCKS] = {0};
    if (sums == NULL || ranks == NULL) {
        status = gan__fail_nomem(err, 2 * rows * BLOCKS * sizeof *sums, "projections");
    } else {
#pragma omp parallel for schedule(dynamic) num_threads(in->threads)
        for (int64_t k = 0; k < BLOCKS; k++) {
            size_t thread = (size_t)omp_get_thread_num();
            block[k].w1 = sums + 2 * rows * (size_t)k;
            block[k].w2 = block[k].w1 + rows;
            run_block(in, k, &block[k], sums + 2 * rows * BLOCKS + thread * size,
                      ranks + thread * rows);
        }
        status = report(in, block, out, err);
    }
    gan__free(sums);
    gan__free(ranks);
    return status;
}

GAN_METRIC(sliced) = {
    .name = "sliced",
    .help = "sliced Wasserstein-1 and -2 distances of the features",
    .ref = "Rabin et al. 2012",
    .needs = GAN_NEED_FEATURES,
    .least = 10,
    .lower = true,
    .run = run,
};
