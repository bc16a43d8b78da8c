/* arch_pacgan.c: the networks in which modes of points in the plane are counted.
 *
 * Lin et al. 2018, arXiv:1712.04086, section 4.1; from Srivastava et al. 2017, arXiv:1705.07761. */
#include "arch.h"

enum { LAYERS_GEN = 4, LAYERS_DISC = 3, PIECES = 5 };

/* z -> four times w linear, norm, ReLU -> linear. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan_task *t = &o->task;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {.out = o->width, .bias = true};
    gan_val x = in[0];
    for (int i = 1; i <= LAYERS_GEN; i++) {
        x = gan_linear(nn, gan_nn_format(nn, "fc%d", i), x, l);
        x = gan_relu(g, gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i), x, &norm));
    }
    l.out = t->height * t->width * t->channels;
    x = gan_linear(nn, "output", x, l);
    out[0] = gan_unflatten(g, x, t->height, t->width, t->channels);
}

/* Points -> three times w/2 maxout units -> score. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "output", .bias = true};
    gan_val x = gan_flatten(gan_nn_graph(nn), in[0]);
    const struct gan_maxout l = {
        .units = o->width > 1 ? o->width / 2 : 1, .pieces = PIECES, .spectral = o->spectral};
    for (int i = 1; i <= LAYERS_DISC; i++) {
        x = gan_maxout(nn, gan_nn_format(nn, "maxout%d", i), x, l);
        x = gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i), x, &norm);
    }
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(pacgan) = {
    .name = "pacgan",
    .doc = "four layers of 400 ReLU with batch norm in G, three of 200 maxout in D: points",
    .paper = "Lin et al. 2018, arXiv:1712.04086, section 4.1",
    .z = 2,
    .width = 400,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .points = true,
    .init = "normal:0,.02",
    .fit = gan__arch_fit_any,
    .gen = generator,
    .disc = discriminator,
};
