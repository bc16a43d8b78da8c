/* conv.h: geometry shared by the convolution family's inference and kernels. */
#ifndef GAN_ENGINE_OPS_CONV_H
#define GAN_ENGINE_OPS_CONV_H

#include "engine/graph/attr.h"
#include "engine/kernels/call.h"

/* Extents of the convolution an op of the family belongs to: x [n,h,w,ci], weights [co,ig,kh,kw],
 * y [n,oh,ow,co]; ig = ci/groups inputs and og = co/groups outputs make one group. */
struct gan__conv_dims {
    int64_t n, h, w, ci, co, kh, kw, oh, ow, groups, ig, og;
    struct gan_conv c;
};

/* From the shapes of the family's x, weights and y. */
struct gan__conv_dims gan__conv_dims_of(const gan_shape *x, const gan_shape *w, const gan_shape *y,
                                        const struct gan_conv *c);

/* Extent of y along one axis, 0 when the dilated kernel does not fit. */
int64_t gan__conv_extent(int64_t in, int64_t kernel, int64_t before, int64_t after, int64_t stride,
                         int64_t dilation);

/* Reference kernels: plain loops, sums in f64. */
void gan__ref_conv2d(const struct gan__call *c);
void gan__ref_conv2d_input_grad(const struct gan__call *c);
void gan__ref_conv2d_weight_grad(const struct gan__call *c);

#endif
