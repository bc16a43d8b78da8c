/* arch_resnet.c: residual networks of WGAN-GP and SNGAN.
 *
 * A block is norm-ReLU-[up]-conv3-norm-ReLU-conv3-[mean] plus a shortcut: 1x1 where channels or size
 * change, else the input itself. Up repeats pixels before a convolution; down takes the mean of 2x2
 * after one. Gulrajani et al. 2017, arXiv:1704.00028 (gan_cifar_resnet; gan_64x64's "good" networks);
 * Miyato et al. 2018, arXiv:1802.05957. */
#include "arch.h"

#define GAIN_SQRT2 "glorot-uniform:1.4142135623730951"
#define GAIN_1 "glorot-uniform:1"

/* What the blocks of a network have in common. */
struct style {
    struct gan__norming norm;
    bool first_bias; /* of a block's first convolution */
    bool spectral;
};

enum resample { DOWN = -1, SAME = 0, UP = 1 };

static gan_val conv(gan_nn *nn, const char *name, gan_val x, int64_t out, int64_t kernel,
                    const struct style *s)
{
    return gan_conv(nn, name, x,
                    (struct gan_conv_layer){.out = out,
                                            .kernel = kernel,
                                            .pad = kernel / 2,
                                            .bias = true,
                                            .init = kernel == 1 ? GAIN_1 : GAIN_SQRT2,
                                            .spectral = s->spectral});
}

static gan_val twice(gan_graph *g, gan_val x)
{
    return gan_resize(g, x, 2 * gan_dim(g, x, 1), 2 * gan_dim(g, x, 2), GAN_RESIZE_NEAREST);
}

static gan_val half(gan_graph *g, gan_val x)
{
    return gan_avg_pool(g, x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
}

static gan_val block(gan_nn *nn, const char *name, gan_val in, int64_t out, enum resample way,
                     const struct style *s)
{
    gan_graph *g = gan_nn_graph(nn);
    int64_t channels = gan_dim(g, in, 3), inner = way == DOWN ? channels : out;
    gan_val x = gan_relu(g, gan__arch_norm(nn, gan_nn_format(nn, "%s.norm1", name), in, &s->norm));
    x = gan_conv(nn, gan_nn_format(nn, "%s.conv1", name), way == UP ? twice(g, x) : x,
                 (struct gan_conv_layer){.out = inner,
                                         .kernel = 3,
                                         .pad = 1,
                                         .bias = s->first_bias,
                                         .init = GAIN_SQRT2,
                                         .spectral = s->spectral});
    x = gan_relu(g, gan__arch_norm(nn, gan_nn_format(nn, "%s.norm2", name), x, &s->norm));
    x = conv(nn, gan_nn_format(nn, "%s.conv2", name), x, out, 3, s);
    gan_val shortcut = way == UP ? twice(g, in) : in;
    if (way != SAME || channels != out) {
        shortcut = conv(nn, gan_nn_format(nn, "%s.shortcut", name), shortcut, out, 1, s);
    }
    return way == DOWN ? half(g, gan_add(g, x, shortcut)) : gan_add(g, x, shortcut);
}

/* The critic's first block: no activation before the image, the shortcut's mean comes first. */
static gan_val first_block(gan_nn *nn, const char *name, gan_val in, int64_t out,
                           const struct style *s)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_relu(g, conv(nn, gan_nn_format(nn, "%s.conv1", name), in, out, 3, s));
    x = half(g, conv(nn, gan_nn_format(nn, "%s.conv2", name), x, out, 3, s));
    gan_val shortcut = conv(nn, gan_nn_format(nn, "%s.shortcut", name), half(g, in), out, 1, s);
    return gan_add(g, x, shortcut);
}

/* z -> [N,4,4,channels] */
static gan_val seed(gan_nn *nn, gan_val z, int64_t channels)
{
    struct gan_linear l = {.out = 4 * 4 * channels, .bias = true, .init = GAIN_1};
    return gan_unflatten(gan_nn_graph(nn), gan_linear(nn, "input", z, l), 4, 4, channels);
}

/* Last norm, ReLU, convolution to pixels, tanh. */
static gan_val pixels(gan_nn *nn, gan_val x, int64_t channels, const struct style *s)
{
    gan_graph *g = gan_nn_graph(nn);
    x = gan_relu(g, gan__arch_norm(nn, "norm", x, &s->norm));
    return gan_tanh(
        g, gan_conv(nn, "output", x,
                    (struct gan_conv_layer){
                        .out = channels, .kernel = 3, .pad = 1, .bias = true, .init = GAIN_1}));
}

/* --- 32x32 -------------------------------------------------------------------------------------- */

static gan_status fit32(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_size(o, 32, fixed, err);
}

/* z -> 4x4 -> three blocks up at one width -> image. */
static gan_val generator32(gan_nn *nn, const gan_val *in, int64_t width,
                           const struct gan__arch_opts *o)
{
    const struct style s = {.norm = gan__arch_norm_gen(o, in), .first_bias = true};
    gan_val x = seed(nn, in[0], width);
    for (int i = 1; i <= 3; i++) {
        x = block(nn, gan_nn_format(nn, "block%d", i), x, width, UP, &s);
    }
    return pixels(nn, x, o->task.channels, &s);
}

/* Image -> 16x16 -> 8x8 -> two blocks -> ReLU: features [N,8,8,w]. */
static gan_val features32(gan_nn *nn, gan_val image, const struct gan__arch_opts *o)
{
    const struct style s = {
        .norm = gan__arch_norm_disc(o), .first_bias = true, .spectral = o->spectral};
    gan_val x = first_block(nn, "block1", image, o->width, &s);
    x = block(nn, "block2", x, o->width, DOWN, &s);
    x = block(nn, "block3", x, o->width, SAME, &s);
    x = block(nn, "block4", x, o->width, SAME, &s);
    return gan_relu(gan_nn_graph(nn), x);
}

static void wgan_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    out[0] = generator32(nn, in, o->width, o);
}

static void wgan_critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_mean(g, features32(nn, in[0], o), GAN_AXIS(1) | GAN_AXIS(2), false);
    const struct gan__head head = {.name = "output", .bias = true, .init = GAIN_1};
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(resnet_cifar) = {
    .name = "resnet-cifar",
    .doc = "WGAN-GP's residual networks for 32x32 images: batch norm in G, none in D",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_cifar_resnet)",
    .z = 128,
    .width = 128,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .init = "glorot-uniform",
    .fit = fit32,
    .gen = wgan_generator,
    .disc = wgan_critic,
};

static void sngan_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    out[0] = generator32(nn, in, 2 * o->width, o);
}

/* Features are summed, not averaged; the last layer has no bias. */
static void sngan_critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_sum(g, features32(nn, in[0], o), GAN_AXIS(1) | GAN_AXIS(2), false);
    const struct gan__head head = {.name = "output", .init = GAIN_1};
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(sngan_resnet) = {
    .name = "sngan-resnet",
    .doc = "SNGAN's residual networks for 32x32 images; G is twice as wide as D",
    .paper = "Miyato et al. 2018, arXiv:1802.05957, table 4",
    .z = 128,
    .width = 128,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .init = "glorot-uniform",
    .fit = fit32,
    .gen = sngan_generator,
    .disc = sngan_critic,
};

/* --- 64x64 -------------------------------------------------------------------------------------- */

static gan_status fit64(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_size(o, 64, fixed, err);
}

/* z -> 4x4x8w -> blocks up to 8w, 4w, 2w, w -> image. */
static void good_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct style s = {.norm = gan__arch_norm_gen(o, in)};
    gan_val x = seed(nn, in[0], 8 * o->width);
    for (int i = 1; i <= 4; i++) {
        x = block(nn, gan_nn_format(nn, "block%d", i), x, o->width << (4 - i), UP, &s);
    }
    out[0] = pixels(nn, x, o->task.channels, &s);
}

/* Image -> conv3 to w -> blocks down to 2w, 4w, 8w, 8w at 4x4 -> score. */
static void good_critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct style s = {.norm = gan__arch_norm_disc(o), .spectral = o->spectral};
    gan_val x = gan_conv(nn, "input", in[0],
                         (struct gan_conv_layer){.out = o->width,
                                                 .kernel = 3,
                                                 .pad = 1,
                                                 .bias = true,
                                                 .init = GAIN_1,
                                                 .spectral = o->spectral});
    for (int i = 1; i <= 4; i++) {
        int64_t channels = o->width << (i < 3 ? i : 3);
        x = block(nn, gan_nn_format(nn, "block%d", i), x, channels, DOWN, &s);
    }
    const struct gan__head head = {.name = "output", .bias = true, .init = GAIN_1};
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(good64) = {
    .name = "good64",
    .doc = "WGAN-GP's residual networks for 64x64 images: batch norm in G, layer norm in D",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028 (gan_64x64, GoodGenerator)",
    .z = 128,
    .width = 64,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_LAYER,
    .init = "glorot-uniform",
    .fit = fit64,
    .gen = good_generator,
    .disc = good_critic,
};
