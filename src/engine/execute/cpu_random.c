/* cpu_random.c: random ops on the CPU: a few hundred numbers at a time, spread over the threads. */
#include "base/philox.h"
#include "engine/graph/attr.h"
#include "engine/kernels/random.h"
#include "kernel.h"

#include <string.h>

enum { CHUNK = 4 * GAN_RANDOM_BLOCKS };

/* Numbers first .. first+CHUNK-1 of sample n, in C,H,W order, to their places in N,H,W,C. */
static void place(const gan_tensor *y, int64_t n, int64_t size, int64_t first, const float *v)
{
    const gan_shape *s = &y->shape;
    const int64_t channels = s->rank == 4 ? s->dim[3] : 1, plane = size / channels;
    const int64_t count = size - first < CHUNK ? size - first : CHUNK;
    float *out = (float *)y->data + n * size;
    if (channels == 1) {
        memcpy(out + first, v, (size_t)count * sizeof *v);
        return;
    }
    int64_t c = first / plane, at = first % plane;
    for (int64_t i = 0; i < count; i++) {
        out[at * channels + c] = v[i];
        if (++at == plane) {
            at = 0;
            c++;
        }
    }
}

static void fill(const struct gan__call *call, gan__random_fn *make)
{
    const struct gan__attr_random *a = call->attr;
    const struct gan__run *r = call->run;
    const gan_tensor *y = &call->out[0];
    const uint64_t key = gan__stream_key(r->seed, r->iteration, r->run, a->stream);
    const uint64_t sample = r->sample + (uint64_t)a->sample;
    const int64_t samples = y->shape.rank > 0 ? y->shape.dim[0] : 1;
    const int64_t size = gan_shape_count(&y->shape) / samples, chunks = (size + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(static)                                                          \
    num_threads(r->threads > 1 ? r->threads : 1) if (samples * size > 4096)
    for (int64_t i = 0; i < samples * chunks; i++) {
        float v[CHUNK];
        const int64_t n = i / chunks, first = i % chunks * CHUNK;
        make(key, sample + (uint64_t)n, (uint64_t)first / 4, v);
        place(y, n, size, first, v);
    }
}

static void run_uniform(const struct gan__call *c)
{
    fill(c, gan__random_lanes()->uniform);
}

static void run_normal(const struct gan__call *c)
{
    fill(c, gan__random_lanes()->normal);
}

GAN_KERNEL(cpu, random_uniform) = {.backend = "cpu", .op = "random_uniform", .run = run_uniform};

GAN_KERNEL(cpu, random_normal) = {.backend = "cpu", .op = "random_normal", .run = run_normal};
