/* find.h: everything the library has under a name, as lists that list, help and "did you mean"
 * share. */
#ifndef GAN_CLI_FIND_H
#define GAN_CLI_FIND_H

#include <gan/model.h>

#include <stddef.h>

/* One kind of thing: "models" and how to walk through them. */
struct gan__kind {
    const char *name;     /* "models" */
    const char *singular; /* "model" */
    /* Name and one line about entry i; false past the end. */
    bool (*at)(int i, const char **name, const char **line);
};

/* Kinds in the order `gan list` shows them; ends with a NULL name. */
extern const struct gan__kind gan__kinds[];

/* What was probably meant: the nearest name, else the only one that begins with this; or NULL. */
const char *gan__suggest(const char *name, const char *const *names, size_t n);

/* Model by its own name or a preset's. errors: GAN_E_ARG with "did you mean" over both. */
gan_status gan__find_model(const char *name, const struct gan_model **model,
                           const struct gan_preset **preset, gan_err *err);

/* Preset by name, NULL when there is none. */
const struct gan_preset *gan__find_preset(const char *name);

#endif
