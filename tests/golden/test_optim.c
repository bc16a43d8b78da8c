/* test_optim.c: every update rule over twelve updates against torch.optim, and
 * against the formulas written out where PyTorch has no such rule. Row 3 of the
 * gradients is zero.
 *
 * Tolerance 1e-9 (1 + |v|): both sides compute in f64. */
#include <gan/optim.h>
#include <gan/plan.h>

#include "base/str.h"
#include "support/st.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/close.h"

static const double tolerance = 1e-9;

static const struct optim_case {
    const char *name, *text;
    double clip;
    const char *scalar[2]; /* scalars the file also records */
} cases[] = {
    {"sgd", "sgd:.1,.5", 0, {NULL}},
    {"sgd_paper", "sgd-gan2014:.1,1.000004,1e-6,.7,8", 0, {"lr", "momentum"}},
    {"sgd_paper_floor", "sgd-gan2014:.1,1.5,.02,.7,8", 0, {"lr", "momentum"}},
    {"rmsprop_torch", "rmsprop:.01,.99,1e-8", 0, {NULL}},
    {"rmsprop_tf", "rmsprop-tf:.01,.9,1e-10,0", 0, {NULL}},
    {"rmsprop_tf_ones", "rmsprop-tf:.01,.9,1e-10", 0, {NULL}},
    {"adam", "adam:.02,.5,.999", 0, {NULL}},
    {"adamw", "adamw:.02,.9,.999,1e-8,.01", 0, {NULL}},
    {"ogd", "ogd:.1", 0, {NULL}},
    {"oadam", "oadam:.02,.5,.999", 0, {NULL}},
    {"adam_moving", "adam:.02,0,0.9..0.99@cosine:.25", 0, {NULL}},
    {"adam_clip", "adam:.02,.5,.999,1e-8", 1, {NULL}},
};

enum { N_CASES = sizeof cases / sizeof cases[0], STEPS = 12, N = 9, HALF = 4 };

/* The parameter lies in two entries, so that the norm is one over all of them.
 */
static const char *const names[] = {"p.a", "p.b"};
static const int64_t sizes[] = {HALF, N - HALF};

static gan_plan *make_plan(gan_store *store, const struct gan_optim *o)
{
    gan_err err = {0};
    gan_graph *g = gan_graph_new(store, GAN_F64);
    gan_val all = gan_feed(g, "grad", GAN_F64, GAN_SHAPE(N)), params[2], grads[2];
    for (int i = 0; i < 2; i++) {
        params[i] = gan_state_get(g, names[i]);
        grads[i] = gan_slice_axis(g, all, 0, i * HALF, sizes[i]);
    }
    struct gan_update u;
    gan_optim_apply(g, o,
                    &(struct gan_optim_args){
                        .phase = "disc", .names = names, .params = params, .grads = grads, .n = 2},
                    &u);
    gan_val out[] = {u.grad_norm, u.ok};
    gan_plan *p = gan_plan_new(g, out, 2, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    gan_graph_free(g);
    return p;
}

static gan_store *make_store(const double *start)
{
    gan_store *store = gan_store_new();
    for (int i = 0; i < 2; i++) {
        int k =
            gan_store_add(store, names[i], GAN_STATE_WEIGHT, GAN_F64, GAN_SHAPE(sizes[i]), NULL);
        memcpy(gan_store_at(store, k)->value.data, start + i * HALF,
               (size_t)sizes[i] * sizeof *start);
    }
    return store;
}

static void read_params(const gan_store *store, double *dst)
{
    for (int i = 0; i < 2; i++) {
        const gan_state *s = gan_store_at(store, gan_store_find(store, names[i]));
        memcpy(dst + i * HALF, s->value.data, (size_t)sizes[i] * sizeof *dst);
    }
}

static void run_update(gan_plan *p, const struct gan_optim *o, int64_t t, gan_tensor grad)
{
    double values[GAN_OPTIM_MAX_SCALARS];
    char full[GAN_OPTIM_MAX_SCALARS][64];
    struct gan_scalar_data scalars[GAN_OPTIM_MAX_SCALARS];
    gan_err err = {0};
    int n = gan_optim_scalar_count(o);
    gan_optim_scalars(o, t, STEPS, values);
    for (int i = 0; i < n; i++) {
        assert_true(gan__format(full[i], sizeof full[i], "disc.%s", gan_optim_scalar_name(o, i)));
        scalars[i] = (struct gan_scalar_data){full[i], values[i]};
    }
    const struct gan_feed_data feed = {"grad", grad};
    struct gan_run run = {.feeds = &feed, .n_feeds = 1, .scalars = scalars, .n_scalars = (size_t)n};
    if (gan_plan_run(p, &run, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

/* Row t of a [STEPS,N] tensor. */
static gan_tensor row(gan_tensor t, int k)
{
    return (gan_tensor){GAN_F64, GAN_SHAPE(N), (double *)t.data + (ptrdiff_t)k * N};
}

static double at(const struct st *f, const char *name, const char *what, int k)
{
    gan_tensor t = st_get(f, "%s/%s", name, what);
    return gan_tensor_get(&t, k);
}

static void check_scalars(const struct st *f, const struct optim_case *c, const struct gan_optim *o,
                          int k)
{
    double values[GAN_OPTIM_MAX_SCALARS];
    gan_optim_scalars(o, k + 1, STEPS, values);
    for (int i = 0; i < 2 && c->scalar[i] != NULL; i++) {
        assert_string_equal(gan_optim_scalar_name(o, i), c->scalar[i]);
        assert_close(values[i], at(f, c->name, c->scalar[i], k), 1e-15);
    }
}

static void run_case(const struct st *f, const struct optim_case *c)
{
    struct gan_optim o;
    gan_err err = {0};
    gan_tensor start = st_tensor(f, "start"), grads = st_tensor(f, "grad");
    gan_tensor want = st_get(f, "%s/param", c->name);
    assert_int_equal(gan_optim_parse(c->text, &o, &err), GAN_OK);
    o.clip = c->clip;
    gan_store *store = make_store(start.data);
    gan_plan *p = make_plan(store, &o);
    for (int k = 0; k < STEPS; k++) {
        double got[N];
        run_update(p, &o, k + 1, row(grads, k));
        read_params(store, got);
        gan_tensor t = {GAN_F64, GAN_SHAPE(N), got}, expected = row(want, k);
        st_close_to(c->name, &t, &expected, tolerance);
        check_scalars(f, c, &o, k);
        if (c->clip > 0) {
            assert_close(gan_tensor_get(gan_plan_output(p, 0), 0), at(f, c->name, "norm", k),
                         tolerance);
        }
        assert_true(gan_tensor_get(gan_plan_output(p, 1), 0) != 0);
    }
    gan_plan_free(p);
    gan_store_free(store);
}

static void test_rules(void **state)
{
    (void)state;
    struct st *f = st_open("optim");
    for (int i = 0; i < N_CASES; i++) {
        run_case(f, &cases[i]);
    }
    st_close(f);
}

/* A gradient with one NaN or infinity changes neither weights nor moments; the
 * next update goes on as if the bad one had not been. Tolerance 0: nothing is
 * written. */
static void test_guard(void **state)
{
    (void)state;
    const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct st *f = st_open("optim");
    gan_tensor start = st_tensor(f, "start"), grads = st_tensor(f, "grad");
    for (int i = 0; i < N_CASES; i++) {
        struct gan_optim o;
        assert_int_equal(gan_optim_parse(cases[i].text, &o, NULL), GAN_OK);
        o.clip = cases[i].clip;
        gan_store *store = make_store(start.data);
        gan_plan *p = make_plan(store, &o);
        run_update(p, &o, 1, row(grads, 0));
        for (int b = 0; b < 3; b++) {
            double poisoned[N], before[N], after[N];
            unsigned char moments[4][N * sizeof(double)] = {{0}};
            memcpy(poisoned, row(grads, 1).data, sizeof poisoned);
            poisoned[5] = bad[b];
            read_params(store, before);
            for (int k = 2, m = 0; k < gan_store_count(store) && m < 4; k++, m++) {
                const gan_tensor *t = &gan_store_at(store, k)->value;
                memcpy(moments[m], t->data, gan_tensor_bytes(t));
            }
            run_update(p, &o, 2, (gan_tensor){GAN_F64, GAN_SHAPE(N), poisoned});
            read_params(store, after);
            assert_memory_equal(before, after, sizeof before);
            assert_true(gan_tensor_get(gan_plan_output(p, 1), 0) == 0);
            for (int k = 2, m = 0; k < gan_store_count(store) && m < 4; k++, m++) {
                const gan_tensor *t = &gan_store_at(store, k)->value;
                assert_memory_equal(moments[m], t->data, gan_tensor_bytes(t));
            }
        }
        gan_plan_free(p);
        gan_store_free(store);
    }
    st_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
