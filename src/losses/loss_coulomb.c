/* loss_coulomb.c: samples as charges: reals attract fakes, fakes repel each other; at equilibrium the
 * field is zero everywhere, so no mode can be left out.
 *
 * With the Plummer kernel k(a,b) = (|a - b|^2 + eps^2)^(-(d-2)/2), d = 3, eps = 1, the potential is
 * Phi(a) = mean over fakes y of k(a,y) - mean over reals x of k(a,x), own terms included. D regresses
 * it on both batches, mean (D - Phi)^2 each; G minimises E D(G(z)): fakes move to where the potential
 * is low. D only smooths the field: the kernel works on the points themselves.
 * Ref: Unterthiner et al. 2018, arXiv:1708.08819, eq. 7 to 9 and 19; bioinf-jku/coulomb_gan (sign). */
#include "losses.h"
#include "pairwise.h"

/* mean over the rows b of k(a,b) [N] */
static gan_val mean_kernel(gan_graph *g, gan_val a, gan_val b)
{
    const double eps = 1;
    gan_val d2 = gan_shift(g, gan__pair_squared(g, a, b), eps * eps);
    return gan_mean(g, gan_rsqrt(g, d2), GAN_AXIS(1), false); /* -(3-2)/2 = -1/2 */
}

/* Phi at points [N], a constant for whoever learns it. */
static gan_val potential(const struct gan_loss_context *c, gan_val at)
{
    gan_graph *g = c->g;
    gan_val x = gan_flatten(g, gan_stop(g, c->real)), y = gan_flatten(g, gan_stop(g, c->fake[0]));
    gan_val points = gan_flatten(g, gan_stop(g, at));
    return gan_sub(g, mean_kernel(g, points, y), mean_kernel(g, points, x));
}

/* mean (D - Phi)^2 at points */
static gan_val error(const struct gan_loss_context *c, gan_val on, gan_val phi)
{
    gan_graph *g = c->g;
    int64_t n = gan_ok(on) ? gan_dim(g, on, 0) : 0;
    return gan_loss_l2(g, gan_reshape(g, on, GAN_SHAPE(n)), phi);
}

static gan_val disc(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val at_real = potential(c, c->real), at_fake = potential(c, c->fake[0]);
    gan__loss_report(c, "coulomb.real", gan_mean_all(g, at_real));
    gan__loss_report(c, "coulomb.fake", gan_mean_all(g, at_fake));
    return gan_add(g, error(c, c->on_real, at_real), error(c, c->on_fake[0], at_fake));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return gan_mean_all(c->g, c->on_fake[0]);
}

GAN_LOSS(coulomb) = {
    .name = "coulomb",
    .doc = "D learns the potential of reals and fakes as charges, fakes descend it",
    .ref = "Unterthiner et al. 2018, arXiv:1708.08819, eq. 7 to 9",
    .needs = GAN_LOSS_POINTS | GAN_LOSS_MATRIX,
    .disc = disc,
    .gen = gen,
};
