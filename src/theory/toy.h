/* toy.h: a small GAN for experiments: perceptrons as critic and generator, a loss and regularisers of
 * the library, and what theory asks of them: slopes in the points, gradients of the generator as one
 * vector, gradients layer by layer.
 *
 * Without a generator the caller gives the fakes. */
#ifndef GAN_THEORY_TOY_H
#define GAN_THEORY_TOY_H

#include "theory.h"

#include "base/philox.h"

enum { GAN__TOY_DEPTH = 16, GAN__TOY_AHEAD = 10 };

struct gan__toy;

struct gan__toy_opts {
    const char *loss; /* "minimax"; NULL: transport with the c-transform of a batch for its dual:
                       * phi(x) on reals, min over reals of |x - y| - phi(x) on fakes */
    const char *regs; /* "gp:1"; NULL: none */
    const char *optim_disc, *optim_gen;
    const char *init;     /* NULL: torch */
    int64_t size, latent; /* numbers of a point, of the noise (0: no generator) */
    int64_t width, depth; /* hidden layers of the critic */
    int64_t gen_width, gen_depth;
    bool relu;     /* else tanh */
    int64_t batch; /* reals and fakes of a step */
    int64_t look;  /* points of gan__toy_scores, gan__toy_generate */
    int64_t pack;  /* points the critic judges as one, side by side; divides batch, look. 0: 1 */
    int64_t
        ahead; /* updates of the critic the generator looks ahead, at most GAN__TOY_AHEAD: it then
                    * descends the negative of the critic's loss after them */
    int64_t steps; /* of the whole training, for schedules */
    uint64_t seed;
};

/* owns: the caller, gan__toy_free. NULL after a failure, which stays on the lab; the functions below
 * then do nothing. */
struct gan__toy *gan__toy_new(struct gan__lab *l, const struct gan__toy_opts *o);
void gan__toy_free(struct gan__toy *t);

/* Weights and moments of the critic as on the first day of another seed. */
void gan__toy_reset_disc(struct gan__lab *l, struct gan__toy *t, uint64_t seed);

/* The generator of another toy, of the same shape. */
void gan__toy_copy_gen(struct gan__toy *dst, const struct gan__toy *src);

/* One update of the critic. from [batch,latent]: noise, or [batch,size]: fakes without a generator.
 * Returns its loss without penalties, before the update. */
double gan__toy_disc_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                          const float *from);

/* The same loss, and nothing is changed. */
double gan__toy_disc_loss(struct gan__lab *l, struct gan__toy *t, const float *real,
                          const float *from);

/* One update of the generator. real is read with the c-transform, by relativistic losses and by a look
 * ahead, else it may be NULL. Returns its loss. */
double gan__toy_gen_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                         const float *noise);

/* One update of the generator on the mean squared error of g(noise) to real [batch,size]: a fixed loss in
 * place of the critic's. Returns it. */
double gan__toy_fit_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                         const float *noise);

/* The gradient of the generator's loss `loss` (of the library, on the same critic; NULL: its own) in
 * its weights, gan__toy_gen_weights numbers. */
void gan__toy_gen_gradient(struct gan__lab *l, struct gan__toy *t, const char *loss,
                           const float *noise, double *grad);
size_t gan__toy_gen_weights(const struct gan__toy *t);

/* d g(z) / d weights [size,weights] at one z [latent]. */
void gan__toy_gen_jacobian(struct gan__lab *l, struct gan__toy *t, const float *noise,
                           double *jacobian);

/* n standard normal numbers. */
void gan__toy_noise(struct gan__rng *rng, int n, float *z);

/* Points [look,size] of noise [look,latent]. */
void gan__toy_generate(struct gan__lab *l, struct gan__toy *t, const float *noise, float *x);

/* Scores [look/pack] and slopes d score/d x [look,size] at x [look,size]; either may be NULL. */
void gan__toy_scores(struct gan__lab *l, struct gan__toy *t, const float *x, double *score,
                     double *slope);

/* |d loss / d (output of hidden layer k)| over a batch, k = 0 .. depth-1. */
void gan__toy_layer_gradients(struct gan__lab *l, struct gan__toy *t, const float *real,
                              const float *from, double *norm);

/* Weight matrix k (0 .. depth) of the critic, [out,in]; NULL past the end. */
const float *gan__toy_weight(const struct gan__toy *t, int k, int64_t *out, int64_t *in);

#endif
