/* bench_modes.c: gan bench modes: which recipes find all modes of the ring and of the grid.
 *
 * Networks, data and scoring are PacGAN's: G 2 -> 4 x 400 with batch norm -> 2, D 2m -> 3 x 200
 * maxout of 5 -> 1, batch 100, 2,500 samples, a mode is found when a sample lies within 3
 * deviations.
 * Ref: Lin et al. 2018, arXiv:1712.04086, section 4.1 and table 1. */
#include "out.h"
#include "study.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/measure.h>
#include <gan/sample.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLES = 2500, SAMPLE_SEED = 7, MOST_CELLS = 400, TEXT = 64 };

struct recipe {
    const char *name, *model;
    int seeds; /* unless --seeds says otherwise */
    struct gan_setting set[12];
};

#define ADAM                                                                                       \
    {"optim-gen", "adam:1e-4,.8,.999"},                                                            \
    {                                                                                              \
        "optim-disc", "adam:1e-4,.8,.999"                                                          \
    }

/* The best first: an experiment that is interrupted has the figures that matter. Its G has no norm:
 * the statistics of a batch of 100 shake samples by more than a mode of the grid is wide. */
static const struct recipe recipes[] = {
    {"rpgan-r1-r2",
     "plain",
     5,
     {{"loss", "rpgan"},
      {"norm-gen", "none"},
      {"reg", "r1:.1,r2:.1"},
      {"ema", "100000"},
      {"optim-gen", "adam:2e-3,0,.99@linear"},
      {"optim-disc", "adam:2e-3,0,.99@linear"}}},
    {"gan", "plain", 3, {{"loss", "nonsaturating"}, ADAM}},
    {"pacgan2", "plain", 3, {{"loss", "nonsaturating"}, {"pack", "2"}, ADAM}},
    {"wgan-gp",
     "plain",
     3,
     {{"loss", "wasserstein"},
      {"reg", "gp:.1"},
      {"n-critic", "5"},
      {"optim-gen", "adam:1e-4,.5,.9"},
      {"optim-disc", "adam:1e-4,.5,.9"}}},
    {"sngan-hinge", "plain", 3, {{"loss", "hinge"}, {"reg", "sn"}, ADAM}},
    {"unrolled", "unrolled", 3, {{"unroll", "5"}, ADAM}},
};

enum { RECIPES = sizeof recipes / sizeof recipes[0] };

/* Published means: modes, share of high quality in percent, reverse KL. */
static const struct published {
    const char *recipe, *data, *text;
} published[] = {
    {"gan", "ring8", "6.3 ± .5 / 98.2 / .45"},
    {"gan", "grid25", "17.3 ± .8 / 94.8 / .70"},
    {"pacgan2", "ring8", "7.9 ± .1 / 95.6 / .07"},
    {"pacgan2", "grid25", "23.8 ± .7 / 91.3 / .13"},
};

static const char *const sets[] = {"ring8", "grid25"};

static const char *paper(const char *recipe, const char *data)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        if (strcmp(published[i].recipe, recipe) == 0 && strcmp(published[i].data, data) == 0) {
            return published[i].text;
        }
    }
    return "";
}

/* --- cells ---------------------------------------------------------------------------------------- */

/* The length is 20,000 unless the command line says otherwise. */
static const struct gan_setting common[] = {
    {"arch", "pacgan"},           {"batch", "100"}, {"steps", "20000"}, {"sample-every", "4000"},
    {"checkpoint-every", "5000"}, {"keep", "1"},
};

static gan_status add_cell(struct gan__cells *e, const struct gan__cmdline *a,
                           const struct gan__bench_opts *o, const struct recipe *r,
                           const char *data, int seed, gan_err *err)
{
    static const char *const specs[] = {"toy:ring8", "toy:grid25"};
    struct gan__cell *c = &e->cell[e->n];
    *c = (struct gan__cell){.model = r->model, .data = specs[strcmp(data, sets[0]) != 0]};
    (void)gan__format(c->name, sizeof c->name, "%s-%s-%d", data, r->name, seed);
    (void)gan__format(c->seed, sizeof c->seed, "%d", seed);
    if (e->n + 1 < MOST_CELLS && gan__study_wants(o, c->name)) {
        gan__study_settings(c, common, sizeof common / sizeof *common);
        gan__study_settings(c, r->set, sizeof r->set / sizeof *r->set);
        GAN_TRY(gan__study_line(c, a, err));
        gan__cell_set(c, "seed", c->seed);
        e->n++;
    }
    return GAN_OK;
}

static gan_status list_cells(struct gan__cells *e, const struct gan__cmdline *a,
                             const struct gan__bench_opts *o, gan_err *err)
{
    for (int k = 0; k < RECIPES; k++) {
        int seeds = o->seeds > 0 ? (int)o->seeds : recipes[k].seeds;
        for (int seed = 1; seed <= seeds; seed++) {
            for (size_t d = 0; d < 2; d++) {
                GAN_TRY(add_cell(e, a, o, &recipes[k], sets[d], seed, err));
            }
        }
    }
    return GAN_OK;
}

/* --- scores --------------------------------------------------------------------------------------- */

static gan_status score(const struct gan__cells *e, const struct gan__cell *c,
                        struct gan_mode_count *out, gan_err *err)
{
    char dir[GAN_PATH_TEXT_MAX];
    struct gan_mode_set set;
    gan_sampler *s = NULL;
    float *xy = gan__alloc_array((size_t)2 * SAMPLES, sizeof *xy);
    gan_status status =
        xy != NULL ? GAN_OK : gan__fail_nomem(err, sizeof(float) * 2 * SAMPLES, "samples");
    if (status == GAN_OK) {
        status = gan__cell_path(e, c, "", dir, sizeof dir, err);
    }
    if (status == GAN_OK) {
        status = gan_toy_modes(c->data + strlen("toy:"), &set, err);
    }
    if (status == GAN_OK) {
        status = gan_sampler_open(dir, NULL, &s, err);
    }
    if (status == GAN_OK) {
        status = gan_sampler_images(s, SAMPLE_SEED, 0, SAMPLES, xy, err);
    }
    if (status == GAN_OK) {
        status = gan_count_modes(&set, xy, SAMPLES, out, err);
    }
    gan_sampler_close(s);
    gan__free(xy);
    return status;
}

/* Mean and standard deviation (n - 1) of up to MOST_SEEDS values. */
enum { MOST_SEEDS = 100 };
struct series {
    double value[MOST_SEEDS];
    int n;
};

static void put(struct series *s, double v)
{
    if (s->n < MOST_SEEDS && isfinite(v)) {
        s->value[s->n++] = v;
    }
}

static double mean(const struct series *s)
{
    double sum = 0;
    for (int i = 0; i < s->n; i++) {
        sum += s->value[i];
    }
    return s->n > 0 ? sum / s->n : (double)NAN;
}

static double deviation(const struct series *s)
{
    double m = mean(s), sum = 0;
    for (int i = 0; i < s->n; i++) {
        sum += (s->value[i] - m) * (s->value[i] - m);
    }
    return s->n > 1 ? sqrt(sum / (s->n - 1)) : 0;
}

struct row {
    const char *recipe, *data;
    struct series modes, quality, kl;
    int failed, missing;
};

/* "seed-" and what stands before it: the cells of one recipe on one set. */
static bool belongs(const struct gan__cell *c, const struct row *r)
{
    char prefix[GAN__CELL_NAME];
    (void)gan__format(prefix, sizeof prefix, "%s-%s-", r->data, r->recipe);
    return strncmp(c->name, prefix, strlen(prefix)) == 0 &&
           strchr(c->name + strlen(prefix), '-') == NULL;
}

static gan_status fill_row(const struct gan__cells *e, struct row *r, gan_err *err)
{
    for (int i = 0; i < e->n; i++) {
        const struct gan__cell *c = &e->cell[i];
        struct gan_mode_count m;
        if (!belongs(c, r)) {
            continue;
        }
        r->failed += c->failed;
        r->missing += !c->done && !c->failed;
        if (c->done) {
            GAN_TRY(score(e, c, &m, err));
            put(&r->modes, m.modes);
            put(&r->quality, 100 * m.high_quality);
            put(&r->kl, m.reverse_kl);
        }
    }
    return GAN_OK;
}

static void json_series(struct gan__json *j, const char *name, const struct series *s)
{
    gan__json_open(j, name, '{');
    gan__json_f64(j, "mean", mean(s));
    gan__json_f64(j, "deviation", deviation(s));
    gan__json_open(j, "values", '[');
    for (int i = 0; i < s->n; i++) {
        gan__json_f64(j, NULL, s->value[i]);
    }
    gan__json_close(j, ']');
    gan__json_close(j, '}');
}

static void print_row(struct gan__json *j, const struct row *r)
{
    if (j != NULL) {
        gan__json_open(j, NULL, '{');
        gan__json_text(j, "data", r->data);
        gan__json_text(j, "recipe", r->recipe);
        json_series(j, "modes", &r->modes);
        json_series(j, "high_quality_percent", &r->quality);
        json_series(j, "reverse_kl_nats", &r->kl);
        gan__json_i64(j, "failed", r->failed);
        gan__json_text(j, "published", paper(r->recipe, r->data));
        gan__json_close(j, '}');
        return;
    }
    (void)printf("| %s | %s | %d | %.1f ± %.1f | %.1f ± %.1f | %.2f ± %.2f | %d | %s |\n", r->data,
                 r->recipe, r->modes.n, mean(&r->modes), deviation(&r->modes), mean(&r->quality),
                 deviation(&r->quality), mean(&r->kl), deviation(&r->kl), r->failed,
                 paper(r->recipe, r->data));
}

static gan_status print_table(const struct gan__cells *e, bool json, gan_err *err)
{
    struct gan__json j = {0};
    if (json) {
        gan__json_open(&j, NULL, '{');
        gan__json_open(&j, "rows", '[');
    } else {
        (void)puts("| data | recipe | seeds | modes | high quality % | reverse KL | failed | "
                   "published modes / % / KL |\n|---|---|---|---|---|---|---|---|");
    }
    for (size_t d = 0; d < 2; d++) {
        for (int k = 0; k < RECIPES; k++) {
            struct row r = {.recipe = recipes[k].name, .data = sets[d]};
            GAN_TRY(fill_row(e, &r, err));
            if (r.modes.n + r.failed > 0) {
                print_row(json ? &j : NULL, &r);
            }
        }
    }
    if (json) {
        gan__json_close(&j, ']');
        gan__json_close(&j, '}');
    }
    return GAN_OK;
}

static gan_status run(const struct gan__cmdline *a, const struct gan__bench_opts *o, gan_err *err)
{
    struct gan__cells e = {.dir = o->at.out != NULL ? o->at.out : "bench-modes"};
    e.cell = gan__alloc_array(MOST_CELLS, sizeof *e.cell);
    if (e.cell == NULL) {
        return gan__fail_nomem(err, MOST_CELLS * sizeof *e.cell, "trainings");
    }
    gan_status status = list_cells(&e, a, o, err);
    if (status == GAN_OK) {
        status = gan__study_run(&e, o, err);
    }
    if (status == GAN_OK) {
        status = print_table(&e, o->json, err);
    }
    gan__free(e.cell);
    return status;
}

GAN_BENCH(modes) = {
    .name = "modes",
    .usage = "gan bench modes [--out DIR] [--seeds N] [--jobs N] [--cells TEXT] [options of gan "
             "train]",
    .about = "modes: recipes on the ring of 8 and the grid of 25 Gaussians with PacGAN's networks "
             "and scoring: modes found, share of samples within three deviations, reverse KL of "
             "the modes. Trainings run side by side; the command given again goes on where it was "
             "interrupted.",
    .run = run,
};
