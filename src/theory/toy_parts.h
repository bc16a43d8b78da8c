/* toy_parts.h: what a small GAN is made of; toy_graph.c builds its graphs, toy.c runs them. */
#ifndef GAN_THEORY_TOY_PARTS_H
#define GAN_THEORY_TOY_PARTS_H

#include "toy.h"

#include <gan/loss.h>
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>
#include <gan/reg.h>
#include <gan/store.h>

enum { GAN__TOY_PARAMS = 2 * GAN__TOY_DEPTH + 2, GAN__TOY_NAME = 48 };

enum gan__question {
    GAN__TOY_DISC_STEP,
    GAN__TOY_DISC_LOSS,
    GAN__TOY_GEN_STEP,
    GAN__TOY_FIT_STEP,
    GAN__TOY_GENERATE,
    GAN__TOY_SCORES,
    GAN__TOY_LAYERS,
    GAN__TOY_JACOBIAN,
    GAN__TOY_GRADIENT
};
enum { GAN__TOY_GRADIENTS = 3, GAN__TOY_PLANS = GAN__TOY_GRADIENT + GAN__TOY_GRADIENTS };

/* What a network function reads, and where it leaves the outputs of its hidden layers. */
struct gan__mlp {
    int64_t width, depth, out;
    bool relu, spectral;
    gan_val *hidden; /* NULL: nowhere */
};

/* A network with its optimiser. */
struct gan__side {
    struct gan__mlp mlp;
    gan_net *net;
    struct gan_optim optim;
    char scalar[GAN__TOY_AHEAD + 1][GAN_OPTIM_MAX_SCALARS]
               [GAN__TOY_NAME]; /* of the next update, and on */
    int64_t updates;
};

struct gan__toy {
    struct gan__toy_opts opts;
    const struct gan_loss *loss;                      /* NULL: transport */
    const struct gan_loss *asked[GAN__TOY_GRADIENTS]; /* by gan__toy_gen_gradient; NULL: loss */
    int n_asked;
    struct gan_regs regs;
    struct gan__side disc, gen;
    gan_val hidden[GAN__TOY_DEPTH];
    gan_store *store;
    gan_plan *plan[GAN__TOY_PLANS];
};

/* The perceptron of a network; opts: struct gan__mlp. */
void gan__toy_mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts);

/* The graph of a question: fills out[2], returns how many. */
int gan__toy_ask(gan_graph *g, struct gan__toy *t, int question, gan_val *out);

/* Whether a generator's step under this loss is fed reals. */
bool gan__toy_reads_reals(const struct gan_loss *loss);

#endif
