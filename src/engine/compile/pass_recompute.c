/* pass_recompute.c: time for memory. Where memory peaks, results that lie idle (made before, read
 * only later) are dropped and computed again just before their next reader, together with those of
 * their inputs that are gone by then. Of all idle results the one that frees the most bytes for the
 * time it costs goes first, if memory as a whole then rises less high; so on until nothing helps or
 * a third of the arithmetic is added, which is about one more forward pass.
 * What stays in memory are the checkpoints that the classic rule would set by hand, chosen by size.
 *
 * The same kernels run on the same numbers: results do not change. Random nodes draw the same
 * numbers again, state sets never repeat, and nothing reads a state version that is overwritten.
 *
 * ref: Chen et al. 2016, "Training deep nets with sublinear memory cost", arXiv:1604.06174;
 *      Kirisame et al. 2021, "Dynamic tensor rematerialization", arXiv:2006.09616 (the ratio) */
#include "layout.h"
#include "live.h"

#include "base/alloc.h"
#include "base/err.h"
#include "engine/graph/attr.h"

#include <stdlib.h>
#include <string.h>

#define MAX_AGAIN 24 /* nodes computed again for one result */
#define MAX_TRIES 16 /* results measured in one round */
#define MAX_WORK 4e8 /* places looked at in all rounds: large graphs end earlier */
#define NONE UINT32_MAX
#define FLOPS_PER_S 1e11 /* for comparing costs only */
#define BYTES_PER_S 1e10

/* A result to drop, and what is computed again instead. */
struct choice {
    double score; /* bytes freed at the peak for each second */
    uint32_t at;  /* place before which they run */
    double flops;
    int n;
    uint32_t nodes[MAX_AGAIN]; /* in ascending order of place */
};

struct search {
    struct gan__live *l;
    enum gan_recompute mode;
    uint32_t *order, *trial; /* room for every node twice */
    size_t n;
    uint32_t *place[2];       /* by node: where it stands, the second time NONE if once */
    bool *may;                /* by node: may be repeated */
    double *cost;             /* by node: seconds */
    double *flops;            /* by node */
    double budget;            /* FLOPs that may still be added */
    uint32_t *before, *after; /* by result: last use up to the peak, next one; NONE */
    struct choice *choices;
    size_t n_choices, cap_choices;
    double work;
};

/* --- what may be repeated ----------------------------------------------------------------------- */

static double flops_of(const gan_graph *g, const struct gan__node *n)
{
    struct gan__type in[8];
    if (!n->op->flops || n->n_in > 8) {
        return 0;
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = *gan__type_of(g, n->in[j]);
    }
    return n->op->flops(in, n->out, n->attr);
}

static double bytes_of(const gan_graph *g, const struct gan__node *n)
{
    double bytes = 0;
    for (int j = 0; j < n->n_in; j++) {
        bytes += (double)gan__type_bytes(gan__type_of(g, n->in[j]));
    }
    for (int k = 0; k < n->n_out; k++) {
        bytes += (double)gan__type_bytes(&n->out[k]);
    }
    return bytes;
}

static void find_able(struct search *s)
{
    const struct gan__live *l = s->l;
    const gan_graph *g = l->g;
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        s->flops[i] = flops_of(g, n);
        s->budget += s->flops[i] / 3;
        s->cost[i] = s->flops[i] / FLOPS_PER_S + bytes_of(g, n) / BYTES_PER_S + 1e-6;
        s->may[i] = l->step[i] && n->n_out > 0 && !(n->op->flags & GAN_OP_STATE) &&
                    (s->mode == GAN_RECOMPUTE_FULL || !(n->op->flags & GAN_OP_HEAVY));
    }
    for (int i = 0; i < l->c->n_outputs; i++) {
        s->may[l->maker[gan__live_value(l, l->c->outputs[i])]] = false;
    }
    for (size_t e = 0; e < g->n_states; e++) {
        if (gan_ok(g->states[e].set)) {
            const struct gan__node *set = &g->nodes[g->states[e].set.node];
            s->may[l->maker[gan__live_value(l, set->in[0])]] = false;
        }
    }
}

/* Is the memory of what node m reads as state still the old version at place at? */
static bool state_stands(const struct search *s, uint32_t m, uint32_t at)
{
    const gan_graph *g = s->l->g;
    const struct gan__node *n = &g->nodes[m];
    if (n->op != &gan__op_state_get) {
        return true;
    }
    int64_t e = ((const struct gan__attr_index *)n->attr)->index;
    if (e >= (int64_t)g->n_states || !gan_ok(g->states[e].set)) {
        return true;
    }
    const struct gan__node *set = &g->nodes[g->states[e].set.node];
    return s->place[0][s->l->maker[gan__live_value(s->l, set->in[0])]] >= at;
}

/* --- choices ------------------------------------------------------------------------------------ */

static void find_places(struct search *s)
{
    for (size_t i = 0; i < s->l->g->n_nodes; i++) {
        s->place[0][i] = s->place[1][i] = NONE;
    }
    for (uint32_t t = 0; t < s->n; t++) {
        uint32_t id = s->order[t];
        s->place[s->place[0][id] != NONE][id] = t;
    }
}

/* Last use of every result up to place `peak`, and the next one. */
static void find_uses(struct search *s, uint32_t peak)
{
    struct gan__live *l = s->l;
    for (uint32_t t = 0; t < s->n; t++) {
        uint32_t id = s->order[t];
        const struct gan__node *n = &l->g->nodes[id];
        for (int j = 0; j < n->n_in && l->step[id]; j++) {
            uint32_t r = l->now[gan__live_value(l, n->in[j])];
            if (t <= peak) {
                s->before[r] = t;
            } else if (s->after[r] == NONE) {
                s->after[r] = t;
            }
        }
        for (uint32_t v = l->base[id]; v < l->base[id + 1]; v++) {
            uint32_t r = l->first[t] + (v - l->base[id]);
            l->now[v] = r;
            s->before[r] = t;
            s->after[r] = NONE;
        }
    }
}

/* Place of the newest result of the node before place at. */
static uint32_t newest(const struct search *s, uint32_t id, uint32_t at)
{
    uint32_t second = s->place[1][id];
    return second != NONE && second < at ? second : s->place[0][id];
}

static bool listed(const struct choice *c, uint32_t id)
{
    for (int i = 0; i < c->n; i++) {
        if (c->nodes[i] == id) {
            return true;
        }
    }
    return false;
}

/* Adds what node c->nodes[i] reads and is gone at c->at: computed again with `deep` where it may be,
 * else kept until then. False when that is impossible. */
static bool add_inputs(const struct search *s, struct choice *c, int i, bool deep, uint32_t peak,
                       double *gain)
{
    const struct gan__live *l = s->l;
    const struct gan__node *n = &l->g->nodes[c->nodes[i]];
    for (int j = 0; j < n->n_in; j++) {
        uint32_t v = gan__live_value(l, n->in[j]), m = l->maker[v];
        if (!state_stands(s, m, c->at)) {
            return false;
        }
        if (!l->step[m] || listed(c, m)) {
            continue;
        }
        uint32_t end = l->end[l->first[newest(s, m, c->at)] + (v - l->base[m])];
        if (end >= c->at) {
            continue;
        }
        if (deep && c->n < MAX_AGAIN && s->may[m] && s->place[1][m] == NONE) {
            c->nodes[c->n++] = m;
        } else if (end < peak) {
            *gain -= (double)l->bytes[v];
        }
    }
    return true;
}

/* What it takes to drop the results at place t that lie idle at the peak. */
static bool weigh(const struct search *s, uint32_t t, uint32_t peak, bool deep, struct choice *c)
{
    const struct gan__live *l = s->l;
    uint32_t id = s->order[t];
    double gain = 0, cost = 0;
    *c = (struct choice){.at = NONE, .n = 1, .nodes = {id}};
    for (uint32_t r = l->first[t]; r < l->first[t + 1]; r++) {
        if (s->before[r] < peak && s->after[r] != NONE) {
            gain += (double)l->bytes[l->base[id] + (r - l->first[t])];
            c->at = s->after[r] < c->at ? s->after[r] : c->at;
        }
    }
    if (gain <= 0) {
        return false;
    }
    for (int i = 0; i < c->n; i++) {
        if (!add_inputs(s, c, i, deep, peak, &gain)) {
            return false;
        }
        cost += s->cost[c->nodes[i]];
        c->flops += s->flops[c->nodes[i]];
    }
    for (int i = 1; i < c->n; i++) { /* they run in the order of their first places */
        uint32_t node = c->nodes[i];
        int k = i;
        for (; k > 0 && s->place[0][c->nodes[k - 1]] > s->place[0][node]; k--) {
            c->nodes[k] = c->nodes[k - 1];
        }
        c->nodes[k] = node;
    }
    c->score = gain / cost;
    return gain > 0 && c->flops <= s->budget;
}

static int by_score(const void *pa, const void *pb)
{
    const struct choice *a = pa, *b = pb;
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    if (a->nodes[0] != b->nodes[0]) { /* a total order: the sort decides nothing */
        return a->nodes[0] < b->nodes[0] ? -1 : 1;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static gan_status find_choices(struct search *s, const struct gan__peak *peak, gan_err *err)
{
    const struct gan__live *l = s->l;
    int64_t least = peak->bytes / 2000;
    s->n_choices = 0;
    for (uint32_t t = 0; t < peak->at; t++) {
        uint32_t id = s->order[t];
        int64_t idle = 0;
        for (uint32_t r = l->first[t]; r < l->first[t + 1] && s->may[id]; r++) {
            bool lies = s->before[r] < peak->at && s->after[r] != NONE;
            idle += lies ? (int64_t)l->bytes[l->base[id] + (r - l->first[t])] : 0;
        }
        if (idle <= least || s->place[1][id] != NONE) {
            continue;
        }
        for (int deep = 0; deep < 2; deep++) {
            struct choice c;
            if (!weigh(s, t, (uint32_t)peak->at, deep, &c)) {
                continue;
            }
            if (!gan__grow(&s->choices, &s->cap_choices, s->n_choices + 1, sizeof c)) {
                return gan__fail_nomem(err, s->n_choices * sizeof c, "recomputation");
            }
            s->choices[s->n_choices++] = c;
        }
    }
    if (s->n_choices > 1) {
        qsort(s->choices, s->n_choices, sizeof *s->choices, by_score);
    }
    return GAN_OK;
}

/* --- rounds ------------------------------------------------------------------------------------- */

static size_t with_choice(const struct search *s, const struct choice *c)
{
    size_t n = 0;
    for (uint32_t t = 0; t < s->n; t++) {
        for (int i = 0; t == c->at && i < c->n; i++) {
            s->trial[n++] = c->nodes[i];
        }
        s->trial[n++] = s->order[t];
    }
    return n;
}

/* Tries the best choices at the peak; *peak is that of the order as it stands then. */
static gan_status improve(struct search *s, struct gan__peak *peak, bool *better, gan_err *err)
{
    *better = false;
    find_places(s);
    find_uses(s, (uint32_t)peak->at);
    GAN_TRY(find_choices(s, peak, err));
    for (size_t i = 0; i < s->n_choices && i < MAX_TRIES && !*better; i++) {
        struct gan__peak next;
        size_t n = with_choice(s, &s->choices[i]);
        GAN_TRY(gan__live_measure(s->l, s->trial, n, &next, err));
        s->work += (double)n;
        if (gan__peak_better(&next, peak)) {
            uint32_t *old = s->order;
            s->order = s->trial;
            s->trial = old;
            s->n = n;
            s->budget -= s->choices[i].flops;
            *peak = next;
            *better = true;
        }
    }
    return GAN_OK;
}

static gan_status allocate(struct search *s, gan_err *err)
{
    size_t nodes = s->l->g->n_nodes, values = s->l->base[nodes];
    s->order = gan__alloc_array(2 * nodes, sizeof *s->order);
    s->trial = gan__alloc_array(2 * nodes, sizeof *s->trial);
    s->place[0] = gan__alloc_array(nodes, sizeof *s->place[0]);
    s->place[1] = gan__alloc_array(nodes, sizeof *s->place[1]);
    s->may = gan__alloc_array(nodes, sizeof *s->may);
    s->cost = gan__alloc_array(nodes, sizeof *s->cost);
    s->flops = gan__alloc_array(nodes, sizeof *s->flops);
    s->before = gan__alloc_array(2 * values, sizeof *s->before);
    s->after = gan__alloc_array(2 * values, sizeof *s->after);
    if (!s->order || !s->trial || !s->place[0] || !s->place[1] || !s->may || !s->cost ||
        !s->flops || !s->before || !s->after) {
        return gan__fail_nomem(err, nodes * 40, "recomputation");
    }
    return GAN_OK;
}

static gan_status search(struct search *s, gan_err *err)
{
    struct gan__peak peak;
    bool better = true;
    GAN_TRY(allocate(s, err));
    find_able(s);
    for (uint32_t i = 1; i < s->l->g->n_nodes; i++) {
        s->order[s->n++] = i;
    }
    GAN_TRY(gan__live_measure(s->l, s->order, s->n, &peak, err));
    while (better && s->work < MAX_WORK) {
        GAN_TRY(improve(s, &peak, &better, err));
    }
    return GAN_OK;
}

gan_status gan__compile_recompute(struct gan__compile *c, gan_err *err)
{
    struct gan__live l = {0};
    struct search s = {.l = &l, .mode = c->recompute};
    gan_status status = gan__live_init(&l, c, err);
    if (status == GAN_OK) {
        status = search(&s, err);
    }
    if (status == GAN_OK && s.n > c->g->n_nodes - 1) {
        status = gan__live_rewrite(c, &l, s.order, s.n, err);
    }
    gan__free(s.order);
    gan__free(s.trial);
    gan__free(s.place[0]);
    gan__free(s.place[1]);
    gan__free(s.may);
    gan__free(s.cost);
    gan__free(s.flops);
    gan__free(s.before);
    gan__free(s.after);
    gan__free(s.choices);
    gan__live_release(&l);
    return status;
}

GAN_PASS(recompute) = {
    .name = "recompute",
    .doc = "compute idle results again instead of keeping them, when asked to",
    .rank = 96,
};
