/* preset_pacgan.c: pairs of points judged as one, 100 pairs at a time; the networks and constants modes
 * are counted with. */
#include "gan/model.h"

GAN_PRESET(pacgan) = {
    .name = "pacgan",
    .model = "plain",
    .paper = "Lin et al. 2018, arXiv:1712.04086, section 4.1",
    .set = "arch=pacgan pack=2 loss=nonsaturating batch=200 optim-gen=adam:1e-4,.8,.999 "
           "optim-disc=adam:1e-4,.8,.999",
};
