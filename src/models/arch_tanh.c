/* arch_tanh.c: the two small perceptrons of the unrolled GAN's ring: two layers of 128 tanh in both
 * networks, orthogonal initial weights.
 *
 * Metz et al. 2017, arXiv:1611.02163, section 3.1 and appendix A; width, z and gain are those of the
 * authors' published notebook. */
#include "arch.h"

static const struct gan_linear affine = {.bias = true, .bias_init = "constant:0"};

/* x -> two layers of linear, norm and tanh. */
static gan_val hidden(gan_nn *nn, gan_val x, const struct gan__norming *norm, int64_t width,
                      bool spectral)
{
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = affine;
    l.out = width;
    l.spectral = spectral;
    x = gan_linear(nn, "main.0", x, l);
    x = gan_tanh(g, gan__arch_norm(nn, "norm1", x, norm));
    x = gan_linear(nn, "main.2", x, l);
    return gan_tanh(g, gan__arch_norm(nn, "norm2", x, norm));
}

static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan_task *t = &o->task;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear last = affine;
    last.out = t->height * t->width * t->channels;
    gan_val flat = gan_linear(nn, "main.4", hidden(nn, in[0], &norm, o->width, false), last);
    gan_val x = gan_unflatten(g, flat, t->height, t->width, t->channels);
    out[0] = t->points ? x : gan_tanh(g, x); /* points lie anywhere */
}

static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "main.4", .bias = true, .bias_init = "constant:0"};
    gan_val x = gan_flatten(gan_nn_graph(nn), in[0]);
    gan__arch_head(nn, hidden(nn, x, &norm, o->width, o->spectral), &head, o, in, out);
}

GAN_ARCH(tanh128) = {
    .name = "tanh128",
    .doc = "two layers of 128 tanh in both networks: points in the plane, small images",
    .paper = "Metz et al. 2017, arXiv:1611.02163, section 3.1",
    .z = 256,
    .width = 128,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .points = true,
    .fit = gan__arch_fit_any,
    .gen = generator,
    .disc = discriminator,
    .init = "orthogonal:1.4",
};
