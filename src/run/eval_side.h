/* eval_side.h: one side of a comparison, whatever it is: opened, then collected into arrays. */
#ifndef GAN_RUN_EVAL_SIDE_H
#define GAN_RUN_EVAL_SIDE_H

#include <gan/data.h>
#include <gan/evaluate.h>
#include <gan/sample.h>

enum gan__eval_kind {
    GAN__EVAL_RUN,
    GAN__EVAL_DATA,
    GAN__EVAL_IMAGES,
    GAN__EVAL_FEATURES,
    GAN__EVAL_STATISTICS
};

/* What is compared, open. */
struct gan__eval_source {
    enum gan__eval_kind kind;
    const char *text;
    gan_sampler *sampler;
    gan_dataset *data;
    char *spec;          /* of the data set that was opened */
    char trained_on[64]; /* kind of data a run was trained on, "" */
    char trained_split[32];
    float *array; /* features [n,size] or images [n,height,width,channels], 0..255 */
    double *mean, *cov;
    int64_t n; /* most there are, INT64_MAX: endless */
    int64_t size, height, width, channels;
    bool points;
    bool labelled;
    char codec[64];
};

gan_status gan__eval_open(struct gan__eval_source *s, const char *text, int threads,
                          bool skip_broken, gan_err *err);
void gan__eval_close(struct gan__eval_source *s);

/* What to take. */
struct gan__eval_take {
    int64_t n;
    uint64_t seed;
    int64_t height, width, channels; /* a data set is brought to these */
    bool resize;                     /* by scaling also where padding would do */
    unsigned needs;                  /* gan_need bits */
    gan_features *network;           /* NULL without */
    int threads;
    bool cache;
};

/* Arrays of a side, in memory it owns. */
struct gan__eval_arrays {
    struct gan_side side;
    float *features, *logits;
    int32_t *labels;
    uint8_t *images;
    char resize[96];
    bool cached;
};

gan_status gan__eval_collect(struct gan__eval_source *s, const struct gan__eval_take *take,
                             struct gan__eval_arrays *out, gan_err *err);
/* Generated pixels to bytes, as a PNG would hold them; GAN_E_FORMAT when one is not finite. */
gan_status gan__eval_bytes(const float *v, int64_t n, gan_range range, uint8_t *dst, gan_err *err);

void gan__eval_arrays_release(struct gan__eval_arrays *a);

/* Sets kind, size and codec of an array [n,size] or [n,height,width,channels] that s->array holds. */
gan_status gan__eval_take_array(struct gan__eval_source *s, const char *path,
                                const gan_shape *shape, gan_err *err);

/* "split=test" of a SPEC, or the default of its kind; "" when the kind has no splits. */
void gan__eval_split(const char *spec, char *dst, size_t cap);

/* Cached arrays (features, logits, labels) of a data set under this take; *hit tells. */
gan_status gan__eval_cache_read(const struct gan__eval_source *s, const struct gan__eval_take *take,
                                struct gan__eval_arrays *a, bool *hit, gan_err *err);
void gan__eval_cache_write(const struct gan__eval_source *s, const struct gan__eval_take *take,
                           const struct gan__eval_arrays *a);

/* Everything of a .npz that is used: `mu` and `sigma`, or the first array of real numbers. */
gan_status gan__eval_read_npz(struct gan__eval_source *s, const char *path, gan_err *err);

#endif
