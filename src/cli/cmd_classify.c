/* cmd_classify.c: gan classify RUN --data SPEC: how often a trained classifier is right; with
 * --samples GAN: how often it recognises the class a generator was asked for. */
#include "cmdline.h"
#include "out.h"
#include "train_line.h"

#include "base/err.h"

#include <gan/classifier.h>

#include <inttypes.h>
#include <stdio.h>

struct classify_opts {
    const char *data, *samples;
    int64_t n, seed, threads;
    bool json, confusion;
};

static const struct gan_opt opts[] = {
    GAN_OPT_PARSED(struct classify_opts, data, "data", "", gan__path_option,
                   "SPEC of the data set with classes, see gan list data"),
    GAN_OPT_PARSED(struct classify_opts, samples, "samples", "", gan__path_option,
                   "run or checkpoint of a generator that knows classes, instead of --data"),
    GAN_OPT_I64(struct classify_opts, n, "n", "10000", 1, 1e8, "samples, each class in turn"),
    GAN_OPT_I64(struct classify_opts, seed, "seed", "1", 0, 9e15, "of the samples"),
    GAN_OPT_I64(struct classify_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct classify_opts, confusion, "confusion", "false",
                 "a table too: of each class, how many images were taken for which class"),
    GAN_OPT_BOOL(struct classify_opts, json, "json", "false", "the figures as JSON"),
    GAN_OPT_END,
};

static void print_json(const struct gan_classifier_info *i, const char *data,
                       const struct gan_classifier_score *s, bool confusion)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "checkpoint", i->file);
    gan__json_text(&j, "hash", i->hash);
    gan__json_i64(&j, "step", i->step);
    gan__json_text(&j, "data", data);
    gan__json_i64(&j, "n", s->n);
    gan__json_f64(&j, "accuracy", s->accuracy);
    gan__json_f64(&j, "low", s->low);
    gan__json_f64(&j, "high", s->high);
    gan__json_f64(&j, "loss", s->loss);
    gan__json_open(&j, "classes", '[');
    for (int64_t k = 0; k < s->classes; k++) {
        gan__json_open(&j, NULL, '{');
        gan__json_i64(&j, "n", s->of[k].n);
        gan__json_i64(&j, "right", s->of[k].right);
        if (confusion) {
            gan__json_open(&j, "as", '[');
            for (int64_t m = 0; m < s->classes; m++) {
                gan__json_i64(&j, NULL, s->of[k].as[m]);
            }
            gan__json_close(&j, ']');
        }
        gan__json_close(&j, '}');
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

/* One row for each true class, one column for each class it was taken for. */
static void print_confusion(const struct gan_classifier_info *i,
                            const struct gan_classifier_score *s)
{
    int64_t most = s->classes - 1;
    int width = 3;
    for (int64_t k = 0; k < s->classes; k++) {
        most = s->of[k].n > most ? s->of[k].n : most;
    }
    for (; most >= 100; most /= 10) {
        width++;
    }
    (void)printf("\nconfusion: rows are the true classes, columns what they were taken for");
    if (s->classes < i->classes) {
        (void)printf("; the first %" PRId64 " of %" PRId64, s->classes, i->classes);
    }
    (void)printf("\n%5s", "");
    for (int64_t m = 0; m < s->classes; m++) {
        (void)printf("%*" PRId64, width, m);
    }
    for (int64_t k = 0; k < s->classes; k++) {
        (void)printf("\n%5" PRId64, k);
        for (int64_t m = 0; m < s->classes; m++) {
            (void)printf("%*" PRId64, width, s->of[k].as[m]);
        }
    }
    (void)printf("\n");
}

static void print_text(const struct gan_classifier_info *i, const char *data,
                       const struct gan_classifier_score *s)
{
    (void)printf("accuracy    %.2f %% of %" PRId64 " images (95 %% interval %.2f .. %.2f)\n",
                 100 * s->accuracy, s->n, 100 * s->low, 100 * s->high);
    (void)printf("loss        %.4f nats\n", s->loss);
    (void)printf("data        %s\n", data);
    (void)printf("checkpoint  %s, %" PRId64 " steps, hash %s\n", i->file, i->step, i->hash);
    for (int64_t k = 0; k < s->classes; k++) {
        (void)printf("class %-5" PRId64 " %" PRId64 " of %" PRId64 "\n", k, s->of[k].right,
                     s->of[k].n);
    }
}

static gan_status check(const struct gan__cmdline *a, gan_err *err)
{
    const struct classify_opts *o = a->opts;
    if (o->data == NULL && o->samples == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "--data is missing: a SPEC such as fashion-mnist?split=test");
    }
    if (o->data != NULL && o->samples != NULL) {
        return gan__fail(err, GAN_E_ARG, "--samples takes the place of --data");
    }
    if (o->data != NULL && (gan__cmdline_given(a, "n") || gan__cmdline_given(a, "seed"))) {
        return gan__fail(err, GAN_E_ARG, "--n and --seed go with --samples, --data is taken whole");
    }
    return o->data != NULL ? gan_data_check_spec(o->data, err) : GAN_OK;
}

static gan_status measure(gan_classifier *c, const struct classify_opts *o, int threads,
                          struct gan_classifier_score *score, gan_err *err)
{
    if (o->samples == NULL) {
        return gan_classifier_measure(c, o->data, score, err);
    }
    gan_sampler *s = NULL;
    GAN_TRY(gan_sampler_open(o->samples, &(struct gan_sampler_opts){.threads = threads}, &s, err));
    gan_status status = gan_classifier_measure_samples(c, s, (uint64_t)o->seed, o->n, score, err);
    gan_sampler_close(s);
    return status;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct classify_opts *o = a->opts;
    const char *what = o->data != NULL ? o->data : o->samples;
    struct gan_classifier_score score;
    gan_classifier *c = NULL;
    GAN_TRY(check(a, err));
    const struct gan_classifier_opts how = {.threads = gan__cmdline_threads(o->threads)};
    GAN_TRY(gan_classifier_open(a->word[0], &how, &c, err));
    gan_status status = measure(c, o, how.threads, &score, err);
    if (status == GAN_OK && o->json) {
        print_json(gan_classifier_about(c), what, &score, o->confusion);
    } else if (status == GAN_OK) {
        print_text(gan_classifier_about(c), what, &score);
        if (o->confusion) {
            print_confusion(gan_classifier_about(c), &score);
        }
    }
    gan_classifier_close(c);
    return status;
}

GAN_COMMAND(classify) = {
    .name = "classify",
    .summary = "accuracy of a trained classifier on a data set or on samples",
    .usage = "gan classify RUN|FILE --data SPEC | --samples GAN [--n N] [--confusion] [--json]",
    .about =
        "Classifies every image of the set once with a run of the model classifier and counts "
        "how often the largest score is the true class, over all and class by class; --confusion "
        "tells which classes it takes for which. Set "
        "split=test in the SPEC for images that training did not see. With --samples the images "
        "are made by a generator that knows the same classes, and the true class is the one it "
        "was asked for.",
    .opts = opts,
    .size = sizeof(struct classify_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
