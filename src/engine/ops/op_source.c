/* op_source.c: nodes that bring values into a graph and take state out: feeds, constants, the
 * store.
 *
 * State is versioned inside the graph: state_get reads version 0 from the store, state_set makes
 * the next version, and a later gan_state_get returns that version's value. So a read sees what was
 * newest when it was built, whatever order the plan chooses. */
#include "base/alloc.h"
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/graph/op.h"

#include <string.h>

extern const struct gan__op gan__op_iota;

/* --- feeds -------------------------------------------------------------------------------------
 */

static bool infer_source(struct gan__infer *c)
{
    const struct gan__attr_index *a = c->attr;
    c->out[0] = (struct gan__type){(gan_dtype)a->type.dtype, a->type.shape};
    return true;
}

static gan_val add_feed(gan_graph *g, const struct gan__op *op, struct gan__feed_info **list,
                        size_t *n, size_t *cap, const char *name, struct gan__type type)
{
    char a[96], b[96];
    if (g->err.code != GAN_OK) {
        return GAN_NONE;
    }
    for (size_t i = 0; i < *n; i++) {
        struct gan__feed_info *f = &(*list)[i];
        if (strcmp(f->name, name) != 0) {
            continue;
        }
        if (f->type.dtype == type.dtype && gan_shape_equal(&f->type.shape, &type.shape)) {
            return f->val;
        }
        return gan_graph_fail(g, GAN_E_ARG, "feed %s exists as %s %s, asked for as %s %s", name,
                              gan_dtype_name(f->type.dtype),
                              gan_shape_text(&f->type.shape, a, sizeof a),
                              gan_dtype_name(type.dtype), gan_shape_text(&type.shape, b, sizeof b));
    }
    struct gan__attr_index attr = {(int64_t)*n, {(int64_t)type.dtype, type.shape}};
    gan_val v = gan__add_node(g, op, NULL, 0, &attr);
    char *copy = gan__arena_strdup(&g->arena, name);
    if (!gan_ok(v) || !copy || !gan__grow(list, cap, *n + 1, sizeof **list)) {
        return gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate feed %s", name);
    }
    (*list)[(*n)++] = (struct gan__feed_info){copy, type, v};
    return v;
}

gan_val gan_feed(gan_graph *g, const char *name, gan_dtype dtype, gan_shape shape)
{
    return add_feed(g, &gan__op_feed, &g->feeds, &g->n_feeds, &g->cap_feeds, name,
                    (struct gan__type){dtype, shape});
}

gan_val gan_scalar_feed(gan_graph *g, const char *name)
{
    return add_feed(g, &gan__op_scalar_feed, &g->scalars, &g->n_scalars, &g->cap_scalars, name,
                    (struct gan__type){g->real, gan_shape_scalar()});
}

GAN_OP(feed) = {
    .name = "feed",
    .doc = "a tensor the caller supplies at each run",
    .n_out = 1,
    .flags = GAN_OP_SOURCE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_index),
    .infer = infer_source,
};

GAN_OP(scalar_feed) = {
    .name = "scalar_feed",
    .doc = "a scalar the host computes in f64 at each run",
    .n_out = 1,
    .flags = GAN_OP_SOURCE,
    .attr_size = sizeof(struct gan__attr_index),
    .infer = infer_source,
};

/* --- constants -----------------------------------------------------------------------------------
 */

static bool infer_fill(struct gan__infer *c)
{
    const struct gan__attr_fill *a = c->attr;
    c->out[0] = (struct gan__type){(gan_dtype)a->dtype, a->shape};
    return true;
}

static gan_val fill_of(gan_graph *g, double value, gan_dtype dtype, gan_shape shape)
{
    struct gan__attr_fill attr = {value, (int64_t)dtype, shape};
    return gan__add_node(g, &gan__op_fill, NULL, 0, &attr);
}

gan_val gan_fill(gan_graph *g, double value, gan_shape shape)
{
    return fill_of(g, value, g->real, shape);
}

gan_val gan_const(gan_graph *g, double value)
{
    return gan_fill(g, value, gan_shape_scalar());
}

gan_val gan_zeros_like(gan_graph *g, gan_val v)
{
    return gan_ok(v) ? fill_of(g, 0, gan_dtype_get(g, v), gan_shape_get(g, v)) : GAN_NONE;
}

gan_val gan_ones_like(gan_graph *g, gan_val v)
{
    return gan_ok(v) ? fill_of(g, 1, gan_dtype_get(g, v), gan_shape_get(g, v)) : GAN_NONE;
}

gan_val gan_iota(gan_graph *g, int64_t n)
{
    struct gan__attr_fill attr = {0, GAN_I32, GAN_SHAPE(n)};
    return gan__add_node(g, &gan__op_iota, NULL, 0, &attr);
}

static void ref_fill(const struct gan__call *c)
{
    const struct gan__attr_fill *a = c->attr;
    int64_t n = gan_shape_count(&c->out->shape);
    for (int64_t i = 0; i < n; i++) {
        gan_tensor_set(c->out, i, a->value);
    }
}

static void ref_iota(const struct gan__call *c)
{
    int64_t n = gan_shape_count(&c->out->shape);
    for (int64_t i = 0; i < n; i++) {
        gan_tensor_set(c->out, i, (double)i);
    }
}

GAN_OP(fill) = {
    .name = "fill",
    .doc = "a tensor filled with one number",
    .n_out = 1,
    .flags = GAN_OP_SOURCE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_fill),
    .infer = infer_fill,
    .ref = ref_fill,
};

GAN_OP(iota) = {
    .name = "iota",
    .doc = "0, 1, .., n-1",
    .n_out = 1,
    .flags = GAN_OP_SOURCE | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_fill),
    .infer = infer_fill,
    .ref = ref_iota,
};

/* --- state
 * ----------------------------------------------------------------------------------------- */

/* The graph's record of a store entry; NULL and a sticky error when the store lacks it. */
static struct gan__state_use *use_of(gan_graph *g, const char *name, int *index)
{
    if (g->err.code != GAN_OK) {
        return NULL;
    }
    *index = gan_store_find(g->store, name);
    if (*index < 0) {
        gan_graph_fail(g, GAN_E_NOTFOUND, "state %s is not in the store", name);
        return NULL;
    }
    size_t need = (size_t)*index + 1;
    if (!gan__grow(&g->states, &g->cap_states, need, sizeof *g->states)) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the record of state %s", name);
        return NULL;
    }
    if (need > g->n_states) {
        memset(g->states + g->n_states, 0, (need - g->n_states) * sizeof *g->states);
        g->n_states = need;
    }
    return &g->states[*index];
}

gan_val gan_state_get(gan_graph *g, const char *name)
{
    int index = -1;
    struct gan__state_use *use = use_of(g, name, &index);
    if (!use) {
        return GAN_NONE;
    }
    if (!gan_ok(use->newest)) {
        const gan_tensor *t = &gan_store_at(g->store, index)->value;
        struct gan__attr_index attr = {index, {(int64_t)t->dtype, t->shape}};
        use->first = gan__add_node(g, &gan__op_state_get, NULL, 0, &attr);
        use->newest = gan_dtype_is_real(t->dtype) ? gan_cast(g, use->first, g->real) : use->first;
    }
    return use->newest;
}

void gan_state_set(gan_graph *g, const char *name, gan_val v)
{
    int index = -1;
    struct gan__state_use *use = use_of(g, name, &index);
    if (!use || !gan_ok(v)) {
        return;
    }
    const gan_tensor *t = &gan_store_at(g->store, index)->value;
    char a[96], b[96];
    gan_shape s = gan_shape_get(g, v);
    if (!gan_shape_equal(&s, &t->shape)) {
        gan_graph_fail(g, GAN_E_SHAPE, "state %s has shape %s, set to a value of shape %s", name,
                       gan_shape_text(&t->shape, a, sizeof a), gan_shape_text(&s, b, sizeof b));
        return;
    }
    gan_val stored = gan_cast(g, v, t->dtype);
    struct gan__attr_index attr = {index, {(int64_t)t->dtype, t->shape}};
    use->set = gan__add_node(g, &gan__op_state_set, &stored, 1, &attr);
    /* later readers see what the store would give back, so no hidden precision survives, and
     * derivatives end here: a version is a given value to whatever comes after it */
    gan_val back = gan_dtype_is_real(t->dtype) ? gan_cast(g, stored, g->real) : stored;
    use = &g->states[index];
    use->newest = gan_stop(g, back);
}

static bool infer_state_set(struct gan__infer *c)
{
    (void)c;
    return true;
}

GAN_OP(state_get) = {
    .name = "state_get",
    .doc = "a store entry as it was before the run",
    .n_out = 1,
    .flags = GAN_OP_SOURCE,
    .attr_size = sizeof(struct gan__attr_index),
    .infer = infer_source,
};

GAN_OP(state_set) = {
    .name = "state_set",
    .doc = "the next version of a store entry",
    .n_in = 1,
    .n_out = 0,
    .flags = GAN_OP_STATE | GAN_OP_ZERO_GRAD,
    .attr_size = sizeof(struct gan__attr_index),
    .infer = infer_state_set,
};

/* --- stop
 * --------------------------------------------------------------------------------------------- */

static bool infer_stop(struct gan__infer *c)
{
    c->out[0] = c->in[0];
    return true;
}

static void ref_stop(const struct gan__call *c)
{
    size_t bytes = gan_tensor_bytes(c->out);
    if (bytes) {
        memmove(c->out->data, c->in->data, bytes);
    }
}

gan_val gan_stop(gan_graph *g, gan_val x)
{
    return gan__add_node(g, &gan__op_stop, &x, 1, NULL);
}

static const struct gan__case stop_cases[] = {
    {.shapes = "[2,3]", .low = -1, .high = 1, .tolerance = 0, .order = 1},
    {0},
};

GAN_OP(stop) = {
    .name = "stop",
    .doc = "the value itself; derivatives stop here",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_VIEW | GAN_OP_ZERO_GRAD | GAN_OP_EMPTY_OK,
    .infer = infer_stop,
    .ref = ref_stop,
    .cases = stop_cases,
};
