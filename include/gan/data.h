/* data.h: real samples for training: data sets by name, and a loader that never runs out.
 *
 *     #include <gan/data.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         gan_dataset *ds = NULL;
 *         gan_loader *loader = NULL;
 *         const struct gan_batch *b = NULL;
 *         struct gan_loader_cfg cfg = {.batch = 64, .seed = 1, .height = 32, .width = 32};
 *         if (gan_dataset_open("fashion-mnist", &ds, &err) == GAN_OK &&
 *             gan_loader_new(ds, &cfg, &loader, &err) == GAN_OK) {
 *             for (int i = 0; i < 1000 && gan_loader_next(loader, &b, &err) == GAN_OK; i++) {
 *                 ... b->images is [64,32,32,1] in [-1,1], b->labels are classes
 *             }
 *         }
 *         gan_loader_free(loader);
 *         gan_dataset_close(ds);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * A SPEC names a data set: `kind`, `kind:argument`, options after a `?` joined by `&`:
 * `idx:DIR?size=64&channels=3&flip=1`. gan_data_kind lists the kinds.
 *
 * The data are an endless concatenation of permutations, one per epoch, keyed by (seed, epoch).
 * What stands at a position depends on the position alone, so a loader set to the number of images
 * seen so far continues exactly. With balance=1 every run of K positions from a multiple of K on holds
 * each of the K classes once, and each class is an endless concatenation of permutations of its own. */
#ifndef GAN_DATA_H
#define GAN_DATA_H

#include <gan/option.h>
#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open data set. Reading from it is safe from several threads at once. */
typedef struct gan_dataset gan_dataset;

/** What a model wants pixels to be. */
typedef enum gan_range {
    GAN_RANGE_SIGNED, /* [-1,1]: u / 127.5 - 1 */
    GAN_RANGE_UNIT    /* [0,1]: u / 255 */
} gan_range;

/** How images come to another size than their own. */
typedef enum gan_fit {
    GAN_FIT_AUTO,  /* a SPEC with size= resizes; else larger pads, smaller resizes */
    GAN_FIT_PAD,   /* pad on all sides; smaller than the data is an error */
    GAN_FIT_RESIZE /* scale until the target is covered, then crop the centre */
} gan_fit;

/** A kind of data set that this build knows. */
struct gan_data_kind {
    const char *name;           /* "idx" */
    const char *argument;       /* what follows the colon, such as "DIR|FILE"; NULL for nothing */
    const char *help;           /* one line */
    const struct gan_opt *opts; /* options of this kind; NULL for none */
};

/** Facts about an open data set. Texts live as long as the data set. */
struct gan_dataset_info {
    const char *spec;                   /* as it was given */
    const char *kind;                   /* "idx" */
    const char *file;                   /* file of the images, "" when there is none */
    int64_t count;                      /* samples; INT64_MAX when endless */
    int64_t height, width;              /* of a sample as it is stored; 1 and 1 for points */
    int64_t channels;                   /* 1 or 3, after compositing; the dimension of points */
    int64_t count_b;                    /* second images, 0 when there are none */
    int64_t height_b, width_b;          /* of a second image as it is stored */
    int64_t channels_b;                 /* 1 or 3 */
    bool paired;                        /* second image i belongs to sample i */
    int64_t size;                       /* size= of the SPEC, 0 when not given */
    int64_t want_channels;              /* channels= of the SPEC, 0 when not given */
    bool flip;                          /* flip= of the SPEC */
    int64_t jitter;                     /* jitter= of the SPEC */
    bool points;                        /* samples are points: no range, no resizing */
    bool endless;                       /* every position is a new sample */
    bool alpha;                         /* stored with alpha, composited on the background */
    bool labelled;                      /* samples have classes */
    int64_t classes;                    /* 0 when not labelled */
    const char *const *class_names;     /* `classes` names, or NULL */
    uint64_t memory_bytes;              /* mapped or held in memory while open */
    bool balance;                       /* balance= of the SPEC */
    int64_t attributes;                 /* yes-or-no facts of each sample, 0 for none */
    const char *const *attribute_names; /* `attributes` names, or NULL */
    int64_t skipped; /* files left out: broken, as skip-broken=yes says, or without partner */
    uint64_t stamp;  /* of image files: another one when a file of the set has changed; else 0 */
};

/** How batches are made. Zero fields mean the default in brackets. */
struct gan_loader_cfg {
    int64_t batch;         /* samples in a batch [64] */
    uint64_t seed;         /* of the order and the flips */
    gan_range range;       /* of the pixels */
    gan_fit fit;           /* how to reach height and width */
    int64_t height, width; /* of the images [size= of the SPEC, else the data's own] */
    int64_t channels;      /* 1 or 3 [channels= of the SPEC, else the data's own] */
    int64_t channels_b;    /* of second images [as channels] */
    bool flip;             /* mirror half of the images; flip= of the SPEC does the same */
    bool unpair;  /* second images of paired data come in an order of their own, as if unpaired, */
    double known; /* ... but for this share of the pairs, the same ones in every epoch */
    bool plain;   /* neither flips nor jitter, whatever the SPEC says */
    int threads;  /* that prepare batches ahead [1] */
};

/** One batch. Never partly filled. */
struct gan_batch {
    const float *images;   /* [n,height,width,channels], 64-byte aligned */
    const float *images_b; /* [n,height,width,channels_b], or NULL: as info's paired says, the other
                              halves of `images` or images of the other domain */
    const int32_t *labels; /* [n], -1 where the data have none */
    const int64_t *index;  /* [n], number of the sample in the data set */
    const int64_t *index_b; /* [n], number of each second image, or NULL */
    const float *known; /* [n], 1 where the second image belongs to the first, else 0; or NULL */
    const float *attributes; /* [n,n_attributes], 1 or -1; NULL where the data have none */
    int64_t n_attributes;
    int64_t n;             /* samples */
    int64_t height, width; /* of each */
    int64_t channels;      /* of each */
    int64_t channels_b;    /* of each second image, 0 without */
    int64_t first;         /* position of sample 0 in the endless sequence */
};

/** Batches in the making. One thread may call next and seek. */
typedef struct gan_loader gan_loader;

/**
 * The i-th kind of data set, sorted by name.
 *
 * out:     false past the last one
 */
GAN_API bool gan_data_kind(size_t i, struct gan_data_kind *out);

/** Options that every image SPEC takes: size, channels, flip, jitter, pad, balance. */
GAN_API const struct gan_opt *gan_data_options(void);

/**
 * Checks a SPEC without opening any file.
 *
 * errors: GAN_E_ARG (unknown kind or option, with "did you mean"; bad value), GAN_E_RANGE
 */
GAN_API gan_status gan_data_check_spec(const char *spec, gan_err *err);

/**
 * A SPEC with one more option: of the kind named, or of the set inside it.
 *
 * in:      option  name and value, such as "skip-broken=yes"
 * out:     dst     the new SPEC
 * errors:  as gan_data_check_spec; GAN_E_ARG (no kind in the SPEC has the option), GAN_E_RANGE (dst
 *          too small)
 */
GAN_API gan_status gan_data_spec_add(const char *spec, const char *option, char *dst, size_t cap,
                                     gan_err *err);

/**
 * Value of an option of a SPEC: as it was given, else the default; of the kind named, or of the set
 * inside it where that kind has no such option.
 *
 * in:      name  of an option, such as "split"
 * out:     dst   the value as text; "" when no kind in the SPEC has the option
 * errors:  as gan_data_check_spec; GAN_E_RANGE (dst too small)
 */
GAN_API gan_status gan_data_spec_get(const char *spec, const char *name, char *dst, size_t cap,
                                     gan_err *err);

/**
 * Opens a data set.
 *
 * in:      spec   names it, see above
 * out:     ds     NULL on failure
 * owns:    the caller closes it with gan_dataset_close, after its loaders
 * errors:  as gan_data_check_spec, and GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (a file that is not
 *          what it says), GAN_E_NOMEM
 */
GAN_API gan_status gan_dataset_open(const char *spec, gan_dataset **ds, gan_err *err);

/** Closes it; NULL is fine. */
GAN_API void gan_dataset_close(gan_dataset *ds);

/** Facts about it; lives as long as the data set. */
GAN_API const struct gan_dataset_info *gan_dataset_about(const gan_dataset *ds);

/**
 * One image as it is stored, alpha composited.
 *
 * in:      index  0 .. count-1
 * out:     hwc    u8 [height,width,channels]
 * errors:  GAN_E_RANGE (index), GAN_E_UNSUPPORTED (points have no pixels), GAN_E_FORMAT
 * threads: any
 */
GAN_API gan_status gan_dataset_pixels(const gan_dataset *ds, int64_t index, uint8_t *hwc,
                                      gan_err *err);

/** gan_dataset_pixels of the second images, 0 .. count_b-1. errors: as gan_dataset_pixels, and
 * GAN_E_UNSUPPORTED when there are none. */
GAN_API gan_status gan_dataset_pixels_b(const gan_dataset *ds, int64_t index, uint8_t *hwc,
                                        gan_err *err);

/**
 * Attributes of a sample, as the list of an attributes: set gives them.
 *
 * out:     value  [info's attributes]: 1 or -1
 * errors:  GAN_E_RANGE (index), GAN_E_UNSUPPORTED (the set has none)
 */
GAN_API gan_status gan_dataset_attributes(const gan_dataset *ds, int64_t index, int8_t *value,
                                          gan_err *err);

/** Size and channels of images as a loader gives them. */
struct gan_view {
    int64_t height, width, channels;
};

/**
 * What gan_dataset_view gives: size= and channels= of the SPEC, else the data's own; with second
 * images the channels of the richer half.
 *
 * errors:  GAN_E_UNSUPPORTED (points)
 */
GAN_API gan_status gan_dataset_view_size(const gan_dataset *ds, struct gan_view *view,
                                         gan_err *err);

/**
 * Images in their own order, resized, cropped or padded as a loader does it, without chance.
 *
 * in:      second  the second images
 *          first   number of the first one
 * out:     nhwc    u8 [n,height,width,channels] of gan_dataset_view_size
 * errors:  as gan_dataset_pixels and gan_dataset_pixels_b
 * threads: any
 */
GAN_API gan_status gan_dataset_view(const gan_dataset *ds, bool second, int64_t first, int64_t n,
                                    uint8_t *nhwc, gan_err *err);

/** Class of a sample; -1 when there are none or the index is outside. */
GAN_API int32_t gan_dataset_label(const gan_dataset *ds, int64_t index);

/**
 * Writes a contact sheet: `n` images from `first` on, as a PNG, in the size and channels of
 * gan_dataset_view. Pairs show both halves, first ones left; of two domains the images of the first
 * fill the upper rows, those of the second the lower ones.
 *
 * in:      columns  images or pairs in a row; 0 makes the sheet nearly square
 * errors:  GAN_E_RANGE, GAN_E_IO, GAN_E_UNSUPPORTED (points; a build without PNG)
 */
GAN_API gan_status gan_dataset_sheet(const gan_dataset *ds, int64_t first, int64_t n,
                                     int64_t columns, const char *path, gan_err *err);

/**
 * Starts a loader at position 0.
 *
 * owns:    the caller frees it with gan_loader_free, before the data set
 * errors:  GAN_E_ARG (size or channels against those of the SPEC), GAN_E_RANGE, GAN_E_NOMEM
 */
GAN_API gan_status gan_loader_new(const gan_dataset *ds, const struct gan_loader_cfg *cfg,
                                  gan_loader **loader, gan_err *err);

/** Stops its threads and frees it; NULL is fine. */
GAN_API void gan_loader_free(gan_loader *loader);

/**
 * Continues at a position: the number of images seen so far.
 *
 * errors:  GAN_E_RANGE when it is negative
 */
GAN_API gan_status gan_loader_seek(gan_loader *loader, int64_t images_seen, gan_err *err);

/**
 * The next batch.
 *
 * out:     batch  borrowed until the next call of next, seek or free
 * errors:  whatever reading the samples of this batch met
 * threads: one at a time
 */
GAN_API gan_status gan_loader_next(gan_loader *loader, const struct gan_batch **batch,
                                   gan_err *err);

/**
 * Memory a loader with this configuration allocates, in bytes; 0 when it would be refused.
 * Nothing is read.
 */
GAN_API uint64_t gan_loader_bytes(const gan_dataset *ds, const struct gan_loader_cfg *cfg);

#ifdef __cplusplus
}
#endif
#endif
