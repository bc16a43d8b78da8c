/* preset_ada.c: few images: changed as often as the discriminator's certainty asks for. Lazy R1, minibatch
 * deviation and average of the generator as in the paper, on DCGAN's networks. */
#include "gan/model.h"

GAN_PRESET(ada) = {
    .name = "ada",
    .model = "plain",
    .paper = "Karras et al. 2020, arXiv:2006.06676",
    .set = "arch=dcgan loss=nonsaturating reg=r1:.1/16 norm-disc=none minibatch=stddev augment=ada "
           "ema=20000 optim-gen=adam:2e-4,0,.99 optim-disc=adam:2e-4,0,.99",
};
