/* cairo_text.h: text on a cairo context: measured before it is placed, so that none is cut. */
#ifndef GAN_PLOT_CAIRO_TEXT_H
#define GAN_PLOT_CAIRO_TEXT_H

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

enum { GAN__TEXT_LINES = 24 };

/* The font of all figures: fontconfig's sans, without hinting, so that its widths are the same at
 * every place. */
void gan__text_font(cairo_t *cr);

double gan__text_width(cairo_t *cr, double size, const char *text);
double gan__text_height(double size); /* of a line, with its leading */

/* Text broken into lines of at most `width`: at blanks, within words only where they are longer. */
struct gan__lines {
    struct {
        const char *start;
        size_t length;
    } line[GAN__TEXT_LINES];
    int n;
    double width; /* of the longest */
};
void gan__text_break(cairo_t *cr, double size, const char *text, double width,
                     struct gan__lines *out);

/* Where text stands: (x,y) is at across 0 left, 0.5 middle, 1 right and at down 0 top, 0.5 middle,
 * 1 bottom of the block; turned a quarter anticlockwise around (x,y). */
struct gan__place {
    double x, y, across, down;
    bool turned;
    bool halo; /* white around the letters */
};
void gan__text_put(cairo_t *cr, double size, const char *text, const struct gan__place *at);
void gan__text_put_lines(cairo_t *cr, double size, const struct gan__lines *lines,
                         const struct gan__place *at);

#endif
