/* step_state.c: what a step keeps beside weights and moments: scalars of the host, tensors of the
 * model's own, averages of weights. */
#include "base/arena.h"
#include "base/str.h"
#include "engine/graph/node.h"
#include "step_build.h"

#include <math.h>
#include <string.h>

enum { NAME = 96 };

/* --- numbers of the host ------------------------------------------------------------------------- */

gan_val gan_step_scalar(gan_step *s, const char *name,
                        double (*value)(const void *arg, const struct gan_moment *m),
                        const void *arg)
{
    gan_graph *g = gan_step_graph(s);
    if (s->open < 0) {
        return GAN_NONE;
    }
    struct gan__segment *seg = &s->segment[s->open];
    for (int i = 0; i < seg->n_scalars; i++) {
        if (strcmp(seg->scalar[i].name, name) == 0) {
            return seg->scalar[i].val;
        }
    }
    if (seg->n_scalars == GAN__MAX_SCALARS) {
        return gan_graph_fail(g, GAN_E_RANGE, "a phase has more than %d scalars", GAN__MAX_SCALARS);
    }
    struct gan__scalar_info *info = &seg->scalar[seg->n_scalars++];
    (void)gan__copy(info->name, sizeof info->name, name);
    info->val = gan_scalar_feed(g, name);
    info->value = value;
    info->arg = arg;
    return info->val;
}

void gan_step_needs_length(gan_step *s, const char *what)
{
    s->needs_length = what;
}

const char *gan__step_needs_length(const gan_step *s)
{
    return s->needs_length;
}

/* --- tensors -------------------------------------------------------------------------------------- */

static bool entry_name(gan_step *s, const char *name, char *dst)
{
    if (!gan__format(dst, NAME, "kept.%s", name)) {
        gan_graph_fail(gan_step_graph(s), GAN_E_RANGE, "the name of kept %.40s.. is too long",
                       name);
        return false;
    }
    return true;
}

gan_val gan_kept(gan_step *s, const char *name, gan_shape shape, double initial)
{
    gan_graph *g = gan_step_graph(s);
    gan_store *st = s->cfg.store;
    char entry[NAME];
    gan_err err = {0};
    if (!entry_name(s, name, entry)) {
        return GAN_NONE;
    }
    bool fresh = gan_store_find(st, entry) < 0;
    int at = gan_store_add(st, entry, GAN_STATE_POOL, s->cfg.real, shape, &err);
    if (at < 0) {
        return gan_graph_fail(g, err.code, "%s", err.message);
    }
    if (fresh) {
        const gan_tensor *t = &gan_store_at(st, at)->value;
        for (int64_t i = 0; i < gan_shape_count(&t->shape); i++) {
            gan_tensor_set(t, i, initial);
        }
    }
    return gan_state_get(g, entry);
}

void gan_keep(gan_step *s, const char *name, gan_val value)
{
    gan_graph *g = gan_step_graph(s);
    char entry[NAME];
    if (!entry_name(s, name, entry) || !gan_ok(value)) {
        return;
    }
    gan_val old = gan_state_get(g, entry);
    value = gan_stop(g, value);
    gan_state_set(g, entry, gan_select(g, gan_isfinite(g, value), value, old));
}

/* --- averages ------------------------------------------------------------------------------------- */

bool gan_average_on(const struct gan_average *a)
{
    return a->half_life > 0 || (a->moves && a->to > 0);
}

double gan_average_half_life(const struct gan_average *a, const struct gan_moment *m)
{
    int64_t t = m->iteration + 1, horizon = m->steps > 0 ? m->steps : 1;
    double seen = (double)(m->images + m->batch);
    double half_life = a->moves
                           ? gan_schedule_between(&a->schedule, a->half_life, a->to, t, horizon)
                           : a->half_life * gan_schedule_factor(&a->schedule, t, horizon);
    return a->ramp > 0 ? fmin(half_life, a->ramp * seen) : half_life;
}

/* 1 - beta with beta = 2^(-batch/half-life), 0 for none. */
static double average_rate(const void *average, const struct gan_moment *m)
{
    double half_life = gan_average_half_life(average, m);
    return half_life > 0 ? -expm1(-M_LN2 * (double)m->batch / half_life) : 1;
}

void gan_average(gan_step *s, const char *name, const struct gan_average *a)
{
    const gan_net *net = gan_average_on(a) ? gan__step_net(s, name, strlen(name)) : NULL;
    char feed[48];
    if (net == NULL) {
        return;
    }
    if (gan_schedule_needs_horizon(&a->schedule)) {
        gan_step_needs_length(s, "the schedule of --ema");
    }
    (void)gan__format(feed, sizeof feed, "%s.average", name);
    gan_val rate = gan_step_scalar(s, feed, average_rate, a);
    gan_ema_apply(gan_step_graph(s), net, "ema", rate);
    gan__phase_begin(s);
}

void gan_apply_average_all(gan_step *s, const char *name, const gan_val *in, gan_val *out,
                           const struct gan_average *a)
{
    gan_graph *g = gan_step_graph(s);
    const gan_net *net = gan__step_net(s, name, strlen(name));
    if (net == NULL || !gan_average_on(a)) {
        gan_apply_all(s, name, in, out);
        return;
    }
    gan_val *params = gan__arena_array(&g->arena, (size_t)gan_net_count(net) + 1, sizeof *params);
    if (params == NULL) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the average of %s", name);
        return;
    }
    gan_ema_values(g, net, "ema", params);
    gan_net_apply(g, net, &(struct gan_params){.value = params}, s->cfg.mode, in, out);
}

gan_val gan_apply_average(gan_step *s, const char *name, gan_val x, const struct gan_average *a)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_apply_average_all(s, name, &x, out, a);
    return out[0];
}
