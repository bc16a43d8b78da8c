/* latents.c: what gan interpolate, walk and arithmetic share. */
#include "latents.h"

#include "cmdline.h"
#include "out.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

gan_status gan__latents_open(struct gan__latent_source *src, const char *run, const char *label,
                             uint64_t seed, int64_t threads, gan_err *err)
{
    struct gan_sampler_opts how = {.threads = gan__cmdline_threads(threads)};
    *src = (struct gan__latent_source){.seed = seed, .one_class = label[0] != '\0'};
    GAN_TRY(gan_sampler_open(run, &how, &src->sampler, err));
    src->about = gan_sampler_about(src->sampler);
    if (src->about->latent == 0) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "model %s makes images from images, not from noise: it has no latents",
                         src->about->model);
    }
    return src->one_class ? gan_sampler_class(src->sampler, label, &src->class_index, err) : GAN_OK;
}

gan_status gan__latents_new(const struct gan__latent_source *src, int64_t n, float **z,
                            gan_err *err)
{
    size_t size = (size_t)src->about->latent * sizeof **z;
    *z = gan__alloc_array((size_t)n, size);
    return *z != NULL ? GAN_OK : gan__fail_nomem(err, (size_t)n * size, "latents");
}

static gan_status read_array(const struct gan__latent_source *src, const char *path, float **z,
                             int64_t *n, gan_err *err)
{
    gan_shape shape;
    char text[96];
    GAN_TRY(gan_npy_read(path, &shape, z, err));
    if (shape.rank != 2 || shape.dim[1] != src->about->latent || shape.dim[0] < 1) {
        return gan__fail(err, GAN_E_FORMAT, "%s: latents are %s, model %s takes [N,%" PRId64 "]",
                         path, gan_shape_text(&shape, text, sizeof text), src->about->model,
                         src->about->latent);
    }
    for (int64_t i = 0; i < shape.dim[0] * shape.dim[1]; i++) {
        if (!isfinite((*z)[i])) {
            return gan__fail(err, GAN_E_FORMAT, "%s: latent %" PRId64 " is not finite at %" PRId64,
                             path, i / shape.dim[1], i % shape.dim[1]);
        }
    }
    *n = shape.dim[0];
    return GAN_OK;
}

/* The number that begins at *at, which moves behind it and a comma. */
static bool next_number(const char **at, int64_t *out)
{
    char word[24];
    size_t n = strcspn(*at, ",");
    bool good = gan__format(word, sizeof word, "%.*s", (int)n, *at) && gan__parse_i64(word, out) &&
                *out >= 0;
    *at += n;
    *at += **at == ',';
    return good;
}

gan_status gan__latents_read(const struct gan__latent_source *src, const char *text, float **z,
                             int64_t *n, gan_err *err)
{
    enum { MOST = 100000 };
    int64_t count = 1, number = 0;
    *z = NULL;
    *n = 0;
    if (gan__ends_with(text, ".npy")) {
        return read_array(src, text, z, n, err);
    }
    for (const char *p = text; *p != '\0'; p++) {
        count += *p == ',';
    }
    if (count > MOST) {
        return gan__fail(err, GAN_E_RANGE, "%" PRId64 " latents, allowed are 1 to %d", count, MOST);
    }
    GAN_TRY(gan__latents_new(src, count, z, err));
    const char *at = text;
    for (int64_t i = 0; i < count; i++) {
        const char *word = at;
        if (!next_number(&at, &number)) {
            return gan__fail(err, GAN_E_ARG,
                             "'%.60s': numbers of samples joined by commas, or FILE.npy, are "
                             "expected at '%.12s'",
                             text, word);
        }
        gan_sampler_latents(src->sampler, src->seed, number, 1, *z + i * src->about->latent);
    }
    *n = count;
    return GAN_OK;
}

gan_between gan__latents_between(const struct gan__latent_source *src, int mode)
{
    bool linear = mode == 1 || (mode == 0 && src->about->uniform);
    return linear ? GAN_BETWEEN_LINEAR : GAN_BETWEEN_SLERP;
}

static void print_json(const struct gan__latent_source *src, const struct gan_drawing *what,
                       const char *out)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "out", out);
    gan__json_text(&j, "checkpoint", src->about->file);
    gan__json_text(&j, "model", src->about->model);
    gan__json_text(&j, "hash", src->about->hash);
    gan__json_text(&j, "latents", what->what);
    gan__json_i64(&j, "rows", what->rows);
    gan__json_i64(&j, "columns", what->columns);
    gan__json_bool(&j, "animated", what->animate);
    gan__json_close(&j, '}');
}

gan_status gan__latents_draw(const struct gan__latent_source *src, const struct gan_drawing *what,
                             const char *out, bool json, gan_err *err)
{
    struct gan_drawing all = *what;
    int32_t *labels = NULL;
    if (src->one_class) {
        size_t n = (size_t)(what->rows * what->columns);
        labels = gan__alloc_array(n, sizeof *labels);
        if (labels == NULL) {
            return gan__fail_nomem(err, n * sizeof *labels, "classes");
        }
        for (size_t i = 0; i < n; i++) {
            labels[i] = (int32_t)src->class_index;
        }
        all.labels = labels;
    }
    gan_status status = gan_sampler_draw(src->sampler, &all, out, err);
    gan__free(labels);
    if (status == GAN_OK && json) {
        print_json(src, what, out);
    } else if (status == GAN_OK) {
        (void)printf("%s\n", out);
    }
    return status;
}
