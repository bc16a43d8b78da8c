/* metric_lpips.c: perceptual distance of pairs: activations of inner layers, each position scaled to unit
 * length over the channels, squared differences weighted by channel, mean over positions, sum of
 * layers.
 *
 * Ref: Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric",
 * arXiv:1801.03924. */
#include "interval.h"
#include "lpips.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { BATCH = 16, MAX_LAYERS = 16 };

struct work {
    float *layer[2][MAX_LAYERS]; /* activations of reals and fakes, [BATCH,h,w,c] */
    int n_layers;
};

static void work_release(struct work *w)
{
    for (int k = 0; k < MAX_LAYERS; k++) {
        gan__free(w->layer[0][k]);
        gan__free(w->layer[1][k]);
    }
}

static gan_status work_init(struct work *w, const struct gan_features_info *f, gan_err *err)
{
    *w = (struct work){.n_layers = f->n_layers};
    if (f->n_layers < 1 || f->n_layers > MAX_LAYERS) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "lpips needs a network that shows 1 to %d inner layers, '%s' shows %d",
                         (int)MAX_LAYERS, f->name, f->n_layers);
    }
    for (int k = 0; k < f->n_layers; k++) {
        const struct gan_feature_layer *l = &f->layer_at[k];
        size_t floats = (size_t)(BATCH * l->height * l->width * l->channels);
        w->layer[0][k] = gan__alloc_array(floats, sizeof(float));
        w->layer[1][k] = gan__alloc_array(floats, sizeof(float));
        if (w->layer[0][k] == NULL || w->layer[1][k] == NULL) {
            return gan__fail_nomem(err, 2 * floats * sizeof(float), "activations");
        }
    }
    return GAN_OK;
}

static double norm(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        sum += (double)x[k] * (double)x[k];
    }
    return sqrt(sum) + 1e-10;
}

double gan__lpips_layer(const struct gan_feature_layer *l, const float *x, const float *y)
{
    int64_t positions = l->height * l->width, n = l->channels;
    double sum = 0;
    for (int64_t p = 0; p < positions; p++, x += n, y += n) {
        double a = 1 / norm(x, n), b = 1 / norm(y, n);
        for (int64_t c = 0; c < n; c++) {
            double d = (double)x[c] * a - (double)y[c] * b;
            sum += d * d * (l->weight != NULL ? (double)l->weight[c] : 1 / (double)n);
        }
    }
    return sum / (double)positions;
}

static gan_status batch(const struct gan_metric_input *in, struct work *w, int64_t first, int64_t n,
                        double *v, gan_err *err)
{
    const struct gan_features_info *f = gan_features_about(in->network);
    const struct gan_side *side[2] = {&in->real, &in->fake};
    for (int s = 0; s < 2; s++) {
        int64_t size = side[s]->height * side[s]->width * side[s]->channels;
        struct gan_image_set set = {
            n,   side[s]->height, side[s]->width, side[s]->channels, side[s]->images + first * size,
            NULL};
        struct gan_features_out out = {.layers = w->layer[s]};
        GAN_TRY(gan_features_run(in->network, &set, &out, err));
    }
    for (int64_t i = 0; i < n; i++) {
        v[first + i] = 0;
        for (int k = 0; k < w->n_layers; k++) {
            const struct gan_feature_layer *l = &f->layer_at[k];
            int64_t at = i * l->height * l->width * l->channels;
            v[first + i] += gan__lpips_layer(l, w->layer[0][k] + at, w->layer[1][k] + at);
        }
    }
    return GAN_OK;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    struct work w;
    int64_t n = in->fake.n;
    double *v = gan__alloc_array((size_t)n, sizeof *v), sum = 0;
    gan_status status = work_init(&w, gan_features_about(in->network), err);
    if (status == GAN_OK && v == NULL) {
        status = gan__fail_nomem(err, (size_t)n * sizeof *v, "pairs");
    }
    for (int64_t i = 0; status == GAN_OK && i < n; i += BATCH) {
        status = batch(in, &w, i, n - i < BATCH ? n - i : BATCH, v, err);
    }
    for (int64_t i = 0; status == GAN_OK && i < n; i++) {
        sum += v[i] / (double)n;
    }
    if (status == GAN_OK) {
        const struct gan_features_info *f = gan_features_about(in->network);
        struct gan_metric_value *lpips = gan__metric_value(out, "lpips", sum, "");
        struct gan__influence pairs = {v, n}, none = {NULL, 0};
        status = gan__interval(in, none, pairs, lpips, err);
        (void)gan__format(out->protocol, sizeof out->protocol,
                          "%d layers of %.80s, %s weights, pairs in order", f->n_layers, f->name,
                          f->layer_at[0].weight != NULL ? "learned" : "even");
    }
    work_release(&w);
    gan__free(v);
    return status;
}

GAN_METRIC(lpips) = {
    .name = "lpips",
    .help = "perceptual distance of image i to image i, by a network's inner layers",
    .ref = "Zhang et al. 2018, arXiv:1801.03924",
    .needs = GAN_NEED_LAYERS | GAN_NEED_PAIRS,
    .least = 1,
    .lower = true,
    .run = run,
};
