/* ref_util.h: what the reference kernels share: elementwise maps and walks over index spaces.
 *
 * Reference kernels read and write through gan_tensor_get/set, compute in f64 and round once, so
 * one kernel serves every element type. */
#ifndef GAN_ENGINE_OPS_REF_UTIL_H
#define GAN_ENGINE_OPS_REF_UTIL_H

#include "engine/graph/attr.h"
#include "engine/graph/op.h"

/* out[i] = f(in0[i]), f(in0[i], in1[i]), f(in0[i], numbers of the op). */
void gan__ref_map1(const struct gan__call *c, double (*f)(double x));
void gan__ref_map2(const struct gan__call *c, double (*f)(double a, double b));
void gan__ref_map_num(const struct gan__call *c,
                      double (*f)(double x, const struct gan__attr_num *n));

/* Row-major strides in elements. */
void gan__strides(const gan_shape *s, int64_t stride[GAN_MAX_RANK]);

/* Visits the indices of a shape in row-major order; offset is the visited element's place in some
 * other tensor with the given strides. */
struct gan__walk {
    int rank;
    int64_t dim[GAN_MAX_RANK];
    int64_t stride[GAN_MAX_RANK];
    int64_t at[GAN_MAX_RANK]; /* current index */
    int64_t offset;
};

void gan__walk_start(struct gan__walk *w, const gan_shape *shape, const int64_t *stride,
                     int64_t offset);

static inline void gan__walk_next(struct gan__walk *w)
{
    for (int a = w->rank - 1; a >= 0; a--) {
        w->offset += w->stride[a];
        if (++w->at[a] < w->dim[a])
            return;
        w->offset -= w->stride[a] * w->dim[a];
        w->at[a] = 0;
    }
}

/* Copies one element between tensors of one type, bit by bit. */
void gan__copy_element(const gan_tensor *dst, int64_t to, const gan_tensor *src, int64_t from);

/* Copies in[0] to out[0], element i of out from place walk.offset of in. */
void gan__ref_copy_from(const struct gan__call *c, struct gan__walk *w);

/* FLOPs of a reduction: one per element read. */
double gan__flops_per_input(const struct gan__type *in, const struct gan__type *out,
                            const void *attr);

/* ... and none, for ops that only move data. */
double gan__flops_none(const struct gan__type *in, const struct gan__type *out, const void *attr);

/* A tensor like v filled with a number. */
gan_val gan__fill_like(gan_graph *g, gan_val v, double value);

/* mask ? dy : 0, the derivative of everything that passes or blocks. */
gan_val gan__pass_where(gan_graph *g, gan_val mask, gan_val dy);

#endif
