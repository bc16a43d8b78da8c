/* sheet.c: a contact sheet of a data set. */
#include "grid.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>

static gan_status draw(const gan_dataset *ds, int64_t first, struct gan__grid *g, gan_err *err)
{
    const struct gan__grid_cfg *c = &g->cfg;
    size_t bytes = (size_t)(c->height * c->width * c->channels);
    uint8_t *pixels = gan__alloc(bytes);
    if (pixels == NULL) {
        return gan__fail_nomem(err, bytes, "an image");
    }
    gan_status status = GAN_OK;
    for (int64_t k = 0; k < c->n && status == GAN_OK; k++) {
        status = gan_dataset_pixels(ds, first + k, pixels, err);
        if (status == GAN_OK) {
            gan__grid_put_bytes(g, k, pixels);
        }
    }
    gan__free(pixels);
    return status;
}

gan_status gan_dataset_sheet(const gan_dataset *ds, int64_t first, int64_t n, int64_t columns,
                             const char *path, gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    if (info->points) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s are points: they have no contact sheet",
                         info->spec);
    }
    if (first < 0 || n < 1 || first >= info->count || n > info->count - first) {
        return gan__fail(err, GAN_E_RANGE,
                         "images %" PRId64 " and %" PRId64 " more of data %s, which has %" PRId64,
                         first, n - 1, info->spec, info->count);
    }
    struct gan__grid g;
    const struct gan__grid_cfg cfg = {.n = n,
                                      .height = info->height,
                                      .width = info->width,
                                      .channels = info->channels,
                                      .columns = columns,
                                      .gap = -1};
    gan_status status = gan__grid_init(&g, &cfg, err);
    if (status == GAN_OK) {
        status = draw(ds, first, &g, err);
    }
    if (status == GAN_OK) {
        status = gan__png_write(path, &g.image, NULL, 0, err);
    }
    gan__grid_release(&g);
    return status;
}
