/* dnnl_fold.c: convolutions into few channels, as a matrix product and a fold.
 *
 * oneDNN pads channels to 16: a result of 1 or 3 channels costs as much as one of 16. Here each
 * pixel of the wide image A [n,ah,aw,ca] is multiplied by all taps of the packed weights
 * [ca, kh kw cb]; row q of that product holds what pixel q adds to a kh x kw window of the narrow
 * image B [n,bh,bw,cb], and the fold adds these windows up. Runs of kw*cb numbers are contiguous on
 * both sides. The product goes by blocks of rows of A that stay in L2.
 *   data gradient: A = dy, B = dx, window of A's row r begins at row r*stride - pad of B;
 *   forward, stride 1: A = x, B = y with flipped weights, pad' = k - 1 - pad;
 *   weight gradient, stride 1: the windows of dy are unfolded to rows and multiplied by x.
 * With A in bf16 the products are libgan's own (half.h), sums stay f32; dnnl_few.c has the weight
 * gradient then, and all that reads few channels. */
#include "dnnl_fold.h"

#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/half.h"
#include "engine/kernels/lanes.h"

#include <string.h>

enum {
    FEW = 8,                  /* at 8 channels both ways are equally fast */
    BLOCK_BYTES = 384 * 1024, /* of the product, for each thread */
    STRIP = 64,               /* rows of a product of bf16 that one thread takes at a time */
    MOST_TAPS = 1024          /* of a product of bf16, the narrow image's channels included */
};

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static int64_t taps(const struct gan__fold *f)
{
    return f->kh * f->kw * f->cb;
}

/* Rows of A in one block: whole images, or about equal parts of one, of which the last may be
 * smaller. `joined`: rows of all images are one run. */
static int64_t block_rows(const struct gan__fold *f, int threads, bool joined)
{
    const int64_t limit = (int64_t)BLOCK_BYTES * threads / (f->aw * f->ld * (int64_t)sizeof(float));
    const int64_t run = joined ? f->n * f->ah : f->ah;
    int64_t images = limit / f->ah;
    if (images > 0 && !joined) {
        images = images < f->n ? images : f->n;
        while (f->n % images != 0) {
            images--;
        }
        return images * f->ah;
    }
    const int64_t most = limit < 1 ? 1 : limit < run ? limit : run, parts = (run + most - 1) / most;
    return (run + parts - 1) / parts;
}

/* Images whose results are not finished while one block runs. */
static int64_t block_images(const struct gan__fold *f)
{
    return f->rows % f->ah == 0 ? f->rows / f->ah : 1;
}

static void release(void *ctx)
{
    struct gan__fold *f = ctx;
    gan__dnnl_step_release(&f->gemm);
    gan__dnnl_step_release(&f->rest);
}

/* The product of `rows` rows of A; *scratch grows to what it needs. */
static gan_status make_product(const struct gan__fold *f, struct gan__dnnl_step *step, int64_t rows,
                               bool weights, size_t *scratch, gan_err *err)
{
    struct gan__dnnl_gemm g = {.m = rows * f->aw, .n = taps(f), .k = f->ca};
    if (weights) {
        g = (struct gan__dnnl_gemm){
            .m = taps(f), .n = f->ca, .k = rows * f->aw, .ta = true, .add = true};
    }
    size_t bytes = 0;
    gan_status st = gan__dnnl_gemm_init(step, &g, &bytes, err);
    *scratch = bytes > *scratch ? bytes : *scratch;
    return st;
}

static gan_status prepare(struct gan__prepare *p, const struct gan__fold *proto, bool weights,
                          gan_err *err)
{
    struct gan__fold *f = gan__arena_alloc(p->arena, sizeof *f);
    if (f == NULL) {
        return gan__fail_nomem(err, sizeof *f, "a convolution");
    }
    *f = *proto;
    f->threads = p->threads > 1 ? p->threads : 1;
    f->ld = f->half ? (taps(f) + 15) / 16 * 16 : taps(f);
    f->rows = block_rows(f, p->threads, weights);
    f->weight_bytes = round_up((size_t)(f->ca * f->ld) * sizeof(float));
    f->col_bytes = round_up((size_t)(f->rows * f->aw * f->ld) * sizeof(float));
    if (f->half) {
        p->ctx = f;
        if (p->out[0].dtype == GAN_BF16) {
            f->sum_bytes = round_up((size_t)(block_images(f) * f->bh * f->bw * f->cb) * 4);
        }
        p->scratch_bytes = f->weight_bytes + f->col_bytes + f->sum_bytes;
        return GAN_OK;
    }
    size_t scratch = 0;
    int old = gan__threads_set(p->threads);
    gan_status st = make_product(f, &f->gemm, f->rows, weights, &scratch, err);
    const int64_t rest = (weights ? f->n * f->ah : f->ah) % f->rows;
    if (st == GAN_OK && rest > 0 && (weights || f->rows % f->ah != 0)) {
        st = make_product(f, &f->rest, rest, weights, &scratch, err);
    }
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(f);
        return st;
    }
    p->ctx = f;
    p->scratch_bytes = f->weight_bytes + f->col_bytes + scratch;
    return GAN_OK;
}

int64_t gan__fold_weight_at(const struct gan__fold *f, int64_t a, int64_t b, int64_t i, int64_t j)
{
    return f->flip ? ((b * f->ca + a) * f->kh + f->kh - 1 - i) * f->kw + f->kw - 1 - j
                   : ((a * f->cb + b) * f->kh + i) * f->kw + j;
}

void gan__fold_tap_weights(const struct gan__fold *f, const float *w, int64_t tap, uint16_t *half)
{
    float v[GAN_FOLD_MOST];
    const int64_t i = tap / (f->kw * f->cb), j = tap % (f->kw * f->cb) / f->cb, b = tap % f->cb;
    const int64_t at = gan__fold_weight_at(f, 0, b, i, j);
    const int64_t step = gan__fold_weight_at(f, 1, b, i, j) - at;
    for (int64_t a = 0; a < f->ca; a++) {
        v[a] = w[at + a * step];
    }
    gan__lanes()->to_bf16(v, half, f->ca);
}

static void pack(const struct gan__fold *f, const float *w, float *packed)
{
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < f->ca; a++) {
        float *dst = packed + a * taps(f);
        for (int64_t i = 0; i < f->kh; i++) {
            for (int64_t j = 0; j < f->kw; j++) {
                for (int64_t b = 0; b < f->cb; b++) {
                    *dst++ = w[gan__fold_weight_at(f, a, b, i, j)];
                }
            }
        }
    }
}

/* Words of pairs of A's channels, in panels of columns; zeros beyond the taps. */
static void pack_half(const struct gan__fold *f, const float *w, uint32_t *packed)
{
    const int64_t pairs = f->ca / 2;
#pragma omp parallel for schedule(static) num_threads(f->threads)
    for (int64_t p = 0; p < pairs; p++) {
        uint16_t half[2][MOST_TAPS];
        for (int64_t a = 0; a < 2; a++) {
            float v[MOST_TAPS] = {0}, *to = v;
            for (int64_t i = 0; i < f->kh; i++) {
                for (int64_t j = 0; j < f->kw; j++) {
                    for (int64_t b = 0; b < f->cb; b++) {
                        *to++ = w[gan__fold_weight_at(f, 2 * p + a, b, i, j)];
                    }
                }
            }
            gan__lanes()->to_bf16(v, half[a], f->ld);
        }
        for (int64_t t = 0; t < f->ld; t += GAN_HALF_PANEL) {
            const int64_t n = f->ld - t < GAN_HALF_PANEL ? f->ld - t : GAN_HALF_PANEL;
            gan__half_lanes()->join(half[0] + t, half[1] + t, n,
                                    packed + t * pairs + p * GAN_HALF_PANEL);
        }
    }
}

/* col [rows, ld] = A [rows, ca] x packed */
static void multiply_half(const struct gan__fold *f, const uint16_t *src, const uint32_t *packed,
                          float *col, int64_t rows)
{
    const int64_t pairs = f->ca / 2;
#pragma omp parallel for schedule(static) num_threads(f->threads)
    for (int64_t r = 0; r < rows; r += STRIP) {
        const struct gan__half_product p = {
            .m = rows - r < STRIP ? rows - r : STRIP,
            .n = f->ld,
            .pairs = pairs,
            .a = (const uint32_t *)(const void *)(src + r * f->ca),
            .a_group = GAN_HALF_GROUP * pairs,
            .a_row = pairs,
            .a_pair = 1,
            .b = packed,
            .b_panel = pairs * GAN_HALF_PANEL,
            .c = col + r * f->ld,
            .c_row = f->ld,
        };
        gan__half_lanes()->product(&p);
    }
}

/* Columns q of A whose window [q*stride - pad, .. + kw) lies inside B: *first .. *end-1. */
static void inner_columns(const struct gan__fold *f, int64_t *first, int64_t *end)
{
    int64_t lo = f->pad_w > 0 ? (f->pad_w + f->stride_w - 1) / f->stride_w : 0;
    int64_t room = f->bw - f->kw + f->pad_w;
    int64_t hi = room < 0 ? 0 : room / f->stride_w + 1;
    hi = hi < f->aw ? hi : f->aw;
    *first = lo < f->aw ? lo : f->aw;
    *end = hi > *first ? hi : *first;
}

/* The part of window q inside B: begins at column *at of B and *skip taps into the window. */
static int64_t clipped(const struct gan__fold *f, int64_t q, int64_t *at, int64_t *skip)
{
    int64_t begin = q * f->stride_w - f->pad_w, end = begin + f->kw;
    *skip = begin < 0 ? -begin : 0;
    *at = begin + *skip;
    end = end < f->bw ? end : f->bw;
    return end > *at ? end - *at : 0;
}

/* Adds to one row of B what row i of the windows of one row of A gives; col = product of that row. */
static void fold_row(const struct gan__fold *f, const float *col, int64_t i, float *dst)
{
    int64_t first, end, at, skip, ld = f->ld;
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

/* Zeros, or the bias. */
static void clear(const struct gan__fold *f, float *dst, int64_t rows, const float *bias)
{
#pragma omp parallel for schedule(static) num_threads(f->threads) if (rows * f->bw > 16384)
    for (int64_t r = 0; r < rows; r++) {
        float *row = dst + r * f->bw * f->cb;
        memset(row, 0, (size_t)(f->bw * f->cb) * sizeof(float));
        if (bias != NULL) {
            gan__lanes()->add_rows(row, bias, f->bw, f->cb);
        }
    }
}

/* Adds what A's rows [a0, last) of some images give to the rows of B that they touch. */
static void fold_block(const struct gan__fold *f, const float *col, int64_t a0, int64_t last,
                       float *dst)
{
    const int64_t images = block_images(f);
    const int64_t begin = a0 * f->stride_h - f->pad_h;
    const int64_t end = (last - 1) * f->stride_h - f->pad_h + f->kh;
    const int64_t r0 = begin > 0 ? begin : 0, r1 = end < f->bh ? end : f->bh;
#pragma omp parallel for collapse(2) schedule(static) num_threads(f->threads)
    for (int64_t m = 0; m < images; m++) {
        for (int64_t r = r0; r < r1; r++) {
            float *row = dst + (m * f->bh + r) * f->bw * f->cb;
            for (int64_t i = 0; i < f->kh; i++) {
                int64_t t = r + f->pad_h - i, a = t / f->stride_h;
                if (t >= 0 && t % f->stride_h == 0 && a >= a0 && a < last) {
                    fold_row(f, col + (m * f->ah + a - a0) * f->aw * f->ld, i, row);
                }
            }
        }
    }
}

/* Bias and sum are there: the activation, and bf16 where that is wanted. */
static void finish(const struct gan__fold *f, float *sum, void *dst, int64_t images)
{
    const int64_t rows = images * f->bh * f->bw, n = rows * f->cb;
    if (f->post != NULL) {
        gan__cpu_post(f->post, sum, rows, f->cb, NULL);
    }
    if (f->sum_bytes > 0) {
        gan__lanes()->to_bf16(sum, dst, n);
    }
}

static void run(const struct gan__call *c)
{
    struct gan__fold *f = c->ctx;
    char *s = c->scratch;
    float *packed = (float *)(void *)s, *col = (float *)(void *)(s + f->weight_bytes);
    char *spare = s + f->weight_bytes + f->col_bytes;
    const size_t in_size = f->half ? 2 : 4, out_size = gan_dtype_size(c->out[0].dtype);
    const float *bias = c->n_in > 2 ? c->in[2].data : NULL;
    const int64_t images = block_images(f), size = f->bh * f->bw * f->cb;
    if (f->half) {
        pack_half(f, c->in[1].data, (uint32_t *)(void *)packed);
    } else {
        pack(f, c->in[1].data, packed);
    }
    const int64_t step = f->rows < f->ah ? f->rows : f->ah; /* of one image's rows */
    for (int64_t m = 0; m < f->n; m += images) {
        char *image = (char *)c->in[0].data + (size_t)(m * f->ah * f->aw * f->ca) * in_size;
        char *dst = (char *)c->out[0].data + (size_t)(m * size) * out_size;
        float *sum = (float *)(void *)(f->sum_bytes > 0 ? spare : dst);
        clear(f, sum, images * f->bh, bias);
        for (int64_t a = 0; a < f->ah; a += step) {
            const int64_t last = a + step < f->ah ? a + step : f->ah;
            char *src = image + (size_t)(a * f->aw * f->ca) * in_size;
            if (f->half) {
                multiply_half(f, (const uint16_t *)(const void *)src,
                              (const uint32_t *)(void *)packed, col, images * (last - a) * f->aw);
            } else {
                gan__dnnl_step_run(last - a == step ? &f->gemm : &f->rest,
                                   (void *[]){src, packed, col, spare});
            }
            fold_block(f, col, a, last, sum);
        }
        finish(f, sum, dst, images);
    }
}

/* Rows of windows of B for the pixels of one block of A. */
static void unfold_block(const struct gan__fold *f, const float *src, int64_t first, int64_t rows,
                         float *col)
{
    int64_t ld = taps(f), run = f->kw * f->cb;
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows; r++) {
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
    struct gan__fold *f = c->ctx;
    char *s = c->scratch;
    float *packed = (float *)(void *)s, *col = (float *)(void *)(s + f->weight_bytes);
    void *spare = s + f->weight_bytes + f->col_bytes;
    float *wide = c->in[0].data, *w = c->out[0].data;
    memset(packed, 0, f->weight_bytes);
    const int64_t all = f->n * f->ah;
    for (int64_t a = 0; a < all; a += f->rows) {
        const bool whole = a + f->rows <= all;
        unfold_block(f, c->in[1].data, a, whole ? f->rows : all - a, col);
        void *data[] = {col, wide + a * f->aw * f->ca, packed, spare};
        gan__dnnl_step_run(whole ? &f->gemm : &f->rest, data);
    }
    const float *src = packed;
    for (int64_t i = 0; i < f->kh; i++) {
        for (int64_t j = 0; j < f->kw; j++) {
            for (int64_t b = 0; b < f->cb; b++) {
                for (int64_t k = 0; k < f->ca; k++) {
                    w[gan__fold_weight_at(f, k, b, i, j)] = *src++;
                }
            }
        }
    }
}

/* --- which convolutions ------------------------------------------------------------------------- */

struct gan__fold gan__fold_describe(const struct gan__type *wide, const gan_shape *b,
                                    const gan_shape *w, const struct gan_conv *c,
                                    const struct gan__attr_post *post)
{
    const gan_shape *a = &wide->shape;
    return (struct gan__fold){.post = post,
                              .half = wide->dtype == GAN_BF16,
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

struct gan__fold gan__fold_flipped(struct gan__fold f)
{
    f.flip = true;
    f.pad_h = f.kh - 1 - f.pad_h;
    f.pad_w = f.kw - 1 - f.pad_w;
    return f;
}

/* f32 throughout, or bf16 where the product is fast; few is f32 or bf16 then. */
static bool types_fit(const struct gan__type *wide, const struct gan__type *few,
                      const struct gan__type *w)
{
    if (wide->dtype == GAN_BF16) {
        return w->dtype == GAN_F32 && (few->dtype == GAN_F32 || few->dtype == GAN_BF16) &&
               wide->shape.dim[3] % 2 == 0 && gan__half_lanes()->fast &&
               w->shape.dim[2] * w->shape.dim[3] * few->shape.dim[3] <= MOST_TAPS;
    }
    return wide->dtype == GAN_F32 && few->dtype == GAN_F32 && w->dtype == GAN_F32;
}

static bool worth(const struct gan__type *wide, const struct gan__type *few,
                  const struct gan__type *w, const struct gan_conv *c, bool stride_1)
{
    bool ok = types_fit(wide, few, w) && gan_shape_count(&wide->shape) > 0 &&
              gan_shape_count(&few->shape) > 0 && c->groups <= 1 && c->dilation_h <= 1 &&
              c->dilation_w <= 1;
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
    return n_in == 2 && n_out == 1 && in[0].dtype == GAN_F32 &&
           worth(&in[0], &in[1], &out[0], &a->c, true);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct gan__fold f =
        gan__fold_describe(&p->in[0], &p->out[0].shape, &p->in[1].shape, &a->c, NULL);
    return prepare(p, &f, false, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct gan__fold f =
        gan__fold_describe(&p->in[0], &p->out[0].shape, &p->in[1].shape, &a->conv.c, a);
    return prepare(p, &f, false, err);
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct gan__fold f = gan__fold_flipped(
        gan__fold_describe(&p->in[0], &p->out[0].shape, &p->in[1].shape, &a->c, NULL));
    return prepare(p, &f, false, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct gan__fold f = gan__fold_flipped(
        gan__fold_describe(&p->in[0], &p->out[0].shape, &p->in[1].shape, &a->conv.c, a));
    return prepare(p, &f, false, err);
}

static gan_status prepare_weight(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct gan__fold f = gan__fold_flipped(
        gan__fold_describe(&p->in[0], &p->in[1].shape, &p->out[0].shape, &a->c, NULL));
    return prepare(p, &f, true, err);
}

/* clang-format off */
GAN_KERNEL(cpu, conv2d_input_grad, fold) = {
    .backend = "cpu", .op = "conv2d_input_grad", .variant = "cpu.fold",
    .match = match_data, .prepare = prepare_data, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_input_grad_post, fold) = {
    .backend = "cpu", .op = "conv2d_input_grad_post", .variant = "cpu.fold",
    .match = match_data, .prepare = prepare_data_post, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d, fold) = {
    .backend = "cpu", .op = "conv2d", .variant = "cpu.fold",
    .match = match_forward, .prepare = prepare_forward, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_post, fold) = {
    .backend = "cpu", .op = "conv2d_post", .variant = "cpu.fold",
    .match = match_forward, .prepare = prepare_forward_post, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_weight_grad, fold) = {
    .backend = "cpu", .op = "conv2d_weight_grad", .variant = "cpu.fold",
    .match = match_weight, .prepare = prepare_weight, .run = weight_run, .release = release,
};
