/* derived.c: pairs made of single images. Where size= is given and the set's images have another
 * size, they are brought to it first (scaled to cover, centre cropped, bicubic): what is derived is
 * then as sharp as it can be. */
#include "derived.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/image.h>

#include <inttypes.h>
#include <string.h>

static void release(struct gan__source *s)
{
    struct gan__derived *d = s->state;
    if (d != NULL) {
        gan__source_close(&d->inner);
        gan__free(d);
    }
    s->state = NULL;
}

/* Scales [h,w,c] to cover the wanted size and crops the centre. */
static gan_status cover(const struct gan__derived *d, const uint8_t *src, uint8_t *dst,
                        gan_err *err)
{
    const struct gan__source *in = &d->inner;
    int64_t h = d->height, w = d->width, c = in->channels;
    if (h * in->width >= w * in->height) {
        w = (in->width * h + in->height / 2) / in->height;
        w = w < d->width ? d->width : w;
    } else {
        h = (in->height * w + in->width / 2) / in->width;
        h = h < d->height ? d->height : h;
    }
    uint8_t *scaled = gan__alloc((size_t)(h * w * c));
    if (scaled == NULL) {
        return gan__fail_nomem(err, (size_t)(h * w * c), "an image");
    }
    gan_status status =
        gan_image_resize(src, in->height, in->width, c, h, w, GAN_FILTER_BICUBIC, scaled, err);
    int64_t top = (h - d->height) / 2, left = (w - d->width) / 2;
    for (int64_t y = 0; status == GAN_OK && y < d->height; y++) {
        memcpy(dst + y * d->width * c, scaled + ((top + y) * w + left) * c, (size_t)(d->width * c));
    }
    gan__free(scaled);
    return status;
}

/* The image itself, [height,width,channels of the set]. */
static gan_status image_of(const struct gan__derived *d, int64_t index, uint8_t *dst, gan_err *err)
{
    const struct gan__source *in = &d->inner;
    if (in->height == d->height && in->width == d->width) {
        return in->pixels(in, index, dst, err);
    }
    size_t bytes = (size_t)(in->height * in->width * in->channels);
    uint8_t *stored = gan__alloc(bytes);
    if (stored == NULL) {
        return gan__fail_nomem(err, bytes, "an image");
    }
    gan_status status = in->pixels(in, index, stored, err);
    if (status == GAN_OK) {
        status = cover(d, stored, dst, err);
    }
    gan__free(stored);
    return status;
}

static gan_status pixels_b(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    return image_of(s->state, index, hwc, err);
}

static gan_status pixels_a(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct gan__derived *d = s->state;
    size_t bytes = (size_t)(d->height * d->width * d->inner.channels);
    uint8_t *image = gan__alloc(bytes);
    if (image == NULL) {
        return gan__fail_nomem(err, bytes, "an image");
    }
    gan_status status = image_of(d, index, image, err);
    if (status == GAN_OK) {
        status = d->make(d, image, hwc, err);
    }
    gan__free(image);
    return status;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct gan__derived *d = s->state;
    return d->inner.label(&d->inner, seed, index);
}

/* What both halves share with the set inside. */
static void describe(struct gan__source *s, const struct gan__derived *d, int64_t channels)
{
    s->count = d->inner.count;
    s->height = d->height;
    s->width = d->width;
    s->channels = channels != 0 ? channels : d->inner.channels;
    memcpy(s->background, d->inner.background, sizeof s->background);
}

gan_status gan__derived_open(struct gan__source *s, const char *inner,
                             const struct gan__derived *how, int64_t channels, gan_err *err)
{
    struct gan__derived *d = gan__alloc(sizeof *d);
    if (d == NULL) {
        return gan__fail_nomem(err, sizeof *d, "a data set");
    }
    *d = *how;
    s->state = d;
    s->release = release;
    GAN_TRY(gan__source_open(&d->inner, inner, s->want_size, s->want_channels, err));
    const struct gan__source *in = &d->inner;
    if (in->second != NULL || in->points) {
        return gan__fail(err, GAN_E_ARG, "%s are no single images: nothing can be derived", inner);
    }
    d->height = s->want_size > 0 ? s->want_size : in->height;
    d->width = s->want_size > 0 ? s->want_size : in->width;
    describe(s, d, channels);
    s->pixels = pixels_a;
    s->paired = true;
    s->alpha = in->alpha;
    s->classes = in->classes;
    s->class_names = in->class_names;
    s->label = in->label != NULL ? label : NULL;
    s->file = in->file;
    s->stamp = in->stamp;
    s->memory_bytes = in->memory_bytes;
    s->skipped = in->skipped;
    GAN_TRY(gan__source_second(s, err));
    describe(s->second, d, 0);
    s->second->state = d;
    s->second->pixels = pixels_b;
    return GAN_OK;
}
