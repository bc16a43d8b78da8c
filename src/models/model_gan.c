/* model_gan.c: the first GAN.
 *
 * Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1: k steps of D on fresh noise and data, one of
 * G on fresh noise (or, as PyTorch-GAN's step, on D's, so that G runs once). Two sets of networks: `paper`, the authors' MNIST configuration (maxout and
 * dropout in D, output bias of G from the pixel means), and `mlp`, the common one of PyTorch-GAN. */
#include "gan/model.h"
#include "base/err.h"
#include "net_mlp.h"

#include <math.h>
#include <string.h>

enum { NET_MLP, NET_PAPER };
enum { NOISE_FRESH, NOISE_SHARED };

struct gan {
    struct gan_task task;
    int net, loss, noise;
    int64_t z, width, k;
    double bn_eps;
    char optim_gen_text[GAN_OPT_TEXT_MAX], optim_disc_text[GAN_OPT_TEXT_MAX];
    struct gan_optim optim_gen, optim_disc;
};

static const char *const losses[] = {"nonsaturating", "minimax"};

static const struct gan_opt opts[] = {
    GAN_OPT_CHOICE(struct gan, net, "net", "mlp", "mlp|paper",
                   "networks: the common perceptrons or the paper's with maxout and dropout"),
    GAN_OPT_CHOICE(struct gan, loss, "loss", "nonsaturating", "nonsaturating|minimax",
                   "objective of the generator: -log D(G(z)), or the value function itself"),
    GAN_OPT_I64(struct gan, z, "z", "100", 1, 65536, "length of the latent vector"),
    GAN_OPT_I64(struct gan, width, "width", "128", 1, 8192,
                "mlp: first hidden layer of G; the others are multiples of it"),
    GAN_OPT_I64(struct gan, k, "k", "1", 1, 1000, "discriminator steps in an iteration"),
    GAN_OPT_CHOICE(struct gan, noise, "noise", "fresh", "fresh|shared",
                   "of the generator's step: its own, as in the paper, or the discriminator's "
                   "step's, so that the generator runs once"),
    GAN_OPT_F64(struct gan, bn_eps, "bn-eps", "1e-5", 1e-12, 10,
                "mlp: epsilon of batch norm (0.8 reproduces PyTorch-GAN's slip)"),
    GAN_OPT_TEXT(struct gan, optim_gen_text, "optim-gen", "auto",
                 "optimiser of the generator; auto: adam:2e-4,.5,.999, paper: sgd-gan2014"),
    GAN_OPT_TEXT(struct gan, optim_disc_text, "optim-disc", "auto",
                 "optimiser of the discriminator"),
    GAN_OPT_END,
};

static gan_status parse_optim(const struct gan *o, const char *text, struct gan_optim *out,
                              gan_err *err)
{
    const char *automatic = o->net == NET_PAPER ? "sgd-gan2014" : "adam:2e-4,.5,.999";
    return gan_optim_parse(strcmp(text, "auto") == 0 ? automatic : text, out, err);
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct gan *o = options;
    (void)fixed; /* any size will do */
    if (o->noise == NOISE_SHARED && o->k != 1) {
        return gan__fail(err, GAN_E_ARG,
                         "gan: --k is %lld, --noise shared takes 1 step of the discriminator",
                         (long long)o->k);
    }
    if (o->net == NET_PAPER && o->task.points) {
        return gan__fail(err, GAN_E_ARG,
                         "gan: --net paper makes pixels in [0,1], the data are "
                         "points; use --net mlp");
    }
    o->task.range = o->net == NET_PAPER ? GAN_RANGE_UNIT : GAN_RANGE_SIGNED;
    GAN_TRY(parse_optim(o, o->optim_gen_text, &o->optim_gen, err));
    return parse_optim(o, o->optim_disc_text, &o->optim_disc, err);
}

/* z uniform -> 1200 ReLU -> 1200 ReLU -> sigmoid pixels; weights U(+-.05). */
static gan_val paper_generator(gan_nn *nn, gan_val z, const struct gan_task *t)
{
    gan_graph *g = gan_nn_graph(nn);
    const struct gan_linear hidden = {
        .out = 1200, .bias = true, .init = "uniform:.05", .bias_init = "constant:0"};
    struct gan_linear last = hidden;
    last.out = t->height * t->width * t->channels;
    gan_val h0 = gan_relu(g, gan_linear(nn, "h0", z, hidden));
    gan_val h1 = gan_relu(g, gan_linear(nn, "h1", h0, hidden));
    return gan_sigmoid(g, gan__mlp_image(nn, gan_linear(nn, "y", h1, last), t));
}

/* Image -> maxout 240x5 twice -> logit; dropout keeps .8 of the inputs and .5 of the units. */
static gan_val paper_discriminator(gan_nn *nn, gan_val x)
{
    gan_graph *g = gan_nn_graph(nn);
    const struct gan_maxout layer = {
        .units = 240, .pieces = 5, .init = "uniform:.005", .bias_init = "constant:0"};
    gan_val h = gan_dropout(nn, "drop_x", gan_flatten(g, x), 0.2);
    h = gan_dropout(nn, "drop_h0", gan_maxout(nn, "h0", h, layer), 0.5);
    h = gan_dropout(nn, "drop_h1", gan_maxout(nn, "h1", h, layer), 0.5);
    return gan_linear(
        nn, "y", h,
        (struct gan_linear){
            .out = 1, .bias = true, .init = "uniform:.005", .bias_init = "constant:0"});
}

/* Image -> 4w leaky ReLU .2 -> 2w leaky ReLU .2 -> logit. */
static gan_val mlp_discriminator(gan_nn *nn, gan_val x, int64_t width)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = gan_flatten(g, x);
    h = gan_linear(nn, "model.0", h, (struct gan_linear){.out = 4 * width, .bias = true});
    h = gan_leaky_relu(g, h, 0.2);
    h = gan_linear(nn, "model.2", h, (struct gan_linear){.out = 2 * width, .bias = true});
    h = gan_leaky_relu(g, h, 0.2);
    return gan_linear(nn, "model.4", h, (struct gan_linear){.out = 1, .bias = true});
}

static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan *o = options;
    gan_graph *g = gan_nn_graph(nn);
    if (o->net == NET_PAPER) {
        out[0] = paper_generator(nn, in[0], &o->task);
        return;
    }
    gan_val x = gan__mlp_generator(nn, in[0], &o->task, o->width, o->bn_eps);
    out[0] = o->task.points ? x : gan_tanh(g, x); /* points lie anywhere, pixels in [-1,1] */
}

static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan *o = options;
    out[0] = o->net == NET_PAPER ? paper_discriminator(nn, in[0])
                                 : mlp_discriminator(nn, in[0], o->width);
}

/* The paper's net starts at the data's marginals: output bias = logit of the mean image. */
static void initial(const struct gan_param *p, const gan_tensor *value, const void *options)
{
    const struct gan *o = options;
    const struct gan_task *t = &o->task;
    if (o->net != NET_PAPER || !t->mean || strcmp(p->name, "gen.y.bias") != 0) {
        return;
    }
    for (int64_t i = 0; i < p->count;
         i++) { /* the flat output is in C,H,W order, the mean in H,W,C */
        int64_t pixels = t->height * t->width, c = i / pixels, at = i % pixels;
        double mean = fmin(fmax((double)t->mean[at * t->channels + c], 1e-3), 1 - 1e-3);
        gan_tensor_set(value, i, log(mean / (1 - mean)));
    }
}

static void nets(gan_nets *d, const void *options)
{
    const struct gan *o = options;
    const struct gan_task *t = &o->task;
    gan_declare(
        d, &(struct gan_net_desc){
               .name = "gen", .fn = generator, .in = {{.shape = GAN_SHAPE(2, o->z)}}, .n_in = 1});
    gan_declare(
        d, &(struct gan_net_desc){.name = "disc",
                                  .fn = discriminator,
                                  .in = {{.shape = GAN_SHAPE(2, t->height, t->width, t->channels)}},
                                  .n_in = 1});
}

static gan_val latent(gan_step *s, const char *name, const struct gan *o)
{
    return o->net == NET_PAPER ? gan_latent_uniform(s, name, o->z) : gan_latent(s, name, o->z);
}

static void judge(gan_step *s, const struct gan *o, gan_val made)
{
    gan_graph *g = gan_step_graph(s);
    gan_val on_real = gan_apply(s, "disc", gan_batch(s, GAN_FIELD_IMAGE));
    gan_val on_fake = gan_apply(s, "disc", gan_stop(g, made));
    gan_report(s, "disc.real", gan_mean_all(g, gan_sigmoid(g, on_real)));
    gan_report(s, "disc.fake", gan_mean_all(g, gan_sigmoid(g, on_fake)));
    const struct gan_loss *loss = gan_loss_find(losses[o->loss], NULL);
    gan_minimize(s, "disc", gan_loss_disc(loss, g, on_real, on_fake), &o->optim_disc);
}

static void iteration(gan_step *s, const void *options)
{
    const struct gan *o = options;
    const struct gan_loss *loss = gan_loss_find(losses[o->loss], NULL);
    const struct gan_runs k = {.count = o->k};
    gan_val made = GAN_NONE;
    if (o->noise == NOISE_SHARED) {
        made = gan_apply(s, "gen", latent(s, "z_g", o));
        judge(s, o, made);
    } else {
        while (gan_repeat(s, &k)) {
            judge(s, o, gan_apply(s, "gen", latent(s, "z_d", o)));
        }
        made = gan_apply(s, "gen", latent(s, "z_g", o));
    }
    gan_val on_fake = gan_apply(s, "disc", made);
    gan_minimize(s, "gen", gan_loss_gen(loss, gan_step_graph(s), GAN_NONE, on_fake), &o->optim_gen);
}

static gan_val sample(gan_step *s, const void *options)
{
    return gan_apply(s, "gen", latent(s, "z", options));
}

static const struct gan_claim claims[] = {
    {"parameters of the generator, mlp, 28x28x1", "1 510 032"},
    {"parameters of the discriminator, mlp, 28x28x1", "533 505"},
    {"value function at equilibrium, -loss.disc", "-log 4 = -1.386"},
    {"Parzen window log-likelihood on MNIST, paper", "225 +- 2 nats"},
    {NULL, NULL},
};

GAN_MODEL(gan) = {
    .name = "gan",
    .title = "the first GAN: fully connected networks, any image size",
    .paper = "Goodfellow et al. 2014, arXiv:1406.2661",
    .help = "Algorithm 1 of the paper: k steps of the discriminator, one of the generator. "
            "--loss minimax is the value function itself, whose gradient vanishes when D wins; "
            "nonsaturating is what the paper used in practice. loss.disc is -V: 2 log 2 = 1.386 "
            "when D cannot tell. --init of an autoencoder with the same --z starts G as its "
            "decoder.",
    .needs = GAN_FIELD_IMAGE,
    .opts = opts,
    .size = sizeof(struct gan),
    .wants_mean = true,
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .initial = initial,
    .claims = claims,
};
