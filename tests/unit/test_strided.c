/* test_strided.c: 4x4 convolutions of stride 2 of the cpu backend in f32, in all directions, against
 * the reference in f64.
 *
 * Tolerance: none for tiles of 2x2 results and integers up to 3: transformed ones are integers up to 12,
 * and sums stay below 2^24, so every order of adding gives the same f32. Otherwise 4e-6 of the largest
 * result (measured: 2.4e-6); tiles of 4x4 results multiply by up to 8 and add
 * numbers of either sign, which costs less than a digit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "base/philox.h"
#include "engine/kernels/strided.h"
#include "support/plan_count.h"
#include <gan/plan.h>

struct shape {
    int64_t n, h, w, in, out, pad[4]; /* top, bottom, left, right */
    bool whole; /* tiles of 2x2 results in every direction: integers stay whole */
    bool large; /* ... and the reference would take seconds */
};

/* Whole tiles; images and results that end inside one; paddings that differ, none and wide; blocks and
 * chunks that do not come out even; weights too large to be kept, images too large for one round. */
static const struct shape shapes[] = {
    {16, 8, 8, 32, 64, {1, 1, 1, 1}, false, false},
    {11, 12, 11, 96, 32, {1, 1, 1, 1}, true, false},
    {6, 17, 13, 32, 32, {1, 2, 2, 0}, false, false},
    {8, 16, 16, 64, 32, {0, 0, 0, 0}, false, false},
    {3, 19, 20, 32, 96, {3, 2, 3, 3}, false, false},
    {5, 32, 32, 32, 32, {1, 1, 1, 1}, false, false},
    {12, 11, 12, 32, 96, {2, 1, 1, 1}, true, false},
    {17, 8, 8, 128, 64, {1, 1, 1, 1}, false, false},
    {16, 8, 8, 512, 32, {1, 1, 1, 1}, false, false},
    {9, 12, 12, 960, 128, {1, 1, 1, 1}, true, true},
    {9, 12, 12, 128, 960, {1, 1, 1, 1}, true, true},
};

enum { OUTPUTS = 6, TANH = 2, FEEDS = 5 };

static const char *const what[OUTPUTS] = {"forward",       "leaky ReLU behind", "tanh behind",
                                          "data gradient", "weight gradient",   "ReLU behind it"};

/* A plan of one shape, and what it reads: x, w, a bias for each side, dL/dy. */
struct trial {
    struct gan_feed_data feed[FEEDS];
    gan_plan *plan;
};

static void build(struct trial *t, const struct shape *s, const char *backend, bool exact)
{
    static const char *const name[FEEDS] = {"x", "w", "b", "a", "d"};
    const struct gan_conv c = {2, 2, s->pad[0], s->pad[1], s->pad[2], s->pad[3], 1, 1, 1};
    const int64_t oh = (s->h + s->pad[0] + s->pad[1] - 4) / 2 + 1;
    const int64_t ow = (s->w + s->pad[2] + s->pad[3] - 4) / 2 + 1;
    const gan_shape shape[FEEDS] = {GAN_SHAPE(s->n, s->h, s->w, s->in),
                                    GAN_SHAPE(s->out, s->in, 4, 4), GAN_SHAPE(s->out),
                                    GAN_SHAPE(s->in), GAN_SHAPE(s->n, oh, ow, s->out)};
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val v[FEEDS], out[OUTPUTS], grads[2];
    for (int i = 0; i < FEEDS; i++) {
        t->feed[i] = (struct gan_feed_data){name[i], {GAN_F32, shape[i], NULL}};
        v[i] = gan_feed(g, name[i], GAN_F32, shape[i]);
    }
    out[0] = gan_conv2d(g, v[0], v[1], c);
    gan_val again = gan_conv2d(g, gan_neg(g, v[0]), v[1], c);
    out[1] = gan_leaky_relu(g, gan_add(g, again, v[2]), 0.25);
    gan_val third = gan_conv2d(g, gan_scale(g, v[0], 0x1p-10), v[1], c);
    out[2] = gan_tanh(g, gan_add(g, third, gan_scale(g, v[2], 0x1p-3)));
    gan_grad(g, gan_sum_all(g, gan_mul(g, out[0], v[4])), v, 2, grads);
    out[3] = grads[0];
    out[4] = grads[1];
    gan_val back = gan_conv2d_input_grad(g, gan_neg(g, v[4]), v[1], c, s->h, s->w);
    out[5] = gan_relu(g, gan_add(g, back, v[3]));
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .threads = 2, .exact = exact};
    t->plan = gan_plan_new(g, out, OUTPUTS, &o, &err);
    if (!t->plan) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
}

/* Integers from -3 to 3, or normal numbers. */
static void fill(struct trial *t, bool whole)
{
    struct gan__rng rng;
    gan__rng_init(&rng, 7);
    for (int i = 0; i < FEEDS; i++) {
        const int64_t n = gan_shape_count(&t->feed[i].value.shape);
        float *x = malloc((size_t)n * sizeof *x);
        assert_non_null(x);
        for (int64_t e = 0; e < n; e++) {
            const double v = gan__rng_normal(&rng);
            x[e] = (float)(whole ? fmin(fmax(rint(2 * v), -3), 3) : v);
        }
        t->feed[i].value.data = x;
    }
}

static void run(const struct trial *t, const struct trial *feeds)
{
    gan_err err = {0};
    struct gan_run r = {.feeds = feeds->feed, .n_feeds = FEEDS};
    if (gan_plan_run(t->plan, &r, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

/* Largest difference over the largest number wanted. */
static double difference(const struct trial *got, const struct trial *want, int output)
{
    const gan_tensor *a = gan_plan_output(got->plan, output);
    const gan_tensor *b = gan_plan_output(want->plan, output);
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < gan_shape_count(&b->shape); i++) {
        largest = fmax(largest, fabs(gan_tensor_get(b, i)));
        worst = fmax(worst, fabs(gan_tensor_get(a, i) - gan_tensor_get(b, i)));
    }
    assert_true(largest > 0);
    return worst / largest;
}

static void close_trial(struct trial *t)
{
    for (int i = 0; i < FEEDS; i++) {
        free(t->feed[i].value.data);
    }
    gan_plan_free(t->plan);
}

static void check(bool whole)
{
    if (gan__strided(2) == NULL) {
        skip();
    }
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct trial fast = {0}, ref = {0};
        const bool large = shapes[k].large;
        if (large && !whole) {
            continue;
        }
        build(&fast, &shapes[k], "cpu", false);
        build(&ref, &shapes[k], large ? "cpu" : "ref", large);
        assert_int_equal(plan_count(fast.plan, "cpu.strided"), OUTPUTS);
        fill(&fast, whole);
        run(&fast, &fast);
        run(&ref, &fast);
        for (int i = 0; i < OUTPUTS; i++) {
            const double d = difference(&fast, &ref, i);
            const double most = whole && i != TANH && shapes[k].whole ? 0 : 4e-6;
            if (!(d <= most)) {
                fail_msg("shape %zu, %s: off by %g of the largest", k, what[i], d);
            }
        }
        close_trial(&fast);
        close_trial(&ref);
    }
}

static void integers_are_exact(void **state)
{
    (void)state;
    check(true);
}

static void normal_operands_lose_little(void **state)
{
    (void)state;
    check(false);
}

static void exact_plans_have_none(void **state)
{
    (void)state;
    struct trial t = {0};
    build(&t, &shapes[0], "cpu", true);
    assert_int_equal(plan_count(t.plan, "cpu.strided"), 0);
    close_trial(&t);
}

/* What is no number stays none behind an activation, and infinities keep their limits. */
static void activations_keep_what_is_not_finite(void **state)
{
    (void)state;
    if (gan__strided(2) == NULL) {
        skip();
    }
    for (int tile = 2; tile <= 4; tile += 2) {
        float m[GAN_STRIDED_MOST_PLACES * GAN_STRIDED_PANEL] = {NAN, -INFINITY, INFINITY, -2};
        float y[GAN_STRIDED_PANEL];
        float *const pixel[GAN_STRIDED_MOST_TILE * GAN_STRIDED_MOST_TILE] = {y};
        struct gan__strided_end end = {.act = GAN_STRIDED_RELU, .slope = 0.5f};
        gan__strided(tile)->output(m, GAN_STRIDED_PANEL, pixel, &end);
        assert_true(isnan(y[0]) && y[1] == 0 && y[2] == INFINITY && y[3] == 0);
        end.act = GAN_STRIDED_LEAKY;
        gan__strided(tile)->output(m, GAN_STRIDED_PANEL, pixel, &end);
        assert_true(isnan(y[0]) && y[1] == -INFINITY && y[2] == INFINITY && y[3] == -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers_are_exact),
                                       cmocka_unit_test(normal_operands_lose_little),
                                       cmocka_unit_test(exact_plans_have_none),
                                       cmocka_unit_test(activations_keep_what_is_not_finite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
