/* metrics.c: finding metrics by name, and the checks that come before every one of them: no figure
 * is given that the samples cannot carry. */
#include "metrics.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>

enum { MAX_METRICS = 128 };

const struct gan_metric *gan_metric_at(size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (gan__metrics[k] == NULL) {
            return NULL;
        }
    }
    return gan__metrics[i];
}

const struct gan_metric *gan_metric_find(const char *name, gan_err *err)
{
    const char *names[MAX_METRICS];
    size_t n = 0;
    for (; gan__metrics[n] != NULL && n < MAX_METRICS; n++) {
        names[n] = gan__metrics[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__metrics[n];
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown metric '%.60s'%s%s%s", name, near ? " (did you mean " : "",
              near ? near : "", near ? "?)" : "");
    return NULL;
}

static gan_status check_rows(const struct gan_metric *m, const char *side, const char *what,
                             const float *v, int64_t n, int64_t size, gan_err *err)
{
    bool differ = n == 1;
    if (v == NULL || size < 1) {
        return gan__fail(err, GAN_E_ARG, "%s needs %s of the %s", m->name, what, side);
    }
    for (int64_t i = 0; i < n * size; i++) {
        if (!isfinite(v[i])) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s: number %" PRId64 " in the %s of %s sample %" PRId64
                             " is not finite",
                             m->name, i % size, what, side, i / size);
        }
        differ = differ || v[i] < v[i % size] || v[i] > v[i % size];
    }
    return differ ? GAN_OK
                  : gan__fail(err, GAN_E_FORMAT,
                              "%s: all %" PRId64 " samples of the %s have the same %s: nothing "
                              "can be said",
                              m->name, n, side, what);
}

gan_status gan__metric_check(const struct gan_metric *m, const char *name, const struct gan_side *s,
                             unsigned needs, gan_err *err)
{
    if (s->mean != NULL && s->cov != NULL && (needs & GAN_NEED_FEATURES) != 0) {
        return GAN_OK; /* statistics: the metric says whether it takes them */
    }
    if (s->n < m->least) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s needs at least %" PRId64 " samples on each side, the %s are %" PRId64,
                         m->name, m->least, name, s->n);
    }
    if ((needs & (GAN_NEED_FEATURES | GAN_NEED_POINTS)) != 0) {
        GAN_TRY(check_rows(m, name, "features", s->features, s->n, s->size, err));
    }
    if ((needs & GAN_NEED_LOGITS) != 0) {
        GAN_TRY(check_rows(m, name, "class scores", s->logits, s->n, s->classes, err));
    }
    if ((needs & (GAN_NEED_IMAGES | GAN_NEED_LAYERS)) != 0 && s->images == NULL) {
        return gan__fail(err, GAN_E_ARG, "%s needs images of the %s", m->name, name);
    }
    if ((needs & GAN_NEED_LABELS) != 0 && s->labels == NULL) {
        return gan__fail(err, GAN_E_ARG, "%s needs classes of the %s", m->name, name);
    }
    return GAN_OK;
}

static gan_status check_both(const struct gan_metric *m, const struct gan_metric_input *in,
                             gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    if ((m->needs & GAN_NEED_PAIRS) != 0 && a->n != b->n) {
        return gan__fail(err, GAN_E_SHAPE,
                         "%s compares image by image: the reals are %" PRId64
                         ", the fakes %" PRId64,
                         m->name, a->n, b->n);
    }
    if ((m->needs & GAN_NEED_FEATURES) != 0 && a->size != b->size) {
        return gan__fail(err, GAN_E_SHAPE,
                         "%s: features of the reals have %" PRId64
                         " numbers, of the fakes %" PRId64,
                         m->name, a->size, b->size);
    }
    if ((m->needs & (GAN_NEED_IMAGES | GAN_NEED_LAYERS)) != 0 &&
        (a->height != b->height || a->width != b->width || a->channels != b->channels)) {
        return gan__fail(err, GAN_E_SHAPE,
                         "%s: reals are %" PRId64 "x%" PRId64 "x%" PRId64 ", fakes %" PRId64
                         "x%" PRId64 "x%" PRId64,
                         m->name, a->height, a->width, a->channels, b->height, b->width,
                         b->channels);
    }
    return GAN_OK;
}

gan_status gan_metric_run(const struct gan_metric *m, const struct gan_metric_input *in,
                          struct gan_metric_result *out, gan_err *err)
{
    struct gan_metric_input ready = *in;
    *out = (struct gan_metric_result){0};
    ready.threads = in->threads > 0 ? in->threads : 1;
    ready.bootstrap = in->bootstrap != 0 ? in->bootstrap : 1000;
    if ((m->needs & GAN_NEED_NO_REAL) == 0) {
        unsigned needs = m->needs | ((m->needs & GAN_NEED_REAL_LABELS) != 0 ? GAN_NEED_LABELS : 0);
        GAN_TRY(gan__metric_check(m, "reals", &in->real, needs, err));
        GAN_TRY(check_both(m, in, err));
    }
    GAN_TRY(gan__metric_check(m, "fakes", &in->fake, m->needs, err));
    if ((m->needs & GAN_NEED_LAYERS) != 0 && in->network == NULL) {
        return gan__fail(err, GAN_E_ARG, "%s needs a network that shows its layers", m->name);
    }
    int before = omp_get_max_threads();
    omp_set_num_threads(ready.threads); /* LAPACK's */
    gan_status status = m->run(&ready, out, err);
    omp_set_num_threads(before);
    for (int i = 0; status == GAN_OK && i < out->n; i++) {
        if (!isfinite(out->value[i].value)) {
            return gan__fail(err, GAN_E_FORMAT, "%s: %s is not finite", m->name,
                             out->value[i].name);
        }
    }
    return status;
}
