/* data_edges.c: line drawing -> image pairs from any set of images, as the edges2shoes of pix2pix:
 * A = black lines on white where the image has edges, B = the image.
 *
 * Edges are Canny's: blur by a Gaussian, slope by Sobel's operator, only ridges of the slope stay (one
 * pixel wide), and of these the strong ones and whatever weak ones hang on to them.
 *
 * Ref: Canny 1986, "A computational approach to edge detection"; Isola et al. 2017, arXiv:1611.07004. */
#include "derived.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <string.h>

struct edges_opts {
    double threshold, low, blur;
};

static const struct gan_opt table[] = {
    GAN_OPT_F64(struct edges_opts, threshold, "threshold", "0.15", 0.001, 1,
                "slope where a line begins; 1 is the step from black to white"),
    GAN_OPT_F64(struct edges_opts, low, "low", "0.4", 0, 1,
                "part of the threshold down to which a line goes on"),
    GAN_OPT_F64(struct edges_opts, blur, "blur", "1", 0, 20,
                "deviation of the Gaussian before, in pixels; 0 for none"),
    GAN_OPT_END,
};

enum { THRESHOLD, LOW, BLUR }; /* in gan__derived's number */

/* An image's working planes, all [h,w]. */
struct planes {
    int64_t h, w;
    float *gray, *wide; /* levels 0..1; and between the passes of the blur */
    float *gx, *gy, *slope;
    uint8_t *mark; /* 0 nothing, 1 weak, 2 strong, 3 strong and followed */
    int64_t *stack;
};

static void planes_release(struct planes *p)
{
    gan__free(p->gray);
    gan__free(p->wide);
    gan__free(p->gx);
    gan__free(p->gy);
    gan__free(p->slope);
    gan__free(p->mark);
    gan__free(p->stack);
}

static gan_status planes_init(struct planes *p, int64_t h, int64_t w, gan_err *err)
{
    size_t n = (size_t)(h * w);
    *p = (struct planes){.h = h, .w = w};
    float **planes[] = {&p->gray, &p->wide, &p->gx, &p->gy, &p->slope};
    bool good = true;
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++) {
        *planes[i] = gan__alloc_array(n, sizeof **planes[i]);
        good = good && *planes[i] != NULL;
    }
    p->mark = gan__alloc_array(n, sizeof *p->mark);
    p->stack = gan__alloc_array(n, sizeof *p->stack);
    if (!good || p->mark == NULL || p->stack == NULL) {
        planes_release(p);
        return gan__fail_nomem(err, n * sizeof(float), "the edges of an image");
    }
    return GAN_OK;
}

static int64_t clamp(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static void to_gray(const uint8_t *src, int64_t n, int64_t channels, float *gray)
{
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *p = src + i * channels;
        double v = channels == 1 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
        gray[i] = (float)(v / 255);
    }
}

/* Gaussian of deviation `blur`, cut at three deviations; edges of the image repeat. */
static void smooth(struct planes *p, double blur)
{
    enum { REACH = 61 };
    float weight[REACH];
    int64_t reach = (int64_t)ceil(3 * blur);
    double sum = 0;
    for (int64_t k = 0; k <= reach; k++) {
        sum += (k == 0 ? 1 : 2) * exp(-(double)(k * k) / (2 * blur * blur));
    }
    for (int64_t k = 0; k <= reach; k++) {
        weight[k] = (float)(exp(-(double)(k * k) / (2 * blur * blur)) / sum);
    }
    for (int pass = 0; pass < 2; pass++) { /* pass 1: rows; pass 2: columns */
        const float *src = pass == 0 ? p->gray : p->wide;
        float *dst = pass == 0 ? p->wide : p->gray;
        for (int64_t y = 0; y < p->h; y++) {
            for (int64_t x = 0; x < p->w; x++) {
                double v = 0;
                for (int64_t k = -reach; k <= reach; k++) {
                    int64_t at =
                        pass == 0 ? y * p->w + clamp(x + k, p->w) : clamp(y + k, p->h) * p->w + x;
                    v += (double)(weight[k < 0 ? -k : k] * src[at]);
                }
                dst[y * p->w + x] = (float)v;
            }
        }
    }
}

/* Sobel's operator over 4: a step from 0 to 1 without blur has the slope 1. */
static void differentiate(struct planes *p)
{
    for (int64_t y = 0; y < p->h; y++) {
        const float *up = p->gray + clamp(y - 1, p->h) * p->w, *at = p->gray + y * p->w;
        const float *down = p->gray + clamp(y + 1, p->h) * p->w;
        for (int64_t x = 0; x < p->w; x++) {
            int64_t l = clamp(x - 1, p->w), r = clamp(x + 1, p->w), i = y * p->w + x;
            p->gx[i] = (up[r] + 2 * at[r] + down[r] - up[l] - 2 * at[l] - down[l]) / 4;
            p->gy[i] = (down[l] + 2 * down[x] + down[r] - up[l] - 2 * up[x] - up[r]) / 4;
            p->slope[i] = hypotf(p->gx[i], p->gy[i]);
        }
    }
}

static float slope_at(const struct planes *p, int64_t y, int64_t x)
{
    return y < 0 || x < 0 || y >= p->h || x >= p->w ? 0 : p->slope[y * p->w + x];
}

/* Is the slope here no less than its two neighbours along the gradient? Of two equals the first
 * stays. */
static bool is_ridge(const struct planes *p, int64_t y, int64_t x)
{
    const float octant = 0.41421356f; /* tan(pi/8): directions go to the nearest of four */
    int64_t i = y * p->w + x;
    float ax = fabsf(p->gx[i]), ay = fabsf(p->gy[i]);
    int64_t dx = ax >= ay * octant ? 1 : 0;
    int64_t dy = ay >= ax * octant ? 1 : 0;
    if (dx == 1 && dy == 1 && (p->gx[i] < 0) != (p->gy[i] < 0)) {
        dy = -1;
    }
    return p->slope[i] > slope_at(p, y - dy, x - dx) && p->slope[i] >= slope_at(p, y + dy, x + dx);
}

/* Follows every strong point to the weak ones that touch it. */
static void follow(struct planes *p)
{
    size_t n = 0;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        if (p->mark[i] == 2) {
            p->stack[n++] = i;
        }
    }
    while (n > 0) {
        int64_t i = p->stack[--n], y = i / p->w, x = i % p->w;
        for (int64_t v = clamp(y - 1, p->h); v <= clamp(y + 1, p->h); v++) {
            for (int64_t u = clamp(x - 1, p->w); u <= clamp(x + 1, p->w); u++) {
                if (p->mark[v * p->w + u] == 1) {
                    p->mark[v * p->w + u] = 2;
                    p->stack[n++] = v * p->w + u;
                }
            }
        }
    }
}

static gan_status draw(const struct gan__derived *d, const uint8_t *image, uint8_t *dst,
                       gan_err *err)
{
    struct planes p;
    float high = (float)d->number[THRESHOLD], low = high * (float)d->number[LOW];
    GAN_TRY(planes_init(&p, d->height, d->width, err));
    to_gray(image, p.h * p.w, d->inner.channels, p.gray);
    if (d->number[BLUR] > 0) {
        smooth(&p, d->number[BLUR]);
    }
    differentiate(&p);
    for (int64_t i = 0; i < p.h * p.w; i++) {
        bool ridge = p.slope[i] >= low && p.slope[i] > 0 && is_ridge(&p, i / p.w, i % p.w);
        p.mark[i] = ridge ? (p.slope[i] >= high ? 2 : 1) : 0;
    }
    follow(&p);
    for (int64_t i = 0; i < p.h * p.w; i++) {
        dst[i] = p.mark[i] == 2 ? 0 : 255;
    }
    planes_release(&p);
    return GAN_OK;
}

static gan_status open_edges(struct gan__source *s, const char *argument, const void *opts,
                             gan_err *err)
{
    const struct edges_opts *o = opts;
    const struct gan__derived how = {.make = draw, .number = {o->threshold, o->low, o->blur}};
    GAN_TRY(gan__derived_open(s, argument, &how, 1, err));
    memset(s->background, 255, sizeof s->background);
    return GAN_OK;
}

GAN_DATA(edges) = {
    .name = "edges",
    .argument = "SPEC",
    .help = "pairs of line drawing and image, drawn from any set of images (Canny's edges)",
    .opts = table,
    .opts_size = sizeof(struct edges_opts),
    .wraps = true,
    .open = open_edges,
};
