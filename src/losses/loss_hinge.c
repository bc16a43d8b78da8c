/* loss_hinge.c: the critic is pushed until reals score above 1 and fakes below -1, no further.
 *
 * D: E max(0, 1 - f(x)) + E max(0, 1 + f(G(z))), G: -E f(G(z)).
 * Ref: Lim and Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17. */
#include "losses.h"

static gan_val disc(const struct gan_loss_context *c)
{
    gan_val low = gan_relu(c->g, gan_shift(c->g, gan_neg(c->g, c->on_real), 1));
    gan_val high = gan_relu(c->g, gan_shift(c->g, c->on_fake[0], 1));
    return gan_add(c->g, gan_mean_all(c->g, low), gan_mean_all(c->g, high));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return gan_neg(c->g, gan_mean_all(c->g, c->on_fake[0]));
}

GAN_LOSS(hinge) = {
    .name = "hinge",
    .doc = "scores beyond a margin of 1 teach the critic nothing; usual with spectral norm",
    .ref = "Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17",
    .signs = true,
    .disc = disc,
    .gen = gen,
};
