/* pairwise.c: distances between the samples of batches.
 *
 * |a - b|^2 = |a|^2 + |b|^2 - 2 a.b makes one product of matrices of all pairs. The three terms
 * cancel, so both batches are first moved by the mean of b, which leaves distances as they are: the
 * rounding is then that of the batch's spread and not of its place. */
#include "pairwise.h"

/* |a_i|^2 [N,1] */
static gan_val squares(gan_graph *g, gan_val a)
{
    return gan_sum(g, gan_square(g, a), GAN_AXIS(1), true);
}

static int64_t rows(gan_graph *g, gan_val a)
{
    return gan_ok(a) ? gan_dim(g, a, 0) : 0;
}

gan_val gan__pair_squared(gan_graph *g, gan_val a, gan_val b)
{
    gan_val centre = gan_stop(g, gan_mean(g, b, GAN_AXIS(0), true));
    gan_val x = gan_sub(g, a, centre), y = gan_sub(g, b, centre);
    gan_val of_b = gan_reshape(g, squares(g, y), GAN_SHAPE(1, rows(g, b)));
    gan_val sum = gan_add(g, squares(g, x), of_b);
    return gan_relu(g, gan_sub(g, sum, gan_scale(g, gan_matmul(g, x, y, false, true), 2)));
}

gan_val gan__pair_distance(gan_graph *g, gan_val a, gan_val b, double eps)
{
    return gan_sqrt(g, gan_shift(g, gan__pair_squared(g, a, b), eps));
}

gan_val gan__row_norm(gan_graph *g, gan_val a, double eps)
{
    return gan_sqrt(g, gan_shift(g, gan_sum(g, gan_square(g, a), GAN_AXIS(1), false), eps));
}

gan_val gan__row_distance(gan_graph *g, gan_val a, gan_val b, double eps)
{
    return gan__row_norm(g, gan_sub(g, a, b), eps);
}

gan_val gan__gaussian_kernel(gan_graph *g, gan_val a, gan_val b, const double *sigma, size_t n)
{
    gan_val d2 = gan__pair_squared(g, a, b), sum = GAN_NONE;
    for (size_t i = 0; i < n; i++) {
        gan_val k = gan_exp(g, gan_scale(g, d2, -1 / (2 * sigma[i] * sigma[i])));
        sum = i > 0 ? gan_add(g, sum, k) : k;
    }
    return sum;
}

gan_val gan__mean_others(gan_graph *g, gan_val k)
{
    int64_t n = rows(g, k);
    if (gan_ok(k) && n < 2) {
        return gan_graph_fail(g, GAN_E_ARG,
                              "distances between samples of a batch need 2 of them, it has %lld",
                              (long long)n);
    }
    gan_val same = gan_one_hot(g, gan_iota(g, n), n);
    gan_val others = gan_mul(g, k, gan_shift(g, gan_neg(g, same), 1));
    return gan_scale(g, gan_sum_all(g, others), 1 / ((double)n * (double)(n - 1)));
}
