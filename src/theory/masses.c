/* masses.c: checks of what divergences and transport are given, one line each. */
#include "masses.h"

#include "base/err.h"

#include <gan/transport.h>

#include <math.h>

gan_status gan__check_masses(const char *name, const double *p, size_t n, gan_err *err)
{
    const double slack = 1e-9; /* rounding of a million masses stays below */
    double sum = 0;
    if (n == 0) {
        return gan__fail(err, GAN_E_RANGE, "%s has an empty support: at least one place is needed",
                         name);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p[i]) || p[i] < 0) {
            return gan__fail(err, GAN_E_RANGE, "%s[%zu] is %g: a mass is finite and not negative",
                             name, i, p[i]);
        }
        sum += p[i];
    }
    if (!(fabs(sum - 1) <= slack)) {
        return gan__fail(err, GAN_E_RANGE, "%s sums to %.12g: a distribution sums to 1 within %g",
                         name, sum, slack);
    }
    return GAN_OK;
}

static gan_status check_finite(const char *name, const struct gan_points *p, size_t least,
                               gan_err *err)
{
    if (p->n < least || p->d == 0) {
        return gan__fail(err, GAN_E_RANGE,
                         "%s has %zu points of %zu numbers: at least %zu points of 1", name, p->n,
                         p->d, least);
    }
    for (size_t i = 0; i < p->n * p->d; i++) {
        if (!isfinite(p->x[i])) {
            return gan__fail(err, GAN_E_RANGE, "%s: number %zu of point %zu is not finite", name,
                             i % p->d, i / p->d);
        }
    }
    return GAN_OK;
}

gan_status gan__check_points(const struct gan_points *p, const struct gan_points *q, size_t least,
                             gan_err *err)
{
    if (p->d != q->d) {
        return gan__fail(err, GAN_E_SHAPE, "points of p have %zu numbers, points of q %zu", p->d,
                         q->d);
    }
    GAN_TRY(check_finite("p", p, least, err));
    return check_finite("q", q, least, err);
}

gan_status gan__check_pairs(size_t n, size_t m, gan_err *err)
{
    if (m > 0 && n > GAN_TRANSPORT_PAIRS / m) {
        return gan__fail(err, GAN_E_RANGE,
                         "exact transport between %zu and %zu points: the limit is %zu pairs; use "
                         "gan_transport_sinkhorn or fewer points",
                         n, m, GAN_TRANSPORT_PAIRS);
    }
    return GAN_OK;
}
