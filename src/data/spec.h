/* spec.h: the text that names a data set: kind[:argument][?option=value[&option=value...]].
 *
 * The argument of a wrapping kind is a SPEC itself. In parentheses it is complete:
 * edges:(folder:DIR?fit=pad)?blur=2. Without them every option that the outer kind and the common
 * table lack is passed on: edges:folder:DIR?fit=pad&blur=2. */
#ifndef GAN_DATA_SPEC_H
#define GAN_DATA_SPEC_H

#include "dataset.h"

/* Options every kind takes. */
struct gan__spec_common {
    int64_t size;     /* 0: not given */
    int64_t channels; /* 0: not given */
    bool flip;
    int64_t jitter;
    int pad; /* 0 background, 1 edge */
    bool balance;
};

struct gan__spec {
    const struct gan_dataset_kind *kind;
    char *argument; /* "" when there is none */
    bool closed;    /* the argument stood in parentheses: nothing is passed on to it */
    struct gan__spec_common common;
    void *opts; /* kind->opts_size bytes, NULL when the kind has no options */
};

/* Reads a SPEC; opens no file. On failure *spec is empty. */
gan_status gan__spec_parse(const char *text, struct gan__spec *spec, gan_err *err);
void gan__spec_release(struct gan__spec *spec);

#endif
