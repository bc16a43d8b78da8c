/* grid.h: many images of one size side by side in one image of bytes. */
#ifndef GAN_PLOT_GRID_H
#define GAN_PLOT_GRID_H

#include "png.h"

#include <gan/data.h>

struct gan__grid_cfg {
    int64_t n;             /* images, at least 1 */
    int64_t height, width; /* of each */
    int64_t channels;      /* 1 or 3 */
    int64_t columns;       /* 0: nearly square, the wider side across */
    int64_t scale;         /* every pixel becomes scale x scale; 0: gan__grid_scale */
    int64_t gap;           /* pixels between cells and around them; negative: 2 */
};

struct gan__grid {
    struct gan__grid_cfg cfg; /* with the defaults filled in */
    int64_t rows;
    struct gan__image image; /* gaps white; image.data is freed by gan__grid_release */
};

/* The magnification that shows small images well: the least with 56 pixels or more on a side. */
int64_t gan__grid_scale(int64_t height, int64_t width);

/* Makes the empty sheet. errors: GAN_E_RANGE, GAN_E_NOMEM. */
gan_status gan__grid_init(struct gan__grid *g, const struct gan__grid_cfg *cfg, gan_err *err);
void gan__grid_release(struct gan__grid *g);

/* Draws image k, 0 .. n-1, in row-major order of the cells: f32 [h,w,c] of a range (outside is
 * clamped, NaN is black), or bytes. */
void gan__grid_put(struct gan__grid *g, int64_t k, const float *hwc, gan_range range);
void gan__grid_put_bytes(struct gan__grid *g, int64_t k, const uint8_t *hwc);

/* The whole: f32 [n,h,w,c] to a PNG file with text chunks. */
gan_status gan__grid_write(const struct gan__grid_cfg *cfg, const float *nhwc, gan_range range,
                           const char *path, const struct gan__png_text *texts, size_t n_texts,
                           gan_err *err);

/* (v+1)*127.5 or v*255, rounded to nearest, clamped. */
uint8_t gan__byte_of(float v, gan_range range);

#endif
