/* image_formats.h: what the readers of single formats offer to image.c. */
#ifndef GAN_DATA_IMAGE_FORMATS_H
#define GAN_DATA_IMAGE_FORMATS_H

#include <gan/image.h>

/* A file in memory. */
struct gan__image_bytes {
    const char *path; /* for messages */
    const unsigned char *data;
    size_t size;
};

/* Is an image of this size, promised by a header, to be believed? `per_byte`: the most pixels that a
 * byte of the file can stand for. errors: GAN_E_FORMAT. */
gan_status gan__image_check(const struct gan__image_bytes *b, int64_t height, int64_t width,
                            int64_t per_byte, gan_err *err);

/* Memory for image->height x width x channels bytes, in image->data. */
gan_status gan__image_alloc(struct gan_image *image, const char *path, gan_err *err);

/* Header alone, or everything when `pixels`. */
gan_status gan__image_jpeg(const struct gan__image_bytes *b, bool pixels, struct gan_image *image,
                           gan_err *err);
gan_status gan__image_pnm(const struct gan__image_bytes *b, bool pixels, struct gan_image *image,
                          gan_err *err);

/* EXIF's orientation of a JPEG, 1 to 8; 1: as stored, also where there is none. */
int gan__jpeg_orientation(const struct gan__image_bytes *b);

/* Turns the size, or size and pixels, from stored to upright. */
void gan__image_turn_size(struct gan_image *image, int orientation);
gan_status gan__image_turn(struct gan_image *image, int orientation, const char *path,
                           gan_err *err);

#endif
