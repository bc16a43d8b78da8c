/* cost.c: what a run will cost, before it runs.
 *
 * Everything that training builds is built here too: data set opened, networks declared, iteration
 * and sampling compiled. The resident memory of that moment is the base; what is made or touched
 * only when training runs is added to it from sizes that are known exactly. Code that only a
 * running step touches (about 1 MiB) and the parts of the workspace that no step touches are left
 * out: they come near to cancelling each other. */
#include <gan/train.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "meta.h"
#include "plot/grid.h"
#include "resume.h"
#include "monitor.h"
#include "session.h"

#include <math.h>
#include <string.h>

/* Page cache is mapped in windows of this size at a first touch (Linux fault_around_bytes). */
static const double touch_window = 65536;

/* --- memory ------------------------------------------------------------------------------------- */

/* Bytes of the data set that n random samples touch. */
static uint64_t touched_bytes(const struct gan_dataset_info *info, double samples)
{
    double bytes = (double)info->memory_bytes;
    double windows = ceil(bytes / touch_window);
    return windows < 1 ? 0 : (uint64_t)(bytes * -expm1(-samples / windows));
}

static uint64_t grid_bytes(const struct gan__session *s)
{
    const struct gan__generator *g = &s->generator;
    uint64_t pixels = (uint64_t)(g->height * g->width * g->channels);
    uint64_t scale = (uint64_t)gan__grid_scale(g->height, g->width);
    return (uint64_t)g->batch * pixels * scale * scale;
}

static gan_status fill_memory(struct gan__session *s, const struct gan__monitor *m,
                              struct gan_train_cost *c, gan_err *err)
{
    struct gan_loader_cfg loader = gan__session_loader_cfg(s);
    const struct gan_dataset_info *info = gan_dataset_about(s->data);
    double steps = s->steps >= 0 ? (double)s->steps : 1e12;
    int64_t stop = s->recipe->run.stop_at;
    steps = stop >= 0 && (double)stop < steps ? (double)stop : steps;
    struct gan__meta meta = {0};
    gan_status status = gan__meta_of_session(&meta, s, err);
    c->checkpoint_bytes = gan_checkpoint_bytes(s->store, meta.item, meta.n);
    gan__meta_release(&meta);
    GAN_TRY(status);
    uint64_t built = gan_store_bytes(s->store) + s->data_resident;
    uint64_t now = gan__rss_bytes();
    c->base_bytes = now > built ? now - built : 0;
    c->store_bytes = gan_store_bytes(s->store);
    c->workspace_bytes = s->workspace_bytes;
    c->loader_bytes = gan_loader_bytes(s->data, &loader);
    c->data_bytes = touched_bytes(info, steps * (double)c->batch);
    c->data_bytes = s->data_resident > c->data_bytes ? s->data_resident : c->data_bytes;
    c->sampling_bytes = grid_bytes(s) + gan__samples_bytes(&m->samples, s);
    c->constant_bytes = gan_plan_info(s->generator.plan).constant_bytes;
    for (int i = 0; i < s->n_phases; i++) {
        c->constant_bytes += gan_plan_info(s->phase[i].plan).constant_bytes;
    }
    c->peak_bytes = c->base_bytes + c->store_bytes + c->workspace_bytes + c->constant_bytes +
                    c->loader_bytes + c->data_bytes + c->sampling_bytes;
    return GAN_OK;
}

/* --- work --------------------------------------------------------------------------------------- */

static void fill_work(const struct gan__session *s, struct gan_train_cost *c)
{
    for (int i = 0; i < s->n_phases; i++) {
        const struct gan__phase *p = &s->phase[i];
        struct gan_plan_info info = gan_plan_info(p->plan);
        int64_t count = p->segment->repeated ? p->segment->runs.count : 1;
        double runs = count > 0 ? (double)count : 1;
        c->flops += runs * info.flops;
        c->heavy_flops += runs * info.heavy_flops;
        c->bytes += runs * info.bytes;
        c->kernels += (int64_t)runs * info.steps;
    }
}

static void fill_copies(const struct gan__session *s, struct gan_train_cost *c)
{
    for (int i = 0; i < s->n_phases; i++) {
        struct gan_plan_copy copy = gan_plan_copy_at(s->phase[i].plan, 0);
        for (int64_t k = 1; copy.uses > 0 && c->n_copies < GAN_COST_COPIES; k++) {
            int at = c->n_copies++;
            (void)gan__copy(c->copy[at].scope, sizeof c->copy[at].scope, copy.scope);
            c->copy[at].shape = copy.shape;
            c->copy[at].bytes = copy.bytes;
            c->copy[at].uses = copy.uses;
            copy = gan_plan_copy_at(s->phase[i].plan, k);
        }
    }
}

/* Arithmetic and workspace when everything is kept: the phases compiled once more. */
static gan_status fill_kept(const struct gan__session *s, struct gan_train_cost *c, gan_err *err)
{
    struct gan_plan_opts opts = {.threads = s->threads,
                                 .exact = s->recipe->run.exact,
                                 .precision = gan__recipe_precision(s->recipe)};
    c->kept_flops = c->flops;
    c->kept_workspace_bytes = c->workspace_bytes;
    if (s->recipe->run.recompute == GAN_RECOMPUTE_NONE) {
        return GAN_OK;
    }
    c->kept_flops = 0;
    c->kept_workspace_bytes = gan_plan_info(s->generator.plan).workspace_bytes;
    for (int i = 0; i < s->n_phases; i++) {
        const struct gan__segment *seg = s->phase[i].segment;
        gan_val outputs[GAN__MAX_REPORTS];
        for (int k = 0; k < seg->n_reports; k++) {
            outputs[k] = seg->report[k].val;
        }
        gan_plan *p = gan_plan_new(seg->graph, outputs, seg->n_reports, &opts, err);
        if (p == NULL) {
            return err->code;
        }
        struct gan_plan_info info = gan_plan_info(p);
        gan_plan_free(p);
        double runs = seg->repeated && seg->runs.count > 0 ? (double)seg->runs.count : 1;
        c->kept_flops += runs * info.flops;
        c->kept_workspace_bytes = info.workspace_bytes > c->kept_workspace_bytes
                                      ? info.workspace_bytes
                                      : c->kept_workspace_bytes;
    }
    return GAN_OK;
}

/* Milliseconds of one run of a graph, the best of some. */
static double time_plan(gan_graph *g, gan_val out, int threads, const char *precision)
{
    struct gan_plan_opts opts = {.threads = threads, .precision = precision};
    gan_plan *p = gan_plan_new(g, &out, 1, &opts, NULL);
    double best = 0;
    for (int i = 0; p != NULL && i < 4; i++) {
        double before = gan__now_s();
        if (gan_plan_run(p, &(struct gan_run){0}, NULL) != GAN_OK) {
            break;
        }
        double ms = (gan__now_s() - before) * 1e3;
        best = i == 1 || (i > 1 && ms < best) ? ms : best;
    }
    gan_plan_free(p);
    return best;
}

/* FLOPs a millisecond of a matrix product, which convolutions come near to. */
static double product_rate(int threads, const char *precision)
{
    enum { SIDE = 768 };
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    if (g == NULL) {
        return 0;
    }
    gan_val a = gan_random_normal(g, "a", GAN_SHAPE(SIDE, SIDE));
    double draw_ms = time_plan(g, gan_sum_all(g, a), threads, precision);
    double both_ms =
        time_plan(g, gan_sum_all(g, gan_matmul(g, a, a, false, false)), threads, precision);
    gan_graph_free(g);
    double ms = both_ms > draw_ms ? both_ms - draw_ms : both_ms;
    return ms > 0 ? 2.0 * SIDE * SIDE * SIDE / ms : 0;
}

/* Bytes a millisecond, read and written, of a copy; one core nearly saturates it. */
static double copy_rate(void)
{
    enum { LONG = 1 << 25 };
    unsigned char *a = gan__alloc(LONG);
    double best = 0;
    for (int i = 0; a != NULL && i < 4; i++) {
        double before = gan__now_s();
        memmove(a, a + LONG / 2, LONG / 2);
        double rate = LONG / ((gan__now_s() - before) * 1e3);
        best = rate > best ? rate : best;
    }
    gan__free(a);
    return best;
}

/* Convolutions of GAN shapes run at about this share of a large product's rate. */
static const double share_of_product = 0.6;

static double predict_ms(const struct gan_train_cost *c, int threads, const char *precision)
{
    double product = product_rate(threads, precision) * share_of_product, copy = copy_rate();
    return (product > 0 ? c->heavy_flops / product : 0) + (copy > 0 ? c->bytes / copy : 0);
}

/* --- entries ------------------------------------------------------------------------------------ */

static void fill_nets(const struct gan__session *s, struct gan_train_cost *c)
{
    c->model = s->recipe->model->name;
    c->height = s->task->height;
    c->width = s->task->width;
    c->channels = s->task->channels;
    c->batch = s->recipe->run.batch;
    c->images = s->data != NULL ? gan_dataset_about(s->data)->count : 0;
    c->n_nets = s->nets.n;
    for (int i = 0; i < s->nets.n; i++) {
        (void)gan__copy(c->net[i].name, sizeof c->net[i].name, gan_net_name(s->nets.net[i]));
        c->net[i].params = gan_net_params(s->nets.net[i]);
    }
}

static gan_status recipe_of(const struct gan_train_cfg *cfg, struct gan__recipe *r, gan_err *err)
{
    return cfg->resume != NULL ? gan__resume_recipe(cfg, r, err) : gan__new_recipe(cfg, r, err);
}

static gan_status hand_over(gan_status status, const gan_err *own, gan_err *err)
{
    if (status != GAN_OK && err != NULL) {
        *err = *own;
    }
    return status;
}

gan_status gan_train_plan(const struct gan_train_cfg *cfg, struct gan_train_cost *cost,
                          gan_err *err)
{
    struct gan__recipe r = {0};
    struct gan__session s = {0};
    struct gan__monitor monitor = {0};
    gan_err own = {0};
    *cost = (struct gan_train_cost){0};
    gan_status status = recipe_of(cfg, &r, &own);
    if (status == GAN_OK && r.data == NULL) {
        status = gan__fail(&own, GAN_E_ARG,
                           "no data set is given: --data SPEC; gan list data names "
                           "them");
    }
    if (status == GAN_OK) {
        status = gan__session_build(&s, &r, &own);
    }
    if (status == GAN_OK) {
        status = gan__session_compile(&s, &own);
    }
    if (status == GAN_OK) {
        status = gan__monitor_compile(&monitor, &s, &own);
    }
    if (status == GAN_OK) {
        fill_nets(&s, cost);
        fill_work(&s, cost);
        fill_copies(&s, cost);
        status = fill_memory(&s, &monitor, cost, &own);
    }
    if (status == GAN_OK) {
        status = fill_kept(&s, cost, &own);
        cost->compile_ms = s.compile_ms;
        cost->step_ms = predict_ms(cost, s.threads, gan__recipe_precision(s.recipe));
    }
    gan__monitor_release(&monitor);
    gan__session_release(&s);
    gan__recipe_release(&r);
    return hand_over(status, &own, err);
}

static gan_status dump(struct gan__session *s, int segment, bool compiled, gan_dump_form form,
                       char **text, gan_err *err)
{
    if (segment < 0 || segment >= s->n_phases) {
        return gan__fail(err, GAN_E_RANGE, "segment %d: the iteration has %d, numbered from 0",
                         segment, s->n_phases);
    }
    if (compiled) {
        GAN_TRY(gan__session_compile(s, err));
    }
    *text = compiled ? gan_plan_dump(s->phase[segment].plan, form)
                     : gan_graph_dump(s->phase[segment].segment->graph, form);
    return *text != NULL ? GAN_OK : gan__fail_nomem(err, 0, "the text of a graph");
}

gan_status gan_train_graph(const struct gan_train_cfg *cfg, int segment, bool compiled,
                           gan_dump_form form, char **text, int *segments, gan_err *err)
{
    struct gan__recipe r = {0};
    struct gan__session s = {0};
    gan_err own = {0};
    *text = NULL;
    gan_status status = recipe_of(cfg, &r, &own);
    if (status == GAN_OK) {
        status = gan__session_build(&s, &r, &own);
    }
    if (status == GAN_OK) {
        if (segments != NULL) {
            *segments = s.n_phases;
        }
        status = dump(&s, segment, compiled, form, text, &own);
    }
    gan__session_release(&s);
    gan__recipe_release(&r);
    return hand_over(status, &own, err);
}
