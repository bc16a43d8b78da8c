/* plan.h: compile a graph once, run it many times.
 *
 *     gan_plan *p = gan_plan_new(g, outputs, n, &(struct gan_plan_opts){.threads = 2}, &err);
 *     struct gan_feed_data feeds[] = {{"x", batch}};
 *     gan_plan_run(p, &(struct gan_run){.seed = 1, .feeds = feeds, .n_feeds = 1}, &err);
 *     const gan_tensor *y = gan_plan_output(p, 0);
 */
#ifndef GAN_PLAN_H
#define GAN_PLAN_H

#include <gan/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A compiled graph. One thread runs it; it uses `threads` compute threads. */
typedef struct gan_plan gan_plan;

/** Memory for intermediate tensors, shared by plans that do not run at the same time. */
typedef struct gan_workspace gan_workspace;

/** What may be computed twice so that less memory is needed at a time. */
enum gan_recompute {
    GAN_RECOMPUTE_NONE,
    GAN_RECOMPUTE_CHEAP, /* elementwise work, normalisation, random numbers */
    GAN_RECOMPUTE_FULL   /* convolutions and matrix products too */
};

/** Options of compilation; zero-initialise for the defaults. */
struct gan_plan_opts {
    const char *backend;   /* "cpu" (default) or "ref" */
    int threads;           /* compute threads, 0 = 1 */
    const char *without;   /* passes to leave out, "cse,fuse", or "all" of fold, simplify, cse, dce,
                            epilogue, fuse, precision, order, recompute, inplace, memplan */
    const char *precision; /* "f32" (default), or "bf16": convolutions and products of bf16,
                              activations stored in bf16; state and reductions stay f32 */
    bool verify;           /* run the verifier after each pass (tests) */
    bool exact;            /* no kernel that loses digits to be faster (Winograd) */
    enum gan_recompute recompute; /* results stay the same, bit for bit */
    bool frozen; /* the caller changes no state as long as the plan lives: packed copies of weights
                    that the plan does not set are made by its first run and kept */
};

/** What a plan will cost, known before it runs. */
struct gan_plan_info {
    int64_t nodes;          /* of the graph that was compiled */
    int64_t steps;          /* kernels run per call */
    double flops;           /* floating-point operations of heavy ops and elementwise work */
    double heavy_flops;     /* of convolutions and matrix products alone */
    double bytes;           /* read and written by all steps */
    size_t workspace_bytes; /* intermediates, scratch */
    size_t live_bytes;      /* largest sum of what is alive in one step: no placement needs less */
    size_t constant_bytes;  /* outputs, constants and tables that live with the plan */
    double compile_ms;
};

/** One tensor feed of a run, matched by name. The memory is borrowed during the run; any alignment.
 */
struct gan_feed_data {
    const char *name;
    gan_tensor value;
};

/** One scalar feed of a run. */
struct gan_scalar_data {
    const char *name;
    double value;
};

/** Arguments of one run. */
struct gan_run {
    uint64_t seed;      /* of the random streams */
    uint64_t iteration; /* counts iterations */
    uint64_t run;       /* counts repetitions of a phase inside an iteration */
    uint64_t sample;    /* global index of the batch's first sample */
    const struct gan_feed_data *feeds;
    size_t n_feeds;
    const struct gan_scalar_data *scalars;
    size_t n_scalars;
    gan_workspace *workspace; /* NULL: the plan's own, made at the first run */
};

/**
 * Compiles what the outputs and the graph's state sets need.
 *
 * owns:    the caller; gan_plan_free. The graph may be freed; the store must outlive the plan.
 * errors:  the graph's sticky error; GAN_E_ARG (unknown backend or pass); GAN_E_NOMEM;
 *          GAN_E_UNSUPPORTED (no kernel for an op; bf16 on a machine without it)
 */
GAN_API gan_plan *gan_plan_new(const gan_graph *g, const gan_val *outputs, int n,
                               const struct gan_plan_opts *opts, gan_err *err);

/** Can this build compute in bf16 on this machine (AVX-512 with bf16, or AMX)? */
GAN_API bool gan_bf16_works(void);

/** Frees the plan; NULL is fine. */
GAN_API void gan_plan_free(gan_plan *p);

/** Cost of the plan. */
GAN_API struct gan_plan_info gan_plan_info(const gan_plan *p);

/**
 * Runs the plan: reads state from the store, writes the last versions back, fills the outputs.
 * Allocates nothing of libgan's own after the first run with a workspace.
 *
 * errors:  GAN_E_ARG (a feed is missing, unknown or of another type), GAN_E_NOMEM
 * threads: one run at a time per plan, workspace and store
 */
GAN_API gan_status gan_plan_run(gan_plan *p, const struct gan_run *args, gan_err *err);

/** One step of a plan: a kernel call. Texts live as long as the plan. */
struct gan_plan_step {
    const char *op;      /* "conv2d", "normalize"; "fused" for a group of elementwise nodes */
    const char *backend; /* "cpu", "ref" */
    const char *scope;   /* of the network or phase: "disc/main.3", "" for none */
    gan_shape shape;     /* of the first output; rank 0 without outputs */
    double flops, bytes; /* as gan_plan_info counts them */
    gan_dtype dtype;     /* of the first input */
    bool heavy;          /* a convolution or matrix product */
};

/** Step i of gan_plan_info(p).steps, in the order of a run; all zero out of range. */
GAN_API struct gan_plan_step gan_plan_step_at(const gan_plan *p, int64_t i);

/** What step i does: "conv2d", "mul+add+relu"; written to dst, cut when too long. */
GAN_API const char *gan_plan_step_name(const gan_plan *p, int64_t i, char *dst, size_t cap);

/** A packed copy of weights that steps of a plan work from. */
struct gan_plan_copy {
    const char *scope; /* of the first step that reads it; lives as long as the plan */
    gan_shape shape;   /* of the weights */
    size_t bytes;      /* in the workspace, from the first use to the last; frozen: in the plan */
    int64_t uses;      /* steps that read it; the first of them fills it */
};

/** Copy i in the order of a run; all zero out of range. */
GAN_API struct gan_plan_copy gan_plan_copy_at(const gan_plan *p, int64_t i);

/**
 * Switches the timing of each step on, from zero, or off. Off it costs nothing.
 *
 * errors: GAN_E_NOMEM
 */
GAN_API gan_status gan_plan_profile(gan_plan *p, bool on, gan_err *err);

/** Seconds that step i took since timing was switched on, over all runs; 0 when it is off. */
GAN_API double gan_plan_step_seconds(const gan_plan *p, int64_t i);

/** Output i of the last run; owned by the plan, overwritten by the next run. NULL out of range. */
GAN_API const gan_tensor *gan_plan_output(const gan_plan *p, int i);

/** The plan's steps as text or JSON: kernel, shapes, FLOPs, bytes, offsets. owns: the caller,
 * gan_text_free. */
GAN_API char *gan_plan_dump(const gan_plan *p, gan_dump_form form);

/** Workspace of at least `bytes`. owns: the caller, gan_workspace_free; NULL when memory is short.
 */
GAN_API gan_workspace *gan_workspace_new(size_t bytes);
/** Frees it; NULL is fine. */
GAN_API void gan_workspace_free(gan_workspace *w);

/**
 * Runs the plan's unfused form step by step and looks for the first value that is not finite.
 *
 * out:    name receives the node ("conv2d gen/main.0 [..]"), empty when all is finite; state is not
 * written errors: as gan_plan_run
 */
GAN_API gan_status gan_plan_find_nonfinite(const gan_graph *g, const struct gan_run *args,
                                           const struct gan_plan_opts *opts, char *name, size_t cap,
                                           gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
