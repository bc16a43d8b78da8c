/* lanes_strided.c: the inner loops of Winograd's F(mxm,2x2) for AVX-512. A product keeps 8 x 32 sums in
 * 16 registers; each step loads 32 numbers of the right operand and repeats 8 of the left one. Like
 * lanes_thin.c it multiplies and adds in one rounding, as the library's products do. */
#include "strided.h"
#include "lanes_name.h"

#if defined(__AVX512F__)

#include "lanes_turn.h"

#include <immintrin.h>
#include <stddef.h>

typedef float vec __attribute__((vector_size(64)));

enum { N = GAN_STRIDED_LANES, PANEL = GAN_STRIDED_PANEL, GROUP = 8 };

#define INLINE static inline __attribute__((always_inline))

INLINE vec at(const float *p)
{
    return (vec)_mm512_loadu_ps(p);
}

INLINE void put(float *p, vec v)
{
    _mm512_storeu_ps(p, (__m512)v);
}

INLINE vec fuse(vec x, float s, vec sum)
{
    return (vec)_mm512_fmadd_ps((__m512)x, _mm512_set1_ps(s), (__m512)sum);
}

/* --- products --------------------------------------------------------------------------------- */

INLINE void tile(const int rows, const float *a, int64_t a_row, int64_t a_k, const float *b,
                 const struct gan__strided_product *p, float *c)
{
    vec left[GROUP], right[GROUP];
    const vec zero = {0};
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        left[r] = right[r] = zero;
    }
    const int64_t k = p->k, b_k = p->b_k;
    for (int64_t l = 0; l < k; l++, a += a_k, b += b_k) {
        const vec b0 = at(b), b1 = at(b + N);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            left[r] = fuse(b0, a[r * a_row], left[r]);
            right[r] = fuse(b1, a[r * a_row], right[r]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        float *to = c + r * p->c_row;
        put(to, left[r] + (p->add ? at(to) : zero));
        put(to + N, right[r] + (p->add ? at(to + N) : zero));
    }
}

INLINE void panel(const struct gan__strided_product *p, int64_t a_row, int64_t a_k, const float *b,
                  float *c)
{
    const float *a = p->a;
    int64_t rows = p->m;
    for (; rows >= GROUP; rows -= GROUP, a += GROUP * a_row, c += GROUP * p->c_row) {
        tile(GROUP, a, a_row, a_k, b, p, c);
    }
    for (; rows >= 4; rows -= 4, a += 4 * a_row, c += 4 * p->c_row) {
        tile(4, a, a_row, a_k, b, p, c);
    }
    for (; rows > 0; rows--, a += a_row, c += p->c_row) {
        tile(1, a, a_row, a_k, b, p, c);
    }
}

static void product(const struct gan__strided_product *p)
{
    const float *b = p->b;
    for (int64_t j = 0; j < p->n; j += PANEL, b += p->b_panel) {
        if (p->a_k == 1) {
            panel(p, p->a_row, 1, b, p->c + j);
        } else {
            panel(p, 1, p->a_k, b, p->c + j);
        }
    }
}

/* --- one dimension ---------------------------------------------------------------------------- */

/* v = B' d; z = A y; y = A' p; u = G g; g = G' s: one row or column of a tile of m results, numbers
 * that lie `step` apart (of s: 1). */

INLINE void input_line(const int m, const vec *d, vec *v, const int step)
{
    const vec d0 = d[0], d1 = d[step], d2 = d[2 * step];
    if (m == 2) {
        v[0] = d0 - d1;
        v[step] = d1;
        v[2 * step] = d2 - d1;
        return;
    }
    const vec d3 = d[3 * step], d4 = d[4 * step];
    v[0] = fuse(d1 + d2, -1.5f, d0 + d3);
    v[step] = fuse(d2, -2.5f, d1 + d3);
    v[2 * step] = fuse(d1, -2, d3 - d2);
    v[3 * step] = fuse(d2 - d1, 0.5f, d3);
    v[4 * step] = fuse(d2 + d3, -1.5f, d1 + d4);
}

INLINE void grad_line(const int m, const vec *y, vec *z, const int step)
{
    const vec y0 = y[0], y1 = y[step];
    z[0] = y0;
    if (m == 2) {
        z[step] = y0 + y1;
        z[2 * step] = y1;
        return;
    }
    const vec y2 = y[2 * step], y3 = y[3 * step];
    z[step] = (y0 + y2) - (y1 + y3);
    z[2 * step] = fuse(fuse(fuse(y3, 0.5f, y2), 0.5f, y1), 0.5f, y0);
    z[3 * step] = fuse(fuse(fuse(y3, 2, y2), 2, y1), 2, y0);
    z[4 * step] = y3;
}

INLINE void output_line(const int m, const vec *p, vec *y, const int step)
{
    const vec p0 = p[0], p1 = p[step], p2 = p[2 * step];
    if (m == 2) {
        y[0] = p0 + p1;
        y[step] = p1 + p2;
        return;
    }
    const vec p3 = p[3 * step], p4 = p[4 * step];
    y[0] = (p0 + p1) + (p2 + p3);
    y[step] = fuse(p3, 2, fuse(p2, 0.5f, -p1));
    y[2 * step] = fuse(p3, 4, fuse(p2, 0.25f, p1));
    y[3 * step] = fuse(p3, 8, fuse(p2, 0.125f, p4 - p1));
}

INLINE void weight_line(const int m, vec g0, vec g1, vec *u)
{
    if (m == 2) {
        u[0] = g0;
        u[1] = g0 + g1;
        u[2] = g1;
        return;
    }
    u[0] = g0;
    u[1] = (g1 - g0) * (2.0f / 9);
    u[2] = fuse(g0, 2, g1) * (-4.0f / 9);
    u[3] = fuse(g1, 2, g0) * (1.0f / 9);
    u[4] = g1;
}

INLINE void weight_back_line(const int m, const vec *s, vec *g, const int step)
{
    const vec s0 = s[0], s1 = s[1], s2 = s[2];
    if (m == 2) {
        g[0] = s0 + s1;
        g[step] = s1 + s2;
        return;
    }
    const vec s3 = s[3], s4 = s[4];
    g[0] = fuse(s3 - s1 * 2 - s2 * 8, 1.0f / 9, s0);
    g[step] = fuse(s1 + s3 - s2 * 2, 2.0f / 9, s4);
}

/* --- images ----------------------------------------------------------------------------------- */

enum { SIDE = GAN_STRIDED_MOST_TILE + 1, MOST = SIDE * SIDE };

typedef void line_fn(const int m, const vec *from, vec *to, const int step);

/* side x side pixels to (m+1) x (m+1) elements: `line` on columns, then on rows. */
INLINE void image_of(const int m, const int side, line_fn *line, const float *const *pixel,
                     int64_t channels, float *v, int64_t step)
{
    const int r = m + 1;
    for (int64_t c = 0; c < channels; c += N) {
        vec d[MOST], t[MOST];
#pragma GCC unroll 5
        for (int x = 0; x < side; x++) {
#pragma GCC unroll 5
            for (int y = 0; y < side; y++) {
                d[y * r + x] = at(pixel[y * side + x] + c);
            }
            line(m, d + x, t + x, r);
        }
#pragma GCC unroll 5
        for (int y = 0; y < r; y++) {
            vec e[SIDE];
            line(m, t + y * r, e, 1);
#pragma GCC unroll 5
            for (int x = 0; x < r; x++) {
                put(v + (y * r + x) * step + c, e[x]);
            }
        }
    }
}

/* A NaN stays: max gives its second operand then, and a comparison is false. */
INLINE vec activated(vec y, const struct gan__strided_end *end)
{
    const __m512 zero = _mm512_setzero_ps(), v = (__m512)y;
    if (end->act == GAN_STRIDED_RELU) {
        return (vec)_mm512_max_ps(zero, v);
    }
    if (end->act == GAN_STRIDED_LEAKY) {
        const __mmask16 low = _mm512_cmp_ps_mask(v, zero, _CMP_NGT_UQ);
        return (vec)_mm512_mask_mul_ps(v, low, v, _mm512_set1_ps(end->slope));
    }
    return y;
}

INLINE void output_of(const int m, const float *p, int64_t step, float *const *pixel,
                      const struct gan__strided_end *end)
{
    const int r = m + 1;
    for (int64_t c = 0; c < PANEL; c += N) {
        vec t[MOST];
#pragma GCC unroll 5
        for (int x = 0; x < r; x++) {
            vec d[SIDE];
#pragma GCC unroll 5
            for (int y = 0; y < r; y++) {
                d[y] = at(p + (y * r + x) * step + c);
            }
            output_line(m, d, d, 1);
#pragma GCC unroll 4
            for (int y = 0; y < m; y++) {
                t[y * r + x] = d[y];
            }
        }
#pragma GCC unroll 4
        for (int y = 0; y < m; y++) {
            vec e[SIDE];
            output_line(m, t + y * r, e, 1);
#pragma GCC unroll 4
            for (int x = 0; x < m; x++) {
                if (end->bias != NULL) {
                    e[x] += at(end->bias + c);
                }
                e[x] = activated(e[x], end);
                if (pixel[y * m + x] != NULL) {
                    put(pixel[y * m + x] + c, e[x]);
                }
            }
        }
    }
}

/* --- weights ---------------------------------------------------------------------------------- */

/* Taps 2u+s, 2v+t of phase (s,t): place of u, v = 0, 0. */
#define FIRST_TAP(Q) ((Q) / 2 * 4 + (Q) % 2)

INLINE void weights_of(const int m, const float *w, int64_t column, bool turned, float *u,
                       int64_t phase, int64_t step)
{
    const int r = m + 1;
    gan__word16 g[N];
#pragma GCC unroll 16
    for (int j = 0; j < N; j++) {
        g[j] = (gan__word16)at(w + j * column);
    }
    gan__turn(g);
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) {
        const int rows = turned ? -8 : 8, columns = turned ? -2 : 2;
        const int f = FIRST_TAP(q) + (turned ? 10 : 0);
        vec left[SIDE], right[SIDE], e[SIDE];
        weight_line(m, (vec)g[f], (vec)g[f + rows], left);
        weight_line(m, (vec)g[f + columns], (vec)g[f + rows + columns], right);
#pragma GCC unroll 5
        for (int y = 0; y < r; y++) {
            weight_line(m, left[y], right[y], e);
#pragma GCC unroll 5
            for (int x = 0; x < r; x++) {
                put(u + q * phase + (y * r + x) * step, e[x]);
            }
        }
    }
}

INLINE void weights_back_of(const int m, const float *s, int64_t phase, int64_t step, float *w,
                            int64_t column)
{
    const int r = m + 1;
    gan__word16 g[N];
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) {
        const int f = FIRST_TAP(q);
        vec t[2 * SIDE];
#pragma GCC unroll 5
        for (int x = 0; x < r; x++) {
            vec d[SIDE];
#pragma GCC unroll 5
            for (int y = 0; y < r; y++) {
                d[y] = at(s + q * phase + (y * r + x) * step);
            }
            weight_back_line(m, d, t + x, SIDE);
        }
#pragma GCC unroll 2
        for (int y = 0; y < 2; y++) {
            vec e[2];
            weight_back_line(m, t + y * SIDE, e, 1);
            g[f + 8 * y] = (gan__word16)e[0];
            g[f + 8 * y + 2] = (gan__word16)e[1];
        }
    }
    gan__turn(g);
#pragma GCC unroll 16
    for (int j = 0; j < N; j++) {
        put(w + j * column, (vec)g[j]);
    }
}

#define TILE(M)                                                                                    \
    static void input_##M(const float *const *pixel, int64_t channels, float *v, int64_t step)     \
    {                                                                                              \
        image_of(M, (M) + 1, input_line, pixel, channels, v, step);                                \
    }                                                                                              \
    static void grad_##M(const float *const *pixel, int64_t channels, float *z, int64_t step)      \
    {                                                                                              \
        image_of(M, M, grad_line, pixel, channels, z, step);                                       \
    }                                                                                              \
    static void output_##M(const float *m, int64_t step, float *const *pixel,                      \
                           const struct gan__strided_end *end)                                     \
    {                                                                                              \
        output_of(M, m, step, pixel, end);                                                         \
    }                                                                                              \
    static void weights_##M(const float *w, int64_t column, bool turned, float *u, int64_t phase,  \
                            int64_t step)                                                          \
    {                                                                                              \
        if (turned) {                                                                              \
            weights_of(M, w, column, true, u, phase, step);                                        \
        } else {                                                                                   \
            weights_of(M, w, column, false, u, phase, step);                                       \
        }                                                                                          \
    }                                                                                              \
    static void weights_back_##M(const float *s, int64_t phase, int64_t step, float *w,            \
                                 int64_t column)                                                   \
    {                                                                                              \
        weights_back_of(M, s, phase, step, w, column);                                             \
    }                                                                                              \
    extern const struct gan__strided GAN_LANES_NAME(gan__strided_##M);                             \
    const struct gan__strided GAN_LANES_NAME(gan__strided_##M) = {.tile = (M),                     \
                                                                  .places = ((M) + 1) * ((M) + 1), \
                                                                  .input = input_##M,              \
                                                                  .grad = grad_##M,                \
                                                                  .output = output_##M,            \
                                                                  .weights = weights_##M,          \
                                                                  .weights_back =                  \
                                                                      weights_back_##M,            \
                                                                  .product = product};

TILE(2)
TILE(4)

#else
typedef int gan__strided_unused; /* a file is not empty */
#endif
