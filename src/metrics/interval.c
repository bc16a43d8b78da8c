/* interval.c: percentile intervals from resampled influences, and small help to write results. */
#include "interval.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static double mean(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i];
    }
    return n > 0 ? sum / (double)n : 0;
}

/* Mean of n draws with replacement, less the mean of all. */
static double resample(struct gan__rng *rng, const struct gan__influence *f, double centre)
{
    double sum = 0;
    for (int64_t i = 0; i < f->n; i++) {
        uint64_t k = ((uint64_t)gan__rng_u32(rng) * (uint64_t)f->n) >> 32;
        sum += f->v[k];
    }
    return f->n > 0 ? sum / (double)f->n - centre : 0;
}

/* Quantile p of ascending v, between the nearest two. */
static double quantile(const double *v, int n, double p)
{
    double at = p * (double)(n - 1);
    int k = (int)at;
    return k + 1 < n ? v[k] + (at - k) * (v[k + 1] - v[k]) : v[n - 1];
}

gan_status gan__interval(const struct gan_metric_input *in, struct gan__influence a,
                         struct gan__influence b, struct gan_metric_value *v, gan_err *err)
{
    int n = in->bootstrap;
    if (n < 0) {
        return GAN_OK;
    }
    n = n > 0 ? n : 1000;
    double *at = gan__alloc_array((size_t)n, sizeof *at), mean_a = mean(a.v, a.n),
           mean_b = mean(b.v, b.n);
    if (at == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *at, "a bootstrap");
    }
#pragma omp parallel for schedule(static) num_threads(in->threads > 0 ? in->threads : 1)
    for (int r = 0; r < n; r++) {
        struct gan__rng rng;
        gan__rng_init(&rng, gan__stream_key(in->seed, (uint64_t)r, 0, gan__hash_text("bootstrap")));
        at[r] = resample(&rng, &a, mean_a) + resample(&rng, &b, mean_b);
    }
    gan__sort_f64(at, (size_t)n);
    v->low = v->value + quantile(at, n, 0.025);
    v->high = v->value + quantile(at, n, 0.975);
    gan__free(at);
    return GAN_OK;
}

void gan__metric_warn(struct gan_metric_result *r, const char *fmt, ...)
{
    if (r->n_warnings < GAN_METRIC_WARNINGS) {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(r->warning[r->n_warnings], sizeof r->warning[0], fmt, args);
        va_end(args);
        r->n_warnings++;
    }
}

struct gan_metric_value *gan__metric_value(struct gan_metric_result *r, const char *name,
                                           double value, const char *unit)
{
    int i = r->n < GAN_METRIC_VALUES ? r->n++ : GAN_METRIC_VALUES - 1;
    r->value[i] = (struct gan_metric_value){.name = name,
                                            .value = value,
                                            .low = (double)NAN,
                                            .high = (double)NAN,
                                            .std = (double)NAN,
                                            .unit = unit};
    return &r->value[i];
}
