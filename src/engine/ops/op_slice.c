/* op_slice.c: slice, pad and its adjoint pad_grad, concat.
 *
 * slice and zero padding are each other's adjoints. Padding by reflection or with the edge copies
 * elements; its adjoint pad_grad adds up the copies, and the adjoint of that is pad again, so the
 * pair is closed under differentiation. */
#include "ref_util.h"

#include <string.h>

extern const struct gan__op gan__op_pad, gan__op_pad_grad;

/* --- slice ---------------------------------------------------------------------------------- */

static bool slice_infer(struct gan__infer *c)
{
    const struct gan__attr_slice *a = c->attr;
    const gan_shape *in = &c->in[0].shape;
    gan_shape s = {.rank = in->rank};
    for (int64_t i = 0; i < in->rank; i++) {
        if (a->begin[i] < 0 || a->size[i] < 0 || a->size[i] > in->dim[i] ||
            a->begin[i] > in->dim[i] - a->size[i]) {
            char text[96];
            return gan__infer_fail(c, GAN_E_SHAPE,
                                   "%lld elements from %lld on along axis %lld of shape %s",
                                   (long long)a->size[i], (long long)a->begin[i], (long long)i,
                                   gan_shape_text(in, text, sizeof text));
        }
        s.dim[i] = a->size[i];
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, s};
    return true;
}

static void slice_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_slice *a = c->attr;
    gan_shape s = gan_shape_get(c->g, c->x[0]);
    int64_t after[GAN_MAX_RANK] = {0};
    for (int64_t i = 0; i < s.rank; i++)
        after[i] = s.dim[i] - a->begin[i] - a->size[i];
    dx[0] = gan_pad(c->g, c->dy, a->begin, after, GAN_PAD_ZERO);
}

static void slice_ref(const struct gan__call *c)
{
    const struct gan__attr_slice *a = c->attr;
    int64_t stride[GAN_MAX_RANK], offset = 0;
    gan__strides(&c->in[0].shape, stride);
    for (int64_t i = 0; i < c->in[0].shape.rank; i++)
        offset += a->begin[i] * stride[i];
    struct gan__walk w;
    gan__walk_start(&w, &c->out[0].shape, stride, offset);
    gan__ref_copy_from(c, &w);
}

static const struct gan__attr_slice cut_35 = {{1, 0}, {2, 4}, 0},
                                    cut_image = {{0, 1, 2, 1}, {2, 2, 3, 1}, 0},
                                    cut_1 = {{0}, {1}, 0}, cut_one = {{2, 4}, {1, 1}, 0};

static const struct gan__case slice_cases[] = {
    {"[3,5]", -2, 2, 0, 2, &cut_35, NULL, 0, 0},
    {"[3,5]", -2, 2, 0, 2, &cut_one, NULL, 0, 0},
    {"[2,3,5,2]", -2, 2, 0, 1, &cut_image, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &cut_1, NULL, 0, 0},
    {"[3,5]", 0, 0, 0, 0, &cut_35, "i32", 0, 9},
    {0},
};

GAN_OP(slice) = {
    .name = "slice",
    .doc = "a box of elements",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_slice),
    .infer = slice_infer,
    .vjp = slice_vjp,
    .ref = slice_ref,
    .flops = gan__flops_none,
    .cases = slice_cases,
};

gan_val gan_slice(gan_graph *g, gan_val x, const int64_t *begin, const int64_t *size)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(x))
        return GAN_NONE;
    struct gan__attr_slice attr = {.mode = 0};
    bool whole = true;
    for (int64_t i = 0; i < s.rank; i++) {
        attr.begin[i] = begin[i];
        attr.size[i] = size[i];
        whole = whole && begin[i] == 0 && size[i] == s.dim[i];
    }
    return whole ? x : gan__add_node(g, &gan__op_slice, &x, 1, &attr);
}

gan_val gan_slice_axis(gan_graph *g, gan_val x, int axis, int64_t begin, int64_t size)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(x))
        return GAN_NONE;
    int64_t at = axis < 0 ? s.rank + axis : axis, first[GAN_MAX_RANK] = {0};
    if (at < 0 || at >= s.rank) {
        char text[96];
        return gan_graph_fail(g, GAN_E_SHAPE, "slice: axis %d of shape %s, which has rank %lld",
                              axis, gan_shape_text(&s, text, sizeof text), (long long)s.rank);
    }
    first[at] = begin;
    s.dim[at] = size;
    return gan_slice(g, x, first, s.dim);
}

/* --- pad ------------------------------------------------------------------------------------ */

/* Checks the padding of an extent n; what a reflection or an edge needs to copy must exist. */
static bool pad_fits(struct gan__infer *c, int64_t axis, int64_t n)
{
    const struct gan__attr_slice *a = c->attr;
    int64_t before = a->begin[axis], after = a->size[axis], most = before > after ? before : after;
    const int64_t limit = INT64_MAX / 8;
    if (before < 0 || after < 0 || most > limit || n < 0 || n > limit)
        return gan__infer_fail(c, GAN_E_SHAPE,
                               "%lld before and %lld after axis %lld of extent %lld",
                               (long long)before, (long long)after, (long long)axis, (long long)n);
    if (a->mode == GAN_PAD_REFLECT && most > 0 && most >= n)
        return gan__infer_fail(
            c, GAN_E_SHAPE,
            "%lld reflected elements on axis %lld, expected fewer than its extent %lld",
            (long long)most, (long long)axis, (long long)n);
    if (a->mode == GAN_PAD_EDGE && most > 0 && n == 0)
        return gan__infer_fail(c, GAN_E_SHAPE, "axis %lld is empty: no edge to repeat",
                               (long long)axis);
    return true;
}

/* sign 1: pad; sign -1: pad_grad, whose result is smaller by the padding. */
static bool padded(struct gan__infer *c, int sign)
{
    const struct gan__attr_slice *a = c->attr;
    gan_shape s = c->in[0].shape;
    if (a->mode < GAN_PAD_ZERO || a->mode > GAN_PAD_EDGE)
        return gan__infer_fail(c, GAN_E_ARG, "unknown mode %lld", (long long)a->mode);
    for (int64_t i = 0; i < s.rank; i++) {
        if (sign < 0)
            s.dim[i] -= a->begin[i] + a->size[i];
        if (!pad_fits(c, i, s.dim[i]))
            return false;
        if (sign > 0)
            s.dim[i] += a->begin[i] + a->size[i];
    }
    c->out[0] = (struct gan__type){c->in[0].dtype, s};
    return true;
}

static bool pad_infer(struct gan__infer *c)
{
    return padded(c, 1);
}

static bool pad_grad_infer(struct gan__infer *c)
{
    if (!gan_dtype_is_real(c->in[0].dtype))
        return gan__infer_fail(c, GAN_E_DTYPE, "element type is %s, expected a real one",
                               gan_dtype_name(c->in[0].dtype));
    return padded(c, -1);
}

static void pad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_slice *a = c->attr;
    if (a->mode == GAN_PAD_ZERO)
        dx[0] = gan_slice(c->g, c->dy, a->begin, gan_shape_get(c->g, c->x[0]).dim);
    else
        dx[0] = gan__add_node(c->g, &gan__op_pad_grad, &c->dy, 1, a);
}

static void pad_grad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_slice *a = c->attr;
    dx[0] = gan_pad(c->g, c->dy, a->begin, a->size, (gan_pad_mode)a->mode);
}

/* Where the padded index i comes from in an axis of extent n; -1 for a zero. */
static int64_t pad_source(int64_t mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n)
        return i;
    if (mode == GAN_PAD_REFLECT)
        return i < 0 ? -i : 2 * (n - 1) - i;
    if (mode == GAN_PAD_EDGE)
        return i < 0 ? 0 : n - 1;
    return -1;
}

static void pad_ref(const struct gan__call *c)
{
    const struct gan__attr_slice *a = c->attr;
    const gan_shape *in = &c->in[0].shape, *out = &c->out[0].shape;
    int64_t stride[GAN_MAX_RANK], n = gan_shape_count(out);
    gan__strides(in, stride);
    struct gan__walk w;
    gan__walk_start(&w, out, stride, 0);
    for (int64_t i = 0; i < n; i++, gan__walk_next(&w)) {
        int64_t from = 0;
        for (int64_t k = 0; k < in->rank && from >= 0; k++) {
            int64_t j = pad_source(a->mode, w.at[k] - a->begin[k], in->dim[k]);
            from = j < 0 ? -1 : from + j * stride[k];
        }
        if (from < 0)
            gan_tensor_set(&c->out[0], i, 0.0);
        else
            gan__copy_element(&c->out[0], i, &c->in[0], from);
    }
}

/* Padded indices that copy element i of an axis: first, first + step, .. (count of them). */
struct copies {
    int64_t at[3]; /* reflection: itself, its image below, its image above */
    int64_t count; /* edge: at[0] is the first of `count` neighbours */
};

static struct copies copies_of(int64_t mode, int64_t i, int64_t n, int64_t before, int64_t after)
{
    struct copies p = {{before + i, 0, 0}, 1};
    if (mode == GAN_PAD_REFLECT) {
        if (i >= 1 && i <= before)
            p.at[p.count++] = before - i;
        if (i <= n - 2 && i >= n - 1 - after)
            p.at[p.count++] = before + 2 * (n - 1) - i;
    } else if (mode == GAN_PAD_EDGE) {
        if (i == 0) {
            p.at[0] = 0;
            p.count += before;
        }
        if (i == n - 1)
            p.count += after;
    }
    return p;
}

/* Adds up every copy of one element: all combinations of the axes' copies, first axis slowest. */
static double sum_copies(const gan_tensor *dy, const struct copies *p, const int64_t *stride,
                         bool listed)
{
    int64_t rank = dy->shape.rank, k[GAN_MAX_RANK] = {0}, n = 1;
    double total = 0.0;
    for (int64_t a = 0; a < rank; a++)
        n *= p[a].count;
    for (int64_t i = 0; i < n; i++) {
        int64_t from = 0;
        for (int64_t a = 0; a < rank; a++)
            from += (listed ? p[a].at[k[a]] : p[a].at[0] + k[a]) * stride[a];
        total += gan_tensor_get(dy, from);
        for (int64_t a = rank - 1; a >= 0 && ++k[a] == p[a].count; a--)
            k[a] = 0;
    }
    return total;
}

static void pad_grad_ref(const struct gan__call *c)
{
    const struct gan__attr_slice *a = c->attr;
    const gan_shape *out = &c->out[0].shape;
    int64_t stride[GAN_MAX_RANK], n = gan_shape_count(out);
    gan__strides(&c->in[0].shape, stride);
    struct gan__walk w;
    gan__walk_start(&w, out, stride, 0);
    for (int64_t i = 0; i < n; i++, gan__walk_next(&w)) {
        struct copies p[GAN_MAX_RANK];
        for (int64_t k = 0; k < out->rank; k++)
            p[k] = copies_of(a->mode, w.at[k], out->dim[k], a->begin[k], a->size[k]);
        gan_tensor_set(&c->out[0], i, sum_copies(&c->in[0], p, stride, a->mode != GAN_PAD_EDGE));
    }
}

static const struct gan__attr_slice zero_pad = {{1, 0}, {0, 2}, GAN_PAD_ZERO},
                                    zero_image = {{0, 1, 2, 0}, {0, 1, 0, 0}, GAN_PAD_ZERO},
                                    reflect_pad = {{1, 2}, {2, 3}, GAN_PAD_REFLECT},
                                    reflect_image = {{0, 2, 1, 0}, {0, 2, 3, 0}, GAN_PAD_REFLECT},
                                    reflect_none = {{0}, {0}, GAN_PAD_REFLECT},
                                    edge_pad = {{1, 3}, {2, 0}, GAN_PAD_EDGE},
                                    edge_image = {{0, 2, 1, 0}, {0, 1, 7, 0}, GAN_PAD_EDGE},
                                    edge_one = {{2}, {3}, GAN_PAD_EDGE},
                                    zero_one = {{2}, {1}, GAN_PAD_ZERO};

static const struct gan__case pad_cases[] = {
    {"[3,5]", -2, 2, 0, 2, &zero_pad, NULL, 0, 0},
    {"[2,3,5,2]", -2, 2, 0, 1, &zero_image, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &zero_one, NULL, 0, 0},
    {"[3,5]", -2, 2, 0, 2, &reflect_pad, NULL, 0, 0},
    {"[2,3,5,2]", -2, 2, 0, 1, &reflect_image, NULL, 0, 0},
    {"[1]", -2, 2, 0, 1, &reflect_none, NULL, 0, 0},
    {"[3,5]", -2, 2, 0, 2, &edge_pad, NULL, 0, 0},
    {"[2,3,5,2]", -2, 2, 0, 1, &edge_image, NULL, 0, 0},
    {"[1]", -2, 2, 0, 2, &edge_one, NULL, 0, 0},
    {"[3,5]", 0, 0, 0, 0, &edge_pad, "u8", 0, 9},
    {0},
};

/* Input shapes are those of the padded tensors above; sums of up to a dozen numbers. */
static const struct gan__case pad_grad_cases[] = {
    {"[6,10]", -2, 2, 2e-6, 2, &reflect_pad, NULL, 0, 0},
    {"[2,7,9,2]", -2, 2, 2e-6, 1, &reflect_image, NULL, 0, 0},
    {"[1]", -2, 2, 2e-6, 1, &reflect_none, NULL, 0, 0},
    {"[6,8]", -2, 2, 2e-6, 2, &edge_pad, NULL, 0, 0},
    {"[2,6,13,2]", -2, 2, 2e-6, 1, &edge_image, NULL, 0, 0},
    {"[6]", -2, 2, 2e-6, 2, &edge_one, NULL, 0, 0},
    {"[4]", -2, 2, 2e-6, 2, &zero_one, NULL, 0, 0},
    {0},
};

GAN_OP(pad) = {
    .name = "pad",
    .doc = "adds elements around: zeros, reflections or the edge",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_slice),
    .infer = pad_infer,
    .vjp = pad_vjp,
    .ref = pad_ref,
    .flops = gan__flops_none,
    .cases = pad_cases,
};

GAN_OP(pad_grad) = {
    .name = "pad_grad",
    .doc = "the adjoint of pad: adds up the copies of each element",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_slice),
    .infer = pad_grad_infer,
    .vjp = pad_grad_vjp,
    .ref = pad_grad_ref,
    .flops = gan__flops_per_input,
    .cases = pad_grad_cases,
};

gan_val gan_pad(gan_graph *g, gan_val x, const int64_t *before, const int64_t *after,
                gan_pad_mode mode)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(x))
        return GAN_NONE;
    struct gan__attr_slice attr = {.mode = (int64_t)mode};
    bool nothing = true;
    for (int64_t i = 0; i < s.rank; i++) {
        attr.begin[i] = before[i];
        attr.size[i] = after[i];
        nothing = nothing && before[i] == 0 && after[i] == 0;
    }
    return nothing ? x : gan__add_node(g, &gan__op_pad, &x, 1, &attr);
}
