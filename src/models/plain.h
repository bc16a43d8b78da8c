/* plain.h: the options of the model plain and the pieces its iteration is made of. */
#ifndef GAN_MODELS_PLAIN_H
#define GAN_MODELS_PLAIN_H

#include "aids.h"
#include "arch.h"

#include <gan/reg.h>

struct gan__plain {
    struct gan__arch_opts net;
    const struct gan_loss *loss;
    struct gan_loss_params labels;
    struct gan_regs regs;
    int64_t n_critic, warm_critic;
    bool critic_first;
    int latent; /* enum gan__plain_latent */
    struct gan_optim optim_gen, optim_disc;
    double clip_grad;
    struct gan_average ema;
    struct gan__aid_noise noise;
    struct gan__aid_augment augment;
    double feature_matching;
    int play; /* enum gan__plain_play */
    /* fitted: the optimisers as updates use them, corrected for lazy regularisers */
    struct gan_optim update_gen, update_disc;
    bool warned; /* of what options may do: once, though fitting happens again */
};

enum gan__plain_latent { GAN__LATENT_NORMAL, GAN__LATENT_UNIFORM };

enum gan__plain_play { GAN__PLAY_ALTERNATING, GAN__PLAY_SIMULTANEOUS, GAN__PLAY_EXTRA };

/* One or two independent batches of fakes and what the first was made of. Where networks know the
 * class, fake i has that of the batch's real image i: the law of the data, and what lies between the
 * two has one class as well. */
struct gan__fakes {
    gan_val latent, label, image[2];
};

/* Whether the loss asks for something. */
static inline bool gan__plain_loss_needs(const struct gan__plain *o, gan_loss_needs what)
{
    return (o->loss->needs & (uint32_t)what) != 0;
}

/* Latents [N,z] of the stream `name`. */
gan_val gan__plain_latent(gan_step *s, const struct gan__plain *o, const char *name);

/* Labels [N] of the batch; GAN_NONE where networks do not know the class. */
gan_val gan__plain_label(gan_step *s, const struct gan__plain *o);

/* New fakes from latents of the stream. */
struct gan__fakes gan__plain_fakes(gan_step *s, const struct gan__plain *o, const char *stream);

/* Virtual norm in D: the first batch's reals become its reference batch, and stay it. Begins the
 * iteration. */
void gan__plain_reference(gan_step *s, const struct gan__plain *o);

/* One update of D, of G. */
void gan__plain_update_disc(gan_step *s, const struct gan__plain *o, const struct gan__fakes *f);
void gan__plain_update_gen(gan_step *s, const struct gan__plain *o, const struct gan__fakes *f);

/* Both at once: each gradient is taken at the same weights of both. Extra: at the weights that such
 * an update would lead to, the update itself starts from those before (Gidel et al. 2019,
 * arXiv:1802.10551, algorithms 3 and 4: the batch is used twice). */
void gan__plain_update_both(gan_step *s, const struct gan__plain *o);
void gan__plain_update_extra(gan_step *s, const struct gan__plain *o);

/* The penalties that have an interval, as phases of their own; ends the iteration. */
void gan__plain_lazy(gan_step *s, const struct gan__plain *o);

/* D at points and the generator's loss at fakes, without writing any state. */
struct gan_landscape gan__plain_landscape(gan_step *s, const struct gan__plain *o, gan_val fake,
                                          gan_val points);

/* Share of updates that are not lazy ones, of the networks of a phase: 1/(1 + sum of 1/interval). */
double gan__plain_main_share(const struct gan__plain *o, gan_reg_phase phase);

#endif
