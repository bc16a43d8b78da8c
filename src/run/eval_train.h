/* eval_train.h: metrics while training: every so many iterations the generator's samples are held
 * against the data, and the best state by KID is kept. Nothing of the training changes. */
#ifndef GAN_RUN_EVAL_TRAIN_H
#define GAN_RUN_EVAL_TRAIN_H

#include "eval_side.h"
#include "meta.h"
#include "runlog.h"
#include "session.h"

enum { GAN__EVAL_IN_TRAINING = 8 };

struct gan__evaluator {
    int64_t every; /* 0: off */
    int64_t n;
    int threads;
    const struct gan_metric *metric[GAN__EVAL_IN_TRAINING];
    struct gan_metric_result last[GAN__EVAL_IN_TRAINING];
    int n_metrics;
    bool measured; /* `last` holds figures of the newest look */
    unsigned needs;
    gan_features *network;
    struct gan__eval_arrays real, fake;
    char mixture[64];  /* of toy data, "" */
    int kid;           /* its place in metric[] */
    int64_t best_step; /* -1: there is none */
    struct gan_metric_value best;
    uint8_t *bytes; /* a batch of samples */
};

/* Names of metrics as they are joined by commas; kid is added where it is missing. */
gan_status gan__evaluator_check(const char *metrics, const char *features, int64_t n, gan_err *err);

/* Collects the reals (recipe->run.eval_every > 0); after gan__session_start. */
gan_status gan__evaluator_start(struct gan__evaluator *e, struct gan__session *s, gan_err *err);
void gan__evaluator_release(struct gan__evaluator *e);

/* What is best so far, from DIR/best.safetensors, when a run is resumed. */
gan_status gan__evaluator_remember(struct gan__evaluator *e, const char *dir, gan_err *err);

/* Measures; true in *better: this state is the best one so far. Says so, and whether the difference
 * means anything. Samples that are not finite or all alike are told and not measured: no error. */
gan_status gan__evaluator_run(struct gan__evaluator *e, struct gan__session *s, bool *better,
                              gan_err *err);

/* A line of its own, of what was measured: {"step":..,"time_s":..,"eval.fid":..,"eval.fid.low":..,...}. */
gan_status gan__evaluator_log(const struct gan__evaluator *e, struct gan__runlog *l, int64_t step,
                              double time_s, gan_err *err);

/* What best.safetensors says beside a checkpoint's own texts. */
gan_status gan__evaluator_meta(const struct gan__evaluator *e, struct gan__meta *meta,
                               gan_err *err);

#endif
