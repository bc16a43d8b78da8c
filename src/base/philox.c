/* philox.c: Philox 4x32-10 and what is built on it.
 *
 * Ref: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11. */
#include "philox.h"

#include "err.h"
#include "str.h"

#include <math.h>
#include <stddef.h>

/* The paper's multipliers and Weyl increments (golden ratio, sqrt(3) - 1). */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
#define PHILOX_ROUNDS 10

#define TWO_PI 6.283185307179586476925286766559

void gan__philox4x32(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = ctr[0], c1 = ctr[1], c2 = ctr[2], c3 = ctr[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t gan__stream_key(uint64_t seed, uint64_t iteration, uint64_t run, uint64_t name)
{
    uint64_t h = gan__hash_mix(0, seed);
    h = gan__hash_mix(h, iteration);
    h = gan__hash_mix(h, run);
    return gan__hash_mix(h, name);
}

void gan__stream_block(uint64_t key, uint64_t sample, uint64_t block, uint32_t out[4])
{
    const uint32_t ctr[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)sample,
                             (uint32_t)(sample >> 32)};
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    gan__philox4x32(ctr, k, out);
}

void gan__rng_init(struct gan__rng *r, uint64_t key)
{
    *r = (struct gan__rng){.key = key};
}

uint32_t gan__rng_u32(struct gan__rng *r)
{
    size_t lane = (size_t)(r->index % 4);
    if (lane == 0) {
        gan__stream_block(r->key, 0, r->index / 4, r->buf);
    }
    r->index++;
    return r->buf[lane];
}

static uint64_t next_u64(struct gan__rng *r)
{
    uint64_t low = gan__rng_u32(r);
    return low | ((uint64_t)gan__rng_u32(r) << 32);
}

uint64_t gan__rng_below(struct gan__rng *r, uint64_t n)
{
    gan__assert(n > 0);
    uint64_t reject = (0 - n) % n; /* 2^64 mod n: that many lowest words would be one too many */
    for (;;) {
        uint64_t x = next_u64(r);
        if (x >= reject) {
            return x % n;
        }
    }
}

double gan__rng_uniform(struct gan__rng *r)
{
    /* 52 bits and a half: 53 significant bits, exact, never 0 or 1 */
    return ((double)(next_u64(r) >> 12) + 0.5) * 0x1p-52;
}

double gan__rng_normal(struct gan__rng *r)
{
    double u = gan__rng_uniform(r);
    double v = gan__rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(TWO_PI * v);
}

/* One pass through a balanced Feistel network on 2*half bits: a bijection whatever the rounds do.
 */
static uint64_t feistel(uint64_t key, unsigned half, uint64_t x)
{
    uint64_t mask = ((uint64_t)1 << half) - 1;
    uint64_t left = x >> half;
    uint64_t right = x & mask;
    for (uint64_t round = 0; round < 6; round++) {
        uint64_t mixed = gan__hash_mix(key + round * 0x9E3779B97F4A7C15u, right) & mask;
        uint64_t next = left ^ mixed;
        left = right;
        right = next;
    }
    return left << half | right;
}

uint64_t gan__permute(uint64_t key, uint64_t n, uint64_t i)
{
    gan__assert(i < n);
    if (n < 2) {
        return 0;
    }
    unsigned half = 1;
    while (half < 32 && (uint64_t)1 << (2 * half) < n) {
        half++;
    }
    uint64_t x = i;
    do { /* the walk stays on one cycle that holds i < n, so it ends */
        x = feistel(key, half, x);
    } while (x >= n);
    return x;
}
