/* metric_psnr.c: peak signal to noise ratio, 10 log10(255^2 / mean squared error) of each pair. */
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>

static double error_of(const struct gan_metric_input *in, int64_t i)
{
    int64_t size = in->fake.height * in->fake.width * in->fake.channels;
    const uint8_t *x = in->real.images + i * size, *y = in->fake.images + i * size;
    double sum = 0;
    for (int64_t k = 0; k < size; k++) {
        double d = (double)x[k] - (double)y[k];
        sum += d * d;
    }
    return sum / (double)size;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    int64_t n = in->fake.n;
    double *v = gan__alloc_array((size_t)n, sizeof *v), sum = 0;
    if (v == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *v, "pairs");
    }
    int64_t equal = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = error_of(in, i);
        equal += e > 0 ? 0 : 1;
        v[i] = e > 0 ? 10 * log10(255.0 * 255.0 / e) : 0;
        sum += v[i] / (double)n;
    }
    struct gan_metric_value *psnr = gan__metric_value(out, "psnr", sum, "dB");
    struct gan__influence pairs = {v, n}, none = {NULL, 0};
    gan_status status =
        equal == 0 ? gan__interval(in, none, pairs, psnr, err)
                   : gan__fail(err, GAN_E_FORMAT,
                               "psnr: %" PRId64 " of %" PRId64 " pairs are equal: it is infinite",
                               equal, n);
    gan__free(v);
    (void)gan__copy(out->protocol, sizeof out->protocol, "mean over pairs, peak 255, all channels");
    return status;
}

GAN_METRIC(psnr) = {
    .name = "psnr",
    .help = "peak signal to noise ratio of image i to image i",
    .ref = "ITU-T J.247",
    .needs = GAN_NEED_IMAGES | GAN_NEED_PAIRS,
    .least = 1,
    .run = run,
};
