/* test_nn_apply.c: networks applied: other parameter values, running statistics from version to version,
 * dropout, averages of weights, geometry of convolutions. All in f64 on `ref`; tolerance 1e-12 where
 * only rounding differs. */
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>

#include "base/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"

enum { N = 6, F = 4 };

static double noise(int i) /* numbers without pattern in (-1, 1) */
{
    uint32_t u = (uint32_t)i * 2654435761u + 97;
    u ^= u >> 15;
    u *= 2246822519u;
    u ^= u >> 13;
    return (double)u / 2147483648.0 - 1;
}

static void fill(double *dst, int n, int from)
{
    for (int i = 0; i < n; i++) {
        dst[i] = noise(from + i);
    }
}

static const gan_tensor *entry(const gan_store *st, const char *name)
{
    const gan_state *s = gan_store_at(st, gan_store_find(st, name));
    assert_non_null(s);
    return &s->value;
}

static double number(const gan_store *st, const char *name, int i)
{
    return gan_tensor_get(entry(st, name), i);
}

static gan_net *declare(gan_store *st, gan_net_fn fn, const void *opts, gan_shape in)
{
    gan_err err = {0};
    gan_net *net = gan_net_new(
        st,
        &(struct gan_net_desc){
            .name = "t", .fn = fn, .opts = opts, .in = {{.shape = in}}, .n_in = 1, .real = GAN_F64},
        &err);
    assert_string_equal(err.message, "");
    assert_int_equal(gan_net_init(net, 1, &err), GAN_OK);
    return net;
}

static gan_plan *compile(gan_graph *g, const gan_val *out, int n)
{
    gan_err err = {0};
    gan_plan *p = gan_plan_new(g, out, n, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    gan_graph_free(g);
    return p;
}

/* Feeds "x" (and "y"), runs once. */
static void run(gan_plan *p, gan_tensor x, const gan_tensor *y, uint64_t iteration)
{
    struct gan_feed_data feeds[2] = {{"x", x}, {"y", {0}}};
    gan_err err = {0};
    if (y != NULL) {
        feeds[1].value = *y;
    }
    struct gan_run args = {.seed = 3, .iteration = iteration, .feeds = feeds, .n_feeds = y ? 2 : 1};
    if (gan_plan_run(p, &args, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

/* --- parameters as values ------------------------------------------------------------------------------- */

static void two_linear(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_val h = gan_linear(nn, "a", in[0], (struct gan_linear){.out = 5, .bias = true});
    out[0] = gan_linear(nn, "b", gan_tanh(gan_nn_graph(nn), h), (struct gan_linear){.out = 2});
}

/* Applied to half of its parameters a network gives what it gives once the store holds the halves, and
 * derivatives reach the values that were given. */
static void test_other_values(void **state)
{
    (void)state;
    double data[N * F], first[N * 2];
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, two_linear, NULL, GAN_SHAPE(1, F));
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val x = gan_feed(g, "x", GAN_F64, GAN_SHAPE(N, F)), out[4], weights[3], half[3];
    assert_int_equal(gan_net_weights(g, net, NULL, weights), 3);
    for (int i = 0; i < 3; i++) {
        half[i] = gan_scale(g, weights[i], 0.5);
    }
    gan_net_apply(g, net, &(struct gan_params){half}, GAN_TRAIN, &x, &out[0]);
    gan_net_apply(g, net, NULL, GAN_TRAIN, &x, &out[1]);
    gan_grad(g, gan_sum_all(g, out[0]), &half[0], 1, &out[2]);
    gan_grad(g, gan_sum_all(g, out[0]), &weights[0], 1, &out[3]);
    gan_plan *p = compile(g, out, 4);
    fill(data, N * F, 0);
    const gan_tensor t = {GAN_F64, GAN_SHAPE(N, F), data};
    run(p, t, NULL, 0);
    memcpy(first, gan_plan_output(p, 0)->data, sizeof first);
    for (int i = 0; i < 5 * F; i++) { /* chain rule through the factor */
        double to_half = gan_tensor_get(gan_plan_output(p, 2), i);
        assert_true(to_half != 0);
        assert_close(gan_tensor_get(gan_plan_output(p, 3), i), 0.5 * to_half, 1e-15);
    }
    assert_memory_not_equal(first, gan_plan_output(p, 1)->data, sizeof first);
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_tensor *w = &gan_store_at(st, i)->value;
        for (int64_t k = 0; k < gan_shape_count(&w->shape); k++) {
            gan_tensor_set(w, k, 0.5 * gan_tensor_get(w, k));
        }
    }
    run(p, t, NULL, 0);
    assert_memory_equal(first, gan_plan_output(p, 1)->data, sizeof first);
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

static void shared(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_val h = gan_linear(nn, "l", in[0], (struct gan_linear){.out = F});
    out[0] = gan_linear(nn, "l", h, (struct gan_linear){.out = F});
}

/* A name asked for twice is one parameter. */
static void test_shared(void **state)
{
    (void)state;
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, shared, NULL, GAN_SHAPE(1, F));
    assert_int_equal(gan_net_count(net), 1);
    assert_int_equal(gan_net_params(net), F * F);
    gan_net_free(net);
    gan_store_free(st);
}

/* --- running statistics ----------------------------------------------------------------------------------- */

static void batch_norm(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan_norm *o = opts;
    out[0] = gan_batch_norm(nn, "n", in[0], *o);
}

/* Mean and unbiased variance of column j. */
static void column(const double *x, int rows, int j, double *mean, double *var)
{
    *mean = *var = 0;
    for (int i = 0; i < rows; i++) {
        *mean += x[i * F + j] / rows;
    }
    for (int i = 0; i < rows; i++) {
        double d = x[i * F + j] - *mean;
        *var += d * d / (rows - 1);
    }
}

/* Two applications in one graph chain two updates, as a discriminator on reals and then on fakes. */
static void test_chain(void **state)
{
    (void)state;
    const struct gan_norm o = {.momentum = 0.25};
    double x[N * F], y[2 * N * F];
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, batch_norm, &o, GAN_SHAPE(1, F));
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val in[2] = {gan_feed(g, "x", GAN_F64, GAN_SHAPE(N, F)),
                     gan_feed(g, "y", GAN_F64, GAN_SHAPE(2 * N, F))};
    gan_val out[2];
    for (int i = 0; i < 2; i++) {
        gan_net_apply(g, net, NULL, GAN_TRAIN, &in[i], &out[i]);
    }
    gan_plan *p = compile(g, out, 2);
    fill(x, N * F, 0);
    fill(y, 2 * N * F, 1000);
    const gan_tensor second = {GAN_F64, GAN_SHAPE(2 * N, F), y};
    double mean[F] = {0}, var[F] = {1, 1, 1, 1};
    for (uint64_t step = 0; step < 2; step++) {
        run(p, (gan_tensor){GAN_F64, GAN_SHAPE(N, F), x}, &second, step);
        for (int j = 0; j < F; j++) {
            double m, v;
            column(x, N, j, &m, &v);
            mean[j] += 0.25 * (m - mean[j]);
            var[j] += 0.25 * (v - var[j]);
            column(y, 2 * N, j, &m, &v);
            mean[j] += 0.25 * (m - mean[j]);
            var[j] += 0.25 * (v - var[j]);
            assert_close(number(st, "t.n.running_mean", j), mean[j], 1e-14);
            assert_close(number(st, "t.n.running_var", j), var[j], 1e-14);
        }
    }
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

/* Neither evaluation nor batch statistics write state; batch statistics normalise as training does;
 * statistics given as values are read and not written. */
static void test_modes(void **state)
{
    (void)state;
    const struct gan_norm o = {.affine = GAN_NO};
    double x[N * F];
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, batch_norm, &o, GAN_SHAPE(1, F));
    assert_int_equal(gan_net_count(net), 2);
    assert_int_equal(gan_net_params(net), 0);
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val in = gan_feed(g, "x", GAN_F64, GAN_SHAPE(N, F)), out[4];
    const gan_val given[] = {gan_fill(g, 0.5, GAN_SHAPE(F)), gan_fill(g, 4, GAN_SHAPE(F))};
    const struct gan_params params = {given};
    gan_net_apply(g, net, NULL, GAN_EVAL, &in, &out[0]);
    gan_net_apply(g, net, NULL, GAN_BATCH_STATS, &in, &out[1]);
    gan_net_apply(g, net, &params, GAN_EVAL, &in, &out[2]);
    gan_net_apply(g, net, &params, GAN_TRAIN, &in, &out[3]);
    gan_plan *p = compile(g, out, 4);
    fill(x, N * F, 7);
    run(p, (gan_tensor){GAN_F64, GAN_SHAPE(N, F), x}, NULL, 0);
    for (int i = 0; i < N * F; i++) {
        double m, v;
        column(x, N, i % F, &m, &v);
        double hat = (x[i] - m) / sqrt(v * (N - 1) / N + 1e-5);
        assert_close(gan_tensor_get(gan_plan_output(p, 0), i), x[i] / sqrt(1 + 1e-5), 1e-14);
        assert_close(gan_tensor_get(gan_plan_output(p, 1), i), hat, 1e-12);
        assert_close(gan_tensor_get(gan_plan_output(p, 2), i), (x[i] - 0.5) / sqrt(4 + 1e-5),
                     1e-14);
        assert_close(gan_tensor_get(gan_plan_output(p, 3), i), hat, 1e-12);
    }
    for (int j = 0; j < F; j++) {
        assert_close(number(st, "t.n.running_mean", j), 0, 0);
        assert_close(number(st, "t.n.running_var", j), 1, 0);
    }
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

/* A NaN in one channel leaves that channel's statistics as they were, the others move on. */
static void test_statistics_guard(void **state)
{
    (void)state;
    const struct gan_norm o = {0};
    double x[N * F];
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, batch_norm, &o, GAN_SHAPE(1, F));
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val in = gan_feed(g, "x", GAN_F64, GAN_SHAPE(N, F)), out;
    gan_net_apply(g, net, NULL, GAN_TRAIN, &in, &out);
    gan_plan *p = compile(g, &out, 1);
    fill(x, N * F, 7);
    x[2 * F + 1] = (double)NAN;
    run(p, (gan_tensor){GAN_F64, GAN_SHAPE(N, F), x}, NULL, 0);
    for (int j = 0; j < F; j++) {
        assert_true((number(st, "t.n.running_mean", j) == 0) == (j == 1));
        assert_true((number(st, "t.n.running_var", j) == 1) == (j == 1));
    }
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

/* Training on one value per channel is refused: its unbiased variance is 0/0. */
static void test_single_value(void **state)
{
    (void)state;
    const struct gan_norm o = {0};
    for (int mode = GAN_TRAIN; mode <= GAN_BATCH_STATS; mode++) {
        gan_store *st = gan_store_new();
        gan_net *net = declare(st, batch_norm, &o, GAN_SHAPE(1, F));
        gan_graph *g = gan_graph_new(st, GAN_F64);
        gan_val in = gan_feed(g, "x", GAN_F64, GAN_SHAPE(1, F)), out;
        gan_net_apply(g, net, NULL, (gan_mode)mode, &in, &out);
        assert_int_equal(gan_graph_status(g, NULL), mode == GAN_TRAIN ? GAN_E_SHAPE : GAN_OK);
        gan_graph_free(g);
        gan_net_free(net);
        gan_store_free(st);
    }
}

enum { H = 3, W = 2, C = 2 };

static void instance_norm(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_instance_norm(nn, "n", in[0], (struct gan_norm){.running = true});
}

/* Running statistics of instance norm are means over the samples of each sample's own. */
static void test_instance_running(void **state)
{
    (void)state;
    double x[2][H * W][C], mean[C] = {0}, var[C] = {0};
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, instance_norm, NULL, GAN_SHAPE(1, H, W, C));
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val in = gan_feed(g, "x", GAN_F64, GAN_SHAPE(2, H, W, C)), out[2];
    gan_net_apply(g, net, NULL, GAN_TRAIN, &in, &out[0]);
    gan_net_apply(g, net, NULL, GAN_EVAL, &in, &out[1]); /* reads what the first wrote */
    gan_plan *p = compile(g, out, 2);
    fill(&x[0][0][0], 2 * H * W * C, 50);
    run(p, (gan_tensor){GAN_F64, GAN_SHAPE(2, H, W, C), x}, NULL, 0);
    for (int c = 0; c < C; c++) {
        for (int n = 0; n < 2; n++) {
            double m = 0;
            for (int i = 0; i < H * W; i++) {
                m += x[n][i][c] / (H * W);
            }
            mean[c] += m / 2;
            for (int i = 0; i < H * W; i++) {
                var[c] += (x[n][i][c] - m) * (x[n][i][c] - m) / (H * W - 1) / 2;
            }
        }
        mean[c] *= 0.1;
        var[c] = 0.9 + 0.1 * var[c];
        assert_close(number(st, "t.n.running_mean", c), mean[c], 1e-14);
        assert_close(number(st, "t.n.running_var", c), var[c], 1e-14);
        assert_close(gan_tensor_get(gan_plan_output(p, 1), c),
                     (x[0][0][c] - mean[c]) / sqrt(var[c] + 1e-5), 1e-12);
    }
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

/* --- dropout ----------------------------------------------------------------------------------------------- */

enum { DN = 40, DH = 5, DC = 30 };

static void dropout(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_dropout(nn, "d", in[0], 0.25);
    out[1] = gan_dropout(nn, "d", in[0], 0.25);
    out[2] = gan_dropout_channels(nn, "c", in[0], 0.25);
}

/* Elements are 0 or x/(1-p); the rate is p within five sigma; two uses of a name draw anew; channels go
 * as wholes; another iteration has another mask; evaluation is the identity. */
static void test_dropout(void **state)
{
    (void)state;
    enum { COUNT = DN * DH * DC };
    static double x[COUNT], before[COUNT];
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, dropout, NULL, GAN_SHAPE(1, DH, 1, DC));
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val in = gan_feed(g, "x", GAN_F64, GAN_SHAPE(DN, DH, 1, DC)), out[6];
    gan_net_apply(g, net, NULL, GAN_TRAIN, &in, out);
    gan_net_apply(g, net, NULL, GAN_EVAL, &in, out + 3);
    gan_plan *p = compile(g, out, 6);
    fill(x, COUNT, 0);
    const gan_tensor t = {GAN_F64, GAN_SHAPE(DN, DH, 1, DC), x};
    run(p, t, NULL, 0);
    for (int k = 0; k < 3; k++) {
        const double *y = gan_plan_output(p, k)->data;
        int zeros = 0;
        for (int i = 0; i < COUNT; i++) {
            zeros += y[i] == 0;
            assert_true(y[i] == 0 || fabs(y[i] - x[i] / 0.75) <= 1e-15);
            if (k == 2 && i >= DC && i / DC % DH != 0) { /* as the row above, same channel */
                assert_true((y[i] == 0) == (y[i - DC] == 0));
            }
        }
        double draws = k == 2 ? DN * DC : COUNT;
        assert_close((double)zeros / COUNT, 0.25, 5 * sqrt(0.25 * 0.75 / draws));
        assert_memory_equal(x, gan_plan_output(p, 3 + k)->data, sizeof x);
    }
    memcpy(before, gan_plan_output(p, 0)->data, sizeof before);
    assert_memory_not_equal(before, gan_plan_output(p, 1)->data, sizeof before);
    run(p, t, NULL, 1);
    assert_memory_not_equal(before, gan_plan_output(p, 0)->data, sizeof before);
    run(p, t, NULL, 0);
    assert_memory_equal(before, gan_plan_output(p, 0)->data, sizeof before);
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

/* --- geometry ---------------------------------------------------------------------------------------------- */

static void conv(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan_conv_layer *o = opts;
    out[0] = gan_conv(nn, "l", in[0], *o);
}

static void conv_transpose(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan_conv_layer *o = opts;
    out[0] = gan_conv_transpose(nn, "l", in[0], *o);
}

static void check_shape(gan_net_fn fn, struct gan_conv_layer o, gan_shape in, gan_shape want)
{
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, fn, &o, in);
    gan_shape got = gan_net_out_shape(net, 0);
    char a[96], b[96];
    assert_string_equal(gan_shape_text(&got, a, sizeof a), gan_shape_text(&want, b, sizeof b));
    gan_net_free(net);
    gan_store_free(st);
}

static void test_shapes(void **state)
{
    (void)state;
    const struct gan_conv_layer same = {
        .out = 3, .kernel = 5, .stride = 2, .pad = 1, .pad_extra = 1};
    check_shape(conv, same, GAN_SHAPE(1, 8, 12, 2), GAN_SHAPE(1, 4, 6, 3));
    check_shape(conv_transpose, same, GAN_SHAPE(1, 4, 6, 2), GAN_SHAPE(1, 8, 12, 3));
    check_shape(
        conv, (struct gan_conv_layer){.out = 1, .kernel = 3, .kernel_w = 1, .pad = 1, .pad_w = -1},
        GAN_SHAPE(1, 5, 7, 2), GAN_SHAPE(1, 5, 7, 1));
    check_shape(
        conv, (struct gan_conv_layer){.out = 4, .kernel = 7, .pad = 3, .pad_mode = GAN_PAD_REFLECT},
        GAN_SHAPE(1, 9, 8, 2), GAN_SHAPE(1, 9, 8, 4));
    check_shape(
        conv_transpose,
        (struct gan_conv_layer){
            .out = 4, .kernel = 3, .stride = 3, .dilation = 2, .output_pad = 2, .groups = 2},
        GAN_SHAPE(1, 4, 5, 6), GAN_SHAPE(1, 16, 19, 4));
}

/* <conv(x), y> = <x, convT(y)> for the same weight: OIHW read as IOHW. */
static void test_adjoint(void **state)
{
    (void)state;
    enum { IN = 2, OUT = 3, SIZE = 8, SMALL = 4 };
    const struct gan_conv_layer down = {
        .out = OUT, .kernel = 5, .stride = 2, .pad = 1, .pad_extra = 1};
    struct gan_conv_layer up = down;
    double x[SIZE * SIZE * IN], y[SMALL * SMALL * OUT];
    gan_store *st = gan_store_new(), *other = gan_store_new();
    gan_net *a = declare(st, conv, &down, GAN_SHAPE(1, SIZE, SIZE, IN));
    up.out = IN;
    gan_net *b = declare(other, conv_transpose, &up, GAN_SHAPE(1, SMALL, SMALL, OUT));
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_val in[2] = {gan_feed(g, "x", GAN_F64, GAN_SHAPE(1, SIZE, SIZE, IN)),
                     gan_feed(g, "y", GAN_F64, GAN_SHAPE(1, SMALL, SMALL, OUT))};
    gan_val weight, shrunk, grown, out[2];
    gan_net_weights(g, a, NULL, &weight);
    gan_net_apply(g, a, NULL, GAN_EVAL, &in[0], &shrunk);
    gan_net_apply(g, b, &(struct gan_params){&weight}, GAN_EVAL, &in[1], &grown);
    out[0] = gan_sum_all(g, gan_mul(g, shrunk, in[1]));
    out[1] = gan_sum_all(g, gan_mul(g, grown, in[0]));
    gan_plan *p = compile(g, out, 2);
    fill(x, SIZE * SIZE * IN, 0);
    fill(y, SMALL * SMALL * OUT, 500);
    run(p, (gan_tensor){GAN_F64, GAN_SHAPE(1, SIZE, SIZE, IN), x},
        &(gan_tensor){GAN_F64, GAN_SHAPE(1, SMALL, SMALL, OUT), y}, 0);
    double left = gan_tensor_get(gan_plan_output(p, 0), 0);
    assert_true(fabs(left) > 1e-3);
    assert_close(left, gan_tensor_get(gan_plan_output(p, 1), 0), 1e-13);
    gan_plan_free(p);
    gan_net_free(a);
    gan_net_free(b);
    gan_store_free(st);
    gan_store_free(other);
}

/* --- averages ---------------------------------------------------------------------------------------------- */

/* avg += rate (w - avg) over three steps; the averages serve as parameters; a reset copies the weights. */
static void test_ema(void **state)
{
    (void)state;
    enum { WEIGHTS = 3 };
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, two_linear, NULL, GAN_SHAPE(1, F));
    double x[N * F];
    gan_graph *g = gan_graph_new(st, GAN_F64);
    gan_ema_apply(g, net, "ema", gan_scalar_feed(g, "rate"));
    gan_val in = gan_feed(g, "x", GAN_F64, GAN_SHAPE(N, F)), values[WEIGHTS], out[2];
    gan_ema_values(g, net, "ema", values);
    gan_net_apply(g, net, &(struct gan_params){values}, GAN_EVAL, &in, &out[0]);
    gan_net_apply(g, net, NULL, GAN_EVAL, &in, &out[1]);
    gan_plan *p = compile(g, out, 2);
    fill(x, N * F, 0);
    const gan_tensor *w = entry(st, "t.a.weight"), *avg = entry(st, "ema.t.a.weight");
    assert_memory_equal(w->data, avg->data, gan_tensor_bytes(w));
    double want = gan_tensor_get(w, 3);
    for (int step = 0; step < 3; step++) {
        const double rate = 0.1 * (step + 1);
        gan_tensor_set(w, 3, step);
        want += rate * (step - want);
        const struct gan_feed_data feed = {"x", {GAN_F64, GAN_SHAPE(N, F), x}};
        const struct gan_scalar_data scalar = {"rate", rate};
        struct gan_run args = {.feeds = &feed, .n_feeds = 1, .scalars = &scalar, .n_scalars = 1};
        assert_int_equal(gan_plan_run(p, &args, NULL), GAN_OK);
        assert_close(gan_tensor_get(avg, 3), want, 1e-15);
        assert_memory_not_equal(gan_plan_output(p, 0)->data, gan_plan_output(p, 1)->data,
                                sizeof(double));
    }
    assert_int_equal(gan_ema_reset(st, net, "ema", NULL), GAN_OK);
    assert_memory_equal(w->data, avg->data, gan_tensor_bytes(w));
    assert_int_equal(gan_store_at(st, gan_store_find(st, "ema.t.a.weight"))->kind,
                     GAN_STATE_AVERAGE);
    gan_plan_free(p);
    gan_net_free(net);
    gan_store_free(st);
}

/* --- memory ------------------------------------------------------------------------------------------------ */

static void everything(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_conv(nn, "c", in[0],
                         (struct gan_conv_layer){.out = 4, .kernel = 3, .pad = 1, .bias = true});
    x = gan_leaky_relu(g, gan_batch_norm(nn, "b", x, (struct gan_norm){0}), 0.2);
    x = gan_group_norm(nn, "g", x, (struct gan_norm){.groups = 2});
    x = gan_dropout(nn, "d", gan_flatten(g, x), 0.5);
    out[0] = gan_maxout(nn, "m", x, (struct gan_maxout){.units = 1, .pieces = 2});
}

static gan_status build_update(gan_store *st, const gan_net *net)
{
    const char *names[16];
    gan_val weights[16], grads[16], y;
    struct gan_optim o;
    struct gan_update u;
    gan_graph *g = gan_graph_new(st, GAN_F64);
    if (g == NULL) {
        return GAN_E_NOMEM;
    }
    assert_int_equal(gan_optim_parse("adam", &o, NULL), GAN_OK);
    gan_val x = gan_feed(g, "x", GAN_F64, GAN_SHAPE(2, 4, 4, 3));
    gan_net_apply(g, net, NULL, GAN_TRAIN, &x, &y);
    int n = gan_net_weights(g, net, names, weights);
    gan_grad(g, gan_mean_all(g, y), weights, n, grads);
    gan_optim_apply(g, &o,
                    &(struct gan_optim_args){
                        .phase = "t", .names = names, .params = weights, .grads = grads, .n = n},
                    &u);
    gan_ema_apply(g, net, "ema", gan_scalar_feed(g, "rate"));
    gan_status s = gan_graph_status(g, NULL);
    gan_graph_free(g);
    return s;
}

/* Building a whole update while every n-th allocation fails: the right code, nothing leaked. */
static void test_out_of_memory(void **state)
{
    (void)state;
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        uint64_t live = gan__alloc_stats().live;
        gan_store *st = gan_store_new();
        gan_net *net = declare(st, everything, NULL, GAN_SHAPE(1, 4, 4, 3));
        gan__alloc_fail_at(n);
        gan_status s = build_update(st, net);
        gan__alloc_fail_at(0);
        assert_true(s == GAN_OK || s == GAN_E_NOMEM);
        done = s == GAN_OK;
        gan_net_free(net);
        gan_store_free(st);
        assert_int_equal(gan__alloc_stats().live, live);
        assert_true(n < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_values),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_statistics_guard),
        cmocka_unit_test(test_single_value),
        cmocka_unit_test(test_instance_running),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_adjoint),
        cmocka_unit_test(test_ema),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
