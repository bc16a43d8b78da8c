/* dnnl_fold.h: what the two halves of convolutions into few channels share. */
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

/* The weight gradient in bf16, B = dy: fills p->ctx with a copy of f. */
gan_status gan__fold_weight_prepare(struct gan__prepare *p, const struct gan__fold *f,
                                    gan_err *err);
void gan__fold_weight_run(const struct gan__call *c);

#endif
