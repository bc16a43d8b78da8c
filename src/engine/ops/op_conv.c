/* op_conv.c: convolution, its data gradient (which is transposed convolution) and its weight
 * gradient. y = x * w is linear in x and in w, so the three maps
 *
 *   conv2d(x, w) -> y,   input_grad(dy, w) -> dx,   weight_grad(x, dy) -> dw
 *
 * are partial adjoints of one trilinear form <y, conv(x, w)>: each one's derivative is the other
 * two, to any order. x [N,H,W,I], w [O,I/groups,kh,kw], y [N,H',W',O]. */
#include "conv.h"

#include "engine/graph/op.h"

extern GAN_OP(conv2d);
extern GAN_OP(conv2d_input_grad);
extern GAN_OP(conv2d_weight_grad);

/* Zeros mean 1; all nodes carry the same spelling, so equal ones merge. */
static struct gan__attr_conv attr_of(struct gan_conv c, int64_t size_h, int64_t size_w)
{
    int64_t *const ones[] = {&c.stride_h, &c.stride_w, &c.dilation_h, &c.dilation_w, &c.groups};
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
        *ones[i] = *ones[i] == 0 ? 1 : *ones[i];
    }
    return (struct gan__attr_conv){.c = c, .size_h = size_h, .size_w = size_w};
}

gan_val gan_conv2d(gan_graph *g, gan_val x, gan_val w, struct gan_conv c)
{
    const struct gan__attr_conv a = attr_of(c, 0, 0);
    return gan__add_node(g, &gan__op_conv2d, (const gan_val[]){x, w}, 2, &a);
}

gan_val gan_conv2d_input_grad(gan_graph *g, gan_val dy, gan_val w, struct gan_conv c,
                              int64_t height, int64_t width)
{
    const struct gan__attr_conv a = attr_of(c, height, width);
    return gan__add_node(g, &gan__op_conv2d_input_grad, (const gan_val[]){dy, w}, 2, &a);
}

gan_val gan_conv2d_weight_grad(gan_graph *g, gan_val x, gan_val dy, struct gan_conv c, int64_t kh,
                               int64_t kw)
{
    const struct gan__attr_conv a = attr_of(c, kh, kw);
    return gan__add_node(g, &gan__op_conv2d_weight_grad, (const gan_val[]){x, dy}, 2, &a);
}

/* --- inference ---------------------------------------------------------------------------- */

/* What every member of the family asks of its inputs and its geometry. */
static bool check_common(struct gan__infer *c, const char *first, const char *second)
{
    const struct gan__attr_conv *a = c->attr;
    const struct gan_conv *v = &a->c;
    if (!gan_dtype_is_real(c->in[0].dtype) || c->in[0].dtype != c->in[1].dtype) {
        return gan__infer_fail(c, GAN_E_DTYPE, "needs two tensors of one real type, not %s and %s",
                               gan_dtype_name(c->in[0].dtype), gan_dtype_name(c->in[1].dtype));
    }
    if (c->in[0].shape.rank != 4 || c->in[1].shape.rank != 4) {
        char s[96], t[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "needs rank 4: %s is %s, %s is %s", first,
                               gan_shape_text(&c->in[0].shape, s, sizeof s), second,
                               gan_shape_text(&c->in[1].shape, t, sizeof t));
    }
    if (v->stride_h < 1 || v->stride_w < 1 || v->dilation_h < 1 || v->dilation_w < 1 ||
        v->groups < 1) {
        return gan__infer_fail(c, GAN_E_RANGE,
                               "stride %lldx%lld, dilation %lldx%lld and groups %lld must be "
                               "at least 1",
                               (long long)v->stride_h, (long long)v->stride_w,
                               (long long)v->dilation_h, (long long)v->dilation_w,
                               (long long)v->groups);
    }
    if (v->pad_top < 0 || v->pad_bottom < 0 || v->pad_left < 0 || v->pad_right < 0) {
        return gan__infer_fail(c, GAN_E_RANGE,
                               "padding %lld,%lld,%lld,%lld (top, bottom, left, right) must not "
                               "be negative",
                               (long long)v->pad_top, (long long)v->pad_bottom,
                               (long long)v->pad_left, (long long)v->pad_right);
    }
    return true;
}

/* Channels against weights [O,I/groups,...]: x has ci channels, y has co. */
static bool check_channels(struct gan__infer *c, int64_t ci, int64_t co)
{
    const struct gan__attr_conv *a = c->attr;
    if (ci % a->c.groups != 0 || co % a->c.groups != 0) {
        return gan__infer_fail(c, GAN_E_SHAPE,
                               "%lld input and %lld output channels do not divide into %lld groups",
                               (long long)ci, (long long)co, (long long)a->c.groups);
    }
    return true;
}

/* Extents of y for an input of h x w and a kernel of kh x kw; fails when the kernel does not fit. */
static bool output_extents(struct gan__infer *c, const int64_t in[2], const int64_t kernel[2],
                           int64_t out[2])
{
    const struct gan__attr_conv *a = c->attr;
    const struct gan_conv *v = &a->c;
    out[0] =
        gan__conv_extent(in[0], kernel[0], v->pad_top, v->pad_bottom, v->stride_h, v->dilation_h);
    out[1] =
        gan__conv_extent(in[1], kernel[1], v->pad_left, v->pad_right, v->stride_w, v->dilation_w);
    if (in[0] < 1 || in[1] < 1 || kernel[0] < 1 || kernel[1] < 1 || out[0] < 1 || out[1] < 1) {
        char s[96], t[96];
        return gan__infer_fail(
            c, GAN_E_SHAPE,
            "%s with %s: a kernel of %lldx%lld, dilation %lldx%lld, does not fit an input of "
            "%lldx%lld with padding %lld,%lld,%lld,%lld",
            gan_shape_text(&c->in[0].shape, s, sizeof s),
            gan_shape_text(&c->in[1].shape, t, sizeof t), (long long)kernel[0],
            (long long)kernel[1], (long long)v->dilation_h, (long long)v->dilation_w,
            (long long)in[0], (long long)in[1], (long long)v->pad_top, (long long)v->pad_bottom,
            (long long)v->pad_left, (long long)v->pad_right);
    }
    return true;
}

/* The gradient dy of a convolution h x w -> oh x ow must have the extents that convolution gives. */
static bool check_gradient(struct gan__infer *c, const gan_shape *dy, const int64_t in[2],
                           const int64_t kernel[2])
{
    int64_t out[2];
    if (!output_extents(c, in, kernel, out)) {
        return false;
    }
    if (dy->dim[1] != out[0] || dy->dim[2] != out[1]) {
        char s[96], t[96];
        return gan__infer_fail(
            c, GAN_E_SHAPE,
            "%s with %s: an input of %lldx%lld and a kernel of %lldx%lld give an output of "
            "%lldx%lld, but the gradient is %lldx%lld",
            gan_shape_text(&c->in[0].shape, s, sizeof s),
            gan_shape_text(&c->in[1].shape, t, sizeof t), (long long)in[0], (long long)in[1],
            (long long)kernel[0], (long long)kernel[1], (long long)out[0], (long long)out[1],
            (long long)dy->dim[1], (long long)dy->dim[2]);
    }
    return true;
}

static bool mismatch(struct gan__infer *c, const char *what, int64_t has, int64_t wants)
{
    char s[96], t[96];
    return gan__infer_fail(c, GAN_E_SHAPE, "%s with %s: %s is %lld, not %lld",
                           gan_shape_text(&c->in[0].shape, s, sizeof s),
                           gan_shape_text(&c->in[1].shape, t, sizeof t), what, (long long)has,
                           (long long)wants);
}

static bool infer_conv2d(struct gan__infer *c)
{
    const struct gan__attr_conv *a = c->attr;
    const gan_shape *x = &c->in[0].shape, *w = &c->in[1].shape;
    if (!check_common(c, "the input", "the weight") || !check_channels(c, x->dim[3], w->dim[0])) {
        return false;
    }
    if (w->dim[1] != x->dim[3] / a->c.groups) {
        return mismatch(c, "the weight's input channels", w->dim[1], x->dim[3] / a->c.groups);
    }
    int64_t out[2];
    if (!output_extents(c, &x->dim[1], &w->dim[2], out)) {
        return false;
    }
    c->out[0].dtype = c->in[0].dtype;
    c->out[0].shape = GAN_SHAPE(x->dim[0], out[0], out[1], w->dim[0]);
    return true;
}

static bool infer_input_grad(struct gan__infer *c)
{
    const struct gan__attr_conv *a = c->attr;
    const gan_shape *dy = &c->in[0].shape, *w = &c->in[1].shape;
    const int64_t in[2] = {a->size_h, a->size_w};
    if (!check_common(c, "the output's gradient", "the weight") ||
        !check_channels(c, w->dim[1] * a->c.groups, w->dim[0])) {
        return false;
    }
    if (dy->dim[3] != w->dim[0]) {
        return mismatch(c, "the number of channels of the gradient", dy->dim[3], w->dim[0]);
    }
    if (!check_gradient(c, dy, in, &w->dim[2])) {
        return false;
    }
    c->out[0].dtype = c->in[0].dtype;
    c->out[0].shape = GAN_SHAPE(dy->dim[0], in[0], in[1], w->dim[1] * a->c.groups);
    return true;
}

static bool infer_weight_grad(struct gan__infer *c)
{
    const struct gan__attr_conv *a = c->attr;
    const gan_shape *x = &c->in[0].shape, *dy = &c->in[1].shape;
    const int64_t kernel[2] = {a->size_h, a->size_w};
    if (!check_common(c, "the input", "the output's gradient") ||
        !check_channels(c, x->dim[3], dy->dim[3])) {
        return false;
    }
    if (x->dim[0] != dy->dim[0]) {
        return mismatch(c, "the gradient's batch", dy->dim[0], x->dim[0]);
    }
    if (!check_gradient(c, dy, &x->dim[1], kernel)) {
        return false;
    }
    c->out[0].dtype = c->in[0].dtype;
    c->out[0].shape = GAN_SHAPE(dy->dim[3], x->dim[3] / a->c.groups, kernel[0], kernel[1]);
    return true;
}

/* --- derivatives: each is the other two --------------------------------------------------- */

static void conv2d_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_conv *a = c->attr;
    const gan_val x = c->x[0], w = c->x[1];
    if (c->need[0]) {
        dx[0] =
            gan_conv2d_input_grad(c->g, c->dy, w, a->c, gan_dim(c->g, x, 1), gan_dim(c->g, x, 2));
    }
    if (c->need[1]) {
        dx[1] =
            gan_conv2d_weight_grad(c->g, x, c->dy, a->c, gan_dim(c->g, w, 2), gan_dim(c->g, w, 3));
    }
}

static void input_grad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_conv *a = c->attr;
    const gan_val dy = c->x[0], w = c->x[1];
    if (c->need[0]) {
        dx[0] = gan_conv2d(c->g, c->dy, w, a->c);
    }
    if (c->need[1]) {
        dx[1] =
            gan_conv2d_weight_grad(c->g, c->dy, dy, a->c, gan_dim(c->g, w, 2), gan_dim(c->g, w, 3));
    }
}

static void weight_grad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_conv *a = c->attr;
    const gan_val x = c->x[0], dy = c->x[1];
    if (c->need[0]) {
        dx[0] =
            gan_conv2d_input_grad(c->g, dy, c->dy, a->c, gan_dim(c->g, x, 1), gan_dim(c->g, x, 2));
    }
    if (c->need[1]) {
        dx[1] = gan_conv2d(c->g, x, c->dy, a->c);
    }
}

/* --- cost: two operations for each product, padding included --------------------------------- */

static double flops_of(const gan_shape *y, const gan_shape *w)
{
    double f = 2.0 * (double)gan_shape_count(y);
    for (int i = 1; i < 4; i++) {
        f *= (double)w->dim[i];
    }
    return f;
}

static double conv2d_flops(const struct gan__type *in, const struct gan__type *out,
                           const void *attr)
{
    (void)attr;
    return flops_of(&out[0].shape, &in[1].shape);
}

static double input_grad_flops(const struct gan__type *in, const struct gan__type *out,
                               const void *attr)
{
    (void)attr;
    (void)out;
    return flops_of(&in[0].shape, &in[1].shape);
}

static double weight_grad_flops(const struct gan__type *in, const struct gan__type *out,
                                const void *attr)
{
    (void)attr;
    return flops_of(&in[1].shape, &out[0].shape);
}

/* --- cases ------------------------------------------------------------------------------------ */

/* stride, padding (top, bottom, left, right), dilation, groups, size_h, size_w */
#define GEOMETRY(SH, SW, PT, PB, PL, PR, DH, DW, G, H, W)                                          \
    {                                                                                              \
        {SH, SW, PT, PB, PL, PR, DH, DW, G}, H, W                                                  \
    }

/* For each geometry: forward (sizes 0), data gradient (H,W of x), weight gradient (kh,kw). */
static const struct gan__attr_conv plain[] = {GEOMETRY(1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0),
                                              GEOMETRY(1, 1, 0, 0, 0, 0, 1, 1, 1, 4, 5),
                                              GEOMETRY(1, 1, 0, 0, 0, 0, 1, 1, 1, 3, 2)},
                                   point[] = {GEOMETRY(1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0),
                                              GEOMETRY(1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1),
                                              GEOMETRY(1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1)},
                                   strided[] = {GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0),
                                                GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 1, 6, 6),
                                                GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 1, 3, 3)},
                                   uneven[] = {GEOMETRY(2, 1, 1, 2, 0, 1, 1, 1, 1, 0, 0),
                                               GEOMETRY(2, 1, 1, 2, 0, 1, 1, 1, 1, 4, 3),
                                               GEOMETRY(2, 1, 1, 2, 0, 1, 1, 1, 1, 3, 2)},
                                   groups[] = {GEOMETRY(1, 1, 1, 1, 1, 1, 1, 1, 2, 0, 0),
                                               GEOMETRY(1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 3),
                                               GEOMETRY(1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 3)},
                                   dilated[] = {GEOMETRY(1, 2, 2, 2, 2, 2, 2, 2, 1, 0, 0),
                                                GEOMETRY(1, 2, 2, 2, 2, 2, 2, 2, 1, 4, 5),
                                                GEOMETRY(1, 2, 2, 2, 2, 2, 2, 2, 1, 3, 3)},
                                   depth[] = {GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 4, 0, 0),
                                              GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 4, 4, 4),
                                              GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 4, 4, 4)},
                                   wide[] = {GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0),
                                             GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 1, 9, 8),
                                             GEOMETRY(2, 2, 1, 1, 1, 1, 1, 1, 1, 4, 4)};

#define CASE(SHAPES, TOLERANCE, ORDER, ATTR)                                                       \
    {                                                                                              \
        SHAPES, -1.0, 1.0, TOLERANCE, ORDER, &(ATTR), NULL, 0.0, 0.0                               \
    }

/* The same convolutions three times. strided: 6x6 leaves a row of stride 2 unused. wide: more
 * channels than one vector holds. Sums of up to 640 products in f32: 1e-5. */
static const struct gan__case conv2d_cases[] = {
    CASE("[2,4,5,3] [2,3,3,2]", 1e-6, 3, plain[0]),
    CASE("[2,1,1,3] [2,3,1,1]", 1e-6, 2, point[0]),
    CASE("[1,6,6,2] [3,2,3,3]", 1e-6, 2, strided[0]),
    CASE("[2,4,3,2] [2,2,3,2]", 1e-6, 2, uneven[0]),
    CASE("[1,3,3,4] [6,2,3,3]", 1e-6, 2, groups[0]),
    CASE("[1,4,5,2] [2,2,3,3]", 1e-6, 2, dilated[0]),
    CASE("[1,4,4,4] [4,1,4,4]", 1e-6, 2, depth[0]),
    CASE("[3,9,8,19] [35,19,4,4]", 1e-5, 0, wide[0]),
    {0},
};

static const struct gan__case input_grad_cases[] = {
    CASE("[2,2,4,2] [2,3,3,2]", 1e-6, 3, plain[1]),
    CASE("[2,1,1,2] [2,3,1,1]", 1e-6, 2, point[1]),
    CASE("[1,3,3,3] [3,2,3,3]", 1e-6, 2, strided[1]),
    CASE("[2,3,3,2] [2,2,3,2]", 1e-6, 2, uneven[1]),
    CASE("[1,3,3,6] [6,2,3,3]", 1e-6, 2, groups[1]),
    CASE("[1,4,3,2] [2,2,3,3]", 1e-6, 2, dilated[1]),
    CASE("[1,2,2,4] [4,1,4,4]", 1e-6, 2, depth[1]),
    CASE("[3,4,4,35] [35,19,4,4]", 1e-5, 0, wide[1]),
    {0},
};

static const struct gan__case weight_grad_cases[] = {
    CASE("[2,4,5,3] [2,2,4,2]", 1e-6, 3, plain[2]),
    CASE("[2,1,1,3] [2,1,1,2]", 1e-6, 2, point[2]),
    CASE("[1,6,6,2] [1,3,3,3]", 1e-6, 2, strided[2]),
    CASE("[2,4,3,2] [2,3,3,2]", 1e-6, 2, uneven[2]),
    CASE("[1,3,3,4] [1,3,3,6]", 1e-6, 2, groups[2]),
    CASE("[1,4,5,2] [1,4,3,2]", 1e-6, 2, dilated[2]),
    CASE("[1,4,4,4] [1,2,2,4]", 1e-6, 2, depth[2]),
    CASE("[3,9,8,19] [3,4,4,35]", 1e-5, 0, wide[2]),
    {0},
};

GAN_OP(conv2d) = {
    .name = "conv2d",
    .doc = "convolution: x [N,H,W,I], w [O,I/groups,kh,kw]",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_conv),
    .infer = infer_conv2d,
    .vjp = conv2d_vjp,
    .ref = gan__ref_conv2d,
    .flops = conv2d_flops,
    .cases = conv2d_cases,
};

GAN_OP(conv2d_input_grad) = {
    .name = "conv2d_input_grad",
    .doc = "adjoint of conv2d in x: transposed convolution",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_conv),
    .infer = infer_input_grad,
    .vjp = input_grad_vjp,
    .ref = gan__ref_conv2d_input_grad,
    .flops = input_grad_flops,
    .cases = input_grad_cases,
};

GAN_OP(conv2d_weight_grad) = {
    .name = "conv2d_weight_grad",
    .doc = "adjoint of conv2d in w",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_conv),
    .infer = infer_weight_grad,
    .vjp = weight_grad_vjp,
    .ref = gan__ref_conv2d_weight_grad,
    .flops = weight_grad_flops,
    .cases = weight_grad_cases,
};
