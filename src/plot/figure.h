/* figure.h: what a figure is in memory: panels of layers, all in one arena. */
#ifndef GAN_PLOT_FIGURE_H
#define GAN_PLOT_FIGURE_H

#include "base/arena.h"

#include <gan/plot.h>

#include <stdint.h>

enum gan__layer_kind {
    GAN__LAYER_LINE,     /* x, y */
    GAN__LAYER_BAND,     /* x, y = low, u = high */
    GAN__LAYER_POINTS,   /* x, y */
    GAN__LAYER_BARS,     /* x, y; at = width of a bar */
    GAN__LAYER_STEPS,    /* x [n+1] edges of bins, y [n] */
    GAN__LAYER_CONTOURS, /* surface, levels */
    GAN__LAYER_HEAT,     /* surface */
    GAN__LAYER_ARROWS,   /* x, y, u, v; at = power */
    GAN__LAYER_IMAGE,    /* pixels */
    GAN__LAYER_LEVEL,    /* y = at */
    GAN__LAYER_MARK,     /* x = at */
    GAN__LAYER_TEXT      /* x, y [1]; text */
};

struct gan__layer {
    enum gan__layer_kind kind;
    struct gan_style style; /* defaults filled in; its texts are copies */
    const double *x, *y, *u, *v;
    size_t n;
    double at;
    const char *text;
    struct gan_surface surface;
    const double *levels; /* [n_levels] */
    size_t n_levels;
    const uint8_t *pixels; /* [height,width,channels] */
    size_t height, width, channels;
    struct gan__layer *next;
};

struct gan_panel {
    gan_figure *figure;
    const char *title;
    struct gan_axis axis[2]; /* x, y */
    bool used, equal, bare;
    int n_colors; /* how many of the palette were given */
    struct gan__layer *first, **last;
};

struct gan_figure {
    struct gan__arena arena;
    gan_err err;
    const char *title;
    double panel_width, panel_height;
    int rows, columns;
    struct gan_panel *panel; /* [rows * columns] */
};

/* The drawing, one of the cairo_*.c files. */
gan_status gan__figure_draw(const gan_figure *f, const char *path, bool svg, gan_err *err);

#endif
