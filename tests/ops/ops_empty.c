/* ops_empty.c: tensors without elements through every op that allows them. */
#include "ops_tests.h"

#include <stdio.h>
#include <string.h>

static gan_val empty_broadcast(gan_graph *g, gan_val x)
{
    return gan_broadcast(g, gan_slice_axis(g, x, 1, 0, 1), GAN_SHAPE(2, 0, 3));
}

static gan_val empty_reshape(gan_graph *g, gan_val x)
{
    return gan_reshape(g, x, GAN_SHAPE(3, 0, 5));
}

static gan_val empty_transpose(gan_graph *g, gan_val x)
{
    return gan_transpose(g, gan_broadcast(g, x, GAN_SHAPE(2, 0, 3)), (const int[]){2, 0, 1});
}

static gan_val empty_slice(gan_graph *g, gan_val x)
{
    return gan_slice_axis(g, x, 1, 1, 2);
}

static gan_val empty_pad(gan_graph *g, gan_val x)
{
    return gan_pad(g, x, (const int64_t[]){1, 0}, (const int64_t[]){0, 1}, GAN_PAD_ZERO);
}

static gan_val empty_pad_grad(gan_graph *g, gan_val x)
{
    gan_val y = gan_pad(g, x, (const int64_t[]){0, 1}, (const int64_t[]){0, 1}, GAN_PAD_REFLECT);
    gan_val one = gan_ones_like(g, y), dx;
    gan_vjp(g, &y, &one, 1, &x, 1, &dx);
    return dx;
}

static gan_val empty_concat(gan_graph *g, gan_val x)
{
    return gan_concat(g, (const gan_val[]){x, gan_fill(g, 1, GAN_SHAPE(2, 3)), x}, 3, 0);
}

static gan_val empty_sum(gan_graph *g, gan_val x)
{
    return gan_sum(g, x, GAN_AXIS(1), false);
}

static gan_val empty_stop(gan_graph *g, gan_val x)
{
    return gan_stop(g, x);
}

static gan_val empty_cast(gan_graph *g, gan_val x)
{
    return gan_cast(g, gan_cast(g, x, GAN_I32), GAN_F64);
}

static gan_val empty_select(gan_graph *g, gan_val x)
{
    return gan_select(g, gan_greater(g, x, x), x, gan_neg(g, x));
}

static const struct empty {
    const char *op;
    gan_val (*build)(gan_graph *g, gan_val x); /* x is [0,3] */
    int64_t count;                             /* elements of the result */
} table[] = {
    {"broadcast", empty_broadcast, 0},
    {"reshape", empty_reshape, 0},
    {"transpose", empty_transpose, 0},
    {"slice", empty_slice, 0},
    {"pad", empty_pad, 4},
    {"pad_grad", empty_pad_grad, 0},
    {"concat", empty_concat, 6},
    {"sum", empty_sum, 0},
    {"stop", empty_stop, 0},
    {"cast", empty_cast, 0},
    {"select", empty_select, 0},
};

/* Result and derivative of a build on [0,3] must run on both backends and have the right sizes. */
static bool runs_empty(const struct gan__op *op, const struct empty *e, const char *backend)
{
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val x = gan_fill(g, 0.5, GAN_SHAPE(0, 3)), out[2];
    if (e) {
        out[0] = e->build(g, x);
    } else {
        gan_val in[3] = {x, x, x};
        out[0] = gan__add_node(g, op, in, op->n_in, op->cases[0].attr);
    }
    gan_val y = out[0], dy = gan_ones_like(g, y);
    if (gan_dtype_is_real(gan_dtype_get(g, y)))
        gan_vjp(g, &y, &dy, 1, &x, 1, &out[1]);
    else
        out[1] = x;
    double got[16];
    size_t n = 0;
    bool good = values_of(g, out, 2, backend, got, 16, &n);
    gan_shape dx = gan_shape_get(g, out[1]), want = GAN_SHAPE(0, 3);
    good = good && n == (size_t)(e ? e->count : 0) && gan_shape_equal(&dx, &want);
    if (!good)
        fprintf(stderr, "%s on [0,3] with %s: %zu elements\n", op->name, backend, n);
    gan_graph_free(g);
    checks++;
    return good;
}

static const struct empty *entry(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].op, name) == 0)
            return &table[i];
    }
    return NULL;
}

void test_empty(void **state)
{
    (void)state;
    int before = failures;
    for (const struct gan__op *const *p = gan__ops; *p; p++) {
        const struct gan__op *op = *p;
        if (!(op->flags & GAN_OP_EMPTY_OK) ||
            (op->flags & (GAN_OP_SOURCE | GAN_OP_RANDOM | GAN_OP_INTERNAL)))
            continue;
        const struct empty *e = entry(op->name);
        if (!e && !(op->flags & GAN_OP_ELEMENTWISE)) {
            fprintf(stderr, "%s allows empty tensors and has no test of them\n", op->name);
            failures++;
            continue;
        }
        failures += !runs_empty(op, e, "ref");
        failures += !runs_empty(op, e, "cpu");
    }
    assert_int_equal(failures, before);
}
