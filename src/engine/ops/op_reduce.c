/* op_reduce.c: sum, reduce_max, argmax, and the builders mean, sum_all, mean_all.
 *
 * The ops keep reduced axes with extent 1; builders drop them with a reshape. So the derivative of
 * a sum is one broadcast, and the derivative of a broadcast one sum. */
#include "ref_util.h"

/* --- inference ------------------------------------------------------------------------------ */

static bool reduce_infer(struct gan__infer *c)
{
    const struct gan__attr_axes *a = c->attr;
    gan_shape s = c->in[0].shape;
    char text[96];
    gan_shape_text(&s, text, sizeof text);
    if (!gan_dtype_is_real(c->in[0].dtype))
        return gan__infer_fail(c, GAN_E_DTYPE, "element type is %s, expected a real one",
                               gan_dtype_name(c->in[0].dtype));
    for (int64_t i = 0; i < 32; i++) {
        if (!(a->axes >> i & 1))
            continue;
        if (i >= s.rank)
            return gan__infer_fail(c, GAN_E_SHAPE, "axis %lld of shape %s, expected below %lld",
                                   (long long)i, text, (long long)s.rank);
        if (s.dim[i] == 0)
            return gan__infer_fail(c, GAN_E_SHAPE,
                                   "axis %lld of shape %s: reduction over no elements",
                                   (long long)i, text);
        s.dim[i] = 1;
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, s};
    return true;
}

/* For each output element calls f on the walk over what it reduces. */
static void reduce_ref(const struct gan__call *c,
                       double (*f)(const gan_tensor *x, struct gan__walk *w, int64_t n))
{
    const struct gan__attr_axes *a = c->attr;
    const gan_shape *in = &c->in[0].shape, *out = &c->out[0].shape;
    int64_t stride[GAN_MAX_RANK], n_out = gan_shape_count(out), n = 1;
    gan_shape inner = {.rank = in->rank};
    for (int64_t i = 0; i < in->rank; i++) {
        inner.dim[i] = a->axes >> i & 1 ? in->dim[i] : 1;
        n *= inner.dim[i];
    }
    gan__strides(in, stride);
    struct gan__walk outer, w;
    gan__walk_start(&outer, out, stride, 0);
    for (int64_t i = 0; i < n_out; i++, gan__walk_next(&outer)) {
        gan__walk_start(&w, &inner, stride, outer.offset);
        gan_tensor_set(&c->out[0], i, f(&c->in[0], &w, n));
    }
}

/* --- sum ------------------------------------------------------------------------------------ */

static double sum_of(const gan_tensor *x, struct gan__walk *w, int64_t n)
{
    double total = 0.0;
    for (int64_t i = 0; i < n; i++, gan__walk_next(w))
        total += gan_tensor_get(x, w->offset);
    return total;
}

static void sum_ref(const struct gan__call *c)
{
    reduce_ref(c, sum_of);
}

static void sum_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_broadcast(c->g, c->dy, gan_shape_get(c->g, c->x[0]));
}

static const struct gan__attr_axes axes_0 = {1, 0}, axes_1 = {2, 0}, axes_012 = {7, 0},
                                   axes_02 = {5, 0}, axes_12 = {6, 0};

static const struct gan__case sum_cases[] = {
    {"[3,5]", -2, 2, 2e-6, 2, &axes_1, NULL, 0, 0},
    {"[3,5]", -2, 2, 2e-6, 2, &axes_0, NULL, 0, 0},
    {"[2,3,5]", -2, 2, 2e-6, 1, &axes_02, NULL, 0, 0},
    {"[3,5,2,3]", -2, 2, 2e-6, 1, &axes_12, NULL, 0, 0},
    {"[7,3,11]", -2, 2, 5e-6, 1, &axes_012, NULL, 0, 0},
    {"[1]", -2, 2, 2e-6, 2, &axes_0, NULL, 0, 0},
    {"[1,1]", -2, 2, 2e-6, 1, &axes_1, NULL, 0, 0},
    {0},
};

GAN_OP(sum) = {
    .name = "sum",
    .doc = "sum over a set of axes, kept with extent 1",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK, /* other axes may be empty; the reduced ones are checked */
    .attr_size = sizeof(struct gan__attr_axes),
    .infer = reduce_infer,
    .vjp = sum_vjp,
    .ref = sum_ref,
    .flops = gan__flops_per_input,
    .cases = sum_cases,
};

/* --- reduce_max ------------------------------------------------------------------------------- */

/* NaN anywhere gives NaN. */
static double max_of(const gan_tensor *x, struct gan__walk *w, int64_t n)
{
    double best = gan_tensor_get(x, w->offset);
    for (int64_t i = 0; i < n; i++, gan__walk_next(w)) {
        double v = gan_tensor_get(x, w->offset);
        if (v > best || v != v)
            best = v;
    }
    return best;
}

static void reduce_max_ref(const struct gan__call *c)
{
    reduce_ref(c, max_of);
}

/* Subgradient shared equally: dx = dy / (number of maxima) at each maximum. */
static void reduce_max_vjp(const struct gan__vjp *c, gan_val *dx)
{
    gan_shape s = gan_shape_get(c->g, c->x[0]);
    uint32_t axes = (uint32_t)((const struct gan__attr_axes *)c->attr)->axes;
    gan_val top = gan_equal(c->g, c->x[0], gan_broadcast(c->g, c->y, s));
    gan_val mask = gan_cast(c->g, top, gan_dtype_get(c->g, c->y));
    gan_val share = gan_div(c->g, c->dy, gan_sum(c->g, mask, axes, true));
    dx[0] = gan_mul(c->g, mask, gan_broadcast(c->g, share, s));
}

static const struct gan__case reduce_max_cases[] = {
    {"[3,5]", -2, 2, 0, 2, &axes_1, NULL, 0.01, 0},
    {"[2,3,5]", -2, 2, 0, 1, &axes_02, NULL, 0.01, 0},
    {"[2,3,5]", -2, 2, 0, 1, &axes_012, NULL, 0.01, 0},
    {"[1]", -2, 2, 0, 2, &axes_0, NULL, 0, 0},
    {0},
};

GAN_OP(reduce_max) = {
    .name = "reduce_max",
    .doc = "maximum over a set of axes, kept with extent 1; ties share the derivative",
    .n_in = 1,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_axes),
    .infer = reduce_infer,
    .vjp = reduce_max_vjp,
    .ref = reduce_max_ref,
    .flops = gan__flops_per_input,
    .cases = reduce_max_cases,
};

/* --- argmax ----------------------------------------------------------------------------------- */

static bool argmax_infer(struct gan__infer *c)
{
    const struct gan__attr_axis *a = c->attr;
    gan_shape in = c->in[0].shape, s = {.rank = in.rank - 1};
    if (a->axis < 0 || a->axis >= in.rank) {
        char text[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "axis %lld of shape %s, expected 0..%lld",
                               (long long)a->axis, gan_shape_text(&in, text, sizeof text),
                               (long long)in.rank - 1);
    }
    for (int64_t i = 0; i < s.rank; i++)
        s.dim[i] = in.dim[i < a->axis ? i : i + 1];
    c->out[0] = (struct gan__type){GAN_I32, s};
    return true;
}

static void argmax_ref(const struct gan__call *c)
{
    int64_t axis = ((const struct gan__attr_axis *)c->attr)->axis;
    const gan_shape *in = &c->in[0].shape;
    int64_t stride[GAN_MAX_RANK], n = gan_shape_count(&c->out[0].shape), extent = in->dim[axis];
    gan__strides(in, stride);
    gan_shape outer = *in;
    outer.dim[axis] = 1;
    struct gan__walk w;
    gan__walk_start(&w, &outer, stride, 0);
    for (int64_t i = 0; i < n; i++, gan__walk_next(&w)) {
        int64_t best = 0;
        double top = gan_tensor_get(&c->in[0], w.offset);
        for (int64_t k = 1; k < extent; k++) {
            double v = gan_tensor_get(&c->in[0], w.offset + k * stride[axis]);
            if (v > top) {
                top = v;
                best = k;
            }
        }
        gan_tensor_set(&c->out[0], i, (double)best);
    }
}

static const struct gan__attr_axis axis_0 = {0, 0}, axis_1 = {1, 0}, axis_2 = {2, 0};

static const struct gan__case argmax_cases[] = {
    {"[3,5]", -2, 2, 0, 1, &axis_1, NULL, 0.01, 0},
    {"[3,5,2]", -2, 2, 0, 1, &axis_0, NULL, 0.01, 0},
    {"[2,3,7]", -2, 2, 0, 0, &axis_2, NULL, 0.01, 0},
    {"[1]", -2, 2, 0, 1, &axis_0, NULL, 0, 0},
    {0},
};

GAN_OP(argmax) = {
    .name = "argmax",
    .doc = "index of the largest along one axis, the first of ties",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ZERO_GRAD,
    .attr_size = sizeof(struct gan__attr_axis),
    .infer = argmax_infer,
    .ref = argmax_ref,
    .flops = gan__flops_per_input,
    .cases = argmax_cases,
};

/* --- builders ------------------------------------------------------------------------------- */

/* GAN_AXES_ALL means the axes there are. */
static uint64_t axes_of(gan_shape s, uint32_t axes)
{
    return axes == GAN_AXES_ALL ? (1u << s.rank) - 1u : axes;
}

static gan_val reduce(gan_graph *g, const struct gan__op *op, gan_val x, uint32_t axes, bool keep)
{
    gan_shape s = gan_shape_get(g, x), dropped = {0};
    if (!gan_ok(x))
        return GAN_NONE;
    struct gan__attr_axes attr = {.axes = axes_of(s, axes)};
    gan_val y = attr.axes == 0 ? x : gan__add_node(g, op, &x, 1, &attr);
    if (keep || !gan_ok(y))
        return y;
    for (int64_t i = 0; i < s.rank; i++) {
        if (!(attr.axes >> i & 1))
            dropped.dim[dropped.rank++] = s.dim[i];
    }
    return gan_reshape(g, y, dropped);
}

gan_val gan_sum(gan_graph *g, gan_val x, uint32_t axes, bool keep)
{
    return reduce(g, &gan__op_sum, x, axes, keep);
}

gan_val gan_reduce_max(gan_graph *g, gan_val x, uint32_t axes, bool keep)
{
    return reduce(g, &gan__op_reduce_max, x, axes, keep);
}

gan_val gan_mean(gan_graph *g, gan_val x, uint32_t axes, bool keep)
{
    gan_val total = gan_sum(g, x, axes, keep);
    if (!gan_ok(total))
        return GAN_NONE;
    gan_shape s = gan_shape_get(g, x);
    double count = 1.0;
    for (int64_t i = 0; i < s.rank; i++)
        count *= axes_of(s, axes) >> i & 1 ? (double)s.dim[i] : 1.0;
    return gan_scale(g, total, 1.0 / count);
}

gan_val gan_sum_all(gan_graph *g, gan_val x)
{
    return gan_sum(g, x, GAN_AXES_ALL, false);
}

gan_val gan_mean_all(gan_graph *g, gan_val x)
{
    return gan_mean(g, x, GAN_AXES_ALL, false);
}

gan_val gan_argmax(gan_graph *g, gan_val x, int axis)
{
    int64_t rank = gan_shape_get(g, x).rank;
    struct gan__attr_axis attr = {.axis = axis < 0 ? rank + axis : axis};
    return gan_ok(x) ? gan__add_node(g, &gan__op_argmax, &x, 1, &attr) : GAN_NONE;
}
