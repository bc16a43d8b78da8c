/* model_cyclegan.c: two domains without pairs.
 *
 * G_A: A -> B and G_B: B -> A, each judged by the discriminator of its range (D_A judges B, D_B
 * judges A); going there and back must return the image. Zhu, Park, Isola, Efros 2017,
 * arXiv:1703.10593; layers, names and the order of the steps follow
 * junyanz/pytorch-CycleGAN-and-pix2pix. */
#include "aids.h"
#include "base/err.h"
#include "base/number.h"
#include "net_image.h"
#include "pairs.h"

struct cyclegan {
    struct gan_task task;
    int loss, norm, upsample;
    int64_t blocks, layers, gen_width, disc_width, pool;
    double dropout, adversarial, penalty, cycle_a, cycle_b, identity;
    struct gan__aid_perceptual perceptual, constancy;
    double perceptual_weight, constancy_weight, supervised, known;
    struct gan_optim optim_gen, optim_disc;
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct cyclegan, blocks, "blocks", "0", 0, 64,
                "residual blocks of the generators; 0: 9, or 6 below 256 pixels"),
    GAN_OPT_I64(struct cyclegan, gen_width, "width", "64", 1, 4096,
                "channels of the generators' first layer"),
    GAN_OPT_CHOICE(struct cyclegan, upsample, "upsample", "transpose", "transpose|resize",
                   "how the generators enlarge: transposed convolution, or repeated pixels and a "
                   "convolution, which leaves no checkerboard"),
    GAN_OPT_I64(struct cyclegan, layers, "layers", "3", 1, 5,
                "depth of the patch discriminators: patches of 16, 34, 70, 142, 286 pixels"),
    GAN_OPT_I64(struct cyclegan, disc_width, "disc-width", "64", 1, 4096,
                "channels of the discriminators' first layer"),
    GAN_OPT_CHOICE(struct cyclegan, norm, "norm", "instance", GAN__NORM_KINDS,
                   "normalisation; with wgan-gp D has instance in the place of batch"),
    GAN_OPT_F64(struct cyclegan, dropout, "dropout", "0", 0, 0.95,
                "probability of dropout in the residual blocks"),
    GAN_OPT_CHOICE(struct cyclegan, loss, "loss", "lsgan", GAN__PATCH_LOSSES, "adversarial loss"),
    GAN_OPT_F64(struct cyclegan, penalty, "gp", "10", 0, 1e6,
                "weight of the gradient penalty of wgan-gp"),
    GAN_OPT_F64(struct cyclegan, adversarial, "gan", "1", 0, 1e6,
                "weight of the generators' adversarial losses; 0: no discriminator is trained"),
    GAN_OPT_F64(struct cyclegan, cycle_a, "cycle-a", "10", 0, 1e6,
                "weight of the cycle A -> B -> A; 0: none"),
    GAN_OPT_F64(struct cyclegan, cycle_b, "cycle-b", "10", 0, 1e6,
                "weight of the cycle B -> A -> B; 0: none"),
    GAN_OPT_F64(struct cyclegan, identity, "identity", "0.5", 0, 1e6,
                "weight of the identity losses, relative to the cycles'; 0: none"),
    GAN_OPT_PARSED(struct cyclegan, perceptual, "perceptual", "none", gan__aid_perceptual_option,
                   "features that an image and its way there and back are compared by, "
                   "NET[:ARGUMENT][@LAYER]: "
                   "vgg19@conv3_3, classifier:RUN, pixels:8; gan features list names them"),
    GAN_OPT_F64(struct cyclegan, perceptual_weight, "perceptual-weight", "1", 0, 1e9,
                "weight of their mean squared difference"),
    GAN_OPT_PARSED(struct cyclegan, constancy, "f-constancy", "none", gan__aid_perceptual_option,
                   "features that a translation shall leave as they are, as --perceptual"),
    GAN_OPT_F64(struct cyclegan, constancy_weight, "f-constancy-weight", "15", 0, 1e9,
                "weight of the mean squared difference that it makes to them"),
    GAN_OPT_F64(struct cyclegan, supervised, "supervised", "0", 0, 1e6,
                "weight of the L1 distance to the partners of pairs that are known; needs pairs"),
    GAN_OPT_F64(struct cyclegan, known, "known", "0.1", 0, 1,
                "share of the pairs that are known, with --supervised"),
    GAN_OPT_I64(struct cyclegan, pool, "pool", "50", 0, 100000,
                "images of each pool of former fakes; 0: none"),
    GAN_OPT_PARSED(struct cyclegan, optim_gen, "optim-gen", "adam:2e-4,.5,.999@hold:.5",
                   gan_optim_option, "optimiser of both generators"),
    GAN_OPT_PARSED(struct cyclegan, optim_disc, "optim-disc", "adam:2e-4,.5,.999@hold:.5",
                   gan_optim_option, "optimiser of both discriminators"),
    GAN_OPT_END,
};

/* Options that contradict each other. */
static gan_status check(const void *options, gan_err *err)
{
    const struct cyclegan *o = options;
    if (o->adversarial == 0 && o->cycle_a == 0 && o->cycle_b == 0 && o->supervised == 0) {
        return gan__fail(err, GAN_E_ARG,
                         "cyclegan: --gan, --cycle-a and --cycle-b are all 0, the generators have "
                         "nothing to learn");
    }
    return GAN_OK;
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct cyclegan *o = options;
    struct gan_task *t = &o->task;
    GAN_TRY(check(o, err));
    int64_t h = gan__raise(t->height, 4), w = gan__raise(t->width, 4);
    int64_t least = gan__patchgan_least(o->layers);
    least = least < 8 ? 8 : least;
    if (h < least || w < least || (fixed && (h != t->height || w != t->width))) {
        return gan__fail(err, GAN_E_RANGE,
                         "cyclegan: the image size is %lldx%lld, allowed are multiples of 4 from "
                         "%lld on (fewer --layers allow smaller ones)",
                         (long long)t->height, (long long)t->width, (long long)least);
    }
    gan__pairs_fit(t, h, w);
    t->known = o->supervised > 0 ? o->known : 0;
    if (o->identity > 0 && t->channels != t->channels_b) {
        return gan__fail(err, GAN_E_ARG,
                         "cyclegan: domain A has %lld channels, B %lld: an identity loss needs the "
                         "same number; --identity 0 goes without, --channels 3 makes both colour",
                         (long long)t->channels, (long long)t->channels_b);
    }
    if (o->blocks == 0) {
        o->blocks = h < 256 && w < 256 ? 6 : 9;
    }
    return GAN_OK;
}

static gan_val generator(gan_nn *nn, gan_val x, const struct cyclegan *o, int64_t channels)
{
    struct gan__image_net net = {.width = o->gen_width,
                                 .norm = (gan__norm_kind)o->norm,
                                 .dropout = o->dropout,
                                 .resize = o->upsample == 1};
    return gan__resnet(nn, x, &net, o->blocks, channels);
}

static void to_b(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct cyclegan *o = options;
    out[0] = generator(nn, in[0], o, o->task.channels_b);
}

static void to_a(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct cyclegan *o = options;
    out[0] = generator(nn, in[0], o, o->task.channels);
}

static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct cyclegan *o = options;
    struct gan__image_net net = {
        .width = o->disc_width,
        .norm = gan__patch_norm((gan__norm_kind)o->norm, (gan__patch_loss)o->loss)};
    out[0] = gan__patchgan(nn, in[0], &net, o->layers);
}

static void declare(gan_nets *d, const char *name, gan_net_fn fn, const struct gan_task *t,
                    int64_t channels)
{
    gan_declare(
        d, &(struct gan_net_desc){.name = name,
                                  .fn = fn,
                                  .in = {{.shape = GAN_SHAPE(1, t->height, t->width, channels)}},
                                  .n_in = 1,
                                  .init = "dcgan"});
}

static void nets(gan_nets *d, const void *options)
{
    const struct cyclegan *o = options;
    const struct gan_task *t = &o->task;
    declare(d, "gen_a", to_b, t, t->channels);
    declare(d, "gen_b", to_a, t, t->channels_b);
    declare(d, "disc_a", discriminator, t, t->channels_b);
    declare(d, "disc_b", discriminator, t, t->channels);
}

static void looks(gan_nets *d, const void *options)
{
    const struct cyclegan *o = options;
    const struct gan_task *t = &o->task;
    gan__aid_perceptual_declare(d, "f_constancy", &o->constancy, t, t->channels);
    gan__aid_perceptual_declare(d, "perceptual", &o->perceptual, t, t->channels);
}

/* One discriminator on a real image and on a fake of now or from the pool: in one call, unless batch
 * norm would mix them. */
static gan_val disc_loss(gan_step *s, const struct cyclegan *o, const char *disc, gan_val real,
                         gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan__patch_loss kind = (gan__patch_loss)o->loss;
    gan_val on_real, on_fake;
    if (o->norm == GAN__NORM_BATCH) {
        on_real = gan_apply(s, disc, real);
        on_fake = gan_apply(s, disc, fake);
    } else {
        const gan_val both[] = {real, fake};
        gan_val on = gan_apply(s, disc, gan_concat(g, both, 2, 0));
        int64_t n = gan_dim(g, real, 0);
        on_real = gan_slice_axis(g, on, 0, 0, n);
        on_fake = gan_slice_axis(g, on, 0, n, n);
    }
    gan_val loss = gan_add(g, gan__patch_loss_of(g, kind, on_real, true),
                           gan__patch_loss_of(g, kind, on_fake, false));
    return kind == GAN__PATCH_WGAN_GP
               ? gan_add(g, loss, gan__patch_penalty(s, disc, GAN_NONE, real, fake, o->penalty))
               : gan_scale(g, loss, 0.5);
}

/* A generator given an image of its range should leave it alone. */
static gan_val identity_loss(gan_step *s, const struct cyclegan *o, gan_val a, gan_val b)
{
    gan_graph *g = gan_step_graph(s);
    gan_val of_a = gan_loss_l1(g, gan_apply(s, "gen_a", b), b);
    gan_val of_b = gan_loss_l1(g, gan_apply(s, "gen_b", a), a);
    gan_report(s, "identity_a", of_a);
    gan_report(s, "identity_b", of_b);
    return gan_add(g, gan_scale(g, of_a, o->cycle_b * o->identity),
                   gan_scale(g, of_b, o->cycle_a * o->identity));
}

/* Images of a batch and what both generators make of them. */
struct both {
    gan_val a, b, fake_a, fake_b, back_a, back_b;
};

/* Both generators deceive the discriminator of their range. */
static gan_val deceive(gan_step *s, const struct cyclegan *o, const struct both *x)
{
    gan_graph *g = gan_step_graph(s);
    gan__patch_loss kind = (gan__patch_loss)o->loss;
    gan_val of_a = gan__patch_loss_of(g, kind, gan_apply(s, "disc_a", x->fake_b), true);
    gan_val of_b = gan__patch_loss_of(g, kind, gan_apply(s, "disc_b", x->fake_a), true);
    gan_report(s, "adversarial_a", of_a);
    gan_report(s, "adversarial_b", of_b);
    return gan_scale(g, gan_add(g, of_a, of_b), o->adversarial);
}

/* There and back again. */
static gan_val cycles(gan_step *s, const struct cyclegan *o, const struct both *x)
{
    gan_graph *g = gan_step_graph(s);
    gan_val of_a = gan_loss_l1(g, x->back_a, x->a);
    gan_val of_b = gan_loss_l1(g, x->back_b, x->b);
    gan_report(s, "cycle_a", of_a);
    gan_report(s, "cycle_b", of_b);
    return gan_add(g, gan_scale(g, of_a, o->cycle_a), gan_scale(g, of_b, o->cycle_b));
}

/* What pretrained networks see of the images, of their translations and of the way back. */
static gan_val seen(gan_step *s, const struct cyclegan *o, const struct both *x)
{
    gan_graph *g = gan_step_graph(s);
    gan_val sum = gan_const(g, 0);
    if (o->constancy.features[0] != '\0') {
        gan_val of_a = gan__aid_perceptual(s, "f_constancy", x->fake_b, x->a);
        gan_val of_b = gan__aid_perceptual(s, "f_constancy", x->fake_a, x->b);
        gan_report(s, "f_constancy_a", of_a);
        gan_report(s, "f_constancy_b", of_b);
        sum = gan_scale(g, gan_add(g, of_a, of_b), o->constancy_weight);
    }
    if (o->perceptual.features[0] != '\0') {
        gan_val of_a = gan__aid_perceptual(s, "perceptual", x->back_a, x->a);
        gan_val of_b = gan__aid_perceptual(s, "perceptual", x->back_b, x->b);
        gan_report(s, "perceptual_a", of_a);
        gan_report(s, "perceptual_b", of_b);
        sum = gan_add(g, sum, gan_scale(g, gan_add(g, of_a, of_b), o->perceptual_weight));
    }
    return sum;
}

/* Distance to the partners of the samples that have theirs beside them, mean over the batch. */
static gan_val to_partners(gan_step *s, const struct cyclegan *o, const struct both *x)
{
    gan_graph *g = gan_step_graph(s);
    const uint32_t image = GAN_AXIS(1) | GAN_AXIS(2) | GAN_AXIS(3);
    gan_val of_a = gan_mean(g, gan_abs(g, gan_sub(g, x->fake_b, x->b)), image, false);
    gan_val of_b = gan_mean(g, gan_abs(g, gan_sub(g, x->fake_a, x->a)), image, false);
    gan_val known = gan_batch(s, GAN_FIELD_KNOWN);
    gan_val far = gan_mean_all(g, gan_mul(g, known, gan_add(g, of_a, of_b)));
    gan_report(s, "supervised", far);
    return gan_scale(g, far, o->supervised);
}

static void update_gens(gan_step *s, const struct cyclegan *o, const struct both *x)
{
    gan_graph *g = gan_step_graph(s);
    gan_val loss = gan_add(g, cycles(s, o, x), seen(s, o, x));
    if (o->identity > 0) {
        loss = gan_add(g, loss, identity_loss(s, o, x->a, x->b));
    }
    if (o->supervised > 0) {
        loss = gan_add(g, loss, to_partners(s, o, x));
    }
    if (o->adversarial > 0) {
        loss = gan_add(g, loss, deceive(s, o, x));
    }
    gan_minimize(s, "gen_a+gen_b", loss, &o->optim_gen);
}

static void update_discs(gan_step *s, const struct cyclegan *o, const struct both *x)
{
    gan_val on_b = disc_loss(s, o, "disc_a", x->b, gan_pool(s, "fake_b", x->fake_b, o->pool));
    gan_val on_a = disc_loss(s, o, "disc_b", x->a, gan_pool(s, "fake_a", x->fake_a, o->pool));
    gan_report(s, "disc_a", on_b);
    gan_report(s, "disc_b", on_a);
    gan_minimize(s, "disc_a+disc_b", gan_add(gan_step_graph(s), on_b, on_a), &o->optim_disc);
}

/* Both generators together, then both discriminators. */
static void iteration(gan_step *s, const void *options)
{
    const struct cyclegan *o = options;
    struct both x = {.a = gan_batch(s, GAN_FIELD_IMAGE), .b = gan_batch(s, GAN_FIELD_B)};
    x.fake_b = gan_apply(s, "gen_a", x.a);
    x.fake_a = gan_apply(s, "gen_b", x.b);
    x.back_a = gan_apply(s, "gen_b", x.fake_b);
    x.back_b = gan_apply(s, "gen_a", x.fake_a);
    update_gens(s, o, &x);
    if (o->adversarial > 0) {
        update_discs(s, o, &x);
    }
}

static gan_val sample(gan_step *s, const void *options)
{
    (void)options;
    return gan_apply(s, "gen_a", gan_batch(s, GAN_FIELD_IMAGE));
}

static bool translates(const void *options, bool back, struct gan_translation *out)
{
    const struct gan_task *t = &((const struct cyclegan *)options)->task;
    int64_t a = t->channels, b = t->channels_b;
    *out = (struct gan_translation){
        .in = back ? b : a, .out = back ? a : b, .multiple = 4, .least = 8};
    return true;
}

static gan_val translate(gan_step *s, const void *options, gan_val x, bool back)
{
    (void)options;
    return gan_apply(s, back ? "gen_b" : "gen_a", x);
}

/* a | G_A(a) | back | b | G_B(b) | back */
static gan_val show(gan_step *s, const void *options)
{
    (void)options;
    gan_val a = gan_batch(s, GAN_FIELD_IMAGE), b = gan_batch(s, GAN_FIELD_B);
    gan_val fake_b = gan_apply(s, "gen_a", a), fake_a = gan_apply(s, "gen_b", b);
    const gan_val row[] = {a, fake_b, gan_apply(s, "gen_b", fake_b),
                           b, fake_a, gan_apply(s, "gen_a", fake_a)};
    return gan__panels(gan_step_graph(s), row, 6);
}

static const struct gan_claim claims[] = {
    {"parameters of a generator, 9 blocks, 3 channels", "11 378 179"},
    {"parameters of a generator, 6 blocks, 3 channels", "7 837 699"},
    {"parameters of a discriminator, 3 channels", "2 764 737"},
    {NULL, NULL},
};

GAN_MODEL(cyclegan) = {
    .name = "cyclegan",
    .title = "translation between two domains without pairs",
    .paper = "Zhu, Park, Isola, Efros 2017, arXiv:1703.10593",
    .help =
        "Learns both translations between two sets of images that are not paired: horses and "
        "zebras, summer and winter. The published batch is 1 (--batch 1). Colours and textures "
        "change well, shapes hardly. The losses do not tell quality: look at the samples. When "
        "colours are inverted at the start, keep the identity loss or lower --cycle-a and "
        "--cycle-b later. The paper's ablations: --cycle-a 0 --cycle-b 0 (no cycle), one of "
        "them, --gan 0 (cycle alone). Pairs are shuffled apart; --supervised 10 --known .1 uses a "
        "tenth of them as pairs.",
    .needs = GAN_FIELD_IMAGE | GAN_FIELD_B,
    .may_need = GAN_FIELD_KNOWN,
    .opts = opts,
    .size = sizeof(struct cyclegan),
    .check = check,
    .fit = fit,
    .nets = nets,
    .looks = looks,
    .iteration = iteration,
    .sample = sample,
    .show = show,
    .translates = translates,
    .translate = translate,
    .claims = claims,
};
