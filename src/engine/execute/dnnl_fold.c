/* dnnl_fold.c: convolutions into few channels, as a matrix product and a fold.
 *
 * oneDNN pads channels to 16: a result of 1 or 3 channels costs as much as one of 16. Here each
 * pixel of the wide image A [n,ah,aw,ca] is multiplied by all taps of the packed weights
 * [ca, kh kw cb]; row q of that product holds what pixel q adds to a kh x kw window of the narrow
 * image B [n,bh,bw,cb], and the fold adds these windows up. Runs of kw*cb numbers are contiguous on
 * both sides. The product goes by blocks of rows of A that stay in L2.
 *   data gradient: A = dy, B = dx, window of A's row r begins at row r*stride - pad of B;
 *   forward, stride 1: A = x, B = y with flipped weights, pad' = k - 1 - pad;
 *   weight gradient, stride 1: the windows of dy are unfolded to rows and multiplied by x. */
#include "dnnl_compat.h"

#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/lanes.h"
#include "kernel.h"

#include <string.h>

enum {
    FEW = 8,                 /* at 8 channels both ways are equally fast */
    BLOCK_BYTES = 384 * 1024 /* of the product, for each thread */
};

struct fold {
    struct gan__dnnl_step gemm;
    const struct gan__attr_post *post;
    int64_t n, ah, aw, ca, bh, bw, cb, kh, kw, stride_h, stride_w, pad_h, pad_w;
    bool flip;
    int64_t rows; /* rows of A in one block */
    size_t weight_bytes, col_bytes;
};

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static int64_t taps(const struct fold *f)
{
    return f->kh * f->kw * f->cb;
}

/* Rows of A in one block: whole images, or a divisor of an image's rows. */
static int64_t block_rows(const struct fold *f, int threads)
{
    int64_t limit = (int64_t)BLOCK_BYTES * threads / (f->aw * taps(f) * (int64_t)sizeof(float));
    int64_t images = limit / f->ah, rows = limit < f->ah ? limit : f->ah;
    if (images > 0) {
        images = images < f->n ? images : f->n;
        while (f->n % images != 0) {
            images--;
        }
        return images * f->ah;
    }
    rows = rows > 0 ? rows : 1;
    while (f->ah % rows != 0) {
        rows--;
    }
    return rows;
}

static void release(void *ctx)
{
    struct fold *f = ctx;
    gan__dnnl_step_release(&f->gemm);
}

static gan_status prepare(struct gan__prepare *p, const struct fold *proto, bool weights,
                          gan_err *err)
{
    struct fold *f = gan__arena_alloc(p->arena, sizeof *f);
    if (f == NULL) {
        return gan__fail_nomem(err, sizeof *f, "a convolution");
    }
    *f = *proto;
    f->rows = block_rows(f, p->threads);
    f->weight_bytes = round_up((size_t)(f->ca * taps(f)) * sizeof(float));
    f->col_bytes = round_up((size_t)(f->rows * f->aw * taps(f)) * sizeof(float));
    struct gan__dnnl_gemm g = {.m = f->rows * f->aw, .n = taps(f), .k = f->ca};
    if (weights) {
        g = (struct gan__dnnl_gemm){
            .m = taps(f), .n = f->ca, .k = f->rows * f->aw, .ta = true, .add = true};
    }
    size_t scratch = 0;
    int old = gan__threads_set(p->threads);
    gan_status st = gan__dnnl_gemm_init(&f->gemm, &g, &scratch, err);
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(f);
        return st;
    }
    p->ctx = f;
    p->scratch_bytes = f->weight_bytes + f->col_bytes + scratch;
    return GAN_OK;
}

/* Place of tap (a, b, i, j) in the weights of the store, O,I,kh,kw. */
static int64_t weight_at(const struct fold *f, int64_t a, int64_t b, int64_t i, int64_t j)
{
    return f->flip ? ((b * f->ca + a) * f->kh + f->kh - 1 - i) * f->kw + f->kw - 1 - j
                   : ((a * f->cb + b) * f->kh + i) * f->kw + j;
}

static void pack(const struct fold *f, const float *w, float *packed)
{
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < f->ca; a++) {
        float *dst = packed + a * taps(f);
        for (int64_t i = 0; i < f->kh; i++) {
            for (int64_t j = 0; j < f->kw; j++) {
                for (int64_t b = 0; b < f->cb; b++) {
                    *dst++ = w[weight_at(f, a, b, i, j)];
                }
            }
        }
    }
}

/* Columns q of A whose window [q*stride - pad, .. + kw) lies inside B: *first .. *end-1. */
static void inner_columns(const struct fold *f, int64_t *first, int64_t *end)
{
    int64_t lo = f->pad_w > 0 ? (f->pad_w + f->stride_w - 1) / f->stride_w : 0;
    int64_t room = f->bw - f->kw + f->pad_w;
    int64_t hi = room < 0 ? 0 : room / f->stride_w + 1;
    hi = hi < f->aw ? hi : f->aw;
    *first = lo < f->aw ? lo : f->aw;
    *end = hi > *first ? hi : *first;
}

/* The part of window q inside B: begins at column *at of B and *skip taps into the window. */
static int64_t clipped(const struct fold *f, int64_t q, int64_t *at, int64_t *skip)
{
    int64_t begin = q * f->stride_w - f->pad_w, end = begin + f->kw;
    *skip = begin < 0 ? -begin : 0;
    *at = begin + *skip;
    end = end < f->bw ? end : f->bw;
    return end > *at ? end - *at : 0;
}

/* Adds to one row of B what row i of the windows of one row of A gives; col = product of that row. */
static void fold_row(const struct fold *f, const float *col, int64_t i, float *dst)
{
    int64_t first, end, at, skip, ld = taps(f);
    col += i * f->kw * f->cb;
    inner_columns(f, &first, &end);
    for (int64_t q = 0; q < f->aw; q++) {
        if (q == first && end > first) {
            gan__lanes()->fold(dst + (first * f->stride_w - f->pad_w) * f->cb, col + first * ld,
                               end - first, f->stride_w * f->cb, ld, f->kw * f->cb);
            q = end - 1;
            continue;
        }
        int64_t n = clipped(f, q, &at, &skip);
        if (n > 0) {
            gan__lanes()->fold(dst + at * f->cb, col + q * ld + skip * f->cb, 1, 0, 0, n * f->cb);
        }
    }
}

/* Rows of B that the block of A's rows [first, first+rows) touches, all images counted on. */
static void fold_block(const struct fold *f, const float *col, int64_t first, float *dst,
                       const float *bias)
{
    int64_t image = first / f->ah, a0 = first % f->ah;
    bool whole = f->rows % f->ah == 0;
    int64_t a1 = whole ? f->ah : a0 + f->rows, images = whole ? f->rows / f->ah : 1;
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t m = 0; m < images; m++) {
        for (int64_t r = 0; r < f->bh; r++) {
            float *row = dst + ((image + m) * f->bh + r) * f->bw * f->cb;
            if (a0 == 0) {
                memset(row, 0, (size_t)(f->bw * f->cb) * sizeof(float));
                if (bias != NULL) {
                    gan__lanes()->add_rows(row, bias, f->bw, f->cb);
                }
            }
            for (int64_t i = 0; i < f->kh; i++) {
                int64_t t = r + f->pad_h - i, a = t / f->stride_h;
                if (t >= 0 && t % f->stride_h == 0 && a >= a0 && a < a1) {
                    fold_row(f, col + (m * f->ah + a - a0) * f->aw * taps(f), i, row);
                }
            }
        }
    }
}

static void run(const struct gan__call *c)
{
    struct fold *f = c->ctx;
    char *s = c->scratch;
    float *packed = (float *)(void *)s, *col = (float *)(void *)(s + f->weight_bytes);
    void *spare = s + f->weight_bytes + f->col_bytes;
    float *src = c->in[0].data, *dst = c->out[0].data;
    const float *bias = c->n_in > 2 ? c->in[2].data : NULL;
    pack(f, c->in[1].data, packed);
    for (int64_t a = 0; a < f->n * f->ah; a += f->rows) {
        void *data[] = {src + a * f->aw * f->ca, packed, col, spare};
        gan__dnnl_step_run(&f->gemm, data);
        fold_block(f, col, a, dst, bias);
        int64_t done = (a + f->rows) / f->ah, before = a / f->ah;
        if (f->post != NULL && done > before) {
            int64_t area = f->bh * f->bw;
            gan__cpu_post(f->post, dst + before * area * f->cb, (done - before) * area, f->cb,
                          NULL);
        }
    }
}

/* Rows of windows of B for the pixels of one block of A. */
static void unfold_block(const struct fold *f, const float *src, int64_t first, float *col)
{
    int64_t ld = taps(f), run = f->kw * f->cb;
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < f->rows; r++) {
        int64_t image = (first + r) / f->ah, a = (first + r) % f->ah;
        for (int64_t i = 0; i < f->kh; i++) {
            int64_t b = a * f->stride_h - f->pad_h + i;
            const float *row = src + (image * f->bh + b) * f->bw * f->cb;
            float *dst = col + r * f->aw * ld + i * run;
            for (int64_t q = 0; q < f->aw; q++, dst += ld) {
                int64_t at, skip, n = b >= 0 && b < f->bh ? clipped(f, q, &at, &skip) : 0;
                if (n < f->kw) {
                    memset(dst, 0, (size_t)run * sizeof(float));
                }
                if (n > 0) {
                    memcpy(dst + skip * f->cb, row + at * f->cb,
                           (size_t)(n * f->cb) * sizeof(float));
                }
            }
        }
    }
}

static void weight_run(const struct gan__call *c)
{
    struct fold *f = c->ctx;
    char *s = c->scratch;
    float *packed = (float *)(void *)s, *col = (float *)(void *)(s + f->weight_bytes);
    void *spare = s + f->weight_bytes + f->col_bytes;
    float *wide = c->in[0].data, *w = c->out[0].data;
    memset(packed, 0, f->weight_bytes);
    for (int64_t a = 0; a < f->n * f->ah; a += f->rows) {
        unfold_block(f, c->in[1].data, a, col);
        void *data[] = {col, wide + a * f->aw * f->ca, packed, spare};
        gan__dnnl_step_run(&f->gemm, data);
    }
    const float *src = packed;
    for (int64_t i = 0; i < f->kh; i++) {
        for (int64_t j = 0; j < f->kw; j++) {
            for (int64_t b = 0; b < f->cb; b++) {
                for (int64_t k = 0; k < f->ca; k++) {
                    w[weight_at(f, k, b, i, j)] = *src++;
                }
            }
        }
    }
}

/* --- which convolutions ------------------------------------------------------------------------- */

static struct fold describe(const gan_shape *a, const gan_shape *b, const gan_shape *w,
                            const struct gan_conv *c, const struct gan__attr_post *post)
{
    return (struct fold){.post = post,
                         .n = a->dim[0],
                         .ah = a->dim[1],
                         .aw = a->dim[2],
                         .ca = a->dim[3],
                         .bh = b->dim[1],
                         .bw = b->dim[2],
                         .cb = b->dim[3],
                         .kh = w->dim[2],
                         .kw = w->dim[3],
                         .stride_h = c->stride_h > 0 ? c->stride_h : 1,
                         .stride_w = c->stride_w > 0 ? c->stride_w : 1,
                         .pad_h = c->pad_top,
                         .pad_w = c->pad_left};
}

static struct fold flipped(struct fold f)
{
    f.flip = true;
    f.pad_h = f.kh - 1 - f.pad_h;
    f.pad_w = f.kw - 1 - f.pad_w;
    return f;
}

static bool worth(const struct gan__type *wide, const struct gan__type *few,
                  const struct gan__type *w, const struct gan_conv *c, bool stride_1)
{
    bool ok = wide->dtype == GAN_F32 && few->dtype == GAN_F32 && w->dtype == GAN_F32 &&
              gan_shape_count(&wide->shape) > 0 && gan_shape_count(&few->shape) > 0 &&
              c->groups <= 1 && c->dilation_h <= 1 && c->dilation_w <= 1;
    if (stride_1) {
        ok = ok && c->stride_h <= 1 && c->stride_w <= 1;
    }
    return ok && few->shape.dim[3] <= FEW && wide->shape.dim[3] >= 16 &&
           w->shape.dim[2] * w->shape.dim[3] > 1;
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    const struct gan__attr_conv *a = attr; /* the post attribute begins with it */
    return n_in >= 2 && n_out == 1 && worth(&in[0], &out[0], &in[1], &a->c, false);
}

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in >= 2 && n_out == 1 && worth(&in[0], &out[0], &in[1], &a->c, true);
}

static bool match_weight(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in == 2 && n_out == 1 && worth(&in[0], &in[1], &out[0], &a->c, true);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct fold f = describe(&p->in[0].shape, &p->out[0].shape, &p->in[1].shape, &a->c, NULL);
    return prepare(p, &f, false, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct fold f = describe(&p->in[0].shape, &p->out[0].shape, &p->in[1].shape, &a->conv.c, a);
    return prepare(p, &f, false, err);
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct fold f =
        flipped(describe(&p->in[0].shape, &p->out[0].shape, &p->in[1].shape, &a->c, NULL));
    return prepare(p, &f, false, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct fold f =
        flipped(describe(&p->in[0].shape, &p->out[0].shape, &p->in[1].shape, &a->conv.c, a));
    return prepare(p, &f, false, err);
}

static gan_status prepare_weight(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct fold f =
        flipped(describe(&p->in[0].shape, &p->in[1].shape, &p->out[0].shape, &a->c, NULL));
    return prepare(p, &f, true, err);
}

/* clang-format off */
GAN_KERNEL(cpu, conv2d_input_grad, fold) = {
    .backend = "cpu", .op = "conv2d_input_grad",
    .match = match_data, .prepare = prepare_data, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_input_grad_post, fold) = {
    .backend = "cpu", .op = "conv2d_input_grad_post",
    .match = match_data, .prepare = prepare_data_post, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d, fold) = {
    .backend = "cpu", .op = "conv2d",
    .match = match_forward, .prepare = prepare_forward, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_post, fold) = {
    .backend = "cpu", .op = "conv2d_post",
    .match = match_forward, .prepare = prepare_forward_post, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_weight_grad, fold) = {
    .backend = "cpu", .op = "conv2d_weight_grad",
    .match = match_weight, .prepare = prepare_weight, .run = weight_run, .release = release,
};
