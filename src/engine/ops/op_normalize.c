/* op_normalize.c: x_hat = (x - mean)/sqrt(var + eps) over a set of axes, with mean and var.
 *
 * Batch, instance, layer and group normalisation, AdaIN and SPADE are this op and an affine part.
 * normalize_grad is its derivative towards x_hat, one pass over memory instead of ten:
 *
 *   dx = (g - mean(g) - x_hat mean(g x_hat)) / sqrt(var + eps)
 *
 * Both carry their meaning in primitive ops; normalize_grad is differentiated through it. As an
 * op of independent inputs (g, x_hat, var) it is smooth, so derivatives of any order are exact.
 *
 * Ref: Ioffe, Szegedy 2015, arXiv:1502.03167. */
#include "engine/graph/attr.h"
#include "engine/graph/op.h"

extern GAN_OP(normalize);
extern GAN_OP(normalize_grad);

/* GAN_AXES_ALL for this rank means exactly its axes. */
struct gan_normalized gan_normalize(gan_graph *g, gan_val x, uint32_t axes, double eps)
{
    const gan_shape s = gan_shape_get(g, x);
    if (axes == GAN_AXES_ALL && s.rank >= 0) {
        axes = (1u << s.rank) - 1u;
    }
    const struct gan__attr_axes a = {axes, eps};
    const gan_val v = gan__add_node(g, &gan__op_normalize, &x, 1, &a);
    if (!gan_ok(v)) {
        return (struct gan_normalized){GAN_NONE, GAN_NONE, GAN_NONE};
    }
    return (struct gan_normalized){v, {v.node, 1}, {v.node, 2}};
}

static gan_shape reduced(const gan_shape *x, uint64_t axes)
{
    gan_shape s = *x;
    for (int64_t i = 0; i < s.rank; i++) {
        if ((axes >> i & 1u) != 0) {
            s.dim[i] = 1;
        }
    }
    return s;
}

/* Number of elements that one mean is taken over. */
static double population(const gan_shape *x, uint64_t axes)
{
    double n = 1.0;
    for (int64_t i = 0; i < x->rank; i++) {
        n *= (axes >> i & 1u) != 0 ? (double)x->dim[i] : 1.0;
    }
    return n;
}

static bool check_axes(struct gan__infer *c)
{
    const struct gan__attr_axes *a = c->attr;
    const gan_shape *x = &c->in[0].shape;
    if (!gan_dtype_is_real(c->in[0].dtype)) {
        return gan__infer_fail(c, GAN_E_DTYPE, "needs a real type, not %s",
                               gan_dtype_name(c->in[0].dtype));
    }
    if (a->axes == 0 || a->axes >> x->rank != 0) {
        char s[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "axes 0x%llx are not a set of axes of %s",
                               (unsigned long long)a->axes, gan_shape_text(x, s, sizeof s));
    }
    if (!(a->eps >= 0.0)) {
        return gan__infer_fail(c, GAN_E_RANGE, "eps %g must not be negative", a->eps);
    }
    return true;
}

static bool infer_normalize(struct gan__infer *c)
{
    const struct gan__attr_axes *a = c->attr;
    if (!check_axes(c)) {
        return false;
    }
    c->out[0] = c->in[0];
    c->out[1] = c->out[2] = (struct gan__type){c->in[0].dtype, reduced(&c->in[0].shape, a->axes)};
    return true;
}

static bool infer_normalize_grad(struct gan__infer *c)
{
    const struct gan__attr_axes *a = c->attr;
    if (!check_axes(c)) {
        return false;
    }
    const gan_shape want = reduced(&c->in[0].shape, a->axes);
    if (!gan_shape_equal(&c->in[0].shape, &c->in[1].shape) ||
        !gan_shape_equal(&c->in[2].shape, &want) || c->in[1].dtype != c->in[0].dtype ||
        c->in[2].dtype != c->in[0].dtype) {
        char s[96], t[96], u[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "a gradient %s, x_hat %s and var %s do not fit",
                               gan_shape_text(&c->in[0].shape, s, sizeof s),
                               gan_shape_text(&c->in[1].shape, t, sizeof t),
                               gan_shape_text(&c->in[2].shape, u, sizeof u));
    }
    c->out[0] = c->in[0];
    return true;
}

static void expand_normalize(gan_graph *g, const void *attr, const gan_val *x, gan_val *y)
{
    const struct gan__attr_axes *a = attr;
    const uint32_t axes = (uint32_t)a->axes;
    y[1] = gan_mean(g, x[0], axes, true);
    const gan_val d = gan_sub(g, x[0], y[1]);
    y[2] = gan_mean(g, gan_square(g, d), axes, true);
    y[0] = gan_mul(g, d, gan_rsqrt(g, gan_shift(g, y[2], a->eps)));
}

static void expand_normalize_grad(gan_graph *g, const void *attr, const gan_val *x, gan_val *y)
{
    const struct gan__attr_axes *a = attr;
    const uint32_t axes = (uint32_t)a->axes;
    const gan_val dy = x[0], x_hat = x[1], rstd = gan_rsqrt(g, gan_shift(g, x[2], a->eps));
    const gan_val slope = gan_mean(g, gan_mul(g, dy, x_hat), axes, true);
    const gan_val centred = gan_sub(g, dy, gan_mean(g, dy, axes, true));
    y[0] = gan_mul(g, gan_sub(g, centred, gan_mul(g, x_hat, slope)), rstd);
}

static gan_val plus(gan_graph *g, gan_val sum, gan_val term)
{
    return gan_ok(sum) ? gan_add(g, sum, term) : term;
}

/* d mean/dx = 1/n, d var/dx = 2 (x - mean)/n */
static void normalize_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_axes *a = c->attr;
    const gan_shape s = gan_shape_get(c->g, c->x[0]);
    const double n = population(&s, a->axes);
    gan_val sum = GAN_NONE;
    if (gan_ok(c->dys[0])) {
        const gan_val in[3] = {c->dys[0], c->ys[0], c->ys[2]};
        sum = gan__add_node(c->g, &gan__op_normalize_grad, in, 3, a);
    }
    if (gan_ok(c->dys[1])) {
        const gan_val each = gan_scale(c->g, c->dys[1], 1.0 / n);
        sum = plus(c->g, sum, gan_broadcast(c->g, each, s));
    }
    if (gan_ok(c->dys[2])) {
        const gan_val d = gan_sub(c->g, c->x[0], c->ys[1]);
        sum = plus(c->g, sum, gan_mul(c->g, d, gan_scale(c->g, c->dys[2], 2.0 / n)));
    }
    dx[0] = sum;
}

static const struct gan__attr_axes batch = {GAN_AXIS(0) | GAN_AXIS(1) | GAN_AXIS(2), 1e-5},
                                   instance = {GAN_AXIS(1) | GAN_AXIS(2), 1e-5},
                                   layer = {GAN_AXIS(1), 1e-3},
                                   group = {GAN_AXIS(1) | GAN_AXIS(3), 0.1};

/* The derivative is of order 1/sqrt(var): a few elements a mean, spread over several units, keep
 * the differences of the finite-difference check accurate. */
static const struct gan__case normalize_cases[] = {
    {"[2,2,3,2]", -3.0, 3.0, 1e-5, 2, &batch, NULL, 0.0, 0.0},
    {"[2,3,2,2]", -3.0, 3.0, 1e-5, 2, &instance, NULL, 0.0, 0.0},
    {"[3,5]", -3.0, 3.0, 1e-5, 2, &layer, NULL, 0.0, 0.0},
    {"[2,3,2,2]", -3.0, 3.0, 1e-5, 2, &group, NULL, 0.0, 0.0},
    {"[1,1,1,1]", -3.0, 3.0, 1e-5, 1, &group, NULL, 0.0, 0.0}, /* one element: x_hat = 0 */
    {"[5,9,11,19]", -3.0, 3.0, 1e-5, 0, &batch, NULL, 0.0, 0.0},
    {"[3,17,16,33]", 1.0, 3.0, 1e-5, 0, &instance, NULL, 0.0, 0.0},
    {"[5,301]", -3.0, 3.0, 1e-5, 0, &layer, NULL, 0.0, 0.0},
    {0},
};

/* All inputs positive, because one of them is a variance. */
static const struct gan__case normalize_grad_cases[] = {
    {"[2,2,3,2] [2,2,3,2] [1,1,1,2]", 0.5, 2.0, 1e-5, 2, &batch, NULL, 0.0, 0.0},
    {"[2,3,2,2] [2,3,2,2] [2,1,1,2]", 0.5, 2.0, 1e-5, 2, &instance, NULL, 0.0, 0.0},
    {"[3,5] [3,5] [3,1]", 0.5, 2.0, 1e-5, 2, &layer, NULL, 0.0, 0.0},
    {"[2,3,2,2] [2,3,2,2] [2,1,2,1]", 0.5, 2.0, 1e-5, 2, &group, NULL, 0.0, 0.0},
    {"[1,1,1,1] [1,1,1,1] [1,1,1,1]", 0.5, 2.0, 1e-5, 1, &group, NULL, 0.0, 0.0},
    {"[5,9,11,19] [5,9,11,19] [1,1,1,19]", 0.5, 2.0, 1e-5, 0, &batch, NULL, 0.0, 0.0},
    {0},
};

GAN_OP(normalize) = {
    .name = "normalize",
    .doc = "zero mean and unit variance over axes: x_hat, mean, biased variance",
    .n_in = 1,
    .n_out = 3,
    .attr_size = sizeof(struct gan__attr_axes),
    .infer = infer_normalize,
    .vjp = normalize_vjp,
    .expand = expand_normalize,
    .cases = normalize_cases,
};

GAN_OP(normalize_grad) = {
    .name = "normalize_grad",
    .doc = "derivative of normalize towards x: inputs d x_hat, x_hat, var",
    .n_in = 3,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_axes),
    .infer = infer_normalize_grad,
    .expand = expand_normalize_grad,
    .cases = normalize_grad_cases,
};
