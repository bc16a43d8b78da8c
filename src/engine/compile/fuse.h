/* fuse.h: inside of fusion: finding groups of nodes, writing a group as a program. */
#ifndef GAN_ENGINE_COMPILE_FUSE_H
#define GAN_ENGINE_COMPILE_FUSE_H

#include "fused.h"
#include "pass.h"

/* Nodes that may run as one program, and their grouping. */
struct gan__fusion {
    struct gan__compile *c;
    const gan_graph *g;
    uint32_t *base;    /* value numbers */
    uint32_t *readers; /* by value number */
    bool *can;         /* by node: has a tile function and types to match */
    uint32_t *group;   /* by node: a number shared by the group's members, 0 outside */
    uint32_t n_groups; /* numbers run from 1 */
};

/* Fills `group`: nodes that can, alone or together. */
gan_status gan__fusion_groups(struct gan__fusion *f, bool together, gan_err *err);

/* Appends the program of the members (ascending node numbers) to the walk and maps what the rest of
 * the graph reads. reg_of is a work array by value number of zeros, left that way. */
void gan__fusion_emit(const struct gan__fusion *f, struct gan__rewrite *rw, const uint32_t *members,
                      int n, uint32_t *reg_of);

/* The value that a program loads for v: looks through a broadcast. */
gan_val gan__fusion_source(const gan_graph *g, gan_val v);

#endif
