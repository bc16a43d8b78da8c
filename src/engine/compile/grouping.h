/* grouping.h: a walk from a graph to the next in which groups of nodes become one node each. */
#ifndef GAN_ENGINE_COMPILE_GROUPING_H
#define GAN_ENGINE_COMPILE_GROUPING_H

#include "pass.h"

struct gan__grouping {
    const gan_graph *g;
    const uint32_t *group; /* by node: a number shared by the group's members, 0 outside */
    uint32_t n_groups;     /* numbers run from 1 */
    /* Appends what becomes of the members (ascending) and maps what the rest of the graph reads. */
    void (*emit)(void *ctx, struct gan__rewrite *rw, const uint32_t *members, int n);
    void *ctx;
};

/* Emits groups and single nodes; groups must not read each other in a circle. */
gan_status gan__grouping_emit(const struct gan__grouping *f, struct gan__rewrite *rw, gan_err *err);

#endif
