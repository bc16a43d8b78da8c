/* loss.h: objectives: the pairs of a GAN by name, and the elementary losses they and models are
 * made of.
 *
 *     const struct gan_loss *l = gan_loss_find("nonsaturating", &err);
 *     gan_val d = gan_loss_disc(l, g, on_real, on_fake);
 *     gan_val e = gan_loss_gen(l, g, GAN_NONE, on_fake);
 *
 * Scores are raw outputs (logits) of any shape [N,...]; a loss is a mean over all of them, a real
 * scalar [] to be minimised. A loss never sees a network: what it needs beside the scores (points, a
 * second batch of fakes, a number kept between updates) it says in `needs` and receives in a
 * context. Errors are sticky on the graph.
 * threads: one thread per graph. owns: results belong to the graph. */
#ifndef GAN_LOSS_H
#define GAN_LOSS_H

#include <gan/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Numbers of a GAN's loss; zero-initialise, or give NULL, for the paper's. */
struct gan_loss_params {
    double real_target; /* label of reals in cross-entropies, 0: 1; one-sided smoothing is .9 */
    double fake_target; /* label of fakes */
};

/** What a loss reads beside one score of each real and fake, as bits. */
typedef enum gan_loss_needs {
    GAN_LOSS_REAL = 1,      /* gen reads the scores of reals (relativistic losses) */
    GAN_LOSS_TWO_FAKES = 2, /* a second, independent batch of fakes, also in gen */
    GAN_LOSS_POINTS = 4,    /* the images or points themselves */
    GAN_LOSS_STATE = 8,     /* numbers kept between updates */
    GAN_LOSS_DECODER = 16,  /* a network that makes images of the critic's outputs */
    GAN_LOSS_MATRIX = 32,   /* outputs as [N,outputs]: distances between samples are taken */
    GAN_LOSS_NOISE = 64     /* random numbers */
} gan_loss_needs;

/** What an objective works on. The fields that `needs` does not ask for may be GAN_NONE or NULL. */
struct gan_loss_context {
    gan_graph *g;
    gan_val on_real;    /* the discriminator's outputs at reals [N,...] */
    gan_val on_fake[2]; /* at fakes; in gen they carry derivatives */
    gan_val real;       /* points [N,...] */
    gan_val fake[2];
    const struct gan_loss_params *params; /* NULL: the paper's */
    /* GAN_LOSS_STATE: newest value [] of a number kept under `name`, `initial` before the first
     * keep(); keep() makes the next version. */
    gan_val (*kept)(void *user, const char *name, double initial);
    void (*keep)(void *user, const char *name, gan_val value);
    gan_val (*decode)(void *user, gan_val outputs); /* GAN_LOSS_DECODER: images [N,H,W,C] */
    /* GAN_LOSS_NOISE: N(0,1) of the stream `name`, one row for each row of outputs. */
    gan_val (*normal)(void *user, const char *name, gan_shape shape);
    /* Shows a number [] in the log; may be NULL. */
    void (*report)(void *user, const char *name, gan_val value);
    void *user;
};

/** A pair of objectives. */
struct gan_loss {
    const char *name; /* "nonsaturating" */
    const char *doc;  /* one line */
    const char *ref;  /* paper and equation */
    uint32_t needs;   /* gan_loss_needs bits */
    int64_t outputs;  /* of the critic for each sample; 0: 1 */
    bool lipschitz;   /* without a bound on the critic's slope its scores grow for ever */
    bool logits;      /* the sigmoid of a score is a probability */
    bool signs;       /* no logits, but reals are to score above 0 and fakes below */
    gan_val (*disc)(const struct gan_loss_context *c);
    gan_val (*gen)(const struct gan_loss_context *c);
    /* What slope penalties hold to: a number for each row of the critic's outputs `on` at other
     * points, given the outputs of the context; NULL: the outputs themselves. */
    gan_val (*witness)(const struct gan_loss_context *c, gan_val on);
};

/**
 * Discriminator's and generator's loss of scores alone, for models that have no more to give.
 *
 * in:     on_real  of gen: GAN_NONE unless the loss needs GAN_LOSS_REAL
 * grad:   any order
 * errors: GAN_E_ARG (the loss needs more than scores); sticky on g
 */
GAN_API gan_val gan_loss_disc(const struct gan_loss *l, gan_graph *g, gan_val on_real,
                              gan_val on_fake);
GAN_API gan_val gan_loss_gen(const struct gan_loss *l, gan_graph *g, gan_val on_real,
                             gan_val on_fake);
/** GAN_E_ARG, naming `model`, when the loss needs more than scores of the `given` bits
 * (gan_loss_needs) or more than one output. errors: GAN_E_ARG. */
GAN_API gan_status gan_loss_check(const struct gan_loss *l, const char *model, uint32_t given,
                                  gan_err *err);

/** Loss by name. errors: NULL and GAN_E_ARG with "did you mean". */
GAN_API const struct gan_loss *gan_loss_find(const char *name, gan_err *err);
/** gan_loss_find in the form of option tables; the field is a const struct gan_loss *. errors:
 * GAN_E_ARG. */
GAN_API gan_status gan_loss_option(const char *text, void *field, gan_err *err);
/** Loss i of the sorted table, NULL past the end. */
GAN_API const struct gan_loss *gan_loss_at(int i);

/**
 * Binary cross-entropy of logits against one label: mean of t softplus(-s) + (1-t) softplus(s), the
 * stable form of -t log sigma(s) - (1-t) log(1 - sigma(s)).
 *
 * in:   logits [N,...]; 0 <= target <= 1
 * grad: any order
 */
GAN_API gan_val gan_loss_bce_logits(gan_graph *g, gan_val logits, double target);
/** The same against labels like logits (or broadcasting to it). grad: any order. */
GAN_API gan_val gan_loss_bce_logits_to(gan_graph *g, gan_val logits, gan_val target);
/**
 * Binary cross-entropy of probabilities p against labels t: mean of -t log p - (1-t) log(1-p), each
 * argument of a logarithm kept at or above 1e-12. Prefer logits: this loses the tails.
 *
 * grad: any order; zero where clamped
 */
GAN_API gan_val gan_loss_bce(gan_graph *g, gan_val p, gan_val target);
/** Mean of |a-b|. grad: any order (the sign at 0 is 0). */
GAN_API gan_val gan_loss_l1(gan_graph *g, gan_val a, gan_val b);
/** Mean of (a-b)^2. grad: any order. */
GAN_API gan_val gan_loss_l2(gan_graph *g, gan_val a, gan_val b);
/** Categorical cross-entropy: mean over N of -log softmax(logits)[n, labels[n]]; logits [N,Y],
 * labels i32 [N]. grad: any order. errors: GAN_E_SHAPE. */
GAN_API gan_val gan_loss_cross_entropy(gan_graph *g, gan_val logits, gan_val labels);

/**
 * KL(N(mu, e^logvar) || N(0,1)): mean over N of -1/2 sum (1 + logvar - mu^2 - e^logvar). Unit:
 * nats.
 *
 * in:   mu, logvar [N,Z]
 * grad: any order
 * ref:  Kingma and Welling 2014, arXiv:1312.6114, appendix B
 */
GAN_API gan_val gan_kl_normal(gan_graph *g, gan_val mu, gan_val logvar);

/**
 * Penalty on the critic's slope between real and fake points.
 *
 * in:      score  [N,...]     critic at x_hat; scores of a sample are summed
 *          x_hat  [N,...]     interpolated points, an input of `score`
 *          target >= 0        wanted slope, 1 in the paper
 * out:     []                 mean over N of (|d score / d x_hat| - target)^2; unit: score^2 / x^2.
 *                             |v| is sqrt(sum v^2 + 1e-12): finite derivatives at v = 0
 * grad:    any order
 * owns:    the result belongs to g
 * errors:  GAN_E_SHAPE, GAN_E_RANGE, GAN_E_NOPATH (score does not depend on x_hat); sticky on g
 * threads: one thread per graph; only one thread runs plans
 * ref:     Gulrajani et al. 2017, arXiv:1704.00028, eq. 3
 */
GAN_API gan_val gan_penalty_gradient(gan_graph *g, gan_val score, gan_val x_hat, double target);

/** Points between: eps x + (1-eps) y with one eps ~ U(0,1) per sample from the stream `name`. grad:
 * any order. errors: GAN_E_SHAPE. */
GAN_API gan_val gan_interpolate(gan_graph *g, const char *name, gan_val x, gan_val y);
/** eps x + (1-eps) y for a given eps that broadcasts to x. grad: any order. errors: GAN_E_SHAPE. */
GAN_API gan_val gan_interpolate_by(gan_graph *g, gan_val eps, gan_val x, gan_val y);

/**
 * Squared slope of the critic at each point: |d score / d x|^2.
 *
 * in:     score  [N,...]  critic at x; scores of a sample are summed
 *         x      [N,...]  an input of `score`
 * out:    [N]
 * grad:   any order
 * errors: GAN_E_SHAPE, GAN_E_NOPATH (score does not depend on x); sticky on g
 */
GAN_API gan_val gan_slope_squared(gan_graph *g, gan_val score, gan_val x);

#ifdef __cplusplus
}
#endif
#endif
