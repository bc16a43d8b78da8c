/* optim_adam.c: Adam, and with decoupled weight decay.
 *
 * m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 * p -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps)
 * adamw first does p *= 1 - lr wd. As in PyTorch, epsilon is added after the correction of v. The
 * scalars are step = lr/(1-b1^t), root = 1/sqrt(1-b2^t), keep = 1 - lr wd.
 * Where b2 moves over the run its value is a scalar too, and t counts as if it had stood there always,
 * as torch.optim's group['betas'] set before a step. Ref: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2019,
 * arXiv:1711.05101. */
#include "rules.h"

#include <math.h>

enum { BETA1 = 1, BETA2 = 2, EPS = 3, DECAY = 4 };
enum { STEP = 0, ROOT = 1, KEEP = 2 };

static int slots(const double *arg, const char *const **names)
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

static void adam_values(const double *arg, double lr, int64_t t, double *values)
{
    values[STEP] = lr / correction(arg[BETA1], t);
    values[ROOT] = 1 / sqrt(correction(arg[BETA2], t));
}

/* b2 v + (1 - b2) g^2 */
static gan_val second_moment(const struct gan__rule_call *c, gan_val square)
{
    gan_graph *g = c->g;
    const struct gan__moving *b2 = &c->moving[BETA2];
    if (gan_ok(b2->value)) {
        return gan_add(g, gan_mul(g, c->slot[1], b2->value), gan_mul(g, square, b2->rest));
    }
    return gan_add(g, gan_scale(g, c->slot[1], c->arg[BETA2]),
                   gan_scale(g, square, 1 - c->arg[BETA2]));
}

static void adam_update(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    double b1 = c->arg[BETA1];
    gan_val m = gan_add(g, gan_scale(g, c->slot[0], b1), gan_scale(g, c->grad, 1 - b1));
    /* not gan_square, which is one value with that of the gradient's norm and would be kept for here */
    gan_val square = gan_mul(g, c->grad, c->grad);
    gan_val v = second_moment(c, square);
    gan_val root = gan_shift(g, gan_mul(g, gan__rule_root(c, v), c->scalar[ROOT]), c->arg[EPS]);
    c->slot[0] = m;
    c->slot[1] = v;
    c->p = gan_sub(g, c->p, gan_mul(g, c->scalar[STEP], gan_div(g, m, root)));
}

GAN_OPTIM(adam) = {
    .name = "adam",
    .doc = "bias-corrected moments: adam:LR,BETA1,BETA2,EPS",
    .ref = "Kingma and Ba 2015, arXiv:1412.6980, algorithm 1",
    .args = {{"learning rate", 0.001, 0, 1e3},
             {"beta1", 0.9, 0, 0.9999999},
             {"beta2", 0.999, 0, 0.9999999},
             {"epsilon", 1e-8, 0, 1},
             {0}},
    .scalars = {"step", "root"},
    .moving = {[BETA2] = {"beta2", "rest2"}},
    .values = adam_values,
    .slots = slots,
    .update = adam_update,
};

static void adamw_values(const double *arg, double lr, int64_t t, double *values)
{
    adam_values(arg, lr, t, values);
    values[KEEP] = 1 - lr * arg[DECAY];
}

static void adamw_update(struct gan__rule_call *c)
{
    c->p = gan_mul(c->g, c->p, c->scalar[KEEP]);
    adam_update(c);
}

GAN_OPTIM(adamw) = {
    .name = "adamw",
    .doc = "Adam with decoupled weight decay: adamw:LR,BETA1,BETA2,EPS,DECAY",
    .ref = "Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2",
    .args = {{"learning rate", 0.001, 0, 1e3},
             {"beta1", 0.9, 0, 0.9999999},
             {"beta2", 0.999, 0, 0.9999999},
             {"epsilon", 1e-8, 0, 1},
             {"weight decay", 0.01, 0, 1e3},
             {0}},
    .scalars = {"step", "root", "keep"},
    .moving = {[BETA2] = {"beta2", "rest2"}},
    .values = adamw_values,
    .slots = slots,
    .update = adamw_update,
};
