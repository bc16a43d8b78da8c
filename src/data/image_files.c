/* image_files.c: lists of image files, and one as a source of images. */
#include "image_files.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

static const gan_filter filters[] = {GAN_FILTER_BICUBIC, GAN_FILTER_LANCZOS, GAN_FILTER_BILINEAR,
                                     GAN_FILTER_BOX};

gan_status gan__files_add(struct gan__files *f, const char *path, int32_t label, gan_err *err)
{
    if (!gan__grow(&f->paths, &f->cap_paths, f->n + 1, sizeof *f->paths) ||
        !gan__grow(&f->label, &f->cap_label, f->n + 1, sizeof *f->label)) {
        return gan__fail_nomem(err, f->n * sizeof *f->paths, "a list of images");
    }
    f->paths[f->n] = gan__strdup(path);
    if (f->paths[f->n] == NULL) {
        return gan__fail_nomem(err, strlen(path), "a file name");
    }
    f->label[f->n++] = label;
    return GAN_OK;
}

gan_status gan__files_add_folder(struct gan__files *f, const char *dir, int32_t label,
                                 size_t *found, gan_err *err)
{
    char **names, path[PATH_MAX];
    size_t n, before = f->n;
    GAN_TRY(gan__list_dir(dir, &names, &n, err));
    gan_status status = GAN_OK;
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        if (names[i][0] == '.' || !gan_image_named(names[i])) {
            continue;
        }
        status = gan__path_join(path, sizeof path, dir, names[i], err);
        if (status == GAN_OK) {
            status = gan__files_add(f, path, label, err);
        }
    }
    gan__list_free(names, n);
    if (found != NULL) {
        *found = f->n - before;
    }
    return status;
}

void gan__files_release(struct gan__files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        gan__free(f->paths[i]);
    }
    gan__free(f->paths);
    gan__free(f->label);
    *f = (struct gan__files){.n = 0};
}

gan_status gan__names_add(struct gan__names *names, const char *text, gan_err *err)
{
    char *copy = gan__strdup(text);
    if (copy == NULL || !gan__grow(&names->p, &names->cap, names->n + 1, sizeof *names->p)) {
        gan__free(copy);
        return gan__fail_nomem(err, strlen(text), "a name");
    }
    names->p[names->n++] = copy;
    return GAN_OK;
}

void gan__names_release(struct gan__names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        gan__free(names->p[i]);
    }
    gan__free(names->p);
    *names = (struct gan__names){.n = 0};
}

void gan__listing_release(struct gan__listing *l)
{
    gan__files_release(&l->files[0]);
    gan__files_release(&l->files[1]);
    gan__files_release(&l->lone);
    gan__names_release(&l->classes);
}

bool gan__alike(int64_t h_a, int64_t w_a, int64_t h_b, int64_t w_b)
{
    int64_t off = h_a * w_b - h_b * w_a;
    int64_t slack = h_a + w_a > h_b + w_b ? h_a + w_a : h_b + w_b;
    return off <= slack && off >= -slack;
}

gan_status gan__files_open(struct gan__source *s, const struct gan__files *f,
                           const struct gan__file_opts *o, enum gan__part part,
                           struct gan__image_set *set, gan_err *err)
{
    struct gan__image_list list = {
        .paths = f->paths,
        .n = f->n,
        .size = s->want_size,
        .channels = s->want_channels,
        .filter = filters[o->filter],
        .fit = o->fit,
        .part = (int)part,
        .skip_broken = o->skip_broken,
    };
    memcpy(list.background, o->background, sizeof list.background);
    memcpy(s->background, o->background, sizeof s->background);
    GAN_TRY(gan__image_set_open(set, &list, err));
    s->count = set->n;
    s->height = set->height;
    s->width = set->width;
    s->channels = set->channels;
    s->memory_bytes = set->map.size;
    s->skipped = (int64_t)set->skipped;
    s->stamp = set->key;
    return GAN_OK;
}
