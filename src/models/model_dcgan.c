/* model_dcgan.c: deep convolutional GAN.
 *
 * The networks of arch_dcgan.c, cross-entropy, Adam. Radford, Metz, Chintala 2015, arXiv:1511.06434;
 * the order of the steps follows pytorch/examples. */
#include "arch.h"
#include "base/err.h"

extern const struct gan_arch gan__arch_dcgan;

struct dcgan {
    struct gan__arch_opts net;
    int loss;
    struct gan_optim optim_gen, optim_disc;
};

static const char *const losses[] = {"nonsaturating", "minimax"};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct dcgan, net.z, "z", "100", 1, 65536, "length of the latent vector"),
    GAN_OPT_I64(struct dcgan, net.width, "width", "0", 0, 4096,
                "channels next to the image; 0: 64, or 32 at 32 pixels and below"),
    GAN_OPT_F64(struct dcgan, net.slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_CHOICE(struct dcgan, loss, "loss", "nonsaturating", "nonsaturating|minimax",
                   "objective of the generator"),
    GAN_OPT_PARSED(struct dcgan, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct dcgan, optim_disc, "optim-disc", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator"),
    GAN_OPT_END,
};

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct dcgan *o = options;
    o->net.arch = &gan__arch_dcgan;
    return gan__arch_fit(&o->net, fixed, err);
}

static void nets(gan_nets *d, const void *options)
{
    const struct dcgan *o = options;
    gan__arch_nets(d, &o->net);
}

/* The fake images are made once and serve both steps. Real and fake batches pass D separately: each
 * is normalised by its own statistics. */
static void iteration(gan_step *s, const void *options)
{
    const struct dcgan *o = options;
    gan_graph *g = gan_step_graph(s);
    const struct gan_loss *loss = gan_loss_find(losses[o->loss], NULL);

    gan_val on_real = gan_apply(s, "disc", gan_batch(s, GAN_FIELD_IMAGE));
    gan_val fake = gan_apply(s, "gen", gan_latent(s, "z", o->net.z));
    gan_val on_fake = gan_apply(s, "disc", gan_stop(g, fake));
    gan_report(s, "disc.real", gan_mean_all(g, gan_sigmoid(g, on_real)));
    gan_report(s, "disc.fake", gan_mean_all(g, gan_sigmoid(g, on_fake)));
    gan_minimize(s, "disc", gan_loss_disc(loss, g, on_real, on_fake), &o->optim_disc);

    on_fake = gan_apply(s, "disc", fake);
    gan_minimize(s, "gen", gan_loss_gen(loss, g, GAN_NONE, on_fake), &o->optim_gen);
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct dcgan *o = options;
    return gan_apply(s, "gen", gan_latent(s, "z", o->net.z));
}

static const struct gan_claim claims[] = {
    {"parameters of the generator, 64x64x3, width 64", "3 576 704"},
    {"parameters of the discriminator, 64x64x3, width 64", "2 765 568"},
    {NULL, NULL},
};

GAN_MODEL(dcgan) = {
    .name = "dcgan",
    .title = "deep convolutional GAN: images of 16 to 256 pixels",
    .paper = "Radford, Metz, Chintala 2015, arXiv:1511.06434",
    .help = "The first convolutional GAN that trained reliably, and still the one to start with: "
            "convolutions without pooling, batch norm, ReLU and leaky ReLU. Sampling uses the "
            "running statistics of batch norm; --bn batch uses those of the batch. If loss.disc "
            "falls to 0 the discriminator has won: lower its learning rate.",
    .needs = GAN_FIELD_IMAGE,
    .opts = opts,
    .size = sizeof(struct dcgan),
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .claims = claims,
};
