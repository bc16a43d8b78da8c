/* loss_wasserstein.c: the dual form of the earth mover's distance: the critic f maximises
 * E f(x) - E f(G(z)) among 1-Lipschitz functions (a clip or a penalty keeps it there).
 *
 * Ref: Arjovsky et al. 2017, arXiv:1701.07875, eq. 2. */
#include "losses.h"

static gan_val disc(const struct gan_loss_context *c)
{
    return gan_sub(c->g, gan_mean_all(c->g, c->on_fake[0]), gan_mean_all(c->g, c->on_real));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return gan_neg(c->g, gan_mean_all(c->g, c->on_fake[0]));
}

GAN_LOSS(wasserstein) = {
    .name = "wasserstein",
    .doc = "difference of mean scores; the critic must be kept Lipschitz",
    .ref = "Arjovsky et al. 2017, arXiv:1701.07875, eq. 2",
    .lipschitz = true,
    .disc = disc,
    .gen = gen,
};
