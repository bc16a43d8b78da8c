/* transform.c: padding is exact; resizing is a triangle filter widened by the scale when the image
 * shrinks (so nothing aliases) and plain bilinear when it grows, pixel centres at halves, weights
 * computed in f64 and summed in a fixed order: the same bits everywhere. */
#include "transform.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <math.h>

/* ITU-R BT.601 luma */
#define LUMA_R 0.299
#define LUMA_G 0.587
#define LUMA_B 0.114

/* 0..255 to the range; in f64 so that 255 gives exactly 1. */
static float to_range(gan_range range, double v)
{
    return (float)(range == GAN_RANGE_UNIT ? v / 255.0 : v / 127.5 - 1.0);
}

static void taps_release(struct gan__taps *t)
{
    gan__free(t->start);
    gan__free(t->count);
    gan__free(t->weight);
    *t = (struct gan__taps){0};
}

/* Weights of output pixel `at` of `full` from `src` pixels; those outside are left out. */
static void fill_tap(struct gan__taps *t, int64_t i, int64_t at, int64_t src, int64_t full)
{
    double scale = (double)src / (double)full;
    double reach = scale > 1.0 ? scale : 1.0;
    double centre = ((double)at + 0.5) * scale;
    int64_t low = (int64_t)floor(centre - reach + 0.5);
    int64_t high = (int64_t)floor(centre + reach + 0.5);
    low = low < 0 ? 0 : low;
    high = high > src ? src : high;
    double sum = 0;
    for (int64_t k = low; k < high; k++) {
        double d = fabs(((double)k + 0.5 - centre) / reach);
        sum += d < 1.0 ? 1.0 - d : 0.0;
    }
    for (int64_t k = low; k < high; k++) {
        double d = fabs(((double)k + 0.5 - centre) / reach);
        t->weight[i * t->most + (k - low)] = (float)((d < 1.0 ? 1.0 - d : 0.0) / sum);
    }
    t->start[i] = low;
    t->count[i] = high - low;
}

/* Taps for `n` outputs from `crop` on, of an image of `src` pixels scaled to `full`. */
static gan_status taps_init(struct gan__taps *t, int64_t src, int64_t full, int64_t crop, int64_t n,
                            gan_err *err)
{
    double scale = (double)src / (double)full;
    t->n = n;
    t->most = 2 * (int64_t)ceil(scale > 1.0 ? scale : 1.0) + 2;
    size_t weights;
    bool fits = gan__mul((size_t)n, (size_t)t->most, &weights);
    t->start = gan__alloc_array((size_t)n, sizeof *t->start);
    t->count = gan__alloc_array((size_t)n, sizeof *t->count);
    t->weight = fits ? gan__alloc_array(weights, sizeof *t->weight) : NULL;
    if (t->start == NULL || t->count == NULL || t->weight == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *t->start, "resizing");
    }
    for (int64_t i = 0; i < n; i++) {
        fill_tap(t, i, crop + i, src, full);
    }
    return GAN_OK;
}

/* The size that covers the target with the proportions kept: one side meets it exactly. */
static gan_status resize_init(struct gan__transform *t, gan_err *err)
{
    const struct gan__transform_cfg *c = &t->cfg;
    int64_t full_h = c->dst_h, full_w = c->dst_w;
    if (c->dst_h * c->src_w >= c->dst_w * c->src_h) {
        full_w = (c->src_w * c->dst_h + c->src_h / 2) / c->src_h;
        full_w = full_w < c->dst_w ? c->dst_w : full_w;
    } else {
        full_h = (c->src_h * c->dst_w + c->src_w / 2) / c->src_w;
        full_h = full_h < c->dst_h ? c->dst_h : full_h;
    }
    GAN_TRY(taps_init(&t->x, c->src_w, full_w, (full_w - c->dst_w) / 2, c->dst_w, err));
    return taps_init(&t->y, c->src_h, full_h, (full_h - c->dst_h) / 2, c->dst_h, err);
}

gan_status gan__transform_init(struct gan__transform *t, const struct gan__transform_cfg *cfg,
                               gan_err *err)
{
    *t = (struct gan__transform){.cfg = *cfg};
    for (size_t u = 0; u < 256; u++) {
        t->level[u] = to_range(cfg->range, (double)u);
    }
    if (!cfg->resize && (cfg->dst_h < cfg->src_h || cfg->dst_w < cfg->src_w)) {
        return gan__fail(err, GAN_E_ARG,
                         "images of %" PRId64 "x%" PRId64 " cannot be padded to %" PRId64
                         "x%" PRId64 ": resize them (size= in the SPEC)",
                         cfg->src_h, cfg->src_w, cfg->dst_h, cfg->dst_w);
    }
    gan_status status = cfg->resize ? resize_init(t, err) : GAN_OK;
    if (status != GAN_OK) {
        gan__transform_release(t);
    }
    return status;
}

void gan__transform_release(struct gan__transform *t)
{
    taps_release(&t->x);
    taps_release(&t->y);
}

size_t gan__transform_scratch(const struct gan__transform *t)
{
    const struct gan__transform_cfg *c = &t->cfg;
    return c->resize ? (size_t)(c->src_h * c->dst_w * c->src_c) : 0;
}

/* One pixel of src_c values 0..255 to dst_c values in the range. */
static void put_pixel(const struct gan__transform *t, const double *v, float *dst)
{
    const struct gan__transform_cfg *c = &t->cfg;
    if (c->dst_c < c->src_c) {
        dst[0] = to_range(c->range, LUMA_R * v[0] + LUMA_G * v[1] + LUMA_B * v[2]);
        return;
    }
    for (int64_t k = 0; k < c->dst_c; k++) {
        dst[k] = to_range(c->range, v[c->src_c == 1 ? 0 : k]);
    }
}

/* The same for bytes: by table where no mixing is needed. */
static void put_bytes(const struct gan__transform *t, const uint8_t *u, float *dst)
{
    const struct gan__transform_cfg *c = &t->cfg;
    if (c->dst_c < c->src_c) {
        const double v[3] = {u[0], u[1], u[2]};
        put_pixel(t, v, dst);
        return;
    }
    for (int64_t k = 0; k < c->dst_c; k++) {
        dst[k] = t->level[u[c->src_c == 1 ? 0 : k]];
    }
}

static int64_t clamp(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static void pad_run(const struct gan__transform *t, const uint8_t *src, bool flip, float *dst)
{
    const struct gan__transform_cfg *c = &t->cfg;
    int64_t top = (c->dst_h - c->src_h) / 2;
    int64_t left = (c->dst_w - c->src_w) / 2;
    for (int64_t y = 0; y < c->dst_h; y++) {
        for (int64_t x = 0; x < c->dst_w; x++) {
            int64_t sy = y - top;
            int64_t sx = (flip ? c->dst_w - 1 - x : x) - left;
            bool inside = sy >= 0 && sy < c->src_h && sx >= 0 && sx < c->src_w;
            const uint8_t *from = c->background;
            if (inside || c->pad_edge) {
                from = src + (clamp(sy, c->src_h) * c->src_w + clamp(sx, c->src_w)) * c->src_c;
            }
            put_bytes(t, from, dst + (y * c->dst_w + x) * c->dst_c);
        }
    }
}

/* pass 1: every source row to the new width. */
static void resize_rows(const struct gan__transform *t, const uint8_t *src, float *rows)
{
    const struct gan__transform_cfg *c = &t->cfg;
    for (int64_t y = 0; y < c->src_h; y++) {
        const uint8_t *row = src + y * c->src_w * c->src_c;
        for (int64_t x = 0; x < c->dst_w; x++) {
            const float *w = t->x.weight + x * t->x.most;
            const uint8_t *from = row + t->x.start[x] * c->src_c;
            for (int64_t k = 0; k < c->src_c; k++) {
                float sum = 0;
                for (int64_t i = 0; i < t->x.count[x]; i++) {
                    sum += w[i] * (float)from[i * c->src_c + k];
                }
                rows[(y * c->dst_w + x) * c->src_c + k] = sum;
            }
        }
    }
}

/* pass 2: columns to the new height, channels, range. */
static void resize_columns(const struct gan__transform *t, const float *rows, bool flip, float *dst)
{
    const struct gan__transform_cfg *c = &t->cfg;
    int64_t stride = c->dst_w * c->src_c;
    for (int64_t y = 0; y < c->dst_h; y++) {
        const float *w = t->y.weight + y * t->y.most;
        for (int64_t x = 0; x < c->dst_w; x++) {
            int64_t sx = flip ? c->dst_w - 1 - x : x;
            const float *from = rows + t->y.start[y] * stride + sx * c->src_c;
            double v[3] = {0, 0, 0};
            for (int64_t k = 0; k < c->src_c; k++) {
                float sum = 0;
                for (int64_t i = 0; i < t->y.count[y]; i++) {
                    sum += w[i] * from[i * stride + k];
                }
                v[k] = (double)(sum < 0.0f ? 0.0f : sum > 255.0f ? 255.0f : sum);
            }
            put_pixel(t, v, dst + (y * c->dst_w + x) * c->dst_c);
        }
    }
}

void gan__transform_run(const struct gan__transform *t, const uint8_t *src, bool flip, float *dst,
                        float *scratch)
{
    if (!t->cfg.resize) {
        pad_run(t, src, flip, dst);
        return;
    }
    resize_rows(t, src, scratch);
    resize_columns(t, scratch, flip, dst);
}
