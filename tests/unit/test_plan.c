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

static void expect_failure(gan_plan *p, const struct gan_run *r, const char *words)
{
    gan_err err = {0};
    assert_int_equal(gan_plan_run(p, r, &err), GAN_E_ARG);
    if (!strstr(err.message, words)) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    }
}

static void test_feeds(void **state)
{
    (void)state;
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(2));
    gan_val unused = gan_feed(g, "unused", GAN_F32, GAN_SHAPE(2));
    gan_val y = gan_mul(g, x, gan_scalar_feed(g, "lr"));
    (void)gan_tanh(g, unused);
    gan_plan *p = plan_of(g, &y, 1, "cpu", NULL);
    float data[3] = {1, 2, 3};
    struct gan_feed_data f[2] = {{"x", {GAN_F32, GAN_SHAPE(2), data}},
                                 {"unused", {GAN_F32, GAN_SHAPE(2), data}}};
    struct gan_scalar_data lr = {"lr", 0.5};
    struct gan_run r = {.feeds = f, .n_feeds = 1, .scalars = &lr, .n_scalars = 1};
    run_plan(p, &r); /* what nothing reads may be missing */
    r.n_feeds = 2;
    run_plan(p, &r);
    f[0] = f[1];
    f[1] = (struct gan_feed_data){"x", {GAN_F32, GAN_SHAPE(2), data + 1}};
    run_plan(p, &r); /* another order, another address */
    assert_true(gan_tensor_get(gan_plan_output(p, 0), 1) == 1.5);
    r.n_feeds = 1;
    expect_failure(p, &r, "feed x is missing");
    r.n_feeds = 2;
    f[1].value.shape = GAN_SHAPE(3);
    expect_failure(p, &r, "feed x is f32 [3], the graph wants f32 [2]");
    f[1].value = (gan_tensor){GAN_F64, GAN_SHAPE(2), data};
    expect_failure(p, &r, "feed x is f64");
    f[1].value = (gan_tensor){GAN_F32, GAN_SHAPE(2), NULL};
    expect_failure(p, &r, "feed x has no data");
    f[1].value.data = data;
    f[0].name = "z";
    expect_failure(p, &r, "no feed z");
    f[0].name = "unused";
    lr.name = "rate";
    expect_failure(p, &r, "no scalar feed rate");
    r.n_scalars = 0;
    expect_failure(p, &r, "scalar feed lr is missing");
    lr.name = "lr";
    r.n_scalars = 1;
    run_plan(p, &r); /* a refused run leaves the plan usable */
    gan_plan_free(p);
    gan_graph_free(g);
}

static void refuse(const gan_graph *g, gan_val v, const struct gan_plan_opts *o, gan_status code)
{
    gan_err err = {0};
    assert_null(gan_plan_new(g, &v, 1, o, &err));
    assert_int_equal(err.code, code);
    assert_true(err.message[0] != '\0');
}

static void test_refused(void **state)
{
    (void)state;
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val y = gan_tanh(g, gan_feed(g, "x", GAN_F32, GAN_SHAPE(2)));
    refuse(g, y, &(struct gan_plan_opts){.backend = "tpu"}, GAN_E_ARG);
    refuse(g, y, &(struct gan_plan_opts){.without = "cse,fusion"}, GAN_E_ARG);
    refuse(g, y, &(struct gan_plan_opts){.threads = -1}, GAN_E_RANGE);
    refuse(g, GAN_NONE, NULL, GAN_E_ARG);
    refuse(g, (gan_val){1000, 0}, NULL, GAN_E_ARG);
    gan_matmul(g, y, y, false, false); /* rank 1: the error sticks */
    refuse(g, y, NULL, GAN_E_SHAPE);
    gan_graph_free(g);
}

/* An MLP on both backends: a few hundred nodes with state. */
static gan_graph *small_net(gan_store *st, gan_val *loss)
{
    gan_err err = {0};
    gan_graph *g;
    static const char *const names[] = {"w0", "w1", "w2"};
    for (int i = 0; i < 3; i++) {
        int at = gan_store_add(st, names[i], GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(16, 16), &err);
        for (int k = 0; k < 256; k++) {
            gan_tensor_set(&gan_store_at(st, at)->value, k, 0.01 * (k % 17) - 0.08);
        }
    }
    g = gan_graph_new(st, GAN_F32);
    gan_val h = gan_random_normal(g, "x", GAN_SHAPE(8, 16)), w[3], d[3];
    for (int i = 0; i < 3; i++) {
        w[i] = gan_state_get(g, names[i]);
        h = gan_tanh(g, gan_matmul(g, h, w[i], false, true));
    }
    *loss = gan_mean_all(g, gan_square(g, h));
    gan_grad(g, *loss, w, 3, d);
    gan_val lr = gan_scalar_feed(g, "lr");
    for (int i = 0; i < 3; i++) {
        gan_state_set(g, names[i], gan_sub(g, w[i], gan_mul(g, d[i], lr)));
    }
    return g;
}

/* After the first run nothing of ours is allocated, whatever the workspace. */
static void test_allocations(void **state)
{
    (void)state;
    for (int b = 0; b < 4; b++) {
        gan_store *st = gan_store_new();
        gan_val loss;
        gan_graph *g = small_net(st, &loss);
        gan_plan *p = plan_of(g, &loss, 1, backends[b % 2], NULL);
        gan_workspace *w = b < 2 ? NULL : gan_workspace_new(gan_plan_info(p).workspace_bytes);
        struct gan_scalar_data lr = {"lr", 0.1};
        struct gan_run r = {.scalars = &lr, .n_scalars = 1, .workspace = w};
        run_plan(p, &r);
        double first = gan_tensor_get(gan_plan_output(p, 0), 0);
        struct gan__alloc_stats before = gan__alloc_stats();
        for (int i = 0; i < 100; i++) {
            r.iteration++;
            run_plan(p, &r);
        }
        struct gan__alloc_stats after = gan__alloc_stats();
        assert_true(after.calls == before.calls);
        assert_true(after.live_bytes == before.live_bytes);
        assert_true(gan_tensor_get(gan_plan_output(p, 0), 0) < first); /* it learns */
        gan_plan_free(p);
        gan_workspace_free(w);
        gan_graph_free(g);
        gan_store_free(st);
    }
}

/* Two plans of different size take turns on one workspace that starts too small. */
static void test_shared_workspace(void **state)
{
    (void)state;
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val a = gan_random_normal(g, "a", GAN_SHAPE(64)),
            b = gan_random_normal(g, "b", GAN_SHAPE(512));
    gan_val small = gan_sum_all(g, gan_tanh(g, a)), large = gan_sum_all(g, gan_tanh(g, b));
    gan_plan *p[2] = {plan_of(g, &small, 1, "cpu", NULL), plan_of(g, &large, 1, "cpu", NULL)};
    gan_workspace *w = gan_workspace_new(0);
    double want[2];
    for (int i = 0; i < 2; i++) {
        run_plan(p[i], &(struct gan_run){0});
        want[i] = gan_tensor_get(gan_plan_output(p[i], 0), 0);
    }
    for (int i = 0; i < 6; i++) {
        run_plan(p[i % 2], &(struct gan_run){.workspace = w});
        assert_true(gan_tensor_get(gan_plan_output(p[i % 2], 0), 0) == want[i % 2]);
    }
    gan_plan_free(p[0]);
    gan_plan_free(p[1]);
    gan_workspace_free(w);
    gan_graph_free(g);
}

/* 50,000 nodes compile in under 2 s in a release build. */
static void test_large_graph(void **state)
{
    (void)state;
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_random_normal(g, "x", GAN_SHAPE(4, 8)),
            w = gan_random_normal(g, "w", GAN_SHAPE(8, 8));
    gan_val y = x, d;
    while (gan_graph_nodes(g) < 24000) {
        gan_val h = gan_tanh(g, gan_matmul(g, y, w, false, false));
        y = gan_add(g, gan_scale(g, y, 0.9),
                    gan_sub(g, h, gan_broadcast(g, gan_mean(g, h, 1, true), GAN_SHAPE(4, 8))));
    }
    gan_val loss = gan_mean_all(g, gan_square(g, y));
    gan_grad(g, loss, &w, 1, &d);
    assert_true(gan_graph_nodes(g) > 50000);
    gan_val out[2] = {loss, d};
    gan_err err = {0};
    gan_plan *p = gan_plan_new(g, out, 2, NULL, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    struct gan_plan_info i = gan_plan_info(p);
    print_message("%lld nodes, %lld steps, %zu bytes: compiled in %.0f ms\n", (long long)i.nodes,
                  (long long)i.steps, i.workspace_bytes, i.compile_ms);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
    assert_true(i.compile_ms < 2000);
#endif
    run_plan(p, &(struct gan_run){0});
    assert_true(isfinite(gan_tensor_get(gan_plan_output(p, 1), 0)));
    gan_plan_free(p);
    gan_graph_free(g);
}

static void find_bad(const gan_graph *g, const struct gan_run *r, const char *want)
{
    char name[128] = "untouched";
    gan_err err = {0};
    if (gan_plan_find_nonfinite(g, r, NULL, name, sizeof name, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(name, want);
}

static void test_find_nonfinite(void **state)
{
    (void)state;
    gan_store *st = store_with("w", GAN_SHAPE(2), 1.0f);
    gan_graph *g = gan_graph_new(st, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(2)), w = gan_state_get(g, "w");
    gan_scope_push(g, "disc");
    gan_val bad = gan_log(g, gan_mul(g, w, x));
    gan_scope_pop(g);
    gan_state_set(g, "w", gan_tanh(g, gan_add(g, bad, w)));
    (void)gan_sqrt(g, gan_shift(g, x, -100.0)); /* NaN, but no state needs it */
    float data[2] = {1, 1};
    struct gan_feed_data f = {"x", {GAN_F32, GAN_SHAPE(2), data}};
    struct gan_run r = {.feeds = &f, .n_feeds = 1};
    find_bad(g, &r, "sqrt [2]");
    data[1] = 0;
    find_bad(g, &r, "log disc [2]");
    data[1] = -1;
    find_bad(g, &r, "log disc [2]");
    data[1] = NAN;
    find_bad(g, &r, "feed x [2]");
    data[1] = 200;
    data[0] = 100;
    find_bad(g, &r, "");
    assert_true(state_value(st, "w", 0) == 1.0); /* not written */
    gan_tensor_set(&gan_store_at(st, 0)->value, 0, (double)INFINITY);
    find_bad(g, &r, "state w [2]");
    r.n_feeds = 0;
    char name[16];
    gan_err err = {0};
    assert_int_equal(gan_plan_find_nonfinite(g, &r, NULL, name, sizeof name, &err), GAN_E_ARG);
    gan_graph_free(g);
    gan_store_free(st);
}

/* Costs of a product and a fused pair; the dumps name them. */
static void test_info_and_dump(void **state)
{
    (void)state;
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(4, 8)),
            w = gan_feed(g, "w", GAN_F32, GAN_SHAPE(8, 16));
    gan_scope_push(g, "gen");
    gan_val y = gan_square(g, gan_exp(g, gan_matmul(g, x, w, false, false)));
    gan_scope_pop(g);
    gan_plan *p = plan_of(g, &y, 1, "cpu", NULL);
    struct gan_plan_info i = gan_plan_info(p);
    assert_true(i.heavy_flops == 2.0 * 4 * 8 * 16);
    assert_true(i.flops == i.heavy_flops + 2 * 4 * 16);
    assert_int_equal(i.steps, 2);
    assert_int_equal(i.nodes, gan_graph_nodes(g));
    assert_true(i.constant_bytes >= 4 * 4 * 16);
    char *text = gan_plan_dump(p, GAN_DUMP_TEXT), *json = gan_plan_dump(p, GAN_DUMP_JSON);
    char *dot = gan_plan_dump(p, GAN_DUMP_DOT);
    assert_non_null(strstr(text, "exp+square(f32[4,16]#0) -> f32[4,16]"));
    assert_non_null(strstr(json, "\"op\":\"exp+square\",\"backend\":\"cpu\",\"scope\":\"gen\""));
    assert_non_null(strstr(dot, "s0 -> s1"));
    gan_text_free(text);
    gan_text_free(json);
    gan_text_free(dot);
    gan_plan_free(p);
    gan_graph_free(g);
}

/* In-place updates pay: p, m and v of one parameter are one step that needs no workspace. */
static void test_update_in_place(void **state)
{
    (void)state;
    gan_store *st = store_with("p", GAN_SHAPE(100), 1.0f);
    gan_err err = {0};
    gan_store_add(st, "m", GAN_STATE_MOMENT, GAN_F32, GAN_SHAPE(100), &err);
    gan_store_add(st, "v", GAN_STATE_MOMENT, GAN_F32, GAN_SHAPE(100), &err);
    gan_graph *g = gan_graph_new(st, GAN_F32);
    gan_val grad = gan_feed(g, "g", GAN_F32, GAN_SHAPE(100));
    gan_val m = gan_add(g, gan_scale(g, gan_state_get(g, "m"), 0.9), gan_scale(g, grad, 0.1));
    gan_val v = gan_add(g, gan_scale(g, gan_state_get(g, "v"), 0.99),
                        gan_scale(g, gan_square(g, grad), 0.01));
    gan_val step = gan_div(g, m, gan_shift(g, gan_sqrt(g, v), 1e-8));
    gan_state_set(g, "p", gan_sub(g, gan_state_get(g, "p"), gan_scale(g, step, 0.5)));
    gan_state_set(g, "m", m);
    gan_state_set(g, "v", v);
    gan_plan *p = plan_of(g, NULL, 0, "cpu", NULL);
    assert_int_equal(gan_plan_info(p).steps, 1);
    float data[100];
    for (int i = 0; i < 100; i++) {
        data[i] = (float)i - 50;
    }
    struct gan_feed_data f = {"g", {GAN_F32, GAN_SHAPE(100), data}};
    run_plan(p, &(struct gan_run){.feeds = &f, .n_feeds = 1});
    double want = 1.0 + 60 - 0.5 * (0.1 * 10) / (0.1 * 10 + 1e-8);
    assert_true(fabs(state_value(st, "p", 60) - want) < 1e-5);
    gan_plan_free(p);
    gan_graph_free(g);
    gan_store_free(st);
}

/* An image pool: rows are read, then replaced where they lie; reading the old rows afterwards costs
 * a copy, never a wrong number. */
static void test_pool(void **state)
{
    (void)state;
    enum { ROWS = 1000, WIDTH = 16 };
    for (int k = 0; k < 4; k++) {
        bool late = k >= 2;
        gan_store *st = store_with("pool", GAN_SHAPE(ROWS, WIDTH), 0.0f);
        gan_graph *g = gan_graph_new(st, GAN_F32);
        gan_val pool = gan_state_get(g, "pool"), idx = gan_feed(g, "idx", GAN_I32, GAN_SHAPE(2));
        gan_val fresh = gan_fill(g, -1.0, GAN_SHAPE(2, WIDTH));
        gan_val old = late ? GAN_NONE : gan_gather(g, pool, idx);
        gan_state_set(g, "pool", gan_scatter_set(g, pool, idx, fresh));
        old = late ? gan_gather(g, pool, idx) : old;
        gan_plan *p = plan_of(g, &old, 1, backends[k % 2], NULL);
        size_t bytes = (size_t)ROWS * WIDTH * sizeof(float);
        assert_true((gan_plan_info(p).workspace_bytes >= bytes) == late);
        int32_t rows[2] = {3, 998};
        struct gan_feed_data f = {"idx", {GAN_I32, GAN_SHAPE(2), rows}};
        run_plan(p, &(struct gan_run){.feeds = &f, .n_feeds = 1});
        assert_true(gan_tensor_get(gan_plan_output(p, 0), 0) == 3 * WIDTH);
        assert_true(gan_tensor_get(gan_plan_output(p, 0), WIDTH + 1) == 998 * WIDTH + 1);
        assert_true(state_value(st, "pool", 3 * WIDTH) == -1.0);
        assert_true(state_value(st, "pool", 4 * WIDTH) == 4 * WIDTH);
        gan_plan_free(p);
        gan_graph_free(g);
        gan_store_free(st);
    }
}

/* Each allocation fails in turn: the right code, nothing leaked, the graph still good. */
static void test_out_of_memory(void **state)
{
    (void)state;
    for (int b = 0; b < 2; b++) {
        gan_store *st = gan_store_new();
        gan_val loss;
        gan_graph *g = small_net(st, &loss);
        struct gan_plan_opts o = {.backend = backends[b], .verify = true};
        gan_plan_free(plan_of(g, &loss, 1, backends[b], NULL)); /* what libraries keep */
        struct gan__alloc_stats before = gan__alloc_stats();
        gan_plan *p = NULL;
        int n = 0;
        while (!p) {
            gan_err err = {0};
            gan__alloc_fail_at((uint64_t)++n);
            p = gan_plan_new(g, &loss, 1, &o, &err);
            gan__alloc_fail_at(0);
            if (!p) {
                /* oneDNN does not say why it could not make a primitive */
                if (err.code != GAN_E_NOMEM && (b == 0 || err.code != GAN_E_UNSUPPORTED)) {
                    fail_msg("allocation %d: %s", n, err.message);
                }
                assert_true(gan__alloc_stats().live == before.live);
            }
        }
        assert_true(n > 50);
        struct gan_scalar_data lr = {"lr", 0.1};
        struct gan_run r = {.scalars = &lr, .n_scalars = 1};
        gan_err err = {0};
        gan__alloc_fail_at(1);
        assert_int_equal(gan_plan_run(p, &r, &err), GAN_E_NOMEM);
        gan__alloc_fail_at(0);
        run_plan(p, &r);
        gan_plan_free(p);
        assert_true(gan__alloc_stats().live == before.live);
        gan_graph_free(g);
        gan_store_free(st);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),    cmocka_unit_test(test_versions),
        cmocka_unit_test(test_simultaneous),  cmocka_unit_test(test_swap),
        cmocka_unit_test(test_feeds),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allocations),   cmocka_unit_test(test_shared_workspace),
        cmocka_unit_test(test_large_graph),   cmocka_unit_test(test_find_nonfinite),
        cmocka_unit_test(test_info_and_dump), cmocka_unit_test(test_update_in_place),
        cmocka_unit_test(test_pool),          cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
