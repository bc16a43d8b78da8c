/* rate.h: what the machine can do: the library's best time for the shape of a convolution or matrix
 * product, and the rate of memory. For benchmarks. */
#ifndef GAN_ENGINE_EXECUTE_RATE_H
#define GAN_ENGINE_EXECUTE_RATE_H

#include <gan/plan.h>

enum gan__heavy_kind { GAN_HEAVY_FORWARD, GAN_HEAVY_DATA, GAN_HEAVY_WEIGHTS, GAN_HEAVY_MATMUL };

/* Shape of a convolution x [n,h,w,i] -> y [n,oh,ow,o] in one of its directions, or of a product
 * [batch] [m,k] x [k,n]. Whole structure zero-initialised, so that memcmp compares. */
struct gan__heavy {
    int64_t kind; /* enum gan__heavy_kind */
    int64_t bf16;
    int64_t n, h, w, i, oh, ow, o, kh, kw;
    int64_t stride_h, stride_w, pad_top, pad_bottom, pad_left, pad_right;
    int64_t dilation_h, dilation_w, groups;
    int64_t batch, m, k, ta, tb;
    double flops;
};

/* Shape of step i; false when it is neither convolution nor product. */
bool gan__heavy_of(const gan_plan *p, int64_t i, struct gan__heavy *out);

/* A dense convolution kernel k x k with equal padding on all sides; y's extent follows. */
struct gan__heavy gan__heavy_conv(enum gan__heavy_kind kind, const int64_t n_hw_i_o[4], int64_t k,
                                  int64_t stride, int64_t pad);

/* "conv 64x32x32x64->128 k4s2"; written to dst. */
const char *gan__heavy_text(const struct gan__heavy *h, char *dst, size_t cap);

/* Best seconds of some runs of the library for this shape; 0 when it refuses, or in a build without
 * it. blocked: images in the order the library likes, else N,H,W,C (products: weights in the order
 * it likes, else plain). */
double gan__rate_seconds(const struct gan__heavy *h, bool blocked, int threads);

/* Bytes a second of a[i] = b[i] + s c[i] over arrays larger than the caches, by the count of STREAM:
 * three arrays. 0 when memory is short. */
double gan__rate_triad(int threads);

#endif
