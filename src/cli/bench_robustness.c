/* bench_robustness.c: gan bench robustness: which recipes train seven architectures, from DCGAN to
 * networks that are hard to train.
 *
 * The table of WGAN-GP's paper at a reduced scale: Fashion-MNIST at 32 pixels, width 8 and batch 16
 * instead of 64 and 64, 600 generator updates instead of 200,000. All four recipes keep their
 * optimiser and get five times their learning rate, WGAN-GP ten times: with five, the smooth fakes of
 * `constant` are still alike at the end of some trainings. A cell trains when the sliced Wasserstein
 * distance of its samples to the data is at most half of the untrained generator's and no alarm of
 * the monitor stands at the end.
 * Ref: Gulrajani et al. 2017, arXiv:1704.00028, figure 2. */
#include "out.h"
#include "study.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <gan/plot.h>

#include <stdio.h>
#include <string.h>

enum { TEXT = 96, ALARMS = 128, TILES = 4, PANEL_WIDTH = 290, PANEL_HEIGHT = 265 };

static const char *const archs[] = {"baseline", "constant", "mlp",      "nonorm",
                                    "gated",    "tanh",     "resnet101"};

static const struct recipe {
    const char *name;
    struct gan_setting set[8];
} recipes[] = {
    {"dcgan",
     {{"loss", "nonsaturating"},
      {"optim-gen", "adam:1e-3,.5,.999"},
      {"optim-disc", "adam:1e-3,.5,.999"}}},
    {"lsgan", {{"loss", "lsgan"}, {"optim-gen", "rmsprop:5e-4"}, {"optim-disc", "rmsprop:5e-4"}}},
    {"wgan",
     {{"loss", "wasserstein"},
      {"reg", "clip:.01"},
      {"n-critic", "5"},
      {"optim-gen", "rmsprop:2.5e-4"},
      {"optim-disc", "rmsprop:2.5e-4"}}},
    {"wgan-gp",
     {{"loss", "wasserstein"},
      {"reg", "gp:10"},
      {"n-critic", "5"},
      {"optim-gen", "adam:1e-3,0,.9"},
      {"optim-disc", "adam:1e-3,0,.9"}}},
};

static const struct gan_setting common[] = {
    {"size", "32"},
    {"width", "8"},
    {"batch", "16"},
    {"steps", "600"},
    {"time", "3m"},
    {"monitor-every", "25"},
    {"checkpoint-every", "100"},
    {"sample-every", "100"},
    {"keep", "1"},
};

enum {
    ARCHS = sizeof archs / sizeof *archs,
    RECIPES = sizeof recipes / sizeof *recipes,
    CELLS = ARCHS * RECIPES
};

/* What came of one cell. */
struct score {
    const char *arch, *recipe;
    char name[GAN__CELL_NAME]; /* of the cell */
    bool there, trains;
    int exit_code;
    double distance, untrained;
    double steps, seconds; /* of training */
    char alarms[ALARMS];   /* that stand at the end, "" for none */
    struct gan__study_tiles tiles;
};

struct table {
    struct gan__cells cells;
    struct gan__cell cell[CELLS];
    struct score score[CELLS];
    char arch_name[ARCHS][TEXT];
    struct gan__study_data data;
    const char *spec;
    double floor; /* distance of data to data */
};

/* --- cells ---------------------------------------------------------------------------------------- */

static gan_status list_cells(struct table *t, const struct gan__cmdline *a,
                             const struct gan__bench_opts *o, gan_err *err)
{
    for (int i = 0; i < CELLS; i++) {
        const struct recipe *r = &recipes[i % RECIPES];
        struct score *s = &t->score[i];
        s->arch = archs[i / RECIPES];
        s->recipe = r->name;
        (void)gan__format(t->arch_name[i / RECIPES], TEXT, "robust-%s", s->arch);
        (void)gan__format(s->name, sizeof s->name, "%s-%s", s->arch, s->recipe);
        if (!gan__study_wants(o, s->name)) {
            continue;
        }
        struct gan__cell *c = &t->cells.cell[t->cells.n++];
        *c = (struct gan__cell){.model = "plain", .data = t->spec};
        (void)gan__copy(c->name, sizeof c->name, s->name);
        gan__cell_set(c, "arch", t->arch_name[i / RECIPES]);
        gan__study_settings(c, common, sizeof common / sizeof *common);
        gan__study_settings(c, r->set, sizeof r->set / sizeof *r->set);
        GAN_TRY(gan__study_line(c, a, err));
    }
    return GAN_OK;
}

/* --- scores --------------------------------------------------------------------------------------- */

/* A run of no steps beside the cell's: its checkpoint is the generator before training. */
static gan_status untrained(const struct gan__cells *e, const struct gan__cell *c, char *dir,
                            size_t cap, gan_err *err)
{
    struct gan__cell none = *c;
    gan__cell_set(&none, "steps", "0");
    const struct gan_train_cfg cfg = {
        .model = c->model, .data = c->data, .out = dir, .set = none.set, .n_set = none.n_set};
    GAN_TRY(gan__cell_path(e, c, "-untrained", dir, cap, err));
    return gan__path_exists(dir) ? GAN_OK : gan_train(&cfg, NULL, NULL, err);
}

static gan_status fill(struct table *t, const struct gan__cell *c, struct score *s, gan_err *err)
{
    char dir[GAN_PATH_TEXT_MAX];
    GAN_TRY(untrained(&t->cells, c, dir, sizeof dir, err));
    GAN_TRY(gan__study_distance(&t->data, t->spec, dir, &s->untrained, err));
    GAN_TRY(gan__cell_path(&t->cells, c, "", dir, sizeof dir, err));
    GAN_TRY(gan__study_distance(&t->data, t->spec, dir, &s->distance, err));
    GAN_TRY(gan__study_tile(&s->tiles, t->data.fake,
                            &(struct gan__study_grid){TILES, TILES, t->data.height, t->data.width,
                                                      t->data.channels, t->data.range},
                            err));
    GAN_TRY(gan__study_length(dir, &s->steps, &s->seconds, err));
    GAN_TRY(gan__study_alarms(dir, s->alarms, sizeof s->alarms, err));
    s->exit_code = c->exit_code;
    s->there = true;
    s->trains = c->exit_code == 0 && s->alarms[0] == '\0' && s->distance <= s->untrained / 2;
    return GAN_OK;
}

/* Cells that diverged are scored by their last good state; others that failed have none. */
static gan_status fill_all(struct table *t, gan_err *err)
{
    for (int i = 0; i < CELLS; i++) {
        for (int k = 0; k < t->cells.n; k++) {
            const struct gan__cell *c = &t->cells.cell[k];
            if (strcmp(c->name, t->score[i].name) == 0 &&
                (c->done || (c->failed && c->exit_code == 3))) {
                GAN_TRY(fill(t, c, &t->score[i], err));
            }
        }
    }
    return t->data.real != NULL ? gan__study_floor(&t->data, t->spec, &t->floor, err) : GAN_OK;
}

/* --- what is shown ---------------------------------------------------------------------------------- */

/* "trains", or why not. */
static const char *verdict(const struct score *s)
{
    return s->trains              ? "trains"
           : s->alarms[0] != '\0' ? s->alarms
           : s->exit_code != 0    ? "diverged"
                                  : "too far";
}

static int trained(const struct table *t, int recipe)
{
    int n = 0;
    for (int i = recipe; i < CELLS; i += RECIPES) {
        n += t->score[i].trains;
    }
    return n;
}

static void print_text(const struct table *t)
{
    (void)printf("| architecture |");
    for (int k = 0; k < RECIPES; k++) {
        (void)printf(" %s |", recipes[k].name);
    }
    (void)printf("\n|---|---|---|---|---|\n");
    for (int i = 0; i < CELLS; i++) {
        const struct score *s = &t->score[i];
        if (i % RECIPES == 0) {
            (void)printf("| %s |", s->arch);
        }
        if (s->there) {
            (void)printf(" %.2f %s |", s->distance / s->untrained, verdict(s));
        } else {
            (void)printf(" |");
        }
        if (i % RECIPES == RECIPES - 1) {
            (void)printf("\n");
        }
    }
    (void)printf("| trained |");
    for (int k = 0; k < RECIPES; k++) {
        (void)printf(" %d |", trained(t, k));
    }
    (void)printf("\n");
}

static void print_json(const struct table *t)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_f64(&j, "data_to_data", t->floor);
    gan__json_open(&j, "cells", '[');
    for (int i = 0; i < CELLS; i++) {
        const struct score *s = &t->score[i];
        if (s->there) {
            gan__json_open(&j, NULL, '{');
            gan__json_text(&j, "arch", s->arch);
            gan__json_text(&j, "recipe", s->recipe);
            gan__json_bool(&j, "trains", s->trains);
            gan__json_f64(&j, "distance", s->distance);
            gan__json_f64(&j, "untrained", s->untrained);
            gan__json_f64(&j, "ratio", s->distance / s->untrained);
            gan__json_text(&j, "alarms", s->alarms);
            gan__json_i64(&j, "exit_code", s->exit_code);
            gan__json_f64(&j, "steps", s->steps);
            gan__json_f64(&j, "seconds", s->seconds);
            gan__json_close(&j, '}');
        }
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

/* Rows are architectures, columns recipes. */
static gan_status write_sheet(const struct table *t, gan_err *err)
{
    char title[TEXT];
    gan_figure *f = gan_figure_new(
        ARCHS, RECIPES,
        &(struct gan_figure_opts){.panel_width = PANEL_WIDTH, .panel_height = PANEL_HEIGHT});
    for (int i = 0; i < CELLS; i++) {
        const struct score *s = &t->score[i];
        if (!s->there) {
            continue;
        }
        gan_panel *p = gan_figure_panel(f, i / RECIPES, i % RECIPES);
        (void)gan__format(title, sizeof title, "%s, %s: %.2f %s", s->arch, s->recipe,
                          s->distance / s->untrained, s->trains ? "trains" : "fails");
        gan_panel_title(p, title);
        gan_panel_bare(p);
        gan_panel_equal(p);
        gan_plot_image(p, s->tiles.pixels, s->tiles.height, s->tiles.width, s->tiles.channels);
    }
    return gan__study_figure(f, t->cells.dir, "sheet.png", err);
}

static gan_status robustness(struct table *t, const struct gan__cmdline *a,
                             const struct gan__bench_opts *o, gan_err *err)
{
    GAN_TRY(list_cells(t, a, o, err));
    GAN_TRY(gan__study_run(&t->cells, o, err));
    GAN_TRY(fill_all(t, err));
    (o->json ? print_json : print_text)(t);
    return write_sheet(t, err);
}

static gan_status run(const struct gan__cmdline *a, const struct gan__bench_opts *o, gan_err *err)
{
    struct table *t = gan__alloc(sizeof *t);
    if (t == NULL) {
        return gan__fail_nomem(err, sizeof *t, "trainings");
    }
    t->cells = (struct gan__cells){.dir = o->at.out != NULL ? o->at.out : "bench-robustness",
                                   .cell = t->cell};
    t->spec = o->at.data != NULL ? o->at.data : "fashion-mnist";
    gan_status status = robustness(t, a, o, err);
    for (int i = 0; i < CELLS; i++) {
        gan__free(t->score[i].tiles.pixels);
    }
    gan__study_data_release(&t->data);
    gan__free(t);
    return status;
}

GAN_BENCH(robustness) = {
    .name = "robustness",
    .usage = "gan bench robustness [--out DIR] [--data SPEC] [--jobs N] [--cells TEXT] [options of "
             "gan train]",
    .about =
        "robustness: seven architectures with the recipes of DCGAN, LSGAN, WGAN and WGAN-GP on "
        "Fashion-MNIST at 32 pixels, at a reduced width: distance of samples to data (sliced "
        "Wasserstein) over that of the untrained generator. A cell trains when that is .5 or "
        "less and no alarm stands. DIR/sheet.png shows samples of all.",
    .run = run,
};
