/* divergence_samples.c: distances of samples: energy, maximum mean discrepancies, transport, and KL
 * from nearest neighbours.
 *
 * Energy distance = MMD^2 with the distance kernel (Sejdinovic et al. 2013). KL(p||q) of n and m
 * points in d dimensions is estimated by d/n sum log(nu_i/rho_i) + log(m/(n-1)), rho_i and nu_i the
 * distances of p's point i to its nearest other point of p, and of q (Wang, Kulkarni and Verdu 2009,
 * eq. 5). */
#include "masses.h"
#include "matrix.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/transport.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* --- kernels ------------------------------------------------------------------------------------ */

/* k(a,b); gb [d] receives its derivative in b. */
typedef double kernel_fn(const double *a, const double *b, size_t d, double *gb);

static double rq(const double *a, const double *b, size_t d, double *gb)
{
    static const double alphas[] = {0.1, 1, 10};
    const double d2 = gan__squared_distance(a, b, d);
    double sum = 0, slope = 0; /* of d2 */
    for (size_t k = 0; k < 3; k++) {
        const double base = 1 + d2 / (2 * alphas[k]), power = pow(base, -alphas[k]);
        sum += power;
        slope -= power / (2 * base);
    }
    for (size_t i = 0; i < d; i++) {
        sum += a[i] * b[i];
        gb[i] = a[i] + 2 * slope * (b[i] - a[i]);
    }
    return sum;
}

static double gaussians(const double *a, const double *b, size_t d, double *gb, const double *sigma,
                        size_t n)
{
    const double d2 = gan__squared_distance(a, b, d);
    double sum = 0, slope = 0;
    for (size_t k = 0; k < n; k++) {
        const double value = exp(-d2 / (2 * sigma[k] * sigma[k]));
        sum += value;
        slope -= value / (2 * sigma[k] * sigma[k]);
    }
    for (size_t i = 0; i < d; i++) {
        gb[i] = 2 * slope * (b[i] - a[i]);
    }
    return sum;
}

static double rbf(const double *a, const double *b, size_t d, double *gb)
{
    static const double sigma[] = {2, 5, 10, 20, 40, 80};
    return gaussians(a, b, d, gb, sigma, 6);
}

static double li(const double *a, const double *b, size_t d, double *gb)
{
    static const double sigma[] = {1, 2, 4, 8, 16};
    return gaussians(a, b, d, gb, sigma, 5);
}

static double distance(const double *a, const double *b, size_t d, double *gb)
{
    const double between = sqrt(gan__squared_distance(a, b, d)), of_b = gan__vector_norm(b, d);
    for (size_t i = 0; i < d; i++) {
        gb[i] = (of_b > 0 ? b[i] / of_b : 0) - (between > 0 ? (b[i] - a[i]) / between : 0);
    }
    return gan__vector_norm(a, d) + of_b - between;
}

/* -|a - b|: gives the energy distance directly, without the norms that cancel. */
static double minus_distance(const double *a, const double *b, size_t d, double *gb)
{
    const double between = sqrt(gan__squared_distance(a, b, d));
    for (size_t i = 0; i < d; i++) {
        gb[i] = between > 0 ? (a[i] - b[i]) / between : 0;
    }
    return -between;
}

static kernel_fn *const kernels[] = {rq, rbf, distance, li};

/* Mean of k over pairs of x and y; same: x and y are one sample, and own pairs count if `own`. Adds
 * weight times its derivative in y to grad. */
static double kernel_mean(kernel_fn *k, const struct gan_points *x, const struct gan_points *y,
                          bool same, bool own, double weight, double *grad, double *gb)
{
    const size_t d = x->d;
    const double pairs = (double)x->n * (double)(same && !own ? y->n - 1 : y->n);
    double sum = 0;
    for (size_t i = 0; i < x->n; i++) {
        for (size_t j = 0; j < y->n; j++) {
            if (same && !own && i == j) {
                continue;
            }
            sum += k(x->x + i * d, y->x + j * d, d, gb);
            for (size_t c = 0; grad != NULL && c < d; c++) {
                grad[j * d + c] += weight * (same ? 2 : 1) * gb[c] / pairs;
            }
        }
    }
    return sum / pairs;
}

static gan_status mmd(kernel_fn *k, bool own, const struct gan_points *p,
                      const struct gan_points *q, double *value, double *grad, gan_err *err)
{
    GAN_TRY(gan__check_points(p, q, own ? 1 : 2, err));
    double *gb = gan__alloc_array(p->d, sizeof *gb);
    if (gb == NULL) {
        return gan__fail_nomem(err, p->d * sizeof *gb, "a derivative");
    }
    if (grad != NULL) {
        memset(grad, 0, q->n * q->d * sizeof *grad);
    }
    *value = kernel_mean(k, p, p, true, own, 0, NULL, gb) +
             kernel_mean(k, q, q, true, own, 1, grad, gb) -
             2 * kernel_mean(k, p, q, false, own, -2, grad, gb);
    gan__free(gb);
    return GAN_OK;
}

gan_status gan_mmd_squared(gan_kernel kernel, int biased, const struct gan_points *p,
                           const struct gan_points *q, double *value, double *grad_q, gan_err *err)
{
    if ((unsigned)kernel >= sizeof kernels / sizeof *kernels) {
        return gan__fail(err, GAN_E_ARG, "unknown kernel %d", (int)kernel);
    }
    return mmd(kernels[kernel], biased != 0, p, q, value, grad_q, err);
}

/* --- transport ---------------------------------------------------------------------------------- */

/* dW/dy_j = sum_i plan_ij |x_i-y_j|^(order-2) (y_j-x_i) / W^(order-1) */
static void transport_gradient(const struct gan_transport *t, const struct gan_points *p,
                               const struct gan_points *q, double order, double w, double *grad)
{
    memset(grad, 0, q->n * q->d * sizeof *grad);
    for (size_t k = 0; k < t->n_plan; k++) {
        const double *x = p->x + t->plan[k].i * p->d, *y = q->x + t->plan[k].j * p->d;
        const double far = sqrt(gan__squared_distance(x, y, p->d));
        if (!(far > 0) || !(w > 0)) {
            continue;
        }
        const double f = t->plan[k].mass * pow(far, order - 2) / pow(w, order - 1);
        for (size_t c = 0; c < p->d; c++) {
            grad[t->plan[k].j * p->d + c] += f * (y[c] - x[c]);
        }
    }
}

static gan_status wasserstein(double order, const struct gan_points *p, const struct gan_points *q,
                              double *value, double *grad, gan_err *err)
{
    struct gan_transport t = {0};
    GAN_TRY(gan__check_points(p, q, 1, err));
    GAN_TRY(gan__check_pairs(p->n, q->n, err));
    double *a = gan__alloc_array(p->n + q->n, sizeof *a);
    double *cost = gan__alloc_array(p->n * q->n, sizeof *cost);
    gan_status status = GAN_OK;
    if (a == NULL || cost == NULL) {
        status = gan__fail_nomem(err, p->n * q->n * sizeof *cost, "the costs of transport");
        goto out;
    }
    for (size_t i = 0; i < p->n + q->n; i++) {
        a[i] = 1.0 / (double)(i < p->n ? p->n : q->n);
    }
    status = gan_transport_cost(p, q, order, cost, err);
    if (status == GAN_OK) {
        status = gan_transport_exact(a, p->n, a + p->n, q->n, cost, &t, err);
    }
    if (status == GAN_OK) {
        *value = pow(fmax(t.cost, 0), 1 / order);
        if (grad != NULL) {
            transport_gradient(&t, p, q, order, *value, grad);
        }
    }
out:
    gan_transport_release(&t);
    gan__free(a);
    gan__free(cost);
    return status;
}

/* --- neighbours and moments --------------------------------------------------------------------- */

static double nearest(const double *x, const struct gan_points *in, size_t skip)
{
    double least = (double)INFINITY;
    for (size_t j = 0; j < in->n; j++) {
        if (j != skip) {
            least = fmin(least, gan__squared_distance(x, in->x + j * in->d, in->d));
        }
    }
    return sqrt(least);
}

static gan_status kl_neighbours(const struct gan_points *p, const struct gan_points *q,
                                double *value, gan_err *err)
{
    double sum = 0;
    GAN_TRY(gan__check_points(p, q, 2, err));
    for (size_t i = 0; i < p->n; i++) {
        const double *x = p->x + i * p->d;
        const double rho = nearest(x, p, i), nu = nearest(x, q, q->n);
        if (!(rho > 0) || !(nu > 0)) {
            return gan__fail(err, GAN_E_RANGE,
                             "point %zu occurs twice: KL from neighbours needs different points",
                             i);
        }
        sum += log(nu / rho);
    }
    *value = (double)p->d * sum / (double)p->n + log((double)q->n / (double)(p->n - 1));
    return GAN_OK;
}

static void moments(const struct gan_points *p, double *mean, double *cov)
{
    const size_t d = p->d;
    memset(mean, 0, d * sizeof *mean);
    memset(cov, 0, d * d * sizeof *cov);
    for (size_t i = 0; i < p->n * d; i++) {
        mean[i % d] += p->x[i] / (double)p->n;
    }
    for (size_t k = 0; k < p->n; k++) {
        const double *x = p->x + k * d;
        for (size_t i = 0; i < d * d; i++) {
            cov[i] += (x[i / d] - mean[i / d]) * (x[i % d] - mean[i % d]) / (double)(p->n - 1);
        }
    }
}

/* The gradient reaches q's points through its mean (1/m each) and its covariance. */
static gan_status mahalanobis(const struct gan_points *p, const struct gan_points *q, double *value,
                              double *grad, gan_err *err)
{
    enum { D = GAN_GAUSSIAN_MAX };
    double mean[2][D], cov[2][D * D], gm[D], gc[D * D], step[D];
    GAN_TRY(gan__check_points(p, q, 2, err));
    if (p->d > D) {
        return gan__fail(err, GAN_E_RANGE, "points have %zu numbers: at most %d", p->d, D);
    }
    moments(p, mean[0], cov[0]);
    moments(q, mean[1], cov[1]);
    GAN_TRY(gan_divergence_gaussian(GAN_MAHALANOBIS, &(struct gan_gaussian){p->d, mean[0], cov[0]},
                                    &(struct gan_gaussian){p->d, mean[1], cov[1]}, value, gm, gc,
                                    err));
    for (size_t j = 0; grad != NULL && j < q->n; j++) {
        for (size_t c = 0; c < q->d; c++) {
            step[c] = q->x[j * q->d + c] - mean[1][c];
        }
        gan__matrix_vector(gc, step, q->d, grad + j * q->d);
        for (size_t c = 0; c < q->d; c++) {
            double *g = &grad[j * q->d + c];
            *g = *g * 2 / (double)(q->n - 1) + gm[c] / (double)q->n;
        }
    }
    return GAN_OK;
}

gan_status gan_divergence_samples(gan_divergence kind, const struct gan_points *p,
                                  const struct gan_points *q, double *value, double *grad_q,
                                  gan_err *err)
{
    const char *name = gan_divergence_name(kind);
    switch ((int)kind) {
    case GAN_ENERGY:
        return mmd(minus_distance, false, p, q, value, grad_q, err);
    case GAN_W1:
        return wasserstein(1, p, q, value, grad_q, err);
    case GAN_W2:
        return wasserstein(2, p, q, value, grad_q, err);
    case GAN_MAHALANOBIS:
        return mahalanobis(p, q, value, grad_q, err);
    case GAN_KL:
    case GAN_REVERSE_KL:
        if (grad_q == NULL) {
            return kind == GAN_KL ? kl_neighbours(p, q, value, err)
                                  : kl_neighbours(q, p, value, err);
        }
        return gan__fail(err, GAN_E_UNSUPPORTED, "%s from neighbours has no gradient", name);
    default:
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s of samples needs densities: use gan_divergence_smoothed or "
                         "gan_divergence_histogram",
                         name != NULL ? name : "an unknown divergence");
    }
}
