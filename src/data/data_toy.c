/* data_toy.c: points in the plane, made up as they are asked for. Sample i depends on the seed and
 * on i alone, so the data have no end.
 *
 * ring8, grid25: eight Gaussians on the unit circle, deviation .01; 25 on {-4,-2,0,2,4}^2, deviation
 * .05: the sets on which modes are counted (Lin et al. 2018, arXiv:1712.04086, section 4.1).
 * 8gaussians, 25gaussians, swissroll: gan_toy of Gulrajani et al. 2017, arXiv:1704.00028: centres
 * (+-1,0), (0,+-1), (+-1/sqrt 2, +-1/sqrt 2) times 2, deviation .02, divided by 1.414;
 * {-2,..,2}^2 times 2, deviation .05, divided by 2.828; scikit-learn's roll with noise .25, its first
 * and third coordinate, divided by 7.5. lines: (0,y), y ~ U(0,1), the first of two parallel lines
 * (Arjovsky et al. 2017, arXiv:1701.07875, example 1). */
#include "dataset.h"

#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define HALF_SQRT2 0.70710678118654752440

/* One set: its points are scale * centre + deviation * normal, all divided. */
struct toy {
    const char *name;
    const char *stream;
    int32_t modes; /* 0: not a mixture */
    int32_t side;  /* of a grid of modes, 0: a ring */
    double scale, deviation, divisor;
    void (*point)(const struct toy *t, uint64_t key, int64_t index, double dst[2]);
};

static const double ring_centre[8][2] = {
    {1, 0},
    {-1, 0},
    {0, 1},
    {0, -1},
    {HALF_SQRT2, HALF_SQRT2},
    {HALF_SQRT2, -HALF_SQRT2},
    {-HALF_SQRT2, HALF_SQRT2},
    {-HALF_SQRT2, -HALF_SQRT2},
};

/* Four words of a sample; block 0 chooses, block 1 and on are noise. */
static void words(uint64_t key, int64_t index, uint64_t block, uint32_t word[4])
{
    gan__stream_block(key, (uint64_t)index, block, word);
}

static double uniform(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

/* Box-Muller in f64. */
static double normal(uint32_t a, uint32_t b)
{
    return sqrt(-2.0 * log(uniform(a))) * cos(2 * PI * uniform(b));
}

static int32_t mode_of(const struct toy *t, uint64_t key, int64_t index)
{
    uint32_t word[4];
    words(key, index, 0, word);
    return (int32_t)(word[0] % (uint32_t)t->modes);
}

/* Centre of a mode before scaling. */
static void centre_of(const struct toy *t, int32_t mode, double centre[2])
{
    if (t->side > 0) {
        centre[0] = mode / t->side - t->side / 2;
        centre[1] = mode % t->side - t->side / 2;
    } else {
        memcpy(centre, ring_centre[mode], 2 * sizeof *centre);
    }
}

static void mixture(const struct toy *t, uint64_t key, int64_t index, double dst[2])
{
    uint32_t word[4];
    int32_t mode = mode_of(t, key, index);
    double centre[2];
    centre_of(t, mode, centre);
    words(key, index, 1, word);
    for (size_t k = 0; k < 2; k++) {
        double noise = t->deviation * normal(word[2 * k], word[2 * k + 1]);
        dst[k] = (t->scale * centre[k] + noise) / t->divisor;
    }
}

/* t = 3 pi/2 (1 + 2u); (t cos t, t sin t) and noise. */
static void roll(const struct toy *t, uint64_t key, int64_t index, double dst[2])
{
    uint32_t place[4], word[4];
    words(key, index, 0, place);
    words(key, index, 1, word);
    double angle = 1.5 * PI * (1 + 2 * uniform(place[0]));
    dst[0] = (angle * cos(angle) + t->deviation * normal(word[0], word[1])) / t->divisor;
    dst[1] = (angle * sin(angle) + t->deviation * normal(word[2], word[3])) / t->divisor;
}

static void line(const struct toy *t, uint64_t key, int64_t index, double dst[2])
{
    uint32_t word[4];
    (void)t;
    words(key, index, 0, word);
    dst[0] = 0;
    dst[1] = uniform(word[0]);
}

static const struct toy toys[] = {
    {"25gaussians", "data/toy:25gaussians", 25, 5, 2, 0.05, 2.828, mixture},
    {"8gaussians", "data/toy:8gaussians", 8, 0, 2, 0.02, 1.414, mixture},
    {"grid25", "data/toy:grid25", 25, 5, 2, 0.05, 1, mixture},
    {"lines", "data/toy:lines", 0, 0, 0, 0, 1, line},
    {"ring8", "data/toy:ring8", 8, 0, 1, 0.01, 1, mixture},
    {"swissroll", "data/toy:swissroll", 0, 0, 0, 0.25, 7.5, roll},
};

enum { TOYS = sizeof toys / sizeof toys[0] };

static const struct toy *find(const char *name)
{
    for (size_t i = 0; i < TOYS; i++) {
        if (strcmp(toys[i].name, name) == 0) {
            return &toys[i];
        }
    }
    return NULL;
}

int gan__toy_modes(const char *name, double centre[][2], double *deviation)
{
    const struct toy *t = find(name);
    int32_t n = t != NULL ? t->modes : 0;
    for (int32_t k = 0; k < n; k++) {
        centre_of(t, k, centre[k]);
        centre[k][0] *= t->scale / t->divisor;
        centre[k][1] *= t->scale / t->divisor;
    }
    *deviation = n > 0 ? t->deviation / t->divisor : 0;
    return n;
}

static uint64_t key_of(const struct toy *t, uint64_t seed)
{
    return gan__stream_key(seed, 0, 0, gan__hash_text(t->stream));
}

static int32_t label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    const struct toy *t = s->state;
    return mode_of(t, key_of(t, seed), index);
}

static void point(const struct gan__source *s, uint64_t seed, int64_t index, float *dst)
{
    const struct toy *t = s->state;
    double p[2];
    t->point(t, key_of(t, seed), index, p);
    dst[0] = (float)p[0];
    dst[1] = (float)p[1];
}

static gan_status check(const char *argument, gan_err *err)
{
    const char *names[TOYS];
    if (find(argument) != NULL) {
        return GAN_OK;
    }
    for (size_t i = 0; i < TOYS; i++) {
        names[i] = toys[i].name;
    }
    const char *near = gan__nearest_name(argument, names, TOYS);
    if (near != NULL) {
        return gan__fail(err, GAN_E_ARG, "unknown toy data '%s' (did you mean toy:%s?)", argument,
                         near);
    }
    return gan__fail(err, GAN_E_ARG,
                     "unknown toy data '%s', known are 25gaussians, 8gaussians, grid25, lines, "
                     "ring8, swissroll",
                     argument);
}

static gan_status open_toy(struct gan__source *s, const char *argument, const void *opts,
                           gan_err *err)
{
    const struct toy *t = find(argument);
    (void)opts;
    if (t == NULL) {
        return check(argument, err);
    }
    union {
        const struct toy *in;
        void *out;
    } state = {.in = t};
    *s = (struct gan__source){
        .count = INT64_MAX,
        .height = 1,
        .width = 1,
        .channels = 2,
        .points = true,
        .endless = true,
        .classes = t->modes,
        .state = state.out,
        .point = point,
        .label = t->modes > 0 ? label : NULL,
    };
    return GAN_OK;
}

GAN_DATA(toy) = {
    .name = "toy",
    .argument = "8gaussians|25gaussians|ring8|grid25|swissroll|lines",
    .help = "points in the plane, without end: mixtures, a spiral, a line",
    .points = true,
    .check = check,
    .open = open_toy,
};
