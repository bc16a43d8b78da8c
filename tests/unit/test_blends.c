/* test_blends.c: pooling, resize and the gradient of padding pass bf16 on.
 *
 * op(x^2) feeds a convolution of bf16. Tolerance: one rounding to bf16, 2^-9 of the number: pixels are
 * -1, 0 or 1, and so are weights; what the operation reads is exact in bf16 and its sums in f32 are
 * exact. The gradient is compared in sums over a row, against the sum of sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <gan/plan.h>

enum { N = 2, SIDE = 30, CHANNELS = 16 };

static gan_val halve(gan_graph *g, gan_val x)
{
    return gan_avg_pool(g, x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
}

static gan_val largest(gan_graph *g, gan_val x)
{
    return gan_max_pool(g, x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
}

static gan_val nearest(gan_graph *g, gan_val x)
{
    return gan_resize(g, x, 2 * SIDE, 2 * SIDE, GAN_RESIZE_NEAREST);
}

static gan_val bilinear(gan_graph *g, gan_val x)
{
    return gan_resize(g, x, 2 * SIDE, 2 * SIDE, GAN_RESIZE_BILINEAR);
}

static gan_val reflect(gan_graph *g, gan_val x)
{
    const int64_t before[] = {0, 3, 2, 0}, after[] = {0, 1, 3, 0};
    return gan_pad(g, x, before, after, GAN_PAD_REFLECT);
}

static const struct {
    gan_val (*build)(gan_graph *g, gan_val x);
    const char *forward, *backward; /* kernels of bf16 in the plan */
} table[] = {{halve, " avg_pool(bf16", " avg_pool_grad(bf16"},
             {largest, " max_pool(bf16", " max_pool_grad(f32"},
             {nearest, " resize(bf16", " resize_grad(bf16"},
             {bilinear, " resize(bf16", " resize_grad(bf16"},
             {reflect, " pad(bf16", " pad_grad(bf16"}};

static gan_plan *build(size_t k, const char *backend, const char *precision)
{
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(N, SIDE, SIDE, CHANNELS));
    gan_val w = gan_feed(g, "w", GAN_F32, GAN_SHAPE(CHANNELS, CHANNELS, 3, 3));
    gan_val y = gan_conv2d(g, table[k].build(g, gan_square(g, x)), w, (struct gan_conv){0}), out[3];
    out[0] = y;
    gan_val dx;
    gan_grad(g, gan_sum_all(g, gan_relu(g, y)), &x, 1, &dx); /* relu's gradient is 0 or 1 */
    out[1] = gan_sum(g, dx, 1u << 2, true);                  /* an output itself would stay f32 */
    out[2] = gan_sum(g, gan_abs(g, dx), 1u << 2, true);
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .threads = 2, .precision = precision};
    gan_plan *p = gan_plan_new(g, out, 3, &o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
    return p;
}

static void fill(float *x, int64_t n, uint32_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(seed >> 24) % 3 - 1);
    }
}

/* size: of what was rounded, NULL: the result itself. */
static void agree(const gan_tensor *got, const gan_tensor *want, const gan_tensor *size,
                  const char *what)
{
    double largest_seen = 0;
    for (int64_t i = 0; i < gan_shape_count(&want->shape); i++) {
        const double a = gan_tensor_get(got, i), b = gan_tensor_get(want, i);
        largest_seen = fmax(largest_seen, fabs(b));
        const double rounded = size != NULL ? gan_tensor_get(size, i) : fabs(b);
        if (!(fabs(a - b) <= ldexp(rounded, -9))) {
            fail_msg("%s, element %lld: %g, not %g", what, (long long)i, a, b);
        }
    }
    assert_true(largest_seen > 0);
}

static void bf16_passes_through(void **state)
{
    (void)state;
    if (!gan_bf16_works()) {
        skip();
    }
    static float x[N * SIDE * SIDE * CHANNELS], w[CHANNELS * CHANNELS * 9];
    fill(x, (int64_t)(sizeof x / sizeof *x), 1);
    fill(w, (int64_t)(sizeof w / sizeof *w), 2);
    struct gan_feed_data feeds[] = {
        {"x", {.dtype = GAN_F32, .shape = GAN_SHAPE(N, SIDE, SIDE, CHANNELS), .data = x}},
        {"w", {.dtype = GAN_F32, .shape = GAN_SHAPE(CHANNELS, CHANNELS, 3, 3), .data = w}}};
    struct gan_run r = {.feeds = feeds, .n_feeds = 2};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        gan_plan *cpu = build(k, "cpu", "bf16"), *ref = build(k, "ref", "f32");
        gan_err err = {0};
        if (gan_plan_run(cpu, &r, &err) != GAN_OK || gan_plan_run(ref, &r, &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
        char *text = gan_plan_dump(cpu, GAN_DUMP_TEXT);
        assert_non_null(text);
        if (!strstr(text, table[k].forward) || !strstr(text, table[k].backward)) {
            fail_msg("%s or %s is missing: %s", table[k].forward, table[k].backward, text);
        }
        gan_text_free(text);
        agree(gan_plan_output(cpu, 0), gan_plan_output(ref, 0), NULL, table[k].forward);
        agree(gan_plan_output(cpu, 1), gan_plan_output(ref, 1), gan_plan_output(ref, 2),
              table[k].backward);
        gan_plan_free(cpu);
        gan_plan_free(ref);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bf16_passes_through)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
