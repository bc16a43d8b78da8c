/* exp_lipschitz.c: ways of keeping a critic's slope small, and what each does to the critic.
 *
 * |f_1 o ... o f_k| <= |f_1| ... |f_k| for Lipschitz constants, so clipped weights bound the slope, by
 * far more than it is. Clipping uses the critic's capacity badly, sends weights to +-c and makes
 * gradients explode or vanish over depth; a gradient penalty does none of this. Gulrajani et al. 2017,
 * arXiv:1704.00028, sections 3 and 4, figures 1 and 2. */
#include "points.h"
#include "toy.h"

#include "base/str.h"

#include <math.h>
#include <string.h>

enum {
    SIDE = 48,
    LOOK = SIDE * SIDE,
    BATCH = 128,
    WIDTH = 48,
    DEPTH = 3,
    METHODS = 3,
    NETS = 3,
    BINS = 41
};
static const double low = -2, high = 2;

/* The penalty is the one-sided one. Slopes of 1 please the two-sided one as well in -f, and between f and
 * -f lies slope 0, which costs its whole weight: of critics of this size that start at random, one to
 * three in eight stay upside down (value -0.3) for more than a thousand steps. */
static const struct method {
    const char *name, *regs, *optim;
} methods[METHODS] = {{"clip .05", "clip:.05", "rmsprop:5e-4"},
                      {"gradient penalty", "gp1:10", "adam:1e-3,.5,.9"},
                      {"spectral norm", "sn", "adam:1e-3,.5,.9"}};

/* The largest singular value, by the power method. */
static double largest_singular(const float *w, int64_t out, int64_t in)
{
    enum { MOST = 128, STEPS = 60 };
    double v[MOST], u[MOST], size = 0;
    for (int64_t j = 0; j < in; j++) {
        v[j] = 1 + 0.1 * (double)(j % 7); /* not orthogonal to anything that matters */
    }
    for (int k = 0; k < STEPS; k++) {
        double square = 0;
        for (int64_t i = 0; i < out; i++) {
            u[i] = 0;
            for (int64_t j = 0; j < in; j++) {
                u[i] += (double)w[i * in + j] * v[j];
            }
        }
        for (int64_t j = 0; j < in; j++) {
            v[j] = 0;
            for (int64_t i = 0; i < out; i++) {
                v[j] += (double)w[i * in + j] * u[i];
            }
            square += v[j] * v[j];
        }
        size = sqrt(sqrt(square)); /* |W^T W v| nears sigma^2 for |v| = 1 */
        for (int64_t j = 0; j < in && square > 0; j++) {
            v[j] /= sqrt(square);
        }
    }
    return size;
}

/* Product of the layers' largest singular values: a Lipschitz constant of the critic. */
static double product_bound(const struct gan__toy *t, int depth)
{
    double product = 1;
    for (int k = 0; k <= depth; k++) {
        int64_t out = 0, in = 0;
        const float *w = gan__toy_weight(t, k, &out, &in);
        product *= w != NULL ? largest_singular(w, out, in) : 0;
    }
    return product;
}

static void grid(float *x)
{
    for (int i = 0; i < LOOK; i++) {
        x[2 * i] = (float)(low + (high - low) * (i % SIDE) / (SIDE - 1));
        x[2 * i + 1] = (float)(low + (high - low) * (int)(i / SIDE) / (SIDE - 1));
    }
}

/* The surface of the critic, and its largest slope there. */
static double surface(struct gan__lab *l, struct gan__toy *t, double *score)
{
    float x[2 * LOOK];
    double slope[2 * LOOK];
    double most = 0;
    grid(x);
    memset(slope, 0, sizeof slope);
    gan__toy_scores(l, t, x, score, slope);
    for (int i = 0; i < LOOK; i++) {
        most = fmax(most, hypot(slope[2 * i], slope[2 * i + 1]));
    }
    return most;
}

/* net: critics that differ by their seed alone. init NULL: torch, whose critics start nearly flat. */
static struct gan__toy *critic(struct gan__lab *l, const char *regs, const char *optim,
                               const char *init, int depth, int net)
{
    const uint64_t seed =
        net == 0 ? l->seed + 1
                 : gan__stream_key(l->seed, 4, (uint64_t)net, gan__hash_text("lipschitz"));
    return gan__toy_new(l, &(struct gan__toy_opts){.loss = "wasserstein",
                                                   .regs = regs,
                                                   .optim_disc = optim,
                                                   .init = init,
                                                   .size = 2,
                                                   .width = WIDTH,
                                                   .depth = depth,
                                                   .relu = true,
                                                   .batch = BATCH,
                                                   .look = LOOK,
                                                   .seed = seed});
}

/* A batch with the generator held at data plus unit noise. Returns the points apart. */
static void batch(enum gan__plane kind, struct gan__rng *rng, float *real, float *fake)
{
    gan__plane_points(kind, rng, BATCH, real);
    for (int i = 0; i < 2 * BATCH; i++) {
        fake[i] = real[i] + (float)gan__rng_normal(rng);
    }
}

static void train(struct gan__lab *l, struct gan__toy *t, enum gan__plane kind, int steps)
{
    float real[2 * BATCH], fake[2 * BATCH];
    struct gan__rng rng;
    gan__rng_init(&rng, gan__stream_key(l->seed, 0, kind, gan__hash_text("lipschitz")));
    for (int k = 0; k < steps && l->status == GAN_OK; k++) {
        batch(kind, &rng, real, fake);
        (void)gan__toy_disc_step(l, t, real, fake);
    }
}

/* E f(real) - E f(fake) over fresh batches. */
static double gap(struct gan__lab *l, struct gan__toy *t, enum gan__plane kind)
{
    enum { BATCHES = 30 };
    float real[2 * BATCH], fake[2 * BATCH];
    double sum = 0;
    struct gan__rng rng;
    gan__rng_init(&rng, gan__stream_key(l->seed, 1, kind, gan__hash_text("lipschitz")));
    for (int k = 0; k < BATCHES; k++) {
        batch(kind, &rng, real, fake);
        sum -= gan__toy_disc_loss(l, t, real, fake) / BATCHES;
    }
    return sum;
}

/* --- composition -------------------------------------------------------------------------------- */

static void composition(struct gan__lab *l, gan_panel *p)
{
    enum { MOST = 8 };
    double depth[MOST], bound[MOST], slope[MOST], worst = 0;
    double *score = gan__lab_array(l, LOOK);
    for (int k = 0; k < MOST && l->status == GAN_OK; k++) {
        struct gan__toy *t = critic(l, NULL, "sgd:1e-3", "he", k + 1, 0);
        depth[k] = k + 1;
        bound[k] = product_bound(t, k + 1);
        slope[k] = surface(l, t, score);
        worst = fmax(worst, slope[k] / bound[k]);
        gan__toy_free(t);
    }
    if (l->status != GAN_OK) {
        return;
    }
    gan__lab_at_most(l, "random networks: slope / product of the layers' constants", worst, 1);
    gan__lab_at_least(l, "the product is too large, at 8 hidden layers over 1, by a factor of",
                      bound[MOST - 1] / slope[MOST - 1] / (bound[0] / slope[0]), 5);
    gan_panel_title(p, "composition: random networks");
    gan_panel_x(p, &(struct gan_axis){.label = "hidden layers"});
    gan_panel_y(p, &(struct gan_axis){.label = "Lipschitz constant", .log = true});
    gan_plot_line(p, depth, bound, MOST, &(struct gan_style){.label = "product of layers"});
    gan_plot_line(p, depth, slope, MOST, &(struct gan_style){.label = "measured"});
    gan__lab_table(l, "composition", "hidden_layers,product,measured",
                   (const double *const[]){depth, bound, slope}, MOST);
}

/* Geometric means over critics. */
static void clipping(struct gan__lab *l, gan_panel *p)
{
    enum { STEPS = 5, MIDDLE = 2 };
    static const char *const regs[STEPS] = {"clip:.01", "clip:.02", "clip:.05", "clip:.1",
                                            "clip:.2"};
    double c[STEPS] = {.01, .02, .05, .1, .2}, bound[STEPS], slope[STEPS], worst = 0;
    double *score = gan__lab_array(l, LOOK);
    for (int k = 0; k < STEPS && l->status == GAN_OK; k++) {
        double log_bound = 0, log_slope = 0;
        for (int net = 0; net < NETS; net++) {
            struct gan__toy *t = critic(l, regs[k], "rmsprop:2e-3", "he", DEPTH, net);
            train(l, t, GAN__ROLL, l->quick ? 150 : 600);
            const double most = product_bound(t, DEPTH), is = surface(l, t, score);
            log_bound += log(most) / NETS;
            log_slope += log(is) / NETS;
            worst = fmax(worst, is / most);
            gan__toy_free(t);
        }
        bound[k] = exp(log_bound);
        slope[k] = exp(log_slope);
    }
    if (l->status != GAN_OK) {
        return;
    }
    gan__lab_at_most(l, "clipped critics: slope / product of the layers' constants", worst, 1);
    /* Four layers, each weight at most c. Over nine seeds 4.12 +- 0.06 in the short form, as weights are
     * not yet all at +-c where c is small. */
    gan__lab_equal(l, "clipped critics: power of c in the slope, c = .05 to .2: layers",
                   log(slope[STEPS - 1] / slope[MIDDLE]) / log(c[STEPS - 1] / c[MIDDLE]), DEPTH + 1,
                   0.4);
    gan__lab_at_least(l, "clipped critics: power of c in the slope, c = .01 to .05",
                      log(slope[MIDDLE] / slope[0]) / log(c[MIDDLE] / c[0]), DEPTH + 1);
    gan_panel_title(p, "clipping: the slope is a power of c");
    gan_panel_x(p, &(struct gan_axis){.label = "c", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "Lipschitz constant", .log = true});
    gan_plot_line(p, c, bound, STEPS, &(struct gan_style){.label = "product of layers"});
    gan_plot_line(p, c, slope, STEPS, &(struct gan_style){.label = "measured"});
    gan_plot_level(p, 1, &(struct gan_style){.label = "wanted: 1", .dashed = true});
    gan__lab_table(l, "clipping", "c,product,measured", (const double *const[]){c, bound, slope},
                   STEPS);
}

/* --- surfaces and weights ----------------------------------------------------------------------- */

static void draw_surface(gan_panel *p, const char *title, const double *score, const float *real,
                         size_t n)
{
    double x[BATCH], y[BATCH];
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)real[2 * i];
        y[i] = (double)real[2 * i + 1];
    }
    gan_panel_title(p, title);
    gan_panel_x(p, &(struct gan_axis){.label = "x", .low = low, .high = high});
    gan_panel_y(p, &(struct gan_axis){.label = "y", .low = low, .high = high});
    gan_panel_equal(p);
    gan_plot_contours(p, &(struct gan_surface){score, SIDE, SIDE, low, high, low, high}, NULL, 12,
                      &(struct gan_style){.filled = true, .bar = "f"});
    gan_plot_points(p, x, y, n, &(struct gan_style){.color = GAN_COLOR_VERMILION, .size = 5});
}

/* How many of the hidden layers' weights lie in equal bins over +- the largest; the part within 1% of
 * it. */
static double pile(const struct gan__toy *t, double *at, double *part)
{
    double most = 0, edge = 0, count = 0;
    memset(part, 0, BINS * sizeof *part);
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 1; k < DEPTH; k++) {
            int64_t out = 0, in = 0;
            const float *w = gan__toy_weight(t, k, &out, &in);
            for (int64_t i = 0; w != NULL && i < out * in; i++) {
                const double v = (double)w[i];
                if (pass == 0) {
                    most = fmax(most, fabs(v));
                    count++;
                } else {
                    const int bin = (int)((v + most) / (2 * most) * BINS);
                    part[bin < BINS ? bin : BINS - 1] += 1 / count;
                    edge += fabs(v) >= 0.99 * most ? 1 / count : 0;
                }
            }
        }
    }
    for (int k = 0; k < BINS; k++) {
        at[k] = most * (2 * (k + 0.5) / BINS - 1);
    }
    return edge;
}

static void draw_weights(struct gan__lab *l, double (*at)[BINS], double (*part)[BINS])
{
    gan_figure *f = gan_figure_new(1, METHODS, &(struct gan_figure_opts){.panel_width = 480});
    for (int m = 0; m < METHODS; m++) {
        gan_panel *p = gan_figure_panel(f, 0, m);
        gan_panel_title(p, methods[m].name);
        gan_panel_x(p, &(struct gan_axis){.label = "weight"});
        gan_panel_y(p, &(struct gan_axis){.label = "part of the weights"});
        gan_plot_bars(p, at[m], part[m], BINS, at[m][1] - at[m][0], NULL);
    }
    gan__lab_figure(
        l, f, "weights",
        "Weights between the hidden layers of the critics of the Swiss roll: clipping "
        "piles them up at +-c, the others leave a bell. Spectral norm is applied to what "
        "is shown, which has no scale of its own.");
    gan__lab_table(l, "weights", "clip_weight,clip_part,gp_weight,gp_part,sn_weight,sn_part",
                   (const double *const[]){at[0], part[0], at[1], part[1], at[2], part[2]}, BINS);
}

/* What one method makes of one set of points; means over critics, logarithms of slopes. */
struct verdict {
    double value, log_slope, edge; /* value: at slope 1 */
};

/* Draws the first critic's surface; at, part: weights of the last. */
static struct verdict judge(struct gan__lab *l, const struct method *m, enum gan__plane kind,
                            gan_panel *p, double *at, double *part)
{
    struct verdict v = {0, 0, 0};
    char name[96];
    double *score = gan__lab_array(l, LOOK);
    for (int net = 0; net < NETS && l->status == GAN_OK; net++) {
        struct gan__toy *t = critic(l, m->regs, m->optim, NULL, DEPTH, net);
        train(l, t, kind, l->quick ? 1000 : 1500);
        const double slope = surface(l, t, score);
        v.value += gap(l, t, kind) / slope / NETS;
        v.log_slope += log10(slope) / NETS;
        v.edge += pile(t, at, part) / NETS;
        if (net == 0) {
            float real[2 * BATCH], fake[2 * BATCH];
            struct gan__rng rng;
            gan__rng_init(&rng, gan__stream_key(l->seed, 2, kind, gan__hash_text("lipschitz")));
            batch(kind, &rng, real, fake);
            (void)gan__format(name, sizeof name, "%s, %s", gan__plane_name(kind), m->name);
            draw_surface(p, name, score, real, BATCH);
        }
        gan__toy_free(t);
    }
    return v;
}

static void surfaces(struct gan__lab *l)
{
    const int first = l->quick ? GAN__ROLL : 0, rows = GAN__PLANES - first;
    double value[METHODS][GAN__PLANES], slope[METHODS][GAN__PLANES], edge[METHODS] = {0};
    double at[METHODS][BINS], part[METHODS][BINS], row[GAN__PLANES];
    char name[96];
    gan_figure *f = gan_figure_new(
        rows, METHODS, &(struct gan_figure_opts){.panel_width = 560, .panel_height = 440});
    for (int k = 0; k < rows && l->status == GAN_OK; k++) {
        const enum gan__plane kind = (enum gan__plane)(first + k);
        row[k] = kind;
        for (int m = 0; m < METHODS && l->status == GAN_OK; m++) {
            const struct verdict v =
                judge(l, &methods[m], kind, gan_figure_panel(f, k, m), at[m], part[m]);
            value[m][k] = v.value;
            slope[m][k] = pow(10, v.log_slope);
            edge[m] = v.edge; /* at last of the Swiss roll */
        }
        if (l->status == GAN_OK) {
            (void)gan__format(name, sizeof name, "%s: value at slope 1, penalty less clipping",
                              gan__plane_name(kind));
            /* Swiss roll, short form, nine seeds: .20 +- .01 */
            gan__lab_at_least(l, name, value[1][k] - value[0][k], 0);
            (void)gan__format(name, sizeof name, "%s: log10 of the slope, penalty",
                              gan__plane_name(kind));
            gan__lab_equal(l, name, log10(slope[1][k]), 0, 0.3);
        }
    }
    gan__lab_figure(
        l, f, "surfaces",
        "Critics of data (points) against data plus unit noise. Clipped ones are simple "
        "shapes. The penalty's has a hill at each of eight modes; 25 are too near for every one. "
        "Spectral norm, flatter on the ring, follows the roll as the penalty does.");
    if (l->status != GAN_OK) {
        return;
    }
    gan__lab_at_least(l, "clipping: part of the weights within 1% of +-c", edge[0], 0.5);
    gan__lab_at_most(l, "penalty: part of the weights within 1% of the largest", edge[1], 0.05);
    draw_weights(l, at, part);
    gan__lab_table(
        l, "surfaces", "data,clip_slope,gp_slope,sn_slope,clip_value,gp_value,sn_value",
        (const double *const[]){row, slope[0], slope[1], slope[2], value[0], value[1], value[2]},
        (size_t)rows);
}

/* --- depth -------------------------------------------------------------------------------------- */

static void depths(struct gan__lab *l)
{
    enum { LAYERS = 12, RUNS = 4, LOOKS = 10 };
    static const struct {
        const char *name, *regs, *optim;
    } runs[RUNS] = {{"clip .1", "clip:.1", "rmsprop:1e-3"},
                    {"clip .01", "clip:.01", "rmsprop:1e-3"},
                    {"clip .001", "clip:.001", "rmsprop:1e-3"},
                    {"gradient penalty", "gp:1", "adam:1e-4,.5,.9"}};
    double layer[LAYERS], size[RUNS][LAYERS] = {{0}}, rate[RUNS];
    char name[96];
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "12 layers: the gradient on its way back");
    gan_panel_x(p, &(struct gan_axis){.label = "hidden layer, 12: next to the output"});
    gan_panel_y(p, &(struct gan_axis){.label = "|d loss / d layer|", .log = true});
    for (int m = 0; m < RUNS && l->status == GAN_OK; m++) {
        float real[2 * BATCH], fake[2 * BATCH];
        double norm[LAYERS] = {0};
        struct gan__rng rng;
        struct gan__toy *t = critic(l, runs[m].regs, runs[m].optim, "he", LAYERS, 0);
        train(l, t, GAN__ROLL, l->quick ? 120 : 1000);
        gan__rng_init(&rng, gan__stream_key(l->seed, 3, 0, gan__hash_text("lipschitz")));
        for (int k = 0; k < LOOKS; k++) {
            batch(GAN__ROLL, &rng, real, fake);
            gan__toy_layer_gradients(l, t, real, fake, norm);
            for (int i = 0; i < LAYERS; i++) {
                layer[i] = i + 1;
                size[m][i] += norm[i] / LOOKS;
            }
        }
        gan__toy_free(t);
        rate[m] = log10(size[m][0] / size[m][LAYERS - 1]) / (LAYERS - 1);
        gan_plot_line(p, layer, size[m], LAYERS, &(struct gan_style){.label = runs[m].name});
    }
    gan__lab_figure(
        l, f, "depth",
        "Size of the loss's derivative at each hidden layer of critics of the Swiss roll. "
        "With clipping it grows or dies by a constant factor a layer, as c has it; with "
        "the penalty it stays.");
    if (l->status != GAN_OK) {
        return;
    }
    for (int m = 0; m < RUNS; m++) {
        (void)gan__format(name, sizeof name,
                          "%s: decades the gradient gains a layer on its way back", runs[m].name);
        if (m == 0) {
            gan__lab_at_least(l, name, rate[m], 0.1);
        } else if (m < RUNS - 1) {
            gan__lab_at_most(l, name, rate[m], m == 1 ? -0.2 : -1);
        } else {
            gan__lab_equal(l, name, rate[m], 0, 0.1);
        }
    }
    gan__lab_table(l, "depth", "layer,clip_0.1,clip_0.01,clip_0.001,penalty",
                   (const double *const[]){layer, size[0], size[1], size[2], size[3]}, LAYERS);
}

static void run(struct gan__lab *l)
{
    gan_figure *f = gan_figure_new(1, 2, NULL);
    composition(l, gan_figure_panel(f, 0, 0));
    clipping(l, gan_figure_panel(f, 0, 1));
    gan__lab_figure(
        l, f, "constants",
        "Left: the product of the layers' constants bounds the slope of random networks, "
        "ever more loosely. Right: the slope of clipped critics is about the fourth power "
        "of c (four layers), and less where c is so small that the critic hardly trains: "
        "hardly any c gives a slope near 1.");
    surfaces(l);
    depths(l);
}

GAN_EXPERIMENT(lipschitz) = {
    .name = "lipschitz",
    .title = "Keeping a critic's slope small: clipping, penalty, spectral norm",
    .claim =
        "A WGAN's critic must be Lipschitz. The constant of a composition is at most the product "
        "of "
        "the constants of its layers, so small weights (Arjovsky et al. 2017: all within +-c) or "
        "layers of norm 1 (Miyato et al. 2018) bound it. The first figure: the bound holds and is "
        "loose, and the slope goes with a power of c: the number of layers, and more where c is so "
        "small that the critic's own gradient is lost.\n"
        "Gulrajani et al. (2017) find three faults of clipping. Capacity is not used: against data "
        "plus unit noise, the best 1-Lipschitz critic follows the data's form, a clipped one has "
        "simple level sets. The small critics here tell 8 modes apart, and some of 25. Checked "
        "is the value E f(real) - E f(fake) of each critic, a mean over three, divided "
        "by its largest slope: each is a lower bound of W, and the larger one is the better "
        "critic.\n"
        "Weights pile up at +-c. And over twelve layers the gradient explodes or vanishes by a "
        "constant factor a layer, which only a delicate choice of c avoids.\n"
        "The gradient penalty (one-sided here: the two-sided one leaves some of these critics "
        "upside "
        "down, as slope 1 suits -f too and the way to f leads past slope 0) holds the slope near 1 "
        "where it matters, keeps the weights in a bell "
        "and the gradient at the same size in every layer. Spectral norm stands beside it.",
    .ref = "Gulrajani et al. 2017, arXiv:1704.00028, figures 1 and 2; Miyato et al. 2018, "
           "arXiv:1802.05957",
    .run = run,
};
