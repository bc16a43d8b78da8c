/* exp_manifold.c: images fill a thin set of the space of their pixels.
 *
 * Dimension from neighbours: with r1 < r2 the distances of a point to its two nearest neighbours,
 * r2/r1 is Pareto distributed with the dimension d as exponent wherever the density is flat at that
 * scale, so d = n / sum log(r2/r1) (TwoNN, Facco et al. 2017, arXiv:1803.06992); with k neighbours
 * 1/d = mean log(r_k/r_j) (Levina and Bickel 2005, averaged as MacKay and Ghahramani propose). A normal
 * density of the same mean and covariance shows what pairwise correlations know of images:
 * mean + sum_i e_i (x_i - mean) / sqrt(n) with normal e has exactly the covariance of the x. Noise of
 * amplitude 1/f with random phases has the power spectrum of natural scenes (Field 1987). */
#include "images.h"
#include "matrix.h"
#include "theory.h"

#include "base/philox.h"
#include "base/str.h"
#include "metrics/lapack.h"

#include <math.h>

enum { D = GAN_IMAGE_PIXELS, NEIGHBOURS = 20, KINDS = 4, SHOWN = 10, FREQUENCIES = 13 };
static const double pi = 3.14159265358979323846;
static const char *const kind_names[KINDS] = {"real images", "same covariance", "1/f noise",
                                              "random pixels"};

/* --- dimension from neighbours ------------------------------------------------------------------ */

/* Puts v among the k least of a growing list. */
static void insert(double *least, int k, double v)
{
    if (v >= least[k - 1]) {
        return;
    }
    int j = k - 1;
    for (; j > 0 && least[j - 1] > v; j--) {
        least[j] = least[j - 1];
    }
    least[j] = v;
}

struct dimension {
    double two_nn, mle;
};

/* Of n points x [n,d]. */
static struct dimension estimate(struct gan__lab *l, const double *x, int n, size_t d)
{
    double *least = gan__lab_array(l, (size_t)n * NEIGHBOURS), two = 0, many = 0;
    if (least == NULL || x == NULL) {
        return (struct dimension){0, 0};
    }
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        double *mine = least + (size_t)i * NEIGHBOURS;
        for (int k = 0; k < NEIGHBOURS; k++) {
            mine[k] = (double)INFINITY;
        }
        for (int j = 0; j < n; j++) {
            if (j != i) {
                insert(mine, NEIGHBOURS,
                       gan__squared_distance(x + (size_t)i * d, x + (size_t)j * d, d));
            }
        }
    }
    for (int i = 0; i < n; i++) {
        const double *mine = least + (size_t)i * NEIGHBOURS, far = mine[NEIGHBOURS - 1];
        two += log(mine[1] / mine[0]) / 2; /* of squares */
        for (int k = 0; k < NEIGHBOURS - 1; k++) {
            many += log(far / mine[k]) / 2 / (NEIGHBOURS - 2);
        }
    }
    return (struct dimension){n / two, n / many};
}

/* Points of a curved sheet of d dimensions in 784: A sin(B u), u uniform in the cube. */
static void sheet_of(struct gan__lab *l, double *x, int n, int d, int sheet)
{
    struct gan__rng rng;
    double *b = gan__lab_array(l, (size_t)D * (size_t)d);
    gan__lab_rng(l, sheet == 0 ? 1 : 100 + (uint64_t)sheet, &rng);
    for (int i = 0; b != NULL && i < D * d; i++) {
        b[i] = 0.5 * gan__rng_normal(&rng) / sqrt(d);
    }
    for (int i = 0; b != NULL && i < n; i++) {
        double u[16];
        for (int k = 0; k < d; k++) {
            u[k] = gan__rng_uniform(&rng);
        }
        for (int p = 0; p < D; p++) {
            double sum = 0;
            for (int k = 0; k < d; k++) {
                sum += b[p * d + k] * u[k];
            }
            x[(size_t)i * D + (size_t)p] = sin(sum);
        }
    }
}

static void known_dimensions(struct gan__lab *l, double *x, int n)
{
    enum { SHEETS = 3 };
    static const int dims[] = {1, 2, 5, 10};
    double truth[4], two[4], many[4];
    for (int k = 0; k < 4 && l->status == GAN_OK; k++) {
        char name[96];
        truth[k] = dims[k];
        two[k] = many[k] = 0;
        for (int sheet = 0; sheet < SHEETS; sheet++) {
            sheet_of(l, x, n, dims[k], sheet);
            const struct dimension got = estimate(l, x, n, D);
            two[k] += got.two_nn / SHEETS;
            many[k] += got.mle / SHEETS;
        }
        (void)gan__format(name, sizeof name, "TwoNN of a curved sheet of dimension %d", dims[k]);
        /* n points know 1/d to 1/sqrt(n), 6 % in the short form and 3.5 % for three sheets; edges of the
         * cube take away a tenth at d = 5, a seventh at d = 10: that and three deviations */
        gan__lab_equal(l, name, two[k], dims[k], 0.25 * dims[k]);
    }
    gan__lab_table(l, "known", "dimension,two_nn,mle", (const double *const[]){truth, two, many},
                   4);
}

/* --- four kinds of images ------------------------------------------------------------------------ */

static void same_covariance(struct gan__lab *l, const double *real, double *x, int n)
{
    struct gan__rng rng;
    double *e = gan__lab_array(l, (size_t)n * (size_t)n), mean[D] = {0};
    gan__lab_rng(l, 2, &rng);
    for (int i = 0; i < n * D; i++) {
        mean[i % D] += real[i] / n;
    }
    for (int i = 0; e != NULL && i < n * n; i++) {
        e[i] = gan__rng_normal(&rng) / sqrt(n);
    }
    for (int i = 0; e != NULL && i < n; i++) { /* rows of e sum to 0: the mean falls out of e x */
        double sum = 0;
        for (int j = 0; j < n; j++) {
            sum += e[i * n + j] / n;
        }
        for (int j = 0; j < n; j++) {
            e[i * n + j] -= sum;
        }
    }
    if (e == NULL ||
        !gan__lab_ok(
            l,
            gan__multiply(&(struct gan__product){.a = e, .b = real, .m = n, .n = D, .k = n, .c = x},
                          l->err))) {
        return;
    }
    for (int i = 0; i < n * D; i++) {
        x[i] += mean[i % D];
    }
}

/* Sum of waves of every frequency with amplitude 1/f and random phase. */
static void pink(double *x, struct gan__rng *rng)
{
    for (int i = 0; i < D; i++) {
        x[i] = 0.5;
    }
    for (int fy = -GAN_IMAGE_SIDE / 2 + 1; fy < GAN_IMAGE_SIDE / 2; fy++) {
        for (int fx = 0; fx < GAN_IMAGE_SIDE / 2; fx++) {
            const double f = sqrt(fx * fx + fy * fy), phase = 2 * pi * gan__rng_uniform(rng);
            for (int i = 0; f > 0 && i < D; i++) {
                const int turn = fx * (i % GAN_IMAGE_SIDE) + fy * (i / GAN_IMAGE_SIDE);
                x[i] += 0.1 / f * cos(2 * pi * turn / GAN_IMAGE_SIDE + phase);
            }
        }
    }
}

static void make(struct gan__lab *l, int kind, const double *real, double *x, int n)
{
    struct gan__rng rng;
    gan__lab_rng(l, 3 + (uint64_t)kind, &rng);
    if (kind == 0) {
        for (int i = 0; i < n * D; i++) {
            x[i] = real[i];
        }
    } else if (kind == 1) {
        same_covariance(l, real, x, n);
    } else if (kind == 2) {
        for (int i = 0; i < n; i++) {
            pink(x + (size_t)i * D, &rng);
        }
    } else {
        for (int i = 0; i < n * D; i++) {
            x[i] = gan__rng_uniform(&rng);
        }
    }
}

/* Share of the variance in the first k principal directions, k = 1 .. 784. */
static void spectrum(struct gan__lab *l, const double *x, int n, double *share)
{
    double *c = gan__lab_array(l, (size_t)D * D), *v = gan__lab_array(l, (size_t)n * D);
    double mean[D] = {0}, w[D], sum = 0, all = 0;
    if (c == NULL || v == NULL) {
        return;
    }
    for (int i = 0; i < n * D; i++) {
        mean[i % D] += x[i] / n;
    }
    for (int i = 0; i < n * D; i++) {
        v[i] = x[i] - mean[i % D];
    }
    if (!gan__lab_ok(l, gan__add_squares(v, n, D, c, l->err)) ||
        !gan__lab_ok(l, gan__eigen_symmetric(c, D, false, w, l->err))) {
        return;
    }
    for (int i = 0; i < D; i++) {
        all += fmax(w[i], 0);
    }
    for (int i = 0; i < D; i++) {
        share[i] = (sum += fmax(w[D - 1 - i], 0)) / all;
    }
}

static int directions_for(const double *share, double part)
{
    int k = 0;
    while (k < D - 1 && share[k] < part) {
        k++;
    }
    return k + 1;
}

/* Mean power of n images along the two axes at frequency 1 .. 13 of the side. */
static void power(const double *x, int n, double *p)
{
    for (int f = 1; f <= FREQUENCIES; f++) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            double re[2] = {0}, im[2] = {0};
            for (int k = 0; k < D; k++) {
                const double v = x[(size_t)i * D + (size_t)k];
                const double a = 2 * pi * f * (k % GAN_IMAGE_SIDE) / GAN_IMAGE_SIDE;
                const double b = 2 * pi * f * (k / GAN_IMAGE_SIDE) / GAN_IMAGE_SIDE;
                re[0] += v * cos(a);
                im[0] += v * sin(a);
                re[1] += v * cos(b);
                im[1] += v * sin(b);
            }
            sum += re[0] * re[0] + im[0] * im[0] + re[1] * re[1] + im[1] * im[1];
        }
        p[f - 1] = sum / (2 * n);
    }
}

/* Exponent of a power law through p. */
static double slope_of(const double *p)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int f = 1; f <= FREQUENCIES; f++) {
        const double a = log(f), b = log(p[f - 1]);
        sx += a;
        sy += b;
        sxx += a * a;
        sxy += a * b;
    }
    return (FREQUENCIES * sxy - sx * sy) / (FREQUENCIES * sxx - sx * sx);
}

struct found {
    struct dimension dimension[KINDS];
    double share[KINDS][D], power[KINDS][FREQUENCIES];
};

static void check(struct gan__lab *l, const struct found *f)
{
    const struct dimension *d = f->dimension;
    gan__lab_at_most(l, "dimension of real images of 784 pixels, TwoNN", d[0].two_nn, 20);
    gan__lab_at_most(l, "the same, 20 neighbours", d[0].mle, 20);
    gan__lab_at_least(l, "dimension with the same covariance over that of real images",
                      d[1].two_nn / d[0].two_nn, 1.5);
    gan__lab_at_least(l, "dimension of random pixels over that of real images, TwoNN",
                      d[3].two_nn / d[0].two_nn, 8);
    gan__lab_at_most(l, "directions that hold 90 % of the variance of real images",
                     directions_for(f->share[0], 0.9), 100);
    gan__lab_at_least(l, "the same of random pixels over those of real images",
                      directions_for(f->share[3], 0.9) / (double)directions_for(f->share[0], 0.9),
                      4);
    gan__lab_equal(l, "exponent of the power of 1/f noise", slope_of(f->power[2]), -2, 0.1);
    gan__lab_at_most(l, "the same of real images", slope_of(f->power[0]), -1.5);
    gan__lab_equal(l, "the same of random pixels", slope_of(f->power[3]), 0, 0.1);
}

static void draw(struct gan__lab *l, const struct found *f)
{
    double at[D], frequency[FREQUENCIES], kind[KINDS], two[KINDS], many[KINDS];
    for (int i = 0; i < D; i++) {
        at[i] = i + 1;
    }
    for (int i = 0; i < FREQUENCIES; i++) {
        frequency[i] = i + 1;
    }
    gan_figure *fig = gan_figure_new(1, 3, NULL);
    gan_panel *a = gan_figure_panel(fig, 0, 0), *b = gan_figure_panel(fig, 0, 1);
    gan_panel *c = gan_figure_panel(fig, 0, 2);
    for (int k = 0; k < KINDS; k++) {
        kind[k] = k;
        two[k] = f->dimension[k].two_nn;
        many[k] = f->dimension[k].mle;
        gan_plot_line(b, at, f->share[k], D, &(struct gan_style){.label = kind_names[k]});
        gan_plot_line(c, frequency, f->power[k], FREQUENCIES,
                      &(struct gan_style){.label = kind_names[k]});
    }
    gan_panel_title(a, "dimension from neighbours");
    gan_panel_x(
        a, &(struct gan_axis){.label = "kind of image",
                              .low = -0.5,
                              .high = KINDS - 0.5,
                              .names = (const char *const[]){"real", "covariance", "1/f", "random"},
                              .n_names = KINDS});
    gan_panel_y(a, &(struct gan_axis){.label = "dimension", .log = true, .low = 1, .high = 1000});
    gan_plot_points(a, kind, two, KINDS, &(struct gan_style){.label = "TwoNN", .size = 16});
    gan_plot_points(a, kind, many, KINDS,
                    &(struct gan_style){.label = "20 neighbours", .size = 16});
    gan_panel_title(b, "principal directions");
    gan_panel_x(b, &(struct gan_axis){.label = "directions", .log = true});
    gan_panel_y(b, &(struct gan_axis){.label = "share of the variance"});
    gan_panel_title(c, "power spectrum");
    gan_panel_x(c, &(struct gan_axis){.label = "cycles per image", .log = true});
    gan_panel_y(c, &(struct gan_axis){.label = "power", .log = true});
    gan__lab_figure(
        l, fig, "dimensions",
        "Left: intrinsic dimension. Middle: how many directions hold the variance. Right: "
        "power along the axes; 1/f noise falls as the square of the frequency.");
    gan__lab_table(l, "kinds", "kind,two_nn,mle", (const double *const[]){kind, two, many}, KINDS);
    gan__lab_table(l, "variance", "directions,real,same_covariance,pink,random",
                   (const double *const[]){at, f->share[0], f->share[1], f->share[2], f->share[3]},
                   D);
    gan__lab_table(
        l, "power", "frequency,real,same_covariance,pink,random",
        (const double *const[]){frequency, f->power[0], f->power[1], f->power[2], f->power[3]},
        FREQUENCIES);
}

static void run(struct gan__lab *l)
{
    const int n = l->quick ? 400 : 2000;
    const double *real = gan__lab_images(l, GAN_IMAGE_SIDE, n, NULL);
    double *x = gan__lab_array(l, (size_t)n * D);
    struct found *f = (struct found *)gan__lab_array(l, sizeof *f / sizeof(double));
    float shown[SHOWN * D];
    gan_figure *fig = gan_figure_new(
        KINDS, 1, &(struct gan_figure_opts){.panel_height = 150, .panel_width = 900});
    if (x != NULL && real != NULL && f != NULL) {
        known_dimensions(l, x, n);
        for (int k = 0; k < KINDS && l->status == GAN_OK; k++) {
            make(l, k, real, x, n);
            f->dimension[k] = estimate(l, x, n, D);
            spectrum(l, x, n, f->share[k]);
            power(x, n < 500 ? n : 500, f->power[k]);
            for (int i = 0; i < SHOWN * D; i++) {
                shown[i] = (float)x[i];
            }
            gan__lab_show(l, gan_figure_panel(fig, k, 0), kind_names[k], shown, GAN_IMAGE_SIDE,
                          SHOWN);
        }
        gan__lab_figure(l, fig, "images",
                        "Real images, a normal density of the same mean and covariance, noise of "
                        "amplitude 1/f with random phases, independent pixels.");
        check(l, f);
        draw(l, f);
        return;
    }
    gan_figure_free(fig);
}

GAN_EXPERIMENT(manifold) = {
    .name = "manifold",
    .title = "Images fill a thin set of the space of their pixels",
    .claim =
        "Theory of GANs supposes that data lie on a manifold of far fewer dimensions than pixels "
        "(Narayanan and Mitter 2010; Arjovsky and Bottou 2017). Here Fashion-MNIST's 784 pixels "
        "are "
        "held against it. Distances to nearest neighbours give a dimension near ten, and curved "
        "sheets of known dimension show that the estimate can be trusted. Independent random "
        "pixels fill all directions: neighbours are almost as far as everything else. A normal "
        "density that shares mean and covariance with the images knows every pairwise correlation, "
        "and looks like a ghost of all of them: its samples have more than twice the dimension. "
        "Noise "
        "of amplitude 1/f shares the power spectrum of natural scenes, has edges nowhere, and is "
        "no image either. What a generator must find is more than second moments.",
    .ref = "Facco et al. 2017, arXiv:1803.06992; Levina and Bickel 2005; Narayanan and Mitter 2010",
    .run = run,
};
