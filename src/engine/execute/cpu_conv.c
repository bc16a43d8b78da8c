/* cpu_conv.c: the convolution family in plain C, for builds without a library and for what it
 * refuses. Each direction is a matrix product whose operands are packed straight from the images:
 *
 *   forward       [points of y, taps*I] x [taps*I, O]
 *   data gradient for each class of points of x that are equal modulo the stride: only the taps
 *                 that reach the class, so no product with the zeros between strided points
 *   weight        [taps*I, points of y] x [points of y, O], then one transposition
 *
 * Ref: Chellapilla, Puri, Simard 2006, "High performance convolutional neural networks for document
 * processing"; the packing is that of Goto and van de Geijn (gemm.c). */
#include "base/err.h"
#include "engine/compile/fused.h"
#include "engine/graph/attr.h"
#include "engine/kernels/patches.h"
#include "cpu_post.h"
#include "kernel.h"

/* Extents: x [n,h,w,ci], weights [co,ig,kh,kw], y [n,oh,ow,co]; og = co/groups. */
struct extents {
    int64_t n, h, w, ci, co, oh, ow, groups, ig, og, taps;
};

/* Points of x (data gradient) with row % stride_h = row and column % stride_w = column, or all
 * points of y (forward, weight), and the taps that reach them. */
struct class {
    int64_t row, column, rows, columns;
    int64_t taps;
    const int64_t *tap_h, *tap_w; /* shift of the element that the tap reads */
    const int64_t *tap_at;        /* position among kh*kw */
};

struct conv {
    struct extents e;
    struct gan_conv c;
    struct class *classes;
    int64_t n_classes;
    int threads;
    const struct gan__attr_post *post; /* NULL for nothing */
};

/* Taps of one class; NULL members when memory is short. reach < 0: every tap, shifted by dilation
 * (forward); otherwise those with (residue + pad - tap*dilation) divisible by the stride. */
static bool select_taps(struct gan__arena *arena, struct conv *v, const gan_shape *w, bool data,
                        struct class *k)
{
    const size_t n = (size_t)v->e.taps;
    int64_t *h = gan__arena_array(arena, n, sizeof *h), *c = gan__arena_array(arena, n, sizeof *c);
    int64_t *at = gan__arena_array(arena, n, sizeof *at);
    if (h == NULL || c == NULL || at == NULL) {
        return false;
    }
    for (int64_t t = 0; t < v->e.taps; t++) {
        int64_t dh = t / w->dim[3] * v->c.dilation_h, dw = t % w->dim[3] * v->c.dilation_w;
        if (data) {
            dh = k->row + v->c.pad_top - dh;
            dw = k->column + v->c.pad_left - dw;
            if (dh % v->c.stride_h != 0 || dw % v->c.stride_w != 0) {
                continue;
            }
            dh /= v->c.stride_h;
            dw /= v->c.stride_w;
        }
        h[k->taps] = dh;
        c[k->taps] = dw;
        at[k->taps++] = t;
    }
    k->tap_h = h;
    k->tap_w = c;
    k->tap_at = at;
    return true;
}

/* One class for forward and weight gradient, stride_h*stride_w for the data gradient. */
static bool make_classes(struct gan__arena *arena, struct conv *v, const gan_shape *w, bool data)
{
    const int64_t sh = data ? v->c.stride_h : 1, sw = data ? v->c.stride_w : 1;
    v->classes = gan__arena_array(arena, (size_t)(sh * sw), sizeof *v->classes);
    for (int64_t i = 0; i < sh * sw && v->classes != NULL; i++) {
        struct class k = {.row = i / sw, .column = i % sw, .rows = v->e.oh, .columns = v->e.ow};
        if (data) {
            k.rows = (v->e.h - k.row + sh - 1) / sh;
            k.columns = (v->e.w - k.column + sw - 1) / sw;
        }
        if (k.rows > 0 && k.columns > 0) { /* an image smaller than the stride lacks classes */
            if (!select_taps(arena, v, w, data, &k)) {
                return false;
            }
            v->classes[v->n_classes++] = k;
        }
    }
    return v->classes != NULL;
}

enum direction { FORWARD, DATA, WEIGHT };

/* x, w, y: shapes whatever the direction. */
static gan_status make(struct gan__prepare *p, const struct gan_conv *c, enum direction dir,
                       const struct gan__attr_post *post, gan_err *err)
{
    const gan_shape *x = dir == DATA ? &p->out[0].shape : &p->in[0].shape;
    const gan_shape *w = dir == WEIGHT ? &p->out[0].shape : &p->in[1].shape;
    const gan_shape *y = dir == FORWARD ? &p->out[0].shape : &p->in[dir == DATA ? 0 : 1].shape;
    struct conv *v = gan__arena_alloc(p->arena, sizeof *v);
    if (v == NULL) {
        return gan__fail_nomem(err, sizeof *v, "a convolution");
    }
    v->c = *c;
    v->threads = p->threads;
    v->post = post;
    v->e = (struct extents){.n = x->dim[0],
                            .h = x->dim[1],
                            .w = x->dim[2],
                            .ci = x->dim[3],
                            .co = y->dim[3],
                            .oh = y->dim[1],
                            .ow = y->dim[2],
                            .groups = c->groups,
                            .ig = w->dim[1],
                            .og = w->dim[0] / c->groups,
                            .taps = w->dim[2] * w->dim[3]};
    if (!make_classes(p->arena, v, w, dir == DATA)) {
        return gan__fail_nomem(err, (size_t)v->e.taps * 3 * sizeof(int64_t), "a convolution");
    }
    p->ctx = v;
    return GAN_OK;
}

/* Floats of scratch, rounded to whole cache lines. */
static size_t lines(int64_t floats)
{
    return (size_t)((floats + 15) / 16 * 16) * sizeof(float);
}

/* --- forward -------------------------------------------------------------------------------- */

static struct gan__patches input_patches(const struct conv *v, const float *x, int64_t group)
{
    const struct class *k = &v->classes[0];
    return (struct gan__patches){.image = x + group * v->e.ig,
                                 .height = v->e.h,
                                 .width = v->e.w,
                                 .stride = v->e.ci,
                                 .channels = v->e.ig,
                                 .rows = v->e.oh,
                                 .columns = v->e.ow,
                                 .step_h = v->c.stride_h,
                                 .step_w = v->c.stride_w,
                                 .origin_h = -v->c.pad_top,
                                 .origin_w = -v->c.pad_left,
                                 .taps = k->taps,
                                 .tap_h = k->tap_h,
                                 .tap_w = k->tap_w};
}

static gan_status prepare_forward(struct gan__prepare *p, const struct gan_conv *c,
                                  const struct gan__attr_post *post, gan_err *err)
{
    GAN_TRY(make(p, c, FORWARD, post, err));
    const struct extents *e = &((const struct conv *)p->ctx)->e;
    p->scratch_bytes = gan__gemm_scratch(e->n * e->oh * e->ow, e->og, e->taps * e->ig, p->threads);
    return GAN_OK;
}

static gan_status prepare_conv2d(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare_forward(p, &a->c, NULL, err);
}

static gan_status prepare_conv2d_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare_forward(p, &a->conv.c, a, err);
}

static void post(const struct conv *v, const struct gan__call *c)
{
    if (v->post != NULL) {
        const gan_shape *s = &c->out[0].shape;
        gan__cpu_post(v->post, c->out[0].data, s->dim[0] * s->dim[1] * s->dim[2], s->dim[3],
                      c->n_in > 2 ? c->in[2].data : NULL);
    }
}

static void run_forward(const struct gan__call *c)
{
    const struct conv *v = c->ctx;
    const struct extents *e = &v->e;
    for (int64_t group = 0; group < e->groups; group++) {
        const struct gan__patches x = input_patches(v, c->in[0].data, group);
        const struct gan__filters w = {.data = (const float *)c->in[1].data +
                                               group * e->og * e->ig * e->taps,
                                       .channels = e->ig,
                                       .lane_step = e->ig * e->taps,
                                       .channel_step = e->taps,
                                       .tap_at = v->classes[0].tap_at};
        const struct gan__gemm g = {.m = e->n * e->oh * e->ow,
                                    .n = e->og,
                                    .k = e->taps * e->ig,
                                    .pack_a = gan__patches_pack_points,
                                    .pack_b = gan__filters_pack,
                                    .a = &x,
                                    .b = &w,
                                    .c = (float *)c->out[0].data + group * e->og,
                                    .ldc = e->co};
        gan__gemm_run(&g, v->threads, c->scratch);
    }
    post(v, c);
}

GAN_KERNEL(cpu, conv2d, plain) = {.backend = "cpu",
                                  .op = "conv2d",
                                  .rank = 10,
                                  .match = gan__match_f32,
                                  .prepare = prepare_conv2d,
                                  .run = run_forward};

GAN_KERNEL(cpu, conv2d_post, plain) = {.backend = "cpu",
                                       .op = "conv2d_post",
                                       .rank = 10,
                                       .match = gan__match_f32,
                                       .prepare = prepare_conv2d_post,
                                       .run = run_forward};

/* --- data gradient ---------------------------------------------------------------------------- */

static gan_status prepare_data(struct gan__prepare *p, const struct gan_conv *c,
                               const struct gan__attr_post *post_attr, gan_err *err)
{
    GAN_TRY(make(p, c, DATA, post_attr, err));
    const struct conv *v = p->ctx;
    for (int64_t i = 0; i < v->n_classes; i++) {
        const struct class *k = &v->classes[i];
        const size_t bytes = gan__gemm_scratch(v->e.n * k->rows * k->columns, v->e.ig,
                                               k->taps * v->e.og, p->threads);
        p->scratch_bytes = bytes > p->scratch_bytes ? bytes : p->scratch_bytes;
    }
    return GAN_OK;
}

static gan_status prepare_input_grad(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare_data(p, &a->c, NULL, err);
}

static gan_status prepare_input_grad_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare_data(p, &a->conv.c, a, err);
}

/* Where the points of a class lie in x. */
struct place {
    const struct conv *v;
    const struct class *k;
};

static int64_t place_row(const void *context, int64_t i)
{
    const struct place *p = context;
    const struct conv *v = p->v;
    const int64_t n = i / (p->k->rows * p->k->columns), rest = i % (p->k->rows * p->k->columns);
    const int64_t h = rest / p->k->columns * v->c.stride_h + p->k->row;
    const int64_t w = rest % p->k->columns * v->c.stride_w + p->k->column;
    return ((n * v->e.h + h) * v->e.w + w) * v->e.ci;
}

static void data_class(const struct gan__call *c, const struct class *k, int64_t group)
{
    const struct conv *v = c->ctx;
    const struct extents *e = &v->e;
    const struct place place = {v, k};
    const struct gan__patches dy = {.image = (const float *)c->in[0].data + group * e->og,
                                    .height = e->oh,
                                    .width = e->ow,
                                    .stride = e->co,
                                    .channels = e->og,
                                    .rows = k->rows,
                                    .columns = k->columns,
                                    .step_h = 1,
                                    .step_w = 1,
                                    .taps = k->taps,
                                    .tap_h = k->tap_h,
                                    .tap_w = k->tap_w};
    const struct gan__filters w = {.data = (const float *)c->in[1].data +
                                           group * e->og * e->ig * e->taps,
                                   .channels = e->og,
                                   .lane_step = e->taps,
                                   .channel_step = e->ig * e->taps,
                                   .tap_at = k->tap_at};
    const struct gan__gemm g = {.m = e->n * k->rows * k->columns,
                                .n = e->ig,
                                .k = k->taps * e->og,
                                .pack_a = gan__patches_pack_points,
                                .pack_b = gan__filters_pack,
                                .a = &dy,
                                .b = &w,
                                .c = (float *)c->out[0].data + group * e->ig,
                                .row = place_row,
                                .row_context = &place};
    gan__gemm_run(&g, v->threads, c->scratch);
}

static void run_data(const struct gan__call *c)
{
    const struct conv *v = c->ctx;
    for (int64_t group = 0; group < v->e.groups; group++) {
        for (int64_t i = 0; i < v->n_classes; i++) {
            data_class(c, &v->classes[i], group);
        }
    }
    post(v, c);
}

GAN_KERNEL(cpu, conv2d_input_grad, plain) = {.backend = "cpu",
                                             .op = "conv2d_input_grad",
                                             .rank = 10,
                                             .match = gan__match_f32,
                                             .prepare = prepare_input_grad,
                                             .run = run_data};

GAN_KERNEL(cpu, conv2d_input_grad_post, plain) = {.backend = "cpu",
                                                  .op = "conv2d_input_grad_post",
                                                  .rank = 10,
                                                  .match = gan__match_f32,
                                                  .prepare = prepare_input_grad_post,
                                                  .run = run_data};

/* --- weight gradient -------------------------------------------------------------------------- */

static gan_status prepare_weight(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    GAN_TRY(make(p, &a->c, WEIGHT, NULL, err));
    const struct extents *e = &((const struct conv *)p->ctx)->e;
    p->scratch_bytes = lines(e->taps * e->ig * e->og) +
                       gan__gemm_scratch(e->taps * e->ig, e->og, e->n * e->oh * e->ow, p->threads);
    return GAN_OK;
}

/* dw [og,ig,taps] = sums [taps,ig,og] */
static void transpose(const struct conv *v, const float *sums, float *dw)
{
    const struct extents *e = &v->e;
#pragma omp parallel for schedule(static)                                                          \
    num_threads(v->threads > 1 ? v->threads : 1) if (e->taps * e->ig * e->og > 32768)
    for (int64_t o = 0; o < e->og; o++) {
        for (int64_t i = 0; i < e->ig; i++) {
            for (int64_t t = 0; t < e->taps; t++) {
                dw[(o * e->ig + i) * e->taps + t] = sums[(t * e->ig + i) * e->og + o];
            }
        }
    }
}

static void run_weight(const struct gan__call *c)
{
    const struct conv *v = c->ctx;
    const struct extents *e = &v->e;
    float *sums = c->scratch;
    char *rest = (char *)c->scratch + lines(e->taps * e->ig * e->og);
    for (int64_t group = 0; group < e->groups; group++) {
        const struct gan__patches x = input_patches(v, c->in[0].data, group);
        const struct gan__gemm_matrix dy = {(const float *)c->in[1].data + group * e->og, 1, e->co};
        const struct gan__gemm g = {.m = e->taps * e->ig,
                                    .n = e->og,
                                    .k = e->n * e->oh * e->ow,
                                    .pack_a = gan__patches_pack_taps,
                                    .pack_b = gan__gemm_pack_matrix,
                                    .a = &x,
                                    .b = &dy,
                                    .c = sums,
                                    .ldc = e->og};
        gan__gemm_run(&g, v->threads, rest);
        transpose(v, sums, (float *)c->out[0].data + group * e->og * e->ig * e->taps);
    }
}

GAN_KERNEL(cpu, conv2d_weight_grad, plain) = {.backend = "cpu",
                                              .op = "conv2d_weight_grad",
                                              .rank = 10,
                                              .match = gan__match_f32,
                                              .prepare = prepare_weight,
                                              .run = run_weight};
