/* loss_gradient_penalty.c: E(|grad f(x_hat)| - target)^2 on points between reals and fakes.
 *
 * The gradient is a part of the graph, so the penalty's own derivative needs nothing special. The
 * norm is sqrt(sum + 1e-12): at a zero gradient the plain root has an infinite derivative. Ref:
 * Gulrajani et al. 2017, arXiv:1704.00028, eq. 3 and algorithm 1. */
#include "losses.h"

static const double norm_floor = 1e-12; /* under the root */

gan_val gan_slope_squared(gan_graph *g, gan_val score, gan_val x)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(score) || !gan_ok(x)) {
        return GAN_NONE;
    }
    if (s.rank < 1 || gan_dim(g, score, 0) != s.dim[0]) {
        return gan_graph_fail(g, GAN_E_SHAPE, "slope of a critic: %lld scores for %lld points",
                              (long long)gan_dim(g, score, 0), (long long)s.dim[0]);
    }
    if (!gan_depends(g, score, x)) {
        return gan_graph_fail(g, GAN_E_NOPATH,
                              "slope of a critic: the score does not depend on the points");
    }
    gan_val slope;
    gan_grad(g, gan_sum_all(g, score), &x, 1, &slope);
    gan_val squares = gan_square(g, slope);
    return s.rank > 1 ? gan_sum(g, squares, (GAN_AXIS(s.rank) - 1) & ~GAN_AXIS(0), false) : squares;
}

gan_val gan__slope(gan_graph *g, gan_val score, gan_val x)
{
    return gan_sqrt(g, gan_shift(g, gan_slope_squared(g, score, x), norm_floor));
}

gan_val gan_penalty_gradient(gan_graph *g, gan_val score, gan_val x_hat, double target)
{
    if (!(target >= 0)) {
        return gan_graph_fail(g, GAN_E_RANGE, "gradient penalty: slope %g, allowed from 0", target);
    }
    gan_val norm = gan__slope(g, score, x_hat);
    return gan_mean_all(g, gan_square(g, gan_shift(g, norm, -target)));
}

gan_shape gan__one_per_sample(gan_graph *g, gan_val x)
{
    gan_shape one = gan_shape_get(g, x);
    for (int64_t i = 1; i < one.rank; i++) {
        one.dim[i] = 1;
    }
    return one;
}

gan_val gan_interpolate_by(gan_graph *g, gan_val eps, gan_val x, gan_val y)
{
    return gan_add(g, y, gan_mul(g, eps, gan_sub(g, x, y)));
}

gan_val gan_interpolate(gan_graph *g, const char *name, gan_val x, gan_val y)
{
    if (!gan_ok(x) || !gan_ok(y)) {
        return GAN_NONE;
    }
    if (gan_shape_get(g, x).rank < 1) {
        return gan_graph_fail(g, GAN_E_SHAPE, "interpolation: scalars have no samples");
    }
    return gan_interpolate_by(g, gan_random_uniform(g, name, gan__one_per_sample(g, x)), x, y);
}
