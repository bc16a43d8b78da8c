/* exp_minus_log_d.c: the -log D trick descends on KL(p_g||p_r) - 2 JS, and what that asymmetry does.
 *
 * p_r = N(0,1), p_g = N(m,s^2) made as m + s z, D* = p_r/(p_r+p_g). The left side of the theorem is
 * an expectation over z, computed by quadrature; the right side comes from the divergences'
 * gradients. Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 2.5. */
#include "gaussian.h"
#include "theory.h"

#include <gan/divergence.h>

#include <math.h>

enum { MAX_SWEEP = 61, GRID = 1600 };
static const double deviation = 0.7, reach = 12;

struct setup {
    double m, s;
    bool of_s, saturating; /* the derivative in s; of log(1 - D) in the place of -log D */
};

/* Integrand over z: density * d(loss)/dx * dx/d(parameter). With t = log p_r/p_g,
 * -log D* = log(1 + e^-t) and log(1 - D*) = -log(1 + e^t). */
static double integrand(double z, const void *ctx)
{
    const struct setup *c = ctx;
    const double x = c->m + c->s * z;
    const double t = -x * x / 2 + log(c->s) + z * z / 2;
    const double dt = -x + z / c->s; /* dt/dx */
    const double weight = c->saturating ? 1 / (1 + exp(-t)) : 1 / (1 + exp(t));
    return gan__normal_density(z, 0, 1) * -weight * dt * (c->of_s ? z : 1);
}

static double expected_gradient(double m, bool of_s, bool saturating)
{
    const struct setup c = {m, deviation, of_s, saturating};
    return gan__integrate(integrand, &c, -reach, reach, 400);
}

/* Derivatives in the mean and in the deviation of a divergence of p_r and p_g. */
static void divergence_gradient(struct gan__lab *l, gan_divergence kind, double m, double out[2])
{
    const double zero = 0, one = 1, var = deviation * deviation;
    double value;
    gan__lab_ok(l, gan_divergence_gaussian(kind, &(struct gan_gaussian){1, &zero, &one},
                                           &(struct gan_gaussian){1, &m, &var}, &value, &out[0],
                                           &out[1], l->err));
    out[1] *= 2 * deviation;
}

static void verify(struct gan__lab *l, size_t n)
{
    double m[MAX_SWEEP], left[MAX_SWEEP], right[MAX_SWEEP], sat[MAX_SWEEP];
    double gap = 0, gap_s = 0, gap_sat = 0;
    for (size_t i = 0; i < n && l->status == GAN_OK; i++) {
        double kl[2] = {0, 0}, js[2] = {0, 0};
        m[i] = -6 + 12 * (double)i / (double)(n - 1);
        divergence_gradient(l, GAN_REVERSE_KL, m[i], kl);
        divergence_gradient(l, GAN_JS, m[i], js);
        left[i] = expected_gradient(m[i], false, false);
        right[i] = kl[0] - 2 * js[0];
        sat[i] = expected_gradient(m[i], false, true);
        gap = fmax(gap, fabs(left[i] - right[i]));
        gap_s = fmax(gap_s, fabs(expected_gradient(m[i], true, false) - (kl[1] - 2 * js[1])));
        gap_sat = fmax(gap_sat, fabs(sat[i] - 2 * js[0]));
    }
    gan__lab_equal(l, "E[-d log D*/dm] - d(KL - 2 JS)/dm, largest", gap, 0, 1e-9);
    gan__lab_equal(l, "E[-d log D*/ds] - d(KL - 2 JS)/ds, largest", gap_s, 0, 1e-9);
    gan__lab_equal(l, "E[d log(1 - D*)/dm] - d(2 JS)/dm, largest", gap_sat, 0, 1e-9);
    gan__lab_at_most(l, "|saturating gradient| at distance 6", fabs(sat[n - 1]), 0.02);
    gan__lab_at_least(l, "|-log D gradient| at distance 6", fabs(left[n - 1]), 5);
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "gradient of the generator at D*");
    gan_panel_x(p, &(struct gan_axis){.label = "mean m of the fakes"});
    gan_panel_y(p, &(struct gan_axis){.label = "derivative in m"});
    gan_plot_line(p, m, left, n, &(struct gan_style){.label = "E[-log D*]'"});
    gan_plot_points(p, m, right, n, &(struct gan_style){.label = "(KL - 2 JS)'", .size = 6});
    gan_plot_line(p, m, sat, n, &(struct gan_style){.label = "E[log(1-D*)]'", .dashed = true});
    gan__lab_figure(l, f, "theorem",
                    "The expectation (line) is the derivative of KL(p_g||p_r) - 2 JS (points). The "
                    "saturating loss (dashed) has the derivative of 2 JS, which dies away.");
    gan__lab_table(l, "theorem", "m,minus_log_d,kl_minus_2js,saturating",
                   (const double *const[]){m, left, right, sat}, n);
}

/* --- asymmetry ---------------------------------------------------------------------------------- */

static void mixture(double *to, double low, double w1, double m1, double s1, double m2, double s2)
{
    double sum = 0;
    for (int i = 0; i < GRID; i++) {
        const double x = low + 2 * -low * (i + 0.5) / GRID;
        sum += to[i] =
            w1 * gan__normal_density(x, m1, s1) + (1 - w1) * gan__normal_density(x, m2, s2);
    }
    for (int i = 0; i < GRID; i++) {
        to[i] /= sum;
    }
}

static double between(struct gan__lab *l, gan_divergence kind, const double *p, const double *q)
{
    double value = (double)NAN;
    gan__lab_ok(l, gan_divergence_discrete(kind, p, q, GRID, &value, NULL, NULL, l->err));
    return value;
}

static void asymmetry(struct gan__lab *l)
{
    const double low = -10;
    double *x = gan__lab_array(l, GRID), *real = gan__lab_array(l, GRID);
    double *drop = gan__lab_array(l, GRID), *fake = gan__lab_array(l, GRID);
    if (l->status != GAN_OK) {
        return;
    }
    for (int i = 0; i < GRID; i++) {
        x[i] = low + 2 * -low * (i + 0.5) / GRID;
    }
    mixture(real, low, 0.5, -3, 0.5, 3, 0.5);
    mixture(drop, low, 1, -3, 0.5, 0, 1);       /* one of two modes */
    mixture(fake, low, 1, 0, sqrt(9.25), 0, 1); /* mean and variance of the data, also between */
    const double drop_reverse = between(l, GAN_REVERSE_KL, real, drop);
    const double drop_forward = between(l, GAN_KL, real, drop);
    const double fake_reverse = between(l, GAN_REVERSE_KL, real, fake);
    const double fake_forward = between(l, GAN_KL, real, fake);
    gan__lab_equal(l, "KL(p_g||p_r) of a dropped mode", drop_reverse, log(2), 1e-6);
    /* log p_r/p_g is -log 2 on the kept mode, 72 - log 2 on average on the other */
    gan__lab_equal(l, "KL(p_r||p_g) of a dropped mode", drop_forward, 36 - log(2), 1e-3);
    gan__lab_at_least(l, "KL(p_g||p_r) of samples between the modes", fake_reverse, 4);
    gan__lab_at_most(l, "KL(p_r||p_g) of samples between the modes", fake_forward, 1.5);
    gan_figure *f = gan_figure_new(1, 2, NULL);
    for (int k = 0; k < 2; k++) {
        gan_panel *p = gan_figure_panel(f, 0, k);
        gan_panel_title(p, k == 0 ? "a dropped mode" : "fakes between the modes");
        gan_panel_x(p, &(struct gan_axis){.label = "x", .low = -7, .high = 7});
        gan_panel_y(p, &(struct gan_axis){.label = "mass of a cell"});
        gan_plot_line(p, x, real, GRID, &(struct gan_style){.label = "p_r"});
        gan_plot_line(p, x, k == 0 ? drop : fake, GRID, &(struct gan_style){.label = "p_g"});
    }
    gan__lab_figure(l, f, "asymmetry",
                    "Left: KL(p_g||p_r) = log 2 only, KL(p_r||p_g) = 35.3. Right: the other way "
                    "round, fakes that no datum resembles are what KL(p_g||p_r) minds.");
}

static void run(struct gan__lab *l)
{
    verify(l, l->quick ? 25 : MAX_SWEEP);
    asymmetry(l);
}

GAN_EXPERIMENT(minus_log_d) = {
    .name = "minus-log-d",
    .title = "The -log D trick: reverse KL minus twice JS",
    .claim =
        "Instead of log(1 - D), whose gradient vanishes, generators descend on -log D "
        "(Goodfellow 2014). What does that minimise? Theorem 2.5 of Arjovsky and Bottou (2017): "
        "at the optimal discriminator, E[-grad log D*(g(z))] is the gradient of KL(p_g||p_r) - "
        "2 JS(p_g||p_r).\n"
        "The left side is computed as an expectation over z, the right side from the divergences "
        "of two Gaussians, for derivatives in the mean and in the deviation. They agree to "
        "rounding. The saturating loss has the gradient of 2 JS.\n"
        "Two consequences. JS stands there with the wrong sign: it pushes the two apart. And KL "
        "has its arguments reversed: it is high for fakes where there are no data and mild "
        "towards dropped modes.\n"
        "Second figure: data with two modes. Dropping one costs KL(p_g||p_r) just log 2 = 0.69; "
        "KL(p_r||p_g), that of maximum likelihood, is 36 - log 2: half of the data stand 12 "
        "deviations away, 0.5 * 72 nats, less the log 2 by which the kept mode is too high. "
        "Samples between the modes are judged the other way round.",
    .ref = "Arjovsky, Bottou 2017, arXiv:1701.04862, theorem 2.5 and section 2.2",
    .run = run,
};
