/* test_latent.c: paths between latents at their limits, closed walks, expressions and where they are
 * wrong, animated PNG read back by an independent reader of the first frame. */
#include "base/alloc.h"
#include "plot/apng.h"
#include "support/temp_fixture.h"

#include <gan/latent.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { Z = 5 };

static double length(const float *v)
{
    double sum = 0;
    for (int i = 0; i < Z; i++) {
        sum += (double)v[i] * (double)v[i];
    }
    return sqrt(sum);
}

/* f32 results of f64 sums: 1e-6 relative. */
static void assert_near(const float *have, const float *want, double factor)
{
    for (int i = 0; i < Z; i++) {
        assert_true(fabs((double)have[i] - factor * (double)want[i]) < 1e-6 * (1 + length(want)));
    }
}

static void between_limits(void **state)
{
    static const float a[Z] = {1, 2, 0, -1, 3}, b[Z] = {0, -1, 4, 1, 1}, zero[Z];
    static const float e0[Z] = {2, 0, 0, 0, 0}, e1[Z] = {0, 2, 0, 0, 0};
    float v[Z], w[Z];
    (void)state;
    for (int how = 0; how < 2; how++) {
        gan_latent_between((gan_between)how, a, b, Z, 0, v);
        assert_near(v, a, 1);
        gan_latent_between((gan_between)how, a, b, Z, 1, v);
        assert_near(v, b, 1);
        gan_latent_between((gan_between)how, a, a, Z, 0.3, v); /* the angle is 0 */
        assert_near(v, a, 1);
        gan_latent_between((gan_between)how, zero, b, Z, 0.25, v); /* no angle */
        assert_near(v, b, 0.25);
    }
    gan_latent_between(GAN_BETWEEN_SLERP, e0, e1, Z, 0.5, v); /* a quarter circle halved */
    assert_true(fabs((double)v[0] - sqrt(2.0)) < 1e-6 && fabs((double)v[1] - sqrt(2.0)) < 1e-6);
    assert_true(fabs(length(v) - 2) < 1e-6);
    gan_latent_between(GAN_BETWEEN_LINEAR, e0, e1, Z, 0.5, v);
    assert_true(fabs(length(v) - sqrt(2.0)) < 1e-6);
    for (int i = 0; i < Z; i++) {
        w[i] = -a[i]; /* opposite: linear, through 0 */
    }
    gan_latent_between(GAN_BETWEEN_SLERP, a, w, Z, 0.5, v);
    assert_near(v, zero, 1);
}

static void walk_closes(void **state)
{
    static const float keys[3 * Z] = {1, 2, 0, -1, 3, 0, -1, 4, 1, 1, 2, 2, -2, 0, 1};
    float v[Z], w[Z];
    (void)state;
    for (int k = 0; k <= 3; k++) {
        gan_latent_walk(keys, 3, Z, k / 3.0, true, v);
        assert_near(v, keys + k % 3 * Z, 1);
    }
    /* Neighbouring frames are near each other, also across the end. */
    for (int k = 0; k < 300; k++) {
        gan_latent_walk(keys, 3, Z, k / 300.0, true, v);
        gan_latent_walk(keys, 3, Z, (k + 1) / 300.0, true, w);
        for (int i = 0; i < Z; i++) {
            assert_true(fabs((double)(v[i] - w[i])) < 0.2);
        }
    }
    for (int k = 0; k < 100; k++) { /* uniform latents stay in their cube */
        gan_latent_walk(keys, 3, Z, k / 100.0, false, v);
        for (int i = 0; i < Z; i++) {
            assert_true(fabs((double)v[i]) <= 1.7320509);
        }
    }
}

static void neighbours_near(void **state)
{
    static const float a[Z] = {1, 2, 0, -1, 3};
    float v[8 * Z], w[3 * Z];
    double most = 0;
    (void)state;
    gan_latent_neighbours(a, Z, 0.25, 7, 8, v);
    gan_latent_neighbours(a, Z, 0.25, 7, 3, w);
    assert_memory_equal(v, w, sizeof w); /* neighbour i does not depend on how many there are */
    for (int i = 0; i < 8 * Z; i++) {
        most = fmax(most, fabs((double)(v[i] - a[i % Z])));
    }
    assert_true(most <= 0.25 + 1e-6 && most > 0.15);
    gan_latent_neighbours(a, Z, 0, 7, 1, v);
    assert_near(v, a, 1);
}

/* --- expressions ---------------------------------------------------------------------------------- */

static void sums(void **state)
{
    struct gan_latent_sum s;
    gan_err err = {0};
    (void)state;
    assert_int_equal(gan_latent_parse("mean(A) - mean(B) + mean(C)", &s, &err), GAN_OK);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.set[1].name, "B");
    assert_true(s.set[0].factor == 1 && s.set[1].factor == -1 && s.set[2].factor == 1);
    assert_int_equal(gan_latent_parse(" 2*(man/4 - -1.5e0*woman) - man ", &s, &err), GAN_OK);
    assert_int_equal(s.n, 2);
    assert_string_equal(s.set[0].name, "man");
    assert_true(s.set[0].factor == -0.5 && s.set[1].factor == 3);
    assert_int_equal(gan_latent_parse("-(A-(B+C)*2)", &s, &err), GAN_OK);
    assert_true(s.set[0].factor == -1 && s.set[1].factor == 2 && s.set[2].factor == 2);
    assert_int_equal(gan_latent_parse("mean", &s, &err), GAN_E_ARG);
}

static void refuses(const char *text, const char *what)
{
    struct gan_latent_sum s;
    gan_err err = {0};
    assert_int_equal(gan_latent_parse(text, &s, &err), GAN_E_ARG);
    if (strstr(err.message, what) == NULL) {
        fail_msg("'%s': message '%s' lacks '%s'", text, err.message, what);
    }
    assert_int_equal(s.n, 0);
}

static void wrong_sums(void **state)
{
    char deep[4096];
    (void)state;
    refuses("", "a set is expected at its end");
    refuses("A + ", "a set is expected at its end");
    refuses("A ? B", "+, -, * or / is expected at character 3");
    refuses("mean(A", "')' is missing at its end");
    refuses("mean A", "'(' is missing behind mean at character 6");
    refuses("A*B", "two sets are multiplied at character 2");
    refuses("2/A", "a division by a set at character 2");
    refuses("A/(1-1)", "a division by 0 at character 2");
    refuses("A + 1", "a set and a number are added at character 3");
    refuses("1.2.3*A", "no number at character 1");
    refuses("3 + 4", "no set in it");
    refuses("abcdefghijklmnopq", "a name longer than 15 at character 1");
    refuses("1e308*1e308*A", "not finite");
    refuses("a+b+c+d+e+f+g+h+i+j+k+l+m", "more than 12 sets at character 25");
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    refuses(deep, "nested too deeply at character 33");
    memset(deep, '-', sizeof deep - 1);
    refuses(deep, "nested too deeply");
}

/* --- animations ----------------------------------------------------------------------------------- */

static uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Chunks in order, as "IHDR acTL tEXt fcTL IDAT ...". */
static void list_chunks(const unsigned char *p, size_t n, char *dst, size_t cap)
{
    size_t at = 8, len = 0;
    dst[0] = '\0';
    while (at + 12 <= n && len + 6 < cap) {
        memcpy(dst + len, p + at + 4, 4);
        len += 4;
        dst[len++] = ' ';
        dst[len] = '\0';
        at += 12 + u32_at(p + at);
    }
    assert_int_equal(at, n);
}

static void animation(void **state)
{
    enum { H = 3, W = 4 };
    char path[TEMP_PATH_MAX], chunks[256], *bytes;
    uint8_t frame[3][H * W * 3];
    struct gan__apng a;
    struct gan__image back;
    gan_err err = {0};
    size_t n;
    (void)state;
    const struct gan__image size = {.height = H, .width = W, .channels = 3};
    for (int i = 0; i < 3 * H * W * 3; i++) {
        frame[i / (H * W * 3)][i % (H * W * 3)] = (uint8_t)(i * 37);
    }
    (void)temp_path(&tmp, "a.png", path);
    assert_int_equal(gan__apng_open(&a, path, &size, 3, 40, &err), GAN_OK);
    assert_int_equal(gan__apng_text(&a, &(struct gan__png_text){"model", "x"}, &err), GAN_OK);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(gan__apng_put(&a, frame[k], &err), GAN_OK);
    }
    assert_int_equal(gan__apng_commit(&a, &err), GAN_OK);
    gan__apng_release(&a);
    /* libspng, which checks CRCs and deflate data, sees the first frame. */
    assert_int_equal(gan__png_read(path, &back, &err), GAN_OK);
    assert_true(back.height == H && back.width == W && back.channels == 4);
    for (int i = 0; i < H * W * 3; i++) {
        assert_int_equal(back.data[i / 3 * 4 + i % 3], frame[0][i]);
    }
    gan__free(back.data);
    assert_int_equal(gan__file_read(path, 1 << 20, &bytes, &n, &err), GAN_OK);
    const unsigned char *p = (const unsigned char *)bytes;
    list_chunks(p, n, chunks, sizeof chunks);
    assert_string_equal(chunks, "IHDR acTL tEXt fcTL IDAT fcTL fdAT fcTL fdAT IEND ");
    assert_int_equal(u32_at(p + 8 + 25 + 8), 3); /* frames of acTL */
    gan__free(bytes);
    /* Frames that are missing: no file. */
    (void)temp_path(&tmp, "b.png", path);
    assert_int_equal(gan__apng_open(&a, path, &size, 2, 40, &err), GAN_OK);
    assert_int_equal(gan__apng_put(&a, frame[0], &err), GAN_OK);
    assert_int_equal(gan__apng_commit(&a, &err), GAN_E_INTERNAL);
    gan__apng_release(&a);
    assert_false(gan__path_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_limits),  cmocka_unit_test(walk_closes),
        cmocka_unit_test(neighbours_near), cmocka_unit_test(sums),
        cmocka_unit_test(wrong_sums),      cmocka_unit_test_setup_teardown(animation, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
