/* film.c: the film strip of a two-dimensional run: one small panel for each sample step, made from
 * the arrays beside the pictures, so that it can be made again at any time. */
#include "landscape.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "rundir.h"

#include <gan/plot.h>
#include <gan/sample.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_PANELS = 60, MAX_COLUMNS = 10 };

/* --- which steps -------------------------------------------------------------------------------- */

/* 1000 of "step-00001000.surface.npy" */
static bool step_of(const char *name, int64_t *step)
{
    char digits[24];
    size_t n = strspn(name + (gan__starts_with(name, "step-") ? 5 : 0), "0123456789");
    return gan__starts_with(name, "step-") && strcmp(name + 5 + n, ".surface.npy") == 0 &&
           gan__format(digits, sizeof digits, "%.*s", (int)n, name + 5) &&
           gan__parse_i64(digits, step);
}

/* Steps up to `until` with a surface, ascending as the names are; thinned out evenly to MAX_PANELS,
 * first and last kept. Names of more digits sort wrongly only past 99 999 999 steps. */
static gan_status find_steps(const char *dir, int64_t until, int64_t step[MAX_PANELS],
                             size_t *count, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    char **names = NULL;
    size_t n = 0, found = 0;
    GAN_TRY(gan__rundir_file(path, sizeof path, dir, "samples", err));
    GAN_TRY(gan__list_dir(path, &names, &n, err));
    int64_t *all = gan__alloc_array(n + 1, sizeof *all);
    for (size_t i = 0; i < n && all != NULL; i++) {
        int64_t at = 0;
        if (step_of(names[i], &at) && (until < 0 || at <= until)) {
            all[found++] = at;
        }
    }
    gan__list_free(names, n);
    if (all == NULL) {
        return gan__fail_nomem(err, n * sizeof *all, "a list of samples");
    }
    *count = found < MAX_PANELS ? found : MAX_PANELS;
    for (size_t i = 0; i < *count; i++) {
        step[i] = all[*count < 2 ? i : (i * (found - 1) + (*count - 1) / 2) / (*count - 1)];
    }
    gan__free(all);
    return found > 0
               ? GAN_OK
               : gan__fail(err, GAN_E_NOTFOUND,
                           "%s: no samples of a two-dimensional run (step-*.surface.npy)", path);
}

/* --- panels ------------------------------------------------------------------------------------- */

/* An array of `count` numbers as f64; NULL on failure. */
static double *read_array(const char *path, int64_t count, gan_err *err)
{
    gan_shape shape;
    float *data = NULL;
    if (gan_npy_read(path, &shape, &data, err) != GAN_OK) {
        return NULL;
    }
    double *out = gan__alloc_array((size_t)count, sizeof *out);
    if (gan_shape_count(&shape) != count) {
        gan__fail(err, GAN_E_FORMAT, "%s holds %" PRId64 " numbers, %" PRId64 " are expected", path,
                  gan_shape_count(&shape), count);
        gan__free(out);
        out = NULL;
    } else if (out == NULL) {
        gan__fail_nomem(err, (size_t)count * sizeof *out, path);
    }
    for (int64_t i = 0; out != NULL && i < count; i++) {
        out[i] = (double)data[i];
    }
    gan_array_free(data);
    return out;
}

static void draw_points(gan_panel *p, const double *xy, gan_color color, double size)
{
    double x[GAN__LANDSCAPE_POINTS], y[GAN__LANDSCAPE_POINTS];
    for (size_t i = 0; i < GAN__LANDSCAPE_POINTS; i++) {
        x[i] = xy[2 * i];
        y[i] = xy[2 * i + 1];
    }
    gan_plot_points(p, x, y, GAN__LANDSCAPE_POINTS,
                    &(struct gan_style){.color = color, .size = size});
}

static gan_status draw_panel(gan_panel *p, const char *dir, int64_t step, const double *real,
                             double extent, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX], title[40];
    const int64_t side = GAN__LANDSCAPE_SIDE;
    double *fake = NULL, *z = NULL;
    gan_status status = gan__rundir_sample(path, sizeof path, dir, step, "npy", err);
    if (status == GAN_OK) {
        fake = read_array(path, 2 * GAN__LANDSCAPE_POINTS, err);
        status = gan__rundir_sample(path, sizeof path, dir, step, "surface.npy", err);
    }
    if (status == GAN_OK) {
        z = read_array(path, side * side, err);
    }
    if (fake != NULL && z != NULL) {
        struct gan_surface s = {z, (size_t)side, (size_t)side, -extent, extent, -extent, extent};
        (void)gan__format(title, sizeof title, "step %" PRId64, step);
        gan_panel_title(p, title);
        gan_panel_bare(p);
        gan_panel_equal(p);
        gan_panel_x(p, &(struct gan_axis){.low = -extent, .high = extent});
        gan_panel_y(p, &(struct gan_axis){.low = -extent, .high = extent});
        gan_plot_contours(p, &s, NULL, 10,
                          &(struct gan_style){.filled = true, .alpha = 0.45, .no_bar = true});
        draw_points(p, real, GAN_COLOR_ORANGE, 7);
        draw_points(p, fake, GAN_COLOR_GREEN, 4);
    } else if (status == GAN_OK) {
        status = err->code;
    }
    gan__free(fake);
    gan__free(z);
    return status;
}

/* --- the strip ---------------------------------------------------------------------------------- */

static gan_status draw_strip(const char *dir, const int64_t *step, size_t n, const double *real,
                             const char *path, gan_err *err)
{
    float points[2 * GAN__LANDSCAPE_POINTS];
    for (size_t i = 0; i < 2 * GAN__LANDSCAPE_POINTS; i++) {
        points[i] = (float)real[i];
    }
    double extent = gan__landscape_extent(points, GAN__LANDSCAPE_POINTS);
    int columns = (int)n <= 5 ? (int)n : (int)ceil(sqrt(1.6 * (double)n));
    columns = columns < MAX_COLUMNS ? columns : MAX_COLUMNS;
    int rows = ((int)n + columns - 1) / columns;
    gan_status status = GAN_OK;
    gan_figure *f = gan_figure_new(
        rows, columns,
        &(struct gan_figure_opts){.title = n > 1 ? "real orange, fake green, D's value" : NULL,
                                  .panel_width = 272,
                                  .panel_height = 290});
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        gan_panel *p = gan_figure_panel(f, (int)i / columns, (int)i % columns);
        status = draw_panel(p, dir, step[i], real, extent, err);
    }
    if (status == GAN_OK) {
        status = gan_figure_write(f, path, err);
    }
    gan_figure_free(f);
    return status;
}

gan_status gan__film_write(const char *dir, int64_t until, const char *path, gan_err *err)
{
    int64_t step[MAX_PANELS];
    size_t n = 0;
    char file[GAN_PATH_TEXT_MAX];
    gan_err own = {0};
    gan_status status = find_steps(dir, until, step, &n, &own);
    double *real = NULL;
    if (status == GAN_OK) {
        status = gan__rundir_file(file, sizeof file, dir, "samples/real.npy", &own);
    }
    if (status == GAN_OK) {
        real = read_array(file, 2 * GAN__LANDSCAPE_POINTS, &own);
        status = own.code;
    }
    if (status == GAN_OK) {
        status = draw_strip(dir, step, n, real, path, &own);
    }
    gan__free(real);
    return status == GAN_OK ? GAN_OK : gan__fail(err, status, "%s", own.message);
}
