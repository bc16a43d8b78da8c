/* layer_linear.c: affine layer, and maxout, which is one whose outputs compete.
 *
 * Ref: Goodfellow et al. 2013, "Maxout networks", arXiv:1302.4389. */
#include "net.h"

gan_val gan_linear(gan_nn *nn, const char *name, gan_val x, struct gan_linear o)
{
    gan_graph *g = nn->g;
    gan_shape s = gan_shape_get(g, x);
    char text[96];
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    if (s.rank != 2) {
        return gan_graph_fail(g, GAN_E_SHAPE, "linear %s/%s: input is %s, expected [N,F]",
                              nn->net->name, name, gan_shape_text(&s, text, sizeof text));
    }
    gan_scope_push(g, name);
    gan_val w = gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                          .name = "weight",
                                                          .shape = GAN_SHAPE(o.out, s.dim[1]),
                                                          .init = o.init});
    if (o.spectral) {
        w = gan__nn_spectral(nn, name, w);
    }
    gan_val y = gan_matmul(g, x, w, false, true);
    if (o.bias) {
        y = gan__nn_add_bias(nn, name, y, s.dim[1], o.bias_init);
    }
    gan_scope_pop(g);
    return y;
}

gan_val gan_maxout(gan_nn *nn, const char *name, gan_val x, struct gan_maxout o)
{
    gan_graph *g = nn->g;
    if (o.units < 1 || o.pieces < 1) {
        return gan_graph_fail(g, GAN_E_RANGE, "maxout %s/%s: %lld units of %lld pieces",
                              nn->net->name, name, (long long)o.units, (long long)o.pieces);
    }
    gan_val y = gan_linear(nn, name, x,
                           (struct gan_linear){.out = o.units * o.pieces,
                                               .bias = true,
                                               .spectral = o.spectral,
                                               .init = o.init,
                                               .bias_init = o.bias_init});
    gan_scope_push(g, name);
    y = gan_reshape(g, y, GAN_SHAPE(gan_dim(g, x, 0), o.pieces, o.units));
    y = gan_reduce_max(g, y, GAN_AXIS(1), false);
    gan_scope_pop(g);
    return y;
}
