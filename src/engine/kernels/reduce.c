/* reduce.c: sums over sets of axes by fixed blocks. */
#include "reduce.h"

#include "lanes.h"

#include <string.h>

enum { BLOCK = GAN_REDUCE_BLOCK };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

size_t gan__reduce_scratch(const struct gan__reduce *r)
{
    int64_t tasks = r->k0 * r->blocks;
    return (size_t)(r->vector ? tasks * 2 : tasks * r->len * 2 + r->k0 * r->len);
}

void gan__reduce_spread(const struct gan__reduce *r, const float *per_channel, float *dst)
{
    int64_t period = r->k1 * r->r1;
    for (int64_t i = 0; i < period; i++) {
        dst[i] = per_channel[i / r->r1];
    }
    for (int64_t i = period; i < r->len; i++) {
        dst[i] = dst[i - period];
    }
}

/* --- operands --------------------------------------------------------------------------------- */

enum { PIECE = 4096 }; /* elements of bf16 converted at a time, in the first cache */

float gan__reduce_element(const struct gan__reduce *r, const void *x, int64_t i)
{
    float v;
    if (!r->half_x) {
        return ((const float *)x)[i];
    }
    gan__lanes()->from_bf16((const uint16_t *)x + i, &v, 1);
    return v;
}

/* Elements [at, at + n) as f32: where they lie, or converted into `piece`. */
static const float *operand(const void *x, bool half, int64_t at, int64_t n, float *piece)
{
    if (!half) {
        return (const float *)x + at;
    }
    gan__lanes()->from_bf16((const uint16_t *)x + at, piece, n);
    return piece;
}

/* --- vectors ---------------------------------------------------------------------------------- */

/* A task of f32 is one call; of bf16, pieces whose sums are added in order. */
static void vector_task(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                        const void *y, int64_t task, double sums[2])
{
    float px[PIECE], py[PIECE];
    int64_t k = task / r->blocks, at = task % r->blocks * r->block;
    int64_t end = at + least(r->block, r->r1 - at);
    int64_t most = r->half_x || r->half_y ? PIECE : r->block;
    sums[0] = sums[1] = 0.0;
    for (; at < end; at += most) {
        int64_t n = least(most, end - at), i = k * r->r1 + at;
        const float *v = operand(x, r->half_x, i, n, px);
        double part[2] = {0.0, 0.0};
        switch (kind) {
        case GAN_REDUCE_SUM:
            part[0] = gan__lanes()->sum(v, n);
            break;
        case GAN_REDUCE_MOMENTS:
            gan__lanes()->moment(v, gan__reduce_element(r, x, k * r->r1), n, part);
            break;
        case GAN_REDUCE_PAIR:
            gan__lanes()->pair(v, operand(y, r->half_y, i, n, py), n, part);
            break;
        }
        sums[0] += part[0];
        sums[1] += part[1];
    }
}

enum { SHORT = 8 };

/* Sums of vectors of at most SHORT elements, in the order in which lanes are joined: the same bits
 * as a call each, which takes 25 ns. */
static void run_short(const struct gan__reduce *r, const float *x, double *sums)
{
    const int64_t n = r->r1;
#pragma omp parallel for schedule(static) if (r->k0 * n > BLOCK)
    for (int64_t k = 0; k < r->k0; k++) {
        double v[SHORT] = {0.0};
        for (int64_t i = 0; i < n; i++) {
            v[i] += (double)x[k * n + i];
        }
        sums[k] = ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
    }
}

static void run_vectors(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                        const void *y, double *scratch, double *sums)
{
    if (kind == GAN_REDUCE_SUM && r->r1 <= SHORT && !r->half_x) {
        run_short(r, x, sums);
        return;
    }
    int64_t tasks = r->k0 * r->blocks;
#pragma omp parallel for schedule(static) if (r->k0 * r->r1 > BLOCK)
    for (int64_t t = 0; t < tasks; t++) {
        vector_task(r, kind, x, y, t, scratch + 2 * t);
    }
    int n_sums = kind == GAN_REDUCE_SUM ? 1 : 2;
    for (int j = 0; j < n_sums; j++) {
        for (int64_t k = 0; k < r->k0; k++) {
            double total = 0.0;
            for (int64_t b = 0; b < r->blocks; b++) {
                total += scratch[2 * (k * r->blocks + b) + j];
            }
            sums[j * r->k0 + k] = total;
        }
    }
}

/* --- rows --------------------------------------------------------------------------------------- */

/* Adds rows of `width` elements from element `at` on to their sums. */
static void add_rows(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                     const void *y, const float *shift, int64_t at, int64_t rows, int64_t width,
                     double *const sum[2])
{
    float px[PIECE], py[PIECE];
    const float *v = operand(x, r->half_x, at, rows * width, px);
    switch (kind) {
    case GAN_REDUCE_SUM:
        gan__lanes()->sum_rows(v, rows, width, sum[0]);
        break;
    case GAN_REDUCE_MOMENTS:
        gan__lanes()->moment_rows(v, shift, rows, width, sum[0], sum[1]);
        break;
    case GAN_REDUCE_PAIR:
        gan__lanes()->pair_rows(v, operand(y, r->half_y, at, rows * width, py), rows, width, sum[0],
                                sum[1]);
        break;
    }
}

static void row_task(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                     const void *y, const float *shift, int64_t task, double *partial)
{
    int64_t k = task / r->blocks, first = task % r->blocks * r->block;
    int64_t n = least(r->block, r->rows - first), at = (k * r->rows + first) * r->len;
    int64_t most = n, width = r->len;
    if (r->half_x || r->half_y) { /* several whole rows at a time, or parts of one */
        width = least(r->len, PIECE);
        most = PIECE / r->len > 4 ? PIECE / r->len / 4 * 4 : 1;
    }
    memset(partial, 0, (size_t)(2 * r->len) * sizeof *partial);
    for (int64_t i = 0; i < n; i += most) {
        for (int64_t c = 0; c < r->len; c += width) {
            double *const sum[] = {partial + c, partial + r->len + c};
            add_rows(r, kind, x, y, shift + k * r->len + c, at + i * r->len + c, least(most, n - i),
                     least(width, r->len - c), sum);
        }
    }
}

/* Adds the blocks of one k0 in their order, then the elements of a row to their channels. */
static void fold_blocks(const struct gan__reduce *r, double *partial, int n_sums, int64_t k,
                        double *sums)
{
    int64_t period = r->k1 * r->r1, n = 2 * r->len;
    double *total = partial + k * r->blocks * n;
    for (int64_t b = 1; b < r->blocks; b++) {
        for (int64_t i = 0; i < n; i++) {
            total[i] += total[b * n + i];
        }
    }
    for (int j = 0; j < n_sums; j++) {
        double *dst = sums + j * r->k0 * r->k1 + k * r->k1;
        memset(dst, 0, (size_t)r->k1 * sizeof *dst);
        for (int64_t i = 0; i < r->len; i++) {
            dst[i % period / r->r1] += total[j * r->len + i];
        }
    }
}

static void run_rows(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                     const void *y, double *scratch, double *sums)
{
    int64_t tasks = r->k0 * r->blocks, work = r->k0 * r->rows * r->len;
    float *shift = (float *)(void *)(scratch + tasks * 2 * r->len);
#pragma omp parallel if (work > BLOCK)
    {
        if (kind == GAN_REDUCE_MOMENTS) {
#pragma omp for schedule(static)
            for (int64_t k = 0; k < r->k0; k++) {
                for (int64_t i = 0; i < r->len; i++) {
                    shift[k * r->len + i] = gan__reduce_first(r, x, k, i % (r->k1 * r->r1) / r->r1);
                }
            }
        }
#pragma omp for schedule(static)
        for (int64_t t = 0; t < tasks; t++) {
            row_task(r, kind, x, y, shift, t, scratch + t * 2 * r->len);
        }
#pragma omp for schedule(static)
        for (int64_t k = 0; k < r->k0; k++) {
            fold_blocks(r, scratch, kind == GAN_REDUCE_SUM ? 1 : 2, k, sums);
        }
    }
}

void gan__reduce_run(const struct gan__reduce *r, enum gan__reduce_kind kind, const void *x,
                     const void *y, double *scratch, double *sums)
{
    if (r->vector) {
        run_vectors(r, kind, x, y, scratch, sums);
    } else {
        run_rows(r, kind, x, y, scratch, sums);
    }
}

/* --- parts ------------------------------------------------------------------------------------- */

double gan__reduce_join(double *lane)
{
    for (int width = GAN_SUM_LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            lane[i] += lane[i + width];
        }
    }
    return lane[0];
}

void gan__reduce_blocks(const struct gan__reduce *r, double *first, int64_t step, float *y)
{
    if (r->vector) {
        double total = 0.0;
        for (int64_t b = 0; b < r->blocks; b++) {
            total += first[b * step];
        }
        y[0] = (float)total;
        return;
    }
    for (int64_t b = 1; b < r->blocks; b++) {
        for (int64_t i = 0; i < r->len; i++) {
            first[i] += first[b * step + i];
        }
    }
    int64_t period = r->k1 * r->r1;
    for (int64_t k = 0; k < r->k1; k++) {
        double total = 0.0;
        for (int64_t row = k * r->r1; row < r->len; row += period) {
            for (int64_t i = 0; i < r->r1; i++) {
                total += first[row + i];
            }
        }
        y[k] = (float)total;
    }
}
