/* model_dcgan.c: deep convolutional GAN.
 *
 * Strided convolutions in D, fractionally-strided ones in G, batch norm everywhere but G's output and
 * D's input, ReLU in G with tanh at the end, leaky ReLU in D. Radford, Metz, Chintala 2015,
 * arXiv:1511.06434; layers, names and the order of the steps follow pytorch/examples. */
#include "gan/model.h"
#include "base/err.h"

#include <stdbool.h>

struct dcgan {
    struct gan_task task;
    int64_t z, width;
    double slope;
    int loss;
    struct gan_optim optim_gen, optim_disc;
};

static const char *const losses[] = {"nonsaturating", "minimax"};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct dcgan, z, "z", "100", 1, 65536, "length of the latent vector"),
    GAN_OPT_I64(struct dcgan, width, "width", "0", 0, 4096,
                "channels next to the image; 0: 64, or 32 at 32 pixels and below"),
    GAN_OPT_F64(struct dcgan, slope, "slope", "0.2", 0, 0.99, "slope of D's leaky ReLU"),
    GAN_OPT_CHOICE(struct dcgan, loss, "loss", "nonsaturating", "nonsaturating|minimax",
                   "objective of the generator"),
    GAN_OPT_PARSED(struct dcgan, optim_gen, "optim-gen", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the generator"),
    GAN_OPT_PARSED(struct dcgan, optim_disc, "optim-disc", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of the discriminator"),
    GAN_OPT_END,
};

enum { SMALLEST = 16, LARGEST = 256 };

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct dcgan *o = options;
    struct gan_task *t = &o->task;
    int64_t side = t->height > t->width ? t->height : t->width, size = SMALLEST;
    while (size < side && size < LARGEST) {
        size *= 2;
    }
    bool takes = t->height == size && t->width == size;
    if (side > LARGEST || (fixed && !takes)) {
        return gan__fail(err, GAN_E_RANGE,
                         "dcgan: the image size is %lldx%lld, allowed are squares of 16, 32, 64, "
                         "128 or 256",
                         (long long)t->height, (long long)t->width);
    }
    t->height = t->width = size;
    t->range = GAN_RANGE_SIGNED;
    if (o->width == 0) {
        o->width = size <= 32 ? 32 : 64;
    }
    return GAN_OK;
}

/* z [N,Z] -> [N,4,4,w*size/8] -> doubling to half the size -> tanh image. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct dcgan *o = options;
    gan_graph *g = gan_nn_graph(nn);
    int64_t channels = o->width * o->task.height / 8;
    gan_val x = gan_unflatten(g, in[0], 1, 1, o->z);
    x = gan_conv_transpose(nn, "main.0", x, (struct gan_conv_layer){.out = channels, .kernel = 4});
    x = gan_relu(g, gan_batch_norm(nn, "main.1", x, (struct gan_norm){0}));
    int layer = 3;
    while (channels > o->width) {
        channels /= 2;
        x = gan_conv_transpose(
            nn, gan_nn_format(nn, "main.%d", layer), x,
            (struct gan_conv_layer){.out = channels, .kernel = 4, .stride = 2, .pad = 1});
        x = gan_batch_norm(nn, gan_nn_format(nn, "main.%d", layer + 1), x, (struct gan_norm){0});
        x = gan_relu(g, x);
        layer += 3;
    }
    x = gan_conv_transpose(
        nn, gan_nn_format(nn, "main.%d", layer), x,
        (struct gan_conv_layer){.out = o->task.channels, .kernel = 4, .stride = 2, .pad = 1});
    out[0] = gan_tanh(g, x);
}

/* Image -> halving to 4x4 -> one logit [N,1]. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct dcgan *o = options;
    gan_graph *g = gan_nn_graph(nn);
    int64_t channels = o->width;
    gan_val x =
        gan_conv(nn, "main.0", in[0],
                 (struct gan_conv_layer){.out = channels, .kernel = 4, .stride = 2, .pad = 1});
    x = gan_leaky_relu(g, x, o->slope);
    int layer = 2;
    while (gan_dim(g, x, 1) > 4) {
        channels *= 2;
        x = gan_conv(nn, gan_nn_format(nn, "main.%d", layer), x,
                     (struct gan_conv_layer){.out = channels, .kernel = 4, .stride = 2, .pad = 1});
        x = gan_batch_norm(nn, gan_nn_format(nn, "main.%d", layer + 1), x, (struct gan_norm){0});
        x = gan_leaky_relu(g, x, o->slope);
        layer += 3;
    }
    x = gan_conv(nn, gan_nn_format(nn, "main.%d", layer), x,
                 (struct gan_conv_layer){.out = 1, .kernel = 4});
    out[0] = gan_flatten(g, x);
}

static void nets(gan_nets *d, const void *options)
{
    const struct dcgan *o = options;
    const struct gan_task *t = &o->task;
    gan_declare(d, &(struct gan_net_desc){.name = "gen",
                                          .fn = generator,
                                          .in = {{.shape = GAN_SHAPE(2, o->z)}},
                                          .n_in = 1,
                                          .init = "dcgan"});
    gan_declare(
        d, &(struct gan_net_desc){.name = "disc",
                                  .fn = discriminator,
                                  .in = {{.shape = GAN_SHAPE(2, t->height, t->width, t->channels)}},
                                  .n_in = 1,
                                  .init = "dcgan"});
}

/* The fake images are made once and serve both steps. Real and fake batches pass D separately: each
 * is normalised by its own statistics. */
static void iteration(gan_step *s, const void *options)
{
    const struct dcgan *o = options;
    gan_graph *g = gan_step_graph(s);
    const struct gan_loss *loss = gan_loss_find(losses[o->loss], NULL);

    gan_val on_real = gan_apply(s, "disc", gan_batch(s, GAN_FIELD_IMAGE));
    gan_val fake = gan_apply(s, "gen", gan_latent(s, "z", o->z));
    gan_val on_fake = gan_apply(s, "disc", gan_stop(g, fake));
    gan_report(s, "disc.real", gan_mean_all(g, gan_sigmoid(g, on_real)));
    gan_report(s, "disc.fake", gan_mean_all(g, gan_sigmoid(g, on_fake)));
    gan_minimize(s, "disc", loss->disc(g, on_real, on_fake, NULL), &o->optim_disc);

    on_fake = gan_apply(s, "disc", fake);
    gan_minimize(s, "gen", loss->gen(g, GAN_NONE, on_fake, NULL), &o->optim_gen);
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct dcgan *o = options;
    return gan_apply(s, "gen", gan_latent(s, "z", o->z));
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
