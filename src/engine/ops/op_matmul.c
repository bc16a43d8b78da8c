/* op_matmul.c: matrix product of the last two axes, batched over equal leading axes.
 *
 * C = op(A) op(B) where op is the identity or the transpose. The derivative of each of the four
 * forms is again two products of these forms, so the op is closed to any order. */
#include "engine/graph/attr.h"
#include "engine/graph/op.h"
#include "engine/kernels/load.h"

extern GAN_OP(matmul);

gan_val gan_matmul(gan_graph *g, gan_val a, gan_val b, bool ta, bool tb)
{
    const struct gan__attr_matmul attr = {.ta = ta, .tb = tb};
    return gan__add_node(g, &gan__op_matmul, (const gan_val[]){a, b}, 2, &attr);
}

/* Extents of one product. */
struct extents {
    int64_t batch, m, n, k;
};

static struct extents extents_of(const gan_shape *a, const gan_shape *out, bool ta)
{
    const int64_t r = a->rank;
    struct extents e = {.batch = 1, .m = out->dim[r - 2], .n = out->dim[r - 1]};
    e.k = a->dim[ta ? r - 2 : r - 1];
    for (int64_t i = 0; i < r - 2; i++) {
        e.batch *= a->dim[i];
    }
    return e;
}

static bool infer_matmul(struct gan__infer *c)
{
    const struct gan__attr_matmul *at = c->attr;
    const gan_shape *a = &c->in[0].shape, *b = &c->in[1].shape;
    char ta[96], tb[96];
    gan_shape_text(a, ta, sizeof ta);
    gan_shape_text(b, tb, sizeof tb);
    if (!gan_dtype_is_real(c->in[0].dtype) || c->in[0].dtype != c->in[1].dtype) {
        return gan__infer_fail(c, GAN_E_DTYPE, "needs two tensors of one real type, not %s and %s",
                               gan_dtype_name(c->in[0].dtype), gan_dtype_name(c->in[1].dtype));
    }
    if (a->rank < 2 || a->rank != b->rank) {
        return gan__infer_fail(c, GAN_E_SHAPE, "needs two tensors of one rank >= 2, not %s and %s",
                               ta, tb);
    }
    const int64_t r = a->rank;
    for (int64_t i = 0; i < r - 2; i++) {
        if (a->dim[i] != b->dim[i]) {
            return gan__infer_fail(c, GAN_E_SHAPE,
                                   "%s and %s differ in leading axis %lld: %lld against %lld", ta,
                                   tb, (long long)i, (long long)a->dim[i], (long long)b->dim[i]);
        }
    }
    const int64_t ka = a->dim[at->ta ? r - 2 : r - 1], kb = b->dim[at->tb ? r - 1 : r - 2];
    if (ka != kb) {
        return gan__infer_fail(c, GAN_E_SHAPE, "%s%s times %s%s: inner extents %lld and %lld", ta,
                               at->ta ? " transposed" : "", tb, at->tb ? " transposed" : "",
                               (long long)ka, (long long)kb);
    }
    c->out[0] = c->in[0];
    c->out[0].shape.dim[r - 2] = a->dim[at->ta ? r - 1 : r - 2];
    c->out[0].shape.dim[r - 1] = b->dim[at->tb ? r - 2 : r - 1];
    return true;
}

/* C = AB: dA = dC B', dB = A' dC; a transposed factor gets the transposed product. */
static void matmul_vjp(const struct gan__vjp *c, gan_val *dx)
{
    const struct gan__attr_matmul *at = c->attr;
    const bool ta = at->ta != 0, tb = at->tb != 0;
    const gan_val a = c->x[0], b = c->x[1];
    if (c->need[0]) {
        dx[0] = ta ? gan_matmul(c->g, b, c->dy, tb, true) : gan_matmul(c->g, c->dy, b, false, !tb);
    }
    if (c->need[1]) {
        dx[1] = tb ? gan_matmul(c->g, c->dy, a, true, ta) : gan_matmul(c->g, a, c->dy, !ta, false);
    }
}

/* Row m of product z. */
GAN_INLINE void matmul_row(const struct gan__call *c, gan_dtype d, const struct extents *e,
                           int64_t row)
{
    const struct gan__attr_matmul *at = c->attr;
    const int64_t z = row / e->m, m = row % e->m;
    const int64_t a0 = z * e->m * e->k + (at->ta ? m : m * e->k), as = at->ta ? e->m : 1;
    const int64_t b0 = z * e->k * e->n, bn = at->tb ? e->k : 1, bk = at->tb ? 1 : e->n;
    for (int64_t n = 0; n < e->n; n++) {
        double sum = 0.0;
        for (int64_t k = 0; k < e->k; k++) {
            sum += gan__load(d, c->in[0].data, a0 + k * as) *
                   gan__load(d, c->in[1].data, b0 + k * bk + n * bn);
        }
        gan__store(d, c->out[0].data, row * e->n + n, sum);
    }
}

static void row_f32(const struct gan__call *c, const struct extents *e, int64_t row)
{
    matmul_row(c, GAN_F32, e, row);
}

static void row_f64(const struct gan__call *c, const struct extents *e, int64_t row)
{
    matmul_row(c, GAN_F64, e, row);
}

static void row_any(const struct gan__call *c, const struct extents *e, int64_t row)
{
    matmul_row(c, c->in[0].dtype, e, row);
}

static void ref_matmul(const struct gan__call *c)
{
    const struct gan__attr_matmul *at = c->attr;
    const struct extents e = extents_of(&c->in[0].shape, &c->out[0].shape, at->ta != 0);
    const gan_dtype d = c->in[0].dtype;
    void (*row)(const struct gan__call *, const struct extents *, int64_t) =
        d == GAN_F32 ? row_f32 : (d == GAN_F64 ? row_f64 : row_any);
    const int64_t rows = e.batch * e.m;
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t r = 0; r < rows; r++) {
        row(c, &e, r);
    }
}

static double matmul_flops(const struct gan__type *in, const struct gan__type *out,
                           const void *attr)
{
    const struct gan__attr_matmul *at = attr;
    const struct extents e = extents_of(&in[0].shape, &out[0].shape, at->ta != 0);
    return 2.0 * (double)e.batch * (double)e.m * (double)e.n * (double)e.k;
}

static const struct gan__attr_matmul nn = {0, 0}, nt = {0, 1}, tn = {1, 0}, tt = {1, 1};

static const struct gan__case matmul_cases[] = {
    {"[3,4] [4,5]", -1.0, 1.0, 1e-6, 3, &nn, NULL, 0.0, 0.0},
    {"[3,4] [5,4]", -1.0, 1.0, 1e-6, 2, &nt, NULL, 0.0, 0.0},
    {"[4,3] [4,5]", -1.0, 1.0, 1e-6, 2, &tn, NULL, 0.0, 0.0},
    {"[4,3] [5,4]", -1.0, 1.0, 1e-6, 2, &tt, NULL, 0.0, 0.0},
    {"[2,3,4] [2,4,2]", -1.0, 1.0, 1e-6, 2, &nn, NULL, 0.0, 0.0},
    {"[2,2,3,2] [2,2,4,3]", -1.0, 1.0, 1e-6, 2, &tt, NULL, 0.0, 0.0},
    {"[1,1] [1,1]", -1.0, 1.0, 1e-6, 2, &nn, NULL, 0.0, 0.0},
    {"[1,7] [7,1]", -1.0, 1.0, 1e-6, 2, &nn, NULL, 0.0, 0.0},
    {"[7,1] [1,3]", -1.0, 1.0, 1e-6, 2, &nn, NULL, 0.0, 0.0},
    /* beyond one block of any kernel; derivatives are those of the small cases */
    {"[67,130] [130,71]", -1.0, 1.0, 1e-5, 0, &nn, NULL, 0.0, 0.0},
    {"[130,67] [71,130]", -1.0, 1.0, 1e-5, 0, &tt, NULL, 0.0, 0.0},
    {0},
};

GAN_OP(matmul) = {
    .name = "matmul",
    .doc = "product of the last two axes, batched, with transposes",
    .n_in = 2,
    .n_out = 1,
    .flags = GAN_OP_HEAVY,
    .attr_size = sizeof(struct gan__attr_matmul),
    .infer = infer_matmul,
    .vjp = matmul_vjp,
    .ref = ref_matmul,
    .flops = matmul_flops,
    .cases = matmul_cases,
};
