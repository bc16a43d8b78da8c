/* test_loss_derivatives.c: every loss of the table, whatever it needs: both objectives' first
 * derivatives in all outputs of the discriminator against central differences, their second
 * derivatives likewise, and the slope penalty of every witness, which is differentiated twice.
 *
 * f64 on `ref`, tolerances of support/scalar.h. Three samples: a batch's own pairs are there. */
#include <gan/loss.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scalar.h"

enum { N = 3, SIZE = 4 };

static const struct gan_loss *loss;
static bool of_gen;

/* Numbers in (-1.5,1.5) that follow no line: [rows,columns]. */
static gan_val pattern(gan_graph *g, double stride, int64_t rows, int64_t columns)
{
    gan_val i = gan_cast(g, gan_iota(g, rows * columns), GAN_F64);
    gan_val a = gan_shift(g, gan_scale(g, i, stride), -0.37 * stride * (double)(rows * columns));
    gan_val saw = gan_tanh(g, gan_sub(g, gan_square(g, gan_scale(g, a, 0.3)), gan_scale(g, a, 2)));
    return gan_reshape(g, gan_scale(g, saw, 1.5), GAN_SHAPE(rows, columns));
}

static gan_val kept(void *g, const char *name, double initial)
{
    (void)name;
    return gan_const(g, initial + 0.25);
}

static void keep(void *g, const char *name, gan_val value)
{
    (void)g;
    (void)name;
    assert_true(gan_ok(value));
}

static gan_val decode(void *g, gan_val outputs)
{
    gan_val w = gan_scale(g, pattern(g, 0.21, gan_dim(g, outputs, 1), SIZE), 0.2);
    return gan_tanh(g, gan_matmul(g, outputs, w, false, false));
}

static gan_val normal(void *g, const char *name, gan_shape shape)
{
    double stride = strcmp(name, "realness.real") == 0 ? 0.11 : 0.13;
    return pattern(g, stride, shape.dim[0], shape.dim[1]);
}

static struct gan_loss_context context(gan_graph *g, const gan_val *in)
{
    return (struct gan_loss_context){.g = g,
                                     .on_real = in[0],
                                     .on_fake = {in[1], in[2]},
                                     .real = pattern(g, 0.5, N, SIZE),
                                     .fake = {pattern(g, 0.7, N, SIZE), pattern(g, 0.9, N, SIZE)},
                                     .kept = kept,
                                     .keep = keep,
                                     .decode = decode,
                                     .normal = normal,
                                     .user = g};
}

static gan_val objective(gan_graph *g, const gan_val *in)
{
    const struct gan_loss_context c = context(g, in);
    return of_gen ? loss->gen(&c) : loss->disc(&c);
}

/* The objective's gradient in one direction: its derivatives are second derivatives. */
static gan_val slope(gan_graph *g, const gan_val *in)
{
    gan_val d[SCALAR_MAX_IN], sum = GAN_NONE;
    gan_grad(g, objective(g, in), in, SCALAR_MAX_IN, d);
    for (int i = 0; i < SCALAR_MAX_IN; i++) {
        gan_val direction = pattern(g, 0.3 + 0.2 * i, N, gan_dim(g, d[i], 1));
        gan_val term = gan_sum_all(g, gan_mul(g, d[i], direction));
        sum = i > 0 ? gan_add(g, sum, term) : term;
    }
    return sum;
}

/* E (|d witness(W x) / d x| - 1)^2 at points x of a linear critic. */
static gan_val witness_penalty(gan_graph *g, const gan_val *in)
{
    const struct gan_loss_context c = context(g, in);
    gan_val w = pattern(g, 0.17, SIZE, gan_dim(g, in[0], 1)), x = pattern(g, 1.1, N, SIZE);
    gan_val on = gan_matmul(g, x, w, false, false);
    return gan_penalty_gradient(g, loss->witness(&c, on), x, 1);
}

static struct scalar scalar_of(gan_val (*build)(gan_graph *, const gan_val *))
{
    int64_t outputs = loss->outputs > 0 ? loss->outputs : 1;
    bool distances = outputs > 51 && (loss->needs & GAN_LOSS_NOISE) == 0;
    outputs = distances ? 8 : outputs; /* the same in any dimension */
    assert_true(N * outputs <= SCALAR_MAX_SIZE);
    struct scalar q = {.build = build, .n = 3};
    for (int i = 0; i < 3; i++) {
        q.shape[i] = GAN_SHAPE(N, outputs);
        q.dtype[i] = GAN_F64;
    }
    scalar_scatter(&q);
    return q;
}

static void test_every_loss(void **state)
{
    (void)state;
    for (int i = 0; (loss = gan_loss_at(i)) != NULL; i++) {
        for (of_gen = false;; of_gen = true) {
            struct scalar q = scalar_of(objective);
            scalar_check_derivatives(&q);
            q.build = slope;
            scalar_check_derivatives(&q);
            if (of_gen) {
                break;
            }
        }
    }
}

static void test_every_witness(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; (loss = gan_loss_at(i)) != NULL; i++) {
        if (loss->witness != NULL) {
            struct scalar q = scalar_of(witness_penalty);
            scalar_check_derivatives(&q);
            count++;
        }
    }
    assert_true(count >= 7); /* cramer, energy, three of mmd, two of realness */
}

/* Where everything falls together (one point thrice, or far-out scores) derivatives of the first and
 * second order stay finite. */
static void test_coincidence(void **state)
{
    (void)state;
    static const double places[] = {0, 30, -30};
    for (int i = 0; (loss = gan_loss_at(i)) != NULL; i++) {
        for (int k = 0; k < 6; k++) {
            of_gen = k % 2 == 1;
            struct scalar q = scalar_of(slope);
            double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE];
            for (int j = 0; j < SCALAR_MAX_IN * SCALAR_MAX_SIZE; j++) {
                x[j / SCALAR_MAX_SIZE][j % SCALAR_MAX_SIZE] = places[k / 2];
            }
            gan_plan *p = scalar_compile(&q, true);
            scalar_run(p, &q, x);
            for (int out = 0; out < 4; out++) {
                const gan_tensor *t = gan_plan_output(p, out);
                for (int64_t e = 0; e < gan_shape_count(&t->shape); e++) {
                    double v = gan_tensor_get(t, e);
                    if (!(v - v == 0)) {
                        fail_msg("%s at %g: output %d is %g", loss->name, places[k / 2], out, v);
                    }
                }
            }
            gan_plan_free(p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_loss),
        cmocka_unit_test(test_every_witness),
        cmocka_unit_test(test_coincidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
