/* data_domains.c: unpaired domains, a folder of image files each. Two are the A and B of CycleGAN, each
 * in an order of its own; more, or labelled=yes, are one set whose classes are the domains, as StarGAN
 * reads it. */
#include "image_files.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

struct domains_opts {
    struct gan__file_opts files;
    int split;
    bool labelled;
};

static const char *const splits[] = {"", "train", "test", "val"};

static const struct gan_opt table[] = {
    GAN_OPT_CHOICE(struct domains_opts, split, "split", "any", "any|train|test|val",
                   "the folder of this name in each DIR; of one DIR: its trainA and trainB, ..."),
    GAN_OPT_BOOL(struct domains_opts, labelled, "labelled", "no",
                 "one set, the domain is the class; always so with more than two"),
    GAN__FILE_OPTS(struct domains_opts, files),
    GAN_OPT_END,
};

enum { MOST = 64 };

struct domains {
    struct gan__files files[2];   /* of A and B, or all in the first */
    struct gan__image_set set[2]; /* the second is empty with labels */
    struct gan__names dirs, names;
    char *text;
};

static void release(struct gan__source *s)
{
    struct domains *d = s->state;
    for (int k = 0; d != NULL && k < 2; k++) {
        gan__image_set_close(&d->set[k]);
        gan__files_release(&d->files[k]);
    }
    if (d != NULL) {
        gan__names_release(&d->dirs);
        gan__names_release(&d->names);
        gan__free(d->text);
    }
    gan__free(d);
    s->state = NULL;
}

static gan_status pixels_a(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct domains *d = s->state;
    (void)err;
    gan__image_set_copy(&d->set[0], index, hwc);
    return GAN_OK;
}

static gan_status pixels_b(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct domains *d = s->state;
    (void)err;
    gan__image_set_copy(&d->set[1], index, hwc);
    return GAN_OK;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct domains *d = s->state;
    (void)seed;
    return d->files[0].label[gan__image_set_file(&d->set[0], index)];
}

static gan_status check(const char *argument, gan_err *err)
{
    size_t n = 1, len = strlen(argument);
    for (const char *at = argument; (at = strchr(at, ',')) != NULL; at++) {
        n++;
    }
    if (argument[0] == ',' || argument[len - 1] == ',' || strstr(argument, ",,") != NULL) {
        return gan__fail(err, GAN_E_ARG, "'%.200s': a folder is missing beside a comma", argument);
    }
    if (n > MOST) {
        return gan__fail(err, GAN_E_RANGE, "%zu domains, at most %d", n, MOST);
    }
    return GAN_OK;
}

/* The folders between the commas; one alone stands for its trainA and trainB. */
static gan_status cut(struct domains *d, const char *argument, const char *split, gan_err *err)
{
    char path[PATH_MAX], inner[PATH_MAX];
    const char *alone = split[0] != '\0' ? split : "train";
    if (strchr(argument, ',') == NULL) {
        for (char side = 'A'; side <= 'B'; side++) {
            if (!gan__format(path, sizeof path, "%s/%s%c", argument, alone, side)) {
                return gan__fail(err, GAN_E_ARG, "path too long: %.200s", argument);
            }
            if (!gan__path_is_dir(path)) {
                return gan__fail(err, GAN_E_NOTFOUND,
                                 "%s is no folder: domains are DIRA,DIRB,... or one DIR with %sA "
                                 "and %sB",
                                 path, alone, alone);
            }
            GAN_TRY(gan__names_add(&d->dirs, path, err));
        }
        return GAN_OK;
    }
    for (const char *at = argument; *at != '\0'; at += strcspn(at, ","), at += *at == ',') {
        if (!gan__format(path, sizeof path, "%.*s", (int)strcspn(at, ","), at)) {
            return gan__fail(err, GAN_E_ARG, "path too long: %.200s", at);
        }
        bool has = split[0] != '\0' &&
                   gan__path_join(inner, sizeof inner, path, split, NULL) == GAN_OK &&
                   gan__path_is_dir(inner);
        if (split[0] != '\0' && !has) {
            return gan__fail(err, GAN_E_NOTFOUND, "%s has no folder %s", path, split);
        }
        GAN_TRY(gan__names_add(&d->dirs, has ? inner : path, err));
    }
    return GAN_OK;
}

/* A domain's name is that of its folder, without the slash at the end; the split is no name. */
static gan_status add_name(struct domains *d, const char *dir, const char *split, gan_err *err)
{
    char name[PATH_MAX];
    (void)gan__copy(name, sizeof name, dir);
    for (int part = 0; part < 2; part++) {
        size_t n = strlen(name);
        while (n > 1 && name[n - 1] == '/') {
            name[--n] = '\0';
        }
        const char *base = gan__path_base(name);
        if (part == 1 || split[0] == '\0' || strcmp(base, split) != 0 || base == name) {
            return gan__names_add(&d->names, base, err);
        }
        name[base - name] = '\0';
    }
    return GAN_OK;
}

static gan_status list_files(struct domains *d, const char *split, bool labelled, gan_err *err)
{
    for (size_t i = 0; i < d->dirs.n; i++) {
        const char *dir = d->dirs.p[i];
        struct gan__files *f = &d->files[labelled ? 0 : i];
        size_t found = 0;
        if (!gan__path_is_dir(dir)) {
            return gan__fail(err, GAN_E_NOTFOUND, "%s is no folder", dir);
        }
        GAN_TRY(gan__files_add_folder(f, dir, labelled ? (int32_t)i : -1, &found, err));
        if (found == 0) {
            return gan__fail(err, GAN_E_NOTFOUND, "%s holds no images (.png .jpg .ppm ...)", dir);
        }
        GAN_TRY(add_name(d, dir, split, err));
    }
    return GAN_OK;
}

static gan_status open_domains(struct gan__source *s, const char *argument, const void *opts,
                               gan_err *err)
{
    const struct domains_opts *o = opts;
    struct domains *d = gan__alloc(sizeof *d);
    if (d == NULL) {
        return gan__fail_nomem(err, sizeof *d, "a data set");
    }
    s->state = d;
    s->release = release;
    d->text = gan__strdup(argument);
    if (d->text == NULL) {
        return gan__fail_nomem(err, strlen(argument), "a file name");
    }
    GAN_TRY(cut(d, argument, splits[o->split], err));
    bool labelled = o->labelled || d->dirs.n > 2;
    GAN_TRY(list_files(d, splits[o->split], labelled, err));
    GAN_TRY(gan__files_open(s, &d->files[0], &o->files, GAN__WHOLE, &d->set[0], err));
    s->pixels = pixels_a;
    s->file = d->text;
    if (labelled) {
        s->classes = (int64_t)d->names.n;
        s->class_names = (const char *const *)d->names.p;
        s->label = label;
        return GAN_OK;
    }
    GAN_TRY(gan__source_second(s, err));
    GAN_TRY(gan__files_open(s->second, &d->files[1], &o->files, GAN__WHOLE, &d->set[1], err));
    s->second->state = d;
    s->second->pixels = pixels_b;
    s->skipped += s->second->skipped;
    return GAN_OK;
}

static gan_status list_domains(const char *argument, const void *opts, struct gan__listing *l,
                               gan_err *err)
{
    const struct domains_opts *o = opts;
    struct domains d = {.text = NULL};
    gan_status status = cut(&d, argument, splits[o->split], err);
    bool labelled = o->labelled || d.dirs.n > 2;
    if (status == GAN_OK) {
        status = list_files(&d, splits[o->split], labelled, err);
    }
    l->files[0] = d.files[0];
    l->files[1] = d.files[1];
    gan__names_release(&d.dirs);
    if (labelled) {
        l->classes = d.names;
    } else {
        gan__names_release(&d.names);
    }
    return status;
}

GAN_DATA(domains) = {
    .name = "domains",
    .argument = "DIRA,DIRB,...",
    .help = "unpaired folders of images: two are A and B, more are classes of one set",
    .opts = table,
    .opts_size = sizeof(struct domains_opts),
    .check = check,
    .open = open_domains,
    .list = list_domains,
};
