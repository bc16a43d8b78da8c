/* hashed.c: the numbers of tools/golden/common.py. FNV-1a of the name and the index are mixed by
 * multiplications and shifts in 32 bits, so that Python and C agree to the last bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "base/str.h"
#include "hashed.h"
#include "trace.h"

enum { FEW = 48 };

static uint32_t seed_of(const char *name)
{
    uint32_t seed = 0x811C9DC5u;
    for (; *name; name++) {
        seed = (seed ^ (unsigned char)*name) * 0x01000193u;
    }
    return seed;
}

static double mixed(uint32_t seed, uint64_t i)
{
    uint32_t h = (uint32_t)(i + 1) * 0x9E3779B1u + seed;
    h ^= h >> 15;
    h *= 0x2C1B3C6Du;
    h ^= h >> 12;
    h *= 0x297A2D39u;
    h ^= h >> 15;
    return (double)h / 2147483648.0 - 1;
}

double hashed(const char *name, uint64_t i)
{
    return mixed(seed_of(name), i);
}

double *hashed_numbers(const char *name, size_t n)
{
    uint32_t seed = seed_of(name);
    double *v = calloc(n, sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++) {
        v[i] = mixed(seed, i);
    }
    return v;
}

void hashed_fill(gan_store *store, const gan_net *net)
{
    for (int k = 0; k < gan_net_count(net); k++) {
        const struct gan_param *p = gan_net_param(net, k);
        const gan_tensor *t = &gan_store_at(store, gan_store_find(store, p->name))->value;
        double rest = p->shape.rank > 0 ? (double)(p->count / p->shape.dim[0]) : 1;
        bool near_one = p->role == GAN_ROLE_SCALE || p->role == GAN_ROLE_VAR;
        for (int64_t i = 0; i < p->count; i++) {
            double u = hashed(p->name, (uint64_t)i);
            gan_tensor_set(t, i,
                           p->role != GAN_ROLE_SCALE && p->shape.rank > 1 ? u * 2 / sqrt(rest)
                           : near_one                                     ? 1 + 0.5 * u
                                                                          : 0.2 * u);
        }
    }
}

static void near(const char *name, int64_t i, double got, double want, double allowed)
{
    if (!(fabs(got - want) <= allowed)) {
        fail_msg("%s: number %lld is %.17g, PyTorch has %.17g", name, (long long)i, got, want);
    }
}

void hashed_compare(const gan_checkpoint *f, const char *name, const gan_tensor *got, double tol)
{
    char all[160];
    double sum = 0, size = 0;
    int64_t count = gan_shape_count(&got->shape), stride = (count + FEW - 1) / FEW;
    gan_tensor want = trace_tensor(f, name);
    assert_int_equal(gan_shape_count(&want.shape), (count + stride - 1) / stride);
    for (int64_t i = 0; i < count; i++) {
        double v = gan_tensor_get(got, i), term = v * hashed("projection", (uint64_t)i);
        sum += term;
        size += fabs(term);
        if (i % stride == 0) {
            double kept = gan_tensor_get(&want, i / stride);
            near(name, i, v, kept, tol * (1 + fabs(kept)));
        }
    }
    assert_true(gan__format(all, sizeof all, "%s/all", name));
    gan_tensor projection = trace_tensor(f, all);
    near(all, 0, sum, gan_tensor_get(&projection, 0), tol * (1 + size));
}
