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
    struct gan_average ema;
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
    GAN_OPT_F64(
        struct plain, ema.half_life, "ema", "0", 0, 1e9,
        "half-life, in images, of the average of G's weights that samples are made with; 0: "
        "the newest weights"),
    GAN_OPT_F64(struct plain, ema.ramp, "ema-ramp", "0.05", 0, 1,
                "its half-life is at most this share of the images seen; 0: no ramp-up"),
    GAN_OPT_PARSED(struct plain, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct plain, optim_disc, "optim-disc", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator"),
    GAN_OPT_END,
};

static bool loss_needs(const struct plain *o, gan_loss_needs what)
{
    return (o->loss->needs & (uint32_t)what) != 0;
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct plain *o = options;
    bool asked = o->net.norm_disc != GAN__NORM_AUTO;
    o->net.outputs = o->loss->outputs;
    GAN_TRY(gan__arch_fit(&o->net, fixed, err));
    if (loss_needs(o, GAN_LOSS_DECODER) && o->net.norm_gen == GAN__NORM_VIRTUAL) {
        return gan__fail(err, GAN_E_ARG,
                         "--loss %s decodes images with the generator's network, which cannot have "
                         "virtual norm; use --norm-gen batch",
                         o->loss->name);
    }
    o->net.spectral = false;
    for (int i = 0; i < o->regs.n; i++) {
        const struct gan_reg *r = o->regs.term[i].kind;
        o->net.spectral = o->net.spectral || r->spectral;
        if (o->regs.term[i].interval > 1) {
            return gan__fail(err, GAN_E_UNSUPPORTED, "--reg %s: intervals are not supported yet",
                             r->name);
        }
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
    if (loss_needs(o, GAN_LOSS_DECODER)) {
        gan__arch_decoder(d, &o->net, o->loss->outputs);
    }
}

static gan_val latent(gan_step *s, const struct plain *o, const char *name)
{
    return o->latent == LATENT_UNIFORM ? gan_latent_uniform(s, name, o->net.z)
                                       : gan_latent(s, name, o->net.z);
}

/* --- what losses and regularisers may ask for ------------------------------------------------------ */

static gan_val kept_number(void *step, const char *name, double initial)
{
    return gan_kept(step, name, gan_shape_scalar(), initial);
}

static void keep(void *step, const char *name, gan_val value)
{
    gan_keep(step, name, value);
}

static gan_val decode(void *step, gan_val outputs)
{
    return gan_apply(step, "dec", outputs);
}

static void report(void *step, const char *name, gan_val value)
{
    gan_report(step, name, value);
}

/* The players of one update. */
struct play {
    gan_step *s;
    const struct plain *o;
    struct gan_loss_context loss;
};

static gan_val uniform(void *play, const char *name, gan_shape shape)
{
    return gan_noise_uniform(((struct play *)play)->s, name, shape);
}

static gan_val normal(void *play, const char *name, gan_shape shape)
{
    return gan_noise_normal(((struct play *)play)->s, name, shape);
}

static gan_val kept_tensor(void *play, const char *name, gan_shape shape)
{
    return gan_kept(((struct play *)play)->s, name, shape, 0);
}

static void keep_tensor(void *play, const char *name, gan_val value)
{
    gan_keep(((struct play *)play)->s, name, value);
}

/* What penalties hold the slope of: the critic, or what the loss makes of its outputs. */
static gan_val score(void *play, gan_val x)
{
    const struct play *p = play;
    gan_val on = gan_apply(p->s, "disc", x);
    return p->o->loss->witness != NULL ? p->o->loss->witness(&p->loss, on) : on;
}

static bool two_fakes(const struct plain *o)
{
    return loss_needs(o, GAN_LOSS_TWO_FAKES);
}

/* Real and fake batches pass D separately: each is normalised by its own statistics. */
static struct play meet(gan_step *s, const struct plain *o, const gan_val *fake, bool reals)
{
    struct play p = {.s = s, .o = o};
    p.loss = (struct gan_loss_context){.g = gan_step_graph(s),
                                       .kept = kept_number,
                                       .keep = keep,
                                       .decode = decode,
                                       .report = report,
                                       .user = s};
    if (reals) {
        p.loss.real = gan_batch(s, GAN_FIELD_IMAGE);
        p.loss.on_real = gan_apply(s, "disc", p.loss.real);
    }
    for (int i = 0; i < 1 + two_fakes(o); i++) {
        p.loss.fake[i] = fake[i];
        p.loss.on_fake[i] = gan_apply(s, "disc", fake[i]);
    }
    return p;
}

/* The loss plus every penalty of the phase. */
static gan_val regularised(struct play *p, gan_reg_phase phase, gan_val latent, gan_val loss)
{
    const struct plain *o = p->o;
    struct gan_reg_context c = {.g = p->loss.g,
                                .phase = phase,
                                .real = p->loss.real,
                                .fake = p->loss.fake[0],
                                .latent = latent,
                                .on_real = p->loss.on_real,
                                .on_fake = p->loss.on_fake[0],
                                .score = score,
                                .uniform = uniform,
                                .normal = normal,
                                .kept = kept_tensor,
                                .keep = keep_tensor,
                                .user = p};
    if (o->loss->witness != NULL && phase == GAN_REG_DISC) {
        c.on_real = o->loss->witness(&p->loss, c.on_real);
        c.on_fake = o->loss->witness(&p->loss, c.on_fake);
    }
    for (int i = 0; i < o->regs.n; i++) {
        const struct gan_reg_term *t = &o->regs.term[i];
        uint32_t phases = t->kind->phases != 0 ? t->kind->phases : GAN_REG_DISC;
        if (t->kind->penalty != NULL && (phases & phase) != 0) {
            char name[48];
            gan_val penalty = t->kind->penalty(&c, t->value);
            (void)gan__format(name, sizeof name, "penalty.%s", t->kind->name);
            gan_report(p->s, name, penalty);
            loss = gan_add(c.g, loss, penalty);
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

/* Mean scores (of the witness, where the loss has one); for a score without unit, also their difference: a critic's estimate of distance. */
static void report_scores(const struct play *p)
{
    gan_graph *g = p->loss.g;
    bool logits = p->o->loss->logits;
    gan_val on_real = p->loss.on_real, on_fake = p->loss.on_fake[0];
    if (p->o->loss->witness != NULL) {
        on_real = p->o->loss->witness(&p->loss, on_real);
        on_fake = p->o->loss->witness(&p->loss, on_fake);
    }
    gan_val real = gan_mean_all(g, logits ? gan_sigmoid(g, on_real) : on_real);
    gan_val fake = gan_mean_all(g, logits ? gan_sigmoid(g, on_fake) : on_fake);
    gan_report(p->s, "disc.real", real);
    gan_report(p->s, "disc.fake", fake);
    if (!logits) {
        gan_report(p->s, "disc.gap", gan_sub(g, real, fake));
    }
}

/* --- the algorithm ---------------------------------------------------------------------------------- */

/* One or two independent batches of fakes. */
struct fakes {
    gan_val latent, image[2];
};

static struct fakes make_fakes(gan_step *s, const struct plain *o, const char *stream)
{
    struct fakes f = {.latent = latent(s, o, stream)};
    f.image[0] = gan_apply(s, "gen", f.latent);
    if (two_fakes(o)) {
        char second[16];
        (void)gan__format(second, sizeof second, "%s2", stream);
        f.image[1] = gan_apply(s, "gen", latent(s, o, second));
    }
    return f;
}

static void update_disc(gan_step *s, const struct plain *o, const struct fakes *f)
{
    gan_graph *g = gan_step_graph(s);
    gan_val fixed[2] = {gan_stop(g, f->image[0])};
    if (two_fakes(o)) {
        fixed[1] = gan_stop(g, f->image[1]);
    }
    struct play p = meet(s, o, fixed, true);
    report_scores(&p);
    gan_val loss = regularised(&p, GAN_REG_DISC, GAN_NONE, o->loss->disc(&p.loss));
    gan_minimize(s, loss_needs(o, GAN_LOSS_DECODER) ? "disc+dec" : "disc", loss, &o->optim_disc);
    limit_weights(s, o);
}

static void update_gen(gan_step *s, const struct plain *o, const struct fakes *f)
{
    struct play p = meet(s, o, f->image, loss_needs(o, GAN_LOSS_REAL));
    gan_val loss = regularised(&p, GAN_REG_GEN, f->latent, o->loss->gen(&p.loss));
    gan_minimize(s, "gen", loss, &o->optim_gen);
    gan_average(s, "gen", &o->ema);
}

static void iteration(gan_step *s, const void *options)
{
    const struct plain *o = options;
    const struct gan_runs runs = {
        .count = o->n_critic, .warm_count = o->warm_critic, .warm_until = 25, .warm_every = 500};
    struct fakes f;
    if (o->n_critic == 1 && o->warm_critic == 0) { /* the same fakes serve both */
        f = make_fakes(s, o, "z");
        if (!o->critic_first) {
            update_gen(s, o, &f);
        }
        update_disc(s, o, &f);
        if (o->critic_first) {
            update_gen(s, o, &f);
        }
        return;
    }
    if (!o->critic_first) {
        f = make_fakes(s, o, "z_g");
        update_gen(s, o, &f);
    }
    while (gan_repeat(s, &runs)) {
        f = make_fakes(s, o, "z_d");
        update_disc(s, o, &f);
    }
    if (o->critic_first) {
        f = make_fakes(s, o, "z_g");
        update_gen(s, o, &f);
    }
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct plain *o = options;
    return gan_apply_average(s, "gen", latent(s, o, "z"), &o->ema);
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
