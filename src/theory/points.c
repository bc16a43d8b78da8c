/* points.c: 8 Gaussians (radius 2, deviation .02), 25 Gaussians (spacing 2, deviation .05), both
 * divided by sqrt 2 and 2 sqrt 2, and the Swiss roll (noise .25, divided by 7.5): gan_toy of Gulrajani
 * et al. 2017, arXiv:1704.00028. */
#include "points.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

const char *gan__plane_name(enum gan__plane kind)
{
    static const char *const names[GAN__PLANES] = {"8 Gaussians", "25 Gaussians", "Swiss roll"};
    return names[kind];
}

void gan__plane_points(enum gan__plane kind, struct gan__rng *rng, size_t n, float *x)
{
    for (size_t i = 0; i < n; i++) {
        double a = 0, b = 0, noise = 0, scale = 1;
        if (kind == GAN__EIGHT) {
            const double angle = 2 * pi * (double)gan__rng_below(rng, 8) / 8;
            a = 2 * cos(angle);
            b = 2 * sin(angle);
            noise = 0.02;
            scale = 1.414;
        } else if (kind == GAN__GRID) {
            const uint64_t cell = gan__rng_below(rng, 25);
            a = 2 * ((double)(cell % 5) - 2);
            b = 2 * ((double)(cell / 5) - 2);
            noise = 0.05;
            scale = 2.828;
        } else {
            const double t = 1.5 * pi * (1 + 2 * gan__rng_uniform(rng));
            a = t * cos(t);
            b = t * sin(t);
            noise = 0.25;
            scale = 7.5;
        }
        x[2 * i] = (float)((a + noise * gan__rng_normal(rng)) / scale);
        x[2 * i + 1] = (float)((b + noise * gan__rng_normal(rng)) / scale);
    }
}
