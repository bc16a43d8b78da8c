/* metric_is.c: Inception Score: exp of the mean divergence of p(y|x) from p(y): sharp classes for each
 * image, many classes over all.
 *
 * Ref: Salimans et al. 2016, "Improved techniques for training GANs", arXiv:1606.03498, section 4. */
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>

enum { SPLITS = 10, LEAST = 10 * SPLITS };

/* log p(y|x) of one sample. */
static void log_softmax(const float *logits, int64_t classes, double *out)
{
    double most = (double)logits[0], sum = 0;
    for (int64_t k = 1; k < classes; k++) {
        most = (double)logits[k] > most ? (double)logits[k] : most;
    }
    for (int64_t k = 0; k < classes; k++) {
        sum += exp((double)logits[k] - most);
    }
    for (int64_t k = 0; k < classes; k++) {
        out[k] = (double)logits[k] - most - log(sum);
    }
}

/* exp(mean over x of KL(p(y|x) || mean p(y|x))) of samples first .. first+n-1; work [2 classes]. */
static double score(const struct gan_side *s, int64_t first, int64_t n, double *work)
{
    double *logp = work, *mean = work + s->classes, inner = 0, entropy = 0;
    for (int64_t k = 0; k < s->classes; k++) {
        mean[k] = 0;
    }
    for (int64_t i = first; i < first + n; i++) {
        log_softmax(s->logits + i * s->classes, s->classes, logp);
        for (int64_t k = 0; k < s->classes; k++) {
            double p = exp(logp[k]);
            mean[k] += p / (double)n;
            inner += p > 0 ? p * logp[k] / (double)n : 0;
        }
    }
    for (int64_t k = 0; k < s->classes; k++) {
        entropy -= mean[k] > 0 ? mean[k] * log(mean[k]) : 0;
    }
    return exp(inner + entropy);
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *s = &in->fake;
    if (in->n_modes > s->classes) {
        return gan__fail(err, GAN_E_ARG, "is needs the class scores of one classifier");
    }
    double *work = gan__alloc_array((size_t)(2 * s->classes), sizeof *work), sum = 0, squares = 0;
    if (work == NULL) {
        return gan__fail_nomem(err, (size_t)(2 * s->classes) * sizeof *work, "class scores");
    }
    for (int64_t k = 0; k < SPLITS; k++) {
        int64_t first = k * s->n / SPLITS, end = (k + 1) * s->n / SPLITS;
        double v = score(s, first, end - first, work);
        sum += v;
        squares += v * v;
    }
    gan__free(work);
    double mean = sum / SPLITS, spread = squares / SPLITS - mean * mean;
    double std = sqrt(spread > 0 ? spread : 0), t9 = 2.2622; /* 97.5 % of Student's t, 9 degrees */
    double half = t9 * std / sqrt((double)(SPLITS - 1));
    out->value[0] = (struct gan_metric_value){"is", mean, mean - half, mean + half, std, ""};
    out->n = 1;
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "%d splits of %" PRId64 " samples, %" PRId64 " classes", (int)SPLITS,
                      s->n / SPLITS, s->classes);
    if (s->n / SPLITS < s->classes) {
        gan__metric_warn(out,
                         "is: splits of %" PRId64 " samples cannot show %" PRId64
                         " classes: biased downwards",
                         s->n / SPLITS, s->classes);
    }
    return GAN_OK;
}

GAN_METRIC(is) = {
    .name = "is",
    .help = "Inception Score, mean of 10 splits",
    .ref = "Salimans et al. 2016, arXiv:1606.03498",
    .needs = GAN_NEED_LOGITS | GAN_NEED_NO_REAL,
    .least = LEAST,
    .run = run,
};
