/* transport_exact.c: exact transport by the network simplex method on the complete bipartite graph.
 *
 * A spanning tree of arcs carries all flow. Sources are nodes 0..n-1, sinks n..n+m-1, the root n+m is
 * joined to every node by an artificial arc so dear that an optimum does not use it. A pivot brings in
 * an arc of negative reduced cost (block search: one row of the cost matrix after another, the best of
 * the first row that has one), pushes flow round the cycle it closes, and drops the arc that runs
 * empty. Of several, the last along the cycle from its apex: the tree stays strongly feasible and the
 * method does not cycle (Cunningham 1976). Flows are integers, multiples of 2^-60, so that "empty" is
 * exact. Ahuja, Magnanti and Orlin 1993, "Network Flows", chapter 11. */
#include "masses.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/transport.h>

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A node of the tree. Its arc is the one to its parent. */
struct node {
    int32_t parent, first, next, prev; /* children in a list; -1: none */
    int32_t depth;
    bool up; /* the arc leads to the parent */
    int64_t flow;
    double cost;      /* of the arc */
    double potential; /* reduced cost of i -> j: cost + potential_i - potential_j */
};

struct simplex {
    struct node *node;
    int32_t n, m, root;
    const double *cost; /* [n,m] */
    double most;        /* largest cost */
    double far;         /* cost of artificial arcs */
    double epsilon;     /* reduced costs above -epsilon count as 0 */
    int32_t row;        /* where the search goes on */
    int64_t pivots;
};

/* --- masses as integers ------------------------------------------------------------------------- */

/* p in units of 2^-60, summing to 2^60 exactly: the largest takes the rounding. */
static void to_units(const double *p, int32_t n, struct node *node)
{
    const int64_t whole = (int64_t)1 << 60;
    double total = 0,
           lost = 0; /* Kahan's sum: an error of n rounding errors would be carried about */
    int64_t sum = 0;
    int32_t largest = 0;
    for (int32_t i = 0; i < n; i++) {
        const double add = p[i] - lost, next = total + add;
        lost = (next - total) - add;
        total = next;
        largest = p[i] > p[largest] ? i : largest;
    }
    for (int32_t i = 0; i < n; i++) {
        node[i].flow = (int64_t)(p[i] / total * (double)whole);
        sum += node[i].flow;
    }
    node[largest].flow += whole - sum;
}

/* --- the tree ----------------------------------------------------------------------------------- */

static void unlink_child(struct node *t, int32_t v)
{
    if (t[v].prev >= 0) {
        t[t[v].prev].next = t[v].next;
    } else {
        t[t[v].parent].first = t[v].next;
    }
    if (t[v].next >= 0) {
        t[t[v].next].prev = t[v].prev;
    }
}

static void link_child(struct node *t, int32_t v, int32_t parent)
{
    t[v].parent = parent;
    t[v].prev = -1;
    t[v].next = t[parent].first;
    if (t[v].next >= 0) {
        t[t[v].next].prev = v;
    }
    t[parent].first = v;
}

/* Next node of the subtree of `top` in depth-first order, -1 at the end. */
static int32_t walk(const struct node *t, int32_t v, int32_t top)
{
    if (t[v].first >= 0) {
        return t[v].first;
    }
    while (v != top && t[v].next < 0) {
        v = t[v].parent;
    }
    return v == top ? -1 : t[v].next;
}

static void start(struct simplex *s)
{
    struct node *t = s->node;
    t[s->root] = (struct node){.parent = -1, .first = -1, .next = -1, .prev = -1};
    for (int32_t v = 0; v < s->root; v++) {
        t[v].first = -1;
        t[v].depth = 1;
        t[v].up = v < s->n || t[v].flow == 0; /* an empty arc leads up: strongly feasible */
        t[v].cost = s->far;
        t[v].potential = t[v].up ? -s->far : s->far;
        link_child(t, v, s->root);
    }
}

/* --- a pivot ------------------------------------------------------------------------------------ */

/* The entering arc; false: none, the tree is optimal. */
static bool find_entering(struct simplex *s, int32_t *source, int32_t *sink)
{
    const struct node *t = s->node;
    for (int32_t tried = 0; tried < s->n; tried++) {
        const int32_t i = s->row;
        const double *row = s->cost + (size_t)i * (size_t)s->m;
        const double base = t[i].potential;
        double least = -s->epsilon;
        int32_t best = -1;
        for (int32_t j = 0; j < s->m; j++) {
            const double reduced = row[j] + base - t[s->n + j].potential;
            if (reduced < least) {
                least = reduced;
                best = j;
            }
        }
        s->row = i + 1 < s->n ? i + 1 : 0;
        if (best >= 0) {
            *source = i;
            *sink = s->n + best;
            return true;
        }
    }
    return false;
}

static int32_t find_apex(const struct node *t, int32_t a, int32_t b)
{
    while (a != b) {
        if (t[a].depth >= t[b].depth) {
            a = t[a].parent;
        } else {
            b = t[b].parent;
        }
    }
    return a;
}

/* The node whose arc leaves, the flow that is pushed, and on which side of the apex it is. */
static int32_t find_leaving(const struct node *t, int32_t source, int32_t sink, int32_t apex,
                            int64_t *push, bool *source_side)
{
    int32_t out = -1;
    *push = INT64_MAX;
    for (int32_t v = source; v != apex; v = t[v].parent) {
        if (t[v].up && t[v].flow < *push) {
            *push = t[v].flow;
            out = v;
            *source_side = true;
        }
    }
    for (int32_t v = sink; v != apex; v = t[v].parent) {
        if (!t[v].up && t[v].flow <= *push) {
            *push = t[v].flow;
            out = v;
            *source_side = false;
        }
    }
    return out;
}

/* Hangs the subtree cut off at `out` below `to` by its node `in` and the new arc. */
static void rehang(struct simplex *s, int32_t in, int32_t to, int32_t out, struct node arc)
{
    struct node *t = s->node;
    int32_t v = in, parent = to;
    for (;;) { /* the path from `in` to `out` turns round */
        const struct node old = t[v];
        unlink_child(t, v);
        t[v].up = arc.up;
        t[v].flow = arc.flow;
        t[v].cost = arc.cost;
        link_child(t, v, parent);
        if (v == out) {
            break;
        }
        arc = (struct node){.up = !old.up, .flow = old.flow, .cost = old.cost};
        parent = v;
        v = old.parent;
    }
    const double wanted = t[in].up ? t[to].potential - t[in].cost : t[to].potential + t[in].cost;
    const double shift = wanted - t[in].potential;
    for (v = in; v >= 0; v = walk(t, v, in)) {
        t[v].potential += shift;
        t[v].depth = t[t[v].parent].depth + 1;
    }
}

static bool pivot(struct simplex *s)
{
    struct node *t = s->node;
    int32_t source, sink;
    int64_t push;
    bool source_side = false;
    if (!find_entering(s, &source, &sink)) {
        return false;
    }
    const int32_t apex = find_apex(t, source, sink);
    const int32_t out = find_leaving(t, source, sink, apex, &push, &source_side);
    for (int32_t v = source; v != apex; v = t[v].parent) {
        t[v].flow += t[v].up ? -push : push;
    }
    for (int32_t v = sink; v != apex; v = t[v].parent) {
        t[v].flow += t[v].up ? push : -push;
    }
    const int32_t in = source_side ? source : sink, to = source_side ? sink : source;
    rehang(s, in, to, out,
           (struct node){.up = source_side,
                         .flow = push,
                         .cost = s->cost[(size_t)source * (size_t)s->m + (size_t)(sink - s->n)]});
    s->pivots++;
    return true;
}

/* Potentials from the tree anew, without the rounding of many shifts. Artificial arcs that are left
 * are empty and all lead up, so their cost may be any constant: 0 spares the digits that a dear one
 * would take from the potentials. */
static void recompute(struct simplex *s)
{
    struct node *t = s->node;
    for (int32_t v = t[s->root].first; v >= 0; v = t[v].next) {
        t[v].cost = 0;
    }
    for (int32_t v = walk(t, s->root, s->root); v >= 0; v = walk(t, v, s->root)) {
        const double p = t[t[v].parent].potential;
        t[v].potential = t[v].up ? p - t[v].cost : p + t[v].cost;
    }
}

static void solve(struct simplex *s)
{
    enum { ROUNDS = 5 }; /* after a recomputation few arcs, if any, are left to enter */
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t before = s->pivots;
        while (pivot(s)) {
        }
        recompute(s);
        s->epsilon = 64 * DBL_EPSILON * s->most;
        if (round > 0 && s->pivots == before) {
            break;
        }
    }
}

/* --- the answer --------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct gan_carry *x = a, *y = b;
    if (x->i != y->i) {
        return x->i < y->i ? -1 : 1;
    }
    return x->j < y->j ? -1 : x->j > y->j;
}

static void collect(const struct simplex *s, const double *a, const double *b,
                    struct gan_transport *out)
{
    const struct node *t = s->node;
    const size_t n = (size_t)s->n, m = (size_t)s->m;
    /* a unit for each mass, and the last bit of each total */
    const int64_t rounding = s->n + s->m + 512;
    out->cost = out->dual = 0;
    for (int32_t v = 0; v < s->root; v++) {
        if (t[v].parent == s->root) {
            continue;
        }
        const int32_t i = v < s->n ? v : t[v].parent, j = (v < s->n ? t[v].parent : v) - s->n;
        const double mass = (double)t[v].flow * 0x1p-60;
        out->cost += mass * t[v].cost;
        if (t[v].flow > rounding) {
            out->plan[out->n_plan++] = (struct gan_carry){(size_t)i, (size_t)j, mass};
        }
    }
    qsort(out->plan, out->n_plan, sizeof *out->plan, by_place);
    /* u = -potential of sources; v, then u, are made tight: c-transforms of each other */
    for (size_t j = 0; j < m; j++) {
        out->v[j] = (double)INFINITY;
        for (size_t i = 0; i < n; i++) {
            out->v[j] = fmin(out->v[j], s->cost[i * m + j] + t[i].potential - t[0].potential);
        }
    }
    gan_c_transform(s->cost, n, m, out->v, out->u);
    for (size_t i = 0; i < n; i++) {
        out->dual += a[i] * out->u[i];
    }
    for (size_t j = 0; j < m; j++) {
        out->dual += b[j] * out->v[j];
    }
    out->pivots = s->pivots;
}

void gan_c_transform(const double *cost, size_t n, size_t m, const double *v, double *u)
{
    for (size_t i = 0; i < n; i++) {
        u[i] = (double)INFINITY;
        for (size_t j = 0; j < m; j++) {
            u[i] = fmin(u[i], cost[i * m + j] - v[j]);
        }
    }
}

gan_status gan__check_costs(const double *cost, size_t n, size_t m, double *most, gan_err *err)
{
    *most = 0;
    for (size_t k = 0; k < n * m; k++) {
        if (!isfinite(cost[k])) {
            return gan__fail(err, GAN_E_RANGE, "the cost from place %zu to place %zu is not finite",
                             k / m, k % m);
        }
        *most = fmax(*most, fabs(cost[k]));
    }
    return GAN_OK;
}

gan_status gan_transport_exact(const double *a, size_t n, const double *b, size_t m,
                               const double *cost, struct gan_transport *out, gan_err *err)
{
    double most;
    *out = (struct gan_transport){0};
    GAN_TRY(gan__check_masses("a", a, n, err));
    GAN_TRY(gan__check_masses("b", b, m, err));
    GAN_TRY(gan__check_pairs(n, m, err));
    GAN_TRY(gan__check_costs(cost, n, m, &most, err));
    struct simplex s = {.n = (int32_t)n, .m = (int32_t)m, .root = (int32_t)(n + m), .cost = cost};
    s.most = most;
    s.far = (most > 0 ? most : 1) * (double)(n + m);
    s.epsilon = 64 * DBL_EPSILON * s.far;
    s.node = gan__alloc_array(n + m + 1, sizeof *s.node);
    out->u = gan__alloc_array(n, sizeof *out->u);
    out->v = gan__alloc_array(m, sizeof *out->v);
    out->plan = gan__alloc_array(n + m, sizeof *out->plan);
    if (s.node == NULL || out->u == NULL || out->v == NULL || out->plan == NULL) {
        gan__free(s.node);
        return gan__fail_nomem(err, (n + m) * sizeof *s.node, "the tree of exact transport");
    }
    to_units(a, s.n, s.node);
    to_units(b, s.m, s.node + n);
    start(&s);
    solve(&s);
    collect(&s, a, b, out);
    gan__free(s.node);
    return GAN_OK;
}

void gan_transport_release(struct gan_transport *t)
{
    gan__free(t->u);
    gan__free(t->v);
    gan__free(t->plan);
    *t = (struct gan_transport){0};
}
