/* model_pix2pix.c: image to image, learned from pairs.
 *
 * G translates x to G(x); D sees (x, y) or (x, G(x)) and judges patches; G must deceive D and come
 * near y in L1. The noise is dropout, in sampling too. Isola, Zhu, Zhou, Efros 2017,
 * arXiv:1611.07004; layers, names and the order of the steps follow
 * junyanz/pytorch-CycleGAN-and-pix2pix. */
#include "aids.h"
#include "base/err.h"
#include "base/number.h"
#include "net_image.h"
#include "pairs.h"

struct pix2pix {
    struct gan__pairs pairs;
    int gen, disc, norm, loss, statistics, upsample;
    bool conditional;
    int64_t depth, layers, gen_width, disc_width;
    double dropout, l1, adversarial, penalty;
    struct gan__aid_perceptual perceptual;
    double perceptual_weight;
    struct gan_optim optim_gen, optim_disc;
};

enum { UNET, RESNET_6, RESNET_9 };
enum { PATCH, PIXEL };

static const struct gan_opt opts[] = {
    GAN_OPT_CHOICE(struct pix2pix, gen, "gen", "unet", "unet|resnet-6|resnet-9", "generator"),
    GAN_OPT_I64(
        struct pix2pix, depth, "depth", "0", 0, 10,
        "halvings of the U-Net, 8 for 256 pixels; 0: as many as the size allows, at most 8"),
    GAN_OPT_CHOICE(struct pix2pix, upsample, "upsample", "transpose", "transpose|resize",
                   "how the ResNets enlarge: transposed convolution, or repeated pixels and a "
                   "convolution"),
    GAN_OPT_I64(struct pix2pix, gen_width, "width", "64", 1, 4096,
                "channels of the generator's first layer"),
    GAN_OPT_CHOICE(struct pix2pix, disc, "disc", "patch", "patch|pixel",
                   "discriminator: of patches or of single pixels"),
    GAN_OPT_I64(struct pix2pix, layers, "layers", "3", 1, 5,
                "depth of the patch discriminator: patches of 16, 34, 70, 142, 286 pixels"),
    GAN_OPT_I64(struct pix2pix, disc_width, "disc-width", "64", 1, 4096,
                "channels of the discriminator's first layer"),
    GAN_OPT_BOOL(struct pix2pix, conditional, "conditional", "true",
                 "D sees the input beside the output; false: the output alone"),
    GAN_OPT_CHOICE(struct pix2pix, norm, "norm", "batch", GAN__NORM_KINDS,
                   "normalisation; with wgan-gp D has instance in the place of batch"),
    GAN_OPT_CHOICE(struct pix2pix, statistics, "statistics", "image", "image|running",
                   "batch norm in sampling: of the image itself or running averages"),
    GAN_OPT_F64(struct pix2pix, dropout, "dropout", "0.5", 0, 0.95,
                "the noise: probability of dropout, in sampling too"),
    GAN_OPT_CHOICE(struct pix2pix, loss, "loss", "vanilla", GAN__PATCH_LOSSES, "adversarial loss"),
    GAN_OPT_F64(struct pix2pix, penalty, "gp", "10", 0, 1e6,
                "weight of the gradient penalty of wgan-gp"),
    GAN_OPT_F64(struct pix2pix, adversarial, "gan", "1", 0, 1e6,
                "weight of the adversarial loss of G; 0: no discriminator is trained"),
    GAN_OPT_F64(struct pix2pix, l1, "l1", "100", 0, 1e6, "weight of the L1 distance to the target"),
    GAN_OPT_PARSED(struct pix2pix, perceptual, "perceptual", "none", gan__aid_perceptual_option,
                   "features that output and target are compared by, NET[:ARGUMENT][@LAYER]: "
                   "vgg19@conv3_3, classifier:RUN, pixels:8; gan features list names them"),
    GAN_OPT_F64(struct pix2pix, perceptual_weight, "perceptual-weight", "1", 0, 1e9,
                "weight of their mean squared difference"),
    GAN_OPT_CHOICE(struct pix2pix, pairs.direction, "direction", "AtoB", GAN__PAIRS_DIRECTIONS,
                   "which image of a pair is the input"),
    GAN_OPT_PARSED(struct pix2pix, optim_gen, "optim-gen", "adam:2e-4,.5,.999@hold:.5",
                   gan_optim_option, "optimiser of the generator"),
    GAN_OPT_PARSED(struct pix2pix, optim_disc, "optim-disc", "adam:2e-4,.5,.999@hold:.5",
                   gan_optim_option, "optimiser of the discriminator"),
    GAN_OPT_END,
};

enum { AUTO_MOST = 8, AUTO_LEAST = 5 };

/* Depth of the U-Net and what sides must be multiples of. */
static int64_t find_multiple(struct pix2pix *o, bool fixed)
{
    const struct gan_task *t = &o->pairs.task;
    if (o->gen != UNET) {
        return 4;
    }
    if (o->depth == 0) {
        int64_t least = fixed ? 2 : AUTO_LEAST;
        int64_t h = gan__raise(t->height, (int64_t)1 << least);
        int64_t w = gan__raise(t->width, (int64_t)1 << least);
        o->depth = least;
        while (o->depth < AUTO_MOST && h % ((int64_t)2 << o->depth) == 0 &&
               w % ((int64_t)2 << o->depth) == 0) {
            o->depth++;
        }
    }
    return (int64_t)1 << o->depth;
}

/* Options that contradict each other. */
static gan_status check(const void *options, gan_err *err)
{
    const struct pix2pix *o = options;
    bool seen = o->perceptual.features[0] != '\0' && o->perceptual_weight > 0;
    if (o->adversarial == 0 && o->l1 == 0 && !seen) {
        return gan__fail(err, GAN_E_ARG,
                         "pix2pix: --gan and --l1 are both 0, the generator has nothing to learn");
    }
    return GAN_OK;
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct pix2pix *o = options;
    struct gan_task *t = &o->pairs.task;
    GAN_TRY(check(o, err));
    if (o->gen == UNET && o->depth == 1) {
        return gan__fail(err, GAN_E_RANGE, "pix2pix: --depth is 1, allowed 0 and 2 to 10");
    }
    int64_t multiple = find_multiple(o, fixed);
    int64_t h = gan__raise(t->height, multiple), w = gan__raise(t->width, multiple);
    int64_t least = o->disc == PATCH ? gan__patchgan_least(o->layers) : 1;
    least = o->gen != UNET && least < 8 ? 8 : least;
    if (h < least || w < least) {
        return gan__fail(err, GAN_E_RANGE,
                         "pix2pix: the image size is %lldx%lld, the networks need at least %lld: "
                         "fewer --layers make patches smaller",
                         (long long)t->height, (long long)t->width, (long long)least);
    }
    if (fixed && (h != t->height || w != t->width)) {
        return gan__fail(err, GAN_E_RANGE,
                         "pix2pix: the image size is %lldx%lld, allowed are multiples of %lld",
                         (long long)t->height, (long long)t->width, (long long)multiple);
    }
    gan__pairs_fit(t, h, w);
    return GAN_OK;
}

static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct pix2pix *o = options;
    struct gan__image_net net = {.width = o->gen_width,
                                 .norm = (gan__norm_kind)o->norm,
                                 .running = o->statistics == 1,
                                 .dropout = o->dropout,
                                 .resize = o->upsample == 1};
    int64_t channels = gan__pairs_out(&o->pairs);
    out[0] = o->gen == UNET ? gan__unet(nn, in[0], &net, o->depth, channels)
                            : gan__resnet(nn, in[0], &net, o->gen == RESNET_6 ? 6 : 9, channels);
}

static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct pix2pix *o = options;
    struct gan__image_net net = {
        .width = o->disc_width,
        .norm = gan__patch_norm((gan__norm_kind)o->norm, (gan__patch_loss)o->loss)};
    out[0] = o->disc == PIXEL ? gan__pixelgan(nn, in[0], &net)
                              : gan__patchgan(nn, in[0], &net, o->layers);
}

static void nets(gan_nets *d, const void *options)
{
    const struct pix2pix *o = options;
    const struct gan_task *t = &o->pairs.task;
    int64_t given = gan__pairs_in(&o->pairs);
    int64_t judged = gan__pairs_out(&o->pairs) + (o->conditional ? given : 0);
    gan_declare(d,
                &(struct gan_net_desc){.name = "gen",
                                       .fn = generator,
                                       .in = {{.shape = GAN_SHAPE(1, t->height, t->width, given)}},
                                       .n_in = 1,
                                       .init = "dcgan"});
    gan_declare(d,
                &(struct gan_net_desc){.name = "disc",
                                       .fn = discriminator,
                                       .in = {{.shape = GAN_SHAPE(1, t->height, t->width, judged)}},
                                       .n_in = 1,
                                       .init = "dcgan"});
}

static void looks(gan_nets *d, const void *options)
{
    const struct pix2pix *o = options;
    gan__aid_perceptual_declare(d, "perceptual", &o->perceptual, &o->pairs.task,
                                gan__pairs_out(&o->pairs));
}

/* D's scores of the patches of y, as a translation of x or by themselves. */
static gan_val judge(gan_step *s, const struct pix2pix *o, gan_val x, gan_val y)
{
    const gan_val both[] = {x, y};
    return gan_apply(s, "disc", o->conditional ? gan_concat(gan_step_graph(s), both, 2, 3) : y);
}

/* D on the fake and on the real pair, each normalised by itself. */
static void update_disc(gan_step *s, const struct pix2pix *o, gan_val x, gan_val y, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan__patch_loss kind = (gan__patch_loss)o->loss;
    gan_val on_fake = gan__patch_loss_of(g, kind, judge(s, o, x, gan_stop(g, fake)), false);
    gan_val on_real = gan__patch_loss_of(g, kind, judge(s, o, x, y), true);
    gan_val loss = gan_add(g, on_fake, on_real);
    gan_report(s, "disc.fake", on_fake);
    gan_report(s, "disc.real", on_real);
    if (kind == GAN__PATCH_WGAN_GP) {
        gan_val slope =
            gan__patch_penalty(s, "disc", o->conditional ? x : GAN_NONE, y, fake, o->penalty);
        gan_report(s, "penalty.gp", slope);
        loss = gan_add(g, loss, slope);
    } else {
        loss = gan_scale(g, loss, 0.5);
    }
    gan_minimize(s, "disc", loss, &o->optim_disc);
}

static void update_gen(gan_step *s, const struct pix2pix *o, gan_val x, gan_val y, gan_val fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val l1 = gan_loss_l1(g, fake, y), loss = gan_scale(g, l1, o->l1);
    gan_report(s, "l1", l1);
    if (o->adversarial > 0) {
        gan_val deceived =
            gan__patch_loss_of(g, (gan__patch_loss)o->loss, judge(s, o, x, fake), true);
        gan_report(s, "adversarial", deceived);
        loss = gan_add(g, loss, gan_scale(g, deceived, o->adversarial));
    }
    if (o->perceptual.features[0] != '\0') {
        gan_val seen = gan__aid_perceptual(s, "perceptual", fake, y);
        gan_report(s, "perceptual", seen);
        loss = gan_add(g, loss, gan_scale(g, seen, o->perceptual_weight));
    }
    gan_minimize(s, "gen", loss, &o->optim_gen);
}

/* G is applied once, D learns first. */
static void iteration(gan_step *s, const void *options)
{
    const struct pix2pix *o = options;
    gan_val x, y;
    gan__pairs_batch(s, &o->pairs, &x, &y);
    gan_val fake = gan_apply(s, "gen", x);
    if (o->adversarial > 0) {
        update_disc(s, o, x, y, fake);
    }
    update_gen(s, o, x, y, fake);
}

static bool translates(const void *options, bool back, struct gan_translation *out)
{
    const struct pix2pix *o = options;
    int64_t multiple = o->gen == UNET ? (int64_t)1 << o->depth : 4;
    return gan__pairs_translates(&o->pairs, back, multiple, o->gen == UNET ? multiple : 8, out);
}

static const struct gan_claim claims[] = {
    {"parameters of the generator, U-Net, 256x256x3", "54 413 955"},
    {"parameters of the generator, U-Net, 128x128x3", "41 828 995"},
    {"parameters of the discriminator, 70x70 patches, 3 and 3 channels", "2 768 705"},
    {"Cityscapes, labels to photos: pixel accuracy / class accuracy / IoU (FCN-8s)",
     "0.66 / 0.23 / 0.17"},
    {NULL, NULL},
};

GAN_MODEL(pix2pix) = {
    .name = "pix2pix",
    .title = "image to image, learned from pairs: U-Net, patch discriminator, L1",
    .paper = "Isola, Zhu, Zhou, Efros 2017, arXiv:1611.07004",
    .help =
        "Learns a translation from aligned pairs: maps to photos, edges to shoes, drawings to "
        "colour. The published batch is 1 (--batch 1), with statistics of the image itself; for "
        "larger batches --statistics running samples by running averages. Sides are multiples "
        "of 2^depth, smaller images are padded. If colours are right and all is blurred, --l1 is "
        "too large against the adversarial loss; check the direction when nothing is learned. The "
        "paper's ablations: --gan 0 (L1 alone), --l1 0 (cGAN alone), --no-conditional (GAN), "
        "--disc pixel, --layers.",
    .needs = GAN_FIELD_IMAGE | GAN_FIELD_B | GAN_FIELD_PAIR,
    .opts = opts,
    .size = sizeof(struct pix2pix),
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
