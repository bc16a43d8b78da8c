/* bench_iteration.c: where the time of an iteration goes: by graph, by network, by kind of
 * operation, by kernel call. Half of the iterations run without timing of their parts. */
#include "bench.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* --- measuring ---------------------------------------------------------------------------------- */

static gan_status profile(struct gan__bench *b, bool on, gan_err *err)
{
    for (int i = 0; i < b->session.n_phases; i++) {
        GAN_TRY(gan_plan_profile(b->session.phase[i].plan, on, err));
    }
    return GAN_OK;
}

/* Times of all nodes in one timed iteration: row k of a table [iters][nodes], columns in order. */
static gan_status timed_iteration(struct gan__bench *b, double *row, double *ms, gan_err *err)
{
    GAN_TRY(profile(b, true, err));
    GAN_TRY(gan__bench_iterate(b, ms, err));
    int64_t at = 0;
    for (int i = 0; i < b->session.n_phases; i++) {
        const gan_plan *p = b->session.phase[i].plan;
        for (int64_t k = 0; k < gan_plan_info(p).steps; k++) {
            row[at++] = 1e3 * gan_plan_step_seconds(p, k);
        }
    }
    return profile(b, false, err);
}

/* ms: [2*iters] of room; table [iters][nodes]. */
static gan_status measure(struct gan__bench *b, struct gan_bench_step *r, double *ms, double *table,
                          gan_err *err)
{
    double *timed = ms + b->iters;
    GAN_TRY(gan__bench_iterate(b, &r->first_ms, err));
    for (int64_t i = 1; i < b->warm_up; i++) {
        GAN_TRY(gan__bench_iterate(b, &ms[0], err));
    }
    for (int64_t i = 0; i < b->iters; i++) {
        GAN_TRY(gan__bench_iterate(b, &ms[i], err));
        GAN_TRY(timed_iteration(b, table + i * r->n_nodes, &timed[i], err));
    }
    r->time = gan__bench_time(ms, b->iters);
    r->timed_ms = gan__bench_median(timed, b->iters);
    for (int64_t k = 0; k < r->n_nodes; k++) {
        for (int64_t i = 0; i < b->iters; i++) {
            ms[i] = table[i * r->n_nodes + k];
        }
        r->node[k].ms = gan__bench_median(ms, b->iters);
    }
    return GAN_OK;
}

/* --- nodes and groups --------------------------------------------------------------------------- */

static void describe_nodes(const struct gan__bench *b, struct gan_bench_step *r, gan_dtype *dtype)
{
    int64_t at = 0;
    for (int i = 0; i < b->session.n_phases; i++) {
        const gan_plan *p = b->session.phase[i].plan;
        double runs = gan__bench_runs(b, i);
        for (int64_t k = 0; k < gan_plan_info(p).steps; k++, at++) {
            struct gan_plan_step s = gan_plan_step_at(p, k);
            struct gan_bench_node *n = &r->node[at];
            (void)gan_plan_step_name(p, k, n->name, sizeof n->name);
            (void)gan__copy(n->scope, sizeof n->scope, s.scope);
            n->shape = s.shape;
            n->segment = i;
            n->heavy = s.heavy;
            n->flops = runs * s.flops;
            n->bytes = runs * s.bytes;
            dtype[at] = s.dtype;
        }
        struct gan_plan_info info = gan_plan_info(p);
        r->flops += runs * info.flops;
        r->heavy_flops += runs * info.heavy_flops;
        r->bytes += runs * info.bytes;
    }
}

static void fill_shares(struct gan_bench_step *r, const gan_dtype *dtype)
{
    for (int64_t k = 0; k < r->n_nodes; k++) {
        struct gan_bench_node *n = &r->node[k];
        const struct gan_bench_roof *f = &r->roof;
        double product = dtype[k] == GAN_BF16 ? f->product_bf16 : f->product_f32;
        double conv = dtype[k] == GAN_BF16 ? f->conv_bf16 : f->conv_f32;
        double peak = conv > product ? conv : product;
        double work = n->heavy && peak > 0 ? n->flops / peak : 0;
        double moved = f->triad > 0 ? n->bytes / f->triad : 0;
        n->share = n->ms > 0 ? 1e3 * (work > moved ? work : moved) / n->ms : 0;
    }
}

static int by_cost(const void *x, const void *y)
{
    const struct gan_bench_node *a = x, *b = y;
    return (a->ms < b->ms) - (a->ms > b->ms);
}

static int group_by_cost(const void *x, const void *y)
{
    const struct gan_bench_group *a = x, *b = y;
    return (a->ms < b->ms) - (a->ms > b->ms);
}

/* What a node is sorted under. */
typedef void key_fn(const struct gan__bench *b, const struct gan_bench_node *n, char *dst,
                    size_t cap);

static void phase_key(const struct gan__bench *b, const struct gan_bench_node *n, char *dst,
                      size_t cap)
{
    const struct gan__segment *seg = b->session.phase[n->segment].segment;
    struct gan__str t = {0};
    for (int u = 0; u < seg->n_updates; u++) {
        gan__str_printf(&t, "%s%s", u > 0 ? "+" : "", seg->update[u].phase);
    }
    (void)gan__format(dst, cap, "%s", t.p != NULL ? t.p : "graph");
    gan__str_release(&t);
}

static void scope_key(const struct gan__bench *b, const struct gan_bench_node *n, char *dst,
                      size_t cap)
{
    (void)b;
    int len = (int)strcspn(n->scope, "/");
    (void)gan__format(dst, cap, "%.*s", len, len > 0 ? n->scope : "-");
    if (len == 0) {
        (void)gan__copy(dst, cap, "loss and update");
    }
}

static void kind_key(const struct gan__bench *b, const struct gan_bench_node *n, char *dst,
                     size_t cap)
{
    (void)b;
    (void)gan__copy(dst, cap, strchr(n->name, '+') != NULL ? "elementwise" : n->name);
}

/* Groups of nodes with the same key, the most expensive first; NULL when memory is short. */
static struct gan_bench_group *group(const struct gan__bench *b, const struct gan_bench_step *r,
                                     key_fn *key, int64_t *n)
{
    struct gan_bench_group *g = gan__alloc_array((size_t)r->n_nodes + 1, sizeof *g);
    *n = 0;
    for (int64_t k = 0; g != NULL && k < r->n_nodes; k++) {
        const struct gan_bench_node *node = &r->node[k];
        char name[sizeof g->name];
        int64_t i = 0;
        key(b, node, name, sizeof name);
        while (i < *n && strcmp(g[i].name, name) != 0) {
            i++;
        }
        *n += i == *n;
        memcpy(g[i].name, name, sizeof name);
        g[i].ms += node->ms;
        g[i].flops += node->flops;
        g[i].bytes += node->bytes;
        g[i].nodes++;
    }
    if (g != NULL) {
        qsort(g, (size_t)*n, sizeof *g, group_by_cost);
    }
    return g;
}

/* --- entry -------------------------------------------------------------------------------------- */

static gan_status fill(struct gan__bench *b, const struct gan_bench_how *how,
                       struct gan_bench_step *r, gan_err *err)
{
    const struct gan__session *s = &b->session;
    for (int i = 0; i < s->n_phases; i++) {
        r->n_nodes += gan_plan_info(s->phase[i].plan).steps;
    }
    size_t nodes = (size_t)r->n_nodes, iters = (size_t)b->iters;
    r->node = gan__alloc_array(nodes + 1, sizeof *r->node);
    double *ms = gan__alloc_array(2 * iters, sizeof *ms);
    double *table = gan__alloc_array(iters * (nodes + 1), sizeof *table);
    gan_dtype *dtype = gan__alloc_array(nodes + 1, sizeof *dtype);
    gan_status st = GAN_OK;
    if (r->node == NULL || ms == NULL || table == NULL || dtype == NULL) {
        st = gan__fail_nomem(err, iters * nodes * sizeof *table, "the times of an iteration");
    } else {
        describe_nodes(b, r, dtype);
        st = measure(b, r, ms, table, err);
        r->peak_bytes = gan__rss_peak_bytes();
    }
    if (st == GAN_OK && !how->no_roof) {
        st = gan_bench_roofline(s->threads, &r->roof, err);
    }
    if (st == GAN_OK) {
        fill_shares(r, dtype);
        r->phase = group(b, r, phase_key, &r->n_phases);
        r->scope = group(b, r, scope_key, &r->n_scopes);
        r->kind = group(b, r, kind_key, &r->n_kinds);
        qsort(r->node, nodes, sizeof *r->node, by_cost);
        if (r->phase == NULL || r->scope == NULL || r->kind == NULL) {
            st = gan__fail_nomem(err, nodes * sizeof *r->kind, "the times of an iteration");
        }
    }
    gan__free(ms);
    gan__free(table);
    gan__free(dtype);
    return st;
}

gan_status gan_bench_step(const struct gan_train_cfg *what, const struct gan_bench_how *how,
                          struct gan_bench_step **out, gan_err *err)
{
    struct gan__bench b = {0};
    gan_err own = {0};
    *out = NULL;
    struct gan_bench_step *r = gan__alloc(sizeof *r);
    gan_status st = GAN_OK;
    if (r == NULL) {
        st = gan__fail_nomem(&own, sizeof *r, "the times of an iteration");
    } else {
        double before = gan__now_s();
        r->base_bytes = gan__rss_bytes();
        st = gan__bench_open(&b, what, how, &own);
        r->open_ms = 1e3 * (gan__now_s() - before);
    }
    if (st == GAN_OK) {
        r->model = b.recipe.model->name;
        r->height = b.session.task->height;
        r->width = b.session.task->width;
        r->channels = b.session.task->channels;
        r->batch = b.recipe.run.batch;
        r->threads = b.session.threads;
        r->compile_ms = b.session.compile_ms;
        r->workspace_bytes = b.session.workspace_bytes;
        st = fill(&b, how, r, &own);
    }
    gan__bench_close(&b);
    if (st != GAN_OK) {
        gan_bench_step_free(r);
        return gan__fail(err, st, "%s", own.message);
    }
    r->images_per_s = 1e3 * (double)r->batch / r->time.median_ms;
    *out = r;
    return GAN_OK;
}

void gan_bench_step_free(struct gan_bench_step *r)
{
    if (r != NULL) {
        gan__free(r->node);
        gan__free(r->phase);
        gan__free(r->scope);
        gan__free(r->kind);
        gan__free(r);
    }
}
