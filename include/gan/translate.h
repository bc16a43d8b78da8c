/* translate.h: images into images by a trained generator, whatever their size.
 *
 *     #include <gan/translate.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         gan_translator *t = NULL;
 *         if (gan_translator_open("run", NULL, &t, &err) == GAN_OK) {
 *             gan_translator_write(t, &(struct gan_translate_request){.in = "sketches"}, "photos",
 *                                  NULL, &err);
 *         }
 *         gan_translator_close(t);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * An image is continued, by reflection unless asked otherwise, to the next size the network takes,
 * and the result is cut back. One that needs more memory than there is goes through in tiles that overlap by the network's
 * receptive field: the same result, unless the network looks at statistics of the whole image
 * (instance norm, batch norm by the image) or draws noise. */
#ifndef GAN_TRANSLATE_H
#define GAN_TRANSLATE_H

#include <gan/data.h>
#include <gan/status.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A generator from images to images, ready to run. One thread uses it. */
typedef struct gan_translator gan_translator;

/** Which way. */
typedef enum gan_direction {
    GAN_DIRECTION_AUTO, /* the model's: A to B where it knows both */
    GAN_DIRECTION_AB,   /* first images of the training data to second ones */
    GAN_DIRECTION_BA
} gan_direction;

/** How an image is continued to the size the network takes, on all sides alike. */
typedef enum gan_continue {
    GAN_CONTINUE_REFLECT,
    GAN_CONTINUE_EDGE,  /* the nearest pixel */
    GAN_CONTINUE_BLACK, /* as training pads small images, unless its SPEC says another way */
    GAN_CONTINUE_WHITE
} gan_continue;

/** How to run it; zero-initialise for the defaults. */
struct gan_translator_opts {
    gan_direction direction;
    gan_continue pad;
    int threads;           /* compute threads, 0 = 1 */
    int64_t tile;          /* side of a tile without its overlap; 0: tiles where memory is short;
                              -1: never */
    uint64_t memory_bytes; /* that one image may take, 0: half of what is free */
    uint64_t seed;         /* of dropout and other noise */
};

/** What a translator does. Texts live as long as the translator. */
struct gan_translator_info {
    const char *file;  /* checkpoint it was read from */
    const char *model; /* "pix2pix" */
    const char *hash;  /* digest of the checkpoint's data: names the weights */
    bool back;         /* from B to A */
    int64_t in, out;   /* channels */
    gan_range range;   /* of the pixels */
    int64_t multiple;  /* sides are padded to multiples of this */
    int64_t least;     /* smallest side the network takes */
    int64_t reach;     /* pixels around an output pixel that it depends on; -1: not known */
    bool whole;        /* it depends on statistics of the whole image too */
    bool noise;        /* it depends on random numbers */
    int64_t step;      /* iterations of training */
};

/**
 * Opens the newest checkpoint of a run directory, or a checkpoint file.
 *
 * in:     opts  may be NULL
 * out:    NULL on failure
 * owns:   the caller closes it with gan_translator_close
 * errors: GAN_E_NOTFOUND, GAN_E_IO, GAN_E_FORMAT (no checkpoint of libgan, or a damaged one),
 *         GAN_E_UNSUPPORTED (a model that does not translate, or not this way), GAN_E_RANGE (an
 *         option), GAN_E_NOMEM
 */
GAN_API gan_status gan_translator_open(const char *path, const struct gan_translator_opts *opts,
                                       gan_translator **out, gan_err *err);

/** Closes it; NULL is fine. */
GAN_API void gan_translator_close(gan_translator *t);

/** What it does. owns: the translator. */
GAN_API const struct gan_translator_info *gan_translator_about(const gan_translator *t);

/** Images of one size. */
struct gan_translate_images {
    int64_t n;             /* images; many small ones at a time are faster */
    int64_t height, width; /* of each */
    uint64_t first;        /* number of the first, which names its noise */
};

/**
 * Translates numbers in the model's range.
 *
 * in:     hwc  f32 [n,height,width,info.in]
 * out:    dst  f32 [n,height,width,info.out]
 * errors: GAN_E_SHAPE (smaller than the network takes even when continued by reflection, or larger
 *         than GAN_IMAGE_SIDE), GAN_E_NOMEM, those of gan_plan_run
 */
GAN_API gan_status gan_translator_floats(gan_translator *t, const struct gan_translate_images *what,
                                         const float *hwc, float *dst, gan_err *err);

/**
 * Translates bytes: gray becomes colour and colour gray where the training data were so.
 *
 * in:     hwc  u8 [n,height,width,channels], 1 or 3 channels
 * out:    dst  u8 [n,height,width,info.out]
 * errors: GAN_E_SHAPE (also other channels), GAN_E_NOMEM, those of gan_plan_run
 */
GAN_API gan_status gan_translator_bytes(gan_translator *t, const struct gan_translate_images *what,
                                        int64_t channels, const uint8_t *hwc, uint8_t *dst,
                                        gan_err *err);

/** Which files to translate. Zero-initialise. */
struct gan_translate_request {
    const char *in;   /* an image file, or a directory of them */
    const char *data; /* or SPEC of a data set: its A or, with `back`, its B images */
    int64_t size; /* shorter side to bring images to first, 0: as they are, or size= of `data` */
    const uint8_t *background; /* RGB under transparent pixels, NULL: white */
    bool skip_broken;          /* pass over files that cannot be translated, with a warning each */
};

/** What became of them. */
struct gan_translate_report {
    int64_t translated, skipped;
    int64_t tiled; /* of the translated, in tiles */
    bool inexact;  /* some of these depend on the tiling: statistics of the whole image, noise */
};

/**
 * Translates an image file to the PNG `path` (directory `path` when it does not end in ".png"), or
 * every image of a directory to a PNG of its stem in the directory `path`, which is made. Text
 * chunks name model, weights, direction and input. Images of a data set become "00000.png", ...,
 * or, where `path` ends in ".npy", one array (N,H,W,C) of exact numbers in the model's range.
 *
 * out:    report  may be NULL
 * errors: GAN_E_NOTFOUND (no images), GAN_E_FORMAT (names the file that cannot be read; two inputs
 *         of one stem), GAN_E_SHAPE (names the file), GAN_E_ARG (an output would replace an input),
 *         GAN_E_IO, GAN_E_NOMEM, GAN_E_UNSUPPORTED (a build without PNG)
 */
GAN_API gan_status gan_translator_write(gan_translator *t, const struct gan_translate_request *what,
                                        const char *path, struct gan_translate_report *report,
                                        gan_err *err);

#ifdef __cplusplus
}
#endif
#endif
