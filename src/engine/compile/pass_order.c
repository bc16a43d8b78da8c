/* pass_order.c: the order of the steps, chosen for memory.
 *
 * Building order keeps the activations of every forward pass until the backward passes begin. The
 * other order runs, among the nodes whose inputs exist, the one that adds least to what is alive
 * (bytes of its results minus bytes that it reads last): a network's backward pass then starts
 * before the next forward pass. Both orders are walked through, and the one with the lower peak
 * counts, the building order unless the other saves a twentieth. Nodes that read a state stay before
 * the one that makes its new value. Values keep their bits. */
#include "pass.h"

#include "base/alloc.h"
#include "base/err.h"
#include "engine/graph/attr.h"
#include "layout.h"

struct entry {
    int64_t cost;
    uint32_t node;
};

struct order {
    const gan_graph *g;
    const uint32_t *base;
    uint32_t *root;     /* by value: the value that owns the memory */
    uint32_t *maker;    /* by value */
    int64_t *bytes;     /* by root: memory of the workspace */
    uint32_t *left;     /* by root: readers that have not run */
    uint32_t *first;    /* by node: first place in `after`, n + 1 entries */
    uint32_t *after;    /* nodes that wait for it */
    uint32_t *waits;    /* by node: what it waits for */
    bool *done;         /* by node */
    struct entry *heap; /* ready nodes; a node may stand there with older costs */
    size_t n_heap, cap_heap;
    uint32_t *list; /* the order found */
    size_t n_list;
};

static bool before(const struct entry *a, const struct entry *b)
{
    return a->cost != b->cost ? a->cost < b->cost : a->node < b->node;
}

static bool push(struct order *o, struct entry e)
{
    if (!gan__grow(&o->heap, &o->cap_heap, o->n_heap + 1, sizeof *o->heap)) {
        return false;
    }
    size_t i = o->n_heap++;
    for (; i > 0 && before(&e, &o->heap[(i - 1) / 2]); i = (i - 1) / 2) {
        o->heap[i] = o->heap[(i - 1) / 2];
    }
    o->heap[i] = e;
    return true;
}

static struct entry pop(struct order *o)
{
    struct entry top = o->heap[0], moved = o->heap[--o->n_heap];
    size_t i = 0;
    for (size_t child = 1; child < o->n_heap; child = 2 * i + 1) {
        if (child + 1 < o->n_heap && before(&o->heap[child + 1], &o->heap[child])) {
            child++;
        }
        if (!before(&o->heap[child], &moved)) {
            break;
        }
        o->heap[i] = o->heap[child];
        i = child;
    }
    o->heap[i] = moved;
    return top;
}

static bool is_view(const struct gan__node *n)
{
    return (n->op->flags & GAN_OP_VIEW) != 0;
}

static uint32_t root_of(const struct order *o, gan_val v)
{
    return o->root[o->base[v.node] + v.out];
}

/* Is input j of n the first that reads its memory? Counts each memory once. */
static bool first_read(const struct order *o, const struct gan__node *n, int j)
{
    for (int k = 0; k < j; k++) {
        if (root_of(o, n->in[k]) == root_of(o, n->in[j])) {
            return false;
        }
    }
    return true;
}

/* Memory of each value: none for sources, new states and outputs, which have their own. */
static void find_memory(struct order *o, const struct gan__compile *c)
{
    const gan_graph *g = o->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int k = 0; k < (n->n_out > 0 ? n->n_out : 1); k++) {
            uint32_t v = o->base[i] + (uint32_t)k;
            o->maker[v] = i;
            o->root[v] = is_view(n) ? root_of(o, n->in[0]) : v;
            bool own = n->n_out > 0 && !is_view(n) &&
                       !((n->op->flags & GAN_OP_SOURCE) && !(n->op->flags & GAN_OP_RANDOM));
            o->bytes[v] = own ? (int64_t)gan__type_bytes(&n->out[k]) : 0;
        }
    }
    for (size_t e = 0; e < g->n_states; e++) {
        if (gan_ok(g->states[e].set)) {
            o->bytes[root_of(o, g->nodes[g->states[e].set.node].in[0])] = 0;
        }
    }
    for (int i = 0; i < c->n_outputs; i++) {
        o->bytes[root_of(o, c->outputs[i])] = 0;
    }
}

/* Counts (after = NULL) or fills in that `to` waits for `from`. */
static void add_edge(struct order *o, uint32_t from, uint32_t to, bool fill)
{
    if (fill) {
        o->after[o->first[from]++] = to;
    } else {
        o->first[from]++;
        o->waits[to]++;
    }
}

/* Inputs come first, and readers of a state before the maker of its new value. */
static void add_edges(struct order *o, bool fill)
{
    const gan_graph *g = o->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in; j++) {
            add_edge(o, n->in[j].node, i, fill);
            const struct gan__node *m = &g->nodes[o->maker[root_of(o, n->in[j])]];
            if (m->op != &gan__op_state_get || is_view(n)) {
                continue;
            }
            int64_t e = ((const struct gan__attr_index *)m->attr)->index;
            gan_val set = e < (int64_t)g->n_states ? g->states[e].set : GAN_NONE;
            if (!gan_ok(set)) {
                continue;
            }
            uint32_t by = o->maker[root_of(o, g->nodes[set.node].in[0])];
            if (by > i) {
                add_edge(o, i, by, fill);
            }
        }
    }
}

static size_t count_edges(struct order *o)
{
    size_t sum = 0;
    add_edges(o, false);
    for (uint32_t i = 0; i <= o->g->n_nodes; i++) {
        uint32_t n = o->first[i];
        o->first[i] = (uint32_t)sum;
        sum += n;
    }
    return sum;
}

/* add_edges has moved each first place to its end: moves them back. */
static void rewind_edges(struct order *o)
{
    for (size_t i = o->g->n_nodes; i > 0; i--) {
        o->first[i] = o->first[i - 1];
    }
    o->first[0] = 0;
}

static void count_readers(struct order *o)
{
    const gan_graph *g = o->g;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in && !is_view(n); j++) {
            o->left[root_of(o, n->in[j])] += first_read(o, n, j);
        }
    }
}

/* What running the node adds to the bytes alive. */
static int64_t cost_of(const struct order *o, uint32_t i)
{
    const struct gan__node *n = &o->g->nodes[i];
    int64_t cost = 0;
    for (int k = 0; k < n->n_out; k++) {
        uint32_t v = o->base[i] + (uint32_t)k;
        cost += o->root[v] == v ? o->bytes[v] : 0;
    }
    for (int j = 0; j < n->n_in && !is_view(n); j++) {
        uint32_t r = root_of(o, n->in[j]);
        cost -= o->left[r] == 1 && first_read(o, n, j) ? o->bytes[r] : 0;
    }
    return cost;
}

/* Runs node i: the bytes alive during it go to *peak, those after it to *alive. */
static void run_node(struct order *o, uint32_t i, int64_t *alive, int64_t *peak)
{
    const struct gan__node *n = &o->g->nodes[i];
    int64_t cost = cost_of(o, i), made = 0;
    for (int k = 0; k < n->n_out; k++) {
        uint32_t v = o->base[i] + (uint32_t)k;
        made += o->root[v] == v ? o->bytes[v] : 0;
    }
    *peak = *alive + made > *peak ? *alive + made : *peak;
    *alive += cost;
    for (int j = 0; j < n->n_in && !is_view(n); j++) {
        o->left[root_of(o, n->in[j])] -= first_read(o, n, j);
    }
}

/* Nodes that are ready and became the last reader of something cost less now. */
static bool refresh(struct order *o, uint32_t i)
{
    const struct gan__node *n = &o->g->nodes[i];
    for (int j = 0; j < n->n_in && !is_view(n); j++) {
        uint32_t r = root_of(o, n->in[j]), m = o->maker[r];
        if (o->left[r] != 1 || o->bytes[r] == 0) {
            continue;
        }
        for (uint32_t k = o->first[m]; k < o->first[m + 1]; k++) {
            uint32_t to = o->after[k];
            if (!o->done[to] && o->waits[to] == 0 && !push(o, (struct entry){cost_of(o, to), to})) {
                return false;
            }
        }
    }
    return true;
}

static bool find_order(struct order *o, int64_t *peak)
{
    int64_t alive = 0;
    for (uint32_t i = 1; i < o->g->n_nodes; i++) {
        if (o->waits[i] == 0 && !push(o, (struct entry){cost_of(o, i), i})) {
            return false;
        }
    }
    while (o->n_heap > 0) {
        uint32_t i = pop(o).node;
        if (o->done[i]) {
            continue;
        }
        o->done[i] = true;
        o->list[o->n_list++] = i;
        run_node(o, i, &alive, peak);
        for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++) {
            uint32_t to = o->after[k];
            if (--o->waits[to] == 0 && !push(o, (struct entry){cost_of(o, to), to})) {
                return false;
            }
        }
        if (!refresh(o, i)) {
            return false;
        }
    }
    return true;
}

static gan_status allocate(struct order *o, const struct gan__compile *c, gan_err *err)
{
    size_t n = o->g->n_nodes, values = o->base[n];
    o->root = gan__alloc_array(values, sizeof *o->root);
    o->maker = gan__alloc_array(values, sizeof *o->maker);
    o->bytes = gan__alloc_array(values, sizeof *o->bytes);
    o->left = gan__alloc_array(values, sizeof *o->left);
    o->first = gan__alloc_array(n + 1, sizeof *o->first);
    o->waits = gan__alloc_array(n, sizeof *o->waits);
    o->done = gan__alloc_array(n, sizeof *o->done);
    o->list = gan__alloc_array(n, sizeof *o->list);
    if (!o->root || !o->maker || !o->bytes || !o->left || !o->first || !o->waits || !o->done ||
        !o->list) {
        return gan__fail_nomem(err, values * sizeof *o->bytes, "the order of steps");
    }
    find_memory(o, c);
    size_t edges = count_edges(o);
    o->after = gan__alloc_array(edges + 1, sizeof *o->after);
    if (!o->after) {
        return gan__fail_nomem(err, edges * sizeof *o->after, "the order of steps");
    }
    add_edges(o, true);
    rewind_edges(o);
    return GAN_OK;
}

static void release(struct order *o)
{
    gan__free(o->root);
    gan__free(o->maker);
    gan__free(o->bytes);
    gan__free(o->left);
    gan__free(o->first);
    gan__free(o->after);
    gan__free(o->waits);
    gan__free(o->done);
    gan__free(o->heap);
    gan__free(o->list);
}

static gan_status reorder(struct order *o, struct gan__rewrite *rw, gan_err *err)
{
    int64_t built = 0, found = 0, alive = 0;
    GAN_TRY(allocate(o, rw->c, err));
    count_readers(o);
    for (uint32_t i = 1; i < o->g->n_nodes; i++) {
        run_node(o, i, &alive, &built);
    }
    count_readers(o); /* all were 0 again */
    if (!find_order(o, &found)) {
        return gan__fail_nomem(err, o->n_heap * sizeof *o->heap, "the order of steps");
    }
    if (o->n_list != o->g->n_nodes - 1) {
        return gan__fail(err, GAN_E_INTERNAL, "%zu of %zu steps ordered", o->n_list,
                         o->g->n_nodes - 1);
    }
    for (uint32_t i = 0; i < o->n_list && rw->dst->err.code == GAN_OK; i++) {
        gan__rewrite_copy(rw, found < built - built / 20 ? o->list[i] : i + 1);
    }
    return GAN_OK;
}

gan_status gan__compile_order(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    struct order o = {.g = rw.src, .base = rw.base};
    gan_status status = reorder(&o, &rw, err);
    release(&o);
    return gan__rewrite_end(&rw, status, err);
}

GAN_PASS(order) = {
    .name = "order",
    .doc = "order the steps so that less memory is alive at once",
    .rank = 95,
};
