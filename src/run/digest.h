/* digest.h: a 128-bit checksum of a stream of bytes, as fast as memory. It finds damage, it does
 * not stop a forger. docs/formats.md specifies it. */
#ifndef GAN_RUN_DIGEST_H
#define GAN_RUN_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct gan__digest {
    uint64_t lane[4];
    unsigned char tail[32]; /* bytes that do not fill a block yet */
    size_t n_tail;
    uint64_t bytes;
};

enum { GAN__DIGEST_TEXT = 33 }; /* 32 hexadecimal digits and the NUL */

void gan__digest_init(struct gan__digest *d);
void gan__digest_add(struct gan__digest *d, const void *p, size_t n);
void gan__digest_text(const struct gan__digest *d, char dst[GAN__DIGEST_TEXT]);

#endif
