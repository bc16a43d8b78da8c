/* test_features.c: feature networks against pytorch-fid's Inception, torchvision's VGG, AlexNet and
 * MobileNetV2 and efficientnet-lite-pytorch, on weights that a formula gives both sides
 * (tools/golden_features.py). Tolerance: largest difference by largest value, 2e-5: some hundred f32
 * roundings of 6e-8 in a chain of up to a hundred layers, against f64. */
#include "metrics/feature_vgg.h"
#include "support/temp_dir.h"

#include <gan/checkpoint.h>
#include <gan/metric.h>
#include <gan/plan.h>
#include <gan/weights.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

static const double tolerance = 2e-5;

static gan_checkpoint *file;

static int open_file(void **state)
{
    gan_err err = {0};
    (void)state;
    if (gan_checkpoint_open(GAN_SOURCE_DIR "/tests/golden/data/features.safetensors", &file,
                            &err) != GAN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    return 0;
}

static int close_file(void **state)
{
    (void)state;
    gan_checkpoint_close(file);
    return 0;
}

/* --- the formula ---------------------------------------------------------------------------------- */

static uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h *= 0x846CA68Bu;
    return h ^ h >> 16;
}

static uint32_t fnv(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name != '\0'; name++) {
        h = (h ^ (uint32_t)(unsigned char)*name) * 16777619u;
    }
    return h;
}

static void fill_param(const struct gan_param *p, float *v)
{
    uint32_t start = fnv(p->local);
    bool matrix = p->shape.rank > 1;
    bool head = strncmp(p->local, "lin", 3) == 0; /* LPIPS': not negative */
    bool variance = strstr(p->local, "running_var") != NULL, scale = strstr(p->local, "weight");
    double bound = sqrt(6.0 / (double)(p->count / p->shape.dim[0]));
    for (int64_t i = 0; i < p->count; i++) {
        double u = (double)mix((uint32_t)i + start) / 4294967296.0 * 2 - 1;
        v[i] = (float)(head       ? fabs(u) * bound
                       : matrix   ? u * bound
                       : variance ? 1 + u / 2
                       : scale    ? 1 + u / 10
                                  : u / 10);
    }
}

static void fill_net(const gan_net *net, const gan_store *st)
{
    for (int i = 0; i < gan_net_count(net); i++) {
        const struct gan_param *p = gan_net_param(net, i);
        fill_param(p, gan_store_at(st, gan_store_find(st, p->name))->value.data);
    }
}

static uint8_t *bytes_of(const char *name, int64_t n)
{
    uint8_t *v = malloc((size_t)n);
    assert_non_null(v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = (uint8_t)(mix((uint32_t)i + fnv(name)) >> 24);
    }
    return v;
}

static float *image_of(int64_t side)
{
    int64_t n = 2 * side * side * 3;
    float *v = malloc((size_t)n * sizeof *v);
    assert_non_null(v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = (float)(mix((uint32_t)i + fnv("image")) >> 24);
    }
    return v;
}

/* --- comparison ----------------------------------------------------------------------------------- */

static void find(const char *name, gan_tensor *out)
{
    const char *here;
    for (size_t i = 0; gan_checkpoint_tensor(file, i, &here, out); i++) {
        if (strcmp(here, name) == 0) {
            return;
        }
    }
    fail_msg("no %s in the golden file", name);
}

static void compare(const char *net, const char *part, const float *got, int64_t n)
{
    char name[64];
    gan_tensor want;
    double most = 0, gap = 0;
    (void)snprintf(name, sizeof name, "%s.%s", net, part);
    find(name, &want);
    assert_int_equal(gan_shape_count(&want.shape), n);
    for (int64_t i = 0; i < n; i++) {
        float v;
        memcpy(&v, (const char *)want.data + (size_t)i * sizeof v, sizeof v);
        most = fmax(most, fabs((double)v));
        double d = fabs((double)v - (double)got[i]);
        gap = d > gap || d != d ? d : gap;
    }
    print_message("%-28s %.1e of the largest\n", name, gap / most);
    if (!(gap <= tolerance * most)) {
        fail_msg("%s: differs by %g of the largest, allowed %g", name, gap / most, tolerance);
    }
}

/* Means over H and W of a layer [2,h,w,c]. */
static void compare_layer(const char *net, int layer, const gan_tensor *t)
{
    char part[32];
    const float *v = t->data;
    int64_t area = t->shape.dim[1] * t->shape.dim[2], c = t->shape.dim[3];
    float *mean = malloc((size_t)(2 * c) * sizeof *mean);
    assert_non_null(mean);
    for (int64_t n = 0; n < 2; n++) {
        for (int64_t k = 0; k < c; k++) {
            double sum = 0;
            for (int64_t i = 0; i < area; i++) {
                sum += (double)v[(n * area + i) * c + k];
            }
            mean[n * c + k] = (float)(sum / (double)area);
        }
    }
    (void)snprintf(part, sizeof part, "layer%d", layer);
    compare(net, part, mean, 2 * c);
    free(mean);
}

/* A network at `side`, n_layers inner layers behind features and scores. */
static void check_net(const char *name, gan_net_fn fn, const void *opts, int64_t side, int n_layers)
{
    gan_err err = {0};
    gan_store *st = gan_store_new();
    const struct gan_net_desc desc = {.name = "net",
                                      .fn = fn,
                                      .opts = opts,
                                      .in = {{.shape = GAN_SHAPE(1, side, side, 3)}},
                                      .n_in = 1};
    gan_net *net = gan_net_new(st, &desc, &err);
    if (net == NULL) {
        fail_msg("%s", err.message);
        return;
    }
    fill_net(net, st);
    gan_graph *g = gan_graph_new(st, GAN_F32);
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_val x = gan_feed(g, "image", GAN_F32, GAN_SHAPE(2, side, side, 3));
    gan_net_apply(g, net, NULL, GAN_EVAL, &x, out);
    gan_plan *plan =
        gan_plan_new(g, out, 2 + n_layers, &(struct gan_plan_opts){.threads = 2}, &err);
    float *image = image_of(side);
    const struct gan_feed_data feed = {"image", {GAN_F32, GAN_SHAPE(2, side, side, 3), image}};
    if (plan == NULL ||
        gan_plan_run(plan, &(struct gan_run){.feeds = &feed, .n_feeds = 1}, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    for (int i = 0; i < n_layers; i++) {
        compare_layer(name, i, gan_plan_output(plan, 2 + i));
    }
    for (int i = 0; i < 2; i++) {
        const gan_tensor *t = gan_plan_output(plan, i);
        compare(name, i == 0 ? "features" : "logits", t->data, gan_shape_count(&t->shape));
    }
    free(image);
    gan_plan_free(plan);
    gan_graph_free(g);
    gan_net_free(net);
    gan_store_free(st);
}

static void test_inception(void **state)
{
    (void)state;
    check_net("inception", gan__pretrained_inception.fn, gan__pretrained_inception.opts, 299, 0);
}

static void test_vgg(void **state)
{
    const struct gan__vgg_opts deep16 = {.deep = 3, .units = 64}, deep19 = {.deep = 4, .units = 64};
    (void)state;
    check_net("vgg16", gan__vgg, &deep16, 64, 5);
    check_net("vgg19", gan__vgg, &deep19, 64, 5);
}

static void test_alexnet(void **state)
{
    const struct gan__vgg_opts opts = {.units = 64};
    (void)state;
    check_net("alexnet", gan__alexnet, &opts, 224, 5);
}

static void test_mobile(void **state)
{
    (void)state;
    check_net("mobilenet-v2", gan__pretrained_mobilenet_v2.fn, gan__pretrained_mobilenet_v2.opts,
              224, 0);
    check_net("efficientnet-lite0", gan__pretrained_efficientnet_lite0.fn, NULL, 224, 0);
}

/* --- weights of a file ------------------------------------------------------------------------------ */

static void save_net(const struct gan__pretrained *p, const char *path)
{
    gan_err err = {0};
    gan_store *st = gan_store_new();
    const struct gan_net_desc desc = {.name = "net",
                                      .fn = p->fn,
                                      .opts = p->opts,
                                      .in = {{.shape = GAN_SHAPE(1, p->size, p->size, 3)}},
                                      .n_in = 1};
    gan_net *net = gan_net_new(st, &desc, &err);
    assert_non_null(net);
    fill_net(net, st);
    assert_int_equal(gan_checkpoint_save(st, NULL, 0, path, &err), GAN_OK);
    gan_net_free(net);
    gan_store_free(st);
}

/* Through the interface of metrics: the same numbers, images of another size brought to it, weights
 * of another network refused. */
static void test_file(void **state)
{
    enum { F = 1280, Y = 1000 };
    static float features[2 * F], logits[2 * Y];
    char name[TEMP_PATH_MAX + 32];
    gan_err err = {0};
    gan_features *f = NULL;
    (void)state;
    save_net(&gan__pretrained_mobilenet_v2, in("m.safetensors"));
    (void)snprintf(name, sizeof name, "mobilenet-v2:%s", in("m.safetensors"));
    const struct gan_features_cfg cfg = {.height = 32, .width = 40, .channels = 1, .threads = 2};
    if (gan_features_open(name, &cfg, &f, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    const struct gan_features_info *about = gan_features_about(f);
    assert_int_equal(about->features, F);
    assert_int_equal(about->logits, Y);
    assert_int_equal(strlen(about->hash), 16);
    float *image = image_of(224);
    struct gan_image_set set = {.n = 2, .height = 224, .width = 224, .channels = 3, .f32 = image};
    const struct gan_features_out out = {.features = features, .logits = logits};
    assert_int_equal(gan_features_run(f, &set, &out, &err), GAN_OK);
    compare("mobilenet-v2", "features", features, (int64_t)2 * F);
    compare("mobilenet-v2", "logits", logits, (int64_t)2 * Y);
    uint8_t gray[32 * 40];
    memset(gray, 77, sizeof gray);
    set = (struct gan_image_set){.n = 1, .height = 32, .width = 40, .channels = 1, .u8 = gray};
    assert_int_equal(gan_features_run(f, &set, &out, &err), GAN_OK);
    for (int64_t i = 0; i < (int64_t)224 * 224 * 3; i++) {
        image[i] = 77; /* a constant stays one at any size */
    }
    memcpy(features + F, features, F * sizeof *features);
    set = (struct gan_image_set){.n = 1, .height = 224, .width = 224, .channels = 3, .f32 = image};
    assert_int_equal(gan_features_run(f, &set, &out, &err), GAN_OK);
    assert_memory_equal(features, features + F, F * sizeof *features);
    free(image);
    gan_features_close(f);

    (void)snprintf(name, sizeof name, "efficientnet-lite0:%s", in("m.safetensors"));
    assert_int_equal(gan_features_open(name, &cfg, &f, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "not the weights of efficientnet-lite0"));
    assert_null(strchr(err.message, '\n'));
}

/* From bytes to the distance, against PyPI's lpips in f64: relative 2e-5 as above. */
static void check_lpips(const struct gan__pretrained *p)
{
    enum { H = 48, W = 64, SIZE = H * W * 3 };
    char name[TEMP_PATH_MAX + 32], part[32];
    gan_err err = {0};
    gan_features *f = NULL;
    gan_tensor want;
    uint8_t *real = bytes_of("image", (int64_t)2 * SIZE),
            *fake = bytes_of("fake", (int64_t)2 * SIZE);
    save_net(p, in("l.safetensors"));
    (void)snprintf(name, sizeof name, "%s:%s", p->name, in("l.safetensors"));
    const struct gan_features_cfg cfg = {.height = H, .width = W, .channels = 3, .threads = 2};
    if (gan_features_open(name, &cfg, &f, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    (void)snprintf(part, sizeof part, "%s.pairs", p->name);
    find(part, &want);
    for (int i = 0; i < 2; i++) {
        struct gan_metric_result r;
        struct gan_metric_input given = {
            .real = {.n = 1, .height = H, .width = W, .channels = 3, .images = real + i * SIZE},
            .fake = {.n = 1, .height = H, .width = W, .channels = 3, .images = fake + i * SIZE},
            .network = f,
            .bootstrap = -1};
        if (gan_metric_run(gan_metric_find("lpips", NULL), &given, &r, &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
        double should = gan_tensor_get(&want, i), gap = fabs(r.value[0].value / should - 1);
        print_message("%s, pair %d: %.8f, relative %.1e\n", p->name, i, r.value[0].value, gap);
        assert_true(gap <= tolerance);
    }
    free(real);
    free(fake);
    gan_features_close(f);
}

static void test_lpips(void **state)
{
    (void)state;
    check_lpips(&gan__pretrained_lpips_alex);
    check_lpips(&gan__pretrained_lpips_vgg);
}

/* Installed, found, checked; of another network, refused and not installed. */
static void test_install(void **state)
{
    char path[TEMP_PATH_MAX], hash[GAN_WEIGHTS_HASH];
    struct gan_weights w;
    gan_err err = {0};
    gan_features *f = NULL;
    const struct gan_features_cfg cfg = {.batch = 1};
    (void)state;
    assert_int_equal(setenv("GAN_CACHE", in("cache"), 1), 0);
    assert_int_equal(gan_features_open("mobilenet-v2", &cfg, &f, &err), GAN_E_NOTFOUND);
    assert_non_null(strstr(err.message, "gan features install"));
    (void)snprintf(path, sizeof path, "%s", in("m.safetensors"));
    save_net(&gan__pretrained_mobilenet_v2, path);
    err = (gan_err){0};
    assert_int_equal(gan_weights_install(path, "efficientnet-lite0", &w, &err), GAN_E_FORMAT);
    assert_int_equal(gan_weights_install(path, "mobilnet-v2", &w, NULL), GAN_E_ARG);
    if (gan_weights_install(path, NULL, &w, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(w.name, "mobilenet-v2");
    assert_int_equal(gan_weights_check(&w, hash, NULL), GAN_OK);
    assert_string_equal(hash, w.hash);
    int installed = 0;
    for (int i = 0; gan_weights_at(i, &w); i++) {
        installed += w.installed;
    }
    assert_int_equal(installed, 1);
    assert_int_equal(gan_features_open("mobilenet-v2", &cfg, &f, NULL), GAN_OK);
    assert_string_equal(gan_features_about(f)->hash, hash);
    gan_features_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inception),
        cmocka_unit_test(test_vgg),
        cmocka_unit_test(test_alexnet),
        cmocka_unit_test(test_mobile),
        cmocka_unit_test_setup_teardown(test_file, make, drop),
        cmocka_unit_test_setup_teardown(test_lpips, make, drop),
        cmocka_unit_test_setup_teardown(test_install, make, drop),
    };
    return cmocka_run_group_tests_name("features", tests, open_file, close_file);
}
