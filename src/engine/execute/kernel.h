/* kernel.h: what a backend registers for an op. Kernels of one backend and op are tried in the
 * order of their rank; `ref` (the op entry's own kernel) comes last. Nothing above knows which one
 * runs. */
#ifndef GAN_ENGINE_EXECUTE_KERNEL_H
#define GAN_ENGINE_EXECUTE_KERNEL_H

#include "base/arena.h"
#include "engine/graph/op.h"

/* A copy of one input in another order or type: the plan makes one for all steps that read the same
 * value and agree on its form, as long as memory allows; the first of them fills it. */
struct gan__copy_wish {
    int input;
    size_t bytes; /* 0: no copy is wanted */
    /* Do the contexts of two kernels with the same function want the same form? */
    bool (*same)(const void *ctx, const void *other);
};

/* What prepare may look at and must fill. */
struct gan__prepare {
    const struct gan__op *op;
    const struct gan__type *in, *out;
    int n_in, n_out;
    const void *attr;
    int threads;
    struct gan__arena *arena;   /* of the plan */
    void *ctx;                  /* result */
    size_t scratch_bytes;       /* result: workspace during the call, 64-byte aligned */
    struct gan__copy_wish copy; /* result */
    size_t constant_bytes; /* result: memory held by ctx outside the arena (packed weights, code) */
};

struct gan__kernel {
    const char *backend; /* "cpu" */
    const char *op;      /* name of the op it serves */
    int rank;            /* smaller is tried first */
    const char *variant; /* shown in dumps behind the backend, NULL for the usual kernel */
    bool approximate;    /* loses digits that the plain kernel keeps: left out when `exact` */
    /* Can it serve these types and attributes? NULL: only f32 (and bool masks) everywhere. */
    bool (*match)(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr);
    /* Once per plan step; NULL: nothing to prepare. */
    gan_status (*prepare)(struct gan__prepare *p, gan_err *err);
    void (*run)(const struct gan__call *c);
    void (*release)(void *ctx); /* what prepare holds outside the arena */
    /* Elementwise ops only: the op on a tile of n f32 elements (bool as 0/1 floats); fusion builds
     * programs of these. num = the op's attributes as doubles (gan__attr_num). run may be NULL
     * then. */
    void (*tile)(const float *const *in, float *out, int64_t n, const double *num);
};

/* A `match` rule: one result with elements, f32 on both sides. Inputs may be empty. */
bool gan__match_f32(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                    const void *attr);

/* ... for kernels that also serve bf16 and no empty inputs: when the first input is bf16, so are the
 * first `half` inputs and, if `half_out`, perhaps the result; the other inputs are f32. */
bool gan__match_mixed(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                      int half, bool half_out);

#define GAN_KERNEL_3(BACKEND, OP, VARIANT)                                                         \
    const struct gan__kernel gan__kernel_##BACKEND##_##OP##_##VARIANT
#define GAN_KERNEL_2(BACKEND, OP) const struct gan__kernel gan__kernel_##BACKEND##_##OP
#define GAN_KERNEL_PICK(_1, _2, _3, NAME, ...) NAME
#define GAN_KERNEL(...) GAN_KERNEL_PICK(__VA_ARGS__, GAN_KERNEL_3, GAN_KERNEL_2, 0)(__VA_ARGS__)

extern const struct gan__kernel *const gan__kernels[]; /* generated, NULL at the end */

/* Best kernel of a backend for these types; NULL when only the reference serves. exact: none that
 * is approximate. */
const struct gan__kernel *gan__kernel_find(const char *backend, const struct gan__op *op,
                                           const struct gan__type *in, int n_in,
                                           const struct gan__type *out, int n_out, const void *attr,
                                           bool exact);

#endif
