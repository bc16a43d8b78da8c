/* feeds.c: a batch of the data as feeds of a plan. */
#include "feeds.h"

static struct gan_feed_data feed_of(const char *name, gan_dtype dtype, gan_shape shape,
                                    const void *data)
{
    union {
        const void *in;
        void *out; /* plans only read it */
    } p = {.in = data};
    return (struct gan_feed_data){name, {dtype, shape, p.out}};
}

size_t gan__batch_feeds(const struct gan_batch *b, uint32_t fields,
                        struct gan_feed_data feeds[GAN__MAX_FIELDS])
{
    size_t n = 0;
    if ((fields & GAN_FIELD_IMAGE) != 0) {
        feeds[n++] =
            feed_of("image", GAN_F32, GAN_SHAPE(b->n, b->height, b->width, b->channels), b->images);
    }
    if ((fields & GAN_FIELD_LABEL) != 0) {
        feeds[n++] = feed_of("label", GAN_I32, GAN_SHAPE(b->n), b->labels);
    }
    if ((fields & GAN_FIELD_B) != 0) {
        feeds[n++] = feed_of("image_b", GAN_F32,
                             GAN_SHAPE(b->n, b->height, b->width, b->channels_b), b->images_b);
    }
    if ((fields & GAN_FIELD_KNOWN) != 0) {
        feeds[n++] = feed_of("known", GAN_F32, GAN_SHAPE(b->n), b->known);
    }
    if ((fields & GAN_FIELD_ATTRIBUTES) != 0) {
        feeds[n++] =
            feed_of("attributes", GAN_F32, GAN_SHAPE(b->n, b->n_attributes), b->attributes);
    }
    return n;
}
