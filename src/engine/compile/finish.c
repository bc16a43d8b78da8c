/* finish.c: roots that no step writes by itself get a `copy` node: outputs that are feeds, constants
 * or the store's own memory, and state set to another entry's old version, which that entry's own
 * set might overwrite first. */
#include "pass.h"

#include "base/alloc.h"
#include "base/err.h"
#include "fused.h"

#include <string.h>

static bool infer_copy(struct gan__infer *c)
{
    c->out[0] = c->in[0];
    return true;
}

static void ref_copy(const struct gan__call *c)
{
    size_t bytes = gan_tensor_bytes(c->out);
    if (bytes != 0) {
        memcpy(c->out->data, c->in->data, bytes);
    }
}

GAN_OP(copy) = {
    .name = "copy",
    .doc = "the value in memory of its own",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_INTERNAL | GAN_OP_EMPTY_OK,
    .infer = infer_copy,
    .ref = ref_copy,
};

/* The node whose memory holds v. */
static const struct gan__node *holder(const gan_graph *g, gan_val v)
{
    const struct gan__node *n = gan__node_of(g, v);
    while (n->op->flags & GAN_OP_VIEW) {
        n = gan__node_of(g, n->in[0]);
    }
    return n;
}

static bool source_output(const gan_graph *g, gan_val v)
{
    const struct gan__node *n = holder(g, v);
    return (n->op->flags & GAN_OP_SOURCE) && !(n->op->flags & GAN_OP_RANDOM);
}

/* Is set node s a copy of another entry that is itself set? */
static bool set_of_set(const gan_graph *g, const struct gan__node *s)
{
    const struct gan__node *n = holder(g, s->in[0]);
    if (n->op != &gan__op_state_get) {
        return false;
    }
    const struct gan__attr_index *from = n->attr, *to = s->attr;
    return from->index != to->index && from->index < (int64_t)g->n_states &&
           gan_ok(g->states[from->index].set);
}

static gan_val copy_of(struct gan__rewrite *rw, gan_val v)
{
    gan_val x = gan__rewrite_get(rw, v);
    const struct gan__node *n = gan__node_of(rw->src, v);
    return gan__ir_make(rw->dst, &gan__op_copy, &x, 1, NULL, &n->out[v.out], n);
}

gan_status gan__compile_finish(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    gan_status status = GAN_OK;
    gan_val *copies = gan__alloc_array(rw.n_values, sizeof *copies);
    bool *wanted = gan__alloc_array(rw.n_values, sizeof *wanted);
    if (!copies || !wanted) {
        status = gan__fail_nomem(err, rw.n_values, "root copies");
        goto out;
    }
    for (int i = 0; i < c->n_outputs; i++) {
        gan_val v = c->outputs[i];
        wanted[rw.base[v.node] + v.out] = source_output(rw.src, v);
    }
    for (size_t i = 1; i < rw.src->n_nodes; i++) {
        const struct gan__node *n = &rw.src->nodes[i];
        if (n->op == &gan__op_state_set && set_of_set(rw.src, n)) {
            wanted[rw.base[n->in[0].node] + n->in[0].out] = true;
        }
    }
    for (size_t i = 1; i < rw.src->n_nodes; i++) {
        const struct gan__node *n = &rw.src->nodes[i];
        uint32_t at = rw.base[i];
        if (n->op == &gan__op_state_set && wanted[rw.base[n->in[0].node] + n->in[0].out]) {
            gan_val x = copies[rw.base[n->in[0].node] + n->in[0].out];
            rw.map[at] = (gan_val){gan__ir_append(rw.dst, n, &x), 0};
            continue;
        }
        gan__rewrite_copy(&rw, i);
        for (int k = 0; k < n->n_out; k++) {
            if (wanted[at + (uint32_t)k]) {
                copies[at + (uint32_t)k] = copy_of(&rw, (gan_val){(uint32_t)i, (uint32_t)k});
            }
        }
    }
    /* outputs point to the copies; other readers keep the original */
    for (int i = 0; i < c->n_outputs; i++) {
        uint32_t v = rw.base[c->outputs[i].node] + c->outputs[i].out;
        if (wanted[v]) {
            rw.map[v] = copies[v];
        }
    }
out:
    gan__free(copies);
    gan__free(wanted);
    return gan__rewrite_end(&rw, status, err);
}
