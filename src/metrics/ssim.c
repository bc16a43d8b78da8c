/* ssim.c: Gaussian window 11 x 11 of deviation 1.5, constants (.01 L)^2 and (.03 L)^2 with L = 255,
 * weighted (biased) variances, valid positions only.
 *
 * Ref: Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity". */
#include "ssim.h"

#include "base/alloc.h"
#include "base/err.h"
#include "interval.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { WINDOW = GAN__SSIM_WINDOW, PLANES = 10 };

static void window(double g[WINDOW])
{
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
        double d = i - (WINDOW - 1) / 2;
        g[i] = exp(-d * d / (2 * 1.5 * 1.5));
        sum += g[i];
    }
    for (int i = 0; i < WINDOW; i++) {
        g[i] /= sum;
    }
}

/* Sum over the window of a(p) b(p), valid positions: [h,w] -> [h-10,w-10]; rows is scratch [h,w]. */
static void blur(const double *a, const double *b, int64_t h, int64_t w, const double *g,
                 double *rows, double *out)
{
    int64_t ow = w - WINDOW + 1, oh = h - WINDOW + 1;
    for (int64_t y = 0; y < h; y++) {
        for (int64_t x = 0; x < ow; x++) {
            double sum = 0;
            for (int64_t k = 0; k < WINDOW; k++) {
                int64_t at = y * w + x + k;
                sum += g[k] * a[at] * (b != NULL ? b[at] : 1);
            }
            rows[y * ow + x] = sum;
        }
    }
    for (int64_t i = 0; i < oh * ow; i++) {
        double sum = 0;
        for (int64_t k = 0; k < WINDOW; k++) {
            sum += g[k] * rows[i + k * ow];
        }
        out[i] = sum;
    }
}

struct gan__ssim gan__ssim_plane(const double *x, const double *y, int64_t height, int64_t width,
                                 double *work)
{
    const double c1 = 2.55 * 2.55, c2 = 7.65 * 7.65;
    int64_t size = height * width, n = (height - WINDOW + 1) * (width - WINDOW + 1);
    double g[WINDOW], *rows = work, *mx = work + size, *my = work + 2 * size;
    double *xx = work + 3 * size, *yy = work + 4 * size, *xy = work + 5 * size;
    struct gan__ssim s = {0, 0};
    window(g);
    blur(x, NULL, height, width, g, rows, mx);
    blur(y, NULL, height, width, g, rows, my);
    blur(x, x, height, width, g, rows, xx);
    blur(y, y, height, width, g, rows, yy);
    blur(x, y, height, width, g, rows, xy);
    for (int64_t i = 0; i < n; i++) {
        double vx = xx[i] - mx[i] * mx[i], vy = yy[i] - my[i] * my[i], v = xy[i] - mx[i] * my[i];
        double structure = (2 * v + c2) / (vx + vy + c2);
        double luminance = (2 * mx[i] * my[i] + c1) / (mx[i] * mx[i] + my[i] * my[i] + c1);
        s.structure += structure / (double)n;
        s.ssim += luminance * structure / (double)n;
    }
    return s;
}

/* Mean of `of` over the channels of pair i; work [PLANES height width]. */
static double of_pair(const struct gan_metric_input *in, gan__plane_fn *of, int64_t i, double *work)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    int64_t size = a->height * a->width;
    double *x = work, *y = work + size, sum = 0;
    for (int64_t c = 0; c < a->channels; c++) {
        for (int64_t p = 0; p < size; p++) {
            x[p] = a->images[(i * size + p) * a->channels + c];
            y[p] = b->images[(i * size + p) * a->channels + c];
        }
        sum += of(x, y, a->height, a->width, work + 2 * size);
    }
    return sum / (double)a->channels;
}

gan_status gan__mean_of_pairs(const struct gan_metric_input *in, gan__plane_fn *of,
                              struct gan_metric_value *out, gan_err *err)
{
    int64_t n = in->fake.n, size = in->fake.height * in->fake.width;
    size_t each = (size_t)(PLANES * size), threads = (size_t)in->threads;
    double *v = gan__alloc_array((size_t)n, sizeof *v), sum = 0;
    double *work = gan__alloc_array(each * threads, sizeof *work);
    gan_status status = GAN_OK;
    if (v == NULL || work == NULL) {
        status = gan__fail_nomem(err, each * threads * sizeof *work, "images");
    } else {
#pragma omp parallel for schedule(static) num_threads(in->threads)
        for (int64_t i = 0; i < n; i++) {
            v[i] = of_pair(in, of, i, work + each * (size_t)omp_get_thread_num());
        }
        for (int64_t i = 0; i < n; i++) {
            sum += v[i];
        }
        out->value = sum / (double)n;
        struct gan__influence pairs = {v, n}, none = {NULL, 0};
        status = gan__interval(in, none, pairs, out, err);
    }
    gan__free(v);
    gan__free(work);
    return status;
}
