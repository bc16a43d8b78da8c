/* arch_mlp.c: networks of equally wide layers: for points in the plane, and the perceptrons that
 * test whether a GAN needs convolutions.
 *
 * Gulrajani et al. 2017, arXiv:1704.00028: gan_toy (three layers of 512 ReLU in both networks, He's
 * initial weights) and the paper's perceptron of four; Arjovsky et al. 2017, arXiv:1701.07875: three
 * with PyTorch's weights. */
#include "arch.h"

/* What the networks differ in. */
struct shape {
    int layers;
    const char *hidden, *last; /* initial weights */
};

static const struct shape he3 = {3, "he-uniform:1", "glorot-uniform:1"};
static const struct shape he4 = {4, "he-uniform:1", "glorot-uniform:1"};
static const struct shape torch3 = {3, NULL, NULL};

/* x -> `layers` times linear, norm and ReLU. */
static gan_val hidden_layers(gan_nn *nn, gan_val x, const struct shape *s,
                             const struct gan__norming *norm, int64_t width, bool spectral)
{
    const struct gan_linear l = {
        .out = width, .bias = true, .init = s->hidden, .spectral = spectral};
    for (int i = 0; i < s->layers; i++) {
        x = gan_linear(nn, gan_nn_format(nn, "main.%d", 2 * i), x, l);
        x = gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i + 1), x, norm);
        x = gan_relu(gan_nn_graph(nn), x);
    }
    return x;
}

static int64_t features(const struct gan_task *t)
{
    return t->height * t->width * t->channels;
}

/* z -> hidden layers -> linear to the image. */
static gan_val generator(gan_nn *nn, const gan_val *in, const struct shape *s,
                         const struct gan__arch_opts *o)
{
    const struct gan_task *t = &o->task;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_val x = hidden_layers(nn, in[0], s, &norm, o->width, false);
    x = gan_linear(nn, gan_nn_format(nn, "main.%d", 2 * s->layers), x,
                   (struct gan_linear){.out = features(t), .bias = true, .init = s->last});
    return gan_unflatten(gan_nn_graph(nn), x, t->height, t->width, t->channels);
}

/* Image -> hidden layers -> score. */
static void critic(gan_nn *nn, const gan_val *in, gan_val *out, const struct shape *s,
                   const struct gan__arch_opts *o)
{
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {
        .name = gan_nn_format(nn, "main.%d", 2 * s->layers), .bias = true, .init = s->last};
    gan_val x = gan_flatten(gan_nn_graph(nn), in[0]);
    x = hidden_layers(nn, x, s, &norm, o->width, o->spectral);
    gan__arch_head(nn, x, &head, o, in, out);
}

static void toy_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = generator(nn, in, &he3, options);
}

static void toy_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    critic(nn, in, out, &he3, options);
}

GAN_ARCH(toy) = {
    .name = "toy",
    .doc = "three layers of 512 ReLU in both networks, linear output: points in the plane",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028, section 4.1 (gan_toy)",
    .z = 2,
    .width = 512,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .points = true,
    .fit = gan__arch_fit_any,
    .gen = toy_generator,
    .disc = toy_discriminator,
    .init = "glorot-uniform",
};

static void mlp_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_val x = generator(nn, in, &he4, o);
    out[0] = o->task.points ? x : gan_tanh(gan_nn_graph(nn), x); /* points lie anywhere */
}

static void mlp_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    critic(nn, in, out, &he4, options);
}

GAN_ARCH(mlp512) = {
    .name = "mlp512",
    .doc = "four layers of 512 ReLU in both networks: images of any size",
    .paper = "Gulrajani et al. 2017, arXiv:1704.00028, figure 2",
    .z = 128,
    .width = 512,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .points = true,
    .fit = gan__arch_fit_any,
    .gen = mlp_generator,
    .disc = mlp_discriminator,
    .init = "glorot-uniform",
};

/* No tanh at the end, as the code has it. */
static void wgan_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = generator(nn, in, &torch3, options);
}

static void wgan_critic(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    critic(nn, in, out, &torch3, options);
}

GAN_ARCH(wgan_mlp) = {
    .name = "wgan-mlp",
    .doc = "WGAN's perceptrons, three layers of 512 ReLU, linear output: images of any size",
    .paper = "Arjovsky et al. 2017, arXiv:1701.07875 (--mlp_G --mlp_D of the code)",
    .z = 100,
    .width = 512,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .points = true,
    .fit = gan__arch_fit_any,
    .gen = wgan_generator,
    .disc = wgan_critic,
};
