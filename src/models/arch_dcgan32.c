/* arch_dcgan32.c: the small convolutional GAN of PyTorch-GAN: G enlarges by repeating pixels, D has
 * dropout of channels.
 *
 * After Radford, Metz, Chintala 2015, arXiv:1511.06434; layers and names follow PyTorch-GAN `dcgan`,
 * except for its batch norm's epsilon of .8, a slip for the momentum: here 1e-5. */
#include "arch.h"

static gan_status fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_size(o, 32, fixed, err);
}

static gan_val conv(gan_nn *nn, const char *name, gan_val x, int64_t out, int64_t stride,
                    bool spectral)
{
    return gan_conv(nn, name, x,
                    (struct gan_conv_layer){.out = out,
                                            .kernel = 3,
                                            .stride = stride,
                                            .pad = 1,
                                            .bias = true,
                                            .init = "normal:0,.02",
                                            .spectral = spectral});
}

static gan_val twice(gan_graph *g, gan_val x)
{
    return gan_resize(g, x, 2 * gan_dim(g, x, 1), 2 * gan_dim(g, x, 2), GAN_RESIZE_NEAREST);
}

/* z -> norm(8x8x2w) -> 16x16x2w -> 32x32xw -> tanh image. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    int64_t w = o->width;
    gan_val x =
        gan_linear(nn, "l1.0", in[0], (struct gan_linear){.out = 8 * 8 * 2 * w, .bias = true});
    x = gan_unflatten(g, x, 8, 8, 2 * w);
    x = gan__arch_norm(nn, "conv_blocks.0", x, &norm);
    x = conv(nn, "conv_blocks.2", twice(g, x), 2 * w, 1, false);
    x = gan_leaky_relu(g, gan__arch_norm(nn, "conv_blocks.3", x, &norm), 0.2);
    x = conv(nn, "conv_blocks.6", twice(g, x), w, 1, false);
    x = gan_leaky_relu(g, gan__arch_norm(nn, "conv_blocks.7", x, &norm), 0.2);
    out[0] = gan_tanh(g, conv(nn, "conv_blocks.9", x, o->task.channels, 1, false));
}

/* Image -> w/4, w/2, w, 2w channels, each leaky ReLU, dropout, norm (not the first) -> 2x2 -> score. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "adv_layer.0", .bias = true};
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = in[0];
    double dropout = o->dropout > 0 ? o->dropout : o->dropout < 0 ? 0 : 0.25;
    int layer = 0;
    for (int i = 0; i < 4; i++) {
        int64_t channels = o->width > 4 ? (o->width << i) / 4 : 1 << i;
        x = conv(nn, gan_nn_format(nn, "model.%d", layer), x, channels, 2, o->spectral);
        x = gan_leaky_relu(g, x, o->slope);
        x = gan_dropout_channels(nn, gan_nn_format(nn, "model.%d", layer + 2), x, dropout);
        layer += 3;
        if (i > 0) {
            x = gan__arch_norm(nn, gan_nn_format(nn, "model.%d", layer++), x, &norm);
        }
    }
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(dcgan32) = {
    .name = "dcgan32",
    .doc = "small convolutional networks for 32x32 images, dropout in D",
    .paper = "Radford, Metz, Chintala 2015, arXiv:1511.06434 (PyTorch-GAN `dcgan`)",
    .z = 100,
    .width = 64,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_BATCH,
    .fit = fit,
    .gen = generator,
    .disc = discriminator,
};
