/* graph.c: nodes, their types and scopes, and the sticky error. Builders and autodiff only ever
 * append; a node's inputs are older than the node, so numbers are an order of evaluation. */
#include "node.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "op.h"

#include <stdio.h>
#include <string.h>

gan_graph *gan_graph_new(gan_store *st, gan_dtype real)
{
    gan_graph *g = gan__alloc(sizeof *g);
    if (!g) {
        return NULL;
    }
    g->store = st;
    g->real = real;
    g->scope = "";
    if (!gan__grow(&g->nodes, &g->cap_nodes, 64, sizeof *g->nodes)) {
        gan__free(g);
        return NULL;
    }
    memset(&g->nodes[0], 0, sizeof g->nodes[0]);
    g->n_nodes = 1; /* node 0: the invalid one */
    if (real != GAN_F32 && real != GAN_F64) {
        gan_graph_fail(g, GAN_E_DTYPE, "a graph's real type is f32 or f64, not %s",
                       gan_dtype_name(real));
    }
    return g;
}

void gan_graph_free(gan_graph *g)
{
    if (!g) {
        return;
    }
    gan__arena_release(&g->arena);
    gan__free(g->nodes);
    gan__free(g->feeds);
    gan__free(g->scalars);
    gan__free(g->states);
    gan__free(g->scope_stack);
    gan__free(g->uses);
    gan__free(g);
}

gan_status gan_graph_status(const gan_graph *g, gan_err *err)
{
    if (g->err.code != GAN_OK && err && err->code == GAN_OK) {
        *err = g->err;
    }
    return g->err.code;
}

gan_dtype gan_graph_real(const gan_graph *g)
{
    return g->real;
}

gan_val gan_graph_fail(gan_graph *g, gan_status code, const char *fmt, ...)
{
    if (g->err.code == GAN_OK) {
        char text[sizeof g->err.message];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        gan__fail_at(&g->err, code, "graph", "%s", text);
    }
    return GAN_NONE;
}

gan_shape gan_shape_get(const gan_graph *g, gan_val v)
{
    return gan_ok(v) ? gan__type_of(g, v)->shape : (gan_shape){.rank = -1};
}

gan_dtype gan_dtype_get(const gan_graph *g, gan_val v)
{
    return gan_ok(v) ? gan__type_of(g, v)->dtype : GAN_F32;
}

int64_t gan_dim(const gan_graph *g, gan_val v, int axis)
{
    gan_shape s = gan_shape_get(g, v);
    int64_t i = axis < 0 ? s.rank + axis : axis;
    return i >= 0 && i < s.rank ? s.dim[i] : 0;
}

int64_t gan_graph_nodes(const gan_graph *g)
{
    return (int64_t)g->n_nodes - 1;
}

void gan_scope_push(gan_graph *g, const char *name)
{
    if (!gan__grow(&g->scope_stack, &g->cap_scopes, g->n_scopes + 1, sizeof *g->scope_stack)) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate a scope");
        return;
    }
    g->scope_stack[g->n_scopes++] = g->scope;
    char *joined = *g->scope ? gan__arena_printf(&g->arena, "%s/%s", g->scope, name)
                             : gan__arena_strdup(&g->arena, name);
    if (joined) {
        g->scope = joined;
    } else {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate scope %s", name);
    }
}

void gan_scope_pop(gan_graph *g)
{
    if (g->n_scopes) {
        g->scope = g->scope_stack[--g->n_scopes];
    }
}

uint64_t gan__stream_name(gan_graph *g, const char *name)
{
    uint64_t h = gan__hash_mix(gan__hash_text(g->scope), gan__hash_text(name));
    for (size_t i = 0; i < g->n_uses; i++) {
        if (g->uses[i].name == h) {
            return gan__hash_mix(h, g->uses[i].uses++);
        }
    }
    if (!gan__grow(&g->uses, &g->cap_uses, g->n_uses + 1, sizeof *g->uses)) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the stream of %s", name);
        return 0;
    }
    g->uses[g->n_uses].name = h;
    g->uses[g->n_uses++].uses = 1;
    return gan__hash_mix(h, 0);
}

bool gan__infer_fail(const struct gan__infer *c, gan_status code, const char *fmt, ...)
{
    char text[352];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gan_graph_fail(c->g, code, "%s #%zu%s%s: %s", c->op->name, c->g->n_nodes,
                   *c->g->scope ? " in " : "", c->g->scope, text);
    return false;
}

static bool same_inputs(const struct gan__infer *c)
{
    for (int i = 1; i < c->n_in; i++) {
        char a[96], b[96];
        if (!gan_shape_equal(&c->in[0].shape, &c->in[i].shape)) {
            return gan__infer_fail(c, GAN_E_SHAPE, "shapes %s and %s do not broadcast",
                                   gan_shape_text(&c->in[0].shape, a, sizeof a),
                                   gan_shape_text(&c->in[i].shape, b, sizeof b));
        }
        if (c->in[0].dtype != c->in[i].dtype) {
            return gan__infer_fail(c, GAN_E_DTYPE, "element types %s and %s differ",
                                   gan_dtype_name(c->in[0].dtype), gan_dtype_name(c->in[i].dtype));
        }
    }
    return true;
}

bool gan__infer_same(struct gan__infer *c)
{
    if (!same_inputs(c)) {
        return false;
    }
    if (!gan_dtype_is_real(c->in[0].dtype)) {
        return gan__infer_fail(c, GAN_E_DTYPE, "element type is %s, expected a real one",
                               gan_dtype_name(c->in[0].dtype));
    }
    c->out[0] = c->in[0];
    return true;
}

bool gan__infer_compare(struct gan__infer *c)
{
    if (!same_inputs(c)) {
        return false;
    }
    c->out[0] = (struct gan__type){GAN_BOOL, c->in[0].shape};
    return true;
}

/* Common shape of two in NumPy's sense; false when there is none. */
static bool common_shape(const gan_shape *a, const gan_shape *b, gan_shape *out)
{
    gan_shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int64_t i = 0; i < s.rank; i++) {
        int64_t ia = i - (s.rank - a->rank), ib = i - (s.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        if (da != db && da != 1 && db != 1) {
            return false;
        }
        s.dim[i] = da == 1 ? db : da;
    }
    *out = s;
    return true;
}

bool gan__broadcast_pair(gan_graph *g, gan_val *a, gan_val *b)
{
    if (!gan_ok(*a) || !gan_ok(*b)) {
        return false;
    }
    gan_shape sa = gan_shape_get(g, *a), sb = gan_shape_get(g, *b), s;
    if (!common_shape(&sa, &sb, &s)) {
        return true; /* left as they are: the op's inference names itself and both shapes */
    }
    *a = gan_broadcast(g, *a, s);
    *b = gan_broadcast(g, *b, s);
    return gan_ok(*a) && gan_ok(*b);
}

/* Checks that no value is empty unless the op allows it. */
static bool check_types(const struct gan__infer *c, const struct gan__type *t, int n,
                        const char *what)
{
    for (int i = 0; i < n; i++) {
        char text[96];
        int64_t count = gan_shape_count(&t[i].shape);
        if (count < 0) {
            return gan__infer_fail(c, GAN_E_SHAPE, "%s %d has shape %s, which is not valid", what,
                                   i, gan_shape_text(&t[i].shape, text, sizeof text));
        }
        if (count == 0 && !(c->op->flags & GAN_OP_EMPTY_OK)) {
            return gan__infer_fail(c, GAN_E_SHAPE, "%s %d has shape %s: there are no elements",
                                   what, i, gan_shape_text(&t[i].shape, text, sizeof text));
        }
    }
    return true;
}

static bool infer(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                  const void *attr, struct gan__type *out)
{
    struct gan__type few[8];
    struct gan__type *types = few;
    if (n_in > 8) {
        types = gan__arena_array(&g->arena, (size_t)n_in, sizeof *types);
        if (!types) {
            gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate %d input types", n_in);
            return false;
        }
    }
    for (int i = 0; i < n_in; i++) {
        types[i] = *gan__type_of(g, in[i]);
    }
    struct gan__infer c = {g, op, types, n_in, attr, out};
    if (op->n_in >= 0 ? n_in != op->n_in : n_in < 1) {
        return gan__infer_fail(&c, GAN_E_ARG, "%d inputs given, %d expected", n_in, op->n_in);
    }
    return check_types(&c, types, n_in, "input") && op->infer(&c) &&
           check_types(&c, out, op->n_out, "output");
}

gan_val gan__add_node(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                      const void *attr)
{
    if (g->err.code != GAN_OK) {
        return GAN_NONE;
    }
    for (int i = 0; i < n_in; i++) {
        if (!gan_ok(in[i]) || in[i].node >= g->n_nodes) {
            return gan_graph_fail(g, GAN_E_ARG,
                                  "%s #%zu%s%s: input %d is not a value of this graph", op->name,
                                  g->n_nodes, *g->scope ? " in " : "", g->scope, i);
        }
    }
    size_t n_out = op->n_out > 0 ? (size_t)op->n_out : 1;
    struct gan__type *out = gan__arena_array(&g->arena, n_out, sizeof *out);
    gan_val *ins = gan__arena_array(&g->arena, n_in > 0 ? (size_t)n_in : 1, sizeof *ins);
    void *attr_copy = op->attr_size ? gan__arena_copy(&g->arena, attr, op->attr_size) : NULL;
    if (!out || !ins || (op->attr_size && !attr_copy) ||
        !gan__grow(&g->nodes, &g->cap_nodes, g->n_nodes + 1, sizeof *g->nodes)) {
        return gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate node %s #%zu", op->name, g->n_nodes);
    }
    if (!infer(g, op, in, n_in, attr_copy, out)) {
        return GAN_NONE;
    }
    if (n_in > 0) {
        memcpy(ins, in, (size_t)n_in * sizeof *ins);
    }
    g->nodes[g->n_nodes] = (struct gan__node){.op = op,
                                              .in = ins,
                                              .out = out,
                                              .attr = attr_copy,
                                              .scope = g->scope,
                                              .n_in = n_in,
                                              .n_out = op->n_out,
                                              .copy = g->copy};
    return (gan_val){(uint32_t)g->n_nodes++, 0};
}

const struct gan__op *gan__op_find(const char *name)
{
    for (const struct gan__op *const *p = gan__ops; *p; p++) {
        if (strcmp((*p)->name, name) == 0) {
            return *p;
        }
    }
    return NULL;
}
