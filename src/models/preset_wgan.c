/* preset_wgan.c: a critic with clipped weights; the constants of martinarjovsky/WassersteinGAN. */
#include "gan/model.h"

GAN_PRESET(wgan) = {
    .name = "wgan",
    .model = "plain",
    .paper = "Arjovsky et al. 2017, arXiv:1701.07875",
    .set = "arch=dcgan loss=wasserstein reg=clip:.01 n-critic=5 warm-critic=100 "
           "optim-gen=rmsprop:5e-5 optim-disc=rmsprop:5e-5",
};
