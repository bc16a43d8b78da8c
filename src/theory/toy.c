/* toy.c: a small GAN: perceptrons, a loss and regularisers of the library, one plan for each question,
 * compiled when it is first asked. */
#include "toy.h"

#include "base/alloc.h"
#include "base/err.h"
#include "losses/pairwise.h"

#include <gan/loss.h>
#include <gan/nn.h>
#include <gan/optim.h>
#include <gan/plan.h>
#include <gan/reg.h>
#include <gan/store.h>

#include <math.h>
#include <string.h>

enum { MAX_PARAMS = 2 * GAN__TOY_DEPTH + 2, NAME = 48 };

enum question {
    DISC_STEP,
    DISC_LOSS,
    GEN_STEP,
    FIT_STEP,
    GENERATE,
    SCORES,
    LAYERS,
    JACOBIAN,
    GRADIENT
};
enum { GRADIENTS = 3, PLANS = GRADIENT + GRADIENTS };

/* What a network function reads, and where it leaves the outputs of its hidden layers. */
struct mlp {
    int64_t width, depth, out;
    bool relu, spectral;
    gan_val *hidden; /* NULL: nowhere */
};

/* A network with its optimiser. */
struct side {
    struct mlp mlp;
    gan_net *net;
    struct gan_optim optim;
    char scalar[GAN_OPTIM_MAX_SCALARS][NAME];
    int64_t updates;
};

struct gan__toy {
    struct gan__toy_opts opts;
    const struct gan_loss *loss;             /* NULL: transport */
    const struct gan_loss *asked[GRADIENTS]; /* by gan__toy_gen_gradient; NULL: loss */
    int n_asked;
    struct gan_regs regs;
    struct side disc, gen;
    gan_val hidden[GAN__TOY_DEPTH];
    gan_store *store;
    gan_plan *plan[PLANS];
};

/* --- networks ----------------------------------------------------------------------------------- */

static void mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct mlp *o = opts;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = in[0];
    for (int k = 0; k < (int)o->depth; k++) {
        const struct gan_linear hidden = {.out = o->width, .bias = true, .spectral = o->spectral};
        h = gan_linear(nn, gan_nn_format(nn, "%d", k), h, hidden);
        h = o->relu ? gan_relu(g, h) : gan_tanh(g, h);
        if (o->hidden != NULL) {
            o->hidden[k] = h;
        }
    }
    out[0] = gan_linear(nn, gan_nn_format(nn, "%d", (int)o->depth), h,
                        (struct gan_linear){.out = o->out, .bias = true, .spectral = o->spectral});
}

static gan_val apply(gan_graph *g, const struct side *s, gan_mode mode, gan_val x)
{
    gan_val out = {0};
    gan_net_apply(g, s->net, NULL, mode, &x, &out);
    return out;
}

static gan_val feed(gan_graph *g, const char *name, int64_t rows, int64_t size)
{
    return gan_feed(g, name, GAN_F32, GAN_SHAPE(rows, size));
}

/* The fakes of a step: those of the generator, or those given. */
static gan_val fakes(gan_graph *g, const struct gan__toy *t)
{
    if (t->opts.latent == 0) {
        return feed(g, "from", t->opts.batch, t->opts.size);
    }
    return apply(g, &t->gen, GAN_EVAL, feed(g, "from", t->opts.batch, t->opts.latent));
}

/* --- losses ------------------------------------------------------------------------------------- */

/* The c-transform of phi on a batch: min over i of |x_i - y_j| - phi(x_i). */
static gan_val c_transform(gan_graph *g, gan_val real, gan_val on_real, gan_val fake)
{
    gan_val gap = gan_sub(g, on_real, gan__pair_distance(g, real, fake, 1e-12));
    return gan_neg(g, gan_reduce_max(g, gap, GAN_AXIS(0), false));
}

static gan_val disc_loss(gan_graph *g, const struct gan__toy *t, gan_val real, gan_val fake,
                         gan_val on_real, gan_val on_fake)
{
    if (t->loss != NULL) {
        return gan_loss_disc(t->loss, g, on_real, on_fake);
    }
    gan_val dual = c_transform(g, real, on_real, fake);
    return gan_neg(g, gan_add(g, gan_mean_all(g, on_real), gan_mean_all(g, dual)));
}

struct penalised {
    gan_graph *g;
    const struct gan__toy *t;
};

static gan_val penalty_score(void *user, gan_val x)
{
    const struct penalised *p = user;
    return apply(p->g, &p->t->disc, GAN_EVAL, x);
}

static gan_val penalty_uniform(void *user, const char *name, gan_shape shape)
{
    const struct penalised *p = user;
    shape.dim[0] = p->t->opts.batch;
    return gan_random_uniform(p->g, name, shape);
}

static gan_val penalty_normal(void *user, const char *name, gan_shape shape)
{
    const struct penalised *p = user;
    shape.dim[0] = p->t->opts.batch;
    return gan_random_normal(p->g, name, shape);
}

static gan_val penalties(gan_graph *g, const struct gan__toy *t, gan_val loss, gan_val real,
                         gan_val fake, gan_val on_real, gan_val on_fake)
{
    struct penalised user = {g, t};
    const struct gan_reg_context c = {.g = g,
                                      .phase = GAN_REG_DISC,
                                      .real = real,
                                      .fake = fake,
                                      .on_real = on_real,
                                      .on_fake = on_fake,
                                      .score = penalty_score,
                                      .uniform = penalty_uniform,
                                      .normal = penalty_normal,
                                      .user = &user};
    for (int i = 0; i < t->regs.n; i++) {
        if (t->regs.term[i].kind->penalty != NULL) {
            loss = gan_add(g, loss, t->regs.term[i].kind->penalty(&c, t->regs.term[i].value));
        }
    }
    return loss;
}

/* --- plans -------------------------------------------------------------------------------------- */

static void update(gan_graph *g, struct side *s, const char *phase, gan_val loss)
{
    const char *names[MAX_PARAMS];
    gan_val params[MAX_PARAMS], grads[MAX_PARAMS];
    struct gan_update u;
    const int n = gan_net_weights(g, s->net, names, params);
    gan_grad(g, loss, params, n, grads);
    gan_optim_apply(g, &s->optim,
                    &(struct gan_optim_args){
                        .phase = phase, .names = names, .params = params, .grads = grads, .n = n},
                    &u);
}

static void limit(gan_graph *g, const struct gan__toy *t)
{
    const char *names[MAX_PARAMS];
    const int n = gan_net_weights(g, t->disc.net, names, NULL);
    for (int i = 0; i < t->regs.n; i++) {
        for (int k = 0; k < n && t->regs.term[i].kind->limit != NULL; k++) {
            gan_state_set(
                g, names[k],
                t->regs.term[i].kind->limit(g, gan_state_get(g, names[k]), t->regs.term[i].value));
        }
    }
}

/* DISC_STEP, DISC_LOSS, LAYERS. */
static gan_val on_disc(gan_graph *g, struct gan__toy *t, int question)
{
    gan_val dh[GAN__TOY_DEPTH];
    const int depth = (int)t->opts.depth;
    const gan_mode mode = question == DISC_STEP ? GAN_TRAIN : GAN_EVAL;
    gan_val real = feed(g, "real", t->opts.batch, t->opts.size);
    gan_val fake = gan_stop(g, fakes(g, t));
    gan_val both = gan_concat(g, (const gan_val[]){real, fake}, 2, 0);
    t->disc.mlp.hidden = t->hidden;
    gan_val score = apply(g, &t->disc, mode, both);
    t->disc.mlp.hidden = NULL;
    gan_val on_real = gan_slice_axis(g, score, 0, 0, t->opts.batch);
    gan_val on_fake = gan_slice_axis(g, score, 0, t->opts.batch, t->opts.batch);
    gan_val loss = disc_loss(g, t, real, fake, on_real, on_fake);
    if (question == DISC_STEP) {
        update(g, &t->disc, "disc", penalties(g, t, loss, real, fake, on_real, on_fake));
        limit(g, t);
    }
    if (question == LAYERS) {
        gan_grad(g, loss, t->hidden, depth, dh);
        for (int k = 0; k < depth; k++) {
            gan_val sum = gan_sum_all(g, gan_square(g, gan_scale(g, dh[k], 1e12)));
            dh[k] = gan_reshape(g, gan_sqrt(g, sum), GAN_SHAPE(1));
        }
        loss = gan_concat(g, dh, depth, 0); /* in 1e-12, for squares that f32 would lose */
    }
    return loss;
}

static gan_val gen_loss(gan_graph *g, const struct gan__toy *t, const struct gan_loss *loss)
{
    gan_val fake = fakes(g, t);
    if (loss != NULL) {
        return gan_loss_gen(loss, g, GAN_NONE, apply(g, &t->disc, GAN_EVAL, fake));
    }
    gan_val real = feed(g, "real", t->opts.batch, t->opts.size);
    return gan_mean_all(g, c_transform(g, real, apply(g, &t->disc, GAN_EVAL, real), fake));
}

/* Derivatives of y in all weights of the generator, one after another. */
static gan_val flat_gradient(gan_graph *g, const struct gan__toy *t, gan_val y)
{
    gan_val params[MAX_PARAMS], grads[MAX_PARAMS];
    const int n = gan_net_weights(g, t->gen.net, NULL, params);
    gan_grad(g, y, params, n, grads);
    for (int i = 0; i < n; i++) {
        grads[i] = gan_reshape(g, grads[i], GAN_SHAPE(-1));
    }
    return gan_concat(g, grads, n, 0);
}

static gan_val jacobian(gan_graph *g, const struct gan__toy *t)
{
    enum { SIZE = 32 };
    gan_val row[SIZE];
    gan_val x = apply(g, &t->gen, GAN_EVAL, feed(g, "from", 1, t->opts.latent));
    for (int k = 0; k < (int)t->opts.size && k < SIZE; k++) {
        row[k] = flat_gradient(g, t, gan_sum_all(g, gan_slice_axis(g, x, 1, k, 1)));
    }
    return gan_concat(g, row, (int)t->opts.size, 0);
}

static int ask(gan_graph *g, struct gan__toy *t, int question, gan_val *out)
{
    const struct gan__toy_opts *o = &t->opts;
    switch (question) {
    case GEN_STEP:
        out[0] = gen_loss(g, t, t->loss);
        update(g, &t->gen, "gen", out[0]);
        return 1;
    case FIT_STEP:
        out[0] = gan_mean_all(
            g, gan_square(g, gan_sub(g, fakes(g, t), feed(g, "real", o->batch, o->size))));
        update(g, &t->gen, "gen", out[0]);
        return 1;
    case GENERATE:
        out[0] = apply(g, &t->gen, GAN_EVAL, feed(g, "from", o->look, o->latent));
        return 1;
    case SCORES: {
        gan_val x = feed(g, "x", o->look, o->size);
        out[0] = apply(g, &t->disc, GAN_EVAL, x);
        gan_grad(g, gan_sum_all(g, out[0]), &x, 1, &out[1]);
        return 2;
    }
    case JACOBIAN:
        out[0] = jacobian(g, t);
        return 1;
    case DISC_STEP:
    case DISC_LOSS:
    case LAYERS:
        out[0] = on_disc(g, t, question);
        return 1;
    default:
        out[0] = flat_gradient(g, t, gen_loss(g, t, t->asked[question - GRADIENT]));
        return 1;
    }
}

static gan_status run(struct gan__lab *l, struct gan__toy *t, int question,
                      const struct gan_run *args)
{
    if (t->plan[question] == NULL) {
        gan_val out[2];
        gan_graph *g = gan_graph_new(t->store, GAN_F32);
        const int n = ask(g, t, question, out);
        t->plan[question] = gan_plan_new(g, out, n, NULL, l->err);
        gan_graph_free(g);
        if (t->plan[question] == NULL) {
            return l->err->code;
        }
    }
    return gan_plan_run(t->plan[question], args, l->err);
}

/* --- making one --------------------------------------------------------------------------------- */

static gan_status make_side(struct gan__toy *t, struct side *s, const char *name, int64_t in,
                            const char *optim, gan_err *err)
{
    const struct gan_net_desc desc = {.name = name,
                                      .fn = mlp,
                                      .opts = &s->mlp,
                                      .init = t->opts.init,
                                      .in = {{.shape = GAN_SHAPE(1, in)}},
                                      .n_in = 1};
    GAN_TRY(gan_optim_parse(optim, &s->optim, err));
    for (int i = 0; i < gan_optim_scalar_count(&s->optim); i++) {
        (void)gan_optim_feed_name(s->scalar[i], NAME, &s->optim, name, 0, i);
    }
    s->net = gan_net_new(t->store, &desc, err);
    return s->net != NULL ? gan_net_init(s->net, t->opts.seed, err) : err->code;
}

static gan_status build(struct gan__toy *t, gan_err *err)
{
    const struct gan__toy_opts *o = &t->opts;
    bool spectral = false;
    if (o->loss != NULL) {
        t->loss = gan_loss_find(o->loss, err);
        if (t->loss == NULL) {
            return GAN_E_ARG;
        }
    }
    GAN_TRY(gan_regs_parse(o->regs != NULL ? o->regs : "", &t->regs, err));
    for (int i = 0; i < t->regs.n; i++) {
        spectral |= t->regs.term[i].kind->spectral;
    }
    t->disc.mlp = (struct mlp){o->width, o->depth, 1, o->relu, spectral, NULL};
    t->gen.mlp = (struct mlp){o->gen_width, o->gen_depth, o->size, o->relu, false, NULL};
    t->store = gan_store_new();
    if (t->store == NULL) {
        return gan__fail_nomem(err, sizeof *t, "a small GAN");
    }
    GAN_TRY(make_side(t, &t->disc, "disc", o->size, o->optim_disc, err));
    return o->latent > 0 ? make_side(t, &t->gen, "gen", o->latent, o->optim_gen, err) : GAN_OK;
}

struct gan__toy *gan__toy_new(struct gan__lab *l, const struct gan__toy_opts *o)
{
    if (l->status != GAN_OK) {
        return NULL;
    }
    struct gan__toy *t = gan__alloc(sizeof *t);
    if (t == NULL) {
        gan__lab_ok(l, gan__fail_nomem(l->err, sizeof *t, "a small GAN"));
        return NULL;
    }
    t->opts = *o;
    if (!gan__lab_ok(l, build(t, l->err))) {
        gan__toy_free(t);
        return NULL;
    }
    return t;
}

void gan__toy_free(struct gan__toy *t)
{
    if (t != NULL) {
        for (int i = 0; i < PLANS; i++) {
            gan_plan_free(t->plan[i]);
        }
        gan_net_free(t->disc.net);
        gan_net_free(t->gen.net);
        gan_store_free(t->store);
        gan__free(t);
    }
}

static bool starts_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

void gan__toy_reset_disc(struct gan__lab *l, struct gan__toy *t, uint64_t seed)
{
    if (l->status != GAN_OK || t == NULL ||
        !gan__lab_ok(l, gan_net_init(t->disc.net, seed, l->err))) {
        return;
    }
    for (int i = 0; i < gan_store_count(t->store); i++) {
        const gan_state *s = gan_store_at(t->store, i);
        if (starts_with(s->name, "optim.disc.")) {
            memset(s->value.data, 0, (size_t)gan_shape_count(&s->value.shape) * sizeof(float));
        }
    }
    t->disc.updates = 0;
}

void gan__toy_copy_gen(struct gan__toy *dst, const struct gan__toy *src)
{
    for (int i = 0; dst != NULL && src != NULL && i < gan_store_count(src->store); i++) {
        const gan_state *from = gan_store_at(src->store, i);
        const int at = gan_store_find(dst->store, from->name);
        if (at >= 0 && starts_with(from->name, "gen.")) {
            memcpy(gan_store_at(dst->store, at)->value.data, from->value.data,
                   (size_t)gan_shape_count(&from->value.shape) * sizeof(float));
        }
    }
}

/* --- asking ------------------------------------------------------------------------------------- */

/* A view; plans do not write to what they are fed. */
static struct gan_feed_data given(const char *name, const float *x, int64_t n, int64_t size)
{
    struct gan_feed_data f = {name, {.dtype = GAN_F32, .shape = GAN_SHAPE(n, size)}};
    memcpy(&f.value.data, &x, sizeof x);
    return f;
}

/* Runs with reals (unless NULL) and what fakes are made from; s: whose update it is, or NULL. */
static const float *answer(struct gan__lab *l, struct gan__toy *t, int question, struct side *s,
                           const float *real, const float *from, int64_t rows)
{
    double value[GAN_OPTIM_MAX_SCALARS];
    struct gan_scalar_data scalars[GAN_OPTIM_MAX_SCALARS];
    struct gan_feed_data feeds[2];
    struct gan_run run_args = {.seed = t != NULL ? t->opts.seed : 0, .feeds = feeds};
    if (l->status != GAN_OK || t == NULL) {
        return NULL;
    }
    if (s != NULL) {
        gan_optim_scalars(&s->optim, ++s->updates, t->opts.steps, value);
        for (int i = 0; i < gan_optim_scalar_count(&s->optim); i++) {
            scalars[i] = (struct gan_scalar_data){s->scalar[i], value[i]};
        }
        run_args.scalars = scalars;
        run_args.n_scalars = (size_t)gan_optim_scalar_count(&s->optim);
        run_args.iteration = (uint64_t)s->updates;
    }
    feeds[run_args.n_feeds++] =
        given("from", from, rows, t->opts.latent > 0 ? t->opts.latent : t->opts.size);
    if (real != NULL) {
        feeds[run_args.n_feeds++] = given("real", real, rows, t->opts.size);
    }
    return gan__lab_ok(l, run(l, t, question, &run_args))
               ? gan_plan_output(t->plan[question], 0)->data
               : NULL;
}

double gan__toy_disc_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                          const float *from)
{
    const float *out = answer(l, t, DISC_STEP, t != NULL ? &t->disc : NULL, real, from,
                              t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

double gan__toy_disc_loss(struct gan__lab *l, struct gan__toy *t, const float *real,
                          const float *from)
{
    const float *out = answer(l, t, DISC_LOSS, NULL, real, from, t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

double gan__toy_gen_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                         const float *noise)
{
    const float *out =
        answer(l, t, GEN_STEP, t != NULL ? &t->gen : NULL,
               t != NULL && t->loss == NULL ? real : NULL, noise, t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

double gan__toy_fit_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                         const float *noise)
{
    const float *out = answer(l, t, FIT_STEP, t != NULL ? &t->gen : NULL, real, noise,
                              t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

size_t gan__toy_gen_weights(const struct gan__toy *t)
{
    return t != NULL ? (size_t)gan_net_params(t->gen.net) : 0;
}

void gan__toy_gen_gradient(struct gan__lab *l, struct gan__toy *t, const char *loss,
                           const float *noise, double *grad)
{
    int k = 0;
    if (l->status != GAN_OK || t == NULL) {
        return;
    }
    const struct gan_loss *of = loss != NULL ? gan_loss_find(loss, l->err) : t->loss;
    if (of == NULL) {
        gan__lab_ok(l, GAN_E_ARG);
        return;
    }
    while (k < t->n_asked && t->asked[k] != of) {
        k++;
    }
    if (k == GRADIENTS) {
        gan__lab_ok(l, gan__fail(l->err, GAN_E_INTERNAL, "gradients of more than %d losses", k));
        return;
    }
    t->asked[k] = of;
    t->n_asked = k == t->n_asked ? k + 1 : t->n_asked;
    const float *out = answer(l, t, GRADIENT + k, NULL, NULL, noise, t->opts.batch);
    for (size_t i = 0; out != NULL && i < gan__toy_gen_weights(t); i++) {
        grad[i] = (double)out[i];
    }
}

void gan__toy_gen_jacobian(struct gan__lab *l, struct gan__toy *t, const float *noise, double *out)
{
    const float *j = answer(l, t, JACOBIAN, NULL, NULL, noise, 1);
    for (size_t i = 0; j != NULL && i < (size_t)t->opts.size * gan__toy_gen_weights(t); i++) {
        out[i] = (double)j[i];
    }
}

void gan__toy_generate(struct gan__lab *l, struct gan__toy *t, const float *noise, float *x)
{
    const float *out = answer(l, t, GENERATE, NULL, NULL, noise, t != NULL ? t->opts.look : 0);
    if (out != NULL) {
        memcpy(x, out, (size_t)(t->opts.look * t->opts.size) * sizeof *x);
    }
}

void gan__toy_scores(struct gan__lab *l, struct gan__toy *t, const float *x, double *score,
                     double *slope)
{
    if (l->status != GAN_OK || t == NULL) {
        return;
    }
    const struct gan_feed_data points = given("x", x, t->opts.look, t->opts.size);
    const struct gan_run args = {.feeds = &points, .n_feeds = 1};
    if (!gan__lab_ok(l, run(l, t, SCORES, &args))) {
        return;
    }
    const float *s = gan_plan_output(t->plan[SCORES], 0)->data;
    const float *d = gan_plan_output(t->plan[SCORES], 1)->data;
    for (int64_t i = 0; score != NULL && i < t->opts.look; i++) {
        score[i] = (double)s[i];
    }
    for (int64_t i = 0; slope != NULL && i < t->opts.look * t->opts.size; i++) {
        slope[i] = (double)d[i];
    }
}

void gan__toy_layer_gradients(struct gan__lab *l, struct gan__toy *t, const float *real,
                              const float *from, double *norm)
{
    const float *out = answer(l, t, LAYERS, NULL, real, from, t != NULL ? t->opts.batch : 0);
    for (int64_t k = 0; out != NULL && k < t->opts.depth; k++) {
        norm[k] = (double)out[k] * 1e-12;
    }
}

const float *gan__toy_weight(const struct gan__toy *t, int k, int64_t *out, int64_t *in)
{
    if (t == NULL) {
        return NULL;
    }
    for (int i = 0, seen = 0; i < gan_net_count(t->disc.net); i++) {
        const struct gan_param *p = gan_net_param(t->disc.net, i);
        if (p->kind == GAN_STATE_WEIGHT && p->shape.rank == 2 && seen++ == k) {
            *out = p->shape.dim[0];
            *in = p->shape.dim[1];
            return gan_store_at(t->store, gan_store_find(t->store, p->name))->value.data;
        }
    }
    return NULL;
}
