/* lanes_blocks.c: 16 lanes of blocked weights, compiled once for each instruction set.
 *
 * 16 rows of 16 words are transposed in registers (lanes_turn.h). Rows of fewer than 16 taps
 * are loaded and stored whole; what lies behind belongs to the next row, which is read for nothing
 * or written right after. */
#include "blocks.h"
#include "lanes_name.h"
#include "lanes_turn.h"

#include <string.h>

enum { N = GAN_BLOCKS_LANES };

typedef gan__word16 word16;
typedef float float16 __attribute__((vector_size(64)));
typedef uint16_t half16 __attribute__((vector_size(32)));

#define SET GAN_LANES_NAME(gan__block_lanes)

extern const struct gan__block_lanes SET;

/* Four of these turn 16 rows of 16: after a round that joins row k with row k + 8, the numbers of one
 * column are twice as near. */
#define JOIN_ROWS(K)                                                                               \
    out[2 * K] = GAN_LOW_HALVES(in[K], in[K + 8]);                                                 \
    out[2 * K + 1] = GAN_HIGH_HALVES(in[K], in[K + 8]);

static inline void half_round_of(const half16 *in, half16 *out)
{
    GAN_EACH_8(JOIN_ROWS)
}

/* bf16 of each float in the upper half of a word, as to_bf16 rounds. */
static inline word16 rounded(word16 u)
{
    const word16 even = (u >> 16) & 1u, nan = u | 0x400000u;
    const word16 is_nan = (word16)((u & 0x7fffffffu) > 0x7f800000u);
    const word16 r = u + 0x7fffu + even;
    return (is_nan & nan) | (~is_nan & r);
}

static inline word16 load(const float *p, int64_t n)
{
    word16 v = {0};
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}

static inline word16 load_whole(const float *p)
{
    word16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static int64_t place_of(const struct gan__blocks *b, int64_t lane, int64_t row)
{
    return lane / b->lane_block * b->lane_step + lane % b->lane_block +
           row / b->row_block * b->row_step + row % b->row_block * b->inner_step;
}

/* Would whole loads of this row read behind the tensor? */
static bool overhangs(const struct gan__blocks *b, int64_t lane, int64_t row)
{
    const int64_t all = b->lanes * b->rows * b->taps * (b->pairs ? 2 : 1);
    return (lane + N - 1) * b->plain_lane + row * b->plain_row + (b->pairs ? b->plain_pair : 0) +
               (b->taps + N - 1) / N * N >
           all;
}

static inline word16 pair_of(word16 low, word16 high)
{
    return (rounded(low) >> 16) | (rounded(high) & 0xffff0000u);
}

/* One row of 16 lanes that lie `step` apart. */
static inline void gather(const float *p, int64_t step, word16 *x)
{
#pragma GCC unroll 16
    for (int k = 0; k < N; k++) {
        x[k] = load_whole(p + k * step);
    }
}

static inline void gather_pairs(const float *p, int64_t step, int64_t pair, word16 *x)
{
#pragma GCC unroll 16
    for (int k = 0; k < N; k++) {
        x[k] = pair_of(load_whole(p + k * step), load_whole(p + k * step + pair));
    }
}

/* ... reading no further than n taps, near the end of the tensor. */
static void gather_end(const struct gan__blocks *b, const float *p, int64_t n, word16 *x)
{
    for (int k = 0; k < N; k++, p += b->plain_lane) {
        x[k] = b->pairs ? pair_of(load(p, n), load(p + b->plain_pair, n)) : load(p, n);
    }
}

static void pack(const struct gan__blocks *b, const float *plain, uint32_t *blocked, int64_t lane,
                 int64_t first, int64_t end)
{
    for (int64_t row = first; row < end; row++) {
        const float *src = plain + lane * b->plain_lane + row * b->plain_row;
        uint32_t *dst = blocked + place_of(b, lane, row);
        const bool last = overhangs(b, lane, row);
        for (int64_t t = 0; t < b->taps; t += N) {
            const int64_t n = b->taps - t < N ? b->taps - t : N;
            word16 x[N];
            if (last) {
                gather_end(b, src + t, n, x);
            } else if (b->pairs) {
                gather_pairs(src + t, b->plain_lane, b->plain_pair, x);
            } else {
                gather(src + t, b->plain_lane, x);
            }
            gan__turn(x);
            for (int64_t k = 0; k < n; k++) {
                memcpy(dst + (t + k) * b->tap_step, &x[k], sizeof x[k]);
            }
        }
    }
}

static inline word16 sum_of(const uint32_t *p, int n, int64_t step)
{
    float16 sum, v;
    memcpy(&sum, p, sizeof sum);
    for (int i = 1; i < n; i++) {
        memcpy(&v, p + i * step, sizeof v);
        sum += v;
    }
    return (word16)sum;
}

static void unpack(const struct gan__blocks *b, const uint32_t *blocked, int n, int64_t step,
                   float *plain, int64_t lane, int64_t first, int64_t end)
{
    /* A row's overhang is mended by the next row of the loop only when that is its neighbour. */
    const bool neighbours = b->plain_row == b->taps;
    for (int64_t row = first; row < end; row++) {
        const uint32_t *src = blocked + place_of(b, lane, row);
        float *dst = plain + lane * b->plain_lane + row * b->plain_row;
        for (int64_t t = 0; t < b->taps; t += N) {
            word16 x[N] = {0};
            const int64_t left = b->taps - t < N ? b->taps - t : N;
            for (int64_t k = 0; k < left; k++) {
                x[k] = sum_of(src + (t + k) * b->tap_step, n, step);
            }
            gan__turn(x);
            const bool whole = left == N || (neighbours && row + 1 < end && left + b->taps >= N);
            for (int k = 0; k < N; k++) {
                float *p = dst + k * b->plain_lane + t;
                if (whole) {
                    memcpy(p, &x[k], sizeof x[k]);
                } else {
                    memcpy(p, &x[k], (size_t)left * sizeof *p);
                }
            }
        }
    }
}

/* n taps of 16 channels from dst on; `room` numbers may be written from there. */
static inline void unfold_tile(const uint16_t *const *rows, int64_t n, int64_t taps, int64_t room,
                               uint16_t *dst)
{
    half16 x[N] = {0}, y[N];
    for (int64_t k = 0; k < n; k++) {
        memcpy(&x[k], rows[k], sizeof x[k]);
    }
    half_round_of(x, y);
    half_round_of(y, x);
    half_round_of(x, y);
    half_round_of(y, x);
    for (int k = 0; k < N; k++) {
        const bool whole = n == N || k * taps + N <= room;
        memcpy(dst + k * taps, &x[k], whole ? sizeof x[k] : (size_t)n * sizeof *dst);
    }
}

/* Channels go upwards and their taps downwards: an overhang lies where a later tile writes. */
static void unfold(const uint16_t *const *rows, int64_t taps, int64_t channels, uint16_t *dst)
{
    const uint16_t *at[N];
    for (int64_t c = 0; c < channels; c += N) {
        for (int64_t t = (taps - 1) / N * N; t >= 0; t -= N) {
            const int64_t n = taps - t < N ? taps - t : N, first = c * taps + t;
            for (int64_t k = 0; k < n; k++) {
                at[k] = rows[t + k] + c;
            }
            unfold_tile(at, n, taps, channels * taps - first, dst + first);
        }
    }
}

static inline void unfold_words_tile(const float *const *rows, int64_t n, int64_t taps,
                                     int64_t room, float *dst)
{
    word16 x[N] = {{0}};
    for (int64_t k = 0; k < n; k++) {
        x[k] = load_whole(rows[k]);
    }
    gan__turn(x);
    for (int k = 0; k < N; k++) {
        const bool whole = n == N || k * taps + N <= room;
        memcpy(dst + k * taps, &x[k], whole ? sizeof x[k] : (size_t)n * sizeof *dst);
    }
}

static void unfold_words(const float *const *rows, int64_t taps, int64_t channels, float *dst)
{
    const float *at[N];
    for (int64_t c = 0; c < channels; c += N) {
        for (int64_t t = (taps - 1) / N * N; t >= 0; t -= N) {
            const int64_t n = taps - t < N ? taps - t : N, first = c * taps + t;
            for (int64_t k = 0; k < n; k++) {
                at[k] = rows[t + k] + c;
            }
            unfold_words_tile(at, n, taps, channels * taps - first, dst + first);
        }
    }
}

const struct gan__block_lanes SET = {
    .pack = pack, .unpack = unpack, .unfold = unfold, .unfold_words = unfold_words};
