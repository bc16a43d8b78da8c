/* image.c: which format a file has, and alpha over the background. */
#include <gan/image.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image_formats.h"
#include "plot/png.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { PNG_HEAD = 33 }; /* signature and IHDR */

bool gan_image_named(const char *path)
{
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".pnm", ".pbm", ".pgm", ".ppm"};
    const char *dot = strrchr(gan__path_base(path), '.');
    for (size_t i = 0; dot != NULL && i < sizeof ends / sizeof *ends; i++) {
        if (strcasecmp(dot, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

gan_status gan__image_check(const struct gan__image_bytes *b, int64_t height, int64_t width,
                            int64_t per_byte, gan_err *err)
{
    if (height < 1 || width < 1 || height > GAN_IMAGE_SIDE || width > GAN_IMAGE_SIDE ||
        height * width > GAN_IMAGE_PIXELS) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: %" PRId64 "x%" PRId64
                         " pixels, allowed are 1 to %d on a side and %" PRId64 " in all",
                         b->path, width, height, GAN_IMAGE_SIDE, GAN_IMAGE_PIXELS);
    }
    if (height * width / per_byte > (int64_t)b->size) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: its header promises %" PRId64 "x%" PRId64
                         " pixels, more than its %zu bytes can hold",
                         b->path, width, height, b->size);
    }
    return GAN_OK;
}

gan_status gan__image_alloc(struct gan_image *image, const char *path, gan_err *err)
{
    size_t bytes = (size_t)(image->height * image->width * image->channels);
    image->data = gan__alloc(bytes);
    return image->data != NULL ? GAN_OK : gan__fail_nomem(err, bytes, path);
}

/* --- PNG ---------------------------------------------------------------------------------------- */

static int64_t load_be32(const unsigned char *p)
{
    return (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
}

/* IHDR: size and colour type; libspng checks the rest when the pixels are read. */
static gan_status png_header(const struct gan__image_bytes *b, struct gan_image *image,
                             gan_err *err)
{
    if (b->size < PNG_HEAD || memcmp(b->data + 12, "IHDR", 4) != 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: a PNG without a header", b->path);
    }
    image->format = "png";
    image->width = load_be32(b->data + 16);
    image->height = load_be32(b->data + 20);
    image->channels = (b->data[25] & 2) != 0 ? 3 : 1; /* 2, 6: RGB; 3: palette; 0, 4: gray */
    image->alpha = (b->data[25] & 4) != 0;
    return gan__image_check(b, image->height, image->width, 8 * 1032, err);
}

static uint8_t over(uint8_t colour, uint8_t alpha, uint8_t under)
{
    return (uint8_t)((colour * alpha + under * (255 - alpha) + 127) / 255);
}

/* RGBA to RGB, or to gray where all of it is gray; in place. */
static void composite(const struct gan__image *src, const uint8_t background[3],
                      struct gan_image *image)
{
    int64_t n = src->height * src->width, c = image->channels;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *from = src->data + 4 * i;
        uint8_t alpha = from[3], rgb[3];
        for (int k = 0; k < 3; k++) {
            rgb[k] = over(from[k], alpha, background[k]);
        }
        image->alpha = image->alpha || alpha < 255;
        memcpy(src->data + c * i, rgb, (size_t)c);
    }
}

static gan_status png_pixels(const char *path, const uint8_t background[3], struct gan_image *image,
                             gan_err *err)
{
    struct gan__image png;
    GAN_TRY(gan__png_read(path, &png, err));
    bool gray_under = background[0] == background[1] && background[1] == background[2];
    image->height = png.height;
    image->width = png.width;
    if (png.channels == 1) {
        image->channels = 1;
    } else {
        image->channels = image->channels == 1 && gray_under ? 1 : 3;
        composite(&png, background, image);
    }
    image->data = png.data;
    return GAN_OK;
}

/* --- any format ---------------------------------------------------------------------------------- */

static gan_status read_mapped(const struct gan__image_bytes *b, bool pixels,
                              const uint8_t background[3], struct gan_image *image, gan_err *err)
{
    static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (b->size >= sizeof png && memcmp(b->data, png, sizeof png) == 0) {
        GAN_TRY(png_header(b, image, err));
        return pixels ? png_pixels(b->path, background, image, err) : GAN_OK;
    }
    if (b->size >= 3 && b->data[0] == 0xff && b->data[1] == 0xd8 && b->data[2] == 0xff) {
        return gan__image_jpeg(b, pixels, image, err);
    }
    if (b->size >= 3 && b->data[0] == 'P' && b->data[1] >= '1' && b->data[1] <= '6') {
        return gan__image_pnm(b, pixels, image, err);
    }
    return gan__fail(err, GAN_E_FORMAT,
                     b->size == 0 ? "%s: the file is empty" : "%s: neither PNG nor JPEG nor PNM",
                     b->path);
}

static gan_status read_file(const char *path, bool pixels, const uint8_t background[3],
                            struct gan_image *image, gan_err *err)
{
    struct gan__map map;
    *image = (struct gan_image){0};
    if (gan__path_is_dir(path)) {
        return gan__fail(err, GAN_E_IO, "%s is a folder, not an image", path);
    }
    GAN_TRY(gan__map_open(&map, path, err));
    const struct gan__image_bytes bytes = {path, map.data, map.size};
    gan_status status = read_mapped(&bytes, pixels, background, image, err);
    gan__map_close(&map);
    if (status != GAN_OK) {
        gan_image_release(image);
    }
    return status;
}

gan_status gan_image_probe(const char *path, struct gan_image *image, gan_err *err)
{
    return read_file(path, false, NULL, image, err);
}

gan_status gan_image_read(const char *path, const uint8_t background[3], struct gan_image *image,
                          gan_err *err)
{
    static const uint8_t white[3] = {255, 255, 255};
    return read_file(path, true, background != NULL ? background : white, image, err);
}

void gan_image_release(struct gan_image *image)
{
    gan__free(image->data);
    *image = (struct gan_image){0};
}

void gan_image_channels(const uint8_t *src, int64_t from, int64_t pixels, int64_t to, uint8_t *dst)
{
    for (int64_t i = 0; i < pixels; i++) {
        const uint8_t *p = src + i * from;
        if (from == 3 && to == 1) {
            dst[i] = (uint8_t)((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
        } else {
            for (int64_t k = 0; k < to; k++) {
                dst[i * to + k] = p[from == 1 ? 0 : k];
            }
        }
    }
}
