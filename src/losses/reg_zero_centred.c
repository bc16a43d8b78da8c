/* reg_zero_centred.c: gamma/2 E |grad f|^2 at the reals (R1) or at the fakes (R2): a flat
 * discriminator where the game should come to rest.
 *
 * Ref: Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406, eq. 9 and 10. */
#include "regs.h"
#include <gan/loss.h>

static gan_val flat_at(gan_graph *g, gan_val score, gan_val x, double gamma)
{
    return gan_scale(g, gan_mean_all(g, gan_slope_squared(g, score, x)), gamma / 2);
}

static gan_val at_reals(const struct gan_reg_context *c, double gamma)
{
    return flat_at(c->g, c->on_real, c->real, gamma);
}

static gan_val at_fakes(const struct gan_reg_context *c, double gamma)
{
    return flat_at(c->g, c->on_fake, c->fake, gamma);
}

GAN_REG(r1) = {
    .name = "r1",
    .doc = "half the squared slope at reals times gamma",
    .ref = "Mescheder et al. 2018, arXiv:1801.04406, eq. 9",
    .number = {"gamma", 10, 0, 1e6},
    .no_fakes = true,
    .per_sample = true,
    .at_batches = true,
    .penalty = at_reals,
};

GAN_REG(r2) = {
    .name = "r2",
    .doc = "half the squared slope at fakes times gamma",
    .ref = "Mescheder et al. 2018, arXiv:1801.04406, eq. 10",
    .number = {"gamma", 10, 0, 1e6},
    .per_sample = true,
    .at_batches = true,
    .penalty = at_fakes,
};
