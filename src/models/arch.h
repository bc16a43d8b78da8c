/* arch.h: what an architecture is: a generator and a discriminator that go together, for the model
 * plain. One arch_*.c file ends in GAN_ARCH descriptors, which the build collects. */
#ifndef GAN_MODELS_ARCH_H
#define GAN_MODELS_ARCH_H

#include <gan/model.h>

/* Normalisation of a network's hidden layers. */
enum gan__norm {
    GAN__NORM_AUTO,
    GAN__NORM_BATCH,
    GAN__NORM_LAYER,
    GAN__NORM_NONE,
    GAN__NORM_INSTANCE,
    GAN__NORM_VIRTUAL /* a reference batch is state of the network: latents of G, images of D */
};

#define GAN__NORM_CHOICES "auto|batch|layer|none|instance|virtual"

/* What lets a discriminator see its batch. */
enum gan__minibatch { GAN__MINIBATCH_NONE, GAN__MINIBATCH_DISCRIMINATION, GAN__MINIBATCH_STDDEV };

#define GAN__MINIBATCH_CHOICES "none|discrimination|stddev"

/* How networks know the class: projection in D, conditional batch norm in G. */
enum gan__cond { GAN__COND_NONE, GAN__COND_PROJECTION };

#define GAN__COND_CHOICES "none|projection"

struct gan_arch;

/* Options of networks; a model's options begin with them. Zeros are the usual networks. */
struct gan__arch_opts {
    struct gan_task task;
    const struct gan_arch *arch;
    int64_t z, width;        /* 0 until fitted: the architecture's own */
    int norm_gen, norm_disc; /* enum gan__norm, never AUTO once fitted */
    double slope;            /* of leaky ReLU */
    bool spectral;           /* spectral norm in the discriminator */
    int64_t outputs;         /* scores of a sample; 0 until fitted: 1 */
    int64_t pack;            /* samples the discriminator judges at once; 0 until fitted: 1 */
    int64_t reference;       /* samples of virtual norm's reference batch; 0 until fitted: 64 */
    double dropout;          /* in D, of architectures that have it; 0: theirs, below 0: none */
    int minibatch;           /* enum gan__minibatch */
    int cond;                /* enum gan__cond; both networks then take labels as second input */
    bool warned;             /* of an unbounded critic: once, though fitting happens again */
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
    bool normless;    /* has no place for a norm */
    bool knows_label; /* G takes the class without a norm */
    bool points;      /* makes points in the plane too, not only images */
    gan_net_fn gen;  /* [N,z] (and i32 [N] where o->cond) -> images; options begin with arch_opts */
    gan_net_fn disc; /* images (and labels) -> what gan__arch_head fills */
};

#define GAN_ARCH(NAME) const struct gan_arch gan__arch_##NAME

extern const struct gan_arch *const gan__archs[]; /* generated, sorted, NULL at the end */

/* In the form of option tables: the field is a const struct gan_arch *. */
gan_status gan__arch_option(const char *text, void *field, gan_err *err);

/* Resolves z, width and norms, then the architecture's own fit. */
gan_status gan__arch_fit(struct gan__arch_opts *o, bool fixed, gan_err *err);

/* Warns, once, of a loss whose scores grow for ever where nothing bounds the critic's slope. */
void gan__arch_warn_unbounded(struct gan__arch_opts *o, const struct gan_loss *l, bool bounded,
                              const char *remedy);

/* Declares "gen" and "disc". With o->cond inputs are {latents, labels} and {images, labels}. Images
 * of "disc" are those gan__arch_pack returns; its outputs are scores [N/pack,outputs] and the
 * features before them, flattened [N/pack,F]. */
void gan__arch_nets(gan_nets *d, const struct gan__arch_opts *o);

/* Declares "dec": the generator's network again, from `inputs` numbers to images, with weights of its
 * own. Not with o->cond or virtual norm. */
void gan__arch_decoder(gan_nets *d, const struct gan__arch_opts *o, int64_t inputs);

/* Fit of architectures that take every size. */
gan_status gan__arch_fit_any(struct gan__arch_opts *o, bool fixed, gan_err *err);

/* Fit of architectures of one square size. */
gan_status gan__arch_fit_size(struct gan__arch_opts *o, int64_t size, bool fixed, gan_err *err);

/* Fit of architectures of square sizes, the powers of two from `least` to `most`. */
gan_status gan__arch_fit_doubling(struct gan__arch_opts *o, int64_t least, int64_t most, bool fixed,
                                  gan_err *err);

/* The normalisation of a network's hidden layers. */
struct gan__norming {
    int kind;          /* enum gan__norm */
    int64_t reference; /* of virtual norm */
    int64_t classes;   /* of conditional batch norm; 0: scale and offset for all */
    gan_val label;
};

/* That of the generator with the inputs `in`, that of the discriminator. */
struct gan__norming gan__arch_norm_gen(const struct gan__arch_opts *o, const gan_val *in);
struct gan__norming gan__arch_norm_disc(const struct gan__arch_opts *o);

/* The normalisation under a layer's name. Instance norm leaves [N,C] as it is. */
gan_val gan__arch_norm(gan_nn *nn, const char *name, gan_val x, const struct gan__norming *n);

/* The layer that scores. */
struct gan__head {
    const char *name;
    bool bias;
    bool map; /* a convolution over all of [N,H,W,C], else a linear layer */
    const char *init, *bias_init;
};

/* Ends every discriminator: in[] are the network's inputs, x its features, [N,F] or [N,H,W,C].
 * Fills out[0] with scores [N,outputs], out[1] with the flattened features. */
void gan__arch_head(gan_nn *nn, gan_val x, const struct gan__head *h,
                    const struct gan__arch_opts *o, const gan_val *in, gan_val *out);

/* Convolution of kernel 5, stride 2 and TensorFlow's SAME padding, with bias; its transpose. */
gan_val gan__arch_halve5(gan_nn *nn, const char *name, gan_val x, int64_t channels,
                         const char *init, bool spectral);
gan_val gan__arch_double5(gan_nn *nn, const char *name, gan_val x, int64_t channels,
                          const char *init);

/* Images [N,H,W,C] -> [N/m,H,W,m*C]: m neighbouring samples judged as one, Lin et al. 2018,
 * arXiv:1712.04086. With m = 1 the images themselves. */
gan_val gan__arch_pack(gan_graph *g, gan_val images, int64_t m);
/* The inverse of gan__arch_pack. */
gan_val gan__arch_unpack(gan_graph *g, gan_val packs, int64_t m);

#endif
