/* test_intervals.c: intervals of figures that are no plain means. Each is drawn REPEATS times anew; the
 * known value must lie in it about as often as 95 % says. Of 60 draws at 95 %, 50 or fewer have a
 * chance of 4e-4; the intervals are first-order, so 50 is allowed. */
#include "base/philox.h"

#include <gan/metric.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REPEATS = 60, LEAST = 50 };

static struct gan_metric_result measure(const char *name, const struct gan_metric_input *in)
{
    struct gan_metric_result r;
    gan_err err = {0};
    const struct gan_metric *m = gan_metric_find(name, &err);
    assert_non_null(m);
    if (gan_metric_run(m, in, &r, &err) != GAN_OK) {
        fail_msg("%s: %s", name, err.message);
    }
    return r;
}

static const struct gan_metric_value *value(const struct gan_metric_result *r, const char *name)
{
    for (int i = 0; i < r->n; i++) {
        if (strcmp(r->value[i].name, name) == 0) {
            return &r->value[i];
        }
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static bool holds(const struct gan_metric_result *r, const char *name, double truth)
{
    const struct gan_metric_value *v = value(r, name);
    assert_true(v->low <= v->value && v->value <= v->high);
    return v->low <= truth && truth <= v->high;
}

static void fill_normals(float *x, int64_t count, uint64_t seed, double shift)
{
    struct gan__rng rng;
    gan__rng_init(&rng, gan__stream_key(seed, 0, 0, 2));
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)(gan__rng_normal(&rng) + shift);
    }
}

static struct gan_side side(const float *x, int64_t n, int64_t size)
{
    return (struct gan_side){.n = n, .size = size, .features = x};
}

/* On the line N(0,1) and N(2,1) are 2 apart in both costs, and the estimate is nearly the difference of
 * the means: half the interval is 1.96 sqrt(1/n + 1/m), within 15 %. */
static void of_sliced(void **state)
{
    enum { N = 300, M = 200 };
    static float a[N], b[M];
    int w1 = 0, w2 = 0;
    (void)state;
    for (uint64_t k = 0; k < REPEATS; k++) {
        fill_normals(a, N, 2 * k, 0);
        fill_normals(b, M, 2 * k + 1, 2);
        struct gan_metric_input in = {.real = side(a, N, 1), .fake = side(b, M, 1), .seed = k};
        struct gan_metric_result r = measure("sliced", &in);
        w1 += holds(&r, "sliced-w1", 2);
        w2 += holds(&r, "sliced-w2", 2);
        for (int i = 0; i < 2; i++) {
            double half = (r.value[i].high - r.value[i].low) / 2,
                   expected = sqrt(1.0 / N + 1.0 / M);
            assert_true(fabs(half / (1.96 * expected) - 1) < 0.3); /* .15 and the samples' own */
        }
    }
    assert_true(w1 >= LEAST && w2 >= LEAST);
    struct gan_metric_input in = {.real = side(a, N, 1), .fake = side(b, M, 1), .threads = 1};
    struct gan_metric_result one = measure("sliced", &in);
    in.threads = 3;
    struct gan_metric_result three = measure("sliced", &in);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(&one.value[i].value, &three.value[i].value, sizeof(double));
        assert_memory_equal(&one.value[i].low, &three.value[i].low, sizeof(double));
    }
    in.bootstrap = -1;
    assert_true(isnan(measure("sliced", &in).value[0].low));
}

/* A generator of 40 things, drawn 300 times. */
static void of_birthday(void **state)
{
    enum { N = 300, SIZE = 4, THINGS = 40 };
    static float real[1000 * SIZE], thing[THINGS * SIZE], x[N * SIZE];
    int right = 0;
    (void)state;
    fill_normals(real, 1000 * SIZE, 1, 0);
    fill_normals(thing, THINGS * SIZE, 2, 0);
    struct gan_metric_input in = {.real = side(real, 1000, SIZE), .fake = side(x, N, SIZE)};
    for (uint64_t k = 0; k < REPEATS; k++) {
        struct gan__rng rng;
        gan__rng_init(&rng, gan__stream_key(k, 0, 0, 3));
        for (int i = 0; i < N; i++) {
            memcpy(x + i * SIZE, thing + gan__rng_below(&rng, THINGS) * SIZE, SIZE * sizeof *x);
        }
        struct gan_metric_result r = measure("birthday", &in);
        right += holds(&r, "support", THINGS);
    }
    assert_true(right >= LEAST);
    in.fake = side(real, 300, SIZE);
    struct gan_metric_result none = measure("birthday", &in);
    if (value(&none, "duplicate-pairs")->value < 0.5) { /* no pair: only a lower bound */
        assert_true(isinf(value(&none, "support")->high));
        assert_true(fabs(value(&none, "support")->low * 3.6889 / (150. * 299) - 1) < 1e-6);
    } else {
        fail_msg("fresh samples are duplicates");
    }
}

/* Fakes and held-out reals of the same law are equally near to the reals: the ratio is 1. */
static void of_nearest(void **state)
{
    enum { N = 300, SIZE = 3 };
    static float a[N * SIZE], b[N * SIZE], c[N * SIZE];
    int right = 0;
    (void)state;
    for (uint64_t k = 0; k < REPEATS; k++) {
        fill_normals(a, N * SIZE, 3 * k, 0);
        fill_normals(b, N * SIZE, 3 * k + 1, 0);
        fill_normals(c, N * SIZE, 3 * k + 2, 0);
        struct gan_metric_input in = {.real = side(a, N, SIZE), .fake = side(b, N, SIZE)};
        in.held = side(c, N, SIZE);
        struct gan_metric_result r = measure("memory", &in);
        right += holds(&r, "nearest-ratio", 1);
        assert_true(value(&r, "nearest-ratio")->high - value(&r, "nearest-ratio")->low < 0.5);
    }
    assert_true(right >= LEAST);
}

/* Four classes of probability .4, .3, .2, .1; a fifth that never comes. */
static void of_modes(void **state)
{
    enum { N = 500, CLASSES = 5 };
    static const double p[CLASSES] = {.4, .3, .2, .1, 0};
    static float v[N * CLASSES];
    double kl = 0;
    int right = 0;
    (void)state;
    for (int k = 0; k < 4; k++) {
        kl += p[k] * log(p[k] * CLASSES);
    }
    struct gan_metric_input in = {.fake = {.n = N, .classes = CLASSES, .logits = v}};
    for (uint64_t k = 0; k < REPEATS; k++) {
        struct gan__rng rng;
        gan__rng_init(&rng, gan__stream_key(k, 0, 0, 4));
        memset(v, 0, sizeof v);
        for (int i = 0; i < N; i++) {
            double u = gan__rng_uniform(&rng);
            v[i * CLASSES + (u < .4 ? 0 : u < .7 ? 1 : u < .9 ? 2 : 3)] = 1;
        }
        struct gan_metric_result r = measure("modes", &in);
        right += holds(&r, "reverse-kl", kl);
        assert_true(holds(&r, "modes", 4) && value(&r, "modes")->high < 4.5); /* each is common */
    }
    assert_true(right >= LEAST);
}

/* Of 400 even modes 400 samples reach about 253; that there are more is seen in the interval. */
static void of_unseen_modes(void **state)
{
    enum { N = 400, CLASSES = 400 };
    float *v = calloc((size_t)N * CLASSES, sizeof *v);
    struct gan__rng rng;
    (void)state;
    assert_non_null(v);
    gan__rng_init(&rng, gan__stream_key(1, 0, 0, 5));
    for (uint64_t i = 0; i < N; i++) {
        v[i * CLASSES + gan__rng_below(&rng, CLASSES)] = 1;
    }
    struct gan_metric_input in = {.fake = {.n = N, .classes = CLASSES, .logits = v}};
    struct gan_metric_result r = measure("modes", &in);
    const struct gan_metric_value *modes = value(&r, "modes");
    assert_true(modes->value > 225 && modes->value < 280);
    assert_true(modes->low > modes->value && modes->high <= CLASSES);
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_sliced),       cmocka_unit_test(of_birthday),
        cmocka_unit_test(of_nearest),      cmocka_unit_test(of_modes),
        cmocka_unit_test(of_unseen_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
