/* test_data_two.c: second images: halves of pairs stay aligned, domains have orders of their own. */
#include "base/str.h"
#include "support/idx_file.h"

#include <gan/data.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT_A = 7, COUNT_B = 5, SIDE = 8, PIXELS = SIDE * SIDE };

static struct temp_dir tmp;

/* Image i of a file; no two pixels of a file are alike in their neighbourhood. */
static unsigned char pixel(size_t i, size_t k)
{
    return (unsigned char)((i * 37 + k * 11 + k * k * 3) % 256);
}

static void write_images(const char *name, size_t count, bool negative)
{
    unsigned char px[COUNT_A * PIXELS];
    const uint32_t dim[3] = {(uint32_t)count, SIDE, SIDE};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < PIXELS; k++) {
            unsigned char v = pixel(i, k);
            px[i * PIXELS + k] = negative ? (unsigned char)(255 - v) : v;
        }
    }
    idx_write(&tmp, name, 3, dim, px, count * PIXELS, false);
}

static int make(void **state)
{
    char path[TEMP_PATH_MAX];
    static const uint32_t wide[3] = {COUNT_A, 4, 16};
    unsigned char px[COUNT_A * PIXELS] = {0};
    (void)state;
    temp_dir_make(&tmp);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "cache", path), 1), 0);
    write_images("a", COUNT_A, false);
    write_images("negative", COUNT_A, true);
    write_images("b", COUNT_B, true);
    idx_write(&tmp, "wide", 3, wide, px, sizeof px, false);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    temp_dir_remove(&tmp);
    return 0;
}

static gan_status open_two(const char *kind, const char *a, const char *b, const char *options,
                           gan_dataset **ds, gan_err *err)
{
    char spec[3 * TEMP_PATH_MAX], path_a[TEMP_PATH_MAX], path_b[TEMP_PATH_MAX];
    assert_true(gan__format(spec, sizeof spec, "%s:%s,%s%s", kind, temp_path(&tmp, a, path_a),
                            temp_path(&tmp, b, path_b), options));
    return gan_dataset_open(spec, ds, err);
}

static gan_dataset *opened(const char *kind, const char *a, const char *b, const char *options)
{
    gan_err err = {0};
    gan_dataset *ds = NULL;
    if (open_two(kind, a, b, options, &ds, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return ds;
}

static gan_loader *started(const gan_dataset *ds, const struct gan_loader_cfg *cfg)
{
    gan_err err = {0};
    gan_loader *l = NULL;
    if (gan_loader_new(ds, cfg, &l, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return l;
}

static const struct gan_batch *next(gan_loader *l)
{
    gan_err err = {0};
    const struct gan_batch *b = NULL;
    assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
    return b;
}

/* The negative of a pair stays its negative under every crop and mirror: |a + b| is rounding of
 * resized f32 pixels, below 1e-5 of the range. */
static void halves_stay_aligned(void **state)
{
    (void)state;
    gan_dataset *ds = opened("pairs-idx", "a", "negative", "?flip=1&jitter=3&channels=3");
    assert_true(gan_dataset_about(ds)->paired);
    assert_int_equal(gan_dataset_about(ds)->count_b, COUNT_A);
    const struct gan_loader_cfg cfg = {.batch = COUNT_A, .seed = 3, .threads = 2};
    gan_loader *l = started(ds, &cfg);
    float corner[COUNT_A];
    int moved = 0;
    for (int epoch = 0; epoch < 20; epoch++) {
        const struct gan_batch *b = next(l);
        assert_int_equal(b->channels_b, 3);
        for (int64_t i = 0; i < b->n * PIXELS * 3; i++) {
            assert_true(fabsf(b->images[i] + b->images_b[i]) < 1e-5f);
        }
        for (int64_t i = 0; i < b->n; i++) {
            assert_int_equal(b->index[i], b->index_b[i]);
            float at = b->images[i * PIXELS * 3];
            moved += epoch > 0 && fabsf(at - corner[b->index[i]]) > 1e-6f;
            corner[b->index[i]] = at;
        }
    }
    assert_true(moved > 19 * COUNT_A / 2); /* one of 32 places repeats rarely */
    gan_loader_free(l);
    gan_dataset_close(ds);
}

static void plain_images_are_as_stored(void **state)
{
    (void)state;
    gan_dataset *ds = opened("pairs-idx", "a", "negative", "?flip=1&jitter=3");
    const struct gan_loader_cfg cfg = {.batch = 4, .seed = 3, .plain = true};
    gan_loader *l = started(ds, &cfg);
    const struct gan_batch *b = next(l);
    for (int64_t i = 0; i < 4; i++) {
        for (int64_t k = 0; k < PIXELS; k++) {
            float want = (float)pixel((size_t)b->index[i], (size_t)k) / 127.5f - 1;
            assert_true(fabsf(b->images[i * PIXELS + k] - want) < 1e-6f);
        }
    }
    gan_loader_free(l);
    gan_dataset_close(ds);
}

enum { POSITIONS = 70 };

static void orders(const gan_dataset *ds, int64_t batch, int64_t from, int64_t *a, int64_t *b)
{
    gan_err err = {0};
    const struct gan_loader_cfg cfg = {.batch = batch, .seed = 9};
    gan_loader *l = started(ds, &cfg);
    assert_int_equal(gan_loader_seek(l, from, &err), GAN_OK);
    for (int64_t at = from; at < POSITIONS; at += batch) {
        const struct gan_batch *got = next(l);
        for (int64_t i = 0; i < batch && at + i < POSITIONS; i++) {
            a[at + i] = got->index[i];
            b[at + i] = got->index_b[i];
        }
    }
    gan_loader_free(l);
}

/* Every epoch of either domain shows each of its images once; partners change; any batch size and
 * any place to continue from give the same. */
static void domains_are_shuffled_apart(void **state)
{
    (void)state;
    int64_t a[POSITIONS], b[POSITIONS], a2[POSITIONS], b2[POSITIONS], partner[COUNT_A];
    int changed = 0;
    gan_dataset *ds = opened("domains-idx", "a", "b", "");
    assert_false(gan_dataset_about(ds)->paired);
    orders(ds, 1, 0, a, b);
    for (int64_t at = 0; at < POSITIONS; at += COUNT_B) {
        uint32_t seen = 0;
        for (int64_t i = 0; i < COUNT_B; i++) {
            seen |= 1u << b[at + i];
        }
        assert_int_equal(seen, (1u << COUNT_B) - 1);
    }
    for (int64_t at = 0; at < POSITIONS; at += COUNT_A) {
        uint32_t seen = 0;
        for (int64_t i = 0; i < COUNT_A; i++) {
            seen |= 1u << a[at + i];
            changed += at > 0 && partner[a[at + i]] != b[at + i];
            partner[a[at + i]] = b[at + i];
        }
        assert_int_equal(seen, (1u << COUNT_A) - 1);
    }
    assert_true(changed > 30); /* of 63; 4 in 5 are expected */
    memcpy(a2, a, sizeof a);
    memcpy(b2, b, sizeof b);
    orders(ds, 4, 13, a2, b2);
    assert_memory_equal(a, a2, sizeof a);
    assert_memory_equal(b, b2, sizeof b);
    gan_dataset_close(ds);
}

/* Pairs taken apart: the known share (5 of 7 for .7) has its partner in every epoch, the others come in
 * an order of their own; without it all do. */
static void pairs_are_taken_apart(void **state)
{
    (void)state;
    enum { EPOCHS = 40 };
    static const struct {
        double share;
        int known;
    } rows[] = {{0, 0}, {0.7, 5}, {1, COUNT_A}};
    gan_dataset *ds = opened("pairs-idx", "a", "negative", "");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const struct gan_loader_cfg cfg = {
            .batch = COUNT_A, .seed = 5, .unpair = true, .known = rows[r].share};
        const struct gan_batch *b = NULL;
        gan_loader *l = NULL;
        uint32_t known = 0, first = 0;
        int apart = 0, n = 0;
        assert_int_equal(gan_loader_new(ds, &cfg, &l, NULL), GAN_OK);
        for (int e = 0; e < EPOCHS; e++) {
            known = 0;
            n = 0;
            assert_int_equal(gan_loader_next(l, &b, NULL), GAN_OK);
            for (int64_t i = 0; i < b->n; i++) {
                bool is = b->known[i] > 0;
                known |= (is ? 1u : 0u) << b->index[i];
                n += is;
                apart += !is && b->index[i] != b->index_b[i];
                assert_true(!is || b->index[i] == b->index_b[i]);
            }
            first = e == 0 ? known : first;
            assert_int_equal(known, first);
            assert_int_equal(n, rows[r].known);
        }
        /* 6 in 7 of the others meet another image by chance; 0.7 is five deviations below */
        assert_true(apart >= 0.7 * EPOCHS * (COUNT_A - rows[r].known));
        gan_loader_free(l);
    }
    gan_dataset_close(ds);
}

static void wrong_sets_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        gan_status code;
        const char *text;
    } rows[] = {{"a", "b", GAN_E_FORMAT, "pairs need the same number"},
                {"a", "wide", GAN_E_FORMAT, "pairs need the same proportions"},
                {"a", "none", GAN_E_NOTFOUND, "none is not there"},
                {"none", "a", GAN_E_NOTFOUND, "none is not there"},
                {"a", "b,a", GAN_E_ARG, "two files joined by a comma"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gan_err err = {0};
        gan_dataset *ds = NULL;
        assert_int_equal(open_two("pairs-idx", rows[i].a, rows[i].b, "", &ds, &err), rows[i].code);
        assert_null(ds);
        assert_non_null(strstr(err.message, rows[i].text));
    }
    assert_int_equal(gan_data_check_spec("domains-idx:a", NULL), GAN_E_ARG);
    assert_int_equal(gan_data_check_spec("domains-idx:a,", NULL), GAN_E_ARG);
}

static void second_pixels(void **state)
{
    (void)state;
    gan_err err = {0};
    uint8_t hwc[PIXELS];
    gan_dataset *ds = opened("domains-idx", "a", "b", "");
    assert_int_equal(gan_dataset_pixels_b(ds, COUNT_B - 1, hwc, &err), GAN_OK);
    assert_int_equal(hwc[5], 255 - pixel(COUNT_B - 1, 5));
    assert_int_equal(gan_dataset_pixels_b(ds, COUNT_B, hwc, &err), GAN_E_RANGE);
    gan_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_stay_aligned),        cmocka_unit_test(plain_images_are_as_stored),
        cmocka_unit_test(domains_are_shuffled_apart), cmocka_unit_test(pairs_are_taken_apart),
        cmocka_unit_test(wrong_sets_are_refused),     cmocka_unit_test(second_pixels),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
