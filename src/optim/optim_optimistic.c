/* optim_optimistic.c: steps that expect the next gradient to be like the last: p -= 2 lr d_t - lr
 * d_{t-1}. In a game, where plain descent circles or spirals out, the last iterate then approaches
 * the equilibrium.
 *
 * ogd: d is the gradient. oadam: d is Adam's direction m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps); the one
 * before is made again from the moments before. The first d_0 is zero.
 * Ref: Daskalakis et al. 2018, "Training GANs with optimism", arXiv:1711.00141, eq. 5, algorithm 1. */
#include "rules.h"

#include <math.h>

enum { BETA1 = 1, BETA2 = 2, EPS = 3 };
enum { STEP = 0, ROOT = 1, STEP_BEFORE = 2, ROOT_BEFORE = 3 };

static int ogd_slots(const double *arg, const char *const **names)
{
    static const char *const before[] = {"before"};
    (void)arg;
    *names = before;
    return 1;
}

static void ogd_update(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    gan_val direction = gan_sub(g, gan_scale(g, c->grad, 2), c->slot[0]);
    c->slot[0] = c->grad;
    c->p = gan_sub(g, c->p, gan_mul(g, c->scalar[0], direction));
}

GAN_OPTIM(ogd) = {
    .name = "ogd",
    .doc = "optimistic gradient descent, for games: ogd:LR",
    .ref = "Daskalakis et al. 2018, arXiv:1711.00141, eq. 5",
    .args = {{"learning rate", 0.01, 0, 1e3}, {0}},
    .scalars = {"lr"},
    .values = gan__rule_lr,
    .slots = ogd_slots,
    .update = ogd_update,
};

static int oadam_slots(const double *arg, const char *const **names)
{
    static const char *const moments[] = {"m", "v"};
    (void)arg;
    *names = moments;
    return 2;
}

/* 1 - b^t without cancellation for b near 1. */
static double correction(double b, int64_t t)
{
    return b > 0 ? -expm1((double)t * log(b)) : 1;
}

static void oadam_values(const double *arg, double lr, int64_t t, double *values)
{
    bool first = t <= 1; /* no moments before: they are zero, whatever divides them */
    values[STEP] = lr / correction(arg[BETA1], t);
    values[ROOT] = 1 / sqrt(correction(arg[BETA2], t));
    values[STEP_BEFORE] = first ? 0 : lr / correction(arg[BETA1], t - 1);
    values[ROOT_BEFORE] = first ? 0 : 1 / sqrt(correction(arg[BETA2], t - 1));
}

/* Adam's step of these moments. */
static gan_val step(const struct gan__rule_call *c, gan_val m, gan_val v, gan_val rate,
                    gan_val root_rate)
{
    gan_graph *g = c->g;
    gan_val root = gan_shift(g, gan_mul(g, gan__rule_root(c, v), root_rate), c->arg[EPS]);
    return gan_mul(g, rate, gan_div(g, m, root));
}

static void oadam_update(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    double b1 = c->arg[BETA1], b2 = c->arg[BETA2];
    gan_val before =
        step(c, c->slot[0], c->slot[1], c->scalar[STEP_BEFORE], c->scalar[ROOT_BEFORE]);
    c->slot[0] = gan_add(g, gan_scale(g, c->slot[0], b1), gan_scale(g, c->grad, 1 - b1));
    c->slot[1] =
        gan_add(g, gan_scale(g, c->slot[1], b2), gan_scale(g, gan_square(g, c->grad), 1 - b2));
    gan_val now = step(c, c->slot[0], c->slot[1], c->scalar[STEP], c->scalar[ROOT]);
    c->p = gan_sub(g, c->p, gan_sub(g, gan_scale(g, now, 2), before));
}

GAN_OPTIM(oadam) = {
    .name = "oadam",
    .doc = "optimistic Adam, for games: oadam:LR,BETA1,BETA2,EPS",
    .ref = "Daskalakis et al. 2018, arXiv:1711.00141, algorithm 1",
    .args = {{"learning rate", 0.001, 0, 1e3},
             {"beta1", 0.9, 0, 0.9999999},
             {"beta2", 0.999, 0, 0.9999999},
             {"epsilon", 1e-8, 1e-15, 1},
             {0}},
    .scalars = {"step", "root", "step_before", "root_before"},
    .values = oadam_values,
    .slots = oadam_slots,
    .update = oadam_update,
};
