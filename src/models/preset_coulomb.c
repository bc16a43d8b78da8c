/* preset_coulomb.c: samples as charges, the constants of bioinf-jku/coulomb_gan for CelebA (LSUN: z=16
 * reg=l2:1e-7 and half the rate in D). */
#include "gan/model.h"

GAN_PRESET(coulomb) = {
    .name = "coulomb",
    .model = "plain",
    .paper = "Unterthiner et al. 2018, arXiv:1708.08819",
    .set = "arch=dcgan loss=coulomb z=32 batch=128 optim-gen=adam:1e-4,.9,.999 "
           "optim-disc=adam:1e-4,.9,.999 steps=500000",
};
