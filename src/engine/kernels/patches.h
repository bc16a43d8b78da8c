/* patches.h: images as operands of a matrix product: convolutions without a matrix of patches.
 *
 * A point (n,a,b) of a grid sees the element of tap t at row a*step_h + origin_h + tap_h[t], column
 * b*step_w + origin_w + tap_w[t] of image n; outside of the image it is zero. */
#ifndef GAN_ENGINE_KERNELS_PATCHES_H
#define GAN_ENGINE_KERNELS_PATCHES_H

#include "gemm.h"

struct gan__patches {
    const float *image; /* [N,height,width,stride] from the first channel used */
    int64_t height, width;
    int64_t stride;        /* floats between neighbours along W: all channels */
    int64_t channels;      /* used */
    int64_t rows, columns; /* of the grid, for each image */
    int64_t step_h, step_w, origin_h, origin_w;
    int64_t taps;
    const int64_t *tap_h, *tap_w;
};

/* Lanes are grid points (n,a,b), k = tap*channels + channel. */
gan__gemm_pack gan__patches_pack_points;

/* Lanes are tap*channels + channel, k = grid point. */
gan__gemm_pack gan__patches_pack_taps;

/* Weights [..] as an operand: element (lane, k = tap*channels + channel) =
 * data[lane*lane_step + channel*channel_step + tap_at[tap]]. */
struct gan__filters {
    const float *data;
    int64_t channels, lane_step, channel_step;
    const int64_t *tap_at;
};
gan__gemm_pack gan__filters_pack;

#endif
