/* load.h: element access of reference kernels. With a constant dtype the compiler keeps one typed
 * load or store of the switch, so a loop body written once is as fast as one written per type. */
#ifndef GAN_ENGINE_KERNELS_LOAD_H
#define GAN_ENGINE_KERNELS_LOAD_H

#include "call.h"

#define GAN_INLINE static inline __attribute__((always_inline))

/* Element i of a real array as f64. */
GAN_INLINE double gan__load(gan_dtype d, const void *p, int64_t i)
{
    if (d == GAN_F32) {
        return (double)((const float *)p)[i];
    }
    if (d == GAN_F64) {
        return ((const double *)p)[i];
    }
    union {
        const void *in;
        void *out;
    } u = {.in = p};
    const gan_tensor t = {.dtype = d, .data = u.out};
    return gan_tensor_get(&t, i);
}

/* Element i := v, rounded to the array's type. */
GAN_INLINE void gan__store(gan_dtype d, void *p, int64_t i, double v)
{
    if (d == GAN_F32) {
        ((float *)p)[i] = (float)v;
    } else if (d == GAN_F64) {
        ((double *)p)[i] = v;
    } else {
        const gan_tensor t = {.dtype = d, .data = p};
        gan_tensor_set(&t, i, v);
    }
}

/* Threads a kernel may use. */
static inline int gan__call_threads(const struct gan__call *c)
{
    return c->run != NULL && c->run->threads > 0 ? c->run->threads : 1;
}

#endif
