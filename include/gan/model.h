/* model.h: what a GAN is to libgan: options, networks, one training iteration, how to sample.
 *
 * A model file holds no loop over batches, no memory handling and no file access. Its iteration is
 * the algorithm of the paper, built once as a graph:
 *
 *     static void iteration(gan_step *s, const void *opts)
 *     {
 *         const struct dcgan *o = opts;
 *         gan_graph *g = gan_step_graph(s);
 *         gan_val fake = gan_apply(s, "gen", gan_latent(s, "z", o->z));
 *         gan_val on_real = gan_apply(s, "disc", gan_batch(s, GAN_FIELD_IMAGE));
 *         gan_val on_fake = gan_apply(s, "disc", gan_stop(g, fake));
 *         gan_minimize(s, "disc", gan_loss_disc(o->loss, g, on_real, on_fake), &o->optim);
 *         gan_minimize(s, "gen", gan_loss_gen(o->loss, g, GAN_NONE, gan_apply(s, "disc", fake)), &o->optim);
 *     }
 *
 * Errors are sticky on the graph, so models check nothing. */
#ifndef GAN_MODEL_H
#define GAN_MODEL_H

#include <gan/data.h>
#include <gan/features.h>
#include <gan/graph.h>
#include <gan/loss.h>
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/option.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fields of a batch, as bits. */
typedef enum gan_field {
    GAN_FIELD_IMAGE = 1,  /* real [N,H,W,C] in the model's range */
    GAN_FIELD_LABEL = 2,  /* i32 [N], class of each image */
    GAN_FIELD_B = 4,      /* real [N,H,W,channels_b], a second image: of a pair or of domain B */
    GAN_FIELD_PAIR = 8,   /* no field but a need: the second image belongs to the first */
    GAN_FIELD_KNOWN = 16, /* real [N], 1 where it does, of models that can do without; task.known */
    GAN_FIELD_ATTRIBUTES = 32 /* real [N,task.attributes], 1 or -1 each: facts of attributes:DIR */
} gan_field;

/** What a model is fitted to. Every options structure of a model begins with one. */
struct gan_task {
    int64_t height, width, channels; /* of the images it makes */
    int64_t channels_b;              /* of second images; 0 when the data have none */
    int64_t classes;                 /* 0 when the data have no labels */
    int64_t attributes;              /* yes-or-no facts of each sample, 0 when there are none */
    bool points;                     /* samples are points of `channels` numbers, of any size */
    gan_range range;                 /* of the pixels */
    double known; /* fitted by models that can do without pairs: share of the pairs they are shown,
                     above 0 only for paired data; other second images come in their own order */
    const float *mean; /* mean image of the data [H,W,C] in `range`, or NULL */
};

/** An iteration or a sampling graph under construction. */
typedef struct gan_step gan_step;

/** Networks being declared. */
typedef struct gan_nets gan_nets;

/** A figure the papers or reference codes give, shown by `gan help MODEL`. */
struct gan_claim {
    const char *what;  /* "parameters of the generator at 64x64x3" */
    const char *value; /* "3 576 704" */
};

/** What pictures of two-dimensional runs show besides samples, N the batch of the step. */
struct gan_landscape {
    gan_val value; /* D at the given points: [N] or [N,...], of which the mean is shown */
    gan_val fake;  /* samples [N,H,W,C] */
    gan_val loss;  /* the generator's [], a function of `fake`: its descent is drawn; or GAN_NONE */
};

/** One direction in which a model turns images into images, whatever their size. */
struct gan_translation {
    int64_t in, out;  /* channels of what it takes and makes */
    int64_t multiple; /* sides it takes are multiples of this ... */
    int64_t least;    /* ... and no smaller than this */
};

/** One GAN: options, networks, iteration, sampling; registered with GAN_MODEL. */
struct gan_model {
    const char *name;           /* "dcgan" */
    const char *title;          /* one line */
    const char *paper;          /* authors, year, identifier */
    const char *help;           /* a paragraph: what it does, when to use it, pitfalls */
    uint32_t needs;             /* gan_field bits */
    uint32_t may_need;          /* bits that options ask for: fit refuses data without them */
    const struct gan_opt *opts; /* table over the options structure */
    size_t size;                /* of the options structure, which begins with struct gan_task */
    bool wants_mean;            /* task.mean must be filled for training from scratch */
    int64_t batch;              /* images in a batch where none are given; 0: 64 */
    int64_t epochs;             /* where no length is given; 0: 25 */
    /* Refuses options that contradict each other whatever the data are; before any file is opened; may
     * be NULL. */
    gan_status (*check)(const void *opts, gan_err *err);
    /* Fits the options to o->task: when `fixed`, refuses sizes it cannot take, else raises height
     * and width to the next it takes; resolves options that depend on the size; sets task.range. */
    gan_status (*fit)(void *opts, bool fixed, gan_err *err);
    void (*nets)(gan_nets *d, const void *opts);
    /* Declares feature networks that losses look through, with gan_declare_features; NULL: none.
     * Called for training alone. */
    void (*looks)(gan_nets *d, const void *opts);
    void (*iteration)(gan_step *s, const void *opts);
    gan_val (*sample)(gan_step *s, const void *opts); /* images [N,H,W,C] */
    /* What training shows instead of samples, one row for each image of the batch: input, output,
     * target side by side [N,H,k*W,C]; NULL for models that need no images to sample. */
    gan_val (*show)(gan_step *s, const void *opts);
    /* Whether the trained model translates from the first images to the second, or with `back` the
     * other way; NULL: it does not translate. */
    bool (*translates)(const void *opts, bool back, struct gan_translation *out);
    /* x [N,H,W,in] translated to [N,H,W,out]; H and W need not be the task's. */
    gan_val (*translate)(gan_step *s, const void *opts, gan_val x, bool back);
    /* D and the slopes the generator follows, around points [N,H,W,C]; writes no state. NULL: no
     * such pictures. */
    struct gan_landscape (*landscape)(gan_step *s, const void *opts, gan_val points);
    /* Overwrites initial values after the initialisers (biases from the data's mean); may be NULL. */
    void (*initial)(const struct gan_param *p, const gan_tensor *value, const void *opts);
    const struct gan_claim *claims; /* ends with a NULL what; may be NULL */
};

#define GAN_MODEL(NAME) const struct gan_model gan__model_##NAME

/** A named recipe: a model with other defaults. */
struct gan_preset {
    const char *name;  /* "wgan-gp" */
    const char *model; /* name of the model */
    const char *paper;
    const char *set;  /* "loss=wasserstein optim=adam:1e-4,0,.9" */
    const char *data; /* SPEC to train on where none is given; NULL: one must be given */
};

#define GAN_PRESET(NAME) const struct gan_preset gan__preset_##NAME

/** Model i of the sorted table, NULL past the end. */
GAN_API const struct gan_model *gan_model_at(int i);
/** Model by name. errors: NULL and GAN_E_ARG with "did you mean". */
GAN_API const struct gan_model *gan_model_find(const char *name, gan_err *err);

/** Name and one line about architecture i of the sorted table (option `arch` of the model plain),
 * NULL past the end. */
GAN_API const char *gan_arch_name(int i);
GAN_API const char *gan_arch_doc(int i);

/* --- declaring networks ----------------------------------------------------------------------- */

/**
 * Declares a network of a model. `opts` of the model are given to fn; desc->opts is ignored.
 *
 * errors: those of gan_net_new; sticky on d
 */
GAN_API void gan_declare(gan_nets *d, const struct gan_net_desc *desc);

/**
 * Declares a feature network as a part of training's graph. Its weights come from their own file, are
 * never trained and not in checkpoints, which say their hash.
 *
 * in:     net       name it is applied by: gan_look
 *         features  "vgg19", "classifier:RUN"; opened for the declaration
 *         layer     that it gives, NULL: the features
 *         task      of the model; the network is given images of its size and range
 *         channels  of these images
 * errors: those of gan_features_open and gan_features_part; sticky on d
 */
GAN_API void gan_declare_features(gan_nets *d, const char *net, const char *features,
                                  const char *layer, const struct gan_task *task, int64_t channels);

#define GAN_LOOKS_MAX 2

/** A feature network in a model. */
struct gan_look {
    gan_net *net;
    struct gan_feature_part part;
    char name[32];
    char features[300]; /* "vgg19@conv3_3" */
    char hash[64];      /* of its weights */
    gan_range range;    /* of the images given to it */
};

/** Networks of a model, declared over a store. */
struct gan_net_list {
    gan_net *net[8];
    int n;
    struct gan_look look[GAN_LOOKS_MAX];
    int n_looks;
};

/**
 * Declares all networks of a model.
 *
 * in:     opts   fitted; borrowed as long as the networks live
 *         real   type of the parameters
 * owns:   gan_net_list_free frees the networks
 * errors: GAN_E_SHAPE and others of gan_net_new
 */
GAN_API gan_status gan_model_declare(const struct gan_model *m, const void *opts, gan_store *st,
                                     gan_dtype real, struct gan_net_list *out, gan_err *err);
/**
 * Adds the feature networks that training looks through, weights included.
 *
 * in:     out    the list gan_model_declare filled
 * errors: those of gan_declare_features
 */
GAN_API gan_status gan_model_declare_looks(const struct gan_model *m, const void *opts,
                                           gan_store *st, gan_dtype real, struct gan_net_list *out,
                                           gan_err *err);
/**
 * Fills the weights of all networks: their initialisers, then the model's own `initial`.
 *
 * errors: GAN_E_NOMEM
 */
GAN_API gan_status gan_model_init(const struct gan_model *m, const void *opts, gan_store *st,
                                  const struct gan_net_list *nets, uint64_t seed, gan_err *err);
/** Frees the networks of the list and empties it. */
GAN_API void gan_net_list_free(struct gan_net_list *list);

/* --- building an iteration ---------------------------------------------------------------------- */

/** The graph being built; another one after gan_repeat opened or closed a repeated phase. owns: the
 * step. */
GAN_API gan_graph *gan_step_graph(gan_step *s);

/** Samples of a batch. */
GAN_API int64_t gan_step_batch(const gan_step *s);

/** A field of the batch; each run of a phase has its own batch, phases outside gan_repeat share one. */
GAN_API gan_val gan_batch(gan_step *s, gan_field field);

/** Latents [N,z] ~ N(0,1) from the stream `name`; when sampling, the feed "z". */
GAN_API gan_val gan_latent(gan_step *s, const char *name, int64_t z);

/** Latents [N,z], uniform with mean 0 and variance 1 (on +-sqrt 3). */
GAN_API gan_val gan_latent_uniform(gan_step *s, const char *name, int64_t z);

/**
 * An image pool: the first `size` images are kept and handed through; then each is, with
 * probability 1/2, exchanged for a random kept one, which it replaces. Images are taken one after
 * the other. A value that is not finite is never kept.
 *
 * in:     name    of the entries "pool.NAME" [size,H,W,C] and "pool.NAME.count" and of the stream
 *         images  real [N,H,W,C], treated as constants
 *         size    images kept; 0: no pool
 * out:    [N,H,W,C]
 * errors: GAN_E_RANGE (size below 0), GAN_E_NOMEM; sticky on the graph
 * ref:    Shrivastava et al. 2017, arXiv:1612.07828; Zhu et al. 2017, arXiv:1703.10593
 */
GAN_API gan_val gan_pool(gan_step *s, const char *name, gan_val images, int64_t size);

/**
 * Classes i32 [N] for images to be made: each of task.classes equally likely, from the stream `name`;
 * when sampling, the classes that are asked for. The model needs, or may need, GAN_FIELD_LABEL.
 *
 * errors: GAN_E_INTERNAL (a model that does not say so), GAN_E_RANGE (task.classes below 1); sticky on
 *         the graph
 */
GAN_API gan_val gan_labels(gan_step *s, const char *name);

/** Numbers in (0,1) of the stream `name`; shape.dim[0] becomes the batch's. For the eps of an
 * interpolation, augmentation, noise on inputs. */
GAN_API gan_val gan_noise_uniform(gan_step *s, const char *name, gan_shape shape);

/** The same from N(0,1). */
GAN_API gan_val gan_noise_normal(gan_step *s, const char *name, gan_shape shape);

/** Applies a network of the model to one input in the step's mode; its first output. */
GAN_API gan_val gan_apply(gan_step *s, const char *net, gan_val x);

/** Features [N,...] of images in the model's range through a network of gan_declare_features, which is
 * applied as in sampling. grad: any order, in the images. */
GAN_API gan_val gan_look(gan_step *s, const char *net, gan_val images);

/** The same with other parameters; NULL: the store's. */
GAN_API gan_val gan_apply_with(gan_step *s, const char *net, const struct gan_params *params,
                               gan_val x);

/** The same with all inputs and outputs. */
GAN_API void gan_apply_all(gan_step *s, const char *net, const gan_val *in, gan_val *out);

/**
 * How often a phase runs in iteration i (from 0): `count`, but `warm_count` while
 * i < warm_until or when i % warm_every == 0 (warm_every 0: never). Zero count means 1. With
 * `every` above 1 it runs only where i % every == 0.
 */
struct gan_runs {
    int64_t count;
    int64_t warm_count, warm_until, warm_every;
    int64_t every;
};

/**
 * Opens and closes a repeated phase: while (gan_repeat(s, &runs)) { ... }. The body is built once
 * and run runs->count times, each with its own batch and random numbers. Values made inside are
 * not visible outside, state is. A constant count of 1 leaves the phase in the iteration's graph.
 */
GAN_API bool gan_repeat(gan_step *s, const struct gan_runs *runs);

/**
 * One gradient step: differentiates loss with respect to the weights of a network ("disc") or of
 * several ("enc+dec") and updates them. Reports "loss.NAME" and "grad_norm.NAME".
 */
GAN_API void gan_minimize(gan_step *s, const char *nets, gan_val loss, const struct gan_optim *o);
/** gan_minimize whose reports are "loss.LABEL" and "grad_norm.LABEL": for a second update of the same
 * networks with other terms. Moments and the number of updates are shared. */
GAN_API void gan_minimize_as(gan_step *s, const char *label, const char *nets, gan_val loss,
                             const struct gan_optim *o);

/**
 * The second half of an extra-gradient update: the gradient is taken at the newest weights, which a
 * gan_minimize_as of the same phase made; the update starts from those before it. Moments and the
 * number of updates go on from the first half, as in ExtraAdam.
 *
 * in:  from  values of gan_weights from before the first half
 * ref: Gidel et al. 2019, "A variational inequality perspective on GANs", arXiv:1802.10551,
 *      algorithm 4
 */
GAN_API void gan_minimize_from(gan_step *s, const char *nets, gan_val loss,
                               const struct gan_optim *o, const gan_val *from);

/**
 * Newest weights of "disc" or "enc+dec", as gan_minimize takes them.
 *
 * out:    values, names  borrowed from the step
 *         how many; 0 on failure
 * errors: GAN_E_NOMEM, GAN_E_INTERNAL (no such network); sticky on the graph
 */
GAN_API int gan_weights(gan_step *s, const char *nets, const gan_val **values,
                        const char *const **names);

/** Loss of a network as a function of its parameters, which it hands to gan_apply_with. */
typedef gan_val (*gan_loss_of)(gan_step *s, const struct gan_params *params, void *ctx);

/**
 * Looks ahead: the parameters a network would have after `steps` updates on this batch, as a
 * function of everything the loss depends on. Starts from the store's weights and optimiser state;
 * writes nothing. Its gan_minimize must follow in the same phase.
 *
 * in:     steps  0..20 updates by `o`; 0: the parameters as they are
 *         loss   called `steps` times; statistics of batch norm are read and not written
 * out:    for gan_apply_with; belongs to the graph; NULL when memory is short
 * grad:   any order, through every update and the optimiser's state in it
 * errors: GAN_E_RANGE; those of the loss; sticky on the graph
 * ref:    Metz et al. 2017, arXiv:1611.02163, equations 3 to 6
 */
GAN_API const struct gan_params *gan_unroll(gan_step *s, const char *net, const struct gan_optim *o,
                                            int64_t steps, gan_loss_of loss, void *ctx);

/**
 * Replaces each weight w of a network by fn(g, w, arg): limits after an update, such as clipping.
 */
GAN_API void gan_limit_weights(gan_step *s, const char *net,
                               gan_val (*fn)(gan_graph *g, gan_val w, double arg), double arg);

/** Where a run stands, for numbers that depend on it. */
struct gan_moment {
    int64_t iteration; /* from 0 */
    int64_t steps;     /* iterations the run will make, -1: only time limits it */
    int64_t images;    /* seen so far */
    int64_t batch;     /* images of one batch */
};

/**
 * A number [] that the host computes in f64 before each run of the phase: a noise's deviation, the
 * rate of an average. Asked for twice under one name in a phase, it is one feed.
 *
 * in:     name   of the feed, unlike "NET.lr" and others of the optimisers
 *         value  of arg at a moment
 *         arg    borrowed as long as the step lives (the model's options)
 * errors: GAN_E_RANGE (more than 16 in a phase); sticky on the graph
 */
GAN_API gan_val gan_step_scalar(gan_step *s, const char *name,
                                double (*value)(const void *arg, const struct gan_moment *m),
                                const void *arg);

/** Says that `what` ("--noise") needs a run of known length: training that only time limits is then
 * refused. `what` is borrowed. */
GAN_API void gan_step_needs_length(gan_step *s, const char *what);

/**
 * A tensor kept between runs (GAN_STATE_POOL, in checkpoints): its newest value. It is added to the
 * store under "kept.NAME", every element `initial`, when it is not there.
 *
 * errors: GAN_E_SHAPE (it has another shape), GAN_E_NOMEM; sticky on the graph
 */
GAN_API gan_val gan_kept(gan_step *s, const char *name, gan_shape shape, double initial);
/** Makes the next version of a kept tensor. A value that is not finite leaves the element as it was.
 * errors: GAN_E_NOTFOUND (no gan_kept before), GAN_E_SHAPE; sticky on the graph. */
GAN_API void gan_keep(gan_step *s, const char *name, gan_val value);

/** Half-life of an average of weights; zero-initialised: no average. */
struct gan_average {
    double half_life;             /* images, 0: no average unless it moves */
    double ramp;                  /* half-life at most ramp times the images seen, 0: no ramp-up */
    struct gan_schedule schedule; /* its factor over the iterations of the run, */
    bool moves;                   /* or the shape in which it moves */
    double to;                    /* to this half-life */
};

/** Whether there is an average at all. */
GAN_API bool gan_average_on(const struct gan_average *a);
/**
 * Half-life in images at a moment of the run; 0: the average is the newest weights.
 *
 * in:  images  seen when the update is done
 * ref: Karras et al. 2020, arXiv:2006.06676; Huang et al. 2024, arXiv:2501.05441
 */
GAN_API double gan_average_half_life(const struct gan_average *a, const struct gan_moment *m);

/**
 * Moves the average "ema.NET" of a network's weights towards them; call after gan_minimize.
 * Statistics are not averaged: the averaged network uses the newest ones.
 *
 * in:  a    borrowed as long as the step lives
 * ref: Karras et al. 2020, arXiv:2006.06676 (half-life in images, ramp-up)
 */
GAN_API void gan_average(gan_step *s, const char *net, const struct gan_average *a);
/** gan_apply with the averaged weights when gan_average_on(a), else with the newest. */
GAN_API gan_val gan_apply_average(gan_step *s, const char *net, gan_val x,
                                  const struct gan_average *a);
/** The same with all inputs and outputs. */
GAN_API void gan_apply_average_all(gan_step *s, const char *net, const gan_val *in, gan_val *out,
                                   const struct gan_average *a);

/** Reports a scalar under a name in the log. Call before the gan_minimize it belongs to. */
GAN_API void gan_report(gan_step *s, const char *name, gan_val v);

#ifdef __cplusplus
}
#endif
#endif
