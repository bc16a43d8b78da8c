/* dnnl_rate.c: how fast oneDNN is at a shape by itself: operands in its own packed order, nothing
 * before or after the call. The best of some runs, which is what a floor is made of. */
#include "rate.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "dnnl_compat.h"

enum { LEAST_RUNS = 4, MOST_RUNS = 40 };
static const double enough_s = 0.06; /* of measuring one shape */

static gan__md *image_md(const struct gan__heavy *h, bool out, bool blocked)
{
    dnnl_data_type_t type = h->bf16 ? dnnl_bf16 : dnnl_f32;
    int64_t c = out ? h->o : h->i, y = out ? h->oh : h->h, x = out ? h->ow : h->w;
    int64_t dims[] = {h->n, c, y, x}, strides[] = {y * x * c, 1, x * c, c};
    return gan__md_new_as(type, 4, dims, blocked ? NULL : strides);
}

static dnnl_primitive_desc_t conv_pd(const struct gan__heavy *h, bool blocked,
                                     const_dnnl_primitive_attr_t attr)
{
    static const enum gan__dnnl_direction way[] = {GAN_DNNL_FORWARD, GAN_DNNL_DATA,
                                                   GAN_DNNL_WEIGHTS};
    struct gan__dnnl_geometry geo = {.stride = {h->stride_h, h->stride_w},
                                     .dilate = {h->dilation_h - 1, h->dilation_w - 1},
                                     .pad_before = {h->pad_top, h->pad_left},
                                     .pad_after = {h->pad_bottom, h->pad_right}};
    int64_t dims[] = {h->groups, h->o / h->groups, h->i / h->groups, h->kh, h->kw};
    int skip = h->groups == 1;
    gan__md *src = image_md(h, false, blocked), *dst = image_md(h, true, blocked);
    gan__md *wei = gan__md_new_as(h->bf16 ? dnnl_bf16 : dnnl_f32, 5 - skip, dims + skip, NULL);
    dnnl_primitive_desc_t pd = NULL;
    if (src != NULL && dst != NULL && wei != NULL) {
        pd = gan__dnnl_conv_pd(way[h->kind], src, wei, NULL, dst, &geo, attr, NULL);
    }
    gan__md_free(src);
    gan__md_free(dst);
    gan__md_free(wei);
    return pd;
}

static dnnl_primitive_desc_t matmul_pd(const struct gan__heavy *h, bool blocked,
                                       const_dnnl_primitive_attr_t attr)
{
    dnnl_data_type_t type = h->bf16 ? dnnl_bf16 : dnnl_f32;
    int64_t m = h->m, n = h->n, k = h->k;
    int skip = h->batch == 1;
    int64_t a_dims[] = {h->batch, m, k}, b_dims[] = {h->batch, k, n}, c_dims[] = {h->batch, m, n};
    int64_t a_at[] = {m * k, h->ta ? 1 : k, h->ta ? m : 1};
    int64_t b_at[] = {k * n, h->tb ? 1 : n, h->tb ? k : 1}, c_at[] = {m * n, n, 1};
    gan__md *a = gan__md_new_as(type, 3 - skip, a_dims + skip, a_at + skip);
    gan__md *b = gan__md_new_as(type, 3 - skip, b_dims + skip, blocked ? NULL : b_at + skip);
    gan__md *c = gan__md_new_as(type, 3 - skip, c_dims + skip, c_at + skip);
    dnnl_primitive_desc_t pd = NULL;
    if (a != NULL && b != NULL && c != NULL) {
        pd = gan__dnnl_matmul_pd(a, b, NULL, c, attr);
    }
    gan__md_free(a);
    gan__md_free(b);
    gan__md_free(c);
    return pd;
}

/* Arguments of each direction; scratch comes last. */
enum { OPERANDS = 4 };
static const struct {
    int arg;
    dnnl_query_t query;
} operands[4][OPERANDS] = {{{DNNL_ARG_SRC, dnnl_query_src_md},
                            {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                            {DNNL_ARG_DST, dnnl_query_dst_md},
                            {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
                           {{DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                            {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                            {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
                            {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
                           {{DNNL_ARG_SRC, dnnl_query_src_md},
                            {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                            {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md},
                            {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
                           {{DNNL_ARG_SRC, dnnl_query_src_md},
                            {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                            {DNNL_ARG_DST, dnnl_query_dst_md},
                            {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}}};

/* Ordinary numbers in f32 and in bf16: 0x3f00 is 0.5. */
static void *operand_memory(size_t bytes)
{
    uint16_t *p = gan__alloc_aligned(64, bytes + 64);
    for (size_t i = 0; p != NULL && i < bytes / sizeof *p; i++) {
        p[i] = 0x3f00;
    }
    return p;
}

static double best_run(struct gan__dnnl_step *step, void *const *data)
{
    double best = 0, spent = 0;
    for (int i = 0; i < LEAST_RUNS || (i < MOST_RUNS && spent < enough_s); i++) {
        double before = gan__now_s();
        gan__dnnl_step_run(step, data);
        double s = gan__now_s() - before;
        best = i == 1 || (i > 1 && s < best) ? s : best;
        spent += s;
    }
    return best;
}

static double measure(const struct gan__heavy *h, const_dnnl_primitive_desc_t pd)
{
    struct gan__dnnl_step step = {0};
    void *data[OPERANDS] = {NULL};
    double best = 0;
    gan_status st = gan__dnnl_step_init(&step, pd, NULL);
    for (int i = 0; st == GAN_OK && i < OPERANDS; i++) {
        const gan__md *md = dnnl_primitive_desc_query_md(pd, operands[h->kind][i].query, 0);
        st = gan__dnnl_step_arg(&step, operands[h->kind][i].arg, md, NULL);
        data[i] = operand_memory(gan__md_bytes(md));
        st = st == GAN_OK && data[i] == NULL ? GAN_E_NOMEM : st;
    }
    if (st == GAN_OK) {
        best = best_run(&step, data);
    }
    gan__dnnl_step_release(&step);
    for (int i = 0; i < OPERANDS; i++) {
        gan__free(data[i]);
    }
    return best;
}

double gan__rate_seconds(const struct gan__heavy *h, bool blocked, int threads)
{
    int old = gan__threads_set(threads);
    double best = 0;
    dnnl_primitive_attr_t attr = gan__dnnl_attr(NULL, false);
    dnnl_primitive_desc_t pd = NULL;
    if (attr != NULL) {
        pd = h->kind == GAN_HEAVY_MATMUL ? matmul_pd(h, blocked, attr) : conv_pd(h, blocked, attr);
        dnnl_primitive_attr_destroy(attr);
    }
    if (pd != NULL) {
        best = measure(h, pd);
        dnnl_primitive_desc_destroy(pd);
    }
    gan__threads_set(old);
    return best;
}
