/* ref_util.c: elementwise maps and walks over index spaces for the reference kernels. */
#include "ref_util.h"

#include <string.h>

void gan__ref_map1(const struct gan__call *c, double (*f)(double x))
{
    int64_t n = gan_shape_count(&c->out[0].shape);
    for (int64_t i = 0; i < n; i++)
        gan_tensor_set(&c->out[0], i, f(gan_tensor_get(&c->in[0], i)));
}

void gan__ref_map2(const struct gan__call *c, double (*f)(double a, double b))
{
    int64_t n = gan_shape_count(&c->out[0].shape);
    for (int64_t i = 0; i < n; i++)
        gan_tensor_set(&c->out[0], i,
                       f(gan_tensor_get(&c->in[0], i), gan_tensor_get(&c->in[1], i)));
}

void gan__ref_map_num(const struct gan__call *c,
                      double (*f)(double x, const struct gan__attr_num *n))
{
    int64_t n = gan_shape_count(&c->out[0].shape);
    for (int64_t i = 0; i < n; i++)
        gan_tensor_set(&c->out[0], i, f(gan_tensor_get(&c->in[0], i), c->attr));
}

void gan__strides(const gan_shape *s, int64_t stride[GAN_MAX_RANK])
{
    int64_t step = 1;
    for (int64_t a = s->rank - 1; a >= 0; a--) {
        stride[a] = step;
        step *= s->dim[a];
    }
}

void gan__walk_start(struct gan__walk *w, const gan_shape *shape, const int64_t *stride,
                     int64_t offset)
{
    *w = (struct gan__walk){.rank = (int)shape->rank, .offset = offset};
    for (int a = 0; a < w->rank; a++) {
        w->dim[a] = shape->dim[a];
        w->stride[a] = stride[a];
    }
}

void gan__copy_element(const gan_tensor *dst, int64_t to, const gan_tensor *src, int64_t from)
{
    size_t size = gan_dtype_size(dst->dtype);
    memcpy((char *)dst->data + (size_t)to * size, (const char *)src->data + (size_t)from * size,
           size);
}

void gan__ref_copy_from(const struct gan__call *c, struct gan__walk *w)
{
    int64_t n = gan_shape_count(&c->out[0].shape);
    for (int64_t i = 0; i < n; i++, gan__walk_next(w))
        gan__copy_element(&c->out[0], i, &c->in[0], w->offset);
}

double gan__flops_per_input(const struct gan__type *in, const struct gan__type *out,
                            const void *attr)
{
    (void)out;
    (void)attr;
    return (double)gan_shape_count(&in[0].shape);
}

double gan__flops_none(const struct gan__type *in, const struct gan__type *out, const void *attr)
{
    (void)in;
    (void)out;
    (void)attr;
    return 0.0;
}

gan_val gan__fill_like(gan_graph *g, gan_val v, double value)
{
    if (!gan_ok(v))
        return GAN_NONE;
    const struct gan__type *t = gan__type_of(g, v);
    struct gan__attr_fill attr = {.value = value, .dtype = t->dtype, .shape = t->shape};
    return gan__add_node(g, &gan__op_fill, NULL, 0, &attr);
}

gan_val gan__pass_where(gan_graph *g, gan_val mask, gan_val dy)
{
    return gan_select(g, mask, dy, gan__fill_like(g, dy, 0.0));
}
