/* metric_memory.c: are samples copies of the training images? The distance of each fake to its nearest
 * real is held against a null: the distances of held-out reals to the same reals (or of each real to
 * its nearest other one). A copy lies nearer than 1 % of the null.
 *
 *     memorised      share of fakes below the null's 1 % quantile; about .01 without memorisation
 *     nearest-ratio  median distance of the fakes over the null's median; below 1: suspiciously near
 *
 * Ref: Meehan et al. 2020, "A non-parametric test to detect data-copying", arXiv:2004.05675. */
#include "interval.h"
#include "metrics.h"
#include "neighbour.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>

/* Influences of the samples on their median, of ascending v in place: (1/2 - [v <= median]) / density,
 * the density from quantiles n^(-1/3) to both sides. Ref: Koenker 2005, "Quantile regression", 3.4. */
static void median_influence(double *v, int64_t n)
{
    double width = pow((double)n, -1.0 / 3), half = width < 0.25 ? width : 0.25;
    int64_t low = (int64_t)((0.5 - half) * (double)n), high = (int64_t)((0.5 + half) * (double)n);
    high = high < n ? high : n - 1;
    double sparsity = (v[high] - v[low]) * (double)n / (double)(high - low);
    for (int64_t i = 0; i < n; i++) {
        v[i] = (i < n / 2 ? -0.5 : 0.5) * sparsity;
    }
}

/* Ratio of the medians; its interval treats the null's samples and the fakes as independent. */
static gan_status report_ratio(const struct gan_metric_input *in, double *fake, double *null,
                               int64_t n_null, struct gan_metric_result *out, gan_err *err)
{
    int64_t n = in->fake.n;
    double middle = null[n_null / 2], ratio = fake[n / 2] / middle;
    median_influence(fake, n);
    median_influence(null, n_null);
    for (int64_t i = 0; i < n; i++) {
        fake[i] /= middle;
    }
    for (int64_t i = 0; i < n_null; i++) {
        null[i] *= -ratio / middle;
    }
    struct gan__influence a = {null, n_null}, b = {fake, n};
    return gan__interval(in, a, b, gan__metric_value(out, "nearest-ratio", ratio, ""), err);
}

static gan_status report(const struct gan_metric_input *in, double *fake, double *null,
                         int64_t n_null, bool held, struct gan_metric_result *out, gan_err *err)
{
    int64_t n = in->fake.n, count = 0;
    gan__sort_f64(null, (size_t)n_null);
    gan__sort_f64(fake, (size_t)n);
    double limit = null[n_null / 100];
    if (!(null[n_null / 2] > 0)) {
        return gan__fail(
            err, GAN_E_FORMAT,
            "memory: more than half of the null's images have an equal among the reals");
    }
    double *flag = gan__alloc_array((size_t)n, sizeof *flag);
    if (flag == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *flag, "copies");
    }
    for (int64_t i = 0; i < n; i++) {
        flag[i] = fake[i] < limit || !(fake[i] > 0) ? 1 : 0;
        count += flag[i] > 0;
    }
    struct gan_metric_value *share =
        gan__metric_value(out, "memorised", (double)count / (double)n, "");
    struct gan__influence flags = {flag, n}, none = {NULL, 0};
    gan_status status = gan__interval(in, none, flags, share, err);
    double low = share->low;
    gan__free(flag);
    GAN_TRY(status);
    GAN_TRY(report_ratio(in, fake, null, n_null, out, err));
    if (low > 0.02) {
        gan__metric_warn(out,
                         "memory: %.1f %% of the fakes are nearer to a real than 99 %% of the "
                         "null: the training set is being repeated",
                         100 * (double)count / (double)n);
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "nearest of %" PRId64 " reals; null: %" PRId64 " %s", in->real.n, n_null,
                      held ? "held-out reals" : "reals, each to its nearest other");
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake, *h = &in->held;
    bool held = h->n > 0 && h->features != NULL;
    if (a->features == NULL || b->features == NULL || (held && h->size != a->size)) {
        return gan__fail(err, GAN_E_ARG, "memory needs features of all sides, of one length");
    }
    int64_t n_null = held ? h->n : a->n;
    double *d = gan__alloc_array((size_t)(b->n + n_null), sizeof *d);
    if (d == NULL) {
        return gan__fail_nomem(err, (size_t)(b->n + n_null) * sizeof *d, "distances");
    }
    struct gan__cross fakes = {b->features, a->features, b->n, a->n, a->size, in->threads};
    struct gan__cross null = {
        held ? h->features : a->features, a->features, n_null, a->n, a->size, in->threads};
    gan_status status = gan__nearest(&fakes, false, d, NULL, err);
    if (status == GAN_OK) {
        status = gan__nearest(&null, !held, d + b->n, NULL, err);
    }
    if (status == GAN_OK) {
        status = report(in, d, d + b->n, n_null, held, out, err);
    }
    gan__free(d);
    return status;
}

GAN_METRIC(memory) = {
    .name = "memory",
    .help = "share of samples that copy a training image; --held gives the null",
    .ref = "Meehan et al. 2020, arXiv:2004.05675",
    .needs = GAN_NEED_FEATURES | GAN_NEED_HELD,
    .least = 100,
    .lower = true,
    .run = run,
};
