/* exp_parallel_lines.c: two parallel segments: only the Wasserstein distance tells them how to meet.
 *
 * P_0 = (0, y), P_theta = (theta, y), y uniform on [0,1]. KL and JS are computed on a fine grid of
 * cells in the plane, the distances on samples: transport is solved, not assumed.
 * Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, example 1, figure 1. */
#include "theory.h"

#include <gan/divergence.h>
#include <gan/transport.h>

#include <math.h>

enum { KINDS = 4 };
static const gan_divergence kinds[KINDS] = {GAN_KL, GAN_JS, GAN_TV, GAN_W1};

/* Columns of the table: theta, the divergences, the slopes of JS and W. */
struct sweep {
    double *theta, *value[KINDS], *js_slope, *w_slope;
    size_t n;
};

/* Mass of each segment in columns of width 2/cells around -1 .. 1; rows would all be alike. */
static void histograms(double theta, size_t cells, double *p, double *q)
{
    for (size_t i = 0; i < cells; i++) {
        p[i] = q[i] = 0;
    }
    p[cells / 2] = 1;
    q[(size_t)llround((theta + 1) / 2 * (double)(cells - 1))] = 1;
}

/* W of n points on each segment at the same heights in another order, and its slope in theta. */
static double distance(struct gan__lab *l, double theta, size_t n, double *x, double *y,
                       double *grad, double *slope)
{
    double value = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        const double height = ((double)i + 0.5) / (double)n;
        x[2 * i] = 0;
        x[2 * i + 1] = height;
        y[2 * (n - 1 - i)] = theta;
        y[2 * (n - 1 - i) + 1] = height;
    }
    const struct gan_points p = {n, 2, x}, q = {n, 2, y};
    gan__lab_ok(l, gan_divergence_samples(GAN_W1, &p, &q, &value, grad, l->err));
    *slope = 0;
    for (size_t i = 0; i < n; i++) {
        *slope += grad[2 * i];
    }
    return value;
}

static void measure(struct gan__lab *l, struct sweep *s, size_t cells, size_t points)
{
    double *p = gan__lab_array(l, cells), *q = gan__lab_array(l, cells);
    double *x = gan__lab_array(l, 2 * points), *y = gan__lab_array(l, 2 * points);
    double *grad = gan__lab_array(l, 2 * points);
    for (size_t i = 0; i < s->n && l->status == GAN_OK; i++) {
        histograms(s->theta[i], cells, p, q);
        for (int k = 0; k < KINDS - 1; k++) {
            gan__lab_ok(l, gan_divergence_discrete(kinds[k], p, q, cells, &s->value[k][i], NULL,
                                                   NULL, l->err));
        }
        s->value[3][i] = distance(l, s->theta[i], points, x, y, grad, &s->w_slope[i]);
    }
    for (size_t i = 0; i < s->n && l->status == GAN_OK; i++) { /* a step of theta each way */
        const size_t a = i > 0 ? i - 1 : i, b = i + 1 < s->n ? i + 1 : i;
        s->js_slope[i] = (s->value[1][b] - s->value[1][a]) / (s->theta[b] - s->theta[a]);
    }
}

static void draw(struct gan__lab *l, const struct sweep *s)
{
    gan_figure *f = gan_figure_new(1, 2, NULL);
    gan_panel *a = gan_figure_panel(f, 0, 0), *b = gan_figure_panel(f, 0, 1);
    gan_panel_title(a, "distance of the segments (KL: infinite)");
    gan_panel_x(a, &(struct gan_axis){.label = "theta"});
    gan_panel_y(a, &(struct gan_axis){.label = "value"});
    gan_plot_points(a, s->theta, s->value[1], s->n, &(struct gan_style){.label = "JS", .size = 6});
    gan_plot_points(a, s->theta, s->value[2], s->n, &(struct gan_style){.label = "TV", .size = 6});
    gan_plot_line(a, s->theta, s->value[3], s->n, &(struct gan_style){.label = "Wasserstein-1"});
    gan_panel_title(b, "what a generator would follow");
    gan_panel_x(b, &(struct gan_axis){.label = "theta"});
    gan_panel_y(b, &(struct gan_axis){.label = "derivative in theta", .low = -1.5, .high = 1.5});
    gan_plot_points(b, s->theta, s->js_slope, s->n,
                    &(struct gan_style){.label = "JS (jumps at 0)", .size = 6});
    gan_plot_points(
        b, s->theta, s->w_slope, s->n,
        &(struct gan_style){.label = "Wasserstein-1", .size = 6, .color = GAN_COLOR_GREEN});
    gan__lab_figure(l, f, "parallel-lines",
                    "JS and total variation are the same at every distance but 0 and give no "
                    "direction; the Wasserstein distance falls evenly towards 0.");
}

static void check(struct gan__lab *l, const struct sweep *s)
{
    double js = 0, tv = 0, w = 0, slope = 0, w_slope = 0, least_kl = (double)INFINITY;
    const size_t zero = s->n / 2;
    for (size_t i = 0; i < s->n; i++) {
        w = fmax(w, fabs(s->value[3][i] - fabs(s->theta[i])));
        if (i == zero) {
            continue;
        }
        js = fmax(js, fabs(s->value[1][i] - log(2)));
        tv = fmax(tv, fabs(s->value[2][i] - 1));
        least_kl = fmin(least_kl, s->value[0][i]);
        w_slope = fmax(w_slope, fabs(s->w_slope[i] - (s->theta[i] > 0 ? 1 : -1)));
        if (i + 1 < zero || i > zero + 1) {
            slope = fmax(slope, fabs(s->js_slope[i]));
        }
    }
    gan__lab_equal(l, "least KL over theta != 0", least_kl, (double)INFINITY, 0);
    gan__lab_equal(l, "largest |JS - log 2| over theta != 0", js, 0, 1e-12);
    gan__lab_equal(l, "largest |TV - 1| over theta != 0", tv, 0, 1e-12);
    gan__lab_equal(l, "KL at theta = 0", s->value[0][zero], 0, 1e-12);
    gan__lab_equal(l, "JS at theta = 0", s->value[1][zero], 0, 1e-12);
    gan__lab_equal(l, "TV at theta = 0", s->value[2][zero], 0, 1e-12);
    gan__lab_equal(l, "largest |W - |theta||", w, 0, 1e-12);
    gan__lab_equal(l, "largest |dJS/dtheta| away from 0", slope, 0, 1e-12);
    gan__lab_equal(l, "largest |dW/dtheta - sign theta|", w_slope, 0, 1e-12);
}

static void run(struct gan__lab *l)
{
    const size_t points = l->quick ? 40 : 200;
    struct sweep s = {.n = l->quick ? 21 : 81};
    s.theta = gan__lab_array(l, s.n);
    s.js_slope = gan__lab_array(l, s.n);
    s.w_slope = gan__lab_array(l, s.n);
    for (int k = 0; k < KINDS; k++) {
        s.value[k] = gan__lab_array(l, s.n);
    }
    if (l->status != GAN_OK) {
        return;
    }
    for (size_t i = 0; i < s.n; i++) {
        s.theta[i] = -1 + 2 * (double)i / (double)(s.n - 1);
    }
    measure(l, &s, 10 * (s.n - 1) + 1, points);
    if (l->status == GAN_OK) {
        draw(l, &s);
        check(l, &s);
        gan__lab_table(l, "parallel-lines", "theta,kl,js,tv,w1,js_slope,w1_slope",
                       (const double *const[]){s.theta, s.value[0], s.value[1], s.value[2],
                                               s.value[3], s.js_slope, s.w_slope},
                       s.n);
    }
}

GAN_EXPERIMENT(parallel_lines) = {
    .name = "parallel-lines",
    .title = "Two parallel segments: only the Wasserstein distance gives a direction",
    .claim =
        "Let P_0 be uniform on the segment {0} x [0,1] and P_theta on {theta} x [0,1]. Arjovsky, "
        "Chintala and Bottou (2017) use this pair to show what is wrong with the usual "
        "divergences when data lie on thin sets.\n"
        "Unless theta = 0 the segments do not meet. Then KL and reverse KL are infinite, JS is "
        "log 2 and total variation is 1, however near the segments are: a generator that owns "
        "theta gets a derivative of zero and cannot learn.\n"
        "The Wasserstein distance is |theta|: every point is carried sideways by theta. Its "
        "derivative is 1 on one side and -1 on the other, of the same strength at any "
        "distance.\n"
        "Left: the values over theta. JS and TV are constant with one exceptional point at 0. "
        "Right: their derivatives. The jump of JS next to 0 is a difference across that point; "
        "everywhere else it is 0.\n"
        "The transport is solved from points in shuffled order: that it is sideways is found, "
        "not put in.",
    .ref = "Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875, example 1 and figure 1",
    .run = run,
};
