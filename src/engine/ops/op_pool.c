/* op_pool.c: average and maximum pooling over H and W of [N,H,W,C].
 *
 * avg_pool is linear; its adjoint is avg_pool_grad, and each is the other's derivative.
 * max_pool selects: with k(x) the position of each window's maximum (the first of ties),
 *
 *   max_pool(x) = x[k(x)],  max_pool_grad(x, dy) = scatter of dy to k(x),
 *   max_pool_pick(x, v) = v[k(x)]
 *
 * k is constant almost everywhere, so the last two are linear in their second input, zero in x,
 * and each other's derivative. Padding never wins a maximum; an average counts its zeros. */
#include "base/number.h"
#include "engine/graph/attr.h"
#include "engine/graph/op.h"
#include "engine/kernels/load.h"

extern GAN_OP(avg_pool);
extern GAN_OP(avg_pool_grad);
extern GAN_OP(max_pool);
extern GAN_OP(max_pool_grad);
extern GAN_OP(max_pool_pick);

static struct gan__attr_pool attr_of(struct gan_pool p)
{
    p.stride_h = p.stride_h == 0 ? p.kernel_h : p.stride_h;
    p.stride_w = p.stride_w == 0 ? p.kernel_w : p.stride_w;
    return (struct gan__attr_pool){.p = p};
}

gan_val gan_avg_pool(gan_graph *g, gan_val x, struct gan_pool p)
{
    const struct gan__attr_pool a = attr_of(p);
    return gan__add_node(g, &gan__op_avg_pool, &x, 1, &a);
}

gan_val gan_max_pool(gan_graph *g, gan_val x, struct gan_pool p)
{
    const struct gan__attr_pool a = attr_of(p);
    return gan__add_node(g, &gan__op_max_pool, &x, 1, &a);
}

/* --- inference ---------------------------------------------------------------------------- */

/* Type of the pooled tensor for x [N,h,w,C]. Padding smaller than the window keeps every window
 * in touch with at least one element. */
static bool pooled(struct gan__infer *c, const gan_shape *x, int64_t h, int64_t w,
                   struct gan__type *out)
{
    const struct gan__attr_pool *a = c->attr;
    const struct gan_pool *p = &a->p;
    char s[96];
    gan_shape_text(x, s, sizeof s);
    if (!gan_dtype_is_real(c->in[0].dtype)) {
        return gan__infer_fail(c, GAN_E_DTYPE, "needs a real type, not %s",
                               gan_dtype_name(c->in[0].dtype));
    }
    if (x->rank != 4) {
        return gan__infer_fail(c, GAN_E_SHAPE, "needs [N,H,W,C], not %s", s);
    }
    if (p->kernel_h < 1 || p->kernel_w < 1 || p->stride_h < 1 || p->stride_w < 1) {
        return gan__infer_fail(c, GAN_E_RANGE, "window %lldx%lld and stride %lldx%lld must be >= 1",
                               (long long)p->kernel_h, (long long)p->kernel_w,
                               (long long)p->stride_h, (long long)p->stride_w);
    }
    const int64_t kernel[4] = {p->kernel_h, p->kernel_h, p->kernel_w, p->kernel_w};
    const int64_t pad[4] = {p->pad_top, p->pad_bottom, p->pad_left, p->pad_right};
    for (int i = 0; i < 4; i++) {
        if (pad[i] < 0 || pad[i] >= kernel[i]) {
            return gan__infer_fail(c, GAN_E_RANGE, "padding %lld must be 0 .. window %lld - 1",
                                   (long long)pad[i], (long long)kernel[i]);
        }
    }
    const int64_t room_h = h + pad[0] + pad[1] - p->kernel_h;
    const int64_t room_w = w + pad[2] + pad[3] - p->kernel_w;
    if (h < 1 || w < 1 || room_h < 0 || room_w < 0) {
        return gan__infer_fail(c, GAN_E_SHAPE,
                               "a window of %lldx%lld does not fit %lldx%lld with padding (input "
                               "%s)",
                               (long long)p->kernel_h, (long long)p->kernel_w, (long long)h,
                               (long long)w, s);
    }
    out->dtype = c->in[0].dtype;
    out->shape =
        GAN_SHAPE(x->dim[0], room_h / p->stride_h + 1, room_w / p->stride_w + 1, x->dim[3]);
    return true;
}

static bool infer_pool(struct gan__infer *c)
{
    const gan_shape *x = &c->in[0].shape;
    return pooled(c, x, x->dim[1], x->dim[2], &c->out[0]);
}

/* The second input (or the only one) must have the given shape. */
static bool same_shape(struct gan__infer *c, const struct gan__type *has,
                       const struct gan__type *wants)
{
    if (has->dtype == wants->dtype && gan_shape_equal(&has->shape, &wants->shape)) {
        return true;
    }
    char s[96], t[96], x[96];
    return gan__infer_fail(c, GAN_E_SHAPE, "got %s %s for a first input of %s, needs %s %s",
                           gan_dtype_name(has->dtype), gan_shape_text(&has->shape, s, sizeof s),
                           gan_shape_text(&c->in[0].shape, x, sizeof x),
                           gan_dtype_name(wants->dtype),
                           gan_shape_text(&wants->shape, t, sizeof t));
}

static bool infer_avg_grad(struct gan__infer *c)
{
    const struct gan__attr_pool *a = c->attr;
    struct gan__type y;
    if (!pooled(c, &c->in[0].shape, a->size_h, a->size_w, &y) || !same_shape(c, &c->in[0], &y)) {
        return false;
    }
    c->out[0] = y;
    c->out[0].shape.dim[1] = a->size_h;
    c->out[0].shape.dim[2] = a->size_w;
    return true;
}

static bool infer_max_grad(struct gan__infer *c)
{
    const gan_shape *x = &c->in[0].shape;
    struct gan__type y;
    if (!pooled(c, x, x->dim[1], x->dim[2], &y) || !same_shape(c, &c->in[1], &y)) {
        return false;
    }
    c->out[0] = c->in[0];
    return true;
}

static bool infer_max_pick(struct gan__infer *c)
{
    return infer_pool(c) && same_shape(c, &c->in[1], &c->in[0]);
}

/* --- derivatives -------------------------------------------------------------------------- */

static void avg_pool_vjp(const struct gan__vjp *c, gan_val *dx)
{
    struct gan__attr_pool a = *(const struct gan__attr_pool *)c->attr;
    a.size_h = gan_dim(c->g, c->x[0], 1);
    a.size_w = gan_dim(c->g, c->x[0], 2);
    dx[0] = gan__add_node(c->g, &gan__op_avg_pool_grad, &c->dy, 1, &a);
}

static void avg_grad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_pool *a = c->attr;
    dx[0] = gan_avg_pool(c->g, c->dy, a->p);
}

static void max_pool_vjp(const struct gan__vjp *c, gan_val *dx)
{
    dx[0] =
        gan__add_node(c->g, &gan__op_max_pool_grad, (const gan_val[]){c->x[0], c->dy}, 2, c->attr);
}

static void max_grad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    if (c->need[1]) {
        dx[1] = gan__add_node(c->g, &gan__op_max_pool_pick, (const gan_val[]){c->x[0], c->dy}, 2,
                              c->attr);
    }
}

static void max_pick_vjp(const struct gan__vjp *c, gan_val *dx)
{
    if (c->need[1]) {
        dx[1] = gan__add_node(c->g, &gan__op_max_pool_grad, (const gan_val[]){c->x[0], c->dy}, 2,
                              c->attr);
    }
}

/* --- reference kernels -------------------------------------------------------------------- */

/* The part of window (p,q) inside the image: rows h0..h1-1, columns w0..w1-1. */
struct window {
    int64_t h0, h1, w0, w1;
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct window window_at(const struct gan_pool *p, int64_t h, int64_t w, int64_t oh,
                               int64_t ow)
{
    const int64_t top = oh * p->stride_h - p->pad_top, left = ow * p->stride_w - p->pad_left;
    return (struct window){larger(top, 0), gan__smaller(top + p->kernel_h, h), larger(left, 0),
                           gan__smaller(left + p->kernel_w, w)};
}

/* First and last+1 output position whose window covers input position i. */
static void covering(int64_t i, int64_t pad, int64_t kernel, int64_t stride, int64_t extent,
                     int64_t range[2])
{
    const int64_t first = i + pad - kernel + 1;
    range[0] = first <= 0 ? 0 : (first + stride - 1) / stride;
    range[1] = gan__smaller((i + pad) / stride + 1, extent);
}

static int64_t at(const gan_shape *s, int64_t n, int64_t h, int64_t w, int64_t c)
{
    return ((n * s->dim[1] + h) * s->dim[2] + w) * s->dim[3] + c;
}

/* Position of the window's maximum; a NaN counts as the largest. */
static int64_t argmax(const gan_tensor *x, const struct window *v, int64_t n, int64_t c)
{
    int64_t best = at(&x->shape, n, v->h0, v->w0, c);
    double top = gan__load(x->dtype, x->data, best);
    for (int64_t h = v->h0; h < v->h1; h++) {
        for (int64_t w = v->w0; w < v->w1; w++) {
            const int64_t i = at(&x->shape, n, h, w, c);
            const double e = gan__load(x->dtype, x->data, i);
            if (e > top || (e != e && top == top)) {
                top = e;
                best = i;
            }
        }
    }
    return best;
}

static void ref_avg_pool(const struct gan__call *c)
{
    const struct gan__attr_pool *a = c->attr;
    const gan_tensor *x = &c->in[0], *y = &c->out[0];
    const gan_shape *s = &y->shape;
    const double scale = 1.0 / (double)(a->p.kernel_h * a->p.kernel_w);
    const int64_t rows = s->dim[0] * s->dim[1];
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t e = 0; e < rows * s->dim[2]; e++) {
        const int64_t n = e / s->dim[2] / s->dim[1];
        const struct window v = window_at(&a->p, x->shape.dim[1], x->shape.dim[2],
                                          e / s->dim[2] % s->dim[1], e % s->dim[2]);
        for (int64_t k = 0; k < s->dim[3]; k++) {
            double sum = 0.0;
            for (int64_t h = v.h0; h < v.h1; h++) {
                for (int64_t w = v.w0; w < v.w1; w++) {
                    sum += gan__load(x->dtype, x->data, at(&x->shape, n, h, w, k));
                }
            }
            gan__store(y->dtype, y->data, e * s->dim[3] + k, sum * scale);
        }
    }
}

static void ref_avg_grad(const struct gan__call *c)
{
    const struct gan__attr_pool *a = c->attr;
    const gan_tensor *dy = &c->in[0], *dx = &c->out[0];
    const gan_shape *s = &dx->shape;
    const double scale = 1.0 / (double)(a->p.kernel_h * a->p.kernel_w);
    const int64_t rows = s->dim[0] * s->dim[1];
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t e = 0; e < rows * s->dim[2]; e++) {
        const int64_t n = e / s->dim[2] / s->dim[1];
        int64_t p[2], q[2];
        covering(e / s->dim[2] % s->dim[1], a->p.pad_top, a->p.kernel_h, a->p.stride_h,
                 dy->shape.dim[1], p);
        covering(e % s->dim[2], a->p.pad_left, a->p.kernel_w, a->p.stride_w, dy->shape.dim[2], q);
        for (int64_t k = 0; k < s->dim[3]; k++) {
            double sum = 0.0;
            for (int64_t oh = p[0]; oh < p[1]; oh++) {
                for (int64_t ow = q[0]; ow < q[1]; ow++) {
                    sum += gan__load(dy->dtype, dy->data, at(&dy->shape, n, oh, ow, k));
                }
            }
            gan__store(dx->dtype, dx->data, e * s->dim[3] + k, sum * scale);
        }
    }
}

/* y[e] = v at the maximum of x's window e. */
static void pick(const struct gan__call *c, const gan_tensor *v)
{
    const struct gan__attr_pool *a = c->attr;
    const gan_tensor *x = &c->in[0], *y = &c->out[0];
    const gan_shape *s = &y->shape;
    const int64_t places = s->dim[0] * s->dim[1] * s->dim[2];
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t e = 0; e < places; e++) {
        const int64_t n = e / s->dim[2] / s->dim[1];
        const struct window w = window_at(&a->p, x->shape.dim[1], x->shape.dim[2],
                                          e / s->dim[2] % s->dim[1], e % s->dim[2]);
        for (int64_t k = 0; k < s->dim[3]; k++) {
            gan__store(y->dtype, y->data, e * s->dim[3] + k,
                       gan__load(v->dtype, v->data, argmax(x, &w, n, k)));
        }
    }
}

static void ref_max_pool(const struct gan__call *c)
{
    pick(c, &c->in[0]);
}

static void ref_max_pick(const struct gan__call *c)
{
    pick(c, &c->in[1]);
}

/* dx[i] = sum of dy over the windows whose maximum is i. */
static void ref_max_grad(const struct gan__call *c)
{
    const struct gan__attr_pool *a = c->attr;
    const gan_tensor *x = &c->in[0], *dy = &c->in[1], *dx = &c->out[0];
    const gan_shape *s = &dx->shape, *t = &dy->shape;
    const int64_t count = gan_shape_count(s);
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t e = 0; e < count; e++) {
        const int64_t k = e % s->dim[3], place = e / s->dim[3];
        const int64_t n = place / s->dim[2] / s->dim[1];
        int64_t p[2], q[2];
        covering(place / s->dim[2] % s->dim[1], a->p.pad_top, a->p.kernel_h, a->p.stride_h,
                 t->dim[1], p);
        covering(place % s->dim[2], a->p.pad_left, a->p.kernel_w, a->p.stride_w, t->dim[2], q);
        double sum = 0.0;
        for (int64_t oh = p[0]; oh < p[1]; oh++) {
            for (int64_t ow = q[0]; ow < q[1]; ow++) {
                const struct window w = window_at(&a->p, s->dim[1], s->dim[2], oh, ow);
                if (argmax(x, &w, n, k) == e) {
                    sum += gan__load(dy->dtype, dy->data, at(t, n, oh, ow, k));
                }
            }
        }
        gan__store(dx->dtype, dx->data, e, sum);
    }
}

/* --- entries ------------------------------------------------------------------------------ */

/* window, stride, padding (top, bottom, left, right), size_h, size_w of the input */
static const struct gan__attr_pool halves = {{2, 2, 2, 2, 0, 0, 0, 0}, 4, 5},
                                   overlap = {{3, 2, 2, 1, 1, 2, 0, 1}, 4, 3},
                                   whole = {{1, 1, 1, 1, 0, 0, 0, 0}, 1, 1},
                                   global = {{3, 4, 3, 4, 0, 0, 0, 0}, 3, 4};

#define CASE(SHAPES, ORDER, ATTR)                                                                  \
    {                                                                                              \
        SHAPES, -2.0, 2.0, 1e-6, ORDER, &(ATTR), NULL, 1e-3, 0.0                                   \
    }

static const struct gan__case pool_cases[] = {
    CASE("[2,4,5,3]", 2, halves), /* the fifth column is left over */
    CASE("[2,4,3,2]", 2, overlap), CASE("[2,1,1,3]", 2, whole), CASE("[2,3,4,2]", 2, global), {0},
};

static const struct gan__case avg_grad_cases[] = {
    CASE("[2,2,2,3]", 2, halves),
    CASE("[2,3,3,2]", 2, overlap),
    CASE("[2,1,1,3]", 2, whole),
    CASE("[2,1,1,2]", 2, global),
    {0},
};

static const struct gan__case max_grad_cases[] = {
    CASE("[2,4,5,3] [2,2,2,3]", 2, halves),
    CASE("[2,4,3,2] [2,3,3,2]", 2, overlap),
    CASE("[2,1,1,3] [2,1,1,3]", 2, whole),
    CASE("[2,3,4,2] [2,1,1,2]", 2, global),
    {0},
};

static const struct gan__case max_pick_cases[] = {
    CASE("[2,4,5,3] [2,4,5,3]", 2, halves),
    CASE("[2,4,3,2] [2,4,3,2]", 2, overlap),
    CASE("[2,1,1,3] [2,1,1,3]", 2, whole),
    CASE("[2,3,4,2] [2,3,4,2]", 2, global),
    {0},
};

GAN_OP(avg_pool) = {
    .name = "avg_pool",
    .doc = "mean of each window, padding counted as zeros",
    .n_in = 1,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_pool),
    .infer = infer_pool,
    .vjp = avg_pool_vjp,
    .ref = ref_avg_pool,
    .cases = pool_cases,
};

GAN_OP(avg_pool_grad) = {
    .name = "avg_pool_grad",
    .doc = "adjoint of avg_pool",
    .n_in = 1,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_pool),
    .infer = infer_avg_grad,
    .vjp = avg_grad_vjp,
    .ref = ref_avg_grad,
    .cases = avg_grad_cases,
};

GAN_OP(max_pool) = {
    .name = "max_pool",
    .doc = "largest of each window",
    .n_in = 1,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_pool),
    .infer = infer_pool,
    .vjp = max_pool_vjp,
    .ref = ref_max_pool,
    .cases = pool_cases,
};

GAN_OP(max_pool_grad) = {
    .name = "max_pool_grad",
    .doc = "second input scattered to the maxima of the first",
    .n_in = 2,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_pool),
    .infer = infer_max_grad,
    .vjp = max_grad_vjp,
    .ref = ref_max_grad,
    .cases = max_grad_cases,
};

GAN_OP(max_pool_pick) = {
    .name = "max_pool_pick",
    .doc = "second input at the maxima of the first",
    .n_in = 2,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_pool),
    .infer = infer_max_pick,
    .vjp = max_pick_vjp,
    .ref = ref_max_pick,
    .cases = max_pick_cases,
};
