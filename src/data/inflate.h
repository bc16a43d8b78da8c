/* inflate.h: gzip streams, piece by piece. */
#ifndef GAN_DATA_INFLATE_H
#define GAN_DATA_INFLATE_H

#include "blob.h"

/* Receives the inflated bytes in order. */
struct gan__sink {
    gan_status (*put)(void *ctx, const unsigned char *p, size_t n, gan_err *err);
    void *ctx;
};

/* Inflates all members of a gzip file into sink, checking CRC and length of each. Nothing may
 * follow the last member. */
gan_status gan__inflate(const char *path, const unsigned char *src, size_t n,
                        const struct gan__sink *sink, gan_err *err);

#endif
