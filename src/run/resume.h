/* resume.h: a run directory back into a recipe and a checkpoint. */
#ifndef GAN_RUN_RESUME_H
#define GAN_RUN_RESUME_H

#include "recipe.h"

#include <gan/checkpoint.h>

/* Newest checkpoint of a run directory that is whole; damaged newer ones are named in warnings. */
gan_status gan__open_newest(const char *dir, gan_checkpoint **out, gan_err *err);

/* Recipe of config.yaml in cfg->resume, with what cfg may change. */
gan_status gan__resume_recipe(const struct gan_train_cfg *cfg, struct gan__recipe *r, gan_err *err);

/* Recipe of a new run: defaults, preset, --config, the caller's settings. */
gan_status gan__new_recipe(const struct gan_train_cfg *cfg, struct gan__recipe *r, gan_err *err);

#endif
