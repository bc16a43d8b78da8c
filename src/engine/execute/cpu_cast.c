/* cpu_cast.c: casts of f32 to and from bf16 and i32 whose result is a tensor of its own. */
#include "engine/kernels/lanes.h"
#include "kernel.h"

enum { BLOCK = 16384 }; /* elements of one task */

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 &&
           ((in[0].dtype == GAN_F32 && out[0].dtype == GAN_BF16) ||
            (in[0].dtype == GAN_BF16 && out[0].dtype == GAN_F32));
}

static void run(const struct gan__call *c)
{
    const int64_t n = gan_shape_count(&c->out[0].shape), blocks = (n + BLOCK - 1) / BLOCK;
    const bool narrow = c->out[0].dtype == GAN_BF16;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (int64_t b = 0; b < blocks; b++) {
        int64_t at = b * BLOCK, len = n - at < BLOCK ? n - at : BLOCK;
        if (narrow) {
            gan__lanes()->to_bf16((const float *)c->in[0].data + at,
                                  (uint16_t *)c->out[0].data + at, len);
        } else {
            gan__lanes()->from_bf16((const uint16_t *)c->in[0].data + at,
                                    (float *)c->out[0].data + at, len);
        }
    }
}

GAN_KERNEL(cpu, cast,
           bf16) = {.backend = "cpu", .op = "cast", .rank = 1, .match = match, .run = run};

static bool match_integer(const struct gan__type *in, int n_in, const struct gan__type *out,
                          int n_out, const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 &&
           ((in[0].dtype == GAN_F32 && out[0].dtype == GAN_I32) ||
            (in[0].dtype == GAN_I32 && out[0].dtype == GAN_F32));
}

/* Towards zero; saturates, and NaN gives 0. */
static void to_integer(const float *x, int32_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float v = x[i];
        const bool inside = v >= -2147483648.0f && v < 2147483648.0f;
        const int32_t outside = v > 0.0f ? INT32_MAX : v < 0.0f ? INT32_MIN : 0;
        y[i] = inside ? (int32_t)v : outside;
    }
}

static void run_integer(const struct gan__call *c)
{
    const int64_t n = gan_shape_count(&c->out[0].shape), blocks = (n + BLOCK - 1) / BLOCK;
    const bool integer = c->out[0].dtype == GAN_I32;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t at = b * BLOCK, end = n - at < BLOCK ? n : at + BLOCK;
        if (integer) {
            to_integer((const float *)c->in[0].data + at, (int32_t *)c->out[0].data + at, end - at);
            continue;
        }
        for (int64_t i = at; i < end; i++) {
            ((float *)c->out[0].data)[i] = (float)((const int32_t *)c->in[0].data)[i];
        }
    }
}

GAN_KERNEL(cpu, cast, integer) = {
    .backend = "cpu", .op = "cast", .rank = 1, .match = match_integer, .run = run_integer};
