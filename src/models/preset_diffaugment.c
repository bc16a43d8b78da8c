/* preset_diffaugment.c: few images: the discriminator sees only changed ones. */
#include "gan/model.h"

GAN_PRESET(diffaugment) = {
    .name = "diffaugment",
    .model = "plain",
    .paper = "Zhao et al. 2020, arXiv:2006.10738",
    .set = "arch=dcgan loss=hinge reg=sn norm-disc=none augment=diff ema=20000 "
           "optim-gen=adam:2e-4,0,.9 optim-disc=adam:2e-4,0,.9",
};
