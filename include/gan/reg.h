/* reg.h: regularisers of a discriminator by name: penalties added to its loss, limits its weights
 * are brought back to after an update, and norms its layers keep.
 *
 *     struct gan_regs regs;
 *     gan_regs_parse("gp:10,clip:.01", &regs, &err);
 *     for (int i = 0; i < regs.n; i++) {
 *         const struct gan_reg *r = regs.term[i].kind;
 *         if (r->penalty != NULL)
 *             loss = gan_add(g, loss, r->penalty(&context, regs.term[i].value));
 *     }
 *
 * A regulariser never sees a network: it receives points, their scores and a way to score others.
 * Errors are sticky on the graph. threads: one thread per graph. owns: results belong to the graph.
 */
#ifndef GAN_REG_H
#define GAN_REG_H

#include <gan/optim.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The phase a penalty belongs to, as bits. */
typedef enum gan_reg_phase { GAN_REG_DISC = 1, GAN_REG_GEN = 2 } gan_reg_phase;

/** What a penalty works on. */
struct gan_reg_context {
    gan_graph *g;
    gan_reg_phase phase;
    gan_val real;   /* points [N,...]; GAN_NONE in the generator's phase */
    gan_val fake;   /* with derivatives stopped in the discriminator's phase */
    gan_val latent; /* generator's phase: [N,z], what `fake` was made of */
    gan_val on_real,
        on_fake; /* the discriminator's scores of them; GAN_NONE where a lazy update has
                               * no other use for them */
    gan_val (*score)(void *user, gan_val x); /* the discriminator at other points */
    /* Numbers of the stream `name`, in (0,1) or from N(0,1); the batch's extent of `shape` is filled
     * in. */
    gan_val (*uniform)(void *user, const char *name, gan_shape shape);
    gan_val (*normal)(void *user, const char *name, gan_shape shape);
    /* Weights of the network being trained, and their names. */
    const gan_val *weights;
    const char *const *names;
    int n_weights;
    /* Tensor kept between updates under `name`: its newest value, zero before the first keep(). */
    gan_val (*kept)(void *user, const char *name, gan_shape shape);
    void (*keep)(void *user, const char *name, gan_val value);
    void *user;
};

/** The number a regulariser takes: a weight, a bound. */
struct gan_reg_number {
    const char *name; /* "weight"; NULL: it takes none */
    double def, min, max;
};

/** One regulariser. Of penalty, limit and spectral one is set. */
struct gan_reg {
    const char *name; /* "gp" */
    const char *doc;  /* one line */
    const char *ref;  /* paper and equation */
    struct gan_reg_number number;
    uint32_t phases; /* gan_reg_phase bits; 0: the discriminator's */
    bool weights;    /* reads only weights: serves every network */
    bool images;     /* changes images: none for points */
    bool no_fakes;   /* reads neither fakes nor their scores */
    bool per_sample; /* reads the slope at single samples, which batch norm mixes */
    bool at_batches; /* differentiates c->on_real or c->on_fake by their points */
    bool spectral;   /* layers divide their weights by the largest singular value */
    /* Term of the loss of c->phase, weighted. */
    gan_val (*penalty)(const struct gan_reg_context *c, double weight);
    /* What a weight becomes after each update. */
    gan_val (*limit)(gan_graph *g, gan_val weight, double bound);
};

/** Regulariser by name. errors: NULL and GAN_E_ARG with "did you mean". */
GAN_API const struct gan_reg *gan_reg_find(const char *name, gan_err *err);
/** Regulariser i of the sorted table, NULL past the end. */
GAN_API const struct gan_reg *gan_reg_at(int i);

#define GAN_REGS_MAX 8

/** Several regularisers at once. */
struct gan_regs {
    struct gan_reg_term {
        const struct gan_reg *kind;
        double value;     /* of its number */
        int64_t interval; /* a penalty is added in every interval-th iteration, that often */
        struct gan_schedule schedule; /* of a penalty's weight over the iterations of the run */
    } term[GAN_REGS_MAX];
    int n;
};

/**
 * Reads "NAME[:NUMBER][/INTERVAL][@SCHEDULE],...": "gp:10", "r1:1,r2:1", "r1:.05@cosine:.1", "none" or
 * an empty text for none.
 *
 * A penalty with an interval k ("r1:10/16") runs in every k-th iteration as an update of its own,
 * weighted k times, with the optimiser corrected for it (lazy regularisation, Karras et al. 2020,
 * arXiv:1912.04958, appendix B). A schedule (gan_schedule_parse) multiplies a penalty by its factor of
 * the run's iterations. Both end a term: "step:100,.5" has the only comma that ends none.
 *
 * errors: GAN_E_ARG (unknown, with "did you mean"; malformed; twice the same; an interval or a schedule
 *         on a regulariser without penalty), GAN_E_RANGE
 */
GAN_API gan_status gan_regs_parse(const char *text, struct gan_regs *out, gan_err *err);
/** gan_regs_parse in the form of option tables. errors: as gan_regs_parse. */
GAN_API gan_status gan_regs_option(const char *text, void *field, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
