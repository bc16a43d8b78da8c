/* preset_sngan_projection.c: SNGAN whose networks know the class: projection in D, conditional batch
 * norm in G. */
#include "gan/model.h"

GAN_PRESET(sngan_projection) = {
    .name = "sngan-projection",
    .model = "plain",
    .paper = "Miyato and Koyama 2018, arXiv:1802.05637",
    .set = "arch=sngan-resnet cond=projection loss=hinge reg=sn n-critic=5 critic-first=false "
           "optim-gen=adam:2e-4,0,.9@linear optim-disc=adam:2e-4,0,.9@linear steps=50000",
};
