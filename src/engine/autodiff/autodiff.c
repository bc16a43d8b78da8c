/* autodiff.c: reverse accumulation, graph to graph.
 *
 * The walk goes down the node numbers once and appends the derivative rules' nodes. Because rules
 * are written in ordinary ops, the result can be differentiated again. A compound op without a rule
 * of its own is differentiated through its expansion. Only paths to what is asked for are walked.
 */
#include "base/alloc.h"
#include "engine/graph/op.h"

#include <string.h>

/* One reverse walk over nodes lo .. hi. Older wanted values are leaves: the walk ends at them. */
struct walk {
    gan_graph *g;
    uint32_t lo, hi;
    unsigned char *dep; /* [node - lo]: a wanted value, or made from one */
    gan_val *cot;       /* cotangents, at slot[node - lo] + out */
    uint32_t *slot;
    const gan_val *wrt; /* what is wanted */
    gan_val *out;       /* results; cotangents of leaves gather here */
    int n;
};

static bool stops(const struct gan__op *op)
{
    return (op->flags & (GAN_OP_ZERO_GRAD | GAN_OP_STATE | GAN_OP_SOURCE)) != 0;
}

/* Index of a leaf among the wanted values, -1 when it is none. */
static int leaf_of(const struct walk *w, gan_val v)
{
    for (int i = 0; i < w->n; i++) {
        if (w->wrt[i].node == v.node && w->wrt[i].out == v.out) {
            return i;
        }
    }
    return -1;
}

static bool depends(const struct walk *w, gan_val v)
{
    return v.node >= w->lo ? w->dep[v.node - w->lo] != 0 : leaf_of(w, v) >= 0;
}

static bool wanted(const struct walk *w, gan_val v)
{
    return gan_dtype_is_real(gan__type_of(w->g, v)->dtype) && depends(w, v);
}

/* pass 1: which nodes depend on a wanted value. */
static void mark(struct walk *w)
{
    for (int i = 0; i < w->n; i++) {
        if (gan_ok(w->wrt[i]) && w->wrt[i].node >= w->lo && w->wrt[i].node <= w->hi) {
            w->dep[w->wrt[i].node - w->lo] = 1;
        }
    }
    for (uint32_t id = w->lo; id <= w->hi && id < w->g->n_nodes; id++) {
        const struct gan__node *node = &w->g->nodes[id];
        for (int i = 0; i < node->n_in && !w->dep[id - w->lo] && !stops(node->op); i++) {
            if (depends(w, node->in[i])) {
                w->dep[id - w->lo] = 1;
            }
        }
    }
}

static void accumulate(struct walk *w, gan_val v, gan_val d)
{
    int leaf = v.node < w->lo ? leaf_of(w, v) : 0;
    if (!gan_ok(d) || leaf < 0) {
        return;
    }
    gan_val *c = v.node < w->lo ? &w->out[leaf] : &w->cot[w->slot[v.node - w->lo] + v.out];
    *c = gan_ok(*c) ? gan_add(w->g, *c, d) : d;
}

static void reverse(gan_graph *g, uint32_t lo, const gan_val *y, const gan_val *dy, int n_y,
                    const gan_val *wrt, int n, gan_val *out);

/* Derivative of one node: its rule, or the derivative of its expansion. */
static void node_vjp(struct walk *w, const struct gan__node *node, const struct gan__vjp *c,
                     gan_val *dx)
{
    if (node->op->vjp) {
        node->op->vjp(c, dx);
        return;
    }
    if (!node->op->expand) {
        gan_graph_fail(w->g, GAN_E_INTERNAL, "op %s has no derivative rule", node->op->name);
        return;
    }
    gan_val y[8] = {{0, 0}};
    uint32_t lo = (uint32_t)w->g->n_nodes;
    node->op->expand(w->g, node->attr, node->in, y);
    reverse(w->g, lo, y, c->dys, node->n_out, node->in, node->n_in, dx);
    for (int i = 0; i < node->n_in; i++) {
        if (!c->need[i]) {
            dx[i] = GAN_NONE;
        }
    }
}

enum { FEW = 8 };

/* pass 2, one node: cotangents of its outputs -> cotangents of its inputs. */
static void visit(struct walk *w, uint32_t id)
{
    struct gan__node node = w->g->nodes[id]; /* a copy: the array may move while nodes are added */
    const gan_val *dys = w->cot + w->slot[id - w->lo];
    bool any = false;
    for (int i = 0; i < node.n_out; i++) {
        any |= gan_ok(dys[i]);
    }
    if (!any || !w->dep[id - w->lo] || stops(node.op)) {
        return;
    }
    gan_val ys[FEW], few_dx[FEW] = {{0, 0}}, *dx = few_dx;
    bool few_need[FEW] = {false}, *need = few_need;
    if (node.n_in > FEW) {
        dx = gan__arena_array(&w->g->arena, (size_t)node.n_in, sizeof *dx);
        need = gan__arena_array(&w->g->arena, (size_t)node.n_in, sizeof *need);
        if (!dx || !need) {
            gan_graph_fail(w->g, GAN_E_NOMEM, "cannot allocate the derivative of %s",
                           node.op->name);
            return;
        }
    }
    for (int i = 0; i < node.n_out && i < FEW; i++) {
        ys[i] = (gan_val){id, (uint32_t)i};
    }
    any = false;
    for (int i = 0; i < node.n_in; i++) {
        need[i] = wanted(w, node.in[i]);
        any |= need[i];
    }
    if (!any) {
        return;
    }
    const char *scope = w->g->scope;
    w->g->scope = node.scope;
    struct gan__vjp c = {w->g, &node, node.attr, node.in, ys, dys, ys[0], dys[0], need};
    node_vjp(w, &node, &c, dx);
    w->g->scope = scope;
    for (int i = 0; i < node.n_in; i++) {
        if (need[i]) {
            accumulate(w, node.in[i], dx[i]);
        }
    }
}

/* pass 2: down the numbers, then gather what reached each wanted value inside the range. */
static void descend(struct walk *w, const gan_val *y, const gan_val *dy, int n_y)
{
    mark(w);
    for (int i = 0; i < n_y; i++) {
        if (gan_ok(y[i]) && depends(w, y[i])) {
            accumulate(w, y[i], dy[i]);
        }
    }
    for (uint32_t id = w->hi; id >= w->lo && id > 0 && w->g->err.code == GAN_OK; id--) {
        visit(w, id);
    }
    for (int i = 0; i < w->n; i++) {
        if (gan_ok(w->wrt[i]) && w->wrt[i].node >= w->lo && w->wrt[i].node <= w->hi) {
            w->out[i] = w->cot[w->slot[w->wrt[i].node - w->lo] + w->wrt[i].out];
        }
    }
}

/* Walks from y down to node lo; wanted values older than lo are leaves. */
static void reverse(gan_graph *g, uint32_t lo, const gan_val *y, const gan_val *dy, int n_y,
                    const gan_val *wrt, int n, gan_val *out)
{
    struct walk w = {.g = g, .lo = lo, .hi = lo, .wrt = wrt, .out = out, .n = n};
    for (int i = 0; i < n; i++) {
        out[i] = GAN_NONE;
    }
    for (int i = 0; i < n_y; i++) {
        if (y[i].node > w.hi) {
            w.hi = y[i].node;
        }
    }
    if (g->err.code != GAN_OK) {
        return;
    }
    size_t count = (size_t)(w.hi - w.lo) + 1, outs = 0;
    w.dep = gan__alloc_array(count, sizeof *w.dep);
    w.slot = gan__alloc_array(count, sizeof *w.slot);
    for (size_t i = 0; i < count && w.slot && w.lo + i < g->n_nodes; i++) {
        w.slot[i] = (uint32_t)outs;
        int n_out = g->nodes[w.lo + i].n_out;
        outs += n_out > 0 ? (size_t)n_out : 1;
    }
    w.cot = gan__alloc_array(outs + 1, sizeof *w.cot);
    if (w.dep && w.slot && w.cot) {
        if (w.hi >= g->n_nodes) {
            w.hi = (uint32_t)g->n_nodes - 1; /* an expansion that added no node */
        }
        descend(&w, y, dy, n_y);
    } else {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the reverse walk over %zu nodes", count);
    }
    gan__free(w.dep);
    gan__free(w.slot);
    gan__free(w.cot);
}

void gan_vjp(gan_graph *g, const gan_val *y, const gan_val *dy, int n_y, const gan_val *wrt, int n,
             gan_val *out)
{
    for (int i = 0; i < n_y && g->err.code == GAN_OK; i++) {
        gan_shape a = gan_shape_get(g, y[i]), b = gan_shape_get(g, dy[i]);
        char ta[96], tb[96];
        if (!gan_shape_equal(&a, &b)) {
            gan_graph_fail(g, GAN_E_SHAPE, "vjp: cotangent %d has shape %s, its value %s", i,
                           gan_shape_text(&b, tb, sizeof tb), gan_shape_text(&a, ta, sizeof ta));
        }
    }
    uint32_t lo = UINT32_MAX;
    for (int i = 0; i < n; i++) {
        lo = gan_ok(wrt[i]) && wrt[i].node < lo ? wrt[i].node : lo;
    }
    reverse(g, lo < g->n_nodes ? lo : 1, y, dy, n_y, wrt, n, out);
    for (int i = 0; i < n; i++) {
        if (!gan_ok(out[i])) {
            out[i] = gan_zeros_like(g, wrt[i]);
        }
    }
}

void gan_grad(gan_graph *g, gan_val loss, const gan_val *wrt, int n, gan_val *out)
{
    gan_shape s = gan_shape_get(g, loss);
    char text[96];
    if (g->err.code == GAN_OK && gan_shape_count(&s) != 1) {
        gan_graph_fail(g, GAN_E_SHAPE, "grad: the loss has shape %s, expected one element",
                       gan_shape_text(&s, text, sizeof text));
    }
    gan_val one = gan_ones_like(g, loss);
    gan_vjp(g, &loss, &one, 1, wrt, n, out);
}

bool gan_depends(const gan_graph *g, gan_val y, gan_val x)
{
    if (!gan_ok(x) || !gan_ok(y) || y.node < x.node) {
        return false;
    }
    size_t count = (size_t)(y.node - x.node) + 1;
    unsigned char *dep = gan__alloc_array(count, 1);
    if (!dep) {
        return false;
    }
    dep[0] = 1;
    for (size_t k = 1; k < count; k++) {
        const struct gan__node *node = &g->nodes[x.node + k];
        for (int i = 0; i < node->n_in && !stops(node->op); i++) {
            dep[k] |= node->in[i].node >= x.node && dep[node->in[i].node - x.node];
        }
    }
    bool yes = dep[count - 1] != 0;
    gan__free(dep);
    return yes;
}
