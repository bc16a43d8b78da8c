/* op_post.c: convolutions and products with the bias and activation that follow them. Made by
 * pass_epilogue.c where a backend has a kernel; the reference kernels say what they mean. */
#include "base/err.h"
#include "fused.h"

#include <math.h>

extern const struct gan__op gan__op_conv2d, gan__op_conv2d_input_grad, gan__op_matmul,
    gan__op_conv2d_post, gan__op_conv2d_input_grad_post, gan__op_matmul_post;

static double activate(double x, const struct gan__attr_post *a)
{
    switch ((enum gan__post_act)a->act) {
    case GAN_POST_RELU:
        return x > 0 || x != x ? x : 0;
    case GAN_POST_LEAKY:
        return x > 0 ? x : a->slope * x;
    case GAN_POST_TANH:
        return tanh(x);
    case GAN_POST_SIGMOID:
        return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
    case GAN_POST_NONE:
        break;
    }
    return x;
}

/* The heavy operation, then element by element. */
static void ref_post(const struct gan__call *c, const struct gan__op *heavy, const void *attr)
{
    const struct gan__attr_post *a = c->attr;
    struct gan__call first = *c;
    first.attr = attr;
    first.n_in = 2;
    heavy->ref(&first);
    const gan_shape *s = &c->out[0].shape;
    int64_t n = gan_shape_count(s), channels = s->rank > 0 ? s->dim[s->rank - 1] : 1;
    for (int64_t i = 0; i < n; i++) {
        double bias = a->has_bias ? gan_tensor_get(&c->in[2], i % channels) : 0;
        gan_tensor_set(&c->out[0], i, activate(gan_tensor_get(&c->out[0], i) + bias, a));
    }
}

static void ref_conv(const struct gan__call *c)
{
    ref_post(c, &gan__op_conv2d, &((const struct gan__attr_post *)c->attr)->conv);
}

static void ref_conv_input_grad(const struct gan__call *c)
{
    ref_post(c, &gan__op_conv2d_input_grad, &((const struct gan__attr_post *)c->attr)->conv);
}

static void ref_matmul(const struct gan__call *c)
{
    const struct gan__attr_post *a = c->attr;
    struct gan__attr_matmul m = {a->ta, a->tb};
    ref_post(c, &gan__op_matmul, &m);
}

static double flops_conv(const struct gan__type *in, const struct gan__type *out, const void *attr)
{
    const struct gan__attr_post *a = attr;
    return gan__op_conv2d.flops(in, out, &a->conv);
}

static double flops_conv_input_grad(const struct gan__type *in, const struct gan__type *out,
                                    const void *attr)
{
    const struct gan__attr_post *a = attr;
    return gan__op_conv2d_input_grad.flops(in, out, &a->conv);
}

static double flops_matmul(const struct gan__type *in, const struct gan__type *out,
                           const void *attr)
{
    const struct gan__attr_post *a = attr;
    struct gan__attr_matmul m = {a->ta, a->tb};
    return gan__op_matmul.flops(in, out, &m);
}

static bool infer_post(struct gan__infer *c)
{
    return gan__infer_fail(c, GAN_E_INTERNAL, "epilogues are made by the compiler only");
}

GAN_OP(conv2d_post) = {
    .name = "conv2d_post",
    .doc = "conv2d with bias and activation",
    .n_in = -1,
    .n_out = 1,
    .flags = GAN_OP_INTERNAL | GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_post),
    .infer = infer_post,
    .ref = ref_conv,
    .flops = flops_conv,
};

GAN_OP(conv2d_input_grad_post) = {
    .name = "conv2d_input_grad_post",
    .doc = "conv2d_input_grad with bias and activation",
    .n_in = -1,
    .n_out = 1,
    .flags = GAN_OP_INTERNAL | GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_post),
    .infer = infer_post,
    .ref = ref_conv_input_grad,
    .flops = flops_conv_input_grad,
};

GAN_OP(matmul_post) = {
    .name = "matmul_post",
    .doc = "matmul with bias and activation",
    .n_in = -1,
    .n_out = 1,
    .flags = GAN_OP_INTERNAL | GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_post),
    .infer = infer_post,
    .ref = ref_matmul,
    .flops = flops_matmul,
};
