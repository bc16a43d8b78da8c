/* image.h: image files into bytes, and bytes to other sizes.
 *
 *     struct gan_image image;
 *     if (gan_image_read("photo.jpg", NULL, &image, &err) == GAN_OK) {
 *         uint8_t *small = ...; [64,64,image.channels]
 *         gan_image_resize(image.data, image.height, image.width, image.channels, 64, 64,
 *                          GAN_FILTER_LANCZOS, small, &err);
 *         gan_image_release(&image);
 *     }
 *
 * PNG (1 to 16 bits, gray, RGB, palette, with or without alpha), JPEG (baseline, progressive, CMYK;
 * turned upright as its EXIF data say) and PNM (P1 to P6). What a header promises is held against the file's size before memory is asked
 * for. threads: any. */
#ifndef GAN_IMAGE_H
#define GAN_IMAGE_H

#include <gan/features.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An image: rows top to bottom, channels together. */
struct gan_image {
    uint8_t *data; /* [height,width,channels]; gan_image_release frees it */
    int64_t height, width;
    int64_t channels;   /* 1 gray, 3 RGB */
    bool alpha;         /* the file had transparency: composited over the background */
    const char *format; /* "png", "jpeg", "pnm"; static */
};

/** Most pixels on a side, and in all. */
#define GAN_IMAGE_SIDE 32768
#define GAN_IMAGE_PIXELS ((int64_t)1 << 28)

/** Whether a file's name ends as those of images do: .png .jpg .jpeg .pnm .pbm .pgm .ppm, in any case. */
GAN_API bool gan_image_named(const char *path);

/**
 * Size and channels of a file, from its header alone; image->data stays NULL.
 *
 * errors: GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (names file and reason), GAN_E_UNSUPPORTED (a build
 *         without the library of the format)
 */
GAN_API gan_status gan_image_probe(const char *path, struct gan_image *image, gan_err *err);

/**
 * Reads a file, whatever it is called: the first bytes say what it is. 16 bits become the nearest 8.
 *
 * in:     background  RGB under transparent pixels; NULL: white
 * out:    image       empty on failure
 * owns:   the caller releases it with gan_image_release
 * errors: as gan_image_probe, also for data that end early; GAN_E_NOMEM
 */
GAN_API gan_status gan_image_read(const char *path, const uint8_t background[3],
                                  struct gan_image *image, gan_err *err);

/** Frees the pixels; an empty image is fine. */
GAN_API void gan_image_release(struct gan_image *image);

/**
 * Other channels: gray repeated, colour to Rec. 601 luma.
 *
 * in:     src  u8 [pixels,from]; from and to are 1 or 3
 * out:    dst  u8 [pixels,to], not src
 */
GAN_API void gan_image_channels(const uint8_t *src, int64_t from, int64_t pixels, int64_t to,
                                uint8_t *dst);

/**
 * Another size by one of Pillow's filters: widened where the image shrinks, rows first, then columns,
 * each rounded to bytes; weights have 22 binary places.
 *
 * in:     src  u8 [height,width,channels], 1 to 4 channels
 * out:    dst  u8 [to_height,to_width,channels], not src
 * errors: GAN_E_RANGE (a size below 1), GAN_E_ARG (GAN_FILTER_NONE with sizes that differ,
 *         GAN_FILTER_TF1, which makes floats), GAN_E_NOMEM
 */
GAN_API gan_status gan_image_resize(const uint8_t *src, int64_t height, int64_t width,
                                    int64_t channels, int64_t to_height, int64_t to_width,
                                    gan_filter filter, uint8_t *dst, gan_err *err);

/**
 * The same of floats without rounding, as Pillow's mode F; and GAN_FILTER_TF1, the bilinear resize of
 * TensorFlow 1 that the original FID code used: pixel i of the result lies at i * height / to_height,
 * no antialiasing.
 *
 * errors: as gan_image_resize
 */
GAN_API gan_status gan_image_resize_f32(const float *src, int64_t height, int64_t width,
                                        int64_t channels, int64_t to_height, int64_t to_width,
                                        gan_filter filter, float *dst, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
