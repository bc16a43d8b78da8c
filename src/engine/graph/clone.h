/* clone.h: copies of a part of a graph for other samples of the same batch. */
#ifndef GAN_ENGINE_GRAPH_CLONE_H
#define GAN_ENGINE_GRAPH_CLONE_H

#include "node.h"

/* A value to be read instead of another. */
struct gan__replace {
    gan_val from, to;
};

/* What to copy. */
struct gan__clone {
    gan_graph *g;
    const uint32_t *slices; /* slice nodes that cut this part's samples out of the whole batch */
    size_t n_slices;
    int64_t offset;                     /* samples to move by: slices and random streams */
    const struct gan__replace *replace; /* state as the part before left it */
    size_t n_replace;
    const gan_val
        *versions;      /* state as the phase found it: the same for all parts, whatever made it */
    size_t n_versions;  /* invalid values among them are passed over */
    uint32_t first_set; /* state_set nodes numbered from here .. */
    uint32_t end;       /* .. to before here are part of the work; later nodes are not copied */
};

/* Copies every node that the roots (or the phase's state sets) need and that depends on the batch's
 * samples or on replaced values; roots[] become their copies. Copies form a recomputation group of
 * their own. Later state reads see the copies' versions. */
void gan__clone_part(const struct gan__clone *c, gan_val *roots, size_t n_roots);

#endif
