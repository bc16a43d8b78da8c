/* model_translate_fpn.c: image to image from pairs, by a pyramid of features against critics of patches.
 *
 * G is a U-Net's encoder under a feature pyramid; D judges patches, and in a second network the whole
 * image, without seeing the input; the game is WGAN-GP, and G must come near the target in pixels and
 * in the features of a pretrained network. The lectures name these parts without sizes; they are
 * those of DeblurGAN and DeblurGAN-v2: Kupyn et al. 2018, arXiv:1711.07064, and 2019,
 * arXiv:1908.03826. Unlike that code every sample of the penalty has its own eps and its slope is over
 * all channels, as in Gulrajani et al. 2017, arXiv:1704.00028. */
#include "aids.h"
#include "base/err.h"
#include "base/number.h"
#include "net_image.h"
#include "pairs.h"

enum { MULTIPLE = 32, DISC_PAD = 2, WHOLE_LAYERS = 5 };
enum { PIXEL_L1, PIXEL_L2 };

struct fpn_opts {
    struct gan__pairs pairs;
    int norm, pixel;
    bool residual, conditional, whole;
    int64_t width, features, disc_width, layers, n_critic;
    double adversarial, penalty, pixel_weight, perceptual_weight;
    struct gan__aid_perceptual perceptual;
    struct gan_optim optim_gen, optim_disc;
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct fpn_opts, width, "width", "64", 1, 4096,
                "channels of the encoder's first layer"),
    GAN_OPT_I64(struct fpn_opts, features, "features", "128", 4, 4096,
                "channels of the pyramid, a multiple of 4; its heads have half of them"),
    GAN_OPT_BOOL(struct fpn_opts, residual, "residual", "false",
                 "G adds to its input: for restoration, where both are nearly the same"),
    GAN_OPT_CHOICE(struct fpn_opts, norm, "norm", "instance", GAN__NORM_KINDS,
                   "normalisation of G; D has instance in the place of batch"),
    GAN_OPT_I64(struct fpn_opts, layers, "layers", "3", 1, 5, "depth of the critic of patches"),
    GAN_OPT_BOOL(struct fpn_opts, whole, "double", "false",
                 "a second critic of 5 layers, whose patches are nearly the whole image"),
    GAN_OPT_BOOL(struct fpn_opts, conditional, "conditional", "false",
                 "critics see the input beside the output"),
    GAN_OPT_I64(struct fpn_opts, disc_width, "disc-width", "64", 1, 4096,
                "channels of the critics' first layer"),
    GAN_OPT_I64(struct fpn_opts, n_critic, "n-critic", "1", 1, 1000,
                "updates of the critics for one of the generator; DeblurGAN: 5"),
    GAN_OPT_F64(struct fpn_opts, penalty, "gp", "10", 0, 1e6, "weight of the gradient penalty"),
    GAN_OPT_F64(struct fpn_opts, adversarial, "gan", "0.001", 0, 1e6,
                "weight of the adversarial loss of G; 0: no critic is trained"),
    GAN_OPT_CHOICE(struct fpn_opts, pixel, "pixel", "l2", "l1|l2",
                   "distance of pixels: mean |x - y| or (x - y)^2"),
    GAN_OPT_F64(struct fpn_opts, pixel_weight, "pixel-weight", "0.5", 0, 1e6, "its weight"),
    GAN_OPT_PARSED(struct fpn_opts, perceptual, "perceptual", "none", gan__aid_perceptual_option,
                   "features that output and target are compared by, NET[:ARGUMENT][@LAYER]: "
                   "vgg19@conv3_3, the papers'; classifier:RUN, pixels:8; gan features list names "
                   "them"),
    GAN_OPT_F64(struct fpn_opts, perceptual_weight, "perceptual-weight", "0.006", 0, 1e9,
                "weight of their mean squared difference"),
    GAN_OPT_CHOICE(struct fpn_opts, pairs.direction, "direction", "AtoB", GAN__PAIRS_DIRECTIONS,
                   "which image of a pair is the input"),
    GAN_OPT_PARSED(struct fpn_opts, optim_gen, "optim-gen", "adam:1e-4,.5,.999@hold:.5",
                   gan_optim_option, "optimiser of the generator"),
    GAN_OPT_PARSED(struct fpn_opts, optim_disc, "optim-disc", "adam:1e-4,.5,.999@hold:.5",
                   gan_optim_option, "optimiser of the critics"),
    GAN_OPT_END,
};

static bool sees(const struct fpn_opts *o)
{
    return o->perceptual.features[0] != '\0' && o->perceptual_weight > 0;
}

static gan_status check(const void *options, gan_err *err)
{
    const struct fpn_opts *o = options;
    if (o->features % 4 != 0) {
        return gan__fail(err, GAN_E_RANGE, "translate-fpn: --features is %lld, no multiple of 4",
                         (long long)o->features);
    }
    if (o->adversarial == 0 && o->pixel_weight == 0 && !sees(o)) {
        return gan__fail(err, GAN_E_ARG,
                         "translate-fpn: --gan and --pixel-weight are 0 and there is no "
                         "--perceptual, the generator has nothing to learn");
    }
    return GAN_OK;
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct fpn_opts *o = options;
    struct gan_task *t = &o->pairs.task;
    int64_t h = gan__raise(t->height, MULTIPLE), w = gan__raise(t->width, MULTIPLE);
    GAN_TRY(check(o, err));
    if (fixed && (h != t->height || w != t->width)) {
        return gan__fail(err, GAN_E_RANGE,
                         "translate-fpn: the image size is %lldx%lld, allowed are multiples of %d",
                         (long long)t->height, (long long)t->width, (int)MULTIPLE);
    }
    gan__pairs_fit(t, h, w);
    if (o->residual && t->channels != t->channels_b) {
        return gan__fail(err, GAN_E_ARG,
                         "translate-fpn: images have %lld channels and %lld, --residual needs the "
                         "same number; --channels 3 makes both colour",
                         (long long)t->channels, (long long)t->channels_b);
    }
    return GAN_OK;
}

/* --- networks ------------------------------------------------------------------------------------- */

static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct fpn_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan__image_net net = {.width = o->width, .norm = (gan__norm_kind)o->norm};
    gan_val y = gan_tanh(g, gan__fpn(nn, in[0], &net, o->features, gan__pairs_out(&o->pairs)));
    out[0] = o->residual ? gan_clamp(g, gan_add(g, y, in[0]), -1, 1) : y;
}

static gan_val critic(gan_nn *nn, gan_val x, const struct fpn_opts *o, int64_t layers)
{
    const struct gan__image_net net = {
        .width = o->disc_width,
        .norm = gan__patch_norm((gan__norm_kind)o->norm, GAN__PATCH_WGAN_GP),
        .pad = DISC_PAD};
    return gan__patchgan(nn, x, &net, layers);
}

static void of_patches(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct fpn_opts *o = options;
    out[0] = critic(nn, in[0], o, o->layers);
}

static void of_the_whole(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = critic(nn, in[0], options, WHOLE_LAYERS);
}

static void nets(gan_nets *d, const void *options)
{
    const struct fpn_opts *o = options;
    const struct gan_task *t = &o->pairs.task;
    int64_t given = gan__pairs_in(&o->pairs);
    struct gan_net_desc net = {.name = "gen",
                               .fn = generator,
                               .in = {{.shape = GAN_SHAPE(1, t->height, t->width, given)}},
                               .n_in = 1,
                               .init = "dcgan"};
    gan_declare(d, &net);
    net.name = "disc";
    net.fn = of_patches;
    net.in[0].shape.dim[3] = gan__pairs_out(&o->pairs) + (o->conditional ? given : 0);
    gan_declare(d, &net);
    if (o->whole) {
        net.name = "disc_whole";
        net.fn = of_the_whole;
        gan_declare(d, &net);
    }
}

static void looks(gan_nets *d, const void *options)
{
    const struct fpn_opts *o = options;
    gan__aid_perceptual_declare(d, "perceptual", &o->perceptual, &o->pairs.task,
                                gan__pairs_out(&o->pairs));
}

/* --- the algorithm -------------------------------------------------------------------------------- */

/* E D(y), over patches, of one critic. */
static gan_val judge(gan_step *s, const struct fpn_opts *o, const char *disc, gan_val x, gan_val y)
{
    gan_graph *g = gan_step_graph(s);
    const gan_val both[] = {x, y};
    return gan_mean_all(g, gan_apply(s, disc, o->conditional ? gan_concat(g, both, 2, 3) : y));
}

/* E D(G(x)) - E D(y) + gp E (|grad D| - 1)^2 of one critic. */
static gan_val critic_loss(gan_step *s, const struct fpn_opts *o, const char *disc, gan_val x,
                           gan_val y, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val gap = gan_sub(g, judge(s, o, disc, x, gan_stop(g, fake)), judge(s, o, disc, x, y));
    gan_val slope = gan__patch_penalty(s, disc, o->conditional ? x : GAN_NONE, y, fake, o->penalty);
    gan_report(s, o->whole && disc[4] != '\0' ? "gap.whole" : "gap", gan_neg(g, gap));
    gan_report(s, o->whole && disc[4] != '\0' ? "penalty.gp.whole" : "penalty.gp", slope);
    return gan_add(g, gap, slope);
}

static void update_disc(gan_step *s, const struct fpn_opts *o, gan_val x, gan_val y, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val loss = critic_loss(s, o, "disc", x, y, fake);
    if (o->whole) {
        loss = gan_add(g, loss, critic_loss(s, o, "disc_whole", x, y, fake));
        loss = gan_scale(g, loss, 0.5);
    }
    gan_minimize(s, o->whole ? "disc+disc_whole" : "disc", loss, &o->optim_disc);
}

/* -E D(G(x)), the mean of both critics. */
static gan_val deceive(gan_step *s, const struct fpn_opts *o, gan_val x, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val score = judge(s, o, "disc", x, fake);
    if (o->whole) {
        score = gan_scale(g, gan_add(g, score, judge(s, o, "disc_whole", x, fake)), 0.5);
    }
    return gan_neg(g, score);
}

static void update_gen(gan_step *s, const struct fpn_opts *o, gan_val x, gan_val y, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val pixel = o->pixel == PIXEL_L1 ? gan_loss_l1(g, fake, y) : gan_loss_l2(g, fake, y);
    gan_val loss = gan_scale(g, pixel, o->pixel_weight);
    gan_report(s, "pixel", pixel);
    if (o->adversarial > 0) {
        gan_val adversarial = deceive(s, o, x, fake);
        gan_report(s, "adversarial", adversarial);
        loss = gan_add(g, loss, gan_scale(g, adversarial, o->adversarial));
    }
    if (sees(o)) {
        gan_val seen = gan__aid_perceptual(s, "perceptual", fake, y);
        gan_report(s, "perceptual", seen);
        loss = gan_add(g, loss, gan_scale(g, seen, o->perceptual_weight));
    }
    gan_minimize(s, "gen", loss, &o->optim_gen);
}

/* The critics first, on the fakes G then learns from, or n times on fakes of their own. */
static void iteration(gan_step *s, const void *options)
{
    const struct fpn_opts *o = options;
    const struct gan_runs runs = {.count = o->n_critic};
    bool apart = o->n_critic > 1 && o->adversarial > 0;
    gan_val x, y;
    while (apart && gan_repeat(s, &runs)) {
        gan__pairs_batch(s, &o->pairs, &x, &y);
        update_disc(s, o, x, y, gan_apply(s, "gen", x));
    }
    gan__pairs_batch(s, &o->pairs, &x, &y);
    gan_val fake = gan_apply(s, "gen", x);
    if (o->adversarial > 0 && !apart) {
        update_disc(s, o, x, y, fake);
    }
    update_gen(s, o, x, y, fake);
}

static bool translates(const void *options, bool back, struct gan_translation *out)
{
    return gan__pairs_translates(options, back, MULTIPLE, MULTIPLE, out);
}

static const struct gan_claim claims[] = {
    {"parameters of the generator, 3 channels", "8 187 651"},
    {"parameters of the critic of patches, 3 channels", "2 764 737"},
    {"PSNR and SSIM on GoPro, DeblurGAN-v2 (Inception-ResNet-v2)", "29.55 dB, 0.934"},
    {NULL, NULL},
};

GAN_MODEL(translate_fpn) = {
    .name = "translate-fpn",
    .title = "image to image from pairs: feature pyramid, critics of patches, WGAN-GP",
    .paper = "Kupyn et al. 2018 and 2019, arXiv:1711.07064, arXiv:1908.03826 (DeblurGAN)",
    .help =
        "Learns a translation from aligned pairs with four terms: adversarial, pixels, features of "
        "a pretrained network and gradient penalty. --perceptual vgg19@conv3_3 is the papers' "
        "choice (gan features install has the weights); DeblurGAN is --gan 1 --pixel-weight 0 "
        "--perceptual-weight 100 --n-critic 5. For restoration (sharpening, larger images) "
        "--residual lets G add to its input. The published batch is 1. Sides are multiples of 32, "
        "other images are padded.",
    .needs = GAN_FIELD_IMAGE | GAN_FIELD_B | GAN_FIELD_PAIR,
    .opts = opts,
    .size = sizeof(struct fpn_opts),
    .check = check,
    .fit = fit,
    .nets = nets,
    .looks = looks,
    .iteration = iteration,
    .sample = gan__pairs_sample,
    .show = gan__pairs_show,
    .translates = translates,
    .translate = gan__pairs_translate,
    .claims = claims,
};
