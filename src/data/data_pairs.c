/* data_pairs.c: aligned pairs in image files: both halves side by side in one file, A left, as the sets
 * of pix2pix are; or two folders A and B whose files are matched by name without extension. */
#include "image_files.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct pairs_opts {
    struct gan__file_opts files;
    int split, unmatched;
};

enum { STRETCH = 1 }; /* files.fit */

static const char *const splits[] = {"", "train", "test", "val"};

static const struct gan_opt table[] = {
    GAN_OPT_CHOICE(struct pairs_opts, split, "split", "any", "any|train|test|val",
                   "the folder of this name in DIR, or in DIR/A and DIR/B; any: DIR, else train"),
    GAN_OPT_CHOICE(struct pairs_opts, unmatched, "unmatched", "error", "error|skip",
                   "files of A or B without a partner: stop, or go on without them"),
    GAN__FILE_OPTS(struct pairs_opts, files),
    GAN_OPT_END,
};

struct pairs {
    struct gan__files files[2]; /* matched; the same list twice when side by side */
    struct gan__image_set set[2];
    int64_t *at[2]; /* [n]: images of pair i in the sets */
    size_t lone;    /* files without partner, left out */
    char *dir;
};

static void release(struct gan__source *s)
{
    struct pairs *p = s->state;
    for (int k = 0; p != NULL && k < 2; k++) {
        gan__image_set_close(&p->set[k]);
        gan__files_release(&p->files[k]);
        gan__free(p->at[k]);
    }
    if (p != NULL) {
        gan__free(p->dir);
    }
    gan__free(p);
    s->state = NULL;
}

static gan_status pixels_a(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct pairs *p = s->state;
    (void)err;
    gan__image_set_copy(&p->set[0], p->at[0][index], hwc);
    return GAN_OK;
}

static gan_status pixels_b(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    const struct pairs *p = s->state;
    (void)err;
    gan__image_set_copy(&p->set[1], p->at[1][index], hwc);
    return GAN_OK;
}

/* --- where the images are ------------------------------------------------------------------------ */

/* dir/name into dst when that is a folder. */
static bool folder_in(char *dst, const char *dir, const char *name)
{
    return gan__path_join(dst, PATH_MAX, dir, name, NULL) == GAN_OK && gan__path_is_dir(dst);
}

/* Folders A and B, or a and b, in dir; with a split, the folders of that name in them. */
static bool find_two(const char *dir, const char *split, char a[], char b[])
{
    static const char *const names[2][2] = {{"A", "B"}, {"a", "b"}};
    char in_a[PATH_MAX], in_b[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        if (!folder_in(a, dir, names[i][0]) || !folder_in(b, dir, names[i][1])) {
            continue;
        }
        if (split[0] == '\0') {
            return true;
        }
        if (folder_in(in_a, a, split) && folder_in(in_b, b, split)) {
            memcpy(a, in_a, sizeof in_a);
            memcpy(b, in_b, sizeof in_b);
            return true;
        }
    }
    return false;
}

/* Lists A and B, or the files side by side twice; *two tells which. false: neither is there. */
static gan_status list_in(struct pairs *p, const char *dir, const char *split, bool *found,
                          bool *two, gan_err *err)
{
    char a[PATH_MAX], b[PATH_MAX], sub[PATH_MAX];
    size_t n = 0;
    *two = find_two(dir, split, a, b);
    if (!*two && split[0] != '\0') {
        if (!folder_in(sub, dir, split)) {
            *found = false;
            return GAN_OK;
        }
        return list_in(p, sub, "", found, two, err);
    }
    if (*two) {
        GAN_TRY(gan__files_add_folder(&p->files[0], a, -1, &n, err));
        GAN_TRY(gan__files_add_folder(&p->files[1], b, -1, NULL, err));
        *found = true;
        return GAN_OK;
    }
    for (int k = 0; k < 2; k++) {
        GAN_TRY(gan__files_add_folder(&p->files[k], dir, -1, &n, err));
    }
    *found = n > 0;
    return GAN_OK;
}

static gan_status list_files(struct pairs *p, const char *dir, const char *split, bool *two,
                             gan_err *err)
{
    bool found = false;
    if (!gan__path_is_dir(dir)) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is no folder", dir);
    }
    GAN_TRY(list_in(p, dir, split, &found, two, err));
    if (!found && split[0] == '\0') {
        GAN_TRY(list_in(p, dir, "train", &found, two, err));
        if (found) {
            gan__log(GAN_LOG_INFO, "%s: pairs of its folder train; split= chooses another", dir);
        }
    }
    if (!found) {
        return gan__fail(err, GAN_E_NOTFOUND,
                         "%s%s%s holds neither images side by side nor folders A and B", dir,
                         split[0] != '\0' ? "/" : "", split);
    }
    return GAN_OK;
}

/* --- matching by stem ---------------------------------------------------------------------------- */

struct entry {
    const char *path, *stem;
    size_t len; /* of the stem */
};

static int by_stem(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    size_t least = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->stem, b->stem, least);
    return order != 0 ? order : a->len < b->len ? -1 : a->len > b->len;
}

/* The files in the order of their stems, which must differ. */
static gan_status sorted(const struct gan__files *f, struct entry **out, gan_err *err)
{
    struct entry *e = gan__alloc_array(f->n + 1, sizeof *e);
    *out = e;
    if (e == NULL) {
        return gan__fail_nomem(err, f->n * sizeof *e, "a list of images");
    }
    for (size_t i = 0; i < f->n; i++) {
        e[i].path = f->paths[i];
        e[i].stem = gan__path_base(f->paths[i]);
        e[i].len = (size_t)(strrchr(e[i].stem, '.') - e[i].stem);
    }
    qsort(e, f->n, sizeof *e, by_stem);
    for (size_t i = 1; i < f->n; i++) {
        if (by_stem(&e[i - 1], &e[i]) == 0) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s and %s have one name: which is half of the pair?", e[i - 1].path,
                             e[i].path);
        }
    }
    return GAN_OK;
}

/* The files of both lists that have a partner, and those that have none. */
static gan_status merge(const struct gan__files from[2], struct entry *const e[2],
                        struct gan__files to[2], struct gan__files *lone, gan_err *err)
{
    size_t i = 0, k = 0;
    while (i < from[0].n || k < from[1].n) {
        int order = i == from[0].n ? 1 : k == from[1].n ? -1 : by_stem(&e[0][i], &e[1][k]);
        if (order == 0) {
            GAN_TRY(gan__files_add(&to[0], e[0][i++].path, -1, err));
            GAN_TRY(gan__files_add(&to[1], e[1][k++].path, -1, err));
            continue;
        }
        const char *path = order < 0 ? e[0][i++].path : e[1][k++].path;
        GAN_TRY(gan__files_add(lone, path, -1, err));
    }
    return GAN_OK;
}

/* Leaves in p's lists the files that are pairs, in the order of their names. */
static gan_status pair_up(struct pairs *p, struct gan__files *lone, gan_err *err)
{
    struct entry *e[2] = {NULL, NULL};
    struct gan__files matched[2] = {{.n = 0}, {.n = 0}};
    gan_status status = sorted(&p->files[0], &e[0], err);
    status = status == GAN_OK ? sorted(&p->files[1], &e[1], err) : status;
    if (status == GAN_OK) {
        status = merge(p->files, e, matched, lone, err);
    }
    gan__free(e[0]);
    gan__free(e[1]);
    for (int k = 0; k < 2; k++) {
        gan__files_release(&p->files[k]);
        p->files[k] = matched[k];
    }
    return status;
}

/* Files without partner are an error, or a warning. */
static gan_status judge(const struct pairs *p, const struct gan__files *lone, bool skip,
                        gan_err *err)
{
    size_t all = 2 * p->files[0].n + lone->n;
    if (lone->n > 0 && !skip) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s has no partner (%zu of %zu files; unmatched=skip goes on without, as "
                         "skip-broken=yes does)",
                         lone->paths[0], lone->n, all);
    }
    if (lone->n > 0) {
        gan__log(GAN_LOG_WARNING,
                 "%zu of %zu files have no partner and are left out; the first: %s", lone->n, all,
                 lone->paths[0]);
    }
    return p->files[0].n > 0 ? GAN_OK
                             : gan__fail(err, GAN_E_NOTFOUND,
                                         "%s: folders A and B hold no pair of images", p->dir);
}

static gan_status match(struct pairs *p, const struct pairs_opts *o, gan_err *err)
{
    struct gan__files lone = {.n = 0};
    gan_status status = pair_up(p, &lone, err);
    if (status == GAN_OK) {
        p->lone = lone.n;
        status = judge(p, &lone, o->unmatched == 1 || o->files.skip_broken, err);
    }
    gan__files_release(&lone);
    return status;
}

static gan_status list_pairs(const char *argument, const void *opts, struct gan__listing *l,
                             gan_err *err)
{
    const struct pairs_opts *o = opts;
    struct pairs p = {.dir = NULL};
    bool two = false;
    gan_status status = list_files(&p, argument, splits[o->split], &two, err);
    if (status == GAN_OK && two) {
        status = pair_up(&p, &l->lone, err);
    }
    l->files[0] = p.files[0];
    l->files[1] = p.files[1];
    l->paired = true;
    l->stretched = o->files.fit == STRETCH;
    l->halves = !two;
    if (l->halves) {
        gan__files_release(&l->files[1]);
    }
    return status;
}

/* Halves of other proportions would be cropped at other places: only stretching brings them together.
 */
static gan_status check_proportions(const struct pairs *p, gan_err *err)
{
    for (size_t i = 0; i < p->files[0].n; i++) {
        struct gan_image a, b;
        if (gan_image_probe(p->files[0].paths[i], &a, NULL) != GAN_OK ||
            gan_image_probe(p->files[1].paths[i], &b, NULL) != GAN_OK) {
            continue; /* told, or passed over, when it is decoded */
        }
        if (!gan__alike(a.height, a.width, b.height, b.width)) {
            return gan__fail(err, GAN_E_SHAPE,
                             "%s is %" PRId64 "x%" PRId64 ", %s is %" PRId64 "x%" PRId64
                             ": halves of a pair need the same proportions (or fit=stretch)",
                             p->files[0].paths[i], a.width, a.height, p->files[1].paths[i], b.width,
                             b.height);
        }
    }
    return GAN_OK;
}

/* --- opening ------------------------------------------------------------------------------------- */

/* Pairs of which both halves could be read. */
static gan_status align(struct gan__source *s, struct pairs *p, gan_err *err)
{
    int64_t n[2] = {p->set[0].n, p->set[1].n}, i = 0, k = 0;
    for (int j = 0; j < 2; j++) {
        p->at[j] = gan__alloc_array((size_t)n[0], sizeof **p->at);
        if (p->at[j] == NULL) {
            return gan__fail_nomem(err, (size_t)n[0] * sizeof **p->at, "a list of pairs");
        }
    }
    s->count = 0;
    while (i < n[0] && k < n[1]) {
        size_t a = gan__image_set_file(&p->set[0], i), b = gan__image_set_file(&p->set[1], k);
        if (a == b) {
            p->at[0][s->count] = i;
            p->at[1][s->count++] = k;
        }
        i += a <= b;
        k += b <= a;
    }
    s->second->count = s->count;
    s->skipped = (int64_t)(p->files[0].n + p->lone) - s->count;
    if (s->count == 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: of none of %zu pairs both halves can be read",
                         p->dir, p->files[0].n);
    }
    return GAN_OK;
}

static gan_status open_pairs(struct gan__source *s, const char *argument, const void *opts,
                             gan_err *err)
{
    const struct pairs_opts *o = opts;
    struct pairs *p = gan__alloc(sizeof *p);
    bool two = false;
    if (p == NULL) {
        return gan__fail_nomem(err, sizeof *p, "a data set");
    }
    s->state = p;
    s->release = release;
    p->dir = gan__strdup(argument);
    if (p->dir == NULL) {
        return gan__fail_nomem(err, strlen(argument), "a file name");
    }
    GAN_TRY(list_files(p, argument, splits[o->split], &two, err));
    if (two) {
        GAN_TRY(match(p, o, err));
        GAN_TRY(o->files.fit == STRETCH ? GAN_OK : check_proportions(p, err));
    }
    GAN_TRY(gan__source_second(s, err));
    GAN_TRY(gan__files_open(s, &p->files[0], &o->files, two ? GAN__WHOLE : GAN__LEFT_HALF,
                            &p->set[0], err));
    GAN_TRY(gan__files_open(s->second, &p->files[1], &o->files, two ? GAN__WHOLE : GAN__RIGHT_HALF,
                            &p->set[1], err));
    s->second->state = p;
    s->second->pixels = pixels_b;
    s->pixels = pixels_a;
    s->paired = true;
    s->file = p->dir;
    return align(s, p, err);
}

GAN_DATA(pairs) = {
    .name = "pairs",
    .argument = "DIR",
    .help = "pairs of images: A|B side by side in each file, or folders A and B matched by name",
    .opts = table,
    .opts_size = sizeof(struct pairs_opts),
    .open = open_pairs,
    .list = list_pairs,
};
