/* exp_two_gaussians.c: two Gaussians moving apart: what KL, JS and the Wasserstein distance tell the
 * mean of the second. Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2. */
#include "theory.h"

#include <gan/divergence.h>

#include <math.h>

enum { KINDS = 3, FIELD = 13, MAX_SWEEP = 121, MAX_STEPS = 400 };
static const gan_divergence kinds[KINDS] = {GAN_KL, GAN_JS, GAN_W2};
static const char *const labels[KINDS] = {"KL", "JS", "Wasserstein"};
static const double rate = 0.05, start_at = 8;

/* Value and slope at distance m on the line, both of variance 1. */
static double at(struct gan__lab *l, gan_divergence kind, double m, double *slope)
{
    const double zero = 0, one = 1;
    double value = (double)NAN;
    gan__lab_ok(l, gan_divergence_gaussian(kind, &(struct gan_gaussian){1, &zero, &one},
                                           &(struct gan_gaussian){1, &m, &one}, &value, slope, NULL,
                                           l->err));
    return value;
}

static void field(struct gan__lab *l, gan_figure *f, int k)
{
    const double zero[2] = {0, 0}, one[4] = {1, 0, 0, 1};
    double x[FIELD * FIELD], y[FIELD * FIELD], u[FIELD * FIELD], v[FIELD * FIELD];
    for (int i = 0; i < FIELD * FIELD; i++) {
        double g[2] = {0, 0}, value;
        const double mean[2] = {x[i] = i % FIELD - FIELD / 2, y[i] = i / FIELD - FIELD / 2};
        gan__lab_ok(l, gan_divergence_gaussian(kinds[k], &(struct gan_gaussian){2, zero, one},
                                               &(struct gan_gaussian){2, mean, one}, &value, g,
                                               NULL, l->err));
        u[i] = -g[0];
        v[i] = -g[1];
    }
    gan_panel *p = gan_figure_panel(f, 0, k);
    gan_panel_title(p, labels[k]);
    gan_panel_x(p, &(struct gan_axis){.label = "mean, first number"});
    gan_panel_y(p, &(struct gan_axis){.label = "mean, second number"});
    gan_panel_equal(p);
    gan_plot_arrows(p, x, y, u, v, FIELD * FIELD, 1, &(struct gan_style){.size = 40});
    gan_plot_points(p, zero, zero + 1, 1, &(struct gan_style){.color = GAN_COLOR_VERMILION});
}

static void draw(struct gan__lab *l, const double *m, double slope[KINDS][MAX_SWEEP], size_t n,
                 const double *step, double path[KINDS][MAX_STEPS + 1], size_t steps)
{
    gan_figure *f = gan_figure_new(1, KINDS, &(struct gan_figure_opts){.panel_width = 460});
    for (int k = 0; k < KINDS; k++) {
        field(l, f, k);
    }
    gan__lab_figure(l, f, "fields",
                    "Direction and strength of descent on the mean of one Gaussian, the other "
                    "fixed at the centre. Arrow lengths are to scale within a panel.");
    f = gan_figure_new(1, 2, NULL);
    gan_panel *a = gan_figure_panel(f, 0, 0), *b = gan_figure_panel(f, 0, 1);
    gan_panel_title(a, "slope over distance");
    gan_panel_x(a, &(struct gan_axis){.label = "distance of the means"});
    gan_panel_y(a, &(struct gan_axis){.label = "derivative", .low = -0.1, .high = 3});
    gan_panel_title(b, "gradient descent on the mean");
    gan_panel_x(b, &(struct gan_axis){.label = "step"});
    gan_panel_y(b, &(struct gan_axis){.label = "distance of the means"});
    for (int k = 0; k < KINDS; k++) {
        gan_plot_line(a, m, slope[k], n, &(struct gan_style){.label = labels[k]});
        gan_plot_line(b, step, path[k], steps + 1, &(struct gan_style){.label = labels[k]});
    }
    gan__lab_figure(l, f, "descent",
                    "Left: the slope of KL grows with the distance, that of JS dies away, that of "
                    "the Wasserstein distance is 1. Right: where each leads a mean that starts 8 "
                    "deviations away.");
}

static void check(struct gan__lab *l, const double *m, double slope[KINDS][MAX_SWEEP], size_t n,
                  double path[KINDS][MAX_STEPS + 1], size_t steps)
{
    double kl = 0, w = 0, most = 0, where = 0, exact = 0;
    for (size_t i = 0; i < n; i++) {
        kl = fmax(kl, fabs(slope[0][i] - m[i]));
        w = i > 0 ? fmax(w, fabs(slope[2][i] - 1)) : w;
        if (slope[1][i] > most) {
            most = slope[1][i];
            where = m[i];
        }
    }
    for (size_t t = 0; t <= steps; t++) {
        exact = fmax(exact, fabs(path[0][t] - start_at * pow(1 - rate, (double)t)));
    }
    gan__lab_equal(l, "largest |KL' - m|", kl, 0, 1e-12);
    gan__lab_equal(l, "largest |W' - 1|", w, 0, 1e-12);
    gan__lab_equal(l, "JS at distance 0.01 / (0.01^2 / 8)", at(l, GAN_JS, 0.01, &most) / 1.25e-5, 1,
                   1e-4); /* Fisher information: JS = m^2/8 + O(m^4) */
    gan__lab_at_least(l, "distance at which JS' is largest", where, 1);
    gan__lab_at_most(l, "the same", where, 3);
    gan__lab_at_most(l, "JS' at distance 8", slope[1][n - 1], 1e-3);
    gan__lab_equal(l, "JS at distance 12", at(l, GAN_JS, 12, &most), log(2), 1e-7);
    gan__lab_equal(l, "descent on KL against 8 (1 - rate)^t", exact, 0, 1e-12);
    gan__lab_at_least(l, "JS: distance left after descent from 8", path[1][steps], 7.9);
    gan__lab_at_most(l, "Wasserstein: distance left", fabs(path[2][steps]), rate);
}

static void run(struct gan__lab *l)
{
    const size_t n = l->quick ? 41 : MAX_SWEEP, steps = l->quick ? 200 : MAX_STEPS;
    static const char *const names = "distance,kl_slope,js_slope,w_slope";
    double m[MAX_SWEEP], slope[KINDS][MAX_SWEEP], step[MAX_STEPS + 1];
    double path[KINDS][MAX_STEPS + 1];
    for (size_t i = 0; i < n && l->status == GAN_OK; i++) {
        m[i] = start_at * (double)i / (double)(n - 1);
        for (int k = 0; k < KINDS; k++) {
            (void)at(l, kinds[k], m[i], &slope[k][i]);
        }
    }
    for (int k = 0; k < KINDS; k++) {
        path[k][0] = start_at;
        for (size_t t = 0; t < steps && l->status == GAN_OK; t++) {
            double g = 0;
            (void)at(l, kinds[k], path[k][t], &g);
            path[k][t + 1] = path[k][t] - rate * g;
        }
    }
    for (size_t t = 0; t <= steps; t++) {
        step[t] = (double)t;
    }
    if (l->status == GAN_OK) {
        draw(l, m, slope, n, step, path, steps);
        check(l, m, slope, n, path, steps);
        gan__lab_table(l, "slopes", names, (const double *const[]){m, slope[0], slope[1], slope[2]},
                       n);
        gan__lab_table(l, "descent", "step,kl,js,w",
                       (const double *const[]){step, path[0], path[1], path[2]}, steps + 1);
    }
}

GAN_EXPERIMENT(two_gaussians) = {
    .name = "two-gaussians",
    .title = "Two Gaussians moving apart: three divergences, three directions",
    .claim =
        "Even where supports overlap everywhere, divergences differ in what they tell a "
        "generator. Two Gaussians of variance 1 stand m apart; the generator owns the mean of "
        "one.\n"
        "KL is m^2/2: its slope is m, the farther the stronger. JS is m^2/8 near 0, but bends "
        "towards log 2: its slope is largest near two deviations and dies away like the overlap "
        "of the two bells. The Wasserstein distance is m: its slope is 1 at any distance "
        "(Arjovsky et al. 2017).\n"
        "Upper figure: descent directions for a mean in the plane. The field of JS is empty away "
        "from the centre: this is the vanishing gradient of an optimal discriminator.\n"
        "Lower figure: gradient descent with one rate from m = 8. KL contracts by (1 - rate) a "
        "step, which is checked against the closed form; the Wasserstein distance walks at a "
        "constant speed; JS does not move.\n"
        "Derivatives come from the library: JS by quadrature, the others in closed form.",
    .ref = "Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875, section 2; Arjovsky, Bottou 2017, "
           "arXiv:1701.04862, section 2",
    .run = run,
};
