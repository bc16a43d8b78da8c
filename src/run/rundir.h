/* rundir.h: names and files of a run directory.
 *
 *     config.yaml   log.jsonl   samples/step-00001000.png
 *     checkpoints/step-00001000.safetensors */
#ifndef GAN_RUN_RUNDIR_H
#define GAN_RUN_RUNDIR_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Refuses a directory with something in it; a missing one is fine. */
gan_status gan__rundir_check_new(const char *dir, gan_err *err);

/* "runs/MODEL-1", or the first number that is free. */
gan_status gan__rundir_default(char *dst, size_t cap, const char *model, gan_err *err);

/* Makes the directory and those in it. */
gan_status gan__rundir_make(const char *dir, gan_err *err);

/* DIR/NAME */
gan_status gan__rundir_file(char *dst, size_t cap, const char *dir, const char *name, gan_err *err);

/* DIR/checkpoints/step-%08d.safetensors and DIR/samples/step-%08d.EXT */
gan_status gan__rundir_checkpoint(char *dst, size_t cap, const char *dir, int64_t step,
                                  gan_err *err);
gan_status gan__rundir_sample(char *dst, size_t cap, const char *dir, int64_t step, const char *ext,
                              gan_err *err);

/* Steps of the checkpoints there, ascending; free with gan__free. */
gan_status gan__rundir_steps(const char *dir, int64_t **steps, size_t *count, gan_err *err);

/* Path of the newest checkpoint; GAN_E_NOTFOUND when there is none. */
gan_status gan__rundir_newest(const char *dir, char *dst, size_t cap, gan_err *err);

/* Removes all but the newest `keep` checkpoints. */
gan_status gan__rundir_prune(const char *dir, int64_t keep, gan_err *err);

#endif
