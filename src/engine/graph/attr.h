/* attr.h: attribute structures of ops. All fields are 8 bytes wide so that there is no padding:
 * equal attributes are equal bytes. */
#ifndef GAN_ENGINE_GRAPH_ATTR_H
#define GAN_ENGINE_GRAPH_ATTR_H

#include <gan/graph.h>

struct gan__attr_index { /* feed, scalar_feed, state_get, state_set */
    int64_t index;
    struct {
        int64_t dtype;
        gan_shape shape;
    } type; /* of sources */
};

struct gan__attr_fill { /* fill, iota (value unused) */
    double value;
    int64_t dtype;
    gan_shape shape;
};

struct gan__attr_num { /* leaky_relu slope; elu alpha; pow exponent; clamp low, high */
    double a, b;
};

struct gan__attr_cast {
    int64_t dtype;
};

struct gan__attr_axes { /* sum, reduce_max (axes kept with extent 1); normalize with eps */
    uint64_t axes;
    double eps;
};

struct gan__attr_axis { /* argmax, concat, one_hot (classes in `size`), scatter_add (rows in `size`)
                         */
    int64_t axis;
    int64_t size;
};

struct gan__attr_shape { /* reshape, broadcast */
    gan_shape shape;
};

struct gan__attr_perm { /* transpose */
    int64_t perm[GAN_MAX_RANK];
};

struct gan__attr_slice { /* slice; pad: begin = before, size = after */
    int64_t begin[GAN_MAX_RANK];
    int64_t size[GAN_MAX_RANK];
    int64_t mode; /* gan_pad_mode */
};

struct gan__attr_random { /* random_normal, random_uniform */
    uint64_t stream;      /* gan__stream_name */
    int64_t sample;       /* added to the index along axis 0: microbatches */
    gan_shape shape;
    int64_t dtype;
};

struct gan__attr_matmul {
    int64_t ta, tb;
};

struct gan__attr_conv { /* conv2d family; size_h,size_w: H,W of the input (input_grad) or kh,kw
                           (weight_grad) */
    struct gan_conv c;
    int64_t size_h, size_w;
};

struct gan__attr_pool {
    struct gan_pool p;
    int64_t size_h, size_w; /* gradients: H,W of the input */
};

struct gan__attr_resize { /* resize, resize_grad */
    int64_t height, width;
    int64_t mode; /* gan_resize_mode */
};

#endif
