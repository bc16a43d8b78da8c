/* metrics.h: what a metric's and a feature network's file ends in, and what metrics share. */
#ifndef GAN_METRICS_METRICS_H
#define GAN_METRICS_METRICS_H

#include <gan/features.h>
#include <gan/metric.h>

#define GAN_METRIC(NAME)                                                                           \
    extern const struct gan_metric gan__metric_##NAME;                                             \
    const struct gan_metric gan__metric_##NAME

#define GAN_FEATURES(NAME)                                                                         \
    extern const struct gan_feature_net gan__features_##NAME;                                      \
    const struct gan_feature_net gan__features_##NAME

/* Sorted, NULL at the end; written by the build. */
extern const struct gan_metric *const gan__metrics[];
extern const struct gan_feature_net *const gan__feature_nets[];

/* Has a side (by `name`, "reals" or "fakes") what `needs` asks for, finite and not all alike? errors:
 * GAN_E_FORMAT, GAN_E_ARG */
gan_status gan__metric_check(const struct gan_metric *m, const char *name, const struct gan_side *s,
                             unsigned needs, gan_err *err);

/* The kind of an open network, and its own state. */
const struct gan_feature_net *gan__features_kind(const gan_features *f);
const void *gan__features_state(const gan_features *f);

#endif
