/* gemm.h: C = A B in f32, for operands that know how to pack themselves: matrices in any order, or
 * the patches of an image (a convolution without a matrix of patches in memory). */
#ifndef GAN_ENGINE_KERNELS_GEMM_H
#define GAN_ENGINE_KERNELS_GEMM_H

#include <stddef.h>
#include <stdint.h>

/* What one instruction set does best: out [mr][nr] = sum over k of a[k][mr] x b[k][nr]; b and out
 * are 64-byte aligned. */
struct gan__gemm_tile {
    int mr, nr;
    void (*run)(int64_t k, const float *a, const float *b, float *out);
};

enum { GAN_GEMM_MAX_MR = 12, GAN_GEMM_MAX_NR = 16 };

/* A strip of an operand: `width` lanes (rows of A, columns of B) from `first`, of which `count`
 * exist; steps k0 .. k0+kc-1 of the inner index. */
struct gan__gemm_strip {
    int64_t first;
    int count, width;
    int64_t k0, kc;
};

/* Writes dst[k - k0][lane], zeros in lanes that do not exist. */
typedef void gan__gemm_pack(const void *operand, const struct gan__gemm_strip *s, float *dst);

struct gan__gemm {
    int64_t m, n, k; /* k may be 0: C is zero */
    gan__gemm_pack *pack_a, *pack_b;
    const void *a, *b; /* operands */
    float *c;
    int64_t ldc;                                        /* C(i,j) = c[i*ldc + j] when row is NULL */
    int64_t (*row)(const void *row_context, int64_t i); /* ... c[row(i) + j] otherwise */
    const void *row_context;
};

/* A matrix as an operand: element (lane, k) = data[lane*lane_step + k*k_step], one step being 1. */
struct gan__gemm_matrix {
    const float *data;
    int64_t lane_step, k_step;
};
gan__gemm_pack gan__gemm_pack_matrix;

/* Bytes of scratch for products up to m x n x k on up to `threads` threads. */
size_t gan__gemm_scratch(int64_t m, int64_t n, int64_t k, int threads);

/* Runs; scratch is 64-byte aligned. Same bits for any number of threads and instruction set. */
void gan__gemm_run(const struct gan__gemm *g, int threads, void *scratch);

#endif
