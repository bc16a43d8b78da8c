/* lanes_random.c: Philox 4x32-10 and Box-Muller on many blocks at once, compiled once for each
 * instruction set. One loop does one step for all blocks, so that it becomes vector code.
 *
 * Ref: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". */
#include "random.h"

#include "base/normal.h"
#include "lanes_name.h"

enum { BLOCKS = GAN_RANDOM_BLOCKS, ROUNDS = 10 };

#define SET GAN_LANES_NAME(gan__random_lanes)

extern const struct gan__random_lanes SET;

/* Words i of block b in w[i][b]; the arithmetic of gan__philox4x32. */
static void philox(uint64_t key, uint64_t sample, uint64_t first, uint32_t w[4][BLOCKS])
{
    const uint32_t low = (uint32_t)sample, high = (uint32_t)(sample >> 32);
    for (int b = 0; b < BLOCKS; b++) {
        const uint64_t block = first + (uint64_t)b;
        uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = low, c3 = high;
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < ROUNDS; round++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint32_t)p1;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint32_t)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        w[0][b] = c0;
        w[1][b] = c1;
        w[2][b] = c2;
        w[3][b] = c3;
    }
}

static void interleave(float v[4][BLOCKS], float *out)
{
    for (int b = 0; b < BLOCKS; b++) {
        for (int i = 0; i < 4; i++) {
            out[4 * b + i] = v[i][b];
        }
    }
}

static void uniform(uint64_t key, uint64_t sample, uint64_t first, float *out)
{
    uint32_t w[4][BLOCKS];
    float v[4][BLOCKS];
    philox(key, sample, first, w);
    for (int i = 0; i < 4; i++) {
        for (int b = 0; b < BLOCKS; b++) {
            v[i][b] = gan__u01(w[i][b]);
        }
    }
    interleave(v, out);
}

static void normal(uint64_t key, uint64_t sample, uint64_t first, float *out)
{
    uint32_t w[4][BLOCKS];
    float v[4][BLOCKS];
    philox(key, sample, first, w);
    for (int i = 0; i < 4; i += 2) {
        for (int b = 0; b < BLOCKS; b++) {
            gan__normal2(w[i][b], w[i + 1][b], &v[i][b], &v[i + 1][b]);
        }
    }
    interleave(v, out);
}

const struct gan__random_lanes SET = {.uniform = uniform, .normal = normal};
