/* pretrained.h: feature networks whose weights come from a file: how one is described, and what its
 * feature_*.c file shares. */
#ifndef GAN_METRICS_PRETRAINED_H
#define GAN_METRICS_PRETRAINED_H

#include "metrics.h"

#include <gan/nn.h>

enum { GAN__PRETRAINED_LAYERS = 5 };

/* A network. Its function takes images f32 [N,H,W,3] in 0..255 and fills out[0] features [N,F],
 * out[1] class scores [N,Y] where there are any, then the inner layers [N,h,w,c]. */
struct gan__pretrained {
    const char *name;  /* "inception"; the file in the cache is NAME.safetensors */
    const char *layer; /* what the features are */
    const char *from;  /* where weights are to be had, for messages */
    gan_net_fn fn;
    const void *opts; /* given to fn */
    int64_t size;     /* side it looks at */
    bool own_size;    /* ... unless images come in their own: then that of the images */
    gan_filter filter;
    bool logits;
    const char *layers[GAN__PRETRAINED_LAYERS];
    int n_layers;
    const char *has[2], *lacks; /* tensors by which install knows a file; NULL: none */
    bool heads; /* has LPIPS' weights of inner layers, "lin0.model.1.weight" and on */
    /* The network up to any layer by name into out[0], false: none of that name; NULL: those of
     * `layers`, of the whole network. */
    bool (*upto)(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts, const char *layer);
};

/* open, run and close of struct gan_feature_net; `argument` is a file, NULL: the one in the cache.
 * errors: GAN_E_NOTFOUND (no weights), GAN_E_FORMAT (those of another network), ... */
gan_status gan__pretrained_open(const struct gan__pretrained *p, const char *argument,
                                const struct gan_features_cfg *cfg, struct gan_features_info *info,
                                void **state, gan_err *err);
gan_status gan__pretrained_run(void *state, const float *images, int64_t n,
                               const struct gan_features_out *out, gan_err *err);
void gan__pretrained_close(void *state);

/* part and weight of struct gan_feature_net. */
gan_status gan__pretrained_part(const void *state, const char *layer, struct gan_feature_part *out,
                                gan_err *err);
const gan_tensor *gan__pretrained_weight(const void *state, const char *local);

/* Network i, NULL past the end. */
const struct gan__pretrained *gan__pretrained_at(int i);

/* Does a file hold this network? GAN_OK, or why not; hash receives 17 bytes. */
gan_status gan__pretrained_check(const struct gan__pretrained *p, const char *path, char *hash,
                                 gan_err *err);

/* Parts of networks. */
gan_val gan__photo_input(gan_graph *g, gan_val x);              /* ImageNet's mean and deviation */
gan_val gan__adaptive_mean(gan_graph *g, gan_val x, int64_t n); /* cells of PyTorch's, n x n */

/* Declares a feature network of a description. */
#define GAN__PRETRAINED_OPEN(id, desc)                                                             \
    static gan_status open_##id(const char *argument, const struct gan_features_cfg *cfg,          \
                                struct gan_features_info *info, void **state, gan_err *err)        \
    {                                                                                              \
        return gan__pretrained_open(&(desc), argument, cfg, info, state, err);                     \
    }

/* What all of them have in common in their entries. */
#define GAN__PRETRAINED_ENTRY                                                                      \
    .argument = "FILE", .run = gan__pretrained_run, .close = gan__pretrained_close,                \
    .part = gan__pretrained_part, .weight = gan__pretrained_weight

/* Descriptions; each in its feature_*.c. */
extern const struct gan__pretrained gan__pretrained_inception, gan__pretrained_inception_nsfwjs,
    gan__pretrained_alexnet, gan__pretrained_vgg16, gan__pretrained_vgg19,
    gan__pretrained_lpips_alex, gan__pretrained_lpips_vgg, gan__pretrained_mobilenet_v2,
    gan__pretrained_mobilenet_v2_nsfwjs, gan__pretrained_efficientnet_lite0;

#endif
