/* check.c: looks at every image of a set once and reports what would spoil or stop a training. */
#include <gan/data_check.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "base/str.h"
#include "check_facts.h"
#include "image_files.h"
#include "spec.h"

#include <inttypes.h>
#include <string.h>

enum { NEAR_BITS = 4, MOST_NEAR_BITS = 15, NEAR_LEVELS = 6, MANY = 2000, ADVICE = 4096 };

/* The public report and what it points to. */
struct report {
    struct gan_data_report pub; /* first: gan_data_report_free gets it */
    struct gan_data_finding *found;
    size_t cap;
    struct gan__names classes;
    int64_t *class_count;
    char *spec, *advice;
};

/* A check on its way. */
struct work {
    struct report *r;
    struct gan__listing files; /* of kinds that read files */
    gan_dataset *ds;           /* of the others */
    struct gan__fact *fact[2];
    int64_t n[2];
    struct gan_data_check_cfg cfg;
};

const char *gan_finding_name(gan_finding_kind kind)
{
    static const char *const names[GAN_FOUND_KINDS] = {"broken",    "unmatched",     "unalike",
                                                       "constant",  "gray",          "odd-size",
                                                       "duplicate", "near-duplicate"};
    return kind >= 0 && kind < GAN_FOUND_KINDS ? names[kind] : "";
}

void gan_data_report_free(struct gan_data_report *report)
{
    struct report *r = (struct report *)report;
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->pub.n; i++) {
        gan__free((void *)(uintptr_t)r->found[i].what);
        gan__free((void *)(uintptr_t)r->found[i].why);
    }
    gan__free(r->found);
    gan__names_release(&r->classes);
    gan__free(r->class_count);
    gan__free(r->spec);
    gan__free(r->advice);
    gan__free(r);
}

/* --- findings ------------------------------------------------------------------------------------- */

/* What image i of a half is called. */
static void name_of(const struct work *w, int half, int64_t i, struct gan__str *s)
{
    if (w->ds != NULL) {
        gan__str_printf(s, "%simage %" PRId64, half == 1 ? "second " : "", i);
    } else if (w->files.halves) {
        gan__str_printf(s, "%s (%s half)", w->files.files[0].paths[i],
                        half == 0 ? "left" : "right");
    } else {
        gan__str_add(s, w->files.files[half].paths[i]);
    }
}

/* Takes over the texts. */
static gan_status add(struct report *r, gan_finding_kind kind, struct gan__str *what,
                      struct gan__str *why, int64_t number, gan_err *err)
{
    size_t n = r->pub.n;
    if (what->bad || why->bad || !gan__grow(&r->found, &r->cap, n + 1, sizeof *r->found)) {
        gan__str_release(what);
        gan__str_release(why);
        return gan__fail_nomem(err, n * sizeof *r->found, "findings");
    }
    r->found[n] = (struct gan_data_finding){kind, what->p, why->p, number};
    r->pub.n++;
    r->pub.count[kind]++;
    return GAN_OK;
}

static gan_status tell(struct work *w, gan_finding_kind kind, int half, int64_t i, const char *text,
                       gan_err *err)
{
    struct gan__str what = {0}, why = {0};
    name_of(w, half, i, &what);
    gan__str_add(&why, text);
    return add(w->r, kind, &what, &why, i, err);
}

/* --- reading -------------------------------------------------------------------------------------- */

/* Facts of both halves of a file side by side. */
static gan_status take_halves(struct work *w, int64_t i, const struct gan_image *image,
                              gan_err *err)
{
    int64_t c = image->channels, half = image->width / 2;
    uint8_t *part = gan__alloc((size_t)(image->height * half * c));
    if (part == NULL) {
        return gan__fail_nomem(err, (size_t)(image->height * half * c), "an image");
    }
    gan_status status = GAN_OK;
    for (int k = 0; k < 2 && status == GAN_OK; k++) {
        for (int64_t y = 0; y < image->height; y++) {
            memcpy(part + y * half * c, image->data + (y * image->width + k * half) * c,
                   (size_t)(half * c));
        }
        status = gan__fact_of(&w->fact[k][i], part, image->height, half, c, err);
    }
    gan__free(part);
    return status;
}

static gan_status look_at_file(struct work *w, int half, int64_t i, gan_err *err)
{
    struct gan_image image;
    gan_err why = {0};
    const char *path = w->files.files[half].paths[i];
    if (gan_image_read(path, NULL, &image, &why) != GAN_OK) {
        if (why.code == GAN_E_NOMEM) {
            return gan__fail(err, why.code, "%s", why.message);
        }
        size_t skip = strlen(path); /* the message begins with the file, which is told already */
        bool named = gan__starts_with(why.message, path) && why.message[skip] == ':';
        return tell(w, GAN_FOUND_BROKEN, half, i, named ? why.message + skip + 2 : why.message,
                    err);
    }
    gan_status status;
    if (!w->files.halves) {
        status = gan__fact_of(&w->fact[half][i], image.data, image.height, image.width,
                              image.channels, err);
    } else if (image.width % 2 != 0) {
        status = tell(w, GAN_FOUND_BROKEN, half, i, "an odd width holds no two halves", err);
    } else {
        status = take_halves(w, i, &image, err);
    }
    gan_image_release(&image);
    return status;
}

static gan_status look_at_pixels(struct work *w, int half, int64_t i, uint8_t *hwc, gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(w->ds);
    gan_err why = {0};
    gan_status status = half == 0 ? gan_dataset_pixels(w->ds, i, hwc, &why)
                                  : gan_dataset_pixels_b(w->ds, i, hwc, &why);
    if (status != GAN_OK) {
        return tell(w, GAN_FOUND_BROKEN, half, i, why.message, err);
    }
    return half == 0
               ? gan__fact_of(&w->fact[0][i], hwc, info->height, info->width, info->channels, err)
               : gan__fact_of(&w->fact[1][i], hwc, info->height_b, info->width_b, info->channels_b,
                              err);
}

static gan_status look_at_all(struct work *w, gan_err *err)
{
    if (w->n[0] + w->n[1] >= MANY) {
        gan__log(GAN_LOG_INFO, "looking at %" PRId64 " images", w->n[0] + w->n[1]);
    }
    if (w->ds == NULL) {
        for (int half = 0; half < (w->files.halves ? 1 : 2); half++) {
            for (int64_t i = 0; i < w->n[half]; i++) {
                GAN_TRY(look_at_file(w, half, i, err));
            }
        }
        return GAN_OK;
    }
    const struct gan_dataset_info *a = gan_dataset_about(w->ds);
    int64_t first = a->height * a->width * a->channels;
    int64_t second = a->height_b * a->width_b * a->channels_b;
    uint8_t *hwc = gan__alloc((size_t)(first > second ? first : second));
    if (hwc == NULL) {
        return gan__fail_nomem(err, (size_t)first, "an image");
    }
    gan_status status = GAN_OK;
    for (int half = 0; half < 2; half++) {
        for (int64_t i = 0; i < w->n[half] && status == GAN_OK; i++) {
            status = look_at_pixels(w, half, i, hwc, err);
        }
    }
    gan__free(hwc);
    return status;
}

/* --- judging -------------------------------------------------------------------------------------- */

/* What the sizes of one half are like. */
struct sizes {
    int64_t usual_h, usual_w, usual, good, middle, colour, gray;
};

static gan_status measure(struct work *w, int half, struct sizes *z, gan_err *err)
{
    int64_t n = w->n[half];
    int64_t *list = gan__alloc_array((size_t)n + 1, sizeof *list);
    struct gan_data_report *r = &w->r->pub;
    *z = (struct sizes){.good = 0};
    if (list == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *list, "sizes of images");
    }
    for (int64_t i = 0; i < n; i++) {
        const struct gan__fact *f = &w->fact[half][i];
        if (!f->good) {
            continue;
        }
        bool none = r->most_h == 0;
        r->least_h = none || f->height < r->least_h ? f->height : r->least_h;
        r->least_w = none || f->width < r->least_w ? f->width : r->least_w;
        r->most_h = f->height > r->most_h ? f->height : r->most_h;
        r->most_w = f->width > r->most_w ? f->width : r->most_w;
        z->colour += !f->gray;
        z->gray += f->gray;
        list[z->good++] = (int64_t)f->height << 32 | f->width;
    }
    gan__sort_i64(list, (size_t)z->good);
    for (int64_t i = 0, run = 0; i < z->good; i++) {
        run = i > 0 && list[i] == list[i - 1] ? run + 1 : 1;
        if (run > z->usual) {
            z->usual = run;
            z->usual_h = list[i] >> 32;
            z->usual_w = list[i] & UINT32_MAX;
        }
    }
    for (int64_t i = 0; i < z->good; i++) {
        int64_t h = list[i] >> 32, v = list[i] & UINT32_MAX;
        list[i] = h < v ? h : v;
    }
    gan__sort_i64(list, (size_t)z->good);
    z->middle = z->good > 0 ? list[z->good / 2] : 0;
    gan__free(list);
    return GAN_OK;
}

/* Sizes that stand out: where most images share one, all others; else those far below the middle. */
static gan_status judge_size(struct work *w, int half, int64_t i, const struct sizes *z,
                             gan_err *err)
{
    const struct gan__fact *f = &w->fact[half][i];
    char text[160];
    int64_t side = f->height < f->width ? f->height : f->width;
    if (2 * z->usual > z->good) {
        if (f->height == z->usual_h && f->width == z->usual_w) {
            return GAN_OK;
        }
        (void)gan__format(text, sizeof text, "%dx%d, most are %" PRId64 "x%" PRId64, f->width,
                          f->height, z->usual_w, z->usual_h);
    } else if (4 * side >= z->middle) {
        return GAN_OK;
    } else {
        (void)gan__format(text, sizeof text,
                          "%dx%d, the shorter side is %" PRId64 " in the middle of the set",
                          f->width, f->height, z->middle);
    }
    return tell(w, GAN_FOUND_ODD_SIZE, half, i, text, err);
}

static gan_status judge_twins(struct work *w, int half, gan_err *err)
{
    int64_t n = w->n[half];
    struct gan__twin *twin = gan__alloc_array((size_t)n + 1, sizeof *twin);
    if (twin == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *twin, "comparing images");
    }
    gan_status status =
        gan__find_twins(w->fact[half], n, w->cfg.near_bits, w->cfg.near_levels, twin, err);
    for (int64_t i = 0; i < n && status == GAN_OK; i++) {
        if (twin[i].of < 0) {
            continue;
        }
        struct gan__str what = {0}, why = {0};
        name_of(w, half, i, &what);
        gan__str_add(&why, twin[i].same ? "the pixels of " : "nearly ");
        name_of(w, half, twin[i].of, &why);
        if (!twin[i].same) {
            gan__str_printf(&why, ", %d of 64 bits differ", twin[i].bits);
        }
        status =
            add(w->r, twin[i].same ? GAN_FOUND_DUPLICATE : GAN_FOUND_NEAR, &what, &why, i, err);
    }
    gan__free(twin);
    return status;
}

static gan_status judge_half(struct work *w, int half, struct sizes *z, gan_err *err)
{
    char text[64];
    GAN_TRY(measure(w, half, z, err));
    for (int64_t i = 0; i < w->n[half]; i++) {
        const struct gan__fact *f = &w->fact[half][i];
        if (!f->good) {
            continue;
        }
        if (f->constant) {
            (void)gan__format(text, sizeof text, "all of its %d pixels are equal",
                              f->height * f->width);
            GAN_TRY(tell(w, GAN_FOUND_CONSTANT, half, i, text, err));
        } else if (f->gray && z->colour > z->gray) {
            GAN_TRY(tell(w, GAN_FOUND_GRAY, half, i, "gray, most have colour", err));
        }
        GAN_TRY(judge_size(w, half, i, z, err));
    }
    return judge_twins(w, half, err);
}

/* Halves that are missing or have other proportions. */
static gan_status judge_pairs(struct work *w, gan_err *err)
{
    char text[120];
    for (size_t i = 0; i < w->files.lone.n; i++) {
        struct gan__str what = {0}, why = {0};
        gan__str_add(&what, w->files.lone.paths[i]);
        gan__str_add(&why, "has no partner");
        GAN_TRY(add(w->r, GAN_FOUND_UNMATCHED, &what, &why, -1, err));
    }
    for (int64_t i = 0; w->files.paired && !w->files.stretched && i < w->n[0]; i++) {
        const struct gan__fact *a = &w->fact[0][i], *b = &w->fact[1][i];
        if (a->good && b->good && !gan__alike(a->height, a->width, b->height, b->width)) {
            (void)gan__format(text, sizeof text, "%dx%d, the other half is %dx%d", a->width,
                              a->height, b->width, b->height);
            GAN_TRY(tell(w, GAN_FOUND_UNALIKE, 0, i, text, err));
        }
    }
    return GAN_OK;
}

/* Readable images of each class. */
static gan_status count_classes(struct work *w, gan_err *err)
{
    struct report *r = w->r;
    const struct gan_dataset_info *info = w->ds != NULL ? gan_dataset_about(w->ds) : NULL;
    size_t classes = info != NULL ? (size_t)info->classes : w->files.classes.n;
    if (classes == 0) {
        return GAN_OK;
    }
    r->class_count = gan__alloc_array(classes, sizeof *r->class_count);
    if (r->class_count == NULL) {
        return gan__fail_nomem(err, classes * sizeof *r->class_count, "classes");
    }
    for (int64_t i = 0; i < w->n[0]; i++) {
        int32_t y = info != NULL ? gan_dataset_label(w->ds, i) : w->files.files[0].label[i];
        if (y >= 0 && (size_t)y < classes && w->fact[0][i].good) {
            r->class_count[y]++;
        }
    }
    char number[32];
    for (size_t y = 0; y < classes; y++) {
        (void)gan__format(number, sizeof number, "%zu", y);
        const char *name = info == NULL                ? w->files.classes.p[y]
                           : info->class_names != NULL ? info->class_names[y]
                                                       : number;
        GAN_TRY(gan__names_add(&r->classes, name, err));
    }
    r->pub.classes = (int64_t)classes;
    r->pub.class_names = (const char *const *)r->classes.p;
    r->pub.class_count = r->class_count;
    return GAN_OK;
}

/* --- advice --------------------------------------------------------------------------------------- */

/* The power of two that the middle image reaches, 16 to 128. */
static int64_t good_size(int64_t middle)
{
    int64_t size = 16;
    while (size < 128 && 2 * size <= middle) {
        size *= 2;
    }
    return size;
}

/* Adds the option where the set takes it. */
static gan_status advise(bool wanted, char *spec, size_t cap, const char *option, gan_err *err)
{
    char longer[ADVICE];
    if (!wanted) {
        return GAN_OK;
    }
    gan_status status = gan_data_spec_add(spec, option, longer, sizeof longer, NULL);
    if (status == GAN_OK) {
        (void)gan__copy(spec, cap, longer);
    }
    return status == GAN_E_NOMEM ? gan__fail_nomem(err, ADVICE, "a SPEC") : GAN_OK;
}

static bool unbalanced(const struct gan_data_report *r)
{
    int64_t least = INT64_MAX, most = 0;
    for (int64_t y = 0; y < r->classes; y++) {
        least = r->class_count[y] < least ? r->class_count[y] : least;
        most = r->class_count[y] > most ? r->class_count[y] : most;
    }
    return r->classes > 1 && 2 * most > 3 * least;
}

/* Options against what was found, one after the other into `better`. */
static gan_status improve(const struct work *w, const struct gan__spec *spec, char *better,
                          gan_err *err)
{
    const struct gan_data_report *r = &w->r->pub;
    const struct gan__spec_common *c = &spec->common;
    char size[32];
    bool files = w->ds == NULL;
    bool mixed = r->least_h != r->most_h || r->least_w != r->most_w;
    bool gray = r->colour == 0 && r->gray > 0;
    (void)gan__format(size, sizeof size, "size=%" PRId64, good_size(r->middle));
    GAN_TRY(advise(files && mixed && c->size == 0, better, ADVICE, size, err));
    GAN_TRY(advise(files && gray && c->channels == 0, better, ADVICE, "channels=1", err));
    GAN_TRY(advise(r->count[GAN_FOUND_BROKEN] > 0, better, ADVICE, "skip-broken=yes", err));
    GAN_TRY(advise(r->count[GAN_FOUND_UNMATCHED] > 0, better, ADVICE, "unmatched=skip", err));
    GAN_TRY(advise(r->count[GAN_FOUND_UNALIKE] > 0, better, ADVICE, "fit=stretch", err));
    return advise(unbalanced(r) && !c->balance, better, ADVICE, "balance=1", err);
}

static gan_status give_advice(struct work *w, const char *text, const struct gan__spec *spec,
                              gan_err *err)
{
    struct gan_data_report *r = &w->r->pub;
    char better[ADVICE];
    if (!gan__copy(better, sizeof better, text)) {
        better[0] = '\0'; /* no advice on a SPEC as long as this */
    } else {
        GAN_TRY(improve(w, spec, better, err));
    }
    w->r->advice = gan__strdup(strcmp(better, text) == 0 ? "" : better);
    w->r->spec = gan__strdup(text);
    r->advice = w->r->advice;
    r->spec = w->r->spec;
    r->found = w->r->found;
    return r->advice != NULL && r->spec != NULL ? GAN_OK
                                                : gan__fail_nomem(err, strlen(text), "a SPEC");
}

/* --- all of it ------------------------------------------------------------------------------------ */

static gan_status open_work(struct work *w, const char *text, const struct gan__spec *spec,
                            gan_err *err)
{
    if (spec->kind->list != NULL) {
        GAN_TRY(spec->kind->list(spec->argument, spec->opts, &w->files, err));
        w->n[0] = (int64_t)w->files.files[0].n;
        w->n[1] = w->files.halves ? w->n[0] : (int64_t)w->files.files[1].n;
    } else {
        GAN_TRY(gan_dataset_open(text, &w->ds, err));
        const struct gan_dataset_info *info = gan_dataset_about(w->ds);
        if (info->points) {
            return gan__fail(err, GAN_E_UNSUPPORTED,
                             "data %s are points: there is nothing to check", text);
        }
        w->n[0] = info->count;
        w->n[1] = info->count_b;
    }
    for (int half = 0; half < 2; half++) {
        w->fact[half] = gan__alloc_array((size_t)w->n[half] + 1, sizeof *w->fact[half]);
        if (w->fact[half] == NULL) {
            return gan__fail_nomem(err, (size_t)w->n[half] * sizeof *w->fact[half],
                                   "facts about images");
        }
    }
    w->r->pub.images = w->n[0] + w->n[1];
    w->r->pub.seconds = w->n[1];
    w->r->pub.near_bits = w->cfg.near_bits;
    w->r->pub.near_levels = w->cfg.near_levels;
    return GAN_OK;
}

static gan_status check(struct work *w, const char *text, const struct gan__spec *spec,
                        gan_err *err)
{
    struct sizes z[2];
    struct gan_data_report *r = &w->r->pub;
    GAN_TRY(open_work(w, text, spec, err));
    GAN_TRY(look_at_all(w, err));
    GAN_TRY(judge_pairs(w, err));
    for (int half = 0; half < 2; half++) {
        GAN_TRY(judge_half(w, half, &z[half], err));
        r->colour += z[half].colour;
        r->gray += z[half].gray;
    }
    r->usual_h = z[0].usual_h;
    r->usual_w = z[0].usual_w;
    r->usual = z[0].usual;
    r->middle = z[0].middle;
    GAN_TRY(count_classes(w, err));
    return give_advice(w, text, spec, err);
}

/* Of a set that wraps another the inner one is checked. */
static gan_status check_spec(struct work *w, const char *text, gan_err *err)
{
    struct gan__spec spec;
    GAN_TRY(gan__spec_parse(text, &spec, err));
    gan_status status =
        spec.kind->wraps ? check_spec(w, spec.argument, err) : check(w, text, &spec, err);
    gan__spec_release(&spec);
    return status;
}

gan_status gan_data_check(const char *spec, const struct gan_data_check_cfg *cfg,
                          struct gan_data_report **report, gan_err *err)
{
    struct report *r = gan__alloc(sizeof *r);
    *report = NULL;
    if (r == NULL) {
        return gan__fail_nomem(err, sizeof *r, "a report");
    }
    struct work w = {.r = r, .cfg = {NEAR_BITS, NEAR_LEVELS}};
    if (cfg != NULL) {
        w.cfg.near_bits = cfg->near_bits != 0 ? cfg->near_bits : NEAR_BITS;
        w.cfg.near_levels = cfg->near_levels != 0 ? cfg->near_levels : NEAR_LEVELS;
    }
    gan_status status = w.cfg.near_bits > MOST_NEAR_BITS
                            ? gan__fail(err, GAN_E_RANGE, "near bits are %d, allowed up to %d",
                                        w.cfg.near_bits, MOST_NEAR_BITS)
                            : check_spec(&w, spec, err);
    gan__listing_release(&w.files);
    gan_dataset_close(w.ds);
    gan__free(w.fact[0]);
    gan__free(w.fact[1]);
    if (status != GAN_OK) {
        gan_data_report_free(&r->pub);
        return status;
    }
    *report = &r->pub;
    return GAN_OK;
}
