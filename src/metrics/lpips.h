/* lpips.h: one layer's part of LPIPS. */
#ifndef GAN_METRICS_LPIPS_H
#define GAN_METRICS_LPIPS_H

#include <gan/features.h>

/* Mean over positions of the weighted squared difference of activations [height,width,channels] that
 * are scaled to unit length over the channels. */
double gan__lpips_layer(const struct gan_feature_layer *l, const float *x, const float *y);

#endif
