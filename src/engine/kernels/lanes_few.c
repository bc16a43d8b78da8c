/* lanes_few.c: bf16 products of windows of an image of few channels, compiled once for each instruction
 * set.
 *
 * The narrow image lies in memory as words (half.h), so a window needs no copy: the words of 8 pixels,
 * or of 8 or 9 taps, are read where they lie, each repeated over 32 channels of the wide side. Sums
 * stay in registers. */
#include "lanes_half.h"

typedef uint16_t half32 __attribute__((vector_size(64)));

/* --- words -------------------------------------------------------------------------------------- */

#if defined(__AVX512BW__)
HALF void GAN_FEW(join)(const uint16_t *even, const uint16_t *odd, int64_t n, uint32_t *y)
{
    for (int64_t i = 0; i < n; i += N) {
        const __mmask16 m = (__mmask16)(n - i >= N ? 0xffffu : (1u << (n - i)) - 1);
        const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, even + i));
        const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, odd + i));
        _mm512_mask_storeu_epi32(y + i, m, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}
#else
HALF void GAN_FEW(join)(const uint16_t *even, const uint16_t *odd, int64_t n, uint32_t *y)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = even[i] | (uint32_t)odd[i] << 16;
    }
}
#endif

/* 32 words of two rows. */
INLINE void join_32(const uint16_t *even, const uint16_t *odd, uint32_t *y)
{
    half32 e, o;
    memcpy(&e, even, sizeof e);
    memcpy(&o, odd, sizeof o);
    const half32 first =
        __builtin_shufflevector(e, o, 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40,
                                9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
    const half32 second =
        __builtin_shufflevector(e, o, 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23,
                                55, 24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63);
    memcpy(y, &first, sizeof first);
    memcpy(y + N, &second, sizeof second);
}

HALF void GAN_FEW(join_pixels)(const uint16_t *x, int64_t pixels, int64_t channels,
                               const uint16_t *zeros, uint32_t *y, int64_t panel)
{
    const int64_t whole = channels - channels % PANEL, rest = channels - whole;
    for (int64_t k = 0; 2 * k < pixels; k++, y += PANEL) {
        const uint16_t *even = x + 2 * k * channels;
        const uint16_t *odd = 2 * k + 1 < pixels ? even + channels : zeros;
        uint32_t *to = y;
        for (int64_t c = 0; c < whole; c += PANEL, to += panel) {
            join_32(even + c, odd + c, to);
        }
        if (rest > 0) {
            memset(to, 0, PANEL * sizeof *to);
            GAN_FEW(join)(even + whole, odd + whole, rest, to);
        }
    }
}

/* 16 pixels, of which the first `pixels` exist. */
INLINE void turn_16(const uint16_t *x, const int64_t pixels, int64_t channels, uint32_t *y)
{
    for (int64_t c = 0; c < channels; c += 2 * N) {
        word16 v[N];
#pragma GCC unroll 16
        for (int r = 0; r < N; r++) {
            v[r] = (word16){0};
            if (r < pixels) {
                memcpy(&v[r], x + r * channels + c, sizeof v[r]);
            }
        }
        gan__turn(v);
#pragma GCC unroll 16
        for (int r = 0; r < N; r++) {
            memcpy(y + (c / 2 + r) * PANEL, &v[r], sizeof v[r]);
        }
    }
}

HALF void GAN_FEW(turn_pixels)(const uint16_t *x, int64_t pixels, int64_t channels, uint32_t *y)
{
    for (int64_t q = 0; q < pixels; q += N) {
        if (q + N <= pixels) {
            turn_16(x + q * channels, N, channels, y + q);
        } else {
            turn_16(x + q * channels, pixels - q, channels, y + q);
        }
    }
}

/* --- windows: results of 8 pixels --------------------------------------------------------------- */

/* a where the mask is set, else b. */
INLINE float16 pick(word16 mask, float16 a, float16 b)
{
    return (float16)((mask & (word16)a) | (~mask & (word16)b));
}

INLINE float16 act(const struct gan__half_windows *p, float16 v)
{
    if (p->act == GAN_HALF_RELU) {
        return pick((word16)(v < 0.0f), (float16){0}, v);
    }
    return p->act == GAN_HALF_LEAKY ? pick((word16)(v > 0.0f), v, p->slope * v) : v;
}

/* 8 pixels x 32 results, or with `left_only` the left 16 of them. */
INLINE void window_tile(const struct gan__half_windows *p, const bool left_only, const uint32_t *b,
                        int64_t column)
{
    const float16 zero = {0};
    const float *bias = p->bias != NULL ? p->bias + column : NULL;
    const uint32_t *pixel[GROUP];
    float16 left[GROUP], right[GROUP];
#pragma GCC unroll 8
    for (int r = 0; r < GROUP; r++) {
        pixel[r] = p->pixel[r];
        left[r] = bias != NULL ? load(bias) : zero;
        right[r] = bias != NULL && !left_only ? load(bias + N) : zero;
    }
    const int64_t words = p->words;
    for (int64_t k = 0; k < words; k++, b += PANEL) {
        const word16 b0 = load_words(b), b1 = left_only ? b0 : load_words(b + N);
        const int64_t at = p->at[k];
#pragma GCC unroll 8
        for (int r = 0; r < GROUP; r++) {
            const uint32_t w = pixel[r][at];
            left[r] = dot(left[r], w, b0);
            right[r] = left_only ? right[r] : dot(right[r], w, b1);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < GROUP; r++) {
        const int64_t at = r * p->y_row + column;
        if (r >= p->rows) {
            break;
        }
        if (p->half) {
            store_half(act(p, left[r]), (uint16_t *)p->y + at);
        } else {
            store(act(p, left[r]), (float *)p->y + at);
        }
        if (!left_only && p->half) {
            store_half(act(p, right[r]), (uint16_t *)p->y + at + N);
        } else if (!left_only) {
            store(act(p, right[r]), (float *)p->y + at + N);
        }
    }
}

HALF void GAN_FEW(windows)(const struct gan__half_windows *p)
{
    const uint32_t *b = p->b;
    int64_t j = 0;
    for (; j + PANEL <= p->n; j += PANEL, b += p->b_panel) {
        window_tile(p, false, b, j);
    }
    if (j < p->n) {
        window_tile(p, true, b, j);
    }
}

/* --- taps: sums over pixels --------------------------------------------------------------------- */

/* `rows` taps from `first` on x 32 channels. */
INLINE void tap_tile(const int rows, const bool left_only, const struct gan__half_taps *p,
                     int64_t first, const uint32_t *b, float *c)
{
    const uint32_t *word[GROUP + 1];
    float16 left[GROUP + 1], right[GROUP + 1];
#pragma GCC unroll 9
    for (int r = 0; r < rows; r++) {
        word[r] = p->words + p->at[first + r];
        left[r] = right[r] = (float16){0};
    }
    if (p->add) {
#pragma GCC unroll 9
        for (int r = 0; r < rows; r++) {
            left[r] = load(c + r * p->c_row);
            right[r] = left_only ? left[r] : load(c + r * p->c_row + N);
        }
    }
    for (int64_t y = 0; y < p->rows; y++) {
        int64_t at = y * p->row_step;
        for (const uint32_t *end = b + p->pairs * PANEL; b < end; b += PANEL, at += p->pair_step) {
            const word16 b0 = load_words(b), b1 = left_only ? b0 : load_words(b + N);
#pragma GCC unroll 9
            for (int r = 0; r < rows; r++) {
                const uint32_t w = word[r][at];
                left[r] = dot(left[r], w, b0);
                right[r] = left_only ? right[r] : dot(right[r], w, b1);
            }
        }
    }
#pragma GCC unroll 9
    for (int r = 0; r < rows; r++) {
        store(left[r], c + r * p->c_row);
        if (!left_only) {
            store(right[r], c + r * p->c_row + N);
        }
    }
}

/* All taps of one panel of channels: nines where they come out even, else eights and a four. */
INLINE void tap_panel(const bool left_only, const struct gan__half_taps *p, const uint32_t *b,
                      float *c)
{
    for (int64_t t = 0; t < p->taps;) {
        const int64_t rest = p->taps - t;
        float *to = c + t * p->c_row;
        if (rest % (GROUP + 1) == 0 || (rest % GROUP == 1 && rest > GROUP)) {
            tap_tile(GROUP + 1, left_only, p, t, b, to);
            t += GROUP + 1;
        } else if (rest > 4) {
            tap_tile(GROUP, left_only, p, t, b, to);
            t += GROUP;
        } else {
            tap_tile(4, left_only, p, t, b, to);
            t += 4;
        }
    }
}

HALF void GAN_FEW(taps)(const struct gan__half_taps *p)
{
    const uint32_t *b = p->b;
    int64_t j = 0;
    for (; j + PANEL <= p->n; j += PANEL, b += p->b_panel) {
        tap_panel(false, p, b, p->c + j);
    }
    if (j < p->n) {
        tap_panel(true, p, b, p->c + j);
    }
}

/* --- folding ------------------------------------------------------------------------------------ */

#if defined(__AVX512BW__)
HALF void GAN_FEW(sum_segments)(const struct gan__half_segment *s, int64_t segments, float v,
                                float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i += N) {
        __m512 sum = _mm512_set1_ps(v);
        for (int64_t k = 0; k < segments; k++) {
            const int64_t low = s[k].first > i ? s[k].first - i : 0;
            const int64_t high = s[k].end - i < N ? s[k].end - i : N;
            if (low < high) {
                const __mmask16 m = (__mmask16)(((1u << high) - 1) & ~((1u << low) - 1));
                /* may begin before `from`: those lanes are masked */
                const intptr_t at = (intptr_t)s[k].from + (i - s[k].first) * 4;
                sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(m, (const void *)at));
            }
        }
        const __mmask16 m = (__mmask16)(n - i >= N ? 0xffffu : (1u << (n - i)) - 1);
        _mm512_mask_storeu_ps(y + i, m, sum);
    }
}
#else
HALF void GAN_FEW(sum_segments)(const struct gan__half_segment *s, int64_t segments, float v,
                                float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = v;
    }
    for (int64_t k = 0; k < segments; k++) {
        const int64_t end = s[k].end < n ? s[k].end : n;
        for (int64_t i = s[k].first > 0 ? s[k].first : 0; i < end; i++) {
            y[i] += s[k].from[i - s[k].first];
        }
    }
}
#endif

HALF void GAN_FEW(interleave)(const float *even, const float *odd, float *y, int64_t n)
{
    int64_t i = 0;
    for (; i + 2 * N <= n; i += 2 * N) {
        const float16 e = load(even + i / 2), o = load(odd + i / 2);
        store((float16)GAN_LOW_HALVES((word16)e, (word16)o), y + i);
        store((float16)GAN_HIGH_HALVES((word16)e, (word16)o), y + i + N);
    }
    for (; i < n; i++) {
        y[i] = i % 2 == 0 ? even[i / 2] : odd[i / 2];
    }
}
