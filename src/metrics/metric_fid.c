/* metric_fid.c: Frechet distance of the Gaussians that have the mean and covariance of the features.
 * Biased upwards for few samples: N belongs to the figure, below 50 there is none, and no more samples
 * than features are warned about.
 *
 * Ref: Heusel et al. 2017, "GANs trained by a two time-scale update rule", arXiv:1706.08500. */
#include "frechet.h"
#include "interval.h"
#include "metrics.h"
#include "moments.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>

/* Moments of a side, or the statistics it came with. */
static gan_status moments_of(const struct gan_side *s, struct gan__moments *own,
                             struct gan__gaussian *out, gan_err *err)
{
    if (s->mean != NULL && s->cov != NULL) {
        *out = (struct gan__gaussian){s->mean, s->cov};
        return GAN_OK;
    }
    GAN_TRY(gan__moments_init(own, s->features, NULL, s->n, s->size, err));
    *out = (struct gan__gaussian){own->mean, own->cov};
    return GAN_OK;
}

/* Influences of a side's samples; none where only statistics are known. */
static gan_status influence(const struct gan__frechet *f, const struct gan_side *s,
                            const struct gan__gaussian *g, bool of_b, double **v, gan_err *err)
{
    if (s->features == NULL) {
        return GAN_OK;
    }
    *v = gan__alloc_array((size_t)s->n, sizeof **v);
    if (*v == NULL) {
        return gan__fail_nomem(err, (size_t)s->n * sizeof **v, "influences");
    }
    return gan__frechet_influence(f, g, of_b, s->features, s->n, s->size, *v, err);
}

static gan_status measure(const struct gan_metric_input *in, const struct gan__gaussian g[2],
                          struct gan_metric_result *out, gan_err *err)
{
    struct gan__frechet f;
    double *v[2] = {NULL, NULL};
    GAN_TRY(gan__frechet_init(&f, &g[0], &g[1], in->fake.size, in->bootstrap >= 0, err));
    struct gan_metric_value *fid = gan__metric_value(out, "fid", f.value > 0 ? f.value : 0, "");
    gan_status status = GAN_OK;
    if (in->bootstrap >= 0) {
        status = influence(&f, &in->real, &g[0], false, &v[0], err);
        if (status == GAN_OK) {
            status = influence(&f, &in->fake, &g[1], true, &v[1], err);
        }
        struct gan__influence real = {v[0], v[0] != NULL ? in->real.n : 0},
                              fake = {v[1], v[1] != NULL ? in->fake.n : 0};
        if (status == GAN_OK && (v[0] != NULL || v[1] != NULL)) {
            status = gan__interval(in, real, fake, fid, err);
            fid->low = fid->low > 0 ? fid->low : 0;
        }
    }
    gan__free(v[0]);
    gan__free(v[1]);
    gan__frechet_release(&f);
    return status;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    struct gan__moments own[2] = {{0}, {0}};
    struct gan__gaussian g[2];
    gan_status status = moments_of(&in->real, &own[0], &g[0], err);
    if (status == GAN_OK) {
        status = moments_of(&in->fake, &own[1], &g[1], err);
    }
    if (status == GAN_OK) {
        status = measure(in, g, out, err);
    }
    gan__moments_release(&own[0]);
    gan__moments_release(&own[1]);
    int64_t n = in->real.n < in->fake.n && in->real.n > 0 ? in->real.n : in->fake.n;
    if (status == GAN_OK && n > 0 && n <= in->fake.size) {
        gan__metric_warn(out,
                         "fid: %" PRId64 " samples do not determine a covariance of %" PRId64
                         " features: biased upwards, prefer kid",
                         n, in->fake.size);
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "f64, symmetric eigenvalues, divisor N - 1, linearised bootstrap");
    return status;
}

GAN_METRIC(fid) = {
    .name = "fid",
    .help = "Frechet distance of the features' Gaussians; compare at equal N only",
    .ref = "Heusel et al. 2017, arXiv:1706.08500",
    .needs = GAN_NEED_FEATURES,
    .least = GAN__FRECHET_LEAST,
    .lower = true,
    .run = run,
};
