/* figure.c: building a figure: everything is copied into its arena, the first failure stays. */
#include "figure.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "color.h"
#include "contour.h"

#include "gan_config.h"

#include <math.h>
#include <string.h>

enum { MAX_PANELS = 64, DEFAULT_LEVELS = 8, MAX_LEVELS = 64 };

/* --- figures and panels ------------------------------------------------------------------------- */

gan_figure *gan_figure_new(int rows, int columns, const struct gan_figure_opts *opts)
{
    static const struct gan_figure_opts defaults;
    const struct gan_figure_opts *o = opts != NULL ? opts : &defaults;
    gan_figure *f = gan__alloc(sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->rows = rows;
    f->columns = columns;
    f->panel_width = o->panel_width > 0 ? o->panel_width : 640;
    f->panel_height = o->panel_height > 0 ? o->panel_height : 480;
    if (rows < 1 || columns < 1 || rows > MAX_PANELS || columns > MAX_PANELS) {
        gan__fail(&f->err, GAN_E_RANGE, "a figure of %dx%d panels, allowed 1 to %d each way", rows,
                  columns, MAX_PANELS);
        return f;
    }
    size_t n = (size_t)rows * (size_t)columns;
    f->title = o->title != NULL ? gan__arena_strdup(&f->arena, o->title) : NULL;
    f->panel = gan__arena_array(&f->arena, n, sizeof *f->panel);
    if (f->panel == NULL || (o->title != NULL && f->title == NULL)) {
        gan__arena_release(&f->arena);
        gan__free(f);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        f->panel[i].figure = f;
        f->panel[i].last = &f->panel[i].first;
    }
    return f;
}

void gan_figure_free(gan_figure *f)
{
    if (f != NULL) {
        gan__arena_release(&f->arena);
        gan__free(f);
    }
}

gan_panel *gan_figure_panel(gan_figure *f, int row, int column)
{
    if (f == NULL || f->panel == NULL) {
        return NULL;
    }
    if (row < 0 || row >= f->rows || column < 0 || column >= f->columns) {
        gan__fail(&f->err, GAN_E_RANGE, "panel %d,%d of a figure of %dx%d", row, column, f->rows,
                  f->columns);
        return NULL;
    }
    gan_panel *p = &f->panel[row * f->columns + column];
    p->used = true;
    return p;
}

gan_status gan_figure_status(const gan_figure *f)
{
    return f == NULL ? GAN_E_NOMEM : f->err.code;
}

/* A copy of `bytes` bytes, or NULL with the failure noted. */
static void *copy(gan_figure *f, const void *src, size_t count, size_t size)
{
    size_t bytes = 0;
    void *p = gan__mul(count, size, &bytes) ? gan__arena_copy(&f->arena, src, bytes) : NULL;
    if (p == NULL) {
        gan__fail_nomem(&f->err, bytes, "a figure");
    }
    return p;
}

static const char *copy_text(gan_figure *f, const char *text)
{
    return text != NULL ? copy(f, text, strlen(text) + 1, 1) : NULL;
}

void gan_panel_title(gan_panel *p, const char *title)
{
    if (p != NULL) {
        p->title = copy_text(p->figure, title);
    }
}

static void set_axis(gan_panel *p, int which, const struct gan_axis *axis)
{
    if (p == NULL) {
        return;
    }
    gan_figure *f = p->figure;
    struct gan_axis a = *axis;
    bool ranged = a.low != a.high;
    bool wrong = !isfinite(a.low) || !isfinite(a.high) || a.low > a.high;
    if ((ranged && wrong) || (ranged && a.log && !(a.low > 0))) {
        gan__fail(&f->err, GAN_E_RANGE, "the %s axis from %g to %g%s", which == 0 ? "x" : "y",
                  a.low, a.high, a.log ? ", which is logarithmic" : "");
        return;
    }
    a.label = copy_text(f, axis->label);
    const char **names = a.n_names > 0 ? copy(f, axis->names, a.n_names, sizeof *names) : NULL;
    for (size_t i = 0; names != NULL && i < a.n_names; i++) {
        names[i] = copy_text(f, axis->names[i]);
    }
    a.names = names;
    p->axis[which] = a;
}

void gan_panel_x(gan_panel *p, const struct gan_axis *axis)
{
    set_axis(p, 0, axis);
}

void gan_panel_y(gan_panel *p, const struct gan_axis *axis)
{
    set_axis(p, 1, axis);
}

void gan_panel_equal(gan_panel *p)
{
    if (p != NULL) {
        p->equal = true;
    }
}

void gan_panel_bare(gan_panel *p)
{
    if (p != NULL) {
        p->bare = true;
    }
}

/* --- layers ------------------------------------------------------------------------------------- */

static bool has_color(enum gan__layer_kind kind, const struct gan_style *s)
{
    bool mapped = kind == GAN__LAYER_HEAT || kind == GAN__LAYER_IMAGE || kind == GAN__LAYER_TEXT ||
                  (kind == GAN__LAYER_CONTOURS && s->filled);
    return !mapped;
}

static void fill_style(gan_panel *p, struct gan__layer *l, const struct gan_style *style)
{
    static const struct gan_style defaults;
    struct gan_style *s = &l->style;
    *s = style != NULL ? *style : defaults;
    s->label = copy_text(p->figure, s->label);
    s->bar = copy_text(p->figure, s->bar);
    if (s->color == GAN_COLOR_AUTO) {
        bool plain = l->kind == GAN__LAYER_LEVEL || l->kind == GAN__LAYER_MARK ||
                     l->kind == GAN__LAYER_CONTOURS || !has_color(l->kind, s);
        s->color = plain ? GAN_COLOR_GRAY : gan__color_next(p->n_colors++);
    }
    s->width = s->width > 0 ? s->width : l->kind == GAN__LAYER_CONTOURS ? 2 : 3;
    s->size = s->size > 0 ? s->size : l->kind == GAN__LAYER_ARROWS ? 40 : 8;
    s->alpha = s->alpha > 0 && s->alpha <= 1 ? s->alpha : l->kind == GAN__LAYER_BAND ? 0.25 : 1;
}

/* A new layer, at the end of the list: NULL after a failure. */
static struct gan__layer *add(gan_panel *p, enum gan__layer_kind kind,
                              const struct gan_style *style)
{
    if (p == NULL || p->figure->err.code != GAN_OK) {
        return NULL;
    }
    struct gan__layer *l = gan__arena_alloc(&p->figure->arena, sizeof *l);
    if (l == NULL) {
        gan__fail_nomem(&p->figure->err, sizeof *l, "a figure");
        return NULL;
    }
    l->kind = kind;
    fill_style(p, l, style);
    *p->last = l;
    p->last = &l->next;
    return l;
}

/* x, or 0, 1, ..., n-1. A failed copy leaves an empty layer: n stays 0 until all are there. */
static const double *copy_x(gan_figure *f, const double *x, size_t n)
{
    double *own = NULL;
    if (x != NULL || n == 0) {
        return copy(f, x != NULL ? x : &(double){0}, x != NULL ? n : 1, sizeof *x);
    }
    own = gan__arena_array(&f->arena, n, sizeof *own);
    for (size_t i = 0; own != NULL && i < n; i++) {
        own[i] = (double)i;
    }
    if (own == NULL) {
        gan__fail_nomem(&f->err, n * sizeof *own, "a figure");
    }
    return own;
}

static struct gan__layer *add_xy(gan_panel *p, enum gan__layer_kind kind, const double *x,
                                 const double *y, size_t n, const struct gan_style *style)
{
    struct gan__layer *l = add(p, kind, style);
    if (l != NULL && n > 0) {
        l->x = copy_x(p->figure, x, n);
        l->y = copy(p->figure, y, n, sizeof *y);
        l->n = l->x != NULL && l->y != NULL ? n : 0;
    }
    return l;
}

void gan_plot_line(gan_panel *p, const double *x, const double *y, size_t n,
                   const struct gan_style *style)
{
    (void)add_xy(p, GAN__LAYER_LINE, x, y, n, style);
}

void gan_plot_points(gan_panel *p, const double *x, const double *y, size_t n,
                     const struct gan_style *style)
{
    (void)add_xy(p, GAN__LAYER_POINTS, x, y, n, style);
}

void gan_plot_band(gan_panel *p, const double *x, const double *low, const double *high, size_t n,
                   const struct gan_style *style)
{
    struct gan__layer *l = add_xy(p, GAN__LAYER_BAND, x, low, n, style);
    if (l != NULL && l->n > 0) {
        l->u = copy(p->figure, high, n, sizeof *high);
        l->n = l->u != NULL ? n : 0;
    }
}

void gan_plot_bars(gan_panel *p, const double *x, const double *y, size_t n, double width,
                   const struct gan_style *style)
{
    struct gan__layer *l = add_xy(p, GAN__LAYER_BARS, x, y, n, style);
    if (l != NULL) {
        l->at = width;
        if (!(width > 0) || !isfinite(width)) {
            gan__fail(&p->figure->err, GAN_E_RANGE, "bars are %g wide, must be more than 0", width);
        }
    }
}

void gan_plot_arrows(gan_panel *p, const double *x, const double *y, const double *u,
                     const double *v, size_t n, double power, const struct gan_style *style)
{
    struct gan__layer *l = add_xy(p, GAN__LAYER_ARROWS, x, y, n, style);
    if (l != NULL && l->n > 0) {
        l->at = power;
        l->u = copy(p->figure, u, n, sizeof *u);
        l->v = copy(p->figure, v, n, sizeof *v);
        l->n = l->u != NULL && l->v != NULL ? n : 0;
    }
}

/* --- histograms --------------------------------------------------------------------------------- */

/* Range of the finite values; false when there are none. */
static bool range_of(const double *v, size_t n, double *low, double *high)
{
    *low = (double)INFINITY;
    *high = -(double)INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i])) {
            *low = fmin(*low, v[i]);
            *high = fmax(*high, v[i]);
        }
    }
    return *low <= *high;
}

static void count_bins(double *edge, double *count, size_t bins, const double *v, size_t n,
                       bool density)
{
    double low, high, total = 0;
    (void)range_of(v, n, &low, &high);
    if (low == high) { /* one value: a bin around it */
        double half = fmax(fabs(low), 1) / 2;
        low -= half;
        high += half;
    }
    for (size_t i = 0; i <= bins; i++) {
        edge[i] = low + (high - low) * (double)i / (double)bins;
    }
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i])) {
            double at = (v[i] - low) / (high - low) * (double)bins;
            size_t k = at < (double)bins ? (size_t)at : bins - 1;
            count[k] += 1;
            total += 1;
        }
    }
    for (size_t k = 0; density && k < bins; k++) {
        count[k] /= total * (high - low) / (double)bins;
    }
}

void gan_plot_histogram(gan_panel *p, const double *values, size_t n, size_t bins, bool density,
                        const struct gan_style *style)
{
    struct gan__layer *l = add(p, GAN__LAYER_STEPS, style);
    double low, high;
    if (l == NULL || !range_of(values, n, &low, &high)) {
        return;
    }
    if (bins < 1) {
        gan__fail(&p->figure->err, GAN_E_RANGE, "a histogram of %zu bins, at least 1", bins);
        return;
    }
    double *edge = gan__arena_array(&p->figure->arena, bins + 1, sizeof *edge);
    double *count = gan__arena_array(&p->figure->arena, bins, sizeof *count);
    if (edge == NULL || count == NULL) {
        gan__fail_nomem(&p->figure->err, bins * sizeof *edge, "a figure");
        return;
    }
    count_bins(edge, count, bins, values, n, density);
    l->x = edge;
    l->y = count;
    l->n = bins;
}

/* --- surfaces ----------------------------------------------------------------------------------- */

static bool take_surface(gan_panel *p, struct gan__layer *l, const struct gan_surface *s,
                         size_t least)
{
    bool flat = !isfinite(s->x0) || !isfinite(s->x1) || !isfinite(s->y0) || !isfinite(s->y1) ||
                !(s->x0 < s->x1) || !(s->y0 < s->y1);
    if (s->nx < least || s->ny < least || flat) {
        gan__fail(&p->figure->err, GAN_E_RANGE,
                  "a surface of %zux%zu values over [%g,%g]x[%g,%g], at least %zux%zu over an area",
                  s->nx, s->ny, s->x0, s->x1, s->y0, s->y1, least, least);
        return false;
    }
    l->surface = *s;
    l->surface.z = copy(p->figure, s->z, s->nx * s->ny, sizeof *s->z);
    double low, high;
    if (l->surface.z == NULL || !range_of(s->z, s->nx * s->ny, &low, &high)) {
        l->surface.z = NULL; /* nothing to show */
        return false;
    }
    if (!(l->style.low < l->style.high)) {
        l->style.low = low;
        l->style.high = high > low ? high : low + fmax(fabs(low), 1) * 1e-6;
    }
    return true;
}

void gan_plot_heat(gan_panel *p, const struct gan_surface *s, const struct gan_style *style)
{
    struct gan__layer *l = add(p, GAN__LAYER_HEAT, style);
    if (l != NULL) {
        (void)take_surface(p, l, s, 1);
    }
}

void gan_plot_contours(gan_panel *p, const struct gan_surface *s, const double *levels,
                       size_t n_levels, const struct gan_style *style)
{
    double own[MAX_LEVELS];
    struct gan__layer *l = add(p, GAN__LAYER_CONTOURS, style);
    if (l == NULL || !take_surface(p, l, s, 2)) {
        return;
    }
    n_levels = levels == NULL && n_levels == 0 ? DEFAULT_LEVELS : n_levels;
    if (n_levels > MAX_LEVELS) {
        gan__fail(&p->figure->err, GAN_E_RANGE, "%zu contour levels, at most %d", n_levels,
                  MAX_LEVELS);
        return;
    }
    for (size_t i = 0; levels != NULL && i < n_levels; i++) {
        if (!isfinite(levels[i]) || (i > 0 && !(levels[i] > levels[i - 1]))) {
            gan__fail(&p->figure->err, GAN_E_RANGE, "contour level %zu is %g, levels must grow", i,
                      levels[i]);
            return;
        }
    }
    if (levels == NULL) {
        n_levels = gan__nice_levels(l->style.low, l->style.high, n_levels, own, MAX_LEVELS);
        levels = own;
    }
    l->levels = n_levels > 0 ? copy(p->figure, levels, n_levels, sizeof *levels) : NULL;
    l->n_levels = l->levels != NULL ? n_levels : 0;
}

/* --- the rest ----------------------------------------------------------------------------------- */

void gan_plot_image(gan_panel *p, const unsigned char *pixels, size_t height, size_t width,
                    size_t channels)
{
    struct gan__layer *l = add(p, GAN__LAYER_IMAGE, NULL);
    if (l == NULL) {
        return;
    }
    if (height < 1 || width < 1 || height > 32767 || width > 32767 ||
        (channels != 1 && channels != 3)) {
        gan__fail(&p->figure->err, GAN_E_RANGE,
                  "an image panel of %zux%zux%zu, allowed 1 to 32767 on a side, 1 or 3 channels",
                  height, width, channels);
        return;
    }
    l->pixels = copy(p->figure, pixels, height * width * channels, 1);
    l->height = height;
    l->width = width;
    l->channels = channels;
}

static void add_straight(gan_panel *p, enum gan__layer_kind kind, double at,
                         const struct gan_style *style)
{
    struct gan__layer *l = add(p, kind, style);
    if (l != NULL) {
        l->at = at;
        l->n = isfinite(at) ? 1 : 0;
    }
}

void gan_plot_level(gan_panel *p, double at, const struct gan_style *style)
{
    add_straight(p, GAN__LAYER_LEVEL, at, style);
}

void gan_plot_mark(gan_panel *p, double at, const struct gan_style *style)
{
    add_straight(p, GAN__LAYER_MARK, at, style);
}

void gan_plot_text(gan_panel *p, double x, double y, const char *text)
{
    struct gan__layer *l = add_xy(p, GAN__LAYER_TEXT, &x, &y, 1, NULL);
    if (l != NULL) {
        l->text = copy_text(p->figure, text);
        l->n = l->text != NULL ? l->n : 0;
    }
}

/* --- writing ------------------------------------------------------------------------------------ */

#if !GAN_HAVE_CAIRO
gan_status gan__figure_draw(const gan_figure *f, const char *path, bool svg, gan_err *err)
{
    (void)f;
    (void)svg;
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: this build draws no figures (cairo)", path);
}
#endif

gan_status gan_figure_write(const gan_figure *f, const char *path, gan_err *err)
{
    bool svg = gan__ends_with(path, ".svg");
    if (f == NULL) {
        return gan__fail_nomem(err, sizeof *f, "a figure");
    }
    if (f->err.code != GAN_OK) {
        return gan__fail(err, f->err.code, "%s", f->err.message);
    }
    if (!svg && !gan__ends_with(path, ".png")) {
        return gan__fail(err, GAN_E_ARG, "%s: a figure ends in .png or .svg", path);
    }
    return gan__figure_draw(f, path, svg, err);
}
