/* init_uniform.c: uniform laws of a fan-dependent deviation, on +-sqrt(3) times it.
 *
 * A convolution of stride s meets each output s^2 times less often than each input: Gulrajani's code
 * divides the fan of the wide side by s^2, which is fan_in + fan_out/s^2 in this library's counting
 * for convolutions and their transposes alike. Ref: Glorot and Bengio 2010, eq. 16; He et al. 2015,
 * arXiv:1502.01852; helpers of Gulrajani et al. 2017 (igul222/improved_wgan_training). */
#include "initializer.h"

#include <math.h>

static void fill(const struct gan__init_call *c, double deviation)
{
    int64_t n = gan_shape_count(&c->out->shape);
    for (int64_t i = 0; i < n; i++) {
        gan_tensor_set(c->out, i, sqrt(3.0) * deviation * (2 * gan__rng_uniform(c->rng) - 1));
    }
}

static gan_status glorot(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    double stride = c->arg[1];
    double fans = (double)c->param->fan_in + (double)c->param->fan_out / (stride * stride);
    fill(c, c->arg[0] * sqrt(2 / fans));
    return GAN_OK;
}

GAN_INIT(glorot_uniform) = {
    .name = "glorot-uniform",
    .doc = "uniform of variance gain^2 2/(fan_in + fan_out/stride^2): glorot-uniform:1,1",
    .ref = "Glorot and Bengio 2010, eq. 16",
    .args = {{"gain", 1, 0, 1e6}, {"stride", 1, 1, 64}, {0}},
    .fill = glorot,
};

static gan_status he(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    fill(c, c->arg[0] * sqrt(2 / (double)c->param->fan_in));
    return GAN_OK;
}

GAN_INIT(he_uniform) = {
    .name = "he-uniform",
    .doc = "uniform of variance gain^2 2/fan_in: he-uniform:1",
    .ref = "He et al. 2015, arXiv:1502.01852, eq. 10",
    .args = {{"gain", 1, 0, 1e6}, {0}},
    .fill = he,
};
