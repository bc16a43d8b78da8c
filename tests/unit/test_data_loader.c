/* test_data_loader.c: order, resume, batches of any size, threads, points. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "data/dataset.h"
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

#define COUNT 23 /* images; pixel (0,0) is the number of the image, (0,1) twice it */

static struct temp_dir tmp;
static gan_dataset *ds;

static int make(void **state)
{
    char path[TEMP_PATH_MAX];
    unsigned char px[COUNT * 6], labels[COUNT];
    static const uint32_t dim[3] = {COUNT, 2, 3}, n[1] = {COUNT};
    gan_err err = {0};
    (void)state;
    temp_dir_make(&tmp);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "cache", path), 1), 0);
    for (size_t i = 0; i < COUNT; i++) {
        labels[i] = (unsigned char)(i % 5);
        for (size_t k = 0; k < 6; k++) {
            px[6 * i + k] = (unsigned char)(i * (k + 1));
        }
    }
    idx_write(&tmp, "images-idx3-ubyte.gz", 3, dim, px, sizeof px, true);
    idx_write(&tmp, "labels-idx1-ubyte.gz", 1, n, labels, COUNT, true);
    assert_true(gan__format(path, sizeof path, "idx:%s", tmp.path));
    assert_int_equal(gan_dataset_open(path, &ds, &err), GAN_OK);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    gan_dataset_close(ds);
    ds = NULL;
    temp_dir_remove(&tmp);
    return 0;
}

static gan_loader *start(const gan_dataset *data, const struct gan_loader_cfg *cfg)
{
    gan_err err = {0};
    gan_loader *l = NULL;
    if (gan_loader_new(data, cfg, &l, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    return l;
}

static const struct gan_batch *next(gan_loader *l)
{
    gan_err err = {0};
    const struct gan_batch *b = NULL;
    assert_int_equal(gan_loader_next(l, &b, &err), GAN_OK);
    assert_int_equal((uintptr_t)b->images % 64, 0);
    return b;
}

/* What stands at the first n positions: index, mirrored or not, and a pixel. */
struct seen {
    int64_t index[400];
    float corner[400], other[400];
};

static void collect(gan_loader *l, int64_t first, int64_t n, struct seen *s)
{
    int64_t at = first;
    while (at < first + n) {
        const struct gan_batch *b = next(l);
        assert_int_equal(b->first, at);
        for (int64_t k = 0; k < b->n && at < first + n; k++, at++) {
            s->index[at - first] = b->index[k];
            s->corner[at - first] = b->images[k * 6];
            s->other[at - first] = b->images[k * 6 + 2];
            assert_int_equal(b->labels[k], b->index[k] % 5);
        }
    }
}

static void one_permutation_an_epoch(void **state)
{
    (void)state;
    struct seen s, again, other;
    struct gan_loader_cfg cfg = {.batch = 7, .seed = 3, .range = GAN_RANGE_UNIT};
    gan_loader *l = start(ds, &cfg);
    collect(l, 0, 10 * COUNT, &s);
    gan_loader_free(l);
    for (int64_t e = 0; e < 10; e++) {
        int times[COUNT] = {0};
        for (int64_t i = 0; i < COUNT; i++) {
            times[s.index[e * COUNT + i]]++;
        }
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(times[i], 1);
        }
        assert_true(e == 0 || memcmp(s.index, s.index + e * COUNT, COUNT * sizeof(int64_t)) != 0);
    }
    l = start(ds, &cfg);
    collect(l, 0, 10 * COUNT, &again);
    gan_loader_free(l);
    assert_memory_equal(s.index, again.index, 10 * COUNT * sizeof(int64_t));
    cfg.seed = 4;
    l = start(ds, &cfg);
    collect(l, 0, COUNT, &other);
    gan_loader_free(l);
    assert_memory_not_equal(s.index, other.index, COUNT * sizeof(int64_t));
}

/* Position alone decides: batch size, threads and where one starts change nothing. */
static void position_is_all(void **state)
{
    (void)state;
    enum { N = 300 };
    static const int64_t batches[] = {1, 2, 5, 7, 16, 22, 23, 24, 46, 64, 100, 300};
    struct seen want, got;
    struct gan_loader_cfg cfg = {.batch = 1, .seed = 9, .range = GAN_RANGE_UNIT, .flip = true};
    gan_loader *l = start(ds, &cfg);
    collect(l, 0, N, &want);
    gan_loader_free(l);
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        for (int threads = 1; threads <= 4; threads += 3) {
            cfg.batch = batches[i];
            cfg.threads = threads;
            l = start(ds, &cfg);
            collect(l, 0, N, &got);
            assert_memory_equal(&want.index, &got.index, N * sizeof(int64_t));
            assert_memory_equal(&want.corner, &got.corner, N * sizeof(float));
            static const int64_t jumps[] = {0, 1, 17, COUNT, 100, 5};
            for (size_t k = 0; k < sizeof jumps / sizeof jumps[0]; k++) {
                gan_err err = {0};
                assert_int_equal(gan_loader_seek(l, jumps[k], &err), GAN_OK);
                collect(l, jumps[k], 60, &got);
                assert_memory_equal(want.index + jumps[k], got.index, 60 * sizeof(int64_t));
                assert_memory_equal(want.other + jumps[k], got.other, 60 * sizeof(float));
            }
            gan_loader_free(l);
        }
    }
}

static void contents(void **state)
{
    (void)state;
    /* default size: the data's own; mirrored rows hold the same numbers the other way round */
    struct gan_loader_cfg cfg = {.batch = 2 * COUNT, .range = GAN_RANGE_UNIT, .flip = true};
    gan_loader *l = start(ds, &cfg);
    int flipped = 0, total = 0;
    for (int i = 0; i < 20; i++) {
        const struct gan_batch *b = next(l);
        assert_int_equal(b->height, 2);
        assert_int_equal(b->width, 3);
        assert_int_equal(b->channels, 1);
        for (int64_t k = 0; k < b->n; k++) {
            const float *px = b->images + k * 6;
            float unit = (float)((double)b->index[k] / 255.0);
            bool plain = memcmp(px, &unit, sizeof unit) == 0;
            assert_true(plain || memcmp(px + 2, &unit, sizeof unit) == 0);
            flipped += b->index[k] != 0 && !plain;
            total += b->index[k] != 0;
        }
    }
    gan_loader_free(l);
    /* five standard deviations of a fair coin thrown 880 times: 5 * 14.8 */
    assert_true(abs(2 * flipped - total) < 150);
}

static void sizes(void **state)
{
    (void)state;
    struct gan_loader_cfg cfg = {.batch = COUNT, .height = 4, .width = 4, .channels = 3};
    gan_loader *l = start(ds, &cfg);
    const struct gan_batch *b = next(l);
    assert_int_equal(b->channels, 3);
    for (int64_t k = 0; k < b->n; k++) { /* padded: a row above, a row below, a column right */
        const float *px = b->images + k * 48;
        for (size_t i = 0; i < 12; i++) {
            assert_true(px[i] <= -1.0f && px[36 + i] <= -1.0f);
        }
        float corner = (float)((double)b->index[k] / 127.5 - 1.0);
        assert_memory_equal(px + 12, &corner, sizeof corner);
        assert_memory_equal(px + 14, &corner, sizeof corner);
        assert_true(px[12 + 9] <= -1.0f);
    }
    gan_loader_free(l);
    cfg.fit = GAN_FIT_RESIZE; /* 2x3 -> 4x6 -> the middle 4x4 */
    l = start(ds, &cfg);
    b = next(l);
    for (int64_t k = 0; k < b->n; k++) { /* column 1 of 6 lies at 1.5 / 2 - .5 = 1/4 */
        double i = (double)b->index[k];
        double want = (i + 0.25 * i) / 127.5 - 1;
        assert_true(fabs((double)b->images[k * 48] - want) < 1e-6); /* f32 filter sums */
    }
    gan_loader_free(l);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        struct gan_loader_cfg cfg;
        const char *rest;
        gan_status code;
        const char *part;
    } wrong[] = {
        {{.batch = -1}, "", GAN_E_RANGE, "batch is -1, allowed 1 to 65536"},
        {{.threads = 99}, "", GAN_E_RANGE, "loader threads are 99, allowed 1 to 16"},
        {{.height = 9000, .width = 8}, "", GAN_E_RANGE, "9000x8 wanted, allowed 1 to 8192"},
        {{.channels = 2}, "", GAN_E_ARG, "2 channels wanted"},
        {{.height = 64, .width = 64}, "?size=32", GAN_E_ARG, "size=32, 64x64 wanted"},
        {{.channels = 1}, "?channels=3", GAN_E_ARG, "channels=3, 1 wanted"},
        {{.height = 1, .width = 3, .fit = GAN_FIT_PAD}, "", GAN_E_ARG, "cannot be padded to 1x3"},
    };
    struct gan__alloc_stats before = gan__alloc_stats();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char spec[TEMP_PATH_MAX * 2];
        gan_err err = {0};
        gan_dataset *d = NULL;
        gan_loader *l = NULL;
        assert_true(gan__format(spec, sizeof spec, "idx:%s%s", tmp.path, wrong[i].rest));
        assert_int_equal(gan_dataset_open(spec, &d, &err), GAN_OK);
        assert_int_equal(gan_loader_new(d, &wrong[i].cfg, &l, &err), wrong[i].code);
        assert_null(l);
        assert_non_null(strstr(err.message, wrong[i].part));
        assert_int_equal(gan_loader_bytes(d, &wrong[i].cfg), 0);
        gan_dataset_close(d);
    }
    gan_loader *l = start(ds, &(struct gan_loader_cfg){.batch = 4});
    gan_err err = {0};
    assert_int_equal(gan_loader_seek(l, -1, &err), GAN_E_RANGE);
    gan_loader_free(l);
    gan_loader_free(NULL);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

/* Once it runs, it allocates nothing; what it holds is what it said it would. */
static void memory(void **state)
{
    (void)state;
    static const struct gan_loader_cfg cfgs[] = {
        {.batch = 32, .height = 8, .width = 8, .channels = 3, .threads = 2},
        {.batch = 5, .height = 3, .width = 3, .fit = GAN_FIT_RESIZE},
        {0},
    };
    for (size_t i = 0; i < sizeof cfgs / sizeof cfgs[0]; i++) {
        struct gan__alloc_stats before = gan__alloc_stats();
        gan_loader *l = start(ds, &cfgs[i]);
        struct gan__alloc_stats built = gan__alloc_stats();
        assert_int_equal(built.live_bytes - before.live_bytes, gan_loader_bytes(ds, &cfgs[i]));
        built = gan__alloc_stats();
        for (int k = 0; k < 50; k++) {
            (void)next(l);
        }
        assert_int_equal(gan__alloc_stats().calls, built.calls);
        gan_loader_free(l);
        assert_int_equal(gan__alloc_stats().live, before.live);
    }
}

static void failing_memory(void **state)
{
    (void)state;
    const struct gan_loader_cfg cfg = {.batch = 4, .height = 5, .width = 5, .fit = GAN_FIT_RESIZE};
    for (uint64_t n = 1;; n++) {
        struct gan__alloc_stats before = gan__alloc_stats();
        gan_err err = {0};
        gan_loader *l = NULL;
        gan__alloc_fail_at(n);
        gan_status status = gan_loader_new(ds, &cfg, &l, &err);
        gan__alloc_fail_at(0);
        if (status == GAN_OK) {
            gan_loader_free(l);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status, GAN_E_NOMEM);
        assert_int_equal(gan__alloc_stats().live, before.live);
    }
}

/* Starting and stopping at any moment is clean, also with full and with empty rings. */
static void stopping(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        gan_loader *l = start(ds, &(struct gan_loader_cfg){.batch = 8, .threads = 1 + i % 4});
        for (int k = 0; k < i % 7; k++) {
            (void)next(l);
        }
        if (i % 3 == 0) {
            gan_err err = {0};
            assert_int_equal(gan_loader_seek(l, i, &err), GAN_OK);
        }
        gan_loader_free(l);
    }
}

/* A source whose image 11 cannot be read. */
static gan_status broken_pixels(const struct gan__source *s, int64_t index, uint8_t *hwc,
                                gan_err *err)
{
    (void)s;
    *hwc = (uint8_t)index;
    return index == 11 ? gan__fail(err, GAN_E_FORMAT, "image 11 is damaged") : GAN_OK;
}

/* An error in a thread comes out of next, at the batch that holds the sample, and only there. */
static void errors_of_threads(void **state)
{
    (void)state;
    struct gan_dataset broken = {
        .info = {.spec = "broken", .count = 20, .height = 1, .width = 1, .channels = 1},
        .source = {.count = 20, .height = 1, .width = 1, .channels = 1, .pixels = broken_pixels},
    };
    for (int threads = 1; threads <= 3; threads++) {
        const struct gan_loader_cfg cfg = {.batch = 4, .threads = threads};
        gan_loader *l = start(&broken, &cfg);
        int failed = 0;
        for (int i = 0; i < 5; i++) {
            gan_err err = {0};
            const struct gan_batch *b = NULL;
            gan_status status = gan_loader_next(l, &b, &err);
            if (status != GAN_OK) {
                assert_int_equal(status, GAN_E_FORMAT);
                assert_string_equal(err.message, "image 11 is damaged");
                assert_null(b);
                failed++;
            } else {
                assert_int_equal(b->first, 4 * i);
                for (int64_t k = 0; k < 4; k++) {
                    assert_true(b->index[k] != 11);
                    assert_int_equal(b->labels[k], -1);
                }
            }
        }
        assert_int_equal(failed, 1); /* one epoch of 20: sample 11 comes once */
        gan_loader_free(l);
    }
}

static void ring_of_gaussians(void **state)
{
    (void)state;
    enum { N = 20000 };
    gan_err err = {0};
    gan_dataset *toy = NULL;
    assert_int_equal(gan_dataset_open("toy:8gaussians", &toy, &err), GAN_OK);
    const struct gan_dataset_info *info = gan_dataset_about(toy);
    assert_true(info->points && info->endless);
    assert_int_equal(info->channels, 2);
    assert_int_equal(info->classes, 8);
    uint8_t px[2];
    assert_int_equal(gan_dataset_pixels(toy, 0, px, &err), GAN_E_UNSUPPORTED);
    err = (gan_err){0};
    gan_loader *l = NULL;
    struct gan_loader_cfg cfg = {.batch = 1000, .height = 32, .width = 32};
    assert_int_equal(gan_loader_new(toy, &cfg, &l, &err), GAN_E_ARG);
    cfg = (struct gan_loader_cfg){.batch = 1000, .seed = 5};
    l = start(toy, &cfg);
    int count[8] = {0};
    double mean[8][2] = {{0}}, square = 0;
    static float kept[2];
    for (int i = 0; i < N / 1000; i++) {
        const struct gan_batch *b = next(l);
        for (int64_t k = 0; k < b->n; k++) {
            const float *p = b->images + 2 * k;
            double angle = atan2((double)p[1], (double)p[0]) / (3.14159265358979323846 / 4);
            size_t mode = (size_t)(lround(angle) + 8) % 8;
            double turn = (double)mode * 3.14159265358979323846 / 4;
            double dx = (double)p[0] - 2 / 1.414 * cos(turn);
            double dy = (double)p[1] - 2 / 1.414 * sin(turn);
            assert_true(dx * dx + dy * dy < 0.1 * 0.1); /* seven deviations */
            count[mode]++;
            mean[mode][0] += dx;
            mean[mode][1] += dy;
            square += dx * dx + dy * dy;
        }
        if (i == 7) {
            memcpy(kept, b->images + 2 * 5, sizeof kept);
        }
    }
    const double deviation = 0.02 / 1.414;
    for (size_t m = 0; m < 8; m++) {                 /* five standard errors each */
        assert_true(abs(count[m] - N / 8) < 5 * 47); /* sqrt(N/8 * 7/8) = 46.8 */
        assert_true(fabs(mean[m][0] / count[m]) < 5 * deviation / sqrt(count[m]));
        assert_true(fabs(mean[m][1] / count[m]) < 5 * deviation / sqrt(count[m]));
    }
    assert_true(fabs(sqrt(square / (2 * N)) / deviation - 1) < 5 / sqrt(4.0 * N));
    assert_int_equal(gan_loader_seek(l, 7005, &err), GAN_OK);
    assert_memory_equal(next(l)->images, kept, sizeof kept);
    gan_loader_free(l);
    gan_dataset_close(toy);
}

/* The other sets against their constants: within seven deviations of a centre, every mode met, and
 * the deviation itself to five standard errors. */
static void toy_sets(void **state)
{
    (void)state;
    enum { N = 4000 };
    static const struct {
        const char *spec;
        int modes;
        double step, deviation; /* of a grid of centres; step 0: the unit circle */
    } sets[] = {
        {"toy:ring8", 8, 0, 0.01},
        {"toy:grid25", 25, 2, 0.05},
        {"toy:25gaussians", 25, 2 / 2.828, 0.05 / 2.828},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        gan_err err = {0};
        gan_dataset *toy = NULL;
        assert_int_equal(gan_dataset_open(sets[i].spec, &toy, &err), GAN_OK);
        assert_int_equal(gan_dataset_about(toy)->classes, sets[i].modes);
        gan_loader *l = start(toy, &(struct gan_loader_cfg){.batch = N, .seed = 3});
        const struct gan_batch *b = next(l);
        int count[25] = {0};
        double square = 0;
        for (int k = 0; k < N; k++) {
            double x = (double)b->images[2 * k], y = (double)b->images[2 * k + 1], cx, cy;
            int mode;
            if (sets[i].step > 0) {
                long ix = lround(x / sets[i].step), iy = lround(y / sets[i].step);
                assert_true(labs(ix) <= 2 && labs(iy) <= 2);
                mode = (int)(ix + 2) * 5 + (int)(iy + 2);
                cx = (double)ix * sets[i].step;
                cy = (double)iy * sets[i].step;
            } else {
                const double turn = 3.14159265358979323846 / 4;
                mode = (int)(lround(atan2(y, x) / turn) + 8) % 8;
                cx = cos(mode * turn);
                cy = sin(mode * turn);
            }
            double off = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            assert_true(off < 49 * sets[i].deviation * sets[i].deviation);
            count[mode]++;
            square += off;
        }
        for (int m = 0; m < sets[i].modes; m++) {
            double each = (double)N / sets[i].modes;
            assert_true(fabs(count[m] - each) < 5 * sqrt(each));
        }
        assert_true(fabs(sqrt(square / (2 * N)) / sets[i].deviation - 1) < 5 / sqrt(4.0 * N));
        gan_loader_free(l);
        gan_dataset_close(toy);
    }
}

/* The roll: its angle runs from 3 pi/2 to 9 pi/2, its radius is the angle. The line: (0, U(0,1)). */
static void toy_curves(void **state)
{
    (void)state;
    enum { N = 4000 };
    const double pi = 3.14159265358979323846;
    gan_err err = {0};
    gan_dataset *toy = NULL;
    assert_int_equal(gan_dataset_open("toy:swissroll", &toy, &err), GAN_OK);
    assert_int_equal(gan_dataset_about(toy)->classes, 0);
    gan_loader *l = start(toy, &(struct gan_loader_cfg){.batch = N, .seed = 3});
    const struct gan_batch *b = next(l);
    double square = 0, mean = 0;
    for (int k = 0; k < N; k++) {
        double x = 7.5 * (double)b->images[2 * k], y = 7.5 * (double)b->images[2 * k + 1];
        double r = hypot(x, y), t = atan2(y, x);
        t += 2 * pi * round((r - t) / (2 * pi)); /* the turn of the spiral next to the point */
        square += (r - t) * (r - t) / N; /* radial noise; the angle's share is below 1/t^2 of it */
        mean += t / N;
        assert_true(t > 1.5 * pi - 0.4 && t < 4.5 * pi + 0.4 && fabs(r - t) < 7 * 0.27);
    }
    assert_true(fabs(mean - 3 * pi) < 5 * 3 * pi / sqrt(12.0 * N));
    assert_true(fabs(sqrt(square) / 0.25 - 1) < 0.08); /* 5/sqrt(2N) = .056 and 1/(4.7^2)/2 */
    gan_loader_free(l);
    gan_dataset_close(toy);
    assert_int_equal(gan_dataset_open("toy:lines", &toy, &err), GAN_OK);
    l = start(toy, &(struct gan_loader_cfg){.batch = N, .seed = 3});
    b = next(l);
    mean = 0;
    for (int k = 0; k < N; k++) {
        double y = (double)b->images[2 * k + 1];
        assert_true(b->images[2 * k] == 0 && y > 0 && y < 1);
        mean += y / N;
    }
    assert_true(fabs(mean - 0.5) < 5 / sqrt(12.0 * N));
    gan_loader_free(l);
    gan_dataset_close(toy);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_permutation_an_epoch),
        CASE(position_is_all),
        CASE(contents),
        CASE(sizes),
        CASE(refusals),
        CASE(memory),
        CASE(failing_memory),
        CASE(stopping),
        cmocka_unit_test(ring_of_gaussians),
        cmocka_unit_test(toy_sets),
        cmocka_unit_test(toy_curves),
        cmocka_unit_test(errors_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
