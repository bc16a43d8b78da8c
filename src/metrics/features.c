/* features.c: the networks metrics look through: finding them by name, and bringing images of any
 * size and channels to what a network wants, batch by batch. */
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/image.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_NETS = 64, DEFAULT_BATCH = 64 };

struct gan_features {
    const struct gan_feature_net *net;
    struct gan_features_info info;
    void *state;
    int64_t batch;
    float *input; /* [batch, height, width, channels] */
    char *name;
};

const char *gan_filter_name(gan_filter filter)
{
    static const char *const names[] = {"none", "box", "bilinear", "bicubic", "lanczos", "tf1"};
    return (size_t)filter < sizeof names / sizeof *names ? names[filter] : "none";
}

const struct gan_feature_net *gan_feature_net_at(size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (gan__feature_nets[k] == NULL) {
            return NULL;
        }
    }
    return gan__feature_nets[i];
}

/* The kind of "pixels:16", and its argument. */
static gan_status find(const char *text, const struct gan_feature_net **out, const char **argument,
                       gan_err *err)
{
    const char *names[MAX_NETS];
    char name[64];
    size_t n = 0, len = strcspn(text, ":");
    (void)gan__format(name, sizeof name, "%.*s", (int)(len < 60 ? len : 60), text);
    for (; n < MAX_NETS && gan__feature_nets[n] != NULL; n++) {
        const struct gan_feature_net *net = gan__feature_nets[n];
        names[n] = net->name;
        if (strcmp(net->name, name) != 0) {
            continue;
        }
        *out = net;
        *argument = text[len] == ':' && text[len + 1] != '\0' ? text + len + 1 : NULL;
        if (*argument == NULL && net->argument_needed) {
            return gan__fail(err, GAN_E_ARG, "features '%s' need an argument: %s:%s", name, name,
                             net->argument);
        }
        if (text[len] == ':' && net->argument == NULL) {
            return gan__fail(err, GAN_E_ARG, "features '%s' take no argument, given ':%.100s'",
                             name, text + len + 1);
        }
        return GAN_OK;
    }
    const char *near = gan__nearest_name(name, names, n);
    return gan__fail(err, GAN_E_ARG, "unknown features '%s'%s%s%s", name,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

gan_status gan_features_check(const char *name, gan_err *err)
{
    const struct gan_feature_net *net;
    const char *argument;
    return find(name, &net, &argument, err);
}

static gan_status open_into(gan_features *f, const char *argument,
                            const struct gan_features_cfg *cfg, gan_err *err)
{
    struct gan_features_cfg c = cfg != NULL ? *cfg : (struct gan_features_cfg){0};
    c.threads = c.threads > 0 ? c.threads : 1;
    c.batch = c.batch > 0 ? c.batch : DEFAULT_BATCH;
    f->batch = c.batch;
    GAN_TRY(f->net->open(argument, &c, &f->info, &f->state, err));
    f->info.name = f->name;
    size_t floats = (size_t)(c.batch * f->info.height * f->info.width * f->info.channels);
    f->input = gan__alloc_array(floats, sizeof *f->input);
    return f->input != NULL ? GAN_OK
                            : gan__fail_nomem(err, floats * sizeof *f->input, "a batch of images");
}

gan_status gan_features_open(const char *name, const struct gan_features_cfg *cfg,
                             gan_features **out, gan_err *err)
{
    const struct gan_feature_net *net;
    const char *argument;
    *out = NULL;
    GAN_TRY(find(name, &net, &argument, err));
    gan_features *f = gan__alloc(sizeof *f);
    if (f == NULL) {
        return gan__fail_nomem(err, sizeof *f, "a feature network");
    }
    f->net = net;
    f->name = gan__strdup(name);
    gan_status status = f->name != NULL ? open_into(f, argument, cfg, err)
                                        : gan__fail_nomem(err, strlen(name), "a name");
    if (status != GAN_OK) {
        gan_features_close(f);
        return status;
    }
    *out = f;
    return GAN_OK;
}

void gan_features_close(gan_features *f)
{
    if (f == NULL) {
        return;
    }
    f->net->close(f->state);
    gan__free(f->input);
    gan__free(f->name);
    gan__free(f);
}

const struct gan_features_info *gan_features_about(const gan_features *f)
{
    return &f->info;
}

const struct gan_feature_net *gan__features_kind(const gan_features *f)
{
    return f->net;
}

const void *gan__features_state(const gan_features *f)
{
    return f->state;
}

/* --- images ------------------------------------------------------------------------------------- */

/* Channels of one pixel: equal, gray repeated, colour to Rec. 601 luma. */
static void put_pixel(const float src[3], int64_t from, float *dst, int64_t to)
{
    if (from == to) {
        memcpy(dst, src, (size_t)to * sizeof *dst);
    } else if (from == 1) {
        for (int64_t c = 0; c < to; c++) {
            dst[c] = src[0];
        }
    } else {
        dst[0] = (float)(0.299 * (double)src[0] + 0.587 * (double)src[1] + 0.114 * (double)src[2]);
    }
}

/* Pixels of the set's size and channels to the network's channels. */
static void convert(const struct gan_image_set *s, int64_t at, int64_t pixels, int64_t to,
                    float *dst)
{
    int64_t from = s->channels;
    for (int64_t i = 0; i < pixels; i++) {
        float v[3];
        for (int64_t c = 0; c < from; c++) {
            v[c] = s->u8 != NULL ? (float)s->u8[at + i * from + c] : s->f32[at + i * from + c];
        }
        put_pixel(v, from, dst + i * to, to);
    }
}

/* Image i at the network's size, by TensorFlow's filter: floats. */
static gan_status resize_floats(const gan_features *f, const struct gan_image_set *s, int64_t i,
                                float *scaled, gan_err *err)
{
    const struct gan_features_info *a = &f->info;
    size_t n = (size_t)(s->height * s->width * s->channels), at = (size_t)i * n;
    float *src = gan__alloc_array(n, sizeof *src);
    if (src == NULL) {
        return gan__fail_nomem(err, n * sizeof *src, "an image");
    }
    for (size_t k = 0; k < n; k++) {
        src[k] = s->u8 != NULL ? (float)s->u8[at + k] : s->f32[at + k];
    }
    gan_status status = gan_image_resize_f32(src, s->height, s->width, s->channels, a->height,
                                             a->width, a->filter, scaled, err);
    gan__free(src);
    return status;
}

/* By a filter of Pillow: bytes, so that an image gives the same features from a file and from memory. */
static gan_status resize_bytes(const gan_features *f, const struct gan_image_set *s, int64_t i,
                               float *scaled, gan_err *err)
{
    const struct gan_features_info *a = &f->info;
    size_t n = (size_t)(s->height * s->width * s->channels), at = (size_t)i * n;
    size_t to = (size_t)(a->height * a->width * s->channels);
    uint8_t *src = gan__alloc(n + to), *dst = src != NULL ? src + n : NULL;
    if (src == NULL) {
        return gan__fail_nomem(err, n + to, "an image");
    }
    for (size_t k = 0; k < n; k++) {
        float v = s->u8 != NULL ? (float)s->u8[at + k] : s->f32[at + k];
        src[k] = (uint8_t)((v < 0 ? 0 : v > 255 ? 255 : v) + 0.5F);
    }
    gan_status status = gan_image_resize(src, s->height, s->width, s->channels, a->height, a->width,
                                         a->filter, dst, err);
    for (size_t k = 0; status == GAN_OK && k < to; k++) {
        scaled[k] = dst[k];
    }
    gan__free(src);
    return status;
}

static gan_status resize(const gan_features *f, const struct gan_image_set *s, int64_t i,
                         float *dst, gan_err *err)
{
    const struct gan_features_info *a = &f->info;
    size_t to = (size_t)(a->height * a->width * s->channels);
    float *scaled = gan__alloc_array(to, sizeof *scaled);
    if (scaled == NULL) {
        return gan__fail_nomem(err, to * sizeof *scaled, "an image");
    }
    gan_status status = a->filter == GAN_FILTER_TF1 ? resize_floats(f, s, i, scaled, err)
                                                    : resize_bytes(f, s, i, scaled, err);
    if (status == GAN_OK) {
        const struct gan_image_set one = {.channels = s->channels, .f32 = scaled};
        convert(&one, 0, a->height * a->width, a->channels, dst);
    }
    gan__free(scaled);
    return status;
}

/* n images from `first` on, as the network wants them. */
static gan_status bring(const gan_features *f, const struct gan_image_set *s, int64_t first,
                        int64_t n, gan_err *err)
{
    const struct gan_features_info *a = &f->info;
    int64_t pixels = s->height * s->width, image = a->height * a->width * a->channels;
    if (s->height == a->height && s->width == a->width) {
        convert(s, first * pixels * s->channels, n * pixels, a->channels, f->input);
        return GAN_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        GAN_TRY(resize(f, s, first + i, f->input + i * image, err));
    }
    return GAN_OK;
}

static gan_status check_images(const gan_features *f, const struct gan_image_set *s,
                               const struct gan_features_out *out, gan_err *err)
{
    const struct gan_features_info *a = &f->info;
    if (s->channels != 1 && s->channels != 3) {
        return gan__fail(err, GAN_E_SHAPE, "%s: images of %" PRId64 " channels, it takes 1 or 3",
                         a->name, s->channels);
    }
    bool same = s->height == a->height && s->width == a->width;
    if (!same && a->filter == GAN_FILTER_NONE) {
        return gan__fail(err, GAN_E_SHAPE,
                         "%s: images of %" PRId64 "x%" PRId64 ", it was opened for %" PRId64
                         "x%" PRId64,
                         a->name, s->height, s->width, a->height, a->width);
    }
    if ((out->logits != NULL && a->logits == 0) || (out->layers != NULL && a->n_layers == 0)) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "features '%s' have no %s", a->name,
                         out->logits != NULL && a->logits == 0 ? "class scores" : "inner layers");
    }
    return GAN_OK;
}

static gan_status check_finite(const gan_features *f, const float *v, int64_t first, int64_t n,
                               int64_t size, gan_err *err)
{
    for (int64_t i = 0; v != NULL && i < n * size; i++) {
        if (!isfinite(v[i])) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s: number %" PRId64 " of image %" PRId64 " is not finite",
                             f->info.name, i % size, first + i / size);
        }
    }
    return GAN_OK;
}

static int64_t layer_size(const struct gan_feature_layer *l)
{
    return l->height * l->width * l->channels;
}

/* One batch: parts of `out` from image `first` on. */
static gan_status run_batch(gan_features *f, const struct gan_features_out *out, int64_t first,
                            int64_t n, gan_err *err)
{
    enum { MAX_LAYERS = 16 };
    const struct gan_features_info *a = &f->info;
    float *layers[MAX_LAYERS] = {0};
    for (int i = 0; out->layers != NULL && i < a->n_layers && i < MAX_LAYERS; i++) {
        layers[i] = out->layers[i] + first * layer_size(&a->layer_at[i]);
    }
    struct gan_features_out part = {
        .features = out->features != NULL ? out->features + first * a->features : NULL,
        .logits = out->logits != NULL ? out->logits + first * a->logits : NULL,
        .layers = out->layers != NULL ? layers : NULL,
    };
    GAN_TRY(f->net->run(f->state, f->input, n, &part, err));
    GAN_TRY(check_finite(f, part.features, first, n, a->features, err));
    return check_finite(f, part.logits, first, n, a->logits, err);
}

gan_status gan_features_run(gan_features *f, const struct gan_image_set *images,
                            const struct gan_features_out *out, gan_err *err)
{
    GAN_TRY(check_images(f, images, out, err));
    for (int64_t first = 0; first < images->n; first += f->batch) {
        int64_t left = images->n - first, n = left < f->batch ? left : f->batch;
        GAN_TRY(bring(f, images, first, n, err));
        GAN_TRY(run_batch(f, out, first, n, err));
    }
    return GAN_OK;
}
