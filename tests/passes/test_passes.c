/* test_passes.c: a graph means the same with no pass, with each alone, with each left out, with all.
 *
 * dce, cse, inplace, memplan, order, fuse, fuse_again, fuse_sum and bundle change neither operations nor
 * their order inside an element or a sum (a program sums by the blocks of the sum kernel):
 * outputs and the whole store must agree bit for bit, over several runs. fold, simplify, epilogue and norm
 * round elsewhere (pass_*.c say where): one run must agree within 3e-4 of the largest magnitude of
 * each output in f32 on cpu (a conv of some hundred terms, amplified by batch normalisation of few
 * samples and by second derivatives) and 1e-9 in f64 on ref. The verifier runs after each pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/philox.h"
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>

enum { MAX_OUT = 24, RUNS = 3 };

/* A graph under test with its store. */
struct subject {
    gan_store *store;
    gan_graph *g;
    gan_net *nets[2];
    gan_val out[MAX_OUT];
    int n_out;
};

static void output(struct subject *s, gan_val v)
{
    assert_true(s->n_out < MAX_OUT);
    s->out[s->n_out++] = v;
}

static gan_net *net_new(struct subject *s, const char *name, gan_net_fn fn, gan_shape in,
                        gan_dtype real)
{
    gan_err err = {0};
    gan_net *n =
        gan_net_new(s->store,
                    &(struct gan_net_desc){
                        .name = name, .fn = fn, .in = {{.shape = in}}, .n_in = 1, .real = real},
                    &err);
    if (!n || gan_net_init(n, 7, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return n;
}

/* Loss, its derivatives as outputs, an Adam step. */
static void train(struct subject *s, gan_net *net, const char *phase, gan_val loss)
{
    gan_err err = {0};
    gan_graph *g = s->g;
    const char *names[32];
    gan_val params[32], grads[32];
    struct gan_optim o;
    struct gan_update u;
    int n = gan_net_weights(g, net, names, params);
    assert_true(n <= 32);
    assert_int_equal(gan_optim_parse("adam:1e-2,.5,.999", &o, &err), GAN_OK);
    gan_grad(g, loss, params, n, grads);
    gan_optim_apply(g, &o,
                    &(struct gan_optim_args){
                        .phase = phase, .names = names, .params = params, .grads = grads, .n = n},
                    &u);
    output(s, loss);
    output(s, u.grad_norm);
    for (int i = 0; i < n && i < 6; i++) {
        output(s, grads[i]);
    }
}

/* --- subjects --------------------------------------------------------------------------------- */

static void mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = gan_linear(nn, "0", in[0], (struct gan_linear){.out = 24, .bias = true});
    h = gan_linear(nn, "1", gan_tanh(g, h), (struct gan_linear){.out = 16, .bias = true});
    h = gan_leaky_relu(g, h, 0.2);
    out[0] = gan_linear(nn, "2", h, (struct gan_linear){.out = 1, .bias = true});
}

/* Regression with an MLP, Adam, dropout-like noise. */
static void build_mlp(struct subject *s, gan_dtype real)
{
    gan_graph *g = s->g;
    gan_net *net = s->nets[0] = net_new(s, "net", mlp, GAN_SHAPE(1, 10), real);
    gan_val x = gan_random_normal(g, "x", GAN_SHAPE(32, 10)), y;
    gan_net_apply(g, net, NULL, GAN_TRAIN, &x, &y);
    gan_val target = gan_mean(g, gan_square(g, x), GAN_AXIS(1), true);
    train(s, net, "net", gan_mean_all(g, gan_square(g, gan_sub(g, y, target))));
    output(s, y);
}

static void conv_gen(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = gan_conv_transpose(nn, "0", in[0], (struct gan_conv_layer){.out = 16, .kernel = 4});
    h = gan_relu(g, gan_batch_norm(nn, "1", h, (struct gan_norm){0}));
    struct gan_conv_layer up = {.out = 3, .kernel = 4, .stride = 2, .pad = 1, .bias = true};
    out[0] = gan_tanh(g, gan_conv_transpose(nn, "2", h, up));
}

static void conv_disc(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_conv_layer down = {.out = 16, .kernel = 4, .stride = 2, .pad = 1, .bias = true};
    gan_val h = gan_leaky_relu(g, gan_conv(nn, "0", in[0], down), 0.2);
    h = gan_batch_norm(nn, "1", gan_conv(nn, "2", h, down), (struct gan_norm){0});
    h = gan_leaky_relu(g, h, 0.2);
    out[0] = gan_linear(nn, "3", gan_flatten(g, h), (struct gan_linear){.out = 1});
}

/* D on reals and fakes (two updates of its statistics), then G through the new D. */
static void build_gan(struct subject *s, gan_dtype real)
{
    gan_graph *g = s->g;
    gan_net *gen = s->nets[0] = net_new(s, "gen", conv_gen, GAN_SHAPE(1, 1, 1, 8), real);
    gan_net *disc = s->nets[1] = net_new(s, "disc", conv_disc, GAN_SHAPE(1, 8, 8, 3), real);
    gan_val x = gan_random_uniform(g, "x", GAN_SHAPE(8, 8, 8, 3)), fake, on_real, on_fake;
    gan_val z = gan_random_normal(g, "z", GAN_SHAPE(8, 1, 1, 8));
    gan_net_apply(g, gen, NULL, GAN_TRAIN, &z, &fake);
    gan_net_apply(g, disc, NULL, GAN_TRAIN, &x, &on_real);
    gan_val cut = gan_stop(g, fake);
    gan_net_apply(g, disc, NULL, GAN_TRAIN, &cut, &on_fake);
    train(s, disc, "disc",
          gan_add(g, gan_mean_all(g, gan_softplus(g, gan_neg(g, on_real))),
                  gan_mean_all(g, gan_softplus(g, on_fake))));
    gan_net_apply(g, disc, NULL, GAN_TRAIN, &fake, &on_fake);
    train(s, gen, "gen", gan_mean_all(g, gan_softplus(g, gan_neg(g, on_fake))));
    output(s, fake);
}

static void critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_conv_layer down = {.out = 8, .kernel = 3, .stride = 2, .pad = 1, .bias = true};
    gan_val h = gan_leaky_relu(g, gan_conv(nn, "0", in[0], down), 0.2);
    h = gan_instance_norm(nn, "1", gan_conv(nn, "2", h, down), (struct gan_norm){0});
    h = gan_tanh(g, h);
    out[0] = gan_linear(nn, "3", gan_flatten(g, h), (struct gan_linear){.out = 1, .bias = true});
}

/* Second derivatives: (|d score/d x| - 1)^2. */
static void build_penalty(struct subject *s, gan_dtype real)
{
    gan_graph *g = s->g;
    gan_net *net = s->nets[0] = net_new(s, "critic", critic, GAN_SHAPE(1, 8, 8, 2), real);
    gan_val x = gan_random_normal(g, "x", GAN_SHAPE(4, 8, 8, 2)), score, slope;
    gan_net_apply(g, net, NULL, GAN_TRAIN, &x, &score);
    gan_grad(g, gan_sum_all(g, score), &x, 1, &slope);
    gan_val norm = gan_sqrt(
        g, gan_sum(g, gan_square(g, slope), GAN_AXIS(1) | GAN_AXIS(2) | GAN_AXIS(3), false));
    gan_val penalty = gan_mean_all(g, gan_square(g, gan_shift(g, norm, -1.0)));
    train(s, net, "critic", gan_sub(g, gan_scale(g, penalty, 10.0), gan_mean_all(g, score)));
    output(s, slope);
}

/* --- random graphs ------------------------------------------------------------------------------ */

static gan_val random_unary(gan_graph *g, gan_val x, uint64_t kind)
{
    switch (kind) {
    case 0:
        return gan_tanh(g, x);
    case 1:
        return gan_sigmoid(g, x);
    case 2:
        return gan_leaky_relu(g, x, 0.1);
    case 3:
        return gan_scale(g, gan_scale(g, x, 0.5), -1.0);
    case 4:
        return gan_neg(g, gan_neg(g, gan_abs(g, x)));
    case 5:
        return gan_select(g, gan_greater(g, x, gan_zeros_like(g, x)), x, gan_tanh(g, x));
    case 6:
        return gan_stop(g, gan_clamp(g, x, -1.0, 1.0));
    default:
        return gan_softplus(g, x);
    }
}

/* A value of shape [4,6,5] from one of the same, by way of other shapes. */
static gan_val random_detour(gan_graph *g, gan_val x, uint64_t kind)
{
    gan_shape s = gan_shape_get(g, x);
    static const int perm[3] = {2, 0, 1}, back[3] = {1, 2, 0};
    switch (kind) {
    case 0: /* per sample */
        return gan_sub(g, x, gan_broadcast(g, gan_mean(g, x, 6, true), s));
    case 1: /* last axis */
        return gan_mul(g, x, gan_tanh(g, gan_sum(g, x, 3, true)));
    case 2: /* middle axis */
        return gan_add(g, x, gan_mean(g, x, 5, true));
    case 3:
        return gan_transpose(g, gan_tanh(g, gan_transpose(g, x, perm)), back);
    case 4:
        return gan_reshape(g, gan_sigmoid(g, gan_reshape(g, x, GAN_SHAPE(120))), s);
    case 5:
        return gan_mul(g, x, gan_sum(g, gan_broadcast(g, gan_mean_all(g, x), s), 7, true));
    case 6: {
        gan_val a = gan_slice_axis(g, x, 1, 0, 2), b = gan_slice_axis(g, x, 1, 2, 4);
        return gan_concat(g, (gan_val[]){b, a}, 2, 1);
    }
    default:
        return gan_tanh(g, gan_matmul(g, x, gan_matmul(g, x, x, true, false), false, false));
    }
}

static gan_val random_binary(gan_graph *g, gan_val a, gan_val b, uint64_t kind)
{
    switch (kind) {
    case 0:
        return gan_add(g, a, b);
    case 1:
        return gan_sub(g, a, b);
    case 2:
        return gan_mul(g, gan_tanh(g, a), b);
    case 3:
        return gan_max(g, a, b);
    default:
        return gan_div(g, a, gan_shift(g, gan_square(g, b), 1.0));
    }
}

static void build_random(struct subject *s, uint64_t seed)
{
    gan_graph *g = s->g;
    gan_err err = {0};
    struct gan__rng r;
    gan__rng_init(&r, seed);
    enum { POOL = 12, NODES = 60 };
    gan_val pool[POOL];
    gan_shape shape = GAN_SHAPE(4, 6, 5);
    static const char *const names[3] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        int at =
            gan_store_add(s->store, names[i], GAN_STATE_WEIGHT, gan_graph_real(g), shape, &err);
        const gan_tensor *t = &gan_store_at(s->store, at)->value;
        for (int64_t k = 0; k < 120; k++) {
            gan_tensor_set(t, k, gan__rng_normal(&r));
        }
    }
    for (int i = 0; i < POOL; i++) {
        pool[i] = i < 3 ? gan_state_get(g, names[i]) : gan_random_normal(g, "n", shape);
    }
    for (int i = 0; i < NODES; i++) {
        gan_val a = pool[gan__rng_below(&r, POOL)], b = pool[gan__rng_below(&r, POOL)], y;
        uint64_t kind = gan__rng_below(&r, 8);
        if (kind < 3) {
            y = random_unary(g, a, gan__rng_below(&r, 8));
        } else if (kind < 6) {
            y = random_binary(g, a, b, gan__rng_below(&r, 5));
        } else {
            y = random_detour(g, a, gan__rng_below(&r, 8));
        }
        y = gan_clamp(g, y, -8.0, 8.0);
        pool[gan__rng_below(&r, POOL)] = y;
        if (gan__rng_below(&r, 6) == 0) {
            const char *name = names[gan__rng_below(&r, 3)];
            gan_state_set(g, name, gan_tanh(g, y));
            if (gan__rng_below(&r, 2) == 0) {
                pool[gan__rng_below(&r, POOL)] = gan_state_get(g, name);
            }
        }
    }
    for (int i = 0; i < 4; i++) {
        output(s, pool[i]);
    }
    gan_val loss = gan_mean_all(g, gan_square(g, pool[4])), wrt = pool[5], d;
    if (gan_depends(g, loss, wrt)) {
        gan_grad(g, loss, &wrt, 1, &d);
        output(s, d);
    }
}

/* --- comparison --------------------------------------------------------------------------------- */

enum { MLP, GAN, PENALTY, RANDOM };

static void subject_open(struct subject *s, int which, gan_dtype real)
{
    gan_err err = {0};
    memset(s, 0, sizeof *s);
    s->store = gan_store_new();
    s->g = gan_graph_new(s->store, real);
    if (which == MLP) {
        build_mlp(s, real);
    } else if (which == GAN) {
        build_gan(s, real);
    } else if (which == PENALTY) {
        build_penalty(s, real);
    } else {
        build_random(s, (uint64_t)which);
    }
    if (gan_graph_status(s->g, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

static void subject_close(struct subject *s)
{
    gan_graph_free(s->g);
    gan_net_free(s->nets[0]);
    gan_net_free(s->nets[1]);
    gan_store_free(s->store);
}

/* Numbers of a run: all outputs, then the whole store. */
struct trace {
    double *v;
    size_t n, n_outputs;
    size_t ends[MAX_OUT]; /* of each output */
    struct gan_plan_info info;
};

static void record(struct trace *t, const gan_tensor *x)
{
    int64_t n = gan_shape_count(&x->shape);
    t->v = realloc(t->v, (t->n + (size_t)n) * sizeof *t->v);
    assert_non_null(t->v);
    for (int64_t i = 0; i < n; i++) {
        t->v[t->n++] = gan_tensor_get(x, i);
    }
}

static struct trace run_subject(int which, gan_dtype real, const struct gan_plan_opts *o, int runs)
{
    struct subject s;
    struct trace t = {0};
    gan_err err = {0};
    subject_open(&s, which, real);
    gan_plan *p = gan_plan_new(s.g, s.out, s.n_out, o, &err);
    if (!p) {
        fail_msg("subject %d without %s: %s", which, o->without ? o->without : "", err.message);
    }
    struct gan_scalar_data scalars[8];
    size_t n = 0;
    struct gan_optim opt;
    assert_int_equal(gan_optim_parse("adam:1e-2,.5,.999", &opt, &err), GAN_OK);
    static const char *const phases[4][2] = {
        {"net", NULL}, {"gen", "disc"}, {"critic", NULL}, {NULL, NULL}};
    char text[8][64];
    for (int run = 0; run < runs; run++) {
        double values[GAN_OPTIM_MAX_SCALARS];
        gan_optim_scalars(&opt, run + 1, 100, values);
        n = 0;
        for (int k = 0; k < 2; k++) {
            const char *phase = phases[which < RANDOM ? which : RANDOM][k];
            for (int i = 0; phase && i < gan_optim_scalar_count(&opt); i++) {
                size_t len = strlen(phase);
                memcpy(text[n], phase, len);
                text[n][len] = '.';
                const char *name = gan_optim_scalar_name(&opt, i);
                memcpy(text[n] + len + 1, name, strlen(name) + 1);
                scalars[n] = (struct gan_scalar_data){text[n], values[i]};
                n++;
            }
        }
        struct gan_run r = {
            .seed = 3, .iteration = (uint64_t)run, .scalars = scalars, .n_scalars = n};
        if (gan_plan_run(p, &r, &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
        for (int i = 0; i < s.n_out; i++) {
            record(&t, gan_plan_output(p, i));
            t.ends[i] = t.n;
        }
        t.n_outputs = t.n;
    }
    for (int i = 0; i < gan_store_count(s.store); i++) {
        record(&t, &gan_store_at(s.store, i)->value);
    }
    t.info = gan_plan_info(p);
    gan_plan_free(p);
    subject_close(&s);
    return t;
}

static void same_bits(const struct trace *a, const struct trace *b, const char *what, int which)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        if (memcmp(&a->v[i], &b->v[i], sizeof a->v[i]) != 0) {
            fail_msg("subject %d, %s: number %zu of %zu is %.17g, expected %.17g", which, what, i,
                     a->n, a->v[i], b->v[i]);
        }
    }
}

static void close_numbers(const struct trace *a, const struct trace *b, double tolerance,
                          const char *what, int which)
{
    size_t begin = 0;
    assert_int_equal(a->n, b->n);
    for (int k = 0; begin < b->n_outputs; begin = b->ends[k++]) {
        /* the derivative towards a bias in front of a normalisation is 0 up to the roundings of
         * its terms, some 0.1 */
        double scale = 5e-3;
        for (size_t i = begin; i < b->ends[k]; i++) {
            scale = fmax(scale, fabs(b->v[i]));
        }
        for (size_t i = begin; i < b->ends[k]; i++) {
            if (!(fabs(a->v[i] - b->v[i]) <= tolerance * scale)) {
                fail_msg("subject %d, %s: output %d is %.9g, expected %.9g (scale %.3g)", which,
                         what, k, a->v[i], b->v[i], scale);
            }
        }
    }
}

/* fuse_again, fuse_sum and bundle do nothing alone: they are compared with fuse. */
static const char *const exact[] = {"order",
                                    "recompute",
                                    "order and recompute",
                                    "dce",
                                    "cse",
                                    "inplace",
                                    "memplan",
                                    "fuse",
                                    "fuse and fuse_again",
                                    "fuse and fuse_sum",
                                    "fuse, fuse_again and fuse_sum",
                                    "fuse and bundle"};
static const char *const rounding[] = {"fold", "simplify", "epilogue", "norm"};

/* All passes but those that `kept` names, in the form of gan_plan_opts.without. */
static const char *all_but(const char *kept, char *list, size_t cap)
{
    static const char *const names[] = {"fold",     "simplify",   "cse",       "dce",     "fuse",
                                        "fuse_sum", "fuse_again", "epilogue",  "inplace", "memplan",
                                        "norm",     "order",      "recompute", "bundle"};
    size_t n = 0;
    list[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]);
        bool keep = false;
        for (const char *at = strstr(kept, names[i]); at && !keep; at = strstr(at + 1, names[i])) {
            keep = (at == kept || at[-1] == ' ') && (at[len] == '\0' || strchr(" ,", at[len]));
        }
        if (!keep) {
            assert_true(n + len + 2 < cap);
            memcpy(list + n, names[i], len);
            n += len;
            list[n++] = ',';
            list[n] = '\0';
        }
    }
    return list;
}

/* With all other passes, recomputation changes no bit and needs no more memory. */
static void compare_recompute(int which, gan_dtype real, const char *backend)
{
    struct gan_plan_opts o = {.backend = backend, .verify = true};
    struct trace kept = run_subject(which, real, &o, RUNS);
    for (int mode = GAN_RECOMPUTE_CHEAP; mode <= GAN_RECOMPUTE_FULL; mode++) {
        o.recompute = (enum gan_recompute)mode;
        struct trace t = run_subject(which, real, &o, RUNS);
        same_bits(&t, &kept, mode == GAN_RECOMPUTE_FULL ? "full recompute" : "cheap recompute",
                  which);
        assert_true(t.info.live_bytes <= kept.info.live_bytes);
        assert_true(t.info.flops >= kept.info.flops);
        assert_true(mode == GAN_RECOMPUTE_FULL || t.info.heavy_flops == kept.info.heavy_flops);
        free(t.v);
    }
    free(kept.v);
}

static void compare(int which, gan_dtype real, const char *backend, double tolerance)
{
    char list[160];
    struct gan_plan_opts o = {
        .backend = backend, .without = "all", .verify = true, .recompute = GAN_RECOMPUTE_FULL};
    struct trace none = run_subject(which, real, &o, RUNS);
    struct trace once = run_subject(which, real, &o, 1);
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        o.without = all_but(exact[i], list, sizeof list);
        struct trace t = run_subject(which, real, &o, RUNS);
        same_bits(&t, &none, exact[i], which);
        free(t.v);
    }
    for (size_t i = 0; i < sizeof rounding / sizeof *rounding; i++) {
        o.without = all_but(rounding[i], list, sizeof list);
        struct trace t = run_subject(which, real, &o, 1);
        close_numbers(&t, &once, tolerance, rounding[i], which);
        free(t.v);
    }
    o.recompute = GAN_RECOMPUTE_NONE;
    o.without = "fold,simplify,epilogue,norm"; /* all exact ones together */
    struct trace t = run_subject(which, real, &o, RUNS);
    same_bits(&t, &none, "all exact passes", which);
    assert_true(t.info.steps <= none.info.steps);
    assert_true(t.info.workspace_bytes <= none.info.workspace_bytes);
    free(t.v);
    o.without = NULL;
    t = run_subject(which, real, &o, 1);
    close_numbers(&t, &once, tolerance, "all passes", which);
    assert_true(t.info.steps <= none.info.steps);
    free(t.v);
    free(none.v);
    free(once.v);
    compare_recompute(which, real, backend);
}

static void test_mlp(void **state)
{
    (void)state;
    compare(MLP, GAN_F32, "cpu", 3e-4);
    compare(MLP, GAN_F64, "ref", 1e-9);
}

static void test_gan(void **state)
{
    (void)state;
    compare(GAN, GAN_F32, "cpu", 3e-4);
    compare(GAN, GAN_F64, "ref", 1e-9);
}

static void test_penalty(void **state)
{
    (void)state;
    compare(PENALTY, GAN_F32, "cpu", 3e-4);
    compare(PENALTY, GAN_F64, "ref", 1e-9);
}

static void test_random(void **state)
{
    (void)state;
    for (int seed = RANDOM + 1; seed < RANDOM + 41; seed++) {
        compare(seed, GAN_F32, "cpu", 3e-4);
    }
    for (int seed = RANDOM + 1; seed < RANDOM + 11; seed++) {
        compare(seed, GAN_F64, "ref", 1e-9);
    }
}

/* Threads only share out tiles. */
static void test_threads(void **state)
{
    (void)state;
    for (int seed = RANDOM + 1; seed < RANDOM + 6; seed++) {
        struct gan_plan_opts o = {.threads = 1, .verify = true};
        struct trace one = run_subject(seed, GAN_F32, &o, RUNS);
        o.threads = 3;
        struct trace three = run_subject(seed, GAN_F32, &o, RUNS);
        same_bits(&three, &one, "three threads", seed);
        free(one.v);
        free(three.v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mlp),     cmocka_unit_test(test_gan),
        cmocka_unit_test(test_penalty), cmocka_unit_test(test_random),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
