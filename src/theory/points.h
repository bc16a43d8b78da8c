/* points.h: the points in the plane that the toy figures of Gulrajani et al. 2017 are about. */
#ifndef GAN_THEORY_POINTS_H
#define GAN_THEORY_POINTS_H

#include "base/philox.h"

#include <stddef.h>

enum gan__plane { GAN__EIGHT, GAN__GRID, GAN__ROLL, GAN__PLANES };

/* n points [n,2]: eight Gaussians on a circle, 25 on a grid, a Swiss roll. */
void gan__plane_points(enum gan__plane kind, struct gan__rng *rng, size_t n, float *x);

/* "8 Gaussians". */
const char *gan__plane_name(enum gan__plane kind);

#endif
