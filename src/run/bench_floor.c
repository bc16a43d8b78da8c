/* bench_floor.c: the floor of a training iteration.
 *
 *     floor = sum over convolutions and products of flops / best library rate for the shape
 *           + compulsory bytes / rate of memory
 *
 * The list of convolutions and products is that of the graph after simplification alone: it does
 * not depend on how well the plan fuses. The library's rate is measured with operands in N,H,W,C and
 * in its own order; the better one counts. Reading and writing the operands is part of that rate, so
 * that activations, biases and losses, which can ride along, cost nothing here. A normalisation
 * cannot: its statistics are known only after the last element, so one pass that reads and one that
 * writes remain, and two and one in its gradient. State is read once and written once. */
#include "bench.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/compile/layout.h"
#include "engine/execute/rate.h"
#include "engine/graph/node.h"
#include "engine/graph/op.h"

#include <stdlib.h>
#include <string.h>

/* Passes that change what is computed how, not what must be computed. */
static const char without[] = "epilogue,fuse,inplace,norm";

/* The shapes of an iteration, equal ones together. */
struct shapes {
    struct gan__heavy *heavy;
    struct gan_bench_shape *out;
    size_t cap_heavy, cap_out;
    int64_t n;
};

static bool add_shape(struct shapes *s, const struct gan__heavy *h, double runs)
{
    for (int64_t i = 0; i < s->n; i++) {
        if (memcmp(&s->heavy[i], h, sizeof *h) == 0) {
            s->out[i].runs += runs;
            return true;
        }
    }
    size_t need = (size_t)s->n + 1;
    if (!gan__grow(&s->heavy, &s->cap_heavy, need, sizeof *s->heavy) ||
        !gan__grow(&s->out, &s->cap_out, need, sizeof *s->out)) {
        return false;
    }
    s->heavy[s->n] = *h;
    s->out[s->n] = (struct gan_bench_shape){.runs = runs, .flops = h->flops};
    (void)gan__heavy_text(h, s->out[s->n].name, sizeof s->out[s->n].name);
    s->n++;
    return true;
}

/* Bytes of the state that a graph writes. */
static double state_bytes(const gan_graph *g)
{
    double bytes = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        if (i > 0 && n->op == &gan__op_state_set) {
            bytes += (double)gan__type_bytes(gan__type_of(g, n->in[0]));
        }
    }
    return bytes;
}

static gan_status list_phase(const struct gan__bench *b, int i, struct shapes *s,
                             struct gan_bench_floor *r, gan_err *err)
{
    const struct gan__segment *seg = b->session.phase[i].segment;
    const struct gan_task *t = b->session.task;
    double runs = gan__bench_runs(b, i);
    gan_val outputs[GAN__MAX_REPORTS];
    struct gan_plan_opts opts = {.threads = b->session.threads,
                                 .without = without,
                                 .precision = gan__recipe_precision(&b->recipe)};
    for (int k = 0; k < seg->n_reports; k++) {
        outputs[k] = seg->report[k].val;
    }
    gan_plan *p = gan_plan_new(seg->graph, outputs, seg->n_reports, &opts, err);
    if (p == NULL) {
        return err->code;
    }
    bool room = true;
    for (int64_t k = 0; k < gan_plan_info(p).steps && room; k++) {
        struct gan_plan_step step = gan_plan_step_at(p, k);
        struct gan__heavy h;
        if (gan__heavy_of(p, k, &h)) {
            room = add_shape(s, &h, runs);
        } else if (strcmp(step.op, "normalize") == 0 || strcmp(step.op, "normalize_grad") == 0) {
            r->norm_bytes += runs * step.bytes;
        }
    }
    gan_plan_free(p);
    r->state_bytes += 2 * runs * state_bytes(seg->graph);
    bool first = (seg->fields & GAN_FIELD_IMAGE) != 0, second = (seg->fields & GAN_FIELD_B) != 0;
    if (first || second) {
        int64_t channels = (first ? t->channels : 0) + (second ? t->channels_b : 0);
        int64_t pixels = b->recipe.run.batch * t->height * t->width * channels;
        r->feed_bytes += runs * (double)pixels * (double)sizeof(float);
    }
    return room ? GAN_OK : gan__fail_nomem(err, sizeof(struct gan__heavy), "a list of shapes");
}

/* Library times; their sum over an iteration at the better of both orders. */
static void rate_shapes(struct shapes *s, struct gan_bench_floor *r)
{
    for (int64_t i = 0; i < s->n; i++) {
        struct gan_bench_shape *o = &s->out[i];
        o->plain_s = gan__rate_seconds(&s->heavy[i], false, r->threads);
        o->blocked_s = gan__rate_seconds(&s->heavy[i], true, r->threads);
        bool blocked = o->blocked_s > 0 && (o->plain_s <= 0 || o->blocked_s < o->plain_s);
        r->heavy_ms += 1e3 * o->runs * (blocked ? o->blocked_s : o->plain_s);
        r->heavy_flops += o->runs * o->flops;
    }
}

static double cost(const struct gan_bench_shape *s)
{
    double best = s->blocked_s > 0 && s->blocked_s < s->plain_s ? s->blocked_s : s->plain_s;
    return s->runs * best;
}

static int by_cost(const void *x, const void *y)
{
    double a = cost(x), b = cost(y);
    return (a < b) - (a > b);
}

static gan_status iterate(struct gan__bench *b, double *ms, int64_t n, gan_err *err)
{
    for (int64_t i = 0; i < n; i++) {
        GAN_TRY(gan__bench_iterate(b, &ms[i], err));
    }
    return GAN_OK;
}

/* Half of the iterations, the rates, the other half: a machine that drifts treats them alike. */
static gan_status fill(struct gan__bench *b, struct shapes *s, struct gan_bench_floor *r,
                       gan_err *err)
{
    for (int i = 0; i < b->session.n_phases; i++) {
        GAN_TRY(list_phase(b, i, s, r, err));
    }
    int64_t n = b->iters, half = (n + 1) / 2, room = n > b->warm_up ? n : b->warm_up;
    double *ms = gan__alloc_array((size_t)room, sizeof *ms);
    if (ms == NULL) {
        return gan__fail_nomem(err, (size_t)room * sizeof *ms, "the times of an iteration");
    }
    gan_status st = iterate(b, ms, b->warm_up, err);
    if (st == GAN_OK) {
        st = iterate(b, ms, half, err);
    }
    if (st == GAN_OK) {
        rate_shapes(s, r);
        r->triad = gan__rate_triad(r->threads);
        st = iterate(b, ms, 1, err); /* caches and clock as they were */
    }
    if (st == GAN_OK) {
        st = iterate(b, ms + half, n - half, err);
    }
    r->time = gan__bench_time(ms, n);
    gan__free(ms);
    return st;
}

gan_status gan_bench_floor(const struct gan_train_cfg *what, const struct gan_bench_how *how,
                           struct gan_bench_floor **out, gan_err *err)
{
    struct gan__bench b = {0};
    struct shapes s = {0};
    gan_err own = {0};
    *out = NULL;
    struct gan_bench_floor *r = gan__alloc(sizeof *r);
    gan_status st = r != NULL ? gan__bench_open(&b, what, how, &own)
                              : gan__fail_nomem(&own, sizeof *r, "a floor");
    if (st == GAN_OK) {
        r->model = b.recipe.model->name;
        r->height = b.session.task->height;
        r->width = b.session.task->width;
        r->channels = b.session.task->channels;
        r->batch = b.recipe.run.batch;
        r->threads = b.session.threads;
        st = fill(&b, &s, r, &own);
    }
    gan__bench_close(&b);
    gan__free(s.heavy);
    if (st != GAN_OK) {
        gan__free(s.out);
        gan__free(r);
        return gan__fail(err, st, "%s", own.message);
    }
    if (s.n > 0) {
        qsort(s.out, (size_t)s.n, sizeof *s.out, by_cost);
    }
    r->shape = s.out;
    r->n_shapes = s.n;
    double bytes = r->norm_bytes + r->state_bytes + r->feed_bytes;
    r->memory_ms = r->triad > 0 ? 1e3 * bytes / r->triad : 0;
    r->floor_ms = r->heavy_ms + r->memory_ms;
    r->share = r->time.median_ms > 0 ? r->floor_ms / r->time.median_ms : 0;
    *out = r;
    return GAN_OK;
}

void gan_bench_floor_free(struct gan_bench_floor *r)
{
    if (r != NULL) {
        gan__free(r->shape);
        gan__free(r);
    }
}
