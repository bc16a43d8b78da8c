/* model_plain.c: the GAN as a product: architecture x loss x regularisers x optimisers. One iteration
 * is the algorithm most papers share; everything else is a table.
 *
 * Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1; with --n-critic, --loss wasserstein and --reg
 * clip or gp it is algorithm 1 of Arjovsky et al. 2017, arXiv:1701.07875, and of Gulrajani et al.
 * 2017, arXiv:1704.00028. */
#include "arch.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <gan/reg.h>

struct plain {
    struct gan__arch_opts net;
    const struct gan_loss *loss;
    struct gan_regs regs;
    int64_t n_critic, warm_critic;
    bool critic_first;
    int latent;
    struct gan_optim optim_gen, optim_disc;
};

enum { LATENT_NORMAL, LATENT_UNIFORM };

static const struct gan_opt opts[] = {
    GAN_OPT_PARSED(struct plain, net.arch, "arch", "dcgan", gan__arch_option,
                   "both networks: gan list archs names them"),
    GAN_OPT_PARSED(struct plain, loss, "loss", "nonsaturating", gan_loss_option,
                   "objective: gan list losses names them"),
    GAN_OPT_PARSED(struct plain, regs, "reg", "none", gan_regs_option,
                   "regularisers of the discriminator, NAME[:NUMBER],..: gp:10, r1:1,r2:1, "
                   "clip:.01, sn; gan list regs names them"),
    GAN_OPT_I64(struct plain, net.z, "z", "0", 0, 65536,
                "length of the latent vector; 0: the architecture's"),
    GAN_OPT_CHOICE(struct plain, latent, "latent", "normal", "normal|uniform",
                   "law of the latents, of variance 1"),
    GAN_OPT_I64(struct plain, net.width, "width", "0", 0, 4096,
                "channels next to the image, or units of a layer; 0: the architecture's"),
    GAN_OPT_CHOICE(struct plain, net.norm_gen, "norm-gen", "auto", GAN__NORM_CHOICES,
                   "normalisation in the generator; auto: the architecture's"),
    GAN_OPT_CHOICE(struct plain, net.norm_disc, "norm-disc", "auto", GAN__NORM_CHOICES,
                   "the same in the discriminator; auto: layer for batch where slopes are "
                   "penalised"),
    GAN_OPT_F64(struct plain, net.slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_I64(struct plain, n_critic, "n-critic", "1", 1, 1000,
                "updates of the discriminator for one of the generator"),
    GAN_OPT_I64(struct plain, warm_critic, "warm-critic", "0", 0, 100000,
                "the same in the first 25 iterations and every 500th; 0: as n-critic"),
    GAN_OPT_BOOL(struct plain, critic_first, "critic-first", "true",
                 "the discriminator's updates come before the generator's"),
    GAN_OPT_PARSED(struct plain, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct plain, optim_disc, "optim-disc", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator"),
    GAN_OPT_END,
};

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct plain *o = options;
    bool asked = o->net.norm_disc != GAN__NORM_AUTO;
    GAN_TRY(gan__arch_fit(&o->net, fixed, err));
    o->net.spectral = false;
    for (int i = 0; i < o->regs.n; i++) {
        const struct gan_reg *r = o->regs.term[i].kind;
        o->net.spectral = o->net.spectral || r->spectral;
        if (r->per_sample && o->net.norm_disc == GAN__NORM_BATCH && !asked) {
            o->net.norm_disc = GAN__NORM_LAYER;
        } else if (r->per_sample && o->net.norm_disc == GAN__NORM_BATCH) {
            gan__log(GAN_LOG_WARNING,
                     "--reg %s reads slopes at single samples, which --norm-disc batch mixes: use "
                     "--norm-disc layer",
                     r->name);
        }
    }
    return GAN_OK;
}

static void nets(gan_nets *d, const void *options)
{
    const struct plain *o = options;
    gan__arch_nets(d, &o->net);
}

static gan_val latent(gan_step *s, const struct plain *o, const char *name)
{
    return o->latent == LATENT_UNIFORM ? gan_latent_uniform(s, name, o->net.z)
                                       : gan_latent(s, name, o->net.z);
}

/* --- what a regulariser may ask for --------------------------------------------------------------- */

static gan_val score(void *step, gan_val x)
{
    return gan_apply(step, "disc", x);
}

static gan_val uniform(void *step, const char *name, gan_shape shape)
{
    return gan_noise_uniform(step, name, shape);
}

/* The loss plus every penalty. */
static gan_val regularised(const struct plain *o, struct gan_reg_context *c, gan_val loss)
{
    c->score = score;
    c->uniform = uniform;
    for (int i = 0; i < o->regs.n; i++) {
        const struct gan_reg_term *t = &o->regs.term[i];
        if (t->kind->penalty != NULL) {
            char name[48];
            gan_val penalty = t->kind->penalty(c, t->value);
            (void)gan__format(name, sizeof name, "penalty.%s", t->kind->name);
            gan_report(c->user, name, penalty);
            loss = gan_add(c->g, loss, penalty);
        }
    }
    return loss;
}

static void limit_weights(gan_step *s, const struct plain *o)
{
    for (int i = 0; i < o->regs.n; i++) {
        if (o->regs.term[i].kind->limit != NULL) {
            gan_limit_weights(s, "disc", o->regs.term[i].kind->limit, o->regs.term[i].value);
        }
    }
}

/* Mean scores; for a score without unit, also their difference: a critic's estimate of distance. */
static void report_scores(gan_step *s, const struct plain *o, gan_val on_real, gan_val on_fake)
{
    gan_graph *g = gan_step_graph(s);
    bool logits = o->loss->logits;
    gan_val real = gan_mean_all(g, logits ? gan_sigmoid(g, on_real) : on_real);
    gan_val fake = gan_mean_all(g, logits ? gan_sigmoid(g, on_fake) : on_fake);
    gan_report(s, "disc.real", real);
    gan_report(s, "disc.fake", fake);
    if (!logits) {
        gan_report(s, "disc.gap", gan_sub(g, real, fake));
    }
}

/* --- the algorithm ---------------------------------------------------------------------------------- */

/* Real and fake batches pass D separately: each is normalised by its own statistics. */
static void update_disc(gan_step *s, const struct plain *o, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val real = gan_batch(s, GAN_FIELD_IMAGE);
    gan_val fixed = gan_stop(g, fake);
    gan_val on_real = gan_apply(s, "disc", real);
    gan_val on_fake = gan_apply(s, "disc", fixed);
    struct gan_reg_context c = {
        .g = g, .real = real, .fake = fixed, .on_real = on_real, .on_fake = on_fake, .user = s};
    report_scores(s, o, on_real, on_fake);
    gan_val loss = regularised(o, &c, o->loss->disc(g, on_real, on_fake, NULL));
    gan_minimize(s, "disc", loss, &o->optim_disc);
    limit_weights(s, o);
}

static void update_gen(gan_step *s, const struct plain *o, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val on_real = GAN_NONE;
    if (o->loss->gen_needs_real) {
        on_real = gan_apply(s, "disc", gan_batch(s, GAN_FIELD_IMAGE));
    }
    gan_val on_fake = gan_apply(s, "disc", fake);
    gan_minimize(s, "gen", o->loss->gen(g, on_real, on_fake, NULL), &o->optim_gen);
}

static gan_val fakes(gan_step *s, const struct plain *o, const char *stream)
{
    return gan_apply(s, "gen", latent(s, o, stream));
}

static void iteration(gan_step *s, const void *options)
{
    const struct plain *o = options;
    const struct gan_runs runs = {
        .count = o->n_critic, .warm_count = o->warm_critic, .warm_until = 25, .warm_every = 500};
    if (o->n_critic == 1 && o->warm_critic == 0) { /* the same fakes serve both */
        gan_val fake = fakes(s, o, "z");
        if (!o->critic_first) {
            update_gen(s, o, fake);
        }
        update_disc(s, o, fake);
        if (o->critic_first) {
            update_gen(s, o, fake);
        }
        return;
    }
    if (!o->critic_first) {
        update_gen(s, o, fakes(s, o, "z_g"));
    }
    while (gan_repeat(s, &runs)) {
        update_disc(s, o, fakes(s, o, "z_d"));
    }
    if (o->critic_first) {
        update_gen(s, o, fakes(s, o, "z_g"));
    }
}

static gan_val sample(gan_step *s, const void *options)
{
    return fakes(s, options, "z");
}

static const struct gan_claim claims[] = {
    {"parameters of toy (2-512-512-512-2), G and D", "527 874, 527 361"},
    {"parameters of wgan-gp-mnist, G and D", "1 554 177, 1 030 145"},
    {"parameters of resnet-cifar, G and D", "1 204 483, 1 053 825"},
    {"parameters of sngan-resnet, G and D", "4 276 739, 1 053 824"},
    {NULL, NULL},
};

GAN_MODEL(plain) = {
    .name = "plain",
    .title = "any architecture with any loss, regularisers and optimisers",
    .paper = "Goodfellow et al. 2014, arXiv:1406.2661, and what followed; see the presets",
    .help = "Most GANs differ in four choices: networks (--arch), objective (--loss), what keeps "
            "the discriminator smooth (--reg) and how both are optimised (--optim-gen, "
            "--optim-disc, --n-critic). Presets name published combinations: lsgan, wgan, "
            "wgan-gp, sngan, ...; any option given beside a preset replaces its own. With "
            "wasserstein the log's disc.gap estimates the distance between data and fakes: it "
            "should rise at once, then fall as samples get better.",
    .needs = GAN_FIELD_IMAGE,
    .opts = opts,
    .size = sizeof(struct plain),
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .claims = claims,
};
