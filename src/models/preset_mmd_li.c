/* preset_mmd_li.c: the first MMD GAN, an autoencoding critic with clipped weights; the constants of
 * OctoberChang/MMD-GAN. */
#include "gan/model.h"

GAN_PRESET(mmd_li) = {
    .name = "mmd-li",
    .model = "plain",
    .paper = "Li et al. 2017, arXiv:1705.08584",
    .set = "arch=dcgan loss=mmd-li reg=clip:.01 n-critic=5 warm-critic=100 optim-gen=rmsprop:5e-5 "
           "optim-disc=rmsprop:5e-5",
};
