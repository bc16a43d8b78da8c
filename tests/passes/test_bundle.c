/* test_bundle.c: the updates of an optimiser run as one step and keep every bit.
 *
 * Two networks with clipping, decoupled decay and averages; the second reads the new weights of the
 * first. With the pass there is one step for each optimiser, and in bf16 no cast of a new weight is
 * left; outputs and the whole store agree bit for bit with the plan without the pass, over several
 * runs and for one to three threads: grouping changes no operation and no order inside an element.
 * The largest weight has more element-operations than a parallel region needs, the smallest one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>

enum { BATCH = 32, WIDE = 200, RUNS = 2 };

struct subject {
    gan_store *store;
    gan_graph *g;
    gan_net *a, *b;
    gan_val out[4];
};

static void mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = gan_linear(nn, "0", in[0], (struct gan_linear){.out = 160, .bias = true});
    h = gan_linear(nn, "1", gan_tanh(g, h), (struct gan_linear){.out = WIDE, .bias = true});
    out[0] =
        gan_linear(nn, "2", gan_leaky_relu(g, h, 0.2), (struct gan_linear){.out = 1, .bias = true});
}

static void die(const gan_err *err)
{
    fail_msg("%s", err->message);
}

static gan_net *net_new(struct subject *s, const char *name)
{
    gan_err err = {0};
    struct gan_net_desc d = {
        .name = name, .fn = mlp, .in = {{.shape = GAN_SHAPE(1, 120)}}, .n_in = 1, .real = GAN_F32};
    gan_net *n = gan_net_new(s->store, &d, &err);
    if (!n || gan_net_init(n, 7, &err) != GAN_OK) {
        die(&err);
    }
    return n;
}

static void optim(struct gan_optim *o)
{
    gan_err err = {0};
    assert_int_equal(gan_optim_parse("adamw:1e-2,.5,.99,1e-8,.1", o, &err), GAN_OK);
    o->clip = 0.5;
}

static gan_val train(struct subject *s, const gan_net *net, const char *phase, gan_val score)
{
    gan_graph *g = s->g;
    const char *names[8];
    gan_val params[8], grads[8], loss = gan_mean_all(g, gan_softplus(g, gan_neg(g, score)));
    struct gan_optim o;
    struct gan_update u;
    int n = gan_net_weights(g, net, names, params);
    optim(&o);
    gan_grad(g, loss, params, n, grads);
    struct gan_optim_args a = {
        .phase = phase, .names = names, .params = params, .grads = grads, .n = n};
    gan_optim_apply(g, &o, &a, &u);
    gan_ema_apply(g, net, phase[0] == 'a' ? "first" : "second", gan_const(g, 0.25));
    return u.grad_norm;
}

/* a learns on noise, then b on the same noise times what the new a says of it. */
static void subject_open(struct subject *s)
{
    gan_err err = {0};
    s->store = gan_store_new();
    s->g = gan_graph_new(s->store, GAN_F32);
    gan_graph *g = s->g;
    s->a = net_new(s, "a");
    s->b = net_new(s, "b");
    gan_val x = gan_random_normal(g, "x", GAN_SHAPE(BATCH, 120)), y, z;
    gan_net_apply(g, s->a, NULL, GAN_TRAIN, &x, &y);
    s->out[0] = train(s, s->a, "a", y);
    gan_net_apply(g, s->a, NULL, GAN_TRAIN, &x, &s->out[1]);
    z = gan_mul(g, x, gan_broadcast(g, s->out[1], GAN_SHAPE(BATCH, 120)));
    gan_net_apply(g, s->b, NULL, GAN_TRAIN, &z, &s->out[2]);
    s->out[3] = train(s, s->b, "b", s->out[2]);
    if (gan_graph_status(g, &err) != GAN_OK) {
        die(&err);
    }
}

static void subject_close(struct subject *s)
{
    gan_graph_free(s->g);
    gan_net_free(s->a);
    gan_net_free(s->b);
    gan_store_free(s->store);
}

/* What a plan did: bits of outputs and store; steps by name. */
struct trace {
    unsigned char *bytes;
    size_t n;
    int steps, bundles, updates, casts;
};

static void record(struct trace *t, const gan_tensor *x)
{
    size_t n = gan_tensor_bytes(x);
    t->bytes = realloc(t->bytes, t->n + n);
    assert_non_null(t->bytes);
    memcpy(t->bytes + t->n, x->data, n);
    t->n += n;
}

static void count_steps(struct trace *t, const gan_plan *p)
{
    t->steps = (int)gan_plan_info(p).steps;
    for (int i = 0; i < t->steps; i++) {
        char name[256];
        (void)gan_plan_step_name(p, i, name, sizeof name);
        struct gan_plan_step s = gan_plan_step_at(p, i);
        t->bundles += strcmp(s.op, "bundle") == 0;
        t->updates += strcmp(s.op, "fused") == 0 && strstr(name, "sqrt+mul_add+div") != NULL;
        t->casts += strcmp(s.op, "cast") == 0;
    }
}

static struct trace run_subject(const struct gan_plan_opts *o)
{
    struct subject s;
    struct trace t = {0};
    struct gan_optim opt;
    gan_err err = {0};
    subject_open(&s);
    optim(&opt);
    gan_plan *p = gan_plan_new(s.g, s.out, 4, o, &err);
    if (!p) {
        die(&err);
    }
    count_steps(&t, p);
    for (int run = 0; run < RUNS; run++) {
        double values[GAN_OPTIM_MAX_SCALARS];
        struct gan_scalar_data scalars[2 * GAN_OPTIM_MAX_SCALARS];
        char names[2 * GAN_OPTIM_MAX_SCALARS][48];
        size_t n = 0;
        gan_optim_scalars(&opt, run + 1, 100, values);
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < gan_optim_scalar_count(&opt); i++, n++) {
                const char *name = gan_optim_scalar_name(&opt, i);
                memcpy(names[n], k ? "b." : "a.", 2);
                memcpy(names[n] + 2, name, strlen(name) + 1);
                scalars[n] = (struct gan_scalar_data){names[n], values[i]};
            }
        }
        struct gan_run r = {
            .seed = 3, .iteration = (uint64_t)run, .scalars = scalars, .n_scalars = n};
        if (gan_plan_run(p, &r, &err) != GAN_OK) {
            die(&err);
        }
        for (int i = 0; i < 4; i++) {
            record(&t, gan_plan_output(p, i));
        }
    }
    for (int i = 0; i < gan_store_count(s.store); i++) {
        record(&t, &gan_store_at(s.store, i)->value);
    }
    gan_plan_free(p);
    subject_close(&s);
    return t;
}

static void compare(const char *precision)
{
    struct gan_plan_opts o = {
        .precision = precision, .without = "bundle", .threads = 1, .verify = true};
    struct trace apart = run_subject(&o);
    assert_int_equal(apart.bundles, 0);
    assert_int_equal(apart.updates, 12);
    o.without = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        o.threads = threads;
        struct trace t = run_subject(&o);
        assert_int_equal(t.bundles, 2);
        assert_int_equal(t.updates, 0);
        if (strcmp(precision, "bf16") == 0) {
            assert_int_equal(t.casts, apart.casts - 2); /* the two wide layers of the new a */
        }
        assert_true(t.steps <= apart.steps - 10);
        /* products of f32 and bf16 keep their bits for these threads' shares of rows or not: the
         * optimiser is compared on equal terms */
        o.without = "bundle";
        struct trace same = run_subject(&o);
        o.without = NULL;
        assert_int_equal(t.n, same.n);
        assert_memory_equal(t.bytes, same.bytes, t.n);
        free(t.bytes);
        free(same.bytes);
    }
    free(apart.bytes);
}

static void test_f32(void **state)
{
    (void)state;
    compare("f32");
}

static void test_bf16(void **state)
{
    (void)state;
    if (!gan_bf16_works()) {
        skip();
    }
    compare("bf16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
