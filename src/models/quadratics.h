/* quadratics.h: the problems min |W t - y|^2 a learned optimiser is trained and judged on. */
#ifndef GAN_MODELS_QUADRATICS_H
#define GAN_MODELS_QUADRATICS_H

#include <gan/graph.h>

/* Problems of a batch. */
struct gan__problems {
    gan_val w, y, start; /* [N,n,n], [N,n], [N,n] */
};

/* From their numbers [N, n^2 + 2n], as the data quadratics:n have them. */
struct gan__problems gan__problems_of(gan_graph *g, gan_val numbers, int64_t n);

/* |W t - y|^2 of each problem at t [N,n]: [N]. */
gan_val gan__problem_values(gan_graph *g, const struct gan__problems *p, gan_val t);

#endif
