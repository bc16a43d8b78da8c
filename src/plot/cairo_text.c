/* cairo_text.c: text in the one font of the figures. */
#include "cairo_text.h"

#include "base/str.h"

#include <string.h>

#define LEADING 1.25 /* a line's height over its size */
#define ASCENT 0.93  /* baseline under the top of the line, over its size */

void gan__text_font(cairo_t *cr)
{
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_select_font_face(cr, "sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_options(cr, o);
    cairo_font_options_destroy(o);
}

/* Advance or ink, whichever reaches further. */
double gan__text_width(cairo_t *cr, double size, const char *text)
{
    cairo_text_extents_t e;
    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, text, &e);
    double ink = e.x_bearing + e.width;
    return ink > e.x_advance ? ink : e.x_advance;
}

double gan__text_height(double size)
{
    return size * LEADING;
}

/* --- lines -------------------------------------------------------------------------------------- */

static double part_width(cairo_t *cr, double size, const char *text, size_t n)
{
    char part[512];
    (void)gan__format(part, sizeof part, "%.*s", (int)(n < sizeof part ? n : sizeof part - 1),
                      text);
    return gan__text_width(cr, size, part);
}

/* Bytes of the line that starts at text: the most whole words that fit, at least one character. */
static size_t fit(cairo_t *cr, double size, const char *text, double width)
{
    size_t best = 0, n = 0, end = strcspn(text, "\n");
    end = end < 500 ? end : 500;
    while (n < end) {
        size_t next = n + 1 + strcspn(text + n + 1, " \n");
        next = next < end ? next : end;
        if (part_width(cr, size, text, next) > width) {
            break;
        }
        best = n = next;
    }
    for (n = 0; best == 0 && n < end;) {
        size_t next = n + 1;
        while (next < end && ((unsigned char)text[next] & 0xc0) == 0x80) {
            next++;
        }
        if (n > 0 && part_width(cr, size, text, next) > width) {
            return n;
        }
        n = next;
        best = n == end ? n : 0;
    }
    return best;
}

void gan__text_break(cairo_t *cr, double size, const char *text, double width,
                     struct gan__lines *out)
{
    *out = (struct gan__lines){0};
    while (text != NULL && *text != '\0' && out->n < GAN__TEXT_LINES) {
        size_t n = fit(cr, size, text, width);
        double w = part_width(cr, size, text, n);
        out->line[out->n].start = text;
        out->line[out->n++].length = n;
        out->width = w > out->width ? w : out->width;
        text += n;
        text += *text == '\n' ? 1 : strspn(text, " ");
    }
}

/* --- placing ------------------------------------------------------------------------------------ */

void gan__text_put_lines(cairo_t *cr, double size, const struct gan__lines *lines,
                         const struct gan__place *at)
{
    double height = gan__text_height(size);
    cairo_save(cr);
    cairo_translate(cr, at->x, at->y);
    if (at->turned) {
        cairo_rotate(cr, -3.14159265358979323846 / 2);
    }
    for (int i = 0; i < lines->n; i++) {
        char part[512];
        (void)gan__format(part, sizeof part, "%.*s", (int)lines->line[i].length,
                          lines->line[i].start);
        double width = gan__text_width(cr, size, part);
        double x = -at->across * width;
        double y = (i - at->down * lines->n) * height + size * ASCENT + (height - size) / 4;
        if (at->halo) {
            cairo_save(cr);
            cairo_move_to(cr, x, y);
            cairo_text_path(cr, part);
            cairo_set_source_rgb(cr, 1, 1, 1);
            cairo_set_line_width(cr, 5);
            cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
            cairo_stroke(cr);
            cairo_restore(cr);
        }
        cairo_move_to(cr, x, y);
        cairo_show_text(cr, part);
        cairo_new_path(cr);
    }
    cairo_restore(cr);
}

void gan__text_put(cairo_t *cr, double size, const char *text, const struct gan__place *at)
{
    struct gan__lines one = {.n = 1};
    one.line[0].start = text;
    one.line[0].length = strlen(text);
    gan__text_put_lines(cr, size, &one, at);
}
