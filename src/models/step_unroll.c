/* step_unroll.c: a network's parameters after some updates, as a function: each update is the
 * optimiser's rule as graph values (gan_optim_next), so derivatives pass through all of them.
 *
 * Metz et al. 2017, "Unrolled generative adversarial networks", arXiv:1611.02163, section 2.3. */
#include "base/arena.h"
#include "base/str.h"
#include "engine/graph/node.h"
#include "step_build.h"

#include <string.h>

/* One look ahead. */
struct look {
    gan_step *s;
    gan_graph *g;
    const gan_net *net;
    const struct gan_optim *optim;
    int n;              /* weights */
    const char **names; /* of the weights */
    gan_val *weight;    /* [n] after the updates so far */
    gan_val *grad;      /* [n] */
    gan_val *slots;     /* [n] times the rule's slots */
};

gan_val gan_apply_with(gan_step *s, const char *name, const struct gan_params *params, gan_val x)
{
    const gan_net *net = gan__step_net(s, name, strlen(name));
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    if (net != NULL) {
        gan_net_apply(gan_step_graph(s), net, params, s->cfg.mode, &x, out);
    }
    return out[0];
}

static bool allocate(struct look *l, gan_val **table)
{
    struct gan__arena *a = &l->g->arena;
    size_t room = (size_t)gan_net_count(l->net) + 1;
    l->names = gan__arena_array(a, room, sizeof *l->names);
    l->weight = gan__arena_array(a, room, sizeof *l->weight);
    l->grad = gan__arena_array(a, room, sizeof *l->grad);
    l->slots =
        gan__arena_array(a, room * (size_t)(gan_optim_slot_count(l->optim) + 1), sizeof *l->slots);
    *table = gan__arena_array(a, room, sizeof **table);
    if (!l->names || !l->weight || !l->grad || !l->slots || !*table) {
        gan_graph_fail(l->g, GAN_E_NOMEM, "memory for %zu parameters of an unrolled network", room);
        return false;
    }
    return true;
}

/* The weights where the network expects them; statistics are given, so that none is written. */
static void fill_table(const struct look *l, gan_val *table)
{
    for (int i = 0, w = 0; i < gan_net_count(l->net); i++) {
        const struct gan_param *p = gan_net_param(l->net, i);
        table[i] = p->kind == GAN_STATE_WEIGHT ? l->weight[w++] : gan_state_get(l->g, p->name);
    }
}

static void update(struct look *l, int ahead, gan_val loss)
{
    const struct gan_optim_args a = {.phase = gan_net_name(l->net),
                                     .names = l->names,
                                     .params = l->weight,
                                     .grads = l->grad,
                                     .n = l->n};
    gan_grad(l->g, loss, l->weight, l->n, l->grad);
    gan_optim_next(l->g, l->optim, &a, ahead, l->slots, l->weight);
}

const struct gan_params *gan_unroll(gan_step *s, const char *name, const struct gan_optim *o,
                                    int64_t steps, gan_loss_of loss, void *ctx)
{
    struct look l = {.s = s, .g = gan_step_graph(s), .optim = o};
    gan_val *table = NULL;
    l.net = gan__step_net(s, name, strlen(name));
    struct gan_params *out = gan__arena_array(&l.g->arena, 1, sizeof *out);
    if (!l.net || !out || !allocate(&l, &table)) {
        return NULL;
    }
    if (steps < 0 || steps > GAN__MAX_AHEAD) {
        gan_graph_fail(l.g, GAN_E_RANGE, "%s is unrolled by %lld updates, allowed are 0..%d", name,
                       (long long)steps, GAN__MAX_AHEAD);
        return NULL;
    }
    *out = (struct gan_params){table};
    l.n = gan_net_weights(l.g, l.net, l.names, l.weight);
    const struct gan_optim_args a = {.phase = name, .names = l.names, .n = l.n};
    gan_optim_slots(l.g, o, &a, l.slots);
    (void)gan__copy(s->unrolled, sizeof s->unrolled, name);
    s->ahead = steps > 0 ? (int)steps - 1 : 0;
    gan_scope_push(l.g, "unroll");
    fill_table(&l, table);
    for (int k = 0; k < (int)steps && gan_graph_status(l.g, NULL) == GAN_OK; k++) {
        update(&l, k, loss(s, out, ctx));
        fill_table(&l, table);
    }
    gan_scope_pop(l.g);
    return out;
}
