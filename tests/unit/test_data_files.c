/* test_data_files.c: pairs and domains in image files, and pairs derived from single images: which
 * pixels come out, and that halves belong together. */
#include "base/str.h"
#include "support/temp_dir.h"

#include <gan/data.h>
#include <gan/image.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { SIDE = 12, PIXELS = SIDE * SIDE };

static struct temp_dir tmp;

/* A PGM of h x w pixels. */
static void pgm(const char *name, size_t h, size_t w, const uint8_t *px)
{
    char path[TEMP_PATH_MAX];
    FILE *f = fopen(temp_path(&tmp, name, path), "wb");
    assert_non_null(f);
    assert_true(fprintf(f, "P5 %zu %zu 255\n", w, h) > 0);
    assert_int_equal(fwrite(px, 1, h * w, f), h * w);
    assert_int_equal(fclose(f), 0);
}

static void folder(const char *name)
{
    char path[TEMP_PATH_MAX];
    assert_int_equal(mkdir(temp_path(&tmp, name, path), 0777), 0);
}

static void fill(uint8_t *px, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++) {
        px[i] = (uint8_t)((i * 37 + i * i * 11 + seed * 53) % 256);
    }
}

static int make(void **state)
{
    char path[TEMP_PATH_MAX], name[64];
    uint8_t px[2 * PIXELS];
    static const char *const folders[] = {"side",  "two",    "two/A", "two/B",  "one",
                                          "other", "square", "lone",  "lone/A", "lone/B"};
    (void)state;
    temp_dir_make(&tmp);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "cache", path), 1), 0);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        folder(folders[i]);
    }
    for (unsigned i = 0; i < 3; i++) { /* stems that sort otherwise than names: a-b before a. */
        static const char *const stems[] = {"a", "a-b", "c"};
        fill(px, 2 * PIXELS, i);
        assert_true(gan__format(name, sizeof name, "side/%u.pgm", i));
        pgm(name, SIDE, 2 * SIDE, px);
        assert_true(gan__format(name, sizeof name, "two/A/%s.pgm", stems[i]));
        pgm(name, SIDE, SIDE, px);
        for (size_t k = 0; k < PIXELS; k++) {
            px[k] = (uint8_t)(255 - px[k]);
        }
        assert_true(gan__format(name, sizeof name, "two/B/%s.pnm", stems[i]));
        pgm(name, SIDE, SIDE, px);
        assert_true(gan__format(name, sizeof name, "one/%u.pgm", i));
        pgm(name, SIDE, SIDE, px);
        pgm("lone/A/x.pgm", SIDE, SIDE, px);
        pgm("lone/B/x.pgm", SIDE, SIDE, px);
    }
    pgm("lone/A/y.pgm", SIDE, SIDE, px);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(gan__format(name, sizeof name, "other/%u.pgm", i));
        pgm(name, SIDE, SIDE, px);
    }
    for (size_t i = 0; i < PIXELS; i++) { /* a white square in the middle of black */
        size_t y = i / SIDE, x = i % SIDE;
        px[i] = y >= 3 && y < 9 && x >= 3 && x < 9 ? 255 : 0;
    }
    pgm("square/s.pgm", SIDE, SIDE, px);
    static const char idx[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4};
    temp_write(&tmp, "gray.idx", idx, sizeof idx);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    temp_dir_remove(&tmp);
    return 0;
}

/* kind:PLACE with the folder and what follows it; "%" stands for the folder of this test. */
static gan_status open_spec(const char *pattern, gan_dataset **ds, gan_err *err)
{
    struct gan__str spec = {0};
    char dir[TEMP_PATH_MAX];
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '%') {
            gan__str_add(&spec, temp_path(&tmp, "", dir));
        } else {
            gan__str_addn(&spec, at, 1);
        }
    }
    gan_status status = gan_dataset_open(spec.p, ds, err);
    gan__str_release(&spec);
    return status;
}

static gan_dataset *opened(const char *pattern)
{
    gan_err err = {0};
    gan_dataset *ds = NULL;
    if (open_spec(pattern, &ds, &err) != GAN_OK) {
        fail_msg("%s: %s", pattern, err.message);
    }
    return ds;
}

static void refused(const char *pattern, gan_status code, const char *text)
{
    gan_err err = {0};
    gan_dataset *ds = NULL;
    assert_int_equal(open_spec(pattern, &ds, &err), code);
    assert_null(ds);
    if (strstr(err.message, text) == NULL) {
        fail_msg("%s: %s", pattern, err.message);
    }
}

static void side_by_side_is_cut(void **state)
{
    (void)state;
    gan_err err = {0};
    uint8_t a[PIXELS], b[PIXELS], want[2 * PIXELS];
    gan_dataset *ds = opened("pairs:%side");
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    assert_true(info->paired);
    assert_int_equal(info->count, 3);
    assert_int_equal(info->width, SIDE);
    assert_int_equal(info->width_b, SIDE);
    for (unsigned i = 0; i < 3; i++) {
        fill(want, 2 * PIXELS, i);
        assert_int_equal(gan_dataset_pixels(ds, i, a, &err), GAN_OK);
        assert_int_equal(gan_dataset_pixels_b(ds, i, b, &err), GAN_OK);
        for (size_t y = 0; y < SIDE; y++) {
            assert_memory_equal(a + y * SIDE, want + y * 2 * SIDE, SIDE);
            assert_memory_equal(b + y * SIDE, want + y * 2 * SIDE + SIDE, SIDE);
        }
    }
    gan_dataset_close(ds);
}

/* B is the negative of A under every crop and mirror: |a + b| is rounding of resized f32 pixels. */
static void partners_are_found_by_stem(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_loader *l = NULL;
    const struct gan_batch *batch = NULL;
    gan_dataset *ds = opened("pairs:%two?flip=1&jitter=2");
    const struct gan_loader_cfg cfg = {.batch = 3, .seed = 5};
    assert_int_equal(gan_loader_new(ds, &cfg, &l, &err), GAN_OK);
    for (int epoch = 0; epoch < 10; epoch++) {
        assert_int_equal(gan_loader_next(l, &batch, &err), GAN_OK);
        for (size_t i = 0; i < 3 * PIXELS; i++) {
            assert_true(fabsf(batch->images[i] + batch->images_b[i]) < 1e-5f);
        }
    }
    gan_loader_free(l);
    gan_dataset_close(ds);
}

static void what_has_no_partner_is_told(void **state)
{
    (void)state;
    refused("pairs:%lone", GAN_E_FORMAT, "A/y.pgm has no partner (1 of 3 files");
    gan_dataset *ds = opened("pairs:%lone?unmatched=skip");
    assert_int_equal(gan_dataset_about(ds)->count, 1);
    gan_dataset_close(ds);
    refused("pairs:%two/A/none", GAN_E_NOTFOUND, "is no folder");
    refused("pairs:%cache", GAN_E_NOTFOUND, "neither images side by side nor folders A and B");
    refused("pairs:%two?split=test", GAN_E_NOTFOUND, "/test holds neither");
}

static void domains_are_two_or_classes(void **state)
{
    (void)state;
    gan_dataset *ds = opened("domains:%one,%other");
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    assert_false(info->paired);
    assert_int_equal(info->count, 3);
    assert_int_equal(info->count_b, 2);
    assert_false(info->labelled);
    gan_dataset_close(ds);
    ds = opened("domains:%one,%other,%square");
    info = gan_dataset_about(ds);
    assert_int_equal(info->count, 6);
    assert_int_equal(info->count_b, 0);
    assert_int_equal(info->classes, 3);
    assert_string_equal(info->class_names[1], "other");
    assert_int_equal(gan_dataset_label(ds, 2), 0);
    assert_int_equal(gan_dataset_label(ds, 3), 1);
    assert_int_equal(gan_dataset_label(ds, 5), 2);
    gan_dataset_close(ds);
    ds = opened("domains:%one/,%other?labelled=yes");
    assert_int_equal(gan_dataset_about(ds)->classes, 2);
    assert_string_equal(gan_dataset_about(ds)->class_names[0], "one");
    gan_dataset_close(ds);
    refused("domains:%one,%none", GAN_E_NOTFOUND, "none is no folder");
    refused("domains:%one,,%other", GAN_E_ARG, "missing beside a comma");
    refused("domains:%one", GAN_E_NOTFOUND, "trainA");
}

/* Without blur the slope of Sobel is 1 on the two columns at a step and of these the first stays: a
 * square's outline, one pixel wide, its corners aside. */
static void a_square_has_four_lines(void **state)
{
    (void)state;
    gan_err err = {0};
    uint8_t a[PIXELS], b[PIXELS];
    gan_dataset *ds = opened("edges:folder:%square?blur=0&threshold=0.9&low=1");
    assert_true(gan_dataset_about(ds)->paired);
    assert_int_equal(gan_dataset_about(ds)->channels, 1);
    assert_int_equal(gan_dataset_pixels(ds, 0, a, &err), GAN_OK);
    assert_int_equal(gan_dataset_pixels_b(ds, 0, b, &err), GAN_OK);
    assert_int_equal(b[3 * SIDE + 3], 255);
    assert_int_equal(b[2 * SIDE + 3], 0);
    for (size_t k = 5; k < 7; k++) { /* left 2|3, right 8|9, up, down */
        for (size_t at = 0; at < SIDE; at++) {
            int want = at == 2 || at == 8 ? 0 : 255;
            assert_int_equal(a[k * SIDE + at], want);
            assert_int_equal(a[at * SIDE + k], want);
        }
    }
    gan_dataset_close(ds);
}

/* A line of slope 1 that goes on with slope 0.5 is followed down to the low threshold, and a weak
 * line that touches no strong one is not drawn. */
static void weak_lines_hang_on_strong_ones(void **state)
{
    (void)state;
    gan_err err = {0};
    uint8_t px[PIXELS], a[PIXELS];
    folder("weak");
    for (size_t i = 0; i < PIXELS; i++) {
        size_t y = i / SIDE, x = i % SIDE;
        px[i] = x < 3 ? (y < 6 ? 255 : 128) : x >= 9 ? 128 : 0;
    }
    pgm("weak/w.pgm", SIDE, SIDE, px);
    gan_dataset *ds = opened("edges:folder:%weak?blur=0&threshold=0.9&low=0.5");
    assert_int_equal(gan_dataset_pixels(ds, 0, a, &err), GAN_OK);
    assert_int_equal(a[2 * SIDE + 2], 0);
    assert_int_equal(a[10 * SIDE + 2], 0);
    assert_int_equal(a[10 * SIDE + 8], 255);
    gan_dataset_close(ds);
    ds = opened("edges:folder:%weak?blur=0&threshold=0.4");
    assert_int_equal(gan_dataset_pixels(ds, 0, a, &err), GAN_OK);
    assert_int_equal(a[10 * SIDE + 8], 0);
    gan_dataset_close(ds);
}

static void low_resolution_is_bicubic_twice(void **state)
{
    (void)state;
    gan_err err = {0};
    uint8_t a[PIXELS], b[PIXELS], small[9], want[PIXELS];
    gan_dataset *ds = opened("lowres:folder:%one?scale=4");
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(gan_dataset_pixels(ds, i, a, &err), GAN_OK);
        assert_int_equal(gan_dataset_pixels_b(ds, i, b, &err), GAN_OK);
        assert_int_equal(gan_image_resize(b, SIDE, SIDE, 1, 3, 3, GAN_FILTER_BICUBIC, small, &err),
                         GAN_OK);
        assert_int_equal(
            gan_image_resize(small, 3, 3, 1, SIDE, SIDE, GAN_FILTER_BICUBIC, want, &err), GAN_OK);
        assert_memory_equal(a, want, PIXELS);
    }
    gan_dataset_close(ds);
    refused("lowres:folder:%one?scale=10", GAN_E_ARG, "leave less than 2 pixels");
}

/* Options without parentheses reach the set inside, size= both; in parentheses nothing is passed. */
static void options_find_their_set(void **state)
{
    (void)state;
    gan_dataset *ds = opened("edges:folder:%square?size=20&fit=stretch&blur=1");
    assert_int_equal(gan_dataset_about(ds)->height, 20);
    assert_int_equal(gan_dataset_about(ds)->height_b, 20);
    gan_dataset_close(ds);
    ds = opened("edges:(folder:%square?size=20&fit=stretch)?size=16&flip=1");
    assert_int_equal(gan_dataset_about(ds)->height, 16);
    assert_int_equal(gan_dataset_about(ds)->width_b, 16);
    assert_true(gan_dataset_about(ds)->flip);
    gan_dataset_close(ds);
    refused("edges:(folder:%square)?fit=stretch", GAN_E_ARG, "unknown option 'fit' of data edges");
    refused("edges:folder:%square?fti=stretch", GAN_E_ARG, "did you mean fit?");
    refused("edges:(folder:%square", GAN_E_ARG, "a parenthesis is not closed");
    refused("edges:(folder:%square)x", GAN_E_ARG, "only ?options may follow");
    refused("edges:(folder:%square?flip=1)", GAN_E_ARG, "balance stand outside the parentheses");
    refused("edges:(folder:%square?pad=edge)", GAN_E_ARG, "balance stand outside the parentheses");
    refused("stacked:(idx:%gray.idx?size=16)", GAN_E_ARG,
            "data idx inside another set stay 2x2x1: size stands outside");
    refused("edges:(idx:%gray.idx?channels=3)", GAN_E_ARG, "channels stands outside");
    refused("edges:lowres:folder:%square", GAN_E_ARG, "lowres takes a SPEC itself");
    refused("edges:toy:8gaussians", GAN_E_ARG, "are points");
    refused("edges:pairs:%side", GAN_E_ARG, "are no single images");
    refused("edges:", GAN_E_ARG, "needs an argument");
    refused("edges", GAN_E_ARG, "needs an argument");
}

/* What a stack is padded with is what its images are padded with: white, as of all image files. */
static void stacks_keep_their_background(void **state)
{
    (void)state;
    gan_err err = {0};
    const struct gan_batch *b;
    gan_loader *l = NULL;
    gan_dataset *ds = opened("stacked:domains:%one,%other?labelled=yes&n=4");
    const struct gan_loader_cfg cfg = {.batch = 4, .height = SIDE + 2, .width = SIDE + 2};
    assert_int_equal(gan_loader_new(ds, &cfg, &l, &err), GAN_OK);
    assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
    assert_int_equal(b->channels, 3);
    for (size_t c = 0; c < 3; c++) { /* the corner is padding; white is 1 in every range */
        assert_true(b->images[c] >= 1 && b->images[c] <= 1);
    }
    gan_loader_free(l);
    gan_dataset_close(ds);
}

/* Where one more option belongs. */
static void options_are_added(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"folder:x", "skip-broken=yes", "folder:x?skip-broken=yes"},
        {"folder:x?size=8", "skip-broken=yes", "folder:x?size=8&skip-broken=yes"},
        {"edges:folder:x", "fit=pad", "edges:folder:x?fit=pad"},
        {"edges:folder:x?blur=2", "fit=pad", "edges:folder:x?blur=2&fit=pad"},
        {"edges:(folder:x)", "fit=pad", "edges:(folder:x?fit=pad)"},
        {"edges:(folder:x?size=8)?blur=2", "fit=pad", "edges:(folder:x?size=8&fit=pad)?blur=2"},
        {"edges:(folder:x?size=8)", "blur=2", "edges:(folder:x?size=8)?blur=2"},
        {"edges:(folder:x)?low=1", "blur=2", "edges:(folder:x)?low=1&blur=2"},
    };
    char dst[128];
    gan_err err = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(gan_data_spec_add(rows[i][0], rows[i][1], dst, sizeof dst, &err), GAN_OK);
        assert_string_equal(dst, rows[i][2]);
    }
    assert_int_equal(gan_data_spec_add("toy:ring8", "fit=pad", dst, sizeof dst, &err), GAN_E_ARG);
    assert_int_equal(gan_data_spec_add("folder:x", "fit=pad", dst, 9, &err), GAN_E_RANGE);
}

/* As given or the default, of the kind named or of the one inside it, with and without parentheses. */
static void an_option_is_read_back(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"fashion-mnist", "split", "train"},
        {"fashion-mnist?size=32&split=test", "split", "test"},
        {"stacked:fashion-mnist", "split", "train"},
        {"stacked:(fashion-mnist?split=test)?n=100", "split", "test"},
        {"lowres:fashion-mnist?split=test", "split", "test"},
        {"edges:cifar10:d", "split", "train"},
        {"edges:(cifar10:d?split=test)", "split", "test"},
        {"stacked:(fashion-mnist?size=16)?size=32", "size", "32"},
        {"folder:split=train", "split", ""},
        {"toy:ring8", "split", ""},
    };
    char dst[64];
    gan_err err = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(gan_data_spec_get(rows[i][0], rows[i][1], dst, sizeof dst, &err), GAN_OK);
        assert_string_equal(dst, rows[i][2]);
    }
    assert_int_equal(gan_data_spec_get("fashion-mnst", "split", dst, sizeof dst, &err), GAN_E_ARG);
    assert_int_equal(gan_data_spec_get("fashion-mnist", "split", dst, 3, &err), GAN_E_RANGE);
}

/* The contact sheet's pixels: size= and channels= of the SPEC hold, pairs share channels. */
static void views_are_as_asked_for(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan_view v;
    uint8_t px[2 * 8 * 8 * 3];
    gan_dataset *ds = opened("pairs:%two?size=8&channels=3");
    assert_int_equal(gan_dataset_view_size(ds, &v, &err), GAN_OK);
    assert_int_equal(v.height, 8);
    assert_int_equal(v.channels, 3);
    assert_int_equal(gan_dataset_view(ds, false, 1, 1, px, &err), GAN_OK);
    assert_int_equal(gan_dataset_view(ds, true, 1, 1, px + 192, &err), GAN_OK);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(px[3 * i], px[3 * i + 2]);
        assert_in_range(px[3 * i] + px[192 + 3 * i], 254, 256); /* each half rounds by itself */
    }
    assert_int_equal(gan_dataset_view(ds, true, 3, 1, px, &err), GAN_E_RANGE);
    gan_dataset_close(ds);
}

/* Three classes of 2, 3 and 1 images. */
static void lists(void)
{
    static const char text[] = "6\nBald Happy\n0.pgm -1 1\n1.pgm  1 -1\r\n2.pgm -1 1\n"
                               "3.pgm -1 1\n4.pgm 1 1\n5.pgm -1 1\n";
    static const char parts[] = "0.pgm 0\n1.pgm 0\n2.pgm 1\n3.pgm 2\n4.pgm 0\n5.pgm 2\n";
    uint8_t px[PIXELS];
    char name[64];
    folder("celeb");
    folder("celeb/images");
    for (unsigned i = 0; i < 6; i++) {
        fill(px, PIXELS, i);
        assert_true(gan__format(name, sizeof name, "celeb/images/%u.pgm", i));
        pgm(name, SIDE, SIDE, px);
    }
    temp_write(&tmp, "celeb/list_attr_celeba.txt", text, sizeof text - 1);
    temp_write(&tmp, "celeb/list_eval_partition.txt", parts, sizeof parts - 1);
}

static void attributes_are_read(void **state)
{
    (void)state;
    gan_err err = {0};
    int8_t value[2];
    uint8_t px[PIXELS], want[PIXELS];
    lists();
    gan_dataset *ds = opened("attributes:%celeb");
    assert_false(gan_dataset_about(ds)->labelled);
    assert_int_equal(gan_dataset_about(ds)->count, 6);
    assert_int_equal(gan_dataset_about(ds)->attributes, 2);
    assert_string_equal(gan_dataset_about(ds)->attribute_names[1], "Happy");
    gan_dataset_close(ds);
    ds = opened("attributes:%celeb?attribute=Bald&split=train");
    assert_int_equal(gan_dataset_about(ds)->count, 3);
    assert_string_equal(gan_dataset_about(ds)->class_names[0], "not Bald");
    static const int32_t bald[3] = {0, 1, 1};
    static const unsigned file[3] = {0, 1, 4};
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(gan_dataset_label(ds, i), bald[i]);
        assert_int_equal(gan_dataset_attributes(ds, i, value, &err), GAN_OK);
        assert_int_equal(value[0], bald[i] > 0 ? 1 : -1);
        assert_int_equal(value[1], i == 1 ? -1 : 1);
        assert_int_equal(gan_dataset_pixels(ds, i, px, &err), GAN_OK);
        fill(want, PIXELS, file[i]);
        assert_memory_equal(px, want, PIXELS);
    }
    assert_int_equal(gan_dataset_attributes(ds, 3, value, &err), GAN_E_RANGE);
    gan_dataset_close(ds);
    refused("attributes:%celeb?attribute=Blad", GAN_E_NOTFOUND, "did you mean Bald?");
    refused("attributes:%one", GAN_E_NOTFOUND, "list_attr_celeba.txt");
    static const struct {
        const char *text, *says;
    } bad[] = {{"x\nA\na.pgm 1\n", "the first line is not the number of images"},
               {"1\nA B\na.pgm 1\n", "line 3: 1 values for 2 attributes"},
               {"1\nA B\na.pgm 1 7\n", "line 3: B is '7', allowed 1 and -1"},
               {"1\nA\na.pgm 1 1\n", "line 3: more than 1 values"},
               {"2\nA\na.pgm 1\n", "1 images are listed, the first line says 2"},
               {"2\n", "0 names of attributes"},
               {"", "the first line is not"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        temp_write(&tmp, "celeb/bad.txt", bad[i].text, strlen(bad[i].text));
        refused("attributes:%celeb?list=bad.txt", GAN_E_FORMAT, bad[i].says);
    }
}

enum { ROUNDS = 60, CLASSES = 3 };

static void indices(const gan_dataset *ds, int64_t batch, int64_t from, int64_t *index,
                    int32_t *label)
{
    gan_err err = {0};
    gan_loader *l = NULL;
    const struct gan_batch *b = NULL;
    const struct gan_loader_cfg cfg = {.batch = batch, .seed = 4};
    assert_int_equal(gan_loader_new(ds, &cfg, &l, &err), GAN_OK);
    assert_int_equal(gan_loader_seek(l, from, &err), GAN_OK);
    for (int64_t at = from; at < ROUNDS * CLASSES; at += batch) {
        assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
        for (int64_t i = 0; i < batch && at + i < ROUNDS * CLASSES; i++) {
            index[at + i] = b->index[i];
            label[at + i] = b->labels[i];
        }
    }
    gan_loader_free(l);
}

/* Every run of three holds each class once; every class goes through all of its images before one
 * comes again; any batch and any place to continue from give the same; the plain order is not so. */
static void classes_come_equally_often(void **state)
{
    (void)state;
    int64_t index[ROUNDS * CLASSES], again[ROUNDS * CLASSES];
    int32_t label[ROUNDS * CLASSES];
    static const int64_t size[CLASSES] = {3, 2, 1}, start[CLASSES] = {0, 3, 5};
    int order = 0;
    gan_dataset *ds = opened("domains:%one,%other,%square?balance=1");
    assert_true(gan_dataset_about(ds)->balance);
    indices(ds, 4, 0, index, label);
    for (int64_t r = 0; r < ROUNDS; r++) {
        const int32_t *y = label + r * CLASSES;
        assert_int_equal((1 << y[0]) | (1 << y[1]) | (1 << y[2]), 7);
        order |= 1 << y[0];
    }
    assert_int_equal(order, 7); /* the order within a round changes */
    for (int64_t y = 0; y < CLASSES; y++) {
        uint32_t seen = 0;
        int64_t n = 0;
        for (int64_t i = 0; i < ROUNDS * CLASSES; i++) {
            if (label[i] != y) {
                continue;
            }
            seen |= 1u << (index[i] - start[y]);
            if (++n % size[y] == 0) {
                assert_int_equal(seen, (1u << size[y]) - 1);
                seen = 0;
            }
        }
    }
    memcpy(again, index, sizeof again);
    indices(ds, 7, 31, again, label);
    assert_memory_equal(index, again, sizeof index);
    gan_dataset_close(ds);
    refused("folder:%one?balance=1", GAN_E_ARG, "balance needs classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(side_by_side_is_cut),
        cmocka_unit_test(partners_are_found_by_stem),
        cmocka_unit_test(what_has_no_partner_is_told),
        cmocka_unit_test(domains_are_two_or_classes),
        cmocka_unit_test(a_square_has_four_lines),
        cmocka_unit_test(weak_lines_hang_on_strong_ones),
        cmocka_unit_test(low_resolution_is_bicubic_twice),
        cmocka_unit_test(options_find_their_set),
        cmocka_unit_test(stacks_keep_their_background),
        cmocka_unit_test(options_are_added),
        cmocka_unit_test(an_option_is_read_back),
        cmocka_unit_test(views_are_as_asked_for),
        cmocka_unit_test(attributes_are_read),
        cmocka_unit_test(classes_come_equally_often),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
