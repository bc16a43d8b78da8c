/* quadratics.c: quadratic problems as graph values.
 *
 * Andrychowicz et al. 2016, arXiv:1606.04474, section 3.1. */
#include "quadratics.h"

struct gan__problems gan__problems_of(gan_graph *g, gan_val numbers, int64_t n)
{
    int64_t batch = gan_dim(g, numbers, 0);
    gan_val w = gan_slice_axis(g, numbers, 1, 0, n * n);
    return (struct gan__problems){gan_reshape(g, w, GAN_SHAPE(batch, n, n)),
                                  gan_slice_axis(g, numbers, 1, n * n, n),
                                  gan_slice_axis(g, numbers, 1, n * n + n, n)};
}

gan_val gan__problem_values(gan_graph *g, const struct gan__problems *p, gan_val t)
{
    gan_shape s = gan_shape_get(g, t);
    gan_val column = gan_reshape(g, t, GAN_SHAPE(s.dim[0], s.dim[1], 1));
    gan_val product = gan_reshape(g, gan_matmul(g, p->w, column, false, false), s);
    return gan_sum(g, gan_square(g, gan_sub(g, product, p->y)), GAN_AXIS(1), false);
}
