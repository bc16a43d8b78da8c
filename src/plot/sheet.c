/* sheet.c: a contact sheet of a data set: images, pairs side by side, two domains one above the
 * other. */
#include "grid.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <string.h>

/* A sheet in the making. */
struct sheet {
    const gan_dataset *ds;
    struct gan_view view;
    struct gan__grid grid;
    uint8_t *image; /* one of each half */
    uint8_t *cell;
    bool paired;
};

/* Image `index` of a half to cell k; of pairs the halves go side by side. */
static gan_status draw(struct sheet *s, bool second, int64_t index, int64_t k, gan_err *err)
{
    size_t row = (size_t)(s->view.width * s->view.channels);
    GAN_TRY(gan_dataset_view(s->ds, second, index, 1, s->image, err));
    if (!s->paired) {
        gan__grid_put_bytes(&s->grid, k, s->image);
        return GAN_OK;
    }
    for (int half = 0; half < 2; half++) {
        if (half == 1) {
            GAN_TRY(gan_dataset_view(s->ds, true, index, 1, s->image, err));
        }
        for (size_t y = 0; y < (size_t)s->view.height; y++) {
            memcpy(s->cell + (2 * y + (size_t)half) * row, s->image + y * row, row);
        }
    }
    gan__grid_put_bytes(&s->grid, k, s->cell);
    return GAN_OK;
}

/* First images, and below them, in a row of their own, second ones that are not paired. */
static gan_status fill(struct sheet *s, int64_t first, int64_t n, int64_t n_b, gan_err *err)
{
    int64_t columns = s->grid.cfg.columns;
    for (int64_t k = 0; k < n; k++) {
        GAN_TRY(draw(s, false, first + k, k, err));
    }
    for (int64_t k = 0; k < n_b; k++) {
        GAN_TRY(draw(s, true, first + k, (n + columns - 1) / columns * columns + k, err));
    }
    return GAN_OK;
}

/* Columns that make a sheet of n cells nearly square, wide pairs counted as such. */
static int64_t square(int64_t n, const struct gan_view *v, bool paired)
{
    int64_t columns = 1, wide = v->width * (paired ? 2 : 1);
    while (columns * wide < (n + columns - 1) / columns * v->height) {
        columns++;
    }
    return columns;
}

static gan_status make(struct sheet *s, int64_t first, int64_t n, int64_t columns, const char *path,
                       gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(s->ds);
    bool two = info->count_b > 0 && !info->paired;
    int64_t rest_b = two && first < info->count_b ? info->count_b - first : 0;
    int64_t n_b = rest_b < n ? rest_b : n, all = n + n_b;
    columns = columns > 0 || !(s->paired || two) ? columns : square(all, &s->view, s->paired);
    const struct gan__grid_cfg cfg = {
        .n = n_b > 0 ? (n + columns - 1) / columns * columns + n_b : n,
        .height = s->view.height,
        .width = s->view.width * (s->paired ? 2 : 1),
        .channels = s->view.channels,
        .columns = columns,
        .gap = -1,
    };
    size_t bytes = (size_t)(cfg.height * cfg.width * cfg.channels);
    s->image = gan__alloc(bytes);
    s->cell = gan__alloc(bytes);
    if (s->image == NULL || s->cell == NULL) {
        return gan__fail_nomem(err, bytes, "an image");
    }
    GAN_TRY(gan__grid_init(&s->grid, &cfg, err));
    GAN_TRY(fill(s, first, n, n_b, err));
    return gan__png_write(path, &s->grid.image, NULL, 0, err);
}

gan_status gan_dataset_sheet(const gan_dataset *ds, int64_t first, int64_t n, int64_t columns,
                             const char *path, gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    struct sheet s = {.ds = ds, .paired = info->paired};
    if (info->points) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s are points: they have no contact sheet",
                         info->spec);
    }
    if (first < 0 || n < 1 || first >= info->count || n > info->count - first) {
        return gan__fail(err, GAN_E_RANGE,
                         "images %" PRId64 " and %" PRId64 " more of data %s, which has %" PRId64,
                         first, n - 1, info->spec, info->count);
    }
    GAN_TRY(gan_dataset_view_size(ds, &s.view, err));
    gan_status status = make(&s, first, n, columns, path, err);
    gan__free(s.image);
    gan__free(s.cell);
    gan__grid_release(&s.grid);
    return status;
}
