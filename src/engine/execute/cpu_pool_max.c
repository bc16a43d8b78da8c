/* cpu_pool_max.c: derivatives of maximum pooling on the CPU.
 *
 * A window's maximum is looked for again, for a vector of channels at a time: max_pool_grad adds dy
 * to the place where it lies, max_pool_pick reads there. Rows of windows that do not overlap are
 * shared out among threads; overlapping ones write to the same places, so that whole images are. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/channels.h"
#include "kernel.h"

#include <omp.h>
#include <string.h>

struct windows {
    struct gan_pool p;
    int64_t n, h, w, oh, ow, channels; /* x [n,h,w,channels], windows [oh,ow] */
    int threads;
};

static gan_status prepare_windows(struct gan__prepare *p, const gan_shape *y, gan_err *err)
{
    const struct gan__attr_pool *a = p->attr;
    const gan_shape *x = &p->in[0].shape;
    struct windows *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a pooling");
    }
    *k = (struct windows){.p = a->p,
                          .n = x->dim[0],
                          .h = x->dim[1],
                          .w = x->dim[2],
                          .oh = y->dim[1],
                          .ow = y->dim[2],
                          .channels = x->dim[3],
                          .threads = p->threads > 1 ? p->threads : 1};
    p->ctx = k;
    p->scratch_bytes =
        (size_t)k->threads * (size_t)(a->p.kernel_h * a->p.kernel_w) * 2 * sizeof(float *);
    return GAN_OK;
}

static gan_status prepare_grad(struct gan__prepare *p, gan_err *err)
{
    return prepare_windows(p, &p->in[1].shape, err);
}

static gan_status prepare_pick(struct gan__prepare *p, gan_err *err)
{
    return prepare_windows(p, &p->out[0].shape, err);
}

/* The places of window (oh, ow) of an image; their number. */
static int64_t places(const struct windows *k, const float *x, int64_t oh, int64_t ow,
                      const float **in)
{
    int64_t n = 0;
    const int64_t top = oh * k->p.stride_h - k->p.pad_top,
                  left = ow * k->p.stride_w - k->p.pad_left;
    for (int64_t h = top > 0 ? top : 0; h < top + k->p.kernel_h && h < k->h; h++) {
        for (int64_t w = left > 0 ? left : 0; w < left + k->p.kernel_w && w < k->w; w++) {
            in[n++] = x + (h * k->w + w) * k->channels;
        }
    }
    return n;
}

static const float **own_places(const struct windows *k, const struct gan__call *c)
{
    return (const float **)c->scratch + omp_get_thread_num() * k->p.kernel_h * k->p.kernel_w;
}

static void pick(const struct gan__call *c)
{
    const struct windows *k = c->ctx;
    const int64_t size = k->h * k->w * k->channels, rows = k->n * k->oh;
#pragma omp parallel for schedule(static) num_threads(k->threads)
    for (int64_t r = 0; r < rows; r++) {
        const float **in = own_places(k, c);
        const float *x = (const float *)c->in[0].data + r / k->oh * size;
        const float *v = (const float *)c->in[1].data + r / k->oh * size;
        float *y = (float *)c->out[0].data + r * k->ow * k->channels;
        for (int64_t q = 0; q < k->ow; q++, y += k->channels) {
            const int64_t n = places(k, x, r % k->oh, q, in);
            gan__channel_lanes()->pick(in, x, v, n, y, k->channels);
        }
    }
}

static void grad(const struct gan__call *c)
{
    const struct windows *k = c->ctx;
    const int64_t size = k->h * k->w * k->channels, rows = k->n * k->oh;
    const int64_t task = k->p.stride_h >= k->p.kernel_h ? 1 : k->oh; /* rows that may overlap */
    memset(c->out[0].data, 0, gan_tensor_bytes(&c->out[0]));
#pragma omp parallel for schedule(static) num_threads(k->threads)
    for (int64_t t = 0; t < rows / task; t++) {
        const float **in = own_places(k, c);
        for (int64_t r = t * task; r < (t + 1) * task; r++) {
            const float *x = (const float *)c->in[0].data + r / k->oh * size;
            float *dx = (float *)c->out[0].data + r / k->oh * size;
            const float *dy = (const float *)c->in[1].data + r * k->ow * k->channels;
            for (int64_t q = 0; q < k->ow; q++, dy += k->channels) {
                const int64_t n = places(k, x, r % k->oh, q, in);
                gan__channel_lanes()->unpick(in, x, dx, n, dy, k->channels);
            }
        }
    }
}

GAN_KERNEL(cpu, max_pool_grad) = {.backend = "cpu",
                                  .op = "max_pool_grad",
                                  .match = gan__match_f32,
                                  .prepare = prepare_grad,
                                  .run = grad};

GAN_KERNEL(cpu, max_pool_pick) = {.backend = "cpu",
                                  .op = "max_pool_pick",
                                  .match = gan__match_f32,
                                  .prepare = prepare_pick,
                                  .run = pick};
