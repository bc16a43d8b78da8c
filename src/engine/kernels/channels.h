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
    /* Both on bf16: added in f32, rounded once. */
    void (*blend_half)(const uint16_t *const *in, const float *weight, int64_t n_in, uint16_t *out,
                       int64_t channels);
    void (*largest_half)(const uint16_t *const *in, int64_t n_in, uint16_t *out, int64_t channels);
    /* Of the places in[k] of an image x, the first largest one (or the first NaN) of each channel:
     * y[c] = the number at the same place of v, or it += y[c]. n_in > 0 */
    void (*pick)(const float *const *in, const float *x, const float *v, int64_t n_in, float *y,
                 int64_t channels);
    void (*unpick)(const float *const *in, const float *x, float *v, int64_t n_in, const float *y,
                   int64_t channels);
};

/* The set for this machine. */
const struct gan__channel_lanes *gan__channel_lanes(void);

#endif
