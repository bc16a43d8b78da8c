/* test_oom_engine.c: memory that runs out while a graph is built, differentiated, dumped, compiled
 * and run. */
#include "base/alloc.h"
#include "base/err.h"
#include "oom/oom.h"

#include <gan/nn.h>
#include <gan/plan.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Conv, norm, pooling, softmax, random numbers, state: one of each family, with a second
 * derivative. */
static gan_val build(gan_graph *g)
{
    gan_scope_push(g, "outer");
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(2, 6, 6, 3));
    gan_val w = gan_state_get(g, "w"), noise = gan_random_normal(g, "noise", GAN_SHAPE(2, 6, 6, 3));
    gan_val h =
        gan_conv2d(g, gan_add(g, x, noise), w,
                   (struct gan_conv){.pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1});
    struct gan_normalized n = gan_normalize(g, h, GAN_AXIS(0) | GAN_AXIS(1) | GAN_AXIS(2), 1e-5);
    h = gan_avg_pool(g, gan_leaky_relu(g, n.x_hat, 0.2),
                     (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
    gan_val parts[2] = {gan_flatten(g, h), gan_flatten(g, gan_tanh(g, h))};
    gan_val both = gan_concat(g, parts, 2, 1);
    gan_val loss = gan_mean_all(g, gan_logsumexp(g, both)), dx;
    gan_grad(g, loss, &x, 1, &dx);
    gan_val slope = gan_sqrt(
        g, gan_shift(g, gan_sum(g, gan_square(g, gan_flatten(g, dx)), GAN_AXIS(1), false), 1e-12));
    loss = gan_add(g, loss, gan_mean_all(g, gan_square(g, gan_shift(g, slope, -1))));
    gan_val dw;
    gan_grad(g, loss, &w, 1, &dw);
    gan_state_set(g, "w", gan_sub(g, w, gan_mul(g, dw, gan_scalar_feed(g, "lr"))));
    gan_scope_pop(g);
    return loss;
}

static gan_status graph_scene(void *ctx, gan_err *err)
{
    gan_status status = GAN_OK;
    gan_graph *g = gan_graph_new(ctx, GAN_F32);
    if (g == NULL) {
        return gan__fail_nomem(err, 0, "a graph");
    }
    build(g);
    status = gan_graph_status(g, err);
    static const gan_dump_form forms[] = {GAN_DUMP_TEXT, GAN_DUMP_DOT, GAN_DUMP_JSON};
    for (int i = 0; i < 3 && status == GAN_OK; i++) {
        char *text = gan_graph_dump(g, forms[i]);
        if (text == NULL) {
            status = gan__fail_nomem(err, 0, "a dump");
        }
        gan_text_free(text);
    }
    gan_graph_free(g);
    return status;
}

struct compiled {
    gan_graph *g;
    gan_val loss;
    const char *backend;
    bool run;
};

static gan_status run_plan(gan_plan *p, gan_err *err)
{
    static float pixels[2 * 6 * 6 * 3];
    struct gan_feed_data x = {"x", {GAN_F32, GAN_SHAPE(2, 6, 6, 3), pixels}};
    struct gan_scalar_data lr = {"lr", 0};
    GAN_TRY(gan_plan_run(
        p, &(struct gan_run){.feeds = &x, .n_feeds = 1, .scalars = &lr, .n_scalars = 1}, err));
    char *text = gan_plan_dump(p, GAN_DUMP_JSON);
    if (text == NULL) {
        return gan__fail_nomem(err, 0, "a dump");
    }
    gan_text_free(text);
    return GAN_OK;
}

static gan_status plan_scene(void *ctx, gan_err *err)
{
    const struct compiled *c = ctx;
    struct gan_plan_opts o = {
        .backend = c->backend, .threads = 2, .verify = true, .recompute = GAN_RECOMPUTE_FULL};
    gan_plan *p = gan_plan_new(c->g, &c->loss, 1, &o, err);
    if (p == NULL) {
        return err->code;
    }
    gan_status status = c->run ? run_plan(p, err) : GAN_OK;
    gan_plan_free(p);
    return status;
}

static gan_status nonfinite_scene(void *ctx, gan_err *err)
{
    const struct compiled *c = ctx;
    static float pixels[2 * 6 * 6 * 3];
    struct gan_feed_data x = {"x", {GAN_F32, GAN_SHAPE(2, 6, 6, 3), pixels}};
    struct gan_scalar_data lr = {"lr", 0};
    char name[128];
    return gan_plan_find_nonfinite(
        c->g, &(struct gan_run){.feeds = &x, .n_feeds = 1, .scalars = &lr, .n_scalars = 1},
        &(struct gan_plan_opts){.backend = c->backend}, name, sizeof name, err);
}

static gan_store *new_store(void)
{
    gan_err err = {0};
    gan_store *st = gan_store_new();
    assert_non_null(st);
    int i = gan_store_add(st, "w", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(4, 3, 3, 3), &err);
    assert_true(i == 0);
    for (int64_t k = 0; k < 4 * 27; k++) {
        gan_tensor_set(&gan_store_at(st, i)->value, k, 0.01 * (double)(k % 23) - 0.1);
    }
    return st;
}

static void graphs(void **state)
{
    (void)state;
    gan_store *st = new_store();
    oom_each("graph, gradient, dump", graph_scene, st, (struct oom_rules){0});
    gan_store_free(st);
}

static void plans(void **state)
{
    (void)state;
    static const char *const backends[] = {"ref", "cpu"};
    gan_store *st = new_store();
    struct compiled c = {.g = gan_graph_new(st, GAN_F32)};
    assert_non_null(c.g);
    c.loss = build(c.g);
    for (int i = 0; i < 4; i++) {
        c.backend = backends[i % 2];
        c.run = i >= 2;
        oom_each(c.backend, plan_scene, &c, (struct oom_rules){0});
    }
    c.backend = "ref";
    oom_each("find_nonfinite", nonfinite_scene, &c, (struct oom_rules){0});
    gan_graph_free(c.g);
    gan_store_free(st);
}

static gan_status store_scene(void *ctx, gan_err *err)
{
    (void)ctx;
    gan_status status = GAN_OK;
    gan_store *st = gan_store_new();
    if (st == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    for (int i = 0; i < 40 && status == GAN_OK; i++) {
        char name[16] = {'w', (char)('A' + i / 10), (char)('0' + i % 10), 0};
        if (gan_store_add(st, name, GAN_STATE_WEIGHT, GAN_F64, GAN_SHAPE(3, i), err) < 0) {
            status = err->code;
        }
    }
    gan_store_free(st);
    return status;
}

static void stores(void **state)
{
    (void)state;
    oom_each("store", store_scene, NULL, (struct oom_rules){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores),
        cmocka_unit_test(graphs),
        cmocka_unit_test(plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
