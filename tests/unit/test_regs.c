/* test_regs.c: slope penalties and regularisers against their definitions, and their derivatives, which
 * are second derivatives of the critic, against central differences; their texts.
 *
 * All in f64 on `ref`. Tolerances: 1e-12 where only rounding differs. */
#include <gan/loss.h>
#include <gan/reg.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"
#include "support/scalar.h"

enum { ROWS = 4, COLUMNS = 3, CELLS = ROWS * COLUMNS };

/* --- gradient penalty ---------------------------------------------------------------------------------- */

static double wanted_slope;

/* Critic w . tanh(V x): points [ROWS,COLUMNS], V [COLUMNS,COLUMNS], w [1,COLUMNS]. */
static gan_val penalty(gan_graph *g, const gan_val *in)
{
    gan_val h = gan_tanh(g, gan_matmul(g, in[0], in[1], false, true));
    return gan_penalty_gradient(g, gan_matmul(g, h, in[2], false, true), in[0], wanted_slope);
}

/* Critic w . x: its slope is |w| everywhere. */
static gan_val linear_penalty(gan_graph *g, const gan_val *in)
{
    return gan_penalty_gradient(g, gan_matmul(g, in[0], in[1], false, true), in[0], wanted_slope);
}

static void test_penalty(void **state)
{
    (void)state;
    struct scalar q = {
        .build = penalty,
        .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(COLUMNS, COLUMNS), GAN_SHAPE(1, COLUMNS)},
        .dtype = {GAN_F64, GAN_F64, GAN_F64},
        .n = 3};
    scalar_scatter(&q);
    for (wanted_slope = 0; wanted_slope < 2; wanted_slope++) {
        double want = 0;
        for (int i = 0; i < ROWS; i++) {
            double squares = 0;
            for (int k = 0; k < COLUMNS; k++) {
                double d = 0;
                for (int j = 0; j < COLUMNS; j++) {
                    double a = 0;
                    for (int m = 0; m < COLUMNS; m++) {
                        a += q.real[1][j * COLUMNS + m] * q.real[0][i * COLUMNS + m];
                    }
                    d += q.real[2][j] * (1 - tanh(a) * tanh(a)) * q.real[1][j * COLUMNS + k];
                }
                squares += d * d;
            }
            double gap = sqrt(squares + 1e-12) - wanted_slope;
            want += gap * gap / ROWS;
        }
        assert_close(scalar_value(&q), want, 1e-12 * (1 + want));
        scalar_check_derivatives(&q);
    }
}

static void test_linear_penalty(void **state)
{
    (void)state;
    struct scalar q = {.build = linear_penalty,
                       .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(1, COLUMNS)},
                       .dtype = {GAN_F64, GAN_F64},
                       .n = 2};
    scalar_scatter(&q);
    wanted_slope = 1;
    const double w[] = {2, -1, 2};
    memcpy(q.real[1], w, sizeof w);
    assert_close(scalar_value(&q), 4, 1e-11); /* (3 - 1)^2 */
    scalar_check_derivatives(&q);
    memset(q.real[1], 0, sizeof w); /* no slope at all: value 1, derivative 0 and not NaN */
    assert_close(scalar_value(&q), 1, 3e-6);
    double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE];
    memcpy(x, q.real, sizeof x);
    gan_plan *p = scalar_compile(&q, true);
    scalar_run(p, &q, x);
    for (int i = 0; i < COLUMNS; i++) {
        assert_close(gan_tensor_get(gan_plan_output(p, 2), i), 0, 0);
    }
    gan_plan_free(p);
}

static void test_penalty_errors(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        static const gan_status codes[] = {GAN_E_NOPATH, GAN_E_SHAPE, GAN_E_RANGE};
        gan_graph *g = gan_graph_new(NULL, GAN_F64);
        gan_val x = gan_feed(g, "x", GAN_F64, GAN_SHAPE(4, 3));
        gan_val score = gan_sum(g, k == 0 ? gan_stop(g, x) : x, GAN_AXIS(k == 1 ? 0 : 1), false);
        assert_false(gan_ok(gan_penalty_gradient(g, score, x, k == 2 ? -1 : 1)));
        assert_int_equal(gan_graph_status(g, NULL), codes[k]);
        gan_graph_free(g);
    }
}

/* Points lie on the segments, one eps for a whole sample. */
static gan_val between(gan_graph *g, const gan_val *in)
{
    return gan_interpolate(g, "eps", in[0], in[1]);
}

static void test_interpolate(void **state)
{
    (void)state;
    struct scalar q = scalar_two(between, GAN_SHAPE(ROWS, COLUMNS));
    double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE];
    memcpy(x, q.real, sizeof x);
    gan_plan *p = scalar_compile(&q, false);
    scalar_run(p, &q, x);
    const double *y = gan_plan_output(p, 0)->data;
    double previous = -1;
    for (int i = 0; i < ROWS; i++) {
        const double *a = x[0] + i * COLUMNS, *b = x[1] + i * COLUMNS, *v = y + i * COLUMNS;
        double eps = (v[0] - b[0]) / (a[0] - b[0]);
        assert_true(eps > 0 && eps < 1 && fabs(eps - previous) > 1e-6);
        for (int j = 1; j < COLUMNS; j++) {
            assert_close(v[j], eps * a[j] + (1 - eps) * b[j], 1e-12);
        }
        previous = eps;
    }
    gan_plan_free(p);
}

/* --- regularisers --------------------------------------------------------------------------------- */

static const gan_val *critic_in; /* reals, fakes, V: the critic is the sum of tanh(V x) */

static gan_val critic_score(void *user, gan_val x)
{
    gan_graph *g = user;
    gan_val h = gan_tanh(g, gan_matmul(g, x, critic_in[2], false, true));
    return gan_sum(g, h, GAN_AXIS(1), true);
}

/* The same number everywhere, so that the value can be worked out. */
static gan_val critic_uniform(void *user, const char *name, gan_shape shape)
{
    (void)name;
    shape.dim[0] = ROWS;
    return gan_fill(user, 0.25, shape);
}

static const struct gan_reg *reg;

static gan_val regularise(gan_graph *g, const gan_val *in)
{
    critic_in = in;
    struct gan_reg_context c = {.g = g,
                                .real = in[0],
                                .fake = in[1],
                                .on_real = critic_score(g, in[0]),
                                .on_fake = critic_score(g, in[1]),
                                .score = critic_score,
                                .uniform = critic_uniform,
                                .user = g};
    return reg->penalty(&c, 3);
}

/* Squared slope of the critic at a point. */
static double slope_squared(const double *x, const double *v)
{
    double squares = 0, factor[COLUMNS];
    for (int j = 0; j < COLUMNS; j++) {
        double a = 0;
        for (int k = 0; k < COLUMNS; k++) {
            a += v[j * COLUMNS + k] * x[k];
        }
        factor[j] = 1 - tanh(a) * tanh(a);
    }
    for (int k = 0; k < COLUMNS; k++) {
        double d = 0;
        for (int j = 0; j < COLUMNS; j++) {
            d += factor[j] * v[j * COLUMNS + k];
        }
        squares += d * d;
    }
    return squares;
}

static double deviation(const double *x, int n)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        sum += x[i] / n;
    }
    for (int i = 0; i < n; i++) {
        squares += (x[i] - sum) * (x[i] - sum) / n;
    }
    return sqrt(squares);
}

static void test_regularisers(void **state)
{
    (void)state;
    static const char *const names[] = {"gp", "gp1", "dragan", "r1", "r2"};
    for (int kind = 0; kind < 5; kind++) {
        struct scalar q = {.build = regularise,
                           .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(ROWS, COLUMNS),
                                     GAN_SHAPE(COLUMNS, COLUMNS)},
                           .dtype = {GAN_F64, GAN_F64, GAN_F64},
                           .n = 3};
        scalar_scatter(&q);
        reg = gan_reg_find(names[kind], NULL);
        assert_non_null(reg);
        double want = 0, spread = deviation(q.real[0], CELLS);
        int steep = 0;
        for (int i = 0; i < ROWS; i++) {
            double x[COLUMNS];
            for (int k = 0; k < COLUMNS; k++) {
                double real = q.real[0][i * COLUMNS + k], fake = q.real[1][i * COLUMNS + k];
                x[k] = kind < 2    ? 0.25 * real + 0.75 * fake
                       : kind == 2 ? real + 0.25 * 0.25 * spread / 2
                       : kind == 3 ? real
                                   : fake;
            }
            double s = slope_squared(x, q.real[2]), gap = sqrt(s + 1e-12) - 1;
            steep += gap > 0;
            gap = kind == 1 ? fmax(gap, 0) : gap;
            want += (kind < 3 ? 3 * gap * gap : 1.5 * s) / ROWS;
        }
        assert_true(kind != 1 || (steep > 0 && steep < ROWS)); /* both sides are met */
        assert_close(scalar_value(&q), want, 1e-12 * (1 + want));
        scalar_check_derivatives(&q);
    }
}

static gan_val clipped(gan_graph *g, const gan_val *in)
{
    return gan_sum_all(g, gan_reg_find("clip", NULL)->limit(g, in[0], 0.5));
}

static void test_clip(void **state)
{
    (void)state;
    struct scalar q = {.build = clipped, .shape = {GAN_SHAPE(ROWS)}, .dtype = {GAN_F64}, .n = 1};
    const double w[] = {-3, 0.25, 0.5, 7};
    memcpy(q.real[0], w, sizeof w);
    assert_close(scalar_value(&q), -0.5 + 0.25 + 0.5 + 0.5, 0);
}

static gan_val decayed(gan_graph *g, const gan_val *in)
{
    const struct gan_reg_context c = {.g = g, .weights = in, .n_weights = 2};
    return gan_reg_find("l2", NULL)->penalty(&c, 0.6);
}

/* The derivative in each weight is .6 times the weight: PyTorch's weight_decay. */
static void test_l2(void **state)
{
    (void)state;
    struct scalar q = {.build = decayed,
                       .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(COLUMNS)},
                       .dtype = {GAN_F64, GAN_F64},
                       .n = 2};
    scalar_scatter(&q);
    double want = 0;
    for (int i = 0; i < CELLS + COLUMNS; i++) {
        double w = i < CELLS ? q.real[0][i] : q.real[1][i - CELLS];
        want += 0.3 * w * w;
    }
    assert_close(scalar_value(&q), want, 1e-12 * (1 + want));
    scalar_check_derivatives(&q);
}

static void test_reg_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gan_status code;
        const char *part;
    } wrong[] = {
        {"gq", GAN_E_ARG, "unknown regulariser 'gq' (did you mean gp?)"},
        {"gp:x", GAN_E_ARG, "weight is 'x'"},
        {"gp:-1", GAN_E_RANGE, "weight is -1, allowed 0 to 1000000"},
        {"clip:0", GAN_E_RANGE, "bound is 0"},
        {"gp,gp:1", GAN_E_ARG, "given twice"},
        {"sn:1", GAN_E_ARG, "sn takes no number"},
        {"clip:.01/16", GAN_E_ARG, "an interval is given, but it is no penalty"},
        {"r1/0", GAN_E_RANGE, "interval is 0"},
        {"r1/x", GAN_E_ARG, "interval is 'x'"},
        {"gp,", GAN_E_ARG, "unknown regulariser ''"},
        {"r1:1@cosin", GAN_E_ARG, "r1: unknown schedule 'cosin' (did you mean cosine?)"},
        {"r1:1@", GAN_E_ARG, "r1: unknown schedule ''"},
        {"r1:1/8@cosine:2", GAN_E_RANGE, "r1: cosine: end is 2, allowed 0 to 1"},
        {"r1:1@linear:.1,.2", GAN_E_ARG, "r1: linear takes 1 number, more are given"},
        {"r1:1@linear/8", GAN_E_ARG, "r1: unknown schedule 'linear/8'"},
        {"clip:.01@linear", GAN_E_ARG, "clip: a schedule is given, but it is no penalty"},
        {"sn@linear", GAN_E_ARG, "sn: a schedule is given, but it is no penalty"},
        {"r1:1,.5", GAN_E_ARG, "unknown regulariser '.5'"},
    };
    struct gan_regs regs;
    gan_err err = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (gan_err){0};
        assert_int_equal(gan_regs_parse(wrong[i].text, &regs, &err), wrong[i].code);
        assert_non_null(strstr(err.message, wrong[i].part));
    }
    assert_int_equal(gan_regs_parse("gp,clip:.02,r1:5/1", &regs, &err), GAN_OK);
    assert_int_equal(regs.n, 3);
    assert_string_equal(regs.term[1].kind->name, "clip");
    assert_close(regs.term[0].value, 10, 0);
    assert_close(regs.term[1].value, 0.02, 0);
    assert_close(regs.term[2].value, 5, 0);
    const char *text = "r1:.05@cosine:.1,r2:1/8@step:100,.5,gp@linear,l2@hold:.2,clip";
    assert_int_equal(gan_regs_parse(text, &regs, &err), GAN_OK);
    assert_int_equal(regs.n, 5);
    static const gan_schedule_kind kinds[] = {GAN_SCHEDULE_COSINE, GAN_SCHEDULE_STEP,
                                              GAN_SCHEDULE_LINEAR, GAN_SCHEDULE_HOLD,
                                              GAN_SCHEDULE_CONSTANT};
    static const double a[] = {0.1, 100, 0, 0.2, 0};
    for (int i = 0; i < regs.n; i++) {
        assert_int_equal(regs.term[i].schedule.kind, kinds[i]);
        assert_close(regs.term[i].schedule.a, a[i], 0);
    }
    assert_close(regs.term[1].schedule.b, 0.5, 0);
    assert_int_equal(regs.term[1].interval, 8);
    assert_int_equal(gan_regs_parse("none", &regs, &err), GAN_OK);
    assert_int_equal(regs.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regularisers),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_l2),
        cmocka_unit_test(test_reg_texts),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_linear_penalty),
        cmocka_unit_test(test_penalty_errors),
        cmocka_unit_test(test_interpolate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
