/* dataset.c: a data set is a source opened by its kind, and what its SPEC asked for. */
#include "dataset.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "spec.h"

#include <inttypes.h>
#include <string.h>

void gan__source_close(struct gan__source *s)
{
    if (s->second != NULL && s->second->release != NULL) {
        s->second->release(s->second);
    }
    gan__free(s->second);
    if (s->release != NULL) {
        s->release(s);
    }
    *s = (struct gan__source){0};
}

gan_status gan__source_second(struct gan__source *s, gan_err *err)
{
    s->second = gan__alloc(sizeof *s->second);
    if (s->second == NULL) {
        return gan__fail_nomem(err, sizeof *s->second, "a data set");
    }
    s->second->want_size = s->want_size;
    s->second->want_channels = s->want_channels;
    return GAN_OK;
}

/* Kinds that store images of one size leave size= and channels= to the loader, and here is none. */
static gan_status check_own(const struct gan__source *s, const struct gan__spec *spec, gan_err *err)
{
    const struct gan__spec_common *c = &spec->common;
    bool sized = c->size == 0 || (s->height == c->size && s->width == c->size);
    bool coloured = c->channels == 0 || s->channels == c->channels;
    return (sized && coloured) || s->points
               ? GAN_OK
               : gan__fail(err, GAN_E_ARG,
                           "data %s inside another set stay %" PRId64 "x%" PRId64 "x%" PRId64
                           ": %s stands outside the parentheses",
                           spec->kind->name, s->height, s->width, s->channels,
                           sized ? "channels" : "size");
}

gan_status gan__source_open(struct gan__source *s, const char *text, int64_t want_size,
                            int64_t want_channels, gan_err *err)
{
    struct gan__spec spec;
    *s = (struct gan__source){0};
    GAN_TRY(gan__spec_parse(text, &spec, err));
    s->want_size = spec.common.size != 0 ? spec.common.size : want_size;
    s->want_channels = spec.common.channels != 0 ? spec.common.channels : want_channels;
    gan_status status = spec.kind->open(s, spec.argument, spec.opts, err);
    if (status == GAN_OK) {
        status = check_own(s, &spec, err);
    }
    gan__spec_release(&spec);
    if (status != GAN_OK) {
        gan__source_close(s);
    }
    return status;
}

static void fill_info(gan_dataset *ds, const struct gan__spec *spec)
{
    const struct gan__source *s = &ds->source;
    ds->info = (struct gan_dataset_info){
        .spec = ds->spec,
        .kind = spec->kind->name,
        .file = s->file != NULL ? s->file : "",
        .count = s->count,
        .height = s->height,
        .width = s->width,
        .channels = s->channels,
        .size = spec->common.size,
        .want_channels = spec->common.channels,
        .flip = spec->common.flip,
        .points = s->points,
        .endless = s->endless,
        .alpha = s->alpha,
        .labelled = s->classes > 0,
        .classes = s->classes,
        .class_names = s->class_names,
        .memory_bytes = s->memory_bytes,
        .stamp = s->stamp,
        .skipped = s->skipped,
        .balance = spec->common.balance,
        .attributes = s->attributes,
        .attribute_names = s->attribute_names,
    };
    ds->info.jitter = spec->common.jitter;
    ds->pad_edge = spec->common.pad == 1;
    if (s->second != NULL) {
        ds->info.count_b = s->second->count;
        ds->info.height_b = s->second->height;
        ds->info.width_b = s->second->width;
        ds->info.channels_b = s->second->channels;
        ds->info.paired = s->paired;
        ds->info.stamp = gan__hash_mix(s->stamp, s->second->stamp);
        ds->info.memory_bytes += s->second->memory_bytes;
    }
}

/* Options about pixels mean nothing for points. */
static gan_status check_points(const gan_dataset *ds, const struct gan__spec *spec, gan_err *err)
{
    const struct gan__spec_common *c = &spec->common;
    if (ds->source.points && (c->size != 0 || c->channels != 0 || c->flip || c->jitter)) {
        return gan__fail(err, GAN_E_ARG,
                         "data %s are points: size, channels, flip, jitter do not apply",
                         spec->kind->name);
    }
    return GAN_OK;
}

static gan_status open_into(gan_dataset *ds, const char *text, struct gan__spec *spec, gan_err *err)
{
    ds->spec = gan__strdup(text);
    if (ds->spec == NULL) {
        return gan__fail_nomem(err, strlen(text), "the name of a data set");
    }
    ds->source.want_size = spec->common.size;
    ds->source.want_channels = spec->common.channels;
    GAN_TRY(spec->kind->open(&ds->source, spec->argument, spec->opts, err));
    GAN_TRY(check_points(ds, spec, err));
    if (spec->common.balance && (ds->source.classes == 0 || ds->source.endless)) {
        return gan__fail(err, GAN_E_ARG, "data %s: balance needs classes, there are none", text);
    }
    fill_info(ds, spec);
    return GAN_OK;
}

gan_status gan_dataset_open(const char *text, gan_dataset **out, gan_err *err)
{
    struct gan__spec spec;
    *out = NULL;
    GAN_TRY(gan__spec_parse(text, &spec, err));
    gan_status status;
    gan_dataset *ds = gan__alloc(sizeof *ds);
    if (ds == NULL) {
        status = gan__fail_nomem(err, sizeof *ds, "a data set");
    } else {
        status = open_into(ds, text, &spec, err);
    }
    gan__spec_release(&spec);
    if (status != GAN_OK) {
        gan_dataset_close(ds);
        return status;
    }
    *out = ds;
    return GAN_OK;
}

void gan_dataset_close(gan_dataset *ds)
{
    if (ds == NULL) {
        return;
    }
    gan__source_close(&ds->source);
    gan__free(ds->spec);
    gan__free(ds);
}

const struct gan_dataset_info *gan_dataset_about(const gan_dataset *ds)
{
    return &ds->info;
}

gan_status gan_dataset_pixels(const gan_dataset *ds, int64_t index, uint8_t *hwc, gan_err *err)
{
    if (ds->source.points) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s are points: they have no pixels",
                         ds->info.kind);
    }
    if (index < 0 || index >= ds->source.count) {
        return gan__fail(err, GAN_E_RANGE, "image %" PRId64 " of data %s, allowed 0 to %" PRId64,
                         index, ds->info.spec, ds->source.count - 1);
    }
    return ds->source.pixels(&ds->source, index, hwc, err);
}

gan_status gan_dataset_pixels_b(const gan_dataset *ds, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct gan__source *b = ds->source.second;
    if (b == NULL) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s have no second images", ds->info.spec);
    }
    if (index < 0 || index >= b->count) {
        return gan__fail(err, GAN_E_RANGE,
                         "second image %" PRId64 " of data %s, allowed 0 to %" PRId64, index,
                         ds->info.spec, b->count - 1);
    }
    return b->pixels(b, index, hwc, err);
}

int32_t gan_dataset_label(const gan_dataset *ds, int64_t index)
{
    const struct gan__source *s = &ds->source;
    if (s->classes == 0 || s->label == NULL || index < 0 || index >= s->count) {
        return -1;
    }
    return s->label(s, 0, index);
}

gan_status gan_dataset_attributes(const gan_dataset *ds, int64_t index, int8_t *value, gan_err *err)
{
    const struct gan__source *s = &ds->source;
    if (s->attribute_row == NULL) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s have no attributes", ds->info.spec);
    }
    if (index < 0 || index >= s->count) {
        return gan__fail(err, GAN_E_RANGE, "image %" PRId64 " of data %s, allowed 0 to %" PRId64,
                         index, ds->info.spec, s->count - 1);
    }
    memcpy(value, s->attribute_row(s, index), (size_t)s->attributes);
    return GAN_OK;
}
