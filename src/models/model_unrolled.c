/* model_unrolled.c: the generator trains against the discriminator of a few updates later.
 *
 * Metz et al. 2017, "Unrolled generative adversarial networks", arXiv:1611.02163, equations 4 to 8:
 * theta_D^K is D after K of its own optimiser's updates on this batch, a function of G's weights; G
 * descends its objective at theta_D^K, with the derivatives of all K updates. Then D takes one real
 * update, the first of those K. Defaults follow the authors' published ring experiment. */
#include "arch.h"
#include "base/err.h"

struct unrolled {
    struct gan__arch_opts net;
    const struct gan_loss *loss;
    int64_t unroll;
    int gen_loss;
    struct gan_optim optim_gen, optim_disc;
};

enum { NEGATIVE, OWN };

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct unrolled, unroll, "unroll", "5", 0, 20,
                "updates of D the generator looks ahead; 0: a plain GAN"),
    GAN_OPT_PARSED(struct unrolled, loss, "loss", "nonsaturating", gan_loss_option,
                   "objective: gan list losses names them"),
    GAN_OPT_CHOICE(struct unrolled, gen_loss, "gen-loss", "negative", "negative|own",
                   "the generator descends minus D's loss, or the loss's own for generators"),
    GAN_OPT_PARSED(struct unrolled, net.arch, "arch", "tanh128", gan__arch_option,
                   "both networks: gan list archs names them"),
    GAN_OPT_I64(struct unrolled, net.z, "z", "0", 0, 65536,
                "length of the latent vector; 0: the architecture's"),
    GAN_OPT_I64(struct unrolled, net.width, "width", "0", 0, 4096,
                "channels next to the image, or units of a layer; 0: the architecture's"),
    GAN_OPT_CHOICE(struct unrolled, net.norm_gen, "norm-gen", "auto", GAN__NORM_CHOICES,
                   "normalisation in the generator; auto: the architecture's"),
    GAN_OPT_CHOICE(struct unrolled, net.norm_disc, "norm-disc", "auto", GAN__NORM_CHOICES,
                   "the same in the discriminator"),
    GAN_OPT_F64(struct unrolled, net.slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_PARSED(struct unrolled, optim_gen, "optim-gen", "adam:1e-3,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct unrolled, optim_disc, "optim-disc", "adam:1e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator, real and looked ahead"),
    GAN_OPT_END,
};

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct unrolled *o = options;
    GAN_TRY(gan_loss_check(o->loss, "unrolled", GAN_LOSS_REAL, err));
    if (o->net.norm_disc == GAN__NORM_VIRTUAL) {
        return gan__fail(err, GAN_E_ARG,
                         "--norm-disc virtual needs a reference of reals, which unrolled does not "
                         "take; the model plain does");
    }
    gan__arch_warn_unbounded(&o->net, o->loss, false, "use plain --reg gp, clip or sn");
    return gan__arch_fit(&o->net, fixed, err);
}

static void nets(gan_nets *d, const void *options)
{
    const struct unrolled *o = options;
    gan__arch_nets(d, &o->net);
}

/* What a discriminator is judged by. */
struct batch {
    const struct unrolled *o;
    gan_val real, fake;
};

struct scores {
    gan_val real, fake;
};

static struct scores score(gan_step *s, const struct gan_params *params, const struct batch *b)
{
    return (struct scores){gan_apply_with(s, "disc", params, b->real),
                           gan_apply_with(s, "disc", params, b->fake)};
}

/* The only place where the loss is called. */
static gan_val loss_of(gan_graph *g, const struct unrolled *o, struct scores at, bool gen)
{
    return gen ? gan_loss_gen(o->loss, g, at.real, at.fake)
               : gan_loss_disc(o->loss, g, at.real, at.fake);
}

static gan_val disc_loss(gan_step *s, const struct gan_params *params, void *batch)
{
    const struct batch *b = batch;
    return loss_of(gan_step_graph(s), b->o, score(s, params, b), false);
}

static gan_val gen_loss(gan_step *s, const struct gan_params *params, const struct batch *b)
{
    gan_graph *g = gan_step_graph(s);
    struct scores at = score(s, params, b);
    return b->o->gen_loss == OWN ? loss_of(g, b->o, at, true)
                                 : gan_neg(g, loss_of(g, b->o, at, false));
}

static gan_val fakes(gan_step *s, const struct unrolled *o)
{
    return gan_apply(s, "gen", gan_latent(s, "z", o->net.z));
}

static void iteration(gan_step *s, const void *options)
{
    const struct unrolled *o = options;
    struct batch b = {.o = o, .real = gan_batch(s, GAN_FIELD_IMAGE), .fake = fakes(s, o)};
    const struct gan_params *later =
        gan_unroll(s, "disc", &o->optim_disc, o->unroll, disc_loss, &b);
    gan_minimize(s, "gen", gen_loss(s, later, &b), &o->optim_gen);

    gan_graph *g = gan_step_graph(s);
    b.fake = gan_stop(g, b.fake);
    struct scores now = score(s, NULL, &b);
    gan_report(s, "disc.real",
               gan_mean_all(g, o->loss->logits ? gan_sigmoid(g, now.real) : now.real));
    gan_report(s, "disc.fake",
               gan_mean_all(g, o->loss->logits ? gan_sigmoid(g, now.fake) : now.fake));
    gan_minimize(s, "disc", loss_of(g, o, now, false), &o->optim_disc);
}

static gan_val sample(gan_step *s, const void *options)
{
    return fakes(s, options);
}

/* D as it stands and the slope of G's objective at it: what --unroll 0 would follow. */
static struct gan_landscape landscape(gan_step *s, const void *options, gan_val points)
{
    struct batch b = {.o = options, .real = gan_batch(s, GAN_FIELD_IMAGE)};
    b.fake = sample(s, options);
    return (struct gan_landscape){
        .value = gan_apply(s, "disc", points), .fake = b.fake, .loss = gen_loss(s, NULL, &b)};
}

static const struct gan_claim claims[] = {
    {"parameters of tanh128 on points, G and D", "49 666, 17 025"},
    {"modes of the ring found, paper's figure 2", "8 of 8, the plain GAN cycles"},
    {NULL, NULL},
};

GAN_MODEL(unrolled) = {
    .name = "unrolled",
    .title = "the generator looks some updates of the discriminator ahead",
    .paper = "Metz et al. 2017, arXiv:1611.02163",
    .help = "The generator descends its objective at the discriminator of --unroll updates later, "
            "with derivatives through all of them and the optimiser's moments: it sees how D will "
            "answer, which stops it from piling its samples on one mode. A step costs about "
            "1 + K times a plain one. Wants smooth networks (tanh), since it takes second "
            "derivatives. With --microbatch each part looks ahead on its own.",
    .needs = GAN_FIELD_IMAGE,
    .opts = opts,
    .size = sizeof(struct unrolled),
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .landscape = landscape,
    .claims = claims,
};
