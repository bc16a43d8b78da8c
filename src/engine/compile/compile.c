/* compile.c: the order of the passes, and what always happens: compound ops without a kernel are
 * expanded first, elementwise nodes become programs and roots get copies last. */
#include "pass.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "fused.h"

#include <string.h>

#define MAX_ROUNDS 4 /* of the repeated passes; each round only sees what the last one exposed */
#define MAX_EXPAND 8 /* expansions inside expansions */
#define MAX_PASSES 32

/* Is `name` an item of the comma-separated list? */
static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    while (list && *list) {
        size_t len = strcspn(list, ",");
        if (len == n && strncmp(list, name, n) == 0) {
            return true;
        }
        list += len + (list[len] == ',');
    }
    return false;
}

bool gan__pass_on(const char *without, const char *name)
{
    return !listed(without, "all") && !listed(without, name);
}

gan_status gan__pass_check(const char *without, gan_err *err)
{
    while (without && *without) {
        size_t len = strcspn(without, ",");
        bool known = len == 0 || (len == 3 && strncmp(without, "all", 3) == 0);
        for (const struct gan__pass *const *p = gan__passes; *p && !known; p++) {
            known = strlen((*p)->name) == len && strncmp((*p)->name, without, len) == 0;
        }
        if (!known) {
            return gan__fail(err, GAN_E_ARG, "there is no pass %.*s to leave out", (int)len,
                             without);
        }
        without += len + (without[len] == ',');
    }
    return GAN_OK;
}

static gan_status check_roots(const gan_graph *g, const gan_val *outputs, int n, gan_err *err)
{
    for (int i = 0; i < n; i++) {
        if (!gan_ok(outputs[i]) || outputs[i].node >= g->n_nodes ||
            outputs[i].out >= (uint32_t)g->nodes[outputs[i].node].n_out) {
            return gan__fail(err, GAN_E_ARG, "output %d is not a value of the graph", i);
        }
    }
    return GAN_OK;
}

gan_status gan__compile_init(struct gan__compile *c, const gan_graph *g, const gan_val *outputs,
                             int n_outputs, gan_err *err)
{
    GAN_TRY(gan_graph_status(g, err));
    GAN_TRY(check_roots(g, outputs, n_outputs, err));
    c->n_outputs = n_outputs;
    c->outputs = gan__alloc_array((size_t)n_outputs + 1, sizeof *c->outputs);
    c->g = gan_graph_new(g->store, g->real);
    if (!c->g || !c->outputs ||
        !gan__grow(&c->g->states, &c->g->cap_states, g->n_states + 1, sizeof *c->g->states)) {
        return gan__fail_nomem(err, g->n_nodes * sizeof *g->nodes, "the compiler's graph");
    }
    if (n_outputs > 0) {
        memcpy(c->outputs, outputs, (size_t)n_outputs * sizeof *outputs);
    }
    memset(c->g->states, 0, (g->n_states + 1) * sizeof *c->g->states);
    c->g->n_states = g->n_states;
    for (size_t i = 0; i < g->n_states && c->keep_sets; i++) {
        c->g->states[i].set = g->states[i].set;
    }
    for (size_t i = 1; i < g->n_nodes; i++) {
        if (gan__ir_append(c->g, &g->nodes[i], g->nodes[i].in) == 0) {
            return gan_graph_status(c->g, err);
        }
    }
    return GAN_OK;
}

void gan__compile_release(struct gan__compile *c)
{
    for (size_t i = 0; i < c->n_old; i++) {
        gan_graph_free(c->old[i]);
    }
    gan__free(c->old);
    gan_graph_free(c->g);
    gan__free(c->outputs);
    c->old = NULL;
    c->g = NULL;
    c->outputs = NULL;
    c->n_old = 0;
}

bool gan__ir_served(const struct gan__compile *c, const gan_graph *g, const struct gan__node *n)
{
    struct gan__type few[8];
    if (n->n_in > 8) {
        return false;
    }
    for (int j = 0; j < n->n_in; j++) {
        few[j] = *gan__type_of(g, n->in[j]);
    }
    return c->served(c->backend, n->op, few, n->n_in, n->out, n->n_out, n->attr);
}

/* One node by its expansion, in its own scope. */
static void expand_node(struct gan__rewrite *rw, size_t i)
{
    const struct gan__node *n = &rw->src->nodes[i];
    gan_val x[8] = {{0, 0}}, y[8] = {{0, 0}};
    for (int j = 0; j < n->n_in && j < 8; j++) {
        x[j] = gan__rewrite_get(rw, n->in[j]);
    }
    rw->dst->scope = n->scope;
    rw->dst->copy = n->copy;
    n->op->expand(rw->dst, n->attr, x, y);
    for (int k = 0; k < n->n_out && k < 8; k++) {
        gan__rewrite_set(rw, (gan_val){(uint32_t)i, (uint32_t)k}, y[k]);
    }
}

gan_status gan__compile_expand(struct gan__compile *c, gan_err *err)
{
    for (int round = 0; round < MAX_EXPAND; round++) {
        bool any = false;
        struct gan__rewrite rw;
        for (size_t i = 1; i < c->g->n_nodes && !any; i++) {
            const struct gan__node *n = &c->g->nodes[i];
            any = n->op->expand && !n->op->ref && !gan__ir_served(c, c->g, n);
        }
        if (!any) {
            return GAN_OK;
        }
        GAN_TRY(gan__rewrite_begin(&rw, c, err));
        for (size_t i = 1; i < rw.src->n_nodes; i++) {
            const struct gan__node *n = &rw.src->nodes[i];
            if (n->op->expand && !n->op->ref && !gan__ir_served(c, rw.src, n)) {
                expand_node(&rw, i);
            } else {
                gan__rewrite_copy(&rw, i);
            }
        }
        GAN_TRY(gan__rewrite_end(&rw, GAN_OK, err));
    }
    return gan__fail(err, GAN_E_INTERNAL, "an expansion does not end after %d rounds", MAX_EXPAND);
}

static gan_status run_pass(struct gan__compile *c, const struct gan__pass *p, gan_err *err)
{
    GAN_TRY(p->run(c, err));
    return c->verify ? gan__verify_graph(c, p->name, err) : GAN_OK;
}

/* Passes that are on and have a walk, by rank. */
static int passes_on(const struct gan__compile *c, const struct gan__pass **list)
{
    int n = 0;
    for (const struct gan__pass *const *p = gan__passes; *p && n < MAX_PASSES; p++) {
        if (!(*p)->run || !gan__pass_on(c->without, (*p)->name)) {
            continue;
        }
        int at = n++;
        for (; at > 0 && list[at - 1]->rank > (*p)->rank; at--) {
            list[at] = list[at - 1];
        }
        list[at] = *p;
    }
    return n;
}

gan_status gan__compile_run(struct gan__compile *c, gan_err *err)
{
    const struct gan__pass *list[MAX_PASSES];
    int n = passes_on(c, list);
    if (c->verify) {
        GAN_TRY(gan__verify_graph(c, "building", err));
    }
    GAN_TRY(gan__compile_expand(c, err));
    size_t before = 0;
    for (int round = 0; round < MAX_ROUNDS && c->g->n_nodes != before; round++) {
        before = c->g->n_nodes;
        for (int i = 0; i < n; i++) {
            if (list[i]->repeat) {
                GAN_TRY(run_pass(c, list[i], err));
            }
        }
    }
    for (int i = 0; i < n; i++) {
        if (!list[i]->repeat) {
            GAN_TRY(run_pass(c, list[i], err));
        }
    }
    GAN_TRY(gan__compile_fuse(c, gan__pass_on(c->without, "fuse"), err));
    for (int i = 0; i < n; i++) { /* broadcasts that programs look through, operands of epilogues */
        if (strcmp(list[i]->name, "dce") == 0) {
            GAN_TRY(run_pass(c, list[i], err));
        }
    }
    if (c->bf16 && gan__pass_on(c->without, "precision")) {
        GAN_TRY(gan__compile_precision(c, err));
    }
    if (gan__pass_on(c->without, "bundle")) {
        GAN_TRY(gan__compile_bundle(c, err));
    }
    GAN_TRY(gan__compile_finish(c, err));
    if (gan__pass_on(c->without, "order")) {
        GAN_TRY(gan__compile_order(c, err));
    }
    if (c->recompute != GAN_RECOMPUTE_NONE && gan__pass_on(c->without, "recompute")) {
        GAN_TRY(gan__compile_recompute(c, err));
    }
    return c->verify ? gan__verify_graph(c, "finish, order and recompute", err) : GAN_OK;
}
