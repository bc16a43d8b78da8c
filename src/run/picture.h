/* picture.h: generated images as a file to look at. */
#ifndef GAN_RUN_PICTURE_H
#define GAN_RUN_PICTURE_H

#include "generator.h"
#include "plot/png.h"

/* How to draw. */
struct gan__picture {
    gan_range range;
    bool points;     /* a scatter plot instead of a grid */
    int64_t columns; /* of a grid, 0: nearly square */
    const struct gan__png_text *texts;
    size_t n_texts;
};

/* Grid or scatter plot of what->n images as a PNG. */
gan_status gan__picture_write(struct gan__generator *g, const struct gan__generate *what,
                              const struct gan__picture *how, const char *path, gan_err *err);

/* The exact numbers [n,H,W,C] as .npy. */
gan_status gan__array_write(struct gan__generator *g, const struct gan__generate *what,
                            const char *path, gan_err *err);

#endif
