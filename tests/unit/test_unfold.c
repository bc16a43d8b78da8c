/* test_unfold.c: weight gradients with few results in bf16 and f32, against the reference in f64.
 * The products are oneDNN's: a build without it has no such kernel.
 *
 * Tolerance: none. Images and gradients are integers up to 3, exact in bf16, and the sums stay far
 * below 2^24, so every order of adding gives the same f32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gan_config.h"
#include <gan/plan.h>

struct shape {
    int64_t n, h, w, in, out, kernel;
    struct gan_conv c;
};

/* Strides, uneven paddings, dilation; taps below, of and above a vector; a single result. */
static const struct shape shapes[] = {
    {2, 5, 6, 128, 32, 3, {.pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1}},
    {3,
     8,
     8,
     64,
     48,
     4,
     {.stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1}},
    {2, 7, 9, 48, 64, 5, {.stride_w = 2, .pad_top = 2, .pad_left = 1, .pad_right = 3}},
    {1, 9, 9, 32, 80, 7, {.pad_top = 3, .pad_right = 3}},
    {4, 9, 11, 128, 32, 3, {.dilation_h = 2, .dilation_w = 3}},
    {4,
     2,
     2,
     512,
     64,
     4,
     {.stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1}},
};

static gan_plan *build(const struct shape *s, const char *backend, const char *precision,
                       gan_shape *dy)
{
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(s->n, s->h, s->w, s->in));
    gan_val w = gan_feed(g, "w", GAN_F32, GAN_SHAPE(s->out, s->in, s->kernel, s->kernel));
    gan_val y = gan_conv2d(g, x, w, s->c);
    *dy = gan_shape_get(g, y);
    gan_val d = gan_feed(g, "d", GAN_F32, *dy), dw;
    gan_grad(g, gan_sum_all(g, gan_mul(g, y, d)), &w, 1, &dw);
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .threads = 2, .precision = precision};
    gan_plan *p = gan_plan_new(g, &dw, 1, &o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
    return p;
}

static float *integers(int64_t n, uint32_t seed)
{
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(seed >> 24) % 7 - 3);
    }
    return x;
}

static const float *result(gan_plan *p, const struct shape *s, float *x, float *d, gan_shape dy)
{
    const gan_shape xs = GAN_SHAPE(s->n, s->h, s->w, s->in);
    struct gan_feed_data feeds[] = {{"x", {.dtype = GAN_F32, .shape = xs, .data = x}},
                                    {"d", {.dtype = GAN_F32, .shape = dy, .data = d}}};
    gan_err err = {0};
    struct gan_run r = {.feeds = feeds, .n_feeds = 2};
    if (gan_plan_run(p, &r, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return gan_plan_output(p, 0)->data;
}

static void check(const char *precision)
{
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const struct shape *s = &shapes[k];
        gan_shape dy;
        gan_plan *ref = build(s, "ref", "f32", &dy), *cpu = build(s, "cpu", precision, &dy);
        float *x = integers(s->n * s->h * s->w * s->in, 1), *d = integers(gan_shape_count(&dy), 2);
        char *text = gan_plan_dump(cpu, GAN_DUMP_TEXT);
        assert_non_null(text);
        if (strstr(text, "unfold") == NULL) {
            fail_msg("shape %zu: another kernel: %s", k, text);
        }
        gan_text_free(text);
        const float *want = result(ref, s, x, d, dy), *got = result(cpu, s, x, d, dy);
        const int64_t n = s->out * s->in * s->kernel * s->kernel;
        for (int64_t i = 0; i < n; i++) {
            if (want[i] != got[i]) {
                fail_msg("shape %zu, weight %lld: %a, not %a", k, (long long)i, (double)got[i],
                         (double)want[i]);
            }
        }
        free(x);
        free(d);
        gan_plan_free(ref);
        gan_plan_free(cpu);
    }
}

static void gradients_are_exact(void **state)
{
    (void)state;
    if (!GAN_HAVE_ONEDNN) {
        skip();
    }
    check("f32");
}

static void half_gradients_are_exact(void **state)
{
    (void)state;
    if (!GAN_HAVE_ONEDNN || !gan_bf16_works()) {
        skip();
    }
    check("bf16");
}

/* Forward in f32: weights read as they lie; with bias and activation too. */
static void results_are_exact(void **state)
{
    (void)state;
    if (!GAN_HAVE_ONEDNN) {
        skip();
    }
    const gan_shape xs = GAN_SHAPE(3, 4, 5, 256), ws = GAN_SHAPE(272, 256, 4, 4);
    const struct gan_conv c = {
        .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1};
    float *x = integers(gan_shape_count(&xs), 1), *w = integers(gan_shape_count(&ws), 2);
    float *b = integers(272, 3);
    struct gan_feed_data feeds[] = {{"x", {.dtype = GAN_F32, .shape = xs, .data = x}},
                                    {"w", {.dtype = GAN_F32, .shape = ws, .data = w}},
                                    {"b", {.dtype = GAN_F32, .shape = GAN_SHAPE(272), .data = b}}};
    gan_plan *plan[2];
    for (int k = 0; k < 2; k++) {
        gan_graph *g = gan_graph_new(NULL, GAN_F32);
        gan_val v = gan_feed(g, "x", GAN_F32, xs), u = gan_feed(g, "w", GAN_F32, ws);
        gan_val bias = gan_feed(g, "b", GAN_F32, GAN_SHAPE(272)), out[2];
        out[0] = gan_conv2d(g, v, u, c);
        out[1] = gan_leaky_relu(g, gan_add(g, gan_conv2d(g, gan_neg(g, v), u, c), bias), 0.5);
        gan_err err = {0};
        struct gan_plan_opts o = {.backend = k == 0 ? "ref" : "cpu", .threads = 2};
        plan[k] = gan_plan_new(g, out, 2, &o, &err);
        if (!plan[k] || gan_plan_run(plan[k], &(struct gan_run){.feeds = feeds, .n_feeds = 3},
                                     &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
        gan_graph_free(g);
    }
    char *text = gan_plan_dump(plan[1], GAN_DUMP_TEXT);
    assert_non_null(text);
    assert_non_null(strstr(text, "cpu.unfold conv2d("));
    assert_non_null(strstr(text, "cpu.unfold conv2d_post("));
    gan_text_free(text);
    for (int i = 0; i < 2; i++) {
        const gan_tensor *want = gan_plan_output(plan[0], i), *got = gan_plan_output(plan[1], i);
        for (int64_t e = 0; e < gan_shape_count(&want->shape); e++) {
            assert_true(gan_tensor_get(got, e) == gan_tensor_get(want, e));
        }
    }
    gan_plan_free(plan[0]);
    gan_plan_free(plan[1]);
    free(x);
    free(w);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_are_exact),
                                       cmocka_unit_test(half_gradients_are_exact),
                                       cmocka_unit_test(results_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
