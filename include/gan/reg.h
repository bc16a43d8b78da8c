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

#include <gan/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a penalty works on. */
struct gan_reg_context {
    gan_graph *g;
    gan_val real, fake;       /* points [N,...]; the fakes with derivatives stopped */
    gan_val on_real, on_fake; /* the discriminator's scores of them */
    gan_val (*score)(void *user, gan_val x); /* the discriminator at other points */
    /* Numbers in (0,1) from the stream `name`; the batch's extent of `shape` is filled in. */
    gan_val (*uniform)(void *user, const char *name, gan_shape shape);
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
    bool per_sample; /* reads the slope at single samples, which batch norm mixes */
    bool spectral;   /* layers divide their weights by the largest singular value */
    /* Term of the discriminator's loss, weighted. */
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
        double value; /* of its number */
    } term[GAN_REGS_MAX];
    int n;
};

/**
 * Reads "NAME[:NUMBER][/INTERVAL],...": "gp:10", "r1:1,r2:1", "none" or an empty text for none.
 *
 * errors: GAN_E_ARG (unknown, with "did you mean"; malformed; twice the same), GAN_E_RANGE,
 *         GAN_E_UNSUPPORTED (an interval other than 1)
 */
GAN_API gan_status gan_regs_parse(const char *text, struct gan_regs *out, gan_err *err);
/** gan_regs_parse in the form of option tables. errors: as gan_regs_parse. */
GAN_API gan_status gan_regs_option(const char *text, void *field, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
