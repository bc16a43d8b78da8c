/* recipe.h: what to train, resolved from texts: model, options of training, options of the model. */
#ifndef GAN_RUN_RECIPE_H
#define GAN_RUN_RECIPE_H

#include "base/arena.h"

#include <gan/train.h>

/* Places in the choices of --precision. */
enum gan__precision { GAN__PRECISION_F32, GAN__PRECISION_BF16, GAN__PRECISION_AUTO };

/* Places in the choices of --on-alarm. */
enum gan__on_alarm { GAN__ALARM_WARN, GAN__ALARM_STOP, GAN__ALARM_ROLLBACK };

/* Options of training. -1 or 0 stand for "not given" as the table's help says. */
struct gan__run_opts {
    int64_t steps, epochs, stop_at;
    double time_s;
    int64_t batch, microbatch;
    int64_t size, channels;
    int64_t seed;
    int64_t threads;
    bool exact;
    int precision; /* enum gan__precision; never auto once a session is built */
    int recompute; /* enum gan_recompute */
    int64_t checkpoint_every, keep, sample_every, log_every;
    int64_t monitor_every; /* 0: no monitor */
    int on_alarm;          /* enum gan__on_alarm */
    int64_t max_rollbacks;
    int64_t eval_every; /* 0: no metrics */
    int64_t eval_n;
    char metrics[GAN_OPT_TEXT_MAX];
    char eval_features[GAN_OPT_TEXT_MAX];
};

struct gan__recipe {
    const struct gan_model *model;
    const char *data; /* SPEC; NULL when none was given */
    struct gan__run_opts run;
    void *opts;        /* of the model: model->size bytes, begins with struct gan_task */
    const char **text; /* by index in model->opts: what a parsed option was set to */
    const char **init; /* "FILE" or "NET=FILE" */
    size_t n_init, cap_init;
    struct gan__arena arena;
};

/* Defaults of the model or preset of this name; nothing else is set. */
gan_status gan__recipe_init(struct gan__recipe *r, const char *model, gan_err *err);
void gan__recipe_release(struct gan__recipe *r);

/* Sets one option, of training or of the model. */
gan_status gan__recipe_set(struct gan__recipe *r, const char *name, const char *value,
                           gan_err *err);
gan_status gan__recipe_set_data(struct gan__recipe *r, const char *spec, gan_err *err);
gan_status gan__recipe_add_init(struct gan__recipe *r, const char *text, gan_err *err);

/* Checks what one option cannot see alone (microbatch divides batch, and the like). */
gan_status gan__recipe_check(const struct gan__recipe *r, gan_err *err);

/* Name for gan_plan_opts.precision and the metadata. */
const char *gan__recipe_precision(const struct gan__recipe *r);

/* Text of option i of the model as it stands now. */
gan_status gan__recipe_model_text(const struct gan__recipe *r, int i, char *dst, size_t cap,
                                  gan_err *err);

/* May this option of training differ when a run is resumed? */
bool gan__recipe_may_change(const char *name);

/* Preset or NULL. */
const struct gan_preset *gan__preset_find(const char *name);

#endif
