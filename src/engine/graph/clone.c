/* clone.c: the same work for other samples. A microbatch is a copy of the phase's subgraph in which
 * batch slices and random streams are moved on by some samples, and state is read as the part before
 * left it. What does not depend on the samples (weights, constants) is shared. */
#include "clone.h"

#include "attr.h"
#include "base/alloc.h"
#include "op.h"

#include <string.h>

struct work {
    const struct gan__clone *c;
    uint32_t n;           /* nodes looked at */
    unsigned char *need;  /* wanted by a root */
    unsigned char *dep;   /* differs between the parts */
    unsigned char *fixed; /* a state version that an earlier phase left */
    uint32_t *map;        /* copy of a node, 0: itself */
};

static bool is_slice(const struct gan__clone *c, uint32_t id)
{
    for (size_t i = 0; i < c->n_slices; i++) {
        if (c->slices[i] == id) {
            return true;
        }
    }
    return false;
}

static const gan_val *replaced(const struct gan__clone *c, gan_val v)
{
    for (size_t i = 0; i < c->n_replace; i++) {
        if (c->replace[i].from.node == v.node && c->replace[i].from.out == v.out) {
            return &c->replace[i].to;
        }
    }
    return NULL;
}

/* Weights an earlier phase updated depend on the whole batch: parts share them. */
static void mark_versions(struct work *w)
{
    for (size_t i = 0; i < w->c->n_versions; i++) {
        gan_val v = w->c->versions[i];
        if (gan_ok(v) && v.node < w->n) {
            if (w->c->g->nodes[v.node].n_out != 1) {
                gan_graph_fail(w->c->g, GAN_E_INTERNAL,
                               "a state version is one of several outputs of node #%u", v.node);
            }
            w->fixed[v.node] = 1;
        }
    }
}

/* pass 1: what the roots need; pass 2: what depends on the samples. */
static void mark(struct work *w, const gan_val *roots, size_t n_roots)
{
    gan_graph *g = w->c->g;
    for (size_t i = 0; i < n_roots; i++) {
        w->need[roots[i].node] = 1;
    }
    for (uint32_t id = w->n - 1; id > 0; id--) {
        const struct gan__node *node = &g->nodes[id];
        w->need[id] |= (node->op->flags & GAN_OP_STATE) && id >= w->c->first_set;
        for (int i = 0; i < node->n_in && w->need[id]; i++) {
            w->need[node->in[i].node] = 1;
        }
    }
    for (uint32_t id = 1; id < w->n; id++) {
        const struct gan__node *node = &g->nodes[id];
        if (w->fixed[id]) {
            continue;
        }
        w->dep[id] = (node->op->flags & GAN_OP_RANDOM) || is_slice(w->c, id);
        for (int i = 0; i < node->n_in && !w->dep[id]; i++) {
            w->dep[id] = w->dep[node->in[i].node] || replaced(w->c, node->in[i]);
        }
    }
}

static gan_val mapped(const struct work *w, gan_val v)
{
    const gan_val *r = replaced(w->c, v);
    if (r) {
        return *r;
    }
    return w->map[v.node] ? (gan_val){w->map[v.node], v.out} : v;
}

static void copy_node(struct work *w, uint32_t id)
{
    gan_graph *g = w->c->g;
    struct gan__node node = g->nodes[id];
    union {
        struct gan__attr_slice slice;
        struct gan__attr_random random;
    } attr;
    const void *use = node.attr;
    if (is_slice(w->c, id)) {
        memcpy(&attr.slice, node.attr, sizeof attr.slice);
        attr.slice.begin[0] += w->c->offset;
        use = &attr.slice;
    } else if (node.op->flags & GAN_OP_RANDOM) {
        memcpy(&attr.random, node.attr, sizeof attr.random);
        attr.random.sample += w->c->offset;
        use = &attr.random;
    }
    gan_val *in = gan__arena_array(&g->arena, (size_t)node.n_in + 1, sizeof *in);
    if (!in) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate a copy of node #%u", id);
        return;
    }
    for (int i = 0; i < node.n_in; i++) {
        in[i] = mapped(w, node.in[i]);
    }
    g->scope = node.scope;
    w->map[id] = gan__add_node(g, node.op, in, node.n_in, use).node;
    if (node.op->flags & GAN_OP_STATE && w->map[id]) {
        const struct gan__attr_index *a = node.attr;
        g->states[a->index].set = (gan_val){w->map[id], 0};
        g->states[a->index].newest = gan_stop(g, in[0]);
    }
}

void gan__clone_part(const struct gan__clone *c, gan_val *roots, size_t n_roots)
{
    gan_graph *g = c->g;
    struct work w = {.c = c, .n = c->end};
    if (g->err.code != GAN_OK) {
        return;
    }
    w.need = gan__alloc_array(w.n, 1);
    w.dep = gan__alloc_array(w.n, 1);
    w.map = gan__alloc_array(w.n, sizeof *w.map);
    w.fixed = gan__alloc_array(w.n, 1);
    if (w.need && w.dep && w.map && w.fixed) {
        const char *scope = g->scope;
        uint32_t group = g->copy;
        g->copy = ++g->last_copy;
        mark_versions(&w);
        mark(&w, roots, n_roots);
        for (uint32_t id = 1; id < w.n; id++) {
            bool early_set = (g->nodes[id].op->flags & GAN_OP_STATE) && id < c->first_set;
            if (w.need[id] && w.dep[id] && !early_set) {
                copy_node(&w, id);
            }
        }
        for (size_t i = 0; i < n_roots; i++) {
            roots[i] = mapped(&w, roots[i]);
        }
        g->scope = scope;
        g->copy = group;
    } else {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate a copy of %u nodes", w.n);
    }
    gan__free(w.need);
    gan__free(w.dep);
    gan__free(w.fixed);
    gan__free(w.map);
}
