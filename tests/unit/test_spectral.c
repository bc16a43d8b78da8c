/* test_spectral.c: spectral norm against singular values found by Jacobi rotations, its derivative
 * against central differences, and when its vector moves.
 *
 * f64 on `ref`. The power method is run until it has converged; the floor of 1e-12 under its norms
 * then shortens both vectors by some 1e-12: 1e-11 is asked. Central differences with step 1e-5 are
 * good to about 1e-9, 1e-7 is asked. */
#include <gan/nn.h>
#include <gan/plan.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"

enum { OUT = 4, IN = 3, AREA = 9, REST = IN * AREA, BATCH = 2, SIDE = 4 };

static void net(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_conv(nn, "c", in[0],
                      (struct gan_conv_layer){.out = OUT, .kernel = 3, .spectral = true});
}

struct world {
    gan_store *store;
    gan_net *net;
    gan_plan *plan; /* outputs: sum y^2, its derivative in the weight */
    double x[BATCH * SIDE * SIDE * IN];
};

static double *entry(struct world *w, const char *name)
{
    return gan_store_at(w->store, gan_store_find(w->store, name))->value.data;
}

static void open_world(struct world *w, gan_mode mode)
{
    gan_err err = {0};
    w->store = gan_store_new();
    w->net = gan_net_new(w->store,
                         &(struct gan_net_desc){.name = "n",
                                                .fn = net,
                                                .in = {{.shape = GAN_SHAPE(1, SIDE, SIDE, IN)}},
                                                .n_in = 1,
                                                .real = GAN_F64,
                                                .init = "normal:0,.5"},
                         &err);
    assert_string_equal(err.message, "");
    assert_int_equal(gan_net_init(w->net, 11, &err), GAN_OK);
    assert_int_equal(gan_net_params(w->net), OUT * REST); /* the vector is no parameter */
    for (int i = 0; i < (int)(sizeof w->x / sizeof *w->x); i++) {
        w->x[i] = sin(3.0 * i) + 0.2;
    }
    gan_graph *g = gan_graph_new(w->store, GAN_F64);
    gan_val x = gan_feed(g, "x", GAN_F64, GAN_SHAPE(BATCH, SIDE, SIDE, IN)), y, out[2];
    gan_val weight = gan_state_get(g, "n.c.weight");
    gan_net_apply(g, w->net, NULL, mode, &x, &y);
    out[0] = gan_sum_all(g, gan_square(g, y));
    gan_grad(g, out[0], &weight, 1, &out[1]);
    w->plan = gan_plan_new(g, out, 2, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    gan_graph_free(g);
}

static void close_world(struct world *w)
{
    gan_plan_free(w->plan);
    gan_net_free(w->net);
    gan_store_free(w->store);
}

static double run(struct world *w)
{
    gan_err err = {0};
    struct gan_feed_data feed = {"x", {GAN_F64, GAN_SHAPE(BATCH, SIDE, SIDE, IN), w->x}};
    struct gan_run r = {.feeds = &feed, .n_feeds = 1};
    assert_int_equal(gan_plan_run(w->plan, &r, &err), GAN_OK);
    return gan_tensor_get(gan_plan_output(w->plan, 0), 0);
}

/* Largest singular value of W [OUT,REST]: one-sided Jacobi makes the rows orthogonal. */
static double largest_singular_value(const double *weight)
{
    double a[OUT][REST], best = 0;
    memcpy(a, weight, sizeof a);
    for (int sweep = 0; sweep < 60; sweep++) {
        for (int p = 0; p < OUT; p++) {
            for (int q = p + 1; q < OUT; q++) {
                double pp = 0, qq = 0, pq = 0;
                for (int k = 0; k < REST; k++) {
                    pp += a[p][k] * a[p][k];
                    qq += a[q][k] * a[q][k];
                    pq += a[p][k] * a[q][k];
                }
                double turn = 0.5 * atan2(2 * pq, pp - qq), c = cos(turn), s = sin(turn);
                for (int k = 0; k < REST; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x + s * y;
                    a[q][k] = c * y - s * x;
                }
            }
        }
    }
    for (int p = 0; p < OUT; p++) {
        double squares = 0;
        for (int k = 0; k < REST; k++) {
            squares += a[p][k] * a[p][k];
        }
        best = fmax(best, sqrt(squares));
    }
    return best;
}

/* After convergence the layer is linear in W / sigma: doubling W changes nothing, and the sum of
 * squares times sigma^2 is that of the plain layer. */
static void divides_by_the_largest_singular_value(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, GAN_TRAIN);
    double loss = 0;
    for (int i = 0; i < 4000; i++) {
        loss = run(&w);
    }
    double *weight = entry(&w, "n.c.weight"), plain = 0, sigma = largest_singular_value(weight);
    for (int n = 0; n < BATCH; n++) {
        for (int at = 0; at < 4 * OUT; at++) {
            int o = at % OUT, i = at / OUT / 2, j = at / OUT % 2;
            double y = 0;
            for (int k = 0; k < REST; k++) {
                int c = k / AREA, r = k % AREA / 3, s = k % 3;
                y += weight[o * REST + k] * w.x[((n * SIDE + i + r) * SIDE + j + s) * IN + c];
            }
            plain += y * y;
        }
    }
    assert_close(loss * sigma * sigma, plain, 1e-11 * plain);
    for (int k = 0; k < OUT * REST; k++) {
        weight[k] *= 2;
    }
    assert_close(run(&w), loss, 1e-11 * loss);
    close_world(&w);
}

/* With the vectors converged their own derivative vanishes to first order, so the derivative that
 * holds them constant is the derivative. */
static void derivative(void **state)
{
    (void)state;
    const double h = 1e-5;
    struct world w;
    double d[OUT * REST];
    open_world(&w, GAN_TRAIN);
    for (int i = 0; i < 400; i++) {
        (void)run(&w);
    }
    memcpy(d, gan_plan_output(w.plan, 1)->data, sizeof d);
    double *weight = entry(&w, "n.c.weight");
    for (int k = 0; k < OUT * REST; k += 7) {
        double middle = weight[k], side[2];
        for (int s = 0; s < 2; s++) {
            weight[k] = middle + (s ? h : -h);
            for (int i = 0; i < 100; i++) {
                side[s] = run(&w);
            }
        }
        weight[k] = middle;
        assert_close(d[k], (side[1] - side[0]) / (2 * h), 1e-7 * (1 + fabs(d[k])));
    }
    close_world(&w);
}

/* Training moves the vector by one step of the power method; evaluation leaves it. */
static void vector_moves_in_training_only(void **state)
{
    (void)state;
    struct world w;
    double before[OUT], v[REST], want[OUT], length = 0;
    open_world(&w, GAN_EVAL);
    memcpy(before, entry(&w, "n.c.weight_u"), sizeof before);
    assert_true(before[0] != before[1] && before[0] != 0);
    (void)run(&w);
    assert_memory_equal(before, entry(&w, "n.c.weight_u"), sizeof before);
    close_world(&w);
    open_world(&w, GAN_TRAIN);
    const double *weight = entry(&w, "n.c.weight");
    for (int k = 0; k < REST; k++) {
        v[k] = 0;
        for (int o = 0; o < OUT; o++) {
            v[k] += before[o] * weight[o * REST + k];
        }
    }
    for (int o = 0; o < OUT; o++) {
        want[o] = 0;
        for (int k = 0; k < REST; k++) {
            want[o] += v[k] * weight[o * REST + k];
        }
        length += want[o] * want[o];
    }
    (void)run(&w);
    for (int o = 0; o < OUT; o++) {
        assert_close(entry(&w, "n.c.weight_u")[o], want[o] / sqrt(length), 1e-11);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divides_by_the_largest_singular_value),
        cmocka_unit_test(derivative),
        cmocka_unit_test(vector_moves_in_training_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
