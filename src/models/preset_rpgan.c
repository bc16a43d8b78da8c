/* preset_rpgan.c: relativistic pairs with both zero-centred penalties on DCGAN's networks without norms:
 * the objective of R3GAN, which converges locally where penalty-free GANs circle. */
#include "gan/model.h"

GAN_PRESET(rpgan) = {
    .name = "rpgan",
    .model = "plain",
    .paper = "Huang et al. 2024, arXiv:2501.05441",
    .set = "arch=dcgan norm-disc=none loss=rpgan reg=r1:1,r2:1 optim-gen=adam:2e-4,0,.99 "
           "optim-disc=adam:2e-4,0,.99",
};
