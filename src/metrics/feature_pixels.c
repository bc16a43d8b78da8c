/* feature_pixels.c: the image itself as its features: mean gray levels of equal cells, SIZE by SIZE,
 * or every pixel. Needs no weights; says little about meaning, but the same everywhere. */
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_SIZE = 1024, HASH_TEXT = 32 };

struct pixels {
    int64_t height, width, channels; /* of the images */
    int64_t rows, columns;           /* of cells */
    char hash[HASH_TEXT];
};

static gan_status open_pixels(const char *argument, const struct gan_features_cfg *cfg,
                              struct gan_features_info *info, void **state, gan_err *err)
{
    int64_t size = 0;
    if (argument != NULL && (!gan__parse_i64(argument, &size) || size < 1 || size > MAX_SIZE)) {
        return gan__fail(err, GAN_E_ARG, "pixels:%.40s is not a size of 1 to %d", argument,
                         (int)MAX_SIZE);
    }
    if (cfg->height < 1 || cfg->width < 1 || cfg->channels < 1) {
        return gan__fail(err, GAN_E_SHAPE, "pixels must be told the size of the images");
    }
    struct pixels *p = gan__alloc(sizeof *p);
    if (p == NULL) {
        return gan__fail_nomem(err, sizeof *p, "features");
    }
    *p = (struct pixels){cfg->height,
                         cfg->width,
                         cfg->channels,
                         size > 0 && size < cfg->height ? size : cfg->height,
                         size > 0 && size < cfg->width ? size : cfg->width,
                         ""};
    *state = p;
    (void)gan__format(p->hash, sizeof p->hash, "pixels-%" PRId64 "x%" PRId64 "x%" PRId64, p->rows,
                      p->columns, p->channels);
    *info = (struct gan_features_info){.layer = size > 0 ? "means of cells" : "pixels",
                                       .hash = p->hash,
                                       .height = p->height,
                                       .width = p->width,
                                       .channels = p->channels,
                                       .features = p->rows * p->columns * p->channels};
    return GAN_OK;
}

/* Adds each pixel to the cells it overlaps along one axis: share of pixel i in cell k. */
static double overlap(int64_t i, int64_t k, int64_t pixels, int64_t cells)
{
    double unit = (double)pixels / (double)cells;
    double low = (double)k * unit, high = low + unit;
    double a = (double)i > low ? (double)i : low,
           b = (double)(i + 1) < high ? (double)(i + 1) : high;
    return b > a ? (b - a) / unit : 0;
}

static double cell_mean(const struct pixels *p, const float *image, int64_t row, int64_t column,
                        int64_t c)
{
    int64_t y0 = row * p->height / p->rows, y1 = ((row + 1) * p->height - 1) / p->rows;
    int64_t x0 = column * p->width / p->columns, x1 = ((column + 1) * p->width - 1) / p->columns;
    double sum = 0;
    for (int64_t y = y0; y <= y1; y++) {
        double share = overlap(y, row, p->height, p->rows);
        for (int64_t x = x0; x <= x1; x++) {
            sum += share * overlap(x, column, p->width, p->columns) *
                   (double)image[(y * p->width + x) * p->channels + c];
        }
    }
    return sum;
}

/* Values in 0..1. */
static gan_status run_pixels(void *state, const float *images, int64_t n,
                             const struct gan_features_out *out, gan_err *err)
{
    const struct pixels *p = state;
    (void)err;
    int64_t size = p->rows * p->columns * p->channels, pixels = p->height * p->width * p->channels;
    for (int64_t i = 0; i < n && out->features != NULL; i++) {
        for (int64_t k = 0; k < size; k++) {
            int64_t cell = k / p->channels;
            double v = size == pixels ? (double)images[i * pixels + k]
                                      : cell_mean(p, images + i * pixels, cell / p->columns,
                                                  cell % p->columns, k % p->channels);
            out->features[i * size + k] = (float)(v / 255.0);
        }
    }
    return GAN_OK;
}

/* Cells as a node: whole pixels only. */
static void cells(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct pixels *p = opts;
    gan_graph *g = gan_nn_graph(nn);
    struct gan_pool pool = {.kernel_h = p->height / p->rows, .kernel_w = p->width / p->columns};
    out[0] = gan_scale(g, gan_avg_pool(g, in[0], pool), 1 / 255.0);
}

static gan_status part(const void *state, const char *layer, struct gan_feature_part *out,
                       gan_err *err)
{
    const struct pixels *p = state;
    if (layer != NULL) {
        return gan__fail(err, GAN_E_NOTFOUND, "pixels have no layer '%.60s'", layer);
    }
    if (p->height % p->rows != 0 || p->width % p->columns != 0) {
        return gan__fail(err, GAN_E_SHAPE,
                         "pixels: %" PRId64 " by %" PRId64 " cells do not divide images of %" PRId64
                         "x%" PRId64,
                         p->rows, p->columns, p->height, p->width);
    }
    struct pixels *own = gan__alloc(sizeof *own);
    if (own == NULL) {
        return gan__fail_nomem(err, sizeof *own, "features");
    }
    *own = *p;
    *out = (struct gan_feature_part){cells, own, p->height, p->width, p->channels};
    return GAN_OK;
}

GAN_FEATURES(pixels) = {
    .name = "pixels",
    .argument = "SIZE",
    .help = "mean levels of SIZE x SIZE cells, or every pixel; needs no weights",
    .open = open_pixels,
    .run = run_pixels,
    .close = gan__free,
    .part = part,
};
