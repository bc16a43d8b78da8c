/* monitor_layers.h: the norm of every layer's gradient, step by step, against what is usual. */
#ifndef GAN_RUN_MONITOR_LAYERS_H
#define GAN_RUN_MONITOR_LAYERS_H

#include "base/arena.h"
#include "session.h"

/* A running median of positive numbers, kept as a base-2 logarithm: number k moves it towards itself
 * by 8/k octaves, later by 1/200 (Robbins and Monro 1951). It follows a slow decline, so what has
 * fallen is held against the highest it has been. */
struct gan__level {
    double log2;
    double height; /* its largest value once it was warm, log 2 */
    int64_t seen;
};
void gan__level_add(struct gan__level *l, double v);
double gan__level_value(const struct gan__level *l);  /* 0 until it is warm */
double gan__level_height(const struct gan__level *l); /* 0 until it is warm */

enum { GAN__LEVEL_WARM = 50 }; /* numbers seen before a level means something */

struct gan__layer {
    const char *name; /* "gen.main.0" */
    const char *key;  /* "grad.gen.main.0" */
    int net;          /* index in the session's list */
    double norm;      /* of the last step */
    double median;    /* of the layers of its network, last step */
    struct gan__level usual;
    int64_t low_for, high_for; /* steps in a row */
};

struct gan__layers {
    struct gan__layer *layer;
    int n;
    int *of[GAN__MAX_SEGMENTS]; /* layer of each gradient of a segment */
    double *scratch;            /* [n] */
    struct gan__arena arena;
};

/* Groups the weights of compiled plans: "gen.main.0.weight" and "gen.main.0.bias" are a layer. */
gan_status gan__layers_init(struct gan__layers *l, const struct gan__session *s, gan_err *err);
void gan__layers_release(struct gan__layers *l);
/* Forgets what was usual. */
void gan__layers_forget(struct gan__layers *l);

/* Reads the norms of the step just made and judges them. */
void gan__layers_look(struct gan__layers *l, const struct gan__session *s);

/* The layer that is worst off, NULL when none is: too small for WINDOW steps, too large for a few. */
const struct gan__layer *gan__layers_vanishing(const struct gan__layers *l, int *count);
const struct gan__layer *gan__layers_exploding(const struct gan__layers *l, int *count);

/* Norm of a whole network's gradient, last step. */
double gan__layers_total(const struct gan__layers *l, int net);

#endif
