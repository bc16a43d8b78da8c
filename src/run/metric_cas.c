/* metric_cas.c: classification accuracy score: a network that has only seen fakes, with the classes they
 * were asked for, judged on reals. It is the model `classifier` with its defaults, trained for 800
 * steps of 64, with few samples for 40 passes over them; beside it the accuracy of the same training on one half of the reals, judged on the
 * other. Images pass through IDX files in a temporary folder, as if they had been saved.
 *
 * Ref: Ravuri, Vinyals 2019, "Classification accuracy score for conditional generative models",
 * arXiv:1905.10887 (there ResNet-50 and as many samples as the training set has). */
#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/philox.h"
#include "base/str.h"
#include "metrics/interval.h"
#include "metrics/metrics.h"

#include <gan/classifier.h>
#include <gan/train.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 800, BATCH = 64, LEAST = 2, MOST_CLASSES = 64, TEXT = 64, HEAD = 20, PASSES = 40 };

/* Rows of a side: those of one half, or all (-1). */
struct rows {
    const struct gan_side *s;
    int parity;
};

/* 0 or 1, whatever the order of the classes. */
static int half_of(int64_t i)
{
    uint32_t word[4];
    gan__stream_block(gan__hash_text("cas/halves"), (uint64_t)i, 0, word);
    return (int)(word[0] & 1);
}

static bool takes(const struct rows *r, int64_t i)
{
    return r->s->labels[i] >= 0 && (r->parity < 0 || half_of(i) == r->parity);
}

static int64_t count(const struct rows *r)
{
    int64_t n = 0;
    for (int64_t i = 0; i < r->s->n; i++) {
        n += takes(r, i);
    }
    return n;
}

/* --- a data set on disk --------------------------------------------------------------------------- */

static void put_be32(uint8_t *dst, int64_t v)
{
    for (int i = 0; i < 4; i++) {
        dst[i] = (uint8_t)((uint64_t)v >> (24 - 8 * i));
    }
}

static gan_status save(const struct rows *r, const char *dir, gan_err *err)
{
    const struct gan_side *s = r->s;
    char images[GAN_PATH_TEXT_MAX], labels[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__path_join(images, sizeof images, dir, "train-images-idx3-ubyte", err));
    GAN_TRY(gan__path_join(labels, sizeof labels, dir, "train-labels-idx1-ubyte", err));
    int64_t n = count(r), at = 0;
    size_t size = (size_t)(s->height * s->width * s->channels), bytes = (size_t)n * (size + 1);
    bool colour = s->channels > 1;
    uint8_t *file = gan__alloc(bytes + 2 * (size_t)HEAD);
    if (file == NULL) {
        return gan__fail_nomem(err, bytes, "samples with classes");
    }
    const int64_t dim[] = {0x803 + colour, n, s->height, s->width, s->channels};
    size_t head = colour ? 20 : 16;
    uint8_t *label = file + head + (size_t)n * size;
    for (size_t i = 0; i < head / 4; i++) {
        put_be32(file + 4 * i, dim[i]);
    }
    put_be32(label, 0x801);
    put_be32(label + 4, n);
    for (int64_t i = 0; i < s->n; i++) {
        if (takes(r, i)) {
            memcpy(file + head + (size_t)at * size, s->images + (size_t)i * size, size);
            label[8 + at++] = (uint8_t)s->labels[i];
        }
    }
    gan_status status = gan__file_replace(images, file, head + (size_t)n * size, err);
    if (status == GAN_OK) {
        status = gan__file_replace(labels, label, 8 + (size_t)n, err);
    }
    gan__free(file);
    return status;
}

/* A folder and all in it; what cannot be removed stays. */
static void remove_tree(const char *dir)
{
    char **names = NULL, path[GAN_PATH_TEXT_MAX];
    size_t n = 0;
    if (gan__list_dir(dir, &names, &n, NULL) != GAN_OK) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (gan__path_join(path, sizeof path, dir, names[i], NULL) != GAN_OK) {
            continue;
        }
        if (gan__path_is_dir(path)) {
            remove_tree(path);
        } else {
            (void)gan__remove(path, NULL);
        }
    }
    gan__list_free(names, n);
    (void)rmdir(dir);
}

static int64_t steps_of(int64_t n)
{
    int64_t steps = (PASSES * n + BATCH - 1) / BATCH;
    return steps < STEPS ? steps : STEPS;
}

/* --- training and judging --------------------------------------------------------------------------- */

static gan_status train(const struct gan_metric_input *in, int64_t n, const char *dir,
                        const char *run, gan_err *err)
{
    char spec[GAN_PATH_TEXT_MAX], steps[TEXT], batch[TEXT], threads[TEXT], seed[TEXT];
    if (!gan__format(spec, sizeof spec, "idx:%s", dir)) {
        return gan__fail(err, GAN_E_RANGE, "%.60s..: the path is too long", dir);
    }
    (void)gan__format(steps, TEXT, "%" PRId64, steps_of(n));
    (void)gan__format(batch, TEXT, "%d", (int)BATCH);
    (void)gan__format(threads, TEXT, "%d", in->threads);
    (void)gan__format(seed, TEXT, "%" PRIu64, in->seed);
    const struct gan_setting set[] = {
        {"steps", steps},         {"batch", batch},    {"threads", threads},
        {"seed", seed},           {"keep", "1"},       {"checkpoint-every", steps},
        {"sample-every", "1000"}, {"log-every", "50"}, {"monitor-every", "0"}};
    const struct gan_train_cfg cfg = {.model = "classifier",
                                      .data = spec,
                                      .out = run,
                                      .set = set,
                                      .n_set = sizeof set / sizeof *set};
    return gan_train(&cfg, NULL, NULL, err);
}

/* A batch of rows from `*next` on in the classifier's range; their numbers go to `row`. */
static int64_t gather(const struct rows *r, const struct gan_classifier_info *c, int64_t *next,
                      int64_t most, float *dst, int64_t *row)
{
    size_t size = (size_t)(c->height * c->width * c->channels);
    int64_t n = 0;
    for (; *next < r->s->n && n < most; (*next)++) {
        if (takes(r, *next)) {
            const uint8_t *image = r->s->images + (size_t)*next * size;
            for (size_t k = 0; k < size; k++) {
                dst[(size_t)n * size + k] = c->range == GAN_RANGE_SIGNED
                                                ? (float)image[k] / 127.5F - 1
                                                : (float)image[k] / 255;
            }
            row[n++] = *next;
        }
    }
    return n;
}

/* right [count(r)] is 1 where the classifier names the class. */
static gan_status judge(gan_classifier *c, const struct rows *r, double *right, gan_err *err)
{
    const struct gan_classifier_info *i = gan_classifier_about(c);
    size_t size = (size_t)(i->height * i->width * i->channels), k = (size_t)i->classes;
    int64_t row[BATCH], next = 0, n = 0, done = 0;
    float *image = gan__alloc_array(BATCH * (size + k), sizeof *image);
    float *logits = image != NULL ? image + BATCH * size : NULL;
    gan_status status =
        image != NULL ? GAN_OK : gan__fail_nomem(err, BATCH * size * sizeof *image, "a batch");
    while (status == GAN_OK && (n = gather(r, i, &next, BATCH, image, row)) > 0) {
        status = gan_classifier_run(c, image, n, logits, NULL, err);
        for (int64_t j = 0; j < n && status == GAN_OK; j++) {
            const float *of = logits + (size_t)j * k;
            int64_t best = 0;
            for (int64_t m = 1; m < i->classes; m++) {
                best = of[m] > of[best] ? m : best;
            }
            right[done++] = best == r->s->labels[row[j]] ? 1 : 0;
        }
    }
    gan__free(image);
    return status;
}

/* Trains on `fit`, judges on `on` in the folder dir. */
static gan_status accuracy(const struct gan_metric_input *in, const struct rows *fit,
                           const struct rows *on, const char *dir, double *right, gan_err *err)
{
    char run[GAN_PATH_TEXT_MAX];
    gan_classifier *c = NULL;
    GAN_TRY(gan__path_join(run, sizeof run, dir, "run", err));
    remove_tree(run);
    GAN_TRY(save(fit, dir, err));
    GAN_TRY(train(in, count(fit), dir, run, err));
    GAN_TRY(
        gan_classifier_open(run, &(struct gan_classifier_opts){.threads = in->threads}, &c, err));
    gan_status status = judge(c, on, right, err);
    gan_classifier_close(c);
    return status;
}

static double mean(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i];
    }
    return n > 0 ? sum / (double)n : 0;
}

static gan_status measure(const struct gan_metric_input *in, const char *dir, double *right,
                          struct gan_metric_result *out, gan_err *err)
{
    struct gan__influence none = {NULL, 0};
    const struct rows all = {&in->real, -1}, even = {&in->real, 0}, odd = {&in->real, 1};
    const struct rows fakes = {&in->fake, -1};
    int64_t n_all = count(&all), n_odd = count(&odd);
    GAN_TRY(accuracy(in, &fakes, &all, dir, right, err));
    GAN_TRY(gan__interval(in, (struct gan__influence){right, n_all}, none,
                          gan__metric_value(out, "cas", mean(right, n_all), ""), err));
    GAN_TRY(accuracy(in, &even, &odd, dir, right, err));
    GAN_TRY(gan__interval(in, (struct gan__influence){right, n_odd}, none,
                          gan__metric_value(out, "cas-of-reals", mean(right, n_odd), ""), err));
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "classifier of %" PRId64 " steps of %d on %" PRId64
                      " fakes; of reals: trained on %" PRId64 ", judged on the other %" PRId64,
                      steps_of(count(&fakes)), (int)BATCH, count(&fakes), count(&even), n_odd);
    return GAN_OK;
}

static int64_t classes_of(const struct gan_side *s)
{
    int64_t classes = 0;
    for (int64_t i = 0; i < s->n; i++) {
        classes = s->labels[i] >= classes ? s->labels[i] + 1 : classes;
    }
    return classes;
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    int64_t reals = classes_of(&in->real), fakes = classes_of(&in->fake);
    if (reals < LEAST || reals > MOST_CLASSES || fakes < LEAST || fakes > MOST_CLASSES) {
        return gan__fail(err, GAN_E_FORMAT,
                         "cas needs %d to %d classes, the reals have %" PRId64
                         ", the fakes %" PRId64,
                         (int)LEAST, (int)MOST_CLASSES, reals, fakes);
    }
    const char *base = getenv("TMPDIR");
    char dir[GAN_PATH_TEXT_MAX];
    double *right = gan__alloc_array((size_t)in->real.n, sizeof *right);
    if (right == NULL) {
        return gan__fail_nomem(err, (size_t)in->real.n * sizeof *right, "answers");
    }
    gan_status status = gan__path_join(
        dir, sizeof dir, base != NULL && base[0] != '\0' ? base : "/tmp", "gan-cas-XXXXXX", err);
    if (status == GAN_OK && mkdtemp(dir) == NULL) {
        status = gan__fail_errno(err, "cannot make the folder", dir);
    } else if (status == GAN_OK) {
        status = measure(in, dir, right, out, err);
        remove_tree(dir);
    }
    gan__free(right);
    return status;
}

GAN_METRIC(cas) = {
    .name = "cas",
    .help = "accuracy on reals of a classifier trained on fakes and their classes; takes minutes",
    .ref = "Ravuri, Vinyals 2019, arXiv:1905.10887",
    .needs = GAN_NEED_IMAGES | GAN_NEED_LABELS,
    .least = 20,
    .run = run,
};
