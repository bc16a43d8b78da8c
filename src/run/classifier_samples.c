/* classifier_samples.c: does a generator make the class it is asked for? Its samples, each class in
 * turn, judged by a classifier that was trained on true images: the first half of Odena et al. 2016,
 * arXiv:1610.09585, section 4.1 ("discriminability"). */
#include "base/alloc.h"
#include "base/err.h"
#include "classifier.h"

#include <inttypes.h>

static gan_status check(const struct gan_classifier_info *c, const struct gan_sampler_info *s,
                        int64_t n, gan_err *err)
{
    int64_t rows = s->height - c->height, columns = s->width - c->width;
    if (n < 1) {
        return gan__fail(err, GAN_E_RANGE, "%" PRId64 " samples, at least 1 is needed", n);
    }
    if (s->classes != c->classes) {
        return gan__fail(err, GAN_E_ARG,
                         "%s makes %" PRId64 " classes, the classifier knows %" PRId64, s->file,
                         s->classes, c->classes);
    }
    if (s->points || s->channels != c->channels || rows < 0 || columns < 0 || rows % 2 != 0 ||
        columns % 2 != 0) {
        return gan__fail(
            err, GAN_E_ARG,
            "%s makes images of %" PRId64 "x%" PRId64 "x%" PRId64 ", the classifier takes %" PRId64
            "x%" PRId64 "x%" PRId64 ", or that with an even border",
            s->file, s->height, s->width, s->channels, c->height, c->width, c->channels);
    }
    return GAN_OK;
}

/* The middle of each image in the classifier's range: what padding added is cut off. */
static void convert(float *dst, const float *src, int64_t n, const struct gan_classifier_info *c,
                    const struct gan_sampler_info *s)
{
    int64_t top = (s->height - c->height) / 2, left = (s->width - c->width) / 2;
    int64_t row = c->width * c->channels;
    float scale = s->range == c->range ? 1.0F : c->range == GAN_RANGE_UNIT ? 0.5F : 2.0F;
    float shift = s->range == c->range ? 0.0F : c->range == GAN_RANGE_UNIT ? 0.5F : -1.0F;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t y = 0; y < c->height; y++) {
            const float *from = src + (((i * s->height + top + y) * s->width) + left) * s->channels;
            for (int64_t k = 0; k < row; k++) {
                *dst++ = from[k] * scale + shift;
            }
        }
    }
}

struct room {
    float *made, *seen, *logits;
};

static gan_status measure(gan_classifier *c, gan_sampler *s, uint64_t seed, int64_t n,
                          const struct room *r, struct gan_classifier_score *out, gan_err *err)
{
    const struct gan_classifier_info *ci = gan_classifier_about(c);
    for (int64_t done = 0; done < n; done += ci->batch) {
        int64_t now = n - done < ci->batch ? n - done : ci->batch;
        GAN_TRY(gan_sampler_images(s, seed, done, now, r->made, err));
        convert(r->seen, r->made, now, ci, gan_sampler_about(s));
        GAN_TRY(gan_classifier_run(c, r->seen, now, r->logits, NULL, err));
        for (int64_t i = 0; i < now; i++) {
            gan__score_count(out, r->logits + i * ci->classes, ci->classes,
                             (int32_t)((done + i) % ci->classes));
        }
    }
    return GAN_OK;
}

gan_status gan_classifier_measure_samples(gan_classifier *c, gan_sampler *s, uint64_t seed,
                                          int64_t n, struct gan_classifier_score *out, gan_err *err)
{
    const struct gan_classifier_info *ci = gan_classifier_about(c);
    const struct gan_sampler_info *si = gan_sampler_about(s);
    *out = gan__score_of(ci);
    GAN_TRY(check(ci, si, n, err));
    size_t made = (size_t)(ci->batch * si->height * si->width * si->channels);
    size_t seen = (size_t)(ci->batch * ci->height * ci->width * ci->channels);
    size_t logits = (size_t)(ci->batch * ci->classes);
    struct room r = {.made = gan__alloc_array(made, sizeof *r.made),
                     .seen = gan__alloc_array(seen, sizeof *r.seen),
                     .logits = gan__alloc_array(logits, sizeof *r.logits)};
    gan_status status = r.made != NULL && r.seen != NULL && r.logits != NULL
                            ? measure(c, s, seed, n, &r, out, err)
                            : gan__fail_nomem(err, made * sizeof *r.made, "samples");
    gan__free(r.made);
    gan__free(r.seen);
    gan__free(r.logits);
    if (status == GAN_OK) {
        gan__score_conclude(out);
    }
    return status;
}
