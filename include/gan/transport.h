/* transport.h: optimal transport: the least cost of carrying one distribution onto another.
 *
 *     double a[] = {0.5, 0.5}, b[] = {1}, cost[] = {1, 3};
 *     struct gan_transport t;
 *     if (gan_transport_exact(a, 2, b, 1, cost, &t, &err) == GAN_OK) {
 *         printf("%g\n", t.cost); // 2
 *     }
 *     gan_transport_release(&t);
 *
 * W_p = (least sum of plan_ij |x_i - y_j|^p)^(1/p). */
#ifndef GAN_TRANSPORT_H
#define GAN_TRANSPORT_H

#include <gan/divergence.h>
#include <gan/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most pairs of points (n times m) that exact transport takes: 4096 x 4096. */
#define GAN_TRANSPORT_PAIRS ((size_t)4096 * 4096)

/** Mass carried from place i to place j. */
struct gan_carry {
    size_t i, j;
    double mass;
};

/** A plan with its proof: sum a u + sum b v = cost and u_i + v_j <= cost_ij for all pairs. */
struct gan_transport {
    double cost;            /* sum of mass times cost over the plan */
    double dual;            /* sum a u + sum b v */
    double *u, *v;          /* [n], [m] potentials, u as large as v allows (c-transforms) */
    struct gan_carry *plan; /* at most n + m - 1 entries with mass > 0, by i, then j */
    size_t n_plan;
    int64_t pivots; /* steps of the network simplex */
};

/**
 * Exact transport by the network simplex method. Masses are rounded to multiples of 2^-60,
 * and what such rounding alone would carry (at most (n + m + 512) 2^-60) is left out of the plan.
 *
 * in:     a [n], b [m]  masses, not negative, each summing to 1 within 1e-9
 *         cost [n,m]    finite
 * owns:   *out, gan_transport_release (also after a failure)
 * errors: GAN_E_RANGE (empty support, masses, costs, more pairs than GAN_TRANSPORT_PAIRS),
 *         GAN_E_NOMEM
 * ref:    Dantzig 1951; Ahuja, Magnanti and Orlin 1993, chapter 11
 */
GAN_API gan_status gan_transport_exact(const double *a, size_t n, const double *b, size_t m,
                                       const double *cost, struct gan_transport *out, gan_err *err);

/** Frees what is in it and leaves it empty. */
GAN_API void gan_transport_release(struct gan_transport *t);

/** Options of Sinkhorn's method; zero-initialise. */
struct gan_sinkhorn {
    double reg;        /* weight of the entropy, in units of the cost [0.05 of the mean cost] */
    double tolerance;  /* of the marginals, summed absolute error [1e-9] */
    int64_t max_steps; /* [10000] */
    double *plan;      /* [n,m] to be filled, or NULL */
};

/** What Sinkhorn's method found. u, v as in struct gan_transport, of the regularised problem. */
struct gan_sinkhorn_result {
    double cost;  /* sum of plan times cost: at least the exact cost */
    double value; /* cost + reg * KL(plan || a b): the minimum of the regularised problem */
    double error; /* of the marginals */
    int64_t steps;
    double *u, *v; /* [n], [m]; owned */
};

/**
 * Entropic transport: least sum of plan * cost + reg * KL(plan || a b), in the log domain.
 *
 * in:     as gan_transport_exact, any number of pairs; opts may be NULL
 * owns:   *out, gan_sinkhorn_release (also after a failure)
 * errors: GAN_E_RANGE as gan_transport_exact, reg <= 0; GAN_E_DIVERGED (the marginals are not met
 *         after max_steps: says how far they are); GAN_E_NOMEM
 * ref:    Cuturi 2013, arXiv:1306.0895; Peyre and Cuturi 2019, section 4.4
 */
GAN_API gan_status gan_transport_sinkhorn(const double *a, size_t n, const double *b, size_t m,
                                          const double *cost, const struct gan_sinkhorn *opts,
                                          struct gan_sinkhorn_result *out, gan_err *err);

/** Frees what is in it. */
GAN_API void gan_sinkhorn_release(struct gan_sinkhorn_result *r);

/**
 * |x_i - y_j|^order for all pairs.
 *
 * out:    cost [x.n,y.n]
 * errors: GAN_E_SHAPE (dimensions differ), GAN_E_RANGE (no points, order <= 0, not finite)
 */
GAN_API gan_status gan_transport_cost(const struct gan_points *x, const struct gan_points *y,
                                      double order, double *cost, gan_err *err);

/**
 * W_order on the line, by sorting.
 *
 * in:     a [n], b [m]  masses, or NULL for equal ones; order >= 1
 * out:    value; grad_y [m] or NULL: derivative in the places y
 * errors: GAN_E_RANGE, GAN_E_NOMEM
 * ref:    Villani 2003, theorem 2.18
 */
GAN_API gan_status gan_transport_line(const double *x, const double *a, size_t n, const double *y,
                                      const double *b, size_t m, double order, double *value,
                                      double *grad_y, gan_err *err);

/**
 * The c-transform of v: u_i = min over j of cost_ij - v_j: the largest u with u_i + v_j <= cost_ij.
 *
 * in:     cost [n,m], v [m]
 * out:    u [n]
 */
GAN_API void gan_c_transform(const double *cost, size_t n, size_t m, const double *v, double *u);

#ifdef __cplusplus
}
#endif
#endif
