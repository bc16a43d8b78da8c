/* gaussian.h: two Gaussians, checked, with what every formula about them needs. */
#ifndef GAN_THEORY_GAUSSIAN_H
#define GAN_THEORY_GAUSSIAN_H

#include <gan/divergence.h>

struct gan__two {
    const struct gan_gaussian *p, *q;
    size_t d;
    double e[GAN_GAUSSIAN_MAX]; /* mean of q minus mean of p */
    double inverse_p[GAN_GAUSSIAN_MAX * GAN_GAUSSIAN_MAX];
    double inverse_q[GAN_GAUSSIAN_MAX * GAN_GAUSSIAN_MAX];
    double log_det_p, log_det_q;
};

gan_status gan__two_gaussians(struct gan__two *t, const struct gan_gaussian *p,
                              const struct gan_gaussian *q, gan_err *err);

/* The value; gm [d], gc [d,d] are always there. */
typedef double gan__gaussian_fn(const struct gan__two *t, double *gm, double *gc);

/* JS, TV, energy, W1: on the line. gc may be NULL. */
gan_status gan__gaussian_line(gan_divergence kind, const struct gan__two *t, double *value,
                              double *gm, double *gc, gan_err *err);

/* Integral of f over [a,b] by composite Gauss-Legendre quadrature of `panels` panels of 8 points. */
double gan__integrate(double (*f)(double x, const void *ctx), const void *ctx, double a, double b,
                      int panels);

/* Density and distribution function of the normal distribution. */
double gan__normal_density(double x, double mean, double deviation);
double gan__normal_below(double x, double mean, double deviation);

#endif
