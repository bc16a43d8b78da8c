/* cpu_pad.c: padding by zeros or copies, for every element type, and its adjoint in f32 and bf16.
 *
 * A padded tensor is rows along its last padded axis. The adjoint gathers: each row of the result
 * adds up the padded rows that show it, the inner part as one run; sums of bf16 are made in f32. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/lanes.h"
#include "kernel.h"

#include <omp.h>
#include <string.h>

/* One type on both sides; empty tensors are fine. */
static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 && in[0].dtype == out[0].dtype &&
           in[0].shape.rank == out[0].shape.rank;
}

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
    int64_t *first, *from;         /* adjoint: padded rows first[r] .. first[r+1]-1 show row r */
    int64_t small_rows;            /* of the unpadded tensor */
    int threads;
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

/* --- adjoint ------------------------------------------------------------------------------------ */

/* Numbers of one padded row and of one row of the result. */
static int64_t padded_row(const struct pad *k)
{
    return k->dim[k->axes - 1] * k->run;
}

static int64_t result_row(const struct pad *k)
{
    return k->inner * k->run;
}

static gan_status pad_grad_prepare(struct gan__prepare *p, gan_err *err)
{
    GAN_TRY(prepare_pad(p, &p->out[0].shape, &p->in[0].shape, err));
    struct pad *k = p->ctx;
    k->threads = p->threads > 1 ? p->threads : 1;
    k->small_rows = gan_shape_count(&p->out[0].shape) / result_row(k);
    k->first = gan__arena_array(p->arena, (size_t)k->small_rows + 2, sizeof *k->first);
    k->from = gan__arena_array(p->arena, (size_t)k->rows + 1, sizeof *k->from);
    if (k->first == NULL || k->from == NULL) {
        return gan__fail_nomem(err, (size_t)k->rows * sizeof *k->from, "a padding");
    }
    for (int64_t r = 0; r < k->rows; r++) { /* counts, two places ahead */
        const int64_t at = row_source(k, r);
        if (at >= 0) {
            k->first[at / k->inner + 2]++;
        }
    }
    for (int64_t i = 0; i < k->small_rows; i++) {
        k->first[i + 2] += k->first[i + 1];
    }
    for (int64_t r = 0; r < k->rows; r++) { /* first[i+1] moves up to the end of i */
        const int64_t at = row_source(k, r);
        if (at >= 0) {
            k->from[k->first[at / k->inner + 1]++] = r;
        }
    }
    if (p->in[0].dtype == GAN_BF16) {
        p->scratch_bytes =
            (size_t)k->threads * (size_t)(padded_row(k) + result_row(k)) * sizeof(float);
    }
    return GAN_OK;
}

static bool match_pad_grad(const struct gan__type *in, int n_in, const struct gan__type *out,
                           int n_out, const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 && in[0].dtype == out[0].dtype &&
           (in[0].dtype == GAN_F32 || in[0].dtype == GAN_BF16) && out[0].shape.rank >= 1 &&
           gan_shape_count(&out[0].shape) > 0;
}

static void add(const float *src, float *dst, int64_t n)
{
    const float *const in[] = {dst, src};
    gan__lanes()->add(in, dst, n, NULL);
}

/* One padded row into a row of the result; the first one starts it. */
static void add_row(const struct pad *k, const float *src, float *dst, bool start)
{
    const int last = k->axes - 1;
    if (start) {
        memcpy(dst, src + k->begin * k->run, (size_t)result_row(k) * sizeof *dst);
    } else {
        add(src + k->begin * k->run, dst, result_row(k));
    }
    for (int64_t j = 0; j < k->dim[last]; j++) {
        const int64_t s = k->source[last][j];
        if (j == k->begin) {
            j += k->inner - 1;
        } else if (s >= 0) {
            add(src + j * k->run, dst + s * k->run, k->run);
        }
    }
}

static void pad_grad(const struct gan__call *c)
{
    const struct pad *k = c->ctx;
    const bool half = c->in[0].dtype == GAN_BF16;
    const int64_t wide = padded_row(k), n = result_row(k);
#pragma omp parallel for schedule(static) num_threads(k->threads) if (k->small_rows * n > 16384)
    for (int64_t r = 0; r < k->small_rows; r++) {
        float *own = half ? (float *)c->scratch + omp_get_thread_num() * (wide + n) : NULL;
        float *dst = half ? own + wide : (float *)c->out[0].data + r * n;
        for (int64_t i = k->first[r]; i < k->first[r + 1]; i++) {
            const float *src = own;
            if (half) {
                gan__lanes()->from_bf16((const uint16_t *)c->in[0].data + k->from[i] * wide, own,
                                        wide);
            } else {
                src = (const float *)c->in[0].data + k->from[i] * wide;
            }
            add_row(k, src, dst, i == k->first[r]);
        }
        if (half) {
            gan__lanes()->to_bf16(dst, (uint16_t *)c->out[0].data + r * n, n);
        }
    }
}

/* clang-format off */
GAN_KERNEL(cpu, pad) = {
    .backend = "cpu", .op = "pad", .match = match, .prepare = pad_prepare, .run = pad,
};
GAN_KERNEL(cpu, pad_grad) = {
    .backend = "cpu", .op = "pad_grad", .match = match_pad_grad, .prepare = pad_grad_prepare,
    .run = pad_grad,
};
