/* op.h: what an operation is: one entry with inference, derivative rule, meaning, reference kernel
 * and test cases. An op file ends in GAN_OP(name) = {...}; the build collects the entries. */
#ifndef GAN_ENGINE_GRAPH_OP_H
#define GAN_ENGINE_GRAPH_OP_H

#include "node.h"
#include "engine/kernels/call.h"

enum {
    GAN_OP_ELEMENTWISE =
        1u << 0,             /* one output of the inputs' common shape; element i from elements i */
    GAN_OP_VIEW = 1u << 1,   /* output is the input's memory with another shape (reshape, stop) */
    GAN_OP_RANDOM = 1u << 2, /* depends on (seed, iteration, run): never folded */
    GAN_OP_SOURCE = 1u << 3, /* no inputs: feed, scalar_feed, fill, iota, state_get */
    GAN_OP_STATE = 1u << 4,  /* state_set: a root, never merged */
    GAN_OP_ZERO_GRAD = 1u << 5, /* derivative is zero everywhere or undefined: autodiff stops */
    GAN_OP_HEAVY = 1u << 6,     /* counted in FLOPs per se, worth a library kernel */
    GAN_OP_EMPTY_OK = 1u << 7,  /* extents of 0 are allowed */
    GAN_OP_COMMUTES = 1u << 8,  /* f(a,b) = f(b,a): CSE may order inputs */
    GAN_OP_INTERNAL = 1u << 9   /* made by compile passes only; no builder, no derivative */
};

/* Inference: in types -> out types. */
struct gan__infer {
    gan_graph *g; /* for messages only */
    const struct gan__op *op;
    const struct gan__type *in;
    int n_in;
    const void *attr;
    struct gan__type *out; /* to fill: op->n_out entries, zeroed before */
};

/* Fails inference: records "OP (in SCOPE): message" with GAN_E_SHAPE or the given code; returns
 * false. */
bool gan__infer_fail(const struct gan__infer *c, gan_status code, const char *fmt, ...)
    GAN_PRINTF(3, 4);

/* Common inferences. */
bool gan__infer_same(
    struct gan__infer *c); /* out = type of in[0]; all inputs equal in type; real dtype required */
bool gan__infer_compare(struct gan__infer *c); /* all inputs equal, out bool */

/* Derivative rule: fill dx[i] for inputs with need[i]; leave GAN_NONE for a zero derivative.
 * dys[j] is GAN_NONE when output j has no cotangent. Rules add only ops that have rules themselves.
 */
struct gan__vjp {
    gan_graph *g;
    const struct gan__node *node;
    const void *attr;
    const gan_val *x;   /* inputs */
    const gan_val *ys;  /* outputs */
    const gan_val *dys; /* cotangents */
    gan_val y, dy;      /* ys[0], dys[0] */
    const bool *need;
};

/* Test case of an op (shapes of the inputs joined by blanks: "[2,3] [3,4]"). */
struct gan__case {
    const char *shapes; /* NULL ends the list */
    double low, high;   /* range of uniform random inputs */
    double tolerance;   /* relative-absolute, of the kernel comparison in f32 */
    int order;          /* derivatives checked up to this order */
    const void *attr;   /* attributes for this case */
    const char *dtypes; /* input dtypes joined by blanks ("f64 i32"); NULL: all real */
    double away;        /* keep inputs (and differences of pairs) this far from 0 and ties: kinks */
    double integer_high; /* integer inputs are uniform in 0..integer_high-1 */
};

struct gan__op {
    const char *name;
    const char *doc; /* one line for `gan list ops` */
    int n_in;        /* -1: any number, at least 1 */
    int n_out;
    uint32_t flags;
    size_t attr_size;
    bool (*infer)(struct gan__infer *c);
    void (*vjp)(const struct gan__vjp *c, gan_val *dx);
    /* Meaning in primitive ops (compound ops): fills y[0..n_out-1]. */
    void (*expand)(gan_graph *g, const void *attr, const gan_val *x, gan_val *y);
    /* Reference kernel: any dtype, computes in f64, converts at the edges. NULL with expand or for
     * sources and state ops, which the executor knows. */
    void (*ref)(const struct gan__call *c);
    double (*flops)(const struct gan__type *in, const struct gan__type *out, const void *attr);
    const struct gan__case *cases;
};

#define GAN_OP(NAME) const struct gan__op gan__op_##NAME

extern const struct gan__op *const gan__ops[]; /* sorted by name, NULL at the end; generated */

/* Finds an op by name, NULL when absent. */
const struct gan__op *gan__op_find(const char *name);

/* Ops that the engine itself must know. */
extern const struct gan__op gan__op_feed, gan__op_scalar_feed, gan__op_fill, gan__op_state_get,
    gan__op_state_set, gan__op_broadcast, gan__op_reshape, gan__op_sum, gan__op_stop;

#endif
