/* pass.h: compilation as graph to graph. A pass reads the current graph in number order (an order of
 * evaluation) and writes a new one; the roots (outputs, last state_set of each entry) move along.
 * Nodes share types, attributes and scopes with the older graphs, which live until the plan is
 * made. */
#ifndef GAN_ENGINE_COMPILE_PASS_H
#define GAN_ENGINE_COMPILE_PASS_H

#include "base/arena.h"
#include "engine/graph/node.h"
#include "engine/graph/op.h"
#include <gan/plan.h>

/* What passes share. */
struct gan__compile {
    gan_graph *g;          /* current graph */
    gan_graph **old;       /* earlier ones, alive because nodes share their memory */
    size_t n_old, cap_old; /* */
    gan_val *outputs;      /* in the current graph */
    int n_outputs;
    struct gan__arena *arena; /* of the plan: programs */
    const char *without;      /* passes left out */
    const char *backend;
    bool verify;
    bool bf16;      /* opts.precision asks for bf16 */
    bool mixed;     /* the precision pass has run: bf16 is how a value is stored */
    bool keep_sets; /* false: state is not written (probing) */
    enum gan_recompute recompute;
    bool exact; /* no approximate kernels */
    int threads;
    /* Workspace that the backend's kernel wants while the node runs; NULL: unknown, taken as 0. */
    gan_status (*scratch)(const struct gan__compile *c, const struct gan__node *n, size_t *bytes,
                          gan_err *err);
    /* Does the backend have a kernel of its own for this? */
    bool (*served)(const char *backend, const struct gan__op *op, const struct gan__type *in,
                   int n_in, const struct gan__type *out, int n_out, const void *attr);
    /* Does the backend have a tile function for this? */
    bool (*tiled)(const char *backend, const struct gan__op *op, const struct gan__type *in,
                  int n_in, const struct gan__type *out, int n_out, const void *attr);
};

struct gan__pass {
    const char *name;
    const char *doc;
    int rank;    /* order of running */
    bool repeat; /* runs again while the group of repeated passes shrinks the graph */
    gan_status (*run)(struct gan__compile *c, gan_err *err); /* NULL: a switch of the layout */
};

#define GAN_PASS(NAME) const struct gan__pass gan__pass_##NAME

extern const struct gan__pass *const gan__passes[]; /* generated, NULL at the end */

/* False when opts.without names the pass or "all". */
bool gan__pass_on(const char *without, const char *name);

/* GAN_E_ARG when `without` names something that is not a pass. */
gan_status gan__pass_check(const char *without, gan_err *err);

/* Copies g and the roots; then runs the passes. gan__compile_release frees all graphs. */
gan_status gan__compile_init(struct gan__compile *c, const gan_graph *g, const gan_val *outputs,
                             int n_outputs, gan_err *err);
gan_status gan__compile_run(struct gan__compile *c, gan_err *err);
void gan__compile_release(struct gan__compile *c);

/* c->served for a node of g. */
bool gan__ir_served(const struct gan__compile *c, const gan_graph *g, const struct gan__node *n);

/* Compound ops that neither the backend nor a reference kernel serves become their expansion. */
gan_status gan__compile_expand(struct gan__compile *c, gan_err *err);

/* Gives outputs that are no step's result, and state set to other state, a `copy`. */
gan_status gan__compile_finish(struct gan__compile *c, gan_err *err);

/* The order of the nodes with the lower peak of memory. */
gan_status gan__compile_order(struct gan__compile *c, gan_err *err);

/* Elementwise nodes with a tile function become programs: groups of them with `group`, else each
 * alone. */
gan_status gan__compile_fuse(struct gan__compile *c, bool group, gan_err *err);

/* Activations stored in bf16, convolutions and products of bf16; see pass_precision.c. */
gan_status gan__compile_precision(struct gan__compile *c, gan_err *err);

/* Updates behind one guard become one step; see pass_bundle.c. */
gan_status gan__compile_bundle(struct gan__compile *c, gan_err *err);

/* Repeats nodes so that less is alive at a time, as c->recompute allows. */
gan_status gan__compile_recompute(struct gan__compile *c, gan_err *err);

/* --- rewriting ------------------------------------------------------------------------------ */

/* One walk from a graph to the next. Value numbers: base[node] + out. */
struct gan__rewrite {
    struct gan__compile *c;
    const gan_graph *src;
    gan_graph *dst;
    uint32_t *base;
    gan_val *map; /* by value number of src; for state_set: its node */
    size_t n_values;
};

/* Opens a walk; everything is released by gan__rewrite_end, also after a failure. */
gan_status gan__rewrite_begin(struct gan__rewrite *rw, struct gan__compile *c, gan_err *err);

/* Copies node i with its inputs mapped; maps its outputs. */
void gan__rewrite_copy(struct gan__rewrite *rw, size_t i);

/* Says what becomes of an output of src. */
static inline void gan__rewrite_set(struct gan__rewrite *rw, gan_val v, gan_val to)
{
    rw->map[rw->base[v.node] + v.out] = to;
}

static inline gan_val gan__rewrite_get(const struct gan__rewrite *rw, gan_val v)
{
    return rw->map[rw->base[v.node] + v.out];
}

/* Moves the roots and makes dst the current graph; on a failure (status, or the sticky error of dst)
 * the current graph stays. */
gan_status gan__rewrite_end(struct gan__rewrite *rw, gan_status status, gan_err *err);

/* Appends a node like `like` with other inputs (n_in of them are copied); returns its number, 0 on
 * failure (sticky on g). */
uint32_t gan__ir_append(gan_graph *g, const struct gan__node *like, const gan_val *in);

/* Appends a node of any op with a given type, in the scope and group of `like`. */
gan_val gan__ir_make(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                     const void *attr, const struct gan__type *out, const struct gan__node *like);

/* Adds a node through inference in the scope and group of `like`. */
gan_val gan__ir_add(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                    const void *attr, const struct gan__node *like);

/* base[i] = first value number of node i, base[n_nodes] = their count; n_nodes + 1 entries, freed
 * with gan__free. NULL when memory is short. */
uint32_t *gan__ir_values(const gan_graph *g);

/* Readers of each value (roots count once each), by value number; freed with gan__free. */
uint32_t *gan__ir_readers(const struct gan__compile *c, const uint32_t *base);

/* Types, order and roots of the current graph are sound; `after` names the pass for the message. */
gan_status gan__verify_graph(const struct gan__compile *c, const char *after, gan_err *err);

#endif
