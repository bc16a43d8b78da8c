/* channels.h: loops over the channels of one place of an image, for pooling and resize. */
#ifndef GAN_ENGINE_KERNELS_CHANNELS_H
#define GAN_ENGINE_KERNELS_CHANNELS_H

#include <stdint.h>

struct gan__channel_lanes {
    /* out = sum over k of weight[k] * in[k], added in the order of k; zeros when there are none. */
    void (*blend)(const float *const *in, const float *weight, int64_t n_in, float *out,
                  int64_t channels);
    /* out[c] = largest of in[k][c]; NaN when there is one. n_in > 0 */
    void (*largest)(const float *const *in, int64_t n_in, float *out, int64_t channels);
};

/* The set for this machine. */
const struct gan__channel_lanes *gan__channel_lanes(void);

#endif
