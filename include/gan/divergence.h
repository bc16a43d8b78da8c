/* divergence.h: how far apart two distributions are: divergences and distances with gradients.
 *
 *     double p[] = {0.5, 0.5, 0}, q[] = {0.25, 0.25, 0.5}, js, grad[3];
 *     gan_divergence_discrete(GAN_JS, p, q, 3, &js, NULL, grad, &err);
 *
 * Natural logarithms. p is the data's distribution and q the generator's: gradients are those a
 * generator would follow. An infinite divergence is a value (INFINITY), not an error; gradients of
 * it hold INFINITY or NAN where they do not exist. Everything is f64. */
#ifndef GAN_DIVERGENCE_H
#define GAN_DIVERGENCE_H

#include <gan/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The divergences of p and q. Densities are written p and q too, sums are integrals then. */
typedef enum gan_divergence {
    GAN_KL,            /* sum p log(p/q) */
    GAN_REVERSE_KL,    /* sum q log(q/p) */
    GAN_JS,            /* KL(p||m)/2 + KL(q||m)/2, m = (p+q)/2; at most log 2 */
    GAN_TV,            /* sum |p-q| / 2; at most 1 */
    GAN_HELLINGER,     /* sqrt of sum (sqrt p - sqrt q)^2 / 2; at most 1 */
    GAN_BHATTACHARYYA, /* -log sum sqrt(pq) */
    GAN_PEARSON,       /* sum (p-q)^2 / q */
    GAN_NEYMAN,        /* sum (p-q)^2 / p */
    GAN_MAHALANOBIS,   /* sqrt((m-m')^T S^-1 (m-m')), S the mean of both covariances */
    GAN_ENERGY,        /* 2E|x-y| - E|x-x'| - E|y-y'| */
    GAN_W1,            /* Wasserstein distance of order 1 */
    GAN_W2,            /* of order 2: root of the least mean squared distance */
    GAN_DIVERGENCES    /* how many */
} gan_divergence;

/** Name: "kl", "reverse-kl", "js", ...; NULL out of range. */
GAN_API const char *gan_divergence_name(gan_divergence kind);

/**
 * Divergence of two distributions over the same n places.
 *
 * in:     kind    KL .. NEYMAN (no distances between places)
 *         p, q    [n], not negative, summing to 1 within 1e-9
 * out:    value
 *         grad_p, grad_q  [n] or NULL: partial derivatives, every weight free. Of TV the subgradient
 *                 0 where p = q
 * errors: GAN_E_RANGE (n = 0, a weight that is negative or not finite, a sum that is not 1),
 *         GAN_E_UNSUPPORTED (another kind)
 * ref:    Nowozin et al. 2016, arXiv:1606.00709, table 1 (JS here is half of theirs); Lin 1991
 */
GAN_API gan_status gan_divergence_discrete(gan_divergence kind, const double *p, const double *q,
                                           size_t n, double *value, double *grad_p, double *grad_q,
                                           gan_err *err);

/** A Gaussian: mean [d], covariance [d,d] symmetric and positive definite. */
struct gan_gaussian {
    size_t d;
    const double *mean, *cov;
};

/** Largest dimension of a Gaussian here. */
enum { GAN_GAUSSIAN_MAX = 64 };

/**
 * Divergence of two Gaussians. KL, reverse KL, Hellinger, Bhattacharyya, Pearson, Neyman,
 * Mahalanobis and W2 (Bures) in closed form; energy and W1 in closed form for d = 1; JS and TV by
 * quadrature for d = 1, or for equal covariances (the line through the means carries all of it).
 *
 * out:    value
 *         grad_mean [d], grad_cov [d,d] or NULL: derivatives in q's mean and covariance (symmetric:
 *                 moving an element and its mirror image changes the value by both)
 * errors: GAN_E_SHAPE (dimensions differ), GAN_E_RANGE (d = 0 or too large, a covariance that is
 *         not symmetric or not positive definite), GAN_E_UNSUPPORTED (no formula: JS, TV, energy
 *         and W1 in more dimensions; grad_cov of JS and TV for d > 1)
 * ref:    Gil et al. 2013, "Renyi divergence measures for commonly used univariate continuous
 *         distributions"; Dowson and Landau 1982 (W2)
 */
GAN_API gan_status gan_divergence_gaussian(gan_divergence kind, const struct gan_gaussian *p,
                                           const struct gan_gaussian *q, double *value,
                                           double *grad_mean, double *grad_cov, gan_err *err);

/** Points, one a row. */
struct gan_points {
    size_t n, d;
    const double *x; /* [n,d] */
};

/**
 * Distance of two samples. Energy: means over pairs of different points (unbiased). W1 and W2:
 * exact, so n * m is limited (gan/transport.h). Mahalanobis: of the sample means, covariances with
 * divisor n - 1. KL and reverse KL: estimated from distances to nearest neighbours (no gradient).
 *
 * in:     p, q    of the same dimension, two points or more (W1, W2: one)
 * out:    value; grad_q [q.n,q.d] or NULL: in the points of q
 * errors: GAN_E_SHAPE (dimensions differ), GAN_E_RANGE (too few points, a number that is not
 *         finite, too many pairs), GAN_E_UNSUPPORTED (JS, TV, Hellinger, Bhattacharyya, chi^2:
 *         samples have no density, see the two functions below; a gradient of KL), GAN_E_NOMEM
 * ref:    Szekely and Rizzo 2013; Wang, Kulkarni and Verdu 2009 (KL by neighbours)
 */
GAN_API gan_status gan_divergence_samples(gan_divergence kind, const struct gan_points *p,
                                          const struct gan_points *q, double *value, double *grad_q,
                                          gan_err *err);

/**
 * Divergence of the densities that two samples suggest: a Gaussian kernel on every point. A point is
 * judged by all others (chi^2: by all), and the sum over places is the mean over the points of both
 * samples (chi^2: of the denominator's), so the value is biased towards that of the smoothed densities
 * and has the noise of the samples.
 *
 * in:     kind       KL .. NEYMAN
 *         p, q       of the same dimension, two points or more
 *         bandwidth  deviation of the kernels, > 0; 0: Scott's, the pooled deviation times
 *                    n^(-1/(d+4)), n the points of the smaller sample
 * out:    value; grad_q [q.n,q.d] or NULL: in the points of q, the bandwidth held
 * errors: GAN_E_SHAPE, GAN_E_RANGE as gan_divergence_samples, a bandwidth that is negative or not
 *         finite, or points that are all the same when it is 0; GAN_E_UNSUPPORTED (another kind)
 * ref:    Scott 1992, eq. 6.42; Parzen 1962
 */
GAN_API gan_status gan_divergence_smoothed(gan_divergence kind, const struct gan_points *p,
                                           const struct gan_points *q, double bandwidth,
                                           double *value, double *grad_q, gan_err *err);

/** Most numbers of a point, and most cells, of a histogram. */
enum { GAN_HISTOGRAM_MAX_D = 3, GAN_HISTOGRAM_CELLS = 1 << 20 };

/**
 * Divergence of two samples counted in equal cells over the box around both. No gradient: counts are
 * constant almost everywhere.
 *
 * in:     kind  KL .. NEYMAN
 *         bins  of each axis, >= 1
 * errors: GAN_E_SHAPE, GAN_E_RANGE (points as above, more than GAN_HISTOGRAM_MAX_D numbers a point or
 *         GAN_HISTOGRAM_CELLS cells), GAN_E_UNSUPPORTED (another kind), GAN_E_NOMEM
 */
GAN_API gan_status gan_divergence_histogram(gan_divergence kind, const struct gan_points *p,
                                            const struct gan_points *q, size_t bins, double *value,
                                            gan_err *err);

/** The kernels of the losses mmd-rq, mmd-rbf, mmd-distance and mmd-li. d = |a - b|. */
typedef enum gan_kernel {
    GAN_KERNEL_RQ,       /* sum over a in {.1,1,10} of (1 + d^2/2a)^-a, plus a.b */
    GAN_KERNEL_RBF,      /* sum over s in {2,5,10,20,40,80} of exp(-d^2/2s^2) */
    GAN_KERNEL_DISTANCE, /* |a| + |b| - d */
    GAN_KERNEL_LI        /* sum over s in {1,2,4,8,16} of exp(-d^2/2s^2) */
} gan_kernel;

/**
 * Squared maximum mean discrepancy of two samples.
 *
 * in:     biased  means over all pairs, own ones included (never negative); else over pairs of
 *                 different points
 * out:    value; grad_q [q.n,q.d] or NULL
 * errors: GAN_E_SHAPE, GAN_E_RANGE as gan_divergence_samples
 * ref:    Gretton et al. 2012; Binkowski et al. 2018, arXiv:1801.01401; Li et al. 2017
 */
GAN_API gan_status gan_mmd_squared(gan_kernel kernel, int biased, const struct gan_points *p,
                                   const struct gan_points *q, double *value, double *grad_q,
                                   gan_err *err);

/**
 * Squared maximum mean discrepancy of two Gaussians under the kernel exp(-d^2/2s^2).
 *
 * errors: as gan_divergence_gaussian
 * ref:    Sriperumbudur et al. 2010, "Hilbert space embeddings and metrics"
 */
GAN_API gan_status gan_mmd_squared_gaussian(double s, const struct gan_gaussian *p,
                                            const struct gan_gaussian *q, double *value,
                                            double *grad_mean, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
