/* bench.h: what the measurements share: a training session with data that cost nothing, and times.
 */
#ifndef GAN_RUN_BENCH_H
#define GAN_RUN_BENCH_H

#include "session.h"

#include <gan/bench.h>

/* A session that can iterate. Zero-initialise. */
struct gan__bench {
    struct gan__recipe recipe;
    struct gan__session session;
    struct gan_batch batch; /* when there is no data set */
    float *images;
    int32_t *labels;
    int64_t iters, warm_up;
    double values[GAN__MAX_VALUES];
};

/* Recipe, session, weights, plans, and a loader or a batch of random pixels. */
gan_status gan__bench_open(struct gan__bench *b, const struct gan_train_cfg *what,
                           const struct gan_bench_how *how, gan_err *err);
void gan__bench_close(struct gan__bench *b);

/* One iteration; *ms receives its time. */
gan_status gan__bench_iterate(struct gan__bench *b, double *ms, gan_err *err);

/* Median and spread; sorts ms. */
struct gan_bench_time gan__bench_time(double *ms, int64_t n);
double gan__bench_median(double *v, int64_t n);

/* Runs of phase i in an iteration, once the first iterations are over. */
double gan__bench_runs(const struct gan__bench *b, int i);

#endif
