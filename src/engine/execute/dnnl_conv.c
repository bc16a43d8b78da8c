/* dnnl_conv.c: the convolution family on oneDNN.
 *
 * Activations are plain N,H,W,C. Weights lie in the store as O,I,kh,kw; each direction wants its
 * own packed order: a copy that the plan lets steps share, made once for each version of the state. Forward calls take bias and activation as library post-ops. The data gradient takes
 * none: it runs in chunks of images whose output stays in the caches, and bias and activation
 * follow on the chunk while it is hot. */
#include "dnnl_blocks.h"
#include "dnnl_compat.h"

#include "base/err.h"
#include "engine/compile/fused.h"
#include "cpu_post.h"
#include "engine/kernels/lanes.h"
#include "kernel.h"
#include "engine/graph/attr.h"
#include <gan/plan.h>

#include <string.h>

/* Output bytes of one chunk of the data gradient, for each thread: half of a common L2. */
enum { CHUNK_BYTES = 512 * 1024 };

struct conv {
    struct gan__dnnl_step pack; /* plain -> packed weights, or back for the weight gradient, */
    struct gan__blocks blocks;  /* ... when our own loops do not know the order */
    bool own_pack;
    struct gan__dnnl_step main;
    const struct gan__attr_post *post; /* what follows the call, NULL for nothing */
    bool own_post;                     /* ... and the library left it to us */
    size_t packed_bytes;               /* packed weights in scratch, 0 when plain order is used */
    int64_t chunks;                    /* calls of main for one run */
    size_t src_step, dst_step;         /* bytes between chunks */
    int64_t dst_rows;                  /* rows of C elements in one chunk */
    bool library_bias;                 /* main has a bias argument */
    struct gan__dnnl_step *parts;      /* weight gradients of bf16: main is one of n_parts calls */
    int n_parts;                       /* by one thread each, on as many parts of the batch; */
    size_t part_bytes, spare_bytes;    /* their results and scratch memories */
    dnnl_data_type_t in, out;          /* images read and written (weights of WEIGHTS are f32) */
};

/* Extents of one convolution, whatever the direction. */
struct extents {
    int64_t n, h, w, i; /* input */
    int64_t oh, ow, o;  /* output */
    int64_t kh, kw, groups;
};

static int64_t at_least_1(int64_t v)
{
    return v > 0 ? v : 1;
}

static struct extents read_extents(const gan_shape *x, const gan_shape *y, const gan_shape *w,
                                   const struct gan_conv *c)
{
    return (struct extents){.n = x->dim[0],
                            .h = x->dim[1],
                            .w = x->dim[2],
                            .i = x->dim[3],
                            .oh = y->dim[1],
                            .ow = y->dim[2],
                            .o = y->dim[3],
                            .kh = w->dim[2],
                            .kw = w->dim[3],
                            .groups = at_least_1(c->groups)};
}

static gan__md *image_md(int64_t n, int64_t h, int64_t w, int64_t c, dnnl_data_type_t type)
{
    return gan__md_new_as(type, 4, (int64_t[]){n, c, h, w}, (int64_t[]){h * w * c, 1, w * c, c});
}

/* Weights [O,I/groups,kh,kw]: in plain order, or in the order the primitive likes. */
static gan__md *weight_md(const struct extents *e, bool plain, dnnl_data_type_t type)
{
    int64_t g = e->groups, area = e->kh * e->kw, i = e->i / g, o = e->o / g;
    int64_t dims[] = {g, o, i, e->kh, e->kw};
    int64_t strides[] = {o * i * area, i * area, area, e->kw, 1};
    int skip = g == 1;
    return gan__md_new_as(type, 5 - skip, dims + skip, plain ? strides + skip : NULL);
}

static struct gan__dnnl_geometry geometry(const struct gan_conv *c)
{
    return (struct gan__dnnl_geometry){
        .stride = {at_least_1(c->stride_h), at_least_1(c->stride_w)},
        .dilate = {at_least_1(c->dilation_h) - 1, at_least_1(c->dilation_w) - 1},
        .pad_before = {c->pad_top, c->pad_left},
        .pad_after = {c->pad_bottom, c->pad_right}};
}

/* The reorder between plain weights and the order of the primitive; none when they agree. */
static gan_status prepare_pack(struct conv *k, const struct extents *e, const gan__md *packed,
                               bool back, gan_err *err)
{
    gan_status st = GAN_OK;
    gan__md *plain = weight_md(e, true, dnnl_f32);
    if (plain == NULL) {
        return gan__fail_nomem(err, sizeof(dnnl_dims_t), "a memory descriptor");
    }
    if (gan__dnnl_blocks(packed, &k->blocks)) {
        k->own_pack = true;
        k->packed_bytes = gan__md_bytes(packed);
    } else if (!dnnl_memory_desc_equal(plain, packed)) {
        dnnl_primitive_desc_t pd =
            back ? gan__dnnl_reorder_pd(packed, plain) : gan__dnnl_reorder_pd(plain, packed);
        if (pd == NULL) {
            st = gan__dnnl_fail(err, "a reorder of weights");
        } else {
            k->packed_bytes = gan__md_bytes(packed);
            st = gan__dnnl_step_init(&k->pack, pd, err);
            if (st == GAN_OK) {
                st = gan__dnnl_step_arg(&k->pack, DNNL_ARG_FROM, back ? packed : plain, err);
            }
            if (st == GAN_OK) {
                st = gan__dnnl_step_arg(&k->pack, DNNL_ARG_TO, back ? plain : packed, err);
            }
            if (st == GAN_OK) {
                const gan__md *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
                st = gan__dnnl_step_arg(&k->pack, DNNL_ARG_SCRATCHPAD, pad, err);
            }
            dnnl_primitive_desc_destroy(pd);
        }
    }
    gan__md_free(plain);
    return st;
}

static size_t reorder_scratch(const struct conv *k)
{
    const gan__md *md = NULL;
    const_dnnl_primitive_desc_t pd = NULL;
    if (k->pack.prim != NULL &&
        dnnl_primitive_get_primitive_desc(k->pack.prim, &pd) == dnnl_success) {
        md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    }
    return gan__md_bytes(md);
}

/* Adds the arguments in the order that the run functions use. */
static gan_status bind_main(struct gan__dnnl_step *step, bool library_bias,
                            enum gan__dnnl_direction direction, const_dnnl_primitive_desc_t pd,
                            gan_err *err)
{
    static const struct {
        int arg;
        dnnl_query_t query;
    } table[3][5] = {
        {{DNNL_ARG_SRC, dnnl_query_src_md},
         {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
         {DNNL_ARG_DST, dnnl_query_dst_md},
         {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md},
         {DNNL_ARG_BIAS, dnnl_query_weights_md}},
        {{DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
         {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
         {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
         {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
        {{DNNL_ARG_SRC, dnnl_query_src_md},
         {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
         {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md},
         {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
    };
    gan_status st = gan__dnnl_step_init(step, pd, err);
    int n = library_bias ? 5 : 4;
    for (int i = 0; i < n && st == GAN_OK; i++) {
        const gan__md *md = dnnl_primitive_desc_query_md(pd, table[direction][i].query, i == 4);
        st = gan__dnnl_step_arg(step, table[direction][i].arg, md, err);
    }
    return st;
}

static void release(void *ctx)
{
    struct conv *k = ctx;
    gan__dnnl_step_release(&k->pack);
    gan__dnnl_step_release(&k->main);
    for (int i = 0; i + 1 < k->n_parts; i++) {
        gan__dnnl_step_release(&k->parts[i]);
    }
}

/* Images of one call: the largest divisor of n whose output fits the caches of the threads. */
static int64_t chunk_images(int64_t n, size_t image_bytes, int threads)
{
    int64_t best = 1;
    for (int64_t d = 1; d <= n; d++) {
        if (n % d == 0 && (size_t)d * image_bytes <= (size_t)CHUNK_BYTES * (size_t)threads) {
            best = d;
        }
    }
    int64_t least = threads; /* every thread works */
    while (best < n && (best < least || n % best != 0)) {
        best++;
    }
    return best;
}

/* The descriptor for `images` images a call; with post-ops when `post` has work it may take. NULL
 * when refused; *nomem says that memory was short. */
static dnnl_primitive_desc_t describe(const struct conv *k, enum gan__dnnl_direction direction,
                                      const struct extents *e, const struct gan_conv *c,
                                      int64_t images, bool *nomem)
{
    struct gan__dnnl_geometry geo = geometry(c);
    bool data = direction == GAN_DNNL_DATA, weights = direction == GAN_DNNL_WEIGHTS;
    gan__md *src = image_md(images, e->h, e->w, e->i, data ? k->out : k->in);
    gan__md *dst = image_md(images, e->oh, e->ow, e->o, data || weights ? k->in : k->out);
    gan__md *wei = weight_md(e, false, weights ? dnnl_f32 : k->in);
    gan__md *bias = k->library_bias ? gan__md_new(1, &e->o, (int64_t[]){1}) : NULL;
    dnnl_primitive_attr_t attr = gan__dnnl_attr(k->own_post ? NULL : k->post, false);
    dnnl_primitive_desc_t pd = NULL;
    bool mixed = direction != GAN_DNNL_FORWARD && k->in == dnnl_bf16;
    struct gan__dnnl_hint hint = {NULL, NULL, NULL};
    if (mixed) {
        hint.src = image_md(images, e->h, e->w, e->i, dnnl_bf16);
        hint.wei = weight_md(e, false, dnnl_bf16);
        hint.dst = image_md(images, e->oh, e->ow, e->o, dnnl_bf16);
    }
    *nomem = src == NULL || dst == NULL || wei == NULL || (bias != NULL) != k->library_bias ||
             (mixed && (hint.src == NULL || hint.wei == NULL || hint.dst == NULL));
    if (!*nomem && attr != NULL) {
        pd = gan__dnnl_conv_pd(direction, src, wei, bias, dst, &geo, attr, mixed ? &hint : NULL);
    }
    gan__md_free(hint.src);
    gan__md_free(hint.wei);
    gan__md_free(hint.dst);
    if (attr != NULL) {
        dnnl_primitive_attr_destroy(attr);
    }
    gan__md_free(src);
    gan__md_free(dst);
    gan__md_free(wei);
    gan__md_free(bias);
    return pd;
}

/* Makes the primitive and what packs its weights. */
static gan_status make_main(struct conv *k, enum gan__dnnl_direction direction,
                            const struct extents *e, const struct gan_conv *c, int64_t images,
                            int threads, gan_err *err)
{
    bool nomem = false;
    dnnl_primitive_desc_t pd = describe(k, direction, e, c, images, &nomem);
    if (nomem) {
        return gan__fail_nomem(err, sizeof(dnnl_dims_t), "a memory descriptor");
    }
    if (pd == NULL) {
        return gan__dnnl_fail(err, "this convolution");
    }
    dnnl_query_t q =
        direction == GAN_DNNL_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    gan_status st = bind_main(&k->main, k->library_bias, direction, pd, err);
    for (int i = 0; i + 1 < k->n_parts && st == GAN_OK; i++) {
        st = bind_main(&k->parts[i], false, direction, pd, err);
    }
    (void)gan__threads_set(threads); /* packing is one call whatever main is */
    if (st == GAN_OK) {
        st = prepare_pack(k, e, dnnl_primitive_desc_query_md(pd, q, 0),
                          direction == GAN_DNNL_WEIGHTS, err);
    }
    dnnl_primitive_desc_destroy(pd);
    return st;
}

static size_t main_scratch(const struct conv *k)
{
    const_dnnl_primitive_desc_t pd = NULL;
    if (dnnl_primitive_get_primitive_desc(k->main.prim, &pd) != dnnl_success) {
        return 0;
    }
    return gan__md_bytes(dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
}

/* The library's weight gradient of bf16 makes its threads wait for each other at every step of its
 * loops, spinning: with fewer free processors than threads that takes twenty times as long. One
 * call for each thread, on its part of the batch, waits for nobody. */
static gan_status divide_batch(struct conv *k, struct gan__prepare *p, int64_t n, gan_err *err)
{
    k->n_parts = p->threads < n ? p->threads : (int)n;
    while (k->n_parts > 1 && n % k->n_parts != 0) {
        k->n_parts--;
    }
    k->n_parts = k->n_parts > 1 ? k->n_parts : 1;
    k->parts = gan__arena_array(p->arena, (size_t)k->n_parts, sizeof *k->parts);
    return k->parts != NULL
               ? GAN_OK
               : gan__fail_nomem(err, sizeof *k->parts * (size_t)k->n_parts, "a convolution");
}

static const gan__md *packed_md(const struct conv *k)
{
    const_dnnl_primitive_desc_t pd = NULL;
    if (dnnl_primitive_get_primitive_desc(k->main.prim, &pd) != dnnl_success) {
        return NULL;
    }
    return dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
}

/* Do two convolutions read weights of the same order and type? */
static bool same_packed(const void *ctx, const void *other)
{
    const gan__md *a = packed_md(ctx), *b = packed_md(other);
    return a != NULL && b != NULL && dnnl_memory_desc_equal(a, b) != 0;
}

static gan_status prepare(struct gan__prepare *p, enum gan__dnnl_direction direction,
                          const struct extents *e, const struct gan_conv *c,
                          const struct gan__attr_post *post, gan_err *err)
{
    struct conv *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution");
    }
    int64_t images = e->n;
    k->post = post;
    k->own_post = post != NULL && direction != GAN_DNNL_FORWARD;
    k->library_bias = post != NULL && post->has_bias != 0 && !k->own_post;
    k->in = gan__dnnl_type(p->in[0].dtype);
    k->out = gan__dnnl_type(p->out[0].dtype);
    size_t in_size = gan_dtype_size(p->in[0].dtype), out_size = gan_dtype_size(p->out[0].dtype);
    if (k->own_post) {
        images = chunk_images(e->n, (size_t)(e->h * e->w * e->i) * out_size, p->threads);
    }
    if (direction == GAN_DNNL_WEIGHTS && k->in == dnnl_bf16) {
        GAN_TRY(divide_batch(k, p, e->n, err));
        images = e->n / k->n_parts;
    }
    int old = gan__threads_set(k->n_parts > 1 ? 1 : p->threads);
    gan_status st = make_main(k, direction, e, c, images, p->threads, err);
    gan__threads_set(old);
    if (st != GAN_OK) {
        release(k);
        return st;
    }
    size_t x_count = (size_t)(images * e->h * e->w * e->i);
    size_t y_count = (size_t)(images * e->oh * e->ow * e->o);
    k->chunks = e->n / images;
    k->src_step = (direction == GAN_DNNL_DATA ? y_count : x_count) * in_size;
    k->dst_step = (direction == GAN_DNNL_DATA ? x_count : y_count) *
                  (direction == GAN_DNNL_WEIGHTS ? in_size : out_size);
    k->dst_rows = images * e->h * e->w;
    p->ctx = k;
    size_t pack = reorder_scratch(k), run = main_scratch(k);
    p->scratch_bytes = pack > run ? pack : run;
    if (direction == GAN_DNNL_WEIGHTS) {
        p->scratch_bytes += k->packed_bytes;
    } else {
        p->copy =
            (struct gan__copy_wish){.input = 1, .bytes = k->packed_bytes, .same = same_packed};
    }
    if (k->n_parts > 1) {
        size_t plain = ((size_t)gan_shape_count(&p->out[0].shape) * sizeof(float) + 63) / 64 * 64;
        k->part_bytes = k->packed_bytes > 0 ? k->packed_bytes : plain;
        k->spare_bytes = run;
        run *= (size_t)k->n_parts;
        p->scratch_bytes = k->part_bytes * (size_t)k->n_parts + (pack > run ? pack : run);
    }
    return GAN_OK;
}

/* --- conv2d --------------------------------------------------------------------------------- */

static gan_status forward_prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct extents e = read_extents(&p->in[0].shape, &p->out[0].shape, &p->in[1].shape, &a->c);
    return prepare(p, GAN_DNNL_FORWARD, &e, &a->c, NULL, err);
}

static gan_status forward_post_prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct extents e = read_extents(&p->in[0].shape, &p->out[0].shape, &p->in[1].shape, &a->conv.c);
    return prepare(p, GAN_DNNL_FORWARD, &e, &a->conv.c, a, err);
}

/* The same for forward and data gradient: images and weights in, images out. */
static void run(const struct gan__call *c)
{
    struct conv *k = c->ctx;
    char *spare = c->scratch;
    void *weights = c->in[1].data;
    if (k->packed_bytes > 0) {
        if (c->make_copy && k->own_pack) {
            gan__blocks_pack(&k->blocks, weights, c->copy);
        } else if (c->make_copy) {
            gan__dnnl_step_run(&k->pack, (void *[]){weights, c->copy, spare});
        }
        weights = c->copy;
    }
    const float *bias = c->n_in > 2 ? c->in[2].data : NULL;
    int64_t channels = c->out[0].shape.dim[3];
    for (int64_t i = 0; i < k->chunks; i++) {
        char *src = (char *)c->in[0].data + (size_t)i * k->src_step;
        char *dst = (char *)c->out[0].data + (size_t)i * k->dst_step;
        void *data[] = {src, weights, dst, spare, c->n_in > 2 ? c->in[2].data : NULL};
        gan__dnnl_step_run(&k->main, data);
        if (k->own_post) {
            gan__cpu_post_any(k->post, c->out[0].dtype, dst, k->dst_rows, channels, bias);
        }
    }
}

/* bf16: has the library more than its reference for this? The bias stays f32. */
static bool has_half(enum gan__dnnl_direction direction, const struct gan__type *in,
                     const struct gan__type *out, const struct gan__attr_conv *a)
{
    const gan_shape *x = &in[0].shape, *y = &out[0].shape, *w = &in[1].shape;
    struct conv k = {.in = dnnl_bf16, .out = gan__dnnl_type(out[0].dtype)};
    if (direction == GAN_DNNL_DATA) {
        x = &out[0].shape;
        y = &in[0].shape;
    } else if (direction == GAN_DNNL_WEIGHTS) {
        y = &in[1].shape;
        w = &out[0].shape;
    }
    struct extents e = read_extents(x, y, w, &a->c);
    bool nomem = false;
    dnnl_primitive_desc_t pd = describe(&k, direction, &e, &a->c, e.n, &nomem);
    bool fast = pd != NULL && gan__dnnl_fast(pd);
    if (pd != NULL) {
        dnnl_primitive_desc_destroy(pd);
    }
    return fast;
}

static bool match_types(enum gan__dnnl_direction direction, const struct gan__type *in, int n_in,
                        const struct gan__type *out, int n_out, const void *attr)
{
    const bool weights = direction == GAN_DNNL_WEIGHTS;
    return n_in >= 2 && gan__match_mixed(in, n_in, out, n_out, weights ? 2 : 1, !weights) &&
           (in[0].dtype != GAN_BF16 || has_half(direction, in, out, attr));
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr) /* the post attribute begins with that of the convolution */
{
    return match_types(GAN_DNNL_FORWARD, in, n_in, out, n_out, attr);
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    return match_types(GAN_DNNL_DATA, in, n_in, out, n_out, attr);
}

static bool match_weight(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr)
{
    return match_types(GAN_DNNL_WEIGHTS, in, n_in, out, n_out, attr);
}

GAN_KERNEL(cpu, conv2d) = {.backend = "cpu",
                           .op = "conv2d",
                           .rank = 2,
                           .match = match,
                           .prepare = forward_prepare,
                           .run = run,
                           .release = release};

GAN_KERNEL(cpu, conv2d_post) = {.backend = "cpu",
                                .op = "conv2d_post",
                                .rank = 2,
                                .match = match,
                                .prepare = forward_post_prepare,
                                .run = run,
                                .release = release};

/* --- conv2d_input_grad ------------------------------------------------------------------------ */

static gan_status data_prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct extents e = read_extents(&p->out[0].shape, &p->in[0].shape, &p->in[1].shape, &a->c);
    return prepare(p, GAN_DNNL_DATA, &e, &a->c, NULL, err);
}

static gan_status data_post_prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    struct extents e = read_extents(&p->out[0].shape, &p->in[0].shape, &p->in[1].shape, &a->conv.c);
    return prepare(p, GAN_DNNL_DATA, &e, &a->conv.c, a, err);
}

GAN_KERNEL(cpu, conv2d_input_grad) = {.backend = "cpu",
                                      .op = "conv2d_input_grad",
                                      .rank = 2,
                                      .match = match_data,
                                      .prepare = data_prepare,
                                      .run = run,
                                      .release = release};

GAN_KERNEL(cpu, conv2d_input_grad_post) = {.backend = "cpu",
                                           .op = "conv2d_input_grad_post",
                                           .rank = 2,
                                           .match = match_data,
                                           .prepare = data_post_prepare,
                                           .run = run,
                                           .release = release};

/* --- conv2d_weight_grad -------------------------------------------------------------------------
 */

static gan_status weight_prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct extents e = read_extents(&p->in[0].shape, &p->in[1].shape, &p->out[0].shape, &a->c);
    return prepare(p, GAN_DNNL_WEIGHTS, &e, &a->c, NULL, err);
}

/* Sum of the parts' results into the first. */
static void add_parts(const struct conv *k, char *packed)
{
    enum { BLOCK = 4096 };
    const int64_t n = (int64_t)(k->part_bytes / sizeof(float)), blocks = (n + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        int64_t at = b * BLOCK, len = n - at < BLOCK ? n - at : BLOCK;
        float *to = (float *)(void *)packed + at;
        for (int i = 1; i < k->n_parts; i++) {
            const float *const in[] = {to, to + (int64_t)i * n};
            gan__lanes()->add(in, to, len, NULL);
        }
    }
}

static void weight_run_parts(const struct gan__call *c)
{
    struct conv *k = c->ctx;
    char *packed = c->scratch, *spare = packed + (size_t)k->n_parts * k->part_bytes;
#pragma omp parallel for schedule(static, 1) num_threads(k->n_parts)
    for (int i = 0; i < k->n_parts; i++) {
        void *data[] = {(char *)c->in[0].data + (size_t)i * k->src_step,
                        (char *)c->in[1].data + (size_t)i * k->dst_step,
                        packed + (size_t)i * k->part_bytes, spare + (size_t)i * k->spare_bytes};
        gan__dnnl_step_run(i == 0 ? &k->main : &k->parts[i - 1], data);
    }
    if (k->own_pack) {
        gan__blocks_unpack(&k->blocks, packed, k->n_parts, (int64_t)(k->part_bytes / sizeof(float)),
                           c->out[0].data);
        return;
    }
    add_parts(k, packed);
    if (k->pack.prim != NULL) {
        gan__dnnl_step_run(&k->pack, (void *[]){packed, c->out[0].data, spare});
    } else {
        memcpy(c->out[0].data, packed, gan_tensor_bytes(&c->out[0]));
    }
}

static void weight_run(const struct gan__call *c)
{
    struct conv *k = c->ctx;
    if (k->n_parts > 1) {
        weight_run_parts(c);
        return;
    }
    char *packed = c->scratch, *spare = packed + k->packed_bytes;
    void *weights = k->packed_bytes > 0 ? packed : c->out[0].data;
    gan__dnnl_step_run(&k->main, (void *[]){c->in[0].data, c->in[1].data, weights, spare});
    if (k->own_pack) {
        gan__blocks_unpack(&k->blocks, packed, 1, 0, c->out[0].data);
    } else if (k->pack.prim != NULL) {
        gan__dnnl_step_run(&k->pack, (void *[]){packed, c->out[0].data, spare});
    }
}

GAN_KERNEL(cpu, conv2d_weight_grad) = {.backend = "cpu",
                                       .op = "conv2d_weight_grad",
                                       .rank = 2,
                                       .match = match_weight,
                                       .prepare = weight_prepare,
                                       .run = weight_run,
                                       .release = release};
