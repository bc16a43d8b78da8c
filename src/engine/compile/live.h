/* live.h: how much memory an order of the nodes needs, before anything is placed. An order is a list
 * of node numbers; a number that stands twice is computed twice, and a reader takes the newest
 * result before it. */
#ifndef GAN_ENGINE_COMPILE_LIVE_H
#define GAN_ENGINE_COMPILE_LIVE_H

#include "pass.h"

/* What stays the same for all orders of a graph. */
struct gan__live {
    const struct gan__compile *c;
    const gan_graph *g;
    bool inplace;
    uint32_t *base;  /* value numbers */
    uint32_t *root;  /* by value number: the value whose memory it is */
    uint32_t *maker; /* by value number: its node */
    size_t *bytes;   /* by value number (roots): in the workspace; 0: lies elsewhere */
    size_t *scratch; /* by node */
    bool *step;      /* by node: runs, or sets state */
    /* of the order looked at last, by result: first[i] + k for result k of the i-th node */
    uint32_t *first, *end; /* end: last reader's place, its own when unread */
    size_t cap;
    int64_t *load; /* by place: bytes alive */
    uint32_t *now; /* by value number: its newest result */
};

/* How high memory rises. */
struct gan__peak {
    int64_t bytes;
    size_t places; /* that need this much */
    size_t at;     /* the first of them */
};

gan_status gan__live_init(struct gan__live *l, const struct gan__compile *c, gan_err *err);
void gan__live_release(struct gan__live *l);

/* Fills first, end and load for the order and finds the peak. */
gan_status gan__live_measure(struct gan__live *l, const uint32_t *order, size_t n,
                             struct gan__peak *peak, gan_err *err);

static inline uint32_t gan__live_value(const struct gan__live *l, gan_val v)
{
    return l->root[l->base[v.node] + v.out];
}

/* Lower in memory, or as high in fewer places? */
static inline bool gan__peak_better(const struct gan__peak *a, const struct gan__peak *b)
{
    return a->bytes != b->bytes ? a->bytes < b->bytes : a->places < b->places;
}

/* The current graph with its nodes in this order; repeated ones form a recomputation group. */
gan_status gan__live_rewrite(struct gan__compile *c, const struct gan__live *l,
                             const uint32_t *order, size_t n, gan_err *err);

#endif
