/* test_oom_run.c: memory that runs out while data are opened, options read, checkpoints written and
 * read, a session started, images sampled. */
#include "base/alloc.h"
#include "base/err.h"
#include "oom/oom.h"
#include "run/config.h"
#include "run/session.h"
#include "support/idx_file.h"

#include <gan/data_check.h>
#include <gan/sample.h>
#include <gan/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { COUNT = 12, SIDE = 8 };

static struct temp_dir dir;

static int make_files(void **state)
{
    (void)state;
    unsigned char px[COUNT * SIDE * SIDE], label[COUNT];
    for (size_t i = 0; i < sizeof px; i++) {
        px[i] = (unsigned char)(37 * i);
    }
    for (size_t i = 0; i < COUNT; i++) {
        label[i] = (unsigned char)(i % 3);
    }
    const uint32_t shape[3] = {COUNT, SIDE, SIDE};
    temp_dir_make(&dir);
    idx_write(&dir, "train-images-idx3-ubyte", 3, shape, px, sizeof px, false);
    idx_write(&dir, "train-labels-idx1-ubyte", 1, shape, label, sizeof label, false);
    idx_write(&dir, "packed-images-idx3-ubyte.gz", 3, shape, px, sizeof px, true);
    char cache[TEMP_PATH_MAX];
    return setenv("GAN_CACHE", temp_path(&dir, "cache", cache), 1);
}

static int remove_files(void **state)
{
    (void)state;
    temp_dir_remove(&dir);
    return 0;
}

/* --- data --------------------------------------------------------------------------------------- */

static gan_status data_scene(void *ctx, gan_err *err)
{
    gan_dataset *ds = NULL;
    GAN_TRY(gan_dataset_open(ctx, &ds, err));
    gan_loader *loader = NULL;
    const struct gan_batch *b = NULL;
    struct gan_loader_cfg cfg = {.batch = 5, .seed = 1, .flip = !gan_dataset_about(ds)->points};
    gan_status status = gan_loader_new(ds, &cfg, &loader, err);
    for (int i = 0; i < 4 && status == GAN_OK; i++) {
        status = gan_loader_next(loader, &b, err);
    }
    gan_loader_free(loader);
    gan_dataset_close(ds);
    return status;
}

static void data(void **state)
{
    (void)state;
    char spec[TEMP_PATH_MAX + 64];
    (void)snprintf(spec, sizeof spec, "idx:%s/train-images-idx3-ubyte?size=6", dir.path);
    oom_each("idx", data_scene, spec, (struct oom_rules){.threads = true});
    (void)snprintf(spec, sizeof spec, "idx:%s/packed-images-idx3-ubyte.gz?labels=none", dir.path);
    oom_each("idx, gzip'ed", data_scene, spec, (struct oom_rules){.threads = true});
    (void)snprintf(spec, sizeof spec, "edges:idx:%s/train-images-idx3-ubyte?size=6&balance=1",
                   dir.path);
    oom_each("edges", data_scene, spec, (struct oom_rules){.threads = true});
    (void)snprintf(spec, sizeof spec, "toy:ring8");
    oom_each("toy", data_scene, (char *)(uintptr_t) "toy:ring8",
             (struct oom_rules){.threads = true});
}

/* Two pairs, a file without partner and a broken one: everything a check remembers. */
static gan_status check_scene(void *ctx, gan_err *err)
{
    char better[2 * TEMP_PATH_MAX];
    struct gan_data_report *r = NULL;
    GAN_TRY(gan_data_check(ctx, NULL, &r, err));
    gan_status status = gan_data_spec_add(r->spec, "skip-broken=yes", better, sizeof better, err);
    gan_data_report_free(r);
    if (status == GAN_OK) { /* an option of the set inside */
        status = gan_data_spec_add("edges:(folder:x)", "fit=pad", better, sizeof better, err);
    }
    return status;
}

static void check(void **state)
{
    (void)state;
    static const char *const folders[] = {"pairs", "pairs/A", "pairs/B"};
    static const char *const files[] = {"pairs/A/1.pgm", "pairs/A/2.pgm", "pairs/B/1.pgm",
                                        "pairs/B/2.pgm", "pairs/B/3.pgm"};
    char spec[TEMP_PATH_MAX + 64], path[TEMP_PATH_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        assert_int_equal(mkdir(temp_path(&dir, folders[i], path), 0777), 0);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        temp_write(&dir, files[i], "P5 2 2 255\nabcd", i == 1 ? 12 : 15);
    }
    (void)snprintf(spec, sizeof spec, "pairs:%s/pairs", dir.path);
    oom_each("check", check_scene, spec, (struct oom_rules){0});
}

/* --- texts -------------------------------------------------------------------------------------- */

static gan_status texts_scene(void *ctx, gan_err *err)
{
    (void)ctx;
    struct gan_optim optim;
    struct gan_init init;
    struct gan_schedule schedule;
    struct gan__recipe r = {0};
    gan_status status = gan__recipe_init(&r, "gan", err);
    static const char *const set[][2] = {
        {"steps", "20"}, {"batch", "8"}, {"size", "16"}, {"optim-gen", "adam:1e-3,.5@hold:.5"}};
    for (size_t i = 0; i < sizeof set / sizeof *set && status == GAN_OK; i++) {
        status = gan__recipe_set(&r, set[i][0], set[i][1], err);
    }
    status = status == GAN_OK ? gan__recipe_set_data(&r, "toy:ring8", err) : status;
    status = status == GAN_OK ? gan__recipe_add_init(&r, "gen=file", err) : status;
    status = status == GAN_OK ? gan_optim_parse("rmsprop:1e-3@step:10,.5", &optim, err) : status;
    status = status == GAN_OK ? gan_init_parse("normal:0,.02", &init, err) : status;
    status = status == GAN_OK ? gan_schedule_parse("cosine", &schedule, err) : status;
    status = status == GAN_OK ? gan_data_check_spec("idx:d?size=8&flip=1", err) : status;
    gan__recipe_release(&r);
    return status;
}

static gan_status config_scene(void *ctx, gan_err *err)
{
    char path[TEMP_PATH_MAX];
    struct gan__config c = {0};
    struct gan__recipe r = {0};
    (void)ctx;
    temp_path(&dir, "config.yaml", path);
    gan_status status = gan__recipe_init(&r, "dcgan", err);
    status = status == GAN_OK ? gan__recipe_set(&r, "batch", "8", err) : status;
    status = status == GAN_OK ? gan__recipe_set_data(&r, "toy:ring8", err) : status;
    status = status == GAN_OK ? gan__recipe_add_init(&r, "gen=file", err) : status;
    status = status == GAN_OK ? gan__config_write(&r, 2, path, err) : status;
    status = status == GAN_OK ? gan__config_read(&c, path, err) : status;
    gan__config_release(&c);
    gan__recipe_release(&r);
    return status;
}

static void texts(void **state)
{
    (void)state;
    oom_each("options", texts_scene, NULL, (struct oom_rules){0});
    gan_err err = {0};
    if (config_scene(NULL, &err) == GAN_E_UNSUPPORTED) {
        print_message("%s\n", err.message); /* a build without libyaml */
        return;
    }
    oom_each("config", config_scene, NULL, (struct oom_rules){0});
}

/* --- sessions, checkpoints, samplers ------------------------------------------------------------ */

static gan_status session_of(struct gan__recipe *r, gan_err *err)
{
    static const char *const set[][2] = {{"steps", "4"},  {"batch", "4"}, {"microbatch", "2"},
                                         {"width", "2"},  {"z", "3"},     {"size", "16"},
                                         {"threads", "1"}};
    char spec[TEMP_PATH_MAX + 64];
    GAN_TRY(gan__recipe_init(r, "dcgan", err));
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        GAN_TRY(gan__recipe_set(r, set[i][0], set[i][1], err));
    }
    (void)snprintf(spec, sizeof spec, "idx:%s/train-images-idx3-ubyte", dir.path);
    return gan__recipe_set_data(r, spec, err);
}

static gan_status session_scene(void *ctx, gan_err *err)
{
    (void)ctx;
    struct gan__recipe r = {0};
    struct gan__session s = {0};
    double values[GAN__MAX_VALUES];
    gan_status status = session_of(&r, err);
    status = status == GAN_OK ? gan__session_build(&s, &r, err) : status;
    status = status == GAN_OK ? gan__session_init_weights(&s, err) : status;
    status = status == GAN_OK ? gan__session_compile(&s, err) : status;
    status = status == GAN_OK ? gan__session_start(&s, err) : status;
    status = status == GAN_OK ? gan__session_step(&s, values, err) : status;
    gan__session_release(&s);
    gan__recipe_release(&r);
    return status;
}

static void sessions(void **state)
{
    (void)state;
    oom_each("session", session_scene, NULL, (struct oom_rules){.threads = true, .points = 12});
}

static gan_status checkpoint_scene(void *ctx, gan_err *err)
{
    const gan_store *from = ctx;
    char path[TEMP_PATH_MAX];
    static const struct gan_meta meta[] = {{"b", "2"}, {"a", "1\n\"x\""}};
    GAN_TRY(gan_checkpoint_save(from, meta, 2, temp_path(&dir, "c.safetensors", path), err));
    gan_checkpoint *c = NULL;
    GAN_TRY(gan_checkpoint_open(path, &c, err));
    gan_status status = GAN_OK;
    gan_store *st = gan_store_new();
    if (st == NULL) {
        status = gan__fail_nomem(err, 0, "a store");
    }
    for (int i = 0; i < gan_store_count(from) && status == GAN_OK; i++) {
        const gan_state *e = gan_store_at(from, i);
        if (gan_store_add(st, e->name, e->kind, e->value.dtype, e->value.shape, err) < 0) {
            status = err->code;
        }
    }
    status = status == GAN_OK ? gan_checkpoint_load(c, st, err) : status;
    status = status == GAN_OK ? gan_checkpoint_init(c, st, "gen", NULL, err) : status;
    gan_store_free(st);
    gan_checkpoint_close(c);
    return status;
}

static void checkpoints(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_store *st = gan_store_new();
    assert_non_null(st);
    assert_true(gan_store_add(st, "gen.w", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3, 5), &err) >= 0);
    assert_true(gan_store_add(st, "gen.b", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3), &err) >= 0);
    assert_true(gan_store_add(st, "count.gen", GAN_STATE_COUNTER, GAN_I64, (gan_shape){0}, &err) >=
                0);
    oom_each("checkpoint", checkpoint_scene, st, (struct oom_rules){0});
    gan_store_free(st);
}

static gan_status sampler_scene(void *ctx, gan_err *err)
{
    char path[TEMP_PATH_MAX];
    gan_sampler *s = NULL;
    GAN_TRY(gan_sampler_open(ctx, &(struct gan_sampler_opts){.batch = 4}, &s, err));
    struct gan_sample_request what = {.n = 3, .seed = 1};
    gan_status status = gan_sampler_write(s, &what, temp_path(&dir, "s.npy", path), err);
    gan_shape shape;
    float *values = NULL;
    status = status == GAN_OK ? gan_npy_read(path, &shape, &values, err) : status;
    gan_array_free(values);
    gan_sampler_close(s);
    return status;
}

static void samplers(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan_train_result result;
    char spec[TEMP_PATH_MAX + 64], out[TEMP_PATH_MAX];
    (void)snprintf(spec, sizeof spec, "idx:%s/train-images-idx3-ubyte", dir.path);
    static const struct gan_setting set[] = {{"steps", "0"}, {"batch", "4"}, {"width", "2"},
                                             {"z", "3"},     {"size", "16"}, {"threads", "1"}};
    struct gan_train_cfg cfg = {.model = "dcgan",
                                .data = spec,
                                .out = temp_path(&dir, "run", out),
                                .set = set,
                                .n_set = sizeof set / sizeof *set};
    if (gan_train(&cfg, NULL, &result, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    oom_each("sampler of a file", sampler_scene, result.checkpoint,
             (struct oom_rules){.points = 24});
    oom_each("sampler of a run", sampler_scene, out, (struct oom_rules){.points = 12});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data),        cmocka_unit_test(check),    cmocka_unit_test(texts),
        cmocka_unit_test(checkpoints), cmocka_unit_test(sessions), cmocka_unit_test(samplers),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
