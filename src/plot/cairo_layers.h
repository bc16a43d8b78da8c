/* cairo_layers.h: drawing the layers of a panel in its place. */
#ifndef GAN_PLOT_CAIRO_LAYERS_H
#define GAN_PLOT_CAIRO_LAYERS_H

#include "cairo_layout.h"

/* Draws one layer; the caller clips to the plot area. errors: GAN_E_NOMEM. */
gan_status gan__layer_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                           gan_err *err);

/* Surfaces: contours, heat maps; images. */
gan_status gan__contours_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                              gan_err *err);
gan_status gan__heat_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                          gan_err *err);
gan_status gan__image_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                           gan_err *err);

/* What stands for a layer in a legend, in a box of a swatch. */
void gan__swatch_draw(cairo_t *cr, const struct gan__layer *l, const struct gan__box *box);

/* Sets the colour of a layer. */
void gan__layer_color(cairo_t *cr, const struct gan__layer *l, double alpha);

/* Colour of a value of a mapped layer. */
void gan__layer_map(const struct gan__layer *l, double value, double rgb[3]);

#endif
