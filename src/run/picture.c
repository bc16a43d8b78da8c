/* picture.c: grids of images, scatter plots of points, arrays; made batch by batch, so that memory
 * does not grow with the number of images. */
#include "picture.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "npy.h"
#include "plot/grid.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SCATTER_PX = 512 };

/* --- grids -------------------------------------------------------------------------------------- */

struct grid_sink {
    struct gan__grid grid;
    const struct gan__picture *how;
    int64_t first, image;
};

static gan_status put_cells(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    struct grid_sink *s = ctx;
    (void)err;
    for (int64_t i = 0; i < n; i++) {
        gan__grid_put(&s->grid, first - s->first + i, hwc + i * s->image, s->how->range);
    }
    return GAN_OK;
}

static gan_status write_grid(struct gan__generator *g, const struct gan__generate *what,
                             const struct gan__picture *how, const char *path, gan_err *err)
{
    struct grid_sink s = {
        .how = how, .first = what->first, .image = g->height * g->width * g->channels};
    struct gan__grid_cfg cfg = {
        .n = what->n,
        .height = g->height,
        .width = g->width,
        .channels = g->channels,
        .columns = how->columns,
        .gap = -1,
    };
    GAN_TRY(gan__grid_init(&s.grid, &cfg, err));
    gan_status status = gan__generator_run(g, what, &(struct gan__image_sink){put_cells, &s}, err);
    if (status == GAN_OK) {
        status = gan__png_write(path, &s.grid.image, how->texts, how->n_texts, err);
    }
    gan__grid_release(&s.grid);
    return status;
}

/* --- scatter plots ------------------------------------------------------------------------------ */

struct point_sink {
    float *points; /* [n,channels] */
    int64_t first, channels;
};

static gan_status put_points(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    struct point_sink *s = ctx;
    (void)err;
    memcpy(s->points + (first - s->first) * s->channels, hwc,
           (size_t)(n * s->channels) * sizeof(float));
    return GAN_OK;
}

/* The frame is a power of two, so that plots of one run compare. */
static double frame_of(const float *p, int64_t n)
{
    double most = 0, frame = 1;
    for (int64_t i = 0; i < n; i++) {
        double v = fabs((double)p[i]);
        most = isfinite(v) && v > most ? v : most;
    }
    while (frame < most && frame < 0x1p60) {
        frame *= 2;
    }
    return frame;
}

static void draw_dot(uint8_t *rgb, double x, double y, double frame)
{
    static const uint8_t blue[3] = {31, 119, 180};
    if (!isfinite(x) || !isfinite(y)) {
        return;
    }
    double half = SCATTER_PX / 2.0;
    int64_t cx = (int64_t)floor(half + x / frame * (half - 4));
    int64_t cy = (int64_t)floor(half - y / frame * (half - 4));
    for (int64_t v = cy - 1; v <= cy + 1; v++) {
        for (int64_t u = cx - 1; u <= cx + 1; u++) {
            if (u >= 0 && u < SCATTER_PX && v >= 0 && v < SCATTER_PX) {
                memcpy(rgb + (v * SCATTER_PX + u) * 3, blue, sizeof blue);
            }
        }
    }
}

static void draw_points(uint8_t *rgb, const float *p, int64_t n, int64_t channels)
{
    double frame = frame_of(p, n * channels);
    memset(rgb, 255, (size_t)SCATTER_PX * SCATTER_PX * 3);
    for (int64_t i = 0; i < SCATTER_PX; i++) { /* the axes */
        memset(rgb + (i * SCATTER_PX + SCATTER_PX / 2) * 3, 210, 3);
        memset(rgb + (SCATTER_PX / 2 * SCATTER_PX + i) * 3, 210, 3);
    }
    for (int64_t i = 0; i < n; i++) {
        const float *q = p + i * channels;
        draw_dot(rgb, (double)q[0], channels > 1 ? (double)q[1] : 0, frame);
    }
}

static gan_status write_scatter(struct gan__generator *g, const struct gan__generate *what,
                                const struct gan__picture *how, const char *path, gan_err *err)
{
    int64_t channels = g->height * g->width * g->channels;
    struct point_sink s = {.first = what->first, .channels = channels};
    struct gan__image image = {.height = SCATTER_PX, .width = SCATTER_PX, .channels = 3};
    image.data = gan__alloc((size_t)SCATTER_PX * SCATTER_PX * 3);
    s.points = gan__alloc_array((size_t)(what->n * channels), sizeof *s.points);
    gan_status status = image.data != NULL && s.points != NULL
                            ? GAN_OK
                            : gan__fail_nomem(err, (size_t)(what->n * channels), "a scatter plot");
    if (status == GAN_OK) {
        status = gan__generator_run(g, what, &(struct gan__image_sink){put_points, &s}, err);
    }
    if (status == GAN_OK) {
        draw_points(image.data, s.points, what->n, channels);
        status = gan__png_write(path, &image, how->texts, how->n_texts, err);
    }
    gan__free(image.data);
    gan__free(s.points);
    return status;
}

gan_status gan__picture_write(struct gan__generator *g, const struct gan__generate *what,
                              const struct gan__picture *how, const char *path, gan_err *err)
{
    if (how->points) {
        return write_scatter(g, what, how, path, err);
    }
    if (g->channels != 1 && g->channels != 3) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: a PNG has 1 or 3 channels, the images have %" PRId64, path,
                         g->channels);
    }
    return write_grid(g, what, how, path, err);
}

/* --- arrays ------------------------------------------------------------------------------------- */

struct array_sink {
    struct gan__writer w;
    int64_t image;
};

static gan_status put_floats(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    struct array_sink *s = ctx;
    (void)first;
    return gan__writer_put(&s->w, hwc, (size_t)(n * s->image) * sizeof *hwc, err);
}

gan_status gan__array_write(struct gan__generator *g, const struct gan__generate *what,
                            const char *path, gan_err *err)
{
    struct array_sink s = {.w = {.fd = -1}, .image = g->height * g->width * g->channels};
    gan_shape shape = GAN_SHAPE(what->n, g->height, g->width, g->channels);
    gan_status status = gan__npy_begin(&s.w, path, &shape, err);
    if (status == GAN_OK) {
        status = gan__generator_run(g, what, &(struct gan__image_sink){put_floats, &s}, err);
    }
    if (status == GAN_OK) {
        status = gan__writer_commit(&s.w, err);
    }
    gan__writer_abort(&s.w);
    return status;
}
