/* metric_kid.c: squared maximum mean discrepancy of the features with the kernel (x.y / d + 1)^3,
 * unbiased, mean over random subsets. May be negative for equal distributions.
 *
 * Ref: Binkowski et al. 2018, "Demystifying MMD GANs", arXiv:1801.01401. */
#include "cross.h"
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SUBSETS = 100, SUBSET = 1000 };

/* Sums of the kernel over the rows of one block product. */
struct sums {
    double size;
    bool same;   /* x and y are the same set: pairs of a row with itself are left out */
    double *row; /* [n_x], added to */
    int threads;
};

static void add_kernel(void *ctx, const struct gan__cross_block *b)
{
    struct sums *s = ctx;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int64_t i = 0; i < b->n_x; i++) {
        double sum = 0;
        for (int64_t j = 0; j < b->n_y; j++) {
            double v = (double)b->v[i * b->n_y + j] / s->size + 1;
            bool self = s->same && b->first_x + i == b->first_y + j;
            sum += self ? 0 : v * v * v;
        }
        s->row[b->first_x + i] += sum;
    }
}

/* Sums over y of the kernel, for each row of x. */
static gan_status kernel_sums(const struct gan__cross *c, bool same, double *row, gan_err *err)
{
    struct sums s = {(double)c->size, same, row, c->threads};
    memset(row, 0, (size_t)c->n_x * sizeof *row);
    return gan__cross_products(c, add_kernel, &s, err);
}

static double total(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i];
    }
    return sum;
}

struct work {
    float *x, *y; /* [m,size] subsets */
    double *row;  /* [n] */
    int64_t m;
};

/* Unbiased estimate from the two subsets of w. */
static gan_status estimate(struct work *w, int64_t size, int threads, double *mmd, gan_err *err)
{
    double m = (double)w->m;
    struct gan__cross xx = {w->x, w->x, w->m, w->m, size, threads};
    struct gan__cross yy = {w->y, w->y, w->m, w->m, size, threads};
    struct gan__cross xy = {w->x, w->y, w->m, w->m, size, threads};
    GAN_TRY(kernel_sums(&xx, true, w->row, err));
    double sum = total(w->row, w->m) / (m * (m - 1));
    GAN_TRY(kernel_sums(&yy, true, w->row, err));
    sum += total(w->row, w->m) / (m * (m - 1));
    GAN_TRY(kernel_sums(&xy, false, w->row, err));
    *mmd = sum - 2 * total(w->row, w->m) / (m * m);
    return GAN_OK;
}

/* Rows of a random subset without repetition: the first m of a keyed permutation. */
static void draw(const struct gan_side *s, uint64_t seed, int64_t subset, const char *name,
                 int64_t m, float *dst)
{
    uint64_t key = gan__stream_key(seed, (uint64_t)subset, 0, gan__hash_text(name));
    for (int64_t i = 0; i < m; i++) {
        int64_t k = m == s->n ? i : (int64_t)gan__permute(key, (uint64_t)s->n, (uint64_t)i);
        memcpy(dst + i * s->size, s->features + k * s->size, (size_t)s->size * sizeof *dst);
    }
}

/* Influence of each sample of `side`: 2 (E k(x, own side) - E k(x, other side)), the means over one
 * subset of each side. */
static gan_status influence(const struct gan_side *side, const float *own, const float *other,
                            const struct work *w, int threads, double *v, gan_err *err)
{
    struct gan__cross near = {side->features, own, side->n, w->m, side->size, threads};
    struct gan__cross far = {side->features, other, side->n, w->m, side->size, threads};
    GAN_TRY(kernel_sums(&near, false, v, err));
    GAN_TRY(kernel_sums(&far, false, w->row, err));
    for (int64_t i = 0; i < side->n; i++) {
        v[i] = 2 * (v[i] - w->row[i]) / (double)w->m;
    }
    return GAN_OK;
}

/* The interval of the whole sample: linearised, widened by what the choice of subsets adds. */
static gan_status interval(const struct gan_metric_input *in, struct work *w, int64_t subsets,
                           struct gan_metric_value *kid, gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    double *v = gan__alloc_array((size_t)(a->n + b->n), sizeof *v);
    if (v == NULL) {
        return gan__fail_nomem(err, (size_t)(a->n + b->n) * sizeof *v, "influences");
    }
    draw(a, in->seed, 0, "kid-real", w->m, w->x);
    draw(b, in->seed, 0, "kid-fake", w->m, w->y);
    gan_status status = influence(a, w->x, w->y, w, in->threads, v, err);
    if (status == GAN_OK) {
        status = influence(b, w->y, w->x, w, in->threads, v + a->n, err);
    }
    if (status == GAN_OK) {
        struct gan__influence real = {v, a->n}, fake = {v + a->n, b->n};
        status = gan__interval(in, real, fake, kid, err);
    }
    if (status == GAN_OK && subsets > 1) {
        double choice = 1.96 * kid->std / sqrt((double)subsets);
        double below = kid->value - kid->low, above = kid->high - kid->value;
        kid->low = kid->value - sqrt(below * below + choice * choice);
        kid->high = kid->value + sqrt(above * above + choice * choice);
    }
    gan__free(v);
    return status;
}

static gan_status subsets(const struct gan_metric_input *in, struct work *w, int64_t count,
                          struct gan_metric_value *kid, gan_err *err)
{
    double sum = 0, squares = 0;
    for (int64_t s = 0; s < count; s++) {
        double v = 0;
        draw(&in->real, in->seed, s, "kid-real", w->m, w->x);
        draw(&in->fake, in->seed, s, "kid-fake", w->m, w->y);
        GAN_TRY(estimate(w, in->fake.size, in->threads, &v, err));
        sum += v;
        squares += v * v;
    }
    kid->value = sum / (double)count;
    double spread = squares / (double)count - kid->value * kid->value;
    kid->std = sqrt(spread > 0 ? spread : 0);
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    if (a->features == NULL || b->features == NULL) {
        return gan__fail(err, GAN_E_ARG, "kid needs features, not their mean and covariance");
    }
    int64_t least = a->n < b->n ? a->n : b->n, most = a->n > b->n ? a->n : b->n;
    struct work w = {.m = least < SUBSET ? least : SUBSET};
    int64_t count = w.m == most ? 1 : SUBSETS;
    size_t floats = (size_t)w.m * (size_t)b->size;
    w.x = gan__alloc_array(floats, sizeof *w.x);
    w.y = gan__alloc_array(floats, sizeof *w.y);
    w.row = gan__alloc_array((size_t)most, sizeof *w.row);
    struct gan_metric_value *kid = gan__metric_value(out, "kid", 0, "");
    gan_status status = w.x != NULL && w.y != NULL && w.row != NULL
                            ? subsets(in, &w, count, kid, err)
                            : gan__fail_nomem(err, 2 * floats * sizeof *w.x, "subsets");
    if (status == GAN_OK && in->bootstrap >= 0) {
        status = interval(in, &w, count, kid, err);
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "unbiased, (x.y/d + 1)^3, %" PRId64 " subsets of %" PRId64, count, w.m);
    gan__free(w.x);
    gan__free(w.y);
    gan__free(w.row);
    return status;
}

GAN_METRIC(kid) = {
    .name = "kid",
    .help = "unbiased squared MMD of the features, cubic kernel; fair at any N",
    .ref = "Binkowski et al. 2018, arXiv:1801.01401",
    .needs = GAN_NEED_FEATURES,
    .least = 20,
    .lower = true,
    .run = run,
};
