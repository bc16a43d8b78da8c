/* loss_kl.c: divergence of a diagonal normal law from the standard one.
 *
 * KL(N(mu, sigma^2) || N(0,1)) = -1/2 sum (1 + log sigma^2 - mu^2 - sigma^2).
 * Ref: Kingma and Welling 2014, arXiv:1312.6114, appendix B. */
#include "losses.h"

gan_val gan_kl_normal(gan_graph *g, gan_val mu, gan_val logvar)
{
    int64_t n = gan_dim(g, mu, 0);
    if (!gan_ok(mu) || !gan_ok(logvar)) {
        return GAN_NONE;
    }
    if (n < 1) {
        return gan_graph_fail(g, GAN_E_SHAPE, "kl: mu has no samples");
    }
    gan_val sum =
        gan_sub(g, gan_shift(g, logvar, 1), gan_add(g, gan_square(g, mu), gan_exp(g, logvar)));
    return gan_scale(g, gan_sum_all(g, sum), -0.5 / (double)n);
}
