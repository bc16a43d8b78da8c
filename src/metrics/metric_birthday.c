/* metric_birthday.c: how many different samples can a generator make? Among n draws from s equally
 * likely things about n^2 / (2 s) pairs are equal, so s is about n (n-1) / (2 pairs). "Equal" is: nearer
 * than the nearest pair of 1000 reals times 1/2, or exactly equal. No pair at all gives a lower bound.
 *
 * Ref: Arora, Risteski, Zhang 2018, "Do GANs learn the distribution? Some theory and empirics". */
#include "cross.h"
#include "interval.h"
#include "metrics.h"
#include "neighbour.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>

enum { REALS = 1000 };

struct pairs {
    double squared; /* nearer than this is equal */
    int64_t *count; /* [n] of partners */
    int threads;
};

static void count_pairs(void *ctx, const struct gan__cross_block *b)
{
    struct pairs *p = ctx;
#pragma omp parallel for schedule(static) num_threads(p->threads)
    for (int64_t i = 0; i < b->n_x; i++) {
        for (int64_t j = 0; j < b->n_y; j++) {
            double d = (double)b->v[i * b->n_y + j];
            bool other = b->first_y + j != b->first_x + i;
            p->count[b->first_x + i] += other && (d < p->squared || !(d > 0));
        }
    }
}

/* Half of the 1 % quantile of the reals' distances to their nearest. */
static gan_status limit_of(const struct gan_metric_input *in, double *limit, gan_err *err)
{
    int64_t n = in->real.n < REALS ? in->real.n : REALS;
    double *d = gan__alloc_array((size_t)n, sizeof *d);
    if (d == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *d, "distances");
    }
    struct gan__cross c = {in->real.features, in->real.features, n, n, in->real.size, in->threads};
    gan_status status = gan__nearest(&c, true, d, NULL, err);
    if (status == GAN_OK) {
        gan__sort_f64(d, (size_t)n);
        *limit = d[n / 100] / 2;
    }
    gan__free(d);
    return status;
}

/* Support all / pairs and its interval: that of the pairs, whose influences are twice the samples'
 * partners (a U-statistic), turned around. No pair: with s things the chance of that is about
 * exp(-all / s), which is 2.5 % where s = all / 3.69. */
static gan_status report(const struct gan_metric_input *in, const int64_t *count,
                         struct gan_metric_result *out, gan_err *err)
{
    const double no_pair = 3.6889; /* -log .025 */
    int64_t n = in->fake.n, pairs = 0;
    double all = (double)n * (double)(n - 1) / 2;
    double *partners = gan__alloc_array((size_t)n, sizeof *partners);
    if (partners == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *partners, "pairs");
    }
    for (int64_t i = 0; i < n; i++) {
        pairs += count[i];
        partners[i] = (double)count[i] * (double)n; /* mean: twice the pairs */
    }
    pairs /= 2;
    struct gan__influence none = {NULL, 0}, of = {partners, n};
    struct gan_metric_value *s =
        gan__metric_value(out, "support", all / (double)(pairs > 0 ? pairs : 1), "");
    struct gan_metric_value *p = gan__metric_value(out, "duplicate-pairs", (double)pairs, "");
    gan_status status = pairs > 0 ? gan__interval(in, none, of, p, err) : GAN_OK;
    if (in->bootstrap >= 0) {
        p->low = pairs > 0 && p->low > 0 ? p->low : 0;
        p->high = pairs > 0 ? p->high : no_pair;
        s->low = all / p->high;
        s->high = p->low > 0 ? all / p->low : (double)INFINITY;
    }
    gan__free(partners);
    if (pairs == 0) {
        gan__metric_warn(out, "birthday: no pair of %" PRId64 " is equal: support is a lower bound",
                         n);
    }
    return status;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *s = &in->fake;
    double limit = 0;
    if (s->features == NULL || in->real.features == NULL) {
        return gan__fail(err, GAN_E_ARG, "birthday needs features, not their mean and covariance");
    }
    GAN_TRY(limit_of(in, &limit, err));
    struct pairs p = {limit * limit, gan__alloc_array((size_t)s->n, sizeof *p.count), in->threads};
    if (p.count == NULL) {
        return gan__fail_nomem(err, (size_t)s->n * sizeof *p.count, "pairs");
    }
    struct gan__cross c = {s->features, s->features, s->n, s->n, s->size, in->threads};
    gan_status status = gan__cross_distances(&c, count_pairs, &p, err);
    if (status == GAN_OK) {
        status = report(in, p.count, out, err);
    }
    gan__free(p.count);
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "pairs nearer than %.4g, half the 1 %% quantile of the nearest distances of "
                      "%d reals",
                      limit, (int)REALS);
    return status;
}

GAN_METRIC(birthday) = {
    .name = "birthday",
    .help = "size of the support by counting equal pairs (birthday paradox)",
    .ref = "Arora, Risteski, Zhang 2018",
    .needs = GAN_NEED_FEATURES,
    .least = 100,
    .run = run,
};
