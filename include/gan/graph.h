/* graph.h: the computational graph: builders add nodes, gan_grad adds derivative nodes.
 *
 *     gan_graph *g = gan_graph_new(store, GAN_F32);
 *     gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(64, 28, 28, 1));
 *     gan_val w = gan_state_get(g, "w");
 *     gan_val y = gan_tanh(g, gan_matmul(g, gan_flatten(g, x), w, false, true));
 *     gan_val loss = gan_mean_all(g, gan_square(g, y)), dw;
 *     gan_grad(g, loss, &w, 1, &dw);
 *     gan_state_set(g, "w", gan_sub(g, w, gan_scale(g, dw, 0.1)));
 *
 * Errors are sticky: the first one stays on the graph, builders given an invalid value do nothing
 * and return an invalid value, compiling reports it. So building code needs no checks.
 * threads: one thread per graph. owns: nodes, names and attributes belong to the graph. */
#ifndef GAN_GRAPH_H
#define GAN_GRAPH_H

#include <gan/store.h>
#include <gan/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A graph of operations over tensors. */
typedef struct gan_graph gan_graph;

/** One output of one node; {0,0} is the invalid value. */
typedef struct gan_val {
    uint32_t node;
    uint32_t out;
} gan_val;

/** The invalid value, which every builder passes on. */
#define GAN_NONE ((gan_val){0, 0})

/** True unless v is the invalid value. */
static inline bool gan_ok(gan_val v)
{
    return v.node != 0;
}

/** Axis sets are bit masks: GAN_AXIS(1)|GAN_AXIS(2). */
#define GAN_AXIS(i) (1u << (i))
#define GAN_AXES_ALL 0xffffffffu

/**
 * New graph over a store.
 *
 * in:   st    may be NULL for a graph without state; must outlive the graph
 *       real  default real type: GAN_F32 or GAN_F64; builders never name a float type
 * owns: the caller; gan_graph_free. NULL when memory is short.
 */
GAN_API gan_graph *gan_graph_new(gan_store *st, gan_dtype real);

/** Frees the graph; NULL is fine. Plans made from it live on. */
GAN_API void gan_graph_free(gan_graph *g);

/** The sticky status; fills err with the first failure if any. errors: those of the builders. */
GAN_API gan_status gan_graph_status(const gan_graph *g, gan_err *err);

/** Default real type of the graph. */
GAN_API gan_dtype gan_graph_real(const gan_graph *g);

/** Records a failure of a caller's own (a size a model cannot take); later ones are ignored.
 * Returns GAN_NONE. */
GAN_API gan_val gan_graph_fail(gan_graph *g, gan_status code, const char *fmt, ...)
    GAN_PRINTF(3, 4);

/** Type of a value. An invalid value has a rank of -1 / GAN_F32. */
GAN_API gan_shape gan_shape_get(const gan_graph *g, gan_val v);
GAN_API gan_dtype gan_dtype_get(const gan_graph *g, gan_val v);

/** Extent of one axis, negative axes count from the end; 0 for an invalid value or axis. */
GAN_API int64_t gan_dim(const gan_graph *g, gan_val v, int axis);

/** Opens a name scope: nodes built inside are named "outer/name". Close with gan_scope_pop. */
GAN_API void gan_scope_push(gan_graph *g, const char *name);
/** Closes the innermost scope. */
GAN_API void gan_scope_pop(gan_graph *g);

/* --- inputs ------------------------------------------------------------------------------- */

/** A tensor the caller supplies at each run. Names are unique; the same name and type again gives
 * the same value. */
GAN_API gan_val gan_feed(gan_graph *g, const char *name, gan_dtype dtype, gan_shape shape);
/** A scalar [] in the real type, computed by the host in f64 at each run (learning rates, bias
 * corrections). */
GAN_API gan_val gan_scalar_feed(gan_graph *g, const char *name);
/** A tensor filled with one number, in the real type. */
GAN_API gan_val gan_fill(gan_graph *g, double value, gan_shape shape);
/** A scalar [] constant in the real type. */
GAN_API gan_val gan_const(gan_graph *g, double value);
/** 0 or 1 in the type and shape of v. */
GAN_API gan_val gan_zeros_like(gan_graph *g, gan_val v);
GAN_API gan_val gan_ones_like(gan_graph *g, gan_val v);
/** 0,1,..,n-1 as i32 [n]. */
GAN_API gan_val gan_iota(gan_graph *g, int64_t n);
/**
 * Random numbers in the real type, from the stream (seed, iteration, run, scope/name, n-th use);
 * axis 0 counts samples, elements of a sample are numbered in C,H,W order.
 *
 * out:  normal: N(0,1); uniform: the open interval (0,1)
 * grad: none
 */
GAN_API gan_val gan_random_normal(gan_graph *g, const char *name, gan_shape shape);
GAN_API gan_val gan_random_uniform(gan_graph *g, const char *name, gan_shape shape);

/* --- state -------------------------------------------------------------------------------- */

/** The newest version built so far of a store entry, cast to the real type if it is real. errors:
 * GAN_E_NOTFOUND. */
GAN_API gan_val gan_state_get(gan_graph *g, const char *name);
/** Makes v the next version; the last one built is what the store keeps after a run. Derivatives
 * stop here. */
GAN_API void gan_state_set(gan_graph *g, const char *name, gan_val v);

/* --- elementwise: shapes broadcast as in NumPy; same real type -------------------------------- */

/** a+b, a-b, a*b, a/b, min, max. */
GAN_API gan_val gan_add(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_sub(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_mul(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_div(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_min(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_max(gan_graph *g, gan_val a, gan_val b);
/** Comparisons: bool. */
GAN_API gan_val gan_greater(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_greater_equal(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_less(gan_graph *g, gan_val a, gan_val b);
GAN_API gan_val gan_equal(gan_graph *g, gan_val a, gan_val b);
/** cond ? a : b; cond is bool. */
GAN_API gan_val gan_select(gan_graph *g, gan_val cond, gan_val a, gan_val b);
/** x+c and x*c for a number c. */
GAN_API gan_val gan_shift(gan_graph *g, gan_val x, double c);
GAN_API gan_val gan_scale(gan_graph *g, gan_val x, double c);
/** Unary functions. */
GAN_API gan_val gan_neg(gan_graph *g, gan_val x);
GAN_API gan_val gan_exp(gan_graph *g, gan_val x);
GAN_API gan_val gan_log(gan_graph *g, gan_val x);
GAN_API gan_val gan_log1p(gan_graph *g, gan_val x);
GAN_API gan_val gan_sqrt(gan_graph *g, gan_val x);
GAN_API gan_val gan_rsqrt(gan_graph *g, gan_val x);
GAN_API gan_val gan_square(gan_graph *g, gan_val x);
GAN_API gan_val gan_abs(gan_graph *g, gan_val x);
GAN_API gan_val gan_sign(gan_graph *g, gan_val x); /* grad: zero */
GAN_API gan_val gan_pow(gan_graph *g, gan_val x, double exponent);
GAN_API gan_val gan_clamp(gan_graph *g, gan_val x, double low,
                          double high);                /* grad 1 inside, 0 outside */
GAN_API gan_val gan_isfinite(gan_graph *g, gan_val x); /* bool; grad: none */
GAN_API gan_val gan_sigmoid(gan_graph *g, gan_val x);
GAN_API gan_val gan_tanh(gan_graph *g, gan_val x);
GAN_API gan_val gan_softplus(gan_graph *g, gan_val x); /* max(x,0) + log1p(exp(-|x|)) */
GAN_API gan_val gan_relu(gan_graph *g, gan_val x);
GAN_API gan_val gan_leaky_relu(gan_graph *g, gan_val x, double slope); /* slope 0 <= s < 1 */
GAN_API gan_val gan_elu(gan_graph *g, gan_val x, double alpha);
GAN_API gan_val gan_erf(gan_graph *g, gan_val x);
/** Conversion; real to integer truncates; grad between real types only. */
GAN_API gan_val gan_cast(gan_graph *g, gan_val x, gan_dtype dtype);
/** The value itself; derivatives stop here. */
GAN_API gan_val gan_stop(gan_graph *g, gan_val x);

/* --- reductions: axes is a mask; keep leaves extents of 1 ----------------------------------------
 */

/** errors: GAN_E_SHAPE for an axis the tensor lacks or a reduction over no elements. */
GAN_API gan_val gan_sum(gan_graph *g, gan_val x, uint32_t axes, bool keep);
GAN_API gan_val gan_mean(gan_graph *g, gan_val x, uint32_t axes, bool keep);
GAN_API gan_val gan_reduce_max(gan_graph *g, gan_val x, uint32_t axes,
                               bool keep); /* subgradient: shared equally by ties */
/** Over everything, to a scalar []. */
GAN_API gan_val gan_sum_all(gan_graph *g, gan_val x);
GAN_API gan_val gan_mean_all(gan_graph *g, gan_val x);
/** Index of the largest along one axis, i32, axis dropped; the first of ties; grad: none. */
GAN_API gan_val gan_argmax(gan_graph *g, gan_val x, int axis);

/* --- shape ------------------------------------------------------------------------------------ */

/** Repeats axes of extent 1 (new axes in front) up to `shape`. */
GAN_API gan_val gan_broadcast(gan_graph *g, gan_val x, gan_shape shape);
/** The adjoint of gan_broadcast: sums down to `shape`. */
GAN_API gan_val gan_reduce_to(gan_graph *g, gan_val x, gan_shape shape);
/** Same elements, row-major; one extent may be -1. */
GAN_API gan_val gan_reshape(gan_graph *g, gan_val x, gan_shape shape);
/** Axis i of the result is axis perm[i] of x. */
GAN_API gan_val gan_transpose(gan_graph *g, gan_val x, const int *perm);
/** [N,H,W,C] -> [N,C*H*W] in C,H,W order (as PyTorch's weights expect); rank 2 passes through. */
GAN_API gan_val gan_flatten(gan_graph *g, gan_val x);
/** [N,C*H*W] in C,H,W order -> [N,H,W,C]. */
GAN_API gan_val gan_unflatten(gan_graph *g, gan_val x, int64_t h, int64_t w, int64_t c);
/** Elements begin[i] .. begin[i]+size[i]-1 of each axis, steps of 1. */
GAN_API gan_val gan_slice(gan_graph *g, gan_val x, const int64_t *begin, const int64_t *size);
/** gan_slice along one axis, all of the others. */
GAN_API gan_val gan_slice_axis(gan_graph *g, gan_val x, int axis, int64_t begin, int64_t size);
/** How gan_pad fills. */
typedef enum gan_pad_mode { GAN_PAD_ZERO, GAN_PAD_REFLECT, GAN_PAD_EDGE } gan_pad_mode;
/** Adds before[i] and after[i] elements to each axis; reflect needs extents larger than the
 * padding. */
GAN_API gan_val gan_pad(gan_graph *g, gan_val x, const int64_t *before, const int64_t *after,
                        gan_pad_mode mode);
/** Joins along one axis. */
GAN_API gan_val gan_concat(gan_graph *g, const gan_val *x, int n, int axis);
/** Rows of x (axis 0) at idx (i32 [M]) -> [M,...]; out-of-range indices are clamped. */
GAN_API gan_val gan_gather(gan_graph *g, gan_val x, gan_val idx);
/** [rows,...] of zeros with src's rows added at idx; the adjoint of gan_gather. Fixed order of
 * addition. */
GAN_API gan_val gan_scatter_add(gan_graph *g, gan_val idx, gan_val src, int64_t rows);
/** x with rows idx replaced by src's rows (the last of equal indices wins). */
GAN_API gan_val gan_scatter_set(gan_graph *g, gan_val x, gan_val idx, gan_val src);
/** i32 [N] -> real [N,classes]; an index out of range gives a row of zeros. */
GAN_API gan_val gan_one_hot(gan_graph *g, gan_val idx, int64_t classes);

/* --- heavy ops ----------------------------------------------------------------------------------
 */

/** Product of the last two axes, leading axes equal; ta, tb use the transpose of a, b. */
GAN_API gan_val gan_matmul(gan_graph *g, gan_val a, gan_val b, bool ta, bool tb);

/** Geometry of a convolution. Zero-initialise; a stride, dilation or group count of 0 means 1. */
struct gan_conv {
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_bottom, pad_left, pad_right;
    int64_t dilation_h, dilation_w;
    int64_t groups;
};
/** x [N,H,W,I], w [O,I/groups,kh,kw] -> [N,H',W',O], H' = (H + pads - dilation*(kh-1) - 1)/stride
 * + 1. grad: any order. */
GAN_API gan_val gan_conv2d(gan_graph *g, gan_val x, gan_val w, struct gan_conv c);
/** The adjoint in x: dy [N,H',W',O], w [O,I/groups,kh,kw] -> [N,height,width,I]. It is transposed
 * convolution. */
GAN_API gan_val gan_conv2d_input_grad(gan_graph *g, gan_val dy, gan_val w, struct gan_conv c,
                                      int64_t height, int64_t width);
/** The adjoint in w: x [N,H,W,I], dy [N,H',W',O] -> [O,I/groups,kh,kw]. */
GAN_API gan_val gan_conv2d_weight_grad(gan_graph *g, gan_val x, gan_val dy, struct gan_conv c,
                                       int64_t kh, int64_t kw);

/** Window of a pooling over H and W of [N,H,W,C]; stride 0 means the window's extent. Average
 * counts padding zeros. */
struct gan_pool {
    int64_t kernel_h, kernel_w;
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_bottom, pad_left, pad_right;
};
GAN_API gan_val gan_avg_pool(gan_graph *g, gan_val x, struct gan_pool p);
GAN_API gan_val gan_max_pool(gan_graph *g, gan_val x,
                             struct gan_pool p); /* the first of ties takes the gradient */

/** Kinds of resize: nearest (floor(i*in/out)) and bilinear (half-pixel centres, edges clamped, no
 * antialias). */
typedef enum gan_resize_mode { GAN_RESIZE_NEAREST, GAN_RESIZE_BILINEAR } gan_resize_mode;
/** [N,H,W,C] -> [N,height,width,C]. */
GAN_API gan_val gan_resize(gan_graph *g, gan_val x, int64_t height, int64_t width,
                           gan_resize_mode mode);
/** The adjoint of gan_resize: [N,H,W,C] -> [N,height,width,C] where x was height x width. */
GAN_API gan_val gan_resize_grad(gan_graph *g, gan_val dy, int64_t height, int64_t width,
                                gan_resize_mode mode);

/* --- compound ops
 * ---------------------------------------------------------------------------------- */

/** Result of gan_normalize: x_hat like x; mean and biased variance with reduced axes of extent 1.
 */
struct gan_normalized {
    gan_val x_hat, mean, var;
};
/** x_hat = (x - mean)/sqrt(var + eps) over `axes`. grad: any order. */
GAN_API struct gan_normalized gan_normalize(gan_graph *g, gan_val x, uint32_t axes, double eps);
/** Over the last axis. */
GAN_API gan_val gan_softmax(gan_graph *g, gan_val x);
GAN_API gan_val gan_log_softmax(gan_graph *g, gan_val x);
GAN_API gan_val gan_logsumexp(gan_graph *g, gan_val x); /* axis dropped */

/* --- derivatives
 * ------------------------------------------------------------------------------------ */

/** True when y depends on x through differentiable ops. */
GAN_API bool gan_depends(const gan_graph *g, gan_val y, gan_val x);

/**
 * Derivatives of a scalar: adds nodes for d loss / d wrt[i]. They are ordinary nodes: take their
 * derivative again for second order. Zeros where loss does not depend on wrt[i].
 *
 * in:     loss  real [] or one element
 * errors: GAN_E_SHAPE (loss is not one element); sticky
 * grad:   any order
 */
GAN_API void gan_grad(gan_graph *g, gan_val loss, const gan_val *wrt, int n, gan_val *out);

/** Vector-Jacobian product: out[i] = sum_j dy[j] . d y[j] / d wrt[i]; dy[j] like y[j]. */
GAN_API void gan_vjp(gan_graph *g, const gan_val *y, const gan_val *dy, int n_y, const gan_val *wrt,
                     int n, gan_val *out);

/* --- looking at a graph ----------------------------------------------------------------------- */

/** Number of nodes. */
GAN_API int64_t gan_graph_nodes(const gan_graph *g);

/** Forms of gan_graph_dump. */
typedef enum gan_dump_form { GAN_DUMP_TEXT, GAN_DUMP_DOT, GAN_DUMP_JSON } gan_dump_form;
/** The graph as text; owns: the caller, gan_text_free. NULL when memory is short. */
GAN_API char *gan_graph_dump(const gan_graph *g, gan_dump_form form);
/** Frees text libgan made. */
GAN_API void gan_text_free(char *text);

/** Name and one line about operation i of the sorted table, NULL past the end. Operations that only
 * compilation makes are left out. */
GAN_API const char *gan_op_name(int i);
GAN_API const char *gan_op_doc(int i);

#ifdef __cplusplus
}
#endif
#endif
