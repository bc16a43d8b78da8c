/* digest.c: four 64-bit lanes, one 8-byte word each of every 32-byte block.
 *
 * A lane takes a word w by h = (rotl(h, 29) ^ w) * odd. That is a bijection of h for each w and of w
 * for each h, so two streams that differ in one word always end in different lanes. */
#include "digest.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

enum { BLOCK = 32 };

static const uint64_t odd = 0x9e3779b97f4a7c15u; /* 2^64 divided by the golden ratio */

void gan__digest_init(struct gan__digest *d)
{
    *d = (struct gan__digest){.lane = {1, 2, 3, 4}};
}

static void take_block(uint64_t lane[4], const unsigned char *p)
{
    uint64_t w[4];
    memcpy(w, p, sizeof w);
    for (int i = 0; i < 4; i++) {
        lane[i] = ((lane[i] << 29 | lane[i] >> 35) ^ w[i]) * odd;
    }
}

void gan__digest_add(struct gan__digest *d, const void *p, size_t n)
{
    const unsigned char *src = p;
    d->bytes += n;
    while (n > 0 && (d->n_tail > 0 || n < BLOCK)) {
        size_t take = BLOCK - d->n_tail < n ? BLOCK - d->n_tail : n;
        memcpy(d->tail + d->n_tail, src, take);
        d->n_tail += take;
        src += take;
        n -= take;
        if (d->n_tail == BLOCK) {
            take_block(d->lane, d->tail);
            d->n_tail = 0;
        }
    }
    while (n >= BLOCK) {
        take_block(d->lane, src);
        src += BLOCK;
        n -= BLOCK;
    }
    if (n > 0) {
        memcpy(d->tail, src, n);
        d->n_tail = n;
    }
}

void gan__digest_text(const struct gan__digest *d, char dst[GAN__DIGEST_TEXT])
{
    struct gan__digest e = *d;
    memset(e.tail + e.n_tail, 0, BLOCK - e.n_tail);
    take_block(e.lane, e.tail);
    uint64_t high = gan__hash_mix(gan__hash_mix(e.lane[0], e.lane[1]), e.bytes);
    uint64_t low = gan__hash_mix(gan__hash_mix(e.lane[2], e.lane[3]), high);
    (void)gan__format(dst, GAN__DIGEST_TEXT, "%016" PRIx64 "%016" PRIx64, high, low);
}
