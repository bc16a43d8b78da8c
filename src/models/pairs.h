/* pairs.h: what models that learn a translation from aligned pairs share: which image is the input, and
 * what is made and shown of it. */
#ifndef GAN_MODELS_PAIRS_H
#define GAN_MODELS_PAIRS_H

#include <gan/model.h>

/* First member of the options of such a model. */
struct gan__pairs {
    struct gan_task task;
    int direction; /* 0: A to B */
};

#define GAN__PAIRS_DIRECTIONS "AtoB|BtoA"

/* The task of a model of signed images of that size. */
void gan__pairs_fit(struct gan_task *t, int64_t height, int64_t width);

/* Channels of the input, of the output. */
int64_t gan__pairs_in(const struct gan__pairs *p);
int64_t gan__pairs_out(const struct gan__pairs *p);

/* Inputs x and targets y of the batch. */
void gan__pairs_batch(gan_step *s, const struct gan__pairs *p, gan_val *x, gan_val *y);

/* Whether it translates this way; sides are multiples of `multiple` from `least` on. */
bool gan__pairs_translates(const struct gan__pairs *p, bool back, int64_t multiple, int64_t least,
                           struct gan_translation *out);

/* sample, translate and show of a model whose network "gen" translates: input | output | target. */
gan_val gan__pairs_sample(gan_step *s, const void *options);
gan_val gan__pairs_translate(gan_step *s, const void *options, gan_val x, bool back);
gan_val gan__pairs_show(gan_step *s, const void *options);

#endif
