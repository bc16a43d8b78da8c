/* step_gradients.c: the sums of squares of every weight's gradient, as values of their own.
 *
 * The update's global norm (optim.c) adds exactly these nodes up, so common subexpressions cost
 * nothing: what is new is that the sums leave the plan. The runner groups them into layers. */
#include "engine/graph/node.h"
#include "step_build.h"

#include <string.h>

void gan__keep_gradients(gan_step *s, const char *const *names, const gan_val *grads, int n)
{
    struct gan__segment *seg = &s->segment[s->open];
    gan_graph *g = seg->graph;
    if (!s->cfg.gradients || n < 1) {
        return;
    }
    size_t had = (size_t)seg->n_gradients;
    struct gan__gradient *all = gan__arena_array(&g->arena, had + (size_t)n, sizeof *all);
    if (!all) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the norms of %d gradients", n);
        return;
    }
    if (had > 0) {
        memcpy(all, seg->gradient, had * sizeof *all);
    }
    for (int i = 0; i < n; i++) {
        gan_val squares = gan_sum_all(g, gan_square(g, grads[i]));
        all[had + (size_t)i] = (struct gan__gradient){names[i], squares};
    }
    seg->gradient = all;
    seg->n_gradients += n;
}
