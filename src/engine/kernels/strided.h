/* strided.h: transforms and products of Winograd's F(2x2,2x2) and F(4x4,2x2), into which a 4x4
 * convolution of stride 2 falls: even and odd rows and columns of the images are four smaller images
 * ("phases"), each convolved with 2x2 of the 16 taps.
 *
 * F(mxm,2x2): y = A'[(G g G') .* (B' d B)]A with (m+1)^2 products for the 4m^2 of a tile of m x m results.
 *   m = 2, points 0, 1, inf: B' = [1 -1 0; 0 1 0; 0 -1 1], G = [1 0; 1 1; 0 1], A' = [1 1 0; 0 1 1]
 *   m = 4, points 0, -1, 1/2, 2, inf (a third of the error of 0, 1, -1, 2, inf):
 *     B' = [1 -3/2 -3/2 1 0; 0 1 -5/2 1 0; 0 -2 -1 1 0; 0 -1/2 1/2 1 0; 0 1 -3/2 -3/2 1]
 *     G  = [1 0; -2/9 2/9; -8/9 -4/9; 1/9 2/9; 0 1]
 *     A' = [1 1 1 1 0; 0 -1 1/2 2 0; 0 1 1/4 4 0; 0 -1 1/8 8 1]
 * Ref: Lavin and Gray 2016, arXiv:1509.09308, section 4. */
#ifndef GAN_ENGINE_KERNELS_STRIDED_H
#define GAN_ENGINE_KERNELS_STRIDED_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GAN_STRIDED_TAPS = 16,
    GAN_STRIDED_PANEL = 32, /* columns of the right operand that lie together */
    GAN_STRIDED_LANES = 16,
    GAN_STRIDED_MOST_TILE = 4,
    GAN_STRIDED_MOST_PLACES = 25
};

/* c [m][n] = a [m][k] b [k][n], or added to c; n a multiple of 32. */
struct gan__strided_product {
    int64_t m, n, k;
    const float *a; /* a[i * a_row + l * a_k]; one of the two steps is 1 */
    int64_t a_row, a_k;
    const float *b; /* b[j / 32 * b_panel + l * b_k + j % 32] */
    int64_t b_k, b_panel;
    float *c;
    int64_t c_row;
    bool add;
};

/* What becomes of a result before it is stored: bias, then the activation. */
struct gan__strided_end {
    const float *bias; /* of the first channel, or NULL */
    enum gan__strided_act { GAN_STRIDED_NONE, GAN_STRIDED_RELU, GAN_STRIDED_LEAKY } act;
    float slope;
};

/* Channels are multiples of 16, those of `output` 32. */
struct gan__strided {
    int tile, places; /* m and (m+1)^2 */
    /* B' d B of a tile: pixel[places] are its pixels, row by row; element k of channel c goes to
     * v[k*step + c]. */
    void (*input)(const float *const *pixel, int64_t channels, float *v, int64_t step);
    /* A dy A' of the m x m pixels of a tile. */
    void (*grad)(const float *const *pixel, int64_t channels, float *z, int64_t step);
    /* A' m A of 32 channels, element k of channel c at m[k*step + c], to m x m pixels; NULL: outside
     * the image. */
    void (*output)(const float *m, int64_t step, float *const *pixel,
                   const struct gan__strided_end *end);
    /* G g G' of 16 columns, one row, all four phases: tap t of column j at w[j*column + t]; element
     * k of phase q goes to u[q*phase + k*step + j]. turned: taps of each phase in opposite order. */
    void (*weights)(const float *w, int64_t column, bool turned, float *u, int64_t phase,
                    int64_t step);
    /* G' s G: element k of phase q of column j at s[q*phase + k*step + j], tap t to w[j*column + t]. */
    void (*weights_back)(const float *s, int64_t phase, int64_t step, float *w, int64_t column);
    void (*product)(const struct gan__strided_product *p);
};

/* Tiles of 2x2 or 4x4 results; NULL where the machine (or GAN_ISA) lacks registers of 16 lanes. */
const struct gan__strided *gan__strided(int tile);

#endif
