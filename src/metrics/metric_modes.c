/* metric_modes.c: how many modes samples reach, and how unevenly: of a toy mixture by distance to the
 * centres, of images by a classifier's classes. Three times the classes' scores (one classifier on each
 * channel of stacked digits) make classes^3 modes.
 *
 * Ref: Lin et al. 2018, "PacGAN", arXiv:1712.04086, section 4.1; Metz et al. 2017, arXiv:1611.02163. */
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/measure.h>

#include <inttypes.h>
#include <math.h>

static gan_status of_points(const struct gan_metric_input *in, struct gan_metric_result *out,
                            gan_err *err)
{
    struct gan_mode_set set;
    struct gan_mode_count count;
    GAN_TRY(gan_toy_modes(in->mixture, &set, err));
    if (in->fake.size != 2) {
        return gan__fail(err, GAN_E_SHAPE,
                         "modes of %s need points of 2 numbers, these have %" PRId64, in->mixture,
                         in->fake.size);
    }
    GAN_TRY(gan_count_modes(&set, in->fake.features, in->fake.n, &count, err));
    (void)gan__metric_value(out, "modes", count.modes, "");
    (void)gan__metric_value(out, "high-quality", count.high_quality, "");
    if (isfinite(count.reverse_kl)) {
        (void)gan__metric_value(out, "reverse-kl", count.reverse_kl, "nats");
    } else {
        gan__metric_warn(out, "modes: no sample is near a mode: reverse KL does not exist");
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%s, %d modes, within 3 deviations of %g", in->mixture, set.modes,
                      set.deviation);
    return GAN_OK;
}

static int64_t best_class(const float *logits, int64_t classes)
{
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++) {
        best = logits[k] > logits[best] ? k : best;
    }
    return best;
}

/* Mode of a sample: digits of base `classes`, one a group of scores. */
static int64_t mode_of(const float *logits, int64_t classes, int groups)
{
    int64_t mode = 0;
    for (int g = 0; g < groups; g++) {
        mode = mode * classes + best_class(logits + g * classes, classes);
    }
    return mode;
}

static gan_status of_classes(const struct gan_metric_input *in, struct gan_metric_result *out,
                             gan_err *err)
{
    const struct gan_side *s = &in->fake;
    int groups = 1;
    int64_t classes = s->classes, modes = classes;
    if (in->n_modes > classes && classes % 3 == 0 &&
        (classes / 3) * (classes / 3) * (classes / 3) == in->n_modes) {
        groups = 3;
        classes /= 3;
        modes = in->n_modes;
    }
    int64_t *count = gan__alloc_array((size_t)modes, sizeof *count), found = 0;
    double kl = 0;
    if (count == NULL) {
        return gan__fail_nomem(err, (size_t)modes * sizeof *count, "modes");
    }
    for (int64_t i = 0; i < s->n; i++) {
        count[mode_of(s->logits + i * s->classes, classes, groups)]++;
    }
    for (int64_t k = 0; k < modes; k++) {
        double p = (double)count[k] / (double)s->n;
        found += count[k] > 0;
        kl += p > 0 ? p * log(p * (double)modes) : 0;
    }
    gan__free(count);
    (void)gan__metric_value(out, "modes", (double)found, "");
    (void)gan__metric_value(out, "reverse-kl", kl, "nats");
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%" PRId64 " modes by the classifier, %" PRId64 " samples", modes, s->n);
    if (s->n < 10 * modes) {
        gan__metric_warn(out, "modes: %" PRId64 " samples over %" PRId64 " modes: some stay unseen",
                         s->n, modes);
    }
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    if (in->mixture != NULL && in->fake.features != NULL) {
        return of_points(in, out, err);
    }
    if (in->fake.logits == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "modes needs points with --data toy:MIXTURE, or class scores of images");
    }
    return of_classes(in, out, err);
}

GAN_METRIC(modes) = {
    .name = "modes",
    .help = "modes reached and reverse KL to even: of a toy mixture, or of a classifier's classes",
    .ref = "Lin et al. 2018, arXiv:1712.04086",
    .needs = GAN_NEED_NO_REAL | GAN_NEED_OFFERED_LOGITS,
    .least = 1,
    .run = run,
};
