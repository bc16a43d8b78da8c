/* pass_cse.c: equal nodes become one: the same op, attributes, inputs and recomputation group.
 * Inputs of commuting ops are ordered first. Random nodes of equal streams hold equal numbers and
 * merge; state sets never do. */
#include "pass.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

/* Mapped inputs of a node of src, ordered when the op commutes. */
static void read_inputs(const struct gan__rewrite *rw, const struct gan__node *n, gan_val *in)
{
    for (int j = 0; j < n->n_in; j++) {
        in[j] = gan__rewrite_get(rw, n->in[j]);
    }
    if ((n->op->flags & GAN_OP_COMMUTES) && n->n_in == 2 &&
        (in[0].node > in[1].node || (in[0].node == in[1].node && in[0].out > in[1].out))) {
        gan_val first = in[0];
        in[0] = in[1];
        in[1] = first;
    }
}

static uint64_t hash_of(const struct gan__node *n, const gan_val *in)
{
    uint64_t h = gan__hash_bytes(0, &n->op, sizeof n->op);
    h = gan__hash_bytes(h, in, (size_t)n->n_in * sizeof *in);
    h = gan__hash_bytes(h, &n->copy, sizeof n->copy);
    return n->attr ? gan__hash_bytes(h, n->attr, n->op->attr_size) : h;
}

static bool equal(const struct gan__node *a, const struct gan__node *b, const gan_val *in)
{
    return a->op == b->op && a->n_in == b->n_in && a->copy == b->copy &&
           (a->n_in == 0 || memcmp(a->in, in, (size_t)a->n_in * sizeof *in) == 0) &&
           (a->op->attr_size == 0 || memcmp(a->attr, b->attr, a->op->attr_size) == 0);
}

/* Node of dst equal to n, else where it would go in the table (0 found). */
static uint32_t look_up(const struct gan__rewrite *rw, const uint32_t *slots, size_t mask,
                        const struct gan__node *n, const gan_val *in, size_t *slot)
{
    size_t i = (size_t)hash_of(n, in) & mask;
    while (slots[i] != 0 &&
           !(rw->dst->nodes[slots[i]].n_in == n->n_in && equal(&rw->dst->nodes[slots[i]], n, in))) {
        i = (i + 1) & mask;
    }
    *slot = i;
    return slots[i];
}

#define MAX_IN 16 /* nodes with more inputs (long concats) are left alone */

static void merge(struct gan__rewrite *rw, uint32_t *slots, size_t mask)
{
    for (size_t i = 1; i < rw->src->n_nodes && rw->dst->err.code == GAN_OK; i++) {
        const struct gan__node *n = &rw->src->nodes[i];
        gan_val in[MAX_IN];
        size_t slot;
        if ((n->op->flags & GAN_OP_STATE) || n->n_in > MAX_IN || n->n_out == 0) {
            gan__rewrite_copy(rw, i);
            continue;
        }
        read_inputs(rw, n, in);
        uint32_t same = look_up(rw, slots, mask, n, in, &slot);
        if (same == 0) {
            same = gan__ir_append(rw->dst, n, in);
            slots[slot] = same;
        }
        for (int k = 0; k < n->n_out; k++) {
            gan__rewrite_set(rw, (gan_val){(uint32_t)i, (uint32_t)k}, (gan_val){same, (uint32_t)k});
        }
    }
}

static gan_status run(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    size_t n_slots = 64;
    while (n_slots < 2 * rw.src->n_nodes) {
        n_slots *= 2;
    }
    gan_status status = GAN_OK;
    uint32_t *slots = gan__alloc_array(n_slots, sizeof *slots);
    if (slots) {
        merge(&rw, slots, n_slots - 1);
    } else {
        status = gan__fail_nomem(err, n_slots * sizeof *slots, "merging equal nodes");
    }
    gan__free(slots);
    return gan__rewrite_end(&rw, status, err);
}

GAN_PASS(cse) = {
    .name = "cse",
    .doc = "compute equal nodes once",
    .rank = 30,
    .repeat = true,
    .run = run,
};
