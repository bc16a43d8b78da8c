/* preset_unrolled_ring.c: the ring experiment of the unrolled GAN. */
#include "gan/model.h"

GAN_PRESET(unrolled_ring) = {
    .name = "unrolled-ring",
    .model = "unrolled",
    .paper = "Metz et al. 2017, arXiv:1611.02163, section 3.1",
    .set = "arch=tanh128 unroll=5 batch=512 optim-gen=adam:1e-3,.5,.999 "
           "optim-disc=adam:1e-4,.5,.999",
};
