/* blocks.h: weights between the store's plain order, [o][i][taps] of f32, and the blocked orders that
 * convolutions read and write.
 *
 * A blocked order is words of 32 bits: one f32, or a pair of bf16. Along one extent, the lanes, at
 * least 16 words lie side by side; the other extent counts rows, one word of a lane each. So 16
 * lanes by up to 16 taps of one row are a small matrix to transpose, and each number is touched once
 * on either side. */
#ifndef GAN_ENGINE_KERNELS_BLOCKS_H
#define GAN_ENGINE_KERNELS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

enum { GAN_BLOCKS_LANES = 16 };

/* Word (lane, row, tap) lies at lane / lane_block * lane_step + lane % lane_block +
 * row / row_block * row_step + row % row_block * inner_step + tap * tap_step. */
struct gan__blocks {
    int64_t lanes, rows, taps;
    int64_t lane_block, lane_step; /* the block is a multiple of 16 and divides the lanes */
    int64_t row_block, row_step, inner_step, tap_step;
    int64_t plain_lane, plain_row; /* steps of the plain order; taps are neighbours */
    bool pairs;                    /* a word is two bf16 ... */
    int64_t plain_pair;            /* ... this far apart in the plain order */
};

struct gan__block_lanes {
    /* Rows first .. end-1 of lanes lane .. lane+15, rounded to nearest even where words are pairs. */
    void (*pack)(const struct gan__blocks *b, const float *plain, uint32_t *blocked, int64_t lane,
                 int64_t first, int64_t end);
    /* ... back, summed over n blocked tensors `step` words apart in their order; f32 only. */
    void (*unpack)(const struct gan__blocks *b, const uint32_t *blocked, int n, int64_t step,
                   float *plain, int64_t lane, int64_t first, int64_t end);
    /* dst[c * taps + t] = rows[t][c] of 16-bit numbers; channels a multiple of 16 */
    void (*unfold)(const uint16_t *const *rows, int64_t taps, int64_t channels, uint16_t *dst);
    /* ... of f32 */
    void (*unfold_words)(const float *const *rows, int64_t taps, int64_t channels, float *dst);
};

/* The set for this machine. */
const struct gan__block_lanes *gan__block_lanes(void);

/* Whole tensors, on the threads of the caller's setting. */
void gan__blocks_pack(const struct gan__blocks *b, const float *plain, void *blocked);
void gan__blocks_unpack(const struct gan__blocks *b, const void *blocked, int n, int64_t step,
                        float *plain);

#endif
