/* exp_noise.c: noise on both sides makes the Jensen-Shannon divergence finite and smooth, and bounds
 * the Wasserstein distance.
 *
 * Both measures live on points of the line. The noise is a normal density cut off at three
 * deviations (the theorem needs a bounded support), on a fine grid; everything is summed exactly on
 * that grid. Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 3.3. */
#include "theory.h"

#include <gan/divergence.h>
#include <gan/transport.h>

#include <math.h>
#include <string.h>

enum { GRID = 2400, ATOMS = 5, MAX_V = 40 };

static const double grid_low = -2.5, grid_step = 6.0 / GRID, apart = 0.5;

struct columns {
    double v[MAX_V], js[MAX_V], w_noisy[MAX_V], bound[MAX_V], w[MAX_V], smear[MAX_V], slope[MAX_V];
    size_t n;
};

static size_t cell_of(double x)
{
    return (size_t)llround((x - grid_low) / grid_step);
}

/* Noise of about this deviation, `cut` of them far at most: weights [-reach..reach], its variance on the grid. */
static int noise_weights(double deviation, double cut, double *weight, double *variance)
{
    const int reach = (int)floor(cut * deviation / grid_step);
    double sum = 0;
    for (int k = -reach; k <= reach; k++) {
        const double z = k * grid_step / deviation;
        sum += weight[k + reach] = exp(-z * z / 2);
    }
    *variance = 0;
    for (int k = -reach; k <= reach; k++) {
        weight[k + reach] /= sum;
        *variance += weight[k + reach] * (k * grid_step) * (k * grid_step);
    }
    return reach;
}

static void add_noise(const double *p, const double *weight, int reach, double *out)
{
    memset(out, 0, GRID * sizeof *out);
    for (int i = 0; i < GRID; i++) {
        for (int k = -reach; p[i] > 0 && k <= reach; k++) {
            out[i + k] += p[i] * weight[k + reach];
        }
    }
}

/* The diameter of the places where p or q has mass. */
static double diameter(const double *p, const double *q)
{
    int first = GRID, last = 0;
    for (int i = 0; i < GRID; i++) {
        if (p[i] > 0 || q[i] > 0) {
            first = i < first ? i : first;
            last = i;
        }
    }
    return (last - first) * grid_step;
}

static double distance(struct gan__lab *l, const double *x, const double *p, const double *q)
{
    double w = (double)NAN;
    gan__lab_ok(l, gan_transport_line(x, p, GRID, x, q, GRID, 1, &w, NULL, l->err));
    return w;
}

/* JS between the noisy measures when the fakes are moved by one cell, less before, per length. */
static double js_slope(struct gan__lab *l, const double *pn, const double *qn, double *moved)
{
    double up = (double)NAN, down = (double)NAN;
    memcpy(moved + 1, qn, (GRID - 1) * sizeof *moved);
    moved[0] = 0;
    gan__lab_ok(l, gan_divergence_discrete(GAN_JS, pn, moved, GRID, &up, NULL, NULL, l->err));
    memcpy(moved, qn + 1, (GRID - 1) * sizeof *moved);
    moved[GRID - 1] = 0;
    gan__lab_ok(l, gan_divergence_discrete(GAN_JS, pn, moved, GRID, &down, NULL, NULL, l->err));
    return (up - down) / (2 * grid_step);
}

static void sweep(struct gan__lab *l, const double *x, const double *p, const double *q,
                  struct columns *c)
{
    double *weight = gan__lab_array(l, GRID), *pn = gan__lab_array(l, GRID);
    double *qn = gan__lab_array(l, GRID), *moved = gan__lab_array(l, GRID);
    for (size_t i = 0; i < c->n && l->status == GAN_OK; i++) {
        const double deviation = 0.01 * pow(60, (double)i / (double)(c->n - 1));
        const int reach = noise_weights(deviation, 3, weight, &c->v[i]);
        add_noise(p, weight, reach, pn);
        add_noise(q, weight, reach, qn);
        gan__lab_ok(l,
                    gan_divergence_discrete(GAN_JS, pn, qn, GRID, &c->js[i], NULL, NULL, l->err));
        c->w[i] = distance(l, x, p, q);
        c->w_noisy[i] = distance(l, x, pn, qn);
        c->smear[i] = distance(l, x, p, pn);
        c->bound[i] = 2 * sqrt(c->v[i]) + 2 * diameter(pn, qn) * sqrt(c->js[i]);
        c->slope[i] = js_slope(l, pn, qn, moved);
    }
}

static void check(struct gan__lab *l, const struct columns *c)
{
    double over = -(double)INFINITY, smear = -(double)INFINITY, link = -(double)INFINITY,
           rise = -(double)INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        const double c_root = (c->bound[i] - 2 * sqrt(c->v[i]));
        over = fmax(over, c->w[i] - c->bound[i]);
        smear = fmax(smear, c->smear[i] - sqrt(c->v[i]));
        link = fmax(link, c->w_noisy[i] - c_root);
        rise = i > 0 ? fmax(rise, c->js[i] - c->js[i - 1]) : rise;
    }
    gan__lab_at_most(l, "W - (2 sqrt V + 2 C sqrt JS), largest over V", over, 0);
    gan__lab_at_most(l, "W(P, P+noise) - sqrt V, largest over V", smear, 1e-12);
    gan__lab_at_most(l, "W(P+noise, Q+noise) - 2 C sqrt JS, largest over V", link, 0);
    gan__lab_equal(l, "JS under the least noise: supports do not meet", c->js[0], log(2), 1e-12);
    gan__lab_equal(l, "its slope: none", c->slope[0], 0, 1e-12);
    gan__lab_at_most(l, "JS under the largest noise", c->js[c->n - 1], 0.1);
    gan__lab_at_least(l, "its slope", c->slope[c->n - 1], 0.2);
    gan__lab_at_most(l, "rise of JS when V grows", rise, 1e-12);
    gan__lab_equal(l, "W without noise: all points move alike", c->w[0], apart, 1e-12);
}

/* Two points theta apart under uncut normal noise: JS of two Gaussians by quadrature. */
static void closed_form(struct gan__lab *l, const struct columns *c)
{
    double *p = gan__lab_array(l, GRID), *q = gan__lab_array(l, GRID), js = (double)NAN,
           exact = (double)NAN, v;
    double *pn = gan__lab_array(l, GRID), *qn = gan__lab_array(l, GRID);
    double *weight = gan__lab_array(l, GRID);
    if (l->status != GAN_OK) {
        return;
    }
    p[cell_of(0)] = q[cell_of(apart)] = 1;
    const int reach = noise_weights(0.3, 7, weight, &v);
    add_noise(p, weight, reach, pn);
    add_noise(q, weight, reach, qn);
    const double zero = 0, var = 0.09;
    gan__lab_ok(l, gan_divergence_discrete(GAN_JS, pn, qn, GRID, &js, NULL, NULL, l->err));
    gan__lab_ok(l, gan_divergence_gaussian(GAN_JS, &(struct gan_gaussian){1, &zero, &var},
                                           &(struct gan_gaussian){1, &apart, &var}, &exact, NULL,
                                           NULL, l->err));
    /* beyond seven deviations are 3e-12 of the noise; apart is a whole number of cells */
    gan__lab_equal(l, "JS of two noisy points against two Gaussians", js, exact, 1e-9);
    gan__lab_table(l, "noise", "variance,js,w_noisy,w,bound,js_slope",
                   (const double *const[]){c->v, c->js, c->w_noisy, c->w, c->bound, c->slope},
                   c->n);
}

static void draw(struct gan__lab *l, const struct columns *c)
{
    gan_figure *f = gan_figure_new(1, 2, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "noise makes the supports meet");
    gan_panel_x(p, &(struct gan_axis){.label = "variance V of the noise", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "value"});
    gan_plot_line(p, c->v, c->js, c->n, &(struct gan_style){.label = "JS"});
    gan_plot_line(p, c->v, c->slope, c->n, &(struct gan_style){.label = "slope of JS"});
    gan_plot_level(p, log(2), &(struct gan_style){.label = "log 2", .dashed = true});
    p = gan_figure_panel(f, 0, 1);
    gan_panel_title(p, "the bound on the distance");
    gan_panel_x(p, &(struct gan_axis){.label = "variance V of the noise", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "distance", .log = true});
    gan_plot_line(p, c->v, c->bound, c->n, &(struct gan_style){.label = "2 sqrt V + 2 C sqrt JS"});
    gan_plot_line(p, c->v, c->w, c->n, &(struct gan_style){.label = "W without noise"});
    gan_plot_line(p, c->v, c->w_noisy, c->n,
                  &(struct gan_style){.label = "W with noise", .dashed = true});
    gan__lab_figure(l, f, "noise",
                    "Left: JS stays at log 2 with no slope until the noise bridges the gap. Right: "
                    "the theorem's bound stays above the distance without noise, at every V.");
}

static void run(struct gan__lab *l)
{
    struct columns c = {.n = l->quick ? 12 : MAX_V};
    double *x = gan__lab_array(l, GRID), *p = gan__lab_array(l, GRID), *q = gan__lab_array(l, GRID);
    if (l->status != GAN_OK) {
        return;
    }
    for (int i = 0; i < GRID; i++) {
        x[i] = grid_low + i * grid_step;
    }
    for (int k = 0; k < ATOMS; k++) { /* spacing 0.1: all data in [0,0.4], all fakes in [0.5,0.9] */
        p[cell_of(0.1 * k)] += 1.0 / ATOMS;
        q[cell_of(0.1 * k + apart)] += 1.0 / ATOMS;
    }
    sweep(l, x, p, q, &c);
    if (l->status == GAN_OK) {
        draw(l, &c);
        check(l, &c);
        closed_form(l, &c);
    }
}

GAN_EXPERIMENT(noise) = {
    .name = "noise",
    .title = "Instance noise: a finite divergence and a bound on the distance",
    .claim =
        "When data and fakes lie on sets that do not meet, JS is log 2 and has no slope. "
        "Arjovsky and Bottou (2017) and Sonderby et al. (2017) add the same noise to both: the "
        "supports then overlap, JS is below log 2 and smooth, and a discriminator cannot be "
        "perfect.\n"
        "What a small JS under noise is worth is said by theorem 3.3: W(P_r, P_g) is at most "
        "2 sqrt(V) + 2 C sqrt(JS(P_r+noise, P_g+noise)), V the variance of the noise, C the "
        "diameter of the noisy supports. Both terms can be made small: the second by training, "
        "the first by annealing the noise.\n"
        "Here both measures are five points on the line, the fakes half a unit to the right, and "
        "the noise is normal, cut off at three deviations.\n"
        "Left: JS leaves log 2 only once the noise spans the gap; then its slope tells the "
        "generator where to go. Right: the bound is above the true distance at every V, "
        "and loose, for C is a whole diameter. The two steps of the proof are checked too: noise "
        "moves mass by at most sqrt(V), and W is at most C times twice the root of JS.",
    .ref = "Arjovsky, Bottou 2017, arXiv:1701.04862, theorem 3.3; Sonderby et al. 2017, "
           "arXiv:1610.04490",
    .run = run,
};
