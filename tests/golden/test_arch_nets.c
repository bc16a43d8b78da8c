/* test_arch_nets.c: every published architecture forward, against PyTorch in f64.
 *
 * Both sides fill weights and inputs with the same hash (hashed.h), batch norm by batch
 * statistics, no dropout. Tolerance 1e-9 (1 + |v|): the sides differ in the order of sums; after the
 * 101 layers of the deepest network the difference stays below 1e-11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "hashed.h"
#include "models/arch.h"
#include "support/st.h"
#include <gan/plan.h>

enum { N = 4, Z = 6, STRIDE = 11, FEW = 200, CLASSES = 3 };

static const double tolerance = 1e-9;

static const struct arch_case {
    const char *arch, *variant; /* tensors are ARCH/VARIANT/WHAT */
    int64_t width, size, channels, pack, outputs;
    int minibatch;
    bool cond;
} cases[] = {
    {"dcgan32", "", 8, 32, 1, 1, 1, 0, false},
    {"sngan-cnn", "", 2, 32, 3, 1, 1, 0, false},
    {"fgan-mnist", "", 6, 5, 2, 1, 1, 0, false},
    {"gan2014", "", 6, 5, 2, 1, 1, 0, false},
    {"wgan-mlp", "", 9, 5, 2, 1, 1, 0, false},
    {"pacgan", "", 8, 1, 2, 2, 1, 0, false},
    {"robust-baseline", "", 2, 32, 3, 1, 1, 0, false},
    {"robust-constant", "", 3, 32, 1, 1, 1, 0, false},
    {"robust-mlp", "", 2, 32, 1, 1, 1, 0, false},
    {"robust-nonorm", "", 2, 64, 1, 1, 1, 0, false},
    {"robust-gated", "", 2, 32, 1, 1, 1, 0, false},
    {"robust-tanh", "", 2, 32, 1, 1, 1, 0, false},
    {"robust-resnet101", "", 4, 32, 1, 1, 1, 0, false},
    {"r3gan", "", 16, 16, 3, 1, 1, 0, false},
    {"robust-baseline", "/cond", 2, 32, 1, 1, 2, 0, true},
    {"robust-baseline", "/pack", 2, 32, 2, 2, 1, GAN__MINIBATCH_STDDEV, false},
};

static void nets(gan_nets *d, const void *options)
{
    gan__arch_nets(d, options);
}

static const struct gan_model bare = {
    .name = "bare", .size = sizeof(struct gan__arch_opts), .nets = nets};

/* The file has every STRIDE-th of more than FEW numbers. */
static void compare(const struct st *f, const struct arch_case *c, const char *what,
                    const gan_tensor *got)
{
    gan_tensor want = st_get(f, "%s%s/%s", c->arch, c->variant, what);
    int64_t count = gan_shape_count(&got->shape), stride = count > FEW ? STRIDE : 1;
    assert_int_equal(gan_shape_count(&want.shape), (count + stride - 1) / stride);
    for (int64_t i = 0; i * stride < count; i++) {
        double a = gan_tensor_get(got, i * stride), b = gan_tensor_get(&want, i);
        if (!(fabs(a - b) <= tolerance * (1 + fabs(b)))) {
            fail_msg("%s%s/%s: number %lld is %.17g, expected %.17g", c->arch, c->variant, what,
                     (long long)i, a, b);
        }
    }
}

static void run_case(const struct st *f, const struct arch_case *c)
{
    gan_err err = {0};
    struct gan__arch_opts o = {.z = Z,
                               .width = c->width,
                               .slope = 0.2,
                               .pack = c->pack,
                               .outputs = c->outputs,
                               .minibatch = c->minibatch,
                               .cond = c->cond ? GAN__COND_PROJECTION : GAN__COND_NONE};
    assert_int_equal(gan__arch_option(c->arch, &o.arch, &err), GAN_OK);
    o.task = (struct gan_task){.height = c->size,
                               .width = c->size,
                               .channels = c->channels,
                               .classes = CLASSES,
                               .points = o.arch->points};
    assert_int_equal(gan__arch_fit(&o, true, &err), GAN_OK);
    gan_store *store = gan_store_new();
    struct gan_net_list list;
    assert_int_equal(gan_model_declare(&bare, &o, store, GAN_F64, &list, &err), GAN_OK);
    hashed_fill(store, list.net[0]);
    hashed_fill(store, list.net[1]);
    gan_graph *g = gan_graph_new(store, GAN_F64);
    gan_shape zs = GAN_SHAPE(N, Z), xs = GAN_SHAPE(N, c->size, c->size, c->channels);
    gan_val label = gan_feed(g, "label", GAN_I32, GAN_SHAPE(N)), judged[GAN_NET_MAX_OUT];
    gan_val in[] = {gan_feed(g, "z", GAN_F64, zs), label}, images[GAN_NET_MAX_OUT];
    gan_net_apply(g, list.net[0], NULL, GAN_BATCH_STATS, in, images);
    in[0] = gan__arch_pack(g, gan_feed(g, "x", GAN_F64, xs), c->pack);
    gan_net_apply(g, list.net[1], NULL, GAN_BATCH_STATS, in, judged);
    gan_val outs[] = {images[0], judged[0], judged[1]};
    gan_plan *p = gan_plan_new(g, outs, 3, &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    int32_t classes[N] = {2, 0, 1, 2};
    double *z = hashed_numbers("z", (size_t)gan_shape_count(&zs));
    double *x = hashed_numbers("x", (size_t)gan_shape_count(&xs));
    const struct gan_feed_data feeds[] = {{"z", {GAN_F64, zs, z}},
                                          {"x", {GAN_F64, xs, x}},
                                          {"label", {GAN_I32, GAN_SHAPE(N), classes}}};
    struct gan_run run = {.feeds = feeds, .n_feeds = c->cond ? 3 : 2};
    assert_int_equal(gan_plan_run(p, &run, &err), GAN_OK);
    compare(f, c, "images", gan_plan_output(p, 0));
    compare(f, c, "scores", gan_plan_output(p, 1));
    compare(f, c, "features", gan_plan_output(p, 2));
    free(z);
    free(x);
    gan_plan_free(p);
    gan_graph_free(g);
    gan_net_list_free(&list);
    gan_store_free(store);
}

static void architectures(void **state)
{
    (void)state;
    struct st *f = st_open("archs");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_case(f, &cases[i]);
    }
    assert_int_equal(st_count(f), 3 * sizeof cases / sizeof *cases);
    st_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(architectures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
