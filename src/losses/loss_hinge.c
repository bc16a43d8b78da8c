/* loss_hinge.c: the critic is pushed until reals score above 1 and fakes below -1, no further.
 *
 * D: E max(0, 1 - f(x)) + E max(0, 1 + f(G(z))), G: -E f(G(z)).
 * Ref: Lim and Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17. */
#include "losses.h"

static gan_val disc(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)p;
    gan_val low = gan_relu(g, gan_shift(g, gan_neg(g, real), 1));
    gan_val high = gan_relu(g, gan_shift(g, fake, 1));
    return gan_add(g, gan_mean_all(g, low), gan_mean_all(g, high));
}

static gan_val gen(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)real;
    (void)p;
    return gan_neg(g, gan_mean_all(g, fake));
}

GAN_LOSS(hinge) = {
    .name = "hinge",
    .doc = "scores beyond a margin of 1 teach the critic nothing; usual with spectral norm",
    .ref = "Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17",
    .disc = disc,
    .gen = gen,
};
