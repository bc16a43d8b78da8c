/* cairo_layers.c: lines, bands, points, bars, steps, arrows, straight lines, words. */
#include "cairo_layers.h"

#include "base/err.h"
#include "color.h"

#include <math.h>

#define TAU 6.28318530717958647692
#define FAR_PX 20000.0 /* cairo's coordinates are 24.8 fixed point: further away is clamped */

void gan__layer_color(cairo_t *cr, const struct gan__layer *l, double alpha)
{
    const double *rgb = gan__color_rgb(l->style.color);
    cairo_set_source_rgba(cr, rgb[0], rgb[1], rgb[2], alpha);
}

static void set_pen(cairo_t *cr, const struct gan__layer *l)
{
    double dash[2] = {3 * l->style.width, 2 * l->style.width};
    cairo_set_line_width(cr, l->style.width);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(cr, l->style.dashed ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
    cairo_set_dash(cr, dash, l->style.dashed ? 2 : 0, 0);
    gan__layer_color(cr, l, l->style.alpha);
}

/* Pixel of a point; false when it has none. */
static bool px(const struct gan__frame *f, double x, double y, double out[2])
{
    out[0] = gan__scale_px(&f->scale[0], x);
    out[1] = gan__scale_px(&f->scale[1], y);
    bool there = isfinite(out[0]) && isfinite(out[1]);
    for (int k = 0; k < 2; k++) {
        out[k] = fmin(fmax(out[k], -FAR_PX), FAR_PX);
    }
    return there;
}

/* --- lines and bands ---------------------------------------------------------------------------- */

static void draw_line(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    bool down = false;
    set_pen(cr, l);
    for (size_t i = 0; i < l->n; i++) {
        double p[2];
        if (!px(f, l->x[i], l->y[i], p)) {
            down = false;
            continue;
        }
        bool alone = !down && (i + 1 == l->n || !px(f, l->x[i + 1], l->y[i + 1], (double[2]){0}));
        if (!down) {
            cairo_move_to(cr, p[0], p[1]);
        }
        if (down || alone) { /* between two gaps: a dot */
            cairo_line_to(cr, p[0], p[1]);
        }
        down = true;
    }
    cairo_stroke(cr);
}

/* From `from` on, there and back, as far as all values are there; returns where it ended. */
static size_t band_part(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                        size_t from)
{
    double p[2];
    size_t to = from;
    while (to < l->n && px(f, l->x[to], l->y[to], p) && px(f, l->x[to], l->u[to], p)) {
        to++;
    }
    for (size_t i = from; i < to; i++) {
        (void)px(f, l->x[i], l->y[i], p);
        cairo_line_to(cr, p[0], p[1]);
    }
    for (size_t i = to; i-- > from;) {
        (void)px(f, l->x[i], l->u[i], p);
        cairo_line_to(cr, p[0], p[1]);
    }
    if (to > from) {
        cairo_close_path(cr);
        cairo_fill(cr);
    }
    return to;
}

static void draw_band(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    gan__layer_color(cr, l, l->style.alpha);
    for (size_t i = 0; i < l->n; i++) {
        i = band_part(cr, f, l, i);
    }
}

/* --- points ------------------------------------------------------------------------------------- */

static void draw_points(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    gan__layer_color(cr, l, l->style.alpha);
    for (size_t i = 0; i < l->n; i++) {
        double p[2];
        if (px(f, l->x[i], l->y[i], p)) {
            cairo_arc(cr, p[0], p[1], l->style.size / 2, 0, TAU);
            cairo_fill(cr);
        }
    }
}

/* --- bars --------------------------------------------------------------------------------------- */

/* Where a bar begins: at 0, on a logarithmic axis at its lower end. */
static double base_px(const struct gan__frame *f)
{
    double zero = gan__scale_px(&f->scale[1], 0);
    return isfinite(zero) ? zero : f->plot.y + f->plot.h;
}

static void draw_bars(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    double base = base_px(f);
    gan__layer_color(cr, l, l->style.alpha);
    for (size_t i = 0; i < l->n; i++) {
        double a[2], b[2];
        if (px(f, l->x[i] - l->at / 2, l->y[i], a) && px(f, l->x[i] + l->at / 2, l->y[i], b)) {
            cairo_rectangle(cr, a[0], a[1], b[0] - a[0], base - a[1]);
            cairo_fill(cr);
        }
    }
}

/* The outline of a histogram over a lighter area, so that several in a panel are seen. */
static void draw_steps(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    double base = base_px(f), last = f->plot.x;
    for (size_t i = 0; i < l->n; i++) {
        double a = gan__scale_px(&f->scale[0], l->x[i]);
        double b = gan__scale_px(&f->scale[0], l->x[i + 1]);
        double y = gan__scale_px(&f->scale[1], l->y[i]);
        y = isfinite(y) ? y : base;
        if (!isfinite(a) || !isfinite(b)) {
            continue;
        }
        if (!cairo_has_current_point(cr)) {
            cairo_move_to(cr, a, base);
        }
        cairo_line_to(cr, a, y);
        cairo_line_to(cr, b, y);
        last = b;
    }
    if (cairo_has_current_point(cr)) {
        cairo_line_to(cr, last, base);
        gan__layer_color(cr, l, 0.3 * l->style.alpha);
        cairo_fill_preserve(cr);
        set_pen(cr, l);
        cairo_stroke(cr);
    }
}

/* --- arrows ------------------------------------------------------------------------------------- */

static void draw_arrow(cairo_t *cr, const double at[2], const double d[2], double width)
{
    double length = hypot(d[0], d[1]), head = fmin(3.6 * width, 0.6 * length);
    if (!(length > 0.5)) { /* no direction to be seen */
        cairo_arc(cr, at[0], at[1], width * 0.6, 0, TAU);
        cairo_fill(cr);
        return;
    }
    double ux = d[0] / length, uy = d[1] / length, tip[2] = {at[0] + d[0], at[1] + d[1]};
    double neck[2] = {tip[0] - head * ux, tip[1] - head * uy};
    cairo_move_to(cr, at[0], at[1]);
    cairo_line_to(cr, neck[0], neck[1]);
    cairo_stroke(cr);
    cairo_move_to(cr, tip[0], tip[1]);
    cairo_line_to(cr, neck[0] - 0.5 * head * uy, neck[1] + 0.5 * head * ux);
    cairo_line_to(cr, neck[0] + 0.5 * head * uy, neck[1] - 0.5 * head * ux);
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void draw_arrows(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    const struct gan__scale *sx = &f->scale[0], *sy = &f->scale[1];
    double kx = (sx->to - sx->from) / (sx->high - sx->low);
    double ky = (sy->to - sy->from) / (sy->high - sy->low), most = 0;
    for (size_t i = 0; i < l->n; i++) {
        double m = hypot(l->u[i] * kx, l->v[i] * ky);
        most = isfinite(m) ? fmax(most, m) : most;
    }
    set_pen(cr, l);
    for (size_t i = 0; i < l->n && most > 0; i++) {
        double p[2], d[2] = {l->u[i] / most * kx, l->v[i] / most * ky}; /* at most 1 long */
        double m = hypot(d[0], d[1]);
        if (!px(f, l->x[i], l->y[i], p) || !isfinite(m)) {
            continue;
        }
        double factor = m > 0 ? l->style.size * pow(m, l->at) / m : 0;
        d[0] *= factor;
        d[1] *= factor;
        draw_arrow(cr, p, d, l->style.width);
    }
}

/* --- straight lines and words ------------------------------------------------------------------- */

static void draw_straight(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    bool level = l->kind == GAN__LAYER_LEVEL;
    double at = gan__scale_px(&f->scale[level ? 1 : 0], l->at);
    const struct gan__box *b = &f->plot;
    if (l->n == 0 || !isfinite(at)) {
        return;
    }
    set_pen(cr, l);
    cairo_move_to(cr, level ? b->x : at, level ? at : b->y);
    cairo_line_to(cr, level ? b->x + b->w : at, level ? at : b->y + b->h);
    cairo_stroke(cr);
}

static void draw_words(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l)
{
    double p[2];
    struct gan__lines lines;
    const struct gan__box *b = &f->plot;
    if (l->n == 0 || !px(f, l->x[0], l->y[0], p)) {
        return;
    }
    gan__text_break(cr, GAN__SIZE_TICK, l->text, b->w - 2 * GAN__GAP, &lines);
    double h = lines.n * gan__text_height(GAN__SIZE_TICK);
    double x = fmin(p[0] + GAN__GAP, b->x + b->w - lines.width - GAN__GAP);
    double y = fmin(fmax(p[1] - h / 2, b->y + GAN__GAP / 2), b->y + b->h - h - GAN__GAP / 2);
    cairo_set_source_rgb(cr, 0, 0, 0);
    gan__text_put_lines(cr, GAN__SIZE_TICK, &lines,
                        &(struct gan__place){.x = fmax(x, b->x + 2), .y = y, .halo = true});
}

gan_status gan__layer_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                           gan_err *err)
{
    cairo_new_path(cr);
    switch (l->kind) {
    case GAN__LAYER_LINE:
        draw_line(cr, f, l);
        break;
    case GAN__LAYER_BAND:
        draw_band(cr, f, l);
        break;
    case GAN__LAYER_POINTS:
        draw_points(cr, f, l);
        break;
    case GAN__LAYER_BARS:
        draw_bars(cr, f, l);
        break;
    case GAN__LAYER_STEPS:
        draw_steps(cr, f, l);
        break;
    case GAN__LAYER_ARROWS:
        draw_arrows(cr, f, l);
        break;
    case GAN__LAYER_LEVEL:
    case GAN__LAYER_MARK:
        draw_straight(cr, f, l);
        break;
    case GAN__LAYER_TEXT:
        draw_words(cr, f, l);
        break;
    case GAN__LAYER_CONTOURS:
        return gan__contours_draw(cr, f, l, err);
    case GAN__LAYER_HEAT:
        return gan__heat_draw(cr, f, l, err);
    case GAN__LAYER_IMAGE:
        return gan__image_draw(cr, f, l, err);
    }
    return GAN_OK;
}

/* --- legends ------------------------------------------------------------------------------------ */

void gan__swatch_draw(cairo_t *cr, const struct gan__layer *l, const struct gan__box *b)
{
    double middle = b->y + b->h / 2;
    double at[2] = {b->x + 2, middle}, along[2] = {b->w - 4, 0};
    double size = fmin(fmax(l->style.size, 9), b->h - 4);
    set_pen(cr, l);
    switch (l->kind) {
    case GAN__LAYER_POINTS:
        gan__layer_color(cr, l, 1);
        cairo_arc(cr, b->x + b->w / 2, middle, size / 2, 0, TAU);
        cairo_fill(cr);
        return;
    case GAN__LAYER_BAND:
    case GAN__LAYER_BARS:
    case GAN__LAYER_STEPS:
        cairo_rectangle(cr, b->x + 4, b->y + 6, b->w - 8, b->h - 12);
        gan__layer_color(cr, l, l->kind == GAN__LAYER_STEPS ? 0.3 : l->style.alpha);
        cairo_fill_preserve(cr);
        if (l->kind == GAN__LAYER_STEPS) {
            set_pen(cr, l);
            cairo_stroke(cr);
        }
        cairo_new_path(cr);
        return;
    case GAN__LAYER_ARROWS:
        draw_arrow(cr, at, along, l->style.width);
        return;
    case GAN__LAYER_HEAT:
    case GAN__LAYER_IMAGE:
    case GAN__LAYER_TEXT:
        return;
    case GAN__LAYER_CONTOURS:
    case GAN__LAYER_LINE:
    case GAN__LAYER_LEVEL:
    case GAN__LAYER_MARK:
        cairo_move_to(cr, at[0], middle);
        cairo_line_to(cr, at[0] + along[0], middle);
        cairo_stroke(cr);
        return;
    }
}
