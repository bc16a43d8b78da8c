/* gemm.c: blocked and packed matrix product.
 *
 * Loops around the register tile, outermost first: columns of C by COLUMNS, k by DEPTH (a block of
 * B, packed once by all threads), rows of C by blocks (a block of A, packed by the thread that uses
 * it), tiles. Blocks depend on extents only and every element adds its k blocks in order: the same
 * bits for any number of threads.
 *
 * Ref: Goto, van de Geijn 2008, "Anatomy of high-performance matrix multiplication". */
#include "gemm.h"

#include "base/number.h"
#include "gan_config.h"
#include "lanes.h"

#include <omp.h>
#include <stdbool.h>
#include <string.h>

extern const struct gan__gemm_tile gan__gemm_tile_base;
#if GAN_LANES_X86
extern const struct gan__gemm_tile gan__gemm_tile_v3, gan__gemm_tile_v4;
#endif

enum {
    DEPTH = 256,    /* k of one block: a strip of A and one of B stay in L1 */
    ROWS = 120,     /* a block of A, 120 KiB, stays in L2; a multiple of every mr */
    COLUMNS = 1024, /* a block of B, 1 MiB, stays in L3 */
    BLOCKS = 8      /* of rows at least, where there are enough: work for the threads */
};

static const struct gan__gemm_tile *best_tile(void)
{
#if GAN_LANES_X86
    const char *isa = gan__lanes()->isa;
    if (strcmp(isa, "v4") == 0) {
        return &gan__gemm_tile_v4;
    }
    if (strcmp(isa, "v3") == 0) {
        return &gan__gemm_tile_v3;
    }
#endif
    return &gan__gemm_tile_base;
}

/* Extents of blocks for one product. */
struct blocks {
    const struct gan__gemm_tile *tile;
    int64_t rows, depth, columns;
    int64_t a_floats; /* of one thread's block of A, a whole number of cache lines */
    int64_t b_floats;
};

static struct blocks blocks_of(int64_t m, int64_t n, int64_t k)
{
    struct blocks b = {.tile = best_tile()};
    const int mr = b.tile->mr, nr = b.tile->nr;
    b.rows = gan__smaller(ROWS, gan__raise((m + BLOCKS - 1) / BLOCKS, mr));
    b.depth = gan__smaller(DEPTH, k);
    b.columns = gan__smaller(COLUMNS, gan__raise(n, nr));
    b.a_floats = gan__raise(b.rows * b.depth, 16);
    b.b_floats = gan__raise(b.columns * b.depth, 16);
    return b;
}

size_t gan__gemm_scratch(int64_t m, int64_t n, int64_t k, int threads)
{
    const struct blocks b = blocks_of(m, n, k);
    return (size_t)(b.b_floats + (threads > 1 ? threads : 1) * b.a_floats) * sizeof(float);
}

/* Lanes as rows of memory: transposes. */
static void pack_rows(const struct gan__gemm_matrix *m, const struct gan__gemm_strip *s, float *dst)
{
    const float *src = m->data + s->first * m->lane_step + s->k0;
    const int64_t step = m->lane_step, width = s->width;
    int lane = 0;
    for (; lane + 4 <= s->count; lane += 4) {
        const float *r0 = src + lane * step, *r1 = r0 + step, *r2 = r1 + step, *r3 = r2 + step;
        float *d = dst + lane;
        for (int64_t k = 0; k < s->kc; k++, d += width) {
            d[0] = r0[k];
            d[1] = r1[k];
            d[2] = r2[k];
            d[3] = r3[k];
        }
    }
    for (; lane < s->count; lane++) {
        for (int64_t k = 0; k < s->kc; k++) {
            dst[k * width + lane] = src[lane * step + k];
        }
    }
}

void gan__gemm_pack_matrix(const void *operand, const struct gan__gemm_strip *s, float *dst)
{
    const struct gan__gemm_matrix *m = operand;
    if (s->count < s->width) {
        memset(dst, 0, (size_t)(s->kc * s->width) * sizeof *dst);
    }
    if (m->lane_step != 1) {
        pack_rows(m, s, dst);
        return;
    }
    const float *src = m->data + s->first + s->k0 * m->k_step;
    for (int64_t k = 0; k < s->kc; k++) {
        memcpy(dst + k * s->width, src + k * m->k_step, (size_t)s->count * sizeof *dst);
    }
}

/* Part of C that one packed block of A and of B contribute to. */
struct part {
    int64_t i0, rows, j0, columns, kc;
    bool first; /* block of k: stores, later ones add */
};

static void finish_tile(const struct gan__gemm *g, const struct part *p, int64_t i, int64_t j,
                        const float *sums, const struct gan__gemm_tile *t)
{
    const int64_t rows = gan__smaller(t->mr, p->rows - i),
                  columns = gan__smaller(t->nr, p->columns - j);
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = p->i0 + i + r;
        float *c = g->c + (g->row != NULL ? g->row(g->row_context, at) : at * g->ldc) + p->j0 + j;
        const float *s = sums + r * t->nr;
        if (p->first) {
            memcpy(c, s, (size_t)columns * sizeof *c);
            continue;
        }
        for (int64_t x = 0; x < columns; x++) {
            c[x] += s[x];
        }
    }
}

static void multiply(const struct gan__gemm *g, const struct part *p, const float *a,
                     const float *b, const struct gan__gemm_tile *t)
{
    _Alignas(64) float sums[GAN_GEMM_MAX_MR * GAN_GEMM_MAX_NR];
    for (int64_t j = 0; j < p->columns; j += t->nr) {
        for (int64_t i = 0; i < p->rows; i += t->mr) {
            t->run(p->kc, a + i * p->kc, b + j * p->kc, sums);
            finish_tile(g, p, i, j, sums, t);
        }
    }
}

/* One block of k and of columns; called by all threads of a team. */
static void depth_block(const struct gan__gemm *g, const struct blocks *b, struct part p,
                        int64_t k0, float *scratch)
{
    const struct gan__gemm_tile *t = b->tile;
    float *packed_b = scratch;
    float *packed_a = scratch + b->b_floats + omp_get_thread_num() * b->a_floats;
#pragma omp for schedule(static)
    for (int64_t j = 0; j < p.columns; j += t->nr) {
        const struct gan__gemm_strip s = {p.j0 + j, (int)gan__smaller(t->nr, p.columns - j), t->nr,
                                          k0, p.kc};
        g->pack_b(g->b, &s, packed_b + j * p.kc);
    }
#pragma omp for schedule(dynamic)
    for (int64_t i0 = 0; i0 < g->m; i0 += b->rows) {
        struct part mine = p;
        mine.i0 = i0;
        mine.rows = gan__smaller(b->rows, g->m - i0);
        for (int64_t i = 0; i < mine.rows; i += t->mr) {
            const struct gan__gemm_strip s = {i0 + i, (int)gan__smaller(t->mr, mine.rows - i),
                                              t->mr, k0, p.kc};
            g->pack_a(g->a, &s, packed_a + i * p.kc);
        }
        multiply(g, &mine, packed_a, packed_b, t);
    }
}

void gan__gemm_run(const struct gan__gemm *g, int threads, void *scratch)
{
    const struct blocks b = blocks_of(g->m, g->n, g->k);
    const double work = (double)g->m * (double)g->n * (double)g->k;
#pragma omp parallel num_threads(threads > 1 && work > 2e5 ? threads : 1)
    for (int64_t j0 = 0; j0 < g->n; j0 += b.columns) {
        int64_t k0 = 0;
        do { /* once for k = 0: zeros */
            const struct part p = {.j0 = j0,
                                   .columns = gan__smaller(b.columns, g->n - j0),
                                   .kc = gan__smaller(b.depth, g->k - k0),
                                   .first = k0 == 0};
            depth_block(g, &b, p, k0, scratch);
            k0 += b.depth;
        } while (k0 < g->k);
    }
}
