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

/* Half-life of G's average, "500000" or "0..5e6@cosine", into a struct gan_average, whose ramp stays. */
gan_status gan__aid_average_option(const char *text, void *field, gan_err *err);

/* Augmentation: "none", "diff:color,translation", "ada:.6,500000", "ada:.6/bgc+cutout",
 * "random:0..0.55@cosine/bg+color*.5". */
struct gan__aid_augment {
    enum { GAN__AUGMENT_NONE, GAN__AUGMENT_DIFF, GAN__AUGMENT_ADA, GAN__AUGMENT_RANDOM } kind;
    uint32_t which;        /* of diff: gan_augment bits */
    double target, images; /* of ada: wanted mean sign of D at reals, images from p = 0 to 1 */
    struct gan_ada groups; /* of ada and random */
    double p, to;          /* of random: the probability, */
    bool moves;            /* which goes from one to the other over the run, */
    struct gan_schedule schedule; /* in this shape, or is multiplied by its factor */
};

gan_status gan__aid_augment_option(const char *text, void *field, gan_err *err);
/* Images as the discriminator sees them. */
gan_val gan__aid_augment(gan_step *s, const struct gan__aid_augment *a, gan_val x);
/* ADA's control of p, once for each batch of reals; on_real are the logits. Call before the
 * gan_minimize of D. */
void gan__aid_augment_adapt(gan_step *s, const struct gan__aid_augment *a, gan_val on_real);

/* A layer of a feature network: "none", "vgg19@conv3_3", "classifier:RUN". */
struct gan__aid_perceptual {
    char features[256]; /* "": none */
    char layer[32];     /* "": the features */
};

gan_status gan__aid_perceptual_option(const char *text, void *field, gan_err *err);
/* Declares it for images of so many channels, where there is one. */
void gan__aid_perceptual_declare(gan_nets *d, const char *net, const struct gan__aid_perceptual *p,
                                 const struct gan_task *t, int64_t channels);
/* Mean squared difference of the features of x and of y, which is a constant. */
gan_val gan__aid_perceptual(gan_step *s, const char *net, gan_val x, gan_val y);

/* |mean f(x) - mean f(G(z))|^2 of the discriminator's features [N,F]. */
gan_val gan__aid_feature_matching(gan_graph *g, gan_val on_real, gan_val on_fake);

#endif
