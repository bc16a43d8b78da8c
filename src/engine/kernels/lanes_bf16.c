/* lanes_bf16.c: bf16 to f32 and back, compiled once for each instruction set.
 *
 * bf16 is the upper half of an f32. Storing rounds to nearest, ties to even, in integers, so that
 * all instruction sets agree; NaN stays NaN, and what exceeds the largest bf16 becomes infinite. */
#include "lanes_rows.h"

#include <string.h>

static inline uint32_t bits_of(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

static inline float float_of(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

void GAN_ROWS(from_bf16)(const uint16_t *x, float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = float_of((uint32_t)x[i] << 16);
    }
}

void GAN_ROWS(to_bf16)(const float *x, uint16_t *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        uint32_t u = bits_of(x[i]), even = (u >> 16) & 1u;
        uint32_t rounded = (u + 0x7fffu + even) >> 16, nan = (u >> 16) | 0x40u;
        y[i] = (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
    }
}
