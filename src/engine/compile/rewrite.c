/* rewrite.c: one walk from a graph to the next: nodes are copied or replaced, roots move along. */
#include "pass.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

uint32_t gan__ir_append(gan_graph *g, const struct gan__node *like, const gan_val *in)
{
    gan_val *ins = NULL;
    if (g->err.code != GAN_OK) {
        return 0;
    }
    if (like->n_in > 0) {
        ins = gan__arena_copy(&g->arena, in, (size_t)like->n_in * sizeof *ins);
    }
    if ((like->n_in > 0 && !ins) ||
        !gan__grow(&g->nodes, &g->cap_nodes, g->n_nodes + 1, sizeof *g->nodes)) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate node %s #%zu", like->op->name, g->n_nodes);
        return 0;
    }
    struct gan__node *n = &g->nodes[g->n_nodes];
    *n = *like;
    n->in = ins;
    return (uint32_t)g->n_nodes++;
}

gan_val gan__ir_make(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                     const void *attr, const struct gan__type *out, const struct gan__node *like)
{
    int n_out = op->n_out;
    struct gan__node n = {
        .op = op, .n_in = n_in, .n_out = n_out, .scope = like->scope, .copy = like->copy};
    n.out = gan__arena_copy(&g->arena, out, (size_t)(n_out > 0 ? n_out : 1) * sizeof *out);
    n.attr = op->attr_size ? gan__arena_copy(&g->arena, attr, op->attr_size) : NULL;
    if (!n.out || (op->attr_size && !n.attr)) {
        return gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate node %s", op->name);
    }
    uint32_t id = gan__ir_append(g, &n, in);
    return (gan_val){id, 0};
}

gan_val gan__ir_add(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                    const void *attr, const struct gan__node *like)
{
    g->scope = like->scope;
    g->copy = like->copy;
    return gan__add_node(g, op, in, n_in, attr);
}

uint32_t *gan__ir_values(const gan_graph *g)
{
    uint32_t *base = gan__alloc_array(g->n_nodes + 1, sizeof *base);
    if (!base) {
        return NULL;
    }
    uint32_t n = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        base[i] = n;
        n += g->nodes[i].n_out > 0 ? (uint32_t)g->nodes[i].n_out : 1;
    }
    base[g->n_nodes] = n;
    return base;
}

uint32_t *gan__ir_readers(const struct gan__compile *c, const uint32_t *base)
{
    const gan_graph *g = c->g;
    uint32_t *readers = gan__alloc_array(base[g->n_nodes], sizeof *readers);
    if (!readers) {
        return NULL;
    }
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in; j++) {
            readers[base[n->in[j].node] + n->in[j].out]++;
        }
    }
    for (int i = 0; i < c->n_outputs; i++) {
        readers[base[c->outputs[i].node] + c->outputs[i].out]++;
    }
    return readers;
}

/* Empty graph with the same store, type and room for the same states. */
static gan_graph *graph_like(const gan_graph *g, size_t nodes)
{
    gan_graph *d = gan_graph_new(g->store, g->real);
    if (!d) {
        return NULL;
    }
    if (!gan__grow(&d->nodes, &d->cap_nodes, nodes, sizeof *d->nodes) ||
        !gan__grow(&d->states, &d->cap_states, g->n_states + 1, sizeof *d->states)) {
        gan_graph_free(d);
        return NULL;
    }
    memset(d->states, 0, (g->n_states + 1) * sizeof *d->states);
    d->n_states = g->n_states;
    return d;
}

gan_status gan__rewrite_begin(struct gan__rewrite *rw, struct gan__compile *c, gan_err *err)
{
    *rw = (struct gan__rewrite){.c = c, .src = c->g};
    rw->base = gan__ir_values(rw->src);
    rw->n_values = rw->base ? rw->base[rw->src->n_nodes] : 0;
    rw->map = rw->base ? gan__alloc_array(rw->n_values, sizeof *rw->map) : NULL;
    rw->dst = rw->map ? graph_like(rw->src, rw->src->n_nodes) : NULL;
    if (!rw->dst) {
        return gan__rewrite_end(rw, gan__fail_nomem(err, rw->src->n_nodes, "a pass"), err);
    }
    return GAN_OK;
}

void gan__rewrite_copy(struct gan__rewrite *rw, size_t i)
{
    const struct gan__node *n = &rw->src->nodes[i];
    gan_val few[8];
    gan_val *in = few;
    if (n->n_in > 8) {
        in = gan__arena_array(&rw->dst->arena, (size_t)n->n_in, sizeof *in);
        if (!in) {
            gan_graph_fail(rw->dst, GAN_E_NOMEM, "cannot allocate inputs of %s", n->op->name);
            return;
        }
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = gan__rewrite_get(rw, n->in[j]);
        if (!gan_ok(in[j])) {
            gan_graph_fail(rw->dst, GAN_E_INTERNAL, "input %d of %s #%zu was lost by a pass", j,
                           n->op->name, i);
            return;
        }
    }
    uint32_t id = gan__ir_append(rw->dst, n, in);
    int n_out = n->n_out > 0 ? n->n_out : 1;
    for (int k = 0; k < n_out; k++) {
        rw->map[rw->base[i] + (uint32_t)k] = id ? (gan_val){id, (uint32_t)k} : GAN_NONE;
    }
}

/* Outputs and last sets in terms of dst. */
static gan_status move_roots(struct gan__rewrite *rw, gan_err *err)
{
    struct gan__compile *c = rw->c;
    for (int i = 0; i < c->n_outputs; i++) {
        c->outputs[i] = gan__rewrite_get(rw, c->outputs[i]);
        if (!gan_ok(c->outputs[i])) {
            return gan__fail(err, GAN_E_INTERNAL, "output %d was lost by a pass", i);
        }
    }
    for (size_t i = 0; i < rw->src->n_states; i++) {
        gan_val set = rw->src->states[i].set;
        if (gan_ok(set)) {
            rw->dst->states[i].set = rw->map[rw->base[set.node]];
            if (!gan_ok(rw->dst->states[i].set)) {
                return gan__fail(err, GAN_E_INTERNAL, "the set of state %zu was lost by a pass", i);
            }
        }
    }
    return GAN_OK;
}

gan_status gan__rewrite_end(struct gan__rewrite *rw, gan_status status, gan_err *err)
{
    struct gan__compile *c = rw->c;
    if (status == GAN_OK && rw->dst->err.code != GAN_OK) {
        status = gan_graph_status(rw->dst, err);
    }
    if (status == GAN_OK && !gan__grow(&c->old, &c->cap_old, c->n_old + 1, sizeof *c->old)) {
        status = gan__fail_nomem(err, c->n_old * sizeof *c->old, "the list of graphs");
    }
    if (status == GAN_OK) {
        status = move_roots(rw, err);
    }
    if (status == GAN_OK) {
        c->old[c->n_old++] = c->g;
        c->g = rw->dst;
        rw->dst = NULL;
    }
    gan_graph_free(rw->dst);
    gan__free(rw->map);
    gan__free(rw->base);
    *rw = (struct gan__rewrite){0};
    return status;
}
