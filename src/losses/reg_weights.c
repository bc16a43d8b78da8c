/* reg_weights.c: what keeps the weights of a critic small: clipping after each update, and division
 * by the largest singular value, which the layers themselves do.
 *
 * Clipping reaches every parameter, scales of norms too, as the authors' code does.
 * Ref: Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1; Miyato et al. 2018, arXiv:1802.05957. */
#include "regs.h"

static gan_val clip(gan_graph *g, gan_val w, double bound)
{
    return gan_clamp(g, w, -bound, bound);
}

GAN_REG(clip) = {
    .name = "clip",
    .doc = "weights clipped to +-bound after each update",
    .ref = "Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1",
    .number = {"bound", 0.01, 1e-6, 1e6},
    .limit = clip,
};

GAN_REG(sn) = {
    .name = "sn",
    .doc = "spectral norm: each layer's weight divided by its largest singular value",
    .ref = "Miyato et al. 2018, arXiv:1802.05957, algorithm 1",
    .spectral = true,
};
