/* test_data_shared.c: every real set of the shared folder opens and holds what its notes say.
 * The folder is $GAN_SHARED_DATA, else shared/data beside the source; without it, nothing is
 * checked and the test says so. */
#include "base/file.h"
#include "base/str.h"
#include "support/temp_dir.h"

#include <gan/data.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct expected {
    const char *rest; /* of the SPEC, behind idx:FOLDER/ */
    int64_t count, side, channels, classes;
    bool alpha;
};

static const struct expected sets[] = {
    {"digits20", 4000, 20, 1, 10, false},
    {"digits20?split=test", 1000, 20, 1, 10, false},
    {"digits8", 1500, 8, 1, 10, false},
    {"digits8?split=test&size=32", 297, 8, 1, 10, false},
    {"omniglot28?labels=character", 4840, 28, 1, 242, false},
    {"omniglot28?labels=alphabet", 4840, 28, 1, 8, false},
    {"omniglot28?labels=drawer", 4840, 28, 1, 20, false},
    {"omniglot28", 4840, 28, 1, 8, false},
    {"glyphs32", 18600, 32, 1, 62, false},
    {"emoji32?file=noto", 1111, 32, 3, 9, true},
    {"emoji32?file=emojione&labels=group", 1111, 32, 3, 9, true},
    {"emoji32?file=twemoji&labels=subgroup", 1111, 32, 3, 95, true},
    {"emoji32?file=openmoji-rgba", 1111, 32, 3, 9, true},
    {"emoji32?file=openmoji-line&background=white", 1111, 32, 3, 9, true},
    {"emoji32/noto-rgba-idx4-ubyte.gz?background=404040", 1111, 32, 3, 9, true},
    {"openmoji64?file=line", 1653, 64, 1, 9, false},
    {"openmoji64?file=color&size=32", 1653, 64, 3, 9, true},
    {"stamps64", 272, 64, 3, 10, true},
    {"normals64?file=diffuse&flip=1", 297, 64, 3, 0, false},
    {"normals64?file=normal-rgb", 297, 64, 3, 0, false},
    {"seasons128?file=summer", 45, 128, 3, 0, false},
    {"seasons128?file=winter&size=64&channels=1", 45, 128, 3, 0, false},
};

/* A batch can be made of it, and all its numbers lie in the range and are not all the same. */
static void check_batch(const gan_dataset *ds, const char *spec)
{
    gan_err err = {0};
    gan_loader *l = NULL;
    const struct gan_batch *b = NULL;
    const struct gan_loader_cfg cfg = {.batch = 50, .seed = 1};
    if (gan_loader_new(ds, &cfg, &l, &err) != GAN_OK || gan_loader_next(l, &b, &err) != GAN_OK) {
        fail_msg("%s: %s", spec, err.message);
    }
    float low = 2, high = -2;
    for (int64_t i = 0; i < b->n * b->height * b->width * b->channels; i++) {
        assert_true(b->images[i] >= -1.0f && b->images[i] <= 1.0f);
        low = b->images[i] < low ? b->images[i] : low;
        high = b->images[i] > high ? b->images[i] : high;
    }
    assert_true(high > low + 0.5f);
    gan_loader_free(l);
}

static void check_set(const char *root, const struct expected *e)
{
    char spec[1024];
    gan_err err = {0};
    gan_dataset *ds = NULL;
    assert_true(gan__format(spec, sizeof spec, "idx:%s/%s", root, e->rest));
    if (gan_dataset_open(spec, &ds, &err) != GAN_OK) {
        fail_msg("%s: %s", e->rest, err.message);
    }
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    assert_int_equal(info->count, e->count);
    assert_int_equal(info->height, e->side);
    assert_int_equal(info->width, e->side);
    assert_int_equal(info->channels, e->channels);
    assert_int_equal(info->classes, e->classes);
    assert_int_equal(info->alpha, e->alpha);
    check_batch(ds, e->rest);
    gan_dataset_close(ds);
}

static void shared_sets(void **state)
{
    (void)state;
    struct temp_dir tmp;
    char cache[TEMP_PATH_MAX];
    const char *root = getenv("GAN_SHARED_DATA");
    root = root != NULL && root[0] != '\0' ? root : GAN_SOURCE_DIR "/../shared/data";
    if (!gan__path_is_dir(root)) {
        print_message("skipped: no shared data sets here (GAN_SHARED_DATA names their folder)\n");
        skip();
    }
    temp_dir_make(&tmp);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "cache", cache), 1), 0);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char dir[1024];
        size_t n = strcspn(sets[i].rest, "?/");
        assert_true(gan__format(dir, sizeof dir, "%s/%.*s", root, (int)n, sets[i].rest));
        if (!gan__path_is_dir(dir)) {
            print_message("skipped: %.*s is not in the shared folder\n", (int)n, sets[i].rest);
            continue;
        }
        check_set(root, &sets[i]);
    }
    temp_dir_remove(&tmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shared_sets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
