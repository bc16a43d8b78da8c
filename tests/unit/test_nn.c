/* test_nn.c: declaring networks: parameter counts of the published architectures, names, initialisers,
 * errors, and running out of memory. */
#include <gan/nn.h>

#include "base/alloc.h"
#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"

/* --- networks of the specification ------------------------------------------------------------------ */

static const char *local(char *dst, const char *prefix, int i)
{
    (void)gan__format(dst, 32, "%s.%d", prefix, i);
    return dst;
}

/* z [N,1,1,100] -> 64x64x3; main.0, main.1, .. as pytorch/examples */
static void dcgan_gen(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const int64_t *ngf = opts;
    char name[32];
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_conv_transpose(nn, "main.0", in[0],
                                   (struct gan_conv_layer){.out = 8 * *ngf, .kernel = 4});
    int i = 1;
    for (int64_t c = 8 * *ngf; c >= *ngf; c /= 2, i += 3) {
        x = gan_relu(g, gan_batch_norm(nn, local(name, "main", i), x, (struct gan_norm){0}));
        struct gan_conv_layer o = {.out = c > *ngf ? c / 2 : 3, .kernel = 4, .stride = 2, .pad = 1};
        x = gan_conv_transpose(nn, local(name, "main", i + 2), x, o);
    }
    out[0] = gan_tanh(g, x);
}

static void dcgan_disc(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const int64_t *ndf = opts;
    char name[32];
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_conv(nn, "main.0", in[0],
                         (struct gan_conv_layer){.out = *ndf, .kernel = 4, .stride = 2, .pad = 1});
    x = gan_leaky_relu(g, x, 0.2);
    int i = 2;
    for (int64_t c = 2 * *ndf; c <= 8 * *ndf; c *= 2, i += 3) {
        x = gan_conv(nn, local(name, "main", i), x,
                     (struct gan_conv_layer){.out = c, .kernel = 4, .stride = 2, .pad = 1});
        x = gan_batch_norm(nn, local(name, "main", i + 1), x, (struct gan_norm){0});
        x = gan_leaky_relu(g, x, 0.2);
    }
    x = gan_conv(nn, local(name, "main", i), x, (struct gan_conv_layer){.out = 1, .kernel = 4});
    out[0] = gan_flatten(g, x);
}

static void mlp_gen(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int64_t widths[] = {256, 512, 1024};
    char name[32];
    gan_graph *g = gan_nn_graph(nn);
    (void)opts;
    gan_val x = gan_linear(nn, "model.0", in[0], (struct gan_linear){.out = 128, .bias = true});
    x = gan_leaky_relu(g, x, 0.2);
    for (int i = 0; i < 3; i++) {
        x = gan_linear(nn, local(name, "model", 2 + 3 * i), x,
                       (struct gan_linear){.out = widths[i], .bias = true});
        x = gan_batch_norm(nn, local(name, "model", 3 + 3 * i), x, (struct gan_norm){0});
        x = gan_leaky_relu(g, x, 0.2);
    }
    x = gan_linear(nn, "model.11", x, (struct gan_linear){.out = 784, .bias = true});
    out[0] = gan_tanh(g, x);
}

static void mlp_disc(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    gan_graph *g = gan_nn_graph(nn);
    (void)opts;
    gan_val x = gan_linear(nn, "model.0", in[0], (struct gan_linear){.out = 512, .bias = true});
    x = gan_linear(nn, "model.2", gan_leaky_relu(g, x, 0.2),
                   (struct gan_linear){.out = 256, .bias = true});
    out[0] = gan_linear(nn, "model.4", gan_leaky_relu(g, x, 0.2),
                        (struct gan_linear){.out = 1, .bias = true});
}

/* 70x70 PatchGAN: conv k4 with bias where no batch norm follows */
static void patch_disc(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    char name[32];
    const bool *instance = opts;
    gan_val x = gan_conv(
        nn, "model.0", in[0],
        (struct gan_conv_layer){.out = 64, .kernel = 4, .stride = 2, .pad = 1, .bias = true});
    for (int i = 0; i < 3; i++) {
        struct gan_conv_layer o = {
            .out = 128 << i, .kernel = 4, .stride = i < 2 ? 2 : 1, .pad = 1, .bias = *instance};
        x = gan_conv(nn, local(name, "model", 2 + 3 * i), x, o);
        x = *instance
                ? gan_instance_norm(nn, local(name, "model", 3 + 3 * i), x, (struct gan_norm){0})
                : gan_batch_norm(nn, local(name, "model", 3 + 3 * i), x, (struct gan_norm){0});
    }
    out[0] = gan_conv(nn, "model.11", x,
                      (struct gan_conv_layer){.out = 1, .kernel = 4, .pad = 1, .bias = true});
}

static gan_net *declare(gan_store *st, const char *name, gan_net_fn fn, const void *opts,
                        gan_shape in)
{
    gan_err err = {0};
    gan_net *net =
        gan_net_new(st,
                    &(struct gan_net_desc){
                        .name = name, .fn = fn, .opts = opts, .in = {{.shape = in}}, .n_in = 1},
                    &err);
    assert_string_equal(err.message, "");
    return net;
}

/* Section 0 of the specification, worked out from the layer lists. */
static void test_counts(void **state)
{
    (void)state;
    const int64_t width = 64;
    const bool yes = true, no = false;
    const struct {
        gan_net_fn fn;
        const void *opts;
        gan_shape in;
        int64_t params;
    } nets[] = {
        {dcgan_gen, &width, GAN_SHAPE(1, 1, 1, 100), 3576704},
        {dcgan_disc, &width, GAN_SHAPE(1, 64, 64, 3), 2765568},
        {mlp_gen, NULL, GAN_SHAPE(1, 100), 1510032},
        {mlp_disc, NULL, GAN_SHAPE(1, 784), 533505},
        {patch_disc, &no, GAN_SHAPE(1, 256, 256, 6), 2768705},
        {patch_disc, &yes, GAN_SHAPE(1, 256, 256, 3), 2764737},
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        gan_store *st = gan_store_new();
        gan_net *net = declare(st, "net", nets[i].fn, nets[i].opts, nets[i].in);
        assert_int_equal(gan_net_params(net), nets[i].params);
        gan_net_free(net);
        gan_store_free(st);
    }
}

static void test_names(void **state)
{
    (void)state;
    const int64_t width = 4;
    gan_store *st = gan_store_new();
    gan_net *net = declare(st, "gen", dcgan_gen, &width, GAN_SHAPE(1, 1, 1, 100));
    static const char *const first[] = {"main.0.weight",      "main.1.weight",
                                        "main.1.bias",        "main.1.running_mean",
                                        "main.1.running_var", "main.3.weight"};
    for (int i = 0; i < 6; i++) { /* weight and bias come before the statistics they norm with */
        assert_true(gan_net_find(net, first[i]) >= 0);
    }
    const struct gan_param *p = gan_net_param(net, 0);
    assert_string_equal(p->name, "gen.main.0.weight");
    gan_shape iohw = GAN_SHAPE(100, 32, 4, 4), out = gan_net_out_shape(net, 0),
              image = GAN_SHAPE(1, 64, 64, 3);
    assert_true(gan_shape_equal(&p->shape, &iohw));
    assert_true(gan_shape_equal(&out, &image));
    assert_int_equal(gan_net_outputs(net), 1);
    assert_int_equal(gan_net_count(net), 5 + 4 * 4);
    assert_null(gan_net_param(net, gan_net_count(net)));
    assert_int_equal(gan_store_count(st), gan_net_count(net));
    const gan_state *s = gan_store_at(st, gan_store_find(st, "gen.main.1.running_var"));
    assert_int_equal(s->kind, GAN_STATE_STATISTIC);
    gan_net_free(net);
    gan_store_free(st);
}

/* --- initialisers -------------------------------------------------------------------------------------- */

struct one {
    const char *init;
    int64_t out;
    bool bias, norm;
};

static void one_linear(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct one *o = opts;
    out[0] = gan_linear(nn, "l", in[0], (struct gan_linear){.out = o->out, .bias = o->bias});
    if (o->norm) {
        out[0] = gan_batch_norm(nn, "n", out[0], (struct gan_norm){0});
    }
}

/* The filled entry of a network of one layer. */
static gan_net *filled(gan_store *st, const struct one *o, int64_t in, uint64_t seed)
{
    gan_err err = {0};
    gan_net *net = gan_net_new(st,
                               &(struct gan_net_desc){.name = "t",
                                                      .fn = one_linear,
                                                      .opts = o,
                                                      .in = {{.shape = GAN_SHAPE(2, in)}},
                                                      .n_in = 1,
                                                      .init = o->init},
                               &err);
    assert_string_equal(err.message, "");
    assert_int_equal(gan_net_init(net, seed, &err), GAN_OK);
    return net;
}

static const gan_tensor *entry(const gan_store *st, const char *name)
{
    const gan_state *s = gan_store_at(st, gan_store_find(st, name));
    assert_non_null(s);
    return &s->value;
}

/* of the sums over up to 60,000 numbers below */
static const double rounding = 1e-11;

struct moments {
    double mean, deviation, low, high;
};

static struct moments moments_of(const gan_tensor *t)
{
    struct moments m = {0, 0, (double)INFINITY, -(double)INFINITY};
    int64_t n = gan_shape_count(&t->shape);
    for (int64_t i = 0; i < n; i++) {
        double v = gan_tensor_get(t, i);
        m.mean += v / (double)n;
        m.low = fmin(m.low, v);
        m.high = fmax(m.high, v);
    }
    for (int64_t i = 0; i < n; i++) {
        double d = gan_tensor_get(t, i) - m.mean;
        m.deviation += d * d / (double)n;
    }
    m.deviation = sqrt(m.deviation);
    return m;
}

/* 300 x 200 numbers: the mean is known to deviation/245, the deviation to .3 % (one sigma, uniform laws
 * less). Tolerance: five of those. */
static void test_laws(void **state)
{
    (void)state;
    const double fan = 200, both = 500;
    const struct {
        const char *text;
        double mean, deviation, bound; /* bound 0: none */
    } laws[] = {
        {"normal:0,.02", 0, 0.02, 0},
        {"normal:1,.02", 1, 0.02, 0},
        {"uniform:.05", 0, 0.05 / sqrt(3), 0.05},
        {"xavier:1", 0, sqrt(2 / both), 0},
        {"xavier:2", 0, 2 * sqrt(2 / both), 0},
        {"he", 0, sqrt(2 / fan), 0},
        {"he-uniform", 0, sqrt(2 / fan), sqrt(6 / fan)},
        {"glorot-uniform:2", 0, 2 * sqrt(2 / both), 2 * sqrt(6 / both)},
        {"glorot-uniform:1,2", 0, sqrt(2 / 275.), sqrt(6 / 275.)}, /* 200 + 300/4 */
        {"torch", 0, 1 / sqrt(3 * fan), 1 / sqrt(fan)},
        {"dcgan", 0, 0.02, 0},
        {"constant:.25", 0.25, 0, 0},
    };
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        gan_store *st = gan_store_new();
        const struct one o = {laws[i].text, 300, false, false};
        gan_net *net = filled(st, &o, 200, 7);
        struct moments m = moments_of(entry(st, "t.l.weight"));
        assert_close(m.mean, laws[i].mean, 5 * laws[i].deviation / 245 + rounding);
        assert_close(m.deviation, laws[i].deviation, 0.015 * laws[i].deviation + rounding);
        if (laws[i].bound > 0) {
            assert_true(m.high <= laws[i].bound && m.high > 0.99 * laws[i].bound);
            assert_true(m.low >= -laws[i].bound && m.low < -0.99 * laws[i].bound);
        }
        gan_net_free(net);
        gan_store_free(st);
    }
}

/* What the roles start with under the two schemes and under a plain initialiser. */
static void test_roles(void **state)
{
    (void)state;
    static const char *const texts[] = {"torch", "dcgan", "normal:0,.02"};
    for (int i = 0; i < 3; i++) {
        gan_store *st = gan_store_new();
        const struct one o = {texts[i], 400, true, true};
        gan_net *net = filled(st, &o, 100, 1);
        struct moments bias = moments_of(entry(st, "t.l.bias"));
        struct moments scale = moments_of(entry(st, "t.n.weight"));
        struct moments offset = moments_of(entry(st, "t.n.bias"));
        assert_close(bias.high, i == 0 ? 0.1 : 0, i == 0 ? 0.003 : 0);
        assert_close(scale.mean, 1, i == 1 ? 0.005 : rounding);
        assert_close(scale.deviation, i == 1 ? 0.02 : 0, i == 1 ? 0.004 : rounding);
        assert_close(offset.deviation, 0, 0);
        assert_close(moments_of(entry(st, "t.n.running_mean")).high, 0, 0);
        assert_close(moments_of(entry(st, "t.n.running_var")).low, 1, 0);
        gan_net_free(net);
        gan_store_free(st);
    }
}

/* Rows (or columns) of an orthogonal weight are orthonormal times the gain; f32 storage: 1e-6. */
static void test_orthogonal(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{20, 50}, {50, 20}, {30, 30}};
    for (int k = 0; k < 3; k++) {
        gan_store *st = gan_store_new();
        const struct one o = {"orthogonal:2", sizes[k][0], false, false};
        gan_net *net = filled(st, &o, sizes[k][1], 3);
        const gan_tensor *w = entry(st, "t.l.weight");
        int64_t rows = sizes[k][0], columns = sizes[k][1];
        bool by_row = rows <= columns;
        int64_t n = by_row ? rows : columns, len = by_row ? columns : rows;
        for (int64_t a = 0; a < n; a++) {
            for (int64_t b = 0; b < n; b++) {
                double dot = 0;
                for (int64_t i = 0; i < len; i++) {
                    dot += gan_tensor_get(w, by_row ? a * columns + i : i * columns + a) *
                           gan_tensor_get(w, by_row ? b * columns + i : i * columns + b);
                }
                assert_close(dot, a == b ? 4 : 0, 4e-6);
            }
        }
        gan_net_free(net);
        gan_store_free(st);
    }
}

/* A parameter's first value depends on (seed, full name) alone. */
static void test_streams(void **state)
{
    (void)state;
    const struct one o = {"torch", 30, true, false};
    gan_store *a = gan_store_new(), *b = gan_store_new();
    const int64_t width = 2;
    gan_net *first = filled(a, &o, 20, 5);
    gan_net *other = declare(b, "gen", dcgan_gen, &width, GAN_SHAPE(1, 1, 1, 100));
    assert_int_equal(gan_net_init(other, 5, NULL), GAN_OK);
    gan_net *second = filled(b, &o, 20, 5);
    const gan_tensor *x = entry(a, "t.l.weight"), *y = entry(b, "t.l.weight");
    assert_memory_equal(x->data, y->data, gan_tensor_bytes(x));
    assert_int_equal(gan_net_init(second, 6, NULL), GAN_OK);
    assert_memory_not_equal(x->data, y->data, gan_tensor_bytes(x));
    gan_net_free(first);
    gan_net_free(second);
    gan_net_free(other);
    gan_store_free(a);
    gan_store_free(b);
}

static void test_parse(void **state)
{
    (void)state;
    const struct {
        const char *text;
        gan_status code;
        const char *part; /* of the message */
    } bad[] = {
        {"norml:0,1", GAN_E_ARG, "did you mean normal?"},
        {"normal:0,1,2", GAN_E_ARG, "takes 2 numbers"},
        {"normal:0,x", GAN_E_ARG, "a number is expected"},
        {"normal:0,-1", GAN_E_RANGE, "deviation"},
        {"torch:1", GAN_E_ARG, "takes 0 numbers"},
        {"", GAN_E_ARG, "unknown initialiser"},
    };
    struct gan_init init;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gan_err err = {0};
        assert_int_equal(gan_init_parse(bad[i].text, &init, &err), bad[i].code);
        if (strstr(err.message, bad[i].part) == NULL) {
            fail_msg("'%s' does not say '%s'", err.message, bad[i].part);
        }
    }
    assert_int_equal(gan_init_parse("normal:,.5", &init, NULL), GAN_OK);
    assert_close(init.arg[0], 0, 0);
    assert_close(init.arg[1], 0.5, 0);
    int n = 0;
    for (; gan_init_name(n) != NULL; n++) {
        assert_non_null(gan_init_doc(n));
        assert_int_equal(gan_init_parse(gan_init_name(n), &init, NULL), GAN_OK);
    }
    assert_true(n >= 8);
}

/* --- errors ----------------------------------------------------------------------------------------------- */

static void bad_rank(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_linear(nn, "fc", in[0], (struct gan_linear){.out = 3});
}

static void bad_shape(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_val x =
        gan_linear(nn, "fc", gan_flatten(gan_nn_graph(nn), in[0]), (struct gan_linear){.out = 3});
    out[0] = gan_linear(nn, "fc", x, (struct gan_linear){.out = 3});
}

static void bad_init(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] =
        gan_conv(nn, "c", in[0], (struct gan_conv_layer){.out = 3, .kernel = 3, .init = "hee"});
}

static void bad_groups(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_group_norm(nn, "g", in[0], (struct gan_norm){.groups = 2});
}

static void bad_dropout(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_dropout(nn, "d", in[0], 1);
}

static void bad_padding(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    out[0] = gan_conv_transpose(
        nn, "c", in[0],
        (struct gan_conv_layer){.out = 3, .kernel = 3, .stride = 2, .output_pad = 2});
}

static void no_output(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)nn;
    (void)in;
    (void)out;
    (void)opts;
}

static void test_errors(void **state)
{
    (void)state;
    const struct {
        gan_net_fn fn;
        gan_status code;
        const char *part;
    } bad[] = {
        {bad_rank, GAN_E_SHAPE, "t/fc"},
        {bad_shape, GAN_E_SHAPE, "t.fc.weight"},
        {bad_init, GAN_E_ARG, "did you mean he?"},
        {bad_groups, GAN_E_SHAPE, "3 channels in 2 groups"},
        {bad_dropout, GAN_E_RANGE, "dropout"},
        {bad_padding, GAN_E_RANGE, "output padding 2"},
        {no_output, GAN_E_ARG, "fills no output"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gan_err err = {0};
        gan_store *st = gan_store_new();
        gan_net *net = gan_net_new(
            st,
            &(struct gan_net_desc){
                .name = "t", .fn = bad[i].fn, .in = {{.shape = GAN_SHAPE(2, 4, 4, 3)}}, .n_in = 1},
            &err);
        assert_null(net);
        if (err.code != bad[i].code || strstr(err.message, bad[i].part) == NULL) {
            fail_msg("case %zu: %s '%s' does not say '%s'", i, gan_status_name(err.code),
                     err.message, bad[i].part);
        }
        assert_int_equal(gan_store_count(st), 0); /* a failed declaration leaves no entries */
        gan_store_free(st);
    }
}

/* Applications that do not fit the declaration fail on the graph and name what is wrong. */
static void test_apply_errors(void **state)
{
    (void)state;
    const int64_t width = 2;
    gan_store *st = gan_store_new(), *empty = gan_store_new();
    gan_net *net = declare(st, "disc", dcgan_disc, &width, GAN_SHAPE(1, 64, 64, 3));
    const struct {
        gan_store *st;
        gan_shape in;
        gan_status code;
        const char *part;
    } bad[] = {
        {st, GAN_SHAPE(2, 64 * 64 * 3), GAN_E_SHAPE, "input 0 of network disc"},
        {st, GAN_SHAPE(2, 64, 64, 1), GAN_E_SHAPE, "disc.main.0.weight"},
        {empty, GAN_SHAPE(2, 64, 64, 3), GAN_E_NOTFOUND, "disc.main.0.weight"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gan_err err = {0};
        gan_graph *g = gan_graph_new(bad[i].st, GAN_F32);
        gan_val x = gan_feed(g, "x", GAN_F32, bad[i].in), y;
        gan_net_apply(g, net, NULL, GAN_EVAL, &x, &y);
        assert_false(gan_ok(y));
        assert_int_equal(gan_graph_status(g, &err), bad[i].code);
        if (strstr(err.message, bad[i].part) == NULL) {
            fail_msg("'%s' does not say '%s'", err.message, bad[i].part);
        }
        gan_graph_free(g);
    }
    gan_net_free(net);
    gan_store_free(st);
    gan_store_free(empty);
}

/* Every n-th allocation fails in turn: the right code, nothing leaked, the store still usable. */
static void test_out_of_memory(void **state)
{
    (void)state;
    const struct one o = {"orthogonal", 8, true, true};
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        uint64_t live = gan__alloc_stats().live;
        gan_err err = {0};
        gan_store *st = gan_store_new();
        gan__alloc_fail_at(n);
        gan_net *net = gan_net_new(st,
                                   &(struct gan_net_desc){.name = "t",
                                                          .fn = one_linear,
                                                          .opts = &o,
                                                          .in = {{.shape = GAN_SHAPE(2, 4)}},
                                                          .n_in = 1,
                                                          .init = o.init},
                                   &err);
        gan_status s = net ? gan_net_init(net, 1, &err) : err.code;
        gan__alloc_fail_at(0);
        assert_true(s == GAN_OK || s == GAN_E_NOMEM);
        done = s == GAN_OK;
        gan_net_free(net);
        gan_store_free(st);
        assert_int_equal(gan__alloc_stats().live, live);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_laws),         cmocka_unit_test(test_roles),
        cmocka_unit_test(test_orthogonal),   cmocka_unit_test(test_streams),
        cmocka_unit_test(test_parse),        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_apply_errors), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
