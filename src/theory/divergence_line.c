/* divergence_line.c: divergences of Gaussians on the line: JS and TV by quadrature, W1 and energy
 * distance in closed form.
 *
 * For z = m + s n, n normal, E|z| = s sqrt(2/pi) exp(-m^2/2s^2) + m (1 - 2 Phi(-m/s)): the folded
 * normal (Leone, Nelson and Nottingham 1961). W1 is E|e + (t-s) n|, since transport on the line is
 * monotone; the energy distance is 2E|x-y| - E|x-x'| - E|y-y'|. With equal covariances in more
 * dimensions log p/q depends only on the place along S^-1 e, so JS and TV are those of N(0,1) and
 * N(c,1), c the Mahalanobis distance. */
#include "gaussian.h"
#include "matrix.h"

#include "base/err.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

double gan__normal_density(double x, double mean, double deviation)
{
    const double z = (x - mean) / deviation;
    return exp(-z * z / 2) / (deviation * sqrt(2 * pi));
}

double gan__normal_below(double x, double mean, double deviation)
{
    return erfc((mean - x) / (deviation * sqrt(2))) / 2;
}

double gan__integrate(double (*f)(double x, const void *ctx), const void *ctx, double a, double b,
                      int panels)
{
    /* Abramowitz and Stegun 1964, table 25.4, n = 8 */
    static const double at[] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267,
                                0.9602898564975363};
    static const double weight[] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745,
                                    0.1012285362903763};
    const double half = (b - a) / (2 * panels);
    double sum = 0;
    for (int k = 0; k < panels; k++) {
        const double middle = a + half * (2 * k + 1);
        for (int i = 0; i < 4; i++) {
            sum += weight[i] * (f(middle - half * at[i], ctx) + f(middle + half * at[i], ctx));
        }
    }
    return sum * half;
}

/* E|m + s n|, its derivatives in m and s. */
static double folded(double m, double s, double *dm, double *ds)
{
    if (!(s > 0)) {
        *dm = m > 0 ? 1 : (m < 0 ? -1 : 0);
        *ds = m > 0 || m < 0 ? 0 : sqrt(2 / pi);
        return fabs(m);
    }
    const double bell = sqrt(2 / pi) * exp(-m * m / (2 * s * s));
    *dm = erf(m / (s * sqrt(2)));
    *ds = bell;
    return s * bell + m * *dm;
}

/* N(0,s) and N(e,t). */
struct pair {
    double s, e, t;
    int part; /* 0: the value, 1: derivative in e, 2: in t */
};

/* Derivative of the integrand through q: dq/de or dq/dt. */
static double slope(const struct pair *c, double x, double q)
{
    const double z = (x - c->e) / c->t;
    return c->part == 1 ? q * z / c->t : q * (z * z - 1) / c->t;
}

static double js_at(double x, const void *ctx)
{
    const struct pair *c = ctx;
    const double p = gan__normal_density(x, 0, c->s), q = gan__normal_density(x, c->e, c->t);
    const double m = (p + q) / 2;
    if (m <= 0) {
        return 0;
    }
    const double of_q = q > 0 ? log(q / m) / 2 : 0;
    if (c->part > 0) {
        return of_q * slope(c, x, q);
    }
    return (p > 0 ? p * log(p / m) / 2 : 0) + q * of_q;
}

static double js(struct pair *c)
{
    enum { PANELS = 400 }; /* of 8 points: 1e-13 for deviations within a factor of 30 */
    const double reach = 12;
    const double a = fmin(-reach * c->s, c->e - reach * c->t);
    const double b = fmax(reach * c->s, c->e + reach * c->t);
    return gan__integrate(js_at, c, a, b, PANELS);
}

/* Where both densities are equal: at most two places. TV is half the sum over the pieces between
 * them of |difference of the masses|; the boundaries move, but the integrand is 0 there. */
static double tv(const struct pair *c, double *de, double *dt)
{
    const double a = 1 / (c->t * c->t) - 1 / (c->s * c->s), b = c->e / (c->t * c->t);
    const double k = c->e * c->e / (c->t * c->t) + 2 * log(c->t / c->s);
    double cut[4] = {-(double)INFINITY, (double)INFINITY, (double)INFINITY,
                     (double)INFINITY}; /* a x^2 - 2 b x + k = 0 */
    if (fabs(a) * c->s * c->s > 1e-12) {
        const double h = sqrt(fmax(0, b * b - a * k)), far = b >= 0 ? b + h : b - h;
        const double one = far / a, two = fabs(far) > 0 ? k / far : 0;
        cut[1] = fmin(one, two);
        cut[2] = fmax(one, two);
    } else if (fabs(b) > 0) {
        cut[1] = k / (2 * b);
    }
    double sum = 0;
    *de = *dt = 0;
    for (int i = 0; i < 3 && (i == 0 || isfinite(cut[i])); i++) {
        const double lo = cut[i], hi = cut[i + 1];
        const double diff =
            (gan__normal_below(hi, c->e, c->t) - gan__normal_below(lo, c->e, c->t)) -
            (gan__normal_below(hi, 0, c->s) - gan__normal_below(lo, 0, c->s));
        const double sign = diff >= 0 ? 0.5 : -0.5;
        const double at_lo = isfinite(lo) ? gan__normal_density(lo, c->e, c->t) : 0;
        const double at_hi = isfinite(hi) ? gan__normal_density(hi, c->e, c->t) : 0;
        sum += fabs(diff) / 2;
        *de += sign * (at_lo - at_hi);
        *dt += sign * ((isfinite(lo) ? at_lo * (lo - c->e) / c->t : 0) -
                       (isfinite(hi) ? at_hi * (hi - c->e) / c->t : 0));
    }
    return sum;
}

static double energy(const struct pair *c, double *de, double *dt)
{
    const double both = sqrt(c->s * c->s + c->t * c->t);
    double ds, unused, spread;
    const double cross = folded(c->e, both, de, &ds);
    const double within =
        folded(0, c->s * sqrt(2), &unused, &spread) + folded(0, c->t * sqrt(2), &unused, &spread);
    *de *= 2;
    *dt = 2 * ds * c->t / both - spread * sqrt(2);
    return 2 * cross - within;
}

static double w1(const struct pair *c, double *de, double *dt)
{
    const double gap = c->t - c->s;
    const double value = folded(c->e, fabs(gap), de, dt);
    *dt *= gap < 0 ? -1 : 1;
    return value;
}

static double on_line(gan_divergence kind, struct pair *c, double *de, double *dt)
{
    switch ((int)kind) {
    case GAN_JS:
        c->part = 1;
        *de = js(c);
        c->part = 2;
        *dt = js(c);
        c->part = 0;
        return js(c);
    case GAN_TV:
        return tv(c, de, dt);
    case GAN_ENERGY:
        return energy(c, de, dt);
    default:
        return w1(c, de, dt);
    }
}

static int same_covariance(const struct gan__two *t)
{
    double most = 0, gap = 0;
    for (size_t i = 0; i < t->d * t->d; i++) {
        most = fmax(most, fabs(t->p->cov[i]));
        gap = fmax(gap, fabs(t->p->cov[i] - t->q->cov[i]));
    }
    return gap <= 1e-12 * most;
}

gan_status gan__gaussian_line(gan_divergence kind, const struct gan__two *t, double *value,
                              double *gm, double *gc, gan_err *err)
{
    double de, dt;
    if (kind != GAN_JS && kind != GAN_TV && kind != GAN_ENERGY && kind != GAN_W1) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "unknown divergence %d", (int)kind);
    }
    if (t->d == 1) {
        struct pair c = {sqrt(t->p->cov[0]), t->e[0], sqrt(t->q->cov[0]), 0};
        *value = on_line(kind, &c, &de, &dt);
        gm[0] = de;
        if (gc != NULL) {
            gc[0] = dt / (2 * c.t); /* deviation -> variance */
        }
        return GAN_OK;
    }
    if (kind == GAN_ENERGY || kind == GAN_W1 || !same_covariance(t) || gc != NULL) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s of Gaussians of dimension %zu has no formula here: use samples",
                         gan_divergence_name(kind), t->d);
    }
    struct pair c = {1, sqrt(gan__quadratic_form(t->inverse_p, t->e, t->d)), 1, 0};
    *value = on_line(kind, &c, &de, &dt);
    gan__matrix_vector(t->inverse_p, t->e, t->d, gm);
    for (size_t i = 0; i < t->d; i++) {
        gm[i] *= c.e > 0 ? de / c.e : 0;
    }
    return GAN_OK;
}
