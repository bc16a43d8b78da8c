/* op_shape.c: broadcast and its adjoint reduce_to, reshape, transpose. */
#include "ref_util.h"

#include <string.h>

/* --- broadcast ------------------------------------------------------------------------------ */

static bool broadcast_infer(struct gan__infer *c)
{
    const gan_shape *from = &c->in[0].shape,
                    *to = &((const struct gan__attr_shape *)c->attr)->shape;
    bool fits = from->rank == to->rank;
    for (int64_t i = 0; fits && i < to->rank; i++)
        fits = from->dim[i] == to->dim[i] || from->dim[i] == 1;
    if (!fits) {
        char a[96], b[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "shape %s does not broadcast to %s",
                               gan_shape_text(from, a, sizeof a), gan_shape_text(to, b, sizeof b));
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, *to};
    return true;
}

static void broadcast_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_reduce_to(c->g, c->dy, gan_shape_get(c->g, c->x[0]));
}

static void broadcast_ref(const struct gan__call *c)
{
    const gan_shape *from = &c->in[0].shape;
    int64_t stride[GAN_MAX_RANK];
    gan__strides(from, stride);
    for (int64_t i = 0; i < from->rank; i++) {
        if (from->dim[i] == 1)
            stride[i] = 0;
    }
    struct gan__walk w;
    gan__walk_start(&w, &c->out[0].shape, stride, 0);
    gan__ref_copy_from(c, &w);
}

static const struct gan__attr_shape wide_35 = {{2, {3, 5}}}, wide_2354 = {{4, {2, 3, 5, 4}}},
                                    wide_1 = {{1, {1}}}, wide_7 = {{1, {7}}};

static const struct gan__case broadcast_cases[] = {
    {"[3,1]", -2, 2, 0, 2, &wide_35, NULL, 0, 0},
    {"[1,5]", -2, 2, 0, 2, &wide_35, NULL, 0, 0},
    {"[1,3,1,4]", -2, 2, 0, 1, &wide_2354, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &wide_1, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &wide_7, NULL, 0, 0},
    {"[1]", 0, 0, 0, 0, &wide_7, "i32", 0, 9},
    {0},
};

GAN_OP(broadcast) = {
    .name = "broadcast",
    .doc = "repeats axes of extent 1",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_shape),
    .infer = broadcast_infer,
    .vjp = broadcast_vjp,
    .ref = broadcast_ref,
    .flops = gan__flops_none,
    .cases = broadcast_cases,
};

gan_val gan_broadcast(gan_graph *g, gan_val x, gan_shape shape)
{
    gan_shape s = gan_shape_get(g, x), wide = {.rank = shape.rank};
    if (!gan_ok(x) || gan_shape_equal(&s, &shape))
        return x;
    if (s.rank < shape.rank) {
        for (int64_t i = 0; i < shape.rank; i++) {
            int64_t j = i - (shape.rank - s.rank);
            wide.dim[i] = j < 0 ? 1 : s.dim[j];
        }
        x = gan_reshape(g, x, wide);
        if (gan_shape_equal(&wide, &shape))
            return x;
    }
    return gan__add_node(g, &gan__op_broadcast, &x, 1, &(struct gan__attr_shape){shape});
}

gan_val gan_reduce_to(gan_graph *g, gan_val x, gan_shape shape)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(x) || gan_shape_equal(&s, &shape))
        return x;
    int64_t front = s.rank - shape.rank;
    bool fits = front >= 0 && shape.rank >= 0;
    uint32_t axes = 0;
    for (int64_t i = 0; fits && i < s.rank; i++) {
        int64_t to = i < front ? 1 : shape.dim[i - front];
        fits = to == s.dim[i] || to == 1;
        if (to != s.dim[i])
            axes |= GAN_AXIS(i);
    }
    if (!fits) {
        char a[96], b[96];
        return gan_graph_fail(g, GAN_E_SHAPE, "reduce_to: %s is not a broadcast of %s",
                              gan_shape_text(&s, a, sizeof a), gan_shape_text(&shape, b, sizeof b));
    }
    if (gan_shape_count(&s) == 0 && gan_shape_count(&shape) > 0) { /* a sum of nothing */
        struct gan__attr_fill zero = {.dtype = (int64_t)gan_dtype_get(g, x), .shape = shape};
        return gan__add_node(g, &gan__op_fill, NULL, 0, &zero);
    }
    return gan_reshape(g, axes ? gan_sum(g, x, axes, true) : x, shape);
}

/* --- reshape -------------------------------------------------------------------------------- */

static bool reshape_infer(struct gan__infer *c)
{
    const gan_shape *from = &c->in[0].shape,
                    *to = &((const struct gan__attr_shape *)c->attr)->shape;
    if (gan_shape_count(from) != gan_shape_count(to)) {
        char a[96], b[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "shape %s has %lld elements, shape %s does not",
                               gan_shape_text(from, a, sizeof a), (long long)gan_shape_count(from),
                               gan_shape_text(to, b, sizeof b));
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, *to};
    return true;
}

static void reshape_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] = gan_reshape(c->g, c->dy, gan_shape_get(c->g, c->x[0]));
}

static void reshape_ref(const struct gan__call *c)
{
    size_t bytes = gan_tensor_bytes(&c->out[0]);
    if (bytes && c->out[0].data != c->in[0].data)
        memmove(c->out[0].data, c->in[0].data, bytes);
}

static const struct gan__attr_shape flat_15 = {{1, {15}}}, flat_513 = {{3, {5, 1, 3}}},
                                    flat_scalar = {{0, {0}}};

static const struct gan__case reshape_cases[] = {
    {"[3,5]", -2, 2, 0, 2, &flat_15, NULL, 0, 0},
    {"[3,5]", -2, 2, 0, 2, &flat_513, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &flat_scalar, NULL, 0, 0},
    {"[3,5]", 0, 0, 0, 0, &flat_15, "i64", 0, 9},
    {0},
};

GAN_OP(reshape) = {
    .name = "reshape",
    .doc = "the same elements in another shape",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_VIEW | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_shape),
    .infer = reshape_infer,
    .vjp = reshape_vjp,
    .ref = reshape_ref,
    .flops = gan__flops_none,
    .cases = reshape_cases,
};

/* Replaces one extent of -1 by what is left; false when there is no such number. */
static bool fill_in(gan_shape *shape, int64_t count)
{
    int64_t open = -1, known = 1;
    for (int64_t i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == -1 && open < 0)
            open = i;
        else if (shape->dim[i] < 0 || (known > 0 && shape->dim[i] > INT64_MAX / known))
            return false;
        else
            known *= shape->dim[i];
    }
    if (open < 0)
        return true;
    if (known == 0 || count % known != 0)
        return false;
    shape->dim[open] = count / known;
    return true;
}

gan_val gan_reshape(gan_graph *g, gan_val x, gan_shape shape)
{
    gan_shape s = gan_shape_get(g, x), asked = shape;
    if (!gan_ok(x))
        return GAN_NONE;
    if (!fill_in(&shape, gan_shape_count(&s))) {
        char a[96], b[96];
        return gan_graph_fail(g, GAN_E_SHAPE, "reshape: shape %s does not fit %s",
                              gan_shape_text(&s, a, sizeof a), gan_shape_text(&asked, b, sizeof b));
    }
    if (gan_shape_equal(&s, &shape))
        return x;
    return gan__add_node(g, &gan__op_reshape, &x, 1, &(struct gan__attr_shape){shape});
}

/* --- transpose ------------------------------------------------------------------------------ */

static bool transpose_infer(struct gan__infer *c)
{
    const struct gan__attr_perm *a = c->attr;
    const gan_shape *in = &c->in[0].shape;
    gan_shape s = {.rank = in->rank};
    unsigned seen = 0;
    for (int64_t i = 0; i < in->rank; i++) {
        int64_t p = a->perm[i];
        if (p < 0 || p >= in->rank || seen >> p & 1)
            return gan__infer_fail(c, GAN_E_SHAPE,
                                   "entry %lld of the order is %lld, expected each of 0..%lld once",
                                   (long long)i, (long long)p, (long long)in->rank - 1);
        seen |= 1u << p;
        s.dim[i] = in->dim[p];
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, s};
    return true;
}

static void transpose_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_perm *a = c->attr;
    int inverse[GAN_MAX_RANK] = {0};
    int rank = (int)gan_shape_get(c->g, c->y).rank;
    for (int i = 0; i < rank; i++)
        inverse[a->perm[i]] = i;
    dx[0] = gan_transpose(c->g, c->dy, inverse);
}

static void transpose_ref(const struct gan__call *c)
{
    const struct gan__attr_perm *a = c->attr;
    int64_t from[GAN_MAX_RANK], stride[GAN_MAX_RANK] = {0};
    gan__strides(&c->in[0].shape, from);
    for (int64_t i = 0; i < c->in[0].shape.rank; i++)
        stride[i] = from[a->perm[i]];
    struct gan__walk w;
    gan__walk_start(&w, &c->out[0].shape, stride, 0);
    gan__ref_copy_from(c, &w);
}

static const struct gan__attr_perm perm_10 = {{1, 0}}, perm_0312 = {{0, 3, 1, 2}},
                                   perm_0231 = {{0, 2, 3, 1}}, perm_201 = {{2, 0, 1}},
                                   perm_0 = {{0}};

static const struct gan__case transpose_cases[] = {
    {"[3,5]", -2, 2, 0, 2, &perm_10, NULL, 0, 0},
    {"[2,3,5]", -2, 2, 0, 2, &perm_201, NULL, 0, 0},
    {"[2,3,5,4]", -2, 2, 0, 1, &perm_0312, NULL, 0, 0},
    {"[2,3,5,4]", -2, 2, 0, 1, &perm_0231, NULL, 0, 0},
    {"[37,19]", -2, 2, 0, 0, &perm_10, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &perm_0, NULL, 0, 0},
    {"[3,5]", 0, 0, 0, 0, &perm_10, "i32", 0, 9},
    {0},
};

GAN_OP(transpose) = {
    .name = "transpose",
    .doc = "axes in another order",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_perm),
    .infer = transpose_infer,
    .vjp = transpose_vjp,
    .ref = transpose_ref,
    .flops = gan__flops_none,
    .cases = transpose_cases,
};

/* True when perm is valid and only axes of extent 1 change places: memory order stays. */
static bool moves_nothing(const gan_shape *s, const int *perm, gan_shape *out)
{
    int last = -1;
    unsigned seen = 0;
    out->rank = s->rank;
    for (int64_t i = 0; i < s->rank; i++) {
        int p = perm[i];
        if (p < 0 || p >= s->rank || seen >> p & 1)
            return false;
        seen |= 1u << p;
        out->dim[i] = s->dim[p];
        if (s->dim[p] == 1)
            continue;
        if (p < last)
            return false;
        last = p;
    }
    return true;
}

gan_val gan_transpose(gan_graph *g, gan_val x, const int *perm)
{
    gan_shape s = gan_shape_get(g, x), out = {0};
    if (!gan_ok(x))
        return GAN_NONE;
    if (moves_nothing(&s, perm, &out))
        return gan_reshape(g, x, out);
    struct gan__attr_perm attr = {{0}};
    for (int64_t i = 0; i < s.rank; i++)
        attr.perm[i] = perm[i];
    return gan__add_node(g, &gan__op_transpose, &x, 1, &attr);
}
