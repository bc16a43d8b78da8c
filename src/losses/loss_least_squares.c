/* loss_least_squares.c: least squares instead of cross-entropy: scores are drawn to labels, b for
 * reals and a for fakes; the generator draws its scores to c.
 *
 * D: (E (f(x) - b)^2 + E (f(G(z)) - a)^2)/2, G: E (f(G(z)) - c)^2 / 2. With b - c = 1 and b - a = 2
 * the generator minimises Pearson's chi^2 between p_real + p_gen and 2 p_gen.
 * Ref: Mao et al. 2017, arXiv:1611.04076, eq. 2, 8 and 9. */
#include "losses.h"

/* E (s - label)^2 / 2 */
static gan_val half_square(gan_graph *g, gan_val score, double label)
{
    return gan_scale(g, gan_mean_all(g, gan_square(g, gan_shift(g, score, -label))), 0.5);
}

static gan_val disc(const struct gan_loss_context *c)
{
    return gan_add(c->g, half_square(c->g, c->on_real, gan__real_target(c->params)),
                   half_square(c->g, c->on_fake[0], gan__fake_target(c->params)));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return half_square(c->g, c->on_fake[0], 1);
}

GAN_LOSS(lsgan) = {
    .name = "lsgan",
    .doc = "least squares to the labels 0 (fake) and 1 (real); the generator aims at 1",
    .ref = "Mao et al. 2017, arXiv:1611.04076, eq. 9",
    .disc = disc,
    .gen = gen,
};

static gan_val chi2_disc(const struct gan_loss_context *c)
{
    return gan_add(c->g, half_square(c->g, c->on_real, 1), half_square(c->g, c->on_fake[0], -1));
}

static gan_val chi2_gen(const struct gan_loss_context *c)
{
    return half_square(c->g, c->on_fake[0], 0);
}

GAN_LOSS(lsgan_chi2) = {
    .name = "lsgan-chi2",
    .doc = "least squares to the labels -1 and 1, the generator aims at 0: Pearson's chi^2",
    .ref = "Mao et al. 2017, arXiv:1611.04076, eq. 8",
    .signs = true,
    .disc = chi2_disc,
    .gen = chi2_gen,
};
