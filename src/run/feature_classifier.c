/* feature_classifier.c: the hidden layer of a trained model `classifier` as a feature space, its
 * class scores as logits, its stages as inner layers: what Fashion-MNIST and others need where no
 * network of photographs fits. */
#include "base/alloc.h"
#include "base/err.h"
#include "classifier.h"
#include "metrics/metrics.h"
#include "nn/net.h"

#include <stddef.h>
#include <string.h>

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
    info->n_layers = gan__classifier_layers(c, &info->layer_at);
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
    gan_status status = GAN_OK;
    if (out->logits != NULL || out->features != NULL) {
        status = gan_classifier_run(c, scaled, n, out->logits, out->features, err);
    }
    if (status == GAN_OK && out->layers != NULL) {
        status = gan__classifier_look(c, scaled, n, out->layers, err);
    }
    gan__free(scaled);
    return status;
}

static void close_classifier(void *state)
{
    gan_classifier_close(state);
}

/* --- inside other graphs ------------------------------------------------------------------------- */

/* The classifier's network behind its range of pixels; its options lie behind this. */
struct part {
    gan_net_fn fn;
    bool unit; /* pixels in 0..1, else -1..1 */
    int at;    /* output */
    max_align_t opts[];
};

static void apply_part(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct part *p = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_scale(g, in[0], p->unit ? 1 / 255.0 : 1 / 127.5), all[GAN_NET_MAX_OUT];
    x = p->unit ? x : gan_shift(g, x, -1);
    p->fn(nn, &x, all, p->opts);
    out[0] = all[p->at];
}

/* The network's output that a layer is, -1: none. */
static int output_of(const gan_classifier *c, const char *layer)
{
    const struct gan_feature_layer *at;
    int n = gan__classifier_layers(c, &at);
    if (layer == NULL || strcmp(layer, "hidden") == 0) {
        return 1;
    }
    for (int k = 0; k < n; k++) {
        if (strcmp(layer, at[k].name) == 0) {
            return 2 + k;
        }
    }
    return strcmp(layer, "classes") == 0 ? 0 : -1;
}

static gan_status part(const void *state, const char *layer, struct gan_feature_part *out,
                       gan_err *err)
{
    const gan_classifier *c = state;
    const struct gan_classifier_info *i = gan_classifier_about(c);
    const gan_net *net = gan__classifier_net(c);
    int at = output_of(c, layer);
    if (at < 0) {
        const struct gan_feature_layer *stage;
        return gan__fail(
            err, GAN_E_NOTFOUND,
            "this classifier has the layers stage0 to stage%d, hidden and classes, not "
            "'%.60s'",
            gan__classifier_layers(c, &stage) - 1, layer);
    }
    size_t size = gan__classifier_model(c)->size;
    struct part *p = gan__alloc(sizeof *p + size);
    if (p == NULL) {
        return gan__fail_nomem(err, sizeof *p + size, "a feature network");
    }
    *p = (struct part){.fn = net->fn, .unit = i->range == GAN_RANGE_UNIT, .at = at};
    memcpy(p->opts, net->opts, size);
    *out = (struct gan_feature_part){apply_part, p, i->height, i->width, i->channels};
    return GAN_OK;
}

static const gan_tensor *weight(const void *state, const char *local)
{
    return gan__net_value(gan__classifier_net(state), local);
}

GAN_FEATURES(classifier) = {
    .name = "classifier",
    .argument = "RUN|FILE",
    .argument_needed = true,
    .help = "hidden layer, class scores and stages of a run of the model classifier",
    .open = open_classifier,
    .run = run,
    .close = close_classifier,
    .part = part,
    .weight = weight,
};
