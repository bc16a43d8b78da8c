/* ops_values.c: values and derivatives at the places random cases avoid: infinities, ties, kinks,
 * ends of ranges, indices out of range; and builders against numbers worked out by hand. */
#include "ops_tests.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 64 };

/* A vector of up to 8 constants, one fill per element. */
static gan_val vec(gan_graph *g, int n, const double *v)
{
    gan_val part[8];
    for (int i = 0; i < n; i++)
        part[i] = gan_fill(g, v[i], GAN_SHAPE(1));
    return gan_concat(g, part, n, 0);
}

static gan_val ints(gan_graph *g, int n, const double *v)
{
    return gan_cast(g, vec(g, n, v), GAN_I32);
}

/* 0 .. h*w-1 as [h,w]. */
static gan_val grid(gan_graph *g, int64_t h, int64_t w)
{
    return gan_reshape(g, gan_cast(g, gan_iota(g, h * w), gan_graph_real(g)), GAN_SHAPE(h, w));
}

static gan_val derivative(gan_graph *g, gan_val y, gan_val x)
{
    gan_val dx = GAN_NONE;
    gan_grad(g, gan_sum_all(g, y), &x, 1, &dx);
    return dx;
}

#define VEC(g, ...)                                                                                \
    vec(g, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (const double[]){__VA_ARGS__})
#define INTS(g, ...)                                                                               \
    ints(g, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (const double[]){__VA_ARGS__})

static gan_val isfinite_values(gan_graph *g)
{
    return gan_isfinite(g, VEC(g, 1, (double)INFINITY, -(double)INFINITY, (double)NAN, -0.0));
}

static gan_val relu_kink(gan_graph *g)
{
    gan_val x = VEC(g, -1, 0, 1);
    return derivative(g, gan_relu(g, x), x);
}

static gan_val relu_nan(gan_graph *g)
{
    return gan_relu(g, VEC(g, (double)NAN, -(double)INFINITY, (double)INFINITY));
}

static gan_val abs_kink(gan_graph *g)
{
    gan_val x = VEC(g, -2, 0, 3);
    return derivative(g, gan_abs(g, x), x);
}

static gan_val clamp_ends(gan_graph *g)
{
    gan_val x = VEC(g, -2, -1, 0, 1, 2);
    return derivative(g, gan_clamp(g, x, -1, 1), x);
}

static gan_val max_ties(gan_graph *g)
{
    gan_val a = VEC(g, 1, 2, 3), b = VEC(g, 1, 3, 2);
    return derivative(g, gan_max(g, a, b), a);
}

static gan_val max_ties_second(gan_graph *g)
{
    gan_val a = VEC(g, 1, 2, 3), b = VEC(g, 1, 3, 2);
    return derivative(g, gan_max(g, a, b), b);
}

static gan_val reduce_max_ties(gan_graph *g)
{
    gan_val x = VEC(g, 1, 3, 3, 2, 3);
    return derivative(g, gan_reduce_max(g, x, GAN_AXES_ALL, false), x);
}

static gan_val argmax_ties(gan_graph *g)
{
    return gan_argmax(g, VEC(g, 1, 3, 3, 2), -1);
}

static gan_val max_nan(gan_graph *g)
{
    return gan_max(g, VEC(g, 1, (double)NAN, 2), VEC(g, (double)NAN, 1, 3));
}

static gan_val softplus_far(gan_graph *g)
{
    return gan_softplus(g, VEC(g, 1000, -1000, 0));
}

static gan_val sigmoid_far(gan_graph *g)
{
    return gan_sigmoid(g, VEC(g, 1000, -1000, 0));
}

static gan_val cast_ends(gan_graph *g)
{
    return gan_cast(g, VEC(g, 2.9, -2.9, 1e12, -1e12, (double)NAN), GAN_I32);
}

static gan_val cast_bool(gan_graph *g)
{
    return gan_cast(g, VEC(g, 0.25, 0, -1, 2), GAN_BOOL);
}

static gan_val gather_ends(gan_graph *g)
{
    return gan_gather(g, VEC(g, 10, 11, 12), INTS(g, 2, -5, 9, 0));
}

static gan_val gather_adjoint(gan_graph *g)
{
    gan_val x = VEC(g, 10, 11, 12);
    return derivative(g, gan_gather(g, x, INTS(g, 2, -5, 9, 0)), x);
}

static gan_val scatter_last(gan_graph *g)
{
    return gan_scatter_set(g, VEC(g, 1, 2, 3), INTS(g, 1, 0, 1), VEC(g, 7, 8, 9));
}

static gan_val scatter_last_slope(gan_graph *g)
{
    gan_val src = VEC(g, 7, 8, 9);
    return derivative(g, gan_scatter_set(g, VEC(g, 1, 2, 3), INTS(g, 1, 0, 1), src), src);
}

static gan_val one_hot_range(gan_graph *g)
{
    return gan_one_hot(g, INTS(g, 1, -1, 2), 2);
}

static gan_val reflect_values(gan_graph *g)
{
    return gan_pad(g, VEC(g, 1, 2, 3), (const int64_t[]){2}, (const int64_t[]){2}, GAN_PAD_REFLECT);
}

static gan_val reflect_slope(gan_graph *g)
{
    gan_val x = VEC(g, 1, 2, 3);
    return derivative(g, gan_pad(g, x, (const int64_t[]){2}, (const int64_t[]){1}, GAN_PAD_REFLECT),
                      x);
}

static gan_val edge_values(gan_graph *g)
{
    return gan_pad(g, VEC(g, 1, 2), (const int64_t[]){2}, (const int64_t[]){1}, GAN_PAD_EDGE);
}

static gan_val transpose_values(gan_graph *g)
{
    return gan_transpose(g, grid(g, 2, 3), (const int[]){1, 0});
}

/* [1,2,1,3]: pixel (h, c) holds 3h + c; C,H,W order puts each channel's column together. */
static gan_val flatten_values(gan_graph *g)
{
    return gan_flatten(g, gan_reshape(g, grid(g, 2, 3), GAN_SHAPE(1, 2, 1, 3)));
}

static gan_val unflatten_round(gan_graph *g)
{
    gan_val x = gan_reshape(g, grid(g, 3, 4), GAN_SHAPE(1, 2, 2, 3));
    return gan_sub(g, gan_unflatten(g, gan_flatten(g, x), 2, 2, 3), x);
}

static gan_val broadcast_values(gan_graph *g)
{
    return gan_add(g, gan_reshape(g, VEC(g, 10, 20), GAN_SHAPE(2, 1)), VEC(g, 1, 2, 3));
}

static gan_val select_values(gan_graph *g)
{
    return gan_select(g, gan_greater(g, VEC(g, 1, -1), gan_const(g, 0)), gan_const(g, 5),
                      grid(g, 2, 2));
}

static gan_val mean_values(gan_graph *g)
{
    return gan_mean(g, grid(g, 2, 3), GAN_AXIS(1), false);
}

static gan_val reduce_to_values(gan_graph *g)
{
    return gan_reduce_to(g, gan_broadcast(g, grid(g, 2, 1), GAN_SHAPE(4, 2, 3)), GAN_SHAPE(2, 1));
}

static gan_val shift_scale(gan_graph *g)
{
    return gan_scale(g, gan_shift(g, VEC(g, 1, 2), 0.5), 4);
}

static gan_val pow_edges(gan_graph *g)
{
    return gan_pow(g, VEC(g, -2, 0, 2), 3);
}

static gan_val stopped(gan_graph *g)
{
    gan_val x = VEC(g, 1, 2);
    return derivative(g, gan_mul(g, gan_stop(g, x), x), x);
}

#define INF ((double)INFINITY)
#define NOT ((double)NAN)

static const struct known {
    const char *name;
    gan_val (*build)(gan_graph *g);
    int n;
    double want[12];
} table[] = {
    {"isfinite", isfinite_values, 5, {1, 0, 0, 0, 1}},
    {"relu' at 0", relu_kink, 3, {0, 0, 1}},
    {"relu of NaN", relu_nan, 3, {NOT, 0, INF}},
    {"abs' at 0", abs_kink, 3, {-1, 0, 1}},
    {"clamp' at its ends", clamp_ends, 5, {0, 1, 1, 1, 0}},
    {"max: a tie goes to the first", max_ties, 3, {1, 0, 1}},
    {"max: and not to the second", max_ties_second, 3, {0, 1, 0}},
    {"reduce_max shares ties", reduce_max_ties, 5, {0, 1.0 / 3, 1.0 / 3, 0, 1.0 / 3}},
    {"argmax: first of ties", argmax_ties, 1, {1}},
    {"max of NaN", max_nan, 3, {NOT, NOT, 3}},
    {"softplus far out", softplus_far, 3, {1000, 0, 0.69314718055994531}},
    {"sigmoid far out", sigmoid_far, 3, {1, 0, 0.5}},
    {"cast saturates", cast_ends, 5, {2, -2, 2147483647, -2147483648.0, 0}},
    {"cast to bool", cast_bool, 4, {1, 0, 1, 1}},
    {"gather clamps", gather_ends, 4, {12, 10, 12, 10}},
    {"gather's adjoint clamps alike", gather_adjoint, 3, {2, 0, 2}},
    {"scatter_set: last wins", scatter_last, 3, {8, 9, 3}},
    {"scatter_set: losers get nothing", scatter_last_slope, 3, {0, 1, 1}},
    {"one_hot out of range", one_hot_range, 6, {0, 1, 0, 0, 0, 0}},
    {"pad reflect", reflect_values, 7, {3, 2, 1, 2, 3, 2, 1}},
    {"pad reflect's adjoint", reflect_slope, 3, {1, 3, 2}},
    {"pad edge", edge_values, 5, {1, 1, 1, 2, 2}},
    {"transpose", transpose_values, 6, {0, 3, 1, 4, 2, 5}},
    {"flatten is C,H,W", flatten_values, 6, {0, 3, 1, 4, 2, 5}},
    {"unflatten undoes flatten", unflatten_round, 12, {0}},
    {"broadcast", broadcast_values, 6, {11, 12, 13, 21, 22, 23}},
    {"select broadcasts", select_values, 4, {5, 1, 5, 3}},
    {"mean", mean_values, 2, {1, 4}},
    {"reduce_to", reduce_to_values, 2, {0, 12}},
    {"shift, scale", shift_scale, 2, {6, 10}},
    {"pow of negatives", pow_edges, 3, {-8, 0, 8}},
    {"stop", stopped, 2, {1, 2}},
};

bool values_of(gan_graph *g, const gan_val *out, int n, const char *backend, double *dst,
               size_t cap, size_t *count)
{
    gan_err err = {0};
    struct gan_plan_opts opts = {.backend = backend, .threads = 2, .verify = true};
    gan_plan *p = gan_plan_new(g, out, n, &opts, &err);
    bool good = p && gan_plan_run(p, &(struct gan_run){.seed = 1}, &err) == GAN_OK;
    *count = 0;
    for (int i = 0; good && i < n; i++) {
        const gan_tensor *t = gan_plan_output(p, i);
        int64_t k = gan_shape_count(&t->shape);
        for (int64_t j = 0; j < k && *count < cap; j++)
            dst[(*count)++] = gan_tensor_get(t, j);
    }
    if (!good)
        fprintf(stderr, "%s: %s\n", backend, err.message);
    gan_plan_free(p);
    return good;
}

static bool equal(double a, double b, double tolerance)
{
    if (isnan(b) || isinf(b))
        return isnan(b) ? isnan(a) : a == b;
    return fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* One entry in one type on one backend; 1e-7 leaves f32 its last bit, 1e-15 the same for f64. */
static bool known_holds(const struct known *k, const char *backend, gan_dtype real)
{
    double got[MOST];
    size_t n = 0;
    gan_graph *g = gan_graph_new(NULL, real);
    gan_val v = k->build(g);
    bool good = values_of(g, &v, 1, backend, got, MOST, &n) && n == (size_t)k->n;
    for (size_t i = 0; good && i < n; i++) {
        good = equal(got[i], k->want[i], real == GAN_F32 ? 1e-7 : 1e-15);
        if (!good)
            fprintf(stderr, "%s, element %zu is %.9g, expected %.9g\n", k->name, i, got[i],
                    k->want[i]);
    }
    gan_graph_free(g);
    checks++;
    if (!good)
        fprintf(stderr, "%s: wrong on %s in %s\n", k->name, backend, gan_dtype_name(real));
    return good;
}

void test_values(void **state)
{
    (void)state;
    int before = failures;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        failures += !known_holds(&table[i], "ref", GAN_F64);
        failures += !known_holds(&table[i], "ref", GAN_F32);
        failures += !known_holds(&table[i], "cpu", GAN_F32);
    }
    assert_int_equal(failures, before);
}
