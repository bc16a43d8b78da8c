/* blob.h: the bytes of a file, inflated when it is gzip'ed. */
#ifndef GAN_DATA_BLOB_H
#define GAN_DATA_BLOB_H

#include "base/file.h"

#include <gan/status.h>

/* Bytes that stay where they are until release: a mapped file, a mapped cache file, or memory. */
struct gan__blob {
    const unsigned char *data;
    size_t size;
    struct gan__map map;
    unsigned char *memory;
};

/* Tells from the first bytes how many the whole has, so that inflating can stop at a lie.
 * *total = 0: `have` bytes are too few to tell. `path` is for messages. */
typedef gan_status gan__blob_size_fn(const char *path, const unsigned char *head, size_t have,
                                     uint64_t *total, gan_err *err);

/* Opens a file; gz (told by its first two bytes) goes through the cache in gan__cache_dir.
 * size_of may be NULL: no check. Exactly *total bytes must be there. */
gan_status gan__blob_open(struct gan__blob *b, const char *path, gan__blob_size_fn *size_of,
                          gan_err *err);
void gan__blob_release(struct gan__blob *b);

#endif
