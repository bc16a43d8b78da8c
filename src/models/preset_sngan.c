/* preset_sngan.c: spectral norm and the hinge, residual networks at 32x32. */
#include "gan/model.h"

GAN_PRESET(sngan) = {
    .name = "sngan",
    .model = "plain",
    .paper = "Miyato et al. 2018, arXiv:1802.05957",
    .set = "arch=sngan-resnet loss=hinge reg=sn n-critic=5 critic-first=false "
           "optim-gen=adam:2e-4,0,.9@linear optim-disc=adam:2e-4,0,.9@linear steps=50000",
};
