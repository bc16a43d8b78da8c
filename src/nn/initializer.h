/* initializer.h: what an initialiser is: one entry with its numbers and the function that fills. */
#ifndef GAN_NN_INITIALIZER_H
#define GAN_NN_INITIALIZER_H

#include "base/args.h"
#include "base/philox.h"
#include <gan/nn.h>

struct gan__init_call {
    const double *arg;
    const struct gan_param *param;
    struct gan__rng *rng;
    const gan_tensor *out; /* to fill, in row-major order, one draw an element */
};

struct gan_initializer {
    const char *name;
    const char *doc; /* one line */
    const char *ref;
    bool scheme; /* knows every role; others serve weights, and what a layer asks them to */
    struct gan__arg args[GAN_INIT_ARGS + 1];
    gan_status (*fill)(const struct gan__init_call *c, gan_err *err);
};

#define GAN_INIT(NAME) const struct gan_initializer gan__init_##NAME

extern const struct gan_initializer *const gan__inits[]; /* generated, NULL at the end */

/* Fills one parameter: its layer's initialiser if it names one, else the network's, else what its
 * role starts with. */
gan_status gan__init_param(const struct gan_param *p, const struct gan_init *own,
                           const struct gan_init *network, uint64_t seed, const gan_tensor *out,
                           gan_err *err);

#endif
