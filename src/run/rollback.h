/* rollback.h: back to an older checkpoint of the run, and on from there another way. */
#ifndef GAN_RUN_ROLLBACK_H
#define GAN_RUN_ROLLBACK_H

#include "session.h"

/* The checkpoint to go back to: the newest that is whole and not after `limit`, and before `last`
 * (where the run went back to the time before; -1: nowhere); the oldest when none is early enough.
 * errors: GAN_E_NOTFOUND (there is no checkpoint at all) and those of reading it */
gan_status gan__rollback_target(const char *dir, int64_t limit, int64_t last, int64_t *step,
                                gan_err *err);

/* Loads the checkpoint of `step`, removes the newer ones, moves the loader to where it was then and
 * counts one more rollback, which changes every random number of the graphs from here on. *memory
 * (freed first) is what the monitor remembered then, or NULL; the caller's. */
gan_status gan__rollback(struct gan__session *s, const char *dir, int64_t step, char **memory,
                         gan_err *err);

#endif
