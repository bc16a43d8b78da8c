/* dataset.h: what a kind of data set is made of. One data_*.c file is one kind: it ends in a
 * GAN_DATA descriptor, which the build collects into gan__datas. */
#ifndef GAN_DATA_DATASET_H
#define GAN_DATA_DATASET_H

#include <gan/data.h>

/* What an open data set can do. A kind's open fills it; `release` must cope with a half-filled one,
 * for it is called after a failed open too. */
struct gan__source {
    int64_t want_size, want_channels; /* of the SPEC, 0: not given; set before open */
    int64_t count;                    /* samples, INT64_MAX when endless */
    int64_t height, width;            /* of a stored sample */
    int64_t channels;                 /* 1 or 3 after compositing; dimension of points */
    bool points, endless, alpha;      /* as in gan_dataset_info */
    uint8_t background[3];            /* what padding is filled with */
    int64_t classes;                  /* 0: not labelled */
    const char *const *class_names;   /* or NULL */
    int64_t attributes;               /* yes-or-no facts of each sample, or 0 */
    const char *const *attribute_names;
    int64_t skipped;       /* files left out */
    const char *file;      /* file of the images, owned by state; or NULL */
    uint64_t stamp;        /* as in gan_dataset_info */
    uint64_t memory_bytes; /* mapped or allocated */
    void *state;           /* the kind's own */

    struct gan__source
        *second; /* second images: allocated, released and freed with this; or NULL */
    bool paired; /* image i of `second` belongs to image i */

    /* Images: u8 [height,width,channels]. Any thread. */
    gan_status (*pixels)(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err);
    /* Points: f32 [channels] from (seed, index). Any thread. */
    void (*point)(const struct gan__source *s, uint64_t seed, int64_t index, float *dst);
    int32_t (*label)(const struct gan__source *s, uint64_t seed, int64_t index); /* or NULL */
    const int8_t *(*attribute_row)(const struct gan__source *s, int64_t index);  /* 1 or -1 each */
    void (*release)(struct gan__source *s);
};

struct gan__listing; /* image_files.h */

struct gan_dataset_kind {
    const char *name;
    const char *argument;       /* "DIR|FILE": required after the colon; NULL: none is allowed */
    const char *help;           /* one line, no full stop */
    const struct gan_opt *opts; /* or NULL */
    size_t opts_size;           /* of the structure the table fills */
    bool points;                /* samples are points, not images */
    bool wraps; /* the argument is a SPEC: options unknown here are the inner set's */
    /* Looks at the argument without opening any file; may be NULL. */
    gan_status (*check)(const char *argument, gan_err *err);
    gan_status (*open)(struct gan__source *s, const char *argument, const void *opts, gan_err *err);
    /* The image files of the set, without reading them, for a check; NULL where there are none. The
     * caller releases the listing, also after a failure. */
    gan_status (*list)(const char *argument, const void *opts, struct gan__listing *l,
                       gan_err *err);
};

#define GAN_DATA(id)                                                                               \
    extern const struct gan_dataset_kind gan__data_##id;                                           \
    const struct gan_dataset_kind gan__data_##id

/* All kinds, sorted, NULL at the end; written by the build. */
extern const struct gan_dataset_kind *const gan__datas[];

/* The dataset as the loader sees it. */
struct gan_dataset {
    struct gan_dataset_info info;
    struct gan__source source;
    bool pad_edge; /* pad=edge */
    char *spec;
};

/* A source of its own from a SPEC, for kinds made of others. The wishes hold where the SPEC has none.
 * *s is empty on failure; gan__source_close frees what it holds, second images too. */
gan_status gan__source_open(struct gan__source *s, const char *spec, int64_t want_size,
                            int64_t want_channels, gan_err *err);
void gan__source_close(struct gan__source *s);

/* Gives s second images to be filled in: freed with it. */
gan_status gan__source_second(struct gan__source *s, gan_err *err);

/* Parses "white", "black" or "RRGGBB" into u8 [3]: the background of an option table. */
gan_status gan__parse_colour(const char *text, void *field, gan_err *err);

/* Centres of a toy mixture's modes, at most 32, and their deviation; 0 when it is none. */
int gan__toy_modes(const char *name, double centre[][2], double *deviation);

#endif
