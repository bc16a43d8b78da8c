/* cairo_layout.c: margins grow until every text has its room. Ticks depend on the room that is left
 * and the room on the ticks' labels, so both are found in turns; margins only grow, which ends it.
 * Panels of a column share their left and right margins, those of a row the upper and lower ones. */
#include "cairo_layout.h"

#include "base/err.h"
#include "base/str.h"

#include <math.h>

enum { LEFT, TOP, RIGHT, BOTTOM, PASSES = 12 };

#define ROOM_AT_LEAST 48.0

/* --- the colour bar and axes -------------------------------------------------------------------- */

static const struct gan__layer *find_bar(const struct gan_panel *p)
{
    for (const struct gan__layer *l = p->first; l != NULL; l = l->next) {
        bool mapped =
            l->kind == GAN__LAYER_HEAT || (l->kind == GAN__LAYER_CONTOURS && l->style.filled);
        if (mapped && l->surface.z != NULL && !l->style.no_bar) {
            return l;
        }
    }
    return NULL;
}

/* "step (×10⁶)" */
static void label_of(char *dst, size_t cap, const char *label, int exponent)
{
    char power[32] = "";
    gan__format_power(power, sizeof power, exponent);
    label = label != NULL ? label : "";
    if (exponent == 0) {
        (void)gan__copy(dst, cap, label);
    } else if (label[0] == '\0') {
        (void)gan__format(dst, cap, "\u00d7%s", power);
    } else {
        (void)gan__format(dst, cap, "%s (\u00d7%s)", label, power);
    }
}

double gan__widest_tick(cairo_t *cr, const struct gan__ticks *t)
{
    double most = 0;
    for (int i = 0; i < t->n; i++) {
        most = fmax(most, gan__text_width(cr, GAN__SIZE_TICK, gan__tick_text(&t->tick[i])));
    }
    return most;
}

/* Whether no two labels beside each other touch. */
static bool labels_fit(cairo_t *cr, const struct gan__frame *f)
{
    double end = -(double)INFINITY;
    for (int i = 0; i < f->ticks[0].n; i++) {
        const struct gan__tick *t = &f->ticks[0].tick[i];
        const char *text = gan__tick_text(t);
        if (text[0] != '\0') {
            double w = gan__text_width(cr, GAN__SIZE_TICK, text);
            double x = gan__scale_px(&f->scale[0], t->at);
            if (x - w / 2 < end + 12) {
                return false;
            }
            end = x + w / 2;
        }
    }
    return true;
}

static void make_ticks(cairo_t *cr, struct gan__frame *f)
{
    const struct gan_panel *p = f->panel;
    for (int k = 0; k < 2; k++) {
        const struct gan_axis *a = &p->axis[k];
        const struct gan__scale *s = &f->scale[k];
        double want = k == 0 ? f->plot.w / 90 : f->plot.h / 55;
        f->names_turned = k == 0 ? false : f->names_turned;
        gan__ticks_make(&f->ticks[k], s->low, s->high, s->log, want, a->names, a->n_names);
        while (k == 0 && !labels_fit(cr, f)) {
            if (a->n_names > 0 || want < 1) {
                f->names_turned = true;
                break;
            }
            want *= 0.75;
            gan__ticks_make(&f->ticks[k], s->low, s->high, s->log, want, NULL, 0);
        }
        label_of(f->label[k], sizeof f->label[k], a->label, f->ticks[k].exponent);
    }
    if (f->bar != NULL) {
        gan__ticks_make(&f->bar_ticks, f->bar->style.low, f->bar->style.high, false, f->plot.h / 55,
                        NULL, 0);
        label_of(f->bar_label, sizeof f->bar_label, f->bar->style.bar, f->bar_ticks.exponent);
    }
}

/* The plot area within the cell; one unit as long on both axes where that is asked for. */
static void place_plot(struct gan__frame *f)
{
    const struct gan__box *c = &f->cell;
    struct gan__box *b = &f->plot;
    double low[2], high[2];
    *b = (struct gan__box){c->x + f->margin[LEFT], c->y + f->margin[TOP],
                           c->w - f->margin[LEFT] - f->margin[RIGHT],
                           c->h - f->margin[TOP] - f->margin[BOTTOM]};
    for (int k = 0; k < 2; k++) {
        gan__axis_range(f->panel, k, &low[k], &high[k]);
    }
    if (f->panel->equal && !f->panel->axis[0].log && !f->panel->axis[1].log) {
        double unit = fmin(b->w / (high[0] - low[0]), b->h / (high[1] - low[1]));
        double w = unit * (high[0] - low[0]), h = unit * (high[1] - low[1]);
        *b = (struct gan__box){b->x + (b->w - w) / 2, b->y + (b->h - h) / 2, w, h};
    }
    f->scale[0] = (struct gan__scale){low[0], high[0], b->x, b->x + b->w, f->panel->axis[0].log};
    f->scale[1] = (struct gan__scale){low[1], high[1], b->y + b->h, b->y, f->panel->axis[1].log};
}

/* --- the legend --------------------------------------------------------------------------------- */

void gan__legend_entry(cairo_t *cr, const struct gan__frame *f, const char *label,
                       struct gan__lines *lines, double *w, double *h)
{
    double room = f->cell.w - GAN__SWATCH - 5 * GAN__GAP;
    gan__text_break(cr, GAN__SIZE_TICK, label, fmax(room, GAN__SIZE_TICK), lines);
    *w = GAN__SWATCH + lines->width + 3 * GAN__GAP;
    *h = lines->n * gan__text_height(GAN__SIZE_TICK);
}

/* Height of the rows below the panel. */
static double legend_rows(cairo_t *cr, const struct gan__frame *f)
{
    double x = 0, row = 0, total = 0;
    for (const struct gan__layer *l = f->panel->first; l != NULL; l = l->next) {
        struct gan__lines lines;
        double w, h;
        if (l->style.label == NULL) {
            continue;
        }
        gan__legend_entry(cr, f, l->style.label, &lines, &w, &h);
        if (x > 0 && x + w > f->cell.w - GAN__GAP) {
            total += row;
            x = row = 0;
        }
        x += w;
        row = fmax(row, h);
    }
    return total + row + GAN__GAP;
}

static void size_legend(cairo_t *cr, struct gan__frame *f)
{
    for (const struct gan__layer *l = f->panel->first; l != NULL; l = l->next) {
        if (l->style.label != NULL) {
            double w = gan__text_width(cr, GAN__SIZE_TICK, l->style.label);
            f->legend_w = fmax(f->legend_w, w + GAN__SWATCH + 4 * GAN__GAP);
            f->n_legend++;
        }
    }
    f->legend_h = f->n_legend * gan__text_height(GAN__SIZE_TICK) + GAN__GAP;
}

static bool in_corner(const struct gan__frame *f, int corner, double x, double y)
{
    const struct gan__box *b = &f->plot;
    double w = f->legend_w + 2 * GAN__GAP, h = f->legend_h + 2 * GAN__GAP;
    bool across = (corner & 1) != 0 ? x > b->x + b->w - w : x < b->x + w;
    bool down = (corner & 2) != 0 ? y > b->y + b->h - h : y < b->y + h;
    return across && down;
}

/* Whether the way from one point to the next meets the corner. */
static bool meets(const struct gan__frame *f, int corner, const double a[2], const double b[2])
{
    enum { PARTS = 32 };
    for (int i = 0; i <= PARTS; i++) {
        double t = (double)i / PARTS;
        if (in_corner(f, corner, a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))) {
            return true;
        }
    }
    return false;
}

static bool layer_meets(const struct gan__frame *f, int corner, const struct gan__layer *l)
{
    const struct gan__scale *sx = &f->scale[0], *sy = &f->scale[1];
    bool bars = l->kind == GAN__LAYER_BARS || l->kind == GAN__LAYER_STEPS;
    double before[2] = {(double)NAN, (double)NAN}, floor = f->plot.y + f->plot.h;
    if (l->surface.z != NULL || l->pixels != NULL) {
        return true;
    }
    for (size_t i = 0; i < l->n && l->x != NULL; i++) {
        const double at[2] = {gan__scale_px(sx, l->x[i]), gan__scale_px(sy, l->y[i])};
        const double other[2] = {at[0], bars                           ? floor
                                        : l->u != NULL && l->v == NULL ? gan__scale_px(sy, l->u[i])
                                                                       : at[1]};
        bool joined = l->kind != GAN__LAYER_POINTS && l->kind != GAN__LAYER_ARROWS;
        if (meets(f, corner, at, other) || (joined && meets(f, corner, before, at))) {
            return true;
        }
        before[0] = at[0];
        before[1] = at[1];
    }
    return false;
}

/* The first corner without data: upper right, upper left, lower right, lower left; else below. */
static void place_legend(struct gan__frame *f)
{
    static const int corners[] = {1, 0, 3, 2};
    if (f->n_legend == 0 || f->legend_below) {
        return;
    }
    if (f->panel->bare || f->legend_w > 0.6 * f->plot.w || f->legend_h > 0.5 * f->plot.h) {
        f->legend_below = true;
        return;
    }
    for (int i = 0; i < 4; i++) {
        bool free = true;
        for (const struct gan__layer *l = f->panel->first; l != NULL && free; l = l->next) {
            free = !layer_meets(f, corners[i], l);
        }
        if (free) {
            f->legend_corner = corners[i];
            return;
        }
    }
    f->legend_below = true;
}

/* --- margins ------------------------------------------------------------------------------------ */

static double block(cairo_t *cr, double size, const char *text, double width)
{
    struct gan__lines lines;
    gan__text_break(cr, size, text, width, &lines);
    return lines.n > 0 ? lines.n * gan__text_height(size) + GAN__GAP / 2 : 0;
}

static double x_labels_height(cairo_t *cr, const struct gan__frame *f)
{
    double w =
        f->names_turned ? gan__widest_tick(cr, &f->ticks[0]) : gan__text_height(GAN__SIZE_TICK);
    return w + GAN__TICK + GAN__GAP / 2;
}

static void want_margins(cairo_t *cr, const struct gan__frame *f, double m[4])
{
    const struct gan_panel *p = f->panel;
    double half_last = 0;
    m[LEFT] = m[RIGHT] = 2 * GAN__GAP;
    m[TOP] = m[BOTTOM] = GAN__GAP;
    m[TOP] += block(cr, GAN__SIZE_TITLE, p->title, f->cell.w - 2 * GAN__GAP);
    if (!p->bare) {
        for (int i = 0; i < f->ticks[0].n && !f->names_turned; i++) {
            const struct gan__tick *t = &f->ticks[0].tick[i];
            double w = gan__text_width(cr, GAN__SIZE_TICK, gan__tick_text(t)) / 2;
            double x = gan__scale_px(&f->scale[0], t->at);
            half_last = fmax(half_last, x + w - (f->plot.x + f->plot.w));
        }
        m[LEFT] += gan__widest_tick(cr, &f->ticks[1]) + GAN__TICK + GAN__GAP +
                   block(cr, GAN__SIZE_LABEL, f->label[1], f->plot.h);
        m[BOTTOM] += x_labels_height(cr, f) +
                     block(cr, GAN__SIZE_LABEL, f->label[0], f->cell.w - 2 * GAN__GAP);
        m[RIGHT] = fmax(m[RIGHT], half_last + GAN__GAP);
        m[TOP] = fmax(m[TOP], GAN__SIZE_TICK); /* half a label of the y axis */
    }
    if (f->bar != NULL) {
        m[RIGHT] += 2 * GAN__GAP + GAN__BAR + GAN__TICK + gan__widest_tick(cr, &f->bar_ticks) +
                    block(cr, GAN__SIZE_LABEL, f->bar_label, f->plot.h);
        m[TOP] = fmax(m[TOP], GAN__SIZE_TICK);
    }
    if (f->legend_below) {
        m[BOTTOM] += legend_rows(cr, f);
    }
}

static bool raise_to(double *margin, double want)
{
    if (want > *margin + 1e-9) {
        *margin = want;
        return true;
    }
    return false;
}

/* One pass over all panels; true while a margin grew. */
static bool pass(struct gan__layout *l, const gan_figure *f, cairo_t *cr)
{
    bool grew = false;
    for (int i = 0; i < l->n; i++) {
        struct gan__frame *a = &l->frame[i];
        double want[4];
        if (!a->panel->used) {
            continue;
        }
        place_plot(a);
        if (a->plot.w < ROOM_AT_LEAST || a->plot.h < ROOM_AT_LEAST) {
            return false;
        }
        make_ticks(cr, a);
        bool was_below = a->legend_below;
        place_legend(a);
        grew = grew || was_below != a->legend_below;
        want_margins(cr, a, want);
        for (int k = 0; k < l->n; k++) {
            bool column = k % f->columns == i % f->columns, row = k / f->columns == i / f->columns;
            double *m = l->frame[k].margin;
            grew = (column && raise_to(&m[LEFT], want[LEFT])) || grew;
            grew = (column && raise_to(&m[RIGHT], want[RIGHT])) || grew;
            grew = (row && raise_to(&m[TOP], want[TOP])) || grew;
            grew = (row && raise_to(&m[BOTTOM], want[BOTTOM])) || grew;
        }
    }
    return grew;
}

gan_status gan__layout_make(struct gan__layout *out, const gan_figure *f, cairo_t *cr,
                            struct gan__arena *arena, gan_err *err)
{
    out->n = f->rows * f->columns;
    out->frame = gan__arena_array(arena, (size_t)out->n, sizeof *out->frame);
    if (out->frame == NULL) {
        return gan__fail_nomem(err, (size_t)out->n * sizeof *out->frame, "a figure");
    }
    out->width = ceil(f->columns * f->panel_width);
    out->top = block(cr, GAN__SIZE_FIGURE, f->title, out->width - 2 * GAN__GAP);
    out->top += out->top > 0 ? GAN__GAP : 0;
    out->height = ceil(out->top + f->rows * f->panel_height);
    for (int i = 0; i < out->n; i++) {
        struct gan__frame *a = &out->frame[i];
        a->panel = &f->panel[i];
        a->cell = (struct gan__box){(i % f->columns) * f->panel_width,
                                    out->top + (i / f->columns) * f->panel_height, f->panel_width,
                                    f->panel_height};
        a->bar = find_bar(a->panel);
        size_legend(cr, a);
    }
    bool grew = true;
    for (int k = 0; k < PASSES && grew; k++) {
        grew = pass(out, f, cr);
    }
    for (int i = 0; i < out->n; i++) {
        const struct gan__box *b = &out->frame[i].plot;
        if (f->panel[i].used && (grew || b->w < ROOM_AT_LEAST || b->h < ROOM_AT_LEAST)) {
            return gan__fail(err, GAN_E_RANGE,
                             "a panel of %gx%g pixels is too small for its texts: a larger "
                             "panel_width or panel_height, or shorter texts",
                             f->panel_width, f->panel_height);
        }
    }
    return GAN_OK;
}
