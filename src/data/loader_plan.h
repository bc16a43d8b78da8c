/* loader_plan.h: sizes, channels and transforms of a loader, before anything is made. */
#ifndef GAN_DATA_LOADER_PLAN_H
#define GAN_DATA_LOADER_PLAN_H

#include "dataset.h"
#include "transform.h"

enum { GAN__LOADER_THREADS = 16 };

/* Fills in the defaults and holds what is asked for against what the SPEC says. */
gan_status gan__loader_resolve(const struct gan_dataset *ds, const struct gan_loader_cfg *want,
                               struct gan_loader_cfg *cfg, gan_err *err);

/* Pixels that images are scaled too large, before a crop by chance. */
int64_t gan__loader_jitter(const struct gan_dataset *ds, const struct gan_loader_cfg *cfg);

/* The transforms of first and second images, and the floats of scratch the greedier one needs. Both
 * are to be released, also after a failure. */
gan_status gan__loader_transforms(const struct gan_dataset *ds, const struct gan_loader_cfg *cfg,
                                  struct gan__transform t[2], size_t *scratch, gan_err *err);

#endif
