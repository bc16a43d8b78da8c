/* feature_classifier.c: the hidden layer of a trained model `classifier` as a feature space, its
 * class scores as logits: what Fashion-MNIST and others need where no network of photographs fits. */
#include "base/alloc.h"
#include "base/err.h"
#include "metrics/metrics.h"

#include <gan/classifier.h>

static gan_status open_classifier(const char *argument, const struct gan_features_cfg *cfg,
                                  struct gan_features_info *info, void **state, gan_err *err)
{
    gan_classifier *c = NULL;
    const struct gan_classifier_opts opts = {.threads = cfg->threads, .batch = cfg->batch};
    GAN_TRY(gan_classifier_open(argument, &opts, &c, err));
    const struct gan_classifier_info *about = gan_classifier_about(c);
    *state = c;
    *info = (struct gan_features_info){
        .layer = "hidden",
        .hash = about->hash,
        .height = about->height,
        .width = about->width,
        .channels = about->channels,
        .filter = GAN_FILTER_BICUBIC,
        .features = about->features,
        .logits = about->classes,
    };
    return GAN_OK;
}

static gan_status run(void *state, const float *images, int64_t n,
                      const struct gan_features_out *out, gan_err *err)
{
    gan_classifier *c = state;
    const struct gan_classifier_info *i = gan_classifier_about(c);
    size_t count = (size_t)(n * i->height * i->width * i->channels);
    float *scaled = gan__alloc_array(count, sizeof *scaled);
    if (scaled == NULL) {
        return gan__fail_nomem(err, count * sizeof *scaled, "a batch of images");
    }
    for (size_t k = 0; k < count; k++) {
        scaled[k] = i->range == GAN_RANGE_SIGNED ? images[k] / 127.5F - 1 : images[k] / 255;
    }
    gan_status status = gan_classifier_run(c, scaled, n, out->logits, out->features, err);
    gan__free(scaled);
    return status;
}

static void close_classifier(void *state)
{
    gan_classifier_close(state);
}

GAN_FEATURES(classifier) = {
    .name = "classifier",
    .argument = "RUN|FILE",
    .argument_needed = true,
    .help = "hidden layer and class scores of a run of the model classifier",
    .open = open_classifier,
    .run = run,
    .close = close_classifier,
};
