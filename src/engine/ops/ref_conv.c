/* ref_conv.c: the convolution family in plain loops.
 *
 *   y[n,p,q,o]  = sum_{i,r,s} x[n, p*stride - pad + r*dilation, ..., g(o)*ig + i] w[o,i,r,s]
 *
 * and its two adjoints, each written as a sum for one element of the result, so that every element
 * has one fixed order of addition whatever the number of threads. Sums are f64. */
#include "conv.h"

#include "engine/kernels/load.h"

struct gan__conv_dims gan__conv_dims_of(const gan_shape *x, const gan_shape *w, const gan_shape *y,
                                        const struct gan_conv *c)
{
    return (struct gan__conv_dims){
        .n = x->dim[0],
        .h = x->dim[1],
        .w = x->dim[2],
        .ci = x->dim[3],
        .co = w->dim[0],
        .kh = w->dim[2],
        .kw = w->dim[3],
        .oh = y->dim[1],
        .ow = y->dim[2],
        .groups = c->groups,
        .ig = w->dim[1],
        .og = w->dim[0] / c->groups,
        .c = *c,
    };
}

int64_t gan__conv_extent(int64_t in, int64_t kernel, int64_t before, int64_t after, int64_t stride,
                         int64_t dilation)
{
    const int64_t room = in + before + after - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

/* What a row function sees. */
struct job {
    struct gan__conv_dims d;
    gan_dtype t;
    const void *a, *b; /* the op's inputs */
    void *out;
};

/* One row p of y: inputs x, w. */
GAN_INLINE void forward_row(const struct job *j, gan_dtype t, int64_t row)
{
    const struct gan__conv_dims *d = &j->d;
    const int64_t n = row / d->oh, h0 = row % d->oh * d->c.stride_h - d->c.pad_top;
    for (int64_t q = 0; q < d->ow; q++) {
        const int64_t w0 = q * d->c.stride_w - d->c.pad_left;
        for (int64_t o = 0; o < d->co; o++) {
            const int64_t first = o / d->og * d->ig;
            double sum = 0.0;
            for (int64_t r = 0; r < d->kh; r++) {
                const int64_t h = h0 + r * d->c.dilation_h;
                for (int64_t s = 0; h >= 0 && h < d->h && s < d->kw; s++) {
                    const int64_t w = w0 + s * d->c.dilation_w;
                    if (w < 0 || w >= d->w) {
                        continue;
                    }
                    const int64_t x = ((n * d->h + h) * d->w + w) * d->ci + first;
                    const int64_t k = (o * d->ig * d->kh + r) * d->kw + s;
                    for (int64_t i = 0; i < d->ig; i++) {
                        sum +=
                            gan__load(t, j->a, x + i) * gan__load(t, j->b, k + i * d->kh * d->kw);
                    }
                }
            }
            gan__store(t, j->out, (row * d->ow + q) * d->co + o, sum);
        }
    }
}

/* Position p with p*stride = at, or -1. */
GAN_INLINE int64_t source(int64_t at, int64_t stride, int64_t extent)
{
    return at >= 0 && at % stride == 0 && at / stride < extent ? at / stride : -1;
}

/* One row h of dx: inputs dy, w. */
GAN_INLINE void input_row(const struct job *j, gan_dtype t, int64_t row)
{
    const struct gan__conv_dims *d = &j->d;
    const int64_t n = row / d->h, h = row % d->h;
    for (int64_t w = 0; w < d->w; w++) {
        for (int64_t c = 0; c < d->ci; c++) {
            const int64_t first = c / d->ig * d->og, i = c % d->ig;
            double sum = 0.0;
            for (int64_t r = 0; r < d->kh; r++) {
                const int64_t p =
                    source(h + d->c.pad_top - r * d->c.dilation_h, d->c.stride_h, d->oh);
                for (int64_t s = 0; p >= 0 && s < d->kw; s++) {
                    const int64_t q =
                        source(w + d->c.pad_left - s * d->c.dilation_w, d->c.stride_w, d->ow);
                    if (q < 0) {
                        continue;
                    }
                    const int64_t y = ((n * d->oh + p) * d->ow + q) * d->co + first;
                    const int64_t k = ((first * d->ig + i) * d->kh + r) * d->kw + s;
                    for (int64_t o = 0; o < d->og; o++) {
                        sum += gan__load(t, j->a, y + o) *
                               gan__load(t, j->b, k + o * d->ig * d->kh * d->kw);
                    }
                }
            }
            gan__store(t, j->out, (row * d->w + w) * d->ci + c, sum);
        }
    }
}

/* The weights of one output channel o: inputs x, dy. */
GAN_INLINE void weight_row(const struct job *j, gan_dtype t, int64_t o)
{
    const struct gan__conv_dims *d = &j->d;
    const int64_t first = o / d->og * d->ig, taps = d->kh * d->kw;
    for (int64_t e = 0; e < d->ig * taps; e++) {
        const int64_t i = e / taps, r = e % taps / d->kw, s = e % d->kw;
        double sum = 0.0;
        for (int64_t np = 0; np < d->n * d->oh; np++) {
            const int64_t n = np / d->oh;
            const int64_t h = np % d->oh * d->c.stride_h - d->c.pad_top + r * d->c.dilation_h;
            for (int64_t q = 0; h >= 0 && h < d->h && q < d->ow; q++) {
                const int64_t w = q * d->c.stride_w - d->c.pad_left + s * d->c.dilation_w;
                if (w >= 0 && w < d->w) {
                    const int64_t x = ((n * d->h + h) * d->w + w) * d->ci + first + i;
                    sum += gan__load(t, j->a, x) * gan__load(t, j->b, (np * d->ow + q) * d->co + o);
                }
            }
        }
        gan__store(t, j->out, o * d->ig * taps + e, sum);
    }
}

typedef void row_fn(const struct job *j, int64_t row);

/* One row function for each type that deserves its own loads. */
#define ROW_FUNCTIONS(NAME)                                                                        \
    static void NAME##_f32(const struct job *j, int64_t row)                                       \
    {                                                                                              \
        NAME(j, GAN_F32, row);                                                                     \
    }                                                                                              \
    static void NAME##_f64(const struct job *j, int64_t row)                                       \
    {                                                                                              \
        NAME(j, GAN_F64, row);                                                                     \
    }                                                                                              \
    static void NAME##_any(const struct job *j, int64_t row)                                       \
    {                                                                                              \
        NAME(j, j->t, row);                                                                        \
    }

ROW_FUNCTIONS(forward_row)
ROW_FUNCTIONS(input_row)
ROW_FUNCTIONS(weight_row)

static void run_rows(const struct gan__call *c, const struct gan__conv_dims *d, int64_t rows,
                     row_fn *const fn[3])
{
    const gan_dtype t = c->in[0].dtype;
    const struct job j = {*d, t, c->in[0].data, c->in[1].data, c->out[0].data};
    row_fn *row = t == GAN_F32 ? fn[0] : (t == GAN_F64 ? fn[1] : fn[2]);
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t r = 0; r < rows; r++) {
        row(&j, r);
    }
}

void gan__ref_conv2d(const struct gan__call *c)
{
    static row_fn *const fn[3] = {forward_row_f32, forward_row_f64, forward_row_any};
    const struct gan__attr_conv *a = c->attr;
    const struct gan__conv_dims d =
        gan__conv_dims_of(&c->in[0].shape, &c->in[1].shape, &c->out[0].shape, &a->c);
    run_rows(c, &d, d.n * d.oh, fn);
}

void gan__ref_conv2d_input_grad(const struct gan__call *c)
{
    static row_fn *const fn[3] = {input_row_f32, input_row_f64, input_row_any};
    const struct gan__attr_conv *a = c->attr;
    const struct gan__conv_dims d =
        gan__conv_dims_of(&c->out[0].shape, &c->in[1].shape, &c->in[0].shape, &a->c);
    run_rows(c, &d, d.n * d.h, fn);
}

void gan__ref_conv2d_weight_grad(const struct gan__call *c)
{
    static row_fn *const fn[3] = {weight_row_f32, weight_row_f64, weight_row_any};
    const struct gan__attr_conv *a = c->attr;
    const struct gan__conv_dims d =
        gan__conv_dims_of(&c->in[0].shape, &c->out[0].shape, &c->in[1].shape, &a->c);
    run_rows(c, &d, d.co, fn);
}
