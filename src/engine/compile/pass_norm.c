/* pass_norm.c: normalisation as sums and elementwise operations, which fuse with their neighbours.
 *
 *   x_hat = (x - mean) rstd                        mean, var, rstd from one pass over x (`moments`)
 *   dx    = g rstd - s1 rstd/n - x_hat s2 rstd/n    s1 = sum g, s2 = sum g x_hat
 *
 * A factor of g that does not vary inside a mean comes out of both sums: with g = gamma dy these are
 * the affine part's own derivatives, sum dy and sum dy x_hat, which cse finds. So a layer's forward
 * pass reads x for the moments, reads it again and writes the activation; its backward pass reads
 * the derivative and x twice and writes once, and x_hat is never stored.
 *
 * x_hat, mean and var keep their bits. dx differs from normalize_grad by the roundings of g x_hat
 * and of a few products to f32: some 1e-6 of the largest term. */
#include "known.h"

#include "base/alloc.h"
#include "base/err.h"
#include "fused.h"

extern const struct gan__op gan__op_normalize, gan__op_normalize_grad, gan__op_moments;

static bool infer_moments(struct gan__infer *c)
{
    return gan__infer_fail(c, GAN_E_INTERNAL, "moments are made by the compiler only");
}

GAN_OP(moments) = {
    .name = "moments",
    .doc = "mean, biased variance and 1/sqrt(variance + eps) over axes",
    .n_in = 1,
    .n_out = 3,
    .flags = GAN_OP_INTERNAL,
    .attr_size = sizeof(struct gan__attr_axes),
    .infer = infer_moments,
};

/* One node being rewritten. */
struct site {
    gan_graph *g;
    const struct gan__node *n;
    struct gan__type whole, small; /* of x and of a mean */
};

static gan_val repeat(const struct site *s, gan_val v)
{
    struct gan__attr_shape a = {s->whole.shape};
    return gan__ir_make(s->g, &gan__op_broadcast, &v, 1, &a, &s->whole, s->n);
}

static gan_val binary(const struct site *s, const struct gan__op *op, gan_val a, gan_val b)
{
    if (!gan_ok(a) || !gan_ok(b)) {
        return GAN_NONE;
    }
    return gan__ir_make(s->g, op, (gan_val[]){a, b}, 2, NULL, gan__type_of(s->g, a), s->n);
}

static gan_val sum(const struct site *s, gan_val x)
{
    struct gan__attr_axes a = {((const struct gan__attr_axes *)s->n->attr)->axes, 0.0};
    return gan_ok(x) ? gan__ir_make(s->g, &gan__op_sum, &x, 1, &a, &s->small, s->n) : GAN_NONE;
}

/* Elements of one mean. */
static double population(const struct site *s)
{
    return (double)gan_shape_count(&s->whole.shape) / (double)gan_shape_count(&s->small.shape);
}

/* Does the backend serve the parts? */
static bool wanted(const struct gan__compile *c, const gan_graph *g, const struct gan__node *n)
{
    if (n->op != &gan__op_normalize || gan__type_of(g, n->in[0])->dtype != GAN_F32) {
        return false;
    }
    const struct gan__type *x = gan__type_of(g, n->in[0]);
    struct gan__type out[3] = {n->out[1], n->out[1], n->out[1]};
    return c->served(c->backend, &gan__op_moments, x, 1, out, 3, n->attr);
}

/* outs: x_hat, mean, var; returns rstd. */
static gan_val split_normalize(struct site *s, gan_val x, gan_val outs[3])
{
    struct gan__type out[3] = {s->small, s->small, s->small};
    gan_val m = gan__ir_make(s->g, &gan__op_moments, &x, 1, s->n->attr, out, s->n);
    if (!gan_ok(m)) {
        return GAN_NONE;
    }
    gan_val var = {m.node, 1}, rstd = {m.node, 2};
    outs[0] = binary(s, &gan__op_sub, x, repeat(s, m));
    outs[0] = binary(s, &gan__op_mul, outs[0], repeat(s, rstd));
    outs[1] = m;
    outs[2] = var;
    return rstd;
}

/* The factor of v that is constant inside each mean (small shape; *rest = the other), if any. */
static gan_val constant_factor(const struct site *s, gan_val v, gan_val *rest)
{
    const struct gan__node *m = gan__node_of(s->g, v);
    for (int j = 0; j < 2 && m->op == &gan__op_mul; j++) {
        const struct gan__node *b = gan__node_of(s->g, m->in[j]);
        if (b->op != &gan__op_broadcast) {
            continue;
        }
        gan_val f = b->in[0];
        const gan_shape *shape = &gan__type_of(s->g, f)->shape;
        bool fits = shape->rank == s->small.shape.rank;
        for (int64_t d = 0; d < shape->rank && fits; d++) {
            fits = shape->dim[d] == 1 || shape->dim[d] == s->small.shape.dim[d];
        }
        if (!fits) {
            continue;
        }
        *rest = m->in[1 - j];
        if (!gan_shape_equal(shape, &s->small.shape)) {
            struct gan__attr_shape a = {s->small.shape};
            f = gan__ir_make(s->g, &gan__op_broadcast, &f, 1, &a, &s->small, s->n);
        }
        return f;
    }
    *rest = v;
    return GAN_NONE;
}

/* Sum over the means' axes, divided by their elements, times the factor (if any) and rstd. */
static gan_val share_of(const struct site *s, gan_val x, gan_val factor, gan_val rstd)
{
    gan_val each = sum(s, x);
    if (gan_ok(factor)) {
        each = binary(s, &gan__op_mul, each, factor);
    }
    gan_val share = gan__ir_fill(s->g, 1.0 / population(s), &s->small, s->n);
    return binary(s, &gan__op_mul, binary(s, &gan__op_mul, each, share), rstd);
}

/* Numbers that do not vary inside a mean are multiplied before they are repeated. */
static gan_val split_grad(const struct site *s, gan_val g, gan_val x_hat, gan_val rstd)
{
    gan_val rest;
    gan_val factor = constant_factor(s, g, &rest);
    gan_val first = share_of(s, rest, factor, rstd);
    gan_val second = share_of(s, binary(s, &gan__op_mul, rest, x_hat), factor, rstd);
    gan_val scale = gan_ok(factor) ? binary(s, &gan__op_mul, factor, rstd) : rstd;
    if (!gan_ok(first) || !gan_ok(second) || !gan_ok(scale)) {
        return GAN_NONE;
    }
    gan_val dx = binary(s, &gan__op_mul, rest, repeat(s, scale));
    dx = binary(s, &gan__op_sub, dx, repeat(s, first));
    return binary(s, &gan__op_sub, dx, binary(s, &gan__op_mul, x_hat, repeat(s, second)));
}

/* Is node n the derivative of a normalisation that was split? */
static bool follows(const struct gan__rewrite *rw, const struct gan__node *n, const gan_val *rstd)
{
    if (n->op != &gan__op_normalize_grad || n->in[1].node != n->in[2].node || n->in[1].out != 0 ||
        n->in[2].out != 2 || !gan_ok(rstd[n->in[1].node])) {
        return false;
    }
    const struct gan__attr_axes *a = n->attr, *b = rw->src->nodes[n->in[1].node].attr;
    return a->axes == b->axes && a->eps >= b->eps && a->eps <= b->eps;
}

static void rewrite_node(struct gan__rewrite *rw, size_t i, gan_val *rstd)
{
    const struct gan__node *n = &rw->src->nodes[i];
    struct site s = {.g = rw->dst, .n = n, .whole = n->out[0]};
    if (wanted(rw->c, rw->src, n)) {
        gan_val outs[3] = {GAN_NONE, GAN_NONE, GAN_NONE};
        s.small = n->out[1];
        rstd[i] = split_normalize(&s, gan__rewrite_get(rw, n->in[0]), outs);
        for (uint32_t k = 0; k < 3; k++) {
            gan__rewrite_set(rw, (gan_val){(uint32_t)i, k}, outs[k]);
        }
    } else if (follows(rw, n, rstd)) {
        s.small = *gan__type_of(rw->src, n->in[2]);
        gan_val dx = split_grad(&s, gan__rewrite_get(rw, n->in[0]), gan__rewrite_get(rw, n->in[1]),
                                rstd[n->in[1].node]);
        gan__rewrite_set(rw, (gan_val){(uint32_t)i, 0}, dx);
    } else {
        gan__rewrite_copy(rw, i);
    }
}

static gan_status run(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    bool any = false;
    for (size_t i = 1; i < c->g->n_nodes && !any; i++) {
        any = wanted(c, c->g, &c->g->nodes[i]);
    }
    if (!any) {
        return GAN_OK;
    }
    gan_val *rstd = gan__alloc_array(c->g->n_nodes, sizeof *rstd);
    if (!rstd) {
        return gan__fail_nomem(err, c->g->n_nodes * sizeof *rstd, "normalisations");
    }
    gan_status status = gan__rewrite_begin(&rw, c, err);
    if (status == GAN_OK) {
        for (size_t i = 1; i < rw.src->n_nodes && rw.dst->err.code == GAN_OK; i++) {
            rewrite_node(&rw, i, rstd);
        }
        status = gan__rewrite_end(&rw, GAN_OK, err);
    }
    gan__free(rstd);
    return status;
}

GAN_PASS(norm) = {
    .name = "norm",
    .doc = "split normalisation into sums and elementwise operations",
    .rank = 10,
    .repeat = true,
    .run = run,
};
