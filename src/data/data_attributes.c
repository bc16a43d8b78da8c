/* data_attributes.c: images with a list of yes-or-no attributes, in the format of CelebA: the number of
 * images in the first line, the attributes' names in the second, then FILE and a 1 or -1 for each name.
 * One attribute can be the class: attribute=Smiling.
 *
 * Ref: Liu et al. 2015, "Deep learning face attributes in the wild"; its list_attr_celeba.txt. */
#include "image_files.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

struct attributes_opts {
    struct gan__file_opts files;
    char attribute[GAN_OPT_TEXT_MAX], list[GAN_OPT_TEXT_MAX], images[GAN_OPT_TEXT_MAX];
    int split;
};

static const struct gan_opt table[] = {
    GAN_OPT_TEXT(struct attributes_opts, attribute, "attribute", "",
                 "the class: 1 where the image has it; none without"),
    GAN_OPT_CHOICE(struct attributes_opts, split, "split", "any", "any|train|val|test",
                   "as list_eval_partition.txt in DIR says; any takes all"),
    GAN_OPT_TEXT(struct attributes_opts, list, "list", "list_attr_celeba.txt",
                 "the list of attributes in DIR"),
    GAN_OPT_TEXT(struct attributes_opts, images, "images", "",
                 "folder of the images in DIR; else img_align_celeba, images, or DIR itself"),
    GAN__FILE_OPTS(struct attributes_opts, files),
    GAN_OPT_END,
};

#define LIST_LIMIT ((size_t)1 << 30) /* bytes; CelebA's has 27 million */
#define MOST_NAMES 4096

struct attributes {
    struct gan__files files; /* label: the row */
    struct gan__image_set images;
    struct gan__names names;
    int8_t *value; /* [files.n, names.n]: 1 or -1 */
    size_t cap_value;
    size_t chosen; /* attribute that is the class */
    char *class_names[2];
    char *dir;
};

static void release(struct gan__source *s)
{
    struct attributes *a = s->state;
    if (a != NULL) {
        gan__image_set_close(&a->images);
        gan__files_release(&a->files);
        gan__names_release(&a->names);
        gan__free(a->value);
        gan__free(a->class_names[0]);
        gan__free(a->class_names[1]);
        gan__free(a->dir);
        gan__free(a);
    }
    s->state = NULL;
}

static gan_status pixels(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct attributes *a = s->state;
    (void)err;
    gan__image_set_copy(&a->images, index, hwc);
    return GAN_OK;
}

static const int8_t *row_of(const struct gan__source *s, int64_t index)
{
    const struct attributes *a = s->state;
    return a->value + gan__image_set_file(&a->images, index) * a->names.n;
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct attributes *a = s->state;
    (void)seed;
    return row_of(s, index)[a->chosen] > 0;
}

/* --- the lists ----------------------------------------------------------------------------------- */

/* A list being read: lines, and words in them. */
struct reader {
    const char *path;
    char *text, *next, *at; /* next line; rest of this one */
    int64_t line;
};

static gan_status reader_open(struct reader *r, const char *path, gan_err *err)
{
    size_t size;
    *r = (struct reader){.path = path};
    GAN_TRY(gan__file_read(path, LIST_LIMIT, &r->text, &size, err));
    r->next = r->text;
    return GAN_OK;
}

/* Goes to the next line that is not empty. */
static bool next_line(struct reader *r)
{
    do {
        if (*r->next == '\0') {
            return false;
        }
        r->at = r->next;
        r->next += strcspn(r->next, "\n");
        if (*r->next == '\n') {
            *r->next++ = '\0';
        }
        r->line++;
    } while (r->at[strspn(r->at, " \t\r")] == '\0');
    return true;
}

/* The next word of this line, cut off in place; NULL at its end. */
static char *word(struct reader *r)
{
    r->at += strspn(r->at, " \t\r");
    char *start = r->at;
    r->at += strcspn(r->at, " \t\r");
    if (*r->at != '\0') {
        *r->at++ = '\0';
    }
    return *start != '\0' ? start : NULL;
}

/* Count and names: the first two lines. */
static gan_status read_head(struct attributes *a, struct reader *r, int64_t *count, gan_err *err)
{
    const char *text = next_line(r) ? word(r) : NULL, *name;
    if (text == NULL || !gan__parse_i64(text, count) || *count < 1 || word(r) != NULL) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: the first line is not the number of images (a list as CelebA's is "
                         "expected)",
                         r->path);
    }
    while (a->names.n == 0 && next_line(r)) {
        while ((name = word(r)) != NULL && a->names.n < MOST_NAMES) {
            GAN_TRY(gan__names_add(&a->names, name, err));
        }
    }
    if (a->names.n == 0 || a->names.n == MOST_NAMES) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %zu names of attributes, allowed 1 to %d", r->path,
                         a->names.n, MOST_NAMES - 1);
    }
    return GAN_OK;
}

/* One line: a file and its values. */
static gan_status read_row(struct attributes *a, struct reader *r, const char *dir, gan_err *err)
{
    char path[PATH_MAX];
    const char *text = word(r);
    size_t row = a->files.n, n = a->names.n;
    GAN_TRY(gan__path_join(path, sizeof path, dir, text, err));
    if (!gan__grow(&a->value, &a->cap_value, (row + 1) * n, sizeof *a->value)) {
        return gan__fail_nomem(err, (row + 1) * n, "a list of attributes");
    }
    for (size_t k = 0; k < n; k++) {
        const char *value = word(r);
        if (value == NULL) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s, line %" PRId64 ": %zu values for %zu attributes", r->path,
                             r->line, k, n);
        }
        bool yes = strcmp(value, "1") == 0 || strcmp(value, "+1") == 0;
        if (!yes && strcmp(value, "-1") != 0 && strcmp(value, "0") != 0) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s, line %" PRId64 ": %s is '%.40s', allowed 1 and -1", r->path,
                             r->line, a->names.p[k], value);
        }
        a->value[row * n + k] = yes ? 1 : -1;
    }
    if (word(r) != NULL) {
        return gan__fail(err, GAN_E_FORMAT, "%s, line %" PRId64 ": more than %zu values", r->path,
                         r->line, n);
    }
    return gan__files_add(&a->files, path, (int32_t)row, err);
}

static gan_status read_list(struct attributes *a, const char *path, const char *dir, gan_err *err)
{
    struct reader r;
    int64_t count = 0;
    GAN_TRY(reader_open(&r, path, err));
    gan_status status = read_head(a, &r, &count, err);
    while (status == GAN_OK && next_line(&r)) {
        status = read_row(a, &r, dir, err);
    }
    if (status == GAN_OK && (int64_t)a->files.n != count) {
        status =
            gan__fail(err, GAN_E_FORMAT, "%s: %zu images are listed, the first line says %" PRId64,
                      path, a->files.n, count);
    }
    gan__free(r.text);
    return status;
}

/* Row `from` goes to the place `to` <= from; its path changes places with the one there. */
static void keep_row(struct attributes *a, size_t from, size_t to)
{
    size_t n = a->names.n;
    char *path = a->files.paths[to];
    a->files.paths[to] = a->files.paths[from];
    a->files.paths[from] = path;
    memmove(a->value + to * n, a->value + from * n, n);
}

/* list_eval_partition.txt: FILE and 0 (train), 1 (val) or 2 (test), in the order of the list. */
static gan_status take_split(struct attributes *a, const char *path, int split, gan_err *err)
{
    struct reader r;
    size_t row = 0, kept = 0;
    GAN_TRY(reader_open(&r, path, err));
    gan_status status = GAN_OK;
    for (; status == GAN_OK && next_line(&r); row++) {
        const char *file = word(&r), *part = word(&r);
        if (row >= a->files.n || strcmp(file, gan__path_base(a->files.paths[row])) != 0 ||
            part == NULL || strlen(part) != 1 || part[0] < '0' || part[0] > '2') {
            status = gan__fail(err, GAN_E_FORMAT,
                               "%s, line %" PRId64 ": not image %zu of the list and 0, 1 or 2",
                               path, r.line, row + 1);
        } else if (part[0] == '0' + split - 1) {
            keep_row(a, row, kept++);
        }
    }
    gan__free(r.text);
    GAN_TRY(status);
    if (row != a->files.n || kept == 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %zu lines for %zu images, %zu of them wanted",
                         path, row, a->files.n, kept);
    }
    while (a->files.n > kept) {
        gan__free(a->files.paths[--a->files.n]);
    }
    return GAN_OK;
}

/* --- opening ------------------------------------------------------------------------------------- */

static gan_status find_images(const char *dir, const char *wish, char path[], gan_err *err)
{
    static const char *const usual[] = {"img_align_celeba", "images"};
    if (wish[0] != '\0') {
        GAN_TRY(gan__path_join(path, PATH_MAX, dir, wish, err));
        return gan__path_is_dir(path) ? GAN_OK
                                      : gan__fail(err, GAN_E_NOTFOUND, "%s is no folder", path);
    }
    for (size_t i = 0; i < 2; i++) {
        GAN_TRY(gan__path_join(path, PATH_MAX, dir, usual[i], err));
        if (gan__path_is_dir(path)) {
            return GAN_OK;
        }
    }
    (void)gan__copy(path, PATH_MAX, dir);
    return GAN_OK;
}

/* The attribute that is the class: 0 without it, 1 with it. */
static gan_status choose(struct gan__source *s, struct attributes *a, const char *name,
                         gan_err *err)
{
    const char *const *names = (const char *const *)a->names.p;
    while (a->chosen < a->names.n && strcmp(names[a->chosen], name) != 0) {
        a->chosen++;
    }
    if (a->chosen == a->names.n) {
        const char *near = gan__nearest_name(name, names, a->names.n);
        return gan__fail(err, GAN_E_NOTFOUND, "no attribute '%s' among the %zu of %s%s%s%s", name,
                         a->names.n, a->dir, near != NULL ? " (did you mean " : "",
                         near != NULL ? near : "", near != NULL ? "?)" : "");
    }
    struct gan__str without = {0};
    gan__str_printf(&without, "not %s", name);
    a->class_names[0] = without.bad ? NULL : without.p;
    a->class_names[1] = gan__strdup(name);
    if (a->class_names[0] == NULL || a->class_names[1] == NULL) {
        return gan__fail_nomem(err, strlen(name), "a name");
    }
    s->classes = 2;
    s->class_names = (const char *const *)a->class_names;
    s->label = label;
    return GAN_OK;
}

static gan_status read_lists(struct attributes *a, const struct attributes_opts *o, gan_err *err)
{
    char list[PATH_MAX], images[PATH_MAX], parts[PATH_MAX];
    if (!gan__path_is_dir(a->dir)) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is no folder", a->dir);
    }
    GAN_TRY(gan__path_join(list, sizeof list, a->dir, o->list, err));
    GAN_TRY(find_images(a->dir, o->images, images, err));
    GAN_TRY(read_list(a, list, images, err));
    if (o->split > 0) {
        GAN_TRY(gan__path_join(parts, sizeof parts, a->dir, "list_eval_partition.txt", err));
        GAN_TRY(take_split(a, parts, o->split, err));
    }
    return GAN_OK;
}

static gan_status open_attributes(struct gan__source *s, const char *argument, const void *opts,
                                  gan_err *err)
{
    const struct attributes_opts *o = opts;
    struct attributes *a = gan__alloc(sizeof *a);
    if (a == NULL) {
        return gan__fail_nomem(err, sizeof *a, "a data set");
    }
    s->state = a;
    s->release = release;
    s->pixels = pixels;
    a->dir = gan__strdup(argument);
    if (a->dir == NULL) {
        return gan__fail_nomem(err, strlen(argument), "a file name");
    }
    GAN_TRY(read_lists(a, o, err));
    if (o->attribute[0] != '\0') {
        GAN_TRY(choose(s, a, o->attribute, err));
    }
    GAN_TRY(gan__files_open(s, &a->files, &o->files, GAN__WHOLE, &a->images, err));
    s->file = a->dir;
    s->attributes = (int64_t)a->names.n;
    s->attribute_names = (const char *const *)a->names.p;
    s->attribute_row = row_of;
    s->memory_bytes += a->files.n * a->names.n;
    return GAN_OK;
}

static gan_status list_attributes(const char *argument, const void *opts, struct gan__listing *l,
                                  gan_err *err)
{
    const struct attributes_opts *o = opts;
    struct attributes a = {.dir = gan__strdup(argument)};
    struct gan__source s = {.state = &a};
    gan_status status = a.dir != NULL ? read_lists(&a, o, err)
                                      : gan__fail_nomem(err, strlen(argument), "a file name");
    if (status == GAN_OK && o->attribute[0] != '\0') {
        status = choose(&s, &a, o->attribute, err);
    }
    for (size_t i = 0; i < a.files.n; i++) {
        bool chosen = status == GAN_OK && s.classes > 0;
        a.files.label[i] = chosen ? a.value[i * a.names.n + a.chosen] > 0 : -1;
    }
    for (int k = 0; status == GAN_OK && k < (int)s.classes; k++) {
        status = gan__names_add(&l->classes, a.class_names[k], err);
    }
    l->files[0] = a.files;
    gan__names_release(&a.names);
    gan__free(a.value);
    gan__free(a.class_names[0]);
    gan__free(a.class_names[1]);
    gan__free(a.dir);
    return status;
}

GAN_DATA(attributes) = {
    .name = "attributes",
    .argument = "DIR",
    .help = "images with a list of attributes in CelebA's format; one of them can be the class",
    .opts = table,
    .opts_size = sizeof(struct attributes_opts),
    .open = open_attributes,
    .list = list_attributes,
};
