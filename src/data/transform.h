/* transform.h: a stored image to what the model wants: size, channels, mirror, range. */
#ifndef GAN_DATA_TRANSFORM_H
#define GAN_DATA_TRANSFORM_H

#include <gan/data.h>

/* Taps of a one-dimensional resampling filter: output i = sum_k weight[i*most+k] * in[start[i]+k].
 */
struct gan__taps {
    int64_t n;      /* outputs */
    int64_t most;   /* taps kept for each */
    int64_t *start; /* [n] */
    int64_t *count; /* [n] */
    float *weight;  /* [n,most] */
};

struct gan__transform_cfg {
    int64_t src_h, src_w, src_c;
    int64_t dst_h, dst_w, dst_c;
    bool resize;           /* cover and crop; else pad */
    bool pad_edge;         /* pad with the nearest pixel instead of the background */
    uint8_t background[3]; /* colour of padding */
    gan_range range;
};

struct gan__transform {
    struct gan__transform_cfg cfg;
    struct gan__taps x, y; /* empty unless resizing */
    float level[256];      /* value of each byte in the range */
};

/* Sizes are at least 1. Padding needs dst >= src: GAN_E_ARG otherwise. */
gan_status gan__transform_init(struct gan__transform *t, const struct gan__transform_cfg *cfg,
                               gan_err *err);
void gan__transform_release(struct gan__transform *t);

/* Floats of scratch that run needs. */
size_t gan__transform_scratch(const struct gan__transform *t);

/* src u8 [src_h,src_w,src_c] -> dst f32 [dst_h,dst_w,dst_c]. */
void gan__transform_run(const struct gan__transform *t, const uint8_t *src, bool flip, float *dst,
                        float *scratch);

#endif
