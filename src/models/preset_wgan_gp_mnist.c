/* preset_wgan_gp_mnist.c: the settings of igul222/improved_wgan_training, gan_mnist. */
#include "gan/model.h"

GAN_PRESET(wgan_gp_mnist) = {
    .name = "wgan-gp-mnist",
    .model = "plain",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_mnist)",
    .set = "arch=wgan-gp-mnist loss=wasserstein reg=gp:10 n-critic=5 critic-first=false batch=50 "
           "optim-gen=adam:1e-4,.5,.9 optim-disc=adam:1e-4,.5,.9",
};
