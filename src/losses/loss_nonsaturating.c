/* loss_nonsaturating.c: the discriminator of the GAN game; the generator maximises log
 * sigma(D(G(z))) instead of minimising log(1 - sigma(D(G(z)))): same fixed point, strong gradient
 * early on.
 *
 * Ref: Goodfellow et al. 2014, arXiv:1406.2661, section 3. */
#include "losses.h"

static gan_val gen(const struct gan_loss_context *c)
{
    return gan_loss_bce_logits(c->g, c->on_fake[0], 1);
}

GAN_LOSS(nonsaturating) = {
    .name = "nonsaturating",
    .doc = "cross-entropy discriminator; the generator maximises log D(G(z))",
    .ref = "Goodfellow et al. 2014, arXiv:1406.2661, section 3",
    .logits = true,
    .disc = gan__loss_bce_disc,
    .gen = gen,
};
