/* train.h: training as `gan train` does it: a run directory with checkpoints, samples and a log.
 *
 *     #include <gan/train.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         struct gan_train_result result;
 *         struct gan_setting set[] = {{"steps", "1000"}, {"batch", "64"}, {"width", "32"}};
 *         struct gan_train_cfg cfg = {
 *             .model = "dcgan", .data = "fashion-mnist", .out = "run", .set = set, .n_set = 3};
 *         gan_train(&cfg, NULL, &result, &err);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * Options are pairs of texts, as on a command line: those of training (gan_train_options) and those
 * of the model (gan_model_find(name)->opts). A pair later in the list wins. */
#ifndef GAN_TRAIN_H
#define GAN_TRAIN_H

#include <gan/model.h>
#include <gan/option.h>
#include <gan/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One option: the name without dashes, and its text. */
struct gan_setting {
    const char *name;
    const char *value;
};

/** What to train. Zero-initialise; texts are borrowed during the call. */
struct gan_train_cfg {
    const char *model;  /* of a model or a preset; NULL: from `config`, or from the run resumed */
    const char *data;   /* SPEC; NULL: from `config`, or from the run resumed */
    const char *out;    /* run directory to make; NULL: "runs/MODEL-1" or the next free number */
    const char *resume; /* run directory to continue; only length, threads, logging may change */
    const char *config; /* YAML file with `model`, `data` and options; weaker than `set` */
    const char *const *init; /* "FILE" or "NET=FILE": weights to start from */
    size_t n_init;
    const struct gan_setting *set;
    size_t n_set;
};

/** What a caller may watch. `values[i]` belongs to `names[i]`: "loss.disc", "loss.gen", ... */
struct gan_train_progress {
    int64_t step;        /* iterations done */
    int64_t stop;        /* the iteration this call ends at, 0 when time ends it */
    double time_s;       /* of training, compilation excluded */
    double limit_s;      /* of --time, 0 when there is none */
    double steps_per_s;  /* iterations, over the last seconds */
    double images_per_s; /* real images read; those of every update of a critic count */
    const char *const *names;
    const double *values;
    int n;
};

/** What is known before the first step. */
struct gan_train_start {
    const char *dir;   /* run directory */
    const char *model; /* its name */
    const char *data;  /* SPEC */
    int64_t height, width, channels, batch;
    int64_t step; /* iterations done so far: 0, or that of the checkpoint resumed */
    int threads;
    int64_t params; /* of all networks */
    double compile_ms;
};

/** What the monitor watches for, as bits of gan_train_result.alarms. */
typedef enum gan_alarm_kind {
    GAN_ALARM_COLLAPSE = 1,  /* "mode-collapse": the fakes resemble each other */
    GAN_ALARM_WON = 2,       /* "discriminator-won": perfect scores, and nothing left for G */
    GAN_ALARM_VANISHING = 4, /* "vanishing-gradient": a layer hardly learns */
    GAN_ALARM_EXPLODING = 8, /* "exploding-gradient": a layer's gradient shoots up */
    GAN_ALARM_NAN = 16       /* "not-finite": a loss or gradient is no number */
} gan_alarm_kind;

/** One figure an alarm rests on. */
struct gan_evidence {
    const char *name;
    double value;
};

/** An alarm that starts, or one that is over. Texts and figures are valid during the call. */
struct gan_train_alarm {
    gan_alarm_kind kind;
    const char *name;   /* "mode-collapse" */
    bool over;          /* it stands no more */
    int64_t step;       /* iterations done */
    int64_t since;      /* the iteration that looked wrong first */
    const char *where;  /* layer or node, "" when it is about the whole */
    const char *remedy; /* one line */
    const struct gan_evidence *evidence;
    int n_evidence;
    int64_t back_to; /* iteration the run returns to; -1: it does not */
};

/** Name of a kind of alarm, such as "mode-collapse"; NULL when `kind` is no single bit of them. */
GAN_API const char *gan_alarm_name(gan_alarm_kind kind);

/** Functions called from the training thread; each may be NULL. */
struct gan_train_watch {
    void *ctx;
    void (*started)(void *ctx, const struct gan_train_start *start);
    void (*progress)(void *ctx, const struct gan_train_progress *p); /* after every step */
    /* Asked between steps: true ends the run after a checkpoint with GAN_E_INTERRUPTED. */
    bool (*should_stop)(void *ctx);
    void (*alarm)(void *ctx, const struct gan_train_alarm *alarm); /* once when it starts, ends */
};

#define GAN_PATH_TEXT_MAX 4096

/** What a run left. Filled as far as it came, also on failure. */
struct gan_train_result {
    char dir[GAN_PATH_TEXT_MAX];        /* run directory */
    char checkpoint[GAN_PATH_TEXT_MAX]; /* newest, "" when none was written */
    char samples[GAN_PATH_TEXT_MAX];    /* newest sample grid, "" when none was written */
    int64_t step;                       /* iterations done, over all sessions */
    int64_t images;                     /* images seen, over all sessions */
    double time_s;                      /* of training, over all sessions */
    double images_per_s;                /* of this session */
    uint32_t alarms;                    /* gan_alarm_kind bits that stand at the end */
    int64_t alarms_raised;              /* alarms of this session */
    int64_t skipped;                    /* broken image files that were left out */
    int64_t rollbacks;                  /* returns to a checkpoint, over all sessions */
};

/** Table of the options of training (steps, batch, seed, ...), for help; offsets are private. */
GAN_API const struct gan_opt *gan_train_options(void);

/** Preset i of the sorted table, NULL past the end. */
GAN_API const struct gan_preset *gan_preset_at(int i);

/**
 * Trains, or continues a run.
 *
 * in:     watch   may be NULL
 * out:    result  may be NULL
 * errors: GAN_E_ARG, GAN_E_RANGE (wrong without opening any file); GAN_E_IO, GAN_E_FORMAT,
 *         GAN_E_NOTFOUND (files; the last checkpoint and the log stay readable); GAN_E_SHAPE (a size
 *         the model cannot take); GAN_E_DIVERGED (a checkpoint of the last good state is there; or
 *         an alarm that --on-alarm stop or rollback ends the run for, after a checkpoint);
 *         GAN_E_INTERRUPTED (should_stop; a checkpoint is there); GAN_E_NOMEM
 */
GAN_API gan_status gan_train(const struct gan_train_cfg *cfg, const struct gan_train_watch *watch,
                             struct gan_train_result *result, gan_err *err);

/** Packed copies of weights that a cost lists; there may be more. */
#define GAN_COST_COPIES 256

/** Cost of a run, known before it starts. */
struct gan_train_cost {
    const char *model; /* its name */
    int64_t height, width, channels, batch;
    int64_t images; /* of the data set, INT64_MAX when endless */
    struct {
        char name[48];
        int64_t params;
    } net[8];
    int n_nets;
    double flops;       /* of one iteration */
    double heavy_flops; /* of its convolutions and matrix products */
    double bytes;       /* read and written by one iteration */
    int64_t kernels;    /* run by one iteration */
    double compile_ms;  /* of all plans */
    double step_ms;     /* predicted time of one iteration on this machine */
    /* The same without --recompute; equal to the figures above when nothing is computed again. */
    double kept_flops;
    uint64_t kept_workspace_bytes;
    /* Peak resident memory of the process, and its parts. */
    uint64_t peak_bytes;
    uint64_t base_bytes;       /* program and libraries before anything is built */
    uint64_t store_bytes;      /* weights, moments, statistics */
    uint64_t workspace_bytes;  /* shared by all plans */
    uint64_t constant_bytes;   /* of the plans: outputs, constants */
    uint64_t loader_bytes;     /* batches in the making */
    uint64_t data_bytes;       /* of the data set, mapped and touched */
    uint64_t sampling_bytes;   /* sample grids and the monitor's samples */
    uint64_t checkpoint_bytes; /* size of one checkpoint file */
    /* Packed copies of weights of an iteration's graphs; they lie in the workspace. */
    struct {
        char scope[48];
        gan_shape shape; /* of the weights */
        uint64_t bytes;
        int64_t uses; /* steps that read it; the first makes it */
    } copy[GAN_COST_COPIES];
    int n_copies; /* of them listed */
};

/**
 * Predicts what gan_train would cost; trains nothing and writes nothing.
 *
 * errors: those of gan_train about options, data and models
 */
GAN_API gan_status gan_train_plan(const struct gan_train_cfg *cfg, struct gan_train_cost *cost,
                                  gan_err *err);

/**
 * The graph of an iteration as text. cfg->data may be NULL: then size and channels come from the
 * settings, 64 and 3 when absent. An iteration with repeated phases has several segments.
 *
 * in:     segment   0, 1, ...
 *         compiled  the plan's kernels instead of the graph's nodes
 * out:    text      owned by the caller, gan_text_free; NULL on failure
 *         segments  their number; may be NULL
 * errors: those of gan_train_plan; GAN_E_RANGE (segment)
 */
GAN_API gan_status gan_train_graph(const struct gan_train_cfg *cfg, int segment, bool compiled,
                                   gan_dump_form form, char **text, int *segments, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
