/* pass_dce.c: keeps what the outputs and the last set of each state need. Earlier sets of a state
 * are dead writes; the values they held stay when somebody reads them. */
#include "pass.h"

#include "base/alloc.h"
#include "base/err.h"

static void mark(const struct gan__compile *c, bool *needed)
{
    const gan_graph *g = c->g;
    for (int i = 0; i < c->n_outputs; i++) {
        needed[c->outputs[i].node] = true;
    }
    for (size_t e = 0; e < g->n_states; e++) {
        needed[g->states[e].set.node] = true;
    }
    for (size_t i = g->n_nodes; i-- > 1;) { /* readers have larger numbers */
        for (int j = 0; j < g->nodes[i].n_in && needed[i]; j++) {
            needed[g->nodes[i].in[j].node] = true;
        }
    }
}

static gan_status run(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    gan_status status = GAN_OK;
    bool *needed = gan__alloc_array(c->g->n_nodes, sizeof *needed);
    if (needed) {
        mark(c, needed);
        for (size_t i = 1; i < rw.src->n_nodes; i++) {
            if (needed[i]) {
                gan__rewrite_copy(&rw, i);
            }
        }
    } else {
        status = gan__fail_nomem(err, c->g->n_nodes, "dead code elimination");
    }
    gan__free(needed);
    return gan__rewrite_end(&rw, status, err);
}

GAN_PASS(dce) = {
    .name = "dce",
    .doc = "drop what neither an output nor a state needs",
    .rank = 40,
    .repeat = true,
    .run = run,
};
