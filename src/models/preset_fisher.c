/* preset_fisher.c: a critic whose second moment is held at 1, on DCGAN's networks (the authors' G has two
 * more 3x3 layers, their last layer a weight decay of 1e-3); the constants of tomsercu/FisherGAN. */
#include "gan/model.h"

GAN_PRESET(fisher) = {
    .name = "fisher",
    .model = "plain",
    .paper = "Mroueh and Sercu 2017, arXiv:1705.09675",
    .set = "arch=dcgan loss=fisher reg=l2:1e-6 n-critic=2 optim-gen=adam:2e-4,.5,.999 "
           "optim-disc=adam:2e-4,.5,.999",
};
