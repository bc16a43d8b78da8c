/* loss_minimax.c: the value function of the GAN game, V = E log sigma(D(x)) + E log(1 -
 * sigma(D(G(z)))).
 *
 * The discriminator ascends V, the generator descends its second term. On logits s with sp =
 * softplus: -log sigma(s) = sp(-s) and log(1 - sigma(s)) = -sp(s), so nothing saturates
 * numerically. Ref: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1. */
#include "losses.h"

gan_val gan__loss_bce_disc(const struct gan_loss_context *c)
{
    return gan_add(c->g, gan_loss_bce_logits(c->g, c->on_real, gan__real_target(c->params)),
                   gan_loss_bce_logits(c->g, c->on_fake[0], gan__fake_target(c->params)));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return gan_neg(c->g, gan_mean_all(c->g, gan_softplus(c->g, c->on_fake[0])));
}

GAN_LOSS(minimax) = {
    .name = "minimax",
    .doc = "the GAN game itself; the generator's gradient vanishes where the discriminator is sure",
    .ref = "Goodfellow et al. 2014, arXiv:1406.2661, eq. 1",
    .logits = true,
    .disc = gan__loss_bce_disc,
    .gen = gen,
};
