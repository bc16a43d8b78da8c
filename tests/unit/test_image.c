/* test_image.c: image files of every kind into bytes; what is broken is named. The files are made by
 * tools/golden_images.py: left half (200,40,80), right half (20,160,230); gray 60 and 190. */
#include "base/file.h"
#include "gan_config.h"
#include "support/temp_dir.h"

#include <gan/image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

static const char *corpus(const char *name)
{
    static char path[1024];
    (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/image/%s", GAN_SOURCE_DIR, name);
    return path;
}

/* Pixels well inside both halves, away from JPEG's ringing, to a tolerance. */
static void check_halves(const char *name, const char *format, int64_t channels, const int left[3],
                         const int right[3], int tolerance)
{
    struct gan_image image, head;
    gan_err err = {0};
    if (gan_image_read(corpus(name), NULL, &image, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(gan_image_probe(corpus(name), &head, &err), GAN_OK);
    assert_null(head.data);
    assert_int_equal(head.height, 16);
    assert_int_equal(head.width, 24);
    assert_string_equal(image.format, format);
    assert_int_equal(image.channels, channels);
    assert_int_equal(image.height, 16);
    assert_int_equal(image.width, 24);
    for (int64_t y = 0; y < 16; y++) {
        for (int64_t x = 0; x < 24; x++) {
            const int *want = x < 12 ? left : right;
            for (int64_t k = 0; k < channels && x != 11 && x != 12; k++) {
                int got = image.data[(y * 24 + x) * channels + k];
                if (abs(got - want[k]) > tolerance) {
                    fail_msg("%s: pixel %d,%d channel %d is %d, expected %d", name, (int)x, (int)y,
                             (int)k, got, want[k]);
                }
            }
        }
    }
    gan_image_release(&image);
}

static const int red[3] = {200, 40, 80}, blue[3] = {20, 160, 230};
static const int dark[3] = {60, 60, 60}, light[3] = {190, 190, 190};
static const int black[3] = {0, 0, 0}, white[3] = {255, 255, 255};

static void test_pnm(void **state)
{
    (void)state;
    check_halves("rgb.ppm", "pnm", 3, red, blue, 0);
    check_halves("text.ppm", "pnm", 3, red, blue, 0);
    check_halves("gray.pgm", "pnm", 1, dark, light, 0);
    check_halves("gray16.pgm", "pnm", 1, dark, light, 0);
    const int scaled[3] = {(60 * 255 + 95) / 190, 0, 0};
    check_halves("text.pgm", "pnm", 1, scaled, white, 0);
    check_halves("bits.pbm", "pnm", 1, black, white, 0);
    check_halves("text.pbm", "pnm", 1, black, white, 0);
}

#if GAN_HAVE_SPNG
static void test_png(void **state)
{
    (void)state;
    check_halves("rgb.png", "png", 3, red, blue, 0);
    check_halves("palette.png", "png", 3, red, blue, 0);
    check_halves("gray.png", "png", 1, dark, light, 0);
    check_halves("gray1.png", "png", 1, black, white, 0);
    check_halves("gray16.png", "png", 1, dark, light, 0);
    check_halves("rgba.png", "png", 3, red, white, 0); /* the right half is transparent */
    check_halves("ga.png", "png", 1, dark, white, 0);
}

/* Every depth comes to 8 bits by the nearest level; transparent colours are transparent. */
static void test_png_depths(void **state)
{
    (void)state;
    static const int l85[3] = {85, 85, 85}, l170[3] = {170, 170, 170}, l68[3] = {68, 68, 68};
    static const int l187[3] = {187, 187, 187}, l61[3] = {61, 61, 61}, l189[3] = {189, 189, 189};
    static const int l80[3] = {80, 80, 80};
    check_halves("gray2.png", "png", 1, l85, l170, 0);
    check_halves("gray4.png", "png", 1, l68, l187, 0);
    check_halves("gray16near.png", "png", 1, l61, l189, 0);
    check_halves("graytrns.png", "png", 1, l80, white, 0);
    check_halves("rgb16.png", "png", 3, red, blue, 0);
    check_halves("rgba16.png", "png", 3, red, white, 0);
    check_halves("ga16.png", "png", 1, dark, white, 0);
    check_halves("palette1.png", "png", 3, red, blue, 0);
    check_halves("palette2.png", "png", 3, red, blue, 0);
    check_halves("palette4.png", "png", 3, red, blue, 0);
    check_halves("palettetrns.png", "png", 3, red, white, 0);
    check_halves("interlaced.png", "png", 3, red, blue, 0);
    check_halves("interlaced1.png", "png", 1, black, white, 0);
}

static void test_background(void **state)
{
    static const uint8_t green[3] = {0, 255, 0};
    struct gan_image image;
    (void)state;
    assert_int_equal(gan_image_read(corpus("ga.png"), green, &image, NULL), GAN_OK);
    assert_int_equal(image.channels, 3); /* colour shines through gray */
    assert_true(image.alpha);
    assert_memory_equal(image.data + 23 * 3, green, 3);
    gan_image_release(&image);
}
#endif

#if GAN_HAVE_JPEG
/* Flat halves at quality 95: rounding of coefficients, and of YCbCr, moves a level by a few. Chroma at
 * half size and CMYK's own rounding need more. */
static void test_jpeg(void **state)
{
    (void)state;
    check_halves("gray.jpg", "jpeg", 1, dark, light, 4);
    check_halves("rgb.jpg", "jpeg", 3, red, blue, 6);
    check_halves("progressive.jpg", "jpeg", 3, red, blue, 40);
    check_halves("cmyk.jpg", "jpeg", 3, red, blue, 8);
    check_halves("cmykprogressive.jpg", "jpeg", 3, red, blue, 8);
}

/* One picture of four quarters stored in the eight ways: what is read is the same, and its header says
 * the size after turning. Quality 95 moves flat levels by less than 5, away from the edges. */
static void test_exif(void **state)
{
    (void)state;
    static const char *const names[] = {"exif1.jpg", "exif2.jpg", "exif3.jpg",
                                        "exif4.jpg", "exif5.jpg", "exif6.jpg",
                                        "exif7.jpg", "exif8.jpg", "exif6le.jpg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct gan_image image, head;
        gan_err err = {0};
        assert_int_equal(gan_image_probe(corpus(names[i]), &head, &err), GAN_OK);
        assert_int_equal(gan_image_read(corpus(names[i]), NULL, &image, &err), GAN_OK);
        assert_int_equal(head.height, 16);
        assert_int_equal(head.width, 24);
        assert_int_equal(image.height, 16);
        assert_int_equal(image.width, 24);
        static const int at[4][3] = {{2, 3, 30}, {2, 20, 100}, {13, 3, 170}, {13, 20, 240}};
        for (size_t q = 0; q < 4; q++) {
            int got = image.data[at[q][0] * 24 + at[q][1]];
            if (abs(got - at[q][2]) > 5) {
                fail_msg("%s: quarter %zu is %d, expected %d", names[i], q, got, at[q][2]);
            }
        }
        gan_image_release(&image);
    }
}
#endif

static void refuse(const char *path, gan_status code, const char *part)
{
    struct gan_image image;
    gan_err err = {0};
    assert_int_equal(gan_image_read(path, NULL, &image, &err), code);
    assert_null(image.data);
    const char *base = gan__path_base(path);
    if (strstr(err.message, base) == NULL || strstr(err.message, part) == NULL) {
        fail_msg("'%s' does not name %s and '%s'", err.message, base, part);
    }
}

static void test_broken(void **state)
{
    (void)state;
    refuse(corpus("huge.ppm"), GAN_E_FORMAT, "promises");
    refuse(corpus("level.pgm"), GAN_E_FORMAT, "the most is 100");
#if GAN_HAVE_JPEG
    refuse(corpus("cut.jpg"), GAN_E_FORMAT, "JPEG");
    refuse(corpus("header.jpg"), GAN_E_FORMAT, "JPEG");
#else
    refuse(corpus("rgb.jpg"), GAN_E_UNSUPPORTED, "GAN_JPEG");
#endif
    refuse("/nowhere/absent.png", GAN_E_NOTFOUND, "absent");
    assert_int_equal(gan__file_replace(in("empty.png"), "", 0, NULL), GAN_OK);
    refuse(in("empty.png"), GAN_E_FORMAT, "empty");
    assert_int_equal(gan__file_replace(in("text.png"), "hello", 5, NULL), GAN_OK);
    refuse(in("text.png"), GAN_E_FORMAT, "neither PNG");
    assert_int_equal(gan__file_replace(in("a.ppm"), "P6 2 2 255\nabc", 14, NULL), GAN_OK);
    refuse(in("a.ppm"), GAN_E_FORMAT, "value 3 of 12");
    assert_int_equal(gan__file_replace(in("b.ppm"), "P6 0 2 255\n", 11, NULL), GAN_OK);
    refuse(in("b.ppm"), GAN_E_FORMAT, "header");
}

static void test_names(void **state)
{
    (void)state;
    assert_true(gan_image_named("a/b.JPG"));
    assert_true(gan_image_named("x.png"));
    assert_false(gan_image_named("a.png/readme"));
    assert_false(gan_image_named("x.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pnm),
#if GAN_HAVE_SPNG
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_png_depths),
        cmocka_unit_test(test_background),
#endif
#if GAN_HAVE_JPEG
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_exif),
#endif
        cmocka_unit_test_setup_teardown(test_broken, make, drop),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
