/* lanes_channels.c: loops over the channels of one place, compiled once for each instruction set.
 * The sources of one place are added in their order for each channel: no width changes a bit. */
#include "channels.h"
#include "lanes_name.h"

#include <string.h>

#define SET GAN_LANES_NAME(gan__channel_lanes)

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

enum { BLOCK = 64 }; /* channels of one turn */

static inline void widen(const uint16_t *x, float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)x[i] << 16;
        memcpy(&y[i], &u, sizeof u);
    }
}

static inline void narrow(const float *x, uint16_t *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, &x[i], sizeof u);
        const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, nan = (u >> 16) | 0x40u;
        y[i] = (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
    }
}

static void blend_half(const uint16_t *const *in, const float *weight, int64_t n_in, uint16_t *out,
                       int64_t channels)
{
    for (int64_t at = 0; at < channels; at += BLOCK) {
        const int64_t n = channels - at < BLOCK ? channels - at : BLOCK;
        float sum[BLOCK] = {0}, x[BLOCK];
        for (int64_t k = 0; k < n_in; k++) {
            widen(in[k] + at, x, n);
            for (int64_t c = 0; c < n; c++) {
                sum[c] += weight[k] * x[c];
            }
        }
        narrow(sum, out + at, n);
    }
}

static void largest_half(const uint16_t *const *in, int64_t n_in, uint16_t *out, int64_t channels)
{
    for (int64_t at = 0; at < channels; at += BLOCK) {
        const int64_t n = channels - at < BLOCK ? channels - at : BLOCK;
        float best[BLOCK], x[BLOCK];
        widen(in[0] + at, best, n);
        for (int64_t k = 1; k < n_in; k++) {
            widen(in[k] + at, x, n);
            for (int64_t c = 0; c < n; c++) {
                best[c] = x[c] > best[c] || x[c] != x[c] ? x[c] : best[c];
            }
        }
        narrow(best, out + at, n);
    }
}

/* Which place is largest, channel by channel. */
static inline void places_of(const float *const *in, int64_t n_in, int64_t at, int64_t n,
                             int32_t *place)
{
    float best[BLOCK];
    memcpy(best, in[0] + at, (size_t)n * sizeof *best);
    memset(place, 0, (size_t)n * sizeof *place);
    for (int64_t k = 1; k < n_in; k++) {
        const float *x = in[k] + at;
        for (int64_t c = 0; c < n; c++) {
            const int better = x[c] > best[c] || (x[c] != x[c] && best[c] == best[c]);
            best[c] = better ? x[c] : best[c];
            place[c] = better ? (int32_t)k : place[c];
        }
    }
}

static void pick(const float *const *in, const float *x, const float *v, int64_t n_in, float *y,
                 int64_t channels)
{
    for (int64_t at = 0; at < channels; at += BLOCK) {
        const int64_t n = channels - at < BLOCK ? channels - at : BLOCK;
        int32_t place[BLOCK];
        places_of(in, n_in, at, n, place);
        for (int64_t k = 0; k < n_in; k++) {
            const float *from = v + (in[k] - x) + at;
            for (int64_t c = 0; c < n; c++) {
                y[at + c] = place[c] == (int32_t)k ? from[c] : y[at + c];
            }
        }
    }
}

static void unpick(const float *const *in, const float *x, float *v, int64_t n_in, const float *y,
                   int64_t channels)
{
    for (int64_t at = 0; at < channels; at += BLOCK) {
        const int64_t n = channels - at < BLOCK ? channels - at : BLOCK;
        int32_t place[BLOCK];
        places_of(in, n_in, at, n, place);
        for (int64_t k = 0; k < n_in; k++) {
            float *to = v + (in[k] - x) + at;
            for (int64_t c = 0; c < n; c++) {
                to[c] += place[c] == (int32_t)k ? y[at + c] : 0.0f;
            }
        }
    }
}

const struct gan__channel_lanes SET = {.blend = blend,
                                       .largest = largest,
                                       .blend_half = blend_half,
                                       .largest_half = largest_half,
                                       .pick = pick,
                                       .unpick = unpick};
