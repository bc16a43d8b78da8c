/* dnnl_compat.h: the part of oneDNN that libgan uses, the same for versions 2.x and 3.x.
 *
 * Version 2 has descriptors by value and an operation descriptor before the primitive's; version 3
 * has opaque handles and no operation descriptors. Here memory descriptors are pointers in both. A
 * "step" is a primitive with its memory objects, bound to addresses anew at each run. */
#ifndef GAN_ENGINE_EXECUTE_DNNL_COMPAT_H
#define GAN_ENGINE_EXECUTE_DNNL_COMPAT_H

#include "engine/compile/fused.h"
#include <gan/status.h>
#include <gan/tensor.h>

#include <dnnl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if DNNL_VERSION_MAJOR >= 3
typedef struct dnnl_memory_desc gan__md;
#else
typedef dnnl_memory_desc_t gan__md;
#endif

enum { GAN_DNNL_MAX_ARGS = 6 };

/* Memory descriptor of the given extents, of f32 unless said; strides in elements, NULL lets the
 * primitive choose. NULL when refused or memory is short. */
gan__md *gan__md_new(int rank, const int64_t *dims, const int64_t *strides);
/* ... of another type than f32. */
gan__md *gan__md_new_as(dnnl_data_type_t type, int rank, const int64_t *dims,
                        const int64_t *strides);
void gan__md_free(gan__md *md); /* NULL is fine */

/* How a descriptor lays elements out: blocks of extents, the innermost last. */
struct gan__md_layout {
    int rank;
    const dnnl_dim_t *dims, *padded, *strides, *blocks, *axes; /* blocks: sizes and their axes */
    int n_blocks;
    dnnl_data_type_t type;
};

/* False when the order is not one of plain blocks. */
bool gan__md_layout(const gan__md *md, struct gan__md_layout *out);

/* The three directions of a convolution. */
enum gan__dnnl_direction { GAN_DNNL_FORWARD, GAN_DNNL_DATA, GAN_DNNL_WEIGHTS };

/* A convolution as oneDNN sees it: dims in N,C,H,W order whatever the strides. dilate 0 is dense.
 */
struct gan__dnnl_geometry {
    dnnl_dims_t stride, dilate, pad_before, pad_after;
    bool winograd; /* transformed tiles instead of direct sums; versions 3.x refuse it */
};

/* The forward convolution that a gradient of mixed types belongs to, with one type throughout. */
struct gan__dnnl_hint {
    gan__md *src, *wei, *dst;
};

/* Primitive descriptors. hint: NULL when the types are the same. bias may be NULL (forward only). Returns NULL when the library refuses. */
dnnl_primitive_desc_t gan__dnnl_conv_pd(enum gan__dnnl_direction direction, const gan__md *src,
                                        const gan__md *wei, const gan__md *bias, const gan__md *dst,
                                        const struct gan__dnnl_geometry *geo,
                                        const_dnnl_primitive_attr_t attr,
                                        const struct gan__dnnl_hint *hint);
dnnl_primitive_desc_t gan__dnnl_matmul_pd(const gan__md *a, const gan__md *b, const gan__md *bias,
                                          const gan__md *c, const_dnnl_primitive_attr_t attr);
dnnl_primitive_desc_t gan__dnnl_reorder_pd(const gan__md *src, const gan__md *dst);

/* Attributes with the scratch memory supplied by us and the activation of post (NULL for none);
 * add: the result is added to what lies there. */
dnnl_primitive_attr_t gan__dnnl_attr(const struct gan__attr_post *post, bool add);

/* A primitive and its arguments. Zero-initialise. */
struct gan__dnnl_step {
    dnnl_primitive_t prim;
    dnnl_exec_arg_t args[GAN_DNNL_MAX_ARGS];
    int n_args;
};

/* Makes the primitive; the descriptor stays the caller's. */
gan_status gan__dnnl_step_init(struct gan__dnnl_step *s, const_dnnl_primitive_desc_t pd,
                               gan_err *err);
/* Adds an argument (DNNL_ARG_SRC ..); its address is given by gan__dnnl_step_run in this order. */
gan_status gan__dnnl_step_arg(struct gan__dnnl_step *s, int arg, const gan__md *md, gan_err *err);
/* Runs with these addresses, one for each argument. */
void gan__dnnl_step_run(struct gan__dnnl_step *s, void *const *data);
void gan__dnnl_step_release(struct gan__dnnl_step *s);

/* c [m,n] = a [m,k] b [k,n], added to c when `add`; ta, tb: the operand lies transposed. All dense.
 * Arguments of the step: a, b, c, scratch. */
struct gan__dnnl_gemm {
    int64_t m, n, k;
    bool ta, tb, add;
    bool half;     /* a and b are bf16 */
    bool half_out; /* c is bf16 */
};
gan_status gan__dnnl_gemm_init(struct gan__dnnl_step *s, const struct gan__dnnl_gemm *g,
                               size_t *scratch_bytes, gan_err *err);

/* Is the chosen implementation one of machine code and not the library's reference? */
bool gan__dnnl_fast(const_dnnl_primitive_desc_t pd);

/* bf16 or f32 of a tensor. */
dnnl_data_type_t gan__dnnl_type(gan_dtype d);

/* Bytes a descriptor needs, rounded up to 64; 0 for NULL. */
size_t gan__md_bytes(const gan__md *md);

/* A message for a refusal by the library. */
gan_status gan__dnnl_fail(gan_err *err, const char *what);

/* The OpenMP thread count is part of a primitive: set it around creation. Returns the old one. */
int gan__threads_set(int threads);

#endif
