/* exp_cost_function.c: what a fixed loss wants, and what a learned one wants.
 *
 * The prediction of least mean squared error is the conditional mean: with two futures it is neither, and
 * its error is the variance. A sample of the true distribution, drawn on its own, has twice that error
 * and is always possible: E|x - x'|^2 = 2 Var. Lotter et al. 2016, arXiv:1511.06380; Mathieu et al. 2016,
 * arXiv:1511.05440; Isola et al. 2017, arXiv:1611.07004. */
#include "images.h"
#include "theory.h"
#include "toy.h"

#include "base/philox.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 16,
    BATCH = 64,
    LOOK = 512,
    LATENT = 4,
    CODES = 32,
    SIDE = GAN_IMAGE_SIDE / 2,
    D = SIDE * SIDE,
    SHOWN = 12
};
static const double middle = 7.5, stride = 4, shake = 0.5;

/* --- two futures ------------------------------------------------------------------------------------ */

static void ball(double at, float *x)
{
    for (int i = 0; i < WIDTH; i++) {
        x[i] = (float)exp(-(i - at) * (i - at) / 2);
    }
}

/* The ball in the middle has moved to the left or to the right. */
static void next_frames(struct gan__rng *rng, float *x, int n)
{
    for (int j = 0; j < n; j++) {
        const double side = gan__rng_uniform(rng) < 0.5 ? -1 : 1;
        ball(middle + side * stride + shake * (2 * gan__rng_uniform(rng) - 1), x + j * WIDTH);
    }
}

/* Distance of a frame to the nearest one that can be. */
static double to_possible(const float *x)
{
    double least = (double)INFINITY;
    for (int k = 0; k <= 40; k++) {
        for (int side = -1; side <= 1; side += 2) {
            float y[WIDTH];
            double sum = 0;
            ball(middle + side * stride + shake * (k / 20.0 - 1), y);
            for (int i = 0; i < WIDTH; i++) {
                sum += (double)(x[i] - y[i]) * (double)(x[i] - y[i]);
            }
            least = fmin(least, sum);
        }
    }
    return sqrt(least);
}

static struct gan__toy *predictor(struct gan__lab *l, int steps)
{
    return gan__toy_new(l, &(struct gan__toy_opts){.loss = "nonsaturating",
                                                   .regs = "r1:.1,r2:.1",
                                                   .optim_disc = "adam:2e-3,0,.99@linear",
                                                   .optim_gen = "adam:1e-3,0,.99@linear",
                                                   .size = WIDTH,
                                                   .latent = LATENT,
                                                   .width = 64,
                                                   .depth = 2,
                                                   .gen_width = 64,
                                                   .gen_depth = 2,
                                                   .relu = true,
                                                   .batch = BATCH,
                                                   .look = LOOK,
                                                   .steps = steps,
                                                   .seed = l->seed});
}

/* Trains by the fixed loss or by the critic; x [LOOK,WIDTH] are its predictions. */
static void predict(struct gan__lab *l, bool fixed, float *x)
{
    const int steps = l->quick ? 800 : 4000;
    float real[BATCH * WIDTH], z[LOOK * LATENT];
    struct gan__rng rng;
    struct gan__toy *t = predictor(l, steps);
    gan__lab_rng(l, fixed ? 0 : 1, &rng);
    for (int s = 0; s < steps && l->status == GAN_OK; s++) {
        next_frames(&rng, real, BATCH);
        gan__toy_noise(&rng, BATCH * LATENT, z);
        if (fixed) {
            gan__toy_fit_step(l, t, real, z);
        } else {
            gan__toy_disc_step(l, t, real, z);
            gan__toy_noise(&rng, BATCH * LATENT, z);
            gan__toy_gen_step(l, t, NULL, z);
        }
    }
    gan__toy_noise(&rng, LOOK * LATENT, z);
    gan__toy_generate(l, t, z, x);
    gan__toy_free(t);
}

/* What the frames of one predictor are like. */
struct frames {
    double error, distance, left; /* mean squared error, to a possible frame, share on the left */
};

static struct frames look_at(const float *x, const float *real)
{
    struct frames f = {0, 0, 0};
    for (int j = 0; j < LOOK; j++) {
        double half[2] = {0};
        for (int i = 0; i < WIDTH; i++) {
            const double d = (double)(x[j * WIDTH + i] - real[j * WIDTH + i]);
            f.error += d * d / LOOK;
            half[i / (WIDTH / 2)] += (double)x[j * WIDTH + i];
        }
        f.distance += to_possible(x + j * WIDTH) / LOOK;
        f.left += half[0] > half[1] ? 1.0 / LOOK : 0;
    }
    return f;
}

static void draw_frames(struct gan__lab *l, const float *real, const float *fixed,
                        const float *learned)
{
    double at[WIDTH], y[3][WIDTH];
    static const char *const title[] = {"what happens", "fixed loss: squared error",
                                        "learned loss: a critic"};
    const float *const from[] = {real, fixed, learned};
    gan_figure *f = gan_figure_new(1, 3, NULL);
    for (int i = 0; i < WIDTH; i++) {
        at[i] = i;
    }
    for (int k = 0; k < 3; k++) {
        gan_panel *p = gan_figure_panel(f, 0, k);
        gan_panel_title(p, title[k]);
        gan_panel_x(p, &(struct gan_axis){.label = "pixel"});
        gan_panel_y(p, &(struct gan_axis){.label = "brightness", .low = -0.2, .high = 1.2});
        for (int j = 0; j < 12; j++) {
            double line[WIDTH];
            for (int i = 0; i < WIDTH; i++) {
                line[i] = (double)from[k][j * WIDTH + i];
            }
            gan_plot_line(p, at, line, WIDTH,
                          &(struct gan_style){.color = GAN_COLOR_BLUE, .alpha = 0.5, .width = 2});
            memcpy(y[k], line, sizeof line);
        }
    }
    gan__lab_figure(
        l, f, "futures",
        "A ball in the middle goes to the left or to the right. Twelve next frames, twelve "
        "predictions of least squared error, twelve of a generator against a critic.");
    gan__lab_table(l, "futures", "pixel,one_real,one_fixed,one_learned",
                   (const double *const[]){at, y[0], y[1], y[2]}, WIDTH);
}

static void futures(struct gan__lab *l)
{
    float *x = (float *)gan__lab_array(l, 2 * LOOK * WIDTH);
    struct gan__rng rng;
    double mean[WIDTH] = {0}, variance = 0;
    if (x == NULL) {
        return;
    }
    float *real = x, *fixed = x + LOOK * WIDTH, *learned = fixed + LOOK * WIDTH;
    gan__lab_rng(l, 2, &rng);
    next_frames(&rng, real, LOOK);
    for (int i = 0; i < LOOK * WIDTH; i++) {
        mean[i % WIDTH] += (double)real[i] / LOOK;
    }
    for (int i = 0; i < LOOK * WIDTH; i++) {
        const double d = (double)real[i] - mean[i % WIDTH];
        variance += d * d / LOOK;
    }
    predict(l, true, fixed);
    predict(l, false, learned);
    if (l->status != GAN_OK) {
        return;
    }
    const struct frames a = look_at(fixed, real), b = look_at(learned, real);
    /* tolerances: 512 frames know a mean of this spread to 3 %, training is not at its end */
    gan__lab_equal(l, "fixed loss: squared error over the variance", a.error / variance, 1, 0.1);
    gan__lab_equal(l, "learned loss: squared error over the variance", b.error / variance, 2, 0.3);
    gan__lab_at_least(l, "fixed loss: distance of a prediction to any possible frame", a.distance,
                      0.8);
    gan__lab_at_most(l, "learned loss: distance to a possible frame over that of the fixed loss",
                     b.distance / a.distance, 0.5);
    gan__lab_equal(l, "learned loss: share of balls that go to the left", b.left, 0.5, 0.25);
    draw_frames(l, real, fixed, learned);
}

/* --- one decoder, two losses ------------------------------------------------------------------------- */

/* Mean squared difference of neighbours. */
static double sharpness(const float *x, int n)
{
    double sum = 0;
    for (int j = 0; j < n; j++) {
        for (int i = 0; i < D; i++) {
            const float *p = x + j * D + i;
            const double dx = i % SIDE + 1 < SIDE ? (double)(p[1] - p[0]) : 0;
            const double dy = i / SIDE + 1 < SIDE ? (double)(p[SIDE] - p[0]) : 0;
            sum += (dx * dx + dy * dy) / n;
        }
    }
    return sum;
}

/* The decoder CODES -> 256 -> 256 -> 256 -> 196: by squared error to the image whose code it reads (each
 * training image keeps a code of its own, drawn at random), or by a critic. x [LOOK,D] from new codes. */
static void decode(struct gan__lab *l, const float *images, int n, bool fixed, float *x)
{
    const int steps = l->quick ? 300 : 5000;
    float *z = (float *)gan__lab_array(l, (size_t)LOOK * CODES), real[BATCH * D];
    struct gan__rng rng;
    struct gan__toy *t = gan__lab_image_gan(l, (struct gan__toy_opts){.size = D,
                                                                      .latent = CODES,
                                                                      .gen_depth = 3,
                                                                      .batch = BATCH,
                                                                      .look = LOOK,
                                                                      .steps = steps});
    gan__lab_rng(l, fixed ? 3 : 4, &rng);
    for (int s = 0; s < steps && z != NULL && l->status == GAN_OK; s++) {
        for (int j = 0; j < BATCH; j++) {
            const uint64_t k = gan__rng_below(&rng, (uint64_t)n);
            struct gan__rng code;
            memcpy(real + j * D, images + k * D, D * sizeof *real);
            gan__lab_rng(l, 100 + k, &code);
            gan__toy_noise(fixed ? &code : &rng, CODES, z + j * CODES);
        }
        if (fixed) {
            gan__toy_fit_step(l, t, real, z);
        } else {
            gan__toy_disc_step(l, t, real, z);
            gan__toy_noise(&rng, BATCH * CODES, z);
            gan__toy_gen_step(l, t, NULL, z);
        }
    }
    if (z != NULL) {
        gan__toy_noise(&rng, LOOK * CODES, z);
        gan__toy_generate(l, t, z, x);
    }
    gan__toy_free(t);
}

static void show(struct gan__lab *l, const float *const *from)
{
    static const char *const title[] = {"real images", "decoder, squared error",
                                        "the same decoder, a critic"};
    gan_figure *f =
        gan_figure_new(3, 1, &(struct gan_figure_opts){.panel_height = 150, .panel_width = 1000});
    for (int k = 0; k < 3; k++) {
        gan__lab_show(l, gan_figure_panel(f, k, 0), title[k], from[k], SIDE, SHOWN);
    }
    gan__lab_figure(l, f, "decoders",
                    "Fashion-MNIST at 14x14 and what one network makes of new codes after the same "
                    "number of updates under a fixed and under a learned loss.");
}

static void decoders(struct gan__lab *l)
{
    const int n = l->quick ? 500 : 6000;
    const double *images = gan__lab_images(l, SIDE, n, NULL);
    float *small = (float *)gan__lab_array(l, ((size_t)n * D + 1) / 2);
    float *x = (float *)gan__lab_array(l, (size_t)LOOK * D);
    if (images == NULL || small == NULL || x == NULL) {
        return;
    }
    for (int i = 0; i < n * D; i++) {
        small[i] = (float)images[i];
    }
    decode(l, small, n, true, x);
    decode(l, small, n, false, x + LOOK * D);
    const double real = sharpness(small, n);
    const double fixed = sharpness(x, LOOK) / real, learned = sharpness(x + LOOK * D, LOOK) / real;
    gan__lab_at_most(l,
                     "decoder under squared error: contrast of neighbours over that of real images",
                     fixed, 0.5);
    gan__lab_at_least(l, "the same decoder under a critic, over that under squared error",
                      learned / fixed, l->quick ? 1.2 : 2);
    show(l, (const float *const[]){small, x, x + LOOK * D});
    gan__lab_table(l, "contrast", "fixed,learned", (const double *const[]){&fixed, &learned}, 1);
}

static void run(struct gan__lab *l)
{
    futures(l);
    decoders(l);
}

GAN_EXPERIMENT(cost_function) = {
    .name = "cost-function",
    .title = "Squared error averages, an adversary chooses",
    .claim =
        "A ball will go to the left or to the right, each with probability one half. The "
        "prediction "
        "of least squared error is the mean of the two: half a ball on either side, which never "
        "happens (Mathieu et al. 2016; Lotter et al. 2016). A critic that learns what frames look "
        "like rejects it, and a generator against it has to choose: its frames are possible, both "
        "futures appear, and its squared error is twice the variance, larger than that of the "
        "blur. The same on real images: one decoder network, trained once by squared error to the "
        "images and once against a critic, gives averages under the fixed loss and contours under "
        "the learned one. That is why pix2pix adds an adversary to its L1 term (Isola et al. "
        "2017).",
    .ref =
        "Mathieu et al. 2016, arXiv:1511.05440; Lotter et al. 2016, arXiv:1511.06380; Isola et al. "
        "2017, arXiv:1611.07004",
    .run = run,
};
