/* lanes_half.c: loops over bf16 pairs, compiled once for each instruction set.
 *
 * A product keeps 8 x 32 sums in 16 registers (8 x 16 in the last columns); each step loads 32 words of the right operand and
 * repeats 8 words of the left one. A sum is one chain over the pairs: first the odd elements'
 * product, then the even ones'. The tiles of Winograd's transforms are 16 channels wide. */
#include "lanes_half.h"

#define SET GAN_LANES_NAME(gan__half_lanes)

extern const struct gan__half_lanes SET;

/* The nine taps of one kernel. */
INLINE word16 load_taps(const float *p)
{
#if defined(__AVX512BW__)
    return (word16)_mm512_maskz_loadu_ps(0x1ff, p);
#else
    word16 v = {0};
    memcpy(&v, p, 9 * sizeof *p);
    return v;
#endif
}

INLINE void store_taps(word16 v, float *p)
{
#if defined(__AVX512BW__)
    _mm512_mask_storeu_ps(p, 0x1ff, (__m512)v);
#else
    memcpy(p, &v, 9 * sizeof *p);
#endif
}

INLINE word16 pair_of(float16 even, float16 odd)
{
    return __builtin_convertvector(narrow(even), word16) |
           (__builtin_convertvector(narrow(odd), word16) << 16);
}

/* --- products --------------------------------------------------------------------------------- */

/* rows x 32 results, or with `narrow` the left 16 of them. */
INLINE void tile(const int rows, const bool narrow, const uint32_t *a, int64_t a_row,
                 int64_t a_pair, const uint32_t *b, const struct gan__half_product *p, float *c)
{
    float16 left[GROUP], right[GROUP];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        left[r] = p->add ? load(c + r * p->c_row) : (float16){0};
        right[r] = p->add && !narrow ? load(c + r * p->c_row + N) : (float16){0};
    }
    const int64_t pairs = p->pairs;
    for (int64_t k = 0; k < pairs; k++) {
        const word16 b0 = load_words(b + k * PANEL), b1 = load_words(b + k * PANEL + N);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            const uint32_t w = a[r * a_row + k * a_pair];
            left[r] = dot(left[r], w, b0);
            right[r] = narrow ? right[r] : dot(right[r], w, b1);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        store(left[r], c + r * p->c_row);
        if (!narrow) {
            store(right[r], c + r * p->c_row + N);
        }
    }
}

/* One panel of columns. */
INLINE void panel_of(const struct gan__half_product *p, const bool narrow, const uint32_t *b,
                     float *c)
{
    const uint32_t *a = p->a;
    int64_t rows = p->m;
    for (; rows >= GROUP; rows -= GROUP, a += p->a_group, c += GROUP * p->c_row) {
        if (p->a_pair == 1) {
            tile(GROUP, narrow, a, p->a_row, 1, b, p, c);
        } else if (p->a_row == 1) {
            tile(GROUP, narrow, a, 1, p->a_pair, b, p, c);
        } else {
            tile(GROUP, narrow, a, p->a_row, p->a_pair, b, p, c);
        }
    }
    for (; rows >= 4; rows -= 4, a += 4 * p->a_row, c += 4 * p->c_row) {
        tile(4, narrow, a, p->a_row, p->a_pair, b, p, c);
    }
    for (; rows > 0; rows--, a += p->a_row, c += p->c_row) {
        tile(1, narrow, a, p->a_row, p->a_pair, b, p, c);
    }
}

HALF static void product(const struct gan__half_product *p)
{
    const uint32_t *b = p->b;
    int64_t j = 0;
    for (; j + PANEL <= p->n; j += PANEL, b += p->b_panel) {
        panel_of(p, false, b, p->c + j);
    }
    if (j < p->n) {
        panel_of(p, true, b, p->c + j);
    }
}

/* --- images ----------------------------------------------------------------------------------- */

/* v = B' d of four rows, B' = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]; one column after the other. */
#define INPUT_STEP(V, D0, D1, D2, D3)                                                              \
    (V)[0] = (D0) - (D2);                                                                          \
    (V)[1] = (D1) + (D2);                                                                          \
    (V)[2] = (D2) - (D1);                                                                          \
    (V)[3] = (D1) - (D3);

INLINE void input_tile(const uint16_t *const *pixel, int64_t c, float16 *v)
{
    float16 t[4][4]; /* [column][row], rows transformed */
#pragma GCC unroll 4
    for (int x = 0; x < 4; x++) {
        const float16 d0 = load_half(pixel[x] + c), d1 = load_half(pixel[4 + x] + c);
        const float16 d2 = load_half(pixel[8 + x] + c), d3 = load_half(pixel[12 + x] + c);
        INPUT_STEP(t[x], d0, d1, d2, d3)
    }
#pragma GCC unroll 4
    for (int y = 0; y < 4; y++) {
        INPUT_STEP(v + 4 * y, t[0][y], t[1][y], t[2][y], t[3][y])
    }
}

HALF static void input(const uint16_t *const *pixel, int64_t channels, uint16_t *v, int64_t step)
{
    for (int64_t c = 0; c < channels; c += N) {
        float16 e[GAN_WINO_PLACES];
        input_tile(pixel, c, e);
#pragma GCC unroll 16
        for (int k = 0; k < GAN_WINO_PLACES; k++) {
            store_half(e[k], v + k * step + c);
        }
    }
}

HALF static void input_pair(const uint16_t *const *pixel, int64_t channels, uint32_t *v,
                            int64_t step, int64_t group)
{
    for (int64_t c = 0; c < channels; c += N) {
        float16 e[GAN_WINO_PLACES], o[GAN_WINO_PLACES];
        uint32_t *at = v + c / GROUP * group;
        input_tile(pixel, c, e);
        input_tile(pixel + GAN_WINO_PLACES, c, o);
#pragma GCC unroll 16
        for (int k = 0; k < GAN_WINO_PLACES; k++) {
            const word16 w = pair_of(e[k], o[k]);
            memcpy(at + k * step, &w, sizeof w / 2);
            memcpy(at + k * step + group, (const char *)&w + sizeof w / 2, sizeof w / 2);
        }
    }
}

/* z = A d, A = [1 0; 1 1; 1 -1; 0 -1]. */
#define GRAD_STEP(Z, D0, D1)                                                                       \
    (Z)[0] = (D0);                                                                                 \
    (Z)[1] = (D0) + (D1);                                                                          \
    (Z)[2] = (D0) - (D1);                                                                          \
    (Z)[3] = -(D1);

INLINE void grad_tile(const uint16_t *const *pixel, int64_t c, float16 *z)
{
    float16 t[2][4]; /* [column][row], rows transformed */
#pragma GCC unroll 2
    for (int x = 0; x < 2; x++) {
        const float16 d0 = load_half(pixel[x] + c), d1 = load_half(pixel[2 + x] + c);
        GRAD_STEP(t[x], d0, d1)
    }
#pragma GCC unroll 4
    for (int y = 0; y < 4; y++) {
        GRAD_STEP(z + 4 * y, t[0][y], t[1][y])
    }
}

HALF static void grad_pair(const uint16_t *const *pixel, int64_t channels, uint32_t *z,
                           int64_t step, int64_t panel)
{
    for (int64_t c = 0; c < channels; c += N) {
        float16 e[GAN_WINO_PLACES], o[GAN_WINO_PLACES];
        grad_tile(pixel, c, e);
        grad_tile(pixel + 4, c, o);
        uint32_t *at = z + c / PANEL * panel + c % PANEL;
#pragma GCC unroll 16
        for (int k = 0; k < GAN_WINO_PLACES; k++) {
            const word16 w = pair_of(e[k], o[k]);
            memcpy(at + k * step, &w, sizeof w);
        }
    }
}

/* y = A' m, A' = [1 1 1 0; 0 1 -1 -1]. */
#define OUTPUT_STEP(Y0, Y1, M0, M1, M2, M3)                                                        \
    (Y0) = (M0) + (M1) + (M2);                                                                     \
    (Y1) = (M1) - (M2) - (M3);

INLINE void output_tile(const float *m, int64_t step, float16 *y)
{
    float16 t[2][4];
#pragma GCC unroll 4
    for (int x = 0; x < 4; x++) {
        const float *at = m + x * step;
        const float16 m0 = load(at), m1 = load(at + 4 * step);
        const float16 m2 = load(at + 8 * step), m3 = load(at + 12 * step);
        OUTPUT_STEP(t[0][x], t[1][x], m0, m1, m2, m3)
    }
    OUTPUT_STEP(y[0], y[1], t[0][0], t[0][1], t[0][2], t[0][3])
    OUTPUT_STEP(y[2], y[3], t[1][0], t[1][1], t[1][2], t[1][3])
}

HALF static void output(const float *m, int64_t step, void *const *pixel, bool half)
{
    for (int64_t c = 0; c < PANEL; c += N) {
        float16 y[4];
        output_tile(m + c, step, y);
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            if (pixel[k] != NULL && half) {
                store_half(y[k], (uint16_t *)pixel[k] + c);
            } else if (pixel[k] != NULL) {
                store(y[k], (float *)pixel[k] + c);
            }
        }
    }
}

/* --- weights ---------------------------------------------------------------------------------- */

/* u = G g, G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1]. */
#define WEIGHT_STEP(U, G0, G1, G2)                                                                 \
    (U)[0] = (G0);                                                                                 \
    (U)[1] = 0.5f * ((G0) + (G2)) + 0.5f * (G1);                                                   \
    (U)[2] = 0.5f * ((G0) + (G2)) - 0.5f * (G1);                                                   \
    (U)[3] = (G2);

INLINE void weight_tile(const float *w, int64_t column, bool flip, float16 *u)
{
    word16 g[N];
#pragma GCC unroll 16
    for (int o = 0; o < N; o++) {
        g[o] = load_taps(w + o * column);
    }
    gan__turn(g);
    float16 s[3][4];
#pragma GCC unroll 3
    for (int x = 0; x < 3; x++) {
        const float16 g0 = (float16)g[flip ? 8 - x : x], g1 = (float16)g[flip ? 5 - x : 3 + x];
        const float16 g2 = (float16)g[flip ? 2 - x : 6 + x];
        WEIGHT_STEP(s[x], g0, g1, g2)
    }
#pragma GCC unroll 4
    for (int y = 0; y < 4; y++) {
        WEIGHT_STEP(u + 4 * y, s[0][y], s[1][y], s[2][y])
    }
}

HALF static void weights(const float *w, int64_t column, int64_t row, bool flip, uint32_t *u,
                         int64_t step)
{
    for (int64_t o = 0; o < PANEL; o += N) {
        float16 even[GAN_WINO_PLACES], odd[GAN_WINO_PLACES];
        if (flip) {
            weight_tile(w + o * column, column, true, even);
            weight_tile(w + o * column + row, column, true, odd);
        } else {
            weight_tile(w + o * column, column, false, even);
            weight_tile(w + o * column + row, column, false, odd);
        }
#pragma GCC unroll 16
        for (int k = 0; k < GAN_WINO_PLACES; k++) {
            const word16 v = pair_of(even[k], odd[k]);
            memcpy(u + k * step + o, &v, sizeof v);
        }
    }
}

/* g = G' u. */
#define WEIGHT_BACK_STEP(G0, G1, G2, U0, U1, U2, U3)                                               \
    (G0) = (U0) + 0.5f * ((U1) + (U2));                                                            \
    (G1) = 0.5f * ((U1) - (U2));                                                                   \
    (G2) = 0.5f * ((U1) + (U2)) + (U3);

HALF static void weights_back(const float *du, int64_t step, float *w, int64_t column)
{
    float16 s[3][4], r[9];
    word16 g[N] = {{0}};
#pragma GCC unroll 4
    for (int x = 0; x < 4; x++) {
        const float *at = du + x * step;
        const float16 u0 = load(at), u1 = load(at + 4 * step);
        const float16 u2 = load(at + 8 * step), u3 = load(at + 12 * step);
        WEIGHT_BACK_STEP(s[0][x], s[1][x], s[2][x], u0, u1, u2, u3)
    }
#pragma GCC unroll 3
    for (int y = 0; y < 3; y++) {
        WEIGHT_BACK_STEP(r[3 * y], r[3 * y + 1], r[3 * y + 2], s[y][0], s[y][1], s[y][2], s[y][3])
    }
#pragma GCC unroll 9
    for (int t = 0; t < 9; t++) {
        g[t] = (word16)r[t];
    }
    gan__turn(g);
#pragma GCC unroll 16
    for (int o = 0; o < N; o++) {
        store_taps(g[o], w + o * column);
    }
}

const struct gan__half_lanes SET = {.fast = FAST,
                                    .product = product,
                                    .join = GAN_FEW(join),
                                    .join_pixels = GAN_FEW(join_pixels),
                                    .turn_pixels = GAN_FEW(turn_pixels),
                                    .sum_segments = GAN_FEW(sum_segments),
                                    .interleave = GAN_FEW(interleave),
                                    .windows = GAN_FEW(windows),
                                    .taps = GAN_FEW(taps),
                                    .input = input,
                                    .input_pair = input_pair,
                                    .grad_pair = grad_pair,
                                    .output = output,
                                    .weights = weights,
                                    .weights_back = weights_back};
