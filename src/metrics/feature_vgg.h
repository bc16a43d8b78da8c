/* feature_vgg.h: the functions of VGG and AlexNet, for tests at other widths. */
#ifndef GAN_METRICS_FEATURE_VGG_H
#define GAN_METRICS_FEATURE_VGG_H

#include "pretrained.h"

struct gan__vgg_opts {
    int deep;      /* convolutions of each of the last three stages: 3 or 4; not of AlexNet */
    int64_t units; /* of the hidden layers of the classifier */
    bool lpips;    /* LPIPS' heads instead of the classifier */
};

void gan__vgg(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts);
void gan__alexnet(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts);

#endif
