/* train_line.h: the part of a command line that names a training run, shared by train, plan and
 * graph. */
#ifndef GAN_CLI_TRAIN_LINE_H
#define GAN_CLI_TRAIN_LINE_H

#include "cmdline.h"

#include <gan/train.h>

enum { GAN__MAX_INIT = 16 };

/* Options that are no settings of the run but say where things are. */
struct gan__train_places {
    const char *data, *out, *resume, *config;
    struct gan__init_list {
        const char *item[GAN__MAX_INIT];
        size_t n;
    } init;
};

/* Adds a text to a struct gan__init_list. errors: GAN_E_RANGE when it is full. */
gan_status gan__init_option(const char *text, void *field, gan_err *err);

#define GAN__OPT_DATA(S, F)                                                                        \
    GAN_OPT_PARSED(S, F, "data", "", gan__path_option,                                             \
                   "SPEC of the data set to train on, see gan list data")
#define GAN__OPT_CONFIG(S, F)                                                                      \
    GAN_OPT_PARSED(S, F, "config", "", gan__path_option,                                           \
                   "YAML file with model, data and options; the command line is stronger")

/* SPEC of the line, or the preset's own where no file names one; NULL: none. */
const char *gan__train_data(const struct gan__cmdline *a, const struct gan__train_places *p);

/* What the library is asked for. Texts are borrowed from the line. */
struct gan_train_cfg gan__train_cfg(const struct gan__cmdline *a,
                                    const struct gan__train_places *p);

/* The first run directory "runs/MODEL-DATA-1", "-2", ... that is free. */
gan_status gan__free_run_dir(char *dst, size_t cap, const char *model, const char *data,
                             gan_err *err);

#endif
