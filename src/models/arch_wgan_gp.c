/* arch_wgan_gp.c: the convolutional networks of the WGAN-GP code: kernels of 5, TensorFlow's SAME
 * padding, its own initial weights.
 *
 * Gulrajani et al. 2017, arXiv:1704.00028; igul222/improved_wgan_training, gan_mnist and gan_cifar. */
#include "arch.h"

/* Uniform weights; He's gain of sqrt 2 in convolutions, with the fan of stride 2. */
#define CONV_INIT "glorot-uniform:1.4142135623730951,2"
#define LINEAR_INIT "glorot-uniform:1"

static gan_val normed(gan_nn *nn, const char *name, gan_val x, const struct gan__norming *norm)
{
    return gan_relu(gan_nn_graph(nn), gan__arch_norm(nn, name, x, norm));
}

/* z -> [N,4,4,channels], norm over features as the code has it. */
static gan_val seed(gan_nn *nn, gan_val z, int64_t channels, const struct gan__norming *norm)
{
    struct gan_linear l = {.out = 4 * 4 * channels, .bias = true, .init = LINEAR_INIT};
    gan_val x = normed(nn, "norm0", gan_linear(nn, "input", z, l), norm);
    return gan_unflatten(gan_nn_graph(nn), x, 4, 4, channels);
}

/* Image -> halved three times to w, 2w, 4w -> score. */
static void critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "output", .bias = true, .init = LINEAR_INIT};
    gan_val x = gan_leaky_relu(
        g, gan__arch_halve5(nn, "conv1", in[0], o->width, CONV_INIT, o->spectral), o->slope);
    x = gan__arch_halve5(nn, "conv2", x, 2 * o->width, CONV_INIT, o->spectral);
    x = gan_leaky_relu(g, gan__arch_norm(nn, "norm2", x, &norm), o->slope);
    x = gan__arch_halve5(nn, "conv3", x, 4 * o->width, CONV_INIT, o->spectral);
    x = gan_leaky_relu(g, gan__arch_norm(nn, "norm3", x, &norm), o->slope);
    gan__arch_head(nn, x, &head, o, in, out);
}

static gan_status mnist_fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    gan_status status = gan__arch_fit_size(o, 28, fixed, err);
    o->task.range = GAN_RANGE_UNIT;
    return status;
}

/* z -> 4x4x4w -> 8x8x2w, the last row and column cut off -> 14x14xw -> sigmoid image. */
static void mnist_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_val x = seed(nn, in[0], 4 * o->width, &norm);
    x = normed(nn, "norm1", gan__arch_double5(nn, "deconv1", x, 2 * o->width, CONV_INIT), &norm);
    x = gan_slice_axis(g, gan_slice_axis(g, x, 1, 0, 7), 2, 0, 7);
    x = normed(nn, "norm2", gan__arch_double5(nn, "deconv2", x, o->width, CONV_INIT), &norm);
    out[0] = gan_sigmoid(g, gan__arch_double5(nn, "deconv3", x, o->task.channels, CONV_INIT));
}

GAN_ARCH(wgan_gp_mnist) = {
    .name = "wgan-gp-mnist",
    .doc = "WGAN-GP's networks for 28x28 images: kernels of 5, no norm, pixels in [0,1]",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_mnist)",
    .z = 128,
    .width = 64,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .init = "glorot-uniform",
    .fit = mnist_fit,
    .gen = mnist_generator,
    .disc = critic,
};

static gan_status cifar_fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_size(o, 32, fixed, err);
}

/* z -> 4x4x4w -> 8x8x2w -> 16x16xw -> tanh image. */
static void cifar_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_val x = seed(nn, in[0], 4 * o->width, &norm);
    x = normed(nn, "norm1", gan__arch_double5(nn, "deconv1", x, 2 * o->width, CONV_INIT), &norm);
    x = normed(nn, "norm2", gan__arch_double5(nn, "deconv2", x, o->width, CONV_INIT), &norm);
    out[0] = gan_tanh(gan_nn_graph(nn),
                      gan__arch_double5(nn, "deconv3", x, o->task.channels, CONV_INIT));
}

GAN_ARCH(wgan_gp_cifar) = {
    .name = "wgan-gp-cifar",
    .doc = "WGAN-GP's DCGAN for 32x32 images: kernels of 5, batch norm in G, none in D",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_cifar)",
    .z = 128,
    .width = 128,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .init = "glorot-uniform",
    .fit = cifar_fit,
    .gen = cifar_generator,
    .disc = critic,
};
