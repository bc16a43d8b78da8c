/* preset_r3gan.c: the relativistic loss with both zero-centred penalties at every update, residual
 * networks without norms, everything on a cosine over the run as the authors' code has it: rates to a
 * quarter, gamma to a tenth, beta2 from .9 to .99, the average's half-life from 0 to 5 million images.
 *
 * Those are the constants of CIFAR-10 over 20 million images; of as many images the half-life is never
 * above .285 of those seen, so the ramp of .3 holds it on shorter runs alone. The networks have a twelfth of
 * the paper's 768 channels: width=768 batch=512 steps=39063 are its own. Its augmentation,
 * augment=random:0..0.55@cosine/bg+color*.5+cutout, is left out: images of other sets may not bear it. */
#include "gan/model.h"

GAN_PRESET(r3gan) = {
    .name = "r3gan",
    .model = "plain",
    .paper = "Huang et al. 2024, arXiv:2501.05441",
    .set = "arch=r3gan loss=rpgan reg=r1:.05@cosine:.1,r2:.05@cosine:.1 width=64 batch=64 "
           "ema=0..5e6@cosine ema-ramp=.3 optim-gen=adam:2e-4,0,0.9..0.99@cosine:.25 "
           "optim-disc=adam:2e-4,0,0.9..0.99@cosine:.25",
};
