/* test_step.c: models declare what the literature counts; an iteration cut into microbatches is the
 * same iteration.
 *
 * The microbatch comparison runs in f64 on `ref`: means over parts differ from means over the whole
 * by rounding only, 1e-11 relative to 1+|v| after three Adam steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/philox.h"
#include "base/str.h"
#include "models/step.h"
#include <gan/plan.h>

struct world {
    void *opts;
    gan_store *store;
    struct gan_net_list nets;
    gan_step *step;
    const struct gan_model *model;
};

static void world_open(struct world *w, const char *model, int64_t size, int64_t channels,
                       const char *const *set, gan_dtype real)
{
    gan_err err = {0};
    *w = (struct world){.model = gan_model_find(model, &err)};
    assert_non_null(w->model);
    w->opts = calloc(1, w->model->size);
    assert_int_equal(gan_opt_defaults(w->model->opts, w->opts, &err), GAN_OK);
    for (int i = 0; set && set[i]; i += 2) {
        if (gan_opt_set(w->model->opts, w->opts, set[i], set[i + 1], &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
    }
    struct gan_task *t = w->opts;
    t->height = t->width = size;
    t->channels = channels;
    t->classes = 10;
    assert_int_equal(w->model->fit(w->opts, true, &err), GAN_OK);
    w->store = gan_store_new();
    if (gan_model_declare(w->model, w->opts, w->store, real, &w->nets, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

static void world_close(struct world *w)
{
    gan__step_free(w->step);
    gan_net_list_free(&w->nets);
    gan_store_free(w->store);
    free(w->opts);
}

static int64_t params(const char *model, int64_t size, int64_t channels, const char *const *set,
                      const char *net)
{
    struct world w;
    int64_t n = -1;
    world_open(&w, model, size, channels, set, GAN_F32);
    for (int i = 0; i < w.nets.n; i++) {
        if (strcmp(gan_net_name(w.nets.net[i]), net) == 0) {
            n = gan_net_params(w.nets.net[i]);
        }
    }
    world_close(&w);
    return n;
}

static void parameter_counts(void **state)
{
    (void)state;
    const char *const paper[] = {"net", "paper", NULL};
    const char *const aae[] = {"kind", "aae", "decoder", "aae", NULL};
    assert_int_equal(params("dcgan", 64, 3, NULL, "gen"), 3576704);
    assert_int_equal(params("dcgan", 64, 3, NULL, "disc"), 2765568);
    assert_int_equal(params("gan", 28, 1, NULL, "gen"), 1510032);
    assert_int_equal(params("gan", 28, 1, NULL, "disc"), 533505);
    /* 100x1200 + 1200x1200 + 1200x784 and biases; maxout 784x1200, 240x1200, 240 and biases */
    assert_int_equal(params("gan", 28, 1, paper, "gen"), 121200 + 1441200 + 941584);
    assert_int_equal(params("gan", 28, 1, paper, "disc"), 942000 + 289200 + 241);
    /* PyTorch-GAN aae at 32x32x1: 1024-512-512-(10,10); 10-512-512-1024; 10-512-256-1 */
    assert_int_equal(params("autoencoder", 32, 1, aae, "enc"), 524800 + 262656 + 1024 + 2 * 5130);
    assert_int_equal(params("autoencoder", 32, 1, aae, "gen"), 5632 + 262656 + 1024 + 525312);
    assert_int_equal(params("autoencoder", 32, 1, aae, "disc"), 5632 + 131328 + 257);
}

/* PyTorch-GAN `cgan`: 110-128-256-512-1024-1024, 1034-512-512-512-1 and two 10x10 tables; `acgan`;
 * clvrai/ACGAN-PyTorch. With biases and norms; from the reference code's layer lists. */
static void conditional_parameter_counts(void **state)
{
    (void)state;
    const char *const conv[] = {"net", "conv", "width", "64", NULL};
    const char *const onehot[] = {"variant", "onehot", NULL};
    assert_int_equal(params("cgan", 32, 1, NULL, "gen"), 1757412);
    assert_int_equal(params("cgan", 32, 1, NULL, "disc"), 1055845);
    /* dcgan's, 10 more latents into 512 kernels of 4x4, 10 more maps into 64; a table of 10x10 */
    assert_int_equal(params("cgan", 64, 3, conv, "gen"), 3576704 + 10 * 512 * 16 + 100);
    assert_int_equal(params("cgan", 64, 3, conv, "disc"), 2765568 + 10 * 64 * 16 + 100);
    assert_int_equal(params("acgan", 32, 1, NULL, "gen"), 1050985);
    assert_int_equal(params("acgan", 32, 1, NULL, "disc"), 103243);
    assert_int_equal(params("acgan", 32, 3, onehot, "gen"), 2156352);
    assert_int_equal(params("acgan", 32, 3, onehot, "disc"), 1663867);
    assert_int_equal(params("acgan", 128, 3, onehot, "gen"), 11465728);
    assert_int_equal(params("acgan", 128, 3, onehot, "disc"), 2525563);
}

/* The counts of spec section 0, from the reference code's layer lists. */
static void translation_parameter_counts(void **state)
{
    (void)state;
    const char *const six[] = {"blocks", "6", NULL}, *const nine[] = {"blocks", "9", NULL};
    const char *const resnet[] = {"gen", "resnet-9", "norm", "instance", NULL};
    const char *const pixel[] = {"disc", "pixel", NULL};
    const char *const alone[] = {"conditional", "false", NULL};
    const char *const deep[] = {"layers", "5", NULL}, *const flat[] = {"layers", "1", NULL};
    const char *const both[] = {"double", "true", NULL};
    const char *const bare[] = {"gen", "resnet-6", "norm", "none", "upsample", "resize", NULL};
    assert_int_equal(params("pix2pix", 256, 3, NULL, "gen"), 54413955);
    assert_int_equal(params("pix2pix", 128, 3, NULL, "gen"), 41828995);
    assert_int_equal(params("pix2pix", 256, 3, NULL, "disc"), 2768705);
    assert_int_equal(params("pix2pix", 128, 3, resnet, "gen"), 11378179);
    /* 6x64 and bias, 64x128, scale and offset, 128 */
    assert_int_equal(params("pix2pix", 128, 3, pixel, "disc"), 448 + 8192 + 256 + 128);
    assert_int_equal(params("pix2pix", 256, 3, alone, "disc"), 2768705 - 3 * 64 * 16);
    /* 64 128 512 512 512 512: two more of 512 to 512 with scale and offset than for 3 layers */
    assert_int_equal(params("pix2pix", 256, 3, deep, "disc"),
                     2768705 + 2 * (512 * 512 * 16 + 1024));
    /* 6x64 and bias, 64x128, scale and offset, 128 and bias */
    assert_int_equal(params("pix2pix", 256, 3, flat, "disc"),
                     (6 * 64 + 64 * 128 + 128) * 16 + 64 + 256 + 1);
    /* a 3x3 convolution has as many numbers, transposed or not */
    assert_int_equal(params("pix2pix", 128, 3, bare, "gen"), 7837699);
    /* encoder 3 64 128 256 512 512 of 4x4 with biases; laterals to 64 and 4 x 128; three 3x3 of 128;
     * four heads 128 64 64; 256 64 32 3 with biases */
    int64_t encoder = (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512) * 16 + 1472;
    int64_t laterals = 64 * 64 + (128 + 256 + 512 + 512) * 128;
    int64_t pyramid = 3 * (9 * 128 * 128 + 128), heads = 4 * 9 * (128 * 64 + 64 * 64);
    int64_t image = 9 * (256 * 64 + 64 * 32 + 32 * 3) + 64 + 32 + 3;
    assert_int_equal(params("translate-fpn", 256, 3, NULL, "gen"),
                     encoder + laterals + pyramid + heads + image);
    assert_int_equal(params("translate-fpn", 256, 3, NULL, "gen"), 8187651);
    assert_int_equal(params("translate-fpn", 256, 3, NULL, "disc"), 2764737);
    /* 64 128 256 512 512 512: two layers more than the critic of patches */
    assert_int_equal(params("translate-fpn", 64, 3, both, "disc_whole"),
                     2764737 + 2 * (512 * 512 * 16 + 512));
    assert_int_equal(params("cyclegan", 256, 3, nine, "gen_a"), 11378179);
    assert_int_equal(params("cyclegan", 256, 3, NULL, "gen_b"), 11378179);
    assert_int_equal(params("cyclegan", 128, 3, six, "gen_a"), 7837699);
    assert_int_equal(params("cyclegan", 128, 3, NULL, "gen_b"), 7837699);
    assert_int_equal(params("cyclegan", 128, 3, NULL, "disc_a"), 2764737);
}

/* Names nest as in the reference's state dict, so that its weights can be read. */
static void unet_has_the_names_of_the_reference(void **state)
{
    (void)state;
    static const char *const names[] = {
        "model.model.0.weight",
        "model.model.1.model.1.weight",
        "model.model.1.model.2.running_var",
        "model.model.1.model.3.model.3.model.3.model.3.model.1.weight",
        "model.model.1.model.3.model.3.model.3.model.3.model.3.weight",
        "model.model.1.model.3.model.3.model.3.model.3.model.4.bias",
        "model.model.1.model.3.model.3.model.3.model.5.weight",
        "model.model.1.model.6.running_mean",
        "model.model.3.bias",
    };
    const char *const set[] = {"width", "2", NULL};
    struct world w;
    world_open(&w, "pix2pix", 64, 3, set, GAN_F32);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (gan_net_find(w.nets.net[0], names[i]) < 0) {
            fail_msg("no parameter %s", names[i]);
        }
    }
    assert_int_equal(gan_net_find(w.nets.net[0], "model.model.0.bias"), -1);
    world_close(&w);
}

static void pix2pix_takes_multiples(void **state)
{
    (void)state;
    static const struct {
        const char *depth;
        int64_t h, w, fit_h, fit_w; /* 0: refused */
    } rows[] = {{"0", 256, 256, 256, 256},  {"0", 28, 28, 32, 32},     {"0", 300, 200, 320, 224},
                {"3", 60, 41, 64, 48},      {"8", 100, 100, 256, 256}, {"1", 64, 64, 0, 0},
                {"0", 4000, 128, 4000, 128}};
    const struct gan_model *m = gan_model_find("pix2pix", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gan_err err = {0};
        void *opts = calloc(1, m->size);
        assert_int_equal(gan_opt_defaults(m->opts, opts, &err), GAN_OK);
        assert_int_equal(gan_opt_set(m->opts, opts, "depth", rows[i].depth, &err), GAN_OK);
        struct gan_task *t = opts;
        t->height = rows[i].h;
        t->width = rows[i].w;
        t->channels = 3;
        gan_status want = rows[i].fit_h > 0 ? GAN_OK : GAN_E_RANGE;
        assert_int_equal(m->fit(opts, false, &err), want);
        if (want == GAN_OK) {
            assert_int_equal(t->height, rows[i].fit_h);
            assert_int_equal(t->width, rows[i].fit_w);
        }
        free(opts);
    }
}

static void architecture_counts(void **state)
{
    (void)state;
    static const struct {
        const char *arch;
        int64_t size, channels, gen, disc;
    } known[] = {
        {"wgan-gp-mnist", 28, 1, 1554177, 1030145},
        {"resnet-cifar", 32, 3, 1204483, 1053825},
        {"sngan-resnet", 32, 3, 4276739, 1053824},
        {"dcgan", 64, 3, 3576704, 2765568},
        /* by hand, kernels of 5: 128x8192 + 25(512x256 + 256x128 + 128x3), norms of 8192, 256 and
         * 128; 25(3x128 + 128x256 + 256x512), 8192; biases */
        {"wgan-gp-cifar", 32, 3, 1056768 + 3276800 + 256 + 819200 + 128 + 9603 + 2 * 8576,
         9728 + 819456 + 3277312 + 8193},
        /* 128-512-512-512-512-3072 and back to 1 */
        {"mlp512", 32, 3, 66048 + 3 * 262656 + 1575936, 1573376 + 3 * 262656 + 513},
        /* blocks by hand: norm 2a, conv 9ab, norm 2b, conv 9bb + b, shortcut ab + b */
        {"good64", 64, 3, 1056768 + 4983808 + 1902592 + 476160 + 119296 + 128 + 1731,
         1792 + 119296 + 476160 + 1902592 + 4983808 + 8193},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *const set[] = {"arch", known[i].arch, NULL};
        assert_int_equal(params("plain", known[i].size, known[i].channels, set, "gen"),
                         known[i].gen);
        assert_int_equal(params("plain", known[i].size, known[i].channels, set, "disc"),
                         known[i].disc);
    }
    const char *const tanh128[] = {"arch", "tanh128", NULL};
    assert_int_equal(params("unrolled", 1, 2, tanh128, "gen"), 49666);
    assert_int_equal(params("unrolled", 1, 2, tanh128, "disc"), 17025);
    const char *const toy[] = {"arch", "toy", NULL};
    assert_int_equal(params("plain", 1, 2, toy, "gen"), 527874);
    assert_int_equal(params("plain", 1, 2, toy, "disc"), 527361);
}

/* Every architecture by every kind of regulariser: graphs build, in whole batches and in parts. */
static void architectures_take_regularisers(void **state)
{
    (void)state;
    static const char *const regs[] = {"gp", "gp1", "dragan:2", "r1:1,r2:1", "clip", "sn"};
    static const struct {
        const char *arch;
        int64_t size;
    } nets[] = {{"dcgan", 16},         {"mlp512", 8},        {"toy", 1},     {"wgan-gp-mnist", 28},
                {"wgan-gp-cifar", 32}, {"resnet-cifar", 32}, {"good64", 64}, {"sngan-resnet", 32}};
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        for (size_t i = 0; i < sizeof regs / sizeof *regs; i++) {
            const char *const set[] = {"arch",  nets[k].arch, "reg",      regs[i],
                                       "loss",  "hinge",      "n-critic", i % 2 ? "2" : "1",
                                       "width", "4",          NULL};
            struct world w;
            gan_err err = {0};
            world_open(&w, "plain", nets[k].size, 1, set, GAN_F32);
            struct gan__step_cfg cfg = {.model = w.model,
                                        .opts = w.opts,
                                        .store = w.store,
                                        .nets = &w.nets,
                                        .real = GAN_F32,
                                        .batch = 4,
                                        .microbatch = i % 3 ? 4 : 2,
                                        .mode = GAN_TRAIN};
            w.step = gan__step_build(&cfg, &err);
            if (!w.step) {
                fail_msg("%s --reg %s: %s", nets[k].arch, regs[i], err.message);
            }
            assert_int_equal(gan__step_segments(w.step), i % 2 ? 2 : 1);
            world_close(&w);
        }
    }
}

static void slopes_want_separate_samples(void **state)
{
    (void)state;
    struct world w;
    const char *const gp[] = {"reg", "gp", NULL}, *const clip[] = {"reg", "clip", NULL};
    world_open(&w, "plain", 16, 1, gp, GAN_F32); /* layer norm keeps no running statistics */
    assert_int_equal(gan_store_find(w.store, "disc.main.3.running_mean"), -1);
    assert_true(gan_store_find(w.store, "disc.main.3.weight") >= 0);
    world_close(&w);
    world_open(&w, "plain", 16, 1, clip, GAN_F32);
    assert_true(gan_store_find(w.store, "disc.main.3.running_mean") >= 0);
    world_close(&w);
}

static void dcgan_takes_powers_of_two(void **state)
{
    (void)state;
    const struct gan_model *m = gan_model_find("dcgan", NULL);
    static const int64_t sizes[][2] = {{8, 16}, {16, 16}, {28, 32}, {65, 128}, {256, 256}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        gan_err err = {0};
        void *opts = calloc(1, m->size);
        assert_int_equal(gan_opt_defaults(m->opts, opts, &err), GAN_OK);
        struct gan_task *t = opts;
        t->height = t->width = sizes[i][0];
        t->channels = 1;
        assert_int_equal(m->fit(opts, false, &err), GAN_OK);
        assert_int_equal(t->height, sizes[i][1]);
        t->height = t->width = 28;
        assert_int_equal(m->fit(opts, true, &err), GAN_E_RANGE);
        assert_non_null(strstr(err.message, "28x28"));
        t->height = 257;
        assert_int_equal(m->fit(opts, false, NULL), GAN_E_RANGE);
        free(opts);
    }
}

enum { BATCH = 8, STEPS = 3, MAX_LOG = 64 };

struct trace {
    double v[STEPS][MAX_LOG];
    int n;
};

static void run_steps(struct world *w, struct trace *t)
{
    const struct gan_task *task = w->opts;
    size_t pixels = (size_t)(BATCH * task->height * task->width * task->channels);
    double *images = calloc(2 * pixels, sizeof *images); /* first, then second images */
    gan_err err = {0};
    struct gan__rng rng;
    gan__rng_init(&rng, 7);
    const struct gan__segment *seg = gan__step_segment(w->step, 0);
    gan_val outs[GAN__MAX_REPORTS];
    for (int i = 0; i < seg->n_reports; i++) {
        outs[i] = seg->report[i].val;
    }
    struct gan_plan_opts po = {.backend = "ref", .verify = true};
    gan_plan *plan = gan_plan_new(seg->graph, outs, seg->n_reports, &po, &err);
    if (!plan) {
        fail_msg("%s", err.message);
    }
    t->n = seg->n_reports;
    for (int step = 0; step < STEPS; step++) {
        char names[GAN__MAX_UPDATES * GAN_OPTIM_MAX_SCALARS][96];
        struct gan_scalar_data sc[GAN__MAX_UPDATES * GAN_OPTIM_MAX_SCALARS];
        size_t n = 0;
        for (size_t i = 0; i < 2 * pixels; i++) {
            images[i] = 2 * gan__rng_uniform(&rng) - 1;
        }
        for (int u = 0; u < seg->n_updates; u++) {
            double v[GAN_OPTIM_MAX_SCALARS];
            gan_optim_scalars(seg->update[u].optim, step + 1, STEPS, v);
            for (int k = 0; k < gan_optim_scalar_count(seg->update[u].optim); k++, n++) {
                assert_true(gan__format(names[n], sizeof names[n], "%s.%s", seg->update[u].phase,
                                        gan_optim_scalar_name(seg->update[u].optim, k)));
                sc[n] = (struct gan_scalar_data){names[n], v[k]};
            }
        }
        gan_shape shape = GAN_SHAPE(BATCH, task->height, task->width, task->channels);
        struct gan_feed_data feeds[] = {{"image", {GAN_F64, shape, images}},
                                        {"image_b", {GAN_F64, shape, images + pixels}}};
        struct gan_run run = {.seed = 3,
                              .iteration = (uint64_t)step,
                              .sample = (uint64_t)(step * BATCH),
                              .feeds = feeds,
                              .n_feeds = seg->fields & GAN_FIELD_B ? 2 : 1,
                              .scalars = sc,
                              .n_scalars = n};
        if (gan_plan_run(plan, &run, &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
        for (int i = 0; i < seg->n_reports; i++) {
            t->v[step][i] = gan_tensor_get(gan_plan_output(plan, i), 0);
        }
    }
    gan_plan_free(plan);
    free(images);
}

static void trace_of(const char *model, const char *const *set, int64_t microbatch, struct trace *t,
                     struct world *w)
{
    gan_err err = {0};
    world_open(w, model, 16, 1, set, GAN_F64);
    assert_int_equal(gan_model_init(w->model, w->opts, w->store, &w->nets, 5, &err), GAN_OK);
    struct gan__step_cfg cfg = {.model = w->model,
                                .opts = w->opts,
                                .store = w->store,
                                .nets = &w->nets,
                                .real = GAN_F64,
                                .batch = BATCH,
                                .microbatch = microbatch,
                                .mode = GAN_TRAIN};
    w->step = gan__step_build(&cfg, &err);
    if (!w->step) {
        fail_msg("%s", err.message);
    }
    run_steps(w, t);
}

static void parts_make_the_whole(const char *model, const char *const *set)
{
    struct world whole, parts;
    struct trace a, b;
    trace_of(model, set, BATCH, &a, &whole);
    for (int64_t micro = 1; micro < BATCH; micro *= 2) {
        trace_of(model, set, micro, &b, &parts);
        assert_int_equal(a.n, b.n);
        for (int s = 0; s < STEPS; s++) {
            for (int i = 0; i < a.n; i++) {
                if (!(fabs(a.v[s][i] - b.v[s][i]) <= 1e-11 * (1 + fabs(a.v[s][i])))) {
                    fail_msg("%s, microbatch %d, step %d, %s: %.17g, whole batch %.17g", model,
                             (int)micro, s, gan__step_segment(parts.step, 0)->report[i].name,
                             b.v[s][i], a.v[s][i]);
                }
            }
        }
        world_close(&parts);
    }
    world_close(&whole);
}

/* Without batch statistics the parts make the whole: dropout masks and latents belong to samples, and
 * an image pool takes images one after the other. */
static void microbatches_make_the_batch(void **state)
{
    (void)state;
    const char *const mlp[] = {"net",        "paper",     "optim-gen", "adam:1e-3",
                               "optim-disc", "adam:1e-3", NULL};
    const char *const residual[] = {"gen",    "resnet-6", "width", "2",        "disc-width", "2",
                                    "layers", "1",        "norm",  "instance", NULL};
    const char *const cycle[] = {"width",  "2", "disc-width", "2", "layers", "1",
                                 "blocks", "1", "pool",       "5", NULL};
    const char *const shared[] = {"net",       "paper",      "noise",     "shared", "optim-gen",
                                  "adam:1e-3", "optim-disc", "adam:1e-3", NULL};
    parts_make_the_whole("gan", mlp);
    parts_make_the_whole("gan", shared);
    parts_make_the_whole("pix2pix", residual);
    parts_make_the_whole("cyclegan", cycle);
}

/* A penalty's points and noise belong to samples: parts make the whole. Clipping comes after. */
static void penalties_in_microbatches(void **state)
{
    (void)state;
    const char *const set[] = {
        "arch",      "dcgan",     "width",      "2",           "z",   "3",
        "norm-gen",  "layer",     "loss",       "wasserstein", "reg", "gp:10,r1:1,r2:1,clip:.03",
        "optim-gen", "adam:1e-3", "optim-disc", "adam:1e-3",   NULL};
    struct world whole;
    struct trace trace;
    parts_make_the_whole("plain", set);
    trace_of("plain", set, BATCH, &trace, &whole);
    double largest = 0;
    for (int i = 0; i < gan_net_count(whole.nets.net[1]); i++) {
        const struct gan_param *p = gan_net_param(whole.nets.net[1], i);
        const gan_tensor *t =
            &gan_store_at(whole.store, gan_store_find(whole.store, p->name))->value;
        for (int64_t k = 0; k < p->count; k++) {
            largest = fmax(largest, fabs(gan_tensor_get(t, k)));
        }
    }
    assert_true(largest == 0.03); /* scales of norms, 1 at first, stand at the bound */
    world_close(&whole);
}

/* With batch norm each part has statistics of its own, and each updates the running ones: after one
 * iteration D's first running mean took 3 updates a part (reals, fakes, fakes for G). */
static void running_statistics_count_the_parts(void **state)
{
    (void)state;
    const char *const set[] = {"width", "2", "z", "3", NULL};
    struct world w;
    gan_err err = {0};
    world_open(&w, "dcgan", 16, 1, set, GAN_F64);
    assert_int_equal(gan_model_init(w.model, w.opts, w.store, &w.nets, 5, &err), GAN_OK);
    for (int64_t micro = BATCH; micro >= 2; micro /= 2) {
        struct gan__step_cfg cfg = {.model = w.model,
                                    .opts = w.opts,
                                    .store = w.store,
                                    .nets = &w.nets,
                                    .real = GAN_F64,
                                    .batch = BATCH,
                                    .microbatch = micro,
                                    .mode = GAN_TRAIN};
        w.step = gan__step_build(&cfg, &err);
        if (!w.step) {
            fail_msg("%s", err.message);
        }
        char *dump = gan_graph_dump(gan__step_segment(w.step, 0)->graph, GAN_DUMP_TEXT);
        int64_t sets = 0, gen_sets = 0;
        for (const char *p = dump; (p = strstr(p, "= state_set(")); p++) {
            const char *end = strchr(p, '\n');
            const char *d = strstr(p, "disc.main.3.running_mean");
            const char *g = strstr(p, "gen.main.1.running_mean");
            sets += d && d < end;
            gen_sets += g && g < end;
        }
        assert_int_equal(sets, 3 * BATCH / micro);
        assert_int_equal(gen_sets, BATCH / micro); /* recomputed for G, but counted once */
        gan_text_free(dump);
        gan__step_free(w.step);
        w.step = NULL;
    }
    world_close(&w);
}

static void bad_microbatch(void **state)
{
    (void)state;
    struct world w;
    gan_err err = {0};
    world_open(&w, "gan", 4, 1, NULL, GAN_F32);
    struct gan__step_cfg cfg = {.model = w.model,
                                .opts = w.opts,
                                .store = w.store,
                                .nets = &w.nets,
                                .real = GAN_F32,
                                .batch = 8,
                                .microbatch = 3,
                                .mode = GAN_TRAIN};
    assert_null(gan__step_build(&cfg, &err));
    assert_int_equal(err.code, GAN_E_RANGE);
    assert_non_null(strstr(err.message, "does not divide"));
    world_close(&w);
}

static void runs_of_a_phase(void **state)
{
    (void)state;
    const struct gan_runs wgan = {
        .count = 5, .warm_count = 100, .warm_until = 25, .warm_every = 500};
    assert_int_equal(gan__runs_at(&wgan, 0), 100);
    assert_int_equal(gan__runs_at(&wgan, 24), 100);
    assert_int_equal(gan__runs_at(&wgan, 25), 5);
    assert_int_equal(gan__runs_at(&wgan, 500), 100);
    assert_int_equal(gan__runs_at(&wgan, 501), 5);
    assert_int_equal(gan__runs_at(&(struct gan_runs){0}, 7), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts),
        cmocka_unit_test(conditional_parameter_counts),
        cmocka_unit_test(translation_parameter_counts),
        cmocka_unit_test(unet_has_the_names_of_the_reference),
        cmocka_unit_test(pix2pix_takes_multiples),
        cmocka_unit_test(architecture_counts),
        cmocka_unit_test(architectures_take_regularisers),
        cmocka_unit_test(penalties_in_microbatches),
        cmocka_unit_test(slopes_want_separate_samples),
        cmocka_unit_test(dcgan_takes_powers_of_two),
        cmocka_unit_test(microbatches_make_the_batch),
        cmocka_unit_test(running_statistics_count_the_parts),
        cmocka_unit_test(bad_microbatch),
        cmocka_unit_test(runs_of_a_phase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
