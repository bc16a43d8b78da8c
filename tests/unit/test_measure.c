/* test_measure.c: modes of mixtures, sliced distances, rank correlation, against hand-made sets. */
#include <gan/data.h>
#include <gan/measure.h>

#include "support/close.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

enum { POINTS = 4000 };

/* Every mode of a set holds points of the data that its centres were read from. */
static void test_data_hits_all_modes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec;
        int modes;
    } cases[] = {{"ring8", "toy:ring8", 8},
                 {"grid25", "toy:grid25", 25},
                 {"8gaussians", "toy:8gaussians", 8},
                 {"25gaussians", "toy:25gaussians", 25}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gan_mode_set set;
        struct gan_mode_count m;
        gan_dataset *data = NULL;
        gan_loader *loader = NULL;
        const struct gan_batch *b = NULL;
        struct gan_loader_cfg cfg = {
            .batch = POINTS, .seed = 3, .height = 1, .width = 1, .channels = 2, .threads = 1};
        assert_int_equal(gan_toy_modes(cases[i].name, &set, NULL), GAN_OK);
        assert_int_equal(set.modes, cases[i].modes);
        assert_int_equal(gan_dataset_open(cases[i].spec, &data, NULL), GAN_OK);
        assert_int_equal(gan_loader_new(data, &cfg, &loader, NULL), GAN_OK);
        assert_int_equal(gan_loader_next(loader, &b, NULL), GAN_OK);
        assert_int_equal(gan_count_modes(&set, b->images, POINTS, &m, NULL), GAN_OK);
        assert_int_equal(m.modes, cases[i].modes);
        /* Within 3 deviations in the plane: 1 - exp(-4.5) = .98889, sampling error .0017. */
        assert_close(m.high_quality, 1 - exp(-4.5), 5 * 0.0017);
        /* KL of a histogram of n over K is about (K - 1)/(2 n), 5 of its deviations on top. */
        double k = cases[i].modes - 1;
        assert_true(m.reverse_kl >= 0 && m.reverse_kl < (k + 5 * sqrt(2 * k)) / (2.0 * POINTS));
        gan_loader_free(loader);
        gan_dataset_close(data);
    }
}

static void test_one_mode(void **state)
{
    (void)state;
    struct gan_mode_set set;
    struct gan_mode_count m;
    assert_int_equal(gan_toy_modes("ring8", &set, NULL), GAN_OK);
    const float xy[] = {1, 0, 1.02f, 0, 1.04f, 0, 5, 5}; /* at 0, 2, 4 deviations; far */
    assert_int_equal(gan_count_modes(&set, xy, 4, &m, NULL), GAN_OK);
    assert_int_equal(m.modes, 1);
    assert_close(m.high_quality, 0.5, 1e-15);
    assert_close(m.reverse_kl, log(8), 1e-12);
}

static void test_mode_errors(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan_mode_set set;
    struct gan_mode_count m;
    assert_int_equal(gan_toy_modes("swissroll", &set, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "swissroll"));
    assert_int_equal(gan_toy_modes("ring8", &set, NULL), GAN_OK);
    const float bad[] = {1, 0, (float)NAN, 0};
    err = (gan_err){0};
    assert_int_equal(gan_count_modes(&set, bad, 2, &m, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "sample 1"));
    assert_int_equal(gan_count_modes(&set, bad, 0, &m, &err), GAN_E_RANGE);
    const float far[] = {9, 9};
    assert_int_equal(gan_count_modes(&set, far, 1, &m, &err), GAN_OK);
    assert_true(isnan(m.reverse_kl) && m.modes == 0);
}

/* A shift by v is |v| times the mean |cos| of a direction, 2/pi in the plane; in one dimension |v|. */
static void test_sliced(void **state)
{
    (void)state;
    float x[200], y[200], line[50], moved[50];
    for (int i = 0; i < 200; i++) {
        x[i] = (float)((i * 37) % 101) / 101.0f;
        y[i] = x[i] + (i % 2 == 0 ? 3.0f : 4.0f);
    }
    assert_close(gan_sliced_wasserstein(x, x, 100, 2, 64, 1, NULL), 0, 0);
    /* 400 directions: the mean of |cos| has deviation .31/sqrt(400) = .016 */
    assert_close(gan_sliced_wasserstein(x, y, 100, 2, 400, 1, NULL), 5 * 2 / 3.14159265358979,
                 5 * 5 * 0.016);
    for (int i = 0; i < 50; i++) {
        line[i] = (float)i;
        moved[49 - i] = (float)i + 0.5f;
    }
    assert_close(gan_sliced_wasserstein(line, moved, 50, 1, 3, 9, NULL), 0.5, 1e-12);
    gan_err err = {0};
    assert_true(isnan(gan_sliced_wasserstein(x, y, 0, 2, 1, 1, &err)));
    assert_int_equal(err.code, GAN_E_RANGE);
}

static void test_rank(void **state)
{
    (void)state;
    const double up[] = {1, 2, 3, 4, 5}, cubes[] = {1, 8, 27, 64, 125}, down[] = {5, 4, 3, 2, 1};
    const double ties[] = {1, 1, 2, 2, 3}, other[] = {2, 1, 3, 5, 4}, flat[] = {7, 7, 7, 7, 7};
    assert_close(gan_rank_correlation(up, cubes, 5, NULL), 1, 1e-15);
    assert_close(gan_rank_correlation(up, down, 5, NULL), -1, 1e-15);
    /* Ranks .5 .5 2.5 2.5 4 against 1 0 2 4 3: 7.5 / sqrt(9 * 10), by hand. */
    assert_close(gan_rank_correlation(ties, other, 5, NULL), 7.5 / sqrt(90), 1e-12);
    assert_true(isnan(gan_rank_correlation(up, flat, 5, NULL)));
    assert_true(isnan(gan_rank_correlation(up, down, 1, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_hits_all_modes),
        cmocka_unit_test(test_one_mode),
        cmocka_unit_test(test_mode_errors),
        cmocka_unit_test(test_sliced),
        cmocka_unit_test(test_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
