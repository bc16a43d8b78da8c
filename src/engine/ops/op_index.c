/* op_index.c: gather, scatter_add, scatter_set, one_hot: rows of axis 0 chosen by an i32 vector.
 *
 * Indices out of range are clamped in the first three; gather and scatter_add are each other's
 * adjoints. one_hot keeps its classes in attr.size and its element type in attr.axis. */
#include "ref_util.h"

extern const struct gan__op gan__op_gather, gan__op_scatter_add, gan__op_scatter_set,
    gan__op_one_hot;

/* Checks that input i is an i32 vector. */
static bool index_ok(struct gan__infer *c, int i)
{
    const struct gan__type *t = &c->in[i];
    char text[96];
    if (t->dtype != GAN_I32 || t->shape.rank != 1)
        return gan__infer_fail(c, t->dtype != GAN_I32 ? GAN_E_DTYPE : GAN_E_SHAPE,
                               "indices are %s %s, expected i32 [M]", gan_dtype_name(t->dtype),
                               gan_shape_text(&t->shape, text, sizeof text));
    return true;
}

/* Elements of a row: all axes but the first. */
static int64_t row_count(const gan_shape *s)
{
    int64_t n = 1;
    for (int64_t i = 1; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

static int64_t index_at(const gan_tensor *idx, int64_t i, int64_t rows)
{
    int64_t k = (int64_t)gan_tensor_get(idx, i);
    return k < 0 ? 0 : k >= rows ? rows - 1 : k;
}

/* --- gather --------------------------------------------------------------------------------- */

static bool gather_infer(struct gan__infer *c)
{
    char text[96];
    if (!index_ok(c, 1))
        return false;
    if (c->in[0].shape.rank < 1)
        return gan__infer_fail(c, GAN_E_SHAPE, "shape %s, expected [rows,...]",
                               gan_shape_text(&c->in[0].shape, text, sizeof text));
    c->out[0] = c->in[0];
    c->out[0].shape.dim[0] = c->in[1].shape.dim[0];
    return true;
}

static void gather_vjp(const struct gan__vjp *c, gan_val *dx)
{
    if (c->need[0])
        dx[0] = gan_scatter_add(c->g, c->x[1], c->dy, gan_dim(c->g, c->x[0], 0));
}

static void gather_ref(const struct gan__call *c)
{
    int64_t rows = c->in[0].shape.dim[0], m = c->in[1].shape.dim[0];
    int64_t n = row_count(&c->in[0].shape);
    for (int64_t i = 0; i < m; i++) {
        int64_t from = index_at(&c->in[1], i, rows) * n;
        for (int64_t k = 0; k < n; k++)
            gan__copy_element(&c->out[0], i * n + k, &c->in[0], from + k);
    }
}

static const struct gan__case gather_cases[] = {
    {"[4,3] [5]", -2, 2, 0, 2, NULL, "f64 i32", 0, 4},
    {"[3,2,3] [2]", -2, 2, 0, 1, NULL, "f64 i32", 0, 5}, /* some out of range */
    {"[1] [1]", -2, 2, 0, 2, NULL, "f64 i32", 0, 1},
    {"[5] [3]", 0, 0, 0, 0, NULL, "i32 i32", 0, 5},
    {0},
};

GAN_OP(gather) = {
    .name = "gather",
    .doc = "rows at given indices",
    .n_in = 2,
    .n_out = 1,
    .infer = gather_infer,
    .vjp = gather_vjp,
    .ref = gather_ref,
    .flops = gan__flops_none,
    .cases = gather_cases,
};

gan_val gan_gather(gan_graph *g, gan_val x, gan_val idx)
{
    return gan__add_node(g, &gan__op_gather, (gan_val[]){x, idx}, 2, NULL);
}

/* --- scatter_add ---------------------------------------------------------------------------- */

static bool scatter_add_infer(struct gan__infer *c)
{
    const struct gan__attr_axis *a = c->attr;
    const gan_shape *idx = &c->in[0].shape, *src = &c->in[1].shape;
    if (!index_ok(c, 0))
        return false;
    if (!gan_dtype_is_real(c->in[1].dtype))
        return gan__infer_fail(c, GAN_E_DTYPE, "element type is %s, expected a real one",
                               gan_dtype_name(c->in[1].dtype));
    if (src->rank < 1 || src->dim[0] != idx->dim[0]) {
        char s[2][96];
        return gan__infer_fail(c, GAN_E_SHAPE, "indices %s and rows %s, expected [M] and [M,...]",
                               gan_shape_text(idx, s[0], sizeof s[0]),
                               gan_shape_text(src, s[1], sizeof s[1]));
    }
    if (a->size < 1)
        return gan__infer_fail(c, GAN_E_SHAPE, "%lld rows, expected at least 1",
                               (long long)a->size);
    c->out[0] = c->in[1];
    c->out[0].shape.dim[0] = a->size;
    return true;
}

static void scatter_add_vjp(const struct gan__vjp *c, gan_val *dx)
{
    if (c->need[1])
        dx[1] = gan_gather(c->g, c->dy, c->x[0]);
}

/* Each result adds its rows in the order of the indices, in f64. */
static void scatter_add_ref(const struct gan__call *c)
{
    int64_t rows = c->out[0].shape.dim[0], m = c->in[0].shape.dim[0];
    int64_t n = row_count(&c->out[0].shape);
    for (int64_t i = 0; i < rows * n; i++) {
        double total = 0.0;
        for (int64_t k = 0; k < m; k++) {
            if (index_at(&c->in[0], k, rows) == i / n)
                total += gan_tensor_get(&c->in[1], k * n + i % n);
        }
        gan_tensor_set(&c->out[0], i, total);
    }
}

static const struct gan__attr_axis rows_4 = {0, 4}, rows_1 = {0, 1};

static const struct gan__case scatter_add_cases[] = {
    {"[5] [5,3]", -2, 2, 2e-6, 2, &rows_4, "i32 f64", 0, 4},
    {"[7] [7,2,3]", -2, 2, 2e-6, 1, &rows_4, "i32 f64", 0, 6}, /* some out of range */
    {"[1] [1]", -2, 2, 2e-6, 2, &rows_1, "i32 f64", 0, 1},
    {0},
};

GAN_OP(scatter_add) = {
    .name = "scatter_add",
    .doc = "rows added up at given indices",
    .n_in = 2,
    .n_out = 1,
    .attr_size = sizeof(struct gan__attr_axis),
    .infer = scatter_add_infer,
    .vjp = scatter_add_vjp,
    .ref = scatter_add_ref,
    .cases = scatter_add_cases,
};

gan_val gan_scatter_add(gan_graph *g, gan_val idx, gan_val src, int64_t rows)
{
    struct gan__attr_axis attr = {.size = rows};
    return gan__add_node(g, &gan__op_scatter_add, (gan_val[]){idx, src}, 2, &attr);
}

/* --- scatter_set ---------------------------------------------------------------------------- */

static bool scatter_set_infer(struct gan__infer *c)
{
    const gan_shape *x = &c->in[0].shape, *idx = &c->in[1].shape, *src = &c->in[2].shape;
    if (!index_ok(c, 1))
        return false;
    bool fits = x->rank >= 1 && x->rank == src->rank && src->dim[0] == idx->dim[0];
    for (int64_t i = 1; fits && i < x->rank; i++)
        fits = x->dim[i] == src->dim[i];
    if (!fits) {
        char s[3][96];
        return gan__infer_fail(
            c, GAN_E_SHAPE, "shapes %s, %s and %s, expected [rows,...], [M] and [M,...]",
            gan_shape_text(x, s[0], sizeof s[0]), gan_shape_text(idx, s[1], sizeof s[1]),
            gan_shape_text(src, s[2], sizeof s[2]));
    }
    if (c->in[0].dtype != c->in[2].dtype)
        return gan__infer_fail(c, GAN_E_DTYPE, "element types %s and %s differ",
                               gan_dtype_name(c->in[0].dtype), gan_dtype_name(c->in[2].dtype));
    c->out[0] = c->in[0];
    return true;
}

/* [M] bool, true where position i is the last with its index: the positions themselves are
 * scattered, so the winner finds its own number. Exact while M < 2^24. */
static gan_val winners(gan_graph *g, gan_val idx, int64_t rows, gan_dtype real)
{
    gan_val position = gan_cast(g, gan_iota(g, gan_dim(g, idx, 0)), real);
    struct gan__attr_fill none = {.value = -1.0, .dtype = (int64_t)real, .shape = GAN_SHAPE(rows)};
    gan_val table = gan__add_node(g, &gan__op_fill, NULL, 0, &none);
    return gan_equal(g, gan_gather(g, gan_scatter_set(g, table, idx, position), idx), position);
}

static void scatter_set_vjp(const struct gan__vjp *c, gan_val *dx)
{
    gan_graph *g = c->g;
    gan_val idx = c->x[1];
    if (c->need[0])
        dx[0] = gan_scatter_set(g, c->dy, idx, gan__fill_like(g, c->x[2], 0.0));
    if (!c->need[2])
        return;
    gan_shape s = gan_shape_get(g, c->x[2]), column = s;
    for (int64_t i = 1; i < s.rank; i++)
        column.dim[i] = 1;
    gan_val mask = winners(g, idx, gan_dim(g, c->x[0], 0), gan_dtype_get(g, c->dy));
    dx[2] = gan__pass_where(g, gan_broadcast(g, gan_reshape(g, mask, column), s),
                            gan_gather(g, c->dy, idx));
}

static void scatter_set_ref(const struct gan__call *c)
{
    int64_t rows = c->in[0].shape.dim[0], m = c->in[1].shape.dim[0];
    int64_t n = row_count(&c->in[0].shape);
    for (int64_t i = 0; i < rows * n && c->out[0].data != c->in[0].data; i++)
        gan__copy_element(&c->out[0], i, &c->in[0], i);
    for (int64_t i = 0; i < m; i++) {
        int64_t to = index_at(&c->in[1], i, rows) * n;
        for (int64_t k = 0; k < n; k++)
            gan__copy_element(&c->out[0], to + k, &c->in[2], i * n + k);
    }
}

static const struct gan__case scatter_set_cases[] = {
    {"[4,3] [3] [3,3]", -2, 2, 0, 2, NULL, "f64 i32 f64", 0, 4},
    {"[3,2,2] [7] [7,2,2]", -2, 2, 0, 1, NULL, "f64 i32 f64", 0, 4}, /* equal indices */
    {"[1] [1] [1]", -2, 2, 0, 2, NULL, "f64 i32 f64", 0, 1},
    {"[5] [3] [3]", 0, 0, 0, 0, NULL, "i32 i32 i32", 0, 5},
    {0},
};

GAN_OP(scatter_set) = {
    .name = "scatter_set",
    .doc = "rows replaced at given indices, the last of equal indices wins",
    .n_in = 3,
    .n_out = 1,
    .infer = scatter_set_infer,
    .vjp = scatter_set_vjp,
    .ref = scatter_set_ref,
    .flops = gan__flops_none,
    .cases = scatter_set_cases,
};

gan_val gan_scatter_set(gan_graph *g, gan_val x, gan_val idx, gan_val src)
{
    return gan__add_node(g, &gan__op_scatter_set, (gan_val[]){x, idx, src}, 3, NULL);
}

/* --- one_hot -------------------------------------------------------------------------------- */

static bool one_hot_infer(struct gan__infer *c)
{
    const struct gan__attr_axis *a = c->attr;
    if (!index_ok(c, 0))
        return false;
    if (a->size < 1)
        return gan__infer_fail(c, GAN_E_SHAPE, "%lld classes, expected at least 1",
                               (long long)a->size);
    c->out[0] = (struct gan__type){(gan_dtype)a->axis, GAN_SHAPE(c->in[0].shape.dim[0], a->size)};
    return true;
}

static void one_hot_ref(const struct gan__call *c)
{
    int64_t n = c->out[0].shape.dim[0], classes = c->out[0].shape.dim[1];
    for (int64_t i = 0; i < n; i++) {
        int64_t y = (int64_t)gan_tensor_get(&c->in[0], i);
        for (int64_t k = 0; k < classes; k++)
            gan_tensor_set(&c->out[0], i * classes + k, k == y ? 1.0 : 0.0);
    }
}

static const struct gan__attr_axis classes_5 = {GAN_F64, 5}, classes_1 = {GAN_F64, 1},
                                   classes_3 = {GAN_F32, 3};

static const struct gan__case one_hot_cases[] = {
    {"[7]", 0, 0, 0, 0, &classes_5, "i32", 0, 7}, /* some out of range */
    {"[1]", 0, 0, 0, 0, &classes_1, "i32", 0, 1},
    {"[4]", 0, 0, 0, 0, &classes_3, "i32", 0, 3},
    {0},
};

GAN_OP(one_hot) = {
    .name = "one_hot",
    .doc = "a 1 at each index, zeros elsewhere; a row of zeros for an index out of range",
    .n_in = 1,
    .n_out = 1,
    .flags = GAN_OP_ZERO_GRAD,
    .attr_size = sizeof(struct gan__attr_axis),
    .infer = one_hot_infer,
    .ref = one_hot_ref,
    .flops = gan__flops_none,
    .cases = one_hot_cases,
};

gan_val gan_one_hot(gan_graph *g, gan_val idx, int64_t classes)
{
    struct gan__attr_axis attr = {.axis = (int64_t)gan_graph_real(g), .size = classes};
    return gan__add_node(g, &gan__op_one_hot, &idx, 1, &attr);
}
