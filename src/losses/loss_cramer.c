/* loss_cramer.c: the energy distance of a learned map h into 256 dimensions.
 *
 * With f(x) = |h(x) - h(g2)| - |h(x)| and two independent fakes g1, g2 of each real x, the critic
 * maximises E f(x) - E f(g1) under a gradient penalty on f (the witness); the generator minimises
 * E |h(x) - h(g1)| + |h(x) - h(g2)| - |h(g1) - h(g2)|, the energy distance but for its constant.
 * |v| is sqrt(v.v + 1e-12).
 * Ref: Bellemare et al. 2017, arXiv:1705.10743, algorithm 1; jiamings/cramer-gan. */
#include "losses.h"
#include "pairwise.h"

static const double eps = 1e-12;

static gan_val witness(const struct gan_loss_context *c, gan_val on)
{
    return gan_sub(c->g, gan__row_distance(c->g, on, c->on_fake[1], eps),
                   gan__row_norm(c->g, on, eps));
}

static gan_val disc(const struct gan_loss_context *c)
{
    gan_val at_real = witness(c, c->on_real), at_fake = witness(c, c->on_fake[0]);
    return gan_sub(c->g, gan_mean_all(c->g, at_fake), gan_mean_all(c->g, at_real));
}

static gan_val gen(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val to_first = gan__row_distance(g, c->on_real, c->on_fake[0], eps);
    gan_val to_second = gan__row_distance(g, c->on_real, c->on_fake[1], eps);
    gan_val apart = gan__row_distance(g, c->on_fake[0], c->on_fake[1], eps);
    return gan_mean_all(g, gan_sub(g, gan_add(g, to_first, to_second), apart));
}

GAN_LOSS(cramer) = {
    .name = "cramer",
    .doc = "energy distance of 256 learned features, two fakes for each real; use reg gp:10",
    .ref = "Bellemare et al. 2017, arXiv:1705.10743, algorithm 1",
    .needs = GAN_LOSS_REAL | GAN_LOSS_TWO_FAKES | GAN_LOSS_MATRIX,
    .outputs = 256,
    .disc = disc,
    .gen = gen,
    .witness = witness,
};
