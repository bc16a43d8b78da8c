/* live.c: memory of an order: what is alive at each step, results that take over an input's memory
 * counted once. Feeds, state, constants, outputs and values made in the store's memory lie outside
 * the workspace and count nothing. */
#include "live.h"

#include "base/alloc.h"
#include "base/err.h"
#include "layout.h"

#include <string.h>

static bool is_view(const gan_graph *g, size_t i)
{
    return i > 0 && (g->nodes[i].op->flags & GAN_OP_VIEW);
}

static void find_values(struct gan__live *l)
{
    const gan_graph *g = l->g;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        l->step[i] = i > 0 && !is_view(g, i) && !gan__layout_source(n);
        for (uint32_t v = l->base[i]; v < l->base[i + 1]; v++) {
            l->root[v] = is_view(g, i) ? gan__live_value(l, n->in[0]) : v;
            l->maker[v] = (uint32_t)i;
            if (l->step[i] && (int)(v - l->base[i]) < n->n_out) {
                l->bytes[v] = gan__round_up(gan__type_bytes(&n->out[v - l->base[i]]));
            }
        }
    }
    for (int i = 0; i < l->c->n_outputs; i++) {
        l->bytes[gan__live_value(l, l->c->outputs[i])] = 0;
    }
    for (size_t e = 0; e < g->n_states && l->inplace; e++) {
        if (gan_ok(g->states[e].set)) {
            l->bytes[gan__live_value(l, g->nodes[g->states[e].set.node].in[0])] = 0;
        }
    }
}

gan_status gan__live_init(struct gan__live *l, const struct gan__compile *c, gan_err *err)
{
    *l = (struct gan__live){.c = c, .g = c->g, .inplace = gan__pass_on(c->without, "inplace")};
    l->base = gan__ir_values(c->g);
    size_t n = l->base ? l->base[c->g->n_nodes] : 0;
    l->root = gan__alloc_array(n, sizeof *l->root);
    l->maker = gan__alloc_array(n, sizeof *l->maker);
    l->bytes = gan__alloc_array(n, sizeof *l->bytes);
    l->now = gan__alloc_array(n, sizeof *l->now);
    l->scratch = gan__alloc_array(c->g->n_nodes, sizeof *l->scratch);
    l->step = gan__alloc_array(c->g->n_nodes, sizeof *l->step);
    if (!l->base || !l->root || !l->maker || !l->bytes || !l->now || !l->scratch || !l->step) {
        return gan__fail_nomem(err, n * 24, "the memory of an order");
    }
    find_values(l);
    for (size_t i = 1; i < c->g->n_nodes && c->scratch; i++) {
        if (l->step[i] && !(c->g->nodes[i].op->flags & GAN_OP_STATE)) {
            GAN_TRY(c->scratch(c, &c->g->nodes[i], &l->scratch[i], err));
            l->scratch[i] = gan__round_up(l->scratch[i]);
        }
    }
    return GAN_OK;
}

void gan__live_release(struct gan__live *l)
{
    gan__free(l->base);
    gan__free(l->root);
    gan__free(l->maker);
    gan__free(l->bytes);
    gan__free(l->now);
    gan__free(l->scratch);
    gan__free(l->step);
    gan__free(l->first);
    gan__free(l->end);
    gan__free(l->load);
    *l = (struct gan__live){0};
}

/* Room for an order of n nodes with n_results. */
static gan_status reserve(struct gan__live *l, size_t n, gan_err *err)
{
    size_t results = 0;
    if (n + 1 <= l->cap) {
        return GAN_OK;
    }
    for (size_t i = 0; i < l->g->n_nodes; i++) {
        size_t out = l->base[i + 1] - l->base[i];
        results = out > results ? out : results;
    }
    size_t cap = n + n / 2 + 64;
    gan__free(l->first);
    gan__free(l->end);
    gan__free(l->load);
    l->first = gan__alloc_array(cap + 1, sizeof *l->first);
    l->end = gan__alloc_array(cap, results * sizeof *l->end);
    l->load = gan__alloc_array(cap + 1, sizeof *l->load);
    l->cap = cap;
    if (!l->first || !l->end || !l->load) {
        l->cap = 0;
        return gan__fail_nomem(err, cap * sizeof *l->load, "the memory of an order");
    }
    return GAN_OK;
}

/* Bytes of the results of the node at place t that take over an input's memory. */
static size_t taken_over(const struct gan__live *l, const struct gan__node *n, uint32_t id,
                         uint32_t t)
{
    size_t sum = 0;
    uint32_t used[4]; /* inputs already taken over */
    int n_used = 0;
    for (int k = 0; k < n->n_out && n_used < 4; k++) {
        size_t bytes = l->bytes[l->base[id] + (uint32_t)k];
        for (int j = 0; j < n->n_in && bytes != 0; j++) {
            uint32_t r = gan__live_value(l, n->in[j]);
            bool free_now = l->bytes[r] == bytes && l->end[l->now[r]] == t;
            for (int u = 0; u < n_used; u++) {
                free_now = free_now && used[u] != r;
            }
            if (free_now && gan__inplace_ok(l->g, l->base, l->root, n, j, k)) {
                used[n_used++] = r;
                sum += bytes;
                break;
            }
        }
    }
    return sum;
}

/* First walk: results get numbers and last readers. */
static void find_ends(struct gan__live *l, const uint32_t *order, size_t n)
{
    uint32_t results = 0;
    for (uint32_t t = 0; t < n; t++) {
        uint32_t id = order[t];
        const struct gan__node *node = &l->g->nodes[id];
        l->first[t] = results;
        for (int j = 0; j < node->n_in && l->step[id]; j++) {
            l->end[l->now[gan__live_value(l, node->in[j])]] = t;
        }
        for (uint32_t v = l->base[id]; v < l->base[id + 1]; v++) {
            l->end[results] = t;
            l->now[v] = results++;
        }
    }
    l->first[n] = results;
}

gan_status gan__live_measure(struct gan__live *l, const uint32_t *order, size_t n,
                             struct gan__peak *peak, gan_err *err)
{
    GAN_TRY(reserve(l, n, err));
    find_ends(l, order, n);
    memset(l->load, 0, (n + 1) * sizeof *l->load);
    for (uint32_t t = 0; t < n; t++) { /* l->load holds differences first */
        uint32_t id = order[t];
        for (uint32_t v = l->base[id]; v < l->base[id + 1]; v++) {
            uint32_t result = l->first[t] + (v - l->base[id]);
            l->load[t] += (int64_t)l->bytes[v];
            l->load[l->end[result] + 1] -= (int64_t)l->bytes[v];
        }
    }
    *peak = (struct gan__peak){0, 0, 0};
    int64_t alive = 0;
    for (uint32_t t = 0; t < n; t++) {
        uint32_t id = order[t];
        alive += l->load[t];
        size_t over = 0;
        if (l->step[id] && l->inplace) {
            over = taken_over(l, &l->g->nodes[id], id, t);
        }
        l->load[t] = alive + (int64_t)l->scratch[id] - (int64_t)over;
        for (uint32_t v = l->base[id]; v < l->base[id + 1]; v++) {
            l->now[v] = l->first[t] + (v - l->base[id]);
        }
        if (l->load[t] > peak->bytes) {
            *peak = (struct gan__peak){l->load[t], 0, t};
        }
        peak->places += l->load[t] == peak->bytes;
    }
    return GAN_OK;
}

gan_status gan__live_rewrite(struct gan__compile *c, const struct gan__live *l,
                             const uint32_t *order, size_t n, gan_err *err)
{
    struct gan__rewrite rw;
    uint32_t group = 0;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    for (size_t i = 1; i < rw.src->n_nodes; i++) {
        group = rw.src->nodes[i].copy > group ? rw.src->nodes[i].copy : group;
    }
    for (size_t t = 0; t < n && rw.dst->err.code == GAN_OK; t++) {
        uint32_t id = order[t];
        bool again = gan_ok(rw.map[rw.base[id]]);
        gan__rewrite_copy(&rw, id);
        gan_val made = rw.map[rw.base[id]];
        if (again && gan_ok(made)) {
            rw.dst->nodes[made.node].copy = group + 1;
        }
        for (size_t i = id + 1; i < rw.src->n_nodes && again; i++) { /* its other shapes */
            if (is_view(rw.src, i) && l->maker[l->root[l->base[i]]] == id) {
                gan__rewrite_copy(&rw, i);
            }
        }
    }
    return gan__rewrite_end(&rw, GAN_OK, err);
}
