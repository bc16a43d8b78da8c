/* evaluate.h: how good, how diverse, how sure: anything compared with anything.
 *
 *     gan_evaluation *e = NULL;
 *     struct gan_eval_cfg cfg = {.what = "runs/dcgan-1", .data = "fashion-mnist?split=test",
 *                                .metrics = "fid,kid,prdc", .features = "pixels:16"};
 *     if (gan_evaluate(&cfg, &e, &err) == GAN_OK) {
 *         const struct gan_eval_report *r = gan_evaluation_report(e);
 *         printf("fid %g\n", r->result[0].value[0].value);
 *     }
 *     gan_evaluation_free(e);
 *
 * A side is a run directory, a checkpoint, a SPEC of a data set, a folder of images, a .npy (features
 * of two dimensions, images of four) or a .npz (features, or FID statistics `mu` and `sigma`). */
#ifndef GAN_EVALUATE_H
#define GAN_EVALUATE_H

#include <gan/metric.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to compare. Zero-initialise; texts are borrowed during the call. */
struct gan_eval_cfg {
    const char *what;     /* the fakes */
    const char *data;     /* the reals; NULL when every metric does without */
    const char *held;     /* reals for the null of memorisation; NULL: none */
    const char *metrics;  /* "fid,kid,prdc" */
    const char *features; /* "pixels:16"; NULL: gan_eval_features's choice */
    int64_t n;            /* samples of each side [10000]; data sets may have fewer */
    uint64_t seed;        /* of latents, subsets, bootstraps [0] */
    int threads;          /* 0: as many as processors */
    int bootstrap;        /* replicates [1000]; -1: no intervals */
    bool skip_broken;     /* image files that cannot be read are left out */
    bool no_cache;        /* features of data sets are neither read from the cache nor kept there */
};

/** One side as it was measured. */
struct gan_eval_side {
    char text[512]; /* as it was given */
    char kind[16];  /* "run", "data", "images", "features", "statistics" */
    int64_t n;      /* samples; 0: statistics of an unknown number */
    int64_t height, width, channels;
    char split[64];  /* of a data set: "train", "test", "" when it has none */
    char resize[96]; /* how it came to this size: "none", "padded from 28x28" */
    char codec[64];  /* how pixels were stored: "8 bits, from [-1,1]" */
    char hash[64];   /* of the weights of a run; "" */
    int64_t step;    /* iterations of a run */
    bool cached;     /* features came from the cache */
};

/** Room in a report. */
enum { GAN_EVAL_METRICS = 32, GAN_EVAL_WARNINGS = 8 };

/** The whole protocol and every figure. Texts live as long as the evaluation. */
struct gan_eval_report {
    struct gan_eval_side real, fake;
    bool has_real;
    const char *features; /* name, "" without */
    const char *layer;    /* of it */
    const char *hash;     /* of it */
    const char *filter;   /* by which both sides come to the network's size */
    int64_t n_features;
    uint64_t seed;
    const struct gan_metric *metric[GAN_EVAL_METRICS];
    struct gan_metric_result result[GAN_EVAL_METRICS];
    int n; /* metrics */
    char warning[GAN_EVAL_WARNINGS][240];
    int n_warnings;
    double time_s;
};

/** An evaluation that was made. */
typedef struct gan_evaluation gan_evaluation;

/**
 * Measures.
 *
 * out:    NULL on failure: no figure is given when one cannot be had
 * owns:   the caller frees it with gan_evaluation_free
 * errors: GAN_E_ARG (unknown metric, features, SPEC; a metric that needs what the sides have not);
 *         GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (files; too few samples; constant or non-finite
 *         features), GAN_E_SHAPE (sides that cannot be compared), GAN_E_UNSUPPORTED, GAN_E_NOMEM
 */
GAN_API gan_status gan_evaluate(const struct gan_eval_cfg *cfg, gan_evaluation **out, gan_err *err);

/** What was found. owns: the evaluation. */
GAN_API const struct gan_eval_report *gan_evaluation_report(const gan_evaluation *e);

/** Frees it; NULL is fine. */
GAN_API void gan_evaluation_free(gan_evaluation *e);

/**
 * Checks what can be checked without opening a file: names of metrics and features.
 *
 * errors: GAN_E_ARG
 */
GAN_API gan_status gan_eval_check(const struct gan_eval_cfg *cfg, gan_err *err);

/** Features that are used when none are named: "pixels:16". */
GAN_API const char *gan_eval_features(void);

#ifdef __cplusplus
}
#endif
#endif
