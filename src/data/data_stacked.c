/* data_stacked.c: three random gray images of another data set as the channels of one: with ten classes
 * a thousand modes. Image i and its class 100 a + 10 b + c depend on the option seed and on i alone.
 *
 * Ref: Metz et al. 2017, arXiv:1611.02163, section 3.3.1 (stacked MNIST); 128,000 images as in
 * Lin et al. 2018, arXiv:1712.04086. */
#include "dataset.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

enum { STACK = 3, MAX_CLASSES = 1000 };

struct opts {
    int64_t n, seed;
};

static const struct gan_opt table[] = {
    GAN_OPT_I64(struct opts, n, "n", "128000", 1, 1e9, "images"),
    GAN_OPT_I64(struct opts, seed, "seed", "0", 0, 9e15, "of the choice"),
    GAN_OPT_END,
};

struct stacked {
    struct gan__source inner;
    uint64_t key;
};

static void choose(const struct stacked *k, int64_t index, int64_t at[STACK])
{
    uint32_t word[2][4];
    uint64_t count = (uint64_t)k->inner.count;
    gan__stream_block(k->key, (uint64_t)index, 0, word[0]);
    gan__stream_block(k->key, (uint64_t)index, 1, word[1]);
    for (int c = 0; c < STACK; c++) {
        uint64_t draw = (uint64_t)word[0][c] << 32 | word[1][c];
        at[c] = (int64_t)(draw % count);
    }
}

static gan_status pixels(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct stacked *k = s->state;
    int64_t at[STACK], count = s->height * s->width;
    uint8_t *plane = gan__alloc((size_t)count);
    gan_status status = plane != NULL ? GAN_OK : gan__fail_nomem(err, (size_t)count, "an image");
    choose(k, index, at);
    for (int c = 0; c < STACK && status == GAN_OK; c++) {
        status = k->inner.pixels(&k->inner, at[c], plane, err);
        for (int64_t i = 0; i < count && status == GAN_OK; i++) {
            hwc[i * STACK + c] = plane[i];
        }
    }
    gan__free(plane);
    return status;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct stacked *k = s->state;
    int64_t at[STACK], all = 0;
    (void)seed;
    choose(k, index, at);
    for (int c = 0; c < STACK; c++) {
        int32_t one = k->inner.label(&k->inner, 0, at[c]);
        all = all * k->inner.classes + (one > 0 ? one : 0);
    }
    return (int32_t)all;
}

static void release(struct gan__source *s)
{
    struct stacked *k = s->state;
    if (k != NULL) {
        gan__source_close(&k->inner);
        gan__free(k);
    }
    s->state = NULL;
}

static gan_status open_inner(struct stacked *k, const char *spec, int64_t size, gan_err *err)
{
    GAN_TRY(gan__source_open(&k->inner, spec, size, 0, err));
    const struct gan__source *a = &k->inner;
    if (a->points || a->channels != 1 || a->classes < 2 || a->classes > MAX_CLASSES ||
        a->label == NULL || a->second != NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "data stacked:%.200s: gray images with 2 to %d classes are stacked, these "
                         "have %" PRId64 " channels and %" PRId64 " classes",
                         spec, (int)MAX_CLASSES, a->channels, a->classes);
    }
    return GAN_OK;
}

static gan_status open_stacked(struct gan__source *s, const char *argument, const void *options,
                               gan_err *err)
{
    const struct opts *o = options;
    struct stacked *k = gan__alloc(sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a data set");
    }
    s->state = k;
    s->release = release;
    GAN_TRY(open_inner(k, argument, s->want_size, err));
    const struct gan__source *a = &k->inner;
    k->key = gan__stream_key((uint64_t)o->seed, 0, 0, gan__hash_text("data/stacked"));
    s->count = o->n;
    s->height = a->height;
    s->width = a->width;
    s->channels = STACK;
    s->classes = a->classes * a->classes * a->classes;
    s->file = a->file;
    s->stamp = a->stamp;
    s->memory_bytes = a->memory_bytes;
    s->skipped = a->skipped;
    memcpy(s->background, a->background, sizeof s->background);
    s->pixels = pixels;
    s->label = label;
    return GAN_OK;
}

GAN_DATA(stacked) = {
    .name = "stacked",
    .argument = "SPEC",
    .help = "three random gray images of a labelled SPEC as channels: classes^3 modes",
    .opts = table,
    .opts_size = sizeof(struct opts),
    .wraps = true,
    .open = open_stacked,
};
