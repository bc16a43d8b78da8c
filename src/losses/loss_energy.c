/* loss_energy.c: the energy distance 2 E|h(x) - h(y)| - E|h(x) - h(x')| - E|h(y) - h(y')| of 16
 * learned features, over all pairs of a batch, x' and y' being other samples of it: without bias.
 *
 * The critic maximises, the generator minimises it. It is the squared maximum mean discrepancy with
 * the distance kernel (loss_mmd.c), to the last digit. |v| is sqrt(v.v + 1e-5).
 * Ref: Szekely and Rizzo 2013; Sejdinovic et al. 2013, arXiv:1207.6076, theorem 22. */
#include "losses.h"
#include "pairwise.h"

static const double eps = 1e-5;

static gan_val energy(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val x = c->on_real, y = c->on_fake[0];
    gan_val across = gan_scale(g, gan_mean_all(g, gan__pair_distance(g, x, y, eps)), 2);
    gan_val among_real = gan__mean_others(g, gan__pair_distance(g, x, x, eps));
    gan_val among_fake = gan__mean_others(g, gan__pair_distance(g, y, y, eps));
    return gan_sub(g, across, gan_add(g, among_real, among_fake));
}

static gan_val minus_energy(const struct gan_loss_context *c)
{
    return gan_neg(c->g, energy(c));
}

/* Mean distance to the fakes less that to the reals. */
static gan_val witness(const struct gan_loss_context *c, gan_val on)
{
    gan_graph *g = c->g;
    gan_val to_fake = gan__pair_distance(g, on, c->on_fake[0], eps);
    gan_val to_real = gan__pair_distance(g, on, c->on_real, eps);
    return gan_sub(g, gan_mean(g, to_fake, GAN_AXIS(1), false),
                   gan_mean(g, to_real, GAN_AXIS(1), false));
}

GAN_LOSS(energy) = {
    .name = "energy",
    .doc = "energy distance of 16 learned features over all pairs of a batch; use reg gp",
    .ref = "Sejdinovic et al. 2013, arXiv:1207.6076, theorem 22",
    .needs = GAN_LOSS_REAL | GAN_LOSS_MATRIX,
    .outputs = 16,
    .disc = minus_energy,
    .gen = energy,
    .witness = witness,
};
