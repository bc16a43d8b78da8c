/* step_build.h: a step under construction; private to step*.c. */
#ifndef GAN_MODELS_STEP_BUILD_H
#define GAN_MODELS_STEP_BUILD_H

#include "step.h"

enum { GAN__MAX_SLICES = 16 };

struct gan_step {
    struct gan__step_cfg cfg; /* microbatch filled in */
    bool sampling;
    struct gan__segment segment[GAN__MAX_SEGMENTS];
    int n_segments;
    int open;       /* segment being built, -1: the next call opens one */
    bool in_repeat; /* between the two calls of gan_repeat */
    gan_err err;    /* what failed outside any graph */

    /* inputs of the open segment that are cut into microbatches */
    gan_val slice_of[GAN__MAX_SLICES]; /* the whole feed */
    uint32_t slice[GAN__MAX_SLICES];   /* node of its first part */
    size_t n_slices;

    /* where the open phase began */
    uint32_t phase_node; /* first node of the phase */
    int phase_report;    /* first report of the phase */
    gan_val *start;      /* newest version of each state entry then */
    size_t n_start, cap_start;

    /* gan_unroll: of which phase, and by how many updates after the next */
    char unrolled[48];
    int ahead;

    const char *needs_length; /* what cannot do without a number of steps, or NULL */

    gan_shape latent_shape; /* of the sampling feed */
    bool latent_uniform;
};

/* Remembers where a phase begins: after a segment opens and after each update. */
void gan__phase_begin(gan_step *s);

/* A feed of the whole batch (shape.dim[0] is set), cut to the microbatch. */
gan_val gan__step_input(gan_step *s, const char *name, gan_dtype dtype, gan_shape shape);

/* Network by name (len characters of it); NULL and a sticky error when the model has none. */
const gan_net *gan__step_net(gan_step *s, const char *name, size_t len);

/* Adds the sizes of an update's gradients to the open segment, where they are asked for. */
void gan__keep_gradients(gan_step *s, const char *const *names, const gan_val *grads, int n);

#endif
