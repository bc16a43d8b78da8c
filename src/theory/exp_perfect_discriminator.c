/* exp_perfect_discriminator.c: on thin sets a discriminator becomes perfect, and flat.
 *
 * Two manifolds of less than full dimension that do not align perfectly are separated almost
 * everywhere by some D*, with grad D* = 0 around both (theorem 2.2), so JS is log 2 however near they
 * are (theorem 2.3). Manifolds in general position never align perfectly (lemma 2): where they meet,
 * their tangent spaces span as much as they can. Arjovsky and Bottou 2017, arXiv:1701.04862. */
#include "matrix.h"
#include "toy.h"

#include "base/philox.h"
#include "base/str.h"

#include <gan/divergence.h>

#include <math.h>

enum { CASES = 5, BATCH = 256, MAX_N = 32, LOOKS = 11, WAVES = 2, FRESH = 16 };
static const int looks[LOOKS] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000};
static const double pi = 3.14159265358979323846, shift = 1.5;

/* Curves in R^n, and at last Gaussians that fill R^n. */
static const struct shape {
    const char *name;
    int n;
    bool full;
} shapes[CASES] = {{"curves in R^2", 2, false},
                   {"curves in R^3", 3, false},
                   {"curves in R^8", 8, false},
                   {"curves in R^32", 32, false},
                   {"Gaussians in R^8", 8, true}};

enum { STEPS, ACCURACY, JS, SLOPE, COLUMNS };

struct curve {
    double wave[2 * WAVES][MAX_N];
};

static void bend(struct curve *c, struct gan__rng *rng)
{
    for (int i = 0; i < 2 * WAVES * MAX_N; i++) {
        c->wave[i / MAX_N][i % MAX_N] = gan__rng_normal(rng);
    }
}

static void points(const struct shape *s, const struct curve *c, bool real, struct gan__rng *rng,
                   float *x)
{
    for (int i = 0; i < BATCH; i++) {
        const double a = 2 * pi * gan__rng_uniform(rng);
        for (int k = 0; k < s->n; k++) {
            double sum = 0;
            for (int j = 0; j < WAVES && !s->full; j++) {
                sum +=
                    c->wave[2 * j][k] * cos((j + 1) * a) + c->wave[2 * j + 1][k] * sin((j + 1) * a);
            }
            if (s->full) {
                sum = gan__rng_normal(rng) + (k == 0 && real ? shift : 0);
            }
            x[i * s->n + k] = (float)sum;
        }
    }
}

/* Adds what D makes of fresh points of one kind. */
static void judge(struct gan__lab *l, struct gan__toy *t, const struct shape *s, const float *x,
                  bool real, double *const *c, int at)
{
    double score[BATCH] = {0}, slope[BATCH * MAX_N] = {0};
    gan__toy_scores(l, t, x, score, slope);
    for (int i = 0; i < BATCH; i++) {
        const double right = real ? score[i] : -score[i], d = 1 / (1 + exp(-score[i]));
        double sum = 0;
        for (int k = 0; k < s->n; k++) {
            sum += slope[i * s->n + k] * slope[i * s->n + k];
        }
        c[ACCURACY][at] += (right > 0 ? 1.0 : 0) / (2 * BATCH);
        /* V = E log D + E log(1 - D) = -log 4 + 2 JS at best: the mean over both kinds is V/2 */
        c[JS][at] += (log(2) - (fmax(-right, 0) + log1p(exp(-fabs(right))))) / (2 * BATCH);
        c[SLOPE][at] += d * (1 - d) * sqrt(sum) / (2 * BATCH);
    }
}

static void train(struct gan__lab *l, const struct shape *s, int n_looks, double *const *c)
{
    float real[BATCH * MAX_N], fake[BATCH * MAX_N];
    struct curve of_real, of_fake;
    struct gan__rng rng;
    gan__lab_rng(l, (uint64_t)s->n + (s->full ? 100 : 0), &rng);
    bend(&of_real, &rng);
    bend(&of_fake, &rng);
    struct gan__toy *t = gan__toy_new(l, &(struct gan__toy_opts){.loss = "minimax",
                                                                 .optim_disc = "adam:2e-3",
                                                                 .size = s->n,
                                                                 .width = 96,
                                                                 .depth = 2,
                                                                 .relu = true,
                                                                 .batch = BATCH,
                                                                 .look = BATCH,
                                                                 .seed = l->seed});
    for (int step = 1, at = 0; at < n_looks && l->status == GAN_OK; step++) {
        points(s, &of_real, true, &rng, real);
        points(s, &of_fake, false, &rng, fake);
        (void)gan__toy_disc_step(l, t, real, fake);
        if (step == looks[at]) {
            c[STEPS][at] = step;
            for (int k = 0; k < FRESH; k++) { /* fresh batches of each kind */
                double own[COLUMNS][1] = {{0}};
                double *const one[COLUMNS] = {own[0], own[1], own[2], own[3]};
                points(s, &of_real, true, &rng, real);
                points(s, &of_fake, false, &rng, fake);
                judge(l, t, s, real, true, one, 0);
                judge(l, t, s, fake, false, one, 0);
                for (int i = ACCURACY; i < COLUMNS; i++) {
                    c[i][at] += own[i][0] / FRESH;
                }
            }
            at++;
        }
    }
    gan__toy_free(t);
}

/* JS of the Gaussians. */
static double exact_js(struct gan__lab *l)
{
    const double mean[2] = {0, shift}, cov = 1;
    double js = (double)NAN;
    gan__lab_ok(l, gan_divergence_gaussian(GAN_JS, &(struct gan_gaussian){1, &mean[0], &cov},
                                           &(struct gan_gaussian){1, &mean[1], &cov}, &js, NULL,
                                           NULL, l->err));
    return js;
}

static void draw(struct gan__lab *l, double *const (*c)[COLUMNS], int n)
{
    static const struct {
        const char *title, *label;
        int column;
        bool log;
    } panels[3] = {{"D is right", "accuracy on fresh points", ACCURACY, false},
                   {"what D says of JS", "JS estimate, nats", JS, false},
                   {"and D is flat", "mean |grad D|", SLOPE, true}};
    gan_figure *f = gan_figure_new(1, 3, &(struct gan_figure_opts){.panel_width = 500});
    for (int k = 0; k < 3; k++) {
        gan_panel *p = gan_figure_panel(f, 0, k);
        gan_panel_title(p, panels[k].title);
        gan_panel_x(p, &(struct gan_axis){.label = "steps of D", .log = true});
        gan_panel_y(p, &(struct gan_axis){.label = panels[k].label, .log = panels[k].log});
        for (int i = 0; i < CASES; i++) {
            gan_plot_line(p, c[i][STEPS], c[i][panels[k].column], (size_t)n,
                          &(struct gan_style){.label = shapes[i].name});
        }
        if (panels[k].column == JS) {
            gan_plot_level(
                p, log(2),
                &(struct gan_style){.label = "log 2", .color = GAN_COLOR_BLACK, .dashed = true});
        }
    }
    gan__lab_figure(
        l, f, "training",
        "Two random curves around the same place: D learns to tell all their points, "
        "its estimate of JS goes to log 2 and its slope to 0, sooner in more dimensions. "
        "Two Gaussians that fill the space stay mixed up.");
}

static void discriminators(struct gan__lab *l)
{
    static const char *const tables[CASES] = {"curves-2", "curves-3", "curves-8", "curves-32",
                                              "gaussians-8"};
    double *c[CASES][COLUMNS];
    const int n = l->quick ? 9 : LOOKS, last = n - 1;
    char name[96];
    for (int k = 0; k < CASES; k++) {
        for (int i = 0; i < COLUMNS; i++) {
            c[k][i] = gan__lab_array(l, LOOKS);
        }
        if (l->status == GAN_OK) {
            train(l, &shapes[k], n, c[k]);
            gan__lab_table(l, tables[k], "d_steps,accuracy,js,slope", (const double *const *)c[k],
                           (size_t)n);
        }
    }
    if (l->status != GAN_OK) {
        return;
    }
    for (int k = 2; k < 4; k++) {
        (void)gan__format(name, sizeof name, "%s: accuracy of D", shapes[k].name);
        gan__lab_at_least(l, name, c[k][ACCURACY][last], 0.999);
        (void)gan__format(name, sizeof name, "%s: JS estimate", shapes[k].name);
        gan__lab_equal(l, name, c[k][JS][last], log(2), 0.01);
        (void)gan__format(name, sizeof name, "%s: mean |grad D|, last/first", shapes[k].name);
        gan__lab_at_most(l, name, c[k][SLOPE][last] / c[k][SLOPE][0], 0.1);
    }
    const double js = exact_js(l), best = erfc(-shift / 2 / sqrt(2)) / 2;
    double most = 0;
    for (int i = 0; i < n; i++) {
        most = fmax(most, c[4][JS][i]);
    }
    /* not perfect after so few steps: D is smooth where curves cross. Over seeds .948 +- .025. */
    gan__lab_at_least(l, "curves in R^2, crossing in points: accuracy of D", c[0][ACCURACY][last],
                      0.85);
    gan__lab_equal(l, "Gaussians: accuracy, at most Phi(distance/2)", c[4][ACCURACY][last], best,
                   0.04); /* 8192 points: two deviations are 0.01, and D is trained on few */
    gan__lab_equal(l, "Gaussians: largest JS estimate against the integral", most, js, 0.03);
    draw(l, (double *const(*)[COLUMNS])c, n);
}

/* --- lemma 2 ------------------------------------------------------------------------------------ */

/* k orthonormal rows that span a random subspace of R^n. */
static void orthonormal(double *rows, int k, int n, struct gan__rng *rng)
{
    for (int i = 0; i < k; i++) {
        double *a = rows + i * n, sum = 0;
        for (int c = 0; c < n; c++) {
            a[c] = gan__rng_normal(rng);
        }
        for (int j = 0; j < i; j++) {
            double dot = 0;
            for (int c = 0; c < n; c++) {
                dot += a[c] * rows[j * n + c];
            }
            for (int c = 0; c < n; c++) {
                a[c] -= dot * rows[j * n + c];
            }
        }
        for (int c = 0; c < n; c++) {
            sum += a[c] * a[c];
        }
        for (int c = 0; c < n; c++) {
            a[c] /= sqrt(sum);
        }
    }
}

enum { SPACES = 4, K = 2, MAX_D = 6, POINTS = 24 };
static const int dims[SPACES] = {3, 4, 5, 6};

/* How far two random planes are from spanning less than they could: the smallest singular value that
 * general position allows to be other than 0. */
static double transversality(const double *u, const double *v, int n)
{
    double gram[4 * K * K], w[2 * K], vectors[4 * K * K], rows[2 * K][MAX_D];
    for (int i = 0; i < 2 * K * n; i++) {
        rows[i / n][i % n] = i < K * n ? u[i] : v[i - K * n];
    }
    for (int i = 0; i < 4 * K * K; i++) {
        gram[i] = 0;
        for (int c = 0; c < n; c++) {
            gram[i] += rows[i / (2 * K)][c] * rows[i % (2 * K)][c];
        }
    }
    gan__jacobi_eigen(gram, 2 * K, w, vectors);
    for (int i = 1; i < 2 * K; i++) { /* ascending */
        for (int j = i; j > 0 && w[j] < w[j - 1]; j--) {
            const double swap = w[j];
            w[j] = w[j - 1];
            w[j - 1] = swap;
        }
    }
    return sqrt(fmax(0, w[2 * K > n ? 2 * K - n : 0]));
}

/* Distance of a point of plane u from plane v. */
static double apart(const double *u, const double *v, int n, struct gan__rng *rng)
{
    double x[MAX_D] = {0}, square = 0, within = 0;
    for (int i = 0; i < K; i++) {
        const double g = gan__rng_normal(rng);
        for (int c = 0; c < n; c++) {
            x[c] += g * u[i * n + c];
        }
    }
    for (int i = 0; i < K; i++) {
        double dot = 0;
        for (int c = 0; c < n; c++) {
            dot += x[c] * v[i * n + c];
        }
        within += dot * dot;
    }
    for (int c = 0; c < n; c++) {
        square += x[c] * x[c];
    }
    return sqrt(fmax(0, square - within));
}

static void alignment(struct gan__lab *l)
{
    const int pairs = l->quick ? 4000 : 40000, each = 20;
    double at[POINTS], *aligned[SPACES], *near[SPACES];
    struct gan__rng rng;
    char name[96];
    gan__lab_rng(l, 1, &rng);
    for (int s = 0; s < SPACES; s++) {
        aligned[s] = gan__lab_array(l, POINTS);
        near[s] = gan__lab_array(l, POINTS);
    }
    for (int k = 0; k < POINTS; k++) {
        at[k] = pow(10, -2 + 2.0 * k / (POINTS - 1));
    }
    for (int s = 0; s < SPACES && l->status == GAN_OK; s++) {
        const int n = dims[s];
        double least = (double)INFINITY;
        for (int i = 0; i < pairs; i++) {
            double u[K * MAX_D], v[K * MAX_D];
            orthonormal(u, K, n, &rng);
            orthonormal(v, K, n, &rng);
            const double span = transversality(u, v, n);
            least = fmin(least, span);
            for (int k = 0; k < POINTS; k++) {
                aligned[s][k] += span < at[k] ? 1.0 / pairs : 0;
            }
            for (int j = 0; j < each; j++) {
                const double far = apart(u, v, n, &rng);
                for (int k = 0; k < POINTS; k++) {
                    near[s][k] += far < at[k] ? 1.0 / pairs / each : 0;
                }
            }
        }
        (void)gan__format(name, sizeof name,
                          "planes in R^%d: least singular value of %d pairs, > 0", n, pairs);
        gan__lab_at_least(l, name, least, 1e-7);
        /* between 0.03 and 0.3: 23 log-spaced steps over two decades */
        const double slope = log10(near[s][17] / near[s][6]) / log10(at[17] / at[6]);
        (void)gan__format(name, sizeof name, "planes in R^%d: power of t in P(distance < t)", n);
        gan__lab_equal(l, name, slope, n == 3 ? 1 : K, n == 4 ? 0.5 : 0.25); /* 4: t^2 log 1/t */
    }
    gan_figure *f = gan_figure_new(1, 2, NULL);
    gan_panel *a = gan_figure_panel(f, 0, 0), *b = gan_figure_panel(f, 0, 1);
    gan_panel_title(a, "two random planes: nearly aligned?");
    gan_panel_x(a, &(struct gan_axis){.label = "t", .log = true});
    gan_panel_y(a, &(struct gan_axis){.label = "P(least singular value < t)", .log = true});
    gan_panel_title(b, "points of one near the other");
    gan_panel_x(b, &(struct gan_axis){.label = "t", .log = true});
    gan_panel_y(b, &(struct gan_axis){.label = "P(distance < t)", .log = true});
    for (int s = 0; s < SPACES; s++) {
        (void)gan__format(name, sizeof name, "in R^%d", dims[s]);
        gan_plot_line(a, at, aligned[s], POINTS, &(struct gan_style){.label = name});
        gan_plot_line(b, at, near[s], POINTS, &(struct gan_style){.label = name});
    }
    gan__lab_figure(
        l, f, "alignment",
        "Left: the chance that two random planes are within t of spanning less than they "
        "could goes to 0 with t. Right: the part of one that lies within t of the other "
        "goes to 0 too, as t in R^3 (they meet in a line) and about as t^2 from R^4 on.");
    gan__lab_table(l, "alignment",
                   "t,aligned_3,aligned_4,aligned_5,aligned_6,near_3,near_4,near_5,near_6",
                   (const double *const[]){at, aligned[0], aligned[1], aligned[2], aligned[3],
                                           near[0], near[1], near[2], near[3]},
                   POINTS);
}

static void run(struct gan__lab *l)
{
    discriminators(l);
    alignment(l);
}

GAN_EXPERIMENT(perfect_discriminator) = {
    .name = "perfect-discriminator",
    .title = "Thin sets: a perfect discriminator, JS = log 2, and no slope",
    .claim =
        "Images fill no more than a thin set of pixel space, and a generator of few latent numbers "
        "makes another. Arjovsky and Bottou (2017): two such sets never align perfectly (lemma 2: "
        "with probability 1 under any random shift), they meet in a set of measure 0 (lemma 3), so "
        "some D is right almost everywhere and flat around the points (theorem 2.2), and JS is "
        "log 2 and KL infinite however near the sets are (theorem 2.3).\n"
        "The first figure trains D on points of two random curves in 2 to 32 dimensions. Its "
        "accuracy on fresh points goes to 1, its estimate of JS to log 2, its slope to 0. In the "
        "plane curves cross, and points near a crossing stay hard. Gaussians that fill the space "
        "are the counterexample: D can be right only as often as they are apart, and its estimate "
        "of JS stays at the true one (or falls when D learns its samples by heart).\n"
        "The second figure takes random planes: never one pair of tens of thousands spans less "
        "than it could, and the part of one plane near the other shrinks to nothing.",
    .ref = "Arjovsky, Bottou 2017, arXiv:1701.04862, lemmas 2 and 3, theorems 2.2 and 2.3",
    .run = run,
};
