/* cross.c: pairs in blocks of 512 by 2048: 4 MiB at a time whatever the sets are. */
#include "cross.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "engine/kernels/gemm.h"

#include <math.h>
#include <stdbool.h>

enum { ROWS = 512, COLUMNS = 2048 };

struct work {
    float *block;
    void *scratch;
    double *norm_x, *norm_y;
};

static gan_status work_init(struct work *w, const struct gan__cross *c, gan_err *err)
{
    int64_t rows = gan__smaller(ROWS, c->n_x), columns = gan__smaller(COLUMNS, c->n_y);
    size_t scratch = gan__gemm_scratch(rows, columns, c->size, c->threads);
    *w = (struct work){0};
    w->block = gan__alloc_array((size_t)(rows * columns), sizeof *w->block);
    w->scratch = gan__alloc_aligned(64, scratch);
    w->norm_x = gan__alloc_array((size_t)c->n_x, sizeof *w->norm_x);
    w->norm_y = gan__alloc_array((size_t)c->n_y, sizeof *w->norm_y);
    if (w->block == NULL || w->scratch == NULL || w->norm_x == NULL || w->norm_y == NULL) {
        return gan__fail_nomem(err, scratch + (size_t)(rows * columns) * sizeof *w->block,
                               "distances");
    }
    return GAN_OK;
}

static void work_release(struct work *w)
{
    gan__free(w->block);
    gan__free(w->scratch);
    gan__free(w->norm_x);
    gan__free(w->norm_y);
}

static void norms(const float *x, int64_t n, int64_t size, int threads, double *out)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < size; k++) {
            sum += (double)x[i * size + k] * (double)x[i * size + k];
        }
        out[i] = sum;
    }
}

static double exact(const float *x, const float *y, int64_t size)
{
    double sum = 0;
    for (int64_t k = 0; k < size; k++) {
        double d = (double)x[k] - (double)y[k];
        sum += d * d;
    }
    return sum;
}

static bool all_finite(const float *v, int64_t n)
{
    float zero = 0; /* NaN with one infinity or NaN */
#pragma omp simd reduction(+ : zero)
    for (int64_t i = 0; i < n; i++) {
        zero += v[i] * 0.0F;
    }
    return isfinite(zero);
}

/* Products to squared distances; below a thousandth of the norms f32 has lost half its digits. false:
 * not all are numbers of f32. */
static bool to_distances(const struct gan__cross *c, const struct work *w,
                         const struct gan__cross_block *b)
{
    bool finite = true;
#pragma omp parallel for schedule(static) num_threads(c->threads) reduction(&& : finite)
    for (int64_t i = 0; i < b->n_x; i++) {
        float *row = w->block + i * b->n_y;
        const float *x = c->x + (b->first_x + i) * c->size;
        for (int64_t j = 0; j < b->n_y; j++) {
            double norm = w->norm_x[b->first_x + i] + w->norm_y[b->first_y + j];
            double d = norm - 2 * (double)row[j];
            if (d < 1e-3 * norm) {
                d = exact(x, c->y + (b->first_y + j) * c->size, c->size);
            }
            row[j] = (float)d;
        }
        finite = finite && all_finite(row, b->n_y);
    }
    return finite;
}

static gan_status run(const struct gan__cross *c, bool distances, gan__cross_fn *fn, void *ctx,
                      gan_err *err)
{
    struct work w;
    gan_status status = work_init(&w, c, err);
    if (status == GAN_OK && distances) {
        norms(c->x, c->n_x, c->size, c->threads, w.norm_x);
        norms(c->y, c->n_y, c->size, c->threads, w.norm_y);
    }
    for (int64_t i = 0; status == GAN_OK && i < c->n_x; i += ROWS) {
        for (int64_t j = 0; status == GAN_OK && j < c->n_y; j += COLUMNS) {
            struct gan__cross_block b = {i, gan__smaller(ROWS, c->n_x - i), j,
                                         gan__smaller(COLUMNS, c->n_y - j), w.block};
            struct gan__gemm_matrix x = {c->x + i * c->size, c->size, 1},
                                    y = {c->y + j * c->size, c->size, 1};
            struct gan__gemm g = {.m = b.n_x,
                                  .n = b.n_y,
                                  .k = c->size,
                                  .pack_a = gan__gemm_pack_matrix,
                                  .pack_b = gan__gemm_pack_matrix,
                                  .a = &x,
                                  .b = &y,
                                  .c = w.block,
                                  .ldc = b.n_y};
            gan__gemm_run(&g, c->threads, w.scratch);
            if (distances && !to_distances(c, &w, &b)) {
                status = gan__fail(err, GAN_E_FORMAT,
                                   "features so large that a squared distance is not finite");
            } else {
                fn(ctx, &b);
            }
        }
    }
    work_release(&w);
    return status;
}

gan_status gan__cross_products(const struct gan__cross *c, gan__cross_fn *fn, void *ctx,
                               gan_err *err)
{
    return run(c, false, fn, ctx, err);
}

gan_status gan__cross_distances(const struct gan__cross *c, gan__cross_fn *fn, void *ctx,
                                gan_err *err)
{
    return run(c, true, fn, ctx, err);
}
