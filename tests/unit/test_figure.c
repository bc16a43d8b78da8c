/* test_figure.c: figures: their size, pixels where a known line or point must be, whole texts, gaps,
 * empty data, errors; contours against a circle; ticks; colours. */
#include "base/alloc.h"
#include "base/file.h"
#include "plot/axis.h"
#include "plot/color.h"
#include "plot/contour.h"
#include "plot/png.h"

#include <gan/plot.h>

#include "gan_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

/* --- without drawing ---------------------------------------------------------------------------- */

static void ticks_are_nice(void **state)
{
    (void)state;
    struct gan__ticks t;
    gan__ticks_make(&t, -0.03, 1.04, false, 5, NULL, 0);
    assert_int_equal(t.n, 6);
    assert_string_equal(t.tick[1].label, "0.2");
    assert_string_equal(t.tick[5].label, "1.0");
    gan__ticks_make(&t, -20000, 20000, false, 4, NULL, 0);
    assert_string_equal(t.tick[0].label, "\u221220 000");
    assert_int_equal(t.exponent, 0);
    gan__ticks_make(&t, 0, 3e7, false, 4, NULL, 0);
    assert_int_equal(t.exponent, 7);
    assert_string_equal(t.tick[t.n - 1].label, "3");
    gan__ticks_make(&t, 1e-4, 1e3, true, 8, NULL, 0);
    int labelled = 0;
    for (int i = 0; i < t.n; i++) {
        labelled += t.tick[i].label[0] != '\0';
    }
    assert_int_equal(labelled, 8);
    assert_string_equal(t.tick[0].label, "10\u207b\u2074");
    gan__ticks_make(&t, 4e-6, 2, true, 6, NULL, 0); /* many small ones: none is lost */
    bool one = false;
    for (int i = 0; i < t.n; i++) {
        one = one || strcmp(t.tick[i].label, "10\u2070") == 0;
    }
    assert_true(one);
    char text[32];
    gan__format_power(text, sizeof text, -12);
    assert_string_equal(text, "10\u207b\u00b9\u00b2");
}

/* A line of the distance from the middle at radius 20: its points lie on the circle as far as the
 * grid's linear interpolation of a curved surface goes, (1/8)/radius of a cell. */
struct circle {
    double worst, area;
    int lines;
    bool closed;
};

static void take_circle(void *ctx, const double *xy, size_t n, bool closed)
{
    struct circle *c = ctx;
    c->lines++;
    c->closed = closed;
    for (size_t i = 0; i < n; i++) {
        c->worst = fmax(c->worst, fabs(hypot(xy[2 * i] - 31, xy[2 * i + 1] - 31) - 20));
    }
}

static void take_area(void *ctx, const double *xy, size_t n, bool closed)
{
    struct circle *c = ctx;
    c->closed = closed;
    for (size_t i = 0; i < n; i++) {
        size_t k = (i + 1) % n;
        c->area += (xy[2 * i] * xy[2 * k + 1] - xy[2 * k] * xy[2 * i + 1]) / 2;
    }
}

static void contours_of_a_circle(void **state)
{
    (void)state;
    static double z[63 * 63];
    struct circle c = {0};
    for (int j = 0; j < 63; j++) {
        for (int i = 0; i < 63; i++) {
            z[j * 63 + i] = -hypot(i - 31, j - 31);
        }
    }
    assert_true(gan__contour_lines(z, 63, 63, -20, &(struct gan__contour_sink){take_circle, &c}));
    assert_int_equal(c.lines, 1);
    assert_true(c.closed);
    assert_true(c.worst < 0.01);
    gan__contour_area(z, 63, 63, -20, &(struct gan__contour_sink){take_area, &c});
    const double disk = 3.14159265358979 * 400; /* chords inside the arc: a little less */
    assert_true(c.area < disk + 1e-9 && c.area > disk * 0.998);
    c = (struct circle){0};
    z[31 * 63 + 11] = (double)NAN; /* on the circle: the ring opens */
    assert_true(gan__contour_lines(z, 63, 63, -20, &(struct gan__contour_sink){take_circle, &c}));
    assert_int_equal(c.lines, 1);
    assert_false(c.closed);
    double level[16];
    assert_int_equal(gan__nice_levels(-1, 1, 4, level, 16), 3);
    assert_true(fabs(level[0] + 0.5) < 1e-12);
    assert_int_equal(gan__nice_levels(1, 1, 4, level, 16), 0);
}

/* Lines of neighbouring levels and saddles: areas above and below a level fill the grid. */
static void areas_of_noise_add_up(void **state)
{
    (void)state;
    double z[15 * 11], minus[15 * 11];
    unsigned seed = 7;
    for (int i = 0; i < 15 * 11; i++) {
        seed = seed * 1664525u + 1013904223u;
        z[i] = (double)(seed >> 8) / (double)(1u << 24) - 0.5;
        minus[i] = -z[i];
    }
    struct circle c = {0};
    gan__contour_area(z, 15, 11, 0.1, &(struct gan__contour_sink){take_area, &c});
    assert_true(c.area > 10);
    gan__contour_area(minus, 15, 11, -0.1, &(struct gan__contour_sink){take_area, &c});
    assert_true(fabs(c.area - 14 * 10) < 1e-9); /* f64 sums of 140 cells */
}

static void colors_are_apart(void **state)
{
    (void)state;
    double before = -1, rgb[3];
    for (int i = 0; i <= 100; i++) { /* lightness grows evenly: 0.68 over the map */
        gan_map_color(GAN_MAP_SEQUENTIAL, i / 100.0, rgb);
        double light = gan__color_lightness(rgb);
        if (i > 0) { /* rounding to sRGB's curve only */
            assert_true(fabs(light - before - 0.0068) < 1e-3);
        }
        before = light;
    }
    double low[3], high[3];
    gan_map_color(GAN_MAP_DIVERGING, 0, low);
    gan_map_color(GAN_MAP_DIVERGING, 1, high);
    gan_map_color(GAN_MAP_DIVERGING, 0.5, rgb);
    assert_true(rgb[0] > 0.95 && rgb[1] > 0.95 && rgb[2] > 0.95);
    assert_true(low[2] > low[0] && high[0] > high[2]);
    assert_int_equal(gan__color_next(0), GAN_COLOR_BLUE);
    assert_int_equal(gan__color_next(6), GAN_COLOR_BLUE);
}

/* --- errors ------------------------------------------------------------------------------------- */

static void errors_stay(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    gan_err err = {0};
    const double y[2] = {1, 2};
    gan_figure *f = gan_figure_new(1, 2, NULL);
    assert_null(gan_figure_panel(f, 1, 0));
    assert_int_equal(gan_figure_status(f), GAN_E_RANGE);
    gan_plot_line(gan_figure_panel(f, 0, 0), NULL, y, 2, NULL);
    assert_int_equal(gan_figure_write(f, in("a.png"), &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "panel 1,0 of a figure of 1x2"));
    assert_false(gan__path_exists(in("a.png")));
    gan_figure_free(f);

    f = gan_figure_new(0, 1, NULL);
    assert_int_equal(gan_figure_status(f), GAN_E_RANGE);
    assert_null(gan_figure_panel(f, 0, 0));
    gan_figure_free(f);

    static const double levels[2] = {1, 1}, z[4] = {0, 1, 2, 3};
    struct gan_surface s = {z, 2, 2, 0, 1, 0, 1};
    f = gan_figure_new(1, 1, NULL);
    gan_plot_contours(gan_figure_panel(f, 0, 0), &s, levels, 2, NULL);
    assert_int_equal(gan_figure_status(f), GAN_E_RANGE);
    gan_figure_free(f);

    f = gan_figure_new(1, 1, NULL);
    gan_panel_y(gan_figure_panel(f, 0, 0), &(struct gan_axis){.log = true, .low = 0, .high = 1});
    assert_int_equal(gan_figure_status(f), GAN_E_RANGE);
    gan_figure_free(f);

    f = gan_figure_new(1, 1, NULL);
    err = (gan_err){0};
    assert_int_equal(gan_figure_write(f, in("a.gif"), &err), GAN_E_ARG);
    gan_figure_free(f);
    err = (gan_err){0};
    assert_int_equal(gan_figure_write(NULL, in("a.png"), &err), GAN_E_NOMEM);
    gan_figure_free(NULL);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

#if GAN_HAVE_CAIRO && GAN_HAVE_SPNG

/* --- with drawing ------------------------------------------------------------------------------- */

static void write_and_read(gan_figure *f, struct gan__image *image)
{
    gan_err err = {0};
    if (gan_figure_write(f, in("f.png"), &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(gan__png_read(in("f.png"), image, &err), GAN_OK);
    assert_int_equal(image->channels, 4);
    gan_figure_free(f);
}

/* Whether a pixel is near a colour of the palette: within 12 of 255 in each channel. */
static bool is_color(const struct gan__image *m, int64_t x, int64_t y, gan_color c)
{
    const uint8_t *p = m->data + (y * m->width + x) * 4;
    const double *rgb = gan__color_rgb(c);
    for (int k = 0; k < 3; k++) {
        if (fabs(p[k] - rgb[k] * 255) > 12) {
            return false;
        }
    }
    return true;
}

static int64_t count_color(const struct gan__image *m, gan_color c)
{
    int64_t n = 0;
    for (int64_t y = 0; y < m->height; y++) {
        for (int64_t x = 0; x < m->width; x++) {
            n += is_color(m, x, y, c);
        }
    }
    return n;
}

/* Texts that are cut would have ink in the outermost pixels. */
static void assert_white_border(const struct gan__image *m)
{
    for (int64_t y = 0; y < m->height; y++) {
        for (int64_t x = 0; x < m->width; x++) {
            if (x < 2 || y < 2 || x >= m->width - 2 || y >= m->height - 2) {
                const uint8_t *p = m->data + (y * m->width + x) * 4;
                if (p[0] != 255 || p[1] != 255 || p[2] != 255) {
                    fail_msg("ink in the border at %d,%d", (int)x, (int)y);
                }
            }
        }
    }
}

/* An image panel without axes in known surroundings: one pixel of the image is 10x10 on paper. */
static void image_in_its_place(void **state)
{
    (void)state;
    struct gan__image m;
    struct gan__alloc_stats before = gan__alloc_stats();
    const unsigned char px[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0};
    gan_figure *f =
        gan_figure_new(1, 1, &(struct gan_figure_opts){.panel_width = 132, .panel_height = 116});
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_bare(p);
    gan_plot_image(p, px, 2, 2, 3);
    write_and_read(f, &m);
    assert_int_equal(m.width, 132);
    assert_int_equal(m.height, 116);
    /* margins 16 left and right, 8 above and below: the four pixels are 50x50 each */
    static const int spot[4][2] = {{17, 9}, {114, 9}, {17, 106}, {114, 106}};
    for (int i = 0; i < 4; i++) {
        assert_memory_equal(m.data + (spot[i][1] * m.width + spot[i][0]) * 4, px + 3 * i, 3);
    }
    assert_memory_equal(m.data + (57 * m.width + 65) * 4, px, 3);     /* last of the first */
    assert_memory_equal(m.data + (58 * m.width + 66) * 4, px + 9, 3); /* first of the last */
    gan__free(m.data);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

/* Middle of the ink of a colour. */
static void middle_of(const struct gan__image *m, gan_color c, double *x, double *y)
{
    double n = 0;
    *x = *y = 0;
    for (int64_t v = 0; v < m->height; v++) {
        for (int64_t u = 0; u < m->width; u++) {
            if (is_color(m, u, v, c)) {
                *x += (double)u + 0.5;
                *y += (double)v + 0.5;
                n += 1;
            }
        }
    }
    assert_true(n > 0);
    *x /= n;
    *y /= n;
}

/* Three points of three colours: the middle one stands in the middle, linear and logarithmic. */
static void points_in_their_places(void **state)
{
    (void)state;
    static const double where[2][3] = {{0, 5, 10}, {0.01, 1, 100}};
    static const gan_color color[3] = {GAN_COLOR_BLUE, GAN_COLOR_VERMILION, GAN_COLOR_GREEN};
    for (int log = 0; log < 2; log++) {
        struct gan__image m;
        double x[3], y[3];
        gan_figure *f = gan_figure_new(1, 1, NULL);
        gan_panel *p = gan_figure_panel(f, 0, 0);
        gan_panel_x(p, &(struct gan_axis){.log = log == 1});
        gan_panel_y(p, &(struct gan_axis){.log = log == 1});
        for (int i = 0; i < 3; i++) {
            const struct gan_style style = {.color = color[i], .size = 20};
            gan_plot_points(p, &where[log][i], &where[log][i], 1, &style);
        }
        write_and_read(f, &m);
        assert_int_equal(m.width, 640);
        assert_int_equal(m.height, 480);
        for (int i = 0; i < 3; i++) {
            middle_of(&m, color[i], &x[i], &y[i]);
        }
        /* half a pixel: the grid's lines are seen at the edges of the discs */
        assert_true(fabs(x[1] - (x[0] + x[2]) / 2) < 0.5 && x[2] > x[0] + 300);
        assert_true(fabs(y[1] - (y[0] + y[2]) / 2) < 0.5 && y[2] < y[0] - 200);
        assert_white_border(&m);
        gan__free(m.data);
    }
}

static void gaps_break_lines(void **state)
{
    (void)state;
    int64_t ink[3];
    for (int i = 0; i < 3; i++) { /* whole, with a gap in the middle, nothing but gaps */
        struct gan__image m;
        double y[101];
        for (int k = 0; k <= 100; k++) {
            bool gap = (i == 1 && k > 40 && k < 60) || i == 2;
            y[k] = gap ? (k % 2 == 0 ? (double)NAN : (double)INFINITY) : 1;
        }
        gan_figure *f = gan_figure_new(1, 1, NULL);
        gan_plot_line(gan_figure_panel(f, 0, 0), NULL, y, 101,
                      &(struct gan_style){.color = GAN_COLOR_VERMILION, .width = 4});
        write_and_read(f, &m);
        ink[i] = count_color(&m, GAN_COLOR_VERMILION);
        gan__free(m.data);
    }
    assert_int_equal(ink[2], 0);
    double ratio = (double)ink[1] / (double)ink[0]; /* 80 of 100 parts, and two round ends */
    assert_true(ratio > 0.79 && ratio < 0.82);
}

static void bars_stand_on_zero(void **state)
{
    (void)state;
    struct gan__image m;
    static const double y[3] = {4, -2, (double)NAN};
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_plot_bars(p, NULL, y, 1, 0.5, &(struct gan_style){.color = GAN_COLOR_VERMILION});
    gan_plot_bars(p, (double[]){1, 2}, y + 1, 2, 0.5,
                  &(struct gan_style){.color = GAN_COLOR_GREEN});
    write_and_read(f, &m);
    double up = (double)count_color(&m, GAN_COLOR_VERMILION);
    double down = (double)count_color(&m, GAN_COLOR_GREEN);
    assert_true(up > 1000 && fabs(up / down - 2) < 0.1); /* edges are blended: a row of 120 */
    double x0, y0, x1, y1;
    middle_of(&m, GAN_COLOR_VERMILION, &x0, &y0);
    middle_of(&m, GAN_COLOR_GREEN, &x1, &y1);
    assert_true(y0 < y1 && x0 < x1);
    gan__free(m.data);
}

/* Heat: the left half low, the right half high, a gap grey. */
static void heat_and_bar(void **state)
{
    (void)state;
    struct gan__image m;
    static const double z[4] = {0, 1, 0, (double)NAN};
    struct gan_surface s = {z, 2, 2, 0, 1, 0, 1};
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_plot_heat(gan_figure_panel(f, 0, 0), &s,
                  &(struct gan_style){.map = GAN_MAP_GRAY, .bar = "value"});
    write_and_read(f, &m);
    int64_t gray = 0, black = 0, white = 0;
    for (int64_t i = 0; i < m.width * m.height; i++) {
        const uint8_t *p = m.data + i * 4;
        black += p[0] == 0;
        white += p[0] == 255;
        gray += p[0] >= 178 && p[0] <= 180;
    }
    assert_true(black > 2 * gray * 9 / 10 && black < 2 * gray * 11 / 10); /* and the bar's end */
    assert_true(white > gray);
    assert_white_border(&m);
    gan__free(m.data);
}

static void texts_are_whole(void **state)
{
    (void)state;
    struct gan__image m;
    static const char *const names[3] = {"a name as long as some names are", "b",
                                         "another long name, and one more word"};
    const double y[3] = {-1.5e-9, 2e-9, 12345e-9};
    gan_figure *f = gan_figure_new(
        2, 2,
        &(struct gan_figure_opts){.title = "A title that is so long that it cannot stand in one "
                                           "line over panels of this width: it is broken and "
                                           "nothing of it is lost on either side",
                                  .panel_height = 720});
    for (int i = 0; i < 4; i++) {
        gan_panel *p = gan_figure_panel(f, i / 2, i % 2);
        gan_panel_title(p, "A title of a panel that needs more than one line of its panel's width");
        gan_panel_x(p, &(struct gan_axis){.label = "a label of the axis that is longer than the "
                                                   "axis it belongs to",
                                          .names = i == 0 ? names : NULL,
                                          .n_names = i == 0 ? 3 : 0});
        gan_panel_y(p, &(struct gan_axis){.label = "unbreakableunbreakableunbreakable"});
        gan_plot_line(p, NULL, y, 3,
                      &(struct gan_style){
                          .label = "a legend whose words do not fit into any corner of the plot, "
                                   "nor into one line below it, as sometimes happens"});
        gan_plot_text(p, 2, 12345e-9, "words at the upper right end of the line");
    }
    write_and_read(f, &m);
    assert_int_equal(m.width, 2 * 640);
    assert_true(m.height > 2 * 720); /* and the title */
    assert_white_border(&m);
    gan__free(m.data);
}

static void too_small_is_told(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_figure *f =
        gan_figure_new(1, 1, &(struct gan_figure_opts){.panel_width = 90, .panel_height = 90});
    gan_panel_title(gan_figure_panel(f, 0, 0), "too much for so little room");
    assert_int_equal(gan_figure_write(f, in("s.png"), &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "a panel of 90x90 pixels is too small"));
    assert_false(gan__path_exists(in("s.png")));
    gan_figure_free(f);
}

/* Empty and constant data of every layer. */
static void nothing_to_draw(void **state)
{
    (void)state;
    struct gan__image m;
    static const double none[4] = {(double)NAN, (double)NAN, (double)NAN, (double)NAN},
                        same[4] = {3, 3, 3, 3};
    const double *data[2] = {none, same};
    gan_figure *f = gan_figure_new(2, 5, NULL);
    for (int i = 0; i < 2; i++) {
        const double *v = data[i];
        struct gan_surface s = {v, 2, 2, 0, 1, 0, 1};
        gan_plot_line(gan_figure_panel(f, i, 0), v, v, i == 0 ? 0 : 4, NULL);
        gan_plot_histogram(gan_figure_panel(f, i, 1), v, 4, 5, true, NULL);
        gan_plot_contours(gan_figure_panel(f, i, 2), &s, NULL, 0, NULL);
        gan_plot_contours(gan_figure_panel(f, i, 3), &s, NULL, 0,
                          &(struct gan_style){.filled = true});
        gan_plot_arrows(gan_figure_panel(f, i, 4), v, v, none, v, 4, 1, NULL);
        gan_panel_y(gan_figure_panel(f, i, 0), &(struct gan_axis){.log = true});
    }
    write_and_read(f, &m);
    gan__free(m.data);
}

/* The same figure twice, in both formats, with what cairo numbers by process (images). */
static void same_bytes(void **state)
{
    (void)state;
    static const double z[4] = {0, 1, 2, 3};
    static const char *const file[4] = {"a.svg", "b.svg", "a.png", "b.png"};
    struct gan_surface s = {z, 2, 2, 0, 1, 0, 1};
    char *bytes[4];
    size_t size[4];
    gan_err err = {0};
    gan_figure *f = gan_figure_new(1, 1, NULL);
    gan_plot_heat(gan_figure_panel(f, 0, 0), &s, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(gan_figure_write(f, in(file[i]), &err), GAN_OK);
        assert_int_equal(gan__file_read(in(file[i]), 1 << 24, &bytes[i], &size[i], &err), GAN_OK);
    }
    assert_int_equal(gan_figure_write(f, in("absent/a.png"), &err), GAN_E_NOTFOUND);
    gan_figure_free(f);
    for (int i = 0; i < 4; i += 2) {
        assert_int_equal(size[i], size[i + 1]);
        assert_memory_equal(bytes[i], bytes[i + 1], size[i]);
    }
    assert_non_null(strstr(bytes[0], "<svg"));
    for (int i = 0; i < 4; i++) {
        gan__free(bytes[i]);
    }
}

static void failing_memory(void **state)
{
    (void)state;
    static const double z[9] = {0, 1, 2, 3, 2, 1, 0, 1, 2};
    struct gan__alloc_stats before = gan__alloc_stats();
    for (uint64_t n = 1;; n++) {
        gan_err err = {0};
        gan__alloc_fail_at(n);
        gan_figure *f = gan_figure_new(1, 1, &(struct gan_figure_opts){.title = "title"});
        gan_panel *p = gan_figure_panel(f, 0, 0);
        gan_panel_x(p, &(struct gan_axis){.label = "x"});
        gan_plot_contours(p, &(struct gan_surface){z, 3, 3, 0, 1, 0, 1}, NULL, 3, NULL);
        gan_plot_heat(p, &(struct gan_surface){z, 3, 3, 0, 1, 0, 1}, NULL);
        gan_plot_histogram(p, z, 9, 3, false, &(struct gan_style){.label = "z"});
        gan_status status = gan_figure_write(f, in(n % 2 == 0 ? "m.svg" : "m.png"), &err);
        gan__alloc_fail_at(0);
        gan_figure_free(f);
        assert_int_equal(gan__alloc_stats().live, before.live);
        if (status == GAN_OK) {
            assert_true(n > 15);
            break;
        }
        assert_int_equal(status, GAN_E_NOMEM);
    }
}

#else

static void unsupported(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_figure *f = gan_figure_new(1, 1, NULL);
    (void)gan_figure_panel(f, 0, 0);
    assert_int_equal(gan_figure_write(f, in("a.png"), &err), GAN_E_UNSUPPORTED);
    assert_false(gan__path_exists(in("a.png")));
    gan_figure_free(f);
}

#endif

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_nice),
        cmocka_unit_test(contours_of_a_circle),
        cmocka_unit_test(areas_of_noise_add_up),
        cmocka_unit_test(colors_are_apart),
        CASE(errors_stay),
#if GAN_HAVE_CAIRO && GAN_HAVE_SPNG
        CASE(image_in_its_place),
        CASE(points_in_their_places),
        CASE(gaps_break_lines),
        CASE(bars_stand_on_zero),
        CASE(heat_and_bar),
        CASE(texts_are_whole),
        CASE(too_small_is_told),
        CASE(nothing_to_draw),
        CASE(same_bytes),
        CASE(failing_memory),
#else
        CASE(unsupported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
