/* test_aids.c: what steadies the training of the model plain, where a golden trace does not reach:
 * ADA's control of p, the noise's schedule, the optimiser of lazy updates, the penalties that read
 * only weights, and moved images.
 *
 * f64 on `ref`; 1e-12 where only rounding differs, central differences as test_losses.c has them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"
#include "support/training.h"
#include "models/aids.h"
#include <gan/augment.h>
#include <gan/reg.h>

/* --- a model in small ------------------------------------------------------------------------------- */

enum { SIDE = 16, BATCH = 4, PIXELS = BATCH * SIDE * SIDE };

static void world_open(struct training *w, const char *const *set)
{
    const struct gan_task task = {.height = SIDE, .width = SIDE, .channels = 1};
    const struct gan_plan_opts o = {.backend = "ref"};
    gan_err err = {0};
    training_open(w, "plain", set, &task, BATCH, false);
    w->plan = gan_plan_new(gan__step_segment(w->step, 0)->graph, NULL, 0, &o, &err);
    assert_non_null(w->plan);
}

static double *waves(void)
{
    static double images[PIXELS];
    for (int k = 0; k < PIXELS; k++) {
        images[k] = sin(0.1 * k);
    }
    return images;
}

/* Iteration i of 10 by its first segment, with the random numbers of iteration `noise`, on rates of 0:
 * the networks stay as they are. */
static void iterate(struct training *w, int64_t i, int64_t noise, double *images)
{
    const struct gan__segment *seg = gan__step_segment(w->step, 0);
    const struct gan_moment m = {.iteration = i, .steps = 10, .batch = BATCH};
    gan_err err = {0};
    struct gan_feed_data feed = {"image", {GAN_F64, GAN_SHAPE(BATCH, SIDE, SIDE, 1), images}};
    struct gan_scalar_data scalars[8] = {{"disc.lr", 0}, {"gen.lr", 0}};
    struct gan_run run = {.feeds = &feed,
                          .n_feeds = 1,
                          .scalars = scalars,
                          .n_scalars = 2,
                          .iteration = (uint64_t)noise};
    for (int k = 0; k < seg->n_scalars; k++) {
        const struct gan__scalar_info *s = &seg->scalar[k];
        scalars[run.n_scalars++] = (struct gan_scalar_data){s->name, s->value(s->arg, &m)};
    }
    if (gan_plan_run(w->plan, &run, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

static double kept(const struct training *w, const char *name)
{
    const gan_state *s = gan_store_at(w->store, gan_store_find(w->store, name));
    assert_non_null(s);
    return gan_tensor_get(&s->value, 0);
}

/* --- ADA ------------------------------------------------------------------------------------------------ */

/* p rises by 4 N / images after every four batches where E sign D(x) is above the target, falls where
 * it is below, and does not leave 0. A mean of signs lies in [-1,1]: targets beside it decide. */
static void ada_follows_the_sign(void **state)
{
    (void)state;
    const char *low[] = {
        "augment", "ada:-.999,160/color", "width", "2",          "z",     "4", "reg",
        "none",    "optim-gen",           "sgd:0", "optim-disc", "sgd:0", NULL};
    struct training w;
    world_open(&w, low);
    gan_tensor sign = gan_store_at(w.store, gan_store_find(w.store, "kept.ada.signs"))->value;
    for (int i = 0; i < 12; i++) {
        double p = kept(&w, "kept.ada.p");
        bool due = i % 4 == 3;
        iterate(&w, i, i, waves());
        assert_close(kept(&w, "kept.ada.p") - p, due ? 4.0 * BATCH / 160 : 0, 1e-12);
        assert_true(!due || gan_tensor_get(&sign, 0) == 0);
    }
    training_close(&w);

    const char *high[] = {
        "augment", "ada:.999,160/color", "width", "2",          "z",     "4", "reg",
        "none",    "optim-gen",          "sgd:0", "optim-disc", "sgd:0", NULL};
    world_open(&w, high);
    gan_tensor at = gan_store_at(w.store, gan_store_find(w.store, "kept.ada.p"))->value;
    gan_tensor_set(&at, 0, 0.15);
    for (int i = 0; i < 4; i++) {
        iterate(&w, i, i, waves());
    }
    assert_close(kept(&w, "kept.ada.p"), 0.15 - 0.1, 1e-12);
    for (int i = 4; i < 12; i++) {
        iterate(&w, i, i, waves());
    }
    assert_true(kept(&w, "kept.ada.p") == 0);
    training_close(&w);
}

/* --- noise ---------------------------------------------------------------------------------------------- */

static void noise_falls_to_zero(void **state)
{
    (void)state;
    const char *set[] = {"noise", ".5@linear", "width", "2", "z", "4", NULL};
    struct training w;
    world_open(&w, set);
    assert_string_equal(gan__step_needs_length(w.step), "--noise");
    const struct gan__segment *seg = gan__step_segment(w.step, 0);
    assert_int_equal(seg->n_scalars, 1);
    for (int64_t i = 0; i < 12; i++) {
        struct gan_moment m = {.iteration = i, .steps = 10, .batch = BATCH};
        double want = i < 10 ? 0.5 * (1 - (double)i / 10) : 0;
        assert_close(seg->scalar[0].value(seg->scalar[0].arg, &m), want, 1e-15);
    }
    training_close(&w);
}

/* --- half-life of the average -------------------------------------------------------------------------- */

static double half_life(const char *text, double ramp, int64_t iteration)
{
    struct gan_average a = {.ramp = ramp};
    const struct gan_moment m = {
        .iteration = iteration, .steps = 100, .images = iteration * 10, .batch = 10};
    gan_err err = {0};
    assert_int_equal(gan__aid_average_option(text, &a, &err), GAN_OK);
    assert_true(a.ramp >= ramp && a.ramp <= ramp); /* the text does not say it */
    return gan_average_half_life(&a, &m);
}

static void half_life_moves(void **state)
{
    (void)state;
    assert_close(half_life("500", 0, 0), 500, 0);
    assert_close(half_life("500", 0.05, 9), 5, 1e-12); /* 100 images seen */
    assert_close(half_life("500@cosine:.1", 0, 50), 500 * 0.55, 1e-10);
    assert_close(half_life("0..500@cosine", 0, 0), 0, 0);
    assert_close(half_life("0..500@cosine", 0, 50), 250, 1e-10);
    assert_close(half_life("0..500@cosine", 0, 100), 500, 1e-10);
    assert_close(half_life("0..500@cosine", 0, 900), 500, 1e-10);
    assert_close(half_life("100..20@linear", 0, 25), 80, 1e-12);
    assert_close(half_life("0..500@cosine", 0.1, 50), 51, 1e-12);
    /* R3GAN's own 5 million of 20: its ramp holds it nowhere */
    for (int64_t i = 0; i <= 100; i++) {
        double free = half_life("0..250@cosine", 0, i);
        assert_close(half_life("0..250@cosine", 0.3, i), free, 0);
    }
    const struct {
        const char *text, *part;
        gan_status code;
    } bad[] = {
        {"", "a number of images is expected", GAN_E_ARG},
        {"@cosine", "a number of images is expected", GAN_E_ARG},
        {"many", "half-life is 'many'", GAN_E_ARG},
        {"-1", "half-life is -1", GAN_E_RANGE},
        {"1,2", "takes 1 number", GAN_E_ARG},
        {"0..500", "a schedule must say how it moves", GAN_E_ARG},
        {"0..500@cosinus", "did you mean cosine?", GAN_E_ARG},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gan_average a = {.half_life = 7};
        gan_err err = {0};
        assert_int_equal(gan__aid_average_option(bad[i].text, &a, &err), bad[i].code);
        assert_non_null(strstr(err.message, bad[i].part));
        assert_close(a.half_life, 7, 0);
    }
}

/* The average with a half-life of 0 is the newest weights; the run must have a length. */
static void average_starts_as_the_weights(void **state)
{
    (void)state;
    const char *set[] = {"ema", "0..500@cosine", "width", "2", "z", "4", NULL};
    struct training w;
    world_open(&w, set);
    assert_string_equal(gan__step_needs_length(w.step), "the schedule of --ema");
    const struct gan__segment *seg = gan__step_segment(w.step, 0);
    const struct gan_moment first = {.iteration = 0, .steps = 100, .batch = BATCH};
    const struct gan_moment last = {
        .iteration = 100, .steps = 100, .images = 1000000, .batch = BATCH};
    assert_int_equal(seg->n_scalars, 1);
    assert_close(seg->scalar[0].value(seg->scalar[0].arg, &first), 1, 0);
    assert_close(seg->scalar[0].value(seg->scalar[0].arg, &last), 1 - pow(0.5, BATCH / 500.0),
                 1e-15);
    training_close(&w);
}

/* --- annealed weights ---------------------------------------------------------------------------------- */

static double output(const struct training *w, const char *name)
{
    const struct gan__segment *seg = gan__step_segment(w->step, 0);
    for (int i = 0; i < seg->n_reports; i++) {
        if (strcmp(seg->report[i].name, name) == 0) {
            return gan_tensor_get(gan_plan_output(w->plan, i), 0);
        }
    }
    fail_msg("no report %s", name);
    return 0;
}

/* The penalty at iteration i of a run of ten is that of the first times the schedule's factor, in the
 * report and in the loss; the penalty beside it stays. Networks do not move, noise is the same. */
static void weights_are_annealed(void **state)
{
    (void)state;
    const char *set[] = {"reg",        "r1:.8@cosine:.1,r2:.5",
                         "width",      "2",
                         "z",          "4",
                         "optim-gen",  "sgd:0",
                         "optim-disc", "sgd:0",
                         NULL};
    const struct gan_task task = {.height = SIDE, .width = SIDE, .channels = 1};
    const struct gan_plan_opts o = {.backend = "ref"};
    struct training w;
    gan_val reports[GAN__MAX_REPORTS];
    gan_err err = {0};
    double first[2] = {0}, loss = 0;
    training_open(&w, "plain", set, &task, BATCH, false);
    assert_string_equal(gan__step_needs_length(w.step), "the schedule of --reg");
    const struct gan__segment *seg = gan__step_segment(w.step, 0);
    for (int i = 0; i < seg->n_reports; i++) {
        reports[i] = seg->report[i].val;
    }
    w.plan = gan_plan_new(seg->graph, reports, seg->n_reports, &o, &err);
    assert_non_null(w.plan);
    for (int64_t i = 0; i < 12; i += 3) {
        iterate(&w, i, 0, waves());
        double part = fmin((double)i / 10, 1), factor = 0.1 + 0.45 * (1 + cos(acos(-1) * part));
        double r1 = output(&w, "penalty.r1"), r2 = output(&w, "penalty.r2");
        if (i == 0) {
            first[0] = r1, first[1] = r2, loss = output(&w, "loss.disc");
            assert_true(r1 > 1e-6 && r2 > 0); /* there is something to anneal */
        }
        assert_close(output(&w, "weight.r1"), 0.8 * factor, 1e-12);
        assert_close(r1, first[0] * factor, 1e-12);
        assert_close(r2, first[1], 1e-12);
        assert_close(output(&w, "loss.disc"), loss - first[0] * (1 - factor), 1e-12);
    }
    training_close(&w);
}

/* --- virtual norm in D ------------------------------------------------------------------------------ */

/* The reference of a D that judges pairs: the first batch as two pairs, again and again; later batches
 * do not change it, nor does a regulariser that shrinks every weight of D. */
static void reference_is_the_first_batch(void **state)
{
    (void)state;
    const char *set[] = {"norm-disc",  "virtual", "pack", "2",         "width",
                         "2",          "z",       "4",    "optim-gen", "sgd:0",
                         "optim-disc", "sgd:0",   "reg",  "l2,clip",   NULL};
    struct training w;
    double images[PIXELS];
    world_open(&w, set);
    int at = gan_store_find(w.store, "disc.reference.x");
    assert_true(at >= 0);
    for (int64_t i = 0; i < 3; i++) {
        for (int k = 0; k < PIXELS; k++) {
            images[k] = 1000.0 * (double)i + k;
        }
        iterate(&w, i, 0, images);
        const gan_tensor *t = &gan_store_at(w.store, at)->value;
        assert_true(t->shape.dim[0] == 64 && t->shape.dim[3] == 2);
        for (int64_t k = 0; k < gan_shape_count(&t->shape); k++) {
            int64_t image = k % 2, pixel = k / 2 % (SIDE * SIDE), row = k / 2 / (SIDE * SIDE) % 2;
            double want = (double)((2 * row + image) * SIDE * SIDE + pixel);
            assert_true(gan_tensor_get(t, k) == want);
        }
    }
    training_close(&w);
}

/* --- lazy updates --------------------------------------------------------------------------------------- */

static void lazy_optimiser(void **state)
{
    (void)state;
    struct gan_optim o;
    assert_int_equal(gan_optim_parse("adam:2e-3,.5,.99", &o, NULL), GAN_OK);
    struct gan_optim c = gan_optim_more_often(&o, 16.0 / 17);
    assert_close(c.arg[0], 2e-3 * 16 / 17, 1e-18);
    assert_close(c.arg[1], pow(0.5, 16.0 / 17), 1e-15);
    assert_close(c.arg[2], pow(0.99, 16.0 / 17), 1e-15);
    assert_true(c.arg[3] == o.arg[3]);
    struct gan_optim same = gan_optim_more_often(&o, 1); /* interval 1: nothing is lazy */
    assert_memory_equal(&same, &o, sizeof o);
    assert_int_equal(gan_optim_parse("sgd-gan2014", &o, NULL),
                     GAN_OK); /* its decay is no average */
    c = gan_optim_more_often(&o, 0.5);
    assert_true(c.arg[0] == o.arg[0] / 2 && c.arg[1] == o.arg[1]);
}

/* r1:.1/1 builds the graph of r1:.1. */
static void interval_of_one_is_eager(void **state)
{
    (void)state;
    char *dump[2];
    const char *const reg[] = {"r1:.1,orthogonal:1e-3", "r1:.1/1,orthogonal:1e-3/1"};
    for (int i = 0; i < 2; i++) {
        const char *set[] = {"reg", reg[i], "width", "2", "z", "4", NULL};
        struct training w;
        world_open(&w, set);
        assert_int_equal(gan__step_segments(w.step), 1);
        dump[i] = gan_graph_dump(gan__step_segment(w.step, 0)->graph, GAN_DUMP_TEXT);
        assert_non_null(dump[i]);
        training_close(&w);
    }
    assert_string_equal(dump[0], dump[1]);
    gan_text_free(dump[0]);
    gan_text_free(dump[1]);
}

/* --- derivatives ---------------------------------------------------------------------------------------- */

enum { SIZE = 24 };

static gan_val orthogonal(gan_graph *g, gan_val x)
{
    static const char *const names[] = {"disc.a.weight"};
    struct gan_reg_context c = {.g = g, .weights = &x, .names = names, .n_weights = 1};
    return gan_reg_find("orthogonal", NULL)->penalty(&c, 0.3);
}

static gan_val moved(gan_graph *g, gan_val x)
{
    static const double dy[] = {1, -1}, dx[] = {0, 2};
    gan_val one = gan_reshape(g, gan_cast(g, gan_iota(g, 2), GAN_F64), GAN_SHAPE(2, 1, 1, 1));
    gan_val y = gan_shift(g, gan_scale(g, one, dy[1] - dy[0]), dy[0]);
    gan_val z = gan_shift(g, gan_scale(g, one, dx[1] - dx[0]), dx[0]);
    gan_val image = gan_reshape(g, x, GAN_SHAPE(2, 3, 4, 1));
    return gan_sum_all(g, gan_pow(g, gan_move(g, image, y, z), 3));
}

static gan_val warped(gan_graph *g, gan_val x)
{
    gan_val image = gan_reshape(g, x, GAN_SHAPE(2, 3, 4, 1));
    const struct gan_affine from = {gan_const(g, 1.3), gan_const(g, -.4), gan_const(g, .37),
                                    gan_const(g, .2),  gan_const(g, .9),  gan_const(g, -.61)};
    return gan_sum_all(g, gan_pow(g, gan_warp(g, image, &from), 3));
}

static gan_val warped_smoothly(gan_graph *g, gan_val x)
{
    gan_val image = gan_reshape(g, x, GAN_SHAPE(2, 3, 4, 1));
    const struct gan_affine from = {gan_const(g, 1.3), gan_const(g, -.4), gan_const(g, .37),
                                    gan_const(g, .2),  gan_const(g, .9),  gan_const(g, -.61)};
    return gan_sum_all(g, gan_pow(g, gan_warp_wavelet(g, image, &from), 3));
}

static gan_val filtered(gan_graph *g, gan_val x)
{
    gan_val image = gan_reshape(g, x, GAN_SHAPE(2, 3, 4, 1));
    gan_val gains = gan_reshape(g, gan_iota(g, 8), GAN_SHAPE(2, 4));
    gains = gan_shift(g, gan_scale(g, gan_cast(g, gains, GAN_F64), 0.2), 0.3);
    return gan_sum_all(g, gan_pow(g, gan_filter_bands(g, image, gains), 3));
}

/* The largest change that `build` makes to images [2,H,W,3] of the smallest sides and larger ones. */
static double largest_change(gan_val (*build)(gan_graph *, gan_val), int64_t height, int64_t width)
{
    static double x[2 * 12 * 12 * 3];
    const gan_shape shape = GAN_SHAPE(2, height, width, 3);
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val in = gan_feed(g, "x", GAN_F64, shape), out = build(g, in);
    gan_plan *p = gan_plan_new(g, &out, 1, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    struct gan_feed_data feed = {"x", {GAN_F64, shape, x}};
    struct gan_run run = {.feeds = &feed, .n_feeds = 1};
    double most = 0;
    for (int i = 0; i < 2 * 12 * 12 * 3; i++) {
        x[i] = sin(1.7 * i) + 0.3;
    }
    assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
    for (int64_t i = 0; i < gan_shape_count(&shape); i++) {
        most = fmax(most, fabs(gan_tensor_get(gan_plan_output(p, 0), i) - x[i]));
    }
    gan_plan_free(p);
    gan_graph_free(g);
    return most;
}

static gan_val unmoved(gan_graph *g, gan_val x)
{
    gan_val one = gan_const(g, 1), zero = gan_const(g, 0);
    return gan_warp_wavelet(g, x, &(struct gan_affine){one, zero, zero, zero, one, zero});
}

static gan_val mirrored_twice(gan_graph *g, gan_val x)
{
    gan_val one = gan_const(g, 1), zero = gan_const(g, 0), minus = gan_const(g, -1);
    const struct gan_affine mirror = {minus, zero, zero, zero, one, zero};
    return gan_warp_wavelet(g, gan_warp_wavelet(g, x, &mirror), &mirror);
}

static gan_val by_one_period(gan_graph *g, gan_val x)
{
    gan_val one = gan_const(g, 1), zero = gan_const(g, 0);
    gan_val px = gan_const(g, 2.0 * (double)(gan_dim(g, x, 2) - 1));
    gan_val py = gan_const(g, -4.0 * (double)(gan_dim(g, x, 1) - 1));
    return gan_warp_wavelet(g, x, &(struct gan_affine){one, zero, px, zero, one, py});
}

static gan_val gains_of_one(gan_graph *g, gan_val x)
{
    return gan_filter_bands(g, x, gan_fill(g, 1, GAN_SHAPE(2, 4)));
}

/* sym6 is orthogonal and the bands sum to 1: what moves and amplifies nothing changes nothing, but for
 * rounding, 1e-12 for about a hundred products of order 1. Sides of one and two pixels have the
 * shortest mirrors. */
static void wavelets_are_exact(void **state)
{
    (void)state;
    const int64_t sides[][2] = {{1, 1}, {1, 5}, {2, 3}, {9, 12}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        int64_t h = sides[i][0], w = sides[i][1];
        assert_close(largest_change(unmoved, h, w), 0, 1e-12);
        assert_close(largest_change(by_one_period, h, w), 0, 1e-12);
        assert_close(largest_change(gains_of_one, h, w), 0, 1e-12);
    }
    assert_true(largest_change(mirrored_twice, 9, 12) > 1e-3); /* sym6 is only nearly symmetric */
    assert_close(largest_change(mirrored_twice, 9, 12), 0, 0.5);
}

/* --- augmentation as text ---------------------------------------------------------------------------- */

static void groups_are_read(void **state)
{
    (void)state;
    const struct {
        const char *text;
        struct gan_ada want;
    } good[] = {
        {"ada", {1, 1, 1, 0, 0, 0}},
        {"ada:.6,1000", {1, 1, 1, 0, 0, 0}},
        {"ada/bg", {1, 1, 0, 0, 0, 0}},
        {"ada:.5/bgcfnc", {1, 1, 1, 1, 1, 1}},
        {"ada/filter", {0, 0, 0, 1, 0, 0}},
        {"random:0..0.55@cosine/bg+color*.5+cutout", {1, 1, 0.5, 0, 0, 1}},
        {"random/noise*.25", {0, 0, 0, 0, 0.25, 0}},
    };
    const struct {
        const char *text, *part;
    } bad[] = {
        {"ada/bgcx", "'bgcx' is none of"},
        {"ada/", "'' is none of"},
        {"ada/noise*2", "strength '2', allowed 0 to 1"},
        {"ada/noise*x", "strength 'x'"},
        {"ada:.6,2,3", "takes 2 numbers"},
        {"random:2", "probability is 2, allowed 0 to 1"},
        {"random:0..1", "a schedule must say how it moves"},
        {"random:.5@lineal", "did you mean linear?"},
        {"randomly", "expected none"},
        {"diff/bgc", "expected none"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct gan__aid_augment a;
        assert_int_equal(gan__aid_augment_option(good[i].text, &a, NULL), GAN_OK);
        assert_memory_equal(&a.groups, &good[i].want, sizeof a.groups);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gan__aid_augment a;
        gan_err err = {0};
        assert_true(gan__aid_augment_option(bad[i].text, &a, &err) != GAN_OK);
        if (strstr(err.message, bad[i].part) == NULL) {
            fail_msg("%s: %s", bad[i].text, err.message);
        }
    }
}

/* p on a schedule, R3GAN's: 0, half and all of .55. */
static void probability_moves(void **state)
{
    (void)state;
    const char *set[] = {
        "augment", "random:0..0.55@cosine/bg+color*.5+cutout", "width", "2", "z", "4", NULL};
    struct training w;
    world_open(&w, set);
    assert_string_equal(gan__step_needs_length(w.step), "the schedule of --augment");
    const struct gan__segment *seg = gan__step_segment(w.step, 0);
    assert_int_equal(seg->n_scalars, 1);
    for (int64_t i = 0; i <= 10; i += 5) {
        struct gan_moment m = {.iteration = i, .steps = 10, .batch = BATCH};
        assert_close(seg->scalar[0].value(seg->scalar[0].arg, &m), 0.055 * (double)i, 1e-15);
    }
    training_close(&w);
}

static void check(gan_val (*build)(gan_graph *, gan_val), gan_shape shape)
{
    const double h = 1e-5;
    double x[SIZE], d[SIZE];
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val in = gan_feed(g, "x", GAN_F64, shape), out[] = {build(g, in), GAN_NONE};
    gan_grad(g, out[0], &in, 1, &out[1]);
    gan_plan *p = gan_plan_new(g, out, 2, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    struct gan_feed_data feed = {"x", {GAN_F64, shape, x}};
    struct gan_run run = {.feeds = &feed, .n_feeds = 1};
    for (int i = 0; i < SIZE; i++) {
        x[i] = sin(1.7 * i) + 0.3;
    }
    assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
    memcpy(d, gan_plan_output(p, 1)->data, sizeof d);
    double size = 0;
    for (int i = 0; i < SIZE; i++) {
        double v = x[i], side[2];
        for (int k = 0; k < 2; k++) {
            x[i] = v + (k == 0 ? h : -h);
            assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
            side[k] = gan_tensor_get(gan_plan_output(p, 0), 0);
        }
        x[i] = v;
        size += fabs(d[i]);
        assert_close(d[i], (side[0] - side[1]) / (2 * h), 1e-7 * (1 + fabs(d[i])));
    }
    assert_true(size > 0.1);
    gan_plan_free(p);
    gan_graph_free(g);
}

static void derivatives(void **state)
{
    (void)state;
    check(orthogonal, GAN_SHAPE(4, 6));
    check(moved, GAN_SHAPE(2, 3, 4, 1));
    check(warped, GAN_SHAPE(2, 3, 4, 1));
    check(warped_smoothly, GAN_SHAPE(2, 3, 4, 1));
    check(filtered, GAN_SHAPE(2, 3, 4, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ada_follows_the_sign), cmocka_unit_test(noise_falls_to_zero),
        cmocka_unit_test(half_life_moves),      cmocka_unit_test(average_starts_as_the_weights),
        cmocka_unit_test(weights_are_annealed), cmocka_unit_test(reference_is_the_first_batch),
        cmocka_unit_test(lazy_optimiser),       cmocka_unit_test(interval_of_one_is_eager),
        cmocka_unit_test(derivatives),          cmocka_unit_test(wavelets_are_exact),
        cmocka_unit_test(groups_are_read),      cmocka_unit_test(probability_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
