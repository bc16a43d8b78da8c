/* half.h: products of bf16 and the transforms of Winograd's F(2x2,3x3) around them.
 *
 * A "word" holds two bf16 that are neighbours along the inner index of a product, the even one in
 * its lower half: the operand of AVX-512's vdpbf16ps, which multiplies both and adds both to an f32.
 * The sets without that instruction do the same sums in the same order, for tests.
 *
 * F(2x2,3x3): y = A'[(G g G') .* (B' d B)]A with 16 products for the 36 of four results.
 * Ref: Lavin and Gray 2016, arXiv:1509.09308, section 4.1. */
#ifndef GAN_ENGINE_KERNELS_HALF_H
#define GAN_ENGINE_KERNELS_HALF_H

#include <stdbool.h>
#include <stdint.h>

enum gan__half_act { GAN_HALF_NONE, GAN_HALF_RELU, GAN_HALF_LEAKY };

enum {
    GAN_HALF_GROUP = 8,  /* rows of the left operand that lie together */
    GAN_HALF_PANEL = 32, /* columns of the right operand that lie together */
    GAN_WINO_PLACES = 16 /* elements of a transformed tile, 4x4 */
};

/* c [m][n] = sum over pairs of a and b, or added to c; n a multiple of 16. */
struct gan__half_product {
    int64_t m, n, pairs;
    const uint32_t *a; /* word of row i: a[i / 8 * group + i % 8 * row + pair * a_pair] */
    int64_t a_group, a_row, a_pair;
    const uint32_t *b; /* word of column j: b[j / 32 * b_panel + pair * 32 + j % 32] */
    int64_t b_panel;
    float *c;
    int64_t c_row;
    bool add;
};

/* Results of 1 to 8 pixels, each from a window of words of its own. */
struct gan__half_windows {
    const uint32_t *pixel[GAN_HALF_GROUP]; /* all 8 may be read; `rows` are written */
    int64_t rows;
    const int64_t *at; /* word k of pixel r: pixel[r][at[k]] */
    int64_t words;
    const uint32_t *b; /* weights: word k of column j: b[j / 32 * b_panel + k * 32 + j % 32] */
    int64_t b_panel, n;
    const float *bias; /* n of them, or NULL */
    enum gan__half_act act;
    float slope;
    void *y; /* column j of pixel r: y[r * y_row + j] */
    int64_t y_row;
    bool half; /* y is bf16 */
};

/* c [taps][n] = sum over pairs of pixels of a window's words and the wide image's; n a multiple of
 * 16; or added to c. c and `at` have room for a multiple of 8 taps. */
struct gan__half_taps {
    const uint32_t *words; /* tap t of pair (y, k): words[at[t] + y * row_step + k * pair_step] */
    const int64_t *at;
    int64_t taps, row_step, pair_step, rows, pairs;
    const uint32_t *b; /* channel j: b[j / 32 * b_panel + (y * pairs + k) * 32 + j % 32] */
    int64_t b_panel, n;
    float *c;
    int64_t c_row;
    bool add;
};

/* Numbers that are added to elements first .. end-1 of a row: from[i - first] to element i. */
struct gan__half_segment {
    const float *from;
    int64_t first, end;
};

struct gan__half_lanes {
    bool fast; /* has the instruction */
    void (*product)(const struct gan__half_product *p);
    /* y[i] = the word of even[i] and odd[i] */
    void (*join)(const uint16_t *even, const uint16_t *odd, int64_t n, uint32_t *y);
    /* Pairs of neighbours of x [pixels][channels] as words, in panels of 32 channels: pair k's channel c
     * at y[c / 32 * panel + k * 32 + c % 32], zeros up to a multiple of 16. `zeros` (as many channels)
     * is the partner of an odd pixel. */
    void (*join_pixels)(const uint16_t *x, int64_t pixels, int64_t channels, const uint16_t *zeros,
                        uint32_t *y, int64_t panel);
    /* Up to 32 pixels of x [pixels][channels] with their words as rows: word p of pixel q at y[p * 32 + q],
     * zeros up to 16 or 32 pixels. Channels are a multiple of 32. */
    void (*turn_pixels)(const uint16_t *x, int64_t pixels, int64_t channels, uint32_t *y);
    /* y[i] = v + what the segments have for i. */
    void (*sum_segments)(const struct gan__half_segment *s, int64_t segments, float v, float *y,
                         int64_t n);
    /* y[2 i] = even[i], y[2 i + 1] = odd[i]; n numbers in y. */
    void (*interleave)(const float *even, const float *odd, float *y, int64_t n);
    void (*windows)(const struct gan__half_windows *p);
    void (*taps)(const struct gan__half_taps *p);
    /* B' d B of one tile: pixel[16] are its 4x4 pixels, row by row; element k of channel c goes to
     * v[k*step + c]. Channels are a multiple of 16 here and below. */
    void (*input)(const uint16_t *const *pixel, int64_t channels, uint16_t *v, int64_t step);
    /* ... of two tiles, pixel[32], as words: channel c of element k at v[k*step + c/8*group + c%8]. */
    void (*input_pair)(const uint16_t *const *pixel, int64_t channels, uint32_t *v, int64_t step,
                       int64_t group);
    /* A dy A' of two tiles, pixel[8]: channel c of element k at z[k*step + c/32*panel + c%32]. */
    void (*grad_pair)(const uint16_t *const *pixel, int64_t channels, uint32_t *z, int64_t step,
                      int64_t panel);
    /* A' m A of 32 channels, element k of channel c at m[k*step + c], to four pixels of bf16 or f32;
     * NULL: outside the image. */
    void (*output)(const float *m, int64_t step, void *const *pixel, bool half);
    /* G g G' of 32 columns (o) and two rows (i, i+1): tap t of (o, i) at w[o*column + i*row + t],
     * flip: at 8 - t; element k goes to u[k*step + o]. */
    void (*weights)(const float *w, int64_t column, int64_t row, bool flip, uint32_t *u,
                    int64_t step);
    /* G' du G of 16 columns and one row: element k of column o at du[k*step + o]; tap t of column o
     * goes to w[o*column + t]. */
    void (*weights_back)(const float *du, int64_t step, float *w, int64_t column);
};

/* The best set for this machine (GAN_ISA lowers it), and a set by name, NULL when absent. */
const struct gan__half_lanes *gan__half_lanes(void);
const struct gan__half_lanes *gan__half_lanes_find(const char *isa);

#endif
