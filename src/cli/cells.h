/* cells.h: an experiment of many trainings. Each cell is a `gan train` of its own, a process with its
 * own threads; as many run side by side as were asked for. A cell that ended well leaves "NAME.done"
 * in the experiment's directory; a second call skips it and resumes what was interrupted. */
#ifndef GAN_CLI_CELLS_H
#define GAN_CLI_CELLS_H

#include <gan/train.h>

enum { GAN__CELL_SETTINGS = 32, GAN__CELL_NAME = 96 };

/* One training. Texts of model, data and settings are borrowed. */
struct gan__cell {
    char name[GAN__CELL_NAME]; /* also of its run directory */
    const char *model, *data;
    struct gan_setting set[GAN__CELL_SETTINGS];
    size_t n_set;
    char seed[24];  /* text of the setting "seed" */
    double limit_s; /* of the setting "time", 0: none */

    /* filled by gan__cells_run */
    bool done, failed;
    int exit_code; /* of a cell that failed */
    int64_t pid;   /* while it runs */
    double started_s, took_s;
};

struct gan__cells {
    const char *dir; /* of the experiment */
    struct gan__cell *cell;
    int n;
    int jobs, threads; /* trainings side by side; threads of each */
};

/* Adds a setting to a cell. */
void gan__cell_set(struct gan__cell *c, const char *name, const char *value);

/* Path of something of a cell: "DIR/NAME" + suffix. errors: GAN_E_RANGE. */
gan_status gan__cell_path(const struct gan__cells *e, const struct gan__cell *c, const char *suffix,
                          char *dst, size_t cap, gan_err *err);

/* Jobs and threads where 0 was asked for: one thread a cell, all cores. */
void gan__cells_fill(struct gan__cells *e, int64_t jobs, int64_t threads);

/* Says on stderr how long what is left will take, from some iterations of each kind of cell. */
gan_status gan__cells_predict(struct gan__cells *e, gan_err *err);

/* Runs what is not done. A cell that fails is marked and the others go on. errors: GAN_E_INTERRUPTED
 * (every cell wrote its checkpoint; the same command goes on), GAN_E_IO. */
gan_status gan__cells_run(struct gan__cells *e, gan_err *err);

#endif
