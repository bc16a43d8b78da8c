/* feature_vgg.c: VGG-16, VGG-19 and AlexNet in torchvision's form and names; features are the second
 * hidden layer of the classifier after its ReLU, which improved precision and recall look at. The
 * lpips-* networks are their convolutions at the images' own size with LPIPS' learned weights.
 *
 * Ref: Simonyan and Zisserman 2014, arXiv:1409.1556; Krizhevsky 2014, arXiv:1404.5997; Zhang et al.
 * 2018, arXiv:1801.03924; Kynkaanniemi et al. 2019, arXiv:1904.06991. */
#include "feature_vgg.h"

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

void gan__vgg(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int64_t channels[STAGES] = {64, 128, 256, 512, 512};
    static const int classifier[3] = {0, 3, 6};
    const struct gan__vgg_opts *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan__photo_input(g, in[0]);
    int at = 0;
    for (int s = 0; s < STAGES; s++) {
        int convs = s < 2 ? 2 : o->deep;
        x = s > 0 ? gan_max_pool(g, x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2}) : x;
        at += s > 0;
        for (int i = 0; i < convs; i++, at += 2) {
            const struct gan_conv_layer conv = {
                .out = channels[s], .kernel = 3, .pad = 1, .bias = true};
            x = gan_relu(g, gan_conv(nn, gan_nn_format(nn, "features.%d", at), x, conv));
        }
        out[2 + s] = x;
    }
    if (o->lpips) {
        head_weights(nn, out);
        return;
    }
    x = gan_max_pool(g, x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
    classify(nn, gan__adaptive_mean(g, x, 7), o->units, classifier, out);
}

void gan__alexnet(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    static const int at[STAGES] = {0, 3, 6, 8, 10}, classifier[3] = {1, 4, 6};
    static const struct gan_conv_layer convs[STAGES] = {
        {.out = 64, .kernel = 11, .stride = 4, .pad = 2, .bias = true},
        {.out = 192, .kernel = 5, .pad = 2, .bias = true},
        {.out = 384, .kernel = 3, .pad = 1, .bias = true},
        {.out = 256, .kernel = 3, .pad = 1, .bias = true},
        {.out = 256, .kernel = 3, .pad = 1, .bias = true},
    };
    static const struct gan_pool pool = {
        .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2};
    const struct gan__vgg_opts *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan__photo_input(g, in[0]);
    for (int s = 0; s < STAGES; s++) {
        x = s == 1 || s == 2 ? gan_max_pool(g, x, pool) : x;
        x = gan_relu(g, gan_conv(nn, gan_nn_format(nn, "features.%d", at[s]), x, convs[s]));
        out[2 + s] = x;
    }
    if (o->lpips) {
        head_weights(nn, out);
        return;
    }
    classify(nn, gan__adaptive_mean(g, gan_max_pool(g, x, pool), 6), o->units, classifier, out);
}

static const struct gan__vgg_opts deep16 = {.deep = 3, .units = 4096};
static const struct gan__vgg_opts deep19 = {.deep = 4, .units = 4096};
static const struct gan__vgg_opts lpips = {.deep = 3, .lpips = true};

#define CLASSIFIER(NAME, TITLE, MARK, LACK, FN, OPTS, ...)                                         \
    const struct gan__pretrained gan__pretrained_##NAME = {                                        \
        .name = TITLE,                                                                             \
        .layer = "fc2, relu",                                                                      \
        .from = "torchvision's " TITLE,                                                            \
        .fn = FN,                                                                                  \
        .opts = &OPTS,                                                                             \
        .has = {MARK, "classifier.6.weight"},                                                      \
        .lacks = LACK,                                                                             \
        .size = 224,                                                                               \
        .filter = GAN_FILTER_BILINEAR,                                                             \
        .logits = true,                                                                            \
        .layers = {__VA_ARGS__},                                                                   \
        .n_layers = STAGES,                                                                        \
    }

#define LPIPS(NAME, TITLE, BODY, MARK, FN, ...)                                                    \
    const struct gan__pretrained gan__pretrained_##NAME = {                                        \
        .name = TITLE,                                                                             \
        .layer = "last convolution, mean",                                                         \
        .from = "torchvision's " BODY " with the heads of PyPI's lpips",                           \
        .fn = FN,                                                                                  \
        .opts = &lpips,                                                                            \
        .has = {MARK, "lin0.model.1.weight"},                                                      \
        .size = 64,                                                                                \
        .own_size = true,                                                                          \
        .filter = GAN_FILTER_BILINEAR,                                                             \
        .layers = {__VA_ARGS__},                                                                   \
        .n_layers = STAGES,                                                                        \
        .heads = "lin%d.model.1.weight",                                                           \
    }

CLASSIFIER(vgg16, "vgg16", "features.28.weight", "features.34.weight", gan__vgg, deep16, "relu1_2",
           "relu2_2", "relu3_3", "relu4_3", "relu5_3");
CLASSIFIER(vgg19, "vgg19", "features.34.weight", NULL, gan__vgg, deep19, "relu1_2", "relu2_2",
           "relu3_4", "relu4_4", "relu5_4");
CLASSIFIER(alexnet, "alexnet", "features.6.weight", NULL, gan__alexnet, deep16, "relu1", "relu2",
           "relu3", "relu4", "relu5");
LPIPS(lpips_vgg, "lpips-vgg", "vgg16", "features.28.weight", gan__vgg, "relu1_2", "relu2_2",
      "relu3_3", "relu4_3", "relu5_3");
LPIPS(lpips_alex, "lpips-alex", "alexnet", "features.6.weight", gan__alexnet, "relu1", "relu2",
      "relu3", "relu4", "relu5");

GAN__PRETRAINED_OPEN(vgg16, gan__pretrained_vgg16)
GAN__PRETRAINED_OPEN(vgg19, gan__pretrained_vgg19)
GAN__PRETRAINED_OPEN(alexnet, gan__pretrained_alexnet)
GAN__PRETRAINED_OPEN(lpips_vgg, gan__pretrained_lpips_vgg)
GAN__PRETRAINED_OPEN(lpips_alex, gan__pretrained_lpips_alex)

GAN_FEATURES(vgg16) = {
    .name = "vgg16",
    .argument = "FILE",
    .help = "VGG-16 of ImageNet: 4096 features (fc2), 1000 class scores, 5 inner layers",
    .open = open_vgg16,
    .run = gan__pretrained_run,
    .close = gan__pretrained_close,
};

GAN_FEATURES(vgg19) = {
    .name = "vgg19",
    .argument = "FILE",
    .help = "VGG-19 of ImageNet: 4096 features (fc2), 1000 class scores, 5 inner layers",
    .open = open_vgg19,
    .run = gan__pretrained_run,
    .close = gan__pretrained_close,
};

GAN_FEATURES(alexnet) = {
    .name = "alexnet",
    .argument = "FILE",
    .help = "AlexNet of ImageNet: 4096 features (fc2), 1000 class scores, 5 inner layers",
    .open = open_alexnet,
    .run = gan__pretrained_run,
    .close = gan__pretrained_close,
};

GAN_FEATURES(lpips_vgg) = {
    .name = "lpips-vgg",
    .argument = "FILE",
    .help = "LPIPS over VGG-16's layers, at the images' own size",
    .open = open_lpips_vgg,
    .run = gan__pretrained_run,
    .close = gan__pretrained_close,
};

GAN_FEATURES(lpips_alex) = {
    .name = "lpips-alex",
    .argument = "FILE",
    .help = "LPIPS over AlexNet's layers, at the images' own size",
    .open = open_lpips_alex,
    .run = gan__pretrained_run,
    .close = gan__pretrained_close,
};
