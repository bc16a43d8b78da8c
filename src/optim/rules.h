/* rules.h: what an update rule is: one entry with its numbers, its scalar feeds and the nodes of
 * one parameter's update. */
#ifndef GAN_OPTIM_RULES_H
#define GAN_OPTIM_RULES_H

#include "base/args.h"
#include <gan/optim.h>

#define GAN_OPTIM_MAX_SLOTS 2

/* A number that changes over the run, and 1 minus it; GAN_NONE: it stands still. */
struct gan__moving {
    gan_val value, rest;
};

/* One parameter's update: the rule reads p, grad, slot[], scalar[] and replaces p and slot[]. */
struct gan__rule_call {
    gan_graph *g;
    const double *arg;
    const gan_val *scalar;
    const struct gan__moving *moving; /* by argument */
    gan_val grad;
    gan_val p;
    gan_val slot[GAN_OPTIM_MAX_SLOTS];
    bool through; /* derivatives will be taken through this update */
};

struct gan_optimizer {
    const char *name;
    const char *doc; /* one line */
    const char *ref;
    struct gan__arg args[GAN_OPTIM_ARGS + 1]; /* the first is the learning rate */
    const char *scalars[GAN_OPTIM_MAX_SCALARS + 1];
    /* Arguments that may change over the run: names of the scalars that hold one and 1 minus it. */
    const char *moving[GAN_OPTIM_ARGS][2];
    /* Values of the scalars for update t from 1; lr has the schedule in it. */
    void (*values)(const double *arg, double lr, int64_t t, double *values);
    double (*decay)(const double *arg, int64_t t); /* the rule's own learning rate; NULL: arg[0] */
    int (*slots)(const double *arg, const char *const **names); /* how many; names them */
    double (*initial)(const double *arg, int slot);             /* NULL: slots start at 0 */
    int64_t
        width; /* numbers of a slot per number of the parameter: slots [count,width]; 0: like it */
    const char *network; /* whose weights the rule reads; NULL: none */
    void (*update)(struct gan__rule_call *c);
};

#define GAN_OPTIM(NAME) const struct gan_optimizer gan__optim_##NAME

extern const struct gan_optimizer *const gan__optims[]; /* generated, sorted, NULL at the end */

/* Where the numbers of an optimiser text stand. */
enum { GAN__LR = 0 };

/* values[0] = lr: rules whose only scalar is the learning rate. */
void gan__rule_lr(const double *arg, double lr, int64_t t, double *values);

/* sqrt(v); where derivatives go through the update, zero for v below 1e-36 (a gradient that is
 * exactly zero, of a dead unit), where the root's own would be infinite. */
gan_val gan__rule_root(const struct gan__rule_call *c, gan_val v);

#endif
