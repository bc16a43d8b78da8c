/* image_pnm.c: portable bitmaps, graymaps and pixmaps: P1 to P3 as text, P4 to P6 as bytes (two for
 * levels above 255, the high one first; eight pixels in one for P4).
 *
 * Ref: the manual pages pbm(5), pgm(5), ppm(5) of Netpbm. */
#include "image_formats.h"

#include "base/err.h"

#include <inttypes.h>

enum { MAX_LEVEL = 65535 };

/* Where reading stands. */
struct cursor {
    const struct gan__image_bytes *b;
    size_t at;
};

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Past blanks and comments, which run from # to the end of the line. */
static void skip_blanks(struct cursor *c)
{
    bool comment = false;
    for (; c->at < c->b->size; c->at++) {
        unsigned char now = c->b->data[c->at];
        comment = comment ? now != '\n' && now != '\r' : now == '#';
        if (!comment && !is_blank(now)) {
            return;
        }
    }
}

/* A number of digits, at most `most`; -1 when there is none or it is larger. */
static int64_t number(struct cursor *c, int64_t most)
{
    int64_t value = -1;
    skip_blanks(c);
    for (; c->at < c->b->size; c->at++) {
        unsigned char now = c->b->data[c->at];
        if (now < '0' || now > '9') {
            break;
        }
        value = (value < 0 ? 0 : value) * 10 + (now - '0');
        if (value > most) {
            return -1;
        }
    }
    return value;
}

/* One digit, for the pixels of P1, which need no blanks between them. */
static int64_t digit(struct cursor *c)
{
    skip_blanks(c);
    return c->at < c->b->size ? (int64_t)c->b->data[c->at++] - '0' : -1;
}

static uint8_t level(int64_t value, int64_t most)
{
    return (uint8_t)((value * 255 + most / 2) / most);
}

static gan_status fail_early(const struct cursor *c, int64_t i, int64_t n, gan_err *err)
{
    return gan__fail(err, GAN_E_FORMAT,
                     "%s: the file ends, or holds no level, at value %" PRId64 " of %" PRId64,
                     c->b->path, i, n);
}

static gan_status read_text(struct cursor *c, struct gan_image *image, int kind, int64_t most,
                            gan_err *err)
{
    int64_t n = image->height * image->width * image->channels;
    for (int64_t i = 0; i < n; i++) {
        int64_t value = kind == 1 ? digit(c) : number(c, most);
        if (value < 0 || value > most) {
            return fail_early(c, i, n, err);
        }
        image->data[i] = kind == 1 ? (uint8_t)(value == 0 ? 255 : 0) : level(value, most);
    }
    return GAN_OK;
}

static gan_status read_bits(struct cursor *c, struct gan_image *image, gan_err *err)
{
    int64_t row = (image->width + 7) / 8;
    if ((int64_t)(c->b->size - c->at) < row * image->height) {
        return fail_early(c, (int64_t)(c->b->size - c->at), row * image->height, err);
    }
    for (int64_t i = 0; i < image->height * image->width; i++) {
        int64_t x = i % image->width, y = i / image->width;
        unsigned char byte = c->b->data[c->at + (size_t)(y * row + x / 8)];
        image->data[i] = (byte >> (7 - x % 8) & 1) != 0 ? 0 : 255; /* 1 is black */
    }
    return GAN_OK;
}

static gan_status read_bytes(struct cursor *c, struct gan_image *image, int64_t most, gan_err *err)
{
    int64_t n = image->height * image->width * image->channels, size = most > 255 ? 2 : 1;
    const unsigned char *p = c->b->data + c->at;
    if ((int64_t)(c->b->size - c->at) < n * size) {
        return fail_early(c, (int64_t)(c->b->size - c->at) / size, n, err);
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t value = size == 2 ? (int64_t)p[2 * i] << 8 | p[2 * i + 1] : p[i];
        if (value > most) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s: value %" PRId64 " is %" PRId64 ", the most is %" PRId64,
                             c->b->path, i, value, most);
        }
        image->data[i] = level(value, most);
    }
    return GAN_OK;
}

gan_status gan__image_pnm(const struct gan__image_bytes *b, bool pixels, struct gan_image *image,
                          gan_err *err)
{
    struct cursor c = {b, 2};
    int kind = b->data[1] - '0';
    int64_t width = number(&c, GAN_IMAGE_SIDE), height = number(&c, GAN_IMAGE_SIDE);
    int64_t most = kind == 1 || kind == 4 ? 1 : number(&c, MAX_LEVEL);
    bool ends = c.at < b->size && is_blank(b->data[c.at]);
    if (width < 1 || height < 1 || most < 1 || !ends) {
        return gan__fail(
            err, GAN_E_FORMAT, "%s: the header is not P%d, width, height%s: sizes are 1 to %d",
            b->path, kind, kind == 1 || kind == 4 ? "" : ", largest level", (int)GAN_IMAGE_SIDE);
    }
    c.at++;
    image->format = "pnm";
    image->height = height;
    image->width = width;
    image->channels = kind == 3 || kind == 6 ? 3 : 1;
    GAN_TRY(gan__image_check(b, height, width, 8, err));
    if (!pixels) {
        return GAN_OK;
    }
    GAN_TRY(gan__image_alloc(image, b->path, err));
    return kind <= 3   ? read_text(&c, image, kind, most, err)
           : kind == 4 ? read_bits(&c, image, err)
                       : read_bytes(&c, image, most, err);
}
