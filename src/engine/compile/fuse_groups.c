/* fuse_groups.c: which elementwise nodes share a program. */
#include "fuse.h"

#include "base/alloc.h"
#include "base/err.h"

static void find_able(struct gan__fusion *f)
{
    const gan_graph *g = f->g;
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        struct gan__type in[3];
        if (!(n->op->flags & GAN_OP_ELEMENTWISE) || n->n_in < 1 || n->n_in > 3 || n->n_out != 1 ||
            gan_shape_count(&n->out[0].shape) == 0) {
            continue;
        }
        for (int j = 0; j < n->n_in; j++) {
            in[j] = *gan__type_of(g, n->in[j]);
        }
        f->can[i] = f->c->tiled(f->c->backend, n->op, in, n->n_in, n->out, n->n_out, n->attr);
    }
}

gan_status gan__fusion_groups(struct gan__fusion *f, bool together, gan_err *err)
{
    (void)together;
    (void)err;
    find_able(f);
    for (size_t i = 1; i < f->g->n_nodes; i++) {
        f->group[i] = f->can[i] ? ++f->n_groups : 0;
    }
    return GAN_OK;
}
