/* pass_simplify.c: algebra on single nodes and their inputs.
 *
 * Two liberties are taken. x*0 becomes 0 although NaN*0 is NaN: sums of zero cotangents are common,
 * and a NaN in x is found by its other readers. Sums are split and scale factors multiplied: the
 * result differs by roundings of the sum's type (a few units in the last place of its largest
 * term). Everything else keeps the bits. */
#include "known.h"

#include "base/err.h"

/* The input of a node when it is this op, else GAN_NONE. */
static gan_val under(const gan_graph *g, gan_val v, const struct gan__op *op)
{
    const struct gan__node *n = gan__node_of(g, v);
    return n->op == op ? n->in[0] : GAN_NONE;
}

static gan_val binary(gan_graph *g, const struct gan__op *op, gan_val a, gan_val b,
                      const struct gan__node *n)
{
    return gan__ir_make(g, op, (gan_val[]){a, b}, 2, NULL, &n->out[0], n);
}

static gan_val negate(gan_graph *g, gan_val x, const struct gan__node *n)
{
    gan_val inner = under(g, x, &gan__op_neg);
    return gan_ok(inner) ? inner : gan__ir_make(g, &gan__op_neg, &x, 1, NULL, &n->out[0], n);
}

static gan_val simplify_add(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    for (int j = 0; j < 2; j++) {
        gan_val negative = under(g, x[j], &gan__op_neg);
        if (gan__is_fill_of(g, x[j], 0.0)) {
            return x[1 - j];
        }
        if (gan_ok(negative)) {
            return binary(g, &gan__op_sub, x[1 - j], negative, n);
        }
    }
    return GAN_NONE;
}

static gan_val simplify_sub(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    gan_val negative = under(g, x[1], &gan__op_neg);
    if (gan__is_fill_of(g, x[1], 0.0)) {
        return x[0];
    }
    if (gan__is_fill_of(g, x[0], 0.0)) {
        return negate(g, x[1], n);
    }
    return gan_ok(negative) ? binary(g, &gan__op_add, x[0], negative, n) : GAN_NONE;
}

/* (x * c) * d = x * (c d) */
static gan_val scale_chain(gan_graph *g, const struct gan__node *n, gan_val x, double d)
{
    const struct gan__node *m = gan__node_of(g, x);
    double c;
    if (m->op != &gan__op_mul) {
        return GAN_NONE;
    }
    for (int j = 0; j < 2; j++) {
        if (gan__is_fill(g, m->in[j], &c)) {
            gan_val rest = m->in[1 - j];
            return binary(g, &gan__op_mul, rest, gan__ir_fill(g, c * d, &n->out[0], n), n);
        }
    }
    return GAN_NONE;
}

static gan_val simplify_mul(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    double c;
    for (int j = 0; j < 2; j++) {
        gan_val other = x[1 - j];
        if (!gan__is_fill(g, x[j], &c)) {
            continue;
        }
        if (c == 1.0) {
            return other;
        }
        if (c == 0.0) {
            return x[j];
        }
        if (c == -1.0) {
            return negate(g, other, n);
        }
        gan_val negative = under(g, other, &gan__op_neg);
        if (gan_ok(negative)) {
            return binary(g, &gan__op_mul, negative, gan__ir_fill(g, -c, &n->out[0], n), n);
        }
        return scale_chain(g, n, other, c);
    }
    gan_val a = under(g, x[0], &gan__op_neg), b = under(g, x[1], &gan__op_neg);
    return gan_ok(a) && gan_ok(b) ? binary(g, &gan__op_mul, a, b, n) : GAN_NONE;
}

/* Widening and narrowing back loses nothing. */
static gan_val simplify_cast(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    gan_dtype to = n->out[0].dtype;
    gan_val inner = under(g, x[0], &gan__op_cast);
    if (gan__type_of(g, x[0])->dtype == to) {
        return x[0];
    }
    if (gan_ok(inner) && gan__type_of(g, inner)->dtype == to &&
        (to == GAN_BOOL || (to == GAN_F32 && gan__type_of(g, x[0])->dtype == GAN_F64))) {
        return inner;
    }
    return GAN_NONE;
}

static gan_val simplify_select(const gan_graph *g, const gan_val *x)
{
    double c;
    if (gan__is_fill(g, x[0], &c)) {
        return c != 0.0 ? x[1] : x[2];
    }
    return x[1].node == x[2].node && x[1].out == x[2].out ? x[1] : GAN_NONE;
}

static gan_val simplify_pow(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    double exponent = ((const struct gan__attr_num *)n->attr)->a;
    if (exponent == 1.0) {
        return x[0];
    }
    return exponent == 2.0 ? gan__ir_make(g, &gan__op_square, x, 1, NULL, &n->out[0], n) : GAN_NONE;
}

/* Smallest shape that all inputs are repeated from; false when one is not repeated. */
static bool common_source(const gan_graph *g, const struct gan__node *n, const gan_val *x,
                          gan_shape *common)
{
    bool any = false;
    *common = n->out[0].shape;
    for (int64_t d = 0; d < common->rank; d++) {
        common->dim[d] = 1;
    }
    for (int j = 0; j < n->n_in; j++) {
        const struct gan__node *m = gan__node_of(g, x[j]);
        if (m->op == &gan__op_fill) {
            continue;
        }
        if (m->op != &gan__op_broadcast) {
            return false;
        }
        const gan_shape *s = &gan__type_of(g, m->in[0])->shape;
        for (int64_t d = 0; d < common->rank; d++) {
            common->dim[d] = s->dim[d] > common->dim[d] ? s->dim[d] : common->dim[d];
        }
        any = true;
    }
    return any && gan_shape_count(common) < gan_shape_count(&n->out[0].shape);
}

/* f(repeat(a), repeat(b)) = repeat(f(a, b)): the same numbers from fewer elements. */
static gan_val repeat_later(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    gan_shape common;
    gan_val small[4];
    if (n->n_in > 4 || n->n_in < 1 || !common_source(g, n, x, &common)) {
        return GAN_NONE;
    }
    for (int j = 0; j < n->n_in; j++) {
        struct gan__type t = {gan__type_of(g, x[j])->dtype, common};
        double value;
        if (gan__is_fill(g, x[j], &value)) {
            small[j] = gan__ir_fill(g, value, &t, n);
            continue;
        }
        small[j] = gan__node_of(g, x[j])->in[0];
        if (!gan_shape_equal(&gan__type_of(g, small[j])->shape, &common)) {
            small[j] = gan__ir_make(g, &gan__op_broadcast, &small[j], 1,
                                    &(struct gan__attr_shape){common}, &t, n);
        }
        if (!gan_ok(small[j])) {
            return GAN_NONE;
        }
    }
    struct gan__type t = {n->out[0].dtype, common};
    gan_val y = gan__ir_make(g, n->op, small, n->n_in, n->attr, &t, n);
    return gan_ok(y) ? gan__ir_make(g, &gan__op_broadcast, &y, 1,
                                    &(struct gan__attr_shape){n->out[0].shape}, &n->out[0], n)
                     : GAN_NONE;
}

static gan_val simplify_elementwise(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    gan_val y = GAN_NONE;
    if (n->op == &gan__op_add) {
        y = simplify_add(g, n, x);
    } else if (n->op == &gan__op_sub) {
        y = simplify_sub(g, n, x);
    } else if (n->op == &gan__op_mul) {
        y = simplify_mul(g, n, x);
    } else if (n->op == &gan__op_div && gan__is_fill_of(g, x[1], 1.0)) {
        y = x[0];
    } else if (n->op == &gan__op_neg) {
        y = under(g, x[0], &gan__op_neg);
    } else if (n->op == &gan__op_cast) {
        y = simplify_cast(g, n, x);
    } else if (n->op == &gan__op_select) {
        y = simplify_select(g, x);
    } else if (n->op == &gan__op_pow) {
        y = simplify_pow(g, n, x);
    }
    return gan_ok(y) ? y : repeat_later(g, n, x);
}

#define MAX_IN 16

static gan_val simplify_node(gan_graph *g, const struct gan__node *n, const gan_val *x)
{
    if (n->n_out != 1 || n->n_in < 1 || n->n_in > MAX_IN) {
        return GAN_NONE;
    }
    if (n->op == &gan__op_stop) {
        return x[0];
    }
    gan_val y = n->op->flags & GAN_OP_ELEMENTWISE ? simplify_elementwise(g, n, x)
                                                  : gan__simplify_shape(g, n, x);
    return gan_ok(y) && gan__type_equal(gan__type_of(g, y), &n->out[0]) ? y : GAN_NONE;
}

static gan_status run(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    for (size_t i = 1; i < rw.src->n_nodes && rw.dst->err.code == GAN_OK; i++) {
        const struct gan__node *n = &rw.src->nodes[i];
        gan_val x[MAX_IN] = {{0, 0}};
        for (int j = 0; j < n->n_in && j < MAX_IN; j++) {
            x[j] = gan__rewrite_get(&rw, n->in[j]);
        }
        gan_val y = simplify_node(rw.dst, n, x);
        if (gan_ok(y)) {
            gan__rewrite_set(&rw, (gan_val){(uint32_t)i, 0}, y);
        } else {
            gan__rewrite_copy(&rw, i);
        }
    }
    return gan__rewrite_end(&rw, GAN_OK, err);
}

GAN_PASS(simplify) = {
    .name = "simplify",
    .doc = "apply algebra: neutral elements, chains, repeated values",
    .rank = 20,
    .repeat = true,
    .run = run,
};
