/* optim_rmsprop.c: the gradient over a running root mean square, in the two forms in use.
 *
 * rmsprop (PyTorch):       ms = a ms + (1-a) g^2;  p -= lr g / (sqrt(ms) + eps), ms_0 = 0
 * rmsprop-tf (TensorFlow): the same with          p -= lr g / sqrt(ms + eps),   ms_0 = 1
 * Ref: Tieleman and Hinton 2012, lecture 6.5. */
#include "rules.h"

enum { ALPHA = 1, EPS = 2, INITIAL = 3 };

static int slots(const double *arg, const char *const **names)
{
    static const char *const square[] = {"square"};
    (void)arg;
    *names = square;
    return 1;
}

static void mean_square(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    double a = c->arg[ALPHA];
    c->slot[0] =
        gan_add(g, gan_scale(g, c->slot[0], a), gan_scale(g, gan_square(g, c->grad), 1 - a));
}

static void step(struct gan__rule_call *c, gan_val root)
{
    gan_graph *g = c->g;
    c->p = gan_sub(g, c->p, gan_mul(g, c->scalar[0], gan_div(g, c->grad, root)));
}

static void outside(struct gan__rule_call *c)
{
    mean_square(c);
    step(c, gan_shift(c->g, gan__rule_root(c, c->slot[0]), c->arg[EPS]));
}

GAN_OPTIM(rmsprop) = {
    .name = "rmsprop",
    .doc = "root mean square, epsilon outside the root as PyTorch: rmsprop:LR,ALPHA,EPS",
    .ref = "Tieleman and Hinton 2012, lecture 6.5",
    .args = {{"learning rate", 0.01, 0, 1e3},
             {"alpha", 0.99, 0, 0.9999999},
             {"epsilon", 1e-8, 0, 1},
             {0}},
    .scalars = {"lr"},
    .values = gan__rule_lr,
    .slots = slots,
    .update = outside,
};

static double initial(const double *arg, int slot)
{
    (void)slot;
    return arg[INITIAL];
}

static void inside(struct gan__rule_call *c)
{
    mean_square(c);
    step(c, gan_sqrt(c->g, gan_shift(c->g, c->slot[0], c->arg[EPS])));
}

GAN_OPTIM(rmsprop_tf) = {
    .name = "rmsprop-tf",
    .doc =
        "root mean square, epsilon inside the root as TensorFlow: rmsprop-tf:LR,DECAY,EPS,INITIAL",
    .ref = "Tieleman and Hinton 2012, lecture 6.5",
    .args = {{"learning rate", 0.001, 0, 1e3},
             {"decay", 0.9, 0, 0.9999999},
             {"epsilon", 1e-10, 0, 1},
             {"initial mean square", 1, 0, 1e6},
             {0}},
    .scalars = {"lr"},
    .values = gan__rule_lr,
    .slots = slots,
    .initial = initial,
    .update = inside,
};
