/* test_cpu_plain.c: matrix products and convolutions in plain C against the reference kernels, on
 * the ops' own cases and on shapes around the blocks' borders; one thread and three give the same
 * bits, and so does every instruction set. */
#include "base/alloc.h"
#include "base/philox.h"
#include "engine/execute/kernel.h"
#include "engine/graph/attr.h"
#include "engine/kernels/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern GAN_OP(matmul);
extern GAN_OP(conv2d);
extern GAN_OP(conv2d_input_grad);
extern GAN_OP(conv2d_weight_grad);
extern GAN_KERNEL(cpu, matmul, plain);
extern GAN_KERNEL(cpu, conv2d, plain);
extern GAN_KERNEL(cpu, conv2d_input_grad, plain);
extern GAN_KERNEL(cpu, conv2d_weight_grad, plain);

static float *random_floats(int64_t n, uint64_t key)
{
    struct gan__rng r;
    float *x = gan__alloc_aligned(64, (size_t)n * sizeof *x);
    gan__rng_init(&r, key);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)(2.0 * gan__rng_uniform(&r) - 1.0);
    }
    return x;
}

/* Runs a kernel (or the reference when NULL) on `threads` threads; c->out holds the result. */
static void run(const struct gan__kernel *k, const struct gan__op *op, struct gan__type in[2],
                struct gan__type *out, struct gan__call *c, int threads)
{
    const struct gan__run numbers = {.threads = threads};
    struct gan__arena arena = {0};
    struct gan__prepare p = {.op = op,
                             .in = in,
                             .out = out,
                             .n_in = 2,
                             .n_out = 1,
                             .attr = c->attr,
                             .threads = threads,
                             .arena = &arena};
    c->run = &numbers;
    if (k == NULL) {
        op->ref(c);
        return;
    }
    gan_err err = {0};
    assert_true(k->match(in, 2, out, 1, c->attr));
    assert_int_equal(k->prepare(&p, &err), GAN_OK);
    c->ctx = p.ctx;
    c->scratch = gan__alloc_aligned(64, p.scratch_bytes + 64);
    memset(c->scratch, 0xff, p.scratch_bytes + 64); /* NaN: nothing may be taken for granted */
    k->run(c);
    for (size_t i = 0; i < 64; i++) { /* what follows the scratch is not the kernel's */
        assert_int_equal(((const unsigned char *)c->scratch)[p.scratch_bytes + i], 0xff);
    }
    gan__free(c->scratch);
    gan__arena_release(&arena);
}

/* Rounding of a sum of n products of numbers up to 1: 2^-24 each, times the sum's own size; the
 * bound n * 2^-23 is never reached by chance, and a misplaced element is off by 1. */
static void compare(const struct gan__kernel *k, const struct gan__op *op, gan_shape a, gan_shape b,
                    const void *attr)
{
    struct gan__type in[2] = {{GAN_F32, a}, {GAN_F32, b}}, out = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    struct gan__infer infer = {g, op, in, 2, attr, &out};
    assert_true(op->infer(&infer));
    const int64_t n = gan_shape_count(&out.shape);
    const double terms = op->flops(in, &out, attr) / 2.0 / (double)n;
    gan_tensor x[2] = {{GAN_F32, a, random_floats(gan_shape_count(&a), 1)},
                       {GAN_F32, b, random_floats(gan_shape_count(&b), 2)}};
    float *want = random_floats(n, 3), *got = random_floats(n, 4), *more = random_floats(n, 5);
    gan_tensor y = {GAN_F32, out.shape, want};
    struct gan__call c = {.attr = attr, .in = x, .out = &y, .n_in = 2, .n_out = 1};
    run(NULL, op, in, &out, &c, 1);
    y.data = got;
    run(k, op, in, &out, &c, 1);
    y.data = more;
    run(k, op, in, &out, &c, 3);
    assert_memory_equal(got, more, (size_t)n * sizeof *got);
    for (int64_t i = 0; i < n; i++) {
        if (!(fabs((double)want[i] - (double)got[i]) <= (terms + 1.0) * 0x1p-23)) {
            fail_msg("%s: element %lld is %g, not %g", op->name, (long long)i, (double)got[i],
                     (double)want[i]);
        }
    }
    gan__free(x[0].data);
    gan__free(x[1].data);
    gan__free(want);
    gan__free(got);
    gan__free(more);
    gan_graph_free(g);
}

static void all_cases(const struct gan__kernel *k, const struct gan__op *op)
{
    for (const struct gan__case *c = op->cases; c->shapes != NULL; c++) {
        char first[64] = {0};
        gan_shape a, b;
        const char *blank = strchr(c->shapes, ' ');
        assert_non_null(blank);
        memcpy(first, c->shapes, (size_t)(blank - c->shapes));
        assert_int_equal(gan_shape_parse(first, &a, NULL), GAN_OK);
        assert_int_equal(gan_shape_parse(blank + 1, &b, NULL), GAN_OK);
        compare(k, op, a, b, c->attr);
    }
}

static void test_cases(void **state)
{
    (void)state;
    all_cases(&gan__kernel_cpu_matmul_plain, &gan__op_matmul);
    all_cases(&gan__kernel_cpu_conv2d_plain, &gan__op_conv2d);
    all_cases(&gan__kernel_cpu_conv2d_input_grad_plain, &gan__op_conv2d_input_grad);
    all_cases(&gan__kernel_cpu_conv2d_weight_grad_plain, &gan__op_conv2d_weight_grad);
}

/* Extents on both sides of the blocks' borders: 12, 16, 120, 256, 960, 1024. */
static void test_borders(void **state)
{
    (void)state;
    static const int64_t extents[][3] = {{1, 1, 1},    {11, 31, 255}, {12, 32, 256}, {13, 33, 257},
                                         {121, 5, 3},  {961, 33, 7},  {3, 1025, 20}, {100, 1, 513},
                                         {1, 1024, 2}, {250, 70, 600}};
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
        const int64_t m = extents[i][0], n = extents[i][1], k = extents[i][2];
        for (int64_t t = 0; t < 4; t++) {
            const struct gan__attr_matmul a = {t & 1, t >> 1};
            compare(&gan__kernel_cpu_matmul_plain, &gan__op_matmul,
                    a.ta != 0 ? GAN_SHAPE(k, m) : GAN_SHAPE(m, k),
                    a.tb != 0 ? GAN_SHAPE(n, k) : GAN_SHAPE(k, n), &a);
        }
    }
}

/* One convolution in all three directions. */
static void three(int64_t n, int64_t h, int64_t w, int64_t ci, int64_t co, int64_t kernel,
                  struct gan_conv c)
{
    const int64_t oh =
        (h + c.pad_top + c.pad_bottom - c.dilation_h * (kernel - 1) - 1) / c.stride_h + 1;
    const int64_t ow =
        (w + c.pad_left + c.pad_right - c.dilation_w * (kernel - 1) - 1) / c.stride_w + 1;
    const gan_shape x = GAN_SHAPE(n, h, w, ci), y = GAN_SHAPE(n, oh, ow, co);
    const gan_shape f = GAN_SHAPE(co, ci / c.groups, kernel, kernel);
    const struct gan__attr_conv forward = {c, 0, 0}, data = {c, h, w}, weight = {c, kernel, kernel};
    compare(&gan__kernel_cpu_conv2d_plain, &gan__op_conv2d, x, f, &forward);
    compare(&gan__kernel_cpu_conv2d_input_grad_plain, &gan__op_conv2d_input_grad, y, f, &data);
    compare(&gan__kernel_cpu_conv2d_weight_grad_plain, &gan__op_conv2d_weight_grad, x, y, &weight);
}

static void test_convolutions(void **state)
{
    (void)state;
    three(2, 16, 16, 3, 33, 4, (struct gan_conv){2, 2, 1, 1, 1, 1, 1, 1, 1});
    three(1, 4, 4, 40, 70, 4, (struct gan_conv){1, 1, 0, 0, 0, 0, 1, 1, 1});
    three(2, 13, 11, 6, 9, 5, (struct gan_conv){3, 2, 2, 1, 0, 3, 1, 2, 3});
    three(2, 9, 9, 24, 24, 3, (struct gan_conv){1, 1, 1, 1, 1, 1, 1, 1, 24});
    three(3, 5, 7, 12, 16, 1,
          (struct gan_conv){2, 3, 0, 0, 0, 0, 1, 1, 1}); /* classes without taps */
    three(1, 2, 2, 3, 5, 7, (struct gan_conv){4, 4, 3, 3, 3, 3, 1, 1, 1}); /* stride > image */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_convolutions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
