/* lanes.h: vector loops, built for several instruction sets and chosen once at start.
 *
 * Each loop does the same IEEE operations on each element in the same order whatever the width of
 * the machine's vectors, without contraction: the same bits on every instruction set. */
#ifndef GAN_ENGINE_KERNELS_LANES_H
#define GAN_ENGINE_KERNELS_LANES_H

#include <stdint.h>

/* An elementwise op on n elements; out may be one of the inputs. Booleans are 0.0f and 1.0f. */
typedef void gan__tile(const float *const *in, float *out, int64_t n, const double *num);

/* Elementwise ops by their names. */
#define GAN_LANES_TILES(X)                                                                         \
    X(add)                                                                                         \
    X(sub)                                                                                         \
    X(mul)                                                                                         \
    X(div)                                                                                         \
    X(min)                                                                                         \
    X(max)                                                                                         \
    X(greater)                                                                                     \
    X(greater_equal)                                                                               \
    X(less)                                                                                        \
    X(equal)                                                                                       \
    X(select)                                                                                      \
    X(neg)                                                                                         \
    X(exp)                                                                                         \
    X(log)                                                                                         \
    X(log1p)                                                                                       \
    X(sqrt)                                                                                        \
    X(rsqrt)                                                                                       \
    X(square)                                                                                      \
    X(abs)                                                                                         \
    X(sign)                                                                                        \
    X(pow)                                                                                         \
    X(clamp)                                                                                       \
    X(isfinite)                                                                                    \
    X(sigmoid)                                                                                     \
    X(tanh)                                                                                        \
    X(softplus)                                                                                    \
    X(relu)                                                                                        \
    X(leaky_relu)                                                                                  \
    X(elu)                                                                                         \
    X(erf)                                                                                         \
    X(cast)                                                                                        \
    X(mul_add)                                                                                     \
    X(mul_sub)                                                                                     \
    X(sub_mul)                                                                                     \
    X(sub_prod)                                                                                    \
    X(gate)                                                                                        \
    X(leaky_gate)                                                                                  \
    X(adam_m)                                                                                      \
    X(adam_v)                                                                                      \
    X(adam_p)

enum { GAN_SUM_LANES = 16 };

struct gan__lanes {
    const char *isa; /* "base", "v3" or "v4" */
#define GAN_LANES_MEMBER(NAME) gan__tile *NAME;
    GAN_LANES_TILES(GAN_LANES_MEMBER)
#undef GAN_LANES_MEMBER
    /* Booleans as bytes and as numbers. */
    void (*from_mask)(const uint8_t *x, float *y, int64_t n);
    void (*to_mask)(const float *x, uint8_t *y, int64_t n);
    /* bf16 and f32; storing rounds to nearest, ties to even. */
    void (*from_bf16)(const uint16_t *x, float *y, int64_t n);
    void (*to_bf16)(const float *x, uint16_t *y, int64_t n);
    void (*fill)(float v, float *y, int64_t n);
    /* y [rows,channels] += bias [channels] */
    void (*add_rows)(float *y, const float *bias, int64_t rows, int64_t channels);
    /* sum[c] += x[:,c], all in f64 */
    void (*sum_rows)(const float *x, int64_t rows, int64_t channels, double *sum);
    /* sum[c] += d, sum2[c] += d^2 with d = x[:,c] - shift[c] */
    void (*moment_rows)(const float *x, const float *shift, int64_t rows, int64_t channels,
                        double *sum, double *sum2);
    /* sum[c] += x[:,c], sum2[c] += x[:,c] y[:,c] */
    void (*pair_rows)(const float *x, const float *y, int64_t rows, int64_t channels, double *sum,
                      double *sum2);
    /* y = (x - mean[c]) * scale[c] */
    void (*scale_rows)(const float *x, const float *mean, const float *scale, float *y,
                       int64_t rows, int64_t channels);
    /* dx = (dy - a[c] - x_hat * b[c]) * scale[c] */
    void (*norm_grad_rows)(const float *dy, const float *x_hat, const float *scale, const float *a,
                           const float *b, float *dx, int64_t rows, int64_t channels);
    /* dst[q*dst_step + i] += col[q*col_step + i] for q < n, i < run: windows that may overlap */
    void (*fold)(float *dst, const float *col, int64_t n, int64_t dst_step, int64_t col_step,
                 int64_t run);
    /* The same over one vector: 16 sums in f64, joined pairwise. */
    double (*sum)(const float *x, int64_t n);
    /* The 16 sums alone, added to lane[]; n a multiple of 16 except at the end. */
    void (*sum_lanes)(const float *x, int64_t n, double *lane);
    void (*moment)(const float *x, float shift, int64_t n, double sums[2]);
    void (*pair)(const float *x, const float *y, int64_t n, double sums[2]);
    void (*scale)(const float *x, float mean, float scale, float *y, int64_t n);
    void (*norm_grad)(const float *dy, const float *x_hat, const float k[3], float *dx,
                      int64_t n); /* k: a, b, scale */
    /* Largest element; NaN when there is one. n > 0 */
    float (*largest)(const float *x, int64_t n);
};

/* The best set for this machine; the environment's GAN_ISA=base|v3|v4 lowers it (tests). */
const struct gan__lanes *gan__lanes(void);

/* A set by name; NULL when this build or machine lacks it. */
const struct gan__lanes *gan__lanes_find(const char *isa);

#endif
