/* layout.h: from the final graph to steps in order and memory for every value.
 *
 * A value lives from the step that makes it to its last reader. Views share their input's memory.
 * A buffer holds one value, or several in turn when a step's result takes over the memory of an
 * input that dies there. Buffers lie in the workspace (SLAB), in the plan (OWN: outputs, constants,
 * scalar feeds), in the store (STORE) or at the caller (FEED). */
#ifndef GAN_ENGINE_COMPILE_LAYOUT_H
#define GAN_ENGINE_COMPILE_LAYOUT_H

#include "pass.h"

enum gan__place { GAN_PLACE_SLAB, GAN_PLACE_OWN, GAN_PLACE_STORE, GAN_PLACE_FEED };

struct gan__buffer {
    enum gan__place place;
    int64_t start, end; /* steps; end = last reader of the last value held */
    size_t bytes;
    size_t at;       /* SLAB, OWN: offset; STORE, FEED: index */
    uint32_t holder; /* value number of the newest value held; UINT32_MAX for scratch */
};

#define GAN__NO_BUFFER UINT32_MAX

/* The copy of an input that a step works from. */
struct gan__copy_need {
    size_t bytes;   /* 0 for none */
    uint32_t group; /* steps of one group can share: the number of the first of them */
    bool lasting;   /* of weights that never change: kept from run to run */
};

struct gan__layout {
    const struct gan__compile *c;
    const gan_graph *g;
    bool inplace, memplan;
    uint32_t *base;      /* value numbers */
    uint32_t *root;      /* by value number: the value whose memory it is */
    uint32_t *maker;     /* by value number: its node */
    bool *output;        /* by value number: is the memory of an output */
    int64_t *time;       /* by node: its step, -1 when it has none */
    int64_t *death;      /* by value number (roots): last step that reads it, -1 unread */
    int64_t *readers_of; /* by state: last step that reads version 0, -1 unread */
    uint32_t *written;   /* by state: value number + 1 that is made in the store's memory, 0 none */
    uint32_t *steps;     /* nodes in order of running */
    size_t n_steps;
    uint32_t *init; /* constants computed once, when the plan is made */
    size_t n_init;
    struct gan__buffer *buffers;
    size_t n_buffers, cap_buffers;
    uint32_t *buffer_of; /* by value number (roots) */
    uint32_t *scratch;   /* by step: buffer or GAN__NO_BUFFER */
    uint32_t *copy;      /* by step: buffer of its input's copy or GAN__NO_BUFFER */
    bool *makes;         /* by step: it fills the copy */
    size_t slab_bytes, own_bytes;
    size_t live_bytes; /* largest sum of SLAB buffers alive in one step */
};

/* Steps in order, state sets where no reader of the old version is left behind. */
gan_status gan__layout_schedule(struct gan__layout *l, const struct gan__compile *c, gan_err *err);

/* Memory for every value and for scratch_bytes[i] and the copy needs[i] of step i. */
gan_status gan__layout_place(struct gan__layout *l, const size_t *scratch_bytes,
                             const struct gan__copy_need *needs, gan_err *err);

/* Lets steps share copies where that needs no more memory; every step has a buffer of its own
 * before. */
gan_status gan__layout_share(struct gan__layout *l, const struct gan__copy_need *needs,
                             gan_err *err);

void gan__layout_release(struct gan__layout *l);

/* May output k of the node be written over input j element by element while the node runs? */
bool gan__inplace_ok(const gan_graph *g, const uint32_t *base, const uint32_t *root,
                     const struct gan__node *n, int j, int k);

/* Offsets of SLAB buffers; the slab's size. */
gan_status gan__memplan(struct gan__layout *l, gan_err *err);

/* Values that live at the same time share no bytes; state is written after its readers. */
gan_status gan__verify_layout(const struct gan__layout *l, gan_err *err);

#define GAN__ALIGN ((size_t)64) /* of every buffer: a cache line, the widest vector */

static inline size_t gan__round_up(size_t bytes)
{
    return (bytes + GAN__ALIGN - 1) & ~(GAN__ALIGN - 1);
}

/* Is it no step: fed, stored, or a constant that the plan keeps? */
bool gan__layout_source(const struct gan__node *n);

/* Bytes of a value. */
size_t gan__type_bytes(const struct gan__type *t);

#endif
