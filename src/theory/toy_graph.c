/* toy_graph.c: the graphs of a small GAN: its perceptrons, the updates of both, and what is asked of
 * them. Unrolling: Metz et al. 2016, arXiv:1611.02163; packing: Lin et al. 2018, arXiv:1712.04086. */
#include "toy_parts.h"

#include "losses/pairwise.h"

/* --- networks ----------------------------------------------------------------------------------- */

void gan__toy_mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan__mlp *o = opts;
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

static gan_val apply(gan_graph *g, const struct gan__side *s, gan_mode mode, gan_val x)
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

/* Points side by side, as the critic takes them (Lin et al. 2018, arXiv:1712.04086, section 3). */
static gan_val packed(gan_graph *g, const struct gan__toy *t, gan_val x)
{
    return t->opts.pack == 1 ? x : gan_reshape(g, x, GAN_SHAPE(-1, t->opts.pack * t->opts.size));
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
    shape.dim[0] = p->t->opts.batch / p->t->opts.pack;
    return gan_random_uniform(p->g, name, shape);
}

static gan_val penalty_normal(void *user, const char *name, gan_shape shape)
{
    const struct penalised *p = user;
    shape.dim[0] = p->t->opts.batch / p->t->opts.pack;
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

static void update(gan_graph *g, struct gan__side *s, const char *phase, gan_val loss)
{
    const char *names[GAN__TOY_PARAMS];
    gan_val params[GAN__TOY_PARAMS], grads[GAN__TOY_PARAMS];
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
    const char *names[GAN__TOY_PARAMS];
    const int n = gan_net_weights(g, t->disc.net, names, NULL);
    for (int i = 0; i < t->regs.n; i++) {
        for (int k = 0; k < n && t->regs.term[i].kind->limit != NULL; k++) {
            gan_state_set(
                g, names[k],
                t->regs.term[i].kind->limit(g, gan_state_get(g, names[k]), t->regs.term[i].value));
        }
    }
}

/* GAN__TOY_DISC_STEP, GAN__TOY_DISC_LOSS, GAN__TOY_LAYERS. */
static gan_val on_disc(gan_graph *g, struct gan__toy *t, int question)
{
    gan_val dh[GAN__TOY_DEPTH];
    const int depth = (int)t->opts.depth;
    const gan_mode mode = question == GAN__TOY_DISC_STEP ? GAN_TRAIN : GAN_EVAL;
    const int64_t rows = t->opts.batch / t->opts.pack;
    gan_val real = packed(g, t, feed(g, "real", t->opts.batch, t->opts.size));
    gan_val fake = packed(g, t, gan_stop(g, fakes(g, t)));
    gan_val both = gan_concat(g, (const gan_val[]){real, fake}, 2, 0);
    t->disc.mlp.hidden = t->hidden;
    gan_val score = apply(g, &t->disc, mode, both);
    t->disc.mlp.hidden = NULL;
    gan_val on_real = gan_slice_axis(g, score, 0, 0, rows);
    gan_val on_fake = gan_slice_axis(g, score, 0, rows, rows);
    gan_val loss = disc_loss(g, t, real, fake, on_real, on_fake);
    if (question == GAN__TOY_DISC_STEP) {
        update(g, &t->disc, "disc", penalties(g, t, loss, real, fake, on_real, on_fake));
        limit(g, t);
    }
    if (question == GAN__TOY_LAYERS) {
        gan_grad(g, loss, t->hidden, depth, dh);
        for (int k = 0; k < depth; k++) {
            gan_val sum = gan_sum_all(g, gan_square(g, gan_scale(g, dh[k], 1e12)));
            dh[k] = gan_reshape(g, gan_sqrt(g, sum), GAN_SHAPE(1));
        }
        loss = gan_concat(g, dh, depth, 0); /* in 1e-12, for squares that f32 would lose */
    }
    return loss;
}

bool gan__toy_reads_reals(const struct gan_loss *loss)
{
    return loss == NULL || (loss->needs & GAN_LOSS_REAL) != 0;
}

static gan_val gen_loss(gan_graph *g, const struct gan__toy *t, const struct gan_loss *loss)
{
    gan_val fake = packed(g, t, fakes(g, t)), on_real = GAN_NONE, real = GAN_NONE;
    if (gan__toy_reads_reals(loss)) {
        real = packed(g, t, feed(g, "real", t->opts.batch, t->opts.size));
        on_real = apply(g, &t->disc, GAN_EVAL, real);
    }
    return loss != NULL ? gan_loss_gen(loss, g, on_real, apply(g, &t->disc, GAN_EVAL, fake))
                        : gan_mean_all(g, c_transform(g, real, on_real, fake));
}

/* The weights of a critic where it expects them, and its statistics. */
static void fill(gan_graph *g, const gan_net *net, const gan_val *weight, gan_val *table)
{
    for (int i = 0, w = 0; i < gan_net_count(net); i++) {
        const struct gan_param *p = gan_net_param(net, i);
        table[i] = p->kind == GAN_STATE_WEIGHT ? weight[w++] : gan_state_get(g, p->name);
    }
}

/* What the critic's loss is after some of its updates on this batch, negative: Metz et al. 2017,
 * arXiv:1611.02163, equations 3 to 6. */
static gan_val look_ahead(gan_graph *g, struct gan__toy *t)
{
    enum { SLOTS = 4 };
    const char *names[GAN__TOY_PARAMS];
    gan_val weight[GAN__TOY_PARAMS], grad[GAN__TOY_PARAMS], slots[GAN__TOY_PARAMS * SLOTS],
        table[2 * GAN__TOY_PARAMS];
    const struct gan_params after = {table};
    gan_val real = packed(g, t, feed(g, "real", t->opts.batch, t->opts.size)), on_real, on_fake;
    gan_val fake = packed(g, t, fakes(g, t)), loss = {0};
    const int n = gan_net_weights(g, t->disc.net, names, weight);
    const struct gan_optim_args args = {
        .phase = "disc", .names = names, .params = weight, .grads = grad, .n = n};
    gan_optim_slots(g, &t->disc.optim, &args, slots);
    for (int k = 0; k <= (int)t->opts.ahead; k++) {
        fill(g, t->disc.net, weight, table);
        gan_net_apply(g, t->disc.net, &after, GAN_EVAL, &real, &on_real);
        gan_net_apply(g, t->disc.net, &after, GAN_EVAL, &fake, &on_fake);
        loss = disc_loss(g, t, real, fake, on_real, on_fake);
        if (k < (int)t->opts.ahead) {
            gan_grad(g, loss, weight, n, grad);
            gan_optim_next(g, &t->disc.optim, &args, k, slots, weight);
        }
    }
    return gan_neg(g, loss);
}

/* Derivatives of y in all weights of the generator, one after another. */
static gan_val flat_gradient(gan_graph *g, const struct gan__toy *t, gan_val y)
{
    gan_val params[GAN__TOY_PARAMS], grads[GAN__TOY_PARAMS];
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

int gan__toy_ask(gan_graph *g, struct gan__toy *t, int question, gan_val *out)
{
    const struct gan__toy_opts *o = &t->opts;
    switch (question) {
    case GAN__TOY_GEN_STEP:
        out[0] = t->opts.ahead > 0 ? look_ahead(g, t) : gen_loss(g, t, t->loss);
        update(g, &t->gen, "gen", out[0]);
        return 1;
    case GAN__TOY_FIT_STEP:
        out[0] = gan_mean_all(
            g, gan_square(g, gan_sub(g, fakes(g, t), feed(g, "real", o->batch, o->size))));
        update(g, &t->gen, "gen", out[0]);
        return 1;
    case GAN__TOY_GENERATE:
        out[0] = apply(g, &t->gen, GAN_EVAL, feed(g, "from", o->look, o->latent));
        return 1;
    case GAN__TOY_SCORES: {
        gan_val x = feed(g, "x", o->look, o->size);
        out[0] = apply(g, &t->disc, GAN_EVAL, packed(g, t, x));
        gan_grad(g, gan_sum_all(g, out[0]), &x, 1, &out[1]);
        return 2;
    }
    case GAN__TOY_JACOBIAN:
        out[0] = jacobian(g, t);
        return 1;
    case GAN__TOY_DISC_STEP:
    case GAN__TOY_DISC_LOSS:
    case GAN__TOY_LAYERS:
        out[0] = on_disc(g, t, question);
        return 1;
    default:
        out[0] = flat_gradient(g, t, gen_loss(g, t, t->asked[question - GAN__TOY_GRADIENT]));
        return 1;
    }
}
