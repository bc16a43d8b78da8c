/* config.h: options as a YAML file: config.yaml of a run, and --config. */
#ifndef GAN_RUN_CONFIG_H
#define GAN_RUN_CONFIG_H

#include "recipe.h"

/* A flat YAML mapping of texts; the value of `init` may be a list. */
struct gan__config {
    const char *model; /* NULL when absent */
    const char *data;
    struct gan_setting *set; /* all other keys, in the file's order */
    size_t n_set, cap_set;
    const char **init;
    size_t n_init, cap_init;
    struct gan__arena arena;
};

/* errors: GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (with the line). */
gan_status gan__config_read(struct gan__config *c, const char *path, gan_err *err);
void gan__config_release(struct gan__config *c);

/* Writes the recipe as it stands, with the thread count that is used, by atomic replacement. */
gan_status gan__config_write(const struct gan__recipe *r, int threads, const char *path,
                             gan_err *err);

#endif
