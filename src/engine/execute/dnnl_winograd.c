/* dnnl_winograd.c: 3x3 convolutions of stride 1 by the library's Winograd F(4x4,3x3).
 *
 * Each 4x4 tile of results takes 36 products instead of 144. The library offers it in its blocked
 * layout only, so the images are reordered into scratch and back: compulsory bytes against a fourth
 * of the products. Measured on two cores (Zen 4, oneDNN 2.6, effective GFLOP/s of the direct sum):
 * 119 -> 229 at 256 channels 32x32 batch 1, 117 -> 267 at 128 channels 32x32 batch 4, 140 -> 284 at
 * 64 channels 64x64 batch 16, gradients alike. Accuracy: the transforms lose about a digit; results
 * stay within 5e-6 of the largest one (tests/unit/test_winograd.c).
 * Ref: Lavin and Gray 2016, arXiv:1509.09308. */
#include "dnnl_compat.h"

#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "kernel.h"

#include <string.h>

/* Below these the transforms cost more than they save. */
enum { LEAST_CHANNELS = 32, LEAST_PIXELS = 8 * 8, BLOCK = 16 };
#define LEAST_FLOPS 1e8

enum { OPERANDS = 3 };

struct winograd {
    struct gan__dnnl_step turn[OPERANDS]; /* to the primitive's layout; the result: back */
    struct gan__dnnl_step main;
    size_t bytes[OPERANDS]; /* of the operands in scratch */
    const struct gan__attr_post *post;
};

/* One convolution: images x [n,h,w,i], y [n,oh,ow,o]. */
struct problem {
    enum gan__dnnl_direction direction;
    const gan_shape *x, *y;
    struct gan_conv c;
};

static gan__md *image_md(const gan_shape *s, bool plain)
{
    const int64_t n = s->dim[0], h = s->dim[1], w = s->dim[2], c = s->dim[3];
    return gan__md_new(4, (int64_t[]){n, c, h, w},
                       plain ? (int64_t[]){h * w * c, 1, w * c, c} : NULL);
}

static gan__md *weight_md(const struct problem *p, bool plain)
{
    const int64_t o = p->y->dim[3], i = p->x->dim[3];
    return gan__md_new(4, (int64_t[]){o, i, 3, 3}, plain ? (int64_t[]){i * 9, 9, 3, 1} : NULL);
}

/* The library's primitive, NULL where it has none (other CPUs, versions 3.x). */
static dnnl_primitive_desc_t describe(const struct problem *p)
{
    struct gan__dnnl_geometry geo = {.stride = {1, 1},
                                     .pad_before = {p->c.pad_top, p->c.pad_left},
                                     .pad_after = {p->c.pad_bottom, p->c.pad_right},
                                     .winograd = true};
    dnnl_primitive_attr_t attr = gan__dnnl_attr(NULL, false);
    gan__md *x = image_md(p->x, false), *y = image_md(p->y, false), *w = weight_md(p, false);
    dnnl_primitive_desc_t pd = NULL;
    if (attr != NULL && x != NULL && y != NULL && w != NULL) {
        pd = gan__dnnl_conv_pd(p->direction, x, w, NULL, y, &geo, attr, NULL);
    }
    if (attr != NULL) {
        dnnl_primitive_attr_destroy(attr);
    }
    gan__md_free(x);
    gan__md_free(y);
    gan__md_free(w);
    return pd;
}

/* --- match ------------------------------------------------------------------------------------ */

static bool worth(const struct problem *p, const gan_shape *w)
{
    const struct gan_conv *c = &p->c;
    const int64_t i = p->x->dim[3], o = p->y->dim[3];
    const double flops = 18.0 * (double)i * (double)o * (double)p->y->dim[0] *
                         (double)p->y->dim[1] * (double)p->y->dim[2];
    return w->dim[2] == 3 && w->dim[3] == 3 && w->dim[1] == i && c->stride_h <= 1 &&
           c->stride_w <= 1 && c->dilation_h <= 1 && c->dilation_w <= 1 && c->groups <= 1 &&
           c->pad_top <= 1 && c->pad_top == c->pad_bottom && c->pad_left <= 1 &&
           c->pad_left == c->pad_right && /* its data gradient is wrong where they differ */
           i >= LEAST_CHANNELS && o >= LEAST_CHANNELS && i % BLOCK == 0 && o % BLOCK == 0 &&
           p->y->dim[1] * p->y->dim[2] >= LEAST_PIXELS && flops >= LEAST_FLOPS;
}

static bool serves(const struct gan__type *in, int n_in, const struct gan__type *out,
                   const struct problem *p, const gan_shape *w)
{
    bool ok = out[0].dtype == GAN_F32;
    for (int k = 0; k < n_in; k++) {
        ok = ok && in[k].dtype == GAN_F32;
    }
    if (!ok || !worth(p, w)) {
        return false;
    }
    dnnl_primitive_desc_t pd = describe(p);
    if (pd != NULL) {
        dnnl_primitive_desc_destroy(pd);
    }
    return pd != NULL;
}

static struct problem forward(const struct gan__type *in, const struct gan__type *out,
                              const struct gan__attr_conv *a)
{
    return (struct problem){GAN_DNNL_FORWARD, &in[0].shape, &out[0].shape, a->c};
}

static struct problem data(const struct gan__type *in, const struct gan__type *out,
                           const struct gan__attr_conv *a)
{
    return (struct problem){GAN_DNNL_DATA, &out[0].shape, &in[0].shape, a->c};
}

static struct problem weights(const struct gan__type *in, const struct gan__attr_conv *a)
{
    return (struct problem){GAN_DNNL_WEIGHTS, &in[0].shape, &in[1].shape, a->c};
}

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    (void)n_out;
    struct problem p = forward(in, out, attr);
    return serves(in, n_in, out, &p, &in[1].shape);
}

static bool match_forward_post(const struct gan__type *in, int n_in, const struct gan__type *out,
                               int n_out, const void *attr)
{
    const struct gan__attr_post *a = attr;
    return match_forward(in, n_in, out, n_out, &a->conv);
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    (void)n_out;
    struct problem p = data(in, out, attr);
    return serves(in, n_in, out, &p, &in[1].shape);
}

static bool match_data_post(const struct gan__type *in, int n_in, const struct gan__type *out,
                            int n_out, const void *attr)
{
    const struct gan__attr_post *a = attr;
    return match_data(in, n_in, out, n_out, &a->conv);
}

static bool match_weights(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    (void)n_out;
    struct problem p = weights(in, attr);
    return serves(in, n_in, out, &p, &out[0].shape);
}

/* --- prepare ---------------------------------------------------------------------------------- */

static void release(void *ctx)
{
    struct winograd *k = ctx;
    for (int i = 0; i < OPERANDS; i++) {
        gan__dnnl_step_release(&k->turn[i]);
    }
    gan__dnnl_step_release(&k->main);
}

static size_t scratch_of(const_dnnl_primitive_desc_t pd)
{
    return gan__md_bytes(dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
}

/* A step from one descriptor to the other: arguments from, to, scratch. */
static gan_status make_turn(struct gan__dnnl_step *s, const gan__md *from, const gan__md *to,
                            size_t *scratch, gan_err *err)
{
    dnnl_primitive_desc_t pd = gan__dnnl_reorder_pd(from, to);
    if (pd == NULL) {
        return gan__dnnl_fail(err, "a reorder for Winograd");
    }
    size_t bytes = scratch_of(pd);
    gan_status st = gan__dnnl_step_init(s, pd, err);
    const struct {
        int arg;
        const gan__md *md;
    } args[] = {
        {DNNL_ARG_FROM, from},
        {DNNL_ARG_TO, to},
        {DNNL_ARG_SCRATCHPAD, dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0)}};
    for (int i = 0; i < 3 && st == GAN_OK; i++) {
        st = gan__dnnl_step_arg(s, args[i].arg, args[i].md, err);
    }
    *scratch = bytes > *scratch ? bytes : *scratch;
    dnnl_primitive_desc_destroy(pd);
    return st;
}

/* Operands of the primitive in the order of the op: two inputs, then the result. */
static const struct {
    int arg;
    dnnl_query_t query;
} operand[3][OPERANDS] = {
    [GAN_DNNL_FORWARD] = {{DNNL_ARG_SRC, dnnl_query_src_md},
                          {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                          {DNNL_ARG_DST, dnnl_query_dst_md}},
    [GAN_DNNL_DATA] = {{DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                       {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                       {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md}},
    [GAN_DNNL_WEIGHTS] = {{DNNL_ARG_SRC, dnnl_query_src_md},
                          {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                          {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md}},
};

static gan_status make(struct winograd *k, const struct problem *p, dnnl_primitive_desc_t pd,
                       size_t *scratch, gan_err *err)
{
    gan__md *plain[OPERANDS] = {NULL, NULL, NULL};
    plain[0] = image_md(p->direction == GAN_DNNL_DATA ? p->y : p->x, true);
    plain[1] = p->direction == GAN_DNNL_WEIGHTS ? image_md(p->y, true) : weight_md(p, true);
    plain[2] = p->direction == GAN_DNNL_WEIGHTS
                   ? weight_md(p, true)
                   : image_md(p->direction == GAN_DNNL_DATA ? p->x : p->y, true);
    *scratch = scratch_of(pd);
    gan_status st = gan__dnnl_step_init(&k->main, pd, err);
    for (int i = 0; i < OPERANDS && st == GAN_OK; i++) {
        const gan__md *own = dnnl_primitive_desc_query_md(pd, operand[p->direction][i].query, 0);
        st = plain[i] != NULL ? gan__dnnl_step_arg(&k->main, operand[p->direction][i].arg, own, err)
                              : gan__fail_nomem(err, sizeof(dnnl_dims_t), "a memory descriptor");
        if (st == GAN_OK) {
            k->bytes[i] = gan__md_bytes(own);
            st = i < 2 ? make_turn(&k->turn[i], plain[i], own, scratch, err)
                       : make_turn(&k->turn[i], own, plain[i], scratch, err);
        }
    }
    if (st == GAN_OK) {
        st = gan__dnnl_step_arg(&k->main, DNNL_ARG_SCRATCHPAD,
                                dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0), err);
    }
    for (int i = 0; i < OPERANDS; i++) {
        gan__md_free(plain[i]);
    }
    return st;
}

static gan_status prepare(struct gan__prepare *p, const struct problem *problem,
                          const struct gan__attr_post *post, gan_err *err)
{
    struct winograd *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution");
    }
    k->post = post;
    int old = gan__threads_set(p->threads);
    dnnl_primitive_desc_t pd = describe(problem);
    size_t scratch = 0;
    gan_status st = pd != NULL ? make(k, problem, pd, &scratch, err)
                               : gan__dnnl_fail(err, "this convolution by Winograd");
    if (pd != NULL) {
        dnnl_primitive_desc_destroy(pd);
    }
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(k);
        return st;
    }
    p->ctx = k;
    p->scratch_bytes = k->bytes[0] + k->bytes[1] + k->bytes[2] + scratch;
    return GAN_OK;
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    struct problem w = forward(p->in, p->out, p->attr);
    return prepare(p, &w, NULL, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct problem w = forward(p->in, p->out, &a->conv);
    return prepare(p, &w, a, err);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    struct problem w = data(p->in, p->out, p->attr);
    return prepare(p, &w, NULL, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct problem w = data(p->in, p->out, &a->conv);
    return prepare(p, &w, a, err);
}

static gan_status prepare_weights(struct gan__prepare *p, gan_err *err)
{
    struct problem w = weights(p->in, p->attr);
    return prepare(p, &w, NULL, err);
}

/* --- run ---------------------------------------------------------------------------------------- */

static void run(const struct gan__call *c)
{
    struct winograd *k = c->ctx;
    char *own[OPERANDS], *at = c->scratch;
    for (int i = 0; i < OPERANDS; i++) {
        own[i] = at;
        at += k->bytes[i];
    }
    for (int i = 0; i < 2; i++) {
        gan__dnnl_step_run(&k->turn[i], (void *[]){c->in[i].data, own[i], at});
    }
    gan__dnnl_step_run(&k->main, (void *[]){own[0], own[1], own[2], at});
    gan__dnnl_step_run(&k->turn[2], (void *[]){own[2], c->out[0].data, at});
    if (k->post != NULL) {
        const int64_t channels = c->out[0].shape.dim[3];
        gan__cpu_post(k->post, c->out[0].data, gan_shape_count(&c->out[0].shape) / channels,
                      channels, c->n_in > 2 ? c->in[2].data : NULL);
    }
}

GAN_KERNEL(cpu, conv2d, winograd) = {.backend = "cpu",
                                     .op = "conv2d",
                                     .rank = 1,
                                     .variant = "cpu.winograd",
                                     .approximate = true,
                                     .match = match_forward,
                                     .prepare = prepare_forward,
                                     .run = run,
                                     .release = release};

GAN_KERNEL(cpu, conv2d_post, winograd) = {.backend = "cpu",
                                          .op = "conv2d_post",
                                          .rank = 1,
                                          .variant = "cpu.winograd",
                                          .approximate = true,
                                          .match = match_forward_post,
                                          .prepare = prepare_forward_post,
                                          .run = run,
                                          .release = release};

GAN_KERNEL(cpu, conv2d_input_grad, winograd) = {.backend = "cpu",
                                                .op = "conv2d_input_grad",
                                                .rank = 1,
                                                .variant = "cpu.winograd",
                                                .approximate = true,
                                                .match = match_data,
                                                .prepare = prepare_data,
                                                .run = run,
                                                .release = release};

GAN_KERNEL(cpu, conv2d_input_grad_post, winograd) = {.backend = "cpu",
                                                     .op = "conv2d_input_grad_post",
                                                     .rank = 1,
                                                     .variant = "cpu.winograd",
                                                     .approximate = true,
                                                     .match = match_data_post,
                                                     .prepare = prepare_data_post,
                                                     .run = run,
                                                     .release = release};

GAN_KERNEL(cpu, conv2d_weight_grad, winograd) = {.backend = "cpu",
                                                 .op = "conv2d_weight_grad",
                                                 .rank = 1,
                                                 .variant = "cpu.winograd",
                                                 .approximate = true,
                                                 .match = match_weights,
                                                 .prepare = prepare_weights,
                                                 .run = run,
                                                 .release = release};
