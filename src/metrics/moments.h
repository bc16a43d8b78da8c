/* moments.h: mean and covariance of feature vectors, f64, divisor n - 1. */
#ifndef GAN_METRICS_MOMENTS_H
#define GAN_METRICS_MOMENTS_H

#include <gan/status.h>

#include <stdint.h>

struct gan__moments {
    int64_t n, size;
    double *mean; /* [size] */
    double *cov;  /* [size,size], both triangles */
};

/* Of rows `index` of x [.,size], or of the first n when index is NULL; n >= 2. */
gan_status gan__moments_init(struct gan__moments *m, const float *x, const int64_t *index,
                             int64_t n, int64_t size, gan_err *err);
void gan__moments_release(struct gan__moments *m);

#endif
