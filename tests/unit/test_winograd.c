/* test_winograd.c: 3x3 convolutions of the cpu backend, whichever kernel it picks, against the
 * reference in f64.
 *
 * Tolerance: 5e-6 of the largest result (1e-6 measured). F(4x4,3x3) multiplies by constants up to 8 and adds up to
 * 36 terms of alternating sign, which costs about one digit of f32's seven.
 *
 * bf16: 1e-2 of the largest result and .006 of its root mean square (.0045 and .0046 at 256 channels). Operands and
 * transformed operands are rounded to 8 bits, each a relative error of at most 2^-9 and .0011 in
 * the mean; F(2x2,3x3) adds four of them of either sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/philox.h"
#include "engine/kernels/half.h"
#include "support/plan_count.h"
#include <gan/plan.h>

struct shape {
    int64_t n, size, in, out, pad, pad_after;
};

/* Sizes that are no multiple of the tile, and paddings that differ. */
static const struct shape shapes[] = {{2, 28, 64, 64, 1, 1},
                                      {1, 33, 64, 96, 1, 1},
                                      {3, 25, 64, 64, 0, 0},
                                      {1, 33, 96, 64, 0, 1},
                                      {1, 29, 128, 64, 2, 0}};

enum { OUTPUTS = 4 };

static void fill(float *x, int64_t n, uint64_t key)
{
    struct gan__rng rng;
    gan__rng_init(&rng, key);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)gan__rng_normal(&rng);
    }
}

/* y, leaky_relu(y + b), dL/dx and dL/dw of L = sum(y^2)/2. */
static gan_plan *build(const struct shape *s, const char *backend, bool exact,
                       const char *precision)
{
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(s->n, s->size, s->size, s->in));
    gan_val w = gan_feed(g, "w", GAN_F32, GAN_SHAPE(s->out, s->in, 3, 3));
    gan_val b = gan_feed(g, "b", GAN_F32, GAN_SHAPE(s->out));
    struct gan_conv c = {.pad_top = s->pad,
                         .pad_bottom = s->pad_after,
                         .pad_left = s->pad,
                         .pad_right = s->pad_after};
    gan_val y = gan_conv2d(g, x, w, c), wrt[] = {x, w}, out[OUTPUTS];
    out[0] = y;
    gan_val again = gan_conv2d(g, gan_scale(g, x, 0.5), w, c);
    out[1] = gan_leaky_relu(g, gan_add(g, again, b), 0.2);
    gan_grad(g, gan_scale(g, gan_sum_all(g, gan_square(g, y)), 0.5), wrt, 2, out + 2);
    gan_err err = {0};
    struct gan_plan_opts o = {
        .backend = backend, .threads = 2, .exact = exact, .precision = precision};
    gan_plan *p = gan_plan_new(g, out, OUTPUTS, &o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
    return p;
}

/* Plans of one shape, and what they read. */
struct trial {
    const struct shape *shape;
    float *x, *w, *b;
    gan_plan *fast, *exact, *ref;
};

static void run(const struct trial *t, gan_plan *p)
{
    const struct shape *s = t->shape;
    struct gan_feed_data feeds[] = {
        {"x", {GAN_F32, GAN_SHAPE(s->n, s->size, s->size, s->in), t->x}},
        {"w", {GAN_F32, GAN_SHAPE(s->out, s->in, 3, 3), t->w}},
        {"b", {GAN_F32, GAN_SHAPE(s->out), t->b}}};
    gan_err err = {0};
    if (gan_plan_run(p, &(struct gan_run){.feeds = feeds, .n_feeds = 3}, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

/* Largest and mean error, both relative. */
static void agree(const gan_tensor *got, const gan_tensor *want, double most, double mean,
                  const char *what)
{
    int64_t n = gan_shape_count(&want->shape);
    double largest = 0, worst = 0, sum = 0, error = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = gan_tensor_get(want, i), e = gan_tensor_get(got, i) - v;
        largest = fmax(largest, fabs(v));
        worst = fmax(worst, fabs(e));
        sum += v * v;
        error += e * e;
    }
    assert_true(sum > 0);
    if (!(worst <= most * largest) || !(sqrt(error / sum) <= mean)) {
        fail_msg("%s: off by %g of the largest, %g in the mean", what, worst / largest,
                 sqrt(error / sum));
    }
}

static void trial_open(struct trial *t, const struct shape *s, const char *precision)
{
    int64_t n_x = s->n * s->size * s->size * s->in, n_w = s->out * s->in * 9;
    *t = (struct trial){.shape = s,
                        .x = malloc((size_t)n_x * sizeof(float)),
                        .w = malloc((size_t)n_w * sizeof(float)),
                        .b = malloc((size_t)s->out * sizeof(float)),
                        .fast = build(s, "cpu", false, precision),
                        .exact = build(s, "cpu", true, precision),
                        .ref = build(s, "ref", false, "f32")};
    fill(t->x, n_x, 1);
    fill(t->w, n_w, 2);
    fill(t->b, s->out, 3);
    run(t, t->fast);
    run(t, t->ref);
    assert_int_equal(plan_count(t->exact, "winograd"), 0);
}

static void trial_close(struct trial *t)
{
    gan_plan_free(t->fast);
    gan_plan_free(t->exact);
    gan_plan_free(t->ref);
    free(t->x);
    free(t->w);
    free(t->b);
}

static const char *const what[OUTPUTS] = {"forward", "bias and activation", "data gradient",
                                          "weight gradient"};

static void matches_reference(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct trial t;
        trial_open(&t, &shapes[k], "f32");
        run(&t, t.exact);
        for (int i = 0; i < OUTPUTS; i++) {
            const gan_tensor *want = gan_plan_output(t.ref, i);
            agree(gan_plan_output(t.fast, i), want, 5e-6, (double)INFINITY, what[i]);
            agree(gan_plan_output(t.exact, i), want, 3e-6, (double)INFINITY, what[i]);
        }
        if (plan_count(t.fast, "cpu.winograd") == 0) {
            print_message("shape %d: this library or CPU has no Winograd\n", (int)k);
        }
        trial_close(&t);
    }
}

static void half_matches_reference(void **state)
{
    (void)state;
    if (!gan_bf16_works() || !gan__half_lanes()->fast) {
        skip();
    }
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct trial t;
        trial_open(&t, &shapes[k], "bf16");
        for (int i = 0; i < OUTPUTS; i++) {
            agree(gan_plan_output(t.fast, i), gan_plan_output(t.ref, i), 1e-2, 6e-3, what[i]);
        }
        assert_int_equal(plan_count(t.fast, "cpu.winograd"), OUTPUTS);
        trial_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches_reference),
                                       cmocka_unit_test(half_matches_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
