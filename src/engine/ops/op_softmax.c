/* op_softmax.c: softmax, log-softmax and logsumexp over the last axis.
 *
 * All subtract the row's maximum m, a constant for the derivative because the result does not
 * depend on it: exp(x - m) <= 1 never overflows, and at least one term of the sum is 1. */
#include "engine/graph/op.h"

extern GAN_OP(softmax);
extern GAN_OP(log_softmax);
extern GAN_OP(logsumexp);

gan_val gan_softmax(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_softmax, &x, 1, NULL);
}

gan_val gan_log_softmax(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_log_softmax, &x, 1, NULL);
}

gan_val gan_logsumexp(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_logsumexp, &x, 1, NULL);
}

static bool infer_softmax(struct gan__infer *c)
{
    if (c->in[0].shape.rank < 1) {
        return gan__infer_fail(c, GAN_E_SHAPE, "a scalar has no last axis");
    }
    return gan__infer_same(c);
}

static bool infer_logsumexp(struct gan__infer *c)
{
    if (!infer_softmax(c)) {
        return false;
    }
    gan_shape *s = &c->out[0].shape;
    s->dim[--s->rank] = 0; /* unused entries stay 0 */
    return true;
}

static uint32_t last_axis(const gan_graph *g, gan_val x)
{
    const gan_shape s = gan_shape_get(g, x);
    return s.rank >= 1 ? GAN_AXIS(s.rank - 1) : 0;
}

/* x - m and its sum of exponentials; m is returned. */
static gan_val shifted(gan_graph *g, gan_val x, gan_val *d, gan_val *e, gan_val *sum)
{
    const gan_val m = gan_stop(g, gan_reduce_max(g, x, last_axis(g, x), true));
    *d = gan_sub(g, x, m);
    *e = gan_exp(g, *d);
    *sum = gan_sum(g, *e, last_axis(g, x), true);
    return m;
}

static void expand_softmax(gan_graph *g, const void *attr, const gan_val *x, gan_val *y)
{
    (void)attr;
    gan_val d, e, sum;
    shifted(g, x[0], &d, &e, &sum);
    y[0] = gan_div(g, e, sum);
}

static void expand_log_softmax(gan_graph *g, const void *attr, const gan_val *x, gan_val *y)
{
    (void)attr;
    gan_val d, e, sum;
    shifted(g, x[0], &d, &e, &sum);
    y[0] = gan_sub(g, d, gan_log(g, sum));
}

static void expand_logsumexp(gan_graph *g, const void *attr, const gan_val *x, gan_val *y)
{
    (void)attr;
    gan_val d, e, sum;
    const gan_val m = shifted(g, x[0], &d, &e, &sum);
    gan_shape s = gan_shape_get(g, x[0]);
    if (s.rank >= 1) {
        s.dim[--s.rank] = 0;
    }
    y[0] = gan_reshape(g, gan_add(g, m, gan_log(g, sum)), s);
}

/* dx = y (dy - sum(dy y)) */
static void softmax_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const gan_val dot = gan_sum(c->g, gan_mul(c->g, c->dy, c->y), last_axis(c->g, c->y), true);
    dx[0] = gan_mul(c->g, c->y, gan_sub(c->g, c->dy, dot));
}

/* dx = dy - exp(y) sum(dy) */
static void log_softmax_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const gan_val sum = gan_sum(c->g, c->dy, last_axis(c->g, c->y), true);
    dx[0] = gan_sub(c->g, c->dy, gan_mul(c->g, gan_exp(c->g, c->y), sum));
}

/* dx = softmax(x) dy */
static void logsumexp_vjp(const struct gan__vjp *c, gan_val *dx)
{
    gan_shape s = gan_shape_get(c->g, c->x[0]);
    s.dim[s.rank - 1] = 1;
    dx[0] = gan_mul(c->g, gan_softmax(c->g, c->x[0]), gan_reshape(c->g, c->dy, s));
}

/* Large ranges saturate the row; ties are kinks only of the subtracted maximum. */
static const struct gan__case softmax_cases[] = {
    {"[3,5]", -2.0, 2.0, 1e-6, 2, NULL, NULL, 1e-3, 0.0},
    {"[2,3,4]", -2.0, 2.0, 1e-6, 2, NULL, NULL, 1e-3, 0.0},
    {"[3]", -100.0, 100.0, 1e-6, 1, NULL, NULL, 1e-3, 0.0},
    {"[1,1]", -2.0, 2.0, 1e-6, 2, NULL, NULL, 1e-3, 0.0},
    {"[7,133]", -8.0, 8.0, 1e-5, 0, NULL, NULL, 0.0, 0.0},
    {0},
};

GAN_OP(softmax) = {
    .name = "softmax",
    .doc = "exp(x)/sum(exp(x)) over the last axis",
    .n_in = 1,
    .n_out = 1,
    .infer = infer_softmax,
    .vjp = softmax_vjp,
    .expand = expand_softmax,
    .cases = softmax_cases,
};

GAN_OP(log_softmax) = {
    .name = "log_softmax",
    .doc = "x - log(sum(exp(x))) over the last axis",
    .n_in = 1,
    .n_out = 1,
    .infer = infer_softmax,
    .vjp = log_softmax_vjp,
    .expand = expand_log_softmax,
    .cases = softmax_cases,
};

GAN_OP(logsumexp) = {
    .name = "logsumexp",
    .doc = "log(sum(exp(x))) over the last axis, which is dropped",
    .n_in = 1,
    .n_out = 1,
    .infer = infer_logsumexp,
    .vjp = logsumexp_vjp,
    .expand = expand_logsumexp,
    .cases = softmax_cases,
};
