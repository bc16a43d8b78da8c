/* critic.c: a small discriminator: built, differentiated, compiled and trained by the engine. */
#include "critic.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/loss.h>
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>
#include <gan/store.h>

#include <math.h>
#include <string.h>

enum { MAX_PARAMS = 8, NAME = 48 };

struct gan__critic {
    struct gan__critic_opts opts;
    struct gan_optim optim;
    gan_store *store;
    gan_net *net;
    gan_plan *train, *look;
    char scalar[GAN_OPTIM_MAX_SCALARS][NAME];
    int64_t updates;
};

static void mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan__critic_opts *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = in[0];
    for (int k = 0; k < 2; k++) {
        const struct gan_linear hidden = {.out = o->width, .bias = true};
        h = gan_tanh(g, gan_linear(nn, gan_nn_format(nn, "%d", k), h, hidden));
    }
    out[0] = gan_linear(nn, "2", h, (struct gan_linear){.out = 1, .bias = true});
}

static gan_val apply(gan_graph *g, const struct gan__critic *c, gan_val x)
{
    gan_val score = {0};
    gan_net_apply(g, c->net, NULL, GAN_TRAIN, &x, &score);
    return score;
}

static gan_plan *compile(gan_graph *g, gan_val out, gan_err *err)
{
    gan_plan *p = gan_plan_new(g, &out, 1, NULL, err);
    gan_graph_free(g);
    return p;
}

static gan_plan *compile_train(struct gan__critic *c, const struct gan_loss *loss, gan_err *err)
{
    gan_graph *g = gan_graph_new(c->store, GAN_F32);
    const gan_shape shape = GAN_SHAPE(c->opts.batch, c->opts.size);
    const gan_val real = gan_feed(g, "real", GAN_F32, shape);
    const gan_val fake = gan_feed(g, "fake", GAN_F32, shape);
    const gan_val value = gan_loss_disc(loss, g, apply(g, c, real), apply(g, c, fake));
    const char *names[MAX_PARAMS];
    gan_val params[MAX_PARAMS], grads[MAX_PARAMS];
    const int n = gan_net_weights(g, c->net, names, params);
    struct gan_update update;
    gan_grad(g, value, params, n, grads);
    gan_optim_apply(g, &c->optim,
                    &(struct gan_optim_args){
                        .phase = "disc", .names = names, .params = params, .grads = grads, .n = n},
                    &update);
    for (int i = 0; i < gan_optim_scalar_count(&c->optim); i++) {
        (void)gan_optim_feed_name(c->scalar[i], NAME, &c->optim, "disc", 0, i);
    }
    return compile(g, value, err);
}

static gan_status build(struct gan__critic *c, uint64_t seed, gan_err *err)
{
    const struct gan_loss *loss = gan_loss_find(c->opts.loss, err);
    const struct gan_net_desc desc = {
        .name = "disc",
        .fn = mlp,
        .opts = &c->opts,
        .in = {{.shape = GAN_SHAPE(1, c->opts.size)}},
        .n_in = 1,
    };
    if (loss == NULL) {
        return GAN_E_ARG;
    }
    GAN_TRY(gan_optim_parse(c->opts.optim, &c->optim, err));
    c->store = gan_store_new();
    if (c->store == NULL) {
        return gan__fail_nomem(err, sizeof *c, "a critic");
    }
    c->net = gan_net_new(c->store, &desc, err);
    if (c->net == NULL) {
        return err->code;
    }
    GAN_TRY(gan_net_init(c->net, seed, err));
    c->train = compile_train(c, loss, err);
    gan_graph *g = gan_graph_new(c->store, GAN_F32);
    const gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(c->opts.look, c->opts.size));
    c->look = compile(g, apply(g, c, x), err);
    return c->train != NULL && c->look != NULL ? GAN_OK : err->code;
}

struct gan__critic *gan__critic_new(struct gan__lab *l, const struct gan__critic_opts *o)
{
    if (l->status != GAN_OK) {
        return NULL;
    }
    struct gan__critic *c = gan__alloc(sizeof *c);
    if (c == NULL) {
        gan__lab_ok(l, gan__fail_nomem(l->err, sizeof *c, "a critic"));
        return NULL;
    }
    c->opts = *o;
    if (!gan__lab_ok(l, build(c, l->seed, l->err))) {
        gan__critic_free(c);
        return NULL;
    }
    return c;
}

void gan__critic_free(struct gan__critic *c)
{
    if (c != NULL) {
        gan_plan_free(c->train);
        gan_plan_free(c->look);
        gan_net_free(c->net);
        gan_store_free(c->store);
        gan__free(c);
    }
}

/* A view; plans do not write to what they are fed. */
static gan_tensor view(const float *x, int64_t n, int64_t size)
{
    gan_tensor t = {.dtype = GAN_F32, .shape = GAN_SHAPE(n, size)};
    memcpy(&t.data, &x, sizeof x);
    return t;
}

double gan__critic_step(struct gan__lab *l, struct gan__critic *c, const float *real,
                        const float *fake)
{
    if (l->status != GAN_OK) {
        return (double)NAN;
    }
    double value[GAN_OPTIM_MAX_SCALARS];
    struct gan_scalar_data scalars[GAN_OPTIM_MAX_SCALARS];
    const int n = gan_optim_scalar_count(&c->optim);
    gan_optim_scalars(&c->optim, ++c->updates, c->opts.steps, value);
    for (int i = 0; i < n; i++) {
        scalars[i] = (struct gan_scalar_data){c->scalar[i], value[i]};
    }
    const struct gan_feed_data feeds[] = {{"real", view(real, c->opts.batch, c->opts.size)},
                                          {"fake", view(fake, c->opts.batch, c->opts.size)}};
    const struct gan_run run = {.seed = l->seed,
                                .iteration = (uint64_t)c->updates,
                                .feeds = feeds,
                                .n_feeds = 2,
                                .scalars = scalars,
                                .n_scalars = (size_t)n};
    return gan__lab_ok(l, gan_plan_run(c->train, &run, l->err))
               ? (double)*(const float *)gan_plan_output(c->train, 0)->data
               : (double)NAN;
}

void gan__critic_scores(struct gan__lab *l, struct gan__critic *c, const float *x, double *score)
{
    const struct gan_feed_data feed = {"x", view(x, c->opts.look, c->opts.size)};
    const struct gan_run run = {.feeds = &feed, .n_feeds = 1};
    if (l->status != GAN_OK || !gan__lab_ok(l, gan_plan_run(c->look, &run, l->err))) {
        return;
    }
    const float *out = gan_plan_output(c->look, 0)->data;
    for (int64_t i = 0; i < c->opts.look; i++) {
        score[i] = (double)out[i];
    }
}
