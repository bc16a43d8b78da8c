/* preset_cramer.c: the energy distance of 256 features, the constants of jiamings/cramer-gan. */
#include "gan/model.h"

GAN_PRESET(cramer) = {
    .name = "cramer",
    .model = "plain",
    .paper = "Bellemare et al. 2017, arXiv:1705.10743",
    .set = "arch=dcgan norm-disc=none loss=cramer reg=gp:10 n-critic=5 optim-gen=adam:1e-4,.5,.9 "
           "optim-disc=adam:1e-4,.5,.9",
};
