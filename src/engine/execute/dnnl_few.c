/* dnnl_few.c: bf16 convolutions that read an image of few channels, as products of its windows.
 *
 * oneDNN pads channels to 16. Here the narrow image B [n,bh,bw,cb] (dnnl_fold.h) becomes rows of words
 * (half.h) inside a frame of zeros, a block of rows at a time, and the windows of the wide image's
 * pixels are read from there without being copied (lanes_few.c).
 *   forward                 B = x, A = y: a word is two neighbours in a row of the window;
 *   data gradient, stride 1 B = dy, A = dx, weights turned round;
 *   weight gradient         dW [taps, ca] = sum of windows of B times pixels of A: a word is one tap of
 *                           two neighbouring pixels. Few into the layer: B = x; out of it, stride 1: B = dy,
 *                           A = x, turned round. Each thread has sums of its own, added at the end. */
#include "dnnl_fold.h"

#include "base/err.h"
#include "engine/graph/attr.h"
#include "engine/kernels/half.h"
#include "engine/kernels/lanes.h"

#include <omp.h>
#include <string.h>

enum {
    FEW = 8,
    MOST_TAPS = 1024,
    GROUP = GAN_HALF_GROUP,
    PANEL = GAN_HALF_PANEL,
    BLOCK_BYTES = 16 * 1024, /* of words, for results */
    NO_TAP = -1,
    PAIRS = 64 /* of pixels between two additions to sums, about */
};

struct few {
    struct gan__fold f;
    bool weights;
    int64_t rows, blocks;          /* rows of A in one block, blocks in an image */
    int64_t frame_rows, row_words; /* of one block's words */
    int64_t partner;               /* numbers between the two of a word */
    int64_t *at;        /* words of the first window: all of them, or those of the taps */
    int64_t (*taps)[2]; /* of each word of results; the second may be NO_TAP */
    int64_t n_at, ld;   /* ld: columns, a multiple of 16 */
    enum gan__half_act act;
    float slope;
    size_t shared; /* bytes of scratch: packed weights; then for each thread: */
    size_t row, words, wide, sums, own;
};

static const uint16_t zeros[GAN_FOLD_MOST];

static size_t lines(int64_t bytes)
{
    return ((size_t)bytes + 63) / 64 * 64;
}

static int64_t run_of(const struct gan__fold *f)
{
    return f->kw * f->cb;
}

/* Pairs of pixels in a row of A; the last may lack its partner. */
static int64_t pairs_of(const struct gan__fold *f)
{
    return (f->aw + 1) / 2;
}

/* --- preparation -------------------------------------------------------------------------------- */

/* About equal blocks of at most `most` rows. */
static void divide_rows(struct few *k, int64_t most)
{
    const int64_t ah = k->f.ah, limit = most < 1 ? 1 : most < ah ? most : ah;
    k->blocks = (ah + limit - 1) / limit;
    k->rows = (ah + k->blocks - 1) / k->blocks;
    k->blocks = (ah + k->rows - 1) / k->rows;
    k->frame_rows = (k->rows - 1) * k->f.stride_h + k->f.kh;
}

static void place_word(struct few *k, int64_t at, int64_t first, int64_t second)
{
    k->at[k->n_at] = at;
    k->taps[k->n_at][0] = first;
    k->taps[k->n_at++][1] = second;
}

/* Words of the window at the block's first pixel, for results: neighbours in each row of taps. Where
 * rows are odd their last taps are left: those of two rows are a word of the second set, and in the
 * last row it is alone, in the third. */
static void place_words(struct few *k)
{
    const int64_t run = run_of(&k->f), kh = k->f.kh, set = k->frame_rows * k->row_words;
    for (int64_t i = 0; i < kh; i++) {
        for (int64_t t = 0; t + 1 < run; t += 2) {
            place_word(k, i * k->row_words + t, i * run + t, i * run + t + 1);
        }
    }
    for (int64_t i = 0; i < kh && run % 2 != 0; i += 2) {
        const bool two = i + 1 < kh;
        place_word(k, (two ? set : 2 * set) + i * k->row_words + run - 1, (i + 1) * run - 1,
                   two ? (i + 2) * run - 1 : NO_TAP);
    }
}

static void place_taps(struct few *k)
{
    const int64_t run = run_of(&k->f);
    for (k->n_at = 0; k->n_at < k->f.kh * run; k->n_at++) {
        k->at[k->n_at] = k->n_at / run * k->row_words + k->n_at % run;
    }
}

static gan_status prepare(struct gan__prepare *p, const struct gan__fold *f, bool weights,
                          gan_err *err)
{
    struct few *k = gan__arena_alloc(p->arena, sizeof *k);
    const int64_t room = (f->kh * run_of(f) + GROUP) / GROUP * GROUP;
    int64_t *at = gan__arena_array(p->arena, (size_t)room, sizeof *at);
    int64_t(*taps)[2] = gan__arena_array(p->arena, (size_t)room, sizeof *taps);
    if (k == NULL || at == NULL || taps == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution");
    }
    memset(at, 0, (size_t)room * sizeof *at);
    *k = (struct few){.f = *f, .weights = weights, .at = at, .taps = taps, .slope = 1.0f};
    k->f.threads = p->threads > 1 ? p->threads : 1;
    k->ld = (f->ca + 15) / 16 * 16;
    k->partner = weights ? f->stride_w * f->cb : 1;
    k->row_words = ((f->aw - 1) * f->stride_w + f->kw) * f->cb;
    const int64_t sets = !weights && run_of(f) % 2 != 0 ? 3 : 1;
    divide_rows(k, weights ? PAIRS / pairs_of(f)
                           : (BLOCK_BYTES / (k->row_words * 4) - f->kh) / f->stride_h);
    k->row = 2 * lines((k->row_words + k->partner) * 2);
    k->words = lines((sets * k->frame_rows * k->row_words + k->partner) * 4);
    if (weights) {
        const int64_t panels = (f->ca + PANEL - 1) / PANEL;
        place_taps(k);
        k->wide = lines(panels * PANEL * k->rows * pairs_of(f) * 4);
        k->sums = lines(room * k->ld * 4);
    } else {
        place_words(k);
        k->shared = lines((f->ca + PANEL - 1) / PANEL * PANEL * k->n_at * 4);
    }
    k->own = k->row + k->words + k->wide + k->sums;
    p->ctx = k;
    p->scratch_bytes = k->shared + (size_t)k->f.threads * k->own;
    return GAN_OK;
}

/* --- words of a block --------------------------------------------------------------------------- */

/* A row of B inside the frame: pad_w columns of zeros, then the image, then zeros. */
static void frame_row(const struct few *k, const uint16_t *b, int64_t image, int64_t row,
                      uint16_t *dst)
{
    const struct gan__fold *f = &k->f;
    const int64_t skip = f->pad_w < 0 ? -f->pad_w : 0, at = f->pad_w + skip;
    const int64_t room = k->row_words / f->cb - at, left = f->bw - skip;
    memset(dst, 0, k->row / 2);
    if (row >= 0 && row < f->bh && left > 0 && room > 0) {
        memcpy(dst + at * f->cb, b + ((image * f->bh + row) * f->bw + skip) * f->cb,
               (size_t)((left < room ? left : room) * f->cb) * sizeof *dst);
    }
}

/* The words that rows first .. first+rows-1 of A in one image need. */
static void make_words(const struct few *k, const uint16_t *b, int64_t image, int64_t first,
                       int64_t rows, uint16_t *row, uint32_t *words)
{
    const struct gan__half_lanes *l = gan__half_lanes();
    const struct gan__fold *f = &k->f;
    const bool odd = !k->weights && run_of(f) % 2 != 0;
    const int64_t set = k->frame_rows * k->row_words, size = (int64_t)(k->row / 2 / sizeof *row);
    for (int64_t r = 0; r < (rows - 1) * f->stride_h + f->kh; r++) {
        const uint16_t *before = row + (r + 1) % 2 * size;
        uint16_t *here = row + r % 2 * size;
        uint32_t *to = words + r * k->row_words;
        frame_row(k, b, image, first * f->stride_h - f->pad_h + r, here);
        l->join(here, here + k->partner, k->row_words, to);
        if (odd && r > 0) {
            l->join(before, here, k->row_words, to + set - k->row_words);
        }
        for (int64_t i = 0; odd && i < k->row_words; i++) {
            to[2 * set + i] = here[i];
        }
    }
}

/* --- results: forward, data gradient ------------------------------------------------------------ */

/* Word q of all columns, in panels. */
static void pack_word(const struct few *k, const float *w, int64_t q, uint32_t *packed)
{
    uint16_t even[GAN_FOLD_MOST], odd[GAN_FOLD_MOST];
    gan__fold_tap_weights(&k->f, w, k->taps[q][0], even);
    if (k->taps[q][1] != NO_TAP) {
        gan__fold_tap_weights(&k->f, w, k->taps[q][1], odd);
    } else {
        memset(odd, 0, (size_t)k->f.ca * sizeof *odd);
    }
    for (int64_t a = 0; a < k->f.ca; a += PANEL) {
        const int64_t n = k->f.ca - a < PANEL ? k->f.ca - a : PANEL;
        gan__half_lanes()->join(even + a, odd + a, n, packed + a * k->n_at + q * PANEL);
    }
}

/* Rows first .. first+rows-1 of A in one image, 8 pixels at a time. */
static void multiply(const struct few *k, const struct gan__call *c, int64_t image, int64_t first,
                     int64_t rows, const uint32_t *words)
{
    const struct gan__fold *f = &k->f;
    const size_t size = gan_dtype_size(c->out[0].dtype);
    const int64_t pixels = rows * f->aw, step = f->stride_w * f->cb;
    char *y = (char *)c->out[0].data + (size_t)((image * f->ah + first) * f->aw * f->ca) * size;
    struct gan__half_windows p = {.at = k->at,
                                  .words = k->n_at,
                                  .b = c->scratch,
                                  .b_panel = k->n_at * PANEL,
                                  .n = f->ca,
                                  .bias = c->n_in > 2 ? c->in[2].data : NULL,
                                  .act = k->act,
                                  .slope = k->slope,
                                  .y_row = f->ca,
                                  .half = c->out[0].dtype == GAN_BF16};
    const uint32_t *row = words;
    for (int64_t q = 0, x = 0; q < pixels; q += GROUP) {
        p.rows = pixels - q < GROUP ? pixels - q : GROUP;
        for (int64_t r = 0; r < GROUP; r++) {
            p.pixel[r] = r < p.rows ? row + x * step : p.pixel[0];
            if (r < p.rows && ++x == f->aw) {
                x = 0;
                row += f->stride_h * k->row_words;
            }
        }
        p.y = y + (size_t)(q * f->ca) * size;
        gan__half_lanes()->windows(&p);
    }
}

static void run(const struct gan__call *c)
{
    const struct few *k = c->ctx;
    const struct gan__fold *f = &k->f;
#pragma omp parallel num_threads(f->threads)
    {
        char *own = (char *)c->scratch + k->shared + (size_t)omp_get_thread_num() * k->own;
        uint32_t *words = (uint32_t *)(void *)(own + k->row);
#pragma omp for schedule(static)
        for (int64_t q = 0; q < k->n_at; q++) {
            pack_word(k, c->in[1].data, q, c->scratch);
        }
#pragma omp for schedule(static)
        for (int64_t b = 0; b < f->n * k->blocks; b++) {
            const int64_t first = b % k->blocks * k->rows, left = f->ah - first;
            const int64_t rows = left < k->rows ? left : k->rows;
            make_words(k, c->in[0].data, b / k->blocks, first, rows, (uint16_t *)(void *)own,
                       words);
            multiply(k, c, b / k->blocks, first, rows, words);
        }
    }
}

/* --- weight gradient ---------------------------------------------------------------------------- */

/* Adds what rows first .. first+rows-1 of A in one image give. */
static void add_block(const struct few *k, const uint16_t *a, const uint16_t *b, int64_t image,
                      int64_t first, int64_t rows, char *own)
{
    const struct gan__fold *f = &k->f;
    const int64_t pairs = pairs_of(f), panel = k->rows * pairs * PANEL;
    uint32_t *words = (uint32_t *)(void *)(own + k->row);
    uint32_t *wide = (uint32_t *)(void *)(own + k->row + k->words);
    make_words(k, b, image, first, rows, (uint16_t *)(void *)own, words);
    for (int64_t y = 0; y < rows; y++) {
        gan__half_lanes()->join_pixels(a + ((image * f->ah + first + y) * f->aw) * f->ca, f->aw,
                                       f->ca, zeros, wide + y * pairs * PANEL, panel);
    }
    const struct gan__half_taps p = {.words = words,
                                     .at = k->at,
                                     .taps = k->n_at,
                                     .row_step = f->stride_h * k->row_words,
                                     .pair_step = 2 * k->partner,
                                     .rows = rows,
                                     .pairs = pairs,
                                     .b = wide,
                                     .b_panel = panel,
                                     .n = k->ld,
                                     .c = (float *)(void *)(own + k->row + k->words + k->wide),
                                     .c_row = k->ld,
                                     .add = true};
    gan__half_lanes()->taps(&p);
}

/* Tap t of all threads' sums (`sums`: the first one's) to the order of the store. */
static void store_tap(const struct few *k, const char *sums, int parts, int64_t t, float *w)
{
    const struct gan__fold *f = &k->f;
    const int64_t i = t / run_of(f), j = t % run_of(f) / f->cb, b = t % f->cb;
    const int64_t at = gan__fold_weight_at(f, 0, b, i, j);
    const int64_t step = gan__fold_weight_at(f, 1, b, i, j) - at;
    const float *from = (const float *)(const void *)sums + t * k->ld;
    for (int64_t a = 0; a < f->ca; a++) {
        double sum = (double)from[a];
        for (int p = 1; p < parts; p++) {
            const char *part = sums + (size_t)p * k->own;
            sum += (double)((const float *)(const void *)part)[t * k->ld + a];
        }
        w[at + a * step] = (float)sum;
    }
}

static void weight_run(const struct gan__call *c)
{
    const struct few *k = c->ctx;
    const struct gan__fold *f = &k->f;
    const int wide = f->flip ? 0 : 1; /* the layer's input is A, or its result's gradient */
    const char *sums = (char *)c->scratch + k->own - k->sums;
#pragma omp parallel num_threads(f->threads)
    {
        char *own = (char *)c->scratch + (size_t)omp_get_thread_num() * k->own;
        memset(own + k->own - k->sums, 0, k->sums); /* a thread may get no block */
#pragma omp for schedule(static)
        for (int64_t b = 0; b < f->n * k->blocks; b++) {
            const int64_t first = b % k->blocks * k->rows, left = f->ah - first;
            add_block(k, c->in[wide].data, c->in[1 - wide].data, b / k->blocks, first,
                      left < k->rows ? left : k->rows, own);
        }
#pragma omp for schedule(static)
        for (int64_t t = 0; t < k->n_at; t++) {
            store_tap(k, sums, omp_get_num_threads(), t, c->out[0].data);
        }
    }
}

/* --- which convolutions ------------------------------------------------------------------------- */

static bool fits(const struct gan__type *few, const struct gan__type *wide, const gan_shape *w,
                 const struct gan_conv *c, bool stride_1)
{
    const int64_t taps = w->dim[2] * w->dim[3];
    return few->dtype == GAN_BF16 && gan__half_lanes()->fast && few->shape.dim[3] <= FEW &&
           wide->shape.dim[3] >= 16 && wide->shape.dim[3] <= GAN_FOLD_MOST && taps > 1 &&
           taps * few->shape.dim[3] <= MOST_TAPS && gan_shape_count(&few->shape) > 0 &&
           gan_shape_count(&wide->shape) > 0 && c->groups <= 1 && c->dilation_h <= 1 &&
           c->dilation_w <= 1 && (!stride_1 || (c->stride_h <= 1 && c->stride_w <= 1));
}

/* Results of the wide image, from the narrow one. */
static bool fits_results(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr, bool stride_1)
{
    const struct gan__attr_conv *a = attr; /* the post attribute begins with it */
    return n_in >= 2 && n_out == 1 && in[1].dtype == GAN_F32 &&
           (out[0].dtype == GAN_F32 || out[0].dtype == GAN_BF16) && out[0].shape.dim[3] % 16 == 0 &&
           fits(&in[0], &out[0], &in[1].shape, &a->c, stride_1);
}

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    return fits_results(in, n_in, out, n_out, attr, false);
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    return fits_results(in, n_in, out, n_out, attr, true);
}

static bool simple(const struct gan__attr_post *p)
{
    return p->act == GAN_POST_NONE || p->act == GAN_POST_RELU || p->act == GAN_POST_LEAKY;
}

static bool match_forward_post(const struct gan__type *in, int n_in, const struct gan__type *out,
                               int n_out, const void *attr)
{
    return simple(attr) && match_forward(in, n_in, out, n_out, attr);
}

static bool match_data_post(const struct gan__type *in, int n_in, const struct gan__type *out,
                            int n_out, const void *attr)
{
    return simple(attr) && match_data(in, n_in, out, n_out, attr);
}

static bool match_weight(const struct gan__type *in, int n_in, const struct gan__type *out,
                         int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr;
    if (n_in != 2 || n_out != 1 || in[0].dtype != GAN_BF16 || in[1].dtype != GAN_BF16 ||
        out[0].dtype != GAN_F32) {
        return false;
    }
    return fits(&in[1], &in[0], &out[0].shape, &a->c, true) ||
           fits(&in[0], &in[1], &out[0].shape, &a->c, false);
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct gan__fold f =
        gan__fold_describe(&p->out[0], &p->in[0].shape, &p->in[1].shape, &a->c, NULL);
    return prepare(p, &f, false, err);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct gan__fold f = gan__fold_flipped(
        gan__fold_describe(&p->out[0], &p->in[0].shape, &p->in[1].shape, &a->c, NULL));
    return prepare(p, &f, false, err);
}

static void set_post(struct few *k, const struct gan__attr_post *a)
{
    k->act = a->act == GAN_POST_RELU    ? GAN_HALF_RELU
             : a->act == GAN_POST_LEAKY ? GAN_HALF_LEAKY
                                        : GAN_HALF_NONE;
    k->slope = (float)a->slope;
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    GAN_TRY(prepare_forward(p, err)); /* the post attribute begins with the convolution's */
    set_post(p->ctx, p->attr);
    return GAN_OK;
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    GAN_TRY(prepare_data(p, err));
    set_post(p->ctx, p->attr);
    return GAN_OK;
}

static gan_status prepare_weight(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    const gan_shape *w = &p->out[0].shape;
    struct gan__fold f;
    if (fits(&p->in[1], &p->in[0], w, &a->c, true)) {
        f = gan__fold_flipped(gan__fold_describe(&p->in[0], &p->in[1].shape, w, &a->c, NULL));
    } else {
        f = gan__fold_describe(&p->in[1], &p->in[0].shape, w, &a->c, NULL);
    }
    return prepare(p, &f, true, err);
}

/* clang-format off */
GAN_KERNEL(cpu, conv2d, few) = {
    .backend = "cpu", .op = "conv2d", .rank = -1, .variant = "cpu.few",
    .match = match_forward, .prepare = prepare_forward, .run = run,
};

GAN_KERNEL(cpu, conv2d_post, few) = {
    .backend = "cpu", .op = "conv2d_post", .rank = -1, .variant = "cpu.few",
    .match = match_forward_post, .prepare = prepare_forward_post, .run = run,
};

GAN_KERNEL(cpu, conv2d_input_grad, few) = {
    .backend = "cpu", .op = "conv2d_input_grad", .rank = -1, .variant = "cpu.few",
    .match = match_data, .prepare = prepare_data, .run = run,
};

GAN_KERNEL(cpu, conv2d_input_grad_post, few) = {
    .backend = "cpu", .op = "conv2d_input_grad_post", .rank = -1, .variant = "cpu.few",
    .match = match_data_post, .prepare = prepare_data_post, .run = run,
};

GAN_KERNEL(cpu, conv2d_weight_grad, few) = {
    .backend = "cpu", .op = "conv2d_weight_grad", .rank = -1, .variant = "cpu.few",
    .match = match_weight, .prepare = prepare_weight, .run = weight_run,
};
