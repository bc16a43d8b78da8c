/* test_resize.c: the resizes against Pillow's and against TensorFlow 1's rule, from
 * tools/golden_resize.py. */
#include <gan/checkpoint.h>
#include <gan/image.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 62 * 62 * 3 };

static gan_checkpoint *file;
static uint8_t image[23 * 31 * 3];

static bool find(const char *name, gan_tensor *out)
{
    const char *at;
    for (size_t i = 0; gan_checkpoint_tensor(file, i, &at, out); i++) {
        if (strcmp(at, name) == 0) {
            return true;
        }
    }
    return false;
}

static int open_file(void **state)
{
    gan_err err = {0};
    gan_tensor t;
    (void)state;
    if (gan_checkpoint_open(GAN_SOURCE_DIR "/tests/golden/data/resize.safetensors", &file, &err) !=
            GAN_OK ||
        !find("image", &t) || gan_tensor_bytes(&t) != sizeof image) {
        (void)fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    memcpy(image, t.data, sizeof image);
    return 0;
}

static int close_file(void **state)
{
    (void)state;
    gan_checkpoint_close(file);
    return 0;
}

static const int sizes[][2] = {{8, 8}, {23, 12}, {9, 31}, {46, 62}, {40, 17}, {1, 1}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* Bytes: Pillow's own, all of them: both round weights to 22 binary places and levels to bytes after
 * each pass. One level is allowed where a weight's last place differs with the libm. */
static void test_bytes(void **state)
{
    uint8_t got[MAX];
    gan_tensor want;
    int64_t differ = 0, all = 0;
    (void)state;
    for (int f = GAN_FILTER_BOX; f <= GAN_FILTER_LANCZOS; f++) {
        for (int i = 0; i < N_SIZES; i++) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s.%dx%d", gan_filter_name((gan_filter)f),
                           sizes[i][0], sizes[i][1]);
            assert_true(find(name, &want));
            assert_int_equal(gan_image_resize(image, 23, 31, 3, sizes[i][0], sizes[i][1],
                                              (gan_filter)f, got, NULL),
                             GAN_OK);
            for (int64_t k = 0; k < (int64_t)sizes[i][0] * sizes[i][1] * 3; k++, all++) {
                int gap = got[k] - ((const uint8_t *)want.data)[k];
                differ += gap != 0;
                if (gap < -1 || gap > 1) {
                    fail_msg("%s: byte %lld is %d, Pillow's %d", name, (long long)k, got[k],
                             got[k] - gap);
                }
            }
        }
    }
    print_message("%lld of %lld bytes differ from Pillow's\n", (long long)differ, (long long)all);
    assert_true(differ * 1000 <= all);
}

static void compare_floats(const char *name, int h, int w, gan_filter filter, double tolerance)
{
    float src[sizeof image], got[MAX];
    gan_tensor want;
    if (!find(name, &want)) {
        return;
    }
    assert_int_equal(want.dtype, GAN_F32);
    for (size_t k = 0; k < sizeof image; k++) {
        src[k] = image[k];
    }
    assert_int_equal(gan_image_resize_f32(src, 23, 31, 3, h, w, filter, got, NULL), GAN_OK);
    for (int64_t k = 0; k < (int64_t)h * w * 3; k++) {
        float v;
        memcpy(&v, (const char *)want.data + (size_t)k * sizeof v, sizeof v);
        if (!(fabs((double)got[k] - (double)v) <= tolerance)) {
            fail_msg("%s: value %lld is %.9g, expected %.9g", name, (long long)k, (double)got[k],
                     (double)v);
        }
    }
}

/* Floats of 0..255: f32 between the passes gives 255 * 2^-24 each, five times that is allowed. TF1:
 * positions in f32, up to 23 * 2^-23 off, times steps of 255. */
static void test_floats(void **state)
{
    char name[64];
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        for (int f = GAN_FILTER_BOX; f <= GAN_FILTER_LANCZOS; f++) {
            (void)snprintf(name, sizeof name, "%s.%dx%d.f32", gan_filter_name((gan_filter)f),
                           sizes[i][0], sizes[i][1]);
            compare_floats(name, sizes[i][0], sizes[i][1], (gan_filter)f, 1e-4);
        }
        (void)snprintf(name, sizeof name, "tf1.%dx%d", sizes[i][0], sizes[i][1]);
        compare_floats(name, sizes[i][0], sizes[i][1], GAN_FILTER_TF1, 2e-3);
    }
}

static void test_refused(void **state)
{
    uint8_t got[3];
    gan_err err = {0};
    (void)state;
    assert_int_equal(gan_image_resize(image, 23, 31, 3, 0, 1, GAN_FILTER_BOX, got, &err),
                     GAN_E_RANGE);
    assert_int_equal(gan_image_resize(image, 23, 31, 3, 1, 1, GAN_FILTER_NONE, got, NULL),
                     GAN_E_ARG);
    assert_int_equal(gan_image_resize(image, 23, 31, 3, 1, 1, GAN_FILTER_TF1, got, NULL),
                     GAN_E_ARG);
    assert_non_null(strstr(err.message, "at least 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("resize", tests, open_file, close_file);
}
