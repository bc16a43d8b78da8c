/* cpu_thin.c: products of a batch of 64 (128, 192, 256) rows with the weights of a layer, in f32:
 * forward, y = act(x W' + bias), and the data gradient, d W.
 *
 * The library copies its operands to an order of its own, which pays when each number is used many
 * times; here a weight meets 64 rows, once. Tiles read W where it lies and fetch from memory what
 * comes next meanwhile. Forward, the rows of a tile are rows of W and its lanes are samples: x,
 * which is small, is turned first, sums are turned back as they are stored. Backward, rows are
 * samples and lanes are columns of W. Each element is one chain of sums whatever thread computes
 * it: same bits for any thread count. */
#include "base/err.h"
#include "cpu_post.h"
#include "engine/graph/attr.h"
#include "engine/kernels/thin.h"
#include "kernel.h"

#include <omp.h>

enum {
    MOST_BATCH = 256,       /* above, the library's copies pay */
    LEAST_INNER = 256,      /* below, turning takes too large a share */
    MOST_INNER = 2048,      /* 64 lanes of x stay in the second cache */
    LEAST_WEIGHTS = 131072, /* below, weights come from the caches, and the library is as fast */
    ROWS = GAN_THIN_ROWS,
    LANES = GAN_THIN_LANES,
    BLOCK = GAN_THIN_BLOCK,
    JOINED = 48 /* rows that are turned back together: whole tiles and blocks */
};

struct product {
    const struct gan__thin *loops;
    int64_t m, n, k;                   /* samples, outputs, inputs of the layer */
    const struct gan__attr_post *post; /* NULL for nothing */
    bool backward;                     /* y [m,n] = d [m,k] W with W [k,n] */
};

static gan_status prepare(struct gan__prepare *p, const struct gan__attr_post *post, gan_err *err)
{
    struct product *x = gan__arena_alloc(p->arena, sizeof *x);
    if (x == NULL) {
        return gan__fail_nomem(err, sizeof *x, "a matrix product");
    }
    *x = (struct product){.loops = gan__thin(),
                          .m = p->out[0].shape.dim[0],
                          .n = p->out[0].shape.dim[1],
                          .k = p->in[0].shape.dim[1],
                          .post = post};
    p->ctx = x;
    p->scratch_bytes = (size_t)(x->m * x->k) * sizeof(float);
    return GAN_OK;
}

static gan_status prepare_plain(struct gan__prepare *p, gan_err *err)
{
    GAN_TRY(prepare(p, NULL, err));
    const struct gan__attr_matmul *a = p->attr;
    struct product *x = p->ctx;
    if (a->tb == 0) {
        x->backward = true;
        p->scratch_bytes = 0;
    }
    return GAN_OK;
}

static gan_status prepare_post(struct gan__prepare *p, gan_err *err)
{
    return prepare(p, p->attr, err);
}

/* turned[i][s] = x[s][i] for the inputs of blocks first to end - 1. */
static void turn_inputs(const struct product *p, const float *x, float *turned, int64_t first,
                        int64_t end)
{
    for (int64_t b = first; b < end; b++) {
        for (int64_t s = 0; s < p->m; s += BLOCK) {
            p->loops->turn(x + s * p->k + b * BLOCK, p->k, turned + b * BLOCK * p->m + s, p->m);
        }
    }
}

/* y[s][r] = sums[r][s] for so many rows and 64 samples; ldy = outputs of the layer. */
static void turn_sums(const struct product *p, const float *sums, int64_t rows, float *y)
{
    int64_t r = 0;
    for (; r + BLOCK <= rows; r += BLOCK) {
        for (int64_t s = 0; s < LANES; s += BLOCK) {
            p->loops->turn(sums + r * LANES + s, LANES, y + s * p->n + r, p->n);
        }
    }
    for (; r < rows; r++) {
        for (int64_t s = 0; s < LANES; s++) {
            y[s * p->n + r] = sums[r * LANES + s];
        }
    }
}

/* Outputs first to end - 1, JOINED at most, of 64 samples from `sample` on. */
static void run_rows(const struct product *p, const struct gan__call *c, int64_t sample,
                     int64_t first, int64_t end)
{
    _Alignas(64) float sums[JOINED * LANES];
    const float *w = c->in[1].data, *bias = c->n_in > 2 ? c->in[2].data : NULL;
    const float *x = (const float *)c->scratch + sample;
    for (int64_t n = first; n < end; n += ROWS) {
        p->loops->tile(w + n * p->k, x, p->k, p->m, bias != NULL ? bias + n : NULL,
                       (int)(end - n < ROWS ? end - n : ROWS), sums + (n - first) * LANES);
    }
    if (p->post != NULL) {
        gan__cpu_activate(p->post, sums, (end - first) * LANES);
    }
    turn_sums(p, sums, end - first, (float *)c->out[0].data + sample * p->n + first);
}

/* The share of thread i of n: whole tiles. */
static void run_share(const struct product *p, const struct gan__call *c, int64_t i, int64_t n)
{
    const int64_t tiles = (p->n + ROWS - 1) / ROWS;
    int64_t first = tiles * i / n * ROWS, end = tiles * (i + 1) / n * ROWS;
    end = end < p->n ? end : p->n;
    for (int64_t sample = 0; sample < p->m; sample += LANES) {
        for (int64_t r = first; r < end; r += JOINED) {
            run_rows(p, c, sample, r, r + JOINED < end ? r + JOINED : end);
        }
    }
}

/* Data gradients, the share of thread i of n: strips of 64 columns of W, all rows of d against one
 * while it is hot and the next one comes. */
static void run_back(const struct product *p, const struct gan__call *c, int64_t i, int64_t n)
{
    const int64_t tiles = (p->m + ROWS - 1) / ROWS, strips = (p->n + LANES - 1) / LANES;
    const int64_t lines = (p->k + 15) / 16 * 6;
    for (int64_t q = tiles * strips * i / n; q < tiles * strips * (i + 1) / n; q++) {
        const int64_t row = q % tiles * ROWS, at = q / tiles * LANES;
        const int rows = (int)(p->m - row < ROWS ? p->m - row : ROWS);
        const float *d = (const float *)c->in[0].data + row * p->k;
        const float *w = (const float *)c->in[1].data + at;
        float *y = (float *)c->out[0].data + row * p->n + at;
        if (p->n - at >= LANES) {
            const int64_t line = q % tiles * lines;
            p->loops->wide(d, w, p->k, p->n, rows, y, w + LANES, line);
            continue;
        }
        for (int64_t j = 0; j < p->n - at; j += BLOCK) {
            p->loops->narrow(d, w + j, p->k, p->n, rows, y + j);
        }
    }
}

static void run(const struct gan__call *c)
{
    const struct product *p = c->ctx;
    const int64_t blocks = p->k / BLOCK;
#pragma omp parallel num_threads(c->run->threads)
    {
        const int64_t i = omp_get_thread_num(), n = omp_get_num_threads();
        if (p->backward) {
            run_back(p, c, i, n);
        } else {
            turn_inputs(p, c->in[0].data, c->scratch, blocks * i / n, blocks * (i + 1) / n);
#pragma omp barrier
            run_share(p, c, i, n);
        }
    }
}

/* --- which products ----------------------------------------------------------------------------- */

static bool worth(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  bool ta, bool tb)
{
    if (!gan__match_f32(in, n_in, out, n_out, NULL) || n_in < 2 || in[0].shape.rank != 2 ||
        in[1].shape.rank != 2 || ta || gan__thin() == NULL) {
        return false;
    }
    const int64_t m = in[0].shape.dim[0], k = in[0].shape.dim[1];
    const int64_t n = in[1].shape.dim[tb ? 0 : 1];
    if (!tb && n % BLOCK != 0) {
        return false;
    }
    return m > 0 && m % LANES == 0 && m <= MOST_BATCH && k % BLOCK == 0 && k >= LEAST_INNER &&
           k <= MOST_INNER && n * k >= LEAST_WEIGHTS;
}

static bool match_plain(const struct gan__type *in, int n_in, const struct gan__type *out,
                        int n_out, const void *attr)
{
    const struct gan__attr_matmul *a = attr;
    return worth(in, n_in, out, n_out, a->ta != 0, a->tb != 0);
}

static bool match_post(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    const struct gan__attr_post *a = attr;
    return a->tb != 0 && worth(in, n_in, out, n_out, a->ta != 0, a->tb != 0);
}

GAN_KERNEL(cpu, matmul, thin) = {.backend = "cpu",
                                 .op = "matmul",
                                 .rank = -1,
                                 .variant = "cpu.thin",
                                 .match = match_plain,
                                 .prepare = prepare_plain,
                                 .run = run};

GAN_KERNEL(cpu, matmul_post, thin) = {.backend = "cpu",
                                      .op = "matmul_post",
                                      .rank = -1,
                                      .variant = "cpu.thin",
                                      .match = match_post,
                                      .prepare = prepare_post,
                                      .run = run};
