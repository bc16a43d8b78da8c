/* test_run_train.c: training through the public functions, on tiny data: stopped and resumed is the
 * same as never stopped, a divergence keeps the last good state, samples do not depend on how many
 * are asked for, a long run does not grow. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "run/session.h"
#include "support/settings.h"
#include "support/temp_fixture.h"

#include <gan/log.h>
#include <gan/sample.h>
#include <gan/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char spec[TEMP_PATH_MAX + 8];
static char warning[512];

static void note(void *ctx, gan_log_level level, const char *line)
{
    (void)ctx;
    if (level == GAN_LOG_WARNING) {
        (void)gan__copy(warning, sizeof warning, line);
    }
}

/* 40 gray images of 8x8 in IDX form. */
static int make_images(void **state)
{
    unsigned char file[16 + 40 * 64] = {0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 8};
    char path[TEMP_PATH_MAX];
    for (int i = 0; i < 40 * 64; i++) {
        file[16 + i] = (unsigned char)(i * 7);
    }
    (void)make(state);
    temp_write(&tmp, "tiny", file, sizeof file);
    (void)gan__format(spec, sizeof spec, "idx:%s", temp_path(&tmp, "tiny", path));
    warning[0] = '\0';
    gan_set_log(note, NULL);
    return 0;
}

/* A small recipe, with "name=value" words on top. */
static void recipe_add(struct settings *r, const char *words)
{
    settings_read(r, "batch=8 width=4 z=8 threads=1 log-every=1", words);
}

static gan_status train(const char *out, const char *words, struct gan_train_result *result,
                        gan_err *err)
{
    struct settings r;
    char dir[TEMP_PATH_MAX];
    recipe_add(&r, words);
    struct gan_train_cfg cfg = {
        .model = "gan", .data = spec, .out = temp_path(&tmp, out, dir), .set = r.set, .n_set = r.n};
    memset(err, 0, sizeof *err);
    return gan_train(&cfg, NULL, result, err);
}

static gan_status resume(const char *run, const struct gan_setting *set, size_t n,
                         struct gan_train_result *result, gan_err *err)
{
    char dir[TEMP_PATH_MAX];
    struct gan_train_cfg cfg = {.resume = temp_path(&tmp, run, dir), .set = set, .n_set = n};
    memset(err, 0, sizeof *err);
    return gan_train(&cfg, NULL, result, err);
}

static void ok(gan_status status, const gan_err *err)
{
    assert_string_equal(err->message, "");
    assert_int_equal(status, GAN_OK);
}

static char *slurp(const char *path, size_t *n)
{
    gan_err err = {0};
    char *text;
    ok(gan__file_read(path, 1 << 26, &text, n, &err), &err);
    return text;
}

static void expect_same(const char *a, const char *b)
{
    size_t na, nb;
    char *x = slurp(a, &na), *y = slurp(b, &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(x, y, na);
    gan__free(x);
    gan__free(y);
}

static void stopped_and_resumed(void **state)
{
    (void)state;
    static const char *const more[] = {
        "",
        "microbatch=2",
        "optim-gen=adam:1e-3,.5,.999@linear optim-disc=sgd:.1,.9@cosine",
        "microbatch=4 optim-gen=adam:1e-3,.5,.999@linear k=3 net=paper z=100",
    };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        char words[256], whole[16], parts[16];
        gan_err err;
        struct gan_train_result a, b;
        (void)gan__format(whole, sizeof whole, "whole%zu", i);
        (void)gan__format(parts, sizeof parts, "parts%zu", i);
        (void)gan__format(words, sizeof words, "steps=20%s%s", more[i][0] ? " " : "", more[i]);
        ok(train(whole, words, &a, &err), &err);
        (void)gan__format(words, sizeof words, "steps=20 stop-at=10%s%s", more[i][0] ? " " : "",
                          more[i]);
        ok(train(parts, words, &b, &err), &err);
        assert_int_equal(b.step, 10);
        ok(resume(parts, NULL, 0, &b, &err), &err);
        assert_int_equal(a.step, 20);
        assert_int_equal(b.step, 20);
        expect_same(a.checkpoint, b.checkpoint);
        expect_same(a.samples, b.samples);
    }
}

/* A damaged newest checkpoint is named, the one before continues, to the same end. */
static void falls_back(void **state)
{
    (void)state;
    gan_err err;
    struct gan_train_result a, b;
    char path[TEMP_PATH_MAX];
    size_t n;
    ok(train("whole", "steps=6 checkpoint-every=2", &a, &err), &err);
    ok(train("run", "steps=6 checkpoint-every=2 stop-at=4", &b, &err), &err);
    char *file = slurp(temp_path(&tmp, "run/checkpoints/step-00000004.safetensors", path), &n);
    temp_write(&tmp, "run/checkpoints/step-00000004.safetensors", file, n / 2);
    gan__free(file);
    ok(resume("run", NULL, 0, &b, &err), &err);
    assert_non_null(strstr(warning, "step-00000004.safetensors"));
    expect_same(a.checkpoint, b.checkpoint);
}

static void other_checkpoints_are_refused(void **state)
{
    (void)state;
    gan_err err;
    struct gan_train_result r;
    size_t n;
    ok(train("one", "steps=1", &r, &err), &err);
    ok(train("two", "steps=2 optim-gen=sgd:.1", &r, &err), &err);
    char *file = slurp(r.checkpoint, &n);
    temp_write(&tmp, "one/checkpoints/step-00000002.safetensors", file, n);
    gan__free(file);
    struct gan_setting longer[] = {{"steps", "4"}};
    gan_status status = resume("one", longer, 1, &r, &err);
    assert_int_equal(status, GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "opt.optim-gen"));
}

static void only_length_may_change(void **state)
{
    (void)state;
    gan_err err;
    struct gan_train_result r;
    ok(train("run", "steps=2", &r, &err), &err);
    struct gan_setting batch[] = {{"batch", "16"}};
    assert_int_equal(resume("run", batch, 1, &r, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "--batch is 16, the run was started with 8"));
    struct gan_setting longer[] = {{"steps", "3"}, {"threads", "2"}, {"keep", "1"}, {"batch", "8"}};
    ok(resume("run", longer, 4, &r, &err), &err);
    assert_int_equal(r.step, 3);
    assert_non_null(strstr(warning, "2 threads instead of 1"));
    assert_int_equal(train("run", "steps=2", &r, &err), GAN_E_IO);
    assert_non_null(strstr(err.message, "--resume"));
}

/* A learning rate that throws the weights out of f32: named, and the state before it is kept. */
static void divergence(void **state)
{
    (void)state;
    gan_err err;
    struct gan_train_result r;
    gan_status status = train(
        "run", "steps=50 optim-gen=sgd:1000,0 optim-disc=sgd:1000,0.99 loss=minimax", &r, &err);
    assert_int_equal(status, GAN_E_DIVERGED);
    assert_int_equal(gan_status_exit_code(status), 3);
    assert_non_null(strstr(err.message, "is not finite"));
    assert_true(r.step < 50);
    gan_checkpoint *c = NULL;
    const char *name;
    gan_tensor t;
    memset(&err, 0, sizeof err);
    ok(gan_checkpoint_open(r.checkpoint, &c, &err), &err);
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        for (int64_t k = 0; k < gan_shape_count(&t.shape); k++) {
            double v = gan_tensor_get(&t, k);
            assert_true(v - v >= 0 && v - v <= 0);
        }
    }
    gan_checkpoint_close(c);
}

static bool stop_now(void *ctx)
{
    return --*(int *)ctx < 0;
}

static void interruption(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan_train_result whole, r;
    struct settings recipe;
    char dir[TEMP_PATH_MAX];
    int steps = 3;
    struct gan_train_watch watch = {.ctx = &steps, .should_stop = stop_now};
    ok(train("whole", "steps=6", &whole, &err), &err);
    recipe_add(&recipe, "steps=6");
    struct gan_train_cfg cfg = {.model = "gan",
                                .data = spec,
                                .out = temp_path(&tmp, "run", dir),
                                .set = recipe.set,
                                .n_set = recipe.n};
    assert_int_equal(gan_train(&cfg, &watch, &r, &err), GAN_E_INTERRUPTED);
    assert_int_equal(r.step, 3);
    ok(resume("run", NULL, 0, &r, &err), &err);
    expect_same(whole.checkpoint, r.checkpoint);
}

static void a_missing_place(void **state)
{
    (void)state;
    gan_err err;
    struct gan_train_result r;
    temp_write(&tmp, "file", "x", 1);
    assert_int_equal(gan_status_exit_code(train("file/run", "steps=1", &r, &err)), 1);
    assert_non_null(strstr(err.message, "file"));
    assert_int_equal(gan_status_exit_code(resume("nowhere", NULL, 0, &r, &err)), 1);
    assert_non_null(strstr(err.message, "nowhere"));
}

/* --- samples ------------------------------------------------------------------------------------ */

enum { PIXELS = 64 };

static void samples(void **state)
{
    (void)state;
    gan_err err;
    gan_sampler *s = NULL;
    struct gan_train_result r;
    static float many[100 * PIXELS], few[5 * PIXELS], z[100 * 8];
    ok(train("run", "steps=3", &r, &err), &err);
    ok(gan_sampler_open(r.dir, NULL, &s, &err), &err);
    const struct gan_sampler_info *info = gan_sampler_about(s);
    assert_string_equal(info->model, "gan");
    assert_int_equal(info->height * info->width * info->channels, PIXELS);
    assert_int_equal(info->latent, 8);
    assert_int_equal(info->step, 3);
    assert_int_equal(strlen(info->hash), 32);
    ok(gan_sampler_images(s, 7, 0, 100, many, &err), &err);
    ok(gan_sampler_images(s, 7, 41, 5, few, &err), &err);
    assert_memory_equal(many + 41 * PIXELS, few, sizeof few);
    ok(gan_sampler_images(s, 8, 41, 5, few, &err), &err);
    assert_memory_not_equal(many + 41 * PIXELS, few, sizeof few);
    gan_sampler_latents(s, 7, 41, 5, z);
    ok(gan_sampler_decode(s, z, 5, few, &err), &err);
    assert_memory_equal(many + 41 * PIXELS, few, sizeof few);
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        assert_true(many[i] >= -1 && many[i] <= 1);
    }
    gan_sampler_close(s);
}

static void sample_files(void **state)
{
    (void)state;
    gan_err err;
    gan_sampler *s = NULL;
    struct gan_train_result r;
    char path[TEMP_PATH_MAX], latents[TEMP_PATH_MAX];
    static float z[3 * 8], images[3 * PIXELS];
    float *back;
    gan_shape shape, z_shape = GAN_SHAPE(3, 8), bad = GAN_SHAPE(4, 6);
    ok(train("run", "steps=0", &r, &err), &err);
    ok(gan_sampler_open(r.checkpoint, NULL, &s, &err), &err);
    gan_sampler_latents(s, 5, 0, 3, z);
    ok(gan_npy_write(temp_path(&tmp, "z.npy", latents), &z_shape, z, &err), &err);
    struct gan_sample_request what = {.latents = latents};
    ok(gan_sampler_write(s, &what, temp_path(&tmp, "x.npy", path), &err), &err);
    ok(gan_npy_read(path, &shape, &back, &err), &err);
    ok(gan_sampler_images(s, 5, 0, 3, images, &err), &err);
    assert_int_equal(shape.dim[0], 3);
    assert_memory_equal(back, images, sizeof images);
    gan_array_free(back);
    ok(gan_npy_write(latents, &bad, z, &err), &err);
    assert_int_equal(gan_sampler_write(s, &what, path, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "[4,6]"));
    memset(&err, 0, sizeof err);
    what = (struct gan_sample_request){.n = 3, .first = 4};
    ok(gan_sampler_write(s, &what, temp_path(&tmp, "folder", path), &err), &err);
    assert_true(gan__path_exists(temp_path(&tmp, "folder/00006.png", path)));
    gan_sampler_close(s);
    temp_write(&tmp, "other", "\x02\0\0\0\0\0\0\0{}", 10);
    assert_int_equal(gan_sampler_open(temp_path(&tmp, "other", path), NULL, &s, &err),
                     GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "no checkpoint of libgan"));
}

/* --- memory ------------------------------------------------------------------------------------- */

/* 1,000 iterations allocate nothing of ours, and the process does not grow: what the system hands
 * out in pages may differ by a few, so the limit is 1 MiB. */
static void no_growth(void **state)
{
    (void)state;
    gan_err err = {0};
    struct settings words;
    struct gan__recipe r;
    struct gan__session s;
    double values[GAN__MAX_VALUES];
    recipe_add(&words, "steps=1000");
    struct gan_train_cfg cfg = {.model = "gan", .data = spec, .set = words.set, .n_set = words.n};
    ok(gan__recipe_init(&r, cfg.model, &err), &err);
    for (size_t i = 0; i < words.n; i++) {
        ok(gan__recipe_set(&r, words.set[i].name, words.set[i].value, &err), &err);
    }
    ok(gan__recipe_set_data(&r, spec, &err), &err);
    ok(gan__session_build(&s, &r, &err), &err);
    ok(gan__session_init_weights(&s, &err), &err);
    ok(gan__session_compile(&s, &err), &err);
    ok(gan__session_start(&s, &err), &err);
    for (int i = 0; i < 20; i++) {
        ok(gan__session_step(&s, values, &err), &err);
    }
    uint64_t rss = gan__rss_bytes(); /* reads a file: allocates */
    uint64_t calls = gan__alloc_stats().calls;
    for (int i = 0; i < 1000; i++) {
        ok(gan__session_step(&s, values, &err), &err);
    }
    assert_int_equal(gan__alloc_stats().calls, calls);
#ifndef __SANITIZE_ADDRESS__ /* whose quarantine of the log's lines grows by itself */
    assert_true(gan__rss_bytes() <= rss + (1 << 20));
#else
    assert_true(rss > 0);
#endif
    gan__session_release(&s);
    gan__recipe_release(&r);
}

/* Nothing leaks, whatever way a run ends. */
static void no_leaks(void **state)
{
    (void)state;
    gan_err err;
    struct gan_train_result r;
    uint64_t live = gan__alloc_stats().live;
    ok(train("run", "steps=2", &r, &err), &err);
    assert_int_equal(train("run", "steps=2", &r, &err), GAN_E_IO);
    assert_int_equal(train("bad", "steps=2 widht=3", &r, &err), GAN_E_ARG);
    assert_int_equal(train("bad", "steps=2 microbatch=3", &r, &err), GAN_E_RANGE);
    assert_int_equal(train("bad", "time=1 optim-gen=adam@linear", &r, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "--steps"));
    assert_int_equal(gan__alloc_stats().live, live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stopped_and_resumed, make_images, drop),
        cmocka_unit_test_setup_teardown(falls_back, make_images, drop),
        cmocka_unit_test_setup_teardown(other_checkpoints_are_refused, make_images, drop),
        cmocka_unit_test_setup_teardown(only_length_may_change, make_images, drop),
        cmocka_unit_test_setup_teardown(divergence, make_images, drop),
        cmocka_unit_test_setup_teardown(interruption, make_images, drop),
        cmocka_unit_test_setup_teardown(a_missing_place, make_images, drop),
        cmocka_unit_test_setup_teardown(samples, make_images, drop),
        cmocka_unit_test_setup_teardown(sample_files, make_images, drop),
        cmocka_unit_test_setup_teardown(no_growth, make_images, drop),
        cmocka_unit_test_setup_teardown(no_leaks, make_images, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
