/* reduction.h: a set of axes to sum over, as nested loops cut into blocks.
 *
 * Neighbouring axes that are both reduced or both kept are one axis, so nearly every reduction is
 * x [k0, r0, k1, r1] -> y [k0, k1]: batch norm 1,NHW,C,1; instance norm N,HW,C,1; layer norm
 * N,1,1,HWC; group norm N,HW,G,C/G. The blocks depend on the shape alone. */
#ifndef GAN_ENGINE_TENSOR_REDUCTION_H
#define GAN_ENGINE_TENSOR_REDUCTION_H

#include <gan/tensor.h>

enum { GAN_REDUCE_BLOCK = 16384 /* elements worth a task */ };

struct gan__reduce {
    int64_t k0, r0, k1, r1;
    bool vector;         /* r0 = k1 = 1: k0 vectors of r1 elements */
    int64_t rows, len;   /* else rows of len = k1*r1*w elements; w rows are joined when short */
    int64_t blocks;      /* of rows (or of a vector) for each k0 */
    int64_t block;       /* rows (or elements) in one */
    bool half_x, half_y; /* the operands are bf16; set by the caller after the plan */
};

/* False when the axes alternate more often than the form above allows, or there is no element. */
bool gan__reduce_plan(const gan_shape *s, uint64_t axes, struct gan__reduce *r);

#endif
