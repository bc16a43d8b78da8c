/* arch_mlp.c: networks of equally wide layers: for points in the plane, and the perceptron that
 * tests whether a GAN needs convolutions.
 *
 * Gulrajani et al. 2017, arXiv:1704.00028: gan_toy (three layers of 512 ReLU in both networks, He's
 * initial weights) and the third row of the robustness table (four). */
#include "arch.h"

static const struct gan_linear hidden = {.bias = true, .init = "he-uniform:1"};

/* x -> `layers` times linear and ReLU -> linear to `out` features. */
static gan_val perceptron(gan_nn *nn, gan_val x, int layers, int64_t out,
                          const struct gan__arch_opts *o, bool spectral)
{
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = hidden;
    l.out = o->width;
    l.spectral = spectral;
    for (int i = 0; i < layers; i++) {
        x = gan_relu(g, gan_linear(nn, gan_nn_format(nn, "main.%d", 2 * i), x, l));
    }
    l.out = out;
    l.init = "glorot-uniform:1";
    return gan_linear(nn, gan_nn_format(nn, "main.%d", 2 * layers), x, l);
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

static gan_val image(gan_nn *nn, gan_val flat, const struct gan_task *t)
{
    return gan_unflatten(gan_nn_graph(nn), flat, t->height, t->width, t->channels);
}

static void toy_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    out[0] = image(nn, perceptron(nn, in[0], 3, features(&o->task), o, false), &o->task);
}

static void toy_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    out[0] = perceptron(nn, gan_flatten(gan_nn_graph(nn), in[0]), 3, 1, o, o->spectral);
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
    gan_val flat = perceptron(nn, in[0], 4, features(&o->task), o, false);
    gan_val x = image(nn, flat, &o->task);
    out[0] = o->task.points ? x : gan_tanh(gan_nn_graph(nn), x); /* points lie anywhere */
}

static void mlp_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    out[0] = perceptron(nn, gan_flatten(gan_nn_graph(nn), in[0]), 4, 1, o, o->spectral);
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
