/* sampler.c: a generator rebuilt from the metadata of a checkpoint. */
#include <gan/sample.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "checkpoint.h"
#include "generator.h"
#include "meta.h"
#include "picture.h"
#include "plot/grid.h"
#include "resume.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DEFAULT_BATCH = 64, DEFAULT_IMAGES = 64 };

struct gan_sampler {
    struct gan_sampler_info info;
    struct gan__recipe recipe; /* its arena holds the texts of info */
    gan_store *store;
    struct gan_net_list nets;
    struct gan__generator generator;
};

/* --- opening ------------------------------------------------------------------------------------ */

static gan_status open_checkpoint(const char *path, gan_checkpoint **c, gan_err *err)
{
    return gan__path_is_dir(path) ? gan__open_newest(path, c, err)
                                  : gan_checkpoint_open(path, c, err);
}

static gan_status fill_info(gan_sampler *s, const gan_checkpoint *c, gan_err *err)
{
    struct gan_sampler_info *info = &s->info;
    const struct gan_task *t = s->recipe.opts;
    const char *hash = gan_checkpoint_meta(c, "libgan.digest");
    const char *points = gan_checkpoint_meta(c, "data.points");
    int64_t seed = 0;
    GAN_TRY(gan__meta_i64(c, "libgan.iteration", &info->step, err));
    GAN_TRY(gan__meta_i64(c, "libgan.seed", &seed, err));
    info->seed = (uint64_t)seed;
    info->file = gan__arena_strdup(&s->recipe.arena, gan__checkpoint_path(c));
    info->hash = gan__arena_strdup(&s->recipe.arena, hash != NULL ? hash : "");
    info->model = s->recipe.model->name;
    info->range = t->range;
    info->points = points != NULL && strcmp(points, "true") == 0;
    info->height = s->generator.height;
    info->width = s->generator.width;
    info->channels = s->generator.channels;
    info->latent = s->generator.z;
    return info->file != NULL && info->hash != NULL ? GAN_OK
                                                    : gan__fail_nomem(err, 64, "a sampler");
}

static gan_status build(gan_sampler *s, const gan_checkpoint *c,
                        const struct gan_sampler_opts *opts, gan_err *err)
{
    GAN_TRY(gan__meta_recipe(c, &s->recipe, err));
    s->store = gan_store_new();
    if (s->store == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    GAN_TRY(gan_model_declare(s->recipe.model, s->recipe.opts, s->store, GAN_F32, &s->nets, err));
    GAN_TRY(gan__checkpoint_load_part(c, s->store, err));
    struct gan__generator_cfg cfg = {
        .model = s->recipe.model,
        .opts = s->recipe.opts,
        .store = s->store,
        .nets = &s->nets,
        .mode = opts->bn_batch ? GAN_BATCH_STATS : GAN_EVAL,
        .batch = opts->batch > 0 ? opts->batch : DEFAULT_BATCH,
        .threads = opts->threads > 0 ? opts->threads : 1,
    };
    int declared = gan_store_count(s->store);
    GAN_TRY(gan__generator_init(&s->generator, &cfg, err));
    if (gan_store_count(s->store) > declared) { /* sampling reads averages of weights too */
        GAN_TRY(gan__checkpoint_load_part(c, s->store, err));
    }
    return fill_info(s, c, err);
}

gan_status gan_sampler_open(const char *path, const struct gan_sampler_opts *opts,
                            gan_sampler **out, gan_err *err)
{
    static const struct gan_sampler_opts defaults;
    gan_err own = {0};
    gan_checkpoint *c = NULL;
    *out = NULL;
    gan_sampler *s = gan__alloc(sizeof *s);
    gan_status status =
        s != NULL ? open_checkpoint(path, &c, &own) : gan__fail_nomem(&own, sizeof *s, "a sampler");
    if (status == GAN_OK) {
        status = build(s, c, opts != NULL ? opts : &defaults, &own);
    }
    gan_checkpoint_close(c);
    if (status != GAN_OK) {
        gan_sampler_close(s);
        if (err != NULL) {
            *err = own;
        }
        return status;
    }
    *out = s;
    return GAN_OK;
}

void gan_sampler_close(gan_sampler *s)
{
    if (s != NULL) {
        gan__generator_release(&s->generator);
        gan_net_list_free(&s->nets);
        gan_store_free(s->store);
        gan__recipe_release(&s->recipe);
        gan__free(s);
    }
}

const struct gan_sampler_info *gan_sampler_about(const gan_sampler *s)
{
    return &s->info;
}

/* --- images in memory --------------------------------------------------------------------------- */

struct copy_sink {
    float *dst;
    int64_t first, image;
};

static gan_status put_copy(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    struct copy_sink *s = ctx;
    (void)err;
    memcpy(s->dst + (first - s->first) * s->image, hwc, (size_t)(n * s->image) * sizeof *hwc);
    return GAN_OK;
}

static gan_status copy_images(gan_sampler *s, const struct gan__generate *what, float *hwc,
                              gan_err *err)
{
    if (what->first < 0 || what->n < 0) {
        return gan__fail(err, GAN_E_RANGE,
                         "%" PRId64 " images from number %" PRId64 " on, neither may be negative",
                         what->n, what->first);
    }
    struct copy_sink sink = {hwc, what->first, s->info.height * s->info.width * s->info.channels};
    return gan__generator_run(&s->generator, what, &(struct gan__image_sink){put_copy, &sink}, err);
}

void gan_sampler_latents(const gan_sampler *s, uint64_t seed, int64_t first, int64_t n, float *z)
{
    gan__generator_latents(&s->generator, seed, first, n, z);
}

gan_status gan_sampler_images(gan_sampler *s, uint64_t seed, int64_t first, int64_t n, float *hwc,
                              gan_err *err)
{
    return copy_images(s, &(struct gan__generate){.seed = seed, .first = first, .n = n}, hwc, err);
}

gan_status gan_sampler_decode(gan_sampler *s, const float *z, int64_t n, float *hwc, gan_err *err)
{
    return copy_images(s, &(struct gan__generate){.z = z, .n = n}, hwc, err);
}

/* --- images as files ---------------------------------------------------------------------------- */

struct folder_sink {
    const gan_sampler *s;
    const char *path;
    char seed[24];
};

static gan_status put_file(const struct folder_sink *f, int64_t number, const float *hwc,
                           gan_err *err)
{
    const struct gan_sampler_info *info = &f->s->info;
    char name[32], index[24], path[GAN_PATH_TEXT_MAX];
    (void)gan__format(name, sizeof name, "%05" PRId64 ".png", number);
    (void)gan__format(index, sizeof index, "%" PRId64, number);
    GAN_TRY(gan__path_join(path, sizeof path, f->path, name, err));
    struct gan__png_text texts[] = {
        {"model", info->model}, {"hash", info->hash}, {"seed", f->seed}, {"index", index}};
    struct gan__image image = {
        .height = info->height, .width = info->width, .channels = info->channels};
    int64_t n = info->height * info->width * info->channels;
    image.data = gan__alloc((size_t)n);
    if (image.data == NULL) {
        return gan__fail_nomem(err, (size_t)n, "an image");
    }
    for (int64_t i = 0; i < n; i++) {
        image.data[i] = gan__byte_of(hwc[i], info->range);
    }
    gan_status status = gan__png_write(path, &image, texts, 4, err);
    gan__free(image.data);
    return status;
}

static gan_status put_files(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    const struct folder_sink *f = ctx;
    const struct gan_sampler_info *info = &f->s->info;
    for (int64_t i = 0; i < n; i++) {
        GAN_TRY(put_file(f, first + i, hwc + i * info->height * info->width * info->channels, err));
    }
    return GAN_OK;
}

static gan_status write_folder(gan_sampler *s, const struct gan__generate *what, const char *seed,
                               const char *path, gan_err *err)
{
    if (s->info.points) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: points are no images; name a .png (scatter plot) or a .npy", path);
    }
    if (s->info.channels != 1 && s->info.channels != 3) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: a PNG has 1 or 3 channels, the images have %" PRId64, path,
                         s->info.channels);
    }
    GAN_TRY(gan__mkdirs(path, err));
    struct folder_sink sink = {.s = s, .path = path};
    (void)gan__copy(sink.seed, sizeof sink.seed, seed);
    return gan__generator_run(&s->generator, what, &(struct gan__image_sink){put_files, &sink},
                              err);
}

/* Latents of a file: (N,Z), checked against the model and the request. */
static gan_status read_latents(const gan_sampler *s, const struct gan_sample_request *what,
                               struct gan__generate *job, float **z, gan_err *err)
{
    gan_shape shape;
    char text[96];
    GAN_TRY(gan_npy_read(what->latents, &shape, z, err));
    if (shape.rank != 2 || shape.dim[1] != s->info.latent) {
        return gan__fail(err, GAN_E_FORMAT, "%s: latents are %s, model %s takes [N,%" PRId64 "]",
                         what->latents, gan_shape_text(&shape, text, sizeof text), s->info.model,
                         s->info.latent);
    }
    if (what->n > shape.dim[0]) {
        return gan__fail(err, GAN_E_RANGE, "--n is %" PRId64 ", %s holds %" PRId64 " latents",
                         what->n, what->latents, shape.dim[0]);
    }
    if (shape.dim[0] == 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: no latents in it, at least one is expected",
                         what->latents);
    }
    for (int64_t i = 0; i < shape.dim[0] * shape.dim[1]; i++) {
        if (!isfinite((*z)[i])) {
            return gan__fail(err, GAN_E_FORMAT, "%s: latent %" PRId64 " is not finite at %" PRId64,
                             what->latents, i / shape.dim[1], i % shape.dim[1]);
        }
    }
    job->n = what->n > 0 ? what->n : shape.dim[0];
    job->z = *z;
    return GAN_OK;
}

static gan_status write_job(gan_sampler *s, const struct gan_sample_request *what,
                            const struct gan__generate *job, const char *path, gan_err *err)
{
    char seed[24] = "latents";
    if (job->z == NULL) {
        (void)gan__format(seed, sizeof seed, "%" PRIu64, job->seed);
    }
    if (gan__ends_with(path, ".npy")) {
        return gan__array_write(&s->generator, job, path, err);
    }
    if (!gan__ends_with(path, ".png")) {
        return write_folder(s, job, seed, path, err);
    }
    struct gan__png_text texts[] = {
        {"model", s->info.model}, {"hash", s->info.hash}, {"seed", seed}};
    struct gan__picture how = {
        .range = s->info.range,
        .points = s->info.points,
        .columns = what->columns,
        .texts = texts,
        .n_texts = sizeof texts / sizeof texts[0],
    };
    return gan__picture_write(&s->generator, job, &how, path, err);
}

gan_status gan_sampler_write(gan_sampler *s, const struct gan_sample_request *what,
                             const char *path, gan_err *err)
{
    enum { MOST = 100000000 };
    struct gan__generate job = {
        .seed = what->seed, .first = what->first, .n = what->n > 0 ? what->n : DEFAULT_IMAGES};
    float *z = NULL;
    if (what->n < 0 || what->n > MOST || what->first < 0) {
        return gan__fail(err, GAN_E_RANGE,
                         "--n is %" PRId64 " from number %" PRId64 " on, allowed are 1 to %d from "
                         "0 on",
                         what->n, what->first, MOST);
    }
    gan_status status = what->latents != NULL ? read_latents(s, what, &job, &z, err) : GAN_OK;
    if (status == GAN_OK) {
        status = write_job(s, what, &job, path, err);
    }
    gan_array_free(z);
    return status;
}
