/* cpu_strided_weights.c: weight gradients of 4x4 convolutions of stride 2 in f32 by the adjoints of
 * Winograd's F(2x2,2x2) and F(4x4,2x2), see cpu_strided.c:
 *
 *   a phase of dw = G'[ sum over tiles (B' x B) .* (A dy A') ]G
 *
 * Slices of x's channels come one after the other, so that the sums, which are two to six times as large
 * as the gradient, stay small. */
#include "cpu_strided.h"

#include "base/err.h"
#include "base/number.h"

enum {
    PANEL = GAN_STRIDED_PANEL,
    LANES = GAN_STRIDED_LANES,
    TAPS = GAN_STRIDED_TAPS,
    MOST_PLACES = GAN_STRIDED_MOST_PLACES,
    MOST_RESULTS = GAN_STRIDED_MOST_TILE * GAN_STRIDED_MOST_TILE,
    PHASES = GAN_STRIDED_PHASES
};

/* Tiles between two additions to the sums; floats of their pixels and gradients; of the sums. */
enum { MOST_CHUNK = 256, MOST_TOGETHER = 1 << 20, MOST_SUMS = 5 << 18 };

struct weights {
    struct gan__strided_sizes s;
    int64_t slice, chunk;            /* channels of x, tiles at once */
    int64_t pixels, gradients, sums; /* floats of scratch */
};

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    const struct gan__attr_conv *a = attr;
    return n_in == 2 && gan__match_f32(in, n_in, out, n_out, NULL) &&
           gan__strided_worth(&in[0].shape, &out[0].shape, &in[1].shape, &a->c);
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_conv *a = p->attr;
    struct weights *k = gan__arena_alloc(p->arena, sizeof *k);
    if (k == NULL) {
        return gan__fail_nomem(err, sizeof *k, "a convolution of stride 2");
    }
    GAN_TRY(gan__strided_measure(p, GAN_STRIDED_WEIGHTS, &a->c, &k->s, err));
    const int64_t places = k->s.loops->places;
    k->slice = gan__smaller(MOST_SUMS / (places * PHASES * k->s.o) / PANEL * PANEL, k->s.i);
    k->slice = k->slice < PANEL ? PANEL : k->slice;
    k->chunk = MOST_TOGETHER / (places * (PHASES * k->slice + k->s.o)) / 8 * 8;
    k->chunk = gan__smaller(k->chunk < 16 ? 16 : k->chunk, gan__smaller(MOST_CHUNK, k->s.tiles));
    k->pixels = places * k->chunk * PHASES * k->slice;
    k->gradients = places * k->chunk * k->s.o;
    k->sums = places * PHASES * k->slice * k->s.o;
    p->scratch_bytes = (size_t)(k->pixels + k->gradients + k->sums) * sizeof(float);
    p->ctx = k;
    return GAN_OK;
}

/* Channels first .. first+count-1 of the wide image at row `at` of a chunk. */
static void transform_wide(const struct weights *k, const struct gan__call *c, int64_t tile,
                           int64_t first, int64_t count, float *v)
{
    const struct gan__strided_at t = gan__strided_place(&k->s, tile);
    struct gan__strided_image x = gan__strided_wide(&k->s, &c->in[0]);
    x.data += first;
    float *pixel[MOST_PLACES];
    for (int64_t q = 0; q < PHASES; q++) {
        gan__strided_phase(&k->s, &x, t, q, pixel);
        k->s.loops->input((const float *const *)pixel, count, v + q * count,
                          k->chunk * PHASES * count);
    }
}

static void transform_narrow(const struct weights *k, const struct gan__call *c, int64_t tile,
                             float *z)
{
    const struct gan__strided_image dy = gan__strided_narrow(&k->s, &c->in[1]);
    float *pixel[MOST_RESULTS];
    gan__strided_window(&dy, gan__strided_place(&k->s, tile), 1, k->s.loops->tile, k->s.zeros,
                        pixel);
    k->s.loops->grad((const float *const *)pixel, k->s.o, z, k->chunk * k->s.o);
}

/* Rows r .. r+PANEL-1 of the products at one place, of `rows`. */
static void add_products(const struct weights *k, int64_t e, int64_t r, int64_t rows, int64_t tiles,
                         const float *v, const float *z, float *sums, bool add)
{
    const struct gan__strided_product p = {.m = PANEL,
                                           .n = k->s.o,
                                           .k = tiles,
                                           .a = v + e * k->chunk * rows + r,
                                           .a_row = 1,
                                           .a_k = rows,
                                           .b = z + e * k->chunk * k->s.o,
                                           .b_k = k->s.o,
                                           .b_panel = PANEL,
                                           .c = sums + (e * rows + r) * k->s.o,
                                           .c_row = k->s.o,
                                           .add = add};
    k->s.loops->product(&p);
}

/* The gradient of input channels first .. first+count-1, by all threads of a team. */
static void run_slice(const struct weights *k, const struct gan__call *c, int64_t slice,
                      int64_t count)
{
    float *sums = c->scratch, *v = sums + k->sums, *z = v + k->pixels, *dw = c->out[0].data;
    const int64_t tiles = k->s.tiles, rows = PHASES * count;
    for (int64_t first = 0; first < tiles; first += k->chunk) {
        const int64_t n = gan__smaller(k->chunk, tiles - first);
#pragma omp for schedule(static)
        for (int64_t t = 0; t < n; t++) {
            transform_wide(k, c, first + t, slice, count, v + t * rows);
            if (slice == 0 || tiles > k->chunk) { /* else they are there already */
                transform_narrow(k, c, first + t, z + t * k->s.o);
            }
        }
#pragma omp for collapse(2) schedule(static)
        for (int64_t e = 0; e < k->s.loops->places; e++) {
            for (int64_t r = 0; r < rows; r += PANEL) {
                add_products(k, e, r, rows, n, v, z, sums, first > 0);
            }
        }
    }
#pragma omp for collapse(2) schedule(static)
    for (int64_t o = 0; o < k->s.o; o += LANES) {
        for (int64_t i = 0; i < count; i++) {
            k->s.loops->weights_back(sums + i * k->s.o + o, count * k->s.o, rows * k->s.o,
                                     dw + (o * k->s.i + slice + i) * TAPS, k->s.i * TAPS);
        }
    }
}

static void run(const struct gan__call *c)
{
    const struct weights *k = c->ctx;
#pragma omp parallel num_threads(k->s.threads)
    for (int64_t i = 0; i < k->s.i; i += k->slice) {
        run_slice(k, c, i, gan__smaller(k->slice, k->s.i - i));
    }
}

GAN_KERNEL(cpu, conv2d_weight_grad, strided) = {.backend = "cpu",
                                                .op = "conv2d_weight_grad",
                                                .rank = 0,
                                                .variant = "cpu.strided",
                                                .approximate = true,
                                                .match = match,
                                                .prepare = prepare,
                                                .run = run};
