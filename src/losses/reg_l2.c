/* reg_l2.c: weight/2 * sum of every squared weight of the discriminator, so that weight * w joins the
 * gradient of w: what PyTorch's optimisers call weight_decay. (adamw decays beside the gradient.) */
#include "regs.h"

static gan_val penalty(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    gan_val sum = gan_const(g, 0);
    for (int i = 0; i < c->n_weights; i++) {
        sum = gan_add(g, sum, gan_sum_all(g, gan_square(g, c->weights[i])));
    }
    return gan_scale(g, sum, weight / 2);
}

GAN_REG(l2) = {
    .name = "l2",
    .doc = "half the sum of D's squared weights: weight decay inside the gradient",
    .ref = "Krogh and Hertz 1992, eq. 2",
    .number = {"weight", 1e-6, 0, 1e6},
    .weights = true,
    .no_fakes = true,
    .penalty = penalty,
};
