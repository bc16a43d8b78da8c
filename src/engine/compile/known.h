/* known.h: ops that rewriting rules name, and small questions about nodes. */
#ifndef GAN_ENGINE_COMPILE_KNOWN_H
#define GAN_ENGINE_COMPILE_KNOWN_H

#include "engine/graph/attr.h"
#include "pass.h"

#include <string.h>

extern const struct gan__op gan__op_add, gan__op_sub, gan__op_mul, gan__op_div, gan__op_neg,
    gan__op_select, gan__op_cast, gan__op_transpose, gan__op_slice, gan__op_pad, gan__op_concat,
    gan__op_matmul, gan__op_pow, gan__op_square, gan__op_reduce_max, gan__op_relu,
    gan__op_leaky_relu, gan__op_tanh, gan__op_sigmoid, gan__op_conv2d, gan__op_conv2d_input_grad,
    gan__op_conv2d_post, gan__op_conv2d_input_grad_post, gan__op_matmul_post, gan__op_gather;

/* The number a value is filled with; false when it is no fill. */
static inline bool gan__is_fill(const gan_graph *g, gan_val v, double *value)
{
    const struct gan__node *n = gan__node_of(g, v);
    if (n->op != &gan__op_fill) {
        return false;
    }
    *value = ((const struct gan__attr_fill *)n->attr)->value;
    return true;
}

static inline bool gan__is_fill_of(const gan_graph *g, gan_val v, double value)
{
    double is;
    return gan__is_fill(g, v, &is) && is == value;
}

static inline bool gan__type_equal(const struct gan__type *a, const struct gan__type *b)
{
    return a->dtype == b->dtype && gan_shape_equal(&a->shape, &b->shape);
}

/* A fill of the type, in the scope of `like`. */
static inline gan_val gan__ir_fill(gan_graph *g, double value, const struct gan__type *t,
                                   const struct gan__node *like)
{
    struct gan__attr_fill a = {value, (int64_t)t->dtype, t->shape};
    return gan__ir_make(g, &gan__op_fill, NULL, 0, &a, t, like);
}

/* Rules about shapes for a node whose inputs in dst are x; GAN_NONE when none applies. */
gan_val gan__simplify_shape(gan_graph *g, const struct gan__node *n, const gan_val *x);

#endif
