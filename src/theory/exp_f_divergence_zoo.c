/* exp_f_divergence_zoo.c: every f-divergence of the losses: its variational bound against its value, and what a
 * model that cannot fit everything keeps under it.
 *
 * Bounds are computed by the library's own losses (fgan-*): two samples of 2000 points on 17 places,
 * scored by the best critic v = g_f^-1(f'(p/q)). Means over such samples are sums over the places, so
 * the bound of the best critic is the divergence to rounding, and any other critic's is below.
 * Nowozin, Cseke, Tomioka 2016, arXiv:1606.00709, eq. 4 to 6, table 1, section 4.1. */
#include "gaussian.h"
#include "theory.h"

#include "base/str.h"

#include <gan/divergence.h>
#include <gan/loss.h>
#include <gan/plan.h>

#include <math.h>

enum { PLACES = 17, COUNT = 2000, GRID = 300, SHIFTS = 21 };

/* A divergence of the paper: of the library's value d it is factor d^power + shift. */
struct member {
    const char *loss;
    gan_divergence kind;
    double power, factor, shift;
    double (*best)(double log_u); /* the best critic's score, u = p/q */
};

static double best_tv(double r)
{
    return r > 0 ? 40 : -40; /* tanh(20) = 1 to rounding */
}

static double best_kl(double r)
{
    return 1 + r;
}

static double best_log(double r)
{
    return r;
}

static double best_pearson(double r)
{
    return 2 * expm1(r);
}

static double best_neyman(double r)
{
    return 2 * r;
}

static double best_hellinger(double r)
{
    return r / 2;
}

/* log 4: that of the GAN's value at the optimum */
static const struct member members[] = {
    {"fgan-tv", GAN_TV, 1, 1, 0, best_tv},
    {"fgan-kl", GAN_KL, 1, 1, 0, best_kl},
    {"fgan-rkl", GAN_REVERSE_KL, 1, 1, 0, best_log},
    {"fgan-pearson", GAN_PEARSON, 1, 1, 0, best_pearson},
    {"fgan-neyman", GAN_NEYMAN, 1, 1, 0, best_neyman},
    {"fgan-hellinger", GAN_HELLINGER, 2, 2, 0, best_hellinger},
    {"fgan-js", GAN_JS, 1, 2, 0, best_log},
    {"fgan-gan", GAN_JS, 1, 2, -1.38629436111989061883, best_log},
};

enum { MEMBERS = sizeof members / sizeof *members };

/* --- bounds ------------------------------------------------------------------------------------- */

/* Counts of the places under a Gaussian, each at least 1, COUNT together. */
static void counts(double mean, double deviation, int *count, double *p)
{
    int sum = 0, top = 0;
    double total = 0, density[PLACES];
    for (int i = 0; i < PLACES; i++) {
        total += density[i] = gan__normal_density(i - PLACES / 2, mean, deviation);
    }
    for (int i = 0; i < PLACES; i++) {
        count[i] = 1 + (int)(density[i] / total * (COUNT - PLACES));
        sum += count[i];
        top = count[i] > count[top] ? i : top;
    }
    count[top] += COUNT - sum;
    for (int i = 0; i < PLACES; i++) {
        p[i] = (double)count[i] / COUNT;
    }
}

static void scores(const int *count, const double *score, double shift, double *out)
{
    for (int i = 0, k = 0; i < PLACES; i++) {
        for (int c = 0; c < count[i]; c++) {
            out[k++] = score[i] + shift;
        }
    }
}

/* A loss of scores at reals and fakes as a plan. */
static gan_plan *make_plan(struct gan__lab *l, const char *name)
{
    const struct gan_loss *loss = gan_loss_find(name, l->err);
    if (loss == NULL) {
        gan__lab_ok(l, GAN_E_ARG);
        return NULL;
    }
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    const gan_val real = gan_feed(g, "real", GAN_F64, GAN_SHAPE(COUNT, 1));
    const gan_val fake = gan_feed(g, "fake", GAN_F64, GAN_SHAPE(COUNT, 1));
    const gan_val out = gan_loss_disc(loss, g, real, fake);
    gan_plan *p = gan_plan_new(g, &out, 1, &(struct gan_plan_opts){.backend = "ref"}, l->err);
    gan_graph_free(g);
    if (p == NULL) {
        gan__lab_ok(l, l->err->code);
    }
    return p;
}

/* The bound: minus what the critic minimises. */
static double bound(struct gan__lab *l, gan_plan *p, double *real, double *fake)
{
    const gan_tensor a = {GAN_F64, GAN_SHAPE(COUNT, 1), real};
    const gan_tensor b = {GAN_F64, GAN_SHAPE(COUNT, 1), fake};
    const struct gan_feed_data feeds[] = {{"real", a}, {"fake", b}};
    const struct gan_run run = {.feeds = feeds, .n_feeds = 2};
    return gan__lab_ok(l, gan_plan_run(p, &run, l->err))
               ? -*(const double *)gan_plan_output(p, 0)->data
               : (double)NAN;
}

/* The bound with the best critic moved by each of the shifts: the divergence at 0, less elsewhere. */
static void check_bound(struct gan__lab *l, const struct member *m, gan_panel *panel, double *real,
                        double *fake)
{
    int n_p[PLACES], n_q[PLACES];
    double p[PLACES], q[PLACES], score[PLACES], value = (double)NAN, shift[SHIFTS], gap[SHIFTS];
    double above = -(double)INFINITY;
    char name[96];
    counts(-0.5, 2, n_p, p);
    counts(0.8, 2.6, n_q, q);
    for (int i = 0; i < PLACES; i++) {
        score[i] = m->best(log(p[i] / q[i]));
    }
    gan__lab_ok(l, gan_divergence_discrete(m->kind, p, q, PLACES, &value, NULL, NULL, l->err));
    value = m->factor * pow(value, m->power) + m->shift;
    gan_plan *plan = l->status == GAN_OK ? make_plan(l, m->loss) : NULL;
    for (int k = 0; k < SHIFTS && plan != NULL; k++) {
        shift[k] = (k - SHIFTS / 2) / 5.0;
        scores(n_p, score, shift[k], real);
        scores(n_q, score, shift[k], fake);
        gap[k] = value - bound(l, plan, real, fake);
        above = fmax(above, -gap[k]);
    }
    gan_plan_free(plan);
    if (l->status != GAN_OK) {
        return;
    }
    (void)gan__format(name, sizeof name, "%s: bound of the best critic", m->loss);
    gan__lab_equal(l, name, value - gap[SHIFTS / 2], value, 1e-12);
    (void)gan__format(name, sizeof name, "%s: other critics' bound - divergence", m->loss);
    gan__lab_at_most(l, name, above, 1e-12);
    const bool last = m == &members[MEMBERS - 1]; /* fgan-gan: the same curve as fgan-js */
    if (m->kind != GAN_TV && !last) {             /* tv: its best critic is anything large */
        const char *label = m->kind == GAN_JS ? "fgan-js, fgan-gan" : m->loss;
        gan_plot_line(panel, shift, gap, SHIFTS, &(struct gan_style){.label = label});
    }
}

/* --- what is kept ------------------------------------------------------------------------------- */

static void density(double *to, double *x, double w, double m1, double s1, double m2, double s2)
{
    double sum = 0;
    for (int i = 0; i < GRID; i++) {
        x[i] = -12 + 24 * (i + 0.5) / GRID;
        sum += to[i] =
            w * gan__normal_density(x[i], m1, s1) + (1 - w) * gan__normal_density(x[i], m2, s2);
    }
    for (int i = 0; i < GRID; i++) {
        to[i] /= sum;
    }
}

struct fit {
    double mean, deviation, value;
};

static double distance(struct gan__lab *l, gan_divergence kind, const double *p, struct fit f)
{
    double q[GRID], x[GRID], value = (double)NAN;
    density(q, x, 1, f.mean, f.deviation, 0, 1);
    gan__lab_ok(l, gan_divergence_discrete(kind, p, q, GRID, &value, NULL, NULL, l->err));
    return value;
}

/* Pattern search from several starts (Hooke and Jeeves 1961). */
static struct fit best_fit(struct gan__lab *l, gan_divergence kind, const double *p)
{
    static const double means[] = {-2, 0, 2}, deviations[] = {0.7, 2};
    struct fit best = {0, 1, (double)INFINITY};
    for (int start = 0; start < 6; start++) {
        struct fit f = {means[start % 3], deviations[start / 3], 0};
        f.value = distance(l, kind, p, f);
        for (double step = 0.4; step > 1e-5 && l->status == GAN_OK;) {
            const struct fit before = f;
            for (int k = 0; k < 4; k++) {
                struct fit g = f;
                g.mean += k < 2 ? (k == 0 ? step : -step) : 0;
                g.deviation *= k < 2 ? 1 : (k == 2 ? 1 + step : 1 / (1 + step));
                g.value = distance(l, kind, p, g);
                f = g.value < f.value ? g : f;
            }
            step *= f.value < before.value ? 1 : 0.5;
        }
        best = f.value < best.value ? f : best;
    }
    return best;
}

static void check_fits(struct gan__lab *l, const struct fit *fit, const double *p, const double *x)
{
    double mean = 0, var = 0;
    for (int i = 0; i < GRID; i++) {
        mean += p[i] * x[i];
        var += p[i] * x[i] * x[i];
    }
    var -= mean * mean;
    const struct fit *kl = &fit[GAN_KL], *rkl = &fit[GAN_REVERSE_KL], *ney = &fit[GAN_NEYMAN];
    gan__lab_equal(l, "fit by KL: mean, that of the data", kl->mean, mean, 1e-3);
    gan__lab_equal(l, "fit by KL: deviation, that of the data", kl->deviation, sqrt(var), 1e-3);
    gan__lab_equal(l, "fit by reverse KL: mean, of the greater mode", rkl->mean, -2, 0.1);
    gan__lab_equal(l, "fit by reverse KL: deviation, of the mode", rkl->deviation, 0.7, 0.1);
    gan__lab_equal(l, "reverse KL there: log 1/0.65", rkl->value, -log(0.65), 0.02);
    gan__lab_at_least(l, "deviation by Pearson less by KL",
                      fit[GAN_PEARSON].deviation - kl->deviation, 0);
    gan__lab_at_most(l, "deviation by Neyman less by reverse KL", ney->deviation - rkl->deviation,
                     1e-3);
    gan__lab_at_least(l, "KL: fakes at the lesser mode (x > 0)",
                      1 - gan__normal_below(0, kl->mean, kl->deviation), 0.25);
    gan__lab_at_most(l, "reverse KL: fakes at the lesser mode",
                     1 - gan__normal_below(0, rkl->mean, rkl->deviation), 0.02);
}

static void fits(struct gan__lab *l)
{
    static const gan_divergence kinds[] = {GAN_PEARSON, GAN_KL, GAN_JS, GAN_REVERSE_KL, GAN_NEYMAN};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    struct fit fit[GAN_DIVERGENCES] = {{0}};
    double *column[KINDS + 2], *p = gan__lab_array(l, GRID), *x = gan__lab_array(l, GRID);
    for (int k = 0; k < KINDS; k++) {
        column[k + 2] = gan__lab_array(l, GRID);
    }
    if (l->status != GAN_OK) {
        return;
    }
    density(p, x, 0.65, -2, 0.7, 2, 0.7);
    gan_figure *f = gan_figure_new(1, 1, &(struct gan_figure_opts){.panel_width = 900});
    gan_panel *panel = gan_figure_panel(f, 0, 0);
    gan_panel_title(panel, "one Gaussian for two modes");
    gan_panel_x(panel, &(struct gan_axis){.label = "x", .low = -7, .high = 7});
    gan_panel_y(panel, &(struct gan_axis){.label = "mass of a cell"});
    gan_plot_line(panel, x, p, GRID,
                  &(struct gan_style){.label = "data", .color = GAN_COLOR_BLACK, .dashed = true});
    for (int k = 0; k < KINDS; k++) {
        const gan_divergence kind = kinds[k];
        double unused[GRID];
        fit[kind] = best_fit(l, kind, p);
        density(column[k + 2], unused, 1, fit[kind].mean, fit[kind].deviation, 0, 1);
        gan_plot_line(panel, x, column[k + 2], GRID,
                      &(struct gan_style){.label = gan_divergence_name(kind),
                                          .dashed = kind == GAN_JS || kind == GAN_NEYMAN});
    }
    gan__lab_figure(l, f, "modes",
                    "The Gaussian that is nearest to two modes under each divergence. Pearson and "
                    "KL cover both and put fakes between them, reverse KL and Neyman keep one.");
    column[0] = x;
    column[1] = p;
    const double *const *columns = (const double *const *)column;
    gan__lab_table(l, "modes", "x,data,pearson,kl,js,reverse_kl,neyman", columns, GRID);
    check_fits(l, fit, p, x);
}

static void run(struct gan__lab *l)
{
    double *real = gan__lab_array(l, COUNT), *fake = gan__lab_array(l, COUNT);
    if (l->status != GAN_OK) {
        return;
    }
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *panel = gan_figure_panel(f, 0, 0);
    gan_panel_title(panel, "what a critic off by a constant loses");
    gan_panel_x(panel, &(struct gan_axis){.label = "constant added to the best critic"});
    gan_panel_y(panel, &(struct gan_axis){.label = "divergence - bound", .low = 0, .high = 2});
    for (int k = 0; k < (int)MEMBERS; k++) {
        check_bound(l, &members[k], panel, real, fake);
    }
    gan__lab_figure(
        l, f, "bounds",
        "The bound touches the divergence for the best critic (0) and is below it for "
        "every other. (Total variation is left out: its best critic is any large one.)");
    fits(l);
}

GAN_EXPERIMENT(f_divergence_zoo) = {
    .name = "f-divergence-zoo",
    .title = "The f-divergences: bounds that critics reach, modes that fits keep",
    .claim =
        "Nowozin, Cseke and Tomioka (2016): for every convex f with f(1) = 0, D_f(P||Q) = sum q "
        "f(p/q) is at least E_P t - E_Q f*(t) for any function t, with equality at t = f'(p/q). "
        "So a GAN can minimise any f-divergence: the critic raises the bound, the generator "
        "lowers it. The first GAN is the case f(u) = u log u - (u+1) log(u+1).\n"
        "The library's eight f-GAN losses are given the scores of the best critic at two samples "
        "whose frequencies are known exactly: each reaches its divergence to rounding. Moved by "
        "a constant, every critic falls below (first figure).\n"
        "A critic's value is thus an estimate from below, tight only when trained to the end.\n"
        "Divergences differ in what they forgive. One Gaussian is fitted to two modes of weight "
        "0.65 and 0.35 (second figure): Pearson and KL cover both, KL matching mean and "
        "deviation of the data exactly; reverse KL and Neyman keep the greater mode and drop the "
        "other, at a price of log 1/0.65 for reverse KL.",
    .ref = "Nowozin, Cseke, Tomioka 2016, arXiv:1606.00709, eq. 4, tables 1 and 2, section 4.1",
    .run = run,
};
