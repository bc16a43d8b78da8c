/* arch_gan.c: fully connected networks over pixels: the first GAN's, the common perceptron, and those
 * of f-GAN.
 *
 * Goodfellow et al. 2014, arXiv:1406.2661 (maxout and dropout in D); PyTorch-GAN `gan`, whose names
 * parameters have; Nowozin et al. 2016, arXiv:1606.00709. */
#include "arch.h"

static int64_t pixels(const struct gan_task *t)
{
    return t->height * t->width * t->channels;
}

static gan_val image(gan_nn *nn, gan_val flat, const struct gan_task *t)
{
    return gan_unflatten(gan_nn_graph(nn), flat, t->height, t->width, t->channels);
}

static gan_status fit_signed(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    (void)fixed; /* any size will do */
    (void)err;
    o->task.range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

static gan_status fit_unit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    (void)fixed;
    (void)err;
    o->task.range = GAN_RANGE_UNIT;
    return GAN_OK;
}

/* --- the common perceptron ----------------------------------------------------------------------- */

/* z -> w -> 2w -> 4w -> 8w (leaky ReLU .2, a norm from the second on) -> tanh image. */
static void mlp_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {.out = o->width, .bias = true};
    gan_val x = gan_leaky_relu(g, gan_linear(nn, "model.0", in[0], l), 0.2);
    for (int i = 1; i <= 3; i++) {
        l.out = o->width << i;
        x = gan_linear(nn, gan_nn_format(nn, "model.%d", 3 * i - 1), x, l);
        x = gan__arch_norm(nn, gan_nn_format(nn, "model.%d", 3 * i), x, &norm);
        x = gan_leaky_relu(g, x, 0.2);
    }
    l.out = pixels(&o->task);
    x = image(nn, gan_linear(nn, "model.11", x, l), &o->task);
    out[0] = o->task.points ? x : gan_tanh(g, x); /* points lie anywhere, pixels in [-1,1] */
}

/* Image -> 4w leaky ReLU -> 2w leaky ReLU -> score. */
static void mlp_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "model.4", .bias = true};
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {.out = 4 * o->width, .bias = true, .spectral = o->spectral};
    gan_val x = gan_flatten(g, in[0]);
    x = gan_leaky_relu(g, gan_linear(nn, "model.0", x, l), o->slope);
    l.out = 2 * o->width;
    x = gan__arch_norm(nn, "model.3", gan_linear(nn, "model.2", x, l), &norm);
    x = gan_leaky_relu(g, x, o->slope);
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(gan_mlp) = {
    .name = "gan-mlp",
    .doc = "the common perceptrons: batch norm in G, none in D; images of any size, points",
    .paper = "Goodfellow et al. 2014, arXiv:1406.2661 (PyTorch-GAN `gan`)",
    .z = 100,
    .width = 128,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .points = true,
    .fit = fit_signed,
    .gen = mlp_generator,
    .disc = mlp_discriminator,
};

/* --- the paper's networks ------------------------------------------------------------------------ */

/* z -> 5w ReLU twice -> sigmoid pixels; weights U(+-.05). */
static void paper_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {
        .out = 5 * o->width, .bias = true, .init = "uniform:.05", .bias_init = "constant:0"};
    gan_val x = gan_relu(g, gan__arch_norm(nn, "norm0", gan_linear(nn, "h0", in[0], l), &norm));
    x = gan_relu(g, gan__arch_norm(nn, "norm1", gan_linear(nn, "h1", x, l), &norm));
    l.out = pixels(&o->task);
    out[0] = gan_sigmoid(g, image(nn, gan_linear(nn, "y", x, l), &o->task));
}

/* Image -> maxout of w units, 5 pieces, twice -> score; dropout keeps .8 of the inputs and .5 of the
 * units. */
static void paper_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan_maxout layer = {.units = o->width,
                                     .pieces = 5,
                                     .spectral = o->spectral,
                                     .init = "uniform:.005",
                                     .bias_init = "constant:0"};
    const struct gan__head head = {
        .name = "y", .bias = true, .init = "uniform:.005", .bias_init = "constant:0"};
    gan_val x = gan_dropout(nn, "drop_x", gan_flatten(gan_nn_graph(nn), in[0]), 0.2);
    x = gan__arch_norm(nn, "norm0", gan_maxout(nn, "h0", x, layer), &norm);
    x = gan_dropout(nn, "drop_h0", x, 0.5);
    x = gan__arch_norm(nn, "norm1", gan_maxout(nn, "h1", x, layer), &norm);
    gan__arch_head(nn, gan_dropout(nn, "drop_h1", x, 0.5), &head, o, in, out);
}

GAN_ARCH(gan2014) = {
    .name = "gan2014",
    .doc = "the first GAN's MNIST networks: sigmoid pixels, maxout and dropout in D",
    .paper = "Goodfellow et al. 2014, arXiv:1406.2661 (goodfeli/adversarial)",
    .z = 100,
    .width = 240,
    .norm_gen = GAN__NORM_NONE,
    .norm_disc = GAN__NORM_NONE,
    .fit = fit_unit,
    .gen = paper_generator,
    .disc = paper_discriminator,
};

/* --- f-GAN --------------------------------------------------------------------------------------- */

/* z -> 5w twice, norm and ReLU -> sigmoid pixels. */
static void fgan_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {.out = 5 * o->width, .bias = true};
    gan_val x = gan_relu(g, gan__arch_norm(nn, "norm1", gan_linear(nn, "fc1", in[0], l), &norm));
    x = gan_relu(g, gan__arch_norm(nn, "norm2", gan_linear(nn, "fc2", x, l), &norm));
    l.out = pixels(&o->task);
    out[0] = gan_sigmoid(g, image(nn, gan_linear(nn, "output", x, l), &o->task));
}

/* Image -> w ELU twice -> score. */
static void fgan_variational(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "output", .bias = true};
    const struct gan_linear l = {.out = o->width, .bias = true, .spectral = o->spectral};
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_linear(nn, "fc1", gan_flatten(g, in[0]), l);
    x = gan_elu(g, gan__arch_norm(nn, "norm1", x, &norm), 1);
    x = gan_elu(g, gan__arch_norm(nn, "norm2", gan_linear(nn, "fc2", x, l), &norm), 1);
    gan__arch_head(nn, x, &head, o, in, out);
}

GAN_ARCH(fgan_mnist) = {
    .name = "fgan-mnist",
    .doc = "f-GAN's perceptrons: batch norm in G, two layers of 240 ELU in D, pixels in [0,1]",
    .paper = "Nowozin et al. 2016, arXiv:1606.00709, section 3",
    .z = 100,
    .width = 240,
    .norm_gen = GAN__NORM_BATCH,
    .norm_disc = GAN__NORM_NONE,
    .init = "uniform:.05",
    .fit = fit_unit,
    .gen = fgan_generator,
    .disc = fgan_variational,
};
