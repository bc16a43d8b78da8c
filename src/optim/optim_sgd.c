/* optim_sgd.c: gradient descent with momentum; and the original GAN's form of it.
 *
 * sgd (PyTorch):          v = m v + g;         p -= lr v
 * sgd-gan2014 (pylearn2): v = m_t v - lr_t g;  p += v
 * with lr_t = max(lr/decay^t, floor) and m_t rising linearly from .5, both changing after each
 * update. Ref: Goodfellow et al. 2014, arXiv:1406.2661, and its published configuration. */
#include "rules.h"

#include <math.h>

void gan__rule_lr(const double *arg, double lr, int64_t t, double *values)
{
    (void)arg;
    (void)t;
    values[0] = lr;
}

enum { MOMENTUM = 1 };

static int sgd_slots(const double *arg, const char *const **names)
{
    static const char *const velocity[] = {"velocity"};
    *names = velocity;
    return arg[MOMENTUM] > 0 ? 1 : 0;
}

static void sgd_update(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    gan_val v = c->grad;
    if (c->arg[MOMENTUM] > 0) {
        v = gan_add(g, gan_scale(g, c->slot[0], c->arg[MOMENTUM]), v);
        c->slot[0] = v;
    }
    c->p = gan_sub(g, c->p, gan_mul(g, c->scalar[0], v));
}

GAN_OPTIM(sgd) = {
    .name = "sgd",
    .doc = "gradient descent with momentum: sgd:LR,MOMENTUM",
    .ref = "Robbins and Monro 1951; Polyak 1964",
    .args = {{"learning rate", 0.01, 0, 1e3}, {"momentum", 0, 0, 0.9999}, {0}},
    .scalars = {"lr"},
    .values = gan__rule_lr,
    .slots = sgd_slots,
    .update = sgd_update,
};

enum { DECAY = 1, FLOOR = 2, FINAL_MOMENTUM = 3, UPDATES = 4 };

static const double first_momentum = 0.5; /* of the published configuration */

static double gan2014_decay(const double *arg, int64_t t)
{
    return fmax(arg[GAN__LR] / pow(arg[DECAY], (double)(t - 1)), arg[FLOOR]);
}

static void gan2014_values(const double *arg, double lr, int64_t t, double *values)
{
    double part = fmin((double)(t - 1) / arg[UPDATES], 1);
    values[0] = lr;
    values[1] = first_momentum + (arg[FINAL_MOMENTUM] - first_momentum) * part;
}

static int gan2014_slots(const double *arg, const char *const **names)
{
    static const char *const velocity[] = {"velocity"};
    (void)arg;
    *names = velocity;
    return 1;
}

static void gan2014_update(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    gan_val v = gan_sub(g, gan_mul(g, c->scalar[1], c->slot[0]), gan_mul(g, c->scalar[0], c->grad));
    c->slot[0] = v;
    c->p = gan_add(g, c->p, v);
}

/* 250 epochs of 50,000 images in batches of 100 */
GAN_OPTIM(sgd_gan2014) = {
    .name = "sgd-gan2014",
    .doc = "the original GAN's momentum: sgd-gan2014:LR,DECAY,FLOOR,MOMENTUM,UPDATES",
    .ref = "Goodfellow et al. 2014, arXiv:1406.2661",
    .args = {{"learning rate", 0.1, 0, 1e3},
             {"decay", 1.000004, 1, 10},
             {"floor", 1e-6, 0, 1e3},
             {"final momentum", 0.7, 0, 0.9999},
             {"updates of rising momentum", 125000, 1, 1e12},
             {0}},
    .scalars = {"lr", "momentum"},
    .values = gan2014_values,
    .decay = gan2014_decay,
    .slots = gan2014_slots,
    .update = gan2014_update,
};
