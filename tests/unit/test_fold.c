/* test_fold.c: bf16 convolutions into few channels and out of few, all three directions, against the reference.
 *
 * Tolerance: none. Images, weights and gradients are -1, 0 or 1; sums of the results that are stored in
 * bf16 stay within its 256 exact integers (seven standard deviations), those of the weight gradient
 * far below 2^24. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kernels/half.h"
#include "support/plan_count.h"
#include <gan/plan.h>

struct shape {
    int64_t n, h, w, in, out, kernel;
    struct gan_conv c;
    int folds, few, ones; /* directions that these kernels serve */
};

#define PADS(K) .pad_top = K, .pad_bottom = K, .pad_left = K, .pad_right = K

/* Results of few channels: a fold forward; inputs of few channels: for the data gradient. What reads few
 * channels and writes a multiple of 16, and both kinds of weight gradient, are products of windows. */
static const struct shape shapes[] = {
    {1, 90, 50, 48, 3, 7, {0}, 1, 2, 0}, /* blocks of rows */
    {3, 13, 9, 64, 3, 3, {PADS(1)}, 1, 2, 0},
    {3, 31, 15, 34, 1, 4, {.pad_top = 1, .pad_bottom = 2, .pad_left = 3}, 1, 1, 0},
    {2, 15, 17, 16, 8, 5, {.pad_top = 6, .pad_bottom = 1, .pad_right = 5}, 1, 2, 0},
    {2, 34, 33, 3, 32, 4, {.stride_h = 2, .stride_w = 2, PADS(1)}, 1, 2, 0},
    {1, 70, 70, 3, 32, 7, {PADS(3)}, 1, 2, 0},
    {7, 29, 26, 1, 40, 3, {.stride_w = 3, .pad_top = 2}, 1, 1, 0},
    {4, 15, 15, 96, 1, 4, {PADS(1)}, 0, 2, 1},
    {1, 23, 170, 64, 1, 3, {.pad_top = 7, .pad_bottom = 1, .pad_left = 9}, 0, 2, 1},
    {3, 33, 31, 1, 96, 3, {PADS(1)}, 0, 2, 1}, /* odd rows of taps */
    {3, 33, 31, 1, 80, 3, {PADS(1)}, 1, 2, 0}, /* half a panel */
    {9, 28, 28, 1, 32, 5, {.stride_h = 2, .stride_w = 2, PADS(2)}, 0, 2, 1},
    {1, 128, 119, 1, 64, 4, {.stride_h = 2, .stride_w = 3, PADS(1)}, 0, 2, 1},
    {1, 12, 700, 2, 16, 3, {PADS(1)}, 1, 2, 0}, /* a row of more pairs than a block */
};

/* (b + y)^2 of the convolution with its bias, so that y may be stored in bf16; both gradients. */
static gan_plan *build(const struct shape *s, const char *backend, const char *precision,
                       gan_shape *dy)
{
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(s->n, s->h, s->w, s->in));
    gan_val w = gan_feed(g, "w", GAN_F32, GAN_SHAPE(s->out, s->in, s->kernel, s->kernel));
    gan_val b = gan_feed(g, "b", GAN_F32, GAN_SHAPE(s->out));
    gan_val y = gan_conv2d(g, x, w, s->c), wrt[] = {x, w}, out[3], grad[2];
    *dy = gan_shape_get(g, y);
    gan_val d = gan_feed(g, "d", GAN_F32, *dy);
    gan_grad(g, gan_sum_all(g, gan_mul(g, y, d)), wrt, 2, grad);
    out[0] = gan_square(g, gan_leaky_relu(g, gan_add(g, y, b), 0.5));
    out[1] = gan_square(g, grad[0]);
    out[2] = grad[1];
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .threads = 2, .precision = precision};
    gan_plan *p = gan_plan_new(g, out, 3, &o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
    return p;
}

static float *signs(int64_t n, uint32_t seed)
{
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(seed >> 24) % 3 - 1);
    }
    return x;
}

static void agree(const gan_tensor *got, const gan_tensor *want, size_t k, const char *what)
{
    for (int64_t i = 0; i < gan_shape_count(&want->shape); i++) {
        const double a = gan_tensor_get(got, i), b = gan_tensor_get(want, i);
        if (a != b) {
            fail_msg("shape %zu, %s, element %lld: %g, not %g", k, what, (long long)i, a, b);
        }
    }
}

static void folds_are_exact(void **state)
{
    (void)state;
    if (!gan_bf16_works() || !gan__half_lanes()->fast) {
        skip();
    }
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const struct shape *s = &shapes[k];
        gan_shape dy;
        gan_plan *ref = build(s, "ref", "f32", &dy), *cpu = build(s, "cpu", "bf16", &dy);
        if (plan_count(cpu, "cpu.fold") != s->folds || plan_count(cpu, "cpu.few") != s->few ||
            plan_count(cpu, "cpu.one") != s->ones) {
            fail_msg("shape %zu: other kernels: %s", k, gan_plan_dump(cpu, GAN_DUMP_TEXT));
        }
        const gan_shape xs = GAN_SHAPE(s->n, s->h, s->w, s->in);
        const gan_shape ws = GAN_SHAPE(s->out, s->in, s->kernel, s->kernel);
        float *x = signs(gan_shape_count(&xs), 1), *w = signs(gan_shape_count(&ws), 2);
        float *b = signs(s->out, 3), *d = signs(gan_shape_count(&dy), 4);
        struct gan_feed_data feeds[] = {
            {"x", {.dtype = GAN_F32, .shape = xs, .data = x}},
            {"w", {.dtype = GAN_F32, .shape = ws, .data = w}},
            {"b", {.dtype = GAN_F32, .shape = GAN_SHAPE(s->out), .data = b}},
            {"d", {.dtype = GAN_F32, .shape = dy, .data = d}}};
        struct gan_run r = {.feeds = feeds, .n_feeds = 4};
        gan_err err = {0};
        if (gan_plan_run(ref, &r, &err) != GAN_OK || gan_plan_run(cpu, &r, &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
        agree(gan_plan_output(cpu, 0), gan_plan_output(ref, 0), k, "forward");
        agree(gan_plan_output(cpu, 1), gan_plan_output(ref, 1), k, "data gradient");
        agree(gan_plan_output(cpu, 2), gan_plan_output(ref, 2), k, "weight gradient");
        free(x);
        free(w);
        free(b);
        free(d);
        gan_plan_free(ref);
        gan_plan_free(cpu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(folds_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
