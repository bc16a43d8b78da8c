/* pairwise.h: distances between the samples of batches, for losses that compare samples instead of
 * scores. A batch is [N,F]; every function has derivatives of any order. */
#ifndef GAN_LOSSES_PAIRWISE_H
#define GAN_LOSSES_PAIRWISE_H

#include <gan/graph.h>

#include <stddef.h>

/* |a_i - b_j|^2 [N,M] of a [N,F] and b [M,F], never below 0. */
gan_val gan__pair_squared(gan_graph *g, gan_val a, gan_val b);

/* sqrt(|a_i - b_j|^2 + eps) [N,M]. */
gan_val gan__pair_distance(gan_graph *g, gan_val a, gan_val b, double eps);

/* sqrt(|a_i|^2 + eps) [N]. */
gan_val gan__row_norm(gan_graph *g, gan_val a, double eps);

/* sqrt(|a_i - b_i|^2 + eps) [N]. */
gan_val gan__row_distance(gan_graph *g, gan_val a, gan_val b, double eps);

/* Sum over the n sigmas of exp(-|a_i - b_j|^2 / 2 sigma^2) [N,M]. */
gan_val gan__gaussian_kernel(gan_graph *g, gan_val a, gan_val b, const double *sigma, size_t n);

/* Mean over i != j of k [N,N]: the unbiased mean over pairs of different samples. A batch of one
 * has none: GAN_E_SHAPE. */
gan_val gan__mean_others(gan_graph *g, gan_val k);

#endif
