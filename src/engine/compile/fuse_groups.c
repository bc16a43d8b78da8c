/* fuse_groups.c: which elementwise nodes share a program.
 *
 * A node's level is the number of times a path to it leaves an elementwise region (a change of the
 * number of elements leaves it too). Levels never fall along a path and rise whenever one leaves a
 * region, so no path goes out of a set of nodes of one level and comes back: any such set may run
 * as one step, without a search for cycles. Cheap nodes that only later levels read sink there, so
 * that their input is read again instead of their result being written and read.
 *
 * Joined are producers with consumers, and readers of the same whole tensor. */
#include "fuse.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

#define SINK_ROUNDS 2 /* what sank may let its inputs sink */

/* Work arrays, by node unless said otherwise. */
struct work {
    struct gan__fusion *f;
    uint32_t *level;
    int64_t *count;     /* elements of the first result */
    uint32_t *parent;   /* of the disjoint sets */
    uint32_t *lowest;   /* lowest level to which the readers let it sink */
    uint32_t *joinable; /* readers that could be joined */
    bool *movable, *outer;
    struct set {
        size_t cost, gain; /* bytes for each element */
        uint32_t target;
    } * sets; /* by root */
    struct {
        uint32_t first, last;
    } * stay;             /* by value */
    uint32_t *counted;    /* by value: set that has counted it */
    uint32_t *last;       /* by value: latest reader that can */
    uint32_t *next, *end; /* members of a set chained in ascending order; by root: the last one */
};

static void find_able(struct gan__fusion *f)
{
    const gan_graph *g = f->g;
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        struct gan__type in[3];
        if (!(n->op->flags & GAN_OP_ELEMENTWISE) || n->n_in < 1 || n->n_in > 3 || n->n_out != 1 ||
            gan_shape_count(&n->out[0].shape) == 0) {
            continue;
        }
        for (int j = 0; j < n->n_in; j++) {
            in[j] = *gan__type_of(g, n->in[j]);
        }
        f->can[i] = f->c->tiled(f->c->backend, n->op, in, n->n_in, n->out, n->n_out, n->attr);
    }
}

/* Do both belong to elementwise regions of one size? */
static bool same_region(const struct work *w, uint32_t a, uint32_t b)
{
    return w->f->can[a] && w->f->can[b] && w->count[a] == w->count[b] &&
           w->f->g->nodes[a].copy == w->f->g->nodes[b].copy;
}

static void find_levels(struct work *w)
{
    const gan_graph *g = w->f->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        w->count[i] = n->n_out > 0 ? gan_shape_count(&n->out[0].shape) : 0;
        for (int j = 0; j < n->n_in; j++) {
            uint32_t m = n->in[j].node;
            uint32_t level = w->level[m] + (w->f->can[m] && !same_region(w, m, i));
            w->level[i] = level > w->level[i] ? level : w->level[i];
        }
    }
}

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

/* --- sinking ------------------------------------------------------------------------------------
 *
 * A set of nodes that only later levels of its region read may move there as a whole: its results
 * then stay in registers, but inputs that lay in registers here are read (and perhaps written)
 * again. An optimiser's rule behind which a guard waits for the norm of all gradients moves to the
 * guard; a derivative's factor moves from the forward to the backward pass. */

/* Nodes whose readers all belong to their region and run later or may move too. */
static void find_movable(struct work *w)
{
    const gan_graph *g = w->f->g;
    memset(w->joinable, 0, g->n_nodes * sizeof *w->joinable);
    memset(w->lowest, 0xff, g->n_nodes * sizeof *w->lowest);
    for (uint32_t i = (uint32_t)g->n_nodes; i-- > 1;) {
        const struct gan__node *n = &g->nodes[i];
        w->movable[i] =
            w->f->can[i] && w->joinable[i] > 0 && w->joinable[i] == w->f->readers[w->f->base[i]];
        for (int j = 0; j < n->n_in; j++) {
            uint32_t m = n->in[j].node;
            if (!same_region(w, m, i)) {
                continue;
            }
            uint32_t to = w->level[i] > w->level[m] ? w->level[i]
                          : w->movable[i]           ? w->lowest[i]
                                                    : 0;
            if (to != 0) {
                w->joinable[m]++;
                w->lowest[m] = to < w->lowest[m] ? to : w->lowest[m];
            }
        }
    }
}

/* Bytes of one element of a value that is read whole; 0 for constants and broadcasts. */
static size_t whole_bytes(const struct gan__fusion *f, gan_val v)
{
    const struct gan__op *op = f->g->nodes[v.node].op;
    return op == &gan__op_fill || op == &gan__op_broadcast
               ? 0
               : gan_dtype_size(gan__type_of(f->g, v)->dtype);
}

/* Levels at which nodes that stay read each value: the first and the last seen, plus 1. */
static void find_stayers(struct work *w)
{
    const struct gan__fusion *f = w->f;
    memset(w->stay, 0, f->base[f->g->n_nodes] * sizeof *w->stay);
    for (uint32_t i = 1; i < f->g->n_nodes; i++) {
        const struct gan__node *n = &f->g->nodes[i];
        for (int j = 0; j < n->n_in && f->can[i] && !w->movable[i]; j++) {
            uint32_t v = f->base[n->in[j].node] + n->in[j].out;
            w->stay[v].first = w->stay[v].first ? w->stay[v].first : w->level[i] + 1;
            w->stay[v].last = w->level[i] + 1;
        }
    }
}

/* Adds what moving node i of set r costs and saves. */
static void weigh(struct work *w, uint32_t i, uint32_t r)
{
    const struct gan__fusion *f = w->f;
    const struct gan__node *n = &f->g->nodes[i];
    uint32_t level = w->level[i];
    w->sets[r].target = w->lowest[i] < w->sets[r].target ? w->lowest[i] : w->sets[r].target;
    for (int j = 0; j < n->n_in; j++) {
        gan_val in = n->in[j];
        uint32_t v = f->base[in.node] + in.out;
        size_t bytes = whole_bytes(f, in);
        bool inside =
            w->movable[in.node] && w->level[in.node] == level && same_region(w, in.node, i);
        if (inside || w->counted[v] == r) {
            continue;
        }
        w->counted[v] = r;
        if (same_region(w, in.node, i) && w->level[in.node] == level) {
            w->sets[r].cost += 2 * bytes; /* made here: written once more, at worst, and read */
        } else if (w->stay[v].first == level + 1 || w->stay[v].last == level + 1) {
            w->sets[r].cost += bytes; /* others read it here */
        }
    }
    if (w->outer[i]) {
        w->sets[r].gain += 2 * gan_dtype_size(n->out[0].dtype);
    }
}

static void sink(struct work *w)
{
    const gan_graph *g = w->f->g;
    find_movable(w);
    find_stayers(w);
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        w->parent[i] = i;
        w->outer[i] = false;
        w->sets[i] = (struct set){0, 0, UINT32_MAX};
        for (int j = 0; j < g->nodes[i].n_in; j++) {
            uint32_t m = g->nodes[i].in[j].node;
            if (w->movable[m] && w->movable[i] && same_region(w, m, i) &&
                w->level[m] == w->level[i]) {
                join(w, m, i);
            } else {
                w->outer[m] = true;
            }
        }
    }
    memset(w->counted, 0, w->f->base[g->n_nodes] * sizeof *w->counted);
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        if (w->movable[i]) {
            weigh(w, i, find_root(w, i));
        }
    }
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        const struct set *s = &w->sets[find_root(w, i)];
        if (w->movable[i] && s->cost <= s->gain) {
            w->level[i] = s->target;
        }
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
            if (same_region(w, v.node, i) && w->level[v.node] == w->level[i]) {
                join(w, v.node, i);
                continue;
            }
            /* readers of one whole tensor; broadcasts are small */
            uint32_t *last = &w->last[f->base[v.node] + v.out];
            const struct gan__op *op = g->nodes[v.node].op;
            if (op == &gan__op_broadcast || op == &gan__op_fill) {
                continue;
            }
            if (*last != 0 && same_region(w, *last, i) && w->level[*last] == w->level[i]) {
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

/* Cuts one set into groups within the limits, in ascending order: edges only go forward. */
static void cut(struct work *w, uint32_t first)
{
    uint32_t chain[GAN__MAX_CODE], loads[GAN__MAX_LOADS];
    while (first != 0) {
        int n = 0, n_loads = 0;
        for (uint32_t i = first; i != 0 && n < GAN__MAX_CODE; i = w->next[i]) {
            if (!add_loads(w, chain, n, i, loads, &n_loads)) {
                break;
            }
            chain[n++] = i;
        }
        while (n > 1 && count_saves(w, chain, n) > GAN__MAX_STORES) {
            n = n > 2 * GAN__MAX_STORES ? n / 2 : n - 1;
        }
        uint32_t group = ++w->f->n_groups;
        for (int k = 0; k < n; k++) {
            w->f->group[chain[k]] = group;
        }
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
                     .level = gan__alloc_array(n, sizeof(uint32_t)),
                     .count = gan__alloc_array(n, sizeof(int64_t)),
                     .parent = gan__alloc_array(n, sizeof(uint32_t)),
                     .lowest = gan__alloc_array(n, sizeof(uint32_t)),
                     .joinable = gan__alloc_array(n, sizeof(uint32_t)),
                     .last = gan__alloc_array(f->base[n], sizeof(uint32_t)),
                     .next = gan__alloc_array(n, sizeof(uint32_t)),
                     .end = gan__alloc_array(n, sizeof(uint32_t))};
    gan_status status = GAN_OK;
    w.movable = gan__alloc_array(n, sizeof(bool));
    w.outer = gan__alloc_array(n, sizeof(bool));
    w.sets = gan__alloc_array(n, sizeof *w.sets);
    w.stay = gan__alloc_array(f->base[n], sizeof *w.stay);
    w.counted = gan__alloc_array(f->base[n], sizeof *w.counted);
    if (w.level && w.count && w.parent && w.lowest && w.joinable && w.last && w.next && w.end &&
        w.movable && w.outer && w.sets && w.stay && w.counted) {
        find_levels(&w);
        for (int round = 0; round < SINK_ROUNDS; round++) {
            sink(&w);
        }
        join_all(&w);
        cut_all(&w);
    } else {
        status = gan__fail_nomem(err, n * 36, "fusion");
    }
    gan__free(w.level);
    gan__free(w.count);
    gan__free(w.parent);
    gan__free(w.lowest);
    gan__free(w.joinable);
    gan__free(w.last);
    gan__free(w.next);
    gan__free(w.end);
    gan__free(w.movable);
    gan__free(w.outer);
    gan__free(w.sets);
    gan__free(w.stay);
    gan__free(w.counted);
    return status;
}

gan_status gan__fusion_groups(struct gan__fusion *f, bool together, gan_err *err)
{
    find_able(f);
    if (together) {
        return group_together(f, err);
    }
    for (size_t i = 1; i < f->g->n_nodes; i++) {
        f->group[i] = f->can[i] ? ++f->n_groups : 0;
    }
    return GAN_OK;
}
