/* pass_bundle.c: the updates of an optimiser's parameters as one step.
 *
 * After fusion each parameter has a program that makes its new value, its moments and what else
 * follows elementwise (decay, clipping, averages), behind the guard that all parameters of the
 * optimiser share. Programs with one guard that make state and do not wait for each other become one
 * node, which walks over the elements of all of them at once. Where somebody reads a new weight in
 * bf16, the program writes that copy too while the weight is in registers.
 *
 * Levels say who waits for whom: a path from one update to another raises the level, so updates of
 * one level never form a circle, whatever lies between the groups. */
#include "fused.h"
#include "grouping.h"
#include "known.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

static bool infer_bundle(struct gan__infer *c)
{
    return gan__infer_fail(c, GAN_E_INTERNAL, "bundles are made by the compiler only");
}

GAN_OP(bundle) = {
    .name = "bundle",
    .doc = "programs of elementwise operations that share a step",
    .n_in = -1,
    .n_out = -1,
    .flags = GAN_OP_INTERNAL | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_bundle),
    .infer = infer_bundle,
};

extern const struct gan__op gan__op_cast;

/* Work arrays; by node unless said otherwise. */
struct search {
    struct gan__compile *c;
    const gan_graph *g;
    const uint32_t *base;
    uint32_t *guard;  /* value number + 1 of the guard of a program that makes state; 0: no such */
    uint32_t *level;  /* updates on the longest path to it */
    uint32_t *group;  /* as gan__grouping */
    uint32_t *narrow; /* by value number: the cast that wants it in bf16, 0 none */
    uint32_t n_groups;
};

static const struct gan__program *program_of(const struct gan__node *n)
{
    return ((const struct gan__attr_fused *)n->attr)->program;
}

/* Value number + 1 of the boolean that all elements of the program share; 0 when there is none. */
static uint32_t find_guard(const struct search *s, const struct gan__node *n)
{
    const struct gan__program *p = program_of(n);
    for (int i = 0; i < p->n_loads && p->n_tails == 0; i++) {
        if (p->loads[i].kind == GAN_LOAD_SCALAR && p->loads[i].boolean) {
            gan_val v = n->in[p->loads[i].input];
            while (gan__node_of(s->g, v)->op->flags & GAN_OP_VIEW) {
                v = gan__node_of(s->g, v)->in[0];
            }
            return s->base[v.node] + v.out + 1;
        }
    }
    return 0;
}

/* Updates: programs whose results become state. */
static void find_updates(struct search *s)
{
    for (uint32_t i = 1; i < s->g->n_nodes; i++) {
        const struct gan__node *n = &s->g->nodes[i];
        const struct gan__node *from = n->n_in > 0 ? gan__node_of(s->g, n->in[0]) : NULL;
        if (n->op == &gan__op_state_set && from->op == &gan__op_fused) {
            s->guard[n->in[0].node] = find_guard(s, from);
        }
    }
}

static void find_levels(struct search *s)
{
    for (uint32_t i = 1; i < s->g->n_nodes; i++) {
        const struct gan__node *n = &s->g->nodes[i];
        for (int j = 0; j < n->n_in; j++) {
            uint32_t from = n->in[j].node, level = s->level[from] + (s->guard[from] != 0);
            s->level[i] = level > s->level[i] ? level : s->level[i];
        }
    }
}

/* Casts of new weights: those that read an f32 result of an update. */
static void find_casts(struct search *s)
{
    for (uint32_t i = 1; i < s->g->n_nodes; i++) {
        const struct gan__node *n = &s->g->nodes[i];
        if (n->op == &gan__op_cast && n->out[0].dtype == GAN_BF16 && s->guard[n->in[0].node] &&
            s->g->nodes[n->in[0].node].copy == n->copy &&
            gan__type_of(s->g, n->in[0])->dtype == GAN_F32) {
            s->narrow[s->base[n->in[0].node] + n->in[0].out] = i;
        }
    }
}

/* Are the updates a and b of one optimiser and independent? */
static bool together(const struct search *s, uint32_t a, uint32_t b)
{
    return s->guard[a] == s->guard[b] && s->level[a] == s->level[b] &&
           s->g->nodes[a].copy == s->g->nodes[b].copy;
}

/* A group for each update or its fellows; casts join the program they read. latest: work array by
 * value number, the last update behind a guard. */
static void find_groups(struct search *s, uint32_t *latest)
{
    for (uint32_t i = 1; i < s->g->n_nodes; i++) {
        if (s->guard[i] == 0) {
            continue;
        }
        uint32_t *last = &latest[s->guard[i] - 1];
        s->group[i] = *last != 0 && together(s, *last, i) ? s->group[*last] : ++s->n_groups;
        *last = i;
        const struct gan__node *n = &s->g->nodes[i];
        for (int k = 0; k < n->n_out; k++) {
            uint32_t cast = s->narrow[s->base[i] + (uint32_t)k];
            if (cast != 0) {
                s->group[cast] = s->group[i];
            }
        }
    }
}

/* A step being written. */
struct draft {
    struct gan__part *parts;
    gan_val *in;
    struct gan__type *out;
    int n_parts, n_in, n_out;
};

/* The program of n with bf16 copies of those results that somebody casts; itself without. */
static const struct gan__program *with_copies(const struct search *s, uint32_t i, int *n_copies)
{
    const struct gan__node *n = &s->g->nodes[i];
    const struct gan__program *p = program_of(n);
    struct gan__save saves[2 * GAN__MAX_STORES];
    int at = p->n_saves;
    memcpy(saves, p->saves, (size_t)p->n_saves * sizeof *saves);
    for (int k = 0; k < p->n_saves; k++) {
        if (s->narrow[s->base[i] + (uint32_t)p->saves[k].output] != 0) {
            saves[at] = p->saves[k];
            saves[at].output = n->n_out + at - p->n_saves;
            at++;
        }
    }
    *n_copies = at - p->n_saves;
    if (*n_copies == 0) {
        return p;
    }
    struct gan__program *q = gan__arena_copy(s->c->arena, p, sizeof *p);
    if (q) {
        q->n_saves = at;
        q->saves = gan__arena_copy(s->c->arena, saves, (size_t)at * sizeof *saves);
    }
    return q && q->saves ? q : NULL;
}

static bool add_part(const struct search *s, const struct gan__rewrite *rw, struct draft *d,
                     uint32_t i)
{
    const struct gan__node *n = &s->g->nodes[i];
    int n_copies = 0;
    struct gan__part *part = &d->parts[d->n_parts++];
    *part = (struct gan__part){with_copies(s, i, &n_copies), d->n_in, n->n_in, d->n_out,
                               n->n_out + n_copies};
    for (int j = 0; j < n->n_in; j++) {
        d->in[d->n_in++] = gan__rewrite_get(rw, n->in[j]);
    }
    for (int k = 0; k < n->n_out; k++) {
        d->out[d->n_out++] = n->out[k];
    }
    const struct gan__program *p = program_of(n);
    for (int k = 0; k < p->n_saves; k++) { /* in the order of with_copies */
        if (s->narrow[s->base[i] + (uint32_t)p->saves[k].output] != 0) {
            d->out[d->n_out] = n->out[p->saves[k].output];
            d->out[d->n_out++].dtype = GAN_BF16;
        }
    }
    return part->program != NULL;
}

/* What the rest of the graph reads of a program: its results, and the copies for casts. */
static void map_part(const struct search *s, struct gan__rewrite *rw, uint32_t i, uint32_t id,
                     const struct gan__part *part)
{
    uint32_t copy = (uint32_t)(part->first_out + s->g->nodes[i].n_out);
    for (uint32_t k = 0; k < (uint32_t)s->g->nodes[i].n_out; k++) {
        gan__rewrite_set(rw, (gan_val){i, k}, (gan_val){id, (uint32_t)part->first_out + k});
    }
    for (int k = 0; k < program_of(&s->g->nodes[i])->n_saves; k++) {
        uint32_t cast = s->narrow[s->base[i] + (uint32_t)part->program->saves[k].output];
        if (cast != 0) {
            gan__rewrite_set(rw, (gan_val){cast, 0}, (gan_val){id, copy++});
        }
    }
}

static void append(const struct search *s, struct gan__rewrite *rw, const struct draft *d,
                   const uint32_t *members, int n)
{
    struct gan__arena *a = &rw->dst->arena;
    const struct gan__attr_bundle attr = {
        gan__arena_copy(s->c->arena, d->parts, (size_t)d->n_parts * sizeof *d->parts), d->n_parts};
    const struct gan__node *like = &s->g->nodes[members[0]];
    struct gan__node node = {.op = &gan__op_bundle,
                             .n_in = d->n_in,
                             .n_out = d->n_out,
                             .scope = like->scope,
                             .copy = like->copy,
                             .out = gan__arena_copy(a, d->out, (size_t)d->n_out * sizeof *d->out),
                             .attr = gan__arena_copy(a, &attr, sizeof attr)};
    if (!attr.parts || !node.out || !node.attr) {
        gan_graph_fail(rw->dst, GAN_E_NOMEM, "cannot allocate a bundle of %d programs", d->n_parts);
        return;
    }
    uint32_t id = gan__ir_append(rw->dst, &node, d->in);
    for (int i = 0, part = 0; i < n && id != 0; i++) {
        if (s->g->nodes[members[i]].op == &gan__op_fused) {
            map_part(s, rw, members[i], id, &d->parts[part++]);
        }
    }
}

static void emit(void *ctx, struct gan__rewrite *rw, const uint32_t *members, int n)
{
    const struct search *s = ctx;
    size_t n_in = 0, n_out = 0, programs = 0;
    for (int i = 0; i < n; i++) {
        n_in += (size_t)s->g->nodes[members[i]].n_in;
        n_out += (size_t)s->g->nodes[members[i]].n_out; /* casts stand for the copies */
        programs += s->g->nodes[members[i]].op == &gan__op_fused;
    }
    if (n == 1) {
        gan__rewrite_copy(rw, members[0]);
        return;
    }
    struct draft d = {.parts = gan__alloc_array(programs, sizeof *d.parts),
                      .in = gan__alloc_array(n_in, sizeof *d.in),
                      .out = gan__alloc_array(n_out, sizeof *d.out)};
    bool fine = d.parts && d.in && d.out;
    for (int i = 0; i < n && fine; i++) {
        if (s->g->nodes[members[i]].op == &gan__op_fused) {
            fine = add_part(s, rw, &d, members[i]);
        }
    }
    if (fine) {
        append(s, rw, &d, members, n);
    } else {
        gan_graph_fail(rw->dst, GAN_E_NOMEM, "cannot allocate a bundle of %zu programs", programs);
    }
    gan__free(d.parts);
    gan__free(d.in);
    gan__free(d.out);
}

gan_status gan__compile_bundle(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    size_t n = rw.src->n_nodes;
    struct search s = {.c = c, .g = rw.src, .base = rw.base};
    s.guard = gan__alloc_array(n, sizeof *s.guard);
    s.level = gan__alloc_array(n, sizeof *s.level);
    s.group = gan__alloc_array(n, sizeof *s.group);
    s.narrow = gan__alloc_array(rw.n_values, sizeof *s.narrow);
    uint32_t *latest = gan__alloc_array(rw.n_values, sizeof *latest);
    gan_status status = GAN_OK;
    if (s.guard && s.level && s.group && s.narrow && latest) {
        find_updates(&s);
        find_levels(&s);
        find_casts(&s);
        find_groups(&s, latest);
        const struct gan__grouping groups = {s.g, s.group, s.n_groups, emit, &s};
        status = gan__grouping_emit(&groups, &rw, err);
    } else {
        status = gan__fail_nomem(err, n * sizeof *s.guard, "bundles");
    }
    gan__free(s.guard);
    gan__free(s.level);
    gan__free(s.group);
    gan__free(s.narrow);
    gan__free(latest);
    return gan__rewrite_end(&rw, status, err);
}

GAN_PASS(bundle) = {
    .name = "bundle",
    .doc = "run the updates of an optimiser's parameters, and bf16 copies of them, as one step",
    .rank = 96,
};
