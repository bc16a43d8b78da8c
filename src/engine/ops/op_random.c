/* op_random.c: uniform and normal random numbers of counter-based streams.
 *
 * Key: (seed, iteration, run, name of the stream). Counter: (global sample index, block of four
 * elements of the sample, counted in C,H,W order). So a sample's numbers do not depend on batch
 * size, layout, threads or kernels. Normals come in pairs (Box, Muller 1958) from the words of a
 * block, in f32 arithmetic that is the same everywhere (normal.h).
 *
 * Ref: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". */
#include "base/philox.h"
#include "engine/graph/attr.h"
#include "engine/graph/op.h"
#include "engine/kernels/load.h"
#include "base/normal.h"

extern GAN_OP(random_normal);
extern GAN_OP(random_uniform);

static gan_val add_random(gan_graph *g, const struct gan__op *op, const char *name, gan_shape shape)
{
    const struct gan__attr_random a = {
        .stream = gan__stream_name(g, name), .shape = shape, .dtype = gan_graph_real(g)};
    return gan__add_node(g, op, NULL, 0, &a);
}

gan_val gan_random_normal(gan_graph *g, const char *name, gan_shape shape)
{
    return add_random(g, &gan__op_random_normal, name, shape);
}

gan_val gan_random_uniform(gan_graph *g, const char *name, gan_shape shape)
{
    return add_random(g, &gan__op_random_uniform, name, shape);
}

static bool infer_random(struct gan__infer *c)
{
    const struct gan__attr_random *a = c->attr;
    if (!gan_dtype_is_real((gan_dtype)a->dtype)) {
        return gan__infer_fail(c, GAN_E_DTYPE, "needs a real type, not %s",
                               gan_dtype_name((gan_dtype)a->dtype));
    }
    if (a->shape.rank < 0 || gan_shape_count(&a->shape) < 1) {
        char s[96];
        return gan__infer_fail(c, GAN_E_SHAPE, "bad shape %s",
                               gan_shape_text(&a->shape, s, sizeof s));
    }
    c->out[0] = (struct gan__type){(gan_dtype)a->dtype, a->shape};
    return true;
}

static void uniform4(const uint32_t word[4], float out[4])
{
    for (int i = 0; i < 4; i++) {
        out[i] = gan__u01(word[i]);
    }
}

/* One sample: elements e = 4b .. 4b+3 in C,H,W order, stored where N,H,W,C puts them. */
static void fill_sample(const struct gan__call *c, uint64_t key, int64_t n,
                        void (*four)(const uint32_t word[4], float out[4]))
{
    const struct gan__attr_random *a = c->attr;
    const gan_tensor *y = &c->out[0];
    const gan_shape *s = &y->shape;
    const int64_t channels = s->rank == 4 ? s->dim[3] : 1;
    const int64_t size = gan_shape_count(s) / (s->rank > 0 ? s->dim[0] : 1);
    const int64_t plane = size / channels;
    const uint64_t sample = c->run->sample + (uint64_t)a->sample + (uint64_t)n;
    for (int64_t e = 0; e < size; e += 4) {
        uint32_t word[4];
        float v[4];
        gan__stream_block(key, sample, (uint64_t)e / 4, word);
        four(word, v);
        for (int64_t i = e; i < e + 4 && i < size; i++) {
            gan__store(y->dtype, y->data, n * size + i % plane * channels + i / plane,
                       (double)v[i - e]);
        }
    }
}

static void fill(const struct gan__call *c, void (*four)(const uint32_t word[4], float out[4]))
{
    const struct gan__attr_random *a = c->attr;
    const uint64_t key = gan__stream_key(c->run->seed, c->run->iteration, c->run->run, a->stream);
    const int64_t samples = c->out[0].shape.rank > 0 ? c->out[0].shape.dim[0] : 1;
#pragma omp parallel for schedule(static) num_threads(gan__call_threads(c))
    for (int64_t n = 0; n < samples; n++) {
        fill_sample(c, key, n, four);
    }
}

static void ref_uniform(const struct gan__call *c)
{
    fill(c, uniform4);
}

static void ref_normal(const struct gan__call *c)
{
    fill(c, gan__normal4);
}

/* No cases: there is nothing to differentiate, and numbers are held to their laws and, on each
 * backend, to these bits by a test of their own. */
GAN_OP(random_normal) = {
    .name = "random_normal",
    .doc = "N(0,1) from a named stream",
    .n_in = 0,
    .n_out = 1,
    .flags = GAN_OP_RANDOM | GAN_OP_ZERO_GRAD,
    .attr_size = sizeof(struct gan__attr_random),
    .infer = infer_random,
    .ref = ref_normal,
};

GAN_OP(random_uniform) = {
    .name = "random_uniform",
    .doc = "uniform in (0,1) from a named stream",
    .n_in = 0,
    .n_out = 1,
    .flags = GAN_OP_RANDOM | GAN_OP_ZERO_GRAD,
    .attr_size = sizeof(struct gan__attr_random),
    .infer = infer_random,
    .ref = ref_uniform,
};
