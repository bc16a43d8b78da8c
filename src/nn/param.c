/* param.c: how a network function gets its parameters, and what layers share. */
#include "net.h"

#include "base/alloc.h"
#include "base/str.h"

#include <string.h>

enum { LOCAL_MAX = 192 };

gan_graph *gan_nn_graph(gan_nn *nn)
{
    return nn->g;
}

gan_mode gan_nn_mode(const gan_nn *nn)
{
    return nn->mode;
}

static bool local_name(gan_nn *nn, const char *layer, const char *name, char *dst)
{
    if (!gan__format(dst, LOCAL_MAX, "%s%s%s", layer ? layer : "", layer ? "." : "", name)) {
        gan_graph_fail(nn->g, GAN_E_RANGE, "parameter name %.60s.. is longer than %d", dst,
                       LOCAL_MAX - 1);
        return false;
    }
    return true;
}

/* Index of a parameter; -1 when there is none. The usual answer is the one after the last. */
static int find(gan_nn *nn, const char *local)
{
    const struct gan_net *net = nn->net;
    int i = nn->next < net->n_params && strcmp(net->params[nn->next].p.local, local) == 0
                ? (int)nn->next
                : gan_net_find(net, local);
    nn->next = i >= 0 ? (size_t)i + 1 : nn->next;
    return i;
}

static gan_state_kind kind_of(const struct gan_param_spec *spec)
{
    return spec->role == GAN_ROLE_MEAN || spec->role == GAN_ROLE_VAR ||
                   spec->role == GAN_ROLE_VECTOR
               ? GAN_STATE_STATISTIC
               : GAN_STATE_WEIGHT;
}

/* Fans as PyTorch counts them: dim 1 and dim 0, times the kernel's area. */
static void default_fans(const gan_shape *s, int64_t *fan_in, int64_t *fan_out)
{
    int64_t area = 1;
    for (int64_t i = 2; i < s->rank; i++) {
        area *= s->dim[i];
    }
    *fan_out = s->rank > 0 ? s->dim[0] * area : 1;
    *fan_in = s->rank > 1 ? s->dim[1] * area : *fan_out;
}

static bool fill_entry(gan_nn *nn, const struct gan_param_spec *spec, const char *local,
                       struct gan__net_param *e)
{
    struct gan_net *net = nn->declare;
    struct gan_param *p = &e->p;
    p->name = gan__arena_printf(&net->arena, "%s.%s", net->name, local);
    p->local = gan__arena_strdup(&net->arena, local);
    p->init = spec->init ? gan__arena_strdup(&net->arena, spec->init) : NULL;
    if (p->name == NULL || p->local == NULL || (spec->init && p->init == NULL)) {
        gan_graph_fail(nn->g, GAN_E_NOMEM, "cannot allocate parameter %s", local);
        return false;
    }
    p->kind = kind_of(spec);
    p->shape = spec->shape;
    p->count = gan_shape_count(&spec->shape);
    p->role = (int)spec->role;
    default_fans(&spec->shape, &p->fan_in, &p->fan_out);
    p->fan_in = spec->fan_in > 0 ? spec->fan_in : p->fan_in;
    p->fan_out = spec->fan_out > 0 ? spec->fan_out : p->fan_out;
    if (p->count < 1) {
        char text[96];
        gan_graph_fail(nn->g, GAN_E_SHAPE, "parameter %s would have shape %s", p->name,
                       gan_shape_text(&spec->shape, text, sizeof text));
        return false;
    }
    gan_err err = {0};
    if (p->init != NULL && gan_init_parse(p->init, &e->own, &err) != GAN_OK) {
        gan_graph_fail(nn->g, err.code, "parameter %s: %.300s", p->name, err.message);
        return false;
    }
    return true;
}

static int declare(gan_nn *nn, const struct gan_param_spec *spec, const char *local)
{
    struct gan_net *net = nn->declare;
    struct gan__net_param e = {0};
    if (gan_graph_status(nn->g, NULL) != GAN_OK || !fill_entry(nn, spec, local, &e)) {
        return -1;
    }
    if (!gan__grow(&net->params, &net->cap_params, net->n_params + 1, sizeof *net->params)) {
        gan_graph_fail(nn->g, GAN_E_NOMEM, "cannot allocate parameter %s", local);
        return -1;
    }
    net->params[net->n_params] = e;
    nn->next = net->n_params + 1;
    return (int)net->n_params++;
}

/* The parameter's value here: given by the caller, a zero while declaring, or the store's newest.
 */
static gan_val value_of(gan_nn *nn, int i)
{
    const struct gan_param *p = &nn->net->params[i].p;
    if (nn->declare != NULL) {
        return gan_fill(nn->g, 0, p->shape);
    }
    if (nn->values == NULL || !gan_ok(nn->values[i])) {
        return gan_state_get(nn->g, p->name);
    }
    gan_shape s = gan_shape_get(nn->g, nn->values[i]);
    char a[96], b[96];
    if (!gan_shape_equal(&s, &p->shape)) {
        return gan_graph_fail(nn->g, GAN_E_SHAPE, "value given for %s is %s, its shape is %s",
                              p->name, gan_shape_text(&s, a, sizeof a),
                              gan_shape_text(&p->shape, b, sizeof b));
    }
    return nn->values[i];
}

gan_val gan_nn_param(gan_nn *nn, const struct gan_param_spec *spec)
{
    char local[LOCAL_MAX], a[96], b[96];
    if (gan_graph_status(nn->g, NULL) != GAN_OK ||
        !local_name(nn, spec->layer, spec->name, local)) {
        return GAN_NONE;
    }
    int i = find(nn, local);
    if (i < 0 && nn->declare == NULL) {
        return gan_graph_fail(nn->g, GAN_E_NOTFOUND,
                              "network %s asks for parameter %s, which it did not declare",
                              nn->net->name, local);
    }
    i = i < 0 ? declare(nn, spec, local) : i;
    if (i < 0) {
        return GAN_NONE;
    }
    const struct gan_param *p = &nn->net->params[i].p;
    if (p->kind != kind_of(spec)) {
        return gan_graph_fail(nn->g, GAN_E_ARG,
                              "parameter %s is asked for as a weight and as a "
                              "statistic",
                              p->name);
    }
    if (!gan_shape_equal(&p->shape, &spec->shape)) {
        return gan_graph_fail(nn->g, GAN_E_SHAPE, "parameter %s is %s, the layer needs %s", p->name,
                              gan_shape_text(&p->shape, a, sizeof a),
                              gan_shape_text(&spec->shape, b, sizeof b));
    }
    return value_of(nn, i);
}

void gan_nn_update(gan_nn *nn, const char *layer, const char *name, gan_val v)
{
    char local[LOCAL_MAX];
    if (nn->mode != GAN_TRAIN || nn->declare != NULL || !gan_ok(v) ||
        !local_name(nn, layer, name, local)) {
        return;
    }
    int i = gan_net_find(nn->net, local);
    if (i < 0 || nn->net->params[i].p.kind != GAN_STATE_STATISTIC) {
        gan_graph_fail(nn->g, GAN_E_NOTFOUND, "network %s has no statistic %s", nn->net->name,
                       local);
    } else if (nn->values == NULL || !gan_ok(nn->values[i])) {
        gan_state_set(nn->g, nn->net->params[i].p.name, v);
    }
}

gan_val gan__nn_add_bias(gan_nn *nn, const char *layer, gan_val y, int64_t fan_in, const char *init)
{
    gan_val b = gan_nn_param(nn, &(struct gan_param_spec){.layer = layer,
                                                          .name = "bias",
                                                          .role = GAN_ROLE_BIAS,
                                                          .shape = GAN_SHAPE(gan_dim(nn->g, y, -1)),
                                                          .fan_in = fan_in,
                                                          .init = init});
    return gan_add(nn->g, y, b);
}

gan_val gan__nn_affine(gan_nn *nn, const char *layer, gan_val x_hat, const char *init)
{
    gan_shape c = GAN_SHAPE(gan_dim(nn->g, x_hat, -1));
    gan_val scale = gan_nn_param(
        nn,
        &(struct gan_param_spec){
            .layer = layer, .name = "weight", .role = GAN_ROLE_SCALE, .shape = c, .init = init});
    gan_val offset =
        gan_nn_param(nn, &(struct gan_param_spec){
                             .layer = layer, .name = "bias", .role = GAN_ROLE_OFFSET, .shape = c});
    return gan_add(nn->g, gan_mul(nn->g, x_hat, scale), offset);
}
