/* test_metrics.c: metrics against torch-fidelity, scipy and numpy on stored features (see
 * tools/golden_metrics.py), closed forms, and what must hold whatever the samples are. */
#include <gan/metric.h>

#include "base/philox.h"
#include "gan_config.h"
#include "metrics/lpips.h"
#include "support/st.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* f32 copy of a golden matrix, whose values f32 holds exactly. */
static float *take(const struct st *f, const char *name, int64_t *rows, int64_t *columns)
{
    gan_tensor t = st_tensor(f, name);
    int64_t n = gan_shape_count(&t.shape);
    float *v = calloc((size_t)n, sizeof *v);
    assert_non_null(v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = (float)gan_tensor_get(&t, i);
    }
    *rows = t.shape.dim[0];
    *columns = n / t.shape.dim[0];
    return v;
}

static double golden(const struct st *f, const char *name, int64_t i)
{
    gan_tensor t = st_tensor(f, name);
    return gan_tensor_get(&t, i);
}

static void close_to(const char *what, double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want))) {
        fail_msg("%s is %.12g, should be %.12g within %g", what, got, want, relative);
    }
}

static struct gan_metric_result measure(const char *name, const struct gan_metric_input *in)
{
    gan_err err = {0};
    struct gan_metric_result r;
    const struct gan_metric *m = gan_metric_find(name, &err);
    if (m == NULL || gan_metric_run(m, in, &r, &err) != GAN_OK) {
        fail_msg("%s: %s", name, err.message);
    }
    for (int i = 0; i < r.n; i++) {
        if (isfinite(r.value[i].low)) {
            assert_true(r.value[i].low <= r.value[i].value + 1e-12);
            assert_true(r.value[i].high >= r.value[i].value - 1e-12);
        }
    }
    return r;
}

static struct gan_side side(const float *x, int64_t n, int64_t size)
{
    return (struct gan_side){.n = n, .size = size, .features = x};
}

/* n normal vectors, each number scale * N(0,1) + shift. */
static float *normals(int64_t n, int64_t size, uint64_t seed, double scale, double shift)
{
    float *x = calloc((size_t)(n * size), sizeof *x);
    struct gan__rng rng;
    assert_non_null(x);
    gan__rng_init(&rng, gan__stream_key(seed, 0, 0, 1));
    for (int64_t i = 0; i < n * size; i++) {
        x[i] = (float)(scale * gan__rng_normal(&rng) + shift);
    }
    return x;
}

/* --- against other implementations -------------------------------------------------------------- */

static void golden_features(void **state)
{
    int64_t n, size, rows, classes;
    (void)state;
    struct st *f = st_open("metrics");
    float *real = take(f, "real", &n, &size), *fake = take(f, "fake", &n, &size),
          *logits = take(f, "logits", &rows, &classes);
    struct gan_metric_input in = {.real = side(real, n, size), .fake = side(fake, n, size)};
    in.fake.logits = logits;
    in.fake.classes = classes;
    struct gan_metric_result r = measure("is", &in);
    close_to("is", r.value[0].value, golden(f, "is", 0), 1e-12);
    close_to("is std", r.value[0].std, golden(f, "is", 1), 1e-9);
#if GAN_HAVE_LAPACK
    r = measure("fid", &in);
    close_to("fid", r.value[0].value, golden(f, "fid", 0), 1e-9); /* both f64 */
#endif
    r = measure("kid", &in); /* products in f32 */
    close_to("kid", r.value[0].value, golden(f, "kid", 0), 1e-5);
    r = measure("prdc", &in); /* counts: exact */
    close_to("precision", r.value[0].value, golden(f, "precision", 0), 1e-6);
    close_to("recall", r.value[1].value, golden(f, "recall", 0), 1e-6);
    close_to("density", r.value[2].value, golden(f, "density", 0), 1e-9);
    close_to("coverage", r.value[3].value, golden(f, "coverage", 0), 1e-9);
    free(real);
    free(fake);
    free(logits);
    st_close(f);
}

/* Levels of tools/golden_metrics.py. */
static uint8_t *pictures(int n, int side_no, int h, int w, int channels)
{
    uint8_t *v = calloc((size_t)(n * h * w * channels), 1);
    assert_non_null(v);
    for (int i = 0; i < n * h * w * channels; i++) {
        int c = i % channels, x = i / channels % w, y = i / channels / w % h;
        int pair = i / channels / w / h;
        int base = (x * (3 + pair) + y * 2 + c * 40) % 200 + 20 * ((x / 8 + y / 8) % 2);
        uint32_t mixed = (uint32_t)(x * 73 + y * 179 + c * 283 + pair * 419 + side_no * 547);
        int hash = (int)((uint32_t)((uint64_t)mixed * 2654435761u) >> 20) % 64;
        int level = base + (side_no != 0 ? hash : hash / 4);
        v[i] = (uint8_t)(level < 255 ? level : 255);
    }
    return v;
}

static double of_pictures(const char *name, int n, int h, int w, int channels)
{
    uint8_t *a = pictures(n, 0, h, w, channels), *b = pictures(n, 1, h, w, channels);
    struct gan_metric_input in = {
        .real = {.n = n, .height = h, .width = w, .channels = channels, .images = a},
        .fake = {.n = n, .height = h, .width = w, .channels = channels, .images = b}};
    double v = measure(name, &in).value[0].value;
    free(a);
    free(b);
    return v;
}

static void golden_images(void **state)
{
    (void)state;
    struct st *f = st_open("metrics");
    close_to("ssim", of_pictures("ssim", 3, 40, 33, 3), golden(f, "ssim", 0), 1e-9);
    close_to("psnr", of_pictures("psnr", 3, 40, 33, 3), golden(f, "psnr", 0), 1e-12);
    close_to("ms-ssim", of_pictures("ms-ssim", 2, 181, 176, 1), golden(f, "ms-ssim", 0), 1e-9);
    st_close(f);
}

/* One number a sample: every direction of the sphere is +1 or -1, so sliced is exact. */
static void golden_transport(void **state)
{
    int64_t n, size;
    (void)state;
    struct st *f = st_open("metrics");
    float *real = take(f, "real", &n, &size), *fake = take(f, "fake", &n, &size);
    struct gan_metric_input in = {.real = side(real, n, size), .fake = side(fake, n, size)};
    close_to("w1", measure("w1", &in).value[0].value, golden(f, "w1", 0), 1e-6); /* f32 costs */
    for (int64_t i = 0; i < n; i++) {
        real[i] = real[i * size];
        fake[i] = fake[i * size];
    }
    in.real = side(real, n, 1);
    in.fake = side(fake, 200, 1); /* unequal numbers */
    struct gan_metric_result r = measure("sliced", &in);
    close_to("sliced-w1", r.value[0].value, golden(f, "w1.1d", 0), 1e-9);
    close_to("sliced-w2", r.value[1].value, golden(f, "w2.1d", 0), 1e-9);
    free(real);
    free(fake);
    st_close(f);
}

/* One layer of 12 x 20 positions and 20 channels. */
static void golden_lpips(void **state)
{
    int64_t n, size;
    float weight[20];
    (void)state;
    struct st *f = st_open("metrics");
    float *x = take(f, "real", &n, &size), *y = take(f, "fake", &n, &size);
    for (int c = 0; c < 20; c++) {
        weight[c] = (float)(c + 1) / 20;
    }
    struct gan_feature_layer layer = {"layer", 12, 20, 20, weight};
    close_to("lpips", gan__lpips_layer(&layer, x, y), golden(f, "lpips", 0),
             1e-6); /* f32 weights */
    free(x);
    free(y);
    st_close(f);
}

/* --- closed forms ------------------------------------------------------------------------------- */

enum { N = 3000, D = 8 };

#if GAN_HAVE_LAPACK
/* N(0, I) against N(m, s^2 I): D (m^2 + (1-s)^2), within its interval, and the interval is honest:
 * standard deviation from the delta method, sqrt of sum of variances, 4 deviations allowed. */
static void frechet_of_gaussians(void **state)
{
    (void)state;
    float *a = normals(N, D, 1, 1, 0), *b = normals(N, D, 2, 1.5, 0.7);
    struct gan_metric_input in = {.real = side(a, N, D), .fake = side(b, N, D)};
    struct gan_metric_value v = measure("fid", &in).value[0];
    double want = D * (0.7 * 0.7 + 0.5 * 0.5), half = (v.high - v.low) / 2;
    /* influence of a fake: 2 m.y + (1 - 1/s) |y|^2, of a real: -2 m.y + (1 - s) |y|^2 */
    double fake = D * (4 * 0.49 * 2.25 + 2 * pow(1 - 1 / 1.5, 2) * pow(1.5, 4));
    double real = D * (4 * 0.49 + 2 * 0.25), deviation = sqrt((fake + real) / N);
    close_to("half of the interval", half, 1.96 * deviation, 0.15);
    assert_true(fabs(v.value - want) < 4 * deviation + 0.02);
    free(a);
    free(b);
}

/* Statistics in the place of features give the same figure. */
static void frechet_of_statistics(void **state)
{
    (void)state;
    double mean[D] = {0}, cov[D * D] = {0};
    double mean_b[D], cov_b[D * D] = {0};
    for (int i = 0; i < D; i++) {
        cov[i * D + i] = 1;
        cov_b[i * D + i] = 4;
        mean_b[i] = 0.5;
    }
    struct gan_metric_input in = {.real = {.size = D, .mean = mean, .cov = cov},
                                  .fake = {.size = D, .mean = mean_b, .cov = cov_b}};
    close_to("fid", measure("fid", &in).value[0].value, D * (0.25 + 1), 1e-12);
}

/* FID(X,X) = 0 up to the root of f64's rounding; noise raises it step by step. */
static void frechet_rises_with_noise(void **state)
{
    (void)state;
    float *a = normals(N, D, 1, 1, 0), *b = normals(N, D, 3, 1, 0);
    struct gan_metric_input in = {.real = side(a, N, D), .fake = side(b, N, D), .bootstrap = -1};
    double last = -1;
    for (int k = 0; k <= 4; k++) {
        float *noise = normals(N, D, 10 + (uint64_t)k, 0.3 * k, 0);
        for (int64_t i = 0; i < N * D; i++) {
            b[i] = a[i] + noise[i];
        }
        double v = measure("fid", &in).value[0].value;
        assert_true(k == 0 ? v < 1e-6 * D : v > last);
        last = v;
        free(noise);
    }
    free(a);
    free(b);
}
#endif

/* One-hot over 10 classes: 10; constant prediction over varying logits: 1. */
static void inception_bounds(void **state)
{
    enum { ROWS = 1000, CLASSES = 10 };
    (void)state;
    float *v = calloc(ROWS * CLASSES, sizeof *v);
    assert_non_null(v);
    for (int64_t i = 0; i < ROWS; i++) {
        v[i * CLASSES + i % CLASSES] = 60;
    }
    struct gan_metric_input in = {.fake = {.n = ROWS, .classes = CLASSES, .logits = v}};
    close_to("sharp and even", measure("is", &in).value[0].value, 10, 1e-9);
    for (int64_t i = 0; i < ROWS * CLASSES; i++) {
        v[i] = (float)(i / CLASSES); /* the same p for all */
    }
    close_to("constant", measure("is", &in).value[0].value, 1, 1e-12);
    free(v);
}

/* Two samples of one distribution: KID's interval holds 0; shifted: it does not. */
static void kid_of_equals(void **state)
{
    (void)state;
    float *a = normals(N, D, 4, 1, 0), *b = normals(N, D, 5, 1, 0), *c = normals(N, D, 6, 1, 0.3);
    struct gan_metric_input in = {.real = side(a, N, D), .fake = side(b, N, D)};
    struct gan_metric_value v = measure("kid", &in).value[0];
    assert_true(v.low < 0 && v.high > 0);
    in.fake = side(c, N, D);
    v = measure("kid", &in).value[0];
    assert_true(v.low > 0);
    free(a);
    free(b);
    free(c);
}

/* --- what must hold ----------------------------------------------------------------------------- */

/* Ten far clusters; the fakes miss two: recall and coverage fall, precision stays. */
static void dropped_classes(void **state)
{
    enum { ROWS = 1000 };
    (void)state;
    float *a = normals(ROWS, D, 7, 0.1, 0), *b = normals(ROWS, D, 8, 0.1, 0);
    struct gan_metric_input in = {.real = side(a, ROWS, D), .fake = side(b, ROWS, D)};
    struct gan_metric_result all, some, self;
    for (int64_t i = 0; i < ROWS; i++) {
        a[i * D] += (float)(i % 10) * 5;
        b[i * D] += (float)(i % 10) * 5;
    }
    all = measure("prdc", &in);
    for (int64_t i = 0; i < ROWS; i++) {
        b[i * D] += i % 10 >= 7 ? -25.0f : 0.0f;
    }
    some = measure("prdc", &in);
    assert_true(some.value[0].value > all.value[0].value - 0.05);
    close_to("recall", some.value[1].value, 0.7 * all.value[1].value, 0.1);
    close_to("coverage", some.value[3].value, 0.7 * all.value[3].value, 0.1);
    in.fake = in.real;
    self = measure("prdc", &in);
    for (int k = 0; k < 4; k++) {
        if (k != 2) {
            close_to("of itself", self.value[k].value, 1, 1e-12);
        }
    }
    free(a);
    free(b);
}

/* Copies of reals among the fakes raise the flag, at the rate there are; fresh samples do not. A
 * generator of 50 things has a support of about 50. */
static void copies_are_told(void **state)
{
    enum { ROWS = 1000 };
    (void)state;
    float *a = normals(ROWS, D, 31, 1, 0), *b = normals(ROWS, D, 32, 1, 0),
          *c = normals(ROWS, D, 33, 1, 0);
    struct gan_metric_input in = {.real = side(a, ROWS, D), .fake = side(b, ROWS, D)};
    in.held = side(c, ROWS, D);
    struct gan_metric_result fresh = measure("memory", &in);
    assert_true(fresh.value[0].value < 0.03 && fresh.n_warnings == 0);
    close_to("ratio", fresh.value[1].value, 1, 0.05);
    memcpy(b, a, 300 * D * sizeof *b);
    struct gan_metric_result copied = measure("memory", &in);
    assert_true(copied.value[0].value > 0.29 && copied.value[0].value < 0.33);
    assert_int_equal(copied.n_warnings, 1);
    in.held = (struct gan_side){0};
    assert_int_equal(measure("memory", &in).n_warnings, 1);
    for (int64_t i = 50; i < ROWS; i++) {
        memcpy(b + i * D, b + i % 50 * D, D * sizeof *b);
    }
    close_to("support", measure("birthday", &in).value[0].value, 50, 0.06);
    in.fake = side(c, ROWS, D);
    assert_int_equal(measure("birthday", &in).n_warnings, 1); /* a lower bound */
    free(a);
    free(b);
    free(c);
}

#if GAN_HAVE_LAPACK
/* Class 2 moved by m: its FID is |m|^2, and its interval the delta method's: both sides' samples have
 * the influence 2 m.y, so half is 1.96 sqrt(2 * 4 |m|^2 s^2 / n); 20 % for s and two quantiles of 1000. */
static void worst_class(const struct gan_metric_input *plain)
{
    enum { CLASS = 2 };
    const struct gan_side *s = &plain->fake;
    float *moved = malloc((size_t)(s->n * s->size) * sizeof *moved);
    double shift = 2, n = 0;
    assert_non_null(moved);
    for (int64_t i = 0; i < s->n; i++) {
        bool here = s->labels[i] == CLASS;
        n += here;
        for (int64_t k = 0; k < s->size; k++) {
            moved[i * s->size + k] =
                s->features[i * s->size + k] + (here && k == 0 ? (float)shift : 0);
        }
    }
    struct gan_metric_input in = *plain;
    in.fake.features = moved;
    struct gan_metric_result r = measure("intra-fid", &in);
    struct gan_metric_value v = r.value[1];
    assert_string_equal(v.name, "worst-class-fid");
    assert_non_null(strstr(r.protocol, "(class 2)"));
    assert_true(v.low < shift * shift && shift * shift < v.high);
    close_to("half", (v.high - v.low) / 2, 1.96 * sqrt(8 * shift * shift * 0.09 / n), 0.2);
    in.bootstrap = -1;
    assert_true(isnan(measure("intra-fid", &in).value[1].low));
    free(moved);
}
#endif

/* Ten clusters of ten classes: fakes with right classes teach the classifier, with shuffled ones they
 * do not; classes that are swapped are seen by intra-fid and not by fid. */
static void classes_count(void **state)
{
    enum { ROWS = 600 };
    (void)state;
    float *a = normals(ROWS, D, 41, 0.3, 0), *b = normals(ROWS, D, 42, 0.3, 0);
    int32_t right[ROWS], wrong[ROWS];
    for (int32_t i = 0; i < ROWS; i++) {
        right[i] = i % 4;
        wrong[i] = (i + 1) % 4;
        a[i * D + i % 4] += 4;
        b[i * D + i % 4] += 4;
    }
    struct gan_metric_input in = {.real = side(a, ROWS, D), .fake = side(b, ROWS, D)};
    in.real.labels = in.fake.labels = right;
    assert_true(measure("cas-linear", &in).value[0].value > 0.99);
    assert_true(measure("cas-linear", &in).value[1].value > 0.99);
#if GAN_HAVE_LAPACK
    worst_class(&in);
    double good = measure("intra-fid", &in).value[0].value;
    in.fake.labels = wrong;
    assert_true(measure("intra-fid", &in).value[0].value >
                good + 30); /* means 4 sqrt 2 apart: 32 */
#endif
    in.fake.labels = wrong;
    assert_true(measure("cas-linear", &in).value[0].value < 0.01);
    free(a);
    free(b);
}

/* 1000 modes of two digits; the ring. */
static void modes_are_counted(void **state)
{
    enum { ROWS = 2000, CLASSES = 30 };
    (void)state;
    float *v = calloc(ROWS * CLASSES, sizeof *v);
    assert_non_null(v);
    for (int i = 0; i < ROWS; i++) { /* 250 modes, evenly */
        int mode = i % 250 * 4;
        v[i * CLASSES + mode / 100] = 1;
        v[i * CLASSES + 10 + mode / 10 % 10] = 1;
        v[i * CLASSES + 20 + mode % 10] = 1;
    }
    struct gan_metric_input in = {.fake = {.n = ROWS, .classes = CLASSES, .logits = v}};
    in.n_modes = 1000;
    struct gan_metric_result r = measure("modes", &in);
    close_to("modes", r.value[0].value, 250, 0);
    close_to("reverse KL", r.value[1].value, log(4), 1e-9);
    float ring[4] = {1, 0, 0, 1};
    in = (struct gan_metric_input){.fake = side(ring, 2, 2), .mixture = "ring8"};
    close_to("ring", measure("modes", &in).value[0].value, 2, 0);
    close_to("ring KL", measure("modes", &in).value[2].value, log(4), 1e-9);
    free(v);
}

/* The same figures for any number of threads. */
static void threads_change_nothing(void **state)
{
    (void)state;
    float *a = normals(700, D, 7, 1, 0), *b = normals(700, D, 8, 1, 0.1);
    struct gan_metric_input in = {.real = side(a, 700, D), .fake = side(b, 700, D), .threads = 1};
    for (int k = 0; k < 2; k++) {
        const char *name = k == 0 ? "kid" : "prdc";
        in.threads = 1;
        struct gan_metric_result one = measure(name, &in);
        in.threads = 2;
        struct gan_metric_result two = measure(name, &in);
        for (int i = 0; i < one.n; i++) {
            assert_memory_equal(&one.value[i].value, &two.value[i].value, sizeof(double));
            assert_memory_equal(&one.value[i].low, &two.value[i].low, sizeof(double));
        }
    }
    free(a);
    free(b);
}

static void refuse(const char *name, const struct gan_metric_input *in, gan_status code,
                   const char *words)
{
    gan_err err = {0};
    struct gan_metric_result r;
    assert_int_equal(gan_metric_run(gan_metric_find(name, NULL), in, &r, &err), code);
    if (strstr(err.message, words) == NULL) {
        fail_msg("'%s' does not say '%s'", err.message, words);
    }
}

static void bad_input(void **state)
{
    (void)state;
    float *a = normals(100, D, 7, 1, 0), *b = normals(100, D, 8, 1, 0.1);
    struct gan_metric_input in = {.real = side(a, 100, D), .fake = side(b, 1, D)};
    refuse("fid", &in, GAN_E_FORMAT, "the fakes are 1");
    int32_t labels[100] = {0};
    static const struct {
        const char *name;
        int least;
    } few[] = {{"fid", 50},  {"intra-fid", 50}, {"kid", 20},
               {"prdc", 20}, {"sliced", 10},    {"w1", 10}};
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) { /* one too few, on either side */
        char words[80];
        (void)snprintf(words, sizeof words, "%s needs at least %d samples on each side, the",
                       few[i].name, few[i].least);
        in = (struct gan_metric_input){.real = side(a, 100, D),
                                       .fake = side(b, few[i].least - 1, D)};
        in.real.labels = in.fake.labels = labels;
        refuse(few[i].name, &in, GAN_E_FORMAT, words);
        in = (struct gan_metric_input){.real = side(a, few[i].least - 1, D),
                                       .fake = side(b, 100, D)};
        refuse(few[i].name, &in, GAN_E_FORMAT, words);
    }
    in = (struct gan_metric_input){.fake = {.n = 99, .classes = D, .logits = a}};
    refuse("is", &in, GAN_E_FORMAT, "is needs at least 100 samples on each side, the fakes are 99");
    in.real = side(a, 100, D);
    in.fake = side(b, 100, D);
    b[3 * D + 2] =
        1e25F; /* finite, but its square is beyond f32: w1 found no column to go on with */
    static const char *const by_distance[] = {"w1", "prdc", "memory", "birthday"};
    for (size_t i = 0; i < sizeof by_distance / sizeof *by_distance; i++) {
        refuse(by_distance[i], &in, GAN_E_FORMAT, "a squared distance is not finite");
    }
    b[3 * D + 2] = NAN;
    refuse("kid", &in, GAN_E_FORMAT, "number 2 in the features of fakes sample 3 is not finite");
    for (int64_t i = 0; i < 100 * D; i++) {
        b[i] = 1;
    }
    refuse("prdc", &in, GAN_E_FORMAT, "have the same features");
    in.fake.size = D / 2;
    b[0] = 2;
    refuse("kid", &in, GAN_E_SHAPE, "8 numbers, of the fakes 4");
    in.fake = (struct gan_side){.n = 100};
    refuse("is", &in, GAN_E_ARG, "class scores");
    assert_null(gan_metric_find("kidd", NULL));
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_features),
        cmocka_unit_test(golden_images),
        cmocka_unit_test(golden_transport),
        cmocka_unit_test(golden_lpips),
        cmocka_unit_test(copies_are_told),
        cmocka_unit_test(classes_count),
        cmocka_unit_test(modes_are_counted),
#if GAN_HAVE_LAPACK
        cmocka_unit_test(frechet_of_gaussians),
        cmocka_unit_test(frechet_of_statistics),
        cmocka_unit_test(frechet_rises_with_noise),
#endif
        cmocka_unit_test(inception_bounds),
        cmocka_unit_test(kid_of_equals),
        cmocka_unit_test(dropped_classes),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
