/* steps.h: what a plan is made of. Steps hold tensors whose pointers are bound once per workspace;
 * only feeds are bound at each run. */
#ifndef GAN_ENGINE_EXECUTE_STEPS_H
#define GAN_ENGINE_EXECUTE_STEPS_H

#include "base/arena.h"
#include "engine/compile/layout.h"
#include "kernel.h"
#include <gan/plan.h>

/* One kernel call. */
struct gan__step {
    void (*run)(const struct gan__call *c);
    struct gan__call call;
    const struct gan__kernel *kernel; /* NULL: reference kernel or copy */
    const struct gan__op *op;
    const char *scope;
    gan_tensor *in, *out; /* what call points to */
    double flops, bytes;
    size_t scratch_bytes, scratch_at; /* in the slab */
    struct gan__copy_wish copy;       /* what its kernel asked for */
    size_t copy_at;                   /* in the slab */
    int64_t copy_from;                /* the step that fills the copy; -1 without */
    bool copy_lasts;                  /* the first run fills it, later ones read it */
    size_t *out_at;                   /* offset in the slab of each output, SIZE_MAX elsewhere */
    int64_t *from;                    /* step that makes each input, -1: feed, state, constant */
};

/* A pointer to fill: slab + at. */
struct gan__slab_ref {
    void **data;
    size_t at;
};

/* Something the caller supplies. */
struct gan__plan_feed {
    const char *name;
    struct gan__type type;
    void ***refs; /* pointers to fill, n_refs of them; none when nothing reads the feed */
    size_t n_refs, cap_refs;
    bool needed;
    size_t hint; /* where it was in the last run's list */
};

struct gan__plan_scalar {
    const char *name;
    gan_tensor value; /* memory of the plan; data NULL when nothing reads it */
    bool needed;
    size_t hint;
};

struct gan_workspace {
    void *base;
    size_t bytes;
};

struct gan_plan {
    struct gan__arena arena;
    gan_store *store;
    const char *backend;
    bool exact;  /* no approximate kernels */
    bool frozen; /* state that no step sets never changes */
    bool filled; /* a run has made the copies that last */
    struct gan__step *steps;
    size_t n_steps;
    struct gan__slab_ref *refs;
    size_t n_refs, cap_refs;
    struct gan__plan_feed *feeds;
    size_t n_feeds;
    struct gan__plan_scalar *scalars;
    size_t n_scalars;
    double *scalar_values; /* by index of the graph, for kernels */
    gan_tensor *outputs;
    int n_outputs;
    void *own;           /* outputs, constants, scalar feeds */
    const void *bound;   /* slab the pointers point into */
    gan_workspace *mine; /* made when a run gives none */
    struct gan__run run;
    struct gan_plan_info info;
    double *seconds; /* of each step since timing was switched on; NULL when it is off */
};

/* How gan__plan_build differs from gan_plan_new. */
struct gan__build {
    const gan_graph *g;
    const gan_val *outputs;
    int n_outputs;
    const char *backend;
    const char *without;
    int threads;
    bool verify;
    bool exact;
    bool frozen;
    bool bf16;
    bool keep_sets; /* false: the store is not written */
    enum gan_recompute recompute;
};

gan_plan *gan__plan_build(const struct gan__build *b, gan_err *err);

/* Chooses and prepares the kernel of every step of the layout. */
gan_status gan__steps_prepare(gan_plan *p, const struct gan__layout *l, gan_err *err);

/* What copies the steps work from, grouped by what can be shared. */
void gan__steps_copies(const gan_plan *p, const struct gan__layout *l,
                       struct gan__copy_need *needs);

/* Gives every tensor its pointer or a place in a list of pointers to fill. */
gan_status gan__steps_bind(gan_plan *p, const struct gan__layout *l, gan_err *err);

/* "mul+add" for a program, "3 x mul+add" for a bundle, else the op's name; written to dst, cut when too long. */
const char *gan__step_name(const struct gan__step *s, char *dst, size_t cap);

/* Checks and binds feeds and scalars, the workspace and the run's numbers. */
gan_status gan__run_begin(gan_plan *p, const struct gan_run *args, gan_err *err);

/* The steps of a run, each timed. */
void gan__run_timed(gan_plan *p);

/* Kernel with a tile function that serves these types; NULL when there is none. */
const struct gan__kernel *gan__kernel_tile(const char *backend, const struct gan__op *op,
                                           const struct gan__type *in, int n_in,
                                           const struct gan__type *out, int n_out,
                                           const void *attr);

#endif
