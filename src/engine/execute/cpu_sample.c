/* cpu_sample.c: pooling and resize on the CPU.
 *
 * Each is a sparse linear map (or a maximum) over places with the same weights for all channels.
 * Along H and along W the map is a short list of (source, weight) for each result, made once when
 * the plan is prepared; a place of the result blends the products of two lists. Adjoints are the
 * transposed lists, so results gather and no two threads write one place. bf16 is blended in f32. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/channels.h"
#include "kernel.h"

#include <math.h>
#include <omp.h>

/* Sources of each result along one axis: entries first[i] .. first[i+1]-1. */
struct list {
    int64_t *first, *source;
    float *weight;
    int64_t longest;
};

/* A map from [N,in_h,in_w,C] to [N,out_h,out_w,C]. */
struct map {
    struct list h, w;
    int64_t n, in_h, in_w, out_h, out_w, channels;
    size_t size; /* of an element */
    int threads;
};

/* What decides the weights along one axis. */
struct rule {
    int64_t in, out;             /* extents of the map itself, not of its adjoint */
    int64_t kernel, stride, pad; /* pooling; kernel 0: resize */
    gan_resize_mode mode;
};

/* Sources of output p: positions start .. start+n-1 (inside the input) and their weights w[0..]. */
static int64_t sources(const struct rule *r, int64_t p, int64_t *start, float *w)
{
    if (r->kernel > 0) {
        const int64_t first = p * r->stride - r->pad, end = first + r->kernel;
        *start = first < 0 ? 0 : first;
        const int64_t n = (end < r->in ? end : r->in) - *start;
        for (int64_t i = 0; i < n; i++) {
            w[i] = 1.0f / (float)r->kernel;
        }
        return n;
    }
    w[0] = 1.0f;
    if (r->mode == GAN_RESIZE_NEAREST) {
        *start = p * r->in / r->out;
        return 1;
    }
    const double centre = ((double)p + 0.5) * (double)r->in / (double)r->out - 0.5;
    const double u = fmin(fmax(centre, 0.0), (double)(r->in - 1));
    *start = (int64_t)u;
    w[0] = (float)(1.0 - (u - (double)*start));
    w[1] = (float)(u - (double)*start);
    return w[1] > 0.0f ? 2 : 1;
}

/* The list of the map, or with `adjoint` of its transpose. w holds one result's weights. */
static gan_status make_list(struct gan__arena *arena, const struct rule *r, bool adjoint,
                            struct list *l, gan_err *err)
{
    const int64_t results = adjoint ? r->in : r->out;
    const size_t most = (size_t)(r->out * (r->kernel > 0 ? r->kernel : 2));
    float *w = gan__arena_array(arena, (size_t)(r->kernel > 0 ? r->kernel : 2), sizeof *w);
    l->first = gan__arena_array(arena, (size_t)results + 2, sizeof *l->first);
    l->source = gan__arena_array(arena, most, sizeof *l->source);
    l->weight = gan__arena_array(arena, most, sizeof *l->weight);
    if (w == NULL || l->first == NULL || l->source == NULL || l->weight == NULL) {
        return gan__fail_nomem(err, most * sizeof *l->source, "the weights of a resize");
    }
    int64_t start;
    for (int64_t p = 0; p < r->out; p++) { /* pass 1: lengths, two places ahead */
        const int64_t n = sources(r, p, &start, w);
        for (int64_t i = 0; i < n; i++) {
            l->first[(adjoint ? start + i : p) + 2]++;
        }
    }
    for (int64_t i = 0; i < results; i++) {
        const int64_t n = l->first[i + 2];
        l->longest = n > l->longest ? n : l->longest;
        l->first[i + 2] += l->first[i + 1];
    }
    for (int64_t p = 0; p < r->out; p++) { /* pass 2: entries; first[i+1] moves up to its end */
        const int64_t n = sources(r, p, &start, w);
        for (int64_t i = 0; i < n; i++) {
            const int64_t at = l->first[(adjoint ? start + i : p) + 1]++;
            l->source[at] = adjoint ? p : start + i;
            l->weight[at] = w[i];
        }
    }
    return GAN_OK;
}

static size_t scratch_of(const struct map *m)
{
    return (size_t)(m->h.longest * m->w.longest) * (sizeof(const void *) + sizeof(float));
}

static gan_status prepare(struct gan__prepare *p, const struct rule *h, const struct rule *w,
                          bool adjoint, gan_err *err)
{
    const gan_shape *x = &p->in[0].shape, *y = &p->out[0].shape;
    struct map *m = gan__arena_alloc(p->arena, sizeof *m);
    if (m == NULL) {
        return gan__fail_nomem(err, sizeof *m, "a resize");
    }
    *m = (struct map){.n = y->dim[0],
                      .in_h = x->dim[1],
                      .in_w = x->dim[2],
                      .out_h = y->dim[1],
                      .out_w = y->dim[2],
                      .channels = y->dim[3],
                      .size = gan_dtype_size(p->in[0].dtype),
                      .threads = p->threads > 1 ? p->threads : 1};
    GAN_TRY(make_list(p->arena, h, adjoint, &m->h, err));
    GAN_TRY(make_list(p->arena, w, adjoint, &m->w, err));
    p->ctx = m;
    p->scratch_bytes = (size_t)m->threads * ((scratch_of(m) + 63) / 64 * 64);
    return GAN_OK;
}

/* What is at hand for the n sources of a place. */
static void blend(const void *const *in, const float *weight, int64_t n, void *y, int64_t channels,
                  bool half, bool largest)
{
    const struct gan__channel_lanes *lanes = gan__channel_lanes();
    const uint16_t *const *halves = (const uint16_t *const *)in;
    const float *const *floats = (const float *const *)in;
    if (half && largest) {
        lanes->largest_half(halves, n, y, channels);
    } else if (half) {
        lanes->blend_half(halves, weight, n, y, channels);
    } else if (largest) {
        lanes->largest(floats, n, y, channels);
    } else {
        lanes->blend(floats, weight, n, y, channels);
    }
}

/* One place of the result from the places of the input that its lists name. */
static void place(const struct map *m, const char *image, int64_t p, int64_t q, void *y,
                  void *scratch, bool largest)
{
    const void **in = scratch;
    float *weight = (float *)(void *)(in + m->h.longest * m->w.longest);
    int64_t n = 0;
    for (int64_t i = m->h.first[p]; i < m->h.first[p + 1]; i++) {
        for (int64_t j = m->w.first[q]; j < m->w.first[q + 1]; j++) {
            in[n] = image +
                    (size_t)((m->h.source[i] * m->in_w + m->w.source[j]) * m->channels) * m->size;
            weight[n++] = m->h.weight[i] * m->w.weight[j];
        }
    }
    blend(in, weight, n, y, m->channels, m->size == sizeof(uint16_t), largest);
}

static void run_map(const struct gan__call *c, bool largest)
{
    const struct map *m = c->ctx;
    const char *x = c->in[0].data;
    char *y = c->out[0].data;
    const size_t step = (scratch_of(m) + 63) / 64 * 64, run = (size_t)m->channels * m->size;
    const int64_t elements = m->n * m->out_h * m->out_w * m->channels;
#pragma omp parallel for schedule(static) num_threads(m->threads) if (elements > 16384)
    for (int64_t row = 0; row < m->n * m->out_h; row++) {
        char *scratch = (char *)c->scratch + (size_t)omp_get_thread_num() * step;
        const char *image = x + (size_t)(row / m->out_h * m->in_h * m->in_w) * run;
        for (int64_t q = 0; q < m->out_w; q++) {
            place(m, image, row % m->out_h, q, y + (size_t)(row * m->out_w + q) * run, scratch,
                  largest);
        }
    }
}

static void run_blend(const struct gan__call *c)
{
    run_map(c, false);
}

static void run_largest(const struct gan__call *c)
{
    run_map(c, true);
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 && in[0].dtype == out[0].dtype &&
           (in[0].dtype == GAN_F32 || in[0].dtype == GAN_BF16);
}

/* x: the side that is pooled or resized; y: the result of that. */
static gan_status prepare_pool(struct gan__prepare *p, bool adjoint, gan_err *err)
{
    const struct gan__attr_pool *a = p->attr;
    const gan_shape *x = adjoint ? &p->out[0].shape : &p->in[0].shape;
    const gan_shape *y = adjoint ? &p->in[0].shape : &p->out[0].shape;
    const struct rule h = {.in = x->dim[1],
                           .out = y->dim[1],
                           .kernel = a->p.kernel_h,
                           .stride = a->p.stride_h,
                           .pad = a->p.pad_top};
    const struct rule w = {.in = x->dim[2],
                           .out = y->dim[2],
                           .kernel = a->p.kernel_w,
                           .stride = a->p.stride_w,
                           .pad = a->p.pad_left};
    return prepare(p, &h, &w, adjoint, err);
}

static gan_status prepare_pool_forward(struct gan__prepare *p, gan_err *err)
{
    return prepare_pool(p, false, err);
}

static gan_status prepare_pool_adjoint(struct gan__prepare *p, gan_err *err)
{
    return prepare_pool(p, true, err);
}

static gan_status prepare_resize(struct gan__prepare *p, bool adjoint, gan_err *err)
{
    const struct gan__attr_resize *a = p->attr;
    const gan_shape *x = adjoint ? &p->out[0].shape : &p->in[0].shape;
    const gan_shape *y = adjoint ? &p->in[0].shape : &p->out[0].shape;
    const gan_resize_mode mode = (gan_resize_mode)a->mode;
    const struct rule h = {.in = x->dim[1], .out = y->dim[1], .mode = mode};
    const struct rule w = {.in = x->dim[2], .out = y->dim[2], .mode = mode};
    return prepare(p, &h, &w, adjoint, err);
}

static gan_status prepare_resize_forward(struct gan__prepare *p, gan_err *err)
{
    return prepare_resize(p, false, err);
}

static gan_status prepare_resize_adjoint(struct gan__prepare *p, gan_err *err)
{
    return prepare_resize(p, true, err);
}

GAN_KERNEL(cpu, avg_pool) = {.backend = "cpu",
                             .op = "avg_pool",
                             .match = match,
                             .prepare = prepare_pool_forward,
                             .run = run_blend};

GAN_KERNEL(cpu, avg_pool_grad) = {.backend = "cpu",
                                  .op = "avg_pool_grad",
                                  .match = match,
                                  .prepare = prepare_pool_adjoint,
                                  .run = run_blend};

GAN_KERNEL(cpu, max_pool) = {.backend = "cpu",
                             .op = "max_pool",
                             .match = match,
                             .prepare = prepare_pool_forward,
                             .run = run_largest};

GAN_KERNEL(cpu, resize) = {.backend = "cpu",
                           .op = "resize",
                           .match = match,
                           .prepare = prepare_resize_forward,
                           .run = run_blend};

GAN_KERNEL(cpu, resize_grad) = {.backend = "cpu",
                                .op = "resize_grad",
                                .match = match,
                                .prepare = prepare_resize_adjoint,
                                .run = run_blend};
