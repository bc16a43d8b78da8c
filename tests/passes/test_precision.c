/* test_precision.c: training in bf16 stays near training in f32, and is what it says.
 *
 * A bf16 number has 8 bits: a stored value is off by 2^-9 = 0.2 % at most, at random. Losses and
 * gradient norms average thousands of such values: they must agree within 2 %. In a gradient, taken
 * as a vector, one more thing counts: where an activation lies within its rounding of zero, the
 * other side of a ReLU is taken; of a thousand values some 2 do so at each layer, which moves the
 * vector by sqrt(2/1000) = 4 %. Five layers in sequence: 10 % seen, 15 % allowed; fewer: 8 %. A
 * gradient below 1 % of the whole (biases in front of a normalisation: rounding errors of zero) is
 * held against that 1 %. Networks are large enough for the pass to work (values of 4096 elements and more);
 * that it did is read from the plan. Machines without bf16 must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/kernels/lanes.h"
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>

enum { MAX_OUT = 48, BATCH = 16, SIDE = 32, STEPS = 3 };

struct subject {
    gan_store *store;
    gan_graph *g;
    gan_net *net[2];
    gan_val out[MAX_OUT];
    int n_out, n_losses; /* losses and norms come first */
    const char *phase;
};

static gan_net *net_new(struct subject *s, const char *name, gan_net_fn fn, gan_shape in)
{
    gan_err err = {0};
    gan_net *n =
        gan_net_new(s->store,
                    &(struct gan_net_desc){
                        .name = name, .fn = fn, .in = {{.shape = in}}, .n_in = 1, .real = GAN_F32},
                    &err);
    if (!n || gan_net_init(n, 7, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return n;
}

static void train(struct subject *s, gan_net *net, gan_val loss)
{
    gan_err err = {0};
    const char *names[32];
    gan_val params[32], grads[32];
    struct gan_optim o;
    struct gan_update u;
    int n = gan_net_weights(s->g, net, names, params);
    assert_int_equal(gan_optim_parse("adam:1e-3,.5,.999", &o, &err), GAN_OK);
    gan_grad(s->g, loss, params, n, grads);
    struct gan_optim_args a = {
        .phase = "net", .names = names, .params = params, .grads = grads, .n = n};
    gan_optim_apply(s->g, &o, &a, &u);
    s->out[0] = loss;
    s->out[1] = u.grad_norm;
    s->n_losses = s->n_out = 2;
    for (int i = 0; i < n; i++) {
        s->out[s->n_out++] = grads[i];
    }
}

/* --- subjects --------------------------------------------------------------------------------- */

static void disc(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_conv_layer a = {.out = 32, .kernel = 4, .stride = 2, .pad = 1, .bias = true};
    struct gan_conv_layer b = {.out = 64, .kernel = 4, .stride = 2, .pad = 1};
    gan_val h = gan_leaky_relu(g, gan_conv(nn, "0", in[0], a), 0.2);
    h = gan_batch_norm(nn, "1", gan_conv(nn, "2", h, b), (struct gan_norm){0});
    h = gan_leaky_relu(g, h, 0.2);
    out[0] = gan_conv(nn, "3", h, (struct gan_conv_layer){.out = 1, .kernel = 8});
}

static void gen(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_conv_layer first = {.out = 64, .kernel = 8};
    struct gan_conv_layer b = {.out = 32, .kernel = 4, .stride = 2, .pad = 1};
    struct gan_conv_layer last = {.out = 3, .kernel = 4, .stride = 2, .pad = 1, .bias = true};
    gan_val h = gan_conv_transpose(nn, "0", in[0], first);
    h = gan_relu(g, gan_batch_norm(nn, "1", h, (struct gan_norm){0}));
    h = gan_relu(g,
                 gan_batch_norm(nn, "3", gan_conv_transpose(nn, "2", h, b), (struct gan_norm){0}));
    out[0] = gan_tanh(g, gan_conv_transpose(nn, "4", h, last));
}

/* The generator's step of a DCGAN: all three directions of convolutions, batch norm. */
static void build_dcgan(struct subject *s)
{
    gan_graph *g = s->g;
    s->net[0] = net_new(s, "gen", gen, GAN_SHAPE(1, 1, 1, 64));
    s->net[1] = net_new(s, "disc", disc, GAN_SHAPE(1, SIDE, SIDE, 3));
    gan_val z = gan_random_normal(g, "z", GAN_SHAPE(BATCH, 1, 1, 64)), fake, score;
    gan_net_apply(g, s->net[0], NULL, GAN_TRAIN, &z, &fake);
    gan_net_apply(g, s->net[1], NULL, GAN_TRAIN, &fake, &score);
    train(s, s->net[0], gan_mean_all(g, gan_softplus(g, gan_neg(g, score))));
    s->out[s->n_out++] = fake;
}

/* The discriminator's step. */
static void build_disc(struct subject *s)
{
    gan_graph *g = s->g;
    s->net[1] = net_new(s, "disc", disc, GAN_SHAPE(1, SIDE, SIDE, 3));
    gan_val x = gan_random_uniform(g, "x", GAN_SHAPE(BATCH, SIDE, SIDE, 3)), score;
    gan_net_apply(g, s->net[1], NULL, GAN_TRAIN, &x, &score);
    train(s, s->net[1], gan_mean_all(g, gan_softplus(g, score)));
}

static void critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_conv_layer a = {.out = 32, .kernel = 3, .stride = 2, .pad = 1, .bias = true};
    struct gan_conv_layer b = {.out = 48, .kernel = 3, .stride = 2, .pad = 1, .bias = true};
    gan_val h = gan_leaky_relu(g, gan_conv(nn, "0", in[0], a), 0.2);
    h = gan_instance_norm(nn, "1", gan_conv(nn, "2", h, b), (struct gan_norm){0});
    h = gan_tanh(g, h);
    out[0] = gan_linear(nn, "3", gan_flatten(g, h), (struct gan_linear){.out = 1, .bias = true});
}

/* Gradient penalty: convolutions of second derivatives. */
static void build_penalty(struct subject *s)
{
    gan_graph *g = s->g;
    s->net[0] = net_new(s, "critic", critic, GAN_SHAPE(1, SIDE, SIDE, 3));
    gan_val x = gan_random_normal(g, "x", GAN_SHAPE(BATCH, SIDE, SIDE, 3)), score, slope;
    gan_net_apply(g, s->net[0], NULL, GAN_TRAIN, &x, &score);
    gan_grad(g, gan_sum_all(g, score), &x, 1, &slope);
    uint32_t image = GAN_AXIS(1) | GAN_AXIS(2) | GAN_AXIS(3);
    gan_val norm = gan_sqrt(g, gan_sum(g, gan_square(g, slope), image, false));
    gan_val penalty = gan_mean_all(g, gan_square(g, gan_shift(g, norm, -1.0)));
    train(s, s->net[0], gan_sub(g, gan_scale(g, penalty, 10.0), gan_mean_all(g, score)));
}

static void mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = gan_linear(nn, "0", in[0], (struct gan_linear){.out = 256, .bias = true});
    h = gan_linear(nn, "1", gan_leaky_relu(g, h, 0.2), (struct gan_linear){.out = 128});
    h = gan_layer_norm(nn, "2", h, (struct gan_norm){0});
    out[0] = gan_linear(nn, "3", gan_tanh(g, h), (struct gan_linear){.out = 1, .bias = true});
}

/* Matrix products in their transposes. */
static void build_mlp(struct subject *s)
{
    gan_graph *g = s->g;
    s->net[0] = net_new(s, "mlp", mlp, GAN_SHAPE(1, 200));
    gan_val x = gan_random_normal(g, "x", GAN_SHAPE(64, 200)), score;
    gan_net_apply(g, s->net[0], NULL, GAN_TRAIN, &x, &score);
    train(s, s->net[0], gan_mean_all(g, gan_softplus(g, score)));
}

/* --- runs ----------------------------------------------------------------------------------------- */

/* Outputs of every step in one row; `half`: bf16 operands in the plan's text. */
struct trace {
    double *v;
    size_t n, ends[STEPS * MAX_OUT];
    int n_ends, n_losses, n_out;
    size_t workspace;
    bool half;
};

static void open_subject(struct subject *s, void (*build)(struct subject *))
{
    gan_err err = {0};
    memset(s, 0, sizeof *s);
    s->store = gan_store_new();
    s->g = gan_graph_new(s->store, GAN_F32);
    build(s);
    if (gan_graph_status(s->g, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

static void close_subject(struct subject *s)
{
    gan_graph_free(s->g);
    gan_net_free(s->net[0]);
    gan_net_free(s->net[1]);
    gan_store_free(s->store);
}

static void record(struct trace *t, const gan_tensor *x)
{
    int64_t n = gan_shape_count(&x->shape);
    assert_int_equal(x->dtype, GAN_F32); /* whatever is stored inside, results are f32 */
    t->v = realloc(t->v, (t->n + (size_t)n) * sizeof *t->v);
    assert_non_null(t->v);
    for (int64_t i = 0; i < n; i++) {
        t->v[t->n++] = gan_tensor_get(x, i);
    }
    t->ends[t->n_ends++] = t->n;
}

static struct trace run(void (*build)(struct subject *), const struct gan_plan_opts *o, int steps)
{
    struct subject s;
    struct trace t = {0};
    gan_err err = {0};
    struct gan_optim opt;
    open_subject(&s, build);
    gan_plan *p = gan_plan_new(s.g, s.out, s.n_out, o, &err);
    if (!p) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(gan_optim_parse("adam:1e-3,.5,.999", &opt, &err), GAN_OK);
    for (int step = 0; step < steps; step++) {
        double values[GAN_OPTIM_MAX_SCALARS];
        struct gan_scalar_data scalars[GAN_OPTIM_MAX_SCALARS];
        char names[GAN_OPTIM_MAX_SCALARS][64];
        int n = gan_optim_scalar_count(&opt);
        gan_optim_scalars(&opt, step + 1, 100, values);
        for (int i = 0; i < n; i++) {
            memcpy(names[i], "net.", 4);
            strncpy(names[i] + 4, gan_optim_scalar_name(&opt, i), sizeof names[i] - 5);
            names[i][sizeof names[i] - 1] = '\0';
            scalars[i] = (struct gan_scalar_data){names[i], values[i]};
        }
        struct gan_run r = {
            .seed = 3, .iteration = (uint64_t)step, .scalars = scalars, .n_scalars = (size_t)n};
        assert_int_equal(gan_plan_run(p, &r, &err), GAN_OK);
        for (int i = 0; i < s.n_out; i++) {
            record(&t, gan_plan_output(p, i));
        }
    }
    char *text = gan_plan_dump(p, GAN_DUMP_TEXT);
    assert_non_null(text);
    t.half = strstr(text, "(bf16[") != NULL;
    gan_text_free(text);
    t.n_losses = s.n_losses;
    t.n_out = s.n_out;
    t.workspace = gan_plan_info(p).workspace_bytes;
    gan_plan_free(p);
    close_subject(&s);
    return t;
}

/* Distance of two vectors in terms of the first, or of `least` if that is more. */
static double distance(const double *a, const double *b, size_t n, double least)
{
    double d = 0, m = 0;
    for (size_t i = 0; i < n; i++) {
        d += (a[i] - b[i]) * (a[i] - b[i]);
        m += a[i] * a[i];
    }
    return sqrt(d) / fmax(sqrt(m), least);
}

static void compare(void (*build)(struct subject *), double losses, double tensors, bool images)
{
    const char *const without[] = {NULL, "fuse", "epilogue", "inplace,memplan"};
    if (!gan_bf16_works()) {
        skip();
    }
    struct trace full = run(build, &(struct gan_plan_opts){.threads = 2, .verify = true}, STEPS);
    assert_false(full.half);
    for (int w = 0; w < 4; w++) {
        struct gan_plan_opts o = {
            .threads = 2, .verify = true, .precision = "bf16", .without = without[w]};
        struct trace half = run(build, &o, STEPS);
        assert_true(half.half);
        assert_int_equal(half.n_ends, full.n_ends);
        if (w == 0 && images) {
            assert_true(half.workspace < full.workspace);
        }
        for (int i = 0; i < full.n_ends; i++) {
            bool loss = i % full.n_out < full.n_losses;
            size_t at = i > 0 ? full.ends[i - 1] : 0;
            double d = distance(full.v + at, half.v + at, full.ends[i] - at,
                                loss ? 0 : 0.01 * full.v[1]); /* v[1]: the norm of all */
            if (!loss && i >= full.n_out) {
                continue; /* later steps follow their own weights: losses and norms only */
            }
            if (!(d <= (loss ? losses : tensors))) {
                fail_msg("output %d of step %d, without %s: off by %.4f", i % full.n_out,
                         i / full.n_out, without[w] ? without[w] : "nothing", d);
            }
        }
        free(half.v);
    }
    free(full.v);
}

static void generator_step(void **state)
{
    (void)state;
    compare(build_dcgan, 0.02, 0.15, true);
}

static void discriminator_step(void **state)
{
    (void)state;
    compare(build_disc, 0.02, 0.08, true);
}

static void gradient_penalty(void **state)
{
    (void)state;
    compare(build_penalty, 0.02, 0.08, true);
}

static void products(void **state)
{
    (void)state;
    compare(build_mlp, 0.02, 0.08, false);
}

/* Same numbers each time, and with any number of threads where the library promises it: one. */
static void repeats(void **state)
{
    (void)state;
    if (!gan_bf16_works()) {
        skip();
    }
    struct gan_plan_opts o = {.threads = 1, .precision = "bf16"};
    struct trace a = run(build_dcgan, &o, STEPS), b = run(build_dcgan, &o, STEPS);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.v, b.v, a.n * sizeof *a.v);
    free(a.v);
    free(b.v);
}

static void refusals(void **state)
{
    (void)state;
    struct subject s;
    gan_err err = {0};
    open_subject(&s, build_mlp);
    assert_null(
        gan_plan_new(s.g, s.out, s.n_out, &(struct gan_plan_opts){.precision = "f16"}, &err));
    assert_int_equal(err.code, GAN_E_ARG);
    if (!gan_bf16_works()) {
        struct gan_plan_opts o = {.precision = "bf16"};
        err = (gan_err){0}; /* the first failure stays */
        assert_null(gan_plan_new(s.g, s.out, s.n_out, &o, &err));
        assert_int_equal(err.code, GAN_E_UNSUPPORTED);
    }
    close_subject(&s);
}

/* Every f32 pattern class, all instruction sets: the bits of gan_tensor_set. */
static void conversions(void **state)
{
    (void)state;
    enum { N = 1 << 16, LOW = 5 };
    static const uint32_t low[LOW] = {0x0000, 0x7fff, 0x8000, 0x8001, 0xffff};
    static const char *const isas[] = {"base", "v3", "v4"};
    float *x = malloc(N * LOW * sizeof *x), *back = malloc(N * LOW * sizeof *back);
    uint16_t *want = malloc(N * LOW * sizeof *want), *got = malloc(N * LOW * sizeof *got);
    assert_true(x && back && want && got);
    gan_tensor t = {GAN_BF16, GAN_SHAPE(N * LOW), want};
    for (uint32_t i = 0; i < N * LOW; i++) {
        uint32_t bits = (i / LOW) << 16 | low[i % LOW];
        memcpy(&x[i], &bits, sizeof bits);
        gan_tensor_set(&t, i, (double)x[i]);
    }
    for (int k = 0; k < 3; k++) {
        const struct gan__lanes *l = gan__lanes_find(isas[k]);
        if (l == NULL) {
            continue;
        }
        l->to_bf16(x, got, N * LOW);
        l->from_bf16(got, back, N * LOW);
        for (int i = 0; i < N * LOW; i++) {
            uint32_t bits;
            memcpy(&bits, &back[i], sizeof bits);
            bool nan = x[i] != x[i];
            if (nan ? !((got[i] & 0x7fff) > 0x7f80) : got[i] != want[i]) {
                fail_msg("%s: %a becomes %04x, not %04x", isas[k], (double)x[i], got[i], want[i]);
            }
            assert_int_equal(bits, (uint32_t)got[i] << 16);
        }
    }
    free(x);
    free(back);
    free(want);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_step),   cmocka_unit_test(discriminator_step),
        cmocka_unit_test(gradient_penalty), cmocka_unit_test(products),
        cmocka_unit_test(repeats),          cmocka_unit_test(refusals),
        cmocka_unit_test(conversions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
