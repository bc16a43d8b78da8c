/* bench_zoo.c: gan bench zoo: models and recipes side by side on one data set, each with the same
 * time of one core, scored in the feature space of a classifier that the benchmark trains first.
 *
 * Every image is 32 x 32. Convolutional networks are those of arch dcgan with 16 channels next to
 * the image unless a line says otherwise; steps are those an idle core of 2023 (Zen 4) takes in about
 * 170 seconds. The papers train hundreds of times longer: the table compares what is reached soon.
 * Scores: N samples against N images of the test split, N = 10,000 where there are as many; FID
 * (Heusel et al. 2017), KID (Binkowski et al. 2018), precision and recall (Kynkaanniemi et al. 2019),
 * density and coverage (Naeem et al. 2020). */
#include "out.h"
#include "study.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/classifier.h>
#include <gan/evaluate.h>
#include <gan/plot.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_IMAGES = 10000, ROWS = 4, COLUMNS = 10, SHEET_COLUMNS = 3, SEED = 1 };
enum { PANEL_WIDTH = 440, PANEL_HEIGHT = 215, FIGURES = 6, TEXT = 96, SPEC_TEXT = 1024 };
enum { JUDGE, FIRST }; /* cells: the classifier comes before the models */

static const struct entry {
    const char *name, *model;
    struct gan_setting set[10];
} entries[] = {
    {"classifier", "classifier", {{"batch", "64"}, {"steps", "1876"}}},
    {"gan", "gan", {{"steps", "8500"}}},
    {"vae", "autoencoder", {{"kind", "vae"}, {"steps", "11000"}}},
    {"fgan",
     "fgan",
     {{"batch", "256"},
      {"optim-gen", "adam:5e-4,.5,.999"},
      {"optim-disc", "adam:5e-4,.5,.999"},
      {"steps", "2800"}}},
    {"dcgan", "dcgan", {{"width", "16"}, {"steps", "10000"}}},
    {"dcgan32", "dcgan32", {{"width", "16"}, {"steps", "5000"}}},
    {"lsgan", "lsgan", {{"width", "16"}, {"steps", "10000"}}},
    {"ttur", "ttur", {{"width", "16"}, {"ema", "2000"}, {"steps", "10000"}}},
    {"wgan",
     "wgan",
     {{"width", "16"},
      {"warm-critic", "0"},
      {"optim-gen", "rmsprop:2.5e-4"},
      {"optim-disc", "rmsprop:2.5e-4"},
      {"steps", "2800"}}},
    {"wgan-gp",
     "wgan-gp",
     {{"width", "16"},
      {"optim-gen", "adam:5e-4,0,.9"},
      {"optim-disc", "adam:5e-4,0,.9"},
      {"steps", "1500"}}},
    {"sngan", "sngan", {{"arch", "dcgan"}, {"width", "16"}, {"steps", "2700"}}},
    {"fisher",
     "fisher",
     {{"width", "16"},
      {"optim-gen", "adam:5e-4,.5,.999"},
      {"optim-disc", "adam:5e-4,.5,.999"},
      {"steps", "5500"}}},
    {"cramer",
     "cramer",
     {{"width", "16"},
      {"optim-gen", "adam:5e-4,.5,.9"},
      {"optim-disc", "adam:5e-4,.5,.9"},
      {"steps", "900"}}},
    {"mmd",
     "mmd",
     {{"width", "16"},
      {"optim-gen", "adam:5e-4,.5,.9"},
      {"optim-disc", "adam:5e-4,.5,.9"},
      {"steps", "1350"}}},
    {"coulomb", "coulomb", {{"width", "16"}, {"steps", "4600"}}},
    {"rpgan", "rpgan", {{"width", "16"}, {"ema", "2000"}, {"steps", "6000"}}},
    {"r3gan", "r3gan", {{"width", "16"}, {"batch", "32"}, {"ema", "2000"}, {"steps", "720"}}},
    {"diffaugment", "diffaugment", {{"width", "16"}, {"ema", "2000"}, {"steps", "9000"}}},
    {"cgan", "cgan", {{"net", "conv"}, {"width", "16"}, {"steps", "9800"}}},
    {"acgan", "acgan", {{"width", "16"}, {"steps", "2900"}}},
    {"sngan-projection",
     "sngan-projection",
     {{"arch", "dcgan"}, {"norm-disc", "none"}, {"width", "16"}, {"steps", "2700"}}},
};

static const struct gan_setting common[] = {
    {"size", "32"},           {"monitor-every", "0"}, {"checkpoint-every", "500"},
    {"sample-every", "5000"}, {"keep", "1"},
};

enum { CELLS = sizeof entries / sizeof *entries };

static const struct {
    const char *name, *head;
    double scale; /* in the table */
    int digits;
} figures[FIGURES] = {
    {"fid", "FID (95 % interval)", 1, 2}, {"kid", "KID ×1000", 1000, 2},
    {"precision", "precision", 1, 3},     {"recall", "recall", 1, 3},
    {"density", "density", 1, 3},         {"coverage", "coverage", 1, 3},
};

/* What came of one cell. */
struct score {
    bool there;
    double value[FIGURES], low[FIGURES], high[FIGURES];
    double steps, seconds; /* of training */
    struct gan__study_tiles tiles;
};

struct table {
    struct gan__cells cells;
    struct gan__cell cell[CELLS];
    struct score score[CELLS], data;
    struct gan_classifier_score judge;
    char hash[TEXT]; /* of the judge */
    char test[SPEC_TEXT];
    const char *spec;
    int64_t n; /* images of each side */
};

/* --- cells ---------------------------------------------------------------------------------------- */

static gan_status list_cells(struct table *t, const struct gan__cmdline *a,
                             const struct gan__bench_opts *o, gan_err *err)
{
    for (int i = 0; i < CELLS; i++) {
        struct gan__cell *c = &t->cells.cell[t->cells.n];
        if (i != JUDGE && !gan__study_wants(o, entries[i].name)) {
            continue;
        }
        *c = (struct gan__cell){.model = entries[i].model, .data = t->spec};
        (void)gan__copy(c->name, sizeof c->name, entries[i].name);
        gan__study_settings(c, common, sizeof common / sizeof *common);
        gan__study_settings(c, entries[i].set, sizeof entries[i].set / sizeof *entries[i].set);
        GAN_TRY(gan__study_line(c, a, err));
        t->cells.n++;
    }
    return t->cells.n > FIRST
               ? GAN_OK
               : gan__fail(err, GAN_E_ARG, "--cells %s: no training has that name", o->cells);
}

/* The SPEC's test images, where its kind has a split and the SPEC names none. */
static gan_status test_split(const char *spec, char *dst, size_t cap, gan_err *err)
{
    size_t len = strcspn(spec, ":?");
    const char *query = strchr(spec, '?');
    struct gan_data_kind kind;
    bool splits = false;
    for (size_t i = 0; gan_data_kind(i, &kind); i++) {
        splits = splits || (strlen(kind.name) == len && strncmp(kind.name, spec, len) == 0 &&
                            kind.opts != NULL && gan_opt_find(kind.opts, "split") != NULL);
    }
    splits = splits && (query == NULL || strstr(query, "split=") == NULL);
    return gan__format(dst, cap, "%s%s%s", spec,
                       query != NULL && splits ? "&"
                       : splits                ? "?"
                                               : "",
                       splits ? "split=test" : "")
               ? GAN_OK
               : gan__fail(err, GAN_E_RANGE, "--data %.60s..: the SPEC is too long", spec);
}

static gan_status count_images(struct table *t, gan_err *err)
{
    gan_dataset *ds = NULL;
    GAN_TRY(gan_dataset_open(t->test, &ds, err));
    int64_t count = gan_dataset_about(ds)->count, classes = gan_dataset_about(ds)->classes;
    gan_dataset_close(ds);
    t->n = count < MOST_IMAGES ? count : MOST_IMAGES;
    return classes > 1 ? GAN_OK
                       : gan__fail(err, GAN_E_ARG,
                                   "--data %s: the judge of the samples is a classifier, the data "
                                   "have no classes",
                                   t->spec);
}

/* --- scores --------------------------------------------------------------------------------------- */

static gan_status judge(struct table *t, const char *dir, int threads, gan_err *err)
{
    gan_classifier *c = NULL;
    GAN_TRY(gan_classifier_open(dir, &(struct gan_classifier_opts){.threads = threads}, &c, err));
    (void)gan__copy(t->hash, sizeof t->hash, gan_classifier_about(c)->hash);
    gan_status status = gan_classifier_measure(c, t->test, &t->judge, err);
    gan_classifier_close(c);
    return status;
}

/* Figures of a run, or of a SPEC, against the test images. */
static gan_status measure(const struct table *t, const char *what, const char *features,
                          struct score *s, gan_err *err)
{
    gan_evaluation *e = NULL;
    const struct gan_eval_cfg cfg = {.what = what,
                                     .data = t->test,
                                     .metrics = "fid,kid,prdc",
                                     .features = features,
                                     .n = t->n,
                                     .threads = t->cells.threads};
    GAN_TRY(gan_evaluate(&cfg, &e, err));
    const struct gan_eval_report *r = gan_evaluation_report(e);
    for (int k = 0; k < FIGURES; k++) {
        for (int i = 0; i < r->n * GAN_METRIC_VALUES; i++) {
            const struct gan_metric_result *m = &r->result[i / GAN_METRIC_VALUES];
            const struct gan_metric_value *v = &m->value[i % GAN_METRIC_VALUES];
            if (i % GAN_METRIC_VALUES < m->n && strcmp(v->name, figures[k].name) == 0) {
                s->value[k] = v->value;
                s->low[k] = v->low;
                s->high[k] = v->high;
            }
        }
    }
    gan_evaluation_free(e);
    s->there = true;
    return GAN_OK;
}

static gan_status tiles(const char *dir, struct score *s, gan_err *err)
{
    gan_sampler *sampler = NULL;
    GAN_TRY(gan_sampler_open(dir, NULL, &sampler, err));
    const struct gan_sampler_info *i = gan_sampler_about(sampler);
    const struct gan__study_grid grid = {ROWS, COLUMNS, i->height, i->width, i->channels, i->range};
    size_t n = (size_t)(ROWS * COLUMNS * i->height * i->width * i->channels);
    float *image = gan__alloc_array(n, sizeof *image);
    gan_status status = image != NULL
                            ? gan_sampler_images(sampler, SEED, 0, ROWS * COLUMNS, image, err)
                            : gan__fail_nomem(err, n * sizeof *image, "samples");
    if (status == GAN_OK) {
        status = gan__study_tile(&s->tiles, image, &grid, err);
    }
    gan__free(image);
    gan_sampler_close(sampler);
    return status;
}

/* A cell that diverged is scored by its last good state; others that failed have no score. */
static gan_status fill(struct table *t, gan_err *err)
{
    char dir[GAN_PATH_TEXT_MAX], features[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__cell_path(&t->cells, &t->cells.cell[JUDGE], "", dir, sizeof dir, err));
    if (!t->cells.cell[JUDGE].done) {
        return gan__fail(err, GAN_E_IO, "%s: the judge of the samples is not trained, see %s.log",
                         dir, dir);
    }
    (void)gan__format(features, sizeof features, "classifier:%s", dir);
    GAN_TRY(judge(t, dir, t->cells.threads, err));
    GAN_TRY(measure(t, t->spec, features, &t->data, err));
    for (int i = FIRST; i < t->cells.n; i++) {
        const struct gan__cell *c = &t->cells.cell[i];
        struct score *s = &t->score[i];
        gan_err own = {0};
        if (!c->done && !(c->failed && c->exit_code == 3)) {
            continue;
        }
        GAN_TRY(gan__cell_path(&t->cells, c, "", dir, sizeof dir, err));
        GAN_TRY(gan__study_length(dir, &s->steps, &s->seconds, err));
        GAN_TRY(tiles(dir, s, err));
        gan_status status = measure(t, dir, features, s, &own);
        if (status == GAN_E_FORMAT) { /* samples that carry no figure, all equal for one */
            gan__say("%s has no score: %s", c->name, own.message);
        } else if (status != GAN_OK) {
            return gan__fail(err, status, "%s", own.message);
        }
    }
    return GAN_OK;
}

/* --- what is shown ---------------------------------------------------------------------------------- */

static void print_figures(const struct score *s)
{
    for (int k = 0; k < FIGURES; k++) {
        const double scale = figures[k].scale;
        const int digits = figures[k].digits;
        if (s->there) {
            (void)printf(" %.*f", digits, scale * s->value[k]);
        }
        if (s->there && k == 0) {
            (void)printf(" (%.*f .. %.*f)", digits, scale * s->low[k], digits, scale * s->high[k]);
        }
        (void)printf(" |");
    }
    (void)printf("\n");
}

static void print_command(const struct gan__cell *c)
{
    (void)printf("    gan train %s --data '%s'", c->model, c->data);
    for (size_t i = 0; i < c->n_set; i++) {
        (void)printf(" --%s %s", c->set[i].name, c->set[i].value);
    }
    (void)printf("    # %s\n", c->name);
}

static void print_text(const struct table *t)
{
    (void)printf(
        "%lld samples of each against as many images of %s, in the features of %s/%s (hash "
        "%s), which recognises %.2f %% of %lld images.\n\n",
        (long long)t->n, t->test, t->cells.dir, entries[JUDGE].name, t->hash,
        100 * t->judge.accuracy, (long long)t->judge.n);
    (void)printf("| model | steps | seconds |");
    for (int k = 0; k < FIGURES; k++) {
        (void)printf(" %s |", figures[k].head);
    }
    (void)printf("\n|---|---|---|---|---|---|---|---|---|---|\n");
    (void)printf("| %s | | |", t->spec);
    print_figures(&t->data);
    for (int i = FIRST; i < t->cells.n; i++) {
        const struct score *s = &t->score[i];
        if (s->steps > 0) {
            (void)printf("| %s | %.0f | %.0f |", t->cells.cell[i].name, s->steps, s->seconds);
            print_figures(s);
        }
    }
    (void)printf("\n");
    for (int i = JUDGE; i < t->cells.n; i++) {
        print_command(&t->cells.cell[i]);
    }
}

static void json_score(struct gan__json *j, const char *name, const struct score *s)
{
    gan__json_open(j, NULL, '{');
    gan__json_text(j, "model", name);
    gan__json_f64(j, "steps", s->steps);
    gan__json_f64(j, "seconds", s->seconds);
    for (int k = 0; s->there && k < FIGURES; k++) {
        gan__json_open(j, figures[k].name, '{');
        gan__json_f64(j, "value", s->value[k]);
        gan__json_f64(j, "low", s->low[k]);
        gan__json_f64(j, "high", s->high[k]);
        gan__json_close(j, '}');
    }
    gan__json_close(j, '}');
}

static void print_json(const struct table *t)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_i64(&j, "n", t->n);
    gan__json_text(&j, "reals", t->test);
    gan__json_text(&j, "classifier_hash", t->hash);
    gan__json_f64(&j, "classifier_accuracy", t->judge.accuracy);
    gan__json_open(&j, "rows", '[');
    json_score(&j, t->spec, &t->data);
    for (int i = FIRST; i < t->cells.n; i++) {
        if (t->score[i].steps > 0) {
            json_score(&j, t->cells.cell[i].name, &t->score[i]);
        }
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

static gan_status write_sheet(const struct table *t, gan_err *err)
{
    char title[TEXT + GAN__CELL_NAME];
    int rows = (t->cells.n - FIRST + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    gan_figure *f = gan_figure_new(
        rows, SHEET_COLUMNS,
        &(struct gan_figure_opts){.panel_width = PANEL_WIDTH, .panel_height = PANEL_HEIGHT});
    for (int i = FIRST; i < t->cells.n; i++) {
        const struct score *s = &t->score[i];
        if (s->tiles.pixels == NULL) {
            continue;
        }
        gan_panel *p =
            gan_figure_panel(f, (i - FIRST) / SHEET_COLUMNS, (i - FIRST) % SHEET_COLUMNS);
        (void)gan__format(title, sizeof title, s->there ? "%s: FID %.2f" : "%s",
                          t->cells.cell[i].name, s->value[0]);
        gan_panel_title(p, title);
        gan_panel_bare(p);
        gan_panel_equal(p);
        gan_plot_image(p, s->tiles.pixels, s->tiles.height, s->tiles.width, s->tiles.channels);
    }
    return gan__study_figure(f, t->cells.dir, "sheet.png", err);
}

static gan_status zoo(struct table *t, const struct gan__cmdline *a,
                      const struct gan__bench_opts *o, gan_err *err)
{
    GAN_TRY(test_split(t->spec, t->test, sizeof t->test, err));
    GAN_TRY(list_cells(t, a, o, err));
    GAN_TRY(count_images(t, err));
    GAN_TRY(gan__study_run(&t->cells, o, err));
    GAN_TRY(fill(t, err));
    (o->json ? print_json : print_text)(t);
    return write_sheet(t, err);
}

static gan_status run(const struct gan__cmdline *a, const struct gan__bench_opts *o, gan_err *err)
{
    struct table *t = gan__alloc(sizeof *t);
    if (t == NULL) {
        return gan__fail_nomem(err, sizeof *t, "trainings");
    }
    t->cells =
        (struct gan__cells){.dir = o->at.out != NULL ? o->at.out : "bench-zoo", .cell = t->cell};
    t->spec = o->at.data != NULL ? o->at.data : "fashion-mnist";
    gan_status status = zoo(t, a, o, err);
    for (int i = 0; i < CELLS; i++) {
        gan__free(t->score[i].tiles.pixels);
    }
    gan__free(t);
    return status;
}

GAN_BENCH(zoo) = {
    .name = "zoo",
    .usage =
        "gan bench zoo [--out DIR] [--data SPEC] [--jobs N] [--cells TEXT] [options of gan train]",
    .about =
        "zoo: twenty models and recipes on Fashion-MNIST at 32 pixels, about three minutes of a "
        "core each, scored with FID, KID, precision, recall, density and coverage against the "
        "test images in the features of a classifier that is trained first. DIR/sheet.png "
        "shows samples of all. The command given again goes on where it was interrupted.",
    .run = run,
};
