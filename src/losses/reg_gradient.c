/* reg_gradient.c: penalties on the slope of the critic on lines between reals and fakes, and around
 * reals.
 *
 * gp: weight E (|grad f(x_hat)| - 1)^2, x_hat = eps x + (1 - eps) G(z), one eps ~ U(0,1) a sample.
 * gp1: the same where the slope exceeds 1 only. dragan: x_hat = x + a (std(x)/2) u, with a ~ U(0,1)
 * for each sample, u ~ U(0,1) for each element, and std over the whole batch (of a microbatch, where
 * there is one), as the authors' code has it.
 * Ref: Gulrajani et al. 2017, arXiv:1704.00028; Petzka et al. 2018, arXiv:1709.08894; Kodali et al.
 * 2017, arXiv:1705.07215. */
#include "losses.h"
#include "regs.h"

static gan_val slope_between(const struct gan_reg_context *c)
{
    gan_val eps = c->uniform(c->user, "eps", gan__one_per_sample(c->g, c->real));
    gan_val x_hat = gan_interpolate_by(c->g, eps, c->real, c->fake);
    return gan__slope(c->g, c->score(c->user, x_hat), x_hat);
}

static gan_val two_sided(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    gan_val gap = gan_shift(g, slope_between(c), -1);
    return gan_scale(g, gan_mean_all(g, gan_square(g, gap)), weight);
}

GAN_REG(gp) = {
    .name = "gp",
    .doc = "gradient penalty: slope 1 on lines between reals and fakes",
    .ref = "Gulrajani et al. 2017, arXiv:1704.00028, eq. 3",
    .number = {"weight", 10, 0, 1e6},
    .per_sample = true,
    .penalty = two_sided,
};

static gan_val one_sided(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    gan_val excess = gan_relu(g, gan_shift(g, slope_between(c), -1));
    return gan_scale(g, gan_mean_all(g, gan_square(g, excess)), weight);
}

GAN_REG(gp1) = {
    .name = "gp1",
    .doc = "one-sided gradient penalty: slope at most 1 on lines between reals and fakes",
    .ref = "Petzka et al. 2018, arXiv:1709.08894, eq. 8",
    .number = {"weight", 10, 0, 1e6},
    .per_sample = true,
    .penalty = one_sided,
};

/* Standard deviation over every element; no derivative is ever taken through it. */
static gan_val deviation(gan_graph *g, gan_val x)
{
    gan_val centred = gan_sub(g, x, gan_mean_all(g, x));
    return gan_sqrt(g, gan_mean_all(g, gan_square(g, centred)));
}

static gan_val around_reals(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    gan_val u = c->uniform(c->user, "dragan", gan_shape_get(g, c->real));
    gan_val a = c->uniform(c->user, "alpha", gan__one_per_sample(g, c->real));
    gan_val step = gan_scale(g, gan_mul(g, u, deviation(g, c->real)), 0.5);
    gan_val x_hat = gan_add(g, c->real, gan_mul(g, a, step));
    gan_val gap = gan_shift(g, gan__slope(g, c->score(c->user, x_hat), x_hat), -1);
    return gan_scale(g, gan_mean_all(g, gan_square(g, gap)), weight);
}

GAN_REG(dragan) = {
    .name = "dragan",
    .doc = "gradient penalty around reals: slope 1 next to the data",
    .ref = "Kodali et al. 2017, arXiv:1705.07215, section 2.3",
    .number = {"weight", 10, 0, 1e6},
    .no_fakes = true,
    .per_sample = true,
    .penalty = around_reals,
};
