/* check_facts.h: what is remembered of every image of a set while it is checked. */
#ifndef GAN_DATA_CHECK_FACTS_H
#define GAN_DATA_CHECK_FACTS_H

#include <gan/data_check.h>

enum { GAN__THUMB_W = 18, GAN__THUMB_H = 16, GAN__THUMB = GAN__THUMB_W * GAN__THUMB_H };

struct gan__fact {
    bool good, gray, constant;
    int32_t height, width;
    uint64_t hash;  /* of size, channels and pixels; gray RGB counts as gray */
    uint64_t dhash; /* difference hash */
    uint8_t thumb[GAN__THUMB];
};

/* Looks at an image u8 [height,width,channels]. errors: GAN_E_NOMEM. */
gan_status gan__fact_of(struct gan__fact *f, const uint8_t *data, int64_t height, int64_t width,
                        int64_t channels, gan_err *err);

/* The earlier image that an image resembles most. */
struct gan__twin {
    int64_t of; /* -1: none */
    int bits;   /* of the hash that differ */
    bool same;  /* pixel by pixel */
};

/* Finds, for each of n images, an earlier equal one, or else the nearest within the limits. errors:
 * GAN_E_NOMEM. */
gan_status gan__find_twins(const struct gan__fact *fact, int64_t n, int near_bits, int near_levels,
                           struct gan__twin *twin, gan_err *err);

#endif
