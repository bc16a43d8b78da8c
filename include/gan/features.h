/* features.h: images to feature vectors: the networks that metrics look through.
 *
 *     gan_features *f = NULL;
 *     if (gan_features_open("pixels:16", &(struct gan_features_cfg){.threads = 2}, &f, &err) == GAN_OK) {
 *         const struct gan_features_info *about = gan_features_about(f);
 *         float *features = ...; [n, about->features]
 *         struct gan_image_set set = {.n = n, .height = 28, .width = 28, .channels = 1, .u8 = images};
 *         gan_features_run(f, &set, &(struct gan_features_out){.features = features}, &err);
 *     }
 *     gan_features_close(f);
 *
 * Whatever the images are, a network is given f32 in 0..255, of its own size and channels: grays are
 * repeated, colours become gray by Rec. 601 luma, sizes are changed by the network's own filter.
 * Ranges and means of training are the network's own matter. */
#ifndef GAN_FEATURES_H
#define GAN_FEATURES_H

#include <gan/nn.h>
#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How images come to a network's size. */
typedef enum gan_filter {
    GAN_FILTER_NONE,     /* sizes must agree */
    GAN_FILTER_BOX,      /* Pillow's filters, with antialiasing, rounded to bytes */
    GAN_FILTER_BILINEAR, /* ... */
    GAN_FILTER_BICUBIC,  /* a = -0.5 */
    GAN_FILTER_LANCZOS,  /* a = 3 */
    GAN_FILTER_TF1 /* TensorFlow 1's bilinear: corners aligned to 0, no antialiasing, floats */
} gan_filter;

/** Name of a filter: "none", "box", "bilinear", "bicubic", "lanczos", "tf1"; never NULL. */
GAN_API const char *gan_filter_name(gan_filter filter);

/** Images: one of u8 and f32 is set, [n,height,width,channels]. Floats are 0..255. */
struct gan_image_set {
    int64_t n;
    int64_t height, width;
    int64_t channels; /* 1 or 3 */
    const uint8_t *u8;
    const float *f32;
};

/** Where results go; NULL parts are not computed. */
struct gan_features_out {
    float *features;      /* [n,features] */
    float *logits;        /* [n,logits] */
    float *const *layers; /* n_layers arrays [n, gan_feature_layer's height, width, channels] */
};

/** One inner layer that a network shows, for LPIPS. */
struct gan_feature_layer {
    const char *name; /* "relu1_2" */
    int64_t height, width, channels;
    const float
        *weight; /* [channels] LPIPS' learned non-negative weights; NULL: each 1 / channels */
};

/** How to open a network. Zero-initialise. */
struct gan_features_cfg {
    int64_t height, width, channels; /* of the images to come: networks of any size take these */
    int threads;                     /* compute threads, 0 = 1 */
    int64_t batch;                   /* images at a time [64] */
};

/** Facts of an open network. Texts live as long as it. */
struct gan_features_info {
    const char *name;  /* "inception", or as it was opened: "pixels:16" */
    const char *layer; /* what the features are: "pool3" */
    const char *hash;  /* of the weights and of all that changes the features, hexadecimal */
    int64_t height, width, channels; /* that it looks at */
    gan_filter filter;               /* how images come to that size */
    int64_t features;                /* numbers of an image */
    int64_t logits;                  /* classes, 0: none */
    int64_t groups;                  /* classifiers whose scores stand side by side; 0: one */
    int n_layers;                    /* inner layers it shows, 0: none */
    const struct gan_feature_layer *layer_at; /* [n_layers] */
};

/** A network, or its first layers, as a part of other graphs: what a loss looks through. */
struct gan_feature_part {
    gan_net_fn fn;         /* real [N,height,width,channels] in 0..255 -> out[0], the features */
    void *opts;            /* given to fn; gan_feature_part_release frees it */
    int64_t height, width; /* that fn takes, 0: any */
    int64_t channels;      /* 0: any */
};

/**
 * A kind of network: one feature_*.c file ends in GAN_FEATURES(name) = {...} (src/metrics/metrics.h)
 * and the build collects them.
 */
struct gan_feature_net {
    const char *name;     /* "inception" */
    const char *argument; /* what may follow a colon: "SIZE", "FILE"; NULL: nothing may */
    bool argument_needed; /* the argument cannot be left out */
    const char *help;     /* one line */
    /* Opens: `argument` is NULL when there was none. Fills `info` but for `name`, and `state`, its own.
     * `close` is called after a failure too. */
    gan_status (*open)(const char *argument, const struct gan_features_cfg *cfg,
                       struct gan_features_info *info, void **state, gan_err *err);
    /* images f32 [n, info.height, info.width, info.channels] in 0..255, n <= cfg.batch (which is set).
     * The parts of `out` begin at image 0 of these. */
    gan_status (*run)(void *state, const float *images, int64_t n,
                      const struct gan_features_out *out, gan_err *err);
    void (*close)(void *state);
    /* The network up to a layer (NULL: its features) for other graphs; NULL: it is none. `opts` is
     * of one gan__alloc. */
    gan_status (*part)(const void *state, const char *layer, struct gan_feature_part *out,
                       gan_err *err);
    /* Value of a parameter by its local name, NULL: there is none; with `part`. */
    const gan_tensor *(*weight)(const void *state, const char *local);
};

/** Kind i of the sorted table, NULL past the end. owns: the library. */
GAN_API const struct gan_feature_net *gan_feature_net_at(size_t i);

/** An open network. One thread uses it. */
typedef struct gan_features gan_features;

/**
 * Checks "NAME" or "NAME:ARGUMENT" without opening any file.
 *
 * errors: GAN_E_ARG (unknown name, with "did you mean"; an argument missing or one too many)
 */
GAN_API gan_status gan_features_check(const char *name, gan_err *err);

/**
 * Opens a network.
 *
 * in:     name  "pixels:16", "inception", "classifier:FILE"
 *         cfg   may be NULL
 * out:    NULL on failure
 * owns:   the caller closes it with gan_features_close
 * errors: those of gan_features_check; GAN_E_NOTFOUND (weights that are not installed), GAN_E_FORMAT
 *         (weights of another network), GAN_E_IO, GAN_E_NOMEM
 */
GAN_API gan_status gan_features_open(const char *name, const struct gan_features_cfg *cfg,
                                     gan_features **out, gan_err *err);

/** Closes it; NULL is fine. */
GAN_API void gan_features_close(gan_features *f);

/** Facts about it. owns: the network. */
GAN_API const struct gan_features_info *gan_features_about(const gan_features *f);

/**
 * Features of images, in batches.
 *
 * errors: GAN_E_SHAPE (channels neither 1 nor 3; a size the network does not take), GAN_E_FORMAT (a
 *         feature is not finite), GAN_E_UNSUPPORTED (logits or layers it does not have), GAN_E_NOMEM
 */
GAN_API gan_status gan_features_run(gan_features *f, const struct gan_image_set *images,
                                    const struct gan_features_out *out, gan_err *err);

/**
 * The network as a part of another graph, up to a layer.
 *
 * in:     layer  "relu3_3"; NULL: the features themselves
 * owns:   the caller, gan_feature_part_release; it outlives the network f
 * errors: GAN_E_UNSUPPORTED (features that are no network), GAN_E_NOTFOUND (no such layer), GAN_E_NOMEM
 */
GAN_API gan_status gan_features_part(const gan_features *f, const char *layer,
                                     struct gan_feature_part *out, gan_err *err);
/** Frees what it owns; the zero one is fine. */
GAN_API void gan_feature_part_release(struct gan_feature_part *p);

/**
 * Copies the weights into the store of a network that was declared with a part's function.
 *
 * errors: GAN_E_NOTFOUND (the network lacks a parameter, or the store), GAN_E_SHAPE
 */
GAN_API gan_status gan_features_fill(const gan_features *f, const gan_net *net, gan_store *st,
                                     gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
