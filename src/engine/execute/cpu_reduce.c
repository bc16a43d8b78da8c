/* cpu_reduce.c: sum and reduce_max over sets of axes. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/lanes.h"
#include "engine/kernels/reduce.h"
#include "kernel.h"

#include <string.h>

static bool match_sum(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                      const void *attr)
{
    const struct gan__attr_axes *a = attr;
    struct gan__reduce r;
    return n_in == 1 && n_out == 1 && (in[0].dtype == GAN_F32 || in[0].dtype == GAN_BF16) &&
           out[0].dtype == GAN_F32 && gan__reduce_plan(&in[0].shape, a->axes, &r);
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    const struct gan__attr_axes *a = attr;
    struct gan__reduce r;
    return n_in == 1 && n_out == 1 && in[0].dtype == GAN_F32 && out[0].dtype == GAN_F32 &&
           gan__reduce_plan(&in[0].shape, a->axes, &r);
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_axes *a = p->attr;
    struct gan__reduce *r = gan__arena_alloc(p->arena, sizeof *r);
    if (r == NULL) {
        return gan__fail_nomem(err, sizeof *r, "a reduction");
    }
    gan__reduce_plan(&p->in[0].shape, a->axes, r);
    r->half_x = p->in[0].dtype == GAN_BF16;
    p->ctx = r;
    p->scratch_bytes = (gan__reduce_scratch(r) + (size_t)(r->k0 * r->k1)) * sizeof(double);
    return GAN_OK;
}

static void sum(const struct gan__call *c)
{
    const struct gan__reduce *r = c->ctx;
    int64_t n = r->k0 * r->k1;
    double *sums = c->scratch;
    float *y = c->out[0].data;
    gan__reduce_run(r, GAN_REDUCE_SUM, c->in[0].data, NULL, sums + n, sums);
    for (int64_t i = 0; i < n; i++) {
        y[i] = (float)sums[i];
    }
}

/* Few elements are not worth a call. */
static float top(const float *x, int64_t n)
{
    if (n > 16) {
        return gan__lanes()->largest(x, n);
    }
    float best = x[0];
    for (int64_t i = 1; i < n; i++) {
        best = x[i] > best || x[i] != x[i] ? x[i] : best;
    }
    return best;
}

/* y = max(y, x), channel by channel. */
static void raise(const float *x, float *y, int64_t channels)
{
#pragma omp simd
    for (int64_t k = 0; k < channels; k++) {
        y[k] = x[k] > y[k] || x[k] != x[k] ? x[k] : y[k];
    }
}

/* y[k1] = maximum over rows and the r1 elements of each channel; NaN wins. */
static void max_rows(const struct gan__reduce *r, const float *x, float *y)
{
    if (r->r1 == 1) {
        memcpy(y, x, (size_t)r->k1 * sizeof *y);
        for (int64_t j = 1; j < r->r0; j++) {
            raise(x + j * r->k1, y, r->k1);
        }
        return;
    }
    for (int64_t k = 0; k < r->k1; k++) {
        y[k] = top(x + k * r->r1, r->r1);
    }
    for (int64_t j = 1; j < r->r0; j++) {
        x += r->k1 * r->r1;
        for (int64_t k = 0; k < r->k1; k++) {
            float v = top(x + k * r->r1, r->r1);
            y[k] = v > y[k] || v != v ? v : y[k];
        }
    }
}

static void largest(const struct gan__call *c)
{
    const struct gan__reduce *r = c->ctx;
    const float *x = c->in[0].data;
    float *y = c->out[0].data;
#pragma omp parallel for schedule(static) if (r->k0 * r->r0 * r->k1 * r->r1 > 16384)
    for (int64_t k = 0; k < r->k0; k++) {
        max_rows(r, x + k * r->r0 * r->k1 * r->r1, y + k * r->k1);
    }
}

/* clang-format off */
GAN_KERNEL(cpu, sum) = {
    .backend = "cpu", .op = "sum", .match = match_sum, .prepare = prepare, .run = sum,
};
GAN_KERNEL(cpu, reduce_max) = {
    .backend = "cpu", .op = "reduce_max", .match = match, .prepare = prepare, .run = largest,
};
