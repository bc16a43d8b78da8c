/* derived.h: pairs made of single images: A is computed from the image, B is the image itself. */
#ifndef GAN_DATA_DERIVED_H
#define GAN_DATA_DERIVED_H

#include "dataset.h"

struct gan__derived {
    struct gan__source inner;
    int64_t height, width; /* of both images */
    /* The computed image, u8 [height,width,s->channels], from the image u8 [height,width,channels].
     */
    gan_status (*make)(const struct gan__derived *d, const uint8_t *image, uint8_t *dst,
                       gan_err *err);
    double number[3]; /* what make needs of the options */
};

/* Opens the set named `inner` and makes s the pairs derived from it; the caller has set d's make and
 * number in `how`. `channels` of the computed images; 0: those of the set. */
gan_status gan__derived_open(struct gan__source *s, const char *inner,
                             const struct gan__derived *how, int64_t channels, gan_err *err);

#endif
