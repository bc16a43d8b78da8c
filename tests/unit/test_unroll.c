/* test_unroll.c: derivatives through the discriminator's updates; the rule that is a network.
 *
 * G's gradient through K = 3 updates against central differences of the loss it descends, f64 on
 * `ref`: with h = 1e-5 the differences are good to about h^2 times the third derivative plus
 * 1e-16/h; 3e-10 of the largest component was measured, 1e-8 leaves a factor of thirty. The slots
 * start random, so that forgetting them would show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/philox.h"
#include "support/training.h"

enum { BATCH = 5, H = 1, W = 2, C = 2, Z = 3, PIXELS = BATCH * H * W * C };

/* The model's iteration up to G's loss, and G's gradient of it. */
struct world {
    struct training t;
    double image[PIXELS], z[BATCH * Z];
};

static void need(gan_status status, const gan_err *err)
{
    if (status != GAN_OK) {
        fail_msg("%s", err->message);
    }
}

static void fill(gan_store *st, gan_state_kind kind, double scale, bool positive)
{
    struct gan__rng rng;
    gan__rng_init(&rng, (uint64_t)kind + 11);
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *e = gan_store_at(st, i);
        bool square = positive && (strstr(e->name, ".v.") || strstr(e->name, ".square."));
        for (int64_t k = 0; e->kind == kind && k < gan_shape_count(&e->value.shape); k++) {
            double v = scale * (2 * gan__rng_uniform(&rng) - 1);
            gan_tensor_set(&e->value, k, square ? fabs(v) * scale : v);
        }
    }
}

static void open_world(struct world *w, const char *const *set)
{
    const struct gan_task task = {.height = H, .width = W, .channels = C};
    training_open(&w->t, "unrolled", set, &task, BATCH, true);
    struct gan__rng rng;
    gan__rng_init(&rng, 5);
    for (int i = 0; i < PIXELS; i++) {
        w->image[i] = 2 * gan__rng_uniform(&rng) - 1;
    }
    for (int i = 0; i < BATCH * Z; i++) {
        w->z[i] = 2 * gan__rng_uniform(&rng) - 1;
    }
    fill(w->t.store, GAN_STATE_WEIGHT, 0.9, false);
    fill(w->t.store, GAN_STATE_MOMENT, 0.1, true);
}

static gan_val report(const struct gan__segment *seg, const char *name)
{
    for (int i = 0; i < seg->n_reports; i++) {
        if (strcmp(seg->report[i].name, name) == 0) {
            return seg->report[i].val;
        }
    }
    fail_msg("no report %s", name);
    return GAN_NONE;
}

/* Outputs: G's loss, and the norm of its gradient. */
static void compile(struct world *w)
{
    const struct gan__segment *seg = gan__step_segment(w->t.step, 0);
    gan_err err = {0};
    gan_val out[2] = {report(seg, "loss.gen"), report(seg, "grad_norm.gen")};
    struct gan_plan_opts po = {.backend = "ref", .verify = true};
    w->t.plan = gan_plan_new(seg->graph, out, 2, &po, &err);
    need(w->t.plan != NULL ? GAN_OK : err.code, &err);
}

static double run(struct world *w)
{
    const struct gan__segment *seg = gan__step_segment(w->t.step, 0);
    struct gan_scalar_data scalars[GAN__OPTIM_SCALARS];
    char names[GAN__OPTIM_SCALARS][96];
    size_t n = 0;
    gan_err err = {0};
    for (int u = 0; u < seg->n_updates; u++) {
        const struct gan_optim *o = seg->update[u].optim;
        int per = gan_optim_scalar_count(o);
        for (int k = 0; k < per * (seg->update[u].ahead + 1); k++, n++) {
            double v[GAN_OPTIM_MAX_SCALARS];
            gan_optim_scalars(o, 4 + k / per, 10, v); /* three updates were made before */
            assert_true(gan_optim_feed_name(names[n], sizeof names[0], o, seg->update[u].phase,
                                            k / per, k % per));
            scalars[n] = (struct gan_scalar_data){names[n], v[k % per]};
        }
    }
    struct gan_feed_data feeds[] = {{"image", {GAN_F64, GAN_SHAPE(BATCH, H, W, C), w->image}},
                                    {"z", {GAN_F64, GAN_SHAPE(BATCH, Z), w->z}}};
    struct gan_run r = {.feeds = feeds, .n_feeds = 2, .scalars = scalars, .n_scalars = n};
    need(gan_plan_run(w->t.plan, &r, &err), &err);
    return gan_tensor_get(gan_plan_output(w->t.plan, 0), 0);
}

/* Everything in the store, to run again from the same state. */
struct copy {
    void *data[128];
    int n;
};

static struct copy save(const gan_store *st)
{
    struct copy c = {.n = gan_store_count(st)};
    assert_true(c.n <= 128);
    for (int i = 0; i < c.n; i++) {
        const gan_tensor *t = &gan_store_at(st, i)->value;
        c.data[i] = malloc(gan_tensor_bytes(t));
        memcpy(c.data[i], t->data, gan_tensor_bytes(t));
    }
    return c;
}

static void restore(const gan_store *st, const struct copy *c)
{
    for (int i = 0; i < c->n; i++) {
        const gan_tensor *t = &gan_store_at(st, i)->value;
        memcpy(t->data, c->data[i], gan_tensor_bytes(t));
    }
}

static void drop(struct copy *c)
{
    for (int i = 0; i < c->n; i++) {
        free(c->data[i]);
    }
}

/* G takes a step of plain descent with rate 1: its gradient is what its weights lost. */
static double gradient_of(const gan_store *st, const struct copy *before, int entry, int64_t k)
{
    const gan_tensor *t = &gan_store_at(st, entry)->value;
    return ((const double *)before->data[entry])[k] - gan_tensor_get(t, k);
}

/* dL/dw of every weight of G: what the update took, against (L(w+h) - L(w-h))/2h. */
static void check_gradient(const char *optim, const char *loss, const char *objective)
{
    const char *const set[] = {"unroll",   "3",         "z",          "3",    "width",
                               "4",        "optim-gen", "sgd:1",      "loss", loss,
                               "gen-loss", objective,   "optim-disc", optim,  NULL};
    const double h = 1e-5;
    struct world w;
    open_world(&w, set);
    compile(&w);
    struct copy before = save(w.t.store), after;
    (void)run(&w);
    after = save(w.t.store);
    double largest = 0, worst = 0;
    int compared = 0;
    for (int i = 0; i < gan_store_count(w.t.store); i++) {
        const gan_state *e = gan_store_at(w.t.store, i);
        bool of_gen = e->kind == GAN_STATE_WEIGHT && strncmp(e->name, "gen.", 4) == 0;
        for (int64_t k = 0; of_gen && k < gan_shape_count(&e->value.shape); k++, compared++) {
            double side[2];
            for (int s = 0; s < 2; s++) {
                restore(w.t.store, &before);
                gan_tensor_set(&e->value, k, gan_tensor_get(&e->value, k) + (s == 0 ? h : -h));
                side[s] = run(&w);
            }
            restore(w.t.store, &after);
            double got = gradient_of(w.t.store, &before, i, k);
            worst = fmax(worst, fabs(got - (side[0] - side[1]) / (2 * h)));
            largest = fmax(largest, fabs(got));
        }
    }
    assert_true(compared > 40 && largest > 1e-3);
    if (!(worst <= 1e-8 * largest)) {
        fail_msg("%s: gradients of up to %g differ by %g from differences", optim, largest, worst);
    }
    drop(&before);
    drop(&after);
    training_close(&w.t);
}

static void gradient_through_updates(void **state)
{
    (void)state;
    check_gradient("adam:.05,.5,.9", "nonsaturating", "negative");
    check_gradient("adam:.05,.9,.999", "nonsaturating", "own");
    check_gradient("sgd:.3", "nonsaturating", "negative");
    check_gradient("sgd:.3,.5", "lsgan", "own");
    check_gradient("rmsprop:.02,.9", "wasserstein", "negative");
    check_gradient("rmsprop-tf:.02,.9", "minimax", "negative");
}

/* Norm of G's gradient. */
static double grad_norm(const char *unroll, const char *objective)
{
    const char *const set[] = {"unroll", unroll,       "z",         "3",        "width",
                               "4",      "optim-disc", "sgd:.3",    "gen-loss", objective,
                               "loss",   "minimax",    "optim-gen", "sgd:1e-3", NULL};
    struct world w;
    open_world(&w, set);
    compile(&w);
    (void)run(&w);
    double norm = gan_tensor_get(gan_plan_output(w.t.plan, 1), 0);
    training_close(&w.t);
    return norm;
}

/* At K = 0 minus D's loss and the minimax loss of G differ by a term without G: the plain GAN's
 * gradient. At K = 1 they do not. Tolerance 1e-12: equal but for rounding. */
static void no_updates_are_the_plain_gan(void **state)
{
    (void)state;
    double a = grad_norm("0", "negative"), b = grad_norm("0", "own");
    assert_true(a > 1e-3 && fabs(a - b) <= 1e-12 * b);
    a = grad_norm("1", "negative");
    b = grad_norm("1", "own");
    assert_true(fabs(a - b) > 1e-6 * b);
}

/* A gradient that is exactly zero, of a dead unit, must not make the second derivative NaN. */
static void dead_units_are_no_trouble(void **state)
{
    (void)state;
    static const char *const rules[] = {"adam:.05,.5,.9", "rmsprop:.02,.9"};
    for (size_t i = 0; i < 2; i++) {
        const char *const set[] = {"unroll", "2",   "z",          "3",      "width", "4",
                                   "arch",   "toy", "optim-disc", rules[i], NULL};
        struct world w;
        open_world(&w, set);
        fill(w.t.store, GAN_STATE_MOMENT, 0, false);
        const gan_state *e = gan_store_at(w.t.store, gan_store_find(w.t.store, "disc.main.0.bias"));
        gan_tensor_set(&e->value, 1, -100);
        compile(&w);
        assert_true(isfinite(run(&w)));
        assert_true(isfinite(gan_tensor_get(gan_plan_output(w.t.plan, 1), 0)));
        training_close(&w.t);
    }
}

/* Twenty updates of the ring's nets: a bounded graph that compiles in under two seconds. */
static void twenty_updates_compile(void **state)
{
    (void)state;
    const char *const set[] = {"unroll", "20", "z", "3", NULL};
    struct world w;
    open_world(&w, set);
    int64_t nodes = gan_graph_nodes(gan__step_segment(w.t.step, 0)->graph);
    compile(&w);
    double ms = gan_plan_info(w.t.plan).compile_ms;
    assert_true(nodes > 2000 && nodes < 50000);
    if (ms > 2000) {
        fail_msg("%lld nodes compile in %.0f ms, allowed are 2000", (long long)nodes, ms);
    }
    training_close(&w.t);
}

static void too_many_updates(void **state)
{
    (void)state;
    gan_err err = {0};
    const struct gan_model *m = gan_model_find("unrolled", NULL);
    void *opts = calloc(1, m->size);
    assert_int_equal(gan_opt_defaults(m->opts, opts, &err), GAN_OK);
    assert_int_equal(gan_opt_set(m->opts, opts, "unroll", "21", &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "20"));
    free(opts);
}

static void network_of_lstm(gan_nn *nn, const gan_val *in, gan_val *out, const void *units)
{
    const struct gan_lstm_state zero = {in[1], in[1]};
    const int64_t *n = units;
    out[0] = gan_lstm(nn, "l", in[0], zero, (struct gan_lstm){.units = *n}).h;
}

/* States of another width than the layer are named, not multiplied. */
static void lstm_wants_its_states(void **state)
{
    (void)state;
    const int64_t units[] = {4, 5};
    gan_err err = {0};
    for (int i = 0; i < 2; i++) {
        gan_store *st = gan_store_new();
        gan_net *net = gan_net_new(
            st,
            &(struct gan_net_desc){.name = "t",
                                   .fn = network_of_lstm,
                                   .opts = &units[i],
                                   .in = {{.shape = GAN_SHAPE(2, 3)}, {.shape = GAN_SHAPE(2, 4)}},
                                   .n_in = 2},
            &err);
        if (i == 0) {
            assert_non_null(net);
            assert_int_equal(gan_net_params(net), 16 * 3 + 16 * 4 + 2 * 16);
        } else {
            assert_null(net);
            assert_int_equal(err.code, GAN_E_SHAPE);
            assert_non_null(strstr(err.message, "t/l"));
        }
        gan_net_free(net);
        gan_store_free(st);
    }
}

/* A learned rule keeps 80 numbers for each coordinate, whatever the shape, and its weights stay. */
static void learned_rule_keeps_states(void **state)
{
    (void)state;
    const char *const set[] = {"unroll",     "2",   "z",         "3",   "width", "4",
                               "optim-disc", "l2l", "optim-gen", "l2l", NULL};
    struct world w;
    open_world(&w, set);
    const gan_state *slot =
        gan_store_at(w.t.store, gan_store_find(w.t.store, "optim.gen.lstm.gen.main.2.weight"));
    const gan_state *weight =
        gan_store_at(w.t.store, gan_store_find(w.t.store, "opt.lstm1.weight_hh"));
    assert_non_null(slot);
    assert_non_null(weight);
    const gan_shape want = GAN_SHAPE(16, 80);
    assert_true(gan_shape_equal(&slot->value.shape, &want));
    compile(&w);
    struct copy before = save(w.t.store);
    assert_true(isfinite(run(&w)));
    int moved = 0;
    for (int i = 0; i < gan_store_count(w.t.store); i++) {
        const gan_state *e = gan_store_at(w.t.store, i);
        bool same = memcmp(before.data[i], e->value.data, gan_tensor_bytes(&e->value)) == 0;
        bool learned = strncmp(e->name, "opt.", 4) == 0;
        assert_true(same || !learned);
        moved += !same;
    }
    assert_true(moved >= 24); /* six weights of each network and their slots */
    drop(&before);
    training_close(&w.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_through_updates),  cmocka_unit_test(no_updates_are_the_plain_gan),
        cmocka_unit_test(dead_units_are_no_trouble), cmocka_unit_test(twenty_updates_compile),
        cmocka_unit_test(too_many_updates),          cmocka_unit_test(lstm_wants_its_states),
        cmocka_unit_test(learned_rule_keeps_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
