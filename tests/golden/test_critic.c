/* test_critic.c: ten updates of a critic with a gradient penalty against PyTorch in float64: second
 * derivatives of convolution, layer norm, leaky ReLU, flatten (C,H,W above 1) and linear.
 *
 * f64 on `ref`: 1e-9 (1+|v|), weights included; rounding noise of 1e-15 in the initial weights moves
 * the results by less than 1e-13. f32 on `cpu`: losses and the gradient norm within 1e-4; ten Adam
 * steps were measured below 1e-5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "support/st.h"
#include <gan/loss.h>
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>

enum { STEPS = 10, FEEDS = 3, OUTPUTS = 4, MOST_WEIGHTS = 16 };

static const char *const feed_name[FEEDS] = {"real", "fake", "eps"};
static const char *const output_name[OUTPUTS] = {"loss.critic", "wasserstein", "penalty",
                                                 "grad_norm.critic"};

static void critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    (void)opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = gan_conv(nn, "conv1", in[0],
                         (struct gan_conv_layer){.out = 4, .kernel = 3, .pad = 1, .bias = true});
    h = gan_leaky_relu(g, gan_layer_norm(nn, "norm1", h, (struct gan_norm){0}), 0.2);
    h = gan_conv(
        nn, "conv2", h,
        (struct gan_conv_layer){.out = 5, .kernel = 4, .stride = 2, .pad = 1, .bias = true});
    h = gan_leaky_relu(g, gan_layer_norm(nn, "norm2", h, (struct gan_norm){0}), 0.2);
    out[0] = gan_linear(nn, "fc", gan_flatten(g, h), (struct gan_linear){.out = 1, .bias = true});
}

struct world {
    struct st *file;
    gan_store *store;
    gan_net *net;
    gan_plan *plan;
    struct gan_optim optim;
    gan_dtype real;
};

static gan_val apply(gan_graph *g, const struct world *w, gan_val x)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_net_apply(g, w->net, NULL, GAN_TRAIN, &x, out);
    return out[0];
}

static void build(struct world *w, const char *backend)
{
    gan_err err = {0};
    gan_shape images = st_get(w->file, "feed/0/real").shape;
    gan_graph *g = gan_graph_new(w->store, w->real);
    gan_val real = gan_feed(g, "real", w->real, images),
            fake = gan_feed(g, "fake", w->real, images);
    gan_val eps = gan_feed(g, "eps", w->real, GAN_SHAPE(images.dim[0]));
    gan_val x_hat =
        gan_interpolate_by(g, gan_reshape(g, eps, GAN_SHAPE(images.dim[0], 1, 1, 1)), real, fake);
    gan_val out[OUTPUTS];
    out[1] = gan_sub(g, gan_mean_all(g, apply(g, w, fake)), gan_mean_all(g, apply(g, w, real)));
    out[2] = gan_penalty_gradient(g, apply(g, w, x_hat), x_hat, 1);
    out[0] = gan_add(g, out[1], gan_scale(g, out[2], 10));
    const char *names[MOST_WEIGHTS];
    gan_val weights[MOST_WEIGHTS], grads[MOST_WEIGHTS];
    assert_true(gan_net_count(w->net) <= MOST_WEIGHTS);
    int n = gan_net_weights(g, w->net, names, weights);
    gan_grad(g, out[0], weights, n, grads);
    struct gan_update u;
    gan_optim_apply(
        g, &w->optim,
        &(struct gan_optim_args){
            .phase = "critic", .names = names, .params = weights, .grads = grads, .n = n},
        &u);
    out[3] = u.grad_norm;
    struct gan_plan_opts opts = {.backend = backend, .threads = 2, .verify = true};
    w->plan = gan_plan_new(g, out, OUTPUTS, &opts, &err);
    if (!w->plan) {
        fail_msg("%s", err.message);
    }
    gan_graph_free(g);
}

static void open_world(struct world *w, gan_dtype real)
{
    gan_err err = {0};
    *w = (struct world){.file = st_open("critic_gp"), .store = gan_store_new(), .real = real};
    gan_shape images = st_get(w->file, "feed/0/real").shape;
    struct gan_net_desc desc = {
        .name = "critic", .fn = critic, .in = {{.shape = images}}, .n_in = 1, .real = real};
    w->net = gan_net_new(w->store, &desc, &err);
    if (!w->net || gan_optim_parse("adam:1e-3,0,.9", &w->optim, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    for (int i = 0; i < gan_net_count(w->net); i++) {
        const struct gan_param *p = gan_net_param(w->net, i);
        gan_tensor from = st_get(w->file, "init/%s", p->name);
        const gan_state *to = gan_store_at(w->store, gan_store_find(w->store, p->name));
        assert_int_equal(gan_shape_count(&from.shape), p->count);
        for (int64_t k = 0; k < p->count; k++) {
            gan_tensor_set(&to->value, k, gan_tensor_get(&from, k));
        }
    }
}

static void close_world(struct world *w)
{
    gan_plan_free(w->plan);
    gan_net_free(w->net);
    gan_store_free(w->store);
    st_close(w->file);
}

static void step(struct world *w, int k, double tolerance)
{
    gan_err err = {0};
    struct gan_feed_data feeds[FEEDS];
    struct gan_scalar_data scalars[GAN_OPTIM_MAX_SCALARS];
    char names[GAN_OPTIM_MAX_SCALARS][48];
    double values[GAN_OPTIM_MAX_SCALARS];
    for (int i = 0; i < FEEDS; i++) {
        gan_tensor from = st_get(w->file, "feed/%d/%s", k, feed_name[i]);
        int64_t n = gan_shape_count(&from.shape);
        gan_tensor t = {w->real, from.shape, malloc((size_t)n * gan_dtype_size(w->real))};
        assert_non_null(t.data);
        for (int64_t j = 0; j < n; j++) {
            gan_tensor_set(&t, j, gan_tensor_get(&from, j));
        }
        feeds[i] = (struct gan_feed_data){feed_name[i], t};
    }
    gan_optim_scalars(&w->optim, k + 1, STEPS, values);
    int n_scalars = gan_optim_scalar_count(&w->optim);
    for (int i = 0; i < n_scalars; i++) {
        assert_true(gan__format(names[i], sizeof names[i], "critic.%s",
                                gan_optim_scalar_name(&w->optim, i)));
        scalars[i] = (struct gan_scalar_data){names[i], values[i]};
    }
    struct gan_run run = {
        .feeds = feeds, .n_feeds = FEEDS, .scalars = scalars, .n_scalars = (size_t)n_scalars};
    if (gan_plan_run(w->plan, &run, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        gan_tensor all = st_get(w->file, "trace/%s", output_name[i]);
        double want = gan_tensor_get(&all, k);
        gan_tensor one = {GAN_F64, gan_shape_scalar(), &want};
        double value = gan_tensor_get(gan_plan_output(w->plan, i), 0);
        gan_tensor got = {GAN_F64, gan_shape_scalar(), &value};
        st_close_to(output_name[i], &got, &one, tolerance);
    }
    for (int i = 0; i < FEEDS; i++) {
        free(feeds[i].value.data);
    }
}

static void critic_f64(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, GAN_F64);
    build(&w, "ref");
    for (int k = 0; k < STEPS; k++) {
        step(&w, k, 1e-9);
    }
    for (int i = 0; i < gan_net_count(w.net); i++) {
        const struct gan_param *p = gan_net_param(w.net, i);
        gan_tensor want = st_get(w.file, "final/%s", p->name);
        const gan_state *got = gan_store_at(w.store, gan_store_find(w.store, p->name));
        st_close_to(p->name, &got->value, &want, 1e-9);
    }
    close_world(&w);
}

static void critic_f32(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, GAN_F32);
    build(&w, "cpu");
    for (int k = 0; k < STEPS; k++) {
        step(&w, k, 1e-4);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(critic_f64), cmocka_unit_test(critic_f32)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
