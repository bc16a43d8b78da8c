/* arch_mlp.c: networks of equally wide layers: for points in the plane, and the perceptron that
 * tests whether a GAN needs convolutions.
 *
 * Gulrajani et al. 2017, arXiv:1704.00028: gan_toy (three layers of 512 ReLU in both networks, He's
 * initial weights) and the third row of the robustness table (four). */
#include "arch.h"

static const struct gan_linear hidden = {.bias = true, .init = "he-uniform:1"};

/* x -> `layers` times linear, norm and ReLU. */
static gan_val hidden_layers(gan_nn *nn, gan_val x, int layers, const struct gan__norming *norm,
                             int64_t width, bool spectral)
{
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = hidden;
    l.out = width;
    l.spectral = spectral;
    for (int i = 0; i < layers; i++) {
        x = gan_linear(nn, gan_nn_format(nn, "main.%d", 2 * i), x, l);
        x = gan_relu(g, gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i + 1), x, norm));
    }
    return x;
}

static int64_t features(const struct gan_task *t)
{
    return t->height * t->width * t->channels;
}

static gan_status fit_any(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    (void)fixed; /* any size will do */
    (void)err;
    o->task.range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

/* z -> hidden layers -> linear to the image. */
static gan_val generator(gan_nn *nn, const gan_val *in, int layers, const struct gan__arch_opts *o)
{
    const struct gan_task *t = &o->task;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_val x = hidden_layers(nn, in[0], layers, &norm, o->width, false);
    x = gan_linear(
        nn, gan_nn_format(nn, "main.%d", 2 * layers), x,
        (struct gan_linear){.out = features(t), .bias = true, .init = "glorot-uniform:1"});
    return gan_unflatten(gan_nn_graph(nn), x, t->height, t->width, t->channels);
}

/* Image -> hidden layers -> score. */
static void critic(gan_nn *nn, const gan_val *in, gan_val *out, int layers,
                   const struct gan__arch_opts *o)
{
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {
        .name = gan_nn_format(nn, "main.%d", 2 * layers), .bias = true, .init = "glorot-uniform:1"};
    gan_val x = gan_flatten(gan_nn_graph(nn), in[0]);
    x = hidden_layers(nn, x, layers, &norm, o->width, o->spectral);
    gan__arch_head(nn, x, &head, o, in, out);
}

static void toy_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = generator(nn, in, 3, options);
}

static void toy_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    critic(nn, in, out, 3, options);
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
    .fit = fit_any,
    .gen = toy_generator,
    .disc = toy_discriminator,
    .init = "glorot-uniform",
};

static void mlp_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_val x = generator(nn, in, 4, o);
    out[0] = o->task.points ? x : gan_tanh(gan_nn_graph(nn), x); /* points lie anywhere */
}

static void mlp_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    critic(nn, in, out, 4, options);
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
    .fit = fit_any,
    .gen = mlp_generator,
    .disc = mlp_discriminator,
    .init = "glorot-uniform",
};
