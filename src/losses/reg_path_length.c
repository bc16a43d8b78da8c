/* reg_path_length.c: steps of equal length in the latents make images change equally much:
 * (|J^T y| - a)^2 with y ~ N(0,1)/sqrt(H W) for each image and a the running mean of the lengths,
 * a += .01 (mean |J^T y| - a).
 *
 * J^T y is the derivative of <G(z), y> in z. As in the authors' code the penalty reads the new a,
 * through which the derivative passes. Ref: Karras et al. 2020, arXiv:1912.04958, eq. 4. */
#include "regs.h"

#include <math.h>

static const double rate = 0.01, tiny = 1e-12; /* tiny: a finite derivative at length 0 */

/* |J^T y| of each latent, [N]; several images may be side by side in one row of `fake`. */
static gan_val lengths(const struct gan_reg_context *c, gan_val y)
{
    gan_graph *g = c->g;
    gan_val product = gan_sum_all(g, gan_mul(g, c->fake, y)), slope = GAN_NONE;
    gan_grad(g, product, &c->latent, 1, &slope);
    return gan_sqrt(g, gan_shift(g, gan_sum(g, gan_square(g, slope), GAN_AXIS(1), false), tiny));
}

static gan_val penalty(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    gan_shape s = gan_shape_get(g, c->fake);
    gan_val y = c->normal(c->user, "path", s);
    y = gan_scale(g, y, 1 / sqrt((double)(gan_dim(g, c->fake, 1) * gan_dim(g, c->fake, 2))));
    gan_val length = lengths(c, y);
    gan_val old = c->kept(c->user, "path_length", gan_shape_scalar());
    gan_val change = gan_sub(g, gan_mean_all(g, length), old);
    gan_val usual = gan_add(g, old, gan_scale(g, change, rate));
    c->keep(c->user, "path_length", usual);
    return gan_scale(g, gan_mean_all(g, gan_square(g, gan_sub(g, length, usual))), weight);
}

GAN_REG(path_length) = {
    .name = "path-length",
    .doc = "generator: equal steps in the latents change images equally; usual as /4",
    .ref = "Karras et al. 2020, arXiv:1912.04958, eq. 4",
    .number = {"weight", 2, 0, 1e6},
    .phases = GAN_REG_GEN,
    .penalty = penalty,
};
