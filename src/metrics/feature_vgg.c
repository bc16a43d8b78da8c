/* feature_vgg.c: VGG-16, VGG-19 and AlexNet in torchvision's form and names; features are the second
 * hidden layer of the classifier after its ReLU, which improved precision and recall look at. The
 * lpips-* networks are their convolutions at the images' own size with LPIPS' learned weights.
 *
 * Ref: Simonyan and Zisserman 2014, arXiv:1409.1556; Krizhevsky 2014, arXiv:1404.5997; Zhang et al.
 * 2018, arXiv:1801.03924; Kynkaanniemi et al. 2019, arXiv:1904.06991. */
#include "feature_vgg.h"

#include "base/str.h"

#include <string.h>

enum { STAGES = 5 };

static void classify(gan_nn *nn, gan_val x, int64_t units, const int at[3], gan_val *out)
{
    gan_graph *g = gan_nn_graph(nn);
    const struct gan_linear hidden = {.out = units, .bias = true};
    x = gan_linear(nn, gan_nn_format(nn, "classifier.%d", at[0]), gan_flatten(g, x), hidden);
    x = gan_linear(nn, gan_nn_format(nn, "classifier.%d", at[1]), gan_relu(g, x), hidden);
    out[0] = gan_relu(g, x);
    out[1] = gan_linear(nn, gan_nn_format(nn, "classifier.%d", at[2]), out[0],
                        (struct gan_linear){.out = 1000, .bias = true});
}

/* The mean of the last layer, and LPIPS' weights, of which only the store's values are read. */
static void head_weights(gan_nn *nn, gan_val *out)
{
    gan_graph *g = gan_nn_graph(nn);
    out[0] = gan_mean(g, out[1 + STAGES], 1u << 1 | 1u << 2, false);
    out[1] = gan_mean(g, out[0], 1u << 1, true);
    for (int i = 0; i < STAGES; i++) {
        const struct gan_param_spec weight = {
            .layer = gan_nn_format(nn, "lin%d.model.1", i),
            .name = "weight",
            .role = GAN_ROLE_WEIGHT,
            .shape = GAN_SHAPE(1, gan_dim(g, out[2 + i], 3), 1, 1),
        };
        (void)gan_nn_param(nn, &weight);
    }
}

/* --- convolutions, up to a layer or all -------------------------------------------------------------- */

/* Whether "conv3_3" (or, where `i` is 0, "conv3") is the layer looked for. */
static bool is_layer(const char *layer, const char *kind, int stage, int i)
{
    char name[24];
    if (layer == NULL) {
        return false;
    }
    (void)(i > 0 ? gan__format(name, sizeof name, "%s%d_%d", kind, stage, i)
                 : gan__format(name, sizeof name, "%s%d", kind, stage));
    return strcmp(name, layer) == 0;
}

/* Stages of 3x3 convolutions into stage[]; ends at `layer` with its value in *found. */
static bool vgg_convs(gan_nn *nn, gan_val x, const struct gan__vgg_opts *o, gan_val *stage,
                      const char *layer, gan_val *found)
{
    static const int64_t channels[STAGES] = {64, 128, 256, 512, 512};
    gan_graph *g = gan_nn_graph(nn);
    int at = 0;
    x = gan__photo_input(g, x);
    for (int s = 0; s < STAGES; s++) {
        int convs = s < 2 ? 2 : o->deep;
        x = s > 0 ? gan_max_pool(g, x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2}) : x;
        at += s > 0;
        for (int i = 0; i < convs; i++, at += 2) {
            const struct gan_conv_layer conv = {
                .out = channels[s], .kernel = 3, .pad = 1, .bias = true};
            *found = x = gan_conv(nn, gan_nn_format(nn, "features.%d", at), x, conv);
            if (is_layer(layer, "conv", s + 1, i + 1)) {
                return true;
            }
            *found = x = gan_relu(g, x);
            if (is_layer(layer, "relu", s + 1, i + 1)) {
                return true;
            }
        }
        stage[s] = x;
    }
    return false;
}

void gan__vgg(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int classifier[3] = {0, 3, 6};
    const struct gan__vgg_opts *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val last;
    (void)vgg_convs(nn, in[0], o, out + 2, NULL, &last);
    if (o->lpips) {
        head_weights(nn, out);
        return;
    }
    gan_val x = gan_max_pool(g, last, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
    classify(nn, gan__adaptive_mean(g, x, 7), o->units, classifier, out);
}

static bool vgg_upto(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts,
                     const char *layer)
{
    gan_val stage[STAGES];
    return vgg_convs(nn, in[0], opts, stage, layer, &out[0]);
}

static const struct gan_pool alex_pool = {
    .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2};

static bool alex_convs(gan_nn *nn, gan_val x, gan_val *stage, const char *layer, gan_val *found)
{
    static const int at[STAGES] = {0, 3, 6, 8, 10};
    static const struct gan_conv_layer convs[STAGES] = {
        {.out = 64, .kernel = 11, .stride = 4, .pad = 2, .bias = true},
        {.out = 192, .kernel = 5, .pad = 2, .bias = true},
        {.out = 384, .kernel = 3, .pad = 1, .bias = true},
        {.out = 256, .kernel = 3, .pad = 1, .bias = true},
        {.out = 256, .kernel = 3, .pad = 1, .bias = true},
    };
    gan_graph *g = gan_nn_graph(nn);
    x = gan__photo_input(g, x);
    for (int s = 0; s < STAGES; s++) {
        x = s == 1 || s == 2 ? gan_max_pool(g, x, alex_pool) : x;
        *found = x = gan_conv(nn, gan_nn_format(nn, "features.%d", at[s]), x, convs[s]);
        if (is_layer(layer, "conv", s + 1, 0)) {
            return true;
        }
        *found = x = gan_relu(g, x);
        if (is_layer(layer, "relu", s + 1, 0)) {
            return true;
        }
        stage[s] = x;
    }
    return false;
}

void gan__alexnet(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int classifier[3] = {1, 4, 6};
    const struct gan__vgg_opts *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val last;
    (void)alex_convs(nn, in[0], out + 2, NULL, &last);
    if (o->lpips) {
        head_weights(nn, out);
        return;
    }
    gan_val x = gan_max_pool(g, last, alex_pool);
    classify(nn, gan__adaptive_mean(g, x, 6), o->units, classifier, out);
}

static bool alex_upto(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts,
                      const char *layer)
{
    gan_val stage[STAGES];
    (void)opts;
    return alex_convs(nn, in[0], stage, layer, &out[0]);
}

static const struct gan__vgg_opts deep16 = {.deep = 3, .units = 4096};
static const struct gan__vgg_opts deep19 = {.deep = 4, .units = 4096};
static const struct gan__vgg_opts lpips = {.deep = 3, .lpips = true};

#define CLASSIFIER(NAME, TITLE, MARK, LACK, FN, UPTO, OPTS, ...)                                   \
    const struct gan__pretrained gan__pretrained_##NAME = {                                        \
        .name = TITLE,                                                                             \
        .layer = "fc2, relu",                                                                      \
        .from = "torchvision's " TITLE,                                                            \
        .fn = FN,                                                                                  \
        .upto = UPTO,                                                                              \
        .opts = &OPTS,                                                                             \
        .has = {MARK, "classifier.6.weight"},                                                      \
        .lacks = LACK,                                                                             \
        .size = 224,                                                                               \
        .filter = GAN_FILTER_BILINEAR,                                                             \
        .logits = true,                                                                            \
        .layers = {__VA_ARGS__},                                                                   \
        .n_layers = STAGES,                                                                        \
    }

#define LPIPS(NAME, TITLE, BODY, MARK, FN, UPTO, ...)                                              \
    const struct gan__pretrained gan__pretrained_##NAME = {                                        \
        .name = TITLE,                                                                             \
        .layer = "last convolution, mean",                                                         \
        .from = "torchvision's " BODY " with the heads of PyPI's lpips",                           \
        .fn = FN,                                                                                  \
        .upto = UPTO,                                                                              \
        .opts = &lpips,                                                                            \
        .has = {MARK, "lin0.model.1.weight"},                                                      \
        .size = 64,                                                                                \
        .own_size = true,                                                                          \
        .filter = GAN_FILTER_BILINEAR,                                                             \
        .layers = {__VA_ARGS__},                                                                   \
        .n_layers = STAGES,                                                                        \
        .heads = true,                                                                             \
    }

CLASSIFIER(vgg16, "vgg16", "features.28.weight", "features.34.weight", gan__vgg, vgg_upto, deep16,
           "relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3");
CLASSIFIER(vgg19, "vgg19", "features.34.weight", NULL, gan__vgg, vgg_upto, deep19, "relu1_2",
           "relu2_2", "relu3_4", "relu4_4", "relu5_4");
CLASSIFIER(alexnet, "alexnet", "features.6.weight", NULL, gan__alexnet, alex_upto, deep16, "relu1",
           "relu2", "relu3", "relu4", "relu5");
LPIPS(lpips_vgg, "lpips-vgg", "vgg16", "features.28.weight", gan__vgg, vgg_upto, "relu1_2",
      "relu2_2", "relu3_3", "relu4_3", "relu5_3");
LPIPS(lpips_alex, "lpips-alex", "alexnet", "features.6.weight", gan__alexnet, alex_upto, "relu1",
      "relu2", "relu3", "relu4", "relu5");

GAN__PRETRAINED_OPEN(vgg16, gan__pretrained_vgg16)
GAN__PRETRAINED_OPEN(vgg19, gan__pretrained_vgg19)
GAN__PRETRAINED_OPEN(alexnet, gan__pretrained_alexnet)
GAN__PRETRAINED_OPEN(lpips_vgg, gan__pretrained_lpips_vgg)
GAN__PRETRAINED_OPEN(lpips_alex, gan__pretrained_lpips_alex)

GAN_FEATURES(vgg16) = {
    .name = "vgg16",
    GAN__PRETRAINED_ENTRY,
    .help = "VGG-16 of ImageNet: 4096 features (fc2), 1000 class scores, 5 inner layers",
    .open = open_vgg16,
};

GAN_FEATURES(vgg19) = {
    .name = "vgg19",
    GAN__PRETRAINED_ENTRY,
    .help = "VGG-19 of ImageNet: 4096 features (fc2), 1000 class scores, 5 inner layers",
    .open = open_vgg19,
};

GAN_FEATURES(alexnet) = {
    .name = "alexnet",
    GAN__PRETRAINED_ENTRY,
    .help = "AlexNet of ImageNet: 4096 features (fc2), 1000 class scores, 5 inner layers",
    .open = open_alexnet,
};

GAN_FEATURES(lpips_vgg) = {
    .name = "lpips-vgg",
    GAN__PRETRAINED_ENTRY,
    .help = "LPIPS over VGG-16's layers, at the images' own size",
    .open = open_lpips_vgg,
};

GAN_FEATURES(lpips_alex) = {
    .name = "lpips-alex",
    GAN__PRETRAINED_ENTRY,
    .help = "LPIPS over AlexNet's layers, at the images' own size",
    .open = open_lpips_alex,
};
