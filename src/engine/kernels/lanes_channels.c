/* lanes_channels.c: loops over the channels of one place, compiled once for each instruction set.
 * The sources of one place are added in their order for each channel: no width changes a bit. */
#include "channels.h"

#include <string.h>

#define PASTE_2(A, B) A##B
#define PASTE(A, B) PASTE_2(A, B)
#define SET PASTE(gan__channel_lanes, GAN_LANES_SUFFIX)

extern const struct gan__channel_lanes SET;

static void blend(const float *const *in, const float *weight, int64_t n_in, float *out,
                  int64_t channels)
{
    if (n_in == 0) {
        memset(out, 0, (size_t)channels * sizeof *out);
        return;
    }
    const float *a = in[0], first = weight[0];
    for (int64_t c = 0; c < channels; c++) {
        out[c] = first * a[c];
    }
    for (int64_t k = 1; k < n_in; k++) {
        const float *x = in[k], w = weight[k];
        for (int64_t c = 0; c < channels; c++) {
            out[c] += w * x[c];
        }
    }
}

static void largest(const float *const *in, int64_t n_in, float *out, int64_t channels)
{
    memcpy(out, in[0], (size_t)channels * sizeof *out);
    for (int64_t k = 1; k < n_in; k++) {
        const float *x = in[k];
        for (int64_t c = 0; c < channels; c++) {
            const float best = out[c], v = x[c];
            out[c] = v > best || v != v ? v : best; /* a NaN in out stays: v > NaN is false */
        }
    }
}

const struct gan__channel_lanes SET = {.blend = blend, .largest = largest};
