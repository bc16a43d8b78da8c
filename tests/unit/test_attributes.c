/* test_attributes.c: the attributes of attributes:DIR as a field of the batch: from the list through
 * the loader into a model's graph. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "models/step.h"
#include "run/feeds.h"
#include "support/temp_dir.h"
#include <gan/plan.h>

enum { COUNT = 6, FACTS = 3, BATCH = 4, SIDE = 8, BATCHES = 5 };

static struct temp_dir tmp;
static gan_dataset *data;

/* Row i of the list. */
static const int row[COUNT][FACTS] = {{1, -1, -1}, {-1, 1, -1}, {-1, -1, 1},
                                      {1, 1, -1},  {-1, 1, 1},  {1, 1, 1}};

static int make(void **state)
{
    (void)state;
    gan_err err = {0};
    char name[32], image[16 + SIDE * SIDE] = "P5 8 8 255\n", dir[TEMP_PATH_MAX];
    struct gan__str text = {0}, spec = {0};
    temp_dir_make(&tmp);
    gan__str_printf(&text, "%d\nBald Happy Young\n", COUNT);
    for (int i = 0; i < COUNT; i++) {
        memset(image + 11, 40 * i, SIDE * SIDE);
        assert_true(gan__format(name, sizeof name, "%d.pgm", i));
        temp_write(&tmp, name, image, 11 + SIDE * SIDE);
        gan__str_printf(&text, "%s %d %d %d\n", name, row[i][0], row[i][1], row[i][2]);
    }
    temp_write(&tmp, "list_attr_celeba.txt", text.p, strlen(text.p));
    gan__str_printf(&spec, "attributes:%s", temp_path(&tmp, "", dir));
    if (gan_dataset_open(spec.p, &data, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    gan__str_release(&text);
    gan__str_release(&spec);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    gan_dataset_close(data);
    temp_dir_remove(&tmp);
    return 0;
}

static gan_loader *loader(void)
{
    gan_err err = {0};
    gan_loader *l = NULL;
    if (gan_loader_new(data, &(struct gan_loader_cfg){.batch = BATCH, .seed = 3, .threads = 2}, &l,
                       &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return l;
}

/* Each image comes with its own row of the list. */
static void batches_carry_them(void **state)
{
    (void)state;
    gan_err err = {0};
    const struct gan_batch *b = NULL;
    gan_loader *l = loader();
    for (int k = 0; k < BATCHES; k++) {
        assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
        assert_int_equal(b->n_attributes, FACTS);
        for (int64_t i = 0; i < BATCH * FACTS; i++) {
            assert_true(b->attributes[i] == (float)row[b->index[i / FACTS]][i % FACTS]);
        }
    }
    gan_loader_free(l);
}

struct facts_opts {
    struct gan_task task;
};

static void iteration(gan_step *s, const void *options)
{
    (void)options;
    gan_report(s, "facts", gan_batch(s, GAN_FIELD_ATTRIBUTES));
}

static gan_step *built(const struct gan_model *m, const struct facts_opts *o, gan_store *st,
                       gan_err *err)
{
    static const struct gan_net_list nets = {.n = 0};
    struct gan__step_cfg cfg = {.model = m,
                                .opts = o,
                                .store = st,
                                .nets = &nets,
                                .real = GAN_F32,
                                .batch = BATCH,
                                .mode = GAN_TRAIN};
    return gan__step_build(&cfg, err);
}

/* The field in a model's graph, fed as training feeds it. */
static void models_read_them(void **state)
{
    (void)state;
    static const struct gan_model model = {.name = "facts",
                                           .needs = GAN_FIELD_ATTRIBUTES,
                                           .size = sizeof(struct facts_opts),
                                           .iteration = iteration};
    const struct facts_opts opts = {
        .task = {.height = SIDE, .width = SIDE, .channels = 1, .attributes = FACTS}};
    gan_err err = {0};
    gan_store *st = gan_store_new();
    gan_step *step = built(&model, &opts, st, &err);
    assert_string_equal(err.message, "");
    const struct gan__segment *seg = gan__step_segment(step, 0);
    gan_plan *p = gan_plan_new(seg->graph, &seg->report[0].val, 1, NULL, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(seg->fields, GAN_FIELD_ATTRIBUTES);
    const struct gan_batch *b = NULL;
    struct gan_feed_data feeds[GAN__MAX_FIELDS];
    gan_loader *l = loader();
    assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
    assert_int_equal(gan__batch_feeds(b, seg->fields, feeds), 1);
    const struct gan_run run = {.feeds = feeds, .n_feeds = 1};
    assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
    const gan_tensor *got = gan_plan_output(p, 0);
    assert_int_equal(gan_shape_count(&got->shape), BATCH * FACTS);
    for (int64_t i = 0; i < BATCH * FACTS; i++) {
        assert_true(gan_tensor_get(got, i) == row[b->index[i / FACTS]][i % FACTS]);
    }
    gan_loader_free(l);
    gan_plan_free(p);
    gan__step_free(step);
    gan_store_free(st);
}

/* A model that does not say so is refused the field; data without attributes have none. */
static void only_where_declared(void **state)
{
    (void)state;
    static const struct gan_model model = {.name = "mute",
                                           .needs = GAN_FIELD_IMAGE,
                                           .size = sizeof(struct facts_opts),
                                           .iteration = iteration};
    const struct facts_opts opts = {.task = {.height = SIDE, .width = SIDE, .channels = 1}};
    gan_err err = {0};
    gan_store *st = gan_store_new();
    assert_null(built(&model, &opts, st, &err));
    assert_int_equal(err.code, GAN_E_INTERNAL);
    gan_store_free(st);
    gan_dataset *toy = NULL;
    gan_loader *l = NULL;
    const struct gan_batch *b = NULL;
    err = (gan_err){0};
    assert_int_equal(gan_dataset_open("toy:ring8", &toy, &err), GAN_OK);
    assert_int_equal(gan_loader_new(toy, &(struct gan_loader_cfg){.batch = BATCH}, &l, &err),
                     GAN_OK);
    assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
    assert_null(b->attributes);
    assert_int_equal(b->n_attributes, 0);
    gan_loader_free(l);
    gan_dataset_close(toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_carry_them),
        cmocka_unit_test(models_read_them),
        cmocka_unit_test(only_where_declared),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
