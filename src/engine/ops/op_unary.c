/* op_unary.c: neg, exp, log, log1p, sqrt, rsqrt, square, abs, sign, pow, clamp, isfinite, erf.
 *
 * Rules are written with the forward value y wherever it serves, so that it is reused. */
#include "ref_util.h"

#include <math.h>

/* --- neg -------------------------------------------------------------------------------- */

static double neg_at(double x)
{
    return -x;
}

static void neg_ref(const struct gan__call *c)
{
    gan__ref_map1(c, neg_at);
}

static void neg_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_neg(c->g, c->dy);
}

static const struct gan__case neg_cases[] = {
    {"[3,5]", -2, 2, 0, 2, NULL, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, NULL, NULL, 0, 0},
    {"[2,37]", -2, 2, 0, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(neg) = {
    .name = "neg",
    .doc = "-x",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = neg_vjp,
    .ref = neg_ref,
    .cases = neg_cases,
};

gan_val gan_neg(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_neg, &x, 1, NULL);
}

/* --- exp -------------------------------------------------------------------------------- */

static double exp_at(double x)
{
    return exp(x);
}

static void exp_ref(const struct gan__call *c)
{
    gan__ref_map1(c, exp_at);
}

static void exp_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_mul(c->g, c->dy, c->y);
}

static const struct gan__case exp_cases[] = {
    {"[3,5]", -3, 2, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -3, 2, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -3, 2, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(exp) = {
    .name = "exp",
    .doc = "e^x",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = exp_vjp,
    .ref = exp_ref,
    .cases = exp_cases,
};

gan_val gan_exp(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_exp, &x, 1, NULL);
}

/* --- log -------------------------------------------------------------------------------- */

static double log_at(double x)
{
    return log(x);
}

static void log_ref(const struct gan__call *c)
{
    gan__ref_map1(c, log_at);
}

static void log_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_div(c->g, c->dy, c->x[0]);
}

static const struct gan__case log_cases[] = {
    {"[3,5]", 0.5, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", 0.5, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", 0.5, 4, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(log) = {
    .name = "log",
    .doc = "natural logarithm",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = log_vjp,
    .ref = log_ref,
    .cases = log_cases,
};

gan_val gan_log(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_log, &x, 1, NULL);
}

/* --- log1p ------------------------------------------------------------------------------ */

static double log1p_at(double x)
{
    return log1p(x);
}

static void log1p_ref(const struct gan__call *c)
{
    gan__ref_map1(c, log1p_at);
}

static void log1p_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_div(c->g, c->dy, gan_shift(c->g, c->x[0], 1.0));
}

static const struct gan__case log1p_cases[] = {
    {"[3,5]", -0.5, 3, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -0.5, 3, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -0.5, 3, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(log1p) = {
    .name = "log1p",
    .doc = "log(1 + x) without loss near 0",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = log1p_vjp,
    .ref = log1p_ref,
    .cases = log1p_cases,
};

gan_val gan_log1p(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_log1p, &x, 1, NULL);
}

/* --- sqrt ------------------------------------------------------------------------------- */

static double sqrt_at(double x)
{
    return sqrt(x);
}

static void sqrt_ref(const struct gan__call *c)
{
    gan__ref_map1(c, sqrt_at);
}

/* y' = 1/(2y). */
static void sqrt_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_scale(c->g, gan_div(c->g, c->dy, c->y), 0.5);
}

static const struct gan__case sqrt_cases[] = {
    {"[3,5]", 0.5, 4, 1e-6, 3, NULL, NULL, 0, 0},
    {"[1]", 0.5, 4, 1e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", 0.5, 4, 1e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(sqrt) = {
    .name = "sqrt",
    .doc = "square root",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = sqrt_vjp,
    .ref = sqrt_ref,
    .cases = sqrt_cases,
};

gan_val gan_sqrt(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_sqrt, &x, 1, NULL);
}

/* --- rsqrt ------------------------------------------------------------------------------ */

static double rsqrt_at(double x)
{
    return 1.0 / sqrt(x);
}

static void rsqrt_ref(const struct gan__call *c)
{
    gan__ref_map1(c, rsqrt_at);
}

/* y' = -y^3/2. */
static void rsqrt_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] =
        gan_scale(c->g, gan_mul(c->g, c->dy, gan_mul(c->g, c->y, gan_square(c->g, c->y))), -0.5);
}

static const struct gan__case rsqrt_cases[] = {
    {"[3,5]", 0.5, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", 0.5, 4, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", 0.5, 4, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(rsqrt) = {
    .name = "rsqrt",
    .doc = "1 / sqrt(x)",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = rsqrt_vjp,
    .ref = rsqrt_ref,
    .cases = rsqrt_cases,
};

gan_val gan_rsqrt(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_rsqrt, &x, 1, NULL);
}

/* --- square ----------------------------------------------------------------------------- */

static double square_at(double x)
{
    return x * x;
}

static void square_ref(const struct gan__call *c)
{
    gan__ref_map1(c, square_at);
}

static void square_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_scale(c->g, gan_mul(c->g, c->dy, c->x[0]), 2.0);
}

static const struct gan__case square_cases[] = {
    {"[3,5]", -2, 2, 1e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -2, 2, 1e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -2, 2, 1e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(square) = {
    .name = "square",
    .doc = "x^2",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = square_vjp,
    .ref = square_ref,
    .cases = square_cases,
};

gan_val gan_square(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_square, &x, 1, NULL);
}

/* --- abs -------------------------------------------------------------------------------- */

static double abs_at(double x)
{
    return fabs(x);
}

static void abs_ref(const struct gan__call *c)
{
    gan__ref_map1(c, abs_at);
}

static void abs_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_mul(c->g, c->dy, gan_sign(c->g, c->x[0]));
}

static const struct gan__case abs_cases[] = {
    {"[3,5]", -2, 2, 0, 2, NULL, NULL, 0.05, 0},
    {"[1]", -2, 2, 0, 2, NULL, NULL, 0.05, 0},
    {"[2,37]", -2, 2, 0, 1, NULL, NULL, 0.05, 0},
    {0},
};

GAN_OP(abs) = {
    .name = "abs",
    .doc = "|x|; derivative 0 at 0",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = abs_vjp,
    .ref = abs_ref,
    .cases = abs_cases,
};

gan_val gan_abs(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_abs, &x, 1, NULL);
}

/* --- sign ------------------------------------------------------------------------------- */

/* A zero keeps its sign and NaN stays NaN. */
static double sign_at(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

static void sign_ref(const struct gan__call *c)
{
    gan__ref_map1(c, sign_at);
}

static const struct gan__case sign_cases[] = {
    {"[3,5]", -2, 2, 0, 1, NULL, NULL, 0.05, 0},
    {"[1]", -2, 2, 0, 1, NULL, NULL, 0.05, 0},
    {"[2,37]", -2, 2, 0, 1, NULL, NULL, 0.05, 0},
    {0},
};

GAN_OP(sign) = {
    .name = "sign",
    .doc = "-1, 0 or 1",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_ZERO_GRAD,
    .infer = gan__infer_same,
    .ref = sign_ref,
    .cases = sign_cases,
};

gan_val gan_sign(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_sign, &x, 1, NULL);
}

/* --- erf -------------------------------------------------------------------------------- */

static double erf_at(double x)
{
    return erf(x);
}

static void erf_ref(const struct gan__call *c)
{
    gan__ref_map1(c, erf_at);
}

/* y' = 2/sqrt(pi) e^(-x^2). */
static void erf_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const double k = 1.1283791670955126; /* 2/sqrt(pi) */
    dx[0] = gan_mul(c->g, c->dy,
                    gan_scale(c->g, gan_exp(c->g, gan_neg(c->g, gan_square(c->g, c->x[0]))), k));
}

static const struct gan__case erf_cases[] = {
    {"[3,5]", -2.5, 2.5, 2e-6, 3, NULL, NULL, 0, 0},
    {"[1]", -2.5, 2.5, 2e-6, 3, NULL, NULL, 0, 0},
    {"[2,37]", -2.5, 2.5, 2e-6, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(erf) = {
    .name = "erf",
    .doc = "error function",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = erf_vjp,
    .ref = erf_ref,
    .cases = erf_cases,
};

gan_val gan_erf(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_erf, &x, 1, NULL);
}

/* --- pow -------------------------------------------------------------------------------- */

static double pow_at(double x, const struct gan__attr_num *n)
{
    return pow(x, n->a);
}

static void pow_ref(const struct gan__call *c)
{
    gan__ref_map_num(c, pow_at);
}

/* y' = p x^(p-1); nothing for p = 0. */
static void pow_vjp(const struct gan__vjp *c, gan_val *dx)
{
    double p = ((const struct gan__attr_num *)c->attr)->a;
    if (p != 0.0)
        dx[0] = gan_mul(c->g, c->dy, gan_scale(c->g, gan_pow(c->g, c->x[0], p - 1.0), p));
}

static const struct gan__attr_num pow_half = {2.5, 0}, pow_cube = {3, 0}, pow_inverse = {-1, 0},
                                  pow_zero = {0, 0};

static const struct gan__case pow_cases[] = {
    {"[3,5]", 0.5, 2, 3e-6, 3, &pow_half, NULL, 0, 0},
    {"[3,5]", -2, 2, 3e-6, 3, &pow_cube, NULL, 0, 0},
    {"[1]", 0.5, 2, 3e-6, 2, &pow_inverse, NULL, 0, 0},
    {"[7]", 0.5, 2, 0, 2, &pow_zero, NULL, 0, 0},
    {0},
};

GAN_OP(pow) = {
    .name = "pow",
    .doc = "x to a constant power",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_num),
    .infer = gan__infer_same,
    .vjp = pow_vjp,
    .ref = pow_ref,
    .cases = pow_cases,
};

gan_val gan_pow(gan_graph *g, gan_val x, double exponent)
{
    if (exponent == 1.0)
        return x;
    return gan__add_node(g, &gan__op_pow, &x, 1, &(struct gan__attr_num){exponent, 0.0});
}

/* --- clamp ------------------------------------------------------------------------------ */

/* NaN passes through. */
static double clamp_at(double x, const struct gan__attr_num *n)
{
    return x < n->a ? n->a : x > n->b ? n->b : x;
}

static void clamp_ref(const struct gan__call *c)
{
    gan__ref_map_num(c, clamp_at);
}

static bool clamp_infer(struct gan__infer *c)
{
    const struct gan__attr_num *n = c->attr;
    if (!(n->a <= n->b))
        return gan__infer_fail(c, GAN_E_RANGE, "bounds %g and %g, expected low <= high", n->a,
                               n->b);
    return gan__infer_same(c);
}

/* y == x exactly where x lies inside, the bounds included. */
static void clamp_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan__pass_where(c->g, gan_equal(c->g, c->x[0], c->y), c->dy);
}

static const struct gan__attr_num clamp_below = {0, 10}, clamp_above = {-10, 0},
                                  clamp_out = {-1, 1};

static const struct gan__case clamp_cases[] = {
    {"[3,5]", -2, 2, 1e-6, 2, &clamp_below, NULL, 0.05, 0},
    {"[3,5]", -2, 2, 1e-6, 2, &clamp_above, NULL, 0.05, 0},
    {"[37]", 1.5, 3, 1e-6, 1, &clamp_out, NULL, 0, 0},
    {"[1]", -0.9, 0.9, 1e-6, 2, &clamp_out, NULL, 0, 0},
    {0},
};

GAN_OP(clamp) = {
    .name = "clamp",
    .doc = "x limited to [low, high]; derivative 1 inside, 0 outside",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_num),
    .infer = clamp_infer,
    .vjp = clamp_vjp,
    .ref = clamp_ref,
    .cases = clamp_cases,
};

gan_val gan_clamp(gan_graph *g, gan_val x, double low, double high)
{
    return gan__add_node(g, &gan__op_clamp, &x, 1, &(struct gan__attr_num){low, high});
}

/* --- isfinite --------------------------------------------------------------------------- */

static double isfinite_at(double x)
{
    return isfinite(x) != 0;
}

static void isfinite_ref(const struct gan__call *c)
{
    gan__ref_map1(c, isfinite_at);
}

static bool isfinite_infer(struct gan__infer *c)
{
    if (!gan__infer_same(c))
        return false;
    c->out[0].dtype = GAN_BOOL;
    return true;
}

static const struct gan__case isfinite_cases[] = {
    {"[3,5]", -2, 2, 0, 1, NULL, NULL, 0, 0},
    {"[1]", -2, 2, 0, 1, NULL, NULL, 0, 0},
    {"[2,37]", -2, 2, 0, 1, NULL, NULL, 0, 0},
    {0},
};

GAN_OP(isfinite) = {
    .name = "isfinite",
    .doc = "true where x is neither infinite nor NaN",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_ZERO_GRAD,
    .infer = isfinite_infer,
    .ref = isfinite_ref,
    .cases = isfinite_cases,
};

gan_val gan_isfinite(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_isfinite, &x, 1, NULL);
}
