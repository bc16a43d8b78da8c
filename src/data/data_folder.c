/* data_folder.c: a folder of image files: PNG, JPEG, PNM of any size. Images in the folder itself have
 * no classes; else each folder in it is a class, in the order of the names. */
#include "dataset.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "idx.h"
#include "image_set.h"

#include <limits.h>
#include <string.h>

struct opts {
    int filter, fit;
    bool skip_broken;
    uint8_t background[3];
};

static const gan_filter filters[] = {GAN_FILTER_BICUBIC, GAN_FILTER_LANCZOS, GAN_FILTER_BILINEAR,
                                     GAN_FILTER_BOX};

static const struct gan_opt table[] = {
    GAN_OPT_CHOICE(struct opts, filter, "filter", "bicubic", "bicubic|lanczos|bilinear|box",
                   "how images come to size=; Pillow's filters"),
    GAN_OPT_CHOICE(struct opts, fit, "fit", "crop", "crop|stretch",
                   "other proportions: crop the centre, or stretch"),
    GAN_OPT_BOOL(struct opts, skip_broken, "skip-broken", "no",
                 "go on without files that cannot be read; they are counted"),
    GAN_OPT_PARSED(struct opts, background, "background", "white", gan__parse_colour,
                   "colour under transparent pixels: white, black or RRGGBB"),
    GAN_OPT_END,
};

struct folder {
    struct gan__image_set images;
    char **paths; /* of the files, in order */
    int32_t *label;
    size_t n, cap_paths, cap_label;
    char **names; /* of the classes */
    size_t classes, cap_names;
    char *dir;
};

static void release(struct gan__source *s)
{
    struct folder *f = s->state;
    gan__image_set_close(&f->images);
    for (size_t i = 0; i < f->n; i++) {
        gan__free(f->paths[i]);
    }
    for (size_t i = 0; i < f->classes; i++) {
        gan__free(f->names[i]);
    }
    gan__free(f->paths);
    gan__free(f->label);
    gan__free(f->names);
    gan__free(f->dir);
    gan__free(f);
}

static gan_status pixels(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct folder *f = s->state;
    size_t bytes = (size_t)(s->height * s->width * s->channels);
    (void)err;
    memcpy(hwc, f->images.pixels + (size_t)index * bytes, bytes);
    return GAN_OK;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct folder *f = s->state;
    size_t at = gan__image_set_file(&f->images, index);
    (void)seed;
    return at < f->n ? f->label[at] : -1;
}

static gan_status add_file(struct folder *f, const char *dir, const char *name, int32_t class_of,
                           gan_err *err)
{
    char path[PATH_MAX];
    GAN_TRY(gan__path_join(path, sizeof path, dir, name, err));
    if (!gan__grow(&f->paths, &f->cap_paths, f->n + 1, sizeof *f->paths) ||
        !gan__grow(&f->label, &f->cap_label, f->n + 1, sizeof *f->label)) {
        return gan__fail_nomem(err, f->n * sizeof *f->paths, "a list of images");
    }
    f->paths[f->n] = gan__strdup(path);
    if (f->paths[f->n] == NULL) {
        return gan__fail_nomem(err, strlen(path), "a file name");
    }
    f->label[f->n++] = class_of;
    return GAN_OK;
}

/* The images of one folder; *found of them. */
static gan_status add_folder(struct folder *f, const char *dir, int32_t class_of, size_t *found,
                             gan_err *err)
{
    char **names;
    size_t n, before = f->n;
    GAN_TRY(gan__list_dir(dir, &names, &n, err));
    gan_status status = GAN_OK;
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        if (names[i][0] != '.' && gan_image_named(names[i])) {
            status = add_file(f, dir, names[i], class_of, err);
        }
    }
    gan__list_free(names, n);
    *found = f->n - before;
    return status;
}

static gan_status add_class(struct folder *f, const char *dir, const char *name, gan_err *err)
{
    char path[PATH_MAX];
    size_t found;
    GAN_TRY(gan__path_join(path, sizeof path, dir, name, err));
    if (name[0] == '.' || !gan__path_is_dir(path)) {
        return GAN_OK;
    }
    GAN_TRY(add_folder(f, path, (int32_t)f->classes, &found, err));
    if (found == 0) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: a class folder without images (.png .jpg .ppm ...)", path);
    }
    if (!gan__grow(&f->names, &f->cap_names, f->classes + 1, sizeof *f->names)) {
        return gan__fail_nomem(err, f->classes * sizeof *f->names, "names of classes");
    }
    f->names[f->classes] = gan__strdup(name);
    return f->names[f->classes++] != NULL ? GAN_OK : gan__fail_nomem(err, strlen(name), "a name");
}

static gan_status list_files(struct folder *f, const char *dir, gan_err *err)
{
    char **names;
    size_t n, found;
    if (!gan__path_is_dir(dir)) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is no folder", dir);
    }
    GAN_TRY(add_folder(f, dir, -1, &found, err));
    if (found > 0) {
        return GAN_OK;
    }
    GAN_TRY(gan__list_dir(dir, &names, &n, err));
    gan_status status = GAN_OK;
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        status = add_class(f, dir, names[i], err);
    }
    gan__list_free(names, n);
    if (status == GAN_OK && f->n == 0) {
        status = gan__fail(err, GAN_E_NOTFOUND, "%s holds no images (.png .jpg .ppm ...)", dir);
    }
    return status;
}

static gan_status open_folder(struct gan__source *s, const char *argument, const void *opts,
                              gan_err *err)
{
    const struct opts *o = opts;
    struct folder *f = gan__alloc(sizeof *f);
    if (f == NULL) {
        return gan__fail_nomem(err, sizeof *f, "a data set");
    }
    s->state = f;
    s->release = release;
    s->pixels = pixels;
    f->dir = gan__strdup(argument);
    if (f->dir == NULL) {
        return gan__fail_nomem(err, strlen(argument), "a file name");
    }
    GAN_TRY(list_files(f, argument, err));
    struct gan__image_list list = {
        .paths = f->paths,
        .n = f->n,
        .size = s->want_size,
        .channels = s->want_channels,
        .filter = filters[o->filter],
        .stretch = o->fit == 1,
        .skip_broken = o->skip_broken,
    };
    memcpy(list.background, o->background, sizeof list.background);
    memcpy(s->background, o->background, sizeof s->background);
    GAN_TRY(gan__image_set_open(&f->images, &list, err));
    s->file = f->dir;
    s->count = f->images.n;
    s->height = f->images.height;
    s->width = f->images.width;
    s->channels = f->images.channels;
    s->memory_bytes = f->images.map.size;
    s->classes = (int64_t)f->classes;
    s->class_names = f->classes > 0 ? (const char *const *)f->names : NULL;
    s->label = f->classes > 0 ? label : NULL;
    return GAN_OK;
}

GAN_DATA(folder) = {
    .name = "folder",
    .argument = "DIR",
    .help = "PNG, JPEG, PNM files of any size, flat or one folder per class",
    .opts = table,
    .opts_size = sizeof(struct opts),
    .open = open_folder,
};
