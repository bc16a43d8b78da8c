/* op_binary.c: add, sub, mul, div, min, max. The builders broadcast, so the ops see equal shapes.
 *
 * min and max give the whole derivative to the first operand at ties. */
#include "ref_util.h"

static gan_val binary(gan_graph *g, const struct gan__op *op, gan_val a, gan_val b)
{
    if (!gan_ok(a) || !gan_ok(b) || !gan__broadcast_pair(g, &a, &b))
        return GAN_NONE;
    return gan__add_node(g, op, (gan_val[]){a, b}, 2, NULL);
}

static const struct gan__case sum_cases[] = {
    {"[3,5] [3,5]", -2, 2, 1e-6, 2, NULL, NULL, 0, 0},
    {"[1] [1]", -2, 2, 1e-6, 2, NULL, NULL, 0, 0},
    {"[] []", -2, 2, 1e-6, 2, NULL, NULL, 0, 0},
    {"[2,3,1,17] [2,3,1,17]", -2, 2, 1e-6, 1, NULL, NULL, 0, 0},
    {0},
};

static const struct gan__case mul_cases[] = {
    {"[3,5] [3,5]", -2, 2, 1e-6, 3, NULL, NULL, 0, 0},
    {"[1] [1]", -2, 2, 1e-6, 3, NULL, NULL, 0, 0},
    {"[] []", -2, 2, 1e-6, 2, NULL, NULL, 0, 0},
    {"[37,3] [37,3]", -2, 2, 1e-6, 1, NULL, NULL, 0, 0},
    {0},
};

static const struct gan__case div_cases[] = {
    {"[3,5] [3,5]", -2, 2, 1e-6, 2, NULL, NULL, 0.5, 0},
    {"[1] [1]", 0.5, 2, 1e-6, 3, NULL, NULL, 0.5, 0},
    {"[37,3] [37,3]", 0.5, 2, 1e-6, 1, NULL, NULL, 0.5, 0},
    {0},
};

static const struct gan__case pick_cases[] = {
    {"[3,5] [3,5]", -2, 2, 1e-6, 2, NULL, NULL, 0.01, 0},
    {"[1] [1]", -2, 2, 1e-6, 2, NULL, NULL, 0.01, 0},
    {"[7,3] [7,3]", -2, 2, 1e-6, 1, NULL, NULL, 0.01, 0},
    {0},
};

/* --- add ---------------------------------------------------------------------------------- */

static double add(double a, double b)
{
    return a + b;
}

static void add_ref(const struct gan__call *c)
{
    gan__ref_map2(c, add);
}

static void add_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = c->dy;
    dx[1] = c->dy;
}

GAN_OP(add) = {
    .name = "add",
    .doc = "a + b",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_COMMUTES,
    .infer = gan__infer_same,
    .vjp = add_vjp,
    .ref = add_ref,
    .cases = sum_cases,
};

/* --- sub ---------------------------------------------------------------------------------- */

static double sub(double a, double b)
{
    return a - b;
}

static void sub_ref(const struct gan__call *c)
{
    gan__ref_map2(c, sub);
}

static void sub_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = c->dy;
    if (c->need[1])
        dx[1] = gan_neg(c->g, c->dy);
}

GAN_OP(sub) = {
    .name = "sub",
    .doc = "a - b",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = sub_vjp,
    .ref = sub_ref,
    .cases = sum_cases,
};

/* --- mul ---------------------------------------------------------------------------------- */

static double mul(double a, double b)
{
    return a * b;
}

static void mul_ref(const struct gan__call *c)
{
    gan__ref_map2(c, mul);
}

static void mul_vjp(const struct gan__vjp *c, gan_val *dx)
{
    if (c->need[0])
        dx[0] = gan_mul(c->g, c->dy, c->x[1]);
    if (c->need[1])
        dx[1] = gan_mul(c->g, c->dy, c->x[0]);
}

GAN_OP(mul) = {
    .name = "mul",
    .doc = "a * b",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_COMMUTES,
    .infer = gan__infer_same,
    .vjp = mul_vjp,
    .ref = mul_ref,
    .cases = mul_cases,
};

/* --- div ---------------------------------------------------------------------------------- */

static double divide(double a, double b)
{
    return a / b;
}

static void div_ref(const struct gan__call *c)
{
    gan__ref_map2(c, divide);
}

/* y = a/b: dy/da = 1/b, dy/db = -y/b. */
static void div_vjp(const struct gan__vjp *c, gan_val *dx)
{
    gan_val da = gan_div(c->g, c->dy, c->x[1]);
    dx[0] = da;
    if (c->need[1])
        dx[1] = gan_neg(c->g, gan_mul(c->g, da, c->y));
}

GAN_OP(div) = {
    .name = "div",
    .doc = "a / b",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = div_vjp,
    .ref = div_ref,
    .cases = div_cases,
};

/* --- min, max ------------------------------------------------------------------------------- */

/* A NaN on either side gives NaN, so that divergence is not hidden. */
static double min(double a, double b)
{
    return a <= b || a != a ? a : b;
}

static double max(double a, double b)
{
    return a >= b || a != a ? a : b;
}

static void min_ref(const struct gan__call *c)
{
    gan__ref_map2(c, min);
}

static void max_ref(const struct gan__call *c)
{
    gan__ref_map2(c, max);
}

/* dy goes to a where `first` holds, else to b. */
static void pick_vjp(const struct gan__vjp *c, gan_val first, gan_val *dx)
{
    gan_val zero = gan__fill_like(c->g, c->dy, 0.0);
    if (c->need[0])
        dx[0] = gan_select(c->g, first, c->dy, zero);
    if (c->need[1])
        dx[1] = gan_select(c->g, first, zero, c->dy);
}

static void min_vjp(const struct gan__vjp *c, gan_val *dx)
{
    pick_vjp(c, gan_greater_equal(c->g, c->x[1], c->x[0]), dx);
}

static void max_vjp(const struct gan__vjp *c, gan_val *dx)
{
    pick_vjp(c, gan_greater_equal(c->g, c->x[0], c->x[1]), dx);
}

GAN_OP(min) = {
    .name = "min",
    .doc = "the smaller of a and b; the first takes the derivative at ties",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = min_vjp,
    .ref = min_ref,
    .cases = pick_cases,
};

GAN_OP(max) = {
    .name = "max",
    .doc = "the larger of a and b; the first takes the derivative at ties",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = gan__infer_same,
    .vjp = max_vjp,
    .ref = max_ref,
    .cases = pick_cases,
};

/* --- builders ------------------------------------------------------------------------------- */

gan_val gan_add(gan_graph *g, gan_val a, gan_val b)
{
    return binary(g, &gan__op_add, a, b);
}

gan_val gan_sub(gan_graph *g, gan_val a, gan_val b)
{
    return binary(g, &gan__op_sub, a, b);
}

gan_val gan_mul(gan_graph *g, gan_val a, gan_val b)
{
    return binary(g, &gan__op_mul, a, b);
}

gan_val gan_div(gan_graph *g, gan_val a, gan_val b)
{
    return binary(g, &gan__op_div, a, b);
}

gan_val gan_min(gan_graph *g, gan_val a, gan_val b)
{
    return binary(g, &gan__op_min, a, b);
}

gan_val gan_max(gan_graph *g, gan_val a, gan_val b)
{
    return binary(g, &gan__op_max, a, b);
}

gan_val gan_shift(gan_graph *g, gan_val x, double c)
{
    return gan_add(g, x, gan__fill_like(g, x, c));
}

gan_val gan_scale(gan_graph *g, gan_val x, double c)
{
    return gan_mul(g, x, gan__fill_like(g, x, c));
}
