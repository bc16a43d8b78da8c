/* data_lowres.c: super-resolution pairs from any set of images: A = the image reduced `scale` times and
 * brought back to its size, both by Pillow's bicubic filter, B = the image. So A and B have one size,
 * as the input of SRCNN, and every image-to-image model can be trained on them.
 *
 * Ref: Dong et al. 2014, "Image super-resolution using deep convolutional networks" (the set-up). */
#include "derived.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/image.h>

#include <inttypes.h>

struct lowres_opts {
    int64_t scale;
};

static const struct gan_opt table[] = {
    GAN_OPT_I64(struct lowres_opts, scale, "scale", "4", 2, 64,
                "the image is reduced this many times and brought back, bicubic"),
    GAN_OPT_END,
};

static int64_t reduced(int64_t side, int64_t scale)
{
    int64_t n = (side + scale / 2) / scale;
    return n < 1 ? 1 : n;
}

static gan_status blur(const struct gan__derived *d, const uint8_t *image, uint8_t *dst,
                       gan_err *err)
{
    int64_t scale = (int64_t)d->number[0], c = d->inner.channels;
    int64_t h = reduced(d->height, scale), w = reduced(d->width, scale);
    uint8_t *small = gan__alloc((size_t)(h * w * c));
    if (small == NULL) {
        return gan__fail_nomem(err, (size_t)(h * w * c), "an image");
    }
    gan_status status =
        gan_image_resize(image, d->height, d->width, c, h, w, GAN_FILTER_BICUBIC, small, err);
    if (status == GAN_OK) {
        status =
            gan_image_resize(small, h, w, c, d->height, d->width, GAN_FILTER_BICUBIC, dst, err);
    }
    gan__free(small);
    return status;
}

static gan_status open_lowres(struct gan__source *s, const char *argument, const void *opts,
                              gan_err *err)
{
    const struct lowres_opts *o = opts;
    const struct gan__derived how = {.make = blur, .number = {(double)o->scale}};
    GAN_TRY(gan__derived_open(s, argument, &how, 0, err));
    int64_t side = s->height < s->width ? s->height : s->width;
    if (side < 2 * o->scale) {
        return gan__fail(err, GAN_E_ARG,
                         "data lowres: scale is %" PRId64 ", images of %" PRId64 "x%" PRId64
                         " leave less than 2 pixels",
                         o->scale, s->height, s->width);
    }
    return GAN_OK;
}

GAN_DATA(lowres) = {
    .name = "lowres",
    .argument = "SPEC",
    .help = "pairs of blurred and sharp image for super-resolution, from any set of images",
    .opts = table,
    .opts_size = sizeof(struct lowres_opts),
    .wraps = true,
    .open = open_lowres,
};
