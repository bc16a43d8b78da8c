/* test_divergence_density.c: divergences of samples through densities: closed forms, counting by
 * hand, f64 differences. */
#include <gan/divergence.h>

#include "base/philox.h"
#include "support/close.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

enum { N = 1500, FEW = 6, FEWER = 5, D = 2 };

static void draw(struct gan__rng *rng, double *x, size_t n, double mean, double deviation)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = mean + deviation * gan__rng_normal(rng);
    }
}

/* N(0,1) and N(.7,1). Scott's kernels have deviation 0.23: densities 1.03 times as wide, divergences
 * smaller by 5%; 1500 points have a noise of about 4%. chi^2 is carried by the tail, which smoothing
 * makes heavier: smaller by a quarter. */
static void test_closed_forms(void **state)
{
    (void)state;
    double x[N], y[N];
    const double mean[2] = {0, 0.7}, cov[2] = {1, 1};
    const struct gan_gaussian p = {1, &mean[0], &cov[0]}, q = {1, &mean[1], &cov[1]};
    const struct gan_points from_p = {N, 1, x}, from_q = {N, 1, y};
    struct gan__rng rng;
    gan__rng_init(&rng, 11);
    draw(&rng, x, N, 0, 1);
    draw(&rng, y, N, 0.7, 1);
    for (int k = 0; k < GAN_MAHALANOBIS; k++) {
        const gan_divergence kind = (gan_divergence)k;
        double want, smoothed, counted;
        assert_int_equal(gan_divergence_gaussian(kind, &p, &q, &want, NULL, NULL, NULL), GAN_OK);
        assert_int_equal(gan_divergence_smoothed(kind, &from_p, &from_q, 0, &smoothed, NULL, NULL),
                         GAN_OK);
        const bool square = kind == GAN_PEARSON || kind == GAN_NEYMAN;
        assert_close(smoothed / want, 1, square ? 0.35 : 0.15);
        /* empty cells make KL and chi^2 infinite or not at all what they are */
        if (kind == GAN_JS || kind == GAN_TV || kind == GAN_HELLINGER) {
            assert_int_equal(gan_divergence_histogram(kind, &from_p, &from_q, 20, &counted, NULL),
                             GAN_OK);
            assert_close(counted / want, 1, 0.15);
        }
    }
}

/* The wider the kernels, the more alike the samples look. */
static void test_bandwidth(void **state)
{
    (void)state;
    double x[N], y[N], last = (double)INFINITY;
    const struct gan_points p = {N, 1, x}, q = {N, 1, y};
    struct gan__rng rng;
    gan__rng_init(&rng, 12);
    draw(&rng, x, N, 0, 1);
    draw(&rng, y, N, 1, 1);
    for (double h = 0.1; h < 4; h *= 2) {
        double value;
        assert_int_equal(gan_divergence_smoothed(GAN_JS, &p, &q, h, &value, NULL, NULL), GAN_OK);
        assert_true(value < last && value > 0);
        last = value;
    }
}

/* Densities that underflow everywhere: only logs of them are left. */
static void test_far_apart(void **state)
{
    (void)state;
    const double x[] = {0, 0.1, 0.2}, y[] = {1000, 1000.1, 1000.2};
    const struct gan_points p = {3, 1, x}, q = {3, 1, y};
    double value, grad[3];
    assert_int_equal(gan_divergence_smoothed(GAN_JS, &p, &q, 0.5, &value, grad, NULL), GAN_OK);
    assert_close(value, log(2), 1e-15);
    for (int i = 0; i < 3; i++) {
        assert_close(grad[i], 0, 1e-15); /* JS has no slope there */
    }
    assert_int_equal(gan_divergence_smoothed(GAN_TV, &p, &q, 0.5, &value, NULL, NULL), GAN_OK);
    assert_close(value, 1, 1e-15);
    /* the mean log ratio at p's points, h^2 = 1/4, with kernels of the nearest point leading */
    assert_int_equal(gan_divergence_smoothed(GAN_KL, &p, &q, 0.5, &value, NULL, NULL), GAN_OK);
    assert_close(value / (1000.0 * 1000 * 2), 1, 1e-3);
}

/* Central differences with h = 1e-5 err by about 1e-9 of values of order 1. TV has a corner where
 * both densities are equal, which no point here meets. */
static void test_gradients(void **state)
{
    (void)state;
    double x[FEW * D], y[FEWER * D], grad[FEWER * D];
    const struct gan_points p = {FEW, D, x}, q = {FEWER, D, y};
    const double h = 1e-5;
    struct gan__rng rng;
    gan__rng_init(&rng, 13);
    draw(&rng, x, FEW * D, 0, 1);
    draw(&rng, y, FEWER * D, 0.4, 0.8);
    for (int k = 0; k < GAN_MAHALANOBIS; k++) {
        const gan_divergence kind = (gan_divergence)k;
        double value, up, down;
        assert_int_equal(gan_divergence_smoothed(kind, &p, &q, 0.8, &value, grad, NULL), GAN_OK);
        for (int i = 0; i < FEWER * D; i++) {
            const double at = y[i];
            y[i] = at + h;
            assert_int_equal(gan_divergence_smoothed(kind, &p, &q, 0.8, &up, NULL, NULL), GAN_OK);
            y[i] = at - h;
            assert_int_equal(gan_divergence_smoothed(kind, &p, &q, 0.8, &down, NULL, NULL), GAN_OK);
            y[i] = at;
            assert_close(grad[i], (up - down) / (2 * h), 1e-7);
        }
    }
}

/* Cells (2/3, 1/3) and (1/4, 3/4); then one cell, in which all are equal. */
static void test_histogram(void **state)
{
    (void)state;
    const double x[] = {0, 0.4, 1}, y[] = {0.1, 0.6, 0.9, 0.5};
    const double mass_p[] = {2.0 / 3, 1.0 / 3}, mass_q[] = {0.25, 0.75};
    const struct gan_points p = {3, 1, x}, q = {4, 1, y};
    for (int k = 0; k < GAN_MAHALANOBIS; k++) {
        const gan_divergence kind = (gan_divergence)k;
        double value, want;
        assert_int_equal(gan_divergence_histogram(kind, &p, &q, 2, &value, NULL), GAN_OK);
        assert_int_equal(gan_divergence_discrete(kind, mass_p, mass_q, 2, &want, NULL, NULL, NULL),
                         GAN_OK);
        assert_close(value, want, 1e-14);
        assert_int_equal(gan_divergence_histogram(kind, &p, &q, 1, &value, NULL), GAN_OK);
        assert_close(value, 0, 1e-14);
    }
    /* four corners of a square against its diagonal: masses 1/4 each, and 1/2 twice */
    const double square[] = {0, 0, 0, 1, 1, 0, 1, 1}, diagonal[] = {0, 0, 1, 1};
    double tv;
    assert_int_equal(gan_divergence_histogram(GAN_TV, &(struct gan_points){4, 2, square},
                                              &(struct gan_points){2, 2, diagonal}, 2, &tv, NULL),
                     GAN_OK);
    assert_close(tv, 0.5, 1e-15);
}

static void test_errors(void **state)
{
    (void)state;
    double value;
    gan_err err = {0};
    const double x[] = {0, 1, 2, 3, 4, 5, 6, 7}, same[] = {1, 1};
    const struct gan_points p = {4, 2, x}, wide = {2, 4, x}, one = {2, 1, same};
    err = (gan_err){0};
    assert_int_equal(gan_divergence_smoothed(GAN_W1, &p, &p, 0, &value, NULL, &err),
                     GAN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "w1"));
    err = (gan_err){0};
    assert_int_equal(gan_divergence_smoothed(GAN_KL, &p, &wide, 0, &value, NULL, &err),
                     GAN_E_SHAPE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_smoothed(GAN_KL, &p, &p, -1, &value, NULL, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "bandwidth -1"));
    err = (gan_err){0};
    assert_int_equal(gan_divergence_smoothed(GAN_KL, &one, &one, 0, &value, NULL, &err),
                     GAN_E_RANGE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_histogram(GAN_ENERGY, &p, &p, 4, &value, &err),
                     GAN_E_UNSUPPORTED);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_histogram(GAN_KL, &wide, &wide, 4, &value, &err), GAN_E_RANGE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_histogram(GAN_KL, &p, &p, 0, &value, &err), GAN_E_RANGE);
    err = (gan_err){0};
    assert_int_equal(gan_divergence_histogram(GAN_KL, &p, &p, 2000, &value, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "1048576"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms), cmocka_unit_test(test_bandwidth),
        cmocka_unit_test(test_far_apart),    cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_histogram),    cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
