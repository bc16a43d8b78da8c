/* archs_head.c: the last layers of every discriminator: what looks at the whole batch, the scores,
 * and what depends on the class.
 *
 * Projection: D(x,y) = w phi(x) + <e_y, phi(x)>, Miyato and Koyama 2018, arXiv:1802.05637. Packing:
 * Lin et al. 2018, arXiv:1712.04086. */
#include "arch.h"

/* The features with what minibatch layers add. */
static gan_val with_batch(gan_nn *nn, gan_val x, const struct gan__arch_opts *o)
{
    switch (o->minibatch) {
    case GAN__MINIBATCH_DISCRIMINATION:
        return gan_minibatch_discrimination(nn, "minibatch", gan_flatten(gan_nn_graph(nn), x),
                                            (struct gan_minibatch_layer){0});
    case GAN__MINIBATCH_STDDEV:
        return gan_minibatch_stddev(nn, x);
    default:
        return x;
    }
}

/* A linear layer, or a convolution as large as the map: [N,outputs]. */
static gan_val scores(gan_nn *nn, gan_val x, const struct gan__head *h,
                      const struct gan__arch_opts *o)
{
    gan_graph *g = gan_nn_graph(nn);
    if (h->map && gan_shape_get(g, x).rank == 4) {
        struct gan_conv_layer l = {.out = o->outputs,
                                   .kernel = gan_dim(g, x, 1),
                                   .kernel_w = gan_dim(g, x, 2),
                                   .bias = h->bias,
                                   .spectral = o->spectral,
                                   .init = h->init,
                                   .bias_init = h->bias_init};
        return gan_flatten(g, gan_conv(nn, h->name, x, l));
    }
    struct gan_linear l = {.out = o->outputs,
                           .bias = h->bias,
                           .spectral = o->spectral,
                           .init = h->init,
                           .bias_init = h->bias_init};
    return gan_linear(nn, h->name, gan_flatten(g, x), l);
}

/* <e_y, phi(x)> for each output: [N,outputs]. */
static gan_val projected(gan_nn *nn, gan_val phi, gan_val label, const struct gan__arch_opts *o)
{
    gan_graph *g = gan_nn_graph(nn);
    int64_t n = gan_dim(g, phi, 0), features = gan_dim(g, phi, 1);
    gan_val e = gan_embedding(nn, "embed", label,
                              (struct gan_embedding){.rows = o->task.classes,
                                                     .dim = o->outputs * features,
                                                     .spectral = o->spectral,
                                                     .init = "glorot-uniform:1"});
    gan_val product = gan_mul(g, gan_reshape(g, e, GAN_SHAPE(n, o->outputs, features)),
                              gan_reshape(g, phi, GAN_SHAPE(n, 1, features)));
    return gan_sum(g, product, GAN_AXIS(2), false);
}

void gan__arch_head(gan_nn *nn, gan_val x, const struct gan__head *h,
                    const struct gan__arch_opts *o, const gan_val *in, gan_val *out)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val phi = gan_flatten(g, x);
    gan_val score = scores(nn, with_batch(nn, x, o), h, o);
    if (o->cond == GAN__COND_PROJECTION) {
        score = gan_add(g, score, projected(nn, phi, in[1], o));
    }
    out[0] = score;
    out[1] = phi;
}

gan_val gan__arch_pack(gan_graph *g, gan_val x, int64_t m)
{
    gan_shape s = gan_shape_get(g, x);
    if (m <= 1 || !gan_ok(x)) {
        return x;
    }
    if (s.rank != 4 || s.dim[0] % m != 0) {
        return gan_graph_fail(g, GAN_E_SHAPE, "a batch of %lld cannot be packed by %lld",
                              (long long)s.dim[0], (long long)m);
    }
    static const int channels_last[] = {0, 2, 3, 1, 4};
    int64_t rows = s.dim[0] / m;
    x = gan_reshape(g, x, GAN_SHAPE(rows, m, s.dim[1], s.dim[2], s.dim[3]));
    x = gan_transpose(g, x, channels_last);
    return gan_reshape(g, x, GAN_SHAPE(rows, s.dim[1], s.dim[2], m * s.dim[3]));
}

gan_val gan__arch_unpack(gan_graph *g, gan_val x, int64_t m)
{
    static const int sample_first[] = {0, 3, 1, 2, 4};
    gan_shape s = gan_shape_get(g, x);
    if (m <= 1 || !gan_ok(x)) {
        return x;
    }
    int64_t c = s.dim[3] / m;
    x = gan_reshape(g, x, GAN_SHAPE(s.dim[0], s.dim[1], s.dim[2], m, c));
    x = gan_transpose(g, x, sample_first);
    return gan_reshape(g, x, GAN_SHAPE(s.dim[0] * m, s.dim[1], s.dim[2], c));
}
