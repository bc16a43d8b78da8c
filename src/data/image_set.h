/* image_set.h: image files as one array of equal images, made once and mapped from then on. */
#ifndef GAN_DATA_IMAGE_SET_H
#define GAN_DATA_IMAGE_SET_H

#include "base/file.h"

#include <gan/image.h>

/* What to make an array of. */
struct gan__image_list {
    char **paths; /* files, in order */
    size_t n;
    int64_t size;     /* square side; 0: the files' own, which must agree */
    int64_t channels; /* 1 or 3; 0: 3 when any file has colour */
    gan_filter filter;
    int fit;  /* 0 scale until the square is covered, crop the centre; 1 stretch; 2 pad */
    int part; /* of each file: 0 all of it, 1 the left half, 2 the right half */
    bool skip_broken;
    uint8_t background[3];
};

/* The array. */
struct gan__image_set {
    struct gan__map map;
    int64_t n, height, width, channels;
    const unsigned char *file;   /* u32 little-endian [n]: position in the list */
    const unsigned char *pixels; /* [n,height,width,channels] */
    size_t skipped;
    uint64_t key; /* of the files' names, sizes and times, and of what was made of them */
};

/* errors: GAN_E_FORMAT, GAN_E_IO, ... of the first file that cannot be read, named with its position;
 * GAN_E_SHAPE (sizes that differ and no size given); GAN_E_FORMAT (none is left) */
gan_status gan__image_set_open(struct gan__image_set *s, const struct gan__image_list *list,
                               gan_err *err);
void gan__image_set_close(struct gan__image_set *s);

/* Image i to u8 [height,width,channels]. */
void gan__image_set_copy(const struct gan__image_set *s, int64_t i, uint8_t *hwc);

/* Position in the list of image i. */
size_t gan__image_set_file(const struct gan__image_set *s, int64_t i);

#endif
