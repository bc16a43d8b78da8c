/* grid.c: sample grids and contact sheets. */
#include "grid.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <string.h>

#define CELL_AT_LEAST 56 /* twice 28, the size of the classic sets */
#define GAP 2
#define GAP_VALUE 255
#define MAX_SIDE 32768

uint8_t gan__byte_of(float v, gan_range range)
{
    double x = range == GAN_RANGE_UNIT ? (double)v * 255.0 : ((double)v + 1.0) * 127.5;
    if (!(x > 0.0)) {
        return 0; /* NaN too */
    }
    return x >= 255.0 ? 255 : (uint8_t)(x + 0.5);
}

/* Least integer whose square is at least n. */
static int64_t root_up(int64_t n)
{
    int64_t r = 1;
    while (r * r < n) {
        r++;
    }
    return r;
}

int64_t gan__grid_scale(int64_t height, int64_t width)
{
    int64_t side = height < width ? height : width;
    return side >= CELL_AT_LEAST ? 1 : (CELL_AT_LEAST + side - 1) / side;
}

static void fill_defaults(struct gan__grid_cfg *c)
{
    c->scale = c->scale == 0 ? gan__grid_scale(c->height, c->width) : c->scale;
    if (c->columns == 0) {
        c->columns = root_up(c->n);
    }
    c->columns = c->columns > c->n ? c->n : c->columns;
    c->gap = c->gap < 0 ? GAP : c->gap;
}

static bool sensible(const struct gan__grid_cfg *c)
{
    return c->n >= 1 && c->n <= (int64_t)1 << 24 && c->height >= 1 && c->height <= MAX_SIDE &&
           c->width >= 1 && c->width <= MAX_SIDE && (c->channels == 1 || c->channels == 3) &&
           c->columns >= 0 && c->scale >= 0 && c->scale <= MAX_SIDE && c->gap <= MAX_SIDE;
}

gan_status gan__grid_init(struct gan__grid *g, const struct gan__grid_cfg *cfg, gan_err *err)
{
    *g = (struct gan__grid){.cfg = *cfg};
    if (!sensible(cfg)) {
        return gan__fail(err, GAN_E_RANGE,
                         "no grid of %" PRId64 " images of %" PRId64 "x%" PRId64 "x%" PRId64,
                         cfg->n, cfg->height, cfg->width, cfg->channels);
    }
    fill_defaults(&g->cfg);
    const struct gan__grid_cfg *c = &g->cfg;
    g->rows = (c->n + c->columns - 1) / c->columns;
    struct gan__image *im = &g->image;
    im->channels = c->channels;
    im->height = c->gap + g->rows * (c->height * c->scale + c->gap);
    im->width = c->gap + c->columns * (c->width * c->scale + c->gap);
    if (im->height > MAX_SIDE || im->width > MAX_SIDE) {
        return gan__fail(err, GAN_E_RANGE,
                         "a grid of %" PRId64 " images would be %" PRId64 "x%" PRId64
                         " pixels, allowed %d on a side",
                         c->n, im->height, im->width, MAX_SIDE);
    }
    size_t bytes = (size_t)(im->height * im->width * im->channels);
    im->data = gan__alloc(bytes);
    if (im->data == NULL) {
        return gan__fail_nomem(err, bytes, "a grid of images");
    }
    memset(im->data, GAP_VALUE, bytes);
    return GAN_OK;
}

void gan__grid_release(struct gan__grid *g)
{
    gan__free(g->image.data);
    g->image.data = NULL;
}

/* Address of a pixel of cell k in the sheet. */
static uint8_t *pixel(const struct gan__grid *g, int64_t k, int64_t y, int64_t x)
{
    const struct gan__grid_cfg *c = &g->cfg;
    int64_t top = c->gap + k / c->columns * (c->height * c->scale + c->gap);
    int64_t left = c->gap + k % c->columns * (c->width * c->scale + c->gap);
    return g->image.data + ((top + y) * g->image.width + left + x) * c->channels;
}

void gan__grid_put_bytes(struct gan__grid *g, int64_t k, const uint8_t *hwc)
{
    const struct gan__grid_cfg *c = &g->cfg;
    for (int64_t y = 0; y < c->height * c->scale; y++) {
        uint8_t *dst = pixel(g, k, y, 0);
        for (int64_t x = 0; x < c->width * c->scale; x++) {
            const uint8_t *src = hwc + (y / c->scale * c->width + x / c->scale) * c->channels;
            for (int64_t i = 0; i < c->channels; i++) {
                *dst++ = src[i];
            }
        }
    }
}

void gan__grid_put(struct gan__grid *g, int64_t k, const float *hwc, gan_range range)
{
    const struct gan__grid_cfg *c = &g->cfg;
    for (int64_t y = 0; y < c->height * c->scale; y++) {
        uint8_t *dst = pixel(g, k, y, 0);
        for (int64_t x = 0; x < c->width * c->scale; x++) {
            const float *src = hwc + (y / c->scale * c->width + x / c->scale) * c->channels;
            for (int64_t i = 0; i < c->channels; i++) {
                *dst++ = gan__byte_of(src[i], range);
            }
        }
    }
}

gan_status gan__grid_write(const struct gan__grid_cfg *cfg, const float *nhwc, gan_range range,
                           const char *path, const struct gan__png_text *texts, size_t n_texts,
                           gan_err *err)
{
    struct gan__grid g;
    GAN_TRY(gan__grid_init(&g, cfg, err));
    for (int64_t k = 0; k < cfg->n; k++) {
        gan__grid_put(&g, k, nhwc + k * cfg->height * cfg->width * cfg->channels, range);
    }
    gan_status status = gan__png_write(path, &g.image, texts, n_texts, err);
    gan__grid_release(&g);
    return status;
}
