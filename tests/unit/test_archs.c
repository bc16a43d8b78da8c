/* test_archs.c: what every architecture offers alike: critics of several outputs, packed samples,
 * minibatch layers, projection, features; and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "models/arch.h"
#include <gan/plan.h>

#include "support/close.h"

static void nets(gan_nets *d, const void *options)
{
    gan__arch_nets(d, options);
}

static const struct gan_model bare = {
    .name = "bare", .size = sizeof(struct gan__arch_opts), .nets = nets};

struct world {
    struct gan__arch_opts o;
    gan_store *store;
    struct gan_net_list nets;
};

/* Small widths, the size the architecture raises 1x1 to. */
static void options_of(struct gan__arch_opts *o, const struct gan_arch *a)
{
    *o = (struct gan__arch_opts){.arch = a, .z = 6, .width = 8, .slope = 0.2};
    o->task = (struct gan_task){.height = 1, .width = 1, .channels = 2, .points = a->points};
}

static void world_open(struct world *w, gan_dtype real)
{
    gan_err err = {0};
    assert_int_equal(gan__arch_fit(&w->o, false, &err), GAN_OK);
    w->store = gan_store_new();
    if (gan_model_declare(&bare, &w->o, w->store, real, &w->nets, &err) != GAN_OK) {
        fail_msg("%s: %s", w->o.arch->name, err.message);
    }
    assert_int_equal(w->nets.n, 2);
    assert_int_equal(gan_model_init(&bare, &w->o, w->store, &w->nets, 5, &err), GAN_OK);
}

static void world_close(struct world *w)
{
    gan_net_list_free(&w->nets);
    gan_store_free(w->store);
}

/* Images of G, packed, through D: out[0] scores, out[1] features, out[2] images. */
static void pass(const struct world *w, gan_graph *g, int64_t n, gan_val z, gan_val label,
                 gan_val *out)
{
    gan_val in[2] = {z, label}, images[GAN_NET_MAX_OUT], judged[GAN_NET_MAX_OUT];
    gan_net_apply(g, w->nets.net[0], NULL, GAN_TRAIN, in, images);
    in[0] = gan__arch_pack(g, images[0], w->o.pack);
    gan_net_apply(g, w->nets.net[1], NULL, GAN_TRAIN, in, judged);
    out[0] = judged[0];
    out[1] = judged[1];
    out[2] = images[0];
    gan_shape s = gan_shape_get(g, out[0]), f = gan_shape_get(g, out[1]);
    gan_shape i = gan_shape_get(g, out[2]), want = GAN_SHAPE(n / w->o.pack, w->o.outputs);
    gan_err err = {0};
    if (gan_graph_status(g, &err) != GAN_OK) {
        fail_msg("%s: %s", w->o.arch->name, err.message);
    }
    assert_true(gan_shape_equal(&s, &want));
    assert_int_equal(f.rank, 2);
    assert_int_equal(f.dim[0], n / w->o.pack);
    want = GAN_SHAPE(n, w->o.task.height, w->o.task.width, w->o.task.channels);
    assert_true(gan_shape_equal(&i, &want));
}

/* The graph builds with its second derivatives, and numbers come out of it. */
static void check(struct gan__arch_opts o)
{
    enum { N = 8 };
    struct world w = {.o = o};
    world_open(&w, GAN_F32);
    gan_graph *g = gan_graph_new(w.store, GAN_F32);
    gan_val label = gan_cast(g, gan_scale(g, gan_cast(g, gan_iota(g, N), GAN_F32), 0.4), GAN_I32);
    gan_val z = gan_random_normal(g, "z", GAN_SHAPE(N, w.o.z)), out[3], slope[1], d[1];
    pass(&w, g, N, z, label, out);
    gan_grad(g, gan_mean_all(g, out[0]), &out[2], 1, slope);
    gan_grad(g, gan_sum_all(g, gan_square(g, slope[0])), &z, 1, d);
    gan_val outs[] = {gan_mean_all(g, out[0]), gan_sum_all(g, gan_square(g, out[1])),
                      gan_sum_all(g, gan_square(g, d[0]))};
    gan_err err = {0};
    gan_plan *p = gan_plan_new(g, outs, 3, &(struct gan_plan_opts){.backend = "cpu"}, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(gan_plan_run(p, &(struct gan_run){.seed = 3}, &err), GAN_OK);
    for (int i = 0; i < 3; i++) {
        double v = gan_tensor_get(gan_plan_output(p, i), 0);
        if (!(v - v == 0) || (i == 1 && v == 0)) {
            fail_msg("%s: output %d is %g", o.arch->name, i, v);
        }
    }
    gan_plan_free(p);
    gan_graph_free(g);
    world_close(&w);
}

static void every_arch_takes_every_head(void **state)
{
    (void)state;
    for (int k = 0; gan__archs[k]; k++) {
        struct gan__arch_opts o;
        for (int minibatch = 0; minibatch <= GAN__MINIBATCH_STDDEV; minibatch++) {
            options_of(&o, gan__archs[k]);
            o.minibatch = minibatch;
            o.outputs = 3 * minibatch;
            o.pack = minibatch == GAN__MINIBATCH_STDDEV ? 2 : 0;
            o.norm_disc = o.arch->normless ? GAN__NORM_NONE : GAN__NORM_LAYER;
            check(o);
        }
    }
}

static void every_arch_takes_classes_and_virtual_norm(void **state)
{
    (void)state;
    for (int k = 0; gan__archs[k]; k++) {
        struct gan__arch_opts o;
        options_of(&o, gan__archs[k]);
        o.cond = GAN__COND_PROJECTION;
        o.task.classes = 4;
        o.norm_gen = o.arch->normless ? GAN__NORM_NONE : GAN__NORM_BATCH;
        o.norm_disc = o.arch->normless ? GAN__NORM_NONE : GAN__NORM_INSTANCE;
        o.spectral = true;
        check(o);
        if (o.arch->normless) {
            continue;
        }
        options_of(&o, gan__archs[k]);
        for (int norm = GAN__NORM_NONE; norm <= GAN__NORM_VIRTUAL; norm += 2) {
            o.norm_gen = GAN__NORM_VIRTUAL;
            o.norm_disc = norm; /* in G alone, in both */
            o.reference = 5;
            o.pack = norm == GAN__NORM_VIRTUAL ? 2 : 1;
            check(o);
        }
    }
}

static void refusals(void **state)
{
    (void)state;
    extern const struct gan_arch gan__arch_dcgan;
    struct gan__arch_opts o;
    gan_err err = {0};
    options_of(&o, &gan__arch_dcgan);
    o.norm_disc = GAN__NORM_VIRTUAL;
    o.minibatch = GAN__MINIBATCH_STDDEV;
    assert_int_equal(gan__arch_fit(&o, false, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "minibatch"));
    err = (gan_err){0};
    options_of(&o, &gan__arch_dcgan);
    o.cond = GAN__COND_PROJECTION;
    err = (gan_err){0};
    assert_int_equal(gan__arch_fit(&o, false, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "classes"));
    o.task.classes = 3;
    assert_int_equal(gan__arch_fit(&o, false, &err), GAN_OK);
    o.pack = 2;
    assert_int_equal(gan__arch_fit(&o, false, &err), GAN_E_ARG);
    o.pack = 1;
    o.norm_gen = GAN__NORM_LAYER;
    assert_int_equal(gan__arch_fit(&o, false, &err), GAN_E_ARG);
}

/* Published and worked out by hand from the layer lists. */
static void parameter_counts(void **state)
{
    (void)state;
    static const struct {
        const char *arch;
        int64_t size, channels, pack, gen, disc;
    } rows[] = {
        {"gan-mlp", 28, 1, 1, 1510032, 533505},
        /* as test_step's model gan --net paper */
        {"gan2014", 28, 1, 1, 121200 + 1441200 + 941584, 942000 + 289200 + 241},
        {"dcgan", 64, 3, 1, 3576704, 2765568},
        /* 100x8192, norm 128, 9x128x128, norm 128, 9x128x64, norm 64, 9x64; D 16, 32, 64, 128 */
        {"dcgan32", 32, 1, 1, 827392 + 256 + 147584 + 256 + 73792 + 128 + 577,
         160 + 4640 + 64 + 18496 + 128 + 73856 + 256 + 513},
        {"toy", 1, 2, 1, 527874, 527361},
        {"wgan-gp-mnist", 28, 1, 1, 1554177, 1030145},
        {"resnet-cifar", 32, 3, 1, 1204483, 1053825},
        {"sngan-resnet", 32, 3, 1, 4276739, 1053824},
        {"r3gan", 32, 3, 1, 20732160, 20683776},
        /* 100-512-512-512-12288 and back to 1 */
        {"wgan-mlp", 64, 3, 1, 51712 + 2 * 262656 + 6303744, 6291968 + 2 * 262656 + 513},
        /* 2-400-400-400-400-2 with norms; maxout 2m-1000, 200-1000 twice, 200-1 */
        {"pacgan", 1, 2, 1, 1200 + 3 * 160400 + 4 * 800 + 802, 3000 + 2 * 201000 + 201},
        {"pacgan", 1, 2, 2, 1200 + 3 * 160400 + 4 * 800 + 802, 5000 + 2 * 201000 + 201},
        /* 256-128-128-2 and 2-128-128-1 */
        {"tanh128", 1, 2, 1, 32896 + 16512 + 258, 384 + 16512 + 129},
        /* 128x8192, kernels of 4 to 256, 128, 64 with norms, 27x64; D's seven kernels, 8192 */
        {"sngan-cnn", 32, 3, 1, 1056768 + 2097408 + 512 + 524416 + 256 + 131136 + 128 + 1731,
         1792 + 65600 + 73856 + 262272 + 295168 + 1048832 + 1180160 + 8193},
        {"fgan-mnist", 28, 1, 1, 121200 + 2400 + 1441200 + 2400 + 941584, 188400 + 57840 + 241},
        /* 128x8192 and 25(512x256 + 256x128 + 128x64 + 64x3); 25(3x64 + 64x128 + 128x256 + 256x512),
         * 8192; biases and norms */
        {"robust-baseline", 64, 3, 1,
         1056768 + 1024 + 3277056 + 512 + 819328 + 256 + 204864 + 128 + 4803,
         4864 + 204928 + 256 + 819456 + 512 + 3277312 + 1024 + 8193},
        {"robust-nonorm", 64, 3, 1, 1056768 + 3277056 + 819328 + 204864 + 4803,
         4864 + 204928 + 819456 + 3277312 + 8193},
        /* 128x1024, 25x64x64 three times, 25x64x3 */
        {"robust-constant", 64, 3, 1, 132096 + 3 * 102464 + 4803,
         4864 + 204928 + 256 + 819456 + 512 + 3277312 + 1024 + 8193},
        /* 128-512-512-512-512-12288 */
        {"robust-mlp", 64, 3, 1, 66048 + 3 * 262656 + 6303744,
         4864 + 204928 + 256 + 819456 + 512 + 3277312 + 1024 + 8193},
        /* the baseline's with twice the outputs of hidden layers */
        {"robust-gated", 64, 3, 1,
         2 * 1056768 + 2048 + 2 * 3277056 + 1024 + 2 * 819328 + 512 + 2 * 204864 + 256 + 4803,
         2 * 4864 + 2 * 204928 + 512 + 2 * 819456 + 1024 + 2 * 3277312 + 2048 + 8193},
        {"robust-tanh", 64, 3, 1,
         1056768 + 1024 + 3277056 + 512 + 819328 + 256 + 204864 + 128 + 4803,
         4864 + 204928 + 256 + 819456 + 512 + 3277312 + 1024 + 8193},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w = {.o = {.slope = 0.2, .pack = rows[i].pack}};
        gan_err err = {0};
        assert_int_equal(gan__arch_option(rows[i].arch, &w.o.arch, &err), GAN_OK);
        w.o.task = (struct gan_task){.height = rows[i].size,
                                     .width = rows[i].size,
                                     .channels = rows[i].channels,
                                     .points = w.o.arch->points};
        assert_int_equal(gan__arch_fit(&w.o, true, &err), GAN_OK);
        w.store = gan_store_new();
        assert_int_equal(gan_model_declare(&bare, &w.o, w.store, GAN_F32, &w.nets, &err), GAN_OK);
        if (gan_net_params(w.nets.net[0]) != rows[i].gen ||
            gan_net_params(w.nets.net[1]) != rows[i].disc) {
            fail_msg("%s has %lld and %lld parameters, expected %lld and %lld", rows[i].arch,
                     (long long)gan_net_params(w.nets.net[0]),
                     (long long)gan_net_params(w.nets.net[1]), (long long)rows[i].gen,
                     (long long)rows[i].disc);
        }
        world_close(&w);
    }
}

/* Of the power method: NAME_u. */
static bool has_vector(const struct world *w, const char *weight)
{
    char name[192];
    assert_true(gan__format(name, sizeof name, "%s_u", weight));
    return gan_store_find(w->store, name) >= 0;
}

/* --reg sn reaches every matrix of every critic; R3GAN's zeros at the end of a block have no norm. */
static void spectral_norm_reaches_every_layer(void **state)
{
    (void)state;
    for (int k = 0; gan__archs[k]; k++) {
        struct world w;
        options_of(&w.o, gan__archs[k]);
        w.o.spectral = true;
        world_open(&w, GAN_F32);
        const gan_net *disc = w.nets.net[1];
        for (int i = 0; i < gan_net_count(disc); i++) {
            const struct gan_param *p = gan_net_param(disc, i);
            bool zeros = p->init && strcmp(p->init, "constant:0") == 0;
            if (p->shape.rank < 2 || zeros) {
                continue;
            }
            if (!has_vector(&w, p->name)) {
                fail_msg("%s: %s has no spectral norm", w.o.arch->name, p->name);
            }
        }
        world_close(&w);
    }
}

/* Weights of more than one axis: 99 of 33 blocks, first, last, and those on shortcuts. */
static void resnet101_has_101_layers(void **state)
{
    (void)state;
    static const int64_t sizes[] = {32, 64};
    extern const struct gan_arch gan__arch_robust_resnet101;
    for (int i = 0; i < 2; i++) {
        struct world w;
        options_of(&w.o, &gan__arch_robust_resnet101);
        w.o.task.height = w.o.task.width = sizes[i];
        world_open(&w, GAN_F32);
        for (int k = 0; k < 2; k++) {
            int layers = 0;
            for (int j = 0; j < gan_net_count(w.nets.net[k]); j++) {
                const struct gan_param *p = gan_net_param(w.nets.net[k], j);
                layers += p->shape.rank > 1 && strstr(p->local, "shortcut") == NULL;
            }
            assert_int_equal(layers, 101);
        }
        world_close(&w);
    }
}

/* Two samples of 1x2 pixels with two channels become one with four. */
static void packing_keeps_pixels_together(void **state)
{
    (void)state;
    double x[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const double want[] = {1, 2, 5, 6, 3, 4, 7, 8};
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val y = gan__arch_pack(g, gan_feed(g, "x", GAN_F64, GAN_SHAPE(2, 1, 2, 2)), 2);
    gan_plan *p = gan_plan_new(g, &y, 1, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    struct gan_feed_data feed = {"x", {GAN_F64, GAN_SHAPE(2, 1, 2, 2), x}};
    assert_int_equal(gan_plan_run(p, &(struct gan_run){.feeds = &feed, .n_feeds = 1}, &err),
                     GAN_OK);
    gan_shape packed = GAN_SHAPE(1, 1, 2, 4);
    assert_true(gan_shape_equal(&gan_plan_output(p, 0)->shape, &packed));
    for (int i = 0; i < 8; i++) {
        assert_close(gan_tensor_get(gan_plan_output(p, 0), i), want[i], 0);
    }
    gan_plan_free(p);
    gan_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_arch_takes_every_head),
        cmocka_unit_test(every_arch_takes_classes_and_virtual_norm),
        cmocka_unit_test(refusals),
        cmocka_unit_test(parameter_counts),
        cmocka_unit_test(spectral_norm_reaches_every_layer),
        cmocka_unit_test(resnet101_has_101_layers),
        cmocka_unit_test(packing_keeps_pixels_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
