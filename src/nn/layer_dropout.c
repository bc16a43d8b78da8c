/* layer_dropout.c: inverted dropout: survivors are scaled by 1/(1-p) in training, so that
 * evaluation needs nothing. Ref: Srivastava et al. 2014. */
#include "net.h"

static gan_val drop(gan_nn *nn, const char *name, gan_val x, double p, gan_shape mask)
{
    gan_graph *g = nn->g;
    if (!(p >= 0 && p < 1)) {
        return gan_graph_fail(g, GAN_E_RANGE, "dropout %s/%s: p is %g, allowed 0 to less than 1",
                              nn->net->name, name, p);
    }
    if (nn->mode != GAN_TRAIN || p <= 0) {
        return x;
    }
    gan_val u = gan_random_uniform(g, name, mask);
    gan_val keep = gan_greater_equal(g, u, gan_const(g, p));
    return gan_select(g, keep, gan_scale(g, x, 1 / (1 - p)), gan_zeros_like(g, x));
}

gan_val gan_dropout(gan_nn *nn, const char *name, gan_val x, double p)
{
    return gan_ok(x) ? drop(nn, name, x, p, gan_shape_get(nn->g, x)) : GAN_NONE;
}

gan_val gan_dropout_channels(gan_nn *nn, const char *name, gan_val x, double p)
{
    gan_shape s = gan_shape_get(nn->g, x);
    char text[96];
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    if (s.rank != 4) {
        return gan_graph_fail(nn->g, GAN_E_SHAPE,
                              "dropout of channels %s/%s: input is %s, expected [N,H,W,C]",
                              nn->net->name, name, gan_shape_text(&s, text, sizeof text));
    }
    return drop(nn, name, x, p, GAN_SHAPE(s.dim[0], 1, 1, s.dim[3]));
}
