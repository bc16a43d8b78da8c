/* receptive.h: which inputs of a graph an output depends on. */
#ifndef GAN_RUN_RECEPTIVE_H
#define GAN_RUN_RECEPTIVE_H

#include <gan/graph.h>

#include <stdbool.h>
#include <stdint.h>

/* What output [N,H,W,C] reads of an input [N,H',W',C'], the wider of rows and columns. */
struct gan__receptive {
    double before, after; /* input pixels before and behind that of the same place */
    double jump;          /* input pixels from one output pixel to the next */
    bool whole;  /* also statistics of the whole image: normalised over H and W, or summed */
    bool noise;  /* it depends on random numbers of a place */
    bool opaque; /* through an op that mixes places in a way not known here: no bound */
};

/* errors: GAN_E_NOMEM; the graph's sticky error */
gan_status gan__receptive_field(const gan_graph *g, gan_val in, gan_val out,
                                struct gan__receptive *r, gan_err *err);

#endif
