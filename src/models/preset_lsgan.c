/* preset_lsgan.c: DCGAN with least squares instead of cross-entropy. */
#include "gan/model.h"

GAN_PRESET(lsgan) = {
    .name = "lsgan",
    .model = "plain",
    .paper = "Mao et al. 2017, arXiv:1611.04076",
    .set = "arch=dcgan loss=lsgan optim-gen=adam:2e-4,.5,.999 optim-disc=adam:2e-4,.5,.999",
};
