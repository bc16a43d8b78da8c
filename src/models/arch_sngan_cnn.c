/* arch_sngan_cnn.c: SNGAN's plain convolutional networks. The paper's slope in D is .1 (--slope).
 *
 * Miyato et al. 2018, arXiv:1802.05957, table 3. */
#include "arch.h"

#define INIT "glorot-uniform:1"

enum { SMALLEST = 32, LARGEST = 64 };

static gan_status fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_doubling(o, SMALLEST, LARGEST, fixed, err);
}

/* z -> an eighth of the size at 8w -> three doublings to 4w, 2w, w -> tanh image. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    int64_t side = o->task.height / 8, w = o->width;
    gan_val x =
        gan_linear(nn, "dense", in[0],
                   (struct gan_linear){.out = side * side * 8 * w, .bias = true, .init = INIT});
    x = gan_unflatten(g, x, side, side, 8 * w);
    for (int i = 1; i <= 3; i++) {
        struct gan_conv_layer l = {
            .out = 8 * w >> i, .kernel = 4, .stride = 2, .pad = 1, .bias = true, .init = INIT};
        x = gan_conv_transpose(nn, gan_nn_format(nn, "deconv%d", i), x, l);
        x = gan_relu(g, gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i), x, &norm));
    }
    struct gan_conv_layer last = {
        .out = o->task.channels, .kernel = 3, .pad = 1, .bias = true, .init = INIT};
    out[0] = gan_tanh(g, gan_conv(nn, "output", x, last));
}

/* Image -> pairs of a kernel of 3 and one of 4 that halves, at w, 2w, 4w -> kernel of 3 to 8w ->
 * score. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "output", .bias = true, .init = INIT};
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = in[0];
    for (int i = 0; i < 7; i++) {
        bool halve = i % 2 != 0;
        struct gan_conv_layer l = {.out = o->width << i / 2,
                                   .kernel = halve ? 4 : 3,
                                   .stride = halve ? 2 : 1,
                                   .pad = 1,
                                   .bias = true,
                                   .init = INIT,
                                   .spectral = o->spectral};
        x = gan_conv(nn, gan_nn_format(nn, "conv%d", i + 1), x, l);
        if (i > 0) {
            x = gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i + 1), x, &norm);
        }
        x = gan_leaky_relu(g, x, o->slope);
    }
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(sngan_cnn) = {
    .name = "sngan-cnn",
    .doc = "SNGAN's convolutional networks for images of 32 or 64 pixels; slope .1 in the paper",
    .paper = "Miyato et al. 2018, arXiv:1802.05957, table 3",
    .z = 128,
    .width = 64,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .init = "glorot-uniform",
    .fit = fit,
    .gen = generator,
    .disc = discriminator,
};
