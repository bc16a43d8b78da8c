/* loss_minimax.c: the value function of the GAN game, V = E log sigma(D(x)) + E log(1 -
 * sigma(D(G(z)))).
 *
 * The discriminator ascends V, the generator descends its second term. On logits s with sp =
 * softplus: -log sigma(s) = sp(-s) and log(1 - sigma(s)) = -sp(s), so nothing saturates
 * numerically. Ref: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1. */
#include "losses.h"

gan_val gan__loss_bce_disc(gan_graph *g, gan_val real, gan_val fake,
                           const struct gan_loss_params *p)
{
    return gan_add(g, gan_loss_bce_logits(g, real, gan__real_target(p)),
                   gan_loss_bce_logits(g, fake, gan__fake_target(p)));
}

static gan_val gen(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)real;
    (void)p;
    return gan_neg(g, gan_mean_all(g, gan_softplus(g, fake)));
}

GAN_LOSS(minimax) = {
    .name = "minimax",
    .doc = "the GAN game itself; the generator's gradient vanishes where the discriminator is sure",
    .ref = "Goodfellow et al. 2014, arXiv:1406.2661, eq. 1",
    .logits = true,
    .disc = gan__loss_bce_disc,
    .gen = gen,
};
