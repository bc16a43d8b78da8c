/* net_patchgan.c: discriminators that judge patches. Isola et al. 2017, arXiv:1611.07004, section
 * 3.2.2. */
#include "net_image.h"

/* Convolution without or with norm, leaky ReLU. */
static gan_val layer(gan_nn *nn, const char *prefix, int at, gan_val x, struct gan_conv_layer c,
                     const struct gan__image_net *norm)
{
    x = gan_conv(nn, gan_nn_format(nn, "%s.%d", prefix, at), x, c);
    if (norm) {
        x = gan__image_norm(nn, gan_nn_format(nn, "%s.%d", prefix, at + 1), x, norm);
    }
    return gan_leaky_relu(gan_nn_graph(nn), x, 0.2);
}

gan_val gan__patchgan(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t layers)
{
    struct gan_conv_layer c = {.out = o->width, .kernel = 4, .stride = 2, .bias = true};
    c.pad = o->pad > 0 ? o->pad : 1;
    int at = 2;
    x = layer(nn, "model", 0, x, c, NULL);
    c.bias = o->norm != GAN__NORM_BATCH;
    for (int64_t i = 1; i <= layers; i++, at += 3) {
        c.out = o->width << (i < 3 ? i : 3);
        c.stride = i < layers ? 2 : 1;
        x = layer(nn, "model", at, x, c, o);
    }
    c.out = 1;
    c.stride = 1;
    c.bias = true;
    return gan_conv(nn, gan_nn_format(nn, "model.%d", at), x, c);
}

int64_t gan__patchgan_least(int64_t layers)
{
    return (int64_t)3 << layers; /* 3 pixels are left for the two convolutions of stride 1 */
}

gan_val gan__pixelgan(gan_nn *nn, gan_val x, const struct gan__image_net *o)
{
    struct gan_conv_layer c = {.out = o->width, .kernel = 1, .bias = true};
    x = layer(nn, "net", 0, x, c, NULL);
    c.out = 2 * o->width;
    c.bias = o->norm != GAN__NORM_BATCH;
    x = layer(nn, "net", 2, x, c, o);
    c.out = 1;
    return gan_conv(nn, "net.5", x, c);
}
