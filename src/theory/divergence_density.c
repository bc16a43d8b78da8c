/* divergence_density.c: f-divergences of samples, through densities made of them.
 *
 * All terms f(p,q) are homogeneous, so a divergence is the mean of f(a,b) over the mixture m = (p+q)/2
 * with a = p/m, b = q/m, and a = 2 sigma(s), b = 2 sigma(-s) for s = log p/q: only the log ratio of the
 * two densities matters. chi^2 is the mean of (p/q - 1)^2 over q. Kernel densities give it (Parzen 1962), each point left out of its own sample's
 * density; sums of exponentials are taken in the log domain. */
#include "masses.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* --- kernel densities --------------------------------------------------------------------------- */

static double squared(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
}

/* log of the mean of exp(-|x - c|^2/2h^2) over the points of `in` but `skip`. */
static double log_density(const double *x, const struct gan_points *in, size_t skip, double h)
{
    double most = -(double)INFINITY, sum = 0;
    for (size_t j = 0; j < in->n; j++) {
        if (j != skip) {
            most = fmax(most, -squared(x, in->x + j * in->d, in->d) / (2 * h * h));
        }
    }
    for (size_t j = 0; j < in->n; j++) {
        if (j != skip) {
            sum += exp(-squared(x, in->x + j * in->d, in->d) / (2 * h * h) - most);
        }
    }
    return most + log(sum / (double)(in->n - (skip < in->n ? 1 : 0)));
}

/* factor * d log_density: in x to at_x, in the centres to at_centre (each may be NULL). */
static void density_gradient(const double *x, const struct gan_points *in, size_t skip, double h,
                             double log_of, double factor, double *at_x, double *at_centre)
{
    const double count = (double)(in->n - (skip < in->n ? 1 : 0));
    for (size_t j = 0; j < in->n; j++) {
        const double *c = in->x + j * in->d;
        if (j == skip) {
            continue;
        }
        const double part = exp(-squared(x, c, in->d) / (2 * h * h) - log_of) / count;
        for (size_t k = 0; k < in->d; k++) {
            const double pull = factor * part * (c[k] - x[k]) / (h * h);
            if (at_x != NULL) {
                at_x[k] += pull;
            }
            if (at_centre != NULL) {
                at_centre[j * in->d + k] -= pull;
            }
        }
    }
}

/* Scott's rule, on the deviation around each sample's own mean, averaged over axes. */
static double scott(const struct gan_points *p, const struct gan_points *q)
{
    const double d = (double)p->d, n = (double)(p->n < q->n ? p->n : q->n);
    double variance = 0;
    for (size_t k = 0; k < 2 * p->d; k++) {
        const struct gan_points *s = k < p->d ? p : q;
        double mean = 0;
        for (size_t i = 0; i < s->n; i++) {
            mean += s->x[i * s->d + k % s->d] / (double)s->n;
        }
        for (size_t i = 0; i < s->n; i++) {
            const double gap = s->x[i * s->d + k % s->d] - mean;
            variance += gap * gap / (double)s->n / (2 * d);
        }
    }
    return sqrt(variance) * pow(n, -1 / (d + 4));
}

/* What a point adds: its term, and the derivative of that in s. a' = ab/2 = -b'. */
static double of_ratio(gan_divergence kind, double s, double *gap, double *slope)
{
    const double a = 2 / (1 + exp(-s)), b = 2 / (1 + exp(s));
    *gap = (sqrt(a) - sqrt(b)) * (sqrt(a) - sqrt(b)) / 2;
    switch ((int)kind) {
    case GAN_KL: /* a log a/b, where b may be too small to be told from 0 */
        *slope = a * b / 2 * s + a;
        return a * s;
    case GAN_REVERSE_KL:
        *slope = a * b / 2 * s - b;
        return -b * s;
    case GAN_PEARSON: /* (p/q - 1)^2, under q */
        *slope = 2 * expm1(s) * exp(s);
        return expm1(s) * expm1(s);
    case GAN_NEYMAN:
        *slope = -2 * expm1(-s) * exp(-s);
        return expm1(-s) * expm1(-s);
    default: {
        const struct gan__term t = gan__divergence_term(kind, a, b);
        *slope = a * b > 0 ? (t.dp - t.dq) * a * b / 2 : 0; /* flat at both ends */
        return t.f;
    }
    }
}

/* Whose points the mean is over, and how much one counts. chi^2 is a mean under its denominator: in
 * the other's tail the ratio of two estimates is worth nothing. */
static double weight_of(gan_divergence kind, bool first, size_t n)
{
    const double part = kind == GAN_PEARSON ? !first : (kind == GAN_NEYMAN ? first : 0.5);
    return part / (double)n;
}

/* The point that is left out of a sample's density: its own, or none. For chi^2 it stays in, which
 * keeps the ratio bounded. */
static size_t skipped(gan_divergence kind, bool same, size_t own, size_t n)
{
    return same && kind != GAN_PEARSON && kind != GAN_NEYMAN ? own : n;
}

struct sums {
    double sum, gap;
};

/* Log ratios s [p.n + q.n] and the sums over both samples. */
static struct sums ratios(gan_divergence kind, const struct gan_points *p,
                          const struct gan_points *q, double h, double *s)
{
    struct sums out = {0, 0};
    for (size_t i = 0; i < p->n + q->n; i++) {
        const bool first = i < p->n;
        const size_t own = first ? i : i - p->n;
        const double *x = (first ? p : q)->x + own * p->d;
        const double weight = weight_of(kind, first, first ? p->n : q->n);
        double gap, slope;
        if (!(weight > 0)) {
            continue;
        }
        s[i] = log_density(x, p, skipped(kind, first, own, p->n), h) -
               log_density(x, q, skipped(kind, !first, own, q->n), h);
        out.sum += weight * of_ratio(kind, s[i], &gap, &slope);
        out.gap += weight * gap;
    }
    return out;
}

static void gradient(gan_divergence kind, const struct gan_points *p, const struct gan_points *q,
                     double h, double factor, const double *s, double *grad)
{
    memset(grad, 0, q->n * q->d * sizeof *grad);
    for (size_t i = 0; i < p->n + q->n; i++) {
        const bool first = i < p->n;
        const size_t own = first ? i : i - p->n, skip = skipped(kind, !first, own, q->n);
        const double *x = (first ? p : q)->x + own * p->d;
        const double weight = weight_of(kind, first, first ? p->n : q->n);
        double *moved = first ? NULL : grad + own * q->d;
        double gap, slope;
        if (!(weight > 0)) {
            continue;
        }
        const double log_q = log_density(x, q, skip, h);
        (void)of_ratio(kind, s[i], &gap, &slope);
        slope *= factor * weight;
        density_gradient(x, q, skip, h, log_q, -slope, moved, grad);
        if (moved != NULL) {
            density_gradient(x, p, p->n, h, s[i] + log_q, slope, moved, NULL);
        }
    }
}

static gan_status check_kind(gan_divergence kind, gan_err *err)
{
    const char *name = gan_divergence_name(kind);
    return gan__divergence_has_terms(kind)
               ? GAN_OK
               : gan__fail(err, GAN_E_UNSUPPORTED,
                           "%s is no function of densities: use gan_divergence_samples",
                           name != NULL ? name : "an unknown divergence");
}

gan_status gan_divergence_smoothed(gan_divergence kind, const struct gan_points *p,
                                   const struct gan_points *q, double bandwidth, double *value,
                                   double *grad_q, gan_err *err)
{
    GAN_TRY(check_kind(kind, err));
    GAN_TRY(gan__check_points(p, q, 2, err));
    const double h = bandwidth > 0 || bandwidth < 0 ? bandwidth : scott(p, q);
    if (!(h > 0) || !isfinite(h)) {
        return gan__fail(err, GAN_E_RANGE, "bandwidth %g: must be positive and finite", h);
    }
    double *s = gan__alloc_array(p->n + q->n, sizeof *s), factor;
    if (s == NULL) {
        return gan__fail_nomem(err, (p->n + q->n) * sizeof *s, "ratios of densities");
    }
    const struct sums sums = ratios(kind, p, q, h, s);
    *value = gan__divergence_of_sum(kind, sums.sum, sums.gap, &factor);
    if (grad_q != NULL) {
        gradient(kind, p, q, h, factor, s, grad_q);
    }
    gan__free(s);
    return GAN_OK;
}

/* --- histograms --------------------------------------------------------------------------------- */

struct box {
    double low[GAN_HISTOGRAM_MAX_D], high[GAN_HISTOGRAM_MAX_D];
};

static void widen(struct box *b, const struct gan_points *p)
{
    for (size_t i = 0; i < p->n * p->d; i++) {
        b->low[i % p->d] = fmin(b->low[i % p->d], p->x[i]);
        b->high[i % p->d] = fmax(b->high[i % p->d], p->x[i]);
    }
}

static void count(const struct gan_points *p, const struct box *b, size_t bins, double *mass)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t cell = 0;
        for (size_t k = 0; k < p->d; k++) {
            const double width = b->high[k] - b->low[k];
            const double at =
                width > 0 ? (p->x[i * p->d + k] - b->low[k]) / width * (double)bins : 0;
            cell = cell * bins + (at < (double)bins ? (size_t)at : bins - 1);
        }
        mass[cell] += 1 / (double)p->n;
    }
}

gan_status gan_divergence_histogram(gan_divergence kind, const struct gan_points *p,
                                    const struct gan_points *q, size_t bins, double *value,
                                    gan_err *err)
{
    struct box b;
    size_t cells = 1;
    GAN_TRY(check_kind(kind, err));
    GAN_TRY(gan__check_points(p, q, 1, err));
    if (p->d > GAN_HISTOGRAM_MAX_D || bins < 1) {
        return gan__fail(err, GAN_E_RANGE, "a histogram of %zu bins in %zu dimensions: at most %d",
                         bins, p->d, GAN_HISTOGRAM_MAX_D);
    }
    for (size_t k = 0; k < p->d; k++) {
        b.low[k] = (double)INFINITY;
        b.high[k] = -(double)INFINITY;
        cells = bins <= GAN_HISTOGRAM_CELLS / cells ? cells * bins : GAN_HISTOGRAM_CELLS + 1;
        if (cells > GAN_HISTOGRAM_CELLS) {
            return gan__fail(err, GAN_E_RANGE, "%zu bins on each of %zu axes: at most %d cells",
                             bins, p->d, GAN_HISTOGRAM_CELLS);
        }
    }
    double *mass = gan__alloc_array(2 * cells, sizeof *mass);
    if (mass == NULL) {
        return gan__fail_nomem(err, 2 * cells * sizeof *mass, "a histogram");
    }
    widen(&b, p);
    widen(&b, q);
    count(p, &b, bins, mass);
    count(q, &b, bins, mass + cells);
    const gan_status status =
        gan_divergence_discrete(kind, mass, mass + cells, cells, value, NULL, NULL, err);
    gan__free(mass);
    return status;
}
