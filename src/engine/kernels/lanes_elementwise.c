/* lanes_elementwise.c: elementwise ops on tiles, compiled once for each instruction set.
 *
 * Loops are plain; the functions they call have no branches, so the compiler turns them into vector
 * code of the widest registers, and tails do the same operations one by one. */
#include "lanes.h"
#include "lanes_math.h"
#include "lanes_rows.h"

#include <stdbool.h>

#define LOOP(EXPR)                                                                                 \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                            \
    {                                                                                              \
        out[i] = (EXPR);                                                                           \
    }

#define UNARY(NAME, EXPR)                                                                          \
    static void NAME##_tile(const float *const *in, float *out, int64_t n, const double *num)      \
    {                                                                                              \
        const float *a = in[0];                                                                    \
        (void)num;                                                                                 \
        LOOP(EXPR)                                                                                 \
    }

#define BINARY(NAME, EXPR)                                                                         \
    static void NAME##_tile(const float *const *in, float *out, int64_t n, const double *num)      \
    {                                                                                              \
        const float *a = in[0], *b = in[1];                                                        \
        (void)num;                                                                                 \
        LOOP(EXPR)                                                                                 \
    }

#define NUMBERED(NAME, EXPR)                                                                       \
    static void NAME##_tile(const float *const *in, float *out, int64_t n, const double *num)      \
    {                                                                                              \
        const float *a = in[0];                                                                    \
        const float p = (float)num[0];                                                             \
        LOOP(EXPR)                                                                                 \
    }

BINARY(add, a[i] + b[i])
BINARY(sub, a[i] - b[i])
BINARY(mul, a[i] * b[i])
BINARY(div, a[i] / b[i])
BINARY(min, lane_min(a[i], b[i]))
BINARY(max, lane_max(a[i], b[i]))
BINARY(greater, a[i] > b[i] ? 1.0f : 0.0f)
BINARY(greater_equal, a[i] >= b[i] ? 1.0f : 0.0f)
BINARY(less, a[i] < b[i] ? 1.0f : 0.0f)
BINARY(equal, a[i] == b[i] ? 1.0f : 0.0f)
UNARY(neg, -a[i])
UNARY(exp, lane_exp(a[i]))
UNARY(log, lane_log(a[i]))
UNARY(log1p, lane_log1p(a[i]))
UNARY(sqrt, sqrtf(a[i]))
UNARY(rsqrt, 1.0f / sqrtf(a[i]))
UNARY(square, a[i] * a[i])
UNARY(abs, fabsf(a[i]))
UNARY(sign, a[i] > 0.0f ? 1.0f : a[i] < 0.0f ? -1.0f : a[i])
UNARY(isfinite, fabsf(a[i]) <= 3.40282347e+38f ? 1.0f : 0.0f)
UNARY(sigmoid, lane_sigmoid(a[i]))
UNARY(tanh, lane_tanh(a[i]))
UNARY(softplus, lane_softplus(a[i]))
UNARY(relu, a[i] < 0.0f ? 0.0f : a[i])
UNARY(erf, lane_erf(a[i]))
UNARY(cast, a[i])
NUMBERED(leaky_relu, a[i] > 0.0f ? a[i] : p * a[i])
NUMBERED(elu, a[i] > 0.0f ? a[i] : p * lane_expm1(a[i]))

/* Several operations at once, rounded one by one. */
#define TERNARY(NAME, EXPR)                                                                        \
    static void NAME##_tile(const float *const *in, float *out, int64_t n, const double *num)      \
    {                                                                                              \
        const float *a = in[0], *b = in[1], *c = in[2];                                            \
        (void)num;                                                                                 \
        LOOP(EXPR)                                                                                 \
    }

TERNARY(mul_add, a[i] * b[i] + c[i])
TERNARY(mul_sub, a[i] * b[i] - c[i])
TERNARY(sub_mul, (a[i] - b[i]) * c[i])
TERNARY(sub_prod, a[i] - b[i] * c[i])
TERNARY(gate, a[i] > 0.0f ? b[i] : c[i])

static void leaky_gate_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *a = in[0], *b = in[1];
    const float p = (float)num[0];
    LOOP(a[i] > 0.0f ? b[i] : p * b[i])
}

static void select_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *c = in[0], *a = in[1], *b = in[2];
    (void)num;
    LOOP(c[i] != 0.0f ? a[i] : b[i])
}

/* The update of Adam behind its guard k, whose numbers are the same for all elements: one element of
 * k, b, c, s, r, e is read. The operations and their order are those of mul, add, sqrt, div and sub. */

/* k ? m b + g c : m */
static void adam_m_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *m = in[1], *g = in[3];
    const float b = in[2][0], c = in[4][0];
    (void)num;
    if (in[0][0] != 0.0f) {
        LOOP(m[i] * b + g[i] * c)
    } else {
        LOOP(m[i])
    }
}

/* k ? v b + (g g) c : v */
static void adam_v_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *v = in[1], *g = in[3];
    const float b = in[2][0], c = in[4][0];
    (void)num;
    if (in[0][0] != 0.0f) {
        LOOP(v[i] * b + g[i] * g[i] * c)
    } else {
        LOOP(v[i])
    }
}

/* k ? p - s (m / (sqrt(v) r + e)) : old */
static void adam_p_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *p = in[1], *m = in[3], *v = in[4], *old = in[7];
    const float s = in[2][0], r = in[5][0], e = in[6][0];
    (void)num;
    if (in[0][0] != 0.0f) {
        LOOP(p[i] - s * (m[i] / (sqrtf(v[i]) * r + e)))
    } else {
        LOOP(old[i])
    }
}

static void clamp_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *a = in[0];
    const float low = (float)num[0], high = (float)num[1];
    LOOP(lane_clamp(a[i], low, high))
}

/* log2 of a positive float in f64: x = 2^k m, s = (m-1)/(m+1), ln m = 2 atanh s. Error 1e-12. */
static inline double log2_wide(double x)
{
    int64_t i;
    memcpy(&i, &x, sizeof i);
    int64_t e = (i - 0x3fe6a09e667f3bcd) >> 52;
    i = (int64_t)((uint64_t)i - ((uint64_t)e << 52));
    double m;
    memcpy(&m, &i, sizeof m);
    double s = (m - 1.0) / (m + 1.0), z = s * s, p = 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1.0;
    return (double)(int32_t)e + s * p * 2.8853900817779268;
}

/* 2^t in f64 for |t| < 1000: Taylor on |r| <= ln2/2. Error 1e-11. */
static inline double exp2_wide(double t)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2^52 */
    double k = t + magic;
    int64_t n;
    memcpy(&n, &k, sizeof n);
    double r = (t - (k - magic)) * 0.69314718055994531, p = 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    n = (int64_t)((uint64_t)(n - 0x4338000000000000 + 1023) << 52);
    double scale;
    memcpy(&scale, &n, sizeof scale);
    return p * scale;
}

/* a^p for a number p: through f64 so that the exponent does not magnify errors. Powers with a
 * shorter exact form come first; of a negative base only whole powers exist. */
static void pow_tile(const float *const *in, float *out, int64_t n, const double *num)
{
    const float *a = in[0];
    const double p = num[0];
    if (p == 0.0) {
        LOOP(1.0f)
    } else if (p == 1.0) {
        LOOP(a[i])
    } else if (p == 2.0) {
        LOOP(a[i] * a[i])
    } else if (p == -1.0) {
        LOOP(1.0f / a[i])
    } else if (p == 3.0) {
        LOOP((float)((double)a[i] * (double)a[i] * (double)a[i]))
    } else {
        const bool whole = floor(p) == p, odd = whole && fmod(p, 2.0) != 0.0;
        const float of_zero = p > 0.0 ? 0.0f : HUGE_VALF, of_inf = p > 0.0 ? HUGE_VALF : 0.0f;
        const float sign = odd ? -1.0f : 1.0f;
        const float below = whole ? sign : (HUGE_VALF - HUGE_VALF);
        for (int64_t i = 0; i < n; i++) {
            float x = a[i], m = fabsf(x);
            double t = p * log2_wide((double)m);
            t = t > 200.0 ? 200.0 : t;
            t = t < -200.0 ? -200.0 : t;
            float y = (float)exp2_wide(t);
            y = m == 0.0f ? of_zero : y;
            y = m > 3.40282347e+38f ? of_inf : y;
            y = x < 0.0f && m <= 3.40282347e+38f ? y * below : y;
            y = lane_bits(x) < 0 && (m == 0.0f || m > 3.40282347e+38f) ? y * sign : y;
            out[i] = x != x ? x : y;
        }
    }
}

const struct gan__lanes GAN_LANES_NAME(gan__lanes) = {
    .isa = GAN_LANES_ISA == 2   ? "v4"
           : GAN_LANES_ISA == 1 ? "v3"
                                : "base",
#define MEMBER(NAME) .NAME = NAME##_tile,
    GAN_LANES_TILES(MEMBER)
#undef MEMBER
#define ROWS(NAME) .NAME = GAN_ROWS(NAME)
        ROWS(from_mask),
    ROWS(to_mask),
    ROWS(from_bf16),
    ROWS(to_bf16),
    ROWS(fill),
    ROWS(add_rows),
    ROWS(sum_rows),
    ROWS(sum_lanes),
    ROWS(moment_rows),
    ROWS(pair_rows),
    ROWS(scale_rows),
    ROWS(norm_grad_rows),
    ROWS(fold),
    ROWS(sum),
    ROWS(moment),
    ROWS(pair),
    ROWS(scale),
    ROWS(norm_grad),
    ROWS(largest),
};
