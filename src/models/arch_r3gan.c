/* arch_r3gan.c: residual networks without norms: grouped bottlenecks, fixed-variance initial weights,
 * a learned basis of 4x4 maps.
 *
 * With L blocks in a network, weights inside a block start with deviation gain L^(-1/4)/sqrt(fan_in),
 * gain sqrt(2/1.04) for leaky ReLU .2, and the last of a block with 0: at the start blocks are
 * identities. Images are enlarged and reduced by the filter [1,3,3,1]/8 ([1,2,1] over repeated pixels).
 * Huang et al. 2024, arXiv:2501.05441; brownvc/R3GAN. */
#include "arch.h"

#include <math.h>

enum { SMALLEST = 16, LARGEST = 256, BLOCKS = 2, SEED = 4, WIDE_UNTIL = 32, EXPANSION = 2 };
enum { GROUPS = 96, CHANNELS_OF_GROUP = 8, EMBEDDING = 64 };

#define MSR "he:.7071067811865476" /* deviation 1/sqrt(fan_in) */

static const double slope = 0.2;

static gan_status fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_doubling(o, SMALLEST, LARGEST, fixed, err);
}

/* 768 up to 32x32, then 384, 192, 96. */
static int64_t width_at(const struct gan__arch_opts *o, int64_t side)
{
    int64_t w = o->width;
    for (; side > WIDE_UNTIL && w > 1; side /= 2) {
        w /= 2;
    }
    return w;
}

/* 96, less in narrow stages; divides the inner channels. */
static int64_t groups_of(int64_t channels)
{
    int64_t n = channels / CHANNELS_OF_GROUP;
    n = n > GROUPS ? GROUPS : n < 1 ? 1 : n;
    while (EXPANSION * channels % n != 0) {
        n--;
    }
    return n;
}

static gan_val conv1(gan_nn *nn, const char *name, gan_val x, int64_t out, const char *init,
                     bool spectral)
{
    return gan_conv(
        nn, name, x,
        (struct gan_conv_layer){.out = out, .kernel = 1, .init = init, .spectral = spectral});
}

/* x + conv1(lrelu(conv3(lrelu(conv1 x)))), the middle one in groups. The last weight starts at 0, which
 * has no spectral norm to divide by. */
static gan_val block(gan_nn *nn, const char *name, gan_val in, int64_t total, bool spectral)
{
    gan_graph *g = gan_nn_graph(nn);
    int64_t channels = gan_dim(g, in, 3), inner = EXPANSION * channels;
    double gain = sqrt(1 / (1 + slope * slope)) * pow((double)total, -0.25);
    struct gan_conv_layer l = {.out = inner,
                               .kernel = 1,
                               .bias = true,
                               .init = gan_nn_format(nn, "he:%.17g", gain),
                               .bias_init = "constant:0",
                               .spectral = spectral};
    gan_val x = gan_conv(nn, gan_nn_format(nn, "%s.conv1", name), in, l);
    l.kernel = 3;
    l.pad = 1;
    l.groups = groups_of(channels);
    x = gan_conv(nn, gan_nn_format(nn, "%s.conv2", name), gan_leaky_relu(g, x, slope), l);
    x = gan_leaky_relu(g, x, slope);
    x = conv1(nn, gan_nn_format(nn, "%s.conv3", name), x, channels, "constant:0", false);
    return gan_add(g, in, x);
}

static gan_val blocks(gan_nn *nn, gan_val x, int stage, int64_t total, bool spectral)
{
    for (int i = 1; i <= BLOCKS; i++) {
        x = block(nn, gan_nn_format(nn, "stage%d.block%d", stage, i), x, total, spectral);
    }
    return x;
}

/* [C,1,4,4]: the outer square of [1,3,3,1]/8, i(3-i)+1 at i. */
static gan_val filter(gan_graph *g, int64_t channels, double scale)
{
    gan_val i = gan_cast(g, gan_iota(g, 4), gan_graph_real(g));
    gan_val row = gan_shift(g, gan_mul(g, i, gan_shift(g, gan_neg(g, i), 3)), 1);
    gan_val square =
        gan_mul(g, gan_reshape(g, row, GAN_SHAPE(4, 1)), gan_reshape(g, row, GAN_SHAPE(1, 4)));
    square = gan_scale(g, gan_reshape(g, square, GAN_SHAPE(1, 1, 4, 4)), scale / 64);
    return gan_broadcast(g, square, GAN_SHAPE(channels, 1, 4, 4));
}

static struct gan_conv geometry(int64_t channels)
{
    return (struct gan_conv){.stride_h = 2,
                             .stride_w = 2,
                             .pad_top = 1,
                             .pad_left = 1,
                             .pad_bottom = 1,
                             .pad_right = 1,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .groups = channels};
}

static gan_val twice(gan_graph *g, gan_val x)
{
    int64_t c = gan_dim(g, x, 3), h = gan_dim(g, x, 1), w = gan_dim(g, x, 2);
    return gan_conv2d_input_grad(g, x, filter(g, c, 4), geometry(c), 2 * h, 2 * w);
}

static gan_val half(gan_graph *g, gan_val x)
{
    int64_t c = gan_dim(g, x, 3);
    return gan_conv2d(g, x, filter(g, c, 1), geometry(c));
}

static int64_t blocks_in_all(const struct gan__arch_opts *o)
{
    int64_t n = 0;
    for (int64_t side = SEED; side <= o->task.height; side *= 2) {
        n += BLOCKS;
    }
    return n;
}

/* The latents, with a learned vector of the class appended. */
static gan_val latents(gan_nn *nn, const gan_val *in, const struct gan__arch_opts *o)
{
    if (o->cond == GAN__COND_NONE) {
        return in[0];
    }
    gan_val e = gan_embedding(nn, "embed", in[1],
                              (struct gan_embedding){.rows = o->task.classes, .dim = EMBEDDING});
    const gan_val parts[] = {in[0], e};
    return gan_concat(gan_nn_graph(nn), parts, 2, 1);
}

/* [N,4,4,C]: each channel's learned map times a linear function of the latents. */
static gan_val basis(gan_nn *nn, gan_val z, int64_t channels)
{
    gan_graph *g = gan_nn_graph(nn);
    static const int nhwc[] = {1, 2, 0};
    gan_val maps = gan_nn_param(nn, &(struct gan_param_spec){.layer = "basis",
                                                             .name = "maps",
                                                             .shape = GAN_SHAPE(channels, 4, 4),
                                                             .init = "normal:0,1"});
    gan_val y = gan_linear(nn, "basis", z, (struct gan_linear){.out = channels, .init = MSR});
    y = gan_reshape(g, y, GAN_SHAPE(gan_dim(g, z, 0), 1, 1, channels));
    return gan_mul(g, gan_transpose(g, maps, nhwc), y);
}

/* z -> basis -> stages, each twice as large -> conv1, without tanh. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    int64_t total = blocks_in_all(o), side = SEED;
    gan_val x = basis(nn, latents(nn, in, o), width_at(o, side));
    x = blocks(nn, x, 1, total, false);
    for (int stage = 2; side < o->task.height; stage++) {
        side *= 2;
        int64_t channels = width_at(o, side);
        if (channels != gan_dim(g, x, 3)) {
            x = conv1(nn, gan_nn_format(nn, "stage%d.narrow", stage), x, channels, MSR, false);
        }
        x = blocks(nn, twice(g, x), stage, total, false);
    }
    out[0] = conv1(nn, "output", x, o->task.channels, MSR, false);
}

/* The mirror image: conv1 -> stages, each half as large -> a 4x4 map for each channel -> score. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__head head = {.name = "output", .init = MSR};
    gan_graph *g = gan_nn_graph(nn);
    int64_t total = blocks_in_all(o), side = o->task.height;
    gan_val x = conv1(nn, "input", in[0], width_at(o, side), MSR, o->spectral);
    x = blocks(nn, x, 1, total, o->spectral);
    for (int stage = 2; side > SEED; stage++) {
        side /= 2;
        x = half(g, x);
        int64_t channels = width_at(o, side);
        if (channels != gan_dim(g, x, 3)) {
            x = conv1(nn, gan_nn_format(nn, "stage%d.widen", stage), x, channels, MSR, o->spectral);
        }
        x = blocks(nn, x, stage, total, o->spectral);
    }
    int64_t channels = gan_dim(g, x, 3);
    struct gan_conv_layer maps = {
        .out = channels, .kernel = SEED, .groups = channels, .init = MSR, .spectral = o->spectral};
    x = gan_flatten(g, gan_conv(nn, "basis", x, maps));
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(r3gan) = {
    .name = "r3gan",
    .doc = "R3GAN's residual networks: grouped convolutions, no norms, 16 to 256 pixels",
    .paper = "Huang et al. 2024, arXiv:2501.05441",
    .z = 64,
    .width = 768,
    .normless = true,
    .knows_label = true,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .fit = fit,
    .gen = generator,
    .disc = discriminator,
};
