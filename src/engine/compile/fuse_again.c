/* fuse_again.c: values that are computed again instead of kept.
 *
 * A value of one level that an operation of a later level of its region reads is written here and
 * read there. Its cone is the cheap operations of the region behind it; computing the cone again
 * reads the cone's leaves there. Where the leaves that are not read there anyway are fewer bytes than
 * the write and the read, the later level gets a copy of the cone: x_hat and the mask of an activation
 * from the convolution's result, a masked derivative from the derivative. Operations and their inputs
 * stay the same, so all bits do. */
#include "fuse.h"

#include "base/alloc.h"
#include "base/err.h"
#include "known.h"

#include <string.h>

#define MAX_CONE 12  /* operations computed again for one value */
#define MAX_LEAVES 4 /* whole tensors they read */
#define ROUNDS 3     /* decisions make other reads free */

/* Pairs of a node or value and a level, with a value of the new graph. */
struct table {
    uint64_t *key; /* 0: empty */
    gan_val *val;
    size_t n, cap;
};

struct again {
    struct gan__fusion f;
    struct table clones; /* by node */
    struct table reads;  /* by value number */
    uint32_t *inner;     /* by value: readers in the region */
    bool *needed;
    uint32_t *level; /* by new node */
    bool short_of_memory;
};

struct cone {
    uint32_t node[MAX_CONE];
    int n;
    gan_val leaf[MAX_LEAVES];
    int n_leaves;
};

static size_t slot_of(const struct table *t, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (t->cap - 1);
    while (t->key[i] != 0 && t->key[i] != key) {
        i = (i + 1) & (t->cap - 1);
    }
    return i;
}

static gan_val *find(const struct table *t, uint32_t id, uint32_t level)
{
    uint64_t key = (uint64_t)id << 32 | level;
    size_t i = t->cap ? slot_of(t, key) : 0;
    return t->cap && t->key[i] == key ? &t->val[i] : NULL;
}

static bool grow(struct table *t)
{
    struct table b = {.cap = t->cap ? t->cap * 2 : 1024};
    b.key = gan__alloc_array(b.cap, sizeof *b.key);
    b.val = gan__alloc_array(b.cap, sizeof *b.val);
    if (!b.key || !b.val) {
        gan__free(b.key);
        gan__free(b.val);
        return false;
    }
    for (size_t i = 0; i < t->cap; i++) {
        if (t->key[i] != 0) {
            size_t at = slot_of(&b, t->key[i]);
            b.key[at] = t->key[i];
            b.val[at] = t->val[i];
            b.n++;
        }
    }
    gan__free(t->key);
    gan__free(t->val);
    *t = b;
    return true;
}

static void insert(struct again *a, struct table *t, uint32_t id, uint32_t level)
{
    if (t->n * 2 >= t->cap && !grow(t)) {
        a->short_of_memory = true;
        return;
    }
    uint64_t key = (uint64_t)id << 32 | level;
    size_t i = slot_of(t, key);
    t->n += t->key[i] == 0;
    t->key[i] = key;
}

/* Operations of a few instructions an element. */
static bool cheap(const struct gan__op *op)
{
    static const char *const names[] = {"add",     "sub",           "mul",     "neg",    "square",
                                        "abs",     "max",           "min",     "select", "relu",
                                        "greater", "greater_equal", "less",    "equal",  "clamp",
                                        "sign",    "leaky_relu",    "isfinite"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(op->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Is v, read by node i, computed again with i? */
static bool inside(const struct gan__fusion *f, gan_val v, uint32_t i)
{
    return gan__same_region(f, v.node, i) && cheap(f->g->nodes[v.node].op);
}

/* Bytes of one element of a value that is read whole; 0 for constants and broadcasts. */
static size_t whole_bytes(const struct gan__fusion *f, gan_val v)
{
    const struct gan__op *op = f->g->nodes[v.node].op;
    return op == &gan__op_fill || op == &gan__op_broadcast
               ? 0
               : gan_dtype_size(gan__type_of(f->g, v)->dtype);
}

/* Inputs of node i in a cone. The sign of an activation is that of what goes in: y > 0 asks x. */
static void inputs_of(const struct gan__fusion *f, uint32_t i, gan_val in[3])
{
    const gan_graph *g = f->g;
    const struct gan__node *n = &g->nodes[i], *m = &g->nodes[n->in[0].node];
    memcpy(in, n->in, (size_t)n->n_in * sizeof *in);
    if (strcmp(n->op->name, "greater") != 0 || !inside(f, in[0], i) ||
        !gan__is_fill_of(g, in[1], 0.0)) {
        return;
    }
    if (m->op == &gan__op_relu ||
        (m->op == &gan__op_leaky_relu && ((const struct gan__attr_num *)m->attr)->a > 0.0)) {
        in[0] = m->in[0];
    }
}

static bool add_leaf(struct cone *c, gan_val v)
{
    for (int i = 0; i < c->n_leaves; i++) {
        if (c->leaf[i].node == v.node && c->leaf[i].out == v.out) {
            return true;
        }
    }
    if (c->n_leaves == MAX_LEAVES) {
        return false;
    }
    c->leaf[c->n_leaves++] = v;
    return true;
}

/* Adds a node in ascending order. */
static bool add_node(struct cone *c, uint32_t m)
{
    int at = c->n;
    for (int i = 0; i < c->n; i++) {
        if (c->node[i] == m) {
            return true;
        }
    }
    if (c->n == MAX_CONE) {
        return false;
    }
    for (; at > 0 && c->node[at - 1] > m; at--) {
        c->node[at] = c->node[at - 1];
    }
    c->node[at] = m;
    c->n++;
    return true;
}

/* The cone of m: each member's inputs are members or leaves. False when it is too large. */
static bool cone_of(const struct again *a, uint32_t m, struct cone *c)
{
    const gan_graph *g = a->f.g;
    uint32_t open[MAX_CONE];
    int n_open = 0;
    c->n = c->n_leaves = 0;
    add_node(c, m);
    open[n_open++] = m;
    while (n_open > 0) {
        uint32_t k = open[--n_open];
        gan_val in[3];
        inputs_of(&a->f, k, in);
        for (int j = 0; j < g->nodes[k].n_in; j++) {
            int had = c->n;
            if (!inside(&a->f, in[j], k)) {
                if (whole_bytes(&a->f, in[j]) != 0 && !add_leaf(c, in[j])) {
                    return false;
                }
            } else if (!add_node(c, in[j].node)) {
                return false;
            } else if (c->n > had) {
                open[n_open++] = in[j].node;
            }
        }
    }
    return true;
}

/* Does something besides operations of its region read it, so that it lies in memory anyway? */
static bool stored(const struct again *a, gan_val v)
{
    uint32_t at = a->f.base[v.node] + v.out;
    return !a->f.can[v.node] || a->f.readers[at] != a->inner[at];
}

/* Bytes an element that computing node m again at the level reads and writes more. */
static size_t cost_of(const struct again *a, const struct cone *c, uint32_t m, uint32_t level)
{
    size_t cost = 0;
    for (int i = 0; i < c->n_leaves; i++) {
        gan_val v = c->leaf[i];
        size_t bytes = whole_bytes(&a->f, v);
        bool kept = stored(a, v) || !gan__same_region(&a->f, v.node, m);
        cost += find(&a->reads, a->f.base[v.node] + v.out, level) ? 0 : bytes;
        cost += kept ? 0 : bytes;
    }
    return cost;
}

static void decide(struct again *a, uint32_t m, uint32_t level)
{
    struct cone c;
    gan_val v = {m, 0};
    size_t bytes = whole_bytes(&a->f, v);
    if (find(&a->clones, m, level) || !cheap(a->f.g->nodes[m].op) || !cone_of(a, m, &c) ||
        cost_of(a, &c, m, level) >= (stored(a, v) ? bytes : 2 * bytes)) {
        return;
    }
    for (int i = 0; i < c.n; i++) {
        insert(a, &a->clones, c.node[i], level);
    }
    for (int i = 0; i < c.n_leaves; i++) {
        insert(a, &a->reads, a->f.base[c.leaf[i].node] + c.leaf[i].out, level);
    }
}

static void decide_all(struct again *a)
{
    const struct gan__fusion *f = &a->f;
    const gan_graph *g = f->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        for (int j = 0; j < g->nodes[i].n_in && f->can[i]; j++) {
            gan_val v = g->nodes[i].in[j];
            bool same = gan__same_region(f, v.node, i);
            a->inner[f->base[v.node] + v.out] += same;
            if (whole_bytes(f, v) != 0 && !(same && f->level[v.node] == f->level[i])) {
                insert(a, &a->reads, f->base[v.node] + v.out, f->level[i]);
            }
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 1; i < g->n_nodes && !a->short_of_memory; i++) {
            for (int j = 0; j < g->nodes[i].n_in && f->can[i]; j++) {
                uint32_t m = g->nodes[i].in[j].node;
                if (gan__same_region(f, m, i) && f->level[m] < f->level[i]) {
                    decide(a, m, f->level[i]);
                }
            }
        }
    }
}

/* The copy that node i reads instead of v; NULL when it reads v. */
static gan_val *clone_for(const struct again *a, gan_val v, uint32_t i)
{
    bool later =
        a->f.can[i] && gan__same_region(&a->f, v.node, i) && a->f.level[v.node] < a->f.level[i];
    return later ? find(&a->clones, v.node, a->f.level[i]) : NULL;
}

/* Nodes that somebody still reads (or nobody ever did). */
static void find_needed(struct again *a)
{
    const gan_graph *g = a->f.g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        a->needed[i] = !a->f.can[i] || a->f.readers[a->f.base[i]] == 0;
    }
    for (int i = 0; i < a->f.c->n_outputs; i++) {
        a->needed[a->f.c->outputs[i].node] = true;
    }
    for (uint32_t i = (uint32_t)g->n_nodes; i-- > 1;) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in && a->needed[i]; j++) {
            struct cone c;
            if (!clone_for(a, n->in[j], i)) {
                a->needed[n->in[j].node] = true;
                continue;
            }
            cone_of(a, n->in[j].node, &c);
            for (int k = 0; k < c.n; k++) {
                gan_val in[3];
                inputs_of(&a->f, c.node[k], in);
                for (int l = 0; l < g->nodes[c.node[k]].n_in; l++) {
                    a->needed[in[l].node] |= !inside(&a->f, in[l], c.node[k]);
                }
            }
        }
    }
}

/* Appends node i with these inputs. */
static gan_val append(struct again *a, struct gan__rewrite *rw, uint32_t i, const gan_val *in,
                      uint32_t level)
{
    const struct gan__node *n = &a->f.g->nodes[i];
    for (int j = 0; j < n->n_in; j++) {
        if (!gan_ok(in[j])) {
            return gan_graph_fail(rw->dst, GAN_E_INTERNAL, "input %d of %s was lost by fuse_again",
                                  j, n->op->name);
        }
    }
    uint32_t id = gan__ir_append(rw->dst, n, in);
    if (id == 0) {
        return GAN_NONE;
    }
    a->level[id] = level;
    return (gan_val){id, 0};
}

/* The copy of node i for the level, whose inputs in the cone have theirs. */
static gan_val append_clone(struct again *a, struct gan__rewrite *rw, uint32_t i, uint32_t level)
{
    gan_val in[3];
    inputs_of(&a->f, i, in);
    for (int j = 0; j < a->f.g->nodes[i].n_in; j++) {
        gan_val *clone = inside(&a->f, in[j], i) ? find(&a->clones, in[j].node, level) : NULL;
        in[j] = clone ? *clone : gan__rewrite_get(rw, in[j]);
    }
    return append(a, rw, i, in, level);
}

static gan_val append_node(struct again *a, struct gan__rewrite *rw, uint32_t i)
{
    const struct gan__node *n = &a->f.g->nodes[i];
    gan_val in[3];
    for (int j = 0; j < n->n_in; j++) {
        gan_val *clone = clone_for(a, n->in[j], i);
        in[j] = clone ? *clone : gan__rewrite_get(rw, n->in[j]);
    }
    return append(a, rw, i, in, a->f.level[i]);
}

static void emit_clones(struct again *a, struct gan__rewrite *rw, uint32_t i)
{
    const struct gan__node *n = &a->f.g->nodes[i];
    for (int j = 0; j < n->n_in; j++) {
        struct cone c;
        gan_val *clone = clone_for(a, n->in[j], i);
        if (!clone || gan_ok(*clone)) {
            continue;
        }
        cone_of(a, n->in[j].node, &c);
        for (int k = 0; k < c.n; k++) {
            gan_val *to = find(&a->clones, c.node[k], a->f.level[i]);
            if (to && !gan_ok(*to)) {
                *to = append_clone(a, rw, c.node[k], a->f.level[i]);
            }
        }
    }
}

static void rewrite(struct again *a, struct gan__rewrite *rw)
{
    const gan_graph *g = a->f.g;
    for (uint32_t i = 1; i < g->n_nodes && rw->dst->err.code == GAN_OK; i++) {
        if (!a->needed[i]) {
            continue;
        }
        if (!a->f.can[i]) {
            gan__rewrite_copy(rw, i);
            a->level[rw->dst->n_nodes - 1] = a->f.level[i];
            continue;
        }
        emit_clones(a, rw, i);
        gan__rewrite_set(rw, (gan_val){i, 0}, append_node(a, rw, i));
    }
}

static gan_status run_open(struct again *a, struct gan__rewrite *rw, gan_err *err)
{
    size_t n = a->f.g->n_nodes;
    a->inner = gan__alloc_array(rw->n_values, sizeof *a->inner);
    a->needed = gan__alloc_array(n, sizeof *a->needed);
    if (!a->inner || !a->needed) {
        return gan__fail_nomem(err, n * sizeof *a->inner, "fusion");
    }
    GAN_TRY(gan__fusion_levels(&a->f, err));
    decide_all(a);
    a->level = gan__alloc_array(n + a->clones.n, sizeof *a->level);
    if (a->short_of_memory || !a->level) {
        return gan__fail_nomem(err, n * sizeof *a->level, "fusion");
    }
    find_needed(a);
    rewrite(a, rw);
    return GAN_OK;
}

gan_status gan__fusion_recompute(struct gan__compile *c, bool sums, uint32_t **level, gan_err *err)
{
    struct gan__rewrite rw;
    struct again a = {.f = {.sums = sums}};
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    gan_status status = gan__fusion_open(&a.f, c, rw.base, err);
    if (status == GAN_OK) {
        status = run_open(&a, &rw, err);
    }
    gan__fusion_close(&a.f);
    gan__free(a.clones.key);
    gan__free(a.clones.val);
    gan__free(a.reads.key);
    gan__free(a.reads.val);
    gan__free(a.inner);
    gan__free(a.needed);
    status = gan__rewrite_end(&rw, status, err);
    if (status != GAN_OK) {
        gan__free(a.level);
        a.level = NULL;
    }
    *level = a.level;
    return status;
}

GAN_PASS(fuse_again) = {
    .name = "fuse_again",
    .doc = "compute cheap values again in later programs instead of keeping them",
    .rank = 91,
};

GAN_PASS(fuse_sum) = {
    .name = "fuse_sum",
    .doc = "let programs end in sums of their results",
    .rank = 92,
};
