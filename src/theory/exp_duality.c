/* exp_duality.c: the transport problem and its dual: plans, potentials, and no gap between them.
 *
 * Primal: least <C,P> over plans P with marginals a and b. Dual: largest a.u + b.v with
 * u_i + v_j <= C_ij; where C is a distance, v = -u with u 1-Lipschitz is enough (Kantorovich and
 * Rubinstein). Villani 2003, theorems 1.3 and 1.14. */
#include "toy.h"

#include "base/philox.h"
#include "base/str.h"

#include <gan/transport.h>

#include <math.h>
#include <string.h>

enum { PILES = 6, POINTS = 20, SIDE = 40, BATCH = 256 };

/* Two piles of dirt, both to be made into the other shape: two pairs, that of the figures. */
static const double pile_from[2][PILES] = {{3, 2, 1, 0, 0, 0}, {0, 1, 2, 3, 0, 0}};
static const double pile_to[2][PILES] = {{0, 0, 0, 1, 2, 3}, {2, 1, 0, 0, 1, 2}};
/* The sum of |mass left of a gap, before less after| over the gaps: 3+5+6+5+3, and 2+2+0+3+2. */
static const double pile_work[2] = {22.0 / 6, 9.0 / 6};

static void normalise(const double *from, size_t n, double *to)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += from[i];
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] / sum;
    }
}

static void line_cost(size_t n, double *cost)
{
    for (size_t i = 0; i < n * n; i++) {
        cost[i] = fabs((double)(i / n) - (double)(i % n));
    }
}

/* The plan's marginals, how far it is from them at most. */
static double marginal_error(const struct gan_transport *t, const double *a, size_t n,
                             const double *b, size_t m)
{
    double worst = 0;
    for (size_t i = 0; i < n + m; i++) {
        double sum = 0;
        for (size_t k = 0; k < t->n_plan; k++) {
            sum += (i < n ? t->plan[k].i == i : t->plan[k].j == i - n) ? t->plan[k].mass : 0;
        }
        worst = fmax(worst, fabs(sum - (i < n ? a[i] : b[i - n])));
    }
    return worst;
}

/* The largest u_i + v_j - C_ij: at most 0 for dual points. */
static double infeasibility(const struct gan_transport *t, const double *cost, size_t n, size_t m)
{
    double worst = -(double)INFINITY;
    for (size_t i = 0; i < n * m; i++) {
        worst = fmax(worst, t->u[i / m] + t->v[i % m] - cost[i]);
    }
    return worst;
}

/* The 1-Lipschitz function of the dual: f = -v^c on all places; its value sum (a - b) f. */
static double lipschitz_dual(const double *a, const double *b, const double *cost, size_t n,
                             const double *v, double *f, double *slope)
{
    double sum = 0;
    gan_c_transform(cost, n, n, v, f);
    *slope = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (a[i] - b[i]) * f[i];
        for (size_t j = 0; j < n; j++) {
            if (i != j) {
                *slope = fmax(*slope, fabs(f[i] - f[j]) / cost[i * n + j]);
            }
        }
    }
    return sum;
}

static void draw_piles(struct gan__lab *l, const double *a, const double *b,
                       const struct gan_transport *t, const double *f, int which)
{
    double heat[PILES * PILES] = {0};
    char name[32];
    for (size_t k = 0; k < t->n_plan; k++) {
        heat[t->plan[k].j * PILES + t->plan[k].i] = t->plan[k].mass;
    }
    gan_figure *fig = gan_figure_new(1, 3, &(struct gan_figure_opts){.panel_width = 460});
    gan_panel *p = gan_figure_panel(fig, 0, 0);
    double left[PILES], right[PILES], place[PILES];
    for (int i = 0; i < PILES; i++) {
        left[i] = i - 0.2;
        right[i] = i + 0.2;
        place[i] = i;
    }
    gan_panel_title(p, "two piles of dirt");
    gan_panel_x(p, &(struct gan_axis){.label = "place"});
    gan_panel_y(p, &(struct gan_axis){.label = "mass"});
    gan_plot_bars(p, left, a, PILES, 0.38, &(struct gan_style){.label = "from"});
    gan_plot_bars(p, right, b, PILES, 0.38, &(struct gan_style){.label = "to"});
    p = gan_figure_panel(fig, 0, 1);
    gan_panel_title(p, "the plan");
    gan_panel_x(p, &(struct gan_axis){.label = "from place"});
    gan_panel_y(p, &(struct gan_axis){.label = "to place"});
    gan_plot_heat(p,
                  &(struct gan_surface){heat, PILES, PILES, -0.5, PILES - 0.5, -0.5, PILES - 0.5},
                  &(struct gan_style){.bar = "mass"});
    p = gan_figure_panel(fig, 0, 2);
    gan_panel_title(p, "the dual function");
    gan_panel_x(p, &(struct gan_axis){.label = "place"});
    gan_panel_y(p, &(struct gan_axis){.label = "f, slope at most 1"});
    gan_plot_line(p, place, f, PILES, NULL);
    gan_plot_points(p, place, f, PILES, &(struct gan_style){.color = GAN_COLOR_BLUE});
    (void)gan__format(name, sizeof name, "piles-%d", which + 1);
    gan__lab_figure(l, fig, name,
                    "Left: the mass and where it is wanted. Middle: how much goes from where to "
                    "where at least cost. Right: the dual 1-Lipschitz function, whose mean over "
                    "the first pile less that over the second is the same number.");
}

static void piles(struct gan__lab *l, int which)
{
    double a[PILES], b[PILES], cost[PILES * PILES], f[PILES], slope, sorted = (double)NAN,
                                                                     place[PILES];
    struct gan_transport t = {0};
    char name[96];
    normalise(pile_from[which], PILES, a);
    normalise(pile_to[which], PILES, b);
    line_cost(PILES, cost);
    for (int i = 0; i < PILES; i++) {
        place[i] = i;
    }
    if (gan__lab_ok(l, gan_transport_exact(a, PILES, b, PILES, cost, &t, l->err)) &&
        gan__lab_ok(
            l, gan_transport_line(place, a, PILES, place, b, PILES, 1, &sorted, NULL, l->err))) {
        const double dual = lipschitz_dual(a, b, cost, PILES, t.v, f, &slope);
        (void)gan__format(name, sizeof name, "piles %d: cost of the plan, by hand", which + 1);
        gan__lab_equal(l, name, t.cost, pile_work[which], 1e-12);
        (void)gan__format(name, sizeof name, "piles %d: by sorting", which + 1);
        gan__lab_equal(l, name, sorted, pile_work[which], 1e-12);
        (void)gan__format(name, sizeof name, "piles %d: dual of 1-Lipschitz f", which + 1);
        gan__lab_equal(l, name, dual, pile_work[which], 1e-12);
        (void)gan__format(name, sizeof name, "piles %d: slope of f", which + 1);
        gan__lab_at_most(l, name, slope, 1 + 1e-12);
        draw_piles(l, a, b, &t, f, which);
    }
    gan_transport_release(&t);
}

/* Random points in the plane with random masses: everything that duality promises. */
static void random_measures(struct gan__lab *l)
{
    enum { N = POINTS };
    struct gan__rng rng;
    double x[2 * N], mass[2][N], a[N], b[N], cost[N * N], back[N], forth[N];
    double gap = 0, worst = 0, above = -(double)INFINITY, twice = 0, kr = 0;
    const int trials = l->quick ? 10 : 200;
    gan__lab_rng(l, 0, &rng);
    for (int k = 0; k < trials && l->status == GAN_OK; k++) {
        struct gan_transport t = {0};
        for (int i = 0; i < N; i++) {
            x[2 * i] = gan__rng_normal(&rng);
            x[2 * i + 1] = gan__rng_normal(&rng);
            mass[0][i] = gan__rng_uniform(&rng);
            mass[1][i] = gan__rng_uniform(&rng);
        }
        normalise(mass[0], N, a);
        normalise(mass[1], N, b);
        const struct gan_points p = {N, 2, x};
        if (gan__lab_ok(l, gan_transport_cost(&p, &p, 1, cost, l->err)) &&
            gan__lab_ok(l, gan_transport_exact(a, N, b, N, cost, &t, l->err))) {
            double slope;
            gap = fmax(gap, fabs(t.cost - t.dual));
            worst = fmax(worst, marginal_error(&t, a, N, b, N));
            above = fmax(above, infeasibility(&t, cost, N, N));
            kr = fmax(kr, fabs(lipschitz_dual(a, b, cost, N, t.v, back, &slope) - t.cost));
            gan_c_transform(cost, N, N, t.u, forth); /* the cost is symmetric */
            for (int i = 0; i < N; i++) {
                twice = fmax(twice, fabs(forth[i] - t.v[i]));
            }
        }
        gan_transport_release(&t);
    }
    gan__lab_at_most(l, "random measures: |cost of plan - dual value|", gap, 1e-12);
    gan__lab_at_most(l, "random measures: marginals of the plan", worst, 1e-12);
    gan__lab_at_most(l, "random measures: u + v - cost", above, 1e-12);
    gan__lab_at_most(l, "random measures: Kantorovich-Rubinstein gap", kr, 1e-12);
    gan__lab_at_most(l, "random measures: |c-transform of u - v|", twice, 1e-12);
}

/* Entropic cost against exact as the entropy's weight falls. */
static void entropic(struct gan__lab *l)
{
    enum { N = 24, STEPS = 8 };
    double a[N], b[N], cost[N * N], reg[STEPS], soft[STEPS], level[STEPS],
        worst = -(double)INFINITY;
    struct gan_transport t = {0};
    for (int i = 0; i < N; i++) {
        a[i] = exp(-(i - 6.0) * (i - 6.0) / 8);
        b[i] = exp(-(i - 15.0) * (i - 15.0) / 18);
    }
    normalise(a, N, a);
    normalise(b, N, b);
    line_cost(N, cost);
    if (!gan__lab_ok(l, gan_transport_exact(a, N, b, N, cost, &t, l->err))) {
        gan_transport_release(&t);
        return;
    }
    for (int k = 0; k < STEPS && l->status == GAN_OK; k++) {
        struct gan_sinkhorn_result r = {0};
        reg[k] = 8 * pow(0.5, k);
        const struct gan_sinkhorn o = {.reg = reg[k], .tolerance = 1e-8, .max_steps = 100000};
        gan__lab_ok(l, gan_transport_sinkhorn(a, N, b, N, cost, &o, &r, l->err));
        soft[k] = r.cost;
        level[k] = t.cost;
        worst = k > 0 ? fmax(worst, soft[k] - soft[k - 1]) : worst;
        gan_sinkhorn_release(&r);
    }
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "entropic transport nears the exact one");
    gan_panel_x(p, &(struct gan_axis){.label = "weight of the entropy", .log = true});
    gan_panel_y(p, &(struct gan_axis){.label = "cost of the plan"});
    gan_plot_line(p, reg, soft, STEPS, &(struct gan_style){.label = "Sinkhorn"});
    gan_plot_line(p, reg, level, STEPS, &(struct gan_style){.label = "exact", .dashed = true});
    gan__lab_figure(l, f, "entropic",
                    "Sinkhorn's plan costs more than the exact one, and less and less more as the "
                    "entropy counts less.");
    gan__lab_table(l, "entropic", "reg,sinkhorn,exact", (const double *const[]){reg, soft, level},
                   STEPS);
    gan__lab_at_least(l, "Sinkhorn's least cost less the exact one", soft[STEPS - 1] - t.cost,
                      -1e-6);
    gan__lab_equal(l, "Sinkhorn at the least weight", soft[STEPS - 1], t.cost, 0.005 * t.cost);
    gan__lab_at_most(l, "rise of the cost when the weight is halved", worst, 1e-6);
    gan_transport_release(&t);
}

/* --- trained critics ---------------------------------------------------------------------------- */

/* Data on the unit circle, fakes on one of half its radius: all mass moves straight outwards by 1/2. */
static void circles(struct gan__rng *rng, float *real, float *fake)
{
    static const double turn = 6.28318530717958647693;
    for (int i = 0; i < BATCH; i++) {
        const double a = turn * gan__rng_uniform(rng), b = turn * gan__rng_uniform(rng);
        real[2 * i] = (float)cos(a);
        real[2 * i + 1] = (float)sin(a);
        fake[2 * i] = (float)(0.5 * cos(b));
        fake[2 * i + 1] = (float)(0.5 * sin(b));
    }
}

/* The largest slope of the critic on a grid over the disc's square. */
static double largest_slope(struct gan__lab *l, struct gan__toy *t)
{
    float x[2 * SIDE * SIDE];
    double slope[2 * SIDE * SIDE] = {0}, most = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        x[2 * i] = (float)(2.0 * (i % SIDE) / (SIDE - 1) - 1);
        x[2 * i + 1] = (float)(2.0 * (int)(i / SIDE) / (SIDE - 1) - 1);
    }
    gan__toy_scores(l, t, x, NULL, slope);
    for (int i = 0; i < SIDE * SIDE; i++) {
        most = fmax(most, hypot(slope[2 * i], slope[2 * i + 1]));
    }
    return most;
}

enum { CRITICS = 3, LOOKS = 10 };
static const struct critic {
    const char *name, *regs, *optim;
} critics[CRITICS] = {{"clip .05", "clip:.05", "rmsprop:5e-4"},
                      {"gradient penalty", "gp:10", "adam:1e-3,.5,.9"},
                      {"spectral norm", "sn", "adam:1e-3,.5,.9"}};

/* E f(real) - E f(fake) over training, and the same over the largest slope at the end. */
static double train_critic(struct gan__lab *l, const struct critic *c, int last, double *step,
                           double *value)
{
    float real[2 * BATCH], fake[2 * BATCH];
    struct gan__rng rng;
    gan__lab_rng(l, 1, &rng);
    struct gan__toy *t = gan__toy_new(l, &(struct gan__toy_opts){.loss = "wasserstein",
                                                                 .regs = c->regs,
                                                                 .optim_disc = c->optim,
                                                                 .size = 2,
                                                                 .width = 48,
                                                                 .depth = 2,
                                                                 .relu = true,
                                                                 .batch = BATCH,
                                                                 .look = SIDE * SIDE,
                                                                 .seed = l->seed});
    for (int k = 0; k < last && l->status == GAN_OK; k++) {
        circles(&rng, real, fake);
        (void)gan__toy_disc_step(l, t, real, fake);
        if ((k + 1) % (last / LOOKS) == 0) {
            const int at = (k + 1) / (last / LOOKS) - 1;
            step[at] = k + 1;
            value[at] = 0;
            for (int b = 0; b < 8; b++) {
                circles(&rng, real, fake);
                value[at] -= gan__toy_disc_loss(l, t, real, fake) / 8;
            }
        }
    }
    const double slope = largest_slope(l, t);
    gan__toy_free(t);
    return value[LOOKS - 1] / slope;
}

static void trained(struct gan__lab *l)
{
    double step[LOOKS], value[CRITICS][LOOKS] = {{0}}, at_one[CRITICS], exact[LOOKS];
    char name[96];
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "trained critics on two circles");
    gan_panel_x(p, &(struct gan_axis){.label = "steps of the critic"});
    gan_panel_y(p, &(struct gan_axis){.label = "E f(real) - E f(fake)", .low = 0, .high = 0.8});
    for (int k = 0; k < CRITICS && l->status == GAN_OK; k++) {
        at_one[k] = train_critic(l, &critics[k], l->quick ? 600 : 3000, step, value[k]);
        gan_plot_line(p, step, value[k], LOOKS, &(struct gan_style){.label = critics[k].name});
    }
    gan_plot_level(
        p, 0.5,
        &(struct gan_style){.label = "exact: 1/2", .color = GAN_COLOR_BLACK, .dashed = true});
    gan__lab_figure(
        l, f, "critics",
        "What three trained critics say of the distance of circles of radius 1 and 1/2. "
        "The penalty's is near; a spectral norm of 1 a layer allows less than slope 1; a "
        "clipped critic's number is in units of its own slope.");
    if (l->status != GAN_OK) {
        return;
    }
    for (int i = 0; i < LOOKS; i++) {
        exact[i] = 0.5;
    }
    gan__lab_equal(l, "circles: estimate of the critic with gradient penalty", value[1][LOOKS - 1],
                   0.5, 0.05);
    for (int k = 0; k < CRITICS; k++) { /* batches of 2048: deviation 0.003 at slope 1 */
        (void)gan__format(name, sizeof name, "circles: value / largest slope, %s: a lower bound",
                          critics[k].name);
        gan__lab_at_most(l, name, at_one[k], 0.5 + 0.01);
    }
    gan__lab_at_least(l, "circles: value / largest slope, penalty: near the bound", at_one[1],
                      0.35);
    gan__lab_table(l, "critics", "step,clip,penalty,spectral,exact",
                   (const double *const[]){step, value[0], value[1], value[2], exact}, LOOKS);
}

static void run(struct gan__lab *l)
{
    piles(l, 0);
    piles(l, 1);
    random_measures(l);
    entropic(l);
    trained(l);
}

GAN_EXPERIMENT(duality) = {
    .name = "duality",
    .title = "Carrying dirt: the plan, its dual, and no gap between them",
    .claim =
        "The Wasserstein distance is the least work that carries one pile of dirt into the shape "
        "of another: mass times way, minimised over all plans with the two piles as marginals. "
        "For finitely many places this is a linear program (Kantorovich 1942).\n"
        "Its dual looks for prices u and v with u_i + v_j at most the cost of carrying from i to "
        "j, and maximises sum a u + sum b v. Strong duality: both optima are the same number. "
        "Where the cost is a distance, v = -u and u is 1-Lipschitz (Kantorovich and Rubinstein "
        "1958): this is the form that a WGAN's critic maximises.\n"
        "The c-transform of v is the largest u that the constraint allows; at the optimum u and v "
        "are c-transforms of each other.\n"
        "Two pairs of piles on six places are small enough for a check by hand: in the first all "
        "mass goes right, in the second to both sides. The middle panel of each figure is the "
        "plan, the right one the dual function: it falls by 1 a place where mass moves right.\n"
        "With entropy (Cuturi 2013) the plan is smeared and costs more, less and less so as the "
        "weight of the entropy goes to 0.\n"
        "Last, the dual as a WGAN uses it: critics trained on points of two circles, whose "
        "distance "
        "is 1/2. E f(real) - E f(fake) over the largest slope of f is a lower bound of W, whatever "
        "f is.",
    .ref = "Villani 2003, theorems 1.3 and 1.14; Arjovsky et al. 2017, arXiv:1701.07875, eq. 2; "
           "Cuturi 2013, arXiv:1306.0895",
    .run = run,
};
