/* cpu_strided.c: 4x4 convolutions of stride 2, the layers of DCGAN, pix2pix and PatchGAN, in f32 by
 * Winograd's F(2x2,2x2) and F(4x4,2x2).
 *
 * Even and odd rows and columns of the wide image are four phases; the sum over 16 taps is the sum
 * over phases of 2x2 convolutions of stride 1. Four results of one take 9 products for each pair of channels
 * instead of 16, sixteen results 25 instead of 64.
 *
 *   forward        y   = A'[ sum over phases and i (G w G') .* (B' x B) ]A
 *   data gradient  a phase of dx = A'[ sum_o (G w G') .* (B' dy B) ]A, taps in opposite order
 *
 * Where the transformed weights are small, each thread takes blocks of tiles: their pixels stay in its
 * second cache, the weights, a copy for each version of the state, stream past them. Where they are
 * large, there are few pixels: those of many tiles are transformed first, and each thread takes panels
 * of columns, whose weights it transforms for itself. Weight gradients: cpu_strided_weights.c.
 * Ref: Lavin and Gray 2016, arXiv:1509.09308. */
#include "cpu_strided.h"

#include "base/err.h"
#include "base/number.h"
#include "cpu_post.h"

#include <omp.h>

enum {
    PANEL = GAN_STRIDED_PANEL,
    LANES = GAN_STRIDED_LANES,
    TAPS = GAN_STRIDED_TAPS,
    MOST_PLACES = GAN_STRIDED_MOST_PLACES,
    MOST_RESULTS = GAN_STRIDED_MOST_TILE * GAN_STRIDED_MOST_TILE,
    PHASES = GAN_STRIDED_PHASES
};

enum {
    SPAN = 128,     /* products added in one chain: longer ones lose more digits */
    MOST_BLOCK = 48 /* tiles of one thread's turn */
};

/* Floats of transformed pixels: of one thread's block, those that all threads read. */
enum { MOST_OWN = 3 << 16, MOST_SHARED = 5 << 19 };

struct strided {
    struct gan__strided_sizes s;
    int64_t inner, columns; /* of the products */
    int64_t block;
    int64_t together; /* tiles whose pixels are transformed at once; 0: blocks by themselves */
    const struct gan__attr_post *post;
    bool post_later; /* an activation that the loops lack */
    struct gan__strided_end end;
    int64_t pixels, panel, sums; /* floats of scratch */
};

static bool match_forward(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    const struct gan__attr_conv *a = attr; /* the post attribute begins with it */
    return n_in >= 2 && gan__match_f32(in, n_in, out, n_out, NULL) &&
           gan__strided_worth(&in[0].shape, &in[1].shape, &out[0].shape, &a->c);
}

static bool match_data(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in >= 2 && gan__match_f32(in, n_in, out, n_out, NULL) &&
           gan__strided_worth(&out[0].shape, &in[1].shape, &in[0].shape, &a->c);
}

/* --- prepare ------------------------------------------------------------------------------------ */

static bool same_weights(const void *ctx, const void *other)
{
    const struct strided *a = ctx, *b = other;
    return a->s.direction == b->s.direction && a->s.loops == b->s.loops && a->s.i == b->s.i &&
           a->s.o == b->s.o;
}

static struct gan__strided_end end_of(const struct gan__attr_post *post)
{
    struct gan__strided_end end = {.act = GAN_STRIDED_NONE};
    if (post != NULL && post->act == GAN_POST_RELU) {
        end.act = GAN_STRIDED_RELU;
    } else if (post != NULL && post->act == GAN_POST_LEAKY) {
        end = (struct gan__strided_end){.act = GAN_STRIDED_LEAKY, .slope = (float)post->slope};
    }
    return end;
}

/* Blocks of tiles, whole groups of 8 rows, as even as the threads' shares allow. */
static int64_t block_of(int64_t tiles, int64_t threads, int64_t most)
{
    const int64_t turns = (tiles + threads * most - 1) / (threads * most) * threads;
    return gan__raise((tiles + turns - 1) / turns, 8);
}

/* Phases of the results, one after the other. */
static int64_t result_phases(const struct strided *k)
{
    return k->s.direction == GAN_STRIDED_DATA ? PHASES : 1;
}

/* Scratch: transformed pixels; transformed weights of each thread's panel; each thread's sums. */
static void prepare_products(struct strided *k, struct gan__prepare *p)
{
    const int64_t places = k->s.loops->places, tiles = k->s.tiles,
                  copy = gan__strided_weights(&k->s);
    k->inner = k->s.direction == GAN_STRIDED_FORWARD ? PHASES * k->s.i : k->s.o;
    k->columns = k->s.direction == GAN_STRIDED_FORWARD ? k->s.o : k->s.i;
    int64_t most = MOST_OWN / (places * k->inner) / 8 * 8;
    most = most < 16 ? 16 : gan__smaller(most, MOST_BLOCK);
    if (copy <= GAN_STRIDED_SMALL_WEIGHTS) {
        k->block = block_of(tiles, k->s.threads, most);
        k->pixels = k->s.threads * places * k->block * k->inner;
        p->copy = (struct gan__copy_wish){
            .input = 1, .bytes = (size_t)copy * sizeof(float), .same = same_weights};
    } else {
        k->together = MOST_SHARED / (places * k->inner * result_phases(k)) / 8 * 8;
        k->together = gan__smaller(k->together < 16 ? 16 : k->together, gan__raise(tiles, 8));
        k->block = gan__smaller(MOST_BLOCK, k->together);
        k->pixels = result_phases(k) * places * k->together * k->inner;
        k->panel = result_phases(k) * places * k->inner * PANEL;
    }
    k->sums = places * k->block * PANEL;
    p->scratch_bytes = (size_t)(k->pixels + k->s.threads * (k->panel + k->sums)) * sizeof(float);
}

static gan_status prepare(struct gan__prepare *p, enum gan__strided_direction direction,
                          const struct gan_conv *c, const struct gan__attr_post *post, gan_err *err)
{
    struct strided *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution of stride 2");
    }
    *k = (struct strided){.post = post, .end = end_of(post)};
    GAN_TRY(gan__strided_measure(p, direction, c, &k->s, err));
    k->post_later = post != NULL && post->act != GAN_POST_NONE && k->end.act == GAN_STRIDED_NONE;
    prepare_products(k, p);
    p->ctx = k;
    return GAN_OK;
}

static gan_status prepare_forward(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare(p, GAN_STRIDED_FORWARD, &a->c, NULL, err);
}

static gan_status prepare_forward_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare(p, GAN_STRIDED_FORWARD, &a->conv.c, a, err);
}

static gan_status prepare_data(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    return prepare(p, GAN_STRIDED_DATA, &a->c, NULL, err);
}

static gan_status prepare_data_post(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_post *a = p->attr;
    return prepare(p, GAN_STRIDED_DATA, &a->conv.c, a, err);
}

/* --- pixels ------------------------------------------------------------------------------------- */

/* Taps of this parity meet rows r, r+2, ... of dx ... */
static int64_t parity(int64_t r, int64_t pad)
{
    return (r + pad) % 2;
}

/* ... and their first window of dy begins here. */
static int64_t first_row(int64_t r, int64_t pad)
{
    return (r + pad - parity(r, pad)) / 2 - 1;
}

/* Transformed pixels of one tile to v, for FORWARD of all phases, for DATA of those that rows and columns
 * of parity q / 2 and q % 2 of the result read. */
static void transform_pixels(const struct strided *k, const gan_tensor *src, int64_t tile,
                             int64_t q, float *v, int64_t step)
{
    struct gan__strided_at at = gan__strided_place(&k->s, tile);
    float *pixel[MOST_PLACES];
    if (k->s.direction == GAN_STRIDED_DATA) {
        const struct gan__strided_image dy = gan__strided_narrow(&k->s, src);
        at.row += first_row(q / 2, k->s.pad_h);
        at.column += first_row(q % 2, k->s.pad_w);
        gan__strided_window(&dy, at, 1, k->s.loops->tile + 1, k->s.zeros, pixel);
        k->s.loops->input((const float *const *)pixel, k->s.o, v, step);
        return;
    }
    const struct gan__strided_image x = gan__strided_wide(&k->s, src);
    for (int64_t s = 0; s < PHASES; s++) {
        gan__strided_phase(&k->s, &x, at, s, pixel);
        k->s.loops->input((const float *const *)pixel, k->s.i, v + s * k->s.i, step);
    }
}

/* Where the results of a tile go, from channel j on. */
static void results(const struct strided *k, const gan_tensor *dst, int64_t tile, int64_t q,
                    int64_t j, float **pixel)
{
    struct gan__strided_at at = gan__strided_place(&k->s, tile);
    struct gan__strided_image m = k->s.direction == GAN_STRIDED_DATA
                                      ? gan__strided_wide(&k->s, dst)
                                      : gan__strided_narrow(&k->s, dst);
    m.data += j;
    if (k->s.direction == GAN_STRIDED_DATA) {
        at.row = 2 * at.row + q / 2;
        at.column = 2 * at.column + q % 2;
    }
    gan__strided_window(&m, at, k->s.direction == GAN_STRIDED_DATA ? 2 : 1, k->s.loops->tile, NULL,
                        pixel);
}

/* --- products ----------------------------------------------------------------------------------- */

/* Floats of one place of a panel of 32 columns, and of its phase. */
static int64_t place_floats(const struct strided *k)
{
    return k->inner * PANEL;
}

static int64_t phase_floats(const struct strided *k)
{
    return k->s.loops->places * place_floats(k);
}

/* Transformed weights of the panel from column j on: for DATA phases; places, rows, columns. */
static void transform_panel(const struct strided *k, const float *w, int64_t j, float *to)
{
    const bool data = k->s.direction == GAN_STRIDED_DATA;
    const int64_t column = TAPS * (data ? 1 : k->s.i), row = TAPS * (data ? k->s.i : 1);
    const int64_t rows = data ? k->s.o : k->s.i, phase = data ? phase_floats(k) : k->s.i * PANEL;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t l = 0; l < PANEL; l += LANES) {
            k->s.loops->weights(w + (j + l) * column + r * row, column, data, to + r * PANEL + l,
                                phase, place_floats(k));
        }
    }
}

/* The phase of the weights that phase q of the results meets. */
static int64_t phase_of_weights(const struct strided *k, int64_t q)
{
    return k->s.direction == GAN_STRIDED_DATA
               ? 2 * parity(q / 2, k->s.pad_h) + parity(q % 2, k->s.pad_w)
               : 0;
}

/* Phase q, columns j .. j+31 of the results of tiles first .. first+count-1, from their pixels v and
 * the panel u of that phase. */
static void multiply(const struct strided *k, const struct gan__call *c, int64_t first,
                     int64_t count, int64_t q, int64_t j, const float *v, int64_t v_step,
                     const float *u, float *sums)
{
    struct gan__strided_product p = {
        .m = count, .n = PANEL, .a_row = k->inner, .a_k = 1, .b_k = PANEL, .c_row = PANEL};
    for (int64_t e = 0; e < k->s.loops->places; e++) {
        p.c = sums + e * k->block * PANEL;
        for (int64_t l = 0; l < k->inner; l += SPAN) {
            p.a = v + e * v_step + l;
            p.b = u + e * place_floats(k) + l * PANEL;
            p.k = gan__smaller(SPAN, k->inner - l);
            p.add = l > 0;
            k->s.loops->product(&p);
        }
    }
    struct gan__strided_end end = k->end;
    end.bias = c->n_in > 2 && !k->post_later ? (const float *)c->in[2].data + j : NULL;
    for (int64_t t = 0; t < count; t++) {
        float *pixel[MOST_RESULTS];
        results(k, &c->out[0], first + t, q, j, pixel);
        k->s.loops->output(sums + t * PANEL, k->block * PANEL, pixel, &end);
    }
}

/* Small weights: each thread takes blocks of tiles. */
static void run_blocks(const struct strided *k, const struct gan__call *c)
{
    const int64_t tiles = k->s.tiles, blocks = (tiles + k->block - 1) / k->block;
    const int64_t panel = result_phases(k) * phase_floats(k), own = k->pixels / k->s.threads;
    float *copy = c->copy, *all_sums = (float *)c->scratch + k->pixels;
#pragma omp parallel num_threads(k->s.threads)
    {
        float *v = (float *)c->scratch + omp_get_thread_num() * own;
        float *sums = all_sums + omp_get_thread_num() * k->sums;
        if (c->make_copy) {
#pragma omp for schedule(static)
            for (int64_t j = 0; j < k->columns; j += PANEL) {
                transform_panel(k, c->in[1].data, j, copy + j / PANEL * panel);
            }
        }
#pragma omp for collapse(2) schedule(static)
        for (int64_t q = 0; q < result_phases(k); q++) {
            for (int64_t b = 0; b < blocks; b++) {
                const int64_t first = b * k->block, count = gan__smaller(k->block, tiles - first);
                const int64_t step = k->block * k->inner;
                for (int64_t t = 0; t < count; t++) {
                    transform_pixels(k, &c->in[0], first + t, q, v + t * k->inner, step);
                }
                for (int64_t j = 0; j < k->columns; j += PANEL) {
                    const float *u =
                        copy + j / PANEL * panel + phase_of_weights(k, q) * phase_floats(k);
                    multiply(k, c, first, count, q, j, v, step, u, sums);
                }
            }
        }
    }
}

/* Large weights: each thread takes panels of columns. */
static void run_panels(const struct strided *k, const struct gan__call *c)
{
    const int64_t tiles = k->s.tiles, step = k->together * k->inner;
    const int64_t of_phase = k->s.loops->places * step;
    float *v = c->scratch, *own = v + k->pixels;
#pragma omp parallel num_threads(k->s.threads)
    {
        float *u = own + omp_get_thread_num() * (k->panel + k->sums), *sums = u + k->panel;
        for (int64_t first = 0; first < tiles; first += k->together) {
            const int64_t count = gan__smaller(k->together, tiles - first);
#pragma omp for collapse(2) schedule(static)
            for (int64_t q = 0; q < result_phases(k); q++) {
                for (int64_t t = 0; t < count; t++) {
                    transform_pixels(k, &c->in[0], first + t, q, v + q * of_phase + t * k->inner,
                                     step);
                }
            }
#pragma omp for schedule(static)
            for (int64_t j = 0; j < k->columns; j += PANEL) {
                transform_panel(k, c->in[1].data, j, u);
                for (int64_t q = 0; q < result_phases(k); q++) {
                    for (int64_t t = 0; t < count; t += k->block) {
                        multiply(k, c, first + t, gan__smaller(k->block, count - t), q, j,
                                 v + q * of_phase + t * k->inner, step,
                                 u + phase_of_weights(k, q) * phase_floats(k), sums);
                    }
                }
            }
        }
    }
}

static void run(const struct gan__call *c)
{
    const struct strided *k = c->ctx;
    if (k->together > 0) {
        run_panels(k, c);
    } else {
        run_blocks(k, c);
    }
    if (k->post_later) {
        gan__cpu_post(k->post, c->out[0].data, gan_shape_count(&c->out[0].shape) / k->columns,
                      k->columns, c->n_in > 2 ? c->in[2].data : NULL);
    }
}

#define STRIDED(OP, MATCH, PREPARE)                                                                \
    {                                                                                              \
        .backend = "cpu", .op = OP, .rank = 0, .variant = "cpu.strided", .approximate = true,      \
        .match = MATCH, .prepare = PREPARE, .run = run                                             \
    }

GAN_KERNEL(cpu, conv2d, strided) = STRIDED("conv2d", match_forward, prepare_forward);
GAN_KERNEL(cpu, conv2d_post, strided) = STRIDED("conv2d_post", match_forward, prepare_forward_post);
GAN_KERNEL(cpu, conv2d_input_grad, strided) = STRIDED("conv2d_input_grad", match_data,
                                                      prepare_data);
GAN_KERNEL(cpu, conv2d_input_grad_post, strided) = STRIDED("conv2d_input_grad_post", match_data,
                                                           prepare_data_post);
