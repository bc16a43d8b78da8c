/* loss_wasserstein.c: the dual form of the earth mover's distance: the critic f maximises
 * E f(x) - E f(G(z)) among 1-Lipschitz functions (a clip or a penalty keeps it there).
 *
 * Ref: Arjovsky et al. 2017, arXiv:1701.07875, eq. 2. */
#include "losses.h"

static gan_val disc(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)p;
    return gan_sub(g, gan_mean_all(g, fake), gan_mean_all(g, real));
}

static gan_val gen(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)real;
    (void)p;
    return gan_neg(g, gan_mean_all(g, fake));
}

GAN_LOSS(wasserstein) = {
    .name = "wasserstein",
    .doc = "difference of mean scores; the critic must be kept Lipschitz",
    .ref = "Arjovsky et al. 2017, arXiv:1701.07875, eq. 2",
    .disc = disc,
    .gen = gen,
};
