/* neighbour.h: the nearest row of one set to each row of another. */
#ifndef GAN_METRICS_NEIGHBOUR_H
#define GAN_METRICS_NEIGHBOUR_H

#include "cross.h"

#include <stdbool.h>

/* d [n_x]: distance of each row of x to its nearest row of y; `same`: x and y are one set, a row is no
 * neighbour of itself. which [n_x] may be NULL. */
gan_status gan__nearest(const struct gan__cross *c, bool same, double *d, int64_t *which,
                        gan_err *err);

#endif
