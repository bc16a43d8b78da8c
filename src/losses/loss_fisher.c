/* loss_fisher.c: the mean difference of a critic whose second moment is held at 1 by an augmented
 * Lagrangian: no clipping, no penalty on slopes, batch norm allowed.
 *
 * Omega = (E f(x)^2 + E f(G(z))^2)/2. The critic maximises E f(x) - E f(G(z)) + lambda (1 - Omega)
 * - rho/2 (1 - Omega)^2; after each of its updates lambda <- lambda - rho (1 - Omega). The generator
 * minimises -E f(G(z)). "fisher.omega" in the log should go to 1.
 * Ref: Mroueh and Sercu 2017, arXiv:1705.09675, eq. 9 and algorithm 1; rho of tomsercu/FisherGAN. */
#include "losses.h"

static const double rho = 1e-6;

static gan_val second_moment(gan_graph *g, gan_val f)
{
    return gan_mean_all(g, gan_square(g, f));
}

static gan_val disc(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val both = gan_add(g, second_moment(g, c->on_real), second_moment(g, c->on_fake[0]));
    gan_val omega = gan_scale(g, both, 0.5);
    gan_val slack = gan_shift(g, gan_neg(g, omega), 1);
    gan_val lambda = gan_stop(g, c->kept(c->user, "fisher.lambda", 0));
    gan_val gap = gan_sub(g, gan_mean_all(g, c->on_real), gan_mean_all(g, c->on_fake[0]));
    gan_val held =
        gan_sub(g, gan_mul(g, lambda, slack), gan_scale(g, gan_square(g, slack), rho / 2));
    c->keep(c->user, "fisher.lambda", gan_sub(g, lambda, gan_scale(g, slack, rho)));
    gan__loss_report(c, "fisher.omega", omega);
    gan__loss_report(c, "fisher.lambda", lambda);
    return gan_neg(g, gan_add(g, gap, held));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return gan_neg(c->g, gan_mean_all(c->g, c->on_fake[0]));
}

GAN_LOSS(fisher) = {
    .name = "fisher",
    .doc = "difference of mean scores whose second moment a multiplier holds at 1",
    .ref = "Mroueh and Sercu 2017, arXiv:1705.09675, eq. 9",
    .needs = GAN_LOSS_STATE,
    .disc = disc,
    .gen = gen,
};
