/* dnnl_matmul.c: matrix products on oneDNN: leading axes are one batch axis, transposes are
 * strides, bias and activation are library post-ops. */
#include "dnnl_compat.h"

#include "base/err.h"
#include "kernel.h"
#include <gan/plan.h>

struct product {
    struct gan__dnnl_step main;
};

/* Batch, rows and columns of a matrix operand as it enters the product. */
static gan__md *operand(const gan_shape *s, bool transposed, gan_dtype type)
{
    int64_t batch = 1, rows = s->dim[s->rank - 2], cols = s->dim[s->rank - 1];
    for (int64_t i = 0; i + 2 < s->rank; i++) {
        batch *= s->dim[i];
    }
    int64_t dims[] = {batch, transposed ? cols : rows, transposed ? rows : cols};
    int64_t strides[] = {rows * cols, transposed ? 1 : cols, transposed ? cols : 1};
    int skip = s->rank == 2;
    return gan__md_new_as(gan__dnnl_type(type), 3 - skip, dims + skip, strides + skip);
}

static void release(void *ctx)
{
    struct product *k = ctx;
    gan__dnnl_step_release(&k->main);
}

static gan_status bind_main(struct product *k, const_dnnl_primitive_desc_t pd, bool bias,
                            gan_err *err)
{
    static const struct {
        int arg;
        dnnl_query_t query;
    } table[] = {{DNNL_ARG_SRC, dnnl_query_src_md},
                 {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                 {DNNL_ARG_DST, dnnl_query_dst_md},
                 {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md},
                 {DNNL_ARG_BIAS, dnnl_query_weights_md}};
    gan_status st = gan__dnnl_step_init(&k->main, pd, err);
    for (int i = 0; i < (bias ? 5 : 4) && st == GAN_OK; i++) {
        const gan__md *md = dnnl_primitive_desc_query_md(pd, table[i].query, i == 4);
        st = gan__dnnl_step_arg(&k->main, table[i].arg, md, err);
    }
    return st;
}

static gan_status make(struct gan__prepare *p, struct product *k, bool ta, bool tb,
                       const struct gan__attr_post *post, gan_err *err)
{
    gan_status st = GAN_OK;
    bool with_bias = post != NULL && post->has_bias != 0;
    gan__md *a = operand(&p->in[0].shape, ta, p->in[0].dtype);
    gan__md *b = operand(&p->in[1].shape, tb, p->in[1].dtype);
    gan__md *c = operand(&p->out[0].shape, false, p->out[0].dtype), *bias = NULL;
    if (with_bias) {
        gan_shape row = p->out[0].shape;
        for (int64_t i = 0; i + 1 < row.rank; i++) {
            row.dim[i] = 1;
        }
        bias = operand(&row, false, GAN_F32);
    }
    dnnl_primitive_attr_t attr = gan__dnnl_attr(post, false);
    dnnl_primitive_desc_t pd = NULL;
    bool described = a != NULL && b != NULL && c != NULL && (bias != NULL) == with_bias;
    if (described && attr != NULL) {
        pd = gan__dnnl_matmul_pd(a, b, bias, c, attr);
    }
    if (!described) {
        st = gan__fail_nomem(err, sizeof(dnnl_dims_t), "a memory descriptor");
    } else if (pd == NULL) {
        st = gan__dnnl_fail(err, "this matrix product");
    } else {
        st = bind_main(k, pd, with_bias, err);
        p->scratch_bytes =
            gan__md_bytes(dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
        dnnl_primitive_desc_destroy(pd);
    }
    if (attr != NULL) {
        dnnl_primitive_attr_destroy(attr);
    }
    gan__md_free(a);
    gan__md_free(b);
    gan__md_free(c);
    gan__md_free(bias);
    return st;
}

static gan_status prepare_with(struct gan__prepare *p, bool ta, bool tb,
                               const struct gan__attr_post *post, gan_err *err)
{
    struct product *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a matrix product");
    }
    int old = gan__threads_set(p->threads);
    gan_status st = make(p, k, ta, tb, post, err);
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(k);
        return st;
    }
    p->ctx = k;
    return GAN_OK;
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_matmul *a = p->attr;
    return prepare_with(p, a->ta != 0, a->tb != 0, NULL, err);
}

static gan_status prepare_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare_with(p, a->ta != 0, a->tb != 0, a, err);
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    return n_in >= 2 && gan__match_mixed(in, n_in, out, n_out, 2, true) && in[0].shape.rank >= 2 &&
           in[0].shape.rank == in[1].shape.rank;
}

static void run(const struct gan__call *c)
{
    struct product *k = c->ctx;
    void *data[] = {c->in[0].data, c->in[1].data, c->out[0].data, c->scratch,
                    c->n_in > 2 ? c->in[2].data : NULL};
    gan__dnnl_step_run(&k->main, data);
}

GAN_KERNEL(cpu, matmul) = {.backend = "cpu",
                           .op = "matmul",
                           .match = match,
                           .prepare = prepare,
                           .run = run,
                           .release = release};

GAN_KERNEL(cpu, matmul_post) = {.backend = "cpu",
                                .op = "matmul_post",
                                .match = match,
                                .prepare = prepare_post,
                                .run = run,
                                .release = release};
