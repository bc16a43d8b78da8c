/* arch_robust_resnet.c: the last row of WGAN-GP's robustness table: residual networks of 101 layers.
 *
 * A bottleneck block is ReLU-conv1-ReLU-conv3-ReLU-conv1-norm, added to its input with the factor .3.
 * There are 33 of them: one between each pair of resolutions, the rest spread evenly over the
 * resolutions, 29 over five at 64 pixels as published, 30 over four at 32. With the layers next to
 * latents and image that makes 101. Widths halve from w*size/8 at 4x4 to w, then w/2 at full size.
 * Gulrajani et al. 2017, arXiv:1704.00028, figure 2; gan_64x64 of the code. */
#include "arch.h"

#define GAIN_SQRT2 "glorot-uniform:1.4142135623730951"
#define GAIN_1 "glorot-uniform:1"
#define STRIDED "glorot-uniform:1.4142135623730951,2" /* the fan of stride 2 */

enum { SMALLEST = 32, LARGEST = 64, SEED = 4, BLOCKS = 33 };

static const double branch = 0.3, last_divisor = 5;

enum way { DOWN = -1, SAME = 0, UP = 1 };

static gan_status fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_doubling(o, SMALLEST, LARGEST, fixed, err);
}

static int64_t halved(int64_t channels)
{
    return channels > 1 ? channels / 2 : 1;
}

static gan_val conv1(gan_nn *nn, const char *name, gan_val x, int64_t out, const char *init,
                     bool bias, bool spectral)
{
    return gan_conv(nn, name, x,
                    (struct gan_conv_layer){
                        .out = out, .kernel = 1, .bias = bias, .init = init, .spectral = spectral});
}

/* The middle layer: kernel 3, with stride 2 where the size changes (SAME: one row after). */
static gan_val conv3(gan_nn *nn, const char *name, gan_val x, int64_t out, enum way way,
                     bool spectral)
{
    struct gan_conv_layer l = {.out = out,
                               .kernel = 3,
                               .stride = way == SAME ? 1 : 2,
                               .pad = way == SAME ? 1 : 0,
                               .pad_extra = way == SAME ? 0 : 1,
                               .bias = true,
                               .init = way == SAME ? GAIN_SQRT2 : STRIDED,
                               .spectral = spectral && way != UP};
    return way == UP ? gan_conv_transpose(nn, name, x, l) : gan_conv(nn, name, x, l);
}

/* [N,H,W,4C] -> [N,2H,2W,C]: channel (2i+j)C + c becomes row i, column j. */
static gan_val depth_to_space(gan_graph *g, gan_val x)
{
    static const int interleave[] = {0, 1, 3, 2, 4, 5};
    gan_shape s = gan_shape_get(g, x);
    int64_t c = s.dim[3] / 4;
    x = gan_reshape(g, x, GAN_SHAPE(s.dim[0], s.dim[1], s.dim[2], 2, 2, c));
    x = gan_transpose(g, x, interleave);
    return gan_reshape(g, x, GAN_SHAPE(s.dim[0], 2 * s.dim[1], 2 * s.dim[2], c));
}

static gan_val shortcut(gan_nn *nn, const char *name, gan_val x, int64_t out, enum way way,
                        bool spectral)
{
    gan_graph *g = gan_nn_graph(nn);
    if (way == UP) {
        return depth_to_space(g, conv1(nn, name, x, 4 * out, GAIN_1, true, spectral));
    }
    if (way == SAME && gan_dim(g, x, 3) == out) {
        return x;
    }
    return gan_conv(nn, name, x,
                    (struct gan_conv_layer){.out = out,
                                            .kernel = 1,
                                            .stride = way == DOWN ? 2 : 1,
                                            .bias = true,
                                            .init = GAIN_1,
                                            .spectral = spectral});
}

static gan_val block(gan_nn *nn, const char *name, gan_val in, int64_t out, enum way way,
                     const struct gan__norming *norm, bool spectral)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = conv1(nn, gan_nn_format(nn, "%s.conv1", name), gan_relu(g, in),
                      halved(gan_dim(g, in, 3)), GAIN_SQRT2, true, spectral);
    x = conv3(nn, gan_nn_format(nn, "%s.conv2", name), gan_relu(g, x), halved(out), way, spectral);
    x = conv1(nn, gan_nn_format(nn, "%s.conv3", name), gan_relu(g, x), out, GAIN_SQRT2, false,
              spectral);
    x = gan__arch_norm(nn, gan_nn_format(nn, "%s.norm", name), x, norm);
    gan_val direct = shortcut(nn, gan_nn_format(nn, "%s.shortcut", name), in, out, way, spectral);
    return gan_add(g, direct, gan_scale(g, x, branch));
}

/* Resolutions of 4, 8, .. size. */
static int levels_of(const struct gan__arch_opts *o)
{
    int n = 1;
    for (int64_t side = SEED; side < o->task.height; side *= 2) {
        n++;
    }
    return n;
}

/* Blocks that keep the size at level i of n, from 4x4: what is left over goes to the first levels. */
static int blocks_at(int i, int n)
{
    int same = BLOCKS - (n - 1);
    return same / n + (i < same % n);
}

static int64_t width_at(const struct gan__arch_opts *o, int i, int n)
{
    return i == n - 1 ? halved(o->width) : o->width << (n - 2 - i);
}

static gan_val level(gan_nn *nn, gan_val x, int i, int n, const struct gan__norming *norm,
                     bool spectral)
{
    int64_t channels = gan_dim(gan_nn_graph(nn), x, 3);
    for (int k = 1; k <= blocks_at(i, n); k++) {
        const char *name = gan_nn_format(nn, "level%d.block%d", i + 1, k);
        x = block(nn, name, x, channels, SAME, norm, spectral);
    }
    return x;
}

/* z -> 4x4 -> levels with blocks up between them -> conv1 -> tanh(x/5). */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    int n = levels_of(o);
    int64_t channels = width_at(o, 0, n);
    gan_val x = gan_linear(
        nn, "input", in[0],
        (struct gan_linear){.out = SEED * SEED * channels, .bias = true, .init = GAIN_1});
    x = level(nn, gan_unflatten(g, x, SEED, SEED, channels), 0, n, &norm, false);
    for (int i = 1; i < n; i++) {
        x = block(nn, gan_nn_format(nn, "up%d", i), x, width_at(o, i, n), UP, &norm, false);
        x = level(nn, x, i, n, &norm, false);
    }
    x = conv1(nn, "output", x, o->task.channels, GAIN_1, true, false);
    out[0] = gan_tanh(g, gan_scale(g, x, 1 / last_divisor));
}

/* The mirror image: conv1 -> levels with blocks down between them -> score/5. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "output", .bias = true, .init = GAIN_1};
    int n = levels_of(o);
    gan_val x = conv1(nn, "input", in[0], width_at(o, n - 1, n), GAIN_1, true, o->spectral);
    x = level(nn, x, n - 1, n, &norm, o->spectral);
    for (int i = n - 2; i >= 0; i--) {
        const char *name = gan_nn_format(nn, "down%d", n - 1 - i);
        x = block(nn, name, x, width_at(o, i, n), DOWN, &norm, o->spectral);
        x = level(nn, x, i, n, &norm, o->spectral);
    }
    gan__arch_head(nn, x, &head, o, in, out);
    out[0] = gan_scale(gan_nn_graph(nn), out[0], 1 / last_divisor);
}

GAN_ARCH(robust_resnet101) = {
    .name = "robust-resnet101",
    .doc = "robustness table, row 7: residual networks of 101 layers, 32 or 64 pixels",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028, figure 2",
    .z = 128,
    .width = 64,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_BATCH,
    .init = "glorot-uniform",
    .fit = fit,
    .gen = generator,
    .disc = discriminator,
};
