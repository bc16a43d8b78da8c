/* cpu_index.c: rows by index, one-hot rows, argmax. */
#include "engine/graph/attr.h"
#include "kernel.h"

#include <string.h>

/* Indices are i32 and clamped to the rows there are. */
static int64_t row_at(const gan_tensor *index, int64_t i, int64_t rows)
{
    int64_t r = ((const int32_t *)index->data)[i];
    return r < 0 ? 0 : r >= rows ? rows - 1 : r;
}

static int64_t row_size(const gan_shape *s)
{
    int64_t n = 1;
    for (int64_t i = 1; i < s->rank; i++) {
        n *= s->dim[i];
    }
    return n;
}

static bool match_gather(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr)
{
    (void)attr;
    return n_in == 2 && n_out == 1 && in[1].dtype == GAN_I32 && in[0].dtype == out[0].dtype &&
           in[0].shape.dim[0] > 0;
}

static void gather(const struct gan__call *c)
{
    int64_t rows = c->in[0].shape.dim[0], n = c->in[1].shape.dim[0];
    size_t bytes = (size_t)row_size(&c->in[0].shape) * gan_dtype_size(c->out[0].dtype);
#pragma omp parallel for schedule(static) if ((size_t)n * bytes > 65536)
    for (int64_t i = 0; i < n; i++) {
        size_t from = (size_t)row_at(&c->in[1], i, rows) * bytes;
        memcpy((char *)c->out[0].data + (size_t)i * bytes, (const char *)c->in[0].data + from,
               bytes);
    }
}

static bool match_scatter_add(const struct gan__type *in, int n_in, const struct gan__type *out,
                              int n_out, const void *attr)
{
    (void)attr;
    return n_in == 2 && n_out == 1 && in[0].dtype == GAN_I32 && in[1].dtype == GAN_F32 &&
           out[0].dtype == GAN_F32 && out[0].shape.dim[0] > 0;
}

/* Threads own columns, so each element's additions happen in the order of the indices. */
static void scatter_add(const struct gan__call *c)
{
    int64_t rows = c->out[0].shape.dim[0], n = c->in[0].shape.dim[0];
    int64_t size = row_size(&c->out[0].shape), piece = 1024, pieces = (size + piece - 1) / piece;
    const float *src = c->in[1].data;
    float *dst = c->out[0].data;
#pragma omp parallel for schedule(static) if (n * size > 16384)
    for (int64_t p = 0; p < pieces; p++) {
        int64_t first = p * piece, end = first + piece < size ? first + piece : size;
        for (int64_t r = 0; r < rows; r++) {
            memset(dst + r * size + first, 0, (size_t)(end - first) * sizeof *dst);
        }
        for (int64_t i = 0; i < n; i++) {
            float *d = dst + row_at(&c->in[0], i, rows) * size;
            for (int64_t k = first; k < end; k++) {
                d[k] += src[i * size + k];
            }
        }
    }
}

static bool match_scatter_set(const struct gan__type *in, int n_in, const struct gan__type *out,
                              int n_out, const void *attr)
{
    (void)attr;
    return n_in == 3 && n_out == 1 && in[1].dtype == GAN_I32 && in[0].dtype == out[0].dtype &&
           in[2].dtype == out[0].dtype && out[0].shape.dim[0] > 0;
}

static void scatter_set(const struct gan__call *c)
{
    int64_t rows = c->out[0].shape.dim[0], n = c->in[1].shape.dim[0];
    size_t bytes = (size_t)row_size(&c->out[0].shape) * gan_dtype_size(c->out[0].dtype);
    if (c->out[0].data != c->in[0].data) {
        memcpy(c->out[0].data, c->in[0].data, (size_t)rows * bytes);
    }
    for (int64_t i = 0; i < n; i++) {
        size_t to = (size_t)row_at(&c->in[1], i, rows) * bytes;
        memcpy((char *)c->out[0].data + to, (const char *)c->in[2].data + (size_t)i * bytes, bytes);
    }
}

static bool match_one_hot(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 && in[0].dtype == GAN_I32 && out[0].dtype == GAN_F32;
}

static void one_hot(const struct gan__call *c)
{
    int64_t n = c->out[0].shape.dim[0], classes = c->out[0].shape.dim[1];
    const int32_t *y = c->in[0].data;
    float *dst = c->out[0].data;
    memset(dst, 0, (size_t)(n * classes) * sizeof *dst);
    for (int64_t i = 0; i < n; i++) {
        if (y[i] >= 0 && y[i] < classes) {
            dst[i * classes + y[i]] = 1.0f;
        }
    }
}

static bool match_argmax(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 && in[0].dtype == GAN_F32 && out[0].dtype == GAN_I32 &&
           gan_shape_count(&in[0].shape) > 0;
}

static void argmax(const struct gan__call *c)
{
    int64_t axis = ((const struct gan__attr_axis *)c->attr)->axis;
    const gan_shape *s = &c->in[0].shape;
    int64_t extent = s->dim[axis], step = 1, n = gan_shape_count(&c->out[0].shape);
    const float *x = c->in[0].data;
    int32_t *y = c->out[0].data;
    for (int64_t i = axis + 1; i < s->rank; i++) {
        step *= s->dim[i];
    }
#pragma omp parallel for schedule(static) if (n * extent > 16384)
    for (int64_t i = 0; i < n; i++) {
        const float *v = x + i / step * extent * step + i % step;
        int64_t best = 0;
        for (int64_t k = 1; k < extent; k++) {
            best = v[k * step] > v[best * step] ? k : best;
        }
        y[i] = (int32_t)best;
    }
}

/* clang-format off */
GAN_KERNEL(cpu, gather) = {.backend = "cpu", .op = "gather", .match = match_gather, .run = gather};
GAN_KERNEL(cpu, scatter_add) = {
    .backend = "cpu", .op = "scatter_add", .match = match_scatter_add, .run = scatter_add,
};
GAN_KERNEL(cpu, scatter_set) = {
    .backend = "cpu", .op = "scatter_set", .match = match_scatter_set, .run = scatter_set,
};
GAN_KERNEL(cpu, one_hot) = {
    .backend = "cpu", .op = "one_hot", .match = match_one_hot, .run = one_hot,
};
GAN_KERNEL(cpu, argmax) = {.backend = "cpu", .op = "argmax", .match = match_argmax, .run = argmax};
