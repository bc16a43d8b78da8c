/* npy.h: writing an array piece by piece. */
#ifndef GAN_RUN_NPY_H
#define GAN_RUN_NPY_H

#include "base/file.h"

#include <gan/tensor.h>

/* Opens PATH and writes the header of an f32 array; the caller puts its bytes and commits. */
gan_status gan__npy_begin(struct gan__writer *w, const char *path, const gan_shape *shape,
                          gan_err *err);

#endif
