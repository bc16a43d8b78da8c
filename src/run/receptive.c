/* receptive.c: the receptive field of a graph, found by walking it once.
 *
 * Along one axis, element i of a value depends on the input's elements jump*i + lo .. jump*i + hi. A
 * convolution of kernel k, stride s, padding p and dilation d reads elements s*i - p .. s*i - p +
 * (k-1)*d, a transposed one those e with s*e - p + t*d = i for a t in 0..k-1; each substitutes its
 * interval into that of its input. Where a value stays real (jumps below 1), so do the bounds, which
 * can only make them wider than needed. Padding by reflection reads the mirrored place, as far on the
 * other side: whoever cuts an image takes the larger bound on both. */
#include "receptive.h"

#include "base/alloc.h"
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/graph/op.h"

#include <math.h>
#include <string.h>

/* What a node depends on along H and W (axes 1 and 2). */
struct reach {
    bool depends; /* on the input at all */
    bool whole, noise, opaque;
    double jump[2], lo[2], hi[2];
};

/* A window: element i reads elements stride*i + first .. stride*i + last of its input. */
struct window {
    double stride[2], first[2], last[2];
};

static void see_through(struct reach *r, const struct window *w)
{
    for (int k = 0; k < 2; k++) {
        r->lo[k] += r->jump[k] * w->first[k];
        r->hi[k] += r->jump[k] * w->last[k];
        r->jump[k] *= w->stride[k];
    }
}

/* Every input the node depends on, at the same place. */
static struct reach join(const struct gan__node *n, const struct reach *of)
{
    struct reach r = {0};
    for (int i = 0; i < n->n_in; i++) {
        const struct reach *x = &of[n->in[i].node];
        r.noise = r.noise || x->noise;
        if (!x->depends) {
            continue;
        }
        r.whole = r.whole || x->whole;
        r.opaque = r.opaque || x->opaque;
        for (int k = 0; k < 2; k++) {
            bool scales = r.depends && fabs(r.jump[k] - x->jump[k]) > 1e-9;
            r.opaque = r.opaque || scales;
            r.jump[k] = x->jump[k];
            r.lo[k] = r.depends ? fmin(r.lo[k], x->lo[k]) : x->lo[k];
            r.hi[k] = r.depends ? fmax(r.hi[k], x->hi[k]) : x->hi[k];
        }
        r.depends = true;
    }
    return r;
}

static bool is(const struct gan__node *n, const char *name)
{
    return strcmp(n->op->name, name) == 0;
}

static struct window conv_window(const gan_graph *g, const struct gan__node *n, bool transposed)
{
    const struct gan_conv *c = &((const struct gan__attr_conv *)n->attr)->c;
    const gan_shape *w = &gan__type_of(g, n->in[1])->shape;
    const double stride[2] = {(double)c->stride_h, (double)c->stride_w};
    const double pad[2] = {(double)c->pad_top, (double)c->pad_left};
    const double span[2] = {(double)((w->dim[2] - 1) * c->dilation_h),
                            (double)((w->dim[3] - 1) * c->dilation_w)};
    struct window v;
    for (int k = 0; k < 2; k++) {
        v.stride[k] = transposed ? 1 / stride[k] : stride[k];
        v.first[k] = transposed ? (pad[k] - span[k]) / stride[k] : -pad[k];
        v.last[k] = transposed ? pad[k] / stride[k] : span[k] - pad[k];
    }
    return v;
}

static struct window pool_window(const struct gan__node *n)
{
    const struct gan_pool *p = &((const struct gan__attr_pool *)n->attr)->p;
    return (struct window){
        .stride = {(double)p->stride_h, (double)p->stride_w},
        .first = {(double)-p->pad_top, (double)-p->pad_left},
        .last = {(double)(p->kernel_h - 1 - p->pad_top), (double)(p->kernel_w - 1 - p->pad_left)}};
}

/* Element p reads floor(p*in/out), or the two around (p + 1/2)*in/out - 1/2. */
static struct window resize_window(const gan_graph *g, const struct gan__node *n)
{
    const struct gan__attr_resize *a = n->attr;
    const gan_shape *x = &gan__type_of(g, n->in[0])->shape;
    const double ratio[2] = {(double)x->dim[1] / (double)a->height,
                             (double)x->dim[2] / (double)a->width};
    struct window v;
    for (int k = 0; k < 2; k++) {
        bool nearest = a->mode == GAN_RESIZE_NEAREST;
        double centre = 0.5 * ratio[k] - 0.5;
        v.stride[k] = ratio[k];
        v.first[k] = nearest ? -1 : centre - 1;
        v.last[k] = nearest ? 0 : centre + 1;
    }
    return v;
}

/* A box cut out, or zeros and copies of the edge laid around. */
static void move(struct reach *r, const struct gan__node *n, bool pad)
{
    const struct gan__attr_slice *a = n->attr;
    for (int k = 0; k < 2; k++) {
        double by = (double)(pad ? -a->begin[k + 1] : a->begin[k + 1]);
        r->lo[k] += r->jump[k] * by;
        r->hi[k] += r->jump[k] * by;
    }
}

static bool over_places(uint64_t axes)
{
    return (axes & (GAN_AXIS(1) | GAN_AXIS(2))) != 0;
}

/* Whether a broadcast or reshape leaves every place where it is. */
static bool keeps_places(const gan_graph *g, const struct gan__node *n)
{
    const gan_shape *x = &gan__type_of(g, n->in[0])->shape, *y = &n->out[0].shape;
    return x->rank == 4 && y->rank == 4 && x->dim[1] == y->dim[1] && x->dim[2] == y->dim[2];
}

static void apply(const gan_graph *g, const struct gan__node *n, struct reach *r)
{
    struct window v;
    if ((n->op->flags & GAN_OP_ELEMENTWISE) != 0 || is(n, "stop") || is(n, "cast")) {
        return;
    }
    if (is(n, "conv2d") || is(n, "conv2d_input_grad")) {
        v = conv_window(g, n, is(n, "conv2d_input_grad"));
        see_through(r, &v);
    } else if (is(n, "avg_pool") || is(n, "max_pool")) {
        v = pool_window(n);
        see_through(r, &v);
    } else if (is(n, "resize")) {
        v = resize_window(g, n);
        see_through(r, &v);
    } else if (is(n, "pad") || is(n, "slice")) {
        move(r, n, is(n, "pad"));
    } else if (is(n, "normalize") || is(n, "sum") || is(n, "reduce_max")) {
        const struct gan__attr_axes *a = n->attr;
        r->whole = r->whole || over_places(a->axes);
    } else if (is(n, "concat")) {
        r->opaque = r->opaque || ((const struct gan__attr_axis *)n->attr)->axis != 3;
    } else if (is(n, "broadcast") || is(n, "reshape")) {
        /* a statistic of the whole image is that wherever it goes */
        r->opaque = r->opaque || (!r->whole && !keeps_places(g, n));
    } else {
        r->opaque = true;
    }
}

static struct reach reach_of(const gan_graph *g, uint32_t i, gan_val in, const struct reach *of)
{
    const struct gan__node *n = &g->nodes[i];
    if (i == in.node) {
        return (struct reach){.depends = true, .jump = {1, 1}};
    }
    struct reach r = join(n, of);
    bool random = n->op != NULL && (n->op->flags & GAN_OP_RANDOM) != 0;
    r.noise = r.noise || (random && n->out[0].shape.rank == 4);
    if (r.depends) {
        apply(g, n, &r);
    }
    return r;
}

gan_status gan__receptive_field(const gan_graph *g, gan_val in, gan_val out,
                                struct gan__receptive *field, gan_err *err)
{
    *field = (struct gan__receptive){0};
    GAN_TRY(gan_graph_status(g, err));
    struct reach *of = gan__alloc_array(g->n_nodes, sizeof *of);
    if (of == NULL) {
        return gan__fail_nomem(err, g->n_nodes * sizeof *of, "a receptive field");
    }
    for (uint32_t i = 1; i <= out.node; i++) {
        of[i] = reach_of(g, i, in, of);
    }
    const struct reach *r = &of[out.node];
    *field = (struct gan__receptive){.before = fmax(-r->lo[0], -r->lo[1]),
                                     .after = fmax(r->hi[0], r->hi[1]),
                                     .jump = r->jump[0],
                                     .whole = r->whole,
                                     .noise = r->noise,
                                     .opaque = r->opaque};
    field->opaque = r->opaque || !r->depends || fabs(r->jump[0] - r->jump[1]) > 1e-9;
    gan__free(of);
    return GAN_OK;
}
