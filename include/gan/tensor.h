/* tensor.h: element types, shapes and views of dense arrays.
 *
 * Tensors are dense and row-major (last axis fastest). Images are N,H,W,C. */
#ifndef GAN_TENSOR_H
#define GAN_TENSOR_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Element types. Booleans are bytes 0 or 1; bf16 is the upper half of an f32. */
typedef enum gan_dtype { GAN_F32, GAN_F64, GAN_BF16, GAN_I32, GAN_I64, GAN_U8, GAN_BOOL } gan_dtype;

#define GAN_MAX_RANK 8

/** Extents of a tensor; a scalar has rank 0. Unused entries are 0, so shapes compare bytewise. */
typedef struct gan_shape {
    int64_t rank;
    int64_t dim[GAN_MAX_RANK];
} gan_shape;

/** A view of memory somebody else owns. */
typedef struct gan_tensor {
    gan_dtype dtype;
    gan_shape shape;
    void *data;
} gan_tensor;

/** Shape from a list: GAN_SHAPE(n, h, w, c). */
#define GAN_SHAPE(...)                                                                             \
    gan_shape_of((int64_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),              \
                 (const int64_t[]){__VA_ARGS__})

/** Shape with the given extents; rank 0..GAN_MAX_RANK (a larger rank gives rank -1, which no
 * builder accepts). */
GAN_API gan_shape gan_shape_of(int64_t rank, const int64_t *dim);

/** The shape of a scalar: rank 0, one element. */
GAN_API gan_shape gan_shape_scalar(void);

/** Product of the extents, 1 for a scalar; -1 when an extent is negative or the product overflows.
 */
GAN_API int64_t gan_shape_count(const gan_shape *s);

/** True when ranks and all extents agree. */
GAN_API bool gan_shape_equal(const gan_shape *a, const gan_shape *b);

/** Writes "[2,3]" into dst (always terminated) and returns dst. */
GAN_API char *gan_shape_text(const gan_shape *s, char *dst, size_t cap);

/** Reads "[2,3]". errors: GAN_E_ARG. */
GAN_API gan_status gan_shape_parse(const char *text, gan_shape *out, gan_err *err);

/** Bytes of one element. */
GAN_API size_t gan_dtype_size(gan_dtype d);

/** Name such as "f32". Never NULL. */
GAN_API const char *gan_dtype_name(gan_dtype d);

/** True for f32, f64 and bf16. */
GAN_API bool gan_dtype_is_real(gan_dtype d);

/** Bytes of a whole tensor of this type and shape. */
GAN_API size_t gan_tensor_bytes(const gan_tensor *t);

/** Element i in row-major order as f64, whatever the type. No bounds check. */
GAN_API double gan_tensor_get(const gan_tensor *t, int64_t i);

/** Stores v at element i, converted to the tensor's type (bf16 rounds to nearest even). */
GAN_API void gan_tensor_set(const gan_tensor *t, int64_t i, double v);

#ifdef __cplusplus
}
#endif
#endif
