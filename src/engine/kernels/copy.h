/* copy.h: copies between strided boxes of elements of any size. */
#ifndef GAN_ENGINE_KERNELS_COPY_H
#define GAN_ENGINE_KERNELS_COPY_H

#include <gan/tensor.h>

/* A box and how it lies in source and destination; strides in elements, 0 in the source repeats. */
struct gan__box {
    int rank;
    int64_t dim[GAN_MAX_RANK], from[GAN_MAX_RANK], to[GAN_MAX_RANK];
};

/* Row-major strides in elements. */
void gan__row_major(const gan_shape *s, int64_t stride[GAN_MAX_RANK]);

/* Copies the box on the current OpenMP threads. src and dst must not overlap. */
void gan__copy_box(const struct gan__box *b, const void *src, void *dst, size_t element_bytes);

#endif
