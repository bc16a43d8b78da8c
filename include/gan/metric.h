/* metric.h: how good, how diverse: metrics over the features, class scores or pixels of two sides.
 *
 *     struct gan_metric_input in = {.real = {.n = 10000, .size = 64, .features = a},
 *                                   .fake = {.n = 10000, .size = 64, .features = b}};
 *     struct gan_metric_result r;
 *     if (gan_metric_run(gan_metric_find("fid", &err), &in, &r, &err) == GAN_OK) {
 *         printf("%s %g in %g .. %g\n", r.value[0].name, r.value[0].value, r.value[0].low, r.value[0].high);
 *     }
 *
 * gan/evaluate.h fills the input from runs, folders, data sets and files. Sums are f64. */
#ifndef GAN_METRIC_H
#define GAN_METRIC_H

#include <gan/features.h>
#include <gan/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a metric reads, as bits. */
typedef enum gan_need {
    GAN_NEED_FEATURES = 1,      /* of the fakes, and of the reals unless GAN_NEED_NO_REAL */
    GAN_NEED_LOGITS = 2,        /* class scores of a network, likewise */
    GAN_NEED_IMAGES = 4,        /* pixels, likewise */
    GAN_NEED_LABELS = 8,        /* classes of the samples, likewise */
    GAN_NEED_LAYERS = 16,       /* a network that shows inner layers, and pixels */
    GAN_NEED_NO_REAL = 32,      /* the reals are not looked at */
    GAN_NEED_PAIRS = 64,        /* fake i belongs to real i: both sides have the same size */
    GAN_NEED_HELD = 128,        /* reals that are neither training data nor fakes; may be absent */
    GAN_NEED_REAL_LABELS = 256, /* classes of the reals only; with GAN_NEED_LABELS of both */
    GAN_NEED_OFFERED_LOGITS = 1024, /* class scores where the network has them; points instead */
    GAN_NEED_POINTS = 512           /* samples are points of a toy mixture */
} gan_need;

/** One side of a comparison. What a metric does not need may be absent. */
struct gan_side {
    int64_t n;             /* samples */
    int64_t size;          /* of a feature vector */
    const float *features; /* [n,size] */
    int64_t classes;       /* of the logits */
    const float *logits;   /* [n,classes] */
    const int32_t *labels; /* [n], -1: unknown */
    int64_t height, width, channels;
    const uint8_t *images; /* [n,height,width,channels] */
    const double *mean;    /* [size] stored statistics in the place of features: FID only */
    const double *cov;     /* [size,size], divisor n - 1 */
};

/** What a metric is given. */
struct gan_metric_input {
    struct gan_side real, fake;
    struct gan_side held;  /* held-out reals; n = 0 when there are none */
    gan_features *network; /* with GAN_NEED_LAYERS */
    const char *mixture;   /* "ring8", "grid25": with GAN_NEED_POINTS */
    int64_t n_modes; /* choices of a class in each of several classifiers; 0: one classifier */
    uint64_t seed;   /* of subsets, directions and bootstraps */
    int threads;     /* 0 = 1 */
    int bootstrap;   /* replicates of a confidence interval [1000]; -1: none */
};

/** One figure. */
struct gan_metric_value {
    const char *name; /* "fid", "precision"; static */
    double value;
    double low, high; /* 95 % confidence interval; NAN: none */
    double std;       /* over splits or subsets, where the metric's protocol has them; else NAN */
    const char *unit; /* "", "dB", "nats"; static */
};

/** Room in a result. */
enum { GAN_METRIC_VALUES = 8, GAN_METRIC_WARNINGS = 4 };

/** What a metric found. */
struct gan_metric_result {
    struct gan_metric_value value[GAN_METRIC_VALUES];
    int n; /* of them */
    char warning[GAN_METRIC_WARNINGS][200];
    int n_warnings;
    char protocol[200]; /* what belongs to the figures: "100 subsets of 1000, cubic kernel" */
};

/** A metric: one metric_*.c file ends in GAN_METRIC(name) = {...} and the build collects them. */
struct gan_metric {
    const char *name; /* "kid" */
    const char *help; /* one line */
    const char *ref;  /* "Binkowski et al. 2018, arXiv:1801.01401" */
    unsigned needs;   /* gan_need bits */
    int64_t least;    /* samples of a side that make a figure possible */
    bool lower;       /* less is better */
    gan_status (*run)(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err);
};

/** Metric i of the sorted table, NULL past the end. owns: the library. */
GAN_API const struct gan_metric *gan_metric_at(size_t i);

/** Metric by name. errors: NULL and GAN_E_ARG with "did you mean". owns: the library. */
GAN_API const struct gan_metric *gan_metric_find(const char *name, gan_err *err);

/**
 * Checks the input, then measures.
 *
 * errors: GAN_E_FORMAT (too few samples, features that are not finite, all samples of a side equal),
 *         GAN_E_SHAPE (sides whose sizes differ), GAN_E_ARG (something the metric needs is absent),
 *         GAN_E_UNSUPPORTED (a build without LAPACK), GAN_E_NOMEM
 */
GAN_API gan_status gan_metric_run(const struct gan_metric *m, const struct gan_metric_input *in,
                                  struct gan_metric_result *out, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
