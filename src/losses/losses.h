/* losses.h: what a loss file ends in, and the targets of cross-entropies. */
#ifndef GAN_LOSSES_LOSSES_H
#define GAN_LOSSES_LOSSES_H

#include <gan/loss.h>

#define GAN_LOSS(NAME) const struct gan_loss gan__loss_##NAME

extern const struct gan_loss *const gan__losses[]; /* generated, sorted, NULL at the end */

/* Label of reals: 1 unless smoothed. */
static inline double gan__real_target(const struct gan_loss_params *p)
{
    return p != NULL && p->real_target > 0 ? p->real_target : 1;
}

/* Label of fakes: 0 unless smoothed. */
static inline double gan__fake_target(const struct gan_loss_params *p)
{
    return p != NULL ? p->fake_target : 0;
}

/* Discriminator of the cross-entropy pairs: BCE(real, 1) + BCE(fake, 0). */
gan_val gan__loss_bce_disc(const struct gan_loss_context *c);

/* A number of the loss in the log, where the caller keeps one. */
static inline void gan__loss_report(const struct gan_loss_context *c, const char *name, gan_val v)
{
    if (c->report != NULL) {
        c->report(c->user, name, v);
    }
}

/* |d score / d x| of each point, [N]; sqrt(sum + 1e-12) keeps its derivatives finite at 0. */
gan_val gan__slope(gan_graph *g, gan_val score, gan_val x);

/* Shape of x with every extent but the batch's 1. */
gan_shape gan__one_per_sample(gan_graph *g, gan_val x);

#endif
