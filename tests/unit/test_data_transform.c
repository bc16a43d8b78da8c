/* test_data_transform.c: padding, cropping, resizing, channels, mirror and range, against values
 * worked out by hand. */
#include "base/alloc.h"
#include "data/transform.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs one transform; dst holds what comes out. */
static void apply(const struct gan__transform_cfg *cfg, const uint8_t *src, bool flip, float *dst)
{
    struct gan__transform t;
    gan_err err = {0};
    struct gan__alloc_stats before = gan__alloc_stats();
    assert_int_equal(gan__transform_init(&t, cfg, &err), GAN_OK);
    float *scratch = gan__alloc_array(gan__transform_scratch(&t), sizeof(float));
    assert_non_null(scratch);
    gan__transform_run(&t, src, flip, dst, scratch);
    gan__free(scratch);
    gan__transform_release(&t);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

/* `tolerance` 0 means the same number. */
static void expect(const float *got, const double *want, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs((double)got[i] - want[i]) <= tolerance)) {
            fail_msg("element %zu is %.9g, expected %.9g", i, (double)got[i], want[i]);
        }
    }
}

/* u / 127.5 - 1 rounded once to f32. */
static double level(double u)
{
    return (double)(float)(u / 127.5 - 1.0);
}

static void ranges(void **state)
{
    (void)state;
    static const uint8_t src[3] = {0, 51, 255};
    float dst[3];
    struct gan__transform_cfg c = {1, 3, 1, 1, 3, 1, false, false, {0}, GAN_RANGE_UNIT};
    apply(&c, src, false, dst);
    expect(dst, (const double[]){0, (double)(float)0.2, 1}, 3, 0);
    c.range = GAN_RANGE_SIGNED;
    apply(&c, src, false, dst);
    expect(dst, (const double[]){-1, (double)(float)-0.6, 1}, 3, 0);
    apply(&c, src, true, dst);
    expect(dst, (const double[]){1, (double)(float)-0.6, -1}, 3, 0);
}

static void padding(void **state)
{
    (void)state;
    static const uint8_t src[4] = {10, 20, 30, 40};
    float dst[20];
    /* 2x2 to 4x5: one row above, one below; one column left, two right */
    struct gan__transform_cfg c = {2, 2, 1, 4, 5, 1, false, false, {7, 0, 0}, GAN_RANGE_SIGNED};
    static const uint8_t background[20] = {7, 7,  7,  7, 7, 7, 10, 20, 7, 7,
                                           7, 30, 40, 7, 7, 7, 7,  7,  7, 7};
    static const uint8_t edge[20] = {10, 10, 20, 20, 20, 10, 10, 20, 20, 20,
                                     30, 30, 40, 40, 40, 30, 30, 40, 40, 40};
    double want[20];
    for (size_t i = 0; i < 20; i++) {
        want[i] = level(background[i]);
    }
    apply(&c, src, false, dst);
    expect(dst, want, 20, 0);
    for (size_t i = 0; i < 20; i++) {
        want[i] = level(background[i / 5 * 5 + 4 - i % 5]);
    }
    apply(&c, src, true, dst);
    expect(dst, want, 20, 0);
    c.pad_edge = true;
    for (size_t i = 0; i < 20; i++) {
        want[i] = level(edge[i]);
    }
    apply(&c, src, false, dst);
    expect(dst, want, 20, 0);
    struct gan__transform t;
    gan_err err = {0};
    c.dst_h = 1;
    assert_int_equal(gan__transform_init(&t, &c, &err), GAN_E_ARG);
    assert_non_null(strstr(err.message, "2x2 cannot be padded to 1x5"));
}

static void channels(void **state)
{
    (void)state;
    static const uint8_t rgb[6] = {255, 0, 0, 10, 200, 30}, gray[2] = {5, 250};
    float dst[6];
    struct gan__transform_cfg c = {1, 2, 3, 1, 2, 1, false, false, {0}, GAN_RANGE_SIGNED};
    apply(&c, rgb, false, dst);
    /* .299*255 = 76.245; .299*10 + .587*200 + .114*30 = 123.81; 1 ulp of f32 near 1 */
    expect(dst, (const double[]){76.245 / 127.5 - 1, 123.81 / 127.5 - 1}, 2, 6e-8);
    c.src_c = 1;
    c.dst_c = 3;
    apply(&c, gray, false, dst);
    expect(dst, (const double[]){level(5), level(5), level(5), level(250), level(250), level(250)},
           6, 0);
}

static void shrinking(void **state)
{
    (void)state;
    /* 2x8 -> 1x4, scale 2: a triangle of reach 2 around 1, 3, 5, 7 weighs the pixel centres nearby
     * 1/4 3/4 3/4 1/4; what lies outside is left out, so the first divides by 7/4. */
    const struct gan__transform_cfg c = {2, 8, 1, 1, 4, 1, true, false, {0}, GAN_RANGE_UNIT};
    static const uint8_t src[16] = {0, 100, 200, 40, 0, 0, 0, 0, 0, 100, 200, 40, 0, 0, 0, 0};
    const double first = (3.0 * 0 + 3.0 * 100 + 1.0 * 200) / 7;
    const double second = (1.0 * 100 + 3.0 * 200 + 3.0 * 40 + 1.0 * 0) / 8;
    const double third = (1.0 * 40) / 8;
    float dst[4];
    apply(&c, src, false, dst);
    /* f32 sums of four weights: a few parts in 1e7 */
    expect(dst, (const double[]){first / 255, second / 255, third / 255, 0}, 4, 5e-7);
    apply(&c, src, true, dst);
    expect(dst, (const double[]){0, third / 255, second / 255, first / 255}, 4, 5e-7);
}

static void growing(void **state)
{
    (void)state;
    static const uint8_t src[4] = {0, 100, 200, 40};
    float dst[16];
    const struct gan__transform_cfg c = {2, 2, 1, 4, 4, 1, true, false, {0}, GAN_RANGE_UNIT};
    apply(&c, src, false, dst);
    /* bilinear, centres at halves: positions -1/4 (clamped), 1/4, 3/4, 5/4 (clamped) */
    static const double t[4] = {0, 0.25, 0.75, 1};
    double want[16];
    for (size_t y = 0; y < 4; y++) {
        for (size_t x = 0; x < 4; x++) {
            double top = 0 + (100 - 0) * t[x];
            double bottom = 200 + (40 - 200) * t[x];
            want[y * 4 + x] = (top + (bottom - top) * t[y]) / 255;
        }
    }
    expect(dst, want, 16, 5e-7);
}

static void covering_and_cropping(void **state)
{
    (void)state;
    /* 2x6 to 2x2: the shorter side fits already, the middle columns stay as they are */
    static const uint8_t src[12] = {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
    float dst[4];
    struct gan__transform_cfg c = {2, 6, 1, 2, 2, 1, true, false, {0}, GAN_RANGE_UNIT};
    apply(&c, src, false, dst);
    expect(dst, (const double[]){3.0 / 255, 4.0 / 255, 13.0 / 255, 14.0 / 255}, 4, 1e-7);
    apply(&c, src, true, dst);
    expect(dst, (const double[]){4.0 / 255, 3.0 / 255, 14.0 / 255, 13.0 / 255}, 4, 1e-7);
    c.src_h = 6; /* and upright */
    c.src_w = 2;
    apply(&c, src, false, dst);
    expect(dst, (const double[]){5.0 / 255, 6.0 / 255, 11.0 / 255, 12.0 / 255}, 4, 1e-7);
}

/* A constant stays that constant at any size: weights sum to 1. Range ends are never overrun. */
static void constants(void **state)
{
    (void)state;
    static uint8_t src[37 * 23 * 3];
    static float dst[64 * 64 * 3];
    memset(src, 255, sizeof src);
    for (int64_t h = 1; h <= 64; h += 7) {
        for (int64_t w = 1; w <= 64; w += 9) {
            for (int64_t c = 1; c <= 3; c += 2) {
                const struct gan__transform_cfg cfg = {37, 23,   3,     h,   w,
                                                       c,  true, false, {0}, GAN_RANGE_SIGNED};
                apply(&cfg, src, false, dst);
                for (int64_t i = 0; i < h * w * c; i++) {
                    assert_true(dst[i] <= 1.0f);
                    assert_true(dst[i] > 1.0f - 1e-6f); /* 2 passes of f32 sums */
                }
            }
        }
    }
}

static void failing_memory(void **state)
{
    (void)state;
    const struct gan__transform_cfg c = {9, 9, 3, 4, 4, 3, true, false, {0}, GAN_RANGE_UNIT};
    struct gan__alloc_stats before = gan__alloc_stats();
    for (uint64_t n = 1; n <= 6; n++) {
        struct gan__transform t;
        gan_err err = {0};
        gan__alloc_fail_at(n);
        gan_status status = gan__transform_init(&t, &c, &err);
        gan__alloc_fail_at(0);
        assert_int_equal(status, GAN_E_NOMEM);
        assert_int_equal(gan__alloc_stats().live, before.live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),    cmocka_unit_test(padding),
        cmocka_unit_test(channels),  cmocka_unit_test(shrinking),
        cmocka_unit_test(growing),   cmocka_unit_test(covering_and_cropping),
        cmocka_unit_test(constants), cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
