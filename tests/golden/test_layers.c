/* test_layers.c: every layer, forward and backward, against PyTorch in f64.
 *
 * Each case of layers.safetensors is a network of one layer: y = f(x), then the derivatives of
 * sum(y r), for some the derivative of sum(dx^2) with respect to x. Tolerance 1e-9 (1 + |v|): both sides compute in f64 and differ in the order of sums only. */
#include <gan/loss.h>
#include <gan/nn.h>
#include <gan/plan.h>

#include "base/str.h"
#include "support/st.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double tolerance = 1e-9;

struct layer_case {
    const char *name;
    gan_val (*build)(gan_nn *nn, gan_val x, gan_val extra);
    gan_mode mode;
    bool index;        /* x is i32 and has no derivative */
    const char *extra; /* a second input, i32 */
};

/* --- layers ---------------------------------------------------------------------------------- */

static gan_val linear(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_linear(nn, "l", x, (struct gan_linear){.out = 5, .bias = true});
}

static gan_val conv_groups(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_conv(nn, "l", x,
                    (struct gan_conv_layer){
                        .out = 6, .kernel = 3, .stride = 2, .pad = 1, .groups = 2, .bias = true});
}

static gan_val conv_dilation(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_conv(nn, "l", x,
                    (struct gan_conv_layer){.out = 4,
                                            .kernel = 3,
                                            .stride = 2,
                                            .stride_w = 1,
                                            .pad = 2,
                                            .pad_w = 1,
                                            .dilation = 2,
                                            .bias = true});
}

static gan_val conv_transpose(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_conv_transpose(
        nn, "l", x,
        (struct gan_conv_layer){.out = 4, .kernel = 4, .stride = 2, .pad = 1, .bias = true});
}

static gan_val conv_transpose_more(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_conv_transpose(
        nn, "l", x,
        (struct gan_conv_layer){
            .out = 3, .kernel = 3, .stride = 2, .pad = 1, .output_pad = 1, .bias = true});
}

static gan_val maxout(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_maxout(nn, "l", x, (struct gan_maxout){.units = 3, .pieces = 4});
}

static gan_val batch_norm(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_batch_norm(nn, "l", x, (struct gan_norm){0});
}

static gan_val instance_norm(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_instance_norm(nn, "l", x, (struct gan_norm){.affine = GAN_YES});
}

static gan_val layer_norm(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_layer_norm(nn, "l", x, (struct gan_norm){0});
}

static gan_val group_norm(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_group_norm(nn, "l", x, (struct gan_norm){.groups = 2});
}

static gan_val embedding(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_embedding(nn, "l", x, (struct gan_embedding){.rows = 5, .dim = 3});
}

static gan_val conditional_batch_norm(gan_nn *nn, gan_val x, gan_val extra)
{
    return gan_conditional_batch_norm(nn, "l", x, extra, 3, (struct gan_norm){0});
}

static gan_val virtual_batch_norm(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_virtual_batch_norm(nn, "l", x, 2, (struct gan_norm){0});
}

static gan_val minibatch_stddev(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_minibatch_stddev(nn, x);
}

static gan_val minibatch_discrimination(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_minibatch_discrimination(nn, "l", x,
                                        (struct gan_minibatch_layer){.kernels = 3, .dim = 2});
}

/* --- functions without parameters ---------------------------------------------------------------- */

static gan_val softmax(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_softmax(gan_nn_graph(nn), x);
}

static gan_val log_softmax(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_log_softmax(gan_nn_graph(nn), x);
}

static gan_val logsumexp(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_logsumexp(gan_nn_graph(nn), x);
}

static gan_val cross_entropy(gan_nn *nn, gan_val x, gan_val extra)
{
    return gan_loss_cross_entropy(gan_nn_graph(nn), x, extra);
}

static gan_val elu(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_elu(gan_nn_graph(nn), x, 1);
}

static gan_val softplus(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_softplus(gan_nn_graph(nn), x);
}

static gan_val erf_of(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_erf(gan_nn_graph(nn), x);
}

static gan_val avg_pool(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_avg_pool(gan_nn_graph(nn), x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
}

static gan_val max_pool(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_max_pool(gan_nn_graph(nn), x, (struct gan_pool){.kernel_h = 2, .kernel_w = 2});
}

static gan_val nearest(gan_nn *nn, gan_val x, gan_val extra)
{
    gan_graph *g = gan_nn_graph(nn);
    (void)extra;
    return gan_resize(g, x, 2 * gan_dim(g, x, 1), 2 * gan_dim(g, x, 2), GAN_RESIZE_NEAREST);
}

static gan_val bilinear(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_resize(gan_nn_graph(nn), x, 6, 8, GAN_RESIZE_BILINEAR);
}

static gan_val bilinear_odd(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_resize(gan_nn_graph(nn), x, 5, 7, GAN_RESIZE_BILINEAR);
}

static gan_val bilinear_down(gan_nn *nn, gan_val x, gan_val extra)
{
    (void)extra;
    return gan_resize(gan_nn_graph(nn), x, 3, 4, GAN_RESIZE_BILINEAR);
}

static const struct layer_case cases[] = {
    {"linear", linear, GAN_TRAIN, false, NULL},
    {"conv2d_groups", conv_groups, GAN_TRAIN, false, NULL},
    {"conv2d_dilation", conv_dilation, GAN_TRAIN, false, NULL},
    {"conv_transpose2d", conv_transpose, GAN_TRAIN, false, NULL},
    {"conv_transpose2d_output_padding", conv_transpose_more, GAN_TRAIN, false, NULL},
    {"maxout", maxout, GAN_TRAIN, false, NULL},
    {"batch_norm_train", batch_norm, GAN_TRAIN, false, NULL},
    {"batch_norm_eval", batch_norm, GAN_EVAL, false, NULL},
    {"instance_norm", instance_norm, GAN_TRAIN, false, NULL},
    {"layer_norm", layer_norm, GAN_TRAIN, false, NULL},
    {"group_norm", group_norm, GAN_TRAIN, false, NULL},
    {"embedding", embedding, GAN_TRAIN, true, NULL},
    {"softmax", softmax, GAN_TRAIN, false, NULL},
    {"log_softmax", log_softmax, GAN_TRAIN, false, NULL},
    {"logsumexp", logsumexp, GAN_TRAIN, false, NULL},
    {"cross_entropy", cross_entropy, GAN_TRAIN, false, "target"},
    {"elu", elu, GAN_TRAIN, false, NULL},
    {"softplus", softplus, GAN_TRAIN, false, NULL},
    {"erf", erf_of, GAN_TRAIN, false, NULL},
    {"avg_pool", avg_pool, GAN_TRAIN, false, NULL},
    {"max_pool", max_pool, GAN_TRAIN, false, NULL},
    {"avg_pool_odd", avg_pool, GAN_TRAIN, false, NULL},
    {"max_pool_odd", max_pool, GAN_TRAIN, false, NULL},
    {"nearest", nearest, GAN_TRAIN, false, NULL},
    {"bilinear", bilinear, GAN_TRAIN, false, NULL},
    {"bilinear_odd", bilinear_odd, GAN_TRAIN, false, NULL},
    {"bilinear_down", bilinear_down, GAN_TRAIN, false, NULL},
    {"conditional_batch_norm", conditional_batch_norm, GAN_TRAIN, false, "label"},
    {"virtual_batch_norm", virtual_batch_norm, GAN_TRAIN, false, NULL},
    {"minibatch_stddev", minibatch_stddev, GAN_TRAIN, false, NULL},
    {"minibatch_discrimination", minibatch_discrimination, GAN_TRAIN, false, NULL},
};

enum { N_CASES = sizeof cases / sizeof cases[0], INDICES_MAX = 64, PARAMS_MAX = 4 };

/* --- one case ------------------------------------------------------------------------------------ */

static void network(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct layer_case *c = opts;
    out[0] = c->build(nn, in[0], c->extra ? in[1] : GAN_NONE);
}

/* Indices of the file as the i32 of the engine. */
static gan_tensor narrow(gan_tensor t, int32_t *room)
{
    int64_t n = gan_shape_count(&t.shape);
    assert_true(n <= INDICES_MAX);
    for (int64_t i = 0; i < n; i++) {
        room[i] = (int32_t)gan_tensor_get(&t, i);
    }
    return (gan_tensor){GAN_I32, t.shape, room};
}

/* "l.weight" -> "weight", as the file calls it */
static const char *plain(const struct gan_param *p)
{
    return p->local + strlen("l.");
}

static void load_params(const struct st *f, const struct layer_case *c, gan_store *store,
                        const gan_net *net)
{
    for (int i = 0; i < gan_net_count(net); i++) {
        const struct gan_param *p = gan_net_param(net, i);
        gan_tensor from = st_get(f, "%s/%s", c->name, plain(p));
        const gan_tensor *to = &gan_store_at(store, gan_store_find(store, p->name))->value;
        assert_true(gan_shape_equal(&from.shape, &to->shape));
        memcpy(to->data, from.data, gan_tensor_bytes(&from));
    }
}

struct work {
    gan_store *store;
    gan_net *net;
    gan_graph *g;
    gan_val out[3 + PARAMS_MAX]; /* y, dx, d parameters, d sum(dx^2)/dx where the file has it */
    bool second;
    const char *names[PARAMS_MAX];
    int n_weights;
};

static void build(struct work *w, const struct layer_case *c, gan_tensor x, gan_tensor r,
                  gan_tensor extra)
{
    gan_val in[2] = {gan_feed(w->g, "x", x.dtype, x.shape), GAN_NONE};
    if (c->extra) {
        in[1] = gan_feed(w->g, "extra", GAN_I32, extra.shape);
    }
    gan_net_apply(w->g, w->net, NULL, c->mode, in, w->out);
    gan_val wrt[1 + PARAMS_MAX];
    int n = 0;
    if (!c->index) {
        wrt[n++] = in[0];
    }
    gan_graph *g = w->g;
    gan_val loss = gan_sum_all(g, gan_mul(g, w->out[0], gan_feed(g, "r", GAN_F64, r.shape)));
    w->n_weights = gan_net_weights(g, w->net, w->names, wrt + n);
    gan_grad(g, loss, wrt, n + w->n_weights, w->out + 1);
    if (w->second) {
        gan_grad(g, gan_sum_all(g, gan_square(g, w->out[1])), in, 1, w->out + 1 + n + w->n_weights);
    }
}

static void compare(const struct st *f, const struct layer_case *c, const struct work *w,
                    const gan_plan *p)
{
    char what[128];
    gan_tensor want = st_get(f, "%s/y", c->name);
    int k = 1;
    assert_true(gan__format(what, sizeof what, "%s/y", c->name));
    st_close_to(what, gan_plan_output(p, 0), &want, tolerance);
    if (!c->index) {
        assert_true(gan__format(what, sizeof what, "%s/dx", c->name));
        want = st_get(f, "%s/dx", c->name);
        st_close_to(what, gan_plan_output(p, k++), &want, tolerance);
    }
    for (int i = 0; i < gan_net_count(w->net); i++) {
        const struct gan_param *q = gan_net_param(w->net, i);
        bool statistic = q->kind == GAN_STATE_STATISTIC;
        assert_true(gan__format(what, sizeof what, "%s/%s%s%s", c->name, statistic ? "" : "d",
                                plain(q), statistic ? "_after" : ""));
        want = st_tensor(f, what);
        const gan_tensor *got =
            statistic ? &gan_store_at(w->store, gan_store_find(w->store, q->name))->value
                      : gan_plan_output(p, k++);
        st_close_to(what, got, &want, tolerance);
    }
    if (w->second) {
        assert_true(gan__format(what, sizeof what, "%s/ddx", c->name));
        want = st_tensor(f, what);
        st_close_to(what, gan_plan_output(p, k), &want, tolerance);
    }
}

static void run_case(const struct st *f, const struct layer_case *c)
{
    int32_t room[INDICES_MAX], more[INDICES_MAX];
    gan_err err = {0};
    gan_tensor x = st_get(f, "%s/x", c->name), r = st_get(f, "%s/r", c->name), extra = {0};
    char second[128];
    assert_true(gan__format(second, sizeof second, "%s/ddx", c->name));
    struct work w = {.store = gan_store_new(), .second = st_has(f, second)};
    x = c->index ? narrow(x, room) : x;
    struct gan_net_desc d = {.name = "t", .fn = network, .opts = c, .n_in = 1, .real = GAN_F64};
    d.in[0] = (struct gan_net_input){x.shape, c->index};
    if (c->extra) {
        extra = narrow(st_get(f, "%s/%s", c->name, c->extra), more);
        d.in[d.n_in++] = (struct gan_net_input){extra.shape, true};
    }
    w.net = gan_net_new(w.store, &d, &err);
    assert_string_equal(err.message, "");
    assert_true(gan_net_count(w.net) <= PARAMS_MAX);
    load_params(f, c, w.store, w.net);
    w.g = gan_graph_new(w.store, GAN_F64);
    build(&w, c, x, r, extra);
    int n_out = 1 + !c->index + w.n_weights + w.second;
    gan_plan *p = gan_plan_new(w.g, w.out, n_out, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    const struct gan_feed_data feeds[] = {{"x", x}, {"r", r}, {"extra", extra}};
    struct gan_run run = {.feeds = feeds, .n_feeds = c->extra ? 3 : 2};
    assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
    compare(f, c, &w, p);
    gan_plan_free(p);
    gan_graph_free(w.g);
    gan_net_free(w.net);
    gan_store_free(w.store);
}

static void test_layers(void **state)
{
    (void)state;
    struct st *f = st_open("layers");
    for (int i = 0; i < N_CASES; i++) {
        run_case(f, &cases[i]);
    }
    st_close(f);
}

/* Every case of the file is in the table. */
static void test_all_cases(void **state)
{
    (void)state;
    struct st *f = st_open("layers");
    for (int i = 0; i < st_count(f); i++) {
        const char *name = st_name(f, i);
        size_t len = strcspn(name, "/");
        bool found = false;
        for (int k = 0; k < N_CASES; k++) {
            found |= strlen(cases[k].name) == len && strncmp(cases[k].name, name, len) == 0;
        }
        if (!found) {
            fail_msg("%s is not tested", name);
        }
    }
    st_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_all_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
