/* preset_toy.c: points in the plane, the settings of gan_toy. */
#include "gan/model.h"

GAN_PRESET(toy) = {
    .name = "toy",
    .model = "plain",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_toy)",
    .set = "arch=toy loss=wasserstein reg=gp:.1 n-critic=5 batch=256 "
           "optim-gen=adam:1e-4,.5,.9 optim-disc=adam:1e-4,.5,.9",
    .data = "toy:8gaussians",
};
