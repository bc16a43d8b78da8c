/* op_compare.c: greater, greater_equal, less, equal (bool out, no derivative) and select. */
#include "ref_util.h"

static gan_val compare(gan_graph *g, const struct gan__op *op, gan_val a, gan_val b)
{
    if (!gan_ok(a) || !gan_ok(b) || !gan__broadcast_pair(g, &a, &b))
        return GAN_NONE;
    return gan__add_node(g, op, (gan_val[]){a, b}, 2, NULL);
}

static const struct gan__case compare_cases[] = {
    {"[3,5] [3,5]", -2, 2, 0, 1, NULL, NULL, 0.01, 0},
    {"[1] [1]", -2, 2, 0, 1, NULL, NULL, 0.01, 0},
    {"[7,5] [7,5]", 0, 0, 0, 0, NULL, "i32 i32", 0, 3},
    {0},
};

static double greater(double a, double b)
{
    return a > b;
}

static double greater_equal(double a, double b)
{
    return a >= b;
}

static double less(double a, double b)
{
    return a < b;
}

static double equal(double a, double b)
{
    return a == b;
}

static void greater_ref(const struct gan__call *c)
{
    gan__ref_map2(c, greater);
}

static void greater_equal_ref(const struct gan__call *c)
{
    gan__ref_map2(c, greater_equal);
}

static void less_ref(const struct gan__call *c)
{
    gan__ref_map2(c, less);
}

static void equal_ref(const struct gan__call *c)
{
    gan__ref_map2(c, equal);
}

GAN_OP(greater) = {
    .name = "greater",
    .doc = "a > b as bool",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_ZERO_GRAD,
    .infer = gan__infer_compare,
    .ref = greater_ref,
    .cases = compare_cases,
};

GAN_OP(greater_equal) = {
    .name = "greater_equal",
    .doc = "a >= b as bool",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_ZERO_GRAD,
    .infer = gan__infer_compare,
    .ref = greater_equal_ref,
    .cases = compare_cases,
};

GAN_OP(less) = {
    .name = "less",
    .doc = "a < b as bool",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_ZERO_GRAD,
    .infer = gan__infer_compare,
    .ref = less_ref,
    .cases = compare_cases,
};

GAN_OP(equal) = {
    .name = "equal",
    .doc = "a == b as bool",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK | GAN_OP_ZERO_GRAD | GAN_OP_COMMUTES,
    .infer = gan__infer_compare,
    .ref = equal_ref,
    .cases = compare_cases,
};

/* --- select --------------------------------------------------------------------------------- */

static bool select_infer(struct gan__infer *c)
{
    const struct gan__type *in = c->in;
    if (in[0].dtype != GAN_BOOL)
        return gan__infer_fail(c, GAN_E_DTYPE, "the condition is %s, expected bool",
                               gan_dtype_name(in[0].dtype));
    if (in[1].dtype != in[2].dtype)
        return gan__infer_fail(c, GAN_E_DTYPE, "choices of types %s and %s, expected one type",
                               gan_dtype_name(in[1].dtype), gan_dtype_name(in[2].dtype));
    if (!gan_shape_equal(&in[0].shape, &in[1].shape) ||
        !gan_shape_equal(&in[1].shape, &in[2].shape)) {
        char s[3][96];
        return gan__infer_fail(c, GAN_E_SHAPE, "shapes %s, %s and %s, expected equal ones",
                               gan_shape_text(&in[0].shape, s[0], sizeof s[0]),
                               gan_shape_text(&in[1].shape, s[1], sizeof s[1]),
                               gan_shape_text(&in[2].shape, s[2], sizeof s[2]));
    }
    c->out[0] = in[1];
    return true;
}

static void select_vjp(const struct gan__vjp *c, gan_val *dx)
{
    gan_val zero = gan__fill_like(c->g, c->dy, 0.0);
    if (c->need[1])
        dx[1] = gan_select(c->g, c->x[0], c->dy, zero);
    if (c->need[2])
        dx[2] = gan_select(c->g, c->x[0], zero, c->dy);
}

static void select_ref(const struct gan__call *c)
{
    int64_t n = gan_shape_count(&c->out[0].shape);
    for (int64_t i = 0; i < n; i++) {
        const gan_tensor *from = gan_tensor_get(&c->in[0], i) != 0.0 ? &c->in[1] : &c->in[2];
        gan_tensor_set(&c->out[0], i, gan_tensor_get(from, i));
    }
}

static const struct gan__case select_cases[] = {
    {"[3,5] [3,5] [3,5]", -2, 2, 0, 2, NULL, "bool f64 f64", 0, 2},
    {"[1] [1] [1]", -2, 2, 0, 2, NULL, "bool f64 f64", 0, 2},
    {"[37] [37] [37]", -2, 2, 0, 1, NULL, "bool f64 f64", 0, 2},
    {0},
};

GAN_OP(select) = {
    .name = "select",
    .doc = "condition ? a : b",
    .n_in = 3,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .infer = select_infer,
    .vjp = select_vjp,
    .ref = select_ref,
    .cases = select_cases,
};

/* --- builders ------------------------------------------------------------------------------- */

gan_val gan_greater(gan_graph *g, gan_val a, gan_val b)
{
    return compare(g, &gan__op_greater, a, b);
}

gan_val gan_greater_equal(gan_graph *g, gan_val a, gan_val b)
{
    return compare(g, &gan__op_greater_equal, a, b);
}

gan_val gan_less(gan_graph *g, gan_val a, gan_val b)
{
    return compare(g, &gan__op_less, a, b);
}

gan_val gan_equal(gan_graph *g, gan_val a, gan_val b)
{
    return compare(g, &gan__op_equal, a, b);
}

/* Shape both operands broadcast to, axes aligned at the end; what does not fit is left for
 * gan_broadcast to refuse. */
static gan_shape joint_shape(gan_shape a, gan_shape b)
{
    if (a.rank < b.rank) {
        gan_shape t = a;
        a = b;
        b = t;
    }
    for (int64_t i = 0; i < b.rank; i++) {
        int64_t *d = &a.dim[a.rank - b.rank + i];
        if (*d == 1)
            *d = b.dim[i];
    }
    return a;
}

gan_val gan_select(gan_graph *g, gan_val cond, gan_val a, gan_val b)
{
    if (!gan_ok(cond) || !gan_ok(a) || !gan_ok(b) || !gan__broadcast_pair(g, &a, &b))
        return GAN_NONE;
    gan_shape s = joint_shape(gan_shape_get(g, cond), gan_shape_get(g, a));
    gan_val in[3] = {gan_broadcast(g, cond, s), gan_broadcast(g, a, s), gan_broadcast(g, b, s)};
    return gan__add_node(g, &gan__op_select, in, 3, NULL);
}
