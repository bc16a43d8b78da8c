/* preset_mmd.c: maximum mean discrepancy with the rational quadratic kernel, the constants of
 * mbinkowski/MMD-GAN (which halves the rate when KID stands still). */
#include "gan/model.h"

GAN_PRESET(mmd) = {
    .name = "mmd",
    .model = "plain",
    .paper = "Binkowski et al. 2018, arXiv:1801.01401",
    .set = "arch=dcgan norm-disc=none loss=mmd-rq reg=gp:1 n-critic=5 optim-gen=adam:1e-4,.5,.9 "
           "optim-disc=adam:1e-4,.5,.9 steps=150000",
};
