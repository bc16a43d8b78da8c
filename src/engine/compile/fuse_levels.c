/* fuse_levels.c: how far each elementwise node is from the sources, counted in regions.
 *
 * A node's level is the number of times a path to it leaves an elementwise region (a change of the
 * number of elements leaves it too, and so does a sum, which belongs to the region it reads). Levels
 * never fall along a path and rise whenever one leaves a region, so no path goes out of a set of
 * nodes of one level and comes back: any such set may run as one step, without a search for cycles.
 * Cheap nodes that only later levels read sink there, so that their input is read again instead of
 * their result being written and read. */
#include "fuse.h"

#include "base/alloc.h"
#include "base/err.h"
#include "engine/tensor/reduction.h"

#include <string.h>

#define SINK_ROUNDS 2  /* what sank may let its inputs sink */
#define MOST_UNIT 2048 /* elements of a row of a fused sum */
#define LEAST_TASK 256 /* elements of one of several independent sums */

/* Work arrays, by node unless said otherwise. */
struct work {
    struct gan__fusion *f;
    uint32_t *level;
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
    } * stay;          /* by value */
    uint32_t *counted; /* by value: set that has counted it */
};

/* Can a program of the backend end in this sum? */
static bool able_sum(const struct gan__fusion *f, const struct gan__node *n)
{
    const struct gan__type *in = gan__type_of(f->g, n->in[0]);
    const struct gan__attr_axes *a = n->attr;
    struct gan__reduce r;
    if (in->dtype != GAN_F32 || n->out[0].dtype != GAN_F32 ||
        !gan__reduce_plan(&in->shape, a->axes, &r) ||
        !f->c->served(f->c->backend, &gan__op_fused, in, 1, n->out, 1, NULL)) {
        return false;
    }
    if (r.vector) {
        return r.k0 == 1 ? r.r1 > 1 : r.r1 >= LEAST_TASK;
    }
    return r.len <= MOST_UNIT && (r.k0 == 1 || r.rows * r.len >= LEAST_TASK);
}

void gan__fusion_able(struct gan__fusion *f)
{
    const gan_graph *g = f->g;
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        struct gan__type in[3];
        f->count[i] = n->n_out > 0 ? gan_shape_count(&n->out[0].shape) : 0;
        if (n->op == &gan__op_sum && f->sums && able_sum(f, n)) {
            f->can[i] = true;
            f->count[i] = gan_shape_count(&gan__type_of(g, n->in[0])->shape);
            continue;
        }
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

static void find_levels(struct work *w)
{
    const gan_graph *g = w->f->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in; j++) {
            uint32_t m = n->in[j].node;
            uint32_t level = w->level[m] + (w->f->can[m] && !gan__same_region(w->f, m, i));
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
            if (!gan__same_region(w->f, m, i)) {
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
            w->movable[in.node] && w->level[in.node] == level && gan__same_region(w->f, in.node, i);
        if (inside || w->counted[v] == r) {
            continue;
        }
        w->counted[v] = r;
        if (gan__same_region(w->f, in.node, i) && w->level[in.node] == level) {
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
            if (w->movable[m] && w->movable[i] && gan__same_region(w->f, m, i) &&
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

gan_status gan__fusion_levels(struct gan__fusion *f, gan_err *err)
{
    size_t n = f->g->n_nodes, values = f->base[n];
    struct work w = {.f = f, .level = f->level};
    w.parent = gan__alloc_array(n, sizeof *w.parent);
    w.lowest = gan__alloc_array(n, sizeof *w.lowest);
    w.joinable = gan__alloc_array(n, sizeof *w.joinable);
    w.movable = gan__alloc_array(n, sizeof *w.movable);
    w.outer = gan__alloc_array(n, sizeof *w.outer);
    w.sets = gan__alloc_array(n, sizeof *w.sets);
    w.stay = gan__alloc_array(values, sizeof *w.stay);
    w.counted = gan__alloc_array(values, sizeof *w.counted);
    bool fine =
        w.parent && w.lowest && w.joinable && w.movable && w.outer && w.sets && w.stay && w.counted;
    if (fine) {
        find_levels(&w);
    }
    for (int round = 0; round < SINK_ROUNDS && fine; round++) {
        sink(&w);
    }
    gan__free(w.parent);
    gan__free(w.lowest);
    gan__free(w.joinable);
    gan__free(w.movable);
    gan__free(w.outer);
    gan__free(w.sets);
    gan__free(w.stay);
    gan__free(w.counted);
    return fine ? GAN_OK : gan__fail_nomem(err, n * sizeof *w.sets, "fusion");
}
