/* eval_npz.c: a side that is a .npz: FID statistics as the original code stores them (`mu`, `sigma`), or
 * features or images as the first array. */
#include "eval_side.h"
#include "npz.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool has(const struct gan__npz *z, const char *name)
{
    char text[128];
    for (int i = 0; gan__npz_name(z, i, text, sizeof text); i++) {
        if (strcmp(text, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Symmetric, and no two numbers vary more together than each alone: within 1e-5, f32 statistics are
 * usual. False for what no samples can have. */
static bool is_covariance(const double *cov, int64_t size)
{
    for (int64_t i = 0; i < size; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double a = cov[i * size + j], b = cov[j * size + i];
            double most = sqrt(fabs(cov[i * size + i])) * sqrt(fabs(cov[j * size + j]));
            if (cov[i * size + i] < 0 || fabs(a - b) > 1e-5 * most || fabs(a) > (1 + 1e-5) * most) {
                return false;
            }
        }
    }
    return true;
}

static gan_status read_statistics(struct gan__eval_source *s, const struct gan__npz *z,
                                  gan_err *err)
{
    gan_shape mu, sigma;
    GAN_TRY(gan__npz_array(z, "mu", &mu, &s->mean, NULL, err));
    GAN_TRY(gan__npz_array(z, "sigma", &sigma, &s->cov, NULL, err));
    if (mu.rank != 1 || sigma.rank != 2 || sigma.dim[0] != mu.dim[0] || sigma.dim[1] != mu.dim[0]) {
        return gan__fail(err, GAN_E_FORMAT, "%s: sigma is not a square of mu's length", z->path);
    }
    for (int64_t i = 0; i < mu.dim[0] * mu.dim[0]; i++) {
        if (!isfinite(s->cov[i]) || !isfinite(s->mean[i % mu.dim[0]])) {
            return gan__fail(err, GAN_E_FORMAT, "%s: mu or sigma is not finite", z->path);
        }
    }
    if (!is_covariance(s->cov, mu.dim[0])) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: sigma is no covariance: not symmetric, or not positive", z->path);
    }
    s->kind = GAN__EVAL_STATISTICS;
    s->size = mu.dim[0];
    (void)gan__copy(s->codec, sizeof s->codec, "statistics as given");
    return GAN_OK;
}

gan_status gan__eval_read_npz(struct gan__eval_source *s, const char *path, gan_err *err)
{
    struct gan__npz z;
    char name[128];
    gan_shape shape;
    GAN_TRY(gan__npz_open(&z, path, err));
    gan_status status;
    if (has(&z, "mu") && has(&z, "sigma")) {
        status = read_statistics(s, &z, err);
    } else if (gan__npz_name(&z, 0, name, sizeof name)) {
        status = gan__npz_array(&z, name, &shape, NULL, &s->array, err);
        if (status == GAN_OK) {
            status = gan__eval_take_array(s, path, &shape, err);
        }
    } else {
        status = gan__fail(err, GAN_E_FORMAT, "%s: no arrays in it", path);
    }
    gan__npz_close(&z);
    return status;
}
