/* metric_ms_ssim.c: structural similarity over five scales, each half of the one before.
 *
 * Ref: Wang, Simoncelli, Bovik 2003, "Multi-scale structural similarity for image quality assessment". */
#include "interval.h"
#include "metrics.h"
#include "ssim.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>

enum { SCALES = 5, LEAST = GAN__SSIM_WINDOW << (SCALES - 1) };

/* Means of 2 x 2 pixels, in place; an odd last row or column is left out. */
static void halve(double *x, int64_t height, int64_t width)
{
    int64_t h = height / 2, w = width / 2;
    for (int64_t r = 0; r < h; r++) {
        for (int64_t c = 0; c < w; c++) {
            const double *p = x + 2 * r * width + 2 * c;
            x[r * w + c] = 0.25 * (p[0] + p[1] + p[width] + p[width + 1]);
        }
    }
}

/* Product over scales of structure^weight, and of ssim^weight at the last; negative structure counts
 * as none. */
static double plane(const double *x, const double *y, int64_t height, int64_t width, double *work)
{
    static const double weight[SCALES] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    int64_t size = height * width;
    double *a = work, *b = work + size, product = 1;
    for (int64_t i = 0; i < size; i++) {
        a[i] = x[i];
        b[i] = y[i];
    }
    for (int s = 0; s < SCALES; s++) {
        struct gan__ssim v = gan__ssim_plane(a, b, height, width, work + 2 * size);
        double part = s == SCALES - 1 ? v.ssim : v.structure;
        product *= part > 0 ? pow(part, weight[s]) : 0;
        halve(a, height, width);
        halve(b, height, width);
        height /= 2;
        width /= 2;
    }
    return product;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    if (in->fake.height < LEAST || in->fake.width < LEAST) {
        return gan__fail(err, GAN_E_SHAPE,
                         "ms-ssim needs images of at least %dx%d, these are %" PRId64 "x%" PRId64,
                         (int)LEAST, (int)LEAST, in->fake.height, in->fake.width);
    }
    (void)gan__copy(out->protocol, sizeof out->protocol,
                    "5 scales by 2x2 means, 11x11 Gaussian of deviation 1.5, L = 255, mean of "
                    "channels, pairs in order");
    return gan__mean_of_pairs(in, plane, gan__metric_value(out, "ms-ssim", 0, ""), err);
}

GAN_METRIC(ms_ssim) = {
    .name = "ms-ssim",
    .help = "structural similarity over five scales of image i to image i",
    .ref = "Wang, Simoncelli, Bovik 2003",
    .needs = GAN_NEED_IMAGES | GAN_NEED_PAIRS,
    .least = 1,
    .run = run,
};
