/* critic.h: a small discriminator for experiments: a multilayer perceptron of tanh, trained on scores
 * at reals and fakes by one of the library's losses. */
#ifndef GAN_THEORY_CRITIC_H
#define GAN_THEORY_CRITIC_H

#include "theory.h"

struct gan__critic;

struct gan__critic_opts {
    const char *loss;  /* "minimax" */
    const char *optim; /* "adam:1e-2" */
    int64_t size;      /* numbers of a sample */
    int64_t width;     /* of the two hidden layers */
    int64_t batch;     /* reals and fakes of a step */
    int64_t look;      /* samples of gan__critic_scores */
    int64_t steps;     /* of the whole training, for the schedule */
};

/* owns: the caller, gan__critic_free. NULL after a failure, which stays on the lab. */
struct gan__critic *gan__critic_new(struct gan__lab *l, const struct gan__critic_opts *o);
void gan__critic_free(struct gan__critic *c);

/* One update on real, fake [batch,size]; returns the loss before it. */
double gan__critic_step(struct gan__lab *l, struct gan__critic *c, const float *real,
                        const float *fake);

/* Scores [look] at x [look,size]. */
void gan__critic_scores(struct gan__lab *l, struct gan__critic *c, const float *x, double *score);

#endif
