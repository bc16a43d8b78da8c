/* simplify_shape.c: rules about ops that move, repeat or add up elements, for pass_simplify.c. */
#include "known.h"

#include <string.h>

static gan_val reshape_to(gan_graph *g, gan_val x, const struct gan__node *n)
{
    return gan__ir_make(g, &gan__op_reshape, &x, 1, &(struct gan__attr_shape){n->out[0].shape},
                        &n->out[0], n);
}

static gan_val simplify_reshape(gan_graph *g, const struct gan__node *n, gan_val x)
{
    const struct gan__node *m = gan__node_of(g, x);
    if (gan_shape_equal(&gan__type_of(g, x)->shape, &n->out[0].shape)) {
        return x;
    }
    if (m->op != &gan__op_reshape) {
        return GAN_NONE;
    }
    gan_val inner = m->in[0];
    return gan_shape_equal(&gan__type_of(g, inner)->shape, &n->out[0].shape)
               ? inner
               : reshape_to(g, inner, n);
}

static gan_val simplify_broadcast(gan_graph *g, const struct gan__node *n, gan_val x)
{
    const struct gan__node *m = gan__node_of(g, x);
    if (gan_shape_equal(&gan__type_of(g, x)->shape, &n->out[0].shape)) {
        return x;
    }
    if (m->op != &gan__op_broadcast) {
        return GAN_NONE;
    }
    return gan__ir_make(g, &gan__op_broadcast, m->in, 1, n->attr, &n->out[0], n);
}

/* True when axes longer than 1 keep their order: no element moves. */
static bool keeps_order(const struct gan__attr_perm *a, const gan_shape *in)
{
    int64_t last = -1;
    for (int64_t i = 0; i < in->rank; i++) {
        if (in->dim[a->perm[i]] == 1) {
            continue;
        }
        if (a->perm[i] < last) {
            return false;
        }
        last = a->perm[i];
    }
    return true;
}

static gan_val simplify_transpose(gan_graph *g, const struct gan__node *n, gan_val x)
{
    const struct gan__attr_perm *a = n->attr;
    const struct gan__node *m = gan__node_of(g, x);
    const gan_shape *in = &gan__type_of(g, x)->shape;
    if (keeps_order(a, in)) {
        return gan_shape_equal(in, &n->out[0].shape) ? x : reshape_to(g, x, n);
    }
    if (m->op != &gan__op_transpose) {
        return GAN_NONE;
    }
    const struct gan__attr_perm *b = m->attr;
    struct gan__attr_perm both = {{0}};
    for (int64_t i = 0; i < in->rank; i++) {
        both.perm[i] = b->perm[a->perm[i]];
    }
    gan_val inner = m->in[0];
    if (keeps_order(&both, &gan__type_of(g, inner)->shape)) {
        return gan_shape_equal(&gan__type_of(g, inner)->shape, &n->out[0].shape)
                   ? inner
                   : reshape_to(g, inner, n);
    }
    return gan__ir_make(g, &gan__op_transpose, &inner, 1, &both, &n->out[0], n);
}

/* A sum over axes of which some repeat one element: those only multiply. */
static gan_val sum_of_repeats(gan_graph *g, const struct gan__node *n, const struct gan__node *m)
{
    const struct gan__attr_axes *a = n->attr;
    gan_val x = m->in[0];
    const struct gan__type *from = gan__type_of(g, x);
    const gan_shape *wide = &m->out[0].shape;
    struct gan__attr_axes rest = {.axes = 0};
    struct gan__type t = *from;
    double times = 1.0;
    for (int64_t i = 0; i < wide->rank; i++) {
        if (!(a->axes >> i & 1)) {
            continue;
        }
        if (from->shape.dim[i] == 1) {
            times *= (double)wide->dim[i];
        } else {
            rest.axes |= (uint64_t)1 << i;
            t.shape.dim[i] = 1;
        }
    }
    if (times == 1.0) {
        return GAN_NONE;
    }
    if (rest.axes != 0) {
        x = gan__ir_make(g, &gan__op_sum, &x, 1, &rest, &t, n);
    }
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    gan_val scaled[2] = {x, gan__ir_fill(g, times, &t, n)};
    x = gan_ok(scaled[1]) ? gan__ir_make(g, &gan__op_mul, scaled, 2, NULL, &t, n) : GAN_NONE;
    if (!gan_ok(x) || gan_shape_equal(&t.shape, &n->out[0].shape)) {
        return x;
    }
    return gan__ir_make(g, &gan__op_broadcast, &x, 1, &(struct gan__attr_shape){n->out[0].shape},
                        &n->out[0], n);
}

static gan_val simplify_sum(gan_graph *g, const struct gan__node *n, gan_val x)
{
    const struct gan__node *m = gan__node_of(g, x);
    if (gan_shape_equal(&gan__type_of(g, x)->shape, &n->out[0].shape)) {
        return x; /* only axes of extent 1 */
    }
    if (m->op == &gan__op_broadcast) {
        return sum_of_repeats(g, n, m);
    }
    if (m->op == &gan__op_sum) {
        struct gan__attr_axes both = *(const struct gan__attr_axes *)n->attr;
        both.axes |= ((const struct gan__attr_axes *)m->attr)->axes;
        return gan__ir_make(g, &gan__op_sum, m->in, 1, &both, &n->out[0], n);
    }
    return GAN_NONE;
}

/* Part `k` of a concatenation when the slice is exactly that part. */
static gan_val slice_of_concat(const gan_graph *g, const struct gan__node *n,
                               const struct gan__node *m)
{
    const struct gan__attr_slice *a = n->attr;
    int64_t axis = ((const struct gan__attr_axis *)m->attr)->axis, begin = 0;
    for (int k = 0; k < m->n_in; k++) {
        const gan_shape *s = &gan__type_of(g, m->in[k])->shape;
        if (a->begin[axis] == begin && gan_shape_equal(s, &n->out[0].shape)) {
            return m->in[k];
        }
        begin += s->dim[axis];
    }
    return GAN_NONE;
}

static gan_val simplify_slice(gan_graph *g, const struct gan__node *n, gan_val x)
{
    const struct gan__attr_slice *a = n->attr;
    const struct gan__node *m = gan__node_of(g, x);
    if (gan_shape_equal(&gan__type_of(g, x)->shape, &n->out[0].shape)) {
        return x;
    }
    if (m->op == &gan__op_concat) {
        return slice_of_concat(g, n, m);
    }
    if (m->op == &gan__op_slice) {
        const struct gan__attr_slice *b = m->attr;
        struct gan__attr_slice both = *a;
        for (int i = 0; i < GAN_MAX_RANK; i++) {
            both.begin[i] = a->begin[i] + b->begin[i];
        }
        return gan__ir_make(g, &gan__op_slice, m->in, 1, &both, &n->out[0], n);
    }
    if (m->op == &gan__op_pad) {
        const struct gan__attr_slice *b = m->attr;
        const gan_shape *inner = &gan__type_of(g, m->in[0])->shape;
        bool same = gan_shape_equal(inner, &n->out[0].shape);
        for (int64_t i = 0; i < inner->rank && same; i++) {
            same = a->begin[i] == b->begin[i];
        }
        return same ? m->in[0] : GAN_NONE;
    }
    return GAN_NONE;
}

/* Does the transpose exchange the last two axes and nothing else? */
static bool swaps_last(const struct gan__node *m)
{
    const struct gan__attr_perm *a = m->attr;
    int64_t rank = m->out[0].shape.rank;
    for (int64_t i = 0; i < rank - 2; i++) {
        if (a->perm[i] != i) {
            return false;
        }
    }
    return rank >= 2 && a->perm[rank - 2] == rank - 1 && a->perm[rank - 1] == rank - 2;
}

static gan_val simplify_matmul(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    struct gan__attr_matmul a = *(const struct gan__attr_matmul *)n->attr;
    gan_val in[2] = {x[0], x[1]};
    bool any = false;
    for (int j = 0; j < 2; j++) {
        const struct gan__node *m = gan__node_of(g, x[j]);
        if (m->op == &gan__op_transpose && swaps_last(m)) {
            in[j] = m->in[0];
            *(j == 0 ? &a.ta : &a.tb) ^= 1;
            any = true;
        }
    }
    return any ? gan__ir_make(g, &gan__op_matmul, in, 2, &a, &n->out[0], n) : GAN_NONE;
}

gan_val gan__simplify_shape(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    if (n->op == &gan__op_reshape) {
        return simplify_reshape(g, n, x[0]);
    }
    if (n->op == &gan__op_broadcast) {
        return simplify_broadcast(g, n, x[0]);
    }
    if (n->op == &gan__op_transpose) {
        return simplify_transpose(g, n, x[0]);
    }
    if (n->op == &gan__op_sum) {
        return simplify_sum(g, n, x[0]);
    }
    if (n->op == &gan__op_slice) {
        return simplify_slice(g, n, x[0]);
    }
    if (n->op == &gan__op_matmul) {
        return simplify_matmul(g, n, x);
    }
    bool alone = n->op == &gan__op_concat && n->n_in == 1;
    if ((alone || n->op == &gan__op_pad) &&
        gan_shape_equal(&gan__type_of(g, x[0])->shape, &n->out[0].shape)) {
        return x[0];
    }
    return GAN_NONE;
}
