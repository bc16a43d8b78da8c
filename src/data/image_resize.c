/* image_resize.c: resampling as Pillow does it, so that figures measured behind it can be compared:
 * a filter of support s at scale a = in/out reaches s max(a,1) pixels each side of the centre
 * (i + 1/2) a, its weights are normalised, rows come first, each pass rounds to bytes.
 *
 * And the bilinear resize of TensorFlow 1 that the original FID code used: no antialiasing, pixel i at
 * i in/out. Parmar et al. 2022, arXiv:2104.11222, show how far FID moves with this choice. */
#include <gan/image.h>

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    PLACES = 22,
    MAX_CHANNELS = 4
}; /* binary places of a weight: 32 - 8 bits, 2 for overshoot */

/* --- filters ------------------------------------------------------------------------------------ */

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double triangle(double x)
{
    return fabs(x) < 1 ? 1 - fabs(x) : 0;
}

/* Keys 1981, "Cubic convolution interpolation", a = -1/2. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double sinc(double x)
{
    return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
}

static double lanczos3(double x)
{
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

struct filter {
    double (*weight)(double x);
    double support;
};

static gan_status filter_of(gan_filter name, struct filter *out, gan_err *err)
{
    switch (name) {
    case GAN_FILTER_BOX:
        *out = (struct filter){box, 0.5};
        return GAN_OK;
    case GAN_FILTER_BILINEAR:
        *out = (struct filter){triangle, 1};
        return GAN_OK;
    case GAN_FILTER_BICUBIC:
        *out = (struct filter){cubic, 2};
        return GAN_OK;
    case GAN_FILTER_LANCZOS:
        *out = (struct filter){lanczos3, 3};
        return GAN_OK;
    case GAN_FILTER_NONE:
    case GAN_FILTER_TF1:
    default:
        return gan__fail(err, GAN_E_ARG, "filter '%s' cannot resize bytes", gan_filter_name(name));
    }
}

/* --- weights of one axis ------------------------------------------------------------------------ */

/* Output i = sum_k weight[i*most+k] * in[start[i]+k], k < count[i]. */
struct taps {
    int64_t n, most;
    int64_t *start, *count;
    double *weight;
    int32_t *fixed; /* weights of PLACES binary places */
};

static void taps_release(struct taps *t)
{
    gan__free(t->start);
    gan__free(t->count);
    gan__free(t->weight);
    gan__free(t->fixed);
}

static void fill_tap(struct taps *t, const struct filter *f, int64_t i, int64_t in)
{
    double scale = (double)in / (double)t->n, widen = scale > 1 ? scale : 1, sum = 0;
    double centre = ((double)i + 0.5) * scale, reach = f->support * widen;
    int64_t low = (int64_t)(centre - reach + 0.5), high = (int64_t)(centre + reach + 0.5);
    double *w = t->weight + i * t->most;
    low = low < 0 ? 0 : low;
    high = high > in ? in : high;
    for (int64_t k = low; k < high; k++) {
        w[k - low] = f->weight(((double)k - centre + 0.5) / widen);
        sum += w[k - low];
    }
    for (int64_t k = 0; k < high - low; k++) {
        w[k] = sum != 0 ? w[k] / sum : w[k];
        double scaled = w[k] * (double)(1 << PLACES);
        t->fixed[i * t->most + k] = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    t->start[i] = low;
    t->count[i] = high - low;
}

static gan_status taps_init(struct taps *t, const struct filter *f, int64_t in, int64_t out,
                            gan_err *err)
{
    double scale = (double)in / (double)out, widen = scale > 1 ? scale : 1;
    size_t weights;
    *t = (struct taps){.n = out, .most = 2 * (int64_t)ceil(f->support * widen) + 1};
    bool fits = gan__mul((size_t)out, (size_t)t->most, &weights);
    t->start = gan__alloc_array((size_t)out, sizeof *t->start);
    t->count = gan__alloc_array((size_t)out, sizeof *t->count);
    t->weight = fits ? gan__alloc_array(weights, sizeof *t->weight) : NULL;
    t->fixed = fits ? gan__alloc_array(weights, sizeof *t->fixed) : NULL;
    if (t->start == NULL || t->count == NULL || t->weight == NULL || t->fixed == NULL) {
        return gan__fail_nomem(err, fits ? weights * sizeof *t->weight : 0, "resizing");
    }
    for (int64_t i = 0; i < out; i++) {
        fill_tap(t, f, i, in);
    }
    return GAN_OK;
}

/* --- passes ------------------------------------------------------------------------------------- */

/* Along an axis of `in` elements `step` apart: [outer, in, step] -> [outer, t->n, step]. */
static void pass_bytes(const struct taps *t, const uint8_t *src, int64_t outer, int64_t in,
                       int64_t step, uint8_t *dst)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < t->n; i++) {
            const int32_t *w = t->fixed + i * t->most;
            const uint8_t *from = src + (o * in + t->start[i]) * step;
            for (int64_t k = 0; k < step; k++) {
                int64_t sum = (int64_t)1 << (PLACES - 1);
                for (int64_t j = 0; j < t->count[i]; j++) {
                    sum += (int64_t)w[j] * from[j * step + k];
                }
                int64_t level = sum >> PLACES;
                dst[(o * t->n + i) * step + k] = (uint8_t)(level < 0     ? 0
                                                           : level > 255 ? 255
                                                                         : level);
            }
        }
    }
}

static void pass_floats(const struct taps *t, const float *src, int64_t outer, int64_t in,
                        int64_t step, float *dst)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < t->n; i++) {
            const double *w = t->weight + i * t->most;
            const float *from = src + (o * in + t->start[i]) * step;
            for (int64_t k = 0; k < step; k++) {
                double sum = 0;
                for (int64_t j = 0; j < t->count[i]; j++) {
                    sum += w[j] * (double)from[j * step + k];
                }
                dst[(o * t->n + i) * step + k] = (float)sum;
            }
        }
    }
}

static gan_status check(int64_t h, int64_t w, int64_t c, int64_t to_h, int64_t to_w,
                        gan_filter filter, gan_err *err)
{
    if (h < 1 || w < 1 || to_h < 1 || to_w < 1 || c < 1 || c > MAX_CHANNELS) {
        return gan__fail(err, GAN_E_RANGE,
                         "cannot resize %" PRId64 "x%" PRId64 "x%" PRId64 " to %" PRId64 "x%" PRId64
                         ": sizes are at least 1, channels at most %d",
                         h, w, c, to_h, to_w, (int)MAX_CHANNELS);
    }
    if (filter == GAN_FILTER_NONE && (h != to_h || w != to_w)) {
        return gan__fail(err, GAN_E_ARG,
                         "images of %" PRId64 "x%" PRId64 " where %" PRId64 "x%" PRId64
                         " is wanted, and no filter",
                         h, w, to_h, to_w);
    }
    return GAN_OK;
}

/* Weights of both axes; released by the caller also after a failure. */
static gan_status both_taps(struct taps t[2], gan_filter filter, int64_t h, int64_t w, int64_t to_h,
                            int64_t to_w, gan_err *err)
{
    struct filter f;
    GAN_TRY(filter_of(filter, &f, err));
    GAN_TRY(taps_init(&t[0], &f, w, to_w, err));
    return taps_init(&t[1], &f, h, to_h, err);
}

gan_status gan_image_resize(const uint8_t *src, int64_t height, int64_t width, int64_t channels,
                            int64_t to_height, int64_t to_width, gan_filter filter, uint8_t *dst,
                            gan_err *err)
{
    struct taps t[2] = {{.n = 0}, {.n = 0}};
    GAN_TRY(check(height, width, channels, to_height, to_width, filter, err));
    size_t bytes = (size_t)(height * to_width * channels);
    if (height == to_height && width == to_width) {
        memcpy(dst, src, bytes);
        return GAN_OK;
    }
    uint8_t *rows = gan__alloc(bytes);
    gan_status status = rows != NULL ? both_taps(t, filter, height, width, to_height, to_width, err)
                                     : gan__fail_nomem(err, bytes, "resizing");
    if (status == GAN_OK) {
        pass_bytes(&t[0], src, height, width, channels, rows);
        pass_bytes(&t[1], rows, 1, height, to_width * channels, dst);
    }
    taps_release(&t[0]);
    taps_release(&t[1]);
    gan__free(rows);
    return status;
}

/* --- TensorFlow 1 -------------------------------------------------------------------------------- */

/* Between which two pixels output i lies, and how far from the first; in f32 as there. */
struct lerp {
    int64_t low, high;
    float share;
};

static struct lerp lerp_at(int64_t i, int64_t in, int64_t out)
{
    float at = (float)i * ((float)in / (float)out);
    int64_t low = (int64_t)floorf(at);
    return (struct lerp){low, low + 1 < in ? low + 1 : in - 1, at - (float)low};
}

static void resize_tf1(const float *src, int64_t height, int64_t width, int64_t c,
                       int64_t to_height, int64_t to_width, float *dst)
{
    for (int64_t y = 0; y < to_height; y++) {
        struct lerp v = lerp_at(y, height, to_height);
        const float *top = src + v.low * width * c, *bottom = src + v.high * width * c;
        for (int64_t x = 0; x < to_width; x++) {
            struct lerp u = lerp_at(x, width, to_width);
            for (int64_t k = 0; k < c; k++) {
                float a = top[u.low * c + k], b = bottom[u.low * c + k];
                a += (top[u.high * c + k] - a) * u.share;
                b += (bottom[u.high * c + k] - b) * u.share;
                dst[(y * to_width + x) * c + k] = a + (b - a) * v.share;
            }
        }
    }
}

gan_status gan_image_resize_f32(const float *src, int64_t height, int64_t width, int64_t channels,
                                int64_t to_height, int64_t to_width, gan_filter filter, float *dst,
                                gan_err *err)
{
    struct taps t[2] = {{.n = 0}, {.n = 0}};
    GAN_TRY(check(height, width, channels, to_height, to_width, filter, err));
    size_t n = (size_t)(height * to_width * channels);
    if (height == to_height && width == to_width) {
        memcpy(dst, src, n * sizeof *dst);
        return GAN_OK;
    }
    if (filter == GAN_FILTER_TF1) {
        resize_tf1(src, height, width, channels, to_height, to_width, dst);
        return GAN_OK;
    }
    float *rows = gan__alloc_array(n, sizeof *rows);
    gan_status status = rows != NULL ? both_taps(t, filter, height, width, to_height, to_width, err)
                                     : gan__fail_nomem(err, n * sizeof *rows, "resizing");
    if (status == GAN_OK) {
        pass_floats(&t[0], src, height, width, channels, rows);
        pass_floats(&t[1], rows, 1, height, to_width * channels, dst);
    }
    taps_release(&t[0]);
    taps_release(&t[1]);
    gan__free(rows);
    return status;
}
