/* npz.h: NumPy's archives: a zip file whose members are .npy files, stored or deflated. */
#ifndef GAN_RUN_NPZ_H
#define GAN_RUN_NPZ_H

#include "base/file.h"

#include <gan/tensor.h>

struct gan__npz {
    const char *path; /* borrowed */
    struct gan__map map;
    size_t directory; /* offset of the central directory */
    int members;
};

gan_status gan__npz_open(struct gan__npz *z, const char *path, gan_err *err);
void gan__npz_close(struct gan__npz *z);

/* Name of member i without ".npy"; false past the end. */
bool gan__npz_name(const struct gan__npz *z, int i, char *dst, size_t cap);

/* Array `name` as f64 (`wide` is not NULL) or f32; gan__free.
 * errors: GAN_E_NOTFOUND (no such member), GAN_E_FORMAT, GAN_E_UNSUPPORTED (deflated, without zlib) */
gan_status gan__npz_array(const struct gan__npz *z, const char *name, gan_shape *shape,
                          double **wide, float **data, gan_err *err);

#endif
