/* test_losses.c: values of the losses against their definitions, extremes included, and their first
 * derivatives against central differences; for the gradient penalty that is a second derivative.
 *
 * All in f64 on `ref`. Tolerances: 1e-12 where only rounding differs; central differences with step
 * 1e-5 are good to about 1e-9, 1e-7 is asked. */
#include <gan/loss.h>
#include <gan/plan.h>
#include <gan/reg.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"

enum { MAX_IN = 3, MAX_SIZE = 64 };

/* A scalar made from up to three fed tensors. */
struct problem {
    gan_val (*build)(gan_graph *g, const gan_val *in);
    gan_shape shape[MAX_IN];
    gan_dtype dtype[MAX_IN];
    int n;
    double real[MAX_IN][MAX_SIZE];
    int32_t index[MAX_SIZE]; /* of the i32 input */
};

static void evaluate(gan_plan *p, const struct problem *q, double x[MAX_IN][MAX_SIZE])
{
    static const char *const names[] = {"a", "b", "c"};
    struct gan_feed_data feeds[MAX_IN];
    int32_t index[MAX_SIZE];
    gan_err err = {0};
    memcpy(index, q->index, sizeof index);
    for (int i = 0; i < q->n; i++) {
        void *data = q->dtype[i] == GAN_I32 ? (void *)index : (void *)x[i];
        feeds[i] = (struct gan_feed_data){names[i], {q->dtype[i], q->shape[i], data}};
    }
    struct gan_run run = {.feeds = feeds, .n_feeds = (size_t)q->n};
    if (gan_plan_run(p, &run, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

/* Plan with the value and its derivatives in the real inputs. */
static gan_plan *compile(const struct problem *q, bool derivatives)
{
    static const char *const names[] = {"a", "b", "c"};
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val in[MAX_IN], out[1 + MAX_IN], wrt[MAX_IN];
    int n = 0;
    for (int i = 0; i < q->n; i++) {
        in[i] = gan_feed(g, names[i], q->dtype[i], q->shape[i]);
        if (q->dtype[i] == GAN_F64) {
            wrt[n++] = in[i];
        }
    }
    out[0] = q->build(g, in);
    if (derivatives) {
        gan_grad(g, out[0], wrt, n, out + 1);
    }
    gan_plan *p = gan_plan_new(g, out, derivatives ? 1 + n : 1,
                               &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    gan_graph_free(g);
    return p;
}

static double value_of(const struct problem *q)
{
    double x[MAX_IN][MAX_SIZE];
    memcpy(x, q->real, sizeof x);
    gan_plan *p = compile(q, false);
    evaluate(p, q, x);
    double v = gan_tensor_get(gan_plan_output(p, 0), 0);
    gan_plan_free(p);
    return v;
}

static void check_derivatives(const struct problem *q)
{
    const double h = 1e-5;
    double x[MAX_IN][MAX_SIZE], d[MAX_IN][MAX_SIZE];
    memcpy(x, q->real, sizeof x);
    gan_plan *p = compile(q, true);
    evaluate(p, q, x);
    int k = 0;
    for (int i = 0; i < q->n; i++) {
        if (q->dtype[i] == GAN_F64) {
            const gan_tensor *t = gan_plan_output(p, ++k);
            memcpy(d[i], t->data, gan_tensor_bytes(t));
        }
    }
    for (int i = 0; i < q->n; i++) {
        int64_t count = q->dtype[i] == GAN_F64 ? gan_shape_count(&q->shape[i]) : 0;
        for (int64_t j = 0; j < count; j++) {
            x[i][j] = q->real[i][j] + h;
            evaluate(p, q, x);
            double up = gan_tensor_get(gan_plan_output(p, 0), 0);
            x[i][j] = q->real[i][j] - h;
            evaluate(p, q, x);
            double down = gan_tensor_get(gan_plan_output(p, 0), 0);
            x[i][j] = q->real[i][j];
            assert_close(d[i][j], (up - down) / (2 * h), 1e-7 * (1 + fabs(d[i][j])));
        }
    }
    gan_plan_free(p);
}

/* Numbers without pattern, in (-2, 2), none near 0. */
static void scatter(struct problem *q)
{
    uint32_t u = 12345;
    for (int i = 0; i < MAX_IN; i++) {
        for (int j = 0; j < MAX_SIZE; j++) {
            u = u * 1664525u + 1013904223u;
            double v = 4.0 * (double)(u >> 8) / 16777216.0 - 2;
            q->real[i][j] = v + (v < 0 ? -0.05 : 0.05);
        }
    }
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* --- pairs ------------------------------------------------------------------------------------------- */

static const struct gan_loss *pair;
static const struct gan_loss_params *pair_params;

static gan_val pair_disc(gan_graph *g, const gan_val *in)
{
    return pair->disc(&(struct gan_loss_context){
        .g = g, .on_real = in[0], .on_fake = {in[1]}, .params = pair_params});
}

static gan_val pair_gen(gan_graph *g, const gan_val *in)
{
    return pair->gen(&(struct gan_loss_context){
        .g = g, .on_real = in[0], .on_fake = {in[1]}, .params = pair_params});
}

enum { REALS = 3, FAKES = 5 };

static struct problem scores(gan_val (*build)(gan_graph *, const gan_val *))
{
    struct problem q = {.build = build,
                        .shape = {GAN_SHAPE(REALS, 1), GAN_SHAPE(FAKES, 1)},
                        .dtype = {GAN_F64, GAN_F64},
                        .n = 2};
    scatter(&q);
    return q;
}

/* mean over n of a sp(-s) + b sp(s) + c s */
static double mean_of(const double *s, int n, double a, double b, double c)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += a * softplus(-s[i]) + b * softplus(s[i]) + c * s[i];
    }
    return sum / n;
}

/* Each loss as coefficients of sp(-s), sp(s), s: for reals and fakes of D, for fakes of G. */
static const struct pair_case {
    const char *name;
    double real[3], fake[3], gen[3];
} pairs[] = {
    {"minimax", {1, 0, 0}, {0, 1, 0}, {0, -1, 0}},
    {"nonsaturating", {1, 0, 0}, {0, 1, 0}, {1, 0, 0}},
    {"wasserstein", {0, 0, -1}, {0, 0, 1}, {0, 0, -1}},
};

static void test_pairs(void **state)
{
    (void)state;
    pair_params = NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const struct pair_case *c = &pairs[i];
        pair = gan_loss_find(c->name, NULL);
        struct problem q = scores(pair_disc);
        double want = mean_of(q.real[0], REALS, c->real[0], c->real[1], c->real[2]) +
                      mean_of(q.real[1], FAKES, c->fake[0], c->fake[1], c->fake[2]);
        assert_close(value_of(&q), want, 1e-12);
        check_derivatives(&q);
        q = scores(pair_gen);
        want = mean_of(q.real[1], FAKES, c->gen[0], c->gen[1], c->gen[2]);
        assert_close(value_of(&q), want, 1e-12);
        check_derivatives(&q);
    }
}

static double square(double s, double label)
{
    return (s - label) * (s - label) / 2;
}

static double above(double s, double direction)
{
    return fmax(0, 1 + direction * s);
}

/* Losses of a score and a number: mean over reals of f(s, a), over fakes of f(s, b); G alike. */
static void test_margins(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double (*f)(double, double);
        double real, fake, gen; /* gen NAN: the generator's loss is -mean */
    } cases[] = {
        {"lsgan", square, 1, 0, 1},
        {"lsgan-chi2", square, 1, -1, 0},
        {"hinge", above, -1, 1, (double)NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double disc = 0, gen = 0;
        pair = gan_loss_find(cases[i].name, NULL);
        assert_non_null(pair);
        struct problem q = scores(pair_disc);
        for (int k = 0; k < REALS; k++) {
            disc += cases[i].f(q.real[0][k], cases[i].real) / REALS;
        }
        for (int k = 0; k < FAKES; k++) {
            double s = q.real[1][k];
            disc += cases[i].f(s, cases[i].fake) / FAKES;
            gen += (isnan(cases[i].gen) ? -s : cases[i].f(s, cases[i].gen)) / FAKES;
        }
        assert_close(value_of(&q), disc, 1e-12);
        check_derivatives(&q);
        q = scores(pair_gen);
        assert_close(value_of(&q), gen, 1e-12);
        check_derivatives(&q);
    }
}

/* One-sided smoothing: reals towards .9. */
static void test_smoothing(void **state)
{
    (void)state;
    const struct gan_loss_params params = {.real_target = 0.9};
    pair_params = &params;
    pair = gan_loss_find("nonsaturating", NULL);
    struct problem q = scores(pair_disc);
    assert_close(value_of(&q),
                 mean_of(q.real[0], REALS, 0.9, 0.1, 0) + mean_of(q.real[1], FAKES, 0, 1, 0),
                 1e-12);
    pair_params = NULL;
}

/* Logits far out: the stable forms stay finite and exact, sp(-800) is 0, sp(800) is 800. */
static void test_extremes(void **state)
{
    (void)state;
    pair = gan_loss_find("minimax", NULL);
    struct problem q = scores(pair_disc);
    for (int i = 0; i < FAKES; i++) {
        q.real[0][i] = 800;
        q.real[1][i] = -800;
    }
    assert_close(value_of(&q), 0, 0);
    for (int i = 0; i < FAKES; i++) {
        q.real[0][i] = -800;
        q.real[1][i] = 800;
    }
    assert_close(value_of(&q), 1600, 0);
    pair = gan_loss_find("nonsaturating", NULL);
    q.build = pair_gen;
    for (int i = 0; i < FAKES; i++) {
        q.real[1][i] = 40; /* softplus(s) - s would give 0 */
    }
    assert_close(value_of(&q), exp(-40), 1e-30);
}

/* --- elementary losses ---------------------------------------------------------------------------------- */

static gan_val l1(gan_graph *g, const gan_val *in)
{
    return gan_loss_l1(g, in[0], in[1]);
}

static gan_val l2(gan_graph *g, const gan_val *in)
{
    return gan_loss_l2(g, in[0], in[1]);
}

static gan_val bce(gan_graph *g, const gan_val *in)
{
    return gan_loss_bce(g, in[0], in[1]);
}

static gan_val bce_logits_to(gan_graph *g, const gan_val *in)
{
    return gan_loss_bce_logits_to(g, in[0], in[1]);
}

static gan_val kl(gan_graph *g, const gan_val *in)
{
    return gan_kl_normal(g, in[0], in[1]);
}

static gan_val categorical(gan_graph *g, const gan_val *in)
{
    return gan_loss_cross_entropy(g, in[0], in[1]);
}

enum { ROWS = 4, COLUMNS = 3, CELLS = ROWS * COLUMNS };

static struct problem two(gan_val (*build)(gan_graph *, const gan_val *))
{
    struct problem q = {.build = build,
                        .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(ROWS, COLUMNS)},
                        .dtype = {GAN_F64, GAN_F64},
                        .n = 2};
    scatter(&q);
    return q;
}

static void test_regression(void **state)
{
    (void)state;
    struct problem a = two(l1), b = two(l2);
    double sum1 = 0, sum2 = 0;
    for (int i = 0; i < CELLS; i++) {
        double d = a.real[0][i] - a.real[1][i];
        sum1 += fabs(d) / CELLS;
        sum2 += d * d / CELLS;
    }
    assert_close(value_of(&a), sum1, 1e-12);
    assert_close(value_of(&b), sum2, 1e-12);
    check_derivatives(&a);
    check_derivatives(&b);
}

static void test_bce(void **state)
{
    (void)state;
    struct problem p = two(bce), s = two(bce_logits_to);
    double want = 0;
    for (int i = 0; i < CELLS; i++) {
        double t = 0.5 + 0.2 * s.real[1][i];
        s.real[1][i] = p.real[1][i] = t;
        double probability = 1 / (1 + exp(-s.real[0][i]));
        p.real[0][i] = probability;
        want -= (t * log(probability) + (1 - t) * log(1 - probability)) / CELLS;
    }
    assert_close(value_of(&p), want, 1e-12);
    assert_close(value_of(&s), want, 1e-12);
    check_derivatives(&p);
    check_derivatives(&s);
    for (int i = 0; i < CELLS; i++) { /* certain and wrong: bounded by -log 1e-12 */
        p.real[0][i] = i % 2;
        p.real[1][i] = 1 - i % 2;
    }
    assert_close(value_of(&p), 12 * log(10), 1e-9);
}

static void test_kl(void **state)
{
    (void)state;
    struct problem q = two(kl);
    double want = 0;
    for (int i = 0; i < CELLS; i++) {
        double mu = q.real[0][i], logvar = q.real[1][i];
        want += 0.5 * (mu * mu + exp(logvar) - 1 - logvar) / ROWS;
    }
    assert_close(value_of(&q), want, 1e-12);
    check_derivatives(&q);
    memset(q.real, 0, sizeof q.real);
    assert_close(value_of(&q), 0, 0);
}

static void test_categorical(void **state)
{
    (void)state;
    struct problem q = {.build = categorical,
                        .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(ROWS)},
                        .dtype = {GAN_F64, GAN_I32},
                        .n = 2,
                        .index = {2, 0, 1, 2}};
    scatter(&q);
    double want = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int j = 0; j < COLUMNS; j++) {
            sum += exp(q.real[0][i * COLUMNS + j]);
        }
        want += (log(sum) - q.real[0][i * COLUMNS + q.index[i]]) / ROWS;
    }
    assert_close(value_of(&q), want, 1e-12);
    check_derivatives(&q);
}

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
    struct problem q = {
        .build = penalty,
        .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(COLUMNS, COLUMNS), GAN_SHAPE(1, COLUMNS)},
        .dtype = {GAN_F64, GAN_F64, GAN_F64},
        .n = 3};
    scatter(&q);
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
        assert_close(value_of(&q), want, 1e-12 * (1 + want));
        check_derivatives(&q);
    }
}

static void test_linear_penalty(void **state)
{
    (void)state;
    struct problem q = {.build = linear_penalty,
                        .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(1, COLUMNS)},
                        .dtype = {GAN_F64, GAN_F64},
                        .n = 2};
    scatter(&q);
    wanted_slope = 1;
    const double w[] = {2, -1, 2};
    memcpy(q.real[1], w, sizeof w);
    assert_close(value_of(&q), 4, 1e-11); /* (3 - 1)^2 */
    check_derivatives(&q);
    memset(q.real[1], 0, sizeof w); /* no slope at all: value 1, derivative 0 and not NaN */
    assert_close(value_of(&q), 1, 3e-6);
    double x[MAX_IN][MAX_SIZE];
    memcpy(x, q.real, sizeof x);
    gan_plan *p = compile(&q, true);
    evaluate(p, &q, x);
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
    struct problem q = two(between);
    double x[MAX_IN][MAX_SIZE];
    memcpy(x, q.real, sizeof x);
    gan_plan *p = compile(&q, false);
    evaluate(p, &q, x);
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
        struct problem q = {.build = regularise,
                            .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(ROWS, COLUMNS),
                                      GAN_SHAPE(COLUMNS, COLUMNS)},
                            .dtype = {GAN_F64, GAN_F64, GAN_F64},
                            .n = 3};
        scatter(&q);
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
        assert_close(value_of(&q), want, 1e-12 * (1 + want));
        check_derivatives(&q);
    }
}

static gan_val clipped(gan_graph *g, const gan_val *in)
{
    return gan_sum_all(g, gan_reg_find("clip", NULL)->limit(g, in[0], 0.5));
}

static void test_clip(void **state)
{
    (void)state;
    struct problem q = {.build = clipped, .shape = {GAN_SHAPE(ROWS)}, .dtype = {GAN_F64}, .n = 1};
    const double w[] = {-3, 0.25, 0.5, 7};
    memcpy(q.real[0], w, sizeof w);
    assert_close(value_of(&q), -0.5 + 0.25 + 0.5 + 0.5, 0);
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
    assert_int_equal(gan_regs_parse("none", &regs, &err), GAN_OK);
    assert_int_equal(regs.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_regularisers),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_reg_texts),
        cmocka_unit_test(test_smoothing),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_regression),
        cmocka_unit_test(test_bce),
        cmocka_unit_test(test_kl),
        cmocka_unit_test(test_categorical),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_linear_penalty),
        cmocka_unit_test(test_penalty_errors),
        cmocka_unit_test(test_interpolate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
