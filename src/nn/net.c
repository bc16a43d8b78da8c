/* net.c: declaring and applying networks.
 *
 * The declaring run executes the network's function on a throwaway graph without a store and notes
 * every parameter asked for. Later applications look the parameters up, so a network cannot grow
 * new ones unnoticed. */
#include "net.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "initializer.h"

#include <string.h>

static gan_status check_desc(const struct gan_net_desc *d, gan_err *err)
{
    if (d->name == NULL || d->name[0] == '\0' || d->fn == NULL) {
        return gan__fail(err, GAN_E_ARG, "a network needs a name and a function");
    }
    if (d->n_in < 1 || d->n_in > GAN_NET_MAX_IN) {
        return gan__fail(err, GAN_E_ARG, "network %s has %d inputs, allowed 1 to %d", d->name,
                         d->n_in, GAN_NET_MAX_IN);
    }
    if (d->real != GAN_F32 && d->real != GAN_F64) {
        return gan__fail(err, GAN_E_ARG, "network %s stores %s, allowed f32 and f64", d->name,
                         gan_dtype_name(d->real));
    }
    return GAN_OK;
}

/* Runs the function on inputs of the declared types; fills net->params, net->out. */
static gan_status run_declaring(struct gan_net *net, gan_err *err)
{
    gan_graph *g = gan_graph_new(NULL, net->real);
    if (g == NULL) {
        return gan__fail_nomem(err, sizeof *net, net->name);
    }
    struct gan_nn nn = {.g = g, .net = net, .declare = net, .mode = GAN_EVAL};
    gan_val in[GAN_NET_MAX_IN] = {{0, 0}}, out[GAN_NET_MAX_OUT] = {{0, 0}};
    for (int i = 0; i < net->n_in; i++) {
        char name[8];
        (void)gan__format(name, sizeof name, "in%d", i);
        in[i] = gan_feed(g, name, net->in[i].index ? GAN_I32 : net->real, net->in[i].shape);
    }
    gan_scope_push(g, net->name);
    if (gan_graph_status(g, NULL) == GAN_OK) {
        net->fn(&nn, in, out, net->opts);
    }
    gan_scope_pop(g);
    for (int i = 0; i < GAN_NET_MAX_OUT; i++) {
        net->out[i] = gan_shape_get(g, out[i]);
        net->n_out = gan_ok(out[i]) ? i + 1 : net->n_out;
    }
    gan_err failure = {0};
    gan_status s = gan_graph_status(g, &failure);
    if (s != GAN_OK) {
        gan__fail(err, s, "network %s: %.380s", net->name, failure.message);
    } else if (net->n_out == 0) {
        s = gan__fail(err, GAN_E_ARG, "network %s fills no output", net->name);
    }
    gan_graph_free(g);
    return s;
}

static gan_status register_params(struct gan_net *net, gan_err *err)
{
    for (size_t i = 0; i < net->n_params; i++) {
        const struct gan_param *p = &net->params[i].p;
        gan_err inner = {0};
        gan_state_kind kind = net->frozen ? GAN_STATE_FROZEN : p->kind;
        if (gan_store_add(net->store, p->name, kind, net->real, p->shape, &inner) < 0) {
            return gan__fail(err, inner.code, "%.420s", inner.message);
        }
    }
    return GAN_OK;
}

gan_net *gan_net_new(gan_store *st, const struct gan_net_desc *desc, gan_err *err)
{
    struct gan_net *net = NULL;
    if (check_desc(desc, err) != GAN_OK) {
        return NULL;
    }
    net = gan__alloc(sizeof *net);
    if (net == NULL) {
        gan__fail_nomem(err, sizeof *net, desc->name);
        return NULL;
    }
    net->store = st;
    net->fn = desc->fn;
    net->opts = desc->opts;
    net->n_in = desc->n_in;
    net->real = desc->real;
    net->frozen = desc->frozen;
    memcpy(net->in, desc->in, sizeof net->in);
    net->name = gan__arena_strdup(&net->arena, desc->name);
    if (net->name == NULL) {
        gan__fail_nomem(err, strlen(desc->name), "a network's name");
        goto fail;
    }
    if (gan_init_parse(desc->init ? desc->init : "torch", &net->init, err) != GAN_OK ||
        run_declaring(net, err) != GAN_OK || register_params(net, err) != GAN_OK) {
        goto fail;
    }
    return net;
fail:
    gan_net_free(net);
    return NULL;
}

void gan_net_free(gan_net *net)
{
    if (net != NULL) {
        gan__arena_release(&net->arena);
        gan__free(net->params);
        gan__free(net);
    }
}

gan_status gan_net_init(gan_net *net, uint64_t seed, gan_err *err)
{
    for (size_t i = 0; i < net->n_params && !net->frozen; i++) {
        const struct gan__net_param *p = &net->params[i];
        const gan_state *s = gan_store_at(net->store, gan_store_find(net->store, p->p.name));
        if (s == NULL) {
            return gan__fail(err, GAN_E_NOTFOUND, "state %s is not in the store", p->p.name);
        }
        GAN_TRY(
            gan__init_param(&p->p, p->p.init ? &p->own : NULL, &net->init, seed, &s->value, err));
    }
    return GAN_OK;
}

const char *gan_net_name(const gan_net *net)
{
    return net->name;
}

int64_t gan_net_params(const gan_net *net)
{
    int64_t sum = 0;
    for (size_t i = 0; i < net->n_params && !net->frozen; i++) {
        sum += net->params[i].p.kind == GAN_STATE_WEIGHT ? net->params[i].p.count : 0;
    }
    return sum;
}

int gan_net_count(const gan_net *net)
{
    return (int)net->n_params;
}

const struct gan_param *gan_net_param(const gan_net *net, int i)
{
    return i >= 0 && (size_t)i < net->n_params ? &net->params[i].p : NULL;
}

int gan_net_find(const gan_net *net, const char *local)
{
    for (size_t i = 0; i < net->n_params; i++) {
        if (strcmp(net->params[i].p.local, local) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const gan_tensor *gan__net_value(const gan_net *net, const char *local)
{
    const struct gan_param *p = gan_net_param(net, gan_net_find(net, local));
    const gan_state *s =
        p != NULL ? gan_store_at(net->store, gan_store_find(net->store, p->name)) : NULL;
    return s != NULL ? &s->value : NULL;
}

int gan_net_outputs(const gan_net *net)
{
    return net->n_out;
}

gan_shape gan_net_out_shape(const gan_net *net, int i)
{
    return i >= 0 && i < net->n_out ? net->out[i] : (gan_shape){.rank = -1};
}

struct gan_net_input gan_net_in(const gan_net *net, int i)
{
    return i >= 0 && i < net->n_in ? net->in[i] : (struct gan_net_input){0};
}

/* An input of another rank or kind than declared is named here, not deep inside a layer. */
static void check_input(gan_graph *g, const gan_net *net, int i, gan_val v)
{
    const struct gan_net_input *want = &net->in[i];
    gan_shape s = gan_shape_get(g, v);
    char a[96], b[96];
    if (s.rank != want->shape.rank) {
        gan_graph_fail(g, GAN_E_SHAPE, "input %d of network %s is %s, declared as %s", i, net->name,
                       gan_shape_text(&s, a, sizeof a), gan_shape_text(&want->shape, b, sizeof b));
    } else if (want->index != !gan_dtype_is_real(gan_dtype_get(g, v))) {
        gan_graph_fail(g, GAN_E_DTYPE, "input %d of network %s is %s, declared as %s", i, net->name,
                       gan_dtype_name(gan_dtype_get(g, v)), want->index ? "i32" : "real");
    }
}

void gan_net_apply(gan_graph *g, const gan_net *net, const struct gan_params *params, gan_mode mode,
                   const gan_val *in, gan_val *out)
{
    for (int i = 0; i < net->n_out; i++) {
        out[i] = GAN_NONE;
    }
    for (int i = 0; i < net->n_in && gan_graph_status(g, NULL) == GAN_OK; i++) {
        if (!gan_ok(in[i])) {
            gan_graph_fail(g, GAN_E_ARG, "input %d of network %s is not a value", i, net->name);
        } else {
            check_input(g, net, i, in[i]);
        }
    }
    if (gan_graph_status(g, NULL) != GAN_OK) {
        return;
    }
    struct gan_nn nn = {.g = g, .net = net, .values = params ? params->value : NULL, .mode = mode};
    gan_scope_push(g, net->name);
    net->fn(&nn, in, out, net->opts);
    gan_scope_pop(g);
}

int gan_net_weights(gan_graph *g, const gan_net *net, const char **names, gan_val *values)
{
    int n = 0;
    for (size_t i = 0; i < net->n_params; i++) {
        const struct gan_param *p = &net->params[i].p;
        if (p->kind != GAN_STATE_WEIGHT || net->frozen) {
            continue;
        }
        if (names != NULL) {
            names[n] = p->name;
        }
        if (values != NULL) {
            values[n] = gan_state_get(g, p->name);
        }
        n++;
    }
    return n;
}
