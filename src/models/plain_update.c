/* plain_update.c: one update of each network of the model plain: what the loss and the regularisers
 * see, what is reported.
 *
 * With pack > 1 a sample of the discriminator is that many images side by side (Lin et al. 2018,
 * arXiv:1712.04086): they are packed first, and losses and penalties know only packs. Regularisers
 * with an interval k are left out of the main update and make one of their own in every k-th
 * iteration, k times as strong, with the same moments; both kinds of update use an optimiser
 * corrected for their number (Karras et al. 2020, arXiv:1912.04958, appendix B). */
#include "base/str.h"
#include "plain.h"

/* The players of one update. */
struct play {
    gan_step *s;
    const struct gan__plain *o;
    struct gan_loss_context loss;
    bool quiet;                         /* reports nothing */
    gan_val label;                      /* of the batch, where D knows it */
    gan_val feature_real, feature_fake; /* of the discriminator */
};

/* --- what losses and regularisers may ask for ------------------------------------------------------ */

static gan_val kept_number(void *play, const char *name, double initial)
{
    return gan_kept(((struct play *)play)->s, name, gan_shape_scalar(), initial);
}

static gan_val kept_tensor(void *play, const char *name, gan_shape shape)
{
    return gan_kept(((struct play *)play)->s, name, shape, 0);
}

static void keep(void *play, const char *name, gan_val value)
{
    gan_keep(((struct play *)play)->s, name, value);
}

static gan_val decode(void *play, gan_val outputs)
{
    return gan_apply(((struct play *)play)->s, "dec", outputs);
}

static void report(void *play, const char *name, gan_val value)
{
    const struct play *p = play;
    if (!p->quiet) {
        gan_report(p->s, name, value);
    }
}

/* Numbers for the samples of D, of which there are fewer than images. */
static gan_val for_packs(const struct play *p, gan_val v)
{
    gan_graph *g = gan_step_graph(p->s);
    int64_t m = p->o->net.pack;
    return m > 1 ? gan_slice_axis(g, v, 0, 0, gan_dim(g, v, 0) / m) : v;
}

static gan_val uniform(void *play, const char *name, gan_shape shape)
{
    const struct play *p = play;
    return for_packs(p, gan_noise_uniform(p->s, name, shape));
}

static gan_val normal(void *play, const char *name, gan_shape shape)
{
    const struct play *p = play;
    return for_packs(p, gan_noise_normal(p->s, name, shape));
}

/* Packs as the discriminator is shown them. */
static gan_val shown(const struct play *p, gan_val x)
{
    const struct gan__plain *o = p->o;
    gan_graph *g = p->loss.g;
    if (o->augment.kind != GAN__AUGMENT_NONE) {
        x = gan__aid_augment(p->s, &o->augment, gan__arch_unpack(g, x, o->net.pack));
        x = gan__arch_pack(g, x, o->net.pack);
    }
    if (o->noise.sigma > 0) {
        gan_val n = for_packs(p, gan_noise_normal(p->s, "noise", gan_shape_get(g, x)));
        x = gan_add(g, x, gan_mul(g, n, gan__aid_noise(p->s, &o->noise)));
    }
    return x;
}

/* Scores; *features receives what they are made of, where asked for. */
static gan_val judge(const struct play *p, gan_val x, gan_val *features)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {shown(p, x), p->label};
    gan_apply_all(p->s, "disc", in, out);
    if (features != NULL) {
        *features = out[1];
    }
    return out[0];
}

/* What penalties hold the slope of: the critic, or what the loss makes of its outputs. */
static gan_val score(void *play, gan_val x)
{
    const struct play *p = play;
    gan_val on = judge(p, x, NULL);
    return p->o->loss->witness != NULL ? p->o->loss->witness(&p->loss, on) : on;
}

/* --- the players --------------------------------------------------------------------------------- */

static bool two_fakes(const struct gan__plain *o)
{
    return gan__plain_loss_needs(o, GAN_LOSS_TWO_FAKES);
}

gan_val gan__plain_latent(gan_step *s, const struct gan__plain *o, const char *name)
{
    return o->latent == GAN__LATENT_UNIFORM ? gan_latent_uniform(s, name, o->net.z)
                                            : gan_latent(s, name, o->net.z);
}

gan_val gan__plain_label(gan_step *s, const struct gan__plain *o)
{
    return o->net.cond != GAN__COND_NONE ? gan_batch(s, GAN_FIELD_LABEL) : GAN_NONE;
}

static gan_val generate(gan_step *s, gan_val latent, gan_val label)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {latent, label};
    gan_apply_all(s, "gen", in, out);
    return out[0];
}

struct gan__fakes gan__plain_fakes(gan_step *s, const struct gan__plain *o, const char *stream)
{
    struct gan__fakes f = {.latent = gan__plain_latent(s, o, stream),
                           .label = gan__plain_label(s, o)};
    f.image[0] = generate(s, f.latent, f.label);
    if (two_fakes(o)) {
        char second[16];
        (void)gan__format(second, sizeof second, "%s2", stream);
        f.image[1] = generate(s, gan__plain_latent(s, o, second), f.label);
    }
    return f;
}

/* Fakes that no derivative passes. */
static struct gan__fakes fixed(gan_graph *g, const struct gan__fakes *f)
{
    struct gan__fakes out = *f;
    for (int i = 0; i < 2; i++) {
        out.image[i] = gan_ok(f->image[i]) ? gan_stop(g, f->image[i]) : GAN_NONE;
    }
    return out;
}

static void begin(struct play *p, gan_step *s, const struct gan__plain *o)
{
    *p = (struct play){.s = s, .o = o, .quiet = p->quiet, .label = gan__plain_label(s, o)};
    p->loss = (struct gan_loss_context){.g = gan_step_graph(s),
                                        .params = &o->labels,
                                        .kept = kept_number,
                                        .keep = keep,
                                        .decode = decode,
                                        .normal = normal,
                                        .report = report,
                                        .user = p};
}

static void judge_reals(struct play *p)
{
    p->loss.real = gan__arch_pack(p->loss.g, gan_batch(p->s, GAN_FIELD_IMAGE), p->o->net.pack);
    p->loss.on_real = judge(p, p->loss.real, &p->feature_real);
}

/* Real and fake batches pass D separately: each is normalised by its own statistics. */
static void judge_fakes(struct play *p, const struct gan__fakes *f)
{
    for (int i = 0; i < 1 + two_fakes(p->o); i++) {
        p->loss.fake[i] = gan__arch_pack(p->loss.g, f->image[i], p->o->net.pack);
        p->loss.on_fake[i] = judge(p, p->loss.fake[i], i == 0 ? &p->feature_fake : NULL);
    }
}

/* Whether reals and fakes may pass D in one call: nothing in it mixes samples, draws numbers or moves
 * with each call, and no penalty differentiates the scores of one batch by its points, which would
 * then run through both. */
static bool in_one_call(const struct gan__plain *o)
{
    const struct gan__arch_opts *n = &o->net;
    bool apart = n->norm_disc == GAN__NORM_BATCH || n->norm_disc == GAN__NORM_VIRTUAL ||
                 n->minibatch != GAN__MINIBATCH_NONE || n->spectral || n->cond != GAN__COND_NONE ||
                 o->augment.kind != GAN__AUGMENT_NONE || o->noise.sigma > 0;
    for (int i = 0; i < o->regs.n; i++) {
        apart = apart || o->regs.term[i].kind->at_batches;
    }
    return !apart;
}

/* Rows first .. first+n-1. */
static gan_val rows(gan_graph *g, gan_val v, int64_t first, int64_t n)
{
    return gan_ok(v) ? gan_slice_axis(g, v, 0, first, n) : GAN_NONE;
}

static void judge_all(struct play *p, const struct gan__fakes *f)
{
    gan_graph *g = p->loss.g;
    int n = 1 + two_fakes(p->o);
    p->loss.real = gan__arch_pack(g, gan_batch(p->s, GAN_FIELD_IMAGE), p->o->net.pack);
    gan_val all[3] = {p->loss.real}, features, on;
    for (int i = 0; i < n; i++) {
        all[1 + i] = p->loss.fake[i] = gan__arch_pack(g, f->image[i], p->o->net.pack);
    }
    int64_t m = gan_dim(g, p->loss.real, 0);
    on = judge(p, gan_concat(g, all, 1 + n, 0), &features);
    p->loss.on_real = rows(g, on, 0, m);
    p->feature_real = rows(g, features, 0, m);
    p->feature_fake = rows(g, features, m, m);
    for (int i = 0; i < n; i++) {
        p->loss.on_fake[i] = rows(g, on, (1 + i) * m, m);
    }
}

/* --- penalties ----------------------------------------------------------------------------------- */

/* Whether a term is a penalty on the networks of a phase with this interval. */
static bool is_due(const struct gan_reg_term *t, gan_reg_phase phase, int64_t interval)
{
    uint32_t phases = t->kind->phases != 0 ? t->kind->phases : GAN_REG_DISC;
    return t->kind->penalty != NULL && (phases & phase) != 0 && t->interval == interval;
}

static struct gan_reg_context reg_context(struct play *p, gan_reg_phase phase, gan_val latent)
{
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
                                .keep = keep,
                                .user = p};
    if (p->o->loss->witness != NULL && phase == GAN_REG_DISC) {
        c.on_real = p->o->loss->witness(&p->loss, c.on_real);
        c.on_fake = p->o->loss->witness(&p->loss, c.on_fake);
    }
    c.n_weights = gan_weights(p->s, phase == GAN_REG_DISC ? "disc" : "gen", &c.weights, &c.names);
    return c;
}

/* "WHAT.NAME", for a regulariser of both networks with the one it is applied to. */
static void term_name(char *dst, size_t cap, const char *what, const struct gan_reg *r,
                      gan_reg_phase phase)
{
    const char *net = phase == GAN_REG_DISC ? ".disc" : ".gen";
    bool both = r->phases == (GAN_REG_DISC | GAN_REG_GEN);
    (void)gan__format(dst, cap, "%s.%s%s", what, r->name, both ? net : "");
}

static double schedule_factor(const void *term, const struct gan_moment *m)
{
    const struct gan_reg_term *t = term;
    return gan_schedule_factor(&t->schedule, m->iteration + 1, m->steps > 0 ? m->steps : 1);
}

/* A penalty with the weight it has in this iteration. */
static gan_val scheduled(struct play *p, const struct gan_reg_term *t, gan_reg_phase phase,
                         gan_val penalty)
{
    gan_graph *g = p->loss.g;
    char name[48];
    if (t->schedule.kind == GAN_SCHEDULE_CONSTANT) {
        return penalty;
    }
    if (gan_schedule_needs_horizon(&t->schedule)) {
        gan_step_needs_length(p->s, "the schedule of --reg");
    }
    (void)gan__format(name, sizeof name, "reg.%s", t->kind->name);
    gan_val factor = gan_step_scalar(p->s, name, schedule_factor, t);
    term_name(name, sizeof name, "weight", t->kind, phase);
    report(p, name, gan_scale(g, factor, t->value));
    return gan_mul(g, penalty, factor);
}

/* The loss (or nothing) plus every penalty of the phase that has this interval. */
static gan_val regularised(struct play *p, gan_reg_phase phase, int64_t interval, gan_val latent,
                           gan_val loss)
{
    const struct gan__plain *o = p->o;
    struct gan_reg_context c = {.n_weights = -1};
    for (int i = 0; i < o->regs.n; i++) {
        const struct gan_reg_term *t = &o->regs.term[i];
        char name[48];
        if (!is_due(t, phase, interval)) {
            continue;
        }
        c = c.n_weights < 0 ? reg_context(p, phase, latent) : c;
        gan_val penalty = scheduled(p, t, phase, t->kind->penalty(&c, t->value));
        term_name(name, sizeof name, "penalty", t->kind, phase);
        report(p, name, penalty);
        penalty = interval > 1 ? gan_scale(c.g, penalty, (double)interval) : penalty;
        loss = gan_ok(loss) ? gan_add(c.g, loss, penalty) : penalty;
    }
    return loss;
}

/* --- updates --------------------------------------------------------------------------------------- */

/* The networks D's updates train. */
static const char *critics(const struct gan__plain *o)
{
    return gan__plain_loss_needs(o, GAN_LOSS_DECODER) ? "disc+dec" : "disc";
}

static void limit_weights(gan_step *s, const struct gan__plain *o)
{
    for (int i = 0; i < o->regs.n; i++) {
        if (o->regs.term[i].kind->limit != NULL) {
            gan_limit_weights(s, "disc", o->regs.term[i].kind->limit, o->regs.term[i].value);
        }
    }
}

/* Mean scores (of the witness, where the loss has one); for a score without unit, also their
 * difference: a critic's estimate of distance. */
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

/* D's loss with penalties, and what goes with it. */
static gan_val disc_loss(struct play *p, gan_step *s, const struct gan__plain *o,
                         const struct gan__fakes *f)
{
    begin(p, s, o);
    const struct gan__fakes apart = fixed(p->loss.g, f);
    if (in_one_call(o)) {
        judge_all(p, &apart);
    } else {
        judge_reals(p);
        judge_fakes(p, &apart);
    }
    return regularised(p, GAN_REG_DISC, 1, GAN_NONE, o->loss->disc(&p->loss));
}

static gan_val gen_loss(struct play *p, gan_step *s, const struct gan__plain *o,
                        const struct gan__fakes *f)
{
    begin(p, s, o);
    if (gan__plain_loss_needs(o, GAN_LOSS_REAL) || o->feature_matching > 0) {
        judge_reals(p);
    }
    judge_fakes(p, f);
    gan_val loss = o->loss->gen(&p->loss);
    if (o->feature_matching > 0) {
        gan_val gap = gan__aid_feature_matching(p->loss.g, p->feature_real, p->feature_fake);
        report(p, "feature_matching", gap);
        loss = gan_add(p->loss.g, loss, gan_scale(p->loss.g, gap, o->feature_matching));
    }
    return regularised(p, GAN_REG_GEN, 1, f->latent, loss);
}

void gan__plain_update_disc(gan_step *s, const struct gan__plain *o, const struct gan__fakes *f)
{
    struct play p = {.quiet = false};
    gan_val loss = disc_loss(&p, s, o, f);
    report_scores(&p);
    gan__aid_augment_adapt(s, &o->augment, p.loss.on_real);
    gan_minimize(s, critics(o), loss, &o->update_disc);
    limit_weights(s, o);
}

void gan__plain_update_gen(gan_step *s, const struct gan__plain *o, const struct gan__fakes *f)
{
    struct play p = {.quiet = false};
    gan_val loss = gen_loss(&p, s, o, f);
    gan_minimize(s, "gen", loss, &o->update_gen);
    gan_average(s, "gen", &o->ema);
}

void gan__plain_update_both(gan_step *s, const struct gan__plain *o)
{
    struct play d = {.quiet = false}, g = d;
    const struct gan__fakes f = gan__plain_fakes(s, o, "z");
    gan_val loss_disc = disc_loss(&d, s, o, &f), loss_gen = gen_loss(&g, s, o, &f);
    report_scores(&d);
    gan__aid_augment_adapt(s, &o->augment, d.loss.on_real);
    gan_minimize(s, critics(o), loss_disc, &o->update_disc);
    gan_minimize(s, "gen", loss_gen, &o->update_gen);
    limit_weights(s, o);
    gan_average(s, "gen", &o->ema);
}

/* Moves both networks as an update would, without reports of its own terms. */
static void look_ahead(gan_step *s, const struct gan__plain *o)
{
    struct play d = {.quiet = true}, g = d;
    const struct gan__fakes f = gan__plain_fakes(s, o, "z");
    gan_val loss_disc = disc_loss(&d, s, o, &f), loss_gen = gen_loss(&g, s, o, &f);
    gan_minimize_as(s, "disc.ahead", critics(o), loss_disc, &o->update_disc);
    gan_minimize_as(s, "gen.ahead", "gen", loss_gen, &o->update_gen);
}

void gan__plain_update_extra(gan_step *s, const struct gan__plain *o)
{
    struct play d = {.quiet = false}, g = d;
    const gan_val *from_disc = NULL, *from_gen = NULL;
    const char *const *names = NULL;
    if (gan_weights(s, critics(o), &from_disc, &names) == 0 ||
        gan_weights(s, "gen", &from_gen, &names) == 0) {
        return;
    }
    look_ahead(s, o);
    const struct gan__fakes f = gan__plain_fakes(s, o, "z");
    gan_val loss_disc = disc_loss(&d, s, o, &f), loss_gen = gen_loss(&g, s, o, &f);
    report_scores(&d);
    gan__aid_augment_adapt(s, &o->augment, d.loss.on_real);
    gan_minimize_from(s, critics(o), loss_disc, &o->update_disc, from_disc);
    gan_minimize_from(s, "gen", loss_gen, &o->update_gen, from_gen);
    limit_weights(s, o);
    gan_average(s, "gen", &o->ema);
}

/* --- lazy regularisers --------------------------------------------------------------------------- */

/* Whether a term is the first of the phase with its interval, which is above 1. */
static bool opens_interval(const struct gan__plain *o, int i, gan_reg_phase phase)
{
    int64_t interval = o->regs.term[i].interval;
    bool first = interval > 1 && is_due(&o->regs.term[i], phase, interval);
    for (int k = 0; k < i && first; k++) {
        first = !is_due(&o->regs.term[k], phase, interval);
    }
    return first;
}

double gan__plain_main_share(const struct gan__plain *o, gan_reg_phase phase)
{
    double updates = 1;
    for (int i = 0; i < o->regs.n; i++) {
        updates += opens_interval(o, i, phase) ? 1 / (double)o->regs.term[i].interval : 0;
    }
    return 1 / updates;
}

/* Whether a penalty that is due reads fakes. */
static bool reads_fakes(const struct gan__plain *o, gan_reg_phase phase, int64_t interval)
{
    for (int i = 0; i < o->regs.n; i++) {
        if (is_due(&o->regs.term[i], phase, interval) && !o->regs.term[i].kind->no_fakes) {
            return true;
        }
    }
    return false;
}

static void lazy_disc(gan_step *s, const struct gan__plain *o, int64_t interval)
{
    struct play p = {.quiet = false};
    char label[32];
    begin(&p, s, o);
    judge_reals(&p);
    if (reads_fakes(o, GAN_REG_DISC, interval) || o->loss->witness != NULL) {
        const struct gan__fakes f = gan__plain_fakes(s, o, "z"), apart = fixed(p.loss.g, &f);
        judge_fakes(&p, &apart);
    }
    gan_val penalty = regularised(&p, GAN_REG_DISC, interval, GAN_NONE, GAN_NONE);
    (void)gan__format(label, sizeof label, "disc.lazy%lld", (long long)interval);
    gan_minimize_as(s, label, critics(o), penalty, &o->update_disc);
    limit_weights(s, o);
}

static void lazy_gen(gan_step *s, const struct gan__plain *o, int64_t interval)
{
    struct play p = {.quiet = false};
    char label[32];
    begin(&p, s, o);
    struct gan__fakes f = {0};
    if (reads_fakes(o, GAN_REG_GEN, interval)) {
        f = gan__plain_fakes(s, o, "z");
        p.loss.fake[0] = gan__arch_pack(p.loss.g, f.image[0], o->net.pack);
    }
    gan_val penalty = regularised(&p, GAN_REG_GEN, interval, f.latent, GAN_NONE);
    (void)gan__format(label, sizeof label, "gen.lazy%lld", (long long)interval);
    gan_minimize_as(s, label, "gen", penalty, &o->update_gen);
}

void gan__plain_lazy(gan_step *s, const struct gan__plain *o)
{
    for (int i = 0; i < o->regs.n; i++) {
        struct gan_runs runs = {.count = o->n_critic,
                                .warm_count = o->warm_critic,
                                .warm_until = 25,
                                .warm_every = 500,
                                .every = o->regs.term[i].interval};
        while (opens_interval(o, i, GAN_REG_DISC) && gan_repeat(s, &runs)) {
            lazy_disc(s, o, runs.every);
        }
        runs = (struct gan_runs){.count = 1, .every = o->regs.term[i].interval};
        while (opens_interval(o, i, GAN_REG_GEN) && gan_repeat(s, &runs)) {
            lazy_gen(s, o, runs.every);
        }
    }
}
