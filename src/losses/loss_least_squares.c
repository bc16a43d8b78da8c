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

static gan_val disc(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    return gan_add(g, half_square(g, real, gan__real_target(p)),
                   half_square(g, fake, gan__fake_target(p)));
}

static gan_val gen(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)real;
    (void)p;
    return half_square(g, fake, 1);
}

GAN_LOSS(lsgan) = {
    .name = "lsgan",
    .doc = "least squares to the labels 0 (fake) and 1 (real); the generator aims at 1",
    .ref = "Mao et al. 2017, arXiv:1611.04076, eq. 9",
    .disc = disc,
    .gen = gen,
};

static gan_val chi2_disc(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)p;
    return gan_add(g, half_square(g, real, 1), half_square(g, fake, -1));
}

static gan_val chi2_gen(gan_graph *g, gan_val real, gan_val fake, const struct gan_loss_params *p)
{
    (void)real;
    (void)p;
    return half_square(g, fake, 0);
}

GAN_LOSS(lsgan_chi2) = {
    .name = "lsgan-chi2",
    .doc = "least squares to the labels -1 and 1, the generator aims at 0: Pearson's chi^2",
    .ref = "Mao et al. 2017, arXiv:1611.04076, eq. 8",
    .disc = chi2_disc,
    .gen = chi2_gen,
};
