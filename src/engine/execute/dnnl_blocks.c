/* dnnl_blocks.c: oneDNN's orders of weights as blocks of words.
 *
 * The library's reorder takes f32 weights O,I,kh,kw to its convolutions' orders, and gradients back,
 * at 2 to 5 GB/s; the loops of kernels/blocks.h do it at the rate of memory. The orders met, O = a
 * and I = b, inner blocks at the end:
 *   AcdB64a2b    forward, bf16: lanes o, a word the pair (i, i+1)
 *   ABcd8a16b2a  data gradient, bf16: lanes i, a word the pair (o, o+1)
 *   ABcd16b16a   forward and weight gradient, f32: lanes o
 *   ABcd16a16b   data gradient, f32: lanes i
 *   Acdb16a      few input channels, f32: lanes o */
#include "dnnl_blocks.h"

/* Fewer taps than this fill too little of a vector of 16. */
enum { LEAST_TAPS = 4 };

/* Lanes along axis 0 (o) or 1 (i); the blocks inside the lanes' block have been taken off. */
static bool fill(const struct gan__md_layout *l, int lane_axis, int n_blocks, bool pairs,
                 int pair_axis, struct gan__blocks *b)
{
    const int64_t o = l->dims[0], i = l->dims[1], taps = l->dims[2] * l->dims[3];
    const int64_t word = pairs ? 2 : 1; /* elements */
    const int row_axis = 1 - lane_axis;
    const bool split_rows = pairs && pair_axis == row_axis;
    b->pairs = pairs;
    b->taps = taps;
    b->lanes = l->dims[lane_axis];
    b->rows = l->dims[row_axis] / (split_rows ? 2 : 1);
    b->lane_block = l->blocks[n_blocks - 1];
    b->lane_step = l->strides[lane_axis] / word;
    b->row_block = n_blocks > 1 ? l->blocks[n_blocks - 2] : 1;
    b->row_step = l->strides[row_axis] / word;
    b->inner_step = n_blocks > 1 ? b->lane_block : 0;
    b->tap_step = l->strides[3] / word;
    b->plain_lane = lane_axis == 0 ? i * taps : taps;
    b->plain_row = (row_axis == 0 ? i * taps : taps) * (split_rows ? 2 : 1);
    b->plain_pair = row_axis == 0 ? i * taps : taps;
    return o > 0 && taps >= LEAST_TAPS && l->strides[2] == l->dims[3] * l->strides[3] &&
           (!pairs || split_rows) && l->dims[row_axis] % (split_rows ? 2 : 1) == 0 &&
           b->lane_block % GAN_BLOCKS_LANES == 0 && b->lanes % b->lane_block == 0 &&
           b->rows % b->row_block == 0;
}

bool gan__dnnl_blocks(const gan__md *md, struct gan__blocks *b)
{
    struct gan__md_layout l;
    if (!gan__md_layout(md, &l) || l.rank != 4 || l.n_blocks < 1 || l.n_blocks > 3) {
        return false;
    }
    const bool pairs = l.type == dnnl_bf16;
    int n = l.n_blocks, pair_axis = 0;
    if (pairs) {
        if (n < 2 || l.blocks[n - 1] != 2) {
            return false;
        }
        n--;
        pair_axis = (int)l.axes[n];
    } else if (l.type != dnnl_f32) {
        return false;
    }
    const int lane_axis = (int)l.axes[n - 1];
    if (n > 2 || lane_axis > 1 || (n == 2 && l.axes[0] != 1 - lane_axis)) {
        return false;
    }
    return fill(&l, lane_axis, n, pairs, pair_axis, b);
}
