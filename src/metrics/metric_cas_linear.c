/* metric_cas_linear.c: the quick relative of the classification accuracy score (cas): a classifier that
 * has only seen fakes with the classes they were asked for, judged on reals. Here it is multinomial
 * logistic regression on the features,
 * fitted by full gradient steps with momentum on standardised features; beside it the accuracy of the
 * same classifier fitted on half of the reals and judged on the other half.
 *
 * Ref: Ravuri, Vinyals 2019, "Classification accuracy score for conditional generative models",
 * arXiv:1905.10887. */
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { STEPS = 200, MAX_CLASSES = 1000 };

/* Rows to fit on or judge: the rows of `s` in half `parity`, or all (-1). */
struct rows {
    const struct gan_side *s;
    int parity;
};

struct model {
    int64_t size, classes;
    double *mean, *scale;      /* [size] */
    double *w, *slope, *speed; /* [classes, size + 1] */
};

/* 0 or 1, whatever the order of the classes: the top bit of a multiplicative hash. */
static int half_of(int64_t i)
{
    return (int)((uint32_t)((uint64_t)i * 2654435761u) >> 31);
}

static bool takes(const struct rows *r, int64_t i)
{
    return r->s->labels[i] >= 0 && (r->parity < 0 || half_of(i) == r->parity);
}

static void standardise(struct model *m, const struct rows *r)
{
    int64_t n = 0;
    for (int64_t i = 0; i < r->s->n; i++) {
        n += takes(r, i);
        for (int64_t k = 0; takes(r, i) && k < m->size; k++) {
            double v = (double)r->s->features[i * m->size + k];
            m->mean[k] += v;
            m->scale[k] += v * v;
        }
    }
    for (int64_t k = 0; k < m->size; k++) {
        m->mean[k] /= (double)n;
        double spread = m->scale[k] / (double)n - m->mean[k] * m->mean[k];
        m->scale[k] = spread > 1e-12 ? 1 / sqrt(spread * (double)m->size) : 0;
    }
}

/* Scores of row i; x [size + 1] receives the standardised row and 1. */
static void scores(const struct model *m, const float *row, double *x, double *score)
{
    for (int64_t k = 0; k < m->size; k++) {
        x[k] = ((double)row[k] - m->mean[k]) * m->scale[k];
    }
    x[m->size] = 1;
    for (int64_t c = 0; c < m->classes; c++) {
        double sum = 0;
        for (int64_t k = 0; k <= m->size; k++) {
            sum += m->w[c * (m->size + 1) + k] * x[k];
        }
        score[c] = sum;
    }
}

static int64_t argmax(const double *v, int64_t n)
{
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++) {
        best = v[k] > v[best] ? k : best;
    }
    return best;
}

static void softmax(double *v, int64_t n)
{
    double most = v[argmax(v, n)], sum = 0;
    for (int64_t k = 0; k < n; k++) {
        v[k] = exp(v[k] - most);
        sum += v[k];
    }
    for (int64_t k = 0; k < n; k++) {
        v[k] /= sum;
    }
}

/* One step on the mean cross-entropy; work [size + 1 + classes]. */
static void step(struct model *m, const struct rows *r, double *work)
{
    double *x = work, *p = work + m->size + 1;
    size_t count = (size_t)(m->classes * (m->size + 1));
    int64_t n = 0;
    memset(m->slope, 0, count * sizeof *m->slope);
    for (int64_t i = 0; i < r->s->n; i++) {
        if (!takes(r, i) || r->s->labels[i] >= m->classes) {
            continue;
        }
        n++;
        scores(m, r->s->features + i * m->size, x, p);
        softmax(p, m->classes);
        p[r->s->labels[i]] -= 1;
        for (int64_t c = 0; c < m->classes; c++) {
            for (int64_t k = 0; k <= m->size; k++) {
                m->slope[c * (m->size + 1) + k] += p[c] * x[k];
            }
        }
    }
    for (size_t k = 0; k < count; k++) { /* |x|^2 is about 2: the loss is smooth with constant 1 */
        m->speed[k] = 0.9 * m->speed[k] - m->slope[k] / (double)n;
        m->w[k] += m->speed[k];
    }
}

/* Accuracy on `judge` of the classifier fitted on `fit`; right [judge->s->n] is 1 where it is right,
 * -1 for rows that do not count. */
static gan_status accuracy(const struct rows *fit, const struct rows *judge, int64_t classes,
                           double *right, double *value, gan_err *err)
{
    int64_t size = fit->s->size, width = size + 1, n = 0;
    size_t count = (size_t)(classes * width);
    double *all = gan__alloc_array(3 * count + (size_t)(4 * width + classes), sizeof *all), sum = 0;
    if (all == NULL) {
        return gan__fail_nomem(err, 3 * count * sizeof *all, "a classifier");
    }
    struct model m = {size, classes,     all + 3 * count, all + 3 * count + width,
                      all,  all + count, all + 2 * count};
    double *work = all + 3 * count + 2 * width;
    standardise(&m, fit);
    for (int k = 0; k < STEPS; k++) {
        step(&m, fit, work);
    }
    for (int64_t i = 0; i < judge->s->n; i++) {
        if (takes(judge, i)) {
            scores(&m, judge->s->features + i * size, work, work + width);
            right[n] = argmax(work + width, classes) == judge->s->labels[i] ? 1 : 0;
            sum += right[n++];
        }
    }
    gan__free(all);
    *value = n > 0 ? sum / (double)n : 0;
    right[judge->s->n] = (double)n;
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    int64_t classes = 0;
    for (int64_t i = 0; i < a->n; i++) {
        classes = a->labels[i] >= classes ? a->labels[i] + 1 : classes;
    }
    if (classes < 2 || classes > MAX_CLASSES || a->features == NULL || b->features == NULL) {
        return gan__fail(
            err, GAN_E_FORMAT,
            "cas-linear needs features and 2 to %d classes of the reals, they have %" PRId64,
            (int)MAX_CLASSES, classes);
    }
    double *right = gan__alloc_array((size_t)(a->n + 1), sizeof *right), of_fakes = 0, of_reals = 0;
    if (right == NULL) {
        return gan__fail_nomem(err, (size_t)a->n * sizeof *right, "answers");
    }
    struct rows fakes = {b, -1}, reals = {a, -1}, even = {a, 0}, odd = {a, 1};
    gan_status status = accuracy(&fakes, &reals, classes, right, &of_fakes, err);
    struct gan__influence none = {NULL, 0};
    if (status == GAN_OK) {
        struct gan_metric_value *v = gan__metric_value(out, "cas-linear", of_fakes, "");
        struct gan__influence answers = {right, (int64_t)right[a->n]};
        status = gan__interval(in, answers, none, v, err);
    }
    if (status == GAN_OK) {
        status = accuracy(&even, &odd, classes, right, &of_reals, err);
    }
    if (status == GAN_OK) {
        struct gan_metric_value *v = gan__metric_value(out, "cas-linear-of-reals", of_reals, "");
        struct gan__influence answers = {right, (int64_t)right[a->n]};
        status = gan__interval(in, answers, none, v, err);
    }
    gan__free(right);
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "logistic regression on features, %d steps, %" PRId64
                      " classes; of reals: one half judges the other",
                      (int)STEPS, classes);
    return status;
}

GAN_METRIC(cas_linear) = {
    .name = "cas-linear",
    .help =
        "accuracy on reals of logistic regression on features, fitted on fakes and their classes",
    .ref = "Ravuri, Vinyals 2019, arXiv:1905.10887",
    .needs = GAN_NEED_FEATURES | GAN_NEED_LABELS,
    .least = 20,
    .run = run,
};
