/* lanes_half.h: vectors of bf16 pairs, for sources compiled once for each instruction set. */
#ifndef GAN_ENGINE_KERNELS_LANES_HALF_H
#define GAN_ENGINE_KERNELS_LANES_HALF_H

#include "half.h"
#include "lanes_rows.h"
#include "lanes_turn.h"

#include <stddef.h>
#include <string.h>

#if defined(__AVX512BW__)
#include <immintrin.h>
#define HALF __attribute__((target("avx512bf16")))
#define FAST true
#else
#define HALF
#define FAST false
#endif

enum { N = 16, GROUP = GAN_HALF_GROUP, PANEL = GAN_HALF_PANEL };

typedef gan__word16 word16;
typedef float float16 __attribute__((vector_size(64)));
typedef uint16_t half16 __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline)) HALF

INLINE float16 load(const float *p)
{
    float16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float16 v, float *p)
{
    memcpy(p, &v, sizeof v);
}

INLINE word16 load_words(const uint32_t *p)
{
    word16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE float16 load_half(const uint16_t *p)
{
    half16 v;
    memcpy(&v, p, sizeof v);
    return (float16)(__builtin_convertvector(v, word16) << 16);
}

#if defined(__AVX512BW__)
INLINE float16 dot(float16 sum, uint32_t a, word16 b)
{
    return (float16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
}

/* bf16 in the lower half of each word. */
INLINE half16 narrow(float16 v)
{
    return (half16)_mm512_cvtneps_pbh((__m512)v);
}
#else
INLINE float16 dot(float16 sum, uint32_t a, word16 b)
{
    const word16 w = (word16){0} + a;
    sum += (float16)(w & 0xffff0000u) * (float16)(b & 0xffff0000u);
    return sum + (float16)(w << 16) * (float16)(b << 16);
}

INLINE half16 narrow(float16 v)
{
    const word16 u = (word16)v, even = (u >> 16) & 1u, nan = (u >> 16) | 0x40u;
    const word16 is_nan = (word16)((u & 0x7fffffffu) > 0x7f800000u);
    const word16 r = (u + 0x7fffu + even) >> 16;
    return __builtin_convertvector((is_nan & nan) | (~is_nan & r), half16);
}
#endif

INLINE void store_half(float16 v, uint16_t *p)
{
    const half16 h = narrow(v);
    memcpy(p, &h, sizeof h);
}

/* The loops of lanes_few.c. */
#define GAN_FEW(NAME) GAN_LANES_NAME(gan__few_##NAME)

void GAN_FEW(windows)(const struct gan__half_windows *p);
void GAN_FEW(taps)(const struct gan__half_taps *p);
void GAN_FEW(join)(const uint16_t *even, const uint16_t *odd, int64_t n, uint32_t *y);
void GAN_FEW(join_pixels)(const uint16_t *x, int64_t pixels, int64_t channels,
                          const uint16_t *zeros, uint32_t *y, int64_t panel);
void GAN_FEW(turn_pixels)(const uint16_t *x, int64_t pixels, int64_t channels, uint32_t *y);
void GAN_FEW(sum_segments)(const struct gan__half_segment *s, int64_t segments, float v, float *y,
                           int64_t n);
void GAN_FEW(interleave)(const float *even, const float *odd, float *y, int64_t n);

#endif
