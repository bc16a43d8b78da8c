/* preset_dcgan32.c: the settings of PyTorch-GAN `dcgan`. */
#include "gan/model.h"

GAN_PRESET(dcgan32) = {
    .name = "dcgan32",
    .model = "plain",
    .paper = "Radford, Metz, Chintala 2015, arXiv:1511.06434 (PyTorch-GAN `dcgan`)",
    .set = "arch=dcgan32 loss=nonsaturating critic-first=false batch=64 "
           "optim-gen=adam:2e-4,.5,.999 optim-disc=adam:2e-4,.5,.999",
};
