/* png.h: PNG files in and out. */
#ifndef GAN_PLOT_PNG_H
#define GAN_PLOT_PNG_H

#include <gan/status.h>

#include <stddef.h>
#include <stdint.h>

/* A text chunk: a key of 1 to 79 characters, a value in UTF-8. */
struct gan__png_text {
    const char *key;
    const char *value;
};

/* An image of bytes, rows top to bottom, channels together. */
struct gan__image {
    uint8_t *data; /* [height,width,channels]; gan__free */
    int64_t height, width;
    int64_t channels; /* 1 gray, 3 RGB, 4 RGBA */
};

/* Writes an 8-bit gray, RGB or RGBA file by atomic replacement. The same input gives the same
 * bytes. */
gan_status gan__png_write(const char *path, const struct gan__image *image,
                          const struct gan__png_text *texts, size_t n_texts, gan_err *err);

/* Reads any PNG: gray without transparency as 1 channel, all else as RGBA, 8 bits each. Free
 * image->data with gan__free. A file that is no PNG, or is damaged: GAN_E_FORMAT. */
gan_status gan__png_read(const char *path, struct gan__image *image, gan_err *err);

/* Value of a text chunk of a file, in dst. GAN_E_NOTFOUND when there is none of that key. */
gan_status gan__png_text(const char *path, const char *key, char *dst, size_t cap, gan_err *err);

#endif
