/* axis.c: ranges from the data, ticks at 1, 2 or 5 times a power of ten; labels as short as they
 * can be without two of them being equal. */
#include "axis.h"

#include "base/str.h"
#include "contour.h"

#include <math.h>
#include <string.h>

#define MINUS "\u2212"

double gan__scale_px(const struct gan__scale *s, double value)
{
    double v = value, low = s->low, high = s->high;
    if (!isfinite(v) || (s->log && !(v > 0))) {
        return (double)NAN;
    }
    if (s->log) {
        v = log10(v);
        low = log10(low);
        high = log10(high);
    }
    return s->from + (v - low) / (high - low) * (s->to - s->from);
}

/* --- ranges ------------------------------------------------------------------------------------- */

struct extent {
    double low, high;
    bool log;
};

static void take(struct extent *e, double v)
{
    if (isfinite(v) && (!e->log || v > 0)) {
        e->low = fmin(e->low, v);
        e->high = fmax(e->high, v);
    }
}

static void take_all(struct extent *e, const double *v, size_t n)
{
    for (size_t i = 0; v != NULL && i < n; i++) {
        take(e, v[i]);
    }
}

/* Bars and steps stand on 0; a bar is as wide as it is. */
static void take_bars(struct extent *e, const struct gan__layer *l, int which)
{
    if (which == 1) {
        take_all(e, l->y, l->n);
        take(e, 0);
        return;
    }
    for (size_t i = 0; i < l->n; i++) {
        take(e, l->x[i] - l->at / 2);
        take(e, l->x[i] + l->at / 2);
    }
}

static void take_layer(struct extent *e, const struct gan__layer *l, int which)
{
    bool x = which == 0;
    switch (l->kind) {
    case GAN__LAYER_LINE:
    case GAN__LAYER_POINTS:
    case GAN__LAYER_ARROWS:
    case GAN__LAYER_TEXT:
        take_all(e, x ? l->x : l->y, l->n);
        break;
    case GAN__LAYER_BAND:
        take_all(e, x ? l->x : l->y, l->n);
        take_all(e, x ? NULL : l->u, l->n);
        break;
    case GAN__LAYER_BARS:
        take_bars(e, l, which);
        break;
    case GAN__LAYER_STEPS:
        take_all(e, x ? l->x : l->y, x && l->n > 0 ? l->n + 1 : l->n);
        take(e, x || l->n == 0 ? (double)NAN : 0);
        break;
    case GAN__LAYER_CONTOURS:
    case GAN__LAYER_HEAT:
        take(e, x ? l->surface.x0 : l->surface.y0);
        take(e, x ? l->surface.x1 : l->surface.y1);
        break;
    case GAN__LAYER_IMAGE:
        take(e, 0);
        take(e, (double)(x ? l->width : l->height));
        break;
    case GAN__LAYER_LEVEL:
        take(e, x || l->n == 0 ? (double)NAN : l->at);
        break;
    case GAN__LAYER_MARK:
        take(e, x && l->n > 0 ? l->at : (double)NAN);
        break;
    }
}

/* Surfaces and images fill their panel to its edges; bars stand on the axis. */
static void add_margin(struct extent *e, const struct gan_panel *p, int which)
{
    bool tight = false, floor_at_0 = false;
    for (const struct gan__layer *l = p->first; l != NULL; l = l->next) {
        tight = tight || l->surface.z != NULL || l->pixels != NULL;
        floor_at_0 = floor_at_0 || l->kind == GAN__LAYER_STEPS || l->kind == GAN__LAYER_BARS;
    }
    if (e->log) {
        double ratio = e->high > e->low ? pow(e->high / e->low, 0.04) : 2;
        e->low /= tight ? 1 : ratio;
        e->high *= tight ? 1 : ratio;
        return;
    }
    double margin = tight ? 0 : 0.04 * (e->high - e->low);
    if (e->high - e->low <= fmax(fabs(e->low), fabs(e->high)) * 1e-12) {
        margin = fmax(fabs(e->low), 1) * 0.5; /* all values are one */
    }
    bool on_floor = floor_at_0 && which == 1;
    e->low -= on_floor && e->low == 0 ? 0 : margin;
    e->high += on_floor && e->high == 0 ? 0 : margin;
}

void gan__axis_range(const struct gan_panel *p, int which, double *low, double *high)
{
    const struct gan_axis *a = &p->axis[which];
    struct extent e = {(double)INFINITY, -(double)INFINITY, a->log};
    if (a->low < a->high) {
        *low = a->low;
        *high = a->high;
        return;
    }
    for (const struct gan__layer *l = p->first; l != NULL; l = l->next) {
        take_layer(&e, l, which);
    }
    if (a->n_names > 0) {
        take(&e, -0.5);
        take(&e, (double)a->n_names - 0.5);
    }
    if (!(e.low <= e.high)) {
        *low = a->log ? 0.1 : 0;
        *high = a->log ? 10 : 1;
        return;
    }
    add_margin(&e, p, which);
    *low = fmax(e.low, -1e300);
    *high = fmin(e.high, 1e300);
}

/* --- texts -------------------------------------------------------------------------------------- */

void gan__format_power(char *dst, size_t cap, int exponent)
{
    static const char *const super[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                        "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    char digits[16], text[64] = "10";
    (void)gan__format(digits, sizeof digits, "%d", exponent);
    size_t n = 2;
    for (const char *d = digits; *d != '\0'; d++) {
        const char *s = *d == '-' ? "\u207b" : super[*d - '0'];
        (void)gan__copy(text + n, sizeof text - n, s);
        n += strlen(s);
    }
    (void)gan__copy(dst, cap, text);
}

/* A number with so many decimals, a true minus sign, digits in threes from 10 000 on. */
static void format_number(char *dst, size_t cap, double v, int decimals)
{
    char raw[32], text[48] = "";
    if (!gan__format(raw, sizeof raw, "%.*f", decimals, fabs(v))) {
        (void)gan__format(dst, cap, "%g", v);
        return;
    }
    size_t whole = strcspn(raw, "."), n = 0;
    bool zero = strspn(raw, "0.") == strlen(raw);
    if (v < 0 && !zero) {
        (void)gan__copy(text, sizeof text, MINUS);
        n = strlen(MINUS);
    }
    for (size_t i = 0; raw[i] != '\0' && n + 2 < sizeof text; i++) {
        if (whole > 4 && i > 0 && i < whole && (whole - i) % 3 == 0) {
            text[n++] = ' ';
        }
        text[n++] = raw[i];
    }
    text[n] = '\0';
    (void)gan__copy(dst, cap, text);
}

const char *gan__tick_text(const struct gan__tick *t)
{
    return t->name != NULL ? t->name : t->label;
}

/* --- ticks -------------------------------------------------------------------------------------- */

static struct gan__tick *put(struct gan__ticks *t, double at)
{
    if (t->n == GAN__MAX_TICKS) {
        return NULL;
    }
    struct gan__tick *k = &t->tick[t->n++];
    *k = (struct gan__tick){.at = at};
    return k;
}

static void linear_ticks(struct gan__ticks *t, double low, double high, double want)
{
    double step = gan__nice_step(low, high, want);
    double most = fmax(fabs(low), fabs(high)), slack = (high - low) * 1e-9;
    if (!(step > 0) || !isfinite(step)) {
        return;
    }
    t->exponent = most >= 1e6 || most < 1e-3 ? (int)floor(log10(most)) : 0;
    double unit = pow(10, t->exponent);
    int decimals = (int)ceil(-log10(step / unit) - 1e-9);
    decimals = decimals < 0 ? 0 : decimals > 12 ? 12 : decimals;
    for (double k = ceil((low - slack) / step); k * step <= high + slack; k++) {
        struct gan__tick *tick = put(t, k * step);
        if (tick == NULL) {
            return;
        }
        format_number(tick->label, sizeof tick->label, k * step / unit, decimals);
    }
}

/* Below two decades 2 and 5 are labelled too; over many, every second or third power. */
static void log_ticks(struct gan__ticks *t, double low, double high, double want)
{
    double decades = log10(high / low), slack = 1 + 1e-9;
    int from = (int)floor(log10(low)), to = (int)ceil(log10(high));
    int skip = (int)ceil(fmax(decades / fmax(want, 1), 1));
    for (int e = from; e <= to; e++) {
        for (int m = 1; m <= (skip == 1 ? 9 : 1); m++) {
            double at = m * pow(10, e);
            bool labelled = m == 1 ? e % skip == 0 : decades < 2 && (m == 2 || m == 5);
            if (at * slack < low || at > high * slack) {
                continue;
            }
            if (m > 1 && !labelled && decades > 6) {
                continue;
            }
            struct gan__tick *tick = put(t, at);
            if (tick == NULL) {
                return;
            }
            if (labelled && decades < 2 && e >= -3 && e <= 3) {
                format_number(tick->label, sizeof tick->label, at, e < 0 ? -e : 0);
            } else if (labelled && m == 1) {
                gan__format_power(tick->label, sizeof tick->label, e);
            } else if (labelled) {
                char power[32];
                gan__format_power(power, sizeof power, e);
                (void)gan__format(tick->label, sizeof tick->label, "%d\u00b7%s", m, power);
            }
        }
    }
}

void gan__ticks_make(struct gan__ticks *t, double low, double high, bool log, double want,
                     const char *const *names, size_t n_names)
{
    *t = (struct gan__ticks){0};
    for (size_t i = 0; i < n_names; i++) {
        struct gan__tick *tick = (double)i >= low && (double)i <= high ? put(t, (double)i) : NULL;
        if (tick != NULL) {
            tick->name = names[i];
        }
    }
    if (n_names > 0) {
        return;
    }
    if (log && log10(high / low) >= 0.7) {
        log_ticks(t, low, high, want);
    } else {
        linear_ticks(t, low, high, want);
    }
}
