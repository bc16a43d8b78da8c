/* test_loss_theory.c: what the losses estimate, against mathematics: f-GAN's bounds and closed forms of
 * divergences between normals, Fisher's constraint and its integral metric, energy distance and the
 * distance kernel, Coulomb's field.
 *
 * Tolerances stand with each test. f64 on `ref`. */
#include <gan/loss.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"
#include "support/scalar.h"

static const struct gan_loss *loss;

static gan_val disc(gan_graph *g, const gan_val *in)
{
    return loss->disc(&(struct gan_loss_context){.g = g, .on_real = in[0], .on_fake = {in[1]}});
}

static gan_val gen(gan_graph *g, const gan_val *in)
{
    return loss->gen(&(struct gan_loss_context){.g = g, .on_real = in[0], .on_fake = {in[1]}});
}

/* --- f-GAN ------------------------------------------------------------------------------------------- */

/* P = N(0,1), Q = N(M,S^2). */
static const double M = 0.5, S = 1.1;

static double log_normal(double x, double mean, double deviation)
{
    double t = (x - mean) / deviation;
    return -0.5 * t * t - log(deviation) - 0.5 * log(2 * M_PI);
}

static double log_ratio(double x)
{
    return log_normal(x, 0, 1) - log_normal(x, M, S);
}

/* Scores whose bound is the divergence: v with g_f(v) = f'(p/q). */
static double v_sign(double x)
{
    return log_ratio(x) > 0 ? 60 : -60;
}

static double v_kl(double x)
{
    return 1 + log_ratio(x);
}

static double v_pearson(double x)
{
    return 2 * (exp(log_ratio(x)) - 1);
}

static double v_neyman(double x)
{
    return 2 * log_ratio(x);
}

static double v_hellinger(double x)
{
    return 0.5 * log_ratio(x);
}

/* Closed forms. */
static double kl(double mean, double deviation) /* of N(0,1) from N(mean, deviation^2) */
{
    return log(deviation) + (1 + mean * mean) / (2 * deviation * deviation) - 0.5;
}

static double true_tv(void)
{
    /* p - q changes sign at the roots of the log ratio a x^2 + b x + c */
    double a = 0.5 / (S * S) - 0.5, b = -M / (S * S), c = M * M / (2 * S * S) + log(S);
    double root = sqrt(b * b - 4 * a * c), low = (-b + root) / (2 * a),
           high = (-b - root) / (2 * a);
    double p = 0.5 * (erf(high / M_SQRT2) - erf(low / M_SQRT2));
    double q = 0.5 * (erf((high - M) / S / M_SQRT2) - erf((low - M) / S / M_SQRT2));
    return fabs(p - q);
}

static double true_kl(void)
{
    return kl(M, S);
}

static double true_rkl(void)
{
    return kl(M / S, 1 / S);
}

static double true_pearson(void)
{
    double w = 2 * S * S - 1;
    return S * S / sqrt(w) * exp(M * M / w) - 1;
}

static double true_neyman(void)
{
    double w = 2 - S * S;
    return exp(M * M / w) / (S * sqrt(w)) - 1;
}

static double true_hellinger(void)
{
    return 2 - 2 * sqrt(2 * S / (1 + S * S)) * exp(-M * M / (4 * (1 + S * S)));
}

enum { NODES = 4801 };

static double node(int i)
{
    return -12 + 24.0 * i / (NODES - 1);
}

/* 2 JS has no closed form: its definition, by quadrature. */
static double true_js(void)
{
    double sum = 0;
    for (int i = 0; i < NODES; i++) {
        double p = exp(log_normal(node(i), 0, 1)), q = exp(log_normal(node(i), M, S));
        sum += p * log(2 * p / (p + q)) + q * log(2 * q / (p + q));
    }
    return sum * 24.0 / (NODES - 1);
}

static double true_gan(void)
{
    return true_js() - log(4);
}

static const struct divergence {
    const char *name;
    double (*truth)(void);
    double (*best)(double x);
    double tolerance;
} divergences[] = {
    /* the trapezoid rule is exact to rounding for smooth integrands, not for a jump */
    {"fgan-tv", true_tv, v_sign, 1e-4},
    {"fgan-kl", true_kl, v_kl, 1e-9},
    {"fgan-rkl", true_rkl, log_ratio, 1e-9},
    {"fgan-pearson", true_pearson, v_pearson, 1e-9},
    {"fgan-neyman", true_neyman, v_neyman, 1e-9},
    {"fgan-hellinger", true_hellinger, v_hellinger, 1e-9},
    {"fgan-js", true_js, log_ratio, 1e-9},
    {"fgan-gan", true_gan, log_ratio, 1e-9},
};

static double critic_score(const struct divergence *d, double x, int way)
{
    double v = d->best(x);
    return way == 0 ? v : way == 1 ? 0.8 * v + 0.1 : v + 0.4 * sin(2 * x);
}

static double at(gan_plan *p, const struct scalar *q, double real, double fake)
{
    double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE] = {{real}, {fake}};
    scalar_run(p, q, x);
    return gan_tensor_get(gan_plan_output(p, 0), 0);
}

/* E_P g(v) - E_Q f*(g(v)) by quadrature. The loss of one real a and one fake b is L(a,b) = h(b) - g(a),
 * so that the weighted sums of L(v,0) and L(0,v), less L(0,0), give it. */
static double bound(const struct divergence *d, int way)
{
    struct scalar q = {.build = disc,
                       .shape = {GAN_SHAPE(1, 1), GAN_SHAPE(1, 1)},
                       .dtype = {GAN_F64, GAN_F64},
                       .n = 2};
    double sum = 0;
    loss = gan_loss_find(d->name, NULL);
    assert_non_null(loss);
    gan_plan *p = scalar_compile(&q, false);
    for (int i = 0; i < NODES; i++) {
        double x = node(i), v = critic_score(d, x, way);
        double real = exp(log_normal(x, 0, 1)), fake = exp(log_normal(x, M, S));
        sum += real > 1e-300 ? real * at(p, &q, v, 0) : 0;
        sum += fake > 1e-300 ? fake * at(p, &q, 0, v) : 0;
    }
    sum = sum * 24.0 / (NODES - 1) - at(p, &q, 0, 0);
    gan_plan_free(p);
    return -sum;
}

static void test_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof divergences / sizeof divergences[0]; i++) {
        const struct divergence *d = &divergences[i];
        double truth = d->truth();
        assert_close(bound(d, 0), truth, d->tolerance);
        for (int way = 1; way < 3 && d->best != v_sign; way++) {
            double weak = bound(d, way);
            if (!(weak < truth - 1e-6)) {
                fail_msg("%s: %g with a worse critic, the divergence is %g", d->name, weak, truth);
            }
        }
    }
    const struct divergence tv = {"fgan-tv", true_tv, v_kl, 0}; /* tanh(v)/2 short of +-1/2 */
    assert_true(bound(&tv, 0) < true_tv() - 1e-3);
}

/* --- energy distance --------------------------------------------------------------------------------- */

static void test_energy_is_mmd(void **state)
{
    (void)state;
    struct scalar q = {.build = gen,
                       .shape = {GAN_SHAPE(7, 16), GAN_SHAPE(9, 16)},
                       .dtype = {GAN_F64, GAN_F64},
                       .n = 2};
    scalar_scatter(&q);
    loss = gan_loss_find("energy", NULL);
    double energy = scalar_value(&q);
    loss = gan_loss_find("mmd-distance", NULL);
    assert_close(scalar_value(&q), energy, 1e-13 * (1 + fabs(energy))); /* rounding alone */
    assert_true(fabs(energy) > 1e-3);
}

/* --- Fisher ------------------------------------------------------------------------------------------ */

static gan_val lambda_in, lambda_out, omega_out;

static gan_val fisher_kept(void *g, const char *name, double initial)
{
    (void)g;
    (void)name;
    assert_close(initial, 0, 0);
    return lambda_in;
}

static void fisher_keep(void *g, const char *name, gan_val value)
{
    (void)g;
    (void)name;
    lambda_out = value;
}

static void fisher_report(void *g, const char *name, gan_val value)
{
    (void)g;
    if (strcmp(name, "fisher.omega") == 0) {
        omega_out = value;
    }
}

enum { POINTS = 16 };

static const double distance = 0.04;

/* The quantile of place (i + 1/2)/n, by bisection. */
static double quantile(int i, int n)
{
    double low = -10, high = 10;
    for (int k = 0; k < 60; k++) {
        double middle = 0.5 * (low + high);
        *(0.5 * (1 + erf(middle / M_SQRT2)) < (i + 0.5) / n ? &low : &high) = middle;
    }
    return low;
}

/* Critic w x by gradient ascent on the loss, the multiplier by the loss's own rule, from w = .1 and
 * lambda = 0. For p = N(0,1) and q = N(-distance,1) the metric is distance/sqrt(E x^2); the multiplier
 * settles at half of it, slowly: rho is 1e-6. After 120 000 steps Omega is within 1 % of 1. */
static void test_fisher(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val x = gan_feed(g, "x", GAN_F64, GAN_SHAPE(POINTS, 1));
    gan_val w = gan_feed(g, "w", GAN_F64, gan_shape_scalar());
    gan_val out[4];
    lambda_in = gan_feed(g, "lambda", GAN_F64, gan_shape_scalar());
    const struct gan_loss_context c = {.g = g,
                                       .on_real = gan_mul(g, x, w),
                                       .on_fake = {gan_mul(g, gan_shift(g, x, -distance), w)},
                                       .kept = fisher_kept,
                                       .keep = fisher_keep,
                                       .report = fisher_report,
                                       .user = g};
    gan_val value = gan_loss_find("fisher", NULL)->disc(&c);
    gan_grad(g, value, &w, 1, out);
    out[1] = lambda_out;
    out[2] = omega_out;
    gan_plan *p = gan_plan_new(g, out, 3, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    double points[POINTS], weight = 0.1, lambda = 0, moment = 0;
    for (int i = 0; i < POINTS; i++) {
        points[i] = quantile(i, POINTS);
        moment += (points[i] * points[i] + pow(points[i] - distance, 2)) / (2 * POINTS);
    }
    const struct gan_feed_data feeds[] = {{"x", {GAN_F64, GAN_SHAPE(POINTS, 1), points}},
                                          {"w", {GAN_F64, gan_shape_scalar(), &weight}},
                                          {"lambda", {GAN_F64, gan_shape_scalar(), &lambda}}};
    const struct gan_run run = {.feeds = feeds, .n_feeds = 3};
    for (int k = 0; k < 120000; k++) {
        assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
        weight -= 5 * gan_tensor_get(gan_plan_output(p, 0), 0);
        lambda = gan_tensor_get(gan_plan_output(p, 1), 0);
    }
    double metric = distance / sqrt(moment);
    assert_close(gan_tensor_get(gan_plan_output(p, 2), 0), 1, 0.01);
    assert_close(weight * distance, metric, 0.01 * metric);
    assert_close(lambda, metric / 2, 0.01 * metric);
    gan_plan_free(p);
    gan_graph_free(g);
}

/* --- Coulomb ----------------------------------------------------------------------------------------- */

static gan_val potential[2]; /* mean at reals, at fakes */

static void coulomb_report(void *g, const char *name, gan_val value)
{
    (void)g;
    potential[strcmp(name, "coulomb.fake") == 0] = value;
}

static bool at_fake;

static gan_val mean_potential(gan_graph *g, const gan_val *in)
{
    gan_val zero = gan_zeros_like(g, gan_slice_axis(g, in[0], 1, 0, 1));
    gan_val zeros = gan_zeros_like(g, gan_slice_axis(g, in[1], 1, 0, 1));
    const struct gan_loss_context c = {.g = g,
                                       .on_real = zero,
                                       .on_fake = {zeros},
                                       .real = in[0],
                                       .fake = {in[1]},
                                       .report = coulomb_report};
    assert_true(gan_ok(gan_loss_find("coulomb", NULL)->disc(&c)));
    return potential[at_fake];
}

static void test_coulomb(void **state)
{
    (void)state;
    enum { COUNT = 256, SIZE = 2 };
    struct scalar q = {.build = mean_potential,
                       .shape = {GAN_SHAPE(COUNT, SIZE), GAN_SHAPE(COUNT, SIZE)},
                       .dtype = {GAN_F64, GAN_F64},
                       .n = 2};
    scalar_scatter(&q); /* two samples of the same law */
    for (int k = 0; k < 2; k++) {
        at_fake = k == 1;
        /* own terms give +-1/256, the samples' noise about as much: .02 is asked */
        assert_close(scalar_value(&q), 0, 0.02);
    }
    at_fake = true;
    memcpy(q.real[1], q.real[0], sizeof q.real[0]);
    assert_close(scalar_value(&q), 0, 1e-12); /* the same points: exactly no field */
    double previous = 1; /* fakes in one far place have the higher potential the farther they are */
    for (double far = 16; far > 1; far /= 2) {
        for (int i = 0; i < COUNT * SIZE; i++) {
            q.real[1][i] = far;
        }
        double here = scalar_value(&q);
        assert_true(here < previous && here > 0);
        previous = here;
    }
}

/* --- models of one output -------------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *part;
        uint32_t given;
    } wrong[] = {
        {"rpgan", "needs the generator's update to see reals, which pix2pix does not give", 0},
        {"cramer", "two batches of fakes", GAN_LOSS_REAL},
        {"fisher", "numbers kept between updates", 0},
        {"mmd-li", "a decoder", GAN_LOSS_REAL | GAN_LOSS_POINTS},
        {"coulomb", "one row of outputs for each image", GAN_LOSS_POINTS},
        {"realness", "one row of outputs for each image", GAN_LOSS_REAL},
        {"realness-resampled", "random numbers", GAN_LOSS_REAL | GAN_LOSS_MATRIX},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gan_err err = {0};
        const struct gan_loss *l = gan_loss_find(wrong[i].name, NULL);
        assert_int_equal(gan_loss_check(l, "pix2pix", wrong[i].given, &err), GAN_E_ARG);
        assert_non_null(strstr(err.message, wrong[i].part));
        assert_int_equal(gan_loss_check(l, "pix2pix", UINT32_MAX, &err), GAN_OK);
    }
    const struct gan_loss wide = {.name = "wide", .outputs = 16};
    gan_err err = {0};
    assert_int_equal(gan_loss_check(&wide, "dcgan", 0, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "wide needs 16 outputs"));
    gan_graph *g = gan_graph_new(NULL, GAN_F64); /* scores alone do not do for rpgan's generator */
    gan_val s = gan_feed(g, "s", GAN_F64, GAN_SHAPE(2, 1));
    assert_false(gan_ok(gan_loss_gen(gan_loss_find("rpgan", NULL), g, GAN_NONE, s)));
    assert_int_equal(gan_graph_status(g, NULL), GAN_E_ARG);
    gan_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),   cmocka_unit_test(test_energy_is_mmd),
        cmocka_unit_test(test_fisher),   cmocka_unit_test(test_coulomb),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
