/* optim.h: update rules and their schedules, as nodes of the graph.
 *
 *     struct gan_optim o;
 *     gan_optim_parse("adam:2e-4,.5,.999", &o, &err);
 *     int n = gan_net_weights(g, disc, names, params);
 *     gan_grad(g, loss, params, n, grads);
 *     struct gan_update u;
 *     gan_optim_apply(g, &o, &(struct gan_optim_args){
 *         .phase = "disc", .names = names, .params = params, .grads = grads, .n = n}, &u);
 *     ...
 *     gan_optim_scalars(&o, update, horizon, values);  -> the run's scalar feeds "disc.<scalar
 * name>"
 *
 * Everything that depends on the number of updates (learning rate, bias corrections, momentum) is a
 * scalar feed, computed in f64 on the host. Errors are sticky on the graph. threads: one thread per
 * graph. */
#ifndef GAN_OPTIM_H
#define GAN_OPTIM_H

#include <gan/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Shapes of a learning rate over the updates 1..horizon. */
typedef enum gan_schedule_kind {
    GAN_SCHEDULE_CONSTANT, /* "constant" */
    GAN_SCHEDULE_LINEAR,   /* "linear:E": from 1 to E (0), E + (1-E) (1 - (t-1)/horizon) */
    GAN_SCHEDULE_HOLD,  /* "hold:F": 1 for the fraction F (.5) of the horizon, then linear to 0 */
    GAN_SCHEDULE_STEP,  /* "step:N,GAMMA": GAMMA (.1) to the number of whole N updates done */
    GAN_SCHEDULE_COSINE /* "cosine:E": from 1 to E (0), E + (1-E) (1 + cos(pi (t-1)/horizon))/2 */
} gan_schedule_kind;

/** A schedule; zero is constant. */
struct gan_schedule {
    gan_schedule_kind kind;
    double a, b; /* linear, cosine: end; hold: fraction; step: updates, factor */
};

/**
 * Reads "constant", "linear", "linear:.1", "hold:.5", "step:10000,.5", "cosine" or "cosine:.25".
 *
 * errors: GAN_E_ARG (with "did you mean"), GAN_E_RANGE
 */
GAN_API gan_status gan_schedule_parse(const char *text, struct gan_schedule *out, gan_err *err);
/** True when the factor depends on the horizon: such a run must state its number of steps. */
GAN_API bool gan_schedule_needs_horizon(const struct gan_schedule *s);
/** Factor of the learning rate for update t (from 1); never negative; t past the horizon counts as
 * its end. horizon must be > 0 where it is needed. */
GAN_API double gan_schedule_factor(const struct gan_schedule *s, int64_t t, int64_t horizon);
/** A number that moves from one value to another as the schedule falls from 1 to 0 (its own end is not
 * read): to + (from - to) factor. t and horizon as in gan_schedule_factor. */
GAN_API double gan_schedule_between(const struct gan_schedule *s, double from, double to, int64_t t,
                                    int64_t horizon);

#define GAN_OPTIM_ARGS 5
#define GAN_OPTIM_MAX_SCALARS 5
#define GAN_OPTIM_TEXT_MAX 128

/** One update rule; see gan_optim_kind_at. */
struct gan_optimizer;

/** A parsed optimiser. */
struct gan_optim {
    const struct gan_optimizer *kind;
    double arg[GAN_OPTIM_ARGS]; /* arg[0] is the learning rate; the others as the rule lists them */
    bool moves[GAN_OPTIM_ARGS]; /* they change over the schedule, */
    double to[GAN_OPTIM_ARGS];  /* to these; others are not read */
    struct gan_schedule schedule;
    double clip;                   /* largest global norm of the gradient, 0: no clipping */
    char text[GAN_OPTIM_TEXT_MAX]; /* what was parsed */
};

/**
 * Reads "RULE[:A,B,...][@SCHEDULE]". Numbers left out take the rule's defaults:
 *   sgd:lr,momentum                              v = m v + g; p -= lr v
 *   sgd-gan2014:lr,decay,floor,momentum,updates  the original paper's schedules
 * (.1,1.000004,1e-6,.7,125000) rmsprop:lr,alpha,eps                         PyTorch: epsilon
 * outside the root rmsprop-tf:lr,decay,eps,initial              TensorFlow: epsilon inside the
 * root, mean square starts at 1 adam:lr,beta1,beta2,eps                      bias-corrected
 *   adamw:lr,beta1,beta2,eps,decay               decoupled weight decay
 *   l2l:scale                                    learned: the network "opt" of the store
 * beta2 of adam and adamw may be two numbers, "adam:2e-4,0,0.9..0.99@cosine:.25": it moves from the
 * first to the second with the shape of the schedule, bias corrections follow its value.
 *
 * out:    *out, with clip 0
 * errors: GAN_E_ARG (unknown rule, with "did you mean"; malformed or too many numbers), GAN_E_RANGE
 */
GAN_API gan_status gan_optim_parse(const char *text, struct gan_optim *out, gan_err *err);
/** gan_optim_parse in the form of option tables: GAN_OPT_PARSED(struct opts, optim, "optim",
 * "adam", gan_optim_option, ...). errors: as gan_optim_parse. */
GAN_API gan_status gan_optim_option(const char *text, void *field, gan_err *err);

/**
 * The optimiser for updates that come 1/c times as often and are to move as far and remember as long
 * as before: learning rate times c, decay rates of averages (beta1, beta2, alpha, decay) to the power
 * c. Momentum of sgd is left as it is.
 *
 * in:  0 < c <= 1; c = k/(k+1) for a lazy regulariser in every k-th iteration
 * ref: Karras et al. 2020, arXiv:1912.04958, appendix B
 */
GAN_API struct gan_optim gan_optim_more_often(const struct gan_optim *o, double c);

/** Name and one line about rule i of the sorted table, NULL past the end. */
GAN_API const char *gan_optim_kind_name(int i);
GAN_API const char *gan_optim_kind_doc(int i);

/** Network whose weights the rule reads from the store ("opt" for l2l); NULL for most. */
GAN_API const char *gan_optim_network(const struct gan_optim *o);

/** Number of scalar feeds the rule needs; feed i is named "PHASE." followed by
 * gan_optim_scalar_name(o, i). */
GAN_API int gan_optim_scalar_count(const struct gan_optim *o);
/** Name of scalar i ("lr", "step", "momentum", ...), NULL out of range. */
GAN_API const char *gan_optim_scalar_name(const struct gan_optim *o, int i);
/**
 * Values of the scalars for one update.
 *
 * in:  update   number of this update, from 1
 *      horizon  number of updates the run will make; see gan_schedule_factor
 * out: values   gan_optim_scalar_count(o) numbers
 */
GAN_API void gan_optim_scalars(const struct gan_optim *o, int64_t update, int64_t horizon,
                               double *values);
/** Learning rate of one update, schedules applied, before bias corrections: what logs show. */
GAN_API double gan_optim_lr(const struct gan_optim *o, int64_t update, int64_t horizon);

/** What an update works on. */
struct gan_optim_args {
    const char *phase;        /* "disc": names the scalar feeds and the slots */
    const char *const *names; /* store entries of the parameters */
    const gan_val *params;    /* their values */
    const gan_val *grads;     /* d loss / d params */
    int n;
    int ahead; /* of gan_optim_apply: which update's scalars it reads, 0: the next */
};

/** What an update reports. */
struct gan_update {
    gan_val grad_norm; /* [] L2 norm over all gradients, before clipping */
    gan_val ok;        /* bool []: the norm is finite; where false nothing was changed */
};

/**
 * Adds the nodes of one update: gradient norm, optional clipping (g min(1, clip/(norm + 1e-6))),
 * the rule, and the guard: every new value written is select(isfinite(norm), new, old).
 *
 * state:  params; slots "optim.PHASE.SLOT.PARAM" (GAN_STATE_MOMENT), added to the store when absent
 * grad:   derivatives stop at the state sets; the values written are ordinary nodes
 * errors: GAN_E_ARG (n < 1), GAN_E_SHAPE, GAN_E_NOTFOUND; sticky on g
 * ref:    Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2019,
 * arXiv:1711.05101
 */
GAN_API void gan_optim_apply(gan_graph *g, const struct gan_optim *o,
                             const struct gan_optim_args *args, struct gan_update *out);

/* --- updates as values --------------------------------------------------------------------------- */

/** Slots a parameter has under the rule: 2 for Adam, 0 for plain gradient descent. */
GAN_API int gan_optim_slot_count(const struct gan_optim *o);
/**
 * Name of a scalar feed of an update that is `ahead` of the next one: "disc.step" for 0,
 * "disc+2.step" for 2. Its value is that of gan_optim_scalars for the next update plus `ahead`.
 *
 * in:  i  of gan_optim_scalar_name
 * returns false when the name does not fit in cap bytes
 */
GAN_API bool gan_optim_feed_name(char *dst, size_t cap, const struct gan_optim *o,
                                 const char *phase, int ahead, int i);
/**
 * The optimiser's state as it is: newest versions of the slots, added to the store when absent.
 * Only phase, names and n of `args` are read.
 *
 * out:    slots  n * gan_optim_slot_count(o) values, those of a parameter side by side
 * errors: GAN_E_NOTFOUND; sticky on g
 */
GAN_API void gan_optim_slots(gan_graph *g, const struct gan_optim *o,
                             const struct gan_optim_args *args, gan_val *slots);
/**
 * One update as a function of values: nothing is written to the store, and there is no guard. The
 * first of a chain starts from the store's parameters and gan_optim_slots, the next from what this
 * one left.
 *
 * in:     args   names are not read
 *         ahead  updates between this one and the store's next, from 0: which scalar feeds it reads
 *         slots  before the update
 * out:    slots  after it
 *         params new values; may be args->params
 * grad:   any order, in parameters, gradients and slots. The root of Adam and RMSProp has slope 0
 *         where the mean square is below 1e-36
 * errors: GAN_E_ARG (n < 1), GAN_E_SHAPE; sticky on g
 * ref:    Metz et al. 2017, arXiv:1611.02163, section 2.3
 */
GAN_API void gan_optim_next(gan_graph *g, const struct gan_optim *o,
                            const struct gan_optim_args *args, int ahead, gan_val *slots,
                            gan_val *params);

/* --- averages of weights
 * ------------------------------------------------------------------------------- */

/**
 * Exponential moving average of a network's weights: avg += rate (w - avg).
 *
 * in:     prefix  "ema": entries "ema.gen.main.0.weight" (GAN_STATE_AVERAGE); new ones start as the
 * weights are rate    1 - beta, a scalar feed (beta itself would lose digits in f32) errors:
 * GAN_E_NOTFOUND; sticky on g
 */
GAN_API void gan_ema_apply(gan_graph *g, const gan_net *net, const char *prefix, gan_val rate);
/** The averages as parameters of gan_net_apply: fills values[gan_net_count(net)], GAN_NONE for
 * statistics. Adds entries when absent, as the weights are. errors: GAN_E_NOTFOUND, GAN_E_NOMEM;
 * sticky on g. */
GAN_API void gan_ema_values(gan_graph *g, const gan_net *net, const char *prefix, gan_val *values);
/**
 * Adds the entries when absent and sets the averages to the weights as they are.
 *
 * errors: GAN_E_NOTFOUND, GAN_E_NOMEM
 */
GAN_API gan_status gan_ema_reset(gan_store *st, const gan_net *net, const char *prefix,
                                 gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
