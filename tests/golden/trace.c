/* trace.c: a trainer in small: the segments of a model's iteration run on a golden file's inputs,
 * and every loss, norm, weight and statistic held against what PyTorch found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/str.h"
#include "hashed.h"
#include "trace.h"

enum { STEPS = 10, MAX_PLANS = 8, MAX_FEEDS = 16, MAX_NETS = 8 };

struct replay {
    const struct trace_case *c;
    gan_checkpoint *file;
    void *opts;
    gan_store *store;
    struct gan_net_list nets;
    gan_step *step;
    gan_plan *plan[MAX_PLANS];
    int64_t updates[MAX_NETS]; /* of each phase name seen */
    char phase[MAX_NETS][48];
    int n_phases;
    int compared; /* figures looked at, so that a test that compares nothing fails */
};

#define NEED(expr)                                                                                 \
    do {                                                                                           \
        gan_err need_err = {0};                                                                    \
        gan_err *err = &need_err;                                                                  \
        bool need_good = (expr);                                                                   \
        if (!need_good) {                                                                          \
            fail_msg("%s: %s", #expr, need_err.message);                                           \
        }                                                                                          \
    } while (0)

static bool find(const gan_checkpoint *f, const char *name, gan_tensor *out)
{
    const char *have = NULL;
    for (size_t i = 0; gan_checkpoint_tensor(f, i, &have, out); i++) {
        if (strcmp(have, name) == 0) {
            return true;
        }
    }
    return false;
}

gan_tensor trace_tensor(const gan_checkpoint *f, const char *name)
{
    gan_tensor t = {0};
    if (!find(f, name, &t)) {
        fail_msg("the golden file has no tensor %s", name);
    }
    return t;
}

static void compare(struct replay *r, const char *what, double got, double want, double tol)
{
    r->compared++;
    if (!(fabs(got - want) <= tol * (1 + fabs(want)))) {
        fail_msg("%s %s: %s is %.17g, PyTorch has %.17g", r->c->file, r->c->backend, what, got,
                 want);
    }
}

static void open_model(struct replay *r)
{
    const struct trace_case *c = r->c;
    char path[512];
    assert_true(gan__format(path, sizeof path, "%s/tests/golden/data/%s.safetensors",
                            GAN_SOURCE_DIR, c->file));
    NEED(gan_checkpoint_open(path, &r->file, err) == GAN_OK);
    const struct gan_model *m = gan_model_find(c->model, NULL);
    assert_non_null(m);
    r->opts = calloc(1, m->size);
    assert_non_null(r->opts);
    NEED(gan_opt_defaults(m->opts, r->opts, err) == GAN_OK);
    for (const struct setting *s = c->set; s->name; s++) {
        NEED(gan_opt_set(m->opts, r->opts, s->name, s->value, err) == GAN_OK);
    }
    struct gan_task *t = r->opts;
    t->height = c->height;
    t->width = c->width;
    t->channels = c->channels;
    t->channels_b = c->channels_b;
    t->classes = c->classes;
    t->points = c->points;
    NEED(m->fit(r->opts, true, err) == GAN_OK);
    r->store = gan_store_new();
    assert_non_null(r->store);
    NEED(gan_model_declare(m, r->opts, r->store, c->real, &r->nets, err) == GAN_OK);
    NEED(gan_model_declare_looks(m, r->opts, r->store, c->real, &r->nets, err) == GAN_OK);
    struct gan__step_cfg cfg = {.model = m,
                                .opts = r->opts,
                                .store = r->store,
                                .nets = &r->nets,
                                .real = c->real,
                                .batch = c->batch,
                                .mode = GAN_TRAIN,
                                .external_noise = true};
    NEED((r->step = gan__step_build(&cfg, err)) != NULL);
    assert_true(gan__step_segments(r->step) <= MAX_PLANS);
}

/* Weights and statistics as PyTorch began. */
static void load_initial(struct replay *r)
{
    char name[160];
    for (int n = 0; n < r->nets.n; n++) {
        if (r->c->hashed) {
            hashed_fill(r->store, r->nets.net[n]);
            continue;
        }
        for (int i = 0; i < gan_net_count(r->nets.net[n]); i++) {
            const struct gan_param *p = gan_net_param(r->nets.net[n], i);
            assert_true(gan__format(name, sizeof name, "init/%s", p->name));
            gan_tensor from = trace_tensor(r->file, name);
            const gan_tensor *to =
                &gan_store_at(r->store, gan_store_find(r->store, p->name))->value;
            assert_int_equal(gan_shape_count(&from.shape), p->count);
            for (int64_t k = 0; k < p->count; k++) {
                gan_tensor_set(to, k, gan_tensor_get(&from, k));
            }
        }
    }
}

/* A copy in the graph's type; bytes are images. */
static gan_tensor converted(gan_tensor t, gan_dtype real)
{
    int64_t n = gan_shape_count(&t.shape);
    gan_tensor out = {real, t.shape, malloc((size_t)n * gan_dtype_size(real))};
    assert_non_null(out.data);
    for (int64_t i = 0; i < n; i++) {
        double v = gan_tensor_get(&t, i);
        gan_tensor_set(&out, i, t.dtype == GAN_U8 ? v / 127.5 - 1 : v);
    }
    return out;
}

/* Images of a hashed case. */
static gan_tensor hashed_images(const struct trace_case *c, const char *name, int64_t channels)
{
    gan_shape shape = GAN_SHAPE(c->batch, c->height, c->width, channels);
    double *numbers = hashed_numbers(name, (size_t)gan_shape_count(&shape));
    gan_tensor out = converted((gan_tensor){GAN_F64, shape, numbers}, c->real);
    free(numbers);
    return out;
}

static const gan_net *net_of(const struct replay *r, const char *name)
{
    for (int i = 0; i < r->nets.n; i++) {
        if (strcmp(gan_net_name(r->nets.net[i]), name) == 0) {
            return r->nets.net[i];
        }
    }
    fail_msg("no network %s", name);
    return NULL;
}

/* What a network gives for hashed images. */
static void check_forward(struct replay *r, const struct forward *f)
{
    const struct trace_case *c = r->c;
    char name[64];
    gan_shape shape = GAN_SHAPE(c->batch, c->height, c->width, f->channels);
    gan_graph *g = gan_graph_new(r->store, c->real);
    gan_val x = gan_feed(g, "x", c->real, shape), y[GAN_NET_MAX_OUT];
    gan_net_apply(g, net_of(r, f->net), NULL, GAN_BATCH_STATS, &x, y);
    struct gan_plan_opts o = {.backend = c->backend, .threads = c->threads, .verify = true};
    gan_plan *p = NULL;
    NEED((p = gan_plan_new(g, y, 1, &o, err)) != NULL);
    assert_true(gan__format(name, sizeof name, "forward/%s", f->net));
    gan_tensor fed = hashed_images(c, name, f->channels);
    const struct gan_feed_data data = {"x", fed};
    NEED(gan_plan_run(p, &(struct gan_run){.feeds = &data, .n_feeds = 1}, err) == GAN_OK);
    hashed_compare(r->file, name, gan_plan_output(p, 0), c->trace_tol);
    free(fed.data);
    gan_plan_free(p);
    gan_graph_free(g);
}

static void compile(struct replay *r)
{
    for (int i = 0; i < gan__step_segments(r->step); i++) {
        const struct gan__segment *seg = gan__step_segment(r->step, i);
        gan_val outs[GAN__MAX_REPORTS];
        for (int k = 0; k < seg->n_reports; k++) {
            outs[k] = seg->report[k].val;
        }
        struct gan_plan_opts o = {
            .backend = r->c->backend, .threads = r->c->threads, .verify = true};
        NEED((r->plan[i] = gan_plan_new(seg->graph, outs, seg->n_reports, &o, err)) != NULL);
    }
}

/* A feed in the graph's type: the file's "feed/3/z_d", or "feed/3/z_d.1" in the second run of a
 * phase. */
static gan_tensor feed_tensor(struct replay *r, int step, int64_t run, const char *feed)
{
    bool second = strcmp(feed, "image_b") == 0;
    const char *what = strcmp(feed, "image") == 0 ? "real" : second ? "real_b" : feed;
    char name[96];
    gan_tensor t = {0};
    assert_true(gan__format(name, sizeof name, "feed/%d/%s", step, what));
    if (r->c->hashed) {
        return hashed_images(r->c, name, second ? r->c->channels_b : r->c->channels);
    }
    if (!find(r->file, name, &t)) {
        assert_true(gan__format(name, sizeof name, "feed/%d/%s.%d", step, what, (int)run));
        t = trace_tensor(r->file, name);
    }
    return converted(t, strcmp(feed, "label") == 0 ? GAN_I32 : r->c->real);
}

static bool takes_feed(const gan_graph *g, const char *name)
{
    char line_end[96], scoped[96];
    assert_true(gan__format(line_end, sizeof line_end, "= feed() %s\n", name));
    assert_true(gan__format(scoped, sizeof scoped, "= feed() %s  #", name));
    char *dump = gan_graph_dump(g, GAN_DUMP_TEXT);
    assert_non_null(dump);
    bool takes = strstr(dump, line_end) || strstr(dump, scoped);
    gan_text_free(dump);
    return takes;
}

/* Segments may update the same networks: they share a counter. */
static int64_t next_update(struct replay *r, const char *phase, int made)
{
    int k = 0;
    while (k < r->n_phases && strcmp(r->phase[k], phase) != 0) {
        k++;
    }
    if (k == r->n_phases) {
        assert_true(r->n_phases++ < MAX_NETS);
        assert_true(gan__copy(r->phase[k], sizeof r->phase[k], phase));
    }
    r->updates[k] += made;
    return r->updates[k] - made + 1;
}

static void run_segment(struct replay *r, int i, int step, int64_t run)
{
    static const char *const feeds[] = {"image", "image_b", "z",           "z_d",           "z_g",
                                        "y",     "other",   "pool.fake_a", "pool.fake_b",   "eps",
                                        "path",  "label",   "eps.disc",    "eps.disc_whole"};
    const struct gan__segment *seg = gan__step_segment(r->step, i);
    struct gan_feed_data data[MAX_FEEDS];
    struct gan_scalar_data scalars[GAN__OPTIM_SCALARS];
    char names[GAN__OPTIM_SCALARS][96];
    size_t n_feeds = 0, n_scalars = 0;
    for (size_t k = 0; k < sizeof feeds / sizeof *feeds; k++) {
        if (takes_feed(seg->graph, feeds[k])) {
            data[n_feeds++] = (struct gan_feed_data){feeds[k], feed_tensor(r, step, run, feeds[k])};
        }
    }
    for (int u = 0; u < seg->n_updates; u++) {
        const struct gan_optim *o = seg->update[u].optim;
        double values[GAN_OPTIM_MAX_SCALARS];
        int64_t update = next_update(r, seg->update[u].phase, 1 + seg->update[u].again);
        int n = gan_optim_scalar_count(o);
        for (int k = 0; k < n * (seg->update[u].ahead + 1); k++, n_scalars++) {
            gan_optim_scalars(o, update + k / n, STEPS, values);
            assert_true(gan_optim_feed_name(names[n_scalars], sizeof names[0], o,
                                            seg->update[u].phase, k / n, k % n));
            scalars[n_scalars] = (struct gan_scalar_data){names[n_scalars], values[k % n]};
        }
    }
    struct gan_run args = {
        .feeds = data, .n_feeds = n_feeds, .scalars = scalars, .n_scalars = n_scalars};
    NEED(gan_plan_run(r->plan[i], &args, err) == GAN_OK);
    for (size_t k = 0; k < n_feeds; k++) {
        free(data[k].value.data);
    }
}

static void check_reports(struct replay *r, int i, int step)
{
    const struct gan__segment *seg = gan__step_segment(r->step, i);
    for (int k = 0; k < seg->n_reports; k++) {
        const gan_tensor *got = gan_plan_output(r->plan[i], k);
        if (got->dtype == GAN_BOOL) {
            assert_true(gan_tensor_get(got, 0) == 1);
            continue;
        }
        char name[96], what[96];
        assert_true(gan__format(name, sizeof name, "trace/%s", seg->report[k].name));
        assert_true(gan__format(what, sizeof what, "%s of step %d", seg->report[k].name, step));
        gan_tensor want = trace_tensor(r->file, name);
        compare(r, what, gan_tensor_get(got, 0), gan_tensor_get(&want, step), r->c->trace_tol);
    }
}

static void check_entry(struct replay *r, const gan_state *got)
{
    char name[160];
    assert_true(gan__format(name, sizeof name, "final/%s", got->name));
    if (r->c->hashed) {
        hashed_compare(r->file, name, &got->value, r->c->final_tol);
        return;
    }
    gan_tensor want = trace_tensor(r->file, name);
    int64_t n = gan_shape_count(&got->value.shape);
    assert_int_equal(gan_shape_count(&want.shape), n);
    for (int64_t k = 0; k < n; k++) {
        compare(r, name, gan_tensor_get(&got->value, k), gan_tensor_get(&want, k), r->c->final_tol);
    }
}

/* Weights, statistics and image pools. */
static void check_final(struct replay *r)
{
    for (int i = 0; i < gan_store_count(r->store) && r->c->final_tol > 0; i++) {
        const gan_state *e = gan_store_at(r->store, i);
        if (e->kind == GAN_STATE_WEIGHT || e->kind == GAN_STATE_STATISTIC ||
            e->kind == GAN_STATE_POOL) {
            check_entry(r, e);
        }
    }
}

void trace_replay(const struct trace_case *c)
{
    struct replay r = {.c = c};
    open_model(&r);
    load_initial(&r);
    for (const struct forward *f = c->forward; f != NULL && f->net != NULL; f++) {
        check_forward(&r, f);
    }
    compile(&r);
    int steps = c->steps > 0 ? c->steps : STEPS;
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < gan__step_segments(r.step); i++) {
            const struct gan__segment *seg = gan__step_segment(r.step, i);
            int64_t runs = seg->repeated ? gan__runs_at(&seg->runs, step) : 1;
            for (int64_t run = 0; run < runs; run++) {
                run_segment(&r, i, step, run);
            }
            if (runs > 0) {
                check_reports(&r, i, step);
            }
        }
    }
    check_final(&r);
    assert_true(r.compared >= 6 * steps);
    for (int i = 0; i < gan__step_segments(r.step); i++) {
        gan_plan_free(r.plan[i]);
    }
    gan__step_free(r.step);
    gan_net_list_free(&r.nets);
    gan_store_free(r.store);
    gan_checkpoint_close(r.file);
    free(r.opts);
}
