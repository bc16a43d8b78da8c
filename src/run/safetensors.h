/* safetensors.h: the container of checkpoints: a JSON header that lists tensors, then their bytes.
 *
 *     u64 little-endian  length of the header
 *     header             {"__metadata__":{..}, "NAME":{"dtype":"F32","shape":[..],
 *                         "data_offsets":[begin,end]}, ...}, padded with spaces
 *     data               tensors without gaps */
#ifndef GAN_RUN_SAFETENSORS_H
#define GAN_RUN_SAFETENSORS_H

#include "base/arena.h"

#include <gan/checkpoint.h>

/* One tensor of a header; offsets count from the start of the data. */
struct gan__st_tensor {
    const char *name;
    gan_dtype dtype;
    gan_shape shape;
    uint64_t begin, end;
};

/* A header that was read: tensors and metadata sorted by name. Memory is in the arena. */
struct gan__st_header {
    struct gan__st_tensor *tensor;
    size_t n_tensors;
    struct gan_meta *meta;
    size_t n_meta;
    uint64_t header_bytes; /* 8 + length of the JSON: where the data begin */
};

/* Reads and checks the header of a file of `size` bytes at `file`: GAN_E_FORMAT or
 * GAN_E_UNSUPPORTED in one line that begins with `path`. */
gan_status gan__st_read(const char *path, const unsigned char *file, uint64_t size,
                        struct gan__arena *a, struct gan__st_header *out, gan_err *err);

/* Text of a header for these tensors and texts, in the order given, with the 8 bytes of its length
 * in front and spaces at the end so that the data begin at a multiple of 64. Metadata must be
 * sorted. NULL when memory is short; gan__free. */
char *gan__st_format(const struct gan__st_tensor *t, size_t n, const struct gan_meta *meta,
                     size_t n_meta, size_t *bytes);

#endif
