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

enum { LEAST = 10 };

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
    if (n_real >= LEAST) {
        status = gan__moments_init(&m[0], a->features, index, n_real, a->size, err);
    }
    int64_t n_fake = rows_of(b, label, index);
    *n = n_real < n_fake ? n_real : n_fake;
    if (status == GAN_OK && *n < LEAST) {
        status =
            gan__fail(err, GAN_E_FORMAT,
                      "intra-fid needs at least %d samples of class %d on each side, there are "
                      "%" PRId64 " reals and %" PRId64 " fakes",
                      (int)LEAST, (int)label, n_real, n_fake);
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
    double *fid = gan__alloc_array((size_t)classes, sizeof *fid), sum = 0, worst = 0;
    gan_status status = index != NULL && fid != NULL
                            ? GAN_OK
                            : gan__fail_nomem(err, (size_t)most * sizeof *index, "classes");
    for (int32_t k = 0; status == GAN_OK && k < classes; k++) {
        int64_t n = 0;
        status = of_class(in, k, index, &fid[k], &n, err);
        fewest = n < fewest ? n : fewest;
        sum += fid[k] / classes;
        worst = fid[k] > worst ? fid[k] : worst;
    }
    if (status == GAN_OK) {
        struct gan_metric_value *mean = gan__metric_value(out, "intra-fid", sum, "");
        struct gan__influence of = {fid, classes}, none = {NULL, 0};
        status = gan__interval(in, none, of, mean, err);
        (void)gan__metric_value(out, "worst-class-fid", worst, "");
        (void)gan__format(out->protocol, sizeof out->protocol,
                          "mean over %d classes, at least %" PRId64
                          " samples each; the interval is over classes",
                          (int)classes, fewest);
        if (fewest <= a->size) {
            gan__metric_warn(out,
                             "intra-fid: %" PRId64 " samples of a class do not determine a "
                             "covariance of %" PRId64 " features",
                             fewest, a->size);
        }
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
    .least = LEAST,
    .lower = true,
    .run = run,
};
