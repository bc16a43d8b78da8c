/* test_op_heavy.c: convolutions, products, pooling, resize and compound ops against numbers worked
 * out by hand; the op suite checks kernels and derivatives against these references. */
#include <gan/plan.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 0, 1, 2, ... in a shape. */
static gan_val count(gan_graph *g, gan_shape s)
{
    return gan_reshape(g, gan_cast(g, gan_iota(g, gan_shape_count(&s)), gan_graph_real(g)), s);
}

static gan_val grid(gan_graph *g) /* 0 1 2 / 3 4 5 / 6 7 8 */
{
    return count(g, GAN_SHAPE(1, 3, 3, 1));
}

static gan_val filter(gan_graph *g) /* 0 1 / 2 3 */
{
    return count(g, GAN_SHAPE(1, 1, 2, 2));
}

static gan_val product(gan_graph *g, bool ta, bool tb)
{
    return gan_matmul(g, count(g, GAN_SHAPE(2, 2)), count(g, GAN_SHAPE(2, 2)), ta, tb);
}

static gan_val matmul_nn(gan_graph *g)
{
    return product(g, false, false);
}

static gan_val matmul_tn(gan_graph *g)
{
    return product(g, true, false);
}

static gan_val matmul_nt(gan_graph *g)
{
    return product(g, false, true);
}

static gan_val matmul_tt(gan_graph *g)
{
    return product(g, true, true);
}

static gan_val matmul_batch(gan_graph *g)
{
    return gan_matmul(g, count(g, GAN_SHAPE(2, 1, 2)), count(g, GAN_SHAPE(2, 2, 1)), false, false);
}

static gan_val conv_plain(gan_graph *g)
{
    return gan_conv2d(g, grid(g), filter(g), (struct gan_conv){0});
}

static gan_val conv_padded(gan_graph *g)
{
    return gan_conv2d(g, grid(g), filter(g),
                      (struct gan_conv){.stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1});
}

static gan_val conv_dilated(gan_graph *g)
{
    return gan_conv2d(g, grid(g), filter(g), (struct gan_conv){.dilation_h = 2, .dilation_w = 2});
}

static gan_val conv_groups(gan_graph *g)
{
    return gan_conv2d(g, count(g, GAN_SHAPE(1, 1, 1, 4)), count(g, GAN_SHAPE(2, 2, 1, 1)),
                      (struct gan_conv){.groups = 2});
}

/* Pixels hold channels (0 1) (2 3); the filter holds for channel 0: 0 1, for channel 1: 2 3. */
static gan_val conv_orders(gan_graph *g)
{
    return gan_conv2d(g, count(g, GAN_SHAPE(1, 1, 2, 2)), count(g, GAN_SHAPE(1, 2, 1, 2)),
                      (struct gan_conv){0});
}

static gan_val transposed(gan_graph *g)
{
    return gan_conv2d_input_grad(g, count(g, GAN_SHAPE(1, 2, 2, 1)), filter(g),
                                 (struct gan_conv){0}, 3, 3);
}

static gan_val transposed_strided(gan_graph *g)
{
    return gan_conv2d_input_grad(g, count(g, GAN_SHAPE(1, 2, 2, 1)), filter(g),
                                 (struct gan_conv){.stride_h = 2, .stride_w = 2}, 4, 4);
}

/* One row more than the stride reaches: output padding. */
static gan_val transposed_remainder(gan_graph *g)
{
    return gan_conv2d_input_grad(g, gan_fill(g, 1, GAN_SHAPE(1, 1, 1, 1)), filter(g),
                                 (struct gan_conv){.stride_h = 2, .stride_w = 2}, 3, 2);
}

static gan_val weight_gradient(gan_graph *g)
{
    return gan_conv2d_weight_grad(g, grid(g), count(g, GAN_SHAPE(1, 2, 2, 1)), (struct gan_conv){0},
                                  2, 2);
}

static const struct gan_pool two = {.kernel_h = 2, .kernel_w = 2, .stride_h = 1, .stride_w = 1};

static gan_val avg(gan_graph *g)
{
    return gan_avg_pool(g, grid(g), two);
}

static gan_val avg_padded(gan_graph *g)
{
    return gan_avg_pool(
        g, grid(g), (struct gan_pool){.kernel_h = 2, .kernel_w = 2, .pad_top = 1, .pad_left = 1});
}

static gan_val max(gan_graph *g)
{
    return gan_max_pool(g, grid(g), two);
}

static gan_val max_padded(gan_graph *g) /* padding does not win against negative numbers */
{
    return gan_max_pool(
        g, gan_shift(g, grid(g), -10),
        (struct gan_pool){.kernel_h = 2, .kernel_w = 2, .pad_top = 1, .pad_left = 1});
}

static gan_val max_tie(gan_graph *g)
{
    gan_val x = gan_fill(g, 1, GAN_SHAPE(1, 2, 2, 1)), dx;
    gan_grad(g, gan_sum_all(g, gan_max_pool(g, x, two)), &x, 1, &dx);
    return dx;
}

static gan_val resize(gan_graph *g, int64_t from, int64_t to, gan_resize_mode mode)
{
    return gan_resize(g, count(g, GAN_SHAPE(1, 1, from, 1)), 1, to, mode);
}

static gan_val bilinear_up(gan_graph *g)
{
    return resize(g, 2, 4, GAN_RESIZE_BILINEAR);
}

static gan_val bilinear_down(gan_graph *g)
{
    return resize(g, 4, 2, GAN_RESIZE_BILINEAR);
}

static gan_val nearest_up(gan_graph *g)
{
    return resize(g, 2, 3, GAN_RESIZE_NEAREST);
}

static gan_val nearest_down(gan_graph *g)
{
    return resize(g, 5, 3, GAN_RESIZE_NEAREST);
}

static gan_val normalized(gan_graph *g)
{
    return gan_normalize(g, count(g, GAN_SHAPE(1, 4)), GAN_AXIS(1), 0).x_hat;
}

static gan_val mean(gan_graph *g)
{
    return gan_normalize(g, count(g, GAN_SHAPE(2, 2)), GAN_AXIS(0), 1e-5).mean;
}

static gan_val variance(gan_graph *g)
{
    return gan_normalize(g, count(g, GAN_SHAPE(1, 4)), GAN_AXES_ALL, 1e-5).var;
}

static gan_val softmax(gan_graph *g)
{
    return gan_softmax(g, count(g, GAN_SHAPE(1, 2)));
}

static gan_val softmax_far(gan_graph *g)
{
    return gan_softmax(g, gan_scale(g, count(g, GAN_SHAPE(1, 2)), 1000));
}

static gan_val log_softmax_far(gan_graph *g)
{
    return gan_log_softmax(g, gan_scale(g, count(g, GAN_SHAPE(1, 2)), 1000));
}

static gan_val logsumexp_far(gan_graph *g)
{
    return gan_logsumexp(g, gan_fill(g, 1000, GAN_SHAPE(1, 2)));
}

static const struct known {
    const char *name;
    gan_val (*build)(gan_graph *g);
    int n;
    double want[16];
} table[] = {
    {"a b", matmul_nn, 4, {2, 3, 6, 11}},
    {"a' b", matmul_tn, 4, {4, 6, 6, 10}},
    {"a b'", matmul_nt, 4, {1, 3, 3, 13}},
    {"a' b'", matmul_tt, 4, {2, 6, 3, 11}},
    {"two products", matmul_batch, 2, {1, 13}},
    {"conv2d", conv_plain, 4, {19, 25, 37, 43}},
    {"conv2d, stride 2, padded before", conv_padded, 4, {0, 8, 21, 43}},
    {"conv2d, dilation 2", conv_dilated, 1, {38}},
    {"conv2d, 2 groups", conv_groups, 2, {1, 13}},
    {"conv2d, order of elements", conv_orders, 1, {13}},
    {"transposed", transposed, 9, {0, 0, 1, 0, 4, 6, 4, 12, 9}},
    {"transposed, stride 2",
     transposed_strided,
     16,
     {0, 0, 0, 1, 0, 0, 2, 3, 0, 2, 0, 3, 4, 6, 6, 9}},
    {"transposed, output padding", transposed_remainder, 6, {0, 1, 2, 3, 0, 0}},
    {"weight gradient", weight_gradient, 4, {19, 25, 37, 43}},
    {"avg_pool", avg, 4, {2, 3, 5, 6}},
    {"avg_pool counts padding", avg_padded, 4, {0, 0.75, 2.25, 6}},
    {"max_pool", max, 4, {4, 5, 7, 8}},
    {"max_pool skips padding", max_padded, 4, {-10, -8, -4, -2}},
    {"max_pool: the first of ties", max_tie, 4, {1, 0, 0, 0}},
    {"bilinear up", bilinear_up, 4, {0, 0.25, 0.75, 1}},
    {"bilinear down", bilinear_down, 2, {0.5, 2.5}},
    {"nearest up", nearest_up, 3, {0, 0, 1}},
    {"nearest down", nearest_down, 3, {0, 1, 3}},
    {"normalize",
     normalized,
     4,
     {-1.3416407864998738, -0.44721359549995793, 0.44721359549995793, 1.3416407864998738}},
    {"normalize's mean", mean, 2, {1, 2}},
    {"normalize's variance is biased", variance, 1, {1.25}},
    {"softmax", softmax, 2, {0.26894142136999512, 0.73105857863000488}},
    {"softmax far out", softmax_far, 2, {0, 1}},
    {"log_softmax far out", log_softmax_far, 2, {-1000, 0}},
    {"logsumexp far out", logsumexp_far, 1, {1000.6931471805599}},
};

/* On one backend in one type; a few roundings. */
static void check(const struct known *k, const char *backend, gan_dtype real)
{
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, real);
    const gan_val v = k->build(g);
    gan_plan *p = gan_plan_new(
        g, &v, 1, &(struct gan_plan_opts){.backend = backend, .threads = 2, .verify = true}, &err);
    if (p == NULL || gan_plan_run(p, &(struct gan_run){.seed = 1}, &err) != GAN_OK) {
        fail_msg("%s: %s", k->name, err.message);
    }
    const gan_tensor *t = gan_plan_output(p, 0);
    assert_int_equal(gan_shape_count(&t->shape), k->n);
    for (int i = 0; i < k->n; i++) {
        const double got = gan_tensor_get(t, i), want = k->want[i];
        if (!(fabs(got - want) <= (real == GAN_F32 ? 1e-6 : 1e-14) * (1 + fabs(want)))) {
            fail_msg("%s on %s in %s: element %d is %.17g, not %.17g", k->name, backend,
                     gan_dtype_name(real), i, got, want);
        }
    }
    gan_plan_free(p);
    gan_graph_free(g);
}

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check(&table[i], "ref", GAN_F64);
        check(&table[i], "ref", GAN_F32);
        check(&table[i], "cpu", GAN_F32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
