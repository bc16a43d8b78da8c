/* lanes_turn.h: 16 rows of 16 words transposed in registers, for sources compiled once for each
 * instruction set.
 *
 * Two rounds interleave words, then pairs of words, inside quarters of the registers: after them
 * quarter q of row 4 g + c holds column 4 q + c of rows 4 g .. 4 g + 3. Two more rounds bring the quarters of
 * one column together. */
#ifndef GAN_ENGINE_KERNELS_LANES_TURN_H
#define GAN_ENGINE_KERNELS_LANES_TURN_H

#include <stdint.h>

typedef uint32_t gan__word16 __attribute__((vector_size(64)));

#define GAN_EACH_8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define GAN_LOW_HALVES(A, B)                                                                       \
    __builtin_shufflevector(A, B, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define GAN_HIGH_HALVES(A, B)                                                                      \
    __builtin_shufflevector(A, B, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

#define GAN_QUARTERS_LOW(A, B)                                                                     \
    __builtin_shufflevector(A, B, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define GAN_QUARTERS_HIGH(A, B)                                                                    \
    __builtin_shufflevector(A, B, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define GAN_PAIRS_LOW(A, B)                                                                        \
    __builtin_shufflevector(A, B, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define GAN_PAIRS_HIGH(A, B)                                                                       \
    __builtin_shufflevector(A, B, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define GAN_EVEN_QUARTERS(A, B)                                                                    \
    __builtin_shufflevector(A, B, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define GAN_ODD_QUARTERS(A, B)                                                                     \
    __builtin_shufflevector(A, B, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)

static inline __attribute__((always_inline)) void gan__turn(gan__word16 *x)
{
    gan__word16 y[16];
#pragma GCC unroll 8
    for (int k = 0; k < 16; k += 2) {
        y[k] = GAN_QUARTERS_LOW(x[k], x[k + 1]);
        y[k + 1] = GAN_QUARTERS_HIGH(x[k], x[k + 1]);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 16; k += 4) {
        x[k] = GAN_PAIRS_LOW(y[k], y[k + 2]);
        x[k + 1] = GAN_PAIRS_HIGH(y[k], y[k + 2]);
        x[k + 2] = GAN_PAIRS_LOW(y[k + 1], y[k + 3]);
        x[k + 3] = GAN_PAIRS_HIGH(y[k + 1], y[k + 3]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        y[c] = GAN_EVEN_QUARTERS(x[c], x[c + 4]);
        y[c + 4] = GAN_ODD_QUARTERS(x[c], x[c + 4]);
        y[c + 8] = GAN_EVEN_QUARTERS(x[c + 8], x[c + 12]);
        y[c + 12] = GAN_ODD_QUARTERS(x[c + 8], x[c + 12]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        x[c] = GAN_EVEN_QUARTERS(y[c], y[c + 8]);
        x[c + 4] = GAN_EVEN_QUARTERS(y[c + 4], y[c + 12]);
        x[c + 8] = GAN_ODD_QUARTERS(y[c], y[c + 8]);
        x[c + 12] = GAN_ODD_QUARTERS(y[c + 4], y[c + 12]);
    }
}

#endif
