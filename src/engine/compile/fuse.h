/* fuse.h: inside of fusion: finding groups of nodes, writing a group as a program. */
#ifndef GAN_ENGINE_COMPILE_FUSE_H
#define GAN_ENGINE_COMPILE_FUSE_H

#include "fused.h"
#include "pass.h"

/* Nodes that may run as one program, and their grouping. Sums are terminal: they belong to the
 * region of what they read, and whoever reads them is outside. */
struct gan__fusion {
    struct gan__compile *c;
    const gan_graph *g;
    uint32_t *base;    /* value numbers */
    uint32_t *readers; /* by value number */
    bool sums;         /* may programs end in sums? */
    bool *can;         /* by node: has a tile function and types to match, or is such a sum */
    int64_t *count;    /* by node: elements of the region it belongs to */
    uint32_t *level;   /* by node */
    uint32_t *group;   /* by node: a number shared by the group's members, 0 outside */
    uint32_t n_groups; /* numbers run from 1 */
};

/* Allocates the arrays of nodes for c->g; base comes from the caller. gan__fusion_close frees them
 * all, also after a failure. */
gan_status gan__fusion_open(struct gan__fusion *f, struct gan__compile *c, uint32_t *base,
                            gan_err *err);
void gan__fusion_close(struct gan__fusion *f);

/* Do elementwise operations and sums a and b run over the same elements? */
static inline bool gan__same_size(const struct gan__fusion *f, uint32_t a, uint32_t b)
{
    return f->can[a] && f->can[b] && f->count[a] == f->count[b] &&
           f->g->nodes[a].copy == f->g->nodes[b].copy;
}

/* May b read the result of a in a register? */
static inline bool gan__same_region(const struct gan__fusion *f, uint32_t a, uint32_t b)
{
    return f->g->nodes[a].op != &gan__op_sum && gan__same_size(f, a, b);
}

/* Fills `can` and `count`. */
void gan__fusion_able(struct gan__fusion *f);

/* Fills `level`. */
gan_status gan__fusion_levels(struct gan__fusion *f, gan_err *err);

/* Rewrites the graph so that cheap values are computed again in the later levels that read them,
 * where that moves fewer bytes; *level = the levels by new node, freed with gan__free. */
gan_status gan__fusion_recompute(struct gan__compile *c, bool sums, uint32_t **level, gan_err *err);

/* Fills `group`: nodes that can, alone or together (by level). */
gan_status gan__fusion_groups(struct gan__fusion *f, bool together, gan_err *err);

/* Appends the program of the members (ascending node numbers) to the walk and maps what the rest of
 * the graph reads. reg_of is a work array by value number of zeros, left that way. */
void gan__fusion_emit(const struct gan__fusion *f, struct gan__rewrite *rw, const uint32_t *members,
                      int n, uint32_t *reg_of);

/* A program being written: register n_loads + i belongs to instruction i. */
struct gan__code {
    const struct gan__load *loads;
    int n_loads;
    struct gan__instr *code;
    int n_code;
    struct gan__save *saves;
    int n_saves;
    struct gan__tail *tails;
    int n_tails;
};

/* Joins neighbouring operations for which the backend has one tile function. */
void gan__fusion_combine(const struct gan__compile *c, struct gan__code *p);

/* Makes three operations of Adam's update of a parameter and its moments behind their guard. */
void gan__fusion_adam(const struct gan__compile *c, struct gan__code *p);

/* The value that a program loads for v: looks through a broadcast. */
gan_val gan__fusion_source(const gan_graph *g, gan_val v);

#endif
