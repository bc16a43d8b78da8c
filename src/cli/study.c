/* study.c: cells of experiments, and what is read from a training that is over: the distance of its
 * samples to the data, and its log. The log is the library's own: flat objects, one a line, no blank
 * between a name and its value. */
#include "study.h"

#include "out.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <gan/measure.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIRECTIONS = 256, SEED = 1, LOG_LIMIT = 1 << 30, WORD = 96 };

/* --- cells ---------------------------------------------------------------------------------------- */

bool gan__study_wants(const struct gan__bench_opts *o, const char *name)
{
    return o->cells == NULL || strstr(name, o->cells) != NULL;
}

void gan__study_settings(struct gan__cell *c, const struct gan_setting *set, size_t most)
{
    for (size_t i = 0; i < most && set[i].name != NULL; i++) {
        gan__cell_set(c, set[i].name, set[i].value);
    }
}

gan_status gan__study_line(struct gan__cell *c, const struct gan__cmdline *a, gan_err *err)
{
    gan__study_settings(c, a->setting, a->n_settings);
    const struct gan_opt *time = gan_opt_find(gan_train_options(), "time");
    for (size_t i = 0; i < c->n_set; i++) {
        if (strcmp(c->set[i].name, time->name) == 0) {
            GAN_TRY(time->parse(c->set[i].value, &c->limit_s, err));
        }
    }
    return GAN_OK;
}

gan_status gan__study_run(struct gan__cells *e, const struct gan__bench_opts *o, gan_err *err)
{
    if (e->n == 0) {
        return gan__fail(err, GAN_E_ARG, "--cells %s: no training has that name", o->cells);
    }
    gan__cells_fill(e, o->jobs, o->threads);
    GAN_TRY(gan__cells_predict(e, err));
    return gan__cells_run(e, err);
}

gan_status gan__study_figure(gan_figure *f, const char *dir, const char *name, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    gan_err own = {0};
    gan_status status = gan__path_join(path, sizeof path, dir, name, err);
    if (status == GAN_OK) {
        status = gan_figure_write(f, path, &own);
        if (status == GAN_OK) {
            gan__say("figure      %s", path);
        } else if (status == GAN_E_UNSUPPORTED) {
            gan__say("no figure %s: %s", path, own.message);
            status = GAN_OK;
        } else {
            status = gan__fail(err, status, "%s", own.message);
        }
    }
    gan_figure_free(f);
    return status;
}

/* --- samples against data ------------------------------------------------------------------------- */

/* Images of the data, the first ones or those after them. */
static gan_status load(const struct gan__study_data *d, const char *spec, bool after, float *dst,
                       gan_err *err)
{
    gan_dataset *ds = NULL;
    gan_loader *loader = NULL;
    const struct gan_batch *b = NULL;
    const struct gan_loader_cfg cfg = {.batch = GAN__STUDY_IMAGES,
                                       .seed = SEED,
                                       .range = d->range,
                                       .fit = d->resize ? GAN_FIT_RESIZE : GAN_FIT_AUTO,
                                       .height = d->height,
                                       .width = d->width,
                                       .channels = d->channels,
                                       .plain = true};
    gan_status status = gan_dataset_open(spec, &ds, err);
    if (status == GAN_OK) {
        status = gan_loader_new(ds, &cfg, &loader, err);
    }
    for (int i = 0; i < 1 + after && status == GAN_OK; i++) {
        status = gan_loader_next(loader, &b, err);
    }
    if (status == GAN_OK) {
        memcpy(dst, b->images, (size_t)(GAN__STUDY_IMAGES * d->size) * sizeof *dst);
    }
    gan_loader_free(loader);
    gan_dataset_close(ds);
    return status;
}

gan_status gan__study_data_open(struct gan__study_data *d, const char *spec, const gan_sampler *s,
                                gan_err *err)
{
    const struct gan_sampler_info *i = gan_sampler_about(s);
    *d = (struct gan__study_data){.size = i->height * i->width * i->channels,
                                  .height = i->height,
                                  .width = i->width,
                                  .channels = i->channels,
                                  .range = i->range,
                                  .resize = i->resize};
    size_t n = (size_t)(GAN__STUDY_IMAGES * d->size);
    d->real = gan__alloc_array(n, sizeof *d->real);
    d->fake = gan__alloc_array(n, sizeof *d->fake);
    if (d->real == NULL || d->fake == NULL) {
        return gan__fail_nomem(err, n * sizeof *d->real, "images");
    }
    return load(d, spec, false, d->real, err);
}

void gan__study_data_release(struct gan__study_data *d)
{
    gan__free(d->real);
    gan__free(d->fake);
    *d = (struct gan__study_data){0};
}

/* NAN when the samples are no numbers. */
static gan_status measure(const float *x, const float *y, int64_t size, double *distance,
                          gan_err *err)
{
    gan_err own = {0};
    *distance = gan_sliced_wasserstein(x, y, GAN__STUDY_IMAGES, size, DIRECTIONS, SEED, &own);
    return own.code == GAN_OK ? GAN_OK : gan__fail(err, own.code, "%s", own.message);
}

gan_status gan__study_distance(struct gan__study_data *d, const char *spec, const char *path,
                               double *distance, gan_err *err)
{
    gan_sampler *s = NULL;
    gan_status status = gan_sampler_open(path, NULL, &s, err);
    if (status == GAN_OK && d->real == NULL) {
        status = gan__study_data_open(d, spec, s, err);
    }
    if (status == GAN_OK) {
        status = gan_sampler_images(s, SEED, 0, GAN__STUDY_IMAGES, d->fake, err);
    }
    if (status == GAN_OK) {
        status = measure(d->real, d->fake, d->size, distance, err);
    }
    gan_sampler_close(s);
    return status;
}

gan_status gan__study_floor(const struct gan__study_data *d, const char *spec, double *distance,
                            gan_err *err)
{
    GAN_TRY(load(d, spec, true, d->fake, err));
    return measure(d->real, d->fake, d->size, distance, err);
}

/* --- samples to look at --------------------------------------------------------------------------- */

static uint8_t gray_of(float v, gan_range range)
{
    double value = (double)v, x = range == GAN_RANGE_SIGNED ? (value + 1) * 127.5 : value * 255;
    return (uint8_t)(x > 0 ? x < 255 ? x + .5 : 255 : 0);
}

gan_status gan__study_tile(struct gan__study_tiles *t, const float *images,
                           const struct gan__study_grid *g, gan_err *err)
{
    size_t h = (size_t)g->height, row = (size_t)(g->width * g->channels);
    size_t columns = (size_t)g->columns, channels = (size_t)g->channels;
    size_t stride = columns * row + (columns - 1) * channels;
    t->height = (size_t)g->rows * (h + 1) - 1;
    t->width = stride / channels;
    t->channels = channels;
    t->pixels = gan__alloc(t->height * stride);
    if (t->pixels == NULL) {
        return gan__fail_nomem(err, t->height * stride, "samples");
    }
    memset(t->pixels, 255, t->height * stride);
    for (size_t k = 0; k < (size_t)(g->rows * g->columns); k++) {
        const float *image = images + k * h * row;
        uint8_t *dst = t->pixels + k / columns * (h + 1) * stride + k % columns * (row + channels);
        for (size_t i = 0; i < h * row; i++) {
            dst[i / row * stride + i % row] = gray_of(image[i], g->range);
        }
    }
    return GAN_OK;
}

/* --- the log of a run ------------------------------------------------------------------------------- */

gan_status gan__study_log_open(struct gan__study_log *l, const char *dir, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    size_t size;
    *l = (struct gan__study_log){0};
    GAN_TRY(gan__path_join(path, sizeof path, dir, "log.jsonl", err));
    GAN_TRY(gan__file_read(path, LOG_LIMIT, &l->text, &size, err));
    l->next = l->text != NULL ? l->text : "";
    return GAN_OK;
}

void gan__study_log_close(struct gan__study_log *l)
{
    gan__free(l->text);
    *l = (struct gan__study_log){0};
}

bool gan__study_log_next(struct gan__study_log *l)
{
    l->line = l->next;
    const char *end = strchr(l->line, '\n');
    l->next = end != NULL ? end + 1 : l->line + strlen(l->line);
    return end != NULL;
}

/* What follows "NAME": in the line, NULL where it has no such member. */
static const char *member(const struct gan__study_log *l, const char *name)
{
    char key[WORD];
    if (!gan__format(key, sizeof key, "\"%s\":", name)) {
        return NULL;
    }
    const char *at = strstr(l->line, key);
    return at != NULL && at < l->next ? at + strlen(key) : NULL;
}

double gan__study_log_number(const struct gan__study_log *l, const char *name)
{
    char text[WORD];
    double value;
    const char *at = member(l, name);
    return at != NULL && gan__format(text, sizeof text, "%.*s", (int)strcspn(at, ",}\n"), at) &&
                   gan__parse_f64(text, &value)
               ? value
               : (double)NAN;
}

gan_status gan__study_length(const char *dir, double *steps, double *seconds, gan_err *err)
{
    struct gan__study_log l;
    GAN_TRY(gan__study_log_open(&l, dir, err));
    while (gan__study_log_next(&l)) {
        double time = gan__study_log_number(&l, "time_s");
        *seconds = isfinite(time) ? time : *seconds; /* some lines have none */
        *steps = gan__study_log_number(&l, "step");
    }
    gan__study_log_close(&l);
    return GAN_OK;
}

void gan__study_log_text(const struct gan__study_log *l, const char *name, char *dst, size_t cap)
{
    const char *at = member(l, name);
    if (at == NULL || at[0] != '"' ||
        !gan__format(dst, cap, "%.*s", (int)strcspn(at + 1, "\"\n"), at + 1)) {
        dst[0] = '\0';
    }
}

/* --- alarms ----------------------------------------------------------------------------------------- */

/* Adds a name to a list with commas, or takes it away. There is one alarm of a name at most. */
static void note(char *list, size_t cap, const char *name, bool over)
{
    size_t used = strlen(list), n = strlen(name);
    char *at = strstr(list, name);
    if (!over && at == NULL) {
        (void)gan__format(list + used, cap - used, "%s%s", used > 0 ? ", " : "", name);
    } else if (over && at != NULL) {
        const char *rest = at + n;
        rest += strspn(rest, ", ");
        memmove(at, rest, strlen(rest) + 1);
        used = strlen(list);
        if (gan__ends_with(list, ", ")) {
            list[used - 2] = '\0';
        }
    }
}

gan_status gan__study_alarms(const char *dir, char *dst, size_t cap, gan_err *err)
{
    struct gan__study_log l;
    char name[WORD], state[WORD];
    dst[0] = '\0';
    GAN_TRY(gan__study_log_open(&l, dir, err));
    while (gan__study_log_next(&l)) {
        gan__study_log_text(&l, "alarm", name, sizeof name);
        gan__study_log_text(&l, "state", state, sizeof state);
        if (name[0] != '\0') {
            note(dst, cap, name, strcmp(state, "over") == 0);
        }
    }
    gan__study_log_close(&l);
    return GAN_OK;
}
