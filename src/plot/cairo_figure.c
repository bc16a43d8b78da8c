/* cairo_figure.c: a figure drawn and written. A PNG's pixels go through libspng, an SVG's bytes
 * straight to the file; neither has a time or a counter of the process in it. */
#include "cairo_layers.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "png.h"

#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>

#define MAX_SIDE 32768

static void ink(cairo_t *cr)
{
    cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
}

/* The middle of something so wide, moved into the cell. */
static double in_cell(const struct gan__frame *f, double x, double half)
{
    double left = f->cell.x + GAN__GAP + half, right = f->cell.x + f->cell.w - GAN__GAP - half;
    return fmin(fmax(x, left), right);
}

/* --- axes --------------------------------------------------------------------------------------- */

/* Half a pixel, so that thin lines are sharp. */
static double sharp(double v)
{
    return floor(v) + 0.5;
}

static void draw_grid(cairo_t *cr, const struct gan__frame *f)
{
    const struct gan__box *b = &f->plot;
    cairo_set_line_width(cr, 1);
    cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < f->ticks[k].n; i++) {
            const struct gan__tick *t = &f->ticks[k].tick[i];
            double at = sharp(gan__scale_px(&f->scale[k], t->at));
            if (gan__tick_text(t)[0] != '\0') {
                cairo_move_to(cr, k == 0 ? at : b->x, k == 0 ? b->y : at);
                cairo_line_to(cr, k == 0 ? at : b->x + b->w, k == 0 ? b->y + b->h : at);
            }
        }
    }
    cairo_stroke(cr);
}

static void draw_x_tick(cairo_t *cr, const struct gan__frame *f, const struct gan__tick *t)
{
    const char *text = gan__tick_text(t);
    double x = sharp(gan__scale_px(&f->scale[0], t->at)), y = f->plot.y + f->plot.h;
    double length = text[0] != '\0' ? GAN__TICK : GAN__TICK * 0.6;
    cairo_move_to(cr, x, y);
    cairo_line_to(cr, x, y + length);
    cairo_stroke(cr);
    struct gan__place at = {.x = x, .y = y + GAN__TICK + GAN__GAP / 4, .across = 0.5};
    if (f->names_turned) {
        at.turned = true;
        at.across = 1;
        at.down = 0.5;
    }
    gan__text_put(cr, GAN__SIZE_TICK, text, &at);
}

/* A tick at the left of x (side -1) or at its right (side 1). */
static void draw_y_tick(cairo_t *cr, const struct gan__tick *t, double x, double y, int side)
{
    const char *text = gan__tick_text(t);
    double length = text[0] != '\0' ? GAN__TICK : GAN__TICK * 0.6;
    cairo_move_to(cr, x, sharp(y));
    cairo_line_to(cr, x + side * length, sharp(y));
    cairo_stroke(cr);
    gan__text_put(cr, GAN__SIZE_TICK, text,
                  &(struct gan__place){.x = x + side * (GAN__TICK + GAN__GAP / 2),
                                       .y = y,
                                       .across = side < 0 ? 1 : 0,
                                       .down = 0.5});
}

/* Height of what stands under the axis: the ticks' labels. */
static double under_axis(cairo_t *cr, const struct gan__frame *f)
{
    double h =
        f->names_turned ? gan__widest_tick(cr, &f->ticks[0]) : gan__text_height(GAN__SIZE_TICK);
    return GAN__TICK + h + GAN__GAP / 2;
}

static void draw_labels(cairo_t *cr, const struct gan__frame *f)
{
    const struct gan__box *b = &f->plot;
    struct gan__lines lines;
    gan__text_break(cr, GAN__SIZE_LABEL, f->label[0], f->cell.w - 2 * GAN__GAP, &lines);
    double x = in_cell(f, b->x + b->w / 2, lines.width / 2);
    gan__text_put_lines(
        cr, GAN__SIZE_LABEL, &lines,
        &(struct gan__place){.x = x, .y = b->y + b->h + under_axis(cr, f), .across = 0.5});
    gan__text_break(cr, GAN__SIZE_LABEL, f->label[1], b->h, &lines);
    x = b->x - GAN__TICK - GAN__GAP - gan__widest_tick(cr, &f->ticks[1]);
    gan__text_put_lines(
        cr, GAN__SIZE_LABEL, &lines,
        &(struct gan__place){
            .x = x, .y = b->y + b->h / 2, .across = 0.5, .down = 1, .turned = true});
}

static void draw_axes(cairo_t *cr, const struct gan__frame *f)
{
    const struct gan__box *b = &f->plot;
    ink(cr);
    cairo_set_line_width(cr, 1.5);
    cairo_rectangle(cr, sharp(b->x), sharp(b->y), floor(b->w), floor(b->h));
    cairo_stroke(cr);
    for (int i = 0; i < f->ticks[0].n; i++) {
        draw_x_tick(cr, f, &f->ticks[0].tick[i]);
    }
    for (int i = 0; i < f->ticks[1].n; i++) {
        const struct gan__tick *t = &f->ticks[1].tick[i];
        draw_y_tick(cr, t, b->x, gan__scale_px(&f->scale[1], t->at), -1);
    }
    draw_labels(cr, f);
}

/* --- the colour bar ----------------------------------------------------------------------------- */

/* Colour at a height of the bar: of the area its value lies in, or of the value. */
static void bar_color(const struct gan__layer *l, double value, double rgb[3])
{
    double from = l->style.low, to = l->style.high;
    if (l->kind == GAN__LAYER_CONTOURS) {
        for (size_t i = 0; i < l->n_levels; i++) {
            if (l->levels[i] <= value) {
                from = l->levels[i];
            } else {
                to = l->levels[i];
                break;
            }
        }
        value = (from + to) / 2;
    }
    gan__layer_map(l, value, rgb);
}

static void draw_bar(cairo_t *cr, const struct gan__frame *f)
{
    const struct gan__layer *l = f->bar;
    const struct gan__box *b = &f->plot;
    double x = b->x + b->w + 2 * GAN__GAP, low = l->style.low, high = l->style.high;
    for (double y = 0; y < b->h; y++) {
        double rgb[3], rest = b->h - y, h = rest < 2 ? rest : 2; /* overlapping: no seams */
        bar_color(l, high - (y + 0.5) / b->h * (high - low), rgb);
        cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
        cairo_rectangle(cr, x, b->y + y, GAN__BAR, h);
        cairo_fill(cr);
    }
    ink(cr);
    cairo_set_line_width(cr, 1.5);
    cairo_rectangle(cr, sharp(x), sharp(b->y), GAN__BAR, floor(b->h));
    cairo_stroke(cr);
    for (int i = 0; i < f->bar_ticks.n; i++) {
        const struct gan__tick *t = &f->bar_ticks.tick[i];
        double y = b->y + b->h - (t->at - low) / (high - low) * b->h;
        draw_y_tick(cr, t, x + GAN__BAR, y, 1);
    }
    struct gan__lines lines;
    gan__text_break(cr, GAN__SIZE_LABEL, f->bar_label, b->h, &lines);
    x += GAN__BAR + GAN__TICK + GAN__GAP + gan__widest_tick(cr, &f->bar_ticks);
    gan__text_put_lines(
        cr, GAN__SIZE_LABEL, &lines,
        &(struct gan__place){.x = x, .y = b->y + b->h / 2, .across = 0.5, .turned = true});
}

/* --- the legend --------------------------------------------------------------------------------- */

static void put_entry(cairo_t *cr, const struct gan__layer *l, const struct gan__lines *lines,
                      double x, double y)
{
    double h = gan__text_height(GAN__SIZE_TICK);
    gan__swatch_draw(cr, l, &(struct gan__box){x, y, GAN__SWATCH, h});
    cairo_set_dash(cr, NULL, 0, 0);
    ink(cr);
    gan__text_put_lines(cr, GAN__SIZE_TICK, lines,
                        &(struct gan__place){.x = x + GAN__SWATCH + GAN__GAP, .y = y});
}

static void draw_legend_inside(cairo_t *cr, const struct gan__frame *f)
{
    const struct gan__box *b = &f->plot;
    double w = f->legend_w, h = f->legend_h;
    double x = (f->legend_corner & 1) != 0 ? b->x + b->w - w - GAN__GAP : b->x + GAN__GAP;
    double y = (f->legend_corner & 2) != 0 ? b->y + b->h - h - GAN__GAP : b->y + GAN__GAP;
    cairo_rectangle(cr, x, y, w, h);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill_preserve(cr);
    cairo_set_source_rgb(cr, 0.7, 0.7, 0.7);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
    y += GAN__GAP / 2;
    for (const struct gan__layer *l = f->panel->first; l != NULL; l = l->next) {
        struct gan__lines lines;
        if (l->style.label != NULL) {
            gan__text_break(cr, GAN__SIZE_TICK, l->style.label, w, &lines);
            put_entry(cr, l, &lines, x + GAN__GAP, y);
            y += gan__text_height(GAN__SIZE_TICK);
        }
    }
}

/* Of all entries in one row. */
static double legend_width(cairo_t *cr, const struct gan__frame *f)
{
    double total = 0;
    for (const struct gan__layer *l = f->panel->first; l != NULL; l = l->next) {
        struct gan__lines lines;
        double w = 0, h;
        if (l->style.label != NULL) {
            gan__legend_entry(cr, f, l->style.label, &lines, &w, &h);
        }
        total += w;
    }
    return total;
}

static void draw_legend_below(cairo_t *cr, const struct gan__frame *f)
{
    double half = fmin(legend_width(cr, f), f->cell.w - 2 * GAN__GAP) / 2, x = 0, row = 0;
    double left = in_cell(f, f->plot.x + f->plot.w / 2, half) - half;
    double y = f->plot.y + f->plot.h + GAN__GAP;
    if (!f->panel->bare) {
        struct gan__lines lines;
        gan__text_break(cr, GAN__SIZE_LABEL, f->label[0], f->cell.w - 2 * GAN__GAP, &lines);
        y += under_axis(cr, f) - GAN__GAP / 2 + lines.n * gan__text_height(GAN__SIZE_LABEL);
    }
    for (const struct gan__layer *l = f->panel->first; l != NULL; l = l->next) {
        struct gan__lines lines;
        double w, h;
        if (l->style.label == NULL) {
            continue;
        }
        gan__legend_entry(cr, f, l->style.label, &lines, &w, &h);
        if (x > 0 && x + w > f->cell.w - GAN__GAP) {
            y += row;
            x = row = 0;
        }
        put_entry(cr, l, &lines, left + x, y);
        x += w;
        row = fmax(row, h);
    }
}

/* --- panels ------------------------------------------------------------------------------------- */

static bool is_empty(const struct gan_panel *p)
{
    for (const struct gan__layer *l = p->first; l != NULL; l = l->next) {
        if (l->n > 0 || l->surface.z != NULL || l->pixels != NULL) {
            return false;
        }
    }
    return true;
}

static gan_status draw_layers(cairo_t *cr, const struct gan__frame *f, gan_err *err)
{
    const struct gan__box *b = &f->plot;
    gan_status status = GAN_OK;
    cairo_save(cr);
    cairo_rectangle(cr, b->x, b->y, b->w, b->h);
    cairo_clip(cr);
    for (const struct gan__layer *l = f->panel->first; l != NULL && status == GAN_OK; l = l->next) {
        status = gan__layer_draw(cr, f, l, err);
    }
    cairo_restore(cr);
    if (is_empty(f->panel)) {
        ink(cr);
        gan__text_put(cr, GAN__SIZE_TICK, "no data",
                      &(struct gan__place){
                          .x = b->x + b->w / 2, .y = b->y + b->h / 2, .across = 0.5, .down = 0.5});
    }
    return status;
}

static gan_status draw_panel(cairo_t *cr, const struct gan__frame *f, gan_err *err)
{
    struct gan__lines lines;
    if (!f->panel->bare) {
        draw_grid(cr, f);
    }
    GAN_TRY(draw_layers(cr, f, err));
    cairo_new_path(cr);
    if (!f->panel->bare) {
        draw_axes(cr, f);
    }
    if (f->bar != NULL) {
        draw_bar(cr, f);
    }
    ink(cr);
    gan__text_break(cr, GAN__SIZE_TITLE, f->panel->title, f->cell.w - 2 * GAN__GAP, &lines);
    double x = in_cell(f, f->plot.x + f->plot.w / 2, lines.width / 2);
    gan__text_put_lines(
        cr, GAN__SIZE_TITLE, &lines,
        &(struct gan__place){.x = x, .y = f->plot.y - GAN__GAP / 2, .across = 0.5, .down = 1});
    if (f->n_legend > 0 && f->legend_below) {
        draw_legend_below(cr, f);
    } else if (f->n_legend > 0) {
        draw_legend_inside(cr, f);
    }
    return GAN_OK;
}

static gan_status draw_all(cairo_t *cr, const gan_figure *f, const struct gan__layout *l,
                           gan_err *err)
{
    struct gan__lines lines;
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    gan__text_font(cr);
    ink(cr);
    gan__text_break(cr, GAN__SIZE_FIGURE, f->title, l->width - 2 * GAN__GAP, &lines);
    gan__text_put_lines(cr, GAN__SIZE_FIGURE, &lines,
                        &(struct gan__place){.x = l->width / 2, .y = GAN__GAP, .across = 0.5});
    for (int i = 0; i < l->n; i++) {
        if (f->panel[i].used) {
            GAN_TRY(draw_panel(cr, &l->frame[i], err));
        }
    }
    if (cairo_status(cr) != CAIRO_STATUS_SUCCESS) {
        bool memory = cairo_status(cr) == CAIRO_STATUS_NO_MEMORY;
        return gan__fail(err, memory ? GAN_E_NOMEM : GAN_E_INTERNAL, "drawing a figure: %s",
                         cairo_status_to_string(cairo_status(cr)));
    }
    return GAN_OK;
}

/* --- files -------------------------------------------------------------------------------------- */

static gan_status write_png(const gan_figure *f, const struct gan__layout *l, const char *path,
                            gan_err *err)
{
    size_t w = (size_t)l->width, h = (size_t)l->height;
    uint32_t *px = gan__alloc_array(w * h, sizeof *px);
    struct gan__image image = {gan__alloc_array(w * h, 3), (int64_t)h, (int64_t)w, 3};
    gan_status status = GAN_OK;
    if (px == NULL || image.data == NULL) {
        status = gan__fail_nomem(err, w * h * 7, path);
    } else {
        cairo_surface_t *s = cairo_image_surface_create_for_data(
            (unsigned char *)px, CAIRO_FORMAT_RGB24, (int)w, (int)h, (int)(w * sizeof *px));
        cairo_t *cr = cairo_create(s);
        status = draw_all(cr, f, l, err);
        cairo_surface_flush(s);
        cairo_destroy(cr);
        cairo_surface_destroy(s);
    }
    for (size_t i = 0; status == GAN_OK && i < w * h; i++) {
        for (size_t k = 0; k < 3; k++) {
            image.data[3 * i + k] = (uint8_t)(px[i] >> (16 - 8 * k));
        }
    }
    if (status == GAN_OK) {
        status = gan__png_write(path, &image, NULL, 0, err);
    }
    gan__free(px);
    gan__free(image.data);
    return status;
}

static cairo_status_t take_bytes(void *ctx, const unsigned char *data, unsigned length)
{
    struct gan__str *s = ctx;
    gan__str_addn(s, (const char *)data, length);
    return s->bad ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* cairo names pictures and groups by a counter of the process, "image17": the names are numbered
 * anew from 0, in the order they come. Texts are outlines and base64 has neither \" nor #, so that
 * nothing else is met. */
static size_t name_at(const char *p)
{
    if (*p != '"' && *p != '#') {
        return 0;
    }
    size_t n = gan__starts_with(p + 1, "image") ? 6 : gan__starts_with(p + 1, "surface") ? 8 : 0;
    return n > 0 && p[n] >= '0' && p[n] <= '9' ? n : 0;
}

static void number_anew(struct gan__str *out, const char *text, gan_err *err)
{
    long known[256];
    int n_known = 0;
    const char *from = text;
    for (const char *p = text; *p != '\0'; p++) {
        size_t n = name_at(p);
        if (n == 0) {
            continue;
        }
        char *end = NULL;
        long number = strtol(p + n, &end, 10);
        int k = 0;
        while (k < n_known && known[k] != number) {
            k++;
        }
        if (k == (int)(sizeof known / sizeof known[0])) {
            (void)gan__fail(err, GAN_E_RANGE, "an SVG of more than %d pictures", k);
            return;
        }
        if (k == n_known) {
            known[n_known++] = number;
        }
        gan__str_addn(out, from, (size_t)(p - from) + n);
        gan__str_printf(out, "%d", k);
        from = end;
        p = end - 1;
    }
    gan__str_add(out, from);
}

static gan_status write_svg(const gan_figure *f, const struct gan__layout *l, const char *path,
                            gan_err *err)
{
    struct gan__str text = {0}, named = {0};
    gan_err own = {0};
    cairo_surface_t *s =
        cairo_svg_surface_create_for_stream(take_bytes, &text, l->width, l->height);
    cairo_t *cr = cairo_create(s);
    gan_status status = draw_all(cr, f, l, err);
    cairo_destroy(cr);
    cairo_surface_finish(s);
    bool good = !text.bad && text.p != NULL && cairo_surface_status(s) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(s);
    if (status == GAN_OK && good) {
        number_anew(&named, text.p, &own);
        good = !named.bad;
        status =
            own.code == GAN_OK ? GAN_OK : gan__fail(err, own.code, "%s: %s", path, own.message);
    }
    if (status == GAN_OK) {
        status = good ? gan__file_replace(path, named.p, named.len, err)
                      : gan__fail_nomem(err, text.len, path);
    }
    gan__str_release(&text);
    gan__str_release(&named);
    return status;
}

gan_status gan__figure_draw(const gan_figure *f, const char *path, bool svg, gan_err *err)
{
    struct gan__arena arena = {0};
    struct gan__layout layout = {0};
    cairo_surface_t *none = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1); /* to measure on */
    cairo_t *cr = cairo_create(none);
    gan__text_font(cr);
    gan_status status = gan__layout_make(&layout, f, cr, &arena, err);
    cairo_destroy(cr);
    cairo_surface_destroy(none);
    if (status == GAN_OK && (layout.width > MAX_SIDE || layout.height > MAX_SIDE)) {
        status = gan__fail(err, GAN_E_RANGE, "%s: a figure of %gx%g pixels, at most %d on a side",
                           path, layout.width, layout.height, MAX_SIDE);
    }
    if (status == GAN_OK) {
        status = svg ? write_svg(f, &layout, path, err) : write_png(f, &layout, path, err);
    }
    gan__arena_release(&arena);
    return status;
}
