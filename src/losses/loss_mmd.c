/* loss_mmd.c: the squared maximum mean discrepancy of 16 learned features, without bias:
 * MMD^2 = mean_{i!=j} k(x_i,x_j) + mean_{i!=j} k(y_i,y_j) - 2 mean_{ij} k(x_i,y_j).
 *
 * The generator minimises MMD^2, the critic -MMD^2 + mean of x^2 + mean of y^2 (its outputs have no
 * scale otherwise). The witness, mean_j k(t,x_j) - mean_j k(t,y_j), is what reg gp:1 holds the slope
 * of. Kernels of d = |a - b|:
 *     rq        sum over a in {.1,1,10} of (1 + d^2/2a)^-a, plus the dot product a.b
 *     rbf       sum over s in {2,5,10,20,40,80} of exp(-d^2/2s^2)
 *     distance  |a| + |b| - d, each root of a square plus 1e-5
 * Ref: Binkowski et al. 2018, arXiv:1801.01401, eq. 2 and 4, section 2.1; mbinkowski/MMD-GAN. */
#include "losses.h"
#include "pairwise.h"

#include <stddef.h>

#define REF "Binkowski et al. 2018, arXiv:1801.01401, section 2.1"
#define COUNT(A) (sizeof(A) / sizeof *(A))

typedef gan_val kernel(gan_graph *g, gan_val a, gan_val b);

static gan_val rational_quadratic(gan_graph *g, gan_val a, gan_val b)
{
    static const double alphas[] = {0.1, 1, 10};
    gan_val d2 = gan__pair_squared(g, a, b), sum = gan_matmul(g, a, b, false, true);
    for (size_t i = 0; i < COUNT(alphas); i++) {
        gan_val log_base = gan_log1p(g, gan_scale(g, d2, 1 / (2 * alphas[i])));
        sum = gan_add(g, sum, gan_exp(g, gan_scale(g, log_base, -alphas[i]))); /* faster than pow */
    }
    return sum;
}

static gan_val gaussian(gan_graph *g, gan_val a, gan_val b)
{
    static const double sigmas[] = {2, 5, 10, 20, 40, 80};
    return gan__gaussian_kernel(g, a, b, sigmas, COUNT(sigmas));
}

static gan_val distance(gan_graph *g, gan_val a, gan_val b)
{
    const double eps = 1e-5;
    int64_t n = gan_ok(a) ? gan_dim(g, a, 0) : 0;
    gan_val of_a = gan_reshape(g, gan__row_norm(g, a, eps), GAN_SHAPE(n, 1));
    gan_val of_both = gan_add(g, of_a, gan__row_norm(g, b, eps));
    return gan_sub(g, of_both, gan__pair_distance(g, a, b, eps));
}

static gan_val mmd2(const struct gan_loss_context *c, kernel *k)
{
    gan_graph *g = c->g;
    gan_val x = c->on_real, y = c->on_fake[0];
    gan_val within = gan_add(g, gan__mean_others(g, k(g, x, x)), gan__mean_others(g, k(g, y, y)));
    return gan_sub(g, within, gan_scale(g, gan_mean_all(g, k(g, x, y)), 2));
}

static gan_val critic(const struct gan_loss_context *c, kernel *k)
{
    gan_graph *g = c->g;
    gan_val size = gan_add(g, gan_mean_all(g, gan_square(g, c->on_real)),
                           gan_mean_all(g, gan_square(g, c->on_fake[0])));
    return gan_sub(g, size, mmd2(c, k));
}

static gan_val witness(const struct gan_loss_context *c, gan_val on, kernel *k)
{
    gan_graph *g = c->g;
    return gan_sub(g, gan_mean(g, k(g, on, c->on_real), GAN_AXIS(1), false),
                   gan_mean(g, k(g, on, c->on_fake[0]), GAN_AXIS(1), false));
}

/* The objectives with a kernel. */
#define OBJECTIVES(K)                                                                              \
    static gan_val K##_disc(const struct gan_loss_context *c)                                      \
    {                                                                                              \
        return critic(c, K);                                                                       \
    }                                                                                              \
    static gan_val K##_gen(const struct gan_loss_context *c)                                       \
    {                                                                                              \
        return mmd2(c, K);                                                                         \
    }                                                                                              \
    static gan_val K##_witness(const struct gan_loss_context *c, gan_val on)                       \
    {                                                                                              \
        return witness(c, on, K);                                                                  \
    }

OBJECTIVES(rational_quadratic)

GAN_LOSS(mmd_rq) = {
    .name = "mmd-rq",
    .doc = "maximum mean discrepancy, rational quadratic kernel plus dot product; use reg gp:1",
    .ref = REF,
    .needs = GAN_LOSS_REAL | GAN_LOSS_MATRIX,
    .outputs = 16,
    .disc = rational_quadratic_disc,
    .gen = rational_quadratic_gen,
    .witness = rational_quadratic_witness,
};

OBJECTIVES(gaussian)

GAN_LOSS(mmd_rbf) = {
    .name = "mmd-rbf",
    .doc = "maximum mean discrepancy, sum of Gaussian kernels; use reg gp:1",
    .ref = REF,
    .needs = GAN_LOSS_REAL | GAN_LOSS_MATRIX,
    .outputs = 16,
    .disc = gaussian_disc,
    .gen = gaussian_gen,
    .witness = gaussian_witness,
};

OBJECTIVES(distance)

GAN_LOSS(mmd_distance) = {
    .name = "mmd-distance",
    .doc = "maximum mean discrepancy, distance kernel: the energy distance; use reg gp:1",
    .ref = REF,
    .needs = GAN_LOSS_REAL | GAN_LOSS_MATRIX,
    .outputs = 16,
    .disc = distance_disc,
    .gen = distance_gen,
    .witness = distance_witness,
};
