/* net_unet.c: encoder and decoder of equal depth, with a skip connection at every size. Isola et al.
 * 2017, arXiv:1611.07004. In the reference each size is a block that holds the next smaller one, so
 * the names nest: "model.model.1.model.3.model.1.weight". */
#include "base/str.h"
#include "net_image.h"

enum { DEEPEST = 10, NAME = 192 };

struct unet {
    gan_nn *nn;
    gan_graph *g;
    const struct gan__image_net *o;
    int64_t depth;
    char block[DEEPEST][NAME]; /* names of the blocks, outermost first */
};

/* Channels after halving number d, from 0: width, 2, 4, 8, 8, ... */
static int64_t channels_at(const struct unet *u, int64_t d)
{
    return u->o->width << (d < 3 ? d : 3);
}

static const char *part(const struct unet *u, int64_t d, int index)
{
    return gan_nn_format(u->nn, "%s.%d", u->block[d], index);
}

static void name_blocks(struct unet *u)
{
    (void)gan__copy(u->block[0], NAME, "model.model");
    for (int64_t d = 1; d < u->depth; d++) {
        (void)gan__format(u->block[d], NAME, "%s.%d.model", u->block[d - 1], d == 1 ? 1 : 3);
    }
}

/* Leaky ReLU, convolution, norm; no activation on the image, no norm outermost and innermost. */
static gan_val down(const struct unet *u, int64_t d, gan_val x)
{
    struct gan_conv_layer c = {.out = channels_at(u, d), .kernel = 4, .stride = 2, .pad = 1};
    c.bias = u->o->norm != GAN__NORM_BATCH;
    if (d > 0) {
        x = gan_leaky_relu(u->g, x, 0.2);
    }
    x = gan_conv(u->nn, part(u, d, d == 0 ? 0 : 1), x, c);
    bool norm = d > 0 && d < u->depth - 1;
    return norm ? gan__image_norm(u->nn, part(u, d, 2), x, u->o) : x;
}

/* ReLU, transposed convolution, norm, dropout behind the innermost sizes. */
static gan_val up(const struct unet *u, int64_t d, gan_val x)
{
    bool innermost = d == u->depth - 1;
    int at = innermost ? 3 : 5;
    struct gan_conv_layer c = {.out = channels_at(u, d - 1), .kernel = 4, .stride = 2, .pad = 1};
    c.bias = u->o->norm != GAN__NORM_BATCH;
    x = gan_conv_transpose(u->nn, part(u, d, at), gan_relu(u->g, x), c);
    x = gan__image_norm(u->nn, part(u, d, at + 1), x, u->o);
    bool drop = d > 3 && !innermost;
    return drop ? gan__image_dropout(u->nn, part(u, d, at + 2), x, u->o->dropout) : x;
}

gan_val gan__unet(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t depth,
                  int64_t out_channels)
{
    struct unet u = {.nn = nn, .g = gan_nn_graph(nn), .o = o, .depth = depth};
    gan_val skip[DEEPEST];
    if (depth < 2 || depth > DEEPEST) {
        return gan_graph_fail(u.g, GAN_E_RANGE, "a U-Net of depth %lld, allowed 2 to %d",
                              (long long)depth, DEEPEST);
    }
    name_blocks(&u);
    for (int64_t d = 0; d < depth; d++) {
        x = skip[d] = down(&u, d, x);
    }
    for (int64_t d = depth - 1; d > 0; d--) {
        const gan_val both[] = {skip[d - 1], up(&u, d, x)};
        x = gan_concat(u.g, both, 2, 3);
    }
    struct gan_conv_layer last = {
        .out = out_channels, .kernel = 4, .stride = 2, .pad = 1, .bias = true};
    return gan_tanh(u.g, gan_conv_transpose(nn, part(&u, 0, 3), gan_relu(u.g, x), last));
}
