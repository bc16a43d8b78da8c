/* net_resnet.c: the residual generator of style transfer. Johnson et al. 2016, arXiv:1603.08155, with
 * the reflection padding of Zhu et al. 2017, arXiv:1703.10593. The numbers in the names count the
 * padding and activation layers of the reference too. */
#include "net_image.h"

struct resnet {
    gan_nn *nn;
    gan_graph *g;
    const struct gan__image_net *o;
};

/* Convolution, norm. */
static gan_val conv_norm(const struct resnet *r, const char *prefix, int at, gan_val x,
                         struct gan_conv_layer c)
{
    c.bias = r->o->norm != GAN__NORM_BATCH;
    x = gan_conv(r->nn, gan_nn_format(r->nn, "%s.%d", prefix, at), x, c);
    return gan__image_norm(r->nn, gan_nn_format(r->nn, "%s.%d", prefix, at + 1), x, r->o);
}

/* x + norm(conv(dropout(relu(norm(conv(x)))))) */
static gan_val block(const struct resnet *r, int at, gan_val x)
{
    const char *prefix = gan_nn_format(r->nn, "model.%d.conv_block", at);
    struct gan_conv_layer c = {
        .out = gan_dim(r->g, x, 3), .kernel = 3, .pad = 1, .pad_mode = GAN_PAD_REFLECT};
    bool drop = r->o->dropout > 0; /* takes a number in the names */
    gan_val y = gan_relu(r->g, conv_norm(r, prefix, 1, x, c));
    y = gan__image_dropout(r->nn, gan_nn_format(r->nn, "%s.4", prefix), y, r->o->dropout);
    return gan_add(r->g, x, conv_norm(r, prefix, drop ? 6 : 5, y, c));
}

/* To twice the size by repetition of pixels and a convolution, which leaves no checkerboard. Odena,
 * Dumoulin, Olah 2016, "Deconvolution and checkerboard artifacts". */
static gan_val doubled_by_resize(const struct resnet *r, int at, gan_val x)
{
    int64_t h = gan_dim(r->g, x, 1), w = gan_dim(r->g, x, 2), out = gan_dim(r->g, x, 3) / 2;
    struct gan_conv_layer c = {.out = out, .kernel = 3, .pad = 1, .pad_mode = GAN_PAD_REFLECT};
    x = gan_resize(r->g, x, 2 * h, 2 * w, GAN_RESIZE_NEAREST);
    return gan_relu(r->g, conv_norm(r, "model", at, x, c));
}

/* Transposed convolution to twice the size, norm, ReLU. */
static gan_val doubled(const struct resnet *r, int at, gan_val x)
{
    if (r->o->resize) {
        return doubled_by_resize(r, at, x);
    }
    struct gan_conv_layer c = {.out = gan_dim(r->g, x, 3) / 2, .kernel = 3, .stride = 2, .pad = 1};
    c.output_pad = 1;
    c.bias = r->o->norm != GAN__NORM_BATCH;
    x = gan_conv_transpose(r->nn, gan_nn_format(r->nn, "model.%d", at), x, c);
    x = gan__image_norm(r->nn, gan_nn_format(r->nn, "model.%d", at + 1), x, r->o);
    return gan_relu(r->g, x);
}

gan_val gan__resnet(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t blocks,
                    int64_t out_channels)
{
    struct resnet r = {nn, gan_nn_graph(nn), o};
    struct gan_conv_layer wide = {
        .out = o->width, .kernel = 7, .pad = 3, .pad_mode = GAN_PAD_REFLECT};
    x = gan_relu(r.g, conv_norm(&r, "model", 1, x, wide));
    for (int i = 1; i <= 2; i++) {
        struct gan_conv_layer half = {.out = o->width << i, .kernel = 3, .stride = 2, .pad = 1};
        x = gan_relu(r.g, conv_norm(&r, "model", 1 + 3 * i, x, half));
    }
    int at = 10;
    for (int64_t i = 0; i < blocks; i++) {
        x = block(&r, at++, x);
    }
    x = doubled(&r, at, x);
    x = doubled(&r, at + 3, x);
    wide.out = out_channels;
    wide.bias = true;
    return gan_tanh(r.g, gan_conv(nn, gan_nn_format(nn, "model.%d", at + 7), x, wide));
}
