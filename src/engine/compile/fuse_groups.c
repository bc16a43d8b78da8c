/* fuse_groups.c: which elementwise nodes, and sums at their end, share a program. Members have one
 * level (fuse_levels.c). Joined are producers with consumers, and readers of the same whole tensor.
 * The sums of one program run over the same axes. */
#include "fuse.h"

#include "base/alloc.h"
#include "base/err.h"

/* Below, reading an input once for several programs saves less than tying them together costs. */
#define LEAST_SHARED 4096

/* Work arrays, by node unless said otherwise. */
struct work {
    struct gan__fusion *f;
    uint32_t *parent;     /* of the disjoint sets */
    uint32_t *last;       /* by value: latest reader that can */
    uint32_t *next, *end; /* members of a set chained in ascending order; by root: the last one */
};

static uint32_t find_root(struct work *w, uint32_t i)
{
    while (w->parent[i] != i) {
        w->parent[i] = w->parent[w->parent[i]];
        i = w->parent[i];
    }
    return i;
}

/* The smaller number becomes the root. */
static void join(struct work *w, uint32_t a, uint32_t b)
{
    uint32_t ra = find_root(w, a), rb = find_root(w, b);
    if (ra != rb) {
        w->parent[ra > rb ? ra : rb] = ra > rb ? rb : ra;
    }
}

static void join_all(struct work *w)
{
    const struct gan__fusion *f = w->f;
    const gan_graph *g = f->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        w->parent[i] = i;
        for (int j = 0; j < g->nodes[i].n_in && f->can[i]; j++) {
            gan_val v = g->nodes[i].in[j];
            if (gan__same_region(f, v.node, i) && f->level[v.node] == f->level[i]) {
                join(w, v.node, i);
                continue;
            }
            /* readers of one whole tensor; broadcasts are small */
            uint32_t *last = &w->last[f->base[v.node] + v.out];
            const struct gan__op *op = g->nodes[v.node].op;
            if (op == &gan__op_broadcast || op == &gan__op_fill) {
                continue;
            }
            if (*last != 0 && f->count[i] >= LEAST_SHARED && gan__same_size(f, *last, i) &&
                f->level[*last] == f->level[i]) {
                join(w, *last, i);
            }
            *last = i;
        }
    }
}

/* Number of members of chain[0..n) that somebody outside reads. */
static int count_saves(const struct work *w, const uint32_t *chain, int n)
{
    const struct gan__fusion *f = w->f;
    int saves = 0;
    for (int i = 0; i < n; i++) {
        uint32_t inside = 0, readers = f->readers[f->base[chain[i]]];
        for (int k = i + 1; k < n; k++) {
            const struct gan__node *m = &f->g->nodes[chain[k]];
            for (int j = 0; j < m->n_in; j++) {
                inside += m->in[j].node == chain[i];
            }
        }
        saves += readers == 0 || readers != inside;
    }
    return saves;
}

/* Adds the node's inputs from outside the chain; false when there are too many. */
static bool add_loads(const struct work *w, const uint32_t *chain, int n, uint32_t node,
                      uint32_t *loads, int *n_loads)
{
    const struct gan__fusion *f = w->f;
    const struct gan__node *m = &f->g->nodes[node];
    for (int j = 0; j < m->n_in; j++) {
        uint32_t v = f->base[m->in[j].node] + m->in[j].out;
        bool known = false;
        for (int k = 0; k < *n_loads && !known; k++) {
            known = loads[k] == v;
        }
        for (int k = n; k-- > 0 && !known;) {
            known = chain[k] == m->in[j].node;
        }
        if (known) {
            continue;
        }
        if (*n_loads == GAN__MAX_LOADS) {
            return false;
        }
        loads[(*n_loads)++] = v;
    }
    return true;
}

/* Does the sum run over other axes than those of the chain? */
static bool other_axes(const struct work *w, const uint32_t *chain, int n, uint32_t i)
{
    const gan_graph *g = w->f->g;
    for (int k = 0; k < n && g->nodes[i].op == &gan__op_sum; k++) {
        const struct gan__attr_axes *a = g->nodes[chain[k]].attr, *b = g->nodes[i].attr;
        if (g->nodes[chain[k]].op == &gan__op_sum) {
            return a->axes != b->axes;
        }
    }
    return false;
}

/* Makes a group of the chain; sums alone stay what they are. */
static void make_group(struct work *w, const uint32_t *chain, int n)
{
    bool any = false;
    for (int k = 0; k < n && !any; k++) {
        any = w->f->g->nodes[chain[k]].op != &gan__op_sum;
    }
    uint32_t group = any ? ++w->f->n_groups : 0;
    for (int k = 0; k < n; k++) {
        w->f->group[chain[k]] = group;
    }
}

/* Cuts one set into groups within the limits, in ascending order: edges only go forward. Sums over
 * other axes are left alone. */
static void cut(struct work *w, uint32_t first)
{
    uint32_t chain[GAN__MAX_CODE], loads[GAN__MAX_LOADS];
    while (first != 0) {
        int n = 0, n_loads = 0;
        for (uint32_t i = first; i != 0 && n < GAN__MAX_CODE; i = w->next[i]) {
            if (other_axes(w, chain, n, i)) {
                continue;
            }
            if (!add_loads(w, chain, n, i, loads, &n_loads)) {
                break;
            }
            chain[n++] = i;
        }
        while (n > 1 && count_saves(w, chain, n) > GAN__MAX_STORES) {
            n = n > 2 * GAN__MAX_STORES ? n / 2 : n - 1;
        }
        make_group(w, chain, n);
        first = w->next[chain[n - 1]];
    }
}

static void cut_all(struct work *w)
{
    const struct gan__fusion *f = w->f;
    for (uint32_t i = 1; i < f->g->n_nodes; i++) {
        uint32_t r = f->can[i] ? find_root(w, i) : 0;
        if (r != 0 && r != i) {
            w->next[w->end[r]] = i;
        }
        w->end[r] = i;
    }
    for (uint32_t i = 1; i < f->g->n_nodes; i++) {
        if (f->can[i] && w->parent[i] == i) {
            cut(w, i);
        }
    }
}

static gan_status group_together(struct gan__fusion *f, gan_err *err)
{
    size_t n = f->g->n_nodes;
    struct work w = {.f = f,
                     .parent = gan__alloc_array(n, sizeof *w.parent),
                     .last = gan__alloc_array(f->base[n], sizeof *w.last),
                     .next = gan__alloc_array(n, sizeof *w.next),
                     .end = gan__alloc_array(n, sizeof *w.end)};
    bool fine = w.parent && w.last && w.next && w.end;
    if (fine) {
        join_all(&w);
        cut_all(&w);
    }
    gan__free(w.parent);
    gan__free(w.last);
    gan__free(w.next);
    gan__free(w.end);
    return fine ? GAN_OK : gan__fail_nomem(err, n * 4 * sizeof *w.next, "fusion");
}

gan_status gan__fusion_groups(struct gan__fusion *f, bool together, gan_err *err)
{
    if (together) {
        return group_together(f, err);
    }
    for (size_t i = 1; i < f->g->n_nodes; i++) {
        f->group[i] = f->can[i] ? ++f->n_groups : 0;
    }
    return GAN_OK;
}
