/* thin.h: products of a batch of a few dozen rows with weights that lie row by row: tiles that read
 * the weights where they lie. */
#ifndef GAN_ENGINE_KERNELS_THIN_H
#define GAN_ENGINE_KERNELS_THIN_H

#include <stdint.h>

enum { GAN_THIN_ROWS = 6, GAN_THIN_LANES = 64, GAN_THIN_BLOCK = 16 };

struct gan__thin {
    /* out[r*64 + j] = start[r] + sum over i < k of w[r*k + i] x[i*ldx + j], j < 64, for
     * rows <= 6 rows; start may be NULL. One chain of fused multiply-adds for each element. */
    void (*tile)(const float *w, const float *x, int64_t k, int64_t ldx, const float *start,
                 int rows, float *out);
    /* out[r*ldo + j] = sum over i < k of d[r*k + i] w[i*ldo + j], j < 64 (`wide`) or 16, for
     * rows <= 6 rows. wide fetches, 6 for every 16 steps, lines of the 64 columns at `next` into
     * the second cache: from line `line` on, four to a row. */
    void (*wide)(const float *d, const float *w, int64_t k, int64_t ldo, int rows, float *out,
                 const float *next, int64_t line);
    void (*narrow)(const float *d, const float *w, int64_t k, int64_t ldo, int rows, float *out);
    /* dst[j*ldd + i] = src[i*lds + j] for i, j < 16 */
    void (*turn)(const float *src, int64_t lds, float *dst, int64_t ldd);
};

/* NULL where the machine (or GAN_ISA) lacks the 32 registers of 16 lanes that the tile fills. */
const struct gan__thin *gan__thin(void);

#endif
