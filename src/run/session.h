/* session.h: a training run in memory: data, networks, state, compiled plans. Nothing in it touches
 * the run directory. */
#ifndef GAN_RUN_SESSION_H
#define GAN_RUN_SESSION_H

#include "generator.h"
#include "recipe.h"

#include <gan/checkpoint.h>

/* Samples of a grid; rows of one, for models that make images from images. */
enum { GAN__GRID_IMAGES = 64, GAN__GRID_ROWS = 8 };

enum { GAN__PHASE_SCALARS = GAN__OPTIM_SCALARS + GAN__MAX_SCALARS };

/* A scalar feed of one segment: "disc.lr". */
struct gan__scalar_name {
    char text[96];
};

/* One segment with what its run needs. */
struct gan__phase {
    const struct gan__segment *segment;
    gan_plan *plan;
    struct gan_scalar_data scalars[GAN__PHASE_SCALARS];
    struct gan__scalar_name names[GAN__PHASE_SCALARS]; /* of the optimisers' */
    size_t n_scalars;
    int counter[GAN__MAX_UPDATES];     /* store entry "count.PHASE" of each update */
    int64_t horizon[GAN__MAX_UPDATES]; /* updates over the whole training, 0: it has no length */
};

struct gan__session {
    struct gan__recipe *recipe; /* borrowed */
    gan_dataset *data;          /* NULL without data */
    uint64_t data_resident;     /* bytes of memory that opening it took */
    struct gan_task *task;      /* in the recipe's options */
    float *mean;                /* task->mean */
    bool resize;                /* --size: images are scaled, not padded */
    gan_store *store;
    struct gan_net_list nets;
    gan_step *step;
    struct gan__phase phase[GAN__MAX_SEGMENTS];
    int n_phases;
    int iteration, images; /* store entries of the counters */
    struct gan__generator generator;
    struct gan_batch show; /* what the rows of grids are made from; points into show_data */
    float *show_data;
    int32_t show_labels[GAN__GRID_IMAGES];
    gan_workspace *workspace;
    size_t workspace_bytes;
    gan_loader *loader;
    const struct gan_batch *fixed; /* benchmarks: every batch, and there is no loader */
    int threads;
    int64_t steps; /* horizon, -1: none (a time limit ends the run) */
    double compile_ms;
    int64_t rollbacks; /* returns to an older checkpoint so far: each takes other random numbers */
    struct gan__bad_value {
        char report[48]; /* "grad_norm.gen": what showed that training diverged */
        char node[200];  /* the first node that is not finite, "" when none was found */
    } bad;
};

/* Opens the data (unless recipe->data is NULL), fits the model, declares networks and counters,
 * builds the iteration. After this the store is complete, all zero. */
gan_status gan__session_build(struct gan__session *s, struct gan__recipe *r, gan_err *err);

/* Weights by seed, then those of --init. */
gan_status gan__session_init_weights(struct gan__session *s, gan_err *err);

/* Compiles all plans. */
gan_status gan__session_compile(struct gan__session *s, gan_err *err);

/* A step of this session on `batch` samples, for looking at the networks: no microbatches. */
struct gan__step_cfg gan__session_step_cfg(const struct gan__session *s, int64_t batch,
                                           gan_mode mode);

/* Makes workspace and loader; positions the loader after the images seen. */
gan_status gan__session_start(struct gan__session *s, gan_err *err);

void gan__session_release(struct gan__session *s);

/* One iteration: every phase as often as it runs. values[] receives the reports, in the order of
 * gan__session_reports, NAN for those of a phase that did not run. GAN_E_DIVERGED when a gradient or a report is not finite: the guards kept
 * the last good weights, the message names the first bad value. */
gan_status gan__session_step(struct gan__session *s, double *values, gan_err *err);

enum { GAN__MAX_VALUES = GAN__MAX_SEGMENTS * GAN__MAX_REPORTS };

/* Names of the reports, guards aside; returns their number. */
int gan__session_reports(const struct gan__session *s, const char *names[GAN__MAX_VALUES]);

/* Configuration of the loader. */
struct gan_loader_cfg gan__session_loader_cfg(const struct gan__session *s);

/* Seed of the random numbers in graphs. The order of the data keeps the recipe's. */
uint64_t gan__session_seed(const struct gan__session *s);

int64_t gan__session_count(const struct gan__session *s, int entry);
void gan__session_set_count(struct gan__session *s, int entry, int64_t value);

/* Threads a recipe means: its own, or all cores. */
int gan__recipe_threads(const struct gan__recipe *r);

/* Weights of one "FILE" or "NET=FILE" into the store. */
gan_status gan__session_init_file(struct gan__session *s, const char *text, gan_err *err);

#endif
