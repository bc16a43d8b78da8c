/* feature_channels.c: a classifier of gray images on each channel of coloured ones: what stacked digits
 * are judged by. Features and class scores of the channels stand one after the other, so `modes`
 * counts classes^3 modes.
 *
 * Ref: Metz et al. 2017, arXiv:1611.02163, section 3.3.1. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "metrics/metrics.h"

#include <gan/classifier.h>

#include <inttypes.h>
#include <string.h>

enum { CHANNELS = 3, HASH = 96 };

struct channels {
    gan_classifier *judge;
    char hash[HASH];
};

static gan_status open_channels(const char *argument, const struct gan_features_cfg *cfg,
                                struct gan_features_info *info, void **state, gan_err *err)
{
    struct channels *k = gan__alloc(sizeof *k);
    const struct gan_classifier_opts opts = {.threads = cfg->threads, .batch = cfg->batch};
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a feature network");
    }
    *state = k;
    GAN_TRY(gan_classifier_open(argument, &opts, &k->judge, err));
    const struct gan_classifier_info *about = gan_classifier_about(k->judge);
    if (about->channels != 1) {
        return gan__fail(err, GAN_E_ARG,
                         "channels:%s: the classifier takes %" PRId64
                         " channels, a judge of single channels takes 1",
                         argument, about->channels);
    }
    (void)gan__format(k->hash, sizeof k->hash, "%s-each", about->hash);
    *info = (struct gan_features_info){
        .layer = "hidden, of each channel",
        .hash = k->hash,
        .height = about->height,
        .width = about->width,
        .channels = CHANNELS,
        .filter = GAN_FILTER_BICUBIC,
        .features = CHANNELS * about->features,
        .logits = CHANNELS * about->classes,
        .groups = CHANNELS,
    };
    return GAN_OK;
}

/* Numbers of channel c go to their place in each image's vector. */
static void place(const float *src, float *dst, int64_t n, int64_t size, int64_t c)
{
    for (int64_t i = 0; dst != NULL && i < n; i++) {
        memcpy(dst + (i * CHANNELS + c) * size, src + i * size, (size_t)size * sizeof *dst);
    }
}

static gan_status run(void *state, const float *images, int64_t n,
                      const struct gan_features_out *out, gan_err *err)
{
    struct channels *k = state;
    const struct gan_classifier_info *i = gan_classifier_about(k->judge);
    int64_t pixels = n * i->height * i->width, each = i->features + i->classes;
    size_t floats = (size_t)(pixels + n * each);
    float *plane = gan__alloc_array(floats, sizeof *plane), *features = plane + pixels;
    gan_status status =
        plane != NULL ? GAN_OK : gan__fail_nomem(err, floats * sizeof *plane, "a batch of images");
    for (int64_t c = 0; c < CHANNELS && status == GAN_OK; c++) {
        float *logits = features + n * i->features;
        for (int64_t p = 0; p < pixels; p++) {
            float v = images[p * CHANNELS + c];
            plane[p] = i->range == GAN_RANGE_SIGNED ? v / 127.5F - 1 : v / 255;
        }
        status = gan_classifier_run(k->judge, plane, n, logits, features, err);
        if (status == GAN_OK) {
            place(features, out->features, n, i->features, c);
            place(logits, out->logits, n, i->classes, c);
        }
    }
    gan__free(plane);
    return status;
}

static void close_channels(void *state)
{
    struct channels *k = state;
    if (k != NULL) {
        gan_classifier_close(k->judge);
        gan__free(k);
    }
}

GAN_FEATURES(channels) = {
    .name = "channels",
    .argument = "RUN|FILE",
    .argument_needed = true,
    .help = "a classifier of gray images on each of three channels, for stacked digits",
    .open = open_channels,
    .run = run,
    .close = close_channels,
};
