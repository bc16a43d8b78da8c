/* divergence_gaussian.c: divergences of Gaussians in closed form, with derivatives in q.
 *
 * e = mean_q - mean_p; S, T the covariances of p and q; M = (S+T)/2. With A = 2T - S:
 *     KL           (tr T^-1 S + e'T^-1 e - d + log det T/S) / 2
 *     Bhatt.       e'M^-1 e / 8 + (log det M - (log det S + log det T)/2) / 2
 *     Pearson + 1  exp(log det T - log det S/2 - log det A/2 + e'A^-1 e), infinite unless A > 0
 *     W2^2         |e|^2 + tr(S + T - 2 (S^1/2 T S^1/2)^1/2)
 * A derivative in T is a symmetric matrix D with change = tr(D dT).
 * Gil et al. 2013; Dowson and Landau 1982; Nielsen and Nock 2014, arXiv:1309.3029 (chi^2). */
#include "gaussian.h"
#include "matrix.h"

#include "base/err.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { D = GAN_GAUSSIAN_MAX };

/* inverse of w1 S + w2 T and its log det; false when it is not positive definite. */
static bool blend(const struct gan__two *t, double w1, double w2, double *inverse, double *log_det)
{
    for (size_t i = 0; i < t->d * t->d; i++) {
        inverse[i] = w1 * t->p->cov[i] + w2 * t->q->cov[i];
    }
    return gan__invert_spd(inverse, t->d, inverse, log_det);
}

/* m += w y y^T */
static void add_outer(double *m, const double *y, double w, size_t d)
{
    for (size_t i = 0; i < d * d; i++) {
        m[i] += w * y[i / d] * y[i % d];
    }
}

static double trace_product(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        for (size_t k = 0; k < d; k++) {
            sum += a[i * d + k] * b[k * d + i];
        }
    }
    return sum;
}

static double kl(const struct gan__two *t, double *gm, double *gc)
{
    const size_t d = t->d;
    double y[D], product[D * D], sandwich[D * D];
    gan__matrix_vector(t->inverse_q, t->e, d, y);
    memcpy(gm, y, d * sizeof *y);
    gan__matrix_product(t->inverse_q, t->p->cov, d, product);
    gan__matrix_product(product, t->inverse_q, d, sandwich);
    for (size_t i = 0; i < d * d; i++) {
        gc[i] = (t->inverse_q[i] - sandwich[i]) / 2;
    }
    add_outer(gc, y, -0.5, d);
    return (trace_product(t->inverse_q, t->p->cov, d) + gan__quadratic_form(t->inverse_q, t->e, d) -
            (double)d + t->log_det_q - t->log_det_p) /
           2;
}

static double reverse_kl(const struct gan__two *t, double *gm, double *gc)
{
    const size_t d = t->d;
    gan__matrix_vector(t->inverse_p, t->e, d, gm);
    for (size_t i = 0; i < d * d; i++) {
        gc[i] = (t->inverse_p[i] - t->inverse_q[i]) / 2;
    }
    return (trace_product(t->inverse_p, t->q->cov, d) + gan__quadratic_form(t->inverse_p, t->e, d) -
            (double)d + t->log_det_p - t->log_det_q) /
           2;
}

static double bhattacharyya(const struct gan__two *t, double *gm, double *gc)
{
    const size_t d = t->d;
    double inverse[D * D], y[D], log_det = 0;
    (void)blend(t, 0.5, 0.5, inverse, &log_det); /* a mean of positive matrices is positive */
    gan__matrix_vector(inverse, t->e, d, y);
    for (size_t i = 0; i < d; i++) {
        gm[i] = y[i] / 4;
    }
    for (size_t i = 0; i < d * d; i++) {
        gc[i] = (inverse[i] - t->inverse_q[i]) / 4;
    }
    add_outer(gc, y, -1.0 / 16, d);
    return gan__quadratic_form(inverse, t->e, d) / 8 +
           (log_det - (t->log_det_p + t->log_det_q) / 2) / 2;
}

static void scale(double *a, size_t n, double c)
{
    for (size_t i = 0; i < n; i++) {
        a[i] *= c;
    }
}

/* sqrt(1 - exp(-B)) */
static double hellinger(const struct gan__two *t, double *gm, double *gc)
{
    const double b = bhattacharyya(t, gm, gc), h = sqrt(-expm1(-b));
    const double factor = h > 0 ? exp(-b) / (2 * h) : 0; /* 0 at the minimum */
    scale(gm, t->d, factor);
    scale(gc, t->d * t->d, factor);
    return h;
}

/* exp(l) - 1, l = front + e'B e - log det B^-1 / 2, B the inverse of w S + (1 - w) T, and its
 * derivative in T, c exp(l) (T^-1 - B - 2 B e e'B). Infinite where there is no B > 0. */
static double chi_squared(const struct gan__two *t, double w, double front, double c, double *gm,
                          double *gc)
{
    const size_t d = t->d;
    double inverse[D * D], y[D], log_det;
    if (!blend(t, w, 1 - w, inverse, &log_det)) {
        for (size_t i = 0; i < d * d; i++) {
            gm[i % d] = gc[i] = (double)NAN;
        }
        return (double)INFINITY;
    }
    gan__matrix_vector(inverse, t->e, d, y);
    const double l = front - log_det / 2 + gan__quadratic_form(inverse, t->e, d);
    for (size_t i = 0; i < d; i++) {
        gm[i] = 2 * y[i] * exp(l);
    }
    for (size_t i = 0; i < d * d; i++) {
        gc[i] = t->inverse_q[i] - inverse[i];
    }
    add_outer(gc, y, -2, d);
    scale(gc, d * d, c * exp(l));
    return expm1(l);
}

static double pearson(const struct gan__two *t, double *gm, double *gc)
{
    return chi_squared(t, -1, t->log_det_q - t->log_det_p / 2, 1, gm, gc);
}

static double neyman(const struct gan__two *t, double *gm, double *gc)
{
    return chi_squared(t, 2, t->log_det_p - t->log_det_q / 2, -0.5, gm, gc);
}

static double mahalanobis(const struct gan__two *t, double *gm, double *gc)
{
    const size_t d = t->d;
    double inverse[D * D], log_det = 0, y[D];
    (void)blend(t, 0.5, 0.5, inverse, &log_det);
    gan__matrix_vector(inverse, t->e, d, y);
    const double distance = sqrt(gan__quadratic_form(inverse, t->e, d));
    for (size_t i = 0; i < d; i++) {
        gm[i] = distance > 0 ? y[i] / distance : 0;
    }
    memset(gc, 0, d * d * sizeof *gc);
    if (distance > 0) {
        add_outer(gc, y, -1 / (4 * distance), d);
    }
    return distance;
}

static double root(double w)
{
    return w > 0 ? sqrt(w) : 0;
}

static double inverse_root(double w)
{
    return w > 0 ? 1 / sqrt(w) : 0;
}

/* Bures: the trace of S + T - 2 R, R = (S^1/2 T S^1/2)^1/2, and its derivative in T,
 * I - S^1/2 R^-1 S^1/2. */
static double w2(const struct gan__two *t, double *gm, double *gc)
{
    const size_t d = t->d;
    double a[D * D], w[D], v[D * D], s[D * D], b[D * D], squared = 0;
    memcpy(a, t->p->cov, d * d * sizeof *a);
    gan__jacobi_eigen(a, d, w, v);
    gan__spectral(w, v, d, root, s);
    gan__matrix_product(s, t->q->cov, d, b);
    gan__matrix_product(b, s, d, a);
    gan__jacobi_eigen(a, d, w, v);
    for (size_t i = 0; i < d; i++) {
        squared += t->e[i] * t->e[i] + t->p->cov[i * d + i] + t->q->cov[i * d + i] - 2 * root(w[i]);
    }
    const double distance = root(squared);
    gan__spectral(w, v, d, inverse_root, a);
    gan__matrix_product(s, a, d, b);
    gan__matrix_product(b, s, d, gc);
    const double factor = distance > 0 ? 1 / (2 * distance) : 0;
    for (size_t i = 0; i < d * d; i++) {
        gc[i] = factor * ((i % (d + 1) == 0 ? 1 : 0) - gc[i]);
    }
    for (size_t i = 0; i < d; i++) {
        gm[i] = 2 * factor * t->e[i];
    }
    return distance;
}

static gan__gaussian_fn *const closed[GAN_DIVERGENCES] = {
    [GAN_KL] = kl,
    [GAN_REVERSE_KL] = reverse_kl,
    [GAN_HELLINGER] = hellinger,
    [GAN_BHATTACHARYYA] = bhattacharyya,
    [GAN_PEARSON] = pearson,
    [GAN_NEYMAN] = neyman,
    [GAN_MAHALANOBIS] = mahalanobis,
    [GAN_W2] = w2,
};

static gan_status check_gaussian(const char *name, const struct gan_gaussian *g, double *inverse,
                                 double *log_det, gan_err *err)
{
    const size_t d = g->d;
    if (d == 0 || d > D) {
        return gan__fail(err, GAN_E_RANGE, "%s has dimension %zu: 1 .. %d", name, d, D);
    }
    for (size_t i = 0; i < d * d; i++) {
        const double a = g->cov[i], b = g->cov[(i % d) * d + i / d];
        if (!isfinite(a) || !isfinite(g->mean[i % d]) ||
            !(fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)))) {
            return gan__fail(err, GAN_E_RANGE,
                             "%s: covariance [%zu,%zu] is %g and its mirror image %g: finite and "
                             "symmetric",
                             name, i / d, i % d, a, b);
        }
    }
    if (!gan__invert_spd(g->cov, d, inverse, log_det)) {
        return gan__fail(err, GAN_E_RANGE, "%s: the covariance is not positive definite", name);
    }
    return GAN_OK;
}

gan_status gan__two_gaussians(struct gan__two *t, const struct gan_gaussian *p,
                              const struct gan_gaussian *q, gan_err *err)
{
    if (p->d != q->d) {
        return gan__fail(err, GAN_E_SHAPE, "p has dimension %zu, q %zu", p->d, q->d);
    }
    t->p = p;
    t->q = q;
    t->d = p->d;
    GAN_TRY(check_gaussian("p", p, t->inverse_p, &t->log_det_p, err));
    GAN_TRY(check_gaussian("q", q, t->inverse_q, &t->log_det_q, err));
    for (size_t i = 0; i < t->d; i++) {
        t->e[i] = q->mean[i] - p->mean[i];
    }
    return GAN_OK;
}

gan_status gan_divergence_gaussian(gan_divergence kind, const struct gan_gaussian *p,
                                   const struct gan_gaussian *q, double *value, double *grad_mean,
                                   double *grad_cov, gan_err *err)
{
    struct gan__two t;
    double mean[D], cov[D * D];
    GAN_TRY(gan__two_gaussians(&t, p, q, err));
    double *gm = grad_mean != NULL ? grad_mean : mean, *gc = grad_cov != NULL ? grad_cov : cov;
    if ((unsigned)kind < GAN_DIVERGENCES && closed[kind] != NULL) {
        *value = closed[kind](&t, gm, gc);
        return GAN_OK;
    }
    return gan__gaussian_line(kind, &t, value, gm, grad_cov, err);
}

gan_status gan_mmd_squared_gaussian(double s, const struct gan_gaussian *p,
                                    const struct gan_gaussian *q, double *value, double *grad_mean,
                                    gan_err *err)
{
    struct gan__two t;
    double inverse[D * D], log_det, mean[3] = {0};
    const double weight[3][2] = {{2, 0}, {0, 2}, {1, 1}}; /* covariance of x-x', y-y', x-y */
    GAN_TRY(gan__two_gaussians(&t, p, q, err));
    if (!(s > 0) || !isfinite(s)) {
        return gan__fail(err, GAN_E_RANGE, "a kernel's width is %g: positive and finite", s);
    }
    const size_t d = t.d;
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < d * d; i++) {
            inverse[i] = weight[k][0] * p->cov[i] + weight[k][1] * q->cov[i] +
                         (i % (d + 1) == 0 ? s * s : 0);
        }
        (void)gan__invert_spd(inverse, d, inverse, &log_det);
        const double form = k == 2 ? gan__quadratic_form(inverse, t.e, d) : 0;
        mean[k] = exp((double)d * log(s) - log_det / 2 - form / 2);
    }
    *value = mean[0] + mean[1] - 2 * mean[2];
    if (grad_mean != NULL) {
        gan__matrix_vector(inverse, t.e, d, grad_mean);
        scale(grad_mean, d, 2 * mean[2]);
    }
    return GAN_OK;
}
