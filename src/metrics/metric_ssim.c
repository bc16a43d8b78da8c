/* metric_ssim.c: mean structural similarity of pairs of images. 1 for equal ones.
 *
 * Ref: Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity". */
#include "interval.h"
#include "metrics.h"
#include "ssim.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>

static double plane(const double *x, const double *y, int64_t height, int64_t width, double *work)
{
    return gan__ssim_plane(x, y, height, width, work).ssim;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    if (in->fake.height < GAN__SSIM_WINDOW || in->fake.width < GAN__SSIM_WINDOW) {
        return gan__fail(err, GAN_E_SHAPE,
                         "ssim needs images of at least 11x11, these are %" PRId64 "x%" PRId64,
                         in->fake.height, in->fake.width);
    }
    (void)gan__copy(out->protocol, sizeof out->protocol,
                    "11x11 Gaussian of deviation 1.5, L = 255, mean of channels, pairs in order");
    return gan__mean_of_pairs(in, plane, gan__metric_value(out, "ssim", 0, ""), err);
}

GAN_METRIC(ssim) = {
    .name = "ssim",
    .help = "structural similarity of image i to image i",
    .ref = "Wang et al. 2004, IEEE TIP 13(4)",
    .needs = GAN_NEED_IMAGES | GAN_NEED_PAIRS,
    .least = 1,
    .run = run,
};
