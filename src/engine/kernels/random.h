/* random.h: blocks of random numbers, vectorised; the same bits as the reference's one by one. */
#ifndef GAN_ENGINE_KERNELS_RANDOM_H
#define GAN_ENGINE_KERNELS_RANDOM_H

#include <stdint.h>

enum { GAN_RANDOM_BLOCKS = 64 }; /* of four numbers each, made by one call */

/* Numbers 4*first .. of one sample of a stream, GAN_RANDOM_BLOCKS * 4 of them. */
typedef void gan__random_fn(uint64_t key, uint64_t sample, uint64_t first, float *out);

struct gan__random_lanes {
    gan__random_fn *uniform, *normal;
};

/* The set for this machine. */
const struct gan__random_lanes *gan__random_lanes(void);

#endif
