/* pass_inplace.c: results written over an input that dies in the same step. Off: every result has
 * memory of its own, and state is set by copying. */
#include "layout.h"

#include "fused.h"

#include <string.h>

/* Every load of input j reads the element that the program writes at the same time. */
static bool program_ok(const struct gan__program *p, int j)
{
    for (int i = 0; i < p->n_loads; i++) {
        if (p->loads[i].input == j && p->loads[i].kind != GAN_LOAD_FULL) {
            return false;
        }
    }
    return true;
}

/* The same for programs that share a step: one may not write over what another reads. */
static bool bundle_ok(const struct gan__node *n, int j, int k)
{
    const struct gan__attr_bundle *b = n->attr;
    for (int64_t i = 0; i < b->n_parts; i++) {
        const struct gan__part *p = &b->parts[i];
        if (j >= p->first_in && j < p->first_in + p->n_in) {
            return k >= p->first_out && k < p->first_out + p->n_out &&
                   program_ok(p->program, j - p->first_in);
        }
    }
    return false;
}

static bool input_ok(const gan_graph *g, const struct gan__node *n, int j, int k)
{
    const struct gan__type *in = gan__type_of(g, n->in[j]);
    if (n->op == &gan__op_fused) {
        return program_ok(((const struct gan__attr_fused *)n->attr)->program, j);
    }
    if (n->op == &gan__op_bundle) {
        return bundle_ok(n, j, k);
    }
    if (n->op->flags & GAN_OP_ELEMENTWISE) {
        return gan_shape_equal(&in->shape, &n->out[k].shape);
    }
    /* rows of the first input are replaced where they lie */
    return j == 0 && strcmp(n->op->name, "scatter_set") == 0;
}

bool gan__inplace_ok(const gan_graph *g, const uint32_t *base, const uint32_t *root,
                     const struct gan__node *n, int j, int k)
{
    uint32_t r = root[base[n->in[j].node] + n->in[j].out];
    if (gan__type_bytes(gan__type_of(g, n->in[j])) != gan__type_bytes(&n->out[k])) {
        return false;
    }
    for (int i = 0; i < n->n_in; i++) {
        if (root[base[n->in[i].node] + n->in[i].out] == r && !input_ok(g, n, i, k)) {
            return false;
        }
    }
    return true;
}

GAN_PASS(inplace) = {
    .name = "inplace",
    .doc = "write results over inputs that die there, and state where it lives",
    .rank = 100,
};
