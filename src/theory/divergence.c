/* divergence.c: divergences of distributions over the same places, term by term.
 *
 * Each is a sum of f(p_i,q_i), perhaps a root or a logarithm of it, so a term and its two
 * derivatives say all. Nowozin et al. 2016, arXiv:1606.00709, table 1. */
#include "masses.h"

#include "base/err.h"

#include <gan/divergence.h>

#include <math.h>

static const char *const names[GAN_DIVERGENCES] = {
    "kl",      "reverse-kl", "js",          "tv",     "hellinger", "bhattacharyya",
    "pearson", "neyman",     "mahalanobis", "energy", "w1",        "w2",
};

const char *gan_divergence_name(gan_divergence kind)
{
    return (unsigned)kind < GAN_DIVERGENCES ? names[kind] : NULL;
}

typedef struct gan__term term_fn(double p, double q);

/* p log(p/q), with 0 log 0 = 0. */
static struct gan__term kl_term(double p, double q)
{
    if (p <= 0) {
        return (struct gan__term){0, q > 0 ? -(double)INFINITY : (double)NAN, 0};
    }
    if (q <= 0) {
        return (struct gan__term){(double)INFINITY, (double)INFINITY, -(double)INFINITY};
    }
    return (struct gan__term){p * log(p / q), log(p / q) + 1, -p / q};
}

static struct gan__term swapped(struct gan__term t)
{
    return (struct gan__term){t.f, t.dq, t.dp};
}

static struct gan__term reverse_kl_term(double p, double q)
{
    return swapped(kl_term(q, p));
}

/* p log(2p/(p+q))/2 + q log(2q/(p+q))/2; the derivatives of the mixture cancel. */
static struct gan__term js_term(double p, double q)
{
    const double m = (p + q) / 2;
    struct gan__term t = {0, 0, 0};
    if (m <= 0) {
        return t;
    }
    t.dp = log(p / m) / 2; /* -inf at p = 0 < q */
    t.dq = log(q / m) / 2;
    t.f = (p > 0 ? p * t.dp : 0) + (q > 0 ? q * t.dq : 0);
    return t;
}

static struct gan__term tv_term(double p, double q)
{
    const double s = p > q ? 0.5 : (p < q ? -0.5 : 0);
    return (struct gan__term){fabs(p - q) / 2, s, -s};
}

/* sqrt(pq): the affinity; Hellinger's and Bhattacharyya's distances are functions of its sum. */
static struct gan__term affinity_term(double p, double q)
{
    return (struct gan__term){sqrt(p * q),
                              p > 0 ? sqrt(q / p) / 2 : (q > 0 ? (double)INFINITY : (double)NAN),
                              q > 0 ? sqrt(p / q) / 2 : (p > 0 ? (double)INFINITY : (double)NAN)};
}

static struct gan__term pearson_term(double p, double q)
{
    if (q <= 0) {
        return p <= 0 ? (struct gan__term){0, (double)NAN, (double)NAN}
                      : (struct gan__term){(double)INFINITY, (double)INFINITY, -(double)INFINITY};
    }
    return (struct gan__term){(p - q) * (p - q) / q, 2 * (p - q) / q, 1 - p * p / (q * q)};
}

static struct gan__term neyman_term(double p, double q)
{
    return swapped(pearson_term(q, p));
}

static term_fn *const terms[GAN_DIVERGENCES] = {
    [GAN_KL] = kl_term,
    [GAN_REVERSE_KL] = reverse_kl_term,
    [GAN_JS] = js_term,
    [GAN_TV] = tv_term,
    [GAN_HELLINGER] = affinity_term,
    [GAN_BHATTACHARYYA] = affinity_term,
    [GAN_PEARSON] = pearson_term,
    [GAN_NEYMAN] = neyman_term,
};

int gan__divergence_has_terms(gan_divergence kind)
{
    return (unsigned)kind < GAN_DIVERGENCES && terms[kind] != NULL;
}

struct gan__term gan__divergence_term(gan_divergence kind, double p, double q)
{
    return terms[kind](p, q);
}

/* The divergence as a function of the sum, and the factor of the terms' derivatives. Hellinger's
 * sum is 1 - affinity, computed from differences of roots because 1 - sum loses all digits near 0. */
double gan__divergence_of_sum(gan_divergence kind, double sum, double gap, double *factor)
{
    if (kind == GAN_HELLINGER) {
        const double h = sqrt(gap);
        *factor = h > 0 ? -1 / (2 * h) : (double)NAN;
        return h;
    }
    if (kind == GAN_BHATTACHARYYA) {
        *factor = -1 / sum;
        return gap < 0.5 ? -log1p(-gap) : -log(sum);
    }
    *factor = 1;
    return sum;
}

gan_status gan_divergence_discrete(gan_divergence kind, const double *p, const double *q, size_t n,
                                   double *value, double *grad_p, double *grad_q, gan_err *err)
{
    if (!gan__divergence_has_terms(kind)) {
        const char *name = gan_divergence_name(kind);
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s needs distances between places: use gan_divergence_samples or "
                         "gan_transport_exact",
                         name != NULL ? name : "an unknown divergence");
    }
    GAN_TRY(gan__check_masses("p", p, n, err));
    GAN_TRY(gan__check_masses("q", q, n, err));
    double sum = 0, gap = 0, factor;
    for (size_t i = 0; i < n; i++) {
        const struct gan__term t = terms[kind](p[i], q[i]);
        const double d = sqrt(p[i]) - sqrt(q[i]);
        sum += t.f;
        gap += d * d / 2;
    }
    *value = gan__divergence_of_sum(kind, sum, gap, &factor);
    for (size_t i = 0; i < n && (grad_p != NULL || grad_q != NULL); i++) {
        const struct gan__term t = terms[kind](p[i], q[i]);
        /* Hellinger: the weights are free, so d(gap) = (1 - sqrt(q/p))/2 and not only its second
         * half */
        const double own = kind == GAN_HELLINGER ? -0.5 : 0;
        if (grad_p != NULL) {
            grad_p[i] = factor * (t.dp + own);
        }
        if (grad_q != NULL) {
            grad_q[i] = factor * (t.dq + own);
        }
    }
    return GAN_OK;
}
