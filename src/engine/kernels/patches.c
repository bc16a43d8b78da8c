/* patches.c: packing image patches and filters into strips of a matrix product. */
#include "patches.h"

#include <string.h>

/* A grid point in the image: the element of a tap at offset 0, and its row and column. */
struct point {
    const float *image; /* of this sample */
    int64_t h, w;
};

static struct point point_at(const struct gan__patches *p, int64_t index)
{
    const int64_t n = index / (p->rows * p->columns), rest = index % (p->rows * p->columns);
    return (struct point){p->image + n * p->height * p->width * p->stride,
                          rest / p->columns * p->step_h + p->origin_h,
                          rest % p->columns * p->step_w + p->origin_w};
}

/* First channel of a tap's element; NULL outside of the image. */
static inline const float *element(const struct gan__patches *p, const struct point *at,
                                   int64_t tap)
{
    const int64_t h = at->h + p->tap_h[tap], w = at->w + p->tap_w[tap];
    const int outside = h < 0 || h >= p->height || w < 0 || w >= p->width;
    return outside ? NULL : at->image + (h * p->width + w) * p->stride;
}

void gan__patches_pack_points(const void *operand, const struct gan__gemm_strip *s, float *dst)
{
    const struct gan__patches *p = operand;
    const int64_t width = s->width;
    struct point at[GAN_GEMM_MAX_NR];
    for (int lane = 0; lane < s->count; lane++) {
        at[lane] = point_at(p, s->first + lane);
    }
    int64_t k = s->k0, end = s->k0 + s->kc;
    while (k < end) { /* the channels of one tap */
        const int64_t tap = k / p->channels, first = k % p->channels;
        const int64_t rest = p->channels - first, run = rest < end - k ? rest : end - k;
        for (int lane = 0; lane < s->width; lane++) {
            const float *src = lane < s->count ? element(p, &at[lane], tap) : NULL;
            float *d = dst + lane;
            if (src == NULL) {
                for (int64_t i = 0; i < run; i++) {
                    d[i * width] = 0.0f;
                }
                continue;
            }
            src += first;
            for (int64_t i = 0; i < run; i++) {
                d[i * width] = src[i];
            }
        }
        dst += run * width;
        k += run;
    }
}

void gan__patches_pack_taps(const void *operand, const struct gan__gemm_strip *s, float *dst)
{
    const struct gan__patches *p = operand;
    for (int64_t k = 0; k < s->kc; k++, dst += s->width) {
        const struct point at = point_at(p, s->k0 + k);
        int lane = 0;
        while (lane < s->count) { /* the channels of one tap */
            const int64_t tap = (s->first + lane) / p->channels;
            const int64_t first = (s->first + lane) % p->channels;
            const int64_t rest = p->channels - first;
            const int run = rest < s->count - lane ? (int)rest : s->count - lane;
            const float *src = element(p, &at, tap);
            for (int i = 0; i < run; i++) {
                dst[lane + i] = src == NULL ? 0.0f : src[first + i];
            }
            lane += run;
        }
        for (; lane < s->width; lane++) {
            dst[lane] = 0.0f;
        }
    }
}

void gan__filters_pack(const void *operand, const struct gan__gemm_strip *s, float *dst)
{
    const struct gan__filters *f = operand;
    if (s->count < s->width) {
        memset(dst, 0, (size_t)(s->kc * s->width) * sizeof *dst);
    }
    for (int64_t k = 0; k < s->kc; k++) {
        const int64_t tap = (s->k0 + k) / f->channels, channel = (s->k0 + k) % f->channels;
        const float *src =
            f->data + s->first * f->lane_step + channel * f->channel_step + f->tap_at[tap];
        for (int lane = 0; lane < s->count; lane++) {
            dst[k * s->width + lane] = src[lane * f->lane_step];
        }
    }
}
