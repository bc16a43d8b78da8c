/* node.h: what a graph is made of. Node 0 is the invalid node; every input of node i has a smaller
 * number than i, so the order of numbers is an order of evaluation. */
#ifndef GAN_ENGINE_GRAPH_NODE_H
#define GAN_ENGINE_GRAPH_NODE_H

#include "base/arena.h"
#include <gan/graph.h>

#include <stdalign.h>

struct gan__op;

/* Type of a value. */
struct gan__type {
    gan_dtype dtype;
    gan_shape shape;
};

/* One operation. Memory of the arrays belongs to the graph's arena. */
struct gan__node {
    const struct gan__op *op;
    const gan_val *in;
    const struct gan__type *out; /* n_out types */
    const void *attr;            /* op->attr_size bytes without padding garbage, or NULL */
    const char *scope;           /* "gen/main.0" when built inside scopes, "" otherwise */
    int n_in, n_out;
    uint32_t copy; /* recomputation group: equal nodes of different groups are not merged */
};

/* Something the caller supplies at each run. */
struct gan__feed_info {
    const char *name;
    struct gan__type type; /* scalar feeds: real [] */
    gan_val val;
};

/* State entry as this graph uses it; index = store index. */
struct gan__state_use {
    gan_val first;  /* the state_get node (version 0), invalid while unread */
    gan_val newest; /* newest version built, invalid while unread and unset */
    gan_val set;    /* node number of the last state_set (out unused), invalid while unset */
};

struct gan_graph {
    struct gan__arena arena;
    gan_store *store;
    gan_dtype real;
    gan_err err; /* sticky */
    struct gan__node *nodes;
    size_t n_nodes, cap_nodes;    /* n_nodes includes node 0 */
    struct gan__feed_info *feeds; /* tensor feeds; attr index of `feed` */
    size_t n_feeds, cap_feeds;
    struct gan__feed_info *scalars; /* scalar feeds; attr index of `scalar_feed` */
    size_t n_scalars, cap_scalars;
    struct gan__state_use *states; /* by store index */
    size_t n_states, cap_states;
    const char *scope;        /* current scope, "" at the top */
    const char **scope_stack; /* outer scopes */
    size_t n_scopes, cap_scopes;
    struct gan__use_count { /* how often a random name was used, for stream keys */
        uint64_t name;
        uint64_t uses;
    } * uses;
    size_t n_uses, cap_uses;
    uint32_t copy; /* given to new nodes */
    uint32_t last_copy;
};

/* Node of a value. v must be valid. */
static inline const struct gan__node *gan__node_of(const gan_graph *g, gan_val v)
{
    return &g->nodes[v.node];
}

static inline const struct gan__type *gan__type_of(const gan_graph *g, gan_val v)
{
    return &g->nodes[v.node].out[v.out];
}

/* Adds a node: checks inputs, runs inference, copies in[] and attr (op->attr_size bytes). Returns
 * its first output (for an op without outputs {node,0}); GAN_NONE and a sticky error on failure. */
gan_val gan__add_node(gan_graph *g, const struct gan__op *op, const gan_val *in, int n_in,
                      const void *attr);

/* Hash of the current scope joined with name, mixed with how often it was used before. */
uint64_t gan__stream_name(gan_graph *g, const char *name);

/* Casts/reshapes both to a common broadcast shape; used by binary builders. */
bool gan__broadcast_pair(gan_graph *g, gan_val *a, gan_val *b);

#endif
