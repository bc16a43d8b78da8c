/* preset_ttur.c: two time scales: the discriminator learns four times as fast as the generator. */
#include "gan/model.h"

GAN_PRESET(ttur) = {
    .name = "ttur",
    .model = "plain",
    .paper = "Heusel et al. 2017, arXiv:1706.08500",
    .set = "arch=dcgan loss=nonsaturating optim-gen=adam:1e-4,.5,.999 optim-disc=adam:4e-4,.5,.999",
};
