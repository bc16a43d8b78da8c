/* op_resize.c: resampling over H and W of [N,H,W,C] and its adjoint, each the other's derivative.
 *
 * Both are separable: y[p,q] = sum_{h,w} a(p,h) b(q,w) x[h,w]. Nearest: a(p,h) = [h = floor(p*in/out)].
 * Bilinear: half-pixel centres u = (p + 1/2) in/out - 1/2 clamped to [0, in-1], a = hat(u - h). */
#include "engine/graph/attr.h"
#include "engine/graph/op.h"
#include "engine/kernels/load.h"

extern GAN_OP(resize);
extern GAN_OP(resize_grad);

gan_val gan_resize(gan_graph *g, gan_val x, int64_t height, int64_t width, gan_resize_mode mode)
{
    const struct gan__attr_resize a = {height, width, mode};
    return gan__add_node(g, &gan__op_resize, &x, 1, &a);
}

gan_val gan_resize_grad(gan_graph *g, gan_val dy, int64_t height, int64_t width,
                        gan_resize_mode mode)
{
    const struct gan__attr_resize a = {height, width, mode};
    return gan__add_node(g, &gan__op_resize_grad, &dy, 1, &a);
}

static bool infer_resize(struct gan__infer *c)
{
    const struct gan__attr_resize *a = c->attr;
    if (!gan_dtype_is_real(c->in[0].dtype)) {
        return gan__infer_fail(c, GAN_E_DTYPE, "needs a real type, not %s",
                               gan_dtype_name(c->in[0].dtype));
    }
    if (c->in[0].shape.rank != 4) {
        char s[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "needs [N,H,W,C], not %s",
                               gan_shape_text(&c->in[0].shape, s, sizeof s));
    }
    if (a->height < 1 || a->width < 1) {
        return gan__infer_fail(c, GAN_E_RANGE, "a size of %lldx%lld must be at least 1x1",
                               (long long)a->height, (long long)a->width);
    }
    if (a->mode != GAN_RESIZE_NEAREST && a->mode != GAN_RESIZE_BILINEAR) {
        return gan__infer_fail(c, GAN_E_ARG, "unknown mode %lld", (long long)a->mode);
    }
    c->out[0] = c->in[0];
    c->out[0].shape.dim[1] = a->height;
    c->out[0].shape.dim[2] = a->width;
    return true;
}

static void resize_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_resize *a = c->attr;
    dx[0] = gan_resize_grad(c->g, c->dy, gan_dim(c->g, c->x[0], 1), gan_dim(c->g, c->x[0], 2),
                            (gan_resize_mode)a->mode);
}

static void resize_grad_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_resize *a = c->attr;
    dx[0] = gan_resize(c->g, c->dy, gan_dim(c->g, c->x[0], 1), gan_dim(c->g, c->x[0], 2),
                       (gan_resize_mode)a->mode);
}

/* Where output position p reads: elements i and i+1 with weights 1-f and f; i+1 only when f > 0. */
struct tap {
    int64_t i;
    double f;
};

static struct tap tap_of(int64_t p, int64_t in, int64_t out, int64_t mode)
{
    if (mode == GAN_RESIZE_NEAREST) {
        return (struct tap){p * in / out, 0.0};
    }
    double u = ((double)p + 0.5) * (double)in / (double)out - 0.5;
    u = u < 0.0 ? 0.0 : u;
    u = u > (double)(in - 1) ? (double)(in - 1) : u;
    const int64_t i = (int64_t)u;
    return (struct tap){i, u - (double)i};
}

/* Weight of input position h in output position p. */
static double weight(struct tap t, int64_t h)
{
    return h == t.i ? 1.0 - t.f : (h == t.i + 1 ? t.f : 0.0);
}

/* Output positions that may read input position h: a safe superset, one position wider. */
static void readers(int64_t h, int64_t in, int64_t out, int64_t range[2])
{
    const int64_t first = (h - 1) * out / in - 2, last = (h + 2) * out / in + 2;
    range[0] = first < 0 ? 0 : first;
    range[1] = last + 1 > out ? out : last + 1;
}

static void ref_resize(const struct gan__call *c)
{
    const struct gan__attr_resize *a = c->attr;
    const gan_tensor *x = &c->in[0], *y = &c->out[0];
    const int64_t ih = x->shape.dim[1], iw = x->shape.dim[2], ch = x->shape.dim[3];
    const int64_t places = y->shape.dim[0] * a->height * a->width;
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t e = 0; e < places; e++) {
        const int64_t n = e / a->width / a->height;
        const struct tap v = tap_of(e / a->width % a->height, ih, a->height, a->mode);
        const struct tap u = tap_of(e % a->width, iw, a->width, a->mode);
        const int64_t down = v.f > 0.0 ? iw * ch : 0, right = u.f > 0.0 ? ch : 0;
        const int64_t first = ((n * ih + v.i) * iw + u.i) * ch;
        for (int64_t k = 0; k < ch; k++) {
            const int64_t i = first + k;
            const double top = (1.0 - u.f) * gan__load(x->dtype, x->data, i) +
                               u.f * gan__load(x->dtype, x->data, i + right);
            const double low = (1.0 - u.f) * gan__load(x->dtype, x->data, i + down) +
                               u.f * gan__load(x->dtype, x->data, i + down + right);
            gan__store(y->dtype, y->data, e * ch + k, (1.0 - v.f) * top + v.f * low);
        }
    }
}

/* One place (n,h,w) of dx: dy [N,H',W',C] gathered from the places that read it. */
static void grad_place(const struct gan__call *c, int64_t e)
{
    const struct gan__attr_resize *a = c->attr;
    const gan_tensor *dy = &c->in[0], *dx = &c->out[0];
    const int64_t oh = dy->shape.dim[1], ow = dy->shape.dim[2], ch = dy->shape.dim[3];
    const int64_t n = e / a->width / a->height, h = e / a->width % a->height, w = e % a->width;
    int64_t p[2], q[2];
    readers(h, a->height, oh, p);
    readers(w, a->width, ow, q);
    for (int64_t k = 0; k < ch; k++) {
        double sum = 0.0;
        for (int64_t i = p[0]; i < p[1]; i++) {
            const double fh = weight(tap_of(i, a->height, oh, a->mode), h);
            for (int64_t j = q[0]; fh > 0.0 && j < q[1]; j++) {
                const double fw = weight(tap_of(j, a->width, ow, a->mode), w);
                if (fw > 0.0) {
                    sum +=
                        fh * fw * gan__load(dy->dtype, dy->data, ((n * oh + i) * ow + j) * ch + k);
                }
            }
        }
        gan__store(dx->dtype, dx->data, e * ch + k, sum);
    }
}

static void ref_resize_grad(const struct gan__call *c)
{
    const struct gan__attr_resize *a = c->attr;
    const int64_t places = c->out[0].shape.dim[0] * a->height * a->width;
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t e = 0; e < places; e++) {
        grad_place(c, e);
    }
}

static const struct gan__attr_resize near_up = {6, 4, GAN_RESIZE_NEAREST},
                                     near_down = {2, 3, GAN_RESIZE_NEAREST},
                                     line_up = {6, 4, GAN_RESIZE_BILINEAR},
                                     line_down = {2, 3, GAN_RESIZE_BILINEAR},
                                     line_one = {1, 1, GAN_RESIZE_BILINEAR},
                                     line_odd = {7, 5, GAN_RESIZE_BILINEAR};

#define CASE(SHAPES, ATTR)                                                                         \
    {                                                                                              \
        SHAPES, -2.0, 2.0, 1e-6, 2, &(ATTR), NULL, 0.0, 0.0                                        \
    }

static const struct gan__case resize_cases[] = {
    CASE("[2,3,2,3]", near_up),  CASE("[1,5,7,2]", near_down),
    CASE("[2,3,2,3]", line_up),  CASE("[1,5,7,2]", line_down),
    CASE("[2,3,4,1]", line_one), CASE("[1,1,3,2]", line_odd),
    CASE("[1,1,1,2]", line_one), {0},
};

GAN_OP(resize) = {
    .name = "resize",
    .doc = "nearest or bilinear resampling of H and W",
    .n_in = 1,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_resize),
    .infer = infer_resize,
    .vjp = resize_vjp,
    .ref = ref_resize,
    .cases = resize_cases,
};

GAN_OP(resize_grad) = {
    .name = "resize_grad",
    .doc = "adjoint of resize",
    .n_in = 1,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_resize),
    .infer = infer_resize,
    .vjp = resize_grad_vjp,
    .ref = ref_resize_grad,
    .cases = resize_cases,
};
