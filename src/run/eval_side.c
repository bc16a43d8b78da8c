/* eval_side.c: a run, a checkpoint, a data set, a folder or a file of arrays, streamed in batches
 * through 8-bit pixels into features. Generated images are rounded to bytes as a PNG would be. */
#include "eval_side.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <gan/checkpoint.h>
#include <gan/train.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { BATCH = 64 };

/* --- opening ------------------------------------------------------------------------------------ */

static gan_status open_run(struct gan__eval_source *s, const char *path, int threads, gan_err *err)
{
    struct gan_sampler_opts how = {.threads = threads, .batch = BATCH};
    gan_checkpoint *c = NULL;
    GAN_TRY(gan_sampler_open(path, &how, &s->sampler, err));
    const struct gan_sampler_info *a = gan_sampler_about(s->sampler);
    s->kind = GAN__EVAL_RUN;
    s->n = INT64_MAX;
    s->height = a->height;
    s->width = a->width;
    s->channels = a->channels;
    s->points = a->points;
    s->labelled = a->classes > 0;
    (void)gan__copy(s->codec, sizeof s->codec,
                    a->points                    ? "floats"
                    : a->range == GAN_RANGE_UNIT ? "8 bits, from [0,1]"
                                                 : "8 bits, from [-1,1]");
    if (gan_checkpoint_open(a->file, &c, NULL) == GAN_OK) {
        const char *kind = gan_checkpoint_meta(c, "data.kind");
        const char *split = gan_checkpoint_meta(c, "data.split");
        (void)gan__copy(s->trained_on, sizeof s->trained_on, kind != NULL ? kind : "");
        (void)gan__copy(s->trained_split, sizeof s->trained_split, split != NULL ? split : "");
    }
    gan_checkpoint_close(c);
    return GAN_OK;
}

static gan_status open_data(struct gan__eval_source *s, const char *spec, gan_err *err)
{
    s->spec = gan__strdup(spec);
    if (s->spec == NULL) {
        return gan__fail_nomem(err, strlen(spec), "a SPEC");
    }
    GAN_TRY(gan_dataset_open(spec, &s->data, err));
    const struct gan_dataset_info *a = gan_dataset_about(s->data);
    s->kind = GAN__EVAL_DATA;
    s->n = a->endless ? INT64_MAX : a->count;
    s->height = a->size > 0 ? a->size : a->height;
    s->width = a->size > 0 ? a->size : a->width;
    s->channels = a->want_channels > 0 ? a->want_channels : a->channels;
    s->points = a->points;
    s->labelled = a->labelled;
    (void)gan__copy(s->codec, sizeof s->codec, a->points ? "floats" : "8 bits, as stored");
    return GAN_OK;
}

/* Levels of an image array: as gan sample writes them ([-1,1] or [0,1]), or 0..255. */
static void to_levels(struct gan__eval_source *s, int64_t count)
{
    float low = s->array[0], high = s->array[0];
    for (int64_t i = 1; i < count; i++) {
        low = s->array[i] < low ? s->array[i] : low;
        high = s->array[i] > high ? s->array[i] : high;
    }
    bool levels = low < -1.5f || high > 1.5f, is_signed = low < 0;
    for (int64_t i = 0; i < count && !levels; i++) {
        s->array[i] = is_signed ? (s->array[i] + 1) * 127.5f : s->array[i] * 255;
    }
    (void)gan__copy(s->codec, sizeof s->codec,
                    levels      ? "8 bits, from 0..255"
                    : is_signed ? "8 bits, from [-1,1]"
                                : "8 bits, from [0,1]");
}

gan_status gan__eval_take_array(struct gan__eval_source *s, const char *path,
                                const gan_shape *shape, gan_err *err)
{
    char text[96];
    s->n = shape->rank > 0 ? shape->dim[0] : 0;
    if (s->n < 1) {
        return gan__fail(err, GAN_E_FORMAT, "%s: no samples", path);
    }
    if (shape->rank == 2) {
        s->kind = GAN__EVAL_FEATURES;
        s->size = shape->dim[1];
        (void)gan__copy(s->codec, sizeof s->codec, "features as given");
        return GAN_OK;
    }
    if (shape->rank != 4 || (shape->dim[3] != 1 && shape->dim[3] != 3)) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: shape %s is neither features (N,F) nor images (N,H,W,1 or 3)", path,
                         gan_shape_text(shape, text, sizeof text));
    }
    s->kind = GAN__EVAL_IMAGES;
    s->height = shape->dim[1];
    s->width = shape->dim[2];
    s->channels = shape->dim[3];
    to_levels(s, gan_shape_count(shape));
    return GAN_OK;
}

static gan_status open_npy(struct gan__eval_source *s, const char *path, gan_err *err)
{
    gan_shape shape;
    GAN_TRY(gan_npy_read(path, &shape, &s->array, err));
    return gan__eval_take_array(s, path, &shape, err);
}

/* A directory with a run's parts in it. */
static bool is_run(const char *path)
{
    char name[GAN_PATH_TEXT_MAX];
    return gan__path_join(name, sizeof name, path, "checkpoints", NULL) == GAN_OK &&
           gan__path_is_dir(name);
}

static gan_status open_any(struct gan__eval_source *s, const char *text, int threads,
                           bool skip_broken, gan_err *err)
{
    char spec[GAN_PATH_TEXT_MAX];
    if (gan__ends_with(text, ".npz")) {
        return gan__eval_read_npz(s, text, err);
    }
    if (gan__ends_with(text, ".npy")) {
        return open_npy(s, text, err);
    }
    if (gan__ends_with(text, ".safetensors") || is_run(text)) {
        return open_run(s, text, threads, err);
    }
    if (gan__path_is_dir(text)) {
        if (!gan__format(spec, sizeof spec, "folder:%s%s", text,
                         skip_broken ? "?skip-broken=yes" : "")) {
            return gan__fail(err, GAN_E_ARG, "the path is too long");
        }
        return open_data(s, spec, err);
    }
    if (strchr(text, '/') != NULL && strchr(text, ':') == NULL) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is not there", text);
    }
    if (skip_broken && gan_data_check_spec(text, NULL) == GAN_OK &&
        gan_data_spec_add(text, "skip-broken=yes", spec, sizeof spec, NULL) == GAN_OK) {
        return open_data(s, spec, err); /* sets that read no image files have nothing to skip */
    }
    return open_data(s, text, err);
}

gan_status gan__eval_open(struct gan__eval_source *s, const char *text, int threads,
                          bool skip_broken, gan_err *err)
{
    *s = (struct gan__eval_source){.text = text};
    gan_status status = open_any(s, text, threads, skip_broken, err);
    if (status != GAN_OK) {
        gan__eval_close(s);
    }
    return status;
}

void gan__eval_close(struct gan__eval_source *s)
{
    gan_sampler_close(s->sampler);
    gan_dataset_close(s->data);
    gan__free(s->spec);
    gan__free(s->array);
    gan__free(s->mean);
    gan__free(s->cov);
    *s = (struct gan__eval_source){0};
}

/* Value of an option of the SPEC; "" when none of its kinds has it. */
static void option_of(const char *spec, const char *name, char *dst, size_t cap)
{
    if (gan_data_spec_get(spec, name, dst, cap, NULL) != GAN_OK) {
        (void)gan__copy(dst, cap, "");
    }
}

void gan__eval_split(const char *spec, char *dst, size_t cap)
{
    option_of(spec, "split", dst, cap);
}

/* --- streaming ---------------------------------------------------------------------------------- */

/* Where a batch comes from. */
struct stream {
    struct gan__eval_source *s;
    gan_loader *loader;
    float *buffer; /* of generated images */
    bool in_order; /* a data set, image by image */
    uint64_t seed;
    int64_t height, width, channels;
    gan_range range;
};

static gan_status stream_init(struct stream *t, struct gan__eval_source *s,
                              const struct gan__eval_take *take, gan_err *err)
{
    *t = (struct stream){.s = s,
                         .seed = take->seed,
                         .height = s->height,
                         .width = s->width,
                         .channels = s->channels};
    if (s->kind == GAN__EVAL_RUN) {
        size_t floats = (size_t)(BATCH * s->height * s->width * s->channels);
        t->range = gan_sampler_about(s->sampler)->range;
        t->buffer = gan__alloc_array(floats, sizeof *t->buffer);
        return t->buffer != NULL
                   ? GAN_OK
                   : gan__fail_nomem(err, floats * sizeof *t->buffer, "generated images");
    }
    t->in_order = s->kind == GAN__EVAL_DATA && !s->points && (take->needs & GAN_NEED_PAIRS) != 0;
    if (t->in_order) { /* pixels as they are stored, image i at place i */
        const struct gan_dataset_info *a = gan_dataset_about(s->data);
        t->height = a->height;
        t->width = a->width;
        t->channels = a->channels;
        return GAN_OK;
    }
    if (s->kind == GAN__EVAL_DATA) {
        struct gan_loader_cfg cfg = {.batch = 1,
                                     .seed = take->seed,
                                     .fit = take->resize ? GAN_FIT_RESIZE : GAN_FIT_AUTO,
                                     .plain = true};
        if (!s->points && take->height > 0) {
            t->height = cfg.height = take->height;
            t->width = cfg.width = take->width;
            t->channels = cfg.channels = take->channels;
        }
        return gan_loader_new(s->data, &cfg, &t->loader, err);
    }
    return GAN_OK;
}

static void stream_release(struct stream *t)
{
    gan_loader_free(t->loader);
    gan__free(t->buffer);
}

static uint8_t to_byte(float v, gan_range range)
{
    double level = range == GAN_RANGE_UNIT ? (double)v * 255.0 : ((double)v + 1.0) * 127.5;
    level = level > 0 ? level : 0;
    return (uint8_t)lrint(level < 255 ? level : 255);
}

gan_status gan__eval_bytes(const float *v, int64_t n, gan_range range, uint8_t *dst, gan_err *err)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(v[i])) {
            return gan__fail(err, GAN_E_FORMAT, "a generated pixel is not finite");
        }
        dst[i] = to_byte(v[i], range);
    }
    return GAN_OK;
}

/* Samples first .. first+n-1: floats of points to f32, images to bytes. */
static gan_status stream_next(struct stream *t, int64_t first, int64_t n, uint8_t *bytes,
                              float *points, int32_t *labels, gan_err *err)
{
    int64_t size = t->height * t->width * t->channels;
    const float *src = t->buffer;
    if (t->s->kind == GAN__EVAL_RUN) {
        int64_t classes = gan_sampler_about(t->s->sampler)->classes;
        GAN_TRY(gan_sampler_images(t->s->sampler, t->seed, first, n, t->buffer, err));
        for (int64_t i = 0; i < n; i++) {
            labels[i] = classes > 0 ? (int32_t)((first + i) % classes) : -1;
        }
    } else if (t->s->kind == GAN__EVAL_IMAGES) {
        src = t->s->array + first * size;
    }
    for (int64_t i = 0; t->in_order && i < n; i++) {
        GAN_TRY(gan_dataset_pixels(t->s->data, first + i, bytes + i * size, err));
        labels[i] = gan_dataset_label(t->s->data, first + i);
    }
    for (int64_t i = 0; !t->in_order && i < n; i++) {
        const float *v = src + i * size;
        if (t->loader != NULL) {
            const struct gan_batch *b;
            GAN_TRY(gan_loader_next(t->loader, &b, err));
            v = b->images;
            labels[i] = b->labels != NULL ? b->labels[0] : -1;
        }
        for (int64_t k = 0; k < size; k++) {
            if (!isfinite(v[k])) {
                return gan__fail(err, GAN_E_FORMAT, "%s: sample %" PRId64 " is not finite",
                                 t->s->text, first + i);
            }
            if (points != NULL) {
                points[i * size + k] = v[k];
            } else {
                bytes[i * size + k] = t->s->kind == GAN__EVAL_IMAGES
                                          ? to_byte(v[k] / 255.0f, GAN_RANGE_UNIT)
                                          : to_byte(v[k], t->range);
            }
        }
    }
    return GAN_OK;
}

/* --- collecting --------------------------------------------------------------------------------- */

static gan_status allocate(struct gan__eval_arrays *a, const struct stream *t,
                           const struct gan__eval_take *take, gan_err *err)
{
    const unsigned logits = GAN_NEED_LOGITS | GAN_NEED_OFFERED_LOGITS;
    size_t n = (size_t)take->n, pixels = (size_t)(t->height * t->width * t->channels);
    bool images = (take->needs & (GAN_NEED_IMAGES | GAN_NEED_LAYERS)) != 0 && !t->s->points;
    const struct gan_features_info *f =
        take->network != NULL && !t->s->points ? gan_features_about(take->network) : NULL;
    size_t size = t->s->points ? pixels : f != NULL ? (size_t)f->features : 0;
    size_t classes = f != NULL && (take->needs & logits) != 0 ? (size_t)f->logits : 0;
    a->features = size > 0 ? gan__alloc_array(n, size * sizeof *a->features) : NULL;
    a->logits = classes > 0 ? gan__alloc_array(n, classes * sizeof *a->logits) : NULL;
    a->images = images ? gan__alloc_array(n, pixels) : NULL;
    a->labels = gan__alloc_array(n, sizeof *a->labels);
    if (a->labels == NULL || (size > 0 && a->features == NULL) ||
        (classes > 0 && a->logits == NULL) || (images && a->images == NULL)) {
        return gan__fail_nomem(err, n * (size * 4 + classes * 4 + (images ? pixels : 0)),
                               "features");
    }
    a->side = (struct gan_side){.n = take->n,
                                .size = (int64_t)size,
                                .classes = (int64_t)classes,
                                .height = t->height,
                                .width = t->width,
                                .channels = t->channels};
    return GAN_OK;
}

static gan_status collect_batch(struct stream *t, const struct gan__eval_take *take,
                                struct gan__eval_arrays *a, int64_t first, uint8_t *bytes,
                                gan_err *err)
{
    int64_t left = take->n - first, n = left < BATCH ? left : BATCH;
    int64_t pixels = t->height * t->width * t->channels;
    float *points = t->s->points ? a->features + first * pixels : NULL;
    GAN_TRY(stream_next(t, first, n, bytes, points, a->labels + first, err));
    if (points != NULL) {
        return GAN_OK;
    }
    if (a->images != NULL) {
        memcpy(a->images + first * pixels, bytes, (size_t)(n * pixels));
    }
    if (a->features == NULL) {
        return GAN_OK;
    }
    struct gan_image_set set = {n, t->height, t->width, t->channels, bytes, NULL};
    struct gan_features_out out = {.features = a->features + first * a->side.size,
                                   .logits = a->logits != NULL ? a->logits + first * a->side.classes
                                                               : NULL};
    return gan_features_run(take->network, &set, &out, err);
}

/* How a data set came to the size that was asked for. */
static void describe_resize(const struct gan__eval_source *s, const struct gan__eval_take *take,
                            struct gan__eval_arrays *a)
{
    (void)gan__copy(a->resize, sizeof a->resize,
                    s->kind == GAN__EVAL_RUN && gan_sampler_about(s->sampler)->resize
                        ? "resized in training"
                        : "none");
    if (s->kind != GAN__EVAL_DATA || s->points) {
        return;
    }
    const struct gan_dataset_info *i = gan_dataset_about(s->data);
    char filter[32];
    option_of(s->spec, "filter", filter, sizeof filter);
    if (i->size > 0 && filter[0] != '\0') { /* kinds with filters of their own resize on reading */
        (void)gan__format(a->resize, sizeof a->resize, "resized (%s) to %" PRId64, filter, i->size);
        return;
    }
    int64_t h = take->height > 0 ? take->height : s->height,
            w = take->width > 0 ? take->width : s->width;
    if (i->height != h || i->width != w) {
        bool padded = i->size == 0 && !take->resize && h >= i->height && w >= i->width;
        (void)gan__format(a->resize, sizeof a->resize, "%s from %" PRId64 "x%" PRId64,
                          padded ? "padded" : "resized (triangle, antialiased)", i->height,
                          i->width);
    }
}

static gan_status collect_stream(struct gan__eval_source *s, const struct gan__eval_take *take,
                                 struct gan__eval_arrays *a, gan_err *err)
{
    struct stream t;
    uint8_t *bytes = NULL;
    bool hit = false;
    gan_status status = stream_init(&t, s, take, err);
    if (status == GAN_OK) {
        status = allocate(a, &t, take, err);
    }
    if (status == GAN_OK && take->cache && a->images == NULL && !t.in_order) {
        status = gan__eval_cache_read(s, take, a, &hit, err);
    }
    if (status == GAN_OK && !hit) {
        size_t size = (size_t)(BATCH * t.height * t.width * t.channels);
        bytes = gan__alloc(size);
        status = bytes != NULL ? GAN_OK : gan__fail_nomem(err, size, "a batch");
        for (int64_t first = 0; status == GAN_OK && first < take->n; first += BATCH) {
            status = collect_batch(&t, take, a, first, bytes, err);
        }
        if (status == GAN_OK && take->cache && a->features != NULL && !t.in_order) {
            gan__eval_cache_write(s, take, a);
        }
    }
    a->cached = hit;
    gan__free(bytes);
    stream_release(&t);
    return status;
}

gan_status gan__eval_collect(struct gan__eval_source *s, const struct gan__eval_take *take,
                             struct gan__eval_arrays *out, gan_err *err)
{
    *out = (struct gan__eval_arrays){0};
    describe_resize(s, take, out);
    gan_status status = GAN_OK;
    if (s->kind == GAN__EVAL_FEATURES || s->kind == GAN__EVAL_STATISTICS) {
        out->side = (struct gan_side){.n = s->kind == GAN__EVAL_FEATURES ? take->n : 0,
                                      .size = s->size,
                                      .features = s->array,
                                      .mean = s->mean,
                                      .cov = s->cov};
        return GAN_OK;
    }
    status = collect_stream(s, take, out, err);
    out->side.features = out->features;
    out->side.logits = out->logits;
    out->side.images = out->images;
    out->side.labels = s->labelled ? out->labels : NULL;
    if (status != GAN_OK) {
        gan__eval_arrays_release(out);
    }
    return status;
}

void gan__eval_arrays_release(struct gan__eval_arrays *a)
{
    gan__free(a->features);
    gan__free(a->logits);
    gan__free(a->labels);
    gan__free(a->images);
    *a = (struct gan__eval_arrays){0};
}
