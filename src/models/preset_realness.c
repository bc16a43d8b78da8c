/* preset_realness.c: realness as a distribution over 51 outcomes, the constants of
 * kam1107/RealnessGAN for CelebA at 256 pixels: 32 channels next to the image, spectral norm in the
 * place of batch norm in D, logits drawn anew in each evaluation. */
#include "gan/model.h"

GAN_PRESET(realness) = {
    .name = "realness",
    .model = "plain",
    .paper = "Xiangli et al. 2020, arXiv:2002.05512",
    .set = "arch=dcgan loss=realness-resampled reg=sn norm-disc=none z=128 width=32 batch=32 "
           "optim-gen=adam:2e-4,.5,.999 optim-disc=adam:2e-4,.5,.999 steps=520000",
};
