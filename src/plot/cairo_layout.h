/* cairo_layout.h: where everything of a figure stands, before anything is drawn. */
#ifndef GAN_PLOT_CAIRO_LAYOUT_H
#define GAN_PLOT_CAIRO_LAYOUT_H

#include "axis.h"
#include "cairo_text.h"

#define GAN__SIZE_TICK 20.0 /* sizes of text in pixels: at half size all still read */
#define GAN__SIZE_LABEL 22.0
#define GAN__SIZE_TITLE 24.0
#define GAN__SIZE_FIGURE 28.0
#define GAN__TICK 7.0    /* length of a tick */
#define GAN__GAP 8.0     /* between things */
#define GAN__BAR 22.0    /* width of a colour bar */
#define GAN__SWATCH 40.0 /* of a legend */

struct gan__box {
    double x, y, w, h;
};

/* A panel in its place. */
struct gan__frame {
    const struct gan_panel *panel;
    struct gan__box cell, plot;
    double margin[4]; /* left, top, right, bottom */
    struct gan__scale scale[2];
    struct gan__ticks ticks[2], bar_ticks;
    bool names_turned;            /* of the x axis */
    const struct gan__layer *bar; /* the layer the colour bar explains, or NULL */
    int n_legend;                 /* layers with a label */
    bool legend_below;            /* else at corner legend, x 0 or 1 + y 0 or 2 */
    int legend_corner;
    double legend_w, legend_h;
    char label[2][256]; /* of the axes, with their power of ten */
    char bar_label[256];
};

struct gan__layout {
    double width, height, top; /* top: room of the figure's title */
    struct gan__frame *frame;  /* [rows * columns], in the caller's arena */
    int n;
};

/* Places all panels. errors: GAN_E_NOMEM, GAN_E_RANGE (texts leave no room in a panel). */
gan_status gan__layout_make(struct gan__layout *out, const gan_figure *f, cairo_t *cr,
                            struct gan__arena *arena, gan_err *err);

/* Width of the longest label of an axis. */
double gan__widest_tick(cairo_t *cr, const struct gan__ticks *t);

/* Size of one entry of a legend below the panel; its text is broken to fit the cell. */
void gan__legend_entry(cairo_t *cr, const struct gan__frame *f, const char *label,
                       struct gan__lines *lines, double *w, double *h);

#endif
