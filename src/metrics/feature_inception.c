/* feature_inception.c: Inception-v3 as published FID figures know it: the graph of 2015, whose average
 * pools leave the padding out of the count, and whose last block pools by the maximum; 2048 features,
 * 1008 class scores. Names are those of pytorch-fid's weights. Images come by TensorFlow 1's bilinear
 * resize and as (x - 128) / 128, as in the graph. Scores are without the bias of the last layer, which
 * is how the Inception Score was defined.
 *
 * inception-nsfwjs has the graph of Keras: the last block pools by the mean, x / 255 goes in, no class
 * scores are kept. It is not the network of published figures.
 *
 * Ref: Szegedy et al. 2015, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500; Salimans et al.
 * 2016, arXiv:1606.03498. */
#include "pretrained.h"

struct inception {
    bool keras;
};

/* Convolution kh x kw, batch norm, ReLU. */
struct shape {
    int64_t out, kh, kw, stride, pad_h, pad_w;
};

static gan_val cbr(gan_nn *nn, const char *block, const char *name, gan_val x, struct shape s)
{
    const char *full = gan_nn_format(nn, "%s%s", block, name);
    const struct gan_conv_layer conv = {
        .out = s.out,
        .kernel = s.kh,
        .kernel_w = s.kw,
        .stride = s.stride > 0 ? s.stride : 1,
        .pad = s.pad_h,
        .pad_w = s.pad_w == 0 ? -1 : s.pad_w,
    };
    x = gan_conv(nn, gan_nn_format(nn, "%s.conv", full), x, conv);
    x = gan_batch_norm(nn, gan_nn_format(nn, "%s.bn", full), x, (struct gan_norm){.eps = 1e-3});
    return gan_relu(gan_nn_graph(nn), x);
}

/* 3x3 means, stride 1: padding is not counted. */
static gan_val mean3(gan_graph *g, gan_val x)
{
    const struct gan_pool pool = {3, 3, 1, 1, 1, 1, 1, 1};
    gan_val ones = gan_fill(g, 1, GAN_SHAPE(1, gan_dim(g, x, 1), gan_dim(g, x, 2), 1));
    return gan_div(g, gan_avg_pool(g, x, pool), gan_avg_pool(g, ones, pool));
}

static gan_val max3(gan_graph *g, gan_val x, int64_t stride)
{
    int64_t pad = stride == 1 ? 1 : 0;
    return gan_max_pool(g, x, (struct gan_pool){3, 3, stride, stride, pad, pad, pad, pad});
}

/* Mixed_5b, 5c, 5d. */
static gan_val block_a(gan_nn *nn, const char *m, gan_val x, int64_t pool)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val b[4];
    b[0] = cbr(nn, m, ".branch1x1", x, (struct shape){64, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch5x5_1", x, (struct shape){48, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch5x5_2", b[1], (struct shape){64, 5, 5, 1, 2, 2});
    b[2] = cbr(nn, m, ".branch3x3dbl_1", x, (struct shape){64, 1, 1, 1, 0, 0});
    b[2] = cbr(nn, m, ".branch3x3dbl_2", b[2], (struct shape){96, 3, 3, 1, 1, 1});
    b[2] = cbr(nn, m, ".branch3x3dbl_3", b[2], (struct shape){96, 3, 3, 1, 1, 1});
    b[3] = cbr(nn, m, ".branch_pool", mean3(g, x), (struct shape){pool, 1, 1, 1, 0, 0});
    return gan_concat(g, b, 4, 3);
}

/* Mixed_6a: half the size. */
static gan_val block_b(gan_nn *nn, const char *m, gan_val x)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val b[3];
    b[0] = cbr(nn, m, ".branch3x3", x, (struct shape){384, 3, 3, 2, 0, 0});
    b[1] = cbr(nn, m, ".branch3x3dbl_1", x, (struct shape){64, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch3x3dbl_2", b[1], (struct shape){96, 3, 3, 1, 1, 1});
    b[1] = cbr(nn, m, ".branch3x3dbl_3", b[1], (struct shape){96, 3, 3, 2, 0, 0});
    b[2] = max3(g, x, 2);
    return gan_concat(g, b, 3, 3);
}

/* Mixed_6b .. 6e. */
static gan_val block_c(gan_nn *nn, const char *m, gan_val x, int64_t c)
{
    gan_graph *g = gan_nn_graph(nn);
    const struct shape across = {c, 1, 7, 1, 0, 3}, down = {c, 7, 1, 1, 3, 0};
    gan_val b[4];
    b[0] = cbr(nn, m, ".branch1x1", x, (struct shape){192, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch7x7_1", x, (struct shape){c, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch7x7_2", b[1], across);
    b[1] = cbr(nn, m, ".branch7x7_3", b[1], (struct shape){192, 7, 1, 1, 3, 0});
    b[2] = cbr(nn, m, ".branch7x7dbl_1", x, (struct shape){c, 1, 1, 1, 0, 0});
    b[2] = cbr(nn, m, ".branch7x7dbl_2", b[2], down);
    b[2] = cbr(nn, m, ".branch7x7dbl_3", b[2], across);
    b[2] = cbr(nn, m, ".branch7x7dbl_4", b[2], down);
    b[2] = cbr(nn, m, ".branch7x7dbl_5", b[2], (struct shape){192, 1, 7, 1, 0, 3});
    b[3] = cbr(nn, m, ".branch_pool", mean3(g, x), (struct shape){192, 1, 1, 1, 0, 0});
    return gan_concat(g, b, 4, 3);
}

/* Mixed_7a: half the size. */
static gan_val block_d(gan_nn *nn, const char *m, gan_val x)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val b[3];
    b[0] = cbr(nn, m, ".branch3x3_1", x, (struct shape){192, 1, 1, 1, 0, 0});
    b[0] = cbr(nn, m, ".branch3x3_2", b[0], (struct shape){320, 3, 3, 2, 0, 0});
    b[1] = cbr(nn, m, ".branch7x7x3_1", x, (struct shape){192, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch7x7x3_2", b[1], (struct shape){192, 1, 7, 1, 0, 3});
    b[1] = cbr(nn, m, ".branch7x7x3_3", b[1], (struct shape){192, 7, 1, 1, 3, 0});
    b[1] = cbr(nn, m, ".branch7x7x3_4", b[1], (struct shape){192, 3, 3, 2, 0, 0});
    b[2] = max3(g, x, 2);
    return gan_concat(g, b, 3, 3);
}

/* Mixed_7b, 7c. */
static gan_val block_e(gan_nn *nn, const char *m, gan_val x, bool by_maximum)
{
    gan_graph *g = gan_nn_graph(nn);
    const struct shape across = {384, 1, 3, 1, 0, 1}, down = {384, 3, 1, 1, 1, 0};
    gan_val b[6], h;
    b[0] = cbr(nn, m, ".branch1x1", x, (struct shape){320, 1, 1, 1, 0, 0});
    h = cbr(nn, m, ".branch3x3_1", x, (struct shape){384, 1, 1, 1, 0, 0});
    b[1] = cbr(nn, m, ".branch3x3_2a", h, across);
    b[2] = cbr(nn, m, ".branch3x3_2b", h, down);
    h = cbr(nn, m, ".branch3x3dbl_1", x, (struct shape){448, 1, 1, 1, 0, 0});
    h = cbr(nn, m, ".branch3x3dbl_2", h, (struct shape){384, 3, 3, 1, 1, 1});
    b[3] = cbr(nn, m, ".branch3x3dbl_3a", h, across);
    b[4] = cbr(nn, m, ".branch3x3dbl_3b", h, down);
    h = by_maximum ? max3(g, x, 1) : mean3(g, x);
    b[5] = cbr(nn, m, ".branch_pool", h, (struct shape){192, 1, 1, 1, 0, 0});
    return gan_concat(g, b, 6, 3);
}

static gan_val stem(gan_nn *nn, gan_val x)
{
    gan_graph *g = gan_nn_graph(nn);
    x = cbr(nn, "", "Conv2d_1a_3x3", x, (struct shape){32, 3, 3, 2, 0, 0});
    x = cbr(nn, "", "Conv2d_2a_3x3", x, (struct shape){32, 3, 3, 1, 0, 0});
    x = cbr(nn, "", "Conv2d_2b_3x3", x, (struct shape){64, 3, 3, 1, 1, 1});
    x = max3(g, x, 2);
    x = cbr(nn, "", "Conv2d_3b_1x1", x, (struct shape){80, 1, 1, 1, 0, 0});
    x = cbr(nn, "", "Conv2d_4a_3x3", x, (struct shape){192, 3, 3, 1, 0, 0});
    return max3(g, x, 2);
}

static void network(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct inception *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = o->keras ? gan_scale(g, in[0], 1 / 255.0)
                         : gan_scale(g, gan_shift(g, in[0], -128), 1 / 128.0);
    x = stem(nn, x);
    x = block_a(nn, "Mixed_5b", x, 32);
    x = block_a(nn, "Mixed_5c", x, 64);
    x = block_a(nn, "Mixed_5d", x, 64);
    x = block_b(nn, "Mixed_6a", x);
    x = block_c(nn, "Mixed_6b", x, 128);
    x = block_c(nn, "Mixed_6c", x, 160);
    x = block_c(nn, "Mixed_6d", x, 160);
    x = block_c(nn, "Mixed_6e", x, 192);
    x = block_d(nn, "Mixed_7a", x);
    x = block_e(nn, "Mixed_7b", x, false);
    x = block_e(nn, "Mixed_7c", x, !o->keras);
    out[0] = gan_mean(g, x, 1u << 1 | 1u << 2, false);
    if (!o->keras) {
        const struct gan_param_spec weight = {
            "fc", "weight", GAN_ROLE_WEIGHT, GAN_SHAPE(1008, 2048), 0, 0, NULL};
        const struct gan_param_spec bias = {"fc", "bias", GAN_ROLE_BIAS, GAN_SHAPE(1008),
                                            2048, 0,      NULL};
        (void)gan_nn_param(nn, &bias); /* in the file, but no part of the score */
        out[1] = gan_matmul(g, out[0], gan_nn_param(nn, &weight), false, true);
    }
}

static const struct inception tensorflow = {false}, keras = {true};

const struct gan__pretrained gan__pretrained_inception = {
    .name = "inception",
    .layer = "pool3",
    .from = "pytorch-fid's pt_inception-2015-12-05-6726825d.pth",
    .fn = network,
    .opts = &tensorflow,
    .has = {"Mixed_7c.branch1x1.conv.weight", "fc.weight"},
    .size = 299,
    .filter = GAN_FILTER_TF1,
    .logits = true,
};

const struct gan__pretrained gan__pretrained_inception_nsfwjs = {
    .name = "inception-nsfwjs",
    .layer = "mixed10, mean",
    .from = "npm nsfwjs 4.3.0, inception_v3",
    .fn = network,
    .opts = &keras,
    .has = {"Mixed_7c.branch1x1.conv.weight"},
    .lacks = "fc.weight",
    .size = 299,
    .filter = GAN_FILTER_BILINEAR,
};

GAN__PRETRAINED_OPEN(fid, gan__pretrained_inception)
GAN__PRETRAINED_OPEN(nsfwjs, gan__pretrained_inception_nsfwjs)

GAN_FEATURES(inception) = {
    .name = "inception",
    GAN__PRETRAINED_ENTRY,
    .help = "Inception-v3 of published FID and IS figures: 2048 features, 1008 class scores",
    .open = open_fid,
};

GAN_FEATURES(inception_nsfwjs) = {
    .name = "inception-nsfwjs",
    GAN__PRETRAINED_ENTRY,
    .help = "Inception-v3 of Keras with free 8-bit weights; not that of published figures",
    .open = open_nsfwjs,
};
