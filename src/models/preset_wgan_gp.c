/* preset_wgan_gp.c: a critic with a gradient penalty, algorithm 1 of the paper on DCGAN's networks. */
#include "gan/model.h"

GAN_PRESET(wgan_gp) = {
    .name = "wgan-gp",
    .model = "plain",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028",
    .set = "arch=dcgan loss=wasserstein reg=gp:10 n-critic=5 optim-gen=adam:1e-4,0,.9 "
           "optim-disc=adam:1e-4,0,.9",
};
