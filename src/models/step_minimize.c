/* step_minimize.c: one gradient step of a phase, in microbatches when asked.
 *
 * The phase's subgraph is built for the first microbatch; the others are copies of it in which the
 * batch slices and random streams are moved on. Gradients are added in a fixed binary tree (as a
 * binary counter adds), so the sum does not depend on anything but the number of parts. */
#include "base/alloc.h"
#include "base/str.h"
#include "engine/graph/clone.h"
#include "step_build.h"

#include <string.h>

enum { MAX_LEVELS = 32 };

/* What a phase differentiates and averages: values per part. */
struct parts {
    gan_step *s;
    struct gan__segment *seg;
    gan_graph *g;
    const char **names; /* of the weights */
    gan_val *params;
    int n_params;
    gan_val *roots; /* loss, then the phase's reports, of the current part */
    size_t n_roots;
    int n_terms;     /* gradients, then roots: what is summed over parts */
    gan_val *levels; /* [MAX_LEVELS][n_terms]: the counter's digits */
    uint32_t used;   /* bit l: level l holds a sum of 2^l parts */
};

void gan__phase_begin(gan_step *s)
{
    struct gan__segment *seg = &s->segment[s->open];
    gan_graph *g = seg->graph;
    s->phase_node = (uint32_t)g->n_nodes;
    s->phase_report = seg->n_reports;
    if (!gan__grow(&s->start, &s->cap_start, g->n_states + 1, sizeof *s->start)) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the state of a phase");
        return;
    }
    for (size_t i = 0; i < g->n_states; i++) {
        s->start[i] = g->states[i].newest;
    }
    s->n_start = g->n_states;
}

/* Collects the weights of "a" or "a+b". */
static bool gather_weights(struct parts *p, const char *nets)
{
    int room = 0;
    for (int i = 0; i < p->s->cfg.nets->n; i++) {
        room += gan_net_count(p->s->cfg.nets->net[i]);
    }
    p->names = gan__arena_array(&p->g->arena, (size_t)room + 1, sizeof *p->names);
    p->params = gan__arena_array(&p->g->arena, (size_t)room + 1, sizeof *p->params);
    if (!p->names || !p->params) {
        gan_graph_fail(p->g, GAN_E_NOMEM, "cannot allocate %d weights", room);
        return false;
    }
    for (const char *at = nets; *at;) {
        size_t len = strcspn(at, "+");
        const gan_net *net = gan__step_net(p->s, at, len);
        if (!net) {
            return false;
        }
        p->n_params += gan_net_weights(p->g, net, p->names + p->n_params, p->params + p->n_params);
        at += len + (at[len] == '+');
    }
    return true;
}

/* Adds one part's terms as a binary counter adds one. */
static void count_in(struct parts *p, gan_val *terms)
{
    int level = 0;
    for (; p->used & (1u << level); level++) {
        gan_val *sum = p->levels + (size_t)level * (size_t)p->n_terms;
        for (int i = 0; i < p->n_terms; i++) {
            terms[i] = gan_add(p->g, sum[i], terms[i]);
        }
        p->used &= ~(1u << level);
    }
    memcpy(p->levels + (size_t)level * (size_t)p->n_terms, terms,
           (size_t)p->n_terms * sizeof *terms);
    p->used |= 1u << level;
}

/* Sum of what the counter holds, smallest level first, divided by the number of parts. */
static void average(struct parts *p, gan_val *terms, int64_t count)
{
    bool first = true;
    for (int level = 0; level < MAX_LEVELS; level++) {
        if (!(p->used & (1u << level))) {
            continue;
        }
        const gan_val *sum = p->levels + (size_t)level * (size_t)p->n_terms;
        for (int i = 0; i < p->n_terms; i++) {
            terms[i] = first ? sum[i] : gan_add(p->g, sum[i], terms[i]);
        }
        first = false;
    }
    for (int i = 0; i < p->n_terms; i++) {
        terms[i] = gan_scale(p->g, terms[i], 1.0 / (double)count);
    }
}

/* State as this phase found it -> as the part before left it. */
static size_t state_moves(const struct parts *p, struct gan__replace *out)
{
    size_t n = 0;
    for (size_t i = 0; i < p->g->n_states; i++) {
        const struct gan__state_use *u = &p->g->states[i];
        gan_val from = i < p->s->n_start && gan_ok(p->s->start[i]) ? p->s->start[i] : u->first;
        if (gan_ok(u->set) && u->set.node >= p->s->phase_node && gan_ok(from)) {
            out[n++] = (struct gan__replace){from, u->newest};
        }
    }
    return n;
}

static void part_terms(struct parts *p, gan_val *terms)
{
    gan_grad(p->g, p->roots[0], p->params, p->n_params, terms);
    memcpy(terms + p->n_params, p->roots, p->n_roots * sizeof *terms);
}

/* Gradients and reports over all parts: terms[] receives the means. */
static void all_parts(struct parts *p, gan_val *terms)
{
    int64_t count = p->s->cfg.batch / p->s->cfg.microbatch;
    uint32_t sets_end = (uint32_t)p->g->n_nodes;
    size_t n_states = p->g->n_states;
    struct gan__replace *moves = gan__arena_array(&p->g->arena, n_states + 1, sizeof *moves);
    gan_val *first = gan__arena_copy(&p->g->arena, p->roots, p->n_roots * sizeof *first);
    p->levels =
        gan__arena_array(&p->g->arena, (size_t)MAX_LEVELS * (size_t)p->n_terms, sizeof *p->levels);
    if (!moves || !first || !p->levels) {
        gan_graph_fail(p->g, GAN_E_NOMEM, "cannot allocate %lld microbatches", (long long)count);
        return;
    }
    part_terms(p, terms);
    count_in(p, terms);
    for (int64_t i = 1; i < count && p->g->err.code == GAN_OK; i++) {
        struct gan__clone c = {.g = p->g,
                               .slices = p->s->slice,
                               .n_slices = p->s->n_slices,
                               .offset = i * p->s->cfg.microbatch,
                               .replace = moves,
                               .n_replace = state_moves(p, moves),
                               .versions = p->s->start,
                               .n_versions = p->s->n_start,
                               .first_set = p->s->phase_node,
                               .end = sets_end};
        memcpy(p->roots, first, p->n_roots * sizeof *first);
        gan__clone_part(&c, p->roots, p->n_roots);
        part_terms(p, terms);
        count_in(p, terms);
    }
    average(p, terms, count);
}

static void differentiate(struct parts *p, gan_val *terms)
{
    struct gan__segment *seg = p->seg;
    p->n_roots = (size_t)(seg->n_reports - p->s->phase_report);
    p->n_terms = p->n_params + (int)p->n_roots;
    p->roots = gan__arena_array(&p->g->arena, p->n_roots + 1, sizeof *p->roots);
    if (!p->roots) {
        gan_graph_fail(p->g, GAN_E_NOMEM, "cannot allocate the reports of a phase");
        return;
    }
    for (size_t i = 0; i < p->n_roots; i++) { /* the loss was reported last: it goes first */
        size_t at = i == 0 ? p->n_roots - 1 : i - 1;
        p->roots[i] = seg->report[p->s->phase_report + (int)at].val;
    }
    if (p->s->cfg.microbatch == p->s->cfg.batch) {
        gan_grad(p->g, p->roots[0], p->params, p->n_params, terms);
        return;
    }
    all_parts(p, terms);
    for (size_t i = 0; i < p->n_roots; i++) {
        size_t at = i == 0 ? p->n_roots - 1 : i - 1;
        seg->report[p->s->phase_report + (int)at].val = terms[p->n_params + (int)i];
    }
}

static void report(gan_step *s, const char *prefix, const char *label, gan_val v)
{
    char name[48];
    (void)gan__format(name, sizeof name, "%s.%s", prefix, label);
    gan_report(s, name, v);
}

/* An update under the name it reports. */
struct labelled {
    const char *label, *nets;
    const gan_val *from; /* weights it starts at, NULL: the newest */
};

/* A second update of the same networks in a phase is the next one of its optimiser. */
static void note_update(gan_step *s, struct gan__segment *seg, const struct labelled *l,
                        const struct gan_optim *o)
{
    for (int u = 0; u < seg->n_updates && l->from != NULL; u++) {
        if (strcmp(seg->update[u].phase, l->nets) == 0) {
            seg->update[u].ahead = 1;
            seg->update[u].again = 1;
            return;
        }
    }
    struct gan__update_info *info = &seg->update[seg->n_updates++];
    (void)gan__copy(info->phase, sizeof info->phase, l->nets);
    info->optim = o;
    info->ahead = strcmp(s->unrolled, l->nets) == 0 ? s->ahead : 0;
}

static void minimize(gan_step *s, const struct labelled *l, gan_val loss, const struct gan_optim *o)
{
    gan_graph *g = gan_step_graph(s);
    struct parts p = {.s = s, .g = g};
    if (s->open < 0 || !gan_ok(loss) || !gather_weights(&p, l->nets)) {
        return;
    }
    p.seg = &s->segment[s->open];
    report(s, "loss", l->label, loss);
    size_t room = (size_t)(p.n_params + p.seg->n_reports) + 1;
    gan_val *terms = gan__arena_array(&g->arena, room, sizeof *terms);
    if (!terms) {
        gan_graph_fail(g, GAN_E_NOMEM, "memory for %zu terms of an update", room);
        return;
    }
    if (p.seg->n_updates == GAN__MAX_UPDATES) {
        gan_graph_fail(g, GAN_E_RANGE, "a phase has more than %d updates", GAN__MAX_UPDATES);
        return;
    }
    gan_scope_push(g, l->nets);
    differentiate(&p, terms);
    struct gan_update u = {{0, 0}, {0, 0}};
    gan_optim_apply(g, o,
                    &(struct gan_optim_args){.phase = l->nets,
                                             .names = p.names,
                                             .params = l->from != NULL ? l->from : p.params,
                                             .ahead = l->from != NULL ? 1 : 0,
                                             .grads = terms,
                                             .n = p.n_params},
                    &u);
    gan__keep_gradients(s, p.names, terms, p.n_params);
    gan_scope_pop(g);
    report(s, "grad_norm", l->label, u.grad_norm);
    report(s, "ok", l->label, u.ok);
    note_update(s, p.seg, l, o);
    gan__phase_begin(s);
}

void gan_minimize(gan_step *s, const char *nets, gan_val loss, const struct gan_optim *o)
{
    gan_minimize_as(s, nets, nets, loss, o);
}

void gan_minimize_as(gan_step *s, const char *label, const char *nets, gan_val loss,
                     const struct gan_optim *o)
{
    minimize(s, &(struct labelled){label, nets, NULL}, loss, o);
}

void gan_minimize_from(gan_step *s, const char *nets, gan_val loss, const struct gan_optim *o,
                       const gan_val *from)
{
    minimize(s, &(struct labelled){nets, nets, from}, loss, o);
}

int gan_weights(gan_step *s, const char *nets, const gan_val **values, const char *const **names)
{
    struct parts p = {.s = s, .g = gan_step_graph(s)};
    if (s->open < 0 || !gather_weights(&p, nets)) {
        return 0;
    }
    *values = p.params;
    *names = p.names;
    return p.n_params;
}

void gan_limit_weights(gan_step *s, const char *net,
                       gan_val (*fn)(gan_graph *g, gan_val w, double arg), double arg)
{
    gan_graph *g = gan_step_graph(s);
    struct parts p = {.s = s, .g = g};
    if (s->open < 0 || !gather_weights(&p, net)) {
        return;
    }
    for (int i = 0; i < p.n_params; i++) {
        gan_state_set(g, p.names[i], fn(g, p.params[i], arg));
    }
    gan__phase_begin(s);
}
