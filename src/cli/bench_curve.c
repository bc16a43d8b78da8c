/* bench_curve.c: gan bench curve: does the curve of a training tell how good its samples are?
 *
 * Trainings keep checkpoints; at each the sliced Wasserstein distance of samples to data is set
 * against what the discriminator's objective estimates there: the critic's gap E f(x) - E f(x~),
 * which estimates the Wasserstein distance up to a factor, or log 2 - L/2 of the discriminator's
 * cross-entropy L, which is a lower bound of the Jensen-Shannon divergence. Spearman's rank
 * correlation over the checkpoints is the answer: WGAN's paper claims that the first falls with
 * the quality of samples and the second does not.
 * Ref: Arjovsky et al. 2017, arXiv:1701.07875, section 4.2, figures 3 and 4 (median filter
 * included). */
#include "out.h"
#include "study.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/number.h"
#include "base/str.h"

#include <gan/measure.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SEEDS = 8, MOST_POINTS = 1000, MOST_LINES = 4096, SEEDS = 1 };

enum estimate { GAP, JENSEN_SHANNON };

static const struct recipe {
    const char *name, *estimate_name;
    enum estimate estimate;
    struct gan_setting set[8];
} recipes[] = {
    {"wgan",
     "E f(x) - E f(G(z))",
     GAP,
     {{"loss", "wasserstein"},
      {"reg", "clip:.01"},
      {"n-critic", "5"},
      {"optim-gen", "rmsprop:2e-4"},
      {"optim-disc", "rmsprop:2e-4"}}},
    {"wgan-gp",
     "E f(x) - E f(G(z))",
     GAP,
     {{"loss", "wasserstein"},
      {"reg", "gp:10"},
      {"n-critic", "5"},
      {"optim-gen", "adam:2e-4,.5,.9"},
      {"optim-disc", "adam:2e-4,.5,.9"}}},
    {"minimax",
     "log 2 - L/2 (nats)",
     JENSEN_SHANNON,
     {{"loss", "minimax"},
      {"optim-gen", "adam:2e-4,.5,.999"},
      {"optim-disc", "adam:2e-4,.5,.999"}}},
    {"gan",
     "log 2 - L/2 (nats)",
     JENSEN_SHANNON,
     {{"loss", "nonsaturating"},
      {"optim-gen", "adam:2e-4,.5,.999"},
      {"optim-disc", "adam:2e-4,.5,.999"}}},
    {"gan-5", /* a discriminator as near its optimum as the critics are */
     "log 2 - L/2 (nats)",
     JENSEN_SHANNON,
     {{"loss", "nonsaturating"},
      {"n-critic", "5"},
      {"optim-gen", "adam:2e-4,.5,.999"},
      {"optim-disc", "adam:2e-4,.5,.999"}}},
};

/* Generators: a perceptron, and a small DCGAN; the discriminator is a DCGAN's. */
static const struct shape {
    const char *name;
    struct gan_setting set[2];
} shapes[] = {
    {"mlp", {{"arch", "robust-mlp"}, {"width", "16"}}},
    {"dcgan", {{"arch", "robust-baseline"}, {"width", "8"}}},
};

static const struct gan_setting common[] = {
    {"size", "32"},
    {"batch", "32"},
    {"steps", "2000"},
    {"log-every", "2"},
    {"checkpoint-every", "50"},
    {"sample-every", "500"},
    {"keep", "1000000"},
};

enum {
    RECIPES = sizeof recipes / sizeof *recipes,
    SHAPES = sizeof shapes / sizeof *shapes,
    KINDS = RECIPES * SHAPES,
    CELLS = KINDS * MOST_SEEDS
};

/* A training as seen at its checkpoints. */
struct course {
    const struct shape *shape;
    const struct recipe *recipe;
    int seed;
    int n; /* checkpoints */
    double step[MOST_POINTS], estimate[MOST_POINTS], distance[MOST_POINTS];
    double correlation; /* of estimate and distance */
};

struct study {
    struct gan__cells cells;
    struct gan__cell cell[CELLS];
    struct course course[CELLS];
    struct gan__study_data data;
    const char *spec;
};

static gan_status list_cells(struct study *t, const struct gan__cmdline *a,
                             const struct gan__bench_opts *o, gan_err *err)
{
    int64_t seeds = o->seeds > 0 ? o->seeds : SEEDS;
    if (seeds > MOST_SEEDS) {
        return gan__fail(err, GAN_E_RANGE, "--seeds is %d, allowed 1 to %d for curve", (int)seeds,
                         MOST_SEEDS);
    }
    for (int i = 0; i < (int)seeds * KINDS; i++) {
        const struct shape *shape = &shapes[i / RECIPES % SHAPES];
        const struct recipe *r = &recipes[i % RECIPES];
        struct gan__cell *c = &t->cells.cell[t->cells.n];
        *c = (struct gan__cell){.model = "plain", .data = t->spec};
        (void)gan__format(c->seed, sizeof c->seed, "%d", i / KINDS + 1);
        (void)gan__format(c->name, sizeof c->name, "%s-%s-%s", shape->name, r->name, c->seed);
        if (!gan__study_wants(o, c->name)) {
            continue;
        }
        t->course[t->cells.n++] =
            (struct course){.shape = shape, .recipe = r, .seed = i / KINDS + 1};
        gan__study_settings(c, shape->set, sizeof shape->set / sizeof *shape->set);
        gan__study_settings(c, common, sizeof common / sizeof *common);
        gan__study_settings(c, r->set, sizeof r->set / sizeof *r->set);
        GAN_TRY(gan__study_line(c, a, err));
        gan__cell_set(c, "seed", c->seed);
    }
    return GAN_OK;
}

/* --- a training at its checkpoints ------------------------------------------------------------------ */

static double median(double *value, int n)
{
    gan__sort_f64(value, (size_t)n);
    return n == 0 ? (double)NAN : (value[(n - 1) / 2] + value[n / 2]) / 2;
}

static double estimate_of(const struct gan__study_log *l, enum estimate e)
{
    return e == GAP ? gan__study_log_number(l, "disc.gap")
                    : log(2) - gan__study_log_number(l, "loss.disc") / 2;
}

/* At each checkpoint the median of the lines since the one before. */
static gan_status read_estimates(struct course *c, const char *dir, gan_err *err)
{
    struct gan__study_log l;
    double value[MOST_LINES];
    int at = 0, n = 0;
    GAN_TRY(gan__study_log_open(&l, dir, err));
    while (at < c->n && gan__study_log_next(&l)) {
        double step = gan__study_log_number(&l, "step"), v = estimate_of(&l, c->recipe->estimate);
        while (at < c->n && step > c->step[at]) {
            c->estimate[at++] = median(value, n);
            n = 0;
        }
        if (isfinite(v) && n < MOST_LINES) {
            value[n++] = v;
        }
    }
    for (; at < c->n; n = 0) {
        c->estimate[at++] = median(value, n);
    }
    gan__study_log_close(&l);
    return GAN_OK;
}

/* "step-00000050.safetensors" -> 50; false for other names. */
static bool step_of(const char *name, double *step)
{
    static const char prefix[] = "step-", suffix[] = ".safetensors";
    char digits[32];
    if (!gan__starts_with(name, prefix) || !gan__ends_with(name, suffix)) {
        return false;
    }
    int n = (int)(strlen(name) - strlen(prefix) - strlen(suffix));
    return n > 0 && gan__format(digits, sizeof digits, "%.*s", n, name + strlen(prefix)) &&
           gan__parse_f64(digits, step);
}

/* Names are sorted, and so are the steps in them. */
static gan_status read_distances(struct study *t, struct course *c, const char *dir, gan_err *err)
{
    char folder[GAN_PATH_TEXT_MAX], path[GAN_PATH_TEXT_MAX];
    char **names = NULL;
    size_t n = 0;
    double step;
    GAN_TRY(gan__path_join(folder, sizeof folder, dir, "checkpoints", err));
    gan_status status = gan__list_dir(folder, &names, &n, err);
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        if (c->n == MOST_POINTS || !step_of(names[i], &step)) {
            continue;
        }
        c->step[c->n] = step;
        status = gan__path_join(path, sizeof path, folder, names[i], err);
        if (status == GAN_OK) {
            status = gan__study_distance(&t->data, t->spec, path, &c->distance[c->n++], err);
        }
    }
    gan__list_free(names, n);
    return status;
}

static gan_status follow(struct study *t, const struct gan__cell *cell, struct course *c,
                         gan_err *err)
{
    char dir[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__cell_path(&t->cells, cell, "", dir, sizeof dir, err));
    GAN_TRY(read_distances(t, c, dir, err));
    GAN_TRY(read_estimates(c, dir, err));
    gan_err own = {0};
    c->correlation = gan_rank_correlation(c->estimate, c->distance, c->n, &own);
    return own.code == GAN_OK ? GAN_OK : gan__fail(err, own.code, "%s", own.message);
}

/* --- what is shown ---------------------------------------------------------------------------------- */

static void print_text(const struct study *t)
{
    (void)puts("| generator | training | seed | checkpoints | rank correlation | estimate, first "
               "to last | "
               "distance, first to last |\n|---|---|---|---|---|---|---|");
    for (int i = 0; i < t->cells.n; i++) {
        const struct course *c = &t->course[i];
        if (c->n > 0) {
            (void)printf("| %s | %s | %d | %d | %+.2f | %.4g to %.4g | %.4g to %.4g |\n",
                         c->shape->name, c->recipe->name, c->seed, c->n, c->correlation,
                         c->estimate[0], c->estimate[c->n - 1], c->distance[0],
                         c->distance[c->n - 1]);
        }
    }
}

static void json_numbers(struct gan__json *j, const char *name, const double *value, int n)
{
    gan__json_open(j, name, '[');
    for (int i = 0; i < n; i++) {
        gan__json_f64(j, NULL, value[i]);
    }
    gan__json_close(j, ']');
}

static void print_json(const struct study *t)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_open(&j, "trainings", '[');
    for (int i = 0; i < t->cells.n; i++) {
        const struct course *c = &t->course[i];
        if (c->n > 0) {
            gan__json_open(&j, NULL, '{');
            gan__json_text(&j, "generator", c->shape->name);
            gan__json_text(&j, "recipe", c->recipe->name);
            gan__json_i64(&j, "seed", c->seed);
            gan__json_f64(&j, "rank_correlation", c->correlation);
            json_numbers(&j, "step", c->step, c->n);
            json_numbers(&j, "estimate", c->estimate, c->n);
            json_numbers(&j, "distance", c->distance, c->n);
            gan__json_close(&j, '}');
        }
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

/* A row for each recipe: the curve, and the distance; a colour for each generator and seed. */
static gan_status write_figure(const struct study *t, gan_err *err)
{
    static const struct gan_axis step = {.label = "step"}, distance = {.label = "sliced distance"};
    gan_figure *f = gan_figure_new(
        RECIPES, 2 * SHAPES, &(struct gan_figure_opts){.panel_width = 400, .panel_height = 290});
    char title[64];
    for (int i = 0; i < t->cells.n; i++) {
        const struct course *c = &t->course[i];
        const struct gan_axis estimate = {.label = c->recipe->estimate_name};
        int row = (int)(c->recipe - recipes), column = 2 * (int)(c->shape - shapes);
        if (c->n > 0) {
            gan_panel *p = gan_figure_panel(f, row, column);
            (void)gan__format(title, sizeof title, "%s, %s", c->shape->name, c->recipe->name);
            gan_panel_title(p, title);
            gan_panel_x(p, &step);
            gan_panel_y(p, &estimate);
            gan_plot_line(p, c->step, c->estimate, (size_t)c->n, NULL);
            p = gan_figure_panel(f, row, column + 1);
            gan_panel_x(p, &step);
            gan_panel_y(p, &distance);
            gan_plot_line(p, c->step, c->distance, (size_t)c->n,
                          &(struct gan_style){.color = GAN_COLOR_ORANGE});
        }
    }
    return gan__study_figure(f, t->cells.dir, "curve.png", err);
}

static gan_status curve(struct study *t, const struct gan__cmdline *a,
                        const struct gan__bench_opts *o, gan_err *err)
{
    GAN_TRY(list_cells(t, a, o, err));
    GAN_TRY(gan__study_run(&t->cells, o, err));
    for (int i = 0; i < t->cells.n; i++) {
        if (t->cell[i].done) {
            GAN_TRY(follow(t, &t->cell[i], &t->course[i], err));
        }
    }
    (o->json ? print_json : print_text)(t);
    return write_figure(t, err);
}

static gan_status run(const struct gan__cmdline *a, const struct gan__bench_opts *o, gan_err *err)
{
    struct study *t = gan__alloc(sizeof *t);
    if (t == NULL) {
        return gan__fail_nomem(err, sizeof *t, "trainings");
    }
    t->cells =
        (struct gan__cells){.dir = o->at.out != NULL ? o->at.out : "bench-curve", .cell = t->cell};
    t->spec = o->at.data != NULL ? o->at.data : "fashion-mnist";
    gan_status status = curve(t, a, o, err);
    gan__study_data_release(&t->data);
    gan__free(t);
    return status;
}

GAN_BENCH(curve) = {
    .name = "curve",
    .usage = "gan bench curve [--out DIR] [--data SPEC] [--seeds N] [--jobs N] [--cells TEXT] "
             "[options of gan train]",
    .about = "curve: does the loss tell how good samples are? WGAN, WGAN-GP, minimax and "
             "non-saturating trainings (gan: one update of D, gan-5: five) of a perceptron and a "
             "DCGAN: rank correlation, over the checkpoints, of what the "
             "discriminator's objective estimates with the sliced Wasserstein distance of samples "
             "to data. DIR/curve.png shows both.",
    .run = run,
};
