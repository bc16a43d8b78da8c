/* preset_wgan_gp_cifar.c: residual networks at 32x32, the rate falls to 0 over 100 000 iterations. */
#include "gan/model.h"

GAN_PRESET(wgan_gp_cifar) = {
    .name = "wgan-gp-cifar",
    .model = "plain",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_cifar_resnet)",
    .set = "arch=resnet-cifar loss=wasserstein reg=gp:10 n-critic=5 critic-first=false "
           "optim-gen=adam:2e-4,0,.9@linear optim-disc=adam:2e-4,0,.9@linear steps=100000",
};
