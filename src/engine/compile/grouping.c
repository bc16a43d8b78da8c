/* grouping.c: groups of nodes become one node each. A group runs where its last member stood, so
 * nodes that read earlier members move behind it: units (groups and single nodes) are emitted in the
 * order of their last members as far as their inputs allow. */
#include "grouping.h"
#include "fused.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

/* Units by number: groups 1..n_groups, then single nodes. */
struct units {
    uint32_t *of;      /* by node */
    uint32_t *first;   /* by unit: first place in members, n + 1 entries */
    uint32_t *members; /* nodes, ascending inside a unit */
    uint32_t *key;     /* by unit: its place in the order, the last member that is no sum */
    uint32_t *waits;   /* by unit: inputs from other units not yet emitted */
    uint32_t *readers; /* by node: first place in reading, n + 1 entries */
    uint32_t *reading; /* units that read the node (with repeats) */
    uint32_t *heap;    /* ready units, the smallest last member on top */
    size_t n, n_heap;
};

static uint32_t key_of(const struct units *u, uint32_t unit)
{
    return u->key[unit];
}

static void heap_push(struct units *u, uint32_t unit)
{
    size_t i = u->n_heap++;
    for (; i > 0 && key_of(u, u->heap[(i - 1) / 2]) > key_of(u, unit); i = (i - 1) / 2) {
        u->heap[i] = u->heap[(i - 1) / 2];
    }
    u->heap[i] = unit;
}

static uint32_t heap_pop(struct units *u)
{
    uint32_t top = u->heap[0], moved = u->heap[--u->n_heap];
    size_t i = 0;
    for (size_t child = 1; child < u->n_heap; child = 2 * i + 1) {
        if (child + 1 < u->n_heap && key_of(u, u->heap[child + 1]) < key_of(u, u->heap[child])) {
            child++;
        }
        if (key_of(u, moved) <= key_of(u, u->heap[child])) {
            break;
        }
        u->heap[i] = u->heap[child];
        i = child;
    }
    u->heap[i] = moved;
    return top;
}

static void units_release(struct units *u)
{
    gan__free(u->of);
    gan__free(u->first);
    gan__free(u->members);
    gan__free(u->key);
    gan__free(u->waits);
    gan__free(u->readers);
    gan__free(u->reading);
    gan__free(u->heap);
}

static bool units_allocate(struct units *u, const struct gan__grouping *f)
{
    size_t nodes = f->g->n_nodes, edges = 0;
    for (size_t i = 1; i < nodes; i++) {
        edges += (size_t)f->g->nodes[i].n_in;
    }
    u->of = gan__alloc_array(nodes + 1, sizeof *u->of);
    u->first = gan__alloc_array(nodes + f->n_groups + 3, sizeof *u->first);
    u->members = gan__alloc_array(nodes + 1, sizeof *u->members);
    u->key = gan__alloc_array(nodes + f->n_groups + 2, sizeof *u->key);
    u->waits = gan__alloc_array(nodes + f->n_groups + 2, sizeof *u->waits);
    u->readers = gan__alloc_array(nodes + 2, sizeof *u->readers);
    u->reading = gan__alloc_array(edges + 1, sizeof *u->reading);
    u->heap = gan__alloc_array(nodes + f->n_groups + 2, sizeof *u->heap);
    return u->of && u->first && u->members && u->key && u->waits && u->readers && u->reading &&
           u->heap;
}

/* Turns counts into first places: a[i] = sum of the counts before i. */
static void prefix_sums(uint32_t *a, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t count = a[i];
        a[i] = sum;
        sum += count;
    }
    a[n] = sum;
}

static void fill_units(struct units *u, const struct gan__grouping *f)
{
    const gan_graph *g = f->g;
    u->n = f->n_groups + 1;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        u->of[i] = f->group[i] ? f->group[i] : (uint32_t)u->n++;
        u->first[u->of[i]]++;
    }
    prefix_sums(u->first, u->n);
    for (uint32_t i = 1; i < g->n_nodes; i++) { /* first[] serves as a cursor, then moves back */
        u->members[u->first[u->of[i]]++] = i;
        if (u->key[u->of[i]] == 0 || g->nodes[i].op != &gan__op_sum) {
            u->key[u->of[i]] = i;
        }
    }
    memmove(u->first + 1, u->first, u->n * sizeof *u->first);
    u->first[0] = 0;
    for (size_t i = 1; i < g->n_nodes; i++) {
        for (int j = 0; j < g->nodes[i].n_in; j++) {
            uint32_t from = g->nodes[i].in[j].node;
            if (u->of[from] != u->of[i]) {
                u->waits[u->of[i]]++;
                u->readers[from]++;
            }
        }
    }
    prefix_sums(u->readers, g->n_nodes);
    for (size_t i = 1; i < g->n_nodes; i++) {
        for (int j = 0; j < g->nodes[i].n_in; j++) {
            uint32_t from = g->nodes[i].in[j].node;
            if (u->of[from] != u->of[i]) {
                u->reading[u->readers[from]++] = u->of[i];
            }
        }
    }
    memmove(u->readers + 1, u->readers, g->n_nodes * sizeof *u->readers);
    u->readers[0] = 0;
}

/* Emits the unit; readers whose last input this was become ready. */
static void emit(struct units *u, uint32_t unit, const struct gan__grouping *f,
                 struct gan__rewrite *rw)
{
    const uint32_t *members = u->members + u->first[unit];
    uint32_t n = u->first[unit + 1] - u->first[unit];
    if (f->group[members[0]]) {
        f->emit(f->ctx, rw, members, (int)n);
    } else {
        gan__rewrite_copy(rw, members[0]);
    }
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = u->readers[members[i]]; j < u->readers[members[i] + 1]; j++) {
            if (--u->waits[u->reading[j]] == 0) {
                heap_push(u, u->reading[j]);
            }
        }
    }
}

gan_status gan__grouping_emit(const struct gan__grouping *f, struct gan__rewrite *rw, gan_err *err)
{
    struct units u = {0};
    size_t emitted = 0;
    gan_status status = GAN_OK;
    if (!units_allocate(&u, f)) {
        status = gan__fail_nomem(err, f->g->n_nodes * sizeof *u.of, "grouping");
        goto out;
    }
    fill_units(&u, f);
    for (uint32_t i = 1; i < u.n; i++) {
        if (u.waits[i] == 0 && u.first[i + 1] > u.first[i]) {
            heap_push(&u, i);
        }
    }
    while (u.n_heap > 0 && rw->dst->err.code == GAN_OK) {
        uint32_t unit = heap_pop(&u);
        emitted += u.first[unit + 1] - u.first[unit];
        emit(&u, unit, f, rw);
    }
    if (rw->dst->err.code == GAN_OK && emitted != f->g->n_nodes - 1) {
        status = gan__fail(err, GAN_E_INTERNAL, "grouping made a cycle: %zu of %zu nodes ordered",
                           emitted, f->g->n_nodes - 1);
    }
out:
    units_release(&u);
    return status;
}
