/* exp_vanishing_gradient.c: what a generator still learns as its discriminator gets better.
 *
 * With |D - D*| < e (the larger of |D - D*| + |grad D| over the points) and M^2 = E |J_w g(z)|^2,
 * theorem 2.4 bounds |grad_w E log(1 - D(g(z)))| by M e/(1 - e). Theorem 2.6: with -log D and a D that
 * is D* plus noise, the gradient is a ratio of two independent centred normal numbers: Cauchy.
 * Arjovsky and Bottou 2017, arXiv:1701.04862. */
#include "matrix.h"
#include "toy.h"

#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

enum { SIZE = 16, LATENT = 2, WAYS = 8, BATCH = 96, DRAWS = 16, STAGES = 3, LOOKS = 12 };
static const int looks[LOOKS] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
static const double pi = 3.14159265358979323846;

enum { STEPS, SATURATING, BOUND, EPSILON, MINUS_LOG, VARIANCE, CRITIC, COLUMNS };

struct study {
    struct gan__toy *played, *disc,
        *critic; /* in a GAN; retrained on fixed fakes: D, and a W critic */
    struct gan__rng rng;
    int n_looks, n_stages, stage_steps[STAGES];
    double *c[STAGES][COLUMNS];     /* [LOOKS] */
    double frame[WAYS][SIZE];       /* of the surface the data lie on */
    double *jacobian, *grad, *mean; /* [SIZE,weights], [weights] */
};

/* A closed band in SIZE dimensions, wound too fast for a small generator to follow. */
static void draw_real(struct study *s, float *x)
{
    for (int i = 0; i < BATCH; i++) {
        const double a = 2 * pi * gan__rng_uniform(&s->rng), w = gan__rng_uniform(&s->rng) - 0.5;
        const double on[WAYS] = {
            (1 + w / 2) * cos(a), (1 + w / 2) * sin(a), cos(3 * a) / 2, sin(4 * a) / 2,
            cos(5 * a) / 2,       sin(6 * a) / 2,       cos(7 * a) / 2, w};
        for (int k = 0; k < SIZE; k++) {
            double sum = 0;
            for (int j = 0; j < WAYS; j++) {
                sum += on[j] * s->frame[j][k];
            }
            x[i * SIZE + k] = (float)sum;
        }
    }
}

/* sqrt(E |J_w g(z)|^2), |J| the largest singular value, over the batch. */
static double jacobian_size(struct gan__lab *l, struct study *s, const float *z)
{
    const size_t n = gan__toy_gen_weights(s->disc);
    double *j = s->jacobian, sum = 0;
    for (int i = 0; i < BATCH && l->status == GAN_OK; i++) {
        double gram[SIZE * SIZE], w[SIZE], v[SIZE * SIZE], most = 0;
        gan__toy_gen_jacobian(l, s->disc, z + i * LATENT, j);
        for (int k = 0; k < SIZE * SIZE; k++) {
            const double *a = j + (size_t)(k / SIZE) * n, *b = j + (size_t)(k % SIZE) * n;
            gram[k] = 0;
            for (size_t e = 0; e < n; e++) {
                gram[k] += a[e] * b[e];
            }
        }
        gan__jacobi_eigen(gram, SIZE, w, v);
        for (int k = 0; k < SIZE; k++) {
            most = fmax(most, w[k]);
        }
        sum += most / BATCH;
    }
    return sqrt(sum);
}

/* The largest |D - D*| + |grad D|; D* is 1 on reals and 0 on fakes, flat around both. */
static double distance_to_best(struct gan__lab *l, struct study *s, const float *x, bool real)
{
    double score[BATCH] = {0}, slope[BATCH * SIZE] = {0}, most = 0;
    gan__toy_scores(l, s->disc, x, score, slope);
    for (int i = 0; i < BATCH; i++) {
        const double wrong = 1 / (1 + exp(real ? score[i] : -score[i]));
        const double d = 1 / (1 + exp(-score[i]));
        most = fmax(most, wrong + d * (1 - d) * gan__vector_norm(slope + (size_t)i * SIZE, SIZE));
    }
    return most;
}

/* |mean gradient| over DRAWS batches of noise, and E |gradient of a batch - mean|^2. */
static double spread(struct gan__lab *l, struct study *s, struct gan__toy *t, const char *loss,
                     double *variance)
{
    const size_t n = gan__toy_gen_weights(t);
    double *one = s->grad, *mean = s->mean, squares = 0;
    memset(mean, 0, n * sizeof *mean);
    for (int k = 0; k < DRAWS && l->status == GAN_OK; k++) {
        float z[BATCH * LATENT];
        gan__toy_noise(&s->rng, BATCH * LATENT, z);
        gan__toy_gen_gradient(l, t, loss, z, one);
        for (size_t i = 0; i < n; i++) {
            mean[i] += one[i] / DRAWS;
            squares += one[i] * one[i] / DRAWS;
        }
    }
    const double of_mean = l->status == GAN_OK ? gan__vector_norm(mean, n) : 0;
    *variance = (squares - of_mean * of_mean) * DRAWS / (DRAWS - 1);
    return of_mean;
}

static void look(struct gan__lab *l, struct study *s, int stage, int at, double size,
                 const float *z)
{
    const size_t n = gan__toy_gen_weights(s->disc);
    double variance = 0;
    float real[BATCH * SIZE], fake[BATCH * SIZE];
    if (l->status != GAN_OK) {
        return;
    }
    draw_real(s, real);
    gan__toy_generate(l, s->disc, z, fake);
    const double e = fmax(distance_to_best(l, s, real, true), distance_to_best(l, s, fake, false));
    gan__toy_gen_gradient(l, s->disc, "minimax", z, s->grad);
    s->c[stage][STEPS][at] = looks[at];
    s->c[stage][SATURATING][at] = gan__vector_norm(s->grad, n);
    s->c[stage][EPSILON][at] = e;
    s->c[stage][BOUND][at] = e < 1 ? size * e / (1 - e) : (double)INFINITY;
    s->c[stage][MINUS_LOG][at] = spread(l, s, s->disc, "nonsaturating", &variance);
    s->c[stage][VARIANCE][at] = variance;
    s->c[stage][CRITIC][at] = spread(l, s, s->critic, NULL, &variance);
}

/* Trains D and a Wasserstein critic from nothing against the generator as it is. */
static void retrain(struct gan__lab *l, struct study *s, int stage)
{
    float real[BATCH * SIZE], z[BATCH * LATENT], fixed[BATCH * LATENT];
    gan__toy_copy_gen(s->disc, s->played);
    gan__toy_copy_gen(s->critic, s->played);
    gan__toy_reset_disc(l, s->disc, l->seed + 17);
    gan__toy_reset_disc(l, s->critic, l->seed + 17);
    gan__toy_noise(&s->rng, BATCH * LATENT, fixed);
    const double size = jacobian_size(l, s, fixed);
    for (int step = 1, at = 0; at < s->n_looks && l->status == GAN_OK; step++) {
        draw_real(s, real);
        gan__toy_noise(&s->rng, BATCH * LATENT, z);
        (void)gan__toy_disc_step(l, s->disc, real, z);
        (void)gan__toy_disc_step(l, s->critic, real, z);
        if (step == looks[at]) {
            look(l, s, stage, at++, size, fixed);
        }
    }
}

static void play(struct gan__lab *l, struct study *s, int steps)
{
    float real[BATCH * SIZE], z[BATCH * LATENT];
    for (int k = 0; k < steps; k++) {
        draw_real(s, real);
        gan__toy_noise(&s->rng, BATCH * LATENT, z);
        (void)gan__toy_disc_step(l, s->played, real, z);
        gan__toy_noise(&s->rng, BATCH * LATENT, z);
        (void)gan__toy_gen_step(l, s->played, NULL, z);
    }
}

/* --- what is claimed ---------------------------------------------------------------------------- */

static void check(struct gan__lab *l, const struct study *s)
{
    const int last = s->n_looks - 1, settled = 6; /* of looks: after 100 steps */
    double tightest = 0, least = (double)INFINITY;
    char name[96];
    for (int k = 0; k < s->n_stages; k++) {
        double *const *c = s->c[k], most = 0;
        for (int i = 0; i <= last; i++) {
            most = fmax(most, c[SATURATING][i]);
        }
        (void)gan__format(name, sizeof name,
                          "G after %d updates: saturating gradient, last/largest",
                          s->stage_steps[k]);
        gan__lab_at_most(l, name, c[SATURATING][last] / most, 0.05);
        (void)gan__format(name, sizeof name, "G after %d updates: variance of -log D, last/first",
                          s->stage_steps[k]);
        gan__lab_at_least(l, name, c[VARIANCE][last] / c[VARIANCE][0], 10);
        (void)gan__format(name, sizeof name,
                          "G after %d updates: |log10| of the critic's gradient, last/at 100",
                          s->stage_steps[k]);
        gan__lab_at_most(l, name, fabs(log10(c[CRITIC][last] / c[CRITIC][settled])), 0.3);
        for (int i = 0; i <= last; i++) {
            tightest =
                c[EPSILON][i] < 1 ? fmax(tightest, c[SATURATING][i] / c[BOUND][i]) : tightest;
            least = fmin(least, c[EPSILON][i]);
        }
    }
    gan__lab_at_most(l, "largest gradient / (M e/(1-e)), where e < 1", tightest, 1);
    gan__lab_at_most(l, "least e reached: the bound says something", least, 0.5);
}

static void draw_stage(gan_figure *f, const struct study *s, int stage)
{
    char title[64];
    double *const *c = s->c[stage];
    const size_t n = (size_t)s->n_looks;
    gan_panel *p = gan_figure_panel(f, 0, stage);
    (void)gan__format(title, sizeof title, "G after %d updates", s->stage_steps[stage]);
    gan_panel_title(p, title);
    gan_panel_x(p, &(struct gan_axis){.label = "steps of D, G at rest", .log = true});
    gan_panel_y(p,
                &(struct gan_axis){
                    .label = "size of the gradient of G", .log = true, .low = 1e-11, .high = 1e4});
    gan_plot_line(p, c[STEPS], c[SATURATING], n, &(struct gan_style){.label = "log(1 - D)"});
    gan_plot_line(p, c[STEPS], c[BOUND], n,
                  &(struct gan_style){
                      .label = "M e/(1-e)", .color = GAN_COLOR_BLACK, .dashed = true, .width = 2});
    gan_plot_line(p, c[STEPS], c[MINUS_LOG], n, &(struct gan_style){.label = "-log D"});
    gan_plot_line(p, c[STEPS], c[CRITIC], n, &(struct gan_style){.label = "Wasserstein"});
}

static void draw(struct gan__lab *l, const struct study *s)
{
    gan_figure *f = gan_figure_new(1, s->n_stages, &(struct gan_figure_opts){.panel_width = 500});
    for (int k = 0; k < s->n_stages; k++) {
        char name[32];
        draw_stage(f, s, k);
        (void)gan__format(name, sizeof name, "stage-%d", s->stage_steps[k]);
        gan__lab_table(l, name,
                       "d_steps,saturating,bound,epsilon,minus_log_d,minus_log_d_variance,critic",
                       (const double *const *)s->c[k], (size_t)s->n_looks);
    }
    gan__lab_figure(
        l, f, "gradients",
        "A new D is trained against a generator at rest, which has had 0 or more updates "
        "in a GAN before. log(1 - D) loses its gradient under the theorem's bound "
        "(dashed, where e < 1), -log D grows, the Wasserstein critic stays.");
    f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "-log D: spread between batches");
    gan_panel_x(p, &(struct gan_axis){.label = "steps of D, G at rest", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "variance", .log = true});
    for (int k = 0; k < s->n_stages; k++) {
        char name[32];
        (void)gan__format(name, sizeof name, "G after %d", s->stage_steps[k]);
        gan_plot_line(p, s->c[k][STEPS], s->c[k][VARIANCE], (size_t)s->n_looks,
                      &(struct gan_style){.label = name});
    }
    gan__lab_figure(l, f, "variance",
                    "Variance over batches of noise of the generator's gradient under -log D: the "
                    "better D is, the less two batches agree.");
}

/* --- theorem 2.6 -------------------------------------------------------------------------------- */

/* D = D* - r with r a smooth random field: -grad log D at a fake is grad r / r. A stationary field and
 * its slope at a point are independent normal numbers. Here r(x) is a random sum of WAVES waves. */
static void cauchy(struct gan__lab *l)
{
    enum { WAVES = 64, RATIOS = 2000, BINS = 60 };
    const size_t n = l->quick ? RATIOS : 10 * RATIOS;
    double *ratio = gan__lab_array(l, n), *mean = gan__lab_array(l, n),
           *count = gan__lab_array(l, n);
    double at[BINS], seen[BINS], law[BINS], inside = 0, beyond = 0, sum = 0;
    struct gan__rng rng;
    gan__lab_rng(l, 1, &rng);
    for (size_t i = 0; i < n && l->status == GAN_OK; i++) {
        double r = 0, slope = 0;
        for (int k = 0; k < WAVES; k++) { /* frequencies of unit variance: quartiles at +-1 */
            const double w = gan__rng_normal(&rng), phase = 2 * pi * gan__rng_uniform(&rng);
            const double a = gan__rng_normal(&rng);
            r += a * cos(phase);
            slope -= a * w * sin(phase);
        }
        ratio[i] = slope / r;
        sum += ratio[i];
        mean[i] = sum / (double)(i + 1);
        count[i] = (double)(i + 1);
        inside += fabs(ratio[i]) < 1 ? 1.0 / (double)n : 0;
        beyond += fabs(ratio[i]) > 10 ? 1.0 / (double)n : 0;
    }
    if (l->status != GAN_OK) {
        return;
    }
    for (int k = 0; k < BINS; k++) { /* P(|ratio| > t) */
        double more = 0;
        at[k] = pow(10, -1 + 3.0 * k / (BINS - 1));
        for (size_t i = 0; i < n; i++) {
            more += fabs(ratio[i]) > at[k] ? 1 : 0;
        }
        seen[k] = more / (double)n;
        law[k] = 1 - 2 / pi * atan(at[k]);
    }
    gan_figure *f = gan_figure_new(1, 2, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "slope of -log D where D is noise: the tail");
    gan_panel_x(p, &(struct gan_axis){.label = "t", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "P(|slope| > t)", .log = true});
    gan_plot_points(p, at, seen, BINS, &(struct gan_style){.label = "measured"});
    gan_plot_line(p, at, law, BINS, &(struct gan_style){.label = "Cauchy"});
    p = gan_figure_panel(f, 0, 1);
    gan_panel_title(p, "its mean never settles");
    gan_panel_x(p, &(struct gan_axis){.label = "number of slopes averaged", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "running mean"});
    gan_plot_line(p, count, mean, n, &(struct gan_style){.width = 2});
    gan_plot_level(p, 0, &(struct gan_style){.color = GAN_COLOR_GRAY, .dashed = true});
    gan__lab_figure(
        l, f, "cauchy",
        "Left: the ratio of a random field's slope and value has the Cauchy tail 2/(pi t). "
        "Right: its running mean jumps for ever, for it has no expected value.");
    gan__lab_table(l, "cauchy", "t,measured,cauchy", (const double *const[]){at, seen, law}, BINS);
    const double error = 4 * sqrt(0.25 / (double)n); /* four deviations */
    gan__lab_equal(l, "noise: P(|slope of log D| < 1), the quartiles", inside, 0.5, error);
    gan__lab_equal(l, "noise: P(|slope of log D| > 10)", beyond, 1 - 2 / pi * atan(10),
                   4 * sqrt(0.06 / (double)n));
}

static void run(struct gan__lab *l)
{
    static const int play_to[STAGES] = {0, 300, 3000};
    struct study s = {.n_looks = l->quick ? 10 : LOOKS, .n_stages = l->quick ? 2 : STAGES};
    struct gan__toy_opts o = {.loss = "nonsaturating",
                              .optim_disc = "adam:1e-3,.5,.9",
                              .optim_gen = "adam:1e-3,.5,.9",
                              .size = SIZE,
                              .latent = LATENT,
                              .width = 64,
                              .depth = 3,
                              .gen_width = 32,
                              .gen_depth = 2,
                              .relu = true,
                              .batch = BATCH,
                              .look = BATCH,
                              .seed = l->seed};
    gan__lab_rng(l, 0, &s.rng);
    for (int i = 0; i < WAYS * SIZE; i++) {
        s.frame[i / SIZE][i % SIZE] = gan__rng_normal(&s.rng) / 2;
    }
    for (int i = 0; i < STAGES * COLUMNS; i++) {
        s.c[i / COLUMNS][i % COLUMNS] = gan__lab_array(l, LOOKS);
    }
    s.played = gan__toy_new(l, &o);
    s.disc = gan__toy_new(l, &o);
    o.loss = "wasserstein";
    o.regs = "gp:1";
    s.critic = gan__toy_new(l, &o);
    s.grad = gan__lab_array(l, gan__toy_gen_weights(s.disc));
    s.mean = gan__lab_array(l, gan__toy_gen_weights(s.disc));
    s.jacobian = gan__lab_array(l, SIZE * gan__toy_gen_weights(s.disc));
    for (int k = 0; k < s.n_stages && l->status == GAN_OK; k++) {
        s.stage_steps[k] = play_to[k];
        play(l, &s, play_to[k] - (k > 0 ? play_to[k - 1] : 0));
        retrain(l, &s, k);
    }
    if (l->status == GAN_OK) {
        check(l, &s);
        draw(l, &s);
    }
    cauchy(l);
    gan__toy_free(s.played);
    gan__toy_free(s.disc);
    gan__toy_free(s.critic);
}

GAN_EXPERIMENT(vanishing_gradient) = {
    .name = "vanishing-gradient",
    .title = "The better the discriminator, the less a generator learns",
    .claim =
        "Arjovsky and Bottou (2017), theorem 2.4: if D is within e of a perfect discriminator (in "
        "value and slope), the gradient of E log(1 - D(g(z))) is at most M e/(1 - e), M the size "
        "of "
        "the generator's Jacobian. A good discriminator teaches nothing.\n"
        "The remedy -log D does not vanish, but theorem 2.6 finds that its gradient has Cauchy "
        "tails where D errs by noise: no mean, infinite variance, and updates that oscillate.\n"
        "A Wasserstein critic has slope about 1 wherever it is trained, however long "
        "(Arjovsky et al. 2017).\n"
        "Data lie on a band in sixteen dimensions. The generator is stopped after none or more of "
        "its "
        "updates in a GAN, then D starts anew and is trained against it; at 1, 2, 5, 10, ... steps "
        "the gradients of the generator are measured, and e and M with them.\n"
        "You see log(1 - D) fall by orders of magnitude, below the bound wherever e is below 1; a "
        "generator that has come nearer to the data only makes D need more steps. -log D grows, "
        "and "
        "its variance with it; the critic stays. The last figure takes theorem 2.6 at its "
        "word: D is D* plus a random field.",
    .ref = "Arjovsky, Bottou 2017, arXiv:1701.04862, theorems 2.4 and 2.6, figures 2 and 3",
    .run = run,
};
