/* arch_robust.c: six of the seven architectures of WGAN-GP's robustness table (the seventh is in
 * arch_robust_resnet.c): DCGAN with kernels of 5 and five ways to make it hard to train.
 *
 * Gulrajani et al. 2017, arXiv:1704.00028, figure 2; gan_64x64 of the code. Images of 64 pixels have
 * four stages as published, of 32 three; the width next to the image is 64. */
#include "arch.h"

#define DCGAN_INIT "uniform:.034641016151377546" /* deviation .02 */
#define LINEAR_INIT "glorot-uniform:1"

enum { SMALLEST = 32, LARGEST = 64, SEED = 4, MLP_LAYERS = 4, MLP_WIDTH = 8 };

/* A layer's output -> its activation. */
enum act { ACT_RECTIFY, ACT_TANH, ACT_GATE };

static gan_status fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    return gan__arch_fit_doubling(o, SMALLEST, LARGEST, fixed, err);
}

/* sigma(a) tanh(b) of even channels a and odd channels b. */
static gan_val gate(gan_graph *g, gan_val x)
{
    gan_shape s = gan_shape_get(g, x);
    gan_val pairs = gan_reshape(g, x, GAN_SHAPE(s.dim[0], s.dim[1], s.dim[2], s.dim[3] / 2, 2));
    gan_shape half = GAN_SHAPE(s.dim[0], s.dim[1], s.dim[2], s.dim[3] / 2);
    gan_val a = gan_reshape(g, gan_slice_axis(g, pairs, 4, 0, 1), half);
    gan_val b = gan_reshape(g, gan_slice_axis(g, pairs, 4, 1, 1), half);
    return gan_mul(g, gan_sigmoid(g, a), gan_tanh(g, b));
}

static gan_val activate(gan_graph *g, gan_val x, enum act act, double slope)
{
    return act == ACT_GATE   ? gate(g, x)
           : act == ACT_TANH ? gan_tanh(g, x)
                             : gan_leaky_relu(g, x, slope);
}

/* z -> 4x4 -> doublings, each with norm and activation -> tanh image. Channels fall from
 * w*size/8 to w, or stay at w. */
static gan_val dcgan_generator(gan_nn *nn, const gan_val *in, const struct gan__arch_opts *o,
                               enum act act, bool constant)
{
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    int64_t parts = act == ACT_GATE ? 2 : 1;
    int64_t channels = constant ? o->width : o->width * o->task.height / 8;
    struct gan_linear l = {.out = SEED * SEED * channels * parts, .bias = true, .init = DCGAN_INIT};
    gan_val x = gan_unflatten(g, gan_linear(nn, "input", in[0], l), SEED, SEED, channels * parts);
    x = activate(g, gan__arch_norm(nn, "norm1", x, &norm), act, 0);
    for (int i = 2; 2 * gan_dim(g, x, 1) < o->task.height; i++) {
        channels = constant ? channels : channels / 2;
        x = gan__arch_double5(nn, gan_nn_format(nn, "deconv%d", i), x, channels * parts,
                              DCGAN_INIT);
        x = gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i), x, &norm);
        x = activate(g, x, act, 0);
    }
    return gan_tanh(g, gan__arch_double5(nn, "output", x, o->task.channels, DCGAN_INIT));
}

/* Image -> halvings to 4x4 at w, 2w, .., each with norm (not the first) and activation -> score. */
static void dcgan_discriminator(gan_nn *nn, const gan_val *in, gan_val *out,
                                const struct gan__arch_opts *o, enum act act)
{
    const struct gan__norming norm = gan__arch_norm_disc(o);
    const struct gan__head head = {.name = "output", .bias = true, .init = DCGAN_INIT};
    gan_graph *g = gan_nn_graph(nn);
    int64_t channels = o->width * (act == ACT_GATE ? 2 : 1);
    gan_val x = in[0];
    for (int i = 1; gan_dim(g, x, 1) > SEED; i++, channels *= 2) {
        x = gan__arch_halve5(nn, gan_nn_format(nn, "conv%d", i), x, channels, DCGAN_INIT,
                             o->spectral);
        if (i > 1) {
            x = gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i), x, &norm);
        }
        x = activate(g, x, act, o->slope);
    }
    gan__arch_head(nn, x, &head, o, in, out);
}

/* --- rows 1 and 4: the baseline, with and without norms -------------------------------------------- */

static void baseline_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = dcgan_generator(nn, in, options, ACT_RECTIFY, false);
}

static void baseline_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    dcgan_discriminator(nn, in, out, options, ACT_RECTIFY);
}

#define ROBUST(TITLE, NORM_GEN, NORM_DISC, GEN, DISC)                                              \
    .doc = TITLE, .paper = "Gulrajani et al. 2017, arXiv:1704.00028, figure 2", .z = 128,          \
    .width = 64, .norm_gen = (NORM_GEN), .norm_disc = (NORM_DISC), .fit = fit, .gen = (GEN),       \
    .disc = (DISC), .init = "glorot-uniform"

GAN_ARCH(robust_baseline) = {
    .name = "robust-baseline",
    ROBUST("robustness table, row 1: DCGAN with kernels of 5, 32 or 64 pixels", GAN__NORM_BATCH,
           GAN__NORM_BATCH, baseline_generator, baseline_discriminator),
};

GAN_ARCH(robust_nonorm) = {
    .name = "robust-nonorm",
    ROBUST("robustness table, row 4: no normalisation in either network", GAN__NORM_NONE,
           GAN__NORM_NONE, baseline_generator, baseline_discriminator),
};

/* --- row 2 ------------------------------------------------------------------------------------------ */

static void constant_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = dcgan_generator(nn, in, options, ACT_RECTIFY, true);
}

GAN_ARCH(robust_constant) = {
    .name = "robust-constant",
    ROBUST("robustness table, row 2: G without norm, as many filters in each layer", GAN__NORM_NONE,
           GAN__NORM_BATCH, constant_generator, baseline_discriminator),
};

/* --- row 3 ------------------------------------------------------------------------------------------ */

/* z -> four layers of 8w ReLU -> tanh image. */
static void mlp_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan_task *t = &o->task;
    const struct gan__norming norm = gan__arch_norm_gen(o, in);
    gan_graph *g = gan_nn_graph(nn);
    struct gan_linear l = {.out = MLP_WIDTH * o->width, .bias = true, .init = "he-uniform:1"};
    gan_val x = in[0];
    for (int i = 1; i <= MLP_LAYERS; i++) {
        x = gan_linear(nn, gan_nn_format(nn, "fc%d", i), x, l);
        x = gan_relu(g, gan__arch_norm(nn, gan_nn_format(nn, "norm%d", i), x, &norm));
    }
    l = (struct gan_linear){
        .out = t->height * t->width * t->channels, .bias = true, .init = LINEAR_INIT};
    x = gan_unflatten(g, gan_linear(nn, "output", x, l), t->height, t->width, t->channels);
    out[0] = gan_tanh(g, x);
}

GAN_ARCH(robust_mlp) = {
    .name = "robust-mlp",
    ROBUST("robustness table, row 3: G is a perceptron of four layers of 512", GAN__NORM_NONE,
           GAN__NORM_BATCH, mlp_generator, baseline_discriminator),
};

/* --- rows 5 and 6 ------------------------------------------------------------------------------------- */

static void gated_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = dcgan_generator(nn, in, options, ACT_GATE, false);
}

static void gated_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    dcgan_discriminator(nn, in, out, options, ACT_GATE);
}

GAN_ARCH(robust_gated) = {
    .name = "robust-gated",
    ROBUST("robustness table, row 5: gated multiplicative nonlinearities everywhere",
           GAN__NORM_BATCH, GAN__NORM_BATCH, gated_generator, gated_discriminator),
};

static void tanh_generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    out[0] = dcgan_generator(nn, in, options, ACT_TANH, false);
}

static void tanh_discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    dcgan_discriminator(nn, in, out, options, ACT_TANH);
}

GAN_ARCH(robust_tanh) = {
    .name = "robust-tanh",
    ROBUST("robustness table, row 6: tanh in place of every other nonlinearity", GAN__NORM_BATCH,
           GAN__NORM_BATCH, tanh_generator, tanh_discriminator),
};
