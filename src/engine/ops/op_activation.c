/* op_activation.c: sigmoid, tanh, softplus, relu, leaky_relu, elu.
 *
 * Rules use the forward value y: s' = y(1-y), tanh' = 1-y^2, and for the rectifiers y > 0 exactly
 * where x > 0 (slopes and alphas are not negative), so the input need not be kept. */
#include "ref_util.h"

#include <math.h>

/* --- sigmoid ---------------------------------------------------------------------------- */

/* The exponent is never positive, so nothing overflows. */
static double sigmoid_at(double x)
{
    double e = exp(-fabs(x));
    return x >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

static void sigmoid_ref(const struct gan__call *c)
{
    gan__ref_map1(c, sigmoid_at);
}

static void sigmoid_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_mul(c->g, c->dy,
                    gan_mul(c->g, c->y, gan_sub(c->g, gan__fill_like(c->g, c->y, 1.0), c->y)));
}

static const struct gan__case sigmoid_cases[] = {
    {"[3,5]", -4, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -4, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -4, 4, 2e-6, 1, NULL, NULL, 0, 0},
    {"[5]", -40, 40, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(sigmoid) = {
    .name = "sigmoid",
    .doc = "1 / (1 + e^-x)",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = sigmoid_vjp,
    .ref = sigmoid_ref,
    .cases = sigmoid_cases,
};

gan_val gan_sigmoid(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_sigmoid, &x, 1, NULL);
}

/* --- tanh ------------------------------------------------------------------------------- */

static double tanh_at(double x)
{
    return tanh(x);
}

static void tanh_ref(const struct gan__call *c)
{
    gan__ref_map1(c, tanh_at);
}

static void tanh_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_mul(c->g, c->dy,
                    gan_sub(c->g, gan__fill_like(c->g, c->y, 1.0), gan_square(c->g, c->y)));
}

static const struct gan__case tanh_cases[] = {
    {"[3,5]", -2, 2, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -2, 2, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -2, 2, 2e-6, 1, NULL, NULL, 0, 0},
    {"[5]", -50, 50, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(tanh) = {
    .name = "tanh",
    .doc = "hyperbolic tangent",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = tanh_vjp,
    .ref = tanh_ref,
    .cases = tanh_cases,
};

gan_val gan_tanh(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_tanh, &x, 1, NULL);
}

/* --- softplus --------------------------------------------------------------------------- */

/* log(1 + e^x) overflows for large x; this form does not. */
static double softplus_at(double x)
{
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

static void softplus_ref(const struct gan__call *c)
{
    gan__ref_map1(c, softplus_at);
}

static void softplus_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_mul(c->g, c->dy, gan_sigmoid(c->g, c->x[0]));
}

static const struct gan__case softplus_cases[] = {
    {"[3,5]", -4, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -4, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -4, 4, 2e-6, 1, NULL, NULL, 0, 0},
    {"[5]", -60, 60, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(softplus) = {
    .name = "softplus",
    .doc = "log(1 + e^x) in its stable form",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = softplus_vjp,
    .ref = softplus_ref,
    .cases = softplus_cases,
};

gan_val gan_softplus(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_softplus, &x, 1, NULL);
}

/* --- relu ------------------------------------------------------------------------------- */

static double relu_at(double x)
{
    return x > 0.0 || x != x ? x : 0.0;
}

static void relu_ref(const struct gan__call *c)
{
    gan__ref_map1(c, relu_at);
}

static void relu_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan__pass_where(c->g, gan_greater(c->g, c->y, gan__fill_like(c->g, c->y, 0.0)), c->dy);
}

static const struct gan__case relu_cases[] = {
    {"[3,5]", -2, 2, 0, 2, NULL, NULL, 0.05, 0},
    {"[1]", -2, 2, 0, 2, NULL, NULL, 0.05, 0},
    {"[2,37]", -2, 2, 0, 1, NULL, NULL, 0.05, 0},
    {0},
};

GAN_OP(relu) = {
    .name = "relu",
    .doc = "max(x, 0)",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = relu_vjp,
    .ref = relu_ref,
    .cases = relu_cases,
};

gan_val gan_relu(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_relu, &x, 1, NULL);
}

/* --- leaky_relu ------------------------------------------------------------------------- */

static double leaky_relu_at(double x, const struct gan__attr_num *n)
{
    return x > 0.0 ? x : n->a * x;
}

static void leaky_relu_ref(const struct gan__call *c)
{
    gan__ref_map_num(c, leaky_relu_at);
}

static bool leaky_relu_infer(struct gan__infer *c)
{
    double slope = ((const struct gan__attr_num *)c->attr)->a;
    if (!(slope >= 0.0 && slope < 1.0))
        return gan__infer_fail(c, GAN_E_RANGE, "slope %g, expected 0 <= slope < 1", slope);
    return gan__infer_same(c);
}

static void leaky_relu_vjp(const struct gan__vjp *c, gan_val *dx)
{
    double slope = ((const struct gan__attr_num *)c->attr)->a;
    gan_val positive = gan_greater(c->g, c->y, gan__fill_like(c->g, c->y, 0.0));
    dx[0] = gan_select(c->g, positive, c->dy, gan_scale(c->g, c->dy, slope));
}

static const struct gan__attr_num leaky_fifth = {0.2, 0}, leaky_zero = {0, 0};

static const struct gan__case leaky_relu_cases[] = {
    {"[3,5]", -2, 2, 1e-6, 2, &leaky_fifth, NULL, 0.05, 0},
    {"[1]", -2, 2, 1e-6, 2, &leaky_fifth, NULL, 0.05, 0},
    {"[2,37]", -2, 2, 1e-6, 1, &leaky_zero, NULL, 0.01, 0},
    {0},
};

GAN_OP(leaky_relu) = {
    .name = "leaky_relu",
    .doc = "x > 0 ? x : slope * x",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_num),
    .infer = leaky_relu_infer,
    .vjp = leaky_relu_vjp,
    .ref = leaky_relu_ref,
    .cases = leaky_relu_cases,
};

gan_val gan_leaky_relu(gan_graph *g, gan_val x, double slope)
{
    return gan__add_node(g, &gan__op_leaky_relu, &x, 1, &(struct gan__attr_num){slope, 0.0});
}

/* --- elu -------------------------------------------------------------------------------- */

static double elu_at(double x, const struct gan__attr_num *n)
{
    return x > 0.0 ? x : n->a * expm1(x);
}

static void elu_ref(const struct gan__call *c)
{
    gan__ref_map_num(c, elu_at);
}

static bool elu_infer(struct gan__infer *c)
{
    double alpha = ((const struct gan__attr_num *)c->attr)->a;
    if (!(alpha >= 0.0))
        return gan__infer_fail(c, GAN_E_RANGE, "alpha %g, expected alpha >= 0", alpha);
    return gan__infer_same(c);
}

/* Below 0: y = alpha (e^x - 1), so y' = y + alpha. */
static void elu_vjp(const struct gan__vjp *c, gan_val *dx)
{
    double alpha = ((const struct gan__attr_num *)c->attr)->a;
    gan_val positive = gan_greater(c->g, c->y, gan__fill_like(c->g, c->y, 0.0));
    dx[0] = gan_select(c->g, positive, c->dy, gan_mul(c->g, c->dy, gan_shift(c->g, c->y, alpha)));
}

static const struct gan__attr_num elu_one = {1, 0}, elu_half = {0.5, 0};

static const struct gan__case elu_cases[] = {
    {"[3,5]", -2, 2, 2e-6, 3, &elu_one, NULL, 0.05, 0},
    {"[1]", -2, 2, 2e-6, 2, &elu_half, NULL, 0.05, 0},
    {"[2,37]", -2, 2, 2e-6, 1, &elu_half, NULL, 0.01, 0},
    {0},
};

GAN_OP(elu) = {
    .name = "elu",
    .doc = "x > 0 ? x : alpha * (e^x - 1)",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_num),
    .infer = elu_infer,
    .vjp = elu_vjp,
    .ref = elu_ref,
    .cases = elu_cases,
};

gan_val gan_elu(gan_graph *g, gan_val x, double alpha)
{
    return gan__add_node(g, &gan__op_elu, &x, 1, &(struct gan__attr_num){alpha, 0.0});
}
