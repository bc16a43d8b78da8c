/* net_fpn.c: a U-Net's encoder under a feature pyramid: what is seen at five sizes is added from coarse to
 * fine, each size is judged by a head of its own, and the heads together make the image.
 *
 * Lin et al. 2017, "Feature pyramid networks", arXiv:1612.03144; as a generator Kupyn et al. 2019
 * (DeblurGAN-v2), arXiv:1908.03826, with the encoder of Isola et al. 2017, arXiv:1611.07004, in the
 * place of a pretrained one. */
#include "net_image.h"

enum { LEVELS = 5, MAPS = 4 };

struct fpn {
    gan_nn *nn;
    gan_graph *g;
    const struct gan__image_net *o;
};

static gan_val conv3(const struct fpn *f, const char *name, gan_val x, int64_t out, bool bias)
{
    return gan_conv(f->nn, name, x,
                    (struct gan_conv_layer){.out = out, .kernel = 3, .pad = 1, .bias = bias});
}

/* Convolution, norm, ReLU. */
static gan_val smooth(const struct fpn *f, const char *name, gan_val x, int64_t out)
{
    x = conv3(f, gan_nn_format(f->nn, "%s.0", name), x, out, f->o->norm != GAN__NORM_BATCH);
    return gan_relu(f->g, gan__image_norm(f->nn, gan_nn_format(f->nn, "%s.1", name), x, f->o));
}

static gan_val enlarged(const struct fpn *f, gan_val x, int64_t times)
{
    return gan_resize(f->g, x, times * gan_dim(f->g, x, 1), times * gan_dim(f->g, x, 2),
                      GAN_RESIZE_NEAREST);
}

/* c[i] at 1/2, 1/4, .. 1/32 of the size, w, 2w, 4w, 8w, 8w channels: leaky ReLU, convolution, norm; no
 * activation on the image, no norm first and last, as in the U-Net. */
static void encode(const struct fpn *f, gan_val x, gan_val *c)
{
    for (int i = 0; i < LEVELS; i++) {
        struct gan_conv_layer l = {
            .out = f->o->width << (i < 3 ? i : 3), .kernel = 4, .stride = 2, .pad = 1};
        bool norm = i > 0 && i < LEVELS - 1;
        l.bias = !norm || f->o->norm != GAN__NORM_BATCH;
        x = i > 0 ? gan_leaky_relu(f->g, x, 0.2) : x;
        x = gan_conv(f->nn, gan_nn_format(f->nn, "enc%d.0", i), x, l);
        x = norm ? gan__image_norm(f->nn, gan_nn_format(f->nn, "enc%d.1", i), x, f->o) : x;
        c[i] = x;
    }
}

static gan_val lateral(const struct fpn *f, int i, gan_val x, int64_t out)
{
    return gan_conv(f->nn, gan_nn_format(f->nn, "lateral%d", i), x,
                    (struct gan_conv_layer){.out = out, .kernel = 1});
}

/* Map i at 1/2^(i+1): its level, and the map above at twice its size, smoothed. */
static gan_val pyramid(const struct fpn *f, int i, gan_val c, gan_val above, int64_t features)
{
    gan_val lat = lateral(f, i, c, features);
    if (!gan_ok(above)) {
        return lat;
    }
    gan_val sum = gan_add(f->g, lat, enlarged(f, above, 2));
    return smooth(f, gan_nn_format(f->nn, "td%d", i), sum, features);
}

static gan_val head(const struct fpn *f, int i, gan_val map, int64_t out)
{
    gan_val x = conv3(f, gan_nn_format(f->nn, "head%d.0", i), map, out, false);
    x = conv3(f, gan_nn_format(f->nn, "head%d.1", i), gan_relu(f->g, x), out, false);
    return enlarged(f, gan_relu(f->g, x), (int64_t)1 << (i - 1));
}

gan_val gan__fpn(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t features,
                 int64_t out_channels)
{
    struct fpn f = {nn, gan_nn_graph(nn), o};
    gan_val c[LEVELS], parts[MAPS], map = GAN_NONE;
    int64_t half = features / 2;
    encode(&f, x, c);
    for (int i = LEVELS - 1; i >= 1; i--) {
        map = pyramid(&f, i, c[i], map, features);
        parts[LEVELS - 1 - i] = head(&f, i, map, half);
    }
    gan_val y = smooth(&f, "smooth", gan_concat(f.g, parts, MAPS, 3), half);
    y = gan_add(f.g, enlarged(&f, y, 2), lateral(&f, 0, c[0], half));
    y = smooth(&f, "smooth2", y, half / 2);
    return conv3(&f, "final", enlarged(&f, y, 2), out_channels, true);
}
