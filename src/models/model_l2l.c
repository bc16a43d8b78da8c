/* model_l2l.c: an optimiser that is learned.
 *
 * Andrychowicz et al. 2016, "Learning to learn by gradient descent by gradient descent",
 * arXiv:1606.04474. A batch is a set of problems min |W t - y|^2, each solved by the network "opt"
 * (optim/learned.c): t += opt(df/dt, state). The loss of the network is the sum of f over the steps
 * of a chunk (equation 3); chunks of an episode follow each other in successive iterations, with t
 * and state kept and no derivative from one to the next. df/dt counts as a constant, so no second
 * derivatives are taken. */
#include "base/err.h"
#include "gan/model.h"
#include "optim/learned.h"
#include "quadratics.h"

#include <math.h>

struct l2l {
    struct gan_task task;
    int64_t unroll, episode;
    struct gan_optim optim;
    int64_t n; /* dimensions of a problem */
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct l2l, unroll, "unroll", "20", 1, 1000,
                "steps the network is trained through at once"),
    GAN_OPT_I64(struct l2l, episode, "episode", "100", 1, 100000,
                "steps on one set of problems; a multiple of --unroll"),
    GAN_OPT_PARSED(struct l2l, optim, "optim", "adam:1e-3,.9,.999", gan_optim_option,
                   "optimiser of the network"),
    GAN_OPT_END,
};

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct l2l *o = options;
    (void)fixed;
    if (o->episode % o->unroll != 0) {
        return gan__fail(err, GAN_E_ARG, "l2l: --episode %lld is no multiple of --unroll %lld",
                         (long long)o->episode, (long long)o->unroll);
    }
    if (gan_optim_network(&o->optim) != NULL) {
        return gan__fail(err, GAN_E_ARG, "l2l: --optim %s is what is being learned", o->optim.text);
    }
    o->n = (int64_t)floor(sqrt((double)o->task.channels + 1.5)) - 1;
    if (!o->task.points || o->n < 1 || o->n * o->n + 2 * o->n != o->task.channels) {
        return gan__fail(err, GAN_E_ARG, "l2l learns on problems: --data quadratics:10");
    }
    o->task.range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

static void nets(gan_nets *d, const void *options)
{
    (void)options;
    struct gan_net_desc desc = gan__learned_desc();
    gan_declare(d, &desc);
}

/* Where the optimisation of a batch stands. */
struct run {
    gan_val t;     /* [N,n] */
    gan_val state; /* [N n, GAN__LEARNED_STATE] */
    gan_val f;     /* values at t [N] */
};

/* One step of the learned optimiser. */
static void advance(gan_step *s, const struct gan__problems *p, struct run *r)
{
    gan_graph *g = gan_step_graph(s);
    gan_shape shape = gan_shape_get(g, r->t);
    gan_val grad;
    gan_grad(g, gan_sum_all(g, r->f), &r->t, 1, &grad);
    gan_val in[] = {gan_reshape(g, gan_stop(g, grad), GAN_SHAPE(gan_shape_count(&shape), 1)),
                    r->state};
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_apply_all(s, GAN__LEARNED_NAME, in, out);
    r->t = gan_add(g, r->t, gan_reshape(g, out[0], shape));
    r->state = out[1];
    r->f = gan__problem_values(g, p, r->t);
}

/* A kept tensor, or `fresh` where an episode begins. */
static gan_val continued(gan_step *s, const char *name, gan_val begins, gan_val fresh)
{
    gan_graph *g = gan_step_graph(s);
    gan_val kept = gan_kept(s, name, gan_shape_get(g, fresh), 0);
    return gan_select(g, begins, fresh, kept);
}

static void iteration(gan_step *s, const void *options)
{
    const struct l2l *o = options;
    gan_val batch = gan_batch(s, GAN_FIELD_IMAGE);
    gan_graph *g = gan_step_graph(s);
    gan_val time = gan_kept(s, "l2l.time", gan_shape_scalar(), 0);
    gan_val begins = gan_less(g, time, gan_const(g, 0.5));
    gan_val numbers = continued(s, "l2l.problems", begins, gan_flatten(g, batch));
    struct gan__problems p = gan__problems_of(g, numbers, o->n);
    int64_t coordinates = gan_dim(g, batch, 0) * o->n;
    gan_val blank = gan_fill(g, 0, GAN_SHAPE(coordinates, GAN__LEARNED_STATE));
    struct run r = {.t = continued(s, "l2l.t", begins, p.start),
                    .state = continued(s, "l2l.state", begins, blank)};
    r.f = gan__problem_values(g, &p, r.t);
    gan_report(s, "f.before", gan_mean_all(g, r.f));
    gan_val loss = GAN_NONE;
    for (int64_t i = 0; i < o->unroll && gan_graph_status(g, NULL) == GAN_OK; i++) {
        advance(s, &p, &r);
        gan_val mean = gan_mean_all(g, r.f);
        loss = i == 0 ? mean : gan_add(g, loss, mean);
    }
    gan_report(s, "f.after", gan_mean_all(g, r.f));
    gan_keep(s, "l2l.problems", numbers);
    gan_keep(s, "l2l.t", r.t);
    gan_keep(s, "l2l.state", r.state);
    gan_val next = gan_shift(g, time, (double)o->unroll);
    gan_val end = gan_const(g, (double)o->episode - 0.5);
    gan_keep(s, "l2l.time",
             gan_select(g, gan_greater(g, next, end), gan_zeros_like(g, next), next));
    gan_minimize(s, GAN__LEARNED_NAME, loss, &o->optim);
}

/* Points of learning curves: of each sample's own problem after a random number of steps, the share
 * of the episode in x, -1..1, and log10 |W t - y|^2 in y. */
static gan_val sample(gan_step *s, const void *options)
{
    const struct l2l *o = options;
    const double start_deviation = 0.01, tiny = 1e-12;
    int64_t count = o->n * o->n + 2 * o->n;
    gan_val z = gan_latent(s, "z", count + 1);
    gan_graph *g = gan_step_graph(s);
    struct gan__problems p = gan__problems_of(g, z, o->n);
    struct run r = {.t = gan_scale(g, p.start, start_deviation)};
    int64_t batch = gan_dim(g, z, 0), steps = o->episode;
    r.state = gan_fill(g, 0, GAN_SHAPE(batch * o->n, GAN__LEARNED_STATE));
    r.f = gan__problem_values(g, &p, r.t);
    gan_val u = gan_erf(g, gan_scale(g, gan_slice_axis(g, z, 1, count, 1), M_SQRT1_2));
    gan_val share = gan_scale(g, gan_shift(g, u, 1), 0.5); /* uniform on 0..1 */
    gan_val at = gan_reshape(g, gan_scale(g, share, (double)steps), GAN_SHAPE(batch));
    gan_val chosen = r.f;
    for (int64_t i = 1; i <= steps && gan_graph_status(g, NULL) == GAN_OK; i++) {
        advance(s, &p, &r);
        chosen = gan_select(g, gan_greater(g, at, gan_const(g, (double)i - 0.5)), r.f, chosen);
    }
    gan_val y = gan_scale(g, gan_log(g, gan_shift(g, chosen, tiny)), 1 / log(10));
    const gan_val xy[] = {u, gan_reshape(g, y, GAN_SHAPE(batch, 1))};
    return gan_reshape(g, gan_concat(g, xy, 2, 1), GAN_SHAPE(batch, 1, 1, 2));
}

static const struct gan_claim claims[] = {
    {"parameters of the network", "5 301"},
    {NULL, NULL},
};

GAN_MODEL(l2l) = {
    .name = "l2l",
    .title = "learning to learn: an optimiser that is a recurrent network",
    .paper = "Andrychowicz et al. 2016, arXiv:1606.04474",
    .help =
        "Trains the network `opt`, two LSTM of 20 units shared by all coordinates, to minimise "
        "the problems of --data quadratics:N: loss.opt is the sum of their values over --unroll "
        "steps, f.after the value the chunk ends with. Afterwards it is an update rule of any "
        "model: --optim-gen l2l --init opt=RUN. Its samples are points of learning curves: "
        "share of the episode, and log10 of the value then.",
    .needs = GAN_FIELD_IMAGE,
    .opts = opts,
    .size = sizeof(struct l2l),
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .claims = claims,
};
