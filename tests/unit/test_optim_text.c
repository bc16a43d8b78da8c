/* test_optim_text.c: optimisers and schedules as text, and the scalars the host feeds. */
#include <gan/loss.h>
#include <gan/optim.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"

static void test_parse(void **state)
{
    (void)state;
    struct gan_optim o;
    assert_int_equal(gan_optim_parse("adam:2e-4,.5,.999", &o, NULL), GAN_OK);
    assert_close(o.arg[0], 2e-4, 0);
    assert_close(o.arg[1], 0.5, 0);
    assert_close(o.arg[2], 0.999, 0);
    assert_close(o.arg[3], 1e-8, 0);
    assert_int_equal(o.schedule.kind, GAN_SCHEDULE_CONSTANT);
    assert_string_equal(o.text, "adam:2e-4,.5,.999");
    assert_int_equal(gan_optim_parse("sgd:.1@hold:.25", &o, NULL), GAN_OK);
    assert_int_equal(o.schedule.kind, GAN_SCHEDULE_HOLD);
    assert_close(o.schedule.a, 0.25, 0);
    assert_close(o.clip, 0, 0);
}

static void test_bad(void **state)
{
    (void)state;
    const struct {
        const char *text;
        gan_status code;
        const char *part;
    } bad[] = {
        {"adm:1e-3", GAN_E_ARG, "did you mean adam?"},
        {"rmspropp", GAN_E_ARG, "did you mean rmsprop?"},
        {"adam:1e-3,.5,.999,1e-8,0", GAN_E_ARG, "takes 4 numbers"},
        {"adam:fast", GAN_E_ARG, "learning rate is 'fast'"},
        {"adam:1e-3,1", GAN_E_RANGE, "beta1 is 1"},
        {"adam:nan", GAN_E_RANGE, "learning rate"},
        {"sgd:-1", GAN_E_RANGE, "learning rate is -1"},
        {"adam@linaer", GAN_E_ARG, "did you mean linear?"},
        {"adam@hold:2", GAN_E_RANGE, "fraction is 2"},
        {"adam@", GAN_E_ARG, "unknown schedule"},
        {"adam:1e-3,0,.9...99", GAN_E_ARG, "beta2 is 0.9..0.99, a schedule must say"},
        {"adam:1e-3,0,0.9..1@cosine", GAN_E_RANGE, "beta2 is 1, allowed 0 to"},
        {"adam:1e-3,0,0.9..@cosine", GAN_E_ARG, "beta2 is '0.9..'"},
        {"adam:1e-3,0,0.9..x@cosine", GAN_E_ARG, "beta2 is 'x'"},
        {"adam:1e-3..1e-4@cosine", GAN_E_ARG, "learning rate is 0.001..0.0001, it cannot move"},
        {"adam:1e-3,0..0.5@cosine", GAN_E_ARG, "beta1 is 0..0.5, it cannot move"},
        {"oadam:1e-3,0,0.9..0.99@cosine", GAN_E_ARG, "beta2 is 0.9..0.99, it cannot move"},
        {"", GAN_E_ARG, "unknown optimiser"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gan_optim o = {.clip = 42};
        gan_err err = {0};
        assert_int_equal(gan_optim_parse(bad[i].text, &o, &err), bad[i].code);
        if (strstr(err.message, bad[i].part) == NULL) {
            fail_msg("'%s' does not say '%s'", err.message, bad[i].part);
        }
        assert_close(o.clip, 42, 0); /* untouched on failure */
    }
}

/* Factors at the ends and in the middle, and that they never go below zero or up again. */
static void test_schedules(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double first, middle, last, after; /* updates 1, 51, 100, 1000 of a horizon of 100 */
    } cases[] = {
        {"constant", 1, 1, 1, 1},           {"linear", 1, 0.5, 0.01, 0},
        {"linear:.2", 1, 0.6, 0.208, 0.2},  {"hold", 1, 1, 0.02, 0},
        {"hold:0", 1, 0.5, 0.01, 0},        {"hold:1", 1, 1, 1, 1},
        {"step:50,.1", 1, 0.1, 0.1, 1e-19}, {"cosine", 1, 0.5, 0.000246719817, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gan_schedule s;
        assert_int_equal(gan_schedule_parse(cases[i].text, &s, NULL), GAN_OK);
        assert_close(gan_schedule_factor(&s, 1, 100), cases[i].first, 1e-12);
        assert_close(gan_schedule_factor(&s, 51, 100), cases[i].middle, 1e-12);
        assert_close(gan_schedule_factor(&s, 100, 100), cases[i].last, 1e-12);
        assert_close(gan_schedule_factor(&s, 1000, 100), cases[i].after, 1e-12);
        double previous = 1;
        for (int64_t t = 1; t <= 120; t++) {
            double f = gan_schedule_factor(&s, t, 100);
            assert_true(f >= 0 && f <= previous);
            previous = f;
        }
    }
}

/* Adam's scalars against the definition at small t, and no cancellation at large t. */
static void test_adam_scalars(void **state)
{
    (void)state;
    struct gan_optim o;
    double v[GAN_OPTIM_MAX_SCALARS];
    assert_int_equal(gan_optim_parse("adam:.001,.5,.999@linear", &o, NULL), GAN_OK);
    assert_int_equal(gan_optim_scalar_count(&o), 2);
    assert_string_equal(gan_optim_scalar_name(&o, 0), "step");
    assert_null(gan_optim_scalar_name(&o, 2));
    gan_optim_scalars(&o, 1, 10, v);
    assert_close(v[0], 0.002, 1e-17);
    assert_close(v[1], 1 / sqrt(0.001), 1e-11);
    gan_optim_scalars(&o, 6, 10, v);
    assert_close(v[0], 0.0005 / (1 - pow(0.5, 6)), 1e-17);
    assert_close(gan_optim_lr(&o, 6, 10), 0.0005, 1e-18);
    assert_int_equal(gan_optim_parse("adam:.001,0,.9", &o, NULL), GAN_OK);
    gan_optim_scalars(&o, 1000000000, 0, v);
    assert_close(v[0], 0.001, 0);
    assert_close(v[1], 1, 0);
}

/* beta2 on a cosine beside the rate: both ends, the middle, the corrections; and of a lazy update the
 * moving number has the power of c at both ends. */
static void test_moving(void **state)
{
    (void)state;
    struct gan_optim o;
    double v[GAN_OPTIM_MAX_SCALARS];
    assert_int_equal(gan_optim_parse("adam:2e-4,0,.9...99@cosine:.25", &o, NULL), GAN_OK);
    assert_int_equal(gan_optim_scalar_count(&o), 4);
    assert_string_equal(gan_optim_scalar_name(&o, 1), "root");
    assert_string_equal(gan_optim_scalar_name(&o, 2), "beta2");
    assert_string_equal(gan_optim_scalar_name(&o, 3), "rest2");
    assert_null(gan_optim_scalar_name(&o, 4));
    const struct {
        int64_t t;
        double lr, beta2;
    } at[] = {{1, 2e-4, 0.9}, {51, 1.25e-4, 0.945}, {101, 5e-5, 0.99}, {5000, 5e-5, 0.99}};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        gan_optim_scalars(&o, at[i].t, 100, v);
        assert_close(v[0], at[i].lr, 1e-17);
        assert_close(v[1], 1 / sqrt(1 - pow(at[i].beta2, (double)at[i].t)), 1e-12);
        assert_close(v[2], at[i].beta2, 1e-15);
        assert_close(v[3], 1 - at[i].beta2, 1e-15);
    }
    struct gan_optim lazy = gan_optim_more_often(&o, 0.5);
    gan_optim_scalars(&lazy, 1, 100, v);
    assert_close(v[2], sqrt(0.9), 1e-15);
    gan_optim_scalars(&lazy, 101, 100, v);
    assert_close(v[2], sqrt(0.99), 1e-15);
    assert_int_equal(gan_optim_parse("adamw:1e-3,0.9,0.9..0.5@linear", &o, NULL), GAN_OK);
    assert_int_equal(gan_optim_scalar_count(&o), 5);
    gan_optim_scalars(&o, 6, 10, v);
    assert_close(v[3], 0.7, 1e-15);
}

/* Everything in the tables can be named, and what is found is what was asked for. */
static void test_tables(void **state)
{
    (void)state;
    gan_err err = {0};
    int n = 0;
    for (; gan_optim_kind_name(n) != NULL; n++) {
        struct gan_optim o;
        assert_int_equal(gan_optim_parse(gan_optim_kind_name(n), &o, NULL), GAN_OK);
        assert_true(gan_optim_scalar_count(&o) >= 1);
        assert_non_null(gan_optim_kind_doc(n));
    }
    assert_true(n >= 6);
    for (n = 0; gan_loss_at(n) != NULL; n++) {
        assert_ptr_equal(gan_loss_find(gan_loss_at(n)->name, NULL), gan_loss_at(n));
        assert_non_null(gan_loss_at(n)->ref);
    }
    assert_true(n >= 3);
    assert_null(gan_loss_find("nonsatuating", &err));
    assert_non_null(strstr(err.message, "did you mean nonsaturating?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),     cmocka_unit_test(test_bad),
        cmocka_unit_test(test_schedules), cmocka_unit_test(test_adam_scalars),
        cmocka_unit_test(test_moving),    cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
