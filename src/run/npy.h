/* npy.h: arrays in memory, and writing one piece by piece. */
#ifndef GAN_RUN_NPY_H
#define GAN_RUN_NPY_H

#include "base/file.h"

#include <gan/tensor.h>

/* A .npy file in memory, called `path` in messages, as f64 (`wide` is not NULL) or f32; the caller
 * frees it with gan__free. */
gan_status gan__npy_parse(const char *path, const unsigned char *p, size_t n, gan_shape *shape,
                          double **wide, float **data, gan_err *err);

/* Opens PATH and writes the header of an f32 array; the caller puts its bytes and commits. */
gan_status gan__npy_begin(struct gan__writer *w, const char *path, const gan_shape *shape,
                          gan_err *err);

#endif
