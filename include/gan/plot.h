/* plot.h: figures as PNG and SVG: panels with axes, made of layers.
 *
 *     #include <gan/plot.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         double x[100], y[100];
 *         for (int i = 0; i < 100; i++) {
 *             x[i] = i / 10.0;
 *             y[i] = x[i] * x[i];
 *         }
 *         gan_figure *f = gan_figure_new(1, 1, NULL);
 *         gan_panel *p = gan_figure_panel(f, 0, 0);
 *         gan_panel_x(p, &(struct gan_axis){.label = "time (s)"});
 *         gan_panel_y(p, &(struct gan_axis){.label = "height (m)"});
 *         gan_plot_line(p, x, y, 100, &(struct gan_style){.label = "measured"});
 *         gan_figure_write(f, "height.png", &err);
 *         gan_figure_free(f);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * The first failure stays on the figure and gan_figure_write reports it, so nothing before it needs
 * a check. Arrays are copied. Values that are not finite are gaps: a line breaks, a point is left
 * out. The same calls give the same bytes. Colours are told apart by the colour-blind (Okabe and Ito
 * 2008), maps grow evenly in lightness, and text reads at half size. */
#ifndef GAN_PLOT_H
#define GAN_PLOT_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A sheet of panels. One thread uses it. */
typedef struct gan_figure gan_figure;

/** One pair of axes with what is drawn between them. Owned by its figure. */
typedef struct gan_panel gan_panel;

/** Colours of Okabe and Ito, and grey. */
typedef enum gan_color {
    GAN_COLOR_AUTO = 0, /* the next of the list from blue to sky that the panel has not used */
    GAN_COLOR_BLUE,
    GAN_COLOR_ORANGE,
    GAN_COLOR_GREEN,
    GAN_COLOR_VERMILION,
    GAN_COLOR_PURPLE,
    GAN_COLOR_SKY,
    GAN_COLOR_YELLOW,
    GAN_COLOR_BLACK,
    GAN_COLOR_GRAY
} gan_color;

/** Maps from numbers to colours. */
typedef enum gan_colormap {
    GAN_MAP_SEQUENTIAL = 0, /* dark violet over teal to yellow, lightness grows evenly */
    GAN_MAP_DIVERGING,      /* blue over white to orange; white is the middle of the range */
    GAN_MAP_GRAY            /* black to white */
} gan_colormap;

/** How a layer looks; zero-initialise. NULL stands for all zero. */
struct gan_style {
    const char *label; /* in the legend; NULL: not in it */
    gan_color color;   /* [the panel's next] */
    gan_colormap map;  /* of contours and heat maps */
    double width;      /* of lines, in pixels [3] */
    double size;       /* of points: diameter in pixels [8]; arrows: length of the longest [40] */
    double alpha;      /* 0 < alpha <= 1 [1; bands 0.25] */
    bool dashed;       /* lines */
    bool filled;       /* contours: areas instead of lines */
    double low, high;  /* of the map [the data's]; equal: the data's */
    const char *bar;   /* title of the colour bar of a heat map or filled contours; NULL: bar
                         * without title */
    bool no_bar;       /* no colour bar */
};

/** An axis; zero-initialise. */
struct gan_axis {
    const char *label;
    bool log;                 /* logarithmic: values that are not positive are left out */
    double low, high;         /* the range [that of the data, with a margin]; equal: the data's */
    const char *const *names; /* names instead of numbers, at 0, 1, ...: copied; NULL */
    size_t n_names;
};

/** Values on a regular grid: z[j * nx + i] stands at x = x0 + i (x1-x0)/(nx-1), y alike from y0 to
 * y1: row 0 is at y0. */
struct gan_surface {
    const double *z; /* [ny,nx] */
    size_t nx, ny;   /* at least 2 (heat maps: 1) */
    double x0, x1, y0, y1;
};

/** Size and title of a figure; zero-initialise. */
struct gan_figure_opts {
    const char *title;
    double panel_width;  /* pixels [640] */
    double panel_height; /* pixels [480] */
};

/**
 * An empty figure of rows x columns panels.
 *
 * in:     opts  may be NULL
 * out:    NULL when memory is short, which every other function of this header accepts
 * owns:   the caller, gan_figure_free
 */
GAN_API gan_figure *gan_figure_new(int rows, int columns, const struct gan_figure_opts *opts);

/** Frees it with its panels; NULL is fine. */
GAN_API void gan_figure_free(gan_figure *f);

/**
 * The panel in a row and a column, counted from 0 at the upper left. A panel that is never asked for
 * stays blank.
 *
 * owns:   the figure
 * errors: NULL and GAN_E_RANGE, sticky on f, when there is no such panel
 */
GAN_API gan_panel *gan_figure_panel(gan_figure *f, int row, int column);

/** Title of a panel. Long ones are broken into lines. */
GAN_API void gan_panel_title(gan_panel *p, const char *title);

/** The axes. errors: GAN_E_RANGE (a range that is not finite or goes down, a logarithmic one that is
 * not positive), sticky on the figure */
GAN_API void gan_panel_x(gan_panel *p, const struct gan_axis *axis);
GAN_API void gan_panel_y(gan_panel *p, const struct gan_axis *axis);

/** One unit is as long on both axes. */
GAN_API void gan_panel_equal(gan_panel *p);

/** No axes, ticks and frame: for images. */
GAN_API void gan_panel_bare(gan_panel *p);

/** A line through points. in: x, y [n]; x NULL: 0, 1, ..., n-1 */
GAN_API void gan_plot_line(gan_panel *p, const double *x, const double *y, size_t n,
                           const struct gan_style *style);

/** The area between two lines: mean and deviation, say. in: x (or NULL), low, high [n] */
GAN_API void gan_plot_band(gan_panel *p, const double *x, const double *low, const double *high,
                           size_t n, const struct gan_style *style);

/** Points. in: x (or NULL), y [n] */
GAN_API void gan_plot_points(gan_panel *p, const double *x, const double *y, size_t n,
                             const struct gan_style *style);

/** Bars from 0 to y. in: x (or NULL), y [n]; width in units of x, > 0 */
GAN_API void gan_plot_bars(gan_panel *p, const double *x, const double *y, size_t n, double width,
                           const struct gan_style *style);

/** Counts of values in equal bins between the least and the greatest finite one, drawn as steps.
 * in: values [n]; bins >= 1; density: counts / (n * width of a bin) instead of counts */
GAN_API void gan_plot_histogram(gan_panel *p, const double *values, size_t n, size_t bins,
                                bool density, const struct gan_style *style);

/** Lines of equal value, labelled, or areas between them (style->filled) with a colour bar.
 * in: levels [n_levels] growing; NULL: about n_levels nice values over the range [8] */
GAN_API void gan_plot_contours(gan_panel *p, const struct gan_surface *s, const double *levels,
                               size_t n_levels, const struct gan_style *style);

/** A rectangle of colour for each value, with a colour bar; gaps are grey. */
GAN_API void gan_plot_heat(gan_panel *p, const struct gan_surface *s,
                           const struct gan_style *style);

/** Arrows of a vector field, from (x,y) along (u,v). Lengths are proportional to |(u,v)|^power, the
 * longest is style->size pixels. in: x, y, u, v [n]; power 1 true lengths, 0 directions only */
GAN_API void gan_plot_arrows(gan_panel *p, const double *x, const double *y, const double *u,
                             const double *v, size_t n, double power,
                             const struct gan_style *style);

/** An image of bytes, row 0 at the top, over the rectangle from (0,0) to (width,height).
 * in: pixels [height,width,channels]; channels 1 (grey) or 3 (RGB) */
GAN_API void gan_plot_image(gan_panel *p, const unsigned char *pixels, size_t height, size_t width,
                            size_t channels);

/** Straight lines across the panel at a value: y = at, or x = at. */
GAN_API void gan_plot_level(gan_panel *p, double at, const struct gan_style *style);
GAN_API void gan_plot_mark(gan_panel *p, double at, const struct gan_style *style);

/** Words beside a point, kept inside the panel. */
GAN_API void gan_plot_text(gan_panel *p, double x, double y, const char *text);

/** GAN_OK while all is well. errors: the first failure on the figure */
GAN_API gan_status gan_figure_status(const gan_figure *f);

/**
 * Writes the figure, atomically: PNG when the path ends in ".png", SVG when in ".svg". May be called
 * again, for another path.
 *
 * errors: the first failure on the figure; GAN_E_ARG (another ending), GAN_E_NOTFOUND, GAN_E_IO,
 *         GAN_E_NOMEM, GAN_E_RANGE (more than 32768 pixels on a side), GAN_E_UNSUPPORTED (a build
 *         without cairo; PNG without libspng)
 */
GAN_API gan_status gan_figure_write(const gan_figure *f, const char *path, gan_err *err);

/** Red, green, blue in 0 .. 1 of a value t of a map, 0 <= t <= 1. */
GAN_API void gan_map_color(gan_colormap map, double t, double rgb[3]);

#ifdef __cplusplus
}
#endif
#endif
