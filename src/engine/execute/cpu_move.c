/* cpu_move.c: operations that move elements: broadcast, transpose, slice, concat. They serve
 * every element type. */
#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/copy.h"
#include "kernel.h"

#include <string.h>

/* One type on both sides; empty tensors are fine. */
static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    for (int i = 0; i < n_in; i++) {
        if (in[i].dtype != out[0].dtype || in[i].shape.rank != out[0].shape.rank) {
            return false;
        }
    }
    return n_out == 1;
}

static struct gan__box box_of(const gan_shape *s)
{
    struct gan__box b = {.rank = (int)s->rank};
    memcpy(b.dim, s->dim, sizeof b.dim);
    return b;
}

static void broadcast(const struct gan__call *c)
{
    const gan_shape *in = &c->in[0].shape;
    struct gan__box b = box_of(&c->out[0].shape);
    gan__row_major(in, b.from);
    gan__row_major(&c->out[0].shape, b.to);
    for (int i = 0; i < b.rank; i++) {
        b.from[i] = in->dim[i] == 1 ? 0 : b.from[i];
    }
    gan__copy_box(&b, c->in[0].data, c->out[0].data, gan_dtype_size(c->out[0].dtype));
}

static void transpose(const struct gan__call *c)
{
    const struct gan__attr_perm *a = c->attr;
    int64_t stride[GAN_MAX_RANK];
    struct gan__box b = box_of(&c->out[0].shape);
    gan__row_major(&c->in[0].shape, stride);
    gan__row_major(&c->out[0].shape, b.to);
    for (int i = 0; i < b.rank; i++) {
        b.from[i] = stride[a->perm[i]];
    }
    gan__copy_box(&b, c->in[0].data, c->out[0].data, gan_dtype_size(c->out[0].dtype));
}

static void slice(const struct gan__call *c)
{
    const struct gan__attr_slice *a = c->attr;
    size_t size = gan_dtype_size(c->out[0].dtype);
    int64_t at = 0;
    struct gan__box b = box_of(&c->out[0].shape);
    gan__row_major(&c->in[0].shape, b.from);
    gan__row_major(&c->out[0].shape, b.to);
    for (int i = 0; i < b.rank; i++) {
        at += a->begin[i] * b.from[i];
    }
    gan__copy_box(&b, (const char *)c->in[0].data + at * (int64_t)size, c->out[0].data, size);
}

static void concat(const struct gan__call *c)
{
    const struct gan__attr_axis *a = c->attr;
    size_t size = gan_dtype_size(c->out[0].dtype);
    int64_t at = 0;
    for (int k = 0; k < c->n_in; k++) {
        struct gan__box b = box_of(&c->in[k].shape);
        gan__row_major(&c->in[k].shape, b.from);
        gan__row_major(&c->out[0].shape, b.to);
        gan__copy_box(&b, c->in[k].data, (char *)c->out[0].data + at * (int64_t)size, size);
        at += c->in[k].shape.dim[a->axis] * b.to[a->axis];
    }
}

/* clang-format off */
GAN_KERNEL(cpu, broadcast) = {.backend = "cpu", .op = "broadcast", .match = match, .run = broadcast};
GAN_KERNEL(cpu, transpose) = {.backend = "cpu", .op = "transpose", .match = match, .run = transpose};
GAN_KERNEL(cpu, slice) = {.backend = "cpu", .op = "slice", .match = match, .run = slice};
GAN_KERNEL(cpu, concat) = {.backend = "cpu", .op = "concat", .match = match, .run = concat};
