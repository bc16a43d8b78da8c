/* reg_consistency.c: the discriminator says the same of an image and of a mirrored and moved one:
 * weight E |D(x) - D(T(x))|^2, T a mirror with probability 1/2 and a shift of up to 4 pixels.
 *
 * Ref: Zhang et al. 2020, "Consistency regularization for GANs", arXiv:1910.12027, eq. 4. */
#include "regs.h"
#include <gan/augment.h>

enum { MOST = 4 };

static gan_val penalty(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    const struct gan_draws d = {c->uniform, c->normal, c->user};
    gan_val changed = gan_augment_flip_shift(g, c->real, MOST, &d);
    gan_val gap = gan_sub(g, c->on_real, c->score(c->user, changed));
    return gan_scale(g, gan_mean_all(g, gan_square(g, gap)), weight);
}

GAN_REG(consistency) = {
    .name = "consistency",
    .doc = "the same score for an image and its mirrored, shifted copy",
    .ref = "Zhang et al. 2020, arXiv:1910.12027, eq. 4",
    .number = {"weight", 10, 0, 1e6},
    .images = true,
    .no_fakes = true,
    .penalty = penalty,
};
