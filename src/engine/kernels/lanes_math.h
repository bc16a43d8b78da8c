/* lanes_math.h: elementary functions of one float, free of branches so that loops over them become
 * vector code. Polynomials are minimax fits (relative error of the value) made for this file.
 *
 * Largest errors against f64, in ulp over all floats of the ranges tested (test_lanes.c):
 * exp 1, expm1 2, log 1, log1p 2.5, tanh 3, sigmoid 2.5, softplus 2.5, erf 2. Denormal results of
 * exp are kept; NaN passes through everywhere. */
#ifndef GAN_ENGINE_KERNELS_LANES_MATH_H
#define GAN_ENGINE_KERNELS_LANES_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline int32_t lane_bits(float x)
{
    int32_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}

static inline float lane_float(int32_t i)
{
    float x;
    memcpy(&x, &i, sizeof x);
    return x;
}

/* A NaN in either input is the result. One choice per statement: nested ones become branches. */
static inline float lane_min(float a, float b)
{
    float m = a <= b ? a : b;
    return a != a ? a : m;
}

static inline float lane_max(float a, float b)
{
    float m = a >= b ? a : b;
    return a != a ? a : m;
}

static inline float lane_clamp(float x, float low, float high)
{
    float y = x > high ? high : x;
    return x < low ? low : y;
}

/* x = n ln 2 + r with |r| <= ln2/2 for |x| < 2^7: n as an integer, q = e^r - 1. */
static inline float lane_exp_reduce(float x, int32_t *n)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    float t = x * 1.44269504f + magic;
    float k = t - magic;
    *n = lane_bits(t) - 0x4b400000;
    float r = x - k * 0.693359375f; /* exact product for |k| < 2^15 */
    r = r - k * -2.12194440e-4f;
    float p = 1.979024819e-4f;
    p = p * r + 1.394475927e-3f;
    p = p * r + 8.333497681e-3f;
    p = p * r + 4.166629538e-2f;
    p = p * r + 1.666666567e-1f;
    p = p * r + 0.5f;
    return p * r * r + r;
}

/* 2^n; unsigned, because NaN arrives here with any n and must not be an overflow. */
static inline float lane_pow2(int32_t n)
{
    return lane_float((int32_t)((uint32_t)(n + 127) << 23));
}

static inline float lane_exp(float x)
{
    int32_t n;
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float q = lane_exp_reduce(x, &n);
    /* 2^n in two factors: n goes from -150 (denormal results) to 128 (overflow) */
    int32_t half = n >> 1;
    float a = lane_pow2(half), b = lane_pow2(n - half);
    return (q + 1.0f) * a * b;
}

static inline float lane_expm1(float x)
{
    int32_t n;
    float y = x > 88.7f ? 88.7f : x;
    y = y < -20.0f ? -20.0f : y;
    float q = lane_exp_reduce(y, &n);
    int32_t half = n >> 1;
    float a = lane_pow2(half), b = lane_pow2(n - half);
    float v = q * a * b + (a * b - 1.0f);
    v = n == 128 ? (q + 1.0f) * a * b : v; /* 2^128 alone overflows */
    return x > 88.8f ? x * 3e38f : v;      /* infinity */
}

/* Natural logarithm: x = 2^k m, m in [sqrt(1/2), sqrt 2). */
static inline float lane_log(float x)
{
    float tiny = x < 1.17549435e-38f ? 8388608.0f : 1.0f; /* 2^23 lifts denormals */
    float k0 = x < 1.17549435e-38f ? -23.0f : 0.0f;
    int32_t i = lane_bits(x * tiny);
    int32_t e = (int32_t)((uint32_t)i - 0x3f3504f3u) >> 23;
    float f = lane_float((int32_t)((uint32_t)i - ((uint32_t)e << 23))) - 1.0f;
    float k = (float)e + k0;
    float p = 6.757530570e-2f;
    p = p * f + -1.169432476e-1f;
    p = p * f + 1.189352497e-1f;
    p = p * f + -1.240308657e-1f;
    p = p * f + 1.421855241e-1f;
    p = p * f + -1.666809022e-1f;
    p = p * f + 2.000216693e-1f;
    p = p * f + -2.500000894e-1f;
    p = p * f + 3.333331048e-1f;
    float z = f * f;
    float y = p * f * z + k * -2.12194440e-4f;
    y = y - 0.5f * z;
    y = f + y + k * 0.693359375f;
    y = x > 3.40282347e+38f ? x : y; /* infinity */
    y = x == 0.0f ? -HUGE_VALF : y;
    return x >= 0.0f ? y : (x - x) / 0.0f; /* NaN for x < 0 and NaN */
}

/* log(1+x): u = 1 + x loses c = x - (u - 1), given back as c/u. */
static inline float lane_log1p(float x)
{
    float u = 1.0f + x;
    float c = (x - (u - 1.0f)) / u;
    float y = lane_log(u) + c;
    y = u == 1.0f ? x : y;
    y = x == -1.0f ? -HUGE_VALF : y;
    return x > 3.40282347e+38f ? x : y;
}

/* tanh |x| = -t/(2+t), t = e^{-2|x|} - 1: accurate near 0 and at infinity. */
static inline float lane_tanh(float x)
{
    float t = lane_expm1(-2.0f * fabsf(x));
    return copysignf(-t / (2.0f + t), x);
}

/* 1/(1+e^-x) for x >= 0 and e^x/(1+e^x) below: no overflow, small values keep their digits. */
static inline float lane_sigmoid(float x)
{
    float e = lane_exp(-fabsf(x));
    float d = 1.0f + e;
    return (x >= 0.0f ? 1.0f : e) / d;
}

/* max(x,0) + log1p(e^-|x|) */
static inline float lane_softplus(float x)
{
    float y = lane_log1p(lane_exp(-fabsf(x)));
    return (x < 0.0f ? 0.0f : x) + y;
}

/* x + x P(x^2) below 0.95, 1 - e^{-P(x)} above. */
static inline float lane_erf(float x)
{
    float a = fabsf(x), z = x * x;
    float p = 8.185090701e-5f;
    p = p * z + -8.097702521e-4f;
    p = p * z + 5.196951795e-3f;
    p = p * z + -2.685770579e-2f;
    p = p * z + 1.128366366e-1f;
    p = p * z + -3.761263192e-1f;
    p = p * z + 1.283791661e-1f;
    float small = x + x * p;
    float b = a > 4.0f ? 4.0f : a;
    float q = 2.082861829e-5f;
    q = q * b + -4.313935642e-4f;
    q = q * b + 4.156254698e-3f;
    q = q * b + -2.508061565e-2f;
    q = q * b + 1.082203835e-1f;
    q = q * b + 6.334008574e-1f;
    q = q * b + 1.129488349f;
    q = q * b + -1.692051301e-4f;
    float large = copysignf(1.0f - lane_exp(-q), x);
    return a > 0.95f ? large : small;
}

#endif
