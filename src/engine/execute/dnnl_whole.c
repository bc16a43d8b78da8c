/* dnnl_whole.c: convolutions whose kernel covers the whole image (first layer of a generator, last
 * layer of a discriminator) are matrix products over C*kh*kw.
 *
 * The images are N,(H W),C and the weights O,C,(H W). Either the images are transposed to
 * N,C,(H W), or the weights to O,(H W),C, whichever is less memory; the rest is one product. The
 * library's convolution of a 1x1 result keeps a fraction of its vectors busy. */
#include "dnnl_compat.h"

#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/copy.h"
#include "kernel.h"

#include <string.h>

enum direction { FORWARD, DATA, WEIGHTS };

struct whole {
    struct gan__dnnl_step gemm;
    const struct gan__attr_post *post;
    enum direction direction;
    int64_t n, area, ci, co; /* images [n,area,ci], results [n,co], weights [co,ci,area] */
    bool turn_images;        /* else the weights */
    size_t turned_bytes;
};

static void release(void *ctx)
{
    struct whole *k = ctx;
    gan__dnnl_step_release(&k->gemm);
}

/* [outer, rows, cols] -> [outer, cols, rows] */
static void turn(const float *src, float *dst, int64_t outer, int64_t rows, int64_t cols)
{
    struct gan__box b = {.rank = 3,
                         .dim = {outer, cols, rows},
                         .from = {rows * cols, 1, cols},
                         .to = {rows * cols, rows, 1}};
    gan__copy_box(&b, src, dst, sizeof(float));
}

static gan_status prepare(struct gan__prepare *p, enum direction direction, const gan_shape *x,
                          int64_t co, const struct gan__attr_post *post, gan_err *err)
{
    struct whole *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution");
    }
    *k = (struct whole){.post = post,
                        .direction = direction,
                        .n = x->dim[0],
                        .area = x->dim[1] * x->dim[2],
                        .ci = x->dim[3],
                        .co = co};
    const int64_t inner = k->area * k->ci;
    k->turn_images = k->n < k->co;
    k->turned_bytes = (size_t)((k->turn_images ? k->n : k->co) * inner + 15) / 16 * 64;
    struct gan__dnnl_gemm g = {.m = k->n, .n = k->co, .k = inner, .tb = true};
    if (direction == DATA) {
        g = (struct gan__dnnl_gemm){.m = k->n, .n = inner, .k = k->co};
    } else if (direction == WEIGHTS) {
        g = (struct gan__dnnl_gemm){.m = k->co, .n = inner, .k = k->n, .ta = true};
    }
    size_t scratch = 0;
    int old = gan__threads_set(p->threads);
    gan_status st = gan__dnnl_gemm_init(&k->gemm, &g, &scratch, err);
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(k);
        return st;
    }
    p->ctx = k;
    p->scratch_bytes = k->turned_bytes + scratch;
    return GAN_OK;
}

static void run(const struct gan__call *c)
{
    struct whole *k = c->ctx;
    float *turned = c->scratch, *a = c->in[0].data, *b = c->in[1].data, *y = c->out[0].data;
    void *spare = (char *)c->scratch + k->turned_bytes;
    if (k->turn_images && k->direction != DATA) {
        turn(a, turned, k->n, k->area, k->ci);
    } else if (!k->turn_images && k->direction != WEIGHTS) {
        turn(b, turned, k->co, k->ci, k->area);
    }
    switch (k->direction) {
    case FORWARD:
        gan__dnnl_step_run(&k->gemm, k->turn_images ? (void *[]){turned, b, y, spare}
                                                    : (void *[]){a, turned, y, spare});
        break;
    case DATA:
        gan__dnnl_step_run(&k->gemm, k->turn_images ? (void *[]){a, b, turned, spare}
                                                    : (void *[]){a, turned, y, spare});
        if (k->turn_images) {
            turn(turned, y, k->n, k->ci, k->area);
        }
        break;
    case WEIGHTS: /* a = images, b = results */
        gan__dnnl_step_run(&k->gemm, k->turn_images ? (void *[]){b, turned, y, spare}
                                                    : (void *[]){b, a, turned, spare});
        if (!k->turn_images) {
            turn(turned, y, k->co, k->area, k->ci);
        }
        break;
    }
    if (k->post != NULL) {
        int64_t rows = k->direction == DATA ? k->n * k->area : k->n;
        gan__cpu_post(k->post, y, rows, k->direction == DATA ? k->ci : k->co,
                      c->n_in > 2 ? c->in[2].data : NULL);
    }
}

/* --- which convolutions ------------------------------------------------------------------------- */

static bool covers(const struct gan__type *x, const struct gan__type *w, const struct gan__type *y,
                   const struct gan_conv *c)
{
    const gan_shape *s = &x->shape, *k = &w->shape;
    return x->dtype == GAN_F32 && w->dtype == GAN_F32 && y->dtype == GAN_F32 &&
           gan_shape_count(s) > 0 && gan_shape_count(k) > 0 && c->groups <= 1 &&
           c->dilation_h <= 1 && c->dilation_w <= 1 && c->pad_top == 0 && c->pad_bottom == 0 &&
           c->pad_left == 0 && c->pad_right == 0 && s->dim[1] == k->dim[2] &&
           s->dim[2] == k->dim[3] && s->dim[1] * s->dim[2] > 1;
}

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr; /* the post attribute begins with it */
    return n_in >= 2 && n_out == 1 && covers(&in[0], &in[1], &out[0], &a->c);
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in >= 2 && n_out == 1 && covers(&out[0], &in[1], &in[0], &a->c);
}

static bool match_weight(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in == 2 && n_out == 1 && covers(&in[0], &out[0], &in[1], &a->c);
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    return prepare(p, FORWARD, &p->in[0].shape, p->out[0].shape.dim[3], NULL, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    return prepare(p, FORWARD, &p->in[0].shape, p->out[0].shape.dim[3], p->attr, err);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    return prepare(p, DATA, &p->out[0].shape, p->in[0].shape.dim[3], NULL, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    return prepare(p, DATA, &p->out[0].shape, p->in[0].shape.dim[3], p->attr, err);
}

static gan_status prepare_weight(struct gan__prepare *p, gan_err *err)
{
    return prepare(p, WEIGHTS, &p->in[0].shape, p->in[1].shape.dim[3], NULL, err);
}

/* clang-format off */
GAN_KERNEL(cpu, conv2d, whole) = {
    .backend = "cpu", .op = "conv2d", .rank = -1,
    .match = match_forward, .prepare = prepare_forward, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_post, whole) = {
    .backend = "cpu", .op = "conv2d_post", .rank = -1,
    .match = match_forward, .prepare = prepare_forward_post, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_input_grad, whole) = {
    .backend = "cpu", .op = "conv2d_input_grad", .rank = -1,
    .match = match_data, .prepare = prepare_data, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_input_grad_post, whole) = {
    .backend = "cpu", .op = "conv2d_input_grad_post", .rank = -1,
    .match = match_data, .prepare = prepare_data_post, .run = run, .release = release,
};

GAN_KERNEL(cpu, conv2d_weight_grad, whole) = {
    .backend = "cpu", .op = "conv2d_weight_grad", .rank = -1,
    .match = match_weight, .prepare = prepare_weight, .run = run, .release = release,
};
