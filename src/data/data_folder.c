/* data_folder.c: a folder of image files: PNG, JPEG, PNM of any size. Images in the folder itself have
 * no classes; else each folder in it is a class, in the order of the names. */
#include "image_files.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"

#include <limits.h>
#include <string.h>

struct folder_opts {
    struct gan__file_opts files;
};

static const struct gan_opt table[] = {
    GAN__FILE_OPTS(struct folder_opts, files),
    GAN_OPT_END,
};

struct folder {
    struct gan__image_set images;
    struct gan__files files;
    struct gan__names classes;
    char *dir;
};

static void release(struct gan__source *s)
{
    struct folder *f = s->state;
    gan__image_set_close(&f->images);
    gan__files_release(&f->files);
    gan__names_release(&f->classes);
    gan__free(f->dir);
    gan__free(f);
}

static gan_status pixels(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct folder *f = s->state;
    (void)err;
    gan__image_set_copy(&f->images, index, hwc);
    return GAN_OK;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct folder *f = s->state;
    size_t at = gan__image_set_file(&f->images, index);
    (void)seed;
    return at < f->files.n ? f->files.label[at] : -1;
}

static gan_status add_class(struct folder *f, const char *dir, const char *name, bool skip,
                            gan_err *err)
{
    char path[PATH_MAX];
    size_t found;
    GAN_TRY(gan__path_join(path, sizeof path, dir, name, err));
    if (name[0] == '.' || !gan__path_is_dir(path)) {
        return GAN_OK;
    }
    GAN_TRY(gan__files_add_folder(&f->files, path, (int32_t)f->classes.n, &found, err));
    if (found == 0 && skip) {
        gan__log(GAN_LOG_WARNING, "%s: a class folder without images, the class is left out", path);
        return GAN_OK;
    }
    if (found == 0) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: a class folder without images (.png .jpg .ppm ...; skip-broken=yes "
                         "leaves the class out)",
                         path);
    }
    return gan__names_add(&f->classes, name, err);
}

static gan_status list_files(struct folder *f, const char *dir, bool skip, gan_err *err)
{
    char **names;
    size_t n, found;
    if (!gan__path_is_dir(dir)) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is no folder", dir);
    }
    GAN_TRY(gan__files_add_folder(&f->files, dir, -1, &found, err));
    if (found > 0) {
        return GAN_OK;
    }
    GAN_TRY(gan__list_dir(dir, &names, &n, err));
    gan_status status = GAN_OK;
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        status = add_class(f, dir, names[i], skip, err);
    }
    gan__list_free(names, n);
    if (status == GAN_OK && f->files.n == 0) {
        status = gan__fail(err, GAN_E_NOTFOUND, "%s holds no images (.png .jpg .ppm ...)", dir);
    }
    return status;
}

static gan_status open_folder(struct gan__source *s, const char *argument, const void *opts,
                              gan_err *err)
{
    const struct folder_opts *o = opts;
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
    GAN_TRY(list_files(f, argument, o->files.skip_broken, err));
    GAN_TRY(gan__files_open(s, &f->files, &o->files, GAN__WHOLE, &f->images, err));
    s->file = f->dir;
    s->classes = (int64_t)f->classes.n;
    s->class_names = f->classes.n > 0 ? (const char *const *)f->classes.p : NULL;
    s->label = f->classes.n > 0 ? label : NULL;
    return GAN_OK;
}

static gan_status list_folder(const char *argument, const void *opts, struct gan__listing *l,
                              gan_err *err)
{
    const struct folder_opts *o = opts;
    struct folder f = {.dir = NULL};
    gan_status status = list_files(&f, argument, o->files.skip_broken, err);
    l->files[0] = f.files;
    l->classes = f.classes;
    return status;
}

GAN_DATA(folder) = {
    .name = "folder",
    .argument = "DIR",
    .help = "PNG, JPEG, PNM files of any size, flat or one folder per class",
    .opts = table,
    .opts_size = sizeof(struct folder_opts),
    .open = open_folder,
    .list = list_folder,
};
