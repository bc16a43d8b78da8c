/* op_concat.c: joins tensors along one axis; the derivative cuts the cotangent into slices. */
#include "ref_util.h"

static bool concat_infer(struct gan__infer *c)
{
    int64_t axis = ((const struct gan__attr_axis *)c->attr)->axis;
    gan_shape s = c->in[0].shape;
    char a[96], b[96];
    gan_shape_text(&s, a, sizeof a);
    if (axis < 0 || axis >= s.rank)
        return gan__infer_fail(c, GAN_E_SHAPE, "axis %lld of shape %s, expected below %lld",
                               (long long)axis, a, (long long)s.rank);
    for (int i = 1; i < c->n_in; i++) {
        gan_shape t = c->in[i].shape;
        gan_shape_text(&t, b, sizeof b);
        if (c->in[i].dtype != c->in[0].dtype)
            return gan__infer_fail(c, GAN_E_DTYPE, "element types %s and %s differ",
                                   gan_dtype_name(c->in[0].dtype), gan_dtype_name(c->in[i].dtype));
        bool fits = t.rank == s.rank;
        for (int64_t k = 0; fits && k < s.rank; k++)
            fits = k == axis || t.dim[k] == s.dim[k];
        if (!fits || t.dim[axis] > INT64_MAX - s.dim[axis])
            return gan__infer_fail(c, GAN_E_SHAPE,
                                   "shapes %s and %s, expected equal extents except on axis %lld",
                                   a, b, (long long)axis);
        s.dim[axis] += t.dim[axis];
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, s};
    return true;
}

static void concat_vjp(const struct gan__vjp *c, gan_val *dx)
{
    int axis = (int)((const struct gan__attr_axis *)c->attr)->axis;
    int64_t begin = 0;
    for (int i = 0; i < c->node->n_in; i++) {
        int64_t size = gan_dim(c->g, c->x[i], axis);
        if (c->need[i])
            dx[i] = gan_slice_axis(c->g, c->dy, axis, begin, size);
        begin += size;
    }
}

static void concat_ref(const struct gan__call *c)
{
    int64_t axis = ((const struct gan__attr_axis *)c->attr)->axis;
    int64_t stride[GAN_MAX_RANK], begin = 0;
    gan__strides(&c->out[0].shape, stride);
    for (int k = 0; k < c->n_in; k++) {
        int64_t n = gan_shape_count(&c->in[k].shape);
        struct gan__walk w;
        gan__walk_start(&w, &c->in[k].shape, stride, begin * stride[axis]);
        for (int64_t i = 0; i < n; i++, gan__walk_next(&w))
            gan__copy_element(&c->out[0], w.offset, &c->in[k], i);
        begin += c->in[k].shape.dim[axis];
    }
}

static const struct gan__attr_axis axis_0 = {0, 0}, axis_1 = {1, 0}, axis_3 = {3, 0};

static const struct gan__case concat_cases[] = {
    {"[3,5] [3,2]", -2, 2, 0, 2, &axis_1, NULL, 0, 0},
    {"[3,5] [1,5] [2,5]", -2, 2, 0, 2, &axis_0, NULL, 0, 0},
    {"[2,3,2,3] [2,3,2,1]", -2, 2, 0, 1, &axis_3, NULL, 0, 0},
    {"[1] [1]", -2, 2, 0, 2, &axis_0, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &axis_0, NULL, 0, 0},
    {"[1] [2] [3] [1] [1] [1] [1] [1] [1]", -2, 2, 0, 1, &axis_0, NULL, 0, 0},
    {"[3] [2]", 0, 0, 0, 0, &axis_0, "i32 i32", 0, 9},
    {0},
};

GAN_OP(concat) = {
    .name = "concat",
    .doc = "joins tensors along one axis",
    .n_in = -1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_axis),
    .infer = concat_infer,
    .vjp = concat_vjp,
    .ref = concat_ref,
    .flops = gan__flops_none,
    .cases = concat_cases,
};

gan_val gan_concat(gan_graph *g, const gan_val *x, int n, int axis)
{
    if (n == 1)
        return x[0];
    int64_t rank = n > 0 ? gan_shape_get(g, x[0]).rank : 0;
    struct gan__attr_axis attr = {.axis = axis < 0 ? rank + axis : axis};
    return gan__add_node(g, &gan__op_concat, x, n, &attr);
}
