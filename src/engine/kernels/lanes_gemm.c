/* lanes_gemm.c: the inner tile of the matrix product, compiled once for each instruction set.
 *
 * A tile of mr x nr sums stays in registers while k runs: each step loads nr numbers of B, repeats
 * each of mr numbers of A, multiplies and adds, without contraction. Every sum is one chain over k,
 * so the tile's extents, which differ between instruction sets, do not change a bit. */
#include "gemm.h"
#include "lanes_name.h"

/* With AVX-512 the tile takes its 32 registers but not its 512 bits: 82 GFLOP/s against 55 on an EPYC
 * (1024 x 1024 x 1024, one core). */
#if defined(__AVX512VL__)
#define LANES 8
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ROWS 12 /* 24 of 32 registers */
#elif defined(__AVX__)
#define LANES 8
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define ROWS 6 /* 12 of 16 registers */
#else
#define LANES 4
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4)
#define ROWS 5 /* 10 of 16 registers */
#endif

typedef float vec __attribute__((vector_size(4 * LANES), may_alias));

#define TILE GAN_LANES_NAME(gan__gemm_tile)

extern const struct gan__gemm_tile TILE;

static void tile(int64_t k, const float *a, const float *b, float *out)
{
    const vec zero = {0};
#define START(R) vec left##R = zero, right##R = zero;
    EACH_ROW(START)
    for (int64_t i = 0; i < k; i++) {
        const vec *row = (const vec *)(const void *)(b + i * 2 * LANES);
        const float *column = a + i * ROWS;
        const vec b0 = row[0], b1 = row[1];
#define STEP(R)                                                                                    \
    left##R += b0 * column[R];                                                                     \
    right##R += b1 * column[R];
        EACH_ROW(STEP)
    }
    vec *dst = (vec *)(void *)out;
#define FINISH(R)                                                                                  \
    dst[2 * R] = left##R;                                                                          \
    dst[2 * R + 1] = right##R;
    EACH_ROW(FINISH)
}

const struct gan__gemm_tile TILE = {.mr = ROWS, .nr = 2 * LANES, .run = tile};
