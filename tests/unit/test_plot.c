/* test_plot.c: PNG out and in, text chunks, damaged files, grids, contact sheets. */
#include "base/alloc.h"
#include "base/file.h"
#include "plot/grid.h"
#include "support/idx_file.h"

#include "gan_config.h"

#include <math.h>
#include <sys/stat.h>
#include <zlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

static void bytes_of_values(void **state)
{
    (void)state;
    for (int u = 0; u < 256; u++) { /* the loader's values come back as the bytes they were */
        assert_int_equal(gan__byte_of((float)(u / 127.5 - 1.0), GAN_RANGE_SIGNED), u);
        assert_int_equal(gan__byte_of((float)(u / 255.0), GAN_RANGE_UNIT), u);
    }
    assert_int_equal(gan__byte_of(-7.0f, GAN_RANGE_SIGNED), 0);
    assert_int_equal(gan__byte_of(7.0f, GAN_RANGE_SIGNED), 255);
    assert_int_equal(gan__byte_of((float)INFINITY, GAN_RANGE_UNIT), 255);
    assert_int_equal(gan__byte_of((float)NAN, GAN_RANGE_UNIT), 0);
}

static void layout(void **state)
{
    (void)state;
    struct gan__grid g;
    gan_err err = {0};
    struct gan__alloc_stats before = gan__alloc_stats();
    struct gan__grid_cfg cfg = {
        .n = 3, .height = 1, .width = 2, .channels = 1, .columns = 2, .scale = 2, .gap = 1};
    static const float images[6] = {-1, 1, 1, -1, 0, 0};
    assert_int_equal(gan__grid_init(&g, &cfg, &err), GAN_OK);
    for (int64_t k = 0; k < 3; k++) {
        gan__grid_put(&g, k, images + 2 * k, GAN_RANGE_SIGNED);
    }
    /* gap 1, cells of 2x4, gap 1: 7 rows of 11; the fourth cell stays white */
    static const uint8_t want[7][11] = {
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
        {255, 0, 0, 255, 255, 255, 255, 255, 0, 0, 255},
        {255, 0, 0, 255, 255, 255, 255, 255, 0, 0, 255},
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
        {255, 128, 128, 128, 128, 255, 255, 255, 255, 255, 255},
        {255, 128, 128, 128, 128, 255, 255, 255, 255, 255, 255},
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
    };
    assert_int_equal(g.image.height, 7);
    assert_int_equal(g.image.width, 11);
    assert_memory_equal(g.image.data, want, sizeof want);
    gan__grid_release(&g);
    cfg = (struct gan__grid_cfg){.n = 64, .height = 28, .width = 28, .channels = 3, .gap = -1};
    assert_int_equal(gan__grid_init(&g, &cfg, &err), GAN_OK);
    assert_int_equal(g.cfg.columns, 8);
    assert_int_equal(g.cfg.scale, 2); /* 28 is below 56 */
    assert_int_equal(g.image.width, 2 + 8 * 58);
    gan__grid_release(&g);
    assert_int_equal(gan__grid_scale(32, 32), 2);
    assert_int_equal(gan__grid_scale(64, 64), 1);
    assert_int_equal(gan__grid_scale(200, 1), 56);
    cfg.n = 0;
    assert_int_equal(gan__grid_init(&g, &cfg, &err), GAN_E_RANGE);
    gan__grid_release(&g);
    err = (gan_err){0};
    cfg.n = 1;
    cfg.scale = 30000;
    assert_int_equal(gan__grid_init(&g, &cfg, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "allowed 32768 on a side"));
    assert_int_equal(gan__alloc_stats().live, before.live);
}

#if GAN_HAVE_SPNG

static void there_and_back(void **state)
{
    (void)state;
    uint8_t px[5 * 3 * 4];
    gan_err err = {0};
    struct gan__alloc_stats before = gan__alloc_stats();
    for (size_t i = 0; i < sizeof px; i++) {
        px[i] = (uint8_t)(i * 37);
    }
    static const struct gan__png_text texts[] = {{"seed", "42"}, {"Title", "m\xc3\xa4nner"}};
    static const int64_t channels[] = {1, 3, 4};
    for (size_t k = 0; k < 3; k++) {
        int64_t c = channels[k];
        const struct gan__image image = {.data = px, .height = 5, .width = 3, .channels = c};
        struct gan__image back;
        char *one, *two, text[32];
        size_t n_one, n_two;
        assert_int_equal(gan__png_write(in("a.png"), &image, texts, 2, &err), GAN_OK);
        assert_int_equal(gan__png_read(in("a.png"), &back, &err), GAN_OK);
        assert_int_equal(back.height, 5);
        assert_int_equal(back.width, 3);
        assert_int_equal(back.channels, c == 1 ? 1 : 4);
        for (int64_t i = 0; i < 15; i++) {
            for (int64_t j = 0; j < back.channels; j++) {
                assert_int_equal(back.data[i * back.channels + j], j < c ? px[i * c + j] : 255);
            }
        }
        gan__free(back.data);
        assert_int_equal(gan__png_text(in("a.png"), "seed", text, sizeof text, &err), GAN_OK);
        assert_string_equal(text, "42");
        assert_int_equal(gan__png_text(in("a.png"), "Title", text, sizeof text, &err), GAN_OK);
        assert_string_equal(text, "m\xc3\xa4nner");
        assert_int_equal(gan__png_text(in("a.png"), "none", text, sizeof text, &err),
                         GAN_E_NOTFOUND);
        err = (gan_err){0};
        assert_int_equal(gan__png_write(in("b.png"), &image, texts, 2, &err), GAN_OK);
        assert_int_equal(gan__file_read(in("a.png"), 9999, &one, &n_one, &err), GAN_OK);
        assert_int_equal(gan__file_read(in("b.png"), 9999, &two, &n_two, &err), GAN_OK);
        assert_int_equal(n_one, n_two);
        assert_memory_equal(one, two, n_one); /* the same image, the same bytes */
        gan__free(one);
        gan__free(two);
    }
    assert_int_equal(gan__alloc_stats().live, before.live);
}

static void bad_files(void **state)
{
    (void)state;
    static uint8_t px[64 * 64];
    char *data;
    size_t size;
    gan_err err = {0};
    struct gan__image image = {.data = px, .height = 64, .width = 64, .channels = 1}, back;
    for (size_t i = 0; i < sizeof px; i++) {
        px[i] = (uint8_t)(i * i * 7 + i / 3);
    }
    struct gan__alloc_stats before = gan__alloc_stats();
    assert_int_equal(gan__png_write(in("a.png"), &image, NULL, 0, &err), GAN_OK);
    assert_int_equal(gan__file_read(in("a.png"), 1 << 20, &data, &size, &err), GAN_OK);
    for (size_t n = 0; n + 12 < size; n += 13) { /* all but the last chunk is needed */
        err = (gan_err){0};
        temp_write(&tmp, "cut.png", data, n);
        assert_int_equal(gan__png_read(in("cut.png"), &back, &err), GAN_E_FORMAT);
        assert_non_null(strstr(err.message, "cut.png: "));
        assert_null(back.data);
    }
    static const uint8_t side[8] = {0, 0, 0x4e, 0x20, 0, 0, 0x32, 0xc8}; /* 20000x13000 */
    uint8_t *header = (uint8_t *)data + 12;
    char *kept = gan__alloc(size);
    assert_non_null(kept);
    memcpy(kept, data, size);
    memcpy(header + 4, side, sizeof side);
    for (size_t k = 0, crc = crc32(0, header, 17); k < 4; k++) {
        header[17 + k] = (uint8_t)(crc >> (24 - 8 * k));
    }
    err = (gan_err){0};
    temp_write(&tmp, "lie.png", data, size);
    assert_int_equal(gan__png_read(in("lie.png"), &back, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "promises 20000x13000 pixels, more than its"));
    memcpy(data, kept, size);
    gan__free(kept);
    data[size / 2] ^= 1;
    err = (gan_err){0};
    temp_write(&tmp, "bit.png", data, size);
    assert_int_equal(gan__png_read(in("bit.png"), &back, &err), GAN_E_FORMAT);
    gan__free(data);
    err = (gan_err){0};
    assert_int_equal(gan__png_read(in("absent.png"), &back, &err), GAN_E_NOTFOUND);
    err = (gan_err){0};
    assert_int_equal(gan__png_write(in("no/a.png"), &image, NULL, 0, &err), GAN_E_NOTFOUND);
    err = (gan_err){0};
    image.channels = 2;
    assert_int_equal(gan__png_write(in("a.png"), &image, NULL, 0, &err), GAN_E_RANGE);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

static void failing_memory(void **state)
{
    (void)state;
    static uint8_t px[16 * 16];
    const struct gan__image image = {.data = px, .height = 16, .width = 16, .channels = 1};
    static const struct gan__png_text texts[] = {{"seed", "42"}};
    struct gan__alloc_stats before = gan__alloc_stats();
    gan_err none = {0};
    assert_int_equal(gan__png_write(in("a.png"), &image, texts, 1, &none), GAN_OK);
    for (int reading = 0; reading < 2; reading++) {
        for (uint64_t n = 1;; n++) {
            gan_err err = {0};
            struct gan__image back = {0};
            gan__alloc_fail_at(n);
            gan_status status = reading == 1 ? gan__png_read(in("a.png"), &back, &err)
                                             : gan__png_write(in("b.png"), &image, texts, 1, &err);
            gan__alloc_fail_at(0);
            gan__free(back.data);
            assert_int_equal(gan__alloc_stats().live, before.live);
            if (status == GAN_OK) {
                assert_true(n > 4);
                break;
            }
            assert_int_equal(status, GAN_E_NOMEM);
            assert_int_equal(gan__path_exists(in("b.png")), reading);
        }
    }
}

static void contact_sheet(void **state)
{
    (void)state;
    static const uint32_t dim[3] = {5, 2, 2};
    unsigned char px[20];
    char path[TEMP_PATH_MAX + 8];
    gan_err err = {0};
    gan_dataset *ds = NULL;
    struct gan__image back;
    for (size_t i = 0; i < sizeof px; i++) {
        px[i] = (unsigned char)(i * 10);
    }
    idx_write(&tmp, "images-idx3-ubyte", 3, dim, px, sizeof px, false);
    memcpy(path, "idx:", 4);
    memcpy(path + 4, tmp.path, strlen(tmp.path) + 1);
    assert_int_equal(gan_dataset_open(path, &ds, &err), GAN_OK);
    assert_int_equal(gan_dataset_sheet(ds, 1, 4, 0, in("s.png"), &err), GAN_OK);
    assert_int_equal(gan__png_read(in("s.png"), &back, &err), GAN_OK);
    assert_int_equal(back.width, 2 + 2 * 58); /* cells of 2 pixels times 28 */
    assert_int_equal(back.height, 2 + 2 * 58);
    assert_int_equal(back.data[2 * 118 + 2], 40);                        /* image 1 */
    assert_int_equal(back.data[(2 + 58 + 55) * 118 + 2 + 58 + 55], 190); /* image 4 */
    gan__free(back.data);
    assert_int_equal(gan_dataset_sheet(ds, 3, 3, 0, in("s.png"), &err), GAN_E_RANGE);
    gan_dataset_close(ds);
    err = (gan_err){0};
    assert_int_equal(gan_dataset_open("toy:ring8", &ds, &err), GAN_OK);
    assert_int_equal(gan_dataset_sheet(ds, 0, 4, 0, in("s.png"), &err), GAN_E_UNSUPPORTED);
    gan_dataset_close(ds);
}

static void grid_to_file(void **state)
{
    (void)state;
    static float images[4 * 32 * 32 * 3];
    static const struct gan__png_text texts[] = {{"seed", "7"}};
    const struct gan__grid_cfg cfg = {.n = 4, .height = 32, .width = 32, .channels = 3};
    gan_err err = {0};
    struct gan__image back;
    char text[8];
    assert_int_equal(gan__grid_write(&cfg, images, GAN_RANGE_SIGNED, in("g.png"), texts, 1, &err),
                     GAN_OK);
    assert_int_equal(gan__png_read(in("g.png"), &back, &err), GAN_OK);
    assert_int_equal(back.width, 128); /* twice 32, twice; no gap asked for */
    assert_int_equal(back.data[0], 128);
    gan__free(back.data);
    assert_int_equal(gan__png_text(in("g.png"), "seed", text, sizeof text, &err), GAN_OK);
    assert_string_equal(text, "7");
}

#else

static void unsupported(void **state)
{
    (void)state;
    uint8_t px[1] = {0};
    gan_err err = {0};
    struct gan__image image = {.data = px, .height = 1, .width = 1, .channels = 1};
    assert_int_equal(gan__png_write(in("a.png"), &image, NULL, 0, &err), GAN_E_UNSUPPORTED);
    assert_false(gan__path_exists(in("a.png")));
    assert_int_equal(gan__png_read(in("a.png"), &image, NULL), GAN_E_UNSUPPORTED);
}

#endif

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_values),
        cmocka_unit_test(layout),
#if GAN_HAVE_SPNG
        CASE(there_and_back),
        CASE(bad_files),
        CASE(failing_memory),
        CASE(contact_sheet),
        CASE(grid_to_file),
#else
        CASE(unsupported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
