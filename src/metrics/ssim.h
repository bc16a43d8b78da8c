/* ssim.h: structural similarity of two images, for ssim and ms-ssim. */
#ifndef GAN_METRICS_SSIM_H
#define GAN_METRICS_SSIM_H

#include <gan/metric.h>

enum { GAN__SSIM_WINDOW = 11 };

/* Mean over the valid window positions of one plane of levels 0..255. */
struct gan__ssim {
    double ssim;      /* luminance x contrast x structure */
    double structure; /* contrast x structure alone */
};

/* f64 planes [height,width], both at least the window; work [8 height width]. */
struct gan__ssim gan__ssim_plane(const double *x, const double *y, int64_t height, int64_t width,
                                 double *work);

/* One figure of every pair of images: `of` sees planes of levels; their mean over channels becomes
 * the figure of the pair, its mean over pairs and its interval the result's. */
typedef double gan__plane_fn(const double *x, const double *y, int64_t height, int64_t width,
                             double *work);
gan_status gan__mean_of_pairs(const struct gan_metric_input *in, gan__plane_fn *of,
                              struct gan_metric_value *out, gan_err *err);

#endif
