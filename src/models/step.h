/* step.h: an iteration as the runner sees it: segments, each one graph run some number of times,
 * with what feeds it and what it reports. */
#ifndef GAN_MODELS_STEP_H
#define GAN_MODELS_STEP_H

#include <gan/model.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GAN__MAX_SEGMENTS = 8,
    GAN__MAX_REPORTS = 32,
    GAN__MAX_UPDATES = 8,
    GAN__MAX_SCALARS = 16,
    GAN__MAX_AHEAD = 20, /* unrolled updates */
    GAN__OPTIM_SCALARS = (GAN__MAX_UPDATES + GAN__MAX_AHEAD) * GAN_OPTIM_MAX_SCALARS
};

/* A scalar reported by name, or a flag of the guard (name "ok.PHASE"). */
struct gan__report {
    char name[48];
    gan_val val;
};

/* One optimiser update of a segment: its scalar feeds are named by gan_optim_feed_name; the counter
 * entry "count.PHASE" (i64 [], GAN_STATE_COUNTER) is kept by the runner. */
struct gan__update_info {
    char phase[48];
    const struct gan_optim *optim;
    int again; /* more updates by this optimiser in the same run */
    int ahead; /* updates after this one whose scalars the graph reads too */
};

/* A number the runner computes before each run. */
struct gan__scalar_info {
    char name[48];
    gan_val val;
    double (*value)(const void *arg, const struct gan_moment *m);
    const void *arg;
};

/* How large the gradient of one weight was: the sum of its squares, []. */
struct gan__gradient {
    const char *weight; /* "gen.main.0.weight"; the network's */
    gan_val squares;
};

/* One graph of the iteration. */
struct gan__segment {
    gan_graph *graph;
    struct gan_runs runs;
    bool repeated;
    uint32_t fields; /* gan_field bits it takes from a batch */
    struct gan__report report[GAN__MAX_REPORTS];
    int n_reports;
    struct gan__update_info update[GAN__MAX_UPDATES];
    int n_updates;
    struct gan__scalar_info scalar[GAN__MAX_SCALARS];
    int n_scalars;
    const struct gan__gradient
        *gradient; /* with gan__step_cfg.gradients; a weight may come twice */
    int n_gradients;
};

/* What kind of graph a step builds. */
struct gan__step_cfg {
    const struct gan_model *model;
    const void *opts; /* fitted */
    gan_store *store;
    const struct gan_net_list *nets;
    gan_dtype real;
    int64_t batch;
    int64_t microbatch;  /* divides batch; 0: batch */
    gan_mode mode;       /* GAN_TRAIN for an iteration; sampling: GAN_EVAL or GAN_BATCH_STATS */
    bool gradients;      /* keep the size of every weight's gradient, for the monitor */
    bool external_noise; /* latents and other random inputs become feeds of their stream's name */
};

/* Builds the training iteration. owns: the caller, gan__step_free. NULL on failure. */
gan_step *gan__step_build(const struct gan__step_cfg *cfg, gan_err *err);

/* Builds the sampling graph: one segment, feed "z" or those of a batch; *images is its value. With
 * `show`, what the model shows of training instead, where it says so. */
gan_step *gan__step_build_sample(const struct gan__step_cfg *cfg, bool show, gan_val *images,
                                 gan_err *err);

/* Builds a translation: one segment, feed "image" [batch,height,width,channels]; *images is what
 * becomes of it. */
gan_step *gan__step_build_translation(const struct gan__step_cfg *cfg, bool back,
                                      const int64_t size[2], gan_val *images, gan_err *err);

/* Builds the model's landscape: one segment, feed "points" [batch,H,W,C], "z", those of a batch. */
gan_step *gan__step_build_landscape(const struct gan__step_cfg *cfg, struct gan_landscape *out,
                                    gan_err *err);

void gan__step_free(gan_step *s);

int gan__step_segments(const gan_step *s);
const struct gan__segment *gan__step_segment(const gan_step *s, int i);

/* Shape [N,z] of the latent feed of a sampling step; rank -1 when it takes none. */
gan_shape gan__step_latent_shape(const gan_step *s);

/* True when its latents are uniform on +-sqrt 3 instead of normal. */
bool gan__step_latent_uniform(const gan_step *s);

/* What needs a run of known length, NULL: nothing. */
const char *gan__step_needs_length(const gan_step *s);

/* Runs of a segment in iteration i, from 0. */
int64_t gan__runs_at(const struct gan_runs *r, int64_t iteration);

#endif
