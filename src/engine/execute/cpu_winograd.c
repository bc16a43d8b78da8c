/* cpu_winograd.c: 3x3 convolutions of stride 1 in bf16 by Winograd's F(2x2,3x3).
 *
 * A tile of 2x2 results takes 16 products for each pair of channels instead of 36. The images are
 * transformed in f32 and rounded to bf16 once more, products add in f32, results are transformed in
 * f32. Each thread takes blocks of tiles: their transformed pixels stay in its second cache, the
 * transformed weights, a copy for each version of the state, stream past them.
 *
 *   forward        y  = A'[ sum_i (G w G') .* (B' x B) ]A
 *   data gradient  the same of dy, with weights turned round
 *   weight         dw = G'[ sum over tiles (B' x B) .* (A dy A') ]G, the adjoint in w
 *
 * Measured on one core (Zen 4), GFLOP/s of the direct sum, the library's convolution and this: forward
 * 222 -> 361 at 256 channels 32x32 batch 1, weights packed and transformed anew; data gradient 218 ->
 * 398; weight gradient 174 -> 346; at 64 channels 64x64 batch 4 225 -> 308, 228 -> 308, 188 -> 274.
 *
 * Accuracy: pixels and weights are rounded once more after their transforms. Root mean square of the
 * error over that of the result, random f32 operands: .0043 (the direct sum of bf16: .0024), weight
 * gradient .0046 (tests/unit/test_winograd.c). F(4x4,3x3) would lose too many of bf16's eight bits.
 * Ref: Lavin and Gray 2016, arXiv:1509.09308. */
#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/half.h"
#include "kernel.h"
#include <gan/plan.h>

#include <omp.h>
#include <string.h>

enum {
    PLACES = GAN_WINO_PLACES,
    PANEL = GAN_HALF_PANEL,
    GROUP = GAN_HALF_GROUP,
    BLOCK = 32,       /* tiles of one thread's turn */
    CHUNK_PAIRS = 128 /* pairs of tiles between two additions to the weights' gradient */
};

/* Below these the transforms cost more than they save. */
enum { LEAST_CHANNELS = 64, LEAST_TILES = 128 };

enum direction { FORWARD, DATA, WEIGHTS };

/* Images read: src [n,h,w,i]; images written (or the gradient read): [n,oh,ow,o]. For the data
 * gradient src is dy. */
struct winograd {
    enum direction direction;
    int64_t n, h, w, i, oh, ow, o;
    int64_t pad_h, pad_w, tiles_h, tiles_w;
    const uint16_t *zeros; /* one place outside an image, of x or of dy */
    const struct gan__attr_post *post;
    int threads;
    size_t pixels_bytes, sums_bytes; /* of scratch: a thread's, or all for WEIGHTS */
};

/* --- match -------------------------------------------------------------------------------------- */

static bool worth(const gan_shape *x, const gan_shape *w, const gan_shape *y,
                  const struct gan_conv *c)
{
    const int64_t i = x->dim[3], o = y->dim[3];
    const int64_t tiles = y->dim[0] * (y->dim[1] / 2) * (y->dim[2] / 2);
    return w->dim[2] == 3 && w->dim[3] == 3 && w->dim[1] == i && c->stride_h <= 1 &&
           c->stride_w <= 1 && c->dilation_h <= 1 && c->dilation_w <= 1 && c->groups <= 1 &&
           c->pad_top <= 2 && c->pad_left <= 2 && i >= LEAST_CHANNELS && o >= LEAST_CHANNELS &&
           i % PANEL == 0 && o % PANEL == 0 && tiles >= LEAST_TILES && gan__half_lanes()->fast;
}

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr; /* the post attribute begins with it */
    return n_in >= 2 && in[0].dtype == GAN_BF16 &&
           gan__match_mixed(in, n_in, out, n_out, 1, true) &&
           worth(&in[0].shape, &in[1].shape, &out[0].shape, &a->c);
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in >= 2 && in[0].dtype == GAN_BF16 &&
           gan__match_mixed(in, n_in, out, n_out, 1, true) &&
           worth(&out[0].shape, &in[1].shape, &in[0].shape, &a->c);
}

static bool match_weights(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in == 2 && in[0].dtype == GAN_BF16 &&
           gan__match_mixed(in, n_in, out, n_out, 2, false) &&
           worth(&in[0].shape, &out[0].shape, &in[1].shape, &a->c);
}

/* --- prepare ------------------------------------------------------------------------------------ */

static bool same_weights(const void *ctx, const void *other)
{
    const struct winograd *a = ctx, *b = other;
    return a->direction == b->direction && a->i == b->i && a->o == b->o;
}

static size_t lines(int64_t bytes)
{
    return ((size_t)bytes + 63) / 64 * 64;
}

static gan_status prepare(struct gan__prepare *p, enum direction direction,
                          const struct gan_conv *c, const struct gan__attr_post *post, gan_err *err)
{
    const gan_shape *x = &p->in[0].shape;
    const gan_shape *y = direction == WEIGHTS ? &p->in[1].shape : &p->out[0].shape;
    struct winograd *k = gan__arena_alloc(p->arena, sizeof *k);
    const int64_t widest = x->dim[3] > y->dim[3] ? x->dim[3] : y->dim[3];
    uint16_t *zeros = gan__arena_array(p->arena, (size_t)widest, sizeof *zeros);
    if (k == NULL || zeros == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution by Winograd");
    }
    *k = (struct winograd){.direction = direction,
                           .n = x->dim[0],
                           .h = x->dim[1],
                           .w = x->dim[2],
                           .i = x->dim[3],
                           .oh = y->dim[1],
                           .ow = y->dim[2],
                           .o = y->dim[3],
                           .pad_h = direction == DATA ? 2 - c->pad_top : c->pad_top,
                           .pad_w = direction == DATA ? 2 - c->pad_left : c->pad_left,
                           .tiles_h = (y->dim[1] + 1) / 2,
                           .tiles_w = (y->dim[2] + 1) / 2,
                           .zeros = zeros,
                           .post = post,
                           .threads = p->threads > 1 ? p->threads : 1};
    p->ctx = k;
    if (direction == WEIGHTS) {
        k->pixels_bytes = lines(PLACES * k->i * CHUNK_PAIRS * 4);
        k->sums_bytes = lines(PLACES * k->i * k->o * 4);
        p->scratch_bytes = k->pixels_bytes + lines(PLACES * k->o * CHUNK_PAIRS * 4) + k->sums_bytes;
        return GAN_OK;
    }
    k->pixels_bytes = lines(PLACES * BLOCK * k->i * 2);
    k->sums_bytes = lines(PLACES * BLOCK * PANEL * 4);
    p->scratch_bytes = (size_t)k->threads * (k->pixels_bytes + k->sums_bytes);
    p->copy = (struct gan__copy_wish){
        .input = 1, .bytes = lines(PLACES * k->i * k->o * 2), .same = same_weights};
    return GAN_OK;
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare(p, FORWARD, &a->c, NULL, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare(p, FORWARD, &a->conv.c, a, err);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare(p, DATA, &a->c, NULL, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare(p, DATA, &a->conv.c, a, err);
}

static gan_status prepare_weights(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare(p, WEIGHTS, &a->c, NULL, err);
}

/* --- forward and data gradient ------------------------------------------------------------------ */

/* Words of one place's panel of 32 columns, and of all its places. */
static int64_t panel_words(const struct winograd *k)
{
    return k->i / 2 * PANEL;
}

/* Order: panels of columns, places, pairs of rows, columns. */
static void transform_weights(const struct winograd *k, const float *w, uint32_t *copy)
{
    const int64_t column = k->direction == DATA ? 9 : k->i * 9;
    const int64_t row = k->direction == DATA ? k->o * 9 : 9, panel = panel_words(k);
    const struct gan__half_lanes *lanes = gan__half_lanes();
#pragma omp parallel for collapse(2) schedule(static) num_threads(k->threads)
    for (int64_t o = 0; o < k->o; o += PANEL) {
        for (int64_t i = 0; i < k->i; i += 2) {
            uint32_t *to = copy + o / PANEL * PLACES * panel + i / 2 * PANEL;
            lanes->weights(w + o * column + i * row, column, row, k->direction == DATA, to, panel);
        }
    }
}

/* Places of the size x size pixels from row y, column x of image n. */
static void window(const struct winograd *k, const uint16_t *image, const int64_t at[2],
                   const int64_t extent[3], int size, const uint16_t **pixel)
{
    for (int64_t y = at[0]; y < at[0] + size; y++) {
        for (int64_t x = at[1]; x < at[1] + size; x++) {
            const bool inside = y >= 0 && y < extent[0] && x >= 0 && x < extent[1];
            *pixel++ = inside ? image + (y * extent[1] + x) * extent[2] : k->zeros;
        }
    }
}

/* The 4x4 pixels that tile t of all images sees. */
static void seen_by(const struct winograd *k, const uint16_t *src, int64_t t,
                    const uint16_t **pixel)
{
    const int64_t of_image = k->tiles_h * k->tiles_w, n = t / of_image, rest = t % of_image;
    const int64_t at[] = {rest / k->tiles_w * 2 - k->pad_h, rest % k->tiles_w * 2 - k->pad_w};
    const int64_t extent[] = {k->h, k->w, k->i};
    window(k, src + n * k->h * k->w * k->i, at, extent, 4, pixel);
}

/* Where channel o of the results of tile t goes; NULL outside the image. */
static void results_of(const struct winograd *k, int64_t t, int64_t o, const gan_tensor *dst,
                       void **pixel)
{
    const int64_t of_image = k->tiles_h * k->tiles_w, n = t / of_image, rest = t % of_image;
    const size_t size = gan_dtype_size(dst->dtype);
    for (int64_t q = 0; q < 4; q++) {
        const int64_t row = rest / k->tiles_w * 2 + q / 2, col = rest % k->tiles_w * 2 + q % 2;
        const int64_t at = ((n * k->oh + row) * k->ow + col) * k->o + o;
        pixel[q] = row < k->oh && col < k->ow ? (char *)dst->data + (size_t)at * size : NULL;
    }
}

/* Tiles first .. first+count-1 in one thread. */
static void run_block(const struct winograd *k, const struct gan__call *c, int64_t first,
                      int64_t count)
{
    const struct gan__half_lanes *lanes = gan__half_lanes();
    char *own =
        (char *)c->scratch + (size_t)omp_get_thread_num() * (k->pixels_bytes + k->sums_bytes);
    uint16_t *v = (uint16_t *)(void *)own;
    float *m = (float *)(void *)(own + k->pixels_bytes);
    const bool half = c->out[0].dtype == GAN_BF16;
    for (int64_t t = 0; t < count; t++) {
        const uint16_t *pixel[PLACES];
        seen_by(k, c->in[0].data, first + t, pixel);
        lanes->input(pixel, k->i, v + t * k->i, BLOCK * k->i);
    }
    struct gan__half_product p = {.m = count,
                                  .n = PANEL,
                                  .pairs = k->i / 2,
                                  .a_group = GROUP * k->i / 2,
                                  .a_row = k->i / 2,
                                  .a_pair = 1,
                                  .b = c->copy,
                                  .c_row = PANEL};
    for (int64_t o = 0; o < k->o; o += PANEL) {
        for (int64_t e = 0; e < PLACES; e++, p.b += panel_words(k)) {
            p.a = (const uint32_t *)(const void *)v + e * BLOCK * k->i / 2;
            p.c = m + e * BLOCK * PANEL;
            lanes->product(&p);
        }
        for (int64_t t = 0; t < count; t++) {
            void *pixel[4];
            results_of(k, first + t, o, &c->out[0], pixel);
            lanes->output(m + t * PANEL, BLOCK * PANEL, pixel, half);
        }
    }
}

static void run(const struct gan__call *c)
{
    const struct winograd *k = c->ctx;
    if (c->make_copy) {
        transform_weights(k, c->in[1].data, c->copy);
    }
    const int64_t tiles = k->n * k->tiles_h * k->tiles_w;
#pragma omp parallel for schedule(static) num_threads(k->threads)
    for (int64_t first = 0; first < tiles; first += BLOCK) {
        run_block(k, c, first, tiles - first < BLOCK ? tiles - first : BLOCK);
    }
    if (k->post != NULL) {
        gan__cpu_post_any(k->post, c->out[0].dtype, c->out[0].data, k->n * k->oh * k->ow, k->o,
                          c->n_in > 2 ? c->in[2].data : NULL);
    }
}

/* --- weight gradient ---------------------------------------------------------------------------- */

/* Pair of tiles number `pair` to place `at` of the chunk: pixels v, gradients z. */
static void transform_pair(const struct winograd *k, const struct gan__call *c, int64_t pair,
                           int64_t at, uint32_t *v, uint32_t *z)
{
    const int64_t of_image = k->tiles_h * k->tiles_w;
    const uint16_t *pixel[2 * PLACES], *grad[8];
    for (int64_t s = 0; s < 2; s++) {
        const int64_t t = 2 * pair + s, n = t / of_image, rest = t % of_image;
        const uint16_t *dy = (const uint16_t *)c->in[1].data + n * k->oh * k->ow * k->o;
        const int64_t place[] = {rest / k->tiles_w * 2, rest % k->tiles_w * 2};
        const int64_t extent[] = {k->oh, k->ow, k->o}, nowhere[] = {0, 0, 0};
        seen_by(k, c->in[0].data, t, pixel + s * PLACES);
        window(k, dy, place, n < k->n ? extent : nowhere, 2, grad + 4 * s);
        for (int e = 0; e < PLACES && n >= k->n; e++) { /* the last tile has no partner */
            pixel[s * PLACES + e] = k->zeros;
        }
    }
    const struct gan__half_lanes *lanes = gan__half_lanes();
    lanes->input_pair(pixel, k->i, v + at * GROUP, k->i * CHUNK_PAIRS, CHUNK_PAIRS * GROUP);
    lanes->grad_pair(grad, k->o, z + at * PANEL, k->o * CHUNK_PAIRS, CHUNK_PAIRS * PANEL);
}

/* Rows i .. i+PANEL-1 of the products at one place. */
static void multiply(const struct winograd *k, int64_t e, int64_t i, int64_t pairs,
                     const uint32_t *v, const uint32_t *z, float *sums, bool add)
{
    const struct gan__half_product p = {.m = PANEL,
                                        .n = k->o,
                                        .pairs = pairs,
                                        .a = v + (e * k->i + i) * CHUNK_PAIRS,
                                        .a_group = CHUNK_PAIRS * GROUP,
                                        .a_row = 1,
                                        .a_pair = GROUP,
                                        .b = z + e * k->o * CHUNK_PAIRS,
                                        .b_panel = CHUNK_PAIRS * PANEL,
                                        .c = sums + (e * k->i + i) * k->o,
                                        .c_row = k->o,
                                        .add = add};
    gan__half_lanes()->product(&p);
}

static void run_weights(const struct gan__call *c)
{
    const struct winograd *k = c->ctx;
    char *s = c->scratch;
    float *sums = (float *)(void *)s, *dw = c->out[0].data;
    uint32_t *v = (uint32_t *)(void *)(s + k->sums_bytes);
    uint32_t *z = (uint32_t *)(void *)(s + k->sums_bytes + k->pixels_bytes);
    const int64_t pairs = (k->n * k->tiles_h * k->tiles_w + 1) / 2;
#pragma omp parallel num_threads(k->threads)
    {
        for (int64_t first = 0; first < pairs; first += CHUNK_PAIRS) {
            const int64_t count = pairs - first < CHUNK_PAIRS ? pairs - first : CHUNK_PAIRS;
#pragma omp for schedule(static)
            for (int64_t t = 0; t < count; t++) {
                transform_pair(k, c, first + t, t, v, z);
            }
#pragma omp for collapse(2) schedule(static)
            for (int64_t e = 0; e < PLACES; e++) {
                for (int64_t i = 0; i < k->i; i += PANEL) {
                    multiply(k, e, i, count, v, z, sums, first > 0);
                }
            }
        }
#pragma omp for collapse(2) schedule(static)
        for (int64_t o = 0; o < k->o; o += 16) {
            for (int64_t i = 0; i < k->i; i++) {
                gan__half_lanes()->weights_back(sums + i * k->o + o, k->i * k->o,
                                                dw + (o * k->i + i) * 9, k->i * 9);
            }
        }
    }
}

#define WINOGRAD(OP, MATCH, PREPARE, RUN)                                                          \
    {                                                                                              \
        .backend = "cpu", .op = OP, .rank = 0, .variant = "cpu.winograd", .approximate = true,     \
        .match = MATCH, .prepare = PREPARE, .run = RUN                                             \
    }

GAN_KERNEL(cpu, conv2d, wino_half) = WINOGRAD("conv2d", match_forward, prepare_forward, run);
GAN_KERNEL(cpu, conv2d_post, wino_half) = WINOGRAD("conv2d_post", match_forward,
                                                   prepare_forward_post, run);
GAN_KERNEL(cpu, conv2d_input_grad, wino_half) = WINOGRAD("conv2d_input_grad", match_data,
                                                         prepare_data, run);
GAN_KERNEL(cpu, conv2d_input_grad_post, wino_half) = WINOGRAD("conv2d_input_grad_post", match_data,
                                                              prepare_data_post, run);
GAN_KERNEL(cpu, conv2d_weight_grad, wino_half) = WINOGRAD("conv2d_weight_grad", match_weights,
                                                          prepare_weights, run_weights);
