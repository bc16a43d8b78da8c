/* image_exif.c: which way up a photo was taken. Cameras store the sensor's rows and note in the EXIF
 * data, a TIFF file in the marker APP1, how to turn them.
 *
 * Ref: CIPA DC-008-2012 (Exif 2.3), 4.6.4 A: tag 274, Orientation; TIFF 6.0, section 2. */
#include "image_formats.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

enum { ORIENTATION = 274, SHORT = 3, ENTRY = 12 };

/* Numbers of a TIFF file, either end first. Outside its bounds everything is 0. */
struct tiff {
    const unsigned char *p;
    size_t size;
    bool big;
};

static uint32_t number(const struct tiff *t, size_t at, size_t bytes)
{
    uint32_t v = 0;
    if (at > t->size || t->size - at < bytes) {
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        v = v << 8 | t->p[at + (t->big ? i : bytes - 1 - i)];
    }
    return v;
}

/* The tag in the first directory; 1 when it is not there or no orientation. */
static int in_tiff(const unsigned char *p, size_t size)
{
    struct tiff t = {p, size, size > 0 && p[0] == 'M'};
    if (size < 8 || (memcmp(p, "MM", 2) != 0 && memcmp(p, "II", 2) != 0) ||
        number(&t, 2, 2) != 42) {
        return 1;
    }
    size_t at = number(&t, 4, 4);
    uint32_t entries = number(&t, at, 2);
    for (uint32_t i = 0; i < entries; i++) {
        size_t entry = at + 2 + (size_t)i * ENTRY;
        if (number(&t, entry, 2) == ORIENTATION && number(&t, entry + 2, 2) == SHORT) {
            uint32_t value = number(&t, entry + 8, 2);
            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    }
    return 1;
}

int gan__jpeg_orientation(const struct gan__image_bytes *b)
{
    static const unsigned char name[6] = {'E', 'x', 'i', 'f', 0, 0};
    size_t at = 2;
    while (at + 4 <= b->size && b->data[at] == 0xff) {
        unsigned marker = b->data[at + 1];
        if (marker == 0xff) { /* fill bytes */
            at++;
            continue;
        }
        size_t length = (size_t)b->data[at + 2] << 8 | b->data[at + 3];
        if (marker == 0xda || marker == 0xd9 || length < 2 || length > b->size - at - 2) {
            return 1; /* pixels begin, the end, or nonsense */
        }
        if (marker == 0xe1 && length >= 8 && memcmp(b->data + at + 4, name, sizeof name) == 0) {
            return in_tiff(b->data + at + 10, length - 8);
        }
        at += 2 + length;
    }
    return 1;
}

/* 5 to 8 exchange rows and columns. */
void gan__image_turn_size(struct gan_image *image, int orientation)
{
    if (orientation >= 5) {
        int64_t h = image->height;
        image->height = image->width;
        image->width = h;
    }
}

/* Where the pixel shown at row y, column x of h x w is stored: TIFF 6.0's table of the sides that row 0
 * and column 0 stand for. */
static int64_t stored_at(int orientation, int64_t y, int64_t x, int64_t h, int64_t w)
{
    int64_t v = h - 1 - y, u = w - 1 - x;
    switch (orientation) {
    case 2:
        return y * w + u; /* top, right: mirrored */
    case 3:
        return v * w + u; /* bottom, right: upside down */
    case 4:
        return v * w + x; /* bottom, left */
    case 5:
        return x * h + y; /* left, top: stored rows are columns */
    case 6:
        return u * h + y; /* right, top: turn clockwise */
    case 7:
        return u * h + v; /* right, bottom */
    case 8:
        return x * h + v; /* left, bottom: turn anticlockwise */
    default:
        return y * w + x;
    }
}

gan_status gan__image_turn(struct gan_image *image, int orientation, const char *path, gan_err *err)
{
    if (orientation == 1) {
        return GAN_OK;
    }
    struct gan_image turned = *image;
    gan__image_turn_size(&turned, orientation);
    GAN_TRY(gan__image_alloc(&turned, path, err));
    size_t c = (size_t)image->channels;
    for (int64_t y = 0; y < turned.height; y++) {
        for (int64_t x = 0; x < turned.width; x++) {
            int64_t from = stored_at(orientation, y, x, turned.height, turned.width);
            memcpy(turned.data + (size_t)(y * turned.width + x) * c, image->data + (size_t)from * c,
                   c);
        }
    }
    gan__free(image->data);
    *image = turned;
    return GAN_OK;
}
