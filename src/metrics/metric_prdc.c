/* metric_prdc.c: improved precision and recall, density and coverage: balls around samples that reach
 * to the k-th neighbour of the own side; which samples of the other side fall into them?
 *
 *     precision  share of fakes inside any real ball, k = 3;  recall: roles swapped
 *     density    mean number of real balls around a fake, over k = 5; may exceed 1
 *     coverage   share of real balls with a fake inside, k = 5
 *
 * Ref: Kynkaanniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797. */
#include "cross.h"
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { K_PR = 3, K_DC = 5 };

/* Of k + 1 samples the k-th neighbour is the farthest: balls hold everything and all figures are 1.
 * Among four times k it is in the nearer quarter. */
enum { LEAST = 4 * K_DC };

/* --- radii -------------------------------------------------------------------------------------- */

struct nearest {
    float *d; /* [n, K_DC] squared distances of the nearest, ascending */
    int threads;
};

static void insert(float *d, float v)
{
    int k = K_DC - 1;
    if (v >= d[k]) {
        return;
    }
    for (; k > 0 && d[k - 1] > v; k--) {
        d[k] = d[k - 1];
    }
    d[k] = v;
}

static void keep_nearest(void *ctx, const struct gan__cross_block *b)
{
    struct nearest *s = ctx;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int64_t i = 0; i < b->n_x; i++) {
        float *d = s->d + (b->first_x + i) * K_DC;
        for (int64_t j = 0; j < b->n_y; j++) {
            if (b->first_x + i != b->first_y + j) {
                insert(d, b->v[i * b->n_y + j]);
            }
        }
    }
}

static gan_status radii(const struct gan_side *s, int threads, float *d, gan_err *err)
{
    struct nearest n = {d, threads};
    struct gan__cross c = {s->features, s->features, s->n, s->n, s->size, threads};
    for (int64_t i = 0; i < s->n * K_DC; i++) {
        d[i] = INFINITY;
    }
    return gan__cross_distances(&c, keep_nearest, &n, err);
}

/* --- counting ----------------------------------------------------------------------------------- */

struct count {
    const float *real, *fake; /* radii [n, K_DC] */
    /* of each fake: inside a real ball, number of real balls (k = 5) */
    double *precise, *density;
    /* of each real: inside a fake ball, its own ball has a fake inside */
    double *recalled, *covered;
    int threads;
};

/* x are the fakes, y the reals. */
static void count_pairs(void *ctx, const struct gan__cross_block *b)
{
    struct count *s = ctx;
#pragma omp parallel num_threads(s->threads)
    {
#pragma omp for schedule(static)
        for (int64_t i = 0; i < b->n_x; i++) {
            int64_t fake = b->first_x + i;
            for (int64_t j = 0; j < b->n_y; j++) {
                const float *r = s->real + (b->first_y + j) * K_DC;
                float d = b->v[i * b->n_y + j];
                s->precise[fake] = d <= r[K_PR - 1] ? 1 : s->precise[fake];
                s->density[fake] += d < r[K_DC - 1] ? 1.0 / K_DC : 0;
            }
        }
#pragma omp for schedule(static)
        for (int64_t j = 0; j < b->n_y; j++) {
            int64_t real = b->first_y + j;
            for (int64_t i = 0; i < b->n_x; i++) {
                float d = b->v[i * b->n_y + j];
                bool in = d <= s->fake[(b->first_x + i) * K_DC + K_PR - 1];
                s->recalled[real] = in ? 1 : s->recalled[real];
                s->covered[real] = d < s->real[real * K_DC + K_DC - 1] ? 1 : s->covered[real];
            }
        }
    }
}

static gan_status put(const struct gan_metric_input *in, struct gan_metric_result *out,
                      const char *name, const double *v, int64_t n, bool of_fakes, gan_err *err)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i];
    }
    struct gan_metric_value *value = gan__metric_value(out, name, sum / (double)n, "");
    struct gan__influence own = {v, n}, none = {NULL, 0};
    return gan__interval(in, of_fakes ? none : own, of_fakes ? own : none, value, err);
}

static gan_status measure(const struct gan_metric_input *in, float *radius, double *flag,
                          struct gan_metric_result *out, gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    struct count s = {.real = radius,
                      .fake = radius + a->n * K_DC,
                      .precise = flag,
                      .density = flag + b->n,
                      .recalled = flag + 2 * b->n,
                      .covered = flag + 2 * b->n + a->n,
                      .threads = in->threads};
    struct gan__cross c = {b->features, a->features, b->n, a->n, b->size, in->threads};
    GAN_TRY(radii(a, in->threads, radius, err));
    GAN_TRY(radii(b, in->threads, radius + a->n * K_DC, err));
    GAN_TRY(gan__cross_distances(&c, count_pairs, &s, err));
    GAN_TRY(put(in, out, "precision", s.precise, b->n, true, err));
    GAN_TRY(put(in, out, "recall", s.recalled, a->n, false, err));
    GAN_TRY(put(in, out, "density", s.density, b->n, true, err));
    return put(in, out, "coverage", s.covered, a->n, false, err);
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    int64_t a = in->real.n, b = in->fake.n;
    if (in->real.features == NULL || in->fake.features == NULL) {
        return gan__fail(err, GAN_E_ARG, "prdc needs features, not their mean and covariance");
    }
    float *radius = gan__alloc_array((size_t)((a + b) * K_DC), sizeof *radius);
    double *flag = gan__alloc_array((size_t)(2 * (a + b)), sizeof *flag);
    gan_status status =
        radius != NULL && flag != NULL
            ? measure(in, radius, flag, out, err)
            : gan__fail_nomem(err, (size_t)(2 * (a + b)) * sizeof *flag, "neighbours");
    gan__free(radius);
    gan__free(flag);
    (void)gan__format(
        out->protocol, sizeof out->protocol,
        "k = %d for precision and recall, k = %d for density and coverage; the judged "
        "side is resampled",
        (int)K_PR, (int)K_DC);
    if (status == GAN_OK && (a > 4 * b || b > 4 * a)) {
        gan__metric_warn(out,
                         "prdc: %" PRId64 " reals against %" PRId64
                         " fakes: recall and precision depend on both N, use equal ones",
                         a, b);
    }
    return status;
}

GAN_METRIC(prdc) = {
    .name = "prdc",
    .help = "precision, recall (k = 3), density, coverage (k = 5)",
    .ref = "Kynkaanniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797",
    .needs = GAN_NEED_FEATURES,
    .least = LEAST,
    .run = run,
};
