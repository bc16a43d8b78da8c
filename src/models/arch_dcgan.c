/* arch_dcgan.c: strided convolutions in D, fractionally-strided ones in G, a norm everywhere but at
 * G's output and D's input, ReLU in G with tanh at the end, leaky ReLU in D.
 *
 * Radford, Metz, Chintala 2015, arXiv:1511.06434; layers and names follow pytorch/examples. The norm
 * is an option: a critic whose slope is penalised needs one that keeps samples apart. Convolutions
 * have a bias only where no norm follows that brings its own. */
#include "arch.h"
#include "base/err.h"

enum { SMALLEST = 16, LARGEST = 256 };

static gan_status fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    GAN_TRY(gan__arch_fit_doubling(o, SMALLEST, LARGEST, fixed, err));
    if (o->width == 0) {
        o->width = o->task.height <= 32 ? 32 : 64;
    }
    return GAN_OK;
}

/* z [N,Z] -> [N,4,4,w*size/8] -> doubling to half the size -> tanh image. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    bool bias = o->norm_gen == GAN__NORM_NONE;
    int64_t channels = o->width * o->task.height / 8;
    gan_val x = gan_unflatten(g, in[0], 1, 1, gan_dim(g, in[0], 1));
    x = gan_conv_transpose(nn, "main.0", x,
                           (struct gan_conv_layer){.out = channels, .kernel = 4, .bias = bias});
    x = gan_relu(g, gan__arch_norm(nn, "main.1", x, &norm));
    int layer = 3;
    while (channels > o->width) {
        channels /= 2;
        x = gan_conv_transpose(
            nn, gan_nn_format(nn, "main.%d", layer), x,
            (struct gan_conv_layer){
                .out = channels, .kernel = 4, .stride = 2, .pad = 1, .bias = bias});
        x = gan__arch_norm(nn, gan_nn_format(nn, "main.%d", layer + 1), x, &norm);
        x = gan_relu(g, x);
        layer += 3;
    }
    x = gan_conv_transpose(
        nn, gan_nn_format(nn, "main.%d", layer), x,
        (struct gan_conv_layer){.out = o->task.channels, .kernel = 4, .stride = 2, .pad = 1});
    out[0] = gan_tanh(g, x);
}

/* Image -> halving to 4x4 -> score. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan__norming norm = gan__arch_norm_disc(o);
    struct gan_conv_layer conv = {
        .out = o->width, .kernel = 4, .stride = 2, .pad = 1, .spectral = o->spectral};
    gan_val x = gan_leaky_relu(g, gan_conv(nn, "main.0", in[0], conv), o->slope);
    conv.bias = o->norm_disc == GAN__NORM_NONE;
    int layer = 2;
    while (gan_dim(g, x, 1) > 4) {
        conv.out *= 2;
        x = gan_conv(nn, gan_nn_format(nn, "main.%d", layer), x, conv);
        x = gan__arch_norm(nn, gan_nn_format(nn, "main.%d", layer + 1), x, &norm);
        x = gan_leaky_relu(g, x, o->slope);
        layer += 3;
    }
    const struct gan__head head = {.name = gan_nn_format(nn, "main.%d", layer), .map = true};
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(dcgan) = {
    .name = "dcgan",
    .doc = "deep convolutional GAN: images of 16 to 256 pixels",
    .paper = "Radford, Metz, Chintala 2015, arXiv:1511.06434",
    .z = 100,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_BATCH,
    .init = "dcgan",
    .fit = fit,
    .gen = generator,
    .disc = discriminator,
};
