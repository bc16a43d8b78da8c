/* dnnl_unfold.c: bf16 weight gradients of convolutions with few results and many weights, as one
 * product.
 *
 * In the inner layers of a U-Net 4 to 1000 results meet millions of weights, and what costs is the
 * memory of the gradient: the library's convolution writes it in an order of its own, once for each
 * thread. Here row p of X holds what result p saw of the image, in the order i, kh, kw of the
 * store's weights, and dW [O, I kh kw] = dY^T X is written once, in place. */
#include "dnnl_compat.h"

#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/blocks.h"
#include "kernel.h"
#include <gan/plan.h>

#include <omp.h>

enum {
    MOST_RESULTS = 1024, /* beyond, X costs more than it saves */
    LEAST_COLUMNS = 1024,
    MOST_TAPS = 64,
};

struct unfold {
    struct gan__dnnl_step gemm;
    const uint16_t *zeros; /* one place outside the image */
    size_t rows_bytes;     /* of X */
    struct gan_conv c;
    int64_t n, h, w, i, oh, ow, kh, kw;
    int threads;
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
    if (n_in != 2 || in[0].dtype != GAN_BF16 || !gan__match_mixed(in, n_in, out, n_out, 2, false) ||
        a->c.groups > 1) {
        return false;
    }
    const gan_shape *y = &in[1].shape, *w = &out[0].shape;
    const int64_t taps = w->dim[2] * w->dim[3], results = y->dim[0] * y->dim[1] * y->dim[2];
    return results <= MOST_RESULTS && taps > 1 && taps <= MOST_TAPS &&
           w->dim[1] % GAN_BLOCKS_LANES == 0 && w->dim[1] * taps >= LEAST_COLUMNS &&
           w->dim[0] >= GAN_BLOCKS_LANES;
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const gan_shape *x = &p->in[0].shape, *y = &p->in[1].shape, *w = &p->out[0].shape;
    const struct gan__attr_conv *a = p->attr;
    struct unfold *u = gan__arena_alloc(p->arena, sizeof *u);
    uint16_t *zeros = gan__arena_array(p->arena, (size_t)x->dim[3], sizeof *zeros);
    if (u == NULL || zeros == NULL) {
        return gan__fail_nomem(err, sizeof *u, "a convolution");
    }
    *u = (struct unfold){.zeros = zeros,
                         .c = a->c,
                         .n = x->dim[0],
                         .h = x->dim[1],
                         .w = x->dim[2],
                         .i = x->dim[3],
                         .oh = y->dim[1],
                         .ow = y->dim[2],
                         .kh = w->dim[2],
                         .kw = w->dim[3],
                         .threads = p->threads > 1 ? p->threads : 1};
    const struct gan__dnnl_gemm g = {.m = w->dim[0],
                                     .n = u->i * u->kh * u->kw,
                                     .k = u->n * u->oh * u->ow,
                                     .ta = true,
                                     .half = true};
    u->rows_bytes = ((size_t)(g.n * g.k) * sizeof *zeros + 63) / 64 * 64;
    size_t scratch = 0;
    int old = gan__threads_set(p->threads);
    gan_status st = gan__dnnl_gemm_init(&u->gemm, &g, &scratch, err);
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(u);
        return st;
    }
    p->ctx = u;
    p->scratch_bytes = u->rows_bytes + scratch;
    return GAN_OK;
}

/* Where the taps of result p lie in x. */
static void window(const struct unfold *u, const uint16_t *x, int64_t p, const uint16_t **rows)
{
    const int64_t n = p / (u->oh * u->ow), rest = p % (u->oh * u->ow);
    const int64_t top = rest / u->ow * at_least_1(u->c.stride_h) - u->c.pad_top;
    const int64_t left = rest % u->ow * at_least_1(u->c.stride_w) - u->c.pad_left;
    for (int64_t i = 0; i < u->kh; i++) {
        for (int64_t j = 0; j < u->kw; j++) {
            const int64_t h = top + i * at_least_1(u->c.dilation_h);
            const int64_t w = left + j * at_least_1(u->c.dilation_w);
            const bool inside = h >= 0 && h < u->h && w >= 0 && w < u->w;
            *rows++ = inside ? x + ((n * u->h + h) * u->w + w) * u->i : u->zeros;
        }
    }
}

static void run(const struct gan__call *c)
{
    struct unfold *u = c->ctx;
    const struct gan__block_lanes *lanes = gan__block_lanes();
    const int64_t taps = u->kh * u->kw, results = u->n * u->oh * u->ow;
    uint16_t *columns = c->scratch;
#pragma omp parallel for schedule(static) num_threads(u->threads)
    for (int64_t p = 0; p < results; p++) {
        const uint16_t *rows[MOST_TAPS];
        window(u, c->in[0].data, p, rows);
        lanes->unfold(rows, taps, u->i, columns + p * taps * u->i);
    }
    void *spare = (char *)c->scratch + u->rows_bytes;
    gan__dnnl_step_run(&u->gemm, (void *[]){c->in[1].data, columns, c->out[0].data, spare});
}

GAN_KERNEL(cpu, conv2d_weight_grad, unfold) = {.backend = "cpu",
                                               .op = "conv2d_weight_grad",
                                               .rank = 1,
                                               .variant = "unfold",
                                               .match = match,
                                               .prepare = prepare,
                                               .run = run,
                                               .release = release};
