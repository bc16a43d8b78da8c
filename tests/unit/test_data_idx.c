/* test_data_idx.c: SPECs, IDX files that tell the truth and files that lie, the cache. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "support/idx_file.h"
#include "support/temp_fixture.h"

#include <gan/data.h>
#include <gan/log.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char log_text[4096];

static void hear(void *ctx, gan_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    size_t n = strlen(log_text);
    (void)gan__format(log_text + n, sizeof log_text - n, "%s\n", line);
}

/* Every test has a folder of its own, with its own cache in it. */
static int make_heard(void **state)
{
    char cache[TEMP_PATH_MAX];
    (void)make(state);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "cache", cache), 1), 0);
    log_text[0] = '\0';
    gan_set_log(hear, NULL);
    return 0;
}

/* "idx:FOLDER" and what follows. */
static const char *spec_of(const char *rest)
{
    static char text[TEMP_PATH_MAX * 2];
    assert_true(gan__format(text, sizeof text, "idx:%s%s", tmp.path, rest));
    return text;
}

static gan_dataset *must_open(const char *spec)
{
    gan_err err = {0};
    gan_dataset *ds = NULL;
    if (gan_dataset_open(spec, &ds, &err) != GAN_OK) {
        fail_msg("%s: %s", spec, err.message);
    }
    assert_non_null(ds);
    return ds;
}

/* Opening fails with this code and a message that holds `part`, and leaks nothing. */
static void must_fail(const char *spec, gan_status code, const char *part)
{
    gan_err err = {0};
    gan_dataset *ds = NULL;
    struct gan__alloc_stats before = gan__alloc_stats();
    gan_status status = gan_dataset_open(spec, &ds, &err);
    if (status != code || strstr(err.message, part) == NULL) {
        fail_msg("%s gives %s '%s', expected %s with '%s'", spec, gan_status_name(status),
                 err.message, gan_status_name(code), part);
    }
    assert_null(ds);
    assert_int_equal(err.code, code);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

static void specs(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        gan_status code;
        const char *part;
    } wrong[] = {
        {"", GAN_E_ARG, "no data named"},
        {"fasion-mnist", GAN_E_ARG, "unknown data 'fasion-mnist' (did you mean fashion-mnist?)"},
        {"imagenet", GAN_E_ARG, "folder, idx, lowres, pairs, pairs-idx, quadratics, stacked, toy"},
        {"idx", GAN_E_ARG, "needs an argument: idx:DIR|FILE"},
        {"idx:?size=3", GAN_E_ARG, "needs an argument"},
        {"fashion-mnist:train", GAN_E_ARG, "takes nothing after a colon"},
        {"idx:d?siez=3", GAN_E_ARG, "unknown option 'siez' of data idx (did you mean size?)"},
        {"idx:d?splitt=train", GAN_E_ARG, "(did you mean split?)"},
        {"idx:d?size", GAN_E_ARG, "'size' is not of the form option=value"},
        {"idx:d?", GAN_E_ARG, "not of the form"},
        {"idx:d?size=3&", GAN_E_ARG, "not of the form"},
        {"idx:d?size=x", GAN_E_ARG, "size is 'x', a whole number is expected"},
        {"idx:d?size=-1", GAN_E_RANGE, "size is -1, allowed 0 to 8192"},
        {"idx:d?channels=2", GAN_E_ARG, "channels is '2', allowed 1 or 3"},
        {"idx:d?background=red", GAN_E_ARG, "allowed white, black or RRGGBB"},
        {"idx:d?background=12345g", GAN_E_ARG, "'12345g'"},
        {"idx:d?split=val", GAN_E_ARG, "allowed any|train|test"},
        {"toy:rng8", GAN_E_ARG, "did you mean toy:ring8?"},
        {"toy:ring8?size=3", GAN_E_ARG, "are points"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        must_fail(wrong[i].spec, wrong[i].code, wrong[i].part);
        gan_err err = {0};
        if (strcmp(wrong[i].spec, "toy:ring8?size=3") != 0) { /* this one is found at opening */
            assert_int_equal(gan_data_check_spec(wrong[i].spec, &err), wrong[i].code);
        }
    }
    gan_err err = {0};
    assert_int_equal(gan_data_check_spec("idx:not/there?size=64&channels=3&flip=1", &err), GAN_OK);
    must_fail("idx:not/there", GAN_E_NOTFOUND, "not/there is not there");
    struct gan_data_kind kind;
    size_t n = 0;
    const char *last = "";
    for (; gan_data_kind(n, &kind); n++) {
        assert_true(strcmp(last, kind.name) < 0);
        assert_non_null(kind.help);
        last = kind.name;
    }
    assert_true(n >= 3);
    assert_non_null(gan_opt_find(gan_data_options(), "size"));
}

static const unsigned char gray[8] = {0, 1, 2, 3, 250, 251, 252, 255}; /* two of 2x2 */
static const uint32_t gray_dim[3] = {2, 2, 2};
static const unsigned char two_labels[2] = {4, 1};
static const uint32_t two[1] = {2};

static void gray_images(void **state)
{
    (void)state;
    for (int gz = 0; gz < 2; gz++) {
        struct gan__alloc_stats before = gan__alloc_stats();
        idx_write(&tmp, "images-idx3-ubyte", 3, gray_dim, gray, 8, gz == 1);
        idx_write(&tmp, "labels-idx1-ubyte", 1, two, two_labels, 2, gz == 1);
        gan_dataset *ds = must_open(spec_of("?size=4&channels=3&flip=yes"));
        const struct gan_dataset_info *info = gan_dataset_about(ds);
        assert_int_equal(info->count, 2);
        assert_int_equal(info->height, 2);
        assert_int_equal(info->width, 2);
        assert_int_equal(info->channels, 1);
        assert_int_equal(info->classes, 5);
        assert_int_equal(info->size, 4);
        assert_int_equal(info->want_channels, 3);
        assert_true(info->flip && info->labelled && !info->alpha && !info->points);
        assert_true(gan__ends_with(info->file, "images-idx3-ubyte"));
        uint8_t px[4];
        gan_err err = {0};
        assert_int_equal(gan_dataset_pixels(ds, 1, px, &err), GAN_OK);
        assert_memory_equal(px, gray + 4, 4);
        assert_int_equal(gan_dataset_label(ds, 0), 4);
        assert_int_equal(gan_dataset_label(ds, 1), 1);
        assert_int_equal(gan_dataset_label(ds, 2), -1);
        assert_int_equal(gan_dataset_pixels(ds, 2, px, &err), GAN_E_RANGE);
        assert_non_null(strstr(err.message, "allowed 0 to 1"));
        gan_dataset_close(ds);
        ds = must_open(spec_of("?labels=none"));
        assert_false(gan_dataset_about(ds)->labelled);
        assert_int_equal(gan_dataset_label(ds, 0), -1);
        gan_dataset_close(ds);
        assert_int_equal(gan__alloc_stats().live, before.live);
    }
    gan_dataset_close(NULL);
}

static void alpha_over_background(void **state)
{
    (void)state;
    /* opaque, clear, half: rounding (c*a + b*(255-a) + 127) / 255 by hand */
    static const unsigned char rgba[12] = {10, 20, 30, 255, 1, 2, 3, 0, 100, 0, 255, 128};
    static const uint32_t dim[4] = {1, 1, 3, 4};
    static const struct {
        const char *background;
        uint8_t want[9];
    } cases[] = {
        {"", {10, 20, 30, 255, 255, 255, 177, 127, 255}},
        {"?background=black", {10, 20, 30, 0, 0, 0, 50, 0, 128}},
        {"?background=0A14fF", {10, 20, 30, 10, 20, 255, 55, 10, 255}},
    };
    idx_write(&tmp, "images-idx4-ubyte.gz", 4, dim, rgba, 12, true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t px[9];
        gan_err err = {0};
        gan_dataset *ds = must_open(spec_of(cases[i].background));
        assert_true(gan_dataset_about(ds)->alpha);
        assert_int_equal(gan_dataset_about(ds)->channels, 3);
        assert_int_equal(gan_dataset_pixels(ds, 0, px, &err), GAN_OK);
        assert_memory_equal(px, cases[i].want, 9);
        gan_dataset_close(ds);
    }
}

static void four_axes(void **state)
{
    (void)state;
    unsigned char bytes[2 * 3 * 2 * 2];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    /* [2,3,2,2]: the last axis is no channel count: two rows of three classes of 2x2 gray */
    static const uint32_t grid[4] = {2, 3, 2, 2};
    idx_write(&tmp, "a-idx4-ubyte", 4, grid, bytes, sizeof bytes, false);
    gan_dataset *ds = must_open(spec_of(""));
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    assert_int_equal(info->count, 6);
    assert_int_equal(info->channels, 1);
    assert_int_equal(info->classes, 3);
    uint8_t px[24];
    gan_err err = {0};
    assert_int_equal(gan_dataset_pixels(ds, 4, px, &err), GAN_OK);
    assert_memory_equal(px, bytes + 16, 4);
    assert_int_equal(gan_dataset_label(ds, 4), 1);
    gan_dataset_close(ds);
    static const uint32_t one[4] = {4, 3, 2, 1}, rgb[4] = {2, 2, 2, 3};
    idx_write(&tmp, "a-idx4-ubyte", 4, one, bytes, sizeof bytes, false);
    ds = must_open(spec_of(""));
    assert_int_equal(gan_dataset_about(ds)->channels, 1);
    assert_int_equal(gan_dataset_about(ds)->height, 3);
    gan_dataset_close(ds);
    idx_write(&tmp, "a-idx4-ubyte", 4, rgb, bytes, sizeof bytes, false);
    ds = must_open(spec_of(""));
    assert_int_equal(gan_dataset_about(ds)->channels, 3);
    assert_int_equal(gan_dataset_pixels(ds, 1, px, &err), GAN_OK);
    assert_memory_equal(px, bytes + 12, 12);
    gan_dataset_close(ds);
}

static void choosing_files(void **state)
{
    (void)state;
    static const uint32_t one[3] = {1, 2, 2};
    static const unsigned char label7[1] = {7};
    static const uint32_t single[1] = {1};
    must_fail(spec_of(""), GAN_E_NOTFOUND, "holds no IDX image files");
    idx_write(&tmp, "noto-idx3-ubyte", 3, one, gray, 4, false);
    idx_write(&tmp, "emoji-idx3-ubyte.gz", 3, gray_dim, gray, 8, true);
    must_fail(spec_of(""), GAN_E_NOTFOUND,
              "several image files, choose with file= among emoji-idx3-ubyte.gz, noto-idx3-ubyte");
    must_fail(spec_of("?file=twe"), GAN_E_NOTFOUND, "none of the wanted image files");
    must_fail(spec_of("?split=test"), GAN_E_NOTFOUND, "none of the wanted image files");
    gan_dataset *ds = must_open(spec_of("?file=noto"));
    assert_int_equal(gan_dataset_about(ds)->count, 1);
    gan_dataset_close(ds);
    ds = must_open(spec_of("/emoji-idx3-ubyte.gz"));
    assert_int_equal(gan_dataset_about(ds)->count, 2);
    gan_dataset_close(ds);
    must_fail(spec_of("/emoji-idx3-ubyte.gz?split=test"), GAN_E_ARG, "choose in a folder");
    idx_write(&tmp, "train-images-idx3-ubyte.gz", 3, gray_dim, gray, 8, true);
    idx_write(&tmp, "train-images-idx3-ubyte", 3, gray_dim, gray, 8, false); /* its unpacked twin */
    idx_write(&tmp, "train-labels-idx1-ubyte.gz", 1, two, two_labels, 2, true);
    idx_write(&tmp, "t10k-images-idx3-ubyte", 3, one, gray, 4, false);
    idx_write(&tmp, "t10k-labels-idx1-ubyte", 1, single, label7, 1, false);
    ds = must_open(spec_of(""));
    assert_int_equal(gan_dataset_about(ds)->count, 2);
    assert_int_equal(gan_dataset_label(ds, 0), 4);
    assert_true(gan__ends_with(gan_dataset_about(ds)->file, "/train-images-idx3-ubyte"));
    gan_dataset_close(ds);
    ds = must_open(spec_of("?split=test"));
    assert_int_equal(gan_dataset_label(ds, 0), 7);
    gan_dataset_close(ds);
    idx_write(&tmp, "labels-group-idx1-ubyte", 1, two, two_labels, 2, false);
    idx_write(&tmp, "labels-subgroup-idx1-ubyte", 1, two, two_labels + 1, 1, false);
    ds = must_open(spec_of("/emoji-idx3-ubyte.gz"));
    assert_int_equal(gan_dataset_label(ds, 0), 4); /* the first of several, and said so */
    gan_dataset_close(ds);
    assert_non_null(strstr(log_text, "labels= chooses among"));
    ds = must_open(spec_of("/emoji-idx3-ubyte.gz?labels=group"));
    gan_dataset_close(ds);
    must_fail(spec_of("/emoji-idx3-ubyte.gz?labels=subgroup"), GAN_E_FORMAT,
              "its header promises 10 bytes, found 9");
    must_fail(spec_of("/emoji-idx3-ubyte.gz?labels=nothing"), GAN_E_NOTFOUND, "labels=");
}

/* One image file after another that is not what it says: plain and gzip'ed alike. */
static void lying_files(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t n;
        unsigned char bytes[40];
        const char *part;
    } lies[] = {
        {"magic", 24, {1, 0, 8, 3}, "starts with bytes 01 00, 00 00 expected"},
        {"float", 24, {0, 0, 13, 3}, "element type is 0x0d (float), 0x08 (unsigned byte) expected"},
        {"type", 24, {0, 0, 7, 3}, "element type is 0x07 (unknown)"},
        {"no axis", 24, {0, 0, 8, 0}, "0 axes, 1 to 4 expected"},
        {"five axes", 40, {0, 0, 8, 5}, "5 axes, 1 to 4 expected"},
        {"short", 3, {0, 0, 8}, "3 bytes are too few for a header"},
        {"half a header", 10, {0, 0, 8, 3, 0, 0, 0, 2}, "10 bytes are too few for a header"},
        {"zero", 24, {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2}, "axis 1 has 0 elements"},
        {"overflow",
         24,
         {0,   0,   8,   4,   255, 255, 255, 255, 255, 255,
          255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
         "the sizes of its 4 axes overflow"},
        {"huge",
         24,
         {0, 0, 8, 3, 127, 255, 255, 255, 0, 0, 127, 255, 0, 0, 0, 255},
         "bytes, found 24"},
        {"missing",
         23,
         {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2},
         "promises 24 bytes, found 23"},
        {"more", 25, {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2}, "promises 24 bytes"},
        {"labels", 10, {0, 0, 8, 1, 0, 0, 0, 2}, "1 axes, 3 or 4 expected of images"},
        {"two axes", 16, {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2}, "2 axes, 3 or 4 expected"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        temp_write(&tmp, "x-idx3-ubyte", lies[i].bytes, lies[i].n);
        must_fail(spec_of("/x-idx3-ubyte"), GAN_E_FORMAT, lies[i].part);
        must_fail(spec_of("/x-idx3-ubyte"), GAN_E_FORMAT, "x-idx3-ubyte");
        if (lies[i].n == 25) {
            continue; /* while inflating it stops before it knows how many there are */
        }
        gz_write(&tmp, "x-idx3-ubyte.gz", lies[i].bytes, lies[i].n);
        must_fail(spec_of("/x-idx3-ubyte.gz"), GAN_E_FORMAT, lies[i].part);
    }
    temp_write(&tmp, "x-idx3-ubyte", "", 0);
    must_fail(spec_of("/x-idx3-ubyte"), GAN_E_FORMAT, "0 bytes are too few");
    gz_write(&tmp, "x-idx3-ubyte.gz", lies[11].bytes, 25);
    must_fail(spec_of("/x-idx3-ubyte.gz"), GAN_E_FORMAT,
              "promises 24 bytes, more than that follow");
    assert_string_equal(log_text, ""); /* a bad source is never a problem of the cache */
}

/* Damage to the gzip wrapper itself. */
static void damaged_gz(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], *data;
    size_t size;
    gan_err err = {0};
    unsigned char noise[800];
    static const uint32_t dim[3] = {2, 20, 20};
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (unsigned char)(i * i * 31 + i / 7);
    }
    idx_write(&tmp, "x-idx3-ubyte.gz", 3, dim, noise, sizeof noise, true);
    assert_int_equal(
        gan__file_read(temp_path(&tmp, "x-idx3-ubyte.gz", path), 1 << 20, &data, &size, &err),
        GAN_OK);
    for (size_t n = 2; n < size; n++) { /* cut at every place */
        temp_write(&tmp, "cut-idx3-ubyte.gz", data, n);
        must_fail(spec_of("/cut-idx3-ubyte.gz"), GAN_E_FORMAT, "truncated");
    }
    data[size - 5] ^= 1; /* the stored CRC-32 */
    temp_write(&tmp, "crc-idx3-ubyte.gz", data, size);
    must_fail(spec_of("/crc-idx3-ubyte.gz"), GAN_E_FORMAT, "damaged gzip data");
    data[size - 5] ^= 1;
    char *longer = malloc(size + 3);
    assert_non_null(longer);
    memcpy(longer, data, size);
    memcpy(longer + size, "abc", 3);
    temp_write(&tmp, "tail-idx3-ubyte.gz", longer, size + 3);
    must_fail(spec_of("/tail-idx3-ubyte.gz"), GAN_E_FORMAT, "3 bytes follow the end");
    free(longer);
    gan__free(data);
    assert_string_equal(log_text, "");
}

static void lying_labels(void **state)
{
    (void)state;
    static const uint32_t three[1] = {3};
    static const unsigned char labels[3] = {0, 1, 9};
    idx_write(&tmp, "images-idx3-ubyte", 3, gray_dim, gray, 8, false);
    idx_write(&tmp, "labels-idx1-ubyte", 1, three, labels, 3, false);
    must_fail(spec_of(""), GAN_E_FORMAT, "3 labels for the 2 images of");
    idx_write(&tmp, "labels-idx1-ubyte", 3, gray_dim, gray, 8, false);
    must_fail(spec_of(""), GAN_E_FORMAT, "3 axes, 1 expected of labels");
    temp_write(&tmp, "labels-idx1-ubyte", "no", 2);
    must_fail(spec_of(""), GAN_E_FORMAT, "2 bytes are too few for a header");
}

/* The name of the only cache file, in a static buffer. */
static const char *only_cache_file(void)
{
    static char path[TEMP_PATH_MAX * 2];
    char dir[TEMP_PATH_MAX], **names;
    size_t n;
    gan_err err = {0};
    assert_int_equal(gan__list_dir(temp_path(&tmp, "cache", dir), &names, &n, &err), GAN_OK);
    assert_int_equal(n, 1);
    assert_true(gan__format(path, sizeof path, "%s/%s", dir, names[0]));
    gan__list_free(names, n);
    return path;
}

static void expect_gray(const char *spec)
{
    uint8_t px[4];
    gan_err err = {0};
    gan_dataset *ds = must_open(spec);
    assert_int_equal(gan_dataset_pixels(ds, 1, px, &err), GAN_OK);
    assert_memory_equal(px, gray + 4, 4);
    gan_dataset_close(ds);
}

static void cache_is_used_and_checked(void **state)
{
    (void)state;
    gan_err err = {0};
    char *data;
    size_t size;
    struct stat made, again;
    idx_write(&tmp, "images-idx3-ubyte.gz", 3, gray_dim, gray, 8, true);
    const char *spec = spec_of("/images-idx3-ubyte.gz");
    expect_gray(spec);
    const char *cache = only_cache_file();
    assert_int_equal(stat(cache, &made), 0);
    assert_int_equal(made.st_size, 24 + 64); /* payload and seal */
    expect_gray(spec);
    assert_int_equal(stat(cache, &again), 0);
    assert_true(made.st_ino == again.st_ino); /* used, not made anew */
    assert_int_equal(gan__file_read(cache, 1000, &data, &size, &err), GAN_OK);
    for (size_t i = 0; i < size; i++) { /* every byte of it is guarded */
        data[i] ^= 0x10;
        assert_int_equal(gan__file_replace(cache, data, size, &err), GAN_OK);
        data[i] ^= 0x10;
        expect_gray(spec);
        char *now;
        size_t n;
        assert_int_equal(gan__file_read(cache, 1000, &now, &n, &err), GAN_OK);
        assert_int_equal(n, size);
        assert_memory_equal(now, data, size); /* rebuilt */
        gan__free(now);
    }
    static const size_t cuts[] = {0, 1, 63, 64, 65, 87};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_int_equal(gan__file_replace(cache, data, cuts[i], &err), GAN_OK);
        expect_gray(spec);
    }
    gan__free(data);
    assert_string_equal(log_text, "");
}

static void changed_source(void **state)
{
    (void)state;
    uint8_t px[4];
    gan_err err = {0};
    unsigned char other[8] = {9, 9, 9, 9, 8, 8, 8, 8};
    idx_write(&tmp, "images-idx3-ubyte.gz", 3, gray_dim, gray, 8, true);
    const char *spec = spec_of("/images-idx3-ubyte.gz");
    expect_gray(spec);
    idx_write(&tmp, "images-idx3-ubyte.gz", 3, gray_dim, other, 8, true);
    gan_dataset *ds = must_open(spec);
    assert_int_equal(gan_dataset_pixels(ds, 1, px, &err), GAN_OK);
    assert_memory_equal(px, other + 4, 4);
    gan_dataset_close(ds);
}

static void cache_that_cannot_be_written(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    struct gan__alloc_stats before = gan__alloc_stats();
    idx_write(&tmp, "images-idx3-ubyte.gz", 3, gray_dim, gray, 8, true);
    temp_write(&tmp, "file", "x", 1);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "file", path), 1), 0);
    expect_gray(spec_of("/images-idx3-ubyte.gz"));
    assert_non_null(strstr(log_text, "inflated into memory, its cache cannot be used"));
    static const unsigned char lie[24] = {0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 2};
    gz_write(&tmp, "lie-idx3-ubyte.gz", lie, sizeof lie);
    must_fail(spec_of("/lie-idx3-ubyte.gz"), GAN_E_FORMAT, "promises 52 bytes, found 24");
    assert_int_equal(gan__alloc_stats().live, before.live);
}

/* Each allocation fails in turn: right code, nothing leaks, the next attempt works. */
static void failing_memory(void **state)
{
    (void)state;
    idx_write(&tmp, "images-idx3-ubyte.gz", 3, gray_dim, gray, 8, true);
    idx_write(&tmp, "labels-idx1-ubyte.gz", 1, two, two_labels, 2, true);
    for (int warm = 0; warm < 2; warm++) { /* cold and warm cache */
        for (uint64_t n = 1;; n++) {
            gan_err err = {0};
            gan_dataset *ds = NULL;
            if (warm == 0) {
                char dir[TEMP_PATH_MAX], file[TEMP_PATH_MAX * 2], **names;
                size_t count;
                if (gan__list_dir(temp_path(&tmp, "cache", dir), &names, &count, NULL) == GAN_OK) {
                    for (size_t i = 0; i < count; i++) {
                        assert_true(gan__format(file, sizeof file, "%s/%s", dir, names[i]));
                        assert_int_equal(unlink(file), 0);
                    }
                    gan__list_free(names, count);
                }
            }
            struct gan__alloc_stats before = gan__alloc_stats();
            gan__alloc_fail_at(n);
            gan_status status = gan_dataset_open(spec_of(""), &ds, &err);
            gan__alloc_fail_at(0);
            if (status == GAN_OK) {
                gan_dataset_close(ds);
                assert_true(n > 5);
                break;
            }
            assert_int_equal(status, GAN_E_NOMEM);
            assert_int_equal(gan__alloc_stats().live, before.live);
        }
    }
    expect_gray(spec_of(""));
}

static void fashion_mnist(void **state)
{
    (void)state;
    static const uint32_t dim[3] = {2, 28, 28};
    static const unsigned char px[2 * 28 * 28] = {3};
    static const unsigned char labels[2] = {9, 0}, wrong[2] = {9, 10};
    assert_int_equal(setenv("GAN_FASHION_MNIST", tmp.path, 1), 0);
    must_fail("fashion-mnist", GAN_E_NOTFOUND, "apt install dataset-fashion-mnist");
    idx_write(&tmp, "t10k-images-idx3-ubyte", 3, dim, px, sizeof px, false);
    idx_write(&tmp, "t10k-labels-idx1-ubyte.gz", 1, two, labels, 2, true);
    gan_dataset *ds = must_open("fashion-mnist?split=test");
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    assert_int_equal(info->count, 2);
    assert_int_equal(info->classes, 10);
    assert_string_equal(info->class_names[gan_dataset_label(ds, 0)], "Ankle boot");
    gan_dataset_close(ds);
    idx_write(&tmp, "t10k-labels-idx1-ubyte.gz", 1, two, wrong, 2, true);
    must_fail("fashion-mnist?split=test", GAN_E_FORMAT, "label 1 is 10, allowed 0 to 9");
    assert_int_equal(unsetenv("GAN_FASHION_MNIST"), 0);
    gan_err err = {0};
    if (gan_dataset_open("fashion-mnist", &ds, &err) == GAN_OK) { /* where the package is */
        assert_int_equal(gan_dataset_about(ds)->count, 60000);
        assert_int_equal(gan_dataset_about(ds)->height, 28);
        int64_t per_class[10] = {0};
        for (int64_t i = 0; i < 60000; i++) {
            per_class[gan_dataset_label(ds, i)]++;
        }
        for (size_t k = 0; k < 10; k++) {
            assert_int_equal(per_class[k], 6000);
        }
        gan_dataset_close(ds);
    } else {
        assert_int_equal(err.code, GAN_E_NOTFOUND);
        print_message("dataset-fashion-mnist is not installed: its counts were not checked\n");
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_heard, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(specs),          CASE(gray_images),
        CASE(four_axes),      CASE(alpha_over_background),
        CASE(choosing_files), CASE(lying_files),
        CASE(damaged_gz),     CASE(lying_labels),
        CASE(changed_source), CASE(cache_is_used_and_checked),
        CASE(fashion_mnist),  CASE(cache_that_cannot_be_written),
        CASE(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
