/* exp_mode_collapse.c: generators that make few of the modes, modes that go round, two remedies, and
 * things that are counted wrong.
 *
 * Points: the ring and the grid on which modes are counted (Lin et al. 2018, arXiv:1712.04086, section
 * 4.1). A generator whose critic cannot keep up sits on the mode that the critic likes best, the critic
 * learns that it is fake, and the generator moves on (Metz et al. 2016, arXiv:1611.02163, figure 2). */
#include "counting.h"
#include "theory.h"
#include "toy.h"

#include "base/philox.h"
#include "base/str.h"

#include <gan/measure.h>

#include <math.h>
#include <string.h>

enum {
    BATCH = 64,
    LOOK = 512,
    LATENT = 16,
    LOOKS = 41,
    WIDTH = 128,
    SHOTS = 5,
    RECIPES = 5,
    REMEDIES = 2,
    RUNS = 3, /* trainings of each on the ring: one may hold its modes by luck */
    TOGETHER = RECIPES + REMEDIES,
    LAGS = 11
};
static const double pi = 3.14159265358979323846;

struct recipe {
    const char *name, *loss, *regs, *optim_disc, *optim_gen;
    int64_t pack, ahead, critic; /* critic: its updates for one of the generator */
};

/* What is seen of one training. */
struct course {
    double step[LOOKS], modes[LOOKS], good[LOOKS];
    double share[LOOKS][GAN_MODES_MAX]; /* of the samples, by nearest mode */
    double moved[LOOKS]; /* share of noise vectors whose mode is another than before */
    float shot[SHOTS][2 * LOOK];
};

static const struct recipe losses[RECIPES] = {
    {"nonsaturating", "nonsaturating", "", "adam:1e-3,.5,.999@linear", "adam:1e-3,.5,.999@linear",
     1, 0, 1},
    {"lsgan", "lsgan", "", "adam:1e-3,.5,.999@linear", "adam:1e-3,.5,.999@linear", 1, 0, 1},
    {"wasserstein + gp", "wasserstein", "gp:1", "adam:1e-3,0,.9@linear", "adam:5e-4,0,.9@linear", 1,
     0, 2},
    {"hinge + sn", "hinge", "sn", "adam:2e-3,0,.9@linear", "adam:1e-3,0,.9@linear", 1, 0, 1},
    {"rpgan + r1 + r2", "rpgan", "r1:.1,r2:.1", "adam:1e-3,0,.99@linear", "adam:1e-3,0,.99@linear",
     1, 0, 1},
};
/* The first loss again, with each remedy. */
static const struct recipe remedies[REMEDIES] = {
    {"packed by 4", "nonsaturating", "", "adam:1e-3,.5,.999@linear", "adam:1e-3,.5,.999@linear", 4,
     0, 1},
    {"unrolled by 5", "nonsaturating", "", "adam:1e-3,.5,.999@linear", "adam:1e-3,.5,.999@linear",
     1, 5, 1},
};

/* --- a training, looked at ---------------------------------------------------------------------------- */

static void draw_real(struct gan__rng *rng, const struct gan_mode_set *set, int n, float *x)
{
    for (int i = 0; i < n; i++) {
        const double *c = set->centre[gan__rng_below(rng, (uint64_t)set->modes)];
        x[2 * i] = (float)(c[0] + set->deviation * gan__rng_normal(rng));
        x[2 * i + 1] = (float)(c[1] + set->deviation * gan__rng_normal(rng));
    }
}

static int nearest(const struct gan_mode_set *set, const float *x)
{
    int best = 0;
    double least = (double)INFINITY;
    for (int k = 0; k < set->modes; k++) {
        const double d = hypot((double)x[0] - set->centre[k][0], (double)x[1] - set->centre[k][1]);
        if (d < least) {
            least = d;
            best = k;
        }
    }
    return best;
}

/* x [LOOK,2] of the noise that every look has; mode [LOOK]: where it was, and is. */
static void look(struct gan__lab *l, const struct gan_mode_set *set, const float *x, int *mode,
                 struct course *c, int at)
{
    struct gan_mode_count count;
    struct gan_mode_set wide = *set;
    wide.deviation *= 10. / 3;
    if (!gan__lab_ok(l, gan_count_modes(&wide, x, LOOK, &count, l->err))) {
        return;
    }
    c->modes[at] = count.modes;
    c->good[at] = count.high_quality;
    for (int i = 0; i < LOOK; i++) {
        const int now = nearest(set, x + 2 * i);
        c->share[at][now] += 1.0 / LOOK;
        c->moved[at] += at > 0 && now != mode[i] ? 1.0 / LOOK : 0;
        mode[i] = now;
    }
    for (int k = 0; k < SHOTS; k++) {
        if (at == k * (LOOKS - 1) / (SHOTS - 1)) {
            memcpy(c->shot[k], x, sizeof c->shot[k]);
        }
    }
}

static void train(struct gan__lab *l, const struct gan_mode_set *set, const struct recipe *r,
                  int steps, uint64_t seed, struct course *c)
{
    float real[2 * BATCH], z[BATCH * LATENT], x[2 * LOOK];
    float *same = (float *)gan__lab_array(l, LOOK * LATENT / 2);
    int mode[LOOK] = {0};
    struct gan__rng rng;
    struct gan__toy *t = gan__toy_new(l, &(struct gan__toy_opts){.loss = r->loss,
                                                                 .regs = r->regs,
                                                                 .optim_disc = r->optim_disc,
                                                                 .optim_gen = r->optim_gen,
                                                                 .size = 2,
                                                                 .latent = LATENT,
                                                                 .width = WIDTH,
                                                                 .depth = 2,
                                                                 .gen_width = WIDTH,
                                                                 .gen_depth = 2,
                                                                 .relu = true,
                                                                 .batch = BATCH,
                                                                 .look = LOOK,
                                                                 .pack = r->pack,
                                                                 .ahead = r->ahead,
                                                                 .steps = steps,
                                                                 .seed = seed});
    gan__rng_init(&rng, gan__stream_key(seed, 0, 0, gan__hash_text("mode-collapse")));
    memset(c, 0, sizeof *c);
    if (same != NULL) {
        gan__toy_noise(&rng, LOOK * LATENT, same);
    }
    for (int s = 0; s <= steps && l->status == GAN_OK; s++) {
        if (s % (steps / (LOOKS - 1)) == 0) {
            const int at = s / (steps / (LOOKS - 1));
            gan__toy_generate(l, t, same, x);
            c->step[at] = s;
            look(l, set, x, mode, c, at);
        }
        for (int k = 0; k < (int)r->critic; k++) {
            draw_real(&rng, set, BATCH, real);
            gan__toy_noise(&rng, BATCH * LATENT, z);
            gan__toy_disc_step(l, t, real, z);
        }
        gan__toy_noise(&rng, BATCH * LATENT, z);
        gan__toy_gen_step(l, t, real, z);
    }
    gan__toy_free(t);
}

/* --- what is measured ---------------------------------------------------------------------------------- */

/* exp of the entropy of the shares: 1 when all samples are at one mode, M when M modes share evenly. */
static double effective(const double *share, int modes)
{
    double entropy = 0;
    for (int k = 0; k < modes; k++) {
        entropy -= share[k] > 0 ? share[k] * log(share[k]) : 0;
    }
    return exp(entropy);
}

static int dominant(const double *share, int modes)
{
    int best = 0;
    for (int k = 1; k < modes; k++) {
        best = share[k] > share[best] ? k : best;
    }
    return best;
}

/* Over the later half of a training. */
struct habit {
    double modes, largest, moved, changes; /* changes: of a mode that holds more than half */
};

static struct habit habit_of(const struct course *c, int modes)
{
    struct habit h = {0, 0, 0, 0};
    int holder = -1;
    for (int i = LOOKS / 2; i < LOOKS; i++) {
        const int best = dominant(c->share[i], modes);
        h.modes += effective(c->share[i], modes) / (LOOKS - LOOKS / 2);
        h.largest += c->share[i][best] / (LOOKS - LOOKS / 2);
        h.moved += c->moved[i] / (LOOKS - LOOKS / 2);
        if (c->share[i][best] > 0.5) {
            h.changes += holder >= 0 && best != holder;
            holder = best;
        }
    }
    return h;
}

/* The mean habit of RUNS courses of one recipe, which lie TOGETHER apart. */
static struct habit habits_of(const struct course *c, int modes)
{
    struct habit mean = {0, 0, 0, 0};
    for (int run = 0; run < RUNS; run++) {
        const struct habit h = habit_of(&c[run * TOGETHER], modes);
        mean.modes += h.modes / RUNS;
        mean.largest += h.largest / RUNS;
        mean.moved += h.moved / RUNS;
        mean.changes += h.changes / RUNS;
    }
    return mean;
}

/* Correlation of the shares, less 1/M, with those some looks later, in the later half; 1 at 0. */
static void autocorrelation(const struct course *c, int modes, double *r, int lags)
{
    double own = 0;
    for (int lag = 0; lag < lags; lag++) {
        double sum = 0;
        for (int i = LOOKS / 2; i + lag < LOOKS; i++) {
            for (int k = 0; k < modes; k++) {
                sum += (c->share[i][k] - 1.0 / modes) * (c->share[i + lag][k] - 1.0 / modes) /
                       (LOOKS - LOOKS / 2 - lag);
            }
        }
        own = lag == 0 ? sum : own;
        r[lag] = sum / own;
    }
}

/* --- figures ----------------------------------------------------------------------------------------------- */

static void film(struct gan__lab *l, const struct course *c, const char *name, const char *set)
{
    char title[64], caption[200];
    gan_figure *f = gan_figure_new(
        RECIPES, SHOTS, &(struct gan_figure_opts){.panel_width = 330, .panel_height = 290});
    for (int k = 0; k < RECIPES; k++) {
        for (int j = 0; j < SHOTS; j++) {
            double x[LOOK], y[LOOK];
            for (int i = 0; i < LOOK; i++) {
                x[i] = (double)c[k].shot[j][2 * i];
                y[i] = (double)c[k].shot[j][2 * i + 1];
            }
            gan_panel *p = gan_figure_panel(f, k, j);
            (void)gan__format(title, sizeof title, "after %.0f updates",
                              c[k].step[j * (LOOKS - 1) / (SHOTS - 1)]);
            gan_panel_title(p, j == 0 ? losses[k].name : title);
            gan_panel_x(p, &(struct gan_axis){.low = -2, .high = 2});
            gan_panel_y(p, &(struct gan_axis){.low = -2, .high = 2});
            gan_plot_points(p, x, y, LOOK, &(struct gan_style){.size = 5, .alpha = 0.5});
        }
    }
    (void)gan__format(
        caption, sizeof caption,
        "Samples over training, a loss in each row, on the left before it. The data are %s.", set);
    gan__lab_figure(l, f, name, caption);
}

static void curves(struct gan__lab *l, const struct course *c, const char *name, const char *set)
{
    char title[64], caption[320];
    const double *column[1 + 2 * RECIPES] = {c[0].step};
    gan_figure *f = gan_figure_new(1, 2, NULL);
    for (int side = 0; side < 2; side++) {
        gan_panel *p = gan_figure_panel(f, 0, side);
        (void)gan__format(title, sizeof title, "%s: %s", set,
                          side == 0 ? "modes found" : "samples of high quality");
        gan_panel_title(p, title);
        gan_panel_x(p, &(struct gan_axis){.label = "updates of the generator"});
        gan_panel_y(p, &(struct gan_axis){.label = side == 0 ? "modes" : "share of the samples"});
        for (int k = 0; k < RECIPES; k++) {
            column[1 + 2 * k + side] = side == 0 ? c[k].modes : c[k].good;
            gan_plot_line(p, c[k].step, column[1 + 2 * k + side], LOOKS,
                          &(struct gan_style){.label = losses[k].name, .width = 2});
        }
    }
    (void)gan__format(
        caption, sizeof caption,
        "%s: a mode is found when one of %d samples lies within ten deviations of it, "
        "as samples of high quality do.",
        set, LOOK);
    gan__lab_figure(l, f, name, caption);
    gan__lab_table(
        l, name,
        "step,nonsaturating_modes,nonsaturating_good,lsgan_modes,lsgan_good,wgan_gp_modes,"
        "wgan_gp_good,hinge_sn_modes,hinge_sn_good,rpgan_modes,rpgan_good",
        column, LOOKS);
}

/* Shares over steps, modes in their order round the ring. */
static void heat(struct gan__lab *l, gan_panel *p, const struct gan_mode_set *ring,
                 const struct course *c, const char *title)
{
    double *z = gan__lab_array(l, (size_t)ring->modes * LOOKS);
    for (int k = 0; z != NULL && k < ring->modes; k++) {
        const double turn = atan2(ring->centre[k][1], ring->centre[k][0]) * ring->modes / (2 * pi);
        const int row = ((int)lround(turn) + ring->modes) % ring->modes;
        for (int i = 0; i < LOOKS; i++) {
            z[row * LOOKS + i] = c->share[i][k];
        }
    }
    gan_panel_title(p, title);
    gan_panel_x(p, &(struct gan_axis){.label = "updates of the generator"});
    gan_panel_y(p, &(struct gan_axis){.label = "mode, round the ring"});
    if (z != NULL) {
        gan_plot_heat(p,
                      &(struct gan_surface){z, LOOKS, (size_t)ring->modes, 0, c->step[LOOKS - 1],
                                            -0.5, ring->modes - 0.5},
                      &(struct gan_style){.low = 0, .high = 1, .bar = "share"});
    }
}

static void rotation(struct gan__lab *l, const struct gan_mode_set *ring,
                     const struct course *plain, const struct course *stable)
{
    double r[2][LAGS], lag[LAGS];
    gan_figure *f = gan_figure_new(1, 3, &(struct gan_figure_opts){.panel_width = 560});
    gan_panel *p = gan_figure_panel(f, 0, 2);
    heat(l, gan_figure_panel(f, 0, 0), ring, plain, "nonsaturating, no regulariser");
    heat(l, gan_figure_panel(f, 0, 1), ring, stable, "rpgan + r1 + r2");
    autocorrelation(plain, ring->modes, r[0], LAGS);
    autocorrelation(stable, ring->modes, r[1], LAGS);
    for (int i = 0; i < LAGS; i++) {
        lag[i] = plain->step[i];
    }
    gan_panel_title(p, "shares and shares later");
    gan_panel_x(p, &(struct gan_axis){.label = "updates between"});
    gan_panel_y(p, &(struct gan_axis){.label = "autocorrelation"});
    gan_plot_line(p, lag, r[0], LAGS, &(struct gan_style){.label = "nonsaturating"});
    gan_plot_line(p, lag, r[1], LAGS, &(struct gan_style){.label = "rpgan + r1 + r2"});
    gan_plot_level(p, 0, &(struct gan_style){.color = GAN_COLOR_GRAY, .width = 1});
    gan__lab_figure(
        l, f, "rotation",
        "Which mode holds how many samples. Without a regulariser nearly all are at one, and "
        "it is another one soon: the shares forget where they were.");
    gan__lab_table(l, "rotation", "lag,nonsaturating,rpgan",
                   (const double *const[]){lag, r[0], r[1]}, LAGS);
    double forgotten = 0;
    for (int run = 0; run < RUNS; run++) {
        autocorrelation(&plain[run * TOGETHER], ring->modes, r[0], LAGS);
        forgotten += r[0][8] / RUNS;
    }
    const struct habit a = habits_of(plain, ring->modes), b = habits_of(stable, ring->modes);
    gan__lab_at_least(l, "plain GAN: share of its largest mode, later half", a.largest, 0.5);
    gan__lab_at_least(l, "plain GAN: share of noise vectors that change mode between looks",
                      a.moved, 0.1);
    gan__lab_at_least(l, "plain GAN: changes of the mode that holds more than half, in 21 looks",
                      a.changes, 1);
    gan__lab_at_most(l, "plain GAN: autocorrelation of shares eight looks apart", forgotten, 0.5);
    gan__lab_at_most(l, "rpgan + r1 + r2: share of noise vectors that change mode / plain's",
                     b.moved / a.moved, 0.75);
    gan__lab_equal(l, "rpgan + r1 + r2: changes of a mode that holds more than half", b.changes, 0,
                   0);
}

static void cured(struct gan__lab *l, const struct gan_mode_set *ring, const struct course *plain,
                  const struct course *with)
{
    const struct course *const from[1 + REMEDIES] = {plain, &with[0], &with[1]};
    double modes[1 + REMEDIES][LOOKS];
    gan_figure *f = gan_figure_new(1, 2 + REMEDIES, &(struct gan_figure_opts){.panel_width = 480});
    gan_panel *curve = gan_figure_panel(f, 0, 0);
    gan_panel_title(curve, "how many modes share the samples");
    gan_panel_x(curve, &(struct gan_axis){.label = "updates of the generator"});
    gan_panel_y(curve,
                &(struct gan_axis){.label = "exp(entropy of shares)", .low = 0, .high = 8.5});
    for (int k = 0; k <= REMEDIES; k++) {
        const char *name = k == 0 ? "plain" : remedies[k - 1].name;
        double x[LOOK], y[LOOK];
        gan_panel *p = gan_figure_panel(f, 0, 1 + k);
        for (int i = 0; i < LOOKS; i++) {
            modes[k][i] = effective(from[k]->share[i], ring->modes);
        }
        for (int i = 0; i < LOOK; i++) {
            x[i] = (double)from[k]->shot[SHOTS - 1][2 * i];
            y[i] = (double)from[k]->shot[SHOTS - 1][2 * i + 1];
        }
        gan_plot_line(curve, plain->step, modes[k], LOOKS, &(struct gan_style){.label = name});
        gan_panel_title(p, name);
        gan_panel_x(p, &(struct gan_axis){.low = -2, .high = 2});
        gan_panel_y(p, &(struct gan_axis){.low = -2, .high = 2});
        gan_plot_points(p, x, y, LOOK, &(struct gan_style){.size = 5, .alpha = 0.5});
    }
    gan__lab_figure(l, f, "remedies",
                    "The same game with a critic that judges four samples side by side, and with a "
                    "generator that looks five updates of the critic ahead. Samples at the end.");
    gan__lab_table(l, "remedies", "step,plain,packed,unrolled",
                   (const double *const[]){plain->step, modes[0], modes[1], modes[2]}, LOOKS);
    const double without = habits_of(plain, ring->modes).modes;
    gan__lab_at_least(l, "modes that share the samples, packed by 4 / plain",
                      habits_of(&with[0], ring->modes).modes / without, 1.5);
    gan__lab_at_least(l, "modes that share the samples, unrolled by 5 / plain",
                      habits_of(&with[1], ring->modes).modes / without, 1.5);
}

/* --- the experiment -------------------------------------------------------------------------------------- */

/* lsgan is drawn, not held to anything: without a regulariser it holds from a third of the ring to all
 * of it, as the seed has it. */
static void covered(struct gan__lab *l, const struct course *c, const struct gan_mode_set *set,
                    bool many)
{
    char name[96];
    double share[RECIPES];
    for (int k = 0; k < RECIPES; k++) {
        share[k] =
            (many ? habits_of(&c[k], set->modes) : habit_of(&c[k], set->modes)).modes / set->modes;
    }
    (void)gan__format(name, sizeof name, "%d modes, %s: share of the modes held, later half",
                      set->modes, losses[0].name);
    gan__lab_at_most(l, name, share[0], 0.5);
    for (int k = 2; k < RECIPES; k++) {
        (void)gan__format(name, sizeof name, "%d modes, %s: the same, more than %s", set->modes,
                          losses[k].name, losses[0].name);
        gan__lab_at_least(l, name, share[k] - share[0], 0.1);
    }
}

static uint64_t seed_of(const struct gan__lab *l, int run)
{
    return run == 0 ? l->seed + 1
                    : gan__stream_key(l->seed, 1, (uint64_t)run, gan__hash_text("mode-collapse"));
}

static void run(struct gan__lab *l)
{
    const size_t room = RUNS * TOGETHER * sizeof(struct course) / sizeof(double) + 1;
    struct course *c = (struct course *)gan__lab_array(l, room);
    struct gan_mode_set ring, grid;
    const int steps = l->quick ? 400 : 3000;
    if (c == NULL || !gan__lab_ok(l, gan_toy_modes("ring8", &ring, l->err)) ||
        !gan__lab_ok(l, gan_toy_modes("25gaussians", &grid, l->err))) {
        return;
    }
    for (int i = 0; i < RUNS * TOGETHER; i++) {
        const int k = i % TOGETHER;
        const struct recipe *r = k < RECIPES ? &losses[k] : &remedies[k - RECIPES];
        train(l, &ring, r, steps, seed_of(l, i / TOGETHER), &c[i]);
    }
    if (l->status == GAN_OK) {
        film(l, c, "ring-film", "eight Gaussians on a ring");
        curves(l, c, "ring", "eight Gaussians");
        covered(l, c, &ring, true);
        rotation(l, &ring, &c[0], &c[RECIPES - 1]);
        cured(l, &ring, &c[0], &c[RECIPES]);
    }
    for (int k = 0; k < RECIPES && !l->quick; k++) {
        train(l, &grid, &losses[k], steps, l->seed + 1, &c[k]);
    }
    if (l->status == GAN_OK && !l->quick) {
        film(l, c, "grid-film", "25 Gaussians on a grid");
        curves(l, c, "grid", "25 Gaussians");
        covered(l, c, &grid, false);
    }
    gan__lab_counting(l);
}

GAN_EXPERIMENT(mode_collapse) = {
    .name = "mode-collapse",
    .title = "Modes that are missing, modes that go round, two remedies, and counting",
    .claim =
        "A generator may answer a critic with one point, the one that the critic likes best. The "
        "critic "
        "learns that it is fake, the generator moves on, and the game goes round the modes without "
        "reaching all of them (Goodfellow 2016, section 5.1; Metz et al. 2016).\n"
        "Five losses of the library play on a ring of eight Gaussians, and at length on a grid of "
        "25, with "
        "the same small networks. The nonsaturating loss without a regulariser sits on one or two "
        "modes; "
        "the map of shares over steps shows them change, and their autocorrelation falls to "
        "nothing. "
        "The others hold more, those with a regulariser most modes from early on; least squares "
        "alone "
        "hold a third of the ring with one seed and all of it with another. Each plays three times "
        "on the ring, and means are held against what is expected.\n"
        "Two remedies leave that loss as it is. Packing lets the critic judge four samples side by "
        "side, so "
        "that four alike give themselves away (Lin et al. 2018). Unrolling lets the generator see "
        "the critic of "
        "five updates later, which has punished a single point already (Metz et al. 2016).\n"
        "GANs also get counts and places wrong (Goodfellow 2016, figures 29 and 30). Pictures are "
        "composed of exactly three sneakers in nine cells, seen from one side; the light in a cell "
        "tells whether one is there, which is right on unseen pictures. You see fakes with two, "
        "four "
        "or five things. Some cells are preferred early in training; at length places come out "
        "about "
        "even, and counts do not come out right.",
    .ref = "Goodfellow 2016, arXiv:1701.00160, section 5.1; Metz et al. 2016, arXiv:1611.02163; "
           "Lin et "
           "al. 2018, arXiv:1712.04086",
    .run = run,
};
