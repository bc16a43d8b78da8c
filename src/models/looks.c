/* looks.c: feature networks in the graph of training: declared with their weights, and applied to
 * images of the model. */
#include "base/err.h"
#include "base/str.h"
#include "nets.h"
#include "step_build.h"

#include <string.h>

/* Declares the part, with its weights in the store. */
static gan_status declare(gan_nets *d, gan_features *f, struct gan_look *l, const gan_shape *image,
                          gan_err *err)
{
    const struct gan_net_desc desc = {.name = l->name,
                                      .fn = l->part.fn,
                                      .opts = l->part.opts,
                                      .in = {{.shape = *image}},
                                      .n_in = 1,
                                      .real = d->real,
                                      .frozen = true};
    gan_err own = {0};
    l->net = gan_net_new(d->store, &desc, &own);
    if (l->net == NULL) {
        return gan__fail(err, own.code, "features %s on images of %lldx%lld: %s", l->features,
                         (long long)image->dim[1], (long long)image->dim[2], own.message);
    }
    return gan_features_fill(f, l->net, d->store, err);
}

static gan_status look(gan_nets *d, gan_features *f, const char *layer, const struct gan_task *t,
                       int64_t channels, struct gan_look *l, gan_err *err)
{
    GAN_TRY(gan_features_part(f, layer, &l->part, err));
    l->range = t->range;
    (void)gan__copy(l->hash, sizeof l->hash, gan_features_about(f)->hash);
    gan_shape image = GAN_SHAPE(1, l->part.height > 0 ? l->part.height : t->height,
                                l->part.width > 0 ? l->part.width : t->width,
                                l->part.channels > 0 ? l->part.channels : channels);
    return declare(d, f, l, &image, err);
}

void gan_declare_features(gan_nets *d, const char *net, const char *features, const char *layer,
                          const struct gan_task *task, int64_t channels)
{
    struct gan_net_list *list = d->list;
    const struct gan_features_cfg cfg = {
        .height = task->height, .width = task->width, .channels = channels, .batch = 1};
    gan_features *f = NULL;
    if (d->err.code != GAN_OK) {
        return;
    }
    if (list->n_looks == GAN_LOOKS_MAX) {
        gan__fail(&d->err, GAN_E_RANGE, "network %s: a model looks through at most %d networks",
                  net, GAN_LOOKS_MAX);
        return;
    }
    struct gan_look *l = &list->look[list->n_looks++];
    (void)gan__copy(l->name, sizeof l->name, net);
    (void)gan__format(l->features, sizeof l->features, "%s%s%s", features, layer ? "@" : "",
                      layer ? layer : "");
    if (gan_features_open(features, &cfg, &f, &d->err) == GAN_OK) {
        (void)look(d, f, layer, task, channels, l, &d->err);
    }
    gan_features_close(f);
}

/* --- in a step ------------------------------------------------------------------------------------ */

/* Gray becomes colour, colour Rec. 601 luma. */
static gan_val with_channels(gan_graph *g, gan_val x, int64_t want)
{
    gan_shape s = gan_shape_get(g, x);
    if (want == 0 || !gan_ok(x) || s.dim[3] == want) {
        return x;
    }
    if (s.dim[3] == 1) {
        s.dim[3] = want;
        return gan_broadcast(g, x, s);
    }
    static const double luma[3] = {0.299, 0.587, 0.114};
    gan_val sum = gan_scale(g, gan_slice_axis(g, x, 3, 0, 1), luma[0]);
    for (int c = 1; c < 3; c++) {
        sum = gan_add(g, sum, gan_scale(g, gan_slice_axis(g, x, 3, c, 1), luma[c]));
    }
    return sum;
}

/* Images as the network wants them: 0..255, its size and channels. */
static gan_val prepared(gan_graph *g, const struct gan_look *l, gan_val x)
{
    const struct gan_feature_part *p = &l->part;
    x = with_channels(g, x, p->channels);
    if (p->height > 0 && (gan_dim(g, x, 1) != p->height || gan_dim(g, x, 2) != p->width)) {
        x = gan_resize(g, x, p->height, p->width, GAN_RESIZE_BILINEAR);
    }
    return l->range == GAN_RANGE_UNIT ? gan_scale(g, x, 255)
                                      : gan_scale(g, gan_shift(g, x, 1), 127.5);
}

gan_val gan_look(gan_step *s, const char *net, gan_val images)
{
    gan_graph *g = gan_step_graph(s);
    for (int i = 0; i < s->cfg.nets->n_looks; i++) {
        const struct gan_look *l = &s->cfg.nets->look[i];
        if (strcmp(l->name, net) == 0) {
            gan_val out[GAN_NET_MAX_OUT] = {{0, 0}}, x = prepared(g, l, images);
            gan_net_apply(g, l->net, NULL, GAN_EVAL, &x, out);
            return out[0];
        }
    }
    return gan_graph_fail(g, GAN_E_INTERNAL, "the model looks through no network %s", net);
}
