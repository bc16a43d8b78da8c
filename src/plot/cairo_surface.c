/* cairo_surface.c: contours, heat maps, images. Areas between contours are painted from the lowest
 * level up, each over the ones below it: no seams. */
#include "cairo_layers.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "contour.h"

#include <math.h>
#include <string.h>

enum { MAX_LABELS = 64 };

void gan__layer_map(const struct gan__layer *l, double value, double rgb[3])
{
    double t = (value - l->style.low) / (l->style.high - l->style.low);
    gan_map_color(l->style.map, t, rgb);
    for (int k = 0; k < 3; k++) {
        rgb[k] = 1 - l->style.alpha * (1 - rgb[k]);
    }
}

/* --- contours ----------------------------------------------------------------------------------- */

struct painter {
    cairo_t *cr;
    const struct gan__frame *f;
    const struct gan__layer *l;
    double level;
    char text[40];                      /* of the level */
    struct gan__box labels[MAX_LABELS]; /* where labels stand */
    char texts[MAX_LABELS][40];
    int n_labels;
};

static void to_px(const struct painter *p, const double *xy, double out[2])
{
    const struct gan_surface *s = &p->l->surface;
    double x = s->x0 + xy[0] * (s->x1 - s->x0) / (double)(s->nx - 1);
    double y = s->y0 + xy[1] * (s->y1 - s->y0) / (double)(s->ny - 1);
    out[0] = gan__scale_px(&p->f->scale[0], x);
    out[1] = gan__scale_px(&p->f->scale[1], y);
}

static void add_path(const struct painter *p, const double *xy, size_t n, bool closed)
{
    for (size_t i = 0; i < n; i++) {
        double at[2];
        to_px(p, xy + 2 * i, at);
        if (!isfinite(at[0]) || !isfinite(at[1])) {
            continue;
        }
        if (i == 0) {
            cairo_move_to(p->cr, at[0], at[1]);
        } else {
            cairo_line_to(p->cr, at[0], at[1]);
        }
    }
    if (closed) {
        cairo_close_path(p->cr);
    }
}

static void take_area(void *ctx, const double *xy, size_t n, bool closed)
{
    add_path(ctx, xy, n, closed);
}

static bool overlaps(const struct gan__box *a, const struct gan__box *b)
{
    return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

/* Whether a label fits here: within the plot, and on no other one. */
static bool is_free(const struct painter *p, const struct gan__box *b)
{
    const struct gan__box *o = &p->f->plot;
    bool inside = b->x > o->x + 2 && b->y > o->y + 2 && b->x + b->w < o->x + o->w - 2 &&
                  b->y + b->h < o->y + o->h - 2;
    for (int i = 0; inside && i < p->n_labels; i++) {
        inside = !overlaps(b, &p->labels[i]);
    }
    return inside;
}

static double length_of(const struct painter *p, const double *xy, size_t n)
{
    double total = 0, before[2], at[2];
    to_px(p, xy, before);
    for (size_t i = 1; i < n; i++) {
        to_px(p, xy + 2 * i, at);
        total += hypot(at[0] - before[0], at[1] - before[1]);
        before[0] = at[0];
        before[1] = at[1];
    }
    return total;
}

/* A label as near to the middle of a line as there is room, none on short lines. */
static void place_label(struct painter *p, const double *xy, size_t n)
{
    double w = gan__text_width(p->cr, GAN__SIZE_TICK, p->text) + 4;
    double h = gan__text_height(GAN__SIZE_TICK);
    if (p->n_labels == MAX_LABELS || !(length_of(p, xy, n) > 3 * w)) {
        return;
    }
    for (size_t k = 0; k < n; k++) { /* the middle, then alternately before and after it */
        size_t off = (k + 1) / 2, i = k % 2 == 0 ? n / 2 + off : n / 2 - off;
        double at[2];
        if (i >= n) {
            continue;
        }
        to_px(p, xy + 2 * i, at);
        struct gan__box b = {at[0] - w / 2, at[1] - h / 2, w, h};
        if (is_free(p, &b)) {
            (void)gan__copy(p->texts[p->n_labels], sizeof p->texts[0], p->text);
            p->labels[p->n_labels++] = b;
            return;
        }
    }
}

static void take_line(void *ctx, const double *xy, size_t n, bool closed)
{
    struct painter *p = ctx;
    add_path(p, xy, n, closed);
    place_label(p, xy, n);
}

static void fill_areas(struct painter *p)
{
    const struct gan__layer *l = p->l;
    const struct gan_surface *s = &l->surface;
    const struct gan__contour_sink sink = {take_area, p};
    for (size_t i = 0; i <= l->n_levels; i++) {
        double from = i == 0 ? l->style.low : l->levels[i - 1];
        double to = i == l->n_levels ? l->style.high : l->levels[i], rgb[3];
        gan__layer_map(l, (from + to) / 2, rgb);
        cairo_new_path(p->cr);
        gan__contour_area(s->z, s->nx, s->ny, i == 0 ? -(double)INFINITY : from, &sink);
        cairo_set_source_rgb(p->cr, rgb[0], rgb[1], rgb[2]);
        cairo_fill(p->cr);
    }
}

static bool stroke_lines(struct painter *p)
{
    const struct gan__layer *l = p->l;
    const struct gan_surface *s = &l->surface;
    const struct gan__contour_sink sink = {take_line, p};
    bool ok = true;
    for (size_t i = 0; i < l->n_levels && ok; i++) {
        (void)gan__format(p->text, sizeof p->text, "%s%.4g", l->levels[i] < 0 ? "\u2212" : "",
                          fabs(l->levels[i]));
        cairo_new_path(p->cr);
        ok = gan__contour_lines(s->z, s->nx, s->ny, l->levels[i], &sink);
        gan__layer_color(p->cr, l, l->style.alpha);
        cairo_set_line_width(p->cr, l->style.width);
        cairo_set_line_join(p->cr, CAIRO_LINE_JOIN_ROUND);
        cairo_set_dash(p->cr, (double[]){6, 4}, l->style.dashed ? 2 : 0, 0);
        cairo_stroke(p->cr);
    }
    cairo_set_source_rgb(p->cr, 0.15, 0.15, 0.15);
    for (int i = 0; i < p->n_labels && ok; i++) {
        const struct gan__box *b = &p->labels[i];
        gan__text_put(p->cr, GAN__SIZE_TICK, p->texts[i],
                      &(struct gan__place){.x = b->x + 2, .y = b->y, .halo = true});
    }
    return ok;
}

gan_status gan__contours_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                              gan_err *err)
{
    struct painter p = {.cr = cr, .f = f, .l = l};
    if (l->surface.z == NULL) {
        return GAN_OK;
    }
    if (l->style.filled) {
        fill_areas(&p);
        return GAN_OK;
    }
    return stroke_lines(&p) ? GAN_OK : gan__fail_nomem(err, 0, "contours");
}

/* --- pictures ----------------------------------------------------------------------------------- */

/* Pixels 0x00RRGGBB, row 0 at the top, over a rectangle of the axes, each a sharp rectangle. */
static void put_pixels(cairo_t *cr, const struct gan__frame *f, uint32_t *rgb, size_t w, size_t h,
                       const double at[4])
{
    int stride = (int)(w * sizeof *rgb);
    double x0 = gan__scale_px(&f->scale[0], at[0]), x1 = gan__scale_px(&f->scale[0], at[1]);
    double y0 = gan__scale_px(&f->scale[1], at[2]), y1 = gan__scale_px(&f->scale[1], at[3]);
    cairo_surface_t *s = cairo_image_surface_create_for_data(
        (unsigned char *)rgb, CAIRO_FORMAT_RGB24, (int)w, (int)h, stride);
    cairo_save(cr);
    cairo_translate(cr, x0, y1);
    cairo_scale(cr, (x1 - x0) / (double)w, (y0 - y1) / (double)h);
    cairo_set_source_surface(cr, s, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_rectangle(cr, 0, 0, (double)w, (double)h);
    cairo_fill(cr);
    cairo_restore(cr);
    cairo_surface_finish(s);
    cairo_surface_destroy(s);
}

static uint32_t pack(const double rgb[3])
{
    uint32_t v = 0;
    for (int k = 0; k < 3; k++) {
        v = v << 8 | (uint32_t)lround(rgb[k] * 255);
    }
    return v;
}

gan_status gan__heat_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                          gan_err *err)
{
    const struct gan_surface *s = &l->surface;
    if (s->z == NULL) {
        return GAN_OK;
    }
    uint32_t *px = gan__alloc_array(s->nx * s->ny, sizeof *px);
    if (px == NULL) {
        return gan__fail_nomem(err, s->nx * s->ny * sizeof *px, "a heat map");
    }
    for (size_t j = 0; j < s->ny; j++) { /* row 0 of the surface is at the bottom */
        for (size_t i = 0; i < s->nx; i++) {
            double rgb[3] = {0.7, 0.7, 0.7}, z = s->z[(s->ny - 1 - j) * s->nx + i];
            if (isfinite(z)) {
                gan__layer_map(l, z, rgb);
            }
            px[j * s->nx + i] = pack(rgb);
        }
    }
    put_pixels(cr, f, px, s->nx, s->ny, (double[]){s->x0, s->x1, s->y0, s->y1});
    gan__free(px);
    return GAN_OK;
}

gan_status gan__image_draw(cairo_t *cr, const struct gan__frame *f, const struct gan__layer *l,
                           gan_err *err)
{
    size_t n = l->height * l->width, c = l->channels;
    if (l->pixels == NULL) {
        return GAN_OK;
    }
    uint32_t *px = gan__alloc_array(n, sizeof *px);
    if (px == NULL) {
        return gan__fail_nomem(err, n * sizeof *px, "an image panel");
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = l->pixels + i * c;
        px[i] = (uint32_t)p[0] << 16 | (uint32_t)p[c == 3 ? 1 : 0] << 8 | p[c == 3 ? 2 : 0];
    }
    put_pixels(cr, f, px, l->width, l->height,
               (double[]){0, (double)l->width, 0, (double)l->height});
    gan__free(px);
    return GAN_OK;
}
