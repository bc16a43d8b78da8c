/* exp_optimal_discriminator.c: a trained discriminator against the optimal one, and the value of the
 * game against the divergence it measures.
 *
 * For a fixed generator the best D is D* = p_r/(p_r+p_g), its logit log p_r/p_g, and
 * V(D*,G) = -log 4 + 2 JS(p_r,p_g). Goodfellow et al. 2014, arXiv:1406.2661, proposition 1 and
 * theorem 1. */
#include "critic.h"
#include "gaussian.h"

#include "base/philox.h"
#include "base/str.h"

#include <gan/divergence.h>

#include <math.h>

enum { PAIRS = 3, LOOK = 801, BATCH = 1024 };
static const double low = -8, high = 8;
static const double log4 = 1.38629436111989061883;

/* w N(m1,s1) + (1-w) N(m2,s2) against N(m,s). */
static const struct pair {
    const char *name;
    double w, m1, s1, m2, s2, m, s;
} pairs[PAIRS] = {
    {"N(0,1), N(1,1)", 1, 0, 1, 0, 1, 1, 1},
    {"two modes, N(0,2)", 0.4, -2, 0.6, 1.5, 0.8, 0, 2},
    {"equal", 1, 0, 1, 0, 1, 0, 1},
};

struct curve {
    double x[LOOK], p[LOOK], q[LOOK], best[LOOK], trained[LOOK];
};

static double real_density(const struct pair *c, double x)
{
    return c->w * gan__normal_density(x, c->m1, c->s1) +
           (1 - c->w) * gan__normal_density(x, c->m2, c->s2);
}

static void draw_batch(const struct pair *c, struct gan__rng *rng, float *real, float *fake)
{
    for (int i = 0; i < BATCH; i++) {
        const bool first = gan__rng_uniform(rng) < c->w;
        const double z = gan__rng_normal(rng);
        real[i] = (float)(first ? c->m1 + c->s1 * z : c->m2 + c->s2 * z);
        fake[i] = (float)(c->m + c->s * gan__rng_normal(rng));
    }
}

static void train(struct gan__lab *l, const struct pair *c, int64_t steps, uint64_t key,
                  struct curve *u)
{
    float real[BATCH], fake[BATCH], x[LOOK];
    struct gan__rng rng;
    gan__lab_rng(l, key, &rng);
    struct gan__critic *critic =
        gan__critic_new(l, &(struct gan__critic_opts){.loss = "minimax",
                                                      .optim = "adam:1e-2@cosine",
                                                      .size = 1,
                                                      .width = 24,
                                                      .batch = BATCH,
                                                      .look = LOOK,
                                                      .steps = steps});
    for (int64_t k = 0; k < steps && critic != NULL; k++) {
        draw_batch(c, &rng, real, fake);
        (void)gan__critic_step(l, critic, real, fake);
    }
    for (int i = 0; i < LOOK; i++) {
        u->x[i] = low + (high - low) * i / (LOOK - 1);
        x[i] = (float)u->x[i];
        u->p[i] = real_density(c, u->x[i]) * (high - low) / (LOOK - 1);
        u->q[i] = gan__normal_density(u->x[i], c->m, c->s) * (high - low) / (LOOK - 1);
        u->best[i] = u->p[i] / (u->p[i] + u->q[i]);
    }
    if (critic != NULL) {
        gan__critic_scores(l, critic, x, u->trained);
    }
    for (int i = 0; i < LOOK; i++) {
        u->trained[i] = 1 / (1 + exp(-u->trained[i]));
    }
    gan__critic_free(critic);
}

/* V(D,G) on the grid. */
static double game_value(const struct curve *u, const double *d)
{
    double sum = 0;
    for (int i = 0; i < LOOK; i++) {
        sum += (u->p[i] > 0 ? u->p[i] * log(d[i]) : 0) + (u->q[i] > 0 ? u->q[i] * log1p(-d[i]) : 0);
    }
    return sum;
}

static void normalise(double *p)
{
    double sum = 0;
    for (int i = 0; i < LOOK; i++) {
        sum += p[i];
    }
    for (int i = 0; i < LOOK; i++) {
        p[i] /= sum;
    }
}

static void check(struct gan__lab *l, const struct pair *c, struct curve *u)
{
    double error = 0, js = (double)NAN;
    char name[96];
    normalise(u->p);
    normalise(u->q);
    for (int i = 0; i < LOOK; i++) {
        u->best[i] = u->p[i] / (u->p[i] + u->q[i]);
        error += (u->p[i] + u->q[i]) / 2 * fabs(u->trained[i] - u->best[i]);
    }
    if (!gan__lab_ok(l,
                     gan_divergence_discrete(GAN_JS, u->p, u->q, LOOK, &js, NULL, NULL, l->err))) {
        return;
    }
    const double best = game_value(u, u->best), trained = game_value(u, u->trained);
    (void)gan__format(name, sizeof name, "%s: V(D*,G) against -log 4 + 2 JS", c->name);
    gan__lab_equal(l, name, best, -log4 + 2 * js, 1e-12);
    (void)gan__format(name, sizeof name, "%s: mean |D - D*| of the trained D", c->name);
    gan__lab_at_most(l, name, error, 0.02);
    (void)gan__format(name, sizeof name, "%s: V(D*,G) - V(D,G), not negative", c->name);
    gan__lab_at_least(l, name, best - trained, -1e-12);
    (void)gan__format(name, sizeof name, "%s: V(D,G) of the trained D", c->name);
    gan__lab_equal(l, name, trained, -log4 + 2 * js, 0.01);
}

/* The logit of the first pair is 1/2 - x: compared where samples are. */
static void check_logit(struct gan__lab *l, const struct curve *u)
{
    double worst = 0;
    for (int i = 0; i < LOOK; i++) {
        if (u->x[i] >= -1 && u->x[i] <= 2) {
            worst = fmax(worst, fabs(log(u->trained[i] / (1 - u->trained[i])) - (0.5 - u->x[i])));
        }
    }
    gan__lab_at_most(l, "N(0,1), N(1,1): largest |logit - (1/2 - x)| on [-1,2]", worst, 0.2);
}

static void draw(gan_figure *f, int column, const struct pair *c, const struct curve *u)
{
    double real[LOOK], fake[LOOK];
    for (int i = 0; i < LOOK; i++) { /* densities, not masses of cells */
        real[i] = u->p[i] * (LOOK - 1) / (high - low);
        fake[i] = u->q[i] * (LOOK - 1) / (high - low);
    }
    gan_panel *p = gan_figure_panel(f, 0, column);
    gan_panel_title(p, c->name);
    gan_panel_x(p, &(struct gan_axis){.label = "x", .low = -5, .high = 5});
    gan_panel_y(p, &(struct gan_axis){.label = "density, or D", .low = 0, .high = 1.02});
    gan_plot_line(p, u->x, real, LOOK, &(struct gan_style){.label = "p_r"});
    gan_plot_line(p, u->x, fake, LOOK, &(struct gan_style){.label = "p_g"});
    gan_plot_line(p, u->x, u->best, LOOK,
                  &(struct gan_style){.label = "D*", .color = GAN_COLOR_BLACK, .dashed = true});
    gan_plot_line(p, u->x, u->trained, LOOK,
                  &(struct gan_style){.label = "trained D", .color = GAN_COLOR_VERMILION});
}

static void run(struct gan__lab *l)
{
    static const char *const tables[PAIRS] = {"shifted", "modes", "equal"};
    const int64_t steps = l->quick ? 600 : 3000;
    struct curve u;
    gan_figure *f = gan_figure_new(1, PAIRS, &(struct gan_figure_opts){.panel_width = 460});
    for (int k = 0; k < PAIRS && l->status == GAN_OK; k++) {
        train(l, &pairs[k], steps, (uint64_t)k, &u);
        if (l->status == GAN_OK) {
            check(l, &pairs[k], &u);
            draw(f, k, &pairs[k], &u);
            gan__lab_table(l, tables[k], "x,p_r,p_g,best_d,trained_d",
                           (const double *const[]){u.x, u.p, u.q, u.best, u.trained}, LOOK);
        }
        if (k == 0 && l->status == GAN_OK) {
            check_logit(l, &u);
        }
    }
    gan__lab_equal(l, "V at equilibrium, D = 1/2", 2 * log(0.5), -log4, 1e-15);
    gan__lab_figure(l, f, "discriminators",
                    "Densities of data and fakes, the optimal discriminator (dashed), and a "
                    "perceptron trained on samples. Where there are no samples, nothing holds it.");
}

GAN_EXPERIMENT(optimal_discriminator) = {
    .name = "optimal-discriminator",
    .title = "The optimal discriminator, and the divergence it measures",
    .claim =
        "Goodfellow et al. (2014), proposition 1: for a fixed generator the discriminator that "
        "maximises V(D,G) = E log D(x) + E log(1 - D(g)) is D* = p_r/(p_r + p_g). Theorem 1: its "
        "value is -log 4 + 2 JS(p_r, p_g), at least -log 4, which is reached only by p_g = p_r, "
        "with D = 1/2 everywhere.\n"
        "Here the densities are known: two normal ones, two modes against one, and equal ones. A "
        "perceptron with two hidden layers is trained by the library on fresh samples, then "
        "compared with D* on a grid.\n"
        "It comes near D* wherever there are samples; for N(0,1) and N(1,1) its logit is 1/2 - "
        "x. Its value stays below that of D*, as that of any discriminator must: a loss of D is "
        "an estimate of JS from below.\n"
        "For equal densities it finds nothing and says 1/2.",
    .ref = "Goodfellow et al. 2014, arXiv:1406.2661, proposition 1 and theorem 1",
    .run = run,
};
