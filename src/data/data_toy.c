/* data_toy.c: points in the plane, made up as they are asked for. Sample i depends on the seed and
 * on i alone, so the data have no end.
 *
 * ring8: eight Gaussians on a circle, the constants of Gulrajani et al. 2017, arXiv:1704.00028
 * (gan_toy): centres (+-1,0), (0,+-1), (+-1/sqrt 2, +-1/sqrt 2) times 2, deviation .02, all divided
 * by 1.414. */
#include "dataset.h"

#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

#define RING_MODES 8
#define RING_SCALE 2.0
#define RING_STD 0.02
#define RING_DIVISOR 1.414
#define HALF_SQRT2 0.70710678118654752440

static const double ring_centre[RING_MODES][2] = {
    {1, 0},
    {-1, 0},
    {0, 1},
    {0, -1},
    {HALF_SQRT2, HALF_SQRT2},
    {HALF_SQRT2, -HALF_SQRT2},
    {-HALF_SQRT2, HALF_SQRT2},
    {-HALF_SQRT2, -HALF_SQRT2},
};

static uint64_t toy_key(uint64_t seed)
{
    return gan__stream_key(seed, 0, 0, gan__hash_text("data/toy:ring8"));
}

static int32_t ring_label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    uint32_t word[4];
    (void)s;
    gan__stream_block(toy_key(seed), (uint64_t)index, 0, word);
    return (int32_t)(word[0] % RING_MODES);
}

static void ring_point(const struct gan__source *s, uint64_t seed, int64_t index, float *dst)
{
    uint32_t word[4];
    gan__stream_block(toy_key(seed), (uint64_t)index, 1, word);
    const double *centre = ring_centre[ring_label(s, seed, index)];
    for (size_t k = 0; k < 2; k++) { /* one Box-Muller draw for each coordinate, in f64 */
        double u = ((double)word[2 * k] + 0.5) * 0x1p-32;
        double v = ((double)word[2 * k + 1] + 0.5) * 0x1p-32;
        double normal = sqrt(-2.0 * log(u)) * cos(6.283185307179586476925286766559 * v);
        dst[k] = (float)((RING_SCALE * centre[k] + RING_STD * normal) / RING_DIVISOR);
    }
}

static gan_status check(const char *argument, gan_err *err)
{
    static const char *const names[] = {"ring8"};
    if (strcmp(argument, names[0]) == 0) {
        return GAN_OK;
    }
    const char *near = gan__nearest_name(argument, names, 1);
    return gan__fail(err, GAN_E_ARG, "unknown toy data '%s'%s%s%s", argument,
                     near != NULL ? " (did you mean toy:" : ", known is toy:", names[0],
                     near != NULL ? "?)" : "");
}

static gan_status open_toy(struct gan__source *s, const char *argument, const void *opts,
                           gan_err *err)
{
    (void)argument;
    (void)opts;
    (void)err;
    *s = (struct gan__source){
        .count = INT64_MAX,
        .height = 1,
        .width = 1,
        .channels = 2,
        .points = true,
        .endless = true,
        .classes = RING_MODES,
        .point = ring_point,
        .label = ring_label,
    };
    return GAN_OK;
}

GAN_DATA(toy) = {
    .name = "toy",
    .argument = "ring8",
    .help = "points in the plane: eight Gaussians on a circle, without end",
    .points = true,
    .check = check,
    .open = open_toy,
};
