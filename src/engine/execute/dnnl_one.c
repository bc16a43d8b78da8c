/* dnnl_one.c: bf16 convolutions into one channel: last layers of gray images and of critics, and the data
 * gradient of first layers.
 *
 * The fold (dnnl_fold.c) multiplies pixels of the wide image A by all taps, 16 columns at a time, and
 * adds short runs up. With one channel 9 taps would fill 16 columns badly and runs are 3 or 4 numbers.
 * Here the product is turned: rows are taps, lanes are pixels. A's pixels are turned 32 at a time in
 * registers, T [tap][pixel] stays in the second cache, and a row of B is the sum of rows of T, each moved
 * by its tap. With a stride, columns of B that have the same remainder are one row of such sums. */
#include "dnnl_fold.h"

#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/half.h"
#include "engine/kernels/lanes.h"

#include <omp.h>

enum {
    GROUP = GAN_HALF_GROUP,
    PANEL = GAN_HALF_PANEL,
    MOST_TAPS = 64,
    TAPS_BYTES = 192 * 1024 /* of T, about */
};

struct one {
    struct gan__fold f;
    int64_t rows, blocks,
        ld; /* rows of B in one block, blocks in an image, numbers in a row of T */
    int64_t at[MOST_TAPS + GROUP];
    int64_t phase_of[MOST_TAPS],
        shift[MOST_TAPS];                    /* tap column j moves a row by shift, in its phase */
    size_t shared, turned, taps, phase, own; /* bytes of scratch */
    bool half;                               /* B is bf16 */
};

static size_t lines(int64_t bytes)
{
    return ((size_t)bytes + 63) / 64 * 64;
}

/* Rows first .. *end-1 of A touch rows r0 .. r1-1 of B; perhaps none. */
static int64_t touching(const struct gan__fold *f, int64_t r0, int64_t r1, int64_t *end)
{
    const int64_t low = r0 + f->pad_h - f->kh + 1, high = r1 - 1 + f->pad_h;
    const int64_t first = low > 0 ? (low + f->stride_h - 1) / f->stride_h : 0;
    *end = high < 0 ? 0 : high / f->stride_h + 1;
    *end = *end < f->ah ? *end : f->ah;
    return first;
}

static void divide_rows(struct one *k)
{
    const struct gan__fold *f = &k->f;
    const int64_t a_rows = TAPS_BYTES / (4 * f->kh * f->kw * f->aw);
    const int64_t most = (a_rows - 2) * f->stride_h - f->kh, parts = (f->threads + f->n - 1) / f->n;
    const int64_t share = (f->bh + parts - 1) / parts, limit = most < share ? most : share;
    k->blocks = limit > 1 ? (f->bh + limit - 1) / limit : f->bh;
    k->rows = (f->bh + k->blocks - 1) / k->blocks;
    k->blocks = (f->bh + k->rows - 1) / k->rows;
}

static gan_status prepare(struct gan__prepare *p, const struct gan__fold *f, gan_err *err)
{
    struct one *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution");
    }
    *k = (struct one){.f = *f, .half = p->out[0].dtype == GAN_BF16};
    k->f.threads = p->threads > 1 ? p->threads : 1;
    divide_rows(k);
    const int64_t taps = f->kh * f->kw, most = (k->rows + f->kh - 2) / f->stride_h + 2;
    k->ld = ((most < f->ah ? most : f->ah) * f->aw + PANEL - 1) / PANEL * PANEL;
    for (int64_t t = 0; t < taps; t++) {
        k->at[t] = t * f->ca / 2;
    }
    for (int64_t j = 0; j < f->kw; j++) { /* pixel q reaches column q * stride + j - pad */
        const int64_t s = f->stride_w, to = j - f->pad_w;
        k->phase_of[j] = (to % s + s) % s;
        k->shift[j] = (to - k->phase_of[j]) / s;
    }
    k->shared = lines(taps * f->ca * 2);
    k->turned = lines(f->ca / 2 * PANEL * 4);
    k->taps = lines((taps + GROUP) * k->ld * 4);
    k->phase = lines((f->bw / f->stride_w + 1) * 4);
    k->own = k->turned + k->taps + (size_t)f->stride_w * k->phase + lines(k->rows * f->bw * 4);
    p->ctx = k;
    p->scratch_bytes = k->shared + (size_t)k->f.threads * k->own;
    return GAN_OK;
}

/* T for pixels of A. */
static void multiply(const struct one *k, const uint16_t *a, int64_t pixels, const uint32_t *w,
                     uint32_t *turned, float *t)
{
    const struct gan__half_lanes *l = gan__half_lanes();
    for (int64_t q = 0; q < pixels; q += PANEL) {
        const int64_t n = pixels - q < PANEL ? pixels - q : PANEL;
        l->turn_pixels(a + q * k->f.ca, n, k->f.ca, turned);
        const struct gan__half_taps p = {.words = w,
                                         .at = k->at,
                                         .taps = k->f.kh * k->f.kw,
                                         .pair_step = 1,
                                         .rows = 1,
                                         .pairs = k->f.ca / 2,
                                         .b = turned,
                                         .n = n > PANEL / 2 ? PANEL : PANEL / 2,
                                         .c = t + q,
                                         .c_row = k->ld};
        l->taps(&p);
    }
}

/* What row r of B gets in its columns of remainder `phase`; a0, a1: rows of A that T holds. */
static int64_t segments_of(const struct one *k, const float *t, int64_t a0, int64_t a1, int64_t r,
                           int64_t phase, struct gan__half_segment *s)
{
    const struct gan__fold *f = &k->f;
    const int64_t i0 = (r + f->pad_h) % f->stride_h;
    int64_t n = 0, a = (r + f->pad_h) / f->stride_h;
    for (int64_t i = i0; i < f->kh && a >= a0; i += f->stride_h, a--) {
        for (int64_t j = 0; j < f->kw && a < a1; j++) {
            if (k->phase_of[j] == phase) {
                s[n++] = (struct gan__half_segment){t + (i * f->kw + j) * k->ld + (a - a0) * f->aw,
                                                    k->shift[j], k->shift[j] + f->aw};
            }
        }
    }
    return n;
}

/* Row r of B, before the activation. */
static void fold_row(const struct one *k, const float *t, int64_t a0, int64_t a1, int64_t r,
                     float bias, char *phases, float *dst)
{
    const struct gan__half_lanes *l = gan__half_lanes();
    const struct gan__fold *f = &k->f;
    const int64_t s = f->stride_w;
    struct gan__half_segment seg[MOST_TAPS];
    for (int64_t p = 0; p < s; p++) {
        float *to = s == 1 ? dst : (float *)(void *)(phases + (size_t)p * k->phase);
        const int64_t n = segments_of(k, t, a0, a1, r, p, seg);
        l->sum_segments(seg, n, bias, to, (f->bw - p + s - 1) / s);
        for (int64_t x = p; s > 2 && x < f->bw; x += s) {
            dst[x] = to[x / s];
        }
    }
    if (s == 2) {
        l->interleave((float *)(void *)phases, (float *)(void *)(phases + k->phase), dst, f->bw);
    }
}

/* Rows first .. first+rows-1 of B in one image. */
static void run_block(const struct one *k, const struct gan__call *c, int64_t image, int64_t first,
                      int64_t rows, char *own)
{
    const struct gan__fold *f = &k->f;
    const int64_t count = rows * f->bw, at = (image * f->bh + first) * f->bw;
    const float bias = c->n_in > 2 ? ((const float *)c->in[2].data)[0] : 0.0f;
    float *t = (float *)(void *)(own + k->turned);
    char *phases = own + k->turned + k->taps;
    float *sum = (float *)(void *)(phases + (size_t)f->stride_w * k->phase);
    float *dst = k->half ? sum : (float *)c->out[0].data + at;
    int64_t a1 = 0;
    const int64_t a0 = touching(f, first, first + rows, &a1);
    if (a0 < a1) {
        multiply(k, (const uint16_t *)c->in[0].data + (image * f->ah + a0) * f->aw * f->ca,
                 (a1 - a0) * f->aw, c->scratch, (uint32_t *)(void *)own, t);
    }
    for (int64_t r = 0; r < rows; r++) {
        fold_row(k, t, a0, a1, first + r, bias, phases, dst + r * f->bw);
    }
    if (f->post != NULL) {
        gan__cpu_activate(f->post, dst, count);
    }
    if (k->half) {
        gan__lanes()->to_bf16(dst, (uint16_t *)c->out[0].data + at, count);
    }
}

static void run(const struct gan__call *c)
{
    const struct one *k = c->ctx;
    const struct gan__fold *f = &k->f;
#pragma omp parallel num_threads(f->threads)
    {
        char *own = (char *)c->scratch + k->shared + (size_t)omp_get_thread_num() * k->own;
#pragma omp for schedule(static)
        for (int64_t t = 0; t < f->kh * f->kw; t++) {
            gan__fold_tap_weights(f, c->in[1].data, t, (uint16_t *)c->scratch + t * f->ca);
        }
#pragma omp for schedule(static)
        for (int64_t b = 0; b < f->n * k->blocks; b++) {
            const int64_t first = b % k->blocks * k->rows, left = f->bh - first;
            run_block(k, c, b / k->blocks, first, left < k->rows ? left : k->rows, own);
        }
    }
}

/* --- which convolutions ------------------------------------------------------------------------- */

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr, bool stride_1)
{
    if (n_in < 2 || n_out != 1) {
        return false;
    }
    const struct gan_conv *c = &((const struct gan__attr_conv *)attr)->c;
    const gan_shape *wide = &in[0].shape, *w = &in[1].shape;
    const int64_t taps = w->dim[2] * w->dim[3];
    return in[0].dtype == GAN_BF16 && in[1].dtype == GAN_F32 &&
           (out[0].dtype == GAN_F32 || out[0].dtype == GAN_BF16) && gan__half_lanes()->fast &&
           out[0].shape.dim[3] == 1 && wide->dim[3] % PANEL == 0 && wide->dim[3] <= GAN_FOLD_MOST &&
           taps > 1 && taps <= MOST_TAPS && gan_shape_count(wide) > 0 &&
           gan_shape_count(&out[0].shape) > 0 && c->groups <= 1 && c->dilation_h <= 1 &&
           c->dilation_w <= 1 && (!stride_1 || (c->stride_h <= 1 && c->stride_w <= 1));
}

static bool
match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
           const void *attr) /* the post attribute begins with that of the convolution */
{
    return match(in, n_in, out, n_out, attr, false);
}

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    return match(in, n_in, out, n_out, attr, true);
}

static struct gan__fold describe(const struct gan__prepare *p, const struct gan__attr_post *post)
{
    const struct gan__attr_conv *a = p->attr;
    return gan__fold_describe(&p->in[0], &p->out[0].shape, &p->in[1].shape, &a->c, post);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    const struct gan__fold f = describe(p, NULL);
    return prepare(p, &f, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__fold f = describe(p, p->attr);
    return prepare(p, &f, err);
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__fold f = gan__fold_flipped(describe(p, NULL));
    return prepare(p, &f, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__fold f = gan__fold_flipped(describe(p, p->attr));
    return prepare(p, &f, err);
}

/* clang-format off */
GAN_KERNEL(cpu, conv2d, one) = {
    .backend = "cpu", .op = "conv2d", .rank = -1, .variant = "cpu.one",
    .match = match_forward, .prepare = prepare_forward, .run = run,
};

GAN_KERNEL(cpu, conv2d_post, one) = {
    .backend = "cpu", .op = "conv2d_post", .rank = -1, .variant = "cpu.one",
    .match = match_forward, .prepare = prepare_forward_post, .run = run,
};

GAN_KERNEL(cpu, conv2d_input_grad, one) = {
    .backend = "cpu", .op = "conv2d_input_grad", .rank = -1, .variant = "cpu.one",
    .match = match_data, .prepare = prepare_data, .run = run,
};

GAN_KERNEL(cpu, conv2d_input_grad_post, one) = {
    .backend = "cpu", .op = "conv2d_input_grad_post", .rank = -1, .variant = "cpu.one",
    .match = match_data, .prepare = prepare_data_post, .run = run,
};
