/* test_losses.c: values of the losses against their definitions, extremes included, and their first
 * derivatives against central differences. Every loss of the table is in test_loss_derivatives.c and
 * tests/golden/test_loss_values.c.
 *
 * All in f64 on `ref`. Tolerances: 1e-12 where only rounding differs. */
#include <gan/loss.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"
#include "support/scalar.h"

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

static struct scalar scores(gan_val (*build)(gan_graph *, const gan_val *))
{
    struct scalar q = {.build = build,
                       .shape = {GAN_SHAPE(REALS, 1), GAN_SHAPE(FAKES, 1)},
                       .dtype = {GAN_F64, GAN_F64},
                       .n = 2};
    scalar_scatter(&q);
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
        struct scalar q = scores(pair_disc);
        double want = mean_of(q.real[0], REALS, c->real[0], c->real[1], c->real[2]) +
                      mean_of(q.real[1], FAKES, c->fake[0], c->fake[1], c->fake[2]);
        assert_close(scalar_value(&q), want, 1e-12);
        scalar_check_derivatives(&q);
        q = scores(pair_gen);
        want = mean_of(q.real[1], FAKES, c->gen[0], c->gen[1], c->gen[2]);
        assert_close(scalar_value(&q), want, 1e-12);
        scalar_check_derivatives(&q);
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
        struct scalar q = scores(pair_disc);
        for (int k = 0; k < REALS; k++) {
            disc += cases[i].f(q.real[0][k], cases[i].real) / REALS;
        }
        for (int k = 0; k < FAKES; k++) {
            double s = q.real[1][k];
            disc += cases[i].f(s, cases[i].fake) / FAKES;
            gen += (isnan(cases[i].gen) ? -s : cases[i].f(s, cases[i].gen)) / FAKES;
        }
        assert_close(scalar_value(&q), disc, 1e-12);
        scalar_check_derivatives(&q);
        q = scores(pair_gen);
        assert_close(scalar_value(&q), gen, 1e-12);
        scalar_check_derivatives(&q);
    }
}

/* One-sided smoothing: reals towards .9. */
static void test_smoothing(void **state)
{
    (void)state;
    const struct gan_loss_params params = {.real_target = 0.9};
    pair_params = &params;
    pair = gan_loss_find("nonsaturating", NULL);
    struct scalar q = scores(pair_disc);
    assert_close(scalar_value(&q),
                 mean_of(q.real[0], REALS, 0.9, 0.1, 0) + mean_of(q.real[1], FAKES, 0, 1, 0),
                 1e-12);
    pair_params = NULL;
}

/* Logits far out: the stable forms stay finite and exact, sp(-800) is 0, sp(800) is 800. */
static void test_extremes(void **state)
{
    (void)state;
    pair = gan_loss_find("minimax", NULL);
    struct scalar q = scores(pair_disc);
    for (int i = 0; i < FAKES; i++) {
        q.real[0][i] = 800;
        q.real[1][i] = -800;
    }
    assert_close(scalar_value(&q), 0, 0);
    for (int i = 0; i < FAKES; i++) {
        q.real[0][i] = -800;
        q.real[1][i] = 800;
    }
    assert_close(scalar_value(&q), 1600, 0);
    pair = gan_loss_find("nonsaturating", NULL);
    q.build = pair_gen;
    for (int i = 0; i < FAKES; i++) {
        q.real[1][i] = 40; /* softplus(s) - s would give 0 */
    }
    assert_close(scalar_value(&q), exp(-40), 1e-30);
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

static void test_regression(void **state)
{
    (void)state;
    struct scalar a = scalar_two(l1, GAN_SHAPE(ROWS, COLUMNS)),
                  b = scalar_two(l2, GAN_SHAPE(ROWS, COLUMNS));
    double sum1 = 0, sum2 = 0;
    for (int i = 0; i < CELLS; i++) {
        double d = a.real[0][i] - a.real[1][i];
        sum1 += fabs(d) / CELLS;
        sum2 += d * d / CELLS;
    }
    assert_close(scalar_value(&a), sum1, 1e-12);
    assert_close(scalar_value(&b), sum2, 1e-12);
    scalar_check_derivatives(&a);
    scalar_check_derivatives(&b);
}

static void test_bce(void **state)
{
    (void)state;
    struct scalar p = scalar_two(bce, GAN_SHAPE(ROWS, COLUMNS)),
                  s = scalar_two(bce_logits_to, GAN_SHAPE(ROWS, COLUMNS));
    double want = 0;
    for (int i = 0; i < CELLS; i++) {
        double t = 0.5 + 0.2 * s.real[1][i];
        s.real[1][i] = p.real[1][i] = t;
        double probability = 1 / (1 + exp(-s.real[0][i]));
        p.real[0][i] = probability;
        want -= (t * log(probability) + (1 - t) * log(1 - probability)) / CELLS;
    }
    assert_close(scalar_value(&p), want, 1e-12);
    assert_close(scalar_value(&s), want, 1e-12);
    scalar_check_derivatives(&p);
    scalar_check_derivatives(&s);
    for (int i = 0; i < CELLS; i++) { /* certain and wrong: bounded by -log 1e-12 */
        p.real[0][i] = i % 2;
        p.real[1][i] = 1 - i % 2;
    }
    assert_close(scalar_value(&p), 12 * log(10), 1e-9);
}

static void test_kl(void **state)
{
    (void)state;
    struct scalar q = scalar_two(kl, GAN_SHAPE(ROWS, COLUMNS));
    double want = 0;
    for (int i = 0; i < CELLS; i++) {
        double mu = q.real[0][i], logvar = q.real[1][i];
        want += 0.5 * (mu * mu + exp(logvar) - 1 - logvar) / ROWS;
    }
    assert_close(scalar_value(&q), want, 1e-12);
    scalar_check_derivatives(&q);
    memset(q.real, 0, sizeof q.real);
    assert_close(scalar_value(&q), 0, 0);
}

static void test_categorical(void **state)
{
    (void)state;
    struct scalar q = {.build = categorical,
                       .shape = {GAN_SHAPE(ROWS, COLUMNS), GAN_SHAPE(ROWS)},
                       .dtype = {GAN_F64, GAN_I32},
                       .n = 2,
                       .index = {2, 0, 1, 2}};
    scalar_scatter(&q);
    double want = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int j = 0; j < COLUMNS; j++) {
            sum += exp(q.real[0][i * COLUMNS + j]);
        }
        want += (log(sum) - q.real[0][i * COLUMNS + q.index[i]]) / ROWS;
    }
    assert_close(scalar_value(&q), want, 1e-12);
    scalar_check_derivatives(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),      cmocka_unit_test(test_margins),
        cmocka_unit_test(test_smoothing),  cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_regression), cmocka_unit_test(test_bce),
        cmocka_unit_test(test_kl),         cmocka_unit_test(test_categorical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
