/* latent.c: paths through the space of latents. Vectors are f32, all sums f64. */
#include <gan/latent.h>

#include "base/philox.h"
#include "base/str.h"

#include <math.h>

static double dot(const float *a, const float *b, int64_t z)
{
    double sum = 0;
    for (int64_t i = 0; i < z; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

/* a sin((1-t) w)/sin w + b sin(t w)/sin w with w the angle of a and b. */
void gan_latent_between(gan_between how, const float *a, const float *b, int64_t z, double t,
                        float *dst)
{
    const double least_sine = 1e-6;
    double share_a = 1 - t, share_b = t;
    double lengths = sqrt(dot(a, a, z) * dot(b, b, z));
    if (how == GAN_BETWEEN_SLERP && lengths > 0) {
        double cosine = dot(a, b, z) / lengths;
        double w = acos(fmax(-1, fmin(1, cosine)));
        if (sin(w) > least_sine) {
            share_a = sin((1 - t) * w) / sin(w);
            share_b = sin(t * w) / sin(w);
        }
    }
    for (int64_t i = 0; i < z; i++) {
        dst[i] = (float)(share_a * (double)a[i] + share_b * (double)b[i]);
    }
}

void gan_latent_walk(const float *keys, int64_t n, int64_t z, double t, bool length, float *dst)
{
    const double cube = 1.7320508075688772; /* sqrt 3 */
    double at = (t - floor(t)) * (double)n;
    int64_t k = (int64_t)at < n ? (int64_t)at : n - 1;
    double u = at - (double)k, u2 = u * u, u3 = u2 * u;
    const float *p0 = keys + (k + n - 1) % n * z, *p1 = keys + k * z;
    const float *p2 = keys + (k + 1) % n * z, *p3 = keys + (k + 2) % n * z;
    const double c[4] = {(-u3 + 2 * u2 - u) / 2, (3 * u3 - 5 * u2 + 2) / 2,
                         (-3 * u3 + 4 * u2 + u) / 2, (u3 - u2) / 2};
    for (int64_t i = 0; i < z; i++) {
        double v = c[0] * (double)p0[i] + c[1] * (double)p1[i] + c[2] * (double)p2[i] +
                   c[3] * (double)p3[i];
        dst[i] = (float)(length ? v : fmax(-cube, fmin(cube, v)));
    }
    double have = sqrt(dot(dst, dst, z));
    double want = (1 - u) * sqrt(dot(p1, p1, z)) + u * sqrt(dot(p2, p2, z));
    for (int64_t i = 0; length && have > 0 && i < z; i++) {
        dst[i] = (float)((double)dst[i] * want / have);
    }
}

void gan_latent_neighbours(const float *z0, int64_t z, double amount, uint64_t seed, int64_t n,
                           float *dst)
{
    uint64_t key = gan__stream_key(seed, 0, 0, gan__hash_text("neighbour"));
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < z; k++) {
            uint32_t word[4];
            gan__stream_block(key, (uint64_t)i, (uint64_t)(k / 4), word);
            double u = 2 * (double)gan__u01(word[k % 4]) - 1;
            dst[i * z + k] = (float)((double)z0[k] + amount * u);
        }
    }
}
