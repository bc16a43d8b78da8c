/* test_cpu_kernels.c: cpu kernels on tensors large enough for blocks, tiles and threads, against the
 * reference; own kernels give the same bits for 1, 2 and 3 threads. The op suite has the small
 * shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gan/plan.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A graph over feeds x and y; cpu may differ by `tolerance` of the largest value. */
struct build {
    const char *name;
    gan_shape x, y; /* rank -1: no y */
    gan_val (*make)(gan_graph *g, gan_val x, gan_val y);
    double tolerance;
    bool threads_keep_bits;
};

static gan_val sum_channels(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_sum(g, x, 7, false);
}

static gan_val sum_pixels(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_sum(g, x, 6, false);
}

static gan_val sum_last(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_sum(g, x, 14, false);
}

static gan_val sum_all(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_sum_all(g, x);
}

static gan_val sum_groups(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_sum(g, x, 10, false);
}

static gan_val max_pixels(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_reduce_max(g, x, 6, false);
}

static gan_val max_last(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_reduce_max(g, x, 8, false);
}

/* x_hat, mean and variance in one value, and the derivative of a function of x_hat. */
static gan_val norm(gan_graph *g, gan_val x, uint32_t axes)
{
    struct gan_normalized n = gan_normalize(g, x, axes, 1e-5);
    gan_val all = gan_add(g, gan_add(g, n.x_hat, n.mean), n.var), dx;
    gan_val w = gan_mul(g, n.x_hat, gan_square(g, gan_shift(g, n.x_hat, 0.5)));
    gan_grad(g, gan_sum_all(g, w), &x, 1, &dx);
    gan_val parts[] = {all, dx};
    return gan_concat(g, parts, 2, 0);
}

static gan_val norm_batch(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return norm(g, x, 7);
}

static gan_val norm_instance(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return norm(g, x, 6);
}

static gan_val norm_layer(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return norm(g, x, 14);
}

static gan_val norm_group(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return norm(g, x, 10);
}

static gan_val to_nchw(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_transpose(g, x, (const int[]){0, 3, 1, 2});
}

static gan_val mixed_axes(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_transpose(g, x, (const int[]){2, 0, 3, 1});
}

static gan_val over_pixels(gan_graph *g, gan_val x, gan_val y)
{
    return gan_mul(g, gan_broadcast(g, y, gan_shape_get(g, x)), x);
}

static gan_val spread(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_broadcast(g, x, GAN_SHAPE(17, 30, 20, 12));
}

static gan_val joined(gan_graph *g, gan_val x, gan_val y)
{
    gan_val parts[] = {x, y, x};
    return gan_concat(g, parts, 3, 3);
}

static gan_val cut(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_slice(g, x, (const int64_t[]){1, 2, 0, 3}, (const int64_t[]){15, 20, 20, 7});
}

/* Padding and its adjoint. */
static gan_val padded(gan_graph *g, gan_val x, gan_pad_mode mode)
{
    const int64_t before[] = {0, 2, 3, 0}, after[] = {0, 1, 4, 0};
    gan_val y = gan_pad(g, x, before, after, mode), dx;
    gan_grad(g, gan_sum_all(g, gan_square(g, y)), &x, 1, &dx);
    gan_val parts[] = {gan_reshape(g, y, GAN_SHAPE(-1)), gan_reshape(g, dx, GAN_SHAPE(-1))};
    return gan_concat(g, parts, 2, 0);
}

static gan_val pad_zero(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return padded(g, x, GAN_PAD_ZERO);
}

static gan_val pad_reflect(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return padded(g, x, GAN_PAD_REFLECT);
}

static gan_val pad_edge(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return padded(g, x, GAN_PAD_EDGE);
}

static gan_val rows(gan_graph *g, gan_val x, gan_val y)
{
    gan_val index = gan_cast(g, gan_scale(g, gan_abs(g, y), 9.0), GAN_I32);
    gan_val some = gan_gather(g, x, index);
    gan_val back = gan_scatter_add(g, index, some, 19);
    gan_val hot = gan_one_hot(g, index, 11);
    gan_val top = gan_cast(g, gan_argmax(g, x, 1), gan_graph_real(g));
    gan_val parts[] = {gan_reshape(g, back, GAN_SHAPE(-1)), gan_reshape(g, hot, GAN_SHAPE(-1)),
                       gan_reshape(g, top, GAN_SHAPE(-1))};
    return gan_concat(g, parts, 3, 0);
}

/* All three directions of a convolution, with bias and activation behind two of them. */
static gan_val conv(gan_graph *g, gan_val x, gan_val w, struct gan_conv c)
{
    gan_val bias = gan_slice_axis(g, gan_reshape(g, w, GAN_SHAPE(-1)), 0, 0, gan_dim(g, w, 0));
    gan_val y = gan_leaky_relu(g, gan_add(g, gan_conv2d(g, x, w, c), bias), 0.2);
    gan_val wrt[] = {x, w}, d[2];
    gan_grad(g, gan_sum_all(g, gan_square(g, y)), wrt, 2, d);
    gan_val back = gan_tanh(
        g,
        gan_shift(g, gan_conv2d_input_grad(g, y, w, c, gan_dim(g, x, 1), gan_dim(g, x, 2)), 0.1));
    gan_val parts[] = {gan_reshape(g, y, GAN_SHAPE(-1)), gan_reshape(g, d[0], GAN_SHAPE(-1)),
                       gan_reshape(g, gan_scale(g, d[1], 0.05), GAN_SHAPE(-1)),
                       gan_reshape(g, back, GAN_SHAPE(-1))};
    return gan_concat(g, parts, 4, 0);
}

static gan_val conv_stride_2(gan_graph *g, gan_val x, gan_val w)
{
    return conv(g, x, w, (struct gan_conv){2, 2, 1, 1, 1, 1, 1, 1, 1});
}

static gan_val conv_same(gan_graph *g, gan_val x, gan_val w)
{
    return conv(g, x, w, (struct gan_conv){1, 1, 1, 1, 1, 1, 1, 1, 1});
}

static gan_val conv_uneven(gan_graph *g, gan_val x, gan_val w)
{
    return conv(g, x, w, (struct gan_conv){2, 1, 0, 2, 3, 1, 1, 1, 1});
}

static gan_val conv_dilated(gan_graph *g, gan_val x, gan_val w)
{
    return conv(g, x, w, (struct gan_conv){1, 1, 2, 2, 2, 2, 2, 2, 1});
}

static gan_val conv_whole(gan_graph *g, gan_val x, gan_val w)
{
    return conv(g, x, w, (struct gan_conv){1, 1, 0, 0, 0, 0, 1, 1, 1});
}

static gan_val random_image(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_add(g, x, gan_random_normal(g, "z", gan_shape_get(g, x)));
}

static gan_val random_flat(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return gan_add(g, x, gan_random_uniform(g, "u", gan_shape_get(g, x)));
}

static gan_val soft(gan_graph *g, gan_val x, gan_val y)
{
    gan_val parts[] = {gan_softmax(g, x), gan_log_softmax(g, x),
                       gan_mul(g, y, gan_reshape(g, gan_logsumexp(g, x), GAN_SHAPE(300, 1)))};
    return gan_concat(g, parts, 3, 1);
}

static gan_val pools(gan_graph *g, gan_val x, gan_val y)
{
    const struct gan_pool p = {3, 3, 2, 2, 1, 1, 1, 1};
    (void)y;
    gan_val s = gan_add(g, gan_avg_pool(g, x, p), gan_max_pool(g, x, p)), dx;
    gan_grad(g, gan_sum_all(g, gan_square(g, s)), &x, 1, &dx);
    gan_val parts[] = {gan_reshape(g, s, GAN_SHAPE(-1)), gan_reshape(g, dx, GAN_SHAPE(-1))};
    return gan_concat(g, parts, 2, 0);
}

static gan_val resized(gan_graph *g, gan_val x, gan_resize_mode mode)
{
    gan_val y = gan_resize(g, x, 40, 27, mode), dx;
    gan_grad(g, gan_sum_all(g, gan_square(g, y)), &x, 1, &dx);
    gan_val parts[] = {gan_reshape(g, y, GAN_SHAPE(-1)), gan_reshape(g, dx, GAN_SHAPE(-1))};
    return gan_concat(g, parts, 2, 0);
}

static gan_val resize_nearest(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return resized(g, x, GAN_RESIZE_NEAREST);
}

static gan_val resize_bilinear(gan_graph *g, gan_val x, gan_val y)
{
    (void)y;
    return resized(g, x, GAN_RESIZE_BILINEAR);
}

/* Sums in f64 here and there, rounded once: 1e-6. Normalisation adds a few roundings: 1e-5.
 * Convolutions sum in f32 in the library's order: 2e-5. Moves are exact. */
#define IMAGES                                                                                     \
    {                                                                                              \
        4,                                                                                         \
        {                                                                                          \
            17, 30, 20, 12                                                                         \
        }                                                                                          \
    }
#define NONE                                                                                       \
    {                                                                                              \
        -1,                                                                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
static const struct build builds[] = {
    {"sum channels", IMAGES, NONE, sum_channels, 1e-6, true},
    {"sum channels of 1", {4, {33, 32, 32, 1}}, NONE, sum_channels, 1e-6, true},
    {"sum channels of 3", {4, {8, 32, 31, 3}}, NONE, sum_channels, 1e-6, true},
    {"sum channels of 300", {4, {8, 6, 7, 300}}, NONE, sum_channels, 1e-6, true},
    {"sum pixels", IMAGES, NONE, sum_pixels, 1e-6, true},
    {"sum last", IMAGES, NONE, sum_last, 1e-6, true},
    {"sum all", IMAGES, NONE, sum_all, 1e-6, true},
    {"sum groups", IMAGES, NONE, sum_groups, 1e-6, true},
    {"max pixels", IMAGES, NONE, max_pixels, 0.0, true},
    {"max last", IMAGES, NONE, max_last, 0.0, true},
    {"batch norm", IMAGES, NONE, norm_batch, 1e-5, true},
    {"batch norm of 1", {4, {33, 32, 32, 1}}, NONE, norm_batch, 1e-5, true},
    {"instance norm", IMAGES, NONE, norm_instance, 1e-5, true},
    {"layer norm", IMAGES, NONE, norm_layer, 1e-5, true},
    {"group norm", IMAGES, NONE, norm_group, 1e-5, true},
    {"transpose to NCHW", IMAGES, NONE, to_nchw, 0.0, true},
    {"transpose", IMAGES, NONE, mixed_axes, 0.0, true},
    {"broadcast over pixels", IMAGES, {4, {17, 1, 1, 12}}, over_pixels, 0.0, true},
    {"broadcast", {4, {17, 1, 20, 1}}, NONE, spread, 0.0, true},
    {"concat", IMAGES, {4, {17, 30, 20, 5}}, joined, 0.0, true},
    {"slice", IMAGES, NONE, cut, 0.0, true},
    {"pad zero", IMAGES, NONE, pad_zero, 0.0, true},
    {"pad reflect", IMAGES, NONE, pad_reflect, 1e-6, true},
    {"pad edge", IMAGES, NONE, pad_edge, 2e-6, true},
    {"rows", {2, {17, 3000}}, {1, {40}}, rows, 1e-6, true},
    {"softmax", {2, {300, 117}}, {2, {300, 1}}, soft, 2e-6, true},
    {"pools", IMAGES, NONE, pools, 1e-6, true},
    {"resize nearest", IMAGES, NONE, resize_nearest, 1e-6, true},
    {"resize bilinear", IMAGES, NONE, resize_bilinear, 2e-6, true},
    {"random normal", IMAGES, NONE, random_image, 0.0, true},
    {"random normal of 1", {4, {33, 32, 31, 1}}, NONE, random_image, 0.0, true},
    {"random uniform", {2, {70, 1001}}, NONE, random_flat, 0.0, true},
    {"conv", {4, {6, 20, 16, 24}}, {4, {40, 24, 4, 4}}, conv_stride_2, 2e-5, false},
    {"conv from 3", {4, {7, 32, 32, 3}}, {4, {32, 3, 4, 4}}, conv_stride_2, 2e-5, false},
    {"conv from 1", {4, {7, 40, 33, 1}}, {4, {16, 1, 5, 5}}, conv_same, 2e-5, false},
    {"conv to 3", {4, {5, 30, 21, 32}}, {4, {3, 32, 3, 3}}, conv_same, 2e-5, false},
    {"conv to 2, 7x7", {4, {3, 22, 21, 32}}, {4, {2, 32, 7, 7}}, conv_same, 2e-5, false},
    {"conv uneven", {4, {5, 19, 23, 5}}, {4, {18, 5, 3, 5}}, conv_uneven, 2e-5, false},
    {"conv uneven, few", {4, {5, 19, 23, 2}}, {4, {18, 2, 3, 5}}, conv_uneven, 2e-5, false},
    {"conv dilated", {4, {5, 19, 23, 2}}, {4, {18, 2, 3, 3}}, conv_dilated, 2e-5, false},
    {"conv of all", {4, {64, 4, 4, 33}}, {4, {100, 33, 4, 4}}, conv_whole, 2e-5, false},
    {"conv of all to 1", {4, {64, 4, 4, 33}}, {4, {1, 33, 4, 4}}, conv_whole, 2e-5, false},
};

static float *numbers(const gan_shape *s, uint32_t seed)
{
    int64_t n = s->rank >= 0 ? gan_shape_count(s) : 1;
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
    return x;
}

/* A copy of the result. */
static float *result(const struct build *b, const float *x, const float *y, const char *backend,
                     int threads, int64_t *n)
{
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val a = gan_feed(g, "x", GAN_F32, b->x), c = a;
    union {
        const float *in;
        void *out;
    } px = {.in = x}, py = {.in = y};
    struct gan_feed_data feeds[] = {{"x", {GAN_F32, b->x, px.out}}, {"y", {GAN_F32, b->y, py.out}}};
    if (b->y.rank >= 0) {
        c = gan_feed(g, "y", GAN_F32, b->y);
    }
    gan_val out = b->make(g, a, c);
    struct gan_plan_opts o = {.backend = backend, .threads = threads, .verify = true};
    gan_plan *p = gan_plan_new(g, &out, 1, &o, &err);
    struct gan_run run = {.seed = 9, .feeds = feeds, .n_feeds = b->y.rank >= 0 ? 2 : 1};
    if (p == NULL || gan_plan_run(p, &run, &err) != GAN_OK) {
        fail_msg("%s: %s", b->name, err.message);
    }
    const gan_tensor *t = gan_plan_output(p, 0);
    *n = gan_shape_count(&t->shape);
    float *copy = malloc((size_t)*n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, t->data, (size_t)*n * sizeof *copy);
    gan_plan_free(p);
    gan_graph_free(g);
    return copy;
}

static void compare(const struct build *b, const float *got, const float *want, int64_t n)
{
    double largest = 0.0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)want[i]));
    }
    assert_true(largest > 0.0 && isfinite(largest));
    for (int64_t i = 0; i < n; i++) {
        double off = fabs((double)got[i] - (double)want[i]);
        if (!(off <= b->tolerance * largest)) {
            fail_msg("%s: element %lld is %.9g, the reference %.9g; largest %.3g, tolerance %g",
                     b->name, (long long)i, (double)got[i], (double)want[i], largest, b->tolerance);
        }
    }
}

static void kernels_match_reference(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof builds / sizeof *builds; k++) {
        const struct build *b = &builds[k];
        int64_t n = 0;
        float *x = numbers(&b->x, 3), *y = numbers(&b->y, 4);
        float *want = result(b, x, y, "ref", 2, &n), *one = NULL;
        for (int threads = 1; threads <= 3; threads++) {
            float *got = result(b, x, y, "cpu", threads, &n);
            compare(b, got, want, n);
            if (one == NULL) {
                one = got;
                continue;
            }
            if (b->threads_keep_bits && memcmp(one, got, (size_t)n * sizeof *got) != 0) {
                fail_msg("%s: %d threads change bits", b->name, threads);
            }
            free(got);
        }
        free(one);
        free(want);
        free(x);
        free(y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kernels_match_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
