/* loss_relativistic.c: the critic says how much more real a real is than a fake, so that the
 * generator also moves the scores of reals.
 *
 * rpgan: pairs, D: E sp(-(f(x) - f(y))), G: E sp(-(f(y) - f(x))), sp = softplus. The averaged forms
 * compare with the other batch's mean, a(x) = f(x) - E f(y) and b(y) = f(y) - E f(x):
 *     ragan     D: E sp(-a) + E sp(b)              G: E sp(a) + E sp(-b)
 *     ragan-ls  D: E (a - 1)^2 + E (b + 1)^2       G: E (a + 1)^2 + E (b - 1)^2
 *     rahinge   D: E max(0,1-a) + E max(0,1+b)     G: E max(0,1+a) + E max(0,1-b)
 * Ref: Jolicoeur-Martineau 2018, arXiv:1807.00734, eq. 9 to 17; rpgan also Huang et al. 2024,
 * arXiv:2501.05441, eq. 2. */
#include "losses.h"

#define REF "Jolicoeur-Martineau 2018, arXiv:1807.00734, "

typedef gan_val function(gan_graph *g, gan_val margin);

static gan_val logistic(gan_graph *g, gan_val margin)
{
    return gan_softplus(g, gan_neg(g, margin));
}

static gan_val squared(gan_graph *g, gan_val margin)
{
    return gan_square(g, gan_shift(g, margin, -1));
}

static gan_val hinge(gan_graph *g, gan_val margin)
{
    return gan_relu(g, gan_shift(g, gan_neg(g, margin), 1));
}

/* E f(high - E low) + E f(E high - low): low when every `high` exceeds the mean of `low` and every
 * `low` is exceeded. */
static gan_val averaged(const struct gan_loss_context *c, gan_val high, gan_val low, function *f)
{
    gan_graph *g = c->g;
    gan_val above = gan_sub(g, high, gan_mean_all(g, low));
    gan_val below = gan_sub(g, gan_mean_all(g, high), low);
    return gan_add(g, gan_mean_all(g, f(g, above)), gan_mean_all(g, f(g, below)));
}

static gan_val paired_disc(const struct gan_loss_context *c)
{
    return gan_mean_all(c->g, logistic(c->g, gan_sub(c->g, c->on_real, c->on_fake[0])));
}

static gan_val paired_gen(const struct gan_loss_context *c)
{
    return gan_mean_all(c->g, logistic(c->g, gan_sub(c->g, c->on_fake[0], c->on_real)));
}

GAN_LOSS(rpgan) = {
    .name = "rpgan",
    .doc = "relativistic pairs: a real's score less a fake's, cross-entropy; use reg r1:1,r2:1",
    .ref = REF "eq. 9 and 10",
    .needs = GAN_LOSS_REAL,
    .disc = paired_disc,
    .gen = paired_gen,
};

/* Both objectives with a function of the margin. */
#define OBJECTIVES(F)                                                                              \
    static gan_val F##_disc(const struct gan_loss_context *c)                                      \
    {                                                                                              \
        return averaged(c, c->on_real, c->on_fake[0], F);                                          \
    }                                                                                              \
    static gan_val F##_gen(const struct gan_loss_context *c)                                       \
    {                                                                                              \
        return averaged(c, c->on_fake[0], c->on_real, F);                                          \
    }

OBJECTIVES(logistic)

GAN_LOSS(ragan) = {
    .name = "ragan",
    .doc = "relativistic average: scores less the other batch's mean, cross-entropy",
    .ref = REF "eq. 14 and 15",
    .needs = GAN_LOSS_REAL,
    .disc = logistic_disc,
    .gen = logistic_gen,
};

OBJECTIVES(squared)

GAN_LOSS(ragan_ls) = {
    .name = "ragan-ls",
    .doc = "relativistic average, least squares to the margins 1 and -1 (RaLSGAN)",
    .ref = REF "appendix D",
    .needs = GAN_LOSS_REAL,
    .disc = squared_disc,
    .gen = squared_gen,
};

OBJECTIVES(hinge)

GAN_LOSS(rahinge) = {
    .name = "rahinge",
    .doc = "relativistic average, hinge at the margins 1 and -1",
    .ref = REF "appendix D",
    .needs = GAN_LOSS_REAL,
    .disc = hinge_disc,
    .gen = hinge_gen,
};
