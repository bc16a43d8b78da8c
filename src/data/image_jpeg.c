/* image_jpeg.c: JPEG through libjpeg-turbo's own interface, which reports errors by return value:
 * libjpeg's would need setjmp. Gray stays gray; CMYK and YCCK become RGB, inverted where Adobe's marker
 * says so, as every reader does. */
#include "image_formats.h"

#include "base/alloc.h"
#include "base/err.h"

#include "gan_config.h"

#include <string.h>

#if GAN_HAVE_JPEG

#include <turbojpeg.h>

enum { PIXELS_PER_BYTE = 4096 }; /* a block of 64 pixels takes at least a bit in its first scan */

/* APP14 "Adobe": its writers store inks inverted. */
static bool has_adobe_marker(const struct gan__image_bytes *b)
{
    size_t at = 2;
    while (at + 9 < b->size && b->data[at] == 0xff) {
        unsigned marker = b->data[at + 1];
        if (marker == 0xee && memcmp(b->data + at + 4, "Adobe", 5) == 0) {
            return true;
        }
        if (marker == 0xda || marker == 0xd9) { /* pixels begin, or the end */
            return false;
        }
        bool alone = marker == 0xff || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
        at += marker == 0xff ? 1 : alone ? 2 : 2 + ((size_t)b->data[at + 2] << 8 | b->data[at + 3]);
    }
    return false;
}

/* Inks to light, in place: 4 bytes of a pixel to 3. */
static void cmyk_to_rgb(uint8_t *data, int64_t pixels, bool inverted)
{
    for (int64_t i = 0; i < pixels; i++) {
        uint8_t ink[4];
        memcpy(ink, data + 4 * i, 4);
        int white = inverted ? ink[3] : 255 - ink[3];
        for (int k = 0; k < 3; k++) {
            int light = inverted ? ink[k] : 255 - ink[k];
            data[3 * i + k] = (uint8_t)((light * white + 127) / 255);
        }
    }
}

/* What the decoder says of the file. Bytes too many between markers are harmless and frequent. */
static gan_status fail_jpeg(tjhandle tj, const struct gan__image_bytes *b, gan_err *err)
{
    const char *text = tjGetErrorStr2(tj);
    if (tjGetErrorCode(tj) == TJERR_WARNING && strstr(text, "extraneous") != NULL) {
        return GAN_OK;
    }
    return gan__fail(err, GAN_E_FORMAT, "%s: %s", b->path, text);
}

static gan_status decode(tjhandle tj, const struct gan__image_bytes *b, int colours,
                         struct gan_image *image, gan_err *err)
{
    bool inks = colours == TJCS_CMYK || colours == TJCS_YCCK;
    struct gan_image wide = *image;
    wide.channels = inks ? 4 : image->channels;
    GAN_TRY(gan__image_alloc(&wide, b->path, err));
    image->data = wide.data;
    int format = inks ? TJPF_CMYK : image->channels == 1 ? TJPF_GRAY : TJPF_RGB;
    if (tjDecompress2(tj, b->data, (unsigned long)b->size, image->data, (int)image->width, 0,
                      (int)image->height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
        GAN_TRY(fail_jpeg(tj, b, err));
    }
    if (inks) {
        cmyk_to_rgb(image->data, image->height * image->width, has_adobe_marker(b));
    }
    return GAN_OK;
}

gan_status gan__image_jpeg(const struct gan__image_bytes *b, bool pixels, struct gan_image *image,
                           gan_err *err)
{
    int width = 0, height = 0, subsampling = 0, colours = 0;
    tjhandle tj = tjInitDecompress();
    if (tj == NULL) {
        return gan__fail_nomem(err, 1, "a JPEG decoder");
    }
    gan_status status = GAN_OK;
    if (tjDecompressHeader3(tj, b->data, (unsigned long)b->size, &width, &height, &subsampling,
                            &colours) != 0) {
        status = fail_jpeg(tj, b, err);
    }
    if (status == GAN_OK && (width < 1 || height < 1)) {
        status = gan__fail(err, GAN_E_FORMAT, "%s: a JPEG without a picture", b->path);
    }
    if (status == GAN_OK) {
        status = gan__image_check(b, height, width, PIXELS_PER_BYTE, err);
    }
    if (status == GAN_OK) {
        image->format = "jpeg";
        image->height = height;
        image->width = width;
        image->channels = colours == TJCS_GRAY ? 1 : 3;
        int orientation = gan__jpeg_orientation(b);
        if (pixels) {
            status = decode(tj, b, colours, image, err);
            status = status == GAN_OK ? gan__image_turn(image, orientation, b->path, err) : status;
        } else {
            gan__image_turn_size(image, orientation);
        }
    }
    (void)tjDestroy(tj);
    return status;
}

#else

gan_status gan__image_jpeg(const struct gan__image_bytes *b, bool pixels, struct gan_image *image,
                           gan_err *err)
{
    (void)pixels;
    (void)image;
    return gan__fail(err, GAN_E_UNSUPPORTED,
                     "%s: a JPEG, which this build cannot read: configure with -DGAN_JPEG=ON",
                     b->path);
}

#endif
