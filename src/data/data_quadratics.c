/* data_quadratics.c: random quadratic problems min |W t - y|^2, made up as they are asked for: what a
 * learned optimiser is trained on. Problem i depends on the seed and on i alone.
 *
 * A problem of n dimensions is a point of n^2 + 2n numbers: W row by row, then y, all N(0,1), then
 * the start t_0, N(0,.01^2). Andrychowicz et al. 2016, arXiv:1606.04474, section 3.1; the start is
 * that of the authors' code. */
#include "dataset.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/normal.h"
#include "base/philox.h"
#include "base/str.h"

#include <stdlib.h>

enum { MAX_DIMENSIONS = 32 };

static const float start_deviation = 0.01f;

/* 0 when the text is no number in range. */
static int64_t dimensions(const char *argument)
{
    char *end = NULL;
    long n = strtol(argument, &end, 10);
    return end != argument && *end == '\0' && n >= 1 && n <= MAX_DIMENSIONS ? n : 0;
}

static gan_status check(const char *argument, gan_err *err)
{
    if (dimensions(argument) > 0) {
        return GAN_OK;
    }
    return gan__fail(err, GAN_E_RANGE, "quadratics of '%.40s' dimensions, allowed are 1..%d",
                     argument, MAX_DIMENSIONS);
}

static void point(const struct gan__source *s, uint64_t seed, int64_t index, float *dst)
{
    const int64_t *n = s->state;
    uint64_t key = gan__stream_key(seed, 0, 0, gan__hash_text("data/quadratics"));
    int64_t count = *n * *n + 2 * *n, start = count - *n;
    for (int64_t k = 0; k < count; k += 4) {
        uint32_t word[4];
        float four[4];
        gan__stream_block(key, (uint64_t)index, (uint64_t)(k / 4), word);
        gan__normal4(word, four);
        for (int64_t i = k; i < k + 4 && i < count; i++) {
            dst[i] = i < start ? four[i - k] : start_deviation * four[i - k];
        }
    }
}

static void release(struct gan__source *s)
{
    gan__free(s->state);
    s->state = NULL;
}

static gan_status open_quadratics(struct gan__source *s, const char *argument, const void *opts,
                                  gan_err *err)
{
    (void)opts;
    GAN_TRY(check(argument, err));
    int64_t *n = gan__alloc(sizeof *n);
    if (n == NULL) {
        return gan__fail_nomem(err, sizeof *n, "a data set");
    }
    *n = dimensions(argument);
    *s = (struct gan__source){
        .count = INT64_MAX,
        .height = 1,
        .width = 1,
        .channels = *n * *n + 2 * *n,
        .points = true,
        .endless = true,
        .state = n,
        .point = point,
        .release = release,
    };
    return GAN_OK;
}

GAN_DATA(quadratics) = {
    .name = "quadratics",
    .argument = "DIMENSIONS",
    .help = "random problems min |W t - y|^2 without end, for the model l2l",
    .points = true,
    .check = check,
    .open = open_quadratics,
};
