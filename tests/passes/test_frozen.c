/* test_frozen.c: with the promise that state never changes, packed weights outlive a run.
 *
 * Same bits as without the promise, in every run; the copies move from the workspace to the plan's own
 * memory; that later runs read the first run's copy is seen by breaking the promise. Weights that the
 * plan itself sets are packed in every run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <gan/nn.h>
#include <gan/plan.h>

enum { RUNS = 3 };

struct subject {
    gan_store *store;
    gan_graph *g;
    gan_net *net;
    gan_val y;
};

static void layers(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_conv_layer up = {.out = 32, .kernel = 4, .stride = 2, .pad = 1};
    struct gan_conv_layer same = {.out = 32, .kernel = 3, .stride = 1, .pad = 1, .bias = true};
    gan_val h = gan_relu(g, gan_conv_transpose(nn, "0", in[0], up));
    out[0] = gan_tanh(g, gan_conv(nn, "1", h, same));
}

/* Images of a small generator; with `moves` its first weights shrink in every run. */
static void subject_open(struct subject *s, bool moves)
{
    gan_err err = {0};
    s->store = gan_store_new();
    s->g = gan_graph_new(s->store, GAN_F32);
    struct gan_net_desc d = {.name = "net",
                             .fn = layers,
                             .in = {{.shape = GAN_SHAPE(1, 8, 8, 32)}},
                             .n_in = 1,
                             .real = GAN_F32};
    s->net = gan_net_new(s->store, &d, &err);
    assert_non_null(s->net);
    assert_int_equal(gan_net_init(s->net, 7, &err), GAN_OK);
    gan_val x = gan_random_normal(s->g, "x", GAN_SHAPE(1, 8, 8, 32));
    gan_net_apply(s->g, s->net, NULL, GAN_EVAL, &x, &s->y);
    if (moves) {
        const char *names[8];
        gan_val w[8];
        assert_int_equal(gan_net_weights(s->g, s->net, names, w), 3);
        gan_state_set(s->g, names[0], gan_scale(s->g, w[0], 0.5));
    }
    assert_int_equal(gan_graph_status(s->g, &err), GAN_OK);
}

static void subject_close(struct subject *s)
{
    gan_graph_free(s->g);
    gan_net_free(s->net);
    gan_store_free(s->store);
}

static void run(gan_plan *p, uint64_t iteration)
{
    gan_err err = {0};
    struct gan_run r = {.seed = 3, .iteration = iteration};
    assert_int_equal(gan_plan_run(p, &r, &err), GAN_OK);
}

static gan_plan *plan_new(const struct subject *s, bool frozen)
{
    gan_err err = {0};
    struct gan_plan_opts o = {.frozen = frozen, .verify = true, .threads = 2, .exact = true};
    gan_plan *p = gan_plan_new(s->g, &s->y, 1, &o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    return p;
}

/* Bytes of all packed copies. */
static size_t copies(const gan_plan *p)
{
    size_t sum = 0;
    for (int64_t i = 0; gan_plan_copy_at(p, i).bytes != 0; i++) {
        sum += gan_plan_copy_at(p, i).bytes;
    }
    return sum;
}

static void compare(bool moves)
{
    struct subject a, b;
    subject_open(&a, moves);
    subject_open(&b, moves);
    gan_plan *p = plan_new(&a, false), *q = plan_new(&b, true);
    struct gan_plan_info usual = gan_plan_info(p), kept = gan_plan_info(q);
    assert_true(kept.workspace_bytes <= usual.workspace_bytes);
    assert_int_equal(copies(p), copies(q));
    if (copies(q) == 0) { /* a build without oneDNN packs nothing */
        gan_plan_free(p);
        gan_plan_free(q);
        subject_close(&a);
        subject_close(&b);
        skip();
    }
    size_t more = kept.constant_bytes - usual.constant_bytes;
    assert_true(moves ? more > 0 && more < copies(q) : more == copies(q));
    for (int i = 0; i < RUNS; i++) {
        run(p, (uint64_t)i);
        run(q, (uint64_t)i);
        const gan_tensor *x = gan_plan_output(p, 0), *y = gan_plan_output(q, 0);
        assert_memory_equal(x->data, y->data, gan_tensor_bytes(x));
    }
    gan_plan_free(p);
    gan_plan_free(q);
    subject_close(&a);
    subject_close(&b);
}

static void test_images(void **state)
{
    (void)state;
    compare(false);
}

static void test_moving(void **state)
{
    (void)state;
    compare(true);
}

/* After the first run nobody reads packed weights in the store again. */
static void test_kept(void **state)
{
    (void)state;
    struct subject s;
    subject_open(&s, false);
    gan_plan *q = plan_new(&s, true);
    const size_t n = gan_tensor_bytes(gan_plan_output(q, 0));
    void *first = malloc(n);
    assert_non_null(first);
    bool packs = copies(q) != 0;
    run(q, 0);
    memcpy(first, gan_plan_output(q, 0)->data, n);
    for (int i = 0; i < gan_store_count(s.store); i++) {
        const gan_tensor *t = &gan_store_at(s.store, i)->value;
        if (t->shape.rank == 4) {
            memset(t->data, 0, gan_tensor_bytes(t));
        }
    }
    run(q, 0);
    if (packs) {
        assert_memory_equal(first, gan_plan_output(q, 0)->data, n);
    }
    free(first);
    gan_plan_free(q);
    subject_close(&s);
    if (!packs) {
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_images), cmocka_unit_test(test_moving),
                                       cmocka_unit_test(test_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
