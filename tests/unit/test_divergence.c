/* test_divergence.c: divergences against closed forms, quadrature and f64 differences. */
#include <gan/divergence.h>
#include <gan/transport.h>

#include "base/philox.h"
#include "support/close.h"
#include "theory/gaussian.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

enum { N = 5, BINS = 20000 };

/* --- discrete ----------------------------------------------------------------------------------- */

/* Of (1/2, 1/2, 0) and (1/4, 1/4, 1/2), by hand. */
static void test_discrete_values(void **state)
{
    (void)state;
    const double p[] = {0.5, 0.5, 0}, q[] = {0.25, 0.25, 0.5};
    const double want[] = {
        log(2),                                                 /* log(1/2 / 1/4) */
        (double)INFINITY,                                       /* q has mass where p has none */
        (log(4.0 / 3) + 0.5 * log(2.0 / 3) + 0.5 * log(2)) / 2, /* m = 3/8, 3/8, 1/4 */
        0.5,
        sqrt(1 - sqrt(0.5)),
        -log(sqrt(0.5)),
        0.25 + 0.25 + 0.5, /* (1/4)^2 / (1/4) twice, (1/2)^2/(1/2) */
        (double)INFINITY,
    };
    for (int k = 0; k < GAN_MAHALANOBIS; k++) {
        double value;
        assert_int_equal(
            gan_divergence_discrete((gan_divergence)k, p, q, 3, &value, NULL, NULL, NULL), GAN_OK);
        assert_close(value, want[k], 1e-15);
        assert_int_equal(
            gan_divergence_discrete((gan_divergence)k, p, p, 3, &value, NULL, NULL, NULL), GAN_OK);
        assert_close(value, 0, 1e-15);
    }
}

/* Mass moved from place j to place i: central differences with h = 1e-5 err by about 1e-9. */
static void test_discrete_gradients(void **state)
{
    (void)state;
    const double p[N] = {0.1, 0.3, 0.2, 0.25, 0.15};
    double q[N] = {0.3, 0.1, 0.25, 0.15, 0.2}, gp[N], gq[N], back[N];
    const double h = 1e-5;
    for (int k = 0; k < GAN_MAHALANOBIS; k++) {
        const gan_divergence kind = (gan_divergence)k;
        double value, up, down;
        assert_int_equal(gan_divergence_discrete(kind, p, q, N, &value, gp, gq, NULL), GAN_OK);
        for (int i = 1; i < N; i++) {
            q[i] += h;
            q[0] -= h;
            assert_int_equal(gan_divergence_discrete(kind, p, q, N, &up, NULL, NULL, NULL), GAN_OK);
            q[i] -= 2 * h;
            q[0] += 2 * h;
            assert_int_equal(gan_divergence_discrete(kind, p, q, N, &down, NULL, NULL, NULL),
                             GAN_OK);
            q[i] += h;
            q[0] -= h;
            assert_close(gq[i] - gq[0], (up - down) / (2 * h), 1e-7);
        }
        /* the mirrored divergence's gradient in q is this one's in p */
        static const gan_divergence mirror[] = {GAN_REVERSE_KL, GAN_KL,        GAN_JS,
                                                GAN_TV,         GAN_HELLINGER, GAN_BHATTACHARYYA,
                                                GAN_NEYMAN,     GAN_PEARSON};
        assert_int_equal(gan_divergence_discrete(mirror[k], q, p, N, &up, NULL, back, NULL),
                         GAN_OK);
        assert_close(up, value, 1e-14);
        for (int i = 0; i < N; i++) {
            assert_close(gp[i], back[i], 1e-13);
        }
    }
}

/* --- Gaussians ---------------------------------------------------------------------------------- */

/* Two Gaussians on the line, cut into fine cells: every divergence of the table by quadrature. The
 * error of the midpoint rule is below 1e-6 at this width. */
static void test_gaussian_quadrature(void **state)
{
    (void)state;
    static double p[BINS], q[BINS];
    const double mean[2] = {0.3, -0.4}, var[2] = {0.8, 1.1}, low = -12, high = 12;
    double sum[2] = {0, 0};
    for (int i = 0; i < BINS; i++) {
        const double x = low + (high - low) * (i + 0.5) / BINS;
        sum[0] += p[i] = gan__normal_density(x, mean[0], sqrt(var[0]));
        sum[1] += q[i] = gan__normal_density(x, mean[1], sqrt(var[1]));
    }
    for (int i = 0; i < BINS; i++) {
        p[i] /= sum[0];
        q[i] /= sum[1];
    }
    const struct gan_gaussian a = {1, &mean[0], &var[0]}, b = {1, &mean[1], &var[1]};
    for (int k = 0; k < GAN_MAHALANOBIS; k++) {
        double cells, closed;
        const gan_divergence kind = (gan_divergence)k;
        assert_int_equal(gan_divergence_discrete(kind, p, q, BINS, &cells, NULL, NULL, NULL),
                         GAN_OK);
        assert_int_equal(gan_divergence_gaussian(kind, &a, &b, &closed, NULL, NULL, NULL), GAN_OK);
        assert_close(closed, cells, 1e-6);
    }
    for (int order = 1; order <= 2; order++) { /* transport of the cells themselves */
        static double x[BINS];
        double cells, closed;
        for (int i = 0; i < BINS; i++) {
            x[i] = low + (high - low) * (i + 0.5) / BINS;
        }
        assert_int_equal(gan_transport_line(x, p, BINS, x, q, BINS, order, &cells, NULL, NULL),
                         GAN_OK);
        assert_int_equal(gan_divergence_gaussian(order == 1 ? GAN_W1 : GAN_W2, &a, &b, &closed,
                                                 NULL, NULL, NULL),
                         GAN_OK);
        assert_close(closed, cells, 1e-6);
    }
    double energy, integral = 0, below[2] = {0, 0}; /* 2 integral of (F - G)^2 (Szekely 2003) */
    for (int i = 0; i < BINS; i++) {
        const double at = (below[0] - below[1]) + (p[i] - q[i]) / 2;
        integral += 2 * at * at * (high - low) / BINS;
        below[0] += p[i];
        below[1] += q[i];
    }
    assert_int_equal(gan_divergence_gaussian(GAN_ENERGY, &a, &b, &energy, NULL, NULL, NULL),
                     GAN_OK);
    assert_close(energy, integral, 1e-6);
}

/* Derivatives in q by central differences (h = 1e-5: relative error about 1e-9), in d dimensions. */
static void check_gaussian_gradient(gan_divergence kind, size_t d, bool cov)
{
    const double mean_p[] = {0.3, -0.2, 0.5}, h = 1e-5;
    const double cov_p[2][9] = {{1.2}, {1.2, 0.2, 0.1, 0.2, 0.9, -0.1, 0.1, -0.1, 1.4}};
    double mean[] = {-0.4, 0.6, 0.1}, up, down, value, gm[3], gc[9];
    double cov_q[2][9] = {{1.5}, {1.5, 0.1, 0.1, 0.1, 1.1, 0, 0.1, 0, 1.3}};
    double *c = cov_q[d > 1];
    if (d > 1 && !cov) {
        memcpy(c, cov_p[1], sizeof cov_p[1]); /* JS and TV want equal covariances */
    }
    const struct gan_gaussian p = {d, mean_p, cov_p[d > 1]}, q = {d, mean, c};
    assert_int_equal(gan_divergence_gaussian(kind, &p, &q, &value, gm, cov ? gc : NULL, NULL),
                     GAN_OK);
    for (size_t i = 0; i < d; i++) {
        mean[i] += h;
        assert_int_equal(gan_divergence_gaussian(kind, &p, &q, &up, NULL, NULL, NULL), GAN_OK);
        mean[i] -= 2 * h;
        assert_int_equal(gan_divergence_gaussian(kind, &p, &q, &down, NULL, NULL, NULL), GAN_OK);
        mean[i] += h;
        assert_close(gm[i], (up - down) / (2 * h), 2e-8 * (1 + fabs(gm[i])));
    }
    for (size_t k = 0; cov && k < d * d; k++) {
        const size_t mirror = k % d * d + k / d;
        const double both = mirror == k ? 1 : 2, at = c[k];
        c[k] = c[mirror] = at + h;
        assert_int_equal(gan_divergence_gaussian(kind, &p, &q, &up, NULL, NULL, NULL), GAN_OK);
        c[k] = c[mirror] = at - h;
        assert_int_equal(gan_divergence_gaussian(kind, &p, &q, &down, NULL, NULL, NULL), GAN_OK);
        c[k] = c[mirror] = at;
        assert_close(both * gc[k], (up - down) / (2 * h), 2e-8 * (1 + fabs(gc[k])));
    }
}

static void test_gaussian_gradients(void **state)
{
    (void)state;
    for (int k = 0; k < GAN_DIVERGENCES; k++) {
        const gan_divergence kind = (gan_divergence)k;
        check_gaussian_gradient(kind, 1, true);
        if (kind == GAN_JS || kind == GAN_TV) {
            check_gaussian_gradient(kind, 3, false);
        } else if (kind != GAN_ENERGY && kind != GAN_W1) {
            check_gaussian_gradient(kind, 3, true);
        }
    }
}

/* Commuting covariances: W2^2 = |e|^2 + sum (sqrt s - sqrt t)^2; a far mean: Mahalanobis |e|. */
static void test_gaussian_closed(void **state)
{
    (void)state;
    const double zero[2] = {0, 0}, mean[2] = {3, 4}, s[4] = {4, 0, 0, 9}, t[4] = {1, 0, 0, 25};
    const double one[4] = {1, 0, 0, 1};
    double value;
    assert_int_equal(gan_divergence_gaussian(GAN_W2, &(struct gan_gaussian){2, zero, s},
                                             &(struct gan_gaussian){2, mean, t}, &value, NULL, NULL,
                                             NULL),
                     GAN_OK);
    assert_close(value, sqrt(25 + 1 + 4), 1e-12);
    const struct gan_gaussian a = {2, zero, one}, b = {2, mean, one};
    assert_int_equal(gan_divergence_gaussian(GAN_MAHALANOBIS, &a, &b, &value, NULL, NULL, NULL),
                     GAN_OK);
    assert_close(value, 5, 1e-14);
    assert_int_equal(gan_divergence_gaussian(GAN_KL, &a, &b, &value, NULL, NULL, NULL), GAN_OK);
    assert_close(value, 12.5, 1e-13);
    assert_int_equal(gan_divergence_gaussian(GAN_TV, &a, &b, &value, NULL, NULL, NULL), GAN_OK);
    assert_close(value, erf(5 / (2 * sqrt(2))), 1e-14);
    const struct gan_gaussian wide = {2, zero, s};
    assert_int_equal(gan_divergence_gaussian(GAN_PEARSON, &wide, &a, &value, NULL, NULL, NULL),
                     GAN_OK);
    assert_true(isinf(value)); /* 2 - 4 < 0: p/q is not square integrable */
}

/* --- samples ------------------------------------------------------------------------------------ */

enum { P = 12, Q = 9, D = 3 };

static void fill(double *x, int n, uint64_t key, double shift)
{
    struct gan__rng rng;
    gan__rng_init(&rng, key);
    for (int i = 0; i < n; i++) {
        x[i] = gan__rng_normal(&rng) + shift;
    }
}

typedef gan_status distance_fn(int which, const struct gan_points *p, const struct gan_points *q,
                               double *value, double *grad);

static gan_status by_kind(int which, const struct gan_points *p, const struct gan_points *q,
                          double *value, double *grad)
{
    return gan_divergence_samples((gan_divergence)which, p, q, value, grad, NULL);
}

static gan_status by_kernel(int which, const struct gan_points *p, const struct gan_points *q,
                            double *value, double *grad)
{
    return gan_mmd_squared((gan_kernel)(which / 2), which % 2, p, q, value, grad, NULL);
}

static void check_sample_gradient(distance_fn *f, int which)
{
    double x[P * D], y[Q * D], grad[Q * D], value, up, down;
    const double h = 1e-5;
    fill(x, P * D, 1, 0);
    fill(y, Q * D, 2, 0.7);
    const struct gan_points p = {P, D, x}, q = {Q, D, y};
    assert_int_equal(f(which, &p, &q, &value, grad), GAN_OK);
    for (int i = 0; i < Q * D; i++) {
        const double at = y[i];
        y[i] = at + h;
        assert_int_equal(f(which, &p, &q, &up, NULL), GAN_OK);
        y[i] = at - h;
        assert_int_equal(f(which, &p, &q, &down, NULL), GAN_OK);
        y[i] = at;
        assert_close(grad[i], (up - down) / (2 * h), 1e-7);
    }
}

static void test_sample_gradients(void **state)
{
    (void)state;
    check_sample_gradient(by_kind, GAN_ENERGY);
    check_sample_gradient(by_kind, GAN_W1);
    check_sample_gradient(by_kind, GAN_W2);
    check_sample_gradient(by_kind, GAN_MAHALANOBIS);
    for (int which = 0; which < 8; which++) {
        check_sample_gradient(by_kernel, which);
    }
}

/* The energy distance is the MMD of the distance kernel; large samples near the Gaussians' values
 * (standard error about 1/sqrt(n) = 0.03, five of them). */
static void test_sample_values(void **state)
{
    (void)state;
    enum { M = 1000 };
    static double x[M], y[M];
    const double zero = 0, one = 1, shift = 0.8;
    double energy, mmd, value, want;
    fill(x, M, 3, 0);
    fill(y, M, 4, shift);
    const struct gan_points p = {M, 1, x}, q = {M, 1, y};
    assert_int_equal(gan_divergence_samples(GAN_ENERGY, &p, &q, &energy, NULL, NULL), GAN_OK);
    assert_int_equal(gan_mmd_squared(GAN_KERNEL_DISTANCE, 0, &p, &q, &mmd, NULL, NULL), GAN_OK);
    assert_close(energy, mmd, 1e-12);
    const struct gan_gaussian a = {1, &zero, &one}, b = {1, &shift, &one};
    static const gan_divergence kinds[] = {GAN_MAHALANOBIS, GAN_ENERGY, GAN_W1, GAN_W2};
    for (int k = 0; k < 4; k++) {
        assert_int_equal(gan_divergence_samples(kinds[k], &p, &q, &value, NULL, NULL), GAN_OK);
        assert_int_equal(gan_divergence_gaussian(kinds[k], &a, &b, &want, NULL, NULL, NULL),
                         GAN_OK);
        assert_close(value, want, 0.15);
    }
    want = 0; /* the rbf kernel is a sum of Gaussian ones */
    static const double sigma[] = {2, 5, 10, 20, 40, 80};
    for (int k = 0; k < 6; k++) {
        double part;
        assert_int_equal(gan_mmd_squared_gaussian(sigma[k], &a, &b, &part, NULL, NULL), GAN_OK);
        want += part;
    }
    assert_int_equal(gan_mmd_squared(GAN_KERNEL_RBF, 0, &p, &q, &value, NULL, NULL), GAN_OK);
    assert_close(value, want, 0.03);
}

/* KL from neighbours has a standard deviation of 0.083 at 1000 points: of the mean of ten 0.026, five
 * of them are 0.13. */
static void test_neighbours(void **state)
{
    (void)state;
    enum { M = 1000, RUNS = 10 };
    static double x[M], y[M];
    double mean[2] = {0, 0}, value;
    const struct gan_points p = {M, 1, x}, q = {M, 1, y};
    for (uint64_t k = 0; k < RUNS; k++) {
        fill(x, M, 2 * k, 0);
        fill(y, M, 2 * k + 1, 0.8);
        for (int i = 0; i < M; i++) {
            y[i] *= 1.3; /* N(1.04, 1.69): the two directions differ */
        }
        assert_int_equal(gan_divergence_samples(GAN_KL, &p, &q, &value, NULL, NULL), GAN_OK);
        mean[0] += value / RUNS;
        assert_int_equal(gan_divergence_samples(GAN_REVERSE_KL, &p, &q, &value, NULL, NULL),
                         GAN_OK);
        mean[1] += value / RUNS;
    }
    assert_close(mean[0], ((1 + 1.04 * 1.04) / 1.69 - 1 + log(1.69)) / 2, 0.13);
    assert_close(mean[1], (1.69 + 1.04 * 1.04 - 1 - log(1.69)) / 2, 0.13);
}

static void test_errors(void **state)
{
    (void)state;
    gan_err err = {0};
    double value;
    const double p[] = {0.5, 0.5}, off[] = {0.5, 0.4}, crooked[] = {1, 0.5, 0.1, 1};
    const double flat[] = {1, 1, 1, 1}, x[] = {0, 1, 2, (double)NAN};
    assert_int_equal(gan_divergence_discrete(GAN_KL, p, off, 2, &value, NULL, NULL, &err),
                     GAN_E_RANGE);
    assert_string_equal(err.message, "q sums to 0.9: a distribution sums to 1 within 1e-09");
    err = (gan_err){0};
    assert_int_equal(gan_divergence_discrete(GAN_KL, p, p, 0, &value, NULL, NULL, &err),
                     GAN_E_RANGE);
    assert_non_null(strstr(err.message, "empty support"));
    err = (gan_err){0};
    assert_int_equal(gan_divergence_discrete(GAN_W1, p, p, 2, &value, NULL, NULL, &err),
                     GAN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "w1"));
    const struct gan_gaussian two = {2, p, crooked}, one = {1, p, p}, sunk = {2, p, flat};
    err = (gan_err){0};
    assert_int_equal(gan_divergence_gaussian(GAN_KL, &one, &two, &value, NULL, NULL, &err),
                     GAN_E_SHAPE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_gaussian(GAN_KL, &two, &two, &value, NULL, NULL, &err),
                     GAN_E_RANGE);
    assert_non_null(strstr(err.message, "symmetric"));
    err = (gan_err){0};
    assert_int_equal(gan_divergence_gaussian(GAN_KL, &sunk, &sunk, &value, NULL, NULL, &err),
                     GAN_E_RANGE);
    assert_non_null(strstr(err.message, "positive definite"));
    const struct gan_points a = {4, 1, x}, b = {2, 2, x}, single = {1, 2, x};
    err = (gan_err){0};
    assert_int_equal(gan_divergence_samples(GAN_ENERGY, &a, &b, &value, NULL, &err), GAN_E_SHAPE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_samples(GAN_ENERGY, &a, &a, &value, NULL, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "point 3"));
    err = (gan_err){0};
    assert_int_equal(gan_divergence_samples(GAN_ENERGY, &single, &single, &value, NULL, &err),
                     GAN_E_RANGE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_samples(GAN_JS, &single, &single, &value, NULL, &err),
                     GAN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "gan_divergence_smoothed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discrete_values),
        cmocka_unit_test(test_discrete_gradients),
        cmocka_unit_test(test_gaussian_quadrature),
        cmocka_unit_test(test_gaussian_gradients),
        cmocka_unit_test(test_gaussian_closed),
        cmocka_unit_test(test_sample_gradients),
        cmocka_unit_test(test_sample_values),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
