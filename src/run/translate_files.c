/* translate_files.c: image files through a translator. Images of one size that follow each other
 * go through together; every file that cannot be used is named. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "translator.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "data/image_files.h"
#include "npy.h"
#include "plot/grid.h"
#include "plot/png.h"

#include <gan/image.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_TEXT = 4096, TOGETHER = 16, SMALL = 65536 };

/* --- bytes -------------------------------------------------------------------------------------- */

static float float_of(uint8_t v, gan_range range)
{
    return range == GAN_RANGE_UNIT ? (float)v / 255.0f : (float)v / 127.5f - 1.0f;
}

static gan_status check_channels(const gan_translator *t, int64_t channels, gan_err *err)
{
    int64_t in = t->info.in;
    bool known = (channels == 1 || channels == 3) && (in == 1 || in == 3);
    if (channels == in || known) {
        return GAN_OK;
    }
    return gan__fail(err, GAN_E_SHAPE,
                     "the image has %" PRId64 " channels, model %s takes %" PRId64, channels,
                     t->info.model, in);
}

/* Pixels to numbers in the model's channels and range; scratch holds pixels*in bytes. */
static void to_floats(const gan_translator *t, const uint8_t *src, int64_t channels, int64_t pixels,
                      uint8_t *scratch, float *dst)
{
    int64_t in = t->info.in;
    if (channels != in) {
        gan_image_channels(src, channels, pixels, in, scratch);
        src = scratch;
    }
    for (int64_t i = 0; i < pixels * in; i++) {
        dst[i] = float_of(src[i], t->info.range);
    }
}

gan_status gan_translator_bytes(gan_translator *t, const struct gan_translate_images *what,
                                int64_t channels, const uint8_t *hwc, uint8_t *dst, gan_err *err)
{
    struct gan__tiling tiling;
    GAN_TRY(check_channels(t, channels, err));
    GAN_TRY(gan__translate_tiling(t, what->height, what->width, &tiling, err));
    int64_t pixels = what->n * what->height * what->width;
    size_t in = (size_t)(pixels * t->info.in), out = (size_t)(pixels * t->info.out);
    uint8_t *scratch = gan__alloc(in);
    float *src = gan__alloc_array(in, sizeof *src), *made = gan__alloc_array(out, sizeof *made);
    gan_status status = scratch != NULL && src != NULL && made != NULL
                            ? GAN_OK
                            : gan__fail_nomem(err, (in + out) * sizeof *src, "images");
    if (status == GAN_OK) {
        to_floats(t, hwc, channels, pixels, scratch, src);
        status = gan_translator_floats(t, what, src, made, err);
    }
    for (size_t i = 0; status == GAN_OK && i < out; i++) {
        dst[i] = gan__byte_of(made[i], t->info.range);
    }
    gan__free(scratch);
    gan__free(src);
    gan__free(made);
    return status;
}

/* --- lists of files ------------------------------------------------------------------------------ */

/* What to translate, in order: files, or images of a data set. */
struct list {
    char **in, **out; /* [n]; `in` of a data set: NULL */
    size_t n;
    gan_dataset *data;
};

static void list_release(struct list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        gan__free(l->in != NULL ? l->in[i] : NULL);
        gan__free(l->out[i]);
    }
    gan__free(l->in);
    gan__free(l->out);
    gan_dataset_close(l->data);
}

/* Room for n pairs. */
static gan_status list_room(struct list *l, size_t n, gan_err *err)
{
    l->in = gan__alloc_array(n, sizeof *l->in);
    l->out = gan__alloc_array(n, sizeof *l->out);
    return l->in != NULL && l->out != NULL ? GAN_OK
                                           : gan__fail_nomem(err, n * sizeof *l->in, "file names");
}

/* "dir/a.b.jpg" -> "OUT/a.b.png" */
static gan_status add_file(struct list *l, const char *in, const char *out_dir, gan_err *err)
{
    char name[PATH_TEXT], out[PATH_TEXT];
    const char *base = gan__path_base(in), *dot = strrchr(base, '.');
    int stem = dot != NULL && dot != base ? (int)(dot - base) : (int)strlen(base);
    if (!gan__format(name, sizeof name, "%.*s.png", stem, base)) {
        return gan__fail(err, GAN_E_ARG, "path too long: %.200s", in);
    }
    GAN_TRY(gan__path_join(out, sizeof out, out_dir, name, err));
    l->in[l->n] = gan__strdup(in);
    l->out[l->n] = gan__strdup(out);
    l->n++;
    return l->in[l->n - 1] != NULL && l->out[l->n - 1] != NULL
               ? GAN_OK
               : gan__fail_nomem(err, strlen(out), "file names");
}

static gan_status list_folder(struct list *l, const char *dir, const char *out, gan_err *err)
{
    struct gan__files f = {.n = 0};
    gan_status status = gan__files_add_folder(&f, dir, -1, NULL, err);
    if (status == GAN_OK) {
        status = list_room(l, f.n, err);
    }
    for (size_t i = 0; status == GAN_OK && i < f.n; i++) {
        if (!gan__path_is_dir(f.paths[i])) {
            status = add_file(l, f.paths[i], out, err);
        }
    }
    gan__files_release(&f);
    if (status == GAN_OK && l->n == 0) {
        status = gan__fail(err, GAN_E_NOTFOUND,
                           "%s: no images in it (.png .jpg .jpeg .pnm .pbm .pgm .ppm)", dir);
    }
    return status;
}

static gan_status list_one(struct list *l, const char *file, const char *out, gan_err *err)
{
    GAN_TRY(list_room(l, 1, err));
    if (!gan__ends_with(out, ".png")) {
        return add_file(l, file, out, err);
    }
    l->in[0] = gan__strdup(file);
    l->out[0] = gan__strdup(out);
    l->n = 1;
    return l->in[0] != NULL && l->out[0] != NULL ? GAN_OK
                                                 : gan__fail_nomem(err, strlen(out), "file names");
}

static gan_status list_data(const gan_translator *t, struct list *l, const char *spec,
                            const char *out, gan_err *err)
{
    GAN_TRY(gan_dataset_open(spec, &l->data, err));
    const struct gan_dataset_info *info = gan_dataset_about(l->data);
    int64_t n = t->info.back ? info->count_b : info->count;
    if (info->points || info->endless || n < 1) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s have no %s to translate", spec,
                         t->info.back ? "second images" : "images");
    }
    GAN_TRY(list_room(l, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        char name[32], path[PATH_TEXT];
        (void)gan__format(name, sizeof name, "%05" PRId64 ".png", i);
        GAN_TRY(gan__path_join(path, sizeof path, out, name, err));
        l->out[i] = gan__strdup(path);
        if (l->out[i] == NULL) {
            return gan__fail_nomem(err, strlen(path), "file names");
        }
        l->n++;
    }
    return GAN_OK;
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Two inputs of one stem, an output in the place of an input: told before anything is written. */
static gan_status check_names(const struct list *l, gan_err *err)
{
    const char **sorted = gan__alloc_array(l->n, sizeof *sorted);
    if (sorted == NULL) {
        return gan__fail_nomem(err, l->n * sizeof *sorted, "file names");
    }
    memcpy(sorted, l->out, l->n * sizeof *sorted);
    qsort(sorted, l->n, sizeof *sorted, by_text);
    gan_status status = GAN_OK;
    for (size_t i = 1; status == GAN_OK && i < l->n; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) == 0) {
            status = gan__fail(err, GAN_E_FORMAT,
                               "two inputs would become %s: give them different names", sorted[i]);
        }
    }
    gan__free(sorted);
    for (size_t i = 0; status == GAN_OK && l->data == NULL && i < l->n; i++) {
        if (same_file(l->in[i], l->out[i])) {
            status = gan__fail(err, GAN_E_ARG, "%s would be replaced by its translation", l->in[i]);
        }
    }
    return status;
}

/* --- images on their way ------------------------------------------------------------------------- */

/* Images of one size that wait to go through together. */
struct group {
    gan_translator *t;
    const struct list *list;
    const char *path; /* what is written */
    struct gan_translate_report *report;
    int64_t n, height, width;
    size_t at[TOGETHER]; /* numbers in the list, one after the other */
    bool tiled;
    bool failed; /* no image's fault */
    bool array;  /* numbers go to the writer instead of PNGs */
    struct gan__writer writer;
    float *src, *dst;
    uint8_t *bytes;
    size_t cap; /* pixels there is room for */
};

static void group_release(struct group *g)
{
    gan__free(g->src);
    gan__free(g->dst);
    gan__free(g->bytes);
}

static gan_status write_one(struct group *g, size_t number, const float *hwc, gan_err *err)
{
    const struct gan_translator_info *info = &g->t->info;
    char seed[24], index[32];
    (void)gan__format(seed, sizeof seed, "%" PRIu64, g->t->opts.seed);
    (void)gan__format(index, sizeof index, "image %zu of the data", number);
    struct gan__png_text texts[] = {
        {"model", info->model},
        {"hash", info->hash},
        {"direction", info->back ? "BtoA" : "AtoB"},
        {"seed", seed},
        {"input", g->list->data == NULL ? gan__path_base(g->list->in[number]) : index}};
    struct gan__image image = {
        .data = g->bytes, .height = g->height, .width = g->width, .channels = info->out};
    for (int64_t i = 0; i < g->height * g->width * info->out; i++) {
        g->bytes[i] = gan__byte_of(hwc[i], info->range);
    }
    return gan__png_write(g->list->out[number], &image, texts, sizeof texts / sizeof *texts, err);
}

static gan_status flush(struct group *g, gan_err *err)
{
    struct gan_translate_images what = {
        .n = g->n, .height = g->height, .width = g->width, .first = g->at[0]};
    int64_t pixels = g->height * g->width, n = g->n;
    g->n = 0;
    if (n == 0) {
        return GAN_OK;
    }
    g->failed = true;
    GAN_TRY(gan_translator_floats(g->t, &what, g->src, g->dst, err));
    if (g->array) {
        size_t floats = (size_t)(n * pixels * g->t->info.out);
        GAN_TRY(gan__writer_put(&g->writer, g->dst, floats * sizeof *g->dst, err));
    }
    for (int64_t i = 0; i < n; i++) {
        GAN_TRY(g->array ? GAN_OK
                         : write_one(g, g->at[i], g->dst + i * pixels * g->t->info.out, err));
        g->report->translated++;
        g->report->tiled += g->tiled;
    }
    g->failed = false;
    return GAN_OK;
}

static gan_status grow(struct group *g, size_t pixels, gan_err *err)
{
    if (pixels <= g->cap) {
        return GAN_OK;
    }
    size_t in = (size_t)g->t->info.in, out = (size_t)g->t->info.out, most = in > out ? in : out;
    group_release(g);
    g->cap = 0;
    g->src = gan__alloc_array(pixels, in * sizeof *g->src);
    g->dst = gan__alloc_array(pixels, out * sizeof *g->dst);
    g->bytes = gan__alloc_array(pixels, most);
    if (g->src == NULL || g->dst == NULL || g->bytes == NULL) {
        return gan__fail_nomem(err, pixels * (in + out) * sizeof *g->src, "images");
    }
    g->cap = pixels;
    return GAN_OK;
}

/* A word where tiles change the picture, once. */
static void tell_tiles(struct group *g, const struct gan__tiling *w)
{
    const struct gan_translator_info *i = &g->t->info;
    if (!w->tiled || g->report->inexact || !(i->whole || i->noise)) {
        return;
    }
    g->report->inexact = true;
    gan__log(GAN_LOG_WARNING,
             "tiles of %" PRId64 "x%" PRId64
             " do not give what the whole image would: model %s %s; "
             "seams may show",
             w->core_w, w->core_h, i->model,
             i->whole ? "normalises by statistics of the whole image" : "draws noise for each");
}

/* One more image, which becomes number `at` of the list. */
static gan_status add_image(struct group *g, size_t at, const struct gan_image *image, gan_err *err)
{
    struct gan__tiling w;
    int64_t pixels = image->height * image->width;
    GAN_TRY(check_channels(g->t, image->channels, err));
    GAN_TRY(gan__translate_tiling(g->t, image->height, image->width, &w, err));
    int64_t most = pixels <= SMALL / TOGETHER && !w.tiled ? TOGETHER : 1;
    bool fits = g->n > 0 && g->n < most && image->height == g->height && image->width == g->width &&
                g->at[g->n - 1] + 1 == at;
    if (!fits) {
        GAN_TRY(flush(g, err));
        GAN_TRY(grow(g, (size_t)(pixels * most), err));
    }
    if (g->array && g->writer.fd < 0) { /* the first of a set, whose images are all of one size */
        gan_shape shape =
            GAN_SHAPE((int64_t)g->list->n, image->height, image->width, g->t->info.out);
        GAN_TRY(gan__npy_begin(&g->writer, g->path, &shape, err));
    }
    tell_tiles(g, &w);
    g->height = image->height;
    g->width = image->width;
    g->tiled = w.tiled;
    g->at[g->n] = at;
    to_floats(g->t, image->data, image->channels, pixels, g->bytes,
              g->src + g->n * pixels * g->t->info.in);
    g->n++;
    return GAN_OK;
}

/* The shorter side becomes `size`. */
static gan_status bring_to(struct gan_image *image, int64_t size, gan_err *err)
{
    int64_t h = image->height, w = image->width, side = h < w ? h : w;
    if (size == 0 || side == size) {
        return GAN_OK;
    }
    int64_t to_h = (h * size + side / 2) / side, to_w = (w * size + side / 2) / side;
    if (to_h > GAN_IMAGE_SIDE || to_w > GAN_IMAGE_SIDE) {
        return gan__fail(err, GAN_E_SHAPE, "it would become %" PRId64 "x%" PRId64 ", allowed %d",
                         to_w, to_h, GAN_IMAGE_SIDE);
    }
    uint8_t *dst = gan__alloc_array((size_t)(to_h * to_w), (size_t)image->channels);
    if (dst == NULL) {
        return gan__fail_nomem(err, (size_t)(to_h * to_w), "an image");
    }
    gan_status status = gan_image_resize(image->data, h, w, image->channels, to_h, to_w,
                                         GAN_FILTER_LANCZOS, dst, err);
    gan__free(image->data);
    image->data = dst;
    image->height = to_h;
    image->width = to_w;
    return status;
}

static gan_status read_data(const gan_translator *t, const gan_dataset *ds, size_t i,
                            struct gan_image *image, gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    bool b = t->info.back;
    *image = (struct gan_image){.height = b ? info->height_b : info->height,
                                .width = b ? info->width_b : info->width,
                                .channels = b ? info->channels_b : info->channels};
    image->data = gan__alloc_array((size_t)(image->height * image->width), (size_t)image->channels);
    if (image->data == NULL) {
        return gan__fail_nomem(err, (size_t)(image->height * image->width), "an image");
    }
    return b ? gan_dataset_pixels_b(ds, (int64_t)i, image->data, err)
             : gan_dataset_pixels(ds, (int64_t)i, image->data, err);
}

static gan_status read_image(const gan_translator *t, const struct gan_translate_request *what,
                             const struct list *l, size_t i, struct gan_image *image, gan_err *err)
{
    *image = (struct gan_image){0};
    GAN_TRY(l->data != NULL ? read_data(t, l->data, i, image, err)
                            : gan_image_read(l->in[i], what->background, image, err));
    int64_t of_spec = l->data != NULL ? gan_dataset_about(l->data)->size : 0;
    return bring_to(image, what->size > 0 ? what->size : of_spec, err);
}

/* What went wrong with image i: passed over with a warning, or the end with its name. */
static gan_status broken(struct group *g, const struct gan_translate_request *what, size_t i,
                         const gan_err *why, gan_err *err)
{
    char number[32];
    (void)gan__format(number, sizeof number, "image %zu", i);
    const char *name = g->list->data == NULL ? g->list->in[i] : number;
    bool named = strstr(why->message, name) != NULL;
    if (g->failed) {
        return gan__fail(err, why->code, "%s", why->message);
    }
    bool datum = why->code == GAN_E_FORMAT || why->code == GAN_E_SHAPE ||
                 why->code == GAN_E_NOTFOUND || why->code == GAN_E_IO;
    if (what->skip_broken && datum && !g->array) {
        g->report->skipped++;
        gan__log(GAN_LOG_WARNING, "skipped: %s%s%s (image %zu of %zu)", named ? "" : name,
                 named ? "" : ": ", why->message, i + 1, g->list->n);
        return GAN_OK;
    }
    return gan__fail(err, why->code, "%s%s%s (image %zu of %zu%s)", named ? "" : name,
                     named ? "" : ": ", why->message, i + 1, g->list->n,
                     datum && g->list->n > 1 ? "; --skip-broken goes on without" : "");
}

static gan_status translate_all(struct group *g, const struct gan_translate_request *what,
                                gan_err *err)
{
    for (size_t i = 0; i < g->list->n; i++) {
        struct gan_image image;
        gan_err why = {0};
        gan_status status = read_image(g->t, what, g->list, i, &image, &why);
        if (status == GAN_OK) {
            status = add_image(g, i, &image, &why);
        }
        gan_image_release(&image);
        if (status != GAN_OK) {
            GAN_TRY(broken(g, what, i, &why, err));
        }
    }
    return flush(g, err);
}

static gan_status check_request(const gan_translator *t, const struct gan_translate_request *what,
                                const char *path, gan_err *err)
{
    bool array = gan__ends_with(path, ".npy");
    if (array && what->data == NULL) {
        return gan__fail(err, GAN_E_ARG, "%s: files may differ in size, an array takes a data set",
                         path);
    }
    bool many = what->data != NULL || gan__path_is_dir(what->in);
    if (many && gan__ends_with(path, ".png")) {
        return gan__fail(err, GAN_E_ARG, "%s: many images need a directory, not one file", path);
    }
    if (what->size < 0 || what->size > GAN_IMAGE_SIDE) {
        return gan__fail(err, GAN_E_RANGE, "a size of %" PRId64 ", allowed are 1 to %d", what->size,
                         GAN_IMAGE_SIDE);
    }
    if (!array && t->info.out != 1 && t->info.out != 3) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: a PNG has 1 or 3 channels, the images have %" PRId64, path,
                         t->info.out);
    }
    return GAN_OK;
}

gan_status gan_translator_write(gan_translator *t, const struct gan_translate_request *what,
                                const char *path, struct gan_translate_report *report, gan_err *err)
{
    struct gan_translate_report own = {0};
    struct list l = {0};
    GAN_TRY(check_request(t, what, path, err));
    gan_status status = what->data != NULL           ? list_data(t, &l, what->data, path, err)
                        : gan__path_is_dir(what->in) ? list_folder(&l, what->in, path, err)
                                                     : list_one(&l, what->in, path, err);
    if (status == GAN_OK) {
        status = check_names(&l, err);
    }
    bool array = gan__ends_with(path, ".npy");
    if (status == GAN_OK && !array && !gan__ends_with(path, ".png")) {
        status = gan__mkdirs(path, err);
    }
    if (status == GAN_OK) {
        struct group g = {.t = t, .list = &l, .path = path, .report = &own, .array = array};
        g.writer.fd = -1;
        status = translate_all(&g, what, err);
        if (status == GAN_OK && array) {
            status = gan__writer_commit(&g.writer, err);
        }
        gan__writer_abort(&g.writer);
        group_release(&g);
    }
    if (status == GAN_OK && own.translated == 0) {
        status = gan__fail(err, GAN_E_FORMAT, "%s: none of its %zu images can be translated",
                           what->data != NULL ? what->data : what->in, l.n);
    }
    list_release(&l);
    if (report != NULL) {
        *report = own;
    }
    return status;
}
