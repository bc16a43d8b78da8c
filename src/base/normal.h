/* normal.h: normal random numbers from random words, in f32 arithmetic without libm.
 *
 * Box and Muller 1958: u, v uniform in (0,1) give two independent normals
 *
 *   r cos(2 pi v), r sin(2 pi v),   r = sqrt(-2 log u).
 *
 * Only +, -, *, /, sqrt of IEEE f32, no branches, no contraction: the same bits on every machine,
 * compiler and vector width; a loop over these functions vectorises. Relative error of log, and
 * absolute error of cos and sin, below 3e-7. The largest |z| is sqrt(48 log 2) = 5.77. */
#ifndef GAN_BASE_NORMAL_H
#define GAN_BASE_NORMAL_H

#include "philox.h"

#include <math.h>
#include <string.h>

#if defined(__clang__)
#define GAN_NO_CONTRACTION _Pragma("STDC FP_CONTRACT OFF")
#else
#define GAN_NO_CONTRACTION /* GCC: -ffp-contract=off, which -std=c17 implies */
#endif

/* log(u) for normal u > 0. u = 2^e m, sqrt(1/2) <= m < sqrt(2); with s = (m-1)/(m+1), |s| < 0.172,
 * log m = 2 (s + s^3/3 + s^5/5 + ...); the first omitted term, 2 s^11/11, is below 7e-10 |log m|/s. */
static inline float gan__log_f32(float u)
{
    GAN_NO_CONTRACTION
    const uint32_t half_root = 0x3f3504f3u, one = 0x3f800000u; /* sqrt(1/2), 1 */
    uint32_t bits;
    memcpy(&bits, &u, sizeof bits);
    const uint32_t k = bits + (one - half_root);
    const float e = (float)((int32_t)(k >> 23) - 127);
    const uint32_t mantissa = (k & 0x007fffffu) + half_root;
    float m;
    memcpy(&m, &mantissa, sizeof m);
    const float f = m - 1.0f, s = f / (m + 1.0f), q = s * s;
    const float p = q * (1.0f / 3.0f + q * (1.0f / 5.0f + q * (1.0f / 7.0f + q * (1.0f / 9.0f))));
    const float ln2 = 0.693147180559945f;
    return e * ln2 + 2.0f * (s + s * p);
}

/* cos and sin of 2 pi v for 0 < v < 1: the quarter turn nearest to v is taken off exactly, Taylor
 * series on the rest, |x| <= pi/4. First omitted terms: x^12/12! = 1.2e-10, x^11/11! = 1.8e-9. */
static inline void gan__turn_f32(float v, float *cosine, float *sine)
{
    GAN_NO_CONTRACTION
    const float quarters = v * 4.0f; /* exact */
    const int32_t quarter = (int32_t)(quarters + 0.5f);
    const float half_pi = 1.57079632679489662f;
    const float x = (quarters - (float)quarter) * half_pi, q = x * x;
    const float tail_c = q * (1.0f / 40320.0f - q * (1.0f / 3628800.0f));
    const float c = 1.0f - q * (0.5f - q * (1.0f / 24.0f - q * (1.0f / 720.0f - tail_c)));
    const float tail_s = q * (1.0f / 5040.0f - q * (1.0f / 362880.0f));
    const float s = x - x * q * (1.0f / 6.0f - q * (1.0f / 120.0f - tail_s));
    const int odd = quarter & 1; /* cos and sin change places */
    const float a = odd ? s : c, b = odd ? c : s;
    *cosine = ((quarter + 1) & 2) != 0 ? -a : a;
    *sine = (quarter & 2) != 0 ? -b : b;
}

/* Two normals from two words. */
static inline void gan__normal2(uint32_t word0, uint32_t word1, float *z0, float *z1)
{
    GAN_NO_CONTRACTION
    float c, s;
    const float r = sqrtf(-2.0f * gan__log_f32(gan__u01(word0)));
    gan__turn_f32(gan__u01(word1), &c, &s);
    *z0 = r * c;
    *z1 = r * s;
}

/* The four normals of a block: words 0,1 give elements 0,1; words 2,3 give elements 2,3. */
static inline void gan__normal4(const uint32_t word[4], float out[4])
{
    gan__normal2(word[0], word[1], &out[0], &out[1]);
    gan__normal2(word[2], word[3], &out[2], &out[3]);
}

#endif
