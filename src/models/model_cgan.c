/* model_cgan.c: conditional GAN: both networks see the label beside their usual input, each through a
 * table of vectors of its own (a linear layer on the one-hot label).
 *
 * min over G, max over D of E log D(x|y) + E log(1 - D(G(z|y)|y)). Mirza and Osindero 2014,
 * arXiv:1411.1784; the perceptrons, their names and the least squares of PyTorch-GAN `cgan`, except
 * for its batch norm's epsilon of .8, a slip for the momentum: here 1e-5. The convolutional networks
 * are those of DCGAN: G's latent is longer by the label's vector, D's image has a constant map for
 * each number of it; or, with `projection`, the label sets scale and offset of G's batch norms and a
 * direction in D's features. Miyato and Koyama 2018, arXiv:1802.05637. With `mismatch` D is shown true
 * images under the label of another class too and is to refuse them. Reed et al. 2016,
 * arXiv:1605.05396 (GAN-CLS, their weight is 1/2). */
#include "aids.h"
#include "arch.h"
#include "base/err.h"
#include "net_mlp.h"

extern const struct gan_arch gan__arch_dcgan;

enum { NET_MLP, NET_CONV, NET_PROJECTION };
enum { MLP_LATENT = 100, MLP_WIDTH = 128 };

struct cgan {
    struct gan__arch_opts net;
    int kind; /* NET_MLP, NET_CONV, NET_PROJECTION */
    int64_t embed;
    double dropout, mismatch;
    const struct gan_loss *loss;
    struct gan_average ema;
    struct gan_optim optim_gen, optim_disc;
};

static const struct gan_opt opts[] = {
    GAN_OPT_CHOICE(struct cgan, kind, "net", "mlp", "mlp|conv|projection",
                   "perceptrons, convolutions with the label as maps, or convolutions with the "
                   "label in G's norms and D's last layer"),
    GAN_OPT_I64(struct cgan, net.z, "z", "100", 1, 65536, "length of the latent vector"),
    GAN_OPT_I64(struct cgan, embed, "embed", "0", 0, 4096,
                "numbers each network learns for a class; 0: as many as classes"),
    GAN_OPT_I64(struct cgan, net.width, "width", "0", 0, 4096,
                "units of G's first layer, D's have four times as many; of convolutions: channels "
                "next to the image; 0: 128, DCGAN's"),
    GAN_OPT_F64(struct cgan, net.slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_F64(struct cgan, dropout, "dropout", "0.4", 0, 0.95,
                "share of units hidden in the perceptron D"),
    GAN_OPT_PARSED(struct cgan, loss, "loss", "lsgan", gan_loss_option,
                   "objective of one score a sample: gan list losses names them"),
    GAN_OPT_BOOL(struct cgan, net.spectral, "spectral", "false",
                 "spectral norm in the D of convolutions"),
    GAN_OPT_CHOICE(struct cgan, net.norm_disc, "norm-disc", "auto",
                   "auto|batch|layer|none|instance",
                   "normalisation in the D of convolutions; auto: batch, DCGAN's; none goes with "
                   "spectral norm"),
    GAN_OPT_F64(struct cgan, mismatch, "mismatch", "0", 0, 0.95,
                "weight, among D's fakes, of true images with the label of another class, so that "
                "D cannot ignore labels; .5: Reed et al. 2016; 0: none"),
    GAN_OPT_PARSED(
        struct cgan, ema, "ema", "0", gan__aid_average_option,
        "half-life, in images, of the average of G's weights that samples are made with, "
        "N or FROM..TO@SCHEDULE; 0: the newest weights"),
    GAN_OPT_F64(struct cgan, ema.ramp, "ema-ramp", "0.05", 0, 1,
                "its half-life is at most this share of the images seen; 0: no ramp-up"),
    GAN_OPT_PARSED(struct cgan, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct cgan, optim_disc, "optim-disc", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator"),
    GAN_OPT_END,
};

static gan_status check(const void *options, gan_err *err)
{
    const struct cgan *o = options;
    if (o->kind == NET_MLP && o->net.spectral) {
        return gan__fail(err, GAN_E_ARG,
                         "cgan: --spectral is for convolutions: --net conv or projection");
    }
    if (o->kind == NET_MLP && o->net.norm_disc != GAN__NORM_AUTO) {
        return gan__fail(err, GAN_E_ARG,
                         "cgan: --norm-disc is for convolutions: --net conv or projection");
    }
    return gan_loss_check(o->loss, "cgan", 0, err);
}

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct cgan *o = options;
    struct gan_task *t = &o->net.task;
    GAN_TRY(check(o, err));
    if (t->points) {
        return gan__fail(err, GAN_E_ARG,
                         "cgan makes images, the data are points; use plain --arch gan-mlp --cond "
                         "projection");
    }
    if (o->mismatch > 0 && t->classes < 2) {
        return gan__fail(err, GAN_E_ARG, "--mismatch needs another class, the data have %lld",
                         (long long)t->classes);
    }
    gan__arch_warn_unbounded(&o->net, o->loss, o->net.spectral,
                             "use --spectral with --net conv, or plain --cond projection --reg gp");
    o->embed = o->embed > 0 ? o->embed : t->classes;
    if (o->kind != NET_MLP) {
        o->net.cond = o->kind == NET_PROJECTION ? GAN__COND_PROJECTION : GAN__COND_NONE;
        o->net.arch = &gan__arch_dcgan;
        return gan__arch_fit(&o->net, fixed, err);
    }
    t->range = GAN_RANGE_SIGNED; /* any size will do */
    o->net.z = o->net.z > 0 ? o->net.z : MLP_LATENT;
    o->net.width = o->net.width > 0 ? o->net.width : MLP_WIDTH;
    return GAN_OK;
}

/* --- networks ------------------------------------------------------------------------------------- */

static gan_val embedded(gan_nn *nn, const char *name, gan_val label, const struct cgan *o)
{
    return gan_embedding(nn, name, label,
                         (struct gan_embedding){.rows = o->net.task.classes, .dim = o->embed});
}

static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct cgan *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const gan_val both[] = {embedded(nn, "label_emb", in[1], o), in[0]};
    gan_val zy = gan_concat(g, both, 2, 1);
    if (o->kind == NET_CONV) {
        gan__arch_dcgan.gen(nn, &zy, out, options);
        return;
    }
    out[0] = gan_tanh(g, gan__mlp_generator(nn, zy, &o->net.task, o->net.width, 0));
}

/* Image and label -> 4w leaky ReLU -> twice 4w, dropout, leaky ReLU -> score. */
static void mlp_discriminator(gan_nn *nn, gan_val xy, gan_val *out, const struct cgan *o)
{
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {.out = 4 * o->net.width, .bias = true};
    gan_val x = gan_leaky_relu(g, gan_linear(nn, "model.0", xy, l), o->net.slope);
    for (int i = 2; i <= 5; i += 3) {
        x = gan_linear(nn, gan_nn_format(nn, "model.%d", i), x, l);
        x = gan_dropout(nn, gan_nn_format(nn, "model.%d", i + 1), x, o->dropout);
        x = gan_leaky_relu(g, x, o->net.slope);
    }
    l.out = 1;
    out[0] = gan_linear(nn, "model.8", x, l);
    out[1] = x;
}

/* Each number of the label's vector as a map beside the image's channels. */
static gan_val with_maps(gan_graph *g, gan_val image, gan_val e)
{
    int64_t n = gan_dim(g, e, 0), numbers = gan_dim(g, e, 1);
    gan_val maps = gan_broadcast(g, gan_reshape(g, e, GAN_SHAPE(n, 1, 1, numbers)),
                                 GAN_SHAPE(n, gan_dim(g, image, 1), gan_dim(g, image, 2), numbers));
    const gan_val both[] = {image, maps};
    return gan_concat(g, both, 2, 3);
}

static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct cgan *o = options;
    gan_graph *g = gan_nn_graph(nn);
    gan_val e = embedded(nn, "label_embedding", in[1], o);
    if (o->kind == NET_CONV) {
        gan_val x = with_maps(g, in[0], e);
        gan__arch_dcgan.disc(nn, &x, out, options);
        return;
    }
    const gan_val both[] = {gan_flatten(g, in[0]), e};
    mlp_discriminator(nn, gan_concat(g, both, 2, 1), out, o);
}

static void nets(gan_nets *d, const void *options)
{
    const struct cgan *o = options;
    const struct gan_task *t = &o->net.task;
    const bool as_they_are = o->kind == NET_PROJECTION; /* these know labels themselves */
    struct gan_net_desc net = {
        .name = "gen",
        .fn = as_they_are ? gan__arch_dcgan.gen : generator,
        .in = {{.shape = GAN_SHAPE(2, o->net.z)}, {.shape = GAN_SHAPE(2), .index = true}},
        .n_in = 2,
        .init = o->kind != NET_MLP ? gan__arch_dcgan.init : NULL};
    gan_declare(d, &net);
    net.name = "disc";
    net.fn = as_they_are ? gan__arch_dcgan.disc : discriminator;
    net.in[0].shape = GAN_SHAPE(2, t->height, t->width, t->channels);
    gan_declare(d, &net);
}

/* --- the algorithm -------------------------------------------------------------------------------- */

static gan_val apply(gan_step *s, const char *net, gan_val x, gan_val label)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {x, label};
    gan_apply_all(s, net, in, out);
    return out[0];
}

/* For each label one of the other classes, all equally likely: the label 1 .. classes-1 further on. */
static gan_val other_class(gan_step *s, gan_val label, int64_t classes)
{
    gan_graph *g = gan_step_graph(s);
    gan_dtype real = gan_graph_real(g);
    double n = (double)classes;
    gan_val u = gan_scale(g, gan_noise_uniform(s, "other", GAN_SHAPE(1)), n - 1);
    gan_val steps = gan_cast(g, gan_clamp(g, u, 0, n - 1.5), GAN_I32); /* 0 .. classes-2 */
    gan_val to = gan_shift(g, gan_add(g, gan_cast(g, label, real), gan_cast(g, steps, real)), 1);
    gan_val over = gan_cast(g, gan_greater(g, to, gan_const(g, n - 0.5)), real);
    return gan_cast(g, gan_sub(g, to, gan_scale(g, over, n)), GAN_I32);
}

/* D's loss from its scores; in: true images and their labels. Under a wrong label they share the part
 * of the fakes. */
static gan_val loss_disc(gan_step *s, const struct cgan *o, const gan_val *in, gan_val on_real,
                         gan_val on_fake)
{
    gan_graph *g = gan_step_graph(s);
    gan_val loss = gan_loss_disc(o->loss, g, on_real, on_fake);
    if (o->mismatch <= 0) {
        return loss;
    }
    gan_val on_wrong = apply(s, "disc", in[0], other_class(s, in[1], o->net.task.classes));
    gan_report(s, "disc.wrong",
               gan_mean_all(g, o->loss->logits ? gan_sigmoid(g, on_wrong) : on_wrong));
    gan_val wrong = gan_loss_disc(o->loss, g, on_real, on_wrong);
    return gan_add(g, gan_scale(g, loss, 1 - o->mismatch), gan_scale(g, wrong, o->mismatch));
}

/* Fakes of random classes are made once: G learns from them, then D, beside reals with their own. */
static void iteration(gan_step *s, const void *options)
{
    const struct cgan *o = options;
    gan_graph *g = gan_step_graph(s);
    gan_val z = gan_latent(s, "z", o->net.z), y = gan_labels(s, "y");
    gan_val fake = apply(s, "gen", z, y);
    gan_val on_fake = apply(s, "disc", fake, y);
    gan_minimize(s, "gen", gan_loss_gen(o->loss, g, GAN_NONE, on_fake), &o->optim_gen);
    gan_average(s, "gen", &o->ema);

    const gan_val real[] = {gan_batch(s, GAN_FIELD_IMAGE), gan_batch(s, GAN_FIELD_LABEL)};
    gan_val on_real = apply(s, "disc", real[0], real[1]);
    on_fake = apply(s, "disc", gan_stop(g, fake), y);
    bool logits = o->loss->logits;
    gan_report(s, "disc.real", gan_mean_all(g, logits ? gan_sigmoid(g, on_real) : on_real));
    gan_report(s, "disc.fake", gan_mean_all(g, logits ? gan_sigmoid(g, on_fake) : on_fake));
    gan_minimize(s, "disc", loss_disc(s, o, real, on_real, on_fake), &o->optim_disc);
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct cgan *o = options;
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {gan_latent(s, "z", o->net.z), gan_labels(s, "y")};
    gan_apply_average_all(s, "gen", in, out, &o->ema);
    return out[0];
}

static const struct gan_claim claims[] = {
    {"parameters at 32x32x1, 10 classes, G and D", "1 757 412, 1 055 845"},
    {NULL, NULL},
};

GAN_MODEL(cgan) = {
    .name = "cgan",
    .title = "conditional GAN: images of the class that is asked for",
    .paper = "Mirza and Osindero 2014, arXiv:1411.1784 (PyTorch-GAN `cgan`)",
    .help = "Generator and discriminator see the label beside noise and image. Needs data with "
            "classes; gan sample RUN --class K makes one of them, a grid has a column for each. "
            "--net conv puts DCGAN's networks in the place of the perceptrons, --net projection "
            "ties the label to D's features. A discriminator may learn to ignore the label: "
            "--mismatch .25 shows it wrong ones. An average of G's weights (--ema 10000) and rates "
            "that fall (@linear) make cleaner samples.",
    .needs = GAN_FIELD_IMAGE | GAN_FIELD_LABEL,
    .opts = opts,
    .size = sizeof(struct cgan),
    .check = check,
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .claims = claims,
};
