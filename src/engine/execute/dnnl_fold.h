/* dnnl_fold.h: what convolutions into few channels (dnnl_fold.c) and out of few or into one (dnnl_few.c, dnnl_one.c) share. */
#ifndef GAN_ENGINE_EXECUTE_DNNL_FOLD_H
#define GAN_ENGINE_EXECUTE_DNNL_FOLD_H

#include "dnnl_compat.h"
#include "kernel.h"

/* The wide image A [n,ah,aw,ca] and the narrow one B [n,bh,bw,cb], as dnnl_fold.c says. */
struct gan__fold {
    struct gan__dnnl_step gemm, rest; /* of f32: one block, and the last one when it is smaller */
    const struct gan__attr_post *post;
    int64_t n, ah, aw, ca, bh, bw, cb, kh, kw, stride_h, stride_w, pad_h, pad_w;
    bool flip, half;                           /* half: A is bf16 */
    int64_t rows;                              /* rows of A in one block */
    int64_t ld;                                /* numbers between rows of the product */
    size_t weight_bytes, col_bytes, sum_bytes; /* of scratch; sum: results before their rounding */
    int threads;
};

/* Place of tap (a, b, i, j) in the weights of the store, O,I,kh,kw. */
int64_t gan__fold_weight_at(const struct gan__fold *f, int64_t a, int64_t b, int64_t i, int64_t j);

enum { GAN_FOLD_MOST = 2048 }; /* channels of A in what follows */

/* The weights of one tap (i, j, b) of a window, counted in this order, for all of A's channels,
 * rounded to bf16. */
void gan__fold_tap_weights(const struct gan__fold *f, const float *w, int64_t tap, uint16_t *half);

/* The fold of A = wide and B (shape b) for the data gradient, or as the forward direction of stride 1
 * has it: A is read and B written with weights turned round. */
struct gan__fold gan__fold_describe(const struct gan__type *wide, const gan_shape *b,
                                    const gan_shape *w, const struct gan_conv *c,
                                    const struct gan__attr_post *post);
struct gan__fold gan__fold_flipped(struct gan__fold f);

#endif
