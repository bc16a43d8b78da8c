/* exp_generative_baselines.c: the generative models that came before GANs, on the same images.
 *
 * Fashion-MNIST at 14x14 with a little normal noise, without which the constant background has infinite
 * density. Naive Bayes: within a class every pixel is normal on its own. Gaussian mixture: components by
 * EM (Dempster et al. 1977). Kernel density: a normal at each training image, its width chosen on other
 * images (Parzen 1962). GAN: no density; what is printed for it is that of a Parzen window on its
 * samples, as Goodfellow et al. 2014 did and Theis et al. 2016, arXiv:1511.01844, warn of. */
#include "images.h"
#include "theory.h"
#include "toy.h"

#include "base/philox.h"
#include "metrics/frechet.h"
#include "metrics/moments.h"

#include <math.h>
#include <string.h>

enum {
    SIDE = GAN_IMAGE_SIDE / 2,
    D = SIDE * SIDE,
    CLASSES = 10,
    COMPONENTS = 40,
    WIDTHS = 8,
    MODELS = 4,
    SHOWN = 12,
    LATENT = 32,
    BATCH = 64
};
static const double noise = 0.05, half_log_2pi = 0.91893853320467274178;
static const char *const model_names[MODELS] = {"naive Bayes", "Gaussian mixture", "kernel density",
                                                "GAN"};

/* Images [n,196]; labels of the training set. */
struct images {
    int train, valid, test, samples;
    float *x_train, *x_valid, *x_test;
    float *clean; /* training images without the noise */
    int *label;
};

struct mixture {
    int k;
    double *weight, *mean, *var; /* [k], [k,196], [k,196] */
};

/* Gaussians of one width at points. */
struct kernel {
    const float *at;
    int n;
    double width;
};

static float *floats(struct gan__lab *l, int rows)
{
    return (float *)gan__lab_array(l, ((size_t)rows * D + 1) / 2);
}

static double log_add(double a, double b)
{
    return a > b ? a + log1p(exp(b - a)) : isinf(b) ? b : b + log1p(exp(a - b));
}

/* --- data ----------------------------------------------------------------------------------------- */

static bool load(struct gan__lab *l, struct images *d)
{
    const int n = d->train + d->valid + d->test;
    struct gan__rng rng;
    d->label = (int *)gan__lab_array(l, (size_t)n);
    const double *x = d->label != NULL ? gan__lab_images(l, SIDE, n, d->label) : NULL;
    float *y = floats(l, n);
    d->clean = floats(l, n);
    if (x == NULL || y == NULL || d->clean == NULL) {
        return false;
    }
    gan__lab_rng(l, 0, &rng);
    for (int i = 0; i < n * D; i++) {
        d->clean[i] = (float)x[i];
        y[i] = (float)(x[i] + noise * gan__rng_normal(&rng));
    }
    d->x_train = y;
    d->x_valid = y + (size_t)d->train * D;
    d->x_test = d->x_valid + (size_t)d->valid * D;
    return true;
}

/* --- mixtures of normals with independent pixels --------------------------------------------------- */

static bool mixture_new(struct gan__lab *l, struct mixture *m, int k)
{
    m->k = k;
    m->weight = gan__lab_array(l, (size_t)k);
    m->mean = gan__lab_array(l, (size_t)k * D);
    m->var = gan__lab_array(l, (size_t)k * D);
    return l->status == GAN_OK;
}

static double component_log(const struct mixture *m, int k, const float *x)
{
    const double *mean = m->mean + (size_t)k * D, *var = m->var + (size_t)k * D;
    double sum = log(m->weight[k]);
    for (int i = 0; i < D; i++) {
        const double d = (double)x[i] - mean[i];
        sum -= half_log_2pi + log(var[i]) / 2 + d * d / (2 * var[i]);
    }
    return sum;
}

static double mixture_log(const struct mixture *m, const float *x)
{
    double sum = -(double)INFINITY;
    for (int k = 0; k < m->k; k++) {
        sum = log_add(sum, component_log(m, k, x));
    }
    return sum;
}

/* Means, variances and weights of weighted images; share [n,k] sums to 1 over k. */
static void maximise(struct mixture *m, const float *x, int n, const double *share)
{
#pragma omp parallel for schedule(static)
    for (int k = 0; k < m->k; k++) {
        double *mean = m->mean + (size_t)k * D, *var = m->var + (size_t)k * D, sum = 1e-9;
        for (int i = 0; i < D; i++) {
            mean[i] = var[i] = 0;
        }
        for (int j = 0; j < n; j++) {
            const double w = share[(size_t)j * (size_t)m->k + (size_t)k];
            sum += w;
            for (int i = 0; w > 1e-12 && i < D; i++) {
                const double v = (double)x[(size_t)j * D + (size_t)i];
                mean[i] += w * v;
                var[i] += w * v * v;
            }
        }
        for (int i = 0; i < D; i++) {
            mean[i] /= sum;
            /* no narrower than half the noise that all pixels have */
            var[i] = fmax(var[i] / sum - mean[i] * mean[i], noise * noise / 4);
        }
        m->weight[k] = sum / n;
    }
}

/* Shares of the components in each image; returns the mean log likelihood. */
static double expect(const struct mixture *m, const float *x, int n, double *share, double *each)
{
    double sum = 0;
#pragma omp parallel for schedule(static)
    for (int j = 0; j < n; j++) {
        double *p = share + (size_t)j * (size_t)m->k, all = -(double)INFINITY;
        for (int k = 0; k < m->k; k++) {
            p[k] = component_log(m, k, x + (size_t)j * D);
            all = log_add(all, p[k]);
        }
        for (int k = 0; k < m->k; k++) {
            p[k] = exp(p[k] - all);
        }
        each[j] = all;
    }
    for (int j = 0; j < n; j++) {
        sum += each[j] / n;
    }
    return sum;
}

static void naive_bayes(struct gan__lab *l, const struct images *d, struct mixture *m)
{
    double *share = gan__lab_array(l, (size_t)d->train * CLASSES);
    if (share != NULL && mixture_new(l, m, CLASSES)) {
        for (int j = 0; j < d->train; j++) {
            share[j * CLASSES + d->label[j]] = 1;
        }
        maximise(m, d->x_train, d->train, share);
    }
}

/* EM from random shares of the images; the likelihood never falls. */
static void gaussian_mixture(struct gan__lab *l, const struct images *d, struct mixture *m)
{
    const int rounds = l->quick ? 15 : 40;
    double *share = gan__lab_array(l, (size_t)d->train * COMPONENTS);
    double *each = gan__lab_array(l, (size_t)d->train);
    double step[40], value[40], fall = -(double)INFINITY;
    struct gan__rng rng;
    if (share == NULL || each == NULL || !mixture_new(l, m, COMPONENTS)) {
        return;
    }
    gan__lab_rng(l, 1, &rng);
    for (int j = 0; j < d->train; j++) {
        share[j * COMPONENTS + (int)gan__rng_below(&rng, COMPONENTS)] = 1;
    }
    maximise(m, d->x_train, d->train, share);
    for (int k = 0; k < COMPONENTS; k++) { /* start at images, as wide as all data */
        const float *x = d->x_train + gan__rng_below(&rng, (uint64_t)d->train) * D;
        for (int i = 0; i < D; i++) {
            m->mean[k * D + i] = (double)x[i];
        }
    }
    for (int r = 0; r < rounds; r++) {
        step[r] = r;
        value[r] = expect(m, d->x_train, d->train, share, each);
        fall = r > 0 ? fmax(fall, value[r - 1] - value[r]) : fall;
        maximise(m, d->x_train, d->train, share);
    }
    gan__lab_at_most(l, "fall of the training likelihood in a round of EM, nats", fall, 1e-6);
    gan__lab_table(l, "em", "round,mean_log_likelihood", (const double *const[]){step, value},
                   (size_t)rounds);
}

static void mixture_sample(const struct mixture *m, struct gan__rng *rng, int n, float *x)
{
    for (int j = 0; j < n; j++) {
        double u = gan__rng_uniform(rng);
        int k = 0;
        while (k < m->k - 1 && (u -= m->weight[k]) > 0) {
            k++;
        }
        for (int i = 0; i < D; i++) {
            x[(size_t)j * D + (size_t)i] =
                (float)(m->mean[k * D + i] + sqrt(m->var[k * D + i]) * gan__rng_normal(rng));
        }
    }
}

/* --- kernels ---------------------------------------------------------------------------------------- */

static double distance2(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < D; i++) {
        sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
    }
    return sum;
}

static double kernel_log(const struct kernel *k, const float *x)
{
    double sum = -(double)INFINITY;
    for (int j = 0; j < k->n; j++) {
        sum = log_add(sum, -distance2(x, k->at + (size_t)j * D) / (2 * k->width * k->width));
    }
    return sum - log(k->n) - D * (half_log_2pi + log(k->width));
}

typedef double log_density(const void *model, const float *x);

static double mean_log(const void *model, log_density *f, const float *x, int n)
{
    double sum = 0;
#pragma omp parallel for schedule(static) ordered
    for (int j = 0; j < n; j++) {
        const double v = f(model, x + (size_t)j * D) / n;
#pragma omp ordered
        sum += v;
    }
    return sum;
}

static double of_mixture(const void *model, const float *x)
{
    return mixture_log(model, x);
}

static double of_kernel(const void *model, const float *x)
{
    return kernel_log(model, x);
}

/* The width under which other images are most likely. */
static void choose_width(struct kernel *k, const float *valid, int n)
{
    double best = -(double)INFINITY, chosen = 0;
    for (int w = 0; w < WIDTHS; w++) {
        k->width = 0.05 * pow(1.35, w);
        const double v = mean_log(k, of_kernel, valid, n);
        if (v > best) {
            best = v;
            chosen = k->width;
        }
    }
    k->width = chosen;
}

/* Returns the share of samples whose nearest training image is the one they were drawn around. */
static double kernel_sample(const struct kernel *k, struct gan__rng *rng, int n, float *x)
{
    int own = 0;
    for (int j = 0; j < n; j++) {
        const float *at = k->at + gan__rng_below(rng, (uint64_t)k->n) * D;
        float *to = x + (size_t)j * D;
        for (int i = 0; i < D; i++) {
            to[i] = (float)((double)at[i] + k->width * gan__rng_normal(rng));
        }
        const double mine = distance2(to, at);
        int nearer = 0;
        for (int i = 0; i < k->n && nearer == 0; i++) {
            nearer = distance2(to, k->at + (size_t)i * D) < mine;
        }
        own += nearer == 0;
    }
    return (double)own / n;
}

/* --- the GAN ---------------------------------------------------------------------------------------- */

/* Trained on images without the noise, which its samples get afterwards: 32 latents cannot make it. */
static void gan_sample(struct gan__lab *l, const struct images *d, float *x)
{
    const int steps = l->quick ? 200 : 6000, look = d->samples;
    float batch[BATCH * D], z[BATCH * LATENT], *many = floats(l, look);
    struct gan__rng rng;
    struct gan__toy *t = gan__lab_image_gan(l, (struct gan__toy_opts){.size = D,
                                                                      .latent = LATENT,
                                                                      .gen_depth = 3,
                                                                      .batch = BATCH,
                                                                      .look = look,
                                                                      .steps = steps});
    gan__lab_rng(l, 4, &rng);
    for (int s = 0; s < 2 * steps && many != NULL && l->status == GAN_OK; s++) {
        for (int j = 0; j < BATCH; j++) {
            const float *from = d->clean + gan__rng_below(&rng, (uint64_t)d->train) * D;
            memcpy(batch + j * D, from, D * sizeof *batch);
        }
        gan__toy_noise(&rng, BATCH * LATENT, z);
        if (s % 2 == 0) {
            gan__toy_disc_step(l, t, batch, z);
        } else {
            gan__toy_gen_step(l, t, batch, z);
        }
    }
    if (many != NULL) {
        gan__toy_noise(&rng, look * LATENT, many);
        gan__toy_generate(l, t, many, x);
    }
    gan__toy_free(t);
    for (int i = 0; i < look * D; i++) {
        x[i] += (float)(noise * gan__rng_normal(&rng));
    }
}

/* --- what they are compared by ---------------------------------------------------------------------- */

static double frechet(struct gan__lab *l, const float *a, int n_a, const float *b, int n_b)
{
    struct gan__moments m[2] = {{0}, {0}};
    struct gan__frechet f = {0};
    double value = (double)NAN;
    if (gan__lab_ok(l, gan__moments_init(&m[0], a, NULL, n_a, D, l->err)) &&
        gan__lab_ok(l, gan__moments_init(&m[1], b, NULL, n_b, D, l->err)) &&
        gan__lab_ok(l, gan__frechet_init(&f, &(struct gan__gaussian){m[0].mean, m[0].cov},
                                         &(struct gan__gaussian){m[1].mean, m[1].cov}, D, false,
                                         l->err))) {
        value = f.value;
    }
    gan__frechet_release(&f);
    gan__moments_release(&m[0]);
    gan__moments_release(&m[1]);
    return value;
}

/* Mean distance to the nearest training image. */
static double to_nearest(const struct images *d, const float *x, int n)
{
    double sum = 0;
#pragma omp parallel for schedule(static) ordered
    for (int j = 0; j < n; j++) {
        double least = (double)INFINITY;
        for (int k = 0; k < d->train; k++) {
            least = fmin(least, distance2(x + (size_t)j * D, d->x_train + (size_t)k * D));
        }
#pragma omp ordered
        sum += sqrt(least) / n;
    }
    return sum;
}

/* 1 % of the mixture and 99 % of standard normal noise. */
static double of_spoilt(const void *model, const float *x)
{
    double sum = log(0.99);
    for (int i = 0; i < D; i++) {
        sum -= half_log_2pi + (double)x[i] * (double)x[i] / 2;
    }
    return log_add(sum, log(0.01) + mixture_log(model, x));
}

static void show(struct gan__lab *l, const struct images *d, float *const *sample)
{
    gan_figure *f = gan_figure_new(
        MODELS + 1, 1, &(struct gan_figure_opts){.panel_height = 150, .panel_width = 1000});
    for (int m = 0; m <= MODELS; m++) {
        gan__lab_show(l, gan_figure_panel(f, m, 0), m == 0 ? "held-out images" : model_names[m - 1],
                      m == 0 ? d->x_test : sample[m - 1], SIDE, SHOWN);
    }
    gan__lab_figure(l, f, "samples",
                    "Held-out images at 14x14 with the noise that every model was fitted to, and "
                    "samples of the four models.");
}

static void compare(struct gan__lab *l, const struct images *d, const double *likelihood,
                    const double *distance, const double *nearest)
{
    double at[MODELS];
    gan_figure *f = gan_figure_new(1, 3, NULL);
    const double *const value[] = {likelihood, distance, nearest};
    static const char *const label[] = {"nats an image", "distance",
                                        "over that of held-out images"};
    static const char *const title[] = {"log likelihood of held-out images",
                                        "Frechet distance of samples, in pixels",
                                        "distance to the nearest training image"};
    for (int i = 0; i < MODELS; i++) {
        at[i] = i;
    }
    for (int k = 0; k < 3; k++) {
        gan_panel *p = gan_figure_panel(f, 0, k);
        gan_panel_title(p, title[k]);
        gan_panel_x(p, &(struct gan_axis){
                           .label = "model",
                           .low = -0.5,
                           .high = MODELS - 0.5,
                           .names = (const char *const[]){"Bayes", "mixture", "kernels", "GAN"},
                           .n_names = MODELS});
        gan_panel_y(p, &(struct gan_axis){.label = label[k]});
        gan_plot_bars(p, at, value[k], MODELS, 0.6, NULL);
    }
    gan_plot_level(gan_figure_panel(f, 0, 1), frechet(l, d->x_train, d->train, d->x_test, d->test),
                   &(struct gan_style){.label = "training images", .dashed = true});
    gan_plot_level(gan_figure_panel(f, 0, 2), 1,
                   &(struct gan_style){.label = "held-out images", .dashed = true});
    bool last = true;
    for (int i = 0; i < MODELS - 1; i++) {
        last = last && likelihood[MODELS - 1] < likelihood[i];
    }
    gan__lab_figure(
        l, f, "comparison",
        last && distance[MODELS - 1] < distance[0]
            ? "The likelihood of the GAN is that of kernels on its samples: it comes last, though "
              "the distance of samples ranks naive Bayes below it. Kernels repeat what they "
              "have seen."
            : "The likelihood of the GAN is that of kernels on its samples. Kernels repeat what "
              "they have seen.");
    gan__lab_table(l, "models", "model,log_likelihood,frechet,nearest",
                   (const double *const[]){at, likelihood, distance, nearest}, MODELS);
}

static void check(struct gan__lab *l, const struct images *d, const struct mixture *mixed,
                  const double *likelihood, const double *distance)
{
    gan__lab_at_least(l, "likelihood of the mixture less that of naive Bayes, nats",
                      likelihood[1] - likelihood[0], 1);
    gan__lab_at_least(l, "likelihood of kernels on training images less that of kernels on the GAN",
                      likelihood[2] - likelihood[3], 1);
    gan__lab_at_least(l, "Frechet distance of naive Bayes over that of the mixture",
                      distance[0] / distance[1], 1);
    gan__lab_at_most(l, "nats that 99 % noise in the samples cost the mixture, at most log 100",
                     likelihood[1] - mean_log(mixed, of_spoilt, d->x_test, d->test),
                     log(100) + 1e-9);
}

static void run(struct gan__lab *l)
{
    struct images d = {.train = l->quick ? 1000 : 6000,
                       .valid = l->quick ? 100 : 300,
                       .test = l->quick ? 300 : 1000,
                       .samples = l->quick ? 500 : 2000};
    struct mixture m[2];
    float *sample[MODELS] = {NULL};
    double likelihood[MODELS], distance[MODELS], nearest[MODELS];
    struct gan__rng rng;
    if (!load(l, &d)) {
        return;
    }
    struct kernel seen = {d.x_train, d.train, 0}, dreamt = {NULL, d.samples, 0};
    naive_bayes(l, &d, &m[0]);
    gaussian_mixture(l, &d, &m[1]);
    for (int k = 0; k < MODELS; k++) {
        sample[k] = floats(l, d.samples);
    }
    if (l->status != GAN_OK) {
        return;
    }
    choose_width(&seen, d.x_valid, d.valid);
    gan__lab_rng(l, 2, &rng);
    mixture_sample(&m[0], &rng, d.samples, sample[0]);
    mixture_sample(&m[1], &rng, d.samples, sample[1]);
    const double own = kernel_sample(&seen, &rng, d.samples, sample[2]);
    gan_sample(l, &d, sample[3]);
    dreamt.at = sample[3];
    choose_width(&dreamt, d.x_valid, d.valid);
    for (int k = 0; k < MODELS && l->status == GAN_OK; k++) {
        const struct kernel *window = k == 2 ? &seen : &dreamt;
        likelihood[k] = k < 2 ? mean_log(&m[k], of_mixture, d.x_test, d.test)
                              : mean_log(window, of_kernel, d.x_test, d.test);
        distance[k] = frechet(l, sample[k], d.samples, d.x_test, d.test);
        nearest[k] = to_nearest(&d, sample[k], d.test) / to_nearest(&d, d.x_test, d.test);
    }
    if (l->status == GAN_OK) {
        gan__lab_at_least(l, "kernels: share of samples next to the image they repeat", own, 0.9);
        check(l, &d, &m[1], likelihood, distance);
        show(l, &d, sample);
        compare(l, &d, likelihood, distance, nearest);
    }
}

GAN_EXPERIMENT(generative_baselines) = {
    .name = "generative-baselines",
    .title = "Naive Bayes, Gaussian mixture and kernel density beside a GAN",
    .claim =
        "Before GANs, a generative model was a density: naive Bayes takes the pixels of a class "
        "for "
        "independent, a Gaussian mixture fits blobs by EM, a kernel density puts a normal on each "
        "training image. All have a likelihood; their samples are noise around means, or copies. A "
        "GAN has no likelihood at all, and the usual stand-in, a Parzen window on its samples, "
        "ranks it below kernels that only repeat the training set: nearly every sample of theirs "
        "lies "
        "next to the image it repeats. Theis et al. 2016 show why likelihood says little of "
        "samples: replace 99 of 100 samples by noise and the likelihood falls by log 100 = 4.6 "
        "nats at most, which is little in many dimensions. The Frechet distance in pixels, which "
        "sees means and covariances alone, is shown beside it.",
    .ref = "Goodfellow et al. 2014, arXiv:1406.2661, table 1; Theis et al. 2016, arXiv:1511.01844",
    .run = run,
};
