/* test_translate.c: receptive fields of networks whose field is published or known in closed form,
 * and tiles against the whole through the library. */
#include "base/alloc.h"
#include "base/str.h"
#include "models/net_image.h"
#include "run/receptive.h"
#include "run/translator.h"
#include "support/idx_file.h"
#include "support/settings.h"

#include <gan/train.h>
#include <gan/translate.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct temp_dir tmp;

/* --- receptive fields ---------------------------------------------------------------------------- */

static int64_t layers;

static void patchgan(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan__image_net o = {.width = 4, .norm = GAN__NORM_BATCH, .running = true};
    (void)opts;
    out[0] = gan__patchgan(nn, in[0], &o, layers);
}

static void unet(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan__image_net *o = opts;
    out[0] = gan__unet(nn, in[0], o, 6, 1);
}

static struct gan__receptive field_of(gan_net_fn fn, const void *opts, int64_t side)
{
    gan_err err = {0};
    struct gan__receptive r;
    const struct gan_net_desc desc = {.name = "net",
                                      .fn = fn,
                                      .in = {{.shape = GAN_SHAPE(1, side, side, 1)}},
                                      .n_in = 1,
                                      .opts = opts};
    gan_store *st = gan_store_new();
    gan_net *net = gan_net_new(st, &desc, &err);
    assert_non_null(net);
    gan_graph *g = gan_graph_new(st, GAN_F32);
    gan_val x = gan_feed(g, "x", GAN_F32, GAN_SHAPE(1, side, side, 1)), y = GAN_NONE;
    gan_net_apply(g, net, NULL, GAN_EVAL, &x, &y);
    assert_int_equal(gan__receptive_field(g, x, y, &r, &err), GAN_OK);
    gan_graph_free(g);
    gan_net_free(net);
    gan_store_free(st);
    return r;
}

/* Isola et al. 2017, appendix: patches of 16, 34, 70, 142, 286 pixels. */
static void patches_as_published(void **state)
{
    static const double want[] = {16, 34, 70, 142, 286};
    (void)state;
    for (layers = 1; layers <= 5; layers++) {
        struct gan__receptive r = field_of(patchgan, NULL, 320);
        assert_true(fabs(r.before + r.after + 1 - want[layers - 1]) < 1e-9);
        assert_true(fabs(r.jump - (double)((int64_t)1 << layers)) < 1e-9);
        assert_false(r.whole || r.noise || r.opaque);
    }
}

/* Halving d of a U-Net (k 4, s 2, p 1) looks 2^d pixels further to the left and 2 * 2^d to the
 * right; doubling d reads one element of 2^d pixels on the left and one half on the right, rounded
 * outwards: a bound, held here to be no less than the exact field and at most twice as wide. */
static void unet_field(void **state)
{
    struct gan__image_net o = {.width = 4, .norm = GAN__NORM_BATCH, .running = true};
    (void)state;
    struct gan__receptive r = field_of(unet, &o, 64);
    double down = 3 * (64 - 1); /* sum over d of 3 * 2^d */
    assert_true(fabs(r.jump - 1) < 1e-9);
    assert_true(r.before + r.after + 1 >= down);
    assert_true(r.before + r.after + 1 <= 2 * down + 1);
    assert_false(r.whole || r.noise || r.opaque);
    o.running = false;
    o.dropout = 0.5;
    r = field_of(unet, &o, 64);
    assert_true(r.whole && r.noise && !r.opaque);
    o.norm = GAN__NORM_INSTANCE;
    assert_true(field_of(unet, &o, 64).whole);
}

/* --- tiles ---------------------------------------------------------------------------------------- */

static void tiles_cover(void **state)
{
    (void)state;
    assert_int_equal(gan__tile_at(0, 16, 64, 160), 0);
    assert_int_equal(gan__tile_at(32, 16, 64, 160), 16);
    assert_int_equal(gan__tile_at(128, 16, 64, 160), 96);
    assert_int_equal(gan__tile_at(0, 16, 64, 32), 0);
}

static void train(const char *model, const char *data, const char *out, const char *more)
{
    struct settings s;
    gan_err err = {0};
    struct gan_train_result result;
    settings_read(&s, "batch=2 width=4 disc-width=4 layers=1 steps=3 threads=1", more);
    const struct gan_train_cfg cfg = {
        .model = model, .data = data, .out = out, .set = s.set, .n_set = s.n};
    if (gan_train(&cfg, NULL, &result, &err) != GAN_OK) {
        fail_msg("training: %s", err.message);
    }
}

static gan_translator *open_run(const char *run, int64_t tile)
{
    gan_err err = {0};
    gan_translator *t = NULL;
    const struct gan_translator_opts o = {.tile = tile, .threads = 1};
    if (gan_translator_open(run, &o, &t, &err) != GAN_OK) {
        fail_msg("opening: %s", err.message);
    }
    return t;
}

/* Largest difference between an image whole and in tiles of 16, and, with the tiles too small a
 * halo, that the test sees seams where there are any. */
static double seam(const char *run, int64_t h, int64_t w)
{
    gan_err err = {0};
    size_t n = (size_t)(h * w);
    float *x = gan__alloc_array(n, sizeof *x), *whole = gan__alloc_array(n, sizeof *whole);
    float *tiled = gan__alloc_array(n, sizeof *tiled);
    assert_true(x != NULL && whole != NULL && tiled != NULL);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)sin((double)i * 0.37) * 0.9f;
    }
    const struct gan_translate_images what = {.n = 1, .height = h, .width = w};
    gan_translator *t = open_run(run, -1);
    assert_int_equal(gan_translator_floats(t, &what, x, whole, &err), GAN_OK);
    gan_translator_close(t);
    t = open_run(run, 16);
    struct gan__tiling tiling;
    assert_int_equal(gan__translate_tiling(t, h, w, &tiling, &err), GAN_OK);
    assert_true(tiling.tiled);
    assert_int_equal(gan_translator_floats(t, &what, x, tiled, &err), GAN_OK);
    gan_translator_close(t);
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)(whole[i] - tiled[i])));
    }
    gan__free(x);
    gan__free(whole);
    gan__free(tiled);
    return most;
}

/* Other sizes may take other kernels, Winograd's too, which round differently: 2e-5 in [-1,1]. A
 * halo that is too small shows as 1e-2 and more, as statistics of the whole image do. */
static void tiled_is_whole(void **state)
{
    char a[TEMP_PATH_MAX], data[TEMP_PATH_MAX * 2 + 32], run[TEMP_PATH_MAX];
    (void)state;
    (void)temp_path(&tmp, "a", a);
    assert_true(gan__format(data, sizeof data, "pairs-idx:%s,%s", a, a));
    train("pix2pix", data, temp_path(&tmp, "unet", run), "statistics=running depth=3");
    assert_true(seam(run, 90, 117) < 2e-5);
    train("pix2pix", data, temp_path(&tmp, "resnet", run),
          "statistics=running gen=resnet-6 dropout=0");
    assert_true(seam(run, 141, 202) < 2e-5);
    train("pix2pix", data, temp_path(&tmp, "image", run), "depth=3");
    assert_true(seam(run, 90, 117) > 1e-3);
}

/* --- fixture -------------------------------------------------------------------------------------- */

static int make(void **state)
{
    enum { COUNT = 4, PIXELS = 32 * 32 };
    static const uint32_t dim[3] = {COUNT, 32, 32};
    static unsigned char px[COUNT * PIXELS];
    char path[TEMP_PATH_MAX];
    (void)state;
    temp_dir_make(&tmp);
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "cache", path), 1), 0);
    for (size_t i = 0; i < sizeof px; i++) {
        px[i] = (unsigned char)((i * 7 + i / 90 * 13) % 256);
    }
    idx_write(&tmp, "a", 3, dim, px, sizeof px, false);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    temp_dir_remove(&tmp);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_as_published),
        cmocka_unit_test(unet_field),
        cmocka_unit_test(tiles_cover),
        cmocka_unit_test(tiled_is_whole),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
