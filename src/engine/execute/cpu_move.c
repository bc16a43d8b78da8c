/* cpu_move.c: operations that move elements: broadcast, transpose, slice, concat, pad. They serve
 * every element type. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/copy.h"
#include "kernel.h"

#include <string.h>

/* One type on both sides; empty tensors are fine. */
static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    for (int i = 0; i < n_in; i++) {
        if (in[i].dtype != out[0].dtype || in[i].shape.rank != out[0].shape.rank) {
            return false;
        }
    }
    return n_out == 1;
}

static struct gan__box box_of(const gan_shape *s)
{
    struct gan__box b = {.rank = (int)s->rank};
    memcpy(b.dim, s->dim, sizeof b.dim);
    return b;
}

static void broadcast(const struct gan__call *c)
{
    const gan_shape *in = &c->in[0].shape;
    struct gan__box b = box_of(&c->out[0].shape);
    gan__row_major(in, b.from);
    gan__row_major(&c->out[0].shape, b.to);
    for (int i = 0; i < b.rank; i++) {
        b.from[i] = in->dim[i] == 1 ? 0 : b.from[i];
    }
    gan__copy_box(&b, c->in[0].data, c->out[0].data, gan_dtype_size(c->out[0].dtype));
}

static void transpose(const struct gan__call *c)
{
    const struct gan__attr_perm *a = c->attr;
    int64_t stride[GAN_MAX_RANK];
    struct gan__box b = box_of(&c->out[0].shape);
    gan__row_major(&c->in[0].shape, stride);
    gan__row_major(&c->out[0].shape, b.to);
    for (int i = 0; i < b.rank; i++) {
        b.from[i] = stride[a->perm[i]];
    }
    gan__copy_box(&b, c->in[0].data, c->out[0].data, gan_dtype_size(c->out[0].dtype));
}

static void slice(const struct gan__call *c)
{
    const struct gan__attr_slice *a = c->attr;
    size_t size = gan_dtype_size(c->out[0].dtype);
    int64_t at = 0;
    struct gan__box b = box_of(&c->out[0].shape);
    gan__row_major(&c->in[0].shape, b.from);
    gan__row_major(&c->out[0].shape, b.to);
    for (int i = 0; i < b.rank; i++) {
        at += a->begin[i] * b.from[i];
    }
    gan__copy_box(&b, (const char *)c->in[0].data + at * (int64_t)size, c->out[0].data, size);
}

static void concat(const struct gan__call *c)
{
    const struct gan__attr_axis *a = c->attr;
    size_t size = gan_dtype_size(c->out[0].dtype);
    int64_t at = 0;
    for (int k = 0; k < c->n_in; k++) {
        struct gan__box b = box_of(&c->in[k].shape);
        gan__row_major(&c->in[k].shape, b.from);
        gan__row_major(&c->out[0].shape, b.to);
        gan__copy_box(&b, c->in[k].data, (char *)c->out[0].data + at * (int64_t)size, size);
        at += c->in[k].shape.dim[a->axis] * b.to[a->axis];
    }
}

/* --- padding -------------------------------------------------------------------------------------- */

/* Where each place of each padded axis comes from; -1 is a zero. Axes behind the last padded one are
 * one run. */
struct pad {
    int axes;                      /* up to the last padded one */
    int64_t run;                   /* elements behind them */
    int64_t *source[GAN_MAX_RANK]; /* of dim numbers */
    int64_t dim[GAN_MAX_RANK];     /* padded */
    int64_t stride[GAN_MAX_RANK];  /* of the unpadded tensor, in runs */
    int64_t begin, inner;          /* of the last axis: padding before, unpadded extent */
    int64_t rows;                  /* of the last axis in the padded tensor */
};

static int64_t source_of(int64_t mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n) {
        return i;
    }
    if (mode == GAN_PAD_REFLECT) {
        return i < 0 ? -i : 2 * (n - 1) - i;
    }
    return mode == GAN_PAD_EDGE ? (i < 0 ? 0 : n - 1) : -1;
}

static gan_status prepare_pad(struct gan__prepare *p, const gan_shape *small,
                              const gan_shape *large, gan_err *err)
{
    const struct gan__attr_slice *a = p->attr;
    struct pad *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a padding");
    }
    k->run = 1;
    k->rows = 1;
    for (int i = 0; i < (int)small->rank; i++) {
        k->axes = a->begin[i] != 0 || a->size[i] != 0 || i == 0 ? i + 1 : k->axes;
    }
    for (int i = k->axes; i < (int)small->rank; i++) {
        k->run *= small->dim[i];
    }
    int64_t stride = 1;
    for (int i = k->axes - 1; i >= 0; i--) {
        k->dim[i] = large->dim[i];
        k->stride[i] = stride;
        stride *= small->dim[i];
        k->rows *= i < k->axes - 1 ? large->dim[i] : 1;
        k->source[i] = gan__arena_array(p->arena, (size_t)large->dim[i], sizeof *k->source[i]);
        if (k->source[i] == NULL) {
            return gan__fail_nomem(err, (size_t)large->dim[i] * 8, "a padding");
        }
        for (int64_t j = 0; j < large->dim[i]; j++) {
            k->source[i][j] = source_of(a->mode, j - a->begin[i], small->dim[i]);
        }
    }
    if (k->axes > 0) {
        k->begin = a->begin[k->axes - 1];
        k->inner = small->dim[k->axes - 1];
    }
    p->ctx = k;
    return GAN_OK;
}

/* First run of the unpadded row that row r of the padded tensor shows; -1: a row of zeros. */
static int64_t row_source(const struct pad *k, int64_t r)
{
    int64_t at = 0;
    for (int i = k->axes - 2; i >= 0; i--) {
        int64_t j = k->source[i][r % k->dim[i]];
        r /= k->dim[i];
        if (j < 0) {
            return -1;
        }
        at += j * k->stride[i];
    }
    return at;
}

static gan_status pad_prepare(struct gan__prepare *p, gan_err *err)
{
    return prepare_pad(p, &p->in[0].shape, &p->out[0].shape, err);
}

static void pad_row(const struct pad *k, int64_t from, const char *src, char *dst, size_t run_bytes)
{
    int last = k->axes - 1;
    int64_t width = k->dim[last];
    if (from < 0) {
        memset(dst, 0, (size_t)width * run_bytes);
        return;
    }
    src += (size_t)from * run_bytes;
    for (int64_t j = 0; j < width; j++) {
        int64_t s = k->source[last][j];
        if (j == k->begin && k->inner > 0) {
            memcpy(dst + (size_t)j * run_bytes, src, (size_t)k->inner * run_bytes);
            j += k->inner - 1;
        } else if (s < 0) {
            memset(dst + (size_t)j * run_bytes, 0, run_bytes);
        } else {
            memcpy(dst + (size_t)j * run_bytes, src + (size_t)s * run_bytes, run_bytes);
        }
    }
}

static void pad(const struct gan__call *c)
{
    const struct pad *k = c->ctx;
    size_t size = gan_dtype_size(c->out[0].dtype);
    if (gan_shape_count(&c->out[0].shape) == 0) {
        return;
    }
    if (k->axes == 0) {
        memcpy(c->out[0].data, c->in[0].data, size);
        return;
    }
    size_t run_bytes = (size_t)k->run * size, row_bytes = (size_t)k->dim[k->axes - 1] * run_bytes;
    const char *src = c->in[0].data;
    char *dst = c->out[0].data;
#pragma omp parallel for schedule(static) if ((size_t)k->rows * row_bytes > 65536)
    for (int64_t r = 0; r < k->rows; r++) {
        pad_row(k, row_source(k, r), src, dst + (size_t)r * row_bytes, run_bytes);
    }
}

/* The adjoint of padding by copies: what was copied from an element is added up, sample by sample
 * in the order of the padded tensor. */
static gan_status pad_grad_prepare(struct gan__prepare *p, gan_err *err)
{
    return prepare_pad(p, &p->out[0].shape, &p->in[0].shape, err);
}

static bool match_pad_grad(const struct gan__type *in, int n_in, const struct gan__type *out,
                           int n_out, const void *attr)
{
    const struct gan__attr_slice *a = attr;
    return n_in == 1 && n_out == 1 && in[0].dtype == GAN_F32 && out[0].dtype == GAN_F32 &&
           out[0].shape.rank >= 2 && a->begin[0] == 0 && a->size[0] == 0 &&
           gan_shape_count(&out[0].shape) > 0;
}

static void add_row(const struct pad *k, int64_t from, const float *src, float *dst)
{
    int last = k->axes - 1;
    for (int64_t j = 0; j < k->dim[last] && from >= 0; j++) {
        int64_t s = k->source[last][j];
        float *d = dst + (from + s) * k->run;
        for (int64_t i = 0; i < k->run && s >= 0; i++) {
            d[i] += src[j * k->run + i];
        }
    }
}

static void pad_grad(const struct gan__call *c)
{
    const struct pad *k = c->ctx;
    const float *src = c->in[0].data;
    float *dst = c->out[0].data;
    int64_t samples = c->out[0].shape.dim[0], size = gan_shape_count(&c->out[0].shape) / samples;
    int64_t row = k->dim[k->axes - 1] * k->run;
    if (k->axes == 1) { /* nothing is padded */
        memcpy(dst, src, (size_t)(samples * size) * sizeof *dst);
        return;
    }
#pragma omp parallel for schedule(static) if (samples * size > 16384)
    for (int64_t n = 0; n < samples; n++) {
        int64_t rows = k->rows / samples;
        memset(dst + n * size, 0, (size_t)size * sizeof *dst);
        for (int64_t r = n * rows; r < (n + 1) * rows; r++) {
            add_row(k, row_source(k, r), src + r * row, dst);
        }
    }
}

/* clang-format off */
GAN_KERNEL(cpu, broadcast) = {.backend = "cpu", .op = "broadcast", .match = match, .run = broadcast};
GAN_KERNEL(cpu, transpose) = {.backend = "cpu", .op = "transpose", .match = match, .run = transpose};
GAN_KERNEL(cpu, slice) = {.backend = "cpu", .op = "slice", .match = match, .run = slice};
GAN_KERNEL(cpu, concat) = {.backend = "cpu", .op = "concat", .match = match, .run = concat};
GAN_KERNEL(cpu, pad) = {
    .backend = "cpu", .op = "pad", .match = match, .prepare = pad_prepare, .run = pad,
};
GAN_KERNEL(cpu, pad_grad) = {
    .backend = "cpu", .op = "pad_grad", .match = match_pad_grad, .prepare = pad_grad_prepare,
    .run = pad_grad,
};
