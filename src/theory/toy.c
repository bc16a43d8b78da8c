/* toy.c: a small GAN: perceptrons, a loss and regularisers of the library, one plan for each question,
 * compiled when it is first asked. */
#include "toy_parts.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <string.h>

static gan_status run(struct gan__lab *l, struct gan__toy *t, int question,
                      const struct gan_run *args)
{
    if (t->plan[question] == NULL) {
        gan_val out[2];
        gan_graph *g = gan_graph_new(t->store, GAN_F32);
        const int n = gan__toy_ask(g, t, question, out);
        t->plan[question] = gan_plan_new(g, out, n, NULL, l->err);
        gan_graph_free(g);
        if (t->plan[question] == NULL) {
            return l->err->code;
        }
    }
    return gan_plan_run(t->plan[question], args, l->err);
}

/* --- making one --------------------------------------------------------------------------------- */

static gan_status make_side(struct gan__toy *t, struct gan__side *s, const char *name, int64_t in,
                            const char *optim, gan_err *err)
{
    const struct gan_net_desc desc = {.name = name,
                                      .fn = gan__toy_mlp,
                                      .opts = &s->mlp,
                                      .init = t->opts.init,
                                      .in = {{.shape = GAN_SHAPE(1, in)}},
                                      .n_in = 1};
    GAN_TRY(gan_optim_parse(optim, &s->optim, err));
    for (int k = 0; k <= GAN__TOY_AHEAD; k++) {
        for (int i = 0; i < gan_optim_scalar_count(&s->optim); i++) {
            (void)gan_optim_feed_name(s->scalar[k][i], GAN__TOY_NAME, &s->optim, name, k, i);
        }
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
    t->disc.mlp = (struct gan__mlp){o->width, o->depth, 1, o->relu, spectral, NULL};
    t->gen.mlp = (struct gan__mlp){o->gen_width, o->gen_depth, o->size, o->relu, false, NULL};
    t->store = gan_store_new();
    if (t->store == NULL) {
        return gan__fail_nomem(err, sizeof *t, "a small GAN");
    }
    GAN_TRY(make_side(t, &t->disc, "disc", o->size * o->pack, o->optim_disc, err));
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
    t->opts.pack = o->pack > 1 ? o->pack : 1;
    if (!gan__lab_ok(l, build(t, l->err))) {
        gan__toy_free(t);
        return NULL;
    }
    return t;
}

void gan__toy_free(struct gan__toy *t)
{
    if (t != NULL) {
        for (int i = 0; i < GAN__TOY_PLANS; i++) {
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

/* The scalars of an optimiser's update that is `ahead` of the next; returns how many. */
static size_t scalars_of(const struct gan__toy *t, const struct gan__side *s, int ahead,
                         struct gan_scalar_data *dst)
{
    double value[GAN_OPTIM_MAX_SCALARS];
    const int n = gan_optim_scalar_count(&s->optim);
    gan_optim_scalars(&s->optim, s->updates + 1 + ahead, t->opts.steps, value);
    for (int i = 0; i < n; i++) {
        dst[i] = (struct gan_scalar_data){s->scalar[ahead][i], value[i]};
    }
    return (size_t)n;
}

/* Runs with reals (unless NULL) and what fakes are made from; s: whose update it is, or NULL. */
static const float *answer(struct gan__lab *l, struct gan__toy *t, int question,
                           struct gan__side *s, const float *real, const float *from, int64_t rows)
{
    struct gan_scalar_data scalars[(GAN__TOY_AHEAD + 1) * GAN_OPTIM_MAX_SCALARS];
    struct gan_feed_data feeds[2];
    struct gan_run run_args = {
        .seed = t != NULL ? t->opts.seed : 0, .feeds = feeds, .scalars = scalars};
    if (l->status != GAN_OK || t == NULL) {
        return NULL;
    }
    if (s != NULL) {
        run_args.n_scalars = scalars_of(t, s, 0, scalars);
        for (int k = 0; question == GAN__TOY_GEN_STEP && k < (int)t->opts.ahead; k++) {
            run_args.n_scalars += scalars_of(t, &t->disc, k, scalars + run_args.n_scalars);
        }
        run_args.iteration = (uint64_t)++s->updates;
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
    const float *out = answer(l, t, GAN__TOY_DISC_STEP, t != NULL ? &t->disc : NULL, real, from,
                              t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

double gan__toy_disc_loss(struct gan__lab *l, struct gan__toy *t, const float *real,
                          const float *from)
{
    const float *out =
        answer(l, t, GAN__TOY_DISC_LOSS, NULL, real, from, t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

double gan__toy_gen_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                         const float *noise)
{
    const bool reads = t != NULL && (gan__toy_reads_reals(t->loss) || t->opts.ahead > 0);
    const float *out = answer(l, t, GAN__TOY_GEN_STEP, t != NULL ? &t->gen : NULL,
                              reads ? real : NULL, noise, t != NULL ? t->opts.batch : 0);
    return out != NULL ? (double)*out : (double)NAN;
}

double gan__toy_fit_step(struct gan__lab *l, struct gan__toy *t, const float *real,
                         const float *noise)
{
    const float *out = answer(l, t, GAN__TOY_FIT_STEP, t != NULL ? &t->gen : NULL, real, noise,
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
    if (k == GAN__TOY_GRADIENTS) {
        gan__lab_ok(l, gan__fail(l->err, GAN_E_INTERNAL, "gradients of more than %d losses", k));
        return;
    }
    t->asked[k] = of;
    t->n_asked = k == t->n_asked ? k + 1 : t->n_asked;
    const float *out = answer(l, t, GAN__TOY_GRADIENT + k, NULL, NULL, noise, t->opts.batch);
    for (size_t i = 0; out != NULL && i < gan__toy_gen_weights(t); i++) {
        grad[i] = (double)out[i];
    }
}

void gan__toy_gen_jacobian(struct gan__lab *l, struct gan__toy *t, const float *noise, double *out)
{
    const float *j = answer(l, t, GAN__TOY_JACOBIAN, NULL, NULL, noise, 1);
    for (size_t i = 0; j != NULL && i < (size_t)t->opts.size * gan__toy_gen_weights(t); i++) {
        out[i] = (double)j[i];
    }
}

void gan__toy_noise(struct gan__rng *rng, int n, float *z)
{
    for (int i = 0; i < n; i++) {
        z[i] = (float)gan__rng_normal(rng);
    }
}

void gan__toy_generate(struct gan__lab *l, struct gan__toy *t, const float *noise, float *x)
{
    const float *out =
        answer(l, t, GAN__TOY_GENERATE, NULL, NULL, noise, t != NULL ? t->opts.look : 0);
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
    if (!gan__lab_ok(l, run(l, t, GAN__TOY_SCORES, &args))) {
        return;
    }
    const float *s = gan_plan_output(t->plan[GAN__TOY_SCORES], 0)->data;
    const float *d = gan_plan_output(t->plan[GAN__TOY_SCORES], 1)->data;
    for (int64_t i = 0; score != NULL && i < t->opts.look / t->opts.pack; i++) {
        score[i] = (double)s[i];
    }
    for (int64_t i = 0; slope != NULL && i < t->opts.look * t->opts.size; i++) {
        slope[i] = (double)d[i];
    }
}

void gan__toy_layer_gradients(struct gan__lab *l, struct gan__toy *t, const float *real,
                              const float *from, double *norm)
{
    const float *out =
        answer(l, t, GAN__TOY_LAYERS, NULL, real, from, t != NULL ? t->opts.batch : 0);
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
