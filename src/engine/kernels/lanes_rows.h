/* lanes_rows.h: the loops of lanes_rows.c, which carry the name of their instruction set. */
#ifndef GAN_ENGINE_KERNELS_LANES_ROWS_H
#define GAN_ENGINE_KERNELS_LANES_ROWS_H

#include "lanes_name.h"

#include <stdint.h>

#define GAN_ROWS(NAME) GAN_LANES_NAME(gan__rows_##NAME)

void GAN_ROWS(from_mask)(const uint8_t *x, float *y, int64_t n);
void GAN_ROWS(to_mask)(const float *x, uint8_t *y, int64_t n);
void GAN_ROWS(from_bf16)(const uint16_t *x, float *y, int64_t n);
void GAN_ROWS(to_bf16)(const float *x, uint16_t *y, int64_t n);
void GAN_ROWS(fill)(float v, float *y, int64_t n);
void GAN_ROWS(add_rows)(float *y, const float *bias, int64_t rows, int64_t channels);
void GAN_ROWS(sum_rows)(const float *x, int64_t rows, int64_t channels, double *sum);
void GAN_ROWS(moment_rows)(const float *x, const float *shift, int64_t rows, int64_t channels,
                           double *sum, double *sum2);
void GAN_ROWS(pair_rows)(const float *x, const float *y, int64_t rows, int64_t channels,
                         double *sum, double *sum2);
void GAN_ROWS(scale_rows)(const float *x, const float *mean, const float *scale, float *y,
                          int64_t rows, int64_t channels);
void GAN_ROWS(norm_grad_rows)(const float *dy, const float *x_hat, const float *scale,
                              const float *a, const float *b, float *dx, int64_t rows,
                              int64_t channels);
void GAN_ROWS(fold)(float *dst, const float *col, int64_t n, int64_t dst_step, int64_t col_step,
                    int64_t run);
double GAN_ROWS(sum)(const float *x, int64_t n);
void GAN_ROWS(sum_lanes)(const float *x, int64_t n, double *lane);
void GAN_ROWS(moment)(const float *x, float shift, int64_t n, double sums[2]);
void GAN_ROWS(pair)(const float *x, const float *y, int64_t n, double sums[2]);
void GAN_ROWS(scale)(const float *x, float mean, float scale, float *y, int64_t n);
void GAN_ROWS(norm_grad)(const float *dy, const float *x_hat, const float k[3], float *dx,
                         int64_t n);
float GAN_ROWS(largest)(const float *x, int64_t n);

#endif
