/* model_plain.c: the GAN as a product: architecture x loss x regularisers x optimisers. One iteration
 * is the algorithm most papers share; everything else is a table.
 *
 * Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1; with --n-critic, --loss wasserstein and --reg
 * clip or gp it is algorithm 1 of Arjovsky et al. 2017, arXiv:1701.07875, and of Gulrajani et al.
 * 2017, arXiv:1704.00028. */
#include "base/err.h"
#include "base/log.h"
#include "losses/losses.h"
#include "plain.h"
#include "step_build.h"

#include <string.h>

static const struct gan_opt opts[] = {
    GAN_OPT_PARSED(struct gan__plain, net.arch, "arch", "dcgan", gan__arch_option,
                   "both networks: gan list archs names them"),
    GAN_OPT_PARSED(struct gan__plain, loss, "loss", "nonsaturating", gan_loss_option,
                   "objective: gan list losses names them"),
    GAN_OPT_PARSED(
        struct gan__plain, regs, "reg", "none", gan_regs_option,
        "regularisers, NAME[:NUMBER][/INTERVAL][@SCHEDULE],..: gp:10, r1:1,r2:1, r1:10/16, "
        "r1:.05@cosine:.1, clip:.01, sn; gan list regs names them"),
    GAN_OPT_I64(struct gan__plain, net.z, "z", "0", 0, 65536,
                "length of the latent vector; 0: the architecture's"),
    GAN_OPT_CHOICE(struct gan__plain, latent, "latent", "normal", "normal|uniform",
                   "law of the latents, of variance 1"),
    GAN_OPT_I64(struct gan__plain, net.width, "width", "0", 0, 4096,
                "channels next to the image, or units of a layer; 0: the architecture's"),
    GAN_OPT_CHOICE(struct gan__plain, net.norm_gen, "norm-gen", "auto", GAN__NORM_CHOICES,
                   "normalisation in the generator; auto: the architecture's"),
    GAN_OPT_CHOICE(struct gan__plain, net.norm_disc, "norm-disc", "auto", GAN__NORM_CHOICES,
                   "the same in the discriminator; auto: layer for batch where slopes are "
                   "penalised"),
    GAN_OPT_F64(struct gan__plain, net.slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_I64(struct gan__plain, net.pack, "pack", "1", 1, 64,
                "samples the discriminator judges side by side, as one (PacGAN)"),
    GAN_OPT_CHOICE(struct gan__plain, net.minibatch, "minibatch", "none", GAN__MINIBATCH_CHOICES,
                   "what the discriminator sees of its batch before the last layer"),
    GAN_OPT_CHOICE(
        struct gan__plain, net.cond, "cond", "none", GAN__COND_CHOICES,
        "networks that know the class: projection in the discriminator, conditional batch "
        "norm in the generator"),
    GAN_OPT_F64(struct gan__plain, labels.real_target, "smooth", "1", 0.5, 1,
                "label of reals in cross-entropies: .9 is one-sided label smoothing"),
    GAN_OPT_I64(struct gan__plain, n_critic, "n-critic", "1", 1, 1000,
                "updates of the discriminator for one of the generator"),
    GAN_OPT_I64(struct gan__plain, warm_critic, "warm-critic", "0", 0, 100000,
                "the same in the first 25 iterations and every 500th; 0: as n-critic"),
    GAN_OPT_BOOL(struct gan__plain, critic_first, "critic-first", "true",
                 "the discriminator's updates come before the generator's"),
    GAN_OPT_PARSED(struct gan__plain, noise, "noise", "0", gan__aid_noise_option,
                   "deviation of noise on D's reals and fakes, SIGMA[@linear|hold|constant]; falls "
                   "to 0 over the run"),
    GAN_OPT_PARSED(struct gan__plain, augment, "augment", "none", gan__aid_augment_option,
                   "what D sees of images: none, diff[:color,translation,cutout], "
                   "ada[:TARGET,IMAGES][/GROUPS], random[:P][@SCHEDULE][/GROUPS]; GROUPS: bgc, or "
                   "blit, geom, color, filter, noise, cutout[*STRENGTH] joined by +"),
    GAN_OPT_F64(struct gan__plain, feature_matching, "feature-matching", "0", 0, 1e6,
                "weight of the distance of mean features of D in G's loss"),
    GAN_OPT_CHOICE(struct gan__plain, play, "play", "alternating", "alternating|simultaneous|extra",
                   "updates one after the other, both at once, or both with a look ahead"),
    GAN_OPT_PARSED(
        struct gan__plain, ema, "ema", "0", gan__aid_average_option,
        "half-life, in images, of the average of G's weights that samples are made with, "
        "N or FROM..TO@SCHEDULE; 0: the newest weights"),
    GAN_OPT_F64(struct gan__plain, ema.ramp, "ema-ramp", "0.05", 0, 1,
                "its half-life is at most this share of the images seen; 0: no ramp-up"),
    GAN_OPT_PARSED(struct gan__plain, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct gan__plain, optim_disc, "optim-disc", "adam:2e-4,.5,.999",
                   gan_optim_option,
                   "optimiser of the discriminator; a faster one than G's is the two time-scale "
                   "rule"),
    GAN_OPT_F64(struct gan__plain, clip_grad, "clip-grad", "0", 0, 1e9,
                "largest norm of a network's gradient, longer ones are scaled down; 0: any"),
    GAN_OPT_END,
};

/* Norms that let samples of a batch mix spoil penalties on the slope at single samples. */
static void fit_regs(struct gan__plain *o, bool asked)
{
    bool bounded = false; /* something keeps the critic's slope finite */
    bool told = o->warned;
    o->warned = true;
    o->net.spectral = false;
    for (int i = 0; i < o->regs.n; i++) {
        const struct gan_reg *r = o->regs.term[i].kind;
        bounded = bounded || r->per_sample || r->limit != NULL || r->spectral;
        o->net.spectral = o->net.spectral || r->spectral;
        if (r->per_sample && o->net.norm_disc == GAN__NORM_BATCH && !asked) {
            o->net.norm_disc = GAN__NORM_LAYER;
        } else if (r->per_sample && o->net.norm_disc == GAN__NORM_BATCH && !told) {
            gan__log(GAN_LOG_WARNING,
                     "--reg %s reads slopes at single samples, which --norm-disc batch mixes: use "
                     "--norm-disc layer",
                     r->name);
        }
    }
    gan__arch_warn_unbounded(&o->net, o->loss, bounded || told, "use --reg gp, clip or sn");
}

static bool has_reg(const struct gan__plain *o, const char *name)
{
    bool found = false;
    for (int i = 0; i < o->regs.n; i++) {
        found = found || strcmp(o->regs.term[i].kind->name, name) == 0;
    }
    return found;
}

/* Regularisers of which one undoes or repeats the other. */
static gan_status check_regs(const struct gan__plain *o, gan_err *err)
{
    if (has_reg(o, "gp") && has_reg(o, "gp1")) {
        return gan__fail(err, GAN_E_ARG,
                         "--reg gp and gp1 hold the same slopes, to 1 and to at most 1: give one");
    }
    if (has_reg(o, "sn") && has_reg(o, "clip")) {
        return gan__fail(err, GAN_E_ARG,
                         "--reg sn divides weights by their norm, which takes back what clip does "
                         "to them: give one");
    }
    return GAN_OK;
}

/* Options that contradict each other. */
static gan_status check(const void *options, gan_err *err)
{
    const struct gan__plain *o = options;
    if (o->labels.real_target != 1 && o->loss->disc != gan__loss_bce_disc) {
        return gan__fail(err, GAN_E_ARG,
                         "--smooth changes the label of a cross-entropy, --loss %s has none; use "
                         "nonsaturating or minimax",
                         o->loss->name);
    }
    GAN_TRY(check_regs(o, err));
    if (o->net.pack > 1 && gan__plain_loss_needs(o, GAN_LOSS_DECODER)) {
        return gan__fail(err, GAN_E_ARG, "--loss %s decodes single images: --pack must be 1",
                         o->loss->name);
    }
    if (o->net.cond != GAN__COND_NONE && gan__plain_loss_needs(o, GAN_LOSS_DECODER)) {
        return gan__fail(err, GAN_E_ARG,
                         "--loss %s decodes images with the generator's network, which cannot know "
                         "the class: --cond must be none",
                         o->loss->name);
    }
    if (o->play != GAN__PLAY_ALTERNATING && (o->n_critic != 1 || o->warm_critic != 0)) {
        return gan__fail(err, GAN_E_ARG,
                         "--play simultaneous and extra update both networks once: --n-critic must "
                         "be 1 and --warm-critic 0");
    }
    if (o->augment.kind == GAN__AUGMENT_ADA && o->loss->outputs > 1) {
        return gan__fail(err, GAN_E_ARG,
                         "--augment ada reads the sign of a score, --loss %s has %lld numbers; use "
                         "--augment diff",
                         o->loss->name, (long long)o->loss->outputs);
    }
    if (o->augment.kind == GAN__AUGMENT_ADA && !o->loss->logits && !o->loss->signs) {
        return gan__fail(err, GAN_E_ARG,
                         "--augment ada reads the sign of a score, --loss %s gives its scores no "
                         "zero; use --augment diff, or nonsaturating or hinge",
                         o->loss->name);
    }
    return GAN_OK;
}

/* Options that images alone can have. */
static gan_status check_points(const struct gan__plain *o, gan_err *err)
{
    const struct gan_task *t = &o->net.task;
    if (t->points && o->augment.kind != GAN__AUGMENT_NONE) {
        return gan__fail(err, GAN_E_ARG, "--augment changes images, the data are points");
    }
    for (int i = 0; t->points && i < o->regs.n; i++) {
        if (o->regs.term[i].kind->images) {
            return gan__fail(err, GAN_E_ARG, "--reg %s changes images, the data are points",
                             o->regs.term[i].kind->name);
        }
    }
    bool colored = o->augment.kind == GAN__AUGMENT_ADA || o->augment.kind == GAN__AUGMENT_RANDOM;
    if (colored && t->channels != 1 && t->channels != 3) {
        return gan__fail(err, GAN_E_ARG, "--augment %s needs images of 1 or 3 channels, not %lld",
                         o->augment.kind == GAN__AUGMENT_ADA ? "ada" : "random",
                         (long long)t->channels);
    }
    return GAN_OK;
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct gan__plain *o = options;
    bool asked = o->net.norm_disc != GAN__NORM_AUTO;
    GAN_TRY(check(o, err));
    GAN_TRY(check_points(o, err));
    o->net.outputs = o->loss->outputs;
    GAN_TRY(gan__arch_fit(&o->net, fixed, err));
    if (gan__plain_loss_needs(o, GAN_LOSS_DECODER) && o->net.norm_gen == GAN__NORM_VIRTUAL) {
        return gan__fail(err, GAN_E_ARG,
                         "--loss %s decodes images with the generator's network, which cannot have "
                         "virtual norm; use --norm-gen batch",
                         o->loss->name);
    }
    fit_regs(o, asked);
    o->update_gen = gan_optim_more_often(&o->optim_gen, gan__plain_main_share(o, GAN_REG_GEN));
    o->update_disc = gan_optim_more_often(&o->optim_disc, gan__plain_main_share(o, GAN_REG_DISC));
    o->update_gen.clip = o->update_disc.clip = o->clip_grad;
    return GAN_OK;
}

static void nets(gan_nets *d, const void *options)
{
    const struct gan__plain *o = options;
    gan__arch_nets(d, &o->net);
    if (gan__plain_loss_needs(o, GAN_LOSS_DECODER)) {
        gan__arch_decoder(d, &o->net, o->loss->outputs);
    }
}

/* Both networks once, from fakes that serve both; or D by itself, with its own fakes, several times. */
static void play_round(gan_step *s, const struct gan__plain *o)
{
    const struct gan_runs runs = {
        .count = o->n_critic, .warm_count = o->warm_critic, .warm_until = 25, .warm_every = 500};
    struct gan__fakes f;
    if (o->play != GAN__PLAY_ALTERNATING) {
        (o->play == GAN__PLAY_EXTRA ? gan__plain_update_extra : gan__plain_update_both)(s, o);
        return;
    }
    if (o->n_critic == 1 && o->warm_critic == 0) {
        f = gan__plain_fakes(s, o, "z");
        if (!o->critic_first) {
            gan__plain_update_gen(s, o, &f);
        }
        gan__plain_update_disc(s, o, &f);
        if (o->critic_first) {
            gan__plain_update_gen(s, o, &f);
        }
        return;
    }
    if (!o->critic_first) {
        f = gan__plain_fakes(s, o, "z_g");
        gan__plain_update_gen(s, o, &f);
    }
    while (gan_repeat(s, &runs)) {
        f = gan__plain_fakes(s, o, "z_d");
        gan__plain_update_disc(s, o, &f);
    }
    if (o->critic_first) {
        f = gan__plain_fakes(s, o, "z_g");
        gan__plain_update_gen(s, o, &f);
    }
}

static void iteration(gan_step *s, const void *options)
{
    const struct gan__plain *o = options;
    int64_t pack = o->net.pack, batch = gan_step_batch(s);
    if (batch % pack != 0) {
        gan_graph_fail(gan_step_graph(s), GAN_E_ARG,
                       "--pack %lld does not divide the batch of %lld", (long long)pack,
                       (long long)batch);
        return;
    }
    if (o->net.minibatch != GAN__MINIBATCH_NONE && batch / pack < 2) {
        gan_graph_fail(gan_step_graph(s), GAN_E_ARG,
                       "--minibatch compares samples the discriminator sees together, a batch of "
                       "%lld gives it 1",
                       (long long)batch);
        return;
    }
    if (o->play != GAN__PLAY_ALTERNATING && batch != s->cfg.batch) {
        gan_graph_fail(gan_step_graph(s), GAN_E_ARG,
                       "--play %s updates both networks from one set of weights: --microbatch must "
                       "be 0",
                       o->play == GAN__PLAY_EXTRA ? "extra" : "simultaneous");
        return;
    }
    gan__plain_reference(s, o);
    play_round(s, o);
    gan__plain_lazy(s, o);
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct gan__plain *o = options;
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {gan__plain_latent(s, o, "z"), gan__plain_label(s, o)};
    gan_apply_average_all(s, "gen", in, out, &o->ema);
    return out[0];
}

static struct gan_landscape landscape(gan_step *s, const void *options, gan_val points)
{
    return gan__plain_landscape(s, options, sample(s, options), points);
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
            "wgan-gp, sngan, mmd, ada, ... (gan list presets); any option given beside a preset "
            "replaces "
            "its own. Losses of several outputs set the discriminator's; disc.real and disc.fake "
            "are then means of the function whose slope --reg holds. With wasserstein the log's "
            "disc.gap estimates the distance between data and fakes: it "
            "should rise at once, then fall as samples get better. With --cond projection both "
            "networks know the class of each image, and samples can be asked for by class.",
    .needs = GAN_FIELD_IMAGE,
    .may_need = GAN_FIELD_LABEL,
    .opts = opts,
    .size = sizeof(struct gan__plain),
    .check = check,
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .landscape = landscape,
    .claims = claims,
};
