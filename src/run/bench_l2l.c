/* bench_l2l.c: a learned optimiser beside hand-made ones at their best rates.
 *
 * All rules work on each coordinate alone, so a set of problems is one parameter [N,n] whose loss is
 * the sum of theirs, and every rule runs as training runs it: gan_optim_apply.
 * Andrychowicz et al. 2016, arXiv:1606.04474, section 3.1 and figure 4. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "meta.h"
#include "models/quadratics.h"
#include "rundir.h"

#include <gan/bench.h>
#include <gan/checkpoint.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS = 512, STEPS = 100, RATES = 29 };
enum { MEAN = 0, OK = 1, EACH = 2, OUTPUTS = 3 };

/* Seeds of the problems: no run is likely to have been trained with them. */
static const uint64_t tuning_seed = 0x6c326c01, test_seed = 0x6c326c02;

static const char *const parameter = "problem.t";

struct bench {
    gan_checkpoint *file;
    int64_t n, count; /* dimensions, numbers of a problem */
    int64_t steps;
    int threads;
    float *tuning, *test; /* [PROBLEMS,count] */
    double *curve;        /* [steps+1] mean value after each step */
    double last[PROBLEMS];
};

/* One rule on one set of problems, compiled. */
struct trial {
    gan_store *store;
    gan_graph *graph;
    gan_plan *plan;
};

static gan_status draw(const struct bench *b, uint64_t seed, float *dst, gan_err *err)
{
    char spec[32];
    gan_dataset *data = NULL;
    gan_loader *loader = NULL;
    const struct gan_batch *batch = NULL;
    const struct gan_loader_cfg cfg = {.batch = PROBLEMS,
                                       .seed = seed,
                                       .range = GAN_RANGE_SIGNED,
                                       .height = 1,
                                       .width = 1,
                                       .channels = b->count,
                                       .threads = 1};
    (void)gan__format(spec, sizeof spec, "quadratics:%lld", (long long)b->n);
    gan_status status = gan_dataset_open(spec, &data, err);
    status = status == GAN_OK ? gan_loader_new(data, &cfg, &loader, err) : status;
    status = status == GAN_OK ? gan_loader_next(loader, &batch, err) : status;
    if (status == GAN_OK) {
        memcpy(dst, batch->images, (size_t)(PROBLEMS * b->count) * sizeof *dst);
    }
    gan_loader_free(loader);
    gan_dataset_close(data);
    return status;
}

static void close_trial(struct trial *t)
{
    gan_plan_free(t->plan);
    gan_graph_free(t->graph);
    gan_store_free(t->store);
    *t = (struct trial){0};
}

static gan_status build(struct trial *t, const struct bench *b, const struct gan_optim *o,
                        gan_err *err)
{
    gan_graph *g = t->graph;
    gan_val numbers = gan_feed(g, "problems", GAN_F32, GAN_SHAPE(PROBLEMS, b->count));
    struct gan__problems p = gan__problems_of(g, numbers, b->n);
    gan_val at = gan_state_get(g, parameter), grad = GAN_NONE;
    gan_val each = gan__problem_values(g, &p, at);
    gan_grad(g, gan_sum_all(g, each), &at, 1, &grad);
    struct gan_update u = {{0, 0}, {0, 0}};
    gan_optim_apply(
        g, o,
        &(struct gan_optim_args){
            .phase = "rule", .names = &parameter, .params = &at, .grads = &grad, .n = 1},
        &u);
    const gan_val out[OUTPUTS] = {gan_mean_all(g, each), u.ok, each};
    struct gan_plan_opts opts = {.threads = b->threads};
    t->plan = gan_plan_new(g, out, OUTPUTS, &opts, err);
    return t->plan != NULL ? GAN_OK : err->code;
}

/* The network's weights where the rule has one, and the problems' starts. */
static gan_status open_trial(struct trial *t, const struct bench *b, const struct gan_optim *o,
                             const float *problems, gan_err *err)
{
    gan_err own = {0};
    t->store = gan_store_new();
    t->graph = t->store != NULL ? gan_graph_new(t->store, GAN_F32) : NULL;
    if (t->graph == NULL) {
        return gan__fail_nomem(err, 0, "a graph");
    }
    int at = gan_store_add(t->store, parameter, GAN_STATE_WEIGHT, GAN_F32,
                           GAN_SHAPE(PROBLEMS, b->n), &own);
    gan_status status = at < 0 ? own.code : build(t, b, o, &own);
    if (status == GAN_OK && gan_optim_network(o) != NULL) {
        status = gan_checkpoint_init(b->file, t->store, gan_optim_network(o), NULL, &own);
    }
    if (status != GAN_OK) {
        return gan__fail(err, status, "%s", own.message);
    }
    const gan_tensor *start = &gan_store_at(t->store, at)->value;
    for (int64_t i = 0; i < PROBLEMS * b->n; i++) {
        int64_t from = i / b->n * b->count + b->n * b->n + b->n + i % b->n;
        gan_tensor_set(start, i, (double)problems[from]);
    }
    return GAN_OK;
}

static gan_status run_step(struct trial *t, const struct bench *b, const struct gan_optim *o,
                           float *problems, int64_t step, gan_err *err)
{
    double values[GAN_OPTIM_MAX_SCALARS];
    char names[GAN_OPTIM_MAX_SCALARS][64];
    struct gan_scalar_data scalars[GAN_OPTIM_MAX_SCALARS];
    int n = gan_optim_scalar_count(o);
    gan_optim_scalars(o, step + 1, b->steps, values);
    for (int i = 0; i < n; i++) {
        (void)gan_optim_feed_name(names[i], sizeof names[i], o, "rule", 0, i);
        scalars[i] = (struct gan_scalar_data){names[i], values[i]};
    }
    const struct gan_feed_data feed = {"problems",
                                       {GAN_F32, GAN_SHAPE(PROBLEMS, b->count), problems}};
    const struct gan_run run = {
        .feeds = &feed, .n_feeds = 1, .scalars = scalars, .n_scalars = (size_t)n};
    return gan_plan_run(t->plan, &run, err);
}

/* Fills the curve and the last values; a rule that diverges ends at infinity. */
static gan_status run_rule(struct bench *b, const char *text, float *problems, gan_err *err)
{
    struct gan_optim o;
    struct trial t = {0};
    GAN_TRY(gan_optim_parse(text, &o, err));
    gan_status status = open_trial(&t, b, &o, problems, err);
    bool good = true;
    for (int64_t i = 0; i <= b->steps && status == GAN_OK; i++) {
        status = run_step(&t, b, &o, problems, i, err);
        if (status != GAN_OK) {
            break;
        }
        double mean = gan_tensor_get(gan_plan_output(t.plan, MEAN), 0);
        good = good && isfinite(mean) && gan_tensor_get(gan_plan_output(t.plan, OK), 0) > 0;
        b->curve[i] = good ? mean : (double)INFINITY;
        for (int64_t k = 0; i == b->steps && k < PROBLEMS; k++) {
            b->last[k] = gan_tensor_get(gan_plan_output(t.plan, EACH), k);
        }
    }
    close_trial(&t);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static gan_status judge(struct bench *b, const char *text, struct gan_bench_rule *r, gan_err *err)
{
    GAN_TRY(run_rule(b, text, b->test, err));
    (void)gan__copy(r->text, sizeof r->text, text);
    double sum = 0;
    for (int64_t i = 1; i <= b->steps; i++) {
        sum += b->curve[i];
    }
    qsort(b->last, PROBLEMS, sizeof *b->last, ascending);
    r->start = b->curve[0];
    r->fifth = b->curve[b->steps / 5];
    r->half = b->curve[b->steps / 2];
    r->end = b->curve[b->steps];
    r->median = (b->last[PROBLEMS / 2 - 1] + b->last[PROBLEMS / 2]) / 2;
    r->mean = sum / (double)b->steps;
    return GAN_OK;
}

/* The best rate of a kind on the tuning problems; form has one %g. */
static gan_status tune(struct bench *b, const char *rule, const char *rest, char *best, size_t cap,
                       gan_err *err)
{
    double least = (double)INFINITY;
    best[0] = '\0';
    for (int i = 0; i < RATES; i++) {
        char text[64];
        (void)gan__format(text, sizeof text, "%s:%.5g%s", rule, exp2(-13 + 0.5 * i), rest);
        GAN_TRY(run_rule(b, text, b->tuning, err));
        if (b->curve[b->steps] < least) {
            least = b->curve[b->steps];
            (void)gan__copy(best, cap, text);
        }
    }
    return best[0] != '\0' ? GAN_OK
                           : gan__fail(err, GAN_E_DIVERGED, "%s diverges at every rate", rule);
}

static gan_status open_file(struct bench *b, const char *path, gan_err *err)
{
    char newest[GAN_PATH_TEXT_MAX];
    if (gan__path_is_dir(path)) {
        GAN_TRY(gan__rundir_newest(path, newest, sizeof newest, err));
        path = newest;
    }
    GAN_TRY(gan_checkpoint_open(path, &b->file, err));
    const char *model = gan_checkpoint_meta(b->file, "libgan.model");
    if (model == NULL || strcmp(model, "l2l") != 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s is of model %s, not of l2l", path,
                         model != NULL ? model : "(none)");
    }
    GAN_TRY(gan__meta_i64(b->file, "data.channels", &b->count, err));
    b->n = (int64_t)floor(sqrt((double)b->count + 1.5)) - 1;
    if (b->n < 1 || b->n * b->n + 2 * b->n != b->count) {
        return gan__fail(err, GAN_E_FORMAT, "%s: problems of %lld numbers", path,
                         (long long)b->count);
    }
    return GAN_OK;
}

static gan_status compare(struct bench *b, struct gan_bench_l2l *out, gan_err *err)
{
    static const struct {
        const char *rule, *rest;
    } kinds[GAN_BENCH_RULES - 1] = {
        {"sgd", ""}, {"sgd", ",.9"}, {"adam", ",.9,.999"}, {"rmsprop", ",.9"}};
    GAN_TRY(draw(b, tuning_seed, b->tuning, err));
    GAN_TRY(draw(b, test_seed, b->test, err));
    *out = (struct gan_bench_l2l){.dimensions = b->n, .problems = PROBLEMS, .steps = b->steps};
    GAN_TRY(judge(b, "l2l", &out->rule[0], err));
    for (int i = 1; i < GAN_BENCH_RULES; i++) {
        char best[64];
        GAN_TRY(tune(b, kinds[i - 1].rule, kinds[i - 1].rest, best, sizeof best, err));
        GAN_TRY(judge(b, best, &out->rule[i], err));
    }
    return GAN_OK;
}

gan_status gan_bench_l2l(const char *path, const struct gan_bench_how *how,
                         struct gan_bench_l2l *out, gan_err *err)
{
    struct bench *b = gan__alloc(sizeof *b);
    if (b == NULL) {
        return gan__fail_nomem(err, sizeof *b, "a bench");
    }
    b->steps = how->iters > 0 ? how->iters : STEPS;
    b->threads = how->threads > 0 ? how->threads : omp_get_max_threads();
    gan_status status = open_file(b, path, err);
    if (status == GAN_OK) {
        size_t n = (size_t)(PROBLEMS * b->count);
        b->tuning = gan__alloc_array(n, sizeof *b->tuning);
        b->test = gan__alloc_array(n, sizeof *b->test);
        b->curve = gan__alloc_array((size_t)b->steps + 1, sizeof *b->curve);
        status = b->tuning != NULL && b->test != NULL && b->curve != NULL
                     ? compare(b, out, err)
                     : gan__fail_nomem(err, 2 * n * sizeof *b->test, "problems");
    }
    gan_checkpoint_close(b->file);
    gan__free(b->tuning);
    gan__free(b->test);
    gan__free(b->curve);
    gan__free(b);
    return status;
}
