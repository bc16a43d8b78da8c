/* test_classes.c: models that know the class, on tiny labelled data: stopped and resumed is the same
 * as never stopped, images asked for by class are those made in turn, labels of fakes are spread
 * evenly, the widths of AC-GAN's networks are apart. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "models/step.h"
#include "support/idx_file.h"

#include <gan/checkpoint.h>
#include <gan/plan.h>
#include <gan/sample.h>
#include <gan/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 40, SIDE = 32, PIXELS = SIDE * SIDE, CLASSES = 3, MAX_SET = 16 };

static struct temp_dir tmp;
static char spec[TEMP_PATH_MAX + 8];

static int make(void **state)
{
    unsigned char pixels[COUNT * PIXELS], labels[COUNT];
    const uint32_t images[] = {COUNT, SIDE, SIDE}, one[] = {COUNT};
    char path[TEMP_PATH_MAX];
    (void)state;
    for (int i = 0; i < COUNT * PIXELS; i++) {
        pixels[i] = (unsigned char)(i * 7);
    }
    for (int i = 0; i < COUNT; i++) {
        labels[i] = (unsigned char)(i % CLASSES);
    }
    temp_dir_make(&tmp);
    idx_write(&tmp, "train-images-idx3-ubyte", 3, images, pixels, sizeof pixels, false);
    idx_write(&tmp, "train-labels-idx1-ubyte", 1, one, labels, sizeof labels, false);
    (void)gan__format(spec, sizeof spec, "idx:%s", temp_path(&tmp, ".", path));
    return 0;
}

static int drop(void **state)
{
    (void)state;
    temp_dir_remove(&tmp);
    return 0;
}

/* Models that know the class, each small. */
static const struct {
    const char *model, *words;
} models[] = {
    {"plain", "arch=dcgan cond=projection reg=sn width=2 z=4 ema=100"},
    {"cgan", "width=4 z=4"},
    {"cgan", "net=conv width=2 z=4"},
    {"cgan", "net=conv width=2 z=4 norm-disc=none spectral=true loss=hinge mismatch=.5"},
    {"acgan", "width=4 z=4"},
    {"acgan", "variant=onehot width=8 z=8"},
    {"acgan", "width=4 z=4 width-disc=8 class-fakes=false"},
};

static void ok(gan_status status, const gan_err *err)
{
    assert_string_equal(err->message, "");
    assert_int_equal(status, GAN_OK);
}

static void train(const char *model, const char *words, const char *more, const char *out,
                  struct gan_train_result *result)
{
    struct gan_setting set[MAX_SET];
    char text[512], dir[TEMP_PATH_MAX];
    size_t n = 0;
    gan_err err = {0};
    assert_true(gan__format(text, sizeof text, "steps=6 batch=8 threads=1 %s %s", more, words));
    for (char *p = text, *end; *p != '\0'; p = end) {
        end = p + strcspn(p, " ");
        if (*end == ' ') {
            *end++ = '\0';
        }
        char *eq = strchr(p, '=');
        *eq = '\0';
        set[n++] = (struct gan_setting){p, eq + 1};
    }
    struct gan_train_cfg cfg = {
        .model = model, .data = spec, .out = temp_path(&tmp, out, dir), .set = set, .n_set = n};
    ok(gan_train(&cfg, NULL, result, &err), &err);
}

static void expect_same(const char *a, const char *b)
{
    gan_err err = {0};
    size_t na, nb;
    char *x, *y;
    ok(gan__file_read(a, 1 << 26, &x, &na, &err), &err);
    ok(gan__file_read(b, 1 << 26, &y, &nb, &err), &err);
    assert_int_equal(na, nb);
    assert_memory_equal(x, y, na);
    gan__free(x);
    gan__free(y);
}

static void stopped_and_resumed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        char whole[16], parts[16], dir[TEMP_PATH_MAX];
        struct gan_train_result a, b;
        gan_err err = {0};
        (void)gan__format(whole, sizeof whole, "whole%zu", i);
        (void)gan__format(parts, sizeof parts, "parts%zu", i);
        train(models[i].model, models[i].words, "log-every=1", whole, &a);
        train(models[i].model, models[i].words, "log-every=1 stop-at=3", parts, &b);
        assert_int_equal(b.step, 3);
        struct gan_train_cfg cfg = {.resume = temp_path(&tmp, parts, dir)};
        ok(gan_train(&cfg, NULL, &b, &err), &err);
        expect_same(a.checkpoint, b.checkpoint);
        expect_same(a.samples, b.samples);
    }
}

/* Images 0..6 in turn against single calls by class; labels outside are refused. */
static void images_by_class(void **state)
{
    (void)state;
    enum { N = 7 };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct gan_train_result r;
        gan_err err = {0};
        gan_sampler *s = NULL;
        static float turn[N * PIXELS], again[N * PIXELS], other[N * PIXELS];
        float z[N * 128];
        int32_t labels[N];
        int64_t y = -1;
        char run[16];
        (void)gan__format(run, sizeof run, "run%zu", i);
        train(models[i].model, models[i].words, "log-every=1", run, &r);
        ok(gan_sampler_open(r.checkpoint, &(struct gan_sampler_opts){.batch = 3}, &s, &err), &err);
        const struct gan_sampler_info *about = gan_sampler_about(s);
        assert_int_equal(about->classes, CLASSES);
        assert_true(about->latent * N <= (int64_t)(sizeof z / sizeof *z));
        ok(gan_sampler_images(s, 5, 0, N, turn, &err), &err);
        gan_sampler_latents(s, 5, 0, N, z);
        for (int k = 0; k < N; k++) {
            labels[k] = k % CLASSES;
        }
        ok(gan_sampler_decode_classes(s, z, labels, N, again, &err), &err);
        assert_memory_equal(turn, again, sizeof turn);
        labels[4] = (labels[4] + 1) % CLASSES;
        ok(gan_sampler_decode_classes(s, z, labels, N, other, &err), &err);
        assert_memory_not_equal(turn + 4 * PIXELS, other + 4 * PIXELS, PIXELS * sizeof *turn);
        assert_memory_equal(turn + 5 * PIXELS, other + 5 * PIXELS, PIXELS * sizeof *turn);
        labels[2] = CLASSES;
        assert_int_equal(gan_sampler_decode_classes(s, z, labels, N, other, &err), GAN_E_RANGE);
        assert_non_null(strstr(err.message, "label 2 is 3, allowed are 0 to 2"));
        err = (gan_err){0};
        ok(gan_sampler_class(s, "2", &y, &err), &err);
        assert_int_equal(y, 2);
        gan_sampler_close(s);
    }
}

/* Where a norm goes by the batch, images are those of the longer job: it is filled up with its
 * latents, so that a few images are as typical as many. */
static void batch_is_filled_up(void **state)
{
    (void)state;
    static float few[PIXELS], all[4 * PIXELS], running[PIXELS];
    const struct gan_sampler_opts opts = {.batch = 4, .bn_batch = true};
    struct gan_train_result r;
    gan_err err = {0};
    gan_sampler *s = NULL;
    train("cgan", "net=conv width=2 z=4", "log-every=1", "norms", &r);
    ok(gan_sampler_open(r.checkpoint, &opts, &s, &err), &err);
    ok(gan_sampler_images(s, 5, 0, 4, all, &err), &err);
    ok(gan_sampler_images(s, 5, 0, 1, few, &err), &err);
    assert_memory_equal(few, all, sizeof few);
    gan_sampler_close(s);
    ok(gan_sampler_open(r.checkpoint, NULL, &s, &err), &err);
    ok(gan_sampler_images(s, 5, 0, 1, running, &err), &err);
    assert_memory_not_equal(few, running, sizeof few);
    gan_sampler_close(s);
}

/* Numbers in the states of a network of a short run of acgan. */
static int64_t numbers(const char *words, const char *net)
{
    struct gan_train_result r;
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    char out[96];
    int64_t count = 0;
    assert_true(gan__format(out, sizeof out, "%s of %s", net, words));
    train("acgan", words, "log-every=1", out, &r);
    ok(gan_checkpoint_open(r.checkpoint, &c, &err), &err);
    for (size_t i = 0; i < gan_checkpoint_count(c); i++) {
        const char *name;
        gan_tensor t;
        assert_true(gan_checkpoint_tensor(c, i, &name, &t));
        if (strncmp(name, net, strlen(net)) == 0) {
            count += (int64_t)(gan_tensor_bytes(&t) / sizeof(float));
        }
    }
    gan_checkpoint_close(c);
    return count;
}

/* G has its own width, D that of a wider pair. */
static void widths_of_their_own(void **state)
{
    (void)state;
    int64_t narrow = numbers("width=4 z=4", "disc."), wide = numbers("width=8 z=4", "disc.");
    assert_true(narrow < wide);
    assert_int_equal(numbers("width=4 z=4 width-disc=8", "disc."), wide);
    assert_int_equal(numbers("width=4 z=4 width-disc=8", "gen."), numbers("width=4 z=4", "gen."));
}

/* --- labels of fakes ------------------------------------------------------------------------------ */

enum { BATCH = 4096 };

struct only_labels {
    struct gan_task task;
};

static void label_iteration(gan_step *s, const void *options)
{
    (void)options;
    gan_val y = gan_labels(s, "y");
    gan_report(s, "low", gan_cast(gan_step_graph(s), y, GAN_F32));
}

/* Each of 7 classes comes up BATCH/7 = 585 times; five deviations of a binomial are 112. */
static void labels_are_even(void **state)
{
    (void)state;
    static const struct gan_model model = {.name = "labels",
                                           .may_need = GAN_FIELD_LABEL,
                                           .size = sizeof(struct only_labels),
                                           .iteration = label_iteration};
    const struct only_labels opts = {
        .task = {.height = 1, .width = 1, .channels = 1, .classes = 7}};
    int count[7] = {0};
    gan_err err = {0};
    gan_store *st = gan_store_new();
    const struct gan_net_list nets = {.n = 0};
    struct gan__step_cfg cfg = {.model = &model,
                                .opts = &opts,
                                .store = st,
                                .nets = &nets,
                                .real = GAN_F32,
                                .batch = BATCH,
                                .mode = GAN_TRAIN};
    gan_step *step = gan__step_build(&cfg, &err);
    ok(err.code, &err);
    const struct gan__segment *seg = gan__step_segment(step, 0);
    gan_plan *p = gan_plan_new(seg->graph, &seg->report[0].val, 1, NULL, &err);
    ok(err.code, &err);
    ok(gan_plan_run(p, &(struct gan_run){.seed = 3}, &err), &err);
    for (int64_t i = 0; i < BATCH; i++) {
        int y = (int)gan_tensor_get(gan_plan_output(p, 0), i);
        assert_in_range(y, 0, 6);
        count[y]++;
    }
    for (int y = 0; y < 7; y++) {
        assert_in_range(count[y], 585 - 112, 585 + 112);
    }
    gan_plan_free(p);
    gan__step_free(step);
    gan_store_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stopped_and_resumed, make, drop),
        cmocka_unit_test_setup_teardown(images_by_class, make, drop),
        cmocka_unit_test_setup_teardown(batch_is_filled_up, make, drop),
        cmocka_unit_test_setup_teardown(widths_of_their_own, make, drop),
        cmocka_unit_test(labels_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
