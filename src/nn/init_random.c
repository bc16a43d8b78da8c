/* init_random.c: initialisers that draw every element alone: normal and uniform laws with fixed or
 * fan-dependent width.
 *
 * Fans are counted as PyTorch does (struct gan_param). */
#include "initializer.h"

#include "base/err.h"
#include "base/normal.h"

#include <math.h>

/* A normal takes one word of the stream (four normals a block), a uniform two: elements begin at
 * known places, so that blocks of them are drawn side by side with the numbers of one pass. */
enum { BLOCK = 4096 };

/* The normals of random nodes: the same on every machine, whatever its libm. */
static void fill_normal(const struct gan__init_call *c, double mean, double deviation)
{
    const struct gan__rng start = *c->rng;
    int64_t n = gan_shape_count(&c->out->shape);
    gan__assert(start.index % 4 == 0);
#pragma omp parallel for schedule(static) if (n > BLOCK)
    for (int64_t b = 0; b < n; b += BLOCK) {
        for (int64_t i = b; i < n && i < b + BLOCK; i += 4) {
            uint32_t word[4];
            float z[4];
            gan__stream_block(start.key, 0, (start.index + (uint64_t)i) / 4, word);
            gan__normal4(word, z);
            for (int64_t k = 0; k < 4 && i + k < n; k++) {
                gan_tensor_set(c->out, i + k, mean + deviation * (double)z[k]);
            }
        }
    }
    c->rng->index += ((uint64_t)n + 3) / 4 * 4; /* the next draw begins a block */
}

/* U(-bound, bound) */
static void fill_uniform(const struct gan__init_call *c, double bound)
{
    const struct gan__rng start = *c->rng;
    int64_t n = gan_shape_count(&c->out->shape);
    gan__assert(start.index % 4 == 0);
#pragma omp parallel for schedule(static) if (n > BLOCK)
    for (int64_t b = 0; b < n; b += BLOCK) {
        struct gan__rng r = start;
        r.index += 2 * (uint64_t)b;
        for (int64_t i = b; i < n && i < b + BLOCK; i++) {
            gan_tensor_set(c->out, i, bound * (2 * gan__rng_uniform(&r) - 1));
        }
    }
    c->rng->index += (2 * (uint64_t)n + 3) / 4 * 4; /* the next draw begins a block */
}

static void fill_constant(const struct gan__init_call *c, double value)
{
    int64_t n = gan_shape_count(&c->out->shape);
    for (int64_t i = 0; i < n; i++) {
        gan_tensor_set(c->out, i, value);
    }
}

static gan_status normal(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    fill_normal(c, c->arg[0], c->arg[1]);
    return GAN_OK;
}

GAN_INIT(normal) = {
    .name = "normal",
    .doc = "N(mean, deviation^2): normal:0,.02",
    .args = {{"mean", 0, -1e6, 1e6}, {"deviation", 0.02, 0, 1e6}, {0}},
    .fill = normal,
};

static gan_status uniform(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    fill_uniform(c, c->arg[0]);
    return GAN_OK;
}

GAN_INIT(uniform) = {
    .name = "uniform",
    .doc = "U(-bound, bound): uniform:.05",
    .args = {{"bound", 0.05, 0, 1e6}, {0}},
    .fill = uniform,
};

static gan_status constant(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    fill_constant(c, c->arg[0]);
    return GAN_OK;
}

GAN_INIT(constant) = {
    .name = "constant",
    .doc = "one number: constant:0",
    .args = {{"value", 0, -1e30, 1e30}, {0}},
    .fill = constant,
};

static gan_status xavier(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    double fans = (double)(c->param->fan_in + c->param->fan_out);
    fill_normal(c, 0, c->arg[0] * sqrt(2 / fans));
    return GAN_OK;
}

GAN_INIT(xavier) = {
    .name = "xavier",
    .doc = "N(0, gain^2 2/(fan_in + fan_out)): xavier:1",
    .ref = "Glorot and Bengio 2010, eq. 12",
    .args = {{"gain", 1, 0, 1e6}, {0}},
    .fill = xavier,
};

static gan_status he(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    fill_normal(c, 0, c->arg[0] * sqrt(2 / (double)c->param->fan_in));
    return GAN_OK;
}

GAN_INIT(he) = {
    .name = "he",
    .doc = "N(0, gain^2 2/fan_in), for layers before rectifiers: he:1",
    .ref = "He et al. 2015, arXiv:1502.01852, eq. 10",
    .args = {{"gain", 1, 0, 1e6}, {0}},
    .fill = he,
};

static gan_status torch(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    if (c->param->role == GAN_ROLE_WEIGHT || c->param->role == GAN_ROLE_BIAS) {
        fill_uniform(c, 1 / sqrt((double)c->param->fan_in));
    } else {
        fill_constant(c, c->param->role == GAN_ROLE_SCALE ? 1 : 0);
    }
    return GAN_OK;
}

GAN_INIT(torch) = {
    .name = "torch",
    .doc = "PyTorch's default: weights and biases U(+-1/sqrt(fan_in)), scales 1, offsets 0",
    .scheme = true,
    .fill = torch,
};

static gan_status dcgan(const struct gan__init_call *c, gan_err *err)
{
    (void)err;
    const double deviation = 0.02; /* Radford et al., section 4 */
    if (c->param->role == GAN_ROLE_WEIGHT || c->param->role == GAN_ROLE_SCALE) {
        fill_normal(c, c->param->role == GAN_ROLE_SCALE ? 1 : 0, deviation);
    } else {
        fill_constant(c, 0);
    }
    return GAN_OK;
}

GAN_INIT(dcgan) = {
    .name = "dcgan",
    .doc = "weights N(0,.02^2), scales of batch norm N(1,.02^2), biases 0",
    .ref = "Radford et al. 2015, arXiv:1511.06434, section 4",
    .scheme = true,
    .fill = dcgan,
};
