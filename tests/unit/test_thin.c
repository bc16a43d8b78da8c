/* test_thin.c: products of a batch with a layer's weights on the cpu backend, against the reference
 * in f64, with bias and every activation; for any number of threads the same bits.
 *
 * Tolerance: 2e-5 of the largest result. A chain of k fused multiply-adds errs by k 2^-24 of the sum
 * of magnitudes at worst, 6e-5 at k = 1024; signs are random, which leaves a tenth of that.
 * That the tiles served is read from the plan where the machine has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/philox.h"
#include "engine/kernels/thin.h"
#include <gan/plan.h>

/* Outputs that are no multiple of 6, 16 or 64, several runs of 64 samples, the least inner extent;
 * the last two are not served: a batch of 60, inputs that end in the middle of a block. */
static const struct shape {
    int64_t m, n, k;
    bool served, back; /* forward; data gradient */
} shapes[] = {{64, 784, 1024, true, true},  {64, 304, 784, true, true},
              {128, 257, 528, true, false}, {192, 515, 256, true, false},
              {64, 512, 2048, true, true},  {60, 512, 512, false, false},
              {64, 512, 520, false, false}};

enum { OUTPUTS = 7, FORWARD = 6 };

static void fill(float *x, int64_t n, uint64_t key)
{
    struct gan__rng rng;
    gan__rng_init(&rng, key);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)gan__rng_normal(&rng);
    }
}

/* x w', each activation of (scaled x) w' + b, and d w. */
static gan_plan *build(const struct shape *s, const char *backend, int threads)
{
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(s->m, s->k));
    gan_val w = gan_feed(g, "w", GAN_F32, GAN_SHAPE(s->n, s->k));
    gan_val b = gan_feed(g, "b", GAN_F32, GAN_SHAPE(1, s->n)), out[OUTPUTS];
    gan_val d = gan_feed(g, "d", GAN_F32, GAN_SHAPE(s->m, s->n));
    out[0] = gan_matmul(g, x, w, false, true);
    for (int i = 1; i < FORWARD; i++) {
        gan_val part = gan_scale(g, x, 0.02 * i);
        out[i] = gan_add(g, gan_matmul(g, part, w, false, true), b);
    }
    out[2] = gan_relu(g, out[2]);
    out[3] = gan_leaky_relu(g, out[3], 0.2);
    out[4] = gan_tanh(g, out[4]);
    out[5] = gan_sigmoid(g, out[5]);
    out[6] = gan_matmul(g, d, w, false, false);
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .threads = threads, .verify = true};
    gan_plan *p = gan_plan_new(g, out, OUTPUTS, &o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
    return p;
}

static void run(gan_plan *p, const struct shape *s, float *x, float *w, float *b, float *d)
{
    struct gan_feed_data feeds[] = {{"x", {GAN_F32, GAN_SHAPE(s->m, s->k), x}},
                                    {"w", {GAN_F32, GAN_SHAPE(s->n, s->k), w}},
                                    {"b", {GAN_F32, GAN_SHAPE(1, s->n), b}},
                                    {"d", {GAN_F32, GAN_SHAPE(s->m, s->n), d}}};
    gan_err err = {0};
    if (gan_plan_run(p, &(struct gan_run){.feeds = feeds, .n_feeds = 4}, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

static void close_to(const gan_tensor *is, const gan_tensor *want, const char *what)
{
    double scale = 0;
    int64_t n = gan_shape_count(&want->shape);
    for (int64_t i = 0; i < n; i++) {
        scale = fmax(scale, fabs(gan_tensor_get(want, i)));
    }
    for (int64_t i = 0; i < n; i++) {
        double d = fabs(gan_tensor_get(is, i) - gan_tensor_get(want, i));
        if (!(d <= 2e-5 * scale)) {
            fail_msg("%s: element %lld is off by %g of %g", what, (long long)i, d, scale);
        }
    }
}

/* Steps of the plan that the tiles serve. */
static int served(const gan_plan *p)
{
    char *text = gan_plan_dump(p, GAN_DUMP_TEXT);
    int n = 0;
    assert_non_null(text);
    for (const char *at = text; (at = strstr(at, "cpu.thin matmul")); at++) {
        n++;
    }
    gan_text_free(text);
    return n;
}

static void compare(const struct shape *s)
{
    float *x = malloc((size_t)(s->m * s->k) * sizeof *x);
    float *w = malloc((size_t)(s->n * s->k) * sizeof *w);
    float *b = malloc((size_t)s->n * sizeof *b);
    float *d = malloc((size_t)(s->m * s->n) * sizeof *d);
    assert_true(x && w && b && d);
    fill(d, s->m * s->n, 4);
    fill(x, s->m * s->k, 1);
    fill(w, s->n * s->k, 2);
    fill(b, s->n, 3);
    gan_plan *ref = build(s, "ref", 1), *cpu[3];
    run(ref, s, x, w, b, d);
    for (int t = 0; t < 3; t++) {
        cpu[t] = build(s, "cpu", t + 1);
        assert_int_equal(served(cpu[t]),
                         gan__thin() ? (s->served ? FORWARD : 0) + (s->back ? 1 : 0) : 0);
        run(cpu[t], s, x, w, b, d);
        for (int i = 0; i < OUTPUTS; i++) {
            const gan_tensor *y = gan_plan_output(cpu[t], i);
            close_to(y, gan_plan_output(ref, i),
                     i > 0 && i < FORWARD ? "bias and activation" : "product");
            if (t > 0 && gan__thin() && (i < FORWARD ? s->served : s->back)) {
                assert_memory_equal(y->data, gan_plan_output(cpu[0], i)->data, gan_tensor_bytes(y));
            }
        }
    }
    for (int t = 0; t < 3; t++) {
        gan_plan_free(cpu[t]);
    }
    gan_plan_free(ref);
    free(x);
    free(w);
    free(b);
    free(d);
}

static void test_products(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        compare(&shapes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
