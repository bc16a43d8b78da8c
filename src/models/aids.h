/* aids.h: what steadies the training of the model plain beside loss and regularisers: options and the
 * nodes each adds. One aid_*.c file each. */
#ifndef GAN_MODELS_AIDS_H
#define GAN_MODELS_AIDS_H

#include <gan/augment.h>
#include <gan/model.h>

/* Instance noise: "0.5@linear". */
struct gan__aid_noise {
    double sigma;
    struct gan_schedule schedule;
};

gan_status gan__aid_noise_option(const char *text, void *field, gan_err *err);
/* The noise's deviation in this run, []. */
gan_val gan__aid_noise(gan_step *s, const struct gan__aid_noise *n);

/* Augmentation: "none", "diff:color,translation", "ada:.6,500000". */
struct gan__aid_augment {
    enum { GAN__AUGMENT_NONE, GAN__AUGMENT_DIFF, GAN__AUGMENT_ADA } kind;
    uint32_t which;        /* of diff: gan_augment bits */
    double target, images; /* of ada: wanted mean sign of D at reals, images from p = 0 to 1 */
};

gan_status gan__aid_augment_option(const char *text, void *field, gan_err *err);
/* Images as the discriminator sees them. */
gan_val gan__aid_augment(gan_step *s, const struct gan__aid_augment *a, gan_val x);
/* ADA's control of p, once for each batch of reals; on_real are the logits. Call before the
 * gan_minimize of D. */
void gan__aid_augment_adapt(gan_step *s, const struct gan__aid_augment *a, gan_val on_real);

/* |mean f(x) - mean f(G(z))|^2 of the discriminator's features [N,F]. */
gan_val gan__aid_feature_matching(gan_graph *g, gan_val on_real, gan_val on_fake);

#endif
