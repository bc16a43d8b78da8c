/* arch.h: what an architecture is: a generator and a discriminator that go together, for the model
 * plain. One arch_*.c file ends in GAN_ARCH descriptors, which the build collects. */
#ifndef GAN_MODELS_ARCH_H
#define GAN_MODELS_ARCH_H

#include <gan/model.h>

/* Normalisation of a network's hidden layers. */
enum gan__norm { GAN__NORM_AUTO, GAN__NORM_BATCH, GAN__NORM_LAYER, GAN__NORM_NONE };

#define GAN__NORM_CHOICES "auto|batch|layer|none"

struct gan_arch;

/* Options of networks; a model's options begin with them. */
struct gan__arch_opts {
    struct gan_task task;
    const struct gan_arch *arch;
    int64_t z, width;        /* 0 until fitted: the architecture's own */
    int norm_gen, norm_disc; /* enum gan__norm, never AUTO once fitted */
    double slope;            /* of leaky ReLU */
    bool spectral;           /* spectral norm in the discriminator */
};

struct gan_arch {
    const char *name;
    const char *doc; /* one line */
    const char *paper;
    int64_t z, width; /* where 0 was asked for */
    enum gan__norm norm_gen, norm_disc;
    const char *init; /* of both networks; NULL: "torch" */
    /* Raises the image size to the next one taken, or refuses; sets task.range; see gan_model.fit. */
    gan_status (*fit)(struct gan__arch_opts *o, bool fixed, gan_err *err);
    bool points;     /* makes points in the plane too, not only images */
    gan_net_fn gen;  /* [N,z] -> images; options begin with struct gan__arch_opts */
    gan_net_fn disc; /* images -> [N,1] */
};

#define GAN_ARCH(NAME) const struct gan_arch gan__arch_##NAME

extern const struct gan_arch *const gan__archs[]; /* generated, sorted, NULL at the end */

/* In the form of option tables: the field is a const struct gan_arch *. */
gan_status gan__arch_option(const char *text, void *field, gan_err *err);

/* Resolves z, width and norms, then the architecture's own fit. */
gan_status gan__arch_fit(struct gan__arch_opts *o, bool fixed, gan_err *err);

/* Declares "gen" and "disc". */
void gan__arch_nets(gan_nets *d, const struct gan__arch_opts *o);

/* Fit of architectures of one square size. */
gan_status gan__arch_fit_size(struct gan__arch_opts *o, int64_t size, bool fixed, gan_err *err);

/* The normalisation of this kind (enum gan__norm) under a layer's name. */
gan_val gan__arch_norm(gan_nn *nn, const char *name, gan_val x, int kind);

#endif
