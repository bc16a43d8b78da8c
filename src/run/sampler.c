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
#include <strings.h>

enum { DEFAULT_BATCH = 64, DEFAULT_IMAGES = 64, DEFAULT_ROWS = 8 };

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

/* The data set's names of classes, all of them or none. */
static gan_status read_class_names(gan_sampler *s, const gan_checkpoint *c, gan_err *err)
{
    int64_t n = s->info.classes;
    const char **names =
        n > 0 ? gan__arena_array(&s->recipe.arena, (size_t)n, sizeof *names) : NULL;
    if (n > 0 && names == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *names, "names of classes");
    }
    for (int64_t i = 0; i < n; i++) {
        char key[40];
        (void)gan__format(key, sizeof key, "data.class.%05" PRId64, i);
        const char *name = gan_checkpoint_meta(c, key);
        if (name == NULL) {
            return GAN_OK;
        }
        names[i] = gan__arena_strdup(&s->recipe.arena, name);
        if (names[i] == NULL) {
            return gan__fail_nomem(err, strlen(name), "names of classes");
        }
    }
    s->info.class_names = names;
    return GAN_OK;
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
    info->resize = gan__meta_resized(c);
    info->points = points != NULL && strcmp(points, "true") == 0;
    info->height = s->generator.height;
    info->width = s->generator.width;
    info->channels = s->generator.channels;
    info->latent = s->generator.z;
    info->uniform = s->generator.uniform;
    info->classes = s->generator.classes;
    GAN_TRY(read_class_names(s, c, err));
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
        .frozen = true,
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

gan_status gan_sampler_decode_classes(gan_sampler *s, const float *z, const int32_t *labels,
                                      int64_t n, float *hwc, gan_err *err)
{
    return copy_images(s, &(struct gan__generate){.z = z, .labels = labels, .n = n}, hwc, err);
}

gan_status gan_sampler_class(const gan_sampler *s, const char *text, int64_t *out, gan_err *err)
{
    int64_t n = s->info.classes, number = 0;
    if (n == 0) {
        return gan__fail(err, GAN_E_ARG, "class '%.60s': model %s was trained without classes",
                         text, s->info.model);
    }
    for (int64_t i = 0; s->info.class_names != NULL && i < n; i++) {
        if (strcasecmp(text, s->info.class_names[i]) == 0) {
            *out = i;
            return GAN_OK;
        }
    }
    if (!gan__parse_i64(text, &number)) {
        size_t names = s->info.class_names != NULL ? (size_t)n : 0;
        const char *near = gan__nearest_name(text, s->info.class_names, names);
        return gan__fail(err, GAN_E_ARG, "no class is named '%.60s'%s%s%s", text,
                         near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    if (number < 0 || number >= n) {
        return gan__fail(err, GAN_E_RANGE, "class %" PRId64 ", allowed are 0 to %" PRId64, number,
                         n - 1);
    }
    *out = number;
    return GAN_OK;
}

/* --- images as files ---------------------------------------------------------------------------- */

/* Name of a class, or its number. */
static void class_text(char *dst, size_t cap, const gan_sampler *s, int64_t y)
{
    const char *const *names = s->info.class_names;
    if (names == NULL || y < 0 || !gan__format(dst, cap, "%s", names[y])) {
        (void)gan__format(dst, cap, "%" PRId64, y);
    }
}

struct folder_sink {
    const gan_sampler *s;
    const struct gan__generate *job;
    const char *path;
    char seed[24];
};

static gan_status put_file(const struct folder_sink *f, int64_t number, const float *hwc,
                           gan_err *err)
{
    const struct gan_sampler_info *info = &f->s->info;
    char name[32], index[24], label[64], path[GAN_PATH_TEXT_MAX];
    class_text(label, sizeof label, f->s,
               gan__generator_label(&f->s->generator, f->job, number - f->job->first));
    (void)gan__format(name, sizeof name, "%05" PRId64 ".png", number);
    (void)gan__format(index, sizeof index, "%" PRId64, number);
    GAN_TRY(gan__path_join(path, sizeof path, f->path, name, err));
    struct gan__png_text texts[] = {{"model", info->model},
                                    {"hash", info->hash},
                                    {"seed", f->seed},
                                    {"index", index},
                                    {"class", label}};
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
    gan_status status = gan__png_write(path, &image, texts, info->classes > 0 ? 5 : 4, err);
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
    struct folder_sink sink = {.s = s, .job = what, .path = path};
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
    int64_t most = job->shared ? shape.dim[0] * s->info.classes : shape.dim[0];
    if (what->n > most) {
        return gan__fail(err, GAN_E_RANGE,
                         "--n is %" PRId64 ", %s holds %" PRId64 " latents for %" PRId64 " images",
                         what->n, what->latents, shape.dim[0], most);
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
    job->n = what->n > 0 ? what->n : most;
    job->z = *z;
    return GAN_OK;
}

static gan_status write_job(gan_sampler *s, const struct gan_sample_request *what,
                            const struct gan__generate *job, const char *path, gan_err *err)
{
    char seed[24] = "latents", label[64] = "";
    class_text(label, sizeof label, s, job->only - 1);
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
        {"model", s->info.model}, {"hash", s->info.hash}, {"seed", seed}, {"class", label}};
    bool by_class = what->columns == 0 && job->shared && gan__generator_by_class(&s->generator);
    struct gan__picture how = {
        .range = s->info.range,
        .points = s->info.points,
        .columns = by_class ? s->info.classes : what->columns,
        .texts = texts,
        .n_texts = job->only > 0 ? 4 : 3,
    };
    return gan__picture_write(&s->generator, job, &how, path, err);
}

/* One class, or a grid with a column for each, or each in turn. */
static gan_status choose_classes(const gan_sampler *s, const struct gan_sample_request *what,
                                 const char *path, struct gan__generate *job, gan_err *err)
{
    int64_t classes = s->info.classes;
    if (what->one_class && classes == 0) {
        return gan__fail(err, GAN_E_ARG, "--class: model %s was trained without classes",
                         s->info.model);
    }
    if (what->one_class && (what->class_index < 0 || what->class_index >= classes)) {
        return gan__fail(err, GAN_E_RANGE, "--class is %" PRId64 ", allowed are 0 to %" PRId64,
                         what->class_index, classes - 1);
    }
    if (what->one_class || classes == 0) {
        job->only = what->one_class ? what->class_index + 1 : 0;
        return GAN_OK;
    }
    bool grid = gan__ends_with(path, ".png") && !s->info.points && what->columns == 0 &&
                gan__generator_by_class(&s->generator);
    job->shared = grid || what->latents != NULL;
    if (grid && what->n == 0) {
        job->n = DEFAULT_ROWS * classes;
    }
    return GAN_OK;
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
    GAN_TRY(choose_classes(s, what, path, &job, err));
    gan_status status = what->latents != NULL ? read_latents(s, what, &job, &z, err) : GAN_OK;
    if (status == GAN_OK) {
        status = write_job(s, what, &job, path, err);
    }
    gan_array_free(z);
    return status;
}
