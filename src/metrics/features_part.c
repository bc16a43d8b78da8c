/* features_part.c: feature networks inside other graphs: their function, and their weights in another
 * store. */
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"

gan_status gan_features_part(const gan_features *f, const char *layer, struct gan_feature_part *out,
                             gan_err *err)
{
    const struct gan_feature_net *net = gan__features_kind(f);
    *out = (struct gan_feature_part){0};
    if (net->part == NULL) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "features '%s' cannot be part of a loss",
                         gan_features_about(f)->name);
    }
    return net->part(gan__features_state(f), layer, out, err);
}

void gan_feature_part_release(struct gan_feature_part *p)
{
    gan__free(p->opts);
    *p = (struct gan_feature_part){0};
}

gan_status gan_features_fill(const gan_features *f, const gan_net *net, gan_store *st, gan_err *err)
{
    const struct gan_feature_net *kind = gan__features_kind(f);
    for (int i = 0; i < gan_net_count(net); i++) {
        const struct gan_param *p = gan_net_param(net, i);
        const gan_tensor *from =
            kind->weight != NULL ? kind->weight(gan__features_state(f), p->local) : NULL;
        const gan_state *to = gan_store_at(st, gan_store_find(st, p->name));
        if (from == NULL || to == NULL) {
            return gan__fail(err, GAN_E_NOTFOUND, "features '%s' have no parameter %.200s",
                             gan_features_about(f)->name, p->local);
        }
        if (!gan_shape_equal(&from->shape, &to->value.shape)) {
            return gan__fail(err, GAN_E_SHAPE, "features '%s': parameter %.200s has another shape",
                             gan_features_about(f)->name, p->local);
        }
        for (int64_t k = 0; k < p->count; k++) {
            gan_tensor_set(&to->value, k, gan_tensor_get(from, k));
        }
    }
    return GAN_OK;
}
