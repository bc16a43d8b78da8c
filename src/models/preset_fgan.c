/* preset_fgan.c: f-GAN's perceptrons for MNIST. Any of the fgan losses fits; kl grows without bound where the
 * networks let scores grow, tv saturates. */
#include "gan/model.h"

GAN_PRESET(fgan) = {
    .name = "fgan",
    .model = "plain",
    .paper = "Nowozin, Cseke, Tomioka 2016, arXiv:1606.00709",
    .set = "arch=fgan-mnist loss=fgan-js batch=4096 optim-gen=adam:2e-4,.9,.999 "
           "optim-disc=adam:2e-4,.9,.999",
};
