/* lanes_turn.h: 16 rows of 16 words transposed in registers, for sources compiled once for each
 * instruction set.
 *
 * Four rounds of interleaving: after a round that joins row k with row k + 8, the words of one
 * column are twice as near. */
#ifndef GAN_ENGINE_KERNELS_LANES_TURN_H
#define GAN_ENGINE_KERNELS_LANES_TURN_H

#include <stdint.h>

typedef uint32_t gan__word16 __attribute__((vector_size(64)));

#define GAN_EACH_8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define GAN_LOW_HALVES(A, B)                                                                       \
    __builtin_shufflevector(A, B, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define GAN_HIGH_HALVES(A, B)                                                                      \
    __builtin_shufflevector(A, B, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define GAN_JOIN_ROWS(K)                                                                           \
    out[2 * K] = GAN_LOW_HALVES(in[K], in[K + 8]);                                                 \
    out[2 * K + 1] = GAN_HIGH_HALVES(in[K], in[K + 8]);

static inline __attribute__((always_inline)) void gan__turn_round(const gan__word16 *in,
                                                                  gan__word16 *out)
{
    GAN_EACH_8(GAN_JOIN_ROWS)
}

static inline __attribute__((always_inline)) void gan__turn(gan__word16 *x)
{
    gan__word16 y[16];
    gan__turn_round(x, y);
    gan__turn_round(y, x);
    gan__turn_round(x, y);
    gan__turn_round(y, x);
}

#endif
