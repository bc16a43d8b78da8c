/* layout_schedule.c: the order of the steps. Nodes run in number order. A state set disappears when
 * its value can be made in the memory of the store; otherwise it is a copy, run as soon as the value
 * exists and the last reader of the old version is done. */
#include "layout.h"

#include "base/alloc.h"
#include "base/err.h"
#include "fused.h"

#include <string.h>

/* Constants up to this size are computed once and kept by the plan. */
#define KEEP_BYTES ((size_t)256 * 1024)

size_t gan__type_bytes(const struct gan__type *t)
{
    return gan_tensor_bytes(&(gan_tensor){.dtype = t->dtype, .shape = t->shape});
}

static uint32_t value_number(const struct gan__layout *l, gan_val v)
{
    return l->base[v.node] + v.out;
}

static uint32_t root_of(const struct gan__layout *l, gan_val v)
{
    return l->root[value_number(l, v)];
}

static bool placed(const struct gan__op *op)
{
    return op == &gan__op_feed || op == &gan__op_scalar_feed || op == &gan__op_state_get;
}

/* A constant of the plan? */
static bool kept(const struct gan__node *n)
{
    return n->n_in == 0 && (n->op->flags & GAN_OP_SOURCE) && !(n->op->flags & GAN_OP_RANDOM) &&
           n->op->ref && gan__type_bytes(&n->out[0]) <= KEEP_BYTES;
}

bool gan__layout_source(const struct gan__node *n)
{
    return placed(n->op) || kept(n);
}

static gan_status allocate(struct gan__layout *l, gan_err *err)
{
    const gan_graph *g = l->g;
    l->base = gan__ir_values(g);
    size_t n = l->base ? l->base[g->n_nodes] : 0;
    l->root = gan__alloc_array(n, sizeof *l->root);
    l->maker = gan__alloc_array(n, sizeof *l->maker);
    l->output = gan__alloc_array(n, sizeof *l->output);
    l->death = gan__alloc_array(n, sizeof *l->death);
    l->time = gan__alloc_array(g->n_nodes, sizeof *l->time);
    l->readers_of = gan__alloc_array(g->n_states + 1, sizeof *l->readers_of);
    l->written = gan__alloc_array(g->n_states + 1, sizeof *l->written);
    l->steps = gan__alloc_array(g->n_nodes, sizeof *l->steps);
    l->init = gan__alloc_array(g->n_nodes, sizeof *l->init);
    if (!l->base || !l->root || !l->maker || !l->output || !l->death || !l->time ||
        !l->readers_of || !l->written || !l->steps || !l->init) {
        return gan__fail_nomem(err, n * 32, "the schedule");
    }
    return GAN_OK;
}

static void find_roots(struct gan__layout *l)
{
    const gan_graph *g = l->g;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        bool view = i > 0 && (n->op->flags & GAN_OP_VIEW);
        for (uint32_t v = l->base[i]; v < l->base[i + 1]; v++) {
            l->root[v] = view ? root_of(l, n->in[0]) : v;
            l->maker[v] = (uint32_t)i;
        }
    }
    for (int i = 0; i < l->c->n_outputs; i++) {
        l->output[root_of(l, l->c->outputs[i])] = true;
    }
}

/* Steps without state sets, in number order; constants apart. */
static void order_nodes(struct gan__layout *l)
{
    const gan_graph *g = l->g;
    l->time[0] = -1;
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        l->time[i] = -1;
        if (placed(n->op) || n->op == &gan__op_state_set || (n->op->flags & GAN_OP_VIEW)) {
            continue;
        }
        if (kept(n)) {
            l->init[l->n_init++] = (uint32_t)i;
            continue;
        }
        l->time[i] = (int64_t)l->n_steps;
        l->steps[l->n_steps++] = (uint32_t)i;
    }
}

/* Last readers of every value and of every state's version 0, from the current times. */
static void find_deaths(struct gan__layout *l)
{
    const gan_graph *g = l->g;
    for (uint32_t v = 0; v < l->base[g->n_nodes]; v++) {
        l->death[v] = -1;
    }
    for (size_t i = 0; i <= g->n_states; i++) {
        l->readers_of[i] = -1;
    }
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in && l->time[i] >= 0; j++) {
            uint32_t r = root_of(l, n->in[j]);
            const struct gan__node *m = &g->nodes[l->maker[r]];
            l->death[r] = l->time[i] > l->death[r] ? l->time[i] : l->death[r];
            if (m->op == &gan__op_state_get) {
                const struct gan__attr_index *a = m->attr;
                int64_t *last = &l->readers_of[a->index];
                *last = l->time[i] > *last ? l->time[i] : *last;
            }
        }
    }
}

/* Can the maker of root r write straight into the memory of state e? */
static bool in_store(const struct gan__layout *l, size_t e, uint32_t r)
{
    const gan_graph *g = l->g;
    uint32_t node = l->maker[r];
    const struct gan__node *n = &g->nodes[node];
    int k = (int)(r - l->base[node]);
    int64_t t = l->time[node];
    const gan_tensor *home = &gan_store_at(g->store, (int)e)->value;
    if (!l->inplace || t < 0 || l->output[r] || gan__type_bytes(&n->out[k]) == 0 ||
        gan__type_bytes(&n->out[k]) != gan_tensor_bytes(home) || l->readers_of[e] > t) {
        return false;
    }
    for (int j = 0; j < n->n_in && l->readers_of[e] == t; j++) {
        const struct gan__node *m = &g->nodes[l->maker[root_of(l, n->in[j])]];
        if (m->op == &gan__op_state_get &&
            ((const struct gan__attr_index *)m->attr)->index == (int64_t)e &&
            !gan__inplace_ok(g, l->base, l->root, n, j, k)) {
            return false;
        }
    }
    return true;
}

/* Decides each state's set: nothing to do, in place, or a copy after step anchor[e] (-2: none). */
static gan_status decide_sets(struct gan__layout *l, int64_t *anchor, gan_err *err)
{
    const gan_graph *g = l->g;
    bool *taken = gan__alloc_array(l->base[g->n_nodes], sizeof *taken);
    if (!taken) {
        return gan__fail_nomem(err, l->base[g->n_nodes], "state sets");
    }
    for (size_t e = 0; e < g->n_states; e++) {
        anchor[e] = -2;
        if (!gan_ok(g->states[e].set)) {
            continue;
        }
        uint32_t r = root_of(l, g->nodes[g->states[e].set.node].in[0]);
        const struct gan__node *m = &g->nodes[l->maker[r]];
        if (m->op == &gan__op_state_get &&
            ((const struct gan__attr_index *)m->attr)->index == (int64_t)e) {
            continue; /* set to itself */
        }
        if (!taken[r] && in_store(l, e, r)) {
            l->written[e] = r + 1;
            taken[r] = true;
            continue;
        }
        int64_t made = l->time[l->maker[r]];
        anchor[e] = made > l->readers_of[e] ? made : l->readers_of[e];
    }
    gan__free(taken);
    return GAN_OK;
}

/* Puts the copies behind their anchors and renumbers the steps. */
static gan_status insert_sets(struct gan__layout *l, const int64_t *anchor, gan_err *err)
{
    const gan_graph *g = l->g;
    size_t n_sets = 0;
    size_t *first = gan__alloc_array(l->n_steps + 2, sizeof *first); /* by anchor + 1 */
    uint32_t *sorted = gan__alloc_array(g->n_states + 1, sizeof *sorted);
    uint32_t *steps = gan__alloc_array(l->n_steps + g->n_states + 1, sizeof *steps);
    if (!first || !sorted || !steps) {
        gan__free(first);
        gan__free(sorted);
        gan__free(steps);
        return gan__fail_nomem(err, l->n_steps * sizeof *first, "state sets");
    }
    /* a counting sort keeps states of one anchor in store order */
    for (size_t e = 0; e < g->n_states; e++) {
        if (anchor[e] >= -1) {
            first[anchor[e] + 1]++;
            n_sets++;
        }
    }
    for (size_t i = 0, sum = 0; i <= l->n_steps + 1; i++) {
        size_t n = first[i];
        first[i] = sum;
        sum += n;
    }
    for (size_t e = 0; e < g->n_states; e++) {
        if (anchor[e] >= -1) {
            sorted[first[anchor[e] + 1]++] = g->states[e].set.node;
        }
    }
    size_t n = 0, s = 0;
    for (size_t t = 0; t <= l->n_steps; t++) {
        while (s < n_sets && s < first[t]) {
            steps[n++] = sorted[s++];
        }
        if (t < l->n_steps) {
            steps[n++] = l->steps[t];
        }
    }
    for (size_t t = 0; t < n; t++) {
        l->time[steps[t]] = (int64_t)t;
    }
    gan__free(first);
    gan__free(sorted);
    gan__free(l->steps);
    l->steps = steps;
    l->n_steps = n;
    return GAN_OK;
}

gan_status gan__layout_schedule(struct gan__layout *l, const struct gan__compile *c, gan_err *err)
{
    l->c = c;
    l->g = c->g;
    l->inplace = gan__pass_on(c->without, "inplace");
    l->memplan = gan__pass_on(c->without, "memplan");
    GAN_TRY(allocate(l, err));
    find_roots(l);
    order_nodes(l);
    find_deaths(l);
    int64_t *anchor = gan__alloc_array(l->g->n_states + 1, sizeof *anchor);
    if (!anchor) {
        return gan__fail_nomem(err, l->g->n_states * sizeof *anchor, "state sets");
    }
    gan_status status = decide_sets(l, anchor, err);
    if (status == GAN_OK) {
        status = insert_sets(l, anchor, err);
    }
    gan__free(anchor);
    if (status == GAN_OK) {
        find_deaths(l);
    }
    return status;
}

void gan__layout_release(struct gan__layout *l)
{
    gan__free(l->base);
    gan__free(l->root);
    gan__free(l->maker);
    gan__free(l->output);
    gan__free(l->time);
    gan__free(l->death);
    gan__free(l->readers_of);
    gan__free(l->written);
    gan__free(l->steps);
    gan__free(l->init);
    gan__free(l->buffers);
    gan__free(l->buffer_of);
    gan__free(l->scratch);
    gan__free(l->copy);
    gan__free(l->makes);
    memset(l, 0, sizeof *l);
}
