/* test_op_random.c: numbers of the random ops: what a sample's numbers may depend on, their
 * distribution, and the arithmetic below them. */
#include "base/alloc.h"
#include "engine/execute/kernel.h"
#include "engine/graph/attr.h"
#include "engine/graph/op.h"
#include "base/normal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern GAN_OP(random_normal);
extern GAN_OP(random_uniform);
extern GAN_KERNEL(cpu, random_normal);
extern GAN_KERNEL(cpu, random_uniform);

enum { MANY = 1 << 20 };

static void draw(const struct gan__op *op, gan_shape shape, const struct gan__run *run,
                 int64_t sample, gan_dtype dtype, void *data)
{
    const struct gan__attr_random a = {
        .stream = 0x1234567890abcdefu, .sample = sample, .shape = shape, .dtype = dtype};
    const gan_tensor out = {dtype, shape, data};
    op->ref(&(struct gan__call){.attr = &a, .out = &out, .n_out = 1, .run = run});
}

/* Samples 3..7 of a batch of 8 are the batch of 5 that starts at sample 3, however it is asked. */
static void test_batch_size(void **state)
{
    (void)state;
    float whole[8][5 * 3 * 2], part[5][5 * 3 * 2];
    struct gan__run run = {.seed = 1, .iteration = 2, .run = 3, .threads = 2};
    draw(&gan__op_random_normal, GAN_SHAPE(8, 5, 3, 2), &run, 0, GAN_F32, whole);
    run.threads = 1;
    draw(&gan__op_random_normal, GAN_SHAPE(5, 5, 3, 2), &run, 3, GAN_F32, part);
    assert_memory_equal(whole[3], part, sizeof part);
    run.sample = 3;
    draw(&gan__op_random_normal, GAN_SHAPE(5, 5, 3, 2), &run, 0, GAN_F32, part);
    assert_memory_equal(whole[3], part, sizeof part);
    run.sample = 1;
    draw(&gan__op_random_normal, GAN_SHAPE(5, 5, 3, 2), &run, 2, GAN_F32, part);
    assert_memory_equal(whole[3], part, sizeof part);
}

/* [N,H,W,C] holds the numbers of [N,C*H*W] in another order. */
static void test_layout(void **state)
{
    (void)state;
    enum { N = 3, C = 2, H = 5, W = 3 };
    float image[N][H][W][C], flat[N][C][H][W];
    const struct gan__run run = {.seed = 1, .threads = 1};
    draw(&gan__op_random_uniform, GAN_SHAPE(N, H, W, C), &run, 0, GAN_F32, image);
    draw(&gan__op_random_uniform, GAN_SHAPE(N, C * H * W), &run, 0, GAN_F32, flat);
    for (int i = 0; i < N * C * H * W; i++) {
        const int n = i / (C * H * W), c = i / (H * W) % C, h = i / W % H, w = i % W;
        assert_true(image[n][h][w][c] == flat[n][c][h][w]);
    }
}

/* Each part of the key changes the numbers; f64 graphs see the same numbers as f32 ones. */
static void test_key_and_dtype(void **state)
{
    (void)state;
    float a[64], b[64];
    double d[64];
    const struct gan__run runs[] = {{.seed = 1}, {.seed = 2}, {.iteration = 1}, {.run = 1}, {0}};
    draw(&gan__op_random_normal, GAN_SHAPE(64), &runs[4], 0, GAN_F32, a);
    draw(&gan__op_random_normal, GAN_SHAPE(64), &runs[4], 0, GAN_F64, d);
    for (int i = 0; i < 64; i++) {
        assert_true((double)a[i] == d[i]);
    }
    for (int r = 0; r < 4; r++) {
        draw(&gan__op_random_normal, GAN_SHAPE(64), &runs[r], 0, GAN_F32, b);
        for (int i = 0; i < 64; i++) {
            assert_true(a[i] != b[i]);
        }
    }
}

/* First numbers of a stream, to the bit: a change breaks the replay of every old run. */
static void test_known_values(void **state)
{
    (void)state;
    float z[4], u[4];
    const struct gan__run run = {.seed = 42, .iteration = 7, .run = 1};
    draw(&gan__op_random_normal, GAN_SHAPE(1, 4), &run, 0, GAN_F32, z);
    draw(&gan__op_random_uniform, GAN_SHAPE(1, 4), &run, 0, GAN_F32, u);
    uint32_t word[4];
    gan__stream_block(gan__stream_key(42, 7, 1, 0x1234567890abcdefu), 0, 0, word);
    for (int i = 0; i < 4; i++) {
        /* f32 arithmetic: a few roundings of 6e-8 on values below 6 */
        const double r = sqrt(-2.0 * log((double)gan__u01(word[i / 2 * 2])));
        const double turn = 6.283185307179586 * (double)gan__u01(word[i / 2 * 2 + 1]);
        assert_true(fabs((double)z[i] - r * (i % 2 == 0 ? cos(turn) : sin(turn))) < 2e-6);
        assert_true(u[i] == gan__u01(word[i]));
    }
    static const float want_z[] = {0x1.b40f88p+0f, -0x1.c4697ap-2f, 0x1.29cd8cp-3f, 0x1.a61278p-4f};
    static const float want_u[] = {0x1.b36a58p-3f, 0x1.eb51eap-1f, 0x1.f7eed6p-1f, 0x1.91e5dp-4f};
    assert_memory_equal(z, want_z, sizeof z);
    assert_memory_equal(u, want_u, sizeof u);
}

/* Every shape in which blocks, chunks and planes end differently: the same bits as the reference. */
static void test_cpu(void **state)
{
    (void)state;
    const struct gan__op *const op[] = {&gan__op_random_normal, &gan__op_random_uniform};
    const struct gan__kernel *const kernel[] = {&gan__kernel_cpu_random_normal,
                                                &gan__kernel_cpu_random_uniform};
    const gan_shape shape[] = {{0},
                               GAN_SHAPE(5),
                               GAN_SHAPE(3, 256),
                               GAN_SHAPE(2, 1023),
                               GAN_SHAPE(3, 5, 7, 3),
                               GAN_SHAPE(2, 33, 17, 3),
                               GAN_SHAPE(2, 3, 2, 2, 3)};
    for (size_t i = 0; i < 2 * sizeof shape / sizeof *shape; i++) {
        float want[4096], got[4096];
        const struct gan__run run = {.seed = 3, .iteration = 1, .sample = UINT32_MAX, .threads = 2};
        const struct gan__attr_random a = {
            .stream = 0x1234567890abcdefu, .sample = 2, .shape = shape[i / 2]};
        const gan_tensor out = {GAN_F32, a.shape, got};
        draw(op[i % 2], a.shape, &run, a.sample, GAN_F32, want);
        kernel[i % 2]->run(&(struct gan__call){.attr = &a, .out = &out, .n_out = 1, .run = &run});
        assert_memory_equal(got, want, gan_tensor_bytes(&out));
    }
}

/* log, cos and sin against libm in f64, ends of the range included. */
static void test_arithmetic(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < (1u << 20); i++) {
        const uint32_t word = i < 4096 ? i << 9 : (i > (1u << 20) - 4096 ? ~(~i << 9) : i * 4097u);
        const float u = gan__u01(word);
        const double want = log((double)u);
        assert_true(fabs((double)gan__log_f32(u) - want) <= 3e-7 * fabs(want));
        float c, s;
        gan__turn_f32(u, &c, &s);
        assert_true(fabs((double)c - cos(6.283185307179586 * (double)u)) < 3e-7);
        assert_true(fabs((double)s - sin(6.283185307179586 * (double)u)) < 3e-7);
    }
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov distance of sorted values to a distribution function. */
static double ks(const float *v, double (*cdf)(double))
{
    double worst = 0.0;
    for (int i = 0; i < MANY; i++) {
        const double f = cdf((double)v[i]);
        worst = fmax(worst, fmax(f - i / (double)MANY, (i + 1) / (double)MANY - f));
    }
    return worst;
}

static double normal_cdf(double z)
{
    return 0.5 * erfc(-z * 0.70710678118654752);
}

static double uniform_cdf(double u)
{
    return u;
}

/* p-th moment. */
static double moment(const float *v, int p)
{
    double sum = 0.0;
    for (int i = 0; i < MANY; i++) {
        sum += pow((double)v[i], p);
    }
    return sum / MANY;
}

/* Moments within 5 standard errors (sqrt(Var z^p / n)); KS below 1.95/sqrt(n), the 1/1000 point. */
static void test_normal_distribution(void **state)
{
    (void)state;
    float *v = gan__alloc_array(MANY, sizeof *v);
    const struct gan__run run = {.seed = 5, .threads = 2};
    draw(&gan__op_random_normal, GAN_SHAPE(1024, MANY / 1024), &run, 0, GAN_F32, v);
    const double want[] = {0, 1, 0, 3, 0, 15}, var[] = {1, 2, 15, 96, 945, 10170};
    for (int p = 1; p <= 6; p++) {
        assert_true(fabs(moment(v, p) - want[p - 1]) < 5.0 * sqrt(var[p - 1] / MANY));
    }
    double lag = 0.0; /* neighbours: the two of a pair, and across pairs */
    for (int i = 0; i + 1 < MANY; i++) {
        lag += (double)v[i] * (double)v[i + 1];
    }
    assert_true(fabs(lag / MANY) < 5.0 / sqrt(MANY));
    qsort(v, MANY, sizeof *v, ascending);
    assert_true(ks(v, normal_cdf) < 1.95 / sqrt(MANY));
    /* tails: 2^20 numbers reach 4.5 (expected 7 beyond) and no further than Box-Muller's 5.77 */
    assert_true(v[0] < -4.2f && v[0] > -5.78f);
    assert_true(v[MANY - 1] > 4.2f && v[MANY - 1] < 5.78f);
    gan__free(v);
}

static void test_uniform_distribution(void **state)
{
    (void)state;
    float *v = gan__alloc_array(MANY, sizeof *v);
    const struct gan__run run = {.seed = 6, .threads = 2};
    draw(&gan__op_random_uniform, GAN_SHAPE(64, MANY / 64), &run, 0, GAN_F32, v);
    for (int p = 1; p <= 4; p++) {
        const double var = 1.0 / (2 * p + 1) - 1.0 / ((p + 1.0) * (p + 1.0));
        assert_true(fabs(moment(v, p) - 1.0 / (p + 1)) < 5.0 * sqrt(var / MANY));
    }
    qsort(v, MANY, sizeof *v, ascending);
    assert_true(ks(v, uniform_cdf) < 1.95 / sqrt(MANY));
    assert_true(v[0] > 0.0f && v[MANY - 1] < 1.0f);
    gan__free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_size),          cmocka_unit_test(test_layout),
        cmocka_unit_test(test_key_and_dtype),       cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_arithmetic),          cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_normal_distribution), cmocka_unit_test(test_uniform_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
