/* lanes_rows.c: sums over and maps of rows of channels, compiled once for each instruction set.
 *
 * Sums are in f64. Over rows each channel has its own sum, so the order of addition is the order of
 * the rows; over a whole vector 16 lanes add up and are joined pairwise. */
#include "lanes_rows.h"

#include <math.h>

enum { LANES = 16 };

void GAN_LANES_NAME(gan__rows_add_rows)(float *y, const float *bias, int64_t rows, int64_t channels)
{
    for (int64_t r = 0; r < rows; r++, y += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            y[c] += bias[c];
        }
    }
}

/* TERM is added to sum[c] for each row r and channel c. Few channels: one pass per row would be
 * short of work for the vector unit, but their sums stay in cache. */
#define SUM_ROWS(TERM)                                                                             \
    for (int64_t r = 0; r < rows; r++) {                                                           \
        const int64_t row = r * channels;                                                          \
        _Pragma("omp simd") for (int64_t c = 0; c < channels; c++)                                 \
        {                                                                                          \
            sum[c] += (TERM);                                                                      \
        }                                                                                          \
    }

void GAN_LANES_NAME(gan__rows_sum_rows)(const float *x, int64_t rows, int64_t channels, double *sum)
{
    SUM_ROWS((double)x[row + c])
}

void GAN_LANES_NAME(gan__rows_dot_rows)(const float *x, const float *y, int64_t rows,
                                        int64_t channels, double *sum)
{
    SUM_ROWS((double)x[row + c] * (double)y[row + c])
}

void GAN_LANES_NAME(gan__rows_dev_rows)(const float *x, const float *mean, int64_t rows,
                                        int64_t channels, double *sum)
{
    SUM_ROWS(((double)x[row + c] - (double)mean[c]) * ((double)x[row + c] - (double)mean[c]))
}

void GAN_LANES_NAME(gan__rows_scale_rows)(const float *x, const float *mean, const float *scale,
                                          float *y, int64_t rows, int64_t channels)
{
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            y[c] = (x[c] - mean[c]) * scale[c];
        }
    }
}

void GAN_LANES_NAME(gan__rows_norm_grad_rows)(const float *dy, const float *x_hat,
                                              const float *scale, const float *a, const float *b,
                                              float *dx, int64_t rows, int64_t channels)
{
    for (int64_t r = 0; r < rows; r++, dy += channels, x_hat += channels, dx += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            dx[c] = scale[c] * (dy[c] - a[c] - x_hat[c] * b[c]);
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

void GAN_LANES_NAME(gan__rows_fold)(float *dst, const float *col, int64_t n, int64_t dst_step,
                                    int64_t col_step, int64_t run)
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

static double join(const double *lane)
{
    double s[LANES];
    for (int i = 0; i < LANES; i++) {
        s[i] = lane[i];
    }
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            s[i] += s[i + width];
        }
    }
    return s[0];
}

#define SUM_ALL(TERM)                                                                              \
    double lane[LANES] = {0.0};                                                                    \
    int64_t full = n - n % LANES;                                                                  \
    for (int64_t j = 0; j < full; j += LANES) {                                                    \
        _Pragma("omp simd") for (int k = 0; k < LANES; k++)                                        \
        {                                                                                          \
            const int64_t i = j + k;                                                               \
            lane[k] += (TERM);                                                                     \
        }                                                                                          \
    }                                                                                              \
    for (int64_t i = full; i < n; i++) {                                                           \
        lane[i - full] += (TERM);                                                                  \
    }                                                                                              \
    return join(lane);

double GAN_LANES_NAME(gan__rows_sum)(const float *x, int64_t n)
{
    SUM_ALL((double)x[i])
}

double GAN_LANES_NAME(gan__rows_dot)(const float *x, const float *y, int64_t n)
{
    SUM_ALL((double)x[i] * (double)y[i])
}

double GAN_LANES_NAME(gan__rows_dev)(const float *x, float mean, int64_t n)
{
    SUM_ALL(((double)x[i] - (double)mean) * ((double)x[i] - (double)mean))
}

float GAN_LANES_NAME(gan__rows_largest)(const float *x, int64_t n)
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
