/* axis.h: ranges of axes, and where their ticks stand. */
#ifndef GAN_PLOT_AXIS_H
#define GAN_PLOT_AXIS_H

#include "figure.h"

enum { GAN__MAX_TICKS = 96 };

/* Values to pixels: low stands at `from`, high at `to`. */
struct gan__scale {
    double low, high, from, to;
    bool log;
};

/* NaN for what has no place: not finite, or not positive on a logarithmic axis. */
double gan__scale_px(const struct gan__scale *s, double value);

struct gan__tick {
    double at;
    const char *name; /* given by the caller, or NULL: label */
    char label[40];   /* "" for a small tick */
};

struct gan__ticks {
    struct gan__tick tick[GAN__MAX_TICKS];
    int n;
    int exponent; /* labels are to be multiplied by ten to this power; 0: by nothing */
};

/* What stands at a tick; "" for a small one. */
const char *gan__tick_text(const struct gan__tick *t);

/* Range of axis 0 (x) or 1 (y) of a panel: what the caller asked for, or what the layers take and a
 * margin. Never empty. */
void gan__axis_range(const struct gan_panel *p, int which, double *low, double *high);

/* About `want` labelled ticks within [low, high]. names may be NULL. */
void gan__ticks_make(struct gan__ticks *t, double low, double high, bool log, double want,
                     const char *const *names, size_t n_names);

/* "10⁻³", in UTF-8. */
void gan__format_power(char *dst, size_t cap, int exponent);

#endif
