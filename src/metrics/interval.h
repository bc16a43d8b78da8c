/* interval.h: confidence intervals of metrics by the bootstrap.
 *
 * A metric is, to first order, its value plus means of one number per sample (its influence). For a
 * plain mean the influence is the summand itself. Resampling these numbers gives the bootstrap's
 * distribution without measuring the metric a thousand times; for a non-linear metric this is the
 * linearised bootstrap (the infinitesimal jackknife, resampled).
 *
 * Ref: Efron, Tibshirani 1993, "An introduction to the bootstrap", chapters 13 and 22. */
#ifndef GAN_METRICS_INTERVAL_H
#define GAN_METRICS_INTERVAL_H

#include <gan/metric.h>

/* Influences of the samples of one side: their mean does not matter. */
struct gan__influence {
    const double *v; /* [n] */
    int64_t n;
};

/* Sets low and high of `v`: 95 % percentile interval of v->value under resampling of both sides
 * (n = 0: that side is held fixed). Nothing when in->bootstrap < 0. */
gan_status gan__interval(const struct gan_metric_input *in, struct gan__influence a,
                         struct gan__influence b, struct gan_metric_value *v, gan_err *err);

/* Adds a warning while there is room. */
void gan__metric_warn(struct gan_metric_result *r, const char *fmt, ...) GAN_PRINTF(2, 3);

/* Adds a figure without an interval yet. */
struct gan_metric_value *gan__metric_value(struct gan_metric_result *r, const char *name,
                                           double value, const char *unit);

#endif
