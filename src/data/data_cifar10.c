/* data_cifar10.c: CIFAR-10 in its binary form: records of a class and 3072 bytes, planes of red, green
 * and blue, 32x32.
 *
 * Ref: Krizhevsky 2009, "Learning multiple layers of features from tiny images";
 * https://www.cs.toronto.edu/~kriz/cifar.html */
#include "dataset.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, FILES = 5, CLASSES = 10 };

struct opts {
    int split; /* 0 train, 1 test */
};

static const struct gan_opt table[] = {
    GAN_OPT_CHOICE(struct opts, split, "split", "train", "train|test",
                   "data_batch_1.bin .. data_batch_5.bin, or test_batch.bin"),
    GAN_OPT_END,
};

static const char *const names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                    "dog",      "frog",       "horse", "ship", "truck"};

struct cifar {
    struct gan__map map[FILES];
    int64_t count[FILES]; /* records */
    char *dir;
};

static void release(struct gan__source *s)
{
    struct cifar *c = s->state;
    for (int i = 0; i < FILES; i++) {
        gan__map_close(&c->map[i]);
    }
    gan__free(c->dir);
    gan__free(c);
}

static const unsigned char *record(const struct cifar *c, int64_t index)
{
    int i = 0;
    while (index >= c->count[i]) {
        index -= c->count[i++];
    }
    return c->map[i].data + (size_t)index * RECORD;
}

static gan_status pixels(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const unsigned char *p = record(s->state, index) + 1;
    (void)err;
    for (size_t i = 0; i < PLANE; i++) {
        for (size_t k = 0; k < 3; k++) {
            hwc[3 * i + k] = p[k * PLANE + i];
        }
    }
    return GAN_OK;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    (void)seed;
    return record(s->state, index)[0];
}

static gan_status open_file(struct cifar *c, int i, const char *dir, const char *name, gan_err *err)
{
    char path[PATH_MAX];
    GAN_TRY(gan__path_join(path, sizeof path, dir, name, err));
    if (!gan__path_exists(path)) {
        return gan__fail(err, GAN_E_NOTFOUND,
                         "%s is not there: cifar10:DIR needs the binary version, "
                         "cifar-10-binary.tar.gz unpacked",
                         path);
    }
    GAN_TRY(gan__map_open(&c->map[i], path, err));
    size_t size = c->map[i].size;
    if (size == 0 || size % RECORD != 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %zu bytes are not whole records of %d", path, size,
                         (int)RECORD);
    }
    c->count[i] = (int64_t)(size / RECORD);
    for (int64_t k = 0; k < c->count[i]; k++) {
        unsigned char class_of = c->map[i].data[(size_t)k * RECORD];
        if (class_of >= CLASSES) {
            return gan__fail(err, GAN_E_FORMAT, "%s: record %lld has class %d, 0 to 9 are there",
                             path, (long long)k, class_of);
        }
    }
    return GAN_OK;
}

static gan_status open_set(struct gan__source *s, const char *argument, const void *opts,
                           gan_err *err)
{
    const struct opts *o = opts;
    struct cifar *c = gan__alloc(sizeof *c);
    if (c == NULL) {
        return gan__fail_nomem(err, sizeof *c, "a data set");
    }
    s->state = c;
    s->release = release;
    s->pixels = pixels;
    s->label = label;
    c->dir = gan__strdup(argument);
    if (c->dir == NULL) {
        return gan__fail_nomem(err, strlen(argument), "a file name");
    }
    for (int i = 0; i < (o->split == 0 ? FILES : 1); i++) {
        char name[32] = "test_batch.bin";
        if (o->split == 0) {
            (void)gan__format(name, sizeof name, "data_batch_%d.bin", i + 1);
        }
        GAN_TRY(open_file(c, i, argument, name, err));
        s->count += c->count[i];
        s->memory_bytes += c->map[i].size;
    }
    s->file = c->dir;
    s->height = s->width = SIDE;
    s->channels = 3;
    s->classes = CLASSES;
    s->class_names = names;
    return GAN_OK;
}

GAN_DATA(cifar10) = {
    .name = "cifar10",
    .argument = "DIR",
    .help = "CIFAR-10, binary version: 60,000 photos, 32x32 colour, 10 classes",
    .opts = table,
    .opts_size = sizeof(struct opts),
    .open = open_set,
};
