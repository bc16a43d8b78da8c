/* metric_modes.c: how many modes samples reach, and how unevenly: of a toy mixture by distance to the
 * centres, of images by a classifier's classes. Three times the classes' scores (one classifier on each
 * channel of stacked digits) make classes^3 modes.
 *
 * Ref: Lin et al. 2018, "PacGAN", arXiv:1712.04086, section 4.1; Metz et al. 2017, arXiv:1611.02163. */
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "base/philox.h"
#include "base/str.h"

#include <gan/measure.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Draws n of the samples that fell into modes, as often as each was hit, and counts the modes. */
static int64_t resampled(const struct gan_metric_input *in, int replicate, const int64_t *of,
                         int64_t n, unsigned char *seen, int64_t modes)
{
    struct gan__rng rng;
    int64_t found = 0;
    memset(seen, 0, (size_t)modes);
    gan__rng_init(&rng, gan__stream_key(in->seed, (uint64_t)replicate, 0, gan__hash_text("modes")));
    for (int64_t i = 0; i < n; i++) {
        int64_t k = of[((uint64_t)gan__rng_u32(&rng) * (uint64_t)n) >> 32];
        found += !seen[k];
        seen[k] = 1;
    }
    return found;
}

/* A resample reaches no mode the samples did not: the basic bootstrap (2 found - resampled) answers how
 * many modes there are to reach, at most all. */
static gan_status modes_interval(const struct gan_metric_input *in, const int64_t *of, int64_t n,
                                 int64_t modes, struct gan_metric_value *v, gan_err *err)
{
    int replicates = in->bootstrap > 0 ? in->bootstrap : 1000;
    size_t bytes = (size_t)replicates * sizeof(int64_t) + (size_t)modes;
    int64_t *found = in->bootstrap >= 0 ? gan__alloc(bytes) : NULL;
    if (found == NULL) {
        return in->bootstrap >= 0 ? gan__fail_nomem(err, bytes, "a bootstrap") : GAN_OK;
    }
    for (int r = 0; r < replicates; r++) {
        found[r] = resampled(in, r, of, n, (unsigned char *)(found + replicates), modes);
    }
    gan__sort_i64(found, (size_t)replicates);
    v->low = 2 * v->value - (double)found[(int)(0.975 * (replicates - 1))];
    v->high = 2 * v->value - (double)found[(int)(0.025 * (replicates - 1))];
    v->high = v->high < (double)modes ? v->high : (double)modes;
    gan__free(found);
    return GAN_OK;
}

/* Modes, share of samples in them, divergence of their histogram from even; of[i] is the mode of the
 * i-th of the n samples that reached one. */
static gan_status report(const struct gan_metric_input *in, const int64_t *of, int64_t n,
                         int64_t modes, bool quality, struct gan_metric_result *out, gan_err *err)
{
    int64_t *count = gan__alloc_array((size_t)modes, sizeof *count), found = 0, all = in->fake.n;
    double *part = gan__alloc_array((size_t)all, sizeof *part), kl = 0;
    struct gan__influence none = {NULL, 0}, samples = {part, all}, good = {part, n};
    gan_status status = count != NULL && part != NULL
                            ? GAN_OK
                            : gan__fail_nomem(err, (size_t)all * sizeof *part, "modes");
    for (int64_t i = 0; i < n && status == GAN_OK; i++) {
        found += count[of[i]]++ == 0;
    }
    if (status == GAN_OK) {
        status = modes_interval(in, of, n, modes,
                                gan__metric_value(out, "modes", (double)found, ""), err);
    }
    for (int64_t i = 0; i < all && status == GAN_OK; i++) {
        part[i] = i < n;
    }
    if (status == GAN_OK && quality) {
        status =
            gan__interval(in, none, samples,
                          gan__metric_value(out, "high-quality", (double)n / (double)all, ""), err);
    }
    for (int64_t i = 0; i < n && status == GAN_OK;
         i++) { /* the mean of log(p of its mode / even) */
        part[i] = log((double)count[of[i]] / (double)n * (double)modes);
        kl += part[i] / (double)n;
    }
    if (status == GAN_OK && n > 0) {
        status =
            gan__interval(in, none, good, gan__metric_value(out, "reverse-kl", kl, "nats"), err);
    }
    gan__free(count);
    gan__free(part);
    return status;
}

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
    int64_t *of = gan__alloc_array((size_t)in->fake.n, sizeof *of), n = 0;
    if (of == NULL) {
        return gan__fail_nomem(err, (size_t)in->fake.n * sizeof *of, "modes");
    }
    for (int k = 0; k < set.modes; k++) {
        for (int64_t i = 0; i < count.per_mode[k]; i++) {
            of[n++] = k;
        }
    }
    gan_status status = report(in, of, n, set.modes, true, out, err);
    gan__free(of);
    if (status == GAN_OK && n == 0) {
        gan__metric_warn(out, "modes: no sample is near a mode: reverse KL does not exist");
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%s, %d modes, within 3 deviations of %g", in->mixture, set.modes,
                      set.deviation);
    return status;
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
    int64_t *of = gan__alloc_array((size_t)s->n, sizeof *of);
    if (of == NULL) {
        return gan__fail_nomem(err, (size_t)s->n * sizeof *of, "modes");
    }
    for (int64_t i = 0; i < s->n; i++) {
        of[i] = mode_of(s->logits + i * s->classes, classes, groups);
    }
    gan_status status = report(in, of, s->n, modes, false, out, err);
    gan__free(of);
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%" PRId64 " modes by the classifier, %" PRId64 " samples", modes, s->n);
    if (s->n < 10 * modes) {
        gan__metric_warn(out, "modes: %" PRId64 " samples over %" PRId64 " modes: some stay unseen",
                         s->n, modes);
    }
    return status;
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
