/* model_acgan.c: GAN with an auxiliary classifier: D says whether an image is real and what it shows,
 * G is to be told the class it was asked for.
 *
 * D maximises L_S + L_C, G maximises L_C - L_S, L_S the log-likelihood of the source and L_C that of
 * the class, of reals and of fakes. Odena, Olah, Shlens 2016, arXiv:1610.09585. Two published
 * variants: `embed` is PyTorch-GAN `acgan` (the label's vector times z, networks of dcgan32), `onehot`
 * clvrai/ACGAN-PyTorch (the first numbers of z are the one-hot label; networks of the paper for 128
 * pixels, smaller for 32). Both codes give the class scores through a softmax to a loss that takes
 * another; here they are logits. */
#include "aids.h"
#include "arch.h"
#include "base/err.h"

extern const struct gan_arch gan__arch_dcgan32;

enum { VARIANT_EMBED, VARIANT_ONEHOT };
enum { SMALL = 32, LARGE = 128, CONVS = 6 };

struct acgan {
    struct gan__arch_opts net;
    int variant;
    int64_t width_disc; /* D's widths are those that belong to this width of G */
    double dropout, class_weight;
    bool class_fakes;
    const struct gan_loss *loss;
    struct gan_average ema;
    struct gan_optim optim_gen, optim_disc;
};

static const struct gan_opt opts[] = {
    GAN_OPT_CHOICE(struct acgan, variant, "variant", "embed", "embed|onehot",
                   "how G takes the label, and which networks: z times its vector, 32 pixels; or "
                   "one-hot in the place of z's first numbers, 32 or 128 pixels"),
    GAN_OPT_I64(struct acgan, net.z, "z", "0", 0, 65536,
                "length of the latent vector; 0: 100, with one-hot labels 110, theirs included"),
    GAN_OPT_I64(struct acgan, net.width, "width", "0", 0, 4096,
                "channels next to G's image (embed: 64; onehot: 96, at 128 pixels 64), D's "
                "first convolution has a quarter (onehot: 16); 0: these"),
    GAN_OPT_I64(struct acgan, width_disc, "width-disc", "0", 0, 4096,
                "the width of the pair that D is of: a D wider than G's knows the classes better; "
                "0: width"),
    GAN_OPT_F64(struct acgan, net.slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_F64(struct acgan, dropout, "dropout", "-1", -1, 0.95,
                "share hidden in D, of channels or (onehot) numbers; -1: .25, onehot .5"),
    GAN_OPT_F64(struct acgan, class_weight, "class-weight", "1", 0, 1e6,
                "weight of the class in both losses"),
    GAN_OPT_BOOL(struct acgan, class_fakes, "class-fakes", "true",
                 "D learns the class of fakes too, as published; false: of reals alone, so that D "
                 "cannot come to terms with G"),
    GAN_OPT_BOOL(struct acgan, net.spectral, "spectral", "false", "spectral norm in D"),
    GAN_OPT_PARSED(
        struct acgan, ema, "ema", "0", gan__aid_average_option,
        "half-life, in images, of the average of G's weights that samples are made with, "
        "N or FROM..TO@SCHEDULE; 0: the newest weights"),
    GAN_OPT_F64(struct acgan, ema.ramp, "ema-ramp", "0.05", 0, 1,
                "its half-life is at most this share of the images seen; 0: no ramp-up"),
    GAN_OPT_PARSED(struct acgan, loss, "loss", "nonsaturating", gan_loss_option,
                   "objective of the source, of one score a sample: gan list losses names them"),
    GAN_OPT_PARSED(struct acgan, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct acgan, optim_disc, "optim-disc", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator"),
    GAN_OPT_END,
};

static gan_status check(const void *options, gan_err *err)
{
    const struct acgan *o = options;
    return gan_loss_check(o->loss, "acgan", 0, err);
}

static gan_status fit_onehot(struct acgan *o, bool fixed, gan_err *err)
{
    const struct gan_task *t = &o->net.task;
    int64_t side = t->height > t->width ? t->height : t->width;
    GAN_TRY(gan__arch_fit_size(&o->net, side <= SMALL ? SMALL : LARGE, fixed, err));
    o->net.z = o->net.z > 0 ? o->net.z : 110;
    o->net.width = o->net.width > 0 ? o->net.width : t->height == SMALL ? 96 : 64;
    if (o->net.z <= t->classes) {
        return gan__fail(err, GAN_E_RANGE,
                         "--z is %lld, the labels take the first %lld numbers: at least %lld",
                         (long long)o->net.z, (long long)t->classes, (long long)t->classes + 1);
    }
    o->dropout = o->dropout < 0 ? 0.5 : o->dropout;
    return GAN_OK;
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct acgan *o = options;
    GAN_TRY(check(o, err));
    if (o->net.task.points) {
        return gan__fail(err, GAN_E_ARG, "acgan makes images, the data are points");
    }
    gan__arch_warn_unbounded(&o->net, o->loss, o->net.spectral, "use --spectral true");
    o->net.arch = &gan__arch_dcgan32;
    if (o->variant == VARIANT_ONEHOT) {
        GAN_TRY(fit_onehot(o, fixed, err));
    } else {
        o->net.dropout = o->dropout < 0 ? 0 : o->dropout == 0 ? -1 : o->dropout;
        GAN_TRY(gan__arch_fit(&o->net, fixed, err));
    }
    o->width_disc = o->width_disc > 0 ? o->width_disc : o->net.width;
    return GAN_OK;
}

/* --- the networks of clvrai ----------------------------------------------------------------------- */

/* A transposed convolution without bias; batch norm and ReLU but for the image. */
static gan_val enlarge(gan_nn *nn, int i, gan_val x, struct gan_conv_layer c, bool last)
{
    gan_graph *g = gan_nn_graph(nn);
    x = gan_conv_transpose(nn, gan_nn_format(nn, "tconv%d.0", i), x, c);
    if (last) {
        return gan_tanh(g, x);
    }
    x = gan_batch_norm(nn, gan_nn_format(nn, "tconv%d.1", i), x, (struct gan_norm){0});
    return gan_relu(g, x);
}

/* 1 -> 4 -> 8 -> 16 -> 32 pixels, channels 4w, 2w, w. */
static gan_val enlarge_small(gan_nn *nn, gan_val x, const struct acgan *o)
{
    struct gan_conv_layer c = {.kernel = 4};
    for (int i = 1; i <= 4; i++) {
        c.out = i < 4 ? o->net.width << (3 - i) : o->net.task.channels;
        x = enlarge(nn, i, x, c, i == 4);
        c.stride = 2;
        c.pad = 1;
    }
    return x;
}

/* 1 -> 5 -> 13 -> 29 -> 61 -> 128 pixels, channels 6w, 4w, 3w, w behind a linear layer of 12w. */
static gan_val enlarge_large(gan_nn *nn, gan_val z, const struct acgan *o)
{
    static const int64_t times[] = {6, 4, 3, 1};
    gan_graph *g = gan_nn_graph(nn);
    int64_t w = o->net.width;
    gan_val x = gan_linear(nn, "fc1", z, (struct gan_linear){.out = 12 * w, .bias = true});
    struct gan_conv_layer c = {.kernel = 5, .stride = 2};
    x = gan_unflatten(g, x, 1, 1, 12 * w);
    for (int i = 0; i < 4; i++) {
        c.out = times[i] * w;
        x = enlarge(nn, i + 2, x, c, false);
    }
    c.out = o->net.task.channels;
    c.kernel = 8;
    return enlarge(nn, 6, x, c, true);
}

/* Six convolutions of kernel 3, every other one halves; features [N,F]. */
static gan_val convolutions(gan_nn *nn, gan_val x, const struct acgan *o)
{
    gan_graph *g = gan_nn_graph(nn);
    bool small = o->net.task.height == SMALL;
    int64_t first = o->net.width >= 6 ? o->net.width / (small ? 6 : 4) : 1;
    for (int i = 0; i < CONVS; i++) {
        struct gan_conv_layer c = {.out = first << i,
                                   .kernel = 3,
                                   .stride = i % 2 == 0 ? 2 : 1,
                                   .pad = i % 2 == 0 || small,
                                   .spectral = o->net.spectral};
        x = gan_conv(nn, gan_nn_format(nn, "conv%d.0", i + 1), x, c);
        if (i > 0) {
            x = gan_batch_norm(nn, gan_nn_format(nn, "conv%d.1", i + 1), x, (struct gan_norm){0});
        }
        x = gan_leaky_relu(g, x, o->net.slope);
        x = gan_dropout(nn, gan_nn_format(nn, "conv%d.3", i + 1), x, o->dropout);
    }
    return gan_flatten(g, x);
}

/* --- networks ------------------------------------------------------------------------------------- */

static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct acgan *o = options;
    gan_graph *g = gan_nn_graph(nn);
    int64_t z = o->net.z, classes = o->net.task.classes;
    if (o->variant == VARIANT_EMBED) {
        gan_val e = gan_embedding(nn, "label_emb", in[1],
                                  (struct gan_embedding){.rows = classes, .dim = z});
        gan_val zy = gan_mul(g, e, in[0]);
        gan__arch_dcgan32.gen(nn, &zy, out, options);
        return;
    }
    const gan_val both[] = {gan_one_hot(g, in[1], classes),
                            gan_slice_axis(g, in[0], 1, classes, z - classes)};
    gan_val zy = gan_concat(g, both, 2, 1);
    out[0] = o->net.task.height == SMALL ? enlarge_small(nn, gan_unflatten(g, zy, 1, 1, z), o)
                                         : enlarge_large(nn, zy, o);
}

/* Fills out[0] with the score [N,1], out[1] with the features, out[2] with the class logits. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    struct acgan wide = *(const struct acgan *)options;
    const struct acgan *o = &wide;
    wide.net.width = wide.width_disc;
    const struct gan_linear source = {.out = 1, .bias = true, .spectral = o->net.spectral};
    const struct gan_linear classes = {
        .out = o->net.task.classes, .bias = true, .spectral = o->net.spectral};
    if (o->variant == VARIANT_EMBED) {
        gan__arch_dcgan32.disc(nn, in, out, o);
        out[2] = gan_linear(nn, "aux_layer.0", out[1], classes);
        return;
    }
    out[1] = convolutions(nn, in[0], o);
    out[0] = gan_linear(nn, "fc_dis", out[1], source);
    out[2] = gan_linear(nn, "fc_aux", out[1], classes);
}

static void nets(gan_nets *d, const void *options)
{
    const struct acgan *o = options;
    const struct gan_task *t = &o->net.task;
    const char *init = o->variant == VARIANT_ONEHOT ? "dcgan" : NULL;
    gan_declare(d, &(struct gan_net_desc){.name = "gen",
                                          .fn = generator,
                                          .in = {{.shape = GAN_SHAPE(2, o->net.z)},
                                                 {.shape = GAN_SHAPE(2), .index = true}},
                                          .n_in = 2,
                                          .init = init});
    gan_declare(
        d, &(struct gan_net_desc){.name = "disc",
                                  .fn = discriminator,
                                  .in = {{.shape = GAN_SHAPE(2, t->height, t->width, t->channels)}},
                                  .n_in = 1,
                                  .init = init});
}

/* --- the algorithm -------------------------------------------------------------------------------- */

static gan_val generate(gan_step *s, const struct acgan *o, gan_val label)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {gan_latent(s, "z", o->net.z), label};
    gan_apply_all(s, "gen", in, out);
    return out[0];
}

/* What D says of images: source and class. */
struct verdict {
    gan_val source, classes;
};

static struct verdict judge(gan_step *s, gan_val x)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_apply_all(s, "disc", &x, out);
    return (struct verdict){out[0], out[2]};
}

/* -L_C of one batch. */
static gan_val class_loss(gan_graph *g, const struct acgan *o, gan_val logits, gan_val label)
{
    return gan_scale(g, gan_loss_cross_entropy(g, logits, label), o->class_weight);
}

static gan_val share_right(gan_graph *g, gan_val logits, gan_val label)
{
    gan_val right = gan_equal(g, gan_argmax(g, logits, 1), label);
    return gan_mean_all(g, gan_cast(g, right, gan_graph_real(g)));
}

static void update_gen(gan_step *s, const struct acgan *o, gan_val fake, gan_val label)
{
    gan_graph *g = gan_step_graph(s);
    const struct verdict on = judge(s, fake);
    gan_val loss = gan_add(g, gan_loss_gen(o->loss, g, GAN_NONE, on.source),
                           class_loss(g, o, on.classes, label));
    gan_minimize(s, "gen", gan_scale(g, loss, 0.5), &o->optim_gen);
    gan_average(s, "gen", &o->ema);
}

static void update_disc(gan_step *s, const struct acgan *o, gan_val fake, gan_val label)
{
    gan_graph *g = gan_step_graph(s);
    gan_val its = gan_batch(s, GAN_FIELD_LABEL);
    const struct verdict real = judge(s, gan_batch(s, GAN_FIELD_IMAGE));
    const struct verdict made = judge(s, gan_stop(g, fake));
    gan_val source = gan_loss_disc(o->loss, g, real.source, made.source);
    gan_val classes = class_loss(g, o, real.classes, its);
    if (o->class_fakes) {
        classes = gan_add(g, classes, class_loss(g, o, made.classes, label));
    }
    bool logits = o->loss->logits;
    gan_report(s, "disc.real", gan_mean_all(g, logits ? gan_sigmoid(g, real.source) : real.source));
    gan_report(s, "disc.fake", gan_mean_all(g, logits ? gan_sigmoid(g, made.source) : made.source));
    gan_report(s, "class.real", share_right(g, real.classes, its));
    gan_report(s, "class.fake", share_right(g, made.classes, label));
    gan_minimize(s, "disc", gan_scale(g, gan_add(g, source, classes), 0.25), &o->optim_disc);
}

/* PyTorch-GAN updates G first, clvrai D; fakes of random classes are made once. */
static void iteration(gan_step *s, const void *options)
{
    const struct acgan *o = options;
    gan_val label = gan_labels(s, "y"), fake = generate(s, o, label);
    if (o->variant == VARIANT_EMBED) {
        update_gen(s, o, fake, label);
        update_disc(s, o, fake, label);
    } else {
        update_disc(s, o, fake, label);
        update_gen(s, o, fake, label);
    }
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct acgan *o = options;
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {gan_latent(s, "z", o->net.z), gan_labels(s, "y")};
    gan_apply_average_all(s, "gen", in, out, &o->ema);
    return out[0];
}

static const struct gan_claim claims[] = {
    {"parameters, embed, 32x32x1, 10 classes, G and D", "1 050 985, 103 243"},
    {"parameters, onehot, 32x32x3, 10 classes, G and D", "2 156 352, 1 663 867"},
    {"parameters, onehot, 128x128x3, 10 classes, G and D", "11 465 728, 2 525 563"},
    {"Inception Score on CIFAR-10, paper", "8.25 +- .07"},
    {NULL, NULL},
};

GAN_MODEL(acgan) = {
    .name = "acgan",
    .title = "GAN whose discriminator also names the class",
    .paper = "Odena, Olah, Shlens 2016, arXiv:1610.09585",
    .help =
        "D tells real from fake and names the class of both; G is paid for images D recognises "
        "as the class asked for. Needs data with classes. The log's class.real and class.fake "
        "are the shares that D names rightly: where that of reals stays low, --no-class-fakes, a "
        "wider D (--width-disc) and less --dropout help. With many classes the images of one "
        "become alike: "
        "the paper trained a model for every ten; plain --cond projection keeps them apart.",
    .needs = GAN_FIELD_IMAGE | GAN_FIELD_LABEL,
    .opts = opts,
    .size = sizeof(struct acgan),
    .check = check,
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .claims = claims,
};
