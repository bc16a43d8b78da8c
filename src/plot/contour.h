/* contour.h: lines and areas of equal value on a regular grid (marching squares). Points are in grid
 * units: x of column i is i, y of row j is j. Cells with a corner that is not finite are left out. */
#ifndef GAN_PLOT_CONTOUR_H
#define GAN_PLOT_CONTOUR_H

#include <stdbool.h>
#include <stddef.h>

/* About `want` multiples of 1, 2 or 5 times a power of ten strictly between low and high. Returns
 * their number, at most cap. */
size_t gan__nice_levels(double low, double high, size_t want, double *level, size_t cap);

/* The step of such multiples: about `want` of them from low to high. */
double gan__nice_step(double low, double high, double want);

struct gan__contour_sink {
    /* One line: n >= 2 points x0,y0, x1,y1, ... */
    void (*line)(void *ctx, const double *xy, size_t n, bool closed);
    void *ctx;
};

/* The lines z = level of z [ny,nx]. false when memory is short. */
bool gan__contour_lines(const double *z, size_t nx, size_t ny, double level,
                        const struct gan__contour_sink *sink);

/* Polygons that together cover z >= level, not overlapping; whole cells of a row come as one
 * rectangle. -INFINITY covers every finite cell. */
void gan__contour_area(const double *z, size_t nx, size_t ny, double level,
                       const struct gan__contour_sink *sink);

#endif
