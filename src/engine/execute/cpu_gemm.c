/* cpu_gemm.c: matrix products in plain C, for builds without a library and for what it refuses. */
#include "base/err.h"
#include "engine/compile/fused.h"
#include "engine/graph/attr.h"
#include "engine/kernels/gemm.h"
#include "cpu_post.h"
#include "kernel.h"

/* What run needs and does not find in the call. */
struct product {
    int64_t batch, m, n, k;
    bool ta, tb;
    int threads;
    const struct gan__attr_post *post; /* NULL for nothing */
};

static gan_status prepare(struct gan__prepare *p, bool ta, bool tb,
                          const struct gan__attr_post *post, gan_err *err)
{
    const gan_shape *a = &p->in[0].shape, *c = &p->out[0].shape;
    const int64_t r = c->rank;
    struct product *x = gan__arena_alloc(p->arena, sizeof *x);
    if (x == NULL) {
        return gan__fail_nomem(err, sizeof *x, "a matrix product");
    }
    *x = (struct product){.batch = 1,
                          .m = c->dim[r - 2],
                          .n = c->dim[r - 1],
                          .k = a->dim[ta ? r - 2 : r - 1],
                          .ta = ta,
                          .tb = tb,
                          .threads = p->threads,
                          .post = post};
    for (int64_t i = 0; i < r - 2; i++) {
        x->batch *= c->dim[i];
    }
    p->ctx = x;
    p->scratch_bytes = gan__gemm_scratch(x->m, x->n, x->k, x->threads);
    return GAN_OK;
}

static gan_status prepare_plain(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_matmul *a = p->attr;
    return prepare(p, a->ta != 0, a->tb != 0, NULL, err);
}

static gan_status prepare_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare(p, a->ta != 0, a->tb != 0, a, err);
}

static void run(const struct gan__call *c)
{
    const struct product *x = c->ctx;
    struct gan__gemm_matrix a = {c->in[0].data, x->ta ? 1 : x->k, x->ta ? x->m : 1};
    struct gan__gemm_matrix b = {c->in[1].data, x->tb ? x->k : 1, x->tb ? 1 : x->n};
    struct gan__gemm g = {.m = x->m,
                          .n = x->n,
                          .k = x->k,
                          .pack_a = gan__gemm_pack_matrix,
                          .pack_b = gan__gemm_pack_matrix,
                          .a = &a,
                          .b = &b,
                          .c = c->out[0].data,
                          .ldc = x->n};
    for (int64_t i = 0; i < x->batch; i++) {
        gan__gemm_run(&g, x->threads, c->scratch);
        a.data += x->m * x->k;
        b.data += x->k * x->n;
        g.c += x->m * x->n;
    }
    if (x->post != NULL) {
        gan__cpu_post(x->post, c->out[0].data, x->batch * x->m, x->n,
                      c->n_in > 2 ? c->in[2].data : NULL);
    }
}

GAN_KERNEL(cpu, matmul, plain) = {.backend = "cpu",
                                  .op = "matmul",
                                  .rank = 10,
                                  .match = gan__match_f32,
                                  .prepare = prepare_plain,
                                  .run = run};

GAN_KERNEL(cpu, matmul_post, plain) = {.backend = "cpu",
                                       .op = "matmul_post",
                                       .rank = 10,
                                       .match = gan__match_f32,
                                       .prepare = prepare_post,
                                       .run = run};
