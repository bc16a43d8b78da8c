/* pass_fold.c: values that are one number everywhere become `fill`: elementwise ops of fills by the
 * op's reference kernel on one element, ops that move elements by moving none, sums by counting.
 *
 * The reference computes in f64 where a vector kernel may round on the way: results may differ from
 * an unfolded run by the kernel's own error. */
#include "known.h"

#include "base/err.h"

#define MAX_IN 8

/* One element through the reference kernel. */
static bool evaluate(const struct gan__node *n, const gan_graph *g, const gan_val *in,
                     double *value)
{
    gan_tensor args[MAX_IN], out;
    double memory[MAX_IN + 1] = {0};
    for (int j = 0; j < n->n_in; j++) {
        double v;
        if (!gan__is_fill(g, in[j], &v)) {
            return false;
        }
        args[j] = (gan_tensor){gan__type_of(g, in[j])->dtype, gan_shape_scalar(), &memory[j]};
        gan_tensor_set(&args[j], 0, v);
    }
    out = (gan_tensor){n->out[0].dtype, gan_shape_scalar(), &memory[MAX_IN]};
    struct gan__call c = {.attr = n->attr, .in = args, .out = &out, .n_in = n->n_in, .n_out = 1};
    n->op->ref(&c);
    *value = gan_tensor_get(&out, 0);
    return true;
}

static bool moves_elements(const struct gan__op *op)
{
    return op == &gan__op_broadcast || op == &gan__op_reshape || op == &gan__op_stop ||
           op == &gan__op_transpose || op == &gan__op_slice || op == &gan__op_concat ||
           op == &gan__op_reduce_max || op == &gan__op_gather;
}

static bool all_equal(const struct gan__node *n, const gan_graph *g, const gan_val *in,
                      double *value)
{
    int last = n->op == &gan__op_gather ? 1 : n->n_in; /* not the indices */
    *value = 0;
    for (int j = 0; j < last; j++) {
        double v;
        if (!gan__is_fill(g, in[j], &v) || (j > 0 && v != *value)) {
            return false;
        }
        *value = v;
    }
    return true;
}

static bool fold_pad(const struct gan__node *n, const gan_graph *g, const gan_val *in,
                     double *value)
{
    const struct gan__attr_slice *a = n->attr;
    return gan__is_fill(g, in[0], value) && (a->mode != GAN_PAD_ZERO || *value == 0.0);
}

static bool fold_sum(const struct gan__node *n, const gan_graph *g, const gan_val *in,
                     double *value)
{
    const struct gan__type *t = gan__type_of(g, in[0]);
    int64_t out = gan_shape_count(&n->out[0].shape);
    if (out == 0 || !gan__is_fill(g, in[0], value)) {
        return false;
    }
    *value *= (double)(gan_shape_count(&t->shape) / out);
    return true;
}

/* Is the node's only output one number everywhere? */
static bool fold_node(const struct gan__node *n, const gan_graph *g, const gan_val *in,
                      double *value)
{
    if (n->n_in < 1 || n->n_in > MAX_IN || n->n_out != 1) {
        return false;
    }
    if ((n->op->flags & GAN_OP_ELEMENTWISE) && n->op->ref && n->out[0].dtype != GAN_I64) {
        return evaluate(n, g, in, value);
    }
    if (moves_elements(n->op)) {
        return all_equal(n, g, in, value);
    }
    if (n->op == &gan__op_pad) {
        return fold_pad(n, g, in, value);
    }
    return n->op == &gan__op_sum && fold_sum(n, g, in, value);
}

static gan_status run(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    for (size_t i = 1; i < rw.src->n_nodes && rw.dst->err.code == GAN_OK; i++) {
        const struct gan__node *n = &rw.src->nodes[i];
        gan_val in[MAX_IN];
        double value = 0;
        for (int j = 0; j < n->n_in && j < MAX_IN; j++) {
            in[j] = gan__rewrite_get(&rw, n->in[j]);
        }
        if (fold_node(n, rw.dst, in, &value)) {
            gan__rewrite_set(&rw, (gan_val){(uint32_t)i, 0},
                             gan__ir_fill(rw.dst, value, &n->out[0], n));
        } else {
            gan__rewrite_copy(&rw, i);
        }
    }
    return gan__rewrite_end(&rw, GAN_OK, err);
}

GAN_PASS(fold) = {
    .name = "fold",
    .doc = "compute constants while compiling",
    .rank = 10,
    .repeat = true,
    .run = run,
};
