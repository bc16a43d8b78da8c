/* metric_intra_fid.c: the mean over classes of the Frechet distance within the class: a conditional
 * generator that mixes its classes up has a good fid and a bad one here.
 *
 * Ref: Miyato, Koyama 2018, "cGANs with projection discriminator", arXiv:1802.05637. */
#include "frechet.h"
#include "interval.h"
#include "metrics.h"
#include "moments.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

static int64_t rows_of(const struct gan_side *s, int32_t label, int64_t *index)
{
    int64_t n = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (s->labels[i] == label) {
            index[n++] = i;
        }
    }
    return n;
}

static gan_status of_class(const struct gan_metric_input *in, int32_t label, int64_t *index,
                           double *fid, int64_t *n, gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    struct gan__moments m[2] = {{0}, {0}};
    struct gan__frechet f = {0};
    int64_t n_real = rows_of(a, label, index);
    gan_status status = GAN_OK;
    if (n_real >= GAN__FRECHET_LEAST) {
        status = gan__moments_init(&m[0], a->features, index, n_real, a->size, err);
    }
    int64_t n_fake = rows_of(b, label, index);
    *n = n_real < n_fake ? n_real : n_fake;
    if (status == GAN_OK && *n < GAN__FRECHET_LEAST) {
        status =
            gan__fail(err, GAN_E_FORMAT,
                      "intra-fid needs at least %d samples of class %d on each side, there are "
                      "%" PRId64 " reals and %" PRId64 " fakes",
                      (int)GAN__FRECHET_LEAST, (int)label, n_real, n_fake);
    }
    if (status == GAN_OK) {
        status = gan__moments_init(&m[1], b->features, index, n_fake, b->size, err);
    }
    if (status == GAN_OK) {
        struct gan__gaussian g[2] = {{m[0].mean, m[0].cov}, {m[1].mean, m[1].cov}};
        status = gan__frechet_init(&f, &g[0], &g[1], a->size, false, err);
        *fid = f.value > 0 ? f.value : 0;
    }
    gan__frechet_release(&f);
    gan__moments_release(&m[0]);
    gan__moments_release(&m[1]);
    return status;
}

/* The rows of a class, one after the other. */
static gan_status gather(const struct gan_side *s, int32_t label, struct gan_side *out, float **x,
                         gan_err *err)
{
    size_t bytes = (size_t)s->size * sizeof **x;
    *x = gan__alloc_array((size_t)s->n, bytes);
    if (*x == NULL) {
        return gan__fail_nomem(err, (size_t)s->n * bytes, "features of a class");
    }
    *out = (struct gan_side){.size = s->size, .features = *x};
    for (int64_t i = 0; i < s->n; i++) {
        if (s->labels[i] == label) {
            memcpy(*x + out->n++ * s->size, s->features + i * s->size, bytes);
        }
    }
    return GAN_OK;
}

/* The interval of one class' FID, that of metric `fid` on its samples alone. That this class came out
 * as the worst is taken as given. */
static gan_status interval_of(const struct gan_metric_input *in, int32_t label,
                              struct gan_metric_value *v, gan_err *err)
{
    float *x[2] = {NULL, NULL};
    struct gan_metric_input one = *in;
    struct gan_metric_result fid = {0};
    gan_status status = gather(&in->real, label, &one.real, &x[0], err);
    if (status == GAN_OK) {
        status = gather(&in->fake, label, &one.fake, &x[1], err);
    }
    if (status == GAN_OK) {
        status = gan_metric_run(gan_metric_find("fid", err), &one, &fid, err);
    }
    if (status == GAN_OK) {
        v->low = fid.value[0].low;
        v->high = fid.value[0].high;
    }
    gan__free(x[0]);
    gan__free(x[1]);
    return status;
}

static gan_status report(const struct gan_metric_input *in, const double *fid, int32_t classes,
                         int64_t fewest, struct gan_metric_result *out, gan_err *err)
{
    double sum = 0;
    int32_t worst = 0;
    for (int32_t k = 0; k < classes; k++) {
        sum += fid[k] / classes;
        worst = fid[k] > fid[worst] ? k : worst;
    }
    struct gan_metric_value *mean = gan__metric_value(out, "intra-fid", sum, "");
    struct gan__influence of = {fid, classes}, none = {NULL, 0};
    GAN_TRY(gan__interval(in, none, of, mean, err));
    struct gan_metric_value *most = gan__metric_value(out, "worst-class-fid", fid[worst], "");
    if (in->bootstrap >= 0) {
        GAN_TRY(interval_of(in, worst, most, err));
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%d classes of at least %" PRId64 " samples; intervals: of the mean over "
                      "classes, of the worst (class %d) over its samples",
                      (int)classes, fewest, (int)worst);
    if (fewest <= in->fake.size) {
        gan__metric_warn(out,
                         "intra-fid: %" PRId64 " samples of a class do not determine a "
                         "covariance of %" PRId64 " features",
                         fewest, in->fake.size);
    }
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    int64_t most = a->n > b->n ? a->n : b->n, fewest = INT64_MAX;
    int32_t classes = 0;
    for (int64_t i = 0; i < a->n; i++) {
        classes = a->labels[i] >= classes ? a->labels[i] + 1 : classes;
    }
    if (classes < 1 || a->features == NULL || b->features == NULL) {
        return gan__fail(err, GAN_E_ARG, "intra-fid needs features and classes of both sides");
    }
    int64_t *index = gan__alloc_array((size_t)most, sizeof *index);
    double *fid = gan__alloc_array((size_t)classes, sizeof *fid);
    gan_status status = index != NULL && fid != NULL
                            ? GAN_OK
                            : gan__fail_nomem(err, (size_t)most * sizeof *index, "classes");
    for (int32_t k = 0; status == GAN_OK && k < classes; k++) {
        int64_t n = 0;
        status = of_class(in, k, index, &fid[k], &n, err);
        fewest = n < fewest ? n : fewest;
    }
    if (status == GAN_OK) {
        status = report(in, fid, classes, fewest, out, err);
    }
    gan__free(index);
    gan__free(fid);
    return status;
}

GAN_METRIC(intra_fid) = {
    .name = "intra-fid",
    .help = "FID within each class, mean and worst; both sides know their classes",
    .ref = "Miyato, Koyama 2018, arXiv:1802.05637",
    .needs = GAN_NEED_FEATURES | GAN_NEED_LABELS,
    .least = GAN__FRECHET_LEAST,
    .lower = true,
    .run = run,
};
