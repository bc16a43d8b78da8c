/* op_cast.c: conversion between element types. Real to integer truncates towards zero and saturates
 * (NaN gives 0); anything but zero is true. */
#include "ref_util.h"

static bool cast_infer(struct gan__infer *c)
{
    const struct gan__attr_cast *a = c->attr;
    if (a->dtype < GAN_F32 || a->dtype > GAN_BOOL)
        return gan__infer_fail(c, GAN_E_DTYPE, "unknown element type %lld", (long long)a->dtype);
    c->out[0] = (struct gan__type){(gan_dtype)a->dtype, c->in[0].shape};
    return true;
}

static void cast_vjp(const struct gan__vjp *c, gan_val *dx)
{
    gan_dtype from = gan_dtype_get(c->g, c->x[0]);
    if (gan_dtype_is_real(from) && gan_dtype_is_real(gan_dtype_get(c->g, c->y)))
        dx[0] = gan_cast(c->g, c->dy, from);
}

/* Range of an integer type as doubles that convert back without overflow. */
static void integer_range(gan_dtype d, double *low, double *high)
{
    *low = 0.0;
    *high = 255.0;
    if (d == GAN_I32) {
        *low = -2147483648.0;
        *high = 2147483647.0;
    } else if (d == GAN_I64) {
        *low = -9223372036854775808.0;
        *high = 9223372036854774784.0; /* the largest double below 2^63 */
    }
}

static void cast_ref(const struct gan__call *c)
{
    gan_dtype to = c->out[0].dtype;
    int64_t n = gan_shape_count(&c->out[0].shape);
    bool integer = !gan_dtype_is_real(to) && to != GAN_BOOL;
    double low, high;
    integer_range(to, &low, &high);
    for (int64_t i = 0; i < n; i++) {
        double v = gan_tensor_get(&c->in[0], i);
        if (integer)
            v = v != v ? 0.0 : v < low ? low : v > high ? high : v;
        gan_tensor_set(&c->out[0], i, v);
    }
}

static const struct gan__attr_cast to_f64 = {GAN_F64}, to_f32 = {GAN_F32}, to_i32 = {GAN_I32},
                                   to_u8 = {GAN_U8}, to_bool = {GAN_BOOL}, to_bf16 = {GAN_BF16};

/* Through f32 a difference quotient would see the rounding, so order 0 there. */
static const struct gan__case cast_cases[] = {
    {"[3,5]", -2, 2, 1e-6, 2, &to_f64, NULL, 0, 0},
    {"[1]", -2, 2, 1e-6, 2, &to_f64, NULL, 0, 0},
    {"[37]", -2, 2, 1e-6, 0, &to_f32, NULL, 0, 0},
    {"[3,5]", -9, 9, 0, 0, &to_i32, NULL, 0.01, 0},
    {"[7]", 0, 300, 0, 0, &to_u8, NULL, 0.01, 0},
    {"[2,3]", 0, 0, 0, 0, &to_f64, "i32", 0, 100},
    {"[2,3]", 0, 0, 0, 0, &to_f32, "bool", 0, 2},
    {"[2,3]", 0, 0, 0, 0, &to_bool, "u8", 0, 3},
    {"[3,5]", -2, 2, 0, 0, &to_bf16, NULL, 0, 0},
    {"[3,5]", -2, 2, 0, 0, &to_f32, "bf16", 0, 0},
    {0},
};

GAN_OP(cast) = {
    .name = "cast",
    .doc = "conversion to another element type",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ELEMENTWISE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_cast),
    .infer = cast_infer,
    .vjp = cast_vjp,
    .ref = cast_ref,
    .cases = cast_cases,
};

gan_val gan_cast(gan_graph *g, gan_val x, gan_dtype dtype)
{
    if (gan_ok(x) && gan_dtype_get(g, x) == dtype)
        return x;
    return gan__add_node(g, &gan__op_cast, &x, 1, &(struct gan__attr_cast){(int64_t)dtype});
}
