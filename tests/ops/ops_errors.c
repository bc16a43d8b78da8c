/* ops_errors.c: wrong builds stick on the graph with a code and a message that names what was given
 * and what was expected; later builders do nothing. */
#include "ops_tests.h"

#include <stdio.h>
#include <string.h>

static gan_val real(gan_graph *g, const char *name, gan_shape s)
{
    return gan_feed(g, name, GAN_F32, s);
}

static gan_val index(gan_graph *g, gan_shape s)
{
    return gan_feed(g, "index", GAN_I32, s);
}

static gan_val x23(gan_graph *g)
{
    return real(g, "x23", GAN_SHAPE(2, 3));
}

static gan_val image(gan_graph *g)
{
    return real(g, "image", GAN_SHAPE(2, 5, 5, 3));
}

static gan_val bad_add(gan_graph *g)
{
    return gan_add(g, x23(g), real(g, "b", GAN_SHAPE(4, 3)));
}

static gan_val bad_max(gan_graph *g)
{
    return gan_max(g, x23(g), real(g, "b", GAN_SHAPE(3, 2)));
}

static gan_val bad_compare(gan_graph *g)
{
    return gan_greater(g, x23(g), real(g, "b", GAN_SHAPE(2)));
}

static gan_val bad_mul_dtype(gan_graph *g)
{
    return gan_mul(g, index(g, GAN_SHAPE(3)), index(g, GAN_SHAPE(3)));
}

static gan_val bad_exp_dtype(gan_graph *g)
{
    return gan_exp(g, index(g, GAN_SHAPE(3)));
}

static gan_val bad_select(gan_graph *g)
{
    return gan_select(g, x23(g), x23(g), x23(g));
}

static gan_val bad_select_shape(gan_graph *g)
{
    return gan_select(g, gan_greater(g, x23(g), x23(g)), real(g, "b", GAN_SHAPE(5)),
                      real(g, "c", GAN_SHAPE(5)));
}

static gan_val bad_clamp(gan_graph *g)
{
    return gan_clamp(g, x23(g), 2, 1);
}

static gan_val bad_slope(gan_graph *g)
{
    return gan_leaky_relu(g, x23(g), 1.5);
}

static gan_val bad_sum_axis(gan_graph *g)
{
    return gan_sum(g, x23(g), GAN_AXIS(2), false);
}

static gan_val bad_sum_empty(gan_graph *g)
{
    return gan_sum_all(g, real(g, "e", GAN_SHAPE(0, 3)));
}

static gan_val bad_mean_empty(gan_graph *g)
{
    return gan_mean(g, real(g, "e", GAN_SHAPE(0, 3)), GAN_AXIS(0), true);
}

static gan_val bad_argmax(gan_graph *g)
{
    return gan_argmax(g, x23(g), 2);
}

static gan_val bad_broadcast(gan_graph *g)
{
    return gan_broadcast(g, x23(g), GAN_SHAPE(4, 3));
}

static gan_val bad_broadcast_rank(gan_graph *g)
{
    return gan_broadcast(g, x23(g), GAN_SHAPE(3));
}

static gan_val bad_reduce_to(gan_graph *g)
{
    return gan_reduce_to(g, x23(g), GAN_SHAPE(2, 2));
}

static gan_val bad_reshape(gan_graph *g)
{
    return gan_reshape(g, x23(g), GAN_SHAPE(4, 2));
}

static gan_val bad_reshape_open(gan_graph *g)
{
    return gan_reshape(g, x23(g), GAN_SHAPE(4, -1));
}

static gan_val bad_reshape_two(gan_graph *g)
{
    return gan_reshape(g, x23(g), GAN_SHAPE(-1, -1));
}

static gan_val bad_transpose(gan_graph *g)
{
    return gan_transpose(g, x23(g), (const int[]){0, 0});
}

static gan_val bad_flatten(gan_graph *g)
{
    return gan_flatten(g, real(g, "b", GAN_SHAPE(2, 3, 4)));
}

static gan_val bad_unflatten(gan_graph *g)
{
    return gan_unflatten(g, x23(g), 2, 2, 1);
}

static gan_val bad_slice(gan_graph *g)
{
    return gan_slice_axis(g, x23(g), 1, 2, 2);
}

static gan_val bad_slice_axis(gan_graph *g)
{
    return gan_slice_axis(g, x23(g), 2, 0, 1);
}

static gan_val bad_pad(gan_graph *g)
{
    return gan_pad(g, x23(g), (const int64_t[]){0, -1}, (const int64_t[]){0, 0}, GAN_PAD_ZERO);
}

static gan_val bad_reflect(gan_graph *g)
{
    return gan_pad(g, x23(g), (const int64_t[]){2, 0}, (const int64_t[]){0, 0}, GAN_PAD_REFLECT);
}

static gan_val bad_concat(gan_graph *g)
{
    return gan_concat(g, (const gan_val[]){x23(g), real(g, "b", GAN_SHAPE(2, 4))}, 2, 0);
}

static gan_val bad_gather(gan_graph *g)
{
    return gan_gather(g, x23(g), real(g, "b", GAN_SHAPE(2)));
}

static gan_val bad_scatter(gan_graph *g)
{
    return gan_scatter_add(g, index(g, GAN_SHAPE(4)), x23(g), 8);
}

static gan_val bad_scatter_set(gan_graph *g)
{
    return gan_scatter_set(g, x23(g), index(g, GAN_SHAPE(4)), real(g, "b", GAN_SHAPE(4, 2)));
}

static gan_val bad_one_hot(gan_graph *g)
{
    return gan_one_hot(g, index(g, GAN_SHAPE(4)), 0);
}

static gan_val bad_matmul(gan_graph *g)
{
    return gan_matmul(g, x23(g), real(g, "b", GAN_SHAPE(4, 5)), false, false);
}

static gan_val bad_conv_size(gan_graph *g)
{
    return gan_conv2d(g, image(g), real(g, "w", GAN_SHAPE(4, 3, 7, 7)), (struct gan_conv){0});
}

static gan_val bad_conv_channels(gan_graph *g)
{
    return gan_conv2d(g, image(g), real(g, "w", GAN_SHAPE(4, 2, 3, 3)), (struct gan_conv){0});
}

static gan_val bad_conv_groups(gan_graph *g)
{
    return gan_conv2d(g, image(g), real(g, "w", GAN_SHAPE(4, 1, 3, 3)),
                      (struct gan_conv){.groups = 2});
}

static gan_val bad_conv_rank(gan_graph *g)
{
    return gan_conv2d(g, x23(g), real(g, "w", GAN_SHAPE(4, 1, 3, 3)), (struct gan_conv){0});
}

static gan_val bad_pool(gan_graph *g)
{
    return gan_max_pool(g, image(g), (struct gan_pool){.kernel_h = 9, .kernel_w = 1});
}

static gan_val bad_resize(gan_graph *g)
{
    return gan_resize(g, x23(g), 4, 4, GAN_RESIZE_NEAREST);
}

static gan_val bad_normalize(gan_graph *g)
{
    return gan_normalize(g, x23(g), GAN_AXIS(3), 1e-5).x_hat;
}

static gan_val bad_empty_matmul(gan_graph *g)
{
    return gan_matmul(g, real(g, "e", GAN_SHAPE(0, 3)), real(g, "b", GAN_SHAPE(3, 5)), false,
                      false);
}

static gan_val bad_grad(gan_graph *g)
{
    gan_val x = x23(g), dx;
    gan_grad(g, gan_exp(g, x), &x, 1, &dx);
    return dx;
}

static gan_val bad_feed(gan_graph *g)
{
    x23(g);
    return real(g, "x23", GAN_SHAPE(3, 2));
}

static gan_val bad_rank(gan_graph *g)
{
    return gan_fill(g, 0, GAN_SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1));
}

static gan_val bad_extent(gan_graph *g)
{
    return gan_fill(g, 0, GAN_SHAPE(2, -3));
}

static gan_val bad_count(gan_graph *g)
{
    return gan_fill(g, 0, GAN_SHAPE(INT64_MAX / 2, 4));
}

/* The words must all appear in the message. */
static const struct wrong {
    gan_val (*build)(gan_graph *g);
    gan_status code;
    const char *words[3];
} table[] = {
    {bad_add, GAN_E_SHAPE, {"add", "[2,3] and [4,3]", "do not broadcast"}},
    {bad_max, GAN_E_SHAPE, {"max", "[2,3] and [3,2]", "do not broadcast"}},
    {bad_compare, GAN_E_SHAPE, {"greater", "[2,3] and [2]", "do not broadcast"}},
    {bad_mul_dtype, GAN_E_DTYPE, {"mul", "i32", "real"}},
    {bad_exp_dtype, GAN_E_DTYPE, {"exp", "i32", "real"}},
    {bad_select, GAN_E_DTYPE, {"select", "f32", "bool"}},
    {bad_select_shape, GAN_E_SHAPE, {"broadcast", "[2,3]", "5"}},
    {bad_clamp, GAN_E_RANGE, {"clamp", "2 and 1", "low <= high"}},
    {bad_slope, GAN_E_RANGE, {"leaky_relu", "1.5", "slope < 1"}},
    {bad_sum_axis, GAN_E_SHAPE, {"sum", "axis 2", "[2,3]"}},
    {bad_sum_empty, GAN_E_SHAPE, {"sum", "[0,3]", "no elements"}},
    {bad_mean_empty, GAN_E_SHAPE, {"sum", "[0,3]", "no elements"}},
    {bad_argmax, GAN_E_SHAPE, {"argmax", "axis 2", "[2,3]"}},
    {bad_broadcast, GAN_E_SHAPE, {"broadcast", "[2,3]", "[4,3]"}},
    {bad_broadcast_rank, GAN_E_SHAPE, {"broadcast", "[2,3]", "[3]"}},
    {bad_reduce_to, GAN_E_SHAPE, {"reduce_to", "[2,3]", "[2,2]"}},
    {bad_reshape, GAN_E_SHAPE, {"reshape", "[2,3]", "[4,2]"}},
    {bad_reshape_open, GAN_E_SHAPE, {"reshape", "[2,3]", "[4,-1]"}},
    {bad_reshape_two, GAN_E_SHAPE, {"reshape", "[2,3]", "[-1,-1]"}},
    {bad_transpose, GAN_E_SHAPE, {"transpose", "0..1", "once"}},
    {bad_flatten, GAN_E_SHAPE, {"flatten", "[2,3,4]", "[N,H,W,C]"}},
    {bad_unflatten, GAN_E_SHAPE, {"unflatten", "[2,3]", "1*2*2"}},
    {bad_slice, GAN_E_SHAPE, {"slice", "axis 1", "[2,3]"}},
    {bad_slice_axis, GAN_E_SHAPE, {"slice", "axis 2", "[2,3]"}},
    {bad_pad, GAN_E_SHAPE, {"pad", "-1 before", "axis 1"}},
    {bad_reflect, GAN_E_SHAPE, {"pad", "2 reflected", "extent 2"}},
    {bad_concat, GAN_E_SHAPE, {"concat", "[2,3] and [2,4]", "axis 0"}},
    {bad_gather, GAN_E_DTYPE, {"gather", "f32", "i32 [M]"}},
    {bad_scatter, GAN_E_SHAPE, {"scatter_add", "[4]", "[2,3]"}},
    {bad_scatter_set, GAN_E_SHAPE, {"scatter_set", "[2,3]", "[4,2]"}},
    {bad_one_hot, GAN_E_SHAPE, {"one_hot", "0 classes", "at least 1"}},
    {bad_matmul, GAN_E_SHAPE, {"matmul", "[2,3]", "[4,5]"}},
    {bad_conv_size, GAN_E_SHAPE, {"conv2d", "7", "5"}},
    {bad_conv_channels, GAN_E_SHAPE, {"conv2d", "[2,5,5,3]", "[4,2,3,3]"}},
    {bad_conv_groups, GAN_E_SHAPE, {"conv2d", "3", "2"}},
    {bad_conv_rank, GAN_E_SHAPE, {"conv2d", "[2,3]", ""}},
    {bad_pool, GAN_E_SHAPE, {"max_pool", "9", "5"}},
    {bad_resize, GAN_E_SHAPE, {"resize", "[2,3]", ""}},
    {bad_normalize, GAN_E_SHAPE, {"normalize", "3", "[2,3]"}},
    {bad_empty_matmul, GAN_E_SHAPE, {"matmul", "[0,3]", "no elements"}},
    {bad_grad, GAN_E_SHAPE, {"grad", "[2,3]", "one element"}},
    {bad_feed, GAN_E_ARG, {"x23", "[2,3]", "[3,2]"}},
    {bad_rank, GAN_E_SHAPE, {"fill", "", ""}},
    {bad_extent, GAN_E_SHAPE, {"fill", "[2,-3]", ""}},
    {bad_count, GAN_E_SHAPE, {"fill", "4", ""}},
};

void test_errors(void **state)
{
    (void)state;
    int before = failures;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct wrong *w = &table[i];
        gan_graph *g = gan_graph_new(NULL, GAN_F32);
        gan_err err = {0}, later = {0};
        gan_val v = w->build(g);
        gan_status code = gan_graph_status(g, &err);
        bool good = !gan_ok(v) && code == w->code;
        for (int k = 0; k < 3; k++)
            good = good && strstr(err.message, w->words[k]);
        int64_t nodes = gan_graph_nodes(g);
        bool sticks = !gan_ok(gan_add(g, v, v)) && !gan_ok(gan_fill(g, 0, GAN_SHAPE(1))) &&
                      gan_graph_nodes(g) == nodes && gan_graph_status(g, &later) == code &&
                      strcmp(err.message, later.message) == 0;
        checks += 2;
        if (!good || !sticks) {
            fprintf(stderr, "wrong build %zu: %s \"%s\", expected %s with \"%s\" \"%s\" \"%s\"%s\n",
                    i, gan_status_name(code), err.message, gan_status_name(w->code), w->words[0],
                    w->words[1], w->words[2], sticks ? "" : "; it does not stick");
            failures++;
        }
        gan_graph_free(g);
    }
    assert_int_equal(failures, before);
}
