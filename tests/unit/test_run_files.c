/* test_run_files.c: the files of a run directory: arrays, log, configuration, names. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "run/config.h"
#include "run/resume.h"
#include "run/rundir.h"
#include "run/runlog.h"
#include "support/temp_dir.h"

#include <gan/sample.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

/* --- arrays ------------------------------------------------------------------------------------- */

static void npy_round_trip(void **state)
{
    (void)state;
    static const float data[6] = {1.5f, -2, 3e-20f, 4, 5, 6};
    gan_shape shapes[] = {GAN_SHAPE(2, 3), GAN_SHAPE(6), GAN_SHAPE(1, 2, 3, 1)};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        gan_err err = {0};
        gan_shape shape;
        float *back;
        assert_int_equal(gan_npy_write(in("a.npy"), &shapes[i], data, &err), GAN_OK);
        assert_int_equal(gan_npy_read(in("a.npy"), &shape, &back, &err), GAN_OK);
        assert_true(gan_shape_equal(&shape, &shapes[i]));
        assert_memory_equal(back, data, sizeof data);
        gan_array_free(back);
    }
}

/* A .npy file with this dictionary and n bytes of zeros. */
static void expect_npy(const char *dictionary, size_t n, gan_status want, const char *says)
{
    unsigned char file[512] = "\x93NUMPY\x01";
    size_t length = strlen(dictionary);
    gan_err err = {0};
    gan_shape shape;
    float *data;
    file[8] = (unsigned char)length;
    memcpy(file + 10, dictionary, length);
    temp_write(&tmp, "x.npy", file, 10 + length + n);
    gan_status status = gan_npy_read(in("x.npy"), &shape, &data, &err);
    if (status != want || strstr(err.message, says) == NULL) {
        fail_msg("%s: status %d, '%s'; expected '%s'", dictionary, status, err.message, says);
    }
    gan_array_free(data);
}

static void npy_lies(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_shape shape;
    float *data;
    expect_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }", 16, GAN_OK, "");
    expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", 4, GAN_E_FORMAT,
               "4 bytes of data");
    expect_npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", 8, GAN_E_FORMAT,
               "Fortran");
    expect_npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1), }", 8, GAN_E_FORMAT,
               "'<i4'");
    expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, x), }", 8, GAN_E_FORMAT,
               "shape");
    expect_npy("{'descr': '<f4', 'fortran_order': False}", 8, GAN_E_FORMAT, "no shape");
    expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999, 99999999), }", 8,
               GAN_E_FORMAT, "8 bytes of data");
    expect_npy("hello", 8, GAN_E_FORMAT, "dictionary");
    temp_write(&tmp, "x.npy", "\x93NUMPY\x01\x00\xff\xff", 10);
    assert_int_equal(gan_npy_read(in("x.npy"), &shape, &data, &err), GAN_E_FORMAT);
    temp_write(&tmp, "x.npy", "", 0);
    memset(&err, 0, sizeof err);
    assert_int_equal(gan_npy_read(in("x.npy"), &shape, &data, &err), GAN_E_FORMAT);
    memset(&err, 0, sizeof err);
    assert_int_equal(gan_npy_read(in("y.npy"), &shape, &data, &err), GAN_E_NOTFOUND);
}

/* --- log ---------------------------------------------------------------------------------------- */

static void expect_file(const char *name, const char *want)
{
    gan_err err = {0};
    char *text;
    size_t n;
    assert_int_equal(gan__file_read(in(name), 1 << 20, &text, &n, &err), GAN_OK);
    assert_string_equal(text, want);
    gan__free(text);
}

static void put(struct gan__runlog *l, int64_t step, const double values[2])
{
    gan_err err = {0};
    gan__runlog_begin(l, step);
    gan__runlog_number(l, "time_s", values[0]);
    gan__runlog_number(l, "loss.gen", values[1]);
    assert_int_equal(gan__runlog_end(l, &err), GAN_OK);
}

static void log_lines(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan__runlog l;
    double time_s = -1;
    assert_int_equal(gan__runlog_open(&l, in("log"), 0, &time_s, &err), GAN_OK);
    assert_float_equal(time_s, 0, 0);
    for (int step = 1; step <= 3; step++) {
        double values[] = {step * 0.5, step == 2 ? (double)NAN : 1.25};
        put(&l, step, values);
    }
    gan__runlog_close(&l);
    expect_file("log", "{\"step\":1,\"time_s\":0.5,\"loss.gen\":1.25}\n"
                       "{\"step\":2,\"time_s\":1,\"loss.gen\":null}\n"
                       "{\"step\":3,\"time_s\":1.5,\"loss.gen\":1.25}\n");

    /* Cut back to step 2, and go on. */
    assert_int_equal(gan__runlog_open(&l, in("log"), 2, &time_s, &err), GAN_OK);
    assert_float_equal(time_s, 1.0, 0);
    double values[] = {9, 8};
    put(&l, 7, values);
    gan__runlog_close(&l);
    expect_file("log", "{\"step\":1,\"time_s\":0.5,\"loss.gen\":1.25}\n"
                       "{\"step\":2,\"time_s\":1,\"loss.gen\":null}\n"
                       "{\"step\":7,\"time_s\":9,\"loss.gen\":8}\n");

    /* A torn last line is dropped. */
    static const char torn[] = "{\"step\":1,\"time_s\":0.5}\n{\"step\":2,\"tim";
    temp_write(&tmp, "log", torn, sizeof torn - 1);
    assert_int_equal(gan__runlog_open(&l, in("log"), 5, &time_s, &err), GAN_OK);
    gan__runlog_close(&l);
    expect_file("log", "{\"step\":1,\"time_s\":0.5}\n");
}

/* --- configuration ------------------------------------------------------------------------------ */

static void expect_config(const char *text, gan_status want, const char *says)
{
    gan_err err = {0};
    struct gan__config c;
    temp_write(&tmp, "c.yaml", text, strlen(text));
    gan_status status = gan__config_read(&c, in("c.yaml"), &err);
    if (status != want || strstr(err.message, says) == NULL) {
        fail_msg("%s: status %d, '%s'; expected '%s'", text, status, err.message, says);
    }
    gan__config_release(&c);
}

static void config_mistakes(void **state)
{
    (void)state;
    expect_config("", GAN_OK, "");
    expect_config("# nothing\n", GAN_OK, "");
    expect_config("model: gan\ninit: [a, b]\nbatch: 3\n", GAN_OK, "");
    expect_config("- a\n- b\n", GAN_E_FORMAT, "line 1");
    expect_config("model: gan\nbatch: [1, 2]\n", GAN_E_FORMAT, "line 2");
    expect_config("model: gan\nbatch: 1\nbatch: 2\n", GAN_E_FORMAT, "batch stands twice");
    expect_config("model: gan\nmodel: dcgan\n", GAN_E_FORMAT, "model stands twice");
    expect_config("model: {a: b}\n", GAN_E_FORMAT, "one text");
    expect_config("model: \"gan\nbatch: 2", GAN_E_FORMAT, "line");
    expect_config("init: {a: b}\n", GAN_E_FORMAT, "list of texts");
    expect_config("model: *x\n", GAN_E_FORMAT, "line 1");
    expect_config("a: b\n\tc: d\n", GAN_E_FORMAT, "line 2");
}

/* What is written reads back as the same recipe, with odd texts too. */
static void config_round_trip(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan__recipe r, back;
    struct gan_train_cfg cfg = {.config = NULL};
    assert_int_equal(gan__recipe_init(&r, "dcgan", &err), GAN_OK);
    assert_int_equal(gan__recipe_set(&r, "steps", "123456789012", &err), GAN_OK);
    assert_int_equal(gan__recipe_set(&r, "time", "1.5m", &err), GAN_OK);
    assert_int_equal(gan__recipe_set(&r, "optim-gen", "adam:1e-3,.9@linear", &err), GAN_OK);
    assert_int_equal(gan__recipe_set_data(&r, "idx:a: #b'c\"?size=32", &err), GAN_OK);
    assert_int_equal(gan__recipe_add_init(&r, "gen=x: y", &err), GAN_OK);
    assert_int_equal(gan__config_write(&r, 3, in("c.yaml"), &err), GAN_OK);
    char path[TEMP_PATH_MAX];
    cfg.config = temp_path(&tmp, "c.yaml", path);
    assert_int_equal(gan__new_recipe(&cfg, &back, &err), GAN_OK);
    assert_string_equal(back.model->name, "dcgan");
    assert_string_equal(back.data, r.data);
    assert_int_equal(back.run.steps, 123456789012);
    assert_int_equal(back.run.threads, 3);
    assert_float_equal(back.run.time_s, 90, 0);
    assert_int_equal(back.n_init, 1);
    assert_string_equal(back.init[0], "gen=x: y");
    for (int i = 0; r.model->opts[i].name != NULL; i++) {
        char a[GAN_OPT_TEXT_MAX], b[GAN_OPT_TEXT_MAX];
        assert_int_equal(gan__recipe_model_text(&r, i, a, sizeof a, &err), GAN_OK);
        assert_int_equal(gan__recipe_model_text(&back, i, b, sizeof b, &err), GAN_OK);
        assert_string_equal(a, b);
    }
    gan__recipe_release(&r);
    gan__recipe_release(&back);
}

static void expect_set(const char *name, const char *value, gan_status want, const char *says)
{
    gan_err err = {0};
    struct gan__recipe r;
    assert_int_equal(gan__recipe_init(&r, "dcgan", &err), GAN_OK);
    gan_status status = gan__recipe_set(&r, name, value, &err);
    if (status != want || strstr(err.message, says) == NULL) {
        fail_msg("%s %s: status %d, '%s'; expected '%s'", name, value, status, err.message, says);
    }
    gan__recipe_release(&r);
}

static void settings(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan__recipe r;
    expect_set("batch", "0", GAN_E_RANGE, "--batch is 0");
    expect_set("batch", "many", GAN_E_ARG, "--batch");
    expect_set("btach", "8", GAN_E_ARG, "did you mean --batch?");
    expect_set("widht", "8", GAN_E_ARG, "did you mean --width?");
    expect_set("time", "2m", GAN_OK, "");
    expect_set("time", "2 m", GAN_E_ARG, "duration");
    expect_set("time", "-3", GAN_E_RANGE, "--time");
    expect_set("time", "nan", GAN_E_RANGE, "--time");
    expect_set("optim-gen", "adan:1", GAN_E_ARG, "adam");
    assert_int_equal(gan__recipe_init(&r, "dcgam", &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "did you mean dcgan?"));
    gan__recipe_release(&r);
}

/* --- names -------------------------------------------------------------------------------------- */

static void checkpoints_are_found(void **state)
{
    (void)state;
    gan_err err = {0};
    char path[GAN_PATH_TEXT_MAX], run[TEMP_PATH_MAX];
    temp_path(&tmp, "run", run);
    assert_int_equal(gan__rundir_check_new(run, &err), GAN_OK);
    assert_int_equal(gan__rundir_newest(run, path, sizeof path, &err), GAN_E_NOTFOUND);
    memset(&err, 0, sizeof err);
    assert_int_equal(gan__rundir_make(run, &err), GAN_OK);
    assert_int_equal(gan__rundir_check_new(run, &err), GAN_E_IO);
    assert_non_null(strstr(err.message, "--resume"));
    memset(&err, 0, sizeof err);
    assert_int_equal(gan__rundir_newest(run, path, sizeof path, &err), GAN_E_NOTFOUND);
    memset(&err, 0, sizeof err);
    static const char *const names[] = {"step-00000010.safetensors",
                                        "step-00000009.safetensors",
                                        "step-100000000.safetensors",
                                        "step-.safetensors",
                                        "step-1x.safetensors",
                                        "best.safetensors",
                                        "step-00000011.safetensors.tmp-1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)gan__format(path, sizeof path, "run/checkpoints/%s", names[i]);
        temp_write(&tmp, path, "x", 1);
    }
    assert_int_equal(gan__rundir_newest(run, path, sizeof path, &err), GAN_OK);
    assert_string_equal(gan__path_base(path), "step-100000000.safetensors");
    assert_int_equal(gan__rundir_prune(run, 2, &err), GAN_OK);
    assert_false(gan__path_exists(in("run/checkpoints/step-00000009.safetensors")));
    assert_true(gan__path_exists(in("run/checkpoints/step-00000010.safetensors")));
    assert_true(gan__path_exists(in("run/checkpoints/best.safetensors")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(npy_round_trip, make, drop),
        cmocka_unit_test_setup_teardown(npy_lies, make, drop),
        cmocka_unit_test_setup_teardown(log_lines, make, drop),
        cmocka_unit_test_setup_teardown(config_mistakes, make, drop),
        cmocka_unit_test_setup_teardown(config_round_trip, make, drop),
        cmocka_unit_test(settings),
        cmocka_unit_test_setup_teardown(checkpoints_are_found, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
