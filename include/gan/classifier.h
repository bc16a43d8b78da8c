/* classifier.h: what a run of the model `classifier` knows: classes of images, and how often it is right.
 *
 *     gan_classifier *c = NULL;
 *     struct gan_classifier_score score;
 *     if (gan_classifier_open("run", NULL, &c, &err) == GAN_OK &&
 *         gan_classifier_measure(c, "fashion-mnist?split=test", &score, &err) == GAN_OK) {
 *         printf("%.2f %% of %lld\n", 100 * score.accuracy, (long long)score.n);
 *     }
 *     gan_classifier_close(c);
 */
#ifndef GAN_CLASSIFIER_H
#define GAN_CLASSIFIER_H

#include <gan/sample.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A classifier ready to run. One thread uses it. */
typedef struct gan_classifier gan_classifier;

/** How to run it; zero-initialise for the defaults. */
struct gan_classifier_opts {
    int threads;   /* compute threads, 0 = 1 */
    int64_t batch; /* images at a time [128] */
};

/** What it is. Texts live as long as the classifier. */
struct gan_classifier_info {
    const char *file; /* checkpoint it was read from */
    const char *hash; /* of its weights and of how it sees images, hexadecimal */
    int64_t height, width, channels;
    gan_range range;  /* of the pixels it takes */
    bool resize;      /* its data were scaled to this size, not padded */
    int64_t classes;  /* class scores of an image */
    int64_t features; /* units of the hidden layer */
    int64_t step;     /* iterations of training */
    int64_t batch;    /* images at a time */
};

/**
 * Opens the newest checkpoint of a run directory, or a checkpoint file.
 *
 * in:     opts  may be NULL
 * out:    NULL on failure
 * owns:   the caller closes it with gan_classifier_close
 * errors: those of gan_sampler_open; GAN_E_FORMAT (the checkpoint of another model)
 */
GAN_API gan_status gan_classifier_open(const char *path, const struct gan_classifier_opts *opts,
                                       gan_classifier **out, gan_err *err);

/** Closes it; NULL is fine. */
GAN_API void gan_classifier_close(gan_classifier *c);

/** Facts about it. owns: the classifier. */
GAN_API const struct gan_classifier_info *gan_classifier_about(const gan_classifier *c);

/**
 * Class scores and features of images.
 *
 * in:     hwc  f32 [n,height,width,channels] in its range
 * out:    logits [n,classes], features [n,features]; each may be NULL
 * errors: those of gan_plan_run
 */
GAN_API gan_status gan_classifier_run(gan_classifier *c, const float *hwc, int64_t n, float *logits,
                                      float *features, gan_err *err);

/** Most classes that are counted one by one. */
#define GAN_CLASSIFIER_CLASSES 64

/** How often it is right. */
struct gan_classifier_score {
    int64_t n;        /* images */
    double accuracy;  /* share whose largest score is the true class */
    double low, high; /* 95 % interval of the accuracy, Wilson's */
    double loss;      /* mean cross-entropy, nats */
    int64_t classes;  /* counted one by one: at most GAN_CLASSIFIER_CLASSES */
    struct {
        int64_t n, right;                   /* images of the class, and those recognised */
        int64_t as[GAN_CLASSIFIER_CLASSES]; /* taken for each of these classes: the confusion */
    } of[GAN_CLASSIFIER_CLASSES];
};

/**
 * Classifies every image of a data set, without flips and jitter.
 *
 * errors: those of gan_dataset_open; GAN_E_ARG (no classes, or others than it was trained on, or
 *         points)
 * ref:    Wilson 1927, "Probable inference, the law of succession, and statistical inference"
 */
GAN_API gan_status gan_classifier_measure(gan_classifier *c, const char *spec,
                                          struct gan_classifier_score *out, gan_err *err);

/**
 * Classifies samples of a generator that knows classes, image i of class i mod classes, and counts
 * those recognised as what was asked for.
 *
 * in:     s     opened on the same classes; images of the classifier's size, or larger by an even
 *               border, which is cut off
 *         n     samples, at least 1
 * errors: GAN_E_RANGE (n), GAN_E_ARG (other classes or sizes), those of gan_sampler_images
 * ref:    Odena et al. 2016, arXiv:1610.09585, section 4.1
 */
GAN_API gan_status gan_classifier_measure_samples(gan_classifier *c, gan_sampler *s, uint64_t seed,
                                                  int64_t n, struct gan_classifier_score *out,
                                                  gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
