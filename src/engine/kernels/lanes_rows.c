/* lanes_rows.c: sums over and maps of rows of channels, compiled once for each instruction set.
 *
 * Sums are in f64. Over rows each channel has its own sum and four rows are joined before they are
 * added; over a whole vector 16 lanes add up and are joined pairwise. */
#include "lanes_rows.h"

#include <math.h>
#include <stddef.h>

enum { LANES = 16, NARROW = 32 };

void GAN_ROWS(from_mask)(const uint8_t *x, float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] != 0 ? 1.0f : 0.0f;
    }
}

void GAN_ROWS(to_mask)(const float *x, uint8_t *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] != 0.0f ? 1 : 0;
    }
}

void GAN_ROWS(fill)(float v, float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = v;
    }
}

/* Few channels: a pattern of several rows at once keeps the vectors full. */
void GAN_ROWS(add_rows)(float *y, const float *bias, int64_t rows, int64_t channels)
{
    float pattern[NARROW * LANES];
    int64_t join = channels < NARROW ? LANES : 1, r = 0;
    if (join > 1) {
        for (int64_t i = 0; i < join * channels; i++) {
            pattern[i] = bias[i % channels];
        }
        for (; r + join <= rows; r += join, y += join * channels) {
#pragma omp simd
            for (int64_t i = 0; i < LANES * channels; i++) {
                y[i] += pattern[i];
            }
        }
    }
    for (; r < rows; r++, y += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            y[c] += bias[c];
        }
    }
}

/* sum[c] += TERM(r, c), four rows at a time. */
#define SUM_ROWS(TERM)                                                                             \
    int64_t r = 0;                                                                                 \
    for (; r + 4 <= rows; r += 4) {                                                                \
        _Pragma("omp simd") for (int64_t c = 0; c < channels; c++)                                 \
        {                                                                                          \
            sum[c] += (TERM(r, c) + TERM(r + 1, c)) + (TERM(r + 2, c) + TERM(r + 3, c));           \
        }                                                                                          \
    }                                                                                              \
    for (; r < rows; r++) {                                                                        \
        _Pragma("omp simd") for (int64_t c = 0; c < channels; c++)                                 \
        {                                                                                          \
            sum[c] += TERM(r, c);                                                                  \
        }                                                                                          \
    }

/* The same with two sums of the terms u and v that LOAD defines. */
#define SUM2_ROWS(LOAD)                                                                            \
    int64_t r = 0;                                                                                 \
    for (; r + 2 <= rows; r += 2) {                                                                \
        _Pragma("omp simd") for (int64_t c = 0; c < channels; c++)                                 \
        {                                                                                          \
            LOAD(r, c, u0, v0)                                                                     \
            LOAD(r + 1, c, u1, v1)                                                                 \
            sum[c] += u0 + u1;                                                                     \
            sum2[c] += v0 + v1;                                                                    \
        }                                                                                          \
    }                                                                                              \
    for (; r < rows; r++) {                                                                        \
        _Pragma("omp simd") for (int64_t c = 0; c < channels; c++)                                 \
        {                                                                                          \
            LOAD(r, c, u0, v0)                                                                     \
            sum[c] += u0;                                                                          \
            sum2[c] += v0;                                                                         \
        }                                                                                          \
    }

void GAN_ROWS(sum_rows)(const float *x, int64_t rows, int64_t channels, double *sum)
{
#define PLAIN(R, C) (double)x[(R)*channels + (C)]
    SUM_ROWS(PLAIN)
#undef PLAIN
}

void GAN_ROWS(moment_rows)(const float *x, const float *shift, int64_t rows, int64_t channels,
                           double *sum, double *sum2)
{
#define MOMENT(R, C, U, V)                                                                         \
    const double U = (double)x[(R)*channels + (C)] - (double)shift[C];                             \
    const double V = U * U;
    SUM2_ROWS(MOMENT)
#undef MOMENT
}

void GAN_ROWS(pair_rows)(const float *x, const float *y, int64_t rows, int64_t channels,
                         double *sum, double *sum2)
{
#define PAIR(R, C, U, V)                                                                           \
    const double U = (double)x[(R)*channels + (C)];                                                \
    const double V = U * (double)y[(R)*channels + (C)];
    SUM2_ROWS(PAIR)
#undef PAIR
}

void GAN_ROWS(scale_rows)(const float *x, const float *mean, const float *scale, float *y,
                          int64_t rows, int64_t channels)
{
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            y[c] = (x[c] - mean[c]) * scale[c];
        }
    }
}

void GAN_ROWS(norm_grad_rows)(const float *dy, const float *x_hat, const float *scale,
                              const float *a, const float *b, float *dx, int64_t rows,
                              int64_t channels)
{
    for (int64_t r = 0; r < rows; r++, dy += channels, x_hat += channels, dx += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            dx[c] = (dy[c] - a[c] - x_hat[c] * b[c]) * scale[c];
        }
    }
}

/* Windows q, q+phases, .. do not overlap: no store is read back before it has left the buffer. */
#define FOLD(RUN)                                                                                  \
    for (int64_t phase = 0; phase < phases; phase++) {                                             \
        for (int64_t q = phase; q < n; q += phases) {                                              \
            float *d = dst + q * dst_step;                                                         \
            const float *c = col + q * col_step;                                                   \
            _Pragma("omp simd") for (int64_t i = 0; i < (RUN); i++)                                \
            {                                                                                      \
                d[i] += c[i];                                                                      \
            }                                                                                      \
        }                                                                                          \
    }

void GAN_ROWS(fold)(float *dst, const float *col, int64_t n, int64_t dst_step, int64_t col_step,
                    int64_t run)
{
    int64_t phases = dst_step > 0 ? (run + dst_step - 1) / dst_step : 1;
    if (run == 4) {
        FOLD(4)
    } else if (run == 12) {
        FOLD(12)
    } else if (run == 9) {
        FOLD(9)
    } else if (run == 21) {
        FOLD(21)
    } else {
        FOLD(run)
    }
}

static double join(double *lane)
{
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            lane[i] += lane[i + width];
        }
    }
    return lane[0];
}

/* BODY(i, k) adds element i to lane k. */
#define SUM_ALL(BODY)                                                                              \
    int64_t full = n - n % LANES;                                                                  \
    for (int64_t j = 0; j < full; j += LANES) {                                                    \
        _Pragma("omp simd") for (int k = 0; k < LANES; k++)                                        \
        {                                                                                          \
            BODY(j + k, k)                                                                         \
        }                                                                                          \
    }                                                                                              \
    for (int64_t i = full; i < n; i++) {                                                           \
        BODY(i, i - full)                                                                          \
    }

void GAN_ROWS(sum_lanes)(const float *x, int64_t n, double *lane)
{
#define PLAIN(I, K) lane[K] += (double)x[I];
    SUM_ALL(PLAIN)
#undef PLAIN
}

double GAN_ROWS(sum)(const float *x, int64_t n)
{
    double lane[LANES] = {0.0};
    GAN_ROWS(sum_lanes)(x, n, lane);
    return join(lane);
}

void GAN_ROWS(moment)(const float *x, float shift, int64_t n, double sums[2])
{
    double lane[LANES] = {0.0}, lane2[LANES] = {0.0};
    const double s = (double)shift;
#define MOMENT(I, K)                                                                               \
    const double d = (double)x[I] - s;                                                             \
    lane[K] += d;                                                                                  \
    lane2[K] += d * d;
    SUM_ALL(MOMENT)
#undef MOMENT
    sums[0] = join(lane);
    sums[1] = join(lane2);
}

void GAN_ROWS(pair)(const float *x, const float *y, int64_t n, double sums[2])
{
    double lane[LANES] = {0.0}, lane2[LANES] = {0.0};
#define PAIR(I, K)                                                                                 \
    const double d = (double)x[I];                                                                 \
    lane[K] += d;                                                                                  \
    lane2[K] += d * (double)y[I];
    SUM_ALL(PAIR)
#undef PAIR
    sums[0] = join(lane);
    sums[1] = join(lane2);
}

void GAN_ROWS(scale)(const float *x, float mean, float scale, float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = (x[i] - mean) * scale;
    }
}

void GAN_ROWS(norm_grad)(const float *dy, const float *x_hat, const float k[3], float *dx,
                         int64_t n)
{
    const float a = k[0], b = k[1], scale = k[2];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        dx[i] = (dy[i] - a - x_hat[i] * b) * scale;
    }
}

float GAN_ROWS(largest)(const float *x, int64_t n)
{
    float lane[LANES];
    for (int k = 0; k < LANES; k++) {
        lane[k] = -HUGE_VALF;
    }
    int64_t full = n - n % LANES;
    for (int64_t j = 0; j < full; j += LANES) {
#pragma omp simd
        for (int k = 0; k < LANES; k++) {
            float v = x[j + k];
            lane[k] = v != v ? v : v > lane[k] ? v : lane[k];
        }
    }
    for (int64_t i = full; i < n; i++) {
        float v = x[i];
        lane[i - full] = v > lane[i - full] || v != v ? v : lane[i - full];
    }
    float m = lane[0];
    for (int k = 1; k < LANES; k++) {
        m = lane[k] > m || lane[k] != lane[k] ? lane[k] : m;
    }
    return m;
}
