/* ema.c: exponential moving averages of weights, avg += rate (w - avg).
 *
 * The rate 1 - beta is fed, not beta: 1 - .9999 in f32 keeps four digits only. */
#include "base/err.h"
#include "base/str.h"
#include "engine/graph/node.h"
#include <gan/optim.h>

#include <string.h>

enum { NAME_MAX_LENGTH = 320 };

/* Adds the average of a parameter when it is absent; copies the weight into it then, or when told
 * to. */
static gan_status ensure(gan_store *st, const struct gan_param *p, const char *name, bool reset,
                         gan_err *err)
{
    const gan_state *w = gan_store_at(st, gan_store_find(st, p->name));
    bool fresh = gan_store_find(st, name) < 0;
    gan_err inner = {0};
    if (w == NULL) {
        return gan__fail(err, GAN_E_NOTFOUND, "average: state %s is not in the store", p->name);
    }
    int i = gan_store_add(st, name, GAN_STATE_AVERAGE, w->value.dtype, w->value.shape, &inner);
    if (i < 0) {
        return gan__fail(err, inner.code, "%s", inner.message);
    }
    if (fresh || reset) {
        memcpy(gan_store_at(st, i)->value.data, w->value.data, gan_tensor_bytes(&w->value));
    }
    return GAN_OK;
}

static gan_status average_name(const struct gan_param *p, const char *prefix, char *dst,
                               gan_err *err)
{
    if (!gan__format(dst, NAME_MAX_LENGTH, "%s.%s", prefix, p->name)) {
        return gan__fail(err, GAN_E_RANGE, "name of the average of %.60s.. is too long", p->name);
    }
    return GAN_OK;
}

gan_status gan_ema_reset(gan_store *st, const gan_net *net, const char *prefix, gan_err *err)
{
    char name[NAME_MAX_LENGTH];
    for (int i = 0; i < gan_net_count(net); i++) {
        const struct gan_param *p = gan_net_param(net, i);
        if (p->kind == GAN_STATE_WEIGHT) {
            GAN_TRY(average_name(p, prefix, name, err));
            GAN_TRY(ensure(st, p, name, true, err));
        }
    }
    return GAN_OK;
}

void gan_ema_apply(gan_graph *g, const gan_net *net, const char *prefix, gan_val rate)
{
    char name[NAME_MAX_LENGTH];
    gan_scope_push(g, prefix);
    for (int i = 0; i < gan_net_count(net) && gan_graph_status(g, NULL) == GAN_OK; i++) {
        const struct gan_param *p = gan_net_param(net, i);
        gan_err err = {0};
        if (p->kind != GAN_STATE_WEIGHT) {
            continue;
        }
        if (average_name(p, prefix, name, &err) != GAN_OK ||
            ensure(g->store, p, name, false, &err) != GAN_OK) {
            gan_graph_fail(g, err.code, "%s", err.message);
            break;
        }
        gan_val avg = gan_state_get(g, name), w = gan_state_get(g, p->name);
        gan_state_set(g, name, gan_add(g, avg, gan_mul(g, rate, gan_sub(g, w, avg))));
    }
    gan_scope_pop(g);
}

void gan_ema_values(gan_graph *g, const gan_net *net, const char *prefix, gan_val *values)
{
    char name[NAME_MAX_LENGTH];
    for (int i = 0; i < gan_net_count(net); i++) {
        const struct gan_param *p = gan_net_param(net, i);
        gan_err err = {0};
        values[i] = GAN_NONE;
        if (p->kind != GAN_STATE_WEIGHT) {
            continue;
        }
        if (average_name(p, prefix, name, &err) != GAN_OK ||
            ensure(g->store, p, name, false, &err) != GAN_OK) {
            gan_graph_fail(g, err.code, "%s", err.message);
            return;
        }
        values[i] = gan_state_get(g, name);
    }
}
