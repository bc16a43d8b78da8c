/* cpu_normalize.c: normalize and its derivative: one pass for the sums, one for the result.
 *
 * The variance comes from sums of x - s and (x - s)^2 in f64 with s an element of the group, so no
 * digits are lost to a large mean. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/lanes.h"
#include "engine/kernels/reduce.h"
#include "kernel.h"

#include <math.h>
#include <string.h>

enum {
    TASK = 16384, /* elements of one task of the second pass */
    PIECE = 4096  /* elements of bf16 converted at a time */
};

struct normalize {
    struct gan__reduce r;
    double eps;
    bool half_out; /* the result is bf16 */
};

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    const struct gan__attr_axes *a = attr;
    struct gan__reduce r;
    bool ok = gan__reduce_plan(&in[0].shape, a->axes, &r);
    for (int i = 0; i < n_in; i++) { /* images may be bf16, statistics are f32 */
        ok = ok && (in[i].dtype == GAN_F32 || (i < 2 && in[i].dtype == GAN_BF16));
    }
    for (int i = 0; i < n_out; i++) {
        ok = ok && (out[i].dtype == GAN_F32 || (i == 0 && out[i].dtype == GAN_BF16));
    }
    return ok;
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_axes *a = p->attr;
    struct normalize *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a normalisation");
    }
    gan__reduce_plan(&p->in[0].shape, a->axes, &k->r);
    k->r.half_x = p->in[0].dtype == GAN_BF16;
    k->r.half_y = p->n_in > 1 && p->in[1].dtype == GAN_BF16;
    k->half_out = p->out[0].dtype == GAN_BF16;
    k->eps = a->eps;
    p->ctx = k;
    size_t groups = (size_t)(k->r.k0 * k->r.k1);
    size_t spread = (size_t)(k->r.k0 * k->r.len) * 3 * sizeof(float);
    p->scratch_bytes = (2 * groups + gan__reduce_scratch(&k->r)) * sizeof(double) +
                       3 * groups * sizeof(float) + spread;
    return GAN_OK;
}

/* Scratch: sums, scratch of the reduction, then numbers of each group and of each row element. */
struct parts {
    double *sums, *reduce;
    float *group[3], *row[3];
};

static struct parts divide(const struct normalize *k, void *scratch)
{
    int64_t groups = k->r.k0 * k->r.k1, spread = k->r.k0 * k->r.len;
    struct parts p = {.sums = scratch, .reduce = (double *)scratch + 2 * groups};
    float *f = (float *)(void *)(p.reduce + gan__reduce_scratch(&k->r));
    for (int i = 0; i < 3; i++) {
        p.group[i] = f + i * groups;
        p.row[i] = f + 3 * groups + i * spread;
    }
    return p;
}

/* The numbers of each group for every element of a row. */
static void spread(const struct gan__reduce *r, const struct parts *p, int n)
{
    if (r->vector) {
        return;
    }
#pragma omp parallel for schedule(static) if (r->k0 * r->len > 16384)
    for (int64_t k = 0; k < r->k0; k++) {
        for (int i = 0; i < n; i++) {
            gan__reduce_spread(r, p->group[i] + k * r->k1, p->row[i] + k * r->len);
        }
    }
}

/* Second pass of both kernels: y from a (and b) and the numbers of the groups; the row's numbers begin
 * at `at`. */
typedef void rows_fn(const float *a, const float *b, const struct parts *p, int64_t group,
                     int64_t at, float *y, int64_t rows, int64_t len);

/* Operands and result as they lie in memory. */
struct images {
    const void *a, *b;
    void *y;
};

static const float *part_of(const void *x, bool half, int64_t at, int64_t n, float *piece)
{
    if (!half) {
        return (const float *)x + at;
    }
    gan__lanes()->from_bf16((const uint16_t *)x + at, piece, n);
    return piece;
}

/* One run of rows; bf16 goes through pieces of f32 that stay in the first cache. */
static void map_run(const struct normalize *k, const struct parts *p, const struct images *m,
                    int64_t group, int64_t at, int64_t rows, rows_fn *f)
{
    const bool half_a = k->r.half_x, half_b = k->r.half_y && m->b != NULL;
    const int64_t len = k->r.vector ? 1 : k->r.len, row_len = k->r.vector ? 0 : len;
    if (!half_a && !half_b && !k->half_out) {
        f((const float *)m->a + at, m->b != NULL ? (const float *)m->b + at : NULL, p, group,
          group * k->r.len, (float *)m->y + at, rows, row_len);
        return;
    }
    float a[PIECE], b[PIECE], y[PIECE];
    const int64_t width = len < PIECE ? len : PIECE, most = PIECE / width;
    for (int64_t i = 0; i < rows; i += most) {
        int64_t n = rows - i < most ? rows - i : most;
        for (int64_t c = 0; c < len; c += width) {
            int64_t w = len - c < width ? len - c : width, from = at + i * len + c;
            const float *x = part_of(m->a, half_a, from, n * w, a);
            const float *z = m->b != NULL ? part_of(m->b, half_b, from, n * w, b) : NULL;
            float *to = k->half_out ? y : (float *)m->y + from;
            f(x, z, p, group, group * k->r.len + c, to, n, row_len > 0 ? w : 0);
            if (k->half_out) {
                gan__lanes()->to_bf16(y, (uint16_t *)m->y + from, n * w);
            }
        }
    }
}

/* Calls f on pieces: rows of one k0, or a piece of a vector with len = 0 and rows = elements. */
static void map(const struct normalize *k, const struct parts *p, const struct images *m,
                rows_fn *f)
{
    const struct gan__reduce *r = &k->r;
    int64_t size = r->r0 * r->k1 * r->r1, unit = r->vector ? 1 : r->len;
    int64_t rows = size / unit, piece = TASK / unit > 0 ? TASK / unit : 1;
    int64_t pieces = (rows + piece - 1) / piece;
#pragma omp parallel for collapse(2) schedule(static) if (r->k0 * size > TASK)
    for (int64_t g = 0; g < r->k0; g++) {
        for (int64_t i = 0; i < pieces; i++) {
            int64_t first = i * piece, n = rows - first < piece ? rows - first : piece;
            map_run(k, p, m, g, g * size + first * unit, n, f);
        }
    }
}

static void apply(const float *a, const float *b, const struct parts *p, int64_t k, int64_t at,
                  float *y, int64_t rows, int64_t len)
{
    (void)b;
    if (len == 0) {
        gan__lanes()->scale(a, p->group[0][k], p->group[1][k], y, rows);
    } else {
        gan__lanes()->scale_rows(a, p->row[0] + at, p->row[1] + at, y, rows, len);
    }
}

/* Mean, variance and 1/sqrt(variance + eps) of each group. */
static void find_moments(const struct normalize *k, const void *x, const struct parts *p,
                         float *mean, float *var, float *rstd)
{
    const struct gan__reduce *r = &k->r;
    int64_t groups = r->k0 * r->k1;
    double n = (double)(r->r0 * r->r1);
    gan__reduce_run(r, GAN_REDUCE_MOMENTS, x, NULL, p->reduce, p->sums);
    for (int64_t i = 0; i < groups; i++) {
        double d = p->sums[i] / n, v = p->sums[groups + i] / n - d * d;
        v = v > 0.0 || v != v ? v : 0.0;
        mean[i] = (float)((double)gan__reduce_first(r, x, i / r->k1, i % r->k1) + d);
        var[i] = (float)v;
        rstd[i] = (float)(1.0 / sqrt(v + k->eps));
    }
}

static void normalize(const struct gan__call *c)
{
    const struct normalize *k = c->ctx;
    const struct gan__reduce *r = &k->r;
    const void *x = c->in[0].data;
    struct parts p = divide(k, c->scratch);
    float *mean = c->out[1].data;
    find_moments(k, x, &p, mean, c->out[2].data, p.group[1]);
    memcpy(p.group[0], mean, (size_t)(r->k0 * r->k1) * sizeof *mean);
    spread(r, &p, 2);
    map(k, &p, &(struct images){x, NULL, c->out[0].data}, apply);
}

static void moments(const struct gan__call *c)
{
    const struct normalize *k = c->ctx;
    struct parts p = divide(k, c->scratch);
    find_moments(k, c->in[0].data, &p, c->out[0].data, c->out[1].data, c->out[2].data);
}

static void apply_grad(const float *dy, const float *x_hat, const struct parts *p, int64_t k,
                       int64_t at, float *dx, int64_t rows, int64_t len)
{
    if (len == 0) {
        const float num[3] = {p->group[0][k], p->group[1][k], p->group[2][k]};
        gan__lanes()->norm_grad(dy, x_hat, num, dx, rows);
    } else {
        gan__lanes()->norm_grad_rows(dy, x_hat, p->row[2] + at, p->row[0] + at, p->row[1] + at, dx,
                                     rows, len);
    }
}

/* dx = (dy - mean(dy) - x_hat mean(dy x_hat)) / sqrt(var + eps) */
static void normalize_grad(const struct gan__call *c)
{
    const struct normalize *k = c->ctx;
    const struct gan__reduce *r = &k->r;
    const void *dy = c->in[0].data, *x_hat = c->in[1].data;
    const float *var = c->in[2].data;
    struct parts p = divide(k, c->scratch);
    int64_t groups = r->k0 * r->k1;
    double n = (double)(r->r0 * r->r1);
    gan__reduce_run(r, GAN_REDUCE_PAIR, dy, x_hat, p.reduce, p.sums);
    for (int64_t i = 0; i < groups; i++) {
        p.group[0][i] = (float)(p.sums[i] / n);
        p.group[1][i] = (float)(p.sums[groups + i] / n);
        p.group[2][i] = (float)(1.0 / sqrt((double)var[i] + k->eps));
    }
    spread(r, &p, 3);
    map(k, &p, &(struct images){dy, x_hat, c->out[0].data}, apply_grad);
}

GAN_KERNEL(cpu, normalize) = {
    .backend = "cpu", .op = "normalize", .match = match, .prepare = prepare, .run = normalize};

GAN_KERNEL(cpu, moments) = {
    .backend = "cpu", .op = "moments", .match = match, .prepare = prepare, .run = moments};

GAN_KERNEL(cpu, normalize_grad) = {.backend = "cpu",
                                   .op = "normalize_grad",
                                   .match = match,
                                   .prepare = prepare,
                                   .run = normalize_grad};
