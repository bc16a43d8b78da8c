/* sampler_draw.c: images of given latents as a grid, an animation, files or numbers. */
#include <gan/latent.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "plot/apng.h"
#include "plot/grid.h"

#include <inttypes.h>
#include <string.h>

enum { PATH_TEXT = 4096, MOST_IMAGES = 1000000, DELAY_MS = 66, MOST_TEXTS = 3 };

struct drawing {
    const struct gan_sampler_info *info;
    const struct gan_drawing *what;
    const char *path;
    float *images; /* [rows,columns,H,W,C] */
    int64_t image; /* numbers of one */
    struct gan__png_text text[MOST_TEXTS];
    size_t n_texts;
};

static gan_status check(const struct gan_sampler_info *info, const struct gan_drawing *w,
                        const char *path, gan_err *err)
{
    if (w->rows < 1 || w->columns < 1 || w->rows > MOST_IMAGES || w->columns > MOST_IMAGES ||
        w->rows * w->columns > MOST_IMAGES) {
        return gan__fail(err, GAN_E_RANGE,
                         "%" PRId64 " rows of %" PRId64 " images, allowed are 1 to %d in all",
                         w->rows, w->columns, MOST_IMAGES);
    }
    if (info->latent == 0) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "model %s makes images from images, not from noise", info->model);
    }
    if (gan__ends_with(path, ".npy")) {
        return GAN_OK;
    }
    if (info->points || (info->channels != 1 && info->channels != 3)) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "%s: a PNG has 1 or 3 channels, model %s makes %s",
                         path, info->model, info->points ? "points: name a .npy" : "others");
    }
    return GAN_OK;
}

/* Images of all latents, row r of class r mod classes where none are given. */
static gan_status decode(gan_sampler *s, struct drawing *d, gan_err *err)
{
    const struct gan_drawing *w = d->what;
    int64_t n = w->rows * w->columns;
    d->images = gan__alloc_array((size_t)n, (size_t)d->image * sizeof *d->images);
    if (d->images == NULL) {
        return gan__fail_nomem(err, (size_t)(n * d->image) * sizeof *d->images, "images");
    }
    if (d->info->classes == 0 && w->labels == NULL) {
        return gan_sampler_decode(s, w->z, n, d->images, err);
    }
    if (w->labels != NULL) {
        return gan_sampler_decode_classes(s, w->z, w->labels, n, d->images, err);
    }
    int32_t *labels = gan__alloc_array((size_t)n, sizeof *labels);
    if (labels == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *labels, "classes");
    }
    for (int64_t i = 0; i < n; i++) {
        labels[i] = (int32_t)(i / w->columns % d->info->classes);
    }
    gan_status status = gan_sampler_decode_classes(s, w->z, labels, n, d->images, err);
    gan__free(labels);
    return status;
}

static struct gan__grid_cfg grid_of(const struct drawing *d, int64_t n, int64_t columns)
{
    return (struct gan__grid_cfg){.n = n,
                                  .height = d->info->height,
                                  .width = d->info->width,
                                  .channels = d->info->channels,
                                  .columns = columns,
                                  .gap = n > 1 ? -1 : 0};
}

static gan_status draw_grid(const struct drawing *d, gan_err *err)
{
    const struct gan_drawing *w = d->what;
    int64_t n = w->rows * w->columns;
    struct gan__grid_cfg cfg = grid_of(d, n, w->columns);
    struct gan__grid grid;
    GAN_TRY(gan__grid_init(&grid, &cfg, err));
    for (int64_t i = 0; i < n; i++) {
        if (w->blank == NULL || !w->blank[i]) {
            gan__grid_put(&grid, i, d->images + i * d->image, d->info->range);
        }
    }
    gan_status status = gan__png_write(d->path, &grid.image, d->text, d->n_texts, err);
    gan__grid_release(&grid);
    return status;
}

/* Column k of every row, side by side. */
static void fill_frame(const struct drawing *d, int64_t k, struct gan__grid *grid)
{
    for (int64_t r = 0; r < d->what->rows; r++) {
        gan__grid_put(grid, r, d->images + (r * d->what->columns + k) * d->image, d->info->range);
    }
}

static gan_status put_frames(const struct drawing *d, struct gan__apng *a, struct gan__grid *grid,
                             gan_err *err)
{
    for (size_t i = 0; i < d->n_texts; i++) {
        GAN_TRY(gan__apng_text(a, &d->text[i], err));
    }
    for (int64_t k = 0; k < d->what->columns; k++) {
        fill_frame(d, k, grid);
        GAN_TRY(gan__apng_put(a, grid->image.data, err));
    }
    return gan__apng_commit(a, err);
}

static gan_status draw_animation(const struct drawing *d, struct gan__grid *grid, gan_err *err)
{
    struct gan__apng a;
    int delay =
        d->what->delay_ms > 0 && d->what->delay_ms <= UINT16_MAX ? d->what->delay_ms : DELAY_MS;
    gan_status status =
        gan__apng_open(&a, d->path, &grid->image, (uint32_t)d->what->columns, (uint16_t)delay, err);
    if (status == GAN_OK) {
        status = put_frames(d, &a, grid, err);
    }
    gan__apng_release(&a);
    return status;
}

static gan_status write_file(const struct drawing *d, int64_t number,
                             const struct gan__image *image, gan_err *err)
{
    char name[32], path[PATH_TEXT];
    (void)gan__format(name, sizeof name, "%05" PRId64 ".png", number);
    GAN_TRY(gan__path_join(path, sizeof path, d->path, name, err));
    return gan__png_write(path, image, d->text, d->n_texts, err);
}

/* A file a frame, or one an image. */
static gan_status draw_files(const struct drawing *d, struct gan__grid *grid, gan_err *err)
{
    const struct gan_drawing *w = d->what;
    int64_t n = w->animate ? w->columns : w->rows * w->columns;
    GAN_TRY(gan__mkdirs(d->path, err));
    for (int64_t k = 0; k < n; k++) {
        if (w->animate) {
            fill_frame(d, k, grid);
        } else if (w->blank != NULL && w->blank[k]) {
            continue;
        } else {
            gan__grid_put(grid, 0, d->images + k * d->image, d->info->range);
        }
        GAN_TRY(write_file(d, k, &grid->image, err));
    }
    return GAN_OK;
}

static gan_status draw(const struct drawing *d, gan_err *err)
{
    const struct gan_drawing *w = d->what;
    bool one_file = gan__ends_with(d->path, ".png");
    if (gan__ends_with(d->path, ".npy")) {
        gan_shape shape =
            GAN_SHAPE(w->rows * w->columns, d->info->height, d->info->width, d->info->channels);
        return gan_npy_write(d->path, &shape, d->images, err);
    }
    if (one_file && !w->animate) {
        return draw_grid(d, err);
    }
    struct gan__grid grid;
    struct gan__grid_cfg cfg = grid_of(d, w->animate ? w->rows : 1, 0);
    cfg.scale = w->animate ? 0 : 1; /* single images as they are, as gan sample writes them */
    GAN_TRY(gan__grid_init(&grid, &cfg, err));
    gan_status status = one_file ? draw_animation(d, &grid, err) : draw_files(d, &grid, err);
    gan__grid_release(&grid);
    return status;
}

gan_status gan_sampler_draw(gan_sampler *s, const struct gan_drawing *what, const char *path,
                            gan_err *err)
{
    struct drawing d = {.info = gan_sampler_about(s), .what = what, .path = path};
    GAN_TRY(check(d.info, what, path, err));
    d.image = d.info->height * d.info->width * d.info->channels;
    d.text[d.n_texts++] = (struct gan__png_text){"model", d.info->model};
    d.text[d.n_texts++] = (struct gan__png_text){"hash", d.info->hash};
    if (what->what != NULL) {
        d.text[d.n_texts++] = (struct gan__png_text){"latents", what->what};
    }
    gan_status status = decode(s, &d, err);
    if (status == GAN_OK) {
        status = draw(&d, err);
    }
    gan__free(d.images);
    return status;
}
