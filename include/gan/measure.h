/* measure.h: how near samples are to data: measures over plain arrays.
 *
 *     float real[2000 * 784], fake[2000 * 784];
 *     double d = gan_sliced_wasserstein(real, fake, 2000, 784, 256, 1, &err);
 *
 * Arrays are row-major, one sample a row. A measure that fails returns NAN and fills err. Sums are
 * f64; the result does not depend on the number of threads. */
#ifndef GAN_MEASURE_H
#define GAN_MEASURE_H

#include <gan/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Centres of a mixture in the plane. */
struct gan_mode_set {
    const char *name; /* "ring8" */
    int modes;        /* at most GAN_MODES_MAX */
    double centre[32][2];
    double deviation; /* of each mode, along both axes */
};

#define GAN_MODES_MAX 32

/**
 * Centres of a toy mixture: "ring8", "grid25", "8gaussians", "25gaussians".
 *
 * errors: GAN_E_ARG (no mixture of that name)
 */
GAN_API gan_status gan_toy_modes(const char *name, struct gan_mode_set *out, gan_err *err);

/** What samples cover of a mixture. */
struct gan_mode_count {
    int modes;            /* with at least one sample within 3 deviations of the centre */
    double high_quality;  /* share of the samples within 3 deviations of their nearest centre */
    double reverse_kl;    /* KL(modes of those samples || uniform); unit: nats. NAN without any */
    int64_t per_mode[32]; /* high-quality samples of each mode */
};

/**
 * Counts modes as the literature does.
 *
 * in:     xy  f32 [n,2]
 * errors: GAN_E_RANGE (n < 1), GAN_E_FORMAT (a sample is not finite)
 * ref:    Lin et al. 2018, arXiv:1712.04086, section 4.1
 */
GAN_API gan_status gan_count_modes(const struct gan_mode_set *set, const float *xy, int64_t n,
                                   struct gan_mode_count *out, gan_err *err);

/**
 * Sliced Wasserstein-1 distance: mean over random unit directions of the mean distance between the
 * sorted projections of both sets.
 *
 * in:     x, y        f32 [n,size]
 *         directions  >= 1, drawn from `seed`
 * out:    in the unit of x, divided by nothing; 0 for equal sets
 * errors: NAN and GAN_E_RANGE (n, size or directions < 1), GAN_E_NOMEM
 * ref:    Rabin et al. 2012, "Wasserstein barycenter and its application to texture mixing"
 */
GAN_API double gan_sliced_wasserstein(const float *x, const float *y, int64_t n, int64_t size,
                                      int64_t directions, uint64_t seed, gan_err *err);

/**
 * Spearman's rank correlation of two series, ties by mean ranks.
 *
 * in:     x, y  [n]
 * out:    -1 .. 1; NAN when n < 2 or a series is constant
 * errors: NAN and GAN_E_NOMEM
 */
GAN_API double gan_rank_correlation(const double *x, const double *y, int64_t n, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
