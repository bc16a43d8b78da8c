/* frechet.h: squared Frechet (2-Wasserstein) distance of two Gaussians, and its slope in both.
 *
 *     d^2 = |mu_a - mu_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2)
 *
 * With A = C C^T, C = U sqrt(w) from A = U w U^T, the matrix C^T B C has the eigenvalues of A B and is
 * symmetric: nothing is ever complex, and what round-off makes negative is zero.
 *
 * Ref: Dowson, Landau 1982; Heusel et al. 2017, arXiv:1706.08500. */
#ifndef GAN_METRICS_FRECHET_H
#define GAN_METRICS_FRECHET_H

#include <gan/status.h>

#include <stdbool.h>
#include <stdint.h>

/* Samples below which no distance is given: the mean and covariance of so few are mostly noise, and
 * the bias (about tr(A)/n for each side, from the means alone) dwarfs what is measured. */
enum { GAN__FRECHET_LEAST = 50 };

/* A Gaussian: mean [size], covariance [size,size]. */
struct gan__gaussian {
    const double *mean, *cov;
};

struct gan__frechet {
    double value;
    double *delta; /* [size] mu_b - mu_a */
    /* Factors of the slopes of 2 tr(A^1/2 B A^1/2)^1/2, the optimal transport's linear maps: in B it
     * is T_b = map_b^T map_b, in A T_a = map_a^T map_a; [size,size], NULL without slopes. */
    double *map_a, *map_b;
};

gan_status gan__frechet_init(struct gan__frechet *f, const struct gan__gaussian *a,
                             const struct gan__gaussian *b, int64_t size, bool slopes,
                             gan_err *err);
void gan__frechet_release(struct gan__frechet *f);

/* First-order influence of each row on the distance, when it belongs to b (or to a):
 *     x in b:  2 delta.y + |y|^2 - |map_b y|^2,   y = x - mu_b
 * up to a constant. out [n]. */
gan_status gan__frechet_influence(const struct gan__frechet *f, const struct gan__gaussian *side,
                                  bool of_b, const float *x, int64_t n, int64_t size, double *out,
                                  gan_err *err);

#endif
