/* color.h: the palette and the colour maps. */
#ifndef GAN_PLOT_COLOR_H
#define GAN_PLOT_COLOR_H

#include <gan/plot.h>

/* Colour number i of what takes the panel's next colour: blue, orange, ... round and round. */
gan_color gan__color_next(int i);

/* Red, green, blue of a colour, each 0 .. 1. */
const double *gan__color_rgb(gan_color c);

/* Oklab lightness of an sRGB colour, 0 .. 1. */
double gan__color_lightness(const double rgb[3]);

#endif
