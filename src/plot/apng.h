/* apng.h: animated PNG: a PNG whose further frames other programs pass over. */
#ifndef GAN_PLOT_APNG_H
#define GAN_PLOT_APNG_H

#include "base/file.h"
#include "png.h"

/* A file being written, frame by frame. */
struct gan__apng {
    struct gan__writer writer;
    int64_t height, width, channels;
    uint32_t frames, written, sequence;
    uint16_t delay_ms;
    uint8_t *rows;   /* a frame with its filter bytes */
    uint8_t *packed; /* ... deflated, behind four bytes of room */
    size_t row_bytes, packed_cap;
};

/* Begins a file of `frames` frames that is played for ever. Channels 1 or 3. errors: GAN_E_RANGE,
 * GAN_E_IO, GAN_E_NOMEM, GAN_E_UNSUPPORTED (a build without zlib); release after a failure, too */
gan_status gan__apng_open(struct gan__apng *a, const char *path, const struct gan__image *size,
                          uint32_t frames, uint16_t delay_ms, gan_err *err);
/* A text of ASCII, before the first frame. */
gan_status gan__apng_text(struct gan__apng *a, const struct gan__png_text *text, gan_err *err);
/* The next frame: u8 [height,width,channels]. */
gan_status gan__apng_put(struct gan__apng *a, const uint8_t *hwc, gan_err *err);
/* All frames are there: the file takes its place. */
gan_status gan__apng_commit(struct gan__apng *a, gan_err *err);
void gan__apng_release(struct gan__apng *a);

#endif
