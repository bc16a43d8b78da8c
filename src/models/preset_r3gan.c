/* preset_r3gan.c: the relativistic loss with both zero-centred penalties at every update, residual
 * networks without norms. Rates and gamma fall on a cosine to a quarter and a tenth as in the
 * paper; beta2, which there rises from .9 to .99, stands still, the average's half-life grows with the
 * images seen, to 500,000, instead of on a cosine (CIFAR-10: to 5 million of 20), and the networks have a twelfth of the
 * paper's 768 channels: width=768 batch=512 are its own. */
#include "gan/model.h"

GAN_PRESET(r3gan) = {
    .name = "r3gan",
    .model = "plain",
    .paper = "Huang et al. 2024, arXiv:2501.05441",
    .set =
        "arch=r3gan loss=rpgan reg=r1:.05@cosine:.1,r2:.05@cosine:.1 width=64 batch=64 ema=500000 "
        "optim-gen=adam:2e-4,0,.99@cosine:.25 optim-disc=adam:2e-4,0,.99@cosine:.25",
};
