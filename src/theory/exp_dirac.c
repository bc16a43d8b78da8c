/* exp_dirac.c: the Dirac-GAN: a generator of one number against a linear discriminator, the least game
 * that shows why training rotates, and what stops it.
 *
 * Data sit at 0, the generator at theta, D(x) = psi x. With f(t) = -log(1 + e^-t) (GAN) or f(t) = t
 * (WGAN) the generator descends on, and D ascends on, L = f(psi theta) + f(0), so that the flow is
 * (-f'(psi theta) psi, f'(psi theta) theta), less what a regulariser adds. Which methods converge is
 * read from the eigenvalues of one step's Jacobian at (0,0), f'(0) = 1/2, f''(0) = -1/4 for GAN.
 * Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, sections 2 to 4; Daskalakis et al. 2018,
 * arXiv:1711.00141 (optimistic); Gidel et al. 2019, arXiv:1802.10551 (extra-gradient). */
#include "gaussian.h"
#include "theory.h"

#include "base/str.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum { MAX_STEPS = 600, SIDE = 11 };

/* (theta, psi) */
struct point {
    double theta, psi;
};

enum game { GAN, WGAN, WGAN_GP, R1, NOISE };
enum rule { SIMULTANEOUS, ALTERNATING, EXTRA, OPTIMISTIC, CONSENSUS, CLIPPED };

static const double h = 0.2;         /* step size */
static const double gamma_r1 = 0.8;  /* R1: gamma/2 psi^2 */
static const double gp = 0.5;        /* WGAN-GP: gp/2 (|psi| - 1)^2 */
static const double noise_var = 0.7; /* instance noise */
static const double consensus = 0.8; /* weight of the gradient of |v|^2/2 */
static const double clip = 0.4;
static const struct point start = {1, 0.6};

static double slope(double t) /* f' of the GAN */
{
    return 1 / (1 + exp(t));
}

/* --- flows -------------------------------------------------------------------------------------- */

struct noisy {
    struct point at;
    int part; /* 0: theta, 1: psi */
};

/* Noise e on data and on fakes: the integrand of the flow. */
static double noisy_flow(double e, const void *ctx)
{
    const struct noisy *c = ctx;
    const double p = gan__normal_density(e, 0, sqrt(noise_var)), psi = c->at.psi;
    const double fake = slope(psi * (c->at.theta + e));
    return p * (c->part == 0 ? -fake * psi : fake * (c->at.theta + e) - slope(-psi * e) * e);
}

static struct point flow(enum game game, struct point x)
{
    const double f = game == GAN || game == R1 ? slope(x.psi * x.theta) : 1;
    struct point v = {-f * x.psi, f * x.theta};
    if (game == R1) {
        v.psi -= gamma_r1 * x.psi;
    } else if (game == WGAN_GP) {
        v.psi -= gp * (x.psi > 0 ? x.psi - 1 : (x.psi < 0 ? x.psi + 1 : 0));
    } else if (game == NOISE) {
        const double reach = 8 * sqrt(noise_var);
        struct noisy c = {x, 0};
        v.theta = gan__integrate(noisy_flow, &c, -reach, reach, 12);
        c.part = 1;
        v.psi = gan__integrate(noisy_flow, &c, -reach, reach, 12);
    }
    return v;
}

static struct point moved(struct point x, double step, struct point v)
{
    return (struct point){x.theta + step * v.theta, x.psi + step * v.psi};
}

/* -grad |v|^2 / 2 of the GAN: |v|^2 = f'^2 (theta^2 + psi^2), f'' = -f' (1 - f'). */
static struct point consensus_flow(struct point x)
{
    const double f = slope(x.psi * x.theta), df = -f * (1 - f);
    const double r2 = x.theta * x.theta + x.psi * x.psi;
    return (struct point){-(f * df * x.psi * r2 + f * f * x.theta),
                          -(f * df * x.theta * r2 + f * f * x.psi)};
}

/* One step; `last` is the flow of the step before, for the optimistic rule. */
static struct point step(enum game game, enum rule rule, struct point x, struct point *last)
{
    const struct point v = flow(game, x);
    struct point next = moved(x, h, v);
    if (rule == ALTERNATING) { /* the generator first, D sees where it went */
        next.psi = x.psi + h * flow(game, (struct point){next.theta, x.psi}).psi;
    } else if (rule == EXTRA) {
        next = moved(x, h, flow(game, next));
    } else if (rule == OPTIMISTIC) {
        next = moved(moved(x, 2 * h, v), -h, *last);
    } else if (rule == CONSENSUS) {
        next = moved(next, h * consensus, consensus_flow(x));
    } else if (rule == CLIPPED) {
        next.psi = fmin(fmax(next.psi, -clip), clip);
    }
    *last = v;
    return next;
}

/* --- what theory says of one step at (0,0) ------------------------------------------------------ */

/* x + iy: C lays a complex number out as these two; Clang lacks CMPLX. */
static double complex complex_of(double x, double y)
{
    const double parts[2] = {x, y};
    double complex z;
    memcpy(&z, parts, sizeof z);
    return z;
}

/* Larger modulus of the roots of z^2 - b z + c. */
static double larger_root(double complex b, double complex c)
{
    const double complex d = csqrt(b * b - 4 * c);
    return fmax(cabs((b + d) / 2), cabs((b - d) / 2));
}

/* Flow [[0,-a],[a,-r]]: a step is I + h J. */
static double damped(double a, double r)
{
    return larger_root(2 - h * r, 1 - h * r + h * h * a * a);
}

static double modulus(enum game game, enum rule rule)
{
    const double a = game == WGAN ? 1 : 0.5, q = h * a;
    switch (rule) {
    case ALTERNATING: /* trace 2 - q^2, determinant 1 */
        return larger_root(2 - q * q, 1);
    case EXTRA: /* 1 + i q (1 + i q) */
        return hypot(1 - q * q, q);
    case OPTIMISTIC: /* z^2 = (1 + 2 i q) z - i q */
        return larger_root(complex_of(1, 2 * q), complex_of(0, q));
    case CONSENSUS:
        return hypot(1 - h * consensus * a * a, q);
    case SIMULTANEOUS:
    case CLIPPED:
    default:
        return game == R1 ? damped(a, gamma_r1)
                          : (game == NOISE ? damped(a, noise_var / 2) : sqrt(1 + q * q));
    }
}

/* --- methods ------------------------------------------------------------------------------------ */

struct method {
    const char *name;
    enum game game;
    enum rule rule;
    int fate;    /* 1: converges to (0,0), 0: circles, -1: moves away; 2: stays within the clip */
    bool smooth; /* has a Jacobian at (0,0) */
};

static const struct method methods[] = {
    {"GAN simultaneous", GAN, SIMULTANEOUS, -1, true},
    {"GAN alternating", GAN, ALTERNATING, 0, true},
    {"WGAN simultaneous", WGAN, SIMULTANEOUS, -1, true},
    {"WGAN alternating", WGAN, ALTERNATING, 0, true},
    {"WGAN clipped", WGAN, CLIPPED, 2, false},
    {"WGAN-GP", WGAN_GP, SIMULTANEOUS, 2, false},
    {"GAN R1", R1, SIMULTANEOUS, 1, true},
    {"GAN instance noise", NOISE, SIMULTANEOUS, 1, true},
    {"GAN consensus", GAN, CONSENSUS, 1, true},
    {"GAN optimistic", GAN, OPTIMISTIC, 1, true},
    {"GAN extra-gradient", GAN, EXTRA, 1, true},
    {"WGAN extra-gradient", WGAN, EXTRA, 1, true},
};

enum { METHODS = sizeof methods / sizeof *methods };

/* Jacobian of one step by central differences: its larger eigenvalue's modulus. The optimistic step
 * also remembers a flow: its growth is measured on a long way from near (0,0) instead. */
static double measured_modulus(const struct method *m)
{
    const double e = 1e-5;
    double j[2][2];
    struct point last = {0, 0};
    if (m->rule == OPTIMISTIC) {
        enum { FROM = 40, TO = 240 };
        struct point x = {1e-6, 0};
        double before = 0;
        last = flow(m->game, x);
        for (int t = 0; t < TO; t++) {
            before = t == FROM ? hypot(x.theta, x.psi) : before;
            x = step(m->game, m->rule, x, &last);
        }
        return pow(hypot(x.theta, x.psi) / before, 1.0 / (TO - FROM));
    }
    for (int k = 0; k < 2; k++) {
        const struct point d = {k == 0 ? e : 0, k == 1 ? e : 0};
        const struct point up = step(m->game, m->rule, d, &last);
        const struct point down = step(m->game, m->rule, (struct point){-d.theta, -d.psi}, &last);
        j[0][k] = (up.theta - down.theta) / (2 * e);
        j[1][k] = (up.psi - down.psi) / (2 * e);
    }
    return larger_root(j[0][0] + j[1][1], j[0][0] * j[1][1] - j[0][1] * j[1][0]);
}

static void portrait(gan_panel *p, const struct method *m, const double *theta, const double *psi,
                     size_t n)
{
    double x[SIDE * SIDE], y[SIDE * SIDE], u[SIDE * SIDE], v[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) {
        const struct point at = {2.0 * (i % SIDE) / (SIDE - 1) * 2 - 2,
                                 2.0 * (i / SIDE) / (SIDE - 1) * 2 - 2};
        struct point last = flow(m->game, at);
        const struct point to = step(m->game, m->rule, at, &last);
        x[i] = at.theta;
        y[i] = at.psi;
        u[i] = to.theta - at.theta;
        v[i] = to.psi - at.psi;
    }
    gan_panel_title(p, m->name);
    gan_panel_x(p, &(struct gan_axis){.label = "theta", .low = -2.2, .high = 2.2});
    gan_panel_y(p, &(struct gan_axis){.label = "psi", .low = -2.2, .high = 2.2});
    gan_panel_equal(p);
    gan_plot_arrows(p, x, y, u, v, SIDE * SIDE, 0.5,
                    &(struct gan_style){.size = 22, .color = GAN_COLOR_GRAY});
    gan_plot_line(p, theta, psi, n, &(struct gan_style){.color = GAN_COLOR_BLUE, .width = 2});
    gan_plot_points(p, theta, psi, 1, &(struct gan_style){.color = GAN_COLOR_ORANGE, .size = 10});
    gan_plot_points(p, &theta[n - 1], &psi[n - 1], 1,
                    &(struct gan_style){.color = GAN_COLOR_VERMILION, .size = 10});
}

static void check(struct gan__lab *l, const struct method *m, const double *radius, size_t n)
{
    char name[96];
    const double last = radius[n - 1] / radius[0];
    if (m->smooth) {
        (void)gan__format(name, sizeof name, "%s: largest |eigenvalue| of a step", m->name);
        gan__lab_equal(l, name, measured_modulus(m), modulus(m->game, m->rule), 1e-6);
    }
    (void)gan__format(name, sizeof name, "%s: distance after %zu steps / at first", m->name, n - 1);
    if (m->fate == 1) {
        gan__lab_at_most(l, name, last, 0.5);
    } else if (m->fate == -1) {
        gan__lab_at_least(l, name, last, 1.5);
    } else { /* neither reached nor left: over the last quarter */
        double least = (double)INFINITY, most = 0;
        for (size_t t = n - n / 4; t < n; t++) {
            least = fmin(least, radius[t] / radius[0]);
            most = fmax(most, radius[t] / radius[0]);
        }
        (void)gan__format(name, sizeof name, "%s: least distance at the end / at first", m->name);
        gan__lab_at_least(l, name, least, 0.05);
        (void)gan__format(name, sizeof name, "%s: largest distance at the end / at first", m->name);
        gan__lab_at_most(l, name, most, 3);
    }
}

static void run(struct gan__lab *l)
{
    const size_t n = (l->quick ? 300 : MAX_STEPS) + 1;
    double *time = gan__lab_array(l, n), *theta[METHODS], *psi[METHODS], *radius[METHODS];
    const double *column[METHODS + 1] = {time};
    struct gan__str names = {0};
    for (size_t k = 0; k < METHODS; k++) {
        theta[k] = gan__lab_array(l, n);
        psi[k] = gan__lab_array(l, n);
        column[k + 1] = radius[k] = gan__lab_array(l, n);
    }
    if (l->status != GAN_OK) {
        return;
    }
    gan_figure *f =
        gan_figure_new(3, 4, &(struct gan_figure_opts){.panel_width = 400, .panel_height = 380});
    gan__str_add(&names, "step");
    for (size_t k = 0; k < METHODS; k++) {
        const struct method *m = &methods[k];
        struct point x = start, last = flow(m->game, start);
        for (size_t t = 0; t < n; t++) {
            time[t] = (double)t;
            theta[k][t] = x.theta;
            psi[k][t] = x.psi;
            radius[k][t] = hypot(x.theta, x.psi);
            x = step(m->game, m->rule, x, &last);
        }
        portrait(gan_figure_panel(f, (int)k / 4, (int)k % 4), m, theta[k], psi[k], n);
        check(l, m, radius[k], n);
        gan__str_printf(&names, ",%s", m->name);
    }
    gan__lab_figure(l, f, "portraits",
                    "Each panel: the generator's number over the discriminator's slope. Orange: "
                    "start, red: end, grey: one step from each place. (0,0) is the equilibrium.");
    gan__lab_table(l, "distances", names.p != NULL ? names.p : "step", column, n);
    gan__str_release(&names);
}

GAN_EXPERIMENT(dirac) = {
    .name = "dirac",
    .title = "The Dirac-GAN: rotation, and what stops it",
    .claim =
        "The least GAN there is: data at 0, a generator that puts all mass at theta, and D(x) = "
        "psi x. Its only equilibrium is (0,0). Mescheder, Geiger and Nowozin (2018) show that "
        "gradient steps do not find it.\n"
        "The Jacobian of the flow has eigenvalues +-i/2 (GAN) or +-i (WGAN): motion is rotation. "
        "A simultaneous step has eigenvalues of modulus sqrt(1 + h^2/4) > 1 and spirals "
        "outwards; alternating steps have modulus 1 and circle for ever. WGAN with clipping and "
        "WGAN-GP circle too: the penalty is about a slope of 1, the equilibrium has slope 0.\n"
        "R1 and instance noise add a negative real part and converge; so does consensus "
        "optimisation, which descends on the length of the flow. The optimistic and the "
        "extra-gradient rule look ahead and converge without any regulariser.\n"
        "The modulus of one step's Jacobian at (0,0) is computed by differences and compared "
        "with the closed form of each method; the paths show the same far from (0,0).",
    .ref = "Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406; Daskalakis et al. 2018, "
           "arXiv:1711.00141; Gidel et al. 2019, arXiv:1802.10551; Mescheder et al. 2017, "
           "arXiv:1705.10461",
    .run = run,
};
