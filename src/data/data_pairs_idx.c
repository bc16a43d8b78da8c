/* data_pairs_idx.c: aligned pairs of images, matched by their number in two IDX files. */
#include "base/err.h"
#include "idx.h"

#include <inttypes.h>

static gan_status open_pairs(struct gan__source *s, const char *argument, const void *opts,
                             gan_err *err)
{
    GAN_TRY(gan__two_idx_open(s, argument, opts, err));
    s->paired = true;
    const struct gan__source *b = s->second;
    if (s->count != b->count) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s has %" PRId64 " images, %s has %" PRId64
                         ": pairs need the same number",
                         s->file, s->count, b->file, b->count);
    }
    if (s->height * b->width != b->height * s->width) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s has images of %" PRId64 "x%" PRId64 ", %s of %" PRId64 "x%" PRId64
                         ": pairs need the same proportions",
                         s->file, s->height, s->width, b->file, b->height, b->width);
    }
    return GAN_OK;
}

GAN_DATA(pairs_idx) = {
    .name = "pairs-idx",
    .argument = "FILEA,FILEB",
    .help = "pairs of images: number i of one IDX file belongs to number i of the other",
    .opts = gan__two_idx_table,
    .opts_size = sizeof(struct gan__two_idx_opts),
    .check = gan__two_idx_check,
    .open = open_pairs,
};
