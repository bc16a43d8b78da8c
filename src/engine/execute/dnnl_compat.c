/* dnnl_compat.c: the only file that knows the differences between oneDNN 2.x and 3.x. */
#include "dnnl_compat.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"

#include <omp.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void open_engine(void)
{
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) {
        engine = NULL;
    } else if (dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        stream = NULL;
    }
}

static bool ready(void)
{
    return pthread_once(&once, open_engine) == 0 && engine != NULL && stream != NULL;
}

gan_status gan__dnnl_fail(gan_err *err, const char *what)
{
    return gan__fail(err, GAN_E_UNSUPPORTED, "oneDNN cannot make %s", what);
}

int gan__threads_set(int threads)
{
    int old = omp_get_max_threads();
    omp_set_num_threads(threads > 0 ? threads : 1);
    return old;
}

gan__md *gan__md_new(int rank, const int64_t *dims, const int64_t *strides)
{
    return gan__md_new_as(dnnl_f32, rank, dims, strides);
}

gan__md *gan__md_new_as(dnnl_data_type_t type, int rank, const int64_t *dims,
                        const int64_t *strides)
{
    dnnl_dims_t d = {0}, s = {0};
    for (int i = 0; i < rank; i++) {
        d[i] = dims[i];
        s[i] = strides != NULL ? strides[i] : 0;
    }
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t md = NULL;
    dnnl_status_t st =
        strides != NULL ? dnnl_memory_desc_create_with_strides(&md, rank, d, type, s)
                        : dnnl_memory_desc_create_with_tag(&md, rank, d, type, dnnl_format_tag_any);
    return st == dnnl_success ? md : NULL;
#else
    gan__md *md = gan__alloc(sizeof *md);
    if (md == NULL) {
        return NULL;
    }
    dnnl_status_t st = strides != NULL
                           ? dnnl_memory_desc_init_by_strides(md, rank, d, type, s)
                           : dnnl_memory_desc_init_by_tag(md, rank, d, type, dnnl_format_tag_any);
    if (st != dnnl_success) {
        gan__free(md);
        md = NULL;
    }
    return md;
#endif
}

dnnl_data_type_t gan__dnnl_type(gan_dtype d)
{
    return d == GAN_BF16 ? dnnl_bf16 : dnnl_f32;
}

bool gan__dnnl_fast(const_dnnl_primitive_desc_t pd)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) == dnnl_success &&
           name != NULL && strncmp(name, "ref", 3) != 0;
}

void gan__md_free(gan__md *md)
{
#if DNNL_VERSION_MAJOR >= 3
    if (md != NULL) {
        dnnl_memory_desc_destroy(md);
    }
#else
    gan__free(md);
#endif
}

bool gan__md_layout(const gan__md *md, struct gan__md_layout *out)
{
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_dims_t *dims, *padded, *strides, *blocks, *axes;
    dnnl_format_kind_t kind;
    bool ok =
        dnnl_memory_desc_query(md, dnnl_query_format_kind, &kind) == dnnl_success &&
        kind == dnnl_blocked &&
        dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &out->rank) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_data_type, &out->type) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_inner_nblks_s32, &out->n_blocks) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_dims, &dims) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_padded_dims, &padded) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_strides, &strides) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_inner_blks, &blocks) == dnnl_success &&
        dnnl_memory_desc_query(md, dnnl_query_inner_idxs, &axes) == dnnl_success;
    if (ok) {
        out->dims = *dims;
        out->padded = *padded;
        out->strides = *strides;
        out->blocks = *blocks;
        out->axes = *axes;
    }
    return ok;
#else
    const dnnl_blocking_desc_t *b = &md->format_desc.blocking;
    *out = (struct gan__md_layout){.rank = md->ndims,
                                   .dims = md->dims,
                                   .padded = md->padded_dims,
                                   .strides = b->strides,
                                   .blocks = b->inner_blks,
                                   .axes = b->inner_idxs,
                                   .n_blocks = b->inner_nblks,
                                   .type = md->data_type};
    return md->format_kind == dnnl_blocked && md->extra.flags == dnnl_memory_extra_flag_none &&
           md->offset0 == 0;
#endif
}

static dnnl_alg_kind_t algorithm(const struct gan__dnnl_geometry *geo)
{
    return geo->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
}

/* Inference wants Winograd's weights transformed outside, by a reorder ten times as slow as the
 * convolution; training transforms them inside. */
static dnnl_prop_kind_t forward_kind(const struct gan__dnnl_geometry *geo,
                                     enum gan__dnnl_direction direction)
{
    bool inference = direction == GAN_DNNL_FORWARD && !geo->winograd;
    return inference ? dnnl_forward_inference : dnnl_forward_training;
}

size_t gan__md_bytes(const gan__md *md)
{
    return md != NULL ? (dnnl_memory_desc_get_size(md) + 63) / 64 * 64 : 0;
}

#if DNNL_VERSION_MAJOR >= 3

dnnl_primitive_desc_t gan__dnnl_conv_pd(enum gan__dnnl_direction direction, const gan__md *src,
                                        const gan__md *wei, const gan__md *bias, const gan__md *dst,
                                        const struct gan__dnnl_geometry *geo,
                                        const_dnnl_primitive_attr_t attr,
                                        const struct gan__dnnl_hint *h)
{
    dnnl_primitive_desc_t pd = NULL, hint = NULL;
    if (!ready()) {
        return NULL;
    }
    dnnl_prop_kind_t kind = forward_kind(geo, direction);
    dnnl_status_t st = dnnl_convolution_forward_primitive_desc_create(
        direction == GAN_DNNL_FORWARD ? &pd : &hint, engine, kind, algorithm(geo),
        h != NULL ? h->src : src, h != NULL ? h->wei : wei, bias, h != NULL ? h->dst : dst,
        geo->stride, geo->dilate, geo->pad_before, geo->pad_after,
        direction == GAN_DNNL_FORWARD ? attr : NULL);
    if (st == dnnl_success && direction == GAN_DNNL_DATA) {
        st = dnnl_convolution_backward_data_primitive_desc_create(
            &pd, engine, algorithm(geo), src, wei, dst, geo->stride, geo->dilate, geo->pad_before,
            geo->pad_after, hint, attr);
    } else if (st == dnnl_success && direction == GAN_DNNL_WEIGHTS) {
        st = dnnl_convolution_backward_weights_primitive_desc_create(
            &pd, engine, algorithm(geo), src, wei, NULL, dst, geo->stride, geo->dilate,
            geo->pad_before, geo->pad_after, hint, attr);
    }
    if (hint != NULL) {
        dnnl_primitive_desc_destroy(hint);
    }
    return st == dnnl_success ? pd : NULL;
}

dnnl_primitive_desc_t gan__dnnl_matmul_pd(const gan__md *a, const gan__md *b, const gan__md *bias,
                                          const gan__md *c, const_dnnl_primitive_attr_t attr)
{
    dnnl_primitive_desc_t pd = NULL;
    if (!ready()) {
        return NULL;
    }
    return dnnl_matmul_primitive_desc_create(&pd, engine, a, b, bias, c, attr) == dnnl_success
               ? pd
               : NULL;
}

static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha)
{
    return dnnl_post_ops_append_eltwise(ops, alg, alpha, 0.0f);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

#else

dnnl_primitive_desc_t gan__dnnl_conv_pd(enum gan__dnnl_direction direction, const gan__md *src,
                                        const gan__md *wei, const gan__md *bias, const gan__md *dst,
                                        const struct gan__dnnl_geometry *geo,
                                        const_dnnl_primitive_attr_t attr,
                                        const struct gan__dnnl_hint *h)
{
    dnnl_convolution_desc_t op, forward;
    dnnl_primitive_desc_t pd = NULL, hint = NULL;
    if (!ready()) {
        return NULL;
    }
    dnnl_prop_kind_t kind = forward_kind(geo, direction);
    dnnl_status_t st = dnnl_dilated_convolution_forward_desc_init(
        &forward, kind, algorithm(geo), h != NULL ? h->src : src, h != NULL ? h->wei : wei, bias,
        h != NULL ? h->dst : dst, geo->stride, geo->dilate, geo->pad_before, geo->pad_after);
    if (st == dnnl_success) {
        st = dnnl_primitive_desc_create(direction == GAN_DNNL_FORWARD ? &pd : &hint, &forward,
                                        direction == GAN_DNNL_FORWARD ? attr : NULL, engine, NULL);
    }
    if (st == dnnl_success && direction != GAN_DNNL_FORWARD) {
        st = direction == GAN_DNNL_DATA
                 ? dnnl_dilated_convolution_backward_data_desc_init(&op, algorithm(geo), src, wei,
                                                                    dst, geo->stride, geo->dilate,
                                                                    geo->pad_before, geo->pad_after)
                 : dnnl_dilated_convolution_backward_weights_desc_init(
                       &op, algorithm(geo), src, wei, NULL, dst, geo->stride, geo->dilate,
                       geo->pad_before, geo->pad_after);
        if (st == dnnl_success) {
            st = dnnl_primitive_desc_create(&pd, &op, attr, engine, hint);
        }
    }
    if (hint != NULL) {
        dnnl_primitive_desc_destroy(hint);
    }
    return st == dnnl_success ? pd : NULL;
}

dnnl_primitive_desc_t gan__dnnl_matmul_pd(const gan__md *a, const gan__md *b, const gan__md *bias,
                                          const gan__md *c, const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    if (!ready() || dnnl_matmul_desc_init(&op, a, b, bias, c) != dnnl_success) {
        return NULL;
    }
    return dnnl_primitive_desc_create(&pd, &op, attr, engine, NULL) == dnnl_success ? pd : NULL;
}

static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, alg, alpha, 0.0f);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f);
}

#endif

dnnl_primitive_desc_t gan__dnnl_reorder_pd(const gan__md *src, const gan__md *dst)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = gan__dnnl_attr(NULL, false);
    if (attr == NULL || !ready() ||
        dnnl_reorder_primitive_desc_create(&pd, src, engine, dst, engine, attr) != dnnl_success) {
        pd = NULL;
    }
    if (attr != NULL) {
        dnnl_primitive_attr_destroy(attr);
    }
    return pd;
}

/* The library's name of an activation; undefined for none. */
static dnnl_alg_kind_t activation(const struct gan__attr_post *post, float *alpha)
{
    *alpha = 0.0f;
    switch (post != NULL ? (enum gan__post_act)post->act : GAN_POST_NONE) {
    case GAN_POST_NONE:
        break;
    case GAN_POST_LEAKY:
        *alpha = (float)post->slope;
        return dnnl_eltwise_relu;
    case GAN_POST_RELU:
        return dnnl_eltwise_relu;
    case GAN_POST_TANH:
        return dnnl_eltwise_tanh;
    case GAN_POST_SIGMOID:
        return dnnl_eltwise_logistic;
    }
    return dnnl_alg_kind_undef;
}

dnnl_primitive_attr_t gan__dnnl_attr(const struct gan__attr_post *post, bool add)
{
    float alpha;
    dnnl_alg_kind_t alg = activation(post, &alpha);
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    if (dnnl_primitive_attr_create(&attr) != dnnl_success) {
        return NULL;
    }
    dnnl_status_t st = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (st == dnnl_success && (add || alg != dnnl_alg_kind_undef)) {
        st = dnnl_post_ops_create(&ops);
        if (st == dnnl_success && add) {
            st = append_sum(ops);
        }
        if (st == dnnl_success && alg != dnnl_alg_kind_undef) {
            st = append_eltwise(ops, alg, alpha);
        }
        if (st == dnnl_success) {
            st = dnnl_primitive_attr_set_post_ops(attr, ops);
        }
        if (ops != NULL) {
            dnnl_post_ops_destroy(ops);
        }
    }
    if (st != dnnl_success) {
        dnnl_primitive_attr_destroy(attr);
        attr = NULL;
    }
    return attr;
}

gan_status gan__dnnl_step_init(struct gan__dnnl_step *s, const_dnnl_primitive_desc_t pd,
                               gan_err *err)
{
    memset(s, 0, sizeof *s);
    if (dnnl_primitive_create(&s->prim, pd) != dnnl_success) {
        s->prim = NULL;
        return gan__dnnl_fail(err, "a primitive");
    }
    return GAN_OK;
}

gan_status gan__dnnl_step_arg(struct gan__dnnl_step *s, int arg, const gan__md *md, gan_err *err)
{
    dnnl_memory_t mem = NULL;
    gan__assert(s->n_args < GAN_DNNL_MAX_ARGS);
    if (dnnl_memory_create(&mem, md, engine, DNNL_MEMORY_NONE) != dnnl_success) {
        return gan__dnnl_fail(err, "a memory object");
    }
    s->args[s->n_args++] = (dnnl_exec_arg_t){.arg = arg, .memory = mem};
    return GAN_OK;
}

/* Arguments are checked when the step is made, so only the library's own memory can run short. Kernels
 * report no errors: the result becomes NaN, which the guard of every update sees. */
static void spoil(const struct gan__dnnl_step *s, void *const *data, dnnl_status_t st)
{
    gan__log(GAN_LOG_WARNING, "oneDNN failed with status %d: its result is lost", (int)st);
    for (int i = 0; i < s->n_args; i++) {
        const_dnnl_primitive_desc_t pd = NULL;
        dnnl_query_t query = dnnl_query_undef;
        switch (s->args[i].arg) {
        case DNNL_ARG_DST: /* DNNL_ARG_TO is the same */
            query = dnnl_query_dst_md;
            break;
        case DNNL_ARG_DIFF_SRC:
            query = dnnl_query_diff_src_md;
            break;
        case DNNL_ARG_DIFF_WEIGHTS:
            query = dnnl_query_diff_weights_md;
            break;
        default:
            continue;
        }
        if (dnnl_primitive_get_primitive_desc(s->prim, &pd) == dnnl_success) {
            memset(data[i], 0xff,
                   dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(pd, query, 0)));
        }
    }
}

void gan__dnnl_step_run(struct gan__dnnl_step *s, void *const *data)
{
    for (int i = 0; i < s->n_args; i++) {
        dnnl_memory_set_data_handle(s->args[i].memory, data[i]);
    }
    dnnl_status_t st = dnnl_primitive_execute(s->prim, stream, s->n_args, s->args);
    if (st != dnnl_success) {
        spoil(s, data, st);
    }
}

void gan__dnnl_step_release(struct gan__dnnl_step *s)
{
    for (int i = 0; i < s->n_args; i++) {
        dnnl_memory_destroy(s->args[i].memory);
    }
    if (s->prim != NULL) {
        dnnl_primitive_destroy(s->prim);
    }
    memset(s, 0, sizeof *s);
}

static gan_status gemm_step(struct gan__dnnl_step *s, const_dnnl_primitive_desc_t pd,
                            const gan__md *const md[3], size_t *scratch_bytes, gan_err *err)
{
    static const int arg[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    const gan__md *scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    gan_status st = gan__dnnl_step_init(s, pd, err);
    for (int i = 0; i < 3 && st == GAN_OK; i++) {
        st = gan__dnnl_step_arg(s, arg[i], md[i], err);
    }
    if (st == GAN_OK) {
        st = gan__dnnl_step_arg(s, DNNL_ARG_SCRATCHPAD, scratch, err);
    }
    *scratch_bytes = gan__md_bytes(scratch);
    return st;
}

gan_status gan__dnnl_gemm_init(struct gan__dnnl_step *s, const struct gan__dnnl_gemm *g,
                               size_t *scratch_bytes, gan_err *err)
{
    const int64_t m = g->m, n = g->n, k = g->k;
    gan_status st = GAN_OK;
    const dnnl_data_type_t in = g->half ? dnnl_bf16 : dnnl_f32;
    const dnnl_data_type_t out = g->half_out ? dnnl_bf16 : dnnl_f32;
    gan__md *a =
        gan__md_new_as(in, 2, (int64_t[]){m, k}, (int64_t[]){g->ta ? 1 : k, g->ta ? m : 1});
    gan__md *b =
        gan__md_new_as(in, 2, (int64_t[]){k, n}, (int64_t[]){g->tb ? 1 : n, g->tb ? k : 1});
    gan__md *c = gan__md_new_as(out, 2, (int64_t[]){m, n}, (int64_t[]){n, 1});
    dnnl_primitive_attr_t attr = gan__dnnl_attr(NULL, g->add);
    dnnl_primitive_desc_t pd = NULL;
    if (a != NULL && b != NULL && c != NULL && attr != NULL) {
        pd = gan__dnnl_matmul_pd(a, b, NULL, c, attr);
    }
    if (a == NULL || b == NULL || c == NULL) {
        st = gan__fail_nomem(err, sizeof(dnnl_dims_t), "a memory descriptor");
    } else if (pd == NULL) {
        st = gan__dnnl_fail(err, "this matrix product");
    } else {
        st = gemm_step(s, pd, (const gan__md *const[]){a, b, c}, scratch_bytes, err);
        dnnl_primitive_desc_destroy(pd);
    }
    if (attr != NULL) {
        dnnl_primitive_attr_destroy(attr);
    }
    gan__md_free(a);
    gan__md_free(b);
    gan__md_free(c);
    return st;
}
