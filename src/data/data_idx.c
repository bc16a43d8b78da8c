/* data_idx.c: IDX files, the container of MNIST: a file, or a folder in which the file is found.
 *
 * In a folder, image files have idx3 or idx4 in their name and label files idx1. Images: file=
 * names one; else those of the split (train-..., or t10k-... and test-...); else the only one there
 * is. Labels: labels= names a file; else the images' name with "labels" for "images"; else the
 * first of labels*-idx1*. A name may be shortened to a part that only one file has. */
#include "dataset.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "idx.h"

#include <limits.h>
#include <string.h>

struct opts {
    int split; /* 0 not given, 1 train, 2 test */
    char file[GAN_OPT_TEXT_MAX];
    char labels[GAN_OPT_TEXT_MAX];
    int64_t classes;
    uint8_t background[3];
};

static const struct gan_opt table[] = {
    GAN_OPT_CHOICE(struct opts, split, "split", "any", "any|train|test",
                   "files named train-... or t10k-..., test-...; any prefers train"),
    GAN_OPT_TEXT(struct opts, file, "file", "", "image file in the folder, or a part of its name"),
    GAN_OPT_TEXT(struct opts, labels, "labels", "",
                 "label file, or a part of its name; none for no labels"),
    GAN_OPT_I64(struct opts, classes, "classes", "0", 0, 1000000,
                "a label that is not below is refused; 0: as many classes as labels occur"),
    GAN_OPT_PARSED(struct opts, background, "background", "white", gan__parse_colour,
                   "colour under transparent pixels: white, black or RRGGBB"),
    GAN_OPT_END,
};

/* A folder's files, or those of them that serve. */
struct listing {
    char **names;
    size_t n;
};

/* Length of a name without ".gz". */
static size_t stem_length(const char *name)
{
    size_t n = strlen(name);
    return gan__ends_with(name, ".gz") ? n - 3 : n;
}

static bool is_images(const char *name)
{
    return strstr(name, "idx3") != NULL || strstr(name, "idx4") != NULL;
}

static bool is_labels(const char *name)
{
    return strstr(name, "idx1") != NULL;
}

/* The packed twin of an unpacked file says nothing new: sorting put the unpacked one first. */
static bool is_twin(const struct listing *l, size_t i)
{
    if (i == 0 || !gan__ends_with(l->names[i], ".gz")) {
        return false;
    }
    size_t n = stem_length(l->names[i]);
    for (size_t k = 0; k < i; k++) {
        if (strlen(l->names[k]) == n && memcmp(l->names[k], l->names[i], n) == 0) {
            return true;
        }
    }
    return false;
}

static bool in_split(const char *name, int split)
{
    switch (split) {
    case 1:
        return gan__starts_with(name, "train");
    case 2:
        return gan__starts_with(name, "t10k") || gan__starts_with(name, "test");
    default:
        return true;
    }
}

/* How well `part` names a file: 0 not at all, 1 within a word, 2 as whole words between dashes and
 * full stops ("group" in labels-group-idx1, not in labels-subgroup-idx1), 3 exactly. */
static int match_quality(const char *name, const char *part)
{
    size_t n = strlen(part);
    int best = 0;
    if (strcmp(name, part) == 0) {
        return 3;
    }
    for (const char *at = strstr(name, part); at != NULL; at = strstr(at + 1, part)) {
        bool opens = at == name || at[-1] == '-' || at[-1] == '.';
        bool ends = at[n] == '\0' || at[n] == '-' || at[n] == '.';
        best = opens && ends ? 2 : best < 1 ? 1 : best;
        if (n == 0) {
            break;
        }
    }
    return best;
}

/* Among the files that `serves` accepts and that are in the split, those that `part` names best.
 * Gives the number of them and the first one. */
static size_t choose(const struct listing *l, bool (*serves)(const char *), int split,
                     const char *part, const char **first)
{
    size_t found = 0;
    int best = 1;
    *first = NULL;
    for (size_t i = 0; i < l->n; i++) {
        const char *name = l->names[i];
        int quality = match_quality(name, part);
        if (!serves(name) || is_twin(l, i) || !in_split(name, split) || quality < best) {
            continue;
        }
        quality = part[0] == '\0' ? 1 : quality; /* everything holds nothing, equally well */
        found = quality > best ? 0 : found;
        best = quality;
        *first = found == 0 ? name : *first;
        found++;
    }
    return found;
}

/* "a, b, c" of the files that `serves` accepts. */
static void names_of(const struct listing *l, bool (*serves)(const char *), struct gan__str *s)
{
    for (size_t i = 0; i < l->n; i++) {
        if (serves(l->names[i]) && !is_twin(l, i)) {
            gan__str_printf(s, "%s%s", s->len == 0 ? "" : ", ", l->names[i]);
        }
    }
}

static gan_status fail_choice(const char *dir, const struct listing *l, const char *what,
                              bool (*serves)(const char *), const char *option, size_t found,
                              gan_err *err)
{
    struct gan__str all = {0};
    names_of(l, serves, &all);
    if (all.len == 0) {
        (void)gan__fail(err, GAN_E_NOTFOUND, "%s holds no IDX %s", dir, what);
    } else {
        (void)gan__fail(err, GAN_E_NOTFOUND, "%s: %s %s, choose with %s= among %s", dir,
                        found == 0 ? "none of the wanted" : "several", what, option, all.p);
    }
    gan__str_release(&all);
    return GAN_E_NOTFOUND;
}

static gan_status find_images(const char *dir, const struct listing *l, const struct opts *o,
                              const char **name, gan_err *err)
{
    size_t found = 0;
    if (o->split == 0 && o->file[0] == '\0') {
        found = choose(l, is_images, 1, "", name); /* train files are the usual wish */
    }
    if (found == 0) {
        found = choose(l, is_images, o->split, o->file, name);
    }
    if (found != 1) {
        return fail_choice(dir, l, "image files", is_images, "file", found, err);
    }
    return GAN_OK;
}

/* The images' name with "labels" for "images" and "idx1" for its idx number, as found in the
 * folder with or without ".gz"; NULL when there is none. */
static const char *paired_labels(const struct listing *l, const char *images)
{
    char want[NAME_MAX + 1];
    const char *word = strstr(images, "images");
    const char *idx = strstr(images, "idx");
    if (word == NULL || idx == NULL || idx < word) {
        return NULL;
    }
    const char *rest = word + strlen("images");
    if (!gan__format(want, sizeof want, "%.*slabels%.*sidx1%.*s", (int)(word - images), images,
                     (int)(idx - rest), rest,
                     (int)(stem_length(images) - 4 - (size_t)(idx - images)), idx + 4)) {
        return NULL; /* longer than any name */
    }
    for (size_t i = 0; i < l->n; i++) {
        if (stem_length(l->names[i]) == strlen(want) &&
            memcmp(l->names[i], want, strlen(want)) == 0) {
            return l->names[i];
        }
    }
    return NULL;
}

static gan_status find_labels(const char *dir, const struct listing *l, const struct opts *o,
                              const char *images, const char **name, gan_err *err)
{
    *name = NULL;
    if (strcmp(o->labels, "none") == 0) {
        return GAN_OK;
    }
    if (o->labels[0] != '\0') {
        size_t found = choose(l, is_labels, 0, o->labels, name);
        return found == 1 ? GAN_OK
                          : fail_choice(dir, l, "label files", is_labels, "labels", found, err);
    }
    *name = paired_labels(l, images);
    if (*name == NULL) {
        for (size_t i = 0; i < l->n && *name == NULL; i++) {
            bool serves = is_labels(l->names[i]) && gan__starts_with(l->names[i], "labels");
            *name = serves ? l->names[i] : NULL;
        }
        struct gan__str all = {0};
        names_of(l, is_labels, &all);
        if (*name != NULL && all.p != NULL && !all.bad && strcmp(all.p, *name) != 0) {
            gan__log(GAN_LOG_INFO, "%s: labels are %s; labels= chooses among %s", dir, *name,
                     all.p);
        }
        gan__str_release(&all);
    }
    return GAN_OK;
}

static gan_status open_found(struct gan__source *s, const char *dir, const struct listing *l,
                             const char *file, const struct opts *o, gan_err *err)
{
    char images[PATH_MAX], labels[PATH_MAX];
    const char *image_name = file, *label_name = NULL;
    if (file == NULL) {
        GAN_TRY(find_images(dir, l, o, &image_name, err));
    }
    GAN_TRY(find_labels(dir, l, o, image_name, &label_name, err));
    GAN_TRY(gan__path_join(images, sizeof images, dir, image_name, err));
    if (label_name != NULL) {
        GAN_TRY(gan__path_join(labels, sizeof labels, dir, label_name, err));
    }
    struct gan__idx_set set = {
        .images = images, .labels = label_name != NULL ? labels : NULL, .classes = o->classes};
    memcpy(set.background, o->background, sizeof set.background);
    return gan__idx_source(s, &set, err);
}

static gan_status open_idx(struct gan__source *s, const char *argument, const void *opts,
                           gan_err *err)
{
    char dir[PATH_MAX];
    struct listing l = {0};
    const char *file = NULL;
    const struct opts *o = opts;
    if (!gan__path_exists(argument)) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is not there: idx: needs a file or a folder",
                         argument);
    }
    if (gan__path_is_dir(argument)) {
        if (!gan__copy(dir, sizeof dir, argument)) {
            return gan__fail(err, GAN_E_ARG, "path too long: %.200s", argument);
        }
    } else {
        file = gan__path_base(argument);
        if (o->file[0] != '\0' || o->split != 0) {
            return gan__fail(err, GAN_E_ARG, "%s is a file: file= and split= choose in a folder",
                             argument);
        }
        if (!gan__format(dir, sizeof dir, "%.*s", (int)(file - argument), argument)) {
            return gan__fail(err, GAN_E_ARG, "path too long: %.200s", argument);
        }
    }
    GAN_TRY(gan__list_dir(dir[0] != '\0' ? dir : ".", &l.names, &l.n, err));
    gan_status status = open_found(s, dir, &l, file, o, err);
    gan__list_free(l.names, l.n);
    return status;
}

GAN_DATA(idx) = {
    .name = "idx",
    .argument = "DIR|FILE",
    .help = "IDX files as of MNIST, gzip'ed or not: gray, RGB or RGBA, labels beside them",
    .opts = table,
    .opts_size = sizeof(struct opts),
    .open = open_idx,
};
