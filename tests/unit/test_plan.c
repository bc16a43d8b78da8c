/* test_plan.c: plans: feeds, state versions, workspaces, allocation, size of graphs, finding NaN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include <gan/plan.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const backends[] = {"ref", "cpu"};

static gan_store *store_with(const char *name, gan_shape shape, float value)
{
    gan_store *st = gan_store_new();
    gan_err err = {0};
    int i = gan_store_add(st, name, GAN_STATE_WEIGHT, GAN_F32, shape, &err);
    assert_true(i >= 0);
    const gan_tensor *t = &gan_store_at(st, i)->value;
    for (int64_t k = 0; k < gan_shape_count(&shape); k++) {
        gan_tensor_set(t, k, (double)value + (double)k);
    }
    return st;
}

static double state_value(const gan_store *st, const char *name, int64_t i)
{
    return gan_tensor_get(&gan_store_at(st, gan_store_find(st, name))->value, i);
}

static gan_plan *plan_of(const gan_graph *g, const gan_val *out, int n, const char *backend,
                         const char *without)
{
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .without = without, .verify = true};
    gan_plan *p = gan_plan_new(g, out, n, &o, &err);
    if (!p) {
        fail_msg("%s: %s", gan_status_name(err.code), err.message);
    }
    return p;
}

static void run_plan(gan_plan *p, const struct gan_run *r)
{
    gan_err err = {0};
    if (gan_plan_run(p, r, &err) != GAN_OK) {
        fail_msg("%s: %s", gan_status_name(err.code), err.message);
    }
}

/* y = tanh(x*2 + w): broadcasting, feeds, both backends. */
static void test_arithmetic(void **state)
{
    (void)state;
    for (int b = 0; b < 2; b++) {
        gan_store *st = store_with("w", GAN_SHAPE(3), 0.25f);
        gan_graph *g = gan_graph_new(st, GAN_F32);
        gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(2, 3));
        gan_val s = gan_scalar_feed(g, "s");
        gan_val y = gan_tanh(g, gan_add(g, gan_mul(g, x, s), gan_state_get(g, "w")));
        gan_val outs[3] = {y, gan_sum_all(g, y), x};
        gan_plan *p = plan_of(g, outs, 3, backends[b], NULL);
        gan_graph_free(g); /* the plan lives on */
        float data[6] = {0.1f, -0.2f, 0.3f, -0.4f, 0.5f, -0.6f};
        struct gan_feed_data f = {"x", {GAN_F32, GAN_SHAPE(2, 3), data}};
        struct gan_scalar_data sc = {"s", 2.0};
        run_plan(p, &(struct gan_run){.feeds = &f, .n_feeds = 1, .scalars = &sc, .n_scalars = 1});
        double sum = 0;
        for (int i = 0; i < 6; i++) {
            double want = tanh((double)data[i] * 2 + 0.25 + i % 3);
            assert_true(fabs(gan_tensor_get(gan_plan_output(p, 0), i) - want) < 1e-6);
            assert_true(gan_tensor_get(gan_plan_output(p, 2), i) == (double)data[i]);
            sum += want;
        }
        assert_true(fabs(gan_tensor_get(gan_plan_output(p, 1), 0) - sum) < 1e-6);
        assert_null(gan_plan_output(p, 3));
        assert_null(gan_plan_output(p, -1));
        gan_plan_free(p);
        gan_store_free(st);
    }
}

/* w -> 2w -> 2w+1, read in between and before: every read sees the version it was built on. */
static void test_versions(void **state)
{
    (void)state;
    static const char *const without[] = {NULL, "all", "inplace", "memplan", "dce", "fuse"};
    for (int k = 0; k < 12; k++) {
        gan_store *st = store_with("w", GAN_SHAPE(4), 1.0f);
        gan_graph *g = gan_graph_new(st, GAN_F32);
        gan_val w0 = gan_state_get(g, "w");
        gan_state_set(g, "w", gan_scale(g, w0, 2.0));
        gan_val w1 = gan_state_get(g, "w");
        gan_state_set(g, "w", gan_shift(g, w1, 1.0));
        gan_val w2 = gan_state_get(g, "w");
        gan_val outs[4] = {gan_sum_all(g, w2), gan_sum_all(g, w1), gan_sum_all(g, w0), w0};
        gan_plan *p = plan_of(g, outs, 4, backends[k % 2], without[k / 2]);
        double w = 1 + 2 + 3 + 4, first = 1;
        for (int i = 0; i < 3; i++) {
            run_plan(p, &(struct gan_run){0});
            assert_true(gan_tensor_get(gan_plan_output(p, 2), 0) == w);
            assert_true(gan_tensor_get(gan_plan_output(p, 1), 0) == 2 * w);
            assert_true(gan_tensor_get(gan_plan_output(p, 3), 0) == first);
            w = 2 * w + 4;
            assert_true(gan_tensor_get(gan_plan_output(p, 0), 0) == w);
            first = 2 * first + 1;
            assert_true(state_value(st, "w", 0) == first);
        }
        gan_plan_free(p);
        gan_graph_free(g);
        gan_store_free(st);
    }
}

/* Simultaneous play on f(a,b) = ab: both updates read the old values, whatever the order. */
static void test_simultaneous(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        gan_store *st = store_with("a", GAN_SHAPE(1), 1.0f);
        gan_err err = {0};
        gan_store_add(st, "b", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(1), &err);
        gan_tensor_set(&gan_store_at(st, 1)->value, 0, 2.0);
        gan_graph *g = gan_graph_new(st, GAN_F32);
        gan_val a = gan_state_get(g, "a"), b = gan_state_get(g, "b");
        gan_val loss = gan_sum_all(g, gan_mul(g, a, b)), da, db;
        gan_grad(g, loss, &a, 1, &da);
        gan_grad(g, loss, &b, 1, &db);
        gan_state_set(g, "a", gan_sub(g, a, gan_scale(g, da, 0.5)));
        gan_state_set(g, "b", gan_add(g, b, gan_scale(g, db, 0.5)));
        gan_plan *p = plan_of(g, NULL, 0, backends[k % 2], k < 2 ? NULL : "all");
        run_plan(p, NULL);
        assert_true(state_value(st, "a", 0) == 1.0 - 0.5 * 2.0);
        assert_true(state_value(st, "b", 0) == 2.0 + 0.5 * 1.0);
        gan_plan_free(p);
        gan_graph_free(g);
        gan_store_free(st);
    }
}

/* Entries that trade places, an entry set to itself, an entry set to another. */
static void test_swap(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        gan_store *st = store_with("a", GAN_SHAPE(2), 1.0f);
        gan_err err = {0};
        static const char *const more[] = {"b", "c", "d"};
        for (int i = 0; i < 3; i++) {
            int at = gan_store_add(st, more[i], GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(2), &err);
            gan_tensor_set(&gan_store_at(st, at)->value, 0, 10.0 * (i + 1));
        }
        gan_graph *g = gan_graph_new(st, GAN_F32);
        gan_val a = gan_state_get(g, "a"), b = gan_state_get(g, "b"), c = gan_state_get(g, "c");
        gan_state_set(g, "a", b);
        gan_state_set(g, "b", a);
        gan_state_set(g, "c", c);
        gan_state_set(g, "d", c);
        gan_plan *p = plan_of(g, NULL, 0, backends[k % 2], k < 2 ? NULL : "all");
        run_plan(p, NULL);
        assert_true(state_value(st, "a", 0) == 10.0 && state_value(st, "b", 0) == 1.0);
        assert_true(state_value(st, "c", 0) == 20.0 && state_value(st, "d", 0) == 20.0);
        gan_plan_free(p);
        gan_graph_free(g);
        gan_store_free(st);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_simultaneous),
        cmocka_unit_test(test_swap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
