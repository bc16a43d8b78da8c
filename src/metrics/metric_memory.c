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
#include "base/str.h"

#include <inttypes.h>
#include <stdlib.h>

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static gan_status report(const struct gan_metric_input *in, double *fake, double *null,
                         int64_t n_null, bool held, struct gan_metric_result *out, gan_err *err)
{
    int64_t n = in->fake.n, count = 0;
    qsort(null, (size_t)n_null, sizeof *null, by_value);
    qsort(fake, (size_t)n, sizeof *fake, by_value);
    double limit = null[n_null / 100], middle = null[n_null / 2], ratio = fake[n / 2];
    if (!(middle > 0)) {
        return gan__fail(
            err, GAN_E_FORMAT,
            "memory: more than half of the null's images have an equal among the reals");
    }
    ratio /= middle;
    for (int64_t i = 0; i < n; i++) {
        fake[i] = fake[i] < limit || !(fake[i] > 0) ? 1 : 0;
        count += fake[i] > 0;
    }
    struct gan_metric_value *share =
        gan__metric_value(out, "memorised", (double)count / (double)n, "");
    struct gan__influence flags = {fake, n}, none = {NULL, 0};
    GAN_TRY(gan__interval(in, none, flags, share, err));
    double low = share->low;
    (void)gan__metric_value(out, "nearest-ratio", ratio, "");
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
