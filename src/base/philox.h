/* philox.h: counter-based random numbers, Philox 4x32-10.
 *
 * Ref: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * A stream is a 64-bit key made of (seed, iteration, run of the phase, name, n-th use); the counter
 * is (global sample index, element index within the sample in C,H,W order / 4). So a number never
 * depends on batch size, layout, threads or on what was drawn before. */
#ifndef GAN_BASE_PHILOX_H
#define GAN_BASE_PHILOX_H

#include <stdint.h>

/* Ten rounds; ctr and key as in the published test vectors (word 0 first). */
void gan__philox4x32(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4]);

/* Key of a stream. `name` is a hash (gan__hash_text of the scoped name, mixed with its n-th use).
 */
uint64_t gan__stream_key(uint64_t seed, uint64_t iteration, uint64_t run, uint64_t name);

/* Four 32-bit words for elements 4*block .. 4*block+3 of one sample. */
void gan__stream_block(uint64_t key, uint64_t sample, uint64_t block, uint32_t out[4]);

/* (word >> 9) + 0.5 over 2^23: uniform in the open interval (0,1), exact in f32 (24 bits before
 * the half would need 25 and round up to 1). */
static inline float gan__u01(uint32_t word)
{
    return ((float)(word >> 9) + 0.5f) * 0x1p-23f;
}

/* Host-side sequence for shuffles and initial weights: block after block of one key. */
struct gan__rng {
    uint64_t key;
    uint64_t index; /* next word */
    uint32_t buf[4];
};
void gan__rng_init(struct gan__rng *r, uint64_t key);
uint32_t gan__rng_u32(struct gan__rng *r);
uint64_t gan__rng_below(struct gan__rng *r, uint64_t n); /* unbiased; n > 0 */
double gan__rng_uniform(struct gan__rng *r);             /* (0,1), 53 bits */
double gan__rng_normal(struct gan__rng *r);              /* Box-Muller in f64, one value a call */

/* Element of a keyed permutation of 0..n-1 without storing it: a Feistel walk (cycle walking). */
uint64_t gan__permute(uint64_t key, uint64_t n, uint64_t i);

#endif
