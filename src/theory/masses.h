/* masses.h: checks of what divergences and transport are given. */
#ifndef GAN_THEORY_MASSES_H
#define GAN_THEORY_MASSES_H

#include <gan/divergence.h>

/* errors: GAN_E_RANGE: no places, a mass that is negative or not finite, a sum that is not 1. */
gan_status gan__check_masses(const char *name, const double *p, size_t n, gan_err *err);

/* errors: GAN_E_SHAPE (dimensions), GAN_E_RANGE (fewer than `least` points, not finite). */
gan_status gan__check_points(const struct gan_points *p, const struct gan_points *q, size_t least,
                             gan_err *err);

/* errors: GAN_E_RANGE: more than GAN_TRANSPORT_PAIRS. */
gan_status gan__check_pairs(size_t n, size_t m, gan_err *err);

/* Costs [n,m] must be finite; the largest absolute one. errors: GAN_E_RANGE. */
gan_status gan__check_costs(const double *cost, size_t n, size_t m, double *most, gan_err *err);

/* A divergence is a function of the sum of terms f(p,q), one for each place. */
struct gan__term {
    double f, dp, dq; /* with its derivatives */
};

/* Has the divergence such terms? */
int gan__divergence_has_terms(gan_divergence kind);
struct gan__term gan__divergence_term(gan_divergence kind, double p, double q);

/* The divergence of a sum of terms; gap: sum of (sqrt p - sqrt q)^2 / 2. factor: the derivative by
 * the sum. */
double gan__divergence_of_sum(gan_divergence kind, double sum, double gap, double *factor);

#endif
