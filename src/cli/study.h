/* study.h: what the experiments of many trainings (gan bench modes, robustness, curve) share: cells
 * from tables and the command line, distance of samples to data, the log of a run read back. */
#ifndef GAN_CLI_STUDY_H
#define GAN_CLI_STUDY_H

#include "bench_entry.h"
#include "cells.h"

#include <gan/data.h>
#include <gan/plot.h>
#include <gan/sample.h>

/* Whether --cells asks for a training of that name. */
bool gan__study_wants(const struct gan__bench_opts *o, const char *name);

/* Adds settings up to the first without a name, `most` of them at most. */
void gan__study_settings(struct gan__cell *c, const struct gan_setting *set, size_t most);

/* Adds the settings of the command line: the last win. Reads the cell's limit of time. */
gan_status gan__study_line(struct gan__cell *c, const struct gan__cmdline *a, gan_err *err);

/* Says how long it takes, and trains what is not done. errors: GAN_E_ARG (no cells), those of
 * gan__cells_run */
gan_status gan__study_run(struct gan__cells *e, const struct gan__bench_opts *o, gan_err *err);

/* Writes a figure to DIR/NAME, says so and frees it. A build that cannot draw says that instead. */
gan_status gan__study_figure(gan_figure *f, const char *dir, const char *name, gan_err *err);

/* --- samples against data ----------------------------------------------------------------------- */

enum { GAN__STUDY_IMAGES = 1000 };

/* Images of the data, as a model wants them, and what is measured against them. */
struct gan__study_data {
    float *real, *fake; /* [GAN__STUDY_IMAGES, size] */
    int64_t size;       /* numbers in an image */
    int64_t height, width, channels;
    gan_range range;
    bool resize; /* scaled to this size, as in training */
};

/* Images for a model that makes what `s` makes. owns: the caller, gan__study_data_release. */
gan_status gan__study_data_open(struct gan__study_data *d, const char *spec, const gan_sampler *s,
                                gan_err *err);
void gan__study_data_release(struct gan__study_data *d);

/* Sliced Wasserstein distance of a generator's samples, which are left in d->fake, to the data.
 * in: path a run directory or a checkpoint; d  zero-initialised or of a call before, opened here */
gan_status gan__study_distance(struct gan__study_data *d, const char *spec, const char *path,
                               double *distance, gan_err *err);

/* The same between the images and the next ones of the data: no generator comes nearer. */
gan_status gan__study_floor(const struct gan__study_data *d, const char *spec, double *distance,
                            gan_err *err);

/* --- samples to look at --------------------------------------------------------------------------- */

/* Images side by side, white lines between them. */
struct gan__study_tiles {
    uint8_t *pixels; /* freed by the caller */
    size_t height, width, channels;
};

/* How many, and of what. */
struct gan__study_grid {
    int64_t rows, columns;
    int64_t height, width, channels; /* of an image */
    gan_range range;
};

/* Lays the first rows * columns images out. errors: GAN_E_NOMEM. */
gan_status gan__study_tile(struct gan__study_tiles *t, const float *images,
                           const struct gan__study_grid *g, gan_err *err);

/* --- the log of a run ----------------------------------------------------------------------------- */

struct gan__study_log {
    char *text;       /* the file */
    const char *line; /* the line at hand, NULL before the first */
    const char *next;
};

gan_status gan__study_log_open(struct gan__study_log *l, const char *dir, gan_err *err);
void gan__study_log_close(struct gan__study_log *l);

/* To the next line; false past the last. */
bool gan__study_log_next(struct gan__study_log *l);

/* A number of the line; NAN where the line lacks it or says null. */
double gan__study_log_number(const struct gan__study_log *l, const char *name);

/* Steps and seconds of a training, by its log. */
gan_status gan__study_length(const char *dir, double *steps, double *seconds, gan_err *err);

/* A text of the line without escapes; "" where the line lacks it. */
void gan__study_log_text(const struct gan__study_log *l, const char *name, char *dst, size_t cap);

/* Names of the alarms that stand at the end of a run's log, with commas between; "" for none. */
gan_status gan__study_alarms(const char *dir, char *dst, size_t cap, gan_err *err);

#endif
