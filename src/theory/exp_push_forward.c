/* exp_push_forward.c: a network turns normal noise into other densities, and never into more dimensions
 * than the noise has.
 *
 * On the line the map T = F^-1(Phi(z)) carries N(0,1) onto the density with distribution function F. A
 * network with one hidden layer, sum a_k tanh(w_k z + b_k) with random w, b and a by least squares,
 * comes near T (Rahimi and Recht 2008). In more dimensions the image of g is a set of at most dim Z
 * dimensions: rank of the Jacobian, and boxes needed to cover it. Arjovsky and Bottou 2017,
 * arXiv:1701.04862, lemma 1. */
#include "gaussian.h"
#include "matrix.h"
#include "theory.h"

#include "base/philox.h"
#include "base/str.h"

#include <gan/transport.h>

#include <math.h>

enum { POINTS = 2001, BINS = 80, SIZES = 4, OUT = 16, HIDDEN = 24, MAX_Z = 12, LEVELS = 5 };
static const double z_low = -4, z_high = 4;

/* --- noise to any density ----------------------------------------------------------------------- */

static double target_below(double x)
{
    return 0.5 * gan__normal_below(x, -2, 0.5) + 0.3 * gan__normal_below(x, 0.5, 0.4) +
           0.2 * gan__normal_below(x, 2.5, 0.7);
}

static double target_density(double x)
{
    return 0.5 * gan__normal_density(x, -2, 0.5) + 0.3 * gan__normal_density(x, 0.5, 0.4) +
           0.2 * gan__normal_density(x, 2.5, 0.7);
}

/* x with target_below(x) = u, by bisection. */
static double quantile(double u)
{
    double a = -8, b = 8;
    for (int k = 0; k < 60; k++) {
        const double middle = (a + b) / 2;
        if (target_below(middle) < u) {
            a = middle;
        } else {
            b = middle;
        }
    }
    return (a + b) / 2;
}

struct network {
    int units;
    double w[GAN_GAUSSIAN_MAX], b[GAN_GAUSSIAN_MAX], a[GAN_GAUSSIAN_MAX];
};

/* Unit 0 is the constant 1. */
static double unit(const struct network *n, int k, double z)
{
    return k == 0 ? 1 : tanh(n->w[k] * z + n->b[k]);
}

static double apply(const struct network *n, double z)
{
    double sum = 0;
    for (int k = 0; k < n->units; k++) {
        sum += n->a[k] * unit(n, k, z);
    }
    return sum;
}

/* Least squares under the density of z, with a little ridge against near copies of units. */
static void fit(struct network *n, const double *z, const double *t, struct gan__rng *rng)
{
    static const double ridge = 1e-9;
    double gram[GAN_GAUSSIAN_MAX * GAN_GAUSSIAN_MAX] = {0}, right[GAN_GAUSSIAN_MAX] = {0}, log_det;
    const size_t units = (size_t)n->units;
    for (int k = 0; k < n->units; k++) {
        n->w[k] = 6 * gan__rng_normal(rng);
        n->b[k] = -n->w[k] * (4 * gan__rng_uniform(rng) - 2); /* bends within [-2,2] */
    }
    for (int i = 0; i < POINTS; i++) {
        const double weight = gan__normal_density(z[i], 0, 1);
        for (size_t k = 0; k < units; k++) {
            const double u = weight * unit(n, (int)k, z[i]);
            right[k] += u * t[i];
            for (size_t j = 0; j < units; j++) {
                gram[k * units + j] += u * unit(n, (int)j, z[i]);
            }
        }
    }
    for (size_t k = 0; k < units; k++) {
        gram[k * units + k] += ridge * gram[0];
    }
    if (gan__invert_spd(gram, units, gram, &log_det)) {
        gan__matrix_vector(gram, right, units, n->a);
    }
}

static void histogram(const double *x, const double *mass, double *at, double *density)
{
    const double low = -4.5, width = 10.0 / BINS;
    for (int k = 0; k < BINS; k++) {
        at[k] = low + (k + 0.5) * width;
        density[k] = 0;
    }
    for (int i = 0; i < POINTS; i++) {
        const double k = floor((x[i] - low) / width);
        if (k >= 0 && k < BINS) {
            density[(int)k] += mass[i] / width;
        }
    }
}

static void densities(struct gan__lab *l)
{
    static const int sizes[SIZES] = {4, 12, 32, 64};
    double z[POINTS], t[POINTS], mass[POINTS], x[SIZES][POINTS], at[BINS], got[BINS], want[BINS];
    double sum = 0, w1[SIZES] = {0}, rise = -(double)INFINITY;
    struct gan__rng rng;
    gan__lab_rng(l, 0, &rng);
    for (int i = 0; i < POINTS; i++) {
        z[i] = z_low + (z_high - z_low) * i / (POINTS - 1);
        t[i] = quantile(gan__normal_below(z[i], 0, 1));
        sum += mass[i] = gan__normal_density(z[i], 0, 1);
    }
    for (int i = 0; i < POINTS; i++) {
        mass[i] /= sum;
    }
    for (int s = 0; s < SIZES && l->status == GAN_OK; s++) {
        struct network n = {.units = sizes[s]};
        fit(&n, z, t, &rng);
        for (int i = 0; i < POINTS; i++) {
            x[s][i] = apply(&n, z[i]);
        }
        gan__lab_ok(
            l, gan_transport_line(x[s], mass, POINTS, t, mass, POINTS, 1, &w1[s], NULL, l->err));
        rise = s > 0 ? fmax(rise, w1[s] - w1[s - 1]) : rise;
    }
    gan__lab_at_most(l, "rise of W1 to the target when units are added", rise, 0);
    gan__lab_at_most(l, "W1 of the network of 64 units to the target", w1[SIZES - 1], 0.02);
    gan__lab_at_least(l, "W1 of the network of 4 units", w1[0], 0.05);
    gan_figure *f = gan_figure_new(1, 2, NULL);
    gan_panel *a = gan_figure_panel(f, 0, 0), *b = gan_figure_panel(f, 0, 1);
    gan_panel_title(a, "the map");
    gan_panel_x(a, &(struct gan_axis){.label = "noise z"});
    gan_panel_y(a, &(struct gan_axis){.label = "g(z)"});
    gan_plot_line(a, z, t, POINTS,
                  &(struct gan_style){.label = "T", .color = GAN_COLOR_BLACK, .dashed = true});
    gan_plot_line(a, z, x[0], POINTS, &(struct gan_style){.label = "4 units"});
    gan_plot_line(a, z, x[SIZES - 1], POINTS, &(struct gan_style){.label = "64 units"});
    histogram(x[SIZES - 1], mass, at, got);
    for (int k = 0; k < BINS; k++) {
        want[k] = target_density(at[k]);
    }
    gan_panel_title(b, "what becomes of N(0,1)");
    gan_panel_x(b, &(struct gan_axis){.label = "x"});
    gan_panel_y(b, &(struct gan_axis){.label = "density"});
    gan_plot_bars(b, at, got, BINS, 0.11, &(struct gan_style){.label = "g(z), 64 units"});
    gan_plot_line(b, at, want, BINS,
                  &(struct gan_style){.label = "target", .color = GAN_COLOR_BLACK});
    gan__lab_figure(
        l, f, "densities",
        "Left: the increasing map that carries the normal density onto three modes, and "
        "networks near it. Right: the density that the larger network makes.");
    gan__lab_table(l, "maps", "z,t,units_4,units_12,units_32,units_64",
                   (const double *const[]){z, t, x[0], x[1], x[2], x[3]}, POINTS);
}

/* --- dimensions --------------------------------------------------------------------------------- */

/* Rank of the Jacobian W2 diag(1 - tanh^2) W1 of a random network R^d -> R^OUT at a random point. */
static int jacobian_rank(struct gan__rng *rng, int d)
{
    double jacobian[OUT][MAX_Z] = {{0}}, gram[OUT * OUT] = {0}, w[OUT], v[OUT * OUT], z[MAX_Z];
    double most = 0;
    int rank = 0;
    for (int c = 0; c < d; c++) {
        z[c] = gan__rng_normal(rng);
    }
    for (int k = 0; k < HIDDEN; k++) {
        double row[MAX_Z], sum = 0;
        for (int c = 0; c < d; c++) {
            row[c] = gan__rng_normal(rng) / sqrt(d);
            sum += row[c] * z[c];
        }
        const double slope = 1 - tanh(sum) * tanh(sum);
        for (int i = 0; i < OUT; i++) {
            const double out = gan__rng_normal(rng);
            for (int c = 0; c < d; c++) {
                jacobian[i][c] += out * slope * row[c];
            }
        }
    }
    for (int i = 0; i < OUT * OUT; i++) {
        for (int c = 0; c < d; c++) {
            gram[i] += jacobian[i / OUT][c] * jacobian[i % OUT][c];
        }
    }
    gan__jacobi_eigen(gram, OUT, w, v);
    for (int i = 0; i < OUT; i++) {
        most = fmax(most, w[i]);
    }
    for (int i = 0; i < OUT; i++) {
        rank += w[i] > 1e-11 * most ? 1 : 0; /* squares of singular values; rounding is 1e-15 */
    }
    return rank;
}

static void ranks(struct gan__lab *l)
{
    const int trials = l->quick ? 5 : 50;
    double dims[MAX_Z], least[MAX_Z], most[MAX_Z], gap = 0;
    struct gan__rng rng;
    gan__lab_rng(l, 1, &rng);
    for (int d = 1; d <= MAX_Z; d++) {
        dims[d - 1] = d;
        least[d - 1] = OUT;
        most[d - 1] = 0;
        for (int k = 0; k < trials; k++) {
            const double rank = jacobian_rank(&rng, d);
            least[d - 1] = fmin(least[d - 1], rank);
            most[d - 1] = fmax(most[d - 1], rank);
        }
        gap = fmax(gap, fmax(fabs(most[d - 1] - d), fabs(least[d - 1] - d)));
    }
    gan__lab_equal(l, "largest |rank of the Jacobian - dim Z|, X of 16", gap, 0, 0);
    gan__lab_table(l, "ranks", "dim_z,least_rank,greatest_rank",
                   (const double *const[]){dims, least, most}, MAX_Z);
}

/* The share of 2^level x 2^level boxes of the square [-2,2]^2 that a smooth random map sends d
 * uniform numbers to (with normal ones the tails would need ever more samples). */
static double covered(int d, int level, int64_t samples, unsigned char *hit, uint64_t seed)
{
    const int side = 1 << level;
    int64_t n = 0;
    struct gan__rng rng;
    double w[2][4][3];
    gan__rng_init(&rng, gan__stream_key(seed, 0, 2, gan__hash_text("push-forward")));
    for (int i = 0; i < 24; i++) {
        w[i / 12][i / 3 % 4][i % 3] = 1.2 * gan__rng_normal(&rng);
    }
    for (int i = 0; i < side * side; i++) {
        hit[i] = 0;
    }
    for (int64_t k = 0; k < samples; k++) {
        const double z0 = 4 * gan__rng_uniform(&rng) - 2;
        const double z1 = d > 1 ? 4 * gan__rng_uniform(&rng) - 2 : 0;
        int cell[2];
        for (int c = 0; c < 2; c++) {
            double sum = 0;
            for (int u = 0; u < 4; u++) {
                sum += 0.5 * sin(w[c][u][0] * z0 + w[c][u][1] * z1 + w[c][u][2]);
            }
            cell[c] = (int)((sum + 2) / 4 * side);
        }
        hit[cell[1] * side + cell[0]] = 1;
    }
    for (int i = 0; i < side * side; i++) {
        n += hit[i];
    }
    return (double)n / ((double)side * side);
}

static void boxes(struct gan__lab *l)
{
    static unsigned char hit[1 << 16];
    const int64_t samples = l->quick ? 600000 : 3000000;
    double width[LEVELS], line[LEVELS], area[LEVELS];
    for (int k = 0; k < LEVELS; k++) {
        width[k] = pow(0.5, k + 1);
        line[k] = covered(1, k + 3, samples, hit, l->seed);
        area[k] = covered(2, k + 3, samples, hit, l->seed);
    }
    /* share of boxes ~ width^(2 - dim): slope over the last two halvings */
    const double one = 2 + log2(line[LEVELS - 1] / line[LEVELS - 3]) / 2;
    const double two = 2 + log2(area[LEVELS - 1] / area[LEVELS - 3]) / 2;
    gan__lab_equal(l, "dimension of g(Z) from boxes, dim Z = 1", one, 1, 0.15);
    gan__lab_equal(l, "dimension of g(Z) from boxes, dim Z = 2", two, 2, 0.15);
    gan__lab_at_most(l, "area covered, dim Z = 1, boxes of 1/32", line[LEVELS - 1], 0.05);
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "how much of the plane is generated");
    gan_panel_x(p, &(struct gan_axis){.label = "width of a box", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "share of boxes hit", .log = true});
    gan_plot_line(p, width, line, LEVELS, &(struct gan_style){.label = "dim Z = 1"});
    gan_plot_line(p, width, area, LEVELS, &(struct gan_style){.label = "dim Z = 2"});
    gan__lab_figure(l, f, "boxes",
                    "A curve is hit by ever fewer of ever smaller boxes: its area is 0. Noise of "
                    "two dimensions covers a share of the plane that stays.");
    gan__lab_table(l, "boxes", "width,dim_1,dim_2", (const double *const[]){width, line, area},
                   LEVELS);
}

static void run(struct gan__lab *l)
{
    densities(l);
    ranks(l);
    boxes(l);
}

GAN_EXPERIMENT(push_forward) = {
    .name = "push-forward",
    .title = "Noise through a network: any density, but no new dimensions",
    .claim =
        "A generator defines a distribution by what it makes of noise: the push-forward. On the "
        "line F^-1(Phi(z)) carries N(0,1) onto any density, and a network with enough units comes "
        "as near to that map as one likes (universal approximation: Cybenko 1989, Hornik 1991).\n"
        "First figure: networks of 4 and 64 hidden units fitted to the map onto three modes. "
        "Between modes the map is steep: a smooth network always leaves some samples there. The "
        "Wasserstein distance to the target falls with the number of units.\n"
        "What a network cannot do is add dimensions. Lemma 1 of Arjovsky and Bottou (2017): g(Z) "
        "is a countable union of manifolds of dimension at most dim Z; if that is less than dim "
        "X, it has measure 0. Data and fakes then lie on thin sets which a discriminator can "
        "tell apart perfectly.\n"
        "The rank of the Jacobian of random networks into 16 dimensions is dim Z exactly; the "
        "boxes that samples hit (second figure) grow with power 1 for a curve, 2 for an area.",
    .ref = "Arjovsky, Bottou 2017, arXiv:1701.04862, lemma 1; Hornik 1991; Rahimi, Recht 2008",
    .run = run,
};
