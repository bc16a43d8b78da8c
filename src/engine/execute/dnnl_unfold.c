/* dnnl_unfold.c: weight gradients of convolutions with few results and many weights, in bf16 or f32, as
 * one product.
 *
 * In the inner layers of a U-Net 4 to 1000 results meet millions of weights, and what costs is the
 * memory of the gradient: the library's convolution writes it in an order of its own, once for each
 * thread. Here row p of X holds what result p saw of the image, in the order i, kh, kw of the
 * store's weights, and dW [O, I kh kw] = dY^T X is written once, in place. */
#include "dnnl_compat.h"

#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/blocks.h"
#include "kernel.h"
#include <gan/plan.h>

#include <omp.h>

enum {
    MOST_RESULTS = 1024,    /* beyond, X costs more than it saves */
    MOST_RESULTS_F32 = 256, /* ... and here sooner: the library writes this type in place */
    MOST_FORWARD = 64,
    LEAST_COLUMNS = 1024,
    LEAST_WEIGHTS = 1 << 20,
    MOST_TAPS = 64,
};

struct unfold {
    struct gan__dnnl_step gemm;
    const void *zeros; /* one place outside the image */
    size_t rows_bytes; /* of X */
    struct gan_conv c;
    int64_t n, h, w, i, oh, ow, kh, kw;
    bool half;
    int threads;
    const struct gan__attr_post *post; /* forward, NULL for nothing */
};

static int64_t at_least_1(int64_t v)
{
    return v > 0 ? v : 1;
}

static void release(void *ctx)
{
    struct unfold *u = ctx;
    gan__dnnl_step_release(&u->gemm);
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    const struct gan__attr_conv *a = attr;
    if (n_in != 2 || !gan__match_mixed(in, n_in, out, n_out, 2, false) || a->c.groups > 1) {
        return false;
    }
    const gan_shape *y = &in[1].shape, *w = &out[0].shape;
    const int64_t taps = w->dim[2] * w->dim[3], results = y->dim[0] * y->dim[1] * y->dim[2];
    const int64_t most = in[0].dtype == GAN_BF16 ? MOST_RESULTS : MOST_RESULTS_F32;
    return results <= most && taps > 1 && taps <= MOST_TAPS && w->dim[1] % GAN_BLOCKS_LANES == 0 &&
           w->dim[1] * taps >= LEAST_COLUMNS && w->dim[0] >= GAN_BLOCKS_LANES;
}

/* x -> y with weights w; the product is made by the caller. */
static gan_status prepare_rows(struct gan__prepare *p, const struct gan_conv *c, const gan_shape *y,
                               const gan_shape *w, const struct gan__dnnl_gemm *g, gan_err *err)
{
    const gan_shape *x = &p->in[0].shape;
    struct unfold *u = gan__arena_alloc(p->arena, sizeof *u);
    float *zeros = gan__arena_array(p->arena, (size_t)x->dim[3], sizeof *zeros);
    if (u == NULL || zeros == NULL) {
        return gan__fail_nomem(err, sizeof *u, "a convolution");
    }
    *u = (struct unfold){.zeros = zeros,
                         .half = g->half,
                         .c = *c,
                         .n = x->dim[0],
                         .h = x->dim[1],
                         .w = x->dim[2],
                         .i = x->dim[3],
                         .oh = y->dim[1],
                         .ow = y->dim[2],
                         .kh = w->dim[2],
                         .kw = w->dim[3],
                         .threads = p->threads > 1 ? p->threads : 1};
    const int64_t numbers = u->n * u->oh * u->ow * u->i * u->kh * u->kw;
    u->rows_bytes = ((size_t)numbers * (u->half ? 2 : 4) + 63) / 64 * 64;
    size_t scratch = 0;
    int old = gan__threads_set(p->threads);
    gan_status st = gan__dnnl_gemm_init(&u->gemm, g, &scratch, err);
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(u);
        return st;
    }
    p->ctx = u;
    p->scratch_bytes = u->rows_bytes + scratch;
    return GAN_OK;
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const gan_shape *y = &p->in[1].shape, *w = &p->out[0].shape;
    const struct gan__attr_conv *a = p->attr;
    const struct gan__dnnl_gemm g = {.m = w->dim[0],
                                     .n = w->dim[1] * w->dim[2] * w->dim[3],
                                     .k = y->dim[0] * y->dim[1] * y->dim[2],
                                     .ta = true,
                                     .half = p->in[0].dtype == GAN_BF16};
    return prepare_rows(p, &a->c, y, w, &g, err);
}

/* Where the taps of result p lie in x. */
static void window(const struct unfold *u, const char *x, int64_t p, const void **rows)
{
    const int64_t n = p / (u->oh * u->ow), rest = p % (u->oh * u->ow);
    const int64_t top = rest / u->ow * at_least_1(u->c.stride_h) - u->c.pad_top;
    const int64_t size = u->i * (u->half ? 2 : 4);
    const int64_t left = rest % u->ow * at_least_1(u->c.stride_w) - u->c.pad_left;
    for (int64_t i = 0; i < u->kh; i++) {
        for (int64_t j = 0; j < u->kw; j++) {
            const int64_t h = top + i * at_least_1(u->c.dilation_h);
            const int64_t w = left + j * at_least_1(u->c.dilation_w);
            const bool inside = h >= 0 && h < u->h && w >= 0 && w < u->w;
            *rows++ = inside ? x + ((n * u->h + h) * u->w + w) * size : u->zeros;
        }
    }
}

/* Rows of X for all results, at the start of the scratch memory. */
static void unfold(const struct unfold *u, const struct gan__call *c)
{
    const struct gan__block_lanes *lanes = gan__block_lanes();
    const int64_t taps = u->kh * u->kw, results = u->n * u->oh * u->ow;
    void *columns = c->scratch;
#pragma omp parallel for schedule(static) num_threads(u->threads)
    for (int64_t p = 0; p < results; p++) {
        const void *rows[MOST_TAPS];
        const int64_t at = p * taps * u->i;
        window(u, c->in[0].data, p, rows);
        if (u->half) {
            lanes->unfold((const uint16_t *const *)rows, taps, u->i, (uint16_t *)columns + at);
        } else {
            lanes->unfold_words((const float *const *)rows, taps, u->i, (float *)columns + at);
        }
    }
}

static void run(const struct gan__call *c)
{
    struct unfold *u = c->ctx;
    void *spare = (char *)c->scratch + u->rows_bytes;
    unfold(u, c);
    gan__dnnl_step_run(&u->gemm, (void *[]){c->in[1].data, c->scratch, c->out[0].data, spare});
}

/* --- forward ------------------------------------------------------------------------------------ */

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr; /* the post attribute begins with it */
    if (n_in < 2 || in[0].dtype != GAN_F32 || !gan__match_mixed(in, n_in, out, n_out, 1, false) ||
        a->c.groups > 1) {
        return false;
    }
    const gan_shape *y = &out[0].shape, *w = &in[1].shape;
    const int64_t taps = w->dim[2] * w->dim[3], results = y->dim[0] * y->dim[1] * y->dim[2];
    return results <= MOST_FORWARD && taps > 1 && taps <= MOST_TAPS &&
           w->dim[1] % GAN_BLOCKS_LANES == 0 && w->dim[0] * w->dim[1] * taps >= LEAST_WEIGHTS;
}

static gan_status prepare_product(struct gan__prepare *p, const struct gan_conv *c,
                                  const struct gan__attr_post *post, gan_err *err)
{
    const gan_shape *y = &p->out[0].shape, *w = &p->in[1].shape;
    const struct gan__dnnl_gemm g = {.m = y->dim[0] * y->dim[1] * y->dim[2],
                                     .n = w->dim[0],
                                     .k = w->dim[1] * w->dim[2] * w->dim[3],
                                     .tb = true};
    GAN_TRY(prepare_rows(p, c, y, w, &g, err));
    ((struct unfold *)p->ctx)->post = post;
    return GAN_OK;
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare_product(p, &a->c, NULL, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare_product(p, &a->conv.c, a, err);
}

static void run_forward(const struct gan__call *c)
{
    struct unfold *u = c->ctx;
    void *spare = (char *)c->scratch + u->rows_bytes;
    unfold(u, c);
    gan__dnnl_step_run(&u->gemm, (void *[]){c->scratch, c->in[1].data, c->out[0].data, spare});
    if (u->post != NULL) {
        gan__cpu_post(u->post, c->out[0].data, u->n * u->oh * u->ow, c->out[0].shape.dim[3],
                      c->n_in > 2 ? c->in[2].data : NULL);
    }
}

GAN_KERNEL(cpu, conv2d, unfold) = {.backend = "cpu",
                                   .op = "conv2d",
                                   .rank = 1,
                                   .variant = "cpu.unfold",
                                   .match = match_forward,
                                   .prepare = prepare_forward,
                                   .run = run_forward,
                                   .release = release};

GAN_KERNEL(cpu, conv2d_post, unfold) = {.backend = "cpu",
                                        .op = "conv2d_post",
                                        .rank = 1,
                                        .variant = "cpu.unfold",
                                        .match = match_forward,
                                        .prepare = prepare_forward_post,
                                        .run = run_forward,
                                        .release = release};

GAN_KERNEL(cpu, conv2d_weight_grad, unfold) = {.backend = "cpu",
                                               .op = "conv2d_weight_grad",
                                               .rank = 1,
                                               .variant = "cpu.unfold",
                                               .match = match,
                                               .prepare = prepare,
                                               .run = run,
                                               .release = release};
