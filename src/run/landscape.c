/* landscape.c: what D thinks of the plane and where it sends the fakes. The plans read the store and
 * write nothing, so a run is the same with pictures and without. */
#include "landscape.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "feeds.h"
#include "gan_config.h"
#include "rundir.h"

#include <gan/plot.h>
#include <gan/sample.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SIDE = GAN__LANDSCAPE_SIDE, POINTS = GAN__LANDSCAPE_POINTS, ARROW_EVERY = 8 };

double gan__landscape_extent(const float *points, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < 2 * n; i++) {
        double v = fabs((double)points[i]);
        most = isfinite(v) && v > most ? v : most;
    }
    return most <= 3 ? 3 : ceil(most * 1.15);
}

/* --- building ----------------------------------------------------------------------------------- */

static gan_status compile(struct gan__landscape *l, gan_err *err)
{
    const struct gan__session *s = l->session;
    const struct gan__step_cfg cfg = gan__session_step_cfg(s, POINTS, GAN_EVAL);
    struct gan_plan_opts opts = {.threads = s->threads};
    struct gan_landscape made = {.value = GAN_NONE};
    gan_step *step = gan__step_build_landscape(&cfg, &made, err);
    if (step == NULL) {
        return err->code;
    }
    gan_graph *g = gan__step_segment(step, 0)->graph;
    gan_val slope[2] = {made.fake, GAN_NONE};
    l->sloped = gan_ok(made.loss);
    if (l->sloped) {
        gan_grad(g, made.loss, &made.fake, 1, &slope[1]);
    }
    l->fields = gan__step_segment(step, 0)->fields;
    l->value = gan_plan_new(g, &made.value, 1, &opts, err);
    if (l->value != NULL) {
        l->field = gan_plan_new(g, slope, l->sloped ? 2 : 1, &opts, err);
    }
    gan__step_free(step);
    return l->field != NULL ? GAN_OK : err->code;
}

/* The first points of the training order. */
static gan_status take_real(struct gan__landscape *l, gan_err *err)
{
    struct gan_loader_cfg cfg = gan__session_loader_cfg(l->session);
    gan_loader *loader = NULL;
    const struct gan_batch *b = NULL;
    cfg.batch = POINTS;
    cfg.plain = true;
    l->data = gan__alloc_array((size_t)POINTS * 2, sizeof *l->data);
    l->labels = gan__alloc_array(POINTS, sizeof *l->labels);
    if (l->data == NULL || l->labels == NULL) {
        return gan__fail_nomem(err, (size_t)POINTS * 3 * sizeof *l->data, "points to show");
    }
    gan_status status = gan_loader_new(l->session->data, &cfg, &loader, err);
    if (status == GAN_OK) {
        status = gan_loader_next(loader, &b, err);
    }
    if (status == GAN_OK) {
        memcpy(l->data, b->images, (size_t)POINTS * 2 * sizeof *l->data);
        memcpy(l->labels, b->labels, (size_t)POINTS * sizeof *l->labels);
        l->real = *b;
        l->real.images = l->data;
        l->real.labels = l->labels;
        l->real.index = NULL;
        l->extent = gan__landscape_extent(l->data, POINTS);
    }
    gan_loader_free(loader);
    return status;
}

gan_status gan__landscape_init(struct gan__landscape *l, const struct gan__session *s, gan_err *err)
{
    *l = (struct gan__landscape){.session = s};
    const struct gan_task *t = s->task;
    bool plane = t->points && t->height * t->width * t->channels == 2;
    if (!GAN_HAVE_CAIRO || !GAN_HAVE_SPNG || !plane || s->recipe->model->landscape == NULL) {
        return GAN_OK;
    }
    GAN_TRY(take_real(l, err));
    GAN_TRY(compile(l, err));
    l->on = true;
    return GAN_OK;
}

void gan__landscape_release(struct gan__landscape *l)
{
    gan_plan_free(l->value);
    gan_plan_free(l->field);
    gan__free(l->data);
    gan__free(l->labels);
    *l = (struct gan__landscape){0};
}

/* --- evaluating --------------------------------------------------------------------------------- */

struct scene {
    double z[SIDE * SIDE];  /* D's value, row 0 at the bottom */
    double fake[2][POINTS]; /* x, y */
    double push[2][POINTS]; /* minus the slope of the generator's loss, of each fake's own part */
    float push_pairs[POINTS * 2];
    double real[2][POINTS];
    float points[POINTS * 2]; /* to be evaluated */
    float surface[SIDE * SIDE];
    float *latents;
};

static gan_status run_plan(const struct gan__landscape *l, gan_plan *plan, const struct scene *c,
                           gan_err *err)
{
    const struct gan__generator *gen = &l->session->generator;
    struct gan_feed_data feeds[GAN__MAX_FIELDS + 2];
    size_t n = gan__batch_feeds(&l->real, l->fields, feeds);
    const gan_shape at = GAN_SHAPE(POINTS, l->real.height, l->real.width, l->real.channels);
    feeds[n++] = (struct gan_feed_data){"points", {GAN_F32, at, (void *)(uintptr_t)c->points}};
    if (gen->z > 0) {
        feeds[n++] = (struct gan_feed_data){"z", {GAN_F32, GAN_SHAPE(POINTS, gen->z), c->latents}};
    }
    struct gan_run run = {
        .seed = (uint64_t)l->session->recipe->run.seed, .feeds = feeds, .n_feeds = n};
    return gan_plan_run(plan, &run, err);
}

/* D on the grid, POINTS of its places at a time: a whole number of rows. */
static gan_status find_surface(const struct gan__landscape *l, struct scene *c, gan_err *err)
{
    for (int64_t from = 0; from < SIDE * SIDE; from += POINTS) {
        for (int64_t k = 0; k < POINTS; k++) {
            int64_t i = (from + k) % SIDE, j = (from + k) / SIDE;
            c->points[2 * k] = (float)(l->extent * (2.0 * (double)i / (SIDE - 1) - 1));
            c->points[2 * k + 1] = (float)(l->extent * (2.0 * (double)j / (SIDE - 1) - 1));
        }
        GAN_TRY(run_plan(l, l->value, c, err));
        const gan_tensor *v = gan_plan_output(l->value, 0);
        const float *value = v->data;
        int64_t each = gan_shape_count(&v->shape) / POINTS;
        for (int64_t k = 0; k < POINTS; k++) {
            double sum = 0;
            for (int64_t u = 0; u < each; u++) {
                sum += (double)value[k * each + u];
            }
            c->z[from + k] = sum / (double)each;
            c->surface[from + k] = (float)c->z[from + k];
        }
    }
    return GAN_OK;
}

static gan_status find_field(const struct gan__landscape *l, struct scene *c, gan_err *err)
{
    GAN_TRY(run_plan(l, l->field, c, err));
    const float *fake = gan_plan_output(l->field, 0)->data;
    const float *slope = l->sloped ? gan_plan_output(l->field, 1)->data : NULL;
    for (int64_t k = 0; k < POINTS; k++) {
        for (int64_t u = 0; u < 2; u++) {
            c->fake[u][k] = (double)fake[2 * k + u];
            c->real[u][k] = (double)l->data[2 * k + u];
            float push = slope != NULL ? -(float)POINTS * slope[2 * k + u] : 0;
            c->push_pairs[2 * k + u] = push;
            c->push[u][k] = (double)push;
        }
    }
    return GAN_OK;
}

/* --- drawing ------------------------------------------------------------------------------------ */

/* Every eighth fake has its arrow: they stay apart. */
static void draw_field(gan_panel *p, const struct scene *c)
{
    double at[4][POINTS / ARROW_EVERY];
    for (size_t k = 0; k < POINTS / ARROW_EVERY; k++) {
        at[0][k] = c->fake[0][k * ARROW_EVERY];
        at[1][k] = c->fake[1][k * ARROW_EVERY];
        at[2][k] = c->push[0][k * ARROW_EVERY];
        at[3][k] = c->push[1][k * ARROW_EVERY];
    }
    const struct gan_style style = {.label = "the generator's push, \u2212\u2202loss/\u2202x",
                                    .color = GAN_COLOR_BLACK,

                                    .width = 2,
                                    .size = 50};
    gan_plot_arrows(p, at[0], at[1], at[2], at[3], POINTS / ARROW_EVERY, 0.5, &style);
}

static gan_status draw(const struct gan__landscape *l, const struct scene *c, int64_t step,
                       const char *path, gan_err *err)
{
    char title[160];
    double e = l->extent;
    struct gan_surface s = {c->z, SIDE, SIDE, -e, e, -e, e};
    gan_figure *f =
        gan_figure_new(1, 1, &(struct gan_figure_opts){.panel_width = 840, .panel_height = 800});
    gan_panel *p = gan_figure_panel(f, 0, 0);
    (void)gan__format(title, sizeof title, "%s on %s, step %" PRId64,
                      l->session->recipe->model->name, l->session->recipe->data, step);
    gan_panel_title(p, title);
    gan_panel_equal(p);
    gan_panel_x(p, &(struct gan_axis){.low = -e, .high = e});
    gan_panel_y(p, &(struct gan_axis){.low = -e, .high = e});
    gan_plot_contours(p, &s, NULL, 12,
                      &(struct gan_style){.filled = true, .alpha = 0.45, .bar = "D(x)"});
    gan_plot_points(p, c->real[0], c->real[1], POINTS,
                    &(struct gan_style){.label = "real", .color = GAN_COLOR_ORANGE, .size = 11});
    gan_plot_points(p, c->fake[0], c->fake[1], POINTS,
                    &(struct gan_style){.label = "fake", .color = GAN_COLOR_GREEN, .size = 6});
    if (l->sloped) {
        draw_field(p, c);
    }
    gan_status status = gan_figure_write(f, path, err);
    gan_figure_free(f);
    return status;
}

static gan_status write_arrays(const struct gan__landscape *l, const struct scene *c,
                               const char *dir, int64_t step, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    const gan_shape square = GAN_SHAPE(SIDE, SIDE), pairs = GAN_SHAPE(POINTS, 2);
    GAN_TRY(gan__rundir_sample(path, sizeof path, dir, step, "surface.npy", err));
    GAN_TRY(gan_npy_write(path, &square, c->surface, err));
    if (l->sloped) {
        GAN_TRY(gan__rundir_sample(path, sizeof path, dir, step, "push.npy", err));
        GAN_TRY(gan_npy_write(path, &pairs, c->push_pairs, err));
    }
    GAN_TRY(gan__rundir_file(path, sizeof path, dir, "samples/real.npy", err));
    return gan_npy_write(path, &pairs, l->data, err);
}

gan_status gan__landscape_write(struct gan__landscape *l, const char *dir, int64_t step,
                                const char *png, gan_err *err)
{
    const struct gan__generator *gen = &l->session->generator;
    int64_t z = gen->z > 0 ? gen->z : 1;
    struct scene *c = gan__alloc(sizeof *c);
    if (c != NULL) {
        c->latents = gan__alloc_array((size_t)(POINTS * z), sizeof *c->latents);
    }
    gan_status status = c != NULL && c->latents != NULL
                            ? GAN_OK
                            : gan__fail_nomem(err, sizeof *c, "a picture of the plane");
    if (status == GAN_OK && gen->z > 0) {
        uint64_t seed = (uint64_t)l->session->recipe->run.seed;
        gan__generator_latents(gen, seed, 0, POINTS, c->latents);
    }
    if (status == GAN_OK) {
        status = find_surface(l, c, err);
    }
    if (status == GAN_OK) {
        status = find_field(l, c, err);
    }
    if (status == GAN_OK) {
        status = write_arrays(l, c, dir, step, err);
    }
    if (status == GAN_OK) {
        status = draw(l, c, step, png, err);
    }
    gan__free(c != NULL ? c->latents : NULL);
    gan__free(c);
    return status;
}
