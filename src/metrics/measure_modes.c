/* measure_modes.c: which modes of a mixture samples reach, and how well.
 *
 * A sample is of high quality within three deviations of its nearest centre; a mode is found when
 * one such sample is its own; the histogram of those samples over the modes is held against the
 * uniform one. Ref: Lin et al. 2018, arXiv:1712.04086, section 4.1. */
#include <gan/measure.h>

#include "base/err.h"
#include "data/dataset.h"

#include <math.h>

gan_status gan_toy_modes(const char *name, struct gan_mode_set *out, gan_err *err)
{
    *out = (struct gan_mode_set){.name = name};
    out->modes = gan__toy_modes(name, out->centre, &out->deviation);
    return out->modes > 0 ? GAN_OK
                          : gan__fail(err, GAN_E_ARG,
                                      "toy:%s is no mixture, known are ring8, grid25, 8gaussians, "
                                      "25gaussians",
                                      name);
}

static int nearest(const struct gan_mode_set *set, double x, double y, double *squared)
{
    int best = 0;
    *squared = (double)INFINITY;
    for (int k = 0; k < set->modes; k++) {
        double dx = x - set->centre[k][0], dy = y - set->centre[k][1];
        double d = dx * dx + dy * dy;
        if (d < *squared) {
            *squared = d;
            best = k;
        }
    }
    return best;
}

/* KL(p || uniform) over the modes: sum p log(p K). */
static double kl_to_uniform(const struct gan_mode_set *set, const int64_t *count, int64_t total)
{
    double kl = 0;
    for (int k = 0; k < set->modes; k++) {
        if (count[k] > 0) {
            double p = (double)count[k] / (double)total;
            kl += p * log(p * set->modes);
        }
    }
    return kl;
}

gan_status gan_count_modes(const struct gan_mode_set *set, const float *xy, int64_t n,
                           struct gan_mode_count *out, gan_err *err)
{
    double limit = 9 * set->deviation * set->deviation;
    int64_t good = 0;
    *out = (struct gan_mode_count){.modes = 0};
    if (n < 1) {
        return gan__fail(err, GAN_E_RANGE, "modes of %lld samples, at least 1 is needed",
                         (long long)n);
    }
    for (int64_t i = 0; i < n; i++) {
        double x = (double)xy[2 * i], y = (double)xy[2 * i + 1], squared;
        if (!isfinite(x) || !isfinite(y)) {
            return gan__fail(err, GAN_E_FORMAT, "sample %lld is not finite", (long long)i);
        }
        int mode = nearest(set, x, y, &squared);
        if (squared <= limit) {
            out->per_mode[mode]++;
            good++;
        }
    }
    for (int k = 0; k < set->modes; k++) {
        out->modes += out->per_mode[k] > 0;
    }
    out->high_quality = (double)good / (double)n;
    out->reverse_kl = good > 0 ? kl_to_uniform(set, out->per_mode, good) : (double)NAN;
    return GAN_OK;
}
