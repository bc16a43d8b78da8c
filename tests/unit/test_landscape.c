/* test_landscape.c: pictures of runs in the plane: D's surface and the generator's push against a
 * perceptron worked out here from the checkpoint; training is the same with pictures and without;
 * the film, and what spoils it. */
#include "base/alloc.h"
#include "base/file.h"
#include "plot/png.h"
#include "run/landscape.h"

#include <gan/checkpoint.h>
#include <gan/sample.h>
#include <gan/train.h>

#include "gan_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

#if GAN_HAVE_CAIRO && GAN_HAVE_SPNG

static void train(const char *name, const char *steps, const char *sample_every, const char *data)
{
    char dir[TEMP_PATH_MAX];
    gan_err err = {0};
    const struct gan_setting set[] = {{"batch", "16"},   {"width", "8"},
                                      {"threads", "1"},  {"loss", "wasserstein"},
                                      {"reg", "clip:1"}, {"arch", "toy"},
                                      {"z", "2"},        {"steps", steps},
                                      {"seed", "3"},     {"sample-every", sample_every}};
    memcpy(dir, in(name), sizeof dir);
    struct gan_train_cfg cfg = {
        .model = "plain", .data = data, .out = dir, .set = set, .n_set = 10};
    if (gan_train(&cfg, NULL, NULL, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

/* --- D, worked out here ------------------------------------------------------------------------- */

struct disc {
    int n;
    struct {
        const float *w, *b;
        int64_t in, out;
    } layer[8];
};

/* Layers in the order of their names: bias, then weight. */
static void read_disc(gan_checkpoint *c, struct disc *d)
{
    const float *bias = NULL;
    const char *name;
    gan_tensor t;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        bool mine = strncmp(name, "disc.", 5) == 0 && strstr(name, ".adam") == NULL;
        if (mine && strstr(name, ".bias") != NULL && t.shape.rank == 1) {
            bias = t.data;
        } else if (mine && strstr(name, ".weight") != NULL && t.shape.rank == 2) {
            d->layer[d->n].w = t.data;
            d->layer[d->n].b = bias;
            d->layer[d->n].out = t.shape.dim[0];
            d->layer[d->n++].in = t.shape.dim[1];
        }
    }
    assert_in_range(d->n, 3, 5);
    assert_int_equal(d->layer[0].in, 2);
    assert_int_equal(d->layer[d->n - 1].out, 1);
}

static double judge(const struct disc *d, double x, double y)
{
    double v[2][64] = {{x, y}};
    for (int k = 0; k < d->n; k++) {
        const double *src = v[k % 2];
        for (int64_t o = 0; o < d->layer[k].out; o++) {
            double sum = (double)d->layer[k].b[o];
            for (int64_t i = 0; i < d->layer[k].in; i++) {
                sum += (double)d->layer[k].w[o * d->layer[k].in + i] * src[i];
            }
            v[(k + 1) % 2][o] = k + 1 < d->n ? fmax(sum, 0) : sum;
        }
    }
    return v[d->n % 2][0];
}

static float *read_array(const char *name, int64_t count)
{
    gan_err err = {0};
    gan_shape shape;
    float *data = NULL;
    if (gan_npy_read(in(name), &shape, &data, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(gan_shape_count(&shape), count);
    return data;
}

static void surface_and_push(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    struct disc d = {0};
    train("run", "5", "5", "toy:8gaussians");
    assert_int_equal(gan_checkpoint_open(in("run/checkpoints/step-00000005.safetensors"), &c, &err),
                     GAN_OK);
    read_disc(c, &d);
    float *z = read_array("run/samples/step-00000005.surface.npy", 128 * 128);
    for (int j = 0; j < 128; j += 7) { /* f32 sums of 8 products: 1e-5 of values near 1 */
        for (int i = 0; i < 128; i += 7) {
            double want = judge(&d, -3 + 6 * i / 127.0, -3 + 6 * j / 127.0);
            assert_true(fabs((double)z[j * 128 + i] - want) < 1e-5 * fmax(1, fabs(want)));
        }
    }
    /* the loss is minus the mean of D: the push is D's slope. f64 differences; ReLU's kinks spoil a
     * few, the rest agree to f32's 1e-4 */
    float *fake = read_array("run/samples/step-00000005.npy", 512 * 2);
    float *push = read_array("run/samples/step-00000005.push.npy", 512 * 2);
    int bad = 0;
    for (int k = 0; k < 512; k++) {
        double x = (double)fake[2 * k], y = (double)fake[2 * k + 1], h = 1e-6;
        double dx = (judge(&d, x + h, y) - judge(&d, x - h, y)) / (2 * h);
        double dy = (judge(&d, x, y + h) - judge(&d, x, y - h)) / (2 * h);
        bad += fabs(dx - (double)push[2 * k]) > 1e-4 || fabs(dy - (double)push[2 * k + 1]) > 1e-4;
    }
    assert_true(bad <= 2);
    gan_array_free(z);
    gan_array_free(fake);
    gan_array_free(push);
    gan_checkpoint_close(c);
}

static void pictures_change_nothing(void **state)
{
    (void)state;
    char digest[2][40];
    for (int k = 0; k < 2; k++) {
        gan_err err = {0};
        gan_checkpoint *c = NULL;
        train(k == 0 ? "often" : "never", "4", k == 0 ? "1" : "1000", "toy:ring8");
        const char *path = in(k == 0 ? "often/checkpoints/step-00000004.safetensors"
                                     : "never/checkpoints/step-00000004.safetensors");
        assert_int_equal(gan_checkpoint_open(path, &c, &err), GAN_OK);
        const char *text = gan_checkpoint_meta(c, "libgan.digest");
        assert_non_null(text);
        assert_true(strlen(text) < sizeof digest[0]);
        memcpy(digest[k], text, strlen(text) + 1);
        gan_checkpoint_close(c);
    }
    assert_string_equal(digest[0], digest[1]);
}

static void film(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan__image m = {0};
    train("run", "5", "1", "toy:grid25");
    assert_int_equal(gan__png_read(in("run/samples/film.png"), &m, &err), GAN_OK);
    assert_int_equal(m.width, 4 * 272); /* six steps: two rows of four, and a title */
    assert_true(m.height > 2 * 290 && m.height < 3 * 290);
    gan__free(m.data);
    float *z = read_array("run/samples/real.npy", 512 * 2);
    assert_true(gan__landscape_extent(z, 512) > 4 && gan__landscape_extent(z, 512) < 7);
    gan_array_free(z);
    char dir[TEMP_PATH_MAX], path[TEMP_PATH_MAX];
    memcpy(dir, in("run"), sizeof dir);
    memcpy(path, in("f.png"), sizeof path);
    assert_int_equal(gan__film_write(dir, 1, path, &err), GAN_OK);
    assert_int_equal(gan__png_read(path, &m, &err), GAN_OK);
    assert_int_equal(m.width, 2 * 272); /* steps 0 and 1 */
    gan__free(m.data);
    temp_write(&tmp, "run/samples/step-00000003.npy", "no array", 8);
    assert_int_equal(gan__film_write(dir, -1, path, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "step-00000003.npy"));
    err = (gan_err){0};
    assert_int_equal(gan__film_write("/nonexistent", -1, path, &err), GAN_E_NOTFOUND);
}

#endif

static void extents(void **state)
{
    (void)state;
    const float near[4] = {1, -2.9f, 0, (float)NAN}, far[4] = {0, -4.2f, 1, 1};
    assert_true(gan__landscape_extent(near, 2) == 3);
    assert_true(gan__landscape_extent(far, 2) == 5);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(extents),
#if GAN_HAVE_CAIRO && GAN_HAVE_SPNG
        CASE(surface_and_push),
        CASE(pictures_change_nothing),
        CASE(film),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
