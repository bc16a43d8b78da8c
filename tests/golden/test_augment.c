/* test_augment.c: augmented images and their derivatives against PyTorch in float64, given the same
 * random numbers: DiffAugment as its authors wrote it, ADA as matrices, convolutions of
 * explicitly continued images and grid_sample.
 *
 * f64 on `ref`, 1e-11 (1+|v|): the two programs differ by rounding only, which the exponentials and
 * the warp's places enlarge to about 1e-13. f32 on `cpu`, 2e-5 for images of order 1 to 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/st.h"
#include <gan/augment.h>
#include <gan/plan.h>

enum { MAX_FEEDS = 48 };

/* The feeds a case has asked for. */
struct asked {
    gan_graph *g;
    const struct st *file;
    const char *which;
    struct gan_feed_data feed[MAX_FEEDS];
    size_t n;
};

static gan_val feed(struct asked *a, const char *name, gan_tensor from)
{
    gan_dtype real = gan_graph_real(a->g);
    int64_t n = gan_shape_count(&from.shape);
    gan_tensor t = {real, from.shape, malloc((size_t)n * gan_dtype_size(real))};
    assert_non_null(t.data);
    for (int64_t i = 0; i < n; i++) {
        gan_tensor_set(&t, i, gan_tensor_get(&from, i));
    }
    assert_true(a->n < MAX_FEEDS);
    a->feed[a->n++] = (struct gan_feed_data){name, t};
    return gan_feed(a->g, name, real, from.shape);
}

static gan_val draw(void *user, const char *name, gan_shape shape)
{
    struct asked *a = user;
    gan_tensor t = st_get(a->file, "%s/draw/%s", a->which, name);
    assert_true(gan_shape_equal(&t.shape, &shape));
    return feed(a, name, t);
}

static void check(const char *which, gan_dtype real, const char *backend, double tolerance)
{
    gan_err err = {0};
    struct st *f = st_open("augment");
    struct asked a = {.g = gan_graph_new(NULL, real), .file = f, .which = which};
    const struct gan_draws d = {draw, draw, &a};
    gan_val x = feed(&a, "x", st_get(f, "%s/x", which)),
            r = feed(&a, "r", st_get(f, "%s/r", which));
    const struct gan_ada set =
        strcmp(which, "ada") == 0 ? GAN_ADA_BGC : (struct gan_ada){1, 1, 1, 1, 1, 1};
    gan_val y = which[0] == 'd' ? gan_augment_diff(a.g, x, GAN_AUGMENT_ALL, &d)
                                : gan_augment_ada(a.g, x, gan_const(a.g, 0.7), &set, &d);
    gan_val out[] = {y, GAN_NONE};
    gan_grad(a.g, gan_sum_all(a.g, gan_mul(a.g, y, r)), &x, 1, &out[1]);
    struct gan_plan_opts o = {.backend = backend, .threads = 2, .verify = true};
    gan_plan *p = gan_plan_new(a.g, out, 2, &o, &err);
    struct gan_run run = {.feeds = a.feed, .n_feeds = a.n};
    if (p == NULL || gan_plan_run(p, &run, &err) != GAN_OK) {
        fail_msg("%s: %s", which, err.message);
    }
    gan_tensor want_y = st_get(f, "%s/y", which), want_dx = st_get(f, "%s/dx", which);
    st_close_to("y", gan_plan_output(p, 0), &want_y, tolerance);
    st_close_to("dx", gan_plan_output(p, 1), &want_dx, tolerance);
    for (size_t i = 0; i < a.n; i++) {
        free(a.feed[i].value.data);
    }
    gan_plan_free(p);
    gan_graph_free(a.g);
    st_close(f);
}

static void diff(void **state)
{
    (void)state;
    check("diff", GAN_F64, "ref", 1e-11);
    check("diff", GAN_F32, "cpu", 2e-5);
}

static void ada(void **state)
{
    (void)state;
    check("ada", GAN_F64, "ref", 1e-11);
    check("ada", GAN_F32, "cpu", 2e-5);
}

/* Bands, noise and cutout too. */
static void ada_all(void **state)
{
    (void)state;
    check("ada_bgcfnc", GAN_F64, "ref", 1e-11);
    check("ada_bgcfnc", GAN_F32, "cpu", 2e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(diff), cmocka_unit_test(ada),
                                       cmocka_unit_test(ada_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
